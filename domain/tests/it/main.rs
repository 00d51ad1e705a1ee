//! Tests of the rules, by noun.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod basics;
mod documents;
mod money;
mod orders;
mod people;
mod permissions;
mod properties;
mod samples;
mod stock;
mod transfers;
mod wire;
