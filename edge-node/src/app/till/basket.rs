//! What a basket is made of, as the lines and movements of its receipt.

use domain::id::{DocumentId, LineId};
use domain::money::{Currency, Money};
use domain::order::{LineKind, Status};
use domain::problem::Problems;
use domain::quantity::Quantity;
use domain::stock::{Movement, MovementKind};
use domain::till::{ReceiptLine, ReceiptLineKind, invoice_lines};
use web_kit::Language;

use super::{SaleInput, SaleOrder, SalePart};
use crate::app::stock::{check_free, find_part};
use crate::error::AppError;
use crate::store::money::account;
use crate::store::money::receipt as rows;
use crate::store::{WriteTx, order};

/// Most orders of one receipt.
const MAX_ORDERS: usize = 50;
/// Most parts of one receipt.
const MAX_PARTS: usize = 200;

web_kit::catalogue! {
    /// Words that a receipt's lines begin with.
    struct LineTexts {
        deposit: "Deposit for" | "Anzahlung für",
        deposit_off: "Deposits for" | "Anzahlungen für",
        claim: "Paid on account" | "Zahlung auf Rechnung",
    }
}

/// What a basket is made of before it is paid.
pub(super) struct Basket {
    pub(super) customer: Option<DocumentId>,
    pub(super) lines: Vec<ReceiptLine>,
    pub(super) sold: Vec<(LineId, Movement)>,
    pub(super) handed_over: Vec<DocumentId>,
}

impl Basket {
    /// What of it is owed on account and paid now.
    pub(super) fn claim_minor(&self) -> i64 {
        let claims = self
            .lines
            .iter()
            .filter(|line| line.kind == ReceiptLineKind::Claim);
        claims.map(|line| line.unit_minor).sum()
    }
}

pub(super) fn basket(
    tx: &WriteTx<'_>,
    input: &SaleInput,
    currency: Currency,
) -> Result<Basket, AppError> {
    let mut problems = Problems::new();
    let is_empty = input.orders.is_empty() && input.parts.is_empty() && input.claim.is_none();
    problems.check(!is_empty, "/orders", "name an order or a part");
    problems.check(
        input.orders.len() <= MAX_ORDERS,
        "/orders",
        "must not have more than 50 entries",
    );
    problems.check(
        input.parts.len() <= MAX_PARTS,
        "/parts",
        "must not have more than 200 entries",
    );
    problems.finish(()).map_err(AppError::Invalid)?;
    let mut basket = Basket {
        customer: input.customer_id,
        lines: Vec::new(),
        sold: Vec::new(),
        handed_over: Vec::new(),
    };
    for (at, wanted) in input.orders.iter().enumerate() {
        put_order(tx, &mut basket, at, wanted, currency)?;
    }
    for (at, wanted) in input.parts.iter().enumerate() {
        put_part(tx, &mut basket, at, wanted, currency)?;
    }
    if let Some(claim) = input.claim {
        put_claim(tx, &mut basket, claim, currency)?;
    }
    Ok(basket)
}

/// A customer pays what was taken on account.
fn put_claim(
    tx: &WriteTx<'_>,
    basket: &mut Basket,
    claim: Money,
    currency: Currency,
) -> Result<(), AppError> {
    let customer = basket
        .customer
        .ok_or_else(|| AppError::field("/customer_id", "say who pays what is owed"))?;
    let owed = account::owed_by(&tx.reader(), customer)?;
    if claim.currency != currency || !(1..=owed).contains(&claim.amount_minor) {
        let detail = "must be above zero and at most what the customer owes here";
        return Err(AppError::field("/claim", detail));
    }
    let t = LineTexts::of(Language::of_tag(&tx.settings()?.language).unwrap_or_default());
    basket.lines.push(ReceiptLine {
        id: LineId::from_random(&mut tx.random()),
        kind: ReceiptLineKind::Claim,
        order: None,
        part: None,
        text: t.claim.to_owned(),
        quantity: 1,
        unit_minor: claim.amount_minor,
        tax_bp: 0,
        includes_tax: true,
    });
    Ok(())
}

fn put_order(
    tx: &WriteTx<'_>,
    basket: &mut Basket,
    at: usize,
    wanted: &SaleOrder,
    currency: Currency,
) -> Result<(), AppError> {
    let pointer = format!("/orders/{at}");
    let reader = tx.reader();
    let id = wanted.order_id;
    let record = order::get(&reader, id)?
        .ok_or_else(|| AppError::field(&format!("{pointer}/order_id"), "there is no such order"))?;
    let view = record.view;
    if view.branch != tx.identity().branch {
        let detail = "the order belongs to another branch, which takes its money";
        return Err(AppError::conflict("other-branch", detail));
    }
    let already =
        basket.lines.iter().any(|line| line.order == Some(id)) || basket.handed_over.contains(&id);
    if already {
        return Err(AppError::field(
            &format!("{pointer}/order_id"),
            "stands here twice",
        ));
    }
    if view.currency != currency {
        let detail = "the order is priced in another currency";
        return Err(AppError::conflict("currency", detail));
    }
    basket.customer = basket.customer.or(view.customer);
    let t = LineTexts::of(Language::of_tag(&tx.settings()?.language).unwrap_or_default());
    let before = rows::of_order(&reader, id)?;
    if before.invoiced_minor > 0 {
        let detail = "the order is invoiced already; give money back by a refund";
        return Err(AppError::conflict("invoiced", detail).with("number", view.number));
    }
    if let Some(deposit) = wanted.deposit {
        if deposit.amount_minor <= 0 || deposit.currency != currency {
            let detail = "must be above zero, in the currency of this branch";
            return Err(AppError::field(&format!("{pointer}/deposit"), detail));
        }
        basket.lines.push(ReceiptLine {
            id: LineId::from_random(&mut tx.random()),
            kind: ReceiptLineKind::Deposit,
            order: Some(id),
            part: None,
            text: format!("{} {}", t.deposit, view.number),
            quantity: 1,
            unit_minor: deposit.amount_minor,
            tax_bp: 0,
            includes_tax: true,
        });
        return Ok(());
    }
    if view.status != Status::Ready {
        let detail = "only what is ready is handed over; take a deposit, or move it first";
        return Err(AppError::conflict("not-ready", detail).with("status", view.status.as_str()));
    }
    let off = LineId::from_random(&mut tx.random());
    let off_text = format!("{} {}", t.deposit_off, view.number);
    let lines = invoice_lines(id, &view, before.deposits_minor, off, &off_text)
        .map_err(|error| AppError::field(&pointer, error))?;
    // A line of the order keeps its id; a second order never has the same one.
    basket.lines.extend(lines);
    basket.handed_over.push(id);
    Ok(())
}

fn put_part(
    tx: &WriteTx<'_>,
    basket: &mut Basket,
    at: usize,
    wanted: &SalePart,
    currency: Currency,
) -> Result<(), AppError> {
    let reader = tx.reader();
    let pointer = |field: &str| format!("/parts/{at}/{field}");
    let (part, row) = find_part(&reader, &wanted.sku).map_err(|error| match error {
        AppError::NotFound { .. } => AppError::field(
            &pointer("sku"),
            "no part of the catalogue has this sku or barcode",
        ),
        other => other,
    })?;
    let quantity = Quantity::new(wanted.quantity)
        .map_err(|error| AppError::field(&pointer("quantity"), error))?
        .as_i64();
    if row.currency != currency {
        let detail = "the part is priced in another currency";
        return Err(AppError::conflict("currency", detail).with("sku", row.sku));
    }
    let sold_before: i64 = basket
        .sold
        .iter()
        .filter(|(_, movement)| movement.part == part)
        .map(|(_, movement)| movement.quantity)
        .sum();
    check_free(&reader, part, sold_before.saturating_add(quantity))?;
    let line = LineId::from_random(&mut tx.random());
    basket.lines.push(ReceiptLine {
        id: line,
        kind: LineKind::Part.into(),
        order: None,
        part: Some(part),
        text: row.name,
        quantity: u32::try_from(quantity).unwrap_or(u32::MAX),
        unit_minor: row.price_minor,
        tax_bp: row.tax_bp,
        includes_tax: tx.settings()?.prices_include_tax,
    });
    let movement = Movement::new(tx.identity().branch, part, MovementKind::Sell, quantity);
    basket.sold.push((line, movement));
    Ok(())
}
