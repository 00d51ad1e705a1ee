//! Cash sessions of the tills, with what their drawers took in and gave out.

use domain::cash::{CashDirection, Drawer};
use domain::id::{BranchId, SessionId, StaffId};
use domain::money::Currency;
use sqlx::types::Uuid;
use sqlx::{FromRow, PgConnection};

use super::currency_of;
use crate::error::HubError;
use crate::store::ids::{AsUuid, OfUuid};
use crate::store::reconciliation::papers::drawers;
use crate::store::scope::{Place, Scope, behind};

/// Which sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SessionKind {
    /// All of them.
    #[default]
    All,
    /// Those that nobody has counted yet.
    Open,
    /// Those whose count differs from what should have been there.
    Differing,
}

/// A session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// Its id.
    pub id: SessionId,
    /// Whose.
    pub branch: BranchId,
    /// The till.
    pub register: i32,
    /// The currency.
    pub currency: Currency,
    /// What it began with.
    pub float_minor: i64,
    /// When it began.
    pub opened_ms: i64,
    /// Who opened it.
    pub opened_by: StaffId,
    /// How it ended; none while it is open.
    pub closed: Option<SessionEnd>,
}

/// How a session ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionEnd {
    /// When.
    pub at_ms: i64,
    /// Who counted.
    pub by: StaffId,
    /// The business day, days since 1970.
    pub day: i32,
    /// The letter of its day report.
    pub series: u8,
    /// The number.
    pub number: u32,
    /// What should have been there.
    pub expected_minor: i64,
    /// What was counted.
    pub counted_minor: i64,
    /// Why it differs.
    pub reason: String,
}

impl SessionEnd {
    /// Counted less expected: above zero is too much.
    pub const fn difference_minor(&self) -> i64 {
        self.counted_minor.saturating_sub(self.expected_minor)
    }
}

#[derive(FromRow)]
struct RawSession {
    session: Uuid,
    branch_id: Uuid,
    register: i32,
    currency: String,
    float_minor: i64,
    opened_ms: i64,
    opened_by: Uuid,
    closed_ms: Option<i64>,
    closed_by: Option<Uuid>,
    closed_day: Option<i32>,
    series: Option<i16>,
    number: Option<i64>,
    expected_minor: Option<i64>,
    counted_minor: Option<i64>,
    reason: Option<String>,
}

impl RawSession {
    fn typed(self) -> Result<SessionRow, HubError> {
        let closed = self.closed_ms.map(|at_ms| SessionEnd {
            at_ms,
            by: self.closed_by.map_or(StaffId::NIL, StaffId::of_uuid),
            day: self.closed_day.unwrap_or_default(),
            series: series_of(self.series.unwrap_or_default()),
            number: u32::try_from(self.number.unwrap_or_default()).unwrap_or_default(),
            expected_minor: self.expected_minor.unwrap_or_default(),
            counted_minor: self.counted_minor.unwrap_or_default(),
            reason: self.reason.unwrap_or_default(),
        });
        Ok(SessionRow {
            id: SessionId::of_uuid(self.session),
            branch: BranchId::of_uuid(self.branch_id),
            register: self.register,
            currency: currency_of(&self.currency)?,
            float_minor: self.float_minor,
            opened_ms: self.opened_ms,
            opened_by: StaffId::of_uuid(self.opened_by),
            closed,
        })
    }
}

fn series_of(series: i16) -> u8 {
    u8::try_from(series).unwrap_or(b'?')
}

/// Sessions, those that began last first; of one business day only those that were closed on it.
pub async fn sessions(
    connection: &mut PgConnection,
    scope: &Scope,
    (kind, day): (SessionKind, Option<i32>),
    place: Option<Place>,
    limit: i64,
) -> Result<Vec<SessionRow>, HubError> {
    let (at_ms, id) = behind(place);
    let rows: Vec<RawSession> = sqlx::query_as(
        "select session, branch_id, register, currency, float_minor, opened_ms, opened_by, closed_ms, closed_by,
            closed_day, series, number, expected_minor, counted_minor, reason
         from payments.session
         where ($1::uuid[] is null or branch_id = any($1)) and ($2::integer is null or closed_day = $2)
           and (not $3 or closed_ms is null) and (not $4 or counted_minor <> expected_minor)
           and ($5::bigint is null or (opened_ms, session) < ($5, $6))
         order by opened_ms desc, session desc limit $7",
    )
    .bind(scope.sql())
    .bind(day)
    .bind(kind == SessionKind::Open)
    .bind(kind == SessionKind::Differing)
    .bind(at_ms)
    .bind(id)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(RawSession::typed).collect()
}

/// One session, with hash and bytes of its day report.
pub async fn session(
    connection: &mut PgConnection,
    id: SessionId,
) -> Result<Option<(SessionRow, Option<SessionPaper>)>, HubError> {
    #[derive(FromRow)]
    struct Row {
        #[sqlx(flatten)]
        head: RawSession,
        hash: Option<Vec<u8>>,
        body: Option<Vec<u8>>,
    }
    let row: Option<Row> = sqlx::query_as(
        "select session, branch_id, register, currency, float_minor, opened_ms, opened_by, closed_ms, closed_by,
            closed_day, series, number, expected_minor, counted_minor, reason, hash, body
         from payments.session where session = $1 limit 1",
    )
    .bind(id.uuid())
    .fetch_optional(connection)
    .await?;
    row.map(|row| {
        let paper = row.hash.zip(row.body);
        let paper = paper.map(|(hash, body)| SessionPaper { hash, body });
        Ok((row.head.typed()?, paper))
    })
    .transpose()
}

/// A day report as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionPaper {
    /// The hash.
    pub hash: Vec<u8>,
    /// The bytes.
    pub body: Vec<u8>,
}

/// Money that went in or out by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CashMove {
    /// Which way.
    pub direction: CashDirection,
    /// How much.
    pub amount_minor: i64,
    /// Why.
    pub reason: String,
    /// Who.
    pub staff: StaffId,
    /// When.
    pub at_ms: i64,
}

/// What went in and out of a session by hand, oldest first.
pub async fn cash_moves(
    connection: &mut PgConnection,
    branch: BranchId,
    session: SessionId,
) -> Result<Vec<CashMove>, HubError> {
    let rows: Vec<(String, i64, String, Uuid, i64)> = sqlx::query_as(
        "select direction, amount_minor, reason, staff, at_ms from payments.cash_move
         where branch_id = $1 and session = $2 order by number, ord, seq, item",
    )
    .bind(branch.uuid())
    .bind(session.uuid())
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(direction, amount_minor, reason, staff, at_ms)| {
            Ok(CashMove {
                direction: direction
                    .parse()
                    .map_err(|_| HubError::Row("a direction that is none"))?,
                amount_minor,
                reason,
                staff: StaffId::of_uuid(staff),
                at_ms,
            })
        })
        .collect()
}

/// What the records of a session say should be in its drawer, without the float, and how many receipts and refunds
/// there are.
pub async fn drawer_of(
    connection: &mut PgConnection,
    branch: BranchId,
    session: SessionId,
) -> Result<(Drawer, i64, i64), HubError> {
    let drawer = drawers(connection, branch, &[session.uuid()]).await?;
    let (receipts, refunds): (i64, i64) = sqlx::query_as(
        "select (select count(*) from payments.receipt where branch_id = $1 and session = $2),
            (select count(*) from payments.refund where branch_id = $1 and session = $2)",
    )
    .bind(branch.uuid())
    .bind(session.uuid())
    .fetch_one(connection)
    .await?;
    let drawer = drawer.get(&session.uuid()).copied().unwrap_or_default();
    Ok((drawer, receipts, refunds))
}

/// A day report as its neighbours in the chain name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportName {
    /// Its session.
    pub session: SessionId,
    /// The letter.
    pub series: u8,
    /// The number.
    pub number: u32,
}

/// The day report of a branch with this hash.
pub async fn report_with(
    connection: &mut PgConnection,
    branch: BranchId,
    hash: &[u8],
) -> Result<Option<ReportName>, sqlx::Error> {
    let row: Option<(Uuid, i16, i64)> = sqlx::query_as(
        "select session, series, number from payments.session where branch_id = $1 and hash = $2
         order by series, number, session limit 1",
    )
    .bind(branch.uuid())
    .bind(hash)
    .fetch_optional(connection)
    .await?;
    Ok(row.map(name_of))
}

/// The day report of a branch with this number.
pub async fn report_numbered(
    connection: &mut PgConnection,
    branch: BranchId,
    series: u8,
    number: u32,
) -> Result<Option<ReportName>, sqlx::Error> {
    let row: Option<(Uuid, i16, i64)> = sqlx::query_as(
        "select session, series, number from payments.session where branch_id = $1 and series = $2 and number = $3
         order by session limit 1",
    )
    .bind(branch.uuid())
    .bind(i16::from(series))
    .bind(i64::from(number))
    .fetch_optional(connection)
    .await?;
    Ok(row.map(name_of))
}

fn name_of((session, series, number): (Uuid, i16, i64)) -> ReportName {
    ReportName {
        session: SessionId::of_uuid(session),
        series: series_of(series),
        number: u32::try_from(number).unwrap_or_default(),
    }
}

/// Whether a branch has a night of this day.
pub async fn has_night(
    connection: &mut PgConnection,
    branch: BranchId,
    day: i32,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(
        "select exists (select 1 from reconciliation.run where branch_id = $1 and business_day = $2)",
    )
    .bind(branch.uuid())
    .bind(day)
    .fetch_one(connection)
    .await
}
