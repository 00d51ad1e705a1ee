//! Payments by card and bank: where each stands, and having the provider asked again.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::id::PaymentId;
use domain::money::Money;
use domain::payment::PaymentState;
use serde::{Deserialize, Serialize};
use sync_protocol::item::command as codes;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web_kit::extract::query_text;
use web_kit::openapi::{ReadErrors, RequiredKeyHeader, WriteErrors};
use web_kit::wire::MoneyForm;
use web_kit::{ApiPath, ApiQuery, Cursor, KeyedCommand, ListQuery, Page, Problem};

use super::outbox::OutboxJob;
use crate::api::caller::{May, may};
use crate::api::command::{answer, command};
use crate::api::state::HubState;
use crate::api::wire::{place, time};
use crate::app::branch;
use crate::app::error::AppError;
use crate::app::money::read::{self, PaymentRow, Wanted, amount};
use crate::app::money::{back, settle};

const LIST: &str = "payments";

pub(super) fn routes() -> OpenApiRouter<HubState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get))
        .routes(routes!(ask_again))
        .routes(routes!(give_back))
}

/// A payment by card or bank.
#[derive(Debug, Serialize, ToSchema)]
pub struct Payment {
    /// Its id.
    #[schema(format = "uuid")]
    id: String,
    /// Code of the branch.
    branch: String,
    /// `card` or `bank`.
    tender: String,
    /// `queued`, `processing`, `captured`, `declined`, `refunded`, `failed` or `cancelled`.
    state: String,
    /// What was asked.
    #[schema(value_type = MoneyForm)]
    amount: Money,
    /// What came.
    #[schema(value_type = MoneyForm)]
    captured: Money,
    /// What went back.
    #[schema(value_type = MoneyForm)]
    refunded: Money,
    /// The provider's name for it.
    reference: String,
    /// A link for the customer, or why it did not come.
    detail: String,
    /// When it was asked for.
    #[schema(format = "date-time")]
    created_at: String,
    /// When something was last heard of it.
    #[schema(format = "date-time")]
    updated_at: String,
}

impl Payment {
    fn of(row: PaymentRow, codes: &branch::Codes) -> Self {
        Self {
            id: row.id.to_string(),
            branch: branch::code_of(codes, row.branch),
            tender: row.tender,
            state: row.state,
            amount: amount(row.asked_minor, row.currency),
            captured: amount(row.captured_minor, row.currency),
            refunded: amount(row.repaid_minor, row.currency),
            reference: row.reference,
            detail: row.detail,
            created_at: time(row.created_ms),
            updated_at: time(row.updated_ms),
        }
    }
}

/// Which payments.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PaymentsQuery {
    /// Code of a branch.
    #[serde(default, deserialize_with = "query_text")]
    branch: Option<String>,
    /// `queued`, `processing`, `captured`, `declined`, `refunded`, `failed` or `cancelled`.
    #[serde(default, deserialize_with = "query_text")]
    state: Option<String>,
}

/// Lists payments by card and bank, newest first.
#[utoipa::path(get, path = "/api/v1/payments", tag = "money", params(PaymentsQuery, ListQuery),
    responses((status = 200, body = Page<Payment>), ReadErrors))]
async fn list(
    State(state): State<HubState>,
    who: May<may::MoneyRead>,
    ApiQuery(query): ApiQuery<PaymentsQuery>,
    page: ListQuery,
) -> Result<Json<Page<Payment>>, Problem> {
    if let Some(state) = &query.state
        && state.parse::<PaymentState>().is_err()
    {
        let detail = "must be a state of a payment, such as queued";
        return Err(AppError::field("/state", detail).into());
    }
    let branch = read::branch_named(state.hub(), query.branch.as_deref()).await?;
    let wanted = Wanted {
        branch,
        state: query.state,
        place: place(&page, LIST)?,
        limit: i64::from(page.limit) + 1,
    };
    let (found, codes) = read::payments(state.hub(), &who.person, &wanted).await?;
    let cursor = |last: &PaymentRow| Cursor::encode(LIST, &(last.created_ms, *last.id.as_bytes()));
    Ok(Json(
        Page::cut(found, page.limit, cursor).map(|row| Payment::of(row, &codes)),
    ))
}

/// A payment with what is known of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct PaymentHistory {
    /// The payment.
    #[serde(flatten)]
    payment: Payment,
    /// Number of the receipt that asks for it.
    #[schema(required = true)]
    receipt: Option<String>,
    /// What is to be asked of the provider.
    attempts: Vec<OutboxJob>,
    /// What statements say of it.
    settlements: Vec<Settled>,
    /// What came too much, or although it was called off, and was not asked back yet.
    #[schema(value_type = MoneyForm)]
    due_back: Money,
}

/// A line of a statement.
#[derive(Debug, Serialize, ToSchema)]
pub struct Settled {
    /// Whose statement.
    provider: String,
    /// The provider's name of the line.
    reference: String,
    /// What it is.
    kind: String,
    /// The payout that it belongs to.
    payout: String,
    /// What came.
    #[schema(value_type = MoneyForm)]
    amount: Money,
    /// What the provider kept.
    #[schema(value_type = MoneyForm)]
    fee: Money,
    /// When, by the provider.
    #[schema(format = "date-time")]
    at: String,
}

/// One payment with its attempts and what statements say.
#[utoipa::path(get, path = "/api/v1/payments/{id}", tag = "money",
    params(("id" = String, Path, format = "uuid", description = "The payment")),
    responses((status = 200, body = PaymentHistory), ReadErrors))]
async fn get(
    State(state): State<HubState>,
    who: May<may::MoneyRead>,
    ApiPath(id): ApiPath<PaymentId>,
) -> Result<Json<PaymentHistory>, Problem> {
    let known = read::payment(state.hub(), &who.person, id).await?;
    let codes: branch::Codes = [(known.row.branch, known.branch)].into();
    Ok(Json(PaymentHistory {
        receipt: known.receipt,
        due_back: amount(known.due_minor, known.row.currency),
        attempts: known.jobs.into_iter().map(OutboxJob::of).collect(),
        settlements: known
            .settlements
            .into_iter()
            .map(|line| Settled {
                amount: amount(line.amount_minor, line.currency),
                fee: amount(line.fee_minor, line.currency),
                provider: line.provider,
                reference: line.reference,
                kind: line.kind,
                payout: line.payout,
                at: time(line.settled_ms),
            })
            .collect(),
        payment: Payment::of(known.row, &codes),
    }))
}

/// What was woken.
#[derive(Debug, Serialize, ToSchema)]
pub struct Woken {
    /// Jobs that are asked again.
    jobs: u64,
}

/// No more is said.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

/// Asks the provider again about a payment; a dead letter is played again.
#[utoipa::path(post, path = "/api/v1/payments/{id}/ask-again", tag = "money",
    params(("id" = String, Path, format = "uuid", description = "The payment"), RequiredKeyHeader),
    request_body = Option<Nothing>,
    responses((status = 200, body = Woken), WriteErrors))]
async fn ask_again(
    State(state): State<HubState>,
    who: May<may::RefundsApprove>,
    ApiPath(id): ApiPath<PaymentId>,
    KeyedCommand { body: _, request }: KeyedCommand<Option<Nothing>>,
) -> Result<Response, Problem> {
    let person = who.person.clone();
    command(&state, &who, codes::PAYMENT, request, move |tx| {
        Box::pin(async move {
            let jobs = settle::ask_again(tx, &person, id).await?;
            answer(StatusCode::OK, None, &Woken { jobs })
        })
    })
    .await
}

/// Why money goes back.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GiveBack {
    /// For the branch and for the audit.
    #[schema(min_length = 1, max_length = 400, example = "paid twice")]
    reason: String,
}

/// What goes back.
#[derive(Debug, Serialize, ToSchema)]
pub struct GivenBack {
    /// The payment.
    #[schema(format = "uuid")]
    payment_id: String,
    /// How much; the provider is asked at once, and the payment says when it went.
    #[schema(value_type = MoneyForm)]
    amount: Money,
    /// What asks the provider, one for each capture.
    repayment_ids: Vec<String>,
}

/// Gives back what came too much, or came although it was called off; the outbox asks the provider. Goods and work are
/// given back at the branch, by a refund of the receipt.
#[utoipa::path(post, path = "/api/v1/payments/{id}/refunds", tag = "money",
    params(("id" = String, Path, format = "uuid", description = "The payment"), RequiredKeyHeader),
    request_body = GiveBack,
    responses((status = 202, body = GivenBack), WriteErrors))]
async fn give_back(
    State(state): State<HubState>,
    who: May<may::RefundsApprove>,
    ApiPath(id): ApiPath<PaymentId>,
    KeyedCommand { body, request }: KeyedCommand<GiveBack>,
) -> Result<Response, Problem> {
    let person = who.person.clone();
    command(&state, &who, codes::REFUND, request, move |tx| {
        Box::pin(async move {
            let given = back::give_back(tx, &person, id, &body.reason).await?;
            let shown = GivenBack {
                payment_id: id.to_string(),
                amount: amount(given.amount_minor, given.currency),
                repayment_ids: given.repayments.iter().map(ToString::to_string).collect(),
            };
            answer(StatusCode::ACCEPTED, None, &shown)
        })
    })
    .await
}
