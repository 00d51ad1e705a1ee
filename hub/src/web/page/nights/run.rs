//! Doing a night again, for every branch or for one. It goes on after the answer; the page follows by the event.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use sync_protocol::item::command as codes;
use web_kit::{PageForm, Problem};

use super::check::long_day;
use super::path_of;
use super::texts::NightTexts;
use crate::api::HubState;
use crate::api::caller::{May, may};
use crate::app::branch::named;
use crate::app::error::AppError;
use crate::app::reconcile::{business_day, parse_day, run};
use crate::web::act::{act, done};
use crate::web::said::Deed;
use crate::web::view::View;

/// Which night.
#[derive(Debug, Deserialize)]
pub struct RunFields {
    #[serde(default)]
    day: String,
    #[serde(default)]
    branch: String,
}

/// Does it.
pub(crate) async fn again(
    State(state): State<HubState>,
    who: May<may::NightMend>,
    PageForm { fields, request }: PageForm<RunFields>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let t = NightTexts::of(view.language());
    let now_ms = state.hub().env().now_ms();
    let day =
        parse_day(fields.day.trim()).ok_or_else(|| Problem::invalid_field("/day", t.bad_day))?;
    // Where it is tomorrow first.
    if day > business_day(now_ms, "Pacific/Kiritimati") {
        return Err(Problem::invalid_field("/day", t.future));
    }
    let branch = match fields.branch.trim() {
        "" => None,
        name => {
            let mut sql = state.hub().snapshot().await.map_err(AppError::from)?;
            Some(named(&mut sql, "/branch", name).await?)
        }
    };
    match branch {
        Some(branch) => who.person.require_branch(branch)?,
        None => who.person.require_chain()?,
    }
    let answered = act(&state, &who, codes::NIGHT, request, |_| {
        Box::pin(async { Ok(done(serde_json::Value::Null)) })
    })
    .await?;
    if !answered.is_replay {
        let hub = Arc::clone(state.hub());
        tokio::spawn(async move {
            if let Err(error) = run(&hub, day, branch, now_ms).await {
                tracing::error!(%error, "a night that was asked for failed");
            }
        });
        let deed = Deed::new(long_day(&view, day), t.run_started);
        state.said().say(&state, &who, deed);
    }
    Ok(Redirect::to(&back(day, fields.branch.trim())).into_response())
}

fn back(day: i32, branch: &str) -> String {
    let night = path_of(day);
    if branch.is_empty() {
        night
    } else {
        format!("{night}/{branch}")
    }
}
