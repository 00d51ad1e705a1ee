//! Counterpart.

pub mod bad_input;
pub mod browser;
pub mod forms;
pub mod process;
pub mod stripe;
