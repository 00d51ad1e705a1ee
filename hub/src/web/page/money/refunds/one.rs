//! One refund: what comes back, how the money goes, and who said yes to it.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::id::{RefundId, StaffId};
use domain::permission::Permission;
use domain::till::Goods;
use web_kit::{ApiPath, PageRequest, Problem, SafeHtml, fill, html};

use super::super::texts::{MoneyTexts, RefundTexts};
use super::super::words::Look;
use super::super::{money, respond};
use super::given::{TenderRow, tender_row};
use crate::api::HubState;
use crate::api::caller::{May, may};
use crate::app::money::refunds::{BackLine, RefundState, refund};
use crate::app::money::sessions::session;
use crate::app::reconcile::show_day;
use crate::app::staff::names;
use crate::web::places::Places;
use crate::web::view::View;
use crate::web::{BRANCHES, MONEY_CASH, MONEY_RECEIPTS, MONEY_REFUNDS, NIGHTS, ORDERS};

struct LineRow {
    text: String,
    order: Option<String>,
    quantity: String,
    goods: &'static str,
}

#[derive(Template)]
#[template(path = "money/refund.html")]
struct Page<'a> {
    m: &'a MoneyTexts,
    t: &'a RefundTexts,
    refresh: String,
    title: String,
    amount: String,
    look: Look,
    branch: String,
    branch_href: String,
    receipt: Option<(String, String)>,
    /// The business day and its night.
    day: Option<(String, Option<String>)>,
    session: Option<(String, String)>,
    facts: Vec<(&'static str, String)>,
    reason: String,
    word: String,
    lines: Vec<LineRow>,
    tenders: Vec<TenderRow>,
    is_given: bool,
    /// Where it is decided.
    decide: Option<&'static str>,
}

/// The page, or its work alone when a script asks again.
pub(crate) async fn show(
    State(state): State<HubState>,
    who: May<may::MoneyRead>,
    asked: PageRequest,
    ApiPath(id): ApiPath<RefundId>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let known = refund(state.hub(), &who.person, id).await?;
    let t = RefundTexts::of(view.language());
    let places = Places::of(&state).await?;
    let row = known.given.as_ref().map(|given| &given.row);
    let currency = row
        .map(|row| row.currency)
        .or_else(|| known.asked.as_ref().map(|asked| asked.currency))
        .unwrap_or_default();
    let minor = row
        .map(|row| row.amount_minor)
        .or_else(|| known.asked.as_ref().map(|asked| asked.amount_minor));
    let session = match row.and_then(|row| row.session) {
        Some(id) => session(state.hub(), &who.person, id).await.ok(),
        None => None,
    };
    let is_waiting = known
        .asked
        .as_ref()
        .is_some_and(|asked| asked.state == "asked");
    let body = SafeHtml::render(&Page {
        m: MoneyTexts::of(view.language()),
        t,
        refresh: format!("{MONEY_REFUNDS}/{id}"),
        title: known
            .given
            .as_ref()
            .map_or_else(|| t.wish.to_owned(), |given| given.number.clone()),
        amount: view.full_amount(money(minor.unwrap_or_default(), currency)),
        look: look(t, &known),
        branch: places.name(&known.branch).to_owned(),
        branch_href: format!("{BRANCHES}/{}", known.branch),
        receipt: known
            .receipt
            .1
            .clone()
            .map(|number| (number, format!("{MONEY_RECEIPTS}/{}", known.receipt.0))),
        day: row.map(|row| {
            let night = format!("{NIGHTS}/{}/{}#refunds", show_day(row.day), known.branch);
            (view.business_day(row.day), known.has_night.then_some(night))
        }),
        session: session.map(|session| {
            let href = format!("{MONEY_CASH}/{}", session.row.id);
            let number = session.number.unwrap_or_else(|| t.open_session.to_owned());
            (number, href)
        }),
        facts: facts(t, &view, &known, &people(&state, &known).await?),
        reason: known.reason.clone(),
        word: known
            .asked
            .as_ref()
            .map(|asked| asked.word.clone())
            .unwrap_or_default(),
        lines: known
            .lines
            .iter()
            .map(|line| line_row(t, &view, line))
            .collect(),
        tenders: known
            .given
            .iter()
            .flat_map(|given| {
                given
                    .tenders
                    .iter()
                    .map(|one| tender_row(&view, given, one))
            })
            .collect(),
        is_given: known.given.is_some(),
        decide: (is_waiting && who.person.may(Permission::RefundsApprove)).then_some(MONEY_REFUNDS),
    })?;
    if asked.is_fragment() {
        return Ok(html(body));
    }
    respond(&state, &who, &view, (StatusCode::OK, MONEY_REFUNDS), body).await
}

async fn people(
    state: &HubState,
    known: &RefundState,
) -> Result<BTreeMap<StaffId, String>, Problem> {
    let mut people: Vec<StaffId> = Vec::new();
    people.extend(known.given.as_ref().map(|given| given.row.staff));
    people.extend(known.asked.as_ref().map(|asked| asked.staff));
    people.extend(known.asked.as_ref().and_then(|asked| asked.decided_by));
    Ok(names(state.hub(), &people).await?)
}

fn look(t: &RefundTexts, known: &RefundState) -> Look {
    let state = known.asked.as_ref().map(|asked| asked.state.as_str());
    let (icon, words, tone) = match (&known.given, state) {
        (Some(_), _) => ("check", t.is_given, "agreed"),
        (None, Some("approved")) => ("check", t.is_approved, "moving"),
        (None, Some("refused")) => ("cancel", t.is_refused, "waiting"),
        (None, _) => ("decide", t.is_waiting, "decide"),
    };
    Look { icon, words, tone }
}

fn facts(
    t: &RefundTexts,
    view: &View,
    known: &RefundState,
    names: &BTreeMap<StaffId, String>,
) -> Vec<(&'static str, String)> {
    let by = |staff: &StaffId| {
        names
            .get(staff)
            .map_or(t.someone, String::as_str)
            .to_owned()
    };
    let at = |staff: &StaffId, at_ms: i64| {
        let parts = [("when", view.clock.when(at_ms)), ("who", by(staff))];
        let [when, who] = &parts;
        fill(t.by, &[(when.0, &when.1), (who.0, &who.1)])
    };
    let mut facts = Vec::new();
    if let Some(asked) = &known.asked {
        facts.push((t.asked, at(&asked.staff, asked.at_ms)));
        if let Some(staff) = &asked.decided_by {
            facts.push((t.decided_by, by(staff)));
        }
    }
    if let Some(given) = &known.given {
        facts.push((t.given, at(&given.row.staff, given.row.at_ms)));
        let refund = given.refund.as_ref();
        if let Some(refund) = refund {
            facts.push((t.till, refund.register.to_string()));
        }
        if let Some(refund) = refund.filter(|refund| refund.deposits_minor != 0) {
            let amount = money(refund.deposits_minor, given.row.currency);
            facts.push((t.deposits, view.full_amount(amount)));
        }
    }
    facts
}

fn line_row(t: &RefundTexts, view: &View, line: &BackLine) -> LineRow {
    LineRow {
        text: if line.text.is_empty() {
            "–".to_owned()
        } else {
            line.text.clone()
        },
        order: line.order.map(|order| format!("{ORDERS}/{order}")),
        quantity: view.clock.number(i64::from(line.quantity)),
        goods: match line.goods {
            Goods::Stay => t.goods_stay,
            Goods::Shelf => t.goods_shelf,
            Goods::Scrap => t.goods_scrap,
            Goods::Supplier => t.goods_supplier,
        },
    }
}
