//! Giving money back.

use serde_json::{Value, json};

use super::answer::{Refusal, Reply};
use super::charge;
use super::form::Params;
use super::world::{World, number, text};

const KIND: &str = "refund";

pub(super) fn create(world: &mut World, params: Params<'_>) -> Reply {
    params.only(&["payment_intent", "charge", "amount", "metadata", "reason"])?;
    let charge_id = match params.text("charge") {
        Some(charge) => charge.to_owned(),
        None => {
            let intent = world.get("payment_intent", params.required("payment_intent")?)?;
            text(&intent, "latest_charge")
        }
    };
    let charge = match world.find(&charge_id) {
        Some(charge) if charge["captured"] == true => charge.clone(),
        _ => {
            return Err(Refusal::unexpected_state(
                "This PaymentIntent does not have a successful charge to refund.",
            ));
        }
    };
    let left = number(&charge, "amount_captured") - number(&charge, "amount_refunded");
    if left == 0 {
        let message = format!("Charge {charge_id} has already been refunded.");
        return Err(Refusal::invalid("charge_already_refunded", message));
    }
    let amount = params.integer("amount")?.unwrap_or(left);
    if !(1..=left).contains(&amount) {
        let message = format!(
            "Refund amount ({amount}) is greater than unrefunded amount on charge ({left})"
        );
        return Err(Refusal::new(400, "invalid_request_error", message).with("param", "amount"));
    }
    let status = if world.next_refunds.is_empty() {
        "succeeded".to_owned()
    } else {
        world.next_refunds.remove(0)
    };
    let refund = json!({
        "id": world.next_id("re_"),
        "object": KIND,
        "amount": amount,
        "balance_transaction": null,
        "charge": charge_id,
        "created": world.now_s(),
        "currency": charge["currency"],
        "metadata": params.map("metadata"),
        "payment_intent": charge["payment_intent"],
        "reason": params.text("reason"),
        "receipt_number": null,
        "status": "pending",
    });
    let refund = world.put(refund);
    let refunded = number(&charge, "amount_refunded") + amount;
    let charge = world.set(
        &charge_id,
        json!({ "amount_refunded": refunded, "refunded": refunded == number(&charge, "amount_captured") }),
    );
    world.tell("refund.created", &refund);
    world.tell("charge.refunded", &charge);
    Ok(settle(world, &refund, &status))
}

/// What becomes of a refund. Gives it.
pub(super) fn settle(world: &mut World, refund: &Value, status: &str) -> Value {
    let id = text(refund, "id");
    let (amount, currency) = (number(refund, "amount"), text(refund, "currency"));
    let fields = match status {
        "succeeded" => {
            let line = charge::transaction(world, "refund", -amount, 0, &currency, Some(&id));
            json!({ "status": status, "balance_transaction": line["id"] })
        }
        "failed" => {
            let charge_id = text(refund, "charge");
            let charge = world.find(&charge_id).cloned().unwrap_or_default();
            let refunded = number(&charge, "amount_refunded") - amount;
            world.set(
                &charge_id,
                json!({ "amount_refunded": refunded, "refunded": false }),
            );
            json!({ "status": status, "failure_reason": "lost_or_stolen_card" })
        }
        other => json!({ "status": other }),
    };
    let refund = world.set(&id, fields);
    world.tell(
        if status == "failed" {
            "refund.failed"
        } else {
            "refund.updated"
        },
        &refund,
    );
    refund
}

pub(super) fn retrieve(world: &World, id: &str) -> Reply {
    world.get(KIND, id)
}

pub(super) fn list(world: &World, params: Params<'_>) -> Reply {
    params.only(&[
        "payment_intent",
        "charge",
        "created",
        "limit",
        "starting_after",
    ])?;
    let is = |field: &str, refund: &Value| {
        params
            .text(field)
            .is_none_or(|wanted| refund[field] == wanted)
    };
    world.list(KIND, params, "/v1/refunds", |refund| {
        is("payment_intent", refund) && is("charge", refund)
    })
}
