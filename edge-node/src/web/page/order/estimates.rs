//! Estimates: what the repair would cost, and what the customer said to it.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use domain::id::DocumentId;
use domain::money::Money;
use domain::order::EstimateAnswer;
use serde::Deserialize;
use serde_json::Value;
use web_kit::{ApiPath, IfMatch, PageForm, PageRequest, Problem, SafeHtml, Toast, Tone, fill};

use super::bench::Bench;
use super::desk::{Desk, Wrong};
use super::story::{WAYS, answer_words, way_words};
use super::texts::OrderPageTexts;
use crate::api::EdgeState;
use crate::api::caller::{May, may};
use crate::app::order::estimate as estimates;
use crate::app::order::form::{AnswerInput, EstimateInput};
use crate::web::ORDERS;
use crate::web::page::order::Back;
use crate::web::posted::Posted;

/// What it would cost.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct EstimateForm {
    #[serde(default)]
    amount: String,
    /// Whether it stands in for one whose answer is taken back.
    #[serde(default)]
    undo: String,
}

/// What the customer said.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct AnswerForm {
    #[serde(default)]
    answer: String,
    #[serde(default)]
    by: String,
}

/// A version.
struct Version {
    title: String,
    amount: String,
    said: String,
    tone: Option<Tone>,
    /// Where an answer is posted to, for the last version without one.
    answer_to: Option<String>,
}

#[derive(Template)]
#[template(path = "order/_estimate.html")]
struct EstimatePart<'a> {
    t: &'a OrderPageTexts,
    key: String,
    answer_key: String,
    action: String,
    amount: &'a str,
    wrong: &'a Wrong,
    versions: Vec<Version>,
    /// What a new one of the lines would come to; none while there are no lines.
    offer: Option<String>,
    /// Whether the lines say something else than the last version.
    differs: Option<String>,
    currency: String,
    ways: Vec<(&'static str, &'static str)>,
    may_write: bool,
    is_done: bool,
}

impl Desk {
    pub(super) fn estimate_part(
        &self,
        bench: &Bench,
        typed: Option<(&EstimateForm, &Wrong)>,
    ) -> Result<SafeHtml, Problem> {
        let t = self.t();
        let order = &bench.order;
        let gross = order.totals.gross;
        let has_lines = !order.lines.is_empty();
        let last = order.estimates.iter().max_by_key(|one| one.version);
        let is_new = last.is_none_or(|last| last.gross != gross);
        let none = Wrong::none();
        let amount = self.view.full_amount(gross);
        SafeHtml::render(&EstimatePart {
            t,
            key: self.key(),
            answer_key: self.key(),
            action: format!("{ORDERS}/{}/estimates", order.id),
            amount: typed.map_or("", |(form, _)| &form.amount),
            wrong: typed.map_or(&none, |(_, wrong)| wrong),
            versions: self.versions(bench),
            offer: (has_lines && is_new).then(|| fill(t.make_estimate, &[("amount", &amount)])),
            differs: (has_lines && is_new && last.is_some())
                .then(|| fill(t.lines_differ, &[("amount", &amount)])),
            currency: gross.currency.as_str().to_owned(),
            ways: WAYS.iter().map(|(name, word)| (*name, word(t))).collect(),
            may_write: self.may_write(),
            is_done: crate::app::order::is_ended(order.status) || has_lines,
        })
    }

    fn versions(&self, bench: &Bench) -> Vec<Version> {
        let t = self.t();
        let order = &bench.order;
        let newest = order.estimates.iter().map(|one| one.version).max();
        let mut versions: Vec<Version> = order
            .estimates
            .iter()
            .map(|one| {
                let (said, tone) = match one.answer {
                    None => (t.not_answered.to_owned(), None),
                    Some(answer) => {
                        let (word, tone) = answer_words(answer, t);
                        let way = one.by.as_deref().map(|by| way_words(by, t));
                        let when = one.answered_at.map(|at| self.view.clock.when(at.0));
                        let said = fill(
                            t.answered_how,
                            &[
                                ("answer", &word),
                                ("way", &way.unwrap_or_default()),
                                ("when", &when.unwrap_or_default()),
                            ],
                        );
                        (said.replace(" ,", ","), Some(tone))
                    }
                };
                let waits = one.answer.is_none() && Some(one.version) == newest;
                Version {
                    title: fill(t.estimate_version, &[("n", &one.version)]),
                    amount: self.view.full_amount(one.gross),
                    said,
                    tone,
                    answer_to: (waits && self.may_write())
                        .then(|| format!("{ORDERS}/{}/estimates/{}/answer", order.id, one.version)),
                }
            })
            .collect();
        versions.reverse();
        versions
    }
}

/// Makes the next estimate.
pub(crate) async fn make(
    State(state): State<EdgeState>,
    who: May<may::OrdersWrite>,
    asked: PageRequest,
    ApiPath(id): ApiPath<DocumentId>,
    PageForm { fields, request }: PageForm<EstimateForm>,
) -> Result<Response, Problem> {
    let desk = Desk::of(state, who.0.clone(), asked).await?;
    let before = desk.order(id).await?;
    let currency = before.totals.gross.currency;
    let gross = match fields.amount.trim() {
        "" => Ok(None),
        typed => desk
            .view
            .clock
            .read_amount(typed, currency.minor_digits())
            .filter(|amount| *amount >= 0)
            .map(|amount_minor| {
                Some(Money {
                    amount_minor,
                    currency,
                })
            })
            .ok_or_else(|| Problem::invalid_field("/gross", "This is no amount.")),
    };
    let input = gross.map(|gross| EstimateInput { gross });
    let made = desk.post(request, input, move |tx, actor, input| {
        estimates::add(tx, actor, id, &IfMatch::default(), input)
    });
    match made.await? {
        Posted::Done(answered) => {
            let versions = answered.answer.body["estimates"].as_array();
            let version = versions.map_or(0, Vec::len);
            let words = if fields.undo.is_empty() {
                desk.t().did_estimate
            } else {
                desk.t().did_ask_again
            };
            let did = fill(words, &[("n", &version)]);
            let toast = Toast::new(before.number, did);
            desk.done(id, Back::Order, Some(&toast)).await
        }
        Posted::Refused(problem) => {
            let names = [("/gross", "price")];
            desk.again(id, "estimate", &problem, &names, |bench, wrong| {
                desk.estimate_part(bench, Some((&fields, wrong)))
            })
            .await
        }
    }
}

/// Writes the customer's answer down.
pub(crate) async fn answer(
    State(state): State<EdgeState>,
    who: May<may::OrdersWrite>,
    asked: PageRequest,
    ApiPath((id, version)): ApiPath<(DocumentId, u32)>,
    PageForm { fields, request }: PageForm<AnswerForm>,
) -> Result<Response, Problem> {
    let desk = Desk::of(state, who.0.clone(), asked).await?;
    let said: EstimateAnswer = fields
        .answer
        .parse()
        .map_err(|_| Problem::invalid_field("/answer", "There is no such answer."))?;
    let input = AnswerInput {
        answer: said,
        by: fields.by.clone(),
    };
    let written = desk.post(request, Ok(input), move |tx, actor, input| {
        estimates::answer(tx, actor, id, version, &IfMatch::default(), input)
    });
    match written.await? {
        Posted::Done(answered) => {
            let (word, _) = answer_words(said, desk.t());
            let did = fill(desk.t().did_answer, &[("n", &version), ("answer", &word)]);
            let body = &answered.answer.body;
            let mut toast = Toast::new(body["number"].as_str().unwrap_or(""), did);
            // What was said stays said; taken back means that a version without an answer takes its place.
            if let Some(gross) = gross_of(body, version).filter(|_| !answered.is_replay) {
                let digits = gross.currency.minor_digits();
                let amount = desk.view.clock.amount(gross.amount_minor, digits);
                let hidden = vec![
                    ("key", desk.key()),
                    ("amount", amount),
                    ("undo", "yes".to_owned()),
                ];
                toast = toast.undo(format!("{ORDERS}/{id}/estimates"), hidden);
            }
            desk.done(id, Back::Order, Some(&toast)).await
        }
        Posted::Refused(problem) => desk.refuse(id, Back::Order, &problem).await,
    }
}

/// What the version comes to, in the answer of the use case.
fn gross_of(order: &Value, version: u32) -> Option<Money> {
    let estimates = order["estimates"].as_array()?;
    let one = estimates
        .iter()
        .rev()
        .find(|one| one["version"] == version)?;
    serde_json::from_value(one["gross"].clone()).ok()
}
