//! A person: how to reach them, what they agreed to, their devices and orders.
//!
//! A change sends only the fields that a hand changed, against the version that was shown; when somebody else was
//! quicker, nothing is saved and both values stand on the page.

mod account;
mod rows;

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::id::DocumentId;
use domain::patch::Patch;
use domain::permission::{Permission, Side, allows};
use serde::Deserialize;
use web_kit::{
    ApiPath, Content, FieldErrors, IfMatch, PageForm, PageRequest, Problem, SafeHtml, Toast, fill,
    html_with_status, plural, refusal,
};

use crate::api::EdgeState;
use crate::api::caller::{Caller, May, may};
use crate::app::account::{self as accounts, AccountView};
use crate::app::customer::{self, Customer, CustomerPatch};
use crate::app::intake::offer::{self, KnownDevice};
use crate::app::order;
use crate::app::order::form::Order;
use crate::error::AppError;
use crate::store::Actor;
use crate::web::frame::frame;
use crate::web::page::find::{FindTexts, OrderRow, grouped, order_row};
use crate::web::posted::{Posted, post};
use crate::web::said::go_on;
use crate::web::texts;
use crate::web::view::View;
use crate::web::{FIND, PEOPLE};
use account::AccountPart;
use rows::{Consent, DeviceRow, Field, consents, device_row, fields, languages};
use web_kit::wire::Personal;

const ORDERS: u32 = 200;
/// Consents that every branch asks for; others are shown by their own name.
const USUAL_CONSENTS: [&str; 2] = ["messages", "news"];

web_kit::catalogue! {
    /// What a person's page says.
    struct PersonTexts {
        unnamed: "Name not known here" | "Name hier nicht bekannt",
        no_key: "The key to this person’s values has not come from the hub yet. Orders and devices are here." | "Der Schlüssel zu den Daten dieser Person ist noch nicht von der Zentrale gekommen. Aufträge und Geräte sind da.",
        merged: "This entry was put together with another one." | "Dieser Eintrag wurde mit einem anderen zusammengeführt.",
        go_on: "Open that one" | "Jenen öffnen",
        new_intake: "New intake for this person" | "Neue Annahme für diese Person",
        find: "Find" | "Suchen",
        find_hint: "Number, name, phone, serial, fault" | "Nummer, Name, Telefon, Seriennummer, Fehler",
        reach: "Contact" | "Kontakt",
        name: "Name" | "Name",
        phone: "Phone" | "Telefon",
        email: "E-mail" | "E-Mail",
        address: "Address" | "Anschrift",
        note: "Note" | "Notiz",
        language: "Language" | "Sprache",
        no_language: "as the branch" | "wie die Filiale",
        english: "English" | "Englisch",
        german: "German" | "Deutsch",
        french: "French" | "Französisch",
        spanish: "Spanish" | "Spanisch",
        consent: "Consent" | "Einwilligung",
        messages: "Messages about a repair" | "Nachrichten zur Reparatur",
        news: "Offers and news" | "Angebote und Neuigkeiten",
        save: "Save" | "Speichern",
        saved: "Saved" | "Gespeichert",
        stale: "Somebody changed this person meanwhile. What is here now stands beside each field; save again to keep what you typed." | "Jemand hat diese Person inzwischen geändert. Was jetzt hier steht, steht neben jedem Feld; noch einmal speichern, um das Getippte zu behalten.",
        now: "now: {value}" | "jetzt: {value}",
        nothing: "empty" | "leer",
        orders: "Orders" | "Aufträge",
        open_group: "Open" | "Offen",
        closed_group: "Collected or cancelled" | "Abgeholt oder storniert",
        no_orders: "No order yet. A new intake makes the first one." | "Noch kein Auftrag. Eine neue Annahme macht den ersten.",
        devices: "Devices" | "Geräte",
        no_devices: "No device was here yet." | "Noch war kein Gerät hier.",
        last_time: "{fault}, {when}" | "{fault}, {when}",
        since: "known since {when}, first at {branch}" | "bekannt seit {when}, zuerst in {branch}",
        one_order: "1 order" | "1 Auftrag",
        many_orders: "{n} orders" | "{n} Aufträge",
    }
}

/// What was typed, and what stood there before.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct PersonForm {
    base: String,
    name: Personal,
    phone: Personal,
    email: Personal,
    address: Personal,
    note: Personal,
    language: String,
    was_name: Personal,
    was_phone: Personal,
    was_email: Personal,
    was_address: Personal,
    was_note: Personal,
    was_language: String,
    asked: Vec<String>,
    consent: Vec<String>,
    was_consent: Vec<String>,
}

#[derive(Template)]
#[template(path = "person/page.html")]
struct PersonPage<'a> {
    t: &'a PersonTexts,
    f: &'a FindTexts,
    href: String,
    key: String,
    base: String,
    is_stale: bool,
    problems: Vec<String>,
    is_known: bool,
    may_write: bool,
    merged: Option<String>,
    fields: Vec<Field>,
    languages: Vec<(&'static str, &'static str, bool)>,
    was_language: String,
    consents: Vec<Consent>,
    since: String,
    glyph: &'static str,
    glyph_words: &'static str,
    groups: Vec<(&'static str, Vec<OrderRow>)>,
    orders: usize,
    devices: Vec<DeviceRow>,
    account: Option<AccountPart>,
}

#[derive(Template)]
#[template(path = "person/_head.html")]
struct Head<'a> {
    t: &'a PersonTexts,
    intake: Option<String>,
    count: String,
}

struct Found {
    customer: Customer,
    orders: Vec<Order>,
    devices: Vec<KnownDevice>,
    account: Option<AccountView>,
}

/// The page.
pub(crate) async fn show(
    State(state): State<EdgeState>,
    who: May<may::CustomersRead>,
    ApiPath(id): ApiPath<DocumentId>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let key = state.form_key().as_str().to_owned();
    respond(&state, &who, &view, id, key, None).await
}

/// Saves what a hand changed.
pub(crate) async fn change(
    State(state): State<EdgeState>,
    who: May<may::CustomersWrite>,
    asked: PageRequest,
    ApiPath(id): ApiPath<DocumentId>,
    PageForm { fields, request }: PageForm<PersonForm>,
) -> Result<Response, Problem> {
    let key = request.key.clone().unwrap_or_default();
    let base = fields.base.clone();
    let patch = patch(&fields);
    let posted = post(&state, &who, request, Ok(patch), move |tx, actor, patch| {
        // Of the version that was shown, or of none any more.
        let now = customer::get(&tx.reader(), actor, id)?;
        if now.heads.join(".") != base {
            return Err(AppError::Stale);
        }
        customer::patch(tx, actor, id, &IfMatch::default(), patch)
    });
    let view = View::of(&state, &who).await?;
    match posted.await? {
        Posted::Done(_) => {
            let toast = Toast::new("", PersonTexts::of(view.language()).saved);
            let href = format!("{PEOPLE}/{id}");
            go_on(&state, asked, view.language(), &href, toast)
        }
        Posted::Refused(problem) => {
            respond(&state, &who, &view, id, key, Some((&fields, &problem))).await
        }
    }
}

/// Only what differs from what was shown.
fn patch(form: &PersonForm) -> CustomerPatch {
    let set = |typed: &Personal, was: &Personal| match typed.expose().trim() == was.expose().trim()
    {
        true => Patch::Keep,
        false => Patch::Set(typed.clone()),
    };
    let mut consent = BTreeMap::new();
    for key in &form.asked {
        let is_given = form.consent.contains(key);
        if is_given != form.was_consent.contains(key) {
            consent.insert(key.clone(), is_given);
        }
    }
    CustomerPatch {
        name: set(&form.name, &form.was_name),
        phone: set(&form.phone, &form.was_phone),
        email: set(&form.email, &form.was_email),
        address: set(&form.address, &form.was_address),
        note: set(&form.note, &form.was_note),
        language: match form.language == form.was_language {
            true => Patch::Keep,
            false => Patch::Set(form.language.clone()),
        },
        consent,
    }
}

async fn respond(
    state: &EdgeState,
    who: &Caller,
    view: &View,
    id: DocumentId,
    key: String,
    refused: Option<(&PersonForm, &Problem)>,
) -> Result<Response, Problem> {
    let actor: Actor = who.actor();
    let found = state
        .store()
        .read(move |reader| {
            Ok(Found {
                customer: customer::get(reader, &actor, id)?,
                orders: order::of_customer(reader, &actor, id, ORDERS)?,
                devices: offer::devices_of(reader, &actor, id)?,
                account: match allows(actor.role, Permission::MoneyRead, Side::Branch) {
                    true => accounts::of(reader, &actor, id)?,
                    false => None,
                },
            })
        })
        .await?;
    let t = PersonTexts::of(view.language());
    let name = found.customer.name.as_ref();
    let title = name.map_or_else(|| t.unnamed.to_owned(), |name| name.expose().to_owned());
    let intake = who
        .may(Permission::OrdersWrite)
        .then(|| format!("{}?person={id}", crate::web::INTAKE));
    let head = Head {
        t,
        intake: intake.filter(|_| found.customer.merged_into.is_none()),
        count: plural(found.orders.len() as u64, t.one_order, t.many_orders),
    };
    let head = SafeHtml::render(&head)?;
    let page = page(view, who, found, key, refused);
    let body = SafeHtml::render(&page)?;
    let status = refused.map_or(StatusCode::OK, |(_, problem)| problem.status());
    let whole = frame(state, who, view, FIND)
        .await?
        .render(&Content::new(title, body).head(head))?;
    Ok(html_with_status(status, whole))
}

fn page<'a>(
    view: &View,
    who: &Caller,
    found: Found,
    key: String,
    refused: Option<(&PersonForm, &Problem)>,
) -> PersonPage<'a> {
    let t = PersonTexts::of(view.language());
    let Found {
        customer,
        orders,
        devices,
        account,
    } = found;
    let problem = refused.map(|(_, problem)| problem);
    let is_stale =
        problem.is_some_and(|problem| problem.status() == StatusCode::PRECONDITION_FAILED);
    let errors = problem.map(FieldErrors::of).unwrap_or_default();
    let errors = errors.said_in(view.language());
    let fields = fields(
        t,
        &customer,
        refused.map(|(form, _)| form),
        is_stale,
        &errors,
    );
    let is_marked = |pointer: &str| {
        fields
            .iter()
            .any(|field| pointer.trim_start_matches('/') == field.name)
    };
    let mut problems: Vec<String> = errors
        .iter()
        .filter(|error| !is_marked(&error.pointer))
        .map(|error| error.detail.clone())
        .collect();
    if let Some(problem) = problem
        && errors.is_empty()
        && !is_stale
    {
        let detail = problem.body().detail.as_deref();
        problems.extend(detail.map(|said| refusal::said(view.language(), said).into_owned()));
    }
    let (glyph, glyph_words) = texts::sync(view.language(), customer.sync);
    let rows = orders
        .iter()
        .map(|order| order_row(view, found_order(order)));
    let (open, closed): (Vec<_>, Vec<_>) = rows.partition(|row: &OrderRow| row.is_open);
    let language = refused.map_or_else(
        || customer.language.clone().unwrap_or_default(),
        |(form, _)| form.language.clone(),
    );
    PersonPage {
        t,
        f: FindTexts::of(view.language()),
        href: format!("{PEOPLE}/{}", customer.id),
        key,
        base: customer.heads.join("."),
        is_stale,
        problems,
        is_known: customer.name.is_some(),
        may_write: who.may(Permission::CustomersWrite) && customer.merged_into.is_none(),
        merged: customer.merged_into.map(|id| format!("{PEOPLE}/{id}")),
        fields,
        languages: languages(t, &language),
        was_language: customer.language.clone().unwrap_or_default(),
        consents: consents(t, &customer, refused.map(|(form, _)| form)),
        since: fill(
            t.since,
            &[
                ("when", &view.clock.when(customer.created_at.0)),
                ("branch", &customer.branch),
            ],
        ),
        glyph,
        glyph_words,
        orders: open.len() + closed.len(),
        groups: grouped([(t.open_group, open), (t.closed_group, closed)]),
        devices: devices
            .into_iter()
            .map(|device| device_row(t, view, device))
            .collect(),
        account: account.map(|account| {
            account::part(view, customer.id, &account, who.may(Permission::TillUse))
        }),
    }
}

fn found_order(order: &Order) -> crate::app::search::FoundOrder {
    let device = [
        order.device.category.as_str(),
        order.device.brand.as_str(),
        order.device.model.as_str(),
    ];
    let device: Vec<&str> = device.into_iter().filter(|word| !word.is_empty()).collect();
    crate::app::search::FoundOrder {
        id: order.id,
        number: order.number.clone(),
        status: order.status,
        device: device.join(" "),
        serial: order.device.serial.clone(),
        fault: order.device.fault.clone(),
        customer_id: None,
        customer_name: None,
        updated_at: order.updated_at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_say_the_same_things() {
        assert_eq!(
            web_kit::language::flaws(PersonTexts::ALL),
            Vec::<String>::new()
        );
    }

    #[test]
    fn only_what_a_hand_changed_is_sent() {
        let form = PersonForm {
            name: Personal::new("Ada"),
            was_name: Personal::new("Ada"),
            phone: Personal::new(""),
            was_phone: Personal::new("030 1"),
            asked: vec!["messages".to_owned(), "news".to_owned()],
            consent: vec!["news".to_owned()],
            was_consent: vec!["news".to_owned()],
            ..PersonForm::default()
        };
        let patch = patch(&form);
        assert_eq!(
            (patch.name, patch.phone),
            (Patch::Keep, Patch::Set(Personal::new("")))
        );
        assert!(patch.consent.is_empty(), "{:?}", patch.consent);
    }
}
