//! Listeners of a program and their orderly end: no new requests, running ones finish, then whoever comes after.
//!
//! Pages in clear never leave the machine: an address beyond loopback needs a certificate (T-9).

mod tls;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use axum::Router;
use axum::serve::{Listener, ListenerExt};
use serde::Serialize;
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How long running requests may take when the program is to end.
const LAST_REQUESTS: Duration = Duration::from_secs(10);

/// Why a program cannot serve.
#[derive(Debug, Error)]
pub enum ServeError {
    /// The address cannot be had.
    #[error("cannot listen at {address}: {source}")]
    Bind {
        /// Which address.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// A certificate or key cannot be read.
    #[error("cannot read {path}: {reason}")]
    Pem {
        /// Which file.
        path: String,
        /// Why.
        reason: String,
    },
    /// Certificate and key do not fit.
    #[error("certificate and key do not belong together: {0}")]
    Pair(rustls::Error),
    /// A listener ended.
    #[error("a listener ended by itself")]
    Ended,
    /// The system.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Certificate and key for HTTPS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TlsFiles {
    /// Certificate chain (PEM).
    pub cert: PathBuf,
    /// Private key (PEM).
    pub key: PathBuf,
}

/// The listeners of one program.
#[derive(Debug)]
pub struct Servers {
    running: JoinSet<std::io::Result<()>>,
    stop: watch::Sender<bool>,
}

impl Default for Servers {
    fn default() -> Self {
        Self::new()
    }
}

/// An answer in two writes must not wait for the reader's delayed acknowledgement of the first.
fn answer_at_once(stream: &mut TcpStream) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection keeps small packets back");
    }
}

impl Servers {
    /// None yet.
    pub fn new() -> Self {
        Self {
            running: JoinSet::new(),
            stop: watch::Sender::new(false),
        }
    }

    /// Turns true when the program is to end; event streams end then.
    pub fn stopping(&self) -> watch::Receiver<bool> {
        self.stop.subscribe()
    }

    /// Serves `router` at `address`, over TLS where files are named; gives the address it got.
    ///
    /// # Errors
    /// When the address cannot be had or the files do not read.
    pub async fn add(
        &mut self,
        address: SocketAddr,
        tls: Option<&TlsFiles>,
        router: Router,
    ) -> Result<SocketAddr, ServeError> {
        let acceptor = tls.map(tls::acceptor).transpose()?;
        let listener = TcpListener::bind(address)
            .await
            .map_err(|source| ServeError::Bind { address, source })?;
        let bound = listener.local_addr()?;
        match acceptor {
            Some(acceptor) => self.spawn(tls::TlsListener::new(listener, acceptor)?, router),
            None => self.spawn(listener.tap_io(answer_at_once), router),
        }
        Ok(bound)
    }

    fn spawn<L: Listener<Addr = SocketAddr>>(&mut self, listener: L, router: Router) {
        let mut stopping = self.stopping();
        let stopped = async move {
            // A watch that is gone means the end as well.
            drop(stopping.wait_for(|stop| *stop).await);
        };
        self.running.spawn(async move {
            axum::serve(listener, router)
                .with_graceful_shutdown(stopped)
                .await
        });
    }

    /// Waits for SIGTERM or Ctrl-C, or for a listener that failed.
    ///
    /// # Errors
    /// When a listener failed.
    pub async fn until_stopped(&mut self) -> Result<(), ServeError> {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        tokio::select! {
            _ = terminate.recv() => tracing::info!("told to end"),
            _ = interrupt.recv() => tracing::info!("interrupted"),
            ended = self.running.join_next() => match ended {
                Some(Ok(Err(error))) => return Err(error.into()),
                _ => return Err(ServeError::Ended),
            },
        }
        Ok(())
    }

    /// Takes no new requests and waits for those that run.
    pub async fn finish(mut self) {
        self.stop.send_replace(true);
        let finished = async { while self.running.join_next().await.is_some() {} };
        if tokio::time::timeout(LAST_REQUESTS, finished).await.is_err() {
            tracing::warn!("some requests were still running");
            self.running.shutdown().await;
        }
    }
}
