//! Rows that the hub owns, and its irrevocable acts. The last version of a row wins.

use domain::id::PartId;
use domain::part::PartRow;
use serde::Serialize;
use sync_protocol::item::{Item, Row, Verdict, VerdictKind};

use super::super::Touched;
use super::super::value::{Id, signed};
use super::{ApplyContext, Projector};
use crate::error::StoreError;

impl Projector<'_> {
    pub(super) fn hub_row(&mut self, cx: &ApplyContext, item: &Item) -> Result<(), StoreError> {
        match item {
            Item::Branch(row) => self.put_row(
                "insert into branch (id, version, deleted, code, fields) values (?1, ?2, ?3, ?4, ?5)
                 on conflict (id) do update set version = excluded.version, deleted = excluded.deleted,
                     code = excluded.code, fields = excluded.fields where excluded.version > version",
                row.id.as_bytes(),
                row,
                &row.fields.code,
            )?,
            Item::Staff(row) => self.put_row(
                "insert into staff (id, version, deleted, username, fields) values (?1, ?2, ?3, ?4, ?5)
                 on conflict (id) do update set version = excluded.version, deleted = excluded.deleted,
                     username = excluded.username, fields = excluded.fields where excluded.version > version",
                row.id.as_bytes(),
                row,
                &row.fields.username,
            )?,
            Item::Preset(row) => self.put_plain(
                "insert into preset (id, version, deleted, fields) values (?1, ?2, ?3, ?4)
                 on conflict (id) do update set version = excluded.version, deleted = excluded.deleted,
                     fields = excluded.fields where excluded.version > version",
                row.id.as_bytes(),
                row,
            )?,
            Item::Company(row) => self.put_plain(
                "insert into company (id, version, deleted, fields) values (?1, ?2, ?3, ?4)
                 on conflict (id) do update set version = excluded.version, deleted = excluded.deleted,
                     fields = excluded.fields where excluded.version > version",
                row.id.as_bytes(),
                row,
            )?,
            Item::TillRules(row) => self.put_plain(
                "insert into till_rules (id, version, deleted, fields) values (?1, ?2, ?3, ?4)
                 on conflict (id) do update set version = excluded.version, deleted = excluded.deleted,
                     fields = excluded.fields where excluded.version > version",
                row.id.as_bytes(),
                row,
            )?,
            Item::Account(row) => self.put_plain(
                "insert into account (id, version, deleted, fields) values (?1, ?2, ?3, ?4)
                 on conflict (id) do update set version = excluded.version, deleted = excluded.deleted,
                     fields = excluded.fields where excluded.version > version",
                row.id.as_bytes(),
                row,
            )?,
            Item::Part(row) => self.part(row)?,
            Item::Credential(row) => {
                self.conn
                    .prepare_cached(
                        "insert into credential (id, version, deleted, password_hash) values (?1, ?2, ?3, ?4)
                         on conflict (id) do update set version = excluded.version, deleted = excluded.deleted,
                             password_hash = excluded.password_hash where excluded.version > version",
                    )?
                    .execute((Id(row.id), signed(row.version), row.deleted, &row.fields.password_hash))?;
            }
            Item::Availability(row) => {
                self.conn
                    .prepare_cached(
                        "insert into availability (part, branch, quantity, as_of) values (?1, ?2, ?3, ?4)
                         on conflict (part, branch) do update set quantity = excluded.quantity,
                             as_of = excluded.as_of where excluded.as_of >= as_of",
                    )?
                    .execute((Id(row.part), Id(row.branch), row.quantity, row.as_of_ms))?;
                self.touched.insert(Touched::Stock(row.part));
            }
            Item::Verdict(verdict) => self.verdict(cx, verdict)?,
            _ => self.register_act(item)?,
        }
        self.touched.insert(Touched::Rows(item.kind()));
        Ok(())
    }

    fn part(&mut self, row: &Row<PartId, PartRow>) -> Result<(), StoreError> {
        self.conn
            .prepare_cached(
                "insert into part (id, version, deleted, sku, name, fields) values (?1, ?2, ?3, ?4, ?5, ?6)
                 on conflict (id) do update set version = excluded.version, deleted = excluded.deleted,
                     sku = excluded.sku, name = excluded.name, fields = excluded.fields
                 where excluded.version > version",
            )?
            .execute((
                Id(row.id),
                signed(row.version),
                row.deleted,
                &row.fields.sku,
                &row.fields.name,
                serde_json::to_string(&row.fields)?,
            ))?;
        self.forget_barcodes(row.id.as_bytes())?;
        // From what stands in the table now: an older version has changed nothing.
        self.conn
            .prepare_cached(
                "insert or ignore into barcode (code, own, owner)
                 select each.value, 0, part.id from part, json_each(part.fields, '$.barcodes') each
                 where part.id = ?1 and part.deleted = 0",
            )?
            .execute([Id(row.id)])?;
        self.touched.insert(Touched::Stock(row.id));
        Ok(())
    }

    fn put_row<I, F: Serialize>(
        &self,
        sql: &'static str,
        id: &[u8; 16],
        row: &Row<I, F>,
        key: &str,
    ) -> Result<(), StoreError> {
        let fields = serde_json::to_string(&row.fields)?;
        self.conn.prepare_cached(sql)?.execute((
            id,
            signed(row.version),
            row.deleted,
            key,
            fields,
        ))?;
        Ok(())
    }

    fn put_plain<I, F: Serialize>(
        &self,
        sql: &'static str,
        id: &[u8; 16],
        row: &Row<I, F>,
    ) -> Result<(), StoreError> {
        let fields = serde_json::to_string(&row.fields)?;
        self.conn
            .prepare_cached(sql)?
            .execute((id, signed(row.version), row.deleted, fields))?;
        Ok(())
    }

    fn verdict(&mut self, cx: &ApplyContext, verdict: &Verdict) -> Result<(), StoreError> {
        let Verdict {
            position,
            item,
            verdict: kind,
            reason,
        } = verdict;
        self.conn
            .prepare_cached(
                "insert into verdict (node, epoch, seq, item, verdict, reason, at) values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute((
                position.node.0,
                signed(position.epoch.0),
                signed(position.seq),
                item,
                *kind as u8,
                reason,
                cx.header.at_ms(),
            ))?;
        if let (VerdictKind::Superseded, Some(item)) = (kind, item) {
            self.supersede(cx, position, *item)?;
        }
        self.touched.insert(Touched::Exceptions);
        Ok(())
    }

    fn register_act(&mut self, item: &Item) -> Result<(), StoreError> {
        match item {
            Item::NodeEnrolled(node) => {
                self.conn
                    .prepare_cached(
                        "insert into known_node (node, branch, public_key, former) values (?1, ?2, ?3, ?4)
                         on conflict (node) do update set branch = excluded.branch,
                             public_key = excluded.public_key, former = excluded.former",
                    )?
                    .execute((node.node.0, Id(node.branch), &node.public_key, node.former.map(|former| former.0)))?;
            }
            Item::NodeRevoked(node) => {
                self.conn
                    .prepare_cached(
                        "insert into known_node (node, revoked) values (?1, ?2)
                         on conflict (node) do update set revoked = excluded.revoked",
                    )?
                    .execute((node.node.0, &node.reason))?;
            }
            Item::PersonErased(erased) => {
                self.conn
                    .prepare_cached(
                        "insert into erased_person (person) values (?1) on conflict do nothing",
                    )?
                    .execute([Id(erased.person)])?;
                // Without the key the sealed values, here and in the log, are gone for good.
                self.conn
                    .prepare_cached("delete from person_key where person = ?1")?
                    .execute([Id(erased.person)])?;
                self.touched.insert(Touched::Customer(erased.person));
            }
            Item::LineClosed(line) => {
                self.conn
                    .prepare_cached(
                        "insert into closed_line (node, epoch, seq, hash) values (?1, ?2, ?3, ?4) on conflict do nothing",
                    )?
                    .execute((line.last.node.0, signed(line.last.epoch.0), signed(line.last.seq), &line.hash))?;
            }
            _ => {}
        }
        Ok(())
    }
}
