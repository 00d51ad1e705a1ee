//! Documents as they are: listed, read as JSON, saved for any Automerge library, digested for comparison.
//!
//! Personal values stand here as they are sealed.

use domain::document::{DocumentKind, tree};
use domain::id::DocumentId;
use domain::permission::Permission;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use web_kit::etag::ETag;
use web_kit::list::{ListQuery, Page};

use super::{Codes, cursor, place, require};
use crate::error::AppError;
use crate::store::{Actor, Reader, digest as digests, document as rows};
use web_kit::wire::{DocumentKindForm, hex};

/// Name of the list in cursors.
const LIST: &str = "documents";

/// A document in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DocumentEntry {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    pub id: DocumentId,
    /// What it is about.
    #[schema(value_type = DocumentKindForm)]
    pub kind: DocumentKind,
    /// How many changes it has.
    pub version: u64,
    /// Sorted heads, as hexadecimal text.
    pub heads: Vec<String>,
    /// Hash over id and heads.
    pub hash: String,
    /// Why it cannot be shown, if so.
    #[schema(required = true)]
    pub unreadable: Option<String>,
}

/// A document.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct DocumentAnswer {
    /// The document without its content.
    #[serde(flatten)]
    pub entry: DocumentEntry,
    /// Code of the branch that it belongs to.
    #[schema(required = true)]
    pub branch: Option<String>,
    /// What stands in it; sealed values as hexadecimal text.
    #[schema(value_type = Object)]
    pub content: Value,
    /// The tag of this state.
    #[serde(skip)]
    #[schema(ignore)]
    pub(crate) etag: ETag,
}

impl DocumentAnswer {
    /// The tag of this state of its document.
    pub fn etag(&self) -> ETag {
        self.etag.clone()
    }
}

/// How many documents there are, and one hash over all of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DigestAnswer {
    /// All documents here.
    pub count: u64,
    /// Hash over (document, heads) of all.
    pub digest: String,
    /// The same per branch that documents belong to.
    pub branches: Vec<BranchDigest>,
}

/// The documents of one branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct BranchDigest {
    /// The branch's code.
    #[schema(required = true)]
    pub branch: Option<String>,
    /// How many.
    pub count: u64,
    /// Hash over (document, heads).
    pub digest: String,
}

/// Documents in the order of their ids.
pub fn list(
    reader: &Reader<'_>,
    actor: &Actor,
    kind: Option<DocumentKind>,
    page: &ListQuery,
) -> Result<Page<DocumentEntry>, AppError> {
    require(actor, Permission::DocumentsRead)?;
    let found = rows::list(
        reader,
        kind,
        place(page, LIST)?,
        page.limit.saturating_add(1),
    )?;
    Ok(Page::cut(found, page.limit, |last| cursor(LIST, &last.id)).map(entry))
}

/// One document as JSON.
pub fn get(reader: &Reader<'_>, actor: &Actor, id: DocumentId) -> Result<DocumentAnswer, AppError> {
    require(actor, Permission::DocumentsRead)?;
    let unknown = || AppError::NotFound { what: "document" };
    let row = rows::row(reader, id)?.ok_or_else(unknown)?;
    let document = rows::get(reader, id)?.ok_or_else(unknown)?;
    let owner = document.owner();
    Ok(DocumentAnswer {
        branch: owner
            .map(|owner| Codes::default().code(reader, owner))
            .transpose()?,
        content: serde_json::to_value(tree(document.automerge())?)?,
        etag: ETag::of_heads(document.heads()),
        entry: entry(row),
    })
}

/// One document as an Automerge save.
pub fn save(
    reader: &Reader<'_>,
    actor: &Actor,
    id: DocumentId,
) -> Result<(Vec<u8>, ETag), AppError> {
    require(actor, Permission::DocumentsRead)?;
    let document = rows::get(reader, id)?.ok_or(AppError::NotFound { what: "document" })?;
    Ok((document.save(), ETag::of_heads(document.heads())))
}

/// What can be compared with the hub's.
pub fn digest(reader: &Reader<'_>, actor: &Actor) -> Result<DigestAnswer, AppError> {
    require(actor, Permission::DocumentsRead)?;
    let found = digests::read(reader)?;
    let mut codes = Codes::default();
    let mut branches = Vec::new();
    for branch in &found.branches {
        branches.push(BranchDigest {
            branch: branch.branch.map(|id| codes.code(reader, id)).transpose()?,
            count: branch.count,
            digest: hex(&branch.digest),
        });
    }
    Ok(DigestAnswer {
        count: found.count,
        digest: hex(&found.all),
        branches,
    })
}

fn entry(row: rows::DocumentRow) -> DocumentEntry {
    DocumentEntry {
        id: row.id,
        kind: row.kind,
        version: row.version,
        heads: row.heads.iter().map(|head| hex(head)).collect(),
        hash: hex(&row.hash),
        unreadable: row.unreadable,
    }
}
