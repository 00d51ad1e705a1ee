//! Readers on a counter, driven from the server.

use serde_json::{Value, json};

use super::answer::{Refusal, Reply};
use super::charge;
use super::form::Params;
use super::world::{World, text};

const KIND: &str = "terminal.reader";

pub(super) fn create(world: &mut World, params: Params<'_>) -> Reply {
    params.only(&["registration_code", "label", "location", "metadata"])?;
    params.required("registration_code")?;
    let id = world.next_id("tmr_");
    let label = params.text("label").unwrap_or(&id).to_owned();
    let reader = json!({
        "id": id,
        "object": KIND,
        "action": null,
        "device_sw_version": null,
        "device_type": "simulated_wisepos_e",
        "ip_address": "127.0.0.1",
        "label": label,
        "last_seen_at": world.now_ms(),
        "livemode": false,
        "location": params.text("location"),
        "metadata": params.map("metadata"),
        "serial_number": "fake",
        "status": "online",
        "created": world.now_s(),
    });
    Ok(world.put(reader))
}

pub(super) fn retrieve(world: &World, id: &str) -> Reply {
    world.get(KIND, id)
}

pub(super) fn list(world: &World, params: Params<'_>) -> Reply {
    params.only(&["limit", "starting_after", "location", "status"])?;
    world.list(KIND, params, "/v1/terminal/readers", |_| true)
}

fn online(world: &World, id: &str) -> Reply {
    let reader = world.get(KIND, id)?;
    if reader["status"] == "offline" {
        return Err(Refusal::invalid(
            "terminal_reader_offline",
            "Reader is currently offline, please ensure the reader is powered on and connected to the internet.",
        ));
    }
    if reader["_busy"] == true {
        return Err(Refusal::invalid(
            "terminal_reader_busy",
            "Reader is currently busy processing another request.",
        ));
    }
    Ok(reader)
}

pub(super) fn process(world: &mut World, id: &str, params: Params<'_>) -> Reply {
    params.only(&["payment_intent", "process_config"])?;
    let intent = world.get("payment_intent", params.required("payment_intent")?)?;
    online(world, id)?;
    let status = text(&intent, "status");
    if status != "requires_payment_method" {
        return Err(Refusal::unexpected_state(format!(
            "You cannot process this PaymentIntent because it has a status of {status}."
        )));
    }
    let action = json!({
        "type": "process_payment_intent",
        "status": "in_progress",
        "failure_code": null,
        "failure_message": null,
        "api_error": null,
        "process_payment_intent": { "payment_intent": intent["id"] },
    });
    Ok(world.set(id, json!({ "action": action })))
}

pub(super) fn cancel(world: &mut World, id: &str) -> Reply {
    online(world, id)?;
    Ok(world.set(id, json!({ "action": null })))
}

/// A card is shown to the reader.
pub(super) fn tap(world: &mut World, id: &str, declined: Option<&str>) -> Reply {
    let mut reader = world.get(KIND, id)?;
    let action = reader["action"].take();
    if action["status"] != "in_progress" {
        return Err(Refusal::invalid(
            "terminal_reader_idle",
            "The reader shows no amount.",
        ));
    }
    let intent_id = text(&action["process_payment_intent"], "payment_intent");
    let intent = world.get("payment_intent", &intent_id)?;
    if intent["status"] != "requires_payment_method" {
        return Err(Refusal::unexpected_state(
            "The payment cannot be taken any more.",
        ));
    }
    let mut action = action;
    let kind = match declined {
        None => {
            charge::authorise(world, &intent);
            action["status"] = json!("succeeded");
            "terminal.reader.action_succeeded"
        }
        Some(code) => {
            charge::decline(world, &intent, code);
            action["status"] = json!("failed");
            action["failure_code"] = json!("card_declined");
            action["failure_message"] = json!("Your card was declined.");
            "terminal.reader.action_failed"
        }
    };
    let reader: Value = world.set(id, json!({ "action": action }));
    world.tell(kind, &reader);
    Ok(reader)
}
