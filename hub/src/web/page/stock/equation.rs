//! The equation that every part must keep, each term leading to the movements that make it.

use web_kit::Problem;

use super::texts;
use crate::api::{Caller, HubState};
use crate::app::stock::{Term, balance};
use crate::web::STOCK;
use crate::web::act::encode;
use crate::web::view::View;

/// One term with the sign before it.
pub(super) struct TermCell {
    pub(super) sign: &'static str,
    pub(super) figure: String,
    pub(super) words: &'static str,
    pub(super) href: String,
    pub(super) current: bool,
}

/// The balance of a part over the chain.
pub(super) struct Equation {
    pub(super) terms: Vec<TermCell>,
    pub(super) is_balanced: bool,
    pub(super) sides: String,
}

/// The equation of a part, where the person sees the whole chain. Terms that are zero and came or went stay away.
pub(super) async fn of(
    state: &HubState,
    who: &Caller,
    view: &View,
    sku: &str,
) -> Result<Option<Equation>, Problem> {
    if who.person.require_chain().is_err() {
        return Ok(None);
    }
    let sums = balance(state.hub(), sku).await?.sums;
    let terms = &sums.ledger;
    let came: i64 = Term::ALL[..4].iter().map(|term| term.of(terms)).sum();
    let is: i64 = Term::ALL[4..].iter().map(|term| term.of(terms)).sum();
    let is_shown = |term: Term| {
        matches!(term, Term::Opening | Term::OnHand | Term::InTransit) || term.of(terms) != 0
    };
    let shown = Term::ALL.into_iter().filter(|term| is_shown(*term));
    let cell = |term: Term| TermCell {
        sign: match term {
            Term::Opening => "",
            Term::OnHand => "=",
            _ => "+",
        },
        figure: view.clock.number(term.of(terms)),
        words: texts::term(view.language(), term),
        href: format!("{STOCK}/{}?term={}", encode(sku), term.as_str()),
        current: false,
    };
    Ok(Some(Equation {
        terms: shown.map(cell).collect(),
        is_balanced: sums.balanced(),
        sides: format!(
            "{} {} {}",
            view.clock.number(came),
            if came == is { "=" } else { "≠" },
            view.clock.number(is)
        ),
    }))
}
