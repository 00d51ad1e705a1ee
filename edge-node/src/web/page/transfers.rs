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
use serde::Deserialize;
use web_kit::{ApiQuery, Content, PageRequest, Problem, SafeHtml, Tone, fill, html, plural};

use crate::api::EdgeState;
use crate::api::caller::{May, may};
use crate::app::transfer::{self, Transfer};
use crate::error::AppError;
use crate::store::transfer::End;
use crate::store::{Reader, catalogue};
use crate::web::TRANSFERS;
use crate::web::frame::frame;
use crate::web::view::View;
pub(crate) use ask::{ask, request};
pub(crate) use goods::{receive, ship};
pub(crate) use one::one;
pub(crate) use texts::state_words;
use texts::{TransferTexts, state_mark};

/// Transfers of a group that are shown beside the other groups.
const SHOWN: u32 = 10;
/// Transfers of a group that is shown alone.
const ALONE: u32 = 200;

/// Transfers that wait for the same act, or have ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Receive,
    Send,
    Way,
    Requested,
    Disputed,
    Ended,
}

impl Kind {
    const ALL: [Kind; 6] = [
        Kind::Receive,
        Kind::Send,
        Kind::Way,
        Kind::Requested,
        Kind::Disputed,
        Kind::Ended,
    ];

    const fn name(self) -> &'static str {
        match self {
            Kind::Receive => "receive",
            Kind::Send => "send",
            Kind::Way => "way",
            Kind::Requested => "requested",
            Kind::Disputed => "disputed",
            Kind::Ended => "ended",
        }
    }

    const fn title(self, t: &TransferTexts) -> &'static str {
        match self {
            Kind::Receive => t.to_receive,
            Kind::Send => t.to_send,
            Kind::Way => t.on_their_way,
            Kind::Requested => t.asked_for,
            Kind::Disputed => t.in_dispute,
            Kind::Ended => t.ended,
        }
    }

    const fn wanted(self) -> &'static [(TransferState, End)] {
        use TransferState as S;
        match self {
            Kind::Receive => &[(S::Shipped, End::To), (S::ReceivedShort, End::To)],
            Kind::Send => &[(S::Approved, End::From)],
            Kind::Way => &[(S::Shipped, End::From), (S::ReceivedShort, End::From)],
            Kind::Requested => &[(S::Requested, End::Any), (S::Approved, End::To)],
            Kind::Disputed => &[(S::Disputed, End::Any)],
            Kind::Ended => &[
                (S::Received, End::Any),
                (S::Lost, End::Any),
                (S::Cancelled, End::Any),
            ],
        }
    }

    fn address(self) -> String {
        format!("{TRANSFERS}?show={}", self.name())
    }
}

/// What the page is narrowed to.
#[derive(Debug, Default, Deserialize)]
pub struct TransfersQuery {
    #[serde(default)]
    show: String,
}

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

/// Transfers that stand alike.
struct Group {
    id: &'static str,
    title: &'static str,
    count: String,
    rows: Vec<Row>,
    /// Where all of them are, where not all are here.
    more: Option<(String, String)>,
}

#[derive(Template)]
#[template(path = "transfers/page.html", blocks = ["list"])]
struct TransfersPage<'a> {
    t: &'a TransferTexts,
    refresh: String,
    groups: Vec<Group>,
    is_narrowed: bool,
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
    groups: Vec<(Kind, Vec<Transfer>, i64)>,
}

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
    ApiQuery(TransfersQuery { show }): ApiQuery<TransfersQuery>,
    asked: PageRequest,
) -> Result<Response, Problem> {
    let only = Kind::ALL.into_iter().find(|kind| kind.name() == show);
    let actor = who.actor();
    let read = state.store().read(move |reader| {
        let limit = if only.is_some() { ALONE } else { SHOWN };
        let mut groups = Vec::new();
        for kind in Kind::ALL {
            if only.is_none_or(|only| only == kind) {
                let (found, count) = transfer::standing(reader, &actor, kind.wanted(), limit)?;
                groups.push((kind, found, count));
            }
        }
        Ok::<_, AppError>(Data {
            own: reader.identity().code.clone(),
            names: branch_names(reader)?,
            groups,
        })
    });
    let data = read.await?;
    let view = View::of(&state, &who).await?;
    let t = TransferTexts::of(view.language());
    let content = TransfersPage {
        t,
        refresh: only.map_or_else(|| TRANSFERS.to_owned(), Kind::address),
        groups: groups(data, &view),
        is_narrowed: only.is_some(),
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
    let (own, names) = (data.own, data.names);
    let group = |(kind, found, count): (Kind, Vec<Transfer>, i64)| {
        let shown = i64::try_from(found.len()).unwrap_or(i64::MAX);
        let is_all = shown >= count || shown >= i64::from(ALONE);
        let words = || fill(t.all_of_them, &[("n", &view.clock.number(count))]);
        Group {
            id: kind.name(),
            title: kind.title(t),
            rows: found
                .iter()
                .map(|transfer| row(transfer, &own, &names, view))
                .collect(),
            more: (!is_all).then(|| (kind.address(), words())),
            count: view.clock.number(count),
        }
    };
    let groups = data.groups.into_iter().map(group);
    groups.filter(|group| !group.rows.is_empty()).collect()
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
