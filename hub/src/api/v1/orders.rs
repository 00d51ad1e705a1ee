//! Orders of the whole chain: listed, read, changed; notes.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::id::{DocumentId, LineId, StaffId, VisitId};
use domain::money::{Currency, Money};
use domain::order::{LineKind, OrderPatch as DomainPatch, Outcome, Status, allowed_moves};
use domain::patch::Patch;
use serde::{Deserialize, Serialize};
use sync_protocol::hash::Hash;
use sync_protocol::item::command as codes;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web_kit::openapi::{KeyHeader, MatchHeader, ReadErrors, WriteErrors};
use web_kit::order::{Device, Estimate, Note, OrderCustomer, StatusEvent, Totals};
use web_kit::wire::{LineKindForm, MoneyForm, OutcomeForm, Personal, StatusForm, Time, hex, money};
use web_kit::{ApiCommand, ApiPath, ApiQuery, Cursor, ETag, IfMatch, ListQuery, Page, Problem};

use crate::api::caller::{May, may};
use crate::api::command::{answer, command};
use crate::api::state::HubState;
use crate::api::wire::place;
use crate::app::error::AppError;
use crate::app::order::{self, OrderChange, OrderFilter, OrderState};
use crate::app::stock::optional_branch;

const LIST: &str = "orders";

pub(super) fn routes() -> OpenApiRouter<HubState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get, patch))
        .routes(routes!(note))
}

/// A repair order: one device.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = Order)]
pub struct Order {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    pub id: DocumentId,
    /// The number that people read.
    pub number: String,
    /// The visit, which groups the orders of several devices.
    #[schema(value_type = String, format = "uuid")]
    pub visit_id: VisitId,
    /// Code of the home branch.
    pub branch: String,
    /// Whose device it is; null for imported records and anonymous orders.
    #[schema(required = true)]
    pub customer: Option<OrderCustomer>,
    /// The device.
    pub device: Device,
    /// Where it stands.
    #[schema(value_type = StatusForm)]
    pub status: Status,
    /// How the work ended.
    #[schema(required = true, value_type = Option<OutcomeForm>)]
    pub outcome: Option<Outcome>,
    /// Where its branch may move it from here.
    #[schema(value_type = Vec<StatusForm>)]
    pub allowed: Vec<Status>,
    /// When it is promised.
    #[schema(required = true)]
    pub promised_at: Option<Time>,
    /// Who works on it.
    #[schema(required = true, value_type = Option<String>, format = "uuid")]
    pub technician_id: Option<StaffId>,
    /// Whether it goes first.
    pub urgent: bool,
    /// When the customer accepted the terms.
    #[schema(required = true)]
    pub terms_accepted_at: Option<Time>,
    /// Where an imported record comes from.
    #[schema(required = true)]
    pub source: Option<String>,
    /// What was found.
    pub diagnosis: String,
    /// What happened to the status, oldest first.
    pub events: Vec<StatusEvent>,
    /// Services, parts, fees, discounts.
    pub lines: Vec<Line>,
    /// Notes, oldest first.
    pub notes: Vec<Note>,
    /// Estimates by version.
    pub estimates: Vec<Estimate>,
    /// What it adds up to.
    pub totals: Totals,
    /// Whether people must decide something about it.
    pub conflict: bool,
    /// The document's heads, as hexadecimal text.
    pub heads: Vec<String>,
    /// How far it has come: what the hub shows is applied.
    pub sync: SyncState,
    /// When it was taken in.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
}

/// How far a change has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SyncState {
    /// The hub has applied it.
    Applied,
}

/// A priced line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = OrderLine)]
pub struct Line {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    pub id: LineId,
    /// What it is for.
    #[schema(value_type = LineKindForm)]
    pub kind: LineKind,
    /// What it says.
    pub text: String,
    /// The part's sku.
    #[schema(required = true)]
    pub sku: Option<String>,
    /// Pieces.
    pub quantity: i64,
    /// Price of one piece.
    #[schema(value_type = MoneyForm)]
    pub unit_price: Money,
    /// Tax rate in basis points.
    pub tax_rate_bp: u32,
}

impl Order {
    pub(super) fn of(state: OrderState) -> Self {
        let OrderState {
            record,
            branch,
            customer,
            heads,
        } = state;
        let view = record.view;
        let currency = view.currency;
        let sums = Totals::of(&view);
        let customer = customer.map(|(id, values)| OrderCustomer {
            id,
            name: values.name.map(Personal::from),
            phone: values.phone.map(Personal::from),
        });
        Self {
            id: record.document,
            visit_id: view.visit,
            branch,
            customer,
            device: view.device.into(),
            allowed: allowed_moves(view.status).to_vec(),
            status: view.status,
            outcome: view.outcome,
            promised_at: view.promised_at_ms.map(Time),
            technician_id: view.technician,
            urgent: view.urgent,
            terms_accepted_at: view.terms_at_ms.map(Time),
            source: view.source,
            diagnosis: view.diagnosis,
            events: view.events.into_iter().map(Into::into).collect(),
            lines: view
                .lines
                .into_iter()
                .map(|line| line_of(line, currency))
                .collect(),
            notes: view.notes.into_iter().map(Into::into).collect(),
            estimates: view
                .estimates
                .into_iter()
                .map(|estimate| Estimate::of(estimate, currency))
                .collect(),
            conflict: view.status_conflict || record.conflicts > 0 || sums.is_none(),
            totals: sums.unwrap_or_else(|| Totals::none(currency)),
            heads: heads.iter().map(|head| hex(head)).collect(),
            sync: SyncState::Applied,
            created_at: Time(record.created_ms),
            updated_at: Time(record.updated_ms),
            number: view.number,
        }
    }
}

fn line_of(line: domain::order::Line, currency: Currency) -> Line {
    Line {
        id: line.id,
        kind: line.kind,
        text: line.text,
        sku: line.sku,
        quantity: line.quantity,
        unit_price: money(line.unit_minor, currency),
        tax_rate_bp: line.tax_bp,
    }
}

/// What a list of orders is narrowed to.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OrderQuery {
    /// Only those in this status.
    #[serde(default)]
    #[param(required = false, value_type = StatusForm)]
    status: Option<Status>,
    /// Only those changed at or after this time.
    #[serde(default)]
    #[param(required = false, value_type = String, format = "date-time")]
    since: Option<Time>,
    /// Only those with this in number or serial; never a name, phone or e-mail.
    #[serde(default)]
    #[param(required = false, max_length = 200)]
    q: Option<String>,
    /// Only those of this branch, by code or id.
    #[serde(default)]
    #[param(required = false, max_length = 36)]
    branch: Option<String>,
}

/// Lists orders, newest first.
#[utoipa::path(get, path = "/api/v1/orders", tag = "orders", params(OrderQuery, ListQuery),
    extensions(("x-permission" = json!("orders_read"))),
    responses((status = 200, body = Page<Order>), ReadErrors))]
async fn list(
    State(state): State<HubState>,
    who: May<may::OrdersRead>,
    ApiQuery(query): ApiQuery<OrderQuery>,
    page: ListQuery,
) -> Result<Json<Page<Order>>, Problem> {
    let only = {
        let mut connection = state.hub().pool().acquire().await.map_err(AppError::from)?;
        optional_branch(&mut connection, query.branch.as_deref()).await?
    };
    let words = query
        .q
        .as_deref()
        .map(str::trim)
        .filter(|words| !words.is_empty());
    if words.is_some_and(|words| words.len() > 200) {
        return Err(Problem::invalid_field(
            "/q",
            "Must not be longer than 200 bytes.",
        ));
    }
    let filter = OrderFilter {
        status: query.status.map(|status| status.as_str().to_owned()),
        since_ms: query.since.map(|since| since.0),
        number: words.map(str::to_owned),
        place: place(&page, LIST)?,
        ..OrderFilter::newest(who.person.scope().narrowed(only), i64::from(page.limit) + 1)
    };
    let found = order::list(state.hub(), &filter).await?;
    let place_of = |last: &OrderState| (last.record.created_ms, *last.record.document.as_bytes());
    let cut = Page::cut(found, page.limit, |last| {
        Cursor::encode(LIST, &place_of(last))
    });
    Ok(Json(cut.map(Order::of)))
}

/// The tag of a document by its heads.
pub(super) fn tag_of(heads: &[Hash]) -> ETag {
    ETag::of_heads(heads)
}

/// The caller's `If-Match` against a document's heads.
pub(super) fn check_heads(
    if_match: IfMatch,
) -> impl FnOnce(&[Hash]) -> Result<(), AppError> + Send {
    move |heads| if_match.check(&tag_of(heads)).map_err(|_| AppError::Stale)
}

/// One order.
#[utoipa::path(get, path = "/api/v1/orders/{id}", tag = "orders",
    params(("id" = String, Path, format = "uuid", description = "The order")),
    extensions(("x-permission" = json!("orders_read"))),
    responses((status = 200, body = Order, headers(("ETag" = String, description = "The version"))), ReadErrors))]
async fn get(
    State(state): State<HubState>,
    who: May<may::OrdersRead>,
    ApiPath(id): ApiPath<DocumentId>,
) -> Result<Response, Problem> {
    let found = order::get(state.hub(), &who.person, id).await?;
    Ok((tag_of(&found.heads), Json(Order::of(found))).into_response())
}

/// What to change in a device. Absent fields stay, null and empty text clear.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DevicePatch {
    /// What kind of thing it is.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 200)]
    category: Patch<String>,
    /// Who made it.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 200)]
    brand: Patch<String>,
    /// Which model.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 200)]
    model: Patch<String>,
    /// Its serial number.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 64)]
    serial: Patch<String>,
    /// What is wrong with it.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 8000)]
    fault: Patch<String>,
    /// All accessories; those not in the list are removed.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>, max_items = 100)]
    accessories: Patch<Vec<String>>,
    /// All conditions; those not in the map are removed.
    #[serde(default)]
    #[schema(value_type = Option<BTreeMap<String, String>>)]
    condition: Patch<BTreeMap<String, String>>,
}

/// What to change in an order. Absent fields stay, null clears.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderPatch {
    /// The customer.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = "uuid")]
    customer_id: Patch<DocumentId>,
    /// The device.
    #[serde(default)]
    device: DevicePatch,
    /// When it is promised.
    #[serde(default)]
    #[schema(value_type = Option<Time>)]
    promised_at: Patch<Time>,
    /// Who works on it.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = "uuid")]
    technician_id: Patch<StaffId>,
    /// Whether it goes first.
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    urgent: Patch<bool>,
    /// When the customer accepted the terms.
    #[serde(default)]
    #[schema(value_type = Option<Time>)]
    terms_accepted_at: Patch<Time>,
    /// What was found.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 8000)]
    diagnosis: Patch<String>,
}

/// All of a map or list: cleared means none.
fn whole<T: Default>(patch: Patch<T>) -> Option<T> {
    match patch {
        Patch::Keep => None,
        Patch::Clear => Some(T::default()),
        Patch::Set(all) => Some(all),
    }
}

impl OrderPatch {
    fn into_change(self) -> OrderChange {
        let device = self.device;
        OrderChange {
            accessories: whole(device.accessories),
            patch: DomainPatch {
                customer: self.customer_id,
                promised_at_ms: self.promised_at.map(|time| time.0),
                technician: self.technician_id,
                urgent: self.urgent,
                terms_at_ms: self.terms_accepted_at.map(|time| time.0),
                diagnosis: self.diagnosis,
                category: device.category,
                brand: device.brand,
                model: device.model,
                serial: device.serial,
                fault: device.fault,
                accessories: None,
                condition: whole(device.condition),
            },
        }
    }
}

/// Changes fields of an order: absent fields stay, null clears. The branches that have the order hear of it.
#[utoipa::path(patch, path = "/api/v1/orders/{id}", tag = "orders",
    params(("id" = String, Path, format = "uuid", description = "The order"), MatchHeader, KeyHeader),
    request_body = OrderPatch,
    extensions(("x-permission" = json!("orders_write"))),
    responses((status = 200, body = Order, headers(("ETag" = String, description = "The version"))), WriteErrors))]
async fn patch(
    State(state): State<HubState>,
    who: May<may::OrdersWrite>,
    ApiPath(id): ApiPath<DocumentId>,
    if_match: IfMatch,
    ApiCommand { body, request }: ApiCommand<OrderPatch>,
) -> Result<Response, Problem> {
    let person = who.person.clone();
    command(&state, &who, codes::ORDER_EDIT, request, move |tx| {
        Box::pin(async move {
            let changed =
                order::patch(tx, &person, id, check_heads(if_match), body.into_change()).await?;
            let tag = tag_of(&changed.heads);
            answer(StatusCode::OK, Some(&tag), &Order::of(changed))
        })
    })
    .await
}

/// A new note.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NoteInput {
    /// What to write.
    #[schema(min_length = 1, max_length = 8000)]
    text: String,
}

/// Writes a note; answers the order.
#[utoipa::path(post, path = "/api/v1/orders/{id}/notes", tag = "orders",
    params(("id" = String, Path, format = "uuid", description = "The order"), MatchHeader, KeyHeader),
    request_body = NoteInput,
    extensions(("x-permission" = json!("orders_write"))),
    responses((status = 201, body = Order, headers(("ETag" = String, description = "The version"))), WriteErrors))]
async fn note(
    State(state): State<HubState>,
    who: May<may::OrdersWrite>,
    ApiPath(id): ApiPath<DocumentId>,
    if_match: IfMatch,
    ApiCommand { body, request }: ApiCommand<NoteInput>,
) -> Result<Response, Problem> {
    let person = who.person.clone();
    command(&state, &who, codes::ORDER_NOTE, request, move |tx| {
        Box::pin(async move {
            let changed = order::note(tx, &person, id, check_heads(if_match), &body.text).await?;
            let tag = tag_of(&changed.heads);
            answer(StatusCode::CREATED, Some(&tag), &Order::of(changed))
        })
    })
    .await
}
