//! People for branches that do not hold them: found by what a clerk typed, and brought to the branch on demand.
//!
//! A branch learns of somebody only as much as tells two of one name apart; the person's values come with the document,
//! and that somebody had them brought stays in the log. What was typed is kept nowhere.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::customer::read_customer;
use domain::document::DocumentKind;
use domain::id::{BranchId, DocumentId, StaffId};
use domain::text::phone_digits;
use sync_protocol::certificate::NodeName;
use sync_protocol::feed::FeedId;
use sync_protocol::item::{self, AuditNote, Item, command};
use sync_protocol::limits::{
    LOOK_UP_NAME_BYTES, LOOK_UP_PEOPLE, LOOK_UP_REACH_BYTES, LOOK_UP_TEXT_CHARS,
};
use sync_protocol::look_up::{Ask, Attached, Find, Found, FoundPerson, LookUp, Refusal, Reply};

use super::command::{Actor, HubTx};
use super::customer::{CustomerState, these};
use super::error::AppError;
use super::{Hub, branch};
use crate::error::HubError;
use crate::store::customers::erased;
use crate::store::orders::read::counts_of_customers;
use crate::store::scope::Scope;
use crate::store::sync::{document, feed, node};

/// People looked at for one question: those whom the branch holds already stand behind the others.
const HITS: usize = 40;
/// Steps from one who was joined with another to the one that stays.
const JOINED_MAX: usize = 8;
/// Digits of a phone number that are shown.
const DIGITS_SHOWN: usize = 4;

/// Answers what somebody at a branch asks. The node is the one of the connection's certificate.
pub async fn answer(hub: &Arc<Hub>, name: NodeName, asked: &LookUp) -> Reply {
    let done = match asked.ask() {
        Ok(Some(Ask::Find(wanted))) => find(hub, name.branch, &wanted).await.map(Reply::Found),
        Ok(Some(Ask::Attach(wanted))) => attach(hub, name, asked.staff, wanted.person).await,
        Ok(None) | Err(_) => Ok(Reply::Refused(Refusal::NotUnderstood)),
    };
    done.unwrap_or_else(|error| {
        tracing::warn!(%error, node = %name.node, "a look-up failed");
        Reply::Refused(Refusal::Busy)
    })
}

/// People of the whole chain who may be meant; those whom the branch does not hold stand first.
async fn find(hub: &Hub, branch: BranchId, wanted: &Find) -> Result<Found, AppError> {
    let text = wanted.text.trim();
    if text.chars().count() < LOOK_UP_TEXT_CHARS {
        return Ok(Found { people: Vec::new() });
    }
    let hits = hub.people().find(hub, &Scope::Chain, text, HITS).await?;
    let people = staying(hub, hits).await?;
    let ids: Vec<DocumentId> = people.iter().map(|person| person.record.document).collect();
    let (here, gone, orders) = {
        let mut connection = hub.snapshot().await?;
        let interest = document::interest(&mut connection, &ids).await?;
        let here: BTreeSet<DocumentId> = interest
            .into_iter()
            .filter(|(_, serving)| *serving == branch)
            .map(|(person, _)| person)
            .collect();
        let gone = erased(&mut connection, &ids).await?;
        let orders = counts_of_customers(&mut connection, &ids).await?;
        (here, gone, BTreeMap::from_iter(orders))
    };
    let mut people: Vec<FoundPerson> = people
        .into_iter()
        .filter(|person| !gone.contains(&person.record.document))
        .filter_map(|person| {
            let id = person.record.document;
            let orders = orders.get(&id).copied().unwrap_or(0);
            shown(&person, orders, here.contains(&id))
        })
        .collect();
    people.sort_by_key(|person| person.attached);
    people.truncate(usize::from(wanted.limit).min(LOOK_UP_PEOPLE));
    Ok(Found { people })
}

/// These people in their order, of those who were joined the one that stays.
async fn staying(hub: &Hub, hits: Vec<DocumentId>) -> Result<Vec<CustomerState>, AppError> {
    let mut known: BTreeMap<DocumentId, CustomerState> = BTreeMap::new();
    let mut wanted = hits.clone();
    for _ in 0..JOINED_MAX {
        let found = these(hub, Scope::Chain, wanted).await?;
        wanted = found
            .iter()
            .filter_map(|person| person.record.view.merged_into)
            .filter(|into| !known.contains_key(into))
            .collect();
        known.extend(
            found
                .into_iter()
                .map(|person| (person.record.document, person)),
        );
        if wanted.is_empty() {
            break;
        }
    }
    let mut people = Vec::new();
    for hit in hits {
        let mut id = hit;
        for _ in 0..JOINED_MAX {
            match known
                .get(&id)
                .and_then(|person| person.record.view.merged_into)
            {
                Some(into) => id = into,
                None => break,
            }
        }
        // Who was found by two names is taken once.
        people.extend(
            known
                .remove(&id)
                .filter(|person| person.record.view.merged_into.is_none()),
        );
    }
    Ok(people)
}

fn shown(person: &CustomerState, orders: i64, attached: bool) -> Option<FoundPerson> {
    let values = &person.values;
    let name = values.name.as_ref()?.expose();
    let phone = values
        .phone
        .as_ref()
        .map(|phone| end_of_phone(phone.expose()));
    let email = values
        .email
        .as_ref()
        .map(|email| begin_of_email(email.expose()));
    Some(FoundPerson {
        person: person.record.document,
        name: cut(name, LOOK_UP_NAME_BYTES),
        reach: cut(&phone.or(email).unwrap_or_default(), LOOK_UP_REACH_BYTES),
        home: person.record.view.home,
        orders: u32::try_from(orders).unwrap_or(u32::MAX),
        attached,
    })
}

fn end_of_phone(phone: &str) -> String {
    let digits = phone_digits(phone);
    // Of a short number less is shown, so that something stays hidden.
    let shown = DIGITS_SHOWN.min(digits.len() / 2);
    format!(
        "…{}",
        digits.get(digits.len() - shown..).unwrap_or_default()
    )
}

fn begin_of_email(email: &str) -> String {
    match (email.chars().next(), email.split_once('@')) {
        (Some(first), Some((_, place))) => format!("{first}…@{place}"),
        _ => String::new(),
    }
}

fn cut(text: &str, bytes: usize) -> String {
    let end = (0..=bytes.min(text.len())).rev();
    let end = end.into_iter().find(|end| text.is_char_boundary(*end));
    text.get(..end.unwrap_or(0)).unwrap_or_default().to_owned()
}

/// Gives a branch a person: the document's snapshot goes into its private feed, and its key before it. Under the
/// document's lock, so that no change is missed and a second time is no second effect.
async fn attach(
    hub: &Arc<Hub>,
    name: NodeName,
    staff: StaffId,
    person: DocumentId,
) -> Result<Reply, AppError> {
    let actor = Actor { staff, terminal: 0 };
    let mut tx = hub.begin(actor, command::BRING).await?;
    let speaks = node::find(tx.sql(), name.node).await?;
    if speaks.is_none_or(|row| row.revoked.is_some() || row.closed || row.branch != name.branch) {
        return Ok(Reply::Refused(Refusal::NotAdmitted));
    }
    let Some(person) = who_stays(&mut tx, person).await? else {
        return Ok(Reply::Refused(Refusal::Unknown));
    };
    if !erased(tx.sql(), &[person]).await?.is_empty() {
        return Ok(Reply::Refused(Refusal::Erased));
    }
    let interest = document::interest(tx.sql(), &[person]).await?;
    let already = interest.contains(&(person, name.branch));
    if already {
        drop(tx);
    } else {
        let codes = branch::codes(tx.sql()).await?;
        tx.fact(Item::Attach(item::Attach {
            document: person,
            branch: name.branch,
        }));
        tx.fact(Item::Note(AuditNote {
            subject: *person.as_bytes(),
            text: format!("brought to {}", branch::code_of(&codes, name.branch)),
        }));
        tx.commit().await?;
        tracing::info!(branch = %name.branch, %staff, %person, "a person was brought to a branch");
    }
    Ok(Reply::Attached(Attached {
        person,
        feed_n: feed_end(hub, name.branch).await?,
        already,
    }))
}

/// The person, or who took the person's place.
async fn who_stays(tx: &mut HubTx, mut person: DocumentId) -> Result<Option<DocumentId>, AppError> {
    for _ in 0..JOINED_MAX {
        let found = tx.document(person).await?;
        let Some(document) = found.filter(|found| found.kind() == DocumentKind::Customer) else {
            return Ok(None);
        };
        match read_customer(document.automerge())?.merged_into {
            Some(into) => person = into,
            None => return Ok(Some(person)),
        }
    }
    Ok(None)
}

async fn feed_end(hub: &Hub, branch: BranchId) -> Result<u64, HubError> {
    let mut connection = hub.pool().acquire().await?;
    let tips = feed::tips(&mut connection, &[FeedId::private(branch)]).await?;
    Ok(tips.first().map_or(0, |(_, tip)| tip.n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reaches_a_person_is_hinted_at_and_not_told() {
        assert_eq!(end_of_phone("+49 30 5557731"), "…7731");
        assert_eq!(end_of_phone("12345"), "…45");
        assert_eq!(end_of_phone("1"), "…");
        assert_eq!(begin_of_email("jg@example.org"), "j…@example.org");
        assert_eq!(begin_of_email("nonsense"), "");
        assert_eq!(cut("Zoë", 3), "Zo");
    }
}
