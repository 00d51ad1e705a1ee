//! Payment intents: made, confirmed, captured, cancelled, searched.

use serde_json::{Value, json};

use super::answer::{Refusal, Reply};
use super::charge;
use super::form::Params;
use super::world::{World, number, text};

const KIND: &str = "payment_intent";
/// Stripe's smallest amount, of most currencies.
const AMOUNT_MIN: i64 = 50;
const AMOUNT_MAX: i64 = 99_999_999;

pub(super) fn create(world: &mut World, params: Params<'_>) -> Reply {
    params.only(&[
        "amount",
        "automatic_payment_methods",
        "capture_method",
        "confirm",
        "currency",
        "description",
        "metadata",
        "payment_method",
        "payment_method_types",
    ])?;
    let amount = params.required_integer("amount")?;
    let currency = currency(params)?;
    check_amount(amount)?;
    let capture_method = params.text("capture_method").unwrap_or("automatic_async");
    let methods = params.value("payment_method_types").cloned();
    let intent = new(
        world,
        &New {
            amount,
            currency: &currency,
            capture_method,
            methods: methods.unwrap_or_else(|| json!(["card"])),
            metadata: params.map("metadata"),
            description: params.text("description"),
        },
    );
    if params.text("confirm") != Some("true") {
        return Ok(intent);
    }
    confirm(world, &intent, params.required("payment_method")?)
}

/// What a new intent is made of.
pub(super) struct New<'a> {
    pub(super) amount: i64,
    pub(super) currency: &'a str,
    pub(super) capture_method: &'a str,
    pub(super) methods: Value,
    pub(super) metadata: Value,
    pub(super) description: Option<&'a str>,
}

pub(super) fn new(world: &mut World, new: &New<'_>) -> Value {
    let id = world.next_id("pi_");
    let intent = json!({
        "client_secret": format!("{id}_secret_fake"),
        "id": id,
        "object": KIND,
        "amount": new.amount,
        "amount_capturable": 0,
        "amount_received": 0,
        "canceled_at": null,
        "cancellation_reason": null,
        "capture_method": new.capture_method,
        "confirmation_method": "automatic",
        "created": world.now_s(),
        "currency": new.currency,
        "customer": null,
        "description": new.description,
        "last_payment_error": null,
        "latest_charge": null,
        "livemode": false,
        "metadata": new.metadata,
        "next_action": null,
        "payment_method": null,
        "payment_method_types": new.methods,
        "processing": null,
        "status": "requires_payment_method",
    });
    let intent = world.put(intent);
    world.tell("payment_intent.created", &intent);
    intent
}

/// With one of Stripe's own test cards.
fn confirm(world: &mut World, intent: &Value, card: &str) -> Reply {
    match card {
        "pm_card_visa" => Ok(charge::authorise(world, intent)),
        "pm_card_visa_chargeDeclined" => {
            let intent = charge::decline(world, intent, "generic_decline");
            Err(Refusal::declined("generic_decline").with(KIND, intent))
        }
        other => Err(Refusal::unknown_id("PaymentMethod", other)),
    }
}

pub(super) fn currency(params: Params<'_>) -> Result<String, Refusal> {
    let currency = params.required("currency")?.to_ascii_lowercase();
    if currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_lowercase()) {
        Ok(currency)
    } else {
        let message = format!("Invalid currency: {currency}.");
        Err(Refusal::invalid("parameter_invalid", message).with("param", "currency"))
    }
}

pub(super) fn check_amount(amount: i64) -> Result<(), Refusal> {
    let (code, message) = match amount {
        ..AMOUNT_MIN => ("amount_too_small", "Amount must be at least 50 cents"),
        AMOUNT_MIN..=AMOUNT_MAX => return Ok(()),
        _ => ("amount_too_large", "Amount must be no more than 999,999.99"),
    };
    Err(Refusal::invalid(code, message).with("param", "amount"))
}

pub(super) fn capture(world: &mut World, id: &str, params: Params<'_>) -> Reply {
    params.only(&["amount_to_capture", "metadata"])?;
    let intent = world.get(KIND, id)?;
    let status = text(&intent, "status");
    if status != "requires_capture" {
        return Err(Refusal::unexpected_state(format!(
            "This PaymentIntent could not be captured because it has a status of {status}. \
             Only a PaymentIntent with one of the following statuses may be captured: requires_capture."
        ))
        .with(KIND, intent));
    }
    let most = number(&intent, "amount_capturable");
    let amount = params.integer("amount_to_capture")?.unwrap_or(most);
    if !(1..=most).contains(&amount) {
        let message = format!("The amount to capture must be 1 to {most}.");
        return Err(
            Refusal::invalid("amount_too_large", message).with("param", "amount_to_capture")
        );
    }
    Ok(charge::capture(world, &intent, amount))
}

pub(super) fn cancel(world: &mut World, id: &str, params: Params<'_>) -> Reply {
    params.only(&["cancellation_reason"])?;
    let intent = world.get(KIND, id)?;
    let status = text(&intent, "status");
    if matches!(status.as_str(), "succeeded" | "canceled" | "processing") {
        return Err(Refusal::unexpected_state(format!(
            "You cannot cancel this PaymentIntent because it has a status of {status}."
        ))
        .with(KIND, intent));
    }
    let canceled = json!({
        "status": "canceled",
        "canceled_at": world.now_s(),
        "cancellation_reason": params.text("cancellation_reason"),
        "amount_capturable": 0,
    });
    let intent = world.set(id, canceled);
    world.tell("payment_intent.canceled", &intent);
    Ok(intent)
}

pub(super) fn list(world: &World, params: Params<'_>) -> Reply {
    params.only(&["created", "limit", "starting_after"])?;
    world.list(KIND, params, "/v1/payment_intents", |_| true)
}

/// By one mark: `metadata['name']:'value'`.
pub(super) fn search(world: &World, params: Params<'_>) -> Reply {
    params.only(&["query", "limit", "page"])?;
    let query = params.required("query")?;
    let (name, value) = parse_query(query).ok_or_else(|| {
        Refusal::invalid(
            "parameter_invalid",
            format!("We were unable to parse your query: {query}"),
        )
    })?;
    let limit = params.integer("limit")?.unwrap_or(10).clamp(1, 100);
    let limit = usize::try_from(limit).unwrap_or(10);
    let page: usize = params
        .text("page")
        .and_then(|page| page.parse().ok())
        .unwrap_or(0);
    let known_s = (world.now_ms() - world.search_lag_ms) / 1_000;
    let mut found = world
        .all(KIND)
        .filter(|intent| number(intent, "created") <= known_s)
        .filter(|intent| intent["metadata"][name] == value)
        .skip(page * limit);
    let data: Vec<Value> = found.by_ref().take(limit).cloned().collect();
    let has_more = found.next().is_some();
    let next_page = has_more.then(|| (page + 1).to_string());
    Ok(
        json!({ "object": "search_result", "url": "/v1/payment_intents/search",
        "has_more": has_more, "next_page": next_page, "data": data }),
    )
}

fn parse_query(query: &str) -> Option<(&str, &str)> {
    let quotes = |text: &'_ str| -> Option<char> {
        text.chars()
            .next()
            .filter(|sign| matches!(sign, '\'' | '"'))
    };
    let rest = query.trim().strip_prefix("metadata[")?;
    let quote = quotes(rest)?;
    let (name, rest) = rest[1..].split_once(quote)?;
    let rest = rest.strip_prefix("]:")?;
    let quote = quotes(rest)?;
    let value = rest[1..].strip_suffix(quote)?;
    (!value.contains(quote)).then_some((name, value))
}
