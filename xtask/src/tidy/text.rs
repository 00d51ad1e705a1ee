//! Rules for every text file: nothing of one machine, nothing left over from a merge.
//!
//! The words looked for are put together from halves here, so that this file passes its own rules.

use super::{Finding, SourceFile};

const MACHINE_PATHS: &[&str] = &[
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
];

const REGISTRY_HOSTS: &[&str] = &[
    concat!("index.crates", ".io"),
    concat!("static.crates", ".io"),
    concat!("https://crates", ".io"),
    concat!("registry.npm", "js.org"),
    concat!("pypi", ".org"),
    concat!("files.python", "hosted.org"),
    concat!("deb.debian", ".org"),
    concat!("proxy.golang", ".org"),
];

pub(super) fn check(file: &SourceFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    let keeps_spaces = file.path.starts_with("fixtures/") || file.path.ends_with(".snap");
    for (index, line) in file.text.lines().enumerate() {
        let mut find = |advice: String| findings.push(Finding::at(&file.path, index + 1, advice));
        if let Some(path) = MACHINE_PATHS.iter().find(|path| holds_path(line, path)) {
            find(format!(
                "`{path}` is a path of one machine: write one from the project's root"
            ));
        }
        if let Some(host) = REGISTRY_HOSTS.iter().find(|host| line.contains(**host)) {
            find(format!(
                "`{host}` is a registry's host: name the package, not where it lies"
            ));
        }
        if is_resolved_address(&file.path, line) {
            find("a lock file with download addresses: use omit-lockfile-registry-resolved".into());
        }
        if ["<<<<<<<", ">>>>>>>", "|||||||"]
            .iter()
            .any(|mark| starts_marker(line, mark))
        {
            find("a conflict marker: settle the merge".into());
        }
        if !keeps_spaces && line.ends_with([' ', '\t']) {
            find("space at the end of the line: take it away".into());
        }
    }
    findings
}

/// A path at the start of a word, so that `framework/` and `docs/work/` are none.
fn holds_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|sign| sign.is_alphanumeric() || "._-*})]".contains(sign))
    })
}

fn is_resolved_address(path: &str, line: &str) -> bool {
    path.ends_with("package-lock.json") && line.trim_start().starts_with("\"resolved\": \"http")
}

fn starts_marker(line: &str, mark: &str) -> bool {
    line.strip_prefix(mark)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, text: &str) -> usize {
        check(&SourceFile {
            path: path.to_owned(),
            text: text.to_owned(),
        })
        .len()
    }

    #[test]
    fn a_machine_path_is_found_and_a_word_with_it_inside_is_not() {
        assert_eq!(findings("a.md", concat!("see /wo", "rk/main")), 1);
        assert_eq!(findings("a.md", concat!("`/ho", "me/ann/x`")), 1);
        assert_eq!(
            findings("a.md", concat!("docs/wo", "rk/main and frame", "work/x")),
            0
        );
    }

    #[test]
    fn registry_hosts_are_found() {
        assert_eq!(
            findings(
                "a.toml",
                concat!("url = \"https://static.crates", ".io/x\"")
            ),
            1
        );
        assert_eq!(findings("a.md", "from crates.io"), 0);
        let locked = "      \"resolved\": \"https://somewhere/x.tgz\",";
        assert_eq!(findings("tests/package-lock.json", locked), 1);
    }

    #[test]
    fn merge_leftovers_and_trailing_space_are_found() {
        assert_eq!(
            findings("a.rs", concat!("<<<<", "<<< ours\nx\n>>>>", ">>> theirs\n")),
            2
        );
        assert_eq!(findings("a.md", "Title\n=======\n"), 0);
        assert_eq!(findings("a.rs", "let a = 1; \n"), 1);
        assert_eq!(findings("fixtures/config/a.txt", "kept \n"), 0);
    }
}
