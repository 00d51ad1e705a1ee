//! What stands beside the paper: its payments with what became of them, refunds, and those that wait for the hub.

use domain::payment::PaymentState;
use domain::till::{CardWay, PaperKind, Tender, paper_number};
use web_kit::wire::money;
use web_kit::{Tone, fill};

use super::address;
use super::qr::{self, Code};
use super::texts::{ReceiptTexts, state as state_words, tender as tender_words, tender_icon};
use crate::api::EdgeState;
use crate::app::receipts::Paper;
use crate::app::refund::RefundView;
use crate::web::view::View;

/// A payment beside the paper.
pub(super) struct Payment {
    /// Of an open promise: its id, to call it off.
    pub(super) call_off: Option<String>,
    /// Of a card that the reader declined: its id, to ask again.
    pub(super) ask_again: Option<String>,
    pub(super) icon: &'static str,
    pub(super) tender: &'static str,
    pub(super) amount: String,
    pub(super) state_icon: &'static str,
    pub(super) state: &'static str,
    pub(super) tone: Option<Tone>,
    /// Why not.
    pub(super) detail: String,
    pub(super) link: Option<(String, Option<Code>)>,
    /// It was called off and came all the same: what is to be given back.
    pub(super) to_give_back: Option<String>,
    /// Where it brought nothing and is still owed: the till that takes it otherwise.
    pub(super) otherwise: Option<String>,
}

/// A refund that waits for the hub's word, or has it.
pub(super) struct Asked {
    pub(super) id: String,
    pub(super) amount: String,
    pub(super) reason: String,
    pub(super) state: &'static str,
    pub(super) tone: Option<Tone>,
    pub(super) may_give: bool,
}

pub(super) fn waiting_refunds(
    t: &ReceiptTexts,
    view: &View,
    waiting: Vec<RefundView>,
) -> Vec<Asked> {
    let shown = |one: RefundView| {
        let (state, tone) = match one.state.as_str() {
            "approved" => (t.approved, Some(Tone::Agreed)),
            "refused" => (t.refused, Some(Tone::Late)),
            _ => (t.asked, Some(Tone::Decide)),
        };
        Asked {
            id: one.id.to_string(),
            amount: view.amount(one.amount),
            reason: one.reason,
            may_give: one.state == "approved",
            state,
            tone,
        }
    };
    waiting.into_iter().map(shown).collect()
}

pub(super) struct Refunded {
    pub(super) href: String,
    pub(super) number: String,
    pub(super) when: String,
    pub(super) amount: String,
    pub(super) reason: String,
}

/// What is given back in coins and notes.
pub(super) fn change(view: &View, paper: &Paper) -> Option<String> {
    let back: i64 = paper
        .receipt
        .tenders
        .iter()
        .filter(|tender| tender.tender == Tender::Cash)
        .map(|tender| tender.change_minor())
        .sum();
    let has_cash = paper
        .receipt
        .tenders
        .iter()
        .any(|one| one.tender == Tender::Cash);
    let is_only_cash = paper
        .receipt
        .tenders
        .iter()
        .all(|one| one.tender == Tender::Cash);
    (has_cash && (back > 0 || is_only_cash))
        .then(|| view.full_amount(money(back, paper.receipt.currency)))
}

pub(super) fn payments(view: &View, paper: &Paper, otherwise: Option<&str>) -> Vec<Payment> {
    let language = view.language();
    let one = |tender: &domain::till::TenderLine| {
        let known = paper.payments.iter().find(|one| one.id == tender.payment);
        let stands = known.map_or(PaymentState::Captured, |one| one.state);
        let (state_icon, state, tone) = match (stands, tender.way) {
            (PaymentState::Processing, Some(CardWay::Reader)) => (
                "card",
                ReceiptTexts::of(language).at_reader,
                Some(Tone::Moving),
            ),
            _ => state_words(language, tender.tender, stands),
        };
        let detail = known.map_or("", |one| one.stored.detail.as_str());
        let is_link = detail.starts_with("https://") || detail.starts_with("http://");
        let is_open = matches!(
            stands,
            PaymentState::Queued | PaymentState::Processing | PaymentState::Declined
        );
        let is_called_off = known.is_some_and(|one| one.stored.called_off);
        Payment {
            call_off: (is_open && !is_called_off && tender.tender.is_asked_for())
                .then(|| tender.payment.to_string()),
            ask_again: (stands == PaymentState::Declined
                && !is_called_off
                && tender.way == Some(CardWay::Reader))
            .then(|| tender.payment.to_string()),
            icon: tender_icon(tender.tender),
            tender: tender_words(language, tender.tender),
            amount: view.amount(money(tender.amount_minor, paper.receipt.currency)),
            state_icon,
            state,
            tone,
            otherwise: otherwise
                .filter(|_| matches!(stands, PaymentState::Cancelled | PaymentState::Failed))
                .map(str::to_owned),
            to_give_back: known
                .map(|one| one.due_back_minor())
                .filter(|due_minor| *due_minor > 0 && tender.tender.is_asked_for())
                .map(|due_minor| {
                    let amount = view.full_amount(money(due_minor, paper.receipt.currency));
                    fill(ReceiptTexts::of(language).came_late, &[("amount", &amount)])
                }),
            link: (is_link && is_open).then(|| (detail.to_owned(), qr::code(detail))),
            detail: match is_link {
                true => String::new(),
                false => web_kit::refusal::said(language, detail).into_owned(),
            },
        }
    };
    paper.receipt.tenders.iter().map(one).collect()
}

pub(super) fn refunds(state: &EdgeState, view: &View, paper: &Paper) -> Vec<Refunded> {
    let code = &state.store().identity().code;
    paper
        .refunds
        .iter()
        .map(|one| {
            let refund = &one.refund;
            let number = paper_number(code, PaperKind::Receipt, refund.series, refund.number);
            Refunded {
                href: address(&number),
                number,
                when: view.clock.when(one.at_ms),
                amount: view.amount(money(one.amount_minor, refund.currency)),
                reason: refund.reason.clone(),
            }
        })
        .collect()
}
