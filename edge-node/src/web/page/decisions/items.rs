//! What waits, as it is drawn: fields with their versions, steps, shelves.

use std::collections::BTreeMap;

use domain::document::DocumentKind;
use serde_json::Value;
use web_kit::differ::{Run, runs};
use web_kit::fields::field_words;
use web_kit::fill;

use super::texts::DecisionTexts;
use super::{Data, Refused};
use crate::app::decision::conflict::Rival;
use crate::app::decision::{self, Conflict, Decision, SettledConflict};
use crate::web::ORDERS;
use crate::web::page::receipts::address;
use crate::web::page::stock::part_href;
use crate::web::texts;
use crate::web::view::View;

/// One of several versions, side by side.
pub(super) struct Version {
    pub(super) key: String,
    pub(super) label: String,
    pub(super) who: String,
    pub(super) place: String,
    pub(super) when: String,
    pub(super) runs: Vec<Run>,
    pub(super) keep: String,
    pub(super) choice: String,
    pub(super) is_shown: bool,
}

/// A field with several versions.
pub(super) struct FieldItem {
    pub(super) has_keys: bool,
    pub(super) id: String,
    pub(super) key: String,
    pub(super) href: Option<String>,
    pub(super) subject: String,
    pub(super) field: String,
    pub(super) versions: Vec<Version>,
    pub(super) can_join: bool,
    pub(super) can_write: bool,
    pub(super) written: String,
    pub(super) wrong: Option<&'static str>,
}

/// Steps of an order that contradict each other.
pub(super) struct StepItem {
    pub(super) has_keys: bool,
    pub(super) id: String,
    pub(super) key: String,
    pub(super) order: String,
    pub(super) subject: String,
    pub(super) question: String,
    pub(super) since: String,
    pub(super) versions: Vec<Version>,
}

/// A shelf to count.
pub(super) struct CountItem {
    pub(super) id: String,
    pub(super) key: String,
    pub(super) href: String,
    pub(super) subject: String,
    pub(super) question: String,
    pub(super) since: String,
    pub(super) counted: String,
    pub(super) reason: String,
    pub(super) wrong_count: Option<&'static str>,
    pub(super) wrong_reason: Option<&'static str>,
}

/// Money to give back.
pub(super) struct MoneyItem {
    pub(super) id: String,
    pub(super) href: String,
    pub(super) subject: String,
    pub(super) question: String,
    pub(super) since: String,
}

pub(super) enum Item {
    Field(FieldItem),
    Steps(StepItem),
    Count(CountItem),
    Money(MoneyItem),
}

pub(super) struct SettledRow {
    pub(super) id: String,
    pub(super) key: String,
    pub(super) subject: String,
    pub(super) field: String,
    pub(super) by: String,
}

/// Keys choose among the versions of the first item that has versions.
pub(super) fn give_keys(items: &mut [Item]) {
    for item in items {
        match item {
            Item::Field(field) => field.has_keys = true,
            Item::Steps(steps) => steps.has_keys = true,
            Item::Count(_) | Item::Money(_) => continue,
        }
        return;
    }
}

fn letter(at: usize) -> String {
    u8::try_from(at)
        .ok()
        .filter(|at| *at < 26)
        .map_or_else(String::new, |at| char::from(b'a' + at).to_string())
}

pub(super) fn of_decision(
    decision: &Decision,
    view: &View,
    key: String,
    refused: &Refused,
) -> Item {
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
    if let Some(amount) = decision.amount {
        return Item::Money(MoneyItem {
            id: decision.id.clone(),
            href: address(&decision.subject),
            subject: decision.subject.clone(),
            question: fill(t.money_question, &[("amount", &view.full_amount(amount))]),
            since,
        });
    }
    let is_late = decision.kind == "late_payment";
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
                text: match (is_late, choice.choice.as_str()) {
                    (true, "reserve") => t.late_reserve.to_owned(),
                    (true, _) => t.late_otherwise.to_owned(),
                    (false, _) => format!("{status}{outcome}"),
                },
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
        question: match is_late {
            true => fill(t.late_question, &[("subject", &decision.subject)]),
            false => fill(t.steps_question, &[("subject", &decision.subject)]),
        },
        since,
        versions: decision.choices.iter().enumerate().map(step).collect(),
    })
}

pub(super) fn of_conflict(
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
        field: field_words(view.language(), &conflict.path),
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

pub(super) fn settled_row(row: &SettledConflict, view: &View, key: String) -> SettledRow {
    let t = DecisionTexts::of(view.language());
    let who = row.staff_name.as_deref().unwrap_or(t.system);
    SettledRow {
        id: row.id.clone(),
        key,
        subject: row.number.clone().unwrap_or_default(),
        field: field_words(view.language(), &row.path),
        by: fill(
            t.settled_by,
            &[("who", &who), ("at", &view.clock.when(row.at.0))],
        ),
    }
}
