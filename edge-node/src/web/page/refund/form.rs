//! What was typed to give money back, read as the use case takes it, and what it answered, at the field it is about.

use domain::money::Currency;
use domain::till::{Goods, RefundLine};
use serde::Deserialize;
use web_kit::wire::money;
use web_kit::{Problem, fill, refusal};

use super::texts::RefundTexts;
use crate::app::refund::{RefundInput, RefundLineInput, RefundTenderInput};
use crate::web::view::View;

/// The form as typed; lines with their pieces and goods, payments with their amounts.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct RefundForm {
    #[serde(default)]
    pub(super) line: Vec<String>,
    #[serde(default)]
    pub(super) pieces: Vec<String>,
    #[serde(default)]
    pub(super) goods: Vec<String>,
    #[serde(default)]
    pub(super) reason: String,
    #[serde(default)]
    pub(super) payment: Vec<String>,
    #[serde(default)]
    pub(super) amount: Vec<String>,
    /// The refund that the hub said yes to; its lines stand there.
    #[serde(default)]
    pub(super) asked: String,
}

#[derive(Default)]
pub(super) struct Wrong {
    pub(super) words: String,
    /// `pieces`, `reason`, `tenders` or nothing.
    pub(super) field: &'static str,
}

impl Wrong {
    pub(super) fn at(field: &'static str, words: impl Into<String>) -> Self {
        Self {
            words: words.into(),
            field,
        }
    }

    pub(super) fn of_field(&self, field: &str) -> Option<&str> {
        (!self.words.is_empty() && self.field == field).then_some(self.words.as_str())
    }
}

pub(super) fn line_input(line: &RefundLine) -> RefundLineInput {
    RefundLineInput {
        line_id: line.line,
        quantity: line.quantity,
        goods: Some(line.goods.as_str().to_owned()),
    }
}

/// The chosen lines; none where a field is no number.
pub(super) fn chosen(form: &RefundForm) -> Option<Vec<RefundLine>> {
    let mut lines = Vec::new();
    for (at, line) in form.line.iter().enumerate() {
        let typed = form.pieces.get(at).map_or("", |pieces| pieces.trim());
        if typed.is_empty() || typed == "0" {
            continue;
        }
        lines.push(RefundLine {
            line: line.parse().ok()?,
            quantity: typed.parse().ok()?,
            goods: form
                .goods
                .get(at)
                .and_then(|goods| goods.parse().ok())
                .unwrap_or(Goods::Stay),
        });
    }
    Some(lines)
}

pub(super) fn read_form(
    form: &RefundForm,
    view: &View,
    currency: Currency,
    t: &RefundTexts,
) -> Result<RefundInput, Wrong> {
    let lines = chosen(form).ok_or_else(|| Wrong::at("pieces", t.wrong_pieces))?;
    if lines.is_empty() {
        return Err(Wrong::at("pieces", t.choose));
    }
    if form.reason.trim().is_empty() {
        return Err(Wrong::at("reason", t.wrong_reason));
    }
    let mut tenders = Vec::new();
    for (payment, typed) in form.payment.iter().zip(&form.amount) {
        if typed.trim().is_empty() {
            continue;
        }
        let amount = view.clock.read_amount(typed, currency.minor_digits());
        let (Ok(payment_id), Some(minor)) = (payment.parse(), amount) else {
            let words = fill(t.wrong_tenders, &[("due", &"…")]);
            return Err(Wrong::at("tenders", words));
        };
        if minor > 0 {
            tenders.push(RefundTenderInput {
                payment_id,
                amount: money(minor, currency),
            });
        }
    }
    Ok(RefundInput {
        lines: lines.iter().map(line_input).collect(),
        tenders,
        reason: form.reason.clone(),
        ..RefundInput::default()
    })
}

pub(super) fn refused(problem: &Problem, t: &RefundTexts, view: &View) -> Wrong {
    let body = problem.body();
    let at = |pointer: &str| {
        let mut errors = body.errors.iter();
        errors.any(|error| error.pointer.starts_with(pointer))
    };
    match body.kind.rsplit(':').next().unwrap_or_default() {
        "not-captured" => Wrong::at("tenders", t.not_captured),
        "drawer-short" => Wrong::at("tenders", t.drawer_short),
        "unequal" => {
            let due = body.extra.get("due").cloned().unwrap_or_default();
            let due = serde_json::from_value(due)
                .map_or_else(|_| String::new(), |due| view.full_amount(due));
            Wrong::at("tenders", fill(t.wrong_tenders, &[("due", &due)]))
        }
        _ if at("/reason") => Wrong::at("reason", t.wrong_reason),
        _ if at("/lines") => Wrong::at("pieces", t.wrong_pieces),
        _ if at("/tenders") && body.errors.iter().any(|one| one.detail.contains("session")) => {
            Wrong::at("tenders", t.no_session)
        }
        _ => Wrong::at("tenders", said(problem, t, view)),
    }
}

pub(super) fn said(problem: &Problem, t: &RefundTexts, view: &View) -> String {
    let body = problem.body();
    let first = body.errors.first().map(|error| error.detail.as_str());
    let said = first.or(body.detail.as_deref()).unwrap_or_default();
    format!(
        "{} {}",
        refusal::said(view.language(), said),
        t.nothing_done
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn only_lines_with_pieces_come_back() {
        let id = "0b3f0e6a-0000-4000-8000-000000000001";
        let form = |pieces: &str| RefundForm {
            line: vec![id.to_owned(), id.to_owned()],
            pieces: vec![pieces.to_owned(), "0".to_owned()],
            goods: vec!["scrap".to_owned()],
            ..RefundForm::default()
        };
        let lines = chosen(&form("2")).unwrap();
        assert_eq!(
            (lines.len(), lines[0].quantity, lines[0].goods),
            (1, 2, Goods::Scrap)
        );
        assert_eq!(chosen(&form("two")), None);
    }
}
