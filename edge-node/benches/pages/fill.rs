//! A branch that has worked for years, written through the real store: use cases and rules where they are quick
//! enough, else the same items in the same transactions, in bulk. `verify` passes over it, which is checked.
//!
//! Devices and faults come from published repair records and part lists where they are there; persons are generated
//! and say so.

use std::path::{Path, PathBuf};
use std::time::Instant;

use domain::branch::{BranchRow, Location};
use domain::document::DocumentKind;
use domain::id::{BranchId, DocumentId, EventId, LineId, PartId, StaffId, TransferId, VisitId};
use domain::money::Currency;
use domain::number::order_number;
use domain::order::{
    Device, LineInput, LineKind, NewOrder, Outcome, Status, StatusMove, add_line, add_note,
    create_order, read_order,
};
use domain::part::PartRow;
use domain::preset::PresetRow;
use domain::staff::{CredentialRow, Role, StaffRow};
use domain::stock::{Movement, MovementKind};
use domain::transfer::{Plan, PlanState, Shipment, TransferLine};
use edge_node::app::customer::{self, CustomerInput};
use edge_node::app::order::{form, line};
use edge_node::app::staff::hash_password;
use edge_node::app::stock::{self, StockSettings};
use edge_node::app::transfer;
use edge_node::env::Env;
use edge_node::error::AppError;
use edge_node::identity::NodeIdentity;
use edge_node::store::{Actor, Faults, Store, StoreConfig, WriteTx, verify};
use sync_protocol::feed::FeedId;
use sync_protocol::item::{Item, Row, command};
use sync_protocol::position::NodeId;
use web_kit::etag::IfMatch;
use web_kit::wire::Personal;

use crate::Size;
use crate::dice::Dice;
use crate::hub::{HubFeed, write_credentials};

/// Who signs in while it is measured.
pub const USER: &str = "bea";
pub const PASSWORD: &str = "counterpart-bench-2026";

const BRANCH: BranchId = BranchId::from_bytes([7; 16]);
const MANAGER: StaffId = StaffId::from_bytes([9; 16]);
const TECHNICIANS: [StaffId; 3] = [
    StaffId::from_bytes([0x31; 16]),
    StaffId::from_bytes([0x32; 16]),
    StaffId::from_bytes([0x33; 16]),
];
const ACTOR: Actor = Actor {
    staff: MANAGER,
    role: Role::BranchManager,
    terminal: 1,
};
const DAY_MS: i64 = 86_400_000;
/// Of a hundred orders so many are open.
const OPEN_PERCENT: usize = 2;
const ORDERS_AT_ONCE: usize = 150;
const CUSTOMERS_AT_ONCE: usize = 200;
const MOVEMENTS_AT_ONCE: usize = 500;
const ROWS_AT_ONCE: usize = 200;

const FIRST: [&str; 16] = [
    "Anna", "Ben", "Çağla", "David", "Elif", "Finn", "Grażyna", "Hannah", "Ivo", "Jürgen", "Klara",
    "Łukasz", "Maja", "Noël", "Olga", "Søren",
];
const LAST: [&str; 14] = [
    "Albrecht",
    "Baumann",
    "Çelik",
    "Dąbrowski",
    "Eriksen",
    "Fischer",
    "Großmann",
    "Huber",
    "Ivanova",
    "Jansen",
    "Krüger",
    "Lindström",
    "Müller",
    "Nguyen",
];
const FAULTS: [&str; 5] = [
    "does not start",
    "battery lasts an hour",
    "screen is cracked",
    "Lüfter laut und heiß",
    "no sound on the left",
];

/// The files that it is made from, by name and size.
pub fn records_by_size(records: &Path) -> Vec<(String, u64)> {
    let mut found: Vec<(String, u64)> = ["repairs", "parts"]
        .iter()
        .flat_map(|folder| files(&records.join(folder)))
        .map(|path| {
            (
                path.display().to_string(),
                std::fs::metadata(&path).map_or(0, |meta| meta.len()),
            )
        })
        .collect();
    found.sort();
    found
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|ext| ext == "csv"));
    files.sort();
    files
}

struct Record {
    category: String,
    brand: String,
    problem: String,
}

/// Devices and faults of published records; generated ones where there are none.
fn records(folder: &Path) -> Vec<Record> {
    let mut records = Vec::new();
    for path in files(&folder.join("repairs")) {
        let mut reader = csv::ReaderBuilder::new()
            .flexible(true)
            .from_path(path)
            .unwrap();
        let headers = reader.headers().unwrap().clone();
        let place = |name: &str| headers.iter().position(|header| header == name);
        let (category, brand, problem) =
            (place("product_category"), place("brand"), place("problem"));
        for row in reader.records().flatten() {
            let text = |at: Option<usize>, max: usize| {
                let text = at.and_then(|at| row.get(at)).unwrap_or_default();
                let line: String = text
                    .chars()
                    .map(|c| if c.is_control() { ' ' } else { c })
                    .take(max)
                    .collect();
                line.trim().to_owned()
            };
            records.push(Record {
                category: text(category, 60),
                brand: text(brand, 60),
                problem: text(problem, 400),
            });
        }
    }
    if records.is_empty() {
        for number in 0..1_000 {
            records.push(Record {
                category: ["Laptop", "Mobile", "Tablet"][number % 3].to_owned(),
                brand: ["Lenovo", "HP", "Dell", "Apple"][number % 4].to_owned(),
                problem: FAULTS[number % FAULTS.len()].to_owned(),
            });
        }
    }
    records
}

fn parts(folder: &Path, count: usize) -> Vec<(String, String, i64)> {
    let mut parts = Vec::new();
    let files = files(&folder.join("parts"));
    let share = count.div_ceil(files.len().max(1));
    for path in files {
        let category = path.file_stem().unwrap().to_string_lossy().into_owned();
        let mut reader = csv::ReaderBuilder::new()
            .flexible(true)
            .from_path(path)
            .unwrap();
        for row in reader.records().flatten().take(share) {
            let name: String = row.get(0).unwrap_or_default().chars().take(60).collect();
            let price: f64 = row
                .get(1)
                .and_then(|price| price.parse().ok())
                .unwrap_or(49.9);
            parts.push((
                category.clone(),
                name.trim().to_owned(),
                (price * 100.0) as i64,
            ));
        }
    }
    while parts.len() < count {
        let number = parts.len();
        parts.push((
            "generated".to_owned(),
            format!("Part {number} (generated)"),
            990 + number as i64,
        ));
    }
    parts.truncate(count);
    parts
}

struct Filler {
    store: Store,
    dice: Dice,
    now_ms: i64,
    parts: Vec<PartId>,
    customers: Vec<DocumentId>,
    /// What the hub sends to this branch alone.
    private: HubFeed,
}

/// Fills a new data directory.
pub fn branch(dir: &Path, folder: &Path, size: Size) {
    let identity = NodeIdentity {
        node: NodeId(0x2a),
        branch: BRANCH,
        code: "BEN".to_owned(),
        name: "Bench (generated)".to_owned(),
        time_zone: "Europe/Berlin".to_owned(),
        region: "north".to_owned(),
        hub: "127.0.0.1:9".to_owned(),
    };
    std::fs::create_dir_all(dir).unwrap();
    identity.write(dir).unwrap();
    write_credentials(dir, &identity);
    let store = Store::open(StoreConfig {
        dir: dir.to_owned(),
        identity,
        env: Env::system(),
        faults: Faults::default(),
    })
    .unwrap();
    let mut filler = Filler {
        now_ms: store.env().now_ms(),
        store,
        dice: Dice::new(0xBE7C),
        parts: Vec::new(),
        customers: Vec::new(),
        private: HubFeed::new(FeedId::private(BRANCH)),
    };
    let step = |what: &str, begun: Instant| {
        eprintln!("pages: {what} in {:.1} s", begun.elapsed().as_secs_f64())
    };
    let begun = Instant::now();
    filler.rows(&parts(folder, size.parts));
    step("catalogue and people", begun);
    let begun = Instant::now();
    filler.customers(size.customers);
    step("customers", begun);
    let begun = Instant::now();
    filler.movements(size.movements);
    step("movements", begun);
    let begun = Instant::now();
    filler.transfers(size.transfers);
    step("transfers", begun);
    let begun = Instant::now();
    filler.orders(&records(folder), size.orders);
    step("orders", begun);
    let begun = Instant::now();
    drop(filler);
    let report = verify(dir).unwrap();
    assert!(report.ok, "{:?}", report.differences);
    step("verified", begun);
}

fn row<Id, Fields>(id: Id, fields: Fields) -> Row<Id, Fields> {
    Row {
        id,
        version: 1,
        deleted: false,
        fields,
    }
}

fn place(id: BranchId, code: &str, north: f64, east: f64) -> Item {
    let fields = BranchRow {
        code: code.to_owned(),
        name: format!("Branch {code} (generated)"),
        region: "north".to_owned(),
        address: String::new(),
        location: Location::from_degrees(north, east),
        time_zone: "Europe/Berlin".to_owned(),
        currency: Currency::EUR,
        capacity: 40,
        prices_include_tax: true,
        active: true,
        opening_hours: String::new(),
        language: "en".to_owned(),
    };
    Item::Branch(row(id, fields))
}

fn person(id: StaffId, username: &str, name: &str, role: Role) -> Item {
    let fields = StaffRow {
        username: username.to_owned(),
        name: name.to_owned(),
        role,
        branches: vec![BRANCH],
        active: true,
    };
    Item::Staff(row(id, fields))
}

impl Filler {
    fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut WriteTx<'_>) -> Result<T, AppError> + Send + 'static,
    ) -> T {
        self.store.write_blocking(work).unwrap()
    }

    /// Branches, people, parts and presets, as the hub would have sent them.
    fn rows(&mut self, parts: &[(String, String, i64)]) {
        let mut chain = HubFeed::new(FeedId::chain());
        let mut items = vec![place(BRANCH, "BEN", 52.52, 13.405)];
        for number in 0..8_u8 {
            let id = BranchId::from_bytes([0x60 + number; 16]);
            items.push(place(
                id,
                &format!("NB{number}"),
                48.0 + f64::from(number),
                11.5,
            ));
        }
        items.push(person(
            MANAGER,
            USER,
            "Bea Bench (generated)",
            Role::BranchManager,
        ));
        for (number, id) in TECHNICIANS.into_iter().enumerate() {
            items.push(person(
                id,
                &format!("tech{number}"),
                &format!("Theo {number} (generated)"),
                Role::Technician,
            ));
        }
        for (number, fault) in FAULTS.into_iter().enumerate() {
            let fields = PresetRow {
                category: ["Laptop", "Mobile", ""][number % 3].to_owned(),
                fault: fault.to_owned(),
                service: format!("Service for: {fault}"),
                price_minor: 4_900 + 1_000 * number as i64,
                currency: Currency::EUR,
                tax_bp: 1_900,
                minutes: 45,
                active: true,
            };
            items.push(Item::Preset(row(
                domain::id::PresetId::from_bytes(self.dice.id()),
                fields,
            )));
        }
        chain.publish(&self.store, &items, self.now_ms);
        let mut items = Vec::new();
        for (number, (category, name, price_minor)) in parts.iter().enumerate() {
            let id = PartId::from_bytes(self.dice.id());
            let short: String = category
                .chars()
                .filter(|c| c.is_ascii_alphabetic())
                .take(3)
                .collect();
            let fields = PartRow {
                sku: format!("{}-{number:05}", short.to_uppercase()),
                name: name.clone(),
                category: category.clone(),
                price_minor: *price_minor,
                currency: Currency::EUR,
                tax_bp: 1_900,
                barcodes: vec![format!("40{number:011}")],
                active: true,
            };
            self.parts.push(id);
            items.push(Item::Part(row(id, fields)));
        }
        for items in items.chunks(ROWS_AT_ONCE) {
            chain.publish(&self.store, items, self.now_ms);
        }
        let credential = CredentialRow {
            staff: MANAGER,
            password_hash: hash_password(PASSWORD, [1; 16]),
        };
        self.private.publish(
            &self.store,
            &[Item::Credential(row(MANAGER, credential))],
            self.now_ms,
        );
    }

    fn customers(&mut self, count: usize) {
        let mut left = count;
        while left > 0 {
            let now = left.min(CUSTOMERS_AT_ONCE);
            left -= now;
            let inputs: Vec<CustomerInput> = (0..now)
                .map(|_| {
                    let number = self.dice.below(10_000_000);
                    let name = format!(
                        "{} {} (generated)",
                        self.dice.pick(&FIRST),
                        self.dice.pick(&LAST)
                    );
                    CustomerInput {
                        name: Personal::new(name),
                        phone: Some(Personal::new(format!("+49 30 555 {number:07}"))),
                        email: Some(Personal::new(format!("person{number}@example.com"))),
                        language: Some("de".to_owned()),
                        ..CustomerInput::default()
                    }
                })
                .collect();
            let ids = self.write(move |tx| {
                tx.begin(command::CUSTOMER, &ACTOR)?;
                let mut ids = Vec::new();
                for input in inputs {
                    ids.push(customer::create(tx, &ACTOR, input)?.id);
                }
                Ok(ids)
            });
            self.customers.extend(ids);
        }
    }

    /// Opening stock of every part, then years of receiving, using up and correcting; a few parts move most.
    fn movements(&mut self, count: usize) {
        let mut on_hand = vec![0_i64; self.parts.len()];
        let mut left = count;
        let mut next = 0;
        while left > 0 {
            let now = left.min(MOVEMENTS_AT_ONCE);
            left -= now;
            let mut movements = Vec::with_capacity(now);
            for _ in 0..now {
                let (at, kind, quantity) = if next < self.parts.len() {
                    next += 1;
                    (
                        next - 1,
                        MovementKind::Opening,
                        1 + self.dice.below(12) as i64,
                    )
                } else {
                    let wide = self.dice.below(self.parts.len());
                    let at = if self.dice.below(4) == 0 {
                        wide
                    } else {
                        wide % (self.parts.len() / 10).max(1)
                    };
                    let kind = match self.dice.below(20) {
                        0 => MovementKind::AdjustFound,
                        1 => MovementKind::AdjustLost,
                        2..=10 => MovementKind::Scrap,
                        _ => MovementKind::Receive,
                    };
                    (at, kind, 1 + self.dice.below(3) as i64)
                };
                let mut movement = Movement::new(BRANCH, self.parts[at], kind, quantity);
                if on_hand[at] + movement.on_hand_delta() < 0 {
                    movement =
                        Movement::new(BRANCH, self.parts[at], MovementKind::Receive, quantity);
                }
                on_hand[at] += movement.on_hand_delta();
                movement.text = "generated".to_owned();
                movements.push(movement);
            }
            self.write(move |tx| {
                tx.begin(command::STOCK, &ACTOR)?;
                for movement in movements {
                    tx.fact(Item::Movement(movement))?;
                }
                Ok(())
            });
        }
        self.settings();
    }

    /// Every tenth part has a bin and is ordered again in time.
    fn settings(&mut self) {
        let skus: Vec<String> = self
            .store
            .read_blocking(|reader| {
                let wanted = self.parts.iter().step_by(10);
                wanted
                    .map(|id| Ok(edge_node::store::catalogue::part(reader, *id)?.unwrap().sku))
                    .collect::<Result<_, AppError>>()
            })
            .unwrap();
        for skus in skus.chunks(100) {
            let skus = skus.to_vec();
            self.write(move |tx| {
                for (number, sku) in skus.iter().enumerate() {
                    let input = StockSettings {
                        bin: domain::patch::Patch::Set(format!("A{}-{number:02}", number % 9)),
                        reorder_point: domain::patch::Patch::Set(4),
                        ..StockSettings::default()
                    };
                    stock::set(tx, &ACTOR, sku, &IfMatch::default(), input)?;
                }
                Ok(())
            });
        }
    }

    /// Goods on the roads between this branch and its neighbours; most came years ago.
    fn transfers(&mut self, count: usize) {
        for number in 0..count {
            let id = TransferId::from_bytes(self.dice.id());
            let neighbour = BranchId::from_bytes([0x60 + (number % 8) as u8; 16]);
            let lines: Vec<TransferLine> = (0..1 + self.dice.below(4))
                .map(|step| TransferLine {
                    // Each a part of its own: a transfer names a part once.
                    part: self.parts[(number * 7 + step * 13) % self.parts.len()],
                    quantity: 1 + self.dice.below(3) as u32,
                })
                .collect();
            // Of twenty: one to send, one on its way here, two planned, one lacks a piece, the others are done.
            let is_out = number % 20 == 0;
            let (from, to) = if is_out {
                (BRANCH, neighbour)
            } else {
                (neighbour, BRANCH)
            };
            let plan = Plan {
                id,
                from,
                to,
                lines: lines.clone(),
                version: 1,
                state: PlanState::Approved,
                reason: String::new(),
            };
            let mut items = vec![Item::Plan(plan)];
            if !is_out && number % 20 > 2 {
                items.push(Item::Shipment(Shipment {
                    transfer: id,
                    lines,
                }));
            }
            self.private.publish(&self.store, &items, self.now_ms);
            if number % 20 > 3 {
                self.take_in(id, number % 20 == 4);
            }
        }
    }

    /// Everything arrived, or all but one piece.
    fn take_in(&self, id: TransferId, is_short: bool) {
        self.write(move |tx| {
            let lines = is_short
                .then(|| {
                    let shown = transfer::get(&tx.reader(), &ACTOR, id)?;
                    let arrived = shown.lines.iter().enumerate().map(|(at, line)| {
                        let missing = i64::from(at == 0);
                        transfer::ArrivalInput {
                            sku: line.sku.clone(),
                            quantity: line.quantity - missing,
                            damaged: 0,
                            missing,
                        }
                    });
                    Ok::<_, AppError>(arrived.collect())
                })
                .transpose()?;
            transfer::receive(tx, &ACTOR, id, transfer::ReceiveInput { lines })
        });
    }

    fn orders(&mut self, records: &[Record], count: usize) {
        let mut number = 0;
        while number < count {
            let mut batch = Vec::new();
            while number < count && batch.len() < ORDERS_AT_ONCE {
                batch.push(self.order(records, number, count));
                number += 1;
            }
            let now_ms = self.now_ms;
            let seed = self.dice.next();
            let open = self.write(move |tx| {
                tx.begin(command::INTAKE, &ACTOR)?;
                let mut dice = Dice::new(seed);
                let mut open = Vec::new();
                for new in batch {
                    let id = DocumentId::from_bytes(dice.id());
                    let status = new.moves.last().unwrap().to;
                    tx.edit_document(id, DocumentKind::Order, &create_order(&new)?)?;
                    // A service and a note for one in three: the others are old and bare.
                    if dice.below(3) == 0 || status != Status::Collected {
                        add_work(tx, &mut dice, id, now_ms)?;
                    }
                    if matches!(status, Status::InRepair | Status::AwaitingParts) {
                        open.push(id);
                    }
                }
                Ok(open)
            });
            self.reserve(open);
        }
    }

    /// Orders in repair hold a part, by the use case that people use.
    fn reserve(&mut self, open: Vec<DocumentId>) {
        for id in open {
            let part = self.parts[self.dice.below(self.parts.len())];
            let reserved = self.store.write_blocking(move |tx| {
                let sku = edge_node::store::catalogue::part(&tx.reader(), part)?
                    .unwrap()
                    .sku;
                let input = form::LineInput {
                    kind: LineKind::Part,
                    text: None,
                    sku: Some(sku),
                    quantity: 1,
                    unit_price: None,
                    tax_rate_bp: None,
                };
                line::add(tx, &ACTOR, id, &IfMatch::default(), input)
            });
            assert!(
                matches!(reserved, Ok(_) | Err(AppError::Conflict { .. })),
                "{reserved:?}"
            );
        }
    }

    fn order(&mut self, records: &[Record], number: usize, count: usize) -> NewOrder {
        let record = &records[self.dice.below(records.len())];
        let is_open = self.dice.below(100) < OPEN_PERCENT;
        // The newest ones are the open ones, as in a shop.
        let is_open = is_open && number * 2 > count;
        let age_ms = if is_open {
            self.dice.below(14 * DAY_MS as usize) as i64
        } else {
            DAY_MS * (1 + 1_500 * (count - number) as i64 / count as i64)
        };
        let at_ms = self.now_ms - age_ms;
        let road: &[Status] = if is_open {
            use Status::{AwaitingApproval, AwaitingParts, Diagnosing, InRepair, Ready, Received};
            let roads: [&[Status]; 6] = [
                &[Received],
                &[Received, Diagnosing],
                &[Received, Diagnosing, AwaitingApproval],
                &[Received, Diagnosing, AwaitingParts],
                &[Received, InRepair],
                &[Received, InRepair, Ready],
            ];
            self.dice.pick(&roads)
        } else {
            &[
                Status::Received,
                Status::InRepair,
                Status::Ready,
                Status::Collected,
            ]
        };
        let moves = (0..).zip(road).map(|(step, to)| StatusMove {
            id: EventId::from_bytes(self.dice.id()),
            to: *to,
            outcome: (*to == Status::Ready).then_some(Outcome::Repaired),
            at_ms: at_ms + step * 3_600_000,
        });
        let moves: Vec<StatusMove> = moves.collect();
        let customer = self.customers[self.dice.below(self.customers.len())];
        NewOrder {
            number: order_number("BEN", &mut Numbers(&mut self.dice)),
            branch: BRANCH,
            visit: VisitId::from_bytes(self.dice.id()),
            customer: Some(customer),
            source: None,
            prices_include_tax: true,
            currency: Currency::EUR,
            device: Device {
                category: record.category.clone(),
                brand: record.brand.clone(),
                model: format!("Model {}", self.dice.below(400)),
                serial: format!("GEN{number:08}"),
                fault: record.problem.clone(),
                ..Device::default()
            },
            promised_at_ms: is_open.then(|| at_ms + (1 + self.dice.below(7)) as i64 * DAY_MS),
            technician: is_open.then(|| self.dice.pick(&TECHNICIANS)),
            urgent: self.dice.below(12) == 0,
            terms_at_ms: Some(at_ms),
            staff: MANAGER,
            moves,
        }
    }
}

fn add_work(
    tx: &mut WriteTx<'_>,
    dice: &mut Dice,
    id: DocumentId,
    now_ms: i64,
) -> Result<(), AppError> {
    let document = tx.document(id)?.unwrap();
    let view = read_order(document.automerge())?;
    let service = LineInput {
        id: LineId::from_bytes(dice.id()),
        kind: LineKind::Service,
        text: "Labour (generated)".to_owned(),
        sku: None,
        part: None,
        quantity: 1,
        unit_minor: 2_900 + 500 * dice.below(8) as i64,
        tax_bp: 1_900,
    };
    let mut edits = add_line(&view, &service)?;
    let note = EventId::from_bytes(dice.id());
    edits.extend(add_note(
        &view,
        note,
        "This order is generated.",
        MANAGER,
        now_ms,
    )?);
    tx.edit_document(id, DocumentKind::Order, &edits).map(drop)
}

/// Order numbers draw from the same source as everything else.
struct Numbers<'a>(&'a mut Dice);

impl domain::env::Entropy for Numbers<'_> {
    fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            *byte = self.0.next() as u8;
        }
    }
}
