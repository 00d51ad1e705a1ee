//! The steps of a transfer's history and its number, as pages of both sides say them.

use crate::{Language, Tone, fill};

crate::catalogue! {
    /// Steps of a transfer.
    struct StepTexts {
        requested: "Asked for" | "Angefragt",
        approved: "Plan" | "Plan",
        cancelled: "Called off" | "Abgesagt",
        disputed: "Being looked into" | "In Klärung",
        settled: "Settled" | "Geklärt",
        shipped: "Shipment" | "Versand",
        arrived: "Receipt" | "Annahme",
        written_off: "Written off" | "Abgeschrieben",
        found: "Found again" | "Wiedergefunden",
        pieces: "{n} pieces" | "{n} Stück",
        one_piece: "1 piece" | "1 Stück",
        good: "{n} received" | "{n} angekommen",
        damaged: "{n} damaged" | "{n} beschädigt",
        missing: "{n} missing" | "{n} fehlen",
    }
}

/// How many pieces a step is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pieces {
    /// Good ones; none where the step is about none.
    pub good: Option<i64>,
    /// Damaged ones.
    pub damaged: i64,
    /// Looked for and not there.
    pub missing: i64,
}

/// A step in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepLook {
    /// Its tone.
    pub tone: Option<Tone>,
    /// Its icon.
    pub icon: &'static str,
    /// What happened.
    pub title: &'static str,
    /// To how many pieces; empty for none.
    pub words: String,
}

/// A step by its name: `requested`, `approved`, `cancelled`, `disputed`, `settled`, `shipped`, `arrived`,
/// `written_off`, `found`.
pub fn step(language: Language, kind: &str, pieces: Pieces) -> StepLook {
    let t = StepTexts::of(language);
    let is_clean = pieces.damaged + pieces.missing == 0;
    let (tone, icon, title) = match kind {
        "approved" => (Some(Tone::Agreed), "check", t.approved),
        "cancelled" => (None, "cancel", t.cancelled),
        "disputed" => (Some(Tone::Decide), "decide", t.disputed),
        "settled" => (Some(Tone::Agreed), "check", t.settled),
        "shipped" => (Some(Tone::Agreed), "transfer", t.shipped),
        "arrived" if is_clean => (Some(Tone::Agreed), "in", t.arrived),
        "arrived" => (Some(Tone::Decide), "decide", t.arrived),
        "written_off" => (Some(Tone::Late), "minus", t.written_off),
        "found" => (Some(Tone::Agreed), "in", t.found),
        _ => (None, "ask", t.requested),
    };
    let of = |message: &'static str, n: i64| fill(message, &[("n", &n)]);
    let words = match pieces.good {
        None => String::new(),
        Some(good) if kind == "arrived" => {
            let others = [(t.damaged, pieces.damaged), (t.missing, pieces.missing)];
            let others = others.into_iter().filter(|(_, n)| *n > 0);
            std::iter::once((t.good, good))
                .chain(others)
                .map(|(message, n)| of(message, n))
                .collect::<Vec<_>>()
                .join(", ")
        }
        Some(1) => t.one_piece.to_owned(),
        Some(n) => of(t.pieces, n),
    };
    StepLook {
        tone,
        icon,
        title,
        words,
    }
}

/// The number that people say: the beginning of the id.
pub fn number_of(id: &str) -> String {
    format!("T-{}", id.get(..6).unwrap_or(id).to_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_say_the_same_things() {
        assert_eq!(crate::language::flaws(StepTexts::ALL), Vec::<String>::new());
    }

    #[test]
    fn a_short_arrival_says_what_is_missing() {
        let pieces = Pieces {
            good: Some(3),
            damaged: 0,
            missing: 1,
        };
        let short = step(Language::English, "arrived", pieces);
        assert_eq!(short.words, "3 received, 1 missing");
        assert_eq!(short.tone, Some(Tone::Decide));
        let one = Pieces {
            good: Some(1),
            ..Pieces::default()
        };
        let sent = step(Language::German, "shipped", one);
        assert_eq!((sent.title, sent.words.as_str()), ("Versand", "1 Stück"));
        assert_eq!(
            step(Language::English, "cancelled", Pieces::default()).words,
            ""
        );
    }
}
