//! Counterpart.

pub mod bad_input;
pub mod process;
