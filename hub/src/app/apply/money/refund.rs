//! Refunds: what they post and take back of orders, what they ask of providers, and those that ask for a word first.
//!
//! A refund that is there already gives nothing back again.

use std::collections::BTreeSet;

use domain::id::DocumentId;
use domain::payment::PaymentRecord;
use domain::till::{
    EarlierRefunds, Refund, RefundAsked, RefundDecided, RefundLine, RefundTotals, Tender,
};
use sync_protocol::item::encode_body;

use super::{At, head_of};
use crate::app::apply::{Entry, Work};
use crate::store::payments::paper::OrderMoneyWrite;
use crate::store::payments::refund::{AskedStep, DecidedWrite, RefundWrite};

impl Work {
    pub(super) fn apply_refund(&mut self, entry: &Entry, index: u16, refund: &Refund) {
        let known = self.money.refunds.entry(refund.id).or_default();
        if std::mem::replace(known, true) {
            self.contradiction(entry, index, "a refund with this id is there already");
            return;
        }
        let subject = *refund.id.as_bytes();
        let postings = refund.postings();
        self.post(
            entry,
            index,
            entry.branch,
            refund.currency,
            subject,
            &postings,
        );
        self.refund_of_orders(entry, index, refund);
        for (n, tender) in (0..).zip(&refund.tenders) {
            let at = At { item: index, n };
            let record = PaymentRecord::RepaymentAsked {
                repayment: tender.id,
                tender: tender.tender,
                amount_minor: tender.amount_minor,
            };
            if self.is_foreign(tender.payment, entry.branch) {
                self.contradiction(entry, index, "it gives back a payment of another branch");
                continue;
            }
            self.payment_record(entry, at, tender.payment, None, record, encode_body(tender));
            if tender.tender == Tender::Card {
                self.job(entry, at, "repay", *tender.id.as_bytes(), tender.payment);
            }
        }
        let head = head_of(entry);
        self.number(&head, refund.series, refund.number, subject);
        let given = AskedStep::Given(entry.branch, refund.id);
        self.writes.money.asked.push(given);
        self.writes.money.refunds.push(RefundWrite {
            head,
            refund: refund.clone(),
        });
    }

    /// What a refund takes back of what its receipt did for orders.
    fn refund_of_orders(&mut self, entry: &Entry, index: u16, refund: &Refund) {
        let history = self.money.receipts.get_mut(&refund.receipt);
        let history = history.and_then(Option::as_mut);
        let Some(history) = history.filter(|history| history.branch == entry.branch) else {
            self.contradiction(entry, index, "its receipt is not there");
            return;
        };
        let earlier = EarlierRefunds::of(&history.refunds);
        let of = |line: &RefundLine| history.receipt.line(line.line).and_then(|line| line.order);
        let orders: BTreeSet<DocumentId> = refund.lines.iter().filter_map(of).collect();
        for order in orders {
            let lines: Vec<RefundLine> = refund
                .lines
                .iter()
                .filter(|line| of(line) == Some(order))
                .copied()
                .collect();
            let back = RefundTotals::of(&history.receipt, &earlier, &lines).unwrap_or_default();
            self.writes.money.orders.push(OrderMoneyWrite {
                branch: entry.branch,
                order,
                paper: *refund.id.as_bytes(),
                invoiced_minor: back.deposits_minor - back.amount_minor,
                deposits_minor: -back.deposits_minor,
            });
        }
        history.refunds.push(refund.clone());
    }

    /// A refund that a branch may not give by itself waits for a word.
    pub(super) fn apply_asked(&mut self, entry: &Entry, asked: &RefundAsked) {
        let step = AskedStep::Asked(head_of(entry), asked.clone());
        self.writes.money.asked.push(step);
    }

    pub(super) fn apply_decided(&mut self, entry: &Entry, said: &RefundDecided) {
        let decided = DecidedWrite {
            branch: said.branch,
            refund: said.refund,
            approved: said.approved,
            reason: said.reason.clone(),
            staff: entry.header().staff,
        };
        self.writes.money.asked.push(AskedStep::Decided(decided));
    }
}
