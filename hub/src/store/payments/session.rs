//! Cash sessions of the tills.

use domain::cash::{CashClosed, CashMoved, CashOpened};
use domain::id::{BranchId, SessionId};
use domain::money::Currency;
use sqlx::PgConnection;
use sqlx::types::Uuid;
use sync_protocol::item::encode_body;

use super::paper::PaperHead;
use crate::error::HubError;
use crate::store::bulk::{column, rounds};
use crate::store::ids::{AsUuid, OfUuid, big};

/// A session begins or ends.
#[derive(Debug, Clone)]
pub enum SessionStep {
    /// It began.
    Opened(PaperHead, CashOpened),
    /// It was counted.
    Closed(PaperHead, CashClosed),
}

impl SessionStep {
    fn key(&self) -> (BranchId, SessionId) {
        match self {
            SessionStep::Opened(head, opened) => (head.branch, opened.id),
            SessionStep::Closed(head, closed) => (head.branch, closed.session),
        }
    }
}

/// Money went in or out by hand.
#[derive(Debug, Clone)]
pub struct MoveWrite {
    /// Where it comes from.
    pub head: PaperHead,
    /// The item of its transaction.
    pub item: u16,
    /// What went.
    pub moved: CashMoved,
}

/// Writes what begins and ends; the first count of a session that is there counts.
pub async fn save(connection: &mut PgConnection, steps: &[SessionStep]) -> Result<(), sqlx::Error> {
    for round in rounds(steps, SessionStep::key) {
        let (mut opened, mut closed) = (Vec::new(), Vec::new());
        for step in round {
            match step {
                SessionStep::Opened(head, body) => opened.push((head, body)),
                SessionStep::Closed(head, body) => closed.push((head, body)),
            }
        }
        open(connection, &opened).await?;
        close(connection, &closed).await?;
    }
    Ok(())
}

async fn open(
    connection: &mut PgConnection,
    rows: &[(&PaperHead, &CashOpened)],
) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "insert into payments.session select * from unnest(
            $1::uuid[], $2::uuid[], $3::integer[], $4::text[], $5::bigint[], $6::bigint[], $7::uuid[])",
    )
    .bind(column(rows, |(head, _)| head.branch.uuid()))
    .bind(column(rows, |(_, opened)| opened.id.uuid()))
    .bind(column(rows, |(_, opened)| i32::from(opened.register)))
    .bind(column(rows, |(_, opened)| opened.currency.as_str()))
    .bind(column(rows, |(_, opened)| opened.float_minor))
    .bind(column(rows, |(head, _)| head.at_ms))
    .bind(column(rows, |(head, _)| head.staff.uuid()))
    .execute(connection)
    .await?;
    Ok(())
}

async fn close(
    connection: &mut PgConnection,
    rows: &[(&PaperHead, &CashClosed)],
) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let bodies = column(rows, |(_, closed)| encode_body(*closed));
    let hashes: Vec<[u8; 32]> = rows
        .iter()
        .zip(&bodies)
        .map(|((_, closed), body)| closed.hash(body))
        .collect();
    sqlx::query(
        "update payments.session s set closed_ms = t.closed_ms, closed_by = t.closed_by, closed_day = t.closed_day,
            series = t.series, number = t.number, expected_minor = t.expected_minor, counted_minor = t.counted_minor,
            reason = t.reason, hash = t.hash, body = t.body
         from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::uuid[], $5::integer[], $6::smallint[], $7::bigint[],
            $8::bigint[], $9::bigint[], $10::text[], $11::bytea[], $12::bytea[])
            as t (branch_id, session, closed_ms, closed_by, closed_day, series, number, expected_minor,
                counted_minor, reason, hash, body)
         where s.branch_id = t.branch_id and s.session = t.session and s.closed_ms is null",
    )
    .bind(column(rows, |(head, _)| head.branch.uuid()))
    .bind(column(rows, |(_, closed)| closed.session.uuid()))
    .bind(column(rows, |(head, _)| head.at_ms))
    .bind(column(rows, |(head, _)| head.staff.uuid()))
    .bind(column(rows, |(head, _)| head.business_day))
    .bind(column(rows, |(_, closed)| i16::from(closed.series)))
    .bind(column(rows, |(_, closed)| i64::from(closed.number)))
    .bind(column(rows, |(_, closed)| closed.expected_minor))
    .bind(column(rows, |(_, closed)| {
        closed.counted_minor().unwrap_or_default()
    }))
    .bind(column(rows, |(_, closed)| closed.reason.as_str()))
    .bind(column(&hashes, |hash| hash.as_slice()))
    .bind(column(&bodies, |body| body.as_slice()))
    .execute(connection)
    .await?;
    Ok(())
}

/// Adds what went by hand.
pub async fn insert_moves(
    connection: &mut PgConnection,
    rows: &[MoveWrite],
) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "insert into payments.cash_move select * from unnest(
            $1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::integer[], $6::bigint[], $7::text[],
            $8::bigint[], $9::text[], $10::uuid[], $11::bigint[])",
    )
    .bind(column(rows, |row| row.head.branch.uuid()))
    .bind(column(rows, |row| row.moved.session.uuid()))
    .bind(column(rows, |row| row.head.ord))
    .bind(column(rows, |row| big(row.head.position.seq)))
    .bind(column(rows, |row| i32::from(row.item)))
    .bind(column(rows, |row| i64::from(row.moved.number)))
    .bind(column(rows, |row| row.moved.direction.as_str()))
    .bind(column(rows, |row| row.moved.amount_minor))
    .bind(column(rows, |row| row.moved.reason.as_str()))
    .bind(column(rows, |row| row.head.staff.uuid()))
    .bind(column(rows, |row| row.head.at_ms))
    .execute(connection)
    .await?;
    Ok(())
}

/// A session as far as its records need it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownSession {
    /// Its currency.
    pub currency: Currency,
    /// Whether its day report stands.
    pub is_closed: bool,
}

/// Which of these sessions are there.
pub async fn known(
    connection: &mut PgConnection,
    ids: &[SessionId],
) -> Result<Vec<(SessionId, KnownSession)>, HubError> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let rows: Vec<(Uuid, String, bool)> = sqlx::query_as(
        "select session, currency, closed_ms is not null from payments.session where session = any($1)",
    )
    .bind(ids)
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(id, currency, is_closed)| {
            let currency = currency
                .parse()
                .map_err(|_| HubError::Row("a currency that is none"))?;
            let known = KnownSession {
                currency,
                is_closed,
            };
            Ok((SessionId::of_uuid(id), known))
        })
        .collect()
}
