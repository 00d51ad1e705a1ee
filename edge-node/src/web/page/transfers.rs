//! Transfers as this branch sees them: to take in, to send, on their way, asked for. All of it also while cut off.
//!
//! Goods leave and arrive by the same acts as in the API; the page never moves a piece by itself.

mod ask;
mod goods;
mod one;
mod texts;

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use domain::permission::Permission;
use domain::transfer::TransferState;
use web_kit::{Content, ListQuery, PageRequest, Problem, SafeHtml, Tone, fill, html, plural};

use crate::api::EdgeState;
use crate::api::caller::{May, may};
use crate::app::transfer::{self, Transfer};
use crate::error::AppError;
use crate::store::{Reader, catalogue};
use crate::web::TRANSFERS;
use crate::web::frame::frame;
use crate::web::view::View;
pub(crate) use ask::{ask, request};
pub(crate) use goods::{receive, ship};
pub(crate) use one::one;
pub(crate) use texts::state_words;
use texts::{TransferTexts, state_mark};

/// Most transfers of one state that are shown.
const OPEN_MAX: u32 = 200;
/// Transfers that ended, newest first.
const ENDED_MAX: u32 = 15;

/// A transfer in a list.
struct Row {
    href: String,
    branch: String,
    goods: String,
    names: String,
    state: &'static str,
    icon: &'static str,
    tone: Option<Tone>,
    since: String,
    age: String,
}

/// Transfers that wait for the same act.
struct Group {
    id: &'static str,
    title: &'static str,
    rows: Vec<Row>,
}

#[derive(Template)]
#[template(path = "transfers/page.html", blocks = ["list"])]
struct TransfersPage<'a> {
    t: &'a TransferTexts,
    groups: Vec<Group>,
}

#[derive(Template)]
#[template(path = "transfers/_head.html")]
struct Head<'a> {
    t: &'a TransferTexts,
    may_ask: bool,
}

struct Data {
    own: String,
    names: BTreeMap<String, String>,
    open: Vec<Transfer>,
    ended: Vec<Transfer>,
}

const OPEN: [TransferState; 5] = [
    TransferState::Shipped,
    TransferState::ReceivedShort,
    TransferState::Approved,
    TransferState::Requested,
    TransferState::Disputed,
];
const ENDED: [TransferState; 3] = [
    TransferState::Received,
    TransferState::Lost,
    TransferState::Cancelled,
];

fn branch_names(reader: &Reader<'_>) -> Result<BTreeMap<String, String>, AppError> {
    let branches = catalogue::branches(reader)?;
    Ok(branches
        .into_iter()
        .map(|(_, row)| (row.code, row.name))
        .collect())
}

/// The page, or its lists alone when htmx refreshes them.
pub(crate) async fn list(
    State(state): State<EdgeState>,
    who: May<may::TransfersRead>,
    asked: PageRequest,
) -> Result<Response, Problem> {
    let actor = who.actor();
    let read = state.store().read(move |reader| {
        let of = |states: &[TransferState], limit| -> Result<Vec<Transfer>, AppError> {
            let mut found = Vec::new();
            for state in states {
                let page = ListQuery {
                    limit,
                    cursor: None,
                };
                found.extend(transfer::list(reader, &actor, Some(*state), &page)?.items);
            }
            found.sort_by_key(|transfer| std::cmp::Reverse(transfer.updated_at.0));
            Ok(found)
        };
        Ok(Data {
            own: reader.identity().code.clone(),
            names: branch_names(reader)?,
            open: of(&OPEN, OPEN_MAX)?,
            ended: of(&ENDED, ENDED_MAX)?,
        })
    });
    let data = read.await?;
    let view = View::of(&state, &who).await?;
    let t = TransferTexts::of(view.language());
    let content = TransfersPage {
        t,
        groups: groups(data, &view),
    };
    if asked.is_fragment() {
        return Ok(html(SafeHtml::render(&content.as_list())?));
    }
    let head = SafeHtml::render(&Head {
        t,
        may_ask: who.may(Permission::TransfersRequest),
    })?;
    let content = Content::new(t.transfers, SafeHtml::render(&content)?).head(head);
    frame(&state, &who, &view, TRANSFERS)
        .await?
        .respond(&content)
}

fn groups(data: Data, view: &View) -> Vec<Group> {
    let t = TransferTexts::of(view.language());
    let mut groups = [
        ("receive", t.to_receive),
        ("send", t.to_send),
        ("way", t.on_their_way),
        ("requested", t.asked_for),
        ("disputed", t.in_dispute),
        ("ended", t.ended),
    ]
    .map(|(id, title)| Group {
        id,
        title,
        rows: Vec::new(),
    });
    for transfer in data.open {
        let comes = transfer.to == data.own;
        let at = match transfer.state {
            TransferState::Approved if comes => 3,
            TransferState::Approved => 1,
            TransferState::Shipped | TransferState::ReceivedShort if comes => 0,
            TransferState::Shipped | TransferState::ReceivedShort => 2,
            TransferState::Disputed => 4,
            _ => 3,
        };
        groups[at]
            .rows
            .push(row(&transfer, &data.own, &data.names, view));
    }
    for transfer in data
        .ended
        .iter()
        .take(usize::try_from(ENDED_MAX).unwrap_or(usize::MAX))
    {
        groups[5]
            .rows
            .push(row(transfer, &data.own, &data.names, view));
    }
    groups
        .into_iter()
        .filter(|group| !group.rows.is_empty())
        .collect()
}

fn row(transfer: &Transfer, own: &str, names: &BTreeMap<String, String>, view: &View) -> Row {
    let t = TransferTexts::of(view.language());
    let name = |code: &String| names.get(code).unwrap_or(code).clone();
    let branch = if transfer.to == own {
        name(&transfer.from)
    } else {
        name(&transfer.to)
    };
    let pieces: i64 = transfer.lines.iter().map(|line| line.quantity).sum();
    let words = plural(transfer.lines.len() as u64, t.one_part, t.parts);
    let (icon, tone) = state_mark(transfer.state);
    Row {
        href: format!("{TRANSFERS}/{}", transfer.id),
        branch,
        goods: fill(&words, &[("pieces", &view.clock.number(pieces))]),
        names: transfer
            .lines
            .iter()
            .map(|line| line.name.as_str())
            .take(4)
            .collect::<Vec<_>>()
            .join(", "),
        state: state_words(view.language(), transfer.state),
        icon,
        tone,
        since: view.clock.when(transfer.updated_at.0),
        age: view.clock.age(transfer.updated_at.0),
    }
}
