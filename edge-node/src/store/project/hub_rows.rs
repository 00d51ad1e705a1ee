//! Rows that the hub owns, and its irrevocable acts. The last version of a row wins.

use domain::id::PartId;
use domain::part::PartRow;
use rusqlite::{Connection, ToSql};
use serde::Serialize;
use sync_protocol::item::{Item, Row, Verdict, VerdictKind};

use super::super::Touched;
use super::super::value::{Id, signed};
use super::{ApplyContext, Projector};
use crate::error::StoreError;

/// A table of rows that the hub owns, with the statement that puts a row where no version of it, or an older one, stands.
struct HubTable(&'static str);

/// The table of this name: an id, the version, whether it is deleted, and these columns of its own.
macro_rules! hub_table {
    ($name:literal, $($column:literal),+) => {
        HubTable(concat!(
            "insert into ", $name, " (id, version, deleted", $(", ", $column,)+ ") values (?, ?, ?",
            $(hub_table!(@place $column),)+ ") on conflict (id) do update set version = excluded.version, ",
            "deleted = excluded.deleted", $(", ", $column, " = excluded.", $column,)+
            " where excluded.version > version"
        ))
    };
    (@place $column:literal) => { ", ?" };
}

const BRANCH: HubTable = hub_table!("branch", "code", "fields");
const STAFF: HubTable = hub_table!("staff", "username", "fields");
const CREDENTIAL: HubTable = hub_table!("credential", "password_hash");
const PART: HubTable = hub_table!("part", "sku", "name", "fields");
const PRESET: HubTable = hub_table!("preset", "fields");
const COMPANY: HubTable = hub_table!("company", "fields");
const TILL_RULES: HubTable = hub_table!("till_rules", "fields");
const ACCOUNT: HubTable = hub_table!("account", "fields");

impl HubTable {
    /// Puts a row; `values` are those of the table's own columns.
    fn put<I, F>(
        &self,
        conn: &Connection,
        id: &[u8; 16],
        row: &Row<I, F>,
        values: &[&dyn ToSql],
    ) -> Result<(), StoreError> {
        let version = signed(row.version);
        let mut all: Vec<&dyn ToSql> = vec![id, &version, &row.deleted];
        all.extend(values);
        conn.prepare_cached(self.0)?.execute(all.as_slice())?;
        Ok(())
    }
}

impl Projector<'_> {
    pub(super) fn hub_row(&mut self, cx: &ApplyContext, item: &Item) -> Result<(), StoreError> {
        match item {
            Item::Branch(row) => {
                self.put_keyed(&BRANCH, row.id.as_bytes(), row, &[&row.fields.code])?;
            }
            Item::Staff(row) => {
                self.put_keyed(&STAFF, row.id.as_bytes(), row, &[&row.fields.username])?;
            }
            Item::Preset(row) => self.put_keyed(&PRESET, row.id.as_bytes(), row, &[])?,
            Item::Company(row) => self.put_keyed(&COMPANY, row.id.as_bytes(), row, &[])?,
            Item::TillRules(row) => self.put_keyed(&TILL_RULES, row.id.as_bytes(), row, &[])?,
            Item::Account(row) => self.put_keyed(&ACCOUNT, row.id.as_bytes(), row, &[])?,
            Item::Part(row) => self.part(row)?,
            Item::Credential(row) => {
                let values: [&dyn ToSql; 1] = [&row.fields.password_hash];
                CREDENTIAL.put(self.conn, row.id.as_bytes(), row, &values)?;
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
        let keys: [&dyn ToSql; 2] = [&row.fields.sku, &row.fields.name];
        self.put_keyed(&PART, row.id.as_bytes(), row, &keys)?;
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

    /// Puts a row whose fields stand in its table as JSON, behind the columns that it is looked up by.
    fn put_keyed<I, F: Serialize>(
        &self,
        table: &HubTable,
        id: &[u8; 16],
        row: &Row<I, F>,
        keys: &[&dyn ToSql],
    ) -> Result<(), StoreError> {
        let fields = serde_json::to_string(&row.fields)?;
        let mut values = keys.to_vec();
        values.push(&fields);
        table.put(self.conn, id, row, &values)
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
