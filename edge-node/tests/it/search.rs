//! The one box at size: right, open orders first, and quick.

use edge_node::app::search::{self, SearchInput};
use edge_node::store::Store;
use web_kit::wire::Personal;

use crate::app_support::*;
use crate::support::*;

fn find(store: &Store, typed: &str) -> search::SearchAnswer {
    let input = SearchInput {
        q: Personal::new(typed),
        limit: Some(20),
    };
    store
        .read_blocking(move |reader| search::find(reader, &ACTOR, &input))
        .unwrap()
}

#[test]
fn open_orders_stand_before_those_that_are_gone() {
    let (_branch, store, _) = shop();
    let old = new_visit(&store, "Akku hält eine Stunde");
    let ready = new_visit(&store, "Battery lasts one hour");
    move_to(&store, ready.id, domain::order::Status::Cancelled, None).unwrap();
    let newest = new_visit(&store, "La batterie est gonflée");
    for typed in ["battery", "Akku", "batterie", "batería"] {
        let found: Vec<_> = find(&store, typed)
            .orders
            .iter()
            .map(|order| order.id)
            .collect();
        assert_eq!(found, [newest.id, old.id, ready.id], "{typed}");
    }
    assert!(find(&store, "display").orders.is_empty());
    assert_eq!(find(&store, "battery laptop hour").orders.len(), 1);
}

#[test]
fn signs_that_mean_something_to_the_index_are_only_words() {
    let (_branch, store, _) = shop();
    new_visit(&store, "He said \"no AND never\" (OR NOT)");
    for typed in [
        "\"",
        "\"no",
        "AND",
        "NOT never",
        "(",
        "*",
        "a*b",
        "words:no",
        "^he",
        "%",
        "{a b}",
        "né-ver",
    ] {
        let found = find(&store, typed);
        assert!(found.orders.len() <= 1, "{typed}");
    }
    assert_eq!(find(&store, "NOT never").orders.len(), 1);
}

#[test]
fn who_was_found_brings_their_orders_once() {
    let (_branch, store, _) = shop();
    let ada = write_customer(&store, "Ada Lovelace", "+49 30 5551234", "ada@example.org");
    let new = edge_node::app::intake::NewVisit {
        customer_id: Some(ada),
        devices: vec![device("Moth in the relay")],
        ..Default::default()
    };
    act(&store, |tx, actor| {
        edge_node::app::intake::take_in(tx, actor, new)
    })
    .unwrap();
    for typed in ["ada", "Lovelcae", "5551234", "ada@exam", "moth ada"] {
        let found = find(&store, typed);
        let people = usize::from(typed != "moth ada");
        assert_eq!(found.customers.len(), people, "{typed}");
        assert_eq!(found.orders.len(), people, "{typed}");
    }
}
