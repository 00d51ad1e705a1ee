//! Pieces of a branch: the ledger at a place of the log, columns, reservations, what is on its way.

use domain::id::{BranchId, PartId, TransferId};
use domain::reconcile::{Column, Orphan};
use sqlx::types::Uuid;
use sqlx::{FromRow, PgConnection};

use super::day::Word;
use crate::store::ids::{AsUuid, OfUuid, big, node_number};

/// A part of a branch: what its movements come to, at the word's place and now, and what its columns say.
#[derive(Debug, Clone, Copy, FromRow)]
pub struct PartSums {
    /// The part.
    pub part: Uuid,
    /// On hand by the branch's movements up to the word.
    pub on_hand_then: i64,
    /// The branch's movements up to the word.
    pub movements_then: i64,
    /// On hand by all movements.
    pub on_hand: i64,
    /// In transit by all movements.
    pub in_transit: i64,
    /// What the column says.
    pub on_hand_column: i64,
    /// What the column says.
    pub in_transit_column: i64,
}

/// Every part of a branch.
pub async fn sums(
    connection: &mut PgConnection,
    word: &Word,
) -> Result<Vec<PartSums>, sqlx::Error> {
    sqlx::query_as(
        "with moved as (
            select part, sum(on_hand) filter (where told)::bigint as on_hand_then,
                count(*) filter (where told) as movements_then,
                sum(on_hand)::bigint as on_hand, sum(in_transit)::bigint as in_transit
            from (select part, node <> 0 and ord <= $2 and not (node = $3 and seq > $4) as told,
                    case when superseded then 0 when to_account = 1 then quantity when from_account = 1 then -quantity
                        else 0 end as on_hand,
                    case when superseded then 0 when to_account = 2 then quantity when from_account = 2 then -quantity
                        else 0 end as in_transit
                from inventory.movement where branch_id = $1) m group by part)
         select coalesce(m.part, s.part) as part, coalesce(m.on_hand_then, 0) as on_hand_then,
            coalesce(m.movements_then, 0) as movements_then, coalesce(m.on_hand, 0) as on_hand,
            coalesce(m.in_transit, 0) as in_transit, coalesce(s.on_hand, 0) as on_hand_column,
            coalesce(s.in_transit, 0) as in_transit_column
         from moved m full join (select part, on_hand, in_transit from inventory.stock where branch_id = $1) s
            on s.part = m.part
         order by 1",
    )
    .bind(word.branch.uuid())
    .bind(word.ord)
    .bind(node_number(word.node))
    .bind(big(word.seq))
    .fetch_all(connection)
    .await
}

/// Parts with something set aside, open reservations, and the parts where both differ.
pub async fn reserved(
    connection: &mut PgConnection,
    branch: BranchId,
) -> Result<(i64, i64, Vec<Column>), sqlx::Error> {
    let (parts, open): (i64, i64) = sqlx::query_as(
        "select (select count(*) from inventory.stock where branch_id = $1 and reserved <> 0),
            (select count(*) from inventory.reservation where branch_id = $1 and is_open)",
    )
    .bind(branch.uuid())
    .fetch_one(&mut *connection)
    .await?;
    let rows: Vec<(Uuid, i64, i64)> = sqlx::query_as(
        "select coalesce(s.part, r.part), coalesce(s.reserved, 0), coalesce(r.pieces, 0)
         from (select part, reserved from inventory.stock where branch_id = $1) s
         full join (select part, sum(quantity)::bigint as pieces from inventory.reservation
            where branch_id = $1 and is_open group by part) r on r.part = s.part
         where coalesce(s.reserved, 0) <> coalesce(r.pieces, 0) order by 1 limit 1000",
    )
    .bind(branch.uuid())
    .fetch_all(connection)
    .await?;
    let off = rows
        .into_iter()
        .map(|(part, column, sum)| Column {
            part: PartId::of_uuid(part),
            column,
            sum,
        })
        .collect();
    Ok((parts, open, off))
}

/// Transfers that a branch sends and that are on their way, with the time of their last record.
pub async fn open_transfers(
    connection: &mut PgConnection,
    branch: BranchId,
) -> Result<Vec<(TransferId, i64)>, sqlx::Error> {
    let rows: Vec<(Uuid, i64)> = sqlx::query_as(
        "select transfer, updated_ms from inventory.transfer
         where from_branch = $1 and state in ('shipped', 'received_short', 'disputed') order by created_ms, transfer",
    )
    .bind(branch.uuid())
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(transfer, updated_ms)| (TransferId::of_uuid(transfer), updated_ms))
        .collect())
}

/// What the ledgers of these branches have on the way for these transfers.
pub async fn ledger_of_transfers(
    connection: &mut PgConnection,
    branches: &[BranchId],
    transfers: &[TransferId],
) -> Result<Vec<(TransferId, i64)>, sqlx::Error> {
    let branches: Vec<Uuid> = branches.iter().map(|branch| branch.uuid()).collect();
    let ids: Vec<Uuid> = transfers.iter().map(|transfer| transfer.uuid()).collect();
    let rows: Vec<(Uuid, i64)> = sqlx::query_as(
        "select subject, sum(case when to_account = 2 then quantity else -quantity end)::bigint
         from inventory.movement where branch_id = any($1) and subject = any($2)
         and (from_account = 2 or to_account = 2) and not superseded group by subject",
    )
    .bind(branches)
    .bind(ids)
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(transfer, pieces)| (TransferId::of_uuid(transfer), pieces))
        .collect())
}

/// Pieces that a branch moved between branches for something that is no transfer.
pub async fn orphans(
    connection: &mut PgConnection,
    branch: BranchId,
) -> Result<Vec<Orphan>, sqlx::Error> {
    let rows: Vec<(Uuid, Uuid, i64)> = sqlx::query_as(
        "select m.subject, m.part, sum(case when m.to_account = 2 then m.quantity else -m.quantity end)::bigint
         from inventory.movement m
         where m.branch_id = $1 and (m.from_account = 2 or m.to_account = 2) and not m.superseded
         and not exists (select 1 from inventory.transfer t where t.transfer = m.subject)
         group by m.subject, m.part order by m.subject, m.part limit 1000",
    )
    .bind(branch.uuid())
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(subject, part, pieces)| Orphan {
            subject: subject.into_bytes(),
            part: PartId::of_uuid(part),
            pieces,
        })
        .collect())
}
