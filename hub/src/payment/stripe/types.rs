//! The parts of Stripe's answers that are read. What is not named here never enters the program, card data above all.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Marks on an object.
pub(super) type Metadata = BTreeMap<String, String>;

/// What stands in lists: the next page begins after the last one's id.
pub(super) trait Listed {
    /// Stripe's name of it.
    fn id(&self) -> &str;
}

macro_rules! listed {
    ($($name:ident),+) => {$(
        impl Listed for $name {
            fn id(&self) -> &str {
                &self.id
            }
        }
    )+};
}

listed!(
    PaymentIntent,
    PaymentLink,
    Refund,
    BalanceTransaction,
    Payout
);

/// A page of a list.
#[derive(Debug, Deserialize)]
pub(super) struct List<T> {
    pub(super) data: Vec<T>,
    pub(super) has_more: bool,
    /// Of a search only.
    #[serde(default)]
    pub(super) next_page: Option<String>,
}

/// Something by its id, or whole when it was asked for so.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Expandable<T> {
    Id(String),
    Whole(Box<T>),
}

impl<T> Expandable<T> {
    pub(super) fn whole(&self) -> Option<&T> {
        match self {
            Self::Id(_) => None,
            Self::Whole(whole) => Some(whole),
        }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct PaymentIntent {
    pub(super) id: String,
    pub(super) status: String,
    pub(super) amount: i64,
    #[serde(default)]
    pub(super) amount_received: i64,
    pub(super) currency: String,
    pub(super) created: i64,
    #[serde(default)]
    pub(super) metadata: Metadata,
    #[serde(default)]
    pub(super) payment_method_types: Vec<String>,
    #[serde(default)]
    pub(super) last_payment_error: Option<LastError>,
}

#[derive(Debug, Deserialize)]
pub(super) struct LastError {
    #[serde(default)]
    pub(super) code: Option<String>,
    #[serde(default)]
    pub(super) decline_code: Option<String>,
    #[serde(default)]
    pub(super) message: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Price {
    pub(super) id: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct PaymentLink {
    pub(super) id: String,
    pub(super) active: bool,
    pub(super) url: String,
    #[serde(default)]
    pub(super) metadata: Metadata,
}

#[derive(Debug, Deserialize)]
pub(super) struct CheckoutSession {
    pub(super) id: String,
    #[serde(default)]
    pub(super) status: Option<String>,
    #[serde(default)]
    pub(super) payment_intent: Option<Expandable<PaymentIntent>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Reader {
    #[serde(default)]
    pub(super) action: Option<ReaderAction>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ReaderAction {
    pub(super) status: String,
    #[serde(default)]
    pub(super) process_payment_intent: Option<ReaderPayment>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ReaderPayment {
    pub(super) payment_intent: Expandable<PaymentIntent>,
}

impl Reader {
    /// The payment whose amount it shows.
    pub(super) fn shows(&self) -> Option<&str> {
        let action = self.action.as_ref()?;
        let payment = action.process_payment_intent.as_ref()?;
        (action.status == "in_progress").then(|| match &payment.payment_intent {
            Expandable::Id(id) => id.as_str(),
            Expandable::Whole(intent) => &intent.id,
        })
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Refund {
    pub(super) id: String,
    #[serde(default)]
    pub(super) status: Option<String>,
    pub(super) amount: i64,
    pub(super) currency: String,
    #[serde(default)]
    pub(super) metadata: Option<Metadata>,
    #[serde(default)]
    pub(super) failure_reason: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct BalanceTransaction {
    pub(super) id: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) amount: i64,
    pub(super) fee: i64,
    pub(super) net: i64,
    pub(super) currency: String,
    pub(super) created: i64,
    #[serde(default)]
    pub(super) source: Option<Expandable<Source>>,
}

/// What a balance transaction comes from: a charge, a refund, or something that has no marks.
#[derive(Debug, Deserialize)]
pub(super) struct Source {
    #[serde(default)]
    pub(super) metadata: Option<Metadata>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Payout {
    pub(super) id: String,
    pub(super) amount: i64,
    pub(super) currency: String,
    pub(super) created: i64,
    pub(super) arrival_date: i64,
    pub(super) status: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct ErrorEnvelope {
    pub(super) error: ErrorBody,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct ErrorBody {
    #[serde(rename = "type", default)]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) code: Option<String>,
    #[serde(default)]
    pub(super) decline_code: Option<String>,
    #[serde(default)]
    pub(super) message: Option<String>,
}
