//! Live look-ups: a branch asks the hub about people whom it does not hold, and gets one brought.
//!
//! Frames 19 and 20 on a control stream. What is asked and what is answered stand behind a kind of their own, so that
//! a side that does not know a kind can say so instead of ending the connection. Nothing here prints what somebody
//! typed, or a person's values.

use std::fmt;

use domain::id::{BranchId, DocumentId, StaffId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::DecodeError;
use crate::frame::{self, FrameType};
use crate::item::{decode_body, encode_body};
use crate::limits::{
    LOOK_UP_BYTES, LOOK_UP_NAME_BYTES, LOOK_UP_PEOPLE, LOOK_UP_REACH_BYTES, LOOK_UP_TEXT_BYTES,
};

const FIND: u8 = 1;
const ATTACH: u8 = 2;
const FOUND: u8 = 1;
const ATTACHED: u8 = 2;
const REFUSED: u8 = 3;

/// Frame 19: somebody at a branch asks.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookUp {
    /// Chosen by the branch; the answer carries it again.
    pub id: u64,
    /// Who asks.
    pub staff: StaffId,
    kind: u8,
    body: Vec<u8>,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// Who may be meant by a text?
    Find(Find),
    /// Bring this person to the branch that asks.
    Attach(Attach),
}

/// Who may be meant by a text?
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Find {
    /// A name, digits of a phone or an e-mail, as typed.
    pub text: String,
    /// How many people are wanted at most.
    pub limit: u8,
}

/// Bring this person to the branch that asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attach {
    /// The customer document.
    pub person: DocumentId,
}

/// Frame 20: the hub answers.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookUpAnswer {
    /// The id of what was asked.
    pub id: u64,
    kind: u8,
    body: Vec<u8>,
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// These may be meant.
    Found(Found),
    /// The person comes.
    Attached(Attached),
    /// Nothing was done.
    Refused(Refusal),
}

/// People who may be meant, best first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// The people.
    pub people: Vec<FoundPerson>,
}

/// Somebody who may be meant: enough to tell two of one name apart, no more.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundPerson {
    /// The customer document.
    pub person: DocumentId,
    /// Name.
    pub name: String,
    /// The end of a phone number, or of what stands before the `@` its beginning; the rest is hidden.
    pub reach: String,
    /// Where the person was first served.
    pub home: BranchId,
    /// Orders of the person in the whole chain.
    pub orders: u32,
    /// Whether the branch that asks has the person already.
    pub attached: bool,
}

/// The person comes to the branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attached {
    /// The customer document: of one who was joined with another, the one that stays.
    pub person: DocumentId,
    /// The branch has the person when its private feed is applied up to this number.
    pub feed_n: u64,
    /// Whether the branch had the person before.
    pub already: bool,
}

/// Why nothing was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Refusal {
    /// A kind of question that this hub does not know.
    NotUnderstood = 1,
    /// No session is open on this connection, or the node may not speak any more.
    NotAdmitted = 2,
    /// Too many questions; ask again in a few seconds.
    TooMany = 3,
    /// There is no such person.
    Unknown = 4,
    /// The person was erased.
    Erased = 5,
    /// The hub cannot answer just now.
    Busy = 6,
}

impl Refusal {
    const ALL: [Refusal; 6] = [
        Refusal::NotUnderstood,
        Refusal::NotAdmitted,
        Refusal::TooMany,
        Refusal::Unknown,
        Refusal::Erased,
        Refusal::Busy,
    ];

    /// Reads the number; a reason of a newer hub reads as busy.
    fn from_code(code: u8) -> Self {
        let mut all = Refusal::ALL.into_iter();
        all.find(|reason| *reason as u8 == code)
            .unwrap_or(Refusal::Busy)
    }
}

impl fmt::Debug for LookUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LookUp")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Find {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Find")
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for LookUpAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LookUpAnswer")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for FoundPerson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FoundPerson")
            .field("person", &self.person)
            .field("home", &self.home)
            .finish_non_exhaustive()
    }
}

impl LookUp {
    /// A question.
    pub fn new(id: u64, staff: StaffId, ask: &Ask) -> Self {
        let (kind, body) = match ask {
            Ask::Find(find) => (FIND, encode_body(find)),
            Ask::Attach(attach) => (ATTACH, encode_body(attach)),
        };
        LookUp {
            id,
            staff,
            kind,
            body,
        }
    }

    /// What is asked; `None` for a kind that this version does not know.
    pub fn ask(&self) -> Result<Option<Ask>, DecodeError> {
        match self.kind {
            FIND => {
                let find: Find = decode_body(&self.body, "Find")?;
                at_most("text of Find", find.text.len(), LOOK_UP_TEXT_BYTES)?;
                Ok(Some(Ask::Find(find)))
            }
            ATTACH => Ok(Some(Ask::Attach(decode_body(&self.body, "Attach")?))),
            _ => Ok(None),
        }
    }

    /// The frame's bytes.
    pub fn to_frame(&self) -> Vec<u8> {
        frame::encode(FrameType::LookUp, &encode_body(self))
    }

    /// Reads a frame body.
    pub fn from_body(body: &[u8]) -> Result<Self, DecodeError> {
        bounded(body, "LookUp")
    }
}

impl LookUpAnswer {
    /// An answer to the question `id`.
    pub fn new(id: u64, reply: &Reply) -> Self {
        let (kind, body) = match reply {
            Reply::Found(found) => (FOUND, encode_body(found)),
            Reply::Attached(attached) => (ATTACHED, encode_body(attached)),
            Reply::Refused(refusal) => (REFUSED, vec![*refusal as u8]),
        };
        LookUpAnswer { id, kind, body }
    }

    /// What is answered; `None` for a kind that this version does not know.
    pub fn reply(&self) -> Result<Option<Reply>, DecodeError> {
        match self.kind {
            FOUND => {
                let found: Found = decode_body(&self.body, "Found")?;
                at_most("people in Found", found.people.len(), LOOK_UP_PEOPLE)?;
                for person in &found.people {
                    at_most("name in Found", person.name.len(), LOOK_UP_NAME_BYTES)?;
                    at_most("reach in Found", person.reach.len(), LOOK_UP_REACH_BYTES)?;
                }
                Ok(Some(Reply::Found(found)))
            }
            ATTACHED => {
                let attached = decode_body(&self.body, "Attached")?;
                Ok(Some(Reply::Attached(attached)))
            }
            REFUSED => {
                let code: u8 = decode_body(&self.body, "Refused")?;
                Ok(Some(Reply::Refused(Refusal::from_code(code))))
            }
            _ => Ok(None),
        }
    }

    /// The frame's bytes.
    pub fn to_frame(&self) -> Vec<u8> {
        frame::encode(FrameType::LookUpAnswer, &encode_body(self))
    }

    /// Reads a frame body.
    pub fn from_body(body: &[u8]) -> Result<Self, DecodeError> {
        bounded(body, "LookUpAnswer")
    }
}

fn bounded<T: DeserializeOwned>(body: &[u8], what: &'static str) -> Result<T, DecodeError> {
    at_most(what, body.len(), LOOK_UP_BYTES)?;
    decode_body(body, what)
}

fn at_most(what: &'static str, value: usize, limit: usize) -> Result<(), DecodeError> {
    if value > limit {
        return Err(DecodeError::Limit {
            what,
            value: value as u64,
            limit: limit as u64,
        });
    }
    Ok(())
}
