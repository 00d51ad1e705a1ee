//! Documents: rows as saved bytes, and those in memory that the writer edits.
//!
//! An edited document is a new value that replaces the cached one only after COMMIT; a job or a commit that is gone
//! takes its documents with it. A row is used only when its bytes load with the heads that it names (INV-23).

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use domain::document::DocumentKind;
use domain::id::DocumentId;
use rusqlite::{Connection, OptionalExtension};
use sync_protocol::document::Document;
use sync_protocol::hash::{Hash, digest_of_documents};
use sync_protocol::item::{Origin, decode_body, encode_body};

use super::reader::Reader;
use super::value::{Id, join_hashes, signed, split_hashes};
use crate::error::{AppError, StoreError};

/// Documents kept in memory; one takes about 20 KB.
const CACHED: usize = 512;

/// The writer's documents: cached ones, those of the commit in progress, those of the job in progress.
#[derive(Default)]
pub(crate) struct Documents {
    cached: HashMap<DocumentId, (Arc<Document>, u64)>,
    clock: u64,
    group: BTreeMap<DocumentId, Option<Arc<Document>>>,
    job: BTreeMap<DocumentId, Option<Arc<Document>>>,
}

impl Documents {
    /// The document as the job sees it.
    pub(crate) fn get(
        &mut self,
        conn: &Connection,
        id: DocumentId,
    ) -> Result<Option<Arc<Document>>, StoreError> {
        if let Some(staged) = self.job.get(&id).or_else(|| self.group.get(&id)) {
            return Ok(staged.clone());
        }
        self.clock += 1;
        if let Some((document, used)) = self.cached.get_mut(&id) {
            *used = self.clock;
            return Ok(Some(document.clone()));
        }
        let loaded = load(conn, id)?.map(Arc::new);
        if let Some(document) = &loaded {
            self.insert(document.clone());
        }
        Ok(loaded)
    }

    pub(crate) fn stage(&mut self, document: Arc<Document>) {
        self.job.insert(document.id(), Some(document));
    }

    pub(crate) fn stage_removal(&mut self, id: DocumentId) {
        self.job.insert(id, None);
    }

    pub(crate) fn keep_job(&mut self) {
        self.group.append(&mut self.job);
    }

    pub(crate) fn drop_job(&mut self) {
        self.job.clear();
    }

    /// After COMMIT: what was staged takes the cached ones' place.
    pub(crate) fn commit(&mut self) {
        for (id, document) in std::mem::take(&mut self.group) {
            match document {
                Some(document) => self.insert(document),
                None => {
                    self.cached.remove(&id);
                }
            }
        }
    }

    fn insert(&mut self, document: Arc<Document>) {
        self.clock += 1;
        self.cached.insert(document.id(), (document, self.clock));
        if self.cached.len() > CACHED {
            let mut ages: Vec<u64> = self.cached.values().map(|(_, used)| *used).collect();
            ages.sort_unstable();
            let middle = ages[ages.len() / 2];
            self.cached.retain(|_, (_, used)| *used > middle);
        }
    }
}

/// Loads a document and holds it against its heads; an unreadable one loads too, as far as its bytes do.
pub(crate) fn load(conn: &Connection, id: DocumentId) -> Result<Option<Document>, StoreError> {
    let row = conn
        .prepare_cached("select kind, heads, saved, origins from document where id = ?1")?
        .query_row([Id(id)], |row| {
            Ok((
                row.get::<_, u8>(0)?,
                row.get::<_, Vec<u8>>(1)?,
                row.get::<_, Vec<u8>>(2)?,
                row.get::<_, Vec<u8>>(3)?,
            ))
        })
        .optional()?;
    let Some((kind, heads, saved, origins)) = row else {
        return Ok(None);
    };
    let corrupt = |what: &str| StoreError::Corrupt {
        table: "document",
        what: format!("{id}: {what}"),
    };
    let kind = DocumentKind::from_code(kind).ok_or_else(|| corrupt("unknown kind"))?;
    let heads = split_hashes(&heads).ok_or_else(|| corrupt("heads are not whole hashes"))?;
    let origins: Vec<Origin> = decode_body(&origins, "origins")?;
    Ok(Some(Document::load(id, kind, &saved, &heads, origins)?))
}

/// Writes a document's row.
pub(crate) fn put(
    conn: &Connection,
    document: &Document,
    unreadable: Option<&str>,
) -> Result<(), StoreError> {
    conn.prepare_cached(
        "insert into document (id, kind, branch, version, heads, saved, origins, hash, unreadable)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         on conflict (id) do update set branch = excluded.branch, version = excluded.version, heads = excluded.heads,
             saved = excluded.saved, origins = excluded.origins, hash = excluded.hash,
             unreadable = excluded.unreadable",
    )?
    .execute((
        Id(document.id()),
        document.kind() as u8,
        document.owner().map(Id),
        signed(document.origins().len() as u64),
        join_hashes(document.heads()),
        document.save(),
        encode_body(&document.origins()),
        document.hash(),
        unreadable,
    ))?;
    Ok(())
}

/// A document's row without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentRow {
    /// Its id.
    pub id: DocumentId,
    /// Its kind.
    pub kind: DocumentKind,
    /// Sorted heads.
    pub heads: Vec<Hash>,
    /// How many changes it has.
    pub version: u64,
    /// `H(08 ‖ document ‖ heads)`.
    pub hash: Hash,
    /// Why it cannot be shown, if so.
    pub unreadable: Option<String>,
}

fn read_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<DocumentRow> {
    let heads: Vec<u8> = row.get(2)?;
    Ok(DocumentRow {
        id: row.get::<_, Id<DocumentId>>(0)?.0,
        kind: DocumentKind::from_code(row.get(1)?).unwrap_or(DocumentKind::Order),
        heads: split_hashes(&heads).unwrap_or_default(),
        version: super::value::unsigned(row, 3)?,
        hash: super::value::hash(row, 4)?,
        unreadable: row.get(5)?,
    })
}

/// Documents in the order of their ids, behind `after`.
pub fn list(
    reader: &Reader<'_>,
    kind: Option<DocumentKind>,
    after: Option<DocumentId>,
    limit: u32,
) -> Result<Vec<DocumentRow>, AppError> {
    let mut statement = reader.conn().prepare_cached(
        "select id, kind, heads, version, hash, unreadable from document
         where (?1 is null or kind = ?1) and id > ?2 order by id limit ?3",
    )?;
    let after = after.unwrap_or(DocumentId::NIL);
    let rows = statement.query_map((kind.map(|kind| kind as u8), Id(after), limit), read_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// One document's row.
pub fn row(reader: &Reader<'_>, id: DocumentId) -> Result<Option<DocumentRow>, AppError> {
    let found = reader
        .conn()
        .prepare_cached(
            "select id, kind, heads, version, hash, unreadable from document where id = ?1",
        )?
        .query_row([Id(id)], read_row)
        .optional()?;
    Ok(found)
}

/// One document, loaded.
pub fn get(reader: &Reader<'_>, id: DocumentId) -> Result<Option<Document>, AppError> {
    Ok(load(reader.conn(), id)?)
}

/// How many documents there are, and the digest over their hashes.
pub(crate) fn digest_of(conn: &Connection) -> Result<(u64, Hash), StoreError> {
    let mut statement = conn.prepare_cached("select hash from document")?;
    let rows = statement.query_map([], |row| super::value::hash(row, 0))?;
    let hashes = rows.collect::<Result<Vec<_>, _>>()?;
    Ok((hashes.len() as u64, digest_of_documents(hashes)))
}
