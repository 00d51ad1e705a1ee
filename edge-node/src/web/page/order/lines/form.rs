//! A priced line as it is typed, and what it means.

use domain::money::Money;
use domain::order::LineKind;
use serde::Deserialize;
use web_kit::Problem;

use crate::app::order::form::{Line, LineInput, LinePatch};
use crate::web::page::order::bench::Bench;
use crate::web::page::order::desk::Desk;

#[derive(Debug, Clone, Default, Deserialize)]
pub struct LineForm {
    #[serde(default)]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) text: String,
    #[serde(default)]
    pub(super) sku: String,
    #[serde(default)]
    pub(super) quantity: String,
    #[serde(default)]
    pub(super) price: String,
    #[serde(default)]
    pub(super) tax: String,
    #[serde(default)]
    pub(super) undo: String,
}

/// The form's fields by what a refusal points to.
pub(super) const POINTERS: [(&str, &str); 8] = [
    ("/text", "text"),
    ("/quantity", "quantity"),
    ("/unit_price", "price"),
    ("/unit_price/amount_minor", "price"),
    ("/tax_rate_bp", "tax"),
    ("/tax_bp", "tax"),
    ("/kind", "kind"),
    ("/sku", "code"),
];

impl LineForm {
    pub(super) fn of(line: &Line, desk: &Desk) -> Self {
        Self {
            kind: line.kind.as_str().to_owned(),
            text: line.text.clone(),
            sku: line.sku.clone().unwrap_or_default(),
            quantity: line.quantity.to_string(),
            price: desk.view.amount(line.unit_price),
            tax: line.tax_rate_bp.to_string(),
            undo: String::new(),
        }
    }

    pub(super) fn hidden(self, key: String) -> Vec<(&'static str, String)> {
        vec![
            ("key", key),
            ("kind", self.kind),
            ("text", self.text),
            ("sku", self.sku),
            ("quantity", self.quantity),
            ("price", self.price),
            ("tax", self.tax),
            ("undo", "yes".to_owned()),
        ]
    }

    pub(super) fn quantity(&self) -> Result<i64, Problem> {
        match self.quantity.trim() {
            "" => Ok(1),
            typed => typed
                .parse()
                .map_err(|_| Problem::invalid_field("/quantity", "This is no whole number.")),
        }
    }

    pub(super) fn price(&self, bench: &Bench, desk: &Desk) -> Result<Option<Money>, Problem> {
        let currency = bench.order.totals.gross.currency;
        let typed = self.price.trim();
        if typed.is_empty() {
            return Ok(None);
        }
        let amount = desk.view.clock.read_amount(typed, currency.minor_digits());
        amount
            .filter(|amount| *amount >= 0)
            .map(|amount_minor| {
                Some(Money {
                    amount_minor,
                    currency,
                })
            })
            .ok_or_else(|| Problem::invalid_field("/unit_price", "This is no amount."))
    }

    pub(super) fn tax(&self) -> Result<Option<u32>, Problem> {
        match self.tax.trim() {
            "" => Ok(None),
            typed => typed
                .parse()
                .map(Some)
                .map_err(|_| Problem::invalid_field("/tax_rate_bp", "This is no rate.")),
        }
    }

    /// A new line; a service of the list brings its price where none was typed.
    pub(super) fn input(&self, bench: &Bench, desk: &Desk) -> Result<LineInput, Problem> {
        let kind: LineKind = match self.kind.as_str() {
            "" => LineKind::Service,
            name => name
                .parse()
                .map_err(|_| Problem::invalid_field("/kind", "There is no such kind."))?,
        };
        let text = self.text.trim();
        if text.is_empty() && kind != LineKind::Part {
            return Err(Problem::invalid_field("/text", "Must not be empty."));
        }
        let listed = bench
            .services
            .iter()
            .find(|preset| kind == LineKind::Service && preset.service == text);
        let typed = self.price(bench, desk)?;
        let of_list = typed.is_none();
        Ok(LineInput {
            kind,
            text: Some(text.to_owned()),
            sku: (kind == LineKind::Part).then(|| self.sku.clone()),
            quantity: self.quantity()?,
            unit_price: typed.or_else(|| listed.map(|preset| preset.price)),
            tax_rate_bp: match listed.filter(|_| of_list) {
                Some(preset) => Some(preset.tax_rate_bp),
                None => self.tax()?,
            },
        })
    }

    pub(super) fn patch(&self, bench: &Bench, desk: &Desk) -> Result<LinePatch, Problem> {
        Ok(LinePatch {
            text: Some(self.text.clone()),
            quantity: Some(self.quantity()?),
            unit_price: self.price(bench, desk)?,
            tax_rate_bp: self.tax()?,
        })
    }
}
