//! `cargo xtask check`: form, lints, house rules, documentation, dependencies.
//!
//! It changes no file, and it stops at the first thing that is wrong.

use anyhow::Result;

use crate::{
    command::{cargo, has_cargo_command, run as run_command, workspace_root},
    tidy,
};

#[derive(clap::Args)]
pub(crate) struct Arguments {}

pub(crate) fn run(_arguments: &Arguments) -> Result<()> {
    let root = workspace_root()?;
    run_command(cargo(&root).args(["fmt", "--all", "--check"]))?;
    tidy::run(&tidy::Arguments::default())?;
    run_command(
        cargo(&root)
            .args(["clippy", "--workspace", "--all-targets", "--quiet", "--"])
            .args(["-D", "warnings"]),
    )?;
    run_command(
        cargo(&root)
            .args(["doc", "--no-deps", "--workspace", "--quiet"])
            .env("RUSTDOCFLAGS", "-D warnings"),
    )?;
    if has_cargo_command(&root, "deny") {
        // Advisories need a list from outside; the other three need nothing but the lock file.
        run_command(cargo(&root).args(["deny", "check", "bans", "licenses", "sources"]))?;
    } else {
        eprintln!("xtask: cargo-deny is not installed; licences and sources were not checked");
    }
    eprintln!("xtask: check found nothing");
    Ok(())
}
