//! The company: its name in law, tax number and tax rates, texts of papers, opening hours. Every branch hears of a
//! change.

use std::borrow::Cow;
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
use web_kit::{Content, Language, PageForm, Problem, SafeHtml, fill, html_with_status};

use crate::api::caller::{May, may};
use crate::api::{Caller, HubState};
use crate::app::error::AppError;
use crate::app::settings::{self, CompanyPatch};
use crate::web::SETTINGS;
use crate::web::act::{Refusal, act, done, same};
use crate::web::frame::frame;
use crate::web::said::{Deed, WayBack};
use crate::web::view::View;

/// Empty lines behind those that are filled.
const SPARE: usize = 2;
/// The paper that a person gets for a device that was taken in.
const INTAKE: &str = "intake";

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
        text_hint: "An empty text is left out; the first that is there is printed: for the paper and its language, for the paper, for the language." | "Ein leerer Text fällt weg; gedruckt wird der erste, den es gibt: für Beleg und Sprache, für den Beleg, für die Sprache.",
        intake: "Receipt of a device that was taken in" | "Annahmebeleg",
        every: "Every other paper" | "Jeder andere Beleg",
        other: "Other texts" | "Andere Texte",
        in_language: "in {language}" | "auf {language}",
        any_language: "in any other language" | "in jeder anderen Sprache",
        english: "English" | "Englisch",
        german: "German" | "Deutsch",
        save: "Save" | "Speichern",
saved: "is saved; the branches hear of it now, those that are cut off when their line is back" | "ist gespeichert; die Filialen erfahren es jetzt, getrennte, sobald ihre Leitung wieder da ist",
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
            if text.trim().is_empty() {
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
    papers: Vec<Paper<'a>>,
    key: &'a str,
    refusal: &'a Refusal,
    above: Vec<String>,
    may_write: bool,
}

/// The texts of one paper.
struct Paper<'a> {
    title: &'static str,
    texts: Vec<PaperText<'a>>,
}

/// A text by the name that branches look for.
struct PaperText<'a> {
    key: Cow<'a, str>,
    label: String,
    text: &'a str,
}

/// What branches print where: for a paper and a language, for a paper, for a language. Names that no paper has now stay
/// as they are, so that nothing is lost that somebody wrote by the API.
fn papers<'a>(t: &SettingsTexts, form: &'a SettingsForm) -> Vec<Paper<'a>> {
    let text = |key: &str| {
        let mut all = form.text_key.iter().zip(&form.text);
        all.find(|(there, _)| *there == key)
            .map_or("", |(_, text)| text.as_str())
    };
    let field = |key: String, label: String| PaperText {
        text: text(&key),
        key: Cow::Owned(key),
        label,
    };
    let name = |language: &Language| match language {
        Language::English => t.english,
        Language::German => t.german,
    };
    let in_language = |language: &Language| fill(t.in_language, &[("language", &name(language))]);
    let mut intake: Vec<PaperText<'a>> = Language::ALL
        .iter()
        .map(|language| {
            field(
                format!("{INTAKE}_{}", language.tag()),
                in_language(language),
            )
        })
        .collect();
    intake.push(field(INTAKE.to_owned(), t.any_language.to_owned()));
    let every: Vec<PaperText<'a>> = Language::ALL
        .iter()
        .map(|language| field(language.tag().to_owned(), in_language(language)))
        .collect();
    let is_known = |key: &str| intake.iter().chain(&every).any(|text| text.key == key);
    let other: Vec<PaperText<'a>> = form
        .text_key
        .iter()
        .zip(&form.text)
        .filter(|(key, _)| !key.is_empty() && !is_known(key))
        .map(|(key, text)| PaperText {
            key: Cow::Borrowed(key),
            label: key.clone(),
            text,
        })
        .collect();
    let mut papers = vec![
        Paper {
            title: t.intake,
            texts: intake,
        },
        Paper {
            title: t.every,
            texts: every,
        },
    ];
    if !other.is_empty() {
        papers.push(Paper {
            title: t.other,
            texts: other,
        });
    }
    papers
}

/// The settings as they stand.
pub(crate) async fn page(
    State(state): State<HubState>,
    who: May<may::BasicsRead>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let (version, row) = settings::get(state.hub()).await?;
    let form = SettingsForm::of(row, version, &view);
    let key = state.form_key();
    let shown = Shown {
        status: StatusCode::OK,
        key: key.as_str(),
    };
    show(&state, &who, &view, &shown, &form, &Refusal::none()).await
}

struct Shown<'a> {
    status: StatusCode,
    key: &'a str,
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
        papers: papers(t, form),
        key: shown.key,
        refusal,
        above: refusal.above(&FIELDS),
        may_write,
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

/// What takes the settings back to `before`, unless they were changed again.
fn back_to(version: u64, before: CompanyRow) -> WayBack {
    WayBack::new(
        Permission::SettingsWrite,
        codes::ROWS,
        SETTINGS,
        move |tx| {
            let before = before.clone();
            Box::pin(async move {
                let patch = CompanyPatch {
                    legal_name: Some(before.legal_name),
                    tax_id: Some(before.tax_id),
                    tax_rates: Some(before.tax_rates),
                    receipt_texts: Some(before.receipt_texts),
                    opening_hours: Some(before.opening_hours),
                };
                settings::patch(tx, same(version), patch).await?;
                Ok(())
            })
        },
    )
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
    let (_, before) = settings::get(state.hub()).await?;
    let changed = match fields.patch(&view) {
        Ok(patch) => {
            act(&state, &who, codes::ROWS, request, move |tx| {
                Box::pin(async move {
                    let (version, _) = settings::patch(tx, same(shown), patch).await?;
                    Ok(done(serde_json::json!({ "version": version })))
                })
            })
            .await
        }
        Err(error) => Err(error.into()),
    };
    match changed {
        Ok(answered) => {
            let version = answered.answer.body["version"].as_u64().unwrap_or_default();
            if version == shown {
                state.said().say(&state, &who, Deed::nothing(&view));
            } else if !answered.is_replay {
                let t = SettingsTexts::of(view.language());
                let deed = Deed::new(t.title, t.saved).back(back_to(version, before));
                state.said().say(&state, &who, deed);
            }
            Ok(Redirect::to(SETTINGS).into_response())
        }
        Err(problem) if problem.status().is_client_error() => {
            if problem.status() == StatusCode::PRECONDITION_FAILED {
                let (version, row) = settings::get(state.hub()).await?;
                fields = SettingsForm::of(row, version, &view);
            }
            let refusal = Refusal::of(&problem, view.language());
            let shown = Shown {
                status: problem.status(),
                key: &key,
            };
            show(&state, &who, &view, &shown, &fields, &refusal).await
        }
        Err(problem) => Err(problem),
    }
}

#[cfg(test)]
mod tests {
    use web_kit::{Screen, WallClock};

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

    #[test]
    fn every_text_has_a_field_and_an_empty_one_is_left_out() {
        let view = View {
            clock: WallClock::new("Europe/Berlin", 0, Language::English),
            screen: Screen::default(),
        };
        let row = CompanyRow {
            legal_name: "Example".to_owned(),
            receipt_texts: [("intake_de", "Danke"), ("warranty", "Two years")]
                .map(|(key, text)| (key.to_owned(), text.to_owned()))
                .into(),
            ..CompanyRow::default()
        };
        let form = SettingsForm::of(row.clone(), 1, &view);
        let papers = papers(SettingsTexts::of(Language::English), &form);
        let keys: Vec<(&str, &str)> = papers
            .iter()
            .flat_map(|paper| &paper.texts)
            .map(|text| (text.key.as_ref(), text.text))
            .collect();
        assert_eq!(
            keys,
            [
                ("intake_en", ""),
                ("intake_de", "Danke"),
                ("intake", ""),
                ("en", ""),
                ("de", ""),
                ("warranty", "Two years")
            ]
        );
        let sent = SettingsForm {
            text_key: keys.iter().map(|(key, _)| (*key).to_owned()).collect(),
            text: keys.iter().map(|(_, text)| (*text).to_owned()).collect(),
            ..form.clone()
        };
        let patch = sent.patch(&view).ok().and_then(|patch| patch.receipt_texts);
        assert_eq!(patch, Some(row.receipt_texts));
    }
}
