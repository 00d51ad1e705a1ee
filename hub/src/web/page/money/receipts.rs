//! Receipts of the chain, newest first, and one of them with its lines and how it was paid.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::id::{ReceiptId, SessionId, StaffId};
use domain::permission::Permission;
use domain::till::{ReceiptLine, ReceiptLineKind};
use serde::Deserialize;
use web_kit::{ApiPath, ApiQuery, Cursor, ListQuery, PageRequest, Problem, SafeHtml, fill, html};

use super::texts::{MoneyTexts, ReceiptTexts};
use super::words::{self, Look};
use super::{money, respond};
use crate::api::caller::{May, may};
use crate::api::{Caller, HubState};
use crate::app::error::AppError;
use crate::app::money::papers::{receipt, receipts};
use crate::app::money::read::{ReceiptRow, TenderState, Wanted, branch_named};
use crate::app::money::sessions::session;
use crate::app::staff::names;
use crate::store::scope::Place;
use crate::web::act::address;
use crate::web::list::Pager;
use crate::web::places::{Choice, Places};
use crate::web::view::View;
use crate::web::{CUSTOMERS, MONEY_CASH, MONEY_PAYMENTS, MONEY_RECEIPTS, MONEY_REFUNDS, ORDERS};

const LIST: &str = "receipts page";
const ROWS: u32 = 50;

/// Which receipts.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct ReceiptsQuery {
    #[serde(default)]
    branch: String,
    /// Of one cash session.
    #[serde(default)]
    session: String,
    #[serde(default)]
    cursor: String,
}

impl ReceiptsQuery {
    fn address(&self, cursor: &str) -> String {
        let parts = [
            ("branch", self.branch.as_str()),
            ("session", self.session.as_str()),
            ("cursor", cursor),
        ];
        address(MONEY_RECEIPTS, &parts)
    }
}

struct TenderRow {
    words: &'static str,
    amount: String,
    look: Look,
    href: Option<String>,
}

fn tender_row(view: &View, row: &ReceiptRow, state: &TenderState) -> TenderRow {
    let is_asked_for = matches!(state.tender.as_str(), "card" | "bank");
    TenderRow {
        words: words::tender(view.language(), &state.tender),
        amount: view.full_amount(money(state.asked_minor, row.currency)),
        look: words::state(view.language(), &state.tender, &state.state),
        href: is_asked_for.then(|| format!("{MONEY_PAYMENTS}/{}", state.payment)),
    }
}

struct Row {
    href: String,
    number: String,
    when: String,
    branch: String,
    amount: String,
    tenders: Vec<TenderRow>,
}

#[derive(Template)]
#[template(path = "money/receipts.html")]
struct Page<'a> {
    m: &'a MoneyTexts,
    t: &'a ReceiptTexts,
    here: &'static str,
    refresh: String,
    branches: Vec<Choice>,
    /// The cash session that the receipts are of: its number, and where it stands.
    session: Option<(String, String)>,
    session_id: &'a str,
    rows: Vec<Row>,
    is_narrowed: bool,
    pager: Pager,
}

/// The session that is meant, with its number; none where none is named.
async fn session_named(
    state: &HubState,
    who: &Caller,
    text: &str,
    open: &str,
) -> Result<Option<(SessionId, String)>, Problem> {
    if text.is_empty() {
        return Ok(None);
    }
    let id: SessionId = text
        .parse()
        .map_err(|_| AppError::field("/session", "must be the id of a cash session"))?;
    let known = session(state.hub(), &who.person, id).await?;
    let number = known.number.unwrap_or_else(|| open.to_owned());
    Ok(Some((id, number)))
}

/// The page, or its list alone when a script asks again.
pub(crate) async fn list(
    State(state): State<HubState>,
    who: May<may::MoneyRead>,
    asked: PageRequest,
    ApiQuery(query): ApiQuery<ReceiptsQuery>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let m = MoneyTexts::of(view.language());
    let page = ListQuery {
        limit: ROWS,
        cursor: Some(query.cursor.clone()),
    };
    let wanted = Wanted {
        branch: branch_named(state.hub(), Some(&query.branch)).await?,
        state: None,
        place: page.after::<Place>(LIST)?,
        limit: i64::from(ROWS) + 1,
    };
    let t = ReceiptTexts::of(view.language());
    let session = session_named(&state, &who, &query.session, t.open_session).await?;
    let of_session = session.as_ref().map(|(id, _)| *id);
    let found = receipts(state.hub(), &who.person, &wanted, of_session).await?;
    let cut = web_kit::Page::cut(found, ROWS, |(last, ..): &(ReceiptRow, _, _)| {
        Cursor::encode(LIST, &(last.at_ms, *last.id.as_bytes()))
    });
    let places = Places::of(&state).await?;
    let branch = |row: &ReceiptRow| {
        let mut all = places.all().iter();
        let found = all.find(|place| place.id == row.branch);
        found.map_or_else(String::new, |place| place.name.clone())
    };
    let row = |(row, number, tenders): &(ReceiptRow, String, Vec<TenderState>)| Row {
        href: format!("{MONEY_RECEIPTS}/{}", row.id),
        number: number.clone(),
        when: view.clock.when(row.at_ms),
        branch: branch(row),
        amount: view.full_amount(money(row.gross_minor, row.currency)),
        tenders: tenders
            .iter()
            .map(|state| tender_row(&view, row, state))
            .collect(),
    };
    let body = SafeHtml::render(&Page {
        m,
        t,
        here: MONEY_RECEIPTS,
        refresh: query.address(&query.cursor),
        branches: places.choices_of(&who.person.scope(), &query.branch, m.any_branch),
        session: session.map(|(id, number)| {
            let words = fill(t.of_session, &[("number", &number)]);
            (words, format!("{MONEY_CASH}/{id}"))
        }),
        session_id: &query.session,
        rows: cut.items.iter().map(row).collect(),
        is_narrowed: !(query.branch.is_empty() && query.session.is_empty()),
        pager: Pager {
            first: (!query.cursor.is_empty()).then(|| query.address("")),
            next: cut.next_cursor.map(|next| query.address(&next)),
            first_words: m.newest,
            next_words: m.older,
        },
    })?;
    if asked.is_fragment() {
        return Ok(html(body));
    }
    respond(&state, &who, &view, (StatusCode::OK, MONEY_RECEIPTS), body).await
}

struct LineRow {
    text: String,
    order: Option<String>,
    quantity: String,
    unit: String,
    tax: String,
    sum: String,
}

struct BackRow {
    href: String,
    number: String,
    amount: String,
    by: String,
}

#[derive(Template)]
#[template(path = "money/receipt.html")]
struct One<'a> {
    m: &'a MoneyTexts,
    t: &'a ReceiptTexts,
    refresh: String,
    number: String,
    amount: String,
    branch: String,
    branch_href: String,
    when: String,
    by: String,
    register: String,
    session: Option<String>,
    customer: Option<String>,
    lines: Vec<LineRow>,
    sums: Vec<(&'static str, String)>,
    tenders: Vec<TenderRow>,
    refunds: Vec<BackRow>,
}

/// One receipt.
pub(crate) async fn show(
    State(state): State<HubState>,
    who: May<may::MoneyRead>,
    asked: PageRequest,
    ApiPath(id): ApiPath<ReceiptId>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let known = receipt(state.hub(), &who.person, id).await?;
    let m = MoneyTexts::of(view.language());
    let t = ReceiptTexts::of(view.language());
    let places = Places::of(&state).await?;
    let mut people: Vec<StaffId> = known.refunds.iter().map(|back| back.staff).collect();
    people.push(known.row.staff);
    let names = names(state.hub(), &people).await?;
    let name = |staff: &StaffId| names.get(staff).map_or(m.the_hub, String::as_str);
    let full = |minor| view.full_amount(money(minor, known.row.currency));
    let may_customers = who.person.may(Permission::CustomersRead);
    let body = SafeHtml::render(&One {
        m,
        t,
        refresh: format!("{MONEY_RECEIPTS}/{id}"),
        amount: full(known.row.gross_minor),
        branch: places.name(&known.branch).to_owned(),
        branch_href: format!("{}/{}", crate::web::BRANCHES, known.branch),
        when: view.clock.when(known.row.at_ms),
        by: name(&known.row.staff).to_owned(),
        register: known.receipt.register.to_string(),
        session: known
            .session
            .map(|session| format!("{MONEY_CASH}/{session}")),
        customer: known
            .row
            .customer
            .filter(|_| may_customers)
            .map(|customer| format!("{CUSTOMERS}/{customer}")),
        lines: known
            .receipt
            .lines
            .iter()
            .map(|line| line_row(&view, &known.row, line))
            .collect(),
        sums: vec![
            (t.gross, full(known.row.gross_minor)),
            (t.due, full(known.row.due_minor)),
        ],
        tenders: known
            .tenders
            .iter()
            .map(|state| tender_row(&view, &known.row, state))
            .collect(),
        refunds: known
            .refunds
            .iter()
            .map(|back| BackRow {
                href: format!("{MONEY_REFUNDS}/{}", back.id),
                number: back.number.clone(),
                amount: full(back.amount_minor),
                by: format!("{}, {}", name(&back.staff), view.clock.when(back.at_ms)),
            })
            .collect(),
        number: known.number.clone(),
    })?;
    if asked.is_fragment() {
        return Ok(html(body));
    }
    respond(&state, &who, &view, (StatusCode::OK, MONEY_RECEIPTS), body).await
}

fn line_row(view: &View, row: &ReceiptRow, line: &ReceiptLine) -> LineRow {
    let sum = i64::from(line.quantity).saturating_mul(line.unit_minor);
    let is_off = matches!(
        line.kind,
        ReceiptLineKind::Discount | ReceiptLineKind::DepositOff
    );
    let amount = |minor| view.amount(money(minor, row.currency));
    LineRow {
        text: line.text.clone(),
        order: line.order.map(|order| format!("{ORDERS}/{order}")),
        quantity: view.clock.number(i64::from(line.quantity)),
        unit: amount(line.unit_minor),
        tax: view.clock.percent(line.tax_bp),
        sum: amount(if is_off { -sum } else { sum }),
    }
}
