//! The network as it is now: every branch with the state of its line and with what is open there, the worst first.
//!
//! One place ranks branches, so that the page, the map, the list and the status bar never disagree. It reads for very
//! many branches at once and loads nothing of a single one.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use domain::id::BranchId;

use super::Hub;
use super::branch::{BranchLink, Lines, LinkState};
use super::error::AppError;
use crate::store::audit::read as audit;
pub use crate::store::audit::read::OpenCount;
use crate::store::locations::read as locations;
pub use crate::store::locations::read::BranchPlace;
use crate::store::orders::day;
pub use crate::store::orders::day::OpenOrders;
use crate::store::scope::Scope;

/// More on its way than this is more than the small talk of a line that is well.
const BEHIND: u64 = 25;
const HOUR_MS: i64 = 3_600_000;
const DAY_HOURS: usize = 25;

/// How a branch is, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// A machine speaks for it and is not heard.
    CutOff,
    /// Something waits for a person.
    Decide,
    /// Much is on its way.
    CatchingUp,
    /// No machine has joined yet, or the last was revoked.
    NoMachine,
    /// Nothing to look at.
    Well,
    /// Not open for business.
    Closed,
}

impl Health {
    /// Every one, the worst first.
    pub const ALL: [Self; 6] = [
        Self::CutOff,
        Self::Decide,
        Self::CatchingUp,
        Self::NoMachine,
        Self::Well,
        Self::Closed,
    ];

    /// The name used in answers and addresses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CutOff => "cut_off",
            Self::Decide => "decide",
            Self::CatchingUp => "catching_up",
            Self::NoMachine => "no_machine",
            Self::Well => "well",
            Self::Closed => "closed",
        }
    }

    /// The one of this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|health| health.as_str() == name)
    }
}

/// A branch in the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BranchNow {
    /// The branch.
    pub place: BranchPlace,
    /// Its line.
    pub link: BranchLink,
    /// What is open there, by kind.
    pub open: Vec<(String, u64)>,
    /// How it is.
    pub health: Health,
    /// Since when, where that is known.
    pub since_ms: Option<i64>,
}

impl BranchNow {
    fn of(place: BranchPlace, link: BranchLink, counts: &[OpenCount]) -> Self {
        let oldest_ms = counts.iter().map(|count| count.oldest_ms).min();
        let (health, since_ms) = match link.state {
            _ if !place.active => (Health::Closed, None),
            LinkState::CutOff => (Health::CutOff, link.since_ms),
            _ if !counts.is_empty() => (Health::Decide, oldest_ms),
            LinkState::NoMachine => (Health::NoMachine, None),
            LinkState::Connected if link.transactions_behind + link.entries_behind > BEHIND => {
                (Health::CatchingUp, link.since_ms)
            }
            LinkState::Connected => (Health::Well, link.since_ms),
        };
        Self {
            open: counts
                .iter()
                .map(|count| (count.kind.clone(), count.count))
                .collect(),
            place,
            link,
            health,
            since_ms,
        }
    }

    /// How many exceptions are open there.
    pub fn alerts(&self) -> u64 {
        self.open.iter().map(|(_, count)| count).sum()
    }

    /// What is on its way, to and from it.
    pub fn behind(&self) -> u64 {
        self.link.transactions_behind + self.link.entries_behind
    }
}

/// Every branch that a person sees, the worst first: cut off and waiting for a person by age, catching up by what is
/// on its way, then those without a machine, then those that are well.
///
/// # Errors
/// When the database fails.
pub async fn all(hub: &Hub, scope: &Scope) -> Result<Vec<BranchNow>, AppError> {
    let (places, counts) = {
        let mut connection = hub.snapshot().await?;
        let places = locations::places(&mut connection, scope).await?;
        (places, audit::open_counts(&mut connection, scope).await?)
    };
    let lines = Lines::read(hub).await?;
    let mut of_branch: BTreeMap<BranchId, Vec<OpenCount>> = BTreeMap::new();
    for count in counts {
        of_branch.entry(count.branch).or_default().push(count);
    }
    let mut branches: Vec<BranchNow> = places
        .into_iter()
        .map(|place| {
            let link = lines.of(place.id, &place.region);
            let counts = of_branch.get(&place.id).map_or(&[][..], Vec::as_slice);
            BranchNow::of(place, link, counts)
        })
        .collect();
    branches.sort_by_cached_key(|branch| {
        let age = match branch.health {
            Health::CutOff | Health::Decide => branch.since_ms.unwrap_or(i64::MAX),
            _ => 0,
        };
        let behind = Reverse(branch.behind());
        (branch.health, age, behind, branch.place.code.clone())
    });
    Ok(branches)
}

/// What the status bar says of the network.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Branches with an open line.
    pub connected: u64,
    /// Branches whose machine is not heard.
    pub cut_off: u64,
    /// Since when the one that is cut off longest is.
    pub longest_ms: Option<i64>,
    /// All branches.
    pub branches: u64,
    /// Open exceptions.
    pub exceptions: u64,
}

/// Counts for the status bar, cheaper than [`all`].
///
/// # Errors
/// When the database fails.
pub async fn tally(hub: &Hub, scope: &Scope) -> Result<Tally, AppError> {
    let (branches, counts) = {
        let mut connection = hub.snapshot().await?;
        let branches = locations::count(&mut connection, scope).await?;
        (branches, audit::open_counts(&mut connection, scope).await?)
    };
    let mut tally = Tally {
        branches: branches.unsigned_abs(),
        exceptions: counts.iter().map(|count| count.count).sum(),
        ..Tally::default()
    };
    for (branch, state, since_ms) in Lines::states(hub).await? {
        if !scope.allows(branch) {
            continue;
        }
        if state == LinkState::Connected {
            tally.connected += 1;
        } else {
            tally.cut_off += 1;
            tally.longest_ms = tally.longest_ms.into_iter().chain(since_ms).min();
        }
    }
    Ok(tally)
}

/// Counts of a day by the hour, up to now or up to the same hour of the other day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Course {
    /// Today, of each hour so far.
    pub now: Vec<u64>,
    /// The same weekday a week ago, of each hour of the day.
    pub then: Vec<u64>,
    /// How many there were a week ago at this time of day.
    pub then_by_now: u64,
}

impl Course {
    fn of(
        now: Vec<(i64, i64)>,
        then: Vec<(i64, i64)>,
        by_now: Vec<(i64, i64)>,
        passed_ms: i64,
    ) -> Self {
        let hours = usize::try_from(passed_ms / HOUR_MS).unwrap_or(0) + 1;
        Self {
            now: by_hour(now, hours.min(DAY_HOURS)),
            then: by_hour(then, DAY_HOURS - 1),
            then_by_now: by_now.iter().map(|(_, count)| count.unsigned_abs()).sum(),
        }
    }

    /// How many there were today.
    pub fn total(&self) -> u64 {
        self.now.iter().sum()
    }
}

fn by_hour(found: Vec<(i64, i64)>, hours: usize) -> Vec<u64> {
    let mut counts = vec![0; hours];
    for (hour, count) in found {
        let hour = usize::try_from(hour)
            .unwrap_or(0)
            .min(hours.saturating_sub(1));
        if let Some(slot) = counts.get_mut(hour) {
            *slot += count.unsigned_abs();
        }
    }
    counts
}

/// When today and the day a week ago began, milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days {
    /// Today's midnight.
    pub today_ms: i64,
    /// Midnight a week ago.
    pub then_ms: i64,
    /// Now.
    pub now_ms: i64,
}

/// What happened today against a week ago, and what is open now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Day {
    /// Orders taken in.
    pub taken: Course,
    /// Orders collected.
    pub collected: Course,
    /// Open orders by branch and status.
    pub open: Vec<OpenOrders>,
}

/// The day of the branches in `scope`.
///
/// # Errors
/// When the database fails.
pub async fn day(hub: &Hub, scope: &Scope, days: Days) -> Result<Day, AppError> {
    let Days {
        today_ms,
        then_ms,
        now_ms,
    } = days;
    let passed_ms = (now_ms - today_ms).max(0);
    let (end_ms, by_now_ms) = (then_ms + 24 * HOUR_MS, then_ms + passed_ms);
    let mut connection = hub.snapshot().await?;
    let sql = &mut *connection;
    let taken = Course::of(
        day::taken(sql, scope, today_ms, i64::MAX).await?,
        day::taken(sql, scope, then_ms, end_ms).await?,
        day::taken(sql, scope, then_ms, by_now_ms).await?,
        passed_ms,
    );
    let collected = Course::of(
        day::collected(sql, scope, today_ms, i64::MAX).await?,
        day::collected(sql, scope, then_ms, end_ms).await?,
        day::collected(sql, scope, then_ms, by_now_ms).await?,
        passed_ms,
    );
    Ok(Day {
        taken,
        collected,
        open: day::open(sql, scope, now_ms).await?,
    })
}

/// Open orders by branch and status, for `scope`.
///
/// # Errors
/// When the database fails.
pub async fn open_orders(hub: &Hub, scope: &Scope) -> Result<Vec<OpenOrders>, AppError> {
    let now_ms = hub.env().now_ms();
    let mut connection = hub.snapshot().await?;
    Ok(day::open(&mut connection, scope, now_ms).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(active: bool) -> BranchPlace {
        BranchPlace {
            id: BranchId::NIL,
            code: "BER".to_owned(),
            name: String::new(),
            region: String::new(),
            address: String::new(),
            location: None,
            active,
        }
    }

    fn link(state: LinkState, behind: u64) -> BranchLink {
        BranchLink {
            state,
            since_ms: Some(10),
            last_contact_ms: Some(20),
            transactions_behind: behind,
            entries_behind: 0,
            node: None,
        }
    }

    fn health(active: bool, state: LinkState, behind: u64, counts: &[OpenCount]) -> Health {
        BranchNow::of(place(active), link(state, behind), counts).health
    }

    #[test]
    fn what_is_worst_about_a_branch_says_how_it_is() {
        let open = [OpenCount {
            branch: BranchId::NIL,
            kind: "parked".to_owned(),
            count: 2,
            oldest_ms: 5,
        }];
        assert_eq!(health(true, LinkState::CutOff, 0, &open), Health::CutOff);
        assert_eq!(health(true, LinkState::NoMachine, 0, &open), Health::Decide);
        assert_eq!(
            health(true, LinkState::Connected, 400, &[]),
            Health::CatchingUp
        );
        assert_eq!(health(true, LinkState::Connected, 3, &[]), Health::Well);
        assert_eq!(
            health(true, LinkState::NoMachine, 0, &[]),
            Health::NoMachine
        );
        assert_eq!(health(false, LinkState::CutOff, 0, &open), Health::Closed);
        let now = BranchNow::of(place(true), link(LinkState::Connected, 0), &open);
        assert_eq!((now.alerts(), now.since_ms), (2, Some(5)));
        for health in Health::ALL {
            assert_eq!(Health::of_name(health.as_str()), Some(health));
        }
    }

    #[test]
    fn a_course_has_an_hour_for_each_that_has_begun() {
        let course = Course::of(
            vec![(0, 2), (3, 1)],
            vec![(3, 4), (30, 1)],
            vec![(3, 2)],
            3 * HOUR_MS + 1,
        );
        assert_eq!(course.now, [2, 0, 0, 1]);
        assert_eq!((course.total(), course.then_by_now), (3, 2));
        assert_eq!(course.then.iter().sum::<u64>(), 5);
    }
}
