//! How a basket is paid: what was typed into the form, as tenders that come to what is due.

use domain::money::Currency;
use serde::Deserialize;
use web_kit::wire::money;

use super::basket::{Basket, BasketFields, minor};
use crate::app::till::TenderInput;
use crate::web::view::View;

/// The form as typed.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct PayForm {
    #[serde(default)]
    customer: Vec<String>,
    #[serde(default)]
    claim: Vec<String>,
    #[serde(default)]
    order: Vec<String>,
    #[serde(default)]
    deposit: Vec<String>,
    #[serde(default)]
    ahead: Vec<String>,
    #[serde(default)]
    part: Vec<String>,
    #[serde(default)]
    n: Vec<String>,
    /// What the page said was due, in minor units.
    #[serde(default)]
    pub(super) due: String,
    #[serde(default)]
    pub(super) tender: String,
    #[serde(default)]
    pub(super) given: String,
    #[serde(default)]
    pub(super) note: String,
    #[serde(default)]
    pub(super) cash: String,
    #[serde(default)]
    pub(super) bank: String,
    #[serde(default)]
    pub(super) card: String,
}

/// Why the form says no tenders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unpaid {
    /// A field is no amount.
    Amount(&'static str),
    /// Less was given than is due.
    Given(i64),
    /// The parts come to more.
    Over,
    /// The parts come to less by so much.
    Short(i64),
}

impl PayForm {
    /// The basket that it pays.
    pub(super) fn basket(&self) -> Basket {
        let fields = BasketFields {
            customer: self.customer.clone(),
            claim: self.claim.clone(),
            order: self.order.clone(),
            deposit: self.deposit.clone(),
            ahead: self.ahead.clone(),
            part: self.part.clone(),
            n: self.n.clone(),
        };
        fields.read(minor)
    }

    /// What the page said was due.
    pub(super) fn due_minor(&self) -> i64 {
        self.due.trim().parse().unwrap_or(0)
    }

    /// The tenders that it says.
    pub(super) fn tenders(
        &self,
        view: &View,
        currency: Currency,
    ) -> Result<Vec<TenderInput>, Unpaid> {
        let due = self.due_minor();
        let tender = |kind: &str, amount: i64, given: Option<i64>| TenderInput {
            tender: kind.to_owned(),
            amount: money(amount, currency),
            given: given.map(|given| money(given, currency)),
            via: None,
        };
        if due == 0 {
            return Ok(Vec::new());
        }
        let read = |field: &'static str, typed: &str| match typed.trim() {
            "" => Ok(None),
            typed => view
                .clock
                .read_amount(typed, currency.minor_digits())
                .filter(|minor| *minor >= 0)
                .map(Some)
                .ok_or(Unpaid::Amount(field)),
        };
        match self.tender.as_str() {
            kind @ ("card" | "bank" | "account") => Ok(vec![tender(kind, due, None)]),
            "split" => {
                let cash = read("cash", &self.cash)?.unwrap_or(0);
                let bank = read("bank", &self.bank)?.unwrap_or(0);
                let rest = due - cash - bank;
                let card = read("card", &self.card)?.unwrap_or(rest.max(0));
                match due - cash - bank - card {
                    0 => {}
                    left if left < 0 => return Err(Unpaid::Over),
                    left => return Err(Unpaid::Short(left)),
                }
                let parts = [("cash", cash), ("bank", bank), ("card", card)];
                Ok(parts
                    .into_iter()
                    .filter(|(_, amount)| *amount > 0)
                    .map(|(kind, amount)| tender(kind, amount, None))
                    .collect())
            }
            _ => {
                let quick = self.note.trim().parse().ok();
                let given = read("given", &self.given)?.or(quick).unwrap_or(due);
                if given < due {
                    return Err(Unpaid::Given(given));
                }
                Ok(vec![tender("cash", due, Some(given))])
            }
        }
    }
}

/// Amounts that people hand over for what is due: the next ones that single notes come to, the nearest first.
pub(super) fn likely_notes(due_minor: i64, denominations: &[i64], digits: u8) -> Vec<i64> {
    let unit = 10_i64.pow(u32::from(digits));
    let mut likely: Vec<i64> = denominations
        .iter()
        .copied()
        // Of fives and tens people make a sum up; of twenties and two hundreds they seldom do.
        .filter(|note| *note >= 5 * unit && note.to_string().starts_with(['1', '5']))
        .map(|note| (due_minor + note - 1) / note * note)
        .filter(|sum| *sum > due_minor)
        .collect();
    likely.sort_unstable();
    likely.dedup();
    likely.truncate(4);
    likely
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_hand_over_round_sums() {
        let euro = domain::cash::denominations(Currency::EUR);
        assert_eq!(
            likely_notes(12_290, &euro, 2),
            [12_500, 13_000, 15_000, 20_000]
        );
        assert_eq!(likely_notes(3_000, &euro, 2), [5_000, 10_000, 50_000]);
        assert_eq!(likely_notes(0, &euro, 2), Vec::<i64>::new());
    }
}
