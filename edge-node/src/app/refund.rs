//! Refunds: pieces of a receipt's lines come back, goods go where they belong, and the money goes back the way it came.
//!
//! Above what a role may give back the refund is asked for, and written when the hub has said yes. Cash and account are
//! given back at once; a card is given back by the provider, and the hub says when it went.

use std::collections::BTreeMap;

use domain::id::{LineId, PaymentId, ReceiptId, RefundId, RepaymentId};
use domain::money::{Currency, Money};
use domain::permission::Permission;
use domain::problem::Problems;
use domain::stock::{Account, Movement, MovementKind};
use domain::till::{
    EarlierRefunds, Goods, PaperKind, Receipt, Refund, RefundAsked, RefundLine, RefundTender,
    RefundTotals, Refundable, Tender, TillError, paper_number, split_to_tenders,
};
use serde::{Deserialize, Serialize};
use sync_protocol::item::{Item, command};
use utoipa::ToSchema;
use web_kit::wire::{MoneyForm, Time, money};

use super::cash::register_of;
use super::require;
use crate::error::AppError;
use crate::store::money::receipt::{self as rows, AskedRecord};
use crate::store::money::{cash, last_number, payment, rules};
use crate::store::{Actor, Reader, WriteTx};

/// What is given back, and how.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefundInput {
    /// Pieces of the receipt's lines.
    #[schema(min_items = 1, max_items = 500)]
    pub lines: Vec<RefundLineInput>,
    /// How the money goes back; none: the way it came, the last tender first.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub tenders: Vec<RefundTenderInput>,
    /// Why.
    #[schema(min_length = 1, max_length = 400, example = "does not hold")]
    pub reason: String,
    /// The refund that was asked for and that the hub said yes to.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = "uuid")]
    pub asked_id: Option<RefundId>,
    /// The till; 1 where it is not said.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 999)]
    pub register: Option<u16>,
}

/// Pieces of a line.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefundLineInput {
    /// The line of the receipt.
    #[schema(value_type = String, format = "uuid")]
    pub line_id: LineId,
    /// Pieces.
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub quantity: u32,
    /// Where parts go: `shelf`, `scrap`, `supplier`, or `stay` where nothing comes back.
    #[serde(default)]
    #[schema(example = "shelf")]
    pub goods: Option<String>,
}

/// Money that goes back by one tender.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefundTenderInput {
    /// The payment that it gives back.
    #[schema(value_type = String, format = "uuid")]
    pub payment_id: PaymentId,
    /// How much.
    #[schema(value_type = MoneyForm)]
    pub amount: Money,
}

/// A refund, or that it was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = Refund)]
pub struct RefundView {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    pub id: RefundId,
    /// Its number; null while it waits for the hub's word.
    #[schema(required = true, example = "BER-R-A000301")]
    pub number: Option<String>,
    /// The receipt.
    #[schema(example = "BER-R-A000300")]
    pub receipt: String,
    /// `asked`, `approved`, `refused` or `done`.
    pub state: String,
    /// What goes back.
    #[schema(value_type = MoneyForm)]
    pub amount: Money,
    /// How.
    pub tenders: Vec<RefundTenderView>,
    /// Why; of a refusal the hub's reason.
    pub reason: String,
    /// When.
    pub at: Time,
}

/// Money that goes back by one tender.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = RefundTender)]
pub struct RefundTenderView {
    /// The payment that it gives back.
    #[schema(value_type = String, format = "uuid")]
    pub payment_id: PaymentId,
    /// With what.
    pub tender: String,
    /// How much.
    #[schema(value_type = MoneyForm)]
    pub amount: Money,
    /// `repaid`, or `asked` while the provider has not said so.
    pub state: String,
}

/// What giving pieces back would come to.
#[derive(Debug, Clone, PartialEq)]
pub struct Quote {
    /// The receipt.
    pub receipt: Receipt,
    /// Pieces of each line that can still come back.
    pub left: BTreeMap<LineId, u32>,
    /// What it comes to.
    pub totals: RefundTotals,
    /// Where the money can go.
    pub tenders: Vec<Refundable>,
    /// How it would be spread.
    pub split: Vec<(PaymentId, Tender, i64)>,
    /// Whether the hub is asked first.
    pub needs_word: bool,
}

/// What giving these pieces back would come to; nothing is written.
pub fn quote(
    reader: &Reader<'_>,
    actor: &Actor,
    receipt: ReceiptId,
    lines: &[RefundLine],
) -> Result<Quote, AppError> {
    require(actor, Permission::MoneyRead)?;
    let record = rows::get(reader, receipt)?.ok_or(AppError::NotFound { what: "receipt" })?;
    let receipt = record.receipt;
    let earlier = EarlierRefunds::of(&rows::refunds_of(reader, receipt.id)?);
    let totals = RefundTotals::of(&receipt, &earlier, lines).map_err(refused)?;
    let tenders = refundable(reader, &receipt)?;
    let split = split_to_tenders(&tenders, totals.amount_minor).map_err(refused)?;
    let limit = rules::till_rules(reader)?.refund_limit_minor(actor.role);
    let left = |line: &domain::till::ReceiptLine| {
        let left = line.quantity.saturating_sub(earlier.pieces(line.id));
        (line.id, left)
    };
    Ok(Quote {
        left: receipt.lines.iter().map(left).collect(),
        needs_word: limit.is_some_and(|limit| totals.amount_minor > limit),
        receipt,
        totals,
        tenders,
        split,
    })
}

/// What of a receipt's tenders, and of the deposits that it used up, was captured and not given back.
fn refundable(reader: &Reader<'_>, receipt: &Receipt) -> Result<Vec<Refundable>, AppError> {
    let mut found = Vec::new();
    let used = receipt
        .lines
        .iter()
        .filter(|line| line.kind == domain::till::ReceiptLineKind::DepositOff);
    for order in used.filter_map(|line| line.order) {
        for deposit in rows::deposits_for(reader, order)? {
            add_tenders(reader, &deposit.receipt, &mut found)?;
        }
    }
    add_tenders(reader, receipt, &mut found)?;
    Ok(found)
}

fn add_tenders(
    reader: &Reader<'_>,
    receipt: &Receipt,
    found: &mut Vec<Refundable>,
) -> Result<(), AppError> {
    for tender in &receipt.tenders {
        let Some(known) = payment::get(reader, tender.payment)? else {
            continue;
        };
        let back = known
            .stored
            .repay_asked_minor
            .max(known.stored.repaid_minor);
        let left_minor = known.captured_minor.saturating_sub(back);
        if left_minor > 0 && !found.iter().any(|one| one.payment == tender.payment) {
            found.push(Refundable {
                payment: tender.payment,
                tender: tender.tender,
                left_minor,
            });
        }
    }
    Ok(())
}

/// Gives pieces back, or asks the hub for its word where that is more than the role may give.
pub fn refund(
    tx: &mut WriteTx<'_>,
    actor: &Actor,
    receipt: ReceiptId,
    input: &RefundInput,
) -> Result<RefundView, AppError> {
    require(actor, Permission::RefundsWrite)?;
    let lines = lines_of(input)?;
    let reason = input.reason.trim();
    domain::text::required_line(reason, domain::text::REASON_MAX)
        .map_err(|error| AppError::field("/reason", error))?;
    let quote = quote(&tx.reader(), actor, receipt, &lines)?;
    if quote.needs_word {
        match input.asked_id {
            Some(asked) => check_word(&tx.reader(), asked, &quote, &lines)?,
            None => return ask(tx, actor, &quote, lines, reason),
        }
    }
    let split = match input.tenders.as_slice() {
        [] => quote.split.clone(),
        wanted => wanted_split(&quote, wanted)?,
    };
    let written = write(tx, &quote, lines, &split, reason, input)?;
    let id = written.id;
    tx.begin(command::REFUND, actor)?;
    goods_back(tx, &quote.receipt, &written)?;
    tx.fact(Item::Refund(written))?;
    let reader = tx.reader();
    let refunds = rows::refunds_of(&reader, receipt)?;
    let written = refunds.into_iter().find(|refund| refund.id == id);
    let written = written.ok_or(AppError::NotFound { what: "refund" })?;
    show(&reader, &quote.receipt, &written, tx.now_ms())
}

/// What was given back of a receipt and what waits for a word, newest first.
pub fn of_receipt(
    reader: &Reader<'_>,
    actor: &Actor,
    receipt: &Receipt,
) -> Result<Vec<RefundView>, AppError> {
    require(actor, Permission::MoneyRead)?;
    let mut found = Vec::new();
    for asked in rows::asked_of(reader, receipt.id)? {
        if asked.state != "done" {
            found.push(show_asked(reader, receipt, &asked));
        }
    }
    for refund in rows::refunds_of(reader, receipt.id)?.iter().rev() {
        found.push(show(reader, receipt, refund, 0)?);
    }
    Ok(found)
}

fn lines_of(input: &RefundInput) -> Result<Vec<RefundLine>, AppError> {
    let mut problems = Problems::new();
    problems.check(!input.lines.is_empty(), "/lines", "say what comes back");
    problems.check(
        input.lines.len() <= domain::till::MAX_LINES,
        "/lines",
        "must not have more than 500 entries",
    );
    let mut lines = Vec::new();
    for (at, line) in input.lines.iter().enumerate() {
        let goods = match line.goods.as_deref() {
            None => Some(Goods::Stay),
            Some(goods) => goods.parse().ok(),
        };
        problems.check(
            goods.is_some(),
            &format!("/lines/{at}/goods"),
            "must be stay, shelf, scrap or supplier",
        );
        lines.push(RefundLine {
            line: line.line_id,
            quantity: line.quantity,
            goods: goods.unwrap_or(Goods::Stay),
        });
    }
    problems.finish(lines).map_err(AppError::Invalid)
}

/// Whether the hub said yes to just this.
fn check_word(
    reader: &Reader<'_>,
    asked: RefundId,
    quote: &Quote,
    lines: &[RefundLine],
) -> Result<(), AppError> {
    let known = rows::asked(reader, asked)?
        .filter(|known| known.asked.receipt == quote.receipt.id)
        .ok_or_else(|| AppError::field("/asked_id", "no such refund was asked for"))?;
    if known.state != "approved" {
        let detail = "the hub has not said yes to this refund";
        return Err(AppError::conflict("not-approved", detail).with("state", known.state));
    }
    if known.asked.lines != lines || known.asked.amount_minor != quote.totals.amount_minor {
        let detail = "the hub said yes to another refund; ask for this one";
        return Err(AppError::conflict("not-approved", detail).with("state", known.state));
    }
    Ok(())
}

fn ask(
    tx: &mut WriteTx<'_>,
    actor: &Actor,
    quote: &Quote,
    lines: Vec<RefundLine>,
    reason: &str,
) -> Result<RefundView, AppError> {
    let asked = RefundAsked {
        id: RefundId::from_random(&mut tx.random()),
        receipt: quote.receipt.id,
        currency: quote.receipt.currency,
        lines,
        amount_minor: quote.totals.amount_minor,
        reason: reason.to_owned(),
    };
    let id = asked.id;
    tx.begin(command::REFUND, actor)?;
    tx.fact(Item::RefundAsked(asked))?;
    let reader = tx.reader();
    let asked = rows::asked(&reader, id)?.ok_or(AppError::NotFound { what: "refund" })?;
    Ok(show_asked(&reader, &quote.receipt, &asked))
}

fn wanted_split(
    quote: &Quote,
    wanted: &[RefundTenderInput],
) -> Result<Vec<(PaymentId, Tender, i64)>, AppError> {
    let mut split: Vec<(PaymentId, Tender, i64)> = Vec::new();
    for (at, one) in wanted.iter().enumerate() {
        let pointer = format!("/tenders/{at}/amount");
        let known = quote
            .tenders
            .iter()
            .find(|known| known.payment == one.payment_id)
            .ok_or_else(|| {
                let detail = "nothing of this payment is left to give back";
                AppError::field(&format!("/tenders/{at}/payment_id"), detail)
            })?;
        let amount = one.amount;
        if amount.currency != quote.receipt.currency || amount.amount_minor <= 0 {
            let detail = "must be above zero, in the currency of the receipt";
            return Err(AppError::field(&pointer, detail));
        }
        let before = split
            .iter()
            .filter(|(payment, _, _)| *payment == one.payment_id);
        let sum: i64 = before.map(|(_, _, amount)| amount).sum();
        if sum.saturating_add(amount.amount_minor) > known.left_minor {
            let detail = "is more than is left of this payment";
            return Err(AppError::field(&pointer, detail));
        }
        split.push((one.payment_id, known.tender, amount.amount_minor));
    }
    let sum: i64 = split.iter().map(|(_, _, amount)| amount).sum();
    if sum != quote.totals.amount_minor {
        let due = money(quote.totals.amount_minor, quote.receipt.currency);
        let detail = "the tenders do not come to what goes back";
        return Err(AppError::conflict("unequal", detail)
            .with("due", serde_json::to_value(due).unwrap_or_default()));
    }
    Ok(split)
}

fn write(
    tx: &WriteTx<'_>,
    quote: &Quote,
    lines: Vec<RefundLine>,
    split: &[(PaymentId, Tender, i64)],
    reason: &str,
    input: &RefundInput,
) -> Result<Refund, AppError> {
    let reader = tx.reader();
    let register = register_of(input.register)?;
    let session = cash::open_of(&reader, register)?;
    let cash_back: i64 = split
        .iter()
        .filter(|(_, tender, _)| *tender == Tender::Cash)
        .map(|(_, _, amount)| amount)
        .sum();
    if let (Some(session), true) = (&session, cash_back > 0) {
        let (drawer, _) = cash::report(&reader, session)?;
        drawer.may_take(cash_back).map_err(|_| {
            AppError::conflict("drawer-short", "there is not so much in the drawer")
        })?;
    }
    let (series, last) = last_number(&reader, PaperKind::Receipt)?;
    let refund = Refund {
        id: input
            .asked_id
            .unwrap_or_else(|| RefundId::from_random(&mut tx.random())),
        receipt: quote.receipt.id,
        register,
        session: session.map(|session| session.id),
        series,
        number: last.saturating_add(1),
        currency: quote.receipt.currency,
        lines,
        rates: quote.totals.rates.clone(),
        deposits_minor: quote.totals.deposits_minor,
        tenders: split
            .iter()
            .map(|(payment, tender, amount_minor)| RefundTender {
                id: RepaymentId::from_random(&mut tx.random()),
                payment: *payment,
                tender: *tender,
                amount_minor: *amount_minor,
            })
            .collect(),
        reason: reason.to_owned(),
    };
    refund.check_form().map_err(refused)?;
    Ok(refund)
}

/// Parts come back from the customer or from use, and from there go where the person said.
fn goods_back(tx: &mut WriteTx<'_>, receipt: &Receipt, refund: &Refund) -> Result<(), AppError> {
    let branch = tx.identity().branch;
    for line in &refund.lines {
        let Some(sold) = receipt.line(line.line) else {
            continue;
        };
        let (Some(part), true) = (sold.part, line.goods != Goods::Stay) else {
            continue;
        };
        let quantity = i64::from(line.quantity);
        let about =
            |movement: Movement| movement.about(*refund.id.as_bytes(), *line.line.as_bytes(), 0);
        let mut back = about(Movement::new(branch, part, MovementKind::Return, quantity));
        if sold.order.is_some() {
            back.from = Account::Used;
        }
        tx.fact(Item::Movement(back))?;
        let on = match line.goods {
            Goods::Scrap => Some(MovementKind::Scrap),
            Goods::Supplier => Some(MovementKind::SupplierReturn),
            Goods::Shelf | Goods::Stay => None,
        };
        if let Some(kind) = on {
            let mut on = Movement::new(branch, part, kind, quantity);
            on.text.clone_from(&refund.reason);
            tx.fact(Item::Movement(on))?;
        }
    }
    Ok(())
}

fn refused(error: TillError) -> AppError {
    match error {
        TillError::Overpaid { left_minor } => {
            let detail = "less of it was paid than goes back; call open promises off first";
            AppError::conflict("not-captured", detail).with("left_minor", left_minor)
        }
        TillError::UnknownLine(_) | TillError::Returned { .. } | TillError::Goods(_) => {
            AppError::field("/lines", error)
        }
        TillError::Tender { number, .. } => {
            AppError::field(&format!("/tenders/{}", number.saturating_sub(1)), error)
        }
        other => AppError::field("/lines", other),
    }
}

fn show(
    reader: &Reader<'_>,
    receipt: &Receipt,
    refund: &Refund,
    at_ms: i64,
) -> Result<RefundView, AppError> {
    let code = &reader.identity().code;
    let currency = refund.currency;
    let mut tenders = Vec::new();
    for tender in &refund.tenders {
        let known = payment::get(reader, tender.payment)?;
        let went =
            known.is_some_and(|known| known.stored.repaid_minor >= known.stored.repay_asked_minor);
        let is_done = went || !tender.tender.is_asked_for();
        tenders.push(RefundTenderView {
            payment_id: tender.payment,
            tender: tender.tender.as_str().to_owned(),
            amount: money(tender.amount_minor, currency),
            state: if is_done { "repaid" } else { "asked" }.to_owned(),
        });
    }
    Ok(RefundView {
        id: refund.id,
        number: Some(paper_number(
            code,
            PaperKind::Receipt,
            refund.series,
            refund.number,
        )),
        receipt: number_of(code, receipt),
        state: "done".to_owned(),
        amount: money(refund.amount().unwrap_or_default(), currency),
        tenders,
        reason: refund.reason.clone(),
        at: Time(at_ms),
    })
}

fn show_asked(reader: &Reader<'_>, receipt: &Receipt, known: &AskedRecord) -> RefundView {
    let asked = &known.asked;
    let reason = if known.reason.is_empty() {
        &asked.reason
    } else {
        &known.reason
    };
    RefundView {
        id: asked.id,
        number: None,
        receipt: number_of(&reader.identity().code, receipt),
        state: known.state.clone(),
        amount: amount_of(asked.amount_minor, asked.currency),
        tenders: Vec::new(),
        reason: reason.clone(),
        at: Time(known.at_ms),
    }
}

fn amount_of(amount_minor: i64, currency: Currency) -> Money {
    money(amount_minor, currency)
}

fn number_of(code: &str, receipt: &Receipt) -> String {
    paper_number(code, PaperKind::Receipt, receipt.series, receipt.number)
}
