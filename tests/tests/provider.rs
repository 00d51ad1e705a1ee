//! Payment providers over real HTTP: the adapter of Stripe against the stateful double, and the double against the
//! official SDK.
//!
//! Everything is on loopback and in memory; no test waits longer than a time-out that it is about.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

#[path = "provider/breaker.rs"]
mod breaker;
#[path = "provider/faults.rs"]
mod faults;
#[path = "provider/pay.rs"]
mod pay;
#[path = "provider/refunds.rs"]
mod refunds;
#[path = "provider/sdk.rs"]
mod sdk;
#[path = "provider/settlement.rs"]
mod settlement;
#[path = "provider/support.rs"]
mod support;
#[path = "provider/webhooks.rs"]
mod webhooks;
