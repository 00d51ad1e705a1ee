//! Lines of providers' statements: those that belong to no payment first, each to be matched by a person with a reason.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use domain::payment::Provider;
use domain::permission::Permission;
use serde::Deserialize;
use sync_protocol::item::command as codes;
use web_kit::{ApiQuery, Cursor, ListQuery, PageForm, PageRequest, Problem, SafeHtml, fill, html};

use super::texts::{LineTexts, MoneyTexts};
use super::{money, respond};
use crate::api::caller::{May, may};
use crate::api::{Caller, HubState};
use crate::app::branch::{Codes, code_of};
use crate::app::error::AppError;
use crate::app::money::statement::{
    Fitting, LinePlace, Lines, SettlementRow, amount_of, lines, named_payment,
};
use crate::app::reconcile::{Match, match_line};
use crate::web::act::{Refusal, act, address, done, is_refusal};
use crate::web::list::Pager;
use crate::web::places::Places;
use crate::web::said::Deed;
use crate::web::view::View;
use crate::web::{BANK_FILE, MATCH_LINE, MONEY_PAYMENTS, MONEY_SETTLEMENTS};

const LIST: &str = "statement lines page";
const ROWS: u32 = 50;
/// Lines without a payment on the first page at most.
const UNMATCHED: i64 = 100;

/// A line in a list.
pub(super) struct LineRow {
    pub(super) provider: &'static str,
    pub(super) provider_name: String,
    pub(super) reference: String,
    pub(super) kind: &'static str,
    pub(super) branch: String,
    pub(super) when: String,
    pub(super) amount: String,
    pub(super) fee: String,
    pub(super) is_no_fee: bool,
    pub(super) payout: String,
    pub(super) payment: Option<(String, String)>,
    pub(super) reason: String,
    /// Numbers of receipts whose payments would fit.
    pub(super) fits: Vec<String>,
}

/// The row of a line.
pub(super) fn line_row(
    view: &View,
    places: &Places,
    branches: &Codes,
    line: &SettlementRow,
) -> LineRow {
    let t = LineTexts::of(view.language());
    let m = MoneyTexts::of(view.language());
    let code = code_of(branches, line.branch);
    let full = |minor| view.full_amount(money(minor, line.currency));
    LineRow {
        provider: if line.provider == "bank" {
            t.bank
        } else {
            t.stripe
        },
        kind: match line.kind.as_str() {
            "charge" => t.charge,
            "refund" => t.refund,
            "fee" => t.fee_line,
            "payout" => t.payout_line,
            _ => t.adjustment,
        },
        branch: if code.is_empty() {
            m.whole_chain.to_owned()
        } else {
            places.name(&code).to_owned()
        },
        when: view.clock.when(line.settled_ms),
        amount: full(line.amount_minor),
        fee: full(line.fee_minor),
        is_no_fee: line.fee_minor == 0,
        payout: line.payout.clone(),
        payment: line.payment.map(|payment| {
            let id = payment.to_string();
            let short = id.get(..8).unwrap_or_default().to_owned();
            (short, format!("{MONEY_PAYMENTS}/{id}"))
        }),
        reason: line.match_reason.clone(),
        fits: Vec::new(),
        provider_name: line.provider.clone(),
        reference: line.reference.clone(),
    }
}

/// Which lines.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct LinesQuery {
    #[serde(default)]
    cursor: String,
}

#[derive(Template)]
#[template(path = "money/lines.html")]
struct Page<'a> {
    m: &'a MoneyTexts,
    t: &'a LineTexts,
    refresh: String,
    action: &'static str,
    file: Option<&'static str>,
    unmatched: Vec<LineRow>,
    settled: Vec<LineRow>,
    is_first: bool,
    may_match: bool,
    key: String,
    problems: Vec<String>,
    pager: Pager,
}

/// The page, or its lists alone when a script asks again.
pub(crate) async fn list(
    State(state): State<HubState>,
    who: May<may::MoneyRead>,
    asked: PageRequest,
    ApiQuery(query): ApiQuery<LinesQuery>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let body = body(&state, &who, &view, &query, Vec::new()).await?;
    if asked.is_fragment() {
        return Ok(html(body));
    }
    respond(
        &state,
        &who,
        &view,
        (StatusCode::OK, MONEY_SETTLEMENTS),
        body,
    )
    .await
}

async fn body(
    state: &HubState,
    who: &Caller,
    view: &View,
    query: &LinesQuery,
    problems: Vec<String>,
) -> Result<SafeHtml, Problem> {
    let m = MoneyTexts::of(view.language());
    let page = ListQuery {
        limit: ROWS,
        cursor: Some(query.cursor.clone()),
    };
    let place = page.after::<LinePlace>(LIST)?;
    let limits = (UNMATCHED, i64::from(ROWS) + 1);
    let mut found = lines(state.hub(), &who.person, place.as_ref(), limits).await?;
    let settled = std::mem::take(&mut found.settled);
    let cut = web_kit::Page::cut(settled, ROWS, |last: &SettlementRow| {
        let place = (last.settled_ms, &last.provider, &last.reference);
        Cursor::encode(LIST, &place)
    });
    let places = Places::of(state).await?;
    let here = |cursor: &str| address(MONEY_SETTLEMENTS, &[("cursor", cursor)]);
    SafeHtml::render(&Page {
        m,
        t: LineTexts::of(view.language()),
        refresh: here(&query.cursor),
        action: MATCH_LINE,
        file: who
            .person
            .may(Permission::RefundsApprove)
            .then_some(BANK_FILE),
        unmatched: unmatched(view, &places, &found),
        settled: cut
            .items
            .iter()
            .map(|line| line_row(view, &places, &found.codes, line))
            .collect(),
        is_first: place.is_none(),
        may_match: who.person.may(Permission::NightMend),
        key: state.form_key().to_string(),
        problems,
        pager: Pager {
            first: (!query.cursor.is_empty()).then(|| here("")),
            next: cut.next_cursor.map(|next| here(&next)),
            first_words: m.newest,
            next_words: m.older,
        },
    })
}

fn unmatched(view: &View, places: &Places, found: &Lines) -> Vec<LineRow> {
    let row = |line: &SettlementRow| {
        let tender = if line.provider == "bank" {
            "bank"
        } else {
            "card"
        };
        let fits = |(one, _): &&(Fitting, String)| {
            one.tender == tender
                && one.amount_minor == line.amount_minor
                && one.currency == line.currency
        };
        let mut row = line_row(view, places, &found.codes, line);
        let numbers = found.fitting.iter().filter(fits).take(3);
        row.fits = numbers.map(|(_, number)| number.clone()).collect();
        row
    };
    found.unmatched.iter().map(row).collect()
}

/// What a line belongs to, and why.
#[derive(Debug, Default, Deserialize)]
pub struct MatchFields {
    #[serde(default)]
    provider: String,
    #[serde(default)]
    reference: String,
    /// Number of a receipt, or id of a payment; empty takes it back.
    #[serde(default)]
    payment: String,
    #[serde(default)]
    back: String,
    #[serde(default)]
    reason: String,
}

/// Says which payment a line belongs to, or takes that back.
pub(crate) async fn say(
    State(state): State<HubState>,
    who: May<may::NightMend>,
    PageForm { fields, request }: PageForm<MatchFields>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let person = who.person.clone();
    let takes_back = fields.back == "yes";
    let reference = fields.reference.clone();
    let work = act(&state, &who, codes::NIGHT, request, move |tx| {
        Box::pin(async move {
            let provider: Provider = fields
                .provider
                .parse()
                .map_err(|_| AppError::field("/provider", "must be stripe or bank"))?;
            let payment = if takes_back {
                None
            } else {
                let amount = amount_of(tx.sql(), provider, &fields.reference).await?;
                let amount = amount.map(|(minor, _)| minor);
                Some(named_payment(tx.sql(), provider, amount, &fields.payment).await?)
            };
            let said = Match {
                provider,
                reference: fields.reference,
                payment,
                reason: fields.reason,
            };
            match_line(tx, &person, &said).await?;
            Ok(done(serde_json::Value::Null))
        })
    });
    let t = LineTexts::of(view.language());
    match work.await {
        Ok(answered) => {
            if !answered.is_replay {
                let words = if takes_back { t.taken_back } else { t.matched };
                let strong = fill("{line}", &[("line", &reference)]);
                state.said().say(&state, &who, Deed::new(strong, words));
            }
            Ok(Redirect::to(MONEY_SETTLEMENTS).into_response())
        }
        Err(problem) if is_refusal(&problem) => {
            let problems = Refusal::of(&problem, view.language()).above(&[]);
            let query = LinesQuery::default();
            let body = body(&state, &who, &view, &query, problems).await?;
            let place = (problem.status(), MONEY_SETTLEMENTS);
            respond(&state, &who, &view, place, body).await
        }
        Err(problem) => Err(problem),
    }
}
