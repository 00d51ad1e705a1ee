//! Refunds that wait for a word: yes, or no with a reason, within what the role may say; and what was given back.

mod given;
pub(crate) mod one;

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use domain::id::{ReceiptId, RefundId, StaffId};
use domain::permission::Permission;
use domain::till::{Receipt, RefundAsked};
use serde::Deserialize;
use serde_json::json;
use sync_protocol::item::{command as codes, decode_body};
use web_kit::{ApiPath, ApiQuery, PageForm, PageRequest, Problem, SafeHtml, fill, html};

use self::given::{GivenPart, RefundsQuery, part};
use super::texts::{MoneyTexts, RefundTexts};
use super::{money, respond};
use crate::api::caller::{May, may};
use crate::api::{Caller, HubState};
use crate::app::branch::code_of;
use crate::app::money::papers::these;
use crate::app::money::read::{AskedRow, asked};
use crate::app::money::rules::{AllRules, all};
use crate::app::money::settle;
use crate::app::staff::names;
use crate::web::act::{Refusal, act, done, is_refusal};
use crate::web::places::Places;
use crate::web::said::Deed;
use crate::web::view::View;
use crate::web::{MONEY_RECEIPTS, MONEY_REFUNDS};

/// Refunds on one page.
const MOST: i64 = 100;

struct Row {
    id: String,
    href: String,
    branch: String,
    number: String,
    receipt_href: String,
    amount: String,
    why: String,
    by: String,
    waits: String,
    title: String,
    asks: String,
    lines: Vec<String>,
    /// What the person may approve, where this is more.
    limit: Option<String>,
}

#[derive(Template)]
#[template(path = "money/refunds.html")]
struct Page<'a> {
    m: &'a MoneyTexts,
    t: &'a RefundTexts,
    here: &'static str,
    refresh: String,
    is_first: bool,
    is_narrowed: bool,
    rows: Vec<Row>,
    given: GivenPart,
    key: String,
    may_decide: bool,
    problems: Vec<String>,
}

/// The page, or its list alone when a script asks again.
pub(crate) async fn list(
    State(state): State<HubState>,
    who: May<may::MoneyRead>,
    request: PageRequest,
    ApiQuery(query): ApiQuery<RefundsQuery>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let body = body(&state, &who, &view, &query, Vec::new()).await?;
    if request.is_fragment() {
        return Ok(html(body));
    }
    respond(&state, &who, &view, (StatusCode::OK, MONEY_REFUNDS), body).await
}

struct Around<'a> {
    view: &'a View,
    who: &'a Caller,
    places: Places,
    receipts: BTreeMap<ReceiptId, (String, Receipt)>,
    names: BTreeMap<StaffId, String>,
    rules: AllRules,
}

async fn body(
    state: &HubState,
    who: &Caller,
    view: &View,
    query: &RefundsQuery,
    problems: Vec<String>,
) -> Result<SafeHtml, Problem> {
    let (found, branches) = asked(state.hub(), &who.person, MOST).await?;
    let people: Vec<StaffId> = found.iter().map(|row| row.staff).collect();
    let ids: Vec<ReceiptId> = found.iter().map(|row| row.receipt).collect();
    let around = Around {
        view,
        who,
        places: Places::of(state).await?,
        receipts: these(state.hub(), &ids).await?,
        names: names(state.hub(), &people).await?,
        rules: all(state.hub()).await?,
    };
    SafeHtml::render(&Page {
        m: MoneyTexts::of(view.language()),
        t: RefundTexts::of(view.language()),
        here: MONEY_REFUNDS,
        refresh: query.here(),
        is_first: query.is_first(),
        is_narrowed: query.is_narrowed(),
        given: part(state, who, view, &around.places, query).await?,
        rows: found
            .iter()
            .map(|asked| around.row(asked, &code_of(&branches, asked.branch)))
            .collect(),
        key: state.form_key().to_string(),
        may_decide: who.person.may(Permission::RefundsApprove),
        problems,
    })
}

impl Around<'_> {
    fn row(&self, asked: &AskedRow, code: &str) -> Row {
        let (t, view) = (RefundTexts::of(self.view.language()), self.view);
        let full = |minor| view.full_amount(money(minor, asked.currency));
        let amount = full(asked.amount_minor);
        let wish: Option<RefundAsked> = decode_body(&asked.body, "RefundAsked").ok();
        let known = self.receipts.get(&asked.receipt);
        let number = known.map_or_else(|| "–".to_owned(), |(number, _)| number.clone());
        let by = self
            .names
            .get(&asked.staff)
            .map_or(t.someone, String::as_str);
        let branch = self.places.name(code);
        let line = |wanted: &domain::till::RefundLine| {
            let line = known.and_then(|(_, receipt)| receipt.line(wanted.line))?;
            Some(format!("{} × {}", wanted.quantity, line.text))
        };
        let lines = wish.iter().flat_map(|wish| &wish.lines);
        let limit = self
            .rules
            .of(asked.branch)
            .refund_limit_minor(self.who.person.role);
        Row {
            id: asked.id.to_string(),
            href: format!("{MONEY_REFUNDS}/{}", asked.id),
            title: fill(t.title, &[("amount", &amount), ("branch", &branch)]),
            asks: fill(
                t.title_why,
                &[("who", &by), ("amount", &amount), ("receipt", &number)],
            ),
            lines: lines.filter_map(line).collect(),
            limit: limit
                .filter(|limit| asked.amount_minor > *limit)
                .map(|limit| fill(t.limit, &[("limit", &full(limit))])),
            branch: branch.to_owned(),
            receipt_href: format!("{MONEY_RECEIPTS}/{}", asked.receipt),
            why: wish.map(|wish| wish.reason).unwrap_or_default(),
            by: by.to_owned(),
            waits: view.clock.age(asked.at_ms),
            number,
            amount,
        }
    }
}

/// Why.
#[derive(Debug, Deserialize)]
pub struct WordFields {
    #[serde(default)]
    reason: String,
}

/// Says yes.
pub(crate) async fn approve(
    state: State<HubState>,
    who: May<may::RefundsApprove>,
    id: ApiPath<RefundId>,
    form: PageForm<WordFields>,
) -> Result<Response, Problem> {
    decide(state, who, id, form, true).await
}

/// Says no.
pub(crate) async fn decline(
    state: State<HubState>,
    who: May<may::RefundsApprove>,
    id: ApiPath<RefundId>,
    form: PageForm<WordFields>,
) -> Result<Response, Problem> {
    decide(state, who, id, form, false).await
}

async fn decide(
    State(state): State<HubState>,
    who: May<may::RefundsApprove>,
    ApiPath(id): ApiPath<RefundId>,
    PageForm { fields, request }: PageForm<WordFields>,
    approved: bool,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let person = who.person.clone();
    let work = act(&state, &who, codes::REFUND, request, move |tx| {
        Box::pin(async move {
            let row = settle::decide(tx, &person, id, approved, &fields.reason).await?;
            Ok(done(
                json!({ "minor": row.amount_minor, "currency": row.currency.as_str() }),
            ))
        })
    });
    match work.await {
        Ok(answered) => {
            if !answered.is_replay {
                let t = RefundTexts::of(view.language());
                let body = &answered.answer.body;
                let minor = body["minor"].as_i64().unwrap_or_default();
                let currency = body["currency"].as_str().unwrap_or_default();
                let amount = super::amount_of(&view, minor, currency);
                let words = if approved { t.said_yes } else { t.said_no };
                state.said().say(&state, &who, Deed::new(amount, words));
            }
            Ok(Redirect::to(MONEY_REFUNDS).into_response())
        }
        Err(problem) if is_refusal(&problem) => {
            let problems = Refusal::of(&problem, view.language()).above(&[]);
            let query = RefundsQuery::default();
            let body = body(&state, &who, &view, &query, problems).await?;
            let place = (problem.status(), MONEY_REFUNDS);
            respond(&state, &who, &view, place, body).await
        }
        Err(problem) => Err(problem),
    }
}
