//! Amounts as Stripe counts them: mostly our minor units, with its own exceptions.
//!
//! Stripe's list "Supported currencies", zero-decimal and special cases: MGA has no decimals there, ISK and UGX have two
//! that must be zero, and of three decimals the last must be zero. An amount is never rounded: what Stripe cannot take
//! exactly is refused here.

use domain::money::{Currency, Money};

use crate::payment::ProviderError;

/// What one unit of Stripe's is in ours, as a fraction.
fn ratio(currency: Currency) -> (i64, i64) {
    match currency.as_str() {
        "MGA" => (100, 1),
        "ISK" | "UGX" => (1, 100),
        _ => (1, 1),
    }
}

/// The amount for Stripe.
pub(super) fn to_stripe(amount: Money) -> Result<i64, ProviderError> {
    let refused = || ProviderError::Refused {
        code: "amount".to_owned(),
        message: format!(
            "Stripe cannot take {} minor units of {}",
            amount.amount_minor, amount.currency
        ),
    };
    let (ours, theirs) = ratio(amount.currency);
    let is_odd_mill = amount.currency.minor_digits() == 3 && amount.amount_minor % 10 != 0;
    if amount.amount_minor <= 0 || amount.amount_minor % ours != 0 || is_odd_mill {
        return Err(refused());
    }
    (amount.amount_minor / ours)
        .checked_mul(theirs)
        .ok_or_else(refused)
}

/// The amount of Stripe's in our minor units; none where it is no whole one.
pub(super) fn from_stripe(amount: i64, currency: Currency) -> Option<i64> {
    let (ours, theirs) = ratio(currency);
    (amount % theirs == 0)
        .then(|| amount / theirs)?
        .checked_mul(ours)
}

/// Stripe's name of a currency.
pub(super) fn name(currency: Currency) -> String {
    currency.as_str().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn sent(currency: &str, amount_minor: i64) -> Option<i64> {
        let money = Money::new(amount_minor, currency.parse().unwrap()).unwrap();
        to_stripe(money).ok()
    }

    #[test]
    fn exceptions_of_stripe_go_both_ways_and_nothing_is_rounded() {
        let table = [
            ("EUR", 1_999, Some(1_999)),
            ("JPY", 500, Some(500)),
            ("ISK", 500, Some(50_000)),
            ("MGA", 50_000, Some(500)),
            ("MGA", 50_050, None),
            ("KWD", 1_230, Some(1_230)),
            ("KWD", 1_234, None),
            ("EUR", 0, None),
        ];
        for (currency, ours, theirs) in table {
            assert_eq!(sent(currency, ours), theirs, "{currency} {ours}");
            if let Some(theirs) = theirs {
                assert_eq!(from_stripe(theirs, currency.parse().unwrap()), Some(ours));
            }
        }
        assert_eq!(from_stripe(150, "ISK".parse().unwrap()), None);
        assert_eq!(from_stripe(-1_999, Currency::EUR), Some(-1_999));
    }
}
