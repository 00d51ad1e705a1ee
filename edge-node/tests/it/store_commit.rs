//! Commits: what was answered stands (INV-1), what failed leaves nothing and ends the epoch (INV-12, F-25).

use std::sync::{Arc, Mutex};

use edge_node::error::{AppError, StoreError};
use edge_node::store::idempotency::{Answer, Request};
use edge_node::store::{CommitFault, Touched, incident, order, verify};
use rusqlite::Connection;
use serde_json::json;

use crate::support::*;

#[test]
fn what_was_written_is_there_after_reopening_in_a_new_epoch() {
    let mut branch = Branch::new();
    let store = branch.open();
    let first_epoch = store.epoch();
    let id = write_order(&store, "does not start");
    write_note(&store, id, "capacitor").unwrap();
    let tip = *store.tip().borrow();
    assert_eq!((tip.seq, tip.epoch), (2, first_epoch));
    drop(store);
    let store = branch.open();
    assert_eq!(*store.tip().borrow(), tip);
    assert_ne!(store.epoch(), first_epoch);
    write_note(&store, id, "replaced").unwrap();
    let shown = store
        .read_blocking(|reader| order::get(reader, id))
        .unwrap()
        .unwrap();
    let notes: Vec<&str> = shown
        .view
        .notes
        .iter()
        .map(|note| note.text.as_str())
        .collect();
    assert_eq!(notes, ["capacitor", "replaced"]);
    assert_eq!(shown.view.device.fault, "does not start");
    let tip = *store.tip().borrow();
    assert_eq!((tip.seq, tip.epoch), (3, store.epoch()));
    drop(store);
    let report = verify(branch.path()).unwrap();
    assert!(report.ok, "{report:?}");
}

#[test]
fn a_failed_commit_leaves_nothing_and_ends_the_epoch() {
    let switch = Arc::new(Mutex::new(CommitFault::None));
    let mut branch = Branch::new();
    branch.faults = faults(&switch);
    let store = branch.open();
    let id = write_order(&store, "first");
    let (tip, epoch) = (*store.tip().borrow(), store.epoch());
    *switch.lock().unwrap() = CommitFault::Fail;
    let refused = write_note(&store, id, "lost").unwrap_err();
    assert!(
        matches!(refused, AppError::Store(StoreError::CommitFailed { .. })),
        "{refused}"
    );
    *switch.lock().unwrap() = CommitFault::None;
    assert_ne!(store.epoch(), epoch);
    assert_eq!(*store.tip().borrow(), tip);
    write_note(&store, id, "kept").unwrap();
    let shown = store
        .read_blocking(|reader| order::get(reader, id))
        .unwrap()
        .unwrap();
    assert_eq!(shown.view.notes.len(), 1);
    let incidents = store
        .read_blocking(|reader| incident::list(reader, None, 10))
        .unwrap();
    assert!(
        incidents
            .iter()
            .any(|incident| incident.kind == "commit_failed")
    );
    drop(store);
    assert!(verify(branch.path()).unwrap().ok);
}

#[test]
fn a_commit_whose_answer_is_lost_never_shares_its_position_with_another() {
    let switch = Arc::new(Mutex::new(CommitFault::None));
    let mut branch = Branch::new();
    branch.faults = faults(&switch);
    let store = branch.open();
    let id = write_order(&store, "first");
    let epoch = store.epoch();
    *switch.lock().unwrap() = CommitFault::LoseAnswer;
    assert!(write_note(&store, id, "written and unanswered").is_err());
    *switch.lock().unwrap() = CommitFault::None;
    write_note(&store, id, "next").unwrap();
    let tip = *store.tip().borrow();
    assert_eq!(tip.seq, 3);
    assert_ne!(tip.epoch, epoch);
    let shown = store
        .read_blocking(|reader| order::get(reader, id))
        .unwrap()
        .unwrap();
    assert_eq!(shown.view.notes.len(), 2);
    drop(store);
    let report = verify(branch.path()).unwrap();
    assert!(report.ok, "{report:?}");
}

#[test]
fn a_job_that_says_no_or_panics_leaves_nothing_and_hinders_no_other() {
    let mut branch = Branch::new();
    let store = branch.open();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let outcomes = runtime.block_on(async {
        let mut tasks = Vec::new();
        for number in 0..60 {
            let store = store.clone();
            tasks.push(tokio::spawn(async move {
                store
                    .write(move |tx| {
                        new_order(tx, "group")?;
                        match number % 3 {
                            0 => Ok(()),
                            1 => Err(AppError::Stale),
                            _ => panic!("a bug in a use case"),
                        }
                    })
                    .await
            }));
        }
        let mut outcomes = Vec::new();
        for task in tasks {
            outcomes.push(task.await.unwrap());
        }
        outcomes
    });
    assert_eq!(
        outcomes.iter().filter(|outcome| outcome.is_ok()).count(),
        20
    );
    let panicked = |outcome: &&Result<(), AppError>| {
        matches!(outcome, Err(AppError::Store(StoreError::Panicked)))
    };
    assert_eq!(outcomes.iter().filter(panicked).count(), 20);
    assert_eq!(store.tip().borrow().seq, 20);
    drop(store);
    let report = verify(branch.path()).unwrap();
    assert!(report.ok, "{report:?}");
    assert_eq!(report.documents.count, 20);
}

#[test]
fn a_second_process_and_a_newer_database_are_refused_untouched() {
    let mut branch = Branch::new();
    let store = branch.open();
    write_order(&store, "one");
    assert!(matches!(branch.try_open(), Err(StoreError::Locked { .. })));
    drop(store);
    Connection::open(branch.database())
        .unwrap()
        .pragma_update(None, "user_version", 99)
        .unwrap();
    let before = std::fs::read(branch.database()).unwrap();
    assert!(matches!(
        branch.try_open(),
        Err(StoreError::Newer { found: 99, .. })
    ));
    assert!(matches!(
        verify(branch.path()),
        Err(StoreError::Newer { .. })
    ));
    assert_eq!(std::fs::read(branch.database()).unwrap(), before);
}

#[test]
fn a_database_from_an_old_backup_is_known_at_start() {
    let mut branch = Branch::new();
    let store = branch.open();
    write_order(&store, "one");
    drop(store);
    let backup = std::fs::read(branch.database()).unwrap();
    let store = branch.open();
    assert!(!store.was_restored());
    write_order(&store, "two");
    let after_two = *store.tip().borrow();
    drop(store);
    for file in ["counterpart.db-wal", "counterpart.db-shm"] {
        drop(std::fs::remove_file(branch.path().join(file)));
    }
    std::fs::write(branch.database(), backup).unwrap();
    let store = branch.open();
    assert!(store.was_restored());
    write_order(&store, "another second");
    let tip = *store.tip().borrow();
    assert_eq!(tip.seq, after_two.seq);
    assert_ne!((tip.epoch, tip.hash), (after_two.epoch, after_two.hash));
}

#[test]
fn notices_say_what_a_commit_touched() {
    let mut branch = Branch::new();
    let store = branch.open();
    let mut notices = store.notices();
    let id = write_order(&store, "one");
    let notice = notices.try_recv().unwrap();
    assert_eq!(notice.touched, vec![Touched::Order(id)]);
    assert_eq!(notice.tip, *store.tip().borrow());
}

#[test]
fn a_key_answers_the_first_answer_also_after_reopening() {
    let mut branch = Branch::new();
    let store = branch.open();
    let ask = |store: &edge_node::store::Store, body: u8| {
        store.write_blocking(move |tx| {
            let hmac = [body; 32];
            let request = Request {
                key: Some("key-1"),
                route: "POST /api/v1/orders",
                body_hmac: &hmac,
            };
            tx.idempotent(&request, ACTOR.staff, |tx| {
                let id = new_order(tx, "once")?;
                Ok(Answer {
                    status: 201,
                    body: json!({ "id": id, "phone": "+49 30 5550100" }),
                })
            })
        })
    };
    let first = ask(&store, 1).unwrap();
    assert!(!first.is_replay);
    let again = ask(&store, 1).unwrap();
    assert!(again.is_replay);
    assert_eq!(again.answer, first.answer);
    assert!(matches!(ask(&store, 2), Err(AppError::KeyReused)));
    drop(store);
    let store = branch.open();
    let later = ask(&store, 1).unwrap();
    assert!(later.is_replay);
    assert_eq!(later.answer, first.answer);
    assert_eq!(store.tip().borrow().seq, 1);
    let refused = store.write_blocking(|tx| {
        let request = Request {
            key: Some("key-2"),
            route: "POST /x",
            body_hmac: &[0; 32],
        };
        tx.idempotent(&request, ACTOR.staff, |_| {
            Err(AppError::conflict("short", "not now"))
        })
    });
    assert!(matches!(refused, Err(AppError::Conflict { .. })));
    let retried = store.write_blocking(|tx| {
        let request = Request {
            key: Some("key-2"),
            route: "POST /x",
            body_hmac: &[0; 32],
        };
        tx.idempotent(&request, ACTOR.staff, |_| {
            Ok(Answer {
                status: 200,
                body: json!(null),
            })
        })
    });
    assert!(!retried.unwrap().is_replay);
}

#[test]
fn after_a_kill_the_write_ahead_log_is_read_and_nothing_answered_is_missing() {
    let mut branch = Branch::new();
    let store = branch.open();
    for number in 0..30 {
        write_order(&store, &format!("order {number}"));
    }
    let tip = *store.tip().borrow();
    // What a SIGKILL leaves: the files as they are, with no checkpoint and no closing.
    let mut killed = Branch::new();
    for file in [
        "counterpart.db",
        "counterpart.db-wal",
        "counterpart.db-shm",
        "secrets/storage.key",
    ] {
        std::fs::create_dir_all(killed.path().join("secrets")).unwrap();
        std::fs::copy(branch.path().join(file), killed.path().join(file)).unwrap();
    }
    let report = verify(killed.path()).unwrap();
    assert!(report.ok, "{:?}", report.differences);
    assert_eq!(report.log.seq, tip.seq);
    let reopened = killed.open();
    assert_eq!(*reopened.tip().borrow(), tip);
    assert_ne!(reopened.epoch(), store.epoch());
}

#[test]
fn a_refusal_of_the_hub_begins_a_new_epoch_with_the_next_entry() {
    let mut branch = Branch::new();
    let store = branch.open();
    let id = write_order(&store, "one");
    let first = store.epoch();
    let second = block_on(store.new_epoch()).unwrap();
    assert_ne!(first, second);
    write_note(&store, id, "in the second").unwrap();
    assert_eq!(store.tip().borrow().epoch, second);
    drop(store);
    let report = verify(branch.path()).unwrap();
    assert!(report.ok, "{:?}", report.differences);
    assert_eq!(report.tables["lineage"], 2);
}
