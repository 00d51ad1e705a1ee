//! What people must look at over all branches, and what is kept and not applied until somebody decides.
//!
//! A decision about a parked entry needs a typed reason: stock or an order moves by it, and there is no way back.

pub(crate) mod list;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use domain::id::{BranchId, parse_uuid};
use domain::permission::Permission;
use serde::Deserialize;
use sync_protocol::item::VerdictKind;
use web_kit::{Content, PageForm, PageRequest, Problem, SafeHtml, fill, html, html_with_status};

use crate::api::caller::{May, may};
use crate::api::{Caller, HubState};
use crate::app::branch::{Codes, code_of};
use crate::app::exceptions::{self, DECISIONS, IncidentRecord};
use crate::app::idempotency::Request;
use crate::app::parked::{self, ParkedEntry, Settlement};
use crate::store::scope::Scope;
use crate::web::EXCEPTIONS;
use crate::web::act::{Refusal, address};
use crate::web::frame::frame;
use crate::web::view::View;
use list::{ExceptionRow, KindTexts, rows};

/// Rows of each list.
const MOST: i64 = 200;
const INCIDENTS: i64 = 20;

web_kit::catalogue! {
    /// The words of this page.
    struct ExceptionsTexts {
        title: "Exceptions" | "Ausnahmen",
        show: "Show" | "Zeigen",
        all: "All" | "Alle",
        decisions: "Decisions" | "Entscheidungen",
        parked: "Parked" | "Zurückgestellt",
        conflicts: "Two versions" | "Zwei Fassungen",
        stock: "Stock" | "Bestand",
        of_branch: "Only {code}" | "Nur {code}",
        every_branch: "Every branch" | "Alle Filialen",
        what: "What" | "Was",
        owner: "Owner" | "Zuständig",
        since: "Since" | "Seit",
        age: "Age" | "Alter",
        none: "Nothing waits for a person" | "Nichts wartet auf jemanden",
        none_why: "Conflicts, contradictions and parked entries of all branches appear here by themselves." | "Konflikte, Widersprüche und zurückgestellte Einträge aller Filialen erscheinen hier von selbst.",
        parked_title: "Parked entries" | "Zurückgestellte Einträge",
        parked_why: "Kept and not applied. Each delays nothing but what builds on it." | "Aufgehoben und nicht angewandt. Jeder hält nur auf, was auf ihm beruht.",
        entry: "Entry" | "Eintrag",
        reason: "Reason" | "Grund",
        by: "Written by" | "Geschrieben von",
        system: "the system" | "das System",
        settle: "Decide" | "Entscheiden",
        settle_title: "Entry {position}" | "Eintrag {position}",
        settle_why: "Releasing checks the entry again and applies it now, if the checks agree. Dropping leaves it out for good. The branch hears of it either way." | "Freigeben prüft den Eintrag erneut und wendet ihn jetzt an, wenn die Prüfung zustimmt. Verwerfen lässt ihn für immer weg. Die Filiale erfährt beides.",
        your_reason: "Your reason" | "Ihr Grund",
        reason_hint: "For the branch and for the audit" | "Für die Filiale und die Prüfung",
        release: "Release" | "Freigeben",
        drop: "Drop" | "Verwerfen",
        leave: "Leave it parked" | "Zurückgestellt lassen",
        incidents: "Incidents of the machinery" | "Zwischenfälle der Technik",
    }
}

/// What narrows the list.
#[derive(Debug, Default, Deserialize)]
pub struct ExceptionsQuery {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    branch: String,
}

#[derive(Template)]
#[template(path = "exceptions/page.html")]
struct PageTemplate<'a> {
    t: &'a ExceptionsTexts,
    refresh: String,
    segments: Vec<Segment>,
    only: String,
    every_href: String,
    rows: Vec<ExceptionRow>,
    parked: Vec<ParkedRow>,
    key: String,
    may_settle: bool,
    incidents: Vec<IncidentRow>,
    refused: Vec<String>,
}

struct Segment {
    href: String,
    words: &'static str,
    is_current: bool,
}

struct ParkedRow {
    id: String,
    branch: String,
    position: String,
    title: String,
    reason: String,
    writer: String,
    since: String,
    age: String,
}

struct IncidentRow {
    branch: String,
    kind: String,
    detail: String,
    when: String,
}

/// The page, or what changes on it when a script asks again.
pub(crate) async fn page(
    State(state): State<HubState>,
    who: May<may::ExceptionsRead>,
    Query(query): Query<ExceptionsQuery>,
    request: PageRequest,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let body = body(&state, &who, &view, &query, Vec::new()).await?;
    if request.is_fragment() {
        return Ok(html(body));
    }
    respond(&state, &who, &view, StatusCode::OK, body).await
}

async fn respond(
    state: &HubState,
    who: &Caller,
    view: &View,
    status: StatusCode,
    body: SafeHtml,
) -> Result<Response, Problem> {
    let t = ExceptionsTexts::of(view.language());
    let page = frame(state, who, view, EXCEPTIONS)
        .await?
        .render(&Content::new(t.title, body))?;
    Ok(html_with_status(status, page))
}

fn kinds(name: &str) -> Option<&'static [&'static str]> {
    match name {
        "decisions" => Some(&DECISIONS),
        "parked" => Some(&["parked"]),
        "conflicts" => Some(&["conflict", "status", "double_number"]),
        "stock" => Some(&[
            "negative_stock",
            "superseded",
            "contradiction",
            "transfer",
            "transfer_found",
        ]),
        _ => None,
    }
}

async fn body(
    state: &HubState,
    who: &Caller,
    view: &View,
    query: &ExceptionsQuery,
    refused: Vec<String>,
) -> Result<SafeHtml, Problem> {
    let t = ExceptionsTexts::of(view.language());
    let hub = state.hub();
    let scope = narrowed(state, who, &query.branch).await?;
    let (mut found, codes) = exceptions::list_of(hub, &scope, kinds(&query.kind), MOST).await?;
    let parked =
        if who.person.may(Permission::ParkedRead) && matches!(query.kind.as_str(), "" | "parked") {
            let found = parked::open(hub, &scope, MOST).await?;
            Some(
                found
                    .into_iter()
                    .map(|entry| parked_row(t, view, entry, &codes))
                    .collect(),
            )
        } else {
            None
        };
    if parked.is_some() {
        // They stand above with their reasons and what to do about them.
        found.retain(|record| record.kind != "parked");
    }
    let (incidents, _) = exceptions::incidents(hub, &who.person, None, INCIDENTS).await?;
    let only = if query.branch.is_empty() {
        String::new()
    } else {
        fill(t.of_branch, &[("code", &query.branch)])
    };
    SafeHtml::render(&PageTemplate {
        t,
        refresh: address(
            EXCEPTIONS,
            &[("kind", &query.kind), ("branch", &query.branch)],
        ),
        segments: segments(t, query),
        only,
        every_href: address(EXCEPTIONS, &[("kind", &query.kind)]),
        rows: rows(state, view, found, &codes).await?,
        parked: parked.unwrap_or_default(),
        key: state.form_key().as_str().to_owned(),
        may_settle: who.person.may(Permission::ParkedSettle),
        incidents: incidents
            .into_iter()
            .map(|incident| incident_row(view, incident, &codes))
            .collect(),
        refused,
    })
}

async fn narrowed(state: &HubState, who: &Caller, branch: &str) -> Result<Scope, Problem> {
    if branch.is_empty() {
        return Ok(who.person.scope());
    }
    let found = crate::app::branch::find(state.hub(), branch).await?;
    Ok(who.person.scope().narrowed(Some(found.record.id)))
}

fn segments(t: &ExceptionsTexts, query: &ExceptionsQuery) -> Vec<Segment> {
    let kinds = [
        ("", t.all),
        ("decisions", t.decisions),
        ("parked", t.parked),
        ("conflicts", t.conflicts),
        ("stock", t.stock),
    ];
    let segment = |(kind, words): (&str, &'static str)| Segment {
        href: address(EXCEPTIONS, &[("kind", kind), ("branch", &query.branch)]),
        words,
        is_current: query.kind == kind,
    };
    kinds.into_iter().map(segment).collect()
}

fn parked_row(t: &ExceptionsTexts, view: &View, entry: ParkedEntry, codes: &Codes) -> ParkedRow {
    let position = entry.record.position.to_string();
    ParkedRow {
        id: domain::id::format_uuid(&entry.record.id),
        branch: code_of(codes, entry.record.branch),
        title: fill(t.settle_title, &[("position", &position)]),
        position,
        reason: web_kit::problem::sentence(&entry.record.reason),
        writer: entry.writer.unwrap_or_else(|| t.system.to_owned()),
        since: view.clock.when(entry.record.at_ms),
        age: view.clock.age(entry.record.at_ms),
    }
}

fn incident_row(view: &View, incident: IncidentRecord, codes: &Codes) -> IncidentRow {
    let branch = if incident.branch == BranchId::NIL {
        KindTexts::of(view.language()).hub.to_owned()
    } else {
        code_of(codes, incident.branch)
    };
    IncidentRow {
        branch,
        kind: incident.kind,
        detail: web_kit::problem::sentence(&incident.detail),
        when: view.clock.when(incident.at_ms),
    }
}

/// Why.
#[derive(Debug, Deserialize)]
pub struct SettleForm {
    #[serde(default)]
    reason: String,
}

/// Applies a parked entry after all.
pub(crate) async fn release(
    state: State<HubState>,
    who: May<may::ParkedSettle>,
    id: Path<String>,
    form: PageForm<SettleForm>,
) -> Result<Response, Problem> {
    settle(state, who, id, form, VerdictKind::Released).await
}

/// Leaves a parked entry out for good.
pub(crate) async fn drop_entry(
    state: State<HubState>,
    who: May<may::ParkedSettle>,
    id: Path<String>,
    form: PageForm<SettleForm>,
) -> Result<Response, Problem> {
    settle(state, who, id, form, VerdictKind::Dropped).await
}

async fn settle(
    State(state): State<HubState>,
    who: May<may::ParkedSettle>,
    Path(id): Path<String>,
    PageForm { fields, request }: PageForm<SettleForm>,
    verdict: VerdictKind,
) -> Result<Response, Problem> {
    let id = parse_uuid(&id).map_err(|_| Problem::not_found("There is no such parked entry."))?;
    let request = Request {
        key: request.key,
        route: request.route,
        fingerprint: request.body_hmac,
    };
    let settlement = Settlement {
        id,
        verdict,
        reason: fields.reason,
    };
    let settled = parked::settle(state.hub(), &who.person, &request, settlement).await;
    match settled.map_err(Problem::from) {
        Ok(_) => Ok(Redirect::to(EXCEPTIONS).into_response()),
        Err(problem) if problem.status().is_client_error() => {
            let view = View::of(&state, &who).await?;
            let refused = Refusal::of(&problem, view.language()).above(&[]);
            let body = body(&state, &who, &view, &ExceptionsQuery::default(), refused).await?;
            respond(&state, &who, &view, problem.status(), body).await
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
            web_kit::language::flaws(ExceptionsTexts::ALL),
            Vec::<String>::new()
        );
    }
}
