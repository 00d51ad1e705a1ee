//! One broken rule at a time, each with the error that a person would read: the frame, the header,
//! the limits, and the form of columns.

use sync_protocol::scanner::{Column, Place, ScanError, ScanLimits, scan_change};

use super::GENEROUS;
use super::parts::{Parts, put_signed, put_unsigned, seal};
use super::samples::{broken, four_inserts, mark, put_one, scan, two_overwrites, with};
use super::{PUT_ONE, unhex};

#[test]
fn the_hand_made_changes_are_what_automerge_writes() {
    for (parts, operations, predecessors) in [
        (put_one(), 1, 0),
        (four_inserts(), 4, 0),
        (two_overwrites(), 2, 4),
        (mark(), 2, 0),
    ] {
        let chunk = parts.chunk();
        let scanned = scan_change(&chunk, &GENEROUS).unwrap();
        assert_eq!(
            (scanned.operations, scanned.predecessors),
            (operations, predecessors)
        );
        super::assert_automerge_agrees(&chunk, &scanned);
    }
}

#[test]
fn the_frame_is_tested() {
    let good = unhex(PUT_ONE);
    let at = |index: usize, byte: u8| {
        let mut chunk = good.clone();
        chunk[index] = byte;
        scan(&chunk)
    };
    assert_eq!(at(0, 0x84), Err(ScanError::NotAChunk));
    assert_eq!(at(4, 0x55), Err(ScanError::Checksum));
    assert_eq!(at(8, 2), Err(ScanError::ChunkType { chunk_type: 2 }));
    assert_eq!(at(9, 0x2e), Err(ScanError::BodyLength));
    assert_eq!(scan(&good[..good.len() - 1]), Err(ScanError::BodyLength));
    assert_eq!(
        scan(&good[..6]),
        Err(ScanError::Truncated {
            place: Place::Frame
        })
    );
    assert_eq!(
        scan(&[]),
        Err(ScanError::Truncated {
            place: Place::Frame
        })
    );
    assert_eq!(scan(&[good, vec![0]].concat()), Err(ScanError::BodyLength));
}

#[test]
fn the_header_is_tested() {
    let one = put_one;
    let limit = 64;
    assert_eq!(
        broken(one(), |p| p.deps = vec![[2; 32], [1; 32]]),
        ScanError::DepsNotAscending
    );
    assert_eq!(
        broken(one(), |p| p.deps = vec![[1; 32], [1; 32]]),
        ScanError::DepsNotAscending
    );
    assert_eq!(
        broken(one(), |p| p.actor.clear()),
        ScanError::ActorLength {
            size_bytes: 0,
            limit
        }
    );
    assert_eq!(
        broken(one(), |p| p.actor = vec![1; 65]),
        ScanError::ActorLength {
            size_bytes: 65,
            limit
        }
    );
    assert_eq!(broken(one(), |p| p.seq = 0), ScanError::SeqRange { seq: 0 });
    assert_eq!(
        broken(one(), |p| p.seq = 1 << 32),
        ScanError::SeqRange { seq: 1 << 32 }
    );
    assert_eq!(
        broken(one(), |p| p.start_op = 0),
        ScanError::StartOpRange { start_op: 0 }
    );
    assert_eq!(
        broken(one(), |p| p.start_op = 1 << 32),
        ScanError::StartOpRange { start_op: 1 << 32 }
    );
    assert_eq!(
        broken(four_inserts(), |p| p.start_op = (1 << 32) - 3),
        ScanError::OperationCounterRange
    );
    assert_eq!(
        broken(one(), |p| p.time = (1 << 53) + 1),
        ScanError::TimeRange
    );
    assert_eq!(broken(one(), |p| p.time = i64::MIN), ScanError::TimeRange);
    assert_eq!(
        broken(one(), |p| p.message = vec![0xff]),
        ScanError::NotUtf8 {
            place: Place::Message
        }
    );
    let too_long = ScanError::MessageTooLong {
        size_bytes: 1025,
        limit: 1024,
    };
    assert_eq!(broken(one(), |p| p.message = vec![b'x'; 1025]), too_long);

    let others = |actors: &[u8]| {
        broken(one(), |p| {
            p.other_actors = actors.iter().map(|a| vec![*a; 16]).collect()
        })
    };
    assert_eq!(others(&[3, 2]), ScanError::OtherActorsNotAscending);
    assert_eq!(others(&[3, 3]), ScanError::OtherActorsNotAscending);
    assert_eq!(others(&[3, 0xaa]), ScanError::OwnActorAmongOthers);
    assert_eq!(others(&[3]), ScanError::OtherActorUnused { number: 1 });

    assert_eq!(
        broken(one(), |p| p.extra = vec![1, 2, 9]),
        ScanError::AuthorForm
    );
    assert_eq!(
        broken(one(), |p| p.extra = vec![0x81, 0, 1, 9]),
        ScanError::AuthorForm
    );
    assert_eq!(
        broken(four_inserts(), |p| p.extra = vec![1, 1, 9]),
        ScanError::AuthorAfterFirstChange
    );
    let too_long = ScanError::ExtraTooLong {
        size_bytes: 1025,
        limit: 1024,
    };
    assert_eq!(broken(one(), |p| p.extra = vec![5; 1025]), too_long);
}

#[test]
fn the_protocols_limits_are_kept() {
    let protocol = |change: fn(&mut Parts)| {
        let mut parts = put_one();
        change(&mut parts);
        let chunk = parts.chunk();
        assert!(
            scan_change(&chunk, &GENEROUS).is_ok()
                || parts.deps.len() + parts.other_actors.len() > 0
        );
        scan_change(&chunk, &ScanLimits::PROTOCOL_1).map(|_| ())
    };
    assert_eq!(protocol(|_| ()), Ok(()));
    assert_eq!(protocol(|p| p.time = 1), Err(ScanError::TimeNotZero));
    assert_eq!(
        protocol(|p| p.message = b"x".to_vec()),
        Err(ScanError::MessageNotAllowed)
    );
    assert_eq!(
        protocol(|p| p.extra = b"x".to_vec()),
        Err(ScanError::ExtraNotAllowed)
    );
    assert_eq!(
        protocol(|p| p.deps = (0..17).map(|number| [number; 32]).collect()),
        Err(ScanError::TooManyDeps {
            count: 17,
            limit: 16
        })
    );
    assert_eq!(
        protocol(|p| p.other_actors = (0..65).map(|number| vec![number; 16]).collect()),
        Err(ScanError::TooManyOtherActors {
            count: 65,
            limit: 64
        })
    );
    assert_eq!(
        scan_change(&vec![0; 512 * 1024 + 1], &ScanLimits::PROTOCOL_1).map(|_| ()),
        Err(ScanError::ChunkTooLong {
            size_bytes: 512 * 1024 + 1,
            limit: 512 * 1024
        })
    );
}

/// A change that sets one key `rows` times over, each time to null.
fn repeated_puts(rows: u64, key: &[u8]) -> Vec<u8> {
    let run = |value: &[u8]| {
        let mut bytes = Vec::new();
        put_signed(&mut bytes, rows as i64);
        bytes.extend(value);
        bytes
    };
    let mut counted_key = Vec::new();
    put_unsigned(&mut counted_key, key.len() as u64);
    counted_key.extend(key);
    let mut insert = Vec::new();
    put_unsigned(&mut insert, rows);
    let mut parts = put_one();
    parts
        .set(0x15, &run(&counted_key))
        .set(0x34, &insert)
        .set(0x42, &run(&[1]));
    parts
        .set(0x56, &run(&[0]))
        .set(0x57, &[])
        .set(0x70, &run(&[0]));
    parts.chunk()
}

#[test]
fn counts_are_limited_with_runs_written_out() {
    let scan =
        |chunk: &[u8]| scan_change(chunk, &ScanLimits::PROTOCOL_1).map(|change| change.operations);
    assert_eq!(scan(&repeated_puts(4_096, b"k")), Ok(4_096));
    assert_eq!(
        scan(&repeated_puts(4_097, b"k")),
        Err(ScanError::TooManyOperations { limit: 4_096 })
    );
    assert_eq!(scan(&repeated_puts(4_096, &[b'k'; 256])), Ok(4_096));
    let too_long = ScanError::TooManyRepeatedBytes { limit: 1024 * 1024 };
    assert_eq!(scan(&repeated_puts(4_096, &[b'k'; 257])), Err(too_long));

    let predecessors = |count: u64| {
        let mut parts = Parts {
            start_op: 1 << 20,
            ..put_one()
        };
        let (mut counts, mut actors, mut counters) = (vec![0x7f], Vec::new(), Vec::new());
        put_unsigned(&mut counts, count);
        put_signed(&mut actors, count as i64);
        counters.extend(&actors);
        actors.push(0);
        counters.push(1);
        parts
            .set(0x70, &counts)
            .set(0x71, &actors)
            .set(0x73, &counters);
        scan(&parts.chunk())
    };
    assert_eq!(predecessors(8_192), Ok(1));
    assert_eq!(
        predecessors(8_193),
        Err(ScanError::TooManyPredecessors { limit: 8_192 })
    );
}

#[test]
fn the_table_of_columns_is_tested() {
    let table = |change: fn(&mut Vec<(u64, Vec<u8>)>)| {
        broken(put_one(), |parts| change(&mut parts.columns))
    };
    assert_eq!(table(|c| c.swap(0, 1)), ScanError::ColumnsNotAscending);
    assert_eq!(
        table(|c| c.insert(1, c[0].clone())),
        ScanError::ColumnsNotAscending
    );
    assert_eq!(
        table(|c| c.push((0x75, vec![1]))),
        ScanError::UnknownColumn {
            specification: 0x75
        }
    );
    assert_eq!(
        table(|c| c.insert(0, (0x102, vec![1]))),
        ScanError::UnknownColumn {
            specification: 0x102
        }
    );
    assert_eq!(
        table(|c| c[2].0 = 0x4a),
        ScanError::UnknownColumn {
            specification: 0x4a
        }
    );
    assert_eq!(
        table(|c| c[4].1.clear()),
        ScanError::ColumnEmpty {
            column: Column::ValueBytes
        }
    );
    assert_eq!(
        table(|c| c.resize(15, (1, vec![1]))),
        ScanError::TooManyColumns { count: 15 }
    );
    for (spec, column) in [
        (0x34, Column::Insert),
        (0x42, Column::Action),
        (0x56, Column::ValueMetadata),
        (0x70, Column::PredecessorCount),
    ] {
        assert_eq!(
            with(put_one(), spec, &[]),
            ScanError::ColumnMissing { column }
        );
    }
    let empty = |column| ScanError::ColumnSaysNothing { column };
    assert_eq!(with(put_one(), 0x02, &[0, 1]), empty(Column::ObjectCounter));
    assert_eq!(with(put_one(), 0x11, &[0, 1]), empty(Column::KeyActor));
    assert_eq!(with(put_one(), 0x94, &[1]), empty(Column::MarkExpand));
    assert_eq!(with(put_one(), 0xa5, &[0, 1]), empty(Column::MarkName));
}

#[test]
fn numbers_have_one_form() {
    let body = |from: &[u8], to: &[u8]| {
        let body = put_one().body();
        let at = body
            .windows(from.len())
            .position(|window| window == from)
            .unwrap();
        scan(&seal(&[&body[..at], to, &body[at + from.len()..]].concat()))
    };
    // Sequence number, first counter, time, message length, other actors.
    let fields = [1, 1, 0, 0, 0];
    let place = [
        Place::Seq,
        Place::StartOp,
        Place::Time,
        Place::Message,
        Place::OtherActors,
    ];
    for (index, place) in place.into_iter().enumerate() {
        let mut overlong = fields.to_vec();
        overlong.splice(index..=index, [fields[index] | 0x80, 0]);
        assert_eq!(
            body(&fields, &overlong),
            Err(ScanError::NumberOverlong { place })
        );
        let mut too_large = fields.to_vec();
        too_large.splice(index..=index, [0xff; 10]);
        assert_eq!(
            body(&fields, &too_large),
            Err(ScanError::NumberTooLarge { place })
        );
    }
    let place = Place::Column(Column::Action);
    assert_eq!(
        with(put_one(), 0x42, &[0x7f, 0x81, 0]),
        ScanError::NumberOverlong { place }
    );
    assert_eq!(
        with(put_one(), 0x42, &[0xff, 0x7f, 1]),
        ScanError::NumberOverlong { place }
    );
    assert_eq!(
        with(put_one(), 0x42, &[0x7f]),
        ScanError::Truncated { place }
    );
    let place = Place::Column(Column::ValueBytes);
    let overlong = broken(put_one(), |p| {
        p.set(0x56, &[0x7f, 0x24]).set(0x57, &[0x81, 0]);
    });
    assert_eq!(overlong, ScanError::NumberOverlong { place });
}

#[test]
fn columns_have_one_form() {
    let column = Column::Action;
    assert_eq!(
        with(put_one(), 0x42, &[1, 1]),
        ScanError::RunOfOne { column }
    );
    assert_eq!(
        with(put_one(), 0x42, &[0, 0, 0x7f, 1]),
        ScanError::RunOfNone { column }
    );
    assert_eq!(
        with(put_one(), 0x42, &[0, 1]),
        ScanError::NullEntry { column }
    );
    assert_eq!(
        with(four_inserts(), 0x42, &[2, 1, 2, 1]),
        ScanError::RunsMergeable { column }
    );
    assert_eq!(
        with(four_inserts(), 0x42, &[0x7f, 1, 3, 1]),
        ScanError::RunsMergeable { column }
    );
    assert_eq!(
        with(four_inserts(), 0x42, &[3, 1, 0x7f, 1]),
        ScanError::RunsMergeable { column }
    );
    assert_eq!(
        with(four_inserts(), 0x42, &[0x7e, 1, 1, 2, 1]),
        ScanError::RunsMergeable { column }
    );
    assert_eq!(
        with(four_inserts(), 0x42, &[0x7f, 1, 0x7f, 2, 2, 1]),
        ScanError::RunsMergeable { column }
    );
    let column = Column::KeyActor;
    assert_eq!(
        with(four_inserts(), 0x11, &[0, 1, 0, 1, 2, 0]),
        ScanError::RunsMergeable { column }
    );
    assert_eq!(
        with(two_overwrites(), 0x11, &[0, 1, 0, 1]),
        ScanError::RunsMergeable { column }
    );
    let column = Column::Insert;
    assert_eq!(
        with(four_inserts(), 0x34, &[0, 2, 0, 2]),
        ScanError::RunOfNone { column }
    );
    assert_eq!(
        with(four_inserts(), 0x34, &[0, 0, 4]),
        ScanError::RunOfNone { column }
    );
    assert_eq!(
        with(four_inserts(), 0x34, &[0]),
        ScanError::RunOfNone { column }
    );
}
