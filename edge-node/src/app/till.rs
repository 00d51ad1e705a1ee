//! The till: one receipt for whatever is collected, paid ahead or sold over the counter.
//!
//! Goods, claims and money are one transaction: the receipt, the movements of parts from the shelf, and the step of the
//! orders that are handed over. Cash is captured when it is written; a card is asked for and what comes of it is a
//! record of the hub.

mod basket;
mod shown;
mod tender;

use domain::id::{DocumentId, ReceiptId};
use domain::money::Money;
use domain::order::Status;
use domain::permission::Permission;
use domain::till::{PaperKind, Receipt, parse_paper_number};
use serde::{Deserialize, Serialize};
use sync_protocol::item::{Item, command};
use utoipa::ToSchema;
use web_kit::etag::IfMatch;
use web_kit::wire::MoneyForm;

use super::cash::register_of;
use super::order::form::StatusInput;
use super::order::{line, status};
use super::require;
use crate::error::AppError;
use crate::store::money::receipt as rows;
use crate::store::money::{cash, last_number};
use crate::store::{Actor, Reader, WriteTx};
pub use shown::{ReceiptLineView, ReceiptView, TenderView};

/// A basket with what it is paid with.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
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

/// Sells: writes the receipt, takes the parts from the shelf, hands the orders over.
pub fn sell(
    tx: &mut WriteTx<'_>,
    actor: &Actor,
    input: &SaleInput,
) -> Result<ReceiptView, AppError> {
    require(actor, Permission::TillUse)?;
    let settings = tx.settings()?;
    let currency = settings.currency;
    let basket = basket::basket(tx, input, currency)?;
    let tenders = tender::tenders(tx, &input.tenders, currency)?;
    tender::check_promises(&tx.reader(), &tenders, currency)?;
    tender::check_account(&tx.reader(), &basket, &tenders, currency)?;
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
        .map_err(|error| tender::refused(error, currency))?;
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
    shown::found(&tx.reader(), id)
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
    shown::show(reader, record)
}
