//! What is shown of a branch, in words and figures.

use web_kit::fill;

use super::texts::BranchTexts;
use crate::app::branch::{self, BranchState, LinkState};
use crate::app::network::{Health, OpenOrders};
use crate::web::ORDERS;
use crate::web::view::View;

/// Open orders in one status.
pub(super) struct OrdersRow {
    pub(super) href: Option<String>,
    pub(super) status: &'static str,
    pub(super) count: String,
    pub(super) late: String,
}

pub(super) fn health(branch: &BranchState) -> Health {
    match branch.link.state {
        _ if !branch.record.fields.active => Health::Closed,
        LinkState::CutOff => Health::CutOff,
        LinkState::NoMachine => Health::NoMachine,
        LinkState::Connected if branch.link.transactions_behind > 0 => Health::CatchingUp,
        LinkState::Connected => Health::Well,
    }
}

pub(super) fn lead(t: &BranchTexts, view: &View, branch: &BranchState) -> String {
    let when = view.when(branch.link.since_ms);
    match health(branch) {
        Health::Closed => t.closed.to_owned(),
        Health::CutOff => fill(t.cut_off, &[("when", &when)]),
        Health::NoMachine => t.no_machine.to_owned(),
        _ => fill(t.connected, &[("when", &when)]),
    }
}

pub(super) fn detail(t: &BranchTexts, view: &View, branch: &BranchState) -> String {
    let link = &branch.link;
    if link.state == LinkState::NoMachine {
        return t.join_first.to_owned();
    }
    let mut parts = Vec::new();
    if link.transactions_behind > 0 {
        parts.push(fill(t.up, &[("n", &view.count(link.transactions_behind))]));
    }
    if link.entries_behind > 0 {
        parts.push(fill(t.down, &[("n", &view.count(link.entries_behind))]));
    }
    if link.state == LinkState::CutOff && link.last_contact_ms.is_some() {
        parts.push(fill(t.heard, &[("when", &view.when(link.last_contact_ms))]));
    }
    if parts.is_empty() {
        return t.nothing_waits.to_owned();
    }
    let said = parts.join(", ");
    let mut letters = said.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect::<String>() + ".")
        .unwrap_or_default()
}

pub(super) fn orders(
    t: &BranchTexts,
    view: &View,
    (code, may_read): (&str, bool),
    open: &[OpenOrders],
) -> Vec<OrdersRow> {
    let statuses = [
        ("received", t.received),
        ("diagnosing", t.diagnosing),
        ("awaiting_approval", t.awaiting_approval),
        ("awaiting_parts", t.awaiting_parts),
        ("in_repair", t.in_repair),
        ("ready", t.ready),
    ];
    statuses
        .into_iter()
        .filter_map(|(status, name)| {
            let found = open.iter().find(|open| open.status == status)?;
            let late = if status == "ready" { 0 } else { found.late };
            let address = [("branch", code), ("status", status)];
            Some(OrdersRow {
                href: may_read.then(|| crate::web::act::address(ORDERS, &address)),
                status: name,
                count: view.count(found.count),
                late: view.count(late),
            })
        })
        .collect()
}

pub(super) fn stock(
    t: &BranchTexts,
    view: &View,
    held: &branch::Held,
) -> Vec<(&'static str, String)> {
    vec![
        (t.parts, view.clock.number(held.parts)),
        (t.pieces, view.clock.number(held.pieces)),
        (t.reserved, view.clock.number(held.reserved)),
        (t.below_zero, view.clock.number(held.below_zero)),
    ]
}

pub(super) fn facts(
    t: &BranchTexts,
    view: &View,
    branch: &BranchState,
) -> Vec<(&'static str, String)> {
    let fields = &branch.record.fields;
    let or = |text: &str, other: &str| if text.is_empty() { other } else { text }.to_owned();
    let location = fields
        .location
        .map(|at| format!("{:.4}, {:.4}", at.latitude(), at.longitude()));
    let tax = if fields.prices_include_tax {
        t.with_tax
    } else {
        t.without_tax
    };
    let language = web_kit::Language::of_tag(&fields.language);
    vec![
        (t.code, fields.code.clone()),
        (t.region, or(&fields.region, "–")),
        (t.address, or(&fields.address, t.not_known)),
        (
            t.location,
            location.unwrap_or_else(|| t.not_known.to_owned()),
        ),
        (t.time_zone, fields.time_zone.clone()),
        (t.currency, format!("{}, {tax}", fields.currency)),
        (
            t.language,
            language.map_or(fields.language.clone(), |language| {
                language.name().to_owned()
            }),
        ),
        (
            t.capacity,
            match fields.capacity {
                0 => "–".to_owned(),
                most => view.clock.number(i64::from(most)),
            },
        ),
        (t.hours, or(&fields.opening_hours, t.of_company)),
    ]
}
