//! Taking money when nothing goes wrong at Stripe.

use hub::payment::{Find, Outcome, PaymentProvider, ProviderError};
use serde_json::json;

use crate::support::{BERLIN, World, ask, at_reader, captured_minor, euros, payment};

#[tokio::test]
async fn a_link_is_asked_once_and_becomes_a_payment() {
    let world = World::start().await;
    let ask = ask(1, 4_900);
    let first = world.stripe.ask(&ask).await.unwrap();
    let Outcome::Asked { link } = &first.outcome else {
        panic!("{first:?}")
    };
    assert!(link.starts_with("http"), "{link}");
    assert_eq!(world.stripe.ask(&ask).await.unwrap(), first, "asked twice");
    assert_eq!(world.count("payment_link").await, 1);
    let waiting = world.stripe.look(&first.reference).await.unwrap();
    assert_eq!(waiting.outcome, first.outcome);
    assert_eq!(waiting.payment, Some(ask.payment));
    let refused = world
        .control(
            &format!("links/{}/pay", first.reference),
            json!({ "declined": "insufficient_funds" }),
        )
        .await;
    assert_eq!(refused["status"], "open");
    let waiting = world.stripe.look(&first.reference).await.unwrap();
    assert_eq!(
        waiting.outcome, first.outcome,
        "the customer tries another card"
    );
    world
        .control(&format!("links/{}/pay", first.reference), json!({}))
        .await;
    let paid = world.stripe.look(&first.reference).await.unwrap();
    assert_eq!(captured_minor(&paid), Some(4_900));
    assert!(paid.reference.starts_with("pi_"), "{}", paid.reference);
    assert_eq!(
        (paid.payment, paid.branch, paid.attempt),
        (Some(ask.payment), Some(BERLIN), Some(1))
    );
    let pays_again = world
        .fake
        .control(&format!("links/{}/pay", first.reference), json!({}))
        .await;
    assert!(pays_again.is_err(), "a link lets one customer through");
}

#[tokio::test]
async fn at_the_reader_a_yes_is_captured_once() {
    let world = World::start().await;
    let reader = world.reader().await;
    let ask = at_reader(2, 12_000, &reader);
    let asked = world.stripe.ask(&ask).await.unwrap();
    assert_eq!(
        asked.outcome,
        Outcome::Asked {
            link: String::new()
        }
    );
    world
        .control(&format!("readers/{reader}/tap"), json!({}))
        .await;
    let ready = world.stripe.look(&asked.reference).await.unwrap();
    assert_eq!(ready.outcome, Outcome::ToCapture);
    assert_eq!(
        world.stripe.ask(&ask).await.unwrap().outcome,
        Outcome::ToCapture,
        "asking again leaves the reader alone"
    );
    for _ in 0..2 {
        let taken = world
            .stripe
            .capture(&asked.reference, ask.amount)
            .await
            .unwrap();
        assert_eq!(captured_minor(&taken), Some(12_000));
    }
    assert_eq!(
        (world.count("charge").await, world.captured().await),
        (1, 12_000)
    );
}

#[tokio::test]
async fn a_no_at_the_reader_is_final_once_cancelled() {
    let world = World::start().await;
    let reader = world.reader().await;
    let mut ask = at_reader(3, 3_000, &reader);
    let asked = world.stripe.ask(&ask).await.unwrap();
    world
        .control(
            &format!("readers/{reader}/decline"),
            json!({ "declined": "insufficient_funds" }),
        )
        .await;
    let declined = world.stripe.look(&asked.reference).await.unwrap();
    let Outcome::Declined { reason } = &declined.outcome else {
        panic!("{declined:?}")
    };
    assert!(reason.contains("insufficient_funds"), "{reason}");
    let off = world.stripe.cancel(&asked.reference).await.unwrap();
    assert_eq!(off.outcome, Outcome::Cancelled);
    assert_eq!(
        world.stripe.cancel(&asked.reference).await.unwrap().outcome,
        Outcome::Cancelled
    );
    ask.attempt = 2;
    let second = world.stripe.ask(&ask).await.unwrap();
    assert_ne!(second.reference, asked.reference);
    world
        .control(&format!("readers/{reader}/tap"), json!({}))
        .await;
    world
        .stripe
        .capture(&second.reference, ask.amount)
        .await
        .unwrap();
    let found = world
        .stripe
        .find(Find {
            payment: ask.payment,
            asked_ms: None,
        })
        .await
        .unwrap();
    let attempts: Vec<_> = found.iter().map(|one| one.attempt).collect();
    assert_eq!(attempts, [Some(2), Some(1)], "newest first");
}

#[tokio::test]
async fn a_reader_that_is_away_or_busy_can_be_asked_later() {
    let world = World::start().await;
    let reader = world.reader().await;
    let ask = at_reader(4, 3_000, &reader);
    for state in [
        json!({ "status": "offline" }),
        json!({ "_busy": true, "status": "online" }),
    ] {
        world.control(&format!("readers/{reader}"), state).await;
        let error = world.stripe.ask(&ask).await.unwrap_err();
        assert!(
            matches!(error, ProviderError::Unavailable { .. }),
            "{error:?}"
        );
    }
    world
        .control(&format!("readers/{reader}"), json!({ "_busy": false }))
        .await;
    world.stripe.ask(&ask).await.unwrap();
    assert_eq!(
        world.count("payment_intent").await,
        1,
        "one intent for one attempt"
    );
    let nobody = at_reader(5, 3_000, "tmr_nobody");
    let error = world.stripe.ask(&nobody).await.unwrap_err();
    assert!(matches!(error, ProviderError::Refused { .. }), "{error:?}");
}

#[tokio::test]
async fn calling_off_shows_the_customer_out_unless_paid() {
    let world = World::start().await;
    let slow = world.stripe.ask(&ask(6, 2_000)).await.unwrap().reference;
    world
        .control(&format!("links/{slow}/open"), json!({}))
        .await;
    let off = world.stripe.cancel(&slow).await.unwrap();
    assert_eq!(off.outcome, Outcome::Cancelled);
    let late = world
        .fake
        .control(&format!("links/{slow}/pay"), json!({}))
        .await;
    assert!(late.is_err(), "nobody pays what was called off");
    let quick = world.stripe.ask(&ask(7, 2_500)).await.unwrap().reference;
    world
        .control(&format!("links/{quick}/pay"), json!({}))
        .await;
    let paid = world.stripe.cancel(&quick).await.unwrap();
    assert_eq!(
        captured_minor(&paid),
        Some(2_500),
        "who was quicker has paid"
    );
    assert_eq!(
        world.stripe.cancel(&paid.reference).await.unwrap().outcome,
        paid.outcome
    );
}

/// Goal: calling off an old attempt takes no amount off the reader that another customer is looking at.
/// Method: two attempts at one reader; the first is called off while the reader shows the second, then that one too.
#[tokio::test]
async fn calling_off_leaves_another_customers_reader_alone() {
    let world = World::start().await;
    let reader = world.reader().await;
    let first = world
        .stripe
        .ask(&at_reader(1, 3_000, &reader))
        .await
        .unwrap();
    let second = world
        .stripe
        .ask(&at_reader(2, 4_000, &reader))
        .await
        .unwrap();
    let off = world.stripe.cancel(&first.reference).await.unwrap();
    assert_eq!(off.outcome, Outcome::Cancelled);
    let shown = async || {
        let state = world.fake.state().await.unwrap();
        let action = &state["terminal.reader"][0]["action"];
        action["process_payment_intent"]["payment_intent"].clone()
    };
    assert_eq!(shown().await, json!(second.reference));
    let off = world.stripe.cancel(&second.reference).await.unwrap();
    assert_eq!(off.outcome, Outcome::Cancelled);
    assert_eq!(shown().await, json!(null));
}

/// Goal: what was asked a moment ago is found although Stripe's search does not know it yet.
/// Method: a search that lags by a minute, with and without the time of asking.
#[tokio::test]
async fn a_lagging_search_hides_no_young_payment() {
    let world = World::start().await;
    world
        .control("search_lag", json!({ "lag_ms": 60_000 }))
        .await;
    let reader = world.reader().await;
    let ask = at_reader(8, 3_000, &reader);
    world.stripe.ask(&ask).await.unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let asked_ms = i64::try_from(now.unwrap().as_millis()).unwrap();
    let find = |asked_ms| {
        world.stripe.find(Find {
            payment: ask.payment,
            asked_ms,
        })
    };
    assert_eq!(find(None).await.unwrap().len(), 0);
    assert_eq!(find(Some(asked_ms)).await.unwrap().len(), 1);
    world.control("search_lag", json!({ "lag_ms": 0 })).await;
    assert_eq!(
        find(Some(asked_ms)).await.unwrap().len(),
        1,
        "found twice, listed once"
    );
}

#[tokio::test]
async fn what_stripe_cannot_take_is_refused_and_moves_nothing() {
    let world = World::start().await;
    let error = world.stripe.ask(&ask(9, 30)).await.unwrap_err();
    let ProviderError::Refused { code, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(code, "amount_too_small");
    for odd in ["", "pi_1/../../v1/refunds", "pi_1?x=1", "ü"] {
        for outcome in [
            world.stripe.look(odd).await,
            world.stripe.cancel(odd).await,
            world.stripe.capture(odd, euros(100)).await,
        ] {
            assert!(
                matches!(outcome, Err(ProviderError::Refused { .. })),
                "{odd}"
            );
        }
    }
    let unknown = world.stripe.look("pi_unknown").await.unwrap_err();
    assert!(
        matches!(unknown, ProviderError::Refused { ref code, .. } if code == "resource_missing")
    );
    let found = world
        .stripe
        .find(Find {
            payment: payment(99),
            asked_ms: Some(0),
        })
        .await;
    assert_eq!(found.unwrap(), []);
}
