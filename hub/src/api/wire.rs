//! What values look like outside: times, amounts, cursors of lists.

use domain::money::{Currency, Money};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use web_kit::{IfMatch, ListQuery, Problem};

use crate::app::error::AppError;
use crate::store::scope::Place;

/// A time, RFC 3339.
pub(crate) fn time(at_ms: i64) -> String {
    Timestamp::from_millisecond(at_ms)
        .unwrap_or(Timestamp::UNIX_EPOCH)
        .to_string()
}

/// An amount of money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Amount {
    /// Minor units, as in cents.
    #[schema(example = 4990, minimum = -10_000_000_000_000_i64, maximum = 10_000_000_000_000_i64)]
    pub amount_minor: i64,
    /// ISO 4217.
    #[schema(example = "EUR", pattern = "^[A-Z]{3}$")]
    pub currency: String,
}

impl Amount {
    /// # Errors
    /// 422 at `pointer` for a currency or an amount that there is not.
    pub(crate) fn read(&self, pointer: &str) -> Result<Money, AppError> {
        let currency = currency(&self.currency, &format!("{pointer}/currency"))?;
        Money::new(self.amount_minor, currency)
            .map_err(|error| AppError::field(format!("{pointer}/amount_minor"), error))
    }
}

/// # Errors
/// 422 at `pointer` for a currency that there is not.
pub(crate) fn currency(code: &str, pointer: &str) -> Result<Currency, AppError> {
    code.parse()
        .map_err(|_| AppError::field(pointer, "must be an ISO 4217 code such as EUR"))
}

/// Where a page of a list ordered by time begins.
///
/// # Errors
/// 422 for a cursor of another list.
pub(crate) fn place(page: &ListQuery, list: &'static str) -> Result<Option<Place>, Problem> {
    page.after::<Place>(list)
}

/// The caller's `If-Match` against a row's version.
pub(crate) fn check_version(if_match: IfMatch) -> impl FnOnce(u64) -> Result<(), AppError> + Send {
    move |version| {
        if_match
            .check(&web_kit::ETag::of_version(version))
            .map_err(|_| AppError::Stale)
    }
}
