//! Changes made wrong at random, most of them rightly sealed: none may panic the scanner, and
//! Automerge must read the ones it lets through as what the scanner says.

use std::panic::{AssertUnwindSafe, catch_unwind};

use automerge::Change;
use proptest::prelude::*;
use sync_protocol::scanner::{ScanLimits, scan_change};

use super::generator::history;
use super::parts::{Parts, put_signed, put_unsigned, seal};
use super::random::Random;
use super::{GENEROUS, PUT_ONE, assert_automerge_agrees, unhex};

const MUTANTS: usize = 120_000;
const TELLING: [u8; 14] = [
    0, 1, 2, 3, 4, 5, 7, 0x14, 0x7d, 0x7e, 0x7f, 0x80, 0x81, 0xff,
];

fn corpus() -> Vec<Vec<u8>> {
    let mut corpus = vec![unhex(PUT_ONE)];
    for seed in 0..40 {
        let made = history(seed ^ 0x6d75_7461);
        corpus.extend(
            made.iter()
                .map(|change| change.raw_bytes().to_vec())
                .filter(|chunk| chunk.len() < 500),
        );
    }
    corpus
}

fn mutate_bytes(bytes: &mut Vec<u8>, random: &mut Random) {
    let at = random.below(bytes.len());
    let byte = if random.one_in(2) {
        random.pick(&TELLING)
    } else {
        random.next() as u8
    };
    match random.below(6) {
        _ if bytes.is_empty() => bytes.push(byte),
        0 => bytes[at] ^= 1 << random.below(8),
        1 => bytes[at] = byte,
        2 => bytes.insert(at, byte),
        3 => drop(bytes.remove(at)),
        4 => bytes[at] = bytes[at].wrapping_add(1),
        _ => {
            let to = random.below(bytes.len());
            bytes.swap(at, to);
        }
    }
}

/// Changes a column and keeps the table right, which a changed byte seldom does.
fn mutate_column(parts: &mut Parts, random: &mut Random) {
    if parts.columns.is_empty() {
        return;
    }
    let at = random.below(parts.columns.len());
    match random.below(12) {
        0 => drop(parts.columns.remove(at)),
        1 => parts.columns.insert(at, parts.columns[at].clone()),
        2 => {
            let spec = random.pick(&[0x01, 0x02, 0x11, 0x13, 0x15, 0x71, 0x73, 0x94, 0xa5, 0x102]);
            let bytes = [
                random.pick(&TELLING),
                random.pick(&TELLING),
                random.pick(&TELLING),
            ];
            parts.set(spec, &bytes[..1 + random.below(3)]);
        }
        3 => {
            let mut run = Vec::new();
            put_signed(&mut run, random.next() as i64 >> random.below(64));
            put_unsigned(&mut run, random.next() >> random.below(64));
            parts.columns[at].1.extend(run);
        }
        4 => parts.seq = random.next() >> random.below(64),
        5 => parts.start_op = random.next() >> random.below(64),
        6 => {
            let length = random.below(20);
            parts.other_actors.push(random.bytes(length));
        }
        _ => mutate_bytes(&mut parts.columns[at].1, random),
    }
}

fn mutant(of: &[u8], random: &mut Random) -> Vec<u8> {
    let rounds = 1 + random.below(3);
    match random.below(4) {
        0 => {
            let mut chunk = of.to_vec();
            (0..rounds).for_each(|_| mutate_bytes(&mut chunk, random));
            chunk
        }
        1 => {
            let mut body = Parts::of(of).body();
            (0..rounds).for_each(|_| mutate_bytes(&mut body, random));
            seal(&body)
        }
        _ => {
            let mut parts = Parts::of(of);
            (0..rounds).for_each(|_| mutate_column(&mut parts, random));
            parts.chunk()
        }
    }
}

#[test]
fn what_passes_the_scan_is_what_automerge_reads() {
    let corpus = corpus();
    let mut random = Random::new(20_250_101);
    let mut passed = 0;
    for number in 0..MUTANTS {
        let origin = random.pick(&corpus);
        let chunk = mutant(&origin, &mut random);
        let scanned = catch_unwind(|| scan_change(&chunk, &GENEROUS));
        let scanned =
            scanned.unwrap_or_else(|_| panic!("the scan of mutant {number} panics: {chunk:02x?}"));
        let Ok(scanned) = scanned else { continue };
        if chunk == origin {
            continue;
        }
        passed += 1;
        let read = catch_unwind(AssertUnwindSafe(|| {
            assert_automerge_agrees(&chunk, &scanned);
            // Automerge keeps operations, not bytes: another form would come back as another change.
            let change = Change::from_bytes(chunk.clone()).unwrap();
            assert_eq!(Change::from(change.decode()).raw_bytes(), chunk);
        }));
        assert!(
            read.is_ok(),
            "mutant {number} passes the scan, but: {chunk:02x?}"
        );
    }
    assert!(
        passed > MUTANTS / 40,
        "too few mutants pass to say anything: {passed}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn noise_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(scan_change(&bytes, &GENEROUS).is_err());
        prop_assert!(scan_change(&seal(&bytes), &ScanLimits::PROTOCOL_1).is_err());
    }

    #[test]
    fn noise_in_columns_never_panics(
        columns in prop::collection::btree_map(
            prop::sample::select(vec![0x01_u64, 0x02, 0x11, 0x13, 0x15, 0x34, 0x42, 0x56, 0x57, 0x70, 0x71, 0x73, 0x94, 0xa5]),
            prop::collection::vec(any::<u8>(), 1..12),
            0..14,
        ),
        start_op in 1_u64..1 << 32,
    ) {
        let parts = Parts { columns: columns.into_iter().collect(), start_op, ..Parts::of(&unhex(PUT_ONE)) };
        let chunk = parts.chunk();
        if let Ok(scanned) = scan_change(&chunk, &GENEROUS) {
            assert_automerge_agrees(&chunk, &scanned);
        }
    }
}
