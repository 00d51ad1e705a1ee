//! The lists of operations that a change's operations replace.
//!
//! The lists of all rows stand one behind the other in two columns. Runs are tested at their ends
//! only: a list must ascend, so a run that lies in one list grows by at least one per entry, as
//! fast as any row's own counter, and a run of one entry per row is linear. Nothing is collected.

use super::column::Column;
use super::columns::{Cursor, Deltas, Runs};
use super::error::ScanError;
use super::walk::{Actors, Span};

/// Both predecessor columns.
#[derive(Debug)]
pub(super) struct Predecessors<'a> {
    actors: Runs<'a, u64>,
    counters: Deltas<'a>,
    /// The entry just read, for the order within a list.
    before: (u64, u64),
}

/// Some entries with the same actor, the first at position `at` of the rows' lists.
struct Stretch {
    actor: u64,
    first: u64,
    last: u64,
    at: u64,
    entries: u64,
}

impl<'a> Predecessors<'a> {
    pub(super) fn new(actors: Option<&'a [u8]>, counters: Option<&'a [u8]>) -> Self {
        Predecessors {
            actors: Runs::listed(Column::PredecessorActor, actors),
            counters: Deltas::new(Runs::listed(Column::PredecessorCounter, counters)),
            before: (0, 0),
        }
    }

    /// Reads the lists of a span of rows, `per_row` entries each.
    pub(super) fn read(
        &mut self,
        span: Span,
        per_row: u64,
        actors: &mut Actors<'a>,
    ) -> Result<(), ScanError> {
        let all = span.rows.saturating_mul(per_row);
        let mut at = 0;
        while at < all {
            let stretch = self.next_stretch(at, all - at)?;
            self.check_order(&stretch, per_row, actors)?;
            let own = (
                span.first + at / per_row,
                span.first + (at + stretch.entries - 1) / per_row,
            );
            let counters = (stretch.first, stretch.last);
            actors.check_earlier(Column::PredecessorCounter, stretch.actor, counters, own)?;
            self.before = (stretch.last, stretch.actor);
            self.actors.advance(stretch.entries);
            self.counters.advance(stretch.entries);
            at += stretch.entries;
        }
        Ok(())
    }

    fn next_stretch(&mut self, at: u64, wanted: u64) -> Result<Stretch, ScanError> {
        for cursor in [&mut self.actors as &mut dyn Cursor, &mut self.counters] {
            cursor.fill()?;
            if cursor.left() == 0 {
                return Err(ScanError::ColumnTooShort {
                    column: cursor.column(),
                });
            }
        }
        let entries = wanted.min(self.actors.left()).min(self.counters.left());
        let actor = self.actors.required()?;
        let column = Column::PredecessorCounter;
        let (first, last) = self
            .counters
            .ends(entries)?
            .ok_or(ScanError::NullEntry { column })?;
        Ok(Stretch {
            actor,
            first,
            last,
            at,
            entries,
        })
    }

    fn check_order(
        &self,
        stretch: &Stretch,
        per_row: u64,
        actors: &mut Actors<'a>,
    ) -> Result<(), ScanError> {
        let actor = actors.name(Column::PredecessorActor, stretch.actor)?;
        let position = stretch.at % per_row;
        let (before, before_actor) = self.before;
        let follows = position == 0
            || before < stretch.first
            || before == stretch.first
                && actors.name(Column::PredecessorActor, before_actor)? < actor;
        let crosses_only = stretch.entries == 1 || stretch.entries == 2 && position + 1 == per_row;
        let ascends = per_row == 1 || crosses_only || self.counters.slope() > 0;
        if follows && ascends {
            Ok(())
        } else {
            Err(ScanError::PredecessorsNotAscending)
        }
    }

    /// Refuses entries that belong to no row.
    pub(super) fn finish(&mut self) -> Result<(), ScanError> {
        for cursor in [&mut self.actors as &mut dyn Cursor, &mut self.counters] {
            cursor.fill()?;
            if cursor.left() > 0 {
                return Err(ScanError::ColumnTooLong {
                    column: cursor.column(),
                });
            }
        }
        Ok(())
    }
}
