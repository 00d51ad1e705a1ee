//! Documents: the branch's word against what the hub had then, and a sample one by one.

use domain::reconcile::{DocumentsFacts, Outcome, judge_documents};
use sync_protocol::hash::document_hash;

use super::Ground;
use crate::app::apply::open_body;
use crate::error::HubError;
use crate::store::db::PgConnection;
use crate::store::reconciliation::day::{self, Word};
use crate::store::reconciliation::documents as store;
use crate::store::sync::document::bodies;

/// Documents whose heads are hashed.
const HASHED: i64 = 2_000;
/// Documents that are loaded.
const LOADED: usize = 10;

pub(super) async fn check(
    sql: &mut PgConnection,
    ground: &Ground<'_>,
    word: &Word,
) -> Result<Outcome, HubError> {
    let day = ground.day;
    let rows = store::sample(sql, ground.branch.id, day.start_ms, day.day, HASHED).await?;
    let mut altered = Vec::new();
    for row in &rows {
        let heads: Vec<[u8; 32]> = row.heads.as_chunks::<32>().0.to_vec();
        if document_hash(row.document.as_bytes(), &heads).as_slice() != row.hash {
            altered.push((row.document, "its hash is not that of its heads"));
        }
    }
    let loaded: Vec<_> = rows.iter().take(LOADED).map(|row| row.document).collect();
    for body in bodies(sql, &loaded).await? {
        let document = domain::id::DocumentId::from_bytes(body.document.into_bytes());
        if open_body(body).is_err() {
            altered.push((document, "its bytes do not come to its heads"));
        }
    }
    let closed = &word.closed;
    let facts = DocumentsFacts {
        count: closed.documents,
        digest: closed.documents_digest,
        feed: closed.feed,
        held: day::held(sql, word).await?.map(|(held, _)| held),
        sampled: rows.len() as u64,
        altered,
    };
    Ok(judge_documents(&facts, &day))
}
