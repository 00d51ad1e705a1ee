//! The line to the hub: how it is, and the switch of the outage drill.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web_kit::idempotency::mark_replayed;
use web_kit::openapi::{KeyHeader, ReadErrors, WriteErrors};
use web_kit::{ApiCommand, IdempotentRequest, NoBody, Problem};

use crate::api::caller::{Caller, May, may};
use crate::api::command::answered;
use crate::api::state::EdgeState;
use crate::app::sync_status::{self, SyncStatus};
use crate::sync::LinkState;
use web_kit::wire::Time;

pub(super) fn routes() -> OpenApiRouter<EdgeState> {
    OpenApiRouter::new()
        .routes(routes!(state))
        .routes(routes!(pause))
        .routes(routes!(resume))
        .routes(routes!(check))
}

/// The branch and its hub.
#[derive(Debug, Serialize, ToSchema)]
pub struct SyncAnswer {
    /// `connected`, `connecting`, `cut_off`, `paused` or `held`.
    #[schema(value_type = String, example = "connected")]
    pub link: LinkState,
    /// How the line is carried.
    #[schema(value_type = String, example = "quic")]
    pub transport: &'static str,
    /// Since when the link is as it is.
    pub since: Time,
    /// Why, for a person; empty where the state says all.
    pub detail: String,
    /// The rest.
    #[serde(flatten)]
    pub status: SyncStatus,
}

pub(crate) async fn read(
    edge: &EdgeState,
    actor: crate::store::Actor,
) -> Result<SyncAnswer, Problem> {
    let epoch = edge.store().epoch();
    let status = edge
        .store()
        .read(move |reader| sync_status::get(reader, &actor, epoch))
        .await?;
    let link = edge.sync().status();
    Ok(SyncAnswer {
        link: link.state,
        transport: "quic",
        since: Time(link.since_ms),
        detail: link.detail,
        status,
    })
}

/// How the line to the hub is, what the hub has, and what waits.
#[utoipa::path(get, path = "/api/v1/sync", tag = "sync", extensions(("x-permission" = json!("basics_read"))),
    responses((status = 200, body = SyncAnswer), ReadErrors))]
async fn state(
    State(edge): State<EdgeState>,
    who: May<may::BasicsRead>,
) -> Result<Json<SyncAnswer>, Problem> {
    read(&edge, who.actor()).await.map(Json)
}

/// Cuts the line, as an outage would. All work goes on.
#[utoipa::path(post, path = "/api/v1/sync/pause", tag = "sync", params(KeyHeader),
    extensions(("x-permission" = json!("sync_pause"))),
    responses((status = 200, body = SyncAnswer), WriteErrors))]
async fn pause(
    State(edge): State<EdgeState>,
    who: May<may::SyncPause>,
    command: ApiCommand<NoBody>,
) -> Result<Response, Problem> {
    switch(&edge, &who, command, Switch::Pause).await
}

/// Takes the line up again.
#[utoipa::path(post, path = "/api/v1/sync/resume", tag = "sync", params(KeyHeader),
    extensions(("x-permission" = json!("sync_pause"))),
    responses((status = 200, body = SyncAnswer), WriteErrors))]
async fn resume(
    State(edge): State<EdgeState>,
    who: May<may::SyncPause>,
    command: ApiCommand<NoBody>,
) -> Result<Response, Problem> {
    switch(&edge, &who, command, Switch::Resume).await
}

/// Looks through what came from the hub for entries that are lost or damaged here, and asks for them again as soon as the
/// line is up. What came of it stands among the incidents.
#[utoipa::path(post, path = "/api/v1/sync/check", tag = "sync", params(KeyHeader),
    extensions(("x-permission" = json!("sync_pause"))),
    responses((status = 200, body = SyncAnswer), WriteErrors))]
async fn check(
    State(edge): State<EdgeState>,
    who: May<may::SyncPause>,
    command: ApiCommand<NoBody>,
) -> Result<Response, Problem> {
    switch(&edge, &who, command, Switch::Check).await
}

/// Which way the switch is turned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Switch {
    /// The line is cut.
    Pause,
    /// The line is taken up again.
    Resume,
    /// The line stays as it is; what came by it is looked through.
    Check,
}

/// Turns the switch once per key; a repeat leaves it where it is by now. The answer is always the present state.
async fn switch(
    edge: &EdgeState,
    who: &Caller,
    command: ApiCommand<NoBody>,
    switch: Switch,
) -> Result<Response, Problem> {
    let is_replay = turn(edge, who, command.request, switch).await?;
    let response = Json(read(edge, who.actor()).await?).into_response();
    Ok(if is_replay {
        mark_replayed(response)
    } else {
        response
    })
}

/// Turns the switch once per key and waits until it shows; says whether this was a repeat.
pub(crate) async fn turn(
    edge: &EdgeState,
    who: &Caller,
    request: IdempotentRequest,
    switch: Switch,
) -> Result<bool, Problem> {
    let (sync, store) = (edge.sync().clone(), edge.store().clone());
    let done = answered(edge, who, request, StatusCode::OK, move |_, _| {
        match switch {
            Switch::Pause => sync.pause(),
            Switch::Resume => sync.resume(),
            Switch::Check => store.look_at_feeds(),
        }
        Ok(())
    });
    let is_replay = done.await?.is_replay;
    if !is_replay && switch != Switch::Check {
        let is_paused = switch == Switch::Pause;
        settled(edge, |link| (link == LinkState::Paused) == is_paused).await;
    }
    Ok(is_replay)
}

/// Waits until the driver took the wish, so that the answer shows it; a second is plenty.
async fn settled(edge: &EdgeState, is_so: impl Fn(LinkState) -> bool) {
    let mut link = edge.sync().watch();
    let reached = link.wait_for(|status| is_so(status.state));
    let is_late = tokio::time::timeout(Duration::from_secs(1), reached)
        .await
        .is_err();
    if is_late {
        tracing::warn!("the line has not taken the wish yet");
    }
}
