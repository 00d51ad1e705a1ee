//! Cash sessions: opened with a float, moved by hand, counted and closed. All of it also while cut off.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::id::SessionId;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web_kit::openapi::{ReadErrors, RequiredKeyHeader, WriteErrors};
use web_kit::{ApiPath, KeyedCommand, ListQuery, Page, Problem};

use crate::api::caller::{May, may};
use crate::api::command::command;
use crate::api::state::EdgeState;
use crate::app::cash::{self, CashSession, CloseInput, MoveInput, OpenInput};

pub(super) fn routes() -> OpenApiRouter<EdgeState> {
    OpenApiRouter::new()
        .routes(routes!(list, open))
        .routes(routes!(shift))
        .routes(routes!(close))
}

/// Lists cash sessions, newest first. What should be in the drawer of an open one is not said.
#[utoipa::path(get, path = "/api/v1/cash-sessions", tag = "money", params(ListQuery),
    extensions(("x-permission" = json!("money_read"))),
    responses((status = 200, body = Page<CashSession>), ReadErrors))]
async fn list(
    State(edge): State<EdgeState>,
    who: May<may::MoneyRead>,
    page: ListQuery,
) -> Result<Json<Page<CashSession>>, Problem> {
    let actor = who.actor();
    let read = edge
        .store()
        .read(move |reader| cash::list(reader, &actor, &page));
    Ok(Json(read.await?))
}

/// Opens a cash session with its float. A till has one open session at a time.
#[utoipa::path(post, path = "/api/v1/cash-sessions", tag = "money", params(RequiredKeyHeader),
    request_body = OpenInput,
    extensions(("x-permission" = json!("cash_write"))),
    responses((status = 201, body = CashSession), WriteErrors))]
async fn open(
    State(edge): State<EdgeState>,
    who: May<may::CashWrite>,
    KeyedCommand { body, request }: KeyedCommand<OpenInput>,
) -> Result<Response, Problem> {
    command(
        &edge,
        &who,
        request,
        StatusCode::CREATED,
        move |tx, actor| cash::open(tx, actor, &body),
    )
    .await
}

/// Puts cash in by hand, or takes it out, with a reason.
#[utoipa::path(post, path = "/api/v1/cash-sessions/{id}/movements", tag = "money",
    params(("id" = String, Path, format = "uuid", description = "The cash session"), RequiredKeyHeader),
    request_body = MoveInput,
    extensions(("x-permission" = json!("cash_write"))),
    responses((status = 200, body = CashSession), WriteErrors))]
async fn shift(
    State(edge): State<EdgeState>,
    who: May<may::CashWrite>,
    ApiPath(id): ApiPath<SessionId>,
    KeyedCommand { body, request }: KeyedCommand<MoveInput>,
) -> Result<Response, Problem> {
    command(&edge, &who, request, StatusCode::OK, move |tx, actor| {
        cash::shift(tx, actor, id, &body)
    })
    .await
}

/// Closes a cash session with a blind count by coin and note; answers the day report (Z).
#[utoipa::path(post, path = "/api/v1/cash-sessions/{id}/close", tag = "money",
    params(("id" = String, Path, format = "uuid", description = "The cash session"), RequiredKeyHeader),
    request_body = CloseInput,
    extensions(("x-permission" = json!("cash_write"))),
    responses((status = 200, body = CashSession), WriteErrors))]
async fn close(
    State(edge): State<EdgeState>,
    who: May<may::CashWrite>,
    ApiPath(id): ApiPath<SessionId>,
    KeyedCommand { body, request }: KeyedCommand<CloseInput>,
) -> Result<Response, Problem> {
    command(&edge, &who, request, StatusCode::OK, move |tx, actor| {
        cash::close(tx, actor, id, &body)
    })
    .await
}
