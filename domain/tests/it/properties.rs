//! Properties that hold for whatever is drawn.

use crate::samples::{created, merged, view};
use automerge::Automerge;
use domain::document::policy::{Writer, check_change};
use domain::document::{DocumentKind, Edit, apply_edits, tree};
use domain::id::{EventId, LineId, StaffId};
use domain::money::{TaxRate, tax_included, tax_on_net};
use domain::order::{
    EstimateAnswer, LineInput, LineKind, LinePatch, OrderError, OrderPatch, OrderView, Outcome,
    Status, StatusEvent, add_estimate, add_line, add_note, answer_estimate, change_line,
    fold_status, move_status, patch_order, remove_line, undo_status,
};
use domain::patch::Patch;
use domain::stock::{Conservation, Movement, MovementKind, account_sums};
use proptest::prelude::*;

/// An event of any content; its id is given where the list is known.
fn any_event() -> impl Strategy<Value = StatusEvent> {
    let to = proptest::option::of(proptest::sample::select(Status::ALL));
    let outcome = proptest::option::of(proptest::sample::select(Outcome::ALL));
    (1_i64..6, to, outcome, proptest::option::of(0_u8..12)).prop_map(
        |(rank, to, outcome, undoes)| {
            let undoes = undoes.map(|number| EventId::from_bytes([number; 16]));
            StatusEvent {
                id: EventId::NIL,
                rank,
                to,
                outcome,
                staff: StaffId::NIL,
                at_ms: 0,
                undoes,
            }
        },
    )
}

/// One act on an order.
#[derive(Debug, Clone)]
enum Act {
    Move(Status, Option<Outcome>),
    Undo(usize),
    AddLine(LineKind, i64, i64),
    ChangeLine(usize, i64),
    RemoveLine(usize),
    Note(String),
    Estimate(i64),
    Answer(u32, EstimateAnswer),
    Patch(Option<String>, Option<i64>, bool, String),
}

fn any_act() -> impl Strategy<Value = Act> {
    prop_oneof![
        (
            proptest::sample::select(Status::ALL),
            proptest::option::of(proptest::sample::select(Outcome::ALL))
        )
            .prop_map(|(to, outcome)| Act::Move(to, outcome)),
        (0_usize..6).prop_map(Act::Undo),
        (
            proptest::sample::select(LineKind::ALL),
            1_i64..9,
            0_i64..9_999
        )
            .prop_map(|(kind, quantity, unit)| Act::AddLine(kind, quantity, unit)),
        (0_usize..6, 1_i64..9).prop_map(|(line, quantity)| Act::ChangeLine(line, quantity)),
        (0_usize..6).prop_map(Act::RemoveLine),
        "[a-zé\u{5d0}<>&\n]{1,20}".prop_map(Act::Note),
        (0_i64..99_999).prop_map(Act::Estimate),
        (1_u32..4, proptest::sample::select(EstimateAnswer::ALL))
            .prop_map(|(version, answer)| Act::Answer(version, answer)),
        (
            proptest::option::of("[a-z ]{0,12}"),
            proptest::option::of(0_i64..9),
            any::<bool>(),
            "[a-c]{0,2}"
        )
            .prop_map(|(diagnosis, promised, urgent, model)| Act::Patch(
                diagnosis, promised, urgent, model
            )),
    ]
}

fn edits_of(act: &Act, view: &OrderView, serial: u32, actor: u8) -> Result<Vec<Edit>, OrderError> {
    let mut bytes = [actor; 16];
    bytes[..4].copy_from_slice(&serial.to_be_bytes());
    let id = EventId::from_bytes(bytes);
    let nth_line = |n: &usize| {
        view.lines
            .get(n % view.lines.len().max(1))
            .map_or(LineId::NIL, |line| line.id)
    };
    match act {
        Act::Move(to, outcome) => {
            move_status(view, *to, *outcome, id, StaffId::NIL, i64::from(serial))
        }
        Act::Undo(n) => {
            let event = view
                .events
                .get(n % view.events.len().max(1))
                .map_or(EventId::NIL, |event| event.id);
            undo_status(view, event, id, StaffId::NIL, i64::from(serial))
        }
        Act::AddLine(kind, quantity, unit_minor) => add_line(
            view,
            &LineInput {
                id: LineId::from_bytes(bytes),
                kind: *kind,
                text: "line".to_owned(),
                sku: None,
                part: (*kind == LineKind::Part).then(|| domain::id::PartId::from_bytes([1; 16])),
                quantity: *quantity,
                unit_minor: *unit_minor,
                tax_bp: 1_900,
            },
        ),
        Act::ChangeLine(n, quantity) => {
            let patch = LinePatch {
                quantity: Some(*quantity),
                ..LinePatch::default()
            };
            change_line(view, nth_line(n), &patch)
        }
        Act::RemoveLine(n) => remove_line(view, nth_line(n)),
        Act::Note(text) => add_note(
            view,
            id,
            text,
            StaffId::from_bytes([2; 16]),
            i64::from(serial),
        ),
        Act::Estimate(gross) => add_estimate(view, id, *gross),
        Act::Answer(version, answer) => {
            answer_estimate(view, *version, *answer, "customer", i64::from(serial))
        }
        Act::Patch(diagnosis, promised, urgent, model) => patch_order(
            view,
            &OrderPatch {
                diagnosis: diagnosis.clone().map_or(Patch::Keep, Patch::Set),
                promised_at_ms: promised.map_or(Patch::Clear, Patch::Set),
                urgent: Patch::Set(*urgent),
                model: Patch::Set(model.clone()),
                ..OrderPatch::default()
            },
        ),
    }
}

/// Does the acts that the rules allow, each held against the policy first.
fn act(mut document: Automerge, acts: &[Act], actor: u8) -> Automerge {
    for (serial, one) in (1..).zip(acts) {
        let shown = view(&document);
        let Ok(edits) = edits_of(one, &shown, serial, actor) else {
            continue;
        };
        check_change(DocumentKind::Order, Writer::Home, false, &edits).unwrap();
        if let Some(applied) = apply_edits(Some(&document), &[actor; 12], &edits).unwrap() {
            document = applied.document;
        }
    }
    document
}

proptest! {
    #[test]
    fn the_status_fold_knows_no_order(events in proptest::collection::vec(any_event(), 0..12), seed in any::<u64>()) {
        let mut events = events;
        for (number, event) in (0_u8..).zip(&mut events) {
            event.id = EventId::from_bytes([number; 16]);
        }
        let mut shuffled = events.clone();
        let mut entropy = domain::env::SeededEntropy::new(seed);
        for i in (1..shuffled.len()).rev() {
            shuffled.swap(i, (entropy.next_u64() % (i as u64 + 1)) as usize);
        }
        let fold = fold_status(&events);
        prop_assert_eq!(&fold, &fold_status(&shuffled));
        prop_assert!(events.iter().all(|event| event.rank < fold.next_rank));
        prop_assert_eq!(fold.conflict, fold.deciding.len() > 1);
    }

    #[test]
    fn a_new_event_of_the_next_rank_decides(events in proptest::collection::vec(any_event(), 0..12)) {
        let mut events = events;
        for (number, event) in (0_u8..).zip(&mut events) {
            event.id = EventId::from_bytes([number; 16]);
        }
        let rank = fold_status(&events).next_rank;
        let id = EventId::from_bytes([99; 16]);
        let to = Some(Status::InRepair);
        events.push(StatusEvent { id, rank, to, outcome: None, staff: StaffId::NIL, at_ms: 0, undoes: None });
        let fold = fold_status(&events);
        prop_assert_eq!((fold.status, fold.conflict, fold.deciding), (Status::InRepair, false, vec![id]));
    }

    #[test]
    fn tax_is_the_nearest_whole_number(amount in -1_000_000_000_000_i64..1_000_000_000_000, bp in 0_u32..=10_000) {
        let rate = TaxRate::new(bp).unwrap();
        let (included, added) = (tax_included(amount, rate), tax_on_net(amount, rate));
        let (amount, bp) = (i128::from(amount), i128::from(bp));
        prop_assert!(2 * (i128::from(included) * (10_000 + bp) - amount * bp).abs() <= 10_000 + bp);
        prop_assert!(2 * (i128::from(added) * 10_000 - amount * bp).abs() <= 10_000);
        prop_assert_eq!(tax_on_net(-i64::try_from(amount).unwrap(), rate), -added);
    }

    #[test]
    fn stock_is_conserved(moves in proptest::collection::vec((proptest::sample::select(MovementKind::ALL), 1_i64..1_000), 0..60)) {
        let movements: Vec<Movement> = moves
            .iter()
            .map(|(kind, quantity)| Movement::new(domain::id::BranchId::NIL, domain::id::PartId::NIL, *kind, *quantity))
            .collect();
        let sums = Conservation::of(&movements);
        prop_assert!(sums.balanced());
        prop_assert_eq!(account_sums(&movements).values().sum::<i64>(), 0);
        prop_assert_eq!(sums.on_hand, movements.iter().map(Movement::on_hand_delta).sum::<i64>());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn edits_made_apart_converge(
        before in proptest::collection::vec(any_act(), 0..8),
        here in proptest::collection::vec(any_act(), 0..10),
        there in proptest::collection::vec(any_act(), 0..10),
    ) {
        let base = act(created(1), &before, 1);
        let (one, two) = (act(base.clone(), &here, 2), act(base, &there, 3));
        let (left, right) = (merged(&one, &two), merged(&two, &one));
        prop_assert_eq!(tree(&left).unwrap(), tree(&right).unwrap());
        prop_assert_eq!(view(&left), view(&right));
        let reloaded = Automerge::load(&left.save_nocompress()).unwrap();
        prop_assert_eq!(view(&reloaded), view(&left));
        for conflict in view(&left).conflicts {
            prop_assert!(conflict.values.len() > 1);
        }
    }
}
