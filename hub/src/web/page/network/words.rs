//! How the pages say how a branch is: glyph, tone, and a sentence with figures.

use web_kit::{Language, fill, plural};

use crate::app::network::{BranchNow, Health};
use crate::web::view::View;

web_kit::catalogue! {
    /// What is said of a branch.
    pub(crate) struct HealthTexts {
        cut_off: "Cut off" | "Getrennt",
        decide: "Needs a person" | "Braucht jemanden",
        catching_up: "Catching up" | "Holt auf",
        no_machine: "No machine" | "Ohne Rechner",
        well: "Well" | "In Ordnung",
        closed: "Closed" | "Geschlossen",

        n_cut_off: "{n} cut off" | "{n} getrennt",
        n_decide: "{n} need a person" | "{n} brauchen jemanden",
        one_decide: "1 needs a person" | "1 braucht jemanden",
        n_catching_up: "{n} catching up" | "{n} holen auf",
        one_catching_up: "1 catching up" | "1 holt auf",
        n_no_machine: "{n} without a machine" | "{n} ohne Rechner",
        n_well: "{n} well" | "{n} in Ordnung",
        n_closed: "{n} closed" | "{n} geschlossen",

        on_its_own: "Works on its own" | "Arbeitet allein",
        to_come: "{n} known to come in" | "{n} kommen bekanntlich noch",
        to_go: "{n} wait here for it" | "{n} warten hier auf sie",
        coming: "{n} to come in" | "{n} kommen noch herein",
        going: "{n} to go out" | "{n} gehen noch hinaus",
        never_joined: "No machine speaks for it; make a join code" | "Kein Rechner spricht für sie; machen Sie einen Beitrittscode",
        all_agree: "Both sides hold the same" | "Beide Seiten haben dasselbe",
        not_open: "Not open for business" | "Nicht geöffnet",

        conflict: "{n} with two versions" | "{n} mit zwei Fassungen",
        status: "{n} with two statuses" | "{n} mit zwei Status",
        parked: "{n} parked" | "{n} zurückgestellt",
        superseded: "{n} booked twice" | "{n} doppelt gebucht",
        contradiction: "{n} that contradict" | "{n} widersprüchlich",
        negative_stock: "{n} parts below zero" | "{n} Teile unter null",
        one_negative_stock: "1 part below zero" | "1 Teil unter null",
        transfer: "{n} transfers that do not fit" | "{n} Umlagerungen, die nicht passen",
        one_transfer: "1 transfer that does not fit" | "1 Umlagerung, die nicht passt",
        transfer_found: "{n} with pieces found again" | "{n} mit wiedergefundenen Stücken",
        double_number: "{n} with a number given twice" | "{n} mit doppelt vergebener Nummer",
        payment: "{n} payments to give back" | "{n} Zahlungen zurückzugeben",
        one_payment: "1 payment to give back" | "1 Zahlung zurückzugeben",
        dead_letter: "{n} asked in vain" | "{n} vergeblich gefragt",
        night: "{n} found by the night" | "{n} vom Nachtlauf gefunden",
        other: "{n} to look at" | "{n} anzusehen",
    }
}

/// The glyph and the tone of a state.
pub(crate) fn glyph(health: Health) -> (&'static str, &'static str) {
    match health {
        Health::CutOff => ("apart", "apart"),
        Health::Decide => ("decide", "decide"),
        Health::CatchingUp => ("joining", "moving"),
        Health::NoMachine => ("branch", "waiting"),
        Health::Well => ("agreed", "agreed"),
        Health::Closed => ("minus", "plain"),
    }
}

/// The name of a state.
pub(crate) fn name(health: Health, language: Language) -> &'static str {
    let t = HealthTexts::of(language);
    match health {
        Health::CutOff => t.cut_off,
        Health::Decide => t.decide,
        Health::CatchingUp => t.catching_up,
        Health::NoMachine => t.no_machine,
        Health::Well => t.well,
        Health::Closed => t.closed,
    }
}

/// So many in a state.
pub(crate) fn counted(health: Health, count: u64, view: &View) -> String {
    let t = HealthTexts::of(view.language());
    let message = match (health, count) {
        (Health::CutOff, _) => t.n_cut_off,
        (Health::Decide, 1) => t.one_decide,
        (Health::Decide, _) => t.n_decide,
        (Health::CatchingUp, 1) => t.one_catching_up,
        (Health::CatchingUp, _) => t.n_catching_up,
        (Health::NoMachine, _) => t.n_no_machine,
        (Health::Well, _) => t.n_well,
        (Health::Closed, _) => t.n_closed,
    };
    fill(message, &[("n", &view.count(count))])
}

/// So many exceptions of a kind.
pub(crate) fn open(kind: &str, count: u64, language: Language) -> String {
    let t = HealthTexts::of(language);
    let (one, many) = match kind {
        "conflict" => (t.conflict, t.conflict),
        "status_conflict" => (t.status, t.status),
        "parked" => (t.parked, t.parked),
        "superseded" => (t.superseded, t.superseded),
        "contradiction" => (t.contradiction, t.contradiction),
        "negative_stock" => (t.one_negative_stock, t.negative_stock),
        "transfer" => (t.one_transfer, t.transfer),
        "transfer_found" => (t.transfer_found, t.transfer_found),
        "double_number" => (t.double_number, t.double_number),
        "payment" => (t.one_payment, t.payment),
        "dead_letter" => (t.dead_letter, t.dead_letter),
        "night" => (t.night, t.night),
        _ => (t.other, t.other),
    };
    let one = fill(one, &[("n", &1)]);
    plural(count, &one, many)
}

/// What is the matter with a branch, in one line.
pub(crate) fn sentence(branch: &BranchNow, view: &View) -> String {
    let t = HealthTexts::of(view.language());
    let (up, down) = (branch.link.transactions_behind, branch.link.entries_behind);
    let mut parts: Vec<String> = Vec::new();
    let mut way = |count: u64, message: &str| {
        if count > 0 {
            parts.push(fill(message, &[("n", &view.count(count))]));
        }
    };
    match branch.health {
        Health::CutOff => {
            way(up, t.to_come);
            way(down, t.to_go);
            parts.insert(0, t.on_its_own.to_owned());
        }
        Health::CatchingUp => {
            way(up, t.coming);
            way(down, t.going);
        }
        Health::Decide => {}
        Health::NoMachine => parts.push(t.never_joined.to_owned()),
        Health::Well => parts.push(t.all_agree.to_owned()),
        Health::Closed => parts.push(t.not_open.to_owned()),
    }
    if branch.health != Health::Closed {
        let open = branch.open.iter();
        parts.extend(open.map(|(kind, count)| open_words(kind, *count, view)));
    }
    parts.join(", ")
}

fn open_words(kind: &str, count: u64, view: &View) -> String {
    open(kind, count, view.language())
}

/// The few words that stand beside a branch's name on the map.
pub(crate) fn label(branch: &BranchNow, view: &View) -> String {
    match branch.health {
        Health::CutOff => view.age(branch.since_ms),
        Health::Decide => branch
            .open
            .first()
            .map(|(kind, count)| open_words(kind, *count, view))
            .unwrap_or_default(),
        other => name(other, view.language()).to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_say_the_same_things() {
        assert_eq!(
            web_kit::language::flaws(HealthTexts::ALL),
            Vec::<String>::new()
        );
    }

    #[test]
    fn one_is_said_as_one() {
        assert_eq!(
            open("negative_stock", 1, Language::English),
            "1 part below zero"
        );
        assert_eq!(open("parked", 1, Language::German), "1 zurückgestellt");
        assert_eq!(open("later", 4, Language::English), "4 to look at");
    }
}
