//! A part of the catalogue with its price, item kind 35.
//!
//! How many there are is never here: that is the ledger's.

use crate::money::{Currency, TaxRate, check_amount};
use crate::problem::{FieldProblem, Problems};
use crate::text::{self, NAME_MAX};
use serde::{Deserialize, Serialize};

/// A part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartRow {
    /// What the chain calls it; unique in the catalogue.
    pub sku: String,
    /// Its name.
    pub name: String,
    /// Its category; may be empty.
    pub category: String,
    /// Price of one piece in minor units.
    pub price_minor: i64,
    /// The price's currency.
    pub currency: Currency,
    /// Tax rate in basis points.
    pub tax_bp: u32,
    /// Barcodes that mean it everywhere.
    pub barcodes: Vec<String>,
    /// Whether it can still be ordered and sold.
    pub active: bool,
}

impl PartRow {
    /// The row with its texts cleaned, or what is wrong with it.
    pub fn validate(mut self) -> Result<Self, Vec<FieldProblem>> {
        let mut problems = Problems::new();
        self.sku = problems.take("/sku", text::clean_sku(&self.sku));
        self.name = problems.take("/name", text::required_line(&self.name, NAME_MAX));
        self.category = problems.take("/category", text::clean_line(&self.category, NAME_MAX));
        check_price(self.price_minor, &mut problems);
        problems.take("/tax_rate_bp", TaxRate::new(self.tax_bp));
        problems.check(
            self.barcodes.len() <= 50,
            "/barcodes",
            "must not have more than 50 entries",
        );
        let codes = core::mem::take(&mut self.barcodes);
        for (i, code) in codes.iter().enumerate() {
            self.barcodes
                .push(problems.take(&format!("/barcodes/{i}"), text::clean_barcode(code)));
        }
        self.barcodes.sort_unstable();
        self.barcodes.dedup();
        problems.finish(self)
    }
}

/// A price is never below zero.
pub(crate) fn check_price(price_minor: i64, problems: &mut Problems) {
    let good = price_minor >= 0 && check_amount(price_minor).is_ok();
    problems.check(good, "/price", "must be an amount from 0 to 10000000000000");
}
