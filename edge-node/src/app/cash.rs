//! Cash sessions of a till: opened with a float, moved by hand, counted blind and closed with a numbered day report.
//!
//! What should be in the drawer is worked out when the count is there, never shown before.

use domain::cash::{
    CashClosed, CashDirection, CashError, CashMoved, CashOpened, Counted, DayReport, count,
    denominations,
};
use domain::id::{SessionId, StaffId};
use domain::money::Money;
use domain::permission::Permission;
use domain::problem::Problems;
use domain::till::{PaperKind, paper_number};
use serde::{Deserialize, Serialize};
use sync_protocol::item::{Item, command};
use utoipa::ToSchema;
use web_kit::list::{ListQuery, Page};
use web_kit::order::person;
use web_kit::wire::{MoneyForm, Time, money};

use super::{cursor, place, require};
use crate::error::AppError;
use crate::store::money::cash::{self as rows, SessionRecord};
use crate::store::money::last_number;
use crate::store::money::papers::{MoveRecord, moves};
use crate::store::{Actor, Reader, WriteTx};

const LIST: &str = "cash_sessions";
/// The till of a shop that has one.
pub const FIRST_REGISTER: u16 = 1;

/// A cash session.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CashSession {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    pub id: SessionId,
    /// The till.
    pub register: u16,
    /// What it began with.
    #[schema(value_type = MoneyForm)]
    pub float: Money,
    /// When it was opened.
    pub opened_at: Time,
    /// By whom.
    #[schema(required = true, value_type = Option<String>, format = "uuid")]
    pub opened_by: Option<StaffId>,
    /// When it was closed; null while it is open.
    #[schema(required = true)]
    pub closed_at: Option<Time>,
    /// Values of coins and notes, the greatest first, in minor units.
    pub denominations: Vec<i64>,
    /// The day report, once it is closed.
    #[schema(required = true)]
    pub report: Option<Report>,
}

/// A day report (Z).
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = DayReport)]
pub struct Report {
    /// Its number, without a gap within its series.
    #[schema(example = "BER-Z-A000017")]
    pub number: String,
    /// What was counted.
    #[schema(value_type = MoneyForm)]
    pub counted: Money,
    /// What should have been there.
    #[schema(value_type = MoneyForm)]
    pub expected: Money,
    /// Counted less expected.
    #[schema(value_type = MoneyForm)]
    pub difference: Money,
    /// What stays in the drawer.
    #[schema(value_type = MoneyForm)]
    pub left: Money,
    /// Why it differs.
    pub reason: String,
    /// Receipts.
    pub receipts: u32,
    /// Refunds.
    pub refunds: u32,
    /// By tender.
    pub tenders: Vec<ReportTender>,
    /// By tax rate.
    pub rates: Vec<ReportRate>,
    /// Deposits taken, less used up and given back.
    #[schema(value_type = MoneyForm)]
    pub deposits: Money,
    /// Put in by hand.
    #[schema(value_type = MoneyForm)]
    pub put_in: Money,
    /// Taken out by hand.
    #[schema(value_type = MoneyForm)]
    pub taken_out: Money,
}

/// What came by one tender.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReportTender {
    /// `cash`, `card`, `bank` or `account`.
    pub tender: String,
    /// Taken, less given back.
    #[schema(value_type = MoneyForm)]
    pub amount: Money,
}

/// What was earned at one tax rate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReportRate {
    /// In basis points.
    pub tax_rate_bp: u32,
    /// Without tax.
    #[schema(value_type = MoneyForm)]
    pub net: Money,
    /// The tax.
    #[schema(value_type = MoneyForm)]
    pub tax: Money,
    /// With tax.
    #[schema(value_type = MoneyForm)]
    pub gross: Money,
}

/// What a session begins with.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenInput {
    /// The till; 1 where it is not said.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 999)]
    pub register: Option<u16>,
    /// What lies in the drawer.
    #[schema(value_type = MoneyForm)]
    pub float: Money,
}

/// Money that goes in or out by hand.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MoveInput {
    /// `in` or `out`.
    #[schema(example = "out")]
    pub direction: String,
    /// How much.
    #[schema(value_type = MoneyForm)]
    pub amount: Money,
    /// Why.
    #[schema(max_length = 400, example = "stamps")]
    pub reason: String,
}

/// A count.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseInput {
    /// Pieces of each coin and note.
    #[schema(max_items = 40)]
    pub counted: Vec<CountInput>,
    /// What stays in the drawer; none: all of it goes to the safe.
    #[serde(default)]
    #[schema(value_type = Option<MoneyForm>)]
    pub left: Option<Money>,
    /// Why it differs; needed where it does.
    #[serde(default)]
    #[schema(max_length = 400)]
    pub reason: String,
}

/// Pieces of one coin or note.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CountInput {
    /// What one is worth, in minor units.
    #[schema(minimum = 1, example = 5000)]
    pub value_minor: i64,
    /// How many there are.
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub pieces: u32,
}

/// The till that is named; the first where none is.
pub(crate) fn register_of(wanted: Option<u16>) -> Result<u16, AppError> {
    let register = wanted.unwrap_or(FIRST_REGISTER);
    if (1..=999).contains(&register) {
        Ok(register)
    } else {
        Err(AppError::field("/register", "must be from 1 to 999"))
    }
}

/// Sessions, newest first.
pub fn list(
    reader: &Reader<'_>,
    actor: &Actor,
    page: &ListQuery,
) -> Result<Page<CashSession>, AppError> {
    require(actor, Permission::MoneyRead)?;
    let found = rows::list(reader, place(page, LIST)?, page.limit.saturating_add(1))?;
    let Page { items, next_cursor } = Page::cut(found, page.limit, |last| cursor(LIST, &last.row));
    let items = items
        .into_iter()
        .map(|record| show(reader, record))
        .collect();
    Ok(Page { items, next_cursor })
}

/// The open session of a till.
pub fn open_one(
    reader: &Reader<'_>,
    actor: &Actor,
    register: u16,
) -> Result<Option<CashSession>, AppError> {
    require(actor, Permission::MoneyRead)?;
    Ok(rows::open_of(reader, register)?.map(|record| show(reader, record)))
}

/// A session with what belongs to it.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionBook {
    /// The session.
    pub session: CashSession,
    /// What went in and out by hand, oldest first.
    pub moves: Vec<MoveRecord>,
    /// The hash of its day report, once it is closed.
    pub hash: Option<[u8; 32]>,
}

/// One session, with what went in and out by hand and the hash of its day report.
pub fn one(reader: &Reader<'_>, actor: &Actor, id: SessionId) -> Result<SessionBook, AppError> {
    require(actor, Permission::MoneyRead)?;
    let record = rows::get(reader, id)?.ok_or(AppError::NotFound {
        what: "cash session",
    })?;
    let hash = record.hash;
    Ok(SessionBook {
        session: show(reader, record),
        moves: moves(reader, id)?,
        hash,
    })
}

/// Opens a session.
pub fn open(
    tx: &mut WriteTx<'_>,
    actor: &Actor,
    input: &OpenInput,
) -> Result<CashSession, AppError> {
    require(actor, Permission::CashWrite)?;
    let settings = tx.settings()?;
    let register = input.register.unwrap_or(FIRST_REGISTER);
    let mut problems = Problems::new();
    problems.check(
        register_of(input.register).is_ok(),
        "/register",
        "must be from 1 to 999",
    );
    same_currency(&mut problems, "/float", input.float, settings.currency);
    problems.finish(()).map_err(AppError::Invalid)?;
    if rows::open_of(&tx.reader(), register)?.is_some() {
        return Err(AppError::conflict(
            "session-open",
            "this till has an open cash session; count and close it first",
        ));
    }
    let opened = CashOpened {
        id: SessionId::from_random(&mut tx.random()),
        register,
        currency: settings.currency,
        float_minor: input.float.amount_minor,
    };
    opened
        .check_form()
        .map_err(|error| refused("/float", error))?;
    let id = opened.id;
    tx.begin(command::CASH, actor)?;
    tx.fact(Item::CashOpened(opened))?;
    found(tx, id)
}

/// Puts cash in or takes it out.
pub fn shift(
    tx: &mut WriteTx<'_>,
    actor: &Actor,
    id: SessionId,
    input: &MoveInput,
) -> Result<CashSession, AppError> {
    require(actor, Permission::CashWrite)?;
    let session = still_open(&tx.reader(), id)?;
    let mut problems = Problems::new();
    let direction = input.direction.parse::<CashDirection>().ok();
    problems.check(direction.is_some(), "/direction", "must be in or out");
    same_currency(&mut problems, "/amount", input.amount, session.currency);
    let direction = problems
        .finish(direction.unwrap_or(CashDirection::In))
        .map_err(AppError::Invalid)?;
    let moved = CashMoved {
        session: id,
        number: rows::next_move(&tx.reader(), id)?,
        direction,
        amount_minor: input.amount.amount_minor,
        reason: input.reason.trim().to_owned(),
    };
    moved.check_form().map_err(|error| match error {
        CashError::Text(_) => refused("/reason", error),
        other => refused("/amount", other),
    })?;
    if direction == CashDirection::Out {
        let (drawer, _) = rows::report(&tx.reader(), &session)?;
        // How much there is stays unsaid: the count is blind.
        drawer.may_take(moved.amount_minor).map_err(|_| {
            AppError::conflict("drawer-short", "there is not so much in the drawer")
        })?;
    }
    tx.begin(command::CASH, actor)?;
    tx.fact(Item::CashMoved(moved))?;
    found(tx, id)
}

/// Closes a session with what was counted; answers the day report.
pub fn close(
    tx: &mut WriteTx<'_>,
    actor: &Actor,
    id: SessionId,
    input: &CloseInput,
) -> Result<CashSession, AppError> {
    require(actor, Permission::CashWrite)?;
    let session = still_open(&tx.reader(), id)?;
    let counted: Vec<Counted> = input
        .counted
        .iter()
        .filter(|one| one.pieces > 0)
        .map(|one| Counted {
            value_minor: one.value_minor,
            pieces: one.pieces,
        })
        .collect();
    let there = count(&counted).map_err(|error| AppError::field("/counted", error))?;
    let left = input.left.unwrap_or(money(0, session.currency));
    let mut problems = Problems::new();
    same_currency(&mut problems, "/left", left, session.currency);
    problems.check(
        (0..=there).contains(&left.amount_minor),
        "/left",
        "must not be more than was counted",
    );
    problems.finish(()).map_err(AppError::Invalid)?;
    let (drawer, report) = rows::report(&tx.reader(), &session)?;
    let (series, last) = last_number(&tx.reader(), PaperKind::DayReport)?;
    let closed = CashClosed {
        session: id,
        counted,
        expected_minor: drawer.expected_minor(),
        left_minor: left.amount_minor,
        reason: input.reason.trim().to_owned(),
        series,
        number: last.saturating_add(1),
        former: rows::former_hash(&tx.reader(), series, last)?,
        report,
    };
    closed.check_form().map_err(|error| match error {
        CashError::Reason | CashError::Text(_) => refused("/reason", error),
        CashError::Left => refused("/left", error),
        other => refused("/counted", other),
    })?;
    tx.begin(command::CASH, actor)?;
    tx.fact(Item::CashClosed(closed))?;
    found(tx, id)
}

fn still_open(reader: &Reader<'_>, id: SessionId) -> Result<SessionRecord, AppError> {
    let session = rows::get(reader, id)?.ok_or(AppError::NotFound {
        what: "cash session",
    })?;
    if session.closed_at_ms.is_some() {
        return Err(AppError::conflict(
            "session-closed",
            "this cash session is closed; its day report stands",
        ));
    }
    Ok(session)
}

fn same_currency(
    problems: &mut Problems,
    pointer: &str,
    amount: Money,
    currency: domain::money::Currency,
) {
    problems.check(
        amount.currency == currency,
        &format!("{pointer}/currency"),
        "must be the currency of this branch",
    );
}

fn refused(pointer: &str, error: CashError) -> AppError {
    AppError::field(pointer, error)
}

fn found(tx: &WriteTx<'_>, id: SessionId) -> Result<CashSession, AppError> {
    let reader = tx.reader();
    let record = rows::get(&reader, id)?.ok_or(AppError::NotFound {
        what: "cash session",
    })?;
    Ok(show(&reader, record))
}

fn show(reader: &Reader<'_>, record: SessionRecord) -> CashSession {
    let code = &reader.identity().code;
    CashSession {
        id: record.id,
        register: record.register,
        float: money(record.float_minor, record.currency),
        opened_at: Time(record.opened_at_ms),
        opened_by: person(record.opened_by),
        closed_at: record.closed_at_ms.map(Time),
        denominations: denominations(record.currency),
        report: record
            .closed
            .map(|closed| report_of(code, record.currency, &closed)),
    }
}

fn report_of(code: &str, currency: domain::money::Currency, closed: &CashClosed) -> Report {
    let amount = |amount_minor| money(amount_minor, currency);
    let DayReport {
        receipts,
        refunds,
        ref tenders,
        ref rates,
        deposits_minor,
        in_minor,
        out_minor,
        ..
    } = closed.report;
    Report {
        number: paper_number(code, PaperKind::DayReport, closed.series, closed.number),
        counted: amount(closed.counted_minor().unwrap_or_default()),
        expected: amount(closed.expected_minor),
        difference: amount(closed.difference_minor().unwrap_or_default()),
        left: amount(closed.left_minor),
        reason: closed.reason.clone(),
        receipts,
        refunds,
        tenders: tenders
            .iter()
            .map(|sum| ReportTender {
                tender: sum.tender.as_str().to_owned(),
                amount: amount(sum.amount_minor),
            })
            .collect(),
        rates: rates
            .iter()
            .map(|rate| ReportRate {
                tax_rate_bp: rate.tax_bp,
                net: amount(rate.net_minor),
                tax: amount(rate.tax_minor),
                gross: amount(rate.gross_minor),
            })
            .collect(),
        deposits: amount(deposits_minor),
        put_in: amount(in_minor),
        taken_out: amount(out_minor),
    }
}
