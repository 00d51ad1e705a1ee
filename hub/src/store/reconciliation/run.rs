//! Nights: where each stands, what it found, who signed it.

use std::collections::BTreeMap;

use domain::code::UnknownCode;
use domain::id::{BranchId, StaffId};
use domain::reconcile::{Check, CheckState, Figure, Outcome};
use sqlx::types::{Json, Uuid};
use sqlx::{FromRow, PgConnection};

use crate::error::HubError;
use crate::store::ids::{AsUuid, OfUuid, big};
use crate::store::scope::Scope;

/// Where the night of a branch stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RunState {
    /// To be done.
    Waiting,
    /// Being done.
    Running,
    /// Done.
    Done,
    /// The branch's word is not there.
    Unreconciled,
}

impl RunState {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Done => "done",
            Self::Unreconciled => "unreconciled",
        }
    }

    fn read(text: &str) -> Result<Self, HubError> {
        let all = [Self::Waiting, Self::Running, Self::Done, Self::Unreconciled];
        all.into_iter()
            .find(|state| state.as_str() == text)
            .ok_or(HubError::Row("an unknown state of a night"))
    }
}

/// The night of a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRow {
    /// The branch; nil for what belongs to none.
    pub branch: BranchId,
    /// The business day.
    pub day: i32,
    /// Where it stands.
    pub state: RunState,
    /// What it came to.
    pub outcome: CheckState,
    /// Where the branch's word stood in its log.
    pub position_seq: i64,
    /// When it began.
    pub started_ms: i64,
    /// When it ended.
    pub finished_ms: Option<i64>,
    /// How often it was done.
    pub rounds: i32,
    /// When it was last done again because a log was mended that it had found red.
    pub redone_ms: Option<i64>,
}

#[derive(FromRow)]
struct RawRun {
    branch_id: Uuid,
    business_day: i32,
    state: String,
    outcome: String,
    position_seq: i64,
    started_ms: i64,
    finished_ms: Option<i64>,
    rounds: i32,
    redone_ms: Option<i64>,
}

impl RawRun {
    fn typed(self) -> Result<RunRow, HubError> {
        Ok(RunRow {
            branch: BranchId::of_uuid(self.branch_id),
            day: self.business_day,
            state: RunState::read(&self.state)?,
            outcome: state_of(&self.outcome)?,
            position_seq: self.position_seq,
            started_ms: self.started_ms,
            finished_ms: self.finished_ms,
            rounds: self.rounds,
            redone_ms: self.redone_ms,
        })
    }
}

fn state_of(text: &str) -> Result<CheckState, HubError> {
    text.parse()
        .map_err(|_: UnknownCode| HubError::Row("an unknown state of a check"))
}

/// Takes the right to do a night of a branch until the SQL transaction ends; false where another process has it.
pub async fn try_lock(
    connection: &mut PgConnection,
    branch: BranchId,
    day: i32,
) -> Result<bool, sqlx::Error> {
    let mine: Option<(i32,)> = sqlx::query_as(
        "select business_day from reconciliation.turn where branch_id = $1 and business_day = $2
         for update skip locked",
    )
    .bind(branch.uuid())
    .bind(day)
    .fetch_optional(connection)
    .await?;
    Ok(mine.is_some())
}

/// Makes the row that [`try_lock`] locks; its own commit, so that every process sees it.
pub async fn make_turn(
    connection: &mut PgConnection,
    branch: BranchId,
    day: i32,
) -> Result<(), sqlx::Error> {
    sqlx::query("insert into reconciliation.turn values ($1, $2) on conflict do nothing")
        .bind(branch.uuid())
        .bind(day)
        .execute(connection)
        .await?;
    Ok(())
}

/// Says that a night of a branch is being done; what it found before stays until it is done.
pub async fn begin(
    connection: &mut PgConnection,
    branch: BranchId,
    day: i32,
    now_ms: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into reconciliation.run values ($1, $2, 'running', 'unreconciled', 0, $3, null, 0)
         on conflict (branch_id, business_day) do update set state = 'running', started_ms = excluded.started_ms,
            redo = case when run.redo = 'asked' then 'running' else run.redo end",
    )
    .bind(branch.uuid())
    .bind(day)
    .bind(now_ms)
    .execute(connection)
    .await?;
    Ok(())
}

/// Says that a night of a branch is still to be done.
pub async fn give_up(
    connection: &mut PgConnection,
    branch: BranchId,
    day: i32,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update reconciliation.run set state = 'waiting', redo = case when redo = 'running' then 'asked' else redo end
         where branch_id = $1 and business_day = $2 and state = 'running'",
    )
    .bind(branch.uuid())
    .bind(day)
    .execute(connection)
    .await?;
    Ok(())
}

/// Replaces what a night of a branch found.
pub async fn finish(
    connection: &mut PgConnection,
    row: &RunRow,
    outcomes: &[(Check, Outcome)],
) -> Result<(), HubError> {
    for statement in [
        "delete from reconciliation.result where branch_id = $1 and business_day = $2",
        "delete from reconciliation.record where branch_id = $1 and business_day = $2",
    ] {
        sqlx::query(statement)
            .bind(row.branch.uuid())
            .bind(row.day)
            .execute(&mut *connection)
            .await?;
    }
    for (check, outcome) in outcomes {
        insert(connection, row, *check, outcome).await?;
    }
    sqlx::query(
        "insert into reconciliation.run values ($1, $2, $3, $4, $5, $6, $7, 1)
         on conflict (branch_id, business_day) do update set state = excluded.state, outcome = excluded.outcome,
            position_seq = excluded.position_seq, started_ms = excluded.started_ms,
            finished_ms = excluded.finished_ms, rounds = reconciliation.run.rounds + 1,
            redone_ms = case when run.redo = 'running' then excluded.finished_ms else run.redone_ms end,
            redo = case when run.redo = 'running' then '' else run.redo end",
    )
    .bind(row.branch.uuid())
    .bind(row.day)
    .bind(row.state.as_str())
    .bind(row.outcome.as_str())
    .bind(row.position_seq)
    .bind(row.started_ms)
    .bind(row.finished_ms)
    .execute(connection)
    .await?;
    Ok(())
}

async fn insert(
    connection: &mut PgConnection,
    row: &RunRow,
    check: Check,
    outcome: &Outcome,
) -> Result<(), HubError> {
    sqlx::query("insert into reconciliation.result values ($1, $2, $3, $4, $5, $6, $7)")
        .bind(row.branch.uuid())
        .bind(row.day)
        .bind(check.as_str())
        .bind(outcome.state().as_str())
        .bind(Json(outcome.figures()))
        .bind(big(outcome.found()))
        .bind(row.finished_ms.unwrap_or(row.started_ms))
        .execute(&mut *connection)
        .await?;
    let records = outcome.records();
    if records.is_empty() {
        return Ok(());
    }
    let texts = |field: fn(&domain::reconcile::Found) -> String| {
        records.iter().map(field).collect::<Vec<String>>()
    };
    let numbers: Vec<i32> = (0..).take(records.len()).collect();
    let amounts: Vec<Option<i64>> = records
        .iter()
        .map(|found| found.amount.map(|(minor, _)| minor))
        .collect();
    sqlx::query(
        "insert into reconciliation.record select $1, $2, $3, t.* from unnest($4::integer[], $5::text[], $6::text[],
            $7::text[], $8::text[], $9::bigint[], $10::text[]) as t",
    )
    .bind(row.branch.uuid())
    .bind(row.day)
    .bind(check.as_str())
    .bind(numbers)
    .bind(texts(|found| found.state.as_str().to_owned()))
    .bind(texts(|found| found.kind.to_owned()))
    .bind(texts(|found| found.subject.replace('\0', " ")))
    .bind(texts(|found| found.detail.replace('\0', " ")))
    .bind(amounts)
    .bind(texts(|found| {
        found
            .amount
            .map_or_else(String::new, |(_, currency)| currency.to_string())
    }))
    .execute(connection)
    .await?;
    Ok(())
}

/// The nights of a day, by branch.
pub async fn of_day(connection: &mut PgConnection, day: i32) -> Result<Vec<RunRow>, HubError> {
    let rows: Vec<RawRun> = sqlx::query_as(
        "select * from reconciliation.run where business_day = $1 order by branch_id",
    )
    .bind(day)
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(RawRun::typed).collect()
}

/// The nights of these days.
pub async fn of_days(connection: &mut PgConnection, days: &[i32]) -> Result<Vec<RunRow>, HubError> {
    let rows: Vec<RawRun> = sqlx::query_as(
        "select * from reconciliation.run where business_day = any($1) order by business_day desc, branch_id",
    )
    .bind(days)
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(RawRun::typed).collect()
}

/// The night of a branch.
pub async fn find(
    connection: &mut PgConnection,
    branch: BranchId,
    day: i32,
) -> Result<Option<RunRow>, HubError> {
    let row: Option<RawRun> = sqlx::query_as(
        "select * from reconciliation.run where branch_id = $1 and business_day = $2",
    )
    .bind(branch.uuid())
    .bind(day)
    .fetch_optional(connection)
    .await?;
    row.map(RawRun::typed).transpose()
}

/// Days that have nights, before `before` where given, the newest first.
pub async fn days(
    connection: &mut PgConnection,
    before: Option<i32>,
    limit: i64,
) -> Result<Vec<i32>, sqlx::Error> {
    sqlx::query_scalar(
        "select distinct business_day from reconciliation.run where $1::integer is null or business_day < $1
         order by business_day desc limit $2",
    )
    .bind(before)
    .bind(limit)
    .fetch_all(connection)
    .await
}

/// The nearest days with nights of branches in the scope: before `day`, and after it.
pub async fn around(
    connection: &mut PgConnection,
    scope: &Scope,
    day: i32,
) -> Result<(Option<i32>, Option<i32>), sqlx::Error> {
    sqlx::query_as(
        "select max(business_day) filter (where business_day < $1), min(business_day) filter (where business_day > $1)
         from reconciliation.run where $2::uuid[] is null or branch_id = any($2)",
    )
    .bind(day)
    .bind(scope.sql())
    .fetch_one(connection)
    .await
}

/// Days of a branch from `first` to `last` whose night is not done, with what is known of them.
pub async fn states_between(
    connection: &mut PgConnection,
    branch: BranchId,
    first: i32,
    last: i32,
) -> Result<BTreeMap<i32, RunState>, HubError> {
    let rows: Vec<(i32, String)> = sqlx::query_as(
        "select business_day, state from reconciliation.run
         where branch_id = $1 and business_day between $2 and $3",
    )
    .bind(branch.uuid())
    .bind(first)
    .bind(last)
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(day, state)| Ok((day, RunState::read(&state)?)))
        .collect()
}

/// The first day up to this one of which the branch has a night, whatever became of it.
pub async fn first_night(
    connection: &mut PgConnection,
    branch: BranchId,
    day: i32,
) -> Result<i32, sqlx::Error> {
    let first: Option<i32> = sqlx::query_scalar(
        "select min(business_day) from reconciliation.run where branch_id = $1 and business_day <= $2",
    )
    .bind(branch.uuid())
    .bind(day)
    .fetch_one(connection)
    .await?;
    Ok(first.unwrap_or(day))
}

/// The last day before this one whose night of the branch was done.
pub async fn last_done(
    connection: &mut PgConnection,
    branch: BranchId,
    day: i32,
) -> Result<Option<i32>, sqlx::Error> {
    sqlx::query_scalar(
        "select max(business_day) from reconciliation.run
         where branch_id = $1 and business_day < $2 and state = 'done'",
    )
    .bind(branch.uuid())
    .bind(day)
    .fetch_one(connection)
    .await
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultRow {
    /// The branch.
    pub branch: BranchId,
    /// The check.
    pub check: Check,
    /// What it came to.
    pub state: CheckState,
    /// The figures.
    pub figures: BTreeMap<String, Figure>,
    /// How many records there are.
    pub found: i64,
}

type RawResult = (Uuid, String, String, Json<BTreeMap<String, Figure>>, i64);

/// What the checks of a day found; of one branch where given.
pub async fn results(
    connection: &mut PgConnection,
    day: i32,
    branch: Option<BranchId>,
) -> Result<Vec<ResultRow>, HubError> {
    let rows: Vec<RawResult> = sqlx::query_as(
        "select branch_id, name, state, figures, found from reconciliation.result
         where business_day = $1 and ($2::uuid is null or branch_id = $2) order by branch_id, name",
    )
    .bind(day)
    .bind(branch.map(AsUuid::uuid))
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(branch, name, state, Json(figures), found)| {
            let check = name.parse();
            Ok(ResultRow {
                branch: BranchId::of_uuid(branch),
                check: check.map_err(|_: UnknownCode| HubError::Row("an unknown check"))?,
                state: state_of(&state)?,
                figures,
                found,
            })
        })
        .collect()
}

/// A record behind a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordRow {
    /// The branch.
    pub branch: BranchId,
    /// The check.
    pub check: Check,
    /// How bad.
    pub state: CheckState,
    /// What the subject is.
    pub kind: String,
    /// Its id or name.
    pub subject: String,
    /// For people.
    pub detail: String,
    /// What is missing or too much, and its currency.
    pub amount: Option<(i64, String)>,
}

type RawRecord = (
    Uuid,
    String,
    String,
    String,
    String,
    String,
    Option<i64>,
    String,
);

/// Records of a day; of one branch and one check where given.
pub async fn records(
    connection: &mut PgConnection,
    day: i32,
    branch: Option<BranchId>,
    check: Option<Check>,
) -> Result<Vec<RecordRow>, HubError> {
    let rows: Vec<RawRecord> = sqlx::query_as(
        "select branch_id, name, state, kind, subject, detail, amount_minor, currency from reconciliation.record
         where business_day = $1 and ($2::uuid is null or branch_id = $2) and ($3::text is null or name = $3)
         order by branch_id, name, n",
    )
    .bind(day)
    .bind(branch.map(AsUuid::uuid))
    .bind(check.map(Check::as_str))
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(
            |(branch, name, state, kind, subject, detail, amount, currency)| {
                let check = name.parse();
                Ok(RecordRow {
                    branch: BranchId::of_uuid(branch),
                    check: check.map_err(|_: UnknownCode| HubError::Row("an unknown check"))?,
                    state: state_of(&state)?,
                    kind,
                    subject,
                    detail,
                    amount: amount.map(|minor| (minor, currency)),
                })
            },
        )
        .collect()
}

/// A person's newest word on a night.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignRow {
    /// The branch; nil for the whole chain.
    pub branch: BranchId,
    /// The day.
    pub day: i32,
    /// Signed, or opened again.
    pub signed: bool,
    /// Why.
    pub reason: String,
    /// Who.
    pub staff: StaffId,
    /// When.
    pub at_ms: i64,
}

/// The newest words on the nights of these days.
pub async fn signed(
    connection: &mut PgConnection,
    days: &[i32],
) -> Result<Vec<SignRow>, sqlx::Error> {
    let rows: Vec<(Uuid, i32, bool, String, Uuid, i64)> = sqlx::query_as(
        "select distinct on (business_day, branch_id) branch_id, business_day, signed, reason, staff, at_ms
         from reconciliation.sign_off where business_day = any($1)
         order by business_day, branch_id, ord desc, seq desc, item desc",
    )
    .bind(days)
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(branch, day, signed, reason, staff, at_ms)| SignRow {
            branch: BranchId::of_uuid(branch),
            day,
            signed,
            reason,
            staff: StaffId::of_uuid(staff),
            at_ms,
        })
        .collect())
}

/// A correction of the money ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CorrectionRow {
    /// Its id.
    pub id: [u8; 16],
    /// Whose ledger.
    pub branch: BranchId,
    /// The account that it leaves.
    pub from: i16,
    /// The account that it enters.
    pub to: i16,
    /// Minor units.
    pub amount_minor: i64,
    /// The currency.
    pub currency: String,
    /// The correction that it takes back.
    pub undoes: Option<[u8; 16]>,
    /// Whether another takes it back.
    pub is_undone: bool,
    /// Why.
    pub reason: String,
    /// Who.
    pub staff: StaffId,
    /// When.
    pub at_ms: i64,
}

#[derive(FromRow)]
struct RawCorrection {
    branch_id: Uuid,
    correction: Uuid,
    from_account: i16,
    to_account: i16,
    amount_minor: i64,
    currency: String,
    undoes: Option<Uuid>,
    is_undone: bool,
    reason: String,
    staff: Uuid,
    at_ms: i64,
}

/// Corrections, the newest first; one where `id` is given.
pub async fn corrections(
    connection: &mut PgConnection,
    id: Option<[u8; 16]>,
    limit: i64,
) -> Result<Vec<CorrectionRow>, sqlx::Error> {
    let rows: Vec<RawCorrection> = sqlx::query_as(
        "select branch_id, correction, from_account, to_account, amount_minor, currency, undoes,
            exists (select 1 from payments.correction u where u.undoes = c.correction) as is_undone,
            reason, staff, at_ms
         from payments.correction c where $1::uuid is null or correction = $1
         order by at_ms desc, correction desc limit $2",
    )
    .bind(id.map(AsUuid::uuid))
    .bind(limit)
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| CorrectionRow {
            id: row.correction.into_bytes(),
            branch: BranchId::of_uuid(row.branch_id),
            from: row.from_account,
            to: row.to_account,
            amount_minor: row.amount_minor,
            currency: row.currency,
            undoes: row.undoes.map(Uuid::into_bytes),
            is_undone: row.is_undone,
            reason: row.reason,
            staff: StaffId::of_uuid(row.staff),
            at_ms: row.at_ms,
        })
        .collect())
}

/// A line of a statement, as far as matching needs it.
pub async fn settlement_line(
    connection: &mut PgConnection,
    provider: &str,
    reference: &str,
) -> Result<Option<(BranchId, i64, String, Option<Uuid>)>, sqlx::Error> {
    let row: Option<(Uuid, i64, String, Option<Uuid>)> = sqlx::query_as(
        "select branch, amount_minor, currency, matched from payments.settlement
         where provider = $1 and reference = $2",
    )
    .bind(provider)
    .bind(reference)
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|(branch, amount, currency, matched)| {
        (BranchId::of_uuid(branch), amount, currency, matched)
    }))
}

/// Nights of which the exceptions are open: branch and subject.
pub async fn open_exceptions(
    connection: &mut PgConnection,
    branch: BranchId,
    subjects: &[[u8; 16]],
) -> Result<Vec<([u8; 16], String)>, sqlx::Error> {
    let ids: Vec<Uuid> = subjects.iter().map(|subject| subject.uuid()).collect();
    let rows: Vec<(Uuid, String)> = sqlx::query_as(
        "select subject, detail from audit.exception where branch_id = $1 and kind = 'night' and subject = any($2)",
    )
    .bind(branch.uuid())
    .bind(ids)
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(subject, detail)| (subject.into_bytes(), detail))
        .collect())
}
