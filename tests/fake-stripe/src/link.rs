//! Prices, payment links and the customers who come through them.

use serde_json::{Value, json};

use super::answer::{Refusal, Reply};
use super::charge;
use super::form::Params;
use super::intent::{self, New};
use super::world::{World, number, text};

const LINK: &str = "payment_link";
const SESSION: &str = "checkout.session";
const DAY_S: i64 = 86_400;

pub(super) fn create_price(world: &mut World, params: Params<'_>) -> Reply {
    params.only(&[
        "currency",
        "unit_amount",
        "product",
        "product_data",
        "metadata",
    ])?;
    let currency = intent::currency(params)?;
    let amount = params.required_integer("unit_amount")?;
    if amount < 0 {
        return Err(
            Refusal::invalid("parameter_invalid_integer", "Invalid non-negative integer")
                .with("param", "unit_amount"),
        );
    }
    let product = match params.text("product") {
        Some(product) => product.to_owned(),
        None => {
            let name = params.required("product_data/name")?;
            let id = world.next_id("prod_");
            let product = json!({ "id": id, "object": "product", "name": name, "active": true,
                "created": world.now_s(), "livemode": false, "metadata": {} });
            text(&world.put(product), "id")
        }
    };
    let price = json!({
        "id": world.next_id("price_"),
        "object": "price",
        "active": true,
        "billing_scheme": "per_unit",
        "created": world.now_s(),
        "currency": currency,
        "livemode": false,
        "metadata": params.map("metadata"),
        "product": product,
        "recurring": null,
        "type": "one_time",
        "unit_amount": amount,
        "unit_amount_decimal": amount.to_string(),
    });
    Ok(world.put(price))
}

pub(super) fn create(world: &mut World, params: Params<'_>) -> Reply {
    params.only(&[
        "line_items",
        "metadata",
        "payment_intent_data",
        "payment_method_types",
        "restrictions",
    ])?;
    let price = world.get("price", params.required("line_items/0/price")?)?;
    let quantity = params.required_integer("line_items/0/quantity")?;
    let total = number(&price, "unit_amount") * quantity;
    intent::check_amount(total)?;
    let id = world.next_id("plink_");
    let limit = params.integer("restrictions/completed_sessions/limit")?;
    let restrictions =
        limit.map(|limit| json!({ "completed_sessions": { "count": 0, "limit": limit } }));
    let link = json!({
        "url": format!("{}/_fake/pay/{id}", world.base),
        "id": id,
        "object": LINK,
        "active": true,
        "after_completion": { "type": "hosted_confirmation" },
        "currency": price["currency"],
        "livemode": false,
        "metadata": params.map("metadata"),
        "payment_intent_data": {
            "description": params.text("payment_intent_data/description"),
            "metadata": params.map("payment_intent_data/metadata"),
        },
        "restrictions": restrictions,
        "created": world.now_s(),
        "_amount": total,
    });
    Ok(shown(world.put(link)))
}

/// Without what Stripe does not show.
fn shown(mut link: Value) -> Value {
    if let Some(fields) = link.as_object_mut() {
        fields.remove("_amount");
        fields.remove("created");
    }
    link
}

pub(super) fn retrieve(world: &World, id: &str) -> Reply {
    world.get(LINK, id).map(shown)
}

pub(super) fn update(world: &mut World, id: &str, params: Params<'_>) -> Reply {
    params.only(&["active", "metadata"])?;
    world.get(LINK, id)?;
    let mut fields = json!({});
    if let Some(active) = params.text("active") {
        fields["active"] = json!(active == "true");
    }
    if params.value("metadata").is_some() {
        fields["metadata"] = params.map("metadata");
    }
    Ok(shown(world.set(id, fields)))
}

pub(super) fn list(world: &World, params: Params<'_>) -> Reply {
    params.only(&["active", "limit", "starting_after", "created"])?;
    let active = params.text("active");
    let mut list = world.list(LINK, params, "/v1/payment_links", |link| {
        active.is_none_or(|active| link["active"] == (active == "true"))
    })?;
    if let Some(data) = list["data"].as_array_mut() {
        for link in data {
            *link = shown(link.take());
        }
    }
    Ok(list)
}

pub(super) fn list_sessions(world: &World, params: Params<'_>) -> Reply {
    params.only(&[
        "payment_link",
        "payment_intent",
        "status",
        "limit",
        "starting_after",
        "created",
    ])?;
    let is = |field: &str, session: &Value| {
        params
            .text(field)
            .is_none_or(|wanted| session[field] == wanted)
    };
    world.list(SESSION, params, "/v1/checkout/sessions", |session| {
        is("payment_link", session) && is("payment_intent", session) && is("status", session)
    })
}

pub(super) fn expire(world: &mut World, id: &str) -> Reply {
    let session = world.get(SESSION, id)?;
    if session["status"] != "open" {
        return Err(Refusal::new(
            400,
            "invalid_request_error",
            "Only Checkout Sessions with a status in [\"open\"] can be expired.",
        ));
    }
    let session = world.set(id, json!({ "status": "expired", "url": null }));
    world.tell("checkout.session.expired", &session);
    Ok(session)
}

/// A customer opens a link.
pub(super) fn open(world: &mut World, id: &str) -> Reply {
    let link = world.get(LINK, id)?;
    if link["active"] != true {
        return Err(Refusal::new(
            400,
            "invalid_request_error",
            "This link is no longer active.",
        ));
    }
    let session_id = world.next_id("cs_");
    let session = json!({
        "url": format!("{}/_fake/pay/{id}", world.base),
        "id": session_id,
        "object": SESSION,
        "amount_total": link["_amount"],
        "created": world.now_s(),
        "currency": link["currency"],
        "expires_at": world.now_s() + DAY_S,
        "livemode": false,
        "metadata": link["metadata"],
        "mode": "payment",
        "payment_intent": null,
        "payment_link": id,
        "payment_status": "unpaid",
        "status": "open",
    });
    Ok(world.put(session))
}

/// The customer's session, a new one where none is open.
fn session(world: &mut World, id: &str) -> Reply {
    let open_one = world
        .all(SESSION)
        .find(|session| session["payment_link"] == id && session["status"] == "open")
        .cloned();
    match open_one {
        Some(session) => Ok(session),
        None => open(world, id),
    }
}

/// A customer pays at a link, or tries to. Gives the session.
pub(super) fn pay(world: &mut World, id: &str, declined: Option<&str>) -> Reply {
    let session = session(world, id)?;
    let link = world.get(LINK, id)?;
    let known = text(&session, "payment_intent");
    let intent = match world.find(&known).cloned() {
        Some(intent) => intent,
        None => intent::new(
            world,
            &New {
                amount: number(&link, "_amount"),
                currency: &text(&link, "currency"),
                capture_method: "automatic_async",
                methods: json!(["card"]),
                metadata: link["payment_intent_data"]["metadata"].clone(),
                description: link["payment_intent_data"]["description"].as_str(),
            },
        ),
    };
    let session_id = text(&session, "id");
    let session = world.set(&session_id, json!({ "payment_intent": intent["id"] }));
    if let Some(code) = declined {
        charge::decline(world, &intent, code);
        return Ok(session);
    }
    charge::authorise(world, &intent);
    count(world, &link);
    let done = json!({ "status": "complete", "payment_status": "paid", "url": null });
    let session = world.set(&session_id, done);
    world.tell("checkout.session.completed", &session);
    Ok(session)
}

/// A link that let through as many as it may is closed.
fn count(world: &mut World, link: &Value) {
    let Some(limit) = link["restrictions"]["completed_sessions"]["limit"].as_i64() else {
        return;
    };
    let count = link["restrictions"]["completed_sessions"]["count"]
        .as_i64()
        .unwrap_or(0)
        + 1;
    let restrictions = json!({ "completed_sessions": { "count": count, "limit": limit } });
    let fields = json!({ "restrictions": restrictions, "active": count < limit });
    world.set(&text(link, "id"), fields);
}
