//! Counterpart.

pub mod bad_input;
pub mod browser;
pub mod forms;
pub mod process;

pub use fake_stripe as stripe;
