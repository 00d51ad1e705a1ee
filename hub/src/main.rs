//! The hub program. Everything it does is in the library; this hands the command line over.

use std::process::ExitCode;

fn main() -> ExitCode {
    hub::cli::run()
}
