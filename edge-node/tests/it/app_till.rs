//! The till: what is collected, paid ahead or sold over the counter is one receipt, and goods, claims and money agree.

use domain::ledger::MoneyAccount;
use domain::money::{Currency, Money};
use domain::order::{LineKind, Outcome, Status};
use domain::stock::MovementKind;
use edge_node::app::cash::{OpenInput, open};
use edge_node::app::order::form::LineInput;
use edge_node::app::till::{
    ReceiptView, SaleInput, SaleOrder, SalePart, TenderInput, by_number, sell,
};
use edge_node::error::AppError;
use edge_node::store::Store;
use edge_node::store::money::balance;
use serde_json::json;

use crate::app_support::*;
use crate::support::ACTOR;

fn euro(amount_minor: i64) -> Money {
    Money {
        amount_minor,
        currency: Currency::EUR,
    }
}

fn tender(kind: &str, amount: i64, given: Option<i64>) -> TenderInput {
    TenderInput {
        tender: kind.to_owned(),
        amount: euro(amount),
        given: given.map(euro),
        via: None,
    }
}

fn session(store: &Store) {
    let input = OpenInput {
        register: None,
        float: euro(10_000),
    };
    act(store, move |tx, actor| open(tx, actor, &input)).unwrap();
}

fn sale(store: &Store, input: SaleInput) -> Result<ReceiptView, AppError> {
    act(store, move |tx, actor| sell(tx, actor, &input))
}

fn of(store: &Store, account: MoneyAccount) -> i64 {
    store
        .read_blocking(move |reader| balance(reader, "EUR", account))
        .unwrap()
}

/// An order over work for 79.00, ready.
fn ready(store: &Store) -> edge_node::app::order::form::Order {
    let order = new_visit(store, "does not charge");
    let work = LineInput {
        kind: LineKind::Service,
        text: Some("Charging port replaced".to_owned()),
        sku: None,
        quantity: 1,
        unit_price: Some(euro(7_900)),
        tax_rate_bp: Some(1900),
    };
    add_line(store, order.id, work).unwrap();
    move_to(store, order.id, Status::InRepair, None).unwrap();
    move_to(store, order.id, Status::Ready, Some(Outcome::Repaired)).unwrap()
}

#[test]
fn an_order_and_a_part_are_paid_in_cash_and_handed_over() {
    let (branch, store, _chain) = shop();
    session(&store);
    by_hand(&store, "SCR-1", MovementKind::Opening, 5).unwrap();
    let order = ready(&store);
    let price = 4_990;
    let due = 7_900 + 2 * price;
    let input = SaleInput {
        orders: vec![SaleOrder {
            order_id: order.id,
            deposit: None,
        }],
        parts: vec![SalePart {
            sku: "SCR-1".to_owned(),
            quantity: 2,
        }],
        tenders: vec![tender("cash", due, Some(due + 500))],
        ..SaleInput::default()
    };
    let receipt = sale(&store, input).unwrap();
    assert_eq!(receipt.number, "BER-R-A000001");
    assert_eq!(receipt.due, euro(due));
    assert_eq!(receipt.tenders[0].change, euro(500));
    assert_eq!(receipt.tenders[0].state, "captured");
    assert_eq!(order_of(&store, order.id).status, Status::Collected);
    assert_eq!(stock_of(&store, "SCR-1").on_hand, 3);
    assert_eq!(of(&store, MoneyAccount::Till), 10_000 + due);
    assert_eq!(
        of(&store, MoneyAccount::Revenue) + of(&store, MoneyAccount::Tax),
        -due
    );
    let again = store
        .read_blocking(|reader| by_number(reader, &ACTOR, "ber-r-a1"))
        .unwrap();
    assert_eq!(again, receipt);
    assert_verifies(&branch, store);
}

#[test]
fn a_deposit_is_taken_off_when_the_order_is_collected() {
    let (branch, store, _chain) = shop();
    session(&store);
    let order = ready(&store);
    let ahead = SaleInput {
        orders: vec![SaleOrder {
            order_id: order.id,
            deposit: Some(euro(3_000)),
        }],
        tenders: vec![tender("cash", 3_000, None)],
        ..SaleInput::default()
    };
    let deposit = sale(&store, ahead).unwrap();
    assert_eq!(deposit.gross, euro(0));
    assert_eq!(of(&store, MoneyAccount::Deposits), -3_000);
    let collect = |amount: i64| SaleInput {
        orders: vec![SaleOrder {
            order_id: order.id,
            deposit: None,
        }],
        tenders: vec![tender("card", amount, None)],
        ..SaleInput::default()
    };
    let all = sale(&store, collect(7_900)).unwrap_err();
    let (kind, due) = conflict(&all, "due");
    assert_eq!(
        (kind, due),
        (
            "unequal",
            json!({ "amount_minor": 4_900, "currency": "EUR" })
        )
    );
    assert_eq!(
        order_of(&store, order.id).status,
        Status::Ready,
        "nothing happened"
    );
    let receipt = sale(&store, collect(4_900)).unwrap();
    assert_eq!(receipt.number, "BER-R-A000002");
    assert_eq!(receipt.deposits_off, euro(3_000));
    assert_eq!(receipt.tenders[0].state, "queued");
    assert_eq!(of(&store, MoneyAccount::Deposits), 0);
    assert_eq!(of(&store, MoneyAccount::Promised), 4_900);
    let twice = sale(&store, collect(4_900)).unwrap_err();
    assert_eq!(conflict(&twice, "number").0, "invoiced");
    assert_verifies(&branch, store);
}

#[test]
fn what_cannot_be_sold_is_refused_and_nothing_moves() {
    let (_branch, store, _chain) = shop();
    let part = |quantity: i64| SaleInput {
        parts: vec![SalePart {
            sku: "SCR-1".to_owned(),
            quantity,
        }],
        tenders: vec![tender("cash", 1, None)],
        ..SaleInput::default()
    };
    let short = sale(&store, part(1)).unwrap_err();
    assert_eq!(conflict(&short, "free").0, "short-of-stock");
    by_hand(&store, "SCR-1", MovementKind::Opening, 5).unwrap();
    let no_session = sale(&store, part(1)).unwrap_err();
    assert_eq!(pointers(&no_session), ["/tenders/0"]);
    session(&store);
    let unequal = sale(&store, part(1)).unwrap_err();
    assert_eq!(conflict(&unequal, "due").0, "unequal");
    let order = new_visit(&store, "cracked");
    let early = SaleInput {
        orders: vec![SaleOrder {
            order_id: order.id,
            deposit: None,
        }],
        ..SaleInput::default()
    };
    let early = sale(&store, early).unwrap_err();
    assert_eq!(conflict(&early, "status"), ("not-ready", json!("received")));
    let empty = sale(&store, SaleInput::default()).unwrap_err();
    assert_eq!(pointers(&empty), ["/orders"]);
    assert_eq!(stock_of(&store, "SCR-1").on_hand, 5);
    assert_eq!(of(&store, MoneyAccount::Till), 10_000);
}
