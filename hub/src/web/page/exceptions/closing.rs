//! Closing an exception that nothing else ends: with a reason, and with a way back.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use domain::permission::Permission;
use serde::Deserialize;
use sync_protocol::item::command as codes;
use web_kit::{PageForm, Problem, safe_next};

use super::owner::key_of;
use super::{ExceptionsQuery, ExceptionsTexts, body, respond};
use crate::api::HubState;
use crate::api::caller::{May, may};
use crate::app::exceptions;
use crate::web::EXCEPTIONS;
use crate::web::act::{Refusal, act, done, is_refusal};
use crate::web::said::{Deed, WayBack};
use crate::web::view::View;

/// Which exception, and why nothing is left to do.
#[derive(Debug, Deserialize)]
pub struct CloseForm {
    #[serde(default)]
    branch: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    subject: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    next: String,
}

/// Closes it.
pub(crate) async fn close(
    State(state): State<HubState>,
    who: May<may::ExceptionsSettle>,
    PageForm { fields, request }: PageForm<CloseForm>,
) -> Result<Response, Problem> {
    let key = key_of(&fields.branch, &fields.kind, &fields.subject)?;
    let back = safe_next(&fields.next, EXCEPTIONS).to_owned();
    let view = View::of(&state, &who).await?;
    let t = ExceptionsTexts::of(view.language());
    let before = exceptions::get(state.hub(), &who.person, &key).await;
    let person = who.person.clone();
    let work = act(&state, &who, codes::SETTLE, request, move |tx| {
        Box::pin(async move {
            exceptions::close(tx, &person, &key, &fields.reason).await?;
            Ok(done(serde_json::Value::Null))
        })
    });
    match work.await {
        Ok(answered) => {
            if let (false, Ok(record)) = (answered.is_replay, before) {
                let about =
                    exceptions::subjects(state.hub(), std::slice::from_ref(&record)).await?;
                let about = about.get(&record.subject);
                let title = super::list::title(&record.kind, about, view.language());
                let person = who.person.clone();
                let may = Permission::ExceptionsSettle;
                let way = WayBack::new(may, codes::SETTLE, &back, move |tx| {
                    let (person, record) = (person.clone(), record.clone());
                    Box::pin(async move { exceptions::reopen(tx, &person, &record).await })
                });
                let deed = Deed::new(title, t.closed).back(way);
                state.said().say(&state, &who, deed);
            }
            Ok(Redirect::to(&back).into_response())
        }
        Err(problem) if is_refusal(&problem) => {
            let refused = Refusal::of(&problem, view.language()).above(&[]);
            let body = body(&state, &who, &view, &ExceptionsQuery::default(), refused).await?;
            respond(&state, &who, &view, problem.status(), body).await
        }
        Err(problem) => Err(problem),
    }
}
