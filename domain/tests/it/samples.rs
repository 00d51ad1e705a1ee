//! Orders, people and changes to test with.

use automerge::Automerge;
use domain::document::policy::{PolicyError, Writer, check_change};
use domain::document::{DocumentKind, Edit, apply_edits};
use domain::env::SeededEntropy;
use domain::id::{BranchId, EventId, StaffId, VisitId};
use domain::number::order_number;
use domain::order::{Device, NewOrder, OrderView, Status, StatusMove, create_order, read_order};

pub const AT_MS: i64 = 1_790_000_000_000;

pub fn new_order(seed: u64) -> NewOrder {
    let mut entropy = SeededEntropy::new(seed);
    let accessory = EventId::from_random(&mut entropy);
    NewOrder {
        number: order_number("BER", &mut entropy),
        branch: BranchId::from_random(&mut entropy),
        visit: VisitId::from_random(&mut entropy),
        customer: None,
        source: Some("ords/restart/4711".to_owned()),
        prices_include_tax: true,
        currency: "EUR".parse().unwrap(),
        device: Device {
            category: "Kettle".to_owned(),
            brand: "Zoë & Söhne".to_owned(),
            model: "K 2".to_owned(),
            serial: "SN-1".to_owned(),
            fault: "leaks\nand hums".to_owned(),
            accessories: [(accessory.to_string(), "cable".to_owned())].into(),
            condition: [("lid".to_owned(), "scratched".to_owned())].into(),
        },
        promised_at_ms: Some(AT_MS + 86_400_000),
        technician: None,
        urgent: true,
        terms_at_ms: Some(AT_MS),
        staff: StaffId::from_random(&mut entropy),
        moves: vec![StatusMove {
            id: EventId::from_random(&mut entropy),
            to: Status::Received,
            outcome: None,
            at_ms: AT_MS,
        }],
    }
}

pub fn created(seed: u64) -> Automerge {
    let edits = create_order(&new_order(seed)).unwrap();
    check_change(DocumentKind::Order, Writer::Home, true, &edits).unwrap();
    apply_edits(None, b"actor-000001", &edits)
        .unwrap()
        .unwrap()
        .document
}

/// Applies edits as the home branch, after the policy took them.
pub fn apply(document: &Automerge, actor: &[u8], edits: &[Edit]) -> Automerge {
    accepted(Writer::Home, edits).unwrap();
    apply_edits(Some(document), actor, edits)
        .unwrap()
        .expect("the edits change something")
        .document
}

pub fn accepted(writer: Writer, edits: &[Edit]) -> Result<(), PolicyError> {
    check_change(DocumentKind::Order, writer, false, edits)
}

pub fn view(document: &Automerge) -> OrderView {
    read_order(document).unwrap()
}

pub fn merged(one: &Automerge, other: &Automerge) -> Automerge {
    let mut merged = one.clone();
    merged.merge(&mut other.clone()).unwrap();
    merged
}
