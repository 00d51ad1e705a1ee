//! Payments for orders before they are collected, promises and how far they go, and goods that are kept for a payment.
//!
//! A card is never asked from here: the request goes to the hub with the log, and what comes of it comes back by the
//! feed. A promise can be called off until it was taken.

use domain::id::{DocumentId, PaymentId, ReceiptId};
use domain::money::Money;
use domain::payment::{HOLD_MS, Hold, HoldState, PaymentAgain, PaymentCancelled, PaymentState};
use domain::permission::Permission;
use domain::till::{CardWay, PaperKind, paper_number};
use serde::{Deserialize, Serialize};
use sync_protocol::item::{Item, Release, command};
use utoipa::ToSchema;
use web_kit::list::{ListQuery, Page};
use web_kit::wire::{MoneyForm, Time, money};

use super::till::{self, ReceiptView, SaleInput, SaleOrder, TenderInput};
use super::{cursor, place, require};
use crate::error::AppError;
use crate::store::money::payment::{self as rows, PaymentView as PaymentRecord};
use crate::store::money::{hold, receipt, rules};
use crate::store::{Actor, Reader, WriteTx, order, stock};

const LIST: &str = "payments";

/// What is paid for an order before it is collected.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PayInput {
    /// `cash`, `card`, `bank` or `account`.
    #[schema(example = "card")]
    pub tender: String,
    /// How much.
    #[schema(value_type = MoneyForm)]
    pub amount: Money,
    /// Of cash: what was handed over.
    #[serde(default)]
    #[schema(value_type = Option<MoneyForm>)]
    pub given: Option<Money>,
    /// Keep the order's parts for 15 minutes only, until the money is there.
    #[serde(default)]
    pub hold: bool,
}

/// A payment that was asked of a card or a bank.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Payment)]
pub struct PaymentShown {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    pub id: PaymentId,
    /// The receipt that asks for it.
    #[schema(required = true, example = "BER-R-A000300")]
    pub receipt: Option<String>,
    /// `card` or `bank`.
    pub tender: String,
    /// `queued`, `processing`, `captured`, `declined`, `refunded`, `failed` or `cancelled`.
    pub state: String,
    /// What was asked.
    #[schema(value_type = MoneyForm)]
    pub amount: Money,
    /// What came.
    #[schema(value_type = MoneyForm)]
    pub captured: Money,
    /// A link for the customer, or why it did not come.
    pub detail: String,
    /// When it was asked for.
    pub created_at: Time,
    /// When something was last heard of it.
    pub updated_at: Time,
}

/// How much is promised and how much may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Exposure {
    /// Asked of cards and not captured yet.
    #[schema(value_type = MoneyForm)]
    pub promised: Money,
    /// The most that may be.
    #[schema(value_type = MoneyForm)]
    pub limit: Money,
}

/// Payments by card and bank, with what is promised.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Payments {
    /// What is promised.
    pub exposure: Exposure,
    /// The payments, newest first.
    pub items: Vec<PaymentShown>,
    /// Where the list goes on.
    #[schema(required = true)]
    pub next_cursor: Option<String>,
}

/// What is promised at this branch.
pub fn exposure(reader: &Reader<'_>) -> Result<Exposure, AppError> {
    let currency = reader.settings()?.currency;
    Ok(Exposure {
        promised: money(rules::promised(reader, currency.as_str())?, currency),
        limit: money(rules::till_rules(reader)?.promise_limit_minor, currency),
    })
}

/// Payments by card and bank, newest first.
pub fn list(
    reader: &Reader<'_>,
    actor: &Actor,
    state: Option<&str>,
    page: &ListQuery,
) -> Result<Payments, AppError> {
    require(actor, Permission::MoneyRead)?;
    let state = state
        .map(|state| {
            let detail = "must be a state of a payment, such as queued";
            state
                .parse::<PaymentState>()
                .map_err(|_| AppError::field("/state", detail))
        })
        .transpose()?;
    let found = rows::list(
        reader,
        state,
        place(page, LIST)?,
        page.limit.saturating_add(1),
    )?;
    let Page { items, next_cursor } = Page::cut(found, page.limit, |last| cursor(LIST, &last.row));
    let items = items
        .iter()
        .map(|record| show(reader, record))
        .collect::<Result<_, _>>()?;
    Ok(Payments {
        exposure: exposure(reader)?,
        items,
        next_cursor,
    })
}

/// Takes money for an order before it is collected.
pub fn pay(
    tx: &mut WriteTx<'_>,
    actor: &Actor,
    order: DocumentId,
    input: &PayInput,
) -> Result<ReceiptView, AppError> {
    order::get(&tx.reader(), order)?.ok_or(AppError::NotFound { what: "order" })?;
    let sale = SaleInput {
        orders: vec![SaleOrder {
            order_id: order,
            deposit: Some(input.amount),
        }],
        tenders: vec![TenderInput {
            tender: input.tender.clone(),
            amount: input.amount,
            given: input.given,
            via: None,
        }],
        ..SaleInput::default()
    };
    let paid = till::sell(tx, actor, &sale)?;
    let asked = paid
        .tenders
        .first()
        .filter(|tender| tender.state != "captured");
    if let (true, Some(asked)) = (input.hold, asked) {
        tx.fact(Item::Hold(Hold {
            payment: asked.payment_id,
            order,
            until_ms: tx.now_ms().saturating_add(HOLD_MS),
            state: HoldState::Begun,
        }))?;
    }
    Ok(paid)
}

/// Calls a promise off. What was taken already stays taken, and is given back by a refund.
pub fn call_off(
    tx: &mut WriteTx<'_>,
    actor: &Actor,
    id: PaymentId,
) -> Result<PaymentShown, AppError> {
    require(actor, Permission::TillUse)?;
    let known = rows::get(&tx.reader(), id)?.ok_or(AppError::NotFound { what: "payment" })?;
    let is_open = matches!(
        known.state,
        PaymentState::Queued | PaymentState::Processing | PaymentState::Declined
    );
    if !is_open || known.stored.called_off {
        let detail = "only a payment that was not taken can be called off";
        return Err(AppError::conflict("not-open", detail).with("state", known.state.as_str()));
    }
    tx.begin(command::SALE, actor)?;
    tx.fact(Item::PaymentCancelled(PaymentCancelled { payment: id }))?;
    let reader = tx.reader();
    let known = rows::get(&reader, id)?.ok_or(AppError::NotFound { what: "payment" })?;
    show(&reader, &known)
}

/// Asks the reader again after the customer's card was declined there: the same payment by a new attempt. Asked twice it
/// is one attempt.
pub fn ask_again(
    tx: &mut WriteTx<'_>,
    actor: &Actor,
    id: PaymentId,
) -> Result<PaymentShown, AppError> {
    require(actor, Permission::TillUse)?;
    let reader = tx.reader();
    let known = rows::get(&reader, id)?.ok_or(AppError::NotFound { what: "payment" })?;
    if known.state != PaymentState::Declined || known.stored.called_off {
        let detail = "only a card that was declined is asked for again";
        return Err(AppError::conflict("not-declined", detail).with("state", known.state.as_str()));
    }
    if !is_at_reader(&reader, &known)? {
        let detail = "at a link the customer tries another card on the same page";
        return Err(AppError::conflict("not-at-reader", detail));
    }
    let attempt = rows::next_attempt(&reader, id)?;
    tx.begin(command::SALE, actor)?;
    tx.fact(Item::PaymentAgain(PaymentAgain {
        payment: id,
        attempt,
    }))?;
    show(&tx.reader(), &known)
}

fn is_at_reader(reader: &Reader<'_>, known: &PaymentRecord) -> Result<bool, AppError> {
    let Some(id) = known.receipt else {
        return Ok(false);
    };
    let record = receipt::get(reader, id)?;
    let tenders = record.iter().flat_map(|record| &record.receipt.tenders);
    let mut ways = tenders.filter(|one| one.payment == known.id);
    Ok(ways.any(|one| one.way == Some(CardWay::Reader)))
}

/// Ends the holds whose time is over: the parts go back to the shelf and the payment is called off. Says how many.
pub fn end_holds(tx: &mut WriteTx<'_>) -> Result<usize, AppError> {
    let over = hold::run_out(&tx.reader(), tx.now_ms())?;
    if over.is_empty() {
        return Ok(0);
    }
    tx.begin(command::SALE, &Actor::SYSTEM)?;
    for held in &over {
        tx.fact(Item::Hold(Hold {
            payment: held.payment,
            order: held.order,
            until_ms: held.until_ms,
            state: HoldState::RanOut,
        }))?;
        tx.fact(Item::PaymentCancelled(PaymentCancelled {
            payment: held.payment,
        }))?;
        let record = order::get(&tx.reader(), held.order)?;
        for line in record.iter().flat_map(|record| &record.view.lines) {
            let reserved = stock::reservation(&tx.reader(), line.id)?;
            if reserved.is_some_and(|reserved| reserved.is_open) {
                tx.fact(Item::Release(Release {
                    reservation: line.id,
                }))?;
            }
        }
    }
    Ok(over.len())
}

fn show(reader: &Reader<'_>, record: &PaymentRecord) -> Result<PaymentShown, AppError> {
    let currency = record.currency.parse().unwrap_or_default();
    Ok(PaymentShown {
        id: record.id,
        receipt: record
            .receipt
            .map(|id| number_of(reader, id))
            .transpose()?
            .flatten(),
        tender: record.tender.clone(),
        state: record.state.as_str().to_owned(),
        amount: money(record.asked_minor, currency),
        captured: money(record.captured_minor, currency),
        detail: record.stored.detail.clone(),
        created_at: Time(record.created_at_ms),
        updated_at: Time(record.updated_at_ms),
    })
}

fn number_of(reader: &Reader<'_>, id: ReceiptId) -> Result<Option<String>, AppError> {
    let code = &reader.identity().code;
    Ok(receipt::get(reader, id)?.map(|record| {
        let receipt = record.receipt;
        paper_number(code, PaperKind::Receipt, receipt.series, receipt.number)
    }))
}
