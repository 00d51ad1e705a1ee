//! The hub over a real Postgres: one binary for all integration tests.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

#[path = "../../../tests/src/process/postgres.rs"]
#[allow(dead_code, reason = "shared with tests that kill their server")]
mod postgres;
mod support;

mod abandoned;
mod api;
mod bank;
mod cash_pages;
mod catalogue;
mod facts;
mod ingest;
mod lacking;
mod look_up;
mod mending;
mod money;
mod money_batch;
mod money_pages;
mod night;
mod night_pages;
mod pages;
mod publish;
mod said;
mod throughput;
mod till;
mod verify;
