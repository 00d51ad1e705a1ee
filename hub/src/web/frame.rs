//! What stands around every page of the hub: rail, person, and the bar that says how many branches are well.

use axum::extract::State;
use axum::response::Response;
use domain::permission::Permission;
use web_kit::{
    Frame, Live, NavItem, Person, Problem, ShellTexts, Side, StatusBar, StatusItem, Tone, html,
};

use super::page::branches::states;
use super::texts::FrameTexts;
use super::view::View;
use super::{
    CATALOGUE, CUSTOMERS, HOME, ORDERS, PLACE, SCREEN, SIGN_OUT, STATUS_BAR, STOCK, TRANSFERS,
};
use crate::api::{Caller, HubState};
use crate::app::branch::LinkState;

/// Events that pages of the hub listen to.
const EVENT_NAMES: &[&str] = &[
    "branches-changed",
    "customers-changed",
    "exceptions-changed",
    "links-changed",
    "orders-changed",
    "parked-changed",
    "parts-changed",
    "settings-changed",
    "staff-changed",
    "status-changed",
    "stock-changed",
    "transfers-changed",
];

/// The frame for a person, with the page `current` shown as open.
pub(crate) async fn frame(
    state: &HubState,
    who: &Caller,
    view: &View,
    current: &str,
) -> Result<Frame, Problem> {
    Ok(Frame {
        side: Side::Hub,
        language: view.language(),
        screen: view.screen,
        place: PLACE.to_owned(),
        home: HOME.to_owned(),
        nav: rail(who, view, current),
        person: Some(Person {
            name: who.person.name.clone(),
        }),
        sign_out: SIGN_OUT.to_owned(),
        screen_url: SCREEN.to_owned(),
        status: bar(state, who, view).await?,
        live: Some(Live {
            url: "/api/v1/events".to_owned(),
            names: EVENT_NAMES,
        }),
    })
}

/// The pages that a person may open.
fn rail(who: &Caller, view: &View, current: &str) -> Vec<NavItem> {
    let t = FrameTexts::of(view.language());
    let pages = [
        (HOME, "network", t.branches, Permission::BasicsRead),
        (ORDERS, "orders", t.orders, Permission::OrdersRead),
        (CUSTOMERS, "people", t.customers, Permission::CustomersRead),
        (STOCK, "matrix", t.stock, Permission::StockRead),
        (
            TRANSFERS,
            "transfer",
            t.transfers,
            Permission::TransfersRead,
        ),
        (CATALOGUE, "catalogue", t.catalogue, Permission::BasicsRead),
    ];
    pages
        .into_iter()
        .filter(|(.., permission)| who.person.may(*permission))
        .map(|(href, icon, label, _)| NavItem::new(href, icon, label).current(current == href))
        .collect()
}

/// The bar by itself, asked for whenever something changed.
pub(crate) async fn status_bar(
    State(state): State<HubState>,
    who: Caller,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let bar = bar(&state, &who, &view).await?;
    Ok(html(bar.fragment(ShellTexts::of(view.language()))?))
}

async fn bar(state: &HubState, who: &Caller, view: &View) -> Result<StatusBar, Problem> {
    let t = FrameTexts::of(view.language());
    let states = states(state, who).await?;
    let count = |wanted: LinkState| {
        states
            .iter()
            .filter(|branch| branch.link.state == wanted)
            .count()
    };
    let (connected, cut_off) = (count(LinkState::Connected), count(LinkState::CutOff));
    let words = if connected == 1 {
        t.one_connected
    } else {
        t.connected
    };
    let mut items = vec![
        StatusItem::new(connected.to_string(), words)
            .icon("agreed")
            .tone(Tone::Agreed),
    ];
    if cut_off > 0 {
        let words = if cut_off == 1 {
            t.one_cut_off
        } else {
            t.cut_off
        };
        items.push(
            StatusItem::new(cut_off.to_string(), words)
                .icon("apart")
                .tone(Tone::Apart),
        );
    }
    items.push(StatusItem::new("", t.chain).at_end());
    Ok(StatusBar {
        items,
        refresh_url: Some(STATUS_BAR.to_owned()),
    })
}
