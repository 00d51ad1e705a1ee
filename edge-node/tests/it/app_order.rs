//! The life of an order: taken in, priced, parts reserved and used, collected; and everything that is refused.

use std::collections::BTreeMap;

use domain::id::{DocumentId, LineId};
use domain::money::Money;
use domain::order::{EstimateAnswer, LineKind, Outcome, Status};
use domain::patch::Patch;
use domain::staff::Role;
use domain::stock::MovementKind;
use edge_node::app::customer::{self, CustomerInput, CustomerPatch};
use edge_node::app::intake::{NewVisit, take_in};
use edge_node::app::order::form::{
    AnswerInput, DevicePatch, EstimateInput, LineInput, LinePatch, LineStock, NoteInput,
    OrderPatch, StatusInput, SyncState, UndoInput,
};
use edge_node::app::order::{self, OrderFilter, estimate, line, note, status};
use edge_node::app::search::{SearchInput, find};
use edge_node::app::stock;
use edge_node::error::AppError;
use edge_node::store::Actor;
use serde_json::json;
use sync_protocol::feed::FeedId;
use sync_protocol::item::Item;
use web_kit::etag::IfMatch;
use web_kit::list::ListQuery;
use web_kit::wire::{Personal, Time};

use crate::app_support::*;
use crate::support::*;

fn any() -> IfMatch {
    IfMatch::default()
}

/// The condition of a caller who has read this state.
fn if_match(etag: &web_kit::etag::ETag) -> IfMatch {
    use axum::extract::FromRequestParts;
    let request = axum::http::Request::builder()
        .header("if-match", etag.as_str())
        .body(())
        .unwrap();
    let (mut parts, ()) = request.into_parts();
    block_on(IfMatch::from_request_parts(&mut parts, &())).unwrap()
}

fn consume(
    store: &edge_node::store::Store,
    id: DocumentId,
    line: LineId,
) -> Result<line::LineAnswer, AppError> {
    act(store, move |tx, actor| {
        line::consume(tx, actor, id, line, &any())
    })
}

#[test]
fn from_intake_to_collected() {
    let (branch, store, _) = shop();
    by_hand(&store, "SCR-1", MovementKind::Opening, 5).unwrap();
    let customer = CustomerInput {
        name: Personal::new("Ada Lovelace"),
        phone: Some(Personal::new("+49 30 555 0101")),
        consent: BTreeMap::from([("sms".to_owned(), true)]),
        ..CustomerInput::default()
    };
    let mut laptop = device("does not start");
    laptop.accessories = vec!["charger".to_owned(), "bag".to_owned()];
    laptop.condition = BTreeMap::from([("lid".to_owned(), "scratched".to_owned())]);
    let new = NewVisit {
        customer: Some(customer),
        devices: vec![laptop, device("second one")],
        promised_at: Some(Time(NOW_MS)),
        ..NewVisit::default()
    };
    let visit = act(&store, |tx, actor| take_in(tx, actor, new)).unwrap();
    assert_eq!(visit.items.len(), 2);
    let first = &visit.items[0];
    assert_eq!(first.branch, "BER");
    assert_eq!(first.status, Status::Received);
    assert_eq!(first.sync, SyncState::Local);
    assert_eq!(
        first
            .customer
            .as_ref()
            .unwrap()
            .name
            .as_ref()
            .unwrap()
            .expose(),
        "Ada Lovelace"
    );
    let mut accessories = first.device.accessories.clone();
    accessories.sort();
    assert_eq!(accessories, ["bag", "charger"]);
    let seq = store.tip().borrow().seq;
    assert_eq!(
        seq, 2,
        "customer and both orders are one transaction behind the opening"
    );

    let id = first.id;
    move_to(&store, id, Status::InRepair, None).unwrap();
    let work = LineInput {
        kind: LineKind::Service,
        text: Some("Exchange of the screen".to_owned()),
        sku: None,
        quantity: 1,
        unit_price: Some(Money::new(4_000, domain::money::Currency::EUR).unwrap()),
        tax_rate_bp: Some(1_900),
    };
    add_line(&store, id, work).unwrap();
    let added = add_line(&store, id, part_line("SCR-1", 2)).unwrap();
    let shown = added.line().unwrap();
    assert_eq!(
        (shown.text.as_str(), shown.unit_price.amount_minor),
        ("Part SCR-1", 4_990)
    );
    assert_eq!(shown.stock, Some(LineStock::Reserved));
    assert_eq!(added.order.totals.gross.amount_minor, 4_000 + 2 * 4_990);
    assert_eq!(added.order.totals.due, added.order.totals.gross);
    let row = stock_of(&store, "SCR-1");
    assert_eq!((row.on_hand, row.reserved, row.free), (5, 2, 3));

    let line_id = added.line_id;
    let used = consume(&store, id, line_id).unwrap();
    assert_eq!(used.line().unwrap().stock, Some(LineStock::Consumed));
    let row = stock_of(&store, "SCR-1");
    assert_eq!((row.on_hand, row.reserved, row.free), (3, 0, 3));
    let movements = store
        .read_blocking(|reader| stock::movements(reader, &ACTOR, "SCR-1", &ListQuery::default()))
        .unwrap();
    assert_eq!(movements.items[0].kind, MovementKind::Use);
    assert_eq!(
        movements.items[0].reference.as_deref(),
        Some(used.order.number.as_str())
    );
    assert_eq!(movements.items[0].balance_after, 3);

    let estimated = act(&store, move |tx, actor| {
        estimate::add(tx, actor, id, &any(), EstimateInput::default())
    })
    .unwrap();
    assert_eq!(estimated.estimates[0].gross, estimated.totals.gross);
    let yes = AnswerInput {
        answer: EstimateAnswer::Approved,
        by: "customer, by phone".to_owned(),
    };
    let answered = act(&store, move |tx, actor| {
        estimate::answer(tx, actor, id, 1, &any(), yes)
    })
    .unwrap();
    assert_eq!(answered.estimates[0].answer, Some(EstimateAnswer::Approved));
    let said = NoteInput {
        text: "works again".to_owned(),
    };
    act(&store, move |tx, actor| {
        note::add(tx, actor, id, &any(), said)
    })
    .unwrap();
    move_to(&store, id, Status::Ready, Some(Outcome::Repaired)).unwrap();
    let done = move_to(&store, id, Status::Collected, None).unwrap();
    assert_eq!(
        (done.status, done.outcome),
        (Status::Collected, Some(Outcome::Repaired))
    );
    assert_eq!(done.notes.len(), 1);
    assert!(done.allowed.is_empty());
    assert_verifies(&branch, store);
}

#[test]
fn who_asks_for_more_than_is_free_hears_where_others_are_nearest_first() {
    let (branch, store, _) = shop();
    by_hand(&store, "SCR-1", MovementKind::Receive, 2).unwrap();
    let mut feed = HubFeed::new(FeedId::availability("north"));
    let row = |branch, quantity| {
        let part = part(1);
        Item::Availability(domain::availability::AvailabilityRow {
            branch,
            part,
            quantity,
            as_of_ms: NOW_MS,
        })
    };
    apply(&store, feed.block(&[vec![row(MUNICH, 9), row(POTSDAM, 1)]]));
    let id = new_visit(&store, "cracked").id;
    add_line(&store, id, part_line("SCR-1", 2)).unwrap();
    let before = order_of(&store, id);
    let seq = store.tip().borrow().seq;
    let refused = add_line(&store, id, part_line("SCR-1", 1)).unwrap_err();
    assert_eq!(conflict(&refused, "free"), ("short-of-stock", json!(0)));
    let (_, elsewhere) = conflict(&refused, "elsewhere");
    assert_eq!(elsewhere[0]["branch"], "POT");
    assert_eq!(
        (&elsewhere[1]["branch"], &elsewhere[1]["quantity"]),
        (&json!("MUC"), &json!(9))
    );
    assert_eq!(elsewhere[1]["as_of"], json!(Time(NOW_MS)));
    assert_eq!(order_of(&store, id), before);
    assert_eq!(store.tip().borrow().seq, seq, "a refusal writes nothing");
    let scrapped = by_hand(&store, "SCR-1", MovementKind::Scrap, 3).unwrap_err();
    assert_eq!(conflict(&scrapped, "free").1, json!(2));
    assert_verifies(&branch, store);
}

#[test]
fn another_quantity_reserves_anew_and_what_ends_gives_back() {
    let (branch, store, _) = shop();
    by_hand(&store, "BAT-2", MovementKind::Receive, 4).unwrap();
    let id = new_visit(&store, "battery").id;
    let line_id = add_line(&store, id, part_line("BAT-2", 1)).unwrap().line_id;
    let quantity = |pieces| {
        let patch = LinePatch {
            quantity: Some(pieces),
            ..LinePatch::default()
        };
        act(&store, move |tx, actor| {
            line::change(tx, actor, id, line_id, &any(), patch)
        })
    };
    quantity(4).unwrap();
    assert_eq!(stock_of(&store, "BAT-2").free, 0);
    let refused = quantity(5).unwrap_err();
    assert_eq!(
        conflict(&refused, "free"),
        ("short-of-stock", json!(4)),
        "its own pieces are free to it"
    );
    quantity(3).unwrap();
    assert_eq!(stock_of(&store, "BAT-2").reserved, 3);

    let cancelled = move_to(&store, id, Status::Cancelled, None).unwrap();
    assert_eq!(cancelled.lines[0].stock, Some(LineStock::Open));
    assert_eq!(stock_of(&store, "BAT-2").reserved, 0);
    assert_eq!(conflict(&quantity(1).unwrap_err(), "").0, "order-ended");
    let again = act(&store, move |tx, actor| {
        status::undo(tx, actor, id, &any(), UndoInput::default())
    })
    .unwrap();
    assert_eq!(
        (again.status, again.lines[0].stock),
        (Status::Received, Some(LineStock::Reserved))
    );
    assert_eq!(stock_of(&store, "BAT-2").reserved, 3);

    consume(&store, id, line_id).unwrap();
    assert_eq!(
        conflict(&consume(&store, id, line_id).unwrap_err(), "").0,
        "line-consumed"
    );
    assert_eq!(conflict(&quantity(1).unwrap_err(), "").0, "line-consumed");
    let removed = act(&store, move |tx, actor| {
        line::remove(tx, actor, id, line_id, &any())
    });
    assert_eq!(conflict(&removed.unwrap_err(), "").0, "line-consumed");
    let spare = add_line(&store, id, part_line("40BAT-2", 1)).unwrap();
    assert_eq!(
        spare.line().unwrap().sku.as_deref(),
        Some("BAT-2"),
        "a barcode names the part too"
    );
    let spare_id = spare.line_id;
    act(&store, move |tx, actor| {
        line::remove(tx, actor, id, spare_id, &any())
    })
    .unwrap();
    let row = stock_of(&store, "BAT-2");
    assert_eq!((row.on_hand, row.reserved), (1, 0));
    assert_verifies(&branch, store);
}

#[test]
fn refused_moves_say_where_the_order_may_go() {
    let (branch, store, _) = shop();
    let id = new_visit(&store, "noise").id;
    let refused = move_to(&store, id, Status::Ready, Some(Outcome::Repaired)).unwrap_err();
    let allowed = json!(["diagnosing", "in_repair", "cancelled"]);
    assert_eq!(conflict(&refused, "allowed"), ("move-not-allowed", allowed));
    move_to(&store, id, Status::Diagnosing, None).unwrap();
    assert_eq!(
        pointers(&move_to(&store, id, Status::Ready, None).unwrap_err()),
        ["/outcome"]
    );
    let early = move_to(&store, id, Status::InRepair, Some(Outcome::Repaired)).unwrap_err();
    assert_eq!(pointers(&early), ["/outcome"]);
    move_to(&store, id, Status::AwaitingApproval, None).unwrap();
    let repaired = move_to(&store, id, Status::Ready, Some(Outcome::Repaired)).unwrap_err();
    assert_eq!(conflict(&repaired, "").0, "move-not-allowed");
    let with_note = StatusInput {
        status: Status::Ready,
        outcome: Some(Outcome::Declined),
        note: Some("too dear".to_owned()),
    };
    let ready = act(&store, move |tx, actor| {
        status::move_to(tx, actor, id, &any(), with_note)
    })
    .unwrap();
    assert_eq!(
        (ready.outcome, ready.notes[0].text.as_str()),
        (Some(Outcome::Declined), "too dear")
    );
    let first = ready.events[0].id;
    let undo = UndoInput {
        event_id: Some(first),
    };
    act(&store, move |tx, actor| {
        status::undo(tx, actor, id, &any(), undo)
    })
    .unwrap();
    let nobody = DocumentId::from_bytes([1; 16]);
    assert!(matches!(
        move_to(&store, nobody, Status::InRepair, None),
        Err(AppError::NotFound { .. })
    ));
    assert_verifies(&branch, store);
}

#[test]
fn a_patch_changes_what_it_names_and_a_stale_one_nothing() {
    let (branch, store, _) = shop();
    let order = new_visit(&store, "fault");
    let id = order.id;
    let accessories = |list: &[&str]| OrderPatch {
        device: DevicePatch {
            accessories: Patch::Set(list.iter().map(|&text| text.to_owned()).collect()),
            ..DevicePatch::default()
        },
        ..OrderPatch::default()
    };
    let patch = |patch: OrderPatch, condition: IfMatch| {
        act(&store, move |tx, actor| {
            order::patch(tx, actor, id, &condition, patch)
        })
    };
    let one = patch(accessories(&["bag", "charger"]), if_match(&order.etag())).unwrap();
    assert!(matches!(
        patch(accessories(&["box"]), if_match(&order.etag())),
        Err(AppError::Stale)
    ));
    let two = patch(accessories(&["charger", "mouse"]), if_match(&one.etag())).unwrap();
    let mut shown = two.device.accessories.clone();
    shown.sort();
    assert_eq!(shown, ["charger", "mouse"]);
    let equal = patch(accessories(&["mouse", "charger"]), any()).unwrap();
    assert_eq!(equal.heads, two.heads, "what is so already writes nothing");
    let wrong = OrderPatch {
        technician_id: Patch::Set(staff_id(2)),
        customer_id: Patch::Set(DocumentId::from_bytes([3; 16])),
        ..OrderPatch::default()
    };
    assert_eq!(
        pointers(&patch(wrong, any()).unwrap_err()),
        ["/customer_id", "/technician_id"]
    );
    let many = OrderPatch {
        technician_id: Patch::Set(staff_id(1)),
        urgent: Patch::Set(true),
        promised_at: Patch::Set(Time(NOW_MS)),
        diagnosis: Patch::Set("line one\nline two".to_owned()),
        device: DevicePatch {
            fault: Patch::Clear,
            ..DevicePatch::default()
        },
        ..OrderPatch::default()
    };
    let three = patch(many, any()).unwrap();
    assert_eq!(
        (
            three.technician_id,
            three.urgent,
            three.device.fault.as_str()
        ),
        (Some(staff_id(1)), true, "")
    );
    assert_verifies(&branch, store);
}

#[test]
fn bad_input_names_the_field_and_changes_nothing() {
    let (branch, store, _) = shop();
    let seq = store.tip().borrow().seq;
    let visit =
        |new: NewVisit| pointers(&act(&store, |tx, actor| take_in(tx, actor, new)).unwrap_err());
    assert_eq!(visit(NewVisit::default()), ["/devices"]);
    let mut bad = device("x");
    bad.serial = "s".repeat(65);
    bad.accessories = vec!["ok".to_owned()];
    let new = NewVisit {
        devices: vec![device("fine"), bad],
        ..NewVisit::default()
    };
    assert_eq!(visit(new), ["/devices/1/serial"]);
    let mut bad = device("x");
    bad.accessories = vec!["ok".to_owned(), String::new()];
    assert_eq!(
        visit(NewVisit {
            devices: vec![bad],
            ..NewVisit::default()
        }),
        ["/devices/0/accessories/1"]
    );
    let customer = CustomerInput {
        name: Personal::new(" "),
        phone: Some(Personal::new("call me")),
        ..CustomerInput::default()
    };
    let new = NewVisit {
        customer: Some(customer),
        devices: vec![device("x")],
        ..NewVisit::default()
    };
    assert_eq!(visit(new), ["/customer/name", "/customer/phone"]);
    let unknown = NewVisit {
        customer_id: Some(DocumentId::from_bytes([3; 16])),
        devices: vec![device("x")],
        ..NewVisit::default()
    };
    assert_eq!(visit(unknown), ["/customer_id"]);
    assert_eq!(store.tip().borrow().seq, seq);

    let id = new_visit(&store, "x").id;
    let line = |input: LineInput| pointers(&add_line(&store, id, input).unwrap_err());
    assert_eq!(line(part_line("NOPE", 1)), ["/sku"]);
    assert_eq!(line(part_line("SCR-1", 0)), ["/quantity"]);
    assert_eq!(line(part_line("SCR-1", 1_000_000_000)), ["/quantity"]);
    let dollars = Money::new(100, "USD".parse().unwrap()).unwrap();
    assert_eq!(
        line(LineInput {
            unit_price: Some(dollars),
            ..part_line("SCR-1", 1)
        }),
        ["/unit_price/currency"]
    );
    assert_eq!(
        line(LineInput {
            kind: LineKind::Fee,
            ..part_line("SCR-1", 1)
        }),
        ["/sku"]
    );
    assert_eq!(
        line(LineInput {
            kind: LineKind::Fee,
            sku: None,
            ..part_line("", 1)
        }),
        ["/unit_price"]
    );
    let clerk = Actor {
        role: Role::Auditor,
        ..ACTOR
    };
    let said = NoteInput {
        text: "no".to_owned(),
    };
    let forbidden = store.write_blocking(move |tx| note::add(tx, &clerk, id, &any(), said));
    assert!(matches!(forbidden, Err(AppError::Forbidden { .. })));
    assert_verifies(&branch, store);
}

#[test]
fn lists_page_and_narrow_and_one_box_finds_everything() {
    let (branch, store, _) = shop();
    let ada = CustomerInput {
        name: Personal::new("Ada Löwe"),
        phone: Some(Personal::new("030 555 0101")),
        ..CustomerInput::default()
    };
    let customer = act(&store, |tx, actor| customer::create(tx, actor, ada)).unwrap();
    let mut phone = device("broken glass");
    phone.serial = "IMEI-77".to_owned();
    let new = NewVisit {
        customer_id: Some(customer.id),
        devices: vec![phone],
        ..NewVisit::default()
    };
    let order = act(&store, |tx, actor| take_in(tx, actor, new))
        .unwrap()
        .items
        .remove(0);
    let others: Vec<_> = (0..5)
        .map(|n| new_visit(&store, &format!("fault {n}")).id)
        .collect();
    move_to(&store, others[0], Status::InRepair, None).unwrap();

    let list = |filter: OrderFilter, page: ListQuery| {
        store
            .read_blocking(|reader| order::list(reader, &ACTOR, &filter, &page))
            .unwrap()
    };
    let first = list(
        OrderFilter::default(),
        ListQuery {
            limit: 4,
            cursor: None,
        },
    );
    assert_eq!(first.items[0].id, others[4]);
    let second = list(
        OrderFilter::default(),
        ListQuery {
            limit: 4,
            cursor: first.next_cursor.clone(),
        },
    );
    assert_eq!((second.items.len(), second.next_cursor), (2, None));
    let working = OrderFilter {
        status: Some(Status::InRepair),
        ..OrderFilter::default()
    };
    assert_eq!(list(working, ListQuery::default()).items.len(), 1);
    let typed = order.number.to_lowercase().replace('-', "");
    let by_number = OrderFilter {
        q: Some(typed.clone()),
        ..OrderFilter::default()
    };
    assert_eq!(list(by_number, ListQuery::default()).items[0].id, order.id);
    let wrong = ListQuery {
        limit: 4,
        cursor: Some("AAAA".to_owned()),
    };
    let refused =
        store.read_blocking(|reader| order::list(reader, &ACTOR, &OrderFilter::default(), &wrong));
    assert_eq!(pointers(&refused.unwrap_err()), ["/cursor"]);

    let search = |typed: &str| {
        let input = SearchInput {
            q: Personal::new(typed),
            limit: None,
        };
        store
            .read_blocking(|reader| find(reader, &ACTOR, &input))
            .unwrap()
    };
    for typed in [typed.as_str(), "IMEI-77", "broken gl", "lowe", "5550101"] {
        assert_eq!(
            search(typed).orders.first().map(|hit| hit.id),
            Some(order.id),
            "{typed}"
        );
    }
    assert_eq!(search("ada lo").customers[0].id, customer.id);
    assert_eq!(search("40FAN-3").parts[0].sku, "FAN-3");
    assert_eq!(search("  ").orders.len(), 0);
    assert_verifies(&branch, store);
}

#[test]
fn a_customer_is_changed_field_by_field() {
    let (branch, store, _) = shop();
    let input = CustomerInput {
        name: Personal::new("Ada"),
        email: Some(Personal::new("ada@example.org")),
        language: Some("de".to_owned()),
        ..CustomerInput::default()
    };
    let made = act(&store, |tx, actor| customer::create(tx, actor, input)).unwrap();
    let id = made.id;
    let patch = |patch: CustomerPatch, condition: IfMatch| {
        act(&store, move |tx, actor| {
            customer::patch(tx, actor, id, &condition, patch)
        })
    };
    let change = CustomerPatch {
        phone: Patch::Set(Personal::new("030 1234")),
        email: Patch::Clear,
        consent: BTreeMap::from([("mail".to_owned(), false)]),
        ..CustomerPatch::default()
    };
    let changed = patch(change.clone(), if_match(&made.etag())).unwrap();
    assert_eq!(changed.phone.as_ref().unwrap().expose(), "030 1234");
    assert_eq!(
        (changed.email.clone(), changed.consent["mail"]),
        (None, false)
    );
    assert!(matches!(
        patch(change.clone(), if_match(&made.etag())),
        Err(AppError::Stale)
    ));
    assert_eq!(patch(change, any()).unwrap().heads, changed.heads);
    let nameless = CustomerPatch {
        name: Patch::Clear,
        ..CustomerPatch::default()
    };
    assert_eq!(pointers(&patch(nameless, any()).unwrap_err()), ["/name"]);
    assert_verifies(&branch, store);
}
