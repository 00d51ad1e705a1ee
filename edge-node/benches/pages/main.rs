//! Pages and reads of a branch that has worked for years, measured at the real program over loopback. Started by
//! `cargo xtask bench pages`.
//!
//! Prints one JSON row a line. The floor of a row is the same server's `/healthz` in the same run: machines differ,
//! ratios tell. What is measured is what the router and the API's description name, so nothing is listed here.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark fails by panicking and prints its rows"
)]

mod browser;
mod dice;
mod fill;
mod http;
mod hub;
mod measure;
mod network;
mod server;
mod targets;

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// How full the branch is.
#[derive(Debug, Clone, Copy)]
struct Size {
    orders: usize,
    customers: usize,
    parts: usize,
    movements: usize,
    transfers: usize,
}

const FULL: Size = Size {
    orders: 100_000,
    customers: 20_000,
    parts: 10_000,
    movements: 500_000,
    transfers: 2_000,
};

/// A hundredth, for trying the benchmark itself.
const SMALL: Size = Size {
    orders: 1_000,
    customers: 200,
    parts: 100,
    movements: 5_000,
    transfers: 40,
};

fn main() {
    let arguments: Vec<String> = std::env::args()
        .filter(|argument| argument != "--bench")
        .collect();
    if let [_, what, address, user, password, place] = &arguments[..]
        && what == "network"
    {
        let address = address.parse().unwrap();
        network::all(address, user, password, Path::new(place));
        return;
    }
    let [_, program, cache, records, rest @ ..] = &arguments[..] else {
        println!("pages: started by `cargo xtask bench pages`");
        return;
    };
    let size = if rest.iter().any(|word| word == "small") {
        SMALL
    } else {
        FULL
    };
    let records = Path::new(records);
    let filled = filled(Path::new(cache), records, size);
    if rest.iter().any(|word| word == "fill") {
        println!("{}", filled.display());
        return;
    }
    let place = tempfile::TempDir::new_in(cache).unwrap();
    let data = place.path().join("data");
    copy(&filled, &data);
    measure::all(Path::new(program), &data, size);
}

/// The filled data directory, made where it is not there yet. Its name says what makes it.
fn filled(cache: &Path, records: &Path, size: Size) -> PathBuf {
    let mut hash = Sha256::new();
    for source in [
        include_str!("fill.rs"),
        include_str!("hub.rs"),
        include_str!("dice.rs"),
    ] {
        hash.update(source);
    }
    hash.update(include_str!("../../../migrations/CHECKSUMS"));
    hash.update(format!("{size:?}"));
    for (name, bytes) in fill::records_by_size(records) {
        hash.update(format!("{name} {bytes}"));
    }
    let name: String = hash.finalize()[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let place = cache.join(format!("branch-{name}"));
    if place.is_dir() {
        return place;
    }
    std::fs::create_dir_all(cache).unwrap();
    let making = cache.join(format!("making-{}", std::process::id()));
    fill::branch(&making, records, size);
    std::fs::rename(&making, &place).unwrap();
    place
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
