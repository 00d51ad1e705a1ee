//! The words of orders that several pages use.

use domain::order::{EstimateAnswer, LineKind, Outcome, Status};
use web_kit::{Language, Tone};

web_kit::catalogue! {
    /// Statuses, outcomes, kinds of lines, answers.
    pub(crate) struct Words {
        received: "Received" | "Angenommen",
        diagnosing: "Diagnosing" | "In Diagnose",
        awaiting_approval: "Awaiting approval" | "Wartet auf Zusage",
        awaiting_parts: "Awaiting parts" | "Wartet auf Teile",
        in_repair: "In repair" | "In Reparatur",
        ready: "Ready" | "Fertig",
        collected: "Collected" | "Abgeholt",
        cancelled: "Cancelled" | "Storniert",
        repaired: "Repaired" | "Repariert",
        unrepairable: "Cannot be repaired" | "Nicht reparierbar",
        declined: "Declined by the customer" | "Vom Kunden abgelehnt",
        service: "Work" | "Arbeit",
        part: "Part" | "Teil",
        fee: "Fee" | "Gebühr",
        discount: "Discount" | "Nachlass",
        approved_answer: "approved" | "zugesagt",
        declined_answer: "declined" | "abgelehnt",
    }
}

/// A status in words.
pub(crate) const fn status(language: Language, status: Status) -> &'static str {
    let t = Words::of(language);
    match status {
        Status::Received => t.received,
        Status::Diagnosing => t.diagnosing,
        Status::AwaitingApproval => t.awaiting_approval,
        Status::AwaitingParts => t.awaiting_parts,
        Status::InRepair => t.in_repair,
        Status::Ready => t.ready,
        Status::Collected => t.collected,
        Status::Cancelled => t.cancelled,
    }
}

/// The look of a status, where it says something.
pub(crate) const fn status_look(status: Status) -> (&'static str, Option<Tone>) {
    match status {
        Status::Received => ("intake", None),
        Status::Diagnosing => ("probe", None),
        Status::AwaitingApproval => ("ask", Some(Tone::Waiting)),
        Status::AwaitingParts => ("part-wait", Some(Tone::Waiting)),
        Status::InRepair => ("repair", Some(Tone::Moving)),
        Status::Ready => ("ready", Some(Tone::Agreed)),
        Status::Collected => ("handed", None),
        Status::Cancelled => ("cancel", None),
    }
}

/// An outcome in words.
pub(crate) const fn outcome(language: Language, outcome: Outcome) -> &'static str {
    let t = Words::of(language);
    match outcome {
        Outcome::Repaired => t.repaired,
        Outcome::Unrepairable => t.unrepairable,
        Outcome::Declined => t.declined,
    }
}

/// What a line is for.
pub(crate) const fn line_kind(language: Language, kind: LineKind) -> &'static str {
    let t = Words::of(language);
    match kind {
        LineKind::Service => t.service,
        LineKind::Part => t.part,
        LineKind::Fee => t.fee,
        LineKind::Discount => t.discount,
    }
}

/// A customer's answer.
pub(crate) const fn answer(language: Language, answer: EstimateAnswer) -> &'static str {
    let t = Words::of(language);
    match answer {
        EstimateAnswer::Approved => t.approved_answer,
        EstimateAnswer::Declined => t.declined_answer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_say_the_same_things() {
        assert_eq!(web_kit::language::flaws(Words::ALL), Vec::<String>::new());
    }
}
