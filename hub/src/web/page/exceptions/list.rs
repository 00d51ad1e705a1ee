//! What people must look at, in rows with words: used by the page of exceptions and by a branch's page.

use domain::id::format_uuid;
use web_kit::{Language, fill};

use crate::api::{Caller, HubState};
use crate::app::branch::{Codes, code_of};
use crate::app::error::AppError;
use crate::app::exceptions::{ExceptionRecord, Owner, Subject, closable, owners, subjects};
use crate::app::reconcile::{parse_day, show_day};
use crate::web::act::{address, encode};
use crate::web::reason::said;
use crate::web::view::View;
use crate::web::{CUSTOMERS, EXCEPTION_OWNER, MONEY_PAYMENTS, NIGHTS, ORDERS, STOCK, TRANSFERS};

web_kit::catalogue! {
    /// What is said of an exception.
    pub(crate) struct KindTexts {
        conflict: "Two versions of a field" | "Zwei Fassungen eines Feldes",
        conflict_of: "Order {what}: two versions of a field" | "Auftrag {what}: zwei Fassungen eines Feldes",
        conflict_person: "A person: two versions of a field" | "Eine Person: zwei Fassungen eines Feldes",
        status: "Two steps contradict each other" | "Zwei Schritte widersprechen sich",
        status_of: "Order {what}: two steps contradict each other" | "Auftrag {what}: zwei Schritte widersprechen sich",
        double_number: "A number given twice" | "Eine Nummer doppelt vergeben",
        double_number_of: "Order {what}: the number is given twice" | "Auftrag {what}: Nummer doppelt vergeben",
        negative_stock: "Stock below zero" | "Bestand unter null",
        negative_stock_of: "{what}: stock below zero" | "{what}: Bestand unter null",
        parked: "An entry is parked" | "Ein Eintrag ist zurückgestellt",
        superseded: "One booking came twice" | "Eine Buchung kam doppelt",
        superseded_of: "{what}: one booking came twice" | "{what}: eine Buchung kam doppelt",
        contradiction: "A booking contradicts another" | "Eine Buchung widerspricht einer anderen",
        transfer: "A transfer does not fit" | "Eine Umlagerung passt nicht",
        transfer_found: "Pieces of a transfer were found" | "Stücke einer Umlagerung wurden gefunden",
        payment: "Money to give back" | "Geld zurückzugeben",
        dead_letter: "A provider was asked in vain" | "Ein Anbieter wurde vergeblich gefragt",
        night: "A night found a difference" | "Eine Nacht fand einen Unterschied",
        hub: "Hub" | "Zentrale",
    }
}

/// An exception as a row.
pub(crate) struct ExceptionRow {
    /// What names it in a form.
    pub(crate) branch_id: String,
    pub(crate) kind: String,
    pub(crate) subject: String,
    pub(crate) icon: &'static str,
    pub(crate) tone: &'static str,
    pub(crate) title: String,
    /// Where what it is about stands.
    pub(crate) href: Option<String>,
    pub(crate) detail: String,
    /// The branch's code, or none for the hub's own.
    pub(crate) branch: String,
    pub(crate) place: String,
    pub(crate) owner: Option<String>,
    pub(crate) is_mine: bool,
    pub(crate) owner_href: String,
    /// Whether it ends when a person says so.
    pub(crate) is_closable: bool,
    pub(crate) since: String,
    pub(crate) age: String,
}

/// Exceptions in words, in their order.
pub(crate) async fn rows(
    state: &HubState,
    who: &Caller,
    view: &View,
    found: Vec<ExceptionRecord>,
    codes: &Codes,
) -> Result<Vec<ExceptionRow>, AppError> {
    let known = subjects(state.hub(), &found).await?;
    let owners = owners(state.hub()).await?;
    let row = |record: ExceptionRecord| {
        let key = (record.branch, record.kind.clone(), record.subject);
        let about = known.get(&record.subject);
        row(who, view, &record, codes, about, owners.get(&key))
    };
    Ok(found.into_iter().map(row).collect())
}

fn row(
    who: &Caller,
    view: &View,
    record: &ExceptionRecord,
    codes: &Codes,
    about: Option<&Subject>,
    owner: Option<&Owner>,
) -> ExceptionRow {
    let language = view.language();
    let (icon, tone) = glyph(&record.kind);
    let branch = code_of(codes, record.branch);
    let (branch_id, subject) = (record.branch.to_string(), format_uuid(&record.subject));
    ExceptionRow {
        icon,
        tone,
        title: title(&record.kind, about, language),
        href: leads(about)
            .or_else(|| night(record, &branch))
            .or_else(|| to_payment(record)),
        detail: said(&record.detail, language),
        place: if branch.is_empty() {
            KindTexts::of(language).hub.to_owned()
        } else {
            branch.clone()
        },
        branch,
        owner: owner.map(|owner| owner.name.clone()),
        is_mine: owner.is_some_and(|owner| owner.staff == who.person.id),
        owner_href: owner_href(&branch_id, &record.kind, &subject),
        is_closable: closable(&record.kind).is_some(),
        since: view.clock.when(record.at_ms),
        age: view.clock.age(record.at_ms),
        branch_id,
        kind: record.kind.clone(),
        subject,
    }
}

/// Where somebody else is asked to look into it.
pub(super) fn owner_href(branch: &str, kind: &str, subject: &str) -> String {
    let parts = [("branch", branch), ("kind", kind), ("subject", subject)];
    address(EXCEPTION_OWNER, &parts)
}

/// What of a payment is wrong leads to the payment.
fn to_payment(record: &ExceptionRecord) -> Option<String> {
    let is_one = matches!(record.kind.as_str(), "payment" | "dead_letter");
    is_one.then(|| format!("{MONEY_PAYMENTS}/{}", format_uuid(&record.subject)))
}

fn leads(about: Option<&Subject>) -> Option<String> {
    Some(match about? {
        Subject::Order { id, .. } => format!("{ORDERS}/{id}"),
        Subject::Customer(id) => format!("{CUSTOMERS}/{id}"),
        Subject::Part { sku, .. } => format!("{STOCK}/{}", encode(sku)),
        Subject::Transfer(id) => address(TRANSFERS, &[("shown", &id.to_string())]),
    })
}

/// The check of the night that found it: its words begin with `cash of 2026-11-10`.
fn night(record: &ExceptionRecord, branch: &str) -> Option<String> {
    if record.kind != "night" {
        return None;
    }
    let (check, rest) = record.detail.split_once(" of ")?;
    let day = parse_day(rest.get(..10)?)?;
    let line = if branch.is_empty() { "chain" } else { branch };
    Some(format!("{NIGHTS}/{}/{line}#{check}", show_day(day)))
}

fn glyph(kind: &str) -> (&'static str, &'static str) {
    match kind {
        "conflict" | "status_conflict" => ("versions", "decide"),
        "parked" => ("parked", "decide"),
        "transfer" | "transfer_found" => ("transfer", "decide"),
        "negative_stock" => ("count", "waiting"),
        "night" => ("prove", "decide"),
        _ => ("exception", "decide"),
    }
}

/// The name of a kind, with what it is about where that is known.
pub(crate) fn title(kind: &str, about: Option<&Subject>, language: Language) -> String {
    let t = KindTexts::of(language);
    let (plain, with) = match kind {
        "conflict" => (t.conflict, Some(t.conflict_of)),
        "status_conflict" => (t.status, Some(t.status_of)),
        "double_number" => (t.double_number, Some(t.double_number_of)),
        "negative_stock" => (t.negative_stock, Some(t.negative_stock_of)),
        "parked" => (t.parked, None),
        "superseded" => (t.superseded, Some(t.superseded_of)),
        "contradiction" => (t.contradiction, None),
        "transfer" => (t.transfer, None),
        "transfer_found" => (t.transfer_found, None),
        "payment" => (t.payment, None),
        "dead_letter" => (t.dead_letter, None),
        "night" => (t.night, None),
        other => (other, None),
    };
    let what = match about {
        Some(Subject::Order { number, .. }) => Some(number),
        Some(Subject::Part { name, .. }) => Some(name),
        Some(Subject::Customer(_)) if kind == "conflict" => return t.conflict_person.to_owned(),
        _ => None,
    };
    match (with, what) {
        (Some(message), Some(what)) => fill(message, &[("what", what)]),
        _ => plain.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_say_the_same_things() {
        assert_eq!(
            web_kit::language::flaws(KindTexts::ALL),
            Vec::<String>::new()
        );
    }

    #[test]
    fn a_title_says_what_it_is_about() {
        let order = Subject::Order {
            id: domain::id::DocumentId::NIL,
            number: "BER-7".to_owned(),
        };
        assert_eq!(
            title("status_conflict", Some(&order), Language::German),
            "Auftrag BER-7: zwei Schritte widersprechen sich"
        );
        assert_eq!(
            title("parked", Some(&order), Language::English),
            "An entry is parked"
        );
    }
}
