//! What stands around every page of the branch: rail, person, and the bar that says how the line to the hub is.

use axum::extract::State;
use axum::response::Response;
use domain::permission::Permission;
use web_kit::{
    Frame, Live, NavItem, Person, Problem, ShellTexts, Side, StatusBar, StatusItem, Tone, fill,
    html, refusal,
};

use super::texts::{FrameTexts, Texts};
use super::view::View;
use super::{
    BOARD, CASH, DECISIONS, FIND, IMPORTS, INTAKE, ORDERS, SCREEN, SIGN_OUT, START, STATUS_BAR,
    STOCK, SYNC, TILL, TRANSFERS,
};
use crate::api::live::EVENT_NAMES;
use crate::api::v1::sync::{SyncAnswer, read};
use crate::api::{Caller, EdgeState};
use crate::app::cash::FIRST_REGISTER;
use crate::store::money::cash;
use crate::store::staff;
use crate::sync::LinkState;

/// The frame for a person, with the page `current` shown as open.
pub(crate) async fn frame(
    state: &EdgeState,
    who: &Caller,
    view: &View,
    current: &str,
) -> Result<Frame, Problem> {
    Ok(Frame {
        side: Side::Branch,
        language: view.language(),
        screen: view.screen,
        place: state.store().identity().name.clone(),
        home: START.to_owned(),
        nav: rail(who, view, current),
        person: Some(Person {
            name: who.name().to_owned(),
        }),
        sign_out: SIGN_OUT.to_owned(),
        screen_url: SCREEN.to_owned(),
        status: bar(state, who, view).await?,
        live: Some(Live {
            url: "/api/v1/events".to_owned(),
            names: EVENT_NAMES,
        }),
        toast: who.said().and_then(|name| state.toasts().take(name)),
    })
}

/// A page of the rail: its address, its icon, its name, who may open it.
type RailPage = (
    &'static str,
    &'static str,
    fn(&Texts) -> &'static str,
    Permission,
);

const PAGES: [RailPage; 10] = [
    (INTAKE, "intake", |t| t.intake, Permission::OrdersWrite),
    (BOARD, "board", |t| t.board, Permission::OrdersRead),
    (ORDERS, "orders", |t| t.orders, Permission::OrdersRead),
    (TILL, "till", |t| t.till, Permission::TillUse),
    (STOCK, "stock", |t| t.stock, Permission::StockRead),
    (CASH, "cash", |t| t.cash, Permission::MoneyRead),
    (
        TRANSFERS,
        "transfer",
        |t| t.transfers,
        Permission::TransfersRead,
    ),
    (FIND, "find", |t| t.find, Permission::Search),
    (SYNC, "sync", |t| t.sync, Permission::BasicsRead),
    (IMPORTS, "import", |t| t.import, Permission::Import),
];

/// The pages that a person may open.
fn rail(who: &Caller, view: &View, current: &str) -> Vec<NavItem> {
    let t = Texts::of(view.language());
    PAGES
        .into_iter()
        .filter(|(.., permission)| who.may(*permission))
        .map(|(href, icon, label, _)| {
            let item = NavItem::new(href, icon, label(t)).current(current == href);
            if href == TILL { item.key("c") } else { item }
        })
        .collect()
}

/// Where a person's work begins: the board, else the first page that they may open.
pub(crate) fn first_page(who: &Caller) -> &'static str {
    if who.may(Permission::OrdersRead) {
        return BOARD;
    }
    let first = PAGES.iter().find(|(.., permission)| who.may(*permission));
    first.map_or(SYNC, |(href, ..)| href)
}

/// The bar by itself, asked for whenever something changed.
pub(crate) async fn status_bar(
    State(state): State<EdgeState>,
    who: Caller,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let bar = bar(&state, &who, &view).await?;
    Ok(html(bar.fragment(ShellTexts::of(view.language()))?))
}

async fn bar(state: &EdgeState, who: &Caller, view: &View) -> Result<StatusBar, Problem> {
    let t = FrameTexts::of(view.language());
    let answer = read(state, who.actor()).await?;
    let mut items = vec![
        link(&answer, view).href(SYNC),
        going_out(&answer, view).href(SYNC),
    ];
    let behind: u64 = answer
        .status
        .feeds
        .iter()
        .map(|feed| feed.head.saturating_sub(feed.cursor))
        .sum();
    if behind > 0 {
        items.push(
            StatusItem::new(behind.to_string(), t.to_come)
                .href(SYNC)
                .icon("in")
                .tone(Tone::Moving),
        );
    }
    let open = answer.status.conflicts + answer.status.decisions;
    if open > 0 {
        let words = if open == 1 {
            t.one_decision
        } else {
            t.decisions
        };
        items.push(
            StatusItem::new(open.to_string(), words)
                .href(DECISIONS)
                .icon("decide")
                .tone(Tone::Decide),
        );
    }
    if answer.status.parked > 0 {
        let parked = StatusItem::new(answer.status.parked.to_string(), t.parked);
        items.push(parked.icon("parked").tone(Tone::Decide).href(SYNC));
    }
    items.extend(cash_session(state, who, view).await?);
    items.push(StatusItem::new("", state.store().identity().name.clone()).at_end());
    Ok(StatusBar {
        items,
        refresh_url: Some(STATUS_BAR.to_owned()),
    })
}

/// The open cash session: since when, and by whom.
async fn cash_session(
    state: &EdgeState,
    who: &Caller,
    view: &View,
) -> Result<Option<StatusItem>, Problem> {
    if !who.may(Permission::MoneyRead) {
        return Ok(None);
    }
    let read = state.store().read(|reader| {
        let Some(session) = cash::open_of(reader, FIRST_REGISTER)? else {
            return Ok(None);
        };
        let name = staff::get(reader, session.opened_by)?.map(|row| row.name);
        Ok(Some((session.opened_at_ms, name.unwrap_or_default())))
    });
    let Some((since_ms, name)) = read.await? else {
        return Ok(None);
    };
    let first = name.split_whitespace().next().unwrap_or_default();
    let since = view.clock.when(since_ms);
    let words = FrameTexts::of(view.language()).cash_open;
    let words = fill(words, &[("since", &since), ("who", &first)]);
    let item = StatusItem::new("", words.trim_end_matches(", ")).icon("cash");
    Ok(Some(item.href(CASH)))
}

fn link(answer: &SyncAnswer, view: &View) -> StatusItem {
    let t = FrameTexts::of(view.language());
    let since = |message: &str| fill(message, &[("since", &view.clock.when(answer.since.0))]);
    match answer.link {
        LinkState::Connected => StatusItem::new(t.connected, "")
            .icon("agreed")
            .tone(Tone::Agreed),
        LinkState::Connecting => StatusItem::new(t.reaching, t.work_goes_on)
            .icon("joining")
            .tone(Tone::Moving),
        LinkState::CutOff => StatusItem::new(since(t.cut_off), t.work_goes_on)
            .icon("apart")
            .tone(Tone::Apart),
        LinkState::Paused => StatusItem::new(since(t.drill), t.work_goes_on)
            .icon("drill")
            .tone(Tone::Apart),
        LinkState::Held => StatusItem::new(
            since(t.held),
            refusal::said(view.language(), &answer.detail),
        )
        .icon("parked")
        .tone(Tone::Decide),
    }
}

fn going_out(answer: &SyncAnswer, view: &View) -> StatusItem {
    let t = FrameTexts::of(view.language());
    let pending = answer.status.pending;
    let Some(oldest) = pending.oldest_at.filter(|_| pending.transactions > 0) else {
        return StatusItem::new("", t.nothing_waits).icon("out");
    };
    let words = if pending.transactions == 1 {
        t.one_waits
    } else {
        t.some_wait
    };
    let text = fill(words, &[("age", &view.clock.age(oldest.0))]);
    let tone = if answer.link == LinkState::Connected {
        Tone::Moving
    } else {
        Tone::Apart
    };
    StatusItem::new(pending.transactions.to_string(), text)
        .icon("out")
        .tone(tone)
}
