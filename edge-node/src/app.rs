//! Use cases: what people do at a branch, as plain functions over one write or one reading.
//!
//! Each begins with the question whether the person may do it, takes its input as a plain struct and gives what is
//! shown. Nothing here knows HTTP or SQL; what a use case refuses has changed nothing.

pub mod account;
pub mod basket;
pub mod cash;
pub mod customer;
pub mod day;
pub mod decision;
pub mod document;
pub mod elsewhere;
pub mod export;
pub mod import;
pub mod intake;
pub mod order;
pub mod parked_basket;
pub mod part;
pub mod payment;
pub mod receipts;
pub mod refund;
pub mod search;
pub mod settings;
pub mod staff;
pub mod stock;
pub mod sync_status;
pub mod till;
pub mod transfer;

use std::collections::BTreeMap;

use domain::id::BranchId;
use domain::permission::{Permission, Side, allows};
use domain::problem::FieldProblem;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sync_protocol::hash::Hash;
use web_kit::etag::{ETag, IfMatch};
use web_kit::list::{Cursor, ListQuery};

use crate::error::AppError;
use crate::store::{Actor, Reader, catalogue};

/// Whether the person may do this here.
pub(crate) fn require(actor: &Actor, permission: Permission) -> Result<(), AppError> {
    if allows(actor.role, permission, Side::Branch) {
        return Ok(());
    }
    let detail = format!(
        "The role {} has no permission {} at a branch.",
        actor.role,
        permission.as_str()
    );
    Err(AppError::Forbidden { detail })
}

/// Whether the document is still as the caller read it.
pub(crate) fn check_heads(if_match: &IfMatch, heads: &[Hash]) -> Result<(), AppError> {
    if_match
        .check(&ETag::of_heads(heads))
        .map_err(|_| AppError::Stale)
}

/// The place behind which a page of a list begins.
pub(crate) fn place<T: DeserializeOwned>(
    page: &ListQuery,
    list: &str,
) -> Result<Option<T>, AppError> {
    match page.cursor.as_deref() {
        None | Some("") => Ok(None),
        Some(text) => Cursor::decode(list, text).map(Some).map_err(|_| {
            AppError::field("/cursor", "is not a cursor of this list; begin without one")
        }),
    }
}

/// The cursor that leads to the page behind `at`.
pub(crate) fn cursor<T: Serialize>(list: &str, at: &T) -> String {
    Cursor::encode(list, at)
}

/// The same problems, with `prefix` before each pointer.
pub(crate) fn below(prefix: &str, error: AppError) -> AppError {
    match error {
        AppError::Invalid(problems) => AppError::Invalid(
            problems
                .into_iter()
                .map(|problem| {
                    FieldProblem::new(format!("{prefix}{}", problem.pointer), problem.detail)
                })
                .collect(),
        ),
        other => other,
    }
}

/// Codes of branches, each looked up once.
#[derive(Default)]
pub(crate) struct Codes(BTreeMap<BranchId, String>);

impl Codes {
    /// The branch's code; of a branch that is not known here its id.
    pub(crate) fn code(&mut self, reader: &Reader<'_>, id: BranchId) -> Result<String, AppError> {
        if let Some(code) = self.0.get(&id) {
            return Ok(code.clone());
        }
        let code = match catalogue::branch(reader, id)? {
            Some(row) => row.code,
            None if id == reader.identity().branch => reader.identity().code.clone(),
            None => id.to_string(),
        };
        self.0.insert(id, code.clone());
        Ok(code)
    }
}
