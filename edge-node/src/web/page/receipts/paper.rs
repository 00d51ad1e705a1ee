//! The paper itself, as it is printed on the 80 mm roll.

use std::collections::BTreeMap;

use domain::id::StaffId;
use domain::payment::PaymentState;
use domain::staff::StaffRow;
use domain::till::{ReceiptLine, ReceiptLineKind, Tender};
use web_kit::fill;
use web_kit::wire::money;

use super::qr::{self, Code};
use super::texts::{ReceiptTexts, tender as tender_words};
use crate::app::receipts::Paper;
use crate::app::settings::Settings;
use crate::store::money::papers::RefundRecord;
use crate::web::page::label::code128::{self, Bars};
use crate::web::view::View;

/// A line of the paper: its text, and its amount; an order's own line has none.
pub(super) struct PaperLine {
    pub(super) text: String,
    pub(super) more: String,
    pub(super) amount: Option<String>,
}

/// A sum beneath the lines.
pub(super) struct Sum {
    pub(super) name: String,
    pub(super) amount: String,
    pub(super) is_big: bool,
}

/// What is promised and not here yet, with the link that pays it.
pub(super) struct OpenPayment {
    pub(super) words: String,
    pub(super) link: Option<String>,
    pub(super) code: Option<Code>,
}

/// A receipt as it is printed.
pub(super) struct Printed {
    pub(super) shop: String,
    pub(super) place: String,
    pub(super) tax_id: String,
    pub(super) number: String,
    pub(super) written: String,
    pub(super) lines: Vec<PaperLine>,
    pub(super) sums: Vec<Sum>,
    pub(super) rates: Vec<[String; 4]>,
    /// What is promised and not here yet, with its link.
    pub(super) open: Vec<OpenPayment>,
    pub(super) bars: Option<Bars>,
    pub(super) bar_title: String,
    pub(super) warranty: String,
    pub(super) foot: String,
}

/// Everybody's first name.
pub(crate) fn names_of(people: &[(StaffId, StaffRow)]) -> BTreeMap<StaffId, String> {
    let first = |name: &str| name.split_whitespace().next().unwrap_or(name).to_owned();
    people
        .iter()
        .map(|(id, row)| (*id, first(&row.name)))
        .collect()
}

/// The paper of a receipt.
pub(super) fn printed(view: &View, settings: &Settings, paper: &Paper, by: &str) -> Printed {
    let t = ReceiptTexts::of(view.language());
    let place = [
        settings.branch.name.as_str(),
        settings.branch.address.as_str(),
    ];
    let place: Vec<&str> = place
        .into_iter()
        .filter(|words| !words.is_empty())
        .collect();
    let values: [(&str, &dyn std::fmt::Display); 4] = [
        ("day", &view.clock.day(paper.at_ms)),
        ("hour", &view.clock.hour(paper.at_ms)),
        ("register", &paper.receipt.register),
        ("who", &by),
    ];
    Printed {
        shop: settings.legal_name.clone(),
        place: place.join(", "),
        tax_id: match settings.tax_id.is_empty() {
            true => String::new(),
            false => fill(t.tax_id, &[("id", &settings.tax_id)]),
        },
        number: paper.number.clone(),
        written: fill(t.line_of, &values).trim_end_matches(", ").to_owned(),
        lines: lines(t, view, paper),
        sums: sums(t, view, paper),
        rates: paper
            .totals
            .rates
            .iter()
            .map(|rate| {
                let amount = |minor: i64| view.amount(money(minor, paper.receipt.currency));
                [
                    view.clock.percent(rate.tax_bp),
                    amount(rate.net_minor),
                    amount(rate.tax_minor),
                    amount(rate.gross_minor),
                ]
            })
            .collect(),
        open: open(t, view, paper),
        bars: code128::bars(&paper.number),
        bar_title: fill(t.bar_code, &[("number", &paper.number)]),
        warranty: text_of(view, settings, "warranty").unwrap_or_default(),
        foot: text_of(view, settings, "till").unwrap_or_else(|| t.thanks.to_owned()),
    }
}

/// The company's own text for a place on the paper, in this language if there is one.
fn text_of(view: &View, settings: &Settings, place: &str) -> Option<String> {
    let tag = view.language().tag();
    [format!("{place}_{tag}"), place.to_owned()]
        .iter()
        .find_map(|key| settings.receipt_texts.get(key))
        .filter(|text| !text.trim().is_empty())
        .cloned()
}

fn lines(t: &ReceiptTexts, view: &View, paper: &Paper) -> Vec<PaperLine> {
    let mut lines = Vec::new();
    let mut about = None;
    for line in &paper.receipt.lines {
        if line.kind == ReceiptLineKind::DepositOff {
            continue;
        }
        if line.order.is_some() && line.order != about {
            about = line.order;
            if let Some((number, device)) = about.and_then(|id| paper.orders.get(&id)) {
                let person = paper.person.as_ref().map_or("", |name| name.expose());
                let words = [device.as_str(), person];
                let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
                lines.push(PaperLine {
                    text: number.clone(),
                    more: words.join(", "),
                    amount: None,
                });
            }
        }
        lines.push(line_of(t, view, paper, line));
    }
    lines
}

fn line_of(t: &ReceiptTexts, view: &View, paper: &Paper, line: &ReceiptLine) -> PaperLine {
    let amount = |minor: i64| view.amount(money(minor, paper.receipt.currency));
    let sign = if line.kind == ReceiptLineKind::Discount {
        -1
    } else {
        1
    };
    let sum = line
        .unit_minor
        .saturating_mul(i64::from(line.quantity))
        .saturating_mul(sign);
    let text = match line.kind {
        ReceiptLineKind::Deposit => t.deposit.to_owned(),
        ReceiptLineKind::Claim => t.claim.to_owned(),
        _ => line.text.clone(),
    };
    PaperLine {
        text: match line.quantity {
            1 => text,
            n => format!("{n} × {text}"),
        },
        more: match line.quantity {
            1 => String::new(),
            _ => format!("à {}", amount(line.unit_minor)),
        },
        amount: Some(amount(sum)),
    }
}

fn sums(t: &ReceiptTexts, view: &View, paper: &Paper) -> Vec<Sum> {
    let currency = paper.receipt.currency;
    let amount = |minor: i64| view.amount(money(minor, currency));
    let sum = |name: &str, amount: String, is_big: bool| Sum {
        name: name.to_owned(),
        amount,
        is_big,
    };
    let mut sums = Vec::new();
    if paper.totals.deposits_off_minor > 0 {
        sums.push(sum(t.sum, amount(paper.totals.gross_minor), false));
        sums.push(sum(
            t.deposit_off,
            amount(-paper.totals.deposits_off_minor),
            false,
        ));
    }
    let due = view.full_amount(money(paper.totals.due_minor, currency));
    sums.push(sum(t.to_pay, due, true));
    for tender in &paper.receipt.tenders {
        let name = tender_words(view.language(), tender.tender);
        sums.push(sum(name, amount(tender.given_minor), false));
        if tender.change_minor() > 0 {
            sums.push(sum(t.given_back, amount(-tender.change_minor()), false));
        }
    }
    sums
}

/// What is not here yet, as the paper says it.
fn open(t: &ReceiptTexts, view: &View, paper: &Paper) -> Vec<OpenPayment> {
    let currency = paper.receipt.currency;
    let is_open = |state: PaymentState| {
        matches!(
            state,
            PaymentState::Queued | PaymentState::Processing | PaymentState::Declined
        )
    };
    let open = paper.payments.iter().filter(|one| is_open(one.state));
    open.map(|one| {
        let words = match one.tender.as_str() {
            tender if tender == Tender::Bank.as_str() => t.awaited,
            _ => t.promised,
        };
        let amount = view.full_amount(money(one.asked_minor, currency));
        let detail = &one.stored.detail;
        let link = detail.starts_with("http").then(|| detail.clone());
        OpenPayment {
            words: format!("{words}: {amount}"),
            code: link.as_deref().and_then(qr::code),
            link,
        }
    })
    .collect()
}

/// The paper of a refund.
pub(super) fn refund_printed(
    view: &View,
    settings: &Settings,
    number: &str,
    record: &RefundRecord,
    of: &Paper,
    by: &str,
) -> Printed {
    let t = ReceiptTexts::of(view.language());
    let refund = &record.refund;
    let amount = |minor: i64| view.amount(money(minor, refund.currency));
    let values: [(&str, &dyn std::fmt::Display); 4] = [
        ("day", &view.clock.day(record.at_ms)),
        ("hour", &view.clock.hour(record.at_ms)),
        ("register", &refund.register),
        ("who", &by),
    ];
    let line = |one: &domain::till::RefundLine| {
        let sold = of.receipt.line(one.line)?;
        let mut sold = sold.clone();
        sold.quantity = one.quantity;
        Some(line_of(t, view, of, &sold))
    };
    let mut sums = vec![Sum {
        name: t.goes_back.to_owned(),
        amount: view.full_amount(money(record.amount_minor, refund.currency)),
        is_big: true,
    }];
    sums.extend(refund.tenders.iter().map(|tender| Sum {
        name: tender_words(view.language(), tender.tender).to_owned(),
        amount: amount(tender.amount_minor),
        is_big: false,
    }));
    Printed {
        number: number.to_owned(),
        written: fill(t.line_of, &values).trim_end_matches(", ").to_owned(),
        lines: refund.lines.iter().filter_map(line).collect(),
        sums,
        rates: refund
            .rates
            .iter()
            .map(|rate| {
                [
                    view.clock.percent(rate.tax_bp),
                    amount(rate.net_minor),
                    amount(rate.tax_minor),
                    amount(rate.gross_minor),
                ]
            })
            .collect(),
        open: Vec::new(),
        bars: code128::bars(number),
        bar_title: fill(t.bar_code, &[("number", &number)]),
        warranty: String::new(),
        foot: String::new(),
        ..printed(view, settings, of, by)
    }
}
