//! Taking money: links, the reader, and what became of either.
//!
//! A link is asked once (its price and itself under keys of the attempt), lets one customer through, and becomes a
//! payment intent when it is paid. At the reader an intent is made under the attempt's key and handed to the reader.

use axum::http::StatusCode;
use domain::id::{BranchId, PaymentId};
use domain::money::{Currency, Money};
use domain::payment::provider_key;

use super::amount::{from_stripe, name, to_stripe};
use super::client::{CallError, Client, Form, Said};
use super::types::{
    CheckoutSession, Expandable, LastError, List, Listed, Metadata, PaymentIntent, PaymentLink,
    Price, Reader,
};
use super::{META_ATTEMPT, META_BRANCH, META_PAYMENT, META_READER};
use crate::payment::provider::{Ask, Find, Outcome, ProviderError, Standing, said};

/// How far Stripe's search may lag behind; its documentation says under a minute, longer in an outage.
const SEARCH_LAG_MS: i64 = 15 * 60_000;
/// How far Stripe's clock may be off ours.
const CLOCKS_MS: i64 = 5 * 60_000;
/// Pages that are read of one list.
const PAGES_MAX: usize = 50;
const PAGE: &str = "100";
const LINK: &str = "plink_";
const CARD_PRESENT: &str = "card_present";

pub(super) async fn ask(client: &Client, ask: &Ask) -> Result<Standing, ProviderError> {
    match &ask.reader {
        Some(reader) => ask_reader(client, ask, reader).await,
        None => ask_link(client, ask).await,
    }
}

async fn ask_link(client: &Client, ask: &Ask) -> Result<Standing, ProviderError> {
    let key = provider_key(ask.payment, ask.attempt);
    let price = [
        ("currency", name(ask.amount.currency)),
        ("unit_amount", to_stripe(ask.amount)?.to_string()),
        ("product_data[name]", said(&ask.text)),
    ];
    let price: Price = client
        .post("/v1/prices", &form(price), Some(&format!("{key}-price")))
        .await
        .map_err(CallError::of_deed)?;
    let mut link = form([
        ("line_items[0][price]", price.id),
        ("line_items[0][quantity]", "1".to_owned()),
        ("payment_method_types[0]", "card".to_owned()),
        ("restrictions[completed_sessions][limit]", "1".to_owned()),
    ]);
    for (mark, value) in marks(ask) {
        link.push((format!("metadata[{mark}]"), value.clone()));
        link.push((format!("payment_intent_data[metadata][{mark}]"), value));
    }
    let link: PaymentLink = client
        .post("/v1/payment_links", &link, Some(&key))
        .await
        .map_err(CallError::of_deed)?;
    Ok(Standing {
        reference: link.id,
        outcome: Outcome::Asked { link: link.url },
        amount: Some(ask.amount),
        payment: Some(ask.payment),
        branch: Some(ask.branch),
        attempt: Some(ask.attempt),
        at_ms: 0,
    })
}

async fn ask_reader(client: &Client, ask: &Ask, reader: &str) -> Result<Standing, ProviderError> {
    check_id(reader)?;
    let mut intent = form([
        ("amount", to_stripe(ask.amount)?.to_string()),
        ("currency", name(ask.amount.currency)),
        ("payment_method_types[0]", CARD_PRESENT.to_owned()),
        ("capture_method", "manual".to_owned()),
        ("description", said(&ask.text)),
    ]);
    for (mark, value) in marks(ask) {
        intent.push((format!("metadata[{mark}]"), value));
    }
    intent.push((format!("metadata[{META_READER}]"), reader.to_owned()));
    let key = provider_key(ask.payment, ask.attempt);
    let intent: PaymentIntent = client
        .post("/v1/payment_intents", &intent, Some(&key))
        .await
        .map_err(CallError::of_deed)?;
    // A key's kept answer is the intent as it was made; where it stands now decides what the reader is told.
    let now = look_intent(client, &intent.id).await?;
    if !matches!(
        now.outcome,
        Outcome::Asked { .. } | Outcome::Declined { .. }
    ) {
        return Ok(now);
    }
    let path = format!("/v1/terminal/readers/{reader}/process_payment_intent");
    let process = form([("payment_intent", intent.id.clone())]);
    match client.post::<Reader>(&path, &process, None).await {
        Ok(_) => Ok(now),
        Err(error) => match error.said() {
            Some(said) if said.code().starts_with("terminal_reader_") => {
                Err(ProviderError::Unavailable {
                    reason: format!("the reader: {}", said.message()),
                    retry_after_ms: None,
                })
            }
            Some(said) if is_settled_otherwise(said) => look_intent(client, &intent.id).await,
            _ => Err(error.of_deed()),
        },
    }
}

pub(super) async fn look(client: &Client, reference: &str) -> Result<Standing, ProviderError> {
    check_id(reference)?;
    if reference.starts_with(LINK) {
        look_link(client, reference).await
    } else {
        look_intent(client, reference).await
    }
}

async fn look_intent(client: &Client, id: &str) -> Result<Standing, ProviderError> {
    let path = format!("/v1/payment_intents/{id}");
    let intent: PaymentIntent = client
        .get(&path, &Form::new())
        .await
        .map_err(CallError::of_question)?;
    standing(&intent)
}

/// A link, then what came of it: an inactive link cannot be paid after its sessions were read.
async fn look_link(client: &Client, id: &str) -> Result<Standing, ProviderError> {
    let link: PaymentLink = client
        .get(&format!("/v1/payment_links/{id}"), &Form::new())
        .await
        .map_err(CallError::of_question)?;
    let sessions = sessions(client, id).await?;
    let mut is_open = link.active;
    for session in &sessions {
        is_open |= session.status.as_deref() == Some("open");
        let Some(intent) = session.payment_intent.as_ref().and_then(Expandable::whole) else {
            continue;
        };
        let found = standing(intent)?;
        if matches!(found.outcome, Outcome::Captured { .. } | Outcome::ToCapture) {
            return Ok(found);
        }
        is_open |= intent.status == "processing";
    }
    let outcome = if is_open {
        Outcome::Asked { link: link.url }
    } else {
        Outcome::Cancelled
    };
    Ok(Standing {
        reference: link.id,
        outcome,
        amount: None,
        payment: mark(&link.metadata, META_PAYMENT),
        branch: mark(&link.metadata, META_BRANCH),
        attempt: mark(&link.metadata, META_ATTEMPT),
        at_ms: 0,
    })
}

async fn sessions(client: &Client, link: &str) -> Result<Vec<CheckoutSession>, ProviderError> {
    let query = form([
        ("payment_link", link.to_owned()),
        ("limit", PAGE.to_owned()),
        ("expand[]", "data.payment_intent".to_owned()),
    ]);
    let list: List<CheckoutSession> = client
        .get("/v1/checkout/sessions", &query)
        .await
        .map_err(CallError::of_question)?;
    Ok(list.data)
}

pub(super) async fn find(client: &Client, find: Find) -> Result<Vec<Standing>, ProviderError> {
    let mut found = search(client, find.payment).await?;
    if let Some(asked_ms) = find.asked_ms {
        for one in listed(client, find.payment, asked_ms).await? {
            if found.iter().all(|known| known.reference != one.reference) {
                found.push(one);
            }
        }
    }
    found.sort_by(|a, b| (b.at_ms, &b.reference).cmp(&(a.at_ms, &a.reference)));
    Ok(found)
}

/// Links of a payment that are active. Stripe finds links by nothing, so the list of all active ones is read; it is asked
/// for only after an answer was lost for good.
pub(super) async fn open_links(
    client: &Client,
    payment: PaymentId,
) -> Result<Vec<Standing>, ProviderError> {
    let query = form([("active", "true".to_owned())]);
    let links: Vec<PaymentLink> = all(client, "/v1/payment_links", &query).await?;
    let ours = |link: &&PaymentLink| mark(&link.metadata, META_PAYMENT) == Some(payment);
    let mut found = Vec::new();
    for link in links.iter().filter(ours) {
        found.push(look_link(client, &link.id).await?);
    }
    Ok(found)
}

async fn search(client: &Client, payment: PaymentId) -> Result<Vec<Standing>, ProviderError> {
    let mut query = form([
        ("query", format!("metadata['{META_PAYMENT}']:'{payment}'")),
        ("limit", PAGE.to_owned()),
    ]);
    let mut found = Vec::new();
    for _ in 0..PAGES_MAX {
        let page: List<PaymentIntent> = client
            .get("/v1/payment_intents/search", &query)
            .await
            .map_err(CallError::of_question)?;
        for intent in &page.data {
            found.push(standing(intent)?);
        }
        query.retain(|(name, _)| name != "page");
        match page.next_page.filter(|_| page.has_more) {
            None => break,
            Some(next) => query.push(("page".to_owned(), next)),
        }
    }
    Ok(found)
}

/// What was made around the time of asking, which the list knows at once.
async fn listed(
    client: &Client,
    payment: PaymentId,
    asked_ms: i64,
) -> Result<Vec<Standing>, ProviderError> {
    let from_s = asked_ms.saturating_sub(CLOCKS_MS) / 1_000;
    let to_s = asked_ms.saturating_add(SEARCH_LAG_MS) / 1_000;
    let query = form([
        ("created[gte]", from_s.to_string()),
        ("created[lte]", to_s.to_string()),
    ]);
    let intents: Vec<PaymentIntent> = all(client, "/v1/payment_intents", &query).await?;
    let ours = |intent: &&PaymentIntent| mark(&intent.metadata, META_PAYMENT) == Some(payment);
    intents.iter().filter(ours).map(standing).collect()
}

/// All pages of a list.
pub(super) async fn all<T: serde::de::DeserializeOwned + Listed>(
    client: &Client,
    path: &str,
    query: &Form,
) -> Result<Vec<T>, ProviderError> {
    let mut all = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let mut query = query.clone();
        query.push(("limit".to_owned(), PAGE.to_owned()));
        if let Some(after) = after.take() {
            query.push(("starting_after".to_owned(), after));
        }
        let page: List<T> = client
            .get(path, &query)
            .await
            .map_err(CallError::of_question)?;
        after = page.data.last().map(|last| last.id().to_owned());
        all.extend(page.data);
        if !page.has_more || after.is_none() {
            return Ok(all);
        }
    }
}

pub(super) async fn capture(
    client: &Client,
    reference: &str,
    amount: Money,
) -> Result<Standing, ProviderError> {
    check_id(reference)?;
    let path = format!("/v1/payment_intents/{reference}/capture");
    let amount = form([("amount_to_capture", to_stripe(amount)?.to_string())]);
    settle(client, reference, client.post(&path, &amount, None).await).await
}

pub(super) async fn cancel(client: &Client, reference: &str) -> Result<Standing, ProviderError> {
    check_id(reference)?;
    if reference.starts_with(LINK) {
        return cancel_link(client, reference).await;
    }
    let path = format!("/v1/payment_intents/{reference}");
    let intent: PaymentIntent = client
        .get(&path, &Form::new())
        .await
        .map_err(CallError::of_question)?;
    let now = standing(&intent)?;
    if matches!(now.outcome, Outcome::Captured { .. } | Outcome::Cancelled) {
        return Ok(now);
    }
    if let Some(reader) = intent.metadata.get(META_READER) {
        release_reader(client, reader, &intent.id).await?;
    }
    let form = form([("cancellation_reason", "requested_by_customer".to_owned())]);
    let cancelled = client.post(&format!("{path}/cancel"), &form, None).await;
    settle(client, reference, cancelled).await
}

/// A reader that shows the amount keeps its intent from being cancelled; one that shows another customer's is left alone.
/// That it is away is no hindrance.
async fn release_reader(client: &Client, reader: &str, intent: &str) -> Result<(), ProviderError> {
    check_id(reader)?;
    let path = format!("/v1/terminal/readers/{reader}");
    let is_refusal = |error: &CallError| {
        error
            .said()
            .is_some_and(|said| said.status.is_client_error())
    };
    let shown = match client.get::<Reader>(&path, &Form::new()).await {
        Ok(reader) => reader,
        Err(error) if is_refusal(&error) => return Ok(()),
        Err(error) => return Err(error.of_question()),
    };
    if shown.shows() != Some(intent) {
        return Ok(());
    }
    let path = format!("{path}/cancel_action");
    match client.post::<Reader>(&path, &Form::new(), None).await {
        Ok(_) => Ok(()),
        Err(error) if is_refusal(&error) => Ok(()),
        Err(error) => Err(error.of_deed()),
    }
}

/// Nobody new comes in, and who is in is shown out; who was quicker has paid.
async fn cancel_link(client: &Client, id: &str) -> Result<Standing, ProviderError> {
    let off = form([("active", "false".to_owned())]);
    client
        .post::<PaymentLink>(&format!("/v1/payment_links/{id}"), &off, None)
        .await
        .map_err(CallError::of_deed)?;
    for session in sessions(client, id).await? {
        if session.status.as_deref() == Some("open") {
            let path = format!("/v1/checkout/sessions/{}/expire", session.id);
            let expired = client
                .post::<CheckoutSession>(&path, &Form::new(), None)
                .await;
            // Only an open one can be expired: who refuses this was paid meanwhile, which is read below.
            if let Err(error) = expired
                && error
                    .said()
                    .is_none_or(|said| said.status != StatusCode::BAD_REQUEST)
            {
                return Err(error.of_deed());
            }
        }
    }
    look_link(client, id).await
}

/// The answer of a deed on an intent; where its state says no, the state is the answer.
async fn settle(
    client: &Client,
    id: &str,
    answer: Result<PaymentIntent, CallError>,
) -> Result<Standing, ProviderError> {
    match answer {
        Ok(intent) => standing(&intent),
        Err(error) => match error.said() {
            Some(said) if is_settled_otherwise(said) => look_intent(client, id).await,
            _ => Err(error.of_deed()),
        },
    }
}

/// The object is in another state than the deed needs: Stripe was quicker, or this was done before.
fn is_settled_otherwise(said: &Said) -> bool {
    said.status == StatusCode::BAD_REQUEST
        && matches!(
            said.code(),
            "payment_intent_unexpected_state" | "charge_already_captured"
        )
        || said.status == StatusCode::PAYMENT_REQUIRED
}

fn standing(intent: &PaymentIntent) -> Result<Standing, ProviderError> {
    let odd = |what: &str| ProviderError::Unavailable {
        reason: format!("Stripe says of {} what cannot be: {what}", said(&intent.id)),
        retry_after_ms: None,
    };
    let currency: Currency = intent
        .currency
        .to_ascii_uppercase()
        .parse()
        .map_err(|_| odd("its currency"))?;
    let whole = |amount| from_stripe(amount, currency).ok_or_else(|| odd("its amount"));
    let outcome = match intent.status.as_str() {
        "succeeded" => Outcome::Captured {
            amount_minor: whole(intent.amount_received)?,
        },
        "requires_capture" => Outcome::ToCapture,
        "canceled" => Outcome::Cancelled,
        "requires_payment_method" if is_at_reader(intent) => declined(intent),
        _ => Outcome::Asked {
            link: String::new(),
        },
    };
    Ok(Standing {
        reference: intent.id.clone(),
        outcome,
        amount: Some(Money::new(whole(intent.amount)?, currency).map_err(|_| odd("its amount"))?),
        payment: mark(&intent.metadata, META_PAYMENT),
        branch: mark(&intent.metadata, META_BRANCH),
        attempt: mark(&intent.metadata, META_ATTEMPT),
        at_ms: intent.created.saturating_mul(1_000),
    })
}

/// At a link the customer tries another card on the same page; at the reader the answer stands.
fn is_at_reader(intent: &PaymentIntent) -> bool {
    intent
        .payment_method_types
        .iter()
        .any(|kind| kind == CARD_PRESENT)
}

fn declined(intent: &PaymentIntent) -> Outcome {
    match &intent.last_payment_error {
        None => Outcome::Asked {
            link: String::new(),
        },
        Some(error) => Outcome::Declined {
            reason: reason(error),
        },
    }
}

fn reason(error: &LastError) -> String {
    let code = error.decline_code.as_ref().or(error.code.as_ref());
    let message = error.message.as_deref().unwrap_or("declined");
    said(&code.map_or_else(|| message.to_owned(), |code| format!("{message} ({code})")))
}

fn marks(ask: &Ask) -> [(&'static str, String); 3] {
    [
        (META_PAYMENT, ask.payment.to_string()),
        (META_BRANCH, ask.branch.to_string()),
        (META_ATTEMPT, ask.attempt.to_string()),
    ]
}

/// Our mark on an object; one that somebody else wrote there and that does not read is none.
pub(super) fn mark<T: std::str::FromStr>(metadata: &Metadata, name: &str) -> Option<T> {
    metadata.get(name)?.parse().ok()
}

/// The branch of an object, nil where it says none.
pub(super) fn branch_of(metadata: &Metadata) -> BranchId {
    mark(metadata, META_BRANCH).unwrap_or(BranchId::NIL)
}

pub(super) fn form<const N: usize>(pairs: [(&str, String); N]) -> Form {
    pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// A name of Stripe's goes into a path: only letters that such names have.
pub(super) fn check_id(id: &str) -> Result<(), ProviderError> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if (1..=200).contains(&id.len()) && id.bytes().all(is_name) {
        Ok(())
    } else {
        Err(ProviderError::Refused {
            code: "reference".to_owned(),
            message: "this is no name that Stripe gives".to_owned(),
        })
    }
}
