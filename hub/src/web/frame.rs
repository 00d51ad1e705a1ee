//! What stands around every page of the hub: rail, person, and the bar that says how many branches are well.

use axum::extract::State;
use axum::response::Response;
use domain::permission::Permission;
use domain::reconcile::CheckState;
use web_kit::{
    Frame, Live, NavItem, Person, Problem, ShellTexts, Side, StatusBar, StatusItem, Tone, fill,
    html, plural,
};

use super::texts::FrameTexts;
use super::view::View;
use super::{
    CATALOGUE, CUSTOMERS, EXCEPTIONS, HOME, MONEY, NIGHTS, ORDERS, PLACE, SCREEN, SETTINGS,
    SIGN_OUT, STAFF, STATUS_BAR, STOCK, TRANSFERS,
};
use crate::api::{Caller, HubState};
use crate::app::network::{Tally, tally};
use crate::app::reconcile::{self, NightSummary};

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
    "money-changed",
    "nights-changed",
];

/// The frame for a person, with the page `current` shown as open.
pub(crate) async fn frame(
    state: &HubState,
    who: &Caller,
    view: &View,
    current: &str,
) -> Result<Frame, Problem> {
    let tally = tally(state.hub(), &who.person.scope()).await?;
    Ok(Frame {
        side: Side::Hub,
        language: view.language(),
        screen: view.screen,
        place: PLACE.to_owned(),
        home: HOME.to_owned(),
        nav: rail(who, view, current, &tally),
        person: Some(Person {
            name: who.person.name.clone(),
        }),
        sign_out: SIGN_OUT.to_owned(),
        screen_url: SCREEN.to_owned(),
        status: bar(who, view, &tally, last_night(state, who).await?.as_ref()),
        toast: state.said().take(state, who),
        live: Some(Live {
            url: "/api/v1/events".to_owned(),
            names: EVENT_NAMES,
        }),
    })
}

/// The pages that a person may open.
fn rail(who: &Caller, view: &View, current: &str, tally: &Tally) -> Vec<NavItem> {
    let t = FrameTexts::of(view.language());
    let pages = [
        (HOME, "network", t.network, Permission::BasicsRead),
        (STOCK, "matrix", t.stock, Permission::StockRead),
        (
            TRANSFERS,
            "transfer",
            t.transfers,
            Permission::TransfersRead,
        ),
        (NIGHTS, "prove", t.nights, Permission::MoneyRead),
        (
            EXCEPTIONS,
            "exception",
            t.exceptions,
            Permission::ExceptionsRead,
        ),
        (MONEY, "money", t.money, Permission::MoneyRead),
        (ORDERS, "orders", t.orders, Permission::OrdersRead),
        (CUSTOMERS, "people", t.customers, Permission::CustomersRead),
        (CATALOGUE, "catalogue", t.catalogue, Permission::BasicsRead),
        (STAFF, "person", t.staff, Permission::StaffRead),
        (SETTINGS, "settings", t.settings, Permission::BasicsRead),
    ];
    pages
        .into_iter()
        .filter(|(.., permission)| who.person.may(*permission))
        .map(|(href, icon, label, _)| {
            let count = if href == EXCEPTIONS {
                tally.exceptions
            } else {
                0
            };
            NavItem::new(href, icon, label)
                .current(current == href)
                .count(count, t.waiting)
        })
        .collect()
}

/// The bar by itself, asked for whenever something changed.
pub(crate) async fn status_bar(
    State(state): State<HubState>,
    who: Caller,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let tally = tally(state.hub(), &who.person.scope()).await?;
    let night = last_night(&state, &who).await?;
    let bar = bar(&who, &view, &tally, night.as_ref());
    Ok(html(bar.fragment(ShellTexts::of(view.language()))?))
}

/// The newest night that the person may see.
async fn last_night(state: &HubState, who: &Caller) -> Result<Option<NightSummary>, Problem> {
    if !who.person.may(Permission::MoneyRead) {
        return Ok(None);
    }
    let newest = reconcile::list(state.hub(), &who.person, None, 1).await?;
    Ok(newest.into_iter().next())
}

/// How many agree, and whether somebody signed.
fn night_item(t: &FrameTexts, view: &View, night: &NightSummary) -> StatusItem {
    let agree = night.counts.get(&CheckState::Green).copied().unwrap_or(0);
    // What belongs to no branch is no branch.
    let none = u64::from(night.common.is_some());
    let none_agrees = u64::from(night.common == Some(CheckState::Green));
    let some = view.count(agree.saturating_sub(none_agrees));
    let n = view.count(night.branches.saturating_sub(none));
    let signed = if night.signed.is_some() {
        t.night_signed
    } else {
        t.night_not_signed
    };
    let values: [(&str, &dyn std::fmt::Display); 3] =
        [("some", &some), ("n", &n), ("signed", &signed)];
    let item = StatusItem::new("", fill(t.last_night, &values))
        .icon("prove")
        .href(NIGHTS);
    match night.state {
        CheckState::Red => item.tone(Tone::Late),
        CheckState::Green | CheckState::Amber | CheckState::Unreconciled => item,
    }
}

fn bar(who: &Caller, view: &View, tally: &Tally, night: Option<&NightSummary>) -> StatusBar {
    let t = FrameTexts::of(view.language());
    let words = match tally.branches {
        0 => t.no_branches,
        1 => t.one_branch,
        _ => t.branches,
    };
    let connected = (view.count(tally.connected), view.count(tally.branches));
    let connected = fill(words, &[("connected", &connected.0), ("n", &connected.1)]);
    let line = StatusItem::new(connected, "").href(HOME);
    let mut items = vec![if tally.connected == 0 && tally.branches > 0 {
        line.icon("apart").tone(Tone::Apart)
    } else {
        line.icon("agreed").tone(Tone::Agreed)
    }];
    if tally.cut_off > 0 {
        let (n, age) = (view.count(tally.cut_off), view.age(tally.longest_ms));
        items.push(
            StatusItem::new("", fill(t.cut_off, &[("n", &n), ("age", &age)]))
                .icon("apart")
                .tone(Tone::Apart)
                .href(HOME),
        );
    }
    if tally.exceptions > 0 && who.person.may(Permission::ExceptionsRead) {
        let words = plural(tally.exceptions, t.one_exception, t.exceptions_open);
        items.push(
            StatusItem::new(words, "")
                .icon("decide")
                .tone(Tone::Decide)
                .href(EXCEPTIONS),
        );
    }
    items.extend(night.map(|night| night_item(t, view, night)));
    items.push(StatusItem::new("", t.chain).at_end());
    StatusBar {
        items,
        refresh_url: Some(STATUS_BAR.to_owned()),
    }
}
