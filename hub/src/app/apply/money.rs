//! Money: receipts, refunds, payments, cash sessions, statements, and the postings that they come to.
//!
//! A fact that is there already moves nothing again (INV-3). What asks something of a provider leaves a job in the
//! outbox in the same commit; nothing here asks anybody.

mod payment;
mod receipt;
mod refund;
mod session;
mod statement;

use std::collections::BTreeMap;

use domain::id::{BranchId, PaymentId, ReceiptId, RefundId, SessionId};
use domain::ledger::Posting;
use domain::money::Currency;
use domain::payment::PaymentRecord;
use domain::till::{PaperKind, Receipt, Refund};
use sync_protocol::item::Item;

use super::{Entry, Work};
use crate::app::publish::Publication;
use crate::store::payments::day::{DayClosedWrite, SignOffWrite};
use crate::store::payments::entry::EntryWrite;
use crate::store::payments::hold::HoldWrite;
use crate::store::payments::job::JobWrite;
use crate::store::payments::paper::{NumberWrite, OrderMoneyWrite, PaperHead};
use crate::store::payments::payment::{Belongs, RecordWrite};
use crate::store::payments::receipt::ReceiptWrite;
use crate::store::payments::refund::{AskedStep, RefundWrite};
use crate::store::payments::session::{KnownSession, MoveWrite, SessionStep};
use crate::store::payments::settlement::{CorrectionWrite, LineStep};

/// A payment as it stands in this SQL transaction.
#[derive(Debug, Clone)]
pub(crate) struct PaymentHistory {
    pub belongs: Belongs,
    pub records: Vec<PaymentRecord>,
}

/// A receipt with what was given back of it.
#[derive(Debug, Clone)]
pub(crate) struct ReceiptHistory {
    pub branch: BranchId,
    pub receipt: Receipt,
    pub refunds: Vec<Refund>,
}

/// What is known of money.
#[derive(Debug, Clone, Default)]
pub(crate) struct Money {
    /// Receipts that were looked up; `None` where there is none.
    pub receipts: BTreeMap<ReceiptId, Option<ReceiptHistory>>,
    /// Refunds that were looked up, and whether they are there.
    pub refunds: BTreeMap<RefundId, bool>,
    /// Payments that were looked up.
    pub payments: BTreeMap<PaymentId, Option<PaymentHistory>>,
    /// Cash sessions that were looked up.
    pub sessions: BTreeMap<SessionId, Option<KnownSession>>,
}

/// What is to be written of money, in the order in which it was applied.
#[derive(Debug, Clone, Default)]
pub(crate) struct MoneyWrites {
    pub receipts: Vec<ReceiptWrite>,
    pub refunds: Vec<RefundWrite>,
    pub numbers: Vec<NumberWrite>,
    pub asked: Vec<AskedStep>,
    pub orders: Vec<OrderMoneyWrite>,
    pub records: Vec<RecordWrite>,
    /// Payments that changed, with the time of their last record.
    pub payments: BTreeMap<PaymentId, i64>,
    pub holds: Vec<HoldWrite>,
    pub sessions: Vec<SessionStep>,
    pub moves: Vec<MoveWrite>,
    pub entries: Vec<EntryWrite>,
    pub jobs: Vec<JobWrite>,
    pub lines: Vec<LineStep>,
    pub corrections: Vec<CorrectionWrite>,
    pub days: Vec<DayClosedWrite>,
    pub sign_offs: Vec<SignOffWrite>,
}

impl MoneyWrites {
    /// Whether anything of money changes.
    pub(crate) fn is_empty(&self) -> bool {
        self.receipts.is_empty()
            && self.refunds.is_empty()
            && self.asked.is_empty()
            && self.payments.is_empty()
            && self.sessions.is_empty()
            && self.moves.is_empty()
            && self.lines.is_empty()
            && self.corrections.is_empty()
    }
}

/// The place of a record in its transaction.
#[derive(Debug, Clone, Copy)]
struct At {
    item: u16,
    n: u16,
}

impl Work {
    /// Applies an item of money.
    pub(super) fn apply_money(
        &mut self,
        entry: &Entry,
        index: u16,
        item: &Item,
        publication: &mut Publication,
    ) {
        match item {
            Item::Receipt(receipt) => self.apply_receipt(entry, index, receipt),
            Item::Refund(refund) => self.apply_refund(entry, index, refund),
            Item::RefundAsked(asked) => self.apply_asked(entry, asked),
            Item::RefundDecided(said) => {
                self.apply_decided(entry, said);
                let raw = &entry.transaction.items[usize::from(index)];
                publication.private(said.branch, index, raw);
            }
            Item::PaymentCancelled(cancelled) => self.apply_cancelled(entry, index, *cancelled),
            Item::PaymentAgain(again) => self.apply_again(entry, index, *again),
            Item::Hold(hold) => self.apply_hold(entry, *hold),
            Item::PaymentResult(result) => self.apply_result(entry, index, result, publication),
            Item::RepaymentResult(result) => {
                self.apply_repayment(entry, index, result, publication);
            }
            Item::CashOpened(_) | Item::CashMoved(_) | Item::CashClosed(_) => {
                self.apply_session(entry, index, item);
            }
            Item::DayClosed(closed) => self.apply_day(entry, index, closed),
            statement => self.apply_statement(entry, index, statement),
        }
    }

    /// Keeps the number of a receipt or refund.
    fn number(&mut self, head: &PaperHead, series: u8, number: u32, subject: [u8; 16]) {
        self.writes.money.numbers.push(NumberWrite {
            branch: head.branch,
            kind: PaperKind::Receipt,
            series,
            number,
            subject,
            at_ms: head.at_ms,
        });
    }

    fn post(
        &mut self,
        entry: &Entry,
        index: u16,
        branch: BranchId,
        currency: Currency,
        subject: [u8; 16],
        postings: &[Posting],
    ) {
        let of_item = |known: &&EntryWrite| {
            known.position == entry.position && known.item == index && known.branch == branch
        };
        let taken = self.writes.money.entries.iter().rev().take(64);
        let before = taken.take_while(of_item).count();
        for (n, posting) in (before..).zip(postings) {
            self.writes.money.entries.push(EntryWrite {
                branch,
                ord: entry.ord,
                position: entry.position,
                item: index,
                n: u16::try_from(n).unwrap_or(u16::MAX),
                currency,
                posting: *posting,
                subject,
                business_day: entry.header().business_day,
                at_ms: entry.at_ms(),
            });
        }
    }

    fn job(
        &mut self,
        entry: &Entry,
        at: At,
        kind: &'static str,
        subject: [u8; 16],
        payment: PaymentId,
    ) {
        self.job_of(entry.branch, entry, at, kind, subject, payment);
    }

    fn job_of(
        &mut self,
        branch: BranchId,
        entry: &Entry,
        at: At,
        kind: &'static str,
        subject: [u8; 16],
        payment: PaymentId,
    ) {
        self.writes.money.jobs.push(JobWrite {
            branch,
            position: entry.position,
            item: at.item,
            n: at.n,
            kind,
            subject,
            payment,
            at_ms: entry.at_ms(),
        });
    }
}

fn head_of(entry: &Entry) -> PaperHead {
    PaperHead {
        branch: entry.branch,
        ord: entry.ord,
        position: entry.position,
        business_day: entry.header().business_day,
        staff: entry.header().staff,
        at_ms: entry.at_ms(),
    }
}
