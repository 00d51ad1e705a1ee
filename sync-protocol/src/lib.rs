//! The protocol between a branch and the hub, without IO.
//!
//! Logs, feeds, frames, the change scanner and both ends of a session live here as pure state machines: bytes and
//! times come in as arguments, effects go out as values. There is never a socket, a clock, a random number, a
//! database or a thread in this crate. `docs/PROTOCOL.md` describes the bytes.

pub mod block;
pub mod branch_session;
pub mod bytes;
pub mod certificate;
pub mod compress;
pub mod document;
pub mod error;
pub mod feed;
pub mod frame;
pub mod hash;
pub mod head;
pub mod hub_session;
pub mod item;
pub mod join_code;
pub mod limits;
pub mod line;
pub mod look_up;
pub mod mending;
pub mod message;
pub mod money;
pub mod position;
pub mod scanner;
pub mod testing;
pub mod transaction;
