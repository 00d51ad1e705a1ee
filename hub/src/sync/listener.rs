//! The one UDP port of the hub: takes connections, looks at ALPN and certificate, and hands them to their drivers.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use quinn::crypto::rustls::HandshakeData;
use quinn::{Connection, Endpoint, Incoming, TokioRuntime, VarInt};
use rustls::pki_types::CertificateDer;
use sync_protocol::message::{ALPN, ALPN_JOIN, ALPN_RENEW, Close, CloseReason};
use thiserror::Error;
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;
use tracing::{debug, info, warn};

use super::core::HubCore;
use super::driver::{self, Context};
use super::registry::Registry;
use super::{grant, tls, transport};
use crate::ca::{Ca, CaError, NodeCertificate};
use crate::env::Env;

/// Handshakes take at most this long.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(60);
/// From so many unfinished handshakes on a peer must first show that its address is its own.
const VALIDATE_ABOVE: usize = 256;
/// Joins and renewals at one time.
const GRANTS: usize = 64;
/// Branches that catch up at one time.
const CATCH_UPS: usize = 64;
/// How long a stopping hub waits for its sessions to end, and then for its last packets.
const STOP_WITHIN: Duration = Duration::from_secs(3);

/// What the listener needs besides the core.
#[derive(Debug)]
pub struct ListenerConfig<'a> {
    /// Where to listen.
    pub address: SocketAddr,
    /// Connections at most, handshakes included.
    pub connections: usize,
    /// The authority of the chain.
    pub ca: &'a Ca,
    /// Seed of the hub's Ed25519 key.
    pub seed: &'a [u8; 32],
    /// Makes reset tokens; kept over restarts.
    pub reset_key: &'a [u8; 64],
    /// Clock and randomness.
    pub env: &'a Env,
}

/// The port cannot be opened.
#[derive(Debug, Error)]
pub enum ListenError {
    /// The socket.
    #[error("cannot listen on UDP {address}: {source}")]
    Socket {
        /// Where.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The hub's certificate.
    #[error(transparent)]
    Certificate(#[from] CaError),
    /// TLS.
    #[error(transparent)]
    Tls(#[from] tls::TlsError),
}

/// The open port. Dropping it without [`Listener::stop`] leaves branches to find out by themselves.
#[derive(Debug)]
pub struct Listener {
    endpoint: Endpoint,
    accepting: JoinHandle<()>,
    dispatching: JoinHandle<()>,
    address: SocketAddr,
}

struct Shared<C> {
    context: Arc<Context<C>>,
    env: Env,
    grants: Arc<Semaphore>,
    handshakes: AtomicUsize,
    connections: usize,
}

impl Listener {
    /// Opens the port and serves connections in tasks of the current runtime.
    ///
    /// # Errors
    /// When the socket or the hub's certificate cannot be made.
    pub fn start<C: HubCore>(
        config: &ListenerConfig<'_>,
        core: Arc<C>,
    ) -> Result<Self, ListenError> {
        let chain =
            config
                .ca
                .hub_chain(config.seed, config.env.now_ms(), &mut config.env.entropy())?;
        let mut server = tls::server(config.ca.root(), chain, config.seed)?;
        server
            .transport_config(transport::transport())
            .max_incoming(config.connections);
        let failed = |source| ListenError::Socket {
            address: config.address,
            source,
        };
        let socket = transport::socket(config.address).map_err(failed)?;
        let endpoint_config = transport::endpoint(config.reset_key, config.env);
        let endpoint = Endpoint::new(
            endpoint_config,
            Some(server),
            socket,
            Arc::new(TokioRuntime),
        )
        .map_err(failed)?;
        let address = endpoint.local_addr().map_err(failed)?;
        let registry = Arc::new(Registry::default());
        let dispatching = tokio::spawn(registry.clone().dispatch(core.clone()));
        let shared = Arc::new(Shared {
            context: Arc::new(Context {
                core,
                registry,
                catch_ups: Arc::new(Semaphore::new(CATCH_UPS)),
            }),
            env: config.env.clone(),
            grants: Arc::new(Semaphore::new(GRANTS)),
            handshakes: AtomicUsize::new(0),
            connections: config.connections,
        });
        let accepting = tokio::spawn(accept(endpoint.clone(), shared));
        info!(%address, "listening for branches");
        Ok(Self {
            endpoint,
            accepting,
            dispatching,
            address,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Connections, unfinished handshakes included.
    pub fn connections(&self) -> usize {
        self.endpoint.open_connections()
    }

    /// Says goodbye to every branch, lets every session end in order, and closes the port.
    pub async fn stop(mut self) {
        self.endpoint.close(
            VarInt::from_u32(CloseReason::Leaving.code()),
            b"the hub stops",
        );
        if timeout(STOP_WITHIN, &mut self.accepting).await.is_err() {
            warn!("some sessions did not end in time");
            self.accepting.abort();
        }
        self.dispatching.abort();
        if timeout(STOP_WITHIN, self.endpoint.wait_idle())
            .await
            .is_err()
        {
            debug!("some branches did not hear that the hub stops");
        }
    }
}

/// Takes connections until the endpoint is closed, and ends when the last of them has.
async fn accept<C: HubCore>(endpoint: Endpoint, shared: Arc<Shared<C>>) {
    let mut connections = JoinSet::new();
    while let Some(incoming) = endpoint.accept().await {
        while connections.try_join_next().is_some() {}
        if endpoint.open_connections() >= shared.connections {
            warn!(connections = shared.connections, "too many connections");
            incoming.refuse();
            continue;
        }
        let is_busy = shared.handshakes.load(Ordering::Relaxed) >= VALIDATE_ABOVE;
        if is_busy && !incoming.remote_address_validated() && incoming.may_retry() {
            if incoming.retry().is_err() {
                debug!("a retry could not be sent");
            }
            continue;
        }
        let shared = shared.clone();
        connections.spawn(async move {
            if let Some(connection) = handshake(&shared, incoming).await {
                let close = route(&shared, &connection).await;
                connection.close(
                    VarInt::from_u32(close.reason.code()),
                    close.detail.as_bytes(),
                );
            }
        });
    }
    while connections.join_next().await.is_some() {}
}

async fn handshake<C>(shared: &Shared<C>, incoming: Incoming) -> Option<Connection> {
    let peer = incoming.remote_address();
    shared.handshakes.fetch_add(1, Ordering::Relaxed);
    let done = match incoming.accept() {
        Ok(connecting) => timeout(HANDSHAKE_WITHIN, connecting).await,
        Err(error) => Ok(Err(error)),
    };
    shared.handshakes.fetch_sub(1, Ordering::Relaxed);
    match done {
        Ok(Ok(connection)) => Some(connection),
        Ok(Err(error)) => {
            info!(%peer, %error, "a handshake failed");
            None
        }
        Err(_) => {
            info!(%peer, "a handshake took too long");
            None
        }
    }
}

async fn route<C: HubCore>(shared: &Shared<C>, connection: &Connection) -> Close {
    let refused = match checked(shared, connection).await {
        Ok(Admitted::Session(certificate)) => {
            return driver::serve(shared.context.clone(), connection.clone(), certificate.name)
                .await;
        }
        Ok(Admitted::Join) => match shared.grants.try_acquire() {
            Ok(_place) => grant::join(shared.context.core.clone(), connection.clone()).await,
            Err(_) => busy(),
        },
        Ok(Admitted::Renewal(certificate)) => match shared.grants.try_acquire() {
            Ok(_place) => {
                grant::renew(shared.context.core.clone(), connection.clone(), certificate).await
            }
            Err(_) => busy(),
        },
        Err(close) => close,
    };
    if refused.reason != CloseReason::Leaving {
        let peer = connection.remote_address();
        warn!(%peer, reason = ?refused.reason, detail = refused.detail, "a connection was refused");
    }
    refused
}

enum Admitted {
    Session(NodeCertificate),
    Renewal(NodeCertificate),
    Join,
}

/// What this connection may do, by ALPN, certificate and the node's standing.
async fn checked<C: HubCore>(
    shared: &Shared<C>,
    connection: &Connection,
) -> Result<Admitted, Close> {
    let alpn = connection
        .handshake_data()
        .and_then(|data| data.downcast::<HandshakeData>().ok())
        .and_then(|data| data.protocol)
        .unwrap_or_default();
    if alpn == ALPN_JOIN {
        return Ok(Admitted::Join);
    }
    if alpn != ALPN && alpn != ALPN_RENEW {
        return Err(refusal(
            CloseReason::Protocol,
            "no protocol that this hub speaks",
        ));
    }
    let chain = connection
        .peer_identity()
        .and_then(|identity| identity.downcast::<Vec<CertificateDer<'static>>>().ok())
        .unwrap_or_default();
    let Some(leaf) = chain.first() else {
        return Err(refusal(
            CloseReason::Protocol,
            "a node shows its certificate",
        ));
    };
    let certificate = NodeCertificate::read(leaf)
        .map_err(|error| refusal(CloseReason::Protocol, &error.to_string()))?;
    shared.context.core.standing(&certificate).await?;
    if alpn == ALPN_RENEW {
        return Ok(Admitted::Renewal(certificate));
    }
    if !certificate.is_in_date(shared.env.now_ms()) {
        return Err(refusal(
            CloseReason::Expired,
            "the node's certificate is not in date; it must be renewed",
        ));
    }
    Ok(Admitted::Session(certificate))
}

fn refusal(reason: CloseReason, detail: &str) -> Close {
    Close {
        reason,
        detail: detail.to_owned(),
    }
}

fn busy() -> Close {
    refusal(
        CloseReason::Busy,
        "too many machines join or renew just now",
    )
}
