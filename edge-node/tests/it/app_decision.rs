//! What people decide: counting a part below zero, keeping one of two values, taking that back. And what leaves as files.

use domain::document::{DocumentKind, Edit, apply_edits};
use domain::id::DocumentId;
use domain::stock::Movement;
use domain::stock::MovementKind;
use edge_node::app::decision::{self, ResolveInput, SettleInput, Settled};
use edge_node::app::export::{ExportFormat, ExportWhat, chunk};
use edge_node::app::{document as documents, settings, sync_status};
use edge_node::error::AppError;
use edge_node::store::{Store, document};
use serde_json::{Value, json};
use sync_protocol::feed::FeedId;
use sync_protocol::item::Item;
use sync_protocol::position::{Epoch, NodeId, actor};
use web_kit::list::ListQuery;

use crate::app_support::*;
use crate::support::*;

/// Hub and branch write the same field apart; the hub's is the first entry of its private feed.
fn contradict(store: &Store, id: DocumentId, kind: DocumentKind, theirs: &[Edit], ours: Vec<Edit>) {
    let mut hub = HubFeed::new(FeedId::private(BRANCH));
    contradict_through(&mut hub, store, id, kind, theirs, ours);
}

/// Hub and branch write the same field apart; the hub's comes by this feed.
pub fn contradict_through(
    hub: &mut HubFeed,
    store: &Store,
    id: DocumentId,
    kind: DocumentKind,
    theirs: &[Edit],
    ours: Vec<Edit>,
) {
    let base = store
        .read_blocking(|reader| document::get(reader, id))
        .unwrap()
        .unwrap();
    let applied = apply_edits(
        Some(base.automerge()),
        &actor(NodeId::HUB, Epoch(99)),
        theirs,
    )
    .unwrap()
    .unwrap();
    act(store, move |tx, by| {
        tx.begin(sync_protocol::item::command::ORDER_EDIT, by)?;
        tx.edit_document(id, kind, &ours).map(|_| ())
    })
    .unwrap();
    apply(
        store,
        hub.block(&[vec![Item::change(id, kind, applied.change)]]),
    );
}

fn resolve(store: &Store, id: &str, keep: &str, value: Option<Value>) -> Result<Settled, AppError> {
    let (id, input) = (
        id.to_owned(),
        ResolveInput {
            keep: keep.to_owned(),
            value,
        },
    );
    act(store, move |tx, by| decision::resolve(tx, by, &id, &input))
}

#[test]
fn a_conflict_is_shown_settled_and_taken_back() {
    let (branch, store, _) = shop();
    let order = new_visit(&store, "x");
    let text = |text: &str| Edit::text(&["diagnosis"], text);
    contradict(
        &store,
        order.id,
        DocumentKind::Order,
        &[text("by the hub")],
        vec![text("by the branch")],
    );
    let list = || {
        store
            .read_blocking(|reader| decision::conflicts(reader, &ACTOR))
            .unwrap()
            .items
    };
    let shown = list();
    assert_eq!(
        (shown.len(), shown[0].path.join("/")),
        (1, "diagnosis".to_owned())
    );
    assert_eq!(shown[0].number.as_ref(), Some(&order.number));
    let ours = shown[0]
        .values
        .iter()
        .find(|rival| rival.value == json!("by the branch"))
        .unwrap();
    assert_eq!(ours.staff_id, Some(ACTOR.staff));
    assert!(order_of(&store, order.id).conflict);
    let shown_now = order_of(&store, order.id).diagnosis;

    let id = shown[0].id.clone();
    assert_eq!(
        pointers(&resolve(&store, &id, "z", None).unwrap_err()),
        ["/keep"]
    );
    assert_eq!(
        pointers(&resolve(&store, &id, "a", Some(json!(7))).unwrap_err()),
        ["/value"]
    );
    assert!(matches!(
        resolve(&store, "nonsense", "a", None),
        Err(AppError::NotFound { .. })
    ));
    assert!(!resolve(&store, &id, "both", None).unwrap().open);
    let both = order_of(&store, order.id).diagnosis;
    assert!(
        both.contains("by the hub") && both.contains('\n') && both.contains("by the branch"),
        "{both}"
    );
    assert!(list().is_empty());
    let undone = id.clone();
    act(&store, move |tx, by| decision::undo(tx, by, &undone)).unwrap();
    assert_eq!(order_of(&store, order.id).diagnosis, shown_now);
    assert_verifies(&branch, store);
}

#[test]
fn a_part_below_zero_is_counted() {
    let (branch, store, _) = shop();
    by_hand(&store, "SCR-1", MovementKind::Opening, 1).unwrap();
    write_movement(
        &store,
        Movement::new(BRANCH, part(1), MovementKind::Scrap, 4),
    );
    let decisions = || {
        store
            .read_blocking(|reader| decision::decisions(reader, &ACTOR))
            .unwrap()
            .items
    };
    let open = decisions();
    assert_eq!(
        (open.len(), open[0].kind.as_str(), open[0].subject.as_str()),
        (1, "count_part", "SCR-1")
    );
    let settle = |choice: &str| {
        let id = open[0].id.clone();
        let input = SettleInput {
            choice: choice.to_owned(),
            reason: "counted".to_owned(),
        };
        act(&store, move |tx, by| decision::settle(tx, by, &id, &input))
    };
    assert_eq!(pointers(&settle("some").unwrap_err()), ["/choice"]);
    assert!(!settle("2").unwrap().open);
    assert!(decisions().is_empty());
    assert_eq!(stock_of(&store, "SCR-1").on_hand, 2);
    assert_verifies(&branch, store);
}

#[test]
fn documents_digests_settings_and_state_are_shown() {
    let (branch, store, _) = shop();
    let id = new_visit(&store, "x").id;
    let digest = store
        .read_blocking(|reader| documents::digest(reader, &ACTOR))
        .unwrap();
    assert_eq!(
        (digest.count, digest.branches[0].branch.as_deref()),
        (1, Some("BER"))
    );
    assert_eq!(digest.branches[0].digest, digest.digest);
    let shown = store
        .read_blocking(|reader| documents::get(reader, &ACTOR, id))
        .unwrap();
    assert_eq!(shown.content["device"]["fault"], "x");
    let (saved, etag) = store
        .read_blocking(|reader| documents::save(reader, &ACTOR, id))
        .unwrap();
    assert_eq!(etag, shown.etag());
    assert_eq!(
        automerge::Automerge::load(&saved)
            .unwrap()
            .get_heads()
            .len(),
        1
    );
    let list = |page: ListQuery| {
        store
            .read_blocking(|reader| documents::list(reader, &ACTOR, None, &page))
            .unwrap()
    };
    assert_eq!(list(ListQuery::default()).items[0].id, id);
    let applies = store
        .read_blocking(|reader| settings::get(reader, &ACTOR))
        .unwrap();
    assert_eq!(
        (applies.prices_include_tax, applies.branch.code.as_str()),
        (true, "BER")
    );
    let epoch = store.epoch();
    let state = store
        .read_blocking(|reader| sync_status::get(reader, &ACTOR, epoch))
        .unwrap();
    assert_eq!(
        (state.log.seq, state.log.stored, state.pending.transactions),
        (1, 0, 1)
    );
    assert!(state.pending.bytes > 0 && state.pending.oldest_at.is_some());
    assert_verifies(&branch, store);
}

#[test]
fn exports_hold_everything() {
    let (branch, store, _) = shop();
    by_hand(&store, "SCR-1", MovementKind::Opening, 7).unwrap();
    for n in 0..260 {
        new_visit(&store, &format!("fault, \"{n}\""));
    }
    let export = |what, format| {
        let (mut bytes, mut after, mut chunks) = (Vec::new(), None, 0);
        loop {
            let part = store
                .read_blocking(|reader| chunk(reader, &ACTOR, what, format, after.take()))
                .unwrap();
            bytes.extend(part.bytes);
            chunks += 1;
            after = part.next;
            if after.is_none() {
                return (String::from_utf8(bytes).unwrap(), chunks);
            }
        }
    };
    let (orders, chunks) = export(ExportWhat::Orders, ExportFormat::Csv);
    assert_eq!((orders.lines().count(), chunks), (261, 2));
    assert!(orders.starts_with("id,number,"));
    assert!(orders.contains("\"fault, \"\"259\"\"\""));
    let (lines, _) = export(ExportWhat::Orders, ExportFormat::Jsonl);
    assert!(
        lines
            .lines()
            .all(|line| serde_json::from_str::<Value>(line).unwrap()["number"].is_string())
    );
    let (movements, _) = export(ExportWhat::Movements, ExportFormat::Csv);
    assert!(
        movements.contains("SCR-1") && movements.contains(",opening,7,opening,on_hand,"),
        "{movements}"
    );
    assert_eq!(
        export(ExportWhat::Stock, ExportFormat::Csv)
            .0
            .lines()
            .count(),
        2
    );
    assert_eq!(
        export(ExportWhat::Customers, ExportFormat::Csv)
            .0
            .lines()
            .count(),
        1
    );
    assert_verifies(&branch, store);
}
