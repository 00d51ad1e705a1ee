//! Money in minor units of one currency, and tax in basis points.
//!
//! Amounts are whole minor units within ±10^13; no float and no silent overflow ever touches them. Tax is rounded half
//! away from zero.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// The greatest amount in minor units, either sign.
pub const MAX_AMOUNT_MINOR: i64 = 10_000_000_000_000;
/// The greatest tax rate in basis points (100 %).
pub const MAX_TAX_BP: u32 = 10_000;

/// Why a sum of money cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum MoneyError {
    /// Not three letters A–Z.
    #[error("a currency is three letters, such as EUR")]
    Currency,
    /// Two currencies in one sum.
    #[error("amounts of different currencies do not add up")]
    Mixed,
    /// Beyond ±10^13 minor units.
    #[error("the amount is out of range")]
    Range,
    /// A rate above 100 %.
    #[error("a tax rate is 0 to 10000 basis points")]
    TaxRate,
}

/// An ISO 4217 currency code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// The euro.
    pub const EUR: Self = Self(*b"EUR");

    /// The code as text.
    pub fn as_str(&self) -> &str {
        // Only letters A–Z get in, so this is always UTF-8.
        core::str::from_utf8(&self.0).unwrap_or("XXX")
    }

    /// How many digits stand behind the decimal point (ISO 4217).
    pub fn minor_digits(&self) -> u8 {
        match &self.0 {
            b"BIF" | b"CLP" | b"DJF" | b"GNF" | b"ISK" | b"JPY" | b"KMF" | b"KRW" | b"PYG"
            | b"RWF" | b"UGX" | b"UYI" | b"VND" | b"VUV" | b"XAF" | b"XOF" | b"XPF" => 0,
            b"BHD" | b"IQD" | b"JOD" | b"KWD" | b"LYD" | b"OMR" | b"TND" => 3,
            _ => 2,
        }
    }
}

impl Default for Currency {
    fn default() -> Self {
        Self::EUR
    }
}

impl core::str::FromStr for Currency {
    type Err = MoneyError;
    fn from_str(text: &str) -> Result<Self, MoneyError> {
        match text.as_bytes() {
            &[a, b, c] if [a, b, c].iter().all(u8::is_ascii_uppercase) => Ok(Self([a, b, c])),
            _ => Err(MoneyError::Currency),
        }
    }
}

impl core::fmt::Display for Currency {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.as_str())
    }
}

impl core::fmt::Debug for Currency {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_str(self.as_str())
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            String::deserialize(deserializer)?
                .parse()
                .map_err(serde::de::Error::custom)
        } else {
            let bytes = <[u8; 3]>::deserialize(deserializer)?;
            if bytes.iter().all(u8::is_ascii_uppercase) {
                Ok(Self(bytes))
            } else {
                Err(serde::de::Error::custom(MoneyError::Currency))
            }
        }
    }
}

/// An amount of one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "MoneyForm")]
pub struct Money {
    /// Minor units (cents), within ±[`MAX_AMOUNT_MINOR`].
    pub amount_minor: i64,
    /// The currency.
    pub currency: Currency,
}

#[derive(Deserialize)]
struct MoneyForm {
    amount_minor: i64,
    currency: Currency,
}

impl TryFrom<MoneyForm> for Money {
    type Error = MoneyError;
    fn try_from(form: MoneyForm) -> Result<Self, MoneyError> {
        Self::new(form.amount_minor, form.currency)
    }
}

impl Money {
    /// An amount within the bounds.
    pub fn new(amount_minor: i64, currency: Currency) -> Result<Self, MoneyError> {
        check_amount(amount_minor)?;
        Ok(Self {
            amount_minor,
            currency,
        })
    }

    /// Nothing, in this currency.
    pub const fn zero(currency: Currency) -> Self {
        Self {
            amount_minor: 0,
            currency,
        }
    }

    /// The sum.
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.combine(other, i64::checked_add)
    }

    /// The difference.
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.combine(other, i64::checked_sub)
    }

    /// So many times the amount.
    pub fn checked_mul(self, factor: i64) -> Result<Self, MoneyError> {
        let amount = self
            .amount_minor
            .checked_mul(factor)
            .ok_or(MoneyError::Range)?;
        Self::new(amount, self.currency)
    }

    fn combine(
        self,
        other: Self,
        sum: impl Fn(i64, i64) -> Option<i64>,
    ) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::Mixed);
        }
        let amount = sum(self.amount_minor, other.amount_minor).ok_or(MoneyError::Range)?;
        Self::new(amount, self.currency)
    }
}

/// Refuses an amount beyond ±[`MAX_AMOUNT_MINOR`].
pub fn check_amount(amount_minor: i64) -> Result<(), MoneyError> {
    if amount_minor.unsigned_abs() > MAX_AMOUNT_MINOR.unsigned_abs() {
        Err(MoneyError::Range)
    } else {
        Ok(())
    }
}

/// A tax rate in basis points, 0 to 10,000.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(try_from = "u32", into = "u32")]
pub struct TaxRate(u32);

impl TaxRate {
    /// A rate within the bounds.
    pub fn new(basis_points: u32) -> Result<Self, MoneyError> {
        if basis_points > MAX_TAX_BP {
            Err(MoneyError::TaxRate)
        } else {
            Ok(Self(basis_points))
        }
    }

    /// Basis points: 1900 is 19 %.
    pub const fn basis_points(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for TaxRate {
    type Error = MoneyError;
    fn try_from(basis_points: u32) -> Result<Self, MoneyError> {
        Self::new(basis_points)
    }
}

impl From<TaxRate> for u32 {
    fn from(rate: TaxRate) -> Self {
        rate.0
    }
}

/// The tax that an amount with tax contains, rounded half away from zero.
pub fn tax_included(gross_minor: i64, rate: TaxRate) -> i64 {
    let bp = i128::from(rate.0);
    divide_rounded(i128::from(gross_minor) * bp, 10_000 + bp)
}

/// The tax that comes on top of an amount without tax, rounded half away from zero.
pub fn tax_on_net(net_minor: i64, rate: TaxRate) -> i64 {
    divide_rounded(i128::from(net_minor) * i128::from(rate.0), 10_000)
}

/// A rate is at most 1, so the result always fits where the dividend came from.
fn divide_rounded(dividend: i128, divisor: i128) -> i64 {
    let rounded = (2 * dividend.abs() + divisor) / (2 * divisor);
    let signed = if dividend < 0 { -rounded } else { rounded };
    i64::try_from(signed).unwrap_or(if signed < 0 { i64::MIN } else { i64::MAX })
}
