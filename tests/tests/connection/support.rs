//! A hub and branches in this process.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use domain::branch::BranchRow;
use domain::env::{Clock, SeededEntropy};
use domain::id::{BranchId, StaffId};
use domain::money::Currency;
use edge_node::identity::NodeIdentity;
use edge_node::store::{Actor as BranchActor, Store, StoreConfig};
use edge_node::sync::{JoinError, LinkState, LinkStatus, SyncConfig, SyncHandle};
use hub::app::branch::new_join_code;
use hub::app::{Actor, Hub, HubOptions, Workers};
use hub::ca::Ca;
use hub::keys::Keys;
use hub::sync::{Core, ListenError, Listener, ListenerConfig};
use sqlx::postgres::PgConnectOptions;
use sync_protocol::item::{AuditNote, Item, NodeRevoked, Row, command};
use sync_protocol::join_code::JoinCode;
use sync_protocol::position::NodeId;
use tempfile::TempDir;
use tests::process::postgres::TestPostgres;
use tokio::time::timeout;

/// Longer than anything here may take.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The system's time plus an offset that tests move.
#[derive(Debug, Clone, Default)]
pub struct ShiftedClock(Arc<AtomicI64>);

impl ShiftedClock {
    pub fn shift_minutes(&self, minutes: i64) {
        self.0.fetch_add(minutes * 60_000, Ordering::Relaxed);
    }
}

impl Clock for ShiftedClock {
    fn now_ms(&self) -> i64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        i64::try_from(now.as_millis()).unwrap() + self.0.load(Ordering::Relaxed)
    }
}

/// A hub with one branch, and its open port.
pub struct TestHub {
    pub hub: Arc<Hub>,
    pub ca: Arc<Ca>,
    pub clock: ShiftedClock,
    pub branch: BranchId,
    pub listener: Option<Listener>,
    workers: Option<Workers>,
    _dir: TempDir,
}

impl TestHub {
    pub async fn start(seed: u64) -> Self {
        let dir = TempDir::new().unwrap();
        let clock = ShiftedClock::default();
        let env = hub::env::Env::with(Arc::new(clock.clone()), Box::new(SeededEntropy::new(seed)));
        let database = TestPostgres::shared()
            .await
            .unwrap()
            .fresh_database()
            .await
            .unwrap();
        let options: PgConnectOptions = database.parse().unwrap();
        let keys = Keys::load_or_create(dir.path(), &env).unwrap();
        let ca = Arc::new(Ca::open(&keys.dir, env.now_ms(), &mut env.entropy()).unwrap());
        let hub = Hub::open(
            options,
            keys,
            env,
            HubOptions {
                connections: 6,
                ..HubOptions::default()
            },
        )
        .await
        .unwrap();
        let workers = hub.start();
        let branch = BranchId::from_bytes([0x42; 16]);
        add_branch(&hub, branch).await;
        let mut this = Self {
            hub,
            ca,
            clock,
            branch,
            listener: None,
            workers: Some(workers),
            _dir: dir,
        };
        this.listen(SocketAddr::from(([127, 0, 0, 1], 0))).await;
        this
    }

    /// Opens the port; the system may take a moment to let go of one that was just closed.
    pub async fn listen(&mut self, address: SocketAddr) {
        let opened = async {
            loop {
                let core = Core {
                    hub: self.hub.clone(),
                    ca: self.ca.clone(),
                };
                match Listener::start(&self.listener_config(address), Arc::new(core)) {
                    Ok(listener) => return listener,
                    Err(ListenError::Socket { .. }) => tokio::task::yield_now().await,
                    Err(error) => panic!("{error}"),
                }
            }
        };
        self.listener = Some(
            timeout(PATIENCE, opened)
                .await
                .expect("the port is free again"),
        );
    }

    fn listener_config(&self, address: SocketAddr) -> ListenerConfig<'_> {
        let keys = self.hub.keys();
        ListenerConfig {
            address,
            connections: 100,
            ca: &self.ca,
            seed: keys.node0.as_bytes(),
            reset_key: &keys.quic_reset,
            env: self.hub.env(),
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.listener.as_ref().unwrap().address()
    }

    pub async fn code(&self) -> JoinCode {
        let mut tx = self.hub.begin(Actor::SYSTEM, command::NODES).await.unwrap();
        let made = new_join_code(&mut tx, self.branch, self.ca.fingerprint(), StaffId::NIL)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        made.code
    }

    /// Takes a machine's right to speak away.
    pub async fn revoke(&self, node: NodeId) {
        let mut tx = self.hub.begin(Actor::SYSTEM, command::NODES).await.unwrap();
        tx.fact(Item::NodeRevoked(NodeRevoked {
            node,
            reason: "stolen".to_owned(),
        }));
        tx.commit().await.unwrap();
    }

    /// Joins a fresh directory.
    pub async fn joined(&self) -> TestBranch {
        let branch = TestBranch::new();
        branch
            .join(&self.address().to_string(), &self.code().await)
            .await
            .unwrap();
        branch
    }

    /// How many entries of the node the hub has stored.
    pub async fn stored(&self, node: NodeId) -> u64 {
        self.hub.node(node).await.unwrap().unwrap().tip.seq
    }

    pub async fn stop(mut self) {
        if let Some(listener) = self.listener.take() {
            listener.stop().await;
        }
        if let Some(workers) = self.workers.take() {
            workers.stop().await;
        }
        self.hub.pool().close().await;
    }
}

async fn add_branch(hub: &Arc<Hub>, id: BranchId) {
    let fields = BranchRow {
        code: "BER".to_owned(),
        name: "Berlin".to_owned(),
        region: "north".to_owned(),
        address: String::new(),
        location: None,
        time_zone: "Europe/Berlin".to_owned(),
        currency: Currency::EUR,
        capacity: 0,
        prices_include_tax: true,
        active: true,
        opening_hours: String::new(),
        language: "en".to_owned(),
    };
    let mut tx = hub.begin(Actor::SYSTEM, command::ROWS).await.unwrap();
    tx.fact(Item::Branch(Row {
        id,
        version: 1,
        deleted: false,
        fields,
    }));
    tx.commit().await.unwrap();
}

/// A branch's data directory.
pub struct TestBranch {
    dir: TempDir,
}

impl TestBranch {
    pub fn new() -> Self {
        Self {
            dir: TempDir::new().unwrap(),
        }
    }

    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub fn secret(&self, name: &str) -> PathBuf {
        self.dir().join("secrets").join(name)
    }

    pub async fn join(&self, hub: &str, code: &JoinCode) -> Result<NodeIdentity, JoinError> {
        edge_node::sync::join(hub, code, self.dir(), &edge_node::env::Env::system()).await
    }

    pub fn node(&self) -> NodeId {
        NodeIdentity::read(self.dir()).unwrap().node
    }

    /// Opens the store and keeps the line up, with the system's clock.
    pub fn serve(&self, hub: &str) -> Serving {
        self.serve_with(hub, edge_node::env::Env::system())
    }

    pub fn serve_with(&self, hub: &str, env: edge_node::env::Env) -> Serving {
        let store = Store::open(StoreConfig::of(self.dir()).unwrap()).unwrap();
        let config = SyncConfig {
            dir: self.dir().to_owned(),
            hub: hub.to_owned(),
            env,
        };
        let line = edge_node::sync::start(store.clone(), config).unwrap();
        Serving {
            store,
            line,
            node: self.node(),
        }
    }
}

/// A branch that serves.
pub struct Serving {
    pub store: Store,
    pub line: SyncHandle,
    pub node: NodeId,
}

impl Serving {
    /// Writes a transaction and gives its number.
    pub async fn write(&self, text: &str) -> u64 {
        let note = AuditNote {
            subject: [0; 16],
            text: text.to_owned(),
        };
        self.store
            .write(move |tx| {
                tx.begin(command::SYSTEM, &BranchActor::SYSTEM)?;
                tx.fact(Item::Note(note))?;
                Ok(tx.position().unwrap().seq)
            })
            .await
            .unwrap()
    }

    /// Waits for a state of the line.
    pub async fn becomes(&self, state: LinkState) -> LinkStatus {
        self.shows(|status| status.state == state).await
    }

    pub async fn shows(&self, wanted: impl Fn(&LinkStatus) -> bool) -> LinkStatus {
        let mut status = self.line.watch();
        let reached = timeout(PATIENCE, status.wait_for(|status| wanted(status))).await;
        match reached {
            Ok(Ok(status)) => status.clone(),
            _ => panic!("the line stays {:?}", self.line.status()),
        }
    }

    /// Waits until the hub has stored up to `seq` and the branch knows.
    pub async fn stored(&self, seq: u64) {
        let mut notices = self.store.notices();
        let known = async {
            while self.store.hello("test").await.unwrap().last_ack.seq < seq {
                notices.recv().await.unwrap();
            }
        };
        timeout(PATIENCE, known)
            .await
            .expect("the hub stores what the branch wrote");
    }
}
