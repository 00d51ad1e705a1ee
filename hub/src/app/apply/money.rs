//! Money: receipts, refunds, payments, cash sessions, statements, and the postings that they come to.
//!
//! A fact that is there already moves nothing again (INV-3). What asks something of a provider leaves a job in the
//! outbox in the same commit; nothing here asks anybody.

use std::collections::{BTreeMap, BTreeSet};

use domain::cash::CashClosed;
use domain::day::DayClosed;
use domain::id::{BranchId, DocumentId, PaymentId, ReceiptId, RefundId, SessionId};
use domain::ledger::Posting;
use domain::money::Currency;
use domain::payment::{
    Hold, PaymentCancelled, PaymentFold, PaymentRecord, PaymentResult, RepaymentOutcome,
    RepaymentResult, fold_payment, payment_postings,
};
use domain::till::{
    EarlierRefunds, Receipt, Refund, RefundAsked, RefundDecided, RefundLine, RefundTotals, Tender,
};
use sync_protocol::item::{Item, encode_body};

use super::{Entry, Work};
use crate::app::publish::Publication;
use crate::store::payments::EntryWrite;
use crate::store::payments::paper::{
    DecidedWrite, OrderMoneyWrite, PaperHead, ReceiptWrite, RefundWrite,
};
use crate::store::payments::payment::{Belongs, HoldWrite, JobWrite, PaymentWrite, RecordWrite};
use crate::store::payments::rows::{DayClosedWrite, SignOffWrite};
use crate::store::payments::session::{KnownSession, SessionWrite};

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

/// What is to be written of money.
#[derive(Debug, Clone, Default)]
pub(crate) struct MoneyWrites {
    pub receipts: Vec<ReceiptWrite>,
    pub refunds: Vec<RefundWrite>,
    pub asked: Vec<(PaperHead, RefundAsked)>,
    pub decided: Vec<DecidedWrite>,
    pub orders: Vec<OrderMoneyWrite>,
    pub records: Vec<RecordWrite>,
    /// Payments that changed, with the time of their last record.
    pub payments: BTreeMap<PaymentId, i64>,
    pub holds: Vec<HoldWrite>,
    pub sessions: Vec<(PaperHead, SessionWrite)>,
    pub entries: Vec<EntryWrite>,
    pub jobs: Vec<JobWrite>,
    pub settlements: Vec<(domain::day::SettlementLine, i64)>,
    pub matches: Vec<domain::day::SettlementMatch>,
    pub corrections: Vec<(domain::day::MoneyCorrection, domain::id::StaffId, i64)>,
    pub days: Vec<DayClosedWrite>,
    pub sign_offs: Vec<SignOffWrite>,
}

impl MoneyWrites {
    /// Whether anything of money changes.
    pub(crate) fn is_empty(&self) -> bool {
        self.receipts.is_empty()
            && self.refunds.is_empty()
            && self.asked.is_empty()
            && self.decided.is_empty()
            && self.payments.is_empty()
            && self.sessions.is_empty()
            && self.settlements.is_empty()
            && self.matches.is_empty()
            && self.corrections.is_empty()
    }

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
            Item::RefundAsked(asked) => {
                let write = (head_of(entry), asked.clone());
                self.writes.money.asked.push(write);
            }
            Item::RefundDecided(said) => {
                self.apply_decided(entry, said);
                let raw = &entry.transaction.items[usize::from(index)];
                publication.private(said.branch, index, raw);
            }
            Item::PaymentCancelled(cancelled) => self.apply_cancelled(entry, index, *cancelled),
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

    fn apply_receipt(&mut self, entry: &Entry, index: u16, receipt: &Receipt) {
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
        self.writes.money.receipts.push(ReceiptWrite {
            head: head_of(entry),
            receipt: receipt.clone(),
            totals: receipt.totals().unwrap_or_default(),
        });
    }

    fn is_foreign(&self, payment: PaymentId, branch: BranchId) -> bool {
        let known = self.money.payments.get(&payment).and_then(Option::as_ref);
        known.is_some_and(|known| known.belongs.branch != branch)
    }

    fn apply_refund(&mut self, entry: &Entry, index: u16, refund: &Refund) {
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
        self.writes.money.refunds.push(RefundWrite {
            head: head_of(entry),
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

    fn apply_decided(&mut self, entry: &Entry, said: &RefundDecided) {
        self.writes.money.decided.push(DecidedWrite {
            branch: said.branch,
            refund: said.refund,
            approved: said.approved,
            reason: said.reason.clone(),
            staff: entry.header().staff,
        });
    }

    fn apply_cancelled(&mut self, entry: &Entry, index: u16, cancelled: PaymentCancelled) {
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

    fn apply_hold(&mut self, entry: &Entry, hold: Hold) {
        self.writes.money.holds.push(HoldWrite {
            branch: entry.branch,
            payment: hold.payment,
            order: hold.order,
            until_ms: hold.until_ms,
            state: hold.state,
        });
    }

    fn apply_result(
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

    fn apply_repayment(
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
    fn payment_record(
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

    fn apply_session(&mut self, entry: &Entry, index: u16, item: &Item) {
        let head = head_of(entry);
        let (session, currency, postings, write) = match item {
            Item::CashOpened(opened) => {
                let known = self.money.sessions.entry(opened.id).or_default();
                if known.is_some() {
                    self.contradiction(
                        entry,
                        index,
                        "a cash session with this id is there already",
                    );
                    return;
                }
                *known = Some(KnownSession {
                    currency: opened.currency,
                    is_closed: false,
                });
                let postings: Vec<Posting> = opened.postings().into_iter().collect();
                let write = SessionWrite::Opened(opened.clone());
                (opened.id, opened.currency, postings, write)
            }
            Item::CashMoved(moved) => {
                let currency = self.session(entry, index, moved.session);
                let postings: Vec<Posting> = moved.postings().into_iter().collect();
                let moved = moved.clone();
                let session = moved.session;
                (
                    session,
                    currency,
                    postings,
                    SessionWrite::Moved { item: index, moved },
                )
            }
            Item::CashClosed(closed) => {
                let currency = self.session(entry, index, closed.session);
                if self.was_closed(closed) {
                    self.contradiction(entry, index, "this cash session was closed already");
                    return;
                }
                let postings = closed.postings().unwrap_or_default();
                let write = SessionWrite::Closed(closed.clone());
                (closed.session, currency, postings, write)
            }
            _ => return,
        };
        let subject = *session.as_bytes();
        self.post(entry, index, entry.branch, currency, subject, &postings);
        self.writes.money.sessions.push((head, write));
    }

    fn was_closed(&mut self, closed: &CashClosed) -> bool {
        match self.money.sessions.get_mut(&closed.session) {
            Some(Some(known)) => std::mem::replace(&mut known.is_closed, true),
            _ => false,
        }
    }

    fn session(&mut self, entry: &Entry, index: u16, session: SessionId) -> Currency {
        match self.money.sessions.get(&session) {
            Some(Some(known)) => known.currency,
            _ => {
                self.contradiction(entry, index, "its cash session is not there");
                Currency::default()
            }
        }
    }

    fn apply_day(&mut self, entry: &Entry, index: u16, closed: &DayClosed) {
        self.days_taken.push((entry.branch, entry.position));
        self.writes.money.days.push(DayClosedWrite {
            branch: entry.branch,
            ord: entry.ord,
            position: entry.position,
            item: index,
            closed: closed.clone(),
            at_ms: entry.at_ms(),
        });
    }

    /// Statements, corrections, and the words of people on them.
    fn apply_statement(&mut self, entry: &Entry, index: u16, item: &Item) {
        let staff = entry.header().staff;
        match item {
            Item::SettlementLine(line) => {
                if !line.branch.is_nil() {
                    let subject = line.payment.map_or([0; 16], |payment| *payment.as_bytes());
                    let postings = line.postings();
                    self.post(entry, index, line.branch, line.currency, subject, &postings);
                }
                let write = (line.clone(), entry.at_ms());
                self.writes.money.settlements.push(write);
            }
            Item::SettlementMatch(said) => self.writes.money.matches.push(said.clone()),
            Item::MoneyCorrection(correction) => {
                let postings: Vec<Posting> = correction.postings().into_iter().collect();
                let subject = *correction.id.as_bytes();
                let branch = correction.branch;
                self.post(
                    entry,
                    index,
                    branch,
                    correction.currency,
                    subject,
                    &postings,
                );
                let write = (correction.clone(), staff, entry.at_ms());
                self.writes.money.corrections.push(write);
            }
            Item::SignOff(sign_off) => self.writes.money.sign_offs.push(SignOffWrite {
                ord: entry.ord,
                position: entry.position,
                item: index,
                sign_off: sign_off.clone(),
                staff,
                at_ms: entry.at_ms(),
            }),
            _ => {}
        }
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
