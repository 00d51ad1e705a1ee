//! The line to the hub: QUIC with mutual TLS, kept up by one driver task.
//!
//! The driver runs the pure `BranchSession` and carries out its effects through [`BranchStore`]. Nothing local ever waits
//! for anything here, and reading never waits for writing. The hub is known by our own authority and its one name, never
//! by DNS and never by a date, so that a wrong clock cuts nobody off.

mod attempts;
mod branch_store;
mod control;
mod credentials;
mod driver;
mod feed_look;
mod heads;
mod join;
mod liveness;
mod log_stream;
mod look_up;
mod session;
mod status;
mod tls;
mod transport;

pub use self::branch_store::{BranchStore, Opening};
pub use self::credentials::Credentials;
pub use self::driver::{SyncConfig, start};
pub use self::join::{JoinError, join, renew};
pub use self::status::{FeedHeads, LinkState, LinkStatus, SyncHandle};
