//! Accounts of business customers, baskets put aside, and the end of a day as people bring it about.

use domain::cash::denominations;
use domain::id::DocumentId;
use domain::ledger::MoneyAccount;
use domain::money::{Currency, Money};
use domain::stock::MovementKind;
use domain::till::AccountRow;
use edge_node::app::account::{AccountView, of as account_of};
use edge_node::app::cash::{CloseInput, OpenInput, close, open};
use edge_node::app::day;
use edge_node::app::parked_basket::{list, park, take_back};
use edge_node::app::refund::{RefundInput, RefundLineInput, refund};
use edge_node::app::till::{ReceiptView, SaleInput, SalePart, TenderInput, sell};
use edge_node::error::AppError;
use edge_node::store::Store;
use edge_node::store::money::balance;
use sync_protocol::item::{Item, Row};

use crate::app_support::*;
use crate::support::{ACTOR, HubFeed, apply};

const FIRM: DocumentId = DocumentId::from_bytes([0x77; 16]);
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

fn with_account(store: &Store, chain: &mut HubFeed, limit_minor: i64) {
    let account = Item::Account(Row {
        id: FIRM,
        version: 1,
        deleted: false,
        fields: AccountRow {
            limit_minor,
            due_days: 14,
        },
    });
    apply(store, chain.block(&[vec![account]]));
}

fn till(store: &Store) -> domain::id::SessionId {
    let input = OpenInput {
        register: None,
        float: euro(10_000),
    };
    act(store, move |tx, actor| open(tx, actor, &input))
        .unwrap()
        .id
}

fn parts(quantity: i64, tenders: Vec<TenderInput>) -> SaleInput {
    SaleInput {
        customer_id: Some(FIRM),
        parts: vec![SalePart {
            sku: "SCR-1".to_owned(),
            quantity,
        }],
        tenders,
        ..SaleInput::default()
    }
}

fn claim(amount: i64, tenders: Vec<TenderInput>) -> SaleInput {
    SaleInput {
        customer_id: Some(FIRM),
        claim: Some(euro(amount)),
        tenders,
        ..SaleInput::default()
    }
}

fn sale(store: &Store, input: SaleInput) -> Result<ReceiptView, AppError> {
    act(store, move |tx, actor| sell(tx, actor, &input))
}

fn account(store: &Store) -> Option<AccountView> {
    store
        .read_blocking(|reader| account_of(reader, &ACTOR, FIRM))
        .unwrap()
}

#[test]
fn an_account_is_paid_off_in_parts_and_its_entries_come_to_what_is_owed() {
    let (branch, store, mut chain) = shop();
    till(&store);
    by_hand(&store, "SCR-1", MovementKind::Opening, 9).unwrap();
    assert_eq!(account(&store), None, "nobody bought on account");
    with_account(&store, &mut chain, 5 * PRICE);
    let fresh = account(&store).unwrap();
    assert_eq!((fresh.owed_minor, fresh.left_minor), (0, 5 * PRICE));
    let first = sale(&store, parts(2, vec![tender("account", 2 * PRICE)])).unwrap();
    sale(&store, parts(1, vec![tender("account", PRICE)])).unwrap();
    // Half in cash, some by bank: the oldest is paid first.
    let paid = claim(PRICE + 10, vec![tender("cash", PRICE), tender("bank", 10)]);
    let receipt = sale(&store, paid).unwrap();
    assert_eq!((receipt.gross, receipt.due), (euro(0), euro(PRICE + 10)));
    assert_eq!(receipt.lines[0].kind, "claim");
    let now = account(&store).unwrap();
    assert_eq!(now.owed_minor, 2 * PRICE - 10);
    assert_eq!(now.left_minor, 3 * PRICE + 10);
    let open: Vec<i64> = now.entries.iter().map(|one| one.open_minor).collect();
    assert_eq!(open, [0, PRICE, PRICE - 10], "newest first");
    assert_eq!(now.entries[2].number, first.number);
    assert!(now.open_since_ms.is_some() && !now.is_overdue);
    // One piece of the first sale comes back: it is owed no more.
    let back = RefundInput {
        lines: vec![RefundLineInput {
            line_id: first.lines[0].id,
            quantity: 1,
            goods: Some("shelf".to_owned()),
        }],
        reason: "too many".to_owned(),
        ..RefundInput::default()
    };
    let id = first.id;
    act(&store, move |tx, actor| refund(tx, actor, id, &back)).unwrap();
    let rest = account(&store).unwrap();
    assert_eq!(rest.owed_minor, PRICE - 10);
    let sum: i64 = rest.entries.iter().map(|one| one.amount_minor).sum();
    assert_eq!(sum, rest.owed_minor);
    let receivable = store
        .read_blocking(|reader| balance(reader, "EUR", MoneyAccount::Receivable))
        .unwrap();
    assert_eq!(receivable, rest.owed_minor, "as the ledger says");
    assert_verifies(&branch, store);
}

#[test]
fn what_is_owed_is_not_paid_by_owing_it_again() {
    let (_branch, store, mut chain) = shop();
    till(&store);
    by_hand(&store, "SCR-1", MovementKind::Opening, 9).unwrap();
    with_account(&store, &mut chain, 50 * PRICE);
    sale(&store, parts(1, vec![tender("account", PRICE)])).unwrap();
    let again = sale(&store, claim(PRICE, vec![tender("account", PRICE)])).unwrap_err();
    assert_eq!(conflict(&again, "").0, "claim-on-account");
    // Goods may go on account beside a claim that is paid.
    let both = SaleInput {
        claim: Some(euro(PRICE)),
        ..parts(1, vec![tender("account", PRICE), tender("cash", PRICE)])
    };
    sale(&store, both).unwrap();
    assert_eq!(account(&store).unwrap().owed_minor, PRICE);
}

#[test]
fn baskets_wait_at_the_branch_alone_and_each_comes_back_once() {
    let (mut branch, store, mut chain) = shop();
    by_hand(&store, "SCR-1", MovementKind::Opening, 9).unwrap();
    with_account(&store, &mut chain, PRICE);
    let tip = store.tip().borrow().seq;
    let empty = act(&store, |tx, actor| park(tx, actor, &SaleInput::default())).unwrap_err();
    assert_eq!(pointers(&empty), ["/orders"]);
    let basket = parts(2, vec![tender("cash", 2 * PRICE)]);
    let kept = basket.clone();
    act(&store, move |tx, actor| park(tx, actor, &kept)).unwrap();
    let other = parts(1, Vec::new());
    act(&store, move |tx, actor| park(tx, actor, &other)).unwrap();
    assert_eq!(store.tip().borrow().seq, tip, "nothing of it is in the log");
    assert_eq!(stock_of(&store, "SCR-1").free, 9, "nothing is reserved");
    drop(store);
    let store = branch.open();
    let waiting = store.read_blocking(|reader| list(reader, &ACTOR)).unwrap();
    assert_eq!(waiting.len(), 2, "after a restart");
    assert_eq!(waiting[0].staff, Some(ACTOR.staff));
    assert_eq!(waiting[0].view.totals.due_minor, 2 * PRICE);
    let id = waiting[0].id;
    let instead = parts(3, Vec::new());
    let back = act(&store, move |tx, actor| take_back(tx, actor, id, &instead)).unwrap();
    assert_eq!(
        back.sale,
        SaleInput {
            tenders: Vec::new(),
            ..basket
        }
    );
    let twice = act(&store, move |tx, actor| {
        take_back(tx, actor, id, &SaleInput::default())
    })
    .unwrap_err();
    assert_eq!(conflict(&twice, "").0, "parked-gone");
    let waiting = store.read_blocking(|reader| list(reader, &ACTOR)).unwrap();
    let pieces: Vec<i64> = waiting
        .iter()
        .map(|one| one.view.parts[0].quantity)
        .collect();
    assert_eq!(pieces, [1, 3], "the one that stood there waits now");
    assert!(
        waiting.iter().all(|one| one.id > id),
        "numbers never return"
    );
    assert_verifies(&branch, store);
}

#[test]
fn a_day_is_closed_once_the_till_is_counted_and_again_when_more_was_sold() {
    let (branch, store, _chain) = shop();
    by_hand(&store, "SCR-1", MovementKind::Opening, 9).unwrap();
    let session = till(&store);
    let days = |store: &Store| {
        store
            .read_blocking(|reader| day::recent(reader, &ACTOR, 7))
            .unwrap()
    };
    let today = days(&store).remove(0);
    assert!(today.is_today && today.word.is_none() && !today.may_close());
    let blocked = act(&store, day::close_today).unwrap_err();
    assert_eq!(conflict(&blocked, "").0, "session-open");
    let note = denominations(Currency::EUR)[2];
    let count = CloseInput {
        counted: vec![edge_node::app::cash::CountInput {
            value_minor: note,
            pieces: u32::try_from(10_000 / note).unwrap(),
        }],
        left: None,
        reason: String::new(),
    };
    act(&store, move |tx, actor| close(tx, actor, session, &count)).unwrap();
    assert!(days(&store)[0].may_close());
    let closed = act(&store, day::close_today).unwrap();
    let today = days(&store).remove(0);
    assert_eq!(today.date, closed.business_date);
    let word = today.word.clone().unwrap();
    assert_eq!((word.times, word.word.open_sessions), (1, 0));
    assert!(!today.may_close(), "nothing happened since");
    sale(&store, parts(1, vec![tender("card", PRICE)])).unwrap();
    let today = days(&store).remove(0);
    assert_eq!(today.papers_since, 1);
    assert!(today.may_close());
    act(&store, day::close_today).unwrap();
    let date = closed.business_date;
    let again = store
        .read_blocking(move |reader| day::one(reader, &ACTOR, &date))
        .unwrap();
    let word = again.word.unwrap();
    assert_eq!((word.times, again.papers_since), (2, 0));
    let sum: i64 = word.word.balances.iter().map(|one| one.balance_minor).sum();
    assert_eq!(sum, 0, "the ledger of the word balances");
    let unknown = store
        .read_blocking(|reader| day::one(reader, &ACTOR, "1999-01-01"))
        .unwrap_err();
    assert!(matches!(unknown, AppError::NotFound { .. }));
    assert_verifies(&branch, store);
}
