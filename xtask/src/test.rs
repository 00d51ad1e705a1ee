//! `cargo xtask test`: install what is missing, build, run every test.
//!
//! The runner's own closing line is the last thing printed. Nothing is ever tried twice: a test
//! that fails now and then is a test that fails.

use std::{ffi::OsString, path::Path};

use anyhow::Result;

use crate::{
    command::{cargo, has_cargo_command, output, run as run_command, workspace_root},
    install::{self, Need},
};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Handed to `cargo nextest run` (or to `cargo test`), for instance `-p hub` or a test's name
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    runner: Vec<OsString>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let root = workspace_root()?;
    install::ensure(&[Need::Database])?;
    install::ensure_or_say(
        &[Need::Browser, Need::Npm],
        "tests of pages say what they skip",
    );
    // Tests start the real executables as children. One call builds these and the tests, so that
    // both see the same features and nothing is compiled twice.
    run_command(cargo(&root).args(["build", "--workspace", "--bins", "--tests"]))?;
    if arguments.runner.is_empty() {
        for package in packages_with_doc_tests(&root)? {
            run_command(cargo(&root).args(["test", "--quiet", "--doc", "--package", &package]))?;
        }
    }
    let mut runner = cargo(&root);
    if has_cargo_command(&root, "nextest") {
        runner.args(["nextest", "run"]);
    } else {
        runner.args(["test", "--lib", "--bins", "--tests"]);
    }
    if !names_a_package(&arguments.runner) {
        runner.arg("--workspace");
    }
    run_command(runner.args(&arguments.runner))
}

fn names_a_package(arguments: &[OsString]) -> bool {
    arguments
        .iter()
        .filter_map(|argument| argument.to_str())
        .any(|argument| {
            argument.starts_with("-p")
                || argument == "--package"
                || argument.starts_with("--package=")
        })
}

/// The packages whose sources show a Rust example in their documentation.
fn packages_with_doc_tests(root: &Path) -> Result<Vec<String>> {
    let sources = output(std::process::Command::new("git").current_dir(root).args([
        "ls-files",
        "--cached",
        "--others",
        "--exclude-standard",
        "*/src/*.rs",
    ]))?;
    let mut packages: Vec<String> = Vec::new();
    for path in sources.lines() {
        let Some((package, _)) = path.split_once('/') else {
            continue;
        };
        if packages.iter().any(|known| known == package) {
            continue;
        }
        if !root.join(package).join("src/lib.rs").is_file() {
            continue;
        }
        if std::fs::read_to_string(root.join(path)).is_ok_and(|text| has_doc_test(&text)) {
            packages.push(package.to_owned());
        }
    }
    Ok(packages)
}

fn has_doc_test(source: &str) -> bool {
    let mut is_inside_block = false;
    for line in source.lines() {
        let line = line.trim_start();
        let Some(text) = line
            .strip_prefix("///")
            .or_else(|| line.strip_prefix("//!"))
        else {
            is_inside_block = false;
            continue;
        };
        let Some(language) = text.trim().strip_prefix("```") else {
            continue;
        };
        if !is_inside_block && matches!(language, "" | "rust" | "should_panic" | "no_run") {
            return true;
        }
        is_inside_block = !is_inside_block;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rust_example_is_a_doc_test_and_a_text_block_is_none() {
        assert!(has_doc_test(
            "/// Says so:\n/// ```\n/// assert!(true);\n/// ```\nfn x() {}"
        ));
        assert!(has_doc_test("//! ```rust\n//! let a = 1;\n//! ```"));
        assert!(!has_doc_test("/// ```text\n/// a → b\n/// ```\nfn x() {}"));
        assert!(!has_doc_test("fn x() { let ticks = \"```\"; }"));
    }

    #[test]
    fn a_package_in_the_arguments_replaces_the_whole_workspace() {
        let arguments = |text: &str| text.split(' ').map(OsString::from).collect::<Vec<_>>();
        assert!(names_a_package(&arguments("-p hub private_postgres")));
        assert!(names_a_package(&arguments("--package=hub")));
        assert!(!names_a_package(&arguments("--no-capture relay")));
    }
}
