//! The bar over an order: what it is, how late, its papers, and the one step that comes next.

use askama::Template;
use domain::order::{EstimateAnswer, Status};
use web_kit::{Tone, fill};

use super::bench::Bench;
use super::desk::Desk;
use super::moves::{Back, COLLECTED_KEY};
use super::texts::OrderPageTexts;
use super::{device_name, status_icon};
use crate::app::order::board::LANES;
use crate::app::order::form::Order;
use crate::web::ORDERS;
use crate::web::texts as words;

/// The step that comes next as a rule: the page's one primary action.
struct Next {
    label: &'static str,
    icon: &'static str,
    key: String,
    /// The page that does it.
    page: Option<String>,
    /// Where it asks more before it moves.
    href: Option<String>,
    action: String,
    form_key: String,
    to: &'static str,
}

/// Something to print.
struct Paper {
    href: String,
    label: &'static str,
    key: &'static str,
}

#[derive(Template)]
#[template(path = "order/_head.html")]
pub(super) struct Head<'a> {
    t: &'a OrderPageTexts,
    device: String,
    person: String,
    due: String,
    due_tone: Option<Tone>,
    due_icon: &'static str,
    urgent: bool,
    glyph: &'static str,
    glyph_words: &'static str,
    papers: Vec<Paper>,
    move_href: Option<String>,
    next: Option<Next>,
}
impl Desk {
    pub(super) fn head(&self, bench: &Bench) -> Head<'static> {
        let order = &bench.order;
        let t = self.t();
        let (glyph, glyph_words) = words::sync(self.view.language(), order.sync);
        let is_open = !matches!(
            order.status,
            Status::Ready | Status::Collected | Status::Cancelled
        );
        let promised = order.promised_at.map(|at| at.0).filter(|_| is_open);
        let is_late = promised.is_some_and(|at_ms| self.view.clock.is_past(at_ms));
        let due = promised.map_or_else(String::new, |at_ms| {
            let when = self.view.clock.when(at_ms);
            let words = if is_late {
                t.late_since
            } else {
                t.promised_when
            };
            fill(words, &[("when", &when)])
        });
        let may_move = self.may_move() && bench.is_home;
        Head {
            t,
            device: device_name(order),
            person: self.person(order),
            due,
            due_tone: is_late.then_some(Tone::Late),
            due_icon: if is_late { "late" } else { "clock" },
            urgent: order.urgent,
            glyph,
            glyph_words,
            papers: self.papers(order),
            move_href: may_move
                .then(|| format!("{ORDERS}/{}/move?back={}", order.id, Back::Order.name())),
            next: if may_move { self.next(order) } else { None },
        }
    }

    fn papers(&self, order: &Order) -> Vec<Paper> {
        let t = self.t();
        let paper = |name: &str, label, key| Paper {
            href: format!("{ORDERS}/{}/{name}", order.id),
            label,
            key,
        };
        vec![
            paper("label", t.label, "l"),
            paper("receipt", t.receipt, "r"),
        ]
    }

    fn next(&self, order: &Order) -> Option<Next> {
        let t = self.t();
        let last = order.estimates.iter().max_by_key(|one| one.version);
        let answer = last.map(|last| last.answer);
        let (to, label) = match (order.status, answer) {
            (Status::Received, _) => (Status::Diagnosing, t.start_diagnosis),
            (Status::Diagnosing, Some(None)) => (Status::AwaitingApproval, t.ask_approval),
            (Status::AwaitingApproval, Some(Some(EstimateAnswer::Declined))) => {
                (Status::Ready, t.make_ready)
            }
            (Status::AwaitingApproval, None | Some(None)) => return None,
            (Status::Diagnosing | Status::AwaitingApproval | Status::AwaitingParts, _) => {
                (Status::InRepair, t.start_repair)
            }
            (Status::InRepair, _) => (Status::Ready, t.make_ready),
            (Status::Ready, _) => (Status::Collected, t.hand_over),
            (Status::Collected | Status::Cancelled, _) => return None,
        };
        if !order.allowed.contains(&to) {
            return None;
        }
        let place = LANES.iter().position(|lane| *lane == to);
        let page = self.pay_href(order).filter(|_| to == Status::Collected);
        let asks = to == Status::Ready;
        Some(Next {
            label: page.as_ref().map_or(label, |_| t.collect_and_pay),
            icon: if page.is_some() {
                "till"
            } else {
                status_icon(to)
            },
            key: place.map_or_else(|| COLLECTED_KEY.to_owned(), |place| (place + 1).to_string()),
            page,
            href: asks.then(|| {
                format!(
                    "{ORDERS}/{}/move?to=ready&back={}",
                    order.id,
                    Back::Order.name()
                )
            }),
            action: format!("{ORDERS}/{}/status", order.id),
            form_key: self.key(),
            to: to.as_str(),
        })
    }
}
