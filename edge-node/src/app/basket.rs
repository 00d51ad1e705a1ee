//! What a basket comes to before it is paid.
//!
//! The till's page asks it whenever the basket changes. Nothing is refused and nothing is written: what stands in the
//! way of a sale is said beside what it is about, and the sale itself judges again.

use domain::id::{DocumentId, LineId, ReceiptId};
use domain::money::{Currency, Money};
use domain::order::{LineKind, Status};
use domain::permission::Permission;
use domain::till::{Receipt, ReceiptLine, ReceiptLineKind, ReceiptTotals, invoice_lines};
use web_kit::wire::Personal;

use super::order::form::SyncState;
use super::require;
use super::stock::find_part;
use super::till::{SaleInput, SaleOrder, SalePart};
use crate::error::AppError;
use crate::store::money::account;
use crate::store::money::receipt::{OrderMoney, of_order};
use crate::store::{Actor, Reader, customer, order, stock};

/// A basket as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct BasketView {
    /// The currency of all its amounts.
    pub currency: Currency,
    /// For whom.
    pub customer: Option<DocumentId>,
    /// That person's name, where it is known here.
    pub person: Option<Personal>,
    /// Orders, in the order in which they came.
    pub orders: Vec<BasketOrder>,
    /// Parts from the shelf.
    pub parts: Vec<BasketPart>,
    /// What is paid of what the customer owes on account.
    pub claim: Option<BasketClaim>,
    /// What all of it comes to, without what cannot be sold at all.
    pub totals: ReceiptTotals,
}

/// An order of a basket.
#[derive(Debug, Clone, PartialEq)]
pub struct BasketOrder {
    /// The order.
    pub id: DocumentId,
    /// Its number; empty where there is no such order.
    pub number: String,
    /// The device in few words.
    pub device: String,
    /// How far its last change made here has come.
    pub sync: SyncState,
    /// Whether it is paid ahead, and not handed over.
    pub is_deposit: bool,
    /// What stands on the receipt, deposits taken off among it.
    pub lines: Vec<ReceiptLine>,
    /// What its lines come to.
    pub gross_minor: i64,
    /// Deposits that were taken before.
    pub deposits_minor: i64,
    /// Why it cannot be sold.
    pub trouble: Option<OrderTrouble>,
}

/// Why an order cannot be sold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderTrouble {
    /// There is no such order.
    Unknown,
    /// Another branch takes its money.
    Elsewhere,
    /// It is priced in another currency.
    Currency,
    /// It was invoiced before.
    Invoiced,
    /// It is not ready.
    NotReady(Status),
    /// It has no line that is worth anything: it is handed over without the till.
    Nothing,
    /// Nobody said yet how much is paid ahead.
    NoDeposit,
}

/// A part of a basket.
#[derive(Debug, Clone, PartialEq)]
pub struct BasketPart {
    /// The sku, or what was typed for it.
    pub sku: String,
    /// Its name; empty where there is no such part.
    pub name: String,
    /// Pieces.
    pub quantity: i64,
    /// Price of one.
    pub unit_minor: i64,
    /// In basis points.
    pub tax_bp: u32,
    /// Pieces that nothing is reserved for.
    pub free: i64,
    /// Why it cannot be sold.
    pub trouble: Option<PartTrouble>,
}

/// Why a part cannot be sold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartTrouble {
    /// There is no such part.
    Unknown,
    /// It is priced in another currency.
    Currency,
    /// No piece, or more than can be.
    Quantity,
    /// Fewer are free.
    Short,
}

/// What is paid of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BasketClaim {
    /// How much is paid now.
    pub amount_minor: i64,
    /// How much is owed here.
    pub owed_minor: i64,
    /// Why it cannot be paid so.
    pub trouble: Option<ClaimTrouble>,
}

/// Why something cannot be paid of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimTrouble {
    /// Nobody said whose.
    Nobody,
    /// Nothing is owed here.
    Nothing,
    /// Nobody said yet how much.
    NoAmount,
    /// It is more than is owed.
    TooMuch,
}

impl BasketView {
    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.orders.is_empty() && self.parts.is_empty() && self.claim.is_none()
    }

    /// Whether nothing stands in the way.
    pub fn is_whole(&self) -> bool {
        self.orders.iter().all(|order| order.trouble.is_none())
            && self.parts.iter().all(|part| part.trouble.is_none())
            && self.claim.is_none_or(|claim| claim.trouble.is_none())
    }
}

/// What a basket comes to. Tenders are not looked at.
pub fn quote(
    reader: &Reader<'_>,
    actor: &Actor,
    input: &SaleInput,
) -> Result<BasketView, AppError> {
    require(actor, Permission::TillUse)?;
    let settings = reader.settings()?;
    let mut basket = BasketView {
        currency: settings.currency,
        customer: input.customer_id,
        person: None,
        orders: Vec::new(),
        parts: Vec::new(),
        claim: None,
        totals: ReceiptTotals::default(),
    };
    let mut lines = Vec::new();
    for wanted in &input.orders {
        let found = put_order(reader, &mut basket, wanted)?;
        lines.extend(found.lines.iter().cloned());
        basket.orders.push(found);
    }
    for wanted in &input.parts {
        let found = put_part(reader, &basket, wanted)?;
        if !matches!(
            found.trouble,
            Some(PartTrouble::Unknown | PartTrouble::Currency | PartTrouble::Quantity)
        ) {
            lines.push(line_of(&found, settings.prices_include_tax));
        }
        basket.parts.push(found);
    }
    if let Some(claim) = input.claim {
        let found = put_claim(reader, &basket, claim)?;
        if found.trouble.is_none() {
            lines.push(claim_line(found.amount_minor));
        }
        basket.claim = Some(found);
    }
    if let Some(id) = basket.customer {
        basket.person = customer::name(reader, id)?.map(Into::into);
    }
    basket.totals = totals(lines, settings.currency)?;
    Ok(basket)
}

fn put_claim(
    reader: &Reader<'_>,
    basket: &BasketView,
    claim: Money,
) -> Result<BasketClaim, AppError> {
    let owed_minor = match basket.customer {
        Some(customer) => account::owed_by(reader, customer)?,
        None => 0,
    };
    let trouble = if basket.customer.is_none() {
        Some(ClaimTrouble::Nobody)
    } else if owed_minor <= 0 {
        Some(ClaimTrouble::Nothing)
    } else if claim.amount_minor <= 0 || claim.currency != basket.currency {
        Some(ClaimTrouble::NoAmount)
    } else if claim.amount_minor > owed_minor {
        Some(ClaimTrouble::TooMuch)
    } else {
        None
    };
    Ok(BasketClaim {
        amount_minor: claim.amount_minor,
        owed_minor,
        trouble,
    })
}

fn claim_line(amount_minor: i64) -> ReceiptLine {
    ReceiptLine {
        id: LineId::NIL,
        kind: ReceiptLineKind::Claim,
        order: None,
        part: None,
        text: String::new(),
        quantity: 1,
        unit_minor: amount_minor,
        tax_bp: 0,
        includes_tax: true,
    }
}

fn totals(lines: Vec<ReceiptLine>, currency: Currency) -> Result<ReceiptTotals, AppError> {
    let receipt = Receipt {
        id: ReceiptId::NIL,
        register: 0,
        session: None,
        series: b'A',
        number: 1,
        customer: None,
        currency,
        lines,
        tenders: Vec::new(),
    };
    receipt
        .totals()
        .map_err(|error| AppError::field("/parts", error))
}

fn line_of(part: &BasketPart, includes_tax: bool) -> ReceiptLine {
    ReceiptLine {
        id: LineId::NIL,
        kind: LineKind::Part.into(),
        order: None,
        part: None,
        text: part.name.clone(),
        quantity: u32::try_from(part.quantity).unwrap_or(u32::MAX),
        unit_minor: part.unit_minor,
        tax_bp: part.tax_bp,
        includes_tax,
    }
}

fn put_order(
    reader: &Reader<'_>,
    basket: &mut BasketView,
    wanted: &SaleOrder,
) -> Result<BasketOrder, AppError> {
    let id = wanted.order_id;
    let mut found = BasketOrder {
        id,
        number: String::new(),
        device: String::new(),
        sync: SyncState::Applied,
        is_deposit: wanted.deposit.is_some(),
        lines: Vec::new(),
        gross_minor: 0,
        deposits_minor: 0,
        trouble: Some(OrderTrouble::Unknown),
    };
    let Some(record) = order::get(reader, id)? else {
        return Ok(found);
    };
    let view = record.view;
    let OrderMoney {
        invoiced_minor,
        deposits_minor,
    } = of_order(reader, id)?;
    found.number = view.number.clone();
    found.sync = record.stage.into();
    found.deposits_minor = deposits_minor;
    found.device = match [view.device.brand.trim(), view.device.model.trim()] {
        ["", ""] => view.device.category.clone(),
        words => words.join(" ").trim().to_owned(),
    };
    if view.branch != reader.identity().branch {
        found.trouble = Some(OrderTrouble::Elsewhere);
        return Ok(found);
    }
    basket.customer = basket.customer.or(view.customer);
    if view.currency != basket.currency {
        found.trouble = Some(OrderTrouble::Currency);
        return Ok(found);
    }
    found.gross_minor = domain::order::totals(&view).map_or(0, |sums| sums.gross_minor);
    if invoiced_minor > 0 {
        found.trouble = Some(OrderTrouble::Invoiced);
        return Ok(found);
    }
    if let Some(deposit) = wanted.deposit {
        if deposit.amount_minor <= 0 || deposit.currency != basket.currency {
            found.trouble = Some(OrderTrouble::NoDeposit);
            return Ok(found);
        }
        found.trouble = None;
        found.lines.push(ReceiptLine {
            id: LineId::NIL,
            kind: ReceiptLineKind::Deposit,
            order: Some(id),
            part: None,
            text: view.number,
            quantity: 1,
            unit_minor: deposit.amount_minor,
            tax_bp: 0,
            includes_tax: true,
        });
        return Ok(found);
    }
    found.lines = invoice_lines(id, &view, deposits_minor, LineId::NIL, &view.number)
        .map_err(|error| AppError::field("/orders", error))?;
    found.trouble = if view.status != Status::Ready {
        Some(OrderTrouble::NotReady(view.status))
    } else if found.lines.is_empty() {
        Some(OrderTrouble::Nothing)
    } else {
        None
    };
    Ok(found)
}

fn put_part(
    reader: &Reader<'_>,
    basket: &BasketView,
    wanted: &SalePart,
) -> Result<BasketPart, AppError> {
    let mut found = BasketPart {
        sku: wanted.sku.clone(),
        name: String::new(),
        quantity: wanted.quantity,
        unit_minor: 0,
        tax_bp: 0,
        free: 0,
        trouble: Some(PartTrouble::Unknown),
    };
    let (part, row) = match find_part(reader, &wanted.sku) {
        Ok(known) => known,
        Err(AppError::NotFound { .. }) => return Ok(found),
        Err(error) => return Err(error),
    };
    let balance = stock::balance(reader, part)?;
    found.free = balance.on_hand.saturating_sub(balance.reserved);
    found.sku = row.sku;
    found.name = row.name;
    found.unit_minor = row.price_minor;
    found.tax_bp = row.tax_bp;
    found.trouble = if row.currency != basket.currency {
        Some(PartTrouble::Currency)
    } else if domain::quantity::Quantity::new(wanted.quantity).is_err() {
        Some(PartTrouble::Quantity)
    } else if wanted.quantity > found.free {
        Some(PartTrouble::Short)
    } else {
        None
    };
    Ok(found)
}
