//! Transfers in lanes by state, the chosen one beside them.
//!
//! Worst first in each lane. Pieces on their way always have an owner here: the branch that sent them.

pub(crate) mod deed;
pub(crate) mod new;
mod shown;
mod texts;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use domain::id::TransferId;
use domain::permission::Permission;
use domain::transfer::TransferState;
use serde::Deserialize;
use web_kit::{
    ApiPath, ApiQuery, Content, PageRequest, Problem, SafeHtml, Tone, fill, html, html_with_status,
};

use self::deed::Typed;
use self::shown::Pane;
use self::texts::TransferTexts;
use crate::api::caller::{May, may};
use crate::api::{Caller, HubState};
use crate::app::transfer::{OpenTransfers, TransferCard, card, open};
use crate::web::TRANSFERS;
use crate::web::act::address;
use crate::web::frame::frame;
use crate::web::places::Places;
use crate::web::view::View;

/// Transfers on one page.
const MOST: i64 = 500;
/// How long an ended transfer stays in sight.
const ENDED_MS: i64 = 24 * 3_600_000;
/// From when on a way is too long.
const LONG_MS: i64 = 3 * 24 * 3_600_000;

/// Which transfers, and which of them in full.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct TransferQuery {
    #[serde(default)]
    shown: String,
    #[serde(default)]
    only: String,
    #[serde(default)]
    q: String,
}

impl TransferQuery {
    fn address(&self, shown: &str, only: &str) -> String {
        address(
            TRANSFERS,
            &[("only", only), ("q", self.q.trim()), ("shown", shown)],
        )
    }
}

/// The number that people say: the beginning of the id.
pub(crate) fn number_of(id: TransferId) -> String {
    web_kit::transfer::number_of(&id.to_string())
}

struct Badge {
    tone: Tone,
    icon: &'static str,
    words: String,
}

struct Approve {
    action: String,
    key: String,
    version: usize,
}

struct Card {
    id: String,
    href: String,
    number: String,
    age: String,
    from: String,
    to: String,
    goods: String,
    badges: Vec<Badge>,
    approve: Option<Approve>,
    owner: String,
    current: bool,
}

struct Lane {
    name: &'static str,
    empty: &'static str,
    cards: Vec<Card>,
}

struct Segment {
    href: String,
    label: &'static str,
    count: usize,
    current: bool,
}

#[derive(Template)]
#[template(path = "transfers/_head.html")]
struct Head<'a> {
    t: &'a TransferTexts,
    segments: Vec<Segment>,
    only: &'a str,
    typed: &'a str,
    may_request: bool,
}

struct Figures {
    in_transit: String,
    oldest: String,
    oldest_words: String,
    waiting: String,
    waiting_words: String,
    without_owner: Option<(String, bool)>,
}

#[derive(Template)]
#[template(path = "transfers/page.html")]
struct Page<'a> {
    t: &'a TransferTexts,
    refresh: String,
    figures: Figures,
    lanes: Vec<Lane>,
    pane: Option<Pane<'a>>,
}

/// What a page of transfers is made from.
struct Board<'a> {
    state: &'a HubState,
    who: &'a Caller,
    view: &'a View,
    places: Places,
    t: &'static TransferTexts,
    query: &'a TransferQuery,
    all: OpenTransfers,
}

/// The page, or its work alone when a script asks again.
pub(crate) async fn list(
    State(state): State<HubState>,
    who: May<may::TransfersRead>,
    asked: PageRequest,
    ApiQuery(query): ApiQuery<TransferQuery>,
) -> Result<Response, Problem> {
    show(&state, &who, asked.is_fragment(), &query, None).await
}

/// One transfer, beside the others.
pub(crate) async fn one(ApiPath(id): ApiPath<TransferId>) -> Response {
    Redirect::to(&address(TRANSFERS, &[("shown", &id.to_string())])).into_response()
}

async fn show(
    state: &HubState,
    who: &Caller,
    is_fragment: bool,
    query: &TransferQuery,
    typed: Option<(StatusCode, Typed)>,
) -> Result<Response, Problem> {
    let view = View::of(state, who).await?;
    let ended_ms = view.clock.now_ms() - ENDED_MS;
    let all = open(state.hub(), &who.person, ended_ms, MOST).await?;
    let board = Board {
        state,
        who,
        t: TransferTexts::of(view.language()),
        view: &view,
        places: Places::of(state).await?,
        query,
        all,
    };
    let (status, typed) = match typed {
        Some((status, typed)) => (status, Some(typed)),
        None => (StatusCode::OK, None),
    };
    let chosen = board.chosen().await?;
    let body = SafeHtml::render(&board.page(chosen.as_ref(), typed))?;
    if is_fragment {
        return Ok(html(body));
    }
    let mut content = Content::new(board.t.title, body).head(SafeHtml::render(&board.head())?);
    content.fill = true;
    let page = frame(state, who, &view, TRANSFERS)
        .await?
        .render(&content)?;
    Ok(html_with_status(status, page))
}

impl Board<'_> {
    fn since(&self, card: &TransferCard) -> i64 {
        card.on_the_way_since_ms()
            .unwrap_or_else(|| card.since_ms())
    }

    fn needs_person(card: &TransferCard) -> bool {
        let fold = &card.view.fold;
        fold.state == TransferState::Disputed
            || fold.shipped_despite_cancel
            || (fold.state == TransferState::ReceivedShort && fold.in_transit() > 0)
    }

    fn is_old(&self, card: &TransferCard) -> bool {
        !card.view.fold.is_ended() && self.view.clock.now_ms() - self.since(card) > LONG_MS
    }

    fn is_wanted(&self, card: &TransferCard) -> bool {
        let wanted = self.query.q.trim().to_lowercase();
        let by_words = wanted.is_empty() || {
            let view = &card.view;
            let mut texts = vec![
                number_of(view.id),
                view.from.clone(),
                view.to.clone(),
                self.places.name(&view.from).to_owned(),
                self.places.name(&view.to).to_owned(),
            ];
            for line in &view.lines {
                texts.extend([line.sku.clone(), line.name.clone()]);
            }
            texts
                .iter()
                .any(|text| text.to_lowercase().contains(&wanted))
        };
        by_words
            && match self.query.only.as_str() {
                "person" => Self::needs_person(card),
                "old" => self.is_old(card),
                _ => true,
            }
    }

    /// The one that was asked for, or the one that needs somebody most.
    async fn chosen(&self) -> Result<Option<TransferCard>, Problem> {
        if let Ok(id) = self.query.shown.parse::<TransferId>() {
            let known = self.all.cards.iter().find(|card| card.view.id == id);
            return Ok(Some(match known {
                Some(known) => known.clone(),
                None => card(self.state.hub(), &self.who.person, id).await?,
            }));
        }
        let wanted = || self.all.cards.iter().filter(|card| self.is_wanted(card));
        let urgent = wanted().find(|card| Self::needs_person(card));
        let asked = wanted().filter(|card| card.view.fold.state == TransferState::Requested);
        let found = urgent
            .or_else(|| asked.min_by_key(|card| card.view.created_ms))
            .or_else(|| {
                wanted()
                    .filter(|card| !card.view.fold.is_ended())
                    .min_by_key(|card| self.since(card))
            });
        Ok(found.cloned())
    }

    fn head(&self) -> Head<'_> {
        let count = |is: &dyn Fn(&TransferCard) -> bool| {
            self.all.cards.iter().filter(|card| is(card)).count()
        };
        let segment = |only: &str, label, count| Segment {
            href: self.query.address("", only),
            current: self.query.only == only,
            label,
            count,
        };
        Head {
            t: self.t,
            segments: vec![
                segment(
                    "",
                    self.t.all_open,
                    count(&|card| !card.view.fold.is_ended()),
                ),
                segment("person", self.t.with_person, count(&Self::needs_person)),
                segment("old", self.t.old, count(&|card| self.is_old(card))),
            ],
            only: &self.query.only,
            typed: self.query.q.trim(),
            may_request: self.who.person.may(Permission::TransfersRequest),
        }
    }

    fn figures(&self) -> Figures {
        let (t, clock) = (self.t, &self.view.clock);
        let on_way = || {
            let cards = self.all.cards.iter();
            cards.filter(|card| card.view.fold.in_transit() > 0)
        };
        let pieces: i64 = on_way().map(|card| card.view.fold.in_transit()).sum();
        let oldest = on_way()
            .filter_map(|card| Some((card.on_the_way_since_ms()?, card)))
            .min_by_key(|(since, _)| *since);
        let asked = self
            .all
            .cards
            .iter()
            .filter(|card| card.view.fold.state == TransferState::Requested);
        let (waiting, first) = (
            asked.clone().count(),
            asked.map(|card| card.view.created_ms).min(),
        );
        Figures {
            in_transit: clock.number(pieces),
            oldest: oldest.map_or_else(|| "–".to_owned(), |(since, _)| clock.age(since)),
            oldest_words: oldest.map_or_else(
                || t.nothing_on_way.to_owned(),
                |(_, card)| {
                    let branch = self.places.name(&card.view.from);
                    fill(
                        t.owner,
                        &[("number", &number_of(card.view.id)), ("branch", &branch)],
                    )
                },
            ),
            waiting: waiting.to_string(),
            waiting_words: first.map_or_else(
                || t.nothing_waits.to_owned(),
                |since| fill(t.oldest_age, &[("age", &clock.age(since))]),
            ),
            without_owner: self.all.by_ledger.map(|ledger| {
                let open: i64 = self
                    .all
                    .cards
                    .iter()
                    .map(|card| card.view.fold.in_transit())
                    .sum();
                (clock.number(ledger - open), ledger == open)
            }),
        }
    }

    fn page(&self, chosen: Option<&TransferCard>, typed: Option<Typed>) -> Page<'_> {
        let t = self.t;
        let mut lanes = [
            (t.requested, t.none_requested),
            (t.approved, t.none_approved),
            (t.in_transit, t.none_in_transit),
            (t.disputed, t.none_disputed),
            (t.received, t.none_received),
        ]
        .map(|(name, empty)| Lane {
            name,
            empty,
            cards: Vec::new(),
        });
        let mut wanted: Vec<&TransferCard> = self
            .all
            .cards
            .iter()
            .filter(|card| self.is_wanted(card))
            .collect();
        wanted.sort_by_key(|card| self.since(card));
        for card in wanted {
            let lane = match card.view.fold.state {
                TransferState::Requested => 0,
                TransferState::Approved => 1,
                TransferState::Shipped | TransferState::ReceivedShort => 2,
                TransferState::Disputed => 3,
                TransferState::Received | TransferState::Lost | TransferState::Cancelled => 4,
            };
            let is_chosen = chosen.is_some_and(|chosen| chosen.view.id == card.view.id);
            lanes[lane].cards.push(self.card(card, is_chosen));
        }
        lanes[4].cards.reverse();
        Page {
            t,
            refresh: self.query.address(&self.query.shown, &self.query.only),
            figures: self.figures(),
            lanes: lanes.into(),
            pane: chosen.map(|card| self.pane(card, typed)),
        }
    }

    fn card(&self, card: &TransferCard, current: bool) -> Card {
        let (t, view) = (self.t, &card.view);
        let id = view.id.to_string();
        let is_asked = view.fold.state == TransferState::Requested;
        let approve =
            (is_asked && self.who.person.may(Permission::TransfersApprove)).then(|| Approve {
                action: format!("{TRANSFERS}/{id}/approve"),
                key: self.state.form_key().to_string(),
                version: view.records,
            });
        let is_with_source =
            view.fold.in_transit() > 0 || view.fold.state == TransferState::Approved;
        Card {
            href: self.query.address(&id, &self.query.only),
            number: number_of(view.id),
            age: self.view.clock.age(self.since(card)),
            from: self.places.name(&view.from).to_owned(),
            to: self.places.name(&view.to).to_owned(),
            goods: goods(t, card),
            badges: self.badges(card),
            approve,
            owner: if is_with_source {
                fill(t.with, &[("branch", &self.places.name(&view.from))])
            } else {
                String::new()
            },
            current,
            id,
        }
    }

    fn badges(&self, card: &TransferCard) -> Vec<Badge> {
        let (t, view) = (self.t, &card.view);
        let state = view.fold.state;
        let mut badges = Vec::new();
        let mut add = |tone, icon, words| badges.push(Badge { tone, icon, words });
        let waits_for = match state {
            TransferState::Requested | TransferState::Approved => Some(&view.from),
            TransferState::Shipped => Some(&view.to),
            _ => None,
        };
        if let Some(branch) = waits_for.filter(|code| self.places.is_cut_off(code)) {
            let words = fill(t.cut_off, &[("branch", &self.places.name(branch))]);
            add(Tone::Apart, "apart", words);
        }
        if let Some(since) = card.on_the_way_since_ms().filter(|_| self.is_old(card)) {
            let words = fill(t.long_way, &[("age", &self.view.clock.age(since))]);
            add(Tone::Late, "late", words);
        }
        let sum = |of: fn(&domain::transfer::TransferBalance) -> i64| -> i64 {
            view.fold.lines.values().map(of).sum()
        };
        let (missing, damaged, lost) = (
            sum(|line| line.missing),
            sum(|line| line.damaged),
            sum(|line| line.lost),
        );
        if missing > 0 && view.fold.in_transit() > 0 {
            add(
                Tone::Decide,
                "decide",
                fill(t.n_missing, &[("n", &missing)]),
            );
        }
        if damaged > 0 {
            add(Tone::Waiting, "late", fill(t.n_damaged, &[("n", &damaged)]));
        }
        if lost > 0 {
            add(Tone::Late, "minus", fill(t.n_lost, &[("n", &lost)]));
        }
        if view.fold.shipped_despite_cancel {
            add(Tone::Decide, "decide", t.left_despite.to_owned());
        }
        if state == TransferState::Cancelled {
            badges.push(Badge {
                tone: Tone::Waiting,
                icon: "cancel",
                words: t.state_cancelled.to_owned(),
            });
        }
        badges
    }
}

/// `4 × iPhone 12 mini battery, 2 more`.
fn goods(t: &TransferTexts, card: &TransferCard) -> String {
    let lines = &card.view.lines;
    let Some(first) = lines.first() else {
        return String::new();
    };
    let name = if first.name.is_empty() {
        &first.sku
    } else {
        &first.name
    };
    let pieces = first.balance.planned.max(first.balance.shipped);
    let mut words = format!("{pieces} × {name}");
    if lines.len() > 1 {
        words.push_str(", ");
        words.push_str(&fill(t.more, &[("n", &(lines.len() - 1))]));
    }
    words
}
