//! Forms of the stock pages: what is wrong by field, and lists of parts with pieces.
//!
//! The use cases judge; these words say it in the person's language. Nothing here writes.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use web_kit::{Problem, fill};

use crate::app::stock::StockRow;
use crate::error::AppError;
use crate::store::{Actor, Reader};

/// What is wrong with a form: by field, and above it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wrong {
    by_field: BTreeMap<String, &'static str>,
    /// What belongs to no field.
    pub(crate) above: Option<String>,
}

impl Wrong {
    /// Marks a field.
    pub(crate) fn mark(&mut self, field: impl Into<String>, words: &'static str) {
        self.by_field.entry(field.into()).or_insert(words);
    }

    /// What is wrong with a field.
    pub(crate) fn of(&self, field: &str) -> Option<&'static str> {
        self.by_field.get(field).copied()
    }

    /// What is wrong with a field of a line.
    pub(crate) fn of_line(&self, field: &str, line: &usize) -> Option<&'static str> {
        self.of(&format!("{field}-{line}"))
    }

    /// Whether the form may be judged further.
    pub(crate) fn is_empty(&self) -> bool {
        self.by_field.is_empty() && self.above.is_none()
    }

    /// Takes what the use case said: each pointer is looked up in `fields`; a pointer of a line keeps its number.
    pub(crate) fn take(
        &mut self,
        problem: &Problem,
        fields: &[(&'static str, &'static str)],
        otherwise: &'static str,
    ) {
        for error in &problem.body().errors {
            let pointer = error.pointer.trim_start_matches('/');
            let parts: Vec<&str> = pointer.split('/').collect();
            let (field, name) = match parts.as_slice() {
                ["lines", line, field, ..] => (*field, format!("{field}-{line}")),
                [field, ..] => (*field, (*field).to_owned()),
                [] => continue,
            };
            match fields.iter().find(|(known, _)| *known == field) {
                Some((_, words)) => self.mark(name, words),
                None => self.above = Some(otherwise.to_owned()),
            }
        }
        if self.is_empty() {
            self.above = Some(otherwise.to_owned());
        }
    }

    /// The status of the form that is shown again.
    pub(crate) fn status(&self) -> StatusCode {
        if self.is_empty() {
            StatusCode::OK
        } else {
            StatusCode::UNPROCESSABLE_ENTITY
        }
    }
}

/// What is said when too few pieces are there.
pub(crate) fn short_words(problem: &Problem, words: &'static str) -> Option<String> {
    let free = problem.body().extra.get("free")?.as_i64()?;
    Some(fill(words, &[("n", &free.max(0))]))
}

/// A part in a list that is being made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ListLine {
    /// The part.
    pub(crate) sku: String,
    /// Its name; empty for one that is not known.
    pub(crate) name: String,
    /// Where it lies.
    pub(crate) bin: String,
    /// On hand now.
    pub(crate) on_hand: String,
    /// Pieces as typed.
    pub(crate) quantity: String,
}

/// What was typed into a list of parts.
#[derive(Debug, Clone, Default)]
pub(crate) struct ListInput {
    /// Skus by line.
    pub(crate) sku: Vec<String>,
    /// Pieces by line.
    pub(crate) quantity: Vec<String>,
    /// A code to add.
    pub(crate) code: String,
    /// The button: `add`, `remove-SKU`, or another for the page itself.
    pub(crate) action: String,
}

/// What a list is after its own buttons were pressed.
#[derive(Debug, Clone, Default)]
pub(crate) struct MadeList {
    /// The lines.
    pub(crate) lines: Vec<ListLine>,
    /// A code that no part has.
    pub(crate) unknown: Option<String>,
    /// Whether the button was one of the list's own, so that nothing is to be saved yet.
    pub(crate) is_edited: bool,
}

impl ListInput {
    /// Does what the list's own buttons say.
    pub(crate) fn make(&self, reader: &Reader<'_>, actor: &Actor) -> Result<MadeList, AppError> {
        let removed = self.action.strip_prefix("remove-");
        let mut made = MadeList {
            is_edited: self.action == "add" || removed.is_some(),
            ..MadeList::default()
        };
        for (sku, quantity) in self.sku.iter().zip(&self.quantity) {
            if removed == Some(sku.as_str()) || made.lines.iter().any(|line| line.sku == *sku) {
                continue;
            }
            let found = find(reader, actor, sku)?;
            made.lines.push(line(found, sku, quantity));
        }
        let code = self.code.trim();
        if self.action == "add" && !code.is_empty() {
            match find(reader, actor, code)? {
                Some(stock) => made.add(stock),
                None => made.unknown = Some(code.to_owned()),
            }
        }
        Ok(made)
    }
}

impl MadeList {
    /// One piece more of a part.
    pub(crate) fn add(&mut self, stock: StockRow) {
        match self.lines.iter_mut().find(|line| line.sku == stock.sku) {
            Some(line) => {
                let pieces: i64 = line.quantity.trim().parse().unwrap_or(0);
                line.quantity = pieces.saturating_add(1).to_string();
            }
            None => {
                let sku = stock.sku.clone();
                self.lines.push(line(Some(stock), &sku, "1"));
            }
        }
    }

    /// The pieces of each line; a line that says no whole number above zero is marked with `words`.
    pub(crate) fn pieces(&self, wrong: &mut Wrong, words: &'static str) -> Vec<(String, i64)> {
        let mut pieces = Vec::new();
        for (at, line) in self.lines.iter().enumerate() {
            match line.quantity.trim().parse::<i64>() {
                Ok(quantity) if quantity > 0 => pieces.push((line.sku.clone(), quantity)),
                _ => wrong.mark(format!("quantity-{at}"), words),
            }
        }
        pieces
    }

    /// All pieces that read.
    pub(crate) fn total(&self) -> i64 {
        let pieces = |line: &ListLine| line.quantity.trim().parse::<i64>().unwrap_or(0).max(0);
        self.lines
            .iter()
            .fold(0_i64, |sum, line| sum.saturating_add(pieces(line)))
    }
}

fn find(reader: &Reader<'_>, actor: &Actor, code: &str) -> Result<Option<StockRow>, AppError> {
    match crate::app::stock::get(reader, actor, code) {
        Ok(stock) => Ok(Some(stock)),
        Err(AppError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn line(stock: Option<StockRow>, sku: &str, quantity: &str) -> ListLine {
    let quantity = quantity.to_owned();
    match stock {
        Some(stock) => ListLine {
            sku: stock.sku,
            name: stock.name,
            bin: stock.bin.unwrap_or_default(),
            on_hand: stock.on_hand.to_string(),
            quantity,
        },
        None => ListLine {
            sku: sku.to_owned(),
            quantity,
            ..ListLine::default()
        },
    }
}

/// A text as one segment of an address.
pub(crate) fn segment(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sku_with_a_slash_stays_one_segment() {
        assert_eq!(segment("A/1+2.x"), "A%2F1%2B2.x");
    }

    #[test]
    fn pieces_are_whole_numbers_above_zero() {
        let line = |quantity: &str| ListLine {
            quantity: quantity.to_owned(),
            ..ListLine::default()
        };
        let made = MadeList {
            lines: vec![line("2"), line("0"), line("x"), line(" 3 ")],
            ..MadeList::default()
        };
        let mut wrong = Wrong::default();
        assert_eq!(made.pieces(&mut wrong, "no").len(), 2);
        assert_eq!(
            (wrong.of_line("quantity", &1), wrong.of_line("quantity", &3)),
            (Some("no"), None)
        );
        assert_eq!(made.total(), 5);
    }
}
