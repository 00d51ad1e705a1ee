//! Facts: what happened in the world. Refused for form or foreign owner only, never for state.
//!
//! What contradicts something becomes an exception for people, and is applied all the same.

use domain::id::{BranchId, LineId, PartId, TransferId};
use domain::quantity::MAX_QUANTITY;
use domain::stock::{Movement, MovementKind};
use domain::text;
use domain::transfer::{TransferRecord, check_arrival, check_transfer, fold_transfer};
use sync_protocol::item::{AuditNote, ExceptionMark, Item, Mark, Reserve, VerdictKind};

use super::{Entry, Work};
use crate::app::exceptions::markable;
use crate::app::publish::Publication;
use crate::app::transfer::FOUND;
use crate::store::audit::NoteWrite;
use crate::store::inventory::ledger::{MovementWrite, ReservationRow, Stock};
use crate::store::inventory::transfer::RecordWrite;
use crate::store::orders::ImportWrite;

const BY_HUB: &str = "only the hub writes this";
const OTHER_BRANCH: &str = "it belongs to another branch";

impl Work {
    pub(super) fn apply_fact(
        &mut self,
        entry: &Entry,
        index: u16,
        item: &Item,
        publication: &mut Publication,
    ) {
        if let Err(reason) = self
            .check_owner(entry, item)
            .and_then(|()| check_form(item))
        {
            self.park_item(entry, index, reason);
            return;
        }
        match item {
            Item::Movement(movement) => self.apply_movement(entry, index, movement, publication),
            Item::Reserve(reserve) => self.apply_reserve(entry, index, reserve),
            Item::Release(release) => self.apply_release(entry, index, release.reservation),
            Item::TransferRequest(request) => {
                self.apply_record(
                    entry,
                    index,
                    request.id,
                    TransferRecord::Request(request.clone()),
                );
            }
            Item::Plan(plan) => {
                self.apply_record(entry, index, plan.id, TransferRecord::Plan(plan.clone()));
                let raw = &entry.transaction.items[usize::from(index)];
                publication.private(plan.from, index, raw);
                publication.private(plan.to, index, raw);
            }
            Item::Shipment(shipment) => {
                self.apply_record(
                    entry,
                    index,
                    shipment.transfer,
                    TransferRecord::Shipment(shipment.clone()),
                );
                self.tell_both_ends(entry, index, shipment.transfer, publication);
            }
            Item::Arrival(arrival) => {
                self.apply_record(
                    entry,
                    index,
                    arrival.transfer,
                    TransferRecord::Arrival(arrival.clone()),
                );
                self.tell_both_ends(entry, index, arrival.transfer, publication);
            }
            Item::Note(note) => self.apply_note(entry, index, note),
            Item::Attach(attach) => self.attach(attach.branch, attach.document, publication),
            Item::ExceptionMark(mark) => self.apply_mark(entry, index, mark),
            Item::ImportRecord(record) => {
                let write = ImportWrite {
                    branch: entry.branch,
                    source: record.source.clone(),
                    document: record.order,
                    fingerprint: record.fingerprint,
                };
                self.writes
                    .imports
                    .insert((entry.branch, record.source.clone()), write);
            }
            Item::Receipt(_)
            | Item::Refund(_)
            | Item::RefundAsked(_)
            | Item::RefundDecided(_)
            | Item::PaymentCancelled(_)
            | Item::PaymentAgain(_)
            | Item::PaymentResult(_)
            | Item::RepaymentResult(_)
            | Item::CashOpened(_)
            | Item::CashMoved(_)
            | Item::CashClosed(_)
            | Item::DayClosed(_)
            | Item::SettlementLine(_)
            | Item::SettlementMatch(_)
            | Item::MoneyCorrection(_)
            | Item::SignOff(_)
            | Item::Hold(_) => self.apply_money(entry, index, item, publication),
            row => self.apply_row(entry, index, row, publication),
        }
    }

    /// Whether the entry's node may write this at all.
    fn check_owner(&self, entry: &Entry, item: &Item) -> Result<(), String> {
        let foreign = |good: bool, reason: &str| if good { Ok(()) } else { Err(reason.to_owned()) };
        match item {
            Item::Movement(movement) if entry.by_hub() => foreign(
                movement.kind.by_hub(),
                "stock of a branch is moved by the branch",
            ),
            Item::Movement(movement) if movement.kind.by_hub() => Err(BY_HUB.to_owned()),
            Item::Movement(movement) => foreign(movement.branch == entry.branch, OTHER_BRANCH),
            Item::Reserve(_)
            | Item::Release(_)
            | Item::ImportRecord(_)
            | Item::Receipt(_)
            | Item::Refund(_)
            | Item::RefundAsked(_)
            | Item::PaymentCancelled(_)
            | Item::PaymentAgain(_)
            | Item::CashOpened(_)
            | Item::CashMoved(_)
            | Item::CashClosed(_)
            | Item::DayClosed(_)
            | Item::Hold(_) => foreign(!entry.by_hub(), "only a branch writes this"),
            Item::TransferRequest(request) => {
                let own =
                    entry.by_hub() || request.from == entry.branch || request.to == entry.branch;
                foreign(own, OTHER_BRANCH)
            }
            Item::Shipment(shipment) => {
                let ends = self.ends(shipment.transfer);
                foreign(
                    !entry.by_hub() && ends.is_none_or(|(from, _)| from == entry.branch),
                    OTHER_BRANCH,
                )
            }
            Item::Arrival(arrival) => {
                let ends = self.ends(arrival.transfer);
                foreign(
                    !entry.by_hub() && ends.is_none_or(|(_, to)| to == entry.branch),
                    OTHER_BRANCH,
                )
            }
            Item::Note(_) => Ok(()),
            _ => foreign(entry.by_hub(), BY_HUB),
        }
    }

    fn ends(&self, transfer: TransferId) -> Option<(BranchId, BranchId)> {
        let fold = self.transfers.get(&transfer)?.fold.as_ref()?;
        (!fold.from.is_nil()).then_some((fold.from, fold.to))
    }

    fn apply_movement(
        &mut self,
        entry: &Entry,
        index: u16,
        movement: &Movement,
        publication: &mut Publication,
    ) {
        let fact = entry.position.fact_uuid(index);
        let key = movement.business_key();
        let superseded = key.is_some_and(|key| {
            self.keys
                .get(&(movement.branch, key))
                .copied()
                .unwrap_or(false)
        });
        let mut write = MovementWrite {
            fact,
            ord: entry.ord,
            position: entry.position,
            item: index,
            movement: movement.clone(),
            staff: entry.header().staff,
            at_ms: entry.at_ms(),
            superseded,
            balance_after: 0,
        };
        if superseded {
            let text = "another movement with the same business key counts";
            self.except(
                entry.branch,
                "superseded",
                fact,
                entry.at_ms(),
                Some(text.to_owned()),
            );
            self.verdict(entry, Some(index), VerdictKind::Superseded, text.to_owned());
            write.balance_after = self.count_movement(entry, movement).on_hand;
            self.writes.movements.push(write);
            return;
        }
        if let Some(key) = key {
            self.keys.insert((movement.branch, key), true);
            self.writes.keys.push((movement.branch, key, fact));
        }
        write.balance_after = self.move_stock(entry, movement);
        self.writes.movements.push(write);
        if matches!(
            movement.kind,
            MovementKind::TransitLost | MovementKind::TransitFound
        ) {
            let transfer = TransferId::from_bytes(movement.subject);
            self.apply_record(
                entry,
                index,
                transfer,
                TransferRecord::Movement(movement.clone()),
            );
            self.tell_both_ends(entry, index, transfer, publication);
        }
    }

    /// Counts a movement of the branch's own log, whether it moves anything or not: signed heads hold the count.
    fn count_movement(&mut self, entry: &Entry, movement: &Movement) -> &mut Stock {
        let key = (movement.branch, movement.part);
        self.writes.stock.insert(key);
        let stock = self.stock.entry(key).or_default();
        if !entry.by_hub() {
            stock.movements += 1;
        }
        stock
    }

    fn move_stock(&mut self, entry: &Entry, movement: &Movement) -> i64 {
        let stock = self.count_movement(entry, movement);
        let free_before = stock.free();
        stock.on_hand = stock.on_hand.saturating_add(movement.on_hand_delta());
        stock.in_transit = stock.in_transit.saturating_add(movement.in_transit_delta());
        let (on_hand, free_after) = (stock.on_hand, stock.free());
        self.writes.zero_crossed |= (free_before > 0) != (free_after > 0);
        self.watch_floor(entry, (movement.branch, movement.part));
        on_hand
    }

    /// A part below zero is for people to count; the log goes on.
    fn watch_floor(&mut self, entry: &Entry, key: (BranchId, PartId)) {
        let Some(stock) = self.stock.get_mut(&key) else {
            return;
        };
        let (is_negative, was_negative) = (stock.on_hand < 0, stock.negative_since_ms.is_some());
        if is_negative == was_negative {
            return;
        }
        stock.negative_since_ms = is_negative.then(|| entry.at_ms());
        let detail = is_negative.then(|| "count this part: its stock is below zero".to_owned());
        self.except(
            key.0,
            "negative_stock",
            *key.1.as_bytes(),
            entry.at_ms(),
            detail,
        );
    }

    fn apply_reserve(&mut self, entry: &Entry, index: u16, reserve: &Reserve) {
        let key = (entry.branch, reserve.id);
        let quantity = i64::from(reserve.quantity);
        if let Some(Some(known)) = self.reservations.get(&key) {
            let same = known.part == reserve.part && known.quantity == quantity;
            let text = if same {
                "the reservation exists already"
            } else {
                "another reservation has this id"
            };
            self.contradiction(entry, index, text);
            return;
        }
        let row = ReservationRow {
            part: reserve.part,
            quantity,
            is_open: true,
            at_ms: entry.at_ms(),
        };
        self.reservations.insert(key, Some(row));
        self.writes.reservations.insert(key);
        self.reserve_stock(entry.branch, reserve.part, quantity);
    }

    fn apply_release(&mut self, entry: &Entry, index: u16, reservation: LineId) {
        let key = (entry.branch, reservation);
        let Some(Some(row)) = self.reservations.get_mut(&key) else {
            self.contradiction(entry, index, "the reservation that ends here is unknown");
            return;
        };
        if !row.is_open {
            self.contradiction(entry, index, "the reservation ended already");
            return;
        }
        row.is_open = false;
        let (part, quantity) = (row.part, row.quantity);
        self.writes.reservations.insert(key);
        self.reserve_stock(entry.branch, part, -quantity);
    }

    fn reserve_stock(&mut self, branch: BranchId, part: PartId, delta: i64) {
        let stock = self.stock.entry((branch, part)).or_default();
        let free_before = stock.free();
        stock.reserved = stock.reserved.saturating_add(delta);
        self.writes.zero_crossed |= (free_before > 0) != (stock.free() > 0);
        self.writes.stock.insert((branch, part));
    }

    fn apply_record(
        &mut self,
        entry: &Entry,
        index: u16,
        transfer: TransferId,
        record: TransferRecord,
    ) {
        let raw = &entry.transaction.items[usize::from(index)];
        let history = self.transfers.entry(transfer).or_default();
        let contradiction = contradiction_of(&history.records, &record);
        let owed_before = owed(history.fold.as_ref());
        history.records.push(record);
        history.fold = fold_transfer(&history.records);
        let owed_after = owed(history.fold.as_ref());
        let despite_cancel = history
            .fold
            .as_ref()
            .is_some_and(|fold| fold.shipped_despite_cancel);
        self.writes.records.push(RecordWrite {
            transfer,
            ord: entry.ord,
            position: entry.position,
            item: index,
            kind: raw.kind(),
            body: raw.body().unwrap_or_default().to_vec(),
            staff: entry.header().staff,
            at_ms: entry.at_ms(),
        });
        self.writes
            .transfers
            .entry(transfer)
            .or_insert((entry.at_ms(), entry.at_ms()))
            .1 = entry.at_ms();
        let text = contradiction
            .or(despite_cancel.then_some("the goods left although the transfer was called off"));
        if let Some(text) = text {
            self.except(
                entry.branch,
                "transfer",
                *transfer.as_bytes(),
                entry.at_ms(),
                Some(text.to_owned()),
            );
        }
        if owed_before != owed_after {
            self.writes.pieces_found |= owed_after > 0;
            let detail = (owed_after > 0)
                .then(|| format!("{owed_after} pieces that were written off arrived"));
            self.except(
                BranchId::NIL,
                FOUND,
                *transfer.as_bytes(),
                entry.at_ms(),
                detail,
            );
        }
    }

    /// What happened to a transfer goes to both of its ends.
    fn tell_both_ends(
        &mut self,
        entry: &Entry,
        index: u16,
        transfer: TransferId,
        publication: &mut Publication,
    ) {
        let raw = &entry.transaction.items[usize::from(index)];
        if let Some((from, to)) = self.ends(transfer) {
            publication.private(from, index, raw);
            publication.private(to, index, raw);
        }
    }

    fn apply_note(&mut self, entry: &Entry, index: u16, note: &AuditNote) {
        self.writes.notes.push(NoteWrite {
            branch: entry.branch,
            fact: entry.position.fact_uuid(index),
            subject: note.subject,
            text: note.text.clone(),
            staff: entry.header().staff,
            at_ms: entry.at_ms(),
        });
    }

    fn apply_mark(&mut self, entry: &Entry, index: u16, mark: &ExceptionMark) {
        let Some(kind) = markable(&mark.kind) else {
            let reason = format!("nobody closes exceptions of kind {}", mark.kind);
            self.park_item(entry, index, reason);
            return;
        };
        let (detail, since_ms, text) = match &mark.mark {
            Mark::Closed { reason } => (None, entry.at_ms(), reason.clone()),
            Mark::Reopened { detail, since_ms } => {
                (Some(detail.clone()), *since_ms, detail.clone())
            }
        };
        self.except(mark.branch, kind, mark.subject, since_ms, detail);
        let note = AuditNote {
            subject: mark.subject,
            text,
        };
        self.apply_note(entry, index, &note);
    }

    pub(super) fn contradiction(&mut self, entry: &Entry, index: u16, text: &str) {
        let fact = entry.position.fact_uuid(index);
        self.except(
            entry.branch,
            "contradiction",
            fact,
            entry.at_ms(),
            Some(text.to_owned()),
        );
    }
}

fn owed(fold: Option<&domain::transfer::TransferFold>) -> i64 {
    fold.map_or(0, |fold| {
        fold.lines.values().map(|line| line.found_owed()).sum()
    })
}

fn contradiction_of(records: &[TransferRecord], record: &TransferRecord) -> Option<&'static str> {
    match record {
        TransferRecord::Shipment(_)
            if records
                .iter()
                .any(|known| matches!(known, TransferRecord::Shipment(_))) =>
        {
            Some("the transfer was shipped already")
        }
        TransferRecord::Shipment(_)
            if !records
                .iter()
                .any(|known| matches!(known, TransferRecord::Plan(_))) =>
        {
            Some("goods left without a plan")
        }
        TransferRecord::Arrival(arrival) => {
            let twice = |known: &TransferRecord| matches!(known, TransferRecord::Arrival(known) if known.number == arrival.number);
            records
                .iter()
                .any(twice)
                .then_some("an arrival with this number was reported already")
        }
        _ => None,
    }
}

fn check_form(item: &Item) -> Result<(), String> {
    let first = |problems: Vec<domain::problem::FieldProblem>| match problems.first() {
        Some(problem) => Err(problem.to_string()),
        None => Ok(()),
    };
    match item {
        Item::Movement(movement) => movement.check_form().map_err(|error| error.to_string()),
        Item::Reserve(reserve) => {
            let good =
                (1..=MAX_QUANTITY).contains(&i64::from(reserve.quantity)) && !reserve.part.is_nil();
            if good {
                Ok(())
            } else {
                Err("a reservation names a part and 1 to 1000000 pieces".to_owned())
            }
        }
        Item::TransferRequest(request) => first(check_transfer(
            request.from,
            request.to,
            &request.lines,
            &request.note,
        )),
        Item::Plan(plan) => first(check_transfer(
            plan.from,
            plan.to,
            &plan.lines,
            &plan.reason,
        )),
        Item::Arrival(arrival) => first(check_arrival(arrival)),
        Item::Note(note) => clean(&note.text, text::NOTE_MAX),
        Item::ExceptionMark(mark) => match &mark.mark {
            Mark::Closed { reason } => clean(reason, text::NOTE_MAX),
            Mark::Reopened { detail, .. } => clean(detail, text::NOTE_MAX),
        },
        Item::ImportRecord(record) => clean(&record.source, text::SOURCE_MAX),
        money => check_money(money),
    }
}

fn check_money(item: &Item) -> Result<(), String> {
    match item {
        Item::Receipt(receipt) => text_of(receipt.check_form()),
        Item::Refund(refund) => text_of(refund.check_form()),
        Item::RefundAsked(asked) => text_of(asked.check_form()),
        Item::RefundDecided(said) => text_of(said.check_form()),
        Item::CashOpened(opened) => text_of(opened.check_form()),
        Item::CashMoved(moved) => text_of(moved.check_form()),
        Item::CashClosed(closed) => text_of(closed.check_form()),
        Item::DayClosed(closed) => text_of(closed.check_form()),
        Item::PaymentResult(result) => text_of(result.check_form()),
        Item::RepaymentResult(result) => text_of(result.check_form()),
        Item::SettlementLine(line) => text_of(line.check_form()),
        Item::SettlementMatch(said) => text_of(said.check_form()),
        Item::MoneyCorrection(correction) => text_of(correction.check_form()),
        Item::SignOff(sign_off) => text_of(sign_off.check_form()),
        _ => Ok(()),
    }
}

fn text_of<T, E: std::fmt::Display>(checked: Result<T, E>) -> Result<(), String> {
    checked.map(drop).map_err(|error| error.to_string())
}

fn clean(value: &str, max: usize) -> Result<(), String> {
    text::clean_block(value, max)
        .map(|_| ())
        .map_err(|error| error.to_string())
}
