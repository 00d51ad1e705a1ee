//! A row of any kind of table: read, foretold, taken over.

use std::collections::HashMap;

use domain::id::StaffId;
use jiff::tz::TimeZone;

use super::customers::{self, Known, PersonRow};
use super::orders::{self, OrderRow};
use super::stock::{self, ShelfRow};
use super::{Cells, Done, Fault, Kind};
use crate::error::AppError;
use crate::store::{Reader, WriteTx};

/// A row that reads.
#[derive(Debug, Clone)]
pub(super) enum Row {
    Person(PersonRow),
    Shelf(ShelfRow),
    Order(Box<OrderRow>),
}

impl Row {
    pub(super) fn of(kind: Kind, cells: &Cells, zone: &TimeZone) -> Result<Self, Fault> {
        Ok(match kind {
            Kind::Customers => Self::Person(PersonRow::of(cells)?),
            Kind::Stock => Self::Shelf(ShelfRow::of(cells)?),
            Kind::Orders => Self::Order(Box::new(OrderRow::of(cells, zone)?)),
        })
    }

    /// By what another row of the same file would be about the same; none where only the shop can tell.
    fn identity(&self) -> Option<String> {
        match self {
            Self::Person(row) => row.source(),
            Self::Shelf(row) => Some(row.shelf()),
            Self::Order(row) => Some(row.source()),
        }
    }

    pub(super) fn forecast(
        &self,
        reader: &Reader<'_>,
        known: &mut Known,
    ) -> Result<Result<Done, Fault>, AppError> {
        match self {
            Self::Person(row) => customers::forecast(reader, known, row).map(Ok),
            Self::Shelf(row) => stock::forecast(reader, row),
            Self::Order(row) => orders::forecast(reader, row),
        }
    }

    pub(super) fn take(
        &self,
        tx: &mut WriteTx<'_>,
        staff: StaffId,
        known: &mut Known,
    ) -> Result<Result<Done, Fault>, AppError> {
        match self {
            Self::Person(row) => customers::take(tx, known, row),
            Self::Shelf(row) => stock::take(tx, row),
            Self::Order(row) => orders::take(tx, staff, known, row),
        }
    }
}

/// Which identities the file has named so far, and in which row.
#[derive(Debug, Default)]
pub(super) struct Seen(HashMap<String, u64>);

impl Seen {
    /// Refuses a row that is about the same as an earlier one.
    pub(super) fn check(&mut self, row: &Row, number: u64) -> Result<(), Fault> {
        let Some(identity) = row.identity() else {
            return Ok(());
        };
        match self.0.get(&identity) {
            Some(earlier) => Err(Fault::Twice { row: *earlier }),
            None => {
                self.0.insert(identity, number);
                Ok(())
            }
        }
    }
}
