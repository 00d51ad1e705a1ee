//! One integration binary: what a caller of a router made with this crate sees.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod etag;
mod extract;
mod idempotency;
mod list;
mod problem;
mod session;
mod support;
