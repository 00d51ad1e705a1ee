//! The authority: made once, opened again, and what its certificates say.
//!
//! Times and random bytes are handed in; files lie in a folder of the test's own.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::os::unix::fs::PermissionsExt;

use domain::env::SeededEntropy;
use tempfile::TempDir;

use super::*;

const NOW_MS: i64 = 1_700_000_000_000;

fn name() -> NodeName {
    NodeName {
        node: NodeId(0x1234_abcd),
        branch: BranchId::from_bytes([9; 16]),
    }
}

fn request(key: &KeyPair) -> Vec<u8> {
    let mut params = CertificateParams::default();
    params.subject_alt_names = vec![SanType::URI("counterpart:hub".try_into().unwrap())];
    params.serialize_request(key).unwrap().der().to_vec()
}

fn key(seed: u8) -> (KeyPair, [u8; 32]) {
    let pair = key_pair(&[seed; 32]).unwrap();
    let public = pair.public_key_raw().try_into().unwrap();
    (pair, public)
}

#[test]
fn an_authority_opens_again_with_the_same_root_and_its_root_key_may_be_away() {
    let dir = TempDir::new().unwrap();
    let secrets = dir.path().join("secrets");
    let first = Ca::open(&secrets, NOW_MS, &mut SeededEntropy::new(1)).unwrap();
    fs::remove_file(secrets.join(ROOT_KEY)).unwrap();
    let second = Ca::open(&secrets, NOW_MS, &mut SeededEntropy::new(2)).unwrap();
    assert_eq!(first.fingerprint(), second.fingerprint());
    assert_eq!(first.root(), second.root());
    for file in fs::read_dir(&secrets).unwrap() {
        assert_eq!(
            file.unwrap().metadata().unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
    assert_eq!(
        fs::metadata(&secrets).unwrap().permissions().mode() & 0o777,
        0o700
    );
}

#[test]
fn an_authority_that_was_half_made_is_finished() {
    let dir = TempDir::new().unwrap();
    let whole = Ca::open(dir.path(), NOW_MS, &mut SeededEntropy::new(1)).unwrap();
    fs::remove_file(dir.path().join(INTERMEDIATE_CERTIFICATE)).unwrap();
    fs::remove_file(dir.path().join(INTERMEDIATE_KEY)).unwrap();
    let finished = Ca::open(dir.path(), NOW_MS, &mut SeededEntropy::new(2)).unwrap();
    assert_eq!(whole.fingerprint(), finished.fingerprint());
}

#[test]
fn a_node_certificate_says_who_by_its_san_alone() {
    let dir = TempDir::new().unwrap();
    let ca = Ca::open(dir.path(), NOW_MS, &mut SeededEntropy::new(1)).unwrap();
    let (pair, public) = key(5);
    let chain = ca
        .node_chain(
            name(),
            &public,
            &request(&pair),
            NOW_MS,
            &mut SeededEntropy::new(3),
        )
        .unwrap();
    assert_eq!(chain.len(), 3);
    let read = NodeCertificate::read(&chain[0]).unwrap();
    assert_eq!((read.name, read.public_key), (name(), public));
    assert!(read.is_in_date(NOW_MS));
    assert!(read.is_in_date(NOW_MS + NODE_CERTIFICATE_MS - 1000));
    assert!(!read.is_in_date(NOW_MS + NODE_CERTIFICATE_MS + 1000));
    assert!(!read.is_in_date(NOW_MS - 2 * BACKDATED_MS));
}

#[test]
fn a_request_of_another_key_is_refused() {
    let dir = TempDir::new().unwrap();
    let ca = Ca::open(dir.path(), NOW_MS, &mut SeededEntropy::new(1)).unwrap();
    let (pair, _) = key(5);
    let (_, other) = key(6);
    let asked = ca.node_chain(
        name(),
        &other,
        &request(&pair),
        NOW_MS,
        &mut SeededEntropy::new(3),
    );
    assert!(matches!(asked, Err(CaError::Request)));
    let mut torn = request(&pair);
    let last = torn.len() - 1;
    torn[last] ^= 1;
    assert!(matches!(
        Ca::check_request(&torn, &key(5).1),
        Err(CaError::Request)
    ));
    assert!(matches!(
        Ca::check_request(&[], &other),
        Err(CaError::Request)
    ));
}

#[test]
fn the_hubs_certificate_is_not_a_nodes() {
    let dir = TempDir::new().unwrap();
    let ca = Ca::open(dir.path(), NOW_MS, &mut SeededEntropy::new(1)).unwrap();
    let chain = ca
        .hub_chain(&[8; 32], NOW_MS, &mut SeededEntropy::new(3))
        .unwrap();
    assert!(matches!(
        NodeCertificate::read(&chain[0]),
        Err(CaError::Name)
    ));
    assert!(matches!(
        NodeCertificate::read(ca.root()),
        Err(CaError::Name)
    ));
    assert!(matches!(
        NodeCertificate::read(b"no certificate"),
        Err(CaError::Read)
    ));
}
