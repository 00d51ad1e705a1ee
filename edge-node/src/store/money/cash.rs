//! Cash sessions: which is open, what should be in its drawer, and its day report.

use domain::cash::{CashClosed, CashDirection, DayReport, Drawer, tender_sums};
use domain::id::{SessionId, StaffId};
use domain::money::Currency;
use domain::order::RateTotal;
use domain::till::{Receipt, Refund, Tender};
use rusqlite::{OptionalExtension as _, Row};
use std::collections::BTreeMap;
use sync_protocol::item::decode_body;

use crate::error::{AppError, StoreError};
use crate::store::reader::Reader;
use crate::store::value::Id;

/// A cash session.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionRecord {
    /// Its id.
    pub id: SessionId,
    /// The till.
    pub register: u16,
    /// The currency.
    pub currency: Currency,
    /// What it began with.
    pub float_minor: i64,
    /// When it was opened, in milliseconds since 1970.
    pub opened_at_ms: i64,
    /// By whom.
    pub opened_by: StaffId,
    /// When it was closed.
    pub closed_at_ms: Option<i64>,
    /// Its day report, once it is closed.
    pub closed: Option<CashClosed>,
    /// The hash that the next day report carries.
    pub hash: Option<[u8; 32]>,
    /// Its place in lists.
    pub row: i64,
}

const COLUMNS: &str =
    "id, register, currency, float, opened_at, opened_by, closed_at, body, hash, row";

fn read(row: &Row<'_>) -> Result<SessionRecord, AppError> {
    let currency: String = row.get(2)?;
    let body: Option<Vec<u8>> = row.get(7)?;
    Ok(SessionRecord {
        id: row.get::<_, Id<SessionId>>(0)?.0,
        register: row.get(1)?,
        currency: currency.parse().unwrap_or_default(),
        float_minor: row.get(3)?,
        opened_at_ms: row.get(4)?,
        opened_by: row.get::<_, Id<StaffId>>(5)?.0,
        closed_at_ms: row.get(6)?,
        closed: body
            .map(|body| decode_body(&body, "CashClosed"))
            .transpose()
            .map_err(StoreError::from)?,
        hash: row.get(8)?,
        row: row.get(9)?,
    })
}

/// The open session of a till.
pub fn open_of(reader: &Reader<'_>, register: u16) -> Result<Option<SessionRecord>, AppError> {
    let sql = format!(
        "select {COLUMNS} from cash_session where register = ?1 and closed_at is null order by row desc limit 1"
    );
    let mut statement = reader.conn().prepare_cached(&sql)?;
    let mut rows = statement.query([register])?;
    rows.next()?.map(read).transpose()
}

/// One session.
pub fn get(reader: &Reader<'_>, id: SessionId) -> Result<Option<SessionRecord>, AppError> {
    let sql = format!("select {COLUMNS} from cash_session where id = ?1");
    let mut statement = reader.conn().prepare_cached(&sql)?;
    let mut rows = statement.query([Id(id)])?;
    rows.next()?.map(read).transpose()
}

/// Sessions, newest first.
pub fn list(
    reader: &Reader<'_>,
    before_row: Option<i64>,
    limit: u32,
) -> Result<Vec<SessionRecord>, AppError> {
    let sql =
        format!("select {COLUMNS} from cash_session where row < ?1 order by row desc limit ?2");
    let mut statement = reader.conn().prepare_cached(&sql)?;
    let mut rows = statement.query((before_row.unwrap_or(i64::MAX), limit))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row)?);
    }
    Ok(found)
}

/// The hash of the day report of this number; zeros before the first.
pub fn former_hash(reader: &Reader<'_>, series: u8, number: u32) -> Result<[u8; 32], AppError> {
    let hash = reader
        .conn()
        .prepare_cached("select hash from cash_session where series = ?1 and number = ?2")?
        .query_row((series, number), |row| row.get(0))
        .optional()?;
    Ok(hash.unwrap_or_default())
}

fn papers<T: serde::de::DeserializeOwned>(
    reader: &Reader<'_>,
    sql: &str,
    session: SessionId,
    what: &'static str,
) -> Result<Vec<T>, AppError> {
    let mut statement = reader.conn().prepare_cached(sql)?;
    let mut rows = statement.query([Id(session)])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let body = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
        found.push(decode_body(body, what).map_err(StoreError::from)?);
    }
    Ok(found)
}

/// What should be in the drawer of a session, and what its day report says.
pub fn report(
    reader: &Reader<'_>,
    session: &SessionRecord,
) -> Result<(Drawer, DayReport), AppError> {
    let receipts: Vec<Receipt> = papers(
        reader,
        "select body from receipt where session = ?1 order by row",
        session.id,
        "Receipt",
    )?;
    let refunds: Vec<Refund> = papers(
        reader,
        "select body from refund where session = ?1 order by row",
        session.id,
        "Refund",
    )?;
    let (in_minor, out_minor) = moved(reader, session.id)?;
    let taken = receipts
        .iter()
        .flat_map(|receipt| &receipt.tenders)
        .map(|tender| (tender.tender, tender.amount_minor));
    let given = refunds
        .iter()
        .flat_map(|refund| &refund.tenders)
        .map(|tender| (tender.tender, tender.amount_minor));
    let cash = |sums: Vec<(Tender, i64)>| -> i64 {
        let cash = sums.iter().filter(|(tender, _)| *tender == Tender::Cash);
        cash.map(|(_, amount)| amount).sum()
    };
    let drawer = Drawer {
        float_minor: session.float_minor,
        taken_minor: cash(taken.clone().collect()),
        given_back_minor: cash(given.clone().collect()),
        in_minor,
        out_minor,
    };
    let numbers = || {
        let receipts = receipts.iter().map(|receipt| receipt.number);
        receipts.chain(refunds.iter().map(|refund| refund.number))
    };
    let count = |papers: usize| u32::try_from(papers).unwrap_or(u32::MAX);
    let mut deposits_minor = 0_i64;
    let mut rates: BTreeMap<u32, RateTotal> = BTreeMap::new();
    for receipt in &receipts {
        let totals = receipt.totals().unwrap_or_default();
        deposits_minor += totals.deposits_minor - totals.deposits_off_minor;
        add(&mut rates, &totals.rates, 1);
    }
    for refund in &refunds {
        deposits_minor -= refund.deposits_minor;
        add(&mut rates, &refund.rates, -1);
    }
    let report = DayReport {
        receipts: count(receipts.len()),
        refunds: count(refunds.len()),
        first_number: numbers().min().unwrap_or_default(),
        last_number: numbers().max().unwrap_or_default(),
        tenders: tender_sums(taken.chain(given.map(|(tender, amount)| (tender, -amount)))),
        rates: rates.into_values().collect(),
        deposits_minor,
        in_minor,
        out_minor,
    };
    Ok((drawer, report))
}

fn add(sums: &mut BTreeMap<u32, RateTotal>, rates: &[RateTotal], sign: i64) {
    for rate in rates {
        let sum = sums.entry(rate.tax_bp).or_insert(RateTotal {
            tax_bp: rate.tax_bp,
            net_minor: 0,
            tax_minor: 0,
            gross_minor: 0,
        });
        sum.net_minor += sign * rate.net_minor;
        sum.tax_minor += sign * rate.tax_minor;
        sum.gross_minor += sign * rate.gross_minor;
    }
}

/// Cash put in and taken out by hand.
fn moved(reader: &Reader<'_>, session: SessionId) -> Result<(i64, i64), AppError> {
    let mut statement = reader.conn().prepare_cached(
        "select coalesce(sum(amount), 0) from cash_move where session = ?1 and direction = ?2",
    )?;
    let mut sum = |direction: CashDirection| -> Result<i64, AppError> {
        let of = (Id(session), direction.as_str());
        Ok(statement.query_row(of, |row| row.get(0))?)
    };
    Ok((sum(CashDirection::In)?, sum(CashDirection::Out)?))
}

/// The number of the next movement by hand in a session.
pub fn next_move(reader: &Reader<'_>, session: SessionId) -> Result<u32, AppError> {
    Ok(reader
        .conn()
        .prepare_cached("select coalesce(max(number), 0) + 1 from cash_move where session = ?1")?
        .query_row([Id(session)], |row| row.get(0))?)
}
