//! Money at the hub: what tills write is booked once, what providers say goes back to the branch, and all of it follows
//! from the logs.

use domain::cash::{CashClosed, CashOpened, Counted, DayReport};
use domain::id::{DocumentId, LineId, PaymentId, ReceiptId, RefundId, RepaymentId, SessionId};
use domain::money::Currency;
use domain::order::RateTotal;
use domain::payment::{PaymentOutcome, PaymentResult, Provider};
use domain::till::{
    CardWay, Goods, Receipt, ReceiptLine, ReceiptLineKind, Refund, RefundLine, RefundTender,
    Tender, TenderLine,
};
use hub::app::Actor;
use sync_protocol::item::{Item, command};

use crate::support::World;

fn session() -> SessionId {
    SessionId::from_bytes([0x51; 16])
}

fn card() -> PaymentId {
    PaymentId::from_bytes([0x52; 16])
}

fn order() -> DocumentId {
    DocumentId::from_bytes([0x53; 16])
}

/// Work for 119.00 with 19 % in it: 50.00 in cash, the rest by card.
fn receipt() -> Receipt {
    Receipt {
        id: ReceiptId::from_bytes([0x50; 16]),
        register: 1,
        session: Some(session()),
        series: b'A',
        number: 1,
        customer: None,
        currency: Currency::EUR,
        lines: vec![ReceiptLine {
            id: LineId::from_bytes([0x54; 16]),
            kind: ReceiptLineKind::Service,
            order: Some(order()),
            part: None,
            text: "Screen replaced".to_owned(),
            quantity: 1,
            unit_minor: 11_900,
            tax_bp: 1900,
            includes_tax: true,
        }],
        tenders: vec![
            TenderLine {
                payment: PaymentId::from_bytes([0x55; 16]),
                tender: Tender::Cash,
                amount_minor: 5_000,
                given_minor: 5_000,
                way: None,
            },
            TenderLine {
                payment: card(),
                tender: Tender::Card,
                amount_minor: 6_900,
                given_minor: 6_900,
                way: Some(CardWay::Link),
            },
        ],
    }
}

fn opened() -> Item {
    Item::CashOpened(CashOpened {
        id: session(),
        register: 1,
        currency: Currency::EUR,
        float_minor: 10_000,
    })
}

fn captured(attempt: u16) -> Item {
    Item::PaymentResult(PaymentResult {
        payment: card(),
        attempt,
        outcome: PaymentOutcome::Captured,
        amount_minor: 6_900,
        tender: Tender::Card,
        provider: Provider::Stripe,
        reference: "pi_1".to_owned(),
        detail: String::new(),
    })
}

fn closed() -> Item {
    Item::CashClosed(CashClosed {
        session: session(),
        counted: vec![Counted {
            value_minor: 5_000,
            pieces: 3,
        }],
        expected_minor: 15_000,
        left_minor: 0,
        reason: String::new(),
        series: b'A',
        number: 1,
        former: [0; 32],
        report: DayReport::default(),
    })
}

fn refund() -> Item {
    Item::Refund(Refund {
        id: RefundId::from_bytes([0x56; 16]),
        receipt: receipt().id,
        register: 1,
        session: None,
        series: b'A',
        number: 2,
        currency: Currency::EUR,
        lines: vec![RefundLine {
            line: LineId::from_bytes([0x54; 16]),
            quantity: 1,
            goods: Goods::Stay,
        }],
        rates: vec![RateTotal {
            tax_bp: 1900,
            net_minor: 10_000,
            tax_minor: 1_900,
            gross_minor: 11_900,
        }],
        deposits_minor: 0,
        tenders: vec![
            RefundTender {
                id: RepaymentId::from_bytes([0x57; 16]),
                payment: card(),
                tender: Tender::Card,
                amount_minor: 6_900,
            },
            RefundTender {
                id: RepaymentId::from_bytes([0x58; 16]),
                payment: PaymentId::from_bytes([0x55; 16]),
                tender: Tender::Bank,
                amount_minor: 5_000,
            },
        ],
        reason: "does not hold".to_owned(),
    })
}

async fn balance(world: &World, account: i16) -> i64 {
    sqlx::query_scalar(
        "select coalesce(sum(balance_minor), 0)::bigint from payments.balance where account = $1",
    )
    .bind(account)
    .fetch_one(world.hub.pool())
    .await
    .unwrap()
}

async fn say(world: &World, item: Item) {
    let mut tx = world
        .hub
        .begin(Actor::SYSTEM, command::PAYMENT)
        .await
        .unwrap();
    tx.fact(item);
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_receipt_is_booked_once_and_the_card_follows_its_result() {
    let mut world = World::new().await;
    let mut berlin = world.branch("BER").await;
    let hub = world.hub.clone();
    berlin.hello(&hub).await.unwrap();
    let entries = vec![
        berlin.tx(vec![opened()]),
        berlin.tx(vec![Item::Receipt(receipt())]),
        berlin.tx(vec![Item::Receipt(receipt())]),
    ];
    berlin.send(&hub, entries).await;
    let (till, card_account, promised, revenue, tax) = (1, 3, 5, 9, 10);
    assert_eq!(balance(&world, till).await, 15_000);
    assert_eq!(balance(&world, promised).await, 6_900);
    assert_eq!(balance(&world, revenue).await, -10_000);
    assert_eq!(balance(&world, tax).await, -1_900);
    assert_eq!(
        world.count("select count(*) from payments.receipt").await,
        1
    );
    let doubles = "select count(*) from audit.exception where kind = 'contradiction'";
    assert_eq!(world.count(doubles).await, 1);
    let jobs = "select count(*) from sync.outbox where kind = 'ask' and state = 'waiting'";
    assert_eq!(world.count(jobs).await, 1);
    say(&world, captured(1)).await;
    assert_eq!(balance(&world, promised).await, 0);
    assert_eq!(balance(&world, card_account).await, 6_900);
    let told = berlin.private_items(&hub).await;
    let results = told
        .iter()
        .filter(|item| matches!(item, Item::PaymentResult(_)));
    assert_eq!(results.count(), 1, "the branch learns of it");
    let owed = "select count(*) from audit.exception where kind = 'payment'";
    assert_eq!(world.count(owed).await, 0);
    say(&world, captured(2)).await;
    assert_eq!(world.count(owed).await, 1, "captured twice is for people");
    let sums = "select count(*) from (select 1 from payments.balance group by branch_id, currency
        having sum(balance_minor) <> 0) as unbalanced";
    assert_eq!(world.count(sums).await, 0);
    world.verified().await;
}

#[tokio::test]
async fn a_session_and_a_refund_are_booked_and_numbered() {
    let mut world = World::new().await;
    let mut berlin = world.branch("BER").await;
    let hub = world.hub.clone();
    berlin.hello(&hub).await.unwrap();
    let entries = vec![
        berlin.tx(vec![opened()]),
        berlin.tx(vec![Item::Receipt(receipt())]),
        berlin.tx(vec![refund()]),
        berlin.tx(vec![closed()]),
    ];
    berlin.send(&hub, entries).await;
    assert_eq!(balance(&world, 1).await, 0, "counted into the safe");
    assert_eq!(balance(&world, 13).await, -11_900, "due until it went");
    let invoiced = "select sum(invoiced_minor)::bigint from payments.order_money";
    assert_eq!(world.count(invoiced).await, 0, "given back");
    assert_eq!(world.count("select count(*) from payments.paper").await, 3);
    let repay = "select count(*) from sync.outbox where kind = 'repay'";
    assert_eq!(world.count(repay).await, 1, "the bank is not asked");
    world.verified().await;
}

#[tokio::test]
async fn only_the_hub_says_what_became_of_money() {
    let mut world = World::new().await;
    let mut berlin = world.branch("BER").await;
    let hub = world.hub.clone();
    berlin.hello(&hub).await.unwrap();
    let entries = vec![berlin.tx(vec![captured(1)])];
    berlin.send(&hub, entries).await;
    assert_eq!(world.count("select count(*) from sync.parked").await, 1);
    assert_eq!(
        world.count("select count(*) from payments.payment").await,
        0
    );
    world.verified().await;
}
