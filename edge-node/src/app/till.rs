//! The till: one receipt for whatever is collected, paid ahead or sold over the counter.
//!
//! Goods, claims and money are one transaction: the receipt, the movements of parts from the shelf, and the step of the
//! orders that are handed over. Cash is captured when it is written; a card is asked for and what comes of it is a
//! record of the hub.

use domain::id::{DocumentId, LineId, PaymentId, ReceiptId, StaffId};
use domain::money::{Currency, Money};
use domain::order::{LineKind, Status};
use domain::permission::Permission;
use domain::problem::Problems;
use domain::quantity::Quantity;
use domain::stock::{Movement, MovementKind};
use domain::till::{
    CardWay, PaperKind, Receipt, ReceiptLine, ReceiptLineKind, Tender, TenderLine, TillError,
    invoice_lines, paper_number, parse_paper_number,
};
use serde::{Deserialize, Serialize};
use sync_protocol::item::{Item, command};
use utoipa::ToSchema;
use web_kit::Language;
use web_kit::etag::IfMatch;
use web_kit::order::person;
use web_kit::wire::{MoneyForm, Time, money};

use super::cash::register_of;
use super::order::form::StatusInput;
use super::order::{line, status};
use super::require;
use super::stock::{check_free, find_part};
use crate::error::AppError;
use crate::store::money::receipt::{self as rows, ReceiptRecord};
use crate::store::money::{cash, last_number, payment, rules};
use crate::store::{Actor, Reader, WriteTx, order};

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

/// A basket with what it is paid with.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SaleInput {
    /// The till; 1 where it is not said.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 999)]
    pub register: Option<u16>,
    /// For whom; an order says it by itself.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = "uuid")]
    pub customer_id: Option<DocumentId>,
    /// Orders that are handed over, or paid ahead.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub orders: Vec<SaleOrder>,
    /// Parts from the shelf.
    #[serde(default)]
    #[schema(max_items = 200)]
    pub parts: Vec<SalePart>,
    /// What the customer owes on account and pays now.
    #[serde(default)]
    #[schema(value_type = Option<MoneyForm>)]
    pub claim: Option<Money>,
    /// With what; together they come to what is due.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub tenders: Vec<TenderInput>,
}

/// An order of a basket.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SaleOrder {
    /// The order.
    #[schema(value_type = String, format = "uuid")]
    pub order_id: DocumentId,
    /// Paid ahead; absent: it is invoiced and handed over.
    #[serde(default)]
    #[schema(value_type = Option<MoneyForm>)]
    pub deposit: Option<Money>,
}

/// Parts of a basket.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SalePart {
    /// The part's sku, or a barcode that means it.
    #[schema(max_length = 64)]
    pub sku: String,
    /// Pieces.
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub quantity: i64,
}

/// One way of paying.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TenderInput {
    /// `cash`, `card`, `bank` or `account`.
    #[schema(example = "cash")]
    pub tender: String,
    /// How much of what is due.
    #[schema(value_type = MoneyForm)]
    pub amount: Money,
    /// Of cash: what was handed over.
    #[serde(default)]
    #[schema(value_type = Option<MoneyForm>)]
    pub given: Option<Money>,
    /// Of a card: `reader` or `link`; what the branch has where it is not said.
    #[serde(default)]
    pub via: Option<String>,
}

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

/// What a basket is made of before it is paid.
struct Basket {
    customer: Option<DocumentId>,
    lines: Vec<ReceiptLine>,
    sold: Vec<(LineId, Movement)>,
    handed_over: Vec<DocumentId>,
}

/// Sells: writes the receipt, takes the parts from the shelf, hands the orders over.
pub fn sell(
    tx: &mut WriteTx<'_>,
    actor: &Actor,
    input: &SaleInput,
) -> Result<ReceiptView, AppError> {
    require(actor, Permission::TillUse)?;
    let settings = tx.settings()?;
    let currency = settings.currency;
    let basket = basket(tx, input, currency)?;
    let tenders = tenders(tx, &input.tenders, currency)?;
    check_promises(&tx.reader(), &tenders, currency)?;
    check_account(&tx.reader(), &basket, &tenders, currency)?;
    let register = register_of(input.register)?;
    let (series, last) = last_number(&tx.reader(), PaperKind::Receipt)?;
    let receipt = Receipt {
        id: ReceiptId::from_random(&mut tx.random()),
        register,
        session: cash::open_of(&tx.reader(), register)?.map(|session| session.id),
        series,
        number: last.saturating_add(1),
        customer: basket.customer,
        currency,
        lines: basket.lines,
        tenders,
    };
    receipt
        .check_form()
        .map_err(|error| refused(error, currency))?;
    let id = receipt.id;
    tx.begin(command::SALE, actor)?;
    tx.fact(Item::Receipt(receipt))?;
    for (line, movement) in basket.sold {
        let about = movement.about(*id.as_bytes(), *line.as_bytes(), 0);
        tx.fact(Item::Movement(about))?;
    }
    for order in basket.handed_over {
        line::consume_reserved(tx, actor, order)?;
        let step = StatusInput {
            status: Status::Collected,
            outcome: None,
            note: None,
        };
        status::move_to(tx, actor, order, &IfMatch::default(), step)?;
    }
    found(&tx.reader(), id)
}

/// The receipt of a number, in either case and with any zeros left out.
pub fn by_number(reader: &Reader<'_>, actor: &Actor, text: &str) -> Result<ReceiptView, AppError> {
    require(actor, Permission::MoneyRead)?;
    let missing = AppError::NotFound { what: "receipt" };
    let Ok((code, PaperKind::Receipt, series, number)) = parse_paper_number(text) else {
        return Err(missing);
    };
    if code != reader.identity().code {
        return Err(missing);
    }
    let record = rows::by_number(reader, series, number)?.ok_or(missing)?;
    show(reader, record)
}

fn basket(tx: &WriteTx<'_>, input: &SaleInput, currency: Currency) -> Result<Basket, AppError> {
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
    let owed = rules::owed_by(&tx.reader(), customer)?;
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

/// Promises go as far as the hub lets them: what is asked of cards and not captured, with what is asked now.
fn check_promises(
    reader: &Reader<'_>,
    tenders: &[TenderLine],
    currency: Currency,
) -> Result<(), AppError> {
    let cards = tenders.iter().filter(|one| one.tender == Tender::Card);
    let asked = cards
        .map(|one| one.amount_minor)
        .fold(0, i64::saturating_add);
    if asked <= 0 {
        return Ok(());
    }
    let promised = rules::promised(reader, currency.as_str())?;
    let limit = rules::till_rules(reader)?.promise_limit_minor;
    let left = limit.saturating_sub(promised).max(0);
    if asked <= left {
        return Ok(());
    }
    let detail = "so much may not be promised; take cash or a bank transfer, or wait until cards are captured";
    let left = money(left, currency);
    Err(AppError::conflict("promise-limit", detail)
        .with("left", serde_json::to_value(left).unwrap_or_default()))
}

/// On account buys who has an account, as far as it goes.
fn check_account(
    reader: &Reader<'_>,
    basket: &Basket,
    tenders: &[TenderLine],
    currency: Currency,
) -> Result<(), AppError> {
    let on_account = tenders.iter().filter(|one| one.tender == Tender::Account);
    let wanted = on_account
        .map(|one| one.amount_minor)
        .fold(0, i64::saturating_add);
    if wanted <= 0 {
        return Ok(());
    }
    let customer = basket
        .customer
        .ok_or_else(|| AppError::field("/customer_id", "say on whose account it goes"))?;
    let Some(account) = rules::account(reader, customer)? else {
        let detail = "this customer does not buy on account; the hub opens accounts";
        return Err(AppError::conflict("no-account", detail));
    };
    let left = account
        .limit_minor
        .saturating_sub(rules::owed_by(reader, customer)?)
        .max(0);
    if wanted <= left {
        return Ok(());
    }
    let detail = "the account does not go so far";
    let left = money(left, currency);
    Err(AppError::conflict("account-limit", detail)
        .with("left", serde_json::to_value(left).unwrap_or_default()))
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

fn tenders(
    tx: &WriteTx<'_>,
    input: &[TenderInput],
    currency: Currency,
) -> Result<Vec<TenderLine>, AppError> {
    let usual = if rules::till_rules(&tx.reader())?.reader {
        CardWay::Reader
    } else {
        CardWay::Link
    };
    let mut problems = Problems::new();
    let mut tenders = Vec::new();
    for (at, wanted) in input.iter().enumerate() {
        let pointer = |field: &str| format!("/tenders/{at}/{field}");
        let tender = wanted.tender.parse::<Tender>().ok();
        problems.check(
            tender.is_some(),
            &pointer("tender"),
            "must be cash, card, bank or account",
        );
        problems.check(
            wanted.amount.currency == currency,
            &pointer("amount/currency"),
            "must be the currency of this branch",
        );
        let given = wanted.given.unwrap_or(wanted.amount);
        problems.check(
            given.currency == currency,
            &pointer("given/currency"),
            "must be the currency of this branch",
        );
        let way = match wanted.via.as_deref() {
            None => Some(usual),
            Some(via) => via.parse::<CardWay>().ok(),
        };
        problems.check(way.is_some(), &pointer("via"), "must be reader or link");
        if let Some(tender) = tender {
            tenders.push(TenderLine {
                payment: PaymentId::from_random(&mut tx.random()),
                tender,
                amount_minor: wanted.amount.amount_minor,
                given_minor: given.amount_minor,
                way: way.filter(|_| tender == Tender::Card),
            });
        }
    }
    problems.finish(tenders).map_err(AppError::Invalid)
}

fn refused(error: TillError, currency: Currency) -> AppError {
    match error {
        TillError::Unequal { due_minor, .. } => {
            let due = money(due_minor, currency);
            let detail = "the tenders do not come to what is due";
            AppError::conflict("unequal", detail)
                .with("due", serde_json::to_value(due).unwrap_or_default())
        }
        TillError::Tender { number, .. } => {
            AppError::field(&format!("/tenders/{}", number.saturating_sub(1)), error)
        }
        other => AppError::field("/tenders", other),
    }
}

fn found(reader: &Reader<'_>, id: ReceiptId) -> Result<ReceiptView, AppError> {
    let record = rows::get(reader, id)?.ok_or(AppError::NotFound { what: "receipt" })?;
    show(reader, record)
}

fn show(reader: &Reader<'_>, record: ReceiptRecord) -> Result<ReceiptView, AppError> {
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
