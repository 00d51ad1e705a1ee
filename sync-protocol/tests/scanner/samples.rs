//! Small changes written by hand, to be broken in one place.

use sync_protocol::scanner::{ScanError, scan_change};

use super::parts::Parts;
use super::{GENEROUS, PUT_ONE, unhex};

/// `a` = 1 on the root.
pub fn put_one() -> Parts {
    Parts::of(&unhex(PUT_ONE))
}

/// Four list elements, one behind the other, in the list that operation 1 of this actor made.
pub fn four_inserts() -> Parts {
    let mut parts = Parts {
        seq: 2,
        start_op: 2,
        ..put_one()
    };
    parts.set(0x01, &[4, 0]).set(0x02, &[4, 1]);
    // Head, then operations 2, 3, 4: null actor and counter 0, then differences 2, 1, 1.
    parts
        .set(0x11, &[0, 1, 3, 0])
        .set(0x13, &[0x7e, 0, 2, 2, 1])
        .set(0x15, &[]);
    parts
        .set(0x34, &[0, 4])
        .set(0x42, &[4, 1])
        .set(0x56, &[4, 0x14])
        .set(0x57, &[7, 8, 9, 10])
        .set(0x70, &[4, 0]);
    parts
}

/// Two keys overwritten, each of which two actors had set.
pub fn two_overwrites() -> Parts {
    let mut parts = Parts {
        seq: 2,
        start_op: 9,
        other_actors: vec![vec![0xbb; 16]],
        ..put_one()
    };
    parts
        .set(0x15, &[0x7e, 1, b'a', 1, b'b'])
        .set(0x34, &[2])
        .set(0x42, &[2, 1])
        .set(0x56, &[2, 0])
        .set(0x57, &[]);
    // Predecessors (1, own), (1, other) and (2, own), (2, other).
    parts
        .set(0x70, &[2, 2])
        .set(0x71, &[0x7c, 0, 1, 0, 1])
        .set(0x73, &[0x7c, 1, 0, 1, 0]);
    parts
}

/// A bold mark over the text that operation 1 of this actor made.
pub fn mark() -> Parts {
    let mut parts = Parts {
        seq: 2,
        start_op: 9,
        ..put_one()
    };
    parts.set(0x01, &[2, 0]).set(0x02, &[2, 1]).set(0x15, &[]);
    parts
        .set(0x11, &[2, 0])
        .set(0x13, &[2, 2])
        .set(0x34, &[0, 2])
        .set(0x42, &[2, 7]);
    parts
        .set(0x56, &[0x7e, 2, 0])
        .set(0x57, &[])
        .set(0x70, &[2, 0]);
    parts
        .set(0x94, &[1, 1])
        .set(0xa5, &[0x7f, 4, b'b', b'o', b'l', b'd', 0, 1]);
    parts
}

pub fn scan(chunk: &[u8]) -> Result<u64, ScanError> {
    scan_change(chunk, &GENEROUS).map(|change| change.operations)
}

pub fn broken(parts: Parts, change: impl FnOnce(&mut Parts)) -> ScanError {
    assert!(
        scan(&parts.chunk()).is_ok(),
        "the unbroken change scans: {:?}",
        scan(&parts.chunk())
    );
    let mut parts = parts;
    change(&mut parts);
    scan(&parts.chunk()).expect_err("a broken rule is found")
}

/// Sets one column of a change.
pub fn with(parts: Parts, spec: u64, bytes: &[u8]) -> ScanError {
    broken(parts, |parts| {
        parts.set(spec, bytes);
    })
}
