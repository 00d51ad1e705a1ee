//! What people must look at, in rows with words: used by the page of exceptions and by a branch's page.

use web_kit::{Language, fill};

use crate::api::HubState;
use crate::app::branch::{Codes, code_of};
use crate::app::error::AppError;
use crate::app::exceptions::{ExceptionRecord, subjects};
use crate::web::view::View;

web_kit::catalogue! {
    /// What is said of an exception.
    pub(crate) struct KindTexts {
        conflict: "Two versions of a field" | "Zwei Fassungen eines Feldes",
        conflict_of: "Order {what}: two versions of a field" | "Auftrag {what}: zwei Fassungen eines Feldes",
        status: "Two statuses" | "Zwei Status",
        status_of: "Order {what}: two statuses" | "Auftrag {what}: zwei Status",
        double_number: "A number given twice" | "Eine Nummer doppelt vergeben",
        double_number_of: "Order {what}: the number is given twice" | "Auftrag {what}: Nummer doppelt vergeben",
        negative_stock: "Stock below zero" | "Bestand unter null",
        negative_stock_of: "{what}: stock below zero" | "{what}: Bestand unter null",
        parked: "An entry is parked" | "Ein Eintrag ist zurückgestellt",
        superseded: "One booking came twice" | "Eine Buchung kam doppelt",
        contradiction: "A booking contradicts another" | "Eine Buchung widerspricht einer anderen",
        transfer: "A transfer does not fit" | "Eine Umlagerung passt nicht",
        transfer_found: "Pieces of a transfer were found" | "Stücke einer Umlagerung wurden gefunden",
        hub: "Hub" | "Zentrale",
    }
}

web_kit::catalogue! {
    /// What the rules say, as they word it, and how a page says it.
    struct DetailTexts {
        count: "count this part: its stock is below zero" | "zählen Sie dieses Teil: Sein Bestand liegt unter null",
        counts: "another movement with the same business key counts" | "eine andere Bewegung mit demselben Schlüssel zählt",
        exists: "the reservation exists already" | "die Reservierung gibt es schon",
        other_id: "another reservation has this id" | "eine andere Reservierung hat diese Kennung",
        unknown: "the reservation that ends here is unknown" | "die Reservierung, die hier endet, ist unbekannt",
        ended: "the reservation ended already" | "die Reservierung endete schon",
        shipped: "the transfer was shipped already" | "die Umlagerung wurde schon verschickt",
        planless: "goods left without a plan" | "Ware ging ohne Plan hinaus",
        arrived: "an arrival with this number was reported already" | "eine Ankunft mit dieser Nummer wurde schon gemeldet",
        called_off: "the goods left although the transfer was called off" | "die Ware ging hinaus, obwohl die Umlagerung abgesagt war",
    }
}

/// An exception as a row.
pub(crate) struct ExceptionRow {
    pub(crate) icon: &'static str,
    pub(crate) tone: &'static str,
    pub(crate) title: String,
    pub(crate) detail: String,
    pub(crate) branch: String,
    pub(crate) owner: String,
    pub(crate) since: String,
    pub(crate) age: String,
}

/// Exceptions in words, in their order.
pub(crate) async fn rows(
    state: &HubState,
    view: &View,
    found: Vec<ExceptionRecord>,
    codes: &Codes,
) -> Result<Vec<ExceptionRow>, AppError> {
    let known = subjects(state.hub(), &found).await?;
    let row = |record: ExceptionRecord| row(view, &record, codes, known.get(&record.subject));
    Ok(found.into_iter().map(row).collect())
}

fn row(
    view: &View,
    record: &ExceptionRecord,
    codes: &Codes,
    what: Option<&String>,
) -> ExceptionRow {
    let language = view.language();
    let (icon, tone) = glyph(&record.kind);
    let branch = code_of(codes, record.branch);
    let hub = KindTexts::of(language).hub;
    ExceptionRow {
        icon,
        tone,
        title: title(&record.kind, what, language),
        detail: detail(&record.detail, language),
        owner: if branch.is_empty() {
            hub.to_owned()
        } else {
            branch.clone()
        },
        branch,
        since: view.clock.when(record.at_ms),
        age: view.clock.age(record.at_ms),
    }
}

fn glyph(kind: &str) -> (&'static str, &'static str) {
    match kind {
        "conflict" | "status" => ("versions", "decide"),
        "parked" => ("parked", "decide"),
        "transfer" | "transfer_found" => ("transfer", "decide"),
        "negative_stock" => ("count", "waiting"),
        _ => ("exception", "decide"),
    }
}

/// The name of a kind, with what it is about where that is known.
pub(crate) fn title(kind: &str, what: Option<&String>, language: Language) -> String {
    let t = KindTexts::of(language);
    let (plain, with) = match kind {
        "conflict" => (t.conflict, Some(t.conflict_of)),
        "status" => (t.status, Some(t.status_of)),
        "double_number" => (t.double_number, Some(t.double_number_of)),
        "negative_stock" => (t.negative_stock, Some(t.negative_stock_of)),
        "parked" => (t.parked, None),
        "superseded" => (t.superseded, None),
        "contradiction" => (t.contradiction, None),
        "transfer" => (t.transfer, None),
        "transfer_found" => (t.transfer_found, None),
        other => (other, None),
    };
    match (with, what) {
        (Some(message), Some(what)) => fill(message, &[("what", what)]),
        _ => plain.to_owned(),
    }
}

/// What a rule said, in the reader's language where it is known, as a sentence.
fn detail(said: &str, language: Language) -> String {
    let known = DetailTexts::ALL
        .iter()
        .find(|(_, english, _)| *english == said);
    let said = match (known, language) {
        (Some((_, _, german)), Language::German) => german,
        _ => said,
    };
    web_kit::problem::sentence(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_say_the_same_things() {
        for catalogue in [KindTexts::ALL, DetailTexts::ALL] {
            assert_eq!(web_kit::language::flaws(catalogue), Vec::<String>::new());
        }
    }

    #[test]
    fn a_title_says_what_it_is_about() {
        let number = "BER-7".to_owned();
        let german = title("status", Some(&number), Language::German);
        assert_eq!(german, "Auftrag BER-7: zwei Status");
        assert_eq!(
            title("parked", Some(&number), Language::English),
            "An entry is parked"
        );
        assert_eq!(
            detail("the reservation ended already", Language::German),
            "Die Reservierung endete schon."
        );
    }
}
