//! `cargo xtask tidy`: the house rules that neither compiler nor clippy knows.
//!
//! Reads the files that git knows or would add, changes none of them (except the list of
//! migrations when told to), and says for each finding what to do about it. The rules are plain
//! functions from text to findings, one module per kind of file.

mod dependencies;
mod migrations;
mod rust_source;
mod template;
mod text;

use std::{
    fmt,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, bail};

use crate::command::{output, workspace_root};

#[derive(clap::Args, Default)]
pub(crate) struct Arguments {
    /// Put new migrations on the list of those that are never edited again
    #[arg(long)]
    accept_migrations: bool,
}

/// One broken rule at one place, with what to do about it.
#[derive(PartialEq, Eq, Debug)]
pub(crate) struct Finding {
    path: String,
    /// Counted from 1; 0 says the file as a whole
    line: usize,
    advice: String,
}

impl Finding {
    fn at(path: &str, line: usize, advice: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line,
            advice: advice.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 {
            write!(formatter, "{}: {}", self.path, self.advice)
        } else {
            write!(formatter, "{}:{}: {}", self.path, self.line, self.advice)
        }
    }
}

/// A file of the project, by its path from the root with `/` between the parts.
pub(crate) struct SourceFile {
    path: String,
    text: String,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let root = workspace_root()?;
    if arguments.accept_migrations {
        for path in migrations::accept(&root)? {
            println!("accepted {path}");
        }
    }
    let files = text_files(&root)?;
    let mut findings = dependencies::check(&root)?;
    findings.extend(migrations::check(&root)?);
    for file in &files {
        findings.extend(text::check(file));
        match Path::new(&file.path)
            .extension()
            .and_then(|ending| ending.to_str())
        {
            Some("rs") => findings.extend(rust_source::check(file)),
            Some("html" | "svg") => findings.extend(template::check(file)),
            _ => {}
        }
    }
    print_largest(&files);
    for finding in &findings {
        println!("{finding}");
    }
    if !findings.is_empty() {
        bail!("tidy has {} findings", findings.len());
    }
    Ok(())
}

fn print_largest(files: &[SourceFile]) {
    let mut sizes: Vec<(usize, &str)> = files
        .iter()
        .filter(|file| file.path.ends_with(".rs"))
        .map(|file| (file.text.lines().count(), file.path.as_str()))
        .collect();
    sizes.sort_unstable_by(|one, other| other.cmp(one));
    println!("the largest Rust files (look for a noun to split out from about 500 lines on):");
    for (lines, path) in sizes.iter().take(10) {
        println!("{lines:6} {path}");
    }
}

/// All files that are text, other people's work left out.
fn text_files(root: &Path) -> Result<Vec<SourceFile>> {
    let listed = output(Command::new("git").current_dir(root).args([
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]))?;
    let mut files = Vec::new();
    for path in listed
        .split('\0')
        .filter(|path| !path.is_empty() && !is_vendored(path))
    {
        // A file that was deleted, or is a link to nowhere, or is no text, has nothing to read.
        if let Ok(text) = std::fs::read_to_string(root.join(path)) {
            files.push(SourceFile {
                path: path.to_owned(),
                text,
            });
        }
    }
    Ok(files)
}

/// Files taken over byte for byte, whose checksums stand beside them.
fn is_vendored(path: &str) -> bool {
    let name = PathBuf::from(path);
    let name = name
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    name.contains(".min.") || name.starts_with("LICENSE") || path.contains("/vendor/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vendored_files_are_left_alone() {
        assert!(is_vendored("web-kit/assets/htmx.min.js"));
        assert!(is_vendored("LICENSE-APACHE"));
        assert!(!is_vendored("web-kit/assets/app.css"));
    }

    #[test]
    fn a_finding_names_its_place() {
        assert_eq!(
            Finding::at("a.rs", 3, "mend it").to_string(),
            "a.rs:3: mend it"
        );
        assert_eq!(
            Finding::at("a.rs", 0, "mend it").to_string(),
            "a.rs: mend it"
        );
    }
}
