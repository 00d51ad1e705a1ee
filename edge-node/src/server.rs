//! Serving a branch: store, line to the hub, listeners, and their orderly end.
//!
//! The order of the end: no new requests, running ones finish, the line says its leave, the writer drains, the lock is
//! released. Nothing acknowledged is lost by any other order either; this one only leaves less to repeat.

mod chores;
mod local;

use std::net::SocketAddr;
use std::path::Path;

use anyhow::Context;
use axum::Router;
use axum::body::HttpBody;
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use web_kit::serve::Servers;
use web_kit::{HostAllowList, SessionToken};

pub use local::{LocalServer, SERVER_FILE};

use crate::api::{EdgeState, StateParts};
use crate::config::Config;
use crate::store::{Store, StoreConfig};
use crate::sync::{self, SyncConfig, SyncHandle};
use crate::{api, web};

/// A branch that is about to be served.
struct Branch {
    store: Store,
    sync: SyncHandle,
    state: EdgeState,
    local_token: SessionToken,
}

/// Serves the branch in the configured data directory until the process is told to end.
///
/// # Errors
/// When the directory cannot be opened, an address cannot be had, or serving fails.
pub async fn run(config: &Config) -> anyhow::Result<()> {
    config.check_listen()?;
    let dir = config.data()?;
    let mut servers = Servers::new();
    let branch = open(config, dir, &servers)?;
    let local_address = listen(config, &branch.state, &mut servers).await?;
    let note = LocalServer::write(dir, local_address, &branch.local_token)?;
    let ended = servers.until_stopped().await;
    finish(branch, servers).await;
    note.remove();
    Ok(ended?)
}

/// Begins to serve, and gives the address for commands on this machine.
async fn listen(
    config: &Config,
    state: &EdgeState,
    servers: &mut Servers,
) -> anyhow::Result<SocketAddr> {
    let router = router(state)?;
    let tls = config.tls.as_ref();
    let address = servers.add(config.listen, tls, router.clone()).await?;
    let local_address = if tls.is_some() {
        // Commands on this machine need no certificate: they come by loopback, with the process's own token.
        let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
        servers.add(loopback, None, router).await?
    } else {
        address
    };
    if let Some(observe) = config.observe_listen {
        let router =
            web_kit::headers::plain_headers(api::health_routes()).with_state(state.clone());
        servers.add(observe, None, router).await?;
    }
    let scheme = if tls.is_some() { "https" } else { "http" };
    let branch = &state.store().identity().code;
    tracing::info!(%branch, "serving at {scheme}://{address}");
    Ok(local_address)
}

fn open(config: &Config, dir: &Path, servers: &Servers) -> anyhow::Result<Branch> {
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
    tokio::spawn(chores::run(store.clone(), servers.stopping()));
    let local_token = SessionToken::from_random(store.env().bytes());
    let state = EdgeState::new(StateParts {
        store: store.clone(),
        sync: sync.clone(),
        hosts: HostAllowList::loopback_and(config.hosts.iter().chain(&listen_host(config))),
        over_tls: config.tls.is_some(),
        observed_here: config.observe_listen.is_none(),
        local_token: local_token.clone(),
        stopping: servers.stopping(),
    });
    Ok(Branch {
        store,
        sync,
        state,
        local_token,
    })
}

/// The address itself is a name of this machine too, unless it means all of them.
fn listen_host(config: &Config) -> Option<String> {
    let address = config.listen.ip();
    (!address.is_unspecified()).then(|| address.to_string())
}

/// What a refusal leaves unread of a body this small is read away by the connection itself.
const SMALL_BODY_BYTES: u64 = 16 * 1024;

/// A refusal may leave the rest of a large body unread. The connection cannot be used again then, and says so, or the
/// caller's next request would be lost behind it.
async fn close_behind_refused_body(request: Request, next: Next) -> Response {
    let is_small = request
        .body()
        .size_hint()
        .upper()
        .is_some_and(|bytes| bytes <= SMALL_BODY_BYTES);
    let mut response = next.run(request).await;
    if !is_small && response.status().as_u16() >= 400 {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
    }
    response
}

/// All pages and routes of a branch, guarded.
///
/// # Errors
/// When the description of the API cannot be rendered, which is a mistake in the program.
pub fn router(state: &EdgeState) -> Result<Router, web_kit::Problem> {
    let routes = api::routes(state)?
        .merge(web::routes())
        .merge(web_kit::assets::routes());
    let guarded = web::guard(state)
        .around(api::counted(state, routes))
        .with_state(state.clone());
    Ok(guarded.layer(from_fn(close_behind_refused_body)))
}

async fn finish(branch: Branch, servers: Servers) {
    let Branch {
        store, sync, state, ..
    } = branch;
    servers.finish().await;
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
