//! What stands around every page of the hub: rail, person, and the bar that says how many branches are well.

use axum::extract::State;
use axum::response::Response;
use web_kit::{
    Frame, Live, NavItem, Person, Problem, ShellTexts, Side, StatusBar, StatusItem, Theme, Tone,
    html,
};

use super::page::branches::states;
use super::{HOME, PLACE, SIGN_OUT, STATUS_BAR};
use crate::api::{Caller, HubState};
use crate::app::branch::LinkState;

/// Events that pages of the hub listen to.
const EVENT_NAMES: &[&str] = &["branches-changed", "links-changed", "status-changed"];

/// The frame for a person, with the page `current` shown as open.
pub(crate) async fn frame(state: &HubState, who: &Caller, current: &str) -> Result<Frame, Problem> {
    Ok(Frame {
        side: Side::Hub,
        language: "en".to_owned(),
        theme: Theme::System,
        place: PLACE.to_owned(),
        home: HOME.to_owned(),
        nav: vec![NavItem::new(HOME, "network", "Branches").current(current == HOME)],
        person: Some(Person {
            name: who.person.name.clone(),
        }),
        sign_out: SIGN_OUT.to_owned(),
        status: bar(state, who).await?,
        live: Some(Live {
            url: "/api/v1/events".to_owned(),
            names: EVENT_NAMES,
        }),
        texts: ShellTexts::ENGLISH,
    })
}

/// The bar by itself, asked for whenever something changed.
pub(crate) async fn status_bar(
    State(state): State<HubState>,
    who: Caller,
) -> Result<Response, Problem> {
    Ok(html(
        bar(&state, &who).await?.fragment(&ShellTexts::ENGLISH)?,
    ))
}

async fn bar(state: &HubState, who: &Caller) -> Result<StatusBar, Problem> {
    let states = states(state, who).await?;
    let count = |wanted: LinkState| {
        states
            .iter()
            .filter(|branch| branch.link.state == wanted)
            .count()
    };
    let (connected, cut_off) = (count(LinkState::Connected), count(LinkState::CutOff));
    let words = if connected == 1 {
        "branch connected"
    } else {
        "branches connected"
    };
    let mut items = vec![
        StatusItem::new(connected.to_string(), words)
            .icon("agreed")
            .tone(Tone::Agreed),
    ];
    if cut_off > 0 {
        let words = if cut_off == 1 {
            "works on its own"
        } else {
            "work on their own"
        };
        items.push(
            StatusItem::new(cut_off.to_string(), words)
                .icon("apart")
                .tone(Tone::Apart),
        );
    }
    items.push(StatusItem::new("", "The whole chain").at_end());
    Ok(StatusBar {
        items,
        refresh_url: Some(STATUS_BAR.to_owned()),
    })
}
