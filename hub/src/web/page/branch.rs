//! One branch: its line, its machines and join codes, what is open there, and what is said about it.
//!
//! A join code is shown by the answer that made it and by no other page; only its hash is kept.

pub(crate) mod form;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use domain::permission::Permission;
use serde::Deserialize;
use sync_protocol::item::command as codes;
use sync_protocol::position::NodeId;
use web_kit::{Content, PageForm, PageRequest, Problem, SafeHtml, fill, html, html_with_status};

use super::exceptions::list::{ExceptionRow, rows as exception_rows};
use super::network::words;
use super::staff::role_name;
use crate::api::caller::{May, may};
use crate::api::{Caller, HubState};
use crate::app::branch::{self, BranchState, LinkState};
use crate::app::error::AppError;
use crate::app::network::{self, Health, OpenOrders};
use crate::app::{NodeRow, exceptions, staff};
use crate::store::scope::Scope;
use crate::web::act::{Refusal, act, done};
use crate::web::frame::frame;
use crate::web::view::View;
use crate::web::{BRANCHES, HOME, ORDERS};
use form::{BranchForm, BranchFormTexts, Shown, show};

/// Exceptions and people shown; their own pages show all.
const MOST: i64 = 8;

web_kit::catalogue! {
    /// The words of this page.
    struct BranchTexts {
        change: "Change" | "Ändern",
        all: "All branches" | "Alle Filialen",
        cut_off: "Cut off since {when}. The branch works on its own." | "Getrennt seit {when}. Die Filiale arbeitet allein.",
        connected: "Connected since {when}." | "Verbunden seit {when}.",
        no_machine: "No machine speaks for this branch." | "Kein Rechner spricht für diese Filiale.",
        closed: "Not open for business." | "Nicht geöffnet.",
        nothing_waits: "Both sides hold the same." | "Beide Seiten haben dasselbe.",
        up: "{n} known to come in" | "{n} kommen bekanntlich noch",
        down: "{n} wait to go out" | "{n} warten auf den Weg hinaus",
        heard: "last heard {when}" | "zuletzt gehört {when}",
        join_first: "Make a join code and give it to the computer of the branch." | "Machen Sie einen Beitrittscode und geben Sie ihn dem Rechner der Filiale.",
        machines: "Machines" | "Rechner",
        machine: "Machine" | "Rechner",
        state: "State" | "Zustand",
        joined: "Joined" | "Beigetreten",
        heard_column: "Last heard" | "Zuletzt gehört",
        stored: "Entries" | "Einträge",
        version: "Version" | "Version",
        active: "active" | "aktiv",
        replaced: "replaced" | "ersetzt",
        revoked: "revoked" | "gesperrt",
        no_machines: "No machine has joined yet" | "Noch ist kein Rechner beigetreten",
        make_code: "Make a join code" | "Beitrittscode machen",
        code_title: "The join code, shown this once" | "Der Beitrittscode, nur dieses Mal gezeigt",
        code_hint: "Good for one machine until {when}. On the computer of the branch:" | "Gültig für einen Rechner bis {when}. Am Rechner der Filiale:",
        code_command: "edge-node join HUB:PORT {code} --data DIR" | "edge-node join ZENTRALE:PORT {code} --data ORDNER",
        code_lost: "Who loses it makes another one; the first then simply runs out." | "Wer ihn verliert, macht einen neuen; der erste läuft dann einfach ab.",
        revoke: "Revoke" | "Sperren",
        revoke_title: "Revoke machine {id}" | "Rechner {id} sperren",
        revoke_why: "It may speak no more, at once and for good. What it wrote before stays. A machine that is only cut off need not be revoked." | "Er darf sofort und für immer nicht mehr sprechen. Was er vorher schrieb, bleibt. Ein Rechner, der nur getrennt ist, muss nicht gesperrt werden.",
        reason: "Reason" | "Grund",
        reason_hint: "For the audit and for the machine, as in: stolen" | "Für die Prüfung und den Rechner, wie: gestohlen",
        keep: "Leave it" | "So lassen",
        orders: "Open orders" | "Offene Aufträge",
        status: "Status" | "Status",
        count: "Orders" | "Aufträge",
        late: "Past promise" | "Über Termin",
        no_orders: "No order is open" | "Kein Auftrag ist offen",
        stock: "Stock" | "Bestand",
        parts: "Parts on hand" | "Teile vorhanden",
        pieces: "Pieces on hand" | "Stück vorhanden",
        reserved: "Reserved" | "Reserviert",
        below_zero: "Parts below zero" | "Teile unter null",
        look_at: "To look at" | "Anzusehen",
        nothing: "Nothing waits for a person" | "Nichts wartet auf jemanden",
        all_exceptions: "All exceptions" | "Alle Ausnahmen",
        people: "People" | "Personal",
        nobody: "Nobody works here yet" | "Noch arbeitet hier niemand",
        all_people: "All people of this branch" | "Alle Personen dieser Filiale",
        facts: "The branch" | "Die Filiale",
        code: "Code" | "Kürzel",
        region: "Region" | "Region",
        address: "Address" | "Anschrift",
        location: "Location" | "Lage",
        time_zone: "Time zone" | "Zeitzone",
        currency: "Currency" | "Währung",
        with_tax: "prices include tax" | "Preise mit Steuer",
        without_tax: "prices without tax" | "Preise ohne Steuer",
        language: "Language" | "Sprache",
        capacity: "Open orders at most" | "Offene Aufträge höchstens",
        hours: "Opening hours" | "Öffnungszeiten",
        of_company: "as the company" | "wie die Firma",
        not_known: "not known" | "nicht bekannt",
        received: "Received" | "Angenommen",
        diagnosing: "Diagnosing" | "In Diagnose",
        awaiting_approval: "Awaiting approval" | "Wartet auf Freigabe",
        awaiting_parts: "Awaiting parts" | "Wartet auf Teile",
        in_repair: "In repair" | "In Reparatur",
        ready: "Ready" | "Abholbereit",
    }
}

#[derive(Template)]
#[template(path = "branch/page.html")]
struct PageTemplate<'a> {
    t: &'a BranchTexts,
    path: String,
    icon: &'static str,
    tone: &'static str,
    lead: String,
    detail: String,
    machines: SafeHtml,
    orders: Vec<OrdersRow>,
    facts: Vec<(&'static str, String)>,
    stock: Option<Vec<(&'static str, String)>>,
    exceptions: Option<Vec<ExceptionRow>>,
    exceptions_href: String,
    people: Option<Vec<(String, String)>>,
    people_href: String,
}

struct OrdersRow {
    href: Option<String>,
    status: &'static str,
    count: String,
    late: String,
}

#[derive(Template)]
#[template(path = "branch/_machines.html")]
struct MachinesTemplate<'a> {
    t: &'a BranchTexts,
    path: &'a str,
    key: String,
    rows: Vec<MachineRow>,
    may_join: bool,
    may_revoke: bool,
    code: Option<NewCode>,
    refused: Option<Refused>,
}

struct MachineRow {
    id: String,
    state: &'static str,
    tone: &'static str,
    is_active: bool,
    reason: String,
    joined: String,
    heard: String,
    stored: String,
    version: String,
    revoke_title: String,
}

struct NewCode {
    code: String,
    hint: String,
    command: String,
}

struct Refused {
    words: Vec<String>,
}

#[derive(Template)]
#[template(path = "branch/_head.html")]
struct HeadTemplate<'a> {
    t: &'a BranchTexts,
    code: &'a str,
    path: &'a str,
    may_write: bool,
}

/// The page.
pub(crate) async fn page(
    State(state): State<HubState>,
    who: May<may::BasicsRead>,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let branch = find(&state, &who, &name).await?;
    let view = View::of(&state, &who).await?;
    respond(&state, &who, &view, StatusCode::OK, &branch, None, None).await
}

async fn find(state: &HubState, who: &Caller, name: &str) -> Result<BranchState, Problem> {
    let branch = branch::find(state.hub(), name).await?;
    who.person.require_branch(branch.record.id)?;
    Ok(branch)
}

fn path_of(branch: &BranchState) -> String {
    format!("{BRANCHES}/{}", branch.record.fields.code)
}

async fn respond(
    state: &HubState,
    who: &Caller,
    view: &View,
    status: StatusCode,
    branch: &BranchState,
    code: Option<NewCode>,
    refused: Option<Refused>,
) -> Result<Response, Problem> {
    let t = BranchTexts::of(view.language());
    let path = path_of(branch);
    let may_write = who.person.may(Permission::BranchesWrite);
    let machines = machines(state, who, view, branch, code, refused).await?;
    let body = body(state, who, view, branch, machines).await?;
    let head = SafeHtml::render(&HeadTemplate {
        t,
        code: &branch.record.fields.code,
        path: &path,
        may_write,
    })?;
    let content = Content::new(branch.record.fields.name.clone(), body).head(head);
    let page = frame(state, who, view, HOME).await?.render(&content)?;
    Ok(html_with_status(status, page))
}

async fn body(
    state: &HubState,
    who: &Caller,
    view: &View,
    branch: &BranchState,
    machines: SafeHtml,
) -> Result<SafeHtml, Problem> {
    let t = BranchTexts::of(view.language());
    let (hub, id) = (state.hub(), branch.record.id);
    let only = Scope::Branches(vec![id]);
    let open = network::open_orders(hub, &only).await?;
    let stock = if who.person.may(Permission::StockRead) {
        Some(stock(t, view, &branch::held(hub, id).await?))
    } else {
        None
    };
    let exceptions = if who.person.may(Permission::ExceptionsRead) {
        Some(of_branch(state, view, &only).await?)
    } else {
        None
    };
    let people = if who.person.may(Permission::StaffRead) {
        let found = staff::list_of(hub, &only, MOST).await?;
        let name = |role| role_name(role, view.language()).to_owned();
        Some(
            found
                .into_iter()
                .map(|row| (row.fields.name, name(row.fields.role)))
                .collect(),
        )
    } else {
        None
    };
    let code = &branch.record.fields.code;
    let (icon, tone) = words::glyph(health(branch));
    SafeHtml::render(&PageTemplate {
        t,
        path: path_of(branch),
        icon,
        tone,
        lead: lead(t, view, branch),
        detail: detail(t, view, branch),
        machines,
        orders: orders(
            t,
            view,
            (code, who.person.may(Permission::OrdersRead)),
            &open,
        ),
        facts: facts(t, view, branch),
        stock,
        exceptions,
        exceptions_href: format!("{}?branch={code}", crate::web::EXCEPTIONS),
        people,
        people_href: format!("{}?branch={code}", crate::web::STAFF),
    })
}

async fn of_branch(
    state: &HubState,
    view: &View,
    only: &Scope,
) -> Result<Vec<ExceptionRow>, Problem> {
    let (found, codes) = exceptions::list_of(state.hub(), only, None, MOST).await?;
    Ok(exception_rows(state, view, found, &codes).await?)
}

fn health(branch: &BranchState) -> Health {
    match branch.link.state {
        _ if !branch.record.fields.active => Health::Closed,
        LinkState::CutOff => Health::CutOff,
        LinkState::NoMachine => Health::NoMachine,
        LinkState::Connected if branch.link.transactions_behind > 0 => Health::CatchingUp,
        LinkState::Connected => Health::Well,
    }
}

fn lead(t: &BranchTexts, view: &View, branch: &BranchState) -> String {
    let when = view.when(branch.link.since_ms);
    match health(branch) {
        Health::Closed => t.closed.to_owned(),
        Health::CutOff => fill(t.cut_off, &[("when", &when)]),
        Health::NoMachine => t.no_machine.to_owned(),
        _ => fill(t.connected, &[("when", &when)]),
    }
}

fn detail(t: &BranchTexts, view: &View, branch: &BranchState) -> String {
    let link = &branch.link;
    if link.state == LinkState::NoMachine {
        return t.join_first.to_owned();
    }
    let mut parts = Vec::new();
    if link.transactions_behind > 0 {
        parts.push(fill(t.up, &[("n", &view.count(link.transactions_behind))]));
    }
    if link.entries_behind > 0 {
        parts.push(fill(t.down, &[("n", &view.count(link.entries_behind))]));
    }
    if link.state == LinkState::CutOff && link.last_contact_ms.is_some() {
        parts.push(fill(t.heard, &[("when", &view.when(link.last_contact_ms))]));
    }
    if parts.is_empty() {
        return t.nothing_waits.to_owned();
    }
    let said = parts.join(", ");
    let mut letters = said.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect::<String>() + ".")
        .unwrap_or_default()
}

fn orders(
    t: &BranchTexts,
    view: &View,
    (code, may_read): (&str, bool),
    open: &[OpenOrders],
) -> Vec<OrdersRow> {
    let statuses = [
        ("received", t.received),
        ("diagnosing", t.diagnosing),
        ("awaiting_approval", t.awaiting_approval),
        ("awaiting_parts", t.awaiting_parts),
        ("in_repair", t.in_repair),
        ("ready", t.ready),
    ];
    statuses
        .into_iter()
        .filter_map(|(status, name)| {
            let found = open.iter().find(|open| open.status == status)?;
            let late = if status == "ready" { 0 } else { found.late };
            let address = [("branch", code), ("status", status)];
            Some(OrdersRow {
                href: may_read.then(|| crate::web::act::address(ORDERS, &address)),
                status: name,
                count: view.count(found.count),
                late: view.count(late),
            })
        })
        .collect()
}

fn stock(t: &BranchTexts, view: &View, held: &branch::Held) -> Vec<(&'static str, String)> {
    vec![
        (t.parts, view.clock.number(held.parts)),
        (t.pieces, view.clock.number(held.pieces)),
        (t.reserved, view.clock.number(held.reserved)),
        (t.below_zero, view.clock.number(held.below_zero)),
    ]
}

fn facts(t: &BranchTexts, view: &View, branch: &BranchState) -> Vec<(&'static str, String)> {
    let fields = &branch.record.fields;
    let or = |text: &str, other: &str| if text.is_empty() { other } else { text }.to_owned();
    let location = fields
        .location
        .map(|at| format!("{:.4}, {:.4}", at.latitude(), at.longitude()));
    let tax = if fields.prices_include_tax {
        t.with_tax
    } else {
        t.without_tax
    };
    let language = web_kit::Language::of_tag(&fields.language);
    vec![
        (t.code, fields.code.clone()),
        (t.region, or(&fields.region, "–")),
        (t.address, or(&fields.address, t.not_known)),
        (
            t.location,
            location.unwrap_or_else(|| t.not_known.to_owned()),
        ),
        (t.time_zone, fields.time_zone.clone()),
        (t.currency, format!("{}, {tax}", fields.currency)),
        (
            t.language,
            language.map_or(fields.language.clone(), |language| {
                language.name().to_owned()
            }),
        ),
        (
            t.capacity,
            match fields.capacity {
                0 => "–".to_owned(),
                most => view.clock.number(i64::from(most)),
            },
        ),
        (t.hours, or(&fields.opening_hours, t.of_company)),
    ]
}

async fn machines(
    state: &HubState,
    who: &Caller,
    view: &View,
    branch: &BranchState,
    code: Option<NewCode>,
    refused: Option<Refused>,
) -> Result<SafeHtml, Problem> {
    let t = BranchTexts::of(view.language());
    let found = branch::machines(state.hub(), branch.record.id).await?;
    SafeHtml::render(&MachinesTemplate {
        t,
        path: &path_of(branch),
        key: state.form_key().as_str().to_owned(),
        rows: found.into_iter().map(|row| machine(t, view, row)).collect(),
        may_join: who.person.may(Permission::JoinCodes),
        may_revoke: who.person.may(Permission::NodesRevoke),
        code,
        refused,
    })
}

fn machine(t: &BranchTexts, view: &View, row: NodeRow) -> MachineRow {
    let is_active = row.revoked.is_none() && !row.closed;
    let (state, tone) = match (&row.revoked, row.closed) {
        (Some(_), _) => (t.revoked, "late"),
        (None, true) => (t.replaced, "plain"),
        (None, false) => (t.active, "agreed"),
    };
    let id = row.node.to_string();
    MachineRow {
        revoke_title: fill(t.revoke_title, &[("id", &id)]),
        id,
        state,
        tone,
        is_active,
        reason: row.revoked.unwrap_or_default(),
        joined: view.clock.when(row.enrolled_ms),
        heard: view.when(row.last_contact_ms),
        stored: view.count(row.tip.seq),
        version: row.version,
    }
}

/// The address of a code that was made, asked for again: the code is not shown twice.
pub(crate) async fn leave_code(Path(name): Path<String>) -> Redirect {
    Redirect::to(&format!("{BRANCHES}/{}", crate::web::act::encode(&name)))
}

/// Nothing but the form's key.
#[derive(Debug, Deserialize)]
pub struct KeyOnly {}

/// Makes a join code and shows it, this once.
pub(crate) async fn join_code(
    State(state): State<HubState>,
    who: May<may::JoinCodes>,
    Path(name): Path<String>,
    request: PageRequest,
    PageForm {
        fields: KeyOnly {},
        request: form,
    }: PageForm<KeyOnly>,
) -> Result<Response, Problem> {
    let branch = find(&state, &who, &name).await?;
    let (id, fingerprint, staff) = (branch.record.id, state.ca().fingerprint(), who.person.id);
    let made = act(&state, &who, codes::NODES, form, move |tx| {
        Box::pin(async move {
            let made = branch::new_join_code(tx, id, fingerprint, staff).await?;
            let body =
                serde_json::json!({ "code": made.code.to_string(), "expires_ms": made.expires_ms });
            Ok(done(body))
        })
    })
    .await?;
    let view = View::of(&state, &who).await?;
    let t = BranchTexts::of(view.language());
    let code = made.answer.body["code"].as_str().unwrap_or_default();
    let until_ms = made.answer.body["expires_ms"].as_i64().unwrap_or_default();
    let code = NewCode {
        code: code.to_owned(),
        hint: fill(t.code_hint, &[("when", &view.clock.hour(until_ms))]),
        command: fill(t.code_command, &[("code", &code)]),
    };
    if request.is_fragment() {
        return Ok(html(
            machines(&state, &who, &view, &branch, Some(code), None).await?,
        ));
    }
    respond(
        &state,
        &who,
        &view,
        StatusCode::OK,
        &branch,
        Some(code),
        None,
    )
    .await
}

/// Why a machine may speak no more.
#[derive(Debug, Deserialize)]
pub struct RevokeForm {
    #[serde(default)]
    reason: String,
}

/// Takes a machine's right to speak away.
pub(crate) async fn revoke(
    State(state): State<HubState>,
    who: May<may::NodesRevoke>,
    Path((name, node)): Path<(String, String)>,
    PageForm { fields, request }: PageForm<RevokeForm>,
) -> Result<Response, Problem> {
    let branch = find(&state, &who, &name).await?;
    let node = u32::from_str_radix(&node, 16)
        .map(NodeId)
        .map_err(|_| Problem::not_found("There is no such machine."))?;
    let person = who.person.clone();
    let revoked = act(&state, &who, codes::NODES, request, move |tx| {
        Box::pin(async move {
            if fields.reason.trim().is_empty() {
                return Err(AppError::field("/reason", "must say why"));
            }
            branch::revoke(tx, &person, node, &fields.reason).await?;
            Ok(done(serde_json::Value::Null))
        })
    })
    .await;
    match revoked {
        Ok(_) => Ok(Redirect::to(&path_of(&branch)).into_response()),
        Err(problem) if problem.status().is_client_error() => {
            let view = View::of(&state, &who).await?;
            let words = Refusal::of(&problem, view.language()).above(&[]);
            let refused = Some(Refused { words });
            respond(
                &state,
                &who,
                &view,
                problem.status(),
                &branch,
                None,
                refused,
            )
            .await
        }
        Err(problem) => Err(problem),
    }
}

/// The form of a branch as it stands.
pub(crate) async fn edit_form(
    State(state): State<HubState>,
    who: May<may::BranchesWrite>,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let branch = find(&state, &who, &name).await?;
    let view = View::of(&state, &who).await?;
    let form = BranchForm::of(&branch.record.fields, branch.record.version);
    let key = state.form_key();
    edit(
        &state,
        &who,
        &view,
        &branch,
        (StatusCode::OK, key.as_str()),
        &form,
        &Refusal::none(),
    )
    .await
}

async fn edit(
    state: &HubState,
    who: &Caller,
    view: &View,
    branch: &BranchState,
    (status, key): (StatusCode, &str),
    form: &BranchForm,
    refusal: &Refusal,
) -> Result<Response, Problem> {
    let path = path_of(branch);
    let shown = Shown {
        status,
        title: BranchFormTexts::of(view.language()).change,
        action: format!("{path}/edit"),
        back: path,
        key,
        is_new: false,
    };
    show(state, who, view, &shown, form, refusal).await
}

/// Changes the branch and goes back to it.
pub(crate) async fn change(
    State(state): State<HubState>,
    who: May<may::BranchesWrite>,
    Path(name): Path<String>,
    PageForm {
        mut fields,
        request,
    }: PageForm<BranchForm>,
) -> Result<Response, Problem> {
    let branch = find(&state, &who, &name).await?;
    let key = request.key.clone().unwrap_or_default();
    let (id, shown) = (branch.record.id, fields.version);
    let changed = match fields.patch() {
        Ok(patch) => {
            act(&state, &who, codes::ROWS, request, move |tx| {
                Box::pin(async move {
                    let same = |version| {
                        if version == shown {
                            Ok(())
                        } else {
                            Err(AppError::Stale)
                        }
                    };
                    let record = branch::patch(tx, id, same, patch).await?;
                    Ok(done(serde_json::json!({ "code": record.fields.code })))
                })
            })
            .await
        }
        Err(error) => Err(error.into()),
    };
    match changed {
        Ok(answered) => {
            let code = answered.answer.body["code"].as_str().unwrap_or_default();
            Ok(Redirect::to(&format!("{BRANCHES}/{code}")).into_response())
        }
        Err(problem) if problem.status().is_client_error() => {
            if problem.status() == StatusCode::PRECONDITION_FAILED {
                fields = BranchForm::of(&branch.record.fields, branch.record.version);
            }
            let view = View::of(&state, &who).await?;
            let refusal = Refusal::of(&problem, view.language());
            edit(
                &state,
                &who,
                &view,
                &branch,
                (problem.status(), &key),
                &fields,
                &refusal,
            )
            .await
        }
        Err(problem) => Err(problem),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_say_the_same_things() {
        assert_eq!(
            web_kit::language::flaws(BranchTexts::ALL),
            Vec::<String>::new()
        );
    }
}
