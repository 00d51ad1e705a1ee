//! Stock across the chain, and the equation that every part must keep.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web_kit::openapi::ReadErrors;
use web_kit::{ApiPath, ApiQuery, Cursor, ListQuery, Page, Problem};

use crate::api::caller::{May, may};
use crate::api::state::HubState;
use crate::api::wire::time;
use crate::app::stock::{self, PartBalance, StockPlace, StockState};

const LIST: &str = "stock";
const BALANCES: &str = "conservation";

pub(super) fn routes() -> OpenApiRouter<HubState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(conservation))
        .routes(routes!(of_part))
}

/// A part at a branch.
#[derive(Debug, Serialize, ToSchema)]
pub struct Stock {
    /// Code of the branch.
    pub(super) branch: String,
    /// The part's sku.
    pub(super) sku: String,
    /// The part's name.
    pub(super) name: String,
    /// On the shelves.
    pub(super) on_hand: i64,
    /// Kept for order lines.
    pub(super) reserved: i64,
    /// On hand less reserved.
    pub(super) free: i64,
    /// What the branch put on its way, less what it took in.
    pub(super) in_transit: i64,
    /// At how many pieces to order more.
    #[schema(required = true)]
    pub(super) reorder_point: Option<i64>,
    /// Where it lies.
    #[schema(required = true)]
    pub(super) bin: Option<String>,
    /// When that was so.
    #[schema(required = true, format = "date-time")]
    pub(super) as_of: Option<String>,
}

impl Stock {
    pub(super) fn of(state: StockState) -> Self {
        let record = state.record;
        Self {
            branch: state.branch,
            free: record.on_hand - record.reserved,
            sku: record.sku,
            name: record.name,
            on_hand: record.on_hand,
            reserved: record.reserved,
            in_transit: record.in_transit,
            reorder_point: record.reorder_point,
            bin: record.bin,
            as_of: state.as_of_ms.map(time),
        }
    }
}

/// Which stock.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct StockFilter {
    /// One part.
    sku: Option<String>,
    /// One branch, by code or id.
    branch: Option<String>,
}

/// Stock by sku and branch.
#[utoipa::path(get, path = "/api/v1/stock", tag = "stock", params(StockFilter, ListQuery),
    responses((status = 200, body = Page<Stock>), ReadErrors))]
async fn list(
    State(state): State<HubState>,
    who: May<may::StockRead>,
    ApiQuery(filter): ApiQuery<StockFilter>,
    page: ListQuery,
) -> Result<Json<Page<Stock>>, Problem> {
    let after = page.after::<StockPlace>(LIST)?;
    let (sku, branch) = (filter.sku.as_deref(), filter.branch.as_deref());
    let limit = i64::from(page.limit) + 1;
    let found = stock::list(state.hub(), &who.person, sku, branch, after.as_ref(), limit).await?;
    let cut = Page::cut(found, page.limit, |last| {
        let record = &last.record;
        Cursor::encode(
            LIST,
            &(
                record.sku.clone(),
                *record.part().as_bytes(),
                *record.branch().as_bytes(),
            ),
        )
    });
    Ok(Json(cut.map(Stock::of)))
}

/// opening + purchased + found + returned = on hand + in transit + sold + used + lost + scrapped.
#[derive(Debug, Serialize, ToSchema)]
pub struct Conservation {
    /// The part's sku.
    sku: String,
    /// The part's name.
    name: String,
    opening: i64,
    purchased: i64,
    found: i64,
    returned: i64,
    on_hand: i64,
    in_transit: i64,
    sold: i64,
    used: i64,
    lost: i64,
    scrapped: i64,
    /// Whether the two sides come out even, and the kept quantities say the same.
    balanced: bool,
}

impl Conservation {
    fn of(balance: PartBalance) -> Self {
        let terms = &balance.sums.ledger;
        Self {
            opening: terms.opening,
            purchased: terms.purchased,
            found: terms.found,
            returned: terms.returned,
            on_hand: terms.on_hand,
            in_transit: terms.in_transit,
            sold: terms.sold,
            used: terms.used,
            lost: terms.lost,
            scrapped: terms.scrapped,
            balanced: balance.sums.balanced(),
            sku: balance.sku,
            name: balance.name,
        }
    }
}

/// The equation of every part, over the whole chain.
#[utoipa::path(get, path = "/api/v1/stock/conservation", tag = "stock", params(ListQuery),
    responses((status = 200, body = Page<Conservation>), ReadErrors))]
async fn conservation(
    State(state): State<HubState>,
    who: May<may::StockRead>,
    page: ListQuery,
) -> Result<Json<Page<Conservation>>, Problem> {
    who.person.require_chain()?;
    let after = page.after::<[u8; 16]>(BALANCES)?;
    let found = stock::balances(state.hub(), after, i64::from(page.limit) + 1).await?;
    let cut = Page::cut(found, page.limit, |last| {
        Cursor::encode(BALANCES, last.part.as_bytes())
    });
    Ok(Json(cut.map(Conservation::of)))
}

/// The equation of one part.
#[utoipa::path(get, path = "/api/v1/stock/{sku}/conservation", tag = "stock",
    params(("sku" = String, Path, description = "The part's sku")),
    responses((status = 200, body = Conservation), ReadErrors))]
async fn of_part(
    State(state): State<HubState>,
    who: May<may::StockRead>,
    ApiPath(sku): ApiPath<String>,
) -> Result<Json<Conservation>, Problem> {
    who.person.require_chain()?;
    Ok(Json(Conservation::of(
        stock::balance(state.hub(), &sku).await?,
    )))
}
