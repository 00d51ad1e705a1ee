//! Parts from a table of values: what is new is added, what differs is changed, what is equal stays as it is.
//!
//! A part's identity is its sku, so a file twice, shuffled or in part makes nothing twice. A batch is one transaction:
//! an upload that breaks off leaves whole batches and can be repeated. A column that the file lacks changes nothing.

mod read;

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::id::PartId;
use domain::money::Currency;
use domain::part::PartRow;
use serde::{Deserialize, Serialize};
use sync_protocol::item::{Item, Row, command};
use tokio::sync::mpsc;
use utoipa::ToSchema;

use super::PartRecord;
use crate::app::error::AppError;
use crate::app::{Actor, Hub, settings};
use crate::store::inventory::read as store;
use crate::store::locations::read::usual_currency;

pub(crate) use read::rate;
pub use read::{Column, ReadRow, RowValues, TableError, Upload};

/// Most parts of one transaction.
const BATCH: usize = 250;
/// Most refused rows that are listed.
const ERRORS_MAX: usize = 1_000;
/// Rows that a preview shows.
const SAMPLE: usize = 12;

/// What became of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = PartImportReport)]
pub struct ImportReport {
    /// Rows read: the sum of the other four.
    pub read: u64,
    /// New parts.
    pub created: u64,
    /// Parts that say something else now.
    pub changed: u64,
    /// There already and equal.
    pub skipped: u64,
    /// Rows that were refused.
    pub rejected: u64,
    /// The first 1,000 of the refused rows.
    pub errors: Vec<ImportError>,
}

/// A row that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = PartImportError)]
pub struct ImportError {
    /// The row as a spreadsheet counts: the header is row 1.
    pub row: u64,
    /// What is wrong and what would be right.
    pub detail: String,
}

impl ImportReport {
    fn reject(&mut self, row: u64, detail: String) {
        self.read += 1;
        self.rejected += 1;
        if self.errors.len() < ERRORS_MAX {
            self.errors.push(ImportError { row, detail });
        }
    }
}

/// What happens to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// A new part.
    Created,
    /// A part that says something else now.
    Changed,
    /// There already and equal.
    Skipped,
}

/// A row as a preview shows it.
#[derive(Debug, Clone)]
pub struct SampleRow {
    /// The row as a spreadsheet counts.
    pub row: u64,
    /// What would happen, and the part as it would be.
    pub fate: Fate,
    /// The part.
    pub fields: PartRow,
    /// The price that it has now, where that is another.
    pub old_price_minor: Option<i64>,
}

/// What an import would do.
#[derive(Debug, Clone, Default)]
pub struct Preview {
    /// The file's columns.
    pub header: Vec<String>,
    /// Which of them stands for which of ours.
    pub columns: BTreeMap<Column, usize>,
    /// What would become of the rows.
    pub report: ImportReport,
    /// The first of them.
    pub sample: Vec<SampleRow>,
}

/// What stands in for values that the file lacks.
#[derive(Debug, Clone, Copy)]
struct Defaults {
    currency: Currency,
    tax_bp: Option<u32>,
}

/// Reads a file as it arrives. With `write` in whole batches, otherwise only to tell what would happen.
///
/// # Errors
/// A file that is no table or lacks the sku.
pub async fn import(
    hub: &Arc<Hub>,
    actor: Actor,
    rows: mpsc::Receiver<Result<ReadRow, TableError>>,
    write: bool,
) -> Result<Preview, AppError> {
    let currency = {
        let mut connection = hub.pool().acquire().await?;
        usual_currency(&mut connection).await?
    };
    let rates = settings::get(hub).await?.1.tax_rates;
    let defaults = Defaults {
        currency: currency.unwrap_or(Currency::EUR),
        tax_bp: rates.iter().map(|rate| rate.bp).max(),
    };
    let mut importer = Importer {
        hub,
        actor,
        defaults,
        write,
        rows,
        preview: Preview::default(),
    };
    importer.run().await?;
    Ok(importer.preview)
}

struct Importer<'a> {
    hub: &'a Arc<Hub>,
    actor: Actor,
    defaults: Defaults,
    write: bool,
    rows: mpsc::Receiver<Result<ReadRow, TableError>>,
    preview: Preview,
}

impl Importer<'_> {
    async fn run(&mut self) -> Result<(), AppError> {
        let mut batch = Vec::with_capacity(BATCH);
        while let Some(row) = self.rows.recv().await {
            match row {
                Ok(ReadRow::Header { names, columns }) => {
                    self.preview.header = names;
                    self.preview.columns = columns;
                }
                Ok(ReadRow::Values(values)) => batch.push(values),
                Ok(ReadRow::Wrong { row, detail }) => self.preview.report.reject(row, detail),
                Err(error) => {
                    // What was read before it is whole and stays.
                    self.take(std::mem::take(&mut batch)).await?;
                    return Err(AppError::field("", error));
                }
            }
            if batch.len() >= BATCH {
                self.take(std::mem::take(&mut batch)).await?;
            }
        }
        self.take(batch).await
    }

    async fn take(&mut self, batch: Vec<RowValues>) -> Result<(), AppError> {
        if batch.is_empty() {
            return Ok(());
        }
        let skus: Vec<String> = batch.iter().map(|row| row.sku.clone()).collect();
        if !self.write {
            let known = {
                let mut connection = self.hub.snapshot().await?;
                store::parts_by_skus(&mut connection, &skus).await?
            };
            self.written(batch, known);
            return Ok(());
        }
        let mut tx = self.hub.begin(self.actor, command::IMPORT).await?;
        let known = store::parts_by_skus(tx.sql(), &skus).await?;
        for (id, version, fields) in self.written(batch, known) {
            tx.fact(Item::Part(Row {
                id,
                version,
                deleted: false,
                fields,
            }));
        }
        tx.commit().await?;
        Ok(())
    }

    /// Says what becomes of each row, and which rows of the catalogue would be written.
    fn written(
        &mut self,
        batch: Vec<RowValues>,
        known: Vec<PartRecord>,
    ) -> Vec<(PartId, u64, PartRow)> {
        let mut known: BTreeMap<String, PartRecord> = known
            .into_iter()
            .rev()
            .map(|part| (part.fields.sku.clone(), part))
            .collect();
        let mut entropy = self.hub.env().entropy();
        let mut writes = Vec::new();
        for values in batch {
            let row = values.row;
            let old = known.get(&values.sku);
            let fields = match merged(values, old, self.defaults) {
                Ok(fields) => fields,
                Err(detail) => {
                    self.preview.report.reject(row, detail);
                    continue;
                }
            };
            let fate = match old {
                None => Fate::Created,
                Some(old) if old.fields == fields => Fate::Skipped,
                Some(_) => Fate::Changed,
            };
            let (id, version) = match old {
                Some(old) => (old.id, old.version + 1),
                None => (PartId::from_random(&mut entropy), 1),
            };
            let old_price_minor = old.map(|old| old.fields.price_minor);
            self.count(row, fate, &fields, old_price_minor);
            if fate != Fate::Skipped {
                writes.push((id, version, fields.clone()));
                let record = PartRecord {
                    id,
                    version,
                    updated_ms: 0,
                    fields: fields.clone(),
                };
                known.insert(fields.sku, record);
            }
        }
        writes
    }

    fn count(&mut self, row: u64, fate: Fate, fields: &PartRow, old_price_minor: Option<i64>) {
        let report = &mut self.preview.report;
        report.read += 1;
        match fate {
            Fate::Created => report.created += 1,
            Fate::Changed => report.changed += 1,
            Fate::Skipped => report.skipped += 1,
        }
        if self.preview.sample.len() < SAMPLE {
            self.preview.sample.push(SampleRow {
                row,
                fate,
                old_price_minor: old_price_minor.filter(|old| *old != fields.price_minor),
                fields: fields.clone(),
            });
        }
    }
}

/// The part as the row wants it; what the row does not say stays, or is the usual.
fn merged(
    values: RowValues,
    old: Option<&PartRecord>,
    defaults: Defaults,
) -> Result<PartRow, String> {
    let old = old.map(|old| &old.fields);
    let missing = |what: &str| format!("{what} is missing, and there is no such part yet");
    let currency = values
        .currency
        .or(old.map(|old| old.currency))
        .unwrap_or(defaults.currency);
    let price_minor = match (&values.price, old) {
        (Some(price), _) => read::amount(price, currency.minor_digits())
            .ok_or_else(|| format!("price {price:?} is no amount; write 12.90"))?,
        (None, Some(old)) => old.price_minor,
        (None, None) => return Err(missing("price")),
    };
    let fields = PartRow {
        sku: values.sku,
        name: values
            .name
            .or_else(|| old.map(|old| old.name.clone()))
            .ok_or_else(|| missing("name"))?,
        category: values
            .category
            .or_else(|| old.map(|old| old.category.clone()))
            .unwrap_or_default(),
        price_minor,
        currency,
        tax_bp: values
            .tax_bp
            .or(old.map(|old| old.tax_bp))
            .or(defaults.tax_bp)
            .ok_or_else(|| missing("tax rate"))?,
        barcodes: values
            .barcodes
            .or_else(|| old.map(|old| old.barcodes.clone()))
            .unwrap_or_default(),
        active: values.active.or(old.map(|old| old.active)).unwrap_or(true),
    };
    fields.validate().map_err(|problems| {
        let told: Vec<String> = problems
            .iter()
            .map(|problem| {
                let field = problem.pointer.trim_start_matches('/');
                format!("{field} {}", problem.detail)
            })
            .collect();
        told.join("; ")
    })
}
