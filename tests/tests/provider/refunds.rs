//! Giving money back.

use domain::id::RepaymentId;
use domain::payment::RepaymentOutcome;
use hub::payment::{PaymentProvider, ProviderError};
use serde_json::json;

use crate::support::{World, ask, repay};

#[tokio::test]
async fn money_goes_back_once_for_each_attempt_and_never_more_than_came() {
    let world = World::start().await;
    let ask = ask(1, 5_000);
    let reference = world.paid(&ask).await;
    let part = repay(&ask, &reference, 2_000);
    let first = world.stripe.repay(&part).await.unwrap();
    assert_eq!(first.outcome, RepaymentOutcome::Repaid);
    assert_eq!(world.stripe.repay(&part).await.unwrap(), first);
    assert_eq!(world.count("refund").await, 1);
    let mut more = repay(&ask, &reference, 3_001);
    more.repayment = RepaymentId::from_bytes([7; 16]);
    let error = world.stripe.repay(&more).await.unwrap_err();
    assert!(matches!(error, ProviderError::Refused { .. }), "{error:?}");
    let mut rest = repay(&ask, &reference, 3_000);
    rest.repayment = RepaymentId::from_bytes([8; 16]);
    world.stripe.repay(&rest).await.unwrap();
    let mut none = repay(&ask, &reference, 1);
    none.repayment = RepaymentId::from_bytes([9; 16]);
    let error = world.stripe.repay(&none).await.unwrap_err();
    assert!(
        matches!(error, ProviderError::Refused { ref code, .. } if code == "charge_already_refunded"),
        "{error:?}"
    );
    let found = world
        .stripe
        .find_repayment(part.repayment, &reference)
        .await
        .unwrap();
    assert_eq!(found, Some(first));
    let unknown = world
        .stripe
        .find_repayment(RepaymentId::from_bytes([1; 16]), &reference)
        .await;
    assert_eq!(unknown.unwrap(), None);
}

#[tokio::test]
async fn a_refund_that_hangs_is_asked_until_the_bank_says_how_it_went() {
    let world = World::start().await;
    let ask = ask(1, 5_000);
    let reference = world.paid(&ask).await;
    world
        .control("refunds/next", json!({ "status": "pending" }))
        .await;
    let mut repay = repay(&ask, &reference, 5_000);
    let hanging = world.stripe.repay(&repay).await.unwrap();
    assert_eq!(hanging.outcome, RepaymentOutcome::Asked);
    let path = format!("refunds/{}/settle", hanging.reference);
    world.control(&path, json!({ "status": "failed" })).await;
    let find = || world.stripe.find_repayment(repay.repayment, &reference);
    let failed = find().await.unwrap().unwrap();
    assert_eq!(failed.outcome, RepaymentOutcome::Failed);
    assert_eq!(failed.reason, "lost_or_stolen_card");
    repay.attempt = 2;
    let second = world.stripe.repay(&repay).await.unwrap();
    assert_eq!(second.outcome, RepaymentOutcome::Repaid);
    let newest = world
        .stripe
        .find_repayment(repay.repayment, &reference)
        .await
        .unwrap();
    assert_eq!(newest, Some(second), "a failed one hides none that went");
}
