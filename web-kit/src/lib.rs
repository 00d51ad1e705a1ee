//! Counterpart.
