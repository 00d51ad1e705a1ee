//! Schema `sync`: nodes and their logs, documents, interest, feeds, what is parked.

pub mod document;
pub mod feed;
pub mod idempotency;
pub mod join_code;
pub mod log;
pub mod mending;
pub mod node;
pub mod outbox;
pub mod parked;
pub mod read;
