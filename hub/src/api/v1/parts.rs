//! The catalogue: parts with their prices.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::part::PartRow;
use serde::{Deserialize, Serialize};
use sync_protocol::item::command as codes;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web_kit::openapi::{KeyHeader, MatchHeader, ReadErrors, WriteErrors};
use web_kit::{ApiCommand, ApiPath, ApiQuery, Cursor, ETag, IfMatch, ListQuery, Page, Problem};

use crate::api::caller::{May, may};
use crate::api::command::{answer, command};
use crate::api::state::HubState;
use crate::api::wire::{Amount, check_version, time};
use crate::app::part::{self, PartPatch, PartRecord};

const LIST: &str = "parts";

pub(super) fn routes() -> OpenApiRouter<HubState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, patch))
}

/// A part.
#[derive(Debug, Serialize, ToSchema)]
pub struct Part {
    /// Its id.
    #[schema(format = "uuid")]
    id: String,
    /// What people call it by.
    sku: String,
    /// Its name.
    name: String,
    /// Its category.
    category: String,
    /// Price of one piece.
    price: Amount,
    /// Tax rate in basis points.
    tax_rate_bp: u32,
    /// What scanners read.
    barcodes: Vec<String>,
    /// Whether it can still be ordered and sold.
    active: bool,
    /// When it was last changed.
    #[schema(format = "date-time")]
    updated_at: String,
}

impl Part {
    pub(super) fn of(record: PartRecord) -> Self {
        let fields = record.fields;
        Self {
            id: record.id.to_string(),
            price: Amount {
                amount_minor: fields.price_minor,
                currency: fields.currency.to_string(),
            },
            sku: fields.sku,
            name: fields.name,
            category: fields.category,
            tax_rate_bp: fields.tax_bp,
            barcodes: fields.barcodes,
            active: fields.active,
            updated_at: time(record.updated_ms),
        }
    }
}

/// A new part.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PartInput {
    /// Letters, digits and ._/+-
    #[schema(example = "DSP-1000", pattern = "^[A-Za-z0-9._/+-]{1,64}$")]
    sku: String,
    /// Its name.
    #[schema(example = "Display 14 inch")]
    name: String,
    /// Its category.
    #[serde(default)]
    category: String,
    /// Price of one piece.
    price: Amount,
    /// Tax rate in basis points.
    #[schema(example = 1900, minimum = 0, maximum = 10_000)]
    tax_rate_bp: u32,
    /// What scanners read.
    #[serde(default)]
    barcodes: Vec<String>,
}

/// What to change about a part; absent fields stay.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PartChange {
    name: Option<String>,
    category: Option<String>,
    price: Option<Amount>,
    tax_rate_bp: Option<u32>,
    barcodes: Option<Vec<String>>,
    active: Option<bool>,
}

/// Which parts.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PartFilter {
    /// Words of sku or name.
    q: Option<String>,
}

/// Lists parts by sku.
#[utoipa::path(get, path = "/api/v1/parts", tag = "parts", params(PartFilter, ListQuery),
    responses((status = 200, body = Page<Part>), ReadErrors))]
async fn list(
    State(state): State<HubState>,
    _who: May<may::BasicsRead>,
    ApiQuery(filter): ApiQuery<PartFilter>,
    page: ListQuery,
) -> Result<Json<Page<Part>>, Problem> {
    let after = page.after::<(String, [u8; 16])>(LIST)?;
    let words = filter
        .q
        .as_deref()
        .map(str::trim)
        .filter(|words| !words.is_empty());
    let found = part::list(
        state.hub(),
        words,
        after.as_ref(),
        i64::from(page.limit) + 1,
    )
    .await?;
    let cut = Page::cut(found, page.limit, |last| {
        Cursor::encode(LIST, &(last.fields.sku.clone(), *last.id.as_bytes()))
    });
    Ok(Json(cut.map(Part::of)))
}

/// Adds a part; every branch hears of it.
#[utoipa::path(post, path = "/api/v1/parts", tag = "parts", params(KeyHeader), request_body = PartInput,
    responses((status = 201, body = Part), WriteErrors))]
async fn create(
    State(state): State<HubState>,
    who: May<may::CatalogueWrite>,
    ApiCommand { body, request }: ApiCommand<PartInput>,
) -> Result<Response, Problem> {
    command(&state, &who, codes::ROWS, request, move |tx| {
        Box::pin(async move {
            let price = body.price.read("/price")?;
            let fields = PartRow {
                sku: body.sku,
                name: body.name,
                category: body.category,
                price_minor: price.amount_minor,
                currency: price.currency,
                tax_bp: body.tax_rate_bp,
                barcodes: body.barcodes,
                active: true,
            };
            let record = part::create(tx, fields).await?;
            let tag = ETag::of_version(record.version);
            answer(StatusCode::CREATED, Some(&tag), &Part::of(record))
        })
    })
    .await
}

/// One part.
#[utoipa::path(get, path = "/api/v1/parts/{sku}", tag = "parts",
    params(("sku" = String, Path, description = "The part's sku")),
    responses((status = 200, body = Part, headers(("ETag" = String, description = "The version"))), ReadErrors))]
async fn get(
    State(state): State<HubState>,
    _who: May<may::BasicsRead>,
    ApiPath(sku): ApiPath<String>,
) -> Result<Response, Problem> {
    let found = part::get(state.hub(), &sku).await?;
    let tag = ETag::of_version(found.version);
    Ok((tag, Json(Part::of(found))).into_response())
}

/// Changes a part; every branch hears of it.
#[utoipa::path(patch, path = "/api/v1/parts/{sku}", tag = "parts",
    params(("sku" = String, Path, description = "The part's sku"), MatchHeader, KeyHeader),
    request_body = PartChange,
    responses((status = 200, body = Part, headers(("ETag" = String, description = "The version"))), WriteErrors))]
async fn patch(
    State(state): State<HubState>,
    who: May<may::CatalogueWrite>,
    ApiPath(sku): ApiPath<String>,
    if_match: IfMatch,
    ApiCommand { body, request }: ApiCommand<PartChange>,
) -> Result<Response, Problem> {
    command(&state, &who, codes::ROWS, request, move |tx| {
        Box::pin(async move {
            let change = PartPatch {
                price: body.price.map(|price| price.read("/price")).transpose()?,
                name: body.name,
                category: body.category,
                tax_bp: body.tax_rate_bp,
                barcodes: body.barcodes,
                active: body.active,
            };
            let record = part::patch(tx, &sku, check_version(if_match), change).await?;
            let tag = ETag::of_version(record.version);
            answer(StatusCode::OK, Some(&tag), &Part::of(record))
        })
    })
    .await
}
