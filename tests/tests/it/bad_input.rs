//! Bad input for every route of both programs, made from what they say of themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use sqlx::{PgConnection, Row as _};
use tests::bad_input::{Options, Report, Target, run};
use tests::process::chain::api::Api;
use tests::process::chain::wait::until;
use tests::process::chain::{Chain, PASSWORD, PATIENCE, Plan, add_staff, id_of};
use tests::process::edge::Edge;

const DELETE_LINE: &str = "DELETE /api/v1/orders/{id}/lines/{line_id}";

/// Goal: bad input to a branch is refused as a problem, never fails it, and changes nothing (INV-16, INV-19).
/// Method: every route of its OpenAPI document gets every kind of bad value in every field; the tip of the log, the
/// digest of the documents and the stock are compared around them. The hub is down, so nothing else changes anything.
#[tokio::test]
async fn bad_input_changes_nothing_at_a_branch() {
    at_branch().await.unwrap();
}

async fn at_branch() -> Result<()> {
    let mut chain = Chain::start(&plan()).await?;
    let seeded = Seeded::make(&chain).await?;
    seeded.approve(&chain).await?;
    chain.hub.stop().await?;
    let manager = chain.manager(0).await?;
    let options = options(&seeded, seeded.branch_bodies());
    let edge = &chain.edges[0];
    let report = every_route(&manager, &options, async || {
        branch_state(edge, &manager).await
    })
    .await?;
    // There is neither a conflict nor a decision, goods are taken in by the other branch, and the hub is away. A till has
    // one session, which ends once, a promise is called off once, no card was declined, and no day of an example is of these hundred days.
    let may_be_refused = [
        "POST /api/v1/business-days",
        "POST /api/v1/cash-sessions",
        "POST /api/v1/cash-sessions/{id}/close",
        "POST /api/v1/cash-sessions/{id}/movements",
        "POST /api/v1/payments/{id}/ask-again",
        "POST /api/v1/payments/{id}/cancel",
        "POST /api/v1/sales/{id}/refunds",
        "POST /api/v1/conflicts/{id}/resolve",
        "POST /api/v1/conflicts/{id}/undo",
        "POST /api/v1/customers/lookup",
        "POST /api/v1/decisions/{id}/settle",
        "POST /api/v1/transfers/{id}/receive",
    ];
    judge(&report, &may_be_refused)?;
    // The routes of a line have the same path; this one makes an end of it, so it comes last.
    let mut last = Options {
        leave_out: names(&manager).await?,
        ..options
    };
    last.leave_out.remove(DELETE_LINE);
    let fresh = id_of(&manager.add_part_line(&seeded.order, "P-00", 1).await?)?;
    last.values.insert("line_id".to_owned(), fresh);
    let report = every_route(&manager, &last, async || branch_state(edge, &manager).await).await?;
    judge(&report, &[])?;
    edge.verified().await.map(drop)
}

pub(crate) fn plan() -> Plan {
    Plan {
        parts: 2,
        opening: 1_000_000,
        ..Plan::of(&["BAD", "TWO"])
    }
}

/// Goal and method as at a branch; the state of the hub is every table that people's acts change.
#[tokio::test]
async fn bad_input_changes_nothing_at_the_hub() {
    at_hub().await.unwrap();
}

async fn at_hub() -> Result<()> {
    let mut chain = Chain::start(&plan()).await?;
    let seeded = Seeded::make(&chain).await?;
    let mut options = options(&seeded, seeded.hub_bodies());
    for act in ["dispute", "settle"] {
        let path = format!("/api/v1/transfers/{{id}}/{act}");
        options.values.insert(path, shipped(&chain, act).await?);
    }
    for edge in &mut chain.edges {
        edge.stop().await?;
    }
    let central = chain.hub.api("central").await?;
    let mut database = chain.hub.connect().await?;
    let report = every_route(&central, &options, async || hub_state(&mut database).await).await?;
    // Nothing is parked, there is neither a conflict nor an exception, no refund waits, no night was, and nobody
    // signed an event.
    let may_be_refused = [
        "POST /api/v1/conflicts/{id}/resolve",
        "POST /api/v1/conflicts/{id}/undo",
        "POST /api/v1/decisions/{id}/settle",
        "POST /api/v1/exceptions/{owner}/{kind}/{subject_id}/close",
        "POST /api/v1/parked/{id}/drop",
        "POST /api/v1/parked/{id}/release",
        "GET /api/v1/reconciliations/{id}",
        "POST /api/v1/refunds/{id}/decide",
        "POST /api/v1/settlements/stripe",
        "POST /api/v1/webhooks/stripe",
        // No night was done, and nothing stands on a statement.
        "POST /api/v1/money/corrections/{id}/undo",
        "POST /api/v1/reconciliations/{id}/reopen",
        "POST /api/v1/reconciliations/{id}/sign-off",
        "POST /api/v1/settlements/match",
        // Nothing came too much.
        "POST /api/v1/payments/{id}/refunds",
    ];
    judge(&report, &may_be_refused)
}

/// A transfer that is on its way, as the hub knows it.
async fn shipped(chain: &Chain, key: &str) -> Result<String> {
    let central = chain.hub.api("central").await?;
    let source = chain.manager(0).await?;
    let lines = json!([{ "sku": "P-00", "quantity": 10_000 }]);
    let request = json!({ "from": "BAD", "to": "TWO", "lines": lines });
    let id = id_of(&central.post("/api/v1/transfers", key, &request).await?)?;
    let path = format!("/api/v1/transfers/{id}");
    let approve = format!("{path}/approve");
    central.send(&approve, &Value::Null).await?;
    until("the plan arrives", PATIENCE, async || {
        source.found(&path).await
    })
    .await?;
    let ship = format!("{path}/ship");
    let lines = json!({ "lines": lines });
    source.send(&ship, &lines).await?;
    until("the hub knows that it was shipped", PATIENCE, async || {
        let all = central.list("/api/v1/transfers").await?;
        let found = all.iter().find(|transfer| transfer["id"] == id.as_str());
        let state = found.map(|transfer| transfer["state"].to_string());
        Ok(match state.as_deref() {
            Some("\"shipped\"") => Ok(()),
            other => Err(format!("{other:?}")),
        })
    })
    .await?;
    Ok(id)
}

/// Every operation that a program describes.
async fn names(api: &Api) -> Result<BTreeSet<String>> {
    let document = api.get("/api/v1/openapi.json").await?;
    let paths = document["paths"].as_object().context("paths")?;
    let methods = |(path, item): (&String, &Value)| {
        let methods = item.as_object().into_iter().flat_map(|item| item.keys());
        let named = |method: &String| format!("{} {path}", method.to_uppercase());
        methods.map(named).collect::<Vec<_>>()
    };
    Ok(paths.iter().flat_map(methods).collect())
}

async fn every_route(
    api: &Api,
    options: &Options,
    state: impl AsyncFnMut() -> Result<String>,
) -> Result<Report> {
    let document = api.get("/api/v1/openapi.json").await?;
    let target = Target {
        base_url: api.base().to_owned(),
        token: api.token().to_owned(),
    };
    run(&document, &target, options, state).await
}

fn judge(report: &Report, may_be_refused: &[&str]) -> Result<()> {
    eprintln!("{report}");
    ensure!(report.is_clean(), "the server did wrong, see above");
    ensure!(
        report.undocumented.is_empty(),
        "statuses that the document does not list, see above"
    );
    let refused = report.refused_examples.keys();
    let refused: Vec<_> = refused
        .filter(|name| !may_be_refused.contains(&name.as_str()))
        .collect();
    ensure!(
        refused.is_empty(),
        "right requests were refused: {refused:?}"
    );
    Ok(())
}

/// Things that are there, so that right requests can name them.
pub(crate) struct Seeded {
    order: String,
    line: String,
    customer: String,
    twin: String,
    preset: String,
    transfer: String,
    branch: String,
    node: String,
    person: String,
    session: String,
    receipt: Value,
}

impl Seeded {
    pub(crate) async fn make(chain: &Chain) -> Result<Self> {
        let manager = chain.manager(0).await?;
        let order = id_of(&manager.take_in("bad-order", "sparks").await?)?;
        manager.move_order(&order, "in_repair", None).await?;
        let line = id_of(&manager.add_part_line(&order, "P-00", 1).await?)?;
        let estimates = format!("/api/v1/orders/{order}/estimates");
        manager.send(&estimates, &Value::Null).await?;
        let customer = json!({ "name": "Bob Bad", "phone": "030 1", "email": "bob@example.org" });
        let customer = manager.post("/api/v1/customers", "bad-customer", &customer);
        let customer = id_of(&customer.await?)?;
        let twin = json!({ "name": "Bob Bad", "phone": "030 2", "email": "bob@example.net" });
        let twin = manager.post("/api/v1/customers", "bad-twin", &twin);
        let twin = id_of(&twin.await?)?;
        let central = chain.hub.api("central").await?;
        let preset = json!({ "category": "Phone", "fault": "Display", "service": "Display replaced", "minutes": 45,
            "price": { "amount_minor": 8_900, "currency": "EUR" }, "tax_rate_bp": 1900 });
        let preset = central.post("/api/v1/presets", "bad-preset", &preset);
        let preset = id_of(&preset.await?)?;
        let company = json!({ "legal_name": "Test Repairs Ltd" });
        central.patch("/api/v1/settings", &company).await?;
        let lines = json!([{ "sku": "P-00", "quantity": 100_000 }]);
        let request = json!({ "from": "BAD", "to": "TWO", "lines": lines });
        let transfer = central.post("/api/v1/transfers", "bad-transfer", &request);
        let transfer = id_of(&transfer.await?)?;
        let session = json!({ "float": euro(10_000) });
        let session = id_of(&manager.send("/api/v1/cash-sessions", &session).await?)?;
        let tenders = json!([
            { "tender": "cash", "amount": euro(49_000) }, { "tender": "card", "amount": euro(1_000) },
        ]);
        let parts = json!([{ "sku": "P-00", "quantity": 50 }]);
        let sale = json!({ "parts": parts, "tenders": tenders });
        let receipt = manager.send("/api/v1/sales", &sale).await?;
        let nodes = format!("/api/v1/branches/{}/nodes", chain.edges[1].branch_id);
        let node = id_of(&central.get(&nodes).await?["items"][0])?;
        let person = id_of(&add_staff(&central, "victim", "clerk", &["BAD"]).await?)?;
        chain.until_level().await?;
        let branch = chain.edges[0].branch_id.clone();
        Ok(Self {
            order,
            line,
            customer,
            twin,
            preset,
            transfer,
            branch,
            node,
            person,
            session,
            receipt,
        })
    }

    /// Approves the transfer and waits until the branch has the plan.
    pub(crate) async fn approve(&self, chain: &Chain) -> Result<()> {
        let central = chain.hub.api("central").await?;
        let path = format!("/api/v1/transfers/{}/approve", self.transfer);
        central.send(&path, &Value::Null).await?;
        let manager = chain.manager(0).await?;
        let path = format!("/api/v1/transfers/{}", self.transfer);
        until("the plan arrives", PATIENCE, async || {
            manager.found(&path).await
        })
        .await
        .map(drop)
    }

    fn text(&self, pointer: &str) -> &str {
        let found = self.receipt.pointer(pointer).and_then(Value::as_str);
        found.unwrap_or_default()
    }

    fn values(&self) -> BTreeMap<String, String> {
        let named = [
            ("/api/v1/orders/{id}", self.order.as_str()),
            ("line_id", &self.line),
            ("/api/v1/customers/{id}", &self.customer),
            ("/api/v1/documents/{id}", &self.order),
            ("/api/v1/presets/{id}", &self.preset),
            ("/api/v1/transfers/{id}", &self.transfer),
            ("/api/v1/branches/{id}", &self.branch),
            ("/api/v1/nodes/{id}", &self.node),
            ("/api/v1/staff/{id}", &self.person),
            ("/api/v1/cash-sessions/{id}", &self.session),
            ("/api/v1/sales/{id}", self.text("/id")),
            ("number", self.text("/number")),
            ("/api/v1/payments/{id}", self.text("/tenders/1/payment_id")),
            ("sku", "P-00"),
            ("file", "orders.csv"),
            ("kind", "customers"),
        ];
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        named.into_iter().map(owned).collect()
    }

    /// Right bodies where an example of the document names something that is not there.
    fn branch_bodies(&self) -> Vec<(&'static str, Value)> {
        let lines = json!([{ "sku": "P-00", "quantity": 1 }]);
        let header = super::records::HEADER.to_owned();
        vec![
            (
                "POST /api/v1/session",
                json!({ "username": "manager.bad", "password": PASSWORD }),
            ),
            ("POST /api/v1/customers/lookup", json!({ "q": "Bob" })),
            (
                "POST /api/v1/orders/{id}/lines",
                json!({ "kind": "part", "sku": "P-00", "quantity": 1 }),
            ),
            (
                "POST /api/v1/orders/{id}/status",
                json!({ "status": "ready", "outcome": "repaired" }),
            ),
            (
                "POST /api/v1/transfers",
                json!({ "from": "TWO", "to": "BAD", "lines": lines }),
            ),
            (
                "POST /api/v1/transfers/{id}/ship",
                json!({ "lines": lines }),
            ),
            (
                "POST /api/v1/transfers/{id}/receive",
                json!({ "lines": lines }),
            ),
            (
                "POST /api/v1/sales",
                json!({ "parts": lines, "tenders": [{ "tender": "bank", "amount": euro(1_000) }] }),
            ),
            (
                "POST /api/v1/sales/{id}/refunds",
                json!({ "lines": [{ "line_id": self.text("/lines/0/id"), "quantity": 1, "goods": "shelf" }],
                    "reason": "does not fit" }),
            ),
            (
                "POST /api/v1/orders/{id}/payments",
                json!({ "tender": "bank", "amount": euro(100) }),
            ),
            (
                "POST /api/v1/cash-sessions",
                json!({ "register": 2, "float": euro(0) }),
            ),
            (
                "POST /api/v1/cash-sessions/{id}/movements",
                json!({ "direction": "in", "amount": euro(100), "reason": "change" }),
            ),
            (
                "POST /api/v1/cash-sessions/{id}/close",
                json!({ "counted": [{ "value_minor": 5_000, "pieces": 1 }], "reason": "a test" }),
            ),
            ("POST /api/v1/imports/ords", Value::String(header)),
            ("POST /api/v1/imports/{kind}", json!("name,phone\n")),
            (
                "POST /api/v1/deliveries",
                json!({ "kind": "receive", "reference": "D-1", "lines": lines }),
            ),
        ]
    }

    fn hub_bodies(&self) -> Vec<(&'static str, Value)> {
        let lines = json!([{ "sku": "P-00", "quantity": 1 }]);
        vec![
            (
                "POST /api/v1/session",
                json!({ "username": "central", "password": PASSWORD }),
            ),
            (
                "POST /api/v1/transfers",
                json!({ "from": "BAD", "to": "TWO", "lines": lines }),
            ),
            (
                "POST /api/v1/transfers/{id}/settle",
                json!({ "lines": [{ "sku": "P-00", "lost": 1 }], "reason": "lost on the way" }),
            ),
            (
                "POST /api/v1/customers/{id}/merge",
                json!({ "with": self.twin }),
            ),
            ("POST /api/v1/imports/parts", json!("sku,name,price\n")),
            (
                "POST /api/v1/branches/{id}/till-rules",
                json!({ "promise_limit_minor": 1_000, "promise_days": 3, "refund_clerk_minor": 1_000,
                    "refund_manager_minor": 1_000, "reader": false }),
            ),
            (
                "POST /api/v1/customers/{id}/account",
                json!({ "limit_minor": 1_000, "due_days": 14 }),
            ),
            ("POST /api/v1/audit/mend", json!({ "branch": "BAD" })),
            (
                "POST /api/v1/reconciliations",
                json!({ "business_date": "2026-01-05", "branch": "BAD" }),
            ),
            (
                "POST /api/v1/money/corrections",
                json!({ "branch": "BAD", "from": "difference", "to": "corrections", "reason": "counted twice",
                    "amount": { "amount_minor": 1, "currency": "EUR" } }),
            ),
        ]
    }
}

fn euro(amount_minor: i64) -> Value {
    json!({ "amount_minor": amount_minor, "currency": "EUR" })
}

fn options(seeded: &Seeded, bodies: Vec<(&'static str, Value)>) -> Options {
    let named = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    Options {
        values: seeded.values(),
        bodies: bodies
            .into_iter()
            .map(|(name, body)| (name.to_owned(), body))
            .collect(),
        // They end the caller's session, and the line that others name.
        leave_out: named(&["DELETE /api/v1/session", DELETE_LINE]),
        without_example: BTreeSet::new(),
        // The hub is down while a branch is asked.
        unavailable: named(&[
            "POST /api/v1/customers/lookup",
            "POST /api/v1/customers/{id}/attach",
        ]),
        batch: 200,
        unsure_batch: 25,
        timeout: Duration::from_secs(30),
        // Guessing passwords is slowed down more with each try.
        longest_wait: Duration::ZERO,
    }
}

/// Log, documents, stock and parked baskets of a branch.
pub(crate) async fn branch_state(edge: &Edge, manager: &Api) -> Result<String> {
    let documents = manager.get("/api/v1/documents/digest").await?;
    let database = edge.database()?;
    let tip: String = database.query_row(
        "select coalesce(max(seq), 0) || ' ' || (select hex(chain) from log_entry order by seq desc limit 1) from log_entry",
        [],
        |row| row.get(0),
    )?;
    let stock: String = database.query_row(
        "select group_concat(hex(part) || on_hand || '/' || reserved || '/' || in_transit, ' ') from stock",
        [],
        |row| row.get(0),
    )?;
    let parked: String = database.query_row(
        "select count(*) || '/' || coalesce(sum(id), 0) from parked_basket",
        [],
        |row| row.get(0),
    )?;
    Ok(format!("{documents} {tip} {stock} {parked}"))
}

/// The hub's tables that people's acts change, one digest each.
pub(crate) async fn hub_state(database: &mut PgConnection) -> Result<String> {
    let digests = sqlx::query(
        "select
            (select md5(string_agg(hash::text, '' order by document)) from sync.document),
            (select md5(string_agg(t::text, '' order by branch)) from locations.branch t),
            (select md5(string_agg(t::text, '' order by branch)) from locations.company t),
            (select md5(string_agg(t::text, '' order by t::text)) from staff.staff t),
            (select md5(string_agg(t::text, '' order by t::text)) from staff.credential t),
            (select md5(string_agg(t::text, '' order by part)) from inventory.part t),
            (select md5(string_agg(t::text, '' order by preset)) from inventory.preset t),
            (select md5(string_agg(t::text, '' order by branch_id, part)) from inventory.stock t),
            (select md5(string_agg(t::text, '' order by t::text)) from inventory.transfer_record t),
            (select count(*)::text from inventory.movement),
            (select md5(string_agg(t::text, '' order by t::text)) from payments.till_rules t),
            (select md5(string_agg(t::text, '' order by t::text)) from payments.account t),
            (select md5(string_agg(t::text, '' order by t::text)) from payments.correction t),
            (select md5(string_agg(t::text, '' order by t::text)) from payments.settlement t),
            (select md5(string_agg(t::text, '' order by t::text)) from payments.refund_asked t),
            (select md5(string_agg(t::text, '' order by t::text)) from reconciliation.sign_off t),
            (select count(*)::text from sync.join_code),
            (select count(*)::text from sync.node where revoked_ms is null),
            (select md5(string_agg(t::text, '' order by t::text)) from sync.parked t)",
    );
    let row = digests.fetch_one(database).await?;
    let digest = |index| row.get::<Option<String>, _>(index).unwrap_or_default();
    Ok((0..row.len()).map(digest).collect::<Vec<_>>().join(" "))
}
