//! Documents on both sides: what our own edits make is taken, and what a hostile branch makes is refused with its
//! reason, leaving the document as it was (INV-19, INV-22, T-3, T-14).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use automerge::transaction::{CommitOptions, Transactable};
use automerge::{ActorId, Automerge, ObjType, ROOT};
use domain::document::policy::Writer;
use domain::document::{DocumentKind, Edit};
use domain::env::SeededEntropy;
use domain::id::{BranchId, DocumentId, EventId, StaffId, VisitId};
use domain::order::{
    Device, NewOrder, Status, StatusMove, add_note, create_order, move_status, read_order,
};
use sync_protocol::document::{ChangeRefusal, Document, Sender};
use sync_protocol::item::{Change, Origin};
use sync_protocol::position::{Epoch, NodeId, actor};

const BRANCH: BranchId = BranchId::from_bytes([1; 16]);
const ORDER: DocumentId = DocumentId::from_bytes([2; 16]);

fn branch_actor() -> [u8; 12] {
    actor(NodeId(7), Epoch(70))
}

fn origin(actor: [u8; 12]) -> Origin {
    Origin {
        actor,
        seq: 0,
        staff: StaffId::from_bytes([3; 16]),
        hlc: 5 << 16,
    }
}

fn sender(actor: [u8; 12], writer: Writer) -> Sender {
    let branch = (writer != Writer::Hub).then_some(BRANCH);
    Sender {
        actor,
        writer,
        branch,
        staff: StaffId::from_bytes([3; 16]),
        hlc: 5 << 16,
        limit_bytes: 256 * 1024,
    }
}

fn new_order(branch: BranchId) -> Vec<Edit> {
    let mut entropy = SeededEntropy::new(1);
    create_order(&NewOrder {
        number: domain::number::order_number("BER", &mut entropy),
        branch,
        visit: VisitId::from_bytes([4; 16]),
        customer: None,
        source: None,
        prices_include_tax: true,
        currency: "EUR".parse().unwrap(),
        device: Device {
            category: "Laptop".to_owned(),
            fault: "does not start".to_owned(),
            ..Device::default()
        },
        promised_at_ms: None,
        technician: None,
        urgent: false,
        terms_at_ms: None,
        staff: StaffId::from_bytes([3; 16]),
        moves: vec![StatusMove {
            id: EventId::from_bytes([5; 16]),
            to: Status::Received,
            outcome: None,
            at_ms: 1_000,
        }],
    })
    .unwrap()
}

fn created(branch: BranchId) -> (Document, Change) {
    let edits = new_order(branch);
    let (document, chunk) = Document::edit(
        None,
        ORDER,
        DocumentKind::Order,
        origin(branch_actor()),
        &edits,
    )
    .unwrap()
    .unwrap();
    (document, change(chunk))
}

fn change(chunk: Vec<u8>) -> Change {
    Change {
        document: ORDER,
        document_kind: DocumentKind::Order.code(),
        chunk,
    }
}

fn edit(before: &Document, actor: [u8; 12], edits: &[Edit]) -> (Document, Change) {
    let (document, chunk) = Document::edit(
        Some(before),
        ORDER,
        DocumentKind::Order,
        origin(actor),
        edits,
    )
    .unwrap()
    .unwrap();
    (document, change(chunk))
}

/// A change made by hand on a copy, past the domain's edits.
fn by_hand(
    before: &Document,
    actor: [u8; 12],
    make: impl FnOnce(&mut automerge::transaction::Transaction<'_>),
) -> Change {
    let mut copy = before.automerge().clone();
    copy.set_actor(ActorId::from(&actor[..]));
    let mut transaction = copy.transaction();
    make(&mut transaction);
    transaction.commit_with(CommitOptions::default());
    change(copy.get_last_local_change().unwrap().raw_bytes().to_vec())
}

#[test]
fn what_one_side_writes_the_other_takes_to_the_same_heads_and_bytes() {
    let (mut ours, first) = created(BRANCH);
    let home = sender(branch_actor(), Writer::Home);
    let mut theirs = Document::receive(None, &first, &home).unwrap();
    for number in 0..30u8 {
        let view = read_order(ours.automerge()).unwrap();
        let note = add_note(
            &view,
            EventId::from_bytes([100 + number; 16]),
            "still here",
            StaffId::NIL,
            2_000,
        )
        .unwrap();
        let (edited, change) = edit(&ours, branch_actor(), &note);
        theirs = Document::receive(Some(&theirs), &change, &home).unwrap();
        ours = edited;
    }
    assert_eq!(ours.heads(), theirs.heads());
    assert_eq!(ours.hash(), theirs.hash());
    assert_eq!(ours.origins(), theirs.origins());
    assert_eq!(ours.save(), theirs.save());
    let loaded = Document::load(
        ORDER,
        DocumentKind::Order,
        &theirs.save(),
        theirs.heads(),
        Vec::new(),
    )
    .unwrap();
    assert_eq!(
        read_order(loaded.automerge()).unwrap(),
        read_order(ours.automerge()).unwrap()
    );
    assert_eq!(theirs.owner(), Some(BRANCH));
}

#[test]
fn concurrent_edits_of_branch_and_hub_converge_in_either_order() {
    let (document, _) = created(BRANCH);
    let hub_actor = actor(NodeId::HUB, Epoch(9));
    let (branch_side, from_branch) = edit(
        &document,
        branch_actor(),
        &[
            Edit::text(&["diagnosis"], "mainboard"),
            Edit::bool(&["urgent"], true),
        ],
    );
    let (hub_side, from_hub) = edit(
        &document,
        hub_actor,
        &[Edit::text(&["diagnosis"], "battery")],
    );
    let at_branch = Document::receive(
        Some(&branch_side),
        &from_hub,
        &sender(hub_actor, Writer::Hub),
    )
    .unwrap();
    let at_hub = Document::receive(
        Some(&hub_side),
        &from_branch,
        &sender(branch_actor(), Writer::Home),
    )
    .unwrap();
    assert_eq!(at_branch.heads(), at_hub.heads());
    let view = read_order(at_hub.automerge()).unwrap();
    assert_eq!(view, read_order(at_branch.automerge()).unwrap());
    assert_eq!(
        view.conflicts.len(),
        1,
        "two different values under one key are a conflict"
    );
}

#[test]
fn a_foreign_branch_actor_or_kind_is_refused() {
    let (_, foreign) = created(BranchId::from_bytes([9; 16]));
    let home = sender(branch_actor(), Writer::Home);
    assert_eq!(
        Document::receive(None, &foreign, &home).unwrap_err(),
        ChangeRefusal::Owner
    );
    let (document, first) = created(BRANCH);
    let other = sender(actor(NodeId(8), Epoch(70)), Writer::Home);
    assert_eq!(
        Document::receive(None, &first, &other).unwrap_err(),
        ChangeRefusal::Actor
    );
    assert_eq!(
        Document::receive(Some(&document), &first, &home).unwrap_err(),
        ChangeRefusal::Exists
    );
    let unknown = Change {
        document_kind: 77,
        ..first
    };
    assert_eq!(
        Document::receive(None, &unknown, &home).unwrap_err(),
        ChangeRefusal::Kind(77)
    );
}

#[test]
fn a_gap_is_refused_by_the_missing_dependency() {
    let (first, _) = created(BRANCH);
    let (second, _) = edit(&first, branch_actor(), &[Edit::bool(&["urgent"], true)]);
    let (_, third) = edit(&second, branch_actor(), &[Edit::text(&["diagnosis"], "x")]);
    let home = sender(branch_actor(), Writer::Home);
    let missing = second.heads()[0];
    assert_eq!(
        Document::receive(Some(&first), &third, &home).unwrap_err(),
        ChangeRefusal::UnknownDependency(missing)
    );
    assert_eq!(
        Document::receive(None, &third, &home).unwrap_err(),
        ChangeRefusal::UnknownDocument
    );
}

#[test]
fn a_change_that_comes_twice_is_refused_by_its_number() {
    let (first, _) = created(BRANCH);
    let (second, change) = edit(&first, branch_actor(), &[Edit::bool(&["urgent"], true)]);
    let home = sender(branch_actor(), Writer::Home);
    assert_eq!(
        Document::receive(Some(&second), &change, &home).unwrap_err(),
        ChangeRefusal::Seq {
            expected: 3,
            found: 2
        }
    );
}

#[test]
fn fields_of_others_and_foreign_paths_are_refused() {
    let (document, _) = created(BRANCH);
    let hub_actor = actor(NodeId::HUB, Epoch(9));
    let view = read_order(document.automerge()).unwrap();
    let status = move_status(
        &view,
        Status::InRepair,
        None,
        EventId::from_bytes([6; 16]),
        StaffId::NIL,
        1,
    )
    .unwrap();
    let (_, moved) = edit(&document, hub_actor, &status);
    let refusal =
        Document::receive(Some(&document), &moved, &sender(hub_actor, Writer::Hub)).unwrap_err();
    assert!(
        matches!(&refusal, ChangeRefusal::Policy(reason) if reason.starts_with("status/")),
        "{refusal}"
    );
    type Make = fn(&mut automerge::transaction::Transaction<'_>);
    let hostile: [(&str, Make); 7] = [
        ("a new path", |tx| tx.put(ROOT, "backdoor", "x").unwrap()),
        ("another number", |tx| {
            tx.put(ROOT, "number", "BER-000000-0").unwrap()
        }),
        ("a container replaced", |tx| {
            tx.put_object(ROOT, "lines", ObjType::Map).unwrap();
        }),
        ("a list", |tx| {
            tx.put_object(ROOT, "diagnosis", ObjType::List).unwrap();
        }),
        ("a text object", |tx| {
            tx.put_object(ROOT, "diagnosis", ObjType::Text).unwrap();
        }),
        ("a float", |tx| tx.put(ROOT, "promised_at", 1.5).unwrap()),
        ("a removed container", |tx| {
            tx.delete(ROOT, "status").unwrap()
        }),
    ];
    for (what, make) in hostile {
        let change = by_hand(&document, branch_actor(), make);
        let refusal = Document::receive(
            Some(&document),
            &change,
            &sender(branch_actor(), Writer::Home),
        )
        .unwrap_err();
        assert!(
            matches!(refusal, ChangeRefusal::Policy(_)),
            "{what}: {refusal}"
        );
    }
}

#[test]
fn time_message_and_bombs_are_refused_by_the_scanner() {
    let (document, _) = created(BRANCH);
    let mut copy = document.automerge().clone();
    copy.set_actor(ActorId::from(&branch_actor()[..]));
    let mut transaction = copy.transaction();
    transaction.put(ROOT, "diagnosis", "x").unwrap();
    transaction.commit_with(CommitOptions::default().with_message("hello").with_time(5));
    let chunk = copy.get_last_local_change().unwrap().raw_bytes().to_vec();
    let home = sender(branch_actor(), Writer::Home);
    assert!(matches!(
        Document::receive(Some(&document), &change(chunk), &home),
        Err(ChangeRefusal::Scan(_))
    ));
    let bomb = "856f4a83cc4ea27d01360010aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa01010000000515053403420456047004\
                c0843d0161c0843dc0843d01c0843d00c0843d00";
    let bytes: Vec<u8> = (0..bomb.len() / 2)
        .map(|i| u8::from_str_radix(&bomb[2 * i..2 * i + 2], 16).unwrap())
        .collect();
    assert!(matches!(
        Document::receive(None, &change(bytes), &home),
        Err(ChangeRefusal::Scan(_))
    ));
}

#[test]
fn a_document_that_would_be_too_large_is_refused() {
    let (document, _) = created(BRANCH);
    let (_, big) = edit(
        &document,
        branch_actor(),
        &[Edit::text(&["diagnosis"], "x".repeat(4_000))],
    );
    let tight = Sender {
        limit_bytes: 2_000,
        ..sender(branch_actor(), Writer::Home)
    };
    let refusal = Document::receive(Some(&document), &big, &tight).unwrap_err();
    assert!(
        matches!(
            refusal,
            ChangeRefusal::TooLarge {
                limit_bytes: 2_000,
                ..
            }
        ),
        "{refusal}"
    );
}

#[test]
fn a_row_whose_heads_or_bytes_were_changed_does_not_load() {
    let (document, _) = created(BRANCH);
    let saved = document.save();
    let load = |saved: &[u8], heads: &[[u8; 32]]| {
        Document::load(ORDER, DocumentKind::Order, saved, heads, Vec::new())
    };
    assert!(load(&saved, document.heads()).is_ok());
    assert!(load(&saved, &[[0; 32]]).is_err());
    let mut damaged = saved.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    assert!(load(&damaged, document.heads()).is_err());
    assert!(load(&saved[..saved.len() - 3], document.heads()).is_err());
    let other = Automerge::new().save_nocompress();
    assert!(load(&other, document.heads()).is_err());
}
