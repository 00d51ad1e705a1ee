//! The stock ledger: movements between accounts, double entry.
//!
//! A quantity is never written, only moved, so the sum over all accounts of a part is always zero (INV-5). The floor of
//! a branch's stock is held in the command that takes from it, never here against accepted history.

use crate::code::codes;
use crate::id::{BranchId, PartId};
use crate::quantity::MAX_QUANTITY;
use crate::text::{self, REASON_MAX, TextError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use thiserror::Error;

/// Stands between reason and reference in a movement's one text.
const REASON_END: char = '␟';

/// Why and what with: the one text of a movement that a person booked.
pub fn movement_text(reason: &str, reference: &str) -> String {
    let plain = |text: &str| text.replace(REASON_END, " ");
    if reference.is_empty() {
        return plain(reason);
    }
    format!("{}{REASON_END}{}", plain(reason), plain(reference))
}

/// Reason and reference of a movement's text; an empty one is not there.
pub fn reason_and_reference(text: &str) -> (&str, &str) {
    text.split_once(REASON_END).unwrap_or((text, ""))
}

codes! {
    /// Where pieces are, or where they came from or went. `InTransit` is per transfer, the others per branch.
    pub enum Account as "account" {
        /// On the branch's shelves.
        OnHand = 1 "on_hand",
        /// Between two branches.
        InTransit = 2 "in_transit",
        /// There when counting began.
        Opening = 3 "opening",
        /// The supplier.
        Supplier = 4 "supplier",
        /// Found when counting.
        Found = 5 "found",
        /// Sold.
        Customer = 6 "customer",
        /// Built into a device.
        Used = 7 "used",
        /// Thrown away.
        Scrapped = 8 "scrapped",
        /// Missing when counting, or on the way.
        Lost = 9 "lost",
    }
}

codes! {
    /// What a movement is.
    pub enum MovementKind as "movement kind" {
        /// Opening → on hand.
        Opening = 1 "opening",
        /// Supplier → on hand.
        Receive = 2 "receive",
        /// On hand → customer.
        Sell = 3 "sell",
        /// On hand → used.
        Use = 4 "use",
        /// Customer or used → on hand.
        Return = 5 "return",
        /// Found → on hand.
        AdjustFound = 6 "adjust_found",
        /// On hand → lost.
        AdjustLost = 7 "adjust_lost",
        /// On hand → scrapped.
        Scrap = 8 "scrap",
        /// On hand → in transit.
        Ship = 9 "ship",
        /// In transit → on hand.
        Arrive = 10 "arrive",
        /// In transit → scrapped.
        ArriveDamaged = 11 "arrive_damaged",
        /// In transit → lost; by the hub.
        TransitLost = 12 "transit_lost",
        /// Lost → in transit; by the hub.
        TransitFound = 13 "transit_found",
        /// On hand → supplier.
        SupplierReturn = 14 "supplier_return",
    }
}

impl MovementKind {
    /// The account that pieces leave; of a return the usual one, see [`Movement::check_form`].
    pub const fn from_account(self) -> Account {
        match self {
            Self::Opening => Account::Opening,
            Self::Receive => Account::Supplier,
            Self::Return => Account::Customer,
            Self::AdjustFound => Account::Found,
            Self::Arrive | Self::ArriveDamaged | Self::TransitLost => Account::InTransit,
            Self::TransitFound => Account::Lost,
            Self::Sell
            | Self::Use
            | Self::AdjustLost
            | Self::Scrap
            | Self::Ship
            | Self::SupplierReturn => Account::OnHand,
        }
    }

    /// The account that pieces enter.
    pub const fn to_account(self) -> Account {
        match self {
            Self::Opening | Self::Receive | Self::Return | Self::AdjustFound | Self::Arrive => {
                Account::OnHand
            }
            Self::Sell => Account::Customer,
            Self::Use => Account::Used,
            Self::AdjustLost | Self::TransitLost => Account::Lost,
            Self::Scrap | Self::ArriveDamaged => Account::Scrapped,
            Self::Ship | Self::TransitFound => Account::InTransit,
            Self::SupplierReturn => Account::Supplier,
        }
    }

    /// Whether only the hub writes it; all others are written by the branch whose stock moves.
    pub const fn by_hub(self) -> bool {
        matches!(self, Self::TransitLost | Self::TransitFound)
    }

    /// Whether it belongs to a transfer, which is then its subject.
    pub const fn of_transfer(self) -> bool {
        matches!(
            self,
            Self::Ship
                | Self::Arrive
                | Self::ArriveDamaged
                | Self::TransitLost
                | Self::TransitFound
        )
    }

    /// Whether a person enters it directly; the others come from their own acts.
    pub const fn by_hand(self) -> bool {
        matches!(
            self,
            Self::Opening | Self::Receive | Self::AdjustFound | Self::AdjustLost | Self::Scrap
        )
    }
}

/// One movement: the body of item kind 16, whose field order never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Movement {
    /// The branch whose stock moves; of `transit_lost` and `transit_found` the source.
    pub branch: BranchId,
    /// The part.
    pub part: PartId,
    /// What it is.
    pub kind: MovementKind,
    /// Pieces, 1 to 1,000,000.
    pub quantity: i64,
    /// The account that they leave.
    pub from: Account,
    /// The account that they enter.
    pub to: Account,
    /// The order, sale or transfer; zeros for none.
    pub subject: [u8; 16],
    /// The line of the order or sale, or the part of the transfer; zeros for none.
    pub line: [u8; 16],
    /// Counts several acts on one line, such as arrivals.
    pub number: u16,
    /// A coded reason; 0 for none.
    pub reason: u16,
    /// A reason or reference in words.
    pub text: String,
}

/// What makes a movement the same act again (INV-3). Only movements with a subject have one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BusinessKey {
    /// What it is.
    pub kind: MovementKind,
    /// The order, sale or transfer.
    pub subject: [u8; 16],
    /// The line.
    pub line: [u8; 16],
    /// Which act on the line.
    pub number: u16,
}

/// What is wrong with a movement, whatever the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum MovementError {
    /// Zero, negative or too many.
    #[error("a quantity is a whole number from 1 to 1000000")]
    Quantity,
    /// The accounts are not those of the kind.
    #[error("a movement of kind {0} runs between other accounts")]
    Accounts(MovementKind),
    /// A kind that needs a subject has none.
    #[error("a movement of kind {0} names what it belongs to")]
    Subject(MovementKind),
    /// The text.
    #[error("the reason {0}")]
    Text(#[from] TextError),
    /// Nil branch or part.
    #[error("a movement names a branch and a part")]
    Owner,
}

impl Movement {
    /// A movement with the accounts of its kind, and nothing that it refers to.
    pub const fn new(branch: BranchId, part: PartId, kind: MovementKind, quantity: i64) -> Self {
        Self {
            branch,
            part,
            kind,
            quantity,
            from: kind.from_account(),
            to: kind.to_account(),
            subject: [0; 16],
            line: [0; 16],
            number: 0,
            reason: 0,
            text: String::new(),
        }
    }

    /// The same movement, belonging to a line of an order, sale or transfer.
    #[must_use]
    pub fn about(mut self, subject: [u8; 16], line: [u8; 16], number: u16) -> Self {
        (self.subject, self.line, self.number) = (subject, line, number);
        self
    }

    /// Whether the movement is well formed; never whether the stock allows it.
    pub fn check_form(&self) -> Result<(), MovementError> {
        if !(1..=MAX_QUANTITY).contains(&self.quantity) {
            return Err(MovementError::Quantity);
        }
        let from_fits = self.from == self.kind.from_account()
            || (self.kind == MovementKind::Return && self.from == Account::Used);
        if !from_fits || self.to != self.kind.to_account() {
            return Err(MovementError::Accounts(self.kind));
        }
        if self.branch.is_nil() || self.part.is_nil() {
            return Err(MovementError::Owner);
        }
        let needs_subject = self.kind.of_transfer()
            || matches!(
                self.kind,
                MovementKind::Sell | MovementKind::Use | MovementKind::Return
            );
        if needs_subject && self.subject == [0; 16] {
            return Err(MovementError::Subject(self.kind));
        }
        text::clean_line(&self.text, REASON_MAX)?;
        Ok(())
    }

    /// The business key, if there is a subject; else the fact id stands for it.
    pub fn business_key(&self) -> Option<BusinessKey> {
        let Self {
            kind,
            subject,
            line,
            number,
            ..
        } = *self;
        (subject != [0; 16]).then_some(BusinessKey {
            kind,
            subject,
            line,
            number,
        })
    }

    /// What it adds to the branch's shelves.
    pub fn on_hand_delta(&self) -> i64 {
        self.delta(Account::OnHand)
    }

    /// What it adds to the pieces on their way.
    pub fn in_transit_delta(&self) -> i64 {
        self.delta(Account::InTransit)
    }

    fn delta(&self, account: Account) -> i64 {
        let entered = if self.to == account { self.quantity } else { 0 };
        let left = if self.from == account {
            self.quantity
        } else {
            0
        };
        entered - left
    }
}

/// The terms of the balance of one part: what came must be what is there or went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Conservation {
    /// There when counting began.
    pub opening: i64,
    /// From suppliers, less what went back to them.
    pub purchased: i64,
    /// Found when counting.
    pub found: i64,
    /// Came back from customers or devices.
    pub returned: i64,
    /// On shelves.
    pub on_hand: i64,
    /// Between branches.
    pub in_transit: i64,
    /// Sold.
    pub sold: i64,
    /// Built into devices.
    pub used: i64,
    /// Missing, less what was found again on the way.
    pub lost: i64,
    /// Thrown away.
    pub scrapped: i64,
}

impl Conservation {
    /// Counts one movement in.
    pub fn add(&mut self, movement: &Movement) {
        let quantity = movement.quantity;
        let (term, sign) = match movement.kind {
            MovementKind::Opening => (&mut self.opening, 1),
            MovementKind::Receive => (&mut self.purchased, 1),
            MovementKind::SupplierReturn => (&mut self.purchased, -1),
            MovementKind::Sell => (&mut self.sold, 1),
            MovementKind::Use => (&mut self.used, 1),
            MovementKind::Return => (&mut self.returned, 1),
            MovementKind::AdjustFound => (&mut self.found, 1),
            MovementKind::AdjustLost | MovementKind::TransitLost => (&mut self.lost, 1),
            MovementKind::TransitFound => (&mut self.lost, -1),
            MovementKind::Scrap | MovementKind::ArriveDamaged => (&mut self.scrapped, 1),
            // Only moves pieces between shelf and road.
            MovementKind::Ship | MovementKind::Arrive => (&mut self.on_hand, 0),
        };
        *term = term.saturating_add(sign * quantity);
        self.on_hand = self.on_hand.saturating_add(movement.on_hand_delta());
        self.in_transit = self.in_transit.saturating_add(movement.in_transit_delta());
    }

    /// The terms of these movements.
    pub fn of<'a>(movements: impl IntoIterator<Item = &'a Movement>) -> Self {
        let mut sums = Self::default();
        for movement in movements {
            sums.add(movement);
        }
        sums
    }

    /// opening + purchased + found + returned = on hand + in transit + sold + used + lost + scrapped.
    pub fn balanced(&self) -> bool {
        let came = [self.opening, self.purchased, self.found, self.returned];
        let is = [
            self.on_hand,
            self.in_transit,
            self.sold,
            self.used,
            self.lost,
            self.scrapped,
        ];
        let sum = |terms: &[i64]| terms.iter().map(|term| i128::from(*term)).sum::<i128>();
        sum(&came) == sum(&is)
    }
}

/// Balances of every account that movements touch, for the sum over all accounts (INV-5).
pub fn account_sums<'a>(
    movements: impl IntoIterator<Item = &'a Movement>,
) -> BTreeMap<Account, i64> {
    let mut sums = BTreeMap::new();
    for movement in movements {
        for (account, change) in [
            (movement.to, movement.quantity),
            (movement.from, -movement.quantity),
        ] {
            let sum: &mut i64 = sums.entry(account).or_default();
            *sum = sum.saturating_add(change);
        }
    }
    sums
}

/// More was wanted than is free.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("only {free} free, {want} wanted")]
pub struct Short {
    /// On hand less reserved; below zero where history took more.
    pub free: i64,
    /// What was wanted.
    pub want: i64,
}

/// Whether `want` pieces are free (INV-6).
pub const fn check_free(on_hand: i64, reserved: i64, want: i64) -> Result<(), Short> {
    let free = on_hand.saturating_sub(reserved);
    if free < want {
        Err(Short { free, want })
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reason_and_reference_are_told_apart() {
        let text = movement_text("counted␟twice", "L-7");
        assert_eq!(reason_and_reference(&text), ("counted twice", "L-7"));
        assert_eq!(reason_and_reference(&movement_text("", "L-7")), ("", "L-7"));
        assert_eq!(
            reason_and_reference(&movement_text("counted", "")),
            ("counted", "")
        );
    }
}
