//! Branches with their lines, worst first: cut off, then behind, then those that are well.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use domain::permission::Permission;
use web_kit::{Content, PageRequest, Problem, SafeHtml, Tone, html};

use crate::api::{Caller, HubState};
use crate::app::branch::{BranchState, LinkState, list as all};
use crate::web::HOME;
use crate::web::frame::frame;
use crate::web::view::View;

/// Branches on one page.
const MOST: i64 = 500;

#[derive(Template)]
#[template(path = "branches/page.html")]
struct PageTemplate {
    rows: Vec<Row>,
    worst: String,
}

struct Row {
    code: String,
    name: String,
    address: String,
    icon: &'static str,
    tone: &'static str,
    link: &'static str,
    since: String,
    behind: String,
    heard: String,
}

/// The page, or its list alone when a script asks again.
pub(crate) async fn list(
    State(state): State<HubState>,
    who: Caller,
    request: PageRequest,
) -> Result<Response, Problem> {
    let body = body(&state, &who).await?;
    if request.is_fragment() {
        return Ok(html(body));
    }
    let view = View::of(&state, &who).await?;
    frame(&state, &who, &view, HOME)
        .await?
        .respond(&Content::new("Branches", body))
}

async fn body(state: &HubState, who: &Caller) -> Result<SafeHtml, Problem> {
    who.person.require(Permission::BasicsRead)?;
    let mut states = states(state, who).await?;
    states.sort_by_key(|branch| (severity(branch), branch.record.fields.code.clone()));
    let now_ms = state.hub().env().now_ms();
    let worst = sentence(&states);
    let rows = states.iter().map(|branch| row(branch, now_ms)).collect();
    SafeHtml::render(&PageTemplate { rows, worst })
}

/// Every branch that this person sees.
pub(crate) async fn states(state: &HubState, who: &Caller) -> Result<Vec<BranchState>, Problem> {
    Ok(all(state.hub(), &who.person.scope(), None, MOST).await?)
}

fn severity(branch: &BranchState) -> u8 {
    let link = &branch.link;
    match link.state {
        LinkState::CutOff => 0,
        LinkState::NoMachine => 1,
        LinkState::Connected if link.transactions_behind > 0 => 2,
        LinkState::Connected => 3,
    }
}

fn sentence(states: &[BranchState]) -> String {
    let cut_off = states
        .iter()
        .filter(|branch| branch.link.state == LinkState::CutOff)
        .count();
    match (states.len(), cut_off) {
        (0, _) => "No branch yet".to_owned(),
        (1, 0) => "The branch is well".to_owned(),
        (all, 0) => format!("All {all} branches are well"),
        (all, 1) => format!("1 of {all} branches works on its own"),
        (all, some) => format!("{some} of {all} branches work on their own"),
    }
}

fn row(branch: &BranchState, now_ms: i64) -> Row {
    let link = &branch.link;
    let (icon, tone, words) = match link.state {
        LinkState::Connected if link.transactions_behind > 0 => {
            ("joining", Tone::Moving, "Catching up")
        }
        LinkState::Connected => ("agreed", Tone::Agreed, "Connected"),
        LinkState::CutOff => ("apart", Tone::Apart, "Works on its own"),
        LinkState::NoMachine => ("branch", Tone::Waiting, "No machine has joined"),
    };
    let ago = |at_ms: Option<i64>| at_ms.map(|at_ms| age(now_ms - at_ms)).unwrap_or_default();
    let behind = match (link.transactions_behind, link.entries_behind) {
        (0, 0) => String::new(),
        (up, 0) => format!("{up} to come in"),
        (0, down) => format!("{down} to go out"),
        (up, down) => format!("{up} to come in, {down} to go out"),
    };
    Row {
        code: branch.record.fields.code.clone(),
        name: branch.record.fields.name.clone(),
        address: branch.record.fields.address.clone(),
        icon,
        tone: tone.as_str(),
        link: words,
        since: ago(link.since_ms),
        behind,
        heard: ago(link.last_contact_ms),
    }
}

/// An age with two units at most: `3 h 12 min`.
fn age(ms: i64) -> String {
    let seconds = ms.max(0) / 1_000;
    match (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60) {
        (0, 0, 0) => format!("{} s", seconds % 60),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::age;

    #[test]
    fn ages_have_two_units_at_most() {
        assert_eq!(age(-5), "0 s");
        assert_eq!(age(59_999), "59 s");
        assert_eq!(age(11_520_000), "3 h 12 min");
        assert_eq!(age(200_000_000), "2 d 7 h");
    }
}
