//! What a customer's document comes to: a row with the sealed values as they are.

use domain::customer::CustomerView;
use domain::id::DocumentId;
use sync_protocol::document::Document;

use super::super::Touched;
use super::super::value::Id;
use super::changes::written_ms;
use super::{ApplyContext, Projector};
use crate::error::StoreError;

impl Projector<'_> {
    pub(super) fn keep_customer(
        &mut self,
        cx: &ApplyContext,
        document: &Document,
        view: &CustomerView,
    ) -> Result<(), StoreError> {
        let (created_at, updated_at) = written_ms(document);
        self.conn
            .prepare_cached(
                "insert into customer (id, home, language, merged_into, consent, name, phone, email, address, note,
                     created_at, updated_at, own_seq)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
                 on conflict (id) do update set home = excluded.home, language = excluded.language,
                     merged_into = excluded.merged_into, consent = excluded.consent, name = excluded.name,
                     phone = excluded.phone, email = excluded.email, address = excluded.address,
                     note = excluded.note, created_at = excluded.created_at, updated_at = excluded.updated_at,
                     own_seq = max(own_seq, excluded.own_seq)",
            )?
            .execute(rusqlite::params![
                Id(document.id()),
                Id(view.home),
                view.language,
                view.merged_into.map(Id),
                serde_json::to_string(&view.consent)?,
                view.name,
                view.phone,
                view.email,
                view.address,
                view.note,
                created_at,
                updated_at,
                self.own_seq(cx),
            ])?;
        self.touched.insert(Touched::Customer(document.id()));
        Ok(())
    }

    pub(super) fn remove_customer(&mut self, id: DocumentId) -> Result<(), StoreError> {
        self.conn
            .prepare_cached("delete from customer where id = ?1")?
            .execute([Id(id)])?;
        self.touched.insert(Touched::Customer(id));
        Ok(())
    }
}
