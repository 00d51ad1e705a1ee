//! Payments and refunds of the chain, what providers say, what tills may do.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use domain::id::{BranchId, DocumentId, PaymentId, RefundId};
use domain::money::Money;
use domain::payment::PaymentState;
use domain::till::{AccountRow, TillRules};
use serde::{Deserialize, Serialize};
use sync_protocol::item::command as codes;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web_kit::extract::query_text;
use web_kit::openapi::{ReadErrors, RequiredKeyHeader, WriteErrors, errors};
use web_kit::wire::MoneyForm;
use web_kit::{ApiPath, ApiQuery, Cursor, KeyedCommand, ListQuery, Page, Problem};

use crate::api::caller::{May, may};
use crate::api::command::{answer, command};
use crate::api::state::HubState;
use crate::api::wire::{place, time};
use crate::app::branch;
use crate::app::error::AppError;
use crate::app::money::read::{self, PaymentRow, Wanted, amount};
use crate::app::money::{rules, settle};
use crate::outside::DependencyHealth;
use crate::store::sync::outbox::Job;

const LIST: &str = "payments";
/// Most refunds or jobs of an answer.
const MOST: i64 = 500;

pub(super) fn routes() -> OpenApiRouter<HubState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get))
        .routes(routes!(ask_again))
        .routes(routes!(refunds))
        .routes(routes!(decide))
        .routes(routes!(providers))
        .routes(routes!(outbox))
        .routes(routes!(get_rules, set_rules))
        .routes(routes!(set_account))
        .routes(routes!(stripe))
        .routes(routes!(take_statement))
        .routes(routes!(bank_statement))
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

/// Something that is to be asked of somebody outside.
#[derive(Debug, Serialize, ToSchema)]
pub struct OutboxJob {
    /// `ask`, `cancel` or `repay`.
    kind: String,
    /// The payment.
    #[schema(format = "uuid")]
    payment_id: String,
    /// The attempt at the provider.
    attempt: u16,
    /// How often it failed.
    tries: u32,
    /// Why it failed last.
    last_error: String,
    /// When it was asked for.
    #[schema(format = "date-time")]
    created_at: String,
}

impl OutboxJob {
    fn of(job: Job) -> Self {
        Self {
            kind: job.kind,
            payment_id: job.payment.to_string(),
            attempt: job.attempt,
            tries: job.tries,
            last_error: job.last_error,
            created_at: time(job.created_ms),
        }
    }
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

/// A refund that waits for a word.
#[derive(Debug, Serialize, ToSchema)]
pub struct RefundRequest {
    /// Its id.
    #[schema(format = "uuid")]
    id: String,
    /// Code of the branch.
    branch: String,
    /// `asked`, `approved`, `refused` or `done`.
    state: String,
    /// What goes back.
    #[schema(value_type = MoneyForm)]
    amount: Money,
    /// Who asked.
    #[schema(required = true)]
    staff_id: Option<String>,
    /// When.
    #[schema(format = "date-time")]
    at: String,
}

impl RefundRequest {
    fn of(row: read::AskedRow, codes: &branch::Codes) -> Self {
        Self {
            id: row.id.to_string(),
            branch: branch::code_of(codes, row.branch),
            state: row.state,
            amount: amount(row.amount_minor, row.currency),
            staff_id: read::who(row.staff),
            at: time(row.at_ms),
        }
    }
}

/// Refunds above the limit of who wants to give them, oldest first.
#[utoipa::path(get, path = "/api/v1/refunds", tag = "money",
    responses((status = 200, body = Vec<RefundRequest>), ReadErrors))]
async fn refunds(
    State(state): State<HubState>,
    who: May<may::MoneyRead>,
) -> Result<Json<Vec<RefundRequest>>, Problem> {
    let (found, codes) = read::asked(state.hub(), &who.person, MOST).await?;
    let shown = found.into_iter().map(|row| RefundRequest::of(row, &codes));
    Ok(Json(shown.collect()))
}

/// A word on a refund.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Word {
    /// Yes or no.
    approved: bool,
    /// Why; needed for a no.
    #[serde(default)]
    #[schema(max_length = 400)]
    reason: String,
}

/// Says yes or no to a refund that waits; the branch learns of it and gives the money back.
#[utoipa::path(post, path = "/api/v1/refunds/{id}/decide", tag = "money",
    params(("id" = String, Path, format = "uuid", description = "The refund"), RequiredKeyHeader),
    request_body = Word,
    responses((status = 200, body = RefundRequest), WriteErrors))]
async fn decide(
    State(state): State<HubState>,
    who: May<may::RefundsApprove>,
    ApiPath(id): ApiPath<RefundId>,
    KeyedCommand { body, request }: KeyedCommand<Word>,
) -> Result<Response, Problem> {
    let person = who.person.clone();
    command(&state, &who, codes::REFUND, request, move |tx| {
        Box::pin(async move {
            let row = settle::decide(tx, &person, id, body.approved, &body.reason).await?;
            let codes = branch::codes(tx.sql()).await?;
            answer(StatusCode::OK, None, &RefundRequest::of(row, &codes))
        })
    })
    .await
}

/// How those outside are doing that the hub calls.
#[utoipa::path(get, path = "/api/v1/providers", tag = "money",
    responses((status = 200, body = Vec<DependencyHealth>), ReadErrors))]
async fn providers(
    State(state): State<HubState>,
    _who: May<may::MoneyRead>,
) -> Result<Json<Vec<DependencyHealth>>, Problem> {
    Ok(Json(state.hub().outside().health()))
}

/// Which jobs.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct OutboxQuery {
    /// `waiting` or `dead`; `dead` where it is not said.
    #[serde(default, deserialize_with = "query_text")]
    state: Option<String>,
}

/// What is to be asked of somebody outside and waits, or was given up; oldest first.
#[utoipa::path(get, path = "/api/v1/outbox", tag = "money", params(OutboxQuery),
    responses((status = 200, body = Vec<OutboxJob>), ReadErrors))]
async fn outbox(
    State(state): State<HubState>,
    who: May<may::MoneyRead>,
    ApiQuery(query): ApiQuery<OutboxQuery>,
) -> Result<Json<Vec<OutboxJob>>, Problem> {
    let wanted = query.state.as_deref().unwrap_or("dead");
    let jobs = read::jobs(state.hub(), &who.person, wanted, MOST).await?;
    Ok(Json(jobs.into_iter().map(OutboxJob::of).collect()))
}

/// What the tills of a branch may do; amounts in minor units of its currency.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TillRulesForm {
    /// The most that may be promised by card and not captured.
    #[schema(minimum = 0)]
    promise_limit_minor: i64,
    /// After how many days an open promise is a matter for people.
    #[schema(minimum = 0, maximum = 365)]
    promise_days: u16,
    /// What a clerk may give back without another's word.
    #[schema(minimum = 0)]
    refund_clerk_minor: i64,
    /// What a manager of a branch may give back without another's word.
    #[schema(minimum = 0)]
    refund_manager_minor: i64,
    /// Whether a card reader stands on the counter.
    reader: bool,
}

impl From<TillRules> for TillRulesForm {
    fn from(rules: TillRules) -> Self {
        Self {
            promise_limit_minor: rules.promise_limit_minor,
            promise_days: rules.promise_days,
            refund_clerk_minor: rules.refund_clerk_minor,
            refund_manager_minor: rules.refund_manager_minor,
            reader: rules.reader,
        }
    }
}

impl From<TillRulesForm> for TillRules {
    fn from(form: TillRulesForm) -> Self {
        Self {
            promise_limit_minor: form.promise_limit_minor,
            promise_days: form.promise_days,
            refund_clerk_minor: form.refund_clerk_minor,
            refund_manager_minor: form.refund_manager_minor,
            reader: form.reader,
        }
    }
}

/// What the tills of a branch may do.
#[utoipa::path(get, path = "/api/v1/branches/{id}/till-rules", tag = "money",
    params(("id" = String, Path, format = "uuid", description = "The branch")),
    responses((status = 200, body = TillRulesForm), ReadErrors))]
async fn get_rules(
    State(state): State<HubState>,
    who: May<may::MoneyRead>,
    ApiPath(id): ApiPath<BranchId>,
) -> Result<Json<TillRulesForm>, Problem> {
    who.person.require_branch(id)?;
    let (_, found) = rules::get(state.hub(), id).await?;
    Ok(Json(found.into()))
}

/// Sets what the tills of a branch may do.
#[utoipa::path(post, path = "/api/v1/branches/{id}/till-rules", tag = "money",
    params(("id" = String, Path, format = "uuid", description = "The branch"), RequiredKeyHeader),
    request_body = TillRulesForm,
    responses((status = 200, body = TillRulesForm), WriteErrors))]
async fn set_rules(
    State(state): State<HubState>,
    who: May<may::SettingsWrite>,
    ApiPath(id): ApiPath<BranchId>,
    KeyedCommand { body, request }: KeyedCommand<TillRulesForm>,
) -> Result<Response, Problem> {
    command(&state, &who, codes::ROWS, request, move |tx| {
        Box::pin(async move {
            let known = branch::codes(tx.sql()).await?;
            if !known.contains_key(&id) {
                return Err(AppError::NotFound { what: "branch" });
            }
            let (_, set) = rules::set(tx, id, body.into()).await?;
            answer(StatusCode::OK, None, &TillRulesForm::from(set))
        })
    })
    .await
}

/// A customer who buys on account.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountForm {
    /// The most that the customer may owe, in minor units; null ends the account.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required = true, minimum = 0)]
    limit_minor: Option<i64>,
    /// After how many days what is owed is a matter for people.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 365)]
    due_days: u16,
}

/// Opens an account for a customer, changes it, or ends it.
#[utoipa::path(post, path = "/api/v1/customers/{id}/account", tag = "money",
    params(("id" = String, Path, format = "uuid", description = "The customer"), RequiredKeyHeader),
    request_body = AccountForm,
    responses((status = 200, body = AccountForm), WriteErrors))]
async fn set_account(
    State(state): State<HubState>,
    who: May<may::SettingsWrite>,
    ApiPath(id): ApiPath<DocumentId>,
    KeyedCommand { body, request }: KeyedCommand<AccountForm>,
) -> Result<Response, Problem> {
    command(&state, &who, codes::ROWS, request, move |tx| {
        Box::pin(async move {
            let account = body.limit_minor.map(|limit_minor| AccountRow {
                limit_minor,
                due_days: body.due_days,
            });
            rules::set_account(tx, id, account).await?;
            answer(StatusCode::OK, None, &body)
        })
    })
    .await
}

/// What became of a statement.
#[derive(Debug, Serialize, ToSchema)]
pub struct StatementTaken {
    /// Lines that were read.
    read: usize,
    /// Lines that were not there yet.
    new: usize,
    /// New lines that paid what a receipt asks for.
    matched: usize,
}

/// Takes in what is new in the statement of the card provider; it happens every hour by itself.
#[utoipa::path(post, path = "/api/v1/settlements/stripe", tag = "money", params(RequiredKeyHeader),
    request_body = Option<Nothing>, responses((status = 200, body = StatementTaken), WriteErrors))]
async fn take_statement(
    State(state): State<HubState>,
    _who: May<may::RefundsApprove>,
    _body: KeyedCommand<Option<Nothing>>,
) -> Result<Json<StatementTaken>, Problem> {
    let taken = settle::take_statement(state.hub()).await?;
    let new = taken.ok_or_else(|| {
        AppError::conflict(
            "no-provider",
            "no card provider is set up; see the configuration of the hub",
        )
    })?;
    Ok(Json(StatementTaken {
        read: new,
        new,
        matched: 0,
    }))
}

/// Takes in a bank's file (CSV with the columns `booked_on`, `reference`, `amount`, `currency` and `text`): what names a
/// receipt and brings what it asks for pays it, the rest waits to be matched by a person. A file with a wrong row changes
/// nothing; rows that are there already are skipped.
#[utoipa::path(post, path = "/api/v1/settlements/bank", tag = "money", params(RequiredKeyHeader),
    request_body = BankFile, responses((status = 200, body = StatementTaken), WriteErrors))]
async fn bank_statement(
    State(state): State<HubState>,
    who: May<may::RefundsApprove>,
    KeyedCommand { body, request }: KeyedCommand<BankFile>,
) -> Result<Response, Problem> {
    command(&state, &who, codes::PAYMENT, request, move |tx| {
        Box::pin(async move {
            let zone = jiff::tz::TimeZone::get(body.time_zone.as_deref().unwrap_or("UTC"))
                .map_err(|_| {
                    AppError::field("/time_zone", "must be a time zone such as Europe/Berlin")
                })?;
            let taken = settle::take_bank_file(tx, body.file.as_bytes(), &zone).await?;
            let shown = StatementTaken {
                read: taken.read,
                new: taken.new,
                matched: taken.matched,
            };
            answer(StatusCode::OK, None, &shown)
        })
    })
    .await
}

/// A bank's file.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BankFile {
    /// The file as text.
    #[schema(
        max_length = 1_000_000,
        example = "booked_on,reference,amount,currency,text\n2026-11-21,7,49.90,EUR,BER-R-A000300\n"
    )]
    file: String,
    /// In which its days are; UTC where it is not said.
    #[serde(default)]
    #[schema(example = "Europe/Berlin")]
    time_zone: Option<String>,
}

/// Errors of an event: it needs no session.
struct EventErrors;

impl utoipa::IntoResponses for EventErrors {
    fn responses()
    -> std::collections::BTreeMap<String, utoipa::openapi::RefOr<utoipa::openapi::Response>> {
        errors(&[400, 413, 503])
    }
}

/// Events of Stripe, signed by it. What an event says is not believed: the payment is asked about. Each event is taken
/// once, in whatever order they come.
#[utoipa::path(post, path = "/api/v1/webhooks/stripe", tag = "money", security(()),
    request_body(content = String, content_type = "application/json"),
    responses((status = 204, description = "Taken"), EventErrors))]
async fn stripe(
    State(state): State<HubState>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let signature = headers
        .get("stripe-signature")
        .and_then(|value| value.to_str().ok());
    match settle::take_event(state.hub(), signature, &body).await? {
        Ok(()) => Ok(StatusCode::NO_CONTENT.into_response()),
        Err(error) => Err(Problem::new(StatusCode::BAD_REQUEST).detail(error.to_string())),
    }
}
