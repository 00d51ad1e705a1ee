//! Digests of documents per branch that they belong to, and of all: what branch and hub compare.
//!
//! A digest says one state of the documents, which the order of application numbers: it is made once for each state
//! that somebody asks about and kept until the next.

use std::sync::{Arc, PoisonError};

use domain::id::BranchId;
use sync_protocol::hash::{DocumentsDigest, Hash, digest_of_documents};

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

/// The digests of one state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digests {
    /// How many documents there are.
    pub count: u64,
    /// Over the hashes of all.
    pub all: Hash,
    /// One per branch.
    pub branches: Vec<BranchDigest>,
}

/// The digests of the last state that was asked about, by the last place in the order of application.
pub(super) type Kept = Option<(i64, Arc<Digests>)>;

/// The digests of the state that is read.
pub fn read(reader: &Reader<'_>) -> Result<Arc<Digests>, AppError> {
    let state: i64 = reader
        .conn()
        .prepare_cached("select coalesce(max(ord), 0) from apply_order")?
        .query_row([], |row| row.get(0))?;
    let kept = &reader.shared().digests;
    if let Some((known, digests)) = &*kept.lock().unwrap_or_else(PoisonError::into_inner)
        && *known == state
    {
        return Ok(digests.clone());
    }
    let digests = Arc::new(make(reader)?);
    *kept.lock().unwrap_or_else(PoisonError::into_inner) = Some((state, digests.clone()));
    Ok(digests)
}

/// The digests as they stand in a write that is under way; kept nowhere, as the write may come to nothing.
pub(crate) fn make(reader: &Reader<'_>) -> Result<Digests, AppError> {
    let mut statement = reader
        .conn()
        .prepare_cached("select branch, hash from document order by branch, hash")?;
    let mut rows = statement.query([])?;
    let mut hashes: Vec<Hash> = Vec::new();
    let mut branches: Vec<BranchDigest> = Vec::new();
    // They come in the order in which a branch's are hashed.
    let mut now: Option<(Option<BranchId>, u64, DocumentsDigest)> = None;
    while let Some(row) = rows.next()? {
        let branch = row.get::<_, Option<Id<BranchId>>>(0)?.map(|id| id.0);
        let hash = hash(row, 1)?;
        hashes.push(hash);
        match &mut now {
            Some((there, count, digest)) if *there == branch => {
                *count += 1;
                digest.add(&hash);
            }
            _ => {
                let mut digest = DocumentsDigest::default();
                digest.add(&hash);
                branches.extend(now.replace((branch, 1, digest)).map(done));
            }
        }
    }
    branches.extend(now.map(done));
    let count = hashes.len() as u64;
    let all = match branches.as_slice() {
        [only] => only.digest,
        _ => digest_of_documents(hashes),
    };
    Ok(Digests {
        count,
        all,
        branches,
    })
}

fn done((branch, count, digest): (Option<BranchId>, u64, DocumentsDigest)) -> BranchDigest {
    BranchDigest {
        branch,
        count,
        digest: digest.finish(),
    }
}
