//! Connections of branches: QUIC with mutual TLS, one driver per connection, joining and renewal.
//!
//! Who a peer is comes from its certificate only, and which protocol it speaks from the ALPN, looked at after the
//! handshake. The driver runs the pure `HubSession` and carries out its effects through [`HubCore`]; nothing here decides
//! what an entry means, and nothing here holds SQL.

mod control;
mod core;
mod driver;
mod grant;
mod listener;
mod log_stream;
mod registry;
mod tls;
mod transport;

pub use self::core::{Core, HubCore};
pub use self::listener::{ListenError, Listener, ListenerConfig};
pub use self::tls::TlsError;
