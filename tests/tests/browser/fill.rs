//! A chain with something of everything in it, so that no page is empty; the newest of each is hostile.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use tests::process::chain::api::{Api, fresh_key};
use tests::process::chain::wait::until;
use tests::process::chain::{PASSWORD, PATIENCE, id_of};

use super::hostile::HOSTILE;
use super::stage::Stage;

/// The user name of the manager at the first branch whose name is hostile.
pub const HOSTILE_MANAGER: &str = "manager.x";

/// The ids of what is hostile.
pub struct Filled {
    pub order: String,
    pub line: String,
    pub visit: String,
    pub customer: String,
    pub transfer: String,
    pub person: String,
    pub preset: String,
}

/// Fills the chain of a stage with branches `B1` and `B2`; the first gets what is hostile.
pub async fn fill(stage: &Stage) -> Result<Filled> {
    usual(stage).await.context("what is usual")?;
    let central = stage.chain.hub.api("central").await?;
    let operator = stage.chain.hub.api("operator").await?;
    company(&central, &operator).await.context("the company")?;
    let preset = catalogue(&central).await.context("the catalogue")?;
    let person = people(stage, &operator).await.context("people")?;
    let manager = stage.chain.manager(0).await?;
    let (order, line, visit, customer) = order(&manager).await.context("an order")?;
    account(stage, &central, &customer)
        .await
        .context("an account")?;
    money(&manager).await.context("money")?;
    stage.chain.until_level().await?;
    let transfer = transfers(stage, &central).await.context("transfers")?;
    conflict(stage, &order).await.context("a conflict")?;
    refused(stage, &person).await.context("what is refused")?;
    stage.chain.until_level().await?;
    night(stage, &central).await.context("a night")?;
    Ok(Filled {
        order,
        line,
        visit,
        customer,
        transfer,
        person,
        preset,
    })
}

/// Orders, lines, notes and stock that moves, as every day brings them.
async fn usual(stage: &Stage) -> Result<()> {
    let manager = stage.chain.manager(0).await?;
    let id = id_of(&manager.take_in(&fresh_key(), "does not heat").await?)?;
    manager.move_order(&id, "in_repair", None).await?;
    manager.add_part_line(&id, &stage.chain.skus[0], 2).await?;
    let note = json!({ "text": "The cable is warm." });
    let path = format!("/api/v1/orders/{id}/notes");
    manager.send(&path, &note).await?;
    let late = json!({
        "customer": { "name": "Maximiliane von und zu Musterhausen-Lichtenberg", "phone": "+49 30 7654321" },
        "devices": [{ "category": "Coffee machine", "brand": "Acme", "model": "Barista Professional 9000 Touch",
                      "serial": "359881030314356", "fault": "leaks, smells and makes a noise ".repeat(12) }],
        "urgent": true,
    });
    manager.send("/api/v1/orders", &late).await.map(drop)
}

async fn company(central: &Api, operator: &Api) -> Result<()> {
    let company = json!({
        "legal_name": HOSTILE, "tax_id": "DE 123", "opening_hours": HOSTILE, "receipt_texts": { "intake": HOSTILE },
        "tax_rates": [{ "name": HOSTILE, "rate_bp": 1900 }],
    });
    central.patch("/api/v1/settings", &company).await?;
    let branch = json!({
        "code": "B3", "name": HOSTILE, "region": HOSTILE, "address": HOSTILE,
        "location": { "latitude": 53.5, "longitude": 10.0 }, "time_zone": "Europe/Berlin", "currency": "EUR", "capacity": 10,
    });
    operator.send("/api/v1/branches", &branch).await.map(drop)
}

/// Gives the preset's id.
async fn catalogue(central: &Api) -> Result<String> {
    let price = json!({ "amount_minor": 500, "currency": "EUR" });
    let part = json!({ "sku": "P-99", "name": HOSTILE, "category": HOSTILE, "price": price, "tax_rate_bp": 1900 });
    central.send("/api/v1/parts", &part).await?;
    let preset = json!({ "category": HOSTILE, "fault": HOSTILE, "service": HOSTILE, "minutes": 45, "price": price,
                         "tax_rate_bp": 1900 });
    let preset = central.send("/api/v1/presets", &preset);
    id_of(&preset.await?)
}

/// Gives the id of the manager.
async fn people(stage: &Stage, operator: &Api) -> Result<String> {
    let person = json!({ "username": HOSTILE_MANAGER, "name": HOSTILE, "role": "branch_manager", "branches": ["B1"],
                         "password": PASSWORD });
    let person = operator.send("/api/v1/staff", &person);
    let id = id_of(&person.await?)?;
    let edge = &stage.chain.edges[0];
    edge.api_when_known(HOSTILE_MANAGER, PATIENCE).await?;
    Ok(id)
}

/// An order that is hostile wherever it can be, and a piece of the hostile part; gives the ids of
/// order, line, visit and customer.
async fn order(manager: &Api) -> Result<(String, String, String, String)> {
    until("the part arrives", PATIENCE, async || {
        manager.found("/api/v1/stock/P-99").await
    })
    .await?;
    let delivery =
        json!({ "kind": "receive", "quantity": 8, "reason": HOSTILE, "reference": HOSTILE });
    let path = "/api/v1/stock/P-99/movements";
    manager.send(path, &delivery).await?;
    let body = json!({
        "customer": { "name": HOSTILE, "phone": "+49 30 1234567", "address": HOSTILE },
        "devices": [{ "category": HOSTILE, "brand": HOSTILE, "model": HOSTILE, "serial": "S-1", "fault": HOSTILE,
                      "accessories": [HOSTILE] }],
    });
    let visit = manager.send("/api/v1/orders", &body).await?;
    let order = &visit["items"][0];
    let id = id_of(order)?;
    let text = |value: &Value| value.as_str().map(str::to_owned).context("an id");
    let (visit, customer) = (text(&order["visit_id"])?, text(&order["customer"]["id"])?);
    let note = json!({ "text": HOSTILE });
    let line = json!({ "kind": "service", "text": HOSTILE, "quantity": 1, "unit_price": { "amount_minor": 1000, "currency": "EUR" } });
    for (what, body) in [("notes", note), ("lines", line), ("estimates", Value::Null)] {
        let path = format!("/api/v1/orders/{id}/{what}");
        manager.send(&path, &body).await?;
    }
    let line = id_of(&manager.add_part_line(&id, "P-99", 1).await?)?;
    Ok((id, line, visit, customer))
}

/// The hostile customer owes for a piece that was taken on account.
async fn account(stage: &Stage, central: &Api, customer: &str) -> Result<()> {
    let manager = stage.chain.manager(0).await?;
    stage.chain.until_level().await?;
    let account = json!({ "limit_minor": 50_000, "due_days": 14 });
    let path = format!("/api/v1/customers/{customer}/account");
    central.send(&path, &account).await?;
    stage.chain.until_level().await?;
    let euro = json!({ "amount_minor": 500, "currency": "EUR" });
    let sale = json!({ "customer_id": customer, "parts": [{ "sku": "P-99", "quantity": 1 }],
                       "tenders": [{ "tender": "account", "amount": euro }] });
    manager.send("/api/v1/sales", &sale).await.map(drop)
}

/// A day at the till that is closed, with a sale whose card is promised and a piece given back; and one that is open.
async fn money(manager: &Api) -> Result<()> {
    let euro = |amount_minor: i64| json!({ "amount_minor": amount_minor, "currency": "EUR" });
    let open = json!({ "float": euro(10_000) });
    let sessions = "/api/v1/cash-sessions";
    let session = id_of(&manager.send(sessions, &open).await?)?;
    let part = json!([{ "sku": "P-99", "quantity": 2 }]);
    let sale = json!({ "parts": part, "tenders": [{ "tender": "cash", "amount": euro(600) },
                                                  { "tender": "card", "amount": euro(400) }] });
    let receipt = manager.send("/api/v1/sales", &sale).await?;
    let line = &receipt["lines"][0]["id"];
    let back = json!({ "lines": [{ "line_id": line, "quantity": 1, "goods": "scrap" }], "reason": HOSTILE });
    let path = format!("/api/v1/sales/{}/refunds", id_of(&receipt)?);
    manager.send(&path, &back).await?;
    let moved = json!({ "direction": "out", "amount": euro(100), "reason": HOSTILE });
    let path = format!("{sessions}/{session}");
    manager.send(&format!("{path}/movements"), &moved).await?;
    let count = json!({ "counted": [{ "value_minor": 5000, "pieces": 2 }], "reason": HOSTILE });
    let closed = manager.send(&format!("{path}/close"), &count).await?;
    let opened = closed["opened_at"].as_str().context("when it was opened")?;
    let day = json!({ "business_date": opened.get(..10).context("a date")? });
    manager.send("/api/v1/business-days", &day).await?;
    let session = id_of(&manager.send(sessions, &open).await?)?;
    let path = format!("{sessions}/{session}/movements");
    manager.send(&path, &moved).await.map(drop)
}

/// A night that does not agree, with a correction.
async fn night(stage: &Stage, central: &Api) -> Result<()> {
    let date = super::night::close_days(stage).await?;
    super::night::until_done(central, &date).await?;
    let amount = json!({ "amount_minor": 900, "currency": "EUR" });
    let correction = json!({ "branch": "B1", "from": "difference", "to": "corrections", "amount": amount,
                             "reason": HOSTILE });
    let path = "/api/v1/money/corrections";
    central.send(path, &correction).await.map(drop)
}

/// One that was received short, one approved, and one asked for; gives the first one's id.
async fn transfers(stage: &Stage, central: &Api) -> Result<String> {
    let mut ids = Vec::new();
    let lines = json!([{ "sku": "P-99", "quantity": 1 }]);
    for _ in 0..3 {
        let wish = json!({ "from": "B1", "to": "B2", "lines": lines, "note": HOSTILE });
        let made = central.send("/api/v1/transfers", &wish);
        ids.push(id_of(&made.await?)?);
    }
    for id in &ids[..2] {
        let path = format!("/api/v1/transfers/{id}/approve");
        central.send(&path, &Value::Null).await?;
    }
    let path = format!("/api/v1/transfers/{}", ids[0]);
    for (index, act, line) in [
        (0, "ship", json!({ "sku": "P-99", "quantity": 1 })),
        (
            1,
            "receive",
            json!({ "sku": "P-99", "quantity": 0, "missing": 1 }),
        ),
    ] {
        let manager = stage.chain.manager(index).await?;
        until("the transfer is here", PATIENCE, async || {
            let here = manager.found(&path).await?;
            Ok(here.and_then(|here| {
                let state = here["state"].to_string();
                let wanted = ["\"approved\"", "\"shipped\""][index];
                if state == wanted { Ok(()) } else { Err(state) }
            }))
        })
        .await?;
        let body = json!({ "lines": [line] });
        manager.send(&format!("{path}/{act}"), &body).await?;
    }
    Ok(ids.remove(0))
}

/// The same field written on both sides of a cut line.
async fn conflict(stage: &Stage, order: &str) -> Result<()> {
    let manager = stage.chain.manager(0).await?;
    let central = stage.chain.hub.api("central").await?;
    let drill = |act: &str| format!("/api/v1/sync/{act}");
    manager.send(&drill("pause"), &Value::Null).await?;
    for (api, words) in [
        (&manager, HOSTILE.to_owned()),
        (&central, format!("Hub: {HOSTILE}")),
    ] {
        let body = json!({ "diagnosis": words });
        let path = format!("/api/v1/orders/{order}");
        api.patch(&path, &body).await?;
    }
    manager.send(&drill("resume"), &Value::Null).await?;
    until("two versions are here", PATIENCE, async || {
        let conflicts = manager.list("/api/v1/conflicts").await?;
        Ok(if conflicts.is_empty() {
            Err("none".to_owned())
        } else {
            Ok(())
        })
    })
    .await
}

/// What only a broken branch sends: a parked entry and an incident, written as the hub writes them.
async fn refused(stage: &Stage, person: &str) -> Result<()> {
    let mut hub = stage.chain.hub.connect().await?;
    let branch = &stage.chain.edges[0].branch_id;
    let parked = "with entry as ( \
            insert into sync.parked (branch_id, node, epoch, seq, item, id, kind, reason, staff, at_ms, state) \
            select $1::text::uuid, 1, 1, 999999, 0, gen_random_uuid(), 1, $2, $3::text::uuid, \
                (extract(epoch from now()) * 1000)::bigint, 1 \
            returning branch_id, id, reason, at_ms) \
         insert into audit.exception select branch_id, 'parked', id, reason, at_ms from entry";
    sqlx::query(parked)
        .bind(branch)
        .bind(HOSTILE)
        .bind(person)
        .execute(&mut hub)
        .await?;
    let incident = "insert into sync.incident (branch_id, id, at_ms, kind, detail) \
         values ($1::text::uuid, gen_random_uuid(), (extract(epoch from now()) * 1000)::bigint, 'database_copied_back', $2)";
    sqlx::query(incident)
        .bind(branch)
        .bind(HOSTILE)
        .execute(&mut hub)
        .await?;
    Ok(())
}
