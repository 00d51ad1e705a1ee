//! Receipts: what they post, what they do for orders, and the payments that they begin.
//!
//! A receipt that is there already posts nothing again, whatever the second one says.

use std::collections::BTreeSet;

use domain::id::DocumentId;
use domain::payment::PaymentRecord;
use domain::till::{Receipt, Tender};
use sync_protocol::item::encode_body;

use super::{At, ReceiptHistory, head_of};
use crate::app::apply::{Entry, Work};
use crate::store::payments::paper::OrderMoneyWrite;
use crate::store::payments::payment::Belongs;
use crate::store::payments::receipt::ReceiptWrite;

impl Work {
    pub(super) fn apply_receipt(&mut self, entry: &Entry, index: u16, receipt: &Receipt) {
        let known = self.money.receipts.entry(receipt.id).or_default();
        if known.is_some() {
            self.contradiction(entry, index, "a receipt with this id is there already");
            return;
        }
        *known = Some(ReceiptHistory {
            branch: entry.branch,
            receipt: receipt.clone(),
            refunds: Vec::new(),
        });
        let subject = *receipt.id.as_bytes();
        let postings = receipt.postings().unwrap_or_default();
        self.post(
            entry,
            index,
            entry.branch,
            receipt.currency,
            subject,
            &postings,
        );
        let orders: BTreeSet<DocumentId> =
            receipt.lines.iter().filter_map(|line| line.order).collect();
        for order in orders {
            let share = receipt.share_of(order).unwrap_or_default();
            self.writes.money.orders.push(OrderMoneyWrite {
                branch: entry.branch,
                order,
                paper: subject,
                invoiced_minor: share.gross_minor,
                deposits_minor: share.deposits_minor - share.deposits_off_minor,
            });
        }
        self.ask_tenders(entry, index, receipt);
        let head = head_of(entry);
        self.number(&head, receipt.series, receipt.number, subject);
        self.writes.money.receipts.push(ReceiptWrite {
            head,
            receipt: receipt.clone(),
            totals: receipt.totals().unwrap_or_default(),
        });
    }

    /// Each tender begins a payment; a card is asked of its provider.
    fn ask_tenders(&mut self, entry: &Entry, index: u16, receipt: &Receipt) {
        for (n, tender) in (0..).zip(&receipt.tenders) {
            let at = At { item: index, n };
            let belongs = Belongs {
                branch: entry.branch,
                receipt: Some(receipt.id),
                currency: receipt.currency,
                way: tender.way,
                created_ms: entry.at_ms(),
            };
            let record = PaymentRecord::Asked {
                tender: tender.tender,
                amount_minor: tender.amount_minor,
            };
            if self.is_foreign(tender.payment, entry.branch) {
                self.contradiction(entry, index, "another branch has a payment with this id");
                continue;
            }
            self.payment_record(entry, at, tender.payment, Some(belongs), record, {
                encode_body(tender)
            });
            if tender.tender == Tender::Card {
                self.job(entry, at, "ask", *tender.payment.as_bytes(), tender.payment);
            }
        }
    }
}
