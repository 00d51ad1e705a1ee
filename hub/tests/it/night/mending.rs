//! Signing off, putting right, exceptions: all of it in the hub's log.

use domain::code::UnknownCode;
use domain::ledger::MoneyAccount;
use domain::money::Currency;
use domain::payment::Provider;
use hub::app::error::AppError;
use hub::app::reconcile::{
    Match, NewCorrection, SignOffInput, correct, corrections, match_line, reopen, sign_off,
    undo_correction,
};
use hub::app::{Actor, HubTx};
use sync_protocol::item::command;

use super::shop::CARD;
use super::{Yard, central, shorts};

async fn begin(yard: &Yard) -> HubTx {
    let hub = &yard.world.hub;
    hub.begin(Actor::SYSTEM, command::NIGHT).await.unwrap()
}

fn word(reason: &str) -> SignOffInput {
    SignOffInput {
        branch: None,
        reason: reason.to_owned(),
    }
}

#[tokio::test]
async fn a_red_check_is_an_exception_until_it_agrees() {
    let yard = Yard::closed().await;
    let open = "select count(*) from audit.exception where kind = 'night'";
    let branch = yard.berlin.id();
    let column = |by: i64| {
        format!("update inventory.stock set on_hand = on_hand + {by} where branch_id = '{branch}'")
    };
    yard.plant(&column(1), 1).await;
    yard.night().await;
    assert_eq!(yard.world.count(open).await, 1);
    yard.night().await;
    assert_eq!(
        yard.world.count(open).await,
        1,
        "the same again is the same exception"
    );
    yard.plant(&column(-1), 1).await;
    yard.night().await;
    assert_eq!(yard.world.count(open).await, 0);
    yard.world.verified().await;
}

#[tokio::test]
async fn a_night_is_signed_off_and_opened_again() {
    let yard = Yard::closed().await;
    let branch = yard.berlin.id();
    yard.night().await;
    let mut tx = begin(&yard).await;
    let night = sign_off(&mut tx, &central(), yard.day, &word(""))
        .await
        .unwrap();
    assert!(night.signed.is_some(), "a green night needs no reason");
    tx.commit().await.unwrap();
    assert_eq!(yard.seen().await.signed.unwrap().reason, "");
    let mut tx = begin(&yard).await;
    let twice = sign_off(&mut tx, &central(), yard.day, &word("")).await;
    assert!(
        matches!(twice, Err(AppError::Conflict { kind: "signed", .. })),
        "{twice:?}"
    );
    let silent = reopen(&mut tx, &central(), yard.day, &word("")).await;
    assert!(matches!(silent, Err(AppError::Invalid(_))), "{silent:?}");
    reopen(&mut tx, &central(), yard.day, &word("look again"))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(yard.seen().await.signed, None);
    yard.plant(
        &format!("update inventory.stock set on_hand = on_hand + 1 where branch_id = '{branch}'"),
        1,
    )
    .await;
    yard.night().await;
    let mut tx = begin(&yard).await;
    let silent = sign_off(&mut tx, &central(), yard.day, &word("")).await;
    assert!(matches!(silent, Err(AppError::Invalid(_))), "{silent:?}");
    sign_off(&mut tx, &central(), yard.day, &word("counted tomorrow"))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let night = yard.seen().await;
    assert_eq!(night.signed.unwrap().reason, "counted tomorrow");
    assert!(night.branches.iter().all(|branch| branch.signed.is_some()));
}

#[tokio::test]
async fn an_amount_is_put_right_and_taken_back() -> Result<(), UnknownCode> {
    let yard = Yard::closed().await;
    let new = NewCorrection {
        branch: "BER".to_owned(),
        from: "difference".parse::<MoneyAccount>()?,
        to: MoneyAccount::Corrections,
        amount_minor: 300,
        currency: Currency::EUR,
        reason: "found behind the drawer".to_owned(),
    };
    let mut tx = begin(&yard).await;
    let made = correct(&mut tx, &central(), &new).await.unwrap();
    tx.commit().await.unwrap();
    let put = "select balance_minor from payments.balance where account = 14";
    assert_eq!(yard.world.count(put).await, 300);
    assert_eq!(
        shorts(&yard.night().await),
        Vec::<String>::new(),
        "the branch's word stands"
    );
    let mut tx = begin(&yard).await;
    let back = undo_correction(&mut tx, &central(), made.id, "it was not")
        .await
        .unwrap();
    assert_eq!(back.undoes, Some(made.id));
    tx.commit().await.unwrap();
    assert_eq!(yard.world.count(put).await, 0);
    let mut tx = begin(&yard).await;
    let twice = undo_correction(&mut tx, &central(), made.id, "again").await;
    assert!(
        matches!(twice, Err(AppError::Conflict { kind: "undone", .. })),
        "{twice:?}"
    );
    drop(tx);
    let listed = corrections(&yard.world.hub, &central(), 10).await.unwrap();
    assert_eq!(listed.len(), 2);
    yard.world.verified().await;
    Ok(())
}

#[tokio::test]
async fn a_line_is_matched_by_hand_and_taken_back() {
    let yard = Yard::trading().await;
    let mut yard = yard;
    let receipt = yard.berlin.receipt(0, CARD);
    yard.berlin.take(&yard.world, receipt).await;
    let payment = yard.berlin.last_card;
    super::shop::capture(&yard.world, payment, 1, CARD).await;
    let mut lines = yard.berlin.statement(payment, yard.berlin.at(12));
    lines.truncate(1);
    lines[0].payment = None;
    super::shop::tell(&yard.world, lines).await;
    yard.close().await;
    let red = ["BER payments red"];
    assert_eq!(shorts(&yard.night().await), red);
    let mut said = Match {
        provider: Provider::Stripe,
        reference: format!("txn_{payment}"),
        payment: Some(payment),
        reason: "the amount and the minute fit".to_owned(),
    };
    let mut tx = begin(&yard).await;
    match_line(&mut tx, &central(), &said).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(shorts(&yard.night().await), Vec::<String>::new());
    said.payment = None;
    let mut tx = begin(&yard).await;
    match_line(&mut tx, &central(), &said).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(shorts(&yard.night().await), red);
    said.reference = "txn_none".to_owned();
    let mut tx = begin(&yard).await;
    let missing = match_line(&mut tx, &central(), &said).await;
    assert!(matches!(missing, Err(AppError::Invalid(_))), "{missing:?}");
}
