//! The fault zoo: for each check discrepancies planted in the real database or told by a branch, each named exactly.
//!
//! Every plant is made in a yard whose night was green, so what is named is the plant and nothing else.

use domain::day::{SettlementKind, SettlementLine};

use domain::id::{BranchId, RefundId, TransferId};
use domain::money::Currency;
use domain::payment::{Provider, RepaymentOutcome, RepaymentResult};
use domain::stock::MovementKind;
use domain::till::{Goods, RefundAsked, RefundLine, Tender};
use domain::transfer::{Plan, PlanState, Shipment, TransferLine};
use sync_protocol::item::Item;

use super::shop::{CARD, CASH, FEE, capture, tell, tell_items};
use super::{Bad, Yard, shorts};
use crate::support::part;

/// Only this check of Berlin is not green, in this state, about these records.
fn only(bad: &[Bad], check: &str, state: &str, records: &[(&str, &str)]) {
    assert_eq!(shorts(bad), [format!("BER {check} {state}")], "{bad:#?}");
    about(&bad[0], records);
}

fn about(bad: &Bad, records: &[(&str, &str)]) {
    let records: Vec<(String, String)> = records
        .iter()
        .map(|(kind, subject)| ((*kind).to_owned(), (*subject).to_owned()))
        .collect();
    assert_eq!(bad.records, records, "{bad:#?}");
}

fn of<'a>(bad: &'a [Bad], branch: &str, check: &str) -> &'a Bad {
    bad.iter()
        .find(|one| one.branch == branch && one.check.as_str() == check)
        .unwrap_or_else(|| panic!("{branch} {check} is not among {bad:#?}"))
}

async fn green(yard: &Yard) {
    assert_eq!(shorts(&yard.night().await), Vec::<String>::new());
}

#[tokio::test]
async fn log_rows_and_bytes() {
    let yard = Yard::closed().await;
    green(&yard).await;
    let branch = yard.berlin.id();
    let node = yard.berlin.branch.node;
    sqlx::raw_sql("create table kept as select * from sync.log_block")
        .execute(yard.world.hub.pool())
        .await
        .unwrap();
    let back = "truncate sync.log_block; insert into sync.log_block select * from kept";
    let restore = async || {
        sqlx::raw_sql(back)
            .execute(yard.world.hub.pool())
            .await
            .unwrap()
    };
    yard.plant(
        &format!("delete from sync.log_block where branch_id = '{branch}' and first_seq = 4"),
        1,
    )
    .await;
    let bad = yard.night().await;
    only(&bad, "log", "red", &[("log", &format!("{node}/4"))]);
    assert_eq!(
        bad[0].details,
        ["transactions 4 to 4 are not in the hub's log"]
    );
    restore().await;
    yard.plant(
        &format!("update sync.log_block set bytes = set_byte(bytes, length(bytes) - 5, get_byte(bytes, length(bytes) - 5) # 1)
            where branch_id = '{branch}' and first_seq = 3"),
        1,
    )
    .await;
    let bad = yard.night().await;
    only(&bad, "log", "red", &[("log", &format!("{node}/3"))]);
    restore().await;
    let last = yard.berlin.branch.tip.seq;
    yard.plant(
        &format!("delete from sync.log_block where branch_id = '{branch}' and last_seq = {last}"),
        1,
    )
    .await;
    let bad = yard.night().await;
    let log = of(&bad, "BER", "log");
    assert_eq!(
        log.records[0],
        ("log".to_owned(), format!("{node}/{last}")),
        "the end of the log"
    );
    restore().await;
    yard.plant(
        &format!(
            "update sync.log_block set before = set_byte(before, 0, get_byte(before, 0) # 1)
            where branch_id = '{branch}' and first_seq = 5"
        ),
        1,
    )
    .await;
    let bad = yard.night().await;
    assert_eq!(bad[0].records[0], ("log".to_owned(), format!("{node}/5")));
    restore().await;
    green(&yard).await;
}

#[tokio::test]
async fn signed_heads_and_clocks() {
    let mut yard = Yard::trading().await;
    yard.berlin.clock(yard.berlin.at(20) + 10 * 86_400_000);
    yard.close().await;
    let bad = yard.night().await;
    only(&bad, "log", "red", &[("clock", &yard.day.to_string())]);
    assert!(bad[0].details[0].contains("10 days ahead"), "{bad:?}");

    let mut yard = Yard::closed().await;
    let branch = yard.berlin.id();
    let node = yard.berlin.branch.node.to_string();
    yard.plant(&format!("update audit.signed_head set signature = set_byte(signature, 3, get_byte(signature, 3) # 1)
        where branch_id = '{branch}'"), 1).await;
    only(&yard.night().await, "log", "red", &[("head", &node)]);
    yard.plant(&format!("update audit.signed_head set signature = set_byte(signature, 3, get_byte(signature, 3) # 1),
        countersignature = null where branch_id = '{branch}'"), 1).await;
    only(&yard.night().await, "log", "red", &[("head", &node)]);
    yard.plant(
        &format!("delete from audit.signed_head where branch_id = '{branch}'"),
        1,
    )
    .await;
    only(&yard.night().await, "log", "amber", &[("head", &node)]);
    yard.berlin.sign(&yard.world).await;
    green(&yard).await;
    // A clock that was ten days behind while a receipt was written.
    let receipt = yard.berlin.last_receipt.clone().unwrap().id;
    yard.plant(&format!("update payments.receipt set business_day = business_day - 10 where receipt = '{receipt}'"), 1).await;
    let bad = yard.night().await;
    let log = of(&bad, "BER", "log");
    about(log, &[("receipt", &receipt.to_string())]);
    assert!(log.details[0].contains("10 days behind"), "{bad:?}");
}

#[tokio::test]
async fn documents() {
    let mut yard = Yard::trading().await;
    let order = yard.berlin.order.to_string();
    let flip = format!(
        "update sync.document set hash = set_byte(hash, 0, get_byte(hash, 0) # 1) where document = '{order}'"
    );
    yard.plant(&flip, 1).await;
    yard.close().await;
    let bad = yard.night().await;
    only(
        &bad,
        "documents",
        "red",
        &[("digest", &yard.day.to_string()), ("document", &order)],
    );
    // What the hub had then stays as it was; a word that comes now agrees.
    yard.plant(&flip, 1).await;
    yard.berlin.say(&yard.world).await;
    green(&yard).await;
    yard.plant(
        &format!(
            "update sync.document set saved = set_byte(saved, 12, get_byte(saved, 12) # 1)
        where document = '{order}'"
        ),
        1,
    )
    .await;
    only(
        &yard.night().await,
        "documents",
        "red",
        &[("document", &order)],
    );
    yard.plant(
        &format!(
            "update sync.document set saved = set_byte(saved, 12, get_byte(saved, 12) # 1)
        where document = '{order}'"
        ),
        1,
    )
    .await;
    yard.berlin.lie = Some(|word| word.documents += 1);
    yard.berlin.say(&yard.world).await;
    only(
        &yard.night().await,
        "documents",
        "red",
        &[("digest", &yard.day.to_string())],
    );
    // The same while an entry is on its way is for somebody to look at, no more.
    yard.berlin.lie = Some(|word| {
        word.documents -= 1;
        word.feed -= 1;
    });
    yard.berlin.say(&yard.world).await;
    only(
        &yard.night().await,
        "documents",
        "amber",
        &[("digest", &yard.day.to_string())],
    );
}

#[tokio::test]
async fn tables() {
    let yard = Yard::closed().await;
    let branch = yard.berlin.id();
    let moved = |by: i64| {
        format!(
            "update payments.balance set balance_minor = balance_minor + {by}
        where branch_id = '{branch}' and account = 3"
        )
    };
    yard.plant(&moved(100), 1).await;
    let bad = yard.night().await;
    assert_eq!(shorts(&bad), ["BER tables red", "BER ledger red"]);
    about(&bad[0], &[("balance", "card")]);
    assert_eq!(bad[0].amounts, [Some(100)]);
    about(&bad[1], &[("currency", "EUR")]);
    yard.plant(&moved(-100), 1).await;
    let card = yard.berlin.last_card.to_string();
    yard.plant(
        &format!("update payments.payment set state = 'declined' where payment = '{card}'"),
        1,
    )
    .await;
    let bad = yard.night().await;
    about(of(&bad, "BER", "tables"), &[("payment", &card)]);
    assert!(of(&bad, "BER", "tables").details[0].contains("state"));
    yard.plant(
        &format!("update payments.payment set state = 'captured' where payment = '{card}'"),
        1,
    )
    .await;
    green(&yard).await;
    let receipt = yard.berlin.last_receipt.clone().unwrap().id.to_string();
    yard.plant(
        &format!(
            "update payments.receipt set gross_minor = gross_minor + 1 where receipt = '{receipt}'"
        ),
        1,
    )
    .await;
    only(
        &yard.night().await,
        "tables",
        "red",
        &[("receipt", &receipt)],
    );
}

#[tokio::test]
async fn stock_and_reserved() {
    let mut yard = Yard::closed().await;
    let branch = yard.berlin.id();
    let screen = part(1).to_string();
    let column = |by: i64| {
        format!("update inventory.stock set on_hand = on_hand + {by} where branch_id = '{branch}'")
    };
    yard.plant(&column(1), 1).await;
    only(&yard.night().await, "stock", "red", &[("part", &screen)]);
    yard.plant(&column(-1), 1).await;
    let movement = |quantity: i64| {
        format!(
            "update inventory.movement set quantity = {quantity}
        where branch_id = '{branch}' and quantity <> 1"
        )
    };
    yard.plant(&movement(6), 1).await;
    let bad = yard.night().await;
    only(
        &bad,
        "stock",
        "red",
        &[("digest", &yard.day.to_string()), ("part", &screen)],
    );
    yard.plant(&movement(5), 1).await;
    green(&yard).await;
    yard.berlin.lie = Some(|word| word.stock_digest[0] ^= 1);
    yard.berlin.say(&yard.world).await;
    only(
        &yard.night().await,
        "stock",
        "red",
        &[("digest", &yard.day.to_string())],
    );
    yard.berlin.say(&yard.world).await;
    yard.plant(
        &format!("update inventory.stock set reserved = reserved + 2 where branch_id = '{branch}'"),
        1,
    )
    .await;
    let bad = yard.night().await;
    only(&bad, "reserved", "red", &[("part", &screen)]);
    assert!(bad[0].details[0].starts_with("2 set aside"), "{bad:?}");
    yard.plant(
        &format!("update inventory.stock set reserved = 0 where branch_id = '{branch}'"),
        1,
    )
    .await;
    yard.plant(
        &format!(
            "insert into inventory.reservation values
        ('{branch}', '{branch}', '{screen}', 3, true, 0)"
        ),
        1,
    )
    .await;
    let bad = yard.night().await;
    only(&bad, "reserved", "red", &[("part", &screen)]);
    assert!(bad[0].details[0].contains("come to 3"), "{bad:?}");
}

/// Pieces that Berlin sends to Hamburg.
async fn ship(yard: &mut Yard, id: TransferId) {
    let lines = vec![TransferLine {
        part: part(1),
        quantity: 2,
    }];
    let (from, to) = (yard.berlin.id(), yard.hamburg.id());
    tell_items(
        &yard.world,
        vec![Item::Plan(Plan {
            id,
            from,
            to,
            lines: lines.clone(),
            version: 1,
            state: PlanState::Approved,
            reason: String::new(),
        })],
    )
    .await;
    let shipment = Item::Shipment(Shipment {
        transfer: id,
        lines,
    });
    let subject = *id.as_bytes();
    let out =
        yard.berlin
            .branch
            .movement_about(part(1), MovementKind::Ship, 2, subject, [0; 16], 0);
    yard.berlin.send(&yard.world, vec![shipment, out]).await;
}

#[tokio::test]
async fn transit() {
    let mut yard = Yard::trading().await;
    let id = TransferId::from_bytes([0x77; 16]);
    ship(&mut yard, id).await;
    yard.close().await;
    green(&yard).await;
    let name = id.to_string();
    let sent = |days: i64| {
        format!("update inventory.transfer set updated_ms = updated_ms - {days} * 86400000::bigint")
    };
    yard.plant(&sent(8), 1).await;
    only(
        &yard.night().await,
        "transit",
        "amber",
        &[("transfer", &name)],
    );
    yard.plant(&sent(20), 1).await;
    only(
        &yard.night().await,
        "transit",
        "red",
        &[("transfer", &name)],
    );
    yard.plant("create table kept as select * from inventory.transfer", 1)
        .await;
    yard.plant("delete from inventory.transfer", 1).await;
    let bad = yard.night().await;
    only(&bad, "transit", "red", &[("transfer", &name)]);
    assert!(bad[0].details[0].starts_with("2 pieces"), "{bad:?}");
    yard.plant("insert into inventory.transfer select * from kept", 1)
        .await;
    yard.plant(&sent(-28), 1).await;
    green(&yard).await;
    let branch = yard.berlin.id();
    yard.plant(
        &format!(
            "update inventory.stock set in_transit = in_transit - 1 where branch_id = '{branch}'"
        ),
        1,
    )
    .await;
    only(
        &yard.night().await,
        "transit",
        "red",
        &[("part", &part(1).to_string())],
    );
}

#[tokio::test]
async fn cash() {
    let mut yard = Yard::trading().await;
    yard.berlin.miscount = (-300, "wrong change".to_owned());
    yard.close().await;
    let session = yard.berlin.session.to_string();
    let bad = yard.night().await;
    only(&bad, "cash", "amber", &[("session", &session)]);
    assert_eq!(bad[0].amounts, [Some(-300)]);
    assert!(bad[0].details[0].ends_with("wrong change"));
    let branch = yard.berlin.id();
    yard.plant(&format!("update payments.session set counted_minor = counted_minor + 300 where branch_id = '{branch}'"), 1).await;
    let bad = yard.night().await;
    only(&bad, "cash", "red", &[("session", &session)]);

    let mut yard = Yard::trading().await;
    yard.berlin.clock(yard.berlin.at(20));
    yard.berlin
        .close_drawer_with(&yard.world, |closed| {
            closed.expected_minor -= 500;
            closed.counted[0].pieces -= 500;
        })
        .await;
    yard.berlin.say(&yard.world).await;
    let session = yard.berlin.session.to_string();
    let bad = yard.night().await;
    let cash = of(&bad, "BER", "cash");
    about(cash, &[("session", &session)]);
    assert_eq!(cash.amounts, [Some(-500)], "the records come to more");
}

#[tokio::test]
async fn day_reports_chain_and_drawers_close() {
    let mut yard = Yard::trading().await;
    yard.berlin.clock(yard.berlin.at(20));
    yard.hand.set(yard.berlin.at(20));
    yard.berlin.say(&yard.world).await;
    yard.hamburg.close(&yard.world, &yard.hand).await;
    yard.hand.set(yard.night_ms);
    let session = yard.berlin.session.to_string();
    only(
        &yard.night().await,
        "cash",
        "amber",
        &[("session", &session)],
    );
    yard.berlin.close_drawer(&yard.world).await;
    yard.berlin.say(&yard.world).await;
    green(&yard).await;
    yard.day += 1;
    yard.night_ms += 86_400_000;
    for shop in [&mut yard.berlin, &mut yard.hamburg] {
        shop.begin(&yard.world, yard.day).await;
        shop.trade(&yard.world, &yard.hand).await;
    }
    yard.hamburg.close(&yard.world, &yard.hand).await;
    yard.berlin.clock(yard.berlin.at(20));
    yard.hand.set(yard.berlin.at(20));
    yard.berlin
        .close_drawer_with(&yard.world, |closed| closed.former = [7; 32])
        .await;
    yard.berlin.say(&yard.world).await;
    yard.hand.set(yard.night_ms);
    let second = yard.berlin.session.to_string();
    let bad = yard.night().await;
    only(&bad, "cash", "red", &[("session", &second)]);
    assert!(
        bad[0].details[0].contains("Z-A000002 does not carry"),
        "{bad:?}"
    );
    yard.plant(
        &format!("delete from payments.session where session = '{session}'"),
        1,
    )
    .await;
    let bad = yard.night().await;
    let gone = of(&bad, "BER", "cash");
    assert!(
        gone.details[0].contains("before Z-A000002 is not there"),
        "{bad:?}"
    );
}

#[tokio::test]
async fn ledger() {
    let mut yard = Yard::closed().await;
    let branch = yard.berlin.id();
    let drawer = format!(
        "update payments.entry set amount_minor = amount_minor + 1000
        where branch_id = '{branch}' and to_account = 1 and amount_minor = {CASH}"
    );
    yard.plant(&drawer, 1).await;
    let bad = yard.night().await;
    let ledger = of(&bad, "BER", "ledger");
    about(ledger, &[("account", "till"), ("account", "others")]);
    assert_eq!(ledger.amounts[0], Some(1_000));
    yard.plant(
        &drawer
            .replace("+ 1000", "- 1000")
            .replace("= 5000", "= 6000"),
        1,
    )
    .await;
    green(&yard).await;
    yard.berlin.lie = Some(|word| {
        word.balances[0].balance_minor += 5;
        word.balances[1].balance_minor -= 5;
    });
    yard.berlin.say(&yard.world).await;
    let bad = yard.night().await;
    only(
        &bad,
        "ledger",
        "red",
        &[("account", "till"), ("account", "safe")],
    );
    assert_eq!(bad[0].amounts, [Some(-5), Some(5)]);
}

#[tokio::test]
async fn payments_and_statements() {
    let yard = Yard::closed().await;
    let (branch, card) = (yard.berlin.id(), yard.berlin.last_card);
    capture(&yard.world, card, 2, CARD).await;
    let bad = yard.night().await;
    let twice = of(&bad, "BER", "payments");
    about(twice, &[("payment", &card.to_string())]);
    assert_eq!(twice.amounts, [Some(CARD)]);
    assert!(twice.details[0].starts_with("captured twice"));

    let yard = Yard::closed().await;
    let (card, branch_of) = (yard.berlin.last_card, branch);
    let _ = branch_of;
    let short = |by: i64| {
        format!(
            "update payments.settlement set amount_minor = amount_minor - {by} where reference = 'po_{card}'"
        )
    };
    yard.plant(&short(FEE), 1).await;
    let bad = yard.night().await;
    assert_eq!(
        shorts(&bad),
        [" payments red"],
        "a payout belongs to no branch"
    );
    about(&bad[0], &[("payout", &format!("po_{card}"))]);
    assert_eq!(bad[0].amounts, [Some(-FEE)], "short by a fee");
    yard.plant(&short(-FEE), 1).await;
    let member = |by: i64| {
        format!(
            "update payments.settlement set amount_minor = amount_minor - {by}
        where reference = 'po_{card}/txn_{card}'"
        )
    };
    yard.plant(&member(FEE), 1).await;
    let bad = yard.night().await;
    assert_eq!(shorts(&bad), ["BER payments red", " payments red"]);
    assert_eq!(bad[0].amounts, [Some(-FEE)]);
    yard.plant(&member(-FEE), 1).await;
    green(&yard).await;
    let charge = |by: i64| {
        format!(
            "update payments.settlement set amount_minor = amount_minor + {by} where reference = 'txn_{card}'"
        )
    };
    yard.plant(&charge(10), 1).await;
    let bad = yard.night().await;
    let other = of(&bad, "BER", "payments");
    assert_eq!(other.records[0], ("payment".to_owned(), card.to_string()));
    assert_eq!(other.amounts[0], Some(10));
    yard.plant(&charge(-10), 1).await;
    yard.plant(
        &format!("update payments.settlement set matched = null where reference = 'txn_{card}'"),
        1,
    )
    .await;
    let bad = yard.night().await;
    only(
        &bad,
        "payments",
        "red",
        &[("settlement", &format!("txn_{card}"))],
    );
    yard.plant(
        &format!("delete from payments.settlement where reference like '%txn_{card}'"),
        2,
    )
    .await;
    yard.plant(
        &format!("delete from payments.settlement where reference = 'po_{card}'"),
        1,
    )
    .await;
    green(&yard).await;
    yard.plant(&format!("update payments.payment set updated_ms = updated_ms - 8 * 86400000::bigint where payment = '{card}'"), 1).await;
    let bad = yard.night().await;
    only(&bad, "payments", "red", &[("payment", &card.to_string())]);
    assert_eq!(
        bad[0].amounts,
        [Some(CARD)],
        "it is missing on the statement for too long"
    );
    tell(
        &yard.world,
        vec![SettlementLine {
            provider: Provider::Bank,
            reference: "b-1".to_owned(),
            kind: SettlementKind::Charge,
            branch: BranchId::NIL,
            payment: None,
            repayment: None,
            payout: String::new(),
            amount_minor: 777,
            fee_minor: 0,
            currency: Currency::EUR,
            at_ms: yard.berlin.at(12),
        }],
    )
    .await;
    let bad = yard.night().await;
    about(of(&bad, "", "payments"), &[("settlement", "b-1")]);
}

#[tokio::test]
async fn promises() {
    let mut yard = Yard::trading().await;
    let receipt = yard.berlin.receipt(0, 30_000);
    yard.berlin.take(&yard.world, receipt).await;
    let promised = yard.berlin.last_card.to_string();
    yard.close().await;
    green(&yard).await;
    yard.plant(&format!("update payments.payment set created_ms = created_ms - 4 * 86400000::bigint where payment = '{promised}'"), 1).await;
    let bad = yard.night().await;
    only(&bad, "promises", "amber", &[("payment", &promised)]);
    assert_eq!(bad[0].amounts, [Some(30_000)]);
    yard.plant(&format!("update payments.payment set created_ms = created_ms + 4 * 86400000::bigint where payment = '{promised}'"), 1).await;
    yard.plant("insert into payments.till_rules values ('00000000-0000-0000-0000-000000000000', 1, false,
        '{\"promise_limit_minor\": 29000, \"promise_days\": 3, \"refund_clerk_minor\": 0, \"refund_manager_minor\": 0, \"reader\": false}', 0)", 1).await;
    let bad = yard.night().await;
    only(&bad, "promises", "red", &[("exposure", "EUR")]);
    assert_eq!(bad[0].amounts, [Some(1_000)]);
}

#[tokio::test]
async fn refunds() {
    let mut yard = Yard::trading().await;
    let card = yard.berlin.last_card;
    let asked = RefundId::from_bytes([0x66; 16]);
    let receipt = yard.berlin.last_receipt.clone().unwrap();
    let ask = RefundAsked {
        id: asked,
        receipt: receipt.id,
        currency: Currency::EUR,
        lines: vec![RefundLine {
            line: receipt.lines[0].id,
            quantity: 1,
            goods: Goods::Stay,
        }],
        amount_minor: 1_000,
        reason: "too much for a clerk".to_owned(),
    };
    yard.berlin
        .send(&yard.world, vec![Item::RefundAsked(ask)])
        .await;
    yard.close().await;
    only(
        &yard.night().await,
        "refunds",
        "amber",
        &[("refund", &asked.to_string())],
    );
    yard.plant("update payments.refund_asked set state = 'refused'", 1)
        .await;
    green(&yard).await;
    let repayment = domain::id::RepaymentId::from_bytes([0x67; 16]);
    tell_items(
        &yard.world,
        vec![Item::RepaymentResult(RepaymentResult {
            repayment,
            payment: card,
            attempt: 1,
            outcome: RepaymentOutcome::Repaid,
            amount_minor: CARD + 1,
            tender: Tender::Card,
            provider: Provider::Stripe,
            reference: "re_1".to_owned(),
            detail: String::new(),
        })],
    )
    .await;
    let bad = yard.night().await;
    only(&bad, "refunds", "red", &[("payment", &card.to_string())]);
    assert_eq!(bad[0].amounts, [Some(1)]);
    let receipt = receipt.id.to_string();
    yard.plant(
        &format!(
            "update payments.receipt set gross_minor = 1, due_minor = 1 where receipt = '{receipt}'"
        ),
        1,
    )
    .await;
    let bad = yard.night().await;
    let refunds = of(&bad, "BER", "refunds");
    assert!(
        refunds.records.contains(&("receipt".to_owned(), receipt)),
        "{bad:#?}"
    );
}

#[tokio::test]
async fn numbers() {
    let mut yard = Yard::closed().await;
    let branch = yard.berlin.id();
    yard.plant("create table kept as select * from payments.paper", 10)
        .await;
    let back = "truncate payments.paper; insert into payments.paper select * from kept";
    yard.plant(
        &format!(
            "delete from payments.paper where branch_id = '{branch}' and kind = 1 and number = 2"
        ),
        1,
    )
    .await;
    only(
        &yard.night().await,
        "numbers",
        "red",
        &[("number", "R-A000002")],
    );
    yard.plant(&format!("insert into sync.parked values ('{branch}', 1, 1, 1, 0, '{branch}', 80, 'x', '{branch}', 0, 1)"), 1).await;
    only(
        &yard.night().await,
        "numbers",
        "amber",
        &[("number", "R-A000002")],
    );
    yard.plant("delete from sync.parked", 1).await;
    sqlx::raw_sql(back)
        .execute(yard.world.hub.pool())
        .await
        .unwrap();
    yard.plant(
        &format!("insert into payments.paper values ('{branch}', 1, 65, 3, '{branch}', 0)"),
        1,
    )
    .await;
    only(
        &yard.night().await,
        "numbers",
        "red",
        &[("number", "R-A000003")],
    );
    sqlx::raw_sql(back)
        .execute(yard.world.hub.pool())
        .await
        .unwrap();
    yard.berlin.lie = Some(|word| word.numbers[1].number += 1);
    yard.berlin.say(&yard.world).await;
    only(
        &yard.night().await,
        "numbers",
        "red",
        &[("number", "Z-A000002")],
    );
}

#[tokio::test]
async fn orders() {
    let mut yard = Yard::trading().await;
    let order = yard.berlin.collect(&yard.world, false).await;
    yard.close().await;
    let bad = yard.night().await;
    only(&bad, "orders", "red", &[("order", &order.to_string())]);
    assert_eq!(bad[0].amounts, [Some(2_000)]);
    yard.plant(
        &format!("update orders.repair_order set source = 'ords 1' where document = '{order}'"),
        1,
    )
    .await;
    green(&yard).await;
    yard.plant(&format!("update orders.repair_order set source = null, status = 'ready', promised_ms = 1 where document = '{order}'"), 1).await;
    only(&yard.night().await, "orders", "amber", &[]);
}

/// A branch whose word lies in the future is not reconciled, and its clock is named.
#[tokio::test]
async fn a_clock_ten_days_ahead_is_named_without_the_days_word() {
    let mut yard = Yard::trading().await;
    yard.hamburg.close(&yard.world, &yard.hand).await;
    yard.berlin.day += 10;
    yard.berlin.close(&yard.world, &yard.hand).await;
    yard.hand.set(yard.night_ms);
    let bad = yard.night().await;
    let log = of(&bad, "BER", "log");
    assert_eq!(
        log.records[0],
        ("clock".to_owned(), (yard.day + 10).to_string()),
        "{bad:#?}"
    );
    assert_eq!(of(&bad, "BER", "cash").state.as_str(), "unreconciled");
}
