//! A branch in a temporary directory, and what a hub would send it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use domain::branch::BranchRow;
use domain::customer::{NewCustomer, PersonValues, create_customer};
use domain::document::{DocumentKind, Edit};
use domain::env::{Clock, SeededEntropy};
use domain::id::{BranchId, DocumentId, EventId, LineId, PartId, StaffId, VisitId};
use domain::money::Currency;
use domain::number::order_number;
use domain::order::{Device, NewOrder, Status, StatusMove, add_note, create_order, read_order};
use domain::part::PartRow;
use domain::sensitive::Sensitive;
use domain::staff::Role;
use domain::stock::{Movement, MovementKind};
use edge_node::env::Env;
use edge_node::error::AppError;
use edge_node::identity::NodeIdentity;
use edge_node::store::{Actor, Faults, Store, StoreConfig, WriteTx, customer};
use sync_protocol::feed::{FeedBlock, FeedEntry, FeedId, FeedTip};
use sync_protocol::item::{Item, Release, Reserve, Row, command};
use sync_protocol::position::{Epoch, NodeId, Position};
use sync_protocol::transaction::Header;
use tempfile::TempDir;

pub const BRANCH: BranchId = BranchId::from_bytes([7; 16]);
pub const ACTOR: Actor = Actor {
    staff: StaffId::from_bytes([9; 16]),
    role: Role::BranchManager,
    terminal: 3,
};
/// 2026-11-21 10:00 UTC.
pub const NOW_MS: i64 = 1_795_255_200_000;

/// A clock that moves a millisecond each time somebody looks.
pub struct StepClock(AtomicI64);

impl Clock for StepClock {
    fn now_ms(&self) -> i64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

/// A data directory and what opens it.
pub struct Branch {
    pub dir: TempDir,
    pub faults: Faults,
    seed: u64,
}

impl Branch {
    pub fn new() -> Self {
        let dir = TempDir::new().unwrap();
        identity().write(dir.path()).unwrap();
        Self {
            dir,
            faults: Faults::default(),
            seed: 1,
        }
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn database(&self) -> std::path::PathBuf {
        self.path().join("counterpart.db")
    }

    /// Opens the store as a new process would: other randomness, the clock an hour on.
    pub fn open(&mut self) -> Store {
        self.try_open().unwrap()
    }

    pub fn try_open(&mut self) -> Result<Store, edge_node::error::StoreError> {
        self.seed += 1;
        let clock = StepClock(AtomicI64::new(NOW_MS + (self.seed as i64) * 3_600_000));
        Store::open(StoreConfig {
            dir: self.path().to_owned(),
            identity: identity(),
            env: Env::new(clock, SeededEntropy::new(self.seed)),
            faults: self.faults.clone(),
        })
    }

    /// Runs SQL as a tester with `sqlite3` would.
    pub fn tamper(&self, sql: &str) {
        let conn = rusqlite::Connection::open(self.database()).unwrap();
        let changed = conn.execute(sql, []).unwrap();
        assert!(changed > 0, "nothing changed: {sql}");
    }
}

pub fn identity() -> NodeIdentity {
    NodeIdentity {
        node: NodeId(0x2a),
        branch: BRANCH,
        code: "BER".to_owned(),
        name: "Berlin".to_owned(),
        time_zone: "Europe/Berlin".to_owned(),
        region: "north".to_owned(),
        hub: "127.0.0.1:4433".to_owned(),
    }
}

/// Takes an order in, without customer.
pub fn new_order(tx: &mut WriteTx<'_>, fault: &str) -> Result<DocumentId, AppError> {
    tx.begin(command::INTAKE, &ACTOR)?;
    let id = DocumentId::from_random(&mut tx.random());
    let new = NewOrder {
        number: order_number("BER", &mut tx.random()),
        branch: BRANCH,
        visit: VisitId::from_random(&mut tx.random()),
        customer: None,
        source: None,
        prices_include_tax: true,
        currency: Currency::EUR,
        device: Device {
            fault: fault.to_owned(),
            serial: "SN-123".to_owned(),
            ..Device::default()
        },
        promised_at_ms: None,
        technician: None,
        urgent: false,
        terms_at_ms: None,
        staff: ACTOR.staff,
        moves: vec![StatusMove {
            id: EventId::from_random(&mut tx.random()),
            to: Status::Received,
            outcome: None,
            at_ms: NOW_MS,
        }],
    };
    tx.edit_document(id, DocumentKind::Order, &create_order(&new)?)?;
    Ok(id)
}

pub fn write_order(store: &Store, fault: &str) -> DocumentId {
    let fault = fault.to_owned();
    store
        .write_blocking(move |tx| new_order(tx, &fault))
        .unwrap()
}

pub fn write_note(store: &Store, order: DocumentId, text: &str) -> Result<(), AppError> {
    let text = text.to_owned();
    store.write_blocking(move |tx| {
        let document = tx
            .document(order)?
            .ok_or(AppError::NotFound { what: "order" })?;
        let view = read_order(document.automerge())?;
        tx.begin(command::ORDER_NOTE, &ACTOR)?;
        let note = EventId::from_random(&mut tx.random());
        let edits: Vec<Edit> = add_note(&view, note, &text, ACTOR.staff, tx.now_ms())?;
        tx.edit_document(order, DocumentKind::Order, &edits)?;
        Ok(())
    })
}

pub fn write_customer(store: &Store, name: &str, phone: &str, email: &str) -> DocumentId {
    let text = |value: &str| Some(Sensitive::new(value.to_owned()));
    let values = PersonValues {
        name: text(name),
        phone: text(phone),
        email: text(email),
        ..PersonValues::default()
    };
    store
        .write_blocking(move |tx| {
            tx.begin(command::CUSTOMER, &ACTOR)?;
            let id = DocumentId::from_random(&mut tx.random());
            let key = customer::new_key(tx, id)?;
            let new = NewCustomer {
                home: BRANCH,
                language: None,
                consent: BTreeMap::new(),
                values,
            };
            let edits =
                create_customer(&new, id, &key).map_err(|error| AppError::field("", error))?;
            tx.edit_document(id, DocumentKind::Customer, &edits)?;
            Ok(id)
        })
        .unwrap()
}

pub fn part(number: u8) -> PartId {
    PartId::from_bytes([number; 16])
}

/// Moves stock without asking whether it is free.
pub fn write_movement(store: &Store, movement: Movement) -> [u8; 16] {
    store
        .write_blocking(move |tx| {
            tx.begin(command::STOCK, &ACTOR)?;
            tx.fact(Item::Movement(movement))
        })
        .unwrap()
}

pub fn receive(store: &Store, part: PartId, quantity: i64) {
    write_movement(
        store,
        Movement::new(BRANCH, part, MovementKind::Receive, quantity),
    );
}

pub fn write_reserve(store: &Store, part: PartId, quantity: u32) -> LineId {
    store
        .write_blocking(move |tx| {
            tx.begin(command::ORDER_LINE, &ACTOR)?;
            let id = LineId::from_random(&mut tx.random());
            tx.fact(Item::Reserve(Reserve { id, part, quantity }))?;
            Ok(id)
        })
        .unwrap()
}

pub fn write_release(store: &Store, line: LineId) {
    store
        .write_blocking(move |tx| {
            tx.begin(command::ORDER_LINE, &ACTOR)?;
            tx.fact(Item::Release(Release { reservation: line }))
        })
        .unwrap();
}

/// A hub that publishes to one feed.
pub struct HubFeed {
    pub feed: FeedId,
    pub tip: FeedTip,
    pub position: Position,
}

impl HubFeed {
    pub fn new(feed: FeedId) -> Self {
        let position = Position {
            node: NodeId::HUB,
            epoch: Epoch(99),
            seq: 0,
        };
        Self {
            feed,
            tip: FeedTip {
                n: 0,
                running: feed.start(),
            },
            position,
        }
    }

    /// Publishes transactions of these items in one block.
    pub fn block(&mut self, transactions: &[Vec<Item>]) -> FeedBlock {
        let (first, before) = (self.tip.n + 1, self.tip.running);
        let mut entries = Vec::new();
        for items in transactions {
            self.position.seq += 1;
            let header = Header {
                flags: 0,
                command: command::ROWS,
                hlc: ((NOW_MS as u64) << 16) + self.position.seq,
                staff: StaffId::NIL,
                terminal: 0,
                business_day: 20_000,
                items: items.len() as u16,
            };
            let items = (0..).zip(items.iter().map(Item::to_raw)).collect();
            let entry = FeedEntry {
                origin: self.position,
                header,
                items,
            };
            self.tip.n += 1;
            self.tip.running = entry.running(&self.tip.running, self.tip.n);
            entries.push(entry);
        }
        FeedBlock {
            feed: self.feed,
            first,
            before,
            entries,
        }
    }
}

pub fn part_item(id: PartId, sku: &str, version: u64) -> Item {
    let fields = PartRow {
        sku: sku.to_owned(),
        name: format!("Part {sku}"),
        category: String::new(),
        price_minor: 4_990,
        currency: Currency::EUR,
        tax_bp: 1_900,
        barcodes: vec![format!("40{sku}")],
        active: true,
    };
    Item::Part(Row {
        id,
        version,
        deleted: false,
        fields,
    })
}

pub fn branch_item(id: BranchId, code: &str, version: u64) -> Item {
    let fields = BranchRow {
        code: code.to_owned(),
        name: format!("Branch {code}"),
        region: "north".to_owned(),
        address: String::new(),
        location: None,
        time_zone: "Europe/Berlin".to_owned(),
        currency: Currency::EUR,
        capacity: 0,
        prices_include_tax: false,
        active: true,
        opening_hours: String::new(),
        language: "en".to_owned(),
    };
    Item::Branch(Row {
        id,
        version,
        deleted: false,
        fields,
    })
}

/// Runs a future on a runtime of its own.
pub fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

pub fn apply(store: &Store, block: FeedBlock) -> sync_protocol::feed::Cursor {
    block_on(store.apply_feed_block(block, None)).unwrap()
}

/// Faults that ask a switch.
pub fn faults(switch: &Arc<std::sync::Mutex<edge_node::store::CommitFault>>) -> Faults {
    let switch = switch.clone();
    Faults {
        at_commit: Some(Arc::new(move || *switch.lock().unwrap())),
    }
}
