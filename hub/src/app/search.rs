//! Search: numbers, serials, devices and faults in the database; names, phones and e-mails in an index in memory.
//!
//! Personal values stand in clear nowhere but in that index and in answers. It is filled when it is first needed and
//! follows what the hub takes in; a person whose key has not come yet is tried again with each search.

use std::collections::{BTreeMap, BTreeSet};

use domain::customer::PersonValues;
use domain::id::DocumentId;
use domain::number::parse_order_number;
use domain::sensitive::Sensitive;
use domain::text::phone_digits;
use tokio::sync::{Mutex, broadcast};

use super::customer::{CustomerState, opened, these};
use super::error::AppError;
use super::order::{self, OrderFilter, OrderState};
use super::session::Person;
use super::watch::{Activity, Topic};
use super::{Hub, part};
use crate::store::customers::read::{CustomerFilter, CustomerRecord, customers};
use crate::store::inventory::read::PartRecord;
use crate::store::scope::Scope;

/// Fewest digits that are looked for in phone numbers.
const PHONE_DIGITS: usize = 3;

/// A person as the index has it: folded for comparison.
struct Entry {
    branch: domain::id::BranchId,
    created_ms: i64,
    name: Sensitive<String>,
    phone: Sensitive<String>,
    email: Sensitive<String>,
}

#[derive(Default)]
struct Filled {
    entries: BTreeMap<DocumentId, Entry>,
    /// Persons whose values did not open.
    closed: BTreeSet<DocumentId>,
}

struct Inner {
    filled: Option<Filled>,
    news: broadcast::Receiver<Activity>,
}

/// The index of persons.
pub struct People(Mutex<Inner>);

impl std::fmt::Debug for People {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("People")
    }
}

impl People {
    /// An empty index that listens to what the hub takes in.
    pub fn new(hub: &Hub) -> Self {
        People(Mutex::new(Inner {
            filled: None,
            news: hub.activity(),
        }))
    }

    /// Brings the index up to date.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn refresh(&self, hub: &Hub) -> Result<(), AppError> {
        self.0.lock().await.refresh(hub).await
    }

    /// Persons that a text means, best first, of those that `scope` may see.
    pub(crate) async fn find(
        &self,
        hub: &Hub,
        scope: &Scope,
        text: &str,
        limit: usize,
    ) -> Result<Vec<DocumentId>, AppError> {
        let mut inner = self.0.lock().await;
        inner.refresh(hub).await?;
        // `030 …` of the one who types is `+49 30 …` of the one who was asked.
        let (wanted, digits) = (fold(text), phone_digits(text));
        let digits = digits.trim_start_matches('0');
        let is_phone = digits.len() >= PHONE_DIGITS && !text.chars().any(char::is_alphabetic);
        let mut hits: Vec<(u8, i64, DocumentId)> = Vec::new();
        for (id, entry) in inner.filled.iter().flat_map(|filled| &filled.entries) {
            if !scope.allows(entry.branch) {
                continue;
            }
            let rank = if entry.name.expose().starts_with(wanted.as_str()) {
                0
            } else if wanted
                .split(' ')
                .all(|word| entry.name.expose().contains(word))
            {
                1
            } else if entry.email.expose().contains(wanted.as_str()) {
                2
            } else if is_phone && entry.phone.expose().contains(digits) {
                3
            } else {
                continue;
            };
            hits.push((rank, -entry.created_ms, *id));
        }
        hits.sort_unstable();
        Ok(hits.into_iter().take(limit).map(|(_, _, id)| id).collect())
    }
}

impl Inner {
    async fn refresh(&mut self, hub: &Hub) -> Result<(), AppError> {
        let mut changed = BTreeSet::new();
        loop {
            match self.news.try_recv() {
                // Another hub process wrote: it is not known what.
                Ok(news) if news.documents.is_empty() && news.topics.contains(&Topic::Orders) => {
                    self.filled = None
                }
                Ok(news) => changed.extend(news.documents),
                Err(broadcast::error::TryRecvError::Lagged(_)) => self.filled = None,
                Err(_) => break,
            }
        }
        let Some(filled) = &mut self.filled else {
            let mut filled = Filled::default();
            filled.take(hub, None).await?;
            self.filled = Some(filled);
            return Ok(());
        };
        changed.extend(filled.closed.iter().copied());
        if changed.is_empty() {
            Ok(())
        } else {
            filled.take(hub, Some(changed.into_iter().collect())).await
        }
    }
}

impl Filled {
    async fn take(&mut self, hub: &Hub, persons: Option<Vec<DocumentId>>) -> Result<(), AppError> {
        let filter = CustomerFilter {
            scope: Scope::Chain,
            persons,
            with_conflicts: false,
            place: None,
            limit: i64::MAX,
        };
        let records = {
            let mut connection = hub.snapshot().await?;
            customers(&mut connection, &filter).await?
        };
        let ids: Vec<DocumentId> = records.iter().map(|record| record.document).collect();
        let keys = hub.person_keys_of(&ids).await?;
        for record in records {
            let keys = keys.get(&record.document).map_or(&[][..], Vec::as_slice);
            let values = opened(&record.view, record.document, keys);
            self.put(&record, &values);
        }
        Ok(())
    }

    fn put(&mut self, record: &CustomerRecord, values: &PersonValues) {
        let text = |value: &Option<Sensitive<String>>| {
            value
                .as_ref()
                .map_or(String::new(), |value| value.expose().clone())
        };
        if values.name.is_none() && record.view.name.is_some() {
            self.closed.insert(record.document);
            self.entries.remove(&record.document);
            return;
        }
        self.closed.remove(&record.document);
        let entry = Entry {
            branch: record.view.home,
            created_ms: record.created_ms,
            name: Sensitive::new(fold(&text(&values.name))),
            phone: Sensitive::new(phone_digits(&text(&values.phone))),
            email: Sensitive::new(fold(&text(&values.email))),
        };
        self.entries.insert(record.document, entry);
    }
}

/// Lower case, one space between words, and the commonest accents left off.
fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        for letter in word.chars().flat_map(char::to_lowercase) {
            match letter {
                'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' => folded.push('a'),
                'è' | 'é' | 'ê' | 'ë' => folded.push('e'),
                'ì' | 'í' | 'î' | 'ï' => folded.push('i'),
                'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' => folded.push('o'),
                'ù' | 'ú' | 'û' | 'ü' => folded.push('u'),
                'ç' => folded.push('c'),
                'ñ' => folded.push('n'),
                'ß' => folded.push_str("ss"),
                other => folded.push(other),
            }
        }
    }
    folded
}

/// What was found, best first within each kind.
#[derive(Debug, Default)]
pub struct Found {
    /// Orders by number, serial, device, fault, or of the customers found.
    pub orders: Vec<OrderState>,
    /// Customers by name, phone, e-mail.
    pub customers: Vec<CustomerState>,
    /// Parts by sku, name, barcode.
    pub parts: Vec<PartRecord>,
}

/// Searches for what somebody typed.
///
/// # Errors
/// When the database fails.
pub async fn search(
    hub: &Hub,
    people: &People,
    person: &Person,
    typed: &str,
    limit: usize,
) -> Result<Found, AppError> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Ok(Found::default());
    }
    let wanted = i64::try_from(limit).unwrap_or(i64::MAX);
    let hits = people.find(hub, &person.scope(), typed, limit).await?;
    let mut customers = these(hub, person.scope(), hits.clone()).await?;
    customers.sort_by_key(|customer| hits.iter().position(|id| *id == customer.record.document));
    let number = parse_order_number(typed).unwrap_or_else(|_| typed.to_owned());
    let newest = || OrderFilter::newest(person.scope(), wanted);
    let mut orders = order::list(
        hub,
        &OrderFilter {
            number: Some(number),
            ..newest()
        },
    )
    .await?;
    add(
        &mut orders,
        order::list(
            hub,
            &OrderFilter {
                words: Some(typed.to_owned()),
                ..newest()
            },
        )
        .await?,
        limit,
    );
    if !hits.is_empty() {
        add(
            &mut orders,
            order::list(
                hub,
                &OrderFilter {
                    customers: Some(hits),
                    ..newest()
                },
            )
            .await?,
            limit,
        );
    }
    let parts = part::list(hub, Some(typed), None, wanted).await?;
    Ok(Found {
        orders,
        customers,
        parts,
    })
}

fn add(orders: &mut Vec<OrderState>, more: Vec<OrderState>, limit: usize) {
    for order in more {
        let is_new = orders
            .iter()
            .all(|known| known.record.document != order.record.document);
        if is_new && orders.len() < limit {
            orders.push(order);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_without_case_and_accents() {
        assert_eq!(fold("  Éloïse   MÜLLER-Weiß "), "eloise muller-weiss");
    }
}
