//! The form of a person: added, changed, let go. A password is read and never given back.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use domain::id::StaffId;
use domain::permission::Permission;
use domain::sensitive::Sensitive;
use domain::staff::Role;
use serde::Deserialize;
use sync_protocol::item::command as codes;
use web_kit::{Content, PageForm, Problem, SafeHtml, fill, html_with_status};

use super::texts::{StaffTexts, role_words};
use crate::api::caller::{May, may};
use crate::api::{Caller, HubState};
use crate::app::branch::{self, Codes, code_of};
use crate::app::error::AppError;
use crate::app::idempotency::Answered;
use crate::app::network::BranchPlace;
use crate::app::staff::{self, NewStaff, StaffPatch, StaffRecord};
use crate::store::scope::Scope;
use crate::web::STAFF;
use crate::web::act::{Refusal, act, done, same};
use crate::web::frame::frame;
use crate::web::said::{Deed, WayBack};
use crate::web::view::View;

/// Branches that are shown as picks; more are typed as codes.
const PICKS: usize = 60;

/// What was typed. A password is read and never given back.
#[derive(Default, Deserialize)]
pub struct PersonForm {
    #[serde(default)]
    username: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    role: String,
    #[serde(default)]
    branches: Vec<String>,
    #[serde(default)]
    codes: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    version: u64,
}

impl PersonForm {
    fn of(record: &StaffRecord, codes: &Codes) -> Self {
        let branches: Vec<String> = record
            .fields
            .branches
            .iter()
            .map(|branch| code_of(codes, *branch))
            .collect();
        Self {
            username: record.fields.username.clone(),
            name: record.fields.name.clone(),
            role: record.fields.role.to_string(),
            codes: branches.join(" "),
            branches,
            password: String::new(),
            version: record.version,
        }
    }

    /// The picked branches and the typed ones.
    fn all_branches(&self) -> Vec<String> {
        let typed = self.codes.split([' ', ',', ';']).map(str::trim);
        let picked = self.branches.iter().map(String::as_str);
        let mut all: Vec<String> = picked
            .chain(typed)
            .filter(|code| !code.is_empty())
            .map(str::to_uppercase)
            .collect();
        all.sort();
        all.dedup();
        all
    }

    fn role(&self) -> Result<Role, AppError> {
        Role::ALL
            .iter()
            .copied()
            .find(|role| role.as_str() == self.role)
            .ok_or_else(|| AppError::field("/role", "choose a role"))
    }
}

const FIELDS: [&str; 5] = ["username", "name", "role", "branches", "password"];

#[derive(Template)]
#[template(path = "staff/form.html")]
struct FormTemplate<'a> {
    t: &'a StaffTexts,
    form: &'a PersonForm,
    key: &'a str,
    action: &'a str,
    refusal: &'a Refusal,
    above: Vec<String>,
    roles: Vec<RoleChoice>,
    picks: Vec<Pick>,
    known: Option<Known>,
    let_go_title: String,
}

struct RoleChoice {
    value: &'static str,
    name: &'static str,
    may: &'static str,
    is_chosen: bool,
}

struct Pick {
    code: String,
    name: String,
    is_chosen: bool,
}

/// The person whose form it is.
struct Known {
    key: String,
    is_active: bool,
}

struct Shown<'a> {
    status: StatusCode,
    key: &'a str,
    record: Option<&'a StaffRecord>,
}

async fn show(
    state: &HubState,
    who: &Caller,
    view: &View,
    shown: &Shown<'_>,
    form: &PersonForm,
    refusal: &Refusal,
) -> Result<Response, Problem> {
    let t = StaffTexts::of(view.language());
    let places = branch::places(state.hub(), &Scope::Chain).await?;
    let role = |role: &Role| {
        let (name, may) = role_words(*role, view.language());
        RoleChoice {
            value: role.as_str(),
            name,
            may,
            is_chosen: role.as_str() == form.role,
        }
    };
    let action = shown.record.map_or_else(
        || STAFF.to_owned(),
        |record| format!("{STAFF}/{}", record.id),
    );
    let body = SafeHtml::render(&FormTemplate {
        t,
        form,
        key: shown.key,
        action: &action,
        refusal,
        above: refusal.above(&FIELDS),
        roles: Role::ALL.iter().map(role).collect(),
        picks: picks(places, form),
        known: shown.record.map(|record| Known {
            key: state.form_key().as_str().to_owned(),
            is_active: record.fields.active,
        }),
        let_go_title: fill(t.let_go_title, &[("name", &form.name)]),
    })?;
    let title = shown
        .record
        .map_or(t.new, |record| record.fields.name.as_str());
    let page = frame(state, who, view, STAFF)
        .await?
        .render(&Content::new(title, body))?;
    Ok(html_with_status(shown.status, page))
}

fn picks(places: Vec<BranchPlace>, form: &PersonForm) -> Vec<Pick> {
    if places.len() > PICKS {
        return Vec::new();
    }
    let chosen = form.all_branches();
    places
        .into_iter()
        .map(|place| Pick {
            is_chosen: chosen.contains(&place.code),
            code: place.code,
            name: place.name,
        })
        .collect()
}

/// The empty form.
pub(crate) async fn new_form(
    State(state): State<HubState>,
    who: May<may::StaffWrite>,
) -> Result<Response, Problem> {
    who.person.require_chain()?;
    let view = View::of(&state, &who).await?;
    let form = PersonForm {
        role: Role::Clerk.as_str().to_owned(),
        ..PersonForm::default()
    };
    let key = state.form_key();
    let shown = Shown {
        status: StatusCode::OK,
        key: key.as_str(),
        record: None,
    };
    show(&state, &who, &view, &shown, &form, &Refusal::none()).await
}

/// Adds the person; the branches where the person works hear of it at once.
pub(crate) async fn create(
    State(state): State<HubState>,
    who: May<may::StaffWrite>,
    PageForm { fields, request }: PageForm<PersonForm>,
) -> Result<Response, Problem> {
    who.person.require_chain()?;
    let key = request.key.clone().unwrap_or_default();
    let made = match new_person(&state, &fields).await {
        Ok(new) => {
            act(&state, &who, codes::ROWS, request, move |tx| {
                Box::pin(async move {
                    let record = staff::create(tx, new).await?;
                    Ok(done(serde_json::json!({ "id": record.id.to_string() })))
                })
            })
            .await
        }
        Err(error) => Err(error.into()),
    };
    match made {
        Ok(answered) => {
            let view = View::of(&state, &who).await?;
            let t = StaffTexts::of(view.language());
            let id = answered.answer.body["id"].as_str().unwrap_or_default();
            if let (Ok(id), false) = (id.parse::<StaffId>(), answered.is_replay) {
                let gone = StaffPatch {
                    active: Some(false),
                    ..StaffPatch::default()
                };
                let way = back_to(&who, id, 1, gone).saying(t.is_gone);
                let deed = Deed::new(fields.name, t.added).back(way);
                state.said().say(&state, &who, deed);
            }
            Ok(Redirect::to(STAFF).into_response())
        }
        Err(problem) if problem.status().is_client_error() => {
            let view = View::of(&state, &who).await?;
            let shown = Shown {
                status: problem.status(),
                key: &key,
                record: None,
            };
            let refusal = Refusal::of(&problem, view.language());
            show(&state, &who, &view, &shown, &fields, &refusal).await
        }
        Err(problem) => Err(problem),
    }
}

async fn new_person(state: &HubState, form: &PersonForm) -> Result<NewStaff, AppError> {
    let role = form.role()?;
    let password = Sensitive::new(form.password.clone());
    Ok(NewStaff {
        username: form.username.clone(),
        name: form.name.clone(),
        role,
        branches: form.all_branches(),
        password_hash: staff::new_password(state.hub(), password).await?,
    })
}

fn id_of(id: &str) -> Result<StaffId, Problem> {
    id.parse()
        .map_err(|_| Problem::not_found("There is no such person."))
}

/// The form of a person.
pub(crate) async fn edit_form(
    State(state): State<HubState>,
    who: May<may::StaffWrite>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    who.person.require_chain()?;
    let record = staff::get(state.hub(), &who.person, id_of(&id)?).await?;
    let view = View::of(&state, &who).await?;
    let codes = branch::all_codes(state.hub()).await?;
    let form = PersonForm::of(&record, &codes);
    let key = state.form_key();
    let shown = Shown {
        status: StatusCode::OK,
        key: key.as_str(),
        record: Some(&record),
    };
    show(&state, &who, &view, &shown, &form, &Refusal::none()).await
}

/// Changes the person.
pub(crate) async fn change(
    State(state): State<HubState>,
    who: May<may::StaffWrite>,
    Path(id): Path<String>,
    PageForm {
        mut fields,
        request,
    }: PageForm<PersonForm>,
) -> Result<Response, Problem> {
    who.person.require_chain()?;
    let record = staff::get(state.hub(), &who.person, id_of(&id)?).await?;
    let key = request.key.clone().unwrap_or_default();
    let (id, person, shown) = (record.id, who.person.clone(), fields.version);
    let changed = match patch_of(&state, &fields).await {
        Ok(patch) => {
            act(&state, &who, codes::ROWS, request, move |tx| {
                Box::pin(async move {
                    let record = staff::patch(tx, &person, id, same(shown), patch).await?;
                    Ok(done(serde_json::json!({ "version": record.version })))
                })
            })
            .await
        }
        Err(error) => Err(error.into()),
    };
    match changed {
        Ok(answered) => {
            if !answered.is_replay {
                let deed = changed_deed(&state, &who, &record, &fields, &answered).await?;
                state.said().say(&state, &who, deed);
            }
            Ok(Redirect::to(STAFF).into_response())
        }
        Err(problem) if problem.status().is_client_error() => {
            if problem.status() == StatusCode::PRECONDITION_FAILED {
                fields = PersonForm::of(&record, &branch::all_codes(state.hub()).await?);
            }
            let view = View::of(&state, &who).await?;
            let refusal = Refusal::of(&problem, view.language());
            let shown = Shown {
                status: problem.status(),
                key: &key,
                record: Some(&record),
            };
            show(&state, &who, &view, &shown, &fields, &refusal).await
        }
        Err(problem) => Err(problem),
    }
}

/// What takes a person's row back to `before`, unless it was changed again.
fn back_to(who: &Caller, id: StaffId, version: u64, before: StaffPatch) -> WayBack {
    let person = who.person.clone();
    WayBack::new(Permission::StaffWrite, codes::ROWS, STAFF, move |tx| {
        let (person, before) = (person.clone(), before.clone());
        Box::pin(async move {
            staff::patch(tx, &person, id, same(version), before).await?;
            Ok(())
        })
    })
}

async fn changed_deed(
    state: &HubState,
    who: &Caller,
    before: &StaffRecord,
    typed: &PersonForm,
    answered: &Answered,
) -> Result<Deed, Problem> {
    let view = View::of(state, who).await?;
    let t = StaffTexts::of(view.language());
    let version = answered.answer.body["version"].as_u64().unwrap_or_default();
    let has_password = !typed.password.is_empty();
    if version == before.version {
        return Ok(if has_password {
            Deed::new(typed.name.clone(), t.changed_password)
        } else {
            Deed::nothing(&view)
        });
    }
    let codes = branch::all_codes(state.hub()).await?;
    let fields = &before.fields;
    let patch = StaffPatch {
        username: Some(fields.username.clone()),
        name: Some(fields.name.clone()),
        role: Some(fields.role),
        branches: Some(PersonForm::of(before, &codes).branches),
        active: Some(fields.active),
        password_hash: None,
    };
    let text = if has_password {
        t.changed_password
    } else {
        t.changed
    };
    let way = back_to(who, before.id, version, patch);
    Ok(Deed::new(typed.name.clone(), text).back(way))
}

async fn patch_of(state: &HubState, form: &PersonForm) -> Result<StaffPatch, AppError> {
    let password_hash = if form.password.is_empty() {
        None
    } else {
        let password = Sensitive::new(form.password.clone());
        Some(staff::new_password(state.hub(), password).await?)
    };
    Ok(StaffPatch {
        username: Some(form.username.clone()),
        name: Some(form.name.clone()),
        role: Some(form.role()?),
        branches: Some(form.all_branches()),
        active: None,
        password_hash,
    })
}

/// Whether the person may sign in.
#[derive(Debug, Deserialize)]
pub struct ActiveForm {
    #[serde(default)]
    active: String,
}

/// Lets a person go, or takes one back.
pub(crate) async fn set_active(
    State(state): State<HubState>,
    who: May<may::StaffWrite>,
    Path(id): Path<String>,
    PageForm { fields, request }: PageForm<ActiveForm>,
) -> Result<Response, Problem> {
    who.person.require_chain()?;
    let record = staff::get(state.hub(), &who.person, id_of(&id)?).await?;
    let (id, person) = (record.id, who.person.clone());
    let is_active = !fields.active.is_empty();
    let patch = StaffPatch {
        active: Some(is_active),
        ..StaffPatch::default()
    };
    let changed = act(&state, &who, codes::ROWS, request, move |tx| {
        Box::pin(async move {
            let record = staff::patch(tx, &person, id, |_| Ok(()), patch).await?;
            Ok(done(serde_json::json!({ "version": record.version })))
        })
    })
    .await;
    match changed {
        Ok(answered) => {
            let view = View::of(&state, &who).await?;
            let t = StaffTexts::of(view.language());
            let version = answered.answer.body["version"].as_u64();
            if let (Some(version), false) = (version, answered.is_replay) {
                let before = StaffPatch {
                    active: Some(record.fields.active),
                    ..StaffPatch::default()
                };
                let text = if is_active { t.is_back } else { t.is_gone };
                let way = back_to(&who, record.id, version, before);
                let deed = Deed::new(record.fields.name, text).back(way);
                state.said().say(&state, &who, deed);
            }
            Ok(Redirect::to(STAFF).into_response())
        }
        Err(problem) if problem.status().is_client_error() => {
            let view = View::of(&state, &who).await?;
            let refusal = Refusal::of(&problem, view.language());
            let form = PersonForm::of(&record, &branch::all_codes(state.hub()).await?);
            let key = state.form_key();
            let shown = Shown {
                status: problem.status(),
                key: key.as_str(),
                record: Some(&record),
            };
            show(&state, &who, &view, &shown, &form, &refusal).await
        }
        Err(problem) => Err(problem),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn picked_and_typed_branches_are_one_list() {
        let form = PersonForm {
            branches: vec!["HAM".to_owned()],
            codes: "ber, ham  lej".to_owned(),
            role: "boss".to_owned(),
            ..PersonForm::default()
        };
        assert_eq!(form.all_branches(), ["BER", "HAM", "LEJ"]);
        assert!(form.role().is_err());
    }
}
