//! The names of the columns that a change may have, and their numbers on the wire. A column that
//! is not listed here is never accepted.

use std::fmt;

/// A column of a change chunk; no others are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// Actor of the object an operation works on.
    ObjectActor,
    /// Counter of that object.
    ObjectCounter,
    /// Actor of the list element.
    KeyActor,
    /// Counter of the list element.
    KeyCounter,
    /// Map key.
    KeyString,
    /// Whether a new list element is made.
    Insert,
    /// What the operation does.
    Action,
    /// Type and length of the value.
    ValueMetadata,
    /// The values' bytes.
    ValueBytes,
    /// How many operations each one replaces.
    PredecessorCount,
    /// Actors of those.
    PredecessorActor,
    /// Counters of those.
    PredecessorCounter,
    /// Whether a mark grows with its edges.
    MarkExpand,
    /// Name of a mark.
    MarkName,
}

impl Column {
    /// All columns, in the order of their specifications.
    pub(super) const ALL: [Column; 14] = [
        Column::ObjectActor,
        Column::ObjectCounter,
        Column::KeyActor,
        Column::KeyCounter,
        Column::KeyString,
        Column::Insert,
        Column::Action,
        Column::ValueMetadata,
        Column::ValueBytes,
        Column::PredecessorCount,
        Column::PredecessorActor,
        Column::PredecessorCounter,
        Column::MarkExpand,
        Column::MarkName,
    ];

    /// The number that stands for the column on the wire: id, deflate bit, type.
    pub(super) fn specification(self) -> u64 {
        match self {
            Column::ObjectActor => 0x01,
            Column::ObjectCounter => 0x02,
            Column::KeyActor => 0x11,
            Column::KeyCounter => 0x13,
            Column::KeyString => 0x15,
            Column::Insert => 0x34,
            Column::Action => 0x42,
            Column::ValueMetadata => 0x56,
            Column::ValueBytes => 0x57,
            Column::PredecessorCount => 0x70,
            Column::PredecessorActor => 0x71,
            Column::PredecessorCounter => 0x73,
            Column::MarkExpand => 0x94,
            Column::MarkName => 0xa5,
        }
    }

    pub(super) fn from_specification(specification: u64) -> Option<Column> {
        Column::ALL
            .into_iter()
            .find(|column| column.specification() == specification)
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Column::ObjectActor => "object actor",
            Column::ObjectCounter => "object counter",
            Column::KeyActor => "key actor",
            Column::KeyCounter => "key counter",
            Column::KeyString => "key string",
            Column::Insert => "insert",
            Column::Action => "action",
            Column::ValueMetadata => "value metadata",
            Column::ValueBytes => "value bytes",
            Column::PredecessorCount => "predecessor count",
            Column::PredecessorActor => "predecessor actor",
            Column::PredecessorCounter => "predecessor counter",
            Column::MarkExpand => "mark expand",
            Column::MarkName => "mark name",
        })
    }
}
