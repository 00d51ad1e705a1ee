//! One payment: what happened, what is asked of the provider, what statements say, and what may be done.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use domain::id::{PaymentId, StaffId};
use domain::payment::{PaymentOutcome, PaymentRecord, RepaymentOutcome};
use domain::permission::Permission;
use serde::Deserialize;
use serde_json::json;
use sync_protocol::item::command as codes;
use sync_protocol::money::payment_record;
use web_kit::{ApiPath, PageForm, PageRequest, Problem, SafeHtml, fill, html};

use super::lines::{LineRow, line_row};
use super::outbox::{JobRow, job_row};
use super::texts::{MoneyTexts, PaymentTexts};
use super::words::{self, Look};
use super::{money, respond};
use crate::api::caller::{May, may};
use crate::api::{Caller, HubState};
use crate::app::branch::all_codes;
use crate::app::money::read::{PaymentState, StepRow, payment};
use crate::app::money::{back, settle};
use crate::app::staff::names;
use crate::web::act::{Refusal, act, done, is_refusal};
use crate::web::places::Places;
use crate::web::said::Deed;
use crate::web::view::View;
use crate::web::{MONEY_PAYMENTS, MONEY_RECEIPTS, MONEY_REFUNDS};

struct Step {
    icon: &'static str,
    tone: &'static str,
    words: String,
    detail: String,
    link: Option<String>,
    by: String,
}

struct Due {
    title: String,
    why: &'static str,
    /// What the button says; none where nobody can be asked, or the person may not.
    button: Option<String>,
    by_bank: bool,
}

#[derive(Template)]
#[template(path = "money/payment.html")]
struct Page<'a> {
    m: &'a MoneyTexts,
    t: &'a PaymentTexts,
    refresh: String,
    amount: String,
    branch: String,
    branch_href: String,
    number: Option<(String, String)>,
    refunds: Vec<(String, String)>,
    tender: &'static str,
    look: Look,
    is_called_off: bool,
    facts: Vec<(&'static str, String)>,
    reference: String,
    steps: Vec<Step>,
    jobs: Vec<JobRow>,
    lines: Vec<LineRow>,
    due: Option<Due>,
    may_ask: bool,
    key: String,
    reason: &'a str,
    refusal: &'a Refusal,
    problems: Vec<String>,
}

/// The page, or its work alone when a script asks again.
pub(crate) async fn show(
    State(state): State<HubState>,
    who: May<may::MoneyRead>,
    asked: PageRequest,
    ApiPath(id): ApiPath<PaymentId>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let key = state.form_key().to_string();
    let (refusal, reason) = (Refusal::none(), "");
    let body = body(&state, &who, &view, id, (&key, reason, &refusal)).await?;
    if asked.is_fragment() {
        return Ok(html(body));
    }
    respond(&state, &who, &view, (StatusCode::OK, MONEY_PAYMENTS), body).await
}

async fn body(
    state: &HubState,
    who: &Caller,
    view: &View,
    id: PaymentId,
    (key, reason, refusal): (&str, &str, &Refusal),
) -> Result<SafeHtml, Problem> {
    let known = payment(state.hub(), &who.person, id).await?;
    let m = MoneyTexts::of(view.language());
    let t = PaymentTexts::of(view.language());
    let places = Places::of(state).await?;
    let branches = all_codes(state.hub()).await?;
    let row = &known.row;
    let amount = |minor| view.full_amount(money(minor, row.currency));
    let may_act = who.person.may(Permission::RefundsApprove);
    SafeHtml::render(&Page {
        m,
        t,
        refresh: format!("{MONEY_PAYMENTS}/{id}"),
        amount: amount(row.asked_minor),
        branch: places.name(&known.branch).to_owned(),
        branch_href: format!("{}/{}", crate::web::BRANCHES, known.branch),
        number: known
            .receipt
            .clone()
            .zip(row.receipt)
            .map(|(number, receipt)| (number, format!("{MONEY_RECEIPTS}/{receipt}"))),
        refunds: known
            .refunds
            .iter()
            .map(|(id, number)| (number.clone(), format!("{MONEY_REFUNDS}/{id}")))
            .collect(),
        tender: words::tender(view.language(), &row.tender),
        look: words::state(view.language(), &row.tender, &row.state),
        is_called_off: row.called_off && row.state != "cancelled",
        facts: vec![
            (t.asked, amount(row.asked_minor)),
            (t.came, amount(row.captured_minor)),
            (t.went_back, amount(row.repaid_minor)),
            (t.asked_at, view.clock.when(row.created_ms)),
            (t.heard, view.clock.when(row.updated_ms)),
        ],
        reference: row.reference.clone(),
        steps: steps(state, view, &known).await?,
        jobs: known
            .jobs
            .iter()
            .map(|job| job_row(view, &places, &branches, job))
            .collect(),
        lines: known
            .settlements
            .iter()
            .map(|line| line_row(view, &places, &branches, line))
            .collect(),
        due: (known.due_minor > 0).then(|| due(t, &known, &amount(known.due_minor), may_act)),
        may_ask: may_act && !known.jobs.is_empty(),
        key: key.to_owned(),
        reason,
        refusal,
        problems: refusal.above(&["reason"]),
    })
}

fn due(t: &PaymentTexts, known: &PaymentState, amount: &str, may_act: bool) -> Due {
    let twice = known.row.captured_minor > known.row.asked_minor;
    Due {
        title: fill(t.due_title, &[("amount", &amount)]),
        why: if twice { t.due_twice } else { t.due_late },
        button: (known.is_due_by_card && may_act)
            .then(|| fill(t.give_back, &[("amount", &amount)])),
        by_bank: !known.is_due_by_card,
    }
}

async fn steps(state: &HubState, view: &View, known: &PaymentState) -> Result<Vec<Step>, Problem> {
    let people: Vec<StaffId> = known.steps.iter().map(|step| step.staff).collect();
    let names = names(state.hub(), &people).await?;
    Ok(known
        .steps
        .iter()
        .filter_map(|row| step(view, known, &names, row))
        .collect())
}

fn step(
    view: &View,
    known: &PaymentState,
    names: &BTreeMap<StaffId, String>,
    row: &StepRow,
) -> Option<Step> {
    let m = MoneyTexts::of(view.language());
    let record = payment_record(row.kind, &row.body).ok()?;
    let by = names.get(&row.staff).map_or(m.the_hub, String::as_str);
    let (icon, tone, words, detail) = said(view, known, &record);
    let is_link = detail.starts_with("https://") || detail.starts_with("http://");
    Some(Step {
        icon,
        tone,
        words,
        link: is_link.then(|| detail.clone()),
        detail: if is_link { String::new() } else { detail },
        by: format!("{by}, {}", view.clock.when(row.at_ms)),
    })
}

fn said(
    view: &View,
    known: &PaymentState,
    record: &PaymentRecord,
) -> (&'static str, &'static str, String, String) {
    let t = PaymentTexts::of(view.language());
    let amount = |minor: i64| view.full_amount(money(minor, known.row.currency));
    let with = |words: &str, minor: i64| fill(words, &[("amount", &amount(minor))]);
    match record {
        PaymentRecord::Asked {
            tender,
            amount_minor,
        } => {
            let tender = words::tender(view.language(), tender.as_str());
            let words = fill(
                t.step_asked,
                &[("amount", &amount(*amount_minor)), ("tender", &tender)],
            );
            ("ask", "plain", words, String::new())
        }
        PaymentRecord::Cancelled => {
            let words = t.step_called_off.to_owned();
            ("cancel", "waiting", words, String::new())
        }
        PaymentRecord::Result(result) => {
            let (icon, tone, words) = match result.outcome {
                PaymentOutcome::Asked => {
                    let words = fill(t.step_provider, &[("n", &result.attempt)]);
                    ("link", "moving", words)
                }
                PaymentOutcome::Captured => {
                    ("check", "agreed", with(t.step_came, result.amount_minor))
                }
                PaymentOutcome::Declined => ("late", "late", t.step_declined.to_owned()),
                PaymentOutcome::Failed => ("late", "late", t.step_failed.to_owned()),
                PaymentOutcome::Cancelled => ("cancel", "waiting", t.step_cancelled.to_owned()),
            };
            (icon, tone, words, result.detail.clone())
        }
        PaymentRecord::RepaymentAsked { amount_minor, .. } => {
            let words = with(t.step_back_asked, *amount_minor);
            ("back", "plain", words, String::new())
        }
        PaymentRecord::Repayment(result) => {
            let is_wish = !result.detail.is_empty();
            let (icon, tone, words) = match result.outcome {
                RepaymentOutcome::Asked if is_wish => {
                    ("back", "moving", t.step_back_wished.to_owned())
                }
                RepaymentOutcome::Asked => ("back", "moving", t.step_back_provider.to_owned()),
                RepaymentOutcome::Repaid => {
                    ("check", "agreed", with(t.step_back, result.amount_minor))
                }
                RepaymentOutcome::Failed => ("late", "late", t.step_back_failed.to_owned()),
            };
            (icon, tone, words, result.detail.clone())
        }
    }
}

/// Nothing is typed.
#[derive(Debug, Deserialize)]
pub struct NoFields {
    #[serde(default)]
    next: String,
}

/// Has the provider asked again.
pub(crate) async fn ask_again(
    State(state): State<HubState>,
    who: May<may::RefundsApprove>,
    ApiPath(id): ApiPath<PaymentId>,
    PageForm { fields, request }: PageForm<NoFields>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let t = PaymentTexts::of(view.language());
    let person = who.person.clone();
    let answered = act(&state, &who, codes::PAYMENT, request, move |tx| {
        Box::pin(async move {
            let jobs = settle::ask_again(tx, &person, id).await?;
            Ok(done(json!({ "jobs": jobs })))
        })
    })
    .await?;
    if !answered.is_replay {
        let known = payment(state.hub(), &who.person, id).await?;
        let amount = view.full_amount(money(known.row.asked_minor, known.row.currency));
        let jobs = answered.answer.body["jobs"].as_u64().unwrap_or_default();
        let words = if jobs > 0 { t.woken } else { t.nobody_asks };
        state.said().say(&state, &who, Deed::new(amount, words));
    }
    let here = format!("{MONEY_PAYMENTS}/{id}");
    Ok(Redirect::to(web_kit::safe_next(&fields.next, &here)).into_response())
}

/// Why money goes back.
#[derive(Debug, Deserialize)]
pub struct BackFields {
    #[serde(default)]
    reason: String,
}

/// Gives back what came too much, or although it was called off.
pub(crate) async fn give_back(
    State(state): State<HubState>,
    who: May<may::RefundsApprove>,
    ApiPath(id): ApiPath<PaymentId>,
    PageForm { fields, request }: PageForm<BackFields>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let key = request.key.clone().unwrap_or_default();
    let (person, reason) = (who.person.clone(), fields.reason.clone());
    let work = act(&state, &who, codes::REFUND, request, move |tx| {
        Box::pin(async move {
            let given = back::give_back(tx, &person, id, &reason).await?;
            let said = json!({ "minor": given.amount_minor, "currency": given.currency.as_str() });
            Ok(done(said))
        })
    });
    match work.await {
        Ok(answered) => {
            if !answered.is_replay {
                let body = &answered.answer.body;
                let minor = body["minor"].as_i64().unwrap_or_default();
                let currency = body["currency"].as_str().unwrap_or_default();
                let amount = super::amount_of(&view, minor, currency);
                let t = PaymentTexts::of(view.language());
                let deed = Deed::new(amount, t.given_back);
                state.said().say(&state, &who, deed);
            }
            Ok(Redirect::to(&format!("{MONEY_PAYMENTS}/{id}")).into_response())
        }
        Err(problem) if is_refusal(&problem) => {
            let refusal = Refusal::of(&problem, view.language());
            let form = (key.as_str(), fields.reason.as_str(), &refusal);
            let body = body(&state, &who, &view, id, form).await?;
            let place = (problem.status(), MONEY_PAYMENTS);
            respond(&state, &who, &view, place, body).await
        }
        Err(problem) => Err(problem),
    }
}
