//! The company's settings.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::company::{CompanyRow, TaxRateRow};
use serde::{Deserialize, Serialize};
use sync_protocol::item::command as codes;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web_kit::openapi::{KeyHeader, MatchHeader, ReadErrors, WriteErrors};
use web_kit::{ApiCommand, ETag, IfMatch, Problem};

use crate::api::caller::{May, may};
use crate::api::command::{answer, command};
use crate::api::state::HubState;
use crate::api::wire::check_version;
use crate::app::settings::{self, CompanyPatch};

pub(super) fn routes() -> OpenApiRouter<HubState> {
    OpenApiRouter::new().routes(routes!(get, patch))
}

/// A tax rate.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TaxRate {
    /// Its name.
    #[schema(example = "standard")]
    name: String,
    /// Basis points.
    #[schema(example = 1900, minimum = 0, maximum = 10_000)]
    rate_bp: u32,
}

/// The company.
#[derive(Debug, Serialize, ToSchema)]
pub struct Settings {
    /// Its name in law.
    legal_name: String,
    /// Its tax number.
    tax_id: String,
    /// Its tax rates.
    tax_rates: Vec<TaxRate>,
    /// Texts of receipts by name.
    receipt_texts: BTreeMap<String, String>,
    /// When its branches are open, where a branch says nothing else.
    opening_hours: String,
}

impl Settings {
    fn of(row: CompanyRow) -> Self {
        let rate = |row: TaxRateRow| TaxRate {
            name: row.name,
            rate_bp: row.bp,
        };
        Self {
            legal_name: row.legal_name,
            tax_id: row.tax_id,
            tax_rates: row.tax_rates.into_iter().map(rate).collect(),
            receipt_texts: row.receipt_texts,
            opening_hours: row.opening_hours,
        }
    }
}

/// What to change; absent fields stay.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SettingsChange {
    legal_name: Option<String>,
    tax_id: Option<String>,
    tax_rates: Option<Vec<TaxRate>>,
    receipt_texts: Option<BTreeMap<String, String>>,
    opening_hours: Option<String>,
}

/// The company's settings.
#[utoipa::path(get, path = "/api/v1/settings", tag = "settings",
    responses((status = 200, body = Settings, headers(("ETag" = String, description = "The version"))), ReadErrors))]
async fn get(
    State(state): State<HubState>,
    _who: May<may::BasicsRead>,
) -> Result<Response, Problem> {
    let (version, row) = settings::get(state.hub()).await?;
    Ok((ETag::of_version(version), Json(Settings::of(row))).into_response())
}

/// Changes the company's settings; every branch hears of it.
#[utoipa::path(patch, path = "/api/v1/settings", tag = "settings", params(MatchHeader, KeyHeader),
    request_body = SettingsChange,
    responses((status = 200, body = Settings, headers(("ETag" = String, description = "The version"))), WriteErrors))]
async fn patch(
    State(state): State<HubState>,
    who: May<may::SettingsWrite>,
    if_match: IfMatch,
    ApiCommand { body, request }: ApiCommand<SettingsChange>,
) -> Result<Response, Problem> {
    let rates = |rates: Vec<TaxRate>| {
        rates
            .into_iter()
            .map(|rate| TaxRateRow {
                name: rate.name,
                bp: rate.rate_bp,
            })
            .collect()
    };
    let change = CompanyPatch {
        legal_name: body.legal_name,
        tax_id: body.tax_id,
        tax_rates: body.tax_rates.map(rates),
        receipt_texts: body.receipt_texts,
        opening_hours: body.opening_hours,
    };
    command(&state, &who, codes::ROWS, request, move |tx| {
        Box::pin(async move {
            let (version, row) = settings::patch(tx, check_version(if_match), change).await?;
            answer(
                StatusCode::OK,
                Some(&ETag::of_version(version)),
                &Settings::of(row),
            )
        })
    })
    .await
}
