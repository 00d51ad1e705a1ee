//! Transfers: the fold and the rules.

use domain::id::{BranchId, PartId, TransferId};
use domain::stock::{Movement, MovementKind};
use domain::transfer::{
    Arrival, ArrivalLine, Plan, PlanState, Shipment, TransferError, TransferFold, TransferLine,
    TransferRecord, TransferRequest, TransferState, check_arrival, check_transfer, fold_transfer,
    may_approve, may_cancel, may_dispute, may_receive, may_settle, may_ship,
};

const ID: TransferId = TransferId::from_bytes([1; 16]);
const SOURCE: BranchId = BranchId::from_bytes([2; 16]);
const DESTINATION: BranchId = BranchId::from_bytes([3; 16]);
const PART: PartId = PartId::from_bytes([4; 16]);

fn lines(quantity: u32) -> Vec<TransferLine> {
    vec![TransferLine {
        part: PART,
        quantity,
    }]
}

fn request() -> TransferRecord {
    let note = String::new();
    TransferRecord::Request(TransferRequest {
        id: ID,
        from: SOURCE,
        to: DESTINATION,
        lines: lines(5),
        note,
    })
}

fn plan(version: u32, state: PlanState) -> TransferRecord {
    let reason = String::new();
    TransferRecord::Plan(Plan {
        id: ID,
        from: SOURCE,
        to: DESTINATION,
        lines: lines(5),
        version,
        state,
        reason,
    })
}

fn shipment(quantity: u32) -> TransferRecord {
    TransferRecord::Shipment(Shipment {
        transfer: ID,
        lines: lines(quantity),
    })
}

fn arrival(number: u16, good: u32, damaged: u32, missing: u32) -> TransferRecord {
    let lines = vec![ArrivalLine {
        part: PART,
        good,
        damaged,
        missing,
    }];
    TransferRecord::Arrival(Arrival {
        transfer: ID,
        number,
        lines,
    })
}

fn moved(kind: MovementKind, quantity: i64, number: u16) -> TransferRecord {
    let movement =
        Movement::new(SOURCE, PART, kind, quantity).about(*ID.as_bytes(), *PART.as_bytes(), number);
    TransferRecord::Movement(movement)
}

fn fold(records: &[TransferRecord]) -> TransferFold {
    fold_transfer(records).unwrap()
}

fn shipped() -> Vec<TransferRecord> {
    vec![request(), plan(1, PlanState::Approved), shipment(5)]
}

fn with(more: &[TransferRecord]) -> TransferFold {
    fold(&[shipped(), more.to_vec()].concat())
}

#[test]
fn a_transfer_goes_from_request_to_received() {
    assert_eq!(fold_transfer(&[]), None);
    assert_eq!(fold(&[request()]).state, TransferState::Requested);
    assert_eq!(fold(&shipped()[..2]).state, TransferState::Approved);
    assert_eq!(
        (fold(&shipped()).state, fold(&shipped()).in_transit()),
        (TransferState::Shipped, 5)
    );
    let all = with(&[arrival(1, 4, 1, 0)]);
    assert_eq!(
        (all.state, all.in_transit(), all.is_ended()),
        (TransferState::Received, 0, true)
    );
}

#[test]
fn what_is_missing_stays_on_its_way_until_it_comes_or_is_written_off() {
    let short = with(&[arrival(1, 2, 1, 2)]);
    assert_eq!(
        (short.state, short.in_transit(), short.next_arrival),
        (TransferState::ReceivedShort, 2, 2)
    );
    assert_eq!(short.lines[&PART].missing, 2);
    assert_eq!(
        with(&[arrival(1, 2, 1, 2), arrival(2, 2, 0, 0)]).state,
        TransferState::Received
    );
    let off = with(&[arrival(1, 2, 1, 2), moved(MovementKind::TransitLost, 2, 1)]);
    assert_eq!((off.state, off.in_transit()), (TransferState::Lost, 0));
    let found = with(&[
        moved(MovementKind::TransitLost, 5, 1),
        moved(MovementKind::TransitFound, 5, 1),
    ]);
    assert_eq!(
        (found.state, found.in_transit()),
        (TransferState::Shipped, 5)
    );
}

#[test]
fn an_arrival_beats_lost() {
    let late = with(&[moved(MovementKind::TransitLost, 5, 1), arrival(1, 5, 0, 0)]);
    assert_eq!(
        (late.state, late.in_transit()),
        (TransferState::Received, -5)
    );
    assert_eq!(
        late.lines[&PART].found_owed(),
        5,
        "the hub takes the loss back"
    );
    let evened = with(&[
        moved(MovementKind::TransitLost, 5, 1),
        arrival(1, 5, 0, 0),
        moved(MovementKind::TransitFound, 5, 1),
    ]);
    assert_eq!(
        (
            evened.state,
            evened.in_transit(),
            evened.lines[&PART].found_owed()
        ),
        (TransferState::Received, 0, 0)
    );
}

#[test]
fn the_same_record_twice_counts_once() {
    let twice = with(&[
        shipment(5),
        arrival(1, 2, 0, 3),
        arrival(1, 2, 0, 3),
        moved(MovementKind::TransitLost, 1, 1),
        moved(MovementKind::TransitLost, 1, 1),
    ]);
    assert_eq!(
        (
            twice.in_transit(),
            twice.lines[&PART].good,
            twice.lines[&PART].lost
        ),
        (2, 2, 1)
    );
}

#[test]
fn a_cancellation_is_a_request_until_shipped() {
    let cancelled = fold(&[
        request(),
        plan(1, PlanState::Approved),
        plan(2, PlanState::Cancelled),
    ]);
    assert_eq!(
        (cancelled.state, cancelled.next_version),
        (TransferState::Cancelled, 3)
    );
    let left = with(&[plan(2, PlanState::Cancelled)]);
    assert_eq!(
        (left.state, left.shipped_despite_cancel),
        (TransferState::Shipped, true)
    );
    assert_eq!(
        fold(&[plan(2, PlanState::Cancelled), plan(1, PlanState::Approved)]).state,
        TransferState::Cancelled
    );
}

#[test]
fn a_dispute_lasts_until_settled() {
    let disputed = with(&[arrival(1, 2, 0, 3), plan(2, PlanState::Disputed)]);
    assert_eq!(disputed.state, TransferState::Disputed);
    let settled = [
        plan(2, PlanState::Disputed),
        plan(3, PlanState::Settled),
        moved(MovementKind::TransitLost, 5, 1),
    ];
    assert_eq!(with(&settled).state, TransferState::Lost);
    assert_eq!(with(&settled[..2]).state, TransferState::Shipped);
}

#[test]
fn an_arrival_known_before_its_shipment_is_held_against_the_plan() {
    let early = fold(&[plan(1, PlanState::Approved), arrival(1, 3, 0, 0)]);
    assert_eq!(early.state, TransferState::ReceivedShort);
    assert_eq!(
        fold(&[plan(1, PlanState::Approved), arrival(1, 5, 0, 0)]).state,
        TransferState::Received
    );
}

#[test]
fn each_act_has_its_branch_and_its_state() {
    let (asked, planned, gone) = (fold(&[request()]), fold(&shipped()[..2]), fold(&shipped()));
    assert_eq!(may_approve(&asked), Ok(()));
    assert!(may_approve(&planned).is_err());
    assert_eq!(may_ship(&planned, SOURCE, &[(PART, 5)]), Ok(()));
    assert_eq!(
        may_ship(&planned, DESTINATION, &[(PART, 5)]),
        Err(TransferError::OtherBranch)
    );
    assert_eq!(
        may_ship(&planned, SOURCE, &[(PART, 6)]),
        Err(TransferError::TooMany {
            part: PART,
            there: 5
        })
    );
    assert!(may_ship(&asked, SOURCE, &[]).is_err() && may_ship(&gone, SOURCE, &[]).is_err());
    assert_eq!(may_receive(&gone, DESTINATION, &[(PART, 5)]), Ok(()));
    assert!(
        may_receive(&gone, SOURCE, &[]).is_err()
            && may_receive(&planned, DESTINATION, &[]).is_err()
    );
    assert!(may_receive(&gone, DESTINATION, &[(PART, 6)]).is_err());
    assert_eq!(may_cancel(&asked).and(may_cancel(&planned)), Ok(()));
    assert!(may_cancel(&gone).is_err());
    assert_eq!(may_dispute(&gone), Ok(()));
    assert_eq!(may_settle(&gone, &[(PART, 5)]), Ok(()));
    assert!(may_settle(&gone, &[(PART, 6)]).is_err() && may_settle(&planned, &[]).is_err());
    let lost = with(&[moved(MovementKind::TransitLost, 5, 1)]);
    assert_eq!(may_receive(&lost, DESTINATION, &[(PART, 5)]), Ok(()));
}

#[test]
fn form_is_checked() {
    assert!(check_transfer(SOURCE, DESTINATION, &lines(1), "").is_empty());
    assert_eq!(check_transfer(SOURCE, SOURCE, &lines(0), "").len(), 2);
    assert_eq!(check_transfer(SOURCE, DESTINATION, &[], "").len(), 1);
    assert_eq!(
        check_transfer(SOURCE, DESTINATION, &[lines(1), lines(2)].concat(), "").len(),
        1
    );
    let line = ArrivalLine {
        part: PART,
        good: u32::MAX,
        damaged: u32::MAX,
        missing: u32::MAX,
    };
    assert_eq!(
        check_arrival(&Arrival {
            transfer: ID,
            number: 0,
            lines: vec![line]
        })
        .len(),
        2
    );
}
