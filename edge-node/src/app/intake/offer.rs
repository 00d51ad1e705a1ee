//! What intake offers for a device: faults that are usual with their price and time, the part that each needs and
//! where it lies, and when it can be ready.
//!
//! Another branch's stock is old news with its time; it is shown, never counted on. A part fits by its name: the sku
//! in the service's text, else the meaning of the fault, the model and the brand.

use domain::id::{DocumentId, PartId};
use domain::money::Money;
use domain::part::PartRow;
use domain::permission::Permission;
use geo::{Distance, Haversine, Point};
use rstar::RTree;
use rstar::primitives::GeomWithData;

use crate::app::order::form::Order;
use crate::app::search::words::{folded_words, have_same_meaning};
use crate::app::settings::{self, Preset};
use crate::app::{order, require};
use crate::error::AppError;
use crate::store::{Actor, Reader, catalogue, order as orders, stock};
use web_kit::wire::{Time, money};

/// The most faults that are offered: one digit each.
const PRESETS_MAX: usize = 10;
/// The most parts that are offered for one preset.
const PARTS_MAX: usize = 3;
/// The most words that a field suggests.
const SUGGESTIONS_MAX: u32 = 200;
/// The most earlier devices of a person that are offered: one digit each.
const DEVICES_MAX: usize = 9;
const ORDERS_READ: u32 = 40;
/// Most parts of a brand that are looked at.
const READ_MAX: u32 = 2_000;

/// What stands in the form about the device.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// What kind of thing it is.
    pub category: String,
    /// Who made it.
    pub brand: String,
    /// Which model.
    pub model: String,
    /// Presets that were chosen.
    pub chosen: Vec<String>,
}

/// What the form offers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Offer {
    /// Faults of the category.
    pub presets: Vec<Preset>,
    /// Parts for the chosen presets.
    pub parts: Vec<PartOffer>,
    /// Kinds of devices.
    pub categories: Vec<String>,
    /// Brands of the kind.
    pub brands: Vec<String>,
    /// Models of the brand.
    pub models: Vec<String>,
}

/// A part that a preset may need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartOffer {
    /// Its sku.
    pub sku: String,
    /// Its name.
    pub name: String,
    /// Its price.
    pub price: Money,
    /// Free pieces here.
    pub free: i64,
    /// The nearest branch that had it, when none is free here.
    pub nearest: Option<Nearest>,
}

/// Where else a part was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nearest {
    /// The branch's name, or its code or id where that is all that is known.
    pub branch: String,
    /// Free pieces as last known.
    pub quantity: i64,
    /// When that was so.
    pub as_of: Time,
    /// How far it is; none where a place is not known.
    pub distance_m: Option<i64>,
}

/// A device that somebody brought before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownDevice {
    /// What kind of thing it is.
    pub category: String,
    /// Who made it.
    pub brand: String,
    /// Which model.
    pub model: String,
    /// Its serial number.
    pub serial: String,
    /// What was wrong last time.
    pub last_fault: String,
    /// The last order's number.
    pub last_number: String,
    /// When it came last.
    pub last_at: Time,
    /// Whether that order is still open.
    pub is_open: bool,
}

/// What to offer for a device.
pub fn offer(reader: &Reader<'_>, actor: &Actor, about: &About) -> Result<Offer, AppError> {
    require(actor, Permission::OrdersRead)?;
    let currency = reader.settings()?.currency;
    let all = settings::presets(reader, actor)?;
    let of_category: Vec<Preset> = all
        .iter()
        .filter(|preset| preset.price.currency == currency)
        .filter(|preset| preset.category.is_empty() || same(&preset.category, &about.category))
        .cloned()
        .collect();
    let mut presets = of_category;
    // Those of the kind itself stand before those for anything.
    presets.sort_by_key(|preset| preset.category.is_empty());
    presets.truncate(PRESETS_MAX);
    let chosen: Vec<&Preset> = presets
        .iter()
        .filter(|preset| about.chosen.contains(&preset.id.to_string()))
        .collect();
    let parts = parts_for(reader, about, &chosen)?;
    let mut categories = orders::find::suggestions(reader, None, None, SUGGESTIONS_MAX)?;
    categories.extend(all.into_iter().map(|preset| preset.category));
    tidy(&mut categories);
    let category = some(&about.category);
    let brand = some(&about.brand);
    Ok(Offer {
        presets,
        parts,
        categories,
        brands: match category {
            Some(_) => orders::find::suggestions(reader, category, None, SUGGESTIONS_MAX)?,
            None => Vec::new(),
        },
        models: match category.and(brand) {
            Some(_) => orders::find::suggestions(reader, category, brand, SUGGESTIONS_MAX)?,
            None => Vec::new(),
        },
    })
}

fn some(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|text| !text.is_empty())
}

fn same(a: &str, b: &str) -> bool {
    a.trim().to_lowercase() == b.trim().to_lowercase()
        || (!b.trim().is_empty() && have_same_meaning(a, b))
}

fn tidy(words: &mut Vec<String>) {
    words.retain(|word| !word.trim().is_empty());
    words.sort_by_key(|word| word.to_lowercase());
    words.dedup_by(|a, b| a.to_lowercase() == b.to_lowercase());
}

fn parts_for(
    reader: &Reader<'_>,
    about: &About,
    chosen: &[&Preset],
) -> Result<Vec<PartOffer>, AppError> {
    let mut found: Vec<(u32, PartId, PartRow)> = Vec::new();
    if chosen.is_empty() {
        return Ok(Vec::new());
    }
    let mut named = Vec::new();
    for preset in chosen {
        for word in preset.service.split_whitespace() {
            let word = word.trim_matches(|c: char| !c.is_alphanumeric());
            if word.contains(|c: char| c.is_ascii_digit())
                && let Some((id, row)) = catalogue::part_by_sku(reader, word)?
            {
                named.push((u32::MAX, id, row));
            }
        }
    }
    let model = folded_words(&about.model);
    let brand = folded_words(&about.brand);
    for (id, row) in
        catalogue::parts_named(reader, about.model.trim(), about.brand.trim(), READ_MAX)?
    {
        let wanted = |preset: &&&Preset| {
            have_same_meaning(&preset.fault, &row.category)
                || have_same_meaning(&preset.fault, &row.name)
        };
        if !chosen.iter().any(|preset| wanted(&preset)) {
            continue;
        }
        let words = folded_words(&row.name);
        let has = |all: &[String]| !all.is_empty() && all.iter().all(|word| words.contains(word));
        // A part that names neither model nor brand is for anything, one that names another brand is not ours to know.
        let score = 8 * u32::from(has(&model)) + 4 * u32::from(has(&brand));
        if score > 0 {
            found.push((score, id, row));
        }
    }
    let best = found.iter().map(|(score, ..)| *score).max().unwrap_or(0);
    found.retain(|(score, ..)| *score == best);
    named.append(&mut found);
    let mut offers = Vec::new();
    for (_, id, row) in named {
        let free = stock::balance(reader, id)?.free();
        offers.push((id, row, free));
    }
    // What lies here is first.
    offers.sort_by(|(_, a, a_free), (_, b, b_free)| {
        (*a_free <= 0)
            .cmp(&(*b_free <= 0))
            .then_with(|| a.sku.cmp(&b.sku))
    });
    offers.dedup_by_key(|(id, ..)| *id);
    offers.truncate(PARTS_MAX);
    offers
        .into_iter()
        .map(|(id, row, free)| {
            Ok(PartOffer {
                nearest: if free > 0 { None } else { nearest(reader, id)? },
                price: money(row.price_minor, row.currency),
                sku: row.sku,
                name: row.name,
                free,
            })
        })
        .collect()
}

/// The nearest branch that had a part; where no place is known, the one that had most.
pub fn nearest(reader: &Reader<'_>, part: PartId) -> Result<Option<Nearest>, AppError> {
    let had = stock::elsewhere(reader, part)?;
    let here = catalogue::branch(reader, reader.identity().branch)?.and_then(|row| row.location);
    let mut rows = Vec::new();
    for place in &had {
        rows.push(catalogue::branch(reader, place.branch)?);
    }
    let points = rows.iter().enumerate().filter_map(|(at, row)| {
        let location = row.as_ref()?.location?;
        Some(GeomWithData::new(
            on_sphere(location.latitude(), location.longitude()),
            at,
        ))
    });
    let tree = RTree::bulk_load(points.collect());
    let nearest = here.and_then(|here| {
        tree.nearest_neighbor(&on_sphere(here.latitude(), here.longitude()))
            .map(|found| found.data)
    });
    // `had` comes with the most pieces first.
    let Some(place) = nearest.or_else(|| (!had.is_empty()).then_some(0)) else {
        return Ok(None);
    };
    let there = rows[place].as_ref().and_then(|row| row.location);
    let distance_m = here.zip(there).map(|(here, there)| {
        let point =
            |place: domain::branch::Location| Point::new(place.longitude(), place.latitude());
        Haversine.distance(point(here), point(there)).round() as i64
    });
    let name = rows[place].as_ref().map(|row| row.name.clone());
    let entry = &had[place];
    Ok(Some(Nearest {
        branch: name
            .or_else(|| entry.code.clone())
            .unwrap_or_else(|| entry.branch.to_string()),
        quantity: entry.quantity,
        as_of: Time(entry.as_of_ms),
        distance_m,
    }))
}

/// A place on the unit sphere: straight lines between such points order like ways over the ground, also across the
/// date line and at the poles, where degrees do not.
fn on_sphere(latitude: f64, longitude: f64) -> [f64; 3] {
    let (latitude, longitude) = (latitude.to_radians(), longitude.to_radians());
    [
        latitude.cos() * longitude.cos(),
        latitude.cos() * longitude.sin(),
        latitude.sin(),
    ]
}

/// The devices that a person brought, the last one first.
pub fn devices_of(
    reader: &Reader<'_>,
    actor: &Actor,
    person: DocumentId,
) -> Result<Vec<KnownDevice>, AppError> {
    let orders = order::of_customer(reader, actor, person, ORDERS_READ)?;
    let mut devices: Vec<KnownDevice> = Vec::new();
    for order in orders {
        let device = known(order);
        let is_known = devices.iter().any(|other| {
            if device.serial.is_empty() || other.serial.is_empty() {
                same_model(&device, other)
            } else {
                device.serial.eq_ignore_ascii_case(&other.serial)
            }
        });
        let is_named =
            !device.model.is_empty() || !device.serial.is_empty() || !device.category.is_empty();
        if is_named && !is_known {
            devices.push(device);
        }
    }
    devices.truncate(DEVICES_MAX);
    Ok(devices)
}

fn same_model(a: &KnownDevice, b: &KnownDevice) -> bool {
    let key = |device: &KnownDevice| {
        (
            device.category.to_lowercase(),
            device.brand.to_lowercase(),
            device.model.to_lowercase(),
        )
    };
    key(a) == key(b)
}

fn known(order: Order) -> KnownDevice {
    use domain::order::Status;
    KnownDevice {
        is_open: !matches!(order.status, Status::Collected | Status::Cancelled),
        last_fault: order.device.fault,
        last_number: order.number,
        last_at: order.created_at,
        category: order.device.category,
        brand: order.device.brand,
        model: order.device.model,
        serial: order.device.serial,
    }
}

/// Whose device has this serial, as far as it was here.
pub fn owner_of(reader: &Reader<'_>, serial: &str) -> Result<Option<DocumentId>, AppError> {
    let filter = orders::OrderFilter {
        number_or_serial: Some(serial.to_owned()),
        ..Default::default()
    };
    let found = orders::list(reader, &filter, 5)?;
    Ok(found.into_iter().find_map(|record| record.view.customer))
}

/// How long the chosen services take together.
pub fn minutes(offer: &Offer, chosen: &[String]) -> u32 {
    offer
        .presets
        .iter()
        .filter(|preset| chosen.contains(&preset.id.to_string()))
        .map(|preset| preset.minutes)
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_over_the_date_line_are_short() {
        let tree = RTree::bulk_load(vec![
            GeomWithData::new(on_sphere(52.0, 179.5), "west of the line"),
            GeomWithData::new(on_sphere(52.0, -150.0), "far"),
        ]);
        let nearest = tree.nearest_neighbor(&on_sphere(52.0, -179.5));
        assert_eq!(nearest.map(|found| found.data), Some("west of the line"));
    }
}
