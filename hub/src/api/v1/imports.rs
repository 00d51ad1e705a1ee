//! Imports: a file of any size, read as it arrives, written in whole batches.
//!
//! An upload that breaks off leaves whole batches and can be repeated: a part's identity is its sku. The fingerprint of
//! a request with a key is made while the file streams by.

use std::collections::BTreeMap;

use axum::body::{Body, BodyDataStream, Bytes};
use axum::extract::{FromRef, State};
use axum::http::StatusCode;
use axum::response::Response;
use futures_util::{FutureExt, StreamExt};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use sync_protocol::item::command as codes;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web_kit::openapi::{KeyHeader, errors};
use web_kit::{ApiQuery, IdempotencyKey, IdempotencySecret, IdempotentRequest, Problem};

use crate::api::caller::{Caller, May, may};
use crate::api::command::{answer, respond};
use crate::api::state::HubState;
use crate::app::error::AppError;
use crate::app::idempotency::{Answered, Request, once};
use crate::app::part::import::{Column, ImportReport, Preview, Upload, import};

const PATH: &str = "/api/v1/imports/parts";

pub(super) fn routes() -> OpenApiRouter<HubState> {
    OpenApiRouter::new().routes(routes!(parts))
}

/// Errors of an import; it has no limit of size.
struct ImportErrors;

impl utoipa::IntoResponses for ImportErrors {
    fn responses()
    -> std::collections::BTreeMap<String, utoipa::openapi::RefOr<utoipa::openapi::Response>> {
        errors(&[400, 401, 403, 422, 503])
    }
}

/// Which of the file's columns is which; without it a column goes by its name, English or German. Empty for none.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ImportQuery {
    /// The column of part numbers.
    #[serde(default)]
    #[param(required = false, max_length = 200)]
    sku: Option<String>,
    /// The column of names.
    #[serde(default)]
    #[param(required = false, max_length = 200)]
    name: Option<String>,
    /// The column of categories.
    #[serde(default)]
    #[param(required = false, max_length = 200)]
    category: Option<String>,
    /// The column of prices, as in 12.90 or 12,90.
    #[serde(default)]
    #[param(required = false, max_length = 200)]
    price: Option<String>,
    /// The column of currencies; without one, that of most branches.
    #[serde(default)]
    #[param(required = false, max_length = 200)]
    currency: Option<String>,
    /// The column of tax rates in percent; without one, the company's highest.
    #[serde(default)]
    #[param(required = false, max_length = 200)]
    tax_rate: Option<String>,
    /// The column of barcodes, several apart by spaces, commas or bars.
    #[serde(default)]
    #[param(required = false, max_length = 200)]
    barcodes: Option<String>,
    /// The column that says whether a part can still be ordered.
    #[serde(default)]
    #[param(required = false, max_length = 200)]
    active: Option<String>,
}

impl ImportQuery {
    /// The chosen columns.
    pub(crate) fn columns(&self) -> BTreeMap<Column, String> {
        let of = |column: Column| match column {
            Column::Sku => &self.sku,
            Column::Name => &self.name,
            Column::Category => &self.category,
            Column::Price => &self.price,
            Column::Currency => &self.currency,
            Column::TaxRate => &self.tax_rate,
            Column::Barcodes => &self.barcodes,
            Column::Active => &self.active,
        };
        Column::ALL
            .into_iter()
            .filter_map(|column| Some((column, of(column).clone()?)))
            .collect()
    }
}

/// Imports parts from a CSV file (UTF-8; comma, semicolon or tab), streamed: new ones are added, those that differ are
/// changed, columns that are not there change nothing. `read` is the sum of created, changed, skipped (there already
/// and equal) and rejected; the first 1,000 rejected rows are listed. A file twice, shuffled or in part makes nothing
/// twice.
#[utoipa::path(post, path = "/api/v1/imports/parts", tag = "imports", params(ImportQuery, KeyHeader),
    request_body(content = String, content_type = "text/csv"),
    extensions(("x-permission" = json!("import"))),
    responses((status = 200, body = ImportReport), ImportErrors))]
async fn parts(
    State(state): State<HubState>,
    who: May<may::Import>,
    ApiQuery(query): ApiQuery<ImportQuery>,
    key: Option<IdempotencyKey>,
    body: Body,
) -> Result<Response, Problem> {
    Ok(respond(run(&state, &who, &query, key, body).await?))
}

/// Imports once for each key.
pub(crate) async fn run(
    state: &HubState,
    who: &Caller,
    query: &ImportQuery,
    key: Option<IdempotencyKey>,
    body: Body,
) -> Result<Answered, Problem> {
    let mut stream = Stream {
        pieces: body.into_data_stream(),
        hash: Sha256::new(),
    };
    let is_known = match &key {
        Some(key) => is_known(state, who, key).await?,
        None => false,
    };
    let report = if is_known {
        // The answer is kept already: the file is only read to see that it is the same one.
        while stream.next().await?.is_some() {}
        ImportReport::default()
    } else {
        read(state, who, query, &mut stream, true).await?.report
    };
    let request = stream.request(state, key, query);
    let work = once(
        state.hub(),
        who.person.actor(),
        codes::IMPORT,
        &request,
        move |_| async move { answer(StatusCode::OK, None, &report) }.boxed(),
    );
    Ok(work.await?)
}

/// What an import would do.
pub(crate) async fn preview(
    state: &HubState,
    who: &Caller,
    query: &ImportQuery,
    body: Body,
) -> Result<Preview, Problem> {
    let mut stream = Stream {
        pieces: body.into_data_stream(),
        hash: Sha256::new(),
    };
    read(state, who, query, &mut stream, false).await
}

async fn read(
    state: &HubState,
    who: &Caller,
    query: &ImportQuery,
    stream: &mut Stream,
    write: bool,
) -> Result<Preview, Problem> {
    let Upload { pieces, rows } = Upload::start(query.columns());
    let feeding = async move {
        while let Some(piece) = stream.next().await? {
            if pieces.send(piece).await.is_err() {
                // The reader has seen enough: what it says comes from the other end.
                break;
            }
        }
        while stream.next().await?.is_some() {}
        Ok::<(), Problem>(())
    };
    let importing = import(state.hub(), who.person.actor(), rows, write);
    let (fed, imported) = tokio::join!(feeding, importing);
    let imported = imported?;
    fed?;
    Ok(imported)
}

/// Whether an answer is kept under this key. An empty fingerprint is that of no request, so a kept answer shows as
/// [`AppError::KeyReused`].
async fn is_known(state: &HubState, who: &Caller, key: &IdempotencyKey) -> Result<bool, Problem> {
    let probe = Request {
        key: Some(key.as_str().to_owned()),
        route: format!("POST {PATH}"),
        fingerprint: [0; 32],
    };
    let asked = once(
        state.hub(),
        who.person.actor(),
        codes::IMPORT,
        &probe,
        |_| async { Err(AppError::NotFound { what: "answer" }) }.boxed(),
    );
    match asked.await {
        Err(AppError::NotFound { .. }) => Ok(false),
        Err(AppError::KeyReused) | Ok(_) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

/// The body as it arrives, with its hash.
struct Stream {
    pieces: BodyDataStream,
    hash: Sha256,
}

impl Stream {
    async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        match self.pieces.next().await {
            None => Ok(None),
            Some(Ok(piece)) => {
                self.hash.update(&piece);
                Ok(Some(piece))
            }
            Some(Err(error)) => {
                tracing::info!(%error, "an upload broke off");
                Err(Problem::bad_request(
                    "The upload broke off. What was written stays; repeat it.",
                ))
            }
        }
    }

    fn request(
        self,
        state: &HubState,
        key: Option<IdempotencyKey>,
        query: &ImportQuery,
    ) -> Request {
        let secret = IdempotencySecret::from_ref(state);
        let said = format!("{:?}", query.columns());
        let body = [&self.hash.finalize()[..], said.as_bytes()].concat();
        let request = IdempotentRequest::new(&secret, key, format!("POST {PATH}"), &body);
        Request {
            key: request.key,
            route: request.route,
            fingerprint: request.body_hmac,
        }
    }
}
