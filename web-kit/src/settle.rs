//! Settling what waits, and taking it back.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::id::DocumentId;
use serde::Deserialize;
use serde_json::Value;
use web_kit::{ApiPath, IfMatch, PageForm, PageRequest, Problem, Toast};

use super::texts::DecisionTexts;
use super::{Refused, show};
use crate::api::EdgeState;
use crate::api::caller::{May, may};
use crate::app::decision::{self, ResolveInput, SettleInput};
use crate::app::order;
use crate::app::order::form::UndoInput;
use crate::web::DECISIONS;
use crate::web::posted::{Posted, post};
use crate::web::said::go_on;
use crate::web::view::View;

/// How a decision is settled, as typed.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct SettleForm {
    #[serde(default)]
    choice: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    order: String,
}

/// Settles a decision.
pub(crate) async fn settle(
    State(state): State<EdgeState>,
    who: May<may::ExceptionsSettle>,
    asked: PageRequest,
    ApiPath(id): ApiPath<DocumentId>,
    PageForm { fields, request }: PageForm<SettleForm>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let t = DecisionTexts::of(view.language());
    let of_steps = !fields.order.is_empty();
    let mut refused = Refused {
        id: id.to_string(),
        key: request.key.clone().unwrap_or_default(),
        typed: vec![fields.choice.clone(), fields.reason.clone()],
        ..Refused::default()
    };
    if !of_steps && fields.reason.trim().is_empty() {
        refused.reason = Some(t.wrong_reason);
        return show(&state, &who, PageRequest::Full, refused).await;
    }
    let input = SettleInput {
        choice: fields.choice,
        reason: fields.reason,
    };
    let posted = post(&state, &who, request, Ok(input), move |tx, actor, input| {
        decision::settle(tx, actor, &id.to_string(), &input)
    });
    let toast = match posted.await {
        Ok(Posted::Done(_)) => Toast::new("", if of_steps { t.done } else { t.done_counted }),
        Ok(Posted::Refused(problem)) => {
            for error in &problem.body().errors {
                match error.pointer.as_str() {
                    "/choice" if !of_steps => refused.field = Some(t.wrong_count),
                    "/reason" => refused.reason = Some(t.wrong_reason),
                    _ => refused.above = Some(t.not_settled),
                }
            }
            if refused.field.is_none() && refused.reason.is_none() {
                refused.above = Some(t.not_settled);
            }
            return show(&state, &who, PageRequest::Full, refused).await;
        }
        Err(problem) => gone(problem, t)?,
    };
    let order = fields.order.parse::<DocumentId>();
    let toast = match order.ok().filter(|_| !toast.is_late) {
        Some(order) => {
            let key = ("key", state.form_key().to_string());
            toast.undo(format!("{DECISIONS}/orders/{order}/undo"), vec![key])
        }
        None => toast,
    };
    go_on(&state, asked, view.language(), DECISIONS, toast)
}

/// How a conflict is settled, as typed.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct ResolveForm {
    #[serde(default)]
    keep: String,
    #[serde(default)]
    value: String,
}

/// Settles a conflict: keeps a version, both, or what was written instead.
pub(crate) async fn resolve(
    State(state): State<EdgeState>,
    who: May<may::ExceptionsSettle>,
    asked: PageRequest,
    ApiPath(id): ApiPath<DocumentId>,
    PageForm { fields, request }: PageForm<ResolveForm>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let t = DecisionTexts::of(view.language());
    let mut refused = Refused {
        id: id.to_string(),
        key: request.key.clone().unwrap_or_default(),
        typed: vec![fields.value.clone()],
        ..Refused::default()
    };
    let is_written = fields.keep == "written";
    let input = ResolveInput {
        keep: fields.keep,
        // A browser ends lines by CR LF; the field's text has LF.
        value: is_written.then(|| Value::String(fields.value.replace("\r\n", "\n"))),
    };
    let posted = post(&state, &who, request, Ok(input), move |tx, actor, input| {
        decision::resolve(tx, actor, &id.to_string(), &input)
    });
    let toast = match posted.await {
        Ok(Posted::Done(_)) => {
            let key = ("key", state.form_key().to_string());
            Toast::new("", t.done).undo(format!("{DECISIONS}/conflicts/{id}/undo"), vec![key])
        }
        Ok(Posted::Refused(_)) => {
            if is_written {
                refused.field = Some(t.wrong_value);
            } else {
                refused.above = Some(t.not_settled);
            }
            return show(&state, &who, PageRequest::Full, refused).await;
        }
        Err(problem) => gone(problem, t)?,
    };
    go_on(&state, asked, view.language(), DECISIONS, toast)
}

/// Takes the settlement of a conflict back.
pub(crate) async fn undo(
    State(state): State<EdgeState>,
    who: May<may::ExceptionsSettle>,
    asked: PageRequest,
    ApiPath(id): ApiPath<DocumentId>,
    PageForm { request, .. }: PageForm<crate::web::page::sync::NoFields>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let t = DecisionTexts::of(view.language());
    let posted = post(&state, &who, request, Ok(id), |tx, actor, id| {
        decision::undo(tx, actor, &id.to_string())
    });
    let toast = taken_back(posted.await, t.done_undone, t)?;
    go_on(&state, asked, view.language(), DECISIONS, toast)
}

/// Takes the last step of an order back, which settled its contradiction.
pub(crate) async fn undo_step(
    State(state): State<EdgeState>,
    who: May<may::OrdersMove>,
    asked: PageRequest,
    ApiPath(id): ApiPath<DocumentId>,
    PageForm { request, .. }: PageForm<crate::web::page::sync::NoFields>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let t = DecisionTexts::of(view.language());
    let posted = post(&state, &who, request, Ok(id), |tx, actor, id| {
        order::status::undo(tx, actor, id, &IfMatch::default(), UndoInput::default())
    });
    let toast = taken_back(posted.await, t.done_reopened, t)?;
    go_on(&state, asked, view.language(), DECISIONS, toast)
}

fn taken_back(
    posted: Result<Posted, Problem>,
    done: &str,
    t: &DecisionTexts,
) -> Result<Toast, Problem> {
    match posted {
        Ok(Posted::Done(_)) => Ok(Toast::new("", done)),
        Ok(Posted::Refused(_)) => Ok(Toast::new("", t.not_settled).late()),
        Err(problem) => gone(problem, t),
    }
}

/// What is not there any more was settled by somebody else.
fn gone(problem: Problem, t: &DecisionTexts) -> Result<Toast, Problem> {
    if problem.status() == StatusCode::NOT_FOUND {
        Ok(Toast::new("", t.gone).late())
    } else {
        Err(problem)
    }
}
