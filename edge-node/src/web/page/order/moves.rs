//! Moving an order from a page: where it may go, the move, the step back.
//!
//! The same handlers serve the board and the order's own page; the form says where its answer goes. A refusal says
//! where the order may go instead and changes nothing.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use domain::id::{DocumentId, EventId};
use domain::order::{Outcome, Status};
use domain::permission::Permission;
use serde::Deserialize;
use web_kit::{
    ApiPath, ApiQuery, IfMatch, PageForm, PageRequest, Problem, SafeHtml, Toast, fill, html,
    html_with_status,
};

use super::desk::{Desk, Saying};
use super::texts::OrderPageTexts;
use crate::api::EdgeState;
use crate::api::caller::{May, may};
use crate::app::order::board::{BoardFilter, LANES};
use crate::app::order::form::{Order, StatusInput, UndoInput};
use crate::app::order::{self, status};
use crate::web::ORDERS;
use crate::web::page::board;
use crate::web::page::till::collect;
use crate::web::posted::Posted;
use crate::web::said::go_on;
use crate::web::texts;

/// Where a form came from, and so where its answer goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Back {
    /// To the board with this filter.
    Board(BoardFilter),
    /// To the order's own page.
    Order,
}

impl Back {
    /// Its name in forms and addresses.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Board(BoardFilter::All) => "board-all",
            Self::Board(BoardFilter::Mine) => "board-mine",
            Self::Board(BoardFilter::Overdue) => "board-overdue",
            Self::Order => "order",
        }
    }

    /// What a name means; anything else is the order's page.
    pub(crate) fn of_name(name: &str) -> Self {
        let boards = BoardFilter::ALL.map(Self::Board);
        boards
            .into_iter()
            .find(|back| back.name() == name)
            .unwrap_or(Self::Order)
    }

    /// The page.
    pub(crate) fn href(self, id: DocumentId) -> String {
        match self {
            Self::Board(filter) => board::address(filter),
            Self::Order => format!("{ORDERS}/{id}"),
        }
    }
}

/// Where from, and whether only one way is asked about.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct MoveQuery {
    #[serde(default)]
    back: String,
    #[serde(default)]
    to: String,
}

/// A wish to move.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct MoveForm {
    /// A status, with `ready` also the outcome: `ready:repaired`.
    #[serde(default)]
    to: String,
    #[serde(default)]
    note: String,
    #[serde(default)]
    back: String,
}

/// A step to take back; none means the last one.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct UndoForm {
    #[serde(default)]
    event: String,
    #[serde(default)]
    back: String,
}

/// One way to go.
struct Way {
    /// Where it leads instead of being a step of the form.
    href: Option<String>,
    value: String,
    key: String,
    icon: &'static str,
    label: String,
}

#[derive(Template)]
#[template(path = "order/_move.html")]
struct MovePart<'a> {
    t: &'a OrderPageTexts,
    key: String,
    action: String,
    back: &'static str,
    back_href: String,
    title: String,
    about: String,
    refused: Option<String>,
    ways: Vec<Way>,
    note: &'a str,
    undo_key: Option<String>,
    undo_action: String,
}

/// Where the order may go: a dialog's content, or a page without a script.
pub(crate) async fn ways(
    State(state): State<EdgeState>,
    who: May<may::OrdersMove>,
    asked: PageRequest,
    ApiPath(id): ApiPath<DocumentId>,
    ApiQuery(query): ApiQuery<MoveQuery>,
) -> Result<Response, Problem> {
    let back = Back::of_name(&query.back);
    let desk = Desk::of(state, who.0.clone(), asked).await?;
    let order = desk.order(id).await?;
    let wants_ready = query.to == Status::Ready.as_str();
    if wants_ready && !order.allowed.contains(&Status::Ready) {
        return desk.stays(&order, back).await;
    }
    let only = wants_ready.then_some(Status::Ready);
    let part = desk.move_part(&order, back, only, None, "")?;
    desk.dialog(&order.number, part, StatusCode::OK).await
}

/// Moves.
pub(crate) async fn move_to(
    State(state): State<EdgeState>,
    who: May<may::OrdersMove>,
    asked: PageRequest,
    ApiPath(id): ApiPath<DocumentId>,
    PageForm { fields, request }: PageForm<MoveForm>,
) -> Result<Response, Problem> {
    let back = Back::of_name(&fields.back);
    let (to, outcome) = fields.to.split_once(':').unwrap_or((&fields.to, ""));
    let to: Status = to
        .parse()
        .map_err(|_| Problem::invalid_field("/status", "There is no such status."))?;
    let input = StatusInput {
        status: to,
        outcome: outcome.parse::<Outcome>().ok(),
        note: Some(fields.note.clone()),
    };
    let desk = Desk::of(state, who.0.clone(), asked).await?;
    let moved = desk.post(request, Ok(input), move |tx, actor, input| {
        status::move_to(tx, actor, id, &IfMatch::default(), input)
    });
    match moved.await? {
        Posted::Done(answered) => {
            let body = answered.answer.body;
            let event = body["events"].as_array().and_then(|events| events.last());
            let event = event.and_then(|event| event["id"].as_str()).unwrap_or("");
            let number = body["number"].as_str().unwrap_or("");
            let name = texts::status(desk.view.language(), to);
            let toast = Toast::new(number, fill(desk.t().is_now, &[("status", &name)])).undo(
                format!("{ORDERS}/{id}/undo"),
                vec![
                    ("key", desk.key()),
                    ("event", event.to_owned()),
                    ("back", back.name().to_owned()),
                ],
            );
            desk.done(id, back, Some(&toast)).await
        }
        Posted::Refused(problem) => {
            let order = desk.order(id).await?;
            if problem.status() == StatusCode::CONFLICT && asked.is_fragment() {
                return desk.stays(&order, back).await;
            }
            let said = desk.said(&problem, &order);
            let part = desk.move_part(&order, back, None, Some(said), &fields.note)?;
            desk.dialog(&order.number, part, problem.status()).await
        }
    }
}

/// Takes a step back.
pub(crate) async fn undo(
    State(state): State<EdgeState>,
    who: May<may::OrdersMove>,
    asked: PageRequest,
    ApiPath(id): ApiPath<DocumentId>,
    PageForm { fields, request }: PageForm<UndoForm>,
) -> Result<Response, Problem> {
    let back = Back::of_name(&fields.back);
    let event_id: Option<EventId> = match fields.event.as_str() {
        "" => None,
        text => Some(
            text.parse()
                .map_err(|_| Problem::not_found("There is no such step."))?,
        ),
    };
    let desk = Desk::of(state, who.0.clone(), asked).await?;
    let input = UndoInput { event_id };
    let undone = desk.post(request, Ok(input), move |tx, actor, input| {
        status::undo(tx, actor, id, &IfMatch::default(), input)
    });
    match undone.await? {
        Posted::Done(answered) => {
            let body = answered.answer.body;
            let now = body["status"].as_str().and_then(|name| name.parse().ok());
            let name = now.map_or("", |now| texts::status(desk.view.language(), now));
            let number = body["number"].as_str().unwrap_or("");
            let toast = Toast::new(number, fill(desk.t().is_back, &[("status", &name)]));
            desk.done(id, back, Some(&toast)).await
        }
        Posted::Refused(problem) => desk.refuse(id, back, &problem).await,
    }
}

/// The key that hands over, behind those of the lanes.
pub(super) const COLLECTED_KEY: &str = "7";

impl Desk {
    /// Where a ready order is collected and paid, while something is due.
    pub(super) fn pay_href(&self, order: &Order) -> Option<String> {
        let is_due = order.status == Status::Ready && order.totals.due.amount_minor > 0;
        (is_due && self.who.may(Permission::TillUse)).then(|| collect(order.id))
    }

    /// The order as it is now.
    pub(super) async fn order(&self, id: DocumentId) -> Result<Order, Problem> {
        let actor = self.who.actor();
        let read = self.state.store();
        Ok(read
            .read(move |reader| order::get(reader, &actor, id))
            .await?)
    }

    /// Says that the order stays where it is, and where it may go.
    async fn stays(&self, order: &Order, back: Back) -> Result<Response, Problem> {
        let said = self.where_to(order);
        self.refused(order, back, &said, StatusCode::CONFLICT).await
    }

    fn where_to(&self, order: &Order) -> String {
        let language = self.view.language();
        let names: Vec<&str> = order
            .allowed
            .iter()
            .map(|status| texts::status(language, *status))
            .collect();
        let words = if names.is_empty() {
            self.t().stays_for_good
        } else {
            self.t().stays
        };
        let now = texts::status(language, order.status);
        fill(words, &[("status", &now), ("allowed", &names.join(", "))])
    }

    /// What a refusal means, in the reader's language.
    pub(super) fn said(&self, problem: &Problem, order: &Order) -> String {
        let t = self.t();
        let words = match kind_of(problem) {
            "move-not-allowed" => return self.where_to(order),
            "other-branch" => t.other_branch,
            "several-steps" => t.several_steps,
            "not-undoable" => t.not_undoable,
            "order-ended" => t.ended,
            "line-consumed" => t.line_used,
            "not-used" => t.line_not_used,
            "short-of-stock" => t.short_now,
            "answered" => t.answered_already,
            "changed-meanwhile" => t.changed_meanwhile,
            "idempotency-key-reused" => t.sent_before,
            _ => "",
        };
        if !words.is_empty() {
            return words.to_owned();
        }
        let body = problem.body();
        let first = body.errors.first().map(|error| error.detail.clone());
        let said = first
            .or_else(|| body.detail.clone())
            .unwrap_or_else(|| body.title.to_string());
        web_kit::refusal::said(self.view.language(), &said).into_owned()
    }

    fn move_part(
        &self,
        order: &Order,
        back: Back,
        only: Option<Status>,
        refused: Option<String>,
        note: &str,
    ) -> Result<SafeHtml, Problem> {
        let t = self.t();
        let title = if only.is_some() {
            t.how_did_it_end
        } else {
            t.where_to
        };
        SafeHtml::render(&MovePart {
            t,
            key: self.key(),
            action: format!("{ORDERS}/{}/status", order.id),
            back: back.name(),
            back_href: back.href(order.id),
            title: fill(title, &[("number", &order.number)]),
            about: super::device_name(order),
            refused: refused.or_else(|| order.allowed.is_empty().then(|| self.where_to(order))),
            ways: self.ways_of(order, only),
            note,
            undo_key: (only.is_none() && order.events.len() > 1).then(|| self.key()),
            undo_action: format!("{ORDERS}/{}/undo", order.id),
        })
    }

    fn ways_of(&self, order: &Order, only: Option<Status>) -> Vec<Way> {
        let language = self.view.language();
        let mut ways = Vec::new();
        let to = order.allowed.iter().copied();
        for status in to.filter(|status| only.is_none_or(|only| only == *status)) {
            let name = texts::status(language, status);
            let lane = LANES.iter().position(|lane| *lane == status);
            let key = lane.map_or_else(String::new, |lane| (lane + 1).to_string());
            if status == Status::Collected {
                let href = self.pay_href(order);
                ways.push(Way {
                    label: href
                        .as_ref()
                        .map_or(name, |_| self.t().collect_and_pay)
                        .to_owned(),
                    href,
                    value: status.as_str().to_owned(),
                    key: COLLECTED_KEY.to_owned(),
                    icon: super::status_icon(status),
                });
                continue;
            }
            if status != Status::Ready {
                ways.push(Way {
                    href: None,
                    value: status.as_str().to_owned(),
                    key,
                    icon: super::status_icon(status),
                    label: name.to_owned(),
                });
                continue;
            }
            let asks = order.status == Status::AwaitingApproval;
            let ends = Outcome::ALL
                .iter()
                .filter(|outcome| !asks || **outcome == Outcome::Declined);
            for (place, outcome) in ends.enumerate() {
                ways.push(Way {
                    href: None,
                    value: format!("{status}:{outcome}"),
                    key: if only.is_some() {
                        (place + 1).to_string()
                    } else {
                        String::new()
                    },
                    icon: super::status_icon(status),
                    label: format!("{name}: {}", texts::outcome(language, *outcome)),
                });
            }
        }
        ways
    }

    /// Answers a form that did what it should: the page it came from, with what was done.
    pub(super) async fn done(
        &self,
        id: DocumentId,
        back: Back,
        toast: Option<&Toast>,
    ) -> Result<Response, Problem> {
        let href = back.href(id);
        let language = self.view.language();
        let said = match toast {
            Some(toast) if !self.asked.is_fragment() => {
                return go_on(&self.state, self.asked, language, &href, toast.clone());
            }
            None if !self.asked.is_fragment() => return Ok(Redirect::to(&href).into_response()),
            Some(toast) => toast.partial(language)?,
            None => SafeHtml::empty(),
        };
        Ok(html(self.page_partials(id, back).await?.then(&said)))
    }

    async fn page_partials(&self, id: DocumentId, back: Back) -> Result<SafeHtml, Problem> {
        match back {
            Back::Board(filter) => {
                board::partials(&self.state, &self.who, &self.view, filter).await
            }
            Back::Order => super::partials(self, id).await,
        }
    }

    /// Answers what cannot be: a toast over the page as it is, or a page of its own without a script.
    pub(super) async fn refused(
        &self,
        order: &Order,
        back: Back,
        said: &str,
        status: StatusCode,
    ) -> Result<Response, Problem> {
        if self.asked.is_fragment() {
            let toast = Toast::new(order.number.clone(), said).late();
            let page = self.page_partials(order.id, back).await?;
            let toast = toast.partial(self.view.language())?;
            return Ok(html_with_status(status, page.then(&toast)));
        }
        let saying = SafeHtml::render(&Saying {
            t: self.t(),
            title: &order.number,
            said,
            back_href: back.href(order.id),
        })?;
        self.dialog(&order.number, saying, status).await
    }
}

/// The last word of a problem's type.
fn kind_of(problem: &Problem) -> &str {
    let kind: &str = &problem.body().kind;
    kind.rsplit(':').next().unwrap_or(kind)
}
