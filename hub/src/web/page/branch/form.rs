//! The form of a branch, new or changed: judged by the use case alone.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use domain::branch::BranchRow;
use domain::problem::Problems;
use serde::Deserialize;
use web_kit::{Content, Language, Problem, SafeHtml, html_with_status};

use crate::api::{Caller, HubState};
use crate::app::branch::{BranchPatch, NewBranch, usual_place};
use crate::app::error::AppError;
use crate::web::HOME;
use crate::web::act::Refusal;
use crate::web::frame::frame;
use crate::web::view::View;

web_kit::catalogue! {
    /// The words of the form.
    pub(crate) struct BranchFormTexts {
        new: "New branch" | "Neue Filiale",
        change: "Change branch" | "Filiale ändern",
        name_part: "Name" | "Name",
        place_part: "Place" | "Ort",
        work_part: "Work" | "Arbeit",
        code: "Code" | "Kürzel",
        code_hint: "Two to six capital letters or digits; begins every order number" | "Zwei bis sechs Großbuchstaben oder Ziffern; beginnt jede Auftragsnummer",
        code_fixed: "Stands in order numbers and stays" | "Steht in Auftragsnummern und bleibt",
        name: "Name" | "Name",
        region: "Region" | "Region",
        region_hint: "Branches of a region see each other’s free stock" | "Filialen einer Region sehen ihren freien Bestand",
        address: "Address" | "Anschrift",
        latitude: "Latitude" | "Breite",
        longitude: "Longitude" | "Länge",
        location_hint: "In degrees, as in 52.5300 and 13.3850; empty when not known" | "In Grad, wie 52,5300 und 13,3850; leer, wenn unbekannt",
        time_zone: "Time zone" | "Zeitzone",
        currency: "Currency" | "Währung",
        language: "Language" | "Sprache",
        capacity: "Open orders at most" | "Offene Aufträge höchstens",
        capacity_hint: "0 for no limit known" | "0 für keine bekannte Grenze",
        tax: "Prices include tax" | "Preise enthalten die Steuer",
        hours: "Opening hours" | "Öffnungszeiten",
        hours_hint: "Empty for the company’s" | "Leer für die der Firma",
        active: "Open for business" | "Geöffnet",
        make: "Make the branch" | "Filiale anlegen",
        save: "Save" | "Speichern",
        cancel: "Cancel" | "Abbrechen",
    }
}

/// What was typed.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct BranchForm {
    #[serde(default)]
    pub(crate) code: String,
    #[serde(default)]
    pub(crate) name: String,
    #[serde(default)]
    region: String,
    #[serde(default)]
    address: String,
    #[serde(default)]
    latitude: String,
    #[serde(default)]
    longitude: String,
    #[serde(default)]
    time_zone: String,
    #[serde(default)]
    currency: String,
    #[serde(default)]
    language: String,
    #[serde(default)]
    capacity: String,
    #[serde(default)]
    prices_include_tax: String,
    #[serde(default)]
    opening_hours: String,
    #[serde(default)]
    active: String,
    /// The version that the form shows.
    #[serde(default)]
    pub(crate) version: u64,
}

/// What the fields say, each in its type.
struct Read {
    currency: domain::money::Currency,
    location: Option<(f64, f64)>,
    capacity: i64,
}

impl BranchForm {
    /// An empty form with what most branches have.
    pub(crate) async fn fresh(state: &HubState) -> Result<Self, Problem> {
        let place = usual_place(state.hub()).await?;
        let (time_zone, language) =
            place.unwrap_or_else(|| ("Europe/Berlin".to_owned(), "en".to_owned()));
        Ok(Self {
            time_zone,
            language,
            currency: "EUR".to_owned(),
            capacity: "50".to_owned(),
            prices_include_tax: "yes".to_owned(),
            active: "yes".to_owned(),
            ..Self::default()
        })
    }

    /// The form of a branch as it stands.
    pub(crate) fn of(row: &BranchRow, version: u64) -> Self {
        let yes = |is: bool| if is { "yes" } else { "" }.to_owned();
        let degrees =
            |value: Option<f64>| value.map(|value| format!("{value}")).unwrap_or_default();
        Self {
            code: row.code.clone(),
            name: row.name.clone(),
            region: row.region.clone(),
            address: row.address.clone(),
            latitude: degrees(row.location.map(|at| at.latitude())),
            longitude: degrees(row.location.map(|at| at.longitude())),
            time_zone: row.time_zone.clone(),
            currency: row.currency.to_string(),
            language: row.language.clone(),
            capacity: row.capacity.to_string(),
            prices_include_tax: yes(row.prices_include_tax),
            opening_hours: row.opening_hours.clone(),
            active: yes(row.active),
            version,
        }
    }

    /// The name that was typed.
    pub(crate) fn name(&self) -> &str {
        self.name.trim()
    }

    fn read(&self) -> Result<Read, AppError> {
        let mut problems = Problems::new();
        let degrees = |typed: &str| typed.trim().replace(',', ".").parse::<f64>().ok();
        let location = match (self.latitude.trim(), self.longitude.trim()) {
            ("", "") => None,
            (latitude, longitude) => {
                let at = degrees(latitude).zip(degrees(longitude));
                problems.check(at.is_some(), "/location", "write degrees, as in 52.53");
                at
            }
        };
        let currency = self.currency.trim().to_uppercase().parse();
        problems.check(
            currency.is_ok(),
            "/currency",
            "must be an ISO 4217 code such as EUR",
        );
        let capacity = match self.capacity.trim() {
            "" => Some(0),
            typed => typed.parse().ok(),
        };
        problems.check(capacity.is_some(), "/capacity", "write a whole number");
        let found = problems.into_vec();
        match (currency, capacity) {
            (Ok(currency), Some(capacity)) if found.is_empty() => Ok(Read {
                currency,
                location,
                capacity,
            }),
            _ => Err(AppError::Invalid(found)),
        }
    }

    /// # Errors
    /// What does not read, by field.
    pub(crate) fn new_branch(&self) -> Result<NewBranch, AppError> {
        let read = self.read()?;
        Ok(NewBranch {
            code: self.code.trim().to_uppercase(),
            name: self.name.clone(),
            region: self.region.clone(),
            address: self.address.replace("\r\n", "\n"),
            location: read.location,
            time_zone: self.time_zone.clone(),
            currency: read.currency,
            capacity: read.capacity,
            prices_include_tax: !self.prices_include_tax.is_empty(),
            opening_hours: self.opening_hours.replace("\r\n", "\n"),
            language: self.language.clone(),
        })
    }

    /// # Errors
    /// What does not read, by field.
    pub(crate) fn patch(&self) -> Result<BranchPatch, AppError> {
        let new = self.new_branch()?;
        Ok(BranchPatch {
            code: Some(new.code),
            name: Some(new.name),
            region: Some(new.region),
            address: Some(new.address),
            location: Some(new.location),
            time_zone: Some(new.time_zone),
            currency: Some(new.currency),
            capacity: Some(new.capacity),
            prices_include_tax: Some(new.prices_include_tax),
            active: Some(!self.active.is_empty()),
            opening_hours: Some(new.opening_hours),
            language: Some(new.language),
        })
    }
}

const FIELDS: [&str; 10] = [
    "code",
    "name",
    "region",
    "address",
    "location",
    "time_zone",
    "currency",
    "language",
    "capacity",
    "opening_hours",
];

#[derive(Template)]
#[template(path = "branch/form.html")]
struct FormTemplate<'a> {
    t: &'a BranchFormTexts,
    shown: &'a Shown<'a>,
    form: &'a BranchForm,
    refusal: &'a Refusal,
    above: Vec<String>,
    zones: Vec<String>,
    languages: Vec<(&'a str, &'a str, bool)>,
}

/// How the form is shown.
pub(crate) struct Shown<'a> {
    pub(crate) status: StatusCode,
    pub(crate) title: &'a str,
    pub(crate) action: String,
    pub(crate) back: String,
    pub(crate) key: &'a str,
    pub(crate) is_new: bool,
}

/// The page with the form.
pub(crate) async fn show(
    state: &HubState,
    who: &Caller,
    view: &View,
    shown: &Shown<'_>,
    form: &BranchForm,
    refusal: &Refusal,
) -> Result<Response, Problem> {
    let zones: Vec<String> = jiff::tz::db()
        .available()
        .map(|name| name.to_string())
        .collect();
    let mut languages: Vec<(&str, &str, bool)> = Language::ALL
        .iter()
        .map(|language| {
            (
                language.tag(),
                language.name(),
                form.language == language.tag(),
            )
        })
        .collect();
    // Papers may speak a language that the pages do not.
    if !form.language.is_empty() && languages.iter().all(|(.., is_chosen)| !is_chosen) {
        languages.push((&form.language, &form.language, true));
    }
    let body = SafeHtml::render(&FormTemplate {
        t: BranchFormTexts::of(view.language()),
        shown,
        form,
        refusal,
        above: refusal.above(&FIELDS),
        zones,
        languages,
    })?;
    let page = frame(state, who, view, HOME)
        .await?
        .render(&Content::new(shown.title, body))?;
    Ok(html_with_status(shown.status, page))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_say_the_same_things() {
        assert_eq!(
            web_kit::language::flaws(BranchFormTexts::ALL),
            Vec::<String>::new()
        );
    }

    #[test]
    fn degrees_are_read_with_comma_or_stop_and_never_half() {
        let form = |latitude: &str, longitude: &str| BranchForm {
            latitude: latitude.to_owned(),
            longitude: longitude.to_owned(),
            currency: "eur".to_owned(),
            ..BranchForm::default()
        };
        let read = form(" 52,5 ", "13.4").read().map(|read| read.location);
        assert_eq!(read.ok(), Some(Some((52.5, 13.4))));
        assert!(form("52.5", "").read().is_err());
        assert!(
            form("", "")
                .read()
                .is_ok_and(|read| read.location.is_none())
        );
    }
}
