//! All branches with their lines, the worst first, narrowed by words and by state; and the form of a new one.

use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use domain::permission::Permission;
use serde::Deserialize;
use sync_protocol::item::command as codes;
use web_kit::{Content, PageForm, PageRequest, Problem, SafeHtml, fill, html};

use super::branch::BranchTexts;
use super::branch::form::{BranchForm, BranchFormTexts, Shown, show};
use super::network::words;
use crate::api::caller::{May, may};
use crate::api::{Caller, HubState};
use crate::app::branch;
use crate::app::network::{self, BranchNow, Health, OpenOrders};
use crate::web::act::{Refusal, act, address, done};
use crate::web::frame::frame;
use crate::web::list::Segment;
use crate::web::said::Deed;
use crate::web::view::View;
use crate::web::{BRANCHES, HOME};

/// Branches on one page.
const MOST: usize = 300;

web_kit::catalogue! {
    /// The words of this page.
    struct BranchesTexts {
        title: "Branches" | "Filialen",
        new: "New branch" | "Neue Filiale",
        map: "Map" | "Karte",
        find: "Code, name, place" | "Kürzel, Name, Ort",
        find_label: "Find a branch" | "Filiale finden",
        all: "All" | "Alle",
        states: "State" | "Zustand",
        branch: "Branch" | "Filiale",
        region: "Region" | "Region",
        state: "State" | "Zustand",
        since: "Since" | "Seit",
        open: "Open orders" | "Offene Aufträge",
        alerts: "To look at" | "Anzusehen",
        behind: "On the way" | "Unterwegs",
        heard: "Last heard" | "Zuletzt gehört",
        ago: "{age} ago" | "vor {age}",
        shown: "The first {some} of {n}. Narrow them by a word or a state." | "Die ersten {some} von {n}. Ein Wort oder ein Zustand engt sie ein.",
        none: "No branch fits" | "Keine Filiale passt",
        none_why: "Another word or all states show more." | "Ein anderes Wort oder alle Zustände zeigen mehr.",
        no_branch: "There is no branch yet" | "Noch gibt es keine Filiale",
        no_branch_why: "Make the first one; its join code turns a computer into its edge node." | "Legen Sie die erste an; ihr Beitrittscode macht einen Rechner zu ihrem Knoten.",
    }
}

/// What narrows the list.
#[derive(Debug, Default, Deserialize)]
pub struct BranchesQuery {
    #[serde(default)]
    q: String,
    #[serde(default)]
    state: String,
}

#[derive(Template)]
#[template(path = "branches/page.html")]
struct PageTemplate<'a> {
    t: &'a BranchesTexts,
    segments: Vec<Segment>,
    rows: Vec<Row>,
    refresh: String,
    cut: String,
    is_first: bool,
    may_write: bool,
}

#[derive(Template)]
#[template(path = "branches/_head.html")]
struct HeadTemplate<'a> {
    t: &'a BranchesTexts,
    query: &'a BranchesQuery,
    may_write: bool,
}

struct Row {
    code: String,
    href: String,
    name: String,
    address: String,
    region: String,
    icon: &'static str,
    tone: &'static str,
    health: &'static str,
    said: String,
    since: String,
    open: String,
    alerts: u64,
    behind: u64,
    heard: String,
}

/// The page, or its list alone when a script asks again.
pub(crate) async fn list(
    State(state): State<HubState>,
    who: May<may::BasicsRead>,
    Query(query): Query<BranchesQuery>,
    request: PageRequest,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let t = BranchesTexts::of(view.language());
    let body = body(&state, &who, &view, &query).await?;
    if request.is_fragment() {
        return Ok(html(body));
    }
    let head = SafeHtml::render(&HeadTemplate {
        t,
        query: &query,
        may_write: may_write(&who),
    })?;
    frame(&state, &who, &view, HOME)
        .await?
        .respond(&Content::new(t.title, body).head(head))
}

fn may_write(who: &Caller) -> bool {
    who.person.may(Permission::BranchesWrite) && who.person.require_chain().is_ok()
}

async fn body(
    state: &HubState,
    who: &Caller,
    view: &View,
    query: &BranchesQuery,
) -> Result<SafeHtml, Problem> {
    let t = BranchesTexts::of(view.language());
    let scope = who.person.scope();
    let branches = network::all(state.hub(), &scope).await?;
    let open = network::open_orders(state.hub(), &scope).await?;
    let wanted = Health::of_name(&query.state);
    let fitting: Vec<&BranchNow> = branches
        .iter()
        .filter(|branch| wanted.is_none_or(|health| branch.health == health))
        .filter(|branch| fits(branch, &query.q))
        .collect();
    let (some, n) = (view.count(MOST as u64), view.count(fitting.len() as u64));
    SafeHtml::render(&PageTemplate {
        t,
        segments: segments(t, view, query, &branches),
        rows: fitting
            .iter()
            .take(MOST)
            .map(|branch| row(t, view, branch, &open))
            .collect(),
        refresh: address(BRANCHES, &[("q", &query.q), ("state", &query.state)]),
        cut: if fitting.len() > MOST {
            fill(t.shown, &[("some", &some), ("n", &n)])
        } else {
            String::new()
        },
        is_first: branches.is_empty(),
        may_write: may_write(who),
    })
}

/// Every word stands somewhere in code, name, region or address.
fn fits(branch: &BranchNow, words: &str) -> bool {
    let place = &branch.place;
    let text = format!(
        "{} {} {} {}",
        place.code, place.name, place.region, place.address
    )
    .to_lowercase();
    words
        .to_lowercase()
        .split_whitespace()
        .all(|word| text.contains(word))
}

fn segments(
    t: &BranchesTexts,
    view: &View,
    query: &BranchesQuery,
    branches: &[BranchNow],
) -> Vec<Segment> {
    let link = |name: &str, words: String| Segment {
        href: address(BRANCHES, &[("q", &query.q), ("state", name)]),
        words,
        is_current: query.state == name,
    };
    let mut segments = vec![link(
        "",
        format!("{} {}", t.all, view.count(branches.len() as u64)),
    )];
    for health in Health::ALL {
        let count = branches
            .iter()
            .filter(|branch| branch.health == health)
            .count() as u64;
        if count > 0 || query.state == health.as_str() {
            segments.push(link(health.as_str(), words::counted(health, count, view)));
        }
    }
    segments
}

fn row(t: &BranchesTexts, view: &View, branch: &BranchNow, open: &[OpenOrders]) -> Row {
    let (icon, tone) = words::glyph(branch.health);
    let open: u64 = open
        .iter()
        .filter(|open| open.branch == branch.place.id)
        .map(|open| open.count)
        .sum();
    let heard = branch.link.last_contact_ms;
    Row {
        code: branch.place.code.clone(),
        href: format!("{BRANCHES}/{}", branch.place.code),
        name: branch.place.name.clone(),
        address: branch.place.address.replace('\n', ", "),
        region: branch.place.region.clone(),
        icon,
        tone,
        health: words::name(branch.health, view.language()),
        said: words::sentence(branch, view),
        since: view.age(branch.since_ms),
        open: view.count(open),
        alerts: branch.alerts(),
        behind: branch.behind(),
        heard: heard
            .map(|at_ms| fill(t.ago, &[("age", &view.clock.age(at_ms))]))
            .unwrap_or_default(),
    }
}

/// The empty form of a new branch.
pub(crate) async fn new_form(
    State(state): State<HubState>,
    who: May<may::BranchesWrite>,
) -> Result<Response, Problem> {
    who.person.require_chain()?;
    let view = View::of(&state, &who).await?;
    let form = BranchForm::fresh(&state).await?;
    let key = state.form_key();
    let shown = Shown {
        status: StatusCode::OK,
        title: BranchFormTexts::of(view.language()).new,
        action: BRANCHES.to_owned(),
        back: BRANCHES.to_owned(),
        key: key.as_str(),
        is_new: true,
    };
    show(&state, &who, &view, &shown, &form, &Refusal::none()).await
}

/// Makes a branch and goes on to it.
pub(crate) async fn create(
    State(state): State<HubState>,
    who: May<may::BranchesWrite>,
    PageForm { fields, request }: PageForm<BranchForm>,
) -> Result<Response, Problem> {
    who.person.require_chain()?;
    let key = request.key.clone().unwrap_or_default();
    let made = match fields.new_branch() {
        Ok(new) => {
            act(&state, &who, codes::ROWS, request, move |tx| {
                Box::pin(async move {
                    let record = branch::create(tx, new).await?;
                    Ok(done(serde_json::json!({ "code": record.fields.code })))
                })
            })
            .await
        }
        Err(error) => Err(error.into()),
    };
    match made {
        Ok(answered) => {
            let code = answered.answer.body["code"].as_str().unwrap_or_default();
            if !answered.is_replay {
                let t = BranchTexts::of(View::of(&state, &who).await?.language());
                let deed = Deed::new(fields.name(), t.made);
                state.said().say(&state, &who, deed);
            }
            Ok(Redirect::to(&format!("{BRANCHES}/{code}")).into_response())
        }
        Err(problem) if problem.status().is_client_error() => {
            let view = View::of(&state, &who).await?;
            let shown = Shown {
                status: problem.status(),
                title: BranchFormTexts::of(view.language()).new,
                action: BRANCHES.to_owned(),
                back: BRANCHES.to_owned(),
                key: &key,
                is_new: true,
            };
            let refusal = Refusal::of(&problem, view.language());
            show(&state, &who, &view, &shown, &fields, &refusal).await
        }
        Err(problem) => Err(problem),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_say_the_same_things() {
        assert_eq!(
            web_kit::language::flaws(BranchesTexts::ALL),
            Vec::<String>::new()
        );
    }
}
