//! What the page of intake shows beside what was typed: people, their devices, faults, parts, times, the sum.
//!
//! Read anew each time from what stands in the form; nothing is remembered between two requests.

use domain::id::DocumentId;
use domain::money::Money;
use web_kit::{FieldErrors, Problem, fill, plural};

use super::form::{Draft, IntakeForm, NEW};
use super::promise::{Promises, promises};
use super::texts::IntakeTexts;
use crate::api::{Caller, EdgeState};
use crate::app::customer;
use crate::app::intake::offer::{self, KnownDevice, Offer, PartOffer};
use crate::app::search::{self, FoundCustomer};
use crate::app::settings;
use crate::store::order::find::count_of;
use crate::store::{Actor, Reader};
use crate::sync::LinkState;
use crate::web::page::elsewhere::Elsewhere;
use crate::web::view::View;
use web_kit::wire::Personal;

/// Most people who are offered.
const PEOPLE_MAX: u32 = 6;

/// Problems by field; what belongs to no field of the form stands above it.
pub(super) struct Errors<'a> {
    by_field: FieldErrors,
    said: Option<&'a Problem>,
    /// The device that is being written has this number in the visit.
    device: usize,
    t: Option<&'a IntakeTexts>,
}

const OF_CUSTOMER: [&str; 3] = ["customer/name", "customer/phone", "customer/email"];
const OF_DEVICE: [&str; 6] = [
    "category",
    "brand",
    "model",
    "serial",
    "fault",
    "accessories",
];

impl<'a> Errors<'a> {
    pub(super) fn none() -> Self {
        Self {
            by_field: FieldErrors::none(),
            said: None,
            device: 0,
            t: None,
        }
    }

    pub(super) fn of(
        t: &'a IntakeTexts,
        problem: &'a Problem,
        by_field: FieldErrors,
        device: usize,
    ) -> Self {
        Self {
            by_field,
            said: Some(problem),
            device,
            t: Some(t),
        }
    }

    /// What is wrong with a field of the visit.
    pub(super) fn at(&self, field: &str) -> Option<&str> {
        self.by_field.get(field)
    }

    /// What is wrong with a field of the device that is being written.
    pub(super) fn of_device(&self, field: &str) -> Option<&str> {
        let whole = format!("devices/{}/{field}", self.device);
        // A list's own entries (`/devices/0/accessories/2`) belong to its field.
        let below = format!("{whole}/");
        self.by_field.get(&whole).or_else(|| {
            let mut errors = self.by_field.iter();
            errors
                .find(|error| error.pointer.trim_start_matches('/').starts_with(&below))
                .map(|error| error.detail.as_str())
        })
    }

    /// What stands above the form.
    pub(super) fn above(&self) -> Vec<String> {
        let (Some(problem), Some(t)) = (self.said, self.t) else {
            return Vec::new();
        };
        let mut lines: Vec<String> = self
            .by_field
            .iter()
            .filter(|error| !self.is_marked(&error.pointer))
            .map(|error| self.line(t, &error.pointer, &error.detail))
            .collect();
        if self.by_field.is_empty() {
            let detail = problem.body().detail.clone();
            lines.push(detail.unwrap_or_else(|| problem.body().title.to_string()));
        }
        if lines.is_empty() {
            lines.push(t.not_saved.to_owned());
        }
        lines
    }

    fn is_marked(&self, pointer: &str) -> bool {
        let pointer = pointer.trim_start_matches('/');
        let begins = |field: &str| {
            pointer == field
                || pointer
                    .strip_prefix(field)
                    .is_some_and(|rest| rest.starts_with('/'))
        };
        OF_CUSTOMER.into_iter().any(begins)
            || begins("promised_at")
            || OF_DEVICE
                .iter()
                .any(|field| begins(&format!("devices/{}/{field}", self.device)))
    }

    fn line(&self, t: &IntakeTexts, pointer: &str, detail: &str) -> String {
        let mut parts = pointer.trim_start_matches('/').split('/');
        match (
            parts.next(),
            parts.next().and_then(|n| n.parse::<usize>().ok()),
        ) {
            (Some("devices"), Some(n)) => {
                fill(t.of_device, &[("n", &(n + 1)), ("problem", &detail)])
            }
            _ => detail.to_owned(),
        }
    }
}

/// Somebody who may be meant.
pub(super) struct PersonRow {
    pub(super) id: DocumentId,
    pub(super) name: String,
    pub(super) reach: String,
    pub(super) orders: String,
    pub(super) is_guess: bool,
}

/// A device that was here before.
pub(super) struct DeviceRow {
    pub(super) digit: usize,
    pub(super) icon: &'static str,
    pub(super) title: String,
    pub(super) note: String,
    pub(super) device: KnownDevice,
    pub(super) is_chosen: bool,
}

/// A usual fault.
pub(super) struct PresetRow {
    pub(super) id: String,
    pub(super) digit: usize,
    pub(super) fault: String,
    pub(super) service: String,
    pub(super) price: String,
    pub(super) time: String,
    pub(super) is_chosen: bool,
}

/// A part that may be needed.
pub(super) struct PartRow {
    pub(super) sku: String,
    pub(super) name: String,
    pub(super) price: String,
    pub(super) where_it_is: String,
    pub(super) is_here: bool,
    pub(super) is_somewhere: bool,
    pub(super) is_kept: bool,
}

/// A device of this visit that is written already.
pub(super) struct KeptRow {
    pub(super) json: String,
    pub(super) title: String,
    pub(super) icon: &'static str,
}

/// A thing that may be left, or a place that is looked at.
pub(super) struct Choice {
    pub(super) name: String,
    pub(super) is_chosen: bool,
    pub(super) value: String,
}

/// Everything that is shown.
pub(super) struct Shown {
    pub(super) people: Vec<PersonRow>,
    pub(super) chosen: Option<PersonRow>,
    /// Why somebody of another branch did not come.
    pub(super) not_brought: Option<String>,
    pub(super) elsewhere: Elsewhere,
    pub(super) new_named: String,
    pub(super) devices_of: String,
    pub(super) typed: String,
    pub(super) is_searched: bool,
    pub(super) is_cut_off: bool,
    pub(super) devices: Vec<DeviceRow>,
    pub(super) presets: Vec<PresetRow>,
    pub(super) parts: Vec<PartRow>,
    pub(super) categories: Vec<String>,
    pub(super) brands: Vec<String>,
    pub(super) models: Vec<String>,
    pub(super) promises: Promises,
    pub(super) things: Vec<Choice>,
    pub(super) other_things: String,
    pub(super) looks: Vec<Choice>,
    pub(super) kept: Vec<KeptRow>,
    pub(super) title: String,
    pub(super) person: String,
    pub(super) device: String,
    pub(super) faults: String,
    pub(super) left: String,
    pub(super) sum: String,
    pub(super) sum_name: &'static str,
    pub(super) take_in: String,
}

/// What the database says to a form.
struct Found {
    people: Vec<(FoundCustomer, bool, u64, Option<i64>)>,
    chosen: Option<(FoundCustomer, u64, Option<i64>)>,
    devices: Vec<KnownDevice>,
    offer: Offer,
    with_tax: bool,
    hours: String,
}

/// Reads all that is shown for a form.
pub(super) async fn read(
    state: &EdgeState,
    who: &Caller,
    view: &View,
    form: &IntakeForm,
) -> Result<Shown, Problem> {
    let actor = who.actor();
    let asked = form.clone();
    let found = state
        .store()
        .read(move |reader| find(reader, &actor, &asked))
        .await?;
    let is_cut_off = state.sync().status().state != LinkState::Connected;
    let elsewhere = Elsewhere::later(state, view, who, form.who.expose());
    Ok(show(view, form, found, is_cut_off, elsewhere))
}

fn find(
    reader: &Reader<'_>,
    actor: &Actor,
    form: &IntakeForm,
) -> Result<Found, crate::error::AppError> {
    let mut people = Vec::new();
    let mut chosen = None;
    let mut devices = Vec::new();
    let typed = form.who.expose().trim();
    if let Some(id) = form.person() {
        let record = customer::get(reader, actor, id)?;
        let id = record.merged_into.unwrap_or(id);
        let (count, last) = count_of(reader, id)?;
        let person = FoundCustomer {
            id,
            name: record.name,
            phone: record.phone,
            email: record.email,
        };
        chosen = Some((person, count, last));
        devices = offer::devices_of(reader, actor, id)?;
    } else if !typed.is_empty() && form.person != NEW {
        let guesses = reader.persons().search(typed, PEOPLE_MAX as usize);
        let is_guess = |id: DocumentId| {
            guesses
                .iter()
                .any(|guess| guess.id == id && guess.rank >= crate::store::PersonMatch::GUESS)
        };
        let mut found = search::find_customers(reader, typed, PEOPLE_MAX)?;
        if found.is_empty()
            && let Some(owner) = offer::owner_of(reader, typed)?
        {
            let record = customer::get(reader, actor, owner)?;
            found.push(FoundCustomer {
                id: record.merged_into.unwrap_or(owner),
                name: record.name,
                phone: record.phone,
                email: record.email,
            });
        }
        for person in found {
            let (count, last) = count_of(reader, person.id)?;
            people.push((person.clone(), is_guess(person.id), count, last));
        }
    }
    Ok(Found {
        people,
        chosen,
        devices,
        offer: offer::offer(reader, actor, &form.about())?,
        with_tax: reader.settings()?.prices_include_tax,
        hours: settings::opening_hours(reader)?,
    })
}

/// Without a script: what the chosen earlier device says goes into the fields that are empty.
pub(super) async fn take_known(
    state: &EdgeState,
    who: &Caller,
    form: &mut IntakeForm,
) -> Result<(), Problem> {
    let (Some(person), Ok(digit)) = (form.person(), form.known.parse::<usize>()) else {
        return Ok(());
    };
    let actor = who.actor();
    let devices = state
        .store()
        .read(move |reader| offer::devices_of(reader, &actor, person))
        .await?;
    if let Some(device) = digit
        .checked_sub(1)
        .and_then(|at| devices.into_iter().nth(at))
    {
        form.category = device.category;
        form.brand = device.brand;
        form.model = device.model;
        form.serial = device.serial;
    }
    Ok(())
}

fn show(
    view: &View,
    form: &IntakeForm,
    found: Found,
    is_cut_off: bool,
    elsewhere: Elsewhere,
) -> Shown {
    let t = IntakeTexts::of(view.language());
    let chosen = found
        .chosen
        .map(|(person, count, last)| person_row(t, view, person, false, count, last));
    let name = chosen.as_ref().map_or("", |row| row.name.as_str());
    let draft = form.draft();
    let kept = form.drafts();
    let chosen_presets = found.offer.presets.iter().filter(|preset| {
        let id = preset.id.to_string();
        form.preset.contains(&id)
    });
    let faults: Vec<String> = chosen_presets
        .clone()
        .map(|preset| preset.fault.clone())
        .chain(form.fault.lines().next().map(str::to_owned))
        .filter(|words| !words.trim().is_empty())
        .collect();
    let minutes = offer::minutes(&found.offer, &form.preset);
    let count = kept.len() as u64 + 1;
    Shown {
        new_named: match form.who.expose().trim() {
            "" => t.new_person.to_owned(),
            typed => fill(t.new_person_named, &[("name", &typed)]),
        },
        devices_of: fill(
            t.devices_of,
            &[("name", &name.split_whitespace().next().unwrap_or(""))],
        ),
        typed: form.who.expose().trim().to_owned(),
        is_searched: !form.who.expose().trim().is_empty(),
        is_cut_off,
        not_brought: None,
        elsewhere,
        devices: device_rows(t, view, found.devices, form),
        sum: sum(view, form, &found.offer),
        sum_name: if found.with_tax {
            t.with_tax
        } else {
            t.without_tax
        },
        promises: promises(t, view, form, &found.hours, minutes),
        things: things(t, form),
        other_things: form.accessories.clone(),
        looks: looks(t, form),
        title: match count {
            1 => t.ticket.to_owned(),
            n => fill(t.ticket_nth, &[("n", &n)]),
        },
        take_in: match count {
            1 => t.take_in.to_owned(),
            n => fill(t.take_in_many, &[("n", &n)]),
        },
        person: match (&chosen, form.name.expose().trim()) {
            (Some(row), _) => row.name.clone(),
            (None, "") => t.nobody.to_owned(),
            (None, name) => name.to_owned(),
        },
        device: draft.title(),
        faults: faults.join(", "),
        left: draft.accessories.join(", "),
        people: found
            .people
            .into_iter()
            .map(|(person, is_guess, count, last)| {
                person_row(t, view, person, is_guess, count, last)
            })
            .collect(),
        presets: preset_rows(t, view, &found.offer, form),
        parts: found
            .offer
            .parts
            .iter()
            .map(|part| part_row(t, view, part, form))
            .collect(),
        categories: found.offer.categories,
        brands: found.offer.brands,
        models: found.offer.models,
        kept: kept
            .iter()
            .zip(&form.kept)
            .map(|(draft, json)| kept_row(draft, json))
            .collect(),
        chosen,
    }
}

fn kept_row(draft: &Draft, json: &str) -> KeptRow {
    KeptRow {
        json: json.to_owned(),
        title: draft.title(),
        icon: icon(&draft.category),
    }
}

fn person_row(
    t: &IntakeTexts,
    view: &View,
    person: FoundCustomer,
    is_guess: bool,
    count: u64,
    last: Option<i64>,
) -> PersonRow {
    let text = |value: &Option<Personal>| {
        value
            .as_ref()
            .map_or_else(String::new, |value| value.expose().to_owned())
    };
    let when = last.map_or_else(String::new, |at| view.clock.when(at));
    // One way to reach somebody tells two of one name apart.
    let reach = match text(&person.phone) {
        phone if phone.is_empty() => text(&person.email),
        phone => phone,
    };
    PersonRow {
        id: person.id,
        name: text(&person.name),
        reach,
        orders: match count {
            0 => t.no_orders.to_owned(),
            1 => fill(t.one_order, &[("when", &when)]),
            n => fill(t.many_orders, &[("n", &n), ("when", &when)]),
        },
        is_guess,
    }
}

fn device_rows(
    t: &IntakeTexts,
    view: &View,
    devices: Vec<KnownDevice>,
    form: &IntakeForm,
) -> Vec<DeviceRow> {
    let row = |(at, device): (usize, KnownDevice)| {
        let words = [&device.category, &device.brand, &device.model];
        // The kind is in the picture where brand or model say more.
        let skip = usize::from(!device.brand.is_empty() || !device.model.is_empty());
        let title: Vec<&str> = words[skip..]
            .iter()
            .map(|word| word.as_str())
            .filter(|word| !word.is_empty())
            .collect();
        let fault: String = device.last_fault.chars().take(48).collect();
        let when = view.clock.when(device.last_at.0);
        let note = match device.is_open {
            true => fill(t.still_open, &[("number", &device.last_number)]),
            false => fill(
                t.was_here,
                &[
                    ("fault", &fault),
                    ("number", &device.last_number),
                    ("when", &when),
                ],
            ),
        };
        let is_same_serial = !device.serial.is_empty() && device.serial == form.serial.trim();
        DeviceRow {
            digit: at + 1,
            icon: icon(&device.category),
            title: match title.is_empty() {
                true => device.serial.clone(),
                false => title.join(" "),
            },
            note,
            is_chosen: form.known == (at + 1).to_string()
                || (form.known.is_empty() && is_same_serial),
            device,
        }
    };
    devices.into_iter().enumerate().map(row).collect()
}

/// The picture of a kind of device, by its name in the languages of the pages.
pub(crate) fn icon(category: &str) -> &'static str {
    let category = category.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| category.contains(word));
    if has(&["laptop", "notebook", "portable", "portátil"]) {
        "laptop"
    } else if has(&["phone", "mobile", "handy", "telefon", "móvil"]) {
        "phone"
    } else if has(&["tablet"]) {
        "tablet"
    } else if has(&["desktop", "computer", "pc"]) {
        "desktop"
    } else if has(&["watch", "uhr"]) {
        "watch"
    } else if has(&["print", "druck"]) {
        "printer"
    } else if has(&["camera", "kamera"]) {
        "camera"
    } else {
        "device"
    }
}

fn preset_rows(t: &IntakeTexts, view: &View, offer: &Offer, form: &IntakeForm) -> Vec<PresetRow> {
    let row = |(at, preset): (usize, &crate::app::settings::Preset)| {
        let id = preset.id.to_string();
        PresetRow {
            // The tenth has the key 0.
            digit: (at + 1) % 10,
            fault: match preset.fault.is_empty() {
                true => preset.service.clone(),
                false => preset.fault.clone(),
            },
            service: preset.service.clone(),
            price: view.amount(preset.price),
            time: match preset.minutes {
                0 => String::new(),
                minutes if minutes % 60 == 0 => fill(t.hours, &[("n", &(minutes / 60))]),
                minutes => view.clock.span(i64::from(minutes) * 60_000),
            },
            is_chosen: form.preset.contains(&id),
            id,
        }
    };
    offer.presets.iter().enumerate().map(row).collect()
}

fn part_row(t: &IntakeTexts, view: &View, part: &PartOffer, form: &IntakeForm) -> PartRow {
    let where_it_is = match &part.nearest {
        _ if part.free > 0 => plural(part.free.unsigned_abs(), t.part_here, t.part_here),
        None => t.part_none.to_owned(),
        Some(near) => {
            let when = view.clock.when(near.as_of.0);
            let distance = near.distance_m.map(|metres| {
                let km = view.clock.number((metres + 500) / 1_000);
                fill(t.kilometres, &[("km", &km)])
            });
            let message = match distance {
                Some(_) => t.part_near,
                None => t.part_elsewhere,
            };
            fill(
                message,
                &[
                    ("branch", &near.branch),
                    ("distance", &distance.unwrap_or_default()),
                    ("n", &near.quantity),
                    ("when", &when),
                ],
            )
        }
    };
    PartRow {
        name: part.name.clone(),
        price: view.amount(part.price),
        where_it_is,
        is_here: part.free > 0,
        is_somewhere: part.nearest.is_some(),
        is_kept: part.free > 0 && form.part.contains(&part.sku),
        sku: part.sku.clone(),
    }
}

/// What the chosen faults and parts come to; empty where nothing was chosen.
fn sum(view: &View, form: &IntakeForm, offer: &Offer) -> String {
    let presets = offer
        .presets
        .iter()
        .filter(|preset| form.preset.contains(&preset.id.to_string()))
        .map(|preset| preset.price);
    let parts = offer
        .parts
        .iter()
        .filter(|part| part.free > 0 && form.part.contains(&part.sku))
        .map(|part| part.price);
    let total = presets.chain(parts).reduce(|sum, price| Money {
        amount_minor: sum.amount_minor.saturating_add(price.amount_minor),
        ..sum
    });
    total.map_or_else(String::new, |total| view.full_amount(total))
}

fn things(t: &IntakeTexts, form: &IntakeForm) -> Vec<Choice> {
    [t.charger, t.cable, t.case, t.sim, t.boxed]
        .into_iter()
        .map(|name| Choice {
            name: name.to_owned(),
            is_chosen: form.accessory.iter().any(|chosen| chosen == name),
            value: String::new(),
        })
        .collect()
}

fn looks(t: &IntakeTexts, form: &IntakeForm) -> Vec<Choice> {
    [
        t.look_display,
        t.look_case,
        t.look_hinges,
        t.look_keyboard,
        t.look_ports,
        t.look_screws,
        t.look_starts,
        t.look_sound,
        t.look_liquid,
    ]
    .into_iter()
    .map(|name| {
        let typed = form.look.iter().zip(&form.state);
        let value = typed
            .filter(|(look, _)| *look == name)
            .map(|(_, state)| state.clone())
            .next()
            .unwrap_or_default();
        Choice {
            name: name.to_owned(),
            is_chosen: !value.trim().is_empty(),
            value,
        }
    })
    .collect()
}
