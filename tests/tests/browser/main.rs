//! Journeys of people at real pages: a real hub, real branches, real Chromium.
//!
//! Each journey is one person's (or two people's) errand from the first click to what both sides keep of it. Every page
//! on the way is held to the same rules by `inspect`. Skipped, with a reason, where Chromium or its driver is missing.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod board;
mod chain;
mod elsewhere;
mod fill;
mod harness;
mod hostile;
mod line;
mod money;
mod night;
mod once;
mod pages;
mod people;
mod pictures;
mod sessions;
mod stage;
mod stock;
mod till;
mod walk;
