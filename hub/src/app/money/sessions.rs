//! Cash sessions of the chain: the list of them, and one with its movements, its count and its place in the chain of day
//! reports.
//!
//! What should be in the drawer of an open session is not said: its count is blind at the hub too.

use domain::cash::{CashClosed, Drawer};
use domain::id::{BranchId, SessionId};
use domain::till::{PaperKind, paper_number};
use sync_protocol::item::decode_body;

use crate::app::error::AppError;
use crate::app::session::Person;
use crate::app::{Hub, branch};
use crate::error::HubError;
use crate::store::db::PgConnection;
use crate::store::payments::read as store;
pub use crate::store::payments::read::{CashMove, ReportName, SessionEnd, SessionKind, SessionRow};
use crate::store::scope::Place;

/// Which sessions are wanted.
#[derive(Debug, Clone, Copy, Default)]
pub struct WantedSessions {
    /// Of one branch.
    pub branch: Option<BranchId>,
    /// Closed on one business day.
    pub day: Option<i32>,
    /// Open ones, or those that differ.
    pub kind: SessionKind,
    /// Behind this one.
    pub place: Option<Place>,
    /// At most so many.
    pub limit: i64,
}

/// Reads which sessions a text names: nothing, `open` or `differs`.
///
/// # Errors
/// Another text, at `pointer`.
pub fn kind_named(pointer: &str, text: &str) -> Result<SessionKind, AppError> {
    match text {
        "" => Ok(SessionKind::All),
        "open" => Ok(SessionKind::Open),
        "differs" => Ok(SessionKind::Differing),
        _ => Err(AppError::field(pointer, "must be open or differs")),
    }
}

/// Reads a business day; none for an empty text.
///
/// # Errors
/// A text that is no day, at `pointer`.
pub fn day_named(pointer: &str, text: &str) -> Result<Option<i32>, AppError> {
    if text.is_empty() {
        return Ok(None);
    }
    let day = crate::app::reconcile::parse_day(text);
    let day = day.ok_or_else(|| AppError::field(pointer, "write a day, as in 2026-11-22"))?;
    Ok(Some(day))
}

/// Sessions that the person may see, those that began last first, with the codes of branches.
///
/// # Errors
/// When the database fails.
pub async fn sessions(
    hub: &Hub,
    person: &Person,
    wanted: &WantedSessions,
) -> Result<(Vec<SessionRow>, branch::Codes), AppError> {
    let mut connection = hub.snapshot().await?;
    let scope = person.scope().narrowed(wanted.branch);
    let which = (wanted.kind, wanted.day);
    let found = store::sessions(&mut connection, &scope, which, wanted.place, wanted.limit).await?;
    Ok((found, branch::codes(&mut connection).await?))
}

/// What a day report says of the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Before {
    /// It is the first.
    First,
    /// It carries the hash of this one.
    Carried(ReportName),
    /// This one has the number before, and another hash.
    Broken(ReportName),
    /// The hub has none with the number before.
    Missing {
        /// That number.
        number: u32,
    },
}

/// The place of a day report in the chain of its branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its hash.
    pub hash: Vec<u8>,
    /// Whether its bytes have this hash.
    pub is_own: bool,
    /// The hash that it carries of the one before.
    pub former: [u8; 32],
    /// The one before.
    pub before: Before,
    /// The one after, where there is one.
    pub after: Option<ReportName>,
}

/// A session with all that is known of it.
#[derive(Debug, Clone)]
pub struct SessionState {
    /// Its head.
    pub row: SessionRow,
    /// Code of its branch.
    pub branch: String,
    /// Number of its day report as it is printed; none while it is open.
    pub number: Option<String>,
    /// What went in and out by hand.
    pub moves: Vec<CashMove>,
    /// What its receipts, refunds and movements say should be in the drawer.
    pub drawer: Drawer,
    /// Receipts of the session.
    pub receipts: i64,
    /// Refunds of the session.
    pub refunds: i64,
    /// Its day report; none while it is open, or where its bytes do not read.
    pub closed: Option<CashClosed>,
    /// Its place in the chain, where its day report reads.
    pub link: Option<Link>,
    /// Whether there is a night of its business day.
    pub has_night: bool,
}

/// The number of a day report as it is printed.
pub fn number_of(code: &str, end: &SessionEnd) -> String {
    paper_number(code, PaperKind::DayReport, end.series, end.number)
}

/// One session.
///
/// # Errors
/// When there is none, or none that the person may see.
pub async fn session(hub: &Hub, person: &Person, id: SessionId) -> Result<SessionState, AppError> {
    let mut connection = hub.snapshot().await?;
    let sql = &mut connection;
    let (row, paper) = store::session(sql, id)
        .await?
        .filter(|(row, _)| person.scope().allows(row.branch))
        .ok_or(AppError::NotFound {
            what: "cash session",
        })?;
    let codes = branch::codes(sql).await?;
    let code = branch::code_of(&codes, row.branch);
    let (mut drawer, receipts, refunds) = store::drawer_of(sql, row.branch, id).await?;
    drawer.float_minor = row.float_minor;
    let closed = paper
        .as_ref()
        .and_then(|paper| decode_body::<CashClosed>(&paper.body, "CashClosed").ok());
    let link = match (&closed, paper) {
        (Some(closed), Some(paper)) => Some(link(sql, row.branch, closed, paper).await?),
        _ => None,
    };
    let has_night = match &row.closed {
        Some(end) => store::has_night(sql, row.branch, end.day).await?,
        None => false,
    };
    Ok(SessionState {
        number: row.closed.as_ref().map(|end| number_of(&code, end)),
        moves: store::cash_moves(sql, row.branch, id).await?,
        branch: code,
        row,
        drawer,
        receipts,
        refunds,
        closed,
        link,
        has_night,
    })
}

async fn link(
    sql: &mut PgConnection,
    branch: BranchId,
    closed: &CashClosed,
    paper: store::SessionPaper,
) -> Result<Link, HubError> {
    let is_first = closed.number == 1 && closed.former == [0; 32];
    let carried = store::report_with(sql, branch, &closed.former).await?;
    let former = closed.number.saturating_sub(1);
    let before = match carried {
        _ if is_first => Before::First,
        Some(found) => Before::Carried(found),
        None => match store::report_numbered(sql, branch, closed.series, former).await? {
            Some(found) => Before::Broken(found),
            None => Before::Missing { number: former },
        },
    };
    let next = closed.number.saturating_add(1);
    Ok(Link {
        is_own: closed.hash(&paper.body).as_slice() == paper.hash.as_slice(),
        after: store::report_numbered(sql, branch, closed.series, next).await?,
        former: closed.former,
        hash: paper.hash,
        before,
    })
}
