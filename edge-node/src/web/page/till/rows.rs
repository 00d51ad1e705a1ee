//! The rows of a basket as the template shows them.

use domain::till::{ReceiptLine, ReceiptLineKind};
use web_kit::wire::money;
use web_kit::{Tone, fill};

use super::texts::TillTexts;
use crate::app::basket::{
    BasketClaim, BasketOrder, BasketPart, ClaimTrouble, OrderTrouble, PartTrouble,
};
use crate::app::order::form::SyncState;
use crate::web::page::orders::encoded;
use crate::web::view::View;
use crate::web::{ORDERS, STOCK, texts};

/// Why something cannot be sold, and the step that would help.
pub(super) struct Trouble {
    pub(super) words: String,
    pub(super) help: Option<(String, &'static str)>,
    /// A button of the basket that helps.
    pub(super) act: Option<(String, &'static str)>,
    /// Whether only something is to be typed.
    pub(super) asks: bool,
}

pub(super) struct LineRow {
    pub(super) text: String,
    pub(super) quantity: u32,
    pub(super) each: String,
    pub(super) tax: String,
    pub(super) amount: String,
}

pub(super) struct OrderGroup {
    pub(super) id: String,
    pub(super) href: String,
    pub(super) number: String,
    pub(super) device: String,
    pub(super) glyph: Option<(&'static str, &'static str)>,
    /// Of an order that is paid ahead: what was typed, and what it comes to.
    pub(super) ahead: Option<(String, String)>,
    pub(super) ahead_label: String,
    pub(super) lines: Vec<LineRow>,
    pub(super) trouble: Option<Trouble>,
}

pub(super) struct PartRow {
    pub(super) sku: String,
    pub(super) href: String,
    pub(super) name: String,
    pub(super) quantity: i64,
    pub(super) free: String,
    pub(super) each: String,
    pub(super) tax: String,
    pub(super) amount: String,
    pub(super) trouble: Option<Trouble>,
}

pub(super) fn group(
    t: &TillTexts,
    view: &View,
    currency: domain::money::Currency,
    order: &BasketOrder,
) -> OrderGroup {
    let amount = |minor: i64| view.amount(money(minor, currency));
    let ahead = order.is_deposit.then(|| {
        let taken: i64 = order
            .lines
            .iter()
            .filter(|line| line.kind == ReceiptLineKind::Deposit)
            .map(|line| line.unit_minor)
            .sum();
        let typed = if taken > 0 {
            amount(taken)
        } else {
            String::new()
        };
        let values: [(&str, &dyn std::fmt::Display); 2] = [
            ("gross", &amount(order.gross_minor)),
            ("before", &amount(order.deposits_minor)),
        ];
        let words = match order.deposits_minor {
            0 => t.deposit_of,
            _ => t.deposit_before,
        };
        (typed, fill(words, &values))
    });
    let glyph = (order.sync != SyncState::Applied && !order.number.is_empty())
        .then(|| texts::sync(view.language(), order.sync));
    OrderGroup {
        id: order.id.to_string(),
        href: format!("{ORDERS}/{}", order.id),
        number: order.number.clone(),
        device: order.device.clone(),
        glyph,
        ahead,
        ahead_label: fill(t.deposit_field, &[("number", &order.number)]),
        lines: order
            .lines
            .iter()
            .filter(|line| line.kind != ReceiptLineKind::Deposit)
            .map(|line| line_row(t, view, currency, line))
            .collect(),
        trouble: order
            .trouble
            .map(|trouble| order_trouble(t, view, order, trouble)),
    }
}

fn line_row(
    t: &TillTexts,
    view: &View,
    currency: domain::money::Currency,
    line: &ReceiptLine,
) -> LineRow {
    let amount = |minor: i64| view.amount(money(minor, currency));
    let sign = match line.kind {
        ReceiptLineKind::Discount | ReceiptLineKind::DepositOff => -1,
        _ => 1,
    };
    let sum = line
        .unit_minor
        .saturating_mul(i64::from(line.quantity))
        .saturating_mul(sign);
    let is_off = line.kind == ReceiptLineKind::DepositOff;
    LineRow {
        text: if is_off {
            t.deposits_off.to_owned()
        } else {
            line.text.clone()
        },
        quantity: line.quantity,
        each: if is_off {
            String::new()
        } else {
            amount(line.unit_minor)
        },
        tax: if is_off {
            String::new()
        } else {
            view.clock.percent(line.tax_bp)
        },
        amount: amount(sum),
    }
}

fn order_trouble(
    t: &TillTexts,
    view: &View,
    order: &BasketOrder,
    trouble: OrderTrouble,
) -> Trouble {
    let to_order = || Some((format!("{ORDERS}/{}", order.id), t.open_order));
    let plain = |words: &str| Trouble {
        words: words.to_owned(),
        help: to_order(),
        act: None,
        asks: false,
    };
    match trouble {
        OrderTrouble::Unknown => Trouble {
            help: None,
            ..plain(t.order_unknown)
        },
        OrderTrouble::Elsewhere => plain(t.elsewhere),
        OrderTrouble::Currency => plain(t.other_currency),
        OrderTrouble::Invoiced => plain(t.invoiced),
        OrderTrouble::Nothing => plain(t.nothing_to_pay),
        OrderTrouble::NotReady(status) => Trouble {
            words: fill(
                t.not_ready,
                &[("status", &texts::status(view.language(), status))],
            ),
            act: Some((format!("ahead-{}", order.id), t.take_deposit)),
            ..plain("")
        },
        OrderTrouble::NoDeposit => Trouble {
            help: None,
            asks: true,
            ..plain(t.no_deposit)
        },
    }
}

pub(super) fn part_row(
    t: &TillTexts,
    view: &View,
    currency: domain::money::Currency,
    part: &BasketPart,
) -> PartRow {
    let amount = |minor: i64| view.amount(money(minor, currency));
    let href = format!("{STOCK}/{}", encoded(&part.sku));
    let is_known = !part.name.is_empty();
    let trouble = part.trouble.map(|trouble| match trouble {
        PartTrouble::Unknown => Trouble {
            words: t.part_unknown.to_owned(),
            help: None,
            act: None,
            asks: false,
        },
        PartTrouble::Currency => Trouble {
            words: t.other_currency.to_owned(),
            help: None,
            act: None,
            asks: false,
        },
        PartTrouble::Quantity => Trouble {
            words: t.part_quantity.to_owned(),
            help: None,
            act: None,
            asks: false,
        },
        PartTrouble::Short => Trouble {
            words: fill(t.part_short, &[("n", &part.free.max(0))]),
            help: Some((href.clone(), t.see_stock)),
            act: None,
            asks: false,
        },
    });
    PartRow {
        sku: part.sku.clone(),
        name: if is_known {
            part.name.clone()
        } else {
            part.sku.clone()
        },
        quantity: part.quantity,
        free: match is_known {
            true => fill(t.free_here, &[("n", &part.free.max(0))]),
            false => String::new(),
        },
        each: amount(part.unit_minor),
        tax: view.clock.percent(part.tax_bp),
        amount: amount(part.unit_minor.saturating_mul(part.quantity)),
        href,
        trouble,
    }
}

/// The tone of what stands in the way.
impl Trouble {
    pub(super) fn tone(&self) -> Tone {
        if self.act.is_some() || self.asks {
            Tone::Waiting
        } else {
            Tone::Late
        }
    }
}

/// The account of the customer that the basket is for.
pub(super) struct AccountRow {
    /// What is owed, in words.
    pub(super) words: String,
    /// Whether the oldest of it is over its time.
    pub(super) is_overdue: bool,
    /// What is paid of it now.
    pub(super) claim: Option<ClaimRow>,
    /// The button that pays all of it, with its words.
    pub(super) offer: Option<(String, String)>,
}

/// What is paid of an account.
pub(super) struct ClaimRow {
    pub(super) typed: String,
    pub(super) hint: String,
    pub(super) trouble: Option<String>,
}

pub(super) fn claim_row(
    t: &TillTexts,
    view: &View,
    currency: domain::money::Currency,
    claim: &BasketClaim,
) -> ClaimRow {
    let amount = |minor: i64| view.amount(money(minor, currency));
    let owed = amount(claim.owed_minor);
    let stays = claim.owed_minor.saturating_sub(claim.amount_minor);
    ClaimRow {
        typed: match claim.amount_minor {
            0 => String::new(),
            minor => amount(minor),
        },
        hint: match claim.trouble {
            None if stays > 0 => fill(t.claim_rest, &[("amount", &amount(stays))]),
            None => t.claim_whole.to_owned(),
            Some(_) => String::new(),
        },
        trouble: claim.trouble.map(|trouble| match trouble {
            ClaimTrouble::Nobody | ClaimTrouble::Nothing => t.claim_nothing.to_owned(),
            ClaimTrouble::NoAmount => t.claim_how_much.to_owned(),
            ClaimTrouble::TooMuch => fill(t.claim_too_much, &[("amount", &owed)]),
        }),
    }
}
