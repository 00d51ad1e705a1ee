//! Cash sessions of all branches, as their tills wrote them.

use axum::Json;
use axum::extract::State;
use domain::id::SessionId;
use domain::money::Money;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web_kit::extract::query_text;
use web_kit::openapi::ReadErrors;
use web_kit::wire::MoneyForm;
use web_kit::{ApiPath, ApiQuery, Cursor, ListQuery, Page, Problem};

use crate::api::caller::{May, may};
use crate::api::state::HubState;
use crate::api::wire::{place, time};
use crate::app::branch;
use crate::app::money::read::{self, amount};
use crate::app::money::sessions::{
    self, CashMove, SessionRow, SessionState, WantedSessions, day_named, kind_named, number_of,
};
use crate::app::reconcile::show_day;

const LIST: &str = "cash sessions";

pub(super) fn routes() -> OpenApiRouter<HubState> {
    OpenApiRouter::new()
        .routes(routes!(cash_sessions))
        .routes(routes!(cash_session))
}

/// A cash session of a till.
#[derive(Debug, Serialize, ToSchema)]
pub struct CashSession {
    /// Its id.
    #[schema(format = "uuid")]
    id: String,
    /// Code of the branch.
    branch: String,
    /// The till.
    register: i32,
    /// What it began with.
    #[schema(value_type = MoneyForm)]
    float: Money,
    /// When it began.
    #[schema(format = "date-time")]
    opened_at: String,
    /// Who opened it.
    #[schema(required = true)]
    opened_by: Option<String>,
    /// How it was counted; null while it is open.
    #[schema(required = true)]
    report: Option<CashReport>,
}

/// What the day report of a session says.
#[derive(Debug, Serialize, ToSchema)]
pub struct CashReport {
    /// Its number.
    #[schema(example = "BER-Z-A000012")]
    number: String,
    /// The business day that it belongs to.
    #[schema(format = "date")]
    business_date: String,
    /// When it was counted.
    #[schema(format = "date-time")]
    closed_at: String,
    /// Who counted.
    #[schema(required = true)]
    closed_by: Option<String>,
    /// What should have been there.
    #[schema(value_type = MoneyForm)]
    expected: Money,
    /// What was counted.
    #[schema(value_type = MoneyForm)]
    counted: Money,
    /// Counted less expected.
    #[schema(value_type = MoneyForm)]
    difference: Money,
    /// Why it differs.
    reason: String,
}

impl CashSession {
    fn of(row: &SessionRow, code: &str) -> Self {
        let report = row.closed.as_ref().map(|end| CashReport {
            number: number_of(code, end),
            business_date: show_day(end.day),
            closed_at: time(end.at_ms),
            closed_by: read::who(end.by),
            expected: amount(end.expected_minor, row.currency),
            counted: amount(end.counted_minor, row.currency),
            difference: amount(end.difference_minor(), row.currency),
            reason: end.reason.clone(),
        });
        Self {
            id: row.id.to_string(),
            branch: code.to_owned(),
            register: row.register,
            float: amount(row.float_minor, row.currency),
            opened_at: time(row.opened_ms),
            opened_by: read::who(row.opened_by),
            report,
        }
    }
}

/// Which sessions.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct CashSessionsQuery {
    /// Code of a branch.
    #[serde(default, deserialize_with = "query_text")]
    branch: Option<String>,
    /// The business day on which they were closed, `2026-11-22`.
    #[serde(default, deserialize_with = "query_text")]
    business_date: Option<String>,
    /// `open`, or `differs` for those whose count is not what should have been there.
    #[serde(default, deserialize_with = "query_text")]
    state: Option<String>,
}

/// Lists cash sessions, those that began last first.
#[utoipa::path(get, path = "/api/v1/cash-sessions", tag = "money", params(CashSessionsQuery, ListQuery),
    responses((status = 200, body = Page<CashSession>), ReadErrors))]
async fn cash_sessions(
    State(state): State<HubState>,
    who: May<may::MoneyRead>,
    ApiQuery(query): ApiQuery<CashSessionsQuery>,
    page: ListQuery,
) -> Result<Json<Page<CashSession>>, Problem> {
    let day = query.business_date.as_deref().unwrap_or_default();
    let kind = query.state.as_deref().unwrap_or_default();
    let wanted = WantedSessions {
        branch: read::branch_named(state.hub(), query.branch.as_deref()).await?,
        day: day_named("/business_date", day)?,
        kind: kind_named("/state", kind)?,
        place: place(&page, LIST)?,
        limit: i64::from(page.limit) + 1,
    };
    let (found, codes) = sessions::sessions(state.hub(), &who.person, &wanted).await?;
    let cursor = |last: &SessionRow| Cursor::encode(LIST, &(last.opened_ms, *last.id.as_bytes()));
    Ok(Json(Page::cut(found, page.limit, cursor).map(|row| {
        CashSession::of(&row, &branch::code_of(&codes, row.branch))
    })))
}

/// A cash session with its movements, its count and its place in the chain.
#[derive(Debug, Serialize, ToSchema)]
pub struct CashSessionHistory {
    /// The session.
    #[serde(flatten)]
    session: CashSession,
    /// Receipts of the session.
    receipts: i64,
    /// Refunds of the session.
    refunds: i64,
    /// What went in and out by hand.
    movements: Vec<CashMovement>,
    /// What was counted, by denomination; empty while it is open.
    counted: Vec<CashCount>,
    /// What was taken by tender, less given back; empty while it is open.
    tenders: Vec<CashTender>,
    /// Hash of its day report.
    #[schema(required = true)]
    hash: Option<String>,
    /// Hash of the one before, as its day report carries it.
    #[schema(required = true)]
    former_hash: Option<String>,
}

/// Money that went in or out by hand.
#[derive(Debug, Serialize, ToSchema)]
pub struct CashMovement {
    /// `in` or `out`.
    direction: String,
    /// How much.
    #[schema(value_type = MoneyForm)]
    amount: Money,
    /// Why.
    reason: String,
    /// Who.
    #[schema(required = true)]
    staff_id: Option<String>,
    /// When.
    #[schema(format = "date-time")]
    at: String,
}

/// Pieces of one denomination.
#[derive(Debug, Serialize, ToSchema)]
pub struct CashCount {
    /// What one is worth, in minor units.
    value_minor: i64,
    /// How many there are.
    pieces: u32,
}

/// What was taken with one tender.
#[derive(Debug, Serialize, ToSchema)]
pub struct CashTender {
    /// `cash`, `card`, `bank` or `account`.
    tender: String,
    /// Taken, less given back.
    #[schema(value_type = MoneyForm)]
    amount: Money,
}

/// One cash session.
#[utoipa::path(get, path = "/api/v1/cash-sessions/{id}", tag = "money",
    params(("id" = String, Path, format = "uuid", description = "The session")),
    responses((status = 200, body = CashSessionHistory), ReadErrors))]
async fn cash_session(
    State(state): State<HubState>,
    who: May<may::MoneyRead>,
    ApiPath(id): ApiPath<SessionId>,
) -> Result<Json<CashSessionHistory>, Problem> {
    let known = sessions::session(state.hub(), &who.person, id).await?;
    Ok(Json(history(&known)))
}

fn history(known: &SessionState) -> CashSessionHistory {
    let currency = known.row.currency;
    let movement = |one: &CashMove| CashMovement {
        direction: one.direction.as_str().to_owned(),
        amount: amount(one.amount_minor, currency),
        reason: one.reason.clone(),
        staff_id: read::who(one.staff),
        at: time(one.at_ms),
    };
    let closed = known.closed.as_ref();
    let counted = closed.into_iter().flat_map(|closed| &closed.counted);
    let tenders = closed.into_iter().flat_map(|closed| &closed.report.tenders);
    CashSessionHistory {
        session: CashSession::of(&known.row, &known.branch),
        receipts: known.receipts,
        refunds: known.refunds,
        movements: known.moves.iter().map(movement).collect(),
        counted: counted
            .map(|one| CashCount {
                value_minor: one.value_minor,
                pieces: one.pieces,
            })
            .collect(),
        tenders: tenders
            .map(|one| CashTender {
                tender: one.tender.as_str().to_owned(),
                amount: amount(one.amount_minor, currency),
            })
            .collect(),
        hash: known.link.as_ref().map(|link| hex(&link.hash)),
        former_hash: known.link.as_ref().map(|link| hex(&link.former)),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
