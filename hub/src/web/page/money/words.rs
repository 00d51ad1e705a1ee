//! Tenders and states of payments, in words and with their meaning.

use domain::payment::PaymentState;
use domain::till::Tender;
use web_kit::{Language, Tone};

web_kit::catalogue! {
    /// What payments are called, as at the branches.
    pub(crate) struct StateTexts {
        cash: "Cash" | "Bar",
        card: "Card" | "Karte",
        bank: "Bank transfer" | "Überweisung",
        account: "On account" | "Angeschrieben",
        queued: "waits to be asked" | "wartet auf die Anfrage",
        queued_bank: "waits for the bank" | "wartet auf die Bank",
        processing: "asked" | "angefragt",
        captured: "paid" | "bezahlt",
        on_account: "put on the account" | "auf das Konto gesetzt",
        declined: "declined" | "abgelehnt",
        refunded: "given back" | "erstattet",
        failed: "not possible any more" | "nicht mehr möglich",
        cancelled: "called off" | "abgesagt",
    }
}

/// How something looks: icon, words, tone.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    pub(crate) icon: &'static str,
    pub(crate) words: &'static str,
    pub(crate) tone: &'static str,
}

/// A tender by its name in the tables.
pub(crate) fn tender(language: Language, name: &str) -> &'static str {
    let t = StateTexts::of(language);
    match name.parse() {
        Ok(Tender::Cash) => t.cash,
        Ok(Tender::Card) => t.card,
        Ok(Tender::Bank) => t.bank,
        Ok(Tender::Account) => t.account,
        Err(_) => "–",
    }
}

/// Where a payment stands, by the names in the tables.
pub(crate) fn state(language: Language, tender: &str, name: &str) -> Look {
    let t = StateTexts::of(language);
    let look = |icon, words, tone: Option<Tone>| Look {
        icon,
        words,
        tone: tone.map_or("plain", Tone::as_str),
    };
    let Ok(state) = name.parse::<PaymentState>() else {
        return look("ask", "–", None);
    };
    match state {
        PaymentState::Queued if tender == "bank" => {
            look("clock", t.queued_bank, Some(Tone::Moving))
        }
        PaymentState::Queued => look("clock", t.queued, Some(Tone::Apart)),
        PaymentState::Processing => look("link", t.processing, Some(Tone::Moving)),
        PaymentState::Captured if tender == "account" => look("person", t.on_account, None),
        PaymentState::Captured => look("check", t.captured, Some(Tone::Agreed)),
        PaymentState::Declined => look("late", t.declined, Some(Tone::Late)),
        PaymentState::Refunded => look("back", t.refunded, None),
        PaymentState::Failed => look("late", t.failed, Some(Tone::Late)),
        PaymentState::Cancelled => look("cancel", t.cancelled, Some(Tone::Waiting)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_say_the_same_things() {
        assert_eq!(
            web_kit::language::flaws(StateTexts::ALL),
            Vec::<String>::new()
        );
    }
}
