//! Which call does what.

use axum::http::Method;
use serde_json::Value;

use super::answer::{Refusal, Reply};
use super::form::Params;
use super::world::World;
use super::{balance, expand, intent, link, reader, refund};

/// Does a call and expands its answer.
pub(super) fn call(world: &mut World, method: &Method, path: &str, params: &Value) -> Reply {
    let params = Params(params);
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let answer = match *method {
        Method::GET => get(world, &parts, params),
        Method::POST => post(world, &parts, params),
        _ => None,
    };
    let answer = answer.unwrap_or_else(|| {
        let message = format!("Unrecognized request URL ({method}: {path}).");
        Err(Refusal::new(404, "invalid_request_error", message))
    })?;
    expand::expand(world, params, answer)
}

fn get(world: &World, parts: &[&str], params: Params<'_>) -> Option<Reply> {
    Some(match parts {
        ["v1", "prices", id] => world.get("price", id),
        ["v1", "payment_links"] => link::list(world, params),
        ["v1", "payment_links", id] => link::retrieve(world, id),
        ["v1", "checkout", "sessions"] => link::list_sessions(world, params),
        ["v1", "checkout", "sessions", id] => world.get("checkout.session", id),
        ["v1", "payment_intents"] => intent::list(world, params),
        ["v1", "payment_intents", "search"] => intent::search(world, params),
        ["v1", "payment_intents", id] => world.get("payment_intent", id),
        ["v1", "charges", id] => world.get("charge", id),
        ["v1", "terminal", "readers"] => reader::list(world, params),
        ["v1", "terminal", "readers", id] => reader::retrieve(world, id),
        ["v1", "refunds"] => refund::list(world, params),
        ["v1", "refunds", id] => refund::retrieve(world, id),
        ["v1", "balance"] => Ok(balance::balance(world)),
        ["v1", "balance_transactions"] => balance::list(world, params),
        ["v1", "balance_transactions", id] => balance::retrieve(world, id),
        ["v1", "payouts"] => balance::payouts(world, params),
        ["v1", "payouts", id] => balance::payout(world, id),
        ["v1", "events"] => world.list("event", params, "/v1/events", |event| {
            params.text("type").is_none_or(|kind| event["type"] == kind)
        }),
        ["v1", "events", id] => world.get("event", id),
        _ => return None,
    })
}

fn post(world: &mut World, parts: &[&str], params: Params<'_>) -> Option<Reply> {
    Some(match parts {
        ["v1", "prices"] => link::create_price(world, params),
        ["v1", "payment_links"] => link::create(world, params),
        ["v1", "payment_links", id] => link::update(world, id, params),
        ["v1", "checkout", "sessions", id, "expire"] => link::expire(world, id),
        ["v1", "payment_intents"] => intent::create(world, params),
        ["v1", "payment_intents", id, "capture"] => intent::capture(world, id, params),
        ["v1", "payment_intents", id, "cancel"] => intent::cancel(world, id, params),
        ["v1", "terminal", "readers"] => reader::create(world, params),
        ["v1", "terminal", "readers", id, "process_payment_intent"] => {
            reader::process(world, id, params)
        }
        ["v1", "terminal", "readers", id, "cancel_action"] => reader::cancel(world, id),
        [
            "v1",
            "test_helpers",
            "terminal",
            "readers",
            id,
            "present_payment_method",
        ] => reader::tap(world, id, None),
        ["v1", "refunds"] => refund::create(world, params),
        _ => return None,
    })
}
