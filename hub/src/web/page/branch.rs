//! One branch: its line, its machines and join codes, what is open there, and what is said about it.

pub(crate) mod change;
pub(crate) mod form;
pub(crate) mod machines;
mod shown;
mod texts;
pub(crate) mod till;

pub(crate) use texts::BranchTexts;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::permission::Permission;
use web_kit::{Content, Problem, SafeHtml, html_with_status};

use super::exceptions::list::{ExceptionRow, rows as exception_rows};
use super::network::words;
use super::staff::role_name;
use crate::api::caller::{May, may};
use crate::api::{Caller, HubState};
use crate::app::branch::{self, BranchState};
use crate::app::network;
use crate::app::{exceptions, staff};
use crate::store::scope::Scope;
use crate::web::frame::frame;
use crate::web::view::View;
use crate::web::{BRANCHES, HOME};
use machines::{NewCode, Refused, machines};
use shown::{OrdersRow, detail, facts, health, lead, orders, stock};

/// Exceptions and people shown; their own pages show all.
const MOST: i64 = 8;

#[derive(Template)]
#[template(path = "branch/page.html")]
struct PageTemplate<'a> {
    t: &'a BranchTexts,
    path: String,
    icon: &'static str,
    tone: &'static str,
    lead: String,
    detail: String,
    machines: SafeHtml,
    orders: Vec<OrdersRow>,
    facts: Vec<(&'static str, String)>,
    stock: Option<Vec<(&'static str, String)>>,
    exceptions: Option<Vec<ExceptionRow>>,
    exceptions_href: String,
    people: Option<Vec<(String, String)>>,
    people_href: String,
    till: Option<till::TillPart>,
}

#[derive(Template)]
#[template(path = "branch/_head.html")]
struct HeadTemplate<'a> {
    t: &'a BranchTexts,
    code: &'a str,
    path: &'a str,
    may_write: bool,
}

/// The page.
pub(crate) async fn page(
    State(state): State<HubState>,
    who: May<may::BasicsRead>,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let branch = find(&state, &who, &name).await?;
    let view = View::of(&state, &who).await?;
    respond(&state, &who, &view, StatusCode::OK, &branch, None, None).await
}

async fn find(state: &HubState, who: &Caller, name: &str) -> Result<BranchState, Problem> {
    let branch = branch::find(state.hub(), name).await?;
    who.person.require_branch(branch.record.id)?;
    Ok(branch)
}

fn path_of(branch: &BranchState) -> String {
    format!("{BRANCHES}/{}", branch.record.fields.code)
}

async fn respond(
    state: &HubState,
    who: &Caller,
    view: &View,
    status: StatusCode,
    branch: &BranchState,
    code: Option<NewCode>,
    refused: Option<Refused>,
) -> Result<Response, Problem> {
    let t = BranchTexts::of(view.language());
    let path = path_of(branch);
    let may_write = who.person.may(Permission::BranchesWrite);
    let machines = machines(state, who, view, branch, code, refused).await?;
    let body = body(state, who, view, branch, machines).await?;
    let head = SafeHtml::render(&HeadTemplate {
        t,
        code: &branch.record.fields.code,
        path: &path,
        may_write,
    })?;
    let content = Content::new(branch.record.fields.name.clone(), body).head(head);
    let page = frame(state, who, view, HOME).await?.render(&content)?;
    Ok(html_with_status(status, page))
}

async fn body(
    state: &HubState,
    who: &Caller,
    view: &View,
    branch: &BranchState,
    machines: SafeHtml,
) -> Result<SafeHtml, Problem> {
    let t = BranchTexts::of(view.language());
    let (hub, id) = (state.hub(), branch.record.id);
    let only = Scope::Branches(vec![id]);
    let open = network::open_orders(hub, &only).await?;
    let stock = if who.person.may(Permission::StockRead) {
        Some(stock(t, view, &branch::held(hub, id).await?))
    } else {
        None
    };
    let exceptions = if who.person.may(Permission::ExceptionsRead) {
        Some(of_branch(state, who, view, &only).await?)
    } else {
        None
    };
    let people = if who.person.may(Permission::StaffRead) {
        let found = staff::list_of(hub, &only, MOST).await?;
        let name = |role| role_name(role, view.language()).to_owned();
        Some(
            found
                .into_iter()
                .map(|row| (row.fields.name, name(row.fields.role)))
                .collect(),
        )
    } else {
        None
    };
    let code = &branch.record.fields.code;
    let (icon, tone) = words::glyph(health(branch));
    SafeHtml::render(&PageTemplate {
        t,
        path: path_of(branch),
        icon,
        tone,
        lead: lead(t, view, branch),
        detail: detail(t, view, branch),
        machines,
        orders: orders(
            t,
            view,
            (code, who.person.may(Permission::OrdersRead)),
            &open,
        ),
        facts: facts(t, view, branch),
        stock,
        exceptions,
        exceptions_href: format!("{}?branch={code}", crate::web::EXCEPTIONS),
        people,
        people_href: format!("{}?branch={code}", crate::web::STAFF),
        till: till::part(state, who, view, branch).await?,
    })
}

async fn of_branch(
    state: &HubState,
    who: &Caller,
    view: &View,
    only: &Scope,
) -> Result<Vec<ExceptionRow>, Problem> {
    let (found, codes) = exceptions::list_of(state.hub(), only, None, MOST).await?;
    Ok(exception_rows(state, who, view, found, &codes).await?)
}
