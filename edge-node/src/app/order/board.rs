//! The board: the open orders of this branch in lanes by status.
//!
//! A card holds what is seen at a glance. It is made from the order's row alone, so a board of any branch costs the
//! same; a lane's count ends at a thousand.

use domain::id::{DocumentId, StaffId};
use domain::money::Money;
use domain::order::{LineKind, OrderView, Status};
use domain::permission::Permission;

use super::super::require;
use super::form::{LineStock, SyncState};
use super::show::{line_stock, with_paid};
use crate::error::AppError;
use crate::store::order::OrderRecord;
use crate::store::order::board::{self as rows, LaneFilter};
use crate::store::{Actor, Reader, customer};
use web_kit::wire::{Personal, money};

pub use rows::COUNT_MAX;

/// The lanes, from left to right.
pub const LANES: [Status; 6] = [
    Status::Received,
    Status::Diagnosing,
    Status::AwaitingApproval,
    Status::AwaitingParts,
    Status::InRepair,
    Status::Ready,
];
/// The statuses in which an order can be late: the promise is kept when it is ready.
const WORKED_ON: &[Status] = &[
    Status::Received,
    Status::Diagnosing,
    Status::AwaitingApproval,
    Status::AwaitingParts,
    Status::InRepair,
];
/// The most cards of one lane.
pub const CARDS: u32 = 30;

/// Which orders the board shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BoardFilter {
    /// All open ones.
    #[default]
    All,
    /// Those of the person who looks.
    Mine,
    /// Those that are promised for a time that has passed.
    Overdue,
}

impl BoardFilter {
    /// Every filter.
    pub const ALL: [Self; 3] = [Self::All, Self::Mine, Self::Overdue];

    /// Its name in addresses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Mine => "mine",
            Self::Overdue => "overdue",
        }
    }

    /// The filter of a name; any other name means all.
    pub fn of_name(name: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|filter| filter.as_str() == name)
            .unwrap_or_default()
    }

    fn rows(self, staff: StaffId, now_ms: i64) -> LaneFilter {
        match self {
            Self::All => LaneFilter::All,
            Self::Mine => LaneFilter::Of(staff),
            Self::Overdue => LaneFilter::PromisedBefore(now_ms),
        }
    }

    fn has(self, status: Status) -> bool {
        self != Self::Overdue || WORKED_ON.contains(&status)
    }
}

/// The board as one person sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Board {
    /// The lanes, from left to right.
    pub lanes: Vec<Lane>,
    /// How many orders each filter shows, at most [`COUNT_MAX`] of each lane.
    pub counts: [(BoardFilter, u64); 3],
}

/// The orders in one status.
#[derive(Debug, Clone, PartialEq)]
pub struct Lane {
    /// The status.
    pub status: Status,
    /// How many there are, at most [`COUNT_MAX`].
    pub count: u64,
    /// The first of them.
    pub cards: Vec<Card>,
}

/// An order at a glance.
#[derive(Debug, Clone, PartialEq)]
pub struct Card {
    /// The order.
    pub id: DocumentId,
    /// The number that people read.
    pub number: String,
    /// Where it stands.
    pub status: Status,
    /// What kind of device it is.
    pub category: String,
    /// The device in few words.
    pub device: String,
    /// What is wrong with it.
    pub fault: String,
    /// Whose it is, where the person is known here.
    pub person: Option<Personal>,
    /// Who works on it.
    pub technician: Option<StaffId>,
    /// Whether it goes first.
    pub urgent: bool,
    /// When it was taken in, in milliseconds since 1970.
    pub created_at_ms: i64,
    /// When it is promised.
    pub promised_at_ms: Option<i64>,
    /// When it came to this status.
    pub since_ms: i64,
    /// Whether people must decide something about it.
    pub conflict: bool,
    /// A part of it is not set aside.
    pub lacks_part: bool,
    /// The last estimate, while the customer has not answered it.
    pub asked: Option<Money>,
    /// What is left to pay; none while there is nothing to pay for.
    pub due: Option<Money>,
    /// Whether all of it is paid.
    pub is_paid: bool,
    /// How far its last change made here has come.
    pub sync: SyncState,
}

/// The board, with so many cards in each lane.
pub fn show(
    reader: &Reader<'_>,
    actor: &Actor,
    filter: BoardFilter,
    cards: u32,
) -> Result<Board, AppError> {
    require(actor, Permission::OrdersRead)?;
    let now_ms = reader.now_ms();
    let mut lanes = Vec::with_capacity(LANES.len());
    let mut counts = BoardFilter::ALL.map(|filter| (filter, 0));
    for status in LANES {
        let mut here = 0;
        for (counted, sum) in &mut counts {
            if counted.has(status) {
                let found = rows::count(reader, status, counted.rows(actor.staff, now_ms))?;
                *sum += found;
                if *counted == filter {
                    here = found;
                }
            }
        }
        let records = if filter.has(status) {
            rows::lane(reader, status, filter.rows(actor.staff, now_ms), cards)?
        } else {
            Vec::new()
        };
        let cards: Result<Vec<Card>, AppError> = records
            .into_iter()
            .map(|record| card(reader, record))
            .collect();
        lanes.push(Lane {
            status,
            count: here,
            cards: cards?,
        });
    }
    Ok(Board { lanes, counts })
}

fn card(reader: &Reader<'_>, record: OrderRecord) -> Result<Card, AppError> {
    let OrderRecord {
        id, view, stage, ..
    } = record;
    let person = match view.customer {
        Some(id) => customer::name(reader, id)?,
        None => None,
    };
    let sums = with_paid(reader, id, &view)?.filter(|_| !view.lines.is_empty());
    Ok(Card {
        lacks_part: lacks_part(reader, id, &view)?,
        conflict: view.status_conflict || !view.conflicts.is_empty(),
        since_ms: since_ms(&view),
        asked: asked(&view),
        due: sums.map(|sums| sums.due),
        is_paid: sums.is_some_and(|sums| sums.due.amount_minor == 0 && sums.paid.amount_minor > 0),
        device: device(&view),
        id,
        number: view.number,
        status: view.status,
        category: view.device.category,
        fault: view.device.fault,
        person: person.map(Into::into),
        technician: view.technician,
        urgent: view.urgent,
        created_at_ms: view.created_at_ms,
        promised_at_ms: view.promised_at_ms,
        sync: stage.into(),
    })
}

/// Brand and model; what kind of thing it is where neither is known.
fn device(view: &OrderView) -> String {
    let device = &view.device;
    let words = [device.brand.as_str(), device.model.as_str()];
    let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    if words.is_empty() {
        device.category.clone()
    } else {
        words.join(" ")
    }
}

fn since_ms(view: &OrderView) -> i64 {
    let deciding = view.fold().deciding;
    let deciding = view
        .events
        .iter()
        .filter(|event| deciding.contains(&event.id));
    deciding
        .map(|event| event.at_ms)
        .max()
        .unwrap_or(view.created_at_ms)
}

fn asked(view: &OrderView) -> Option<Money> {
    let last = view
        .estimates
        .iter()
        .max_by_key(|estimate| estimate.version)?;
    (last.answer.is_none()).then(|| money(last.gross_minor, view.currency))
}

fn lacks_part(reader: &Reader<'_>, id: DocumentId, view: &OrderView) -> Result<bool, AppError> {
    for line in view.lines.iter().filter(|line| line.kind == LineKind::Part) {
        if line_stock(reader, id, line)? == LineStock::Open {
            return Ok(true);
        }
    }
    Ok(false)
}
