//! The part of a change chunk before its columns, the table of columns, and what follows them.
//!
//! No list is ever allocated from the count it claims: a list grows as its entries are read.

use std::ops::Range;

use super::column::Column;
use super::error::{Place, ScanError};
use super::leb128::Input;
use super::walk::{COUNTER_MAX, ColumnBytes};
use super::{
    ACTOR_BYTES_MAX, ChangeRanges, EXTRA_BYTES_MAX, MESSAGE_BYTES_MAX, ScanLimits, TIME_MAX,
};

/// The first extra byte when the rest names the actor's author.
const EXTRA_AUTHOR: u64 = 1;

/// Everything of a change but its operations.
#[derive(Debug)]
pub(super) struct Header<'a> {
    pub(super) deps: Vec<[u8; 32]>,
    pub(super) actor: &'a [u8],
    pub(super) seq: u64,
    pub(super) start_op: u64,
    pub(super) time: i64,
    pub(super) message: &'a str,
    pub(super) other_actors: Vec<&'a [u8]>,
    pub(super) columns: ColumnBytes<'a>,
    pub(super) extra: &'a [u8],
    pub(super) ranges: ChangeRanges,
}

impl<'a> Header<'a> {
    /// Reads a chunk whose frame is right, from its type byte on.
    pub(super) fn read(chunk: &'a [u8], at: usize, limits: &ScanLimits) -> Result<Self, ScanError> {
        let mut input = Input::new(chunk, Place::Frame);
        input.take(at as u64 + 1)?;
        input.unsigned()?;

        let (deps, deps_range) = read_deps(&mut input, chunk.len(), limits)?;
        let actor = read_actor(input.at(Place::Actor))?;
        let actor_range = range_before(&input, chunk.len(), actor.len());
        let seq = input.at(Place::Seq).unsigned()?;
        if !(1..=COUNTER_MAX).contains(&seq) {
            return Err(ScanError::SeqRange { seq });
        }
        let start_op = input.at(Place::StartOp).unsigned()?;
        if !(1..=COUNTER_MAX).contains(&start_op) {
            return Err(ScanError::StartOpRange { start_op });
        }
        let time = read_time(&mut input, limits)?;
        let message = read_message(&mut input, limits)?;
        let (other_actors, other_ranges) =
            read_other_actors(&mut input, chunk.len(), actor, limits)?;
        let columns = read_columns(&mut input)?;
        let extra = input.rest();
        check_extra(extra, seq, limits)?;
        let ranges = ChangeRanges {
            deps: deps_range,
            actor: actor_range,
            other_actors: other_ranges,
            extra: chunk.len() - extra.len()..chunk.len(),
        };
        Ok(Header {
            deps,
            actor,
            seq,
            start_op,
            time,
            message,
            other_actors,
            columns,
            extra,
            ranges,
        })
    }
}

/// The range of the `size` bytes that were read last.
fn range_before(input: &Input<'_>, chunk_bytes: usize, size: usize) -> Range<usize> {
    let end = chunk_bytes - input.rest().len();
    end - size..end
}

fn read_deps(
    input: &mut Input<'_>,
    chunk_bytes: usize,
    limits: &ScanLimits,
) -> Result<(Vec<[u8; 32]>, Range<usize>), ScanError> {
    let count = input.at(Place::Deps).unsigned()?;
    if count > limits.deps as u64 {
        return Err(ScanError::TooManyDeps {
            count,
            limit: limits.deps,
        });
    }
    let bytes = input.take(count.saturating_mul(32))?;
    let deps = bytes.as_chunks::<32>().0.to_vec();
    if !deps.is_sorted_by(|before, after| before < after) {
        return Err(ScanError::DepsNotAscending);
    }
    Ok((deps, range_before(input, chunk_bytes, bytes.len())))
}

fn read_actor<'a>(input: &mut Input<'a>) -> Result<&'a [u8], ScanError> {
    let actor = input.counted_bytes()?;
    if (1..=ACTOR_BYTES_MAX).contains(&actor.len()) {
        Ok(actor)
    } else {
        Err(ScanError::ActorLength {
            size_bytes: actor.len(),
            limit: ACTOR_BYTES_MAX,
        })
    }
}

fn read_time(input: &mut Input<'_>, limits: &ScanLimits) -> Result<i64, ScanError> {
    let time = input.at(Place::Time).signed()?;
    if limits.require_time_zero && time != 0 {
        return Err(ScanError::TimeNotZero);
    }
    if (-TIME_MAX..=TIME_MAX).contains(&time) {
        Ok(time)
    } else {
        Err(ScanError::TimeRange)
    }
}

fn read_message<'a>(input: &mut Input<'a>, limits: &ScanLimits) -> Result<&'a str, ScanError> {
    let message = input.at(Place::Message).counted_text()?;
    if !limits.allow_message && !message.is_empty() {
        return Err(ScanError::MessageNotAllowed);
    }
    if message.len() > MESSAGE_BYTES_MAX {
        return Err(ScanError::MessageTooLong {
            size_bytes: message.len(),
            limit: MESSAGE_BYTES_MAX,
        });
    }
    Ok(message)
}

type ActorsAndRanges<'a> = (Vec<&'a [u8]>, Vec<Range<usize>>);

fn read_other_actors<'a>(
    input: &mut Input<'a>,
    chunk_bytes: usize,
    own: &[u8],
    limits: &ScanLimits,
) -> Result<ActorsAndRanges<'a>, ScanError> {
    let count = input.at(Place::OtherActors).unsigned()?;
    if count > limits.other_actors as u64 {
        return Err(ScanError::TooManyOtherActors {
            count,
            limit: limits.other_actors,
        });
    }
    let mut actors: Vec<&[u8]> = Vec::new();
    let mut ranges = Vec::new();
    for _ in 0..count {
        let actor = read_actor(input)?;
        if actor == own {
            return Err(ScanError::OwnActorAmongOthers);
        }
        if actors.last().is_some_and(|before| *before >= actor) {
            return Err(ScanError::OtherActorsNotAscending);
        }
        actors.push(actor);
        ranges.push(range_before(input, chunk_bytes, actor.len()));
    }
    Ok((actors, ranges))
}

fn read_columns<'a>(input: &mut Input<'a>) -> Result<ColumnBytes<'a>, ScanError> {
    let count = input.at(Place::ColumnTable).unsigned()?;
    if count > Column::ALL.len() as u64 {
        return Err(ScanError::TooManyColumns { count });
    }
    let mut table: Vec<(Column, u64)> = Vec::new();
    for _ in 0..count {
        let specification = input.unsigned()?;
        let column = Column::from_specification(specification)
            .ok_or(ScanError::UnknownColumn { specification })?;
        if table
            .last()
            .is_some_and(|(before, _)| before.specification() >= specification)
        {
            return Err(ScanError::ColumnsNotAscending);
        }
        let length = input.unsigned()?;
        if length == 0 {
            return Err(ScanError::ColumnEmpty { column });
        }
        table.push((column, length));
    }
    let mut columns = ColumnBytes::default();
    for (column, length) in table {
        columns.set(column, input.at(Place::Column(column)).take(length)?);
    }
    Ok(columns)
}

/// Extra bytes are free, but for those that Automerge reads as the author of an actor.
fn check_extra(extra: &[u8], seq: u64, limits: &ScanLimits) -> Result<(), ScanError> {
    if !limits.allow_extra && !extra.is_empty() {
        return Err(ScanError::ExtraNotAllowed);
    }
    if extra.len() > EXTRA_BYTES_MAX {
        return Err(ScanError::ExtraTooLong {
            size_bytes: extra.len(),
            limit: EXTRA_BYTES_MAX,
        });
    }
    let mut input = Input::new(extra, Place::Extra);
    match input.unsigned() {
        Ok(EXTRA_AUTHOR) => {}
        // Automerge reads an overlong number here too, so it could still be an author.
        Err(ScanError::NumberOverlong { .. }) => return Err(ScanError::AuthorForm),
        _ => return Ok(()),
    }
    if input.counted_bytes().is_err() || !input.is_empty() {
        return Err(ScanError::AuthorForm);
    }
    if seq == 1 {
        Ok(())
    } else {
        Err(ScanError::AuthorAfterFirstChange)
    }
}
