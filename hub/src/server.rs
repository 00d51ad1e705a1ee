//! Serving the hub: database, core, workers, the port for branches, pages, and their orderly end.
//!
//! The order of the end: no new requests, running ones finish, branches are told, the last group commits, the
//! database stops. Whatever is cut short is not acknowledged, so a branch sends it again.

use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use rustix::fs::{FlockOperation, flock};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use web_kit::HostAllowList;
use web_kit::serve::Servers;

use crate::api::{self, HubState, StateParts};
use crate::app::{Hub, HubOptions, PaymentDesk, Workers};
use crate::ca::Ca;
use crate::config::Config;
use crate::database::Database;
use crate::env::Env;
use crate::keys::Keys;
use crate::payment::Providers;
use crate::private_postgres::PrivatePostgres;
use crate::sync::{Core, Listener, ListenerConfig};
use crate::web;

/// Connections of branches at most, handshakes included.
const CONNECTIONS: usize = 20_000;

/// The hub's core over its database, without any port.
#[derive(Debug)]
pub struct Opened {
    /// The core.
    pub hub: Arc<Hub>,
    /// The authority of the chain.
    pub ca: Arc<Ca>,
}

/// Opens the core: secrets, authority, schema.
///
/// # Errors
/// When secrets cannot be read or made, or the database cannot be reached or migrated.
pub async fn open(data: &Path, database: &Database, options: HubOptions) -> Result<Opened> {
    let env = Env::system();
    let keys = Keys::load_or_create(data, &env)?;
    let ca = Ca::open(&keys.dir, env.now_ms(), &mut env.entropy())?;
    let hub = Hub::open(database.options()?, keys, env, options).await?;
    Ok(Opened {
        hub,
        ca: Arc::new(ca),
    })
}

/// Serves until the process is told to end.
///
/// # Errors
/// When something cannot be opened or served.
pub async fn run(config: &Config) -> Result<()> {
    config.check_listen()?;
    let data = config.data()?;
    let _lock = lock(data)?;
    let mut database = Database::start(config, data).await?;
    let cluster = Cluster::keep(database.take_cluster());
    let served = serve(config, data, &database).await;
    let stopped = cluster.stop().await;
    served.and(stopped)
}

async fn serve(config: &Config, data: &Path, database: &Database) -> Result<()> {
    let options = HubOptions {
        outside: config.outside,
        night_hour: Some(config.night.hour),
        patience: config.night.patience(),
        ..HubOptions::default()
    };
    let Opened { hub, ca } = open(data, database, options).await?;
    let providers = Providers::open(&config.payment, hub.outside(), hub.env())?;
    hub.open_desk(PaymentDesk {
        providers,
        readers: config.payment.readers.clone(),
    });
    let workers = hub.start();
    let listener = listen(config, &hub, &ca)?;
    let mut servers = Servers::new();
    let served = pages(config, &hub, &ca, listener.address(), &mut servers).await;
    finish(servers, listener, workers, &hub).await;
    served
}

fn listen(config: &Config, hub: &Arc<Hub>, ca: &Arc<Ca>) -> Result<Listener> {
    let keys = hub.keys();
    let listener = ListenerConfig {
        address: config.quic,
        connections: CONNECTIONS,
        ca,
        seed: &keys.node0.to_bytes(),
        reset_key: &keys.quic_reset,
        env: hub.env(),
    };
    let core = Core {
        hub: hub.clone(),
        ca: ca.clone(),
    };
    Ok(Listener::start(&listener, Arc::new(core))?)
}

/// Pages and API on their addresses, until a signal.
async fn pages(
    config: &Config,
    hub: &Arc<Hub>,
    ca: &Arc<Ca>,
    branches: SocketAddr,
    servers: &mut Servers,
) -> Result<()> {
    let state = |over_tls| {
        HubState::new(StateParts {
            hub: hub.clone(),
            ca: ca.clone(),
            hosts: HostAllowList::loopback_and(config.hosts.iter()),
            over_tls,
            branches: Some(branches),
            names: config.hosts.clone(),
            stopping: servers.stopping(),
        })
    };
    let (clear, secure) = (state(false), state(true));
    let address = servers.add(config.listen, None, router(&clear)?).await?;
    tracing::info!("serving at http://{address}");
    if let Some((https, files)) = &config.https {
        let address = servers.add(*https, Some(files), router(&secure)?).await?;
        tracing::info!("serving at https://{address}");
    }
    Ok(servers.until_stopped().await?)
}

/// All pages and routes of the hub, guarded.
///
/// # Errors
/// When the description of the API cannot be rendered, which is a mistake in the program.
pub fn router(state: &HubState) -> Result<axum::Router, web_kit::Problem> {
    let routes = api::routes(state)?
        .merge(web::routes())
        .merge(web_kit::assets::routes());
    Ok(web::guard(state).around(routes).with_state(state.clone()))
}

async fn finish(servers: Servers, listener: Listener, workers: Workers, hub: &Hub) {
    servers.finish().await;
    listener.stop().await;
    workers.stop().await;
    hub.pool().close().await;
    tracing::info!("ended");
}

/// One process for each data directory.
fn lock(data: &Path) -> Result<File> {
    std::fs::create_dir_all(data).with_context(|| format!("cannot make {}", data.display()))?;
    let path = data.join("lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .with_context(|| format!("cannot open {}", path.display()))?;
    if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        bail!("another hub process works in {}", data.display());
    }
    Ok(file)
}

/// The private cluster, kept running beside the hub.
struct Cluster {
    stop: watch::Sender<bool>,
    keeper: Option<JoinHandle<Result<(), crate::private_postgres::PrivatePostgresError>>>,
}

impl Cluster {
    fn keep(cluster: Option<PrivatePostgres>) -> Self {
        let (stop, mut stopped) = watch::channel(false);
        let shutdown = async move {
            // A sender that is gone means the end as well.
            drop(stopped.wait_for(|stop| *stop).await);
        };
        let keeper = cluster.map(|cluster| tokio::spawn(cluster.keep_running(shutdown)));
        Self { stop, keeper }
    }

    async fn stop(self) -> Result<()> {
        self.stop.send_replace(true);
        match self.keeper {
            Some(keeper) => Ok(keeper.await??),
            None => Ok(()),
        }
    }
}
