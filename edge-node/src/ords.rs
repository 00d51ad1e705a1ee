//! Reading of Open Repair Data Standard files (<https://standard.openrepair.org>), v0.1 to v0.3.
//!
//! [`OrdsReader`] is pushed bytes as they arrive and answers whole rows, so that a file of any
//! length costs the memory of its longest permitted row; tables of other programs are read by the
//! same [`FileReader`], with a [`Form`] of their own. What a row means for the shop is not
//! decided here: no order is made, nothing is stored, rows are not compared with each other.
//! Never true here: that a row is dropped without a [`RowError`], unless it is entirely empty.

mod header;
mod reader;
mod record;
#[cfg(test)]
mod tests;

pub use header::{Column, HeaderError, split_best};
pub use reader::{Defaults, FileReader, Form, Limits, OrdsReader, ReadRow, RowError, RowOutcome};
pub use record::{Date, Fields, RepairRecord, RepairStatus, RowFault};
