//! Imports: a file of any size, read as it arrives, written in whole batches.
//!
//! An upload that breaks off leaves whole batches and can be repeated: a record's identity is in the record. The
//! fingerprint of a request with a key is made while the file streams by.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use futures_util::StreamExt;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web_kit::openapi::{KeyHeader, errors};
use web_kit::{ApiPath, ApiQuery, IdempotencyKey, IdempotencySecret, IdempotentRequest, Problem};

use crate::api::caller::{Caller, May, may};
use crate::api::command::{answered, respond};
use crate::api::live::{ImportProgress, stopped};
use crate::api::state::EdgeState;
use crate::app::import::table::{Field, Kind, Places, Reading, TableImporter};
use crate::app::import::{ImportOptions, ImportReport, Importer};
use crate::error::AppError;
use web_kit::wire::TableKindForm;

const ORDS: &str = "/api/v1/imports/ords";
const TELL_EVERY: Duration = Duration::from_millis(500);
const LOG_EVERY: Duration = Duration::from_secs(5);

pub(super) fn routes() -> OpenApiRouter<EdgeState> {
    OpenApiRouter::new()
        .routes(routes!(ords))
        .routes(routes!(table))
}

/// Errors of an import; it has no limit of size.
struct ImportErrors;

impl utoipa::IntoResponses for ImportErrors {
    fn responses()
    -> std::collections::BTreeMap<String, utoipa::openapi::RefOr<utoipa::openapi::Response>> {
        errors(&[400, 401, 403, 422, 503])
    }
}

/// Errors of an import whose address names what comes in.
struct TableErrors;

impl utoipa::IntoResponses for TableErrors {
    fn responses()
    -> std::collections::BTreeMap<String, utoipa::openapi::RefOr<utoipa::openapi::Response>> {
        errors(&[400, 401, 403, 404, 422, 503])
    }
}

/// What is said beside the file.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ImportQuery {
    /// Only records of this `group_identifier`; others count nowhere.
    #[serde(default, deserialize_with = "web_kit::extract::query_text")]
    #[param(required = false, max_length = 200)]
    group: Option<String>,
    /// Stands in for an absent or empty `data_provider`.
    #[serde(default, deserialize_with = "web_kit::extract::query_text")]
    #[param(required = false, max_length = 200)]
    data_provider: Option<String>,
}

/// Imports an Open Repair Data Standard file (CSV), streamed. `read` is the sum of created, changed, skipped (there
/// already and equal) and rejected; the first 1,000 rejected rows are listed. A file twice, shuffled or in part creates
/// nothing new.
#[utoipa::path(post, path = "/api/v1/imports/ords", tag = "imports", params(ImportQuery, KeyHeader),
    request_body(content = String, content_type = "text/csv"),
    extensions(("x-permission" = json!("import"))),
    responses((status = 200, body = ImportReport), ImportErrors))]
async fn ords(
    State(edge): State<EdgeState>,
    who: May<may::Import>,
    ApiQuery(query): ApiQuery<ImportQuery>,
    key: Option<IdempotencyKey>,
    body: Body,
) -> Result<Response, Problem> {
    let mut upload = Upload::new(&edge, body);
    let is_known = match &key {
        Some(key) => is_known(&edge, &who, ORDS, key).await?,
        None => false,
    };
    let options = ImportOptions {
        group: query.group.clone(),
        data_provider: query.data_provider.clone(),
    };
    let report = if is_known {
        // The answer is kept already: the file is only read to see that it is the same one.
        while upload.next().await?.is_some() {}
        ImportReport::default()
    } else {
        import(&edge, &who, options, &mut upload).await?
    };
    let said = format!("{:?}", (&query.group, &query.data_provider));
    let request = upload.request(&edge, ORDS, key, &said);
    let answer = answered(&edge, &who, request, StatusCode::OK, move |_, _| Ok(report));
    Ok(respond(answer.await?))
}

/// What is said beside a table.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TableQuery {
    /// Columns that are called otherwise than usual, as `field:column;field:column`, such as
    /// `name:Kunde;phone:Tel. privat`. Fields are named in the description of the route.
    #[serde(default, deserialize_with = "web_kit::extract::query_text")]
    #[param(required = false, max_length = 200)]
    columns: Option<String>,
}

impl TableQuery {
    fn reading(&self, kind: Kind) -> Result<Reading, Problem> {
        let said = self.columns.as_deref().unwrap_or_default();
        let mut named = BTreeMap::new();
        for pair in said.split(';').filter(|pair| !pair.trim().is_empty()) {
            let field = pair.split_once(':').and_then(|(field, column)| {
                let field =
                    Field::of_name(field.trim()).filter(|field| kind.fields().contains(field))?;
                Some((field, column.trim().to_owned()))
            });
            let (field, column) = field.ok_or_else(|| {
                let names: Vec<&str> = kind.fields().iter().map(|field| field.name()).collect();
                Problem::invalid_field(
                    "/columns",
                    format!(
                        "Write field:column;field:column; the fields are {}.",
                        names.join(", ")
                    ),
                )
            })?;
            named.insert(field, column);
        }
        Ok(Reading {
            kind,
            places: if named.is_empty() {
                Places::Guessed
            } else {
                Places::Named(named)
            },
        })
    }
}

/// Imports a table of another program (CSV with a first line of names, streamed); columns are found by their usual
/// names.
///
/// `customers`: `customer_id`, `given_name`, `name` (required), `phone`, `email`, `address`, `postcode`, `city`,
/// `language`, `note`. A row is known by `customer_id`, else by name with phone or e-mail: nobody is taken in twice.
///
/// `stock`: `sku` (required, or a barcode of the part), `quantity` (required), `bin`, `reorder_point`. A row is known by
/// part and bin. A part that is not in the catalogue, and another figure for a shelf that was taken over, is refused.
///
/// `orders` that have not ended: `order_id` (required), `taken_in`, `customer_id`, `name`, `phone`, `email`, `category`,
/// `brand`, `model`, `serial`, `fault`, `accessories`, `status`, `promised`, `urgent`, `note`. A row is known by
/// `order_id`; one that says something else later changes device, promise and urgency, the status stays the shop's.
#[utoipa::path(post, path = "/api/v1/imports/{kind}", tag = "imports",
    params(("kind" = TableKindForm, Path, description = "What the table holds"), TableQuery, KeyHeader),
    request_body(content = String, content_type = "text/csv"),
    extensions(("x-permission" = json!("import"))),
    responses((status = 200, body = ImportReport), TableErrors))]
async fn table(
    State(edge): State<EdgeState>,
    who: May<may::Import>,
    ApiPath(kind): ApiPath<String>,
    ApiQuery(query): ApiQuery<TableQuery>,
    key: Option<IdempotencyKey>,
    body: Body,
) -> Result<Response, Problem> {
    let kind = Kind::of_name(&kind)
        .ok_or_else(|| Problem::not_found("There is no such kind of table."))?;
    take_over(&edge, &who, kind, &query, key, body).await
}

async fn take_over(
    edge: &EdgeState,
    who: &Caller,
    kind: Kind,
    query: &TableQuery,
    key: Option<IdempotencyKey>,
    body: Body,
) -> Result<Response, Problem> {
    let reading = query.reading(kind)?;
    let path = format!("/api/v1/imports/{}", kind.name());
    let mut upload = Upload::new(edge, body);
    let is_known = match &key {
        Some(key) => is_known(edge, who, &path, key).await?,
        None => false,
    };
    let mut report = ImportReport::default();
    if is_known {
        // The answer is kept already: the file is only read to see that it is the same one.
        while upload.next().await?.is_some() {}
    } else {
        let mut importer = TableImporter::new(edge.store(), who.actor(), reading).await?;
        let mut teller = Teller::new(edge);
        while let Some(piece) = upload.next().await? {
            importer.push(&piece).await?;
            teller.tell(importer.report());
        }
        (report, _) = importer.finish().await?;
        teller.end(&report);
    }
    let request = upload.request(
        edge,
        &path,
        key,
        query.columns.as_deref().unwrap_or_default(),
    );
    let answer = answered(edge, who, request, StatusCode::OK, move |_, _| Ok(report));
    Ok(respond(answer.await?))
}

async fn import(
    edge: &EdgeState,
    who: &Caller,
    options: ImportOptions,
    upload: &mut Upload,
) -> Result<ImportReport, Problem> {
    let mut importer = Importer::new(edge.store(), who.actor(), options)?;
    let mut teller = Teller::new(edge);
    while let Some(piece) = upload.next().await? {
        importer.push(&piece).await?;
        teller.tell(importer.report());
    }
    let report = importer.finish().await?;
    teller.end(&report);
    Ok(report)
}

/// Whether an answer is kept under this key. An empty fingerprint is that of no request, so a kept answer shows as
/// [`AppError::KeyReused`].
async fn is_known(
    edge: &EdgeState,
    who: &Caller,
    path: &str,
    key: &IdempotencyKey,
) -> Result<bool, Problem> {
    let probe = IdempotentRequest {
        key: Some(key.as_str().to_owned()),
        route: format!("POST {path}"),
        body_hmac: [0; 32],
    };
    let asked = answered::<(), _>(edge, who, probe, StatusCode::OK, |_, _| {
        Err(AppError::NotFound { what: "answer" })
    });
    match asked.await {
        Err(AppError::NotFound { .. }) => Ok(false),
        Err(AppError::KeyReused) | Ok(_) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

/// The body as it arrives, with its hash.
struct Upload {
    pieces: axum::body::BodyDataStream,
    stopping: tokio::sync::watch::Receiver<bool>,
    hash: Sha256,
}

impl Upload {
    fn new(edge: &EdgeState, body: Body) -> Self {
        Self {
            pieces: body.into_data_stream(),
            stopping: edge.stopping(),
            hash: Sha256::new(),
        }
    }

    async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        tokio::select! {
            biased;
            () = stopped(&mut self.stopping) => {
                Err(Problem::unavailable("the program, which is ending; repeat the import later"))
            }
            piece = self.pieces.next() => match piece {
                None => Ok(None),
                Some(Ok(piece)) => {
                    self.hash.update(&piece);
                    Ok(Some(piece))
                }
                Some(Err(error)) => {
                    tracing::info!(%error, "an upload broke off");
                    Err(Problem::bad_request("The upload broke off. What was written stays; repeat it."))
                }
            },
        }
    }

    fn request(
        self,
        edge: &EdgeState,
        path: &str,
        key: Option<IdempotencyKey>,
        said: &str,
    ) -> IdempotentRequest {
        let secret: IdempotencySecret = axum::extract::FromRef::from_ref(edge);
        let body = [&self.hash.finalize()[..], said.as_bytes()].concat();
        IdempotentRequest::new(&secret, key, format!("POST {path}"), &body)
    }
}

/// Tells log and pages how far an import is, not more often than anybody can read.
pub(crate) struct Teller<'a> {
    edge: &'a EdgeState,
    import: u64,
    told_at: Instant,
    logged_at: Instant,
    counted: u64,
}

impl<'a> Teller<'a> {
    pub(crate) fn new(edge: &'a EdgeState) -> Self {
        let import = edge.next_import();
        tracing::info!(import, "import begins");
        Self {
            edge,
            import,
            told_at: Instant::now(),
            logged_at: Instant::now(),
            counted: 0,
        }
    }

    pub(crate) fn tell(&mut self, report: &ImportReport) {
        if self.told_at.elapsed() >= TELL_EVERY {
            self.told_at = Instant::now();
            self.send(report, false);
        }
        if self.logged_at.elapsed() >= LOG_EVERY {
            self.logged_at = Instant::now();
            let ImportReport {
                read,
                created,
                rejected,
                ..
            } = report;
            tracing::info!(
                import = self.import,
                read,
                created,
                rejected,
                "import goes on"
            );
        }
    }

    pub(crate) fn end(&mut self, report: &ImportReport) {
        self.send(report, true);
        let ImportReport {
            read,
            created,
            changed,
            skipped,
            rejected,
            ..
        } = report;
        tracing::info!(
            import = self.import,
            read,
            created,
            changed,
            skipped,
            rejected,
            "import done"
        );
    }

    fn send(&mut self, report: &ImportReport, done: bool) {
        self.edge
            .metrics()
            .imported(report.read.saturating_sub(self.counted));
        self.counted = report.read;
        self.edge.tell_import(ImportProgress {
            import: self.import,
            read: report.read,
            created: report.created,
            changed: report.changed,
            skipped: report.skipped,
            rejected: report.rejected,
            done,
        });
    }
}
