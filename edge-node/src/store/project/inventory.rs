//! What the document of inventory settings comes to.

use domain::id::DocumentId;
use domain::inventory::InventorySettingsView;

use super::super::Touched;
use super::super::value::Id;
use super::Projector;
use crate::error::StoreError;

impl Projector<'_> {
    pub(super) fn keep_inventory(
        &mut self,
        id: DocumentId,
        view: &InventorySettingsView,
    ) -> Result<(), StoreError> {
        self.conn
            .prepare_cached(
                "insert into inventory_setting (document, branch, part, bin, reorder_point, note, barcodes)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                 on conflict (document) do update set branch = excluded.branch, part = excluded.part,
                     bin = excluded.bin, reorder_point = excluded.reorder_point, note = excluded.note,
                     barcodes = excluded.barcodes",
            )?
            .execute((
                Id(id),
                Id(view.branch),
                Id(view.part),
                &view.bin,
                view.reorder_point,
                &view.note,
                serde_json::to_string(&view.barcodes)?,
            ))?;
        self.forget_barcodes(id.as_bytes())?;
        self.conn
            .prepare_cached(
                "insert or ignore into barcode (code, own, owner)
                 select each.value, 1, document from inventory_setting, json_each(barcodes) each where document = ?1",
            )?
            .execute([Id(id)])?;
        self.touched.insert(Touched::Inventory(id));
        self.touched.insert(Touched::Stock(view.part));
        Ok(())
    }

    pub(super) fn remove_inventory(&mut self, id: DocumentId) -> Result<(), StoreError> {
        self.forget_barcodes(id.as_bytes())?;
        self.conn
            .prepare_cached("delete from inventory_setting where document = ?1")?
            .execute([Id(id)])?;
        Ok(())
    }

    /// What a barcode of this part or of these settings led to.
    pub(super) fn forget_barcodes(&self, owner: &[u8; 16]) -> Result<(), StoreError> {
        self.conn
            .prepare_cached("delete from barcode where owner = ?1")?
            .execute([owner])?;
        Ok(())
    }
}
