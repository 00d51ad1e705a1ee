//! The till: baskets and their receipts. All of it also while cut off.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::id::ReceiptId;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web_kit::openapi::{ReadErrors, RequiredKeyHeader, WriteErrors};
use web_kit::{ApiPath, KeyedCommand, Problem};

use crate::api::caller::{May, may};
use crate::api::command::command;
use crate::api::state::EdgeState;
use crate::app::refund::{self, RefundInput, RefundView};
use crate::app::till::{self, ReceiptView, SaleInput};

pub(super) fn routes() -> OpenApiRouter<EdgeState> {
    OpenApiRouter::new()
        .routes(routes!(sell))
        .routes(routes!(receipt))
        .routes(routes!(give_back))
}

/// Sells a basket: orders that are handed over or paid ahead, parts from the shelf, and what they are paid with. Where
/// the tenders do not come to what is due, 409 says it.
#[utoipa::path(post, path = "/api/v1/sales", tag = "money", params(RequiredKeyHeader),
    request_body = SaleInput,
    extensions(("x-permission" = json!("till_use"))),
    responses((status = 201, body = ReceiptView), WriteErrors))]
async fn sell(
    State(edge): State<EdgeState>,
    who: May<may::TillUse>,
    KeyedCommand { body, request }: KeyedCommand<SaleInput>,
) -> Result<Response, Problem> {
    command(
        &edge,
        &who,
        request,
        StatusCode::CREATED,
        move |tx, actor| till::sell(tx, actor, &body),
    )
    .await
}

/// A receipt by its number.
#[utoipa::path(get, path = "/api/v1/receipts/{number}", tag = "money",
    params(("number" = String, Path, description = "As it is printed", example = "BER-R-A000300")),
    extensions(("x-permission" = json!("money_read"))),
    responses((status = 200, body = ReceiptView), ReadErrors))]
async fn receipt(
    State(edge): State<EdgeState>,
    who: May<may::MoneyRead>,
    ApiPath(number): ApiPath<String>,
) -> Result<Json<ReceiptView>, Problem> {
    let actor = who.actor();
    let read = edge
        .store()
        .read(move |reader| till::by_number(reader, &actor, &number));
    Ok(Json(read.await?))
}

/// Gives pieces of a receipt's lines back, to the tenders that they were paid with, and says where parts go. Above what
/// the role may give back the answer is a refund that waits for the hub's word (`state` is `asked`).
#[utoipa::path(post, path = "/api/v1/sales/{id}/refunds", tag = "money",
    params(("id" = String, Path, format = "uuid", description = "The receipt"), RequiredKeyHeader),
    request_body = RefundInput,
    extensions(("x-permission" = json!("refunds_write"))),
    responses((status = 201, body = RefundView), WriteErrors))]
async fn give_back(
    State(edge): State<EdgeState>,
    who: May<may::RefundsWrite>,
    ApiPath(id): ApiPath<ReceiptId>,
    KeyedCommand { body, request }: KeyedCommand<RefundInput>,
) -> Result<Response, Problem> {
    command(
        &edge,
        &who,
        request,
        StatusCode::CREATED,
        move |tx, actor| refund::refund(tx, actor, id, &body),
    )
    .await
}
