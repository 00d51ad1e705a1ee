//! A person's fields, consents and devices as the template shows them.

use web_kit::wire::Personal;
use web_kit::{FieldErrors, fill};

use super::{PersonForm, PersonTexts, USUAL_CONSENTS};
use crate::app::customer::Customer;
use crate::app::intake::offer::KnownDevice;
use crate::web::page::intake;
use crate::web::view::View;

pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) kind: &'static str,
    pub(super) max: u16,
    pub(super) value: String,
    pub(super) was: String,
    pub(super) now: Option<String>,
    pub(super) problem: Option<String>,
    pub(super) is_block: bool,
}

pub(super) struct Consent {
    pub(super) key: String,
    pub(super) label: String,
    pub(super) is_given: bool,
    pub(super) was_given: bool,
}

pub(super) struct DeviceRow {
    pub(super) icon: &'static str,
    pub(super) title: String,
    pub(super) serial: String,
    pub(super) note: String,
}

pub(super) fn fields(
    t: &PersonTexts,
    customer: &Customer,
    form: Option<&PersonForm>,
    is_stale: bool,
    errors: &FieldErrors,
) -> Vec<Field> {
    let text = |value: &Option<Personal>| {
        value
            .as_ref()
            .map_or_else(String::new, |value| value.expose().to_owned())
    };
    let field =
        |name, label, kind, max, held: &Option<Personal>, typed: Option<(&Personal, &Personal)>| {
            let now = text(held);
            // What a hand did not touch shows what is here now.
            let value = match typed {
                Some((typed, was)) if typed.expose() != was.expose() || !is_stale => {
                    typed.expose().to_owned()
                }
                _ => now.clone(),
            };
            Field {
                name,
                label,
                kind,
                max,
                now: (is_stale && value != now).then(|| match now.is_empty() {
                    true => fill(t.now, &[("value", &t.nothing)]),
                    false => fill(t.now, &[("value", &now)]),
                }),
                value,
                was: now,
                problem: errors.get(name).map(str::to_owned),
                is_block: matches!(name, "note" | "address"),
            }
        };
    vec![
        field(
            "name",
            t.name,
            "text",
            200,
            &customer.name,
            form.map(|f| (&f.name, &f.was_name)),
        ),
        field(
            "phone",
            t.phone,
            "tel",
            32,
            &customer.phone,
            form.map(|f| (&f.phone, &f.was_phone)),
        ),
        field(
            "email",
            t.email,
            "text",
            254,
            &customer.email,
            form.map(|f| (&f.email, &f.was_email)),
        ),
        field(
            "address",
            t.address,
            "text",
            500,
            &customer.address,
            form.map(|f| (&f.address, &f.was_address)),
        ),
        field(
            "note",
            t.note,
            "text",
            4_000,
            &customer.note,
            form.map(|f| (&f.note, &f.was_note)),
        ),
    ]
}

pub(super) fn languages(t: &PersonTexts, chosen: &str) -> Vec<(&'static str, &'static str, bool)> {
    let known = [
        ("", t.no_language),
        ("de", t.german),
        ("en", t.english),
        ("fr", t.french),
        ("es", t.spanish),
    ];
    known
        .into_iter()
        .map(|(tag, name)| (tag, name, tag == chosen))
        .collect()
}

pub(super) fn consents(
    t: &PersonTexts,
    customer: &Customer,
    form: Option<&PersonForm>,
) -> Vec<Consent> {
    let mut keys: Vec<String> = USUAL_CONSENTS.map(str::to_owned).to_vec();
    keys.extend(customer.consent.keys().cloned());
    let mut seen = std::collections::BTreeSet::new();
    keys.retain(|key| seen.insert(key.clone()));
    keys.into_iter()
        .map(|key| {
            let was_given = customer.consent.get(&key).copied().unwrap_or(false);
            Consent {
                label: match key.as_str() {
                    "messages" => t.messages.to_owned(),
                    "news" => t.news.to_owned(),
                    other => other.to_owned(),
                },
                is_given: form.map_or(was_given, |form| form.consent.contains(&key)),
                was_given,
                key,
            }
        })
        .collect()
}

pub(super) fn device_row(t: &PersonTexts, view: &View, device: KnownDevice) -> DeviceRow {
    let words = [&device.category, &device.brand, &device.model];
    let title: Vec<&str> = words
        .into_iter()
        .map(String::as_str)
        .filter(|word| !word.is_empty())
        .collect();
    let fault: String = device.last_fault.chars().take(60).collect();
    let when = view.clock.when(device.last_at.0);
    DeviceRow {
        icon: intake::icon(&device.category),
        title: title.join(" "),
        serial: device.serial.clone(),
        note: match fault.is_empty() {
            true => when,
            false => fill(t.last_time, &[("fault", &fault), ("when", &when)]),
        },
    }
}
