//! Parked transactions: seen with who wrote them, released or dropped by a person with a reason.
//!
//! A release is a transaction of the hub whose verdict makes `super::apply` take the parked items through the same
//! checks and the same application as a log that comes in. Where they are refused again, nothing is written.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::id::StaffId;
use domain::text::{NOTE_MAX, clean_block};
use serde_json::json;
use sync_protocol::item::{Item, Verdict, VerdictKind, command};

use super::error::AppError;
use super::exceptions::ParkedRecord;
use super::idempotency::{Answer, Answered, Request, once};
use super::session::Person;
use super::{Hub, HubTx};
use crate::error::{HubError, refuses_values};
use crate::store::scope::Scope;
use crate::store::staff;
use crate::store::sync::{parked as store, read};

/// Something parked that waits, with the name of who wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedEntry {
    /// What is parked.
    pub record: ParkedRecord,
    /// Who wrote it; none for the system.
    pub writer: Option<String>,
}

/// What waits for a decision, the newest first.
///
/// # Errors
/// When the database fails.
pub async fn open(hub: &Hub, scope: &Scope, limit: i64) -> Result<Vec<ParkedEntry>, AppError> {
    let mut connection = hub.snapshot().await?;
    let found = read::parked_in(&mut connection, scope, Some(1), None, limit).await?;
    let mut ids: Vec<StaffId> = found
        .iter()
        .map(|record| StaffId::from_bytes(record.staff))
        .collect();
    ids.sort_unstable();
    ids.dedup();
    let names: BTreeMap<StaffId, String> = staff::people(&mut connection, Some(&ids))
        .await?
        .into_iter()
        .map(|row| (row.id, row.fields.name))
        .collect();
    let entry = |record: ParkedRecord| ParkedEntry {
        writer: names.get(&StaffId::from_bytes(record.staff)).cloned(),
        record,
    };
    Ok(found.into_iter().map(entry).collect())
}

/// What a person decides about something parked.
#[derive(Debug, Clone)]
pub struct Settlement {
    /// Its id.
    pub id: [u8; 16],
    /// Released or dropped.
    pub verdict: VerdictKind,
    /// Why.
    pub reason: String,
}

/// Releases or drops something parked, once for each key. The answer's body names its id and what became of it.
///
/// # Errors
/// Nothing parked of this id, one that is settled already, a missing reason, and for a release what the checks still
/// refuse.
pub async fn settle(
    hub: &Arc<Hub>,
    person: &Person,
    request: &Request,
    settlement: Settlement,
) -> Result<Answered, AppError> {
    let actor = person.actor();
    let person = person.clone();
    let settled = once(hub, actor, command::VERDICT, request, move |tx| {
        Box::pin(async move { decide(tx, &person, settlement).await })
    });
    settled.await.map_err(still_refused)
}

async fn decide(
    tx: &mut HubTx,
    person: &Person,
    settlement: Settlement,
) -> Result<Answer, AppError> {
    let Settlement {
        id,
        verdict,
        reason,
    } = settlement;
    let missing = AppError::NotFound {
        what: "parked entry",
    };
    let row = store::by_id(tx.sql(), id).await?.ok_or(missing)?;
    person.require_branch(row.branch)?;
    let reason =
        clean_block(&reason, NOTE_MAX).map_err(|error| AppError::field("/reason", error))?;
    if reason.is_empty() {
        return Err(AppError::field("/reason", "must say why"));
    }
    let state = match verdict {
        VerdictKind::Released => "released",
        _ => "dropped",
    };
    if row.state != 1 {
        let now = if row.state == 2 {
            "released"
        } else {
            "dropped"
        };
        let detail = format!("this entry was {now} already");
        return Err(AppError::conflict("settled", detail).with("state", now));
    }
    tx.fact(Item::Verdict(Verdict {
        position: row.position,
        item: u16::try_from(row.item).ok(),
        verdict,
        reason,
    }));
    Ok(Answer {
        status: 200,
        tag: None,
        body: json!({ "id": domain::id::format_uuid(&id), "state": state }),
    })
}

/// What the checks or the database refuse again is the state of things, not the caller's form.
fn still_refused(error: AppError) -> AppError {
    let conflict = |detail: String| AppError::conflict("still-refused", detail);
    match error {
        AppError::Invalid(problems)
            if problems.iter().all(|problem| problem.pointer.is_empty()) =>
        {
            let said: Vec<String> = problems.into_iter().map(|problem| problem.detail).collect();
            conflict(format!("the checks still refuse it: {}", said.join("; ")))
        }
        AppError::Hub(HubError::Database(error)) if refuses_values(&error) => {
            conflict("the database still refuses it".to_owned())
        }
        other => other,
    }
}
