//! Payments for orders, promises and how far they go, and the end of a business day. All of it also while cut off.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::id::{DocumentId, PaymentId};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web_kit::extract::query_text;
use web_kit::openapi::{ReadErrors, RequiredKeyHeader, WriteErrors};
use web_kit::{ApiPath, ApiQuery, KeyedCommand, ListQuery, Problem};

use crate::api::caller::{May, may};
use crate::api::command::command;
use crate::api::state::EdgeState;
use crate::app::day::{self, DayShown};
use crate::app::payment::{self, PayInput, PaymentShown, Payments};
use crate::app::till::ReceiptView;

pub(super) fn routes() -> OpenApiRouter<EdgeState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(pay))
        .routes(routes!(call_off))
        .routes(routes!(ask_again))
        .routes(routes!(close_day))
}

/// Which payments.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PaymentsQuery {
    /// `queued`, `processing`, `captured`, `declined`, `refunded`, `failed` or `cancelled`.
    #[serde(default, deserialize_with = "query_text")]
    state: Option<String>,
}

/// Lists payments by card and bank, newest first, with what is promised and how far promises may go.
#[utoipa::path(get, path = "/api/v1/payments", tag = "money", params(PaymentsQuery, ListQuery),
    extensions(("x-permission" = json!("money_read"))),
    responses((status = 200, body = Payments), ReadErrors))]
async fn list(
    State(edge): State<EdgeState>,
    who: May<may::MoneyRead>,
    ApiQuery(query): ApiQuery<PaymentsQuery>,
    page: ListQuery,
) -> Result<Json<Payments>, Problem> {
    let actor = who.actor();
    let read = edge
        .store()
        .read(move |reader| payment::list(reader, &actor, query.state.as_deref(), &page));
    Ok(Json(read.await?))
}

/// Takes money for an order before it is collected. Cash is `captured`; a card is a promise to pay that is `queued`:
/// the hub asks for it, and nothing is captured without the customer.
#[utoipa::path(post, path = "/api/v1/orders/{id}/payments", tag = "money",
    params(("id" = String, Path, format = "uuid", description = "The order"), RequiredKeyHeader),
    request_body = PayInput,
    extensions(("x-permission" = json!("till_use"))),
    responses((status = 201, body = ReceiptView), WriteErrors))]
async fn pay(
    State(edge): State<EdgeState>,
    who: May<may::TillUse>,
    ApiPath(id): ApiPath<DocumentId>,
    KeyedCommand { body, request }: KeyedCommand<PayInput>,
) -> Result<Response, Problem> {
    command(
        &edge,
        &who,
        request,
        StatusCode::CREATED,
        move |tx, actor| payment::pay(tx, actor, id, &body),
    )
    .await
}

/// Calls off a payment that was not taken yet.
#[utoipa::path(post, path = "/api/v1/payments/{id}/cancel", tag = "money",
    params(("id" = String, Path, format = "uuid", description = "The payment"), RequiredKeyHeader),
    request_body = Option<Nothing>,
    extensions(("x-permission" = json!("till_use"))),
    responses((status = 200, body = PaymentShown), WriteErrors))]
async fn call_off(
    State(edge): State<EdgeState>,
    who: May<may::TillUse>,
    ApiPath(id): ApiPath<PaymentId>,
    KeyedCommand { body: _, request }: KeyedCommand<Option<Nothing>>,
) -> Result<Response, Problem> {
    command(&edge, &who, request, StatusCode::OK, move |tx, actor| {
        payment::call_off(tx, actor, id)
    })
    .await
}

/// Asks the reader again after the customer's card was declined there. It is another attempt of the same payment, asked
/// once the one before is over: the money comes once.
#[utoipa::path(post, path = "/api/v1/payments/{id}/ask-again", tag = "money",
    params(("id" = String, Path, format = "uuid", description = "The payment"), RequiredKeyHeader),
    request_body = Option<Nothing>,
    extensions(("x-permission" = json!("till_use"))),
    responses((status = 200, body = PaymentShown), WriteErrors))]
async fn ask_again(
    State(edge): State<EdgeState>,
    who: May<may::TillUse>,
    ApiPath(id): ApiPath<PaymentId>,
    KeyedCommand { body: _, request }: KeyedCommand<Option<Nothing>>,
) -> Result<Response, Problem> {
    command(&edge, &who, request, StatusCode::OK, move |tx, actor| {
        payment::ask_again(tx, actor, id)
    })
    .await
}

/// No more is said.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

/// Which day ends.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DayInput {
    /// Today, or one of the hundred days before.
    #[schema(format = "date", example = "2026-11-21")]
    business_date: String,
}

/// Closes a business day: the branch's word on what it has, for the hub to hold its own against. It happens by itself
/// every night; the newest word of a day counts.
#[utoipa::path(post, path = "/api/v1/business-days", tag = "money", params(RequiredKeyHeader),
    request_body = DayInput,
    extensions(("x-permission" = json!("cash_write"))),
    responses((status = 201, body = DayShown), WriteErrors))]
async fn close_day(
    State(edge): State<EdgeState>,
    who: May<may::CashWrite>,
    KeyedCommand { body, request }: KeyedCommand<DayInput>,
) -> Result<Response, Problem> {
    command(
        &edge,
        &who,
        request,
        StatusCode::CREATED,
        move |tx, actor| day::close(tx, actor, &body.business_date),
    )
    .await
}
