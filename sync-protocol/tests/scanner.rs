//! The scanner of change chunks, against Automerge 0.12 itself: the golden vectors of the format,
//! thousands of real changes, broken rules, mutants, and bombs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]
#![allow(
    clippy::disallowed_types,
    reason = "the test, not the crate, reads a clock to time refusals"
)]

#[path = "scanner/generator.rs"]
mod generator;
#[path = "scanner/mutants.rs"]
mod mutants;
#[path = "scanner/parts.rs"]
mod parts;
#[path = "scanner/random.rs"]
mod random;
#[path = "scanner/rules_of_operations.rs"]
mod rules_of_operations;
#[path = "scanner/rules_of_the_chunk.rs"]
mod rules_of_the_chunk;
#[path = "scanner/samples.rs"]
mod samples;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use automerge::Change;
use sync_protocol::scanner::{Place, ScanError, ScanLimits, ScannedChange, scan_change};

use parts::{Parts, put_signed, put_unsigned, seal};

/// What a document may hold that no protocol limits.
pub const GENEROUS: ScanLimits = ScanLimits {
    chunk_bytes: 1024 * 1024,
    deps: 256,
    other_actors: 1_023,
    operations: 100_000,
    predecessors: 200_000,
    repeated_string_bytes: 4 * 1024 * 1024,
    allow_message: true,
    allow_extra: true,
    require_time_zero: false,
};

/// Puts `a` = 1 on the root: the bytes that a transaction of Automerge writes.
pub const PUT_ONE: &str = "856f4a8354158e5d012f0010aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa0101000000061503340142025602570170027f0161017f017f14017f00";
const MILLION_OPERATIONS: &str = "856f4a83cc4ea27d01360010aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa01010000000515053403420456047004c0843d0161c0843dc0843d01c0843d00c0843d00";
const TWO_MILLION_PREDECESSORS: &str = "856f4a8362395c6401410010aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa010900000008150334014202560257017004710573077f0161017f017f14017f80897a8089fa00007f01ff88fa0000";
const OVERLONG_SEQ: &str = "856f4a83db88e23d01300010aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa810001000000061503340142025602570170027f0161017f017f14017f00";
const OVERLONG_ACTION: &str = "856f4a839b779a7d01300010aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa0101000000061503340142035602570170027f0161017f81007f14017f00";

/// The bytes that hexadecimal digits say.
pub fn unhex(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// Fails unless Automerge reads from the chunk what the scanner read.
pub fn assert_automerge_agrees(chunk: &[u8], scanned: &ScannedChange<'_>) {
    let change = Change::from_bytes(chunk.to_vec()).unwrap();
    assert_eq!(scanned.hash, change.hash().0);
    assert_eq!(scanned.operations, change.len() as u64);
    assert_eq!(
        scanned.deps,
        change.deps().iter().map(|dep| dep.0).collect::<Vec<_>>()
    );
    assert_eq!(scanned.actor, change.actor_id().to_bytes());
    assert_eq!(scanned.seq, change.seq());
    assert_eq!(scanned.start_op, change.start_op().get());
    assert_eq!(scanned.time, change.timestamp());
    assert_eq!(scanned.message, change.message().unwrap_or_default());
    let others: Vec<&[u8]> = change
        .other_actor_ids()
        .iter()
        .map(|actor| actor.to_bytes())
        .collect();
    assert_eq!(scanned.other_actors, others);
    assert_eq!(scanned.extra, change.extra_bytes());
    let predecessors: usize = change
        .decode()
        .operations
        .iter()
        .map(|operation| operation.pred.len())
        .sum();
    assert_eq!(scanned.predecessors, predecessors as u64);
}

/// Fails unless the ranges say where the scanned parts stand.
fn assert_ranges_fit(chunk: &[u8], scanned: &ScannedChange<'_>) {
    let ranges = &scanned.ranges;
    assert_eq!(chunk[ranges.deps.clone()], *scanned.deps.as_flattened());
    assert_eq!(&chunk[ranges.actor.clone()], scanned.actor);
    let others: Vec<&[u8]> = ranges
        .other_actors
        .iter()
        .map(|range| &chunk[range.clone()])
        .collect();
    assert_eq!(others, scanned.other_actors);
    assert_eq!(&chunk[ranges.extra.clone()], scanned.extra);
}

#[test]
fn golden_vectors() {
    let valid = unhex(PUT_ONE);
    let scanned = scan_change(&valid, &ScanLimits::PROTOCOL_1).unwrap();
    assert_eq!(
        (
            scanned.seq,
            scanned.start_op,
            scanned.operations,
            scanned.predecessors
        ),
        (1, 1, 1, 0)
    );
    assert_eq!(scanned.actor, [0xaa; 16]);
    assert_eq!(scanned.hash[..4], valid[4..8]);
    assert_automerge_agrees(&valid, &scanned);
    assert_ranges_fit(&valid, &scanned);

    let refused = |chunk: &[u8]| scan_change(chunk, &ScanLimits::PROTOCOL_1).unwrap_err();
    assert_eq!(
        refused(&unhex(MILLION_OPERATIONS)),
        ScanError::TooManyOperations { limit: 4_096 }
    );
    assert_eq!(
        refused(&unhex(TWO_MILLION_PREDECESSORS)),
        ScanError::TooManyPredecessors { limit: 8_192 }
    );
    assert_eq!(refused(&valid[..valid.len() - 1]), ScanError::BodyLength);
    let mut wrong_checksum = valid.clone();
    wrong_checksum[4] = 0x55;
    assert_eq!(refused(&wrong_checksum), ScanError::Checksum);
    assert_eq!(
        refused(&unhex(OVERLONG_SEQ)),
        ScanError::NumberOverlong { place: Place::Seq }
    );
    let place = Place::Column(sync_protocol::scanner::Column::Action);
    assert_eq!(
        refused(&unhex(OVERLONG_ACTION)),
        ScanError::NumberOverlong { place }
    );
    assert_eq!(
        ScanError::NumberOverlong { place }.to_string(),
        "the action column has a number that is not in its shortest form"
    );
}

#[test]
fn every_change_that_automerge_makes_scans() {
    let mut changes = 0;
    let mut actions: BTreeMap<String, usize> = BTreeMap::new();
    let (mut greatest_deps, mut greatest_others, mut with_author) = (0, 0, 0);
    for seed in 0..400 {
        for change in generator::history(seed) {
            let chunk = change.raw_bytes();
            let scanned = scan_change(chunk, &GENEROUS);
            let scanned =
                scanned.unwrap_or_else(|error| panic!("seed {seed}: {error}: {chunk:02x?}"));
            assert_eq!(scanned.hash, change.hash().0);
            assert_automerge_agrees(chunk, &scanned);
            assert_ranges_fit(chunk, &scanned);
            assert_eq!(Parts::of(chunk).chunk(), chunk);
            for operation in change.decode().operations {
                let name = format!("{:?}", operation.action);
                *actions
                    .entry(name.split(['(', ' ']).next().unwrap().to_owned())
                    .or_default() += 1;
            }
            changes += 1;
            greatest_deps = greatest_deps.max(scanned.deps.len());
            greatest_others = greatest_others.max(scanned.other_actors.len());
            with_author += usize::from(!scanned.extra.is_empty());
        }
    }
    assert!(changes > 6_000, "{changes} changes");
    assert!(greatest_deps > 5 && greatest_others > 5 && with_author > 10);
    assert!(
        actions.len() >= 6 && actions.values().all(|count| *count > 50),
        "{actions:?}"
    );
}

/// A sealed body that begins like a change and then says `tail`.
fn body(tail: &[u8]) -> Vec<u8> {
    let head = [&[0, 1, 0xaa, 1, 1, 0, 0], tail].concat();
    seal(&head)
}

/// Columns of a change of that many rows, all but `key` and `values` one run.
fn run_of(rows: i64, metadata: u64, predecessors: u64) -> Parts {
    let run = |value: u64| {
        let mut bytes = Vec::new();
        put_signed(&mut bytes, rows);
        put_unsigned(&mut bytes, value);
        bytes
    };
    let mut insert = Vec::new();
    put_unsigned(&mut insert, rows as u64);
    let mut parts = Parts::of(&unhex(PUT_ONE));
    let mut key = run(1);
    key.push(b'k');
    parts
        .set(0x15, &key)
        .set(0x34, &insert)
        .set(0x42, &run(1))
        .set(0x56, &run(metadata));
    parts.set(0x70, &run(predecessors));
    parts
}

fn bombs() -> Vec<(&'static str, Vec<u8>)> {
    let huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
    let mut predecessors = run_of(4_000, 0, 1 << 60);
    predecessors
        .set(0x57, &[])
        .set(0x71, &run_of(i64::MAX, 0, 0).columns[2].1);
    predecessors.set(0x73, &run_of(i64::MAX, 1, 0).columns[3].1);
    let literal = run_of(4_000, 0, 0)
        .set(
            0x42,
            &[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f],
        )
        .chunk();
    vec![
        ("a million operations", unhex(MILLION_OPERATIONS)),
        ("two million predecessors", unhex(TWO_MILLION_PREDECESSORS)),
        ("operations without end", run_of(i64::MAX, 0, 0).chunk()),
        ("values without end", run_of(4_000, u64::MAX - 8, 0).chunk()),
        ("predecessors without end", predecessors.chunk()),
        ("literals without end", literal),
        (
            "a long key, often",
            run_of(4_000, 0, 0)
                .set(0x57, &[])
                .set(0x15, &long_key())
                .chunk(),
        ),
        (
            "dependencies without end",
            seal(&[&huge[..], &[0; 64]].concat()),
        ),
        ("other actors without end", body(&huge)),
        ("columns without end", body(&[&[0], &huge[..]].concat())),
        (
            "a column without end",
            body(&[&[0, 1, 0x42], &huge[..], &[1]].concat()),
        ),
    ]
}

/// A run of 4,000 keys of 4 KiB each.
fn long_key() -> Vec<u8> {
    let mut bytes = Vec::new();
    put_signed(&mut bytes, 4_000);
    put_unsigned(&mut bytes, 4_096);
    bytes.extend([b'k'; 4_096]);
    bytes
}

/// The quickest of some attempts: the machine's other work is not the scanner's.
fn quickest(mut attempt: impl FnMut()) -> Duration {
    let attempts = (0..20).map(|_| {
        let start = Instant::now();
        attempt();
        start.elapsed()
    });
    attempts.min().unwrap()
}

#[test]
fn bombs_are_refused_in_under_a_millisecond() {
    for (name, chunk) in bombs() {
        assert!(
            scan_change(&chunk, &ScanLimits::PROTOCOL_1).is_err(),
            "{name}"
        );
        let took = quickest(|| assert!(scan_change(&chunk, &ScanLimits::PROTOCOL_1).is_err()));
        assert!(took < Duration::from_millis(1), "{name} took {took:?}");
    }
}

#[test]
fn the_work_does_not_grow_with_the_counts() {
    let unlimited = ScanLimits {
        operations: u64::MAX,
        predecessors: u64::MAX,
        repeated_string_bytes: u64::MAX,
        ..GENEROUS
    };
    let million = unhex(MILLION_OPERATIONS);
    let predecessors = unhex(TWO_MILLION_PREDECESSORS);
    assert_eq!(
        scan_change(&million, &unlimited).unwrap().operations,
        1_000_000
    );
    for (_, chunk) in bombs() {
        let took = quickest(|| drop(scan_change(&chunk, &unlimited)));
        assert!(took < Duration::from_millis(1), "{took:?}");
    }
    // It names one operation two million times, which shows in the run's difference of 0.
    assert_eq!(
        scan_change(&predecessors, &unlimited),
        Err(ScanError::PredecessorsNotAscending)
    );
}
