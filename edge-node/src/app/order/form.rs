//! An order as it is asked for and answered.

use std::collections::BTreeMap;

use domain::id::{DocumentId, EventId, LineId, PresetId, StaffId, VisitId};
use domain::money::Money;
use domain::order::{EstimateAnswer, LineKind, Outcome, Status};
use domain::patch::Patch;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use web_kit::etag::ETag;
use web_kit::order::{Device, Estimate, Note, OrderCustomer, StatusEvent, Totals};
use web_kit::wire::{AnswerForm, LineKindForm, MoneyForm, OutcomeForm, StatusForm, Time};

/// How far a change has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SyncState {
    /// It is on this machine.
    Local,
    /// The hub has it on disk.
    Stored,
    /// The hub has applied it.
    Applied,
}

/// A repair order: one device.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = Order)]
pub struct Order {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    pub id: DocumentId,
    /// The number that people read.
    pub number: String,
    /// The visit, which groups the orders of several devices.
    #[schema(value_type = String, format = "uuid")]
    pub visit_id: VisitId,
    /// Code of the home branch.
    pub branch: String,
    /// Whose device it is; null for imported records and anonymous orders.
    #[schema(required = true)]
    pub customer: Option<OrderCustomer>,
    /// The device.
    pub device: Device,
    /// Where it stands.
    #[schema(value_type = StatusForm)]
    pub status: Status,
    /// How the work ended.
    #[schema(required = true, value_type = Option<OutcomeForm>)]
    pub outcome: Option<Outcome>,
    /// Where it may be moved from here.
    #[schema(value_type = Vec<StatusForm>)]
    pub allowed: Vec<Status>,
    /// When it is promised.
    #[schema(required = true)]
    pub promised_at: Option<Time>,
    /// Who works on it.
    #[schema(required = true, value_type = Option<String>, format = "uuid")]
    pub technician_id: Option<StaffId>,
    /// Whether it goes first.
    pub urgent: bool,
    /// When the customer accepted the terms.
    #[schema(required = true)]
    pub terms_accepted_at: Option<Time>,
    /// Where an imported record comes from.
    #[schema(required = true)]
    pub source: Option<String>,
    /// What was found.
    pub diagnosis: String,
    /// What happened to the status, oldest first.
    pub events: Vec<StatusEvent>,
    /// Services, parts, fees, discounts.
    pub lines: Vec<Line>,
    /// Notes, oldest first.
    pub notes: Vec<Note>,
    /// Estimates by version.
    pub estimates: Vec<Estimate>,
    /// What it adds up to.
    pub totals: Totals,
    /// Whether people must decide something about it.
    pub conflict: bool,
    /// The document's heads, as hexadecimal text.
    pub heads: Vec<String>,
    /// How far the last change made here has come.
    pub sync: SyncState,
    /// When it was taken in.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
    /// The tag of this state of the document.
    #[serde(skip)]
    #[schema(ignore)]
    pub(crate) etag: ETag,
}

impl Order {
    /// The tag of this state of its document.
    pub fn etag(&self) -> ETag {
        self.etag.clone()
    }
}

/// What became of the pieces of a part line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LineStock {
    /// Kept for the line.
    Reserved,
    /// Built in.
    Consumed,
    /// Neither: the order ended, or the pieces went elsewhere.
    Open,
}

/// A priced line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = OrderLine)]
pub struct Line {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    pub id: LineId,
    /// What it is for.
    #[schema(value_type = LineKindForm)]
    pub kind: LineKind,
    /// What it says.
    pub text: String,
    /// The part's sku.
    #[schema(required = true)]
    pub sku: Option<String>,
    /// Pieces.
    pub quantity: i64,
    /// Price of one piece.
    #[schema(value_type = MoneyForm)]
    pub unit_price: Money,
    /// Tax rate in basis points.
    pub tax_rate_bp: u32,
    /// Of a part line: what became of the pieces.
    #[schema(required = true)]
    pub stock: Option<LineStock>,
}

/// A device that is taken in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeviceInput {
    /// What kind of thing it is.
    #[serde(default)]
    #[schema(max_length = 200, example = "laptop")]
    pub category: String,
    /// Who made it.
    #[serde(default)]
    #[schema(max_length = 200)]
    pub brand: String,
    /// Which model.
    #[serde(default)]
    #[schema(max_length = 200)]
    pub model: String,
    /// Its serial number.
    #[serde(default)]
    #[schema(max_length = 64)]
    pub serial: String,
    /// What is wrong, as the customer tells it.
    #[serde(default)]
    #[schema(max_length = 8000)]
    pub fault: String,
    /// What came with it.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub accessories: Vec<String>,
    /// In which condition it came, by what was looked at.
    #[serde(default)]
    pub condition: BTreeMap<String, String>,
    /// Presets whose service is agreed on: each becomes a line, their sum the first estimate, and their names stand
    /// before what is wrong.
    #[serde(default)]
    #[schema(value_type = Vec<String>, max_items = 10)]
    pub presets: Vec<PresetId>,
    /// Skus of parts that are kept for it; one that is not free here is refused with 409.
    #[serde(default)]
    #[schema(max_items = 10)]
    pub parts: Vec<String>,
}

/// What to change in a device. Absent fields stay, null and empty text clear.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DevicePatch {
    /// What kind of thing it is.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 200)]
    pub category: Patch<String>,
    /// Who made it.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 200)]
    pub brand: Patch<String>,
    /// Which model.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 200)]
    pub model: Patch<String>,
    /// Its serial number.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 64)]
    pub serial: Patch<String>,
    /// What is wrong with it.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 8000)]
    pub fault: Patch<String>,
    /// All accessories; those not in the list are removed.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>, max_items = 100)]
    pub accessories: Patch<Vec<String>>,
    /// All conditions; those not in the map are removed.
    #[serde(default)]
    #[schema(value_type = Option<BTreeMap<String, String>>)]
    pub condition: Patch<BTreeMap<String, String>>,
}

/// What to change in an order. Absent fields stay, null clears.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderPatch {
    /// The customer.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = "uuid")]
    pub customer_id: Patch<DocumentId>,
    /// The device.
    #[serde(default)]
    pub device: DevicePatch,
    /// When it is promised.
    #[serde(default)]
    #[schema(value_type = Option<Time>)]
    pub promised_at: Patch<Time>,
    /// Who works on it.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = "uuid")]
    pub technician_id: Patch<StaffId>,
    /// Whether it goes first.
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    pub urgent: Patch<bool>,
    /// When the customer accepted the terms.
    #[serde(default)]
    #[schema(value_type = Option<Time>)]
    pub terms_accepted_at: Patch<Time>,
    /// What was found.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 8000)]
    pub diagnosis: Patch<String>,
}

/// Where an order goes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StatusInput {
    /// The new status.
    #[schema(value_type = StatusForm)]
    pub status: Status,
    /// With `ready`: how the work ended.
    #[serde(default)]
    #[schema(value_type = Option<OutcomeForm>)]
    pub outcome: Option<Outcome>,
    /// A note that is written with it.
    #[serde(default)]
    #[schema(max_length = 8000)]
    pub note: Option<String>,
}

/// What to take back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UndoInput {
    /// The step; without it the last one that counts.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = "uuid")]
    pub event_id: Option<EventId>,
}

/// A new line.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LineInput)]
pub struct LineInput {
    /// What it is for.
    #[schema(value_type = LineKindForm)]
    pub kind: LineKind,
    /// What it says; of a part line the part's name when absent.
    #[serde(default)]
    #[schema(max_length = 400)]
    pub text: Option<String>,
    /// Of a part line: which part.
    #[serde(default)]
    #[schema(max_length = 64)]
    pub sku: Option<String>,
    /// Pieces.
    #[serde(default = "one")]
    #[schema(minimum = 1, maximum = 1_000_000, default = 1)]
    pub quantity: i64,
    /// Price of one piece; of a part line the catalogue's when absent. A discount's is not negative either.
    #[serde(default)]
    #[schema(value_type = Option<MoneyForm>)]
    pub unit_price: Option<Money>,
    /// Tax rate in basis points; absent: the part's, else the company's first.
    #[serde(default)]
    #[schema(maximum = 10_000)]
    pub tax_rate_bp: Option<u32>,
}

const fn one() -> i64 {
    1
}

/// What to change in a line; kind and part stay.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LinePatch)]
pub struct LinePatch {
    /// What it says.
    #[serde(default)]
    #[schema(max_length = 400)]
    pub text: Option<String>,
    /// Pieces.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub quantity: Option<i64>,
    /// Price of one piece.
    #[serde(default)]
    #[schema(value_type = Option<MoneyForm>)]
    pub unit_price: Option<Money>,
    /// Tax rate in basis points.
    #[serde(default)]
    #[schema(maximum = 10_000)]
    pub tax_rate_bp: Option<u32>,
}

/// A new note.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NoteInput {
    /// What to write.
    #[schema(min_length = 1, max_length = 8000)]
    pub text: String,
}

/// A new estimate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EstimateInput {
    /// What the repair would cost, with tax; absent: what the lines come to now.
    #[serde(default)]
    #[schema(value_type = Option<MoneyForm>)]
    pub gross: Option<Money>,
}

/// What the customer said.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerInput {
    /// Yes or no.
    #[schema(value_type = AnswerForm)]
    pub answer: EstimateAnswer,
    /// By what way the answer came ("customer, by phone"); no personal value.
    #[serde(default)]
    #[schema(max_length = 200)]
    pub by: String,
}

/// Which orders.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrderFilter {
    /// In this status.
    pub status: Option<Status>,
    /// Changed at or after this time.
    pub since: Option<Time>,
    /// Number, serial or words of device and fault; never a personal value.
    pub q: Option<String>,
}
