//! Money: the ledger of both sides, captures and statements, promises, money given back.

use super::outcome::in_days;
use super::{BusinessDay, Found, Outcome, Patience};
use crate::id::{PaymentId, ReceiptId, RefundId};
use crate::ledger::MoneyAccount;
use crate::money::Currency;
use crate::payment::Provider;
use std::collections::BTreeMap;

/// Accounts that only the branch moves; the others move with the provider's word, which each side hears when it does.
const OWN: [MoneyAccount; 6] = [
    MoneyAccount::Till,
    MoneyAccount::Safe,
    MoneyAccount::Deposits,
    MoneyAccount::Revenue,
    MoneyAccount::Tax,
    MoneyAccount::Difference,
];

/// The ledger of both sides.
#[derive(Debug, Clone)]
pub struct LedgerFacts {
    /// The branch's currency.
    pub currency: Currency,
    /// Balances as the branch says.
    pub said: BTreeMap<MoneyAccount, i64>,
    /// Balances by the branch's own entries at that place of the log.
    pub ours: BTreeMap<MoneyAccount, i64>,
    /// Entries behind that.
    pub entries: u64,
    /// What all accounts of a currency come to now.
    pub sums: Vec<(Currency, i64)>,
}

/// Judges the ledger.
pub fn judge_ledger(facts: &LedgerFacts) -> Outcome {
    let mut outcome = Outcome::default();
    let currency = facts.currency;
    outcome.count("entries", facts.entries);
    let of = |balances: &BTreeMap<MoneyAccount, i64>, account| {
        balances.get(&account).copied().unwrap_or_default()
    };
    for account in OWN {
        let (said, ours) = (of(&facts.said, account), of(&facts.ours, account));
        outcome.money(account.as_str(), ours, currency);
        if said != ours {
            let detail = format!("{said} at the branch, {ours} at the hub");
            let found = Found::red("account", account, detail);
            outcome.add(found.with(ours.saturating_sub(said), currency));
        }
    }
    let rest = |balances: &BTreeMap<MoneyAccount, i64>| {
        let others = balances
            .iter()
            .filter(|(account, _)| !OWN.contains(account));
        others.fold(0_i64, |sum, (_, balance)| sum.saturating_add(*balance))
    };
    let (said, ours) = (rest(&facts.said), rest(&facts.ours));
    if said != ours {
        let detail = format!("all others: {said} at the branch, {ours} at the hub");
        let found = Found::red("account", "others", detail);
        outcome.add(found.with(ours.saturating_sub(said), currency));
    }
    for (currency, sum) in facts.sums.iter().filter(|(_, sum)| *sum != 0) {
        let detail = format!("the accounts come to {sum}, not to zero");
        outcome.add(Found::red("currency", currency, detail).with(*sum, *currency));
    }
    outcome
}

/// Lines of a statement about one payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinesOfPayment {
    /// Charges.
    pub charges: u32,
    /// What they come to.
    pub charged_minor: i64,
    /// What refunds come to, below zero.
    pub refunded_minor: i64,
    /// The currency; none where there are several.
    pub currency: Option<Currency>,
}

/// A payment that was captured, or that a line speaks of.
#[derive(Debug, Clone)]
pub struct SettledPayment {
    /// The payment.
    pub payment: PaymentId,
    /// The currency.
    pub currency: Currency,
    /// What was asked for.
    pub asked_minor: i64,
    /// What came.
    pub captured_minor: i64,
    /// What went back by a provider.
    pub repaid_minor: i64,
    /// When it was last heard of.
    pub updated_ms: i64,
    /// What the statement says.
    pub lines: Option<LinesOfPayment>,
}

/// A line of a statement that belongs to nothing we know.
#[derive(Debug, Clone)]
pub struct UnmatchedLine {
    /// Whose statement.
    pub provider: Provider,
    /// The line.
    pub reference: String,
    /// What it is.
    pub kind: String,
    /// The amount.
    pub amount_minor: i64,
    /// The currency.
    pub currency: Currency,
}

/// What a payout says of one line that it pays out.
#[derive(Debug, Clone)]
pub struct Member {
    /// The payout.
    pub payout: String,
    /// The line in it.
    pub reference: String,
    /// What it says.
    pub said_minor: i64,
    /// What the line comes to, less its fee.
    pub due_minor: i64,
    /// The currency.
    pub currency: Currency,
}

/// A payout and the sum of its lines.
#[derive(Debug, Clone)]
pub struct Payout {
    /// The payout.
    pub payout: String,
    /// What was sent to the bank.
    pub sent_minor: i64,
    /// What its lines come to.
    pub lines_minor: i64,
    /// The currency.
    pub currency: Currency,
}

/// Captures and the provider's statement.
#[derive(Debug, Clone, Default)]
pub struct PaymentsFacts {
    /// Payments that were captured, or that a line speaks of.
    pub payments: Vec<SettledPayment>,
    /// Lines of nobody.
    pub unmatched: Vec<UnmatchedLine>,
    /// What payouts say of lines.
    pub members: Vec<Member>,
    /// Payouts.
    pub payouts: Vec<Payout>,
    /// How many agree and are not among these.
    pub matched: u64,
}

/// Judges captures against the statement.
pub fn judge_payments(facts: &PaymentsFacts, day: &BusinessDay, patience: Patience) -> Outcome {
    let mut outcome = Outcome::default();
    let (mut waiting, mut agree) = (0_u64, facts.matched);
    for payment in &facts.payments {
        match judge_payment(payment, day, patience) {
            Settled::Agrees => agree += 1,
            Settled::Waits => waiting += 1,
            Settled::Not(found) => found.into_iter().for_each(|one| outcome.add(one)),
        }
    }
    for line in &facts.unmatched {
        let detail = format!("{} line of {} belongs to nothing", line.kind, line.provider);
        let found = Found::red("settlement", &line.reference, detail);
        outcome.add(found.with(line.amount_minor, line.currency));
    }
    for member in &facts.members {
        let short = member.said_minor.saturating_sub(member.due_minor);
        if short != 0 {
            let detail = format!(
                "payout {} pays {} for it, {} is due",
                member.payout, member.said_minor, member.due_minor
            );
            let found = Found::red("payout", &member.reference, detail);
            outcome.add(found.with(short, member.currency));
        }
    }
    for payout in &facts.payouts {
        let short = payout.sent_minor.saturating_sub(payout.lines_minor);
        if short != 0 {
            let detail = format!(
                "{} was sent, its lines come to {}",
                payout.sent_minor, payout.lines_minor
            );
            let found = Found::red("payout", &payout.payout, detail);
            outcome.add(found.with(short, payout.currency));
        }
    }
    outcome.count("matched", agree);
    outcome.count("waiting", waiting);
    outcome.count("unmatched_lines", facts.unmatched.len());
    outcome.count("payouts", facts.payouts.len());
    outcome
}

enum Settled {
    Agrees,
    Waits,
    Not(Vec<Found>),
}

fn judge_payment(payment: &SettledPayment, day: &BusinessDay, patience: Patience) -> Settled {
    let mut found = Vec::new();
    let id = &payment.payment;
    let currency = payment.currency;
    let more = payment.captured_minor.saturating_sub(payment.asked_minor);
    if more > 0 {
        let detail = format!(
            "captured twice: {} was asked for, {} came",
            payment.asked_minor, payment.captured_minor
        );
        found.push(Found::red("payment", id, detail).with(more, currency));
    }
    let is_due = day.is_older(payment.updated_ms, patience.settle_days);
    let Some(lines) = payment.lines else {
        if !found.is_empty() {
            return Settled::Not(found);
        }
        if !is_due {
            return Settled::Waits;
        }
        let detail = "captured, and not on the provider's statement";
        let missing = Found::red("payment", id, detail);
        return Settled::Not(vec![missing.with(payment.captured_minor, currency)]);
    };
    if lines.currency != Some(currency) {
        let detail = "the provider's statement has it in another currency";
        found.push(Found::red("payment", id, detail).with(lines.charged_minor, currency));
    }
    let difference = lines.charged_minor.saturating_sub(payment.captured_minor);
    // A charge may come with the next statement, so too little is only wrong when it is due.
    if difference > 0 || (difference < 0 && is_due) {
        let detail = format!(
            "{} was captured, the provider's statement says {}",
            payment.captured_minor, lines.charged_minor
        );
        found.push(Found::red("payment", id, detail).with(difference, currency));
    }
    let back = lines.refunded_minor.saturating_add(payment.repaid_minor);
    if back < 0 || (back > 0 && is_due) {
        let detail = format!(
            "{} was given back, the provider's statement says {}",
            payment.repaid_minor,
            lines.refunded_minor.saturating_neg()
        );
        found.push(Found::red("payment", id, detail).with(back, currency));
    }
    if !found.is_empty() {
        Settled::Not(found)
    } else if difference == 0 && back == 0 {
        Settled::Agrees
    } else {
        Settled::Waits
    }
}

/// A card payment that is asked for and not captured.
#[derive(Debug, Clone, Copy)]
pub struct OpenPromise {
    /// The payment.
    pub payment: PaymentId,
    /// What is open of it.
    pub open_minor: i64,
    /// When it was asked for.
    pub since_ms: i64,
}

/// What a branch has promised.
#[derive(Debug, Clone)]
pub struct PromiseFacts {
    /// The currency.
    pub currency: Currency,
    /// The most that it may.
    pub limit_minor: i64,
    /// How old a promise may be, in days.
    pub days: u16,
    /// How many are open.
    pub count: u64,
    /// What is open in all.
    pub open_minor: i64,
    /// The oldest.
    pub open: Vec<OpenPromise>,
}

/// Judges promises.
pub fn judge_promises(facts: &PromiseFacts, day: &BusinessDay) -> Outcome {
    let mut outcome = Outcome::default();
    let currency = facts.currency;
    outcome.count("open", facts.count);
    outcome.money("exposure", facts.open_minor, currency);
    outcome.money("limit", facts.limit_minor, currency);
    let over = facts.open_minor.saturating_sub(facts.limit_minor);
    if over > 0 {
        let detail = format!(
            "{} is promised, {} is the limit",
            facts.open_minor, facts.limit_minor
        );
        outcome.add(Found::red("exposure", currency, detail).with(over, currency));
    }
    for promise in &facts.open {
        if day.is_older(promise.since_ms, facts.days) {
            let age = in_days(day.age_days(promise.since_ms));
            let detail = format!("promised {age} ago and not captured");
            let found = Found::amber("payment", promise.payment, detail);
            outcome.add(found.with(promise.open_minor, currency));
        }
    }
    outcome
}

/// More went back than came.
#[derive(Debug, Clone, Copy)]
pub struct OverRepaid {
    /// The payment.
    pub payment: PaymentId,
    /// The currency.
    pub currency: Currency,
    /// What came.
    pub captured_minor: i64,
    /// What went back.
    pub repaid_minor: i64,
}

/// Something that waits for a word.
#[derive(Debug, Clone, Copy)]
pub struct WaitingRefund {
    /// The refund.
    pub refund: RefundId,
    /// The currency.
    pub currency: Currency,
    /// How much.
    pub amount_minor: i64,
    /// Since when.
    pub since_ms: i64,
}

/// Money given back.
#[derive(Debug, Clone, Default)]
pub struct RefundsFacts {
    /// Refunds of the day.
    pub refunds: u64,
    /// Payments of which more went back than came.
    pub over: Vec<OverRepaid>,
    /// Receipts of which more was given back than they came to: receipt, paid, given back, currency.
    pub receipts_over: Vec<(ReceiptId, i64, i64, Currency)>,
    /// Refunds that nobody decided.
    pub undecided: Vec<WaitingRefund>,
    /// Payments whose provider has not given back yet: payment, open, since when, currency.
    pub due: Vec<(PaymentId, i64, i64, Currency)>,
}

/// Judges money given back.
pub fn judge_refunds(facts: &RefundsFacts, day: &BusinessDay, patience: Patience) -> Outcome {
    let mut outcome = Outcome::default();
    outcome.count("refunds", facts.refunds);
    outcome.count("undecided", facts.undecided.len());
    for over in &facts.over {
        let more = over.repaid_minor.saturating_sub(over.captured_minor);
        let detail = format!(
            "{} came, {} was given back",
            over.captured_minor, over.repaid_minor
        );
        outcome.add(Found::red("payment", over.payment, detail).with(more, over.currency));
    }
    for (receipt, paid, back, currency) in &facts.receipts_over {
        let detail = format!("it came to {paid}, {back} was given back");
        let found = Found::red("receipt", receipt, detail);
        outcome.add(found.with(back.saturating_sub(*paid), *currency));
    }
    for refund in &facts.undecided {
        let detail = match day.age_days(refund.since_ms) {
            0 => "waits for a decision since this day".to_owned(),
            days => format!("has waited for a decision for {}", in_days(days)),
        };
        let found = Found::amber("refund", refund.refund, detail);
        outcome.add(found.with(refund.amount_minor, refund.currency));
    }
    for (payment, open_minor, since_ms, currency) in &facts.due {
        if day.is_older(*since_ms, patience.settle_days) {
            let age = in_days(day.age_days(*since_ms));
            let detail = format!("the provider has not given it back for {age}");
            outcome.add(Found::amber("payment", payment, detail).with(*open_minor, *currency));
        }
    }
    outcome
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        reason = "a test fails by panicking"
    )]

    use super::super::{CheckState, DAY_MS};
    use super::*;

    const DAY: BusinessDay = BusinessDay {
        day: 20_000,
        start_ms: 20_000 * DAY_MS,
        end_ms: 20_001 * DAY_MS,
    };

    fn payment(captured: i64, lines: Option<(i64, i64)>, days: i64) -> PaymentsFacts {
        let lines = lines.map(|(charged_minor, refunded_minor)| LinesOfPayment {
            charges: 1,
            charged_minor,
            refunded_minor,
            currency: Some(Currency::EUR),
        });
        PaymentsFacts {
            payments: vec![SettledPayment {
                payment: PaymentId::from_bytes([1; 16]),
                currency: Currency::EUR,
                asked_minor: 1_000,
                captured_minor: captured,
                repaid_minor: 0,
                updated_ms: DAY.end_ms - days * DAY_MS - 1,
                lines,
            }],
            ..PaymentsFacts::default()
        }
    }

    fn judged(facts: &PaymentsFacts) -> (CheckState, Option<i64>) {
        let outcome = judge_payments(facts, &DAY, Patience::default());
        let amount = outcome.records().first().and_then(|found| found.amount);
        (outcome.state(), amount.map(|(minor, _)| minor))
    }

    #[test]
    fn captures_match_their_lines_or_wait_for_them() {
        assert_eq!(judged(&payment(1_000, None, 1)), (CheckState::Green, None));
        assert_eq!(
            judged(&payment(1_000, None, 7)),
            (CheckState::Red, Some(1_000))
        );
        let agrees = payment(1_000, Some((1_000, 0)), 9);
        assert_eq!(judged(&agrees), (CheckState::Green, None));
        let short = payment(1_000, Some((970, 0)), 9);
        assert_eq!(judged(&short), (CheckState::Red, Some(-30)));
        let unknown = payment(0, Some((1_000, 0)), 0);
        assert_eq!(judged(&unknown), (CheckState::Red, Some(1_000)));
        let twice = payment(2_000, None, 0);
        assert_eq!(judged(&twice), (CheckState::Red, Some(1_000)));
        let back = payment(1_000, Some((1_000, -200)), 0);
        assert_eq!(judged(&back), (CheckState::Red, Some(-200)));
    }

    #[test]
    fn a_payout_is_the_sum_of_its_lines() {
        let facts = PaymentsFacts {
            payouts: vec![Payout {
                payout: "po_1".to_owned(),
                sent_minor: 941,
                lines_minor: 971,
                currency: Currency::EUR,
            }],
            ..PaymentsFacts::default()
        };
        assert_eq!(judged(&facts), (CheckState::Red, Some(-30)));
    }

    #[test]
    fn the_ledger_agrees_account_by_account() {
        let balances = BTreeMap::from([
            (MoneyAccount::Till, 500),
            (MoneyAccount::Card, 500),
            (MoneyAccount::Revenue, -1_000),
        ]);
        let mut facts = LedgerFacts {
            currency: Currency::EUR,
            said: balances.clone(),
            ours: balances,
            entries: 3,
            sums: vec![(Currency::EUR, 0)],
        };
        assert_eq!(judge_ledger(&facts).state(), CheckState::Green);
        // The provider's word reached one side only: the sum of the others is the same.
        facts.ours.insert(MoneyAccount::Card, 0);
        facts.ours.insert(MoneyAccount::Promised, 500);
        assert_eq!(judge_ledger(&facts).state(), CheckState::Green);
        facts.ours.insert(MoneyAccount::Till, 400);
        let outcome = judge_ledger(&facts);
        assert_eq!(outcome.records()[0].subject, "till");
        assert_eq!(outcome.records()[0].amount, Some((-100, Currency::EUR)));
        facts.sums = vec![(Currency::EUR, -100)];
        assert_eq!(judge_ledger(&facts).found(), 2);
    }

    #[test]
    fn promises_have_a_limit_and_an_age() {
        let facts = |open_minor, days| PromiseFacts {
            currency: Currency::EUR,
            limit_minor: 1_000,
            days: 3,
            count: 1,
            open_minor,
            open: vec![OpenPromise {
                payment: PaymentId::from_bytes([1; 16]),
                open_minor,
                since_ms: DAY.end_ms - days * DAY_MS - 1,
            }],
        };
        let state = |open_minor, days| judge_promises(&facts(open_minor, days), &DAY).state();
        assert_eq!(state(1_000, 2), CheckState::Green);
        assert_eq!(state(1_000, 3), CheckState::Amber);
        assert_eq!(state(1_001, 0), CheckState::Red);
    }

    #[test]
    fn no_more_goes_back_than_came() {
        let mut facts = RefundsFacts::default();
        let state = |facts: &RefundsFacts| judge_refunds(facts, &DAY, Patience::default()).state();
        assert_eq!(state(&facts), CheckState::Green);
        facts.undecided.push(WaitingRefund {
            refund: RefundId::from_bytes([1; 16]),
            currency: Currency::EUR,
            amount_minor: 5,
            since_ms: DAY.start_ms,
        });
        assert_eq!(state(&facts), CheckState::Amber);
        facts.over.push(OverRepaid {
            payment: PaymentId::from_bytes([1; 16]),
            currency: Currency::EUR,
            captured_minor: 10,
            repaid_minor: 11,
        });
        assert_eq!(state(&facts), CheckState::Red);
    }
}
