//! One broken rule at a time, each with the error that a person would read: what the columns say
//! of operations, taken together.

use sync_protocol::scanner::{Column, Place, ScanError, scan_change};

use super::GENEROUS;
use super::parts::Parts;
use super::samples::{broken, four_inserts, mark, put_one, two_overwrites, with};

#[test]
fn every_column_has_as_many_entries_as_there_are_operations() {
    let too_long: [(Parts, u64, &[u8], Column); 9] = [
        (four_inserts(), 0x01, &[5, 0], Column::ObjectActor),
        (four_inserts(), 0x02, &[5, 1], Column::ObjectCounter),
        (four_inserts(), 0x11, &[0, 1, 4, 0], Column::KeyActor),
        (
            four_inserts(),
            0x13,
            &[0x7e, 0, 2, 3, 1],
            Column::KeyCounter,
        ),
        (put_one(), 0x15, &[2, 1, b'a'], Column::KeyString),
        (four_inserts(), 0x34, &[0, 5], Column::Insert),
        (four_inserts(), 0x56, &[5, 0x14], Column::ValueMetadata),
        (four_inserts(), 0x57, &[7, 8, 9, 10, 11], Column::ValueBytes),
        (four_inserts(), 0x70, &[5, 0], Column::PredecessorCount),
    ];
    for (parts, spec, bytes, column) in too_long {
        assert_eq!(
            with(parts, spec, bytes),
            ScanError::ColumnTooLong { column }
        );
    }
    let too_short: [(Parts, u64, &[u8], Column); 9] = [
        (four_inserts(), 0x01, &[3, 0], Column::ObjectActor),
        (four_inserts(), 0x02, &[3, 1], Column::ObjectCounter),
        (four_inserts(), 0x11, &[0, 1, 2, 0], Column::KeyActor),
        (four_inserts(), 0x13, &[0x7d, 0, 2, 1], Column::KeyCounter),
        (four_inserts(), 0x34, &[0, 3], Column::Insert),
        (four_inserts(), 0x56, &[3, 0x14], Column::ValueMetadata),
        (four_inserts(), 0x70, &[3, 0], Column::PredecessorCount),
        (mark(), 0x94, &[0, 1], Column::MarkExpand),
        (mark(), 0xa5, &[0x7f, 1, b'b'], Column::MarkName),
    ];
    for (parts, spec, bytes, column) in too_short {
        assert_eq!(
            with(parts, spec, bytes),
            ScanError::ColumnTooShort { column }
        );
    }
    let place = Place::Column(Column::ValueBytes);
    assert_eq!(
        with(four_inserts(), 0x57, &[7, 8, 9]),
        ScanError::Truncated { place }
    );
}

#[test]
fn objects_and_keys_are_tested() {
    assert_eq!(with(four_inserts(), 0x01, &[]), ScanError::ObjectIncomplete);
    assert_eq!(
        with(four_inserts(), 0x02, &[2, 1, 0, 2]),
        ScanError::ObjectIncomplete
    );
    assert_eq!(with(four_inserts(), 0x11, &[]), ScanError::KeyAmbiguous);
    assert_eq!(with(put_one(), 0x15, &[]), ScanError::KeyAmbiguous);
    assert_eq!(
        with(four_inserts(), 0x15, &[4, 1, b'k']),
        ScanError::KeyAmbiguous
    );
    assert_eq!(
        with(four_inserts(), 0x34, &[4]),
        ScanError::HeadWithoutInsert
    );
    assert_eq!(with(put_one(), 0x34, &[0, 1]), ScanError::InsertUnderMapKey);

    let unknown = ScanError::UnknownActor {
        column: Column::ObjectActor,
        actor: 1,
    };
    assert_eq!(with(four_inserts(), 0x01, &[4, 1]), unknown);
    let unknown = ScanError::UnknownActor {
        column: Column::KeyActor,
        actor: 9,
    };
    assert_eq!(with(four_inserts(), 0x11, &[0, 1, 3, 9]), unknown);

    let column = Column::ObjectCounter;
    assert_eq!(
        with(four_inserts(), 0x02, &[4, 0]),
        ScanError::CounterRange { column }
    );
    assert_eq!(
        with(four_inserts(), 0x02, &[4, 2]),
        ScanError::ReferenceNotEarlier { column }
    );
    let column = Column::KeyCounter;
    // Each row may name the one before, none its own operation.
    assert_eq!(
        with(four_inserts(), 0x13, &[0x7e, 0, 3, 2, 1]),
        ScanError::ReferenceNotEarlier { column }
    );
    assert_eq!(
        with(four_inserts(), 0x13, &[0x7e, 0, 1, 2, 2]),
        ScanError::ReferenceNotEarlier { column }
    );
    assert_eq!(
        with(four_inserts(), 0x13, &[0x7d, 0, 2, 0x7e, 0x7f]),
        ScanError::CounterRange { column }
    );
    assert_eq!(
        with(four_inserts(), 0x13, &[0x7e, 0, 2, 2, 0x40]),
        ScanError::CounterRange { column }
    );
    let others = broken(four_inserts(), |parts| {
        parts.other_actors = vec![vec![0xbb; 16]];
        parts.set(0x11, &[0, 1, 3, 1]);
    });
    assert_eq!(others, ScanError::ReferenceNotEarlier { column });
}

#[test]
fn actions_and_values_are_tested() {
    let action = |action: u8, metadata: u8, values: &[u8]| {
        broken(put_one(), |parts| {
            parts
                .set(0x42, &[0x7f, action])
                .set(0x56, &[0x7f, metadata])
                .set(0x57, values);
        })
    };
    assert_eq!(action(8, 0, &[]), ScanError::UnknownAction { action: 8 });
    for make in [0, 2, 4, 6] {
        assert_eq!(action(make, 0x14, &[1]), ScanError::MakeWithValue);
    }
    assert_eq!(action(3, 0, &[]), ScanError::PredecessorMissing);
    assert_eq!(action(5, 0x14, &[1]), ScanError::PredecessorMissing);
    assert_eq!(action(7, 0x14, &[1]), ScanError::MarkWithoutInsert);
    let overwrite = |action: u8, metadata: u8, values: &[u8]| {
        broken(two_overwrites(), |parts| {
            parts
                .set(0x42, &[2, action])
                .set(0x56, &[2, metadata])
                .set(0x57, values);
        })
    };
    assert_eq!(overwrite(3, 2, &[]), ScanError::DeleteWithValue);
    assert_eq!(overwrite(5, 0x13, &[1, 1]), ScanError::IncrementValue);

    let length = |value_type, size_bytes| ScanError::ValueLength {
        value_type,
        size_bytes,
    };
    assert_eq!(action(1, 0x10, &[1]), length(0, 1));
    assert_eq!(action(1, 0x11, &[1]), length(1, 1));
    assert_eq!(action(1, 0x12, &[1]), length(2, 1));
    assert_eq!(action(1, 0x03, &[]), length(3, 0));
    assert_eq!(action(1, 0x23, &[1, 1]), length(3, 2));
    assert_eq!(action(1, 0x24, &[1, 1]), length(4, 2));
    assert_eq!(action(1, 0x75, &[0; 7]), length(5, 7));
    assert_eq!(action(1, 0x28, &[1, 1]), length(8, 2));
    assert_eq!(action(1, 0x29, &[1, 1]), length(9, 2));
    assert_eq!(
        action(1, 0x1a, &[1]),
        ScanError::UnknownValueType { value_type: 10 }
    );
    let place = Place::Column(Column::ValueBytes);
    assert_eq!(action(1, 0x16, &[0xff]), ScanError::NotUtf8 { place });
    assert_eq!(action(1, 0x13, &[0x81]), ScanError::Truncated { place });
    let place = Place::Column(Column::KeyString);
    assert_eq!(
        with(put_one(), 0x15, &[0x7f, 1, 0xff]),
        ScanError::NotUtf8 { place }
    );
}

#[test]
fn predecessors_are_tested() {
    let base = two_overwrites;
    let list = |counts: &[u8], actors: &[u8], counters: &[u8]| {
        broken(base(), |parts| {
            parts
                .set(0x70, counts)
                .set(0x71, actors)
                .set(0x73, counters);
        })
    };
    let both = [0x7c, 0, 1, 0, 1];
    let column = Column::PredecessorActor;
    assert_eq!(
        with(base(), 0x71, &[0x7d, 0, 1, 0]),
        ScanError::ColumnTooShort { column }
    );
    assert_eq!(
        with(base(), 0x71, &[0x7b, 0, 1, 0, 1, 0]),
        ScanError::ColumnTooLong { column }
    );
    assert_eq!(
        with(base(), 0x71, &[0x7e, 0, 1, 0, 2]),
        ScanError::NullEntry { column }
    );
    assert_eq!(
        with(base(), 0x71, &[]),
        ScanError::ColumnTooShort { column }
    );
    let unknown = ScanError::UnknownActor { column, actor: 2 };
    assert_eq!(with(base(), 0x71, &[0x7c, 0, 1, 0, 2]), unknown);
    let column = Column::PredecessorCounter;
    assert_eq!(
        with(base(), 0x73, &[0x7d, 1, 0, 1]),
        ScanError::ColumnTooShort { column }
    );
    assert_eq!(
        with(base(), 0x73, &[0x7b, 1, 0, 1, 0, 1]),
        ScanError::ColumnTooLong { column }
    );
    assert_eq!(
        with(base(), 0x73, &[0x7e, 1, 0, 0, 2]),
        ScanError::NullEntry { column }
    );
    assert_eq!(
        with(base(), 0x73, &[0x7c, 0, 1, 0, 1]),
        ScanError::CounterRange { column }
    );
    // The first row may name its actor's counter 8, the second 9; of others both only 8.
    assert_eq!(
        with(base(), 0x73, &[0x7c, 1, 8, 0x7b, 1]),
        ScanError::ReferenceNotEarlier { column }
    );
    assert_eq!(
        list(&[2, 2], &both, &[0x7c, 9, 1, 0x79, 1]),
        ScanError::ReferenceNotEarlier { column }
    );
    // Equal, descending, and by actor only.
    let order = ScanError::PredecessorsNotAscending;
    assert_eq!(list(&[2, 2], &both, &[0x7c, 2, 0x7f, 1, 0]), order);
    assert_eq!(
        list(&[2, 2], &[0x7e, 1, 0, 2, 1], &[0x7c, 1, 0, 1, 0]),
        order
    );
    assert_eq!(list(&[2, 2], &[2, 0, 2, 1], &[0x7c, 1, 0, 1, 0]), order);
    assert_eq!(
        list(&[2, 3], &[3, 0, 3, 1], &[0x7a, 3, 0x7f, 1, 0, 1, 0]),
        order
    );
    assert_eq!(
        list(&[0x7e, 0, 2], &[2, 1], &[0x7f, 2, 0x7f, 0x7f]),
        ScanError::RunsMergeable { column }
    );
    assert_eq!(list(&[0x7e, 0, 2], &[2, 1], &[0x7e, 2, 0x7f]), order);

    // (1) then (1, 1): the run of equal counters begins with its list.
    assert_eq!(list(&[0x7e, 1, 2], &[3, 1], &[0x7f, 1, 2, 0]), order);

    let insert = broken(four_inserts(), |parts| {
        parts
            .set(0x70, &[4, 1])
            .set(0x71, &[4, 0])
            .set(0x73, &[0x7f, 1, 3, 0]);
    });
    assert_eq!(insert, ScanError::InsertWithPredecessor);
}

#[test]
fn lists_of_predecessors_may_ascend_and_begin_anew() {
    let accepts = |counts: &[u8], actors: &[u8], counters: &[u8]| {
        let mut parts = two_overwrites();
        parts
            .set(0x70, counts)
            .set(0x71, actors)
            .set(0x73, counters);
        let chunk = parts.chunk();
        let scanned = scan_change(&chunk, &GENEROUS).unwrap();
        super::assert_automerge_agrees(&chunk, &scanned);
    };
    accepts(&[2, 2], &[4, 1], &[4, 1]);
    // (5, 6) then (1, 2): a run of differences may only fall between two lists.
    accepts(&[2, 2], &[4, 1], &[0x7c, 5, 1, 0x7c, 1]);
    accepts(&[2, 2], &[2, 1, 2, 0], &[0x7c, 5, 1, 0x7b, 2]);
    accepts(&[0x7e, 1, 3], &[4, 1], &[4, 2]);
    // The second row may name the first.
    accepts(&[2, 1], &[0x7e, 1, 0], &[0x7e, 8, 1]);
}

#[test]
fn marks_are_pairs() {
    let cut_off = broken(mark(), |parts| {
        parts.set(0x94, &[]).set(0x42, &[0x7e, 7, 1]);
    });
    assert_eq!(cut_off, ScanError::MarkUnpaired);
    assert_eq!(
        with(mark(), 0x42, &[0x7e, 7, 1]),
        ScanError::MarkFieldElsewhere
    );
    assert_eq!(
        with(mark(), 0x42, &[0x7e, 1, 7]),
        ScanError::MarkFieldElsewhere
    );
    assert_eq!(
        with(mark(), 0xa5, &[0, 1, 0x7f, 1, b'b']),
        ScanError::MarkUnpaired
    );
    assert_eq!(with(mark(), 0xa5, &[2, 1, b'b']), ScanError::MarkUnpaired);
    assert_eq!(with(mark(), 0xa5, &[]), ScanError::MarkUnpaired);
    assert_eq!(with(mark(), 0x34, &[1, 1]), ScanError::MarkWithoutInsert);
    let end = broken(mark(), |parts| {
        parts.set(0x56, &[0x7e, 0, 2]);
    });
    assert_eq!(end, ScanError::MarkEndWithValue);
    assert_eq!(
        with(put_one(), 0xa5, &[0x7f, 1, b'b']),
        ScanError::MarkFieldElsewhere
    );
    assert_eq!(
        with(put_one(), 0x94, &[0, 1]),
        ScanError::MarkFieldElsewhere
    );
    let nested = broken(mark(), |parts| {
        parts
            .set(0x01, &[3, 0])
            .set(0x02, &[3, 1])
            .set(0x11, &[3, 0])
            .set(0x13, &[3, 2]);
        parts
            .set(0x34, &[0, 3])
            .set(0x42, &[3, 7])
            .set(0x56, &[2, 2, 0x7f, 0]);
        parts
            .set(0x70, &[3, 0])
            .set(0x94, &[])
            .set(0xa5, &[2, 1, b'b', 0, 1]);
    });
    assert_eq!(nested, ScanError::MarkUnpaired);
    let lone = broken(mark(), |parts| {
        parts
            .set(0x01, &[0x7f, 0])
            .set(0x02, &[0x7f, 1])
            .set(0x11, &[0x7f, 0])
            .set(0x13, &[0x7f, 2]);
        parts
            .set(0x34, &[0, 1])
            .set(0x42, &[0x7f, 7])
            .set(0x56, &[0x7f, 2])
            .set(0x70, &[0x7f, 0]);
        parts.set(0x94, &[]).set(0xa5, &[0x7f, 1, b'b']);
    });
    assert_eq!(lone, ScanError::MarkUnpaired);
}
