//! The time line of an order: what happened, with who, where and when, each day named once.

use std::collections::BTreeMap;

use domain::id::StaffId;
use domain::order::{EstimateAnswer, Status};
use web_kit::{Tone, fill};

use super::texts::OrderPageTexts;
use crate::app::order::history::{Entry, Place, What};
use crate::web::texts as words;
use crate::web::view::View;

/// Something that happened, as the template shows it.
pub(super) struct Step {
    pub(super) day: Option<String>,
    pub(super) icon: &'static str,
    pub(super) tone: Option<Tone>,
    pub(super) text: String,
    pub(super) is_quote: bool,
    pub(super) is_out: bool,
    pub(super) by: String,
}

/// The steps, newest first.
pub(super) fn steps(
    entries: &[Entry],
    names: &BTreeMap<StaffId, String>,
    view: &View,
) -> Vec<Step> {
    let t = OrderPageTexts::of(view.language());
    let today = view.clock.day(view.clock.now_ms());
    let mut last = String::new();
    let step = |entry: &Entry| {
        let day = view.clock.day(entry.at_ms);
        let is_new = day != last;
        last.clone_from(&day);
        let (icon, tone, text) = told(&entry.what, t, names, view);
        Step {
            day: is_new.then(|| {
                if day == today {
                    t.today.to_owned()
                } else {
                    day
                }
            }),
            icon,
            tone,
            text,
            is_quote: matches!(entry.what, What::Noted(_)),
            is_out: matches!(
                entry.what,
                What::Moved {
                    is_undone: true,
                    ..
                }
            ),
            by: by(entry, t, names, view),
        }
    };
    entries.iter().map(step).collect()
}

fn by(entry: &Entry, t: &OrderPageTexts, names: &BTreeMap<StaffId, String>, view: &View) -> String {
    let name = entry.staff.and_then(|id| names.get(&id));
    let place = match &entry.place {
        Place::Here => t.place_here.to_owned(),
        Place::Hub => t.place_hub.to_owned(),
        Place::Branch(code) => fill(t.place_branch, &[("code", code)]),
        Place::Unknown => String::new(),
    };
    let hour = view.clock.hour(entry.at_ms);
    let name = name.map_or(t.system, String::as_str);
    if place.is_empty() {
        format!("{hour} {name}")
    } else {
        format!("{hour} {name}, {place}")
    }
}

/// Icon, meaning and words.
fn told(
    what: &What,
    t: &OrderPageTexts,
    names: &BTreeMap<StaffId, String>,
    view: &View,
) -> (&'static str, Option<Tone>, String) {
    let language = view.language();
    match what {
        What::Moved { to, outcome, .. } => {
            let tone = match to {
                Status::Ready | Status::Collected => Some(Tone::Agreed),
                _ => None,
            };
            let mut text = words::status(language, *to).to_owned();
            if let Some(outcome) = outcome {
                text.push_str(": ");
                text.push_str(words::outcome(language, *outcome));
            }
            (super::status_icon(*to), tone, text)
        }
        What::TakenBack => ("undo", None, t.taken_back.to_owned()),
        What::Noted(text) => ("note", None, text.clone()),
        What::Line { text, quantity } => (
            "plus",
            None,
            fill(t.line_added, &[("text", text), ("n", quantity)]),
        ),
        What::Used { text, quantity } => (
            "check",
            Some(Tone::Agreed),
            fill(t.line_used_up, &[("text", text), ("n", quantity)]),
        ),
        What::PutBack { text, quantity } => (
            "undo",
            None,
            fill(t.line_put_back, &[("text", text), ("n", quantity)]),
        ),
        What::Estimated { version, gross } => {
            let amount = view.full_amount(*gross);
            let text = fill(t.estimated, &[("n", version), ("amount", &amount)]);
            ("money", None, text)
        }
        What::Answered {
            version,
            answer,
            by,
        } => {
            let (said, tone) = answer_words(*answer, t);
            let way = way_words(by, t);
            let text = fill(
                t.estimate_answered,
                &[("n", version), ("answer", &said), ("way", &way)],
            );
            ("ask", Some(tone), text.trim_end().to_owned())
        }
        What::Diagnosed => ("probe", None, t.diagnosed.to_owned()),
        What::Promised(Some(at_ms)) => {
            let when = view.clock.when(*at_ms);
            ("clock", None, fill(t.promised_anew, &[("when", &when)]))
        }
        What::Promised(None) => ("clock", None, t.promise_gone.to_owned()),
        What::Assigned(Some(id)) => {
            let name = names.get(id).map_or(t.system, String::as_str);
            ("person", None, fill(t.assigned, &[("name", &name)]))
        }
        What::Assigned(None) => ("person", None, t.unassigned.to_owned()),
    }
}

pub(super) fn answer_words(answer: EstimateAnswer, t: &OrderPageTexts) -> (&'static str, Tone) {
    match answer {
        EstimateAnswer::Approved => (t.approved, Tone::Agreed),
        EstimateAnswer::Declined => (t.declined, Tone::Late),
    }
}

/// By what way an answer came: our own names are translated, other words stay as they were written.
pub(super) fn way_words(by: &str, t: &OrderPageTexts) -> String {
    let known = WAYS
        .iter()
        .find(|(name, _)| *name == by)
        .map(|(_, word)| word(t));
    known.unwrap_or(by).to_owned()
}

type Word = fn(&OrderPageTexts) -> &'static str;

/// The ways that the page offers, as they are stored, and their words.
pub(super) const WAYS: [(&str, Word); 4] = [
    ("by phone", |t| t.by_phone),
    ("at the counter", |t| t.at_counter),
    ("by e-mail", |t| t.by_email),
    ("by message", |t| t.by_message),
];
