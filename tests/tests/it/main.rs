//! The real programs under what really happens to them: SIGKILL, cut lines, immediate stops of Postgres, hostile
//! branches, bad input, large imports.
//!
//! Each test starts its own hub and branches as child processes on loopback. Nothing here looks into the programs'
//! memory: what they keep is read by SQL, what they say by their API and their commands.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod admission;
mod automerge_js;
mod bad_input;
mod cut_off;
mod demo;
mod feed_mending;
mod forms_twice;
mod hostile;
mod hostile_store;
mod import;
mod kill_edge;
mod kill_hub;
mod lines;
mod look_up;
mod mending;
mod night;
mod payment;
mod people;
mod records;
mod sound;
mod story;
mod transfer;
mod writers;
