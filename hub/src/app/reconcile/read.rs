//! What nights found, as people see it.

use std::collections::BTreeMap;

use domain::id::{BranchId, StaffId};
use domain::reconcile::{Check, CheckState, Figure};

use super::RunState;
use crate::app::Hub;
use crate::app::error::AppError;
use crate::app::session::Person;
use crate::store::db::PgConnection;
use crate::store::reconciliation::day::{NightBranch, branches};
use crate::store::reconciliation::run::{self as store, RecordRow, ResultRow, RunRow, SignRow};
use crate::store::staff::read::names;

/// A person's word on a night.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// Who.
    pub name: String,
    /// When.
    pub at_ms: i64,
    /// Why, where not all was green.
    pub reason: String,
}

/// A record behind a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordView {
    /// How bad.
    pub state: CheckState,
    /// What the subject is: `payment`, `part`, `receipt`, `session`, …
    pub kind: String,
    /// Its id or name.
    pub subject: String,
    /// For people.
    pub detail: String,
    /// What is missing or too much, and its currency.
    pub amount: Option<(i64, String)>,
}

/// What a check found at a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckResult {
    /// The check.
    pub check: Check,
    /// What it came to.
    pub state: CheckState,
    /// The figures.
    pub figures: BTreeMap<String, Figure>,
    /// How many records there are.
    pub found: i64,
    /// The first of them, where they were asked for.
    pub records: Vec<RecordView>,
}

/// The night of a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BranchNight {
    /// The branch; nil for what belongs to none.
    pub branch: BranchId,
    /// Its code; empty for what belongs to none.
    pub code: String,
    /// Where the night stands.
    pub run: RunState,
    /// What it came to.
    pub state: CheckState,
    /// The first day that is not reconciled, where this one is not.
    pub since: Option<i32>,
    /// When it was begun.
    pub started_ms: Option<i64>,
    /// When it was done.
    pub finished_ms: Option<i64>,
    /// How often it was done.
    pub rounds: i32,
    /// When it was last done again by itself because lost entries of the log had come back.
    pub redone_ms: Option<i64>,
    /// Every check, in its order.
    pub checks: Vec<CheckResult>,
    /// Who signed it off, alone or with the whole chain.
    pub signed: Option<Signed>,
}

/// A night.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Night {
    /// The business day, days since 1970.
    pub day: i32,
    /// The worst of its branches.
    pub state: CheckState,
    /// The branches that the person may see, by their codes; what belongs to none stands last.
    pub branches: Vec<BranchNight>,
    /// Who signed off the whole chain.
    pub signed: Option<Signed>,
}

/// A night in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NightSummary {
    /// The business day, days since 1970.
    pub day: i32,
    /// The worst of its branches.
    pub state: CheckState,
    /// How many branches came to what.
    pub counts: BTreeMap<CheckState, u64>,
    /// Branches whose night is done.
    pub done: u64,
    /// Branches that have a night.
    pub branches: u64,
    /// What belongs to none came to, where there is such; it counts among all of these.
    pub common: Option<CheckState>,
    /// Who signed off the whole chain.
    pub signed: Option<Signed>,
}

/// What of a night.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter {
    /// One branch.
    pub branch: Option<BranchId>,
    /// One check.
    pub check: Option<Check>,
    /// With the records.
    pub records: bool,
}

/// Nights before `before`, the newest first.
///
/// # Errors
/// When the database fails.
pub async fn list(
    hub: &Hub,
    person: &Person,
    before: Option<i32>,
    limit: i64,
) -> Result<Vec<NightSummary>, AppError> {
    let mut sql = hub.snapshot().await?;
    let days = store::days(&mut sql, before, limit).await?;
    let runs = store::of_days(&mut sql, &days).await?;
    let signed = store::signed(&mut sql, &days).await?;
    let names = names_of(&mut sql, &signed).await?;
    let summary = |day: i32| {
        let runs: Vec<&RunRow> = runs
            .iter()
            .filter(|run| run.day == day && may_see(person, run.branch))
            .collect();
        let mut counts = BTreeMap::new();
        for run in &runs {
            *counts.entry(run.outcome).or_default() += 1;
        }
        NightSummary {
            day,
            state: CheckState::worst(runs.iter().map(|run| run.outcome)),
            counts,
            done: count(&runs, |run| run.state == RunState::Done),
            branches: runs.len() as u64,
            common: runs
                .iter()
                .find(|run| run.branch.is_nil())
                .map(|run| run.outcome),
            signed: word_on(&signed, &names, BranchId::NIL, day),
        }
    };
    let nights = days.into_iter().map(summary);
    Ok(nights.filter(|night| night.branches > 0).collect())
}

fn count(runs: &[&RunRow], is: impl Fn(&RunRow) -> bool) -> u64 {
    runs.iter().filter(|run| is(run)).count() as u64
}

fn may_see(person: &Person, branch: BranchId) -> bool {
    person.scope().allows(branch)
}

async fn names_of(
    sql: &mut PgConnection,
    signed: &[SignRow],
) -> Result<BTreeMap<StaffId, String>, AppError> {
    let ids: Vec<StaffId> = signed.iter().map(|row| row.staff).collect();
    Ok(names(sql, &ids).await?.into_iter().collect())
}

fn word_on(
    signed: &[SignRow],
    names: &BTreeMap<StaffId, String>,
    branch: BranchId,
    day: i32,
) -> Option<Signed> {
    let row = signed
        .iter()
        .find(|row| row.branch == branch && row.day == day)?;
    row.signed.then(|| Signed {
        name: names.get(&row.staff).cloned().unwrap_or_default(),
        at_ms: row.at_ms,
        reason: row.reason.clone(),
    })
}

/// A night.
///
/// # Errors
/// When no night of that day is known to the person.
pub async fn get(hub: &Hub, person: &Person, day: i32, filter: Filter) -> Result<Night, AppError> {
    let mut sql = hub.snapshot().await?;
    read(&mut sql, person, day, filter).await
}

pub(super) async fn read(
    sql: &mut PgConnection,
    person: &Person,
    day: i32,
    filter: Filter,
) -> Result<Night, AppError> {
    let runs = store::of_day(sql, day).await?;
    let signed = store::signed(sql, &[day]).await?;
    let names = names_of(sql, &signed).await?;
    let mut results: BTreeMap<BranchId, Vec<ResultRow>> = BTreeMap::new();
    for row in store::results(sql, day, filter.branch).await? {
        results.entry(row.branch).or_default().push(row);
    }
    let mut records: BTreeMap<(BranchId, Check), Vec<RecordView>> = BTreeMap::new();
    if filter.records {
        for row in store::records(sql, day, filter.branch, filter.check).await? {
            let of = records.entry((row.branch, row.check)).or_default();
            of.push(view_of(row));
        }
    }
    let mut known = branches(sql).await?;
    known.push(NightBranch {
        id: BranchId::NIL,
        code: String::new(),
        time_zone: String::new(),
        currency: String::new(),
    });
    let whole = word_on(&signed, &names, BranchId::NIL, day);
    let mut nights = Vec::new();
    for branch in known {
        let wanted = filter.branch.is_none_or(|only| only == branch.id);
        let run = runs.iter().find(|run| run.branch == branch.id);
        let (true, Some(run)) = (wanted && may_see(person, branch.id), run) else {
            continue;
        };
        let since = match run.state {
            RunState::Done => None,
            _ => Some(match store::last_done(sql, branch.id, day).await? {
                Some(last) => last + 1,
                None => store::first_night(sql, branch.id, day).await?,
            }),
        };
        let rows = results.remove(&branch.id).unwrap_or_default();
        let checks = checks_of(branch.id, run, rows, &mut records, filter.check);
        nights.push(BranchNight {
            branch: branch.id,
            code: branch.code,
            run: run.state,
            state: run.outcome,
            since,
            started_ms: Some(run.started_ms),
            finished_ms: run.finished_ms,
            rounds: run.rounds,
            redone_ms: run.redone_ms,
            checks,
            signed: word_on(&signed, &names, branch.id, day).or_else(|| whole.clone()),
        });
    }
    if nights.is_empty() {
        return Err(AppError::NotFound { what: "night" });
    }
    Ok(Night {
        day,
        state: CheckState::worst(nights.iter().map(|night| night.state)),
        branches: nights,
        signed: whole,
    })
}

fn checks_of(
    branch: BranchId,
    run: &RunRow,
    mut rows: Vec<ResultRow>,
    records: &mut BTreeMap<(BranchId, Check), Vec<RecordView>>,
    only: Option<Check>,
) -> Vec<CheckResult> {
    let wanted = Check::ALL
        .iter()
        .filter(|check| only.is_none_or(|only| only == **check))
        // What belongs to no branch has statements only.
        .filter(|check| !branch.is_nil() || **check == Check::Payments);
    wanted
        .map(|check| {
            let at = rows.iter().position(|row| row.check == *check);
            let row = at.map(|at| rows.swap_remove(at));
            let without = if run.state == RunState::Done {
                CheckState::Green
            } else {
                CheckState::Unreconciled
            };
            CheckResult {
                check: *check,
                state: row.as_ref().map_or(without, |row| row.state),
                found: row.as_ref().map_or(0, |row| row.found),
                figures: row.map(|row| row.figures).unwrap_or_default(),
                records: records.remove(&(branch, *check)).unwrap_or_default(),
            }
        })
        .collect()
}

fn view_of(row: RecordRow) -> RecordView {
    RecordView {
        state: row.state,
        kind: row.kind,
        subject: row.subject,
        detail: row.detail,
        amount: row.amount,
    }
}

/// The records behind one check of one branch.
///
/// # Errors
/// When there is no such night that the person may see.
pub async fn records(
    hub: &Hub,
    person: &Person,
    day: i32,
    branch: BranchId,
    check: Check,
) -> Result<(BranchNight, CheckResult), AppError> {
    let filter = Filter {
        branch: Some(branch),
        check: Some(check),
        records: true,
    };
    let missing = || AppError::NotFound { what: "night" };
    let mut night = get(hub, person, day, filter).await?;
    let mut branch = night.branches.pop().ok_or_else(missing)?;
    let result = branch.checks.pop().ok_or_else(missing)?;
    Ok((branch, result))
}
