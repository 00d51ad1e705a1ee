//! What waits for a person: fields with two versions, contradicting steps, shelves to count.
//!
//! Versions stand side by side with who, where and when. One key keeps one, one key takes it back.

mod differ;

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use domain::document::DocumentKind;
use domain::id::DocumentId;
use domain::permission::Permission;
use serde::Deserialize;
use serde_json::Value;
use web_kit::{
    ApiPath, ApiQuery, Content, IfMatch, PageForm, PageRequest, Problem, SafeHtml, fill, html,
    html_with_status, plural,
};

use super::stock::part_href;
use crate::api::EdgeState;
use crate::api::caller::{Caller, May, may};
use crate::api::command::answered;
use crate::app::decision::conflict::Rival;
use crate::app::decision::{self, Conflict, Decision, ResolveInput, SettleInput, SettledConflict};
use crate::app::order::form::UndoInput;
use crate::app::{order, staff};
use crate::error::AppError;
use crate::store::catalogue;
use crate::web::frame::frame;
use crate::web::texts;
use crate::web::view::View;
use crate::web::{DECISIONS, ORDERS, SYNC};
use differ::{Run, runs};

/// Settled conflicts that are listed.
const SETTLED: usize = 10;

web_kit::catalogue! {
    /// Words of the decisions page.
    struct DecisionTexts {
        title: "Decisions" | "Entscheidungen",
        one: "One decision" | "Eine Entscheidung",
        many: "{n} decisions" | "{n} Entscheidungen",
        none: "Nothing waits for a decision. When two people write one field apart, both versions stand here." | "Nichts wartet auf eine Entscheidung. Schreiben zwei Leute getrennt dasselbe Feld, stehen beide Fassungen hier.",
        two_versions: "Two versions" | "Zwei Fassungen",
        contradiction: "Contradicting steps" | "Widersprechende Schritte",
        to_count: "To count" | "Zu zählen",
        field: "field" | "Feld",
        version: "Version {key}" | "Fassung {key}",
        keep: "Keep {place}" | "{place} behalten",
        keep_this: "Keep this" | "Diese behalten",
        of_hub: "the hub’s" | "Fassung der Zentrale",
        of_branch: "{branch}’s" | "Fassung von {branch}",
        at_hub: "at the hub" | "in der Zentrale",
        at_branch: "at {branch}" | "in {branch}",
        unknown_place: "at a machine not known here" | "an einem hier unbekannten Rechner",
        system: "Counterpart" | "Counterpart",
        both: "Keep both, one after the other" | "Beide behalten, eine nach der anderen",
        write: "Write another" | "Etwas anderes schreiben",
        write_label: "What is to stand there" | "Was dort stehen soll",
        save: "Save" | "Sichern",
        meanwhile: "Shown meanwhile" | "Wird inzwischen gezeigt",
        stays: "The other version stays in the history. Undo is there." | "Die andere Fassung bleibt in der Geschichte. Zurücknehmen geht.",
        empty_value: "nothing" | "nichts",
        sealed: "not readable here: the person’s key is not at this branch" | "hier nicht lesbar: der Schlüssel der Person ist nicht in dieser Filiale",
        yes: "yes" | "ja",
        no: "no" | "nein",
        steps_question: "Where does {subject} stand?" | "Wo steht {subject}?",
        count_question: "The records come to {n} pieces. How many are on the shelf?" | "Die Bücher kommen auf {n} Stück. Wie viele liegen im Fach?",
        counted: "Pieces counted" | "Gezählte Stück",
        why: "Reason" | "Grund",
        why_hint: "counted twice, delivery P-0871 was not booked" | "zweimal gezählt, Lieferung P-0871 war nicht gebucht",
        settle_count: "Bring the shelf in line" | "Bestand angleichen",
        wrong_count: "Write a whole number from 0. Nothing was booked." | "Eine ganze Zahl ab 0 schreiben. Nichts wurde gebucht.",
        wrong_reason: "Say why, as in “counted twice”. Nothing was booked." | "Bitte den Grund nennen, zum Beispiel „zweimal gezählt“. Nichts wurde gebucht.",
        wrong_value: "This cannot stand there. Nothing was saved." | "Das kann dort nicht stehen. Nichts wurde gesichert.",
        not_settled: "It could not be settled. Nothing was saved." | "Es ließ sich nicht entscheiden. Nichts wurde gesichert.",
        since: "since {at}, for {age}" | "seit {at}, seit {age}",
        lately: "Settled lately" | "Zuletzt entschieden",
        take_back: "Take back" | "Zurücknehmen",
        settled_by: "{who}, {at}" | "{who}, {at}",
        undo: "Undo" | "Rückgängig",
        done: "Settled." | "Entschieden.",
        done_undone: "Taken back: the field shows what it showed before." | "Zurückgenommen: Das Feld zeigt, was es vorher zeigte.",
        done_reopened: "Taken back: it waits for a decision again." | "Zurückgenommen: Es wartet wieder auf eine Entscheidung.",
        gone: "It was settled meanwhile." | "Es wurde inzwischen entschieden.",
        customer_document: "Customer" | "Kunde",
        stock_document: "Part’s settings" | "Einstellungen eines Teils",
        view_only: "Your role may look, not settle." | "Diese Rolle darf ansehen, nicht entscheiden.",
    }
}

web_kit::catalogue! {
    /// Fields of documents.
    struct FieldTexts {
        diagnosis: "Diagnosis" | "Diagnose",
        fault: "Fault" | "Fehler",
        category: "Kind" | "Art",
        brand: "Brand" | "Marke",
        model: "Model" | "Modell",
        serial: "Serial" | "Seriennummer",
        accessories: "Left with us" | "Dagelassen",
        condition: "Condition" | "Zustand",
        promised_at: "Promised" | "Zugesagt",
        technician: "Technician" | "Techniker",
        urgent: "Urgent" | "Eilig",
        terms_at: "Terms accepted" | "Bedingungen angenommen",
        outcome: "Outcome" | "Ergebnis",
        customer: "Customer" | "Kunde",
        name: "Name" | "Name",
        phone: "Phone" | "Telefon",
        email: "E-mail" | "E-Mail",
        address: "Address" | "Anschrift",
        language: "Language" | "Sprache",
        note: "Note" | "Notiz",
        consent: "Consent" | "Einwilligung",
        bin: "Bin" | "Fach",
        reorder_point: "Reorder point" | "Meldebestand",
        barcodes: "Barcode" | "Barcode",
        text: "Text of a line" | "Text einer Zeile",
        quantity: "Quantity of a line" | "Anzahl einer Zeile",
        unit_minor: "Price of a line" | "Preis einer Zeile",
        tax_bp: "Tax rate of a line" | "Steuersatz einer Zeile",
        answer: "Answer to an estimate" | "Antwort auf einen Kostenvoranschlag",
    }
}

/// A field's name for people; of a field that has none its path.
fn field_words(t: &FieldTexts, path: &[String]) -> String {
    let named = path.iter().rev().find_map(|key| {
        FieldTexts::ALL
            .iter()
            .find(|(name, ..)| name == key)
            .map(|(_, english, german)| {
                // The two catalogues have the same parts, so the first tells which language this is.
                if t.diagnosis == FieldTexts::ENGLISH.diagnosis {
                    *english
                } else {
                    *german
                }
            })
    });
    named.map_or_else(|| path.join(" / "), str::to_owned)
}

/// One of several versions, side by side.
struct Version {
    key: String,
    label: String,
    who: String,
    place: String,
    when: String,
    runs: Vec<Run>,
    keep: String,
    choice: String,
    is_shown: bool,
}

/// A field with several versions.
struct FieldItem {
    has_keys: bool,
    id: String,
    key: String,
    href: Option<String>,
    subject: String,
    field: String,
    versions: Vec<Version>,
    can_join: bool,
    can_write: bool,
    written: String,
    wrong: Option<&'static str>,
}

/// Steps of an order that contradict each other.
struct StepItem {
    has_keys: bool,
    id: String,
    key: String,
    order: String,
    subject: String,
    question: String,
    since: String,
    versions: Vec<Version>,
}

/// A shelf to count.
struct CountItem {
    id: String,
    key: String,
    href: String,
    subject: String,
    question: String,
    since: String,
    counted: String,
    reason: String,
    wrong_count: Option<&'static str>,
    wrong_reason: Option<&'static str>,
}

enum Item {
    Field(FieldItem),
    Steps(StepItem),
    Count(CountItem),
}

struct SettledRow {
    id: String,
    key: String,
    subject: String,
    field: String,
    by: String,
}

/// What was done, with the form that takes it back.
struct Done {
    words: &'static str,
    undo: Option<(String, String)>,
}

#[derive(Template)]
#[template(path = "decisions/page.html", blocks = ["decisions"])]
struct DecisionsPage<'a> {
    t: &'a DecisionTexts,
    title: String,
    items: Vec<Item>,
    settled: Vec<SettledRow>,
    may_settle: bool,
    wrong: Option<&'static str>,
    done: Option<Done>,
}

/// What the address says after something was done. Ids only.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct DoneQuery {
    #[serde(default)]
    settled: String,
    #[serde(default)]
    done: String,
    #[serde(default)]
    undone: String,
}

/// What was refused, to be shown at its item again.
#[derive(Default)]
struct Refused {
    id: String,
    key: String,
    typed: Vec<String>,
    field: Option<&'static str>,
    reason: Option<&'static str>,
    above: Option<&'static str>,
}

impl Refused {
    fn status(&self) -> StatusCode {
        if self.id.is_empty() {
            StatusCode::OK
        } else {
            StatusCode::UNPROCESSABLE_ENTITY
        }
    }
}

/// The page, or its items alone when htmx refreshes them.
pub(crate) async fn list(
    State(state): State<EdgeState>,
    who: May<may::ExceptionsRead>,
    asked: PageRequest,
    ApiQuery(query): ApiQuery<DoneQuery>,
) -> Result<Response, Problem> {
    show(&state, &who, asked, query, Refused::default()).await
}

struct Data {
    decisions: Vec<Decision>,
    conflicts: Vec<Conflict>,
    settled: Vec<SettledConflict>,
    branches: BTreeMap<String, String>,
    people: BTreeMap<String, String>,
}

async fn show(
    state: &EdgeState,
    who: &Caller,
    asked: PageRequest,
    query: DoneQuery,
    refused: Refused,
) -> Result<Response, Problem> {
    let actor = who.actor();
    let read = state.store().read(move |reader| {
        let branches = catalogue::branches(reader)?;
        let people = staff::list(reader, &actor)?;
        Ok(Data {
            decisions: decision::decisions(reader, &actor)?.items,
            conflicts: decision::conflicts(reader, &actor)?.items,
            settled: decision::settled(reader, &actor, SETTLED)?,
            branches: branches
                .into_iter()
                .map(|(_, row)| (row.code, row.name))
                .collect(),
            people: people
                .into_iter()
                .map(|entry| (entry.id.to_string(), entry.name))
                .collect(),
        })
    });
    let data = read.await?;
    let view = View::of(state, who).await?;
    let t = DecisionTexts::of(view.language());
    let open = (data.decisions.len() + data.conflicts.len()) as u64;
    let key = || state.form_key().to_string();
    let mut items = Vec::new();
    for decision in &data.decisions {
        items.push(of_decision(decision, &view, key(), &refused));
    }
    for conflict in &data.conflicts {
        items.push(Item::Field(of_conflict(
            conflict,
            &data,
            &view,
            key(),
            &refused,
        )));
    }
    give_keys(&mut items);
    let settled = data
        .settled
        .iter()
        .map(|row| settled_row(row, &view, key()))
        .collect();
    let content = DecisionsPage {
        t,
        title: plural(open, t.one, t.many),
        items,
        settled,
        may_settle: who.may(Permission::ExceptionsSettle),
        wrong: refused.above,
        done: done(&query, t, key()),
    };
    let head = super::sync::head(&view, open, DECISIONS)?;
    if asked.is_fragment() {
        let views = head.partial("#sync-views", "outerMorph");
        return Ok(html(
            SafeHtml::render(&content.as_decisions())?.then(&views),
        ));
    }
    let mut content = Content::new(t.title, SafeHtml::render(&content)?).head(head);
    content.modules = &["js/done.js"];
    let page = frame(state, who, &view, SYNC).await?.render(&content)?;
    Ok(html_with_status(refused.status(), page))
}

/// Keys choose among the versions of the first item that has versions.
fn give_keys(items: &mut [Item]) {
    for item in items {
        match item {
            Item::Field(field) => field.has_keys = true,
            Item::Steps(steps) => steps.has_keys = true,
            Item::Count(_) => continue,
        }
        return;
    }
}

fn done(query: &DoneQuery, t: &DecisionTexts, key: String) -> Option<Done> {
    let id = domain::id::parse_uuid(&query.settled)
        .ok()
        .map(|bytes| domain::id::IdBytes(&bytes).to_string());
    let undo = |what: &str| {
        id.as_ref()
            .map(|id| (format!("{DECISIONS}/{what}/{id}/undo"), key.clone()))
    };
    match (query.done.as_str(), query.undone.as_str()) {
        ("field", _) => Some(Done {
            words: t.done,
            undo: undo("conflicts"),
        }),
        ("steps", _) => Some(Done {
            words: t.done,
            undo: undo("orders"),
        }),
        ("count", _) => Some(Done {
            words: t.done,
            undo: None,
        }),
        ("gone", _) => Some(Done {
            words: t.gone,
            undo: None,
        }),
        (_, "field") => Some(Done {
            words: t.done_undone,
            undo: None,
        }),
        (_, "steps") => Some(Done {
            words: t.done_reopened,
            undo: None,
        }),
        _ => None,
    }
}

fn letter(at: usize) -> String {
    u8::try_from(at)
        .ok()
        .filter(|at| *at < 26)
        .map_or_else(String::new, |at| char::from(b'a' + at).to_string())
}

fn of_decision(decision: &Decision, view: &View, key: String, refused: &Refused) -> Item {
    let t = DecisionTexts::of(view.language());
    let since = fill(
        t.since,
        &[
            ("at", &view.clock.when(decision.since.0)),
            ("age", &view.clock.age(decision.since.0)),
        ],
    );
    let is_refused = refused.id == decision.id;
    let key = if is_refused { refused.key.clone() } else { key };
    if let Some(on_hand) = decision.on_hand {
        let typed = |at: usize| {
            let typed = is_refused.then(|| refused.typed.get(at).cloned());
            typed.flatten().unwrap_or_default()
        };
        return Item::Count(CountItem {
            id: decision.id.clone(),
            key,
            href: part_href(&decision.subject),
            subject: decision.subject.clone(),
            question: fill(t.count_question, &[("n", &view.clock.number(on_hand))]),
            since,
            counted: typed(0),
            reason: typed(1),
            wrong_count: refused.field.filter(|_| is_refused),
            wrong_reason: refused.reason.filter(|_| is_refused),
        });
    }
    let step = |(at, choice): (usize, &decision::Choice)| {
        let status = choice
            .status
            .map_or("", |status| texts::status(view.language(), status));
        let outcome = choice
            .outcome
            .map(|outcome| format!(", {}", texts::outcome(view.language(), outcome)))
            .unwrap_or_default();
        let letter = letter(at);
        Version {
            label: fill(t.version, &[("key", &letter.to_uppercase())]),
            who: choice
                .staff_name
                .clone()
                .unwrap_or_else(|| t.system.to_owned()),
            place: String::new(),
            when: choice
                .at
                .map_or_else(String::new, |at| view.clock.when(at.0)),
            runs: vec![Run {
                text: format!("{status}{outcome}"),
                is_own: false,
            }],
            keep: t.keep_this.to_owned(),
            choice: choice.choice.clone(),
            is_shown: false,
            key: letter,
        }
    };
    Item::Steps(StepItem {
        has_keys: false,
        id: decision.id.clone(),
        key,
        order: decision.subject_id.clone(),
        subject: decision.subject.clone(),
        question: fill(t.steps_question, &[("subject", &decision.subject)]),
        since,
        versions: decision.choices.iter().enumerate().map(step).collect(),
    })
}

fn of_conflict(
    conflict: &Conflict,
    data: &Data,
    view: &View,
    key: String,
    refused: &Refused,
) -> FieldItem {
    let t = DecisionTexts::of(view.language());
    let is_refused = refused.id == conflict.id;
    let texts: Vec<String> = conflict
        .values
        .iter()
        .map(|rival| value_words(&conflict.path, rival, data, view))
        .collect();
    let last = conflict.values.len().saturating_sub(1);
    let version = |(at, rival): (usize, &Rival)| {
        let other = texts
            .iter()
            .enumerate()
            .find(|(there, _)| *there != at)
            .map_or("", |(_, text)| text.as_str());
        let (place, keep) = place_words(rival.place.as_deref(), &data.branches, t);
        Version {
            label: fill(t.version, &[("key", &rival.key.to_uppercase())]),
            key: rival.key.clone(),
            who: rival
                .staff_name
                .clone()
                .unwrap_or_else(|| t.system.to_owned()),
            place,
            when: rival
                .at
                .map_or_else(String::new, |at| view.clock.when(at.0)),
            runs: runs(&texts[at], other),
            keep,
            choice: rival.key.clone(),
            is_shown: at == last,
        }
    };
    let is_text = conflict.values.iter().all(|rival| rival.value.is_string());
    let is_written_word = |key: &String| {
        matches!(
            key.as_str(),
            "outcome" | "technician" | "customer" | "answer" | "language"
        )
    };
    let is_free = is_text && !conflict.path.iter().any(is_written_word);
    let (href, subject) = match conflict.kind {
        DocumentKind::Order => (
            Some(format!("{ORDERS}/{}", conflict.document_id)),
            conflict.number.clone().unwrap_or_default(),
        ),
        DocumentKind::Customer => (None, t.customer_document.to_owned()),
        DocumentKind::Inventory => (None, t.stock_document.to_owned()),
    };
    FieldItem {
        has_keys: false,
        id: conflict.id.clone(),
        key: if is_refused { refused.key.clone() } else { key },
        href,
        subject,
        field: field_words(FieldTexts::of(view.language()), &conflict.path),
        versions: conflict.values.iter().enumerate().map(version).collect(),
        can_join: is_free,
        can_write: is_free,
        written: match refused.typed.first() {
            Some(typed) if is_refused => typed.clone(),
            _ => texts.last().cloned().unwrap_or_default(),
        },
        wrong: refused.field.filter(|_| is_refused),
    }
}

/// Where a version was written, and how the button names it.
fn place_words(
    place: Option<&str>,
    branches: &BTreeMap<String, String>,
    t: &DecisionTexts,
) -> (String, String) {
    match place {
        None => (t.unknown_place.to_owned(), t.keep_this.to_owned()),
        Some("hub") => (t.at_hub.to_owned(), fill(t.keep, &[("place", &t.of_hub)])),
        Some(code) => {
            let name = branches.get(code).map_or(code, String::as_str);
            let whose = fill(t.of_branch, &[("branch", &name)]);
            (
                fill(t.at_branch, &[("branch", &name)]),
                fill(t.keep, &[("place", &whose)]),
            )
        }
    }
}

fn value_words(path: &[String], rival: &Rival, data: &Data, view: &View) -> String {
    let t = DecisionTexts::of(view.language());
    let field = path.last().map_or("", String::as_str);
    match &rival.value {
        Value::Null => t.sealed.to_owned(),
        Value::Bool(true) => t.yes.to_owned(),
        Value::Bool(false) => t.no.to_owned(),
        Value::Number(number) => match number.as_i64() {
            Some(at_ms) if field.ends_with("_at") => {
                format!("{}, {}", view.clock.day(at_ms), view.clock.hour(at_ms))
            }
            Some(n) => view.clock.number(n),
            None => number.to_string(),
        },
        Value::String(text) if text.is_empty() => t.empty_value.to_owned(),
        Value::String(text) if field == "technician" => {
            data.people.get(text).unwrap_or(text).clone()
        }
        Value::String(text) if field == "outcome" => text
            .parse()
            .map(|outcome| texts::outcome(view.language(), outcome).to_owned())
            .unwrap_or_else(|_| text.clone()),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn settled_row(row: &SettledConflict, view: &View, key: String) -> SettledRow {
    let t = DecisionTexts::of(view.language());
    let who = row.staff_name.as_deref().unwrap_or(t.system);
    SettledRow {
        id: row.id.clone(),
        key,
        subject: row.number.clone().unwrap_or_default(),
        field: field_words(FieldTexts::of(view.language()), &row.path),
        by: fill(
            t.settled_by,
            &[("who", &who), ("at", &view.clock.when(row.at.0))],
        ),
    }
}

/// How a decision is settled, as typed.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct SettleForm {
    #[serde(default)]
    choice: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    order: String,
}

/// Settles a decision.
pub(crate) async fn settle(
    State(state): State<EdgeState>,
    who: May<may::ExceptionsSettle>,
    ApiPath(id): ApiPath<DocumentId>,
    PageForm { fields, request }: PageForm<SettleForm>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let t = DecisionTexts::of(view.language());
    let of_steps = !fields.order.is_empty();
    let mut refused = Refused {
        id: id.to_string(),
        key: request.key.clone().unwrap_or_default(),
        typed: vec![fields.choice.clone(), fields.reason.clone()],
        ..Refused::default()
    };
    if !of_steps && fields.reason.trim().is_empty() {
        refused.reason = Some(t.wrong_reason);
        return show(
            &state,
            &who,
            PageRequest::Full,
            DoneQuery::default(),
            refused,
        )
        .await;
    }
    let input = SettleInput {
        choice: fields.choice,
        reason: fields.reason,
    };
    let write = answered(&state, &who, request, StatusCode::OK, move |tx, actor| {
        decision::settle(tx, actor, &id.to_string(), &input)
    });
    match write.await {
        Ok(_) if of_steps => Ok(to(&format!(
            "done=steps&settled={}",
            safe_id(&fields.order)
        ))),
        Ok(_) => Ok(to("done=count")),
        Err(AppError::NotFound { .. }) => Ok(to("done=gone")),
        Err(AppError::Invalid(problems)) => {
            for problem in &problems {
                match problem.pointer.as_str() {
                    "/choice" if !of_steps => refused.field = Some(t.wrong_count),
                    "/reason" => refused.reason = Some(t.wrong_reason),
                    _ => refused.above = Some(t.not_settled),
                }
            }
            show(
                &state,
                &who,
                PageRequest::Full,
                DoneQuery::default(),
                refused,
            )
            .await
        }
        Err(error) => Err(error.into()),
    }
}

/// How a conflict is settled, as typed.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct ResolveForm {
    #[serde(default)]
    keep: String,
    #[serde(default)]
    value: String,
}

/// Settles a conflict: keeps a version, both, or what was written instead.
pub(crate) async fn resolve(
    State(state): State<EdgeState>,
    who: May<may::ExceptionsSettle>,
    ApiPath(id): ApiPath<DocumentId>,
    PageForm { fields, request }: PageForm<ResolveForm>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let t = DecisionTexts::of(view.language());
    let mut refused = Refused {
        id: id.to_string(),
        key: request.key.clone().unwrap_or_default(),
        typed: vec![fields.value.clone()],
        ..Refused::default()
    };
    let is_written = fields.keep == "written";
    let input = ResolveInput {
        keep: fields.keep,
        // A browser ends lines by CR LF; the field's text has LF.
        value: is_written.then(|| Value::String(fields.value.replace("\r\n", "\n"))),
    };
    let write = answered(&state, &who, request, StatusCode::OK, move |tx, actor| {
        decision::resolve(tx, actor, &id.to_string(), &input)
    });
    match write.await {
        Ok(_) => Ok(to(&format!("done=field&settled={id}"))),
        Err(AppError::NotFound { .. }) => Ok(to("done=gone")),
        Err(AppError::Invalid(_) | AppError::Conflict { .. }) => {
            if is_written {
                refused.field = Some(t.wrong_value);
            } else {
                refused.above = Some(t.not_settled);
            }
            show(
                &state,
                &who,
                PageRequest::Full,
                DoneQuery::default(),
                refused,
            )
            .await
        }
        Err(error) => Err(error.into()),
    }
}

/// Takes the settlement of a conflict back.
pub(crate) async fn undo(
    State(state): State<EdgeState>,
    who: May<may::ExceptionsSettle>,
    ApiPath(id): ApiPath<DocumentId>,
    PageForm { request, .. }: PageForm<super::sync::NoFields>,
) -> Result<Response, Problem> {
    let write = answered(&state, &who, request, StatusCode::OK, move |tx, actor| {
        decision::undo(tx, actor, &id.to_string())
    });
    match write.await {
        Ok(_) => Ok(to("undone=field")),
        Err(AppError::NotFound { .. }) => Ok(to("done=gone")),
        Err(error) => Err(error.into()),
    }
}

/// Takes the last step of an order back, which settled its contradiction.
pub(crate) async fn undo_step(
    State(state): State<EdgeState>,
    who: May<may::OrdersMove>,
    ApiPath(id): ApiPath<DocumentId>,
    PageForm { request, .. }: PageForm<super::sync::NoFields>,
) -> Result<Response, Problem> {
    let write = answered(&state, &who, request, StatusCode::OK, move |tx, actor| {
        order::status::undo(tx, actor, id, &IfMatch::default(), UndoInput::default())
    });
    match write.await {
        Ok(_) => Ok(to("undone=steps")),
        Err(AppError::NotFound { .. }) => Ok(to("done=gone")),
        Err(error) => Err(error.into()),
    }
}

/// Back to the page, with what was done in the address.
fn to(query: &str) -> Response {
    Redirect::to(&format!("{DECISIONS}?{query}")).into_response()
}

fn safe_id(text: &str) -> String {
    text.parse::<DocumentId>()
        .map(|id| id.to_string())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogues_are_whole() {
        for catalogue in [DecisionTexts::ALL, FieldTexts::ALL] {
            assert_eq!(web_kit::language::flaws(catalogue), Vec::<String>::new());
        }
    }

    #[test]
    fn a_field_is_named_by_its_last_known_key() {
        let path = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>();
        let german = &FieldTexts::GERMAN;
        assert_eq!(field_words(german, &path(&["device", "fault"])), "Fehler");
        assert_eq!(
            field_words(german, &path(&["device", "condition", "lid"])),
            "Zustand"
        );
        assert_eq!(field_words(german, &path(&["x", "y"])), "x / y");
    }
}
