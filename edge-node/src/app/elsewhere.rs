//! People whom this branch does not hold: found at the hub, and brought here.
//!
//! Nothing here is needed to serve somebody: cut off, the answer says so and the person is taken in anew. What was
//! typed goes to the hub and is kept nowhere. A person who is here already is never asked for.

use std::future::Future;
use std::time::Duration;

use domain::id::{DocumentId, StaffId};
use domain::permission::Permission;
use serde::{Deserialize, Serialize};
use sync_protocol::limits::{LOOK_UP_PEOPLE, LOOK_UP_TEXT_BYTES, LOOK_UP_TEXT_CHARS};
use sync_protocol::look_up::{Ask, Attach, Find, Found, Refusal, Reply};
use thiserror::Error;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::timeout;
use utoipa::ToSchema;

use super::require;
use crate::error::{AppError, StoreError};
use crate::store::{Actor, Reader, Store, catalogue, customer};
use web_kit::wire::Personal;

/// How long a person who was promised may be on the way.
const HERE_WITHIN: Duration = Duration::from_secs(5);
/// Steps from one who was joined with another to the one that stays.
const JOINED_MAX: usize = 8;

/// The hub, as far as it is asked about people.
pub trait Elsewhere: Sync {
    /// Asks; the answer comes soon, or an error that says why not.
    fn look_up(
        &self,
        staff: StaffId,
        ask: Ask,
    ) -> impl Future<Output = Result<Reply, ElsewhereError>> + Send;
}

/// Why nobody was found or brought.
#[derive(Debug, Error)]
pub enum ElsewhereError {
    /// No line.
    #[error(
        "the line to the hub is cut: take the person in as new, the two are put together later"
    )]
    CutOff,
    /// The hub did not answer in time.
    #[error("the hub did not answer: try again, or take the person in as new")]
    NoAnswer,
    /// Too many questions.
    #[error("the hub was asked too often: try again in a few seconds")]
    TooMany,
    /// The person is on the way.
    #[error("the person is on the way here: try again in a moment")]
    OnTheWay,
    /// The hub runs an older program.
    #[error("this hub cannot be asked about people: its program is older")]
    OlderHub,
    /// Nobody, or somebody who was erased.
    #[error("there is no such customer")]
    Unknown,
    /// Something else was wrong.
    #[error(transparent)]
    App(#[from] AppError),
}

/// Whom to look for in the chain.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LookUpInput {
    /// A name, digits of a phone or an e-mail: three characters at least.
    #[schema(value_type = String, min_length = 3, max_length = 400)]
    pub q: Personal,
    /// People wanted.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 10, default = 10)]
    pub limit: Option<u32>,
}

/// People of other branches, best first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LookUpResult {
    /// The people; those who are here are not among them.
    pub people: Vec<PersonElsewhere>,
}

/// Somebody whom another branch serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PersonElsewhere {
    /// The person's id.
    #[schema(value_type = String, format = "uuid")]
    pub id: DocumentId,
    /// Name.
    #[schema(value_type = String)]
    pub name: Personal,
    /// The end of the phone number or the beginning of the e-mail; the rest is hidden until the person is here.
    #[schema(value_type = String)]
    pub reach: Personal,
    /// Code of the branch where the person was first served; empty where this branch does not know it.
    pub branch: String,
    /// That branch's name.
    pub branch_name: String,
    /// Orders of the person in the chain.
    pub orders: u32,
}

/// Whether so short a text can be looked up.
pub fn is_long_enough(text: &str) -> bool {
    text.trim().chars().count() >= LOOK_UP_TEXT_CHARS
}

/// People of other branches who may be meant.
///
/// # Errors
/// Wrong input, or why the hub cannot be asked.
pub async fn find(
    store: &Store,
    hub: &impl Elsewhere,
    actor: &Actor,
    input: &LookUpInput,
) -> Result<LookUpResult, ElsewhereError> {
    require(actor, Permission::CustomersRead)?;
    let limit = input.limit.unwrap_or(LOOK_UP_PEOPLE as u32);
    let text = checked(input.q.expose(), limit)?;
    let ask = Ask::Find(Find {
        text,
        limit: u8::try_from(limit).unwrap_or(u8::MAX),
    });
    match hub.look_up(actor.staff, ask).await? {
        Reply::Found(found) => Ok(store
            .read(move |reader| strangers(reader, found))
            .await
            .map(|people| LookUpResult { people })?),
        Reply::Refused(refusal) => Err(refusal.into()),
        Reply::Attached(_) => Err(ElsewhereError::OlderHub),
    }
}

fn checked(text: &str, limit: u32) -> Result<String, AppError> {
    let text = text.trim();
    if !is_long_enough(text) {
        return Err(AppError::field(
            "/q",
            format!("must have at least {LOOK_UP_TEXT_CHARS} characters"),
        ));
    }
    if text.len() > LOOK_UP_TEXT_BYTES {
        return Err(AppError::field(
            "/q",
            format!("must not be longer than {LOOK_UP_TEXT_BYTES} bytes"),
        ));
    }
    if !(1..=LOOK_UP_PEOPLE as u32).contains(&limit) {
        return Err(AppError::field(
            "/limit",
            format!("must be a whole number from 1 to {LOOK_UP_PEOPLE}"),
        ));
    }
    Ok(text.to_owned())
}

/// Those who are not here.
fn strangers(reader: &Reader<'_>, found: Found) -> Result<Vec<PersonElsewhere>, AppError> {
    let mut people = Vec::new();
    for person in found.people {
        if person.attached || customer::get(reader, person.person)?.is_some() {
            continue;
        }
        let home = catalogue::branch(reader, person.home)?;
        let (branch, branch_name) = home.map(|row| (row.code, row.name)).unwrap_or_default();
        people.push(PersonElsewhere {
            id: person.person,
            name: Personal::new(person.name),
            reach: Personal::new(person.reach),
            branch,
            branch_name,
            orders: person.orders,
        });
    }
    Ok(people)
}

/// Brings a person here and waits until the person is; of one who was joined with another it is the one that stays.
/// Who is here already stays without a question to anybody.
///
/// # Errors
/// Why the person does not come.
pub async fn bring(
    store: &Store,
    hub: &impl Elsewhere,
    actor: &Actor,
    person: DocumentId,
) -> Result<DocumentId, ElsewhereError> {
    require(actor, Permission::CustomersWrite)?;
    if let Some(here) = who_is_here(store, person).await? {
        return Ok(here);
    }
    // Listening begins before the question, so that the arrival cannot be missed.
    let mut notices = store.notices();
    let ask = Ask::Attach(Attach { person });
    let person = match hub.look_up(actor.staff, ask).await? {
        Reply::Attached(attached) => attached.person,
        Reply::Refused(refusal) => return Err(refusal.into()),
        Reply::Found(_) => return Err(ElsewhereError::OlderHub),
    };
    let arrival = async {
        loop {
            if let Some(here) = who_is_here(store, person).await? {
                return Ok(here);
            }
            if let Err(RecvError::Closed) = notices.recv().await {
                return Err(AppError::from(StoreError::Closed));
            }
        }
    };
    match timeout(HERE_WITHIN, arrival).await {
        Ok(arrived) => Ok(arrived?),
        Err(_) => Err(ElsewhereError::OnTheWay),
    }
}

async fn who_is_here(store: &Store, person: DocumentId) -> Result<Option<DocumentId>, AppError> {
    store
        .read(move |reader| {
            let mut id = person;
            for _ in 0..JOINED_MAX {
                match customer::get(reader, id)? {
                    None => return Ok(None),
                    Some(record) => match record.merged_into {
                        Some(into) => id = into,
                        None => return Ok(Some(id)),
                    },
                }
            }
            Ok(None)
        })
        .await
}

impl From<Refusal> for ElsewhereError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotUnderstood => Self::OlderHub,
            Refusal::NotAdmitted | Refusal::Busy => Self::NoAnswer,
            Refusal::TooMany => Self::TooMany,
            Refusal::Unknown | Refusal::Erased => Self::Unknown,
        }
    }
}
