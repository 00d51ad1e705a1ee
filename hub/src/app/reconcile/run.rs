//! Doing nights: one branch and one day at a time, once, and again when asked.

use std::sync::Arc;

use domain::id::{BranchId, StaffId};
use domain::reconcile::{Check, CheckState, Outcome, Patience};
use serde::Serialize;
use sync_protocol::hash::sha256;
use sync_protocol::item::{ExceptionMark, Item, Mark, command};

use super::check::{Ground, run_checks};
use super::day::{due_day, show_day, span_of};
use super::{EXCEPTION, RunState};
use crate::app::money::settle::take_statement;
use crate::app::watch::{Activity, Topic};
use crate::app::{Actor, Hub, mending};
use crate::error::HubError;
use crate::store::db::{self, PgConnection};
use crate::store::reconciliation::again;
use crate::store::reconciliation::day::{self as store, NightBranch};
use crate::store::reconciliation::payments::{Stretch, has_common};
use crate::store::reconciliation::run::{self as rows, RunRow};

/// Nights are made up for so many days at most.
const MISSED_DAYS: i32 = 366;
/// What changed earlier than so many days before was judged by earlier nights.
pub(super) const LOOK_BACK_DAYS: i64 = 120;

/// A night of a branch that was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Done {
    /// Code of the branch; empty for what belongs to none.
    pub branch: String,
    /// The business day.
    pub business_date: String,
    /// Where the night stands: `done`, `unreconciled`, or `waiting` where it failed or another process does it.
    pub run: &'static str,
    /// What it came to.
    pub state: &'static str,
    /// Why it could not be done.
    pub error: Option<String>,
}

/// What is common to the nights of one call.
#[derive(Debug, Clone, Copy)]
struct Call {
    now_ms: i64,
    patience: Patience,
    /// Only nights that are still asked for once more.
    is_redo: bool,
}

/// Does the night of a day, of one branch or of all, with what the card provider's statement says by now; what was found
/// before is replaced. `now_ms` is when.
///
/// # Errors
/// When the branches cannot be read. What fails at one branch is told and stops no other.
pub async fn run(
    hub: &Arc<Hub>,
    day: i32,
    only: Option<BranchId>,
    now_ms: i64,
) -> Result<Vec<Done>, HubError> {
    take_news(hub).await;
    let patience = hub.options().patience;
    let call = Call {
        now_ms,
        patience,
        is_redo: false,
    };
    let mut branches = {
        let mut connection = hub.pool().acquire().await?;
        store::branches(&mut connection).await?
    };
    match only {
        Some(only) => branches.retain(|branch| branch.id == only),
        None => branches = at_work(hub, branches).await?,
    }
    let mut done = Vec::with_capacity(branches.len());
    for branch in &branches {
        done.push(night(hub, branch, day, call).await);
    }
    if only.is_none() {
        done.extend(common(hub, day, call).await);
    }
    Ok(done)
}

/// Branches that have begun their work, as their own words and papers say: of the others there is nothing that could agree
/// or not. The first day that is known of a branch may be behind the one asked for: what it did before may not have come
/// yet, and it is unreconciled then.
async fn at_work(hub: &Hub, branches: Vec<NightBranch>) -> Result<Vec<NightBranch>, HubError> {
    let mut connection = hub.snapshot().await?;
    let mut at_work = Vec::with_capacity(branches.len());
    for branch in branches {
        let first = store::first_day(&mut connection, branch.id).await?;
        if first.is_some() {
            at_work.push(branch);
        }
    }
    Ok(at_work)
}

/// What belongs to no branch: payouts as a whole, lines that name no branch. Nothing where there is none.
async fn common(hub: &Arc<Hub>, day: i32, call: Call) -> Option<Done> {
    let branch = NightBranch {
        id: BranchId::NIL,
        code: String::new(),
        time_zone: "UTC".to_owned(),
        currency: "EUR".to_owned(),
    };
    let span = span_of(day, &branch.time_zone);
    let stretch = Stretch {
        since_ms: span.start_ms - LOOK_BACK_DAYS * domain::reconcile::DAY_MS,
        end_ms: span.end_ms,
    };
    let mut connection = hub.pool().acquire().await.ok()?;
    let there = has_common(&mut connection, stretch).await.ok()?;
    drop(connection);
    if there {
        Some(night(hub, &branch, day, call).await)
    } else {
        None
    }
}

/// Branches and days whose night is due at `now_ms` and not done, the oldest first: those that were never looked at, and
/// those that were unreconciled and whose word is there now.
///
/// # Errors
/// When the database fails.
pub async fn due(hub: &Hub, now_ms: i64, hour: u8) -> Result<Vec<(NightBranch, i32)>, HubError> {
    let mut connection = hub.snapshot().await?;
    let mut due = Vec::new();
    for branch in store::branches(&mut connection).await? {
        let last = due_day(now_ms, &branch.time_zone, hour);
        for day in due_of(&mut connection, branch.id, last).await? {
            due.push((branch.clone(), day));
        }
    }
    due.sort_by_key(|(_, day)| *day);
    Ok(due)
}

async fn due_of(
    connection: &mut PgConnection,
    branch: BranchId,
    last: i32,
) -> Result<Vec<i32>, HubError> {
    let Some(first) = store::first_day(connection, branch).await? else {
        return Ok(Vec::new());
    };
    let first = first.max(last.saturating_sub(MISSED_DAYS));
    let states = rows::states_between(connection, branch, first, last).await?;
    let mut days = Vec::new();
    for day in first..=last {
        let is_due = match states.get(&day) {
            Some(RunState::Done) => false,
            Some(RunState::Unreconciled) => store::word(connection, branch, day).await?.is_some(),
            Some(RunState::Waiting | RunState::Running) | None => true,
        };
        if is_due {
            days.push(day);
        }
    }
    Ok(days)
}

/// Does every night that is due at `now_ms`, each once.
///
/// # Errors
/// When what is due cannot be read.
pub async fn run_due(hub: &Arc<Hub>, now_ms: i64, hour: u8) -> Result<Vec<Done>, HubError> {
    let patience = hub.options().patience;
    let call = Call {
        now_ms,
        patience,
        is_redo: false,
    };
    let mut done = Vec::new();
    let mut days = std::collections::BTreeSet::new();
    let due = due(hub, now_ms, hour).await?;
    if !due.is_empty() {
        take_news(hub).await;
    }
    for (branch, day) in due {
        let one = night(hub, &branch, day, call).await;
        if one.run == RunState::Done.as_str() {
            days.insert(day);
        }
        done.push(one);
    }
    for day in days {
        done.extend(common(hub, day, call).await);
    }
    Ok(done)
}

/// Does every night once more that had found entries of a log missing or damaged which came back since then, each once,
/// whatever the hour.
///
/// # Errors
/// When what is asked for cannot be read.
pub async fn run_mended(hub: &Arc<Hub>, now_ms: i64) -> Result<Vec<Done>, HubError> {
    let asked = asked_again(hub).await?;
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    take_news(hub).await;
    let patience = hub.options().patience;
    let call = Call {
        now_ms,
        patience,
        is_redo: true,
    };
    let mut done = Vec::new();
    for (branch, day) in asked {
        done.push(night(hub, &branch, day, call).await);
    }
    Ok(done)
}

async fn asked_again(hub: &Hub) -> Result<Vec<(NightBranch, i32)>, HubError> {
    let mut connection = hub.pool().acquire().await?;
    let asked = again::asked_again(&mut connection).await?;
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    let branches = store::branches(&mut connection).await?;
    let known = |(id, day): (BranchId, i32)| {
        let branch = branches.iter().find(|branch| branch.id == id)?;
        Some((branch.clone(), day))
    };
    Ok(asked.into_iter().filter_map(known).collect())
}

/// Takes in what is new on the card provider's statement. A provider that is away stops no night: what waits for its
/// statement has days to come.
async fn take_news(hub: &Arc<Hub>) {
    if let Err(error) = take_statement(hub).await {
        tracing::warn!(%error, "the night is done without the newest statement");
    }
}

async fn night(hub: &Arc<Hub>, branch: &NightBranch, day: i32, call: Call) -> Done {
    let told = |run: RunState, state: CheckState, error: Option<String>| Done {
        branch: branch.code.clone(),
        business_date: show_day(day),
        run: run.as_str(),
        state: state.as_str(),
        error,
    };
    match try_night(hub, branch, day, call).await {
        Ok(Some(row)) => told(row.state, row.outcome, None),
        Ok(None) => {
            let error = "another process does it".to_owned();
            told(RunState::Waiting, CheckState::Unreconciled, Some(error))
        }
        Err(error) => {
            tracing::error!(%error, branch = branch.code, day = show_day(day), "a night failed");
            give_up(hub, branch.id, day).await;
            let error = Some(error.to_string());
            told(RunState::Waiting, CheckState::Unreconciled, error)
        }
    }
}

async fn give_up(hub: &Hub, branch: BranchId, day: i32) {
    let given = async {
        let mut connection = hub.pool().acquire().await?;
        rows::give_up(&mut connection, branch, day).await
    };
    if let Err(error) = given.await {
        tracing::debug!(%error, "the night stays as running; it is done again");
    }
}

/// Does a night. `None` where another process does it. The right to do it is a lock that ends with this process or with
/// the commit of what was found, so a night that was cut off is done again from the start.
async fn try_night(
    hub: &Arc<Hub>,
    branch: &NightBranch,
    day: i32,
    call: Call,
) -> Result<Option<RunRow>, HubError> {
    {
        let mut connection = hub.pool().acquire().await?;
        rows::make_turn(&mut connection, branch.id, day).await?;
    }
    let mut commit = db::begin(hub.pool()).await?;
    if !rows::try_lock(&mut commit, branch.id, day).await? {
        return Ok(None);
    }
    if call.is_redo && !again::is_asked_again(&mut commit, branch.id, day).await? {
        return Ok(None);
    }
    {
        let mut connection = hub.pool().acquire().await?;
        rows::begin(&mut connection, branch.id, day, call.now_ms).await?;
    }
    tell(hub);
    let span = span_of(day, &branch.time_zone);
    let mut reading = hub.snapshot().await?;
    let word = if branch.id.is_nil() {
        None
    } else {
        store::word(&mut reading, branch.id, day).await?
    };
    let ground = Ground {
        hub,
        branch,
        day: span,
        patience: call.patience,
        word,
    };
    let outcomes = run_checks(&mut reading, &ground).await?;
    reading.rollback().await?;
    let is_there = branch.id.is_nil() || ground.word.is_some();
    let worst = CheckState::worst(outcomes.iter().map(|(_, outcome)| outcome.state()));
    let row = RunRow {
        branch: branch.id,
        day,
        state: if is_there {
            RunState::Done
        } else {
            RunState::Unreconciled
        },
        outcome: if is_there {
            worst
        } else {
            worst.max(CheckState::Unreconciled)
        },
        position_seq: ground
            .word
            .as_ref()
            .map_or(0, |word| word.seq.cast_signed()),
        started_ms: call.now_ms,
        finished_ms: Some(hub.env().now_ms().max(call.now_ms)),
        rounds: 0,
        redone_ms: None,
    };
    rows::finish(&mut commit, &row, &outcomes).await?;
    commit.commit().await?;
    except(hub, &row, &outcomes).await?;
    if is_log_damaged(&outcomes) {
        mending::order(hub, row.branch, StaffId::NIL, hub.env().now_ms()).await?;
    }
    tell(hub);
    Ok(Some(row))
}

/// Whether entries of a log are not there or not sound: the machine that wrote them is asked for them again.
fn is_log_damaged(outcomes: &[(Check, Outcome)]) -> bool {
    let mut logs = outcomes.iter().filter(|(check, _)| *check == Check::Log);
    logs.any(|(_, outcome)| {
        let mut records = outcome.records().iter();
        records.any(|found| found.state == CheckState::Red && found.kind == "log")
    })
}

/// Pages look at nights again.
fn tell(hub: &Hub) {
    hub.watch.activity(Activity {
        topics: [Topic::Nights].into(),
        documents: Vec::new(),
    });
}

/// What names the exception of a check of a night.
pub(super) fn subject_of(day: i32, check: Check) -> [u8; 16] {
    let hash = sha256(format!("counterpart night 1 {day} {check}").as_bytes());
    let mut subject = [0; 16];
    subject.copy_from_slice(&hash[..16]);
    subject
}

/// Red checks are exceptions; they end when a later round is not red. All of it are items of the hub's log.
async fn except(
    hub: &Arc<Hub>,
    row: &RunRow,
    outcomes: &[(Check, Outcome)],
) -> Result<(), HubError> {
    let subjects: Vec<[u8; 16]> = Check::ALL
        .iter()
        .map(|check| subject_of(row.day, *check))
        .collect();
    let open = {
        let mut connection = hub.pool().acquire().await?;
        rows::open_exceptions(&mut connection, row.branch, &subjects).await?
    };
    let mut marks = Vec::new();
    for check in Check::ALL {
        let subject = subject_of(row.day, *check);
        let outcome = outcomes.iter().find(|(name, _)| name == check);
        let red = outcome.filter(|(_, outcome)| outcome.state() == CheckState::Red);
        let detail = red.map(|(_, outcome)| detail_of(row.day, *check, outcome));
        let known = open.iter().find(|(known, _)| *known == subject);
        let mark = match (detail, known) {
            (Some(detail), Some((_, said))) if *said == detail => None,
            (Some(detail), _) => Some(Mark::Reopened {
                detail,
                since_ms: row.started_ms,
            }),
            (None, Some(_)) if outcome.is_some() => Some(Mark::Closed {
                reason: format!("{check} of {} agrees now", show_day(row.day)),
            }),
            (None, _) => None,
        };
        marks.extend(mark.map(|mark| {
            Item::ExceptionMark(ExceptionMark {
                branch: row.branch,
                kind: EXCEPTION.to_owned(),
                subject,
                mark,
            })
        }));
    }
    if marks.is_empty() {
        return Ok(());
    }
    let mut tx = hub.begin(Actor::SYSTEM, command::NIGHT).await?;
    for mark in marks {
        tx.fact(mark);
    }
    tx.commit().await?;
    Ok(())
}

fn detail_of(day: i32, check: Check, outcome: &Outcome) -> String {
    let first = outcome
        .records()
        .iter()
        .find(|found| found.state == CheckState::Red);
    let what = first.map_or_else(String::new, |found| {
        format!(": {} {}: {}", found.kind, found.subject, found.detail)
    });
    let more = outcome.found().saturating_sub(1);
    let more = if more > 0 {
        format!(" (and {more} more)")
    } else {
        String::new()
    };
    let mut detail = format!("{check} of {}{what}{more}", show_day(day));
    let end = (0..=900.min(detail.len()))
        .rev()
        .find(|end| detail.is_char_boundary(*end))
        .unwrap_or(0);
    detail.truncate(end);
    detail
}
