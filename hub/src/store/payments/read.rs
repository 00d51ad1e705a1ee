//! Reading money for pages and programs.

mod branch;
mod payment;
mod receipt;
mod refund;
mod rules;
mod session;
mod settlement;

use domain::money::Currency;

pub use self::branch::*;
pub use self::payment::*;
pub use self::receipt::*;
pub use self::refund::*;
pub use self::rules::*;
pub use self::session::*;
pub use self::settlement::*;
use crate::error::HubError;

fn currency_of(code: &str) -> Result<Currency, HubError> {
    code.parse()
        .map_err(|_| HubError::Row("a currency that is none"))
}
