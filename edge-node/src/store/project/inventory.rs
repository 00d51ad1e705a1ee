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
        self.touched.insert(Touched::Inventory(id));
        self.touched.insert(Touched::Stock(view.part));
        Ok(())
    }
}
