//! Bad input for every route of both programs, made from what they say of themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use sqlx::{PgConnection, Row as _};
use tests::bad_input::{Options, Report, Target, run};
use tests::process::chain::api::{Api, fresh_key};
use tests::process::chain::wait::until;
use tests::process::chain::{Chain, PATIENCE, Plan, id_of};
use tests::process::edge::Edge;

/// Goal: bad input to a branch is refused as a problem, never fails it, and changes nothing (INV-16, INV-19).
/// Method: every route of its OpenAPI document gets every kind of bad value in every field; the tip of the log, the
/// digest of the documents and the stock are compared around them. The hub is down, so nothing else changes anything.
#[tokio::test]
async fn bad_input_changes_nothing_at_a_branch() {
    at_branch().await.unwrap();
}

async fn at_branch() -> Result<()> {
    let mut chain = Chain::start(&Plan {
        parts: 2,
        opening: 1_000_000,
        ..Plan::of(&["BAD", "TWO"])
    })
    .await?;
    let seeded = Seeded::make(&chain).await?;
    chain.hub.stop().await?;
    let manager = chain.manager(0).await?;
    let options = options(
        &seeded,
        &[("sku", "P-00")],
        seeded.branch_bodies(),
        &["DELETE /api/v1/session"],
    );
    let edge = &chain.edges[0];
    let report = every_route(&manager, &options, async || {
        branch_state(edge, &manager).await
    })
    .await?;
    judge(&report)?;
    edge.verified().await.map(drop)
}

/// Goal and method as at a branch; the state of the hub is every table that people's acts change.
#[tokio::test]
async fn bad_input_changes_nothing_at_the_hub() {
    at_hub().await.unwrap();
}

async fn at_hub() -> Result<()> {
    let mut chain = Chain::start(&Plan {
        parts: 2,
        opening: 1_000_000,
        ..Plan::of(&["BAD", "TWO"])
    })
    .await?;
    let seeded = Seeded::make(&chain).await?;
    for edge in &mut chain.edges {
        edge.stop().await?;
    }
    let central = chain.hub.api("central").await?;
    let options = options(
        &seeded,
        &[("sku", "P-00")],
        seeded.hub_bodies(),
        &["DELETE /api/v1/session"],
    );
    let mut database = chain.hub.connect().await?;
    let report = every_route(&central, &options, async || hub_state(&mut database).await).await?;
    judge(&report)
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

fn judge(report: &Report) -> Result<()> {
    eprintln!("{report}");
    ensure!(report.is_clean(), "the server did wrong, see above");
    ensure!(
        report.undocumented.is_empty(),
        "statuses that the document does not list, see above"
    );
    ensure!(
        report.refused_examples.is_empty(),
        "right requests were refused, see above"
    );
    Ok(())
}

/// Things that are there, so that right requests can name them.
struct Seeded {
    order: String,
    line: String,
    customer: String,
    transfer: String,
    branch: String,
}

impl Seeded {
    async fn make(chain: &Chain) -> Result<Self> {
        let manager = chain.manager(0).await?;
        let order = manager.take_in("bad-order", "sparks").await?;
        let id = id_of(&order)?;
        manager.move_order(&id, "in_repair", None).await?;
        let line = id_of(&manager.add_part_line(&id, "P-00", 1).await?)?;
        manager
            .post(
                &format!("/api/v1/orders/{id}/estimates"),
                &fresh_key(),
                &Value::Null,
            )
            .await?;
        let customer = json!({ "name": "Bob Bad", "phone": "030 1", "email": "bob@example.org" });
        let customer = id_of(
            &manager
                .post("/api/v1/customers", &fresh_key(), &customer)
                .await?,
        )?;
        let central = chain.hub.api("central").await?;
        let request = json!({ "from": "BAD", "to": "TWO", "lines": [{ "sku": "P-00", "quantity": 100_000 }] });
        let transfer = id_of(
            &central
                .post("/api/v1/transfers", &fresh_key(), &request)
                .await?,
        )?;
        let approve = format!("/api/v1/transfers/{transfer}/approve");
        central.post(&approve, &fresh_key(), &Value::Null).await?;
        until("the plan arrives", PATIENCE, async || {
            manager
                .found(&format!("/api/v1/transfers/{transfer}"))
                .await
        })
        .await?;
        chain.until_level().await?;
        let branch = chain.edges[0].branch_id.clone();
        Ok(Self {
            order: id,
            line,
            customer,
            transfer,
            branch,
        })
    }

    fn values(&self) -> BTreeMap<String, String> {
        let named = [
            ("/api/v1/orders/{id}", &self.order),
            ("line_id", &self.line),
            ("/api/v1/customers/{id}", &self.customer),
            ("/api/v1/documents/{id}", &self.order),
            ("/api/v1/transfers/{id}", &self.transfer),
            ("/api/v1/branches/{id}", &self.branch),
        ];
        named
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.clone()))
            .collect()
    }

    /// Right bodies where an example of the document names something that is not there.
    fn branch_bodies(&self) -> Vec<(&'static str, Value)> {
        let line = json!({ "kind": "part", "sku": "P-00", "quantity": 1 });
        vec![
            ("POST /api/v1/orders/{id}/lines", line),
            (
                "POST /api/v1/imports/ords",
                Value::String(super::records::HEADER.to_owned()),
            ),
        ]
    }

    fn hub_bodies(&self) -> Vec<(&'static str, Value)> {
        let transfer =
            json!({ "from": "BAD", "to": "TWO", "lines": [{ "sku": "P-00", "quantity": 1 }] });
        vec![("POST /api/v1/transfers", transfer)]
    }
}

fn options(
    seeded: &Seeded,
    values: &[(&str, &str)],
    bodies: Vec<(&'static str, Value)>,
    leave_out: &[&str],
) -> Options {
    let mut all = seeded.values();
    all.extend(
        values
            .iter()
            .map(|&(name, value)| (name.to_owned(), value.to_owned())),
    );
    Options {
        values: all,
        bodies: bodies
            .into_iter()
            .map(|(name, body)| (name.to_owned(), body))
            .collect(),
        leave_out: leave_out.iter().map(|&name| name.to_owned()).collect(),
        without_example: BTreeSet::new(),
        batch: 200,
        unsure_batch: 25,
        timeout: Duration::from_secs(30),
        // Guessing passwords is slowed down more with each try.
        longest_wait: Duration::ZERO,
    }
}

/// Log, documents and stock of a branch.
async fn branch_state(edge: &Edge, manager: &Api) -> Result<String> {
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
    Ok(format!("{documents} {tip} {stock}"))
}

/// The hub's tables that people's acts change, one digest each.
async fn hub_state(database: &mut PgConnection) -> Result<String> {
    let digests = sqlx::query(
        "select
            (select md5(string_agg(hash::text, '' order by document)) from sync.document),
            (select md5(string_agg(t::text, '' order by branch)) from locations.branch t),
            (select md5(string_agg(t::text, '' order by t::text)) from staff.staff t),
            (select md5(string_agg(t::text, '' order by t::text)) from staff.credential t),
            (select md5(string_agg(t::text, '' order by part)) from inventory.part t),
            (select md5(string_agg(t::text, '' order by preset)) from inventory.preset t),
            (select md5(string_agg(t::text, '' order by branch_id, part)) from inventory.stock t),
            (select md5(string_agg(t::text, '' order by t::text)) from inventory.transfer_record t),
            (select count(*)::text from inventory.movement),
            (select count(*)::text from sync.join_code),
            (select count(*)::text from sync.node where revoked_ms is null),
            (select md5(string_agg(t::text, '' order by t::text)) from sync.parked t)",
    );
    let row = digests.fetch_one(database).await?;
    let digest = |index| row.get::<Option<String>, _>(index).unwrap_or_default();
    Ok((0..row.len()).map(digest).collect::<Vec<_>>().join(" "))
}
