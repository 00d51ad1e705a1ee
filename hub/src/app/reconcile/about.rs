//! What stands around a night: its neighbours, branches that have none yet, and what its records are about.

use std::collections::BTreeMap;

use domain::document::DocumentKind;
use domain::id::{DocumentId, PartId, TransferId};

use super::read::RecordView;
use crate::app::Hub;
use crate::app::error::AppError;
use crate::app::exceptions::Subject;
use crate::app::session::Person;
use crate::store::inventory::read::part_names;
use crate::store::orders::day::numbers;
use crate::store::reconciliation::day::{branches, first_day};
use crate::store::reconciliation::run as store;
use crate::store::sync::read::documents_of;

/// The nearest days with a night that the person may see: before this one, and after it.
///
/// # Errors
/// When the database fails.
pub async fn around(
    hub: &Hub,
    person: &Person,
    day: i32,
) -> Result<(Option<i32>, Option<i32>), AppError> {
    let mut sql = hub.snapshot().await?;
    Ok(store::around(&mut sql, &person.scope(), day).await?)
}

/// Codes of branches that the person may see, that worked on that day or before, and whose night of it was never begun.
///
/// # Errors
/// When the database fails.
pub async fn missing(hub: &Hub, person: &Person, day: i32) -> Result<Vec<String>, AppError> {
    let mut sql = hub.snapshot().await?;
    let runs = store::of_day(&mut sql, day).await?;
    let mut codes = Vec::new();
    for branch in branches(&mut sql).await? {
        let is_there = runs.iter().any(|run| run.branch == branch.id);
        if is_there || !person.scope().allows(branch.id) {
            continue;
        }
        let first = first_day(&mut sql, branch.id).await?;
        if first.is_some_and(|first| first <= day) {
            codes.push(branch.code);
        }
    }
    Ok(codes)
}

/// What records are about, by their subjects; what has no page of its own is not among them.
///
/// # Errors
/// When the database fails.
pub async fn subjects(
    hub: &Hub,
    records: &[&RecordView],
) -> Result<BTreeMap<String, Subject>, AppError> {
    let of_kinds = |kinds: &[&str]| {
        let wanted = records
            .iter()
            .filter(|record| kinds.contains(&record.kind.as_str()));
        wanted
            .map(|record| record.subject.as_str())
            .collect::<Vec<&str>>()
    };
    let documents: Vec<DocumentId> = of_kinds(&["order", "document"])
        .into_iter()
        .filter_map(|subject| subject.parse().ok())
        .collect();
    let parts: Vec<PartId> = of_kinds(&["part"])
        .into_iter()
        .filter_map(|subject| subject.parse().ok())
        .collect();
    let mut known = BTreeMap::new();
    let mut sql = hub.snapshot().await?;
    for document in documents_of(&mut sql, &documents).await? {
        if document.kind == Some(DocumentKind::Customer) {
            known.insert(document.id.to_string(), Subject::Customer(document.id));
        }
    }
    for (id, number) in numbers(&mut sql, &documents).await? {
        known.insert(id.to_string(), Subject::Order { id, number });
    }
    for (id, sku, name) in part_names(&mut sql, &parts).await? {
        known.insert(id.to_string(), Subject::Part { sku, name });
    }
    for subject in of_kinds(&["transfer"]) {
        if let Ok(id) = subject.parse::<TransferId>() {
            known.insert(subject.to_owned(), Subject::Transfer(id));
        }
    }
    Ok(known)
}
