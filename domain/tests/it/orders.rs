//! Orders: life, lines, estimates, patches.

use crate::samples::{AT_MS, apply, created, merged, new_order, view};
use domain::document::{Edit, apply_edits};
use domain::env::SeededEntropy;
use domain::id::{DocumentId, EventId, LineId, PartId, StaffId};
use domain::order::{
    EstimateAnswer, LineInput, LineKind, LinePatch, MoveError, OrderError, OrderPatch, Outcome,
    Status, StatusMove, add_estimate, add_line, add_note, allowed_moves, answer_estimate,
    change_line, check_move, create_order, move_status, patch_order, remove_line, settle_status,
    totals, undo_status,
};
use domain::patch::Patch;

const HOME: &[u8] = b"actor-000001";
const OTHER: &[u8] = b"actor-000002";

fn id(number: u8) -> EventId {
    EventId::from_bytes([number; 16])
}

fn moved(
    document: &automerge::Automerge,
    actor: &[u8],
    to: Status,
    outcome: Option<Outcome>,
    event: u8,
) -> automerge::Automerge {
    let edits = move_status(&view(document), to, outcome, id(event), StaffId::NIL, AT_MS).unwrap();
    apply(document, actor, &edits)
}

fn line(number: u8, kind: LineKind, quantity: i64, unit_minor: i64, tax_bp: u32) -> LineInput {
    LineInput {
        id: LineId::from_bytes([number; 16]),
        kind,
        text: format!("line {number}"),
        sku: (kind == LineKind::Part).then(|| "BAT-1".to_owned()),
        part: (kind == LineKind::Part).then(|| PartId::from_bytes([9; 16])),
        quantity,
        unit_minor,
        tax_bp,
    }
}

#[test]
fn a_new_order_reads_back_as_it_was_made() {
    let new = new_order(5);
    let view = view(&created(5));
    assert_eq!(
        (&view.number, view.branch, view.visit),
        (&new.number, new.branch, new.visit)
    );
    assert_eq!(view.device, new.device);
    assert_eq!(view.source, new.source);
    assert_eq!(
        (view.promised_at_ms, view.terms_at_ms, view.urgent),
        (new.promised_at_ms, new.terms_at_ms, true)
    );
    assert_eq!(
        (view.status, view.outcome, view.status_conflict),
        (Status::Received, None, false)
    );
    assert_eq!((view.created_at_ms, view.customer), (AT_MS, None));
    assert_eq!(
        (view.events.len(), view.events[0].staff, view.events[0].rank),
        (1, new.staff, 1)
    );
    assert!(view.conflicts.is_empty() && view.lines.is_empty());
}

#[test]
fn an_import_brings_an_order_to_its_outcome_at_once() {
    let mut new = new_order(5);
    let step = |event, to, outcome| StatusMove {
        id: id(event),
        to,
        outcome,
        at_ms: AT_MS,
    };
    new.moves = vec![
        step(1, Status::Received, None),
        step(2, Status::InRepair, None),
        step(3, Status::Ready, Some(Outcome::Unrepairable)),
        step(4, Status::Collected, None),
    ];
    let applied = apply_edits(None, HOME, &create_order(&new).unwrap())
        .unwrap()
        .unwrap();
    let view = view(&applied.document);
    assert_eq!(
        (view.status, view.outcome),
        (Status::Collected, Some(Outcome::Unrepairable))
    );
    assert_eq!(
        view.events[3].outcome,
        Some(Outcome::Unrepairable),
        "collected keeps the outcome"
    );
    new.moves.remove(1);
    assert!(matches!(
        create_order(&new),
        Err(OrderError::Move(MoveError::NotAllowed { .. }))
    ));
    new.moves.clear();
    assert_eq!(create_order(&new), Err(OrderError::NotReceived));
}

#[test]
fn bad_input_of_a_new_order_is_named_by_field() {
    let mut new = new_order(5);
    new.number = "nonsense".to_owned();
    new.device.brand = "a\0b".to_owned();
    new.promised_at_ms = Some(i64::MAX);
    let Err(OrderError::Fields(problems)) = create_order(&new) else {
        panic!("accepted")
    };
    let pointers: Vec<_> = problems
        .iter()
        .map(|problem| problem.pointer.as_str())
        .collect();
    assert_eq!(pointers, ["/number", "/promised_at", "/brand"]);
}

#[test]
fn the_moves_are_those_of_the_table() {
    let table: Vec<String> = Status::ALL
        .iter()
        .map(|from| {
            let to: Vec<_> = allowed_moves(*from).iter().map(|to| to.as_str()).collect();
            format!("{from}: {}", to.join(" "))
        })
        .collect();
    assert_eq!(
        table,
        [
            "received: diagnosing in_repair cancelled",
            "diagnosing: awaiting_approval awaiting_parts in_repair ready cancelled",
            "awaiting_approval: in_repair awaiting_parts diagnosing ready cancelled",
            "awaiting_parts: in_repair awaiting_approval ready cancelled",
            "in_repair: ready awaiting_parts awaiting_approval diagnosing",
            "ready: collected in_repair",
            "collected: ",
            "cancelled: ",
        ]
    );
}

#[test]
fn ready_needs_an_outcome() {
    let fixed = Some(Outcome::Repaired);
    assert_eq!(
        check_move(Status::InRepair, Status::Ready, None),
        Err(MoveError::NeedsOutcome)
    );
    assert_eq!(check_move(Status::InRepair, Status::Ready, fixed), Ok(()));
    assert_eq!(
        check_move(Status::AwaitingApproval, Status::Ready, fixed),
        Err(MoveError::OnlyDeclined)
    );
    assert_eq!(
        check_move(
            Status::AwaitingApproval,
            Status::Ready,
            Some(Outcome::Declined)
        ),
        Ok(())
    );
    assert_eq!(
        check_move(Status::Received, Status::InRepair, fixed),
        Err(MoveError::NoOutcomeHere)
    );
    assert_eq!(check_move(Status::Ready, Status::Collected, None), Ok(()));
}

#[test]
fn undoing_takes_an_event_out_and_undoing_that_brings_it_back() {
    let document = moved(&created(1), HOME, Status::InRepair, None, 1);
    let document = moved(&document, HOME, Status::Ready, Some(Outcome::Repaired), 2);
    let undo = |document: &automerge::Automerge, what, event| {
        let edits = undo_status(&view(document), what, id(event), StaffId::NIL, AT_MS).unwrap();
        apply(document, HOME, &edits)
    };
    let undone = undo(&document, id(2), 3);
    assert_eq!(
        (view(&undone).status, view(&undone).outcome),
        (Status::InRepair, None)
    );
    let again = undo(&undone, id(3), 4);
    assert_eq!(
        (view(&again).status, view(&again).outcome),
        (Status::Ready, Some(Outcome::Repaired))
    );
    let first = view(&created(1)).events[0].id;
    let refused = undo_status(&view(&created(1)), first, id(9), StaffId::NIL, AT_MS);
    assert_eq!(
        refused,
        Err(OrderError::UnknownEvent),
        "an order has always been received"
    );
}

#[test]
fn two_moves_made_apart_are_a_decision() {
    let document = created(1);
    let one = moved(&document, HOME, Status::InRepair, None, 1);
    let two = moved(&document, OTHER, Status::Cancelled, None, 2);
    let both = merged(&one, &two);
    let shown = view(&both);
    assert_eq!(shown, view(&merged(&two, &one)));
    assert!(shown.status_conflict);
    assert_eq!(
        shown.status,
        Status::Cancelled,
        "the higher id shows meanwhile"
    );
    let edits = settle_status(&shown, id(1), id(3), StaffId::NIL, AT_MS).unwrap();
    let settled = view(&apply(&both, HOME, &edits));
    assert_eq!(
        (settled.status, settled.status_conflict),
        (Status::InRepair, false)
    );
    let moved_on = view(&moved(
        &both,
        HOME,
        Status::Ready,
        Some(Outcome::Repaired),
        4,
    ));
    assert_eq!(
        (moved_on.status, moved_on.status_conflict),
        (Status::Ready, false),
        "from either of the two"
    );
    assert!(settle_status(&settled, id(1), id(5), StaffId::NIL, AT_MS).is_err());
}

#[test]
fn totals_are_per_rate_and_discounts_count_off() {
    let mut document = created(1);
    for input in [
        line(1, LineKind::Service, 1, 4_990, 1_900),
        line(2, LineKind::Part, 3, 333, 1_900),
        line(3, LineKind::Fee, 1, 1_000, 700),
        line(4, LineKind::Discount, 1, 989, 1_900),
    ] {
        document = apply(
            &document,
            HOME,
            &add_line(&view(&document), &input).unwrap(),
        );
    }
    let sums = totals(&view(&document)).unwrap();
    assert_eq!(
        (sums.net_minor, sums.tax_minor, sums.gross_minor),
        (5_137, 863, 6_000)
    );
    assert_eq!(sums.rates.len(), 2);
    assert_eq!(
        (
            sums.rates[1].tax_bp,
            sums.rates[1].gross_minor,
            sums.rates[1].tax_minor
        ),
        (1_900, 5_000, 798)
    );
    let mut without_tax = view(&document);
    without_tax.prices_include_tax = false;
    let sums = totals(&without_tax).unwrap();
    assert_eq!(
        (sums.net_minor, sums.tax_minor, sums.gross_minor),
        (6_000, 1_020, 7_020)
    );
}

#[test]
fn lines_are_changed_and_removed_by_what_differs() {
    let document = created(1);
    let document = apply(
        &document,
        HOME,
        &add_line(&view(&document), &line(1, LineKind::Part, 2, 500, 0)).unwrap(),
    );
    let shown = view(&document);
    let line_id = shown.lines[0].id;
    assert_eq!(
        (shown.lines[0].sku.as_deref(), shown.lines[0].quantity),
        (Some("BAT-1"), 2)
    );
    let patch = LinePatch {
        quantity: Some(2),
        unit_minor: Some(450),
        ..LinePatch::default()
    };
    let edits = change_line(&shown, line_id, &patch).unwrap();
    assert_eq!(
        edits,
        [Edit::int(
            &[
                "lines".to_owned(),
                line_id.to_string(),
                "unit_minor".to_owned()
            ],
            450
        )]
    );
    let document = apply(&document, HOME, &edits);
    let document = apply(
        &document,
        HOME,
        &remove_line(&view(&document), line_id).unwrap(),
    );
    assert!(view(&document).lines.is_empty());
    assert_eq!(
        remove_line(&view(&document), line_id),
        Err(OrderError::UnknownLine)
    );
}

#[test]
fn bad_lines_are_named_by_field() {
    let shown = view(&created(1));
    let bad = LineInput {
        text: " ".to_owned(),
        ..line(1, LineKind::Service, 0, -1, 10_001)
    };
    let Err(OrderError::Fields(problems)) = add_line(&shown, &bad) else {
        panic!("accepted")
    };
    let pointers: Vec<_> = problems
        .iter()
        .map(|problem| problem.pointer.as_str())
        .collect();
    assert_eq!(
        pointers,
        ["/text", "/quantity", "/unit_price", "/tax_rate_bp"]
    );
    let partless = LineInput {
        part: None,
        ..line(1, LineKind::Part, 1, 1, 0)
    };
    assert!(add_line(&shown, &partless).is_err());
    let huge = line(1, LineKind::Fee, 1_000_000, 10_000_000_000_000, 0);
    assert!(matches!(add_line(&shown, &huge), Err(OrderError::Money(_))));
}

#[test]
fn removing_a_line_and_changing_it_apart_leaves_a_readable_order() {
    let document = created(1);
    let document = apply(
        &document,
        HOME,
        &add_line(&view(&document), &line(1, LineKind::Fee, 2, 500, 0)).unwrap(),
    );
    let line_id = view(&document).lines[0].id;
    let removed = apply(
        &document,
        HOME,
        &remove_line(&view(&document), line_id).unwrap(),
    );
    let patch = LinePatch {
        quantity: Some(5),
        ..LinePatch::default()
    };
    let changed = apply(
        &document,
        OTHER,
        &change_line(&view(&document), line_id, &patch).unwrap(),
    );
    let both = view(&merged(&removed, &changed));
    assert_eq!(both, view(&merged(&changed, &removed)));
    assert!(both.lines.is_empty());
}

#[test]
fn an_answer_stands_on_its_version() {
    let mut document = created(1);
    for (event, gross) in [(1, 5_000), (2, 6_000)] {
        document = apply(
            &document,
            HOME,
            &add_estimate(&view(&document), id(event), gross).unwrap(),
        );
    }
    let answer = |document: &automerge::Automerge, version, answer| {
        answer_estimate(
            &view(document),
            version,
            answer,
            "customer, by phone",
            AT_MS,
        )
    };
    let edits = answer(&document, 1, EstimateAnswer::Approved).unwrap();
    let document = apply(&document, HOME, &edits);
    let estimates = view(&document).estimates;
    assert_eq!(
        (estimates[0].version, estimates[0].answer),
        (1, Some(EstimateAnswer::Approved))
    );
    assert_eq!((estimates[1].version, estimates[1].answer), (2, None));
    assert_eq!(estimates[0].by.as_deref(), Some("customer, by phone"));
    assert_eq!(
        answer(&document, 1, EstimateAnswer::Approved),
        Ok(vec![]),
        "said twice is said once"
    );
    assert_eq!(
        answer(&document, 1, EstimateAnswer::Declined),
        Err(OrderError::Answered)
    );
    assert_eq!(
        answer(&document, 3, EstimateAnswer::Approved),
        Err(OrderError::UnknownEstimate)
    );
}

#[test]
fn notes_are_kept_in_order_of_time() {
    let mut document = created(1);
    for (event, at_ms) in [(3, 30), (1, 10), (2, 20)] {
        let edits = add_note(
            &view(&document),
            id(event),
            &format!("note {event}"),
            StaffId::NIL,
            at_ms,
        )
        .unwrap();
        document = apply(&document, HOME, &edits);
    }
    let texts: Vec<_> = view(&document)
        .notes
        .into_iter()
        .map(|note| note.text)
        .collect();
    assert_eq!(texts, ["note 1", "note 2", "note 3"]);
    assert!(add_note(&view(&document), id(4), " \n", StaffId::NIL, 1).is_err());
}

#[test]
fn a_patch_writes_only_what_differs_from_what_was_shown() {
    let document = created(1);
    let shown = view(&document);
    let same = OrderPatch {
        promised_at_ms: Patch::Set(shown.promised_at_ms.unwrap()),
        urgent: Patch::Set(true),
        diagnosis: Patch::Set(String::new()),
        brand: Patch::Set(format!(" {} ", shown.device.brand)),
        accessories: Some(shown.device.accessories.clone()),
        condition: Some(shown.device.condition.clone()),
        ..OrderPatch::default()
    };
    assert_eq!(patch_order(&shown, &same), Ok(vec![]));
    let customer = DocumentId::from_random(&mut SeededEntropy::new(8));
    let patch = OrderPatch {
        customer: Patch::Set(customer),
        promised_at_ms: Patch::Clear,
        technician: Patch::Set(StaffId::from_bytes([7; 16])),
        urgent: Patch::Set(false),
        terms_at_ms: Patch::Keep,
        diagnosis: Patch::Set("fuse".to_owned()),
        model: Patch::Clear,
        fault: Patch::Set("does not boil".to_owned()),
        condition: Some([("base".to_owned(), "fine".to_owned())].into()),
        ..OrderPatch::default()
    };
    let after = view(&apply(
        &document,
        HOME,
        &patch_order(&shown, &patch).unwrap(),
    ));
    assert_eq!(
        (after.customer, after.promised_at_ms, after.urgent),
        (Some(customer), None, false)
    );
    assert_eq!(
        (after.diagnosis.as_str(), after.device.model.as_str()),
        ("fuse", "")
    );
    assert_eq!(
        after.device.condition,
        [("base".to_owned(), "fine".to_owned())].into()
    );
    assert_eq!(
        (after.terms_at_ms, after.device.brand),
        (shown.terms_at_ms, shown.device.brand)
    );
}

#[test]
fn posting_a_shown_value_settles_no_conflict() {
    let document = created(1);
    let one = apply(&document, HOME, &[Edit::text(&["diagnosis"], "fuse")]);
    let two = apply(&document, OTHER, &[Edit::text(&["diagnosis"], "cable")]);
    let shown = view(&merged(&one, &two));
    let patch = OrderPatch {
        diagnosis: Patch::Set(shown.diagnosis.clone()),
        ..OrderPatch::default()
    };
    assert_eq!(patch_order(&shown, &patch), Ok(vec![]));
}
