//! The company: its name in law, tax number and tax rates, texts of papers, opening hours. Every branch hears of a
//! change.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use domain::company::{CompanyRow, TaxRateRow};
use domain::permission::Permission;
use domain::problem::Problems;
use serde::Deserialize;
use sync_protocol::item::command as codes;
use web_kit::{Content, PageForm, Problem, SafeHtml, html_with_status};

use crate::api::caller::{May, may};
use crate::api::{Caller, HubState};
use crate::app::error::AppError;
use crate::app::settings::{self, CompanyPatch};
use crate::web::SETTINGS;
use crate::web::act::{Refusal, act, done};
use crate::web::frame::frame;
use crate::web::view::View;

/// Empty lines behind those that are filled.
const SPARE: usize = 2;

web_kit::catalogue! {
    /// The words of this page.
    struct SettingsTexts {
        title: "Company" | "Firma",
        who: "Who we are" | "Wer wir sind",
        legal_name: "Legal name" | "Firmenname",
        legal_hint: "Stands on every receipt" | "Steht auf jedem Beleg",
        tax_id: "Tax id" | "Steuernummer",
        hours: "Opening hours" | "Öffnungszeiten",
        hours_hint: "Where a branch says nothing else" | "Wo eine Filiale nichts anderes sagt",
        taxes: "Tax" | "Steuer",
        rate_name: "Name" | "Name",
        rate: "Rate in %" | "Satz in %",
        rate_hint: "As in standard 19 or reduced 7; an empty line is left out" | "Wie normal 19 oder ermäßigt 7; eine leere Zeile fällt weg",
        tax_included: "Whether prices include tax is said at each branch." | "Ob Preise die Steuer enthalten, sagt jede Filiale.",
        branches: "Branches" | "Filialen",
        texts: "Texts of papers" | "Texte der Belege",
        key: "Where" | "Wo",
        text: "Text" | "Text",
        text_hint: "intake stands on the receipt of a device that was taken in, intake_de on the German one; de or en on every paper of that language" | "intake steht auf dem Annahmebeleg, intake_de auf dem deutschen; de oder en auf jedem Beleg dieser Sprache",
        save: "Save" | "Speichern",
        saved: "Saved. The branches hear of it now, those that are cut off when their line is back." | "Gespeichert. Die Filialen erfahren es jetzt, getrennte, sobald ihre Leitung wieder da ist.",
        read_only: "Only a central manager changes this." | "Nur die Zentralleitung ändert dies.",
    }
}

/// What was typed; names and values of lists stand in the same order.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct SettingsForm {
    #[serde(default)]
    legal_name: String,
    #[serde(default)]
    tax_id: String,
    #[serde(default)]
    opening_hours: String,
    #[serde(default)]
    rate_name: Vec<String>,
    #[serde(default)]
    rate: Vec<String>,
    #[serde(default)]
    text_key: Vec<String>,
    #[serde(default)]
    text: Vec<String>,
    #[serde(default)]
    version: u64,
}

impl SettingsForm {
    fn of(row: CompanyRow, version: u64, view: &View) -> Self {
        let percent = |bp: u32| {
            view.clock
                .percent(bp)
                .trim_end_matches([' ', '%'])
                .to_owned()
        };
        let (text_key, text) = row.receipt_texts.into_iter().unzip();
        let (rate_name, rate) = row
            .tax_rates
            .into_iter()
            .map(|rate| (rate.name, percent(rate.bp)))
            .unzip();
        Self {
            legal_name: row.legal_name,
            tax_id: row.tax_id,
            opening_hours: row.opening_hours,
            rate_name,
            rate,
            text_key,
            text,
            version,
        }
    }

    fn patch(&self, view: &View) -> Result<CompanyPatch, AppError> {
        let mut problems = Problems::new();
        let mut tax_rates = Vec::new();
        for (at, (name, rate)) in self.rate_name.iter().zip(&self.rate).enumerate() {
            if name.trim().is_empty() && rate.trim().is_empty() {
                continue;
            }
            let bp = view.clock.read_amount(rate.trim_end_matches([' ', '%']), 2);
            let bp = bp.and_then(|bp| u32::try_from(bp).ok());
            problems.check(
                bp.is_some(),
                &format!("/tax_rates/{at}"),
                "write a rate, as in 19 or 5.5",
            );
            tax_rates.push(TaxRateRow {
                name: name.clone(),
                bp: bp.unwrap_or_default(),
            });
        }
        let mut receipt_texts = BTreeMap::new();
        for (key, text) in self.text_key.iter().zip(&self.text) {
            if key.trim().is_empty() && text.trim().is_empty() {
                continue;
            }
            let known = receipt_texts.insert(key.trim().to_owned(), text.replace("\r\n", "\n"));
            problems.check(known.is_none(), "/receipt_texts", "stands here twice");
        }
        problems
            .finish(CompanyPatch {
                legal_name: Some(self.legal_name.clone()),
                tax_id: Some(self.tax_id.clone()),
                tax_rates: Some(tax_rates),
                receipt_texts: Some(receipt_texts),
                opening_hours: Some(self.opening_hours.replace("\r\n", "\n")),
            })
            .map_err(AppError::Invalid)
    }
}

const FIELDS: [&str; 5] = [
    "legal_name",
    "tax_id",
    "opening_hours",
    "tax_rates",
    "receipt_texts",
];

#[derive(Template)]
#[template(path = "settings/page.html")]
struct PageTemplate<'a> {
    t: &'a SettingsTexts,
    form: &'a SettingsForm,
    rates: Vec<(&'a str, &'a str)>,
    texts: Vec<(&'a str, &'a str)>,
    key: &'a str,
    refusal: &'a Refusal,
    above: Vec<String>,
    may_write: bool,
    is_saved: bool,
}

/// Whether the page follows a save.
#[derive(Debug, Default, Deserialize)]
pub struct SavedQuery {
    #[serde(default)]
    saved: String,
}

/// The settings as they stand.
pub(crate) async fn page(
    State(state): State<HubState>,
    who: May<may::BasicsRead>,
    axum::extract::Query(query): axum::extract::Query<SavedQuery>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let (version, row) = settings::get(state.hub()).await?;
    let form = SettingsForm::of(row, version, &view);
    let key = state.form_key();
    let shown = Shown {
        status: StatusCode::OK,
        key: key.as_str(),
        is_saved: !query.saved.is_empty(),
    };
    show(&state, &who, &view, &shown, &form, &Refusal::none()).await
}

struct Shown<'a> {
    status: StatusCode,
    key: &'a str,
    is_saved: bool,
}

async fn show(
    state: &HubState,
    who: &Caller,
    view: &View,
    shown: &Shown<'_>,
    form: &SettingsForm,
    refusal: &Refusal,
) -> Result<Response, Problem> {
    let t = SettingsTexts::of(view.language());
    let may_write = who.person.may(Permission::SettingsWrite);
    let body = SafeHtml::render(&PageTemplate {
        t,
        form,
        rates: lines(&form.rate_name, &form.rate, may_write),
        texts: lines(&form.text_key, &form.text, may_write),
        key: shown.key,
        refusal,
        above: refusal.above(&FIELDS),
        may_write,
        is_saved: shown.is_saved,
    })?;
    let page = frame(state, who, view, SETTINGS)
        .await?
        .render(&Content::new(t.title, body))?;
    Ok(html_with_status(shown.status, page))
}

fn lines<'a>(
    names: &'a [String],
    values: &'a [String],
    may_write: bool,
) -> Vec<(&'a str, &'a str)> {
    let spare = if may_write { SPARE } else { 0 };
    let filled = names
        .iter()
        .zip(values)
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .filter(|(name, value)| !name.is_empty() || !value.is_empty());
    filled.chain(std::iter::repeat_n(("", ""), spare)).collect()
}

/// Changes the settings.
pub(crate) async fn change(
    State(state): State<HubState>,
    who: May<may::SettingsWrite>,
    PageForm {
        mut fields,
        request,
    }: PageForm<SettingsForm>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let key = request.key.clone().unwrap_or_default();
    let shown = fields.version;
    let changed = match fields.patch(&view) {
        Ok(patch) => {
            act(&state, &who, codes::ROWS, request, move |tx| {
                Box::pin(async move {
                    let same = |version| {
                        if version == shown {
                            Ok(())
                        } else {
                            Err(AppError::Stale)
                        }
                    };
                    let (version, _) = settings::patch(tx, same, patch).await?;
                    Ok(done(serde_json::json!({ "version": version })))
                })
            })
            .await
        }
        Err(error) => Err(error.into()),
    };
    match changed {
        Ok(_) => Ok(Redirect::to(&format!("{SETTINGS}?saved=1")).into_response()),
        Err(problem) if problem.status().is_client_error() => {
            if problem.status() == StatusCode::PRECONDITION_FAILED {
                let (version, row) = settings::get(state.hub()).await?;
                fields = SettingsForm::of(row, version, &view);
            }
            let refusal = Refusal::of(&problem, view.language());
            let shown = Shown {
                status: problem.status(),
                key: &key,
                is_saved: false,
            };
            show(&state, &who, &view, &shown, &fields, &refusal).await
        }
        Err(problem) => Err(problem),
    }
}

#[cfg(test)]
mod tests {
    use web_kit::{Language, Screen, WallClock};

    use super::*;

    #[test]
    fn both_languages_say_the_same_things() {
        assert_eq!(
            web_kit::language::flaws(SettingsTexts::ALL),
            Vec::<String>::new()
        );
    }

    #[test]
    fn rates_are_read_as_they_are_shown() {
        let view = View {
            clock: WallClock::new("Europe/Berlin", 0, Language::German),
            screen: Screen::default(),
        };
        let row = CompanyRow {
            legal_name: "Beispiel GmbH".to_owned(),
            tax_rates: vec![TaxRateRow {
                name: "ermäßigt".to_owned(),
                bp: 550,
            }],
            ..CompanyRow::default()
        };
        let mut form = SettingsForm::of(row.clone(), 1, &view);
        assert_eq!(form.rate, ["5,5"]);
        form.rate_name.push(String::new());
        form.rate.push(" ".to_owned());
        let patch = form.patch(&view).ok();
        assert_eq!(patch.and_then(|patch| patch.tax_rates), Some(row.tax_rates));
        form.rate[0] = "viel".to_owned();
        assert!(form.patch(&view).is_err());
    }
}
