//! What is to be asked of those outside: dead letters first, then what waits and goes on by itself.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use domain::permission::Permission;
use serde::Deserialize;
use serde_json::json;
use sync_protocol::item::command as codes;
use web_kit::{PageForm, PageRequest, Problem, SafeHtml, fill, html};

use super::respond;
use super::texts::{MoneyTexts, OutboxTexts};
use crate::api::HubState;
use crate::api::caller::{May, may};
use crate::app::branch::{Codes, all_codes, code_of};
use crate::app::money::{read, settle};
use crate::store::sync::outbox::Job;
use crate::web::act::{act, done};
use crate::web::places::Places;
use crate::web::reason::said;
use crate::web::said::Deed;
use crate::web::view::View;
use crate::web::{MONEY_OUTBOX, MONEY_PAYMENTS};

/// Jobs of each list at most.
const MOST: i64 = 200;

/// A job in a list.
pub(super) struct JobRow {
    pub(super) payment: String,
    pub(super) href: String,
    pub(super) branch: String,
    pub(super) kind: &'static str,
    pub(super) icon: &'static str,
    pub(super) tone: &'static str,
    pub(super) says: String,
    pub(super) tries: String,
    pub(super) age: String,
}

/// The row of a job.
pub(super) fn job_row(view: &View, places: &Places, branches: &Codes, job: &Job) -> JobRow {
    let t = OutboxTexts::of(view.language());
    let (kind, icon) = match job.kind.as_str() {
        "cancel" => (t.cancel, "cancel"),
        "repay" => (t.repay, "back"),
        _ => (t.ask, "ask"),
    };
    let failed = !job.last_error.is_empty();
    let code = code_of(branches, job.branch);
    JobRow {
        payment: job.payment.to_string(),
        href: format!("{MONEY_PAYMENTS}/{}", job.payment),
        branch: places.name(&code).to_owned(),
        kind,
        icon,
        tone: if failed { "late" } else { "moving" },
        says: if failed {
            said(&job.last_error, view.language())
        } else {
            t.for_customer.to_owned()
        },
        tries: view.clock.number(i64::from(job.tries)),
        age: view.clock.age(job.created_ms),
    }
}

#[derive(Template)]
#[template(path = "money/outbox.html")]
struct Page<'a> {
    m: &'a MoneyTexts,
    t: &'a OutboxTexts,
    here: &'static str,
    dead: Vec<JobRow>,
    waiting: Vec<JobRow>,
    key: String,
    may_ask: bool,
}

/// The page, or its lists alone when a script asks again.
pub(crate) async fn list(
    State(state): State<HubState>,
    who: May<may::MoneyRead>,
    asked: PageRequest,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let places = Places::of(&state).await?;
    let branches = all_codes(state.hub()).await?;
    let rows = |jobs: Vec<Job>| {
        let row = |job: &Job| job_row(&view, &places, &branches, job);
        jobs.iter().map(row).collect::<Vec<JobRow>>()
    };
    let dead = read::jobs(state.hub(), &who.person, "dead", MOST).await?;
    let mut waiting = read::jobs(state.hub(), &who.person, "waiting", MOST).await?;
    // What failed first, then by age.
    waiting.sort_by_key(|job| (job.last_error.is_empty(), job.created_ms));
    let body = SafeHtml::render(&Page {
        m: MoneyTexts::of(view.language()),
        t: OutboxTexts::of(view.language()),
        here: MONEY_OUTBOX,
        dead: rows(dead),
        waiting: rows(waiting),
        key: state.form_key().to_string(),
        may_ask: who.person.may(Permission::RefundsApprove),
    })?;
    if asked.is_fragment() {
        return Ok(html(body));
    }
    respond(&state, &who, &view, (StatusCode::OK, MONEY_OUTBOX), body).await
}

/// Nothing is typed.
#[derive(Debug, Deserialize)]
pub struct NoFields {}

/// Plays every dead letter again that the person may see.
pub(crate) async fn ask_all(
    State(state): State<HubState>,
    who: May<may::RefundsApprove>,
    PageForm { fields: _, request }: PageForm<NoFields>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let person = who.person.clone();
    let jobs = read::jobs(state.hub(), &who.person, "dead", MOST).await?;
    let answered = act(&state, &who, codes::PAYMENT, request, move |tx| {
        Box::pin(async move {
            let mut payments: Vec<_> = jobs.iter().map(|job| job.payment).collect();
            payments.sort_unstable();
            payments.dedup();
            for payment in payments {
                settle::ask_again(tx, &person, payment).await?;
            }
            Ok(done(json!({ "jobs": jobs.len() })))
        })
    })
    .await?;
    if !answered.is_replay {
        let t = OutboxTexts::of(view.language());
        let jobs = answered.answer.body["jobs"].as_u64().unwrap_or_default();
        let words = fill(t.all_woken, &[("n", &view.count(jobs))]);
        state.said().say(&state, &who, Deed::new(words, ""));
    }
    Ok(Redirect::to(MONEY_OUTBOX).into_response())
}
