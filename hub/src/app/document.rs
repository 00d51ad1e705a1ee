//! Documents as they are: listed, read, saved for any Automerge library, digested for comparison.
//!
//! Personal values stand here as they are sealed.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::document::DocumentKind;
use domain::id::{BranchId, DocumentId};
use sync_protocol::document::Document;
use sync_protocol::hash::{Hash, digest_of_documents};

use super::error::AppError;
use super::session::Person;
use super::stock::optional_branch;
use super::{Hub, branch};
use crate::store::scope::Place;
use crate::store::sync::document::hashes_by_branch;
use crate::store::sync::read as store;
pub use crate::store::sync::read::DocumentRecord;

/// Documents, the newest first, with the codes of branches.
///
/// # Errors
/// An unknown branch.
pub async fn list(
    hub: &Hub,
    person: &Person,
    kind: Option<DocumentKind>,
    branch_name: Option<&str>,
    place: Option<Place>,
    limit: i64,
) -> Result<(Vec<DocumentRecord>, branch::Codes), AppError> {
    let mut connection = hub.snapshot().await?;
    let only = optional_branch(&mut connection, branch_name).await?;
    let scope = person.scope().narrowed(only);
    let found = store::documents(&mut connection, &scope, kind, place, limit).await?;
    Ok((found, branch::codes(&mut connection).await?))
}

/// One document with its row.
#[derive(Debug, Clone)]
pub struct DocumentState {
    /// The row.
    pub record: DocumentRecord,
    /// Code of its branch.
    pub branch: String,
    /// The document.
    pub document: Arc<Document>,
}

/// One document.
///
/// # Errors
/// When there is none, or none that the person may see.
pub async fn get(hub: &Hub, person: &Person, id: DocumentId) -> Result<DocumentState, AppError> {
    let unknown = AppError::NotFound { what: "document" };
    let (record, codes) = {
        let mut connection = hub.snapshot().await?;
        let found = store::documents_of(&mut connection, &[id])
            .await?
            .into_iter()
            .next();
        (found, branch::codes(&mut connection).await?)
    };
    let Some(record) = record.filter(|record| person.scope().allows(record.branch)) else {
        return Err(unknown);
    };
    let Some(document) = hub.load_document(id).await? else {
        return Err(unknown);
    };
    let branch = branch::code_of(&codes, record.branch);
    // Read once more: what was read first may be older than the document.
    let version = i64::try_from(document.origins().len()).unwrap_or(i64::MAX);
    let record = DocumentRecord {
        version,
        heads: document.heads().to_vec(),
        ..record
    };
    Ok(DocumentState {
        record,
        branch,
        document,
    })
}

/// How many documents a branch is interested in, and one hash over them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    /// Code of the branch.
    pub branch: String,
    /// How many.
    pub count: u64,
    /// Hash over (document, heads) of all.
    pub digest: Hash,
}

/// The digests of all branches that the person may see, or of one.
///
/// # Errors
/// An unknown branch.
pub async fn digests(
    hub: &Hub,
    person: &Person,
    branch_name: Option<&str>,
) -> Result<Vec<Digest>, AppError> {
    let mut connection = hub.snapshot().await?;
    let only = optional_branch(&mut connection, branch_name).await?;
    let scope = person.scope().narrowed(only);
    let codes = branch::codes(&mut connection).await?;
    let mut hashes: BTreeMap<BranchId, Vec<Hash>> = codes
        .keys()
        .filter(|branch| scope.allows(**branch))
        .map(|branch| (*branch, Vec::new()))
        .collect();
    for (branch, hash) in hashes_by_branch(&mut connection).await? {
        if let Some(hashes) = hashes.get_mut(&branch) {
            hashes.push(hash);
        }
    }
    Ok(hashes
        .into_iter()
        .map(|(branch, hashes)| Digest {
            branch: branch::code_of(&codes, branch),
            count: hashes.len() as u64,
            digest: digest_of_documents(hashes),
        })
        .collect())
}

/// Count and digest of all documents of the chain.
///
/// # Errors
/// When the database fails.
pub async fn digest_of_all(hub: &Hub) -> Result<(u64, Hash), AppError> {
    let mut connection = hub.snapshot().await?;
    let hashes: Vec<Hash> = crate::store::sync::document::all_hashes(&mut connection)
        .await?
        .into_iter()
        .map(|(_, hash)| hash)
        .collect();
    Ok((hashes.len() as u64, digest_of_documents(hashes)))
}
