//! The ledger: free stock is never taken twice (INV-6), one business key counts once (INV-3).

use domain::stock::{Movement, MovementKind, check_free};
use edge_node::error::AppError;
use edge_node::store::{parked, stock, verify};
use sync_protocol::item::{Item, command};

use crate::support::*;

#[test]
fn eight_writers_never_take_more_than_is_free() {
    let mut branch = Branch::new();
    let store = branch.open();
    receive(&store, part(1), 100);
    write_reserve(&store, part(1), 20);
    let takers: Vec<_> = (0..8)
        .map(|_| {
            let store = store.clone();
            std::thread::spawn(move || (0..40).filter(|_| take_one(&store).is_ok()).count())
        })
        .collect();
    let taken: usize = takers.into_iter().map(|taker| taker.join().unwrap()).sum();
    assert_eq!(taken, 80);
    let balance = store
        .read_blocking(|reader| stock::balance(reader, part(1)))
        .unwrap();
    assert_eq!(
        (balance.on_hand, balance.reserved, balance.free()),
        (20, 20, 0)
    );
    let newest = store
        .read_blocking(|reader| stock::movements(reader, Some(part(1)), None, 500))
        .unwrap();
    assert_eq!(newest.len(), 81);
    assert_eq!(newest[0].balance_after, 20);
    drop(store);
    let report = verify(branch.path()).unwrap();
    assert!(report.ok, "{report:?}");
}

fn take_one(store: &edge_node::store::Store) -> Result<(), AppError> {
    store.write_blocking(|tx| {
        let balance = stock::balance(&tx.reader(), part(1))?;
        check_free(balance.on_hand, balance.reserved, 1)
            .map_err(|short| AppError::conflict("short", short.to_string()))?;
        tx.begin(command::STOCK, &ACTOR)?;
        tx.fact(Item::Movement(Movement::new(
            BRANCH,
            part(1),
            MovementKind::Scrap,
            1,
        )))?;
        Ok(())
    })
}

#[test]
fn reservations_open_change_and_end() {
    let mut branch = Branch::new();
    let store = branch.open();
    receive(&store, part(2), 10);
    let line = write_reserve(&store, part(2), 4);
    let reserved = || {
        store
            .read_blocking(|reader| stock::balance(reader, part(2)))
            .unwrap()
            .reserved
    };
    assert_eq!(reserved(), 4);
    write_release(&store, line);
    assert_eq!(reserved(), 0);
    write_release(&store, line);
    assert_eq!(reserved(), 0);
    let found = store
        .read_blocking(|reader| stock::reservation(reader, line))
        .unwrap()
        .unwrap();
    assert!(!found.is_open);
    drop(store);
    assert!(verify(branch.path()).unwrap().ok);
}

#[test]
fn a_second_fact_with_the_same_business_key_is_kept_and_moves_nothing() {
    let mut branch = Branch::new();
    let store = branch.open();
    receive(&store, part(3), 10);
    let used = Movement::new(BRANCH, part(3), MovementKind::Use, 2).about([1; 16], [2; 16], 1);
    write_movement(&store, used.clone());
    let second = write_movement(&store, used);
    let balance = store
        .read_blocking(|reader| stock::balance(reader, part(3)))
        .unwrap();
    assert_eq!((balance.on_hand, balance.movements), (8, 3));
    let shown = store
        .read_blocking(|reader| stock::movement(reader, second))
        .unwrap()
        .unwrap();
    assert!(shown.superseded);
    drop(store);
    assert!(verify(branch.path()).unwrap().ok);
}

#[test]
fn history_may_go_below_zero_and_opens_a_decision_until_it_is_counted() {
    let mut branch = Branch::new();
    let store = branch.open();
    write_movement(
        &store,
        Movement::new(BRANCH, part(4), MovementKind::Scrap, 3),
    );
    let decisions = store.read_blocking(parked::decisions).unwrap();
    assert_eq!(decisions.len(), 1);
    assert_eq!(
        (decisions[0].kind.as_str(), decisions[0].subject),
        ("count_part", *part(4).as_bytes())
    );
    write_movement(
        &store,
        Movement::new(BRANCH, part(4), MovementKind::AdjustFound, 5),
    );
    assert!(store.read_blocking(parked::decisions).unwrap().is_empty());
}
