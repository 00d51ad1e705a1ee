//! Presets: faults and services with their price, which every branch offers.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::id::PresetId;
use domain::preset::PresetRow;
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
use crate::api::wire::{Amount, check_version, place, time};
use crate::app::preset::{self, PresetPatch, PresetRecord};

const LIST: &str = "presets";

pub(super) fn routes() -> OpenApiRouter<HubState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, patch))
}

/// A fault and the service for it, with its price.
#[derive(Debug, Serialize, ToSchema)]
pub struct Preset {
    /// Its id.
    #[schema(format = "uuid")]
    id: String,
    /// The kind of device that it is for.
    category: String,
    /// The fault.
    fault: String,
    /// The service.
    service: String,
    /// Its price.
    price: Amount,
    /// Tax rate in basis points.
    tax_rate_bp: u32,
    /// How long the service takes.
    minutes: u32,
    /// Whether it is still offered.
    active: bool,
    /// When it was last changed.
    #[schema(format = "date-time")]
    updated_at: String,
}

impl Preset {
    fn of(record: PresetRecord) -> Self {
        let fields = record.fields;
        Self {
            id: record.id.to_string(),
            price: Amount {
                amount_minor: fields.price_minor,
                currency: fields.currency.to_string(),
            },
            category: fields.category,
            fault: fields.fault,
            service: fields.service,
            tax_rate_bp: fields.tax_bp,
            minutes: fields.minutes,
            active: fields.active,
            updated_at: time(record.updated_ms),
        }
    }
}

/// A new preset.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PresetInput {
    /// The kind of device that it is for; empty for any.
    #[serde(default)]
    #[schema(example = "Phone", max_length = 200)]
    category: String,
    /// The fault.
    #[serde(default)]
    #[schema(example = "Display broken", max_length = 500)]
    fault: String,
    /// The service.
    #[schema(example = "Display replaced", min_length = 1, max_length = 500)]
    service: String,
    /// Its price.
    price: Amount,
    /// Tax rate in basis points.
    #[schema(example = 1900, minimum = 0, maximum = 10_000)]
    tax_rate_bp: u32,
    /// How long the service takes.
    #[serde(default)]
    #[schema(example = 45, minimum = 0, maximum = 100_000)]
    minutes: u32,
}

/// What to change about a preset; absent fields stay.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PresetChange {
    category: Option<String>,
    fault: Option<String>,
    service: Option<String>,
    price: Option<Amount>,
    tax_rate_bp: Option<u32>,
    minutes: Option<u32>,
    active: Option<bool>,
}

/// Which presets.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PresetFilter {
    /// Only those with these words in category, fault or service.
    #[serde(default, deserialize_with = "web_kit::extract::query_text")]
    #[param(required = false, max_length = 200)]
    q: Option<String>,
}

/// Lists presets, the last changed first.
#[utoipa::path(get, path = "/api/v1/presets", tag = "presets", params(PresetFilter, ListQuery),
    extensions(("x-permission" = json!("basics_read"))),
    responses((status = 200, body = Page<Preset>), ReadErrors))]
async fn list(
    State(state): State<HubState>,
    _who: May<may::BasicsRead>,
    ApiQuery(filter): ApiQuery<PresetFilter>,
    page: ListQuery,
) -> Result<Json<Page<Preset>>, Problem> {
    let words = filter.q.as_deref().map(str::trim);
    let words = words.filter(|words| !words.is_empty());
    let after = place(&page, LIST)?;
    let found = preset::list(state.hub(), words, after, i64::from(page.limit) + 1).await?;
    let cut = Page::cut(found, page.limit, |last| {
        Cursor::encode(LIST, &(last.updated_ms, *last.id.as_bytes()))
    });
    Ok(Json(cut.map(Preset::of)))
}

/// Adds a preset; every branch hears of it.
#[utoipa::path(post, path = "/api/v1/presets", tag = "presets", params(KeyHeader), request_body = PresetInput,
    extensions(("x-permission" = json!("catalogue_write"))),
    responses((status = 201, body = Preset), WriteErrors))]
async fn create(
    State(state): State<HubState>,
    who: May<may::CatalogueWrite>,
    ApiCommand { body, request }: ApiCommand<PresetInput>,
) -> Result<Response, Problem> {
    command(&state, &who, codes::ROWS, request, move |tx| {
        Box::pin(async move {
            let price = body.price.read("/price")?;
            let fields = PresetRow {
                category: body.category,
                fault: body.fault,
                service: body.service,
                price_minor: price.amount_minor,
                currency: price.currency,
                tax_bp: body.tax_rate_bp,
                minutes: body.minutes,
                active: true,
            };
            let record = preset::create(tx, fields).await?;
            let tag = ETag::of_version(record.version);
            answer(StatusCode::CREATED, Some(&tag), &Preset::of(record))
        })
    })
    .await
}

/// One preset.
#[utoipa::path(get, path = "/api/v1/presets/{id}", tag = "presets",
    params(("id" = String, Path, format = "uuid", description = "The preset")),
    extensions(("x-permission" = json!("basics_read"))),
    responses((status = 200, body = Preset, headers(("ETag" = String, description = "The version"))), ReadErrors))]
async fn get(
    State(state): State<HubState>,
    _who: May<may::BasicsRead>,
    ApiPath(id): ApiPath<PresetId>,
) -> Result<Response, Problem> {
    let found = preset::get(state.hub(), id).await?;
    let tag = ETag::of_version(found.version);
    Ok((tag, Json(Preset::of(found))).into_response())
}

/// Changes a preset; every branch hears of it.
#[utoipa::path(patch, path = "/api/v1/presets/{id}", tag = "presets",
    params(("id" = String, Path, format = "uuid", description = "The preset"), MatchHeader, KeyHeader),
    request_body = PresetChange,
    extensions(("x-permission" = json!("catalogue_write"))),
    responses((status = 200, body = Preset, headers(("ETag" = String, description = "The version"))), WriteErrors))]
async fn patch(
    State(state): State<HubState>,
    who: May<may::CatalogueWrite>,
    ApiPath(id): ApiPath<PresetId>,
    if_match: IfMatch,
    ApiCommand { body, request }: ApiCommand<PresetChange>,
) -> Result<Response, Problem> {
    command(&state, &who, codes::ROWS, request, move |tx| {
        Box::pin(async move {
            let change = PresetPatch {
                category: body.category,
                fault: body.fault,
                service: body.service,
                price: body.price.map(|price| price.read("/price")).transpose()?,
                tax_bp: body.tax_rate_bp,
                minutes: body.minutes,
                active: body.active,
            };
            let record = preset::patch(tx, id, check_version(if_match), change).await?;
            let tag = ETag::of_version(record.version);
            answer(StatusCode::OK, Some(&tag), &Preset::of(record))
        })
    })
    .await
}
