//! Digests of documents per branch that they belong to: what branch and hub compare.

use std::collections::BTreeMap;

use domain::id::BranchId;
use sync_protocol::hash::{Hash, digest_of_documents};

use super::reader::Reader;
use super::value::{Id, hash};
use crate::error::AppError;

/// The documents of one branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BranchDigest {
    /// The branch; none for documents that do not say.
    pub branch: Option<BranchId>,
    /// How many.
    pub count: u64,
    /// `H` over their hashes, see [`digest_of_documents`].
    pub digest: Hash,
}

/// One digest per branch.
pub fn by_branch(reader: &Reader<'_>) -> Result<Vec<BranchDigest>, AppError> {
    let mut statement = reader
        .conn()
        .prepare_cached("select branch, hash from document order by branch, hash")?;
    let rows = statement.query_map([], |row| {
        Ok((
            row.get::<_, Option<Id<BranchId>>>(0)?.map(|id| id.0),
            hash(row, 1)?,
        ))
    })?;
    let mut hashes: BTreeMap<Option<BranchId>, Vec<Hash>> = BTreeMap::new();
    for row in rows {
        let (branch, hash) = row?;
        hashes.entry(branch).or_default().push(hash);
    }
    let digest = |(branch, hashes): (Option<BranchId>, Vec<Hash>)| BranchDigest {
        branch,
        count: hashes.len() as u64,
        digest: digest_of_documents(hashes),
    };
    Ok(hashes.into_iter().map(digest).collect())
}
