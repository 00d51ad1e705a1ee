//! A preset: a common fault and the service for it, with its price, item kind 36.
//!
//! Presets only fill in forms; an order keeps its own texts and prices.

use crate::money::{Currency, TaxRate};
use crate::part::check_price;
use crate::problem::{FieldProblem, Problems};
use crate::text::{self, LINE_TEXT_MAX, NAME_MAX};
use serde::{Deserialize, Serialize};

/// A preset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PresetRow {
    /// The kind of device that it is for; may be empty.
    pub category: String,
    /// The fault.
    pub fault: String,
    /// The service.
    pub service: String,
    /// Price in minor units.
    pub price_minor: i64,
    /// The price's currency.
    pub currency: Currency,
    /// Tax rate in basis points.
    pub tax_bp: u32,
    /// How long the service takes.
    pub minutes: u32,
    /// Whether it is still offered.
    pub active: bool,
}

impl PresetRow {
    /// The row with its texts cleaned, or what is wrong with it.
    pub fn validate(mut self) -> Result<Self, Vec<FieldProblem>> {
        let mut problems = Problems::new();
        self.category = problems.take("/category", text::clean_line(&self.category, NAME_MAX));
        self.fault = problems.take("/fault", text::clean_line(&self.fault, LINE_TEXT_MAX));
        self.service = problems.take(
            "/service",
            text::required_line(&self.service, LINE_TEXT_MAX),
        );
        check_price(self.price_minor, &mut problems);
        problems.take("/tax_rate_bp", TaxRate::new(self.tax_bp));
        problems.check(
            self.minutes <= 100_000,
            "/minutes",
            "must be from 0 to 100000",
        );
        problems.finish(self)
    }
}
