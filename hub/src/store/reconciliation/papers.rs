//! Cash sessions of a day and the numbers of papers.

use std::collections::BTreeMap;

use domain::cash::Drawer;
use domain::id::{BranchId, SessionId};
use domain::till::{PaperKind, Receipt, Refund, Tender};
use sqlx::types::Uuid;
use sqlx::{FromRow, PgConnection};
use sync_protocol::item::{decode_body, kind};

use crate::error::HubError;
use crate::store::ids::{AsUuid, OfUuid};

/// A session that was closed on the day.
#[derive(Debug, Clone, FromRow)]
pub struct ClosedSession {
    /// The session.
    pub session: Uuid,
    /// The till.
    pub register: i32,
    /// The currency.
    pub currency: String,
    /// What it began with.
    pub float_minor: i64,
    /// The letter of its day report.
    pub series: i16,
    /// The number.
    pub number: i64,
    /// What should have been there.
    pub expected_minor: i64,
    /// What was counted.
    pub counted_minor: i64,
    /// Why it differs.
    pub reason: String,
    /// The hash that is kept.
    pub hash: Vec<u8>,
    /// Its bytes.
    pub body: Vec<u8>,
    /// The hash of the report before, by its number.
    pub before: Option<Vec<u8>>,
}

/// Sessions of a branch that were closed on a day.
pub async fn closed_sessions(
    connection: &mut PgConnection,
    branch: BranchId,
    day: i32,
) -> Result<Vec<ClosedSession>, sqlx::Error> {
    sqlx::query_as(
        "select s.session, s.register, s.currency, s.float_minor, s.series, s.number, s.expected_minor, s.counted_minor,
            s.reason, s.hash, s.body,
            (select b.hash from payments.session b where b.branch_id = s.branch_id and b.series = s.series
                and b.number = s.number - 1 limit 1) as before
         from payments.session s where s.branch_id = $1 and s.closed_day = $2 and s.body is not null
         order by s.series, s.number, s.session",
    )
    .bind(branch.uuid())
    .bind(day)
    .fetch_all(connection)
    .await
}

/// Whether a day report of a branch has this hash.
pub async fn has_report(
    connection: &mut PgConnection,
    branch: BranchId,
    hash: &[u8],
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(
        "select exists (select 1 from payments.session where branch_id = $1 and hash = $2)",
    )
    .bind(branch.uuid())
    .bind(hash)
    .fetch_one(connection)
    .await
}

/// Sessions of a branch that were open when the day ended.
pub async fn open_sessions(
    connection: &mut PgConnection,
    branch: BranchId,
    day: i32,
    end_ms: i64,
) -> Result<Vec<(SessionId, i32)>, sqlx::Error> {
    let rows: Vec<(Uuid, i32)> = sqlx::query_as(
        "select session, register from payments.session
         where branch_id = $1 and opened_ms < $3 and (closed_day is null or closed_day > $2) order by register, session",
    )
    .bind(branch.uuid())
    .bind(day)
    .bind(end_ms)
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(session, register)| (SessionId::of_uuid(session), register))
        .collect())
}

/// What should be in the drawers of these sessions by receipts, refunds and moves; without the float. A paper that does
/// not read counts as nothing.
pub async fn drawers(
    connection: &mut PgConnection,
    branch: BranchId,
    sessions: &[Uuid],
) -> Result<BTreeMap<Uuid, Drawer>, sqlx::Error> {
    let mut drawers: BTreeMap<Uuid, Drawer> = BTreeMap::new();
    let receipts: Vec<(Uuid, Vec<u8>)> = sqlx::query_as(
        "select session, body from payments.receipt where branch_id = $1 and session = any($2)",
    )
    .bind(branch.uuid())
    .bind(sessions)
    .fetch_all(&mut *connection)
    .await?;
    for (session, body) in receipts {
        let Ok(receipt) = decode_body::<Receipt>(&body, "Receipt") else {
            continue;
        };
        let cash = receipt
            .tenders
            .iter()
            .filter(|one| one.tender == Tender::Cash);
        drawers.entry(session).or_default().taken_minor +=
            cash.map(|one| one.amount_minor).sum::<i64>();
    }
    let refunds: Vec<(Uuid, Vec<u8>)> = sqlx::query_as(
        "select session, body from payments.refund where branch_id = $1 and session = any($2)",
    )
    .bind(branch.uuid())
    .bind(sessions)
    .fetch_all(&mut *connection)
    .await?;
    for (session, body) in refunds {
        let Ok(refund) = decode_body::<Refund>(&body, "Refund") else {
            continue;
        };
        let cash = refund
            .tenders
            .iter()
            .filter(|one| one.tender == Tender::Cash);
        drawers.entry(session).or_default().given_back_minor +=
            cash.map(|one| one.amount_minor).sum::<i64>();
    }
    let moves: Vec<(Uuid, i64, i64)> = sqlx::query_as(
        "select session, coalesce(sum(amount_minor) filter (where direction = 'in'), 0)::bigint,
            coalesce(sum(amount_minor) filter (where direction = 'out'), 0)::bigint
         from payments.cash_move where branch_id = $1 and session = any($2) group by session",
    )
    .bind(branch.uuid())
    .bind(sessions)
    .fetch_all(connection)
    .await?;
    for (session, moved_in, moved_out) in moves {
        let drawer = drawers.entry(session).or_default();
        drawer.in_minor += moved_in;
        drawer.out_minor += moved_out;
    }
    Ok(drawers)
}

/// A place in a series where the next number is not one higher, or where several papers have one.
#[derive(Debug, Clone, Copy)]
pub struct Seam {
    /// Which papers.
    pub kind: PaperKind,
    /// The letter.
    pub series: u8,
    /// The number before; 0 at the start.
    pub before: i64,
    /// The number.
    pub number: i64,
    /// How many papers have it.
    pub papers: i64,
}

fn series_of(kind: i16, series: i16) -> Result<(PaperKind, u8), HubError> {
    let kind = u8::try_from(kind).ok().and_then(PaperKind::from_code);
    let kind = kind.ok_or(HubError::Row("an unknown kind of paper"))?;
    let series = u8::try_from(series).map_err(|_| HubError::Row("a series outside 8 bits"))?;
    Ok((kind, series))
}

/// Where numbers of a branch are missing or given twice.
pub async fn seams(connection: &mut PgConnection, branch: BranchId) -> Result<Vec<Seam>, HubError> {
    let rows: Vec<(i16, i16, i64, i64, i64)> = sqlx::query_as(
        "select kind, series, before, number, papers from (
            select kind, series, number, papers, lag(number, 1, 0::bigint) over w as before from (
                select kind, series, number, count(*) as papers from payments.paper where branch_id = $1
                group by kind, series, number) g
            window w as (partition by kind, series order by number)) t
         where number - before > 1 or papers > 1 order by kind, series, number limit 1000",
    )
    .bind(branch.uuid())
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(kind, series, before, number, papers)| {
            let (kind, series) = series_of(kind, series)?;
            Ok(Seam {
                kind,
                series,
                before,
                number,
                papers,
            })
        })
        .collect()
}

/// The series of a branch: kind, letter, last number, papers.
pub async fn series(
    connection: &mut PgConnection,
    branch: BranchId,
) -> Result<Vec<(PaperKind, u8, i64, i64)>, HubError> {
    let rows: Vec<(i16, i16, i64, i64)> = sqlx::query_as(
        "select kind, series, max(number), count(*) from payments.paper where branch_id = $1
         group by kind, series order by kind, series",
    )
    .bind(branch.uuid())
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(kind, series, last, papers)| {
            let (kind, series) = series_of(kind, series)?;
            Ok((kind, series, last, papers))
        })
        .collect()
}

/// What may explain missing numbers: papers that are parked, and machines that were replaced.
pub async fn mishaps(
    connection: &mut PgConnection,
    branch: BranchId,
) -> Result<(i64, i64), sqlx::Error> {
    let papers = [kind::RECEIPT, kind::REFUND, kind::CASH_CLOSED].map(i32::from);
    sqlx::query_as(
        "select (select count(*) from sync.parked where branch_id = $1 and state = 1 and (kind = any($2) or item = -2)),
            (select count(*) from sync.node where branch_id = $1 and former is not null)",
    )
    .bind(branch.uuid())
    .bind(papers.as_slice())
    .fetch_one(connection)
    .await
}
