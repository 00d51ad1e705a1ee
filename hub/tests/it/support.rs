//! A hub over a database of its own, and branches that write real logs against it without a network.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use domain::branch::BranchRow;
use domain::document::{DocumentKind, Edit};
use domain::env::{Entropy, SeededEntropy};
use domain::id::{BranchId, DocumentId, EventId, PartId, StaffId, VisitId};
use domain::money::Currency;
use domain::order::{Device, NewOrder, Status, StatusMove, create_order, move_status, read_order};
use domain::sensitive::{PersonKey, Sensitive};
use domain::stock::{Movement, MovementKind};
use ed25519_dalek::SigningKey;
use hub::app::{Actor, Hub, HubOptions, SubmitReply, Workers};
use hub::env::Env;
use hub::keys::Keys;
use sqlx::postgres::PgConnectOptions;
use sync_protocol::block::LogEntry;
use sync_protocol::compress::decompress;
use sync_protocol::document::Document;
use sync_protocol::feed::{FeedBlock, FeedEntry, FeedId};
use sync_protocol::hash::Hash;
use sync_protocol::head::{HeadClaim, SignedHead, StockBalance, stock_digest};
use sync_protocol::hub_session::NodeState;
use sync_protocol::item::{Item, NodeEnrolled, Origin, Row, command};
use sync_protocol::limits::FEED_BLOCK_BYTES_MAX;
use sync_protocol::message::{Ack, Close, Hello, KeyState};
use sync_protocol::position::{Epoch, NodeId, Position, Tip, chain, start_of_branch_line};
use sync_protocol::transaction::{Header, RawItem, Transaction, next_hlc};

use crate::postgres::TestPostgres;

/// Milliseconds since 1970 at which the branches' clocks begin.
pub const START_MS: i64 = 1_760_000_000_000;

/// A hub with its database and its workers.
pub struct World {
    pub hub: Arc<Hub>,
    pub address: String,
    pub entropy: SeededEntropy,
    workers: Option<Workers>,
    secrets: tempfile::TempDir,
}

pub async fn migrated_database() -> String {
    let postgres = TestPostgres::shared().await.unwrap();
    let digest: String = hub::store::MIGRATIONS
        .iter()
        .map(|migration| format!("{:x?}", migration.checksum))
        .collect();
    postgres
        .prepared_database(&format!("hub core {digest}"), async |address: &str| {
            Hub::migrate(&address.parse::<PgConnectOptions>()?).await?;
            Ok(())
        })
        .await
        .unwrap()
}

impl World {
    pub async fn new() -> World {
        Self::with(HubOptions::default()).await
    }

    pub async fn with(options: HubOptions) -> World {
        Self::at(options, Env::system()).await
    }

    /// A world with a clock of its own.
    pub async fn at(options: HubOptions, env: Env) -> World {
        let address = migrated_database().await;
        let secrets = tempfile::tempdir().unwrap();
        let keys = Keys::load_or_create(secrets.path(), &env).unwrap();
        let hub = Hub::open(address.parse().unwrap(), keys, env, options)
            .await
            .unwrap();
        let workers = Some(hub.start());
        World {
            hub,
            address,
            entropy: SeededEntropy::new(7),
            workers,
            secrets,
        }
    }

    /// Another hub process over the same database and secrets.
    pub async fn another_hub(&self) -> (Arc<Hub>, Workers) {
        let hub = open(&self.address, self.secrets.path(), HubOptions::default()).await;
        let workers = hub.start();
        (hub, workers)
    }

    /// Ends the hub and starts another one over the same database.
    pub async fn restart(&mut self) {
        if let Some(workers) = self.workers.take() {
            workers.stop().await;
        }
        self.hub.pool().close().await;
        self.hub = open(&self.address, self.secrets.path(), HubOptions::default()).await;
        self.workers = Some(self.hub.start());
    }

    /// A branch with a machine, admitted.
    pub async fn branch(&mut self, code: &str) -> TestBranch {
        self.branch_of(branch_row(code)).await
    }

    /// The same with other values.
    pub async fn branch_of(&mut self, fields: BranchRow) -> TestBranch {
        let branch = BranchId::from_random(&mut self.entropy);
        let node = NodeId(self.entropy.next_u64() as u32);
        let mut seed = [0; 32];
        self.entropy.fill(&mut seed);
        let key = SigningKey::from_bytes(&seed);
        let mut tx = self.hub.begin(Actor::SYSTEM, command::ROWS).await.unwrap();
        tx.fact(Item::Branch(Row {
            id: branch,
            version: 1,
            deleted: false,
            fields: fields.clone(),
        }));
        let public_key = key.verifying_key().to_bytes();
        tx.fact(Item::NodeEnrolled(NodeEnrolled {
            node,
            branch,
            public_key,
            former: None,
        }));
        tx.commit().await.unwrap();
        let start = Tip::start(start_of_branch_line(node, branch));
        let mut test_branch = TestBranch {
            node,
            branch,
            code: fields.code,
            business_day: 20_000,
            key,
            epoch: Epoch::from_random(self.entropy.next_u64().to_be_bytes()),
            tip: start,
            last_ack: start,
            hlc: (START_MS as u64) << 16,
            session: 0,
            documents: HashMap::new(),
            balances: BTreeMap::new(),
            entropy: SeededEntropy::new(u64::from(node.0)),
        };
        test_branch.hello(&self.hub).await.unwrap();
        test_branch
    }

    /// Waits for a worker's work: until the count is `wanted`, ten seconds at most.
    pub async fn until(&self, query: &'static str, wanted: i64) {
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while self.count(query).await != wanted {
            assert!(
                std::time::Instant::now() < deadline,
                "{query} is not {wanted}"
            );
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }

    /// A count from the hub's database.
    pub async fn count(&self, query: &'static str) -> i64 {
        sqlx::query_scalar(query)
            .fetch_one(self.hub.pool())
            .await
            .unwrap()
    }

    pub async fn execute(&self, query: &'static str) -> u64 {
        sqlx::query(query)
            .execute(self.hub.pool())
            .await
            .unwrap()
            .rows_affected()
    }

    pub async fn verify(&self) -> hub::app::verify::VerifyReport {
        let scratch = TestPostgres::shared()
            .await
            .unwrap()
            .fresh_database()
            .await
            .unwrap();
        self.hub.verify(scratch.parse().unwrap()).await.unwrap()
    }

    /// Verifies and requires that everything follows from the logs.
    pub async fn verified(&self) {
        let report = self.verify().await;
        assert!(report.ok, "{report:#?}");
    }
}

async fn open(address: &str, secrets: &std::path::Path, options: HubOptions) -> Arc<Hub> {
    let env = Env::system();
    let keys = Keys::load_or_create(secrets, &env).unwrap();
    Hub::open(address.parse().unwrap(), keys, env, options)
        .await
        .unwrap()
}

pub fn branch_row(code: &str) -> BranchRow {
    BranchRow {
        code: code.to_owned(),
        name: format!("Branch {code}"),
        region: "north".to_owned(),
        address: String::new(),
        location: domain::branch::Location::from_degrees(52.5, 13.4),
        time_zone: "Europe/Berlin".to_owned(),
        currency: Currency::EUR,
        capacity: 0,
        prices_include_tax: true,
        active: true,
        opening_hours: String::new(),
        language: "en".to_owned(),
    }
}

/// A branch machine as the hub sees it: a log and the documents that it wrote.
pub struct TestBranch {
    pub node: NodeId,
    pub branch: BranchId,
    pub code: String,
    pub key: SigningKey,
    pub epoch: Epoch,
    pub tip: Tip,
    pub last_ack: Tip,
    pub hlc: u64,
    pub business_day: i32,
    pub session: u64,
    pub documents: HashMap<DocumentId, Document>,
    pub balances: BTreeMap<PartId, (i64, u64)>,
    pub entropy: SeededEntropy,
}

impl TestBranch {
    pub fn hello_body(&self) -> Hello {
        Hello {
            current_epoch: self.epoch,
            tip: self.tip,
            last_ack: self.last_ack,
            lineage: Vec::new(),
            cursors: Vec::new(),
            keys: KeyState::default(),
            hlc: self.hlc,
            schema: 1,
            version: "test".to_owned(),
        }
    }

    pub async fn hello(&mut self, hub: &Arc<Hub>) -> Result<NodeState, Close> {
        let state = hub
            .admit(self.node, self.branch, &self.hello_body())
            .await?;
        self.session = state.session;
        Ok(state)
    }

    /// As after a restart of the program.
    pub fn new_epoch(&mut self) {
        self.epoch = Epoch::from_random(self.entropy.next_u64().to_be_bytes());
    }

    /// Appends a transaction to the branch's log.
    pub fn tx(&mut self, items: Vec<Item>) -> LogEntry {
        self.tx_raw(items.iter().map(Item::to_raw).collect())
    }

    pub fn tx_raw(&mut self, items: Vec<RawItem>) -> LogEntry {
        let header = Header {
            flags: 0,
            command: command::ORDER_EDIT,
            hlc: self.hlc,
            staff: StaffId::NIL,
            terminal: 1,
            business_day: self.business_day,
            items: 0,
        };
        self.hlc = next_hlc(self.hlc, START_MS);
        let transaction = Transaction::new(header, items).unwrap();
        let seq = self.tip.seq + 1;
        let hash = chain(&self.tip.hash, self.epoch, seq, &transaction.hash());
        self.tip = Tip {
            epoch: self.epoch,
            seq,
            hash,
        };
        LogEntry {
            position: Position {
                node: self.node,
                epoch: self.epoch,
                seq,
            },
            transaction,
            hash,
        }
    }

    fn next_position(&self) -> Position {
        Position {
            node: self.node,
            epoch: self.epoch,
            seq: self.tip.seq + 1,
        }
    }

    /// A change of a document, applied here.
    pub fn edit(&mut self, document: DocumentId, kind: DocumentKind, edits: &[Edit]) -> Item {
        let origin = Origin {
            actor: self.next_position().actor(),
            seq: 0,
            staff: StaffId::NIL,
            hlc: self.hlc,
        };
        let before = self.documents.get(&document);
        let (after, chunk) = Document::edit(before, document, kind, origin, edits)
            .unwrap()
            .unwrap();
        self.documents.insert(document, after);
        Item::change(document, kind, chunk)
    }

    pub fn new_order(&mut self, customer: Option<DocumentId>) -> (DocumentId, Item) {
        let number = domain::number::order_number(&self.code, &mut self.entropy);
        self.new_order_numbered(number, customer)
    }

    pub fn new_order_numbered(
        &mut self,
        number: String,
        customer: Option<DocumentId>,
    ) -> (DocumentId, Item) {
        let document = DocumentId::from_random(&mut self.entropy);
        let edits = create_order(&NewOrder {
            number,
            branch: self.branch,
            visit: VisitId::from_random(&mut self.entropy),
            customer,
            source: None,
            prices_include_tax: true,
            currency: Currency::EUR,
            device: Device {
                category: "Phone".to_owned(),
                fault: "does not start".to_owned(),
                ..Device::default()
            },
            promised_at_ms: None,
            technician: None,
            urgent: false,
            terms_at_ms: None,
            staff: StaffId::NIL,
            moves: vec![StatusMove {
                id: EventId::from_random(&mut self.entropy),
                to: Status::Received,
                outcome: None,
                at_ms: START_MS,
            }],
        })
        .unwrap();
        let item = self.edit(document, DocumentKind::Order, &edits);
        (document, item)
    }

    pub fn move_order(&mut self, document: DocumentId, to: Status) -> Item {
        let view = read_order(self.documents[&document].automerge()).unwrap();
        let event = EventId::from_random(&mut self.entropy);
        let edits = move_status(&view, to, None, event, StaffId::NIL, START_MS).unwrap();
        self.edit(document, DocumentKind::Order, &edits)
    }

    pub fn new_customer(&mut self, name: &str) -> (DocumentId, PersonKey, Item) {
        let document = DocumentId::from_random(&mut self.entropy);
        let key = PersonKey::from_random(1, &mut self.entropy);
        let values = domain::customer::PersonValues {
            name: Some(Sensitive::new(name.to_owned())),
            ..Default::default()
        };
        let new = domain::customer::NewCustomer {
            home: self.branch,
            values,
            ..Default::default()
        };
        let edits = domain::customer::create_customer(&new, document, &key).unwrap();
        let item = self.edit(document, DocumentKind::Customer, &edits);
        (document, key, item)
    }

    pub fn movement(&mut self, part: PartId, kind: MovementKind, quantity: i64) -> Item {
        self.movement_about(part, kind, quantity, [0; 16], [0; 16], 0)
    }

    pub fn movement_about(
        &mut self,
        part: PartId,
        kind: MovementKind,
        quantity: i64,
        subject: [u8; 16],
        line: [u8; 16],
        number: u16,
    ) -> Item {
        let movement =
            Movement::new(self.branch, part, kind, quantity).about(subject, line, number);
        let balance = self.balances.entry(part).or_default();
        balance.0 += movement.on_hand_delta();
        balance.1 += 1;
        Item::Movement(movement)
    }

    /// Sends entries and waits for the answer.
    pub async fn send(&mut self, hub: &Arc<Hub>, entries: Vec<LogEntry>) -> Ack {
        let ack = self.try_send(hub, entries).await.unwrap();
        self.last_ack = ack.stored;
        ack
    }

    pub async fn try_send(&self, hub: &Arc<Hub>, entries: Vec<LogEntry>) -> SubmitReply {
        hub.submit(self.node, self.session, entries)
            .await
            .await
            .unwrap()
    }

    pub fn signed_head(&self) -> SignedHead {
        let balances = self
            .balances
            .iter()
            .map(|(part, (on_hand, movements))| StockBalance {
                part: *part,
                on_hand: *on_hand,
                movements: *movements,
            })
            .collect();
        SignedHead::sign(
            HeadClaim {
                node: self.node,
                tip: self.tip,
                stock: stock_digest(balances),
            },
            &self.key,
        )
    }

    /// Everything in a feed that the branch may read.
    pub async fn feed(&self, hub: &Arc<Hub>, feed: FeedId) -> Vec<FeedEntry> {
        let mut entries = Vec::new();
        let mut after = 0;
        let mut running: Hash = feed.start();
        loop {
            let blocks = hub
                .read_feed(self.branch, feed, after, 256 * 1024)
                .await
                .unwrap();
            if blocks.is_empty() {
                return entries;
            }
            for block in blocks {
                let read =
                    FeedBlock::decode(&decompress(&block.packed, FEED_BLOCK_BYTES_MAX).unwrap())
                        .unwrap();
                assert_eq!(
                    (read.before, read.first),
                    (running, after + 1),
                    "feed blocks follow each other"
                );
                assert_eq!(read.tip(), block.tip);
                (running, after) = (block.tip.running, block.tip.n);
                entries.extend(read.entries);
            }
        }
    }

    /// The items of its private feed, read.
    pub async fn private_items(&self, hub: &Arc<Hub>) -> Vec<Item> {
        let entries = self.feed(hub, FeedId::private(self.branch)).await;
        let items = entries.into_iter().flat_map(|entry| entry.items);
        items
            .map(|(_, raw)| Item::from_raw(&raw).unwrap().unwrap())
            .collect()
    }
}

pub fn part(number: u8) -> PartId {
    PartId::from_bytes([number; 16])
}
