//! What is printed when devices were taken in: the receipt for the customer and the labels for the bench.
//!
//! Papers speak the language of the branch, whatever the screen is set to. The bar code on both is the order's number
//! in Code 128, which any scanner types.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use domain::id::{DocumentId, StaffId, VisitId};
use domain::permission::Permission;
use web_kit::{ApiPath, Content, Problem, SafeHtml, Screen, fill, plural};

use crate::api::EdgeState;
use crate::api::caller::{Caller, May, may};
use crate::app::order::form::{Line, Order};
use crate::app::settings::Settings;
use crate::app::{order, settings, staff};
use crate::web::frame::frame;
use crate::web::page::label::code128::{self, Bars};
use crate::web::page::label::{Label, labels, split};
use crate::web::view::View;
use crate::web::{INTAKE, ORDERS};

const MODULES: &[&str] = &["js/print.js"];

web_kit::catalogue! {
    /// What stands on the papers and around them.
    struct PaperTexts {
        title: "Receipt and labels" | "Beleg und Etiketten",
        taken_in_one: "Taken in" | "Angenommen",
        taken_in_many: "{n} devices taken in" | "{n} Geräte angenommen",
        print_receipt: "Print receipt" | "Beleg drucken",
        print_label: "Print label" | "Etikett drucken",
        print_labels: "Print {n} labels" | "{n} Etiketten drucken",
        print_all: "Print all" | "Alles drucken",
        next: "Next intake" | "Nächste Annahme",
        to_order: "Open order" | "Auftrag öffnen",
        receipt_of: "Receipt {number}" | "Beleg {number}",
        label_of: "Label {piece}/{pieces} of {number}" | "Etikett {piece}/{pieces} zu {number}",
        bar_code: "Bar code {number}" | "Strichcode {number}",
        roll: "receipt on the 80 mm roll, labels 62 × 29 mm" | "Beleg auf der 80-mm-Rolle, Etiketten 62 × 29 mm",
        repair_order: "Repair order" | "Reparaturauftrag",
        by: "{day}, {hour}, {who}" | "{day}, {hour}, {who}",
        serial: "Serial {serial}" | "Seriennummer {serial}",
        with: "with {things}" | "mit {things}",
        seen: "Seen at the counter: {list}." | "Am Tresen gesehen: {list}.",
        service: "Agreed" | "Vereinbart",
        estimate: "Estimate, tax included" | "Kostenvoranschlag mit Steuer",
        promised: "Promised" | "Zugesagt",
        ask_before: "We ask before any work above {amount}." | "Vor Arbeiten über {amount} fragen wir nach.",
        terms: "Terms accepted {when}." | "Bedingungen angenommen {when}.",
        keep: "Keep this receipt, it collects the device. Data stay on the device, backups are the owner’s." | "Diesen Beleg aufheben, er holt das Gerät ab. Daten bleiben auf dem Gerät, Sicherungen macht der Eigentümer.",
        tax_id: "Tax number {id}" | "Steuernummer {id}",
        urgent: "urgent" | "eilig",
    }
}

struct Fact {
    name: String,
    value: String,
    is_big: bool,
}

struct Receipt {
    shop: String,
    place: String,
    hours: String,
    number: [String; 3],
    whole_number: String,
    taken_in: String,
    person: String,
    phone_end: String,
    device: String,
    device_note: String,
    fault: String,
    seen: String,
    lines: Vec<(String, String)>,
    facts: Vec<Fact>,
    ask_before: String,
    terms: String,
    title: String,
    bar_title: String,
    bars: Option<Bars>,
    foot: String,
    tax_id: String,
}

#[derive(Template)]
#[template(path = "print/page.html")]
struct Papers<'a> {
    language: &'static str,
    paper: &'a PaperTexts,
    receipts: Vec<Receipt>,
    labels: Vec<Label>,
}

#[derive(Template)]
#[template(path = "print/_head.html")]
struct Head<'a> {
    t: &'a PaperTexts,
    taken_in: String,
    order: Option<String>,
    has_receipt: bool,
    print_labels: Option<String>,
    may_write: bool,
}

/// The address of a visit's papers.
pub(crate) fn of_visit(visit: &str) -> String {
    format!("/visits/{visit}/papers")
}

/// What of it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    All,
    Receipt,
    Labels,
}

/// Everything of a visit, after it was taken in.
pub(crate) async fn visit(
    State(state): State<EdgeState>,
    who: May<may::OrdersRead>,
    ApiPath(visit): ApiPath<VisitId>,
) -> Result<Response, Problem> {
    let actor = who.actor();
    let orders = state
        .store()
        .read(move |reader| order::of_visit(reader, &actor, visit))
        .await?;
    if orders.is_empty() {
        return Err(Problem::not_found("There is no such visit here."));
    }
    respond(&state, &who, orders, Kind::All).await
}

/// The receipt of one order.
pub(crate) async fn receipt(
    State(state): State<EdgeState>,
    who: May<may::OrdersRead>,
    ApiPath(id): ApiPath<DocumentId>,
) -> Result<Response, Problem> {
    one(&state, &who, id, Kind::Receipt).await
}

/// The labels of one order.
pub(crate) async fn label(
    State(state): State<EdgeState>,
    who: May<may::OrdersRead>,
    ApiPath(id): ApiPath<DocumentId>,
) -> Result<Response, Problem> {
    one(&state, &who, id, Kind::Labels).await
}

async fn one(
    state: &EdgeState,
    who: &Caller,
    id: DocumentId,
    kind: Kind,
) -> Result<Response, Problem> {
    let actor = who.actor();
    let order = state
        .store()
        .read(move |reader| order::get(reader, &actor, id))
        .await?;
    respond(state, who, vec![order], kind).await
}

async fn respond(
    state: &EdgeState,
    who: &Caller,
    orders: Vec<Order>,
    kind: Kind,
) -> Result<Response, Problem> {
    let actor = who.actor();
    let (settings, people) = state
        .store()
        .read(move |reader| Ok((settings::get(reader, &actor)?, staff::list(reader, &actor)?)))
        .await?;
    let view = View::of(state, who).await?;
    let paper = View::on(state, Screen::default()).await?;
    let name_of = |id: Option<StaffId>| {
        people
            .iter()
            .find(|entry| Some(entry.id) == id)
            .map_or("", |entry| {
                entry.name.split_whitespace().next().unwrap_or("")
            })
            .to_owned()
    };
    let t = PaperTexts::of(view.language());
    let receipts: Vec<Receipt> = match kind {
        Kind::Labels => Vec::new(),
        Kind::All | Kind::Receipt => orders
            .iter()
            .map(|order| {
                let by = order.events.first().and_then(|event| event.staff_id);
                receipt_of(t, &paper, &settings, order, &name_of(by))
            })
            .collect(),
    };
    let labels: Vec<Label> = match kind {
        Kind::Receipt => Vec::new(),
        Kind::All | Kind::Labels => orders
            .iter()
            .flat_map(|order| labels(&paper, order, t.label_of, t.bar_code))
            .collect(),
    };
    let head = Head {
        t,
        taken_in: match (kind, orders.len()) {
            (Kind::All, 1) => t.taken_in_one.to_owned(),
            (Kind::All, n) => fill(t.taken_in_many, &[("n", &n)]),
            _ => String::new(),
        },
        order: match orders.as_slice() {
            [only] => Some(format!("{ORDERS}/{}", only.id)),
            _ => None,
        },
        has_receipt: !receipts.is_empty(),
        print_labels: (!labels.is_empty())
            .then(|| plural(labels.len() as u64, t.print_label, t.print_labels)),
        may_write: who.may(Permission::OrdersWrite),
    };
    let head = SafeHtml::render(&head)?;
    let body = SafeHtml::render(&Papers {
        language: paper.language().tag(),
        paper: PaperTexts::of(paper.language()),
        receipts,
        labels,
    })?;
    let title = match orders.as_slice() {
        [only] => only.number.clone(),
        _ => t.title.to_owned(),
    };
    let mut content = Content::new(title, body).head(head);
    content.modules = MODULES;
    frame(state, who, &view, INTAKE).await?.respond(&content)
}

fn receipt_of(
    page: &PaperTexts,
    view: &View,
    settings: &Settings,
    order: &Order,
    by: &str,
) -> Receipt {
    let t = PaperTexts::of(view.language());
    let customer = order.customer.as_ref();
    let text = |value: Option<&web_kit::wire::Personal>| {
        value.map_or_else(String::new, |value| value.expose().to_owned())
    };
    let phone: String = text(customer.and_then(|customer| customer.phone.as_ref()))
        .chars()
        .filter(char::is_ascii_digit)
        .collect();
    let words = [
        order.device.category.as_str(),
        order.device.brand.as_str(),
        order.device.model.as_str(),
    ];
    let device: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    let mut note = Vec::new();
    if !order.device.serial.is_empty() {
        note.push(fill(t.serial, &[("serial", &order.device.serial)]));
    }
    if !order.device.accessories.is_empty() {
        note.push(fill(
            t.with,
            &[("things", &order.device.accessories.join(", "))],
        ));
    }
    let taken_in_at = order.created_at.0;
    Receipt {
        shop: settings.legal_name.clone(),
        place: [
            settings.branch.name.as_str(),
            settings.branch.address.as_str(),
        ]
        .into_iter()
        .filter(|words| !words.is_empty())
        .collect::<Vec<_>>()
        .join(", "),
        hours: settings.opening_hours.clone(),
        number: split(&order.number),
        whole_number: order.number.clone(),
        taken_in: fill(
            t.by,
            &[
                ("day", &view.clock.day(taken_in_at)),
                ("hour", &view.clock.hour(taken_in_at)),
                ("who", &by),
            ],
        )
        .trim_end_matches(", ")
        .to_owned(),
        person: text(customer.and_then(|customer| customer.name.as_ref())),
        // The last digits show that it is the right number, and not what it is.
        phone_end: match phone.len() {
            0..=6 => String::new(),
            length => format!("…{}", &phone[length - 4..]),
        },
        device: device.join(" "),
        device_note: note.join(", "),
        fault: order.device.fault.clone(),
        seen: seen(t, order),
        lines: order.lines.iter().map(|line| line_of(view, line)).collect(),
        facts: facts(t, view, order),
        ask_before: order.estimates.last().map_or_else(String::new, |estimate| {
            let amount = view.full_amount(estimate.gross);
            fill(t.ask_before, &[("amount", &amount)])
        }),
        terms: order.terms_accepted_at.map_or_else(String::new, |at| {
            let when = format!("{} {}", view.clock.day(at.0), view.clock.hour(at.0));
            fill(t.terms, &[("when", &when)])
        }),
        title: fill(page.receipt_of, &[("number", &order.number)]),
        bar_title: fill(page.bar_code, &[("number", &order.number)]),
        bars: code128::bars(&order.number),
        foot: foot(t, view, settings),
        tax_id: match settings.tax_id.is_empty() {
            true => String::new(),
            false => fill(t.tax_id, &[("id", &settings.tax_id)]),
        },
    }
}

/// What was seen, by what was said of it; what is said of most stands last.
fn seen(t: &PaperTexts, order: &Order) -> String {
    let mut by_state: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (part, state) in &order.device.condition {
        by_state.entry(state).or_default().push(part);
    }
    let mut groups: Vec<(&str, Vec<&str>)> = by_state.into_iter().collect();
    groups.sort_by_key(|(_, parts)| parts.len());
    let list: Vec<String> = groups
        .into_iter()
        .map(|(state, parts)| format!("{} {state}", parts.join(", ")))
        .collect();
    match list.is_empty() {
        true => String::new(),
        false => fill(t.seen, &[("list", &list.join("; "))]),
    }
}

fn line_of(view: &View, line: &Line) -> (String, String) {
    let mut sum = line.unit_price;
    sum.amount_minor = sum.amount_minor.saturating_mul(line.quantity);
    let text = match line.quantity {
        1 => line.text.clone(),
        n => format!("{n} × {}", line.text),
    };
    (text, view.amount(sum))
}

fn facts(t: &PaperTexts, view: &View, order: &Order) -> Vec<Fact> {
    let mut facts = Vec::new();
    if let Some(estimate) = order.estimates.last() {
        facts.push(Fact {
            name: t.estimate.to_owned(),
            value: view.full_amount(estimate.gross),
            is_big: false,
        });
    }
    if let Some(at) = order.promised_at {
        let (day, hour) = super::intake::promise::short_day(view, at.0);
        facts.push(Fact {
            name: t.promised.to_owned(),
            value: format!("{day} {hour}"),
            is_big: true,
        });
    }
    facts
}

/// The company's own text: for intake in this language, for intake, in this language, else ours.
fn foot(t: &PaperTexts, view: &View, settings: &Settings) -> String {
    let tag = view.language().tag();
    [format!("intake_{tag}"), "intake".to_owned(), tag.to_owned()]
        .iter()
        .find_map(|key| settings.receipt_texts.get(key))
        .filter(|text| !text.trim().is_empty())
        .cloned()
        .unwrap_or_else(|| t.keep.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_say_the_same_things() {
        assert_eq!(
            web_kit::language::flaws(PaperTexts::ALL),
            Vec::<String>::new()
        );
    }
}
