//! Reading the stock list as the shelves stand: by category, with bin and reorder point, a page at a time.
//!
//! A part stands in the list when it ever moved here or has settings here; who looks for a word looks in the whole
//! catalogue. Nothing is written here.

use domain::id::{DocumentId, LineId, PartId};
use domain::order::Status;
use domain::part::PartRow;

use super::{Balance, read_balance};
use crate::error::AppError;
use crate::store::catalogue::part_by_barcode;
use crate::store::order::stored;
use crate::store::reader::Reader;
use crate::store::sync::acked_seqs;
use crate::store::value::{Id, signed, unsigned};

/// Which parts of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ShelfShow {
    /// All.
    #[default]
    All,
    /// Those with no more free pieces than their reorder point.
    ToReorder,
    /// Those of which pieces are on their way here.
    InTransit,
}

/// What the list is narrowed to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShelfFilter {
    /// Which parts.
    pub show: ShelfShow,
    /// Sku, name or bin holds this, any case; or it is a barcode of the part.
    pub text: Option<String>,
    /// Only this category.
    pub category: Option<String>,
    /// Category and sku of the last part of the page before.
    pub after: Option<(String, String)>,
}

/// A part on the shelf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShelfPart {
    /// The part.
    pub id: PartId,
    /// Its row.
    pub row: PartRow,
    /// Its sums here.
    pub balance: Balance,
    /// Where it lies.
    pub bin: Option<String>,
    /// At how many pieces to order more.
    pub reorder_point: Option<i64>,
}

/// How many parts each view of the list has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ShelfCounts {
    /// In the list.
    pub all: u64,
    /// To reorder.
    pub to_reorder: u64,
    /// On their way here.
    pub in_transit: u64,
}

macro_rules! shelf {
    ($shown:literal) => {
        concat!(
            "select p.id, p.fields, coalesce(s.on_hand, 0), coalesce(s.reserved, 0), coalesce(s.in_transit, 0),
                 coalesce(s.movements, 0), coalesce(s.as_of, 0),
                 (select i.bin from inventory_setting i where i.part = p.id and i.branch = ?1 order by i.document limit 1),
                 (select i.reorder_point from inventory_setting i where i.part = p.id and i.branch = ?1
                  order by i.document limit 1)
             from part p left join stock s on s.part = p.id
             where p.deleted = 0 and json_extract(p.fields, '$.category') >= ?2
                 and (json_extract(p.fields, '$.category') > ?2 or p.sku > ?3)
                 and (?4 is null or json_extract(p.fields, '$.category') = ?4)
                 and (?5 is null or instr(lower(p.sku), ?5) > 0 or instr(lower(p.name), ?5) > 0
                     or p.id in (select part from inventory_setting where branch = ?1 and instr(lower(bin), ?5) > 0
                         union all select ?7))
                 and ",
            $shown,
            " order by json_extract(p.fields, '$.category'), p.sku limit ?6"
        )
    };
}

const ALL: &str = shelf!(
    "(?5 is not null or s.part is not null
        or exists (select 1 from inventory_setting i where i.part = p.id and i.branch = ?1))"
);
const TO_REORDER: &str = shelf!(
    "(select i.reorder_point from inventory_setting i where i.part = p.id and i.branch = ?1
        order by i.document limit 1) >= coalesce(s.on_hand, 0) - coalesce(s.reserved, 0)"
);
const IN_TRANSIT: &str = shelf!("p.id in (select part from stock where in_transit > 0)");

/// Parts by category and sku.
pub fn list(
    reader: &Reader<'_>,
    filter: &ShelfFilter,
    limit: u32,
) -> Result<Vec<ShelfPart>, AppError> {
    let sql = match filter.show {
        ShelfShow::All => ALL,
        ShelfShow::ToReorder => TO_REORDER,
        ShelfShow::InTransit => IN_TRANSIT,
    };
    let text = filter.text.as_ref().map(|text| text.to_lowercase());
    let by_code = match &filter.text {
        Some(text) => part_by_barcode(reader, text)?,
        None => None,
    };
    // A category begins where it begins in the order of the list.
    let start = || (filter.category.clone().unwrap_or_default(), String::new());
    let (category, sku) = filter.after.clone().unwrap_or_else(start);
    let mut statement = reader.conn().prepare_cached(sql)?;
    let mut rows = statement.query((
        Id(reader.identity().branch),
        category,
        sku,
        &filter.category,
        text,
        limit,
        by_code.map(Id),
    ))?;
    let mut parts = Vec::new();
    while let Some(row) = rows.next()? {
        let fields: String = row.get(1)?;
        parts.push(ShelfPart {
            id: row.get::<_, Id<PartId>>(0)?.0,
            row: serde_json::from_str(&fields)?,
            balance: read_balance(row, 2)?,
            bin: row.get(7)?,
            reorder_point: row.get(8)?,
        });
    }
    Ok(parts)
}

/// How many parts each view has, whatever is looked for.
pub fn counts(reader: &Reader<'_>) -> Result<ShelfCounts, AppError> {
    let branch = Id(reader.identity().branch);
    let all = reader
        .conn()
        .prepare_cached(
            "select (select count(*) from stock where part not in (select id from part where deleted = 1))
                 + (select count(distinct i.part) from inventory_setting i where i.branch = ?1
                     and not exists (select 1 from stock s where s.part = i.part)
                     and i.part not in (select id from part where deleted = 1))",
        )?
        .query_row([branch], |row| unsigned(row, 0))?;
    let to_reorder = reader
        .conn()
        .prepare_cached(
            "select count(distinct i.part) from inventory_setting i left join stock s on s.part = i.part
             where i.branch = ?1 and i.reorder_point >= coalesce(s.on_hand, 0) - coalesce(s.reserved, 0)
                 and i.part not in (select id from part where deleted = 1)",
        )?
        .query_row([branch], |row| unsigned(row, 0))?;
    let in_transit = reader
        .conn()
        .prepare_cached(
            "select count(*) from stock s where s.in_transit > 0
                 and exists (select 1 from part p where p.id = s.part and p.deleted = 0)",
        )?
        .query_row([], |row| unsigned(row, 0))?;
    Ok(ShelfCounts {
        all,
        to_reorder,
        in_transit,
    })
}

/// The categories of the catalogue, by name; the parts without one are in `""`. Steps from one to the next in the
/// index, so that it costs what there are categories, not parts.
pub fn categories(reader: &Reader<'_>) -> Result<Vec<String>, AppError> {
    let mut statement = reader.conn().prepare_cached(
        "with recursive category (name) as (
             select min(json_extract(fields, '$.category')) from part where deleted = 0
             union all
             select (select min(json_extract(fields, '$.category')) from part
                     where deleted = 0 and json_extract(fields, '$.category') > category.name)
             from category where category.name is not null)
         select name from category where name is not null",
    )?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Pieces of a part that an order keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReservedFor {
    /// The order.
    pub order: DocumentId,
    /// Its number.
    pub number: String,
    /// Where it stands.
    pub status: Status,
    /// Pieces.
    pub quantity: i64,
    /// When the order was last changed, in milliseconds since 1970.
    pub updated_at_ms: i64,
}

/// The orders that keep pieces of a part, newest first. Their quantities come to `reserved` of the part's balance,
/// less what is kept for a line that an order no longer has.
pub fn reserved_for(
    reader: &Reader<'_>,
    part: PartId,
    limit: u32,
) -> Result<Vec<ReservedFor>, AppError> {
    let mut statement = reader
        .conn()
        .prepare_cached("select id, quantity from reservation where part = ?1 and open = 1")?;
    let open = statement
        .query_map([Id(part)], |row| {
            Ok((row.get::<_, Id<LineId>>(0)?.0, row.get::<_, i64>(1)?))
        })?
        .collect::<Result<Vec<_>, _>>()?;
    if open.is_empty() {
        return Ok(Vec::new());
    }
    let mut statement = reader.conn().prepare_cached(
        "select id, view, updated_at from repair_order
         where status in ('received', 'diagnosing', 'awaiting_approval', 'awaiting_parts', 'in_repair', 'ready')
             and instr(view, ?1) > 0 order by row desc limit ?2",
    )?;
    let mut rows = statement.query((part.to_string(), limit))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let view = stored::from_json(row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?)?;
        let of_line = |id: LineId| open.iter().find(|(line, _)| *line == id).map(|(_, n)| *n);
        let quantity: i64 = view.lines.iter().filter_map(|line| of_line(line.id)).sum();
        if quantity > 0 {
            found.push(ReservedFor {
                order: row.get::<_, Id<DocumentId>>(0)?.0,
                number: view.number,
                status: view.status,
                quantity,
                updated_at_ms: row.get(2)?,
            });
        }
    }
    Ok(found)
}

/// Ids of a part's movements that this node wrote and the hub has not applied.
pub fn not_at_hub(reader: &Reader<'_>, part: PartId) -> Result<Vec<[u8; 16]>, AppError> {
    let (_, applied) = acked_seqs(reader.conn(), reader.identity())?;
    let mut statement = reader
        .conn()
        .prepare_cached("select id from movement where seq > ?1 and node = ?2 and part = ?3")?;
    let rows = statement.query_map(
        (signed(applied), reader.identity().node.0, Id(part)),
        |row| row.get(0),
    )?;
    Ok(rows.collect::<Result<_, _>>()?)
}
