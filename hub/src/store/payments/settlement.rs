//! Lines of providers' statements, what people say they belong to, and what people put right.

use domain::day::{MoneyCorrection, SettlementLine, SettlementMatch};
use domain::id::StaffId;
use sqlx::PgConnection;

use crate::store::bulk::{column, rounds};
use crate::store::ids::AsUuid;

/// What is said of a line of a statement.
#[derive(Debug, Clone)]
pub enum LineStep {
    /// The line, and when it was taken.
    Taken(SettlementLine, i64),
    /// What somebody says it belongs to.
    Matched(SettlementMatch),
}

impl LineStep {
    fn key(&self) -> (&str, &str) {
        match self {
            LineStep::Taken(line, _) => (line.provider.as_str(), &line.reference),
            LineStep::Matched(said) => (said.provider.as_str(), &said.reference),
        }
    }
}

/// Adds lines of statements, each once, and keeps the last word on each.
pub async fn save(connection: &mut PgConnection, steps: &[LineStep]) -> Result<(), sqlx::Error> {
    for round in rounds(steps, LineStep::key) {
        let (mut taken, mut matched) = (Vec::new(), Vec::new());
        for step in round {
            match step {
                LineStep::Taken(line, taken_ms) => taken.push((line, *taken_ms)),
                LineStep::Matched(said) => matched.push(said),
            }
        }
        insert(connection, &taken).await?;
        set_matches(connection, &matched).await?;
    }
    Ok(())
}

async fn insert(
    connection: &mut PgConnection,
    rows: &[(&SettlementLine, i64)],
) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "insert into payments.settlement select *, payment, '' from unnest(
            $1::text[], $2::text[], $3::text[], $4::uuid[], $5::uuid[], $6::uuid[], $7::text[], $8::bigint[],
            $9::bigint[], $10::text[], $11::bigint[], $12::bigint[])
            as t (provider, reference, kind, branch, payment, repayment, payout, amount_minor, fee_minor, currency,
                settled_ms, taken_ms)
         on conflict do nothing",
    )
    .bind(column(rows, |(line, _)| line.provider.as_str()))
    .bind(column(rows, |(line, _)| line.reference.as_str()))
    .bind(column(rows, |(line, _)| line.kind.as_str()))
    .bind(column(rows, |(line, _)| line.branch.uuid()))
    .bind(column(rows, |(line, _)| line.payment.map(AsUuid::uuid)))
    .bind(column(rows, |(line, _)| line.repayment.map(AsUuid::uuid)))
    .bind(column(rows, |(line, _)| line.payout.as_str()))
    .bind(column(rows, |(line, _)| line.amount_minor))
    .bind(column(rows, |(line, _)| line.fee_minor))
    .bind(column(rows, |(line, _)| line.currency.as_str()))
    .bind(column(rows, |(line, _)| line.at_ms))
    .bind(column(rows, |(_, taken_ms)| *taken_ms))
    .execute(connection)
    .await?;
    Ok(())
}

async fn set_matches(
    connection: &mut PgConnection,
    rows: &[&SettlementMatch],
) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "update payments.settlement s set matched = coalesce(t.payment, s.payment), match_reason = t.reason
         from unnest($1::text[], $2::text[], $3::uuid[], $4::text[]) as t (provider, reference, payment, reason)
         where s.provider = t.provider and s.reference = t.reference",
    )
    .bind(column(rows, |row| row.provider.as_str()))
    .bind(column(rows, |row| row.reference.as_str()))
    .bind(column(rows, |row| row.payment.map(AsUuid::uuid)))
    .bind(column(rows, |row| row.reason.as_str()))
    .execute(connection)
    .await?;
    Ok(())
}

/// What a person put right.
#[derive(Debug, Clone)]
pub struct CorrectionWrite {
    /// What it says.
    pub correction: MoneyCorrection,
    /// Who.
    pub staff: StaffId,
    /// When.
    pub at_ms: i64,
}

/// Adds corrections.
pub async fn insert_corrections(
    connection: &mut PgConnection,
    rows: &[CorrectionWrite],
) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "insert into payments.correction select * from unnest(
            $1::uuid[], $2::uuid[], $3::smallint[], $4::smallint[], $5::bigint[], $6::text[], $7::uuid[], $8::text[],
            $9::uuid[], $10::bigint[])",
    )
    .bind(column(rows, |row| row.correction.branch.uuid()))
    .bind(column(rows, |row| row.correction.id.uuid()))
    .bind(column(rows, |row| i16::from(row.correction.from.code())))
    .bind(column(rows, |row| i16::from(row.correction.to.code())))
    .bind(column(rows, |row| row.correction.amount_minor))
    .bind(column(rows, |row| row.correction.currency.as_str()))
    .bind(column(rows, |row| row.correction.undoes.map(AsUuid::uuid)))
    .bind(column(rows, |row| row.correction.reason.as_str()))
    .bind(column(rows, |row| row.staff.uuid()))
    .bind(column(rows, |row| row.at_ms))
    .execute(connection)
    .await?;
    Ok(())
}
