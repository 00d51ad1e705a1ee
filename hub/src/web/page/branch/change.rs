//! A branch's facts, changed by a manager.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use domain::permission::Permission;
use sync_protocol::item::command as codes;
use web_kit::{PageForm, Problem};

use super::form::{BranchForm, BranchFormTexts, Shown, show};
use super::texts::BranchTexts;
use super::{find, path_of};
use crate::api::caller::{May, may};
use crate::api::{Caller, HubState};
use crate::app::branch::{self, BranchState};
use crate::web::BRANCHES;
use crate::web::act::{Refusal, act, done, same};
use crate::web::said::{Deed, WayBack};
use crate::web::view::View;

/// The form of a branch as it stands.
pub(crate) async fn edit_form(
    State(state): State<HubState>,
    who: May<may::BranchesWrite>,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let branch = find(&state, &who, &name).await?;
    let view = View::of(&state, &who).await?;
    let form = BranchForm::of(&branch.record.fields, branch.record.version);
    let key = state.form_key();
    edit(
        &state,
        &who,
        &view,
        &branch,
        (StatusCode::OK, key.as_str()),
        &form,
        &Refusal::none(),
    )
    .await
}

async fn edit(
    state: &HubState,
    who: &Caller,
    view: &View,
    branch: &BranchState,
    (status, key): (StatusCode, &str),
    form: &BranchForm,
    refusal: &Refusal,
) -> Result<Response, Problem> {
    let path = path_of(branch);
    let shown = Shown {
        status,
        title: BranchFormTexts::of(view.language()).change,
        action: format!("{path}/edit"),
        back: path,
        key,
        is_new: false,
    };
    show(state, who, view, &shown, form, refusal).await
}

/// Changes the branch and goes back to it.
pub(crate) async fn change(
    State(state): State<HubState>,
    who: May<may::BranchesWrite>,
    Path(name): Path<String>,
    PageForm {
        mut fields,
        request,
    }: PageForm<BranchForm>,
) -> Result<Response, Problem> {
    let branch = find(&state, &who, &name).await?;
    let key = request.key.clone().unwrap_or_default();
    let (id, shown) = (branch.record.id, fields.version);
    let changed = match fields.patch() {
        Ok(patch) => {
            act(&state, &who, codes::ROWS, request, move |tx| {
                Box::pin(async move {
                    let record = branch::patch(tx, id, same(shown), patch).await?;
                    let (code, version) = (record.fields.code, record.version);
                    Ok(done(
                        serde_json::json!({ "code": code, "version": version }),
                    ))
                })
            })
            .await
        }
        Err(error) => Err(error.into()),
    };
    match changed {
        Ok(answered) => {
            let code = answered.answer.body["code"].as_str().unwrap_or_default();
            let version = answered.answer.body["version"].as_u64();
            if let (Some(version), false) = (version, answered.is_replay) {
                let view = View::of(&state, &who).await?;
                let deed = changed_deed(&view, &branch, version)?;
                state.said().say(&state, &who, deed);
            }
            Ok(Redirect::to(&format!("{BRANCHES}/{code}")).into_response())
        }
        Err(problem) if problem.status().is_client_error() => {
            if problem.status() == StatusCode::PRECONDITION_FAILED {
                fields = BranchForm::of(&branch.record.fields, branch.record.version);
            }
            let view = View::of(&state, &who).await?;
            let refusal = Refusal::of(&problem, view.language());
            edit(
                &state,
                &who,
                &view,
                &branch,
                (problem.status(), &key),
                &fields,
                &refusal,
            )
            .await
        }
        Err(problem) => Err(problem),
    }
}

fn changed_deed(view: &View, before: &BranchState, version: u64) -> Result<Deed, Problem> {
    let record = &before.record;
    if version == record.version {
        return Ok(Deed::nothing(view));
    }
    let t = BranchTexts::of(view.language());
    let patch = BranchForm::of(&record.fields, record.version).patch()?;
    let id = record.id;
    let way = WayBack::new(
        Permission::BranchesWrite,
        codes::ROWS,
        path_of(before),
        move |tx| {
            let patch = patch.clone();
            Box::pin(async move {
                branch::patch(tx, id, same(version), patch).await?;
                Ok(())
            })
        },
    );
    Ok(Deed::new(record.fields.name.clone(), t.changed).back(way))
}
