//! What the tills of a branch may do: how far promises go, and what roles give back without another's word.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use domain::id::BranchId;
use domain::money::{Currency, Money};
use domain::permission::Permission;
use domain::problem::Problems;
use domain::till::TillRules;
use serde::Deserialize;
use sync_protocol::item::command as codes;
use web_kit::{Content, PageForm, Problem, SafeHtml, fill, html_with_status};

use super::{find, path_of};
use crate::api::caller::{May, may};
use crate::api::{Caller, HubState};
use crate::app::branch::BranchState;
use crate::app::error::AppError;
use crate::app::money::rules::{get, set};
use crate::web::HOME;
use crate::web::act::{Refusal, act, done, is_refusal};
use crate::web::frame::frame;
use crate::web::said::{Deed, WayBack};
use crate::web::view::View;

web_kit::catalogue! {
    /// The words of the tills' rules, on the page of the branch and on their form.
    pub(crate) struct TillTexts {
        title: "The tills" | "Die Kassen",
        change: "Change" | "Ändern",
        promises: "Promises" | "Zusagen",
        refunds: "Refunds" | "Erstattungen",
        limit: "Promised by card at most" | "Per Karte zugesagt höchstens",
        limit_hint: "While nothing is captured; then the card waits, in {currency}" | "Solange nichts abgebucht ist; dann wartet die Karte, in {currency}",
        days: "Oldest promise, in days" | "Älteste Zusage, in Tagen",
        days_hint: "0 to 365; then it is a matter for people" | "0 bis 365; danach kümmert sich jemand",
        days_n: "{n} d" | "{n} T.",
        clerk: "A clerk gives back up to" | "Die Theke erstattet bis",
        manager: "A branch manager gives back up to" | "Die Filialleitung erstattet bis",
        more_hint: "What is more waits for a word of the hub" | "Was darüber liegt, wartet auf ein Wort der Zentrale",
        reader: "A card reader stands on the counter" | "Auf der Theke steht ein Kartenleser",
        with_reader: "yes" | "ja",
        without_reader: "no, by link" | "nein, per Link",
        reader_short: "Card reader" | "Kartenleser",
        usual: "As at every branch without rules of its own." | "Wie in jeder Filiale ohne eigene Regeln.",
        cancel: "Cancel" | "Abbrechen",
        save: "Save" | "Speichern",
        refused: "Nothing was changed" | "Nichts wurde geändert",
        did: "has other rules for its tills; it hears of them as soon as its line is up" | "hat andere Regeln für ihre Kassen; sie erfährt sie, sobald ihre Leitung steht",
    }
}

/// What the page of a branch shows of its tills.
pub(crate) struct TillPart {
    pub(crate) t: &'static TillTexts,
    pub(crate) facts: Vec<(&'static str, String)>,
    pub(crate) is_usual: bool,
    pub(crate) href: Option<String>,
}

/// The rules as the page of the branch shows them.
pub(super) async fn part(
    state: &HubState,
    who: &Caller,
    view: &View,
    branch: &BranchState,
) -> Result<Option<TillPart>, Problem> {
    if !who.person.may(Permission::MoneyRead) {
        return Ok(None);
    }
    let t = TillTexts::of(view.language());
    let (version, rules) = get(state.hub(), branch.record.id).await?;
    let full = |amount_minor| {
        view.full_amount(Money {
            amount_minor,
            currency: branch.record.fields.currency,
        })
    };
    let reader = if rules.reader {
        t.with_reader
    } else {
        t.without_reader
    };
    let may_write = who.person.may(Permission::SettingsWrite);
    Ok(Some(TillPart {
        t,
        facts: vec![
            (t.limit, full(rules.promise_limit_minor)),
            (t.days, fill(t.days_n, &[("n", &rules.promise_days)])),
            (t.clerk, full(rules.refund_clerk_minor)),
            (t.manager, full(rules.refund_manager_minor)),
            (t.reader_short, reader.to_owned()),
        ],
        is_usual: version == 0,
        href: may_write.then(|| format!("{}/till-rules", path_of(branch))),
    }))
}

/// What was typed.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct TillFields {
    #[serde(default)]
    limit: String,
    #[serde(default)]
    days: String,
    #[serde(default)]
    clerk: String,
    #[serde(default)]
    manager: String,
    #[serde(default)]
    reader: String,
}

impl TillFields {
    fn of(view: &View, rules: TillRules, currency: Currency) -> Self {
        let amount = |minor| view.clock.amount(minor, currency.minor_digits());
        Self {
            limit: amount(rules.promise_limit_minor),
            days: rules.promise_days.to_string(),
            clerk: amount(rules.refund_clerk_minor),
            manager: amount(rules.refund_manager_minor),
            reader: if rules.reader { "yes" } else { "" }.to_owned(),
        }
    }

    fn read(&self, view: &View, currency: Currency) -> Result<TillRules, AppError> {
        let mut problems = Problems::new();
        let mut amount = |pointer: &str, typed: &str| {
            let read = view.clock.read_amount(typed, currency.minor_digits());
            problems.check(read.is_some(), pointer, "write digits, as in 12.90");
            read.unwrap_or_default()
        };
        let rules = TillRules {
            promise_limit_minor: amount("/promise_limit", &self.limit),
            refund_clerk_minor: amount("/refund_clerk", &self.clerk),
            refund_manager_minor: amount("/refund_manager", &self.manager),
            promise_days: self.days.trim().parse().unwrap_or(u16::MAX),
            reader: !self.reader.is_empty(),
        };
        problems.check(
            rules.promise_days <= 365,
            "/promise_days",
            "must be from 0 to 365",
        );
        let found = problems.into_vec();
        if found.is_empty() {
            Ok(rules)
        } else {
            Err(AppError::Invalid(found))
        }
    }
}

const SHOWN: [&str; 4] = [
    "promise_limit",
    "promise_days",
    "refund_clerk",
    "refund_manager",
];

#[derive(Template)]
#[template(path = "branch/till.html")]
struct Page<'a> {
    t: &'a TillTexts,
    action: String,
    back: String,
    key: &'a str,
    limit_hint: String,
    fields: &'a TillFields,
    refusal: &'a Refusal,
    problems: Vec<String>,
}

/// The form.
pub(crate) async fn form(
    State(state): State<HubState>,
    who: May<may::SettingsWrite>,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let branch = find(&state, &who, &name).await?;
    let view = View::of(&state, &who).await?;
    let (_, rules) = get(state.hub(), branch.record.id).await?;
    let fields = TillFields::of(&view, rules, branch.record.fields.currency);
    let key = state.form_key().to_string();
    let place = (StatusCode::OK, key.as_str());
    show(
        &state,
        &who,
        &view,
        &branch,
        place,
        (&fields, &Refusal::none()),
    )
    .await
}

async fn show(
    state: &HubState,
    who: &Caller,
    view: &View,
    branch: &BranchState,
    (status, key): (StatusCode, &str),
    (fields, refusal): (&TillFields, &Refusal),
) -> Result<Response, Problem> {
    let t = TillTexts::of(view.language());
    let currency = branch.record.fields.currency;
    let body = SafeHtml::render(&Page {
        t,
        action: format!("{}/till-rules", path_of(branch)),
        back: path_of(branch),
        key,
        limit_hint: fill(t.limit_hint, &[("currency", &currency.as_str())]),
        fields,
        refusal,
        problems: refusal.above(&SHOWN),
    })?;
    let title = format!("{} · {}", branch.record.fields.name, t.title);
    let page = frame(state, who, view, HOME)
        .await?
        .render(&Content::new(title, body))?;
    Ok(html_with_status(status, page))
}

/// Sets the rules of the branch's tills.
pub(crate) async fn save(
    State(state): State<HubState>,
    who: May<may::SettingsWrite>,
    Path(name): Path<String>,
    PageForm { fields, request }: PageForm<TillFields>,
) -> Result<Response, Problem> {
    let branch = find(&state, &who, &name).await?;
    let view = View::of(&state, &who).await?;
    let key = request.key.clone().unwrap_or_default();
    let id = branch.record.id;
    let (_, before) = get(state.hub(), id).await?;
    let saved = match fields.read(&view, branch.record.fields.currency) {
        Ok(rules) => {
            act(&state, &who, codes::ROWS, request, move |tx| {
                Box::pin(async move {
                    if rules != before {
                        set(tx, id, rules).await?;
                    }
                    Ok(done(serde_json::json!({ "same": rules == before })))
                })
            })
            .await
        }
        Err(error) => Err(error.into()),
    };
    match saved {
        Ok(answered) => {
            let t = TillTexts::of(view.language());
            if answered.answer.body["same"] == true {
                state.said().say(&state, &who, Deed::nothing(&view));
            } else if !answered.is_replay {
                let name = branch.record.fields.name.clone();
                let deed = Deed::new(name, t.did).back(way_back(path_of(&branch), id, before));
                state.said().say(&state, &who, deed);
            }
            Ok(Redirect::to(&path_of(&branch)).into_response())
        }
        Err(problem) if is_refusal(&problem) => {
            let refusal = Refusal::of(&problem, view.language());
            let place = (problem.status(), key.as_str());
            show(&state, &who, &view, &branch, place, (&fields, &refusal)).await
        }
        Err(problem) => Err(problem),
    }
}

fn way_back(path: String, id: BranchId, before: TillRules) -> WayBack {
    WayBack::new(Permission::SettingsWrite, codes::ROWS, path, move |tx| {
        Box::pin(async move { set(tx, id, before).await.map(drop) })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_say_the_same_things() {
        assert_eq!(
            web_kit::language::flaws(TillTexts::ALL),
            Vec::<String>::new()
        );
    }
}
