//! What is decided about a parked entry: applied after all, or left out for good. Neither can be taken back.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use domain::id::parse_uuid;
use serde::Deserialize;
use sync_protocol::item::VerdictKind;
use web_kit::{PageForm, Problem};

use super::{ExceptionsQuery, ExceptionsTexts, body, respond};
use crate::api::HubState;
use crate::api::caller::{May, may};
use crate::app::idempotency::Request;
use crate::app::parked::{self, Settlement};
use crate::web::EXCEPTIONS;
use crate::web::act::Refusal;
use crate::web::said::Deed;
use crate::web::view::View;

/// Why.
#[derive(Debug, Deserialize)]
pub struct SettleForm {
    #[serde(default)]
    reason: String,
}

/// Applies a parked entry after all.
pub(crate) async fn release(
    state: State<HubState>,
    who: May<may::ParkedSettle>,
    id: Path<String>,
    form: PageForm<SettleForm>,
) -> Result<Response, Problem> {
    settle(state, who, id, form, VerdictKind::Released).await
}

/// Leaves a parked entry out for good.
pub(crate) async fn drop_entry(
    state: State<HubState>,
    who: May<may::ParkedSettle>,
    id: Path<String>,
    form: PageForm<SettleForm>,
) -> Result<Response, Problem> {
    settle(state, who, id, form, VerdictKind::Dropped).await
}

async fn settle(
    State(state): State<HubState>,
    who: May<may::ParkedSettle>,
    Path(id): Path<String>,
    PageForm { fields, request }: PageForm<SettleForm>,
    verdict: VerdictKind,
) -> Result<Response, Problem> {
    let id = parse_uuid(&id).map_err(|_| Problem::not_found("There is no such parked entry."))?;
    let request = Request {
        key: request.key,
        route: request.route,
        fingerprint: request.body_hmac,
    };
    let settlement = Settlement {
        id,
        verdict,
        reason: fields.reason,
    };
    let settled = parked::settle(state.hub(), &who.person, &request, settlement).await;
    match settled.map_err(Problem::from) {
        Ok(_) => {
            let view = View::of(&state, &who).await?;
            let t = ExceptionsTexts::of(view.language());
            let (strong, text) = match verdict {
                VerdictKind::Released => (t.released, t.released_text),
                _ => (t.dropped, t.dropped_text),
            };
            state.said().say(&state, &who, Deed::new(strong, text));
            Ok(Redirect::to(EXCEPTIONS).into_response())
        }
        Err(problem) if problem.status().is_client_error() => {
            let view = View::of(&state, &who).await?;
            let refused = Refusal::of(&problem, view.language()).above(&[]);
            let body = body(&state, &who, &view, &ExceptionsQuery::default(), refused).await?;
            respond(&state, &who, &view, problem.status(), body).await
        }
        Err(problem) => Err(problem),
    }
}
