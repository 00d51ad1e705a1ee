//! Customers: taken in, shown with their values opened, changed.
//!
//! A personal value is in clear only on its way in and out; the document has it sealed under the person's key.

use std::collections::BTreeMap;

use domain::customer::{self as rules, CustomerError, NewCustomer, PersonValues, read_customer};
use domain::document::{DocumentKind, Edit};
use domain::id::DocumentId;
use domain::patch::Patch;
use domain::permission::Permission;
use serde::{Deserialize, Serialize};
use sync_protocol::item::command;
use utoipa::ToSchema;
use web_kit::etag::{ETag, IfMatch};
use web_kit::list::{ListQuery, Page};

use super::order::form::SyncState;
use super::{Codes, check_heads, cursor, intake, place, require};
use crate::error::{AppError, StoreError};
use crate::store::customer::{self as rows, CustomerRecord};
use crate::store::{Actor, Reader, WriteTx};
use web_kit::wire::{Personal, Time, hex};

/// Name of the list in cursors.
const LIST: &str = "customers";

/// A customer who is taken in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomerInput {
    /// Name.
    #[schema(value_type = String, min_length = 1, max_length = 200)]
    pub name: Personal,
    /// Phone.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 32, example = "+49 30 1234567")]
    pub phone: Option<Personal>,
    /// E-mail.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 254, example = "ada@example.org")]
    pub email: Option<Personal>,
    /// Postal address.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 500)]
    pub address: Option<Personal>,
    /// A note about the person.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 4000)]
    pub note: Option<Personal>,
    /// The language to write to the person in.
    #[serde(default)]
    #[schema(max_length = 16, example = "de")]
    pub language: Option<String>,
    /// What the person agreed to.
    #[serde(default)]
    pub consent: BTreeMap<String, bool>,
}

/// What to change about a customer. Absent fields stay, null and empty text clear.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomerPatch {
    /// Name; cannot be cleared.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 200)]
    pub name: Patch<Personal>,
    /// Phone.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 32)]
    pub phone: Patch<Personal>,
    /// E-mail.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 254)]
    pub email: Patch<Personal>,
    /// Postal address.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 500)]
    pub address: Patch<Personal>,
    /// A note about the person.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 4000)]
    pub note: Patch<Personal>,
    /// Language.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 16)]
    pub language: Patch<String>,
    /// Consents that are given or withdrawn; others stay.
    #[serde(default)]
    pub consent: BTreeMap<String, bool>,
}

/// A customer. Personal values are null where the person's key is not at this branch.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Customer {
    /// The person's id.
    #[schema(value_type = String, format = "uuid")]
    pub id: DocumentId,
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
    /// Code of the branch where the person was first served.
    pub branch: String,
    /// The customer that took this one's place.
    #[schema(required = true, value_type = Option<String>, format = "uuid")]
    pub merged_into: Option<DocumentId>,
    /// The document's heads, as hexadecimal text.
    pub heads: Vec<String>,
    /// How far the last change made here has come.
    pub sync: SyncState,
    /// When the person was taken in.
    pub created_at: Time,
    /// When something was last changed.
    pub updated_at: Time,
    /// The tag of this state of the document.
    #[serde(skip)]
    #[schema(ignore)]
    pub(crate) etag: ETag,
}

impl Customer {
    /// The tag of this state of its document.
    pub fn etag(&self) -> ETag {
        self.etag.clone()
    }
}

/// Takes a customer in.
pub fn create(
    tx: &mut WriteTx<'_>,
    actor: &Actor,
    input: CustomerInput,
) -> Result<Customer, AppError> {
    let id = take_in(tx, actor, input)?;
    shown(tx, id)
}

/// The same as part of another use case.
pub(crate) fn take_in(
    tx: &mut WriteTx<'_>,
    actor: &Actor,
    input: CustomerInput,
) -> Result<DocumentId, AppError> {
    require(actor, Permission::CustomersWrite)?;
    tx.begin(command::CUSTOMER, actor)?;
    add(tx, input)
}

/// The same within a transaction that was begun for somebody who may.
pub(crate) fn add(tx: &mut WriteTx<'_>, input: CustomerInput) -> Result<DocumentId, AppError> {
    let sensitive = |value: Option<Personal>| value.map(Personal::into_sensitive);
    let new = NewCustomer {
        home: intake::home(tx),
        language: input
            .language
            .filter(|language| !language.trim().is_empty()),
        consent: input.consent,
        values: PersonValues {
            name: Some(input.name.into_sensitive()),
            phone: sensitive(input.phone),
            email: sensitive(input.email),
            address: sensitive(input.address),
            note: sensitive(input.note),
        },
    };
    let id = DocumentId::from_random(&mut tx.random());
    let key = rows::new_key(tx, id)?;
    let edits = rules::create_customer(&new, id, &key).map_err(refused)?;
    tx.edit_document(id, DocumentKind::Customer, &edits)?;
    Ok(id)
}

/// One customer.
pub fn get(reader: &Reader<'_>, actor: &Actor, id: DocumentId) -> Result<Customer, AppError> {
    require(actor, Permission::CustomersRead)?;
    show(reader, &mut Codes::default(), find(reader, id)?)
}

/// Customers, newest first.
pub fn list(
    reader: &Reader<'_>,
    actor: &Actor,
    page: &ListQuery,
) -> Result<Page<Customer>, AppError> {
    require(actor, Permission::CustomersRead)?;
    let found = rows::list(reader, place(page, LIST)?, page.limit.saturating_add(1))?;
    let Page { items, next_cursor } = Page::cut(found, page.limit, |last| cursor(LIST, &last.row));
    let mut codes = Codes::default();
    let items = items
        .into_iter()
        .map(|record| show(reader, &mut codes, record))
        .collect::<Result<_, _>>()?;
    Ok(Page { items, next_cursor })
}

/// Changes a customer; what is not mentioned stays.
pub fn patch(
    tx: &mut WriteTx<'_>,
    actor: &Actor,
    id: DocumentId,
    if_match: &IfMatch,
    input: CustomerPatch,
) -> Result<Customer, AppError> {
    require(actor, Permission::CustomersWrite)?;
    let record = find(&tx.reader(), id)?;
    check_heads(if_match, &record.heads)?;
    if let Some(into) = record.merged_into {
        let error = AppError::conflict(
            "merged",
            "this customer was merged into another; change that one",
        );
        return Err(error.with("merged_into", into.to_string()));
    }
    let edits = edits_of(tx, id, input)?;
    tx.begin(command::CUSTOMER, actor)?;
    if !edits.is_empty() {
        tx.edit_document(id, DocumentKind::Customer, &edits)?;
    }
    shown(tx, id)
}

/// The edits that bring a customer to what `input` says.
pub(crate) fn edits_of(
    tx: &mut WriteTx<'_>,
    id: DocumentId,
    input: CustomerPatch,
) -> Result<Vec<Edit>, AppError> {
    let key = tx
        .reader()
        .person_keys(id)?
        .into_iter()
        .max_by_key(|key| key.generation());
    let Some(key) = key else {
        let detail = "the key to this person's values is not at this branch yet; it comes with the line to the hub";
        return Err(AppError::conflict("key-missing", detail));
    };
    let document = tx
        .document(id)?
        .ok_or(AppError::NotFound { what: "customer" })?;
    let view = read_customer(document.automerge())?;
    let sensitive = |value: Patch<Personal>| value.map(Personal::into_sensitive);
    let patch = rules::CustomerPatch {
        language: match input.language {
            Patch::Set(language) if language.trim().is_empty() => Patch::Clear,
            other => other,
        },
        consent: input.consent,
        name: sensitive(input.name),
        phone: sensitive(input.phone),
        email: sensitive(input.email),
        address: sensitive(input.address),
        note: sensitive(input.note),
    };
    rules::patch_customer(&view, id, &key, &patch).map_err(refused)
}

fn find(reader: &Reader<'_>, id: DocumentId) -> Result<CustomerRecord, AppError> {
    rows::get(reader, id)?.ok_or(AppError::NotFound { what: "customer" })
}

pub(crate) fn shown(tx: &WriteTx<'_>, id: DocumentId) -> Result<Customer, AppError> {
    let reader = tx.reader();
    show(&reader, &mut Codes::default(), find(&reader, id)?)
}

pub(crate) fn show(
    reader: &Reader<'_>,
    codes: &mut Codes,
    record: CustomerRecord,
) -> Result<Customer, AppError> {
    let values = record.values.unwrap_or_default();
    Ok(Customer {
        id: record.id,
        name: values.name.map(Into::into),
        phone: values.phone.map(Into::into),
        email: values.email.map(Into::into),
        address: values.address.map(Into::into),
        note: values.note.map(Into::into),
        language: record.language,
        consent: record.consent,
        branch: codes.code(reader, record.home)?,
        merged_into: record.merged_into,
        etag: ETag::of_heads(&record.heads),
        heads: record.heads.iter().map(|head| hex(head)).collect(),
        sync: record.stage.into(),
        created_at: Time(record.created_at_ms),
        updated_at: Time(record.updated_at_ms),
    })
}

fn refused(error: CustomerError) -> AppError {
    match error {
        CustomerError::Fields(mut problems) => {
            problems.dedup();
            AppError::Invalid(problems)
        }
        CustomerError::Seal(error) => AppError::Store(StoreError::Corrupt {
            table: "person_key",
            what: error.to_string(),
        }),
    }
}
