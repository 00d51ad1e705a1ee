//! A branch with a catalogue, neighbours and people, as the hub would have sent them.

use domain::branch::Location;
use domain::id::{BranchId, DocumentId, StaffId};
use domain::order::{LineKind, Outcome, Status};
use domain::staff::{CredentialRow, Role, StaffRow};
use domain::stock::MovementKind;
use edge_node::app::intake::{NewVisit, take_in};
use edge_node::app::order::form::{DeviceInput, LineInput, Order, StatusInput};
use edge_node::app::order::{line, status};
use edge_node::app::stock::{self, MovementInput, StockRow};
use edge_node::app::{order, staff};
use edge_node::error::AppError;
use edge_node::store::{Actor, Store, WriteTx, verify};
use sync_protocol::feed::FeedId;
use sync_protocol::item::{Item, Row};
use web_kit::etag::IfMatch;

use crate::support::*;

pub const MUNICH: BranchId = BranchId::from_bytes([0x11; 16]);
pub const POTSDAM: BranchId = BranchId::from_bytes([0x12; 16]);

/// The branch of the tests with three parts, two neighbours and people; the chain feed goes on.
pub fn shop() -> (Branch, Store, HubFeed) {
    let mut branch = Branch::new();
    let store = branch.open();
    let mut chain = HubFeed::new(FeedId::chain());
    let items = vec![
        place(BRANCH, "BER", Some((52.52, 13.405))),
        place(MUNICH, "MUC", Some((48.137, 11.575))),
        place(POTSDAM, "POT", Some((52.39, 13.065))),
        part_item(part(1), "SCR-1", 1),
        part_item(part(2), "BAT-2", 1),
        part_item(part(3), "FAN-3", 1),
        person(1, "ada", Role::BranchManager, vec![BRANCH]),
        person(2, "mia", Role::Clerk, vec![MUNICH]),
        person(3, "gus", Role::Auditor, vec![]),
    ];
    apply(&store, chain.block(&[items]));
    (branch, store, chain)
}

pub fn place(id: BranchId, code: &str, degrees: Option<(f64, f64)>) -> Item {
    let Item::Branch(mut row) = branch_item(id, code, 1) else {
        unreachable!()
    };
    row.fields.location = degrees.and_then(|(north, east)| Location::from_degrees(north, east));
    row.fields.prices_include_tax = true;
    Item::Branch(row)
}

pub fn staff_id(number: u8) -> StaffId {
    StaffId::from_bytes([0x50 + number; 16])
}

pub fn person(number: u8, username: &str, role: Role, branches: Vec<BranchId>) -> Item {
    let fields = StaffRow {
        username: username.to_owned(),
        name: username.to_uppercase(),
        role,
        branches,
        active: true,
    };
    Item::Staff(Row {
        id: staff_id(number),
        version: 1,
        deleted: false,
        fields,
    })
}

pub fn credential(number: u8, password: &str) -> Item {
    let password_hash = staff::hash_password(password, [number; 16]);
    let fields = CredentialRow {
        staff: staff_id(number),
        password_hash,
    };
    Item::Credential(Row {
        id: staff_id(number),
        version: 1,
        deleted: false,
        fields,
    })
}

/// Does a use case as the branch manager.
pub fn act<T: Send + 'static>(
    store: &Store,
    work: impl FnOnce(&mut WriteTx<'_>, &Actor) -> Result<T, AppError> + Send + 'static,
) -> Result<T, AppError> {
    store.write_blocking(move |tx| work(tx, &ACTOR))
}

pub fn device(fault: &str) -> DeviceInput {
    DeviceInput {
        category: "laptop".to_owned(),
        fault: fault.to_owned(),
        ..DeviceInput::default()
    }
}

/// An order of one device, without customer.
pub fn new_visit(store: &Store, fault: &str) -> Order {
    let new = NewVisit {
        devices: vec![device(fault)],
        ..NewVisit::default()
    };
    act(store, |tx, actor| take_in(tx, actor, new))
        .unwrap()
        .items
        .remove(0)
}

pub fn by_hand(
    store: &Store,
    sku: &'static str,
    kind: MovementKind,
    quantity: i64,
) -> Result<i64, AppError> {
    let input = MovementInput {
        kind,
        quantity,
        reason: None,
        reference: None,
    };
    act(store, move |tx, actor| {
        stock::move_by_hand(tx, actor, sku, input)
    })
    .map(|movement| movement.balance_after)
}

pub fn stock_of(store: &Store, sku: &str) -> StockRow {
    store
        .read_blocking(|reader| stock::get(reader, &ACTOR, sku))
        .unwrap()
}

pub fn order_of(store: &Store, id: DocumentId) -> Order {
    store
        .read_blocking(|reader| order::get(reader, &ACTOR, id))
        .unwrap()
}

pub fn part_line(sku: &str, quantity: i64) -> LineInput {
    LineInput {
        kind: LineKind::Part,
        text: None,
        sku: Some(sku.to_owned()),
        quantity,
        unit_price: None,
        tax_rate_bp: None,
    }
}

pub fn add_line(
    store: &Store,
    id: DocumentId,
    input: LineInput,
) -> Result<line::LineAnswer, AppError> {
    act(store, move |tx, actor| {
        line::add(tx, actor, id, &IfMatch::default(), input)
    })
}

pub fn move_to(
    store: &Store,
    id: DocumentId,
    status: Status,
    outcome: Option<Outcome>,
) -> Result<Order, AppError> {
    let input = StatusInput {
        status,
        outcome,
        note: None,
    };
    act(store, move |tx, actor| {
        status::move_to(tx, actor, id, &IfMatch::default(), input)
    })
}

/// The pointers of a refusal.
pub fn pointers(error: &AppError) -> Vec<String> {
    match error {
        AppError::Invalid(problems) => problems
            .iter()
            .map(|problem| problem.pointer.clone())
            .collect(),
        other => panic!("not about fields: {other:?}"),
    }
}

/// The kind and a member of a conflict.
pub fn conflict(error: &AppError, member: &str) -> (&'static str, serde_json::Value) {
    match error {
        AppError::Conflict { kind, extra, .. } => {
            (kind, extra.get(member).cloned().unwrap_or_default())
        }
        other => panic!("not a conflict: {other:?}"),
    }
}

/// Replays log and feeds, which also holds every own change against the hub's table of paths.
pub fn assert_verifies(branch: &Branch, store: Store) {
    drop(store);
    let report = verify(branch.path()).unwrap();
    assert!(report.ok, "{report:?}");
}
