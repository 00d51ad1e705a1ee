//! Digests of documents per branch that they belong to: what branch and hub compare.

use domain::id::BranchId;
use sync_protocol::hash::{DocumentsDigest, Hash};

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
    /// Over their hashes, see [`DocumentsDigest`].
    pub digest: Hash,
}

/// One digest per branch.
pub fn by_branch(reader: &Reader<'_>) -> Result<Vec<BranchDigest>, AppError> {
    let mut statement = reader
        .conn()
        .prepare_cached("select branch, hash from document order by branch, hash")?;
    let mut rows = statement.query([])?;
    // Hundreds of thousands of hashes: none is held, they come in the order in which they are hashed.
    let mut digests = Vec::new();
    let mut now: Option<(Option<BranchId>, u64, DocumentsDigest)> = None;
    while let Some(row) = rows.next()? {
        let branch = row.get::<_, Option<Id<BranchId>>>(0)?.map(|id| id.0);
        let hash = hash(row, 1)?;
        match &mut now {
            Some((there, count, digest)) if *there == branch => {
                *count += 1;
                digest.add(&hash);
            }
            _ => {
                let mut digest = DocumentsDigest::default();
                digest.add(&hash);
                digests.extend(now.replace((branch, 1, digest)).map(done));
            }
        }
    }
    digests.extend(now.map(done));
    Ok(digests)
}

fn done((branch, count, digest): (Option<BranchId>, u64, DocumentsDigest)) -> BranchDigest {
    BranchDigest {
        branch,
        count,
        digest: digest.finish(),
    }
}
