//! What somebody scanned or typed into the till: a receipt, an order, an article, or a name.

use domain::id::DocumentId;
use domain::number::parse_order_number;
use domain::order::Status;
use domain::permission::{Permission, Side, allows};
use domain::till::{PaperKind, paper_number, parse_paper_number};
use web_kit::wire::{Personal, money};

use super::shown::FoundPerson;
use crate::app::search::{self, FoundCustomer, FoundOrder, SearchInput};
use crate::app::stock::find_part;
use crate::error::AppError;
use crate::store::money::{account, receipt};
use crate::store::{Actor, Reader, order as orders};

/// Most orders that a name is answered with.
const FOUND: usize = 6;
/// Most people.
const PEOPLE_FOUND: usize = 3;

/// What a scanned or typed code means.
pub(super) enum Meant {
    /// A receipt.
    Receipt(String),
    Order(DocumentId),
    Part(String),
    /// Orders of somebody, and people who buy on account.
    Some(Vec<FoundOrder>, Vec<FoundPerson>),
    Nothing,
}

pub(super) fn meant(reader: &Reader<'_>, actor: &Actor, typed: &str) -> Result<Meant, AppError> {
    let own = &reader.identity().code;
    if let Ok((code, PaperKind::Receipt, series, number)) = parse_paper_number(typed)
        && code == *own
        && receipt::by_number(reader, series, number)?.is_some()
    {
        let number = paper_number(own, PaperKind::Receipt, series, number);
        return Ok(Meant::Receipt(number));
    }
    let whole =
        parse_order_number(typed).or_else(|_| parse_order_number(&format!("{own}-{typed}")));
    if let Ok(number) = &whole
        && let [only] = numbered(reader, number)?.as_slice()
    {
        return Ok(Meant::Order(*only));
    }
    match find_part(reader, typed) {
        Ok((_, row)) => return Ok(Meant::Part(row.sku)),
        Err(AppError::NotFound { .. }) => {}
        Err(error) => return Err(error),
    }
    if !allows(actor.role, Permission::Search, Side::Branch) {
        return Ok(Meant::Nothing);
    }
    let wanted = SearchInput {
        q: Personal::new(typed),
        limit: None,
    };
    let answer = search::find(reader, actor, &wanted)?;
    let people = on_account(reader, answer.customers)?;
    let mut found = answer.orders;
    found.retain(|order| !matches!(order.status, Status::Collected | Status::Cancelled));
    found.sort_by_key(|order| order.status != Status::Ready);
    found.truncate(FOUND);
    Ok(match found.is_empty() && people.is_empty() {
        true => Meant::Nothing,
        false => Meant::Some(found, people),
    })
}

/// Those who may buy on account, or owe something.
fn on_account(
    reader: &Reader<'_>,
    found: Vec<FoundCustomer>,
) -> Result<Vec<FoundPerson>, AppError> {
    let currency = reader.settings()?.currency;
    let mut people = Vec::new();
    for customer in found {
        let owed = account::owed_by(reader, customer.id)?;
        if owed > 0 || account::account(reader, customer.id)?.is_some() {
            people.push(FoundPerson {
                id: customer.id,
                name: customer
                    .name
                    .map_or_else(String::new, |name| name.expose().to_owned()),
                owed: money(owed, currency),
            });
        }
        if people.len() == PEOPLE_FOUND {
            break;
        }
    }
    Ok(people)
}

fn numbered(reader: &Reader<'_>, number: &str) -> Result<Vec<DocumentId>, AppError> {
    let filter = orders::OrderFilter {
        number_or_serial: Some(number.to_owned()),
        ..orders::OrderFilter::default()
    };
    let found = orders::list(reader, &filter, 2)?;
    Ok(found.into_iter().map(|record| record.id).collect())
}
