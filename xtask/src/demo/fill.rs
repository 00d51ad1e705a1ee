//! The chain that a person finds: people, parts, customers, orders and stock, made through the API that people use.
//!
//! Everything is generated from a seed and says so: customers and orders by a note, people and the company by
//! "(generated)", parts by their skus, movements by a reference.

use std::time::SystemTime;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::api::Api;
use super::chain::{Chain, NewBranch, PASSWORD};
use super::devices::{self, Device};
use super::place::Login;
use super::scripted::rfc3339;
use super::takings::Day;
use super::words::{self, Dice};

pub(crate) const PARTS: usize = 400;
const CUSTOMERS: usize = 120;
const ORDERS: usize = 300;

/// The demo's three branches.
pub(crate) fn branches() -> Vec<NewBranch> {
    let branch = |code: &str, name: &str, address: &str, latitude, longitude| NewBranch {
        code: code.to_owned(),
        name: name.to_owned(),
        address: address.to_owned(),
        latitude,
        longitude,
    };
    vec![
        branch(
            "BER",
            "Berlin Mitte",
            "Invalidenstraße 50, 10115 Berlin",
            52.5300,
            13.3850,
        ),
        branch(
            "HAM",
            "Hamburg Altona",
            "Große Bergstraße 152, 22767 Hamburg",
            53.5510,
            9.9430,
        ),
        branch(
            "MUC",
            "München Sendling",
            "Lindwurmstraße 120, 80337 München",
            48.1270,
            11.5530,
        ),
    ]
}

/// The first person, made by the hub's own command: nobody can sign in before.
pub(crate) fn first_operator(chain: &mut Chain) -> Result<()> {
    let arguments = [
        "staff",
        "add",
        "--username",
        "operator",
        "--name",
        "Op Erator (generated)",
        "--role",
        "operator",
    ];
    let mut all = arguments.to_vec();
    all.extend(["--password-file", "-"]);
    chain.hub_command(&all, Some(PASSWORD))?;
    chain.logins.push(login("hub", "operator", "operator"));
    Ok(())
}

fn login(place: &str, username: &str, role: &str) -> Login {
    Login {
        place: place.to_owned(),
        username: username.to_owned(),
        password: PASSWORD.to_owned(),
        role: role.to_owned(),
    }
}

/// People who work for the whole chain.
pub(crate) async fn chain_staff(chain: &mut Chain) -> Result<()> {
    let operator = chain.hub_api("operator")?;
    for (role, name) in [
        ("central_manager", "Cleo Central (generated)"),
        ("auditor", "Audrey Audit (generated)"),
    ] {
        add_staff(&operator, role, name, role, &[]).await?;
        chain.logins.push(login("hub", role, role));
    }
    Ok(())
}

/// People of one branch, in every role that a branch has.
pub(crate) async fn branch_staff(chain: &mut Chain, index: usize) -> Result<()> {
    let operator = chain.hub_api("operator")?;
    let code = chain.branches[index].code.clone();
    for (role, name) in [
        ("clerk", "Clara Counter"),
        ("technician", "Theo Tech"),
        ("branch_manager", "Bea Branch"),
    ] {
        let username = format!("{}.{}", role.replace('_', "."), code.to_lowercase());
        add_staff(
            &operator,
            &username,
            &format!("{name} {code} (generated)"),
            role,
            &[&code],
        )
        .await?;
        chain.logins.push(login(&code, &username, role));
    }
    Ok(())
}

async fn add_staff(
    operator: &Api,
    username: &str,
    name: &str,
    role: &str,
    branches: &[&str],
) -> Result<Value> {
    let body = json!({
        "username": username, "name": name, "role": role, "branches": branches, "password": PASSWORD,
    });
    operator
        .post("/api/v1/staff", &format!("demo-staff-{username}"), &body)
        .await
}

/// The company's own data.
pub(crate) async fn company(chain: &Chain) -> Result<()> {
    let body = json!({
        "legal_name": "Counterpart Demo Repairs GmbH (generated)", "tax_id": "DE000000000",
        "tax_rates": [{ "name": "standard", "rate_bp": 1900 }, { "name": "reduced", "rate_bp": 700 }],
        "receipt_texts": {
            "intake": "We keep a repaired device for three months. Please bring this paper. (generated)",
            "intake_de": "Wir bewahren ein repariertes Gerät drei Monate auf. Bitte bringen Sie diesen Beleg mit. (generiert)",
        },
    });
    chain
        .hub_api("central_manager")?
        .patch("/api/v1/settings", &body)
        .await
        .map(drop)
}

/// The usual faults of each kind of device, with what mending them costs.
pub(crate) async fn presets(chain: &Chain) -> Result<()> {
    let manager = chain.hub_api("central_manager")?;
    for (kind, category) in devices::CATEGORIES.iter().enumerate() {
        for (number, preset) in category.presets.iter().enumerate() {
            let body = json!({
                "category": category.name, "fault": preset.fault, "service": preset.service,
                "price": { "amount_minor": preset.price_minor, "currency": "EUR" },
                "tax_rate_bp": 1900, "minutes": preset.minutes,
            });
            let key = format!("demo-preset-{kind}-{number}");
            manager.post("/api/v1/presets", &key, &body).await?;
        }
    }
    Ok(())
}

/// Parts with prices; gives their skus.
pub(crate) async fn parts(chain: &Chain, count: usize) -> Result<Vec<String>> {
    let manager = chain.hub_api("central_manager")?;
    let mut skus = Vec::with_capacity(count);
    for part in devices::parts(count) {
        let body = json!({
            "sku": part.sku, "name": part.name, "category": part.category,
            "price": { "amount_minor": part.price_minor, "currency": "EUR" }, "tax_rate_bp": 1900,
        });
        manager
            .post("/api/v1/parts", &format!("demo-part-{}", part.sku), &body)
            .await?;
        skus.push(part.sku);
    }
    Ok(skus)
}

/// Opening stock of a branch: a different share of the parts at each, and a shelf and a reorder point for some.
pub(crate) async fn opening_stock(api: &Api, seed: u64, skus: &[String]) -> Result<()> {
    let mut dice = Dice::new(0x570C + seed);
    for (number, sku) in skus.iter().enumerate() {
        if number.is_multiple_of(3) {
            let shelf = json!({ "bin": format!("{}{}", dice.letter(), 1 + dice.below(9)), "reorder_point": dice.below(4) });
            api.patch(&format!("/api/v1/stock/{sku}"), &shelf).await?;
        }
        if dice.below(10) < 3 {
            continue;
        }
        let quantity = 1 + dice.below(12);
        let body = json!({
            "kind": "opening", "quantity": quantity, "reason": "opening stock (generated)", "reference": "demo",
        });
        api.post(
            &format!("/api/v1/stock/{sku}/movements"),
            &format!("demo-opening-{seed}-{sku}"),
            &body,
        )
        .await?;
    }
    Ok(())
}

/// Customers and orders of a branch, in all states.
pub(crate) async fn orders(chain: &Chain, index: usize, day: &mut Day) -> Result<()> {
    let clerk = chain.branch_api(index, "clerk")?;
    let technician = chain.branch_api(index, "technician")?;
    let count = chain.branches.len();
    let bench = technician.staff_id().await?;
    let mut dice = Dice::new(0x0DE5 + index as u64);
    let mut customers = Vec::new();
    for number in 0..share(CUSTOMERS, index, count) {
        let (name, phone, email) = words::person(&mut dice);
        let body = json!({
            "name": name, "phone": phone, "email": email, "language": "de",
            "note": "This person is generated for the demo.",
        });
        let customer = clerk
            .post(
                "/api/v1/customers",
                &format!("demo-customer-{index}-{number}"),
                &body,
            )
            .await?;
        customers.push(
            customer["id"]
                .as_str()
                .context("a customer without an id")?
                .to_owned(),
        );
    }
    for number in 0..share(ORDERS, index, count) {
        let customer = &customers[dice.below(customers.len() as u64) as usize];
        let device = devices::device(&mut dice);
        let key = format!("demo-order-{index}-{number}");
        let promised_at = promise(&mut dice, index)?;
        let body = intake_of(&mut dice, customer, &device, promised_at);
        let order = intake(&clerk, &key, &body).await?;
        // Every second order has somebody who works on it.
        if number % 2 == 1 {
            let path = format!("/api/v1/orders/{order}");
            let theirs = json!({ "technician_id": bench });
            technician.patch(&path, &theirs).await?;
        }
        advance(&technician, &clerk, number, (&order, &device), day).await?;
    }
    Ok(())
}

/// The part of `total` that falls to branch `index` of `count`.
fn share(total: usize, index: usize, count: usize) -> usize {
    total / count + usize::from(index < total % count)
}

fn intake_of(
    dice: &mut Dice,
    customer: &str,
    device: &Device,
    promised_at: Option<String>,
) -> Value {
    json!({
        "customer_id": customer,
        "promised_at": promised_at, "urgent": dice.below(8) == 0,
        "devices": [{ "category": device.category, "brand": device.brand, "model": device.model,
                      "fault": device.fault, "serial": format!("GEN{:08}", dice.below(100_000_000)),
                      "accessories": [device.accessory] }],
    })
}

async fn intake(clerk: &Api, key: &str, body: &Value) -> Result<String> {
    let visit = clerk.post("/api/v1/orders", key, body).await?;
    let id = visit["items"][0]["id"]
        .as_str()
        .context("an order without an id")?
        .to_owned();
    let note = json!({ "text": "This order is generated for the demo." });
    clerk
        .post(
            &format!("/api/v1/orders/{id}/notes"),
            &format!("{key}-note"),
            &note,
        )
        .await?;
    Ok(id)
}

/// An opening hour of a working day from yesterday to in three days; one order in six has none. The last branch keeps what
/// it promises: there it is two days later.
fn promise(dice: &mut Dice, index: usize) -> Result<Option<String>> {
    const DAY: u64 = 86_400;
    const DAYS_AFTER_YESTERDAY: [u64; 12] = [0, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 4];
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    let after = DAYS_AFTER_YESTERDAY[dice.below(12) as usize];
    let calm = if index == 2 { 2 } else { 0 };
    let mut day = since_1970.as_secs() / DAY - 1 + after + calm;
    // 1 January 1970 was a Thursday; nobody promises a Sunday.
    if (day + 4).is_multiple_of(7) {
        day += 1;
    }
    let half_hours = 18 + dice.below(15);
    let named = dice.below(6) > 0;
    Ok(named.then(|| rfc3339(day * DAY + half_hours * 1_800)))
}

/// Moves an order as far as its number says, so that every state is there.
async fn advance(
    technician: &Api,
    clerk: &Api,
    number: usize,
    (order, device): (&str, &Device),
    day: &mut Day,
) -> Result<()> {
    const ROADS: [&[&str]; 9] = [
        &[],
        &["diagnosing"],
        &["diagnosing", "awaiting_approval"],
        &["diagnosing", "awaiting_parts"],
        &["in_repair"],
        &["in_repair", "ready"],
        &["in_repair", "ready", "collected"],
        &["diagnosing", "in_repair", "ready", "collected"],
        &["cancelled"],
    ];
    let road = ROADS[number % ROADS.len()];
    for (step, status) in road.iter().enumerate() {
        if *status == "in_repair" {
            add_lines(technician, order, device).await?;
        }
        let outcome = if *status == "ready" {
            json!("repaired")
        } else {
            Value::Null
        };
        if *status == "collected" {
            day.collect(clerk, order).await?;
            continue;
        }
        let who = if *status == "cancelled" {
            clerk
        } else {
            technician
        };
        if *status == "awaiting_approval" {
            add_labour(technician, order, device).await?;
            let path = format!("/api/v1/orders/{order}/estimates");
            let key = format!("demo-estimate-{order}");
            technician.post(&path, &key, &Value::Null).await?;
        }
        move_to(
            who,
            order,
            &format!("demo-move-{order}-{step}"),
            status,
            &outcome,
        )
        .await?;
    }
    Ok(())
}

pub(crate) async fn move_to(
    api: &Api,
    order: &str,
    key: &str,
    status: &str,
    outcome: &Value,
) -> Result<Value> {
    let mut body = json!({ "status": status });
    if !outcome.is_null() {
        body["outcome"] = outcome.clone();
    }
    api.post(&format!("/api/v1/orders/{order}/status"), key, &body)
        .await
}

/// The work, and the best part that is free here.
async fn add_lines(technician: &Api, order: &str, device: &Device) -> Result<()> {
    add_labour(technician, order, device).await?;
    for sku in &device.skus {
        if use_part(technician, order, sku, &format!("demo-part-{order}-{sku}")).await? {
            break;
        }
    }
    Ok(())
}

async fn add_labour(technician: &Api, order: &str, device: &Device) -> Result<()> {
    let labour = json!({
        "kind": "service", "text": device.preset.service, "quantity": 1,
        "unit_price": { "amount_minor": device.preset.price_minor, "currency": "EUR" }, "tax_rate_bp": 1900,
    });
    technician
        .post(
            &format!("/api/v1/orders/{order}/lines"),
            &format!("demo-labour-{order}"),
            &labour,
        )
        .await
        .map(drop)
}

/// Reserves and consumes a part; `false` where none is free.
pub(crate) async fn use_part(api: &Api, order: &str, sku: &str, key: &str) -> Result<bool> {
    let body = json!({ "kind": "part", "sku": sku, "quantity": 1 });
    let path = format!("/api/v1/orders/{order}/lines");
    let answer = api
        .call(reqwest::Method::POST, &path, Some(key), Some(&body))
        .await?;
    if answer.status == 409 {
        return Ok(false);
    }
    let line = answer.ok(&format!("POST {path}"))?;
    let line = line["id"]
        .as_str()
        .context("a line without an id")?
        .to_owned();
    api.post(
        &format!("{path}/{line}/consume"),
        &format!("{key}-use"),
        &Value::Null,
    )
    .await?;
    Ok(true)
}

/// Waits until every branch has heard of its people and its parts.
pub(crate) async fn wait_for_people_and_parts(chain: &Chain, skus: &[String]) -> Result<()> {
    let last = skus.last().context("a demo has parts")?;
    for index in 0..chain.branches.len() {
        let what = format!(
            "{} hears of its people and parts",
            chain.branches[index].name
        );
        super::api::until(&what, std::time::Duration::from_secs(60), || async move {
            let keeper = chain.branch_api(index, "branch_manager")?;
            let answer = keeper
                .call(
                    reqwest::Method::GET,
                    &format!("/api/v1/stock/{last}"),
                    None,
                    None,
                )
                .await;
            Ok(match answer {
                Ok(answer) if answer.status == 200 => Ok(()),
                Ok(answer) => Err(format!("{} {}", answer.status, answer.body)),
                Err(error) => Err(format!("{error:#}")),
            })
        })
        .await?;
    }
    Ok(())
}
