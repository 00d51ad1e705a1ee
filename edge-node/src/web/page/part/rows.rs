//! What makes a part's quantities, as rows: movements, orders that keep pieces, transfers that bring some.

use std::collections::BTreeMap;

use domain::id::StaffId;
use domain::permission::Permission;
use web_kit::fill;

use super::texts::PartTexts;
use super::{Data, PartQuery};
use crate::api::caller::Caller;
use crate::app::stock::Movement;
use crate::app::transfer;
use crate::web::page::stock::form::segment;
use crate::web::page::stock::{StockTexts, kind_words, part_href};
use crate::web::texts;
use crate::web::view::View;
use crate::web::{ORDERS, TRANSFERS};

/// One of the quantities at the head, as a link to what makes it.
pub(super) struct Figure {
    pub(super) label: &'static str,
    pub(super) n: String,
    pub(super) href: Option<String>,
    pub(super) current: bool,
    pub(super) is_low: bool,
}

pub(super) struct MoveRow {
    pub(super) when: String,
    pub(super) kind: &'static str,
    pub(super) about: String,
    pub(super) about_href: Option<String>,
    pub(super) who: String,
    pub(super) why: String,
    pub(super) quantity: String,
    pub(super) then: String,
    pub(super) is_out: bool,
    pub(super) is_here: bool,
}

/// A row of what keeps or brings pieces.
pub(super) struct OtherRow {
    pub(super) href: String,
    pub(super) name: String,
    pub(super) state: String,
    pub(super) since: String,
    pub(super) quantity: String,
}

pub(super) struct ElsewhereRow {
    pub(super) branch: String,
    pub(super) quantity: String,
    pub(super) as_of: String,
    pub(super) href: Option<String>,
}

pub(super) enum Shown {
    Moves {
        rows: Vec<MoveRow>,
        older: Option<String>,
        newest: Option<String>,
    },
    Others {
        rows: Vec<OtherRow>,
        of_orders: bool,
        empty: &'static str,
    },
}

pub(super) fn figures(data: &Data, query: &PartQuery, view: &View, s: &StockTexts) -> Vec<Figure> {
    let stock = &data.part.stock;
    let own = part_href(&stock.sku);
    let low = stock.reorder_point.is_some_and(|point| stock.free <= point);
    let figure = |label, n: i64, href: Option<String>, of: Option<&str>| Figure {
        label,
        n: view.clock.number(n),
        href,
        current: of == Some(query.of.as_str()),
        is_low: false,
    };
    let mut figures = vec![
        figure(s.on_hand, stock.on_hand, Some(own.clone()), Some("")),
        figure(
            s.reserved,
            stock.reserved,
            Some(format!("{own}?of=reserved")),
            Some("reserved"),
        ),
        Figure {
            is_low: low,
            ..figure(s.free, stock.free, None, None)
        },
        figure(
            s.in_transit,
            stock.in_transit,
            Some(format!("{own}?of=transit")),
            Some("transit"),
        ),
    ];
    if let Some(point) = stock.reorder_point {
        figures.push(figure(s.reorder_at, point, None, None));
    }
    figures
}

pub(super) fn elsewhere(who: &Caller, view: &View, data: &Data) -> Vec<ElsewhereRow> {
    let t = PartTexts::of(view.language());
    let may_ask = who.may(Permission::TransfersRequest);
    let row = |there: &crate::store::stock::Elsewhere| {
        let code = there.code.clone().unwrap_or_default();
        ElsewhereRow {
            branch: data.branches.get(&code).unwrap_or(&code).clone(),
            quantity: view.clock.number(there.quantity),
            as_of: fill(t.as_of, &[("at", &view.clock.when(there.as_of_ms))]),
            href: (may_ask && !code.is_empty()).then(|| {
                format!(
                    "{TRANSFERS}/new?from={}&sku={}",
                    segment(&code),
                    segment(&data.part.stock.sku)
                )
            }),
        }
    };
    data.part.elsewhere.iter().take(8).map(row).collect()
}

pub(super) fn shown(data: Data, query: &PartQuery, view: &View, own: &str) -> Shown {
    let t = PartTexts::of(view.language());
    let number = |n: i64| view.clock.number(n);
    match query.of.as_str() {
        "reserved" => Shown::Others {
            rows: data
                .reserved
                .into_iter()
                .map(|kept| OtherRow {
                    href: format!("{ORDERS}/{}", kept.order),
                    name: kept.number,
                    state: texts::status(view.language(), kept.status).to_owned(),
                    since: view.clock.when(kept.updated_at_ms),
                    quantity: number(kept.quantity),
                })
                .collect(),
            of_orders: true,
            empty: t.no_reserved,
        },
        "transit" => {
            let sku = &data.part.stock.sku;
            let branches = &data.branches;
            let pieces = |found: &transfer::Transfer| -> i64 {
                let lines = found.lines.iter().filter(|line| line.sku == *sku);
                lines.map(|line| line.in_transit).sum()
            };
            Shown::Others {
                rows: data
                    .transfers
                    .iter()
                    .filter(|found| pieces(found) > 0)
                    .map(|found| OtherRow {
                        href: format!("{TRANSFERS}/{}", found.id),
                        name: branches.get(&found.from).unwrap_or(&found.from).clone(),
                        state: crate::web::page::transfers::state_words(
                            view.language(),
                            found.state,
                        )
                        .to_owned(),
                        since: view.clock.when(found.updated_at.0),
                        quantity: number(pieces(found)),
                    })
                    .collect(),
                of_orders: false,
                empty: t.no_transit,
            }
        }
        _ => {
            let page = data.moves.unwrap_or_else(|| web_kit::Page::whole(vec![]));
            let here = &data.not_at_hub;
            Shown::Moves {
                rows: page
                    .items
                    .into_iter()
                    .map(|movement| {
                        let is_here = here.contains(&movement.id);
                        move_row(movement, &data.names, &data.branches, view, is_here)
                    })
                    .collect(),
                older: page
                    .next_cursor
                    .map(|cursor| format!("{own}?cursor={}", segment(&cursor))),
                newest: (!query.cursor.is_empty()).then(|| own.to_owned()),
            }
        }
    }
}

fn move_row(
    movement: Movement,
    names: &BTreeMap<StaffId, String>,
    branches: &BTreeMap<String, String>,
    view: &View,
    is_here: bool,
) -> MoveRow {
    let t = PartTexts::of(view.language());
    let sign = match (movement.to_account, movement.from_account) {
        (domain::stock::Account::OnHand, _) => "+",
        (_, domain::stock::Account::OnHand) => "−",
        _ => "",
    };
    let of_transfer = movement.kind.of_transfer();
    let reason = movement.reason.unwrap_or_default();
    // What a transfer's step says about its other end is written in one language and shown in the reader's.
    let other_end = |prefix: &str, words: &str| {
        let code = reason.strip_prefix(prefix)?;
        Some(fill(
            words,
            &[("branch", branches.get(code).map_or(&code, |name| name))],
        ))
    };
    let why = if of_transfer {
        other_end("to ", t.to_branch)
            .or_else(|| other_end("from ", t.from_branch))
            .unwrap_or_else(|| reason.clone())
    } else {
        reason.clone()
    };
    let (about, about_href) = match (&movement.subject_id, movement.reference) {
        (Some(id), _) if of_transfer => (t.transfer.to_owned(), Some(format!("{TRANSFERS}/{id}"))),
        (Some(id), reference) => (
            reference.unwrap_or_else(|| t.order.to_owned()),
            Some(format!("{ORDERS}/{id}")),
        ),
        (None, reference) => (reference.unwrap_or_default(), None),
    };
    MoveRow {
        when: view.clock.when(movement.at.0),
        kind: kind_words(view.language(), movement.kind),
        about,
        about_href,
        who: movement
            .staff_id
            .and_then(|id| names.get(&id).cloned())
            .unwrap_or_else(|| t.system.to_owned()),
        why,
        quantity: format!("{sign}{}", view.clock.number(movement.quantity)),
        then: view.clock.number(movement.balance_after),
        is_out: movement.superseded,
        is_here,
    }
}
