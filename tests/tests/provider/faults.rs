//! Every way in which a call can go wrong, and that none of them moves money twice (F-20, INV-8).

use hub::payment::{Ask, Find, Outcome, PaymentProvider, ProviderError, Standing};
use serde_json::{Value, json};

use crate::support::{World, adapter, ask, at_reader, captured_minor, euros, is_spent, repay};

const INTENTS: &str = "/v1/payment_intents";

/// What the caller learns.
#[derive(Debug, PartialEq)]
enum Learnt {
    Unknown,
    Refused,
    Unavailable(Option<u64>),
}

fn learnt(error: &ProviderError) -> Learnt {
    match error {
        ProviderError::Unknown { .. } => Learnt::Unknown,
        ProviderError::Refused { .. } => Learnt::Refused,
        ProviderError::Unavailable { retry_after_ms, .. } => Learnt::Unavailable(*retry_after_ms),
        ProviderError::NotAllowed { .. } => panic!("{error:?}"),
    }
}

async fn until_asked(world: &World, ask: &Ask) -> Standing {
    loop {
        match world.stripe.ask(ask).await {
            Ok(standing) => return standing,
            Err(error) => assert_eq!(learnt(&error), Learnt::Unknown, "{error:?}"),
        }
    }
}

/// Goal: asking again after any fault comes to one payment, and the caller learns whether money may have moved.
/// Method: each fault once at the call that makes the payment, what is there afterwards, then the same attempt again.
#[tokio::test]
async fn asking_again_after_any_fault_makes_one_payment() {
    let none = json!({});
    let table: [(&str, Value, Learnt, usize); 7] = [
        ("timeout_before", none.clone(), Learnt::Unknown, 0),
        ("timeout_after", none.clone(), Learnt::Unknown, 1),
        ("broken", none.clone(), Learnt::Unknown, 1),
        ("conflict", none.clone(), Learnt::Unknown, 0),
        ("error_500", none.clone(), Learnt::Unknown, 0),
        (
            "rate_limited",
            json!({ "retry_after_s": 7 }),
            Learnt::Unavailable(Some(7_000)),
            0,
        ),
        (
            "declined",
            json!({ "decline_code": "fraudulent" }),
            Learnt::Refused,
            0,
        ),
    ];
    for (fault, more, expected, made) in table {
        let world = World::start().await;
        let reader = world.reader().await;
        let ask = at_reader(1, 5_000, &reader);
        world.fault(INTENTS, fault, more).await;
        let error = world.stripe.ask(&ask).await.unwrap_err();
        assert_eq!(learnt(&error), expected, "{fault}: {error:?}");
        assert_eq!(world.count("payment_intent").await, made, "{fault}");
        let asked = world.stripe.ask(&ask).await.unwrap();
        assert_eq!(world.count("payment_intent").await, 1, "{fault}");
        world
            .control(&format!("readers/{reader}/tap"), json!({}))
            .await;
        world
            .stripe
            .capture(&asked.reference, ask.amount)
            .await
            .unwrap();
        assert_eq!(world.captured().await, 5_000, "{fault}");
    }
}

#[tokio::test]
async fn a_slow_answer_is_unknown_and_its_key_is_in_use() {
    let world = World::start().await;
    let reader = world.reader().await;
    let ask = at_reader(1, 5_000, &reader);
    world
        .fault(INTENTS, "slow", json!({ "delay_ms": 4_000 }))
        .await;
    let error = world.stripe.ask(&ask).await.unwrap_err();
    assert!(error.is_unknown(), "{error:?}");
    let meanwhile = world.stripe.ask(&ask).await.unwrap_err();
    assert!(meanwhile.to_string().contains("409"), "{meanwhile}");
    until_asked(&world, &ask).await;
    assert_eq!(world.count("payment_intent").await, 1);
}

/// Goal: an answer that Stripe keeps for a key is recognised, so that nobody asks for a day in vain.
/// Method: a kept 500, with and without the effect; the query decides what comes next.
#[tokio::test]
async fn a_kept_failure_spends_the_key_and_the_query_decides() {
    for (fault, made) in [("error_500_kept", 0), ("error_500_after", 1)] {
        let world = World::start().await;
        let reader = world.reader().await;
        let mut ask = at_reader(1, 5_000, &reader);
        world.fault(INTENTS, fault, json!({})).await;
        let first = world.stripe.ask(&ask).await.unwrap_err();
        assert!(
            first.is_unknown() && !is_spent(&first),
            "{fault}: {first:?}"
        );
        let second = world.stripe.ask(&ask).await.unwrap_err();
        assert!(is_spent(&second), "{fault}: {second:?}");
        let found = world
            .stripe
            .find(Find {
                payment: ask.payment,
                asked_ms: None,
            })
            .await
            .unwrap();
        assert_eq!(found.len(), made, "{fault}");
        for earlier in found {
            let off = world.stripe.cancel(&earlier.reference).await.unwrap();
            assert_eq!(off.outcome, Outcome::Cancelled);
        }
        ask.attempt = 2;
        world.stripe.ask(&ask).await.unwrap();
        world
            .control(&format!("readers/{reader}/tap"), json!({}))
            .await;
        assert_eq!(world.count("charge").await, 1, "{fault}");
    }
}

#[tokio::test]
async fn links_survive_a_lost_answer_at_either_step() {
    for path in ["/v1/prices", "/v1/payment_links"] {
        for fault in ["timeout_before", "timeout_after", "broken"] {
            let world = World::start().await;
            let ask = ask(1, 5_000);
            world.fault(path, fault, json!({})).await;
            let error = world.stripe.ask(&ask).await.unwrap_err();
            assert!(error.is_unknown(), "{path} {fault}: {error:?}");
            world.stripe.ask(&ask).await.unwrap();
            assert_eq!(world.count("payment_link").await, 1, "{path} {fault}");
            assert_eq!(world.count("price").await, 1, "{path} {fault}");
        }
    }
}

#[tokio::test]
async fn captures_and_cancellations_survive_a_lost_answer() {
    for fault in [
        "timeout_before",
        "timeout_after",
        "broken",
        "error_500",
        "error_500_after",
    ] {
        let world = World::start().await;
        let reader = world.reader().await;
        let ask = at_reader(1, 5_000, &reader);
        let asked = world.stripe.ask(&ask).await.unwrap().reference;
        world
            .control(&format!("readers/{reader}/tap"), json!({}))
            .await;
        world
            .fault("/v1/payment_intents/*/capture", fault, json!({}))
            .await;
        let error = world.stripe.capture(&asked, ask.amount).await.unwrap_err();
        assert!(error.is_unknown(), "{fault}: {error:?}");
        let taken = world.stripe.capture(&asked, ask.amount).await.unwrap();
        assert_eq!(captured_minor(&taken), Some(5_000), "{fault}");
        assert_eq!(world.captured().await, 5_000, "{fault}");

        let other = at_reader(2, 4_000, &reader);
        let asked = world.stripe.ask(&other).await.unwrap().reference;
        world
            .fault("/v1/payment_intents/*/cancel", fault, json!({}))
            .await;
        let error = world.stripe.cancel(&asked).await.unwrap_err();
        assert!(error.is_unknown(), "{fault}: {error:?}");
        let off = world.stripe.cancel(&asked).await.unwrap();
        assert_eq!(off.outcome, Outcome::Cancelled, "{fault}");
    }
}

#[tokio::test]
async fn refunds_survive_a_lost_answer() {
    for (fault, made) in [
        ("timeout_before", 0),
        ("timeout_after", 1),
        ("broken", 1),
        ("conflict", 0),
        ("error_500", 0),
    ] {
        let world = World::start().await;
        let ask = ask(1, 5_000);
        let reference = world.paid(&ask).await;
        let repay = repay(&ask, &reference, 2_000);
        world.fault("/v1/refunds", fault, json!({})).await;
        let error = world.stripe.repay(&repay).await.unwrap_err();
        assert!(error.is_unknown(), "{fault}: {error:?}");
        let found = world
            .stripe
            .find_repayment(repay.repayment, &reference)
            .await
            .unwrap();
        assert_eq!(usize::from(found.is_some()), made, "{fault}");
        world.stripe.repay(&repay).await.unwrap();
        assert_eq!(world.count("refund").await, 1, "{fault}");
    }
}

/// Goal: after a day a key protects nothing any more, and our own reference does.
/// Method: the double's clock goes on by 25 hours; the first attempt is found, asking blindly would have made another.
#[tokio::test]
async fn after_a_day_the_reference_finds_what_the_key_no_longer_protects() {
    let world = World::start().await;
    let reader = world.reader().await;
    let ask = at_reader(1, 5_000, &reader);
    world
        .control("clock", json!({ "at_ms": 1_795_305_600_000_i64 }))
        .await;
    let first = world.stripe.ask(&ask).await.unwrap();
    let later_ms = 1_795_305_600_000_i64 + hub::payment::KEY_LIFE_MS + 1;
    world.control("clock", json!({ "at_ms": later_ms })).await;
    let found = world
        .stripe
        .find(Find {
            payment: ask.payment,
            asked_ms: None,
        })
        .await
        .unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].reference, first.reference);
    world.stripe.ask(&ask).await.unwrap();
    assert_eq!(
        world.count("payment_intent").await,
        2,
        "the key is as good as new"
    );
}

#[tokio::test]
async fn questions_that_fail_are_never_an_unknown_outcome() {
    let world = World::start().await;
    let reference = world.paid(&ask(1, 5_000)).await;
    for fault in ["timeout_before", "broken", "error_500", "rate_limited"] {
        let body = json!({ "path": "/v1/payment_intents/*", "fault": fault, "method": "GET" });
        world.control("faults", body).await;
        let error = world.stripe.look(&reference).await.unwrap_err();
        assert!(
            matches!(error, ProviderError::Unavailable { .. }),
            "{fault}: {error:?}"
        );
    }
}

#[tokio::test]
async fn nobody_there_and_nobody_known_move_nothing() {
    let world = World::start().await;
    let stranger = adapter(world.fake.url(), "sk_test_somebody_else");
    let error = stranger.ask(&ask(1, 5_000)).await.unwrap_err();
    assert!(
        matches!(error, ProviderError::NotAllowed { .. }),
        "{error:?}"
    );
    assert!(!error.is_failure(), "the provider works, our key does not");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let away = adapter(format!("http://{address}"), "sk_test_counterpart");
    let error = away.ask(&ask(1, 5_000)).await.unwrap_err();
    assert!(
        matches!(error, ProviderError::Unavailable { .. }),
        "{error:?}"
    );
    assert_eq!(world.count("payment_link").await, 0);
}

#[tokio::test]
async fn a_key_for_other_parameters_is_refused() {
    let world = World::start().await;
    let mut ask = ask(1, 5_000);
    world.stripe.ask(&ask).await.unwrap();
    ask.amount = euros(6_000);
    let error = world.stripe.ask(&ask).await.unwrap_err();
    let ProviderError::Refused { code, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(code, "idempotency_error");
}
