//! Refunds as the tills wrote them, and those that ask for a word first.

use domain::id::{BranchId, ReceiptId, RefundId, StaffId};
use domain::till::{Refund, RefundAsked};
use sqlx::PgConnection;
use sqlx::types::Uuid;
use sync_protocol::item::{decode_body, encode_body};

use super::paper::PaperHead;
use crate::error::HubError;
use crate::store::bulk::{column, rounds};
use crate::store::ids::{AsUuid, OfUuid};

/// A refund.
#[derive(Debug, Clone)]
pub struct RefundWrite {
    /// Where it comes from.
    pub head: PaperHead,
    /// The refund.
    pub refund: Refund,
}

/// Adds refunds.
pub async fn insert(
    connection: &mut PgConnection,
    rows: &[RefundWrite],
) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "insert into payments.refund select * from unnest(
            $1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::smallint[], $6::bigint[], $7::uuid[], $8::text[],
            $9::bigint[], $10::bytea[], $11::integer[], $12::uuid[], $13::bigint[])",
    )
    .bind(column(rows, |row| row.head.branch.uuid()))
    .bind(column(rows, |row| row.refund.id.uuid()))
    .bind(column(rows, |row| row.refund.receipt.uuid()))
    .bind(column(rows, |row| row.head.ord))
    .bind(column(rows, |row| i16::from(row.refund.series)))
    .bind(column(rows, |row| i64::from(row.refund.number)))
    .bind(column(rows, |row| row.refund.session.map(AsUuid::uuid)))
    .bind(column(rows, |row| row.refund.currency.as_str()))
    .bind(column(rows, |row| row.refund.amount().unwrap_or_default()))
    .bind(column(rows, |row| encode_body(&row.refund)))
    .bind(column(rows, |row| row.head.business_day))
    .bind(column(rows, |row| row.head.staff.uuid()))
    .bind(column(rows, |row| row.head.at_ms))
    .execute(connection)
    .await?;
    Ok(())
}

/// A word on a refund.
#[derive(Debug, Clone)]
pub struct DecidedWrite {
    /// The branch that asked.
    pub branch: BranchId,
    /// What it asked for.
    pub refund: RefundId,
    /// Yes or no.
    pub approved: bool,
    /// Why.
    pub reason: String,
    /// Who said it.
    pub staff: StaffId,
}

/// What becomes of a refund that asks first.
#[derive(Debug, Clone)]
pub enum AskedStep {
    /// It waits for a word.
    Asked(PaperHead, RefundAsked),
    /// Somebody said it.
    Decided(DecidedWrite),
    /// It was given, whether it had asked or not.
    Given(BranchId, RefundId),
}

impl AskedStep {
    fn key(&self) -> (BranchId, RefundId) {
        match self {
            AskedStep::Asked(head, asked) => (head.branch, asked.id),
            AskedStep::Decided(decided) => (decided.branch, decided.refund),
            AskedStep::Given(branch, refund) => (*branch, *refund),
        }
    }
}

/// Keeps what becomes of refunds that ask first: the first question counts, and the last word before it is given.
pub async fn save_asked(
    connection: &mut PgConnection,
    steps: &[AskedStep],
) -> Result<(), sqlx::Error> {
    for round in rounds(steps, AskedStep::key) {
        let (mut asked, mut decided, mut given) = (Vec::new(), Vec::new(), Vec::new());
        for step in round {
            match step {
                AskedStep::Asked(head, question) => asked.push((head, question)),
                AskedStep::Decided(word) => decided.push(word),
                AskedStep::Given(branch, refund) => given.push((*branch, *refund)),
            }
        }
        insert_asked(connection, &asked).await?;
        decide(connection, &decided).await?;
        give(connection, &given).await?;
    }
    Ok(())
}

async fn insert_asked(
    connection: &mut PgConnection,
    rows: &[(&PaperHead, &RefundAsked)],
) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "insert into payments.refund_asked
         select branch_id, refund, receipt, currency, amount_minor, 'asked', '', null, body, staff, at_ms from unnest(
            $1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::bigint[], $6::bytea[], $7::uuid[], $8::bigint[])
            as t (branch_id, refund, receipt, currency, amount_minor, body, staff, at_ms)
         on conflict do nothing",
    )
    .bind(column(rows, |(head, _)| head.branch.uuid()))
    .bind(column(rows, |(_, asked)| asked.id.uuid()))
    .bind(column(rows, |(_, asked)| asked.receipt.uuid()))
    .bind(column(rows, |(_, asked)| asked.currency.as_str()))
    .bind(column(rows, |(_, asked)| asked.amount_minor))
    .bind(column(rows, |(_, asked)| encode_body(*asked)))
    .bind(column(rows, |(head, _)| head.staff.uuid()))
    .bind(column(rows, |(head, _)| head.at_ms))
    .execute(connection)
    .await?;
    Ok(())
}

async fn decide(connection: &mut PgConnection, rows: &[&DecidedWrite]) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let state = |approved| if approved { "approved" } else { "refused" };
    sqlx::query(
        "update payments.refund_asked a set state = t.state, reason = t.reason, decided_by = t.decided_by
         from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::uuid[])
            as t (branch_id, refund, state, reason, decided_by)
         where a.branch_id = t.branch_id and a.refund = t.refund and a.state <> 'done'",
    )
    .bind(column(rows, |row| row.branch.uuid()))
    .bind(column(rows, |row| row.refund.uuid()))
    .bind(column(rows, |row| state(row.approved)))
    .bind(column(rows, |row| row.reason.as_str()))
    .bind(column(rows, |row| row.staff.uuid()))
    .execute(connection)
    .await?;
    Ok(())
}

async fn give(
    connection: &mut PgConnection,
    rows: &[(BranchId, RefundId)],
) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "update payments.refund_asked a set state = 'done' from unnest($1::uuid[], $2::uuid[]) as t (branch_id, refund)
         where a.branch_id = t.branch_id and a.refund = t.refund",
    )
    .bind(column(rows, |(branch, _)| branch.uuid()))
    .bind(column(rows, |(_, refund)| refund.uuid()))
    .execute(connection)
    .await?;
    Ok(())
}

/// The refunds of these receipts, in the order in which they were accepted.
pub async fn refunds_of(
    connection: &mut PgConnection,
    receipts: &[ReceiptId],
) -> Result<Vec<Refund>, HubError> {
    let ids: Vec<Uuid> = receipts.iter().map(|id| id.uuid()).collect();
    let rows: Vec<(Vec<u8>,)> = sqlx::query_as(
        "select body from payments.refund where receipt = any($1) order by receipt, ord, number",
    )
    .bind(ids)
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(body,)| Ok(decode_body(&body, "Refund")?))
        .collect()
}

/// Which of these refunds are there.
pub async fn known_refunds(
    connection: &mut PgConnection,
    ids: &[RefundId],
) -> Result<Vec<RefundId>, sqlx::Error> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let rows: Vec<(Uuid,)> =
        sqlx::query_as("select refund from payments.refund where refund = any($1)")
            .bind(ids)
            .fetch_all(connection)
            .await?;
    Ok(rows
        .into_iter()
        .map(|(id,)| RefundId::of_uuid(id))
        .collect())
}
