//! Branches and the hub over real QUIC: joining, certificates, cuts, restarts.
//!
//! The hub is the real one over a real Postgres, the branch the real store over a real SQLite file, the line UDP on
//! loopback, through the project's relay where it is cut. Only the clocks are handed in.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

#[path = "connection/certificates.rs"]
mod certificates;
#[path = "connection/joining.rs"]
mod joining;
#[path = "connection/line.rs"]
mod line;
#[path = "connection/look_up.rs"]
mod look_up;
#[path = "connection/support.rs"]
mod support;
