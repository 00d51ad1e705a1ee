//! Cash sessions of the tills.

use domain::cash::{CashClosed, CashMoved, CashOpened};
use domain::id::SessionId;
use domain::money::Currency;
use domain::till::PaperKind;
use sqlx::PgConnection;
use sqlx::types::Uuid;
use sync_protocol::item::encode_body;

use super::paper::{PaperHead, insert_number};
use crate::error::HubError;
use crate::store::ids::{AsUuid, OfUuid, big};

/// A record of a session.
#[derive(Debug, Clone)]
pub enum SessionWrite {
    /// It began.
    Opened(CashOpened),
    /// Money went in or out by hand.
    Moved {
        /// The item of its transaction.
        item: u16,
        /// What went.
        moved: CashMoved,
    },
    /// It was counted.
    Closed(CashClosed),
}

/// Writes records of sessions.
pub async fn save(
    connection: &mut PgConnection,
    rows: &[(PaperHead, SessionWrite)],
) -> Result<(), sqlx::Error> {
    for (head, write) in rows {
        match write {
            SessionWrite::Opened(opened) => open(connection, head, opened).await?,
            SessionWrite::Moved { item, moved } => shift(connection, head, *item, moved).await?,
            SessionWrite::Closed(closed) => close(connection, head, closed).await?,
        }
    }
    Ok(())
}

async fn open(
    connection: &mut PgConnection,
    head: &PaperHead,
    opened: &CashOpened,
) -> Result<(), sqlx::Error> {
    sqlx::query("insert into payments.session values ($1, $2, $3, $4, $5, $6, $7)")
        .bind(head.branch.uuid())
        .bind(opened.id.uuid())
        .bind(i32::from(opened.register))
        .bind(opened.currency.as_str())
        .bind(opened.float_minor)
        .bind(head.at_ms)
        .bind(head.staff.uuid())
        .execute(connection)
        .await?;
    Ok(())
}

async fn shift(
    connection: &mut PgConnection,
    head: &PaperHead,
    item: u16,
    moved: &CashMoved,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into payments.cash_move values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(head.branch.uuid())
    .bind(moved.session.uuid())
    .bind(head.ord)
    .bind(big(head.position.seq))
    .bind(i32::from(item))
    .bind(i64::from(moved.number))
    .bind(moved.direction.as_str())
    .bind(moved.amount_minor)
    .bind(&moved.reason)
    .bind(head.staff.uuid())
    .bind(head.at_ms)
    .execute(connection)
    .await?;
    Ok(())
}

async fn close(
    connection: &mut PgConnection,
    head: &PaperHead,
    closed: &CashClosed,
) -> Result<(), sqlx::Error> {
    let body = encode_body(closed);
    sqlx::query(
        "update payments.session set closed_ms = $3, closed_by = $4, closed_day = $5, series = $6, number = $7,
            expected_minor = $8, counted_minor = $9, reason = $10, hash = $11, body = $12
         where branch_id = $1 and session = $2 and closed_ms is null",
    )
    .bind(head.branch.uuid())
    .bind(closed.session.uuid())
    .bind(head.at_ms)
    .bind(head.staff.uuid())
    .bind(head.business_day)
    .bind(i16::from(closed.series))
    .bind(i64::from(closed.number))
    .bind(closed.expected_minor)
    .bind(closed.counted_minor().unwrap_or_default())
    .bind(&closed.reason)
    .bind(closed.hash(&body).as_slice())
    .bind(&body)
    .execute(&mut *connection)
    .await?;
    let number = (PaperKind::DayReport, closed.series, closed.number);
    insert_number(connection, head, number, closed.session.uuid()).await
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
