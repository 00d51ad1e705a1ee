//! What stands around every page of the branch: rail, person, and the bar that says how the line to the hub is.

use axum::extract::State;
use axum::response::Response;
use domain::permission::Permission;
use web_kit::{
    Frame, Live, NavItem, Person, Problem, ShellTexts, Side, StatusBar, StatusItem, Theme, Tone,
    html,
};

use super::texts::ENGLISH;
use super::when::WallClock;
use super::{HOME, INTAKE, SIGN_OUT, STATUS_BAR};
use crate::api::live::EVENT_NAMES;
use crate::api::v1::sync::{SyncAnswer, read};
use crate::api::{Caller, EdgeState};
use crate::sync::LinkState;

/// The frame for a person, with the page `current` shown as open.
pub(crate) async fn frame(
    state: &EdgeState,
    who: &Caller,
    current: &str,
) -> Result<Frame, Problem> {
    let mut nav = vec![NavItem::new(HOME, "orders", ENGLISH.orders).current(current == HOME)];
    if who.may(Permission::OrdersWrite) {
        nav.push(NavItem::new(INTAKE, "intake", ENGLISH.intake).current(current == INTAKE));
    }
    Ok(Frame {
        side: Side::Branch,
        language: "en".to_owned(),
        theme: Theme::System,
        place: state.store().identity().name.clone(),
        home: HOME.to_owned(),
        nav,
        person: Some(Person {
            name: who.name().to_owned(),
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
    State(state): State<EdgeState>,
    who: Caller,
) -> Result<Response, Problem> {
    Ok(html(
        bar(&state, &who).await?.fragment(&ShellTexts::ENGLISH)?,
    ))
}

/// The branch's clock now.
pub(crate) async fn wall_clock(state: &EdgeState) -> Result<WallClock, Problem> {
    let settings = state.store().read(|reader| reader.settings()).await?;
    Ok(WallClock::new(
        &settings.time_zone,
        state.store().env().now_ms(),
    ))
}

async fn bar(state: &EdgeState, who: &Caller) -> Result<StatusBar, Problem> {
    let clock = wall_clock(state).await?;
    let answer = read(state, who.actor()).await?;
    let mut items = vec![link(&answer, &clock), going_out(&answer, &clock)];
    let behind: u64 = answer
        .status
        .feeds
        .iter()
        .map(|feed| feed.head.saturating_sub(feed.cursor))
        .sum();
    if behind > 0 {
        items.push(
            StatusItem::new(behind.to_string(), "still to come in")
                .icon("in")
                .tone(Tone::Moving),
        );
    }
    let open = answer.status.conflicts + answer.status.decisions;
    if open > 0 {
        let words = if open == 1 {
            "waits for a decision"
        } else {
            "wait for a decision"
        };
        items.push(
            StatusItem::new(open.to_string(), words)
                .icon("decide")
                .tone(Tone::Decide),
        );
    }
    if answer.status.parked > 0 {
        let parked = StatusItem::new(answer.status.parked.to_string(), "parked");
        items.push(parked.icon("parked").tone(Tone::Decide));
    }
    items.push(StatusItem::new("", state.store().identity().name.clone()).at_end());
    Ok(StatusBar {
        items,
        refresh_url: Some(STATUS_BAR.to_owned()),
    })
}

fn link(answer: &SyncAnswer, clock: &WallClock) -> StatusItem {
    let since = clock.when(answer.since.0);
    match answer.link {
        LinkState::Connected => StatusItem::new("Connected to the hub", "")
            .icon("agreed")
            .tone(Tone::Agreed),
        LinkState::Connecting => StatusItem::new("Reaching for the hub", "all work goes on")
            .icon("joining")
            .tone(Tone::Moving),
        LinkState::CutOff => StatusItem::new(format!("Cut off since {since}"), "all work goes on")
            .icon("apart")
            .tone(Tone::Apart),
        LinkState::Paused => StatusItem::new(
            format!("Line cut for a drill since {since}"),
            "all work goes on",
        )
        .icon("drill")
        .tone(Tone::Apart),
        LinkState::Held => StatusItem::new(
            format!("Held by the hub since {since}"),
            answer.detail.clone(),
        )
        .icon("parked")
        .tone(Tone::Decide),
    }
}

fn going_out(answer: &SyncAnswer, clock: &WallClock) -> StatusItem {
    let pending = answer.status.pending;
    let Some(oldest) = pending.oldest_at.filter(|_| pending.transactions > 0) else {
        return StatusItem::new("", "All is at the hub").icon("out");
    };
    let words = if pending.transactions == 1 {
        "waits to go out"
    } else {
        "wait to go out, the oldest"
    };
    let text = format!("{words} {}", clock.age(oldest.0));
    let tone = if answer.link == LinkState::Connected {
        Tone::Moving
    } else {
        Tone::Apart
    };
    StatusItem::new(pending.transactions.to_string(), text)
        .icon("out")
        .tone(tone)
}
