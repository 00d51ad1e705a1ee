//! Developer commands of Counterpart, run as `cargo xtask COMMAND`.
//!
//! One module per command. This crate depends on none of the product's crates: it starts their
//! executables and compares what they say, so that a mistake there is never repeated here.

#![allow(
    clippy::print_stdout,
    reason = "these are commands for a person at a terminal"
)]

mod bench;
mod check;
mod command;
mod demo;
mod fake_stripe;
mod install;
mod pictures;
mod records;
mod test;
mod tidy;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    about = "Developer commands"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measure, beside a floor in the same run
    Bench(bench::Arguments),
    /// Run a whole chain on this machine
    Demo(demo::Arguments),
    /// Run the double of Stripe on loopback, with faults on demand
    FakeStripe(fake_stripe::Arguments),
    /// Install what the product and its tests need from Debian's packages
    Install(install::Arguments),
    /// Make the pictures of all pages in `docs/pictures`
    Pictures(pictures::Arguments),
    /// Run all tests; what follows is handed to the test runner
    Test(test::Arguments),
    /// Check form, lints, house rules and documentation
    Check(check::Arguments),
    /// Check the house rules that no compiler knows
    Tidy(tidy::Arguments),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Demo(arguments) => demo::run(&arguments),
        Command::FakeStripe(arguments) => fake_stripe::run(&arguments),
        Command::Install(arguments) => install::run(&arguments),
        Command::Pictures(arguments) => pictures::run(&arguments),
        Command::Test(arguments) => test::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Tidy(arguments) => tidy::run(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
