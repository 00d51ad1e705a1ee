//! Money that comes in together and money that comes in one by one is the same money (INV-15).
//!
//! The hub writes each table of a commit in one statement. What belongs to one receipt, refund, session or payment in
//! the same commit must come out as if each transaction had had a commit of its own.

use std::collections::BTreeMap;

use domain::day::{
    DayClosed, MoneyCorrection, SettlementKind, SettlementLine, SettlementMatch, SignOff,
};
use domain::id::{BranchId, CorrectionId, DocumentId, PaymentId, SessionId};
use domain::ledger::MoneyAccount;
use domain::money::Currency;
use domain::payment::{
    Hold, HoldState, PaymentCancelled, PaymentOutcome, PaymentResult, Provider, RepaymentOutcome,
    RepaymentResult,
};
use domain::till::{Refund, RefundDecided, Tender};
use sync_protocol::block::LogEntry;
use sync_protocol::item::Item;

use crate::night::shop::tell_items;
use crate::support::World;
use crate::till::Till;

/// Receipts of the day.
const RECEIPTS: u32 = 280;

/// Tables that a branch's log fills, each with rows after [`whole_log`].
const FILLED: [&str; 16] = [
    "audit.exception",
    "inventory.movement",
    "payments.balance",
    "payments.cash_move",
    "payments.entry",
    "payments.hold",
    "payments.order_money",
    "payments.paper",
    "payments.payment",
    "payments.receipt",
    "payments.record",
    "payments.refund",
    "payments.refund_asked",
    "payments.session",
    "reconciliation.day_closed",
    "sync.outbox",
];

fn hold(payment: PaymentId, order: u8, until_ms: i64, state: HoldState) -> Item {
    Item::Hold(Hold {
        payment,
        order: DocumentId::from_bytes([order; 16]),
        until_ms,
        state,
    })
}

/// Refunds that ask first, in every order that a log can have, and some that come twice.
fn refunds(till: &mut Till) -> Vec<LogEntry> {
    let mut entries = Vec::new();
    for order in [
        "asked",
        "asked given",
        "given asked",
        "asked asked given asked",
        "given given",
    ] {
        let receipt = till.receipt();
        entries.push(till.sale(&receipt));
        let refund = till.refund(&receipt);
        for step in order.split(' ') {
            entries.push(match step {
                "asked" => till.asked(&refund),
                _ => till.branch.tx(vec![Item::Refund(refund.clone())]),
            });
        }
    }
    entries
}

/// A session that is counted before it begins and twice after, and one that begins twice.
fn sessions(till: &mut Till) -> Vec<LogEntry> {
    till.session = SessionId::from_random(&mut till.branch.entropy);
    let opened = till.opened();
    let counts = [till.closed(), till.closed(), till.closed()].map(Item::CashClosed);
    let [early, count, late] = counts;
    let items = [early, opened.clone(), opened, count, late];
    items
        .into_iter()
        .map(|item| till.branch.tx(vec![item]))
        .collect()
}

/// Payments that are called off, also before anybody asked for them; goods that are kept; a receipt that comes twice.
fn payments(till: &mut Till) -> Vec<LogEntry> {
    let mut entries = Vec::new();
    let receipt = till.receipt();
    let card = receipt.tenders[1].payment;
    entries.push(till.sale(&receipt));
    let more = [
        Item::Receipt(receipt),
        hold(card, 1, 10, HoldState::Begun),
        hold(card, 2, 20, HoldState::Begun),
        hold(card, 3, 15, HoldState::RanOut),
        Item::PaymentCancelled(PaymentCancelled { payment: card }),
    ];
    entries.extend(more.map(|item| till.branch.tx(vec![item])));
    let mut receipt = till.receipt();
    receipt.currency = "USD".parse().unwrap();
    let payment = receipt.tenders[1].payment;
    let early = Item::PaymentCancelled(PaymentCancelled { payment });
    entries.push(till.branch.tx(vec![early]));
    entries.push(till.sale(&receipt));
    entries
}

/// A day of a till with all that can go wrong in it, and the branch's word.
fn whole_log(till: &mut Till) -> Vec<LogEntry> {
    let mut entries = till.day(RECEIPTS);
    entries.push(till.open());
    entries.extend(refunds(till));
    entries.extend(payments(till));
    entries.push(till.close());
    entries.extend(sessions(till));
    let word = DayClosed {
        business_day: till.branch.business_day,
        currency: Currency::EUR,
        feed: 0,
        documents: 0,
        documents_digest: [0; 32],
        parts: 0,
        stock_digest: [0; 32],
        balances: Vec::new(),
        numbers: Vec::new(),
        open_sessions: 0,
        open_orders: 0,
    };
    entries.push(till.branch.tx(vec![Item::DayClosed(word)]));
    entries
}

/// The rows of a table as text, without their place in the apply order, which is a group's and not a transaction's.
#[allow(
    clippy::disallowed_methods,
    reason = "the tables are named above and in the catalogue"
)]
async fn rows(world: &World, table: &str) -> Vec<String> {
    let statement = format!("select (to_jsonb(t) - 'ord')::text from {table} t");
    let mut rows: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(statement))
        .fetch_all(world.hub.pool())
        .await
        .unwrap();
    rows.sort_unstable();
    rows
}

/// Every table of money with its rows.
async fn money(world: &World) -> BTreeMap<String, Vec<String>> {
    let schema: Vec<String> = sqlx::query_scalar(
        "select 'payments.' || tablename from pg_tables where schemaname = 'payments'",
    )
    .fetch_all(world.hub.pool())
    .await
    .unwrap();
    let filled = FILLED.map(str::to_owned);
    let names = schema.into_iter().chain(filled);
    let mut tables = BTreeMap::new();
    for name in names {
        let found = rows(world, &name).await;
        tables.insert(name, found);
    }
    tables
}

/// A hub of which nobody works off the jobs, so that its tables hold what the commits put there.
async fn idle_world() -> World {
    let world = World::new().await;
    world
        .execute(
            "create function leave() returns trigger language plpgsql as 'begin return null; end'",
        )
        .await;
    world
        .execute("create trigger idle before update on sync.outbox for each row execute function leave()")
        .await;
    world
}

async fn commits(world: &World) -> i64 {
    world
        .count("select count(distinct ord) from payments.receipt")
        .await
}

#[tokio::test]
async fn a_day_in_one_commit_is_the_same_day_one_by_one() {
    let (mut together, mut apart) = (idle_world().await, idle_world().await);
    let mut first = Till::new(together.branch("BER").await);
    let mut second = Till::new(apart.branch("BER").await);
    let log = whole_log(&mut first);
    let same = whole_log(&mut second);
    assert!((300..=512).contains(&log.len()), "{}", log.len());
    assert_eq!(
        log.last().unwrap().transaction,
        same.last().unwrap().transaction
    );

    first.branch.send(&together.hub, log).await;
    assert_eq!(commits(&together).await, 1, "all receipts share a commit");
    for entry in same {
        second.branch.send(&apart.hub, vec![entry]).await;
    }
    let receipts = apart.count("select count(*) from payments.receipt").await;
    assert!(receipts > i64::from(RECEIPTS));
    assert_eq!(commits(&apart).await, receipts);

    let (together, apart) = (money(&together).await, money(&apart).await);
    for name in FILLED {
        assert!(!apart[name].is_empty(), "{name} has rows to compare");
    }
    for (name, rows) in &apart {
        let other = &together[name];
        for (one, two) in rows.iter().zip(other) {
            assert_eq!(one, two, "{name}: one by one, and together");
        }
        assert_eq!(rows.len(), other.len(), "{name}");
    }
}

fn decided(refund: &Refund, branch: BranchId, approved: bool, reason: &str) -> Item {
    Item::RefundDecided(RefundDecided {
        refund: refund.id,
        branch,
        approved,
        reason: reason.to_owned(),
    })
}

fn charge(branch: BranchId, payment: PaymentId, fee_minor: i64) -> Item {
    Item::SettlementLine(SettlementLine {
        provider: Provider::Stripe,
        reference: "txn_1".to_owned(),
        kind: SettlementKind::Charge,
        branch,
        payment: Some(payment),
        repayment: None,
        payout: String::new(),
        amount_minor: 5_400,
        fee_minor,
        currency: Currency::EUR,
        at_ms: 1,
    })
}

fn matched(payment: Option<PaymentId>, reason: &str) -> Item {
    Item::SettlementMatch(SettlementMatch {
        provider: Provider::Stripe,
        reference: "txn_1".to_owned(),
        payment,
        reason: reason.to_owned(),
    })
}

fn captured(payment: PaymentId, attempt: u16, outcome: PaymentOutcome) -> Item {
    Item::PaymentResult(PaymentResult {
        payment,
        attempt,
        outcome,
        amount_minor: if outcome == PaymentOutcome::Captured {
            5_400
        } else {
            0
        },
        tender: Tender::Card,
        provider: Provider::Stripe,
        reference: format!("pi_{attempt}"),
        detail: String::new(),
    })
}

fn repaid(refund: &Refund, outcome: RepaymentOutcome) -> Item {
    let tender = &refund.tenders[1];
    Item::RepaymentResult(RepaymentResult {
        repayment: tender.id,
        payment: tender.payment,
        attempt: 1,
        outcome,
        amount_minor: if outcome == RepaymentOutcome::Repaid {
            tender.amount_minor
        } else {
            0
        },
        tender: Tender::Card,
        provider: Provider::Stripe,
        reference: "re_1".to_owned(),
        detail: String::new(),
    })
}

/// What the hub says goes in commits of its own; a replay puts all of it into one, with the branch's transactions.
#[tokio::test]
async fn a_replay_in_one_commit_comes_to_what_came_one_by_one() {
    let mut world = World::new().await;
    let mut till = Till::new(world.branch("BER").await);
    let (hub, branch) = (world.hub.clone(), till.branch.branch);
    let receipt = till.receipt();
    let card = receipt.tenders[1].payment;
    let refund = till.refund(&receipt);
    let early = vec![till.open(), till.sale(&receipt)];
    till.branch.send(&hub, early).await;
    tell_items(&world, vec![captured(card, 1, PaymentOutcome::Declined)]).await;
    tell_items(&world, vec![captured(card, 2, PaymentOutcome::Captured)]).await;
    tell_items(&world, vec![matched(None, "before there is a line")]).await;
    tell_items(&world, vec![charge(branch, card, 100)]).await;
    tell_items(&world, vec![charge(branch, card, 0)]).await;
    tell_items(
        &world,
        vec![matched(Some(receipt.tenders[0].payment), "by mistake")],
    )
    .await;
    tell_items(&world, vec![matched(None, "its own after all")]).await;

    let asked = till.asked(&refund);
    till.branch.send(&hub, vec![asked]).await;
    tell_items(&world, vec![decided(&refund, branch, false, "at first")]).await;
    tell_items(&world, vec![decided(&refund, branch, true, "it is broken")]).await;
    let given = till.branch.tx(vec![Item::Refund(refund.clone())]);
    till.branch.send(&hub, vec![given]).await;
    tell_items(&world, vec![decided(&refund, branch, false, "too late")]).await;
    tell_items(&world, vec![repaid(&refund, RepaymentOutcome::Asked)]).await;
    tell_items(&world, vec![repaid(&refund, RepaymentOutcome::Repaid)]).await;

    let correction = MoneyCorrection {
        id: CorrectionId::from_bytes([9; 16]),
        branch,
        from: MoneyAccount::Till,
        to: MoneyAccount::Safe,
        amount_minor: 100,
        currency: Currency::EUR,
        undoes: None,
        reason: "counted again".to_owned(),
    };
    let sign_off = |signed| {
        Item::SignOff(SignOff {
            business_day: 20_000,
            branch,
            signed,
            reason: "looked at".to_owned(),
        })
    };
    let last = vec![Item::MoneyCorrection(correction), sign_off(true)];
    tell_items(&world, last).await;
    tell_items(&world, vec![sign_off(false)]).await;
    let closed = till.close();
    till.branch.send(&hub, vec![closed]).await;

    let asked = "select count(*) from payments.refund_asked where state = 'done' and reason = 'it is broken'";
    assert_eq!(world.count(asked).await, 1);
    let line =
        "select count(*) from payments.settlement where matched = payment and fee_minor = 100";
    assert_eq!(world.count(line).await, 1);
    world.verified().await;
}
