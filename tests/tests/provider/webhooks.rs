//! Webhooks of the double, as a receiver sees them: real, doubled, reordered, forged, old and withheld.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use domain::sensitive::Sensitive;
use hub::payment::PaymentProvider;
use hub::payment::stripe::webhook::{StripeEvent, WebhookError, receive};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::support::{World, ask};

const PATIENCE: Duration = Duration::from_secs(20);

type Received = Result<StripeEvent, WebhookError>;

struct Receiver {
    events: Mutex<UnboundedReceiver<Received>>,
}

async fn take(
    State(events): State<Arc<UnboundedSender<Received>>>,
    headers: HeaderMap,
    body: Bytes,
) {
    let secret = Sensitive::new("whsec_counterpart".to_owned());
    let header = headers
        .get("stripe-signature")
        .and_then(|value| value.to_str().ok());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let now_ms = i64::try_from(now.as_millis()).unwrap();
    events
        .send(receive(&secret, header, &body, now_ms))
        .unwrap();
}

impl Receiver {
    async fn start(world: &World) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let (sender, events) = unbounded_channel();
        let routes = Router::new().route("/hook", post(take));
        let routes = routes.with_state(Arc::new(sender));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        world.control("webhooks", json!({ "url": url })).await;
        Self {
            events: Mutex::new(events),
        }
    }

    async fn next(&self) -> Received {
        let mut events = self.events.lock().await;
        let event = tokio::time::timeout(PATIENCE, events.recv()).await;
        event.expect("a webhook comes").unwrap()
    }

    /// The kinds of the next so many.
    async fn kinds(&self, count: usize) -> Vec<String> {
        let mut kinds = Vec::new();
        for _ in 0..count {
            kinds.push(self.next().await.unwrap().kind);
        }
        kinds
    }
}

const OF_A_LINK: [&str; 4] = [
    "payment_intent.created",
    "charge.captured",
    "payment_intent.succeeded",
    "checkout.session.completed",
];

async fn pay(world: &World, number: u8) -> String {
    let link = world
        .stripe
        .ask(&ask(number, 5_000))
        .await
        .unwrap()
        .reference;
    world.control(&format!("links/{link}/pay"), json!({})).await;
    link
}

#[tokio::test]
async fn real_ones_name_the_payment_and_nothing_that_must_be_believed() {
    let world = World::start().await;
    let receiver = Receiver::start(&world).await;
    let link = pay(&world, 1).await;
    let payment = Some(ask(1, 5_000).payment);
    for kind in OF_A_LINK {
        let event = receiver.next().await.unwrap();
        assert_eq!((event.kind.as_str(), event.payment), (kind, payment));
        let reference = event.intent.clone().unwrap();
        let standing = world.stripe.look(&reference).await.unwrap();
        assert_eq!(standing.payment, payment, "what it stands at is asked for");
        if kind == "checkout.session.completed" {
            assert_eq!(event.link.as_ref(), Some(&link));
        }
    }
}

#[tokio::test]
async fn doubled_and_reordered_ones_can_be_told() {
    let world = World::start().await;
    let receiver = Receiver::start(&world).await;
    world
        .control("webhooks/faults", json!({ "fault": "duplicate" }))
        .await;
    world
        .control("webhooks/faults", json!({ "fault": "reordered" }))
        .await;
    pay(&world, 1).await;
    let first = receiver.next().await.unwrap();
    let second = receiver.next().await.unwrap();
    assert_eq!(first.id, second.id, "doubled under one id");
    assert_eq!(
        receiver.kinds(3).await,
        [OF_A_LINK[2], OF_A_LINK[1], OF_A_LINK[3]]
    );
}

#[tokio::test]
async fn forged_and_old_ones_are_not_believed() {
    let world = World::start().await;
    let receiver = Receiver::start(&world).await;
    for fault in ["forged", "old"] {
        world
            .control("webhooks/faults", json!({ "fault": fault }))
            .await;
    }
    pay(&world, 1).await;
    assert_eq!(receiver.next().await, Err(WebhookError::Signature));
    assert_eq!(receiver.next().await, Err(WebhookError::Time));
    assert_eq!(receiver.kinds(2).await, OF_A_LINK[2..]);
}

#[tokio::test]
async fn withheld_ones_come_when_released_and_a_query_knows_before() {
    let world = World::start().await;
    let receiver = Receiver::start(&world).await;
    world
        .control(
            "webhooks/faults",
            json!({ "fault": "withheld", "times": 4 }),
        )
        .await;
    let link = pay(&world, 1).await;
    let paid = world.stripe.look(&link).await.unwrap();
    assert!(paid.reference.starts_with("pi_"));
    // The courier works in the background: it holds all four before they are released.
    let held = async || {
        let url = format!("{}/_fake/webhooks", world.fake.url());
        let shown: serde_json::Value = reqwest::get(url).await.unwrap().json().await.unwrap();
        assert_eq!(shown["sent"], json!([]));
        shown["withheld"].as_array().unwrap().len()
    };
    while held().await < 4 {
        tokio::task::yield_now().await;
    }
    world.control("webhooks/release", json!({})).await;
    assert_eq!(receiver.kinds(4).await, OF_A_LINK);
}
