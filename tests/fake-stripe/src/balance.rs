//! The balance and what is paid out of it.

use serde_json::{Value, json};

use super::answer::{Refusal, Reply};
use super::charge;
use super::form::Params;
use super::world::{World, number, text};

const LINE: &str = "balance_transaction";
const PAYOUT: &str = "payout";

pub(super) fn list(world: &World, params: Params<'_>) -> Reply {
    params.only(&[
        "payout",
        "type",
        "source",
        "currency",
        "created",
        "limit",
        "starting_after",
    ])?;
    let payout = params.text("payout");
    if let Some(payout) = payout {
        world.get(PAYOUT, payout)?;
    }
    let is = |field: &str, line: &Value| {
        params
            .text(field)
            .is_none_or(|wanted| line[field] == wanted)
    };
    world.list(LINE, params, "/v1/balance_transactions", |line| {
        let id = text(line, "id");
        payout.is_none_or(|payout| world.paid_out.get(&id).is_some_and(|of| of == payout))
            && is("type", line)
            && is("source", line)
            && is("currency", line)
    })
}

pub(super) fn retrieve(world: &World, id: &str) -> Reply {
    world.get(LINE, id)
}

pub(super) fn payouts(world: &World, params: Params<'_>) -> Reply {
    params.only(&["status", "created", "limit", "starting_after"])?;
    let status = params.text("status");
    world.list(PAYOUT, params, "/v1/payouts", |payout| {
        status.is_none_or(|status| payout["status"] == status)
    })
}

pub(super) fn payout(world: &World, id: &str) -> Reply {
    world.get(PAYOUT, id)
}

/// What is there and not paid out, by currency.
pub(super) fn balance(world: &World) -> Value {
    let mut sums: std::collections::BTreeMap<String, i64> = std::collections::BTreeMap::new();
    for line in unpaid(world) {
        *sums.entry(text(&line, "currency")).or_default() += number(&line, "net");
    }
    let available: Vec<Value> = sums
        .into_iter()
        .map(|(currency, amount)| json!({ "amount": amount, "currency": currency, "source_types": { "card": amount } }))
        .collect();
    json!({ "object": "balance", "available": available, "pending": [], "livemode": false })
}

fn unpaid(world: &World) -> Vec<Value> {
    let is_unpaid = |line: &&Value| {
        text(line, "type") != PAYOUT && !world.paid_out.contains_key(&text(line, "id"))
    };
    world.all(LINE).filter(is_unpaid).cloned().collect()
}

/// Pays out what is there of a currency, less what somebody keeps back without a word.
pub(super) fn pay_out(world: &mut World, currency: &str, short_by: i64, status: &str) -> Reply {
    let lines: Vec<Value> = unpaid(world)
        .into_iter()
        .filter(|line| text(line, "currency") == currency)
        .collect();
    if lines.is_empty() {
        return Err(Refusal::invalid(
            "balance_insufficient",
            format!("There is nothing to pay out in {currency}."),
        ));
    }
    let sum: i64 = lines.iter().map(|line| number(line, "net")).sum();
    let amount = sum - short_by;
    let id = world.next_id("po_");
    let own = charge::transaction(world, PAYOUT, -amount, 0, currency, Some(&id));
    let now_s = world.now_s();
    let payout = json!({
        "id": id,
        "object": PAYOUT,
        "amount": amount,
        "arrival_date": now_s,
        "automatic": true,
        "balance_transaction": own["id"],
        "created": now_s,
        "currency": currency,
        "description": "STRIPE PAYOUT",
        "destination": "ba_fake",
        "failure_balance_transaction": null,
        "failure_code": null,
        "failure_message": null,
        "livemode": false,
        "metadata": {},
        "method": "standard",
        "original_payout": null,
        "reconciliation_status": "completed",
        "reversed_by": null,
        "source_type": "card",
        "statement_descriptor": null,
        "status": status,
        "type": "bank_account",
    });
    let payout = world.put(payout);
    for line in lines.iter().chain([&own]) {
        world.paid_out.insert(text(line, "id"), id.clone());
    }
    world.tell("payout.created", &payout);
    if status == "paid" {
        world.tell("payout.paid", &payout);
    }
    Ok(payout)
}

/// A payout arrives at the bank.
pub(super) fn arrive(world: &mut World, id: &str) -> Reply {
    world.get(PAYOUT, id)?;
    let now_s = world.now_s();
    let payout = world.set(id, json!({ "status": "paid", "arrival_date": now_s }));
    world.tell("payout.paid", &payout);
    Ok(payout)
}
