//! Giving back at the hub what came too much, or came although it was called off.
//!
//! The request is a fact of the hub's log that names the capture; how much goes back follows from the records before
//! it, so that asking the provider again always asks for the same. A refund of goods is the branch's, by a paper.

use std::collections::BTreeMap;

use domain::day::MoneyCorrection;
use domain::id::{BranchId, CorrectionId, PaymentId, RepaymentId};
use domain::ledger::MoneyAccount;
use domain::money::{Currency, Money};
use domain::payment::{PaymentRecord, PaymentResult, Provider, RepaymentOutcome, RepaymentResult};
use domain::text::{REASON_MAX, required_line};
use domain::till::{Tender, TillRules};
use sync_protocol::item::Item;

use crate::app::HubTx;
use crate::app::error::AppError;
use crate::app::session::Person;
use crate::store::payments::payment::records;
use crate::store::payments::read as store;

/// Why the ledger moves again once money of a payment that was called off went back.
const OWED_AGAIN: &str = "called off, came all the same and was given back: it is owed again";

/// One capture that is given back, in whole or in part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The provider's name for what was captured.
    pub reference: String,
    /// Who holds it.
    pub provider: Provider,
    /// How much of it.
    pub amount_minor: i64,
}

#[derive(Debug)]
struct Capture {
    attempt: u16,
    reference: String,
    provider: Provider,
    amount_minor: i64,
    given_minor: i64,
}

#[derive(Debug, Clone, Copy)]
struct Own {
    capture: usize,
    amount_minor: i64,
    went: bool,
}

/// Where the records of a payment leave it, in the order in which they were accepted.
#[derive(Debug, Default)]
struct Standing {
    asked_minor: Option<i64>,
    called_off: bool,
    captures: Vec<Capture>,
    by_branch: BTreeMap<RepaymentId, i64>,
    by_hub: BTreeMap<RepaymentId, Own>,
}

impl Standing {
    fn of<'a>(records: impl IntoIterator<Item = &'a PaymentRecord>) -> Self {
        let mut standing = Self::default();
        for record in records {
            standing.add(record);
        }
        standing
    }

    fn add(&mut self, record: &PaymentRecord) {
        match record {
            PaymentRecord::Asked { amount_minor, .. } => {
                self.asked_minor.get_or_insert(*amount_minor);
            }
            PaymentRecord::Cancelled => self.called_off = true,
            PaymentRecord::Result(result) => self.result(result),
            PaymentRecord::RepaymentAsked {
                repayment,
                amount_minor,
                ..
            } => {
                self.by_branch.entry(*repayment).or_insert(*amount_minor);
            }
            PaymentRecord::Repayment(result) => self.repayment(result),
        }
    }

    fn result(&mut self, result: &PaymentResult) {
        let is_known = |known: &Capture| known.attempt == result.attempt;
        if result.amount_minor > 0 && !self.captures.iter().any(is_known) {
            self.captures.push(Capture {
                attempt: result.attempt,
                reference: result.reference.clone(),
                provider: result.provider,
                amount_minor: result.amount_minor,
                given_minor: 0,
            });
        }
    }

    fn repayment(&mut self, result: &RepaymentResult) {
        if self.by_branch.contains_key(&result.repayment) {
            return;
        }
        let known = self.by_hub.get(&result.repayment).copied();
        match (result.outcome, known) {
            (RepaymentOutcome::Asked, None) => {
                let due = self.due().into_iter();
                let mut due =
                    due.filter(|(at, _)| self.captures[*at].reference == result.reference);
                let Some((capture, amount_minor)) = due.next() else {
                    return;
                };
                self.captures[capture].given_minor += amount_minor;
                let own = Own {
                    capture,
                    amount_minor,
                    went: false,
                };
                self.by_hub.insert(result.repayment, own);
            }
            (RepaymentOutcome::Repaid, Some(_)) => {
                if let Some(own) = self.by_hub.get_mut(&result.repayment) {
                    own.went = true;
                }
            }
            (RepaymentOutcome::Failed, Some(own)) if !own.went => {
                self.captures[own.capture].given_minor -= own.amount_minor;
                self.by_hub.remove(&result.repayment);
            }
            _ => {}
        }
    }

    fn captured_minor(&self) -> i64 {
        self.captures.iter().map(|one| one.amount_minor).sum()
    }

    /// What is due back of which capture, the newest first.
    fn due(&self) -> Vec<(usize, i64)> {
        let Some(asked_minor) = self.asked_minor else {
            return Vec::new();
        };
        let given: i64 = self.captures.iter().map(|one| one.given_minor).sum();
        let by_branch: i64 = self.by_branch.values().sum();
        let captured = self.captured_minor();
        let wanted = if self.called_off { 0 } else { asked_minor };
        let mut surplus = (captured - wanted.max(by_branch) - given).max(0);
        let mut due = Vec::new();
        for (at, capture) in self.captures.iter().enumerate().rev() {
            let part = surplus.min(capture.amount_minor - capture.given_minor);
            if part > 0 {
                due.push((at, part));
                surplus -= part;
            }
        }
        due
    }
}

/// What is due back of a payment and not asked of the provider yet.
pub fn due(records: &[PaymentRecord]) -> Vec<Due> {
    let standing = Standing::of(records);
    let of = |(at, amount_minor): (usize, i64)| {
        let capture = &standing.captures[at];
        Due {
            reference: capture.reference.clone(),
            provider: capture.provider,
            amount_minor,
        }
    };
    standing.due().into_iter().map(of).collect()
}

/// What a request of the hub gives back.
pub(super) fn asked_by_hub(records: &[PaymentRecord], wanted: RepaymentId) -> Option<Due> {
    let mut standing = Standing::default();
    for record in records {
        standing.add(record);
        if let Some(own) = standing.by_hub.get(&wanted) {
            let capture = &standing.captures[own.capture];
            return Some(Due {
                reference: capture.reference.clone(),
                provider: capture.provider,
                amount_minor: own.amount_minor,
            });
        }
    }
    None
}

/// The capture from which a branch's refund is given back: the newest of which so much is left.
pub(super) fn capture_with(records: &[PaymentRecord], amount_minor: i64) -> Option<String> {
    let standing = Standing::of(records);
    let has_room = |one: &&Capture| one.amount_minor - one.given_minor >= amount_minor;
    let found = standing.captures.iter().rev().find(has_room);
    found.map(|one| one.reference.clone())
}

/// What is owed again once this went back: what was asked for and came after it was called off. What came too much was
/// never owed.
pub(super) fn owed_again(
    records: &[PaymentRecord],
    branch: BranchId,
    amount: Money,
    id: CorrectionId,
) -> Option<Item> {
    let standing = Standing::of(records);
    let too_much = (standing.captured_minor() - standing.asked_minor?).max(0);
    let went: i64 = standing
        .by_hub
        .values()
        .filter(|own| own.went)
        .map(|own| own.amount_minor)
        .sum();
    let beyond = |given: i64| (given - too_much).max(0);
    let amount_minor = beyond(went + amount.amount_minor) - beyond(went);
    (amount_minor > 0).then(|| {
        Item::MoneyCorrection(MoneyCorrection {
            id,
            branch,
            from: MoneyAccount::RefundsDue,
            to: MoneyAccount::Receivable,
            amount_minor,
            currency: amount.currency,
            undoes: None,
            reason: OWED_AGAIN.to_owned(),
        })
    })
}

/// What is given back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenBack {
    /// How much.
    pub amount_minor: i64,
    /// The currency.
    pub currency: Currency,
    /// What asks the provider, one for each capture.
    pub repayments: Vec<RepaymentId>,
}

/// Has the provider give back what came too much, or came although it was called off; the outbox asks it.
///
/// # Errors
/// No such payment, nothing that is due back, more than the person may give, a bank, no reason.
pub async fn give_back(
    tx: &mut HubTx,
    person: &Person,
    payment: PaymentId,
    reason: &str,
) -> Result<GivenBack, AppError> {
    let row = store::payment(tx.sql(), payment)
        .await?
        .filter(|row| person.scope().allows(row.branch))
        .ok_or(AppError::NotFound { what: "payment" })?;
    let reason =
        required_line(reason, REASON_MAX).map_err(|error| AppError::field("/reason", error))?;
    let known = records(tx.sql(), &[payment]).await?;
    let known: Vec<PaymentRecord> = known.into_iter().map(|(_, record)| record).collect();
    let due = due(&known);
    let amount_minor: i64 = due.iter().map(|one| one.amount_minor).sum();
    if amount_minor == 0 {
        let detail = "nothing came too much; a refund of its receipt gives the rest back";
        return Err(AppError::conflict("nothing-due", detail));
    }
    if due.iter().any(|one| one.provider == Provider::Bank) {
        let detail =
            "a bank is not asked by the hub: transfer it, and match the line of the statement";
        return Err(AppError::conflict("by-bank", detail));
    }
    within_limit(tx, person, row.branch, amount_minor).await?;
    let mut repayments = Vec::new();
    for one in due {
        let repayment = RepaymentId::from_random(&mut tx.hub().env().entropy());
        tx.fact(Item::RepaymentResult(RepaymentResult {
            repayment,
            payment,
            attempt: 1,
            outcome: RepaymentOutcome::Asked,
            amount_minor: 0,
            tender: Tender::Card,
            provider: one.provider,
            reference: one.reference,
            detail: reason.clone(),
        }));
        repayments.push(repayment);
    }
    Ok(GivenBack {
        amount_minor,
        currency: row.currency,
        repayments,
    })
}

/// Refuses what is above the person's limit at this branch.
///
/// # Errors
/// 409 with the limit.
pub(super) async fn within_limit(
    tx: &mut HubTx,
    person: &Person,
    branch: BranchId,
    amount_minor: i64,
) -> Result<(), AppError> {
    let rules = rules_of(tx, branch).await?;
    match rules.refund_limit_minor(person.role) {
        Some(limit_minor) if amount_minor > limit_minor => {
            let detail = "this is more than your role may give back; a central manager may";
            Err(AppError::conflict("above-limit", detail).with("limit_minor", limit_minor))
        }
        _ => Ok(()),
    }
}

async fn rules_of(tx: &mut HubTx, branch: BranchId) -> Result<TillRules, AppError> {
    if let Some((_, rules)) = store::rules(tx.sql(), branch).await? {
        return Ok(rules);
    }
    let usual = store::rules(tx.sql(), BranchId::NIL).await?;
    Ok(usual.map(|(_, rules)| rules).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use domain::payment::PaymentOutcome;

    use super::*;

    const PAYMENT: PaymentId = PaymentId::from_bytes([1; 16]);

    fn asked() -> PaymentRecord {
        PaymentRecord::Asked {
            tender: Tender::Card,
            amount_minor: 100,
        }
    }

    fn captured(attempt: u16) -> PaymentRecord {
        PaymentRecord::Result(PaymentResult {
            payment: PAYMENT,
            attempt,
            outcome: PaymentOutcome::Captured,
            amount_minor: 100,
            tender: Tender::Card,
            provider: Provider::Stripe,
            reference: format!("pi_{attempt}"),
            detail: String::new(),
        })
    }

    fn back(id: u8, outcome: RepaymentOutcome, reference: &str) -> PaymentRecord {
        PaymentRecord::Repayment(RepaymentResult {
            repayment: RepaymentId::from_bytes([id; 16]),
            payment: PAYMENT,
            attempt: 1,
            outcome,
            amount_minor: if outcome == RepaymentOutcome::Repaid {
                100
            } else {
                0
            },
            tender: Tender::Card,
            provider: Provider::Stripe,
            reference: reference.to_owned(),
            detail: String::new(),
        })
    }

    fn amounts(records: &[PaymentRecord]) -> Vec<(String, i64)> {
        let due = due(records).into_iter();
        due.map(|one| (one.reference, one.amount_minor)).collect()
    }

    #[test]
    fn what_was_wanted_is_not_due_and_the_second_capture_is() {
        assert!(amounts(&[asked(), captured(1)]).is_empty());
        let mut records = vec![asked(), captured(1), captured(2), captured(2)];
        assert_eq!(amounts(&records), [("pi_2".to_owned(), 100)]);
        records.push(back(7, RepaymentOutcome::Asked, "pi_2"));
        assert!(amounts(&records).is_empty(), "it is asked for already");
        let repayment = RepaymentId::from_bytes([7; 16]);
        let asked_for = asked_by_hub(&records, repayment).map(|one| one.amount_minor);
        assert_eq!(asked_for, Some(100));
        assert_eq!(capture_with(&records, 100).as_deref(), Some("pi_1"));
        records.push(captured(3));
        let same = asked_by_hub(&records, repayment).map(|one| one.reference);
        assert_eq!(
            same.as_deref(),
            Some("pi_2"),
            "later records change nothing"
        );
        records.push(back(7, RepaymentOutcome::Failed, ""));
        assert_eq!(amounts(&records).len(), 2, "both are due again");
    }

    #[test]
    fn what_was_called_off_is_due_unless_the_branch_gives_it_back() {
        let mut records = vec![asked(), PaymentRecord::Cancelled, captured(1)];
        assert_eq!(amounts(&records), [("pi_1".to_owned(), 100)]);
        records.push(PaymentRecord::RepaymentAsked {
            repayment: RepaymentId::from_bytes([8; 16]),
            tender: Tender::Card,
            amount_minor: 40,
        });
        assert_eq!(amounts(&records), [("pi_1".to_owned(), 60)]);
    }

    #[test]
    fn only_what_was_asked_for_is_owed_again() {
        let amount = Money {
            amount_minor: 100,
            currency: Currency::EUR,
        };
        let id = CorrectionId::from_bytes([9; 16]);
        let branch = BranchId::from_bytes([2; 16]);
        let twice = [asked(), captured(1), captured(2)];
        assert_eq!(owed_again(&twice, branch, amount, id), None);
        let late = [asked(), PaymentRecord::Cancelled, captured(1)];
        assert!(owed_again(&late, branch, amount, id).is_some());
    }
}
