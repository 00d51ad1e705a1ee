//! Nights that are to be done once more because a log that they found red was mended.

use domain::id::BranchId;
use sqlx::PgConnection;
use sqlx::types::Uuid;

use crate::store::ids::{AsUuid, OfUuid};

/// Whether the newest word on the night `r`, its own or the whole chain's, signs it off.
macro_rules! is_signed {
    () => {
        "exists (select 1 from (select distinct on (s.branch_id) s.signed from reconciliation.sign_off s
            where s.business_day = r.business_day
            and s.branch_id in (r.branch_id, '00000000-0000-0000-0000-000000000000'::uuid)
            order by s.branch_id, s.ord desc, s.seq desc, s.item desc) word where word.signed)"
    };
}

/// Asks for the nights of a branch to be done once more that found entries of its log missing or damaged, or that were
/// being looked at when these came back; how many. What is signed off stays as it was signed.
pub async fn ask_again(
    connection: &mut PgConnection,
    branch: BranchId,
) -> Result<u64, sqlx::Error> {
    let done = sqlx::query(concat!(
        "update reconciliation.run r set redo = 'asked' where r.branch_id = $1 and not ",
        is_signed!(),
        " and (r.state = 'running' or exists (select 1 from reconciliation.record f
            where f.branch_id = r.branch_id and f.business_day = r.business_day and f.name = 'log' and f.kind = 'log'
            and f.state = 'red'))"
    ))
    .bind(branch.uuid())
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

/// Nights that are to be done once more because a log was mended, the oldest first.
pub async fn asked_again(
    connection: &mut PgConnection,
) -> Result<Vec<(BranchId, i32)>, sqlx::Error> {
    let rows: Vec<(Uuid, i32)> = sqlx::query_as(concat!(
        "select r.branch_id, r.business_day from reconciliation.run r where r.redo <> '' and not ",
        is_signed!(),
        " order by r.business_day, r.branch_id"
    ))
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(branch, day)| (BranchId::of_uuid(branch), day))
        .collect())
}

/// Whether a night is still to be done once more because a log was mended.
pub async fn is_asked_again(
    connection: &mut PgConnection,
    branch: BranchId,
    day: i32,
) -> Result<bool, sqlx::Error> {
    let asked: Option<(bool,)> = sqlx::query_as(
        "select redo <> '' from reconciliation.run where branch_id = $1 and business_day = $2",
    )
    .bind(branch.uuid())
    .bind(day)
    .fetch_optional(connection)
    .await?;
    Ok(asked.is_some_and(|(asked,)| asked))
}
