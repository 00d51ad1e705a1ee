//! A delivery by scan: each scan adds a piece to a list, and saving books the list once.
//!
//! Until then nothing is booked. Without a script the list's own buttons make the round through the server.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use domain::stock::MovementKind;
use serde::Deserialize;
use serde_json::Value;
use web_kit::{
    Content, PageForm, PageRequest, Problem, SafeHtml, Toast, fill, html_with_status, plural,
};

use super::stock::StockTexts;
use super::stock::form::{ListInput, MadeList, Wrong};
use crate::api::EdgeState;
use crate::api::caller::{Caller, May, may};
use crate::app::stock::delivery::{DeliveryInput, DeliveryLine, deliver, take_back};
use crate::web::frame::frame;
use crate::web::posted::{Posted, post};
use crate::web::said::{go_on, key_back};
use crate::web::view::View;
use crate::web::{DELIVERY, STOCK};

web_kit::catalogue! {
    /// Words of lists that are made by scan.
    pub(crate) struct ListTexts {
        part: "Part" | "Teil",
        number: "Number" | "Nummer",
        bin: "Bin" | "Fach",
        on_hand: "On hand" | "Vorhanden",
        pieces: "Pieces" | "Stück",
        remove: "Take off the list" | "Von der Liste nehmen",
        together: "Together" | "Zusammen",
        code: "Code or number of a part" | "Code oder Nummer eines Teils",
        code_hint: "Scan, or type a number" | "Scannen oder Nummer tippen",
        add: "Add" | "Hinzufügen",
        counted: "{name}: {n}" | "{name}: {n}",
        wrong_pieces: "Write a whole number from 1." | "Eine ganze Zahl ab 1 schreiben.",
        wrong_lines: "The marked pieces are no whole numbers from 1. Nothing was booked." | "Die markierten Stückzahlen sind keine ganzen Zahlen ab 1. Nichts wurde gebucht.",
        wrong_part: "A part of the list is not in the catalogue. Nothing was booked." | "Ein Teil der Liste steht nicht im Katalog. Nichts wurde gebucht.",
        empty: "The list is empty. Scan a part first. Nothing was booked." | "Die Liste ist leer. Bitte zuerst ein Teil scannen. Nichts wurde gebucht.",
    }
}

web_kit::catalogue! {
    /// Words of the delivery page.
    struct DeliveryTexts {
        title: "Receive a delivery" | "Lieferung annehmen",
        delivery: "Delivery" | "Lieferung",
        what_came: "What came" | "Was gekommen ist",
        scan_first: "Scan the first part, wherever the focus is. Each scan counts one piece." | "Das erste Teil scannen, der Fokus ist egal. Jeder Scan zählt ein Stück.",
        kind: "Kind" | "Art",
        receive: "From the supplier" | "Vom Lieferanten",
        opening: "Opening stock" | "Anfangsbestand",
        note_number: "Delivery note" | "Lieferschein",
        note_hint: "P-0871" | "P-0871",
        wrong_note: "A delivery note has 120 characters at most." | "Ein Lieferschein hat höchstens 120 Zeichen.",
        nothing_yet: "Nothing is booked before you save. All of the list is booked at once." | "Vor dem Buchen ändert sich nichts. Die ganze Liste wird auf einmal gebucht.",
        book: "Book the delivery" | "Lieferung buchen",
        back: "Back to stock" | "Zurück zum Bestand",
        not_booked: "Nothing was booked." | "Nichts wurde gebucht.",
        one_part: "{pieces} pieces of one part are booked." | "{pieces} Stück von einem Teil sind gebucht.",
        parts: "{pieces} pieces of {n} parts are booked." | "{pieces} Stück von {n} Teilen sind gebucht.",
        opening_stays: "A wrong figure is corrected on the part’s page." | "Eine falsche Zahl wird auf der Seite des Teils korrigiert.",
        back_at_supplier: "Taken back: {pieces} pieces are booked to the supplier again." | "Zurückgenommen: {pieces} Stück sind wieder beim Lieferanten gebucht.",
        not_back: "It stays booked: some of the pieces are reserved or used already." | "Es bleibt gebucht: Ein Teil der Stücke ist schon reserviert oder verbraucht.",
    }
}

/// A list as typed.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct DeliveryForm {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    reference: String,
    #[serde(default)]
    sku: Vec<String>,
    #[serde(default)]
    quantity: Vec<String>,
    #[serde(default)]
    code: String,
    #[serde(default)]
    action: String,
}

#[derive(Template)]
#[template(path = "stock/delivery.html")]
struct DeliveryPage<'a> {
    t: &'a DeliveryTexts,
    s: &'a StockTexts,
    l: &'a ListTexts,
    key: &'a str,
    form: &'a DeliveryForm,
    made: &'a MadeList,
    wrong: &'a Wrong,
    unknown: String,
}

/// What is said about a code that no part has.
pub(crate) fn unknown_words(made: &MadeList, s: &StockTexts) -> String {
    let code = made.unknown.as_ref();
    code.map_or_else(String::new, |code| fill(s.unknown_code, &[("code", code)]))
}

/// The empty list.
pub(crate) async fn form(
    State(state): State<EdgeState>,
    who: May<may::StockMove>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let shown = Shown {
        key: state.form_key().to_string(),
        form: DeliveryForm::default(),
        made: MadeList::default(),
        wrong: Wrong::default(),
    };
    show(&state, &who, &view, &shown).await
}

struct Shown {
    key: String,
    form: DeliveryForm,
    made: MadeList,
    wrong: Wrong,
}

async fn show(
    state: &EdgeState,
    who: &Caller,
    view: &View,
    shown: &Shown,
) -> Result<Response, Problem> {
    let t = DeliveryTexts::of(view.language());
    let s = StockTexts::of(view.language());
    let body = SafeHtml::render(&DeliveryPage {
        t,
        s,
        unknown: unknown_words(&shown.made, s),
        l: ListTexts::of(view.language()),
        key: &shown.key,
        form: &shown.form,
        made: &shown.made,
        wrong: &shown.wrong,
    })?;
    let mut content = Content::new(t.title, body);
    content.modules = &["js/stock.js"];
    let page = frame(state, who, view, STOCK).await?.render(&content)?;
    Ok(html_with_status(shown.wrong.status(), page))
}

/// Books the list, or does what one of its own buttons says.
pub(crate) async fn save(
    State(state): State<EdgeState>,
    who: May<may::StockMove>,
    asked: PageRequest,
    PageForm { fields, request }: PageForm<DeliveryForm>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let t = DeliveryTexts::of(view.language());
    let l = ListTexts::of(view.language());
    let actor = who.actor();
    let input = ListInput {
        sku: fields.sku.clone(),
        quantity: fields.quantity.clone(),
        code: fields.code.clone(),
        action: fields.action.clone(),
    };
    let made = state
        .store()
        .read(move |reader| input.make(reader, &actor))
        .await?;
    let mut shown = Shown {
        key: request.key.clone().unwrap_or_default(),
        wrong: Wrong::default(),
        form: fields,
        made,
    };
    if shown.made.is_edited {
        return show(&state, &who, &view, &shown).await;
    }
    let lines = shown.made.pieces(&mut shown.wrong, l.wrong_pieces);
    if !shown.wrong.is_empty() {
        shown.wrong.above = Some(l.wrong_lines.to_owned());
    } else if lines.is_empty() {
        shown.wrong.above = Some(l.empty.to_owned());
    }
    if !shown.wrong.is_empty() {
        return show(&state, &who, &view, &shown).await;
    }
    let delivery = DeliveryInput {
        kind: if shown.form.kind == "opening" {
            MovementKind::Opening
        } else {
            MovementKind::Receive
        },
        reference: Some(shown.form.reference.clone()),
        reason: None,
        lines: lines
            .into_iter()
            .map(|(sku, quantity)| DeliveryLine { sku, quantity })
            .collect(),
    };
    let is_opening = delivery.kind == MovementKind::Opening;
    let posted = post(
        &state,
        &who,
        request,
        Ok(delivery),
        |tx, actor, delivery| deliver(tx, actor, &delivery),
    );
    match posted.await? {
        Posted::Done(answered) => {
            let body = &answered.answer.body;
            let mut toast = Toast::new("", booked(body, t, &view)).clears(DELIVERY);
            if is_opening {
                toast.text = format!("{} {}", toast.text, t.opening_stays);
            } else {
                let mut hidden = vec![("key", key_back(Some(&shown.key)))];
                hidden.extend(ids_of(body).map(|id| ("movement", id)));
                toast = toast.undo(format!("{DELIVERY}/undo"), hidden);
            }
            go_on(&state, asked, view.language(), DELIVERY, toast)
        }
        Posted::Refused(problem) => {
            let fields = [
                ("reference", t.wrong_note),
                ("quantity", l.wrong_pieces),
                ("sku", l.wrong_part),
            ];
            shown.wrong.take(&problem, &fields, t.not_booked);
            if shown.wrong.above.is_none() && shown.wrong.of("reference").is_none() {
                let of_part =
                    (0..shown.made.lines.len()).any(|at| shown.wrong.of_line("sku", &at).is_some());
                let words = if of_part { l.wrong_part } else { l.wrong_lines };
                shown.wrong.above = Some(words.to_owned());
            }
            show(&state, &who, &view, &shown).await
        }
    }
}

/// How much was booked.
fn booked(delivery: &Value, t: &DeliveryTexts, view: &View) -> String {
    let parts = delivery["items"].as_array().map_or(0, Vec::len);
    let words = plural(parts as u64, t.one_part, t.parts);
    let pieces = delivery["pieces"].as_i64().unwrap_or_default();
    fill(&words, &[("pieces", &view.clock.number(pieces))])
}

fn ids_of(delivery: &Value) -> impl Iterator<Item = String> + '_ {
    let items = delivery["items"].as_array().into_iter().flatten();
    items.filter_map(|item| item["id"].as_str().map(str::to_owned))
}

/// The movements of a delivery that is taken back.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct BackForm {
    #[serde(default)]
    movement: Vec<String>,
}

/// Takes a delivery back.
pub(crate) async fn undo(
    State(state): State<EdgeState>,
    who: May<may::StockMove>,
    asked: PageRequest,
    PageForm { fields, request }: PageForm<BackForm>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let t = DeliveryTexts::of(view.language());
    let posted = post(
        &state,
        &who,
        request,
        Ok(fields.movement),
        |tx, actor, ids| take_back(tx, actor, &ids),
    );
    let toast = match posted.await? {
        Posted::Done(answered) => {
            let pieces = answered.answer.body["pieces"].as_i64().unwrap_or_default();
            let pieces = view.clock.number(pieces);
            Toast::new("", fill(t.back_at_supplier, &[("pieces", &pieces)]))
        }
        Posted::Refused(_) => Toast::new("", t.not_back).late(),
    };
    go_on(&state, asked, view.language(), DELIVERY, toast)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogues_are_whole() {
        for catalogue in [ListTexts::ALL, DeliveryTexts::ALL] {
            assert_eq!(web_kit::language::flaws(catalogue), Vec::<String>::new());
        }
    }
}
