//! The ledger, payments against statements, promises, money given back.

use domain::day::{SettlementKind, SettlementLine};
use domain::id::{BranchId, RefundId};
use domain::money::Currency;
use domain::payment::{Provider, RepaymentOutcome, RepaymentResult};
use domain::till::{Goods, RefundAsked, RefundLine, Tender};
use sync_protocol::item::Item;

use super::{about, green, of, only};
use crate::night::shop::{CARD, CASH, FEE, capture, tell, tell_items};
use crate::night::{Yard, shorts};

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
