//! Charges and what they do to the balance.

use serde_json::{Value, json};

use super::world::{World, number, text};

/// The bank said yes to a payment intent: a charge, captured at once or later. Gives the intent.
pub(super) fn authorise(world: &mut World, intent: &Value) -> Value {
    let is_manual = text(intent, "capture_method") == "manual";
    let is_present = intent["payment_method_types"]
        .as_array()
        .is_some_and(|kinds| kinds.iter().any(|kind| kind == "card_present"));
    let kind = if is_present { "card_present" } else { "card" };
    let charge = json!({
        "id": world.next_id("ch_"),
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": 0,
        "amount_refunded": 0,
        "balance_transaction": null,
        "captured": false,
        "created": world.now_s(),
        "currency": intent["currency"],
        "description": intent["description"],
        "livemode": false,
        "metadata": intent["metadata"],
        "paid": true,
        "payment_intent": intent["id"],
        "payment_method_details": { "type": kind, kind: { "brand": "visa", "last4": "4242" } },
        "refunded": false,
        "status": "succeeded",
    });
    let charge = world.put(charge);
    let intent = world.set(
        &text(intent, "id"),
        json!({
            "status": "requires_capture",
            "amount_capturable": intent["amount"],
            "latest_charge": charge["id"],
            "last_payment_error": null,
            "payment_method": "pm_card_visa",
        }),
    );
    if is_manual {
        world.tell("payment_intent.amount_capturable_updated", &intent);
        return intent;
    }
    let amount = number(&intent, "amount");
    capture(world, &intent, amount)
}

/// The money comes. Gives the intent.
pub(super) fn capture(world: &mut World, intent: &Value, amount: i64) -> Value {
    let charge_id = text(intent, "latest_charge");
    let fee = amount * world.fee_bp / 10_000 + world.fee_fixed;
    let currency = text(intent, "currency");
    let transaction = transaction(world, "charge", amount, fee, &currency, Some(&charge_id));
    let charge = world.set(
        &charge_id,
        json!({ "captured": true, "amount_captured": amount, "balance_transaction": transaction["id"] }),
    );
    let intent = world.set(
        &text(intent, "id"),
        json!({ "status": "succeeded", "amount_received": amount, "amount_capturable": 0 }),
    );
    world.tell("charge.captured", &charge);
    world.tell("payment_intent.succeeded", &intent);
    intent
}

/// A line of the balance.
pub(super) fn transaction(
    world: &mut World,
    kind: &str,
    amount: i64,
    fee: i64,
    currency: &str,
    source: Option<&str>,
) -> Value {
    let fee_details = if fee == 0 {
        json!([])
    } else {
        json!([{ "amount": fee, "application": null, "currency": currency,
            "description": "Stripe processing fees", "type": "stripe_fee" }])
    };
    let now_s = world.now_s();
    let transaction = json!({
        "id": world.next_id("txn_"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": now_s,
        "balance_type": "payments",
        "created": now_s,
        "currency": currency,
        "description": null,
        "exchange_rate": null,
        "fee": fee,
        "fee_details": fee_details,
        "net": amount - fee,
        "reporting_category": kind,
        "source": source,
        "status": "available",
        "type": kind,
    });
    world.put(transaction)
}

/// The bank said no. Gives the intent.
pub(super) fn decline(world: &mut World, intent: &Value, code: &str) -> Value {
    let error = json!({
        "type": "card_error",
        "code": "card_declined",
        "decline_code": code,
        "message": "Your card was declined.",
    });
    let intent = world.set(
        &text(intent, "id"),
        json!({ "status": "requires_payment_method", "last_payment_error": error, "payment_method": null }),
    );
    world.tell("payment_intent.payment_failed", &intent);
    intent
}
