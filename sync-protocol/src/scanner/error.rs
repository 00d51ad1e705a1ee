//! Why a change chunk was refused. The text of an error is stored as the reason a change was
//! parked and is read by people, so each variant says which one rule was broken; none is a
//! catch-all.

use std::fmt;

use super::column::Column;

/// The part of a chunk that was being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Magic, checksum, type and body length.
    Frame,
    /// The hashes of the changes this one follows.
    Deps,
    /// The change's own actor.
    Actor,
    /// The actor's sequence number.
    Seq,
    /// The counter of the first operation.
    StartOp,
    /// The time.
    Time,
    /// The message.
    Message,
    /// The table of other actors.
    OtherActors,
    /// The table of columns.
    ColumnTable,
    /// One column.
    Column(Column),
    /// The bytes behind the columns.
    Extra,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Place::Frame => "the frame",
            Place::Deps => "the dependencies",
            Place::Actor => "the actor",
            Place::Seq => "the sequence number",
            Place::StartOp => "the first operation's counter",
            Place::Time => "the time",
            Place::Message => "the message",
            Place::OtherActors => "the other actors",
            Place::ColumnTable => "the column table",
            Place::Column(column) => return write!(f, "the {column} column"),
            Place::Extra => "the extra bytes",
        })
    }
}

/// The rule that a change chunk breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[allow(
    missing_docs,
    reason = "the message of each variant is its description"
)]
pub enum ScanError {
    #[error("the chunk has {size_bytes} bytes, more than {limit}")]
    ChunkTooLong { size_bytes: usize, limit: usize },
    #[error("the chunk does not begin with Automerge's magic bytes")]
    NotAChunk,
    #[error("the chunk is of type {chunk_type}, not a plain change")]
    ChunkType { chunk_type: u8 },
    #[error("the body length does not match the bytes that follow")]
    BodyLength,
    #[error("the checksum does not match the content")]
    Checksum,

    #[error("{place} ends too early")]
    Truncated { place: Place },
    #[error("{place} has a number that is not in its shortest form")]
    NumberOverlong { place: Place },
    #[error("{place} has a number of more than 64 bits")]
    NumberTooLarge { place: Place },
    #[error("{place} has text that is not UTF-8")]
    NotUtf8 { place: Place },

    #[error("{count} dependencies, more than {limit}")]
    TooManyDeps { count: u64, limit: usize },
    #[error("the dependencies are not strictly ascending")]
    DepsNotAscending,
    #[error("an actor of {size_bytes} bytes, outside 1 to {limit}")]
    ActorLength { size_bytes: usize, limit: usize },
    #[error("sequence number {seq} is outside 1 to 4294967295")]
    SeqRange { seq: u64 },
    #[error("first operation counter {start_op} is outside 1 to 4294967295")]
    StartOpRange { start_op: u64 },
    #[error("the operations' counters pass 4294967295")]
    OperationCounterRange,
    #[error("the time is not zero")]
    TimeNotZero,
    #[error("the time is more than 2^53 away from zero")]
    TimeRange,
    #[error("a message is not allowed")]
    MessageNotAllowed,
    #[error("a message of {size_bytes} bytes, more than {limit}")]
    MessageTooLong { size_bytes: usize, limit: usize },
    #[error("{count} other actors, more than {limit}")]
    TooManyOtherActors { count: u64, limit: usize },
    #[error("the other actors are not strictly ascending")]
    OtherActorsNotAscending,
    #[error("the change's own actor stands among the other actors")]
    OwnActorAmongOthers,
    #[error("other actor number {number} is named by no operation")]
    OtherActorUnused { number: usize },
    #[error("extra bytes behind the columns are not allowed")]
    ExtraNotAllowed,
    #[error("{size_bytes} extra bytes, more than {limit}")]
    ExtraTooLong { size_bytes: usize, limit: usize },
    #[error("the extra bytes name an author in a form that cannot be read")]
    AuthorForm,
    #[error("the extra bytes name an author after the actor's first change")]
    AuthorAfterFirstChange,

    #[error("{count} columns, more than there are kinds")]
    TooManyColumns { count: u64 },
    #[error("column {specification:#x} is not known")]
    UnknownColumn { specification: u64 },
    #[error("the columns are not strictly ascending")]
    ColumnsNotAscending,
    #[error("the {column} column is empty")]
    ColumnEmpty { column: Column },
    #[error("the {column} column is missing")]
    ColumnMissing { column: Column },
    #[error("the {column} column says nothing and should be left out")]
    ColumnSaysNothing { column: Column },
    #[error("the {column} column has fewer entries than the change needs")]
    ColumnTooShort { column: Column },
    #[error("the {column} column has more entries than the change needs")]
    ColumnTooLong { column: Column },
    #[error("the {column} column has a run of one")]
    RunOfOne { column: Column },
    #[error("the {column} column has an empty run")]
    RunOfNone { column: Column },
    #[error("the {column} column has neighbouring runs that should be one")]
    RunsMergeable { column: Column },
    #[error("the {column} column has a null")]
    NullEntry { column: Column },
    #[error("the {column} column has a counter outside 1 to 4294967295")]
    CounterRange { column: Column },
    #[error("the {column} column names actor {actor}, which the change does not list")]
    UnknownActor { column: Column, actor: u64 },
    #[error("the {column} column refers to an operation that is not earlier")]
    ReferenceNotEarlier { column: Column },

    #[error("more than {limit} operations")]
    TooManyOperations { limit: u64 },
    #[error("more than {limit} predecessors")]
    TooManyPredecessors { limit: u64 },
    #[error("more than {limit} bytes of keys and mark names when written out")]
    TooManyRepeatedBytes { limit: u64 },
    #[error("an operation names an object by half")]
    ObjectIncomplete,
    #[error("an operation has neither a map key nor an element, or both")]
    KeyAmbiguous,
    #[error("an operation at a list's head does not insert")]
    HeadWithoutInsert,
    #[error("an operation inserts under a map key")]
    InsertUnderMapKey,
    #[error("action {action} is not known")]
    UnknownAction { action: u64 },
    #[error("a new object has a value")]
    MakeWithValue,
    #[error("a delete has a value")]
    DeleteWithValue,
    #[error("an increment's value is not a signed integer")]
    IncrementValue,
    #[error("a delete or an increment has no predecessor")]
    PredecessorMissing,
    #[error("an insert has a predecessor")]
    InsertWithPredecessor,
    #[error("an operation's predecessors are not strictly ascending")]
    PredecessorsNotAscending,
    #[error("a mark name or expansion stands on an operation that is no mark")]
    MarkFieldElsewhere,
    #[error("a mark is not inserted into a sequence")]
    MarkWithoutInsert,
    #[error("a mark's begin and end are not adjacent")]
    MarkUnpaired,
    #[error("a mark's end has a value")]
    MarkEndWithValue,
    #[error("value type {value_type} is not known")]
    UnknownValueType { value_type: u8 },
    #[error("a value of type {value_type} has {size_bytes} bytes")]
    ValueLength { value_type: u8, size_bytes: u64 },
}
