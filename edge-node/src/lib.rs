//! Counterpart.

pub mod app;
pub mod env;
pub mod error;
pub mod identity;
pub mod ords;
pub mod store;
