//! The lines of an order and what they add up to.
//!
//! Prices are minor units of the order's currency and never negative; a discount is counted off. Tax is computed per
//! rate on the sum of its lines, so that a line has no tax of its own.

use super::{MAX_ENTRIES_PER_ORDER, OrderError, OrderView};
use crate::code::codes;
use crate::document::Edit;
use crate::id::{LineId, PartId};
use crate::money::{MoneyError, TaxRate, check_amount, tax_included, tax_on_net};
use crate::problem::Problems;
use crate::quantity::Quantity;
use crate::text::{self, LINE_TEXT_MAX};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

codes! {
    /// What a line is for.
    pub enum LineKind as "line kind" {
        /// Work.
        Service = 1 "service",
        /// A part from stock.
        Part = 2 "part",
        /// A charge.
        Fee = 3 "fee",
        /// Counted off.
        Discount = 4 "discount",
    }
}

/// A line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Its id; also that of its reservation.
    pub id: LineId,
    /// What it is for.
    pub kind: LineKind,
    /// What it says.
    pub text: String,
    /// The part's sku, as it was when the line was made.
    pub sku: Option<String>,
    /// The part.
    pub part: Option<PartId>,
    /// Pieces, 1 to 1,000,000.
    pub quantity: i64,
    /// Price of one piece.
    pub unit_minor: i64,
    /// Tax rate in basis points.
    pub tax_bp: u32,
}

impl Line {
    /// Pieces times price; below zero for a discount. Wide enough for any line that can be stored.
    fn amount(&self) -> i128 {
        let amount = i128::from(self.quantity) * i128::from(self.unit_minor).abs();
        if self.kind == LineKind::Discount {
            -amount
        } else {
            amount
        }
    }
}

/// A new line.
#[derive(Debug, Clone)]
pub struct LineInput {
    /// Its id.
    pub id: LineId,
    /// What it is for.
    pub kind: LineKind,
    /// What it says.
    pub text: String,
    /// With `part`: the sku.
    pub sku: Option<String>,
    /// With kind `part`: the part.
    pub part: Option<PartId>,
    /// Pieces.
    pub quantity: i64,
    /// Price of one piece, in the order's currency; a discount's too is not negative.
    pub unit_minor: i64,
    /// Tax rate in basis points.
    pub tax_bp: u32,
}

/// What to change in a line; kind and part stay.
#[derive(Debug, Clone, Default)]
pub struct LinePatch {
    /// What it says.
    pub text: Option<String>,
    /// Pieces.
    pub quantity: Option<i64>,
    /// Price of one piece.
    pub unit_minor: Option<i64>,
    /// Tax rate in basis points.
    pub tax_bp: Option<u32>,
}

/// What the lines of one tax rate add up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateTotal {
    /// The rate in basis points.
    pub tax_bp: u32,
    /// Without tax.
    pub net_minor: i64,
    /// The tax.
    pub tax_minor: i64,
    /// With tax.
    pub gross_minor: i64,
}

/// What an order adds up to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Totals {
    /// Without tax.
    pub net_minor: i64,
    /// The tax.
    pub tax_minor: i64,
    /// With tax.
    pub gross_minor: i64,
    /// The same per tax rate, lowest rate first.
    pub rates: Vec<RateTotal>,
}

/// Adds up an order. Fails only where lines written apart come to more than an amount can be.
pub fn totals(order: &OrderView) -> Result<Totals, MoneyError> {
    totals_of(&order.lines, order.prices_include_tax)
}

fn totals_of(lines: &[Line], prices_include_tax: bool) -> Result<Totals, MoneyError> {
    add_up(
        lines.iter().map(|line| (line.tax_bp, line.amount())),
        prices_include_tax,
    )
}

/// Adds up amounts by their tax rates.
pub(crate) fn add_up(
    amounts: impl Iterator<Item = (u32, i128)>,
    prices_include_tax: bool,
) -> Result<Totals, MoneyError> {
    let mut sums: BTreeMap<u32, i128> = BTreeMap::new();
    for (tax_bp, amount) in amounts {
        *sums.entry(tax_bp).or_default() += amount;
    }
    let mut totals = Totals::default();
    for (tax_bp, sum) in sums {
        let sum = i64::try_from(sum).map_err(|_| MoneyError::Range)?;
        check_amount(sum)?;
        let rate = TaxRate::new(tax_bp)?;
        let (net_minor, tax_minor) = if prices_include_tax {
            let tax = tax_included(sum, rate);
            (sum - tax, tax)
        } else {
            (sum, tax_on_net(sum, rate))
        };
        let gross_minor = net_minor + tax_minor;
        totals.net_minor += net_minor;
        totals.tax_minor += tax_minor;
        totals.gross_minor += gross_minor;
        check_amount(totals.gross_minor)?;
        totals.rates.push(RateTotal {
            tax_bp,
            net_minor,
            tax_minor,
            gross_minor,
        });
    }
    Ok(totals)
}

/// Adds a line.
pub fn add_line(order: &OrderView, input: &LineInput) -> Result<Vec<Edit>, OrderError> {
    if order.lines.len() >= MAX_ENTRIES_PER_ORDER {
        return Err(OrderError::Full);
    }
    let line = check_input(input)?;
    check_totals(
        order
            .lines
            .iter()
            .chain(core::iter::once(&line))
            .cloned()
            .collect(),
        order,
    )?;
    let id = line.id.to_string();
    let path = |field: &'static str| ["lines", id.as_str(), field].map(str::to_owned);
    let mut edits = vec![
        Edit::map(&["lines", id.as_str()]),
        Edit::text(&path("kind"), line.kind.as_str()),
        Edit::text(&path("text"), line.text),
        Edit::int(&path("quantity"), line.quantity),
        Edit::int(&path("unit_minor"), line.unit_minor),
        Edit::int(&path("tax_bp"), i64::from(line.tax_bp)),
    ];
    if let Some(sku) = line.sku {
        edits.push(Edit::text(&path("sku"), sku));
    }
    if let Some(part) = line.part {
        edits.push(Edit::text(&path("part"), part.to_string()));
    }
    Ok(edits)
}

/// Changes a line; only what differs is written.
pub fn change_line(
    order: &OrderView,
    id: LineId,
    patch: &LinePatch,
) -> Result<Vec<Edit>, OrderError> {
    let old = order.line(id).ok_or(OrderError::UnknownLine)?;
    let new = check_input(&LineInput {
        id,
        kind: old.kind,
        text: patch.text.clone().unwrap_or_else(|| old.text.clone()),
        sku: old.sku.clone(),
        part: old.part,
        quantity: patch.quantity.unwrap_or(old.quantity),
        unit_minor: patch.unit_minor.unwrap_or(old.unit_minor.saturating_abs()),
        tax_bp: patch.tax_bp.unwrap_or(old.tax_bp),
    })?;
    let others = order.lines.iter().filter(|line| line.id != id);
    check_totals(
        others.chain(core::iter::once(&new)).cloned().collect(),
        order,
    )?;
    let id = id.to_string();
    let path = |field: &'static str| ["lines", id.as_str(), field].map(str::to_owned);
    let mut edits = Vec::new();
    if new.text != old.text {
        edits.push(Edit::text(&path("text"), new.text));
    }
    for (field, new, old) in [
        ("quantity", new.quantity, old.quantity),
        ("unit_minor", new.unit_minor, old.unit_minor),
        ("tax_bp", i64::from(new.tax_bp), i64::from(old.tax_bp)),
    ] {
        if new != old {
            edits.push(Edit::int(&path(field), new));
        }
    }
    Ok(edits)
}

/// Removes a line.
pub fn remove_line(order: &OrderView, id: LineId) -> Result<Vec<Edit>, OrderError> {
    order.line(id).ok_or(OrderError::UnknownLine)?;
    Ok(vec![Edit::delete(&["lines".to_owned(), id.to_string()])])
}

fn check_input(input: &LineInput) -> Result<Line, OrderError> {
    let mut problems = Problems::new();
    let line = Line {
        id: input.id,
        kind: input.kind,
        text: problems.take("/text", text::required_line(&input.text, LINE_TEXT_MAX)),
        sku: input
            .sku
            .as_ref()
            .map(|sku| problems.take("/sku", text::clean_sku(sku))),
        part: input.part,
        quantity: problems.take(
            "/quantity",
            Quantity::new(input.quantity).map(Quantity::as_i64),
        ),
        unit_minor: problems.take("/unit_price", price(input.unit_minor)),
        tax_bp: problems.take(
            "/tax_rate_bp",
            TaxRate::new(input.tax_bp).map(TaxRate::basis_points),
        ),
    };
    let is_part = line.kind == LineKind::Part;
    problems.check(
        is_part == line.part.is_some(),
        "/sku",
        "a part line names a part, and no other line does",
    );
    problems.finish(line).map_err(OrderError::Fields)
}

fn price(unit_minor: i64) -> Result<i64, MoneyError> {
    check_amount(unit_minor)?;
    if unit_minor < 0 {
        Err(MoneyError::Range)
    } else {
        Ok(unit_minor)
    }
}

fn check_totals(lines: Vec<Line>, order: &OrderView) -> Result<(), OrderError> {
    totals_of(&lines, order.prices_include_tax)?;
    Ok(())
}
