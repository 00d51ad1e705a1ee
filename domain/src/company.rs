//! The company: what stands on every receipt and which taxes there are, item kind 37.
//!
//! One row for the whole chain, under the id of zeros.

use crate::money::TaxRate;
use crate::problem::{FieldProblem, Problems};
use crate::text::{self, KEY_MAX, NAME_MAX, NOTE_MAX};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A tax rate by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxRateRow {
    /// Its name, such as `standard`.
    pub name: String,
    /// Basis points.
    pub bp: u32,
}

/// The company.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CompanyRow {
    /// Its name in law.
    pub legal_name: String,
    /// Its tax number.
    pub tax_id: String,
    /// The tax rates.
    pub tax_rates: Vec<TaxRateRow>,
    /// Texts of receipts, by place or language.
    pub receipt_texts: BTreeMap<String, String>,
    /// When its branches are open, unless they say otherwise.
    pub opening_hours: String,
}

impl CompanyRow {
    /// The row with its texts cleaned, or what is wrong with it.
    pub fn validate(mut self) -> Result<Self, Vec<FieldProblem>> {
        let mut problems = Problems::new();
        self.legal_name = problems.take(
            "/legal_name",
            text::required_line(&self.legal_name, NAME_MAX),
        );
        self.tax_id = problems.take("/tax_id", text::clean_line(&self.tax_id, 64));
        self.opening_hours = problems.take(
            "/opening_hours",
            text::clean_block(&self.opening_hours, NOTE_MAX),
        );
        problems.check(
            self.tax_rates.len() <= 20,
            "/tax_rates",
            "must not have more than 20 entries",
        );
        for (i, rate) in self.tax_rates.iter_mut().enumerate() {
            rate.name = problems.take(
                &format!("/tax_rates/{i}/name"),
                text::required_line(&rate.name, NAME_MAX),
            );
            problems.take(&format!("/tax_rates/{i}/rate_bp"), TaxRate::new(rate.bp));
        }
        problems.check(
            self.receipt_texts.len() <= 50,
            "/receipt_texts",
            "must not have more than 50 entries",
        );
        for (key, value) in &mut self.receipt_texts {
            problems.take("/receipt_texts", text::required_line(key, KEY_MAX));
            *value = problems.take("/receipt_texts", text::clean_block(value, NOTE_MAX));
        }
        problems.finish(self)
    }
}
