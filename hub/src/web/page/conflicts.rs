//! Fields with several versions, side by side with who, where and when; settled with one key, taken back with one.
//!
//! They stand on the page of the order or the person that they are about.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use domain::document::{DocumentKind, Scalar};
use domain::id::{DocumentId, StaffId, format_uuid, parse_uuid};
use domain::permission::Permission;
use serde::Deserialize;
use sync_protocol::item::command as codes;
use web_kit::differ::{Run, runs};
use web_kit::fields::field_words;
use web_kit::{ApiPath, PageForm, Problem, SafeHtml, fill};

use crate::api::caller::{May, may};
use crate::api::{Caller, HubState};
use crate::app::conflict::{
    self, ConflictState, Keep, Resolved, Rival, SettledConflict, Writer, resolve, take_back,
};
use crate::app::order::OrderState;
use crate::app::staff;
use crate::web::act::{Refusal, act, done, is_refusal};
use crate::web::places::Places;
use crate::web::said::{Deed, WayBack};
use crate::web::view::View;
use crate::web::{CUSTOMERS, DOCUMENTS, ORDERS, words};

/// Settlements that are listed.
const SETTLED: usize = 5;

web_kit::catalogue! {
    /// What is said of versions.
    struct ConflictTexts {
        title: "Two versions" | "Zwei Fassungen",
        field: "Two versions of {field}" | "Zwei Fassungen: {field}",
        version: "Version {key}" | "Fassung {key}",
        keep_hub: "Keep the hub’s" | "Fassung der Zentrale behalten",
        keep_branch: "Keep {branch}’s" | "Fassung von {branch} behalten",
        keep_this: "Keep this" | "Diese behalten",
        at_hub: "at the hub" | "in der Zentrale",
        at_branch: "at {branch}" | "in {branch}",
        at_unknown: "at a machine not known here" | "an einem hier unbekannten Rechner",
        system: "Counterpart" | "Counterpart",
        both: "Keep both, one after the other" | "Beide behalten, eine nach der anderen",
        write: "Write another" | "Etwas anderes schreiben",
        write_label: "What is to stand there" | "Was dort stehen soll",
        save: "Save" | "Speichern",
        meanwhile: "shown meanwhile" | "wird inzwischen gezeigt",
        stays: "The other version stays in the history. Undo is there." | "Die andere Fassung bleibt in der Geschichte. Zurücknehmen geht.",
        nothing: "nothing" | "nichts",
        sealed: "not readable here: the person’s key is not at the hub" | "hier nicht lesbar: Der Schlüssel der Person ist nicht in der Zentrale",
        yes: "yes" | "ja",
        no: "no" | "nein",
        view_only: "Your role may look, not settle." | "Diese Rolle darf ansehen, nicht entscheiden.",
        of_branch: "{branch} writes this field; it is settled there." | "Dieses Feld schreibt {branch}; dort wird es entschieden.",
        steps: "Two steps contradict each other: where does it stand?" | "Zwei Schritte widersprechen sich: Wo steht er?",
        steps_there: "Steps belong to the branch: {branch} settles it on its page of decisions." | "Schritte gehören der Filiale: {branch} entscheidet es auf ihrer Seite Entscheidungen.",
        lately: "Settled here" | "Hier entschieden",
        take_back: "Take back" | "Zurücknehmen",
        by: "{who}, {at}" | "{who}, {at}",
        settled: "is settled" | "ist entschieden",
        taken_back: "shows again what it showed before" | "zeigt wieder, was es vorher zeigte",
        refused: "stays open." | "bleibt offen.",
    }
}

struct Version {
    key: String,
    label: String,
    icon: &'static str,
    who: String,
    place: String,
    when: String,
    runs: Vec<Run>,
    keep: Option<String>,
    is_shown: bool,
}

struct Item {
    id: String,
    title: String,
    action: String,
    form_key: String,
    versions: Vec<Version>,
    has_keys: bool,
    is_free: bool,
    written: String,
    note: String,
}

struct SettledRow {
    field: String,
    by: String,
    action: String,
    form_key: String,
}

#[derive(Template)]
#[template(path = "conflicts/_list.html")]
struct List<'a> {
    t: &'a ConflictTexts,
    items: Vec<Item>,
    settled: Vec<SettledRow>,
    may_settle: bool,
}

/// A document with the words that its page has for it.
pub(crate) struct About<'a> {
    /// The document.
    pub(crate) id: DocumentId,
    /// Its branch.
    pub(crate) branch: &'a str,
    /// The order, where it is one.
    pub(crate) order: Option<&'a OrderState>,
}

/// The versions of a document's fields and what was settled lately; nothing where there is neither.
pub(crate) async fn list(
    state: &HubState,
    who: &Caller,
    view: &View,
    places: &Places,
    about: About<'_>,
) -> Result<SafeHtml, Problem> {
    let t = ConflictTexts::of(view.language());
    let found = conflict::of_document(state.hub(), about.id).await?;
    let settled = conflict::settled(state.hub(), about.id).await?;
    let steps = about.order.and_then(|order| steps(t, view, order));
    if found.is_empty() && settled.is_empty() && steps.is_none() {
        return Ok(SafeHtml::empty());
    }
    let may_settle = who.person.may(Permission::ExceptionsSettle);
    let names = names(state, &found, about.order).await?;
    let mut items: Vec<Item> = found
        .iter()
        .map(|conflict| item(state, t, view, places, &names, conflict, may_settle))
        .collect();
    if let Some(first) = items
        .iter_mut()
        .find(|item| item.versions.iter().any(|v| v.keep.is_some()))
    {
        first.has_keys = true;
    }
    if let Some(mut steps) = steps {
        for version in &mut steps.versions {
            let id = version.who.parse::<StaffId>();
            version.who = id
                .ok()
                .and_then(|id| names.get(&id).cloned())
                .unwrap_or_else(|| t.system.to_owned());
        }
        steps.note = fill(t.steps_there, &[("branch", &places.name(about.branch))]);
        items.insert(0, steps);
    }
    SafeHtml::render(&List {
        t,
        items,
        settled: settled
            .into_iter()
            .take(SETTLED)
            .map(|row| settled_row(state, t, view, about.id, row))
            .collect(),
        may_settle,
    })
}

/// The people whom versions name as values, and who took steps.
async fn names(
    state: &HubState,
    found: &[ConflictState],
    order: Option<&OrderState>,
) -> Result<BTreeMap<StaffId, String>, Problem> {
    let values = found.iter().flat_map(|conflict| &conflict.values);
    let mut ids: Vec<StaffId> = values
        .filter_map(|rival| match &rival.value {
            Some(Scalar::Str(text)) => text.parse().ok(),
            _ => None,
        })
        .collect();
    let events = order.iter().flat_map(|order| &order.view().events);
    ids.extend(events.map(|event| event.staff));
    ids.sort_unstable();
    ids.dedup();
    Ok(staff::names(state.hub(), &ids).await?)
}

fn letter(at: usize) -> String {
    let letter = u8::try_from(at).ok().filter(|at| *at < 26);
    letter.map_or_else(|| format!("v{at}"), |at| char::from(b'a' + at).to_string())
}

/// Steps that contradict each other; only their branch may say which counts.
fn steps(t: &ConflictTexts, view: &View, order: &OrderState) -> Option<Item> {
    let shown = order.view();
    if !shown.status_conflict {
        return None;
    }
    let fold = shown.fold();
    let rivals = shown
        .events
        .iter()
        .filter(|event| fold.deciding.contains(&event.id));
    let version = |(at, event): (usize, &domain::order::StatusEvent)| {
        let status = event.to.map_or("", |to| words::status(view.language(), to));
        let outcome = event
            .outcome
            .map(|outcome| format!(", {}", words::outcome(view.language(), outcome)))
            .unwrap_or_default();
        Version {
            key: letter(at),
            label: fill(t.version, &[("key", &letter(at).to_uppercase())]),
            icon: event.to.map_or("right", |to| words::status_look(to).0),
            who: event.staff.to_string(),
            place: String::new(),
            when: view.clock.when(event.at_ms),
            runs: vec![Run {
                text: format!("{status}{outcome}"),
                is_own: false,
            }],
            keep: None,
            is_shown: event.to == Some(shown.status) && event.outcome == shown.outcome,
        }
    };
    Some(Item {
        id: "steps".to_owned(),
        title: t.steps.to_owned(),
        action: String::new(),
        form_key: String::new(),
        versions: rivals.enumerate().map(version).collect(),
        has_keys: false,
        is_free: false,
        written: String::new(),
        note: String::new(),
    })
}

fn item(
    state: &HubState,
    t: &ConflictTexts,
    view: &View,
    places: &Places,
    names: &BTreeMap<StaffId, String>,
    conflict: &ConflictState,
    may_settle: bool,
) -> Item {
    let texts: Vec<String> = conflict
        .values
        .iter()
        .map(|rival| value_words(t, view, names, &conflict.path, rival))
        .collect();
    let last = texts.len().saturating_sub(1);
    let may_keep = may_settle && conflict.is_ours;
    let version = |(at, rival): (usize, &Rival)| {
        let mut others = texts.iter().enumerate();
        let other = others.find(|(there, _)| *there != at);
        let (place, keep) = place_words(t, places, rival.place.as_ref());
        let name = rival.staff.as_ref().and_then(|(_, name)| name.clone());
        Version {
            key: letter(at),
            label: fill(t.version, &[("key", &letter(at).to_uppercase())]),
            icon: if rival.place == Some(Writer::Hub) {
                "network"
            } else {
                "here"
            },
            who: name.unwrap_or_else(|| t.system.to_owned()),
            place,
            when: view.when(rival.at_ms),
            runs: runs(&texts[at], other.map_or("", |(_, text)| text.as_str())),
            keep: may_keep.then_some(keep),
            is_shown: at == last,
        }
    };
    let is_text = conflict
        .values
        .iter()
        .all(|rival| matches!(rival.value, Some(Scalar::Str(_))));
    let is_word = |key: &String| {
        let words = ["outcome", "technician", "customer", "answer", "language"];
        words.contains(&key.as_str())
    };
    let is_free = may_keep && is_text && !conflict.path.iter().any(is_word);
    let id = format_uuid(&conflict.id);
    let field = field_words(view.language(), &conflict.path);
    let branch = places.name(&conflict.branch);
    Item {
        title: fill(t.field, &[("field", &field)]),
        action: format!("{DOCUMENTS}/{}/conflicts/{id}/resolve", conflict.document),
        id,
        form_key: state.form_key().to_string(),
        versions: conflict.values.iter().enumerate().map(version).collect(),
        has_keys: false,
        is_free,
        written: texts.last().cloned().unwrap_or_default(),
        note: if !may_settle {
            t.view_only.to_owned()
        } else if conflict.is_ours {
            t.stays.to_owned()
        } else {
            fill(t.of_branch, &[("branch", &branch)])
        },
    }
}

fn place_words(t: &ConflictTexts, places: &Places, place: Option<&Writer>) -> (String, String) {
    match place {
        None => (t.at_unknown.to_owned(), t.keep_this.to_owned()),
        Some(Writer::Hub) => (t.at_hub.to_owned(), t.keep_hub.to_owned()),
        Some(Writer::Branch(code)) => {
            let name = places.name(code);
            (
                fill(t.at_branch, &[("branch", &name)]),
                fill(t.keep_branch, &[("branch", &name)]),
            )
        }
    }
}

fn value_words(
    t: &ConflictTexts,
    view: &View,
    names: &BTreeMap<StaffId, String>,
    path: &[String],
    rival: &Rival,
) -> String {
    let field = path.last().map_or("", String::as_str);
    match &rival.value {
        None | Some(Scalar::Bytes(_)) => t.sealed.to_owned(),
        Some(Scalar::Null) => t.nothing.to_owned(),
        Some(Scalar::Bool(true)) => t.yes.to_owned(),
        Some(Scalar::Bool(false)) => t.no.to_owned(),
        Some(Scalar::Int(at_ms)) if field.ends_with("_at") => {
            format!("{}, {}", view.clock.day(*at_ms), view.clock.hour(*at_ms))
        }
        Some(Scalar::Int(number)) => view.clock.number(*number),
        Some(Scalar::Str(text)) if text.is_empty() => t.nothing.to_owned(),
        Some(Scalar::Str(text)) if field == "technician" => text
            .parse()
            .ok()
            .and_then(|id: StaffId| names.get(&id).cloned())
            .unwrap_or_else(|| text.clone()),
        Some(Scalar::Str(text)) if field == "outcome" => text.parse().map_or_else(
            |_| text.clone(),
            |outcome| words::outcome(view.language(), outcome).to_owned(),
        ),
        Some(Scalar::Str(text)) => text.clone(),
    }
}

fn settled_row(
    state: &HubState,
    t: &ConflictTexts,
    view: &View,
    document: DocumentId,
    row: SettledConflict,
) -> SettledRow {
    let who = row.staff_name.as_deref().unwrap_or(t.system);
    SettledRow {
        field: field_words(view.language(), &row.path),
        by: fill(t.by, &[("who", &who), ("at", &view.clock.when(row.at_ms))]),
        action: format!("{DOCUMENTS}/{document}/conflicts/{}/undo", row.id),
        form_key: state.form_key().to_string(),
    }
}

/// What is to stand there: a version's letter, `both` or `written`.
#[derive(Debug, Deserialize)]
pub struct KeepForm {
    #[serde(default)]
    keep: String,
    #[serde(default)]
    value: web_kit::wire::Personal,
}

fn keep_of(form: &KeepForm) -> Result<Keep, Problem> {
    let wrong = || Problem::bad_request("The form names no version. Open the page again.");
    match form.keep.as_str() {
        "written" => Ok(Keep::Written(form.value.expose().to_owned())),
        word => Keep::of_word(word).ok_or_else(wrong),
    }
}

/// The page that a document's versions stand on.
async fn page_of(state: &HubState, id: DocumentId) -> Result<String, Problem> {
    let document = state
        .hub()
        .load_document(id)
        .await
        .map_err(crate::app::error::AppError::from)?;
    match document.map(|document| document.kind()) {
        Some(DocumentKind::Order) => Ok(format!("{ORDERS}/{id}")),
        Some(DocumentKind::Customer) => Ok(format!("{CUSTOMERS}/{id}")),
        _ => Err(Problem::not_found("There is no such document.")),
    }
}

fn conflict_id(text: &str) -> Result<[u8; 16], Problem> {
    parse_uuid(text).map_err(|_| Problem::not_found("There is no such conflict."))
}

/// Settles it.
pub(crate) async fn settle(
    State(state): State<HubState>,
    who: May<may::ExceptionsSettle>,
    ApiPath((id, conflict)): ApiPath<(DocumentId, String)>,
    PageForm { fields, request }: PageForm<KeepForm>,
) -> Result<Response, Problem> {
    let back = page_of(&state, id).await?;
    let conflict = conflict_id(&conflict)?;
    let keep = keep_of(&fields)?;
    let view = View::of(&state, &who).await?;
    let t = ConflictTexts::of(view.language());
    let field = field_of(&state, &view, id, conflict).await?;
    let person = who.person.clone();
    let written: std::sync::Arc<std::sync::OnceLock<Resolved>> = std::sync::Arc::default();
    let into = written.clone();
    let work = act(&state, &who, codes::SETTLE, request, move |tx| {
        Box::pin(async move {
            let resolved = resolve(tx, &person, id, conflict, &keep).await?;
            drop(into.set(resolved));
            Ok(done(serde_json::Value::Null))
        })
    });
    match work.await {
        Ok(_) => {
            if let Some(resolved) = written.get() {
                let way = way_back(&who, &back, resolved.clone());
                let deed = Deed::new(field, t.settled).back(way);
                state.said().say(&state, &who, deed);
            }
            Ok(Redirect::to(&back).into_response())
        }
        Err(problem) if is_refusal(&problem) => {
            let why = Refusal::of(&problem, view.language()).above(&[]).join(" ");
            let deed = Deed::late(field, format!("{} {why}", t.refused));
            state.said().say(&state, &who, deed);
            Ok(Redirect::to(&back).into_response())
        }
        Err(problem) => Err(problem),
    }
}

async fn field_of(
    state: &HubState,
    view: &View,
    id: DocumentId,
    wanted: [u8; 16],
) -> Result<String, Problem> {
    let found = conflict::of_document(state.hub(), id).await?;
    let found = found.into_iter().find(|conflict| conflict.id == wanted);
    Ok(found.map_or_else(
        || ConflictTexts::of(view.language()).title.to_owned(),
        |conflict| field_words(view.language(), &conflict.path),
    ))
}

fn way_back(who: &Caller, back: &str, resolved: Resolved) -> WayBack {
    let person = who.person.clone();
    WayBack::new(
        Permission::ExceptionsSettle,
        codes::SETTLE,
        back,
        move |tx| {
            let (person, resolved) = (person.clone(), resolved.clone());
            Box::pin(async move { take_back(tx, &person, &resolved).await })
        },
    )
}

/// Nothing but the form's key.
#[derive(Debug, Deserialize)]
pub struct KeyOnly {}

/// Takes the newest settlement back.
pub(crate) async fn undo(
    State(state): State<HubState>,
    who: May<may::ExceptionsSettle>,
    ApiPath((id, conflict)): ApiPath<(DocumentId, String)>,
    PageForm {
        fields: KeyOnly {},
        request,
    }: PageForm<KeyOnly>,
) -> Result<Response, Problem> {
    let back = page_of(&state, id).await?;
    let conflict = conflict_id(&conflict)?;
    let view = View::of(&state, &who).await?;
    let t = ConflictTexts::of(view.language());
    let person = who.person.clone();
    let work = act(&state, &who, codes::SETTLE, request, move |tx| {
        Box::pin(async move {
            conflict::undo(tx, &person, id, conflict).await?;
            Ok(done(serde_json::Value::Null))
        })
    });
    let deed = match work.await {
        Ok(_) => Deed::new(t.title, t.taken_back),
        Err(problem) if problem.status() == StatusCode::CONFLICT => {
            let why = Refusal::of(&problem, view.language()).above(&[]).join(" ");
            Deed::late(t.title, why)
        }
        Err(problem) => return Err(problem),
    };
    state.said().say(&state, &who, deed);
    Ok(Redirect::to(&back).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_say_the_same_things() {
        assert_eq!(
            web_kit::language::flaws(ConflictTexts::ALL),
            Vec::<String>::new()
        );
    }

    #[test]
    fn a_letter_names_a_version() {
        let keep = |text: &str| {
            keep_of(&KeepForm {
                keep: text.to_owned(),
                value: web_kit::wire::Personal::new(String::new()),
            })
            .ok()
        };
        assert_eq!(keep("b"), Some(Keep::Value(1)));
        assert_eq!(keep("both"), Some(Keep::Both));
        assert_eq!(keep("bb"), None);
    }
}
