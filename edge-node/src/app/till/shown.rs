//! A receipt as callers see it.

use domain::id::{DocumentId, LineId, PaymentId, ReceiptId, StaffId};
use domain::money::Money;
use domain::till::{PaperKind, paper_number};
use serde::Serialize;
use utoipa::ToSchema;
use web_kit::order::person;
use web_kit::wire::{MoneyForm, Time, money};

use crate::error::AppError;
use crate::store::Reader;
use crate::store::money::payment;
use crate::store::money::receipt::{self as rows, ReceiptRecord};

/// A receipt.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = Receipt)]
pub struct ReceiptView {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    pub id: ReceiptId,
    /// Its number, without a gap within its series.
    #[schema(example = "BER-R-A000300")]
    pub number: String,
    /// When it was written.
    pub at: Time,
    /// By whom.
    #[schema(required = true, value_type = Option<String>, format = "uuid")]
    pub staff_id: Option<StaffId>,
    /// For whom.
    #[schema(required = true, value_type = Option<String>, format = "uuid")]
    pub customer_id: Option<DocumentId>,
    /// What for.
    pub lines: Vec<ReceiptLineView>,
    /// Goods and work without tax.
    #[schema(value_type = MoneyForm)]
    pub net: Money,
    /// The tax.
    #[schema(value_type = MoneyForm)]
    pub tax: Money,
    /// Goods and work with tax.
    #[schema(value_type = MoneyForm)]
    pub gross: Money,
    /// Paid before and used up here.
    #[schema(value_type = MoneyForm)]
    pub deposits_off: Money,
    /// What was due.
    #[schema(value_type = MoneyForm)]
    pub due: Money,
    /// With what.
    pub tenders: Vec<TenderView>,
}

/// A line of a receipt.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = ReceiptLine)]
pub struct ReceiptLineView {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    pub id: LineId,
    /// `service`, `part`, `fee`, `discount`, `deposit`, `deposit_off` or `claim`.
    pub kind: String,
    /// The order that it belongs to.
    #[schema(required = true, value_type = Option<String>, format = "uuid")]
    pub order_id: Option<DocumentId>,
    /// What it says.
    pub text: String,
    /// Pieces.
    pub quantity: u32,
    /// Price of one.
    #[schema(value_type = MoneyForm)]
    pub unit_price: Money,
    /// In basis points.
    pub tax_rate_bp: u32,
}

/// One way in which a receipt is paid.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = Tender)]
pub struct TenderView {
    /// The payment.
    #[schema(value_type = String, format = "uuid")]
    pub payment_id: PaymentId,
    /// With what.
    pub tender: String,
    /// How much.
    #[schema(value_type = MoneyForm)]
    pub amount: Money,
    /// What was handed over.
    #[schema(value_type = MoneyForm)]
    pub given: Money,
    /// What was given back.
    #[schema(value_type = MoneyForm)]
    pub change: Money,
    /// `captured`, `queued`, `processing`, `declined`, `refunded` or `failed`.
    pub state: String,
}
pub(super) fn found(reader: &Reader<'_>, id: ReceiptId) -> Result<ReceiptView, AppError> {
    let record = rows::get(reader, id)?.ok_or(AppError::NotFound { what: "receipt" })?;
    show(reader, record)
}

pub(super) fn show(reader: &Reader<'_>, record: ReceiptRecord) -> Result<ReceiptView, AppError> {
    let ReceiptRecord {
        receipt,
        staff,
        at_ms,
        ..
    } = record;
    let amount = |amount_minor| money(amount_minor, receipt.currency);
    let totals = receipt.totals().unwrap_or_default();
    let payments = payment::of_receipt(reader, receipt.id)?;
    let state = |id: PaymentId| {
        let known = payments.iter().find(|payment| payment.id == id);
        known
            .map_or("", |payment| payment.state.as_str())
            .to_owned()
    };
    let code = &reader.identity().code;
    Ok(ReceiptView {
        id: receipt.id,
        number: paper_number(code, PaperKind::Receipt, receipt.series, receipt.number),
        at: Time(at_ms),
        staff_id: person(staff),
        customer_id: receipt.customer,
        net: amount(totals.net_minor),
        tax: amount(totals.tax_minor),
        gross: amount(totals.gross_minor),
        deposits_off: amount(totals.deposits_off_minor),
        due: amount(totals.due_minor),
        lines: receipt
            .lines
            .iter()
            .map(|line| ReceiptLineView {
                id: line.id,
                kind: line.kind.as_str().to_owned(),
                order_id: line.order,
                text: line.text.clone(),
                quantity: line.quantity,
                unit_price: amount(line.unit_minor),
                tax_rate_bp: line.tax_bp,
            })
            .collect(),
        tenders: receipt
            .tenders
            .iter()
            .map(|tender| TenderView {
                payment_id: tender.payment,
                tender: tender.tender.as_str().to_owned(),
                amount: amount(tender.amount_minor),
                given: amount(tender.given_minor),
                change: amount(tender.change_minor()),
                state: state(tender.payment),
            })
            .collect(),
    })
}
