//! Everything that an order's page shows, read at one moment.

use std::collections::BTreeMap;

use domain::id::{DocumentId, StaffId};
use domain::order::{OrderView, RateTotal, totals};
use domain::permission::{Permission, Side, allows};

use crate::app::order::form::{LineStock, Order};
use crate::app::order::history::{self, Entry};
use crate::app::receipts::{self, OrderPaid};
use crate::app::settings::{self, Preset};
use crate::app::{order, staff, stock};
use crate::error::AppError;
use crate::store::{Actor, Reader, catalogue, order as rows};

/// The most other orders of the same person.
const EARLIER: u32 = 6;

/// What the page shows.
pub(super) struct Bench {
    pub(super) order: Order,
    pub(super) is_home: bool,
    pub(super) story: Vec<Entry>,
    /// Who works here, by name.
    pub(super) people: Vec<(StaffId, String)>,
    pub(super) names: BTreeMap<StaffId, String>,
    pub(super) earlier: Vec<Order>,
    /// Where a part lies, by its sku.
    pub(super) bins: BTreeMap<String, String>,
    /// What the lines come to, per tax rate.
    pub(super) rates: Vec<RateTotal>,
    /// Tax rates that can be chosen, in basis points.
    pub(super) tax_rates: Vec<u32>,
    pub(super) services: Vec<Preset>,
    /// Keys with several values, from the document's root.
    pub(super) conflicts: Vec<Vec<String>>,
    pub(super) status_conflict: bool,
    /// What the till did, for who may see it.
    pub(super) paid: Option<OrderPaid>,
}

impl Bench {
    pub(super) fn load(
        reader: &Reader<'_>,
        actor: &Actor,
        id: DocumentId,
    ) -> Result<Self, AppError> {
        let order = order::get(reader, actor, id)?;
        let record = rows::get(reader, id)?.ok_or(AppError::NotFound { what: "order" })?;
        let people: Vec<(StaffId, String)> = staff::list(reader, actor)?
            .into_iter()
            .map(|entry| (entry.id, entry.name))
            .collect();
        let view = &record.view;
        Ok(Self {
            is_home: view.branch == reader.identity().branch,
            story: history::of(reader, actor, id)?,
            names: names(reader, &people)?,
            people,
            earlier: earlier(reader, actor, &order)?,
            bins: bins(reader, actor, &order)?,
            rates: totals(view).map(|sums| sums.rates).unwrap_or_default(),
            tax_rates: tax_rates(reader, view)?,
            services: services(reader, actor, view)?,
            conflicts: view
                .conflicts
                .iter()
                .map(|conflict| conflict.path.clone())
                .collect(),
            status_conflict: view.status_conflict,
            paid: match allows(actor.role, Permission::MoneyRead, Side::Branch) {
                true => Some(receipts::of_order(reader, actor, id)?),
                false => None,
            },
            order,
        })
    }
}

/// Everybody's name, also of those who work elsewhere.
fn names(
    reader: &Reader<'_>,
    people: &[(StaffId, String)],
) -> Result<BTreeMap<StaffId, String>, AppError> {
    let mut names: BTreeMap<StaffId, String> = people.iter().cloned().collect();
    for (id, row) in crate::store::staff::list(reader)? {
        names.entry(id).or_insert(row.name);
    }
    Ok(names)
}

fn earlier(reader: &Reader<'_>, actor: &Actor, order: &Order) -> Result<Vec<Order>, AppError> {
    let Some(customer) = &order.customer else {
        return Ok(Vec::new());
    };
    let mut found = order::of_customer(reader, actor, customer.id, EARLIER)?;
    found.retain(|other| other.id != order.id);
    Ok(found)
}

fn bins(
    reader: &Reader<'_>,
    actor: &Actor,
    order: &Order,
) -> Result<BTreeMap<String, String>, AppError> {
    let mut bins = BTreeMap::new();
    if !allows(actor.role, Permission::StockRead, Side::Branch) {
        return Ok(bins);
    }
    let waiting = order
        .lines
        .iter()
        .filter(|line| line.stock == Some(LineStock::Reserved))
        .filter_map(|line| line.sku.as_deref());
    for sku in waiting {
        // A part that left the catalogue has no place to show.
        if let Some(bin) = stock::get(reader, actor, sku).ok().and_then(|row| row.bin) {
            bins.insert(sku.to_owned(), bin);
        }
    }
    Ok(bins)
}

/// The company's rates, with those that the lines have already.
fn tax_rates(reader: &Reader<'_>, view: &OrderView) -> Result<Vec<u32>, AppError> {
    let company = catalogue::company(reader)?;
    let mut rates: Vec<u32> = company
        .into_iter()
        .flat_map(|company| company.tax_rates)
        .map(|rate| rate.bp)
        .collect();
    for line in &view.lines {
        if !rates.contains(&line.tax_bp) {
            rates.push(line.tax_bp);
        }
    }
    if rates.is_empty() {
        rates.push(0);
    }
    Ok(rates)
}

/// The services that fit the device come first.
fn services(reader: &Reader<'_>, actor: &Actor, view: &OrderView) -> Result<Vec<Preset>, AppError> {
    let mut services = settings::presets(reader, actor)?;
    let category = view.device.category.to_lowercase();
    services.retain(|preset| {
        preset.price.currency == view.currency
            && (preset.category.is_empty() || preset.category.to_lowercase() == category)
    });
    Ok(services)
}
