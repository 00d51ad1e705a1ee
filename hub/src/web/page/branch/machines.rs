//! The machines of a branch: who may speak for it. A join code is shown by the answer that made it and by no other
//! page; only its hash is kept.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use domain::permission::Permission;
use serde::Deserialize;
use sync_protocol::item::command as codes;
use sync_protocol::position::NodeId;
use web_kit::{PageForm, PageRequest, Problem, SafeHtml, fill, html};

use super::texts::BranchTexts;
use super::{find, path_of, respond};
use crate::api::caller::{May, may};
use crate::api::state::Reach;
use crate::api::{Caller, HubState};
use crate::app::NodeRow;
use crate::app::branch::{self, BranchState};
use crate::app::error::AppError;
use crate::web::BRANCHES;
use crate::web::act::{Refusal, act, done};
use crate::web::said::Deed;
use crate::web::view::View;

#[derive(Template)]
#[template(path = "branch/_machines.html")]
struct MachinesTemplate<'a> {
    t: &'a BranchTexts,
    path: &'a str,
    key: String,
    rows: Vec<MachineRow>,
    may_join: bool,
    may_revoke: bool,
    code: Option<NewCode>,
    refused: Option<Refused>,
}

struct MachineRow {
    id: String,
    state: &'static str,
    tone: &'static str,
    is_active: bool,
    reason: String,
    joined: String,
    heard: String,
    stored: String,
    version: String,
    revoke_title: String,
}

/// A code that was just made.
pub(super) struct NewCode {
    code: String,
    hint: String,
    command: String,
    about: String,
}

/// Why nothing was done.
pub(super) struct Refused {
    words: Vec<String>,
}

/// The machines, with a code that was just made or why nothing was done.
pub(super) async fn machines(
    state: &HubState,
    who: &Caller,
    view: &View,
    branch: &BranchState,
    code: Option<NewCode>,
    refused: Option<Refused>,
) -> Result<SafeHtml, Problem> {
    let t = BranchTexts::of(view.language());
    let found = branch::machines(state.hub(), branch.record.id).await?;
    SafeHtml::render(&MachinesTemplate {
        t,
        path: &path_of(branch),
        key: state.form_key().as_str().to_owned(),
        rows: found.into_iter().map(|row| machine(t, view, row)).collect(),
        may_join: who.person.may(Permission::JoinCodes),
        may_revoke: who.person.may(Permission::NodesRevoke),
        code,
        refused,
    })
}

fn machine(t: &BranchTexts, view: &View, row: NodeRow) -> MachineRow {
    let is_active = row.revoked.is_none() && !row.closed;
    let (state, tone) = match (&row.revoked, row.closed) {
        (Some(_), _) => (t.revoked, "late"),
        (None, true) => (t.replaced, "plain"),
        (None, false) => (t.active, "agreed"),
    };
    let id = row.node.to_string();
    MachineRow {
        revoke_title: fill(t.revoke_title, &[("id", &id)]),
        id,
        state,
        tone,
        is_active,
        reason: row.revoked.unwrap_or_default(),
        joined: view.clock.when(row.enrolled_ms),
        heard: view.when(row.last_contact_ms),
        stored: view.count(row.tip.seq),
        version: row.version,
    }
}

/// The address of a code that was made, asked for again: the code is not shown twice.
pub(crate) async fn leave_code(Path(name): Path<String>) -> Redirect {
    Redirect::to(&format!("{BRANCHES}/{}", crate::web::act::encode(&name)))
}

/// Nothing but the form's key.
#[derive(Debug, Deserialize)]
pub struct KeyOnly {}

/// Makes a join code and shows it, this once.
pub(crate) async fn join_code(
    State(state): State<HubState>,
    who: May<may::JoinCodes>,
    Path(name): Path<String>,
    request: PageRequest,
    PageForm {
        fields: KeyOnly {},
        request: form,
    }: PageForm<KeyOnly>,
) -> Result<Response, Problem> {
    let branch = find(&state, &who, &name).await?;
    let (id, fingerprint, staff) = (branch.record.id, state.ca().fingerprint(), who.person.id);
    let made = act(&state, &who, codes::NODES, form, move |tx| {
        Box::pin(async move {
            let made = branch::new_join_code(tx, id, fingerprint, staff).await?;
            let body =
                serde_json::json!({ "code": made.code.to_string(), "expires_ms": made.expires_ms });
            Ok(done(body))
        })
    })
    .await?;
    let view = View::of(&state, &who).await?;
    let t = BranchTexts::of(view.language());
    let code = made.answer.body["code"].as_str().unwrap_or_default();
    let until_ms = made.answer.body["expires_ms"].as_i64().unwrap_or_default();
    let address = state.branch_address();
    let about = match address.reach {
        Reach::Named => "",
        Reach::Everywhere => t.code_anywhere,
        Reach::Loopback => t.code_loopback,
    };
    let hub = &address.text;
    let code = NewCode {
        code: code.to_owned(),
        hint: fill(t.code_hint, &[("when", &view.clock.hour(until_ms))]),
        command: fill(t.code_command, &[("hub", hub), ("code", &code)]),
        about: fill(about, &[("hub", hub)]),
    };
    if request.is_fragment() {
        return Ok(html(
            machines(&state, &who, &view, &branch, Some(code), None).await?,
        ));
    }
    respond(
        &state,
        &who,
        &view,
        StatusCode::OK,
        &branch,
        Some(code),
        None,
    )
    .await
}

/// Why a machine may speak no more.
#[derive(Debug, Deserialize)]
pub struct RevokeForm {
    #[serde(default)]
    reason: String,
}

/// Takes a machine's right to speak away.
pub(crate) async fn revoke(
    State(state): State<HubState>,
    who: May<may::NodesRevoke>,
    Path((name, node)): Path<(String, String)>,
    PageForm { fields, request }: PageForm<RevokeForm>,
) -> Result<Response, Problem> {
    let branch = find(&state, &who, &name).await?;
    let node = u32::from_str_radix(&node, 16)
        .map(NodeId)
        .map_err(|_| Problem::not_found("There is no such machine."))?;
    let person = who.person.clone();
    let revoked = act(&state, &who, codes::NODES, request, move |tx| {
        Box::pin(async move {
            if fields.reason.trim().is_empty() {
                return Err(AppError::field("/reason", "must say why"));
            }
            branch::revoke(tx, &person, node, &fields.reason).await?;
            Ok(done(serde_json::Value::Null))
        })
    })
    .await;
    match revoked {
        Ok(_) => {
            let t = BranchTexts::of(View::of(&state, &who).await?.language());
            let deed = Deed::new(node.to_string(), t.is_revoked);
            state.said().say(&state, &who, deed);
            Ok(Redirect::to(&path_of(&branch)).into_response())
        }
        Err(problem) if problem.status().is_client_error() => {
            let view = View::of(&state, &who).await?;
            let words = Refusal::of(&problem, view.language()).above(&[]);
            let refused = Some(Refused { words });
            respond(
                &state,
                &who,
                &view,
                problem.status(),
                &branch,
                None,
                refused,
            )
            .await
        }
        Err(problem) => Err(problem),
    }
}
