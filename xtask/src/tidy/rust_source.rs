//! Rules for Rust files: every module says what it is for, layers are not crossed, lints are
//! silenced only with a reason.
//!
//! These are cheap checks on text, not on meaning: they catch the slip, not the determined.

use super::{Finding, SourceFile};

pub(super) fn check(file: &SourceFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !file.text.starts_with("//!") {
        findings.push(Finding::at(
            &file.path,
            1,
            "a module opens with two to ten lines of `//!`: its purpose and what is never true there",
        ));
    }
    let crossings = forbidden_words(&file.path);
    let lines: Vec<&str> = file.text.lines().collect();
    for (index, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        if code.starts_with("//") {
            continue;
        }
        for (word, advice) in &crossings {
            if holds_word(code, word) {
                findings.push(Finding::at(
                    &file.path,
                    index + 1,
                    format!("`{word}`: {advice}"),
                ));
            }
        }
        if silences_without_reason(&lines[index..]) {
            findings.push(Finding::at(
                &file.path,
                index + 1,
                "a lint is silenced without a reason: add `reason = \"…\"`",
            ));
        }
    }
    findings
}

type Crossing = (&'static str, &'static str);

const SQL_ADVICE: &str = "SQL lives below store/: move the statement there; name a connection by a type that store exports";
const SQL: &[Crossing] = &[("sqlx::", SQL_ADVICE), ("rusqlite::", SQL_ADVICE)];
const HTTP: &[Crossing] = &[(
    "axum::",
    "no HTTP here: take plain arguments, let api/ and web/ translate",
)];
const AMBIENT: &[Crossing] = &[
    ("SystemTime::now", "use cases take the time as an argument"),
    ("Timestamp::now", "use cases take the time as an argument"),
    ("Instant::now", "use cases take the time as an argument"),
    ("getrandom::", "use cases take randomness as an argument"),
    ("new_v4", "use cases take ids as arguments"),
];
const UNCHECKED_SQL: &[Crossing] = &[(
    concat!("Assert", "SqlSafe"),
    "statements are static text; only private_postgres may",
)];

/// What may not be said in a file with this path.
fn forbidden_words(path: &str) -> Vec<Crossing> {
    let Some((package, inside)) = path.split_once("/src/") else {
        return Vec::new();
    };
    if !["domain", "sync-protocol", "web-kit", "edge-node", "hub"].contains(&package) {
        return Vec::new();
    }
    let is_layer =
        |name: &str| inside == format!("{name}.rs") || inside.starts_with(&format!("{name}/"));
    let mut words = Vec::new();
    if is_layer("app") || is_layer("store") {
        words.extend_from_slice(HTTP);
    }
    if is_layer("app") {
        words.extend_from_slice(AMBIENT);
    }
    if !is_layer("private_postgres") {
        words.extend_from_slice(UNCHECKED_SQL);
        // `error.rs` names the store's error type to map it, and holds no statement.
        if !is_layer("store") && inside != "error.rs" {
            words.extend_from_slice(SQL);
        }
    }
    words
}

/// The word, not as the end of a longer one.
fn holds_word(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        !code[..at]
            .chars()
            .next_back()
            .is_some_and(|sign| sign.is_alphanumeric() || sign == '_')
    })
}

/// Whether an `allow` or `expect` attribute opens on the first line and closes without a reason.
fn silences_without_reason(lines: &[&str]) -> bool {
    let Some(first) = lines.first() else {
        return false;
    };
    let first = first.trim_start();
    let opens = ["#[allow(", "#![allow(", "#[expect(", "#![expect("];
    if !opens.iter().any(|open| first.starts_with(open)) {
        return false;
    }
    for line in lines {
        if line.contains("reason") {
            return false;
        }
        if line.contains(")]") {
            return true;
        }
    }
    true
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
    fn a_module_opens_with_its_purpose() {
        assert_eq!(findings("domain/src/money.rs", "//! Money.\nstruct A;"), 0);
        assert_eq!(findings("domain/src/money.rs", "use std::fmt;"), 1);
    }

    #[test]
    fn sql_stays_below_store() {
        let text = "//! X.\nuse sqlx::PgPool;\n";
        assert_eq!(findings("hub/src/app/ingest.rs", text), 1);
        assert_eq!(findings("hub/src/store/log.rs", text), 0);
        assert_eq!(findings("hub/src/store.rs", text), 0);
        assert_eq!(findings("hub/src/error.rs", text), 0);
        assert_eq!(findings("hub/src/private_postgres/admin.rs", text), 0);
        assert_eq!(findings("hub/tests/it/main.rs", text), 0);
        assert_eq!(
            findings(
                "edge-node/src/web/page/till.rs",
                "//! X.\nuse rusqlite::Row;"
            ),
            1
        );
        assert_eq!(
            findings(
                "hub/src/app/ingest.rs",
                "//! X.\n// sqlx::query is below store\n"
            ),
            0
        );
    }

    #[test]
    fn http_stays_above_the_use_cases() {
        let text = "//! X.\nuse axum::Json;\n";
        assert_eq!(findings("edge-node/src/app/order.rs", text), 1);
        assert_eq!(findings("edge-node/src/store/order.rs", text), 1);
        assert_eq!(findings("edge-node/src/api/v1/orders.rs", text), 0);
    }

    #[test]
    fn use_cases_are_given_time_and_randomness() {
        let text = "//! X.\nlet now = jiff::Timestamp::now();\n";
        assert_eq!(findings("hub/src/app/transfer.rs", text), 1);
        assert_eq!(findings("hub/src/env.rs", text), 0);
    }

    #[test]
    fn a_lint_is_silenced_only_with_a_reason() {
        let bare = concat!("//! X.\n#[al", "low(dead_code)]\nfn a() {}");
        assert_eq!(findings("hub/src/a.rs", bare), 1);
        let reasoned = concat!(
            "//! X.\n#[al",
            "low(\n dead_code,\n reason = \"x\"\n)]\nfn a() {}"
        );
        assert_eq!(findings("hub/src/a.rs", reasoned), 0);
    }

    #[test]
    fn checked_names_are_no_licence_for_others() {
        let text = concat!("//! X.\nuse sqlx::Assert", "SqlSafe;\n");
        assert_eq!(findings("hub/src/store/log.rs", text), 1);
        assert_eq!(findings("hub/src/private_postgres/admin.rs", text), 0);
    }
}
