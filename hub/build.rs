//! Rebuilds the crate when a migration is added or changed, since they are compiled in.

#![expect(clippy::print_stdout, reason = "cargo reads what a build script prints")]

fn main() {
    println!("cargo:rerun-if-changed=../migrations/hub");
}
