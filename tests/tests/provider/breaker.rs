//! A provider that is down is left alone, and everybody learns it at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use domain::env::{Clock, SeededEntropy};
use hub::env::Env;
use hub::outside::{BreakerState, Outside};
use hub::payment::Providers;
use serde_json::json;

use crate::support::{World, adapter, ask};

#[derive(Debug, Default)]
struct Hand(AtomicI64);

impl Clock for Hand {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[tokio::test]
async fn after_three_failures_nobody_waits_until_one_call_finds_it_back() {
    let world = World::start().await;
    let clock = Arc::new(Hand::default());
    let env = Env::with(clock.clone(), Box::new(SeededEntropy::new(1)));
    let outside = Arc::new(Outside::default());
    let stripe = Arc::new(adapter(world.fake.url(), "sk_test_counterpart"));
    let providers = Providers::with(Some(stripe), None, &outside, &env);
    let stripe = providers.get(domain::payment::Provider::Stripe).unwrap();
    let all = json!({ "path": "/v1/**", "fault": "timeout_before", "times": 3 });
    world.control("faults", all).await;
    let ask = ask(1, 5_000);
    for _ in 0..3 {
        assert!(stripe.ask(&ask).await.unwrap_err().is_unknown());
    }
    let calls = async || {
        let state = world.fake.state().await.unwrap();
        state["calls"].as_array().unwrap().len()
    };
    let before = calls().await;
    let error = stripe.ask(&ask).await.unwrap_err();
    assert!(!error.is_unknown());
    assert_eq!(error.retry_after_ms(), Some(10_000));
    assert_eq!(calls().await, before, "nobody was called, nobody waited");
    assert_eq!(outside.health()[0].state, BreakerState::Open);
    clock.0.store(10_000, Ordering::Relaxed);
    stripe.ask(&ask).await.unwrap();
    assert_eq!(outside.health()[0].state, BreakerState::Closed);
}
