//! What an order's document comes to: its row, its words for search, its decision.

use domain::id::DocumentId;
use domain::order::OrderView;
use rusqlite::OptionalExtension;
use sync_protocol::document::Document;

use super::super::Touched;
use super::super::order::stored::to_json;
use super::super::value::Id;
use super::changes::written_ms;
use super::{ApplyContext, Projector};
use crate::error::StoreError;

impl Projector<'_> {
    pub(super) fn keep_order(
        &mut self,
        cx: &ApplyContext,
        document: &Document,
        view: &OrderView,
    ) -> Result<(), StoreError> {
        let id = document.id();
        let (_, updated_at) = written_ms(document);
        let row: i64 = self
            .conn
            .prepare_cached(
                "insert into repair_order (id, number, branch, visit, customer, status, outcome, technician, urgent,
                     promised_at, created_at, updated_at, source, serial, own_seq, view)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
                 on conflict (id) do update set number = excluded.number, branch = excluded.branch,
                     visit = excluded.visit, customer = excluded.customer, status = excluded.status,
                     outcome = excluded.outcome, technician = excluded.technician, urgent = excluded.urgent,
                     promised_at = excluded.promised_at, created_at = excluded.created_at,
                     updated_at = excluded.updated_at, source = excluded.source, serial = excluded.serial,
                     own_seq = max(own_seq, excluded.own_seq), view = excluded.view
                 returning row",
            )?
            .query_row(
                rusqlite::params![
                    Id(id),
                    view.number,
                    Id(view.branch),
                    Id(view.visit),
                    view.customer.map(Id),
                    view.status.as_str(),
                    view.outcome.map(|outcome| outcome.as_str()),
                    view.technician.map(Id),
                    view.urgent,
                    view.promised_at_ms,
                    view.created_at_ms,
                    updated_at,
                    view.source,
                    view.device.serial,
                    self.own_seq(cx),
                    to_json(view)?,
                ],
                |row| row.get(0),
            )?;
        self.keep_words(row, &words(view))?;
        self.decision("status", id.as_bytes(), view.status_conflict, updated_at)?;
        self.touched.insert(Touched::Order(id));
        Ok(())
    }

    fn keep_words(&mut self, row: i64, words: &str) -> Result<(), StoreError> {
        let shown: Option<String> = self
            .conn
            .prepare_cached("select words from order_text where rowid = ?1")?
            .query_row([row], |row| row.get(0))
            .optional()?;
        match shown {
            Some(shown) if shown == words => {}
            Some(_) => {
                self.conn
                    .prepare_cached("update order_text set words = ?2 where rowid = ?1")?
                    .execute((row, words))?;
            }
            None => {
                self.conn
                    .prepare_cached("insert into order_text (rowid, words) values (?1, ?2)")?
                    .execute((row, words))?;
            }
        }
        Ok(())
    }

    pub(super) fn remove_order(&mut self, id: DocumentId) -> Result<(), StoreError> {
        self.conn
            .prepare_cached(
                "delete from order_text where rowid = (select row from repair_order where id = ?1)",
            )?
            .execute([Id(id)])?;
        self.conn
            .prepare_cached("delete from repair_order where id = ?1")?
            .execute([Id(id)])?;
        self.touched.insert(Touched::Order(id));
        Ok(())
    }
}

/// What an order is found by: number, device and fault. Never a personal value.
fn words(view: &OrderView) -> String {
    let device = &view.device;
    let parts = [
        &view.number,
        &device.serial,
        &device.category,
        &device.brand,
        &device.model,
        &device.fault,
    ];
    let parts: Vec<&str> = parts
        .into_iter()
        .map(String::as_str)
        .filter(|part| !part.is_empty())
        .collect();
    parts.join("\n")
}
