//! Holding operations against the table, one by one and as a whole change.
//!
//! A refusal names the path and the reason in words that an operator can act on; it never repeats the value.

use super::{Form, Rule, When, Writer, rule_of, table};
use crate::document::{DocumentKind, Edit, EditOp, MAX_DEPTH, Scalar, join_path};
use crate::money::Currency;
use crate::text;
use std::collections::BTreeSet;
use thiserror::Error;

/// The first and last millisecond that RFC 3339 can write, in the years 0 to 9999.
const TIME_MIN_MS: i64 = -62_167_219_200_000;
const TIME_MAX_MS: i64 = 253_402_300_799_999;
/// The least a sealed value takes: version, generation, nonce, tag.
const SEALED_MIN: usize = 1 + 1 + 24 + 16;

/// What an operation does at its path.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PolicyAction<'a> {
    /// Makes a map.
    MakeMap,
    /// Writes a value.
    Put(&'a Scalar),
    /// Removes the key.
    Delete,
}

/// Why an operation or a change is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PolicyError {
    /// Deeper than four keys, or no key at all.
    #[error("{path}: no such place: a path has one to four keys")]
    Depth {
        /// The path.
        path: String,
    },
    /// A path that documents of this kind do not have.
    #[error("{path}: documents of this kind have no such path")]
    UnknownPath {
        /// The path.
        path: String,
    },
    /// This writer may not write here.
    #[error("{path}: may not be written in this capacity ({writer:?})")]
    Writer {
        /// The path.
        path: String,
        /// Who tried.
        writer: Writer,
    },
    /// Written after the document was created.
    #[error("{path}: is written only by the change that creates the document")]
    OnlyAtCreation {
        /// The path.
        path: String,
    },
    /// Written after its entry was made.
    #[error("{path}: is written only by the change that makes the entry")]
    OnlyWithEntry {
        /// The path.
        path: String,
    },
    /// Something that stays was removed.
    #[error("{path}: cannot be removed")]
    NotRemovable {
        /// The path.
        path: String,
    },
    /// The value is not of the form that belongs there.
    #[error("{path}: {reason}")]
    Value {
        /// The path.
        path: String,
        /// What it must be.
        reason: String,
    },
    /// A change that creates something leaves out what belongs to it.
    #[error("{path}: is missing in the change")]
    Missing {
        /// The path.
        path: String,
    },
}

/// Holds one operation against the table. `creating` says that its change has no dependencies, so makes the document.
pub fn check_operation(
    kind: DocumentKind,
    writer: Writer,
    creating: bool,
    path: &[String],
    action: PolicyAction<'_>,
) -> Result<(), PolicyError> {
    if path.is_empty() || path.len() > MAX_DEPTH {
        return Err(PolicyError::Depth {
            path: join_path(path),
        });
    }
    let Some(rule) = rule_of(kind, path) else {
        return Err(PolicyError::UnknownPath {
            path: join_path(path),
        });
    };
    if rule.writers & writer.bit() == 0 {
        return Err(PolicyError::Writer {
            path: join_path(path),
            writer,
        });
    }
    if rule.when == When::Creation && !creating {
        return Err(PolicyError::OnlyAtCreation {
            path: join_path(path),
        });
    }
    check_action(rule, path, action)
}

fn check_action(rule: &Rule, path: &[String], action: PolicyAction<'_>) -> Result<(), PolicyError> {
    let value_error = |reason: String| {
        Err(PolicyError::Value {
            path: join_path(path),
            reason,
        })
    };
    match (action, rule.form) {
        (PolicyAction::Delete, _) if rule.removable => Ok(()),
        (PolicyAction::Delete, _) => Err(PolicyError::NotRemovable {
            path: join_path(path),
        }),
        (PolicyAction::MakeMap, Form::Map) => Ok(()),
        (PolicyAction::MakeMap, _) => value_error("must be a value, not a map".to_owned()),
        (PolicyAction::Put(_), Form::Map) => value_error("must be a map".to_owned()),
        (PolicyAction::Put(value), form) => check_value(form, value).or_else(value_error),
    }
}

fn check_value(form: Form, value: &Scalar) -> Result<(), String> {
    let good = match (form, value) {
        (Form::Line(max), Scalar::Str(line)) => {
            return text::clean_line(line, max)
                .map(drop)
                .map_err(|error| error.to_string());
        }
        (Form::Block(max), Scalar::Str(block)) => {
            return text::clean_block(block, max)
                .map(drop)
                .map_err(|error| error.to_string());
        }
        (Form::Int(min, max), Scalar::Int(number)) if !(min..=max).contains(number) => {
            return Err(format!("must be from {min} to {max}"));
        }
        (Form::Int(..), Scalar::Int(_)) | (Form::Bool, Scalar::Bool(_)) => true,
        (Form::Time, Scalar::Int(time_ms)) => is_time(*time_ms),
        (Form::Id, Scalar::Str(id)) => super::Segment::Id.fits(id),
        (Form::Word(words), Scalar::Str(word)) => words.contains(&word.as_str()),
        (Form::Currency, Scalar::Str(code)) => code.parse::<Currency>().is_ok(),
        (Form::Sealed, Scalar::Bytes(bytes)) => {
            bytes.first() == Some(&1) && (SEALED_MIN..=text::SCALAR_MAX).contains(&bytes.len())
        }
        _ => false,
    };
    if good {
        Ok(())
    } else {
        Err(format!("must be {}", describe(form)))
    }
}

fn describe(form: Form) -> String {
    match form {
        Form::Map => "a map".to_owned(),
        Form::Line(_) | Form::Block(_) => "text".to_owned(),
        Form::Int(min, max) => format!("a whole number from {min} to {max}"),
        Form::Bool => "true or false".to_owned(),
        Form::Time => "a time in milliseconds".to_owned(),
        Form::Id => "an id in lower case".to_owned(),
        Form::Word(words) => format!("one of {}", words.join(", ")),
        Form::Currency => "a currency code".to_owned(),
        Form::Sealed => "a sealed value".to_owned(),
    }
}

/// Holds a whole change against the table: each operation, what may stand only beside a new entry, and what a new
/// entry or document must have.
pub fn check_change(
    kind: DocumentKind,
    writer: Writer,
    creating: bool,
    edits: &[Edit],
) -> Result<(), PolicyError> {
    let mut made: BTreeSet<&[String]> = BTreeSet::new();
    let mut put: BTreeSet<&[String]> = BTreeSet::new();
    for edit in edits {
        let action = match &edit.op {
            EditOp::Put(value) => PolicyAction::Put(value),
            EditOp::MakeMap => PolicyAction::MakeMap,
            EditOp::Delete => PolicyAction::Delete,
        };
        check_operation(kind, writer, creating, &edit.path, action)?;
        match action {
            PolicyAction::MakeMap if !made.insert(&edit.path) => {
                return Err(PolicyError::Value {
                    path: join_path(&edit.path),
                    reason: "is made twice".to_owned(),
                });
            }
            PolicyAction::Put(_) => {
                put.insert(&edit.path);
            }
            PolicyAction::MakeMap | PolicyAction::Delete => {}
        }
    }
    check_entries(kind, edits, &made, &put)?;
    if creating {
        check_creation(kind, &made, &put)
    } else {
        Ok(())
    }
}

fn check_entries(
    kind: DocumentKind,
    edits: &[Edit],
    made: &BTreeSet<&[String]>,
    put: &BTreeSet<&[String]>,
) -> Result<(), PolicyError> {
    for edit in edits {
        let with_parent =
            rule_of(kind, &edit.path).is_some_and(|rule| rule.when == When::WithParent);
        let parent = &edit.path[..edit.path.len() - 1];
        if with_parent && !made.contains(parent) {
            return Err(PolicyError::OnlyWithEntry {
                path: join_path(&edit.path),
            });
        }
    }
    for entry in made.iter().filter(|path| path.len() == 2) {
        for field in required_fields(kind, &entry[0]) {
            let mut path = entry.to_vec();
            path.push((*field).to_owned());
            if !put.contains(path.as_slice()) {
                return Err(PolicyError::Missing {
                    path: join_path(&path),
                });
            }
        }
    }
    Ok(())
}

fn check_creation(
    kind: DocumentKind,
    made: &BTreeSet<&[String]>,
    put: &BTreeSet<&[String]>,
) -> Result<(), PolicyError> {
    for path in required_paths(kind) {
        let owned: Vec<String> = path.iter().map(|key| (*key).to_owned()).collect();
        if !made.contains(owned.as_slice()) && !put.contains(owned.as_slice()) {
            return Err(PolicyError::Missing {
                path: join_path(path),
            });
        }
    }
    if kind == DocumentKind::Order
        && !made
            .iter()
            .any(|path| path.len() == 2 && path[0] == "status")
    {
        return Err(PolicyError::Missing {
            path: "status/ID".to_owned(),
        });
    }
    Ok(())
}

/// What a change that creates a document must make or write.
pub fn required_paths(kind: DocumentKind) -> &'static [&'static [&'static str]] {
    match kind {
        DocumentKind::Order => &[
            &["v"],
            &["number"],
            &["branch"],
            &["visit"],
            &["prices_include_tax"],
            &["currency"],
            &["device"],
            &["device", "accessories"],
            &["device", "condition"],
            &["lines"],
            &["notes"],
            &["status"],
            &["estimates"],
        ],
        DocumentKind::Customer => &[&["v"], &["home"], &["consent"]],
        DocumentKind::Inventory => &[&["v"], &["branch"], &["part"], &["barcodes"]],
    }
}

fn required_fields(kind: DocumentKind, container: &str) -> &'static [&'static str] {
    match (kind, container) {
        (DocumentKind::Order, "lines") => &["kind", "text", "quantity", "unit_minor", "tax_bp"],
        (DocumentKind::Order, "notes") => &["text", "at"],
        (DocumentKind::Order, "status") => &["rank", "at"],
        (DocumentKind::Order, "estimates") => &["version", "gross_minor"],
        _ => &[],
    }
}

/// Whether RFC 3339 can write this time: years 0 to 9999.
pub fn is_time(at_ms: i64) -> bool {
    (TIME_MIN_MS..=TIME_MAX_MS).contains(&at_ms)
}

/// Every path of the table as text, for tests and documentation.
pub fn table_paths(kind: DocumentKind) -> Vec<String> {
    let name = |segment: &super::Segment| match segment {
        super::Segment::Name(name) => *name,
        super::Segment::Id => "ID",
        super::Segment::Key => "KEY",
    };
    table::rules(kind)
        .iter()
        .map(|rule| join_path(&rule.path.iter().map(name).collect::<Vec<_>>()))
        .collect()
}
