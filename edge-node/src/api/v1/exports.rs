//! Exports: everything that is held, streamed piece by piece, each piece from one reading.
//!
//! Memory does not grow with the number of rows. What is written while an export runs may or may not be in it.

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream::try_unfold;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web_kit::openapi::ReadErrors;
use web_kit::{ApiPath, Problem};

use crate::api::caller::{May, may};
use crate::api::state::EdgeState;
use crate::app::export::{self, ExportCursor, ExportFormat, ExportWhat};
use crate::error::AppError;
use crate::store::{Actor, Store};

pub(super) fn routes() -> OpenApiRouter<EdgeState> {
    OpenApiRouter::new().routes(routes!(download))
}

/// Names of the files.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "only its schema is used")]
enum ExportFile {
    #[schema(rename = "orders.csv")]
    OrdersCsv,
    #[schema(rename = "orders.jsonl")]
    OrdersJsonl,
    #[schema(rename = "customers.csv")]
    CustomersCsv,
    #[schema(rename = "customers.jsonl")]
    CustomersJsonl,
    #[schema(rename = "stock.csv")]
    StockCsv,
    #[schema(rename = "stock.jsonl")]
    StockJsonl,
    #[schema(rename = "movements.csv")]
    MovementsCsv,
    #[schema(rename = "movements.jsonl")]
    MovementsJsonl,
}

/// What a file's name means.
pub(crate) fn parse_file(name: &str) -> Option<(ExportWhat, ExportFormat)> {
    let (what, format) = name.split_once('.')?;
    let what = match what {
        "orders" => ExportWhat::Orders,
        "customers" => ExportWhat::Customers,
        "stock" => ExportWhat::Stock,
        "movements" => ExportWhat::Movements,
        _ => return None,
    };
    match format {
        "csv" => Some((what, ExportFormat::Csv)),
        "jsonl" => Some((what, ExportFormat::Jsonl)),
        _ => None,
    }
}

struct Place {
    store: Store,
    actor: Actor,
    what: ExportWhat,
    format: ExportFormat,
    after: Option<ExportCursor>,
}

impl Place {
    /// The next piece, and where to go on.
    async fn step(self) -> Result<(Bytes, Option<Self>), AppError> {
        let Self {
            store,
            actor,
            what,
            format,
            after,
        } = self;
        let read = store.read(move |reader| export::chunk(reader, &actor, what, format, after));
        let chunk = read.await?;
        let next = chunk.next.map(|after| Self {
            store,
            actor,
            what,
            format,
            after: Some(after),
        });
        Ok((Bytes::from(chunk.bytes), next))
    }
}

/// Everything held of one kind, as CSV with a header or as one JSON object per line.
#[utoipa::path(get, path = "/api/v1/exports/{file}", tag = "exports",
    params(("file" = inline(ExportFile), Path, description = "What, and in which format")),
    extensions(("x-permission" = json!("export"))),
    responses((status = 200, content((String = "text/csv"), (String = "application/jsonl"))), ReadErrors))]
async fn download(
    State(edge): State<EdgeState>,
    who: May<may::Export>,
    ApiPath(file): ApiPath<String>,
) -> Result<Response, Problem> {
    let (what, format) =
        parse_file(&file).ok_or_else(|| Problem::not_found("There is no such export."))?;
    let start = Place {
        store: edge.store().clone(),
        actor: who.actor(),
        what,
        format,
        after: None,
    };
    // The first piece is read before the head is sent, so that a refusal is still a problem.
    let (first, rest) = start.step().await?;
    let pieces = try_unfold((Some(first), rest), |(ready, rest)| async move {
        match (ready, rest) {
            (Some(piece), rest) => Ok(Some((piece, (None, rest)))),
            (None, Some(place)) => {
                let (piece, rest) = place.step().await.inspect_err(|error| {
                    tracing::error!(%error, "an export broke off");
                })?;
                Ok::<_, AppError>(Some((piece, (None, rest))))
            }
            (None, None) => Ok(None),
        }
    });
    let (content_type, name) = match format {
        ExportFormat::Csv => ("text/csv; charset=utf-8", file),
        ExportFormat::Jsonl => ("application/jsonl; charset=utf-8", file),
    };
    let disposition = HeaderValue::try_from(format!("attachment; filename=\"{name}\""))
        .map_err(|_| Problem::not_found("There is no such export."))?;
    let head = [
        (header::CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    Ok((head, Body::from_stream(pieces)).into_response())
}
