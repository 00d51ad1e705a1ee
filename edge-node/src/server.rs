//! Serving a branch: store, line to the hub, listeners, and their orderly end.
//!
//! The order of the end: no new requests, running ones finish, the line says its leave, the writer drains, the lock is
//! released. Nothing acknowledged is lost by any other order either; this one only leaves less to repeat.

mod local;
mod tls;

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::serve::Listener;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use web_kit::{HostAllowList, SessionToken};

pub use local::{LocalServer, SERVER_FILE};

use crate::api::{EdgeState, StateParts};
use crate::config::Config;
use crate::store::{Store, StoreConfig};
use crate::sync::{self, SyncConfig, SyncHandle};
use crate::{api, web};

/// How long running requests may take when the program is to end.
const LAST_REQUESTS: Duration = Duration::from_secs(10);

/// A branch that is about to be served.
struct Branch {
    store: Store,
    sync: SyncHandle,
    state: EdgeState,
    local_token: SessionToken,
    stop: watch::Sender<bool>,
}

/// Serves the branch in the configured data directory until the process is told to end.
///
/// # Errors
/// When the directory cannot be opened, an address cannot be had, or serving fails.
pub async fn run(config: &Config) -> anyhow::Result<()> {
    config.check_listen()?;
    let dir = config.data()?;
    let tls = config.tls.as_ref().map(tls::acceptor).transpose()?;
    let branch = open(config, dir)?;
    let router = router(&branch.state)?;
    let mut servers = JoinSet::new();
    let listener = bind(config.listen).await?;
    let address = listener.local_addr()?;
    let local_address = match tls {
        Some(acceptor) => {
            // Commands on this machine need no certificate: they come by loopback, with the process's own token.
            let local = bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
            let local_address = local.local_addr()?;
            spawn(&mut servers, local, router.clone(), &branch.stop);
            let listener = tls::TlsListener::new(listener, acceptor)?;
            spawn(&mut servers, listener, router, &branch.stop);
            local_address
        }
        None => {
            spawn(&mut servers, listener, router, &branch.stop);
            address
        }
    };
    if let Some(observe) = config.observe_listen {
        let router =
            web_kit::headers::plain_headers(api::health_routes()).with_state(branch.state.clone());
        spawn(&mut servers, bind(observe).await?, router, &branch.stop);
    }
    let note = LocalServer::write(dir, local_address, &branch.local_token)?;
    let scheme = if config.tls.is_some() {
        "https"
    } else {
        "http"
    };
    tracing::info!(branch = %branch.store.identity().code, "serving at {scheme}://{address}");
    let ended = until_stopped(&mut servers).await;
    finish(branch, servers).await;
    note.remove();
    ended
}

fn open(config: &Config, dir: &Path) -> anyhow::Result<Branch> {
    let store_config = StoreConfig::of(dir).with_context(|| {
        format!(
            "{} was not joined to a branch; see `edge-node join --help`",
            dir.display()
        )
    })?;
    let store = Store::open(store_config)?;
    let line = SyncConfig {
        dir: dir.to_owned(),
        hub: store.identity().hub.clone(),
        env: store.env().clone(),
    };
    let sync = sync::start(store.clone(), line)?;
    let (stop, stopping) = watch::channel(false);
    let local_token = SessionToken::from_random(store.env().bytes());
    let state = EdgeState::new(StateParts {
        store: store.clone(),
        sync: sync.clone(),
        hosts: HostAllowList::loopback_and(config.hosts.iter().chain(&listen_host(config))),
        over_tls: config.tls.is_some(),
        observed_here: config.observe_listen.is_none(),
        local_token: local_token.clone(),
        stopping,
    });
    Ok(Branch {
        store,
        sync,
        state,
        local_token,
        stop,
    })
}

/// The address itself is a name of this machine too, unless it means all of them.
fn listen_host(config: &Config) -> Option<String> {
    let address = config.listen.ip();
    (!address.is_unspecified()).then(|| address.to_string())
}

/// All pages and routes of a branch, guarded.
///
/// # Errors
/// When the description of the API cannot be rendered, which is a mistake in the program.
pub fn router(state: &EdgeState) -> Result<Router, web_kit::Problem> {
    let routes = api::routes(state)?
        .merge(web::routes())
        .merge(web_kit::assets::routes());
    Ok(web::guard(state)
        .around(api::counted(state, routes))
        .with_state(state.clone()))
}

async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen at {address}"))
}

fn spawn<L>(
    servers: &mut JoinSet<std::io::Result<()>>,
    listener: L,
    router: Router,
    stop: &watch::Sender<bool>,
) where
    L: Listener<Addr = SocketAddr>,
{
    let mut stopping = stop.subscribe();
    let stopped = async move { api::live::stopped(&mut stopping).await };
    servers.spawn(async move {
        axum::serve(listener, router)
            .with_graceful_shutdown(stopped)
            .await
    });
}

/// Waits for a signal, or for a listener that failed.
async fn until_stopped(servers: &mut JoinSet<std::io::Result<()>>) -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => tracing::info!("told to end"),
        _ = interrupt.recv() => tracing::info!("interrupted"),
        ended = servers.join_next() => match ended {
            Some(Ok(Err(error))) => return Err(error).context("a listener failed"),
            _ => anyhow::bail!("a listener ended by itself"),
        },
    }
    Ok(())
}

async fn finish(branch: Branch, mut servers: JoinSet<std::io::Result<()>>) {
    let Branch {
        store,
        sync,
        state,
        stop,
        ..
    } = branch;
    stop.send_replace(true);
    let finished = async { while servers.join_next().await.is_some() {} };
    if tokio::time::timeout(LAST_REQUESTS, finished).await.is_err() {
        tracing::warn!("some requests were still running");
        servers.shutdown().await;
    }
    sync.stop().await;
    drop(state);
    // The last handle waits for the writer's thread.
    if tokio::task::spawn_blocking(move || drop(store))
        .await
        .is_err()
    {
        tracing::error!("closing the store failed");
    }
    tracing::info!("ended");
}
