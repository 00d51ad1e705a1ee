//! Branches: made, changed, found by distance; join codes for their machines.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::id::BranchId;
use domain::patch::Patch;
use serde::{Deserialize, Serialize};
use sync_protocol::item::command as codes;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web_kit::openapi::{KeyHeader, MatchHeader, ReadErrors, WriteErrors};
use web_kit::{
    ApiCommand, ApiPath, ApiQuery, Cursor, ETag, IfMatch, ListQuery, NoBody, Page, Problem,
};

use crate::api::caller::{May, may};
use crate::api::command::{answer, command};
use crate::api::state::HubState;
use crate::api::wire::{check_version, currency, place, time};
use crate::app::branch::{
    self, BranchPatch, BranchState, LinkState, NearBranch, NearQuery, NewBranch,
};
use crate::app::error::AppError;

const LIST: &str = "branches";

pub(super) fn routes() -> OpenApiRouter<HubState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(nearest))
        .routes(routes!(get, patch))
        .routes(routes!(join_code))
}

/// A place on the globe.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Location {
    /// Degrees north.
    #[schema(minimum = -90, maximum = 90, example = 52.53)]
    pub latitude: f64,
    /// Degrees east.
    #[schema(minimum = -180, maximum = 180, example = 13.385)]
    pub longitude: f64,
}

/// A branch.
#[derive(Debug, Serialize, ToSchema)]
pub struct Branch {
    /// Its id.
    #[schema(format = "uuid")]
    id: String,
    /// Begins every number of the branch.
    code: String,
    /// Its name.
    name: String,
    /// Its region.
    region: String,
    /// Its address.
    address: String,
    /// Where it is, if known.
    #[schema(required = true)]
    location: Option<Location>,
    /// An IANA time zone.
    time_zone: String,
    /// Currency of its prices.
    currency: String,
    /// How many orders it can have open.
    capacity: u32,
    /// Whether its prices include tax.
    prices_include_tax: bool,
    /// Whether it is open for business.
    active: bool,
    /// When it is open.
    opening_hours: String,
    /// The language of its pages and papers.
    language: String,
    /// The line to it: `connected`, `cut_off` or `no_machine`.
    link: String,
    /// Since when.
    #[schema(required = true, format = "date-time")]
    link_since: Option<String>,
    /// When it was last heard.
    #[schema(required = true, format = "date-time")]
    last_contact: Option<String>,
    /// What is on its way.
    lag: Lag,
    /// When it was made.
    #[schema(format = "date-time")]
    created_at: String,
    /// When it was last changed.
    #[schema(format = "date-time")]
    updated_at: String,
}

/// What is on its way to and from a branch.
#[derive(Debug, Serialize, ToSchema)]
pub struct Lag {
    /// Transactions that the branch named and the hub does not have yet.
    transactions: u64,
    /// Feed entries that the branch has not applied yet.
    feed_entries: u64,
}

impl Branch {
    fn of(state: BranchState) -> Self {
        let BranchState { record, link } = state;
        let fields = record.fields;
        Self {
            id: record.id.to_string(),
            code: fields.code,
            name: fields.name,
            region: fields.region,
            address: fields.address,
            location: fields.location.map(|at| Location {
                latitude: at.latitude(),
                longitude: at.longitude(),
            }),
            time_zone: fields.time_zone,
            currency: fields.currency.to_string(),
            capacity: fields.capacity,
            prices_include_tax: fields.prices_include_tax,
            active: fields.active,
            opening_hours: fields.opening_hours,
            language: fields.language,
            link: link.state.as_str().to_owned(),
            link_since: link.since_ms.map(time),
            last_contact: link.last_contact_ms.map(time),
            lag: Lag {
                transactions: link.transactions_behind,
                feed_entries: link.entries_behind,
            },
            created_at: time(record.created_ms),
            updated_at: time(record.updated_ms),
        }
    }

    fn unlinked(record: branch::BranchRecord) -> Self {
        let link = branch::BranchLink {
            state: LinkState::NoMachine,
            since_ms: None,
            last_contact_ms: None,
            transactions_behind: 0,
            entries_behind: 0,
            node: None,
        };
        Self::of(BranchState { record, link })
    }
}

/// A new branch.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BranchInput {
    /// Two to six capital letters and digits.
    #[schema(pattern = "^[A-Z0-9]{2,6}$", example = "BER")]
    code: String,
    /// Its name.
    #[schema(example = "Berlin Mitte")]
    name: String,
    /// Branches of a region hear of each other's stock.
    #[serde(default)]
    region: String,
    /// Its address.
    #[serde(default)]
    address: String,
    /// Where it is.
    #[serde(default)]
    location: Option<Location>,
    /// An IANA time zone.
    #[schema(example = "Europe/Berlin")]
    time_zone: String,
    /// ISO 4217.
    #[schema(example = "EUR")]
    currency: String,
    /// How many orders it can have open.
    #[serde(default = "usual_capacity")]
    #[schema(minimum = 0, maximum = 1_000_000)]
    capacity: i64,
    /// Whether its prices include tax.
    #[serde(default = "yes")]
    prices_include_tax: bool,
    /// When it is open; empty for the company's hours.
    #[serde(default)]
    opening_hours: String,
    /// The language of its pages and papers.
    #[serde(default = "english")]
    #[schema(example = "de")]
    language: String,
}

fn english() -> String {
    "en".to_owned()
}

fn usual_capacity() -> i64 {
    50
}

fn yes() -> bool {
    true
}

/// What to change about a branch; absent fields stay.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BranchChange {
    code: Option<String>,
    name: Option<String>,
    region: Option<String>,
    address: Option<String>,
    /// null for not known.
    #[serde(default)]
    #[schema(value_type = Option<Location>)]
    location: Patch<Location>,
    time_zone: Option<String>,
    currency: Option<String>,
    capacity: Option<i64>,
    prices_include_tax: Option<bool>,
    active: Option<bool>,
    opening_hours: Option<String>,
    language: Option<String>,
}

/// Lists branches, newest first, with the state of their lines.
#[utoipa::path(get, path = "/api/v1/branches", tag = "branches", params(ListQuery),
    responses((status = 200, body = Page<Branch>), ReadErrors))]
async fn list(
    State(state): State<HubState>,
    who: May<may::BasicsRead>,
    page: ListQuery,
) -> Result<Json<Page<Branch>>, Problem> {
    let after = place(&page, LIST)?;
    let limit = i64::from(page.limit) + 1;
    let found = branch::list(state.hub(), &who.person.scope(), after, limit).await?;
    let cut = Page::cut(found, page.limit, |last| {
        Cursor::encode(LIST, &(last.record.created_ms, *last.record.id.as_bytes()))
    });
    Ok(Json(cut.map(Branch::of)))
}

/// Makes a branch.
#[utoipa::path(post, path = "/api/v1/branches", tag = "branches", params(KeyHeader), request_body = BranchInput,
    responses((status = 201, body = Branch), WriteErrors))]
async fn create(
    State(state): State<HubState>,
    who: May<may::BranchesWrite>,
    ApiCommand { body, request }: ApiCommand<BranchInput>,
) -> Result<Response, Problem> {
    who.person.require_chain()?;
    command(&state, &who, codes::ROWS, request, move |tx| {
        Box::pin(async move {
            let new = NewBranch {
                currency: currency(&body.currency, "/currency")?,
                location: body.location.map(|at| (at.latitude, at.longitude)),
                code: body.code,
                name: body.name,
                region: body.region,
                address: body.address,
                time_zone: body.time_zone,
                capacity: body.capacity,
                prices_include_tax: body.prices_include_tax,
                opening_hours: body.opening_hours,
                language: body.language,
            };
            let record = branch::create(tx, new).await?;
            let tag = ETag::of_version(record.version);
            answer(StatusCode::CREATED, Some(&tag), &Branch::unlinked(record))
        })
    })
    .await
}

/// One branch.
#[utoipa::path(get, path = "/api/v1/branches/{id}", tag = "branches",
    params(("id" = String, Path, format = "uuid", description = "The branch")),
    responses((status = 200, body = Branch, headers(("ETag" = String, description = "The version"))), ReadErrors))]
async fn get(
    State(state): State<HubState>,
    who: May<may::BasicsRead>,
    ApiPath(id): ApiPath<BranchId>,
) -> Result<Response, Problem> {
    who.person.require_branch(id)?;
    let found = branch::get(state.hub(), id).await?;
    let tag = ETag::of_version(found.record.version);
    Ok((tag, Json(Branch::of(found))).into_response())
}

/// Changes a branch.
#[utoipa::path(patch, path = "/api/v1/branches/{id}", tag = "branches",
    params(("id" = String, Path, format = "uuid", description = "The branch"), MatchHeader, KeyHeader),
    request_body = BranchChange,
    responses((status = 200, body = Branch, headers(("ETag" = String, description = "The version"))), WriteErrors))]
async fn patch(
    State(state): State<HubState>,
    who: May<may::BranchesWrite>,
    ApiPath(id): ApiPath<BranchId>,
    if_match: IfMatch,
    ApiCommand { body, request }: ApiCommand<BranchChange>,
) -> Result<Response, Problem> {
    who.person.require_branch(id)?;
    command(&state, &who, codes::ROWS, request, move |tx| {
        Box::pin(async move {
            let change = BranchPatch {
                currency: body
                    .currency
                    .map(|code| currency(&code, "/currency"))
                    .transpose()?,
                location: match body.location {
                    Patch::Keep => None,
                    Patch::Clear => Some(None),
                    Patch::Set(at) => Some(Some((at.latitude, at.longitude))),
                },
                code: body.code,
                name: body.name,
                region: body.region,
                address: body.address,
                time_zone: body.time_zone,
                capacity: body.capacity,
                prices_include_tax: body.prices_include_tax,
                active: body.active,
                opening_hours: body.opening_hours,
                language: body.language,
            };
            let record = branch::patch(tx, id, check_version(if_match), change).await?;
            let tag = ETag::of_version(record.version);
            answer(StatusCode::OK, Some(&tag), &Branch::unlinked(record))
        })
    })
    .await
}

/// A one-use code for a machine of a branch.
#[derive(Debug, Serialize, ToSchema)]
pub struct JoinCodeAnswer {
    /// What `edge-node join` is given; shown once.
    code: String,
    /// Until when it is good.
    #[schema(format = "date-time")]
    expires_at: String,
}

/// Makes a one-use join code, good for 30 minutes.
#[utoipa::path(post, path = "/api/v1/branches/{id}/join-codes", tag = "branches",
    params(("id" = String, Path, format = "uuid", description = "The branch"), KeyHeader),
    responses((status = 201, body = JoinCodeAnswer), WriteErrors))]
async fn join_code(
    State(state): State<HubState>,
    who: May<may::JoinCodes>,
    ApiPath(id): ApiPath<BranchId>,
    ApiCommand {
        body: NoBody,
        request,
    }: ApiCommand<NoBody>,
) -> Result<Response, Problem> {
    who.person.require_branch(id)?;
    let (fingerprint, staff) = (state.ca().fingerprint(), who.person.id);
    command(&state, &who, codes::NODES, request, move |tx| {
        Box::pin(async move {
            let made = branch::new_join_code(tx, id, fingerprint, staff).await?;
            let made = JoinCodeAnswer {
                code: made.code.to_string(),
                expires_at: time(made.expires_ms),
            };
            answer(StatusCode::CREATED, None, &made)
        })
    })
    .await
}

/// Which branches are near.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct NearestQuery {
    /// Degrees north.
    #[param(minimum = -90, maximum = 90, example = 52.5)]
    latitude: f64,
    /// Degrees east.
    #[param(minimum = -180, maximum = 180, example = 13.4)]
    longitude: f64,
    /// Only branches that have this part free.
    sku: Option<String>,
    /// How many pieces of it.
    #[param(minimum = 1, maximum = 1_000_000)]
    quantity: Option<i64>,
    /// How many branches.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<i64>,
}

/// A branch with its distance.
#[derive(Debug, Serialize, ToSchema)]
pub struct NearestBranch {
    /// The branch.
    #[schema(format = "uuid")]
    id: String,
    /// Its code.
    code: String,
    /// Its name.
    name: String,
    /// Its address.
    address: String,
    /// Metres over the globe's surface.
    distance_m: f64,
    /// Free pieces of the part asked for.
    #[schema(required = true)]
    free: Option<i64>,
    /// When that was so.
    #[schema(required = true, format = "date-time")]
    as_of: Option<String>,
}

/// The nearest branches, all in one answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct NearestAnswer {
    /// Nearest first.
    items: Vec<NearestBranch>,
}

/// The nearest open branches, of those that have a part free where one is named.
#[utoipa::path(get, path = "/api/v1/branches/nearest", tag = "branches", params(NearestQuery),
    responses((status = 200, body = NearestAnswer), ReadErrors))]
async fn nearest(
    State(state): State<HubState>,
    _who: May<may::BasicsRead>,
    ApiQuery(query): ApiQuery<NearestQuery>,
) -> Result<Json<NearestAnswer>, Problem> {
    let quantity = in_range(query.quantity, 1, 1_000_000, "/quantity")?;
    let limit = in_range(query.limit.or(Some(10)), 1, 500, "/limit")?;
    let query = NearQuery {
        latitude: query.latitude,
        longitude: query.longitude,
        sku: query.sku,
        quantity,
        limit,
    };
    let found = branch::nearest(state.hub(), &query).await?;
    let items = found.into_iter().map(near).collect();
    Ok(Json(NearestAnswer { items }))
}

fn in_range(value: Option<i64>, least: i64, most: i64, pointer: &str) -> Result<i64, AppError> {
    let value = value.unwrap_or(least);
    if (least..=most).contains(&value) {
        Ok(value)
    } else {
        Err(AppError::field(
            pointer,
            format!("must be a whole number from {least} to {most}"),
        ))
    }
}

fn near(found: NearBranch) -> NearestBranch {
    let fields = found.record.fields;
    NearestBranch {
        id: found.record.id.to_string(),
        code: fields.code,
        name: fields.name,
        address: fields.address,
        distance_m: (found.metres * 10.0).round() / 10.0,
        free: found.free,
        as_of: found.as_of_ms.map(time),
    }
}
