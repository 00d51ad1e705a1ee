//! Rows that the hub owns, and its irrevocable acts.
//!
//! Credentials go only where the person works: into the private feed of those branches, and of a branch where somebody
//! begins to work.

use domain::id::{BranchId, StaffId};
use sync_protocol::feed::FeedId;
use sync_protocol::item::{Item, Row, Verdict, VerdictKind};
use sync_protocol::position::{Position, start_of_branch_line};

use super::{ALL_CHANGES, Entry, WHOLE, Work};
use crate::app::publish::Publication;
use crate::store::inventory::AvailabilityWrite;
use crate::store::sync::node::Enrolled;
use crate::store::sync::parked::ParkedRow;

impl Work {
    pub(super) fn apply_row(
        &mut self,
        entry: &Entry,
        index: u16,
        item: &Item,
        publication: &mut Publication,
    ) {
        let at_ms = entry.at_ms();
        let raw = &entry.transaction.items[usize::from(index)];
        let feed = match item {
            Item::Branch(row) => {
                self.apply_branch(row, publication);
                self.writes.branches.push((row.clone(), at_ms));
                FeedId::chain()
            }
            Item::Staff(row) => {
                self.apply_staff(row, publication);
                self.writes.staff.push((row.clone(), at_ms));
                FeedId::chain()
            }
            Item::Part(row) => {
                self.writes.parts.push((row.clone(), at_ms));
                FeedId::chain()
            }
            Item::Preset(row) => {
                self.writes.presets.push((row.clone(), at_ms));
                FeedId::chain()
            }
            Item::Company(row) => {
                self.writes.companies.push((row.clone(), at_ms));
                FeedId::chain()
            }
            Item::TillRules(row) => {
                self.writes.till_rules.push((row.clone(), at_ms));
                FeedId::chain()
            }
            Item::Account(row) => {
                self.writes.accounts.push((row.clone(), at_ms));
                FeedId::chain()
            }
            Item::Credential(row) => {
                for branch in self.workplaces(row.id) {
                    publication.private(branch, index, raw);
                }
                self.credentials.insert(row.id, row.clone());
                self.writes.credentials.push((row.clone(), at_ms));
                return;
            }
            Item::Availability(row) => {
                let Some(region) = self
                    .regions
                    .as_ref()
                    .and_then(|regions| regions.get(&row.branch))
                else {
                    self.park_item(entry, index, "the branch is unknown".to_owned());
                    return;
                };
                let feed = FeedId::availability(region);
                let write = AvailabilityWrite {
                    branch: row.branch,
                    part: row.part,
                    quantity: row.quantity,
                    as_of_ms: row.as_of_ms,
                };
                self.writes
                    .availability
                    .insert((row.branch, row.part), write);
                feed
            }
            Item::Verdict(verdict) => {
                self.apply_verdict(entry, verdict);
                if let Some(branch) = self.verdict_branch(verdict) {
                    publication.private(branch, index, raw);
                }
                return;
            }
            act => {
                self.apply_act(act, at_ms);
                FeedId::register()
            }
        };
        publication.push(feed, index, raw);
    }

    fn apply_act(&mut self, item: &Item, at_ms: i64) {
        match item {
            Item::NodeEnrolled(enrolled) => {
                self.node_branches.insert(enrolled.node, enrolled.branch);
                self.writes.enrolled.push(Enrolled {
                    node: enrolled.node,
                    branch: enrolled.branch,
                    public_key: enrolled.public_key,
                    former: enrolled.former,
                    at_ms,
                    start: start_of_branch_line(enrolled.node, enrolled.branch),
                });
            }
            Item::NodeRevoked(revoked) => self.writes.revoked.push((revoked.clone(), at_ms)),
            Item::LineClosed(closed) => self.writes.closed.push(closed.last.node),
            Item::PersonErased(erased) => self.writes.erased.push((erased.person, at_ms)),
            _ => {}
        }
    }

    /// Somebody who begins to work at a branch can sign in there: the credential goes along.
    fn apply_staff(
        &mut self,
        row: &Row<StaffId, domain::staff::StaffRow>,
        publication: &mut Publication,
    ) {
        if self
            .staff
            .get(&row.id)
            .is_some_and(|known| known.version >= row.version)
        {
            return;
        }
        let before = self.workplaces(row.id);
        self.staff.insert(row.id, row.clone());
        let Some(credential) = self.credentials.get(&row.id) else {
            return;
        };
        let item = Item::Credential(credential.clone()).to_raw();
        for branch in self.workplaces(row.id) {
            if !before.contains(&branch) {
                publication.attach(branch, item.clone());
            }
        }
    }

    /// A new branch learns how those sign in who work there.
    fn apply_branch(
        &mut self,
        row: &Row<BranchId, domain::branch::BranchRow>,
        publication: &mut Publication,
    ) {
        let regions = self.regions.get_or_insert_default();
        let is_new = regions.insert(row.id, row.fields.region.clone()).is_none();
        if !is_new {
            return;
        }
        for (staff, credential) in &self.credentials {
            let works_there = self
                .staff
                .get(staff)
                .is_some_and(|person| !person.deleted && person.fields.works_at(row.id));
            if works_there {
                publication.attach(row.id, Item::Credential(credential.clone()).to_raw());
            }
        }
    }

    fn workplaces(&self, staff: StaffId) -> Vec<BranchId> {
        let Some(person) = self.staff.get(&staff).filter(|person| !person.deleted) else {
            return Vec::new();
        };
        let branches = self.regions.iter().flat_map(|regions| regions.keys());
        branches
            .copied()
            .filter(|branch| person.fields.works_at(*branch))
            .collect()
    }

    fn apply_verdict(&mut self, entry: &Entry, verdict: &Verdict) {
        let state = match verdict.verdict {
            VerdictKind::Released => 2,
            VerdictKind::Dropped => 3,
            VerdictKind::Parked | VerdictKind::Superseded => return,
        };
        let item = self.decided_item(verdict);
        let waits = self.waits(verdict.position, item);
        self.writes
            .parked_states
            .push((verdict.position, item, state));
        let branch = self.verdict_branch(verdict).unwrap_or(BranchId::NIL);
        let id = super::parked_id(verdict.position, item);
        self.except(branch, "parked", id, entry.at_ms(), None);
        // What was applied where it stands, by a program that knew its kind already, is not applied again.
        if verdict.verdict == VerdictKind::Released && waits {
            self.release(entry, verdict, item);
        }
    }

    /// Which row a verdict is about; one without an item is about all changes, or about all of a transaction.
    fn decided_item(&self, verdict: &Verdict) -> i32 {
        match verdict.item {
            Some(item) => i32::from(item),
            None if self.waits(verdict.position, WHOLE) => WHOLE,
            None => ALL_CHANGES,
        }
    }

    fn waits(&self, position: Position, item: i32) -> bool {
        let is_decided = |known: &(Position, i32, i16)| (known.0, known.1) == (position, item);
        let is_new = |row: &ParkedRow| (row.position, row.item) == (position, item);
        let was_parked =
            self.parked_before.contains(&(position, item)) || self.writes.parked.iter().any(is_new);
        was_parked && !self.writes.parked_states.iter().any(is_decided)
    }

    fn verdict_branch(&self, verdict: &Verdict) -> Option<BranchId> {
        self.node_branches.get(&verdict.position.node).copied()
    }
}
