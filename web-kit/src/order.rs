//! What the parts of an order look like to other programs, the same on both sides.

use std::collections::BTreeMap;

use domain::id::{DocumentId, EventId, StaffId};
use domain::money::{Currency, Money};
use domain::order::{EstimateAnswer, OrderView, Outcome, Status, totals};
use serde::Serialize;
use utoipa::ToSchema;

use crate::wire::{AnswerForm, MoneyForm, OutcomeForm, Personal, StatusForm, Time, money};

/// The customer of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OrderCustomer {
    /// The customer.
    #[schema(value_type = String, format = "uuid")]
    pub id: DocumentId,
    /// Name; null where the person, or their key, is not known here.
    #[schema(required = true)]
    pub name: Option<Personal>,
    /// Phone.
    #[schema(required = true)]
    pub phone: Option<Personal>,
}

/// A device in an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Device {
    /// What kind of thing it is.
    pub category: String,
    /// Who made it.
    pub brand: String,
    /// Which model.
    pub model: String,
    /// Its serial number.
    pub serial: String,
    /// What is wrong, as the customer tells it.
    pub fault: String,
    /// What came with it.
    pub accessories: Vec<String>,
    /// In which condition it came, by what was looked at.
    pub condition: BTreeMap<String, String>,
}

/// A step of the status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct StatusEvent {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    pub id: EventId,
    /// One above the highest that its writer saw.
    pub rank: i64,
    /// The new status; null for an event that only undoes.
    #[schema(required = true, value_type = Option<StatusForm>)]
    pub status: Option<Status>,
    /// With `ready` and `collected`: how the work ended.
    #[schema(required = true, value_type = Option<OutcomeForm>)]
    pub outcome: Option<Outcome>,
    /// Who; null for the system.
    #[schema(required = true, value_type = Option<String>, format = "uuid")]
    pub staff_id: Option<StaffId>,
    /// When.
    pub at: Time,
    /// The event that it takes back.
    #[schema(required = true, value_type = Option<String>, format = "uuid")]
    pub undoes: Option<EventId>,
}

/// A note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Note {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    pub id: EventId,
    /// What was written.
    pub text: String,
    /// Who; null for the system.
    #[schema(required = true, value_type = Option<String>, format = "uuid")]
    pub staff_id: Option<StaffId>,
    /// When.
    pub at: Time,
}

/// An estimate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Estimate {
    /// Counts up from 1.
    pub version: u32,
    /// What it comes to, with tax.
    #[schema(value_type = MoneyForm)]
    pub gross: Money,
    /// What the customer said.
    #[schema(required = true, value_type = Option<AnswerForm>)]
    pub answer: Option<EstimateAnswer>,
    /// By what way the answer came.
    #[schema(required = true)]
    pub by: Option<String>,
    /// When the answer came.
    #[schema(required = true)]
    pub answered_at: Option<Time>,
}

/// What an order adds up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Totals {
    /// Without tax.
    #[schema(value_type = MoneyForm)]
    pub net: Money,
    /// The tax.
    #[schema(value_type = MoneyForm)]
    pub tax: Money,
    /// With tax.
    #[schema(value_type = MoneyForm)]
    pub gross: Money,
    /// What was paid.
    #[schema(value_type = MoneyForm)]
    pub paid: Money,
    /// What is left to pay.
    #[schema(value_type = MoneyForm)]
    pub due: Money,
}

impl From<domain::order::Device> for Device {
    fn from(device: domain::order::Device) -> Self {
        Self {
            category: device.category,
            brand: device.brand,
            model: device.model,
            serial: device.serial,
            fault: device.fault,
            accessories: device.accessories.into_values().collect(),
            condition: device.condition,
        }
    }
}

/// The system is nobody.
pub fn person(id: StaffId) -> Option<StaffId> {
    (!id.is_nil()).then_some(id)
}

impl From<domain::order::StatusEvent> for StatusEvent {
    fn from(event: domain::order::StatusEvent) -> Self {
        Self {
            id: event.id,
            rank: event.rank,
            status: event.to,
            outcome: event.outcome,
            staff_id: person(event.staff),
            at: Time(event.at_ms),
            undoes: event.undoes,
        }
    }
}

impl From<domain::order::Note> for Note {
    fn from(note: domain::order::Note) -> Self {
        Self {
            id: note.id,
            text: note.text,
            staff_id: person(note.staff),
            at: Time(note.at_ms),
        }
    }
}

impl Estimate {
    /// An estimate in the order's currency.
    pub fn of(estimate: domain::order::Estimate, currency: Currency) -> Self {
        Self {
            version: estimate.version,
            gross: money(estimate.gross_minor, currency),
            answer: estimate.answer,
            by: estimate.by,
            answered_at: estimate.at_ms.map(Time),
        }
    }
}

impl Totals {
    /// What an order adds up to. Lines written apart may come to more than an amount can be: then people must look, and
    /// no sum is claimed.
    pub fn of(view: &OrderView) -> Option<Self> {
        let sums = totals(view).ok()?;
        let amount = |amount_minor| money(amount_minor, view.currency);
        Some(Self {
            net: amount(sums.net_minor),
            tax: amount(sums.tax_minor),
            gross: amount(sums.gross_minor),
            paid: amount(0),
            due: amount(sums.gross_minor),
        })
    }

    /// With what was paid.
    #[must_use]
    pub fn paid(mut self, paid_minor: i64) -> Self {
        self.paid.amount_minor = paid_minor;
        self.due.amount_minor = self.gross.amount_minor.saturating_sub(paid_minor).max(0);
        self
    }

    /// Nothing is left to pay, whatever it comes to.
    #[must_use]
    pub fn nothing_due(mut self) -> Self {
        self.due.amount_minor = 0;
        self
    }

    /// Zeros, where no sum is claimed.
    pub fn none(currency: Currency) -> Self {
        let zero = money(0, currency);
        Self {
            net: zero,
            tax: zero,
            gross: zero,
            paid: zero,
            due: zero,
        }
    }
}
