//! What was typed at intake, and how it becomes a visit.
//!
//! The form is the only memory: devices of this visit that are written already travel in it as JSON. Nothing of it is
//! kept anywhere before it is saved.

use std::collections::BTreeMap;

use domain::id::{DocumentId, PresetId};
use serde::{Deserialize, Serialize};
use web_kit::Problem;

use super::texts::IntakeTexts;
use crate::app::customer::CustomerInput;
use crate::app::intake::NewVisit;
use crate::app::intake::offer::About;
use crate::app::order::form::DeviceInput;
use crate::web::view::View;
use web_kit::wire::{Personal, Time};

/// The person is somebody new.
pub(super) const NEW: &str = "new";
/// The promised time is typed.
pub(super) const OTHER: &str = "other";

/// What was typed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct IntakeForm {
    pub(super) who: Personal,
    pub(super) person: String,
    pub(super) known: String,
    pub(super) name: Personal,
    pub(super) phone: Personal,
    pub(super) email: Personal,
    pub(super) category: String,
    pub(super) brand: String,
    pub(super) model: String,
    pub(super) serial: String,
    pub(super) fault: String,
    pub(super) preset: Vec<String>,
    pub(super) part: Vec<String>,
    pub(super) accessory: Vec<String>,
    pub(super) accessories: String,
    pub(super) look: Vec<String>,
    pub(super) state: Vec<String>,
    pub(super) promise: Option<String>,
    pub(super) promise_auto: String,
    pub(super) promised: String,
    pub(super) urgent: String,
    pub(super) terms: String,
    pub(super) kept: Vec<String>,
    pub(super) step: String,
}

/// A device of this visit that is written already.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Draft {
    pub(super) category: String,
    pub(super) brand: String,
    pub(super) model: String,
    pub(super) serial: String,
    pub(super) fault: String,
    pub(super) accessories: Vec<String>,
    pub(super) condition: BTreeMap<String, String>,
    pub(super) presets: Vec<String>,
    pub(super) parts: Vec<String>,
}

impl Draft {
    /// What it is called in a line.
    pub(super) fn title(&self) -> String {
        let words = [&self.category, &self.brand, &self.model];
        let words: Vec<&str> = words
            .into_iter()
            .map(|word| word.trim())
            .filter(|word| !word.is_empty())
            .collect();
        match words.is_empty() {
            true => self.fault.lines().next().unwrap_or("").to_owned(),
            false => words.join(" "),
        }
    }

    fn is_empty(&self) -> bool {
        [
            &self.category,
            &self.brand,
            &self.model,
            &self.serial,
            &self.fault,
        ]
        .iter()
        .all(|text| text.trim().is_empty())
            && self.presets.is_empty()
    }

    fn input(self) -> DeviceInput {
        DeviceInput {
            category: self.category,
            brand: self.brand,
            model: self.model,
            serial: self.serial,
            fault: self.fault,
            accessories: self.accessories,
            condition: self.condition,
            presets: self
                .presets
                .iter()
                .filter_map(|id| id.parse::<PresetId>().ok())
                .collect(),
            parts: self.parts,
        }
    }
}

impl IntakeForm {
    /// Somebody who is known.
    pub(super) fn person(&self) -> Option<DocumentId> {
        self.person.parse().ok()
    }

    /// Whether somebody new is taken in.
    pub(super) fn is_new_person(&self) -> bool {
        self.person().is_none()
            && [&self.name, &self.phone, &self.email]
                .iter()
                .any(|value| !value.expose().trim().is_empty())
    }

    /// What was typed to find somebody goes where it belongs, for the one who is new.
    pub(super) fn move_typed(&mut self) {
        let typed = self.who.expose().trim();
        let is_free = self.name.expose().is_empty()
            && self.phone.expose().is_empty()
            && self.email.expose().is_empty();
        if self.person != NEW || typed.is_empty() || !is_free {
            return;
        }
        let typed = Personal::new(typed);
        let is_phone = typed
            .expose()
            .chars()
            .all(|c| c.is_ascii_digit() || " +()-./".contains(c));
        if typed.expose().contains('@') {
            self.email = typed;
        } else if is_phone {
            self.phone = typed;
        } else {
            self.name = typed;
        }
    }

    /// The device that is being written.
    pub(super) fn draft(&self) -> Draft {
        let others = self.accessories.split(',').map(str::trim);
        let accessories = self.accessory.iter().map(String::as_str).chain(others);
        let looked = self.look.iter().zip(&self.state);
        Draft {
            category: self.category.clone(),
            brand: self.brand.clone(),
            model: self.model.clone(),
            serial: self.serial.clone(),
            fault: self.fault.clone(),
            accessories: accessories
                .filter(|word| !word.is_empty())
                .map(str::to_owned)
                .collect(),
            condition: looked
                .filter(|(_, state)| !state.trim().is_empty())
                .map(|(look, state)| (look.clone(), state.trim().to_owned()))
                .collect(),
            presets: self.preset.clone(),
            parts: self.part.clone(),
        }
    }

    /// What the offer depends on.
    pub(super) fn about(&self) -> About {
        About {
            category: self.category.clone(),
            brand: self.brand.clone(),
            model: self.model.clone(),
            chosen: self.preset.clone(),
        }
    }

    /// The devices that are written already; what is no such thing is left out.
    pub(super) fn drafts(&self) -> Vec<Draft> {
        self.kept
            .iter()
            .filter_map(|text| serde_json::from_str(text).ok())
            .collect()
    }

    /// Puts the device that is being written to the others, and the form is ready for the next one. `false` when
    /// nothing was written about it.
    pub(super) fn keep_device(&mut self) -> bool {
        let draft = self.draft();
        let Ok(text) = serde_json::to_string(&draft) else {
            return false;
        };
        if draft.is_empty() {
            return false;
        }
        self.kept.push(text);
        let cleared = IntakeForm {
            who: self.who.clone(),
            person: self.person.clone(),
            name: self.name.clone(),
            phone: self.phone.clone(),
            email: self.email.clone(),
            promise: self.promise.clone(),
            promise_auto: self.promise_auto.clone(),
            promised: self.promised.clone(),
            urgent: self.urgent.clone(),
            terms: self.terms.clone(),
            kept: std::mem::take(&mut self.kept),
            ..IntakeForm::default()
        };
        *self = cleared;
        true
    }

    /// The visit that is saved.
    pub(super) fn visit(&self, t: &IntakeTexts, view: &View) -> Result<NewVisit, Problem> {
        let mut devices: Vec<Draft> = self.drafts();
        let last = self.draft();
        // The empty form behind the last device is no device; alone it is, and says what it lacks.
        if !last.is_empty() || devices.is_empty() {
            if last.is_empty() && last.accessories.is_empty() && last.condition.is_empty() {
                return Err(Problem::invalid_field(
                    "/devices/0/category",
                    t.device_missing,
                ));
            }
            devices.push(last);
        }
        let some = |value: &Personal| (!value.expose().trim().is_empty()).then(|| value.clone());
        let customer = self.is_new_person().then(|| CustomerInput {
            name: self.name.clone(),
            phone: some(&self.phone),
            email: some(&self.email),
            ..CustomerInput::default()
        });
        Ok(NewVisit {
            customer_id: self.person(),
            customer,
            devices: devices.into_iter().map(Draft::input).collect(),
            promised_at: self.promised_at(t, view)?,
            terms_accepted_at: (!self.terms.is_empty()).then(|| Time(view.clock.now_ms())),
            urgent: !self.urgent.is_empty(),
        })
    }

    fn promised_at(&self, t: &IntakeTexts, view: &View) -> Result<Option<Time>, Problem> {
        let chosen = match self.promise.as_deref() {
            None | Some(OTHER) => self.promised.trim(),
            Some(chosen) => chosen,
        };
        if chosen.is_empty() {
            return Ok(None);
        }
        let at = view.clock.read(chosen).map(Time);
        at.map(Some)
            .ok_or_else(|| Problem::invalid_field("/promised_at", t.date_form))
    }
}
