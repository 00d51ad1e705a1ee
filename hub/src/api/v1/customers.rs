//! Customers: read and changed. Personal values are in answers only, never in an address.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::customer::CustomerPatch as DomainPatch;
use domain::id::DocumentId;
use domain::patch::Patch;
use serde::{Deserialize, Serialize};
use sync_protocol::item::command as codes;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web_kit::openapi::{KeyHeader, MatchHeader, ReadErrors, WriteErrors};
use web_kit::{ApiCommand, ApiPath, Cursor, IfMatch, ListQuery, Page, Problem};

use super::orders::{check_heads, tag_of};
use crate::api::caller::{May, may};
use crate::api::command::{answer, command};
use crate::api::state::HubState;
use crate::api::wire::place;
use crate::app::customer::{self, CustomerFilter, CustomerState, Field, Merge};
use crate::app::error::AppError;
use web_kit::wire::{Personal, Time, hex};

const LIST: &str = "customers";

pub(super) fn routes() -> OpenApiRouter<HubState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get, patch))
        .routes(routes!(merge))
}

/// A customer. Personal values are null where the person's key is not at the hub.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Customer {
    /// The person's id.
    #[schema(value_type = String, format = "uuid")]
    pub id: DocumentId,
    /// Code of the branch where the person was first served.
    pub branch: String,
    /// Name.
    #[schema(required = true, value_type = Option<String>)]
    pub name: Option<Personal>,
    /// Phone.
    #[schema(required = true, value_type = Option<String>)]
    pub phone: Option<Personal>,
    /// E-mail.
    #[schema(required = true, value_type = Option<String>)]
    pub email: Option<Personal>,
    /// Postal address.
    #[schema(required = true, value_type = Option<String>)]
    pub address: Option<Personal>,
    /// A note about the person.
    #[schema(required = true, value_type = Option<String>)]
    pub note: Option<Personal>,
    /// The language to write to the person in.
    #[schema(required = true)]
    pub language: Option<String>,
    /// What the person agreed to.
    pub consent: BTreeMap<String, bool>,
    /// The document that took this one's place.
    #[schema(required = true, value_type = Option<String>, format = "uuid")]
    pub merged_into: Option<DocumentId>,
    /// Whether people must decide something.
    pub conflict: bool,
    /// The document's heads, as hexadecimal text.
    pub heads: Vec<String>,
    /// When the person was first served.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
}

impl Customer {
    pub(super) fn of(state: CustomerState) -> Self {
        let CustomerState {
            record,
            values,
            branch,
            heads,
        } = state;
        Self {
            id: record.document,
            branch,
            name: values.name.map(Personal::from),
            phone: values.phone.map(Personal::from),
            email: values.email.map(Personal::from),
            address: values.address.map(Personal::from),
            note: values.note.map(Personal::from),
            language: record.view.language,
            consent: record.view.consent,
            merged_into: record.view.merged_into,
            conflict: record.conflicts > 0,
            heads: heads.iter().map(|head| hex(head)).collect(),
            created_at: Time(record.created_ms),
            updated_at: Time(record.updated_ms),
        }
    }
}

/// Lists customers, newest first.
#[utoipa::path(get, path = "/api/v1/customers", tag = "customers", params(ListQuery),
    extensions(("x-permission" = json!("customers_read"))),
    responses((status = 200, body = Page<Customer>), ReadErrors))]
async fn list(
    State(state): State<HubState>,
    who: May<may::CustomersRead>,
    page: ListQuery,
) -> Result<Json<Page<Customer>>, Problem> {
    let filter = CustomerFilter {
        scope: who.person.scope(),
        persons: None,
        with_conflicts: false,
        place: place(&page, LIST)?,
        limit: i64::from(page.limit) + 1,
    };
    let found = customer::list(state.hub(), &filter).await?;
    let place_of =
        |last: &CustomerState| (last.record.created_ms, *last.record.document.as_bytes());
    let cut = Page::cut(found, page.limit, |last| {
        Cursor::encode(LIST, &place_of(last))
    });
    Ok(Json(cut.map(Customer::of)))
}

/// One customer.
#[utoipa::path(get, path = "/api/v1/customers/{id}", tag = "customers",
    params(("id" = String, Path, format = "uuid", description = "The customer")),
    extensions(("x-permission" = json!("customers_read"))),
    responses((status = 200, body = Customer, headers(("ETag" = String, description = "The version"))), ReadErrors))]
async fn get(
    State(state): State<HubState>,
    who: May<may::CustomersRead>,
    ApiPath(id): ApiPath<DocumentId>,
) -> Result<Response, Problem> {
    let found = customer::get(state.hub(), &who.person, id).await?;
    Ok((tag_of(&found.heads), Json(Customer::of(found))).into_response())
}

/// What to change about a customer. Absent fields stay, null and empty text clear.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomerPatch {
    /// Name; cannot be cleared.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 200)]
    name: Patch<Personal>,
    /// Phone.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 32)]
    phone: Patch<Personal>,
    /// E-mail.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 254)]
    email: Patch<Personal>,
    /// Postal address.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 500)]
    address: Patch<Personal>,
    /// A note about the person.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 4000)]
    note: Patch<Personal>,
    /// Language.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 16)]
    language: Patch<String>,
    /// Consents that are given or withdrawn; others stay.
    #[serde(default)]
    consent: BTreeMap<String, bool>,
}

impl CustomerPatch {
    fn into_domain(self) -> DomainPatch {
        DomainPatch {
            language: self.language,
            consent: self.consent,
            name: self.name.map(Personal::into_sensitive),
            phone: self.phone.map(Personal::into_sensitive),
            email: self.email.map(Personal::into_sensitive),
            address: self.address.map(Personal::into_sensitive),
            note: self.note.map(Personal::into_sensitive),
        }
    }
}

/// Changes a customer: absent fields stay, null clears. The branches that serve the person hear of it.
#[utoipa::path(patch, path = "/api/v1/customers/{id}", tag = "customers",
    params(("id" = String, Path, format = "uuid", description = "The customer"), MatchHeader, KeyHeader),
    request_body = CustomerPatch,
    extensions(("x-permission" = json!("customers_write"))),
    responses((status = 200, body = Customer, headers(("ETag" = String, description = "The version"))), WriteErrors))]
async fn patch(
    State(state): State<HubState>,
    who: May<may::CustomersWrite>,
    ApiPath(id): ApiPath<DocumentId>,
    if_match: IfMatch,
    ApiCommand { body, request }: ApiCommand<CustomerPatch>,
) -> Result<Response, Problem> {
    let (person, patch) = (who.person.clone(), body.into_domain());
    command(&state, &who, codes::CUSTOMER, request, move |tx| {
        Box::pin(async move {
            let changed = customer::patch(tx, &person, id, check_heads(if_match), &patch).await?;
            let tag = tag_of(&changed.heads);
            answer(StatusCode::OK, Some(&tag), &Customer::of(changed))
        })
    })
    .await
}

/// Who is the same person.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MergeInput {
    /// The other customer, who leads to this one from now on.
    #[schema(value_type = String, format = "uuid")]
    with: DocumentId,
    /// Values of the other that count although this one has them: name, phone, email, address, note, language. What
    /// this one lacks is taken over anyway.
    #[serde(default)]
    take: Vec<String>,
}

/// Says that another customer is the same person: this one stays, gets what it lacks, and the other's orders are
/// pointed to it. The branches that serve either hear of it.
#[utoipa::path(post, path = "/api/v1/customers/{id}/merge", tag = "customers",
    params(("id" = String, Path, format = "uuid", description = "The customer that stays"), MatchHeader, KeyHeader),
    request_body = MergeInput,
    extensions(("x-permission" = json!("customers_merge"))),
    responses((status = 200, body = Customer, headers(("ETag" = String, description = "The version"))), WriteErrors))]
async fn merge(
    State(state): State<HubState>,
    who: May<may::CustomersMerge>,
    ApiPath(id): ApiPath<DocumentId>,
    if_match: IfMatch,
    ApiCommand { body, request }: ApiCommand<MergeInput>,
) -> Result<Response, Problem> {
    let mut wish = Merge {
        stays: id,
        goes: body.with,
        take: std::collections::BTreeSet::new(),
    };
    for (index, name) in body.take.iter().enumerate() {
        let field = Field::named(name).ok_or_else(|| {
            AppError::field(format!("/take/{index}"), "is no value of a customer")
        })?;
        wish.take.insert(field);
    }
    let person = who.person.clone();
    command(&state, &who, codes::CUSTOMER, request, move |tx| {
        Box::pin(async move {
            let check = check_heads(if_match);
            let merged = customer::merge(tx, &person, &wish, |stays, _| check(stays)).await?;
            let tag = tag_of(&merged.heads);
            answer(StatusCode::OK, Some(&tag), &Customer::of(merged))
        })
    })
    .await
}
