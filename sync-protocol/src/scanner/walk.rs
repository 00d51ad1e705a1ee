//! One pass over all columns of a change, in step.
//!
//! Each step takes as many rows as have the same value in every column, tests one of them and
//! multiplies, so the work is bounded by the bytes and not by the rows they claim. The columns'
//! content is never kept.

use super::ScanLimits;
use super::column::Column;
use super::columns::{Cursor, Deltas, Flags, Runs};
use super::error::ScanError;
use super::predecessors::Predecessors;
use super::values::{self, Values};

/// The greatest counter, sequence number or number of entries.
pub(super) const COUNTER_MAX: u64 = u32::MAX as u64;

const MAKE_MAP: u64 = 0;
const PUT: u64 = 1;
const MAKE_LIST: u64 = 2;
const DELETE: u64 = 3;
const MAKE_TEXT: u64 = 4;
const INCREMENT: u64 = 5;
const MAKE_TABLE: u64 = 6;
const MARK: u64 = 7;

/// The columns present, in the order of [`Column::ALL`].
#[derive(Debug, Default)]
pub(super) struct ColumnBytes<'a>([Option<&'a [u8]>; Column::ALL.len()]);

impl<'a> ColumnBytes<'a> {
    pub(super) fn set(&mut self, column: Column, bytes: &'a [u8]) {
        self.0[column as usize] = Some(bytes);
    }

    fn get(&self, column: Column) -> Option<&'a [u8]> {
        self.0[column as usize]
    }

    fn is_empty(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }
}

/// Rows that follow each other; `first` is the counter of the first one's operation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) first: u64,
    pub(super) rows: u64,
}

impl Span {
    fn last(self) -> u64 {
        self.first + (self.rows - 1)
    }
}

/// The actors a change lists, and which of them some operation names.
#[derive(Debug)]
pub(super) struct Actors<'a> {
    own: &'a [u8],
    others: &'a [&'a [u8]],
    named: Vec<bool>,
    start_op: u64,
}

impl<'a> Actors<'a> {
    /// The bytes of an actor by its number in the change: 0 is the change's own.
    pub(super) fn name(&mut self, column: Column, actor: u64) -> Result<&'a [u8], ScanError> {
        let Some(number) = actor.checked_sub(1) else {
            return Ok(self.own);
        };
        let unknown = ScanError::UnknownActor { column, actor };
        let number = usize::try_from(number).map_err(|_| unknown)?;
        let bytes = self.others.get(number).ok_or(unknown)?;
        if let Some(named) = self.named.get_mut(number) {
            *named = true;
        }
        Ok(bytes)
    }

    /// Refuses references to operations that cannot exist yet: others' must come before the
    /// change, own ones before the row. Both pairs are the ends of something linear.
    pub(super) fn check_earlier(
        &self,
        column: Column,
        actor: u64,
        counters: (u64, u64),
        own: (u64, u64),
    ) -> Result<(), ScanError> {
        if counters.0 == 0 || counters.1 == 0 {
            return Err(ScanError::CounterRange { column });
        }
        let bound = if actor == 0 {
            own
        } else {
            (self.start_op, self.start_op)
        };
        if counters.0 < bound.0 && counters.1 < bound.1 {
            Ok(())
        } else {
            Err(ScanError::ReferenceNotEarlier { column })
        }
    }

    fn check_all_named(&self) -> Result<(), ScanError> {
        match self.named.iter().position(|named| !named) {
            None => Ok(()),
            Some(unused) => Err(ScanError::OtherActorUnused { number: unused + 1 }),
        }
    }
}

/// What a change costs those who apply it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) operations: u64,
    pub(super) predecessors: u64,
    pub(super) repeated_string_bytes: u64,
}

/// Where an operation works within its object.
enum Key {
    Map,
    Element,
}

struct Walk<'a, 'l> {
    object_actor: Runs<'a, u64>,
    object_counter: Runs<'a, u64>,
    key_actor: Runs<'a, u64>,
    key_counter: Deltas<'a>,
    key_string: Runs<'a, &'a str>,
    insert: Flags<'a>,
    action: Runs<'a, u64>,
    value_metadata: Runs<'a, u64>,
    predecessor_count: Runs<'a, u64>,
    mark_expand: Flags<'a>,
    mark_name: Runs<'a, &'a str>,
    values: Values<'a>,
    predecessors: Predecessors<'a>,
    actors: Actors<'a>,
    counts: Counts,
    limits: &'l ScanLimits,
    is_mark_open: bool,
}

/// Walks over the columns and says what they hold, or which rule they break.
pub(super) fn walk<'a>(
    bytes: &ColumnBytes<'a>,
    start_op: u64,
    own: &'a [u8],
    others: &'a [&'a [u8]],
    limits: &ScanLimits,
) -> Result<Counts, ScanError> {
    let actors = Actors {
        own,
        others,
        named: vec![false; others.len()],
        start_op,
    };
    if bytes.is_empty() {
        actors.check_all_named()?;
        return Ok(Counts::default());
    }
    for column in [
        Column::Insert,
        Column::Action,
        Column::ValueMetadata,
        Column::PredecessorCount,
    ] {
        if bytes.get(column).is_none() {
            return Err(ScanError::ColumnMissing { column });
        }
    }
    Walk::new(bytes, actors, limits).run()
}

impl<'a, 'l> Walk<'a, 'l> {
    fn new(bytes: &ColumnBytes<'a>, actors: Actors<'a>, limits: &'l ScanLimits) -> Self {
        let integers = |column| Runs::per_row(column, bytes.get(column));
        let strings = |column| Runs::per_row(column, bytes.get(column));
        let flags = |column| Flags::per_row(column, bytes.get(column));
        let key_counter = Runs::per_row(Column::KeyCounter, bytes.get(Column::KeyCounter));
        Walk {
            object_actor: integers(Column::ObjectActor),
            object_counter: integers(Column::ObjectCounter),
            key_actor: integers(Column::KeyActor),
            key_counter: Deltas::new(key_counter),
            key_string: strings(Column::KeyString),
            insert: flags(Column::Insert),
            action: integers(Column::Action),
            value_metadata: integers(Column::ValueMetadata),
            predecessor_count: integers(Column::PredecessorCount),
            mark_expand: flags(Column::MarkExpand),
            mark_name: strings(Column::MarkName),
            values: Values::new(bytes.get(Column::ValueBytes)),
            predecessors: Predecessors::new(
                bytes.get(Column::PredecessorActor),
                bytes.get(Column::PredecessorCounter),
            ),
            actors,
            counts: Counts::default(),
            limits,
            is_mark_open: false,
        }
    }

    /// The columns with one entry per row, the one that says how many rows there are first.
    fn row_columns(&mut self) -> [&mut dyn Cursor; 11] {
        [
            &mut self.action,
            &mut self.object_actor,
            &mut self.object_counter,
            &mut self.key_actor,
            &mut self.key_counter,
            &mut self.key_string,
            &mut self.insert,
            &mut self.value_metadata,
            &mut self.predecessor_count,
            &mut self.mark_expand,
            &mut self.mark_name,
        ]
    }

    fn run(mut self) -> Result<Counts, ScanError> {
        while let Some(span) = self.next_span()? {
            self.check_rows(span)?;
            for cursor in self.row_columns() {
                cursor.advance(span.rows);
            }
            self.counts.operations += span.rows;
        }
        self.finish()
    }

    fn next_span(&mut self) -> Result<Option<Span>, ScanError> {
        self.action.fill()?;
        let claimed = self.counts.operations.saturating_add(self.action.left());
        if claimed > self.limits.operations {
            return Err(ScanError::TooManyOperations {
                limit: self.limits.operations,
            });
        }
        if claimed > COUNTER_MAX + 1 - self.actors.start_op {
            return Err(ScanError::OperationCounterRange);
        }
        if self.action.left() == 0 {
            return Ok(None);
        }
        let mut rows = u64::MAX;
        for cursor in self.row_columns() {
            cursor.fill()?;
            if cursor.left() == 0 {
                return Err(ScanError::ColumnTooShort {
                    column: cursor.column(),
                });
            }
            rows = rows.min(cursor.left());
        }
        Ok(Some(Span {
            first: self.actors.start_op + self.counts.operations,
            rows,
        }))
    }

    fn finish(mut self) -> Result<Counts, ScanError> {
        for cursor in self.row_columns() {
            cursor.fill()?;
            // A column that is left out has no end, one that is there must be at it.
            if cursor.left() > 0 && cursor.left() < u64::MAX {
                return Err(ScanError::ColumnTooLong {
                    column: cursor.column(),
                });
            }
        }
        for cursor in self.row_columns() {
            // Insertion is written even when nothing is inserted.
            if cursor.column() != Column::Insert {
                cursor.check_says_something()?;
            }
        }
        if self.is_mark_open {
            return Err(ScanError::MarkUnpaired);
        }
        self.values.finish()?;
        self.predecessors.finish()?;
        self.actors.check_all_named()?;
        Ok(self.counts)
    }

    fn check_rows(&mut self, span: Span) -> Result<(), ScanError> {
        self.check_object(span)?;
        let key = self.check_key(span)?;
        let metadata = self.value_metadata.required()?;
        let predecessors = self.predecessor_count.required()?;
        self.check_action(metadata, predecessors)?;
        self.check_marks(span, &key, metadata)?;
        self.count_strings(span)?;
        self.values.read(span.rows, metadata)?;
        self.counts.predecessors = self
            .counts
            .predecessors
            .saturating_add(span.rows.saturating_mul(predecessors));
        let limit = self.limits.predecessors.min(COUNTER_MAX);
        if self.counts.predecessors > limit {
            return Err(ScanError::TooManyPredecessors { limit });
        }
        self.predecessors.read(span, predecessors, &mut self.actors)
    }

    fn check_object(&mut self, span: Span) -> Result<(), ScanError> {
        match (self.object_actor.value(), self.object_counter.value()) {
            (None, None) => Ok(()),
            (Some(actor), Some(counter)) => {
                self.actors.name(Column::ObjectActor, actor)?;
                let own = (span.first, span.last());
                self.actors
                    .check_earlier(Column::ObjectCounter, actor, (counter, counter), own)
            }
            _ => Err(ScanError::ObjectIncomplete),
        }
    }

    fn check_key(&mut self, span: Span) -> Result<Key, ScanError> {
        let counters = self.key_counter.ends(span.rows)?;
        match (self.key_string.value(), self.key_actor.value(), counters) {
            (Some(_), None, None) if self.insert.value() => Err(ScanError::InsertUnderMapKey),
            (Some(_), None, None) => Ok(Key::Map),
            (None, None, Some((0, 0))) if self.insert.value() => Ok(Key::Element),
            (None, None, Some((0, 0))) => Err(ScanError::HeadWithoutInsert),
            (None, Some(actor), Some(counters)) => {
                self.actors.name(Column::KeyActor, actor)?;
                let own = (span.first, span.last());
                self.actors
                    .check_earlier(Column::KeyCounter, actor, counters, own)?;
                Ok(Key::Element)
            }
            _ => Err(ScanError::KeyAmbiguous),
        }
    }

    fn check_action(&self, metadata: u64, predecessors: u64) -> Result<(), ScanError> {
        let is_null = metadata == values::NULL;
        match self.action.required()? {
            PUT | MARK => {}
            MAKE_MAP | MAKE_LIST | MAKE_TEXT | MAKE_TABLE if is_null => {}
            MAKE_MAP | MAKE_LIST | MAKE_TEXT | MAKE_TABLE => return Err(ScanError::MakeWithValue),
            DELETE | INCREMENT if predecessors == 0 => return Err(ScanError::PredecessorMissing),
            DELETE if is_null => {}
            DELETE => return Err(ScanError::DeleteWithValue),
            INCREMENT if values::is_signed(metadata) => {}
            INCREMENT => return Err(ScanError::IncrementValue),
            action => return Err(ScanError::UnknownAction { action }),
        }
        if self.insert.value() && predecessors > 0 {
            return Err(ScanError::InsertWithPredecessor);
        }
        Ok(())
    }

    /// A mark is two rows: a begin with a name directly before an end without.
    fn check_marks(&mut self, span: Span, key: &Key, metadata: u64) -> Result<(), ScanError> {
        let is_named = self.mark_name.value().is_some();
        if self.action.value() != Some(MARK) {
            return match (is_named || self.mark_expand.value(), self.is_mark_open) {
                (true, _) => Err(ScanError::MarkFieldElsewhere),
                (_, true) => Err(ScanError::MarkUnpaired),
                _ => Ok(()),
            };
        }
        if !matches!(key, Key::Element) || !self.insert.value() {
            return Err(ScanError::MarkWithoutInsert);
        }
        if span.rows != 1 || is_named == self.is_mark_open {
            return Err(ScanError::MarkUnpaired);
        }
        if !is_named && metadata != values::NULL {
            return Err(ScanError::MarkEndWithValue);
        }
        self.is_mark_open = is_named;
        Ok(())
    }

    /// Automerge copies a repeated key for every row when it applies the change.
    fn count_strings(&mut self, span: Span) -> Result<(), ScanError> {
        for text in [self.key_string.value(), self.mark_name.value()]
            .into_iter()
            .flatten()
        {
            let written_out = span.rows.saturating_mul(text.len() as u64);
            self.counts.repeated_string_bytes = self
                .counts
                .repeated_string_bytes
                .saturating_add(written_out);
        }
        let limit = self.limits.repeated_string_bytes;
        if self.counts.repeated_string_bytes > limit {
            return Err(ScanError::TooManyRepeatedBytes { limit });
        }
        Ok(())
    }
}
