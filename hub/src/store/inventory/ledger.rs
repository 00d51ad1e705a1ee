//! Movements, business keys, stock columns and reservations.

use domain::id::{BranchId, LineId, PartId, StaffId};
use domain::stock::{BusinessKey, Movement, MovementKind};
use sqlx::types::Uuid;
use sqlx::{FromRow, PgConnection};
use sync_protocol::head::StockBalance;
use sync_protocol::position::{NodeId, Position};

use crate::error::HubError;
use crate::store::ids::{AsUuid, OfUuid, big, node_number, unsigned};

/// A movement in the ledger.
#[derive(Debug, Clone)]
pub struct MovementWrite {
    /// Its id.
    pub fact: [u8; 16],
    /// Where its transaction stands in the apply order.
    pub ord: i64,
    /// The transaction.
    pub position: Position,
    /// The item.
    pub item: u16,
    /// What moved.
    pub movement: Movement,
    /// Who.
    pub staff: StaffId,
    /// When, as the writer saw it.
    pub at_ms: i64,
    /// Another movement with the same business key counts.
    pub superseded: bool,
    /// On hand behind it.
    pub balance_after: i64,
}

/// Adds movements.
pub async fn insert_movements(
    connection: &mut PgConnection,
    rows: &[MovementWrite],
) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let uuids = |field: fn(&MovementWrite) -> Uuid| rows.iter().map(field).collect::<Vec<Uuid>>();
    let bigs = |field: fn(&MovementWrite) -> i64| rows.iter().map(field).collect::<Vec<i64>>();
    let ints = |field: fn(&MovementWrite) -> i32| rows.iter().map(field).collect::<Vec<i32>>();
    let smalls = |field: fn(&MovementWrite) -> u8| {
        rows.iter()
            .map(|row| i16::from(field(row)))
            .collect::<Vec<i16>>()
    };
    sqlx::query(
        "insert into inventory.movement select * from unnest(
            $1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::integer[],
            $8::uuid[], $9::smallint[], $10::bigint[], $11::smallint[], $12::smallint[], $13::uuid[], $14::uuid[],
            $15::integer[], $16::integer[], $17::text[], $18::uuid[], $19::bigint[], $20::boolean[], $21::bigint[])",
    )
    .bind(uuids(|row| row.movement.branch.uuid()))
    .bind(uuids(|row| row.fact.uuid()))
    .bind(bigs(|row| row.ord))
    .bind(bigs(|row| node_number(row.position.node)))
    .bind(bigs(|row| big(row.position.epoch.0)))
    .bind(bigs(|row| big(row.position.seq)))
    .bind(ints(|row| i32::from(row.item)))
    .bind(uuids(|row| row.movement.part.uuid()))
    .bind(smalls(|row| row.movement.kind.code()))
    .bind(bigs(|row| row.movement.quantity))
    .bind(smalls(|row| row.movement.from.code()))
    .bind(smalls(|row| row.movement.to.code()))
    .bind(uuids(|row| row.movement.subject.uuid()))
    .bind(uuids(|row| row.movement.line.uuid()))
    .bind(ints(|row| i32::from(row.movement.number)))
    .bind(ints(|row| i32::from(row.movement.reason)))
    .bind(rows.iter().map(|row| row.movement.text.clone()).collect::<Vec<_>>())
    .bind(uuids(|row| row.staff.uuid()))
    .bind(bigs(|row| row.at_ms))
    .bind(rows.iter().map(|row| row.superseded).collect::<Vec<_>>())
    .bind(bigs(|row| row.balance_after))
    .execute(connection)
    .await?;
    Ok(())
}

/// Which of these business keys are taken.
pub async fn taken_keys(
    connection: &mut PgConnection,
    keys: &[(BranchId, BusinessKey)],
) -> Result<Vec<(BranchId, BusinessKey)>, HubError> {
    let rows: Vec<(Uuid, i16, Uuid, Uuid, i32)> = sqlx::query_as(
        "select b.branch_id, b.kind, b.subject, b.line, b.number from inventory.business_key b
         join unnest($1::uuid[], $2::smallint[], $3::uuid[], $4::uuid[], $5::integer[])
            as t (branch_id, kind, subject, line, number) using (branch_id, kind, subject, line, number)",
    )
    .bind(keys.iter().map(|(branch, _)| branch.uuid()).collect::<Vec<_>>())
    .bind(keys.iter().map(|(_, key)| i16::from(key.kind.code())).collect::<Vec<_>>())
    .bind(keys.iter().map(|(_, key)| key.subject.uuid()).collect::<Vec<_>>())
    .bind(keys.iter().map(|(_, key)| key.line.uuid()).collect::<Vec<_>>())
    .bind(keys.iter().map(|(_, key)| i32::from(key.number)).collect::<Vec<_>>())
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(branch, kind, subject, line, number)| {
            let kind = u8::try_from(kind).ok().and_then(MovementKind::from_code);
            let key = BusinessKey {
                kind: kind.ok_or(HubError::Row("an unknown movement kind"))?,
                subject: subject.into_bytes(),
                line: line.into_bytes(),
                number: u16::try_from(number)
                    .map_err(|_| HubError::Row("a number outside 16 bits"))?,
            };
            Ok((BranchId::of_uuid(branch), key))
        })
        .collect()
}

/// Takes business keys.
pub async fn insert_keys(
    connection: &mut PgConnection,
    rows: &[(BranchId, BusinessKey, [u8; 16])],
) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "insert into inventory.business_key select * from unnest(
            $1::uuid[], $2::smallint[], $3::uuid[], $4::uuid[], $5::integer[], $6::uuid[])",
    )
    .bind(
        rows.iter()
            .map(|(branch, ..)| branch.uuid())
            .collect::<Vec<_>>(),
    )
    .bind(
        rows.iter()
            .map(|(_, key, _)| i16::from(key.kind.code()))
            .collect::<Vec<_>>(),
    )
    .bind(
        rows.iter()
            .map(|(_, key, _)| key.subject.uuid())
            .collect::<Vec<_>>(),
    )
    .bind(
        rows.iter()
            .map(|(_, key, _)| key.line.uuid())
            .collect::<Vec<_>>(),
    )
    .bind(
        rows.iter()
            .map(|(_, key, _)| i32::from(key.number))
            .collect::<Vec<_>>(),
    )
    .bind(
        rows.iter()
            .map(|(.., fact)| fact.uuid())
            .collect::<Vec<_>>(),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The columns kept from the ledger for one part at one branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stock {
    /// On the shelves.
    pub on_hand: i64,
    /// Set aside for order lines.
    pub reserved: i64,
    /// Put into transit less taken out by this branch's facts.
    pub in_transit: i64,
    /// Movements in the branch's own log.
    pub movements: i64,
    /// Since when `on_hand` is below zero.
    pub negative_since_ms: Option<i64>,
}

impl Stock {
    /// Free pieces; below zero where history took more.
    pub fn free(&self) -> i64 {
        self.on_hand.saturating_sub(self.reserved)
    }
}

#[derive(FromRow)]
struct RawStock {
    branch_id: Uuid,
    part: Uuid,
    on_hand: i64,
    reserved: i64,
    in_transit: i64,
    movements: i64,
    negative_since_ms: Option<i64>,
}

/// The stock of these parts at these branches, locked.
pub async fn lock_stock(
    connection: &mut PgConnection,
    keys: &[(BranchId, PartId)],
) -> Result<Vec<((BranchId, PartId), Stock)>, sqlx::Error> {
    let rows: Vec<RawStock> = sqlx::query_as(
        "select s.* from inventory.stock s
         join unnest($1::uuid[], $2::uuid[]) as t (branch_id, part) using (branch_id, part)
         order by s.branch_id, s.part for update of s",
    )
    .bind(
        keys.iter()
            .map(|(branch, _)| branch.uuid())
            .collect::<Vec<_>>(),
    )
    .bind(keys.iter().map(|(_, part)| part.uuid()).collect::<Vec<_>>())
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let stock = Stock {
                on_hand: row.on_hand,
                reserved: row.reserved,
                in_transit: row.in_transit,
                movements: row.movements,
                negative_since_ms: row.negative_since_ms,
            };
            (
                (BranchId::of_uuid(row.branch_id), PartId::of_uuid(row.part)),
                stock,
            )
        })
        .collect())
}

/// Writes stock columns.
pub async fn save_stock(
    connection: &mut PgConnection,
    rows: &[((BranchId, PartId), Stock)],
) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let bigs = |field: fn(&Stock) -> i64| {
        rows.iter()
            .map(|(_, stock)| field(stock))
            .collect::<Vec<i64>>()
    };
    sqlx::query(
        "insert into inventory.stock select * from unnest(
            $1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
         on conflict (branch_id, part) do update set on_hand = excluded.on_hand, reserved = excluded.reserved,
            in_transit = excluded.in_transit, movements = excluded.movements,
            negative_since_ms = excluded.negative_since_ms",
    )
    .bind(rows.iter().map(|((branch, _), _)| branch.uuid()).collect::<Vec<_>>())
    .bind(rows.iter().map(|((_, part), _)| part.uuid()).collect::<Vec<_>>())
    .bind(bigs(|stock| stock.on_hand))
    .bind(bigs(|stock| stock.reserved))
    .bind(bigs(|stock| stock.in_transit))
    .bind(bigs(|stock| stock.movements))
    .bind(rows.iter().map(|(_, stock)| stock.negative_since_ms).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// A reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReservationRow {
    /// The part.
    pub part: PartId,
    /// Pieces.
    pub quantity: i64,
    /// Whether it still holds.
    pub is_open: bool,
    /// When it was made.
    pub at_ms: i64,
}

/// These reservations, as far as they exist.
pub async fn reservations(
    connection: &mut PgConnection,
    keys: &[(BranchId, LineId)],
) -> Result<Vec<((BranchId, LineId), ReservationRow)>, sqlx::Error> {
    let rows: Vec<(Uuid, Uuid, Uuid, i64, bool, i64)> = sqlx::query_as(
        "select r.branch_id, r.reservation, r.part, r.quantity, r.is_open, r.at_ms from inventory.reservation r
         join unnest($1::uuid[], $2::uuid[]) as t (branch_id, reservation) using (branch_id, reservation)",
    )
    .bind(keys.iter().map(|(branch, _)| branch.uuid()).collect::<Vec<_>>())
    .bind(keys.iter().map(|(_, line)| line.uuid()).collect::<Vec<_>>())
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(branch, line, part, quantity, is_open, at_ms)| {
            let row = ReservationRow {
                part: PartId::of_uuid(part),
                quantity,
                is_open,
                at_ms,
            };
            ((BranchId::of_uuid(branch), LineId::of_uuid(line)), row)
        })
        .collect())
}

/// Writes reservations.
pub async fn save_reservations(
    connection: &mut PgConnection,
    rows: &[((BranchId, LineId), ReservationRow)],
) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "insert into inventory.reservation select * from unnest(
            $1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::boolean[], $6::bigint[])
         on conflict (branch_id, reservation) do update set is_open = excluded.is_open",
    )
    .bind(
        rows.iter()
            .map(|((branch, _), _)| branch.uuid())
            .collect::<Vec<_>>(),
    )
    .bind(
        rows.iter()
            .map(|((_, line), _)| line.uuid())
            .collect::<Vec<_>>(),
    )
    .bind(
        rows.iter()
            .map(|(_, row)| row.part.uuid())
            .collect::<Vec<_>>(),
    )
    .bind(rows.iter().map(|(_, row)| row.quantity).collect::<Vec<_>>())
    .bind(rows.iter().map(|(_, row)| row.is_open).collect::<Vec<_>>())
    .bind(rows.iter().map(|(_, row)| row.at_ms).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// The branch's balances when `node`'s log ended at `seq`, over the movements of the branch's own log (INV-5b).
pub async fn balances_at(
    connection: &mut PgConnection,
    branch: BranchId,
    node: NodeId,
    seq: u64,
) -> Result<Vec<StockBalance>, sqlx::Error> {
    let rows: Vec<(Uuid, i64, i64)> = sqlx::query_as(
        "select part, sum(case when superseded then 0 when to_account = 1 then quantity
                when from_account = 1 then -quantity else 0 end)::bigint, count(*)
         from inventory.movement
         where branch_id = $1 and node <> 0 and not (node = $2 and seq > $3)
         group by part order by part",
    )
    .bind(branch.uuid())
    .bind(node_number(node))
    .bind(big(seq))
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(part, on_hand, movements)| StockBalance {
            part: PartId::of_uuid(part),
            on_hand,
            movements: unsigned(movements),
        })
        .collect())
}

/// Sums of the ledger by part and kind, superseded movements left out.
pub async fn sums_by_kind(
    connection: &mut PgConnection,
) -> Result<Vec<(PartId, MovementKind, i64)>, HubError> {
    let rows: Vec<(Uuid, i16, i64)> = sqlx::query_as(
        "select part, kind, sum(quantity)::bigint from inventory.movement where not superseded
         group by part, kind order by part, kind",
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(part, kind, quantity)| {
            let kind = u8::try_from(kind).ok().and_then(MovementKind::from_code);
            Ok((
                PartId::of_uuid(part),
                kind.ok_or(HubError::Row("an unknown movement kind"))?,
                quantity,
            ))
        })
        .collect()
}

/// On hand, in transit and movements of every part at every branch.
pub async fn all_stock(
    connection: &mut PgConnection,
) -> Result<Vec<(BranchId, PartId, i64, i64, i64)>, sqlx::Error> {
    let rows: Vec<(Uuid, Uuid, i64, i64, i64)> = sqlx::query_as(
        "select branch_id, part, on_hand, in_transit, movements from inventory.stock order by branch_id, part",
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(branch, part, on_hand, in_transit, movements)| {
            (
                BranchId::of_uuid(branch),
                PartId::of_uuid(part),
                on_hand,
                in_transit,
                movements,
            )
        })
        .collect())
}
