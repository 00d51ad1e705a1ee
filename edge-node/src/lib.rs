//! Counterpart.

pub mod ords;
