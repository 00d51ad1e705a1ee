//! Records of transfers, folded into one row, and what is on its way to this branch.

use domain::id::{PartId, TransferId};
use domain::transfer::{TransferFold, TransferRecord, TransferState, fold_transfer};
use sync_protocol::item::{Item, encode_body};

use super::super::Touched;
use super::super::transfer::{StoredLine, records};
use super::super::value::Id;
use super::{ApplyContext, Projector};
use crate::error::StoreError;

impl Projector<'_> {
    pub(super) fn transfer_record(
        &mut self,
        cx: &ApplyContext,
        transfer: TransferId,
        item: &Item,
    ) -> Result<(), StoreError> {
        let body = match item {
            Item::TransferRequest(body) => encode_body(body),
            Item::Plan(body) => encode_body(body),
            Item::Shipment(body) => encode_body(body),
            Item::Arrival(body) => encode_body(body),
            Item::Movement(body) => encode_body(body),
            _ => return Ok(()),
        };
        self.conn
            .prepare_cached(
                "insert into transfer_record (transfer, kind, body, at, staff) values (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute((Id(transfer), item.kind(), body, cx.header.at_ms(), Id(cx.header.staff)))?;
        let records = records(self.conn, transfer)?;
        if let Some(fold) = fold_transfer(&records) {
            self.keep_transfer(cx, transfer, &records, &fold)?;
        }
        self.touched.insert(Touched::Transfer(transfer));
        Ok(())
    }

    fn keep_transfer(
        &mut self,
        cx: &ApplyContext,
        transfer: TransferId,
        records: &[TransferRecord],
        fold: &TransferFold,
    ) -> Result<(), StoreError> {
        let note = records.iter().find_map(|record| match record {
            TransferRecord::Request(request) => Some(request.note.as_str()),
            _ => None,
        });
        let lines: Vec<StoredLine> = fold
            .lines
            .iter()
            .map(|(part, line)| StoredLine::of(*part, line))
            .collect();
        self.conn
            .prepare_cached(
                "insert into transfer (id, from_branch, to_branch, state, note, view, created_at, updated_at)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)
                 on conflict (id) do update set from_branch = excluded.from_branch, to_branch = excluded.to_branch,
                     state = excluded.state, note = excluded.note, view = excluded.view,
                     updated_at = max(updated_at, excluded.updated_at)",
            )?
            .execute((
                Id(transfer),
                Id(fold.from),
                Id(fold.to),
                fold.state.as_str(),
                note.unwrap_or_default(),
                serde_json::to_string(&lines)?,
                cx.header.at_ms(),
            ))?;
        if fold.to == self.identity.branch {
            for part in fold.lines.keys() {
                self.count_in_transit(*part, cx.header.at_ms())?;
            }
        }
        Ok(())
    }

    /// What is on its way to this branch, over all of its transfers that left.
    fn count_in_transit(&mut self, part: PartId, at_ms: i64) -> Result<(), StoreError> {
        let mut statement = self.conn.prepare_cached(
            "select view from transfer where to_branch = ?1 and state in (?2, ?3, ?4) order by row",
        )?;
        let states = [
            TransferState::Shipped,
            TransferState::ReceivedShort,
            TransferState::Disputed,
        ];
        let [shipped, short, disputed] = states.map(TransferState::as_str);
        let mut rows = statement.query((Id(self.identity.branch), shipped, short, disputed))?;
        let mut in_transit: i64 = 0;
        while let Some(row) = rows.next()? {
            let lines: Vec<StoredLine> =
                serde_json::from_str(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?)?;
            in_transit += lines
                .iter()
                .filter(|line| line.part == part)
                .map(|line| line.in_transit().max(0))
                .sum::<i64>();
        }
        self.conn
            .prepare_cached(
                "insert into stock (part, on_hand, reserved, in_transit, movements, as_of) values (?1, 0, 0, ?2, 0, ?3)
                 on conflict (part) do update set in_transit = excluded.in_transit,
                     as_of = max(as_of, excluded.as_of)",
            )?
            .execute((Id(part), in_transit, at_ms))?;
        self.touched.insert(Touched::Stock(part));
        Ok(())
    }
}
