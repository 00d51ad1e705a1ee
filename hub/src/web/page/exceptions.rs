//! What people must look at over all branches, and what is kept and not applied until somebody decides.
//!
//! A decision about a parked entry needs a typed reason: stock or an order moves by it, and there is no way back.

pub(crate) mod closing;
pub(crate) mod list;
pub(crate) mod owner;
pub(crate) mod parked;

use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::id::BranchId;
use domain::permission::Permission;
use serde::Deserialize;
use web_kit::{Content, Language, PageRequest, Problem, SafeHtml, fill, html, html_with_status};

use crate::api::caller::{May, may};
use crate::api::{Caller, HubState};
use crate::app::branch::{Codes, code_of};
use crate::app::exceptions::{self, DECISIONS, IncidentRecord};
use crate::app::parked::{self as entries, ParkedEntry};
use crate::store::scope::Scope;
use crate::web::act::address;
use crate::web::frame::frame;
use crate::web::list::Segment;
use crate::web::reason::said;
use crate::web::view::View;
use crate::web::{EXCEPTION_CLOSE, EXCEPTIONS};
use list::{ExceptionRow, KindTexts, owner_href, rows};

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
        money: "Money" | "Geld",
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
        no_way_back: "Neither can be taken back." | "Beides lässt sich nicht zurücknehmen.",
        released: "Released." | "Freigegeben.",
        released_text: "The entry counts; the branch hears of it." | "Der Eintrag gilt; die Filiale erfährt es.",
        dropped: "Dropped." | "Verworfen.",
        dropped_text: "The entry is left out for good; the branch hears of it." | "Der Eintrag bleibt für immer weg; die Filiale erfährt es.",
        mine: "Mine" | "Meine",
        branch: "Branch" | "Filiale",
        nobody: "nobody yet" | "noch niemand",
        take: "Take it" | "Übernehmen",
        none_mine: "Nothing of this is here" | "Davon ist nichts da",
        none_mine_why: "Another choice above, or every branch, shows more." | "Eine andere Auswahl oben oder alle Filialen zeigen mehr.",
        show_all: "Show all" | "Alle zeigen",
        incident_clone: "Clone" | "Kopie",
        incident_head: "Signature" | "Unterschrift",
        incident_mending: "Log mended" | "Protokoll ergänzt",
        incident_key: "Key of a person" | "Schlüssel einer Person",
        incident_session: "Line" | "Leitung",
        close: "Close" | "Abschließen",
        close_why: "Nothing ends this but a person who looked into it. What was booked stays as it is." | "Nur wer es angesehen hat, beendet das. Was gebucht ist, bleibt, wie es ist.",
        close_hint: "For the audit" | "Für die Prüfung",
        closed: "is closed" | "ist abgeschlossen",
        leave_open: "Leave it open" | "Offen lassen",
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
    may_own: bool,
    may_close: bool,
    close_action: &'static str,
    here: String,
    is_filtered: bool,
    incidents: Vec<IncidentRow>,
    refused: Vec<String>,
}

struct ParkedRow {
    id: String,
    branch_id: String,
    owner: Option<String>,
    is_mine: bool,
    owner_href: String,
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
        "conflicts" => Some(&["conflict", "status_conflict", "double_number"]),
        "stock" => Some(&[
            "negative_stock",
            "superseded",
            "contradiction",
            "transfer",
            "transfer_found",
        ]),
        "money" => Some(&["payment", "dead_letter", "night"]),
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
    let owners = exceptions::owners(hub).await?;
    let has_parked = matches!(query.kind.as_str(), "" | "parked" | "mine");
    let parked = if who.person.may(Permission::ParkedRead) && has_parked {
        let found = entries::open(hub, &scope, MOST).await?;
        let row = |entry: ParkedEntry| {
            let key = (entry.record.branch, "parked".to_owned(), entry.record.id);
            parked_row(t, who, view, entry, &codes, owners.get(&key))
        };
        let mut rows: Vec<ParkedRow> = found.into_iter().map(row).collect();
        rows.retain(|row| row.is_mine || query.kind != "mine");
        Some(rows)
    } else {
        None
    };
    if query.kind == "mine" {
        found.retain(|record| {
            let key = (record.branch, record.kind.clone(), record.subject);
            let owner = owners.get(&key);
            owner.is_some_and(|owner| owner.staff == who.person.id)
        });
    }
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
        rows: rows(state, who, view, found, &codes).await?,
        parked: parked.unwrap_or_default(),
        key: state.form_key().as_str().to_owned(),
        may_settle: who.person.may(Permission::ParkedSettle),
        may_own: may_own(who),
        may_close: who.person.may(Permission::ExceptionsSettle),
        close_action: EXCEPTION_CLOSE,
        here: address(
            EXCEPTIONS,
            &[("kind", &query.kind), ("branch", &query.branch)],
        ),
        is_filtered: !query.kind.is_empty() || !query.branch.is_empty(),
        incidents: incidents
            .into_iter()
            .map(|incident| incident_row(view, incident, &codes))
            .collect(),
        refused,
    })
}

/// Whether somebody may say who looks into what: those who settle, not those who only look.
fn may_own(who: &Caller) -> bool {
    let permissions = [Permission::ExceptionsSettle, Permission::ParkedSettle];
    permissions
        .into_iter()
        .any(|permission| who.person.may(permission))
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
        ("mine", t.mine),
        ("decisions", t.decisions),
        ("parked", t.parked),
        ("conflicts", t.conflicts),
        ("stock", t.stock),
        ("money", t.money),
    ];
    let segment = |(kind, words): (&str, &'static str)| Segment {
        href: address(EXCEPTIONS, &[("kind", kind), ("branch", &query.branch)]),
        words: words.to_owned(),
        is_current: query.kind == kind,
    };
    kinds.into_iter().map(segment).collect()
}

fn parked_row(
    t: &ExceptionsTexts,
    who: &Caller,
    view: &View,
    entry: ParkedEntry,
    codes: &Codes,
    owner: Option<&exceptions::Owner>,
) -> ParkedRow {
    let position = entry.record.position.to_string();
    let (id, branch_id) = (
        domain::id::format_uuid(&entry.record.id),
        entry.record.branch.to_string(),
    );
    ParkedRow {
        owner: owner.map(|owner| owner.name.clone()),
        is_mine: owner.is_some_and(|owner| owner.staff == who.person.id),
        owner_href: owner_href(&branch_id, "parked", &id),
        branch: code_of(codes, entry.record.branch),
        title: fill(t.settle_title, &[("position", &position)]),
        position,
        reason: said(&entry.record.reason, view.language()),
        writer: entry.writer.unwrap_or_else(|| t.system.to_owned()),
        since: view.clock.when(entry.record.at_ms),
        age: view.clock.age(entry.record.at_ms),
        branch_id,
        id,
    }
}

fn incident_row(view: &View, incident: IncidentRecord, codes: &Codes) -> IncidentRow {
    let language = view.language();
    let branch = if incident.branch == BranchId::NIL {
        KindTexts::of(language).hub.to_owned()
    } else {
        code_of(codes, incident.branch)
    };
    IncidentRow {
        branch,
        kind: incident_kind(&incident.kind, language),
        detail: said(&incident.detail, language),
        when: view.clock.when(incident.at_ms),
    }
}

fn incident_kind(kind: &str, language: Language) -> String {
    let t = ExceptionsTexts::of(language);
    match kind {
        "clone" => t.incident_clone,
        "signed_head" => t.incident_head,
        "person_key" => t.incident_key,
        "mending" => t.incident_mending,
        "session" => t.incident_session,
        other => other,
    }
    .to_owned()
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
