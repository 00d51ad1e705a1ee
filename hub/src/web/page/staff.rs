//! People: who works where in which role, a page at a time; found by name, user name and branch.

mod form;
mod texts;

pub(crate) use form::{change, create, edit_form, new_form, set_active};
pub(crate) use texts::role_name;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use domain::id::StaffId;
use domain::permission::Permission;
use domain::staff::Role;
use serde::Deserialize;
use web_kit::{Content, PageRequest, Problem, SafeHtml, fill, html};

use crate::api::caller::{May, may};
use crate::api::{Caller, HubState};
use crate::app::branch::{self, Codes, code_of};
use crate::app::staff::{self, StaffRecord};
use crate::store::scope::Scope;
use crate::web::STAFF;
use crate::web::act::address;
use crate::web::frame::frame;
use crate::web::list::Pager;
use crate::web::view::View;
use texts::{StaffTexts, role_words};

/// People on one page.
const MOST: usize = 100;

/// What narrows the list.
#[derive(Debug, Default, Deserialize)]
pub struct StaffQuery {
    #[serde(default)]
    q: String,
    #[serde(default)]
    branch: String,
    /// The person before the first one, by id.
    #[serde(default)]
    after: String,
}

#[derive(Template)]
#[template(path = "staff/page.html")]
struct PageTemplate<'a> {
    t: &'a StaffTexts,
    refresh: String,
    counted: String,
    only: String,
    rows: Vec<Row>,
    roles: Vec<(&'static str, &'static str)>,
    may_write: bool,
    pager: Pager,
}

#[derive(Template)]
#[template(path = "staff/_head.html")]
struct HeadTemplate<'a> {
    t: &'a StaffTexts,
    query: &'a StaffQuery,
    may_write: bool,
}

struct Row {
    id: String,
    name: String,
    username: String,
    role: &'static str,
    branches: String,
    is_active: bool,
    since: String,
}

/// The list.
pub(crate) async fn page(
    State(state): State<HubState>,
    who: May<may::StaffRead>,
    Query(query): Query<StaffQuery>,
    request: PageRequest,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let t = StaffTexts::of(view.language());
    let body = body(&state, &who, &view, &query).await?;
    if request.is_fragment() {
        return Ok(html(body));
    }
    let head = SafeHtml::render(&HeadTemplate {
        t,
        query: &query,
        may_write: may_write(&who),
    })?;
    frame(&state, &who, &view, STAFF)
        .await?
        .respond(&Content::new(t.title, body).head(head))
}

fn may_write(who: &Caller) -> bool {
    who.person.may(Permission::StaffWrite) && who.person.require_chain().is_ok()
}

async fn body(
    state: &HubState,
    who: &Caller,
    view: &View,
    query: &StaffQuery,
) -> Result<SafeHtml, Problem> {
    let t = StaffTexts::of(view.language());
    let scope = narrowed(state, who, &query.branch).await?;
    let after = query.after.parse::<StaffId>().ok();
    let found = staff::by_name(state.hub(), &scope, &query.q, after, MOST).await?;
    let codes = branch::all_codes(state.hub()).await?;
    let here = [("q", query.q.as_str()), ("branch", query.branch.as_str())];
    let pager = Pager {
        first: after.map(|_| address(STAFF, &here)),
        next: found.next.map(|last| {
            let last = last.to_string();
            address(STAFF, &[here[0], here[1], ("after", &last)])
        }),
        first_words: t.first,
        next_words: t.next,
    };
    SafeHtml::render(&PageTemplate {
        t,
        refresh: address(STAFF, &[here[0], here[1], ("after", &query.after)]),
        counted: web_kit::plural(found.count, t.one_person, t.n_people),
        only: if query.branch.is_empty() {
            String::new()
        } else {
            fill(t.only, &[("code", &query.branch)])
        },
        rows: found
            .people
            .into_iter()
            .map(|record| row(t, view, record, &codes))
            .collect(),
        roles: Role::ALL
            .iter()
            .map(|role| role_words(*role, view.language()))
            .collect(),
        may_write: may_write(who),
        pager,
    })
}

async fn narrowed(state: &HubState, who: &Caller, branch: &str) -> Result<Scope, Problem> {
    if branch.is_empty() {
        return Ok(who.person.scope());
    }
    let found = branch::find(state.hub(), branch).await?;
    Ok(who.person.scope().narrowed(Some(found.record.id)))
}

fn row(t: &StaffTexts, view: &View, record: StaffRecord, codes: &Codes) -> Row {
    let fields = record.fields;
    let names: Vec<String> = fields
        .branches
        .iter()
        .map(|branch| code_of(codes, *branch))
        .collect();
    Row {
        id: record.id.to_string(),
        name: fields.name,
        username: fields.username,
        role: role_name(fields.role, view.language()),
        branches: if names.is_empty() {
            t.whole_chain.to_owned()
        } else {
            names.join(", ")
        },
        is_active: fields.active,
        since: view.clock.when(record.created_ms),
    }
}
