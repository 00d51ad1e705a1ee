//! QUIC settings of a branch, and one attempt to reach the hub.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use quinn::{
    ConnectError, Connection, ConnectionError, Endpoint, IdleTimeout, TransportConfig, VarInt,
};
use sync_protocol::certificate::SERVER_NAME;
use sync_protocol::message::{Close, CloseReason};
use thiserror::Error;
use tokio::net::lookup_host;
use tokio::time::timeout;

use super::tls::TlsError;

/// Window of one stream and of the connection, in bytes.
const WINDOW: VarInt = VarInt::from_u32(256 * 1024);
/// A connection that says nothing for so long is gone, in milliseconds.
const IDLE_MS: u32 = 180_000;
const KEEP_ALIVE: Duration = Duration::from_secs(25);
/// One attempt, on the slowest line.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(60);

/// The hub cannot be reached.
#[derive(Debug, Error)]
pub enum ReachError {
    /// `HOST:PORT` has no address.
    #[error("{hub} has no address: {source}")]
    Lookup {
        /// What was looked up.
        hub: String,
        /// What the system said.
        source: io::Error,
    },
    /// No socket.
    #[error("no UDP socket: {0}")]
    Socket(#[from] io::Error),
    /// The attempt could not begin.
    #[error(transparent)]
    Begin(#[from] ConnectError),
    /// `secrets/` is not usable.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The hub did not answer.
    #[error("the hub does not answer")]
    Silent,
    /// The connection ended; where the hub closed it, with its reason.
    #[error("{}", describe(.0))]
    Ended(#[from] ConnectionError),
}

fn describe(error: &ConnectionError) -> String {
    match closed_by_hub(error) {
        Some(close) => close.detail,
        None if matches!(error, ConnectionError::TimedOut) => "the hub does not answer".to_owned(),
        None => error.to_string(),
    }
}

/// The reason of a connection that the hub closed.
pub(super) fn closed_by_hub(error: &ConnectionError) -> Option<Close> {
    match error {
        ConnectionError::ApplicationClosed(closed) => Some(Close {
            reason: CloseReason::from_code(closed.error_code.into_inner())
                .unwrap_or(CloseReason::Internal),
            detail: String::from_utf8_lossy(&closed.reason).into_owned(),
        }),
        _ => None,
    }
}

pub(super) fn transport() -> Arc<TransportConfig> {
    let mut config = TransportConfig::default();
    config
        .max_concurrent_bidi_streams(VarInt::from_u32(0))
        .max_concurrent_uni_streams(VarInt::from_u32(0))
        .stream_receive_window(WINDOW)
        .receive_window(WINDOW)
        .max_idle_timeout(Some(IdleTimeout::from(VarInt::from_u32(IDLE_MS))))
        .keep_alive_interval(Some(KEEP_ALIVE))
        .initial_rtt(Duration::from_secs(1))
        .mtu_discovery_config(None)
        .datagram_receive_buffer_size(None);
    Arc::new(config)
}

/// Reaches the hub from a fresh socket, so that no router's memory of an old one stands in the way. The socket lives as
/// long as the connection.
pub(super) async fn reach(
    hub: &str,
    config: quinn::ClientConfig,
) -> Result<Connection, ReachError> {
    let failed = |source| ReachError::Lookup {
        hub: hub.to_owned(),
        source,
    };
    let addresses: Vec<SocketAddr> = lookup_host(hub).await.map_err(failed)?.collect();
    let mut last = failed(io::ErrorKind::NotFound.into());
    for address in addresses {
        match timeout(HANDSHAKE_WITHIN, reach_address(address, config.clone())).await {
            Ok(Ok(connection)) => return Ok(connection),
            Ok(Err(error)) => last = error,
            Err(_) => last = ReachError::Silent,
        }
    }
    Err(last)
}

async fn reach_address(
    address: SocketAddr,
    config: quinn::ClientConfig,
) -> Result<Connection, ReachError> {
    let from = match address {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
    };
    let endpoint = Endpoint::client(from)?;
    Ok(endpoint.connect_with(config, address, SERVER_NAME)?.await?)
}
