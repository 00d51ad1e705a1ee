//! The real programs as child processes, and what lies between them: Postgres and lossy lines.
//!
//! Loopback only. Whatever is started here ends with the test, also when the test is killed.

pub mod chain;
pub mod edge;
pub mod hub;
pub mod postgres;
pub mod provider;
pub mod relay;
