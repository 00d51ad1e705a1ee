//! Receipts as the pages show them: one with all that became of it, the list, and what the till did for an order.

use std::collections::BTreeMap;

use domain::id::{DocumentId, StaffId};
use domain::payment::PaymentState;
use domain::permission::Permission;
use domain::till::{PaperKind, Receipt, ReceiptTotals, Tender, paper_number, parse_paper_number};
use web_kit::list::{ListQuery, Page};
use web_kit::order::person;
use web_kit::wire::Personal;

use super::{cursor, place, require};
use crate::error::AppError;
use crate::store::money::papers::{self, RefundRecord};
use crate::store::money::payment::{self, PaymentView};
use crate::store::money::receipt::{self as rows, OrderMoney, ReceiptRecord};
use crate::store::{Actor, Reader, customer, order};

const LIST: &str = "receipts";

/// A receipt with all that became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Paper {
    /// Its number.
    pub number: String,
    /// The receipt itself.
    pub receipt: Receipt,
    /// What it comes to.
    pub totals: ReceiptTotals,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// By whom.
    pub staff: Option<StaffId>,
    /// For whom, where the person is known here.
    pub person: Option<Personal>,
    /// Number and device of its orders.
    pub orders: BTreeMap<DocumentId, (String, String)>,
    /// Its payments, in the order of its tenders.
    pub payments: Vec<PaymentView>,
    /// Refunds against it.
    pub refunds: Vec<RefundRecord>,
}

/// A receipt in a list.
#[derive(Debug, Clone, PartialEq)]
pub struct ReceiptRow {
    /// Its number.
    pub number: String,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// By whom.
    pub staff: Option<StaffId>,
    /// For whom, where the person is known here.
    pub person: Option<Personal>,
    /// Its first line, and how many more there are.
    pub first: (String, usize),
    /// The receipt.
    pub receipt: Receipt,
    /// What was due.
    pub due_minor: i64,
    /// Tenders with their states.
    pub tenders: Vec<(Tender, PaymentState)>,
    /// What was given back.
    pub refunded_minor: i64,
    row: i64,
}

/// What the till did for an order.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderPaid {
    /// Invoiced, and deposits that are not used yet.
    pub money: OrderMoney,
    /// The receipts, oldest first: number, when, what of it was for this order, and whether it was paid ahead.
    pub receipts: Vec<OrderReceipt>,
}

/// A receipt as an order names it.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderReceipt {
    /// Its number.
    pub number: String,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// What of it was for this order.
    pub amount_minor: i64,
    /// Whether it was paid ahead.
    pub is_deposit: bool,
    /// Tenders with their states.
    pub tenders: Vec<(Tender, PaymentState)>,
}

/// The receipt of a number, in either case and with any zeros left out.
pub fn one(reader: &Reader<'_>, actor: &Actor, text: &str) -> Result<Paper, AppError> {
    require(actor, Permission::MoneyRead)?;
    let missing = AppError::NotFound { what: "receipt" };
    let Ok((code, PaperKind::Receipt, series, number)) = parse_paper_number(text) else {
        return Err(missing);
    };
    if code != reader.identity().code {
        return Err(missing);
    }
    let record = rows::by_number(reader, series, number)?.ok_or(missing)?;
    let ReceiptRecord {
        receipt,
        staff,
        at_ms,
        ..
    } = record;
    let mut orders = BTreeMap::new();
    for id in receipt.lines.iter().filter_map(|line| line.order) {
        if let Some(found) = order::get(reader, id)? {
            let device = [&found.view.device.brand, &found.view.device.model];
            let device: Vec<&str> = device
                .into_iter()
                .map(|word| word.trim())
                .filter(|word| !word.is_empty())
                .collect();
            orders.insert(id, (found.view.number, device.join(" ")));
        }
    }
    Ok(Paper {
        number: paper_number(&code, PaperKind::Receipt, series, number),
        totals: receipt.totals().unwrap_or_default(),
        at_ms,
        staff: person(staff),
        person: name(reader, receipt.customer)?,
        orders,
        payments: payment::of_receipt(reader, receipt.id)?,
        refunds: papers::refunds_of(reader, receipt.id)?,
        receipt,
    })
}

/// The refund of a number, with the receipt that it gives back.
pub fn refund(
    reader: &Reader<'_>,
    actor: &Actor,
    text: &str,
) -> Result<(String, RefundRecord, Paper), AppError> {
    require(actor, Permission::MoneyRead)?;
    let missing = AppError::NotFound { what: "receipt" };
    let code = &reader.identity().code;
    let (series, number) = match parse_paper_number(text) {
        Ok((of, PaperKind::Receipt, series, number)) if of == *code => (series, number),
        _ => return Err(missing),
    };
    let Some(record) = papers::refund_by_number(reader, series, number)? else {
        return Err(missing);
    };
    let of = rows::get(reader, record.refund.receipt)?.ok_or(missing)?;
    let paper = one(reader, actor, &number_of(reader, &of.receipt))?;
    let number = paper_number(code, PaperKind::Receipt, series, number);
    Ok((number, record, paper))
}

/// Receipts, newest first.
pub fn list(
    reader: &Reader<'_>,
    actor: &Actor,
    page: &ListQuery,
) -> Result<Page<ReceiptRow>, AppError> {
    require(actor, Permission::MoneyRead)?;
    let found = papers::receipts(reader, place(page, LIST)?, page.limit.saturating_add(1))?;
    let found: Result<Vec<ReceiptRow>, AppError> = found
        .into_iter()
        .map(|record| row(reader, record))
        .collect();
    Ok(Page::cut(found?, page.limit, |last| {
        cursor(LIST, &last.row)
    }))
}

fn row(reader: &Reader<'_>, record: ReceiptRecord) -> Result<ReceiptRow, AppError> {
    let receipt = record.receipt;
    let refunds = papers::refunds_of(reader, receipt.id)?;
    let first = receipt.lines.first();
    Ok(ReceiptRow {
        number: number_of(reader, &receipt),
        at_ms: record.at_ms,
        staff: person(record.staff),
        person: name(reader, receipt.customer)?,
        first: (
            first.map_or_else(String::new, |line| line.text.clone()),
            receipt.lines.len().saturating_sub(1),
        ),
        due_minor: receipt.totals().unwrap_or_default().due_minor,
        tenders: states(reader, &receipt)?,
        refunded_minor: refunds.iter().map(|refund| refund.amount_minor).sum(),
        row: record.row,
        receipt,
    })
}

/// What the till did for an order.
pub fn of_order(reader: &Reader<'_>, actor: &Actor, id: DocumentId) -> Result<OrderPaid, AppError> {
    require(actor, Permission::MoneyRead)?;
    let records = papers::receipts_of(reader, id)?;
    let receipts: Result<Vec<OrderReceipt>, AppError> = records
        .into_iter()
        .map(|record| {
            let share = record.receipt.share_of(id).unwrap_or_default();
            Ok(OrderReceipt {
                number: number_of(reader, &record.receipt),
                at_ms: record.at_ms,
                amount_minor: share.due_minor,
                is_deposit: share.deposits_minor > 0,
                tenders: states(reader, &record.receipt)?,
            })
        })
        .collect();
    Ok(OrderPaid {
        money: rows::of_order(reader, id)?,
        receipts: receipts?,
    })
}

fn number_of(reader: &Reader<'_>, receipt: &Receipt) -> String {
    let code = &reader.identity().code;
    paper_number(code, PaperKind::Receipt, receipt.series, receipt.number)
}

fn name(reader: &Reader<'_>, id: Option<DocumentId>) -> Result<Option<Personal>, AppError> {
    let name = id.map(|id| customer::name(reader, id)).transpose()?;
    Ok(name.flatten().map(Into::into))
}

fn states(reader: &Reader<'_>, receipt: &Receipt) -> Result<Vec<(Tender, PaymentState)>, AppError> {
    let payments = payment::of_receipt(reader, receipt.id)?;
    let state = |tender: &domain::till::TenderLine| {
        let known = payments.iter().find(|one| one.id == tender.payment);
        known.map_or(PaymentState::Captured, |one| one.state)
    };
    Ok(receipt
        .tenders
        .iter()
        .map(|tender| (tender.tender, state(tender)))
        .collect())
}
