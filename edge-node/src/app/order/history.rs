//! What happened to an order: who did what, where and when, newest first.
//!
//! It is read out of the order's document, which holds for every entry the change that wrote it, and out of the
//! movements of its parts. What was removed again leaves no trace here but in the document's own history.

use std::collections::BTreeMap;

use automerge::{Automerge, ObjId, ROOT, ReadDoc};
use domain::id::{DocumentId, EventId, StaffId};
use domain::money::Money;
use domain::order::{EstimateAnswer, OrderView, Outcome, Status};
use domain::permission::Permission;
use domain::stock::MovementKind;
use sync_protocol::document::Document;
use sync_protocol::item::Origin;
use sync_protocol::position::{NodeId, split_actor};
use sync_protocol::transaction::hlc_ms;

use super::super::{Codes, require};
use crate::error::AppError;
use crate::store::{Actor, Reader, document, order as rows, stock};
use web_kit::order::person;
use web_kit::wire::money;

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// Who; none for the system.
    pub staff: Option<StaffId>,
    /// Where.
    pub place: Place,
    /// What.
    pub what: What,
}

/// Where something was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// At this branch.
    Here,
    /// At the branch with this code.
    Branch(String),
    /// At the hub.
    Hub,
    /// On a machine that is not known here.
    Unknown,
}

/// What was done.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// The order was moved.
    Moved {
        /// The event.
        event: EventId,
        /// Where to.
        to: Status,
        /// How the work ended.
        outcome: Option<Outcome>,
        /// Whether the step was taken back later.
        is_undone: bool,
    },
    /// A step was taken back.
    TakenBack,
    /// A note.
    Noted(String),
    /// A line that stands there.
    Line {
        /// What it says.
        text: String,
        /// Pieces.
        quantity: i64,
    },
    /// The part of a line was used.
    Used {
        /// What the line says.
        text: String,
        /// Pieces.
        quantity: i64,
    },
    /// What was used came back to the shelf.
    PutBack {
        /// What the line says.
        text: String,
        /// Pieces.
        quantity: i64,
    },
    /// An estimate was made.
    Estimated {
        /// Its version.
        version: u32,
        /// What it comes to.
        gross: Money,
    },
    /// The customer answered an estimate.
    Answered {
        /// Its version.
        version: u32,
        /// What the customer said.
        answer: EstimateAnswer,
        /// By what way.
        by: String,
    },
    /// The last writing of the diagnosis.
    Diagnosed,
    /// The last change of the promise.
    Promised(Option<i64>),
    /// The last change of who works on it.
    Assigned(Option<StaffId>),
}

/// All that happened to an order.
pub fn of(reader: &Reader<'_>, actor: &Actor, id: DocumentId) -> Result<Vec<Entry>, AppError> {
    require(actor, Permission::OrdersRead)?;
    let unknown = || AppError::NotFound { what: "order" };
    let record = rows::get(reader, id)?.ok_or_else(unknown)?;
    let document = document::get(reader, id)?.ok_or_else(unknown)?;
    let mut story = Story {
        reader,
        writers: Writers::of(&document),
        automerge: document.automerge(),
        view: &record.view,
        codes: Codes::default(),
        places: BTreeMap::new(),
        entries: Vec::new(),
    };
    story.tell_steps()?;
    story.tell_lines(id)?;
    story.tell_estimates()?;
    story.tell_fields()?;
    let mut entries = story.entries;
    entries.reverse();
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.at_ms));
    Ok(entries)
}

struct Story<'a> {
    reader: &'a Reader<'a>,
    writers: Writers<'a>,
    automerge: &'a Automerge,
    view: &'a OrderView,
    codes: Codes,
    places: BTreeMap<NodeId, Place>,
    entries: Vec<Entry>,
}

impl Story<'_> {
    fn tell_steps(&mut self) -> Result<(), AppError> {
        let view = self.view;
        let undone: Vec<EventId> = view
            .events
            .iter()
            .filter_map(|event| event.undoes)
            .collect();
        for event in &view.events {
            let what = match event.to {
                Some(to) => What::Moved {
                    event: event.id,
                    to,
                    outcome: event.outcome,
                    is_undone: undone.contains(&event.id),
                },
                None => What::TakenBack,
            };
            let place = self.place_of("status", &event.id.to_string())?;
            self.add(event.at_ms, event.staff, place, what);
        }
        for note in &view.notes {
            let place = self.place_of("notes", &note.id.to_string())?;
            let what = What::Noted(note.text.clone());
            self.add(note.at_ms, note.staff, place, what);
        }
        Ok(())
    }

    fn tell_lines(&mut self, id: DocumentId) -> Result<(), AppError> {
        let view = self.view;
        for line in &view.lines {
            if let Some(origin) = self.origin_in("lines", &line.id.to_string()) {
                let what = What::Line {
                    text: line.text.clone(),
                    quantity: line.quantity,
                };
                self.add_from(origin, what)?;
            }
            let moves = stock::uses_of(self.reader, id.as_bytes(), line.id.as_bytes())?;
            for movement in moves {
                let text = line.text.clone();
                let quantity = movement.quantity;
                let what = match movement.kind {
                    MovementKind::Return => What::PutBack { text, quantity },
                    _ => What::Used { text, quantity },
                };
                let place = if movement.branch == self.reader.identity().branch {
                    Place::Here
                } else {
                    Place::Branch(self.codes.code(self.reader, movement.branch)?)
                };
                self.add(movement.at_ms, movement.staff, place, what);
            }
        }
        Ok(())
    }

    fn tell_estimates(&mut self) -> Result<(), AppError> {
        let view = self.view;
        for estimate in &view.estimates {
            let key = estimate.id.to_string();
            if let Some(origin) = self.origin_in("estimates", &key) {
                let what = What::Estimated {
                    version: estimate.version,
                    gross: money(estimate.gross_minor, view.currency),
                };
                self.add_from(origin, what)?;
            }
            let Some((answer, at_ms)) = estimate.answer.zip(estimate.at_ms) else {
                continue;
            };
            let origin = self
                .map("estimates")
                .and_then(|map| self.child(&map, &key))
                .and_then(|map| self.origin_at(&map, "answer"));
            let what = What::Answered {
                version: estimate.version,
                answer,
                by: estimate.by.clone().unwrap_or_default(),
            };
            let (staff, place) = match origin {
                Some(origin) => (origin.staff, self.place(&origin)?),
                None => (StaffId::NIL, Place::Unknown),
            };
            self.add(at_ms, staff, place, what);
        }
        Ok(())
    }

    /// Of fields only the last writing is told, and not the one that came with the order.
    fn tell_fields(&mut self) -> Result<(), AppError> {
        let first = self.origin_at(&ROOT, "number").map(|origin| origin.hlc);
        let fields = [
            ("diagnosis", What::Diagnosed),
            ("promised_at", What::Promised(self.view.promised_at_ms)),
            ("technician", What::Assigned(self.view.technician)),
        ];
        for (key, what) in fields {
            let origin = self.origin_at(&ROOT, key);
            if let Some(origin) = origin.filter(|origin| Some(origin.hlc) != first) {
                self.add_from(origin, what)?;
            }
        }
        Ok(())
    }

    fn add(&mut self, at_ms: i64, staff: StaffId, place: Place, what: What) {
        self.entries.push(Entry {
            at_ms,
            staff: person(staff),
            place,
            what,
        });
    }

    fn add_from(&mut self, origin: Origin, what: What) -> Result<(), AppError> {
        let place = self.place(&origin)?;
        self.add(hlc_ms(origin.hlc), origin.staff, place, what);
        Ok(())
    }

    fn map(&self, key: &str) -> Option<ObjId> {
        self.child(&ROOT, key)
    }

    fn child(&self, map: &ObjId, key: &str) -> Option<ObjId> {
        Some(self.automerge.get(map, key).ok()??.1)
    }

    fn origin_in(&self, map: &str, key: &str) -> Option<Origin> {
        self.origin_at(&self.map(map)?, key)
    }

    /// Who wrote what stands at a key.
    fn origin_at(&self, map: &ObjId, key: &str) -> Option<Origin> {
        match self.child(map, key)? {
            ObjId::Id(counter, actor, _) => self.writers.find(counter, actor.to_bytes()),
            ObjId::Root => None,
        }
    }

    fn place_of(&mut self, map: &str, key: &str) -> Result<Place, AppError> {
        match self.origin_in(map, key) {
            Some(origin) => self.place(&origin),
            None => Ok(Place::Unknown),
        }
    }

    fn place(&mut self, origin: &Origin) -> Result<Place, AppError> {
        let Ok((node, _)) = split_actor(&origin.actor) else {
            return Ok(Place::Unknown);
        };
        if let Some(place) = self.places.get(&node) {
            return Ok(place.clone());
        }
        let place = if node == self.reader.identity().node {
            Place::Here
        } else if node == NodeId::HUB {
            Place::Hub
        } else {
            match stock::branch_of_node(self.reader, node)? {
                Some(branch) if branch == self.reader.identity().branch => Place::Here,
                Some(branch) => Place::Branch(self.codes.code(self.reader, branch)?),
                None => Place::Unknown,
            }
        };
        self.places.insert(node, place.clone());
        Ok(place)
    }
}

/// Which change wrote an operation, and who wrote the change.
struct Writers<'a> {
    changes: Vec<(Vec<u8>, u64, u64, u64)>,
    origins: &'a [Origin],
}

impl<'a> Writers<'a> {
    fn of(document: &'a Document) -> Self {
        let changes = document.automerge().get_changes(&[]);
        let change = |change: &automerge::Change| {
            let first = change.start_op().get();
            let actor = change.actor_id().to_bytes().to_vec();
            (actor, change.seq(), first, change.max_op())
        };
        Self {
            changes: changes.iter().map(change).collect(),
            origins: document.origins(),
        }
    }

    fn find(&self, counter: u64, actor: &[u8]) -> Option<Origin> {
        let (_, seq, ..) = self.changes.iter().find(|(writer, _, first, last)| {
            writer == actor && (*first..=*last).contains(&counter)
        })?;
        let mut origins = self.origins.iter();
        origins
            .find(|origin| origin.actor[..] == actor[..] && origin.seq == *seq)
            .cloned()
    }
}
