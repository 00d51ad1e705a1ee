//! One integration binary: what a caller of a router made with this crate sees.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod assets;
mod etag;
mod events;
mod extract;
mod guard;
mod idempotency;
mod list;
mod openapi;
mod pages;
mod problem;
mod rate;
mod session;
mod support;
