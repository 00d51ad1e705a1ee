//! The bank: transfers come by themselves and are seen in its statement, a file that a person brings.
//!
//! Nobody can be asked by this adapter: asking says *asked*, giving back says *asked* until a person transferred it and
//! the statement shows it. No money ever moves by a call here.

mod amount;
mod statement;

use domain::day::SettlementLine;
use domain::id::RepaymentId;
use domain::money::Money;
use domain::payment::{Provider, RepaymentOutcome};

use super::provider::{
    Answer, Ask, Find, Outcome, PaymentProvider, ProviderError, Repay, RepayStanding, Settlement,
    Standing,
};

pub use statement::{StatementEntry, StatementError, StatementFlaw, read_statement};

/// The bank, by its statement.
#[derive(Debug, Clone, Copy, Default)]
pub struct Bank;

fn waiting(reference: &str, amount: Option<Money>) -> Standing {
    Standing {
        reference: reference.to_owned(),
        outcome: Outcome::Asked {
            link: String::new(),
        },
        amount,
        payment: reference.parse().ok(),
        branch: None,
        attempt: None,
        at_ms: 0,
    }
}

fn by_statement<'a, T: Send + 'a>() -> Answer<'a, T> {
    Box::pin(std::future::ready(Err(ProviderError::Refused {
        code: "by_statement".to_owned(),
        message: "what a bank moved is read from its statement".to_owned(),
    })))
}

impl PaymentProvider for Bank {
    fn provider(&self) -> Provider {
        Provider::Bank
    }

    fn ask<'a>(&'a self, ask: &'a Ask) -> Answer<'a, Standing> {
        let mut standing = waiting(&ask.payment.to_string(), Some(ask.amount));
        standing.branch = Some(ask.branch);
        standing.attempt = Some(ask.attempt);
        Box::pin(std::future::ready(Ok(standing)))
    }

    fn look<'a>(&'a self, reference: &'a str) -> Answer<'a, Standing> {
        Box::pin(std::future::ready(Ok(waiting(reference, None))))
    }

    fn find(&self, _find: Find) -> Answer<'_, Vec<Standing>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }

    fn capture<'a>(&'a self, _reference: &'a str, _amount: Money) -> Answer<'a, Standing> {
        by_statement()
    }

    fn cancel<'a>(&'a self, reference: &'a str) -> Answer<'a, Standing> {
        let mut standing = waiting(reference, None);
        standing.outcome = Outcome::Cancelled;
        Box::pin(std::future::ready(Ok(standing)))
    }

    fn repay<'a>(&'a self, repay: &'a Repay) -> Answer<'a, RepayStanding> {
        Box::pin(std::future::ready(Ok(RepayStanding {
            reference: repay.repayment.to_string(),
            outcome: RepaymentOutcome::Asked,
            amount: repay.amount,
            reason: String::new(),
        })))
    }

    fn find_repayment<'a>(
        &'a self,
        _repayment: RepaymentId,
        _reference: &'a str,
    ) -> Answer<'a, Option<RepayStanding>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    fn settlement<'a>(&'a self, _settlement: &'a Settlement) -> Answer<'a, Vec<SettlementLine>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }
}
