//! The till in the tables: receipts, refunds, payments, cash sessions, and the ledger that they come to.
//!
//! What is not well formed is parked; what is, is applied whatever the state, as of all facts.

use std::collections::BTreeSet;

use domain::cash::{CashClosed, CashMoved, CashOpened};
use domain::day::DayClosed;
use domain::id::{DocumentId, PaymentId, ReceiptId, SessionId};
use domain::ledger::{MoneyAccount, Posting};
use domain::money::Currency;
use domain::payment::{
    Hold, PaymentCancelled, PaymentFold, PaymentResult, RepaymentResult, fold_payment,
    payment_postings,
};
use domain::till::{
    EarlierRefunds, PaperKind, Receipt, Refund, RefundAsked, RefundDecided, RefundLine,
    RefundTotals,
};
use rusqlite::OptionalExtension as _;
use sync_protocol::item::{Item, encode_body, kind};

use super::super::Touched;
use super::super::money::payment::{StoredPayment, records};
use super::super::money::receipt;
use super::super::value::{Id, signed};
use super::{ApplyContext, Projector};
use crate::error::StoreError;

/// What a payment's record belongs to.
struct Belongs {
    receipt: Option<ReceiptId>,
    currency: Currency,
}

impl Projector<'_> {
    /// Applies an item of the till; parks what is not well formed.
    pub(super) fn money(
        &mut self,
        cx: &ApplyContext,
        index: u16,
        item: &Item,
    ) -> Result<(), StoreError> {
        let flaw = match item {
            Item::Receipt(receipt) => receipt.check_form().err().map(|error| error.to_string()),
            Item::Refund(refund) => refund.check_form().err().map(|error| error.to_string()),
            Item::RefundAsked(asked) => asked.check_form().err().map(|error| error.to_string()),
            Item::RefundDecided(said) => said.check_form().err().map(|error| error.to_string()),
            Item::CashOpened(opened) => opened.check_form().err().map(|error| error.to_string()),
            Item::CashMoved(moved) => moved.check_form().err().map(|error| error.to_string()),
            Item::CashClosed(closed) => closed.check_form().err().map(|error| error.to_string()),
            Item::DayClosed(closed) => closed.check_form().err().map(|error| error.to_string()),
            Item::PaymentResult(result) => result.check_form().err().map(|error| error.to_string()),
            Item::RepaymentResult(result) => {
                result.check_form().err().map(|error| error.to_string())
            }
            _ => None,
        };
        if let Some(reason) = flaw {
            return self.park(cx, index, item.kind(), None, &reason);
        }
        self.touched.insert(Touched::Money);
        match item {
            Item::Receipt(receipt) => self.receipt(cx, receipt),
            Item::Refund(refund) => self.refund(cx, refund),
            Item::RefundAsked(asked) => self.refund_asked(cx, asked),
            Item::RefundDecided(said) => self.refund_decided(said),
            Item::PaymentCancelled(cancelled) => self.payment_cancelled(cx, *cancelled),
            Item::PaymentResult(result) => self.payment_result(cx, result),
            Item::RepaymentResult(result) => self.repayment_result(cx, result),
            Item::CashOpened(opened) => self.cash_opened(cx, opened),
            Item::CashMoved(moved) => self.cash_moved(cx, moved),
            Item::CashClosed(closed) => self.cash_closed(cx, closed),
            Item::Hold(hold) => self.hold(cx, hold),
            Item::DayClosed(closed) => self.day_closed(cx, closed),
            _ => Ok(()),
        }
    }

    fn receipt(&mut self, cx: &ApplyContext, receipt: &Receipt) -> Result<(), StoreError> {
        let totals = receipt.totals().unwrap_or_default();
        let is_new = self
            .conn
            .prepare_cached(
                "insert into receipt (id, series, number, register, session, customer, currency, gross, due, body, at,
                     staff)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) on conflict do nothing",
            )?
            .execute((
                Id(receipt.id),
                receipt.series,
                receipt.number,
                receipt.register,
                receipt.session.map(Id),
                receipt.customer.map(Id),
                receipt.currency.as_str(),
                totals.gross_minor,
                totals.due_minor,
                encode_body(receipt),
                cx.header.at_ms(),
                Id(cx.header.staff),
            ))?
            > 0;
        if !is_new {
            return Ok(());
        }
        self.count_paper(PaperKind::Receipt, receipt.series, receipt.number)?;
        let subject = *receipt.id.as_bytes();
        for posting in receipt.postings().unwrap_or_default() {
            self.post(cx, receipt.currency, &subject, &posting)?;
        }
        let orders: BTreeSet<DocumentId> =
            receipt.lines.iter().filter_map(|line| line.order).collect();
        for order in orders {
            let share = receipt.share_of(order).unwrap_or_default();
            let deposits = share.deposits_minor - share.deposits_off_minor;
            self.order_money(order, receipt.id.as_bytes(), share.gross_minor, deposits)?;
        }
        let belongs = Belongs {
            receipt: Some(receipt.id),
            currency: receipt.currency,
        };
        for tender in &receipt.tenders {
            let body = encode_body(tender);
            self.payment_record(cx, tender.payment, &belongs, kind::RECEIPT, &body)?;
        }
        Ok(())
    }

    fn refund(&mut self, cx: &ApplyContext, refund: &Refund) -> Result<(), StoreError> {
        let earlier = receipt::refunds(self.conn, refund.receipt)?;
        let is_new = self
            .conn
            .prepare_cached(
                "insert into refund (id, receipt, series, number, session, currency, amount, body, at, staff)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) on conflict do nothing",
            )?
            .execute((
                Id(refund.id),
                Id(refund.receipt),
                refund.series,
                refund.number,
                refund.session.map(Id),
                refund.currency.as_str(),
                refund.amount().unwrap_or_default(),
                encode_body(refund),
                cx.header.at_ms(),
                Id(cx.header.staff),
            ))?
            > 0;
        if !is_new {
            return Ok(());
        }
        self.count_paper(PaperKind::Receipt, refund.series, refund.number)?;
        let subject = *refund.id.as_bytes();
        for posting in refund.postings() {
            self.post(cx, refund.currency, &subject, &posting)?;
        }
        if let Some(receipt) = receipt::body(self.conn, refund.receipt)? {
            self.refund_of_orders(refund, &receipt, &EarlierRefunds::of(&earlier))?;
        }
        let belongs = Belongs {
            receipt: Some(refund.receipt),
            currency: refund.currency,
        };
        for tender in &refund.tenders {
            let body = encode_body(tender);
            self.payment_record(cx, tender.payment, &belongs, kind::REFUND, &body)?;
        }
        self.conn
            .prepare_cached("update refund_asked set state = 'done' where id = ?1")?
            .execute([Id(refund.id)])?;
        Ok(())
    }

    /// What a refund takes back of what its receipt did for orders.
    fn refund_of_orders(
        &mut self,
        refund: &Refund,
        receipt: &Receipt,
        earlier: &EarlierRefunds,
    ) -> Result<(), StoreError> {
        let of = |line: &RefundLine| receipt.line(line.line).and_then(|line| line.order);
        let orders: BTreeSet<DocumentId> = refund.lines.iter().filter_map(of).collect();
        for order in orders {
            let lines: Vec<RefundLine> = refund
                .lines
                .iter()
                .filter(|line| of(line) == Some(order))
                .copied()
                .collect();
            let back = RefundTotals::of(receipt, earlier, &lines).unwrap_or_default();
            let goods = back.amount_minor - back.deposits_minor;
            self.order_money(order, refund.id.as_bytes(), -goods, -back.deposits_minor)?;
        }
        Ok(())
    }

    fn refund_asked(&mut self, cx: &ApplyContext, asked: &RefundAsked) -> Result<(), StoreError> {
        self.conn
            .prepare_cached(
                "insert into refund_asked (id, receipt, state, reason, body, at, staff)
                 values (?1, ?2, 'asked', '', ?3, ?4, ?5) on conflict do nothing",
            )?
            .execute((
                Id(asked.id),
                Id(asked.receipt),
                encode_body(asked),
                cx.header.at_ms(),
                Id(cx.header.staff),
            ))?;
        Ok(())
    }

    fn refund_decided(&mut self, said: &RefundDecided) -> Result<(), StoreError> {
        let state = if said.approved { "approved" } else { "refused" };
        self.conn
            .prepare_cached(
                "update refund_asked set state = ?2, reason = ?3 where id = ?1 and state <> 'done'",
            )?
            .execute((Id(said.refund), state, &said.reason))?;
        Ok(())
    }

    fn payment_cancelled(
        &mut self,
        cx: &ApplyContext,
        cancelled: PaymentCancelled,
    ) -> Result<(), StoreError> {
        let belongs = self.belongs(cancelled.payment)?;
        let body = encode_body(&cancelled);
        self.payment_record(
            cx,
            cancelled.payment,
            &belongs,
            kind::PAYMENT_CANCELLED,
            &body,
        )
    }

    fn payment_result(
        &mut self,
        cx: &ApplyContext,
        result: &PaymentResult,
    ) -> Result<(), StoreError> {
        let belongs = self.belongs(result.payment)?;
        let body = encode_body(result);
        self.payment_record(cx, result.payment, &belongs, kind::PAYMENT_RESULT, &body)
    }

    fn repayment_result(
        &mut self,
        cx: &ApplyContext,
        result: &RepaymentResult,
    ) -> Result<(), StoreError> {
        let belongs = self.belongs(result.payment)?;
        let body = encode_body(result);
        self.payment_record(cx, result.payment, &belongs, kind::REPAYMENT_RESULT, &body)?;
        if let Some(posting) = result.postings() {
            self.post(cx, belongs.currency, result.repayment.as_bytes(), &posting)?;
        }
        Ok(())
    }

    /// Whose payment it is; one that came before its receipt has the branch's currency.
    fn belongs(&self, payment: PaymentId) -> Result<Belongs, StoreError> {
        let known: Option<(Option<Id<ReceiptId>>, String)> = self
            .conn
            .prepare_cached("select receipt, currency from payment where id = ?1")?
            .query_row([Id(payment)], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        Ok(match known {
            Some((receipt, currency)) => Belongs {
                receipt: receipt.map(|id| id.0),
                currency: currency.parse().unwrap_or_default(),
            },
            None => Belongs {
                receipt: None,
                currency: Currency::default(),
            },
        })
    }

    /// Keeps a record of a payment, and what its records come to. What a receipt does to the ledger is posted with it;
    /// every later record moves the money from where it stood to where it stands.
    fn payment_record(
        &mut self,
        cx: &ApplyContext,
        payment: PaymentId,
        belongs: &Belongs,
        item_kind: u16,
        body: &[u8],
    ) -> Result<(), StoreError> {
        let before = fold_payment(&records(self.conn, payment)?);
        self.conn
            .prepare_cached(
                "insert into payment_record (payment, kind, body, at, staff) values (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute((Id(payment), item_kind, body, cx.header.at_ms(), Id(cx.header.staff)))?;
        let after = fold_payment(&records(self.conn, payment)?);
        if before.tender.is_some() {
            for posting in payment_postings(&before, &after) {
                self.post(cx, belongs.currency, payment.as_bytes(), &posting)?;
            }
        }
        if item_kind == kind::PAYMENT_RESULT {
            self.late_payment(cx, payment, &after)?;
        }
        self.watch_called_off(cx, payment, &after)?;
        self.keep_payment(cx, payment, belongs, &after)
    }

    fn keep_payment(
        &mut self,
        cx: &ApplyContext,
        payment: PaymentId,
        belongs: &Belongs,
        fold: &PaymentFold,
    ) -> Result<(), StoreError> {
        let tender = fold.tender.map_or("", |tender| tender.as_str());
        self.conn
            .prepare_cached(
                "insert into payment (id, receipt, tender, state, currency, asked, captured, view, created_at, updated_at)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9)
                 on conflict (id) do update set receipt = coalesce(excluded.receipt, receipt),
                     tender = excluded.tender, state = excluded.state, currency = excluded.currency,
                     asked = excluded.asked, captured = excluded.captured, view = excluded.view,
                     updated_at = max(updated_at, excluded.updated_at)",
            )?
            .execute((
                Id(payment),
                belongs.receipt.map(Id),
                tender,
                fold.state.as_str(),
                belongs.currency.as_str(),
                fold.asked_minor,
                fold.captured_minor,
                serde_json::to_string(&StoredPayment::of(fold))?,
                cx.header.at_ms(),
            ))?;
        Ok(())
    }

    /// Keeps goods for a payment, or says that the time is over. A person who says so has looked into money that came
    /// too late.
    fn hold(&mut self, cx: &ApplyContext, hold: &Hold) -> Result<(), StoreError> {
        self.conn
            .prepare_cached(
                "insert into hold (payment, repair_order, until, state) values (?1, ?2, ?3, ?4)
                 on conflict (payment) do update set state = excluded.state",
            )?
            .execute((
                Id(hold.payment),
                Id(hold.order),
                hold.until_ms,
                hold.state.as_str(),
            ))?;
        self.touched.insert(Touched::Order(hold.order));
        if cx.header.staff.is_nil() {
            return Ok(());
        }
        self.decision("late_payment", hold.order.as_bytes(), false, 0)
    }

    /// Money that comes after the goods went back is a matter for people.
    fn late_payment(
        &mut self,
        cx: &ApplyContext,
        payment: PaymentId,
        fold: &PaymentFold,
    ) -> Result<(), StoreError> {
        if fold.captured_minor == 0 {
            return Ok(());
        }
        let order: Option<Id<DocumentId>> = self
            .conn
            .prepare_cached(
                "select repair_order from hold where payment = ?1 and state = 'ran_out'",
            )?
            .query_row([Id(payment)], |row| row.get(0))
            .optional()?;
        match order {
            Some(Id(order)) => {
                let at_ms = cx.header.at_ms();
                self.decision("late_payment", order.as_bytes(), true, at_ms)
            }
            None => Ok(()),
        }
    }

    /// Money of a promise that was called off and came all the same is to be given back, until it went. What goods were
    /// kept for is decided with them.
    fn watch_called_off(
        &mut self,
        cx: &ApplyContext,
        payment: PaymentId,
        fold: &PaymentFold,
    ) -> Result<(), StoreError> {
        let is_asked_for = fold.tender.is_some_and(|tender| tender.is_asked_for());
        let is_due = fold.called_off && is_asked_for && fold.left_minor() > 0;
        let is_kept_for: bool = self
            .conn
            .prepare_cached("select exists (select 1 from hold where payment = ?1)")?
            .query_row([Id(payment)], |row| row.get(0))?;
        let (id, at_ms) = (payment.as_bytes(), cx.header.at_ms());
        self.decision("give_back", id, is_due && !is_kept_for, at_ms)
    }

    fn day_closed(&mut self, cx: &ApplyContext, closed: &DayClosed) -> Result<(), StoreError> {
        self.conn
            .prepare_cached(
                "insert into day_closed (business_day, feed, body, at) values (?1, ?2, ?3, ?4)",
            )?
            .execute((
                closed.business_day,
                signed(closed.feed),
                encode_body(closed),
                cx.header.at_ms(),
            ))?;
        Ok(())
    }

    fn cash_opened(&mut self, cx: &ApplyContext, opened: &CashOpened) -> Result<(), StoreError> {
        let is_new = self
            .conn
            .prepare_cached(
                "insert into cash_session (id, register, currency, float, opened_at, opened_by)
                 values (?1, ?2, ?3, ?4, ?5, ?6) on conflict do nothing",
            )?
            .execute((
                Id(opened.id),
                opened.register,
                opened.currency.as_str(),
                opened.float_minor,
                cx.header.at_ms(),
                Id(cx.header.staff),
            ))?
            > 0;
        match opened.postings() {
            Some(posting) if is_new => {
                self.post(cx, opened.currency, opened.id.as_bytes(), &posting)
            }
            _ => Ok(()),
        }
    }

    fn cash_moved(&mut self, cx: &ApplyContext, moved: &CashMoved) -> Result<(), StoreError> {
        self.conn
            .prepare_cached(
                "insert into cash_move (session, number, direction, amount, reason, at, staff)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute((
                Id(moved.session),
                moved.number,
                moved.direction.as_str(),
                moved.amount_minor,
                &moved.reason,
                cx.header.at_ms(),
                Id(cx.header.staff),
            ))?;
        let currency = self.currency_of(moved.session)?;
        match moved.postings() {
            Some(posting) => self.post(cx, currency, moved.session.as_bytes(), &posting),
            None => Ok(()),
        }
    }

    fn cash_closed(&mut self, cx: &ApplyContext, closed: &CashClosed) -> Result<(), StoreError> {
        let body = encode_body(closed);
        let hash = closed.hash(&body);
        let is_new = self
            .conn
            .prepare_cached(
                "update cash_session set closed_at = ?2, closed_by = ?3, series = ?4, number = ?5, hash = ?6, body = ?7
                 where id = ?1 and closed_at is null",
            )?
            .execute((
                Id(closed.session),
                cx.header.at_ms(),
                Id(cx.header.staff),
                closed.series,
                closed.number,
                hash,
                body,
            ))?
            > 0;
        if !is_new {
            return Ok(());
        }
        self.count_paper(PaperKind::DayReport, closed.series, closed.number)?;
        let currency = self.currency_of(closed.session)?;
        for posting in closed.postings().unwrap_or_default() {
            self.post(cx, currency, closed.session.as_bytes(), &posting)?;
        }
        Ok(())
    }

    fn currency_of(&self, session: SessionId) -> Result<Currency, StoreError> {
        let known: Option<String> = self
            .conn
            .prepare_cached("select currency from cash_session where id = ?1")?
            .query_row([Id(session)], |row| row.get(0))
            .optional()?;
        Ok(known.and_then(|code| code.parse().ok()).unwrap_or_default())
    }

    fn order_money(
        &mut self,
        order: DocumentId,
        paper: &[u8; 16],
        invoiced: i64,
        deposits: i64,
    ) -> Result<(), StoreError> {
        self.conn
            .prepare_cached(
                "insert into order_money (repair_order, receipt, invoiced, deposits) values (?1, ?2, ?3, ?4)
                 on conflict do nothing",
            )?
            .execute((Id(order), paper, invoiced, deposits))?;
        self.touched.insert(Touched::Order(order));
        Ok(())
    }

    fn count_paper(&self, kind: PaperKind, series: u8, number: u32) -> Result<(), StoreError> {
        self.conn
            .prepare_cached(
                "insert into paper_series (kind, series, number) values (?1, ?2, ?3)
                 on conflict (kind, series) do update set number = max(number, excluded.number)",
            )?
            .execute((kind.code(), series, number))?;
        Ok(())
    }

    fn post(
        &self,
        cx: &ApplyContext,
        currency: Currency,
        subject: &[u8; 16],
        posting: &Posting,
    ) -> Result<(), StoreError> {
        self.conn
            .prepare_cached(
                "insert into money_entry (currency, from_account, to_account, amount, subject, at)
                 values (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute((
                currency.as_str(),
                posting.from.code(),
                posting.to.code(),
                posting.amount_minor,
                subject,
                cx.header.at_ms(),
            ))?;
        for (account, delta) in [
            (posting.from, -posting.amount_minor),
            (posting.to, posting.amount_minor),
        ] {
            self.balance(currency, account, delta)?;
        }
        Ok(())
    }

    fn balance(
        &self,
        currency: Currency,
        account: MoneyAccount,
        delta: i64,
    ) -> Result<(), StoreError> {
        self.conn
            .prepare_cached(
                "insert into money_balance (currency, account, balance) values (?1, ?2, ?3)
                 on conflict (currency, account) do update set balance = balance + excluded.balance",
            )?
            .execute((currency.as_str(), account.code(), delta))?;
        Ok(())
    }
}
