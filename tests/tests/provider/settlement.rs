//! Stripe's statement as the night reads it.

use std::collections::BTreeSet;

use domain::day::{SettlementKind, SettlementLine};
use domain::id::BranchId;
use hub::payment::{PaymentProvider, Settlement};
use serde_json::json;

use crate::support::{BERLIN, HAMBURG, World, ask, repay};

const DAY_MS: i64 = 1_795_305_600_000;

async fn lines(world: &World, since_ms: i64, known: &[&str]) -> Vec<SettlementLine> {
    let settlement = Settlement {
        since_ms,
        known_payouts: known.iter().map(|id| (*id).to_owned()).collect(),
    };
    let lines = world.stripe.settlement(&settlement).await.unwrap();
    for line in &lines {
        assert_eq!(line.check_form(), Ok(()), "{line:?}");
    }
    let names: BTreeSet<&str> = lines.iter().map(|line| line.reference.as_str()).collect();
    assert_eq!(names.len(), lines.len(), "a line stands once");
    lines
}

fn of(lines: &[SettlementLine], kind: SettlementKind) -> Vec<&SettlementLine> {
    lines.iter().filter(|line| line.kind == kind).collect()
}

#[tokio::test]
async fn charges_refunds_fees_and_payouts_belong_to_payments_and_branches() {
    let world = World::start().await;
    world.control("clock", json!({ "at_ms": DAY_MS })).await;
    let berlin = ask(1, 10_000);
    let mut hamburg = ask(2, 6_000);
    hamburg.branch = HAMBURG;
    let reference = world.paid(&berlin).await;
    world.paid(&hamburg).await;
    let back = repay(&berlin, &reference, 4_000);
    world.stripe.repay(&back).await.unwrap();
    world
        .control(
            "transactions",
            json!({ "type": "stripe_fee", "amount": -200 }),
        )
        .await;
    let found = lines(&world, 0, &[]).await;
    let charges = of(&found, SettlementKind::Charge);
    let of_berlin = charges.iter().find(|line| line.branch == BERLIN).unwrap();
    assert_eq!(
        (
            of_berlin.payment,
            of_berlin.amount_minor,
            of_berlin.fee_minor
        ),
        (Some(berlin.payment), 10_000, 165)
    );
    assert_eq!((of_berlin.at_ms, of_berlin.payout.as_str()), (DAY_MS, ""));
    let [refund] = of(&found, SettlementKind::Refund)[..] else {
        panic!("{found:?}")
    };
    assert_eq!(
        (refund.amount_minor, refund.repayment, refund.payment),
        (-4_000, Some(back.repayment), Some(berlin.payment))
    );
    let [fee] = of(&found, SettlementKind::Fee)[..] else {
        panic!("{found:?}")
    };
    assert_eq!((fee.amount_minor, fee.fee_minor), (0, 200));
    assert!(of(&found, SettlementKind::Payout).is_empty());

    let payout = world.control("payouts", json!({ "short_by": 0 })).await;
    let payout = payout["id"].as_str().unwrap();
    let found = lines(&world, 0, &[]).await;
    let (whole, parts): (Vec<_>, Vec<_>) = of(&found, SettlementKind::Payout)
        .into_iter()
        .partition(|line| line.reference == payout);
    let sum: i64 = parts.iter().map(|line| line.amount_minor).sum();
    assert_eq!(whole.len(), 1);
    assert_eq!(
        (whole[0].amount_minor, whole[0].branch),
        (sum, BranchId::NIL)
    );
    assert_eq!(sum, 10_000 - 165 + 6_000 - 109 - 4_000 - 200);
    let branches: Vec<_> = parts
        .iter()
        .map(|line| (line.branch, line.amount_minor))
        .collect();
    for part in [
        (BERLIN, 9_835),
        (BERLIN, -4_000),
        (HAMBURG, 5_891),
        (BranchId::NIL, -200),
    ] {
        assert!(branches.contains(&part), "{part:?} in {branches:?}");
    }
    assert!(
        parts
            .iter()
            .all(|line| line.payout == payout && line.fee_minor == 0)
    );
    let known = lines(&world, 0, &[payout]).await;
    assert!(of(&known, SettlementKind::Payout).is_empty());
}

#[tokio::test]
async fn a_payout_on_its_way_counts_when_it_arrives() {
    let world = World::start().await;
    world.control("clock", json!({ "at_ms": DAY_MS })).await;
    world.paid(&ask(1, 10_000)).await;
    let payout = world
        .control("payouts", json!({ "status": "in_transit" }))
        .await;
    assert!(of(&lines(&world, 0, &[]).await, SettlementKind::Payout).is_empty());
    let arrived_ms = DAY_MS + 3 * 86_400_000;
    world.control("clock", json!({ "at_ms": arrived_ms })).await;
    let id = payout["id"].as_str().unwrap();
    world
        .control(&format!("payouts/{id}/arrive"), json!({}))
        .await;
    let found = lines(&world, arrived_ms, &[]).await;
    assert!(
        of(&found, SettlementKind::Charge).is_empty(),
        "of earlier days"
    );
    let payouts = of(&found, SettlementKind::Payout);
    assert_eq!(payouts.len(), 2, "{payouts:?}");
    assert!(payouts.iter().all(|line| line.at_ms == arrived_ms));
}

#[tokio::test]
async fn what_was_planted_can_be_seen() {
    let world = World::start().await;
    let ask = ask(1, 10_000);
    let reference = world.paid(&ask).await;
    world
        .control(&format!("payment_intents/{reference}/again"), json!({}))
        .await;
    let payout = world.control("payouts", json!({ "short_by": 40 })).await;
    let found = lines(&world, 0, &[]).await;
    let twice = of(&found, SettlementKind::Charge);
    assert_eq!(twice.len(), 2);
    assert!(twice.iter().all(|line| line.payment == Some(ask.payment)));
    let (whole, parts): (Vec<_>, Vec<_>) = of(&found, SettlementKind::Payout)
        .into_iter()
        .partition(|line| payout["id"] == line.reference);
    let sum: i64 = parts.iter().map(|line| line.amount_minor).sum();
    assert_eq!(whole[0].amount_minor, sum - 40);
    let line = &twice[0].reference;
    world
        .control(&format!("transactions/{line}"), json!({ "fee": 999 }))
        .await;
    let found = lines(&world, 0, &[]).await;
    assert!(found.iter().any(|line| line.fee_minor == 999));
}

#[tokio::test]
async fn long_statements_are_read_to_their_end() {
    let world = World::start().await;
    for _ in 0..230 {
        world
            .control("transactions", json!({ "amount": 100 }))
            .await;
    }
    assert_eq!(lines(&world, 0, &[]).await.len(), 230);
    world.control("payouts", json!({})).await;
    assert_eq!(lines(&world, 0, &[]).await.len(), 230 + 1 + 230);
}
