//! Payments: their records, where the money stands after each, and what providers are asked.
//!
//! What a receipt does to the ledger is posted with it; every later record moves the money from where it stood.

use domain::id::{BranchId, PaymentId};
use domain::money::Currency;
use domain::payment::{
    Hold, PaymentAgain, PaymentCancelled, PaymentFold, PaymentRecord, PaymentResult,
    RepaymentOutcome, RepaymentResult, fold_payment, payment_postings,
};
use sync_protocol::item::encode_body;

use super::{At, Money, MoneyWrites, PaymentHistory};
use crate::app::apply::{Entry, Work};
use crate::app::publish::Publication;
use crate::store::payments::hold::HoldWrite;
use crate::store::payments::payment::{Belongs, PaymentWrite, RecordWrite};

impl MoneyWrites {
    /// What payments come to after all that was applied.
    pub(crate) fn payment_rows(&self, money: &Money) -> Vec<PaymentWrite> {
        self.payments
            .iter()
            .filter_map(|(payment, updated_ms)| {
                let history = money.payments.get(payment)?.as_ref()?;
                Some(PaymentWrite {
                    payment: *payment,
                    belongs: history.belongs,
                    fold: fold_payment(&history.records),
                    reference: newest_reference(&history.records),
                    updated_ms: *updated_ms,
                })
            })
            .collect()
    }
}

fn newest_reference(records: &[PaymentRecord]) -> String {
    let references = records.iter().filter_map(|record| match record {
        PaymentRecord::Result(result) => Some(&result.reference),
        _ => None,
    });
    references
        .rev()
        .find(|reference| !reference.is_empty())
        .cloned()
        .unwrap_or_default()
}

impl Work {
    pub(super) fn is_foreign(&self, payment: PaymentId, branch: BranchId) -> bool {
        let known = self.money.payments.get(&payment).and_then(Option::as_ref);
        known.is_some_and(|known| known.belongs.branch != branch)
    }

    pub(super) fn apply_cancelled(
        &mut self,
        entry: &Entry,
        index: u16,
        cancelled: PaymentCancelled,
    ) {
        if self.is_foreign(cancelled.payment, entry.branch) {
            self.contradiction(entry, index, "it calls off a payment of another branch");
            return;
        }
        let at = At { item: index, n: 0 };
        let body = encode_body(&cancelled);
        let record = PaymentRecord::Cancelled;
        self.payment_record(entry, at, cancelled.payment, None, record, body);
        let payment = cancelled.payment;
        self.job(entry, at, "cancel", *payment.as_bytes(), payment);
    }

    /// Another attempt is asked of the provider once those before are over; the job's place is the attempt.
    pub(super) fn apply_again(&mut self, entry: &Entry, index: u16, again: PaymentAgain) {
        if self.is_foreign(again.payment, entry.branch) {
            let what = "it asks again for a payment of another branch";
            self.contradiction(entry, index, what);
            return;
        }
        let at = At {
            item: index,
            n: again.attempt,
        };
        let payment = again.payment;
        self.job(entry, at, "again", *payment.as_bytes(), payment);
    }

    pub(super) fn apply_hold(&mut self, entry: &Entry, hold: Hold) {
        self.writes.money.holds.push(HoldWrite {
            branch: entry.branch,
            payment: hold.payment,
            order: hold.order,
            until_ms: hold.until_ms,
            state: hold.state,
        });
    }

    pub(super) fn apply_result(
        &mut self,
        entry: &Entry,
        index: u16,
        result: &PaymentResult,
        publication: &mut Publication,
    ) {
        let at = At { item: index, n: 0 };
        let record = PaymentRecord::Result(result.clone());
        let body = encode_body(result);
        let Some(branch) = self.payment_record(entry, at, result.payment, None, record, body)
        else {
            self.park_item(entry, index, "nobody asked for this payment".to_owned());
            return;
        };
        let raw = &entry.transaction.items[usize::from(index)];
        publication.private(branch, index, raw);
    }

    pub(super) fn apply_repayment(
        &mut self,
        entry: &Entry,
        index: u16,
        result: &RepaymentResult,
        publication: &mut Publication,
    ) {
        let at = At { item: index, n: 0 };
        let record = PaymentRecord::Repayment(result.clone());
        let body = encode_body(result);
        let Some(branch) = self.payment_record(entry, at, result.payment, None, record, body)
        else {
            self.park_item(entry, index, "nobody asked for this payment".to_owned());
            return;
        };
        if self.is_asked_by_hub(result) {
            let subject = *result.repayment.as_bytes();
            self.job_of(branch, entry, at, "repay", subject, result.payment);
        }
        if let Some(posting) = result.postings() {
            let currency = self.currency_of(result.payment);
            let subject = *result.repayment.as_bytes();
            self.post(entry, index, branch, currency, subject, &[posting]);
        }
        let raw = &entry.transaction.items[usize::from(index)];
        publication.private(branch, index, raw);
    }

    /// Whether this is the hub's own wish to give back: the first word on it, and no refund of a branch asks for it. What
    /// a provider says of it comes later.
    fn is_asked_by_hub(&self, result: &RepaymentResult) -> bool {
        let known = self
            .money
            .payments
            .get(&result.payment)
            .and_then(Option::as_ref);
        let records = known
            .map(|known| known.records.as_slice())
            .unwrap_or_default();
        let earlier = records.iter().rev().skip(1);
        let mut of_it = earlier.filter(|record| match record {
            PaymentRecord::RepaymentAsked { repayment, .. } => *repayment == result.repayment,
            PaymentRecord::Repayment(former) => former.repayment == result.repayment,
            _ => false,
        });
        result.outcome == RepaymentOutcome::Asked && of_it.next().is_none()
    }

    fn currency_of(&self, payment: PaymentId) -> Currency {
        let known = self.money.payments.get(&payment).and_then(Option::as_ref);
        known.map_or_else(Currency::default, |known| known.belongs.currency)
    }

    /// Keeps a record of a payment. What a receipt does to the ledger is posted with it; every later record moves the
    /// money from where it stood to where it stands. Gives the branch, where the payment is known.
    pub(super) fn payment_record(
        &mut self,
        entry: &Entry,
        at: At,
        payment: PaymentId,
        belongs: Option<Belongs>,
        record: PaymentRecord,
        body: Vec<u8>,
    ) -> Option<BranchId> {
        let known = self.money.payments.entry(payment).or_default();
        if known.is_none() && belongs.is_none() && entry.by_hub() {
            return None;
        }
        let history = known.get_or_insert_with(|| PaymentHistory {
            belongs: belongs.unwrap_or(Belongs {
                branch: entry.branch,
                receipt: None,
                currency: Currency::default(),
                way: None,
                created_ms: entry.at_ms(),
            }),
            records: Vec::new(),
        });
        if let Some(belongs) = belongs {
            history.belongs = Belongs {
                created_ms: history.belongs.created_ms,
                ..belongs
            };
        }
        let before = fold_payment(&history.records);
        history.records.push(record);
        let after = fold_payment(&history.records);
        let Belongs {
            branch, currency, ..
        } = history.belongs;
        let kind = entry.transaction.items[usize::from(at.item)].kind();
        self.writes.money.records.push(RecordWrite {
            branch,
            payment,
            ord: entry.ord,
            position: entry.position,
            item: at.item,
            n: at.n,
            kind,
            body,
            staff: entry.header().staff,
            at_ms: entry.at_ms(),
        });
        self.writes.money.payments.insert(payment, entry.at_ms());
        if before.tender.is_some() {
            let postings = payment_postings(&before, &after);
            self.post(
                entry,
                at.item,
                branch,
                currency,
                *payment.as_bytes(),
                &postings,
            );
        }
        self.watch_payment(entry, branch, payment, &before, &after);
        Some(branch)
    }

    /// Money that came twice, or although the branch had called it off, is for people to give back.
    fn watch_payment(
        &mut self,
        entry: &Entry,
        branch: BranchId,
        payment: PaymentId,
        before: &PaymentFold,
        after: &PaymentFold,
    ) {
        let owed = |fold: &PaymentFold| {
            let unwanted = fold.called_off && fold.captured_minor > 0 && fold.left_minor() > 0;
            fold.is_overpaid() || unwanted
        };
        if owed(before) == owed(after) {
            return;
        }
        let detail = owed(after).then(|| {
            if after.is_overpaid() {
                "more came than was asked for; give the rest back".to_owned()
            } else {
                "it was called off and came all the same; give it back".to_owned()
            }
        });
        self.except(
            branch,
            "payment",
            *payment.as_bytes(),
            entry.at_ms(),
            detail,
        );
    }
}
