//! Movements and reservations, and the sums kept from them in the same commit.
//!
//! A movement is never refused here: of several with one business key the first counts, the others are kept and move
//! nothing (INV-3); a sum below zero opens a decision to count the part.

use domain::id::PartId;
use domain::stock::Movement;
use rusqlite::OptionalExtension;
use sync_protocol::item::{Release, Reserve, kind};

use super::super::Touched;
use super::super::value::{Id, signed};
use super::{ApplyContext, Projector};
use crate::error::StoreError;

/// What an item adds to a part's sums.
#[derive(Debug, Clone, Copy, Default)]
struct Delta {
    on_hand: i64,
    reserved: i64,
    movements: i64,
}

impl Projector<'_> {
    pub(super) fn movement(
        &mut self,
        cx: &ApplyContext,
        index: u16,
        movement: &Movement,
    ) -> Result<(), StoreError> {
        if let Err(error) = movement.check_form() {
            return self.park(cx, index, kind::MOVEMENT, None, &error.to_string());
        }
        let superseded = self.is_superseded(movement)?;
        let is_ours = movement.branch == self.identity.branch && !movement.kind.by_hub();
        let mut balance_after = 0;
        if is_ours {
            let delta = if superseded {
                Delta {
                    movements: 1,
                    ..Delta::default()
                }
            } else {
                Delta {
                    on_hand: movement.on_hand_delta(),
                    movements: 1,
                    reserved: 0,
                }
            };
            balance_after = self.add_to_stock(movement.part, delta, cx.header.at_ms())?;
        }
        self.insert_movement(cx, index, movement, superseded, balance_after)?;
        if movement.kind.by_hub() && !superseded {
            let transfer = domain::id::TransferId::from_bytes(movement.subject);
            self.transfer_record(
                cx,
                transfer,
                &sync_protocol::item::Item::Movement(movement.clone()),
            )?;
        }
        Ok(())
    }

    fn is_superseded(&self, movement: &Movement) -> Result<bool, StoreError> {
        let Some(key) = movement.business_key() else {
            return Ok(false);
        };
        let found = self
            .conn
            .prepare_cached(
                "select 1 from movement where subject = ?1 and line = ?2 and kind = ?3 and number = ?4
                     and superseded = 0 and subject <> x'00000000000000000000000000000000' limit 1",
            )?
            .query_row((&key.subject, &key.line, key.kind.code(), key.number), |_| Ok(()))
            .optional()?;
        Ok(found.is_some())
    }

    fn insert_movement(
        &mut self,
        cx: &ApplyContext,
        index: u16,
        movement: &Movement,
        superseded: bool,
        balance_after: i64,
    ) -> Result<(), StoreError> {
        self.conn
            .prepare_cached(
                "insert into movement (id, node, epoch, seq, item, branch, part, kind, quantity, from_account,
                     to_account, subject, line, number, reason, text, at, staff, superseded, balance_after)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)",
            )?
            .execute(rusqlite::params![
                cx.origin.fact_uuid(index),
                cx.origin.node.0,
                signed(cx.origin.epoch.0),
                signed(cx.origin.seq),
                index,
                Id(movement.branch),
                Id(movement.part),
                movement.kind.code(),
                movement.quantity,
                movement.from.code(),
                movement.to.code(),
                movement.subject,
                movement.line,
                movement.number,
                movement.reason,
                movement.text,
                cx.header.at_ms(),
                Id(cx.header.staff),
                superseded,
                balance_after,
            ])?;
        Ok(())
    }

    /// Adds to a part's sums; gives what is on hand behind it.
    fn add_to_stock(&mut self, part: PartId, delta: Delta, at_ms: i64) -> Result<i64, StoreError> {
        let on_hand: i64 = self
            .conn
            .prepare_cached(
                "insert into stock (part, on_hand, reserved, in_transit, movements, as_of)
                 values (?1, ?2, ?3, 0, ?4, ?5)
                 on conflict (part) do update set on_hand = on_hand + excluded.on_hand,
                     reserved = reserved + excluded.reserved, movements = movements + excluded.movements,
                     as_of = max(as_of, excluded.as_of)
                 returning on_hand",
            )?
            .query_row((Id(part), delta.on_hand, delta.reserved, delta.movements, at_ms), |row| row.get(0))?;
        self.decision("count_part", part.as_bytes(), on_hand < 0, at_ms)?;
        self.touched.insert(Touched::Stock(part));
        Ok(on_hand)
    }

    pub(super) fn reserve(
        &mut self,
        cx: &ApplyContext,
        reserve: &Reserve,
    ) -> Result<(), StoreError> {
        self.end_reservation(cx, reserve.id)?;
        let quantity = i64::from(reserve.quantity);
        self.conn
            .prepare_cached(
                "insert into reservation (id, part, quantity, open) values (?1, ?2, ?3, 1)
                 on conflict (id) do update set part = excluded.part, quantity = excluded.quantity, open = 1",
            )?
            .execute((Id(reserve.id), Id(reserve.part), quantity))?;
        let delta = Delta {
            reserved: quantity,
            ..Delta::default()
        };
        self.add_to_stock(reserve.part, delta, cx.header.at_ms())?;
        Ok(())
    }

    pub(super) fn release(
        &mut self,
        cx: &ApplyContext,
        release: &Release,
    ) -> Result<(), StoreError> {
        self.end_reservation(cx, release.reservation)
    }

    fn end_reservation(
        &mut self,
        cx: &ApplyContext,
        id: domain::id::LineId,
    ) -> Result<(), StoreError> {
        let ended = self
            .conn
            .prepare_cached("update reservation set open = 0 where id = ?1 and open = 1 returning part, quantity")?
            .query_row([Id(id)], |row| Ok((row.get::<_, Id<PartId>>(0)?.0, row.get::<_, i64>(1)?)))
            .optional()?;
        if let Some((part, quantity)) = ended {
            let delta = Delta {
                reserved: -quantity,
                ..Delta::default()
            };
            self.add_to_stock(part, delta, cx.header.at_ms())?;
        }
        Ok(())
    }

    /// The hub says that another fact with the same business key counts: this one moves nothing any more.
    pub(super) fn supersede(
        &mut self,
        cx: &ApplyContext,
        position: &sync_protocol::position::Position,
        item: u16,
    ) -> Result<(), StoreError> {
        let found = self
            .conn
            .prepare_cached(
                "update movement set superseded = 1
                 where seq = ?1 and node = ?2 and epoch = ?3 and item = ?4 and superseded = 0
                 returning branch = ?5, part, quantity, from_account, to_account",
            )?
            .query_row(
                (
                    signed(position.seq),
                    position.node.0,
                    signed(position.epoch.0),
                    item,
                    Id(self.identity.branch),
                ),
                |row| {
                    let (from, to): (u8, u8) = (row.get(3)?, row.get(4)?);
                    let quantity: i64 = row.get(2)?;
                    let moved = i64::from(to == 1) * quantity - i64::from(from == 1) * quantity;
                    Ok((
                        row.get::<_, bool>(0)?,
                        row.get::<_, Id<PartId>>(1)?.0,
                        moved,
                    ))
                },
            )
            .optional()?;
        if let Some((true, part, moved)) = found {
            let delta = Delta {
                on_hand: -moved,
                ..Delta::default()
            };
            self.add_to_stock(part, delta, cx.header.at_ms())?;
        }
        Ok(())
    }
}
