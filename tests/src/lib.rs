//! Counterpart.

pub mod bad_input;
