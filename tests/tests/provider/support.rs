//! A double of Stripe and the adapter that calls it.

use std::time::Duration;

use domain::id::{BranchId, PaymentId, RepaymentId};
use domain::money::{Currency, Money};
use domain::sensitive::Sensitive;
use hub::payment::stripe::{Stripe, StripeOptions};
use hub::payment::{Ask, Outcome, PaymentProvider, ProviderError, Repay, Standing};
use serde_json::{Value, json};
use tests::stripe::{FakeOptions, FakeStripe};

/// As short as a loaded machine allows.
pub const TIMEOUT: Duration = Duration::from_millis(1_500);
pub const BERLIN: BranchId = BranchId::from_bytes([0xbe; 16]);
pub const HAMBURG: BranchId = BranchId::from_bytes([0xaa; 16]);

pub struct World {
    pub fake: FakeStripe,
    pub stripe: Stripe,
}

pub fn adapter(url: String, key: &str) -> Stripe {
    Stripe::new(StripeOptions {
        url,
        key: Sensitive::new(key.to_owned()),
        timeout: TIMEOUT,
    })
    .unwrap()
}

impl World {
    pub async fn start() -> Self {
        let fake = FakeStripe::start(FakeOptions::default()).await.unwrap();
        let stripe = adapter(fake.url(), "sk_test_counterpart");
        Self { fake, stripe }
    }

    pub async fn control(&self, path: &str, body: Value) -> Value {
        self.fake.control(path, body).await.unwrap()
    }

    pub async fn reader(&self) -> String {
        let reader = self.control("readers", json!({})).await;
        reader["id"].as_str().unwrap().to_owned()
    }

    pub async fn fault(&self, path: &str, fault: &str, more: Value) {
        let mut body = json!({ "path": path, "fault": fault, "method": "POST" });
        if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
            body.extend(more);
        }
        self.control("faults", body).await;
    }

    /// How many objects of a kind there are.
    pub async fn count(&self, kind: &str) -> usize {
        self.fake.state().await.unwrap()[kind]
            .as_array()
            .map_or(0, Vec::len)
    }

    /// Money that came: the sum of captured charges.
    pub async fn captured(&self) -> i64 {
        let state = self.fake.state().await.unwrap();
        let charges = state["charge"].as_array().cloned().unwrap_or_default();
        charges
            .iter()
            .filter_map(|charge| charge["amount_captured"].as_i64())
            .sum()
    }

    /// A payment that is captured, with the provider's name for it.
    pub async fn paid(&self, ask: &Ask) -> String {
        let link = self.stripe.ask(ask).await.unwrap().reference;
        self.control(&format!("links/{link}/pay"), json!({})).await;
        let paid = self.stripe.look(&link).await.unwrap();
        assert!(matches!(paid.outcome, Outcome::Captured { .. }), "{paid:?}");
        paid.reference
    }
}

pub fn payment(number: u8) -> PaymentId {
    let mut bytes = [number; 16];
    bytes[6] = 0x40;
    PaymentId::from_bytes(bytes)
}

pub fn euros(amount_minor: i64) -> Money {
    Money::new(amount_minor, Currency::EUR).unwrap()
}

pub fn ask(number: u8, amount_minor: i64) -> Ask {
    Ask {
        payment: payment(number),
        branch: BERLIN,
        attempt: 1,
        amount: euros(amount_minor),
        text: format!("BER-R-A{number:06}"),
        reader: None,
    }
}

pub fn at_reader(number: u8, amount_minor: i64, reader: &str) -> Ask {
    Ask {
        reader: Some(reader.to_owned()),
        ..ask(number, amount_minor)
    }
}

pub fn repay(ask: &Ask, reference: &str, amount_minor: i64) -> Repay {
    Repay {
        repayment: RepaymentId::from_bytes(*ask.payment.as_bytes()),
        payment: ask.payment,
        branch: ask.branch,
        attempt: 1,
        reference: reference.to_owned(),
        amount: euros(amount_minor),
    }
}

pub fn captured_minor(standing: &Standing) -> Option<i64> {
    match standing.outcome {
        Outcome::Captured { amount_minor } => Some(amount_minor),
        _ => None,
    }
}

pub fn is_spent(error: &ProviderError) -> bool {
    matches!(
        error,
        ProviderError::Unknown {
            key_is_spent: true,
            ..
        }
    )
}
