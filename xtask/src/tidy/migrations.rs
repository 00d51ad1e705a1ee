//! Migrations are never edited once landed: their checksums stand in `migrations/CHECKSUMS`.
//!
//! Accepting adds new files to that list and never changes a line that is there.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use super::Finding;

const LIST: &str = "migrations/CHECKSUMS";
const FOLDERS: [&str; 2] = ["edge", "hub"];

/// Checksum in hexadecimal by path below `migrations/`.
type Checksums = BTreeMap<String, String>;

pub(super) fn check(root: &Path) -> Result<Vec<Finding>> {
    Ok(compare(&listed(root)?, &present(root)?))
}

/// Puts the files that are not listed yet on the list and names them.
pub(super) fn accept(root: &Path) -> Result<Vec<String>> {
    let mut list = listed(root)?;
    let new: Checksums = present(root)?
        .into_iter()
        .filter(|(path, _)| !list.contains_key(path))
        .collect();
    let names = new.keys().cloned().collect();
    list.extend(new);
    let text: String = list
        .iter()
        .map(|(path, sum)| format!("{sum}  {path}\n"))
        .collect();
    fs::write(root.join(LIST), text).with_context(|| format!("{LIST} could not be written"))?;
    Ok(names)
}

fn compare(listed: &Checksums, present: &Checksums) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, sum) in present {
        let advice = match listed.get(path) {
            Some(known) if known == sum => continue,
            Some(_) => {
                "this migration was edited after it was accepted: restore it and write a new one \
                 (if it has landed nowhere, take its line out of migrations/CHECKSUMS and accept it again)"
            }
            None => {
                "a new migration: run `cargo xtask tidy --accept-migrations` and commit the list"
            }
        };
        findings.push(Finding::at(&format!("migrations/{path}"), 0, advice));
    }
    for path in listed.keys().filter(|path| !present.contains_key(*path)) {
        let advice = "an accepted migration is gone: restore it; databases out there have run it";
        findings.push(Finding::at(&format!("migrations/{path}"), 0, advice));
    }
    findings
}

fn listed(root: &Path) -> Result<Checksums> {
    let path = root.join(LIST);
    if !path.exists() {
        return Ok(Checksums::new());
    }
    let text = fs::read_to_string(&path).with_context(|| format!("{LIST} cannot be read"))?;
    parse(&text)
}

fn parse(text: &str) -> Result<Checksums> {
    let mut sums = Checksums::new();
    for line in text.lines() {
        let Some((sum, path)) = line.split_once("  ") else {
            bail!("{LIST} has a line that is not `checksum  path`: {line}");
        };
        sums.insert(path.to_owned(), sum.to_owned());
    }
    Ok(sums)
}

fn present(root: &Path) -> Result<Checksums> {
    let mut sums = Checksums::new();
    for folder in FOLDERS {
        for path in sql_files(&root.join("migrations").join(folder))? {
            let bytes =
                fs::read(&path).with_context(|| format!("{} is unreadable", path.display()))?;
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let sum = Sha256::digest(&bytes)
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            sums.insert(format!("{folder}/{name}"), sum);
        }
    }
    Ok(sums)
}

fn sql_files(folder: &Path) -> Result<Vec<PathBuf>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "sql") {
            files.push(path);
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn an_edited_new_or_lost_migration_is_found() {
        let listed = parse("aa  edge/0001_a.sql\nbb  edge/0002_b.sql\ncc  hub/1_c.sql\n").unwrap();
        let present =
            parse("aa  edge/0001_a.sql\nxx  edge/0002_b.sql\ndd  edge/0003_d.sql\n").unwrap();
        let found = compare(&listed, &present);
        let paths: Vec<&str> = found.iter().map(|finding| finding.path.as_str()).collect();
        assert_eq!(
            paths,
            [
                "migrations/edge/0002_b.sql",
                "migrations/edge/0003_d.sql",
                "migrations/hub/1_c.sql"
            ]
        );
    }

    #[test]
    fn accepting_never_changes_a_line_that_is_there() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("migrations/edge");
        fs::create_dir_all(&folder).unwrap();
        fs::write(
            folder.join("0001_first.sql"),
            "create table a (x integer) strict;",
        )
        .unwrap();
        assert_eq!(accept(root.path()).unwrap(), ["edge/0001_first.sql"]);
        assert_eq!(check(root.path()).unwrap(), []);

        fs::write(folder.join("0001_first.sql"), "drop table a;").unwrap();
        assert_eq!(accept(root.path()).unwrap(), Vec::<String>::new());
        assert_eq!(check(root.path()).unwrap().len(), 1);
    }
}
