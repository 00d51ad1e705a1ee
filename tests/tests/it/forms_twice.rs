//! Every form of every page, sent twice: one effect.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use anyhow::{Result, ensure};
use serde_json::json;
use tests::forms::{Field, Form, Page, Shown, Visitor};
use tests::process::chain::wait::until;
use tests::process::chain::{Chain, PASSWORD, PATIENCE};

use super::bad_input::{Seeded, branch_state, hub_state, plan};

/// Pages of one shape that are looked at.
const OF_A_SHAPE: usize = 3;
/// How often a form is tried until it has an effect.
const TRIES: usize = 4;

/// Forms whose effect is no part of what is compared: the session, this screen, the line.
const LEFT_OUT: [&str; 5] = [
    "/sign-out",
    "/screen",
    "/sync/pause",
    "/sync/resume",
    "/undo",
];

/// Buttons that take a row out of a form that is not sent yet.
const STEPS_BACK: [&str; 2] = ["=remove-", "=drop-"];

/// Goal: a double click, the back button or a second tab never does a thing twice.
/// Method: the pages of a branch are walked without a browser; each form is filled as a person would and sent twice
/// with the key that the page gave it. The state after the second is the state after the first: tip of the log,
/// digest of the documents, stock, parked baskets. The hub is down, so nothing else writes.
#[tokio::test]
async fn every_form_of_a_branch_has_one_effect() {
    at_branch().await.unwrap();
}

async fn at_branch() -> Result<()> {
    let mut chain = Chain::start(&plan()).await?;
    let seeded = Seeded::make(&chain).await?;
    seeded.approve(&chain).await?;
    chain.hub.stop().await?;
    let manager = chain.manager(0).await?;
    let edge = &chain.edges[0];
    let visitor = Visitor::sign_in(&edge.url(), "manager.bad", PASSWORD).await?;
    let state = async || branch_state(edge, &manager).await;
    // Nothing leads to a basket but a scanner.
    let baskets = ["/till?part=P-01&n=1", "/till?part=P-01&n=2"];
    let report = walk(&visitor, &baskets, state).await?;
    report.judge(&[
        "/cash/*/movements",
        "/intake",
        "/orders/*/diagnosis",
        "/orders/*/lines",
        "/orders/*/notes",
        "/orders/*/status",
        "/orders/*/undo",
        "/people/*",
        "/receipts/*/call-off",
        "/stock/*/movements",
        "/stock/delivery",
        "/till",
        "/till/parked",
        "/till/parked/*",
        "/transfers/*/ship",
        "/transfers/new",
    ])?;
    edge.verified().await.map(drop)
}

/// Goal and method as at a branch.
#[tokio::test]
async fn every_form_of_the_hub_has_one_effect() {
    at_hub().await.unwrap();
}

async fn at_hub() -> Result<()> {
    let mut chain = Chain::start(&plan()).await?;
    Seeded::make(&chain).await?;
    let central = chain.hub.api("central").await?;
    let night = json!({ "business_date": "2026-01-05" });
    central.send("/api/v1/reconciliations", &night).await?;
    until("the night is there", PATIENCE, async || {
        central.found("/api/v1/reconciliations/2026-01-05").await
    })
    .await?;
    for edge in &mut chain.edges {
        edge.stop().await?;
    }
    let mut database = chain.hub.connect().await?;
    let visitor = Visitor::sign_in(&chain.hub.url(), "central", PASSWORD).await?;
    let report = walk(&visitor, &[], async || hub_state(&mut database).await).await?;
    report.judge(&[
        "/branches",
        "/branches/BAD/till-rules",
        "/catalogue/new-part",
        "/catalogue/parts/*",
        "/customers/*/account",
        "/customers/*/edit",
        "/nights/*/sign",
        "/nights/corrections",
        "/orders/*/edit",
        "/orders/*/notes",
        "/settings",
        "/staff",
        "/transfers/*/approve",
    ])
}

#[derive(Debug, Default)]
struct Report {
    effective: BTreeSet<String>,
    without: BTreeMap<String, String>,
}

impl Report {
    fn judge(&self, wanted: &[&str]) -> Result<()> {
        eprintln!("sent twice with one effect: {:?}", self.effective);
        eprintln!("without an effect: {:#?}", self.without);
        let missing: Vec<_> = wanted
            .iter()
            .filter(|wanted| !self.effective.iter().any(|name| name.starts_with(**wanted)))
            .collect();
        ensure!(
            missing.is_empty(),
            "no form of these had an effect: {missing:?}"
        );
        Ok(())
    }
}

async fn walk(
    visitor: &Visitor,
    more: &[&str],
    mut state: impl AsyncFnMut() -> Result<String>,
) -> Result<Report> {
    let mut report = Report::default();
    let mut tried: BTreeMap<String, usize> = BTreeMap::new();
    let mut shapes: BTreeMap<String, usize> = BTreeMap::new();
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut next: VecDeque<String> = VecDeque::from(["/".to_owned()]);
    next.extend(more.iter().map(|&address| address.to_owned()));
    while let Some(address) = next.pop_front() {
        let mut done: BTreeSet<String> = BTreeSet::new();
        let mut again: Vec<Form> = Vec::new();
        // After each form the page is read again: what it showed is out of date.
        loop {
            let shown = visitor.get(&address).await?;
            let led = shown.location.into_iter();
            let page = Page::read(&shown.text);
            for link in led.chain(page.links) {
                let is_page = !link.starts_with("/assets") && !link.starts_with("/api");
                let count = shapes.entry(shape(&link)).or_default();
                if is_page && *count < OF_A_SHAPE && seen.insert(link.clone()) {
                    *count += 1;
                    next.push_back(link);
                }
            }
            let forms = std::mem::take(&mut again).into_iter().chain(page.forms);
            let Some((name, form)) = forms.flat_map(ways).find(|(name, form)| {
                !LEFT_OUT.contains(&form.action.as_str())
                    && !STEPS_BACK.iter().any(|step| name.contains(step))
                    && !report.effective.contains(name)
                    && tried.get(name).is_none_or(|tries| *tries < TRIES)
                    && !done.contains(name)
            }) else {
                break;
            };
            done.insert(name.clone());
            let tries = tried.entry(name.clone()).or_default();
            *tries += 1;
            let fields = filled(&form, *tries);
            let before = state().await?;
            let first = visitor.post(&form.action, &fields).await?;
            let after = state().await?;
            let second = visitor.post(&form.action, &fields).await?;
            ensure!(
                state().await? == after,
                "{name} on {address}: sent twice, it had two effects\n{fields:?}\n{first:?}\n{second:?}"
            );
            if after == before {
                // A step of a longer form shows it again with more in it.
                if first.status == 200 {
                    again = Page::read(&first.text).forms;
                    again.retain(|next| next.action == form.action);
                }
                report
                    .without
                    .insert(name, format!("{} {:?}", first.status, first.location));
                continue;
            }
            ensure!(
                (first.status, path(&first)) == (second.status, path(&second)),
                "{name} on {address}: the second answer is {} {:?}, the first was {} {:?}",
                second.status,
                second.location,
                first.status,
                first.location
            );
            report.without.remove(&name);
            report.effective.insert(name);
            next.extend(first.location);
        }
    }
    Ok(report)
}

/// Where an answer leads; a page says once what was done, under an address of its own.
fn path(shown: &Shown) -> Option<&str> {
    let location = shown.location.as_deref()?;
    location.split('?').next()
}

/// The form as each of its buttons sends it.
fn ways(form: Form) -> Vec<(String, Form)> {
    let mut found = Vec::new();
    for button in form.buttons.iter().cloned() {
        let mut way = form.clone();
        if let Some(action) = button.action {
            way.action = action;
        }
        let mut name = shape(&way.action);
        for field in &form.fields {
            // What a hidden field asks for makes another form, unless it names a thing or a state.
            let says = field.kind == "fixed"
                && ["to", "kind", "show", "act"].contains(&field.name.as_str());
            if says {
                name = format!("{name} {}={}", field.name, field.value);
            }
        }
        if let Some((key, value)) = button.adds {
            name = format!("{name} {key}={value}");
            way.fields.push(Field {
                name: key,
                value,
                kind: "fixed".to_owned(),
                ..Field::default()
            });
        }
        found.push((name, way));
    }
    found
}

/// What a person would type: at first everywhere, then only where something must stand, with other choices each time.
fn filled(form: &Form, tries: usize) -> Vec<(String, String)> {
    let everywhere = tries % 2 == 1;
    let typed = |name: &str, kind: &str| match (name, kind) {
        ("email", _) | (_, "email") => "ada@example.org",
        ("sku", _) if form.action.ends_with("new-part") => "P-NEW",
        ("sku" | "add", _) => "P-00",
        ("barcode", _) => "4006381333931",
        ("code", _) if form.action == "/branches" => "NEW",
        ("limit" | "clerk" | "manager", _) => "125.00",
        ("code", _) => "P-00",
        ("username", _) => "new.person",
        // Another password ends the session of who has it.
        ("password", _) if form.action != "/staff" => "",
        ("password", _) => "counterpart-2026",
        ("latitude", _) => "52.5",
        ("longitude", _) => "13.4",
        ("phone", _) => "030 5551",
        (_, "numeric" | "decimal" | "number") => "1",
        (_, "date" | "datetime-local" | "time") => "",
        _ => "Something typed",
    };
    // Texts of which more may be written.
    const FREE: [&str; 6] = [
        "diagnosis",
        "fault",
        "legal_name",
        "name",
        "note",
        "service",
    ];
    let value = |field: &Field| {
        // A form of figures that are all there changes nothing as it comes.
        if everywhere && field.name == "clerk" {
            return typed(&field.name, &field.kind).to_owned();
        }
        let is_open = field.value.is_empty() && field.kind != "fixed";
        if is_open && (everywhere || field.is_required) {
            return typed(&field.name, &field.kind).to_owned();
        }
        // Where both ends of something are chosen, not the same for both.
        let mut choices = field.choices.iter();
        let other = match field.name.as_str() {
            "from" => choices.rev().nth(tries - 1),
            _ => choices.nth(tries - 1),
        };
        if let Some(other) = other {
            return other.clone();
        }
        if field.kind == "text" && everywhere && FREE.contains(&field.name.as_str()) {
            return format!("{} and more", field.value);
        }
        field.value.clone()
    };
    let fields = form.fields.iter();
    fields
        .map(|field| (field.name.clone(), value(field)))
        .collect()
}

fn shape(address: &str) -> String {
    let path = address.split('?').next().unwrap_or_default();
    let part = |part: &str| {
        if part.chars().any(|letter| letter.is_ascii_digit()) {
            "*".to_owned()
        } else {
            part.to_owned()
        }
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}
