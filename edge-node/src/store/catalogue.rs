//! Reading the rows of the hub: branches, parts with prices, presets, the company.

use std::sync::{Arc, PoisonError};

use domain::branch::BranchRow;
use domain::company::CompanyRow;
use domain::id::{BranchId, PartId, PresetId};
use domain::money::Currency;
use domain::part::PartRow;
use domain::preset::PresetRow;
use rusqlite::{Connection, OptionalExtension};
use sync_protocol::position::NodeId;

use super::reader::Reader;
use super::stock::{Balance, read_balance};
use super::tx::BranchSettings;
use super::value::{Bytes, Id};
use crate::error::{AppError, StoreError};
use crate::identity::NodeIdentity;

/// A part and how many there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockedPart {
    /// The part.
    pub id: PartId,
    /// Its row.
    pub row: PartRow,
    /// Its sums here.
    pub balance: Balance,
}

/// What applies at the branch: its own row, or what joining said while that has not arrived.
pub(crate) fn branch_settings(
    conn: &Connection,
    identity: &NodeIdentity,
) -> Result<BranchSettings, StoreError> {
    let fields: Option<String> = conn
        .prepare_cached("select fields from branch where id = ?1 and deleted = 0")?
        .query_row([Id(identity.branch)], |row| row.get(0))
        .optional()?;
    Ok(match fields {
        Some(fields) => {
            let row: BranchRow = serde_json::from_str(&fields)?;
            BranchSettings {
                currency: row.currency,
                prices_include_tax: row.prices_include_tax,
                time_zone: row.time_zone,
                language: row.language,
            }
        }
        None => BranchSettings {
            currency: Currency::EUR,
            prices_include_tax: true,
            time_zone: identity.time_zone.clone(),
            language: "en".to_owned(),
        },
    })
}

/// One branch.
pub fn branch(reader: &Reader<'_>, id: BranchId) -> Result<Option<BranchRow>, AppError> {
    let fields: Option<String> = reader
        .conn()
        .prepare_cached("select fields from branch where id = ?1 and deleted = 0")?
        .query_row([Id(id)], |row| row.get(0))
        .optional()?;
    Ok(fields
        .map(|fields| serde_json::from_str(&fields))
        .transpose()?)
}

/// The branch with a code.
pub fn branch_by_code(
    reader: &Reader<'_>,
    code: &str,
) -> Result<Option<(BranchId, BranchRow)>, AppError> {
    let found = reader
        .conn()
        .prepare_cached(
            "select id, fields from branch where code = ?1 and deleted = 0 order by id limit 1",
        )?
        .query_row([code], |row| {
            Ok((row.get::<_, Id<BranchId>>(0)?.0, row.get::<_, String>(1)?))
        })
        .optional()?;
    found
        .map(|(id, fields)| Ok((id, serde_json::from_str(&fields)?)))
        .transpose()
}

/// The branch that a machine belongs to, when the machine is known here.
pub fn branch_of_node(reader: &Reader<'_>, node: NodeId) -> Result<Option<BranchId>, AppError> {
    let found = reader
        .conn()
        .prepare_cached("select branch from known_node where node = ?1 and branch is not null")?
        .query_row([node.0], |row| Ok(row.get::<_, Id<BranchId>>(0)?.0))
        .optional()?;
    Ok(found)
}

/// All branches, by code.
pub fn branches(reader: &Reader<'_>) -> Result<Vec<(BranchId, BranchRow)>, AppError> {
    let mut statement = reader
        .conn()
        .prepare_cached("select id, fields from branch where deleted = 0 order by code, id")?;
    let mut rows = statement.query([])?;
    let mut branches = Vec::new();
    while let Some(row) = rows.next()? {
        let fields: String = row.get(1)?;
        branches.push((
            row.get::<_, Id<BranchId>>(0)?.0,
            serde_json::from_str(&fields)?,
        ));
    }
    Ok(branches)
}

/// The part with a sku.
pub fn part_by_sku(reader: &Reader<'_>, sku: &str) -> Result<Option<(PartId, PartRow)>, AppError> {
    let found = reader
        .conn()
        .prepare_cached(
            "select id, fields from part where sku = ?1 and deleted = 0 order by id limit 1",
        )?
        .query_row([sku], |row| {
            Ok((row.get::<_, Id<PartId>>(0)?.0, row.get::<_, String>(1)?))
        })
        .optional()?;
    found
        .map(|(id, fields)| Ok((id, serde_json::from_str(&fields)?)))
        .transpose()
}

/// One part.
pub fn part(reader: &Reader<'_>, id: PartId) -> Result<Option<PartRow>, AppError> {
    let fields: Option<String> = reader
        .conn()
        .prepare_cached("select fields from part where id = ?1")?
        .query_row([Id(id)], |row| row.get(0))
        .optional()?;
    Ok(fields
        .map(|fields| serde_json::from_str(&fields))
        .transpose()?)
}

/// What a list of parts is narrowed to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PartFilter {
    /// Sku or name holds this, any case.
    pub text: Option<String>,
    /// Only skus behind this one: where the page before ended.
    pub after_sku: Option<String>,
    /// Only parts that ever moved here.
    pub stocked_only: bool,
}

/// Parts with their sums, by sku.
pub fn parts(
    reader: &Reader<'_>,
    filter: &PartFilter,
    limit: u32,
) -> Result<Vec<StockedPart>, AppError> {
    let mut statement = reader.conn().prepare_cached(
        "select p.id, p.fields, coalesce(s.on_hand, 0), coalesce(s.reserved, 0), coalesce(s.in_transit, 0),
             coalesce(s.movements, 0), coalesce(s.as_of, 0)
         from part p left join stock s on s.part = p.id
         where p.deleted = 0 and p.sku > ?1 and (?2 = 0 or s.part is not null)
             and (?3 is null or instr(lower(p.sku), ?3) > 0 or instr(lower(p.name), ?3) > 0)
         order by p.sku, p.id limit ?4",
    )?;
    let text = filter.text.as_ref().map(|text| text.to_lowercase());
    let after = filter.after_sku.clone().unwrap_or_default();
    let mut rows = statement.query((after, filter.stocked_only, text, limit))?;
    let mut parts = Vec::new();
    while let Some(row) = rows.next()? {
        let fields: String = row.get(1)?;
        parts.push(StockedPart {
            id: row.get::<_, Id<PartId>>(0)?.0,
            row: serde_json::from_str(&fields)?,
            balance: read_balance(row, 2)?,
        });
    }
    Ok(parts)
}

/// The part that a barcode means here: by the branch's own settings first, then by the catalogue.
pub fn part_by_barcode(reader: &Reader<'_>, code: &str) -> Result<Option<PartId>, AppError> {
    let own = reader
        .conn()
        .prepare_cached(
            "select i.part from barcode b join inventory_setting i on i.document = b.owner
             where b.code = ?1 and b.own = 1 and i.branch = ?2 order by b.owner limit 1",
        )?
        .query_row((code, Id(reader.identity().branch)), |row| {
            Ok(row.get::<_, Id<PartId>>(0)?.0)
        })
        .optional()?;
    if own.is_some() {
        return Ok(own);
    }
    let found = reader
        .conn()
        .prepare_cached(
            "select owner from barcode where code = ?1 and own = 0 order by owner limit 1",
        )?
        .query_row([code], |row| Ok(row.get::<_, Id<PartId>>(0)?.0))
        .optional()?;
    Ok(found)
}

/// Parts in whose sku or name all of these words stand, in lower case, by sku.
pub fn parts_with_words(
    reader: &Reader<'_>,
    words: &[String],
    limit: u32,
) -> Result<Vec<(PartId, PartRow)>, AppError> {
    if words.is_empty() {
        return Ok(Vec::new());
    }
    let known = part_words(reader)?;
    let fits = |(_, text): &&(PartId, String)| words.iter().all(|word| text.contains(&**word));
    let mut found = Vec::new();
    for (id, _) in known.iter().filter(fits).take(limit as usize) {
        found.extend(part(reader, *id)?.map(|row| (*id, row)));
    }
    Ok(found)
}

/// Sku and name of each part, in lower case, by sku.
type PartWords = Arc<Vec<(PartId, String)>>;

/// The words of the catalogue as it was last asked about, by how far the feeds were that bring it.
pub(super) type KeptWords = Option<(i64, PartWords)>;

fn part_words(reader: &Reader<'_>) -> Result<PartWords, AppError> {
    let state: i64 = reader
        .conn()
        .prepare_cached("select coalesce(sum(n), 0) from feed_cursor")?
        .query_row([], |row| row.get(0))?;
    let kept = &reader.shared().part_words;
    if let Some((known, words)) = &*kept.lock().unwrap_or_else(PoisonError::into_inner)
        && *known == state
    {
        return Ok(words.clone());
    }
    let mut statement = reader.conn().prepare_cached(
        "select id, lower(sku) || char(10) || lower(name) from part indexed by part_words
         where deleted = 0 order by sku, id",
    )?;
    let rows = statement.query_map([], |row| {
        let text: String = row.get(1)?;
        Ok((row.get::<_, Id<PartId>>(0)?.0, text.to_lowercase()))
    })?;
    let words: PartWords = Arc::new(rows.collect::<Result<_, _>>()?);
    *kept.lock().unwrap_or_else(PoisonError::into_inner) = Some((state, words.clone()));
    Ok(words)
}

/// Parts that can be had and whose name has one of two texts, any case; an empty text is none.
pub fn parts_named(
    reader: &Reader<'_>,
    one: &str,
    other: &str,
    limit: u32,
) -> Result<Vec<(PartId, PartRow)>, AppError> {
    let mut statement = reader.conn().prepare_cached(
        "select id, fields from part
         where deleted = 0 and ((?1 <> '' and instr(lower(name), ?1) > 0) or (?2 <> '' and instr(lower(name), ?2) > 0))
         limit ?3",
    )?;
    let mut rows = statement.query((one.to_lowercase(), other.to_lowercase(), limit))?;
    let mut parts = Vec::new();
    while let Some(row) = rows.next()? {
        let fields: String = row.get(1)?;
        let part: PartRow = serde_json::from_str(&fields)?;
        if part.active {
            parts.push((row.get::<_, Id<PartId>>(0)?.0, part));
        }
    }
    Ok(parts)
}

/// One preset.
pub fn preset(reader: &Reader<'_>, id: PresetId) -> Result<Option<PresetRow>, AppError> {
    let fields: Option<String> = reader
        .conn()
        .prepare_cached("select fields from preset where id = ?1 and deleted = 0")?
        .query_row([id.as_bytes()], |row| row.get(0))
        .optional()?;
    Ok(fields
        .map(|fields| serde_json::from_str(&fields))
        .transpose()?)
}

/// All presets.
pub fn presets(reader: &Reader<'_>) -> Result<Vec<(PresetId, PresetRow)>, AppError> {
    let mut statement = reader
        .conn()
        .prepare_cached("select id, fields from preset where deleted = 0 order by id")?;
    let mut rows = statement.query([])?;
    let mut presets = Vec::new();
    while let Some(row) = rows.next()? {
        let fields: String = row.get(1)?;
        presets.push((
            PresetId::from_bytes(row.get::<_, Bytes<16>>(0)?.0),
            serde_json::from_str(&fields)?,
        ));
    }
    Ok(presets)
}

/// The company, when its row has arrived.
pub fn company(reader: &Reader<'_>) -> Result<Option<CompanyRow>, AppError> {
    let fields: Option<String> = reader
        .conn()
        .prepare_cached("select fields from company where id = ?1 and deleted = 0")?
        .query_row([Id(BranchId::NIL)], |row| row.get(0))
        .optional()?;
    Ok(fields
        .map(|fields| serde_json::from_str(&fields))
        .transpose()?)
}
