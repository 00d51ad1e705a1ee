//! What goes back and what is promised: refunds by line with their goods, the word of the hub above a role's limit, how
//! far promises and accounts go, goods that are kept for a payment, and the end of a business day.

use domain::id::{DocumentId, PaymentId, ReceiptId, RepaymentId};
use domain::ledger::MoneyAccount;
use domain::money::{Currency, Money};
use domain::payment::{PaymentOutcome, PaymentResult, Provider, RepaymentOutcome, RepaymentResult};
use domain::staff::Role;
use domain::stock::MovementKind;
use domain::till::{AccountRow, RefundDecided, Tender, TillRules};
use edge_node::app::cash::{OpenInput, open};
use edge_node::app::day;
use edge_node::app::decision::{SettleInput, decisions, settle};
use edge_node::app::payment::{PayInput, call_off, end_holds, pay};
use edge_node::app::refund::{RefundInput, RefundLineInput, RefundView, refund};
use edge_node::app::till::{ReceiptView, SaleInput, SaleOrder, SalePart, TenderInput, sell};
use edge_node::error::AppError;
use edge_node::store::money::balance;
use edge_node::store::{Actor, Store};
use serde_json::json;
use sync_protocol::feed::FeedId;
use sync_protocol::item::{Item, Row};

use crate::app_support::*;
use crate::support::{ACTOR, BRANCH, HubFeed, apply};

const PRICE: i64 = 4_990;

fn euro(amount_minor: i64) -> Money {
    Money {
        amount_minor,
        currency: Currency::EUR,
    }
}

fn tender(kind: &str, amount: i64) -> TenderInput {
    TenderInput {
        tender: kind.to_owned(),
        amount: euro(amount),
        given: None,
        via: None,
    }
}

fn clerk() -> Actor {
    Actor {
        role: Role::Clerk,
        ..ACTOR
    }
}

fn session(store: &Store) {
    let input = OpenInput {
        register: None,
        float: euro(100_000),
    };
    act(store, move |tx, actor| open(tx, actor, &input)).unwrap();
}

fn of(store: &Store, account: MoneyAccount) -> i64 {
    store
        .read_blocking(move |reader| balance(reader, "EUR", account))
        .unwrap()
}

/// Pieces of a part over the counter.
fn sold(store: &Store, quantity: i64, kind: &str) -> ReceiptView {
    by_hand(store, "SCR-1", MovementKind::Opening, quantity).unwrap();
    let input = SaleInput {
        parts: vec![SalePart {
            sku: "SCR-1".to_owned(),
            quantity,
        }],
        tenders: vec![tender(kind, quantity * PRICE)],
        ..SaleInput::default()
    };
    act(store, move |tx, actor| sell(tx, actor, &input)).unwrap()
}

fn back(receipt: &ReceiptView, quantity: u32, goods: &str) -> RefundInput {
    RefundInput {
        lines: vec![RefundLineInput {
            line_id: receipt.lines[0].id,
            quantity,
            goods: Some(goods.to_owned()),
        }],
        reason: "does not fit".to_owned(),
        ..RefundInput::default()
    }
}

fn give(
    store: &Store,
    who: Actor,
    id: ReceiptId,
    input: RefundInput,
) -> Result<RefundView, AppError> {
    store.write_blocking(move |tx| refund(tx, &who, id, &input))
}

fn rules(limit: i64, clerk: i64) -> Item {
    Item::TillRules(Row {
        id: BRANCH,
        version: 1,
        deleted: false,
        fields: TillRules {
            promise_limit_minor: limit,
            refund_clerk_minor: clerk,
            ..TillRules::default()
        },
    })
}

fn captured(payment: PaymentId, amount_minor: i64) -> Item {
    Item::PaymentResult(PaymentResult {
        payment,
        attempt: 1,
        outcome: PaymentOutcome::Captured,
        amount_minor,
        tender: Tender::Card,
        provider: Provider::Stripe,
        reference: "pi_1".to_owned(),
        detail: String::new(),
    })
}

#[test]
fn pieces_come_back_where_they_belong_and_cash_goes_back() {
    let (branch, store, _chain) = shop();
    session(&store);
    let receipt = sold(&store, 3, "cash");
    let first = give(&store, ACTOR, receipt.id, back(&receipt, 1, "shelf")).unwrap();
    assert_eq!(
        (first.number.as_deref(), first.state.as_str()),
        (Some("BER-R-A000002"), "done")
    );
    assert_eq!(first.amount, euro(PRICE));
    assert_eq!(stock_of(&store, "SCR-1").on_hand, 1);
    give(&store, ACTOR, receipt.id, back(&receipt, 1, "scrap")).unwrap();
    give(&store, ACTOR, receipt.id, back(&receipt, 1, "stay")).unwrap();
    assert_eq!(stock_of(&store, "SCR-1").on_hand, 1);
    assert_eq!(of(&store, MoneyAccount::Till), 100_000);
    assert_eq!(of(&store, MoneyAccount::Revenue), 0);
    let more = give(&store, ACTOR, receipt.id, back(&receipt, 1, "stay")).unwrap_err();
    assert_eq!(pointers(&more), ["/lines"]);
    assert_verifies(&branch, store);
}

#[test]
fn above_the_limit_the_hub_says_yes_first() {
    let (branch, store, mut chain) = shop();
    session(&store);
    apply(&store, chain.block(&[vec![rules(200_000, PRICE)]]));
    let receipt = sold(&store, 2, "cash");
    let small = give(&store, clerk(), receipt.id, back(&receipt, 1, "shelf")).unwrap();
    assert_eq!(small.state, "done");
    let receipt = sold(&store, 2, "cash");
    let asked = give(&store, clerk(), receipt.id, back(&receipt, 2, "shelf")).unwrap();
    assert_eq!((asked.state.as_str(), &asked.number), ("asked", &None));
    assert_eq!(
        of(&store, MoneyAccount::Till),
        100_000 + 3 * PRICE,
        "nothing moved"
    );
    let with_word = |refund: &RefundView| RefundInput {
        asked_id: Some(refund.id),
        ..back(&receipt, 2, "shelf")
    };
    let early = give(&store, clerk(), receipt.id, with_word(&asked)).unwrap_err();
    assert_eq!(conflict(&early, "state"), ("not-approved", json!("asked")));
    let mut private = HubFeed::new(FeedId::private(BRANCH));
    let yes = Item::RefundDecided(RefundDecided {
        refund: asked.id,
        branch: BRANCH,
        approved: true,
        reason: "known customer".to_owned(),
    });
    apply(&store, private.block(&[vec![yes]]));
    let other = RefundInput {
        asked_id: Some(asked.id),
        ..back(&receipt, 2, "scrap")
    };
    let other = give(&store, clerk(), receipt.id, other).unwrap_err();
    assert_eq!(
        conflict(&other, "state").0,
        "not-approved",
        "not what was asked"
    );
    let done = give(&store, clerk(), receipt.id, with_word(&asked)).unwrap();
    assert_eq!((done.id, done.state.as_str()), (asked.id, "done"));
    assert_eq!(of(&store, MoneyAccount::Till), 100_000 + PRICE);
    assert_verifies(&branch, store);
}

#[test]
fn a_card_goes_back_when_it_was_captured_and_not_before() {
    let (branch, store, _chain) = shop();
    let receipt = sold(&store, 1, "card");
    let early = give(&store, ACTOR, receipt.id, back(&receipt, 1, "shelf")).unwrap_err();
    assert_eq!(conflict(&early, "left_minor"), ("not-captured", json!(0)));
    let mut private = HubFeed::new(FeedId::private(BRANCH));
    let payment = receipt.tenders[0].payment_id;
    apply(&store, private.block(&[vec![captured(payment, PRICE)]]));
    assert_eq!(of(&store, MoneyAccount::Promised), 0);
    let done = give(&store, ACTOR, receipt.id, back(&receipt, 1, "shelf")).unwrap();
    assert_eq!(
        done.tenders[0].state, "asked",
        "the provider has not said so"
    );
    assert_eq!(of(&store, MoneyAccount::RefundsDue), -PRICE);
    assert_verifies(&branch, store);
}

#[test]
fn promises_go_as_far_as_the_hub_lets_them() {
    let (branch, store, mut chain) = shop();
    apply(&store, chain.block(&[vec![rules(2 * PRICE, 0)]]));
    let first = sold(&store, 2, "card");
    by_hand(&store, "SCR-1", MovementKind::Opening, 1).unwrap();
    let input = SaleInput {
        parts: vec![SalePart {
            sku: "SCR-1".to_owned(),
            quantity: 1,
        }],
        tenders: vec![tender("card", PRICE)],
        ..SaleInput::default()
    };
    let again = input.clone();
    let full = act(&store, move |tx, actor| sell(tx, actor, &again)).unwrap_err();
    assert_eq!(
        conflict(&full, "left"),
        (
            "promise-limit",
            json!({ "amount_minor": 0, "currency": "EUR" })
        )
    );
    let payment = first.tenders[0].payment_id;
    let off = act(&store, move |tx, actor| call_off(tx, actor, payment)).unwrap();
    assert_eq!(off.state, "cancelled");
    assert_eq!(of(&store, MoneyAccount::Promised), 0);
    assert_eq!(
        of(&store, MoneyAccount::Receivable),
        2 * PRICE,
        "still owed"
    );
    act(&store, move |tx, actor| sell(tx, actor, &input)).unwrap();
    let twice = act(&store, move |tx, actor| call_off(tx, actor, payment)).unwrap_err();
    assert_eq!(conflict(&twice, "state").0, "not-open");
    assert_verifies(&branch, store);
}

/// A walk-in's promise that was called off while the line was cut and came all the same is shown as money to give back
/// until it went: by a refund of the receipt, or by the hub.
#[test]
fn a_walk_ins_card_that_was_called_off_and_came_is_given_back() {
    let (branch, store, _chain) = shop();
    session(&store);
    let open = |store: &Store| {
        let all = store.read_blocking(|reader| decisions(reader, &ACTOR));
        let all = all.unwrap().items.into_iter();
        all.filter(|one| one.kind == "give_back")
            .collect::<Vec<_>>()
    };
    let receipt = sold(&store, 2, "card");
    let payment = receipt.tenders[0].payment_id;
    act(&store, move |tx, actor| call_off(tx, actor, payment)).unwrap();
    assert!(open(&store).is_empty(), "nothing came");
    let mut private = HubFeed::new(FeedId::private(BRANCH));
    apply(&store, private.block(&[vec![captured(payment, 2 * PRICE)]]));
    let [due] = &open(&store)[..] else {
        panic!("one decision: {:?}", open(&store));
    };
    assert_eq!(due.subject, receipt.number);
    assert_eq!(due.amount, Some(euro(2 * PRICE)));
    let id = due.id.clone();
    let kept = act(&store, move |tx, actor| {
        settle(tx, actor, &id, &SettleInput::default())
    });
    let AppError::Conflict { kind, .. } = kept.unwrap_err() else {
        panic!("it ends when the money went");
    };
    assert_eq!(kind, "ends-otherwise");
    give(&store, ACTOR, receipt.id, back(&receipt, 1, "shelf")).unwrap();
    assert_eq!(open(&store)[0].amount, Some(euro(PRICE)), "half of it");
    give(&store, ACTOR, receipt.id, back(&receipt, 1, "shelf")).unwrap();
    assert!(open(&store).is_empty(), "all of it goes back");
    assert_verifies(&branch, store);
}

/// The same where the hub gives it back.
#[test]
fn what_the_hub_gives_back_is_nobodys_decision_any_more() {
    let (branch, store, _chain) = shop();
    let receipt = sold(&store, 1, "card");
    let payment = receipt.tenders[0].payment_id;
    let mut private = HubFeed::new(FeedId::private(BRANCH));
    apply(&store, private.block(&[vec![captured(payment, PRICE)]]));
    let decisions_of = |store: &Store| {
        let all = store.read_blocking(|reader| decisions(reader, &ACTOR));
        all.unwrap().items.len()
    };
    assert_eq!(decisions_of(&store), 0, "paid as it should be");
    let late = sold(&store, 1, "card");
    let payment = late.tenders[0].payment_id;
    act(&store, move |tx, actor| call_off(tx, actor, payment)).unwrap();
    apply(&store, private.block(&[vec![captured(payment, PRICE)]]));
    assert_eq!(decisions_of(&store), 1);
    let went = Item::RepaymentResult(RepaymentResult {
        repayment: RepaymentId::from_bytes([0x44; 16]),
        payment,
        attempt: 1,
        outcome: RepaymentOutcome::Repaid,
        amount_minor: PRICE,
        tender: Tender::Card,
        provider: Provider::Stripe,
        reference: "re_1".to_owned(),
        detail: String::new(),
    });
    apply(&store, private.block(&[vec![went]]));
    assert_eq!(decisions_of(&store), 0);
    assert_verifies(&branch, store);
}

#[test]
fn on_account_buys_who_has_one_and_pays_it_later() {
    let (branch, store, mut chain) = shop();
    session(&store);
    by_hand(&store, "SCR-1", MovementKind::Opening, 5).unwrap();
    let customer = DocumentId::from_bytes([0x77; 16]);
    let basket = move |quantity: i64| SaleInput {
        customer_id: Some(customer),
        parts: vec![SalePart {
            sku: "SCR-1".to_owned(),
            quantity,
        }],
        tenders: vec![tender("account", quantity * PRICE)],
        ..SaleInput::default()
    };
    let none = act(&store, move |tx, actor| sell(tx, actor, &basket(1))).unwrap_err();
    assert_eq!(conflict(&none, "left").0, "no-account");
    let account = Item::Account(Row {
        id: customer,
        version: 1,
        deleted: false,
        fields: AccountRow {
            limit_minor: 2 * PRICE,
            due_days: 30,
        },
    });
    apply(&store, chain.block(&[vec![account]]));
    act(&store, move |tx, actor| sell(tx, actor, &basket(2))).unwrap();
    let over = act(&store, move |tx, actor| sell(tx, actor, &basket(1))).unwrap_err();
    assert_eq!(conflict(&over, "left").0, "account-limit");
    let claim = move |amount: i64| SaleInput {
        customer_id: Some(customer),
        claim: Some(euro(amount)),
        tenders: vec![tender("cash", amount)],
        ..SaleInput::default()
    };
    let much = act(&store, move |tx, actor| sell(tx, actor, &claim(3 * PRICE))).unwrap_err();
    assert_eq!(pointers(&much), ["/claim"]);
    act(&store, move |tx, actor| sell(tx, actor, &claim(2 * PRICE))).unwrap();
    assert_eq!(of(&store, MoneyAccount::Receivable), 0);
    act(&store, move |tx, actor| sell(tx, actor, &basket(1))).unwrap();
    assert_verifies(&branch, store);
}

#[test]
fn goods_are_kept_for_a_payment_and_money_that_comes_later_is_a_decision() {
    let (mut branch, store, _chain) = shop();
    by_hand(&store, "SCR-1", MovementKind::Opening, 1).unwrap();
    let order = new_visit(&store, "cracked");
    add_line(&store, order.id, part_line("SCR-1", 1)).unwrap();
    let id = order.id;
    let input = PayInput {
        tender: "card".to_owned(),
        amount: euro(PRICE),
        given: None,
        hold: true,
    };
    let paid = act(&store, move |tx, actor| pay(tx, actor, id, &input)).unwrap();
    assert_eq!(paid.tenders[0].state, "queued");
    let payment = paid.tenders[0].payment_id;
    assert_eq!(store.write_blocking(end_holds).unwrap(), 0, "still kept");
    assert_eq!(stock_of(&store, "SCR-1").free, 0);
    drop(store);
    let store = branch.open();
    assert_eq!(store.write_blocking(end_holds).unwrap(), 1);
    assert_eq!(store.write_blocking(end_holds).unwrap(), 0, "once");
    assert_eq!(stock_of(&store, "SCR-1").free, 1);
    let mut private = HubFeed::new(FeedId::private(BRANCH));
    apply(&store, private.block(&[vec![captured(payment, PRICE)]]));
    assert_eq!(of(&store, MoneyAccount::Card), PRICE, "the money counts");
    let waiting = store
        .read_blocking(|reader| decisions(reader, &ACTOR))
        .unwrap();
    let late = &waiting.items[0];
    assert_eq!(
        (late.kind.as_str(), late.subject.as_str()),
        ("late_payment", order.number.as_str())
    );
    let decision = late.id.clone();
    let again = SettleInput {
        choice: "reserve".to_owned(),
        reason: "still on the shelf".to_owned(),
    };
    let settled = act(&store, move |tx, actor| {
        settle(tx, actor, &decision, &again)
    })
    .unwrap();
    assert!(!settled.open);
    assert_eq!(stock_of(&store, "SCR-1").free, 0, "set aside again");
    assert_verifies(&branch, store);
}

#[test]
fn a_day_that_has_passed_is_closed_once_and_today_when_somebody_says_so() {
    let (branch, store, _chain) = shop();
    session(&store);
    sold(&store, 1, "cash");
    assert_eq!(
        store.write_blocking(|tx| day::close_passed(tx, 2)).unwrap(),
        0,
        "it is not over"
    );
    let closed = act(&store, |tx, actor| day::close(tx, actor, "2026-11-21")).unwrap();
    assert_eq!(closed.open_sessions, 1);
    let future = act(&store, |tx, actor| day::close(tx, actor, "2026-11-23")).unwrap_err();
    assert_eq!(pointers(&future), ["/business_date"]);
    let odd = act(&store, |tx, actor| day::close(tx, actor, "yesterday")).unwrap_err();
    assert_eq!(pointers(&odd), ["/business_date"]);
    assert_verifies(&branch, store);
}

#[test]
fn what_is_paid_ahead_for_an_order_is_a_deposit() {
    let (branch, store, _chain) = shop();
    session(&store);
    let order = new_visit(&store, "cracked");
    let id = order.id;
    let input = PayInput {
        tender: "cash".to_owned(),
        amount: euro(2_000),
        given: Some(euro(5_000)),
        hold: false,
    };
    let paid = act(&store, move |tx, actor| pay(tx, actor, id, &input)).unwrap();
    assert_eq!(paid.tenders[0].change, euro(3_000));
    assert_eq!(of(&store, MoneyAccount::Deposits), -2_000);
    let early = SaleInput {
        orders: vec![SaleOrder {
            order_id: id,
            deposit: None,
        }],
        ..SaleInput::default()
    };
    let early = act(&store, move |tx, actor| sell(tx, actor, &early)).unwrap_err();
    assert_eq!(conflict(&early, "status").0, "not-ready");
    let back = RefundInput {
        lines: vec![RefundLineInput {
            line_id: paid.lines[0].id,
            quantity: 1,
            goods: None,
        }],
        reason: "changed their mind".to_owned(),
        ..RefundInput::default()
    };
    give(&store, ACTOR, paid.id, back).unwrap();
    assert_eq!(of(&store, MoneyAccount::Deposits), 0);
    assert_eq!(of(&store, MoneyAccount::Till), 100_000);
    assert_verifies(&branch, store);
}
