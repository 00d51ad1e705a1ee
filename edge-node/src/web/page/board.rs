//! The board: the branch's open orders in lanes, as one person sees them.
//!
//! The page and its live refresh come from the same template. Moves are posted to the order; what they change comes
//! back as partials, so every tab shows the same lanes whoever moved what.

mod card;
pub(crate) mod texts;

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use domain::id::StaffId;
use domain::permission::Permission;
use serde::Deserialize;
use web_kit::{ApiQuery, Content, PageRequest, Problem, SafeHtml, fill, html};

use crate::api::caller::{May, may};
use crate::api::{Caller, EdgeState};
use crate::app::order::board::{self, Board, BoardFilter, CARDS, COUNT_MAX, Lane};
use crate::app::staff;
use crate::web::frame::frame;
use crate::web::page::orders;
use crate::web::texts::status;
use crate::web::view::View;
use crate::web::{BOARD, ORDERS};
use card::CardView;
pub(crate) use card::device_icon;
use texts::BoardTexts;

/// Cards of a lane that the page begins with: what a usual screen shows. The others follow when these are painted.
const FIRST_CARDS: u32 = 6;

/// What the board is narrowed to.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct BoardQuery {
    #[serde(default)]
    show: String,
}

/// A way to narrow the board, with how many there are.
struct Segment {
    href: String,
    label: &'static str,
    count: String,
    is_current: bool,
    is_late: bool,
}

struct LaneView {
    name: &'static str,
    status: &'static str,
    count: String,
    cards: Vec<CardView>,
    more: Option<(String, String)>,
}

#[derive(Template)]
#[template(path = "board/page.html", blocks = ["board"])]
struct BoardPage<'a> {
    t: &'a BoardTexts,
    filter: &'static str,
    refresh: String,
    may_move: bool,
    lanes: Vec<LaneView>,
    is_cut: bool,
    is_empty: bool,
    empty: &'static str,
}

#[derive(Template)]
#[template(path = "board/_filters.html")]
struct Filters<'a> {
    t: &'a BoardTexts,
    segments: Vec<Segment>,
}

/// The address of the board with a filter.
pub(crate) fn address(filter: BoardFilter) -> String {
    match filter {
        BoardFilter::All => BOARD.to_owned(),
        other => format!("{BOARD}?show={}", other.as_str()),
    }
}

/// The page, or its lanes alone when htmx refreshes them.
pub(crate) async fn show(
    State(state): State<EdgeState>,
    who: May<may::OrdersRead>,
    asked: PageRequest,
    ApiQuery(BoardQuery { show }): ApiQuery<BoardQuery>,
) -> Result<Response, Problem> {
    let filter = BoardFilter::of_name(&show);
    let view = View::of(&state, &who).await?;
    let is_fragment = asked.is_fragment();
    let cards = if is_fragment { CARDS } else { FIRST_CARDS };
    let (page, filters) = page(&state, &who, &view, filter, cards).await?;
    let filters = SafeHtml::render(&filters)?;
    if is_fragment {
        let lanes = SafeHtml::render(&page.as_board())?;
        return Ok(html(
            lanes.then(&filters.partial("#board-filters", "outerMorph")),
        ));
    }
    let head = filters.then(&orders::head(&who, &view, "")?);
    let content = Content {
        fill: true,
        modules: &["js/dialog.js", "js/board.js"],
        ..Content::new(
            BoardTexts::of(view.language()).board,
            SafeHtml::render(&page)?,
        )
        .head(head)
    };
    frame(&state, &who, &view, BOARD).await?.respond(&content)
}

/// The board as partials, for the answer to a move.
pub(crate) async fn partials(
    state: &EdgeState,
    who: &Caller,
    view: &View,
    filter: BoardFilter,
) -> Result<SafeHtml, Problem> {
    let (page, filters) = page(state, who, view, filter, CARDS).await?;
    let lanes = SafeHtml::render(&page.as_board())?.partial("#board", "outerMorph");
    let filters = SafeHtml::render(&filters)?.partial("#board-filters", "outerMorph");
    Ok(lanes.then(&filters))
}

async fn page<'a>(
    state: &EdgeState,
    who: &Caller,
    view: &View,
    filter: BoardFilter,
    cards: u32,
) -> Result<(BoardPage<'a>, Filters<'a>), Problem> {
    let actor = who.actor();
    let read = state.store().read(move |reader| {
        let board = board::show(reader, &actor, filter, cards)?;
        let people = staff::list(reader, &actor)?;
        Ok((board, people))
    });
    let (board, people) = read.await?;
    let names: BTreeMap<StaffId, String> = people
        .into_iter()
        .map(|entry| (entry.id, entry.name))
        .collect();
    let t = BoardTexts::of(view.language());
    let segments = segments(t, view, &board, filter);
    let may_move = who.may(Permission::OrdersMove);
    let may_sell = who.may(Permission::TillUse);
    let lanes: Vec<LaneView> = board
        .lanes
        .into_iter()
        .map(|lane| lane_view(lane, t, view, &names, filter, may_sell))
        .collect();
    let page = BoardPage {
        t,
        filter: filter.as_str(),
        refresh: address(filter),
        may_move,
        is_cut: cards < CARDS && lanes.iter().any(|lane| lane.more.is_some()),
        is_empty: lanes.iter().all(|lane| lane.cards.is_empty()),
        lanes,
        empty: match filter {
            BoardFilter::All => t.nothing_open,
            BoardFilter::Mine => t.nothing_mine,
            BoardFilter::Overdue => t.nothing_late,
        },
    };
    Ok((page, Filters { t, segments }))
}

fn lane_view(
    lane: Lane,
    t: &'static BoardTexts,
    view: &View,
    names: &BTreeMap<StaffId, String>,
    filter: BoardFilter,
    may_sell: bool,
) -> LaneView {
    let shown = lane.cards.len() as u64;
    let count = number(view, lane.count);
    LaneView {
        name: status(view.language(), lane.status),
        status: lane.status.as_str(),
        more: (lane.count > shown).then(|| {
            let href = format!("{ORDERS}?status={}", lane.status);
            (href, fill(t.more, &[("n", &count)]))
        }),
        count,
        cards: lane
            .cards
            .into_iter()
            .map(|card| CardView::of(card, t, view, names, filter, may_sell))
            .collect(),
    }
}

fn segments(
    t: &'static BoardTexts,
    view: &View,
    board: &Board,
    current: BoardFilter,
) -> Vec<Segment> {
    let segment = |(filter, count): &(BoardFilter, u64)| Segment {
        href: address(*filter),
        label: match filter {
            BoardFilter::All => t.all,
            BoardFilter::Mine => t.mine,
            BoardFilter::Overdue => t.overdue,
        },
        count: number(view, *count),
        is_current: *filter == current,
        is_late: *filter == BoardFilter::Overdue && *count > 0,
    };
    board.counts.iter().map(segment).collect()
}

/// A count; where counting ended, it says so.
fn number(view: &View, count: u64) -> String {
    let shown = view.clock.number(i64::try_from(count).unwrap_or(i64::MAX));
    if count >= COUNT_MAX {
        format!("{shown}+")
    } else {
        shown
    }
}
