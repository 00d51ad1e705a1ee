//! Item kinds and their bodies.
//!
//! A released body never changes: a new shape is a new kind. Bodies are postcard of the structs named here, whose
//! field order is the format. A kind that this version does not know is kept, chained and parked, never dropped.

use domain::availability::AvailabilityRow;
use domain::branch::BranchRow;
use domain::cash::{CashClosed, CashMoved, CashOpened};
use domain::company::CompanyRow;
use domain::day::{DayClosed, MoneyCorrection, SettlementLine, SettlementMatch, SignOff};
use domain::document::DocumentKind;
use domain::id::{BranchId, DocumentId, LineId, PartId, PresetId, StaffId};
use domain::part::PartRow;
use domain::payment::{Hold, PaymentAgain, PaymentCancelled, PaymentResult, RepaymentResult};
use domain::preset::PresetRow;
use domain::staff::{CredentialRow, StaffRow};
use domain::stock::Movement;
use domain::till::{AccountRow, Receipt, Refund, RefundAsked, RefundDecided, TillRules};
use domain::transfer::{Arrival, Plan, Shipment, TransferRequest};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::DecodeError;
use crate::hash::Hash;
use crate::position::{NodeId, Position};
use crate::transaction::RawItem;

/// Item kinds of protocol 1.
pub mod kind {
    /// One Automerge change of a document.
    pub const CHANGE: u16 = 1;
    /// A whole document, in feeds only.
    pub const SNAPSHOT: u16 = 2;
    /// The reader is no longer interested in a document.
    pub const DETACH: u16 = 3;
    /// A stock movement.
    pub const MOVEMENT: u16 = 16;
    /// A reservation.
    pub const RESERVE: u16 = 17;
    /// The end of a reservation.
    pub const RELEASE: u16 = 18;
    /// A branch asks for stock.
    pub const TRANSFER_REQUEST: u16 = 24;
    /// The hub's plan of a transfer, or its end.
    pub const PLAN: u16 = 25;
    /// The source shipped.
    pub const SHIPMENT: u16 = 26;
    /// The destination received.
    pub const ARRIVAL: u16 = 27;
    /// A branch row.
    pub const BRANCH: u16 = 32;
    /// A staff row: name and role.
    pub const STAFF: u16 = 33;
    /// A credential, private feeds only.
    pub const CREDENTIAL: u16 = 34;
    /// A part with its price.
    pub const PART: u16 = 35;
    /// A preset.
    pub const PRESET: u16 = 36;
    /// The company.
    pub const COMPANY: u16 = 37;
    /// Availability of a part at a branch.
    pub const AVAILABILITY: u16 = 38;
    /// A customer who buys on account.
    pub const ACCOUNT: u16 = 39;
    /// What the tills may do.
    pub const TILL_RULES: u16 = 40;
    /// A node was enrolled.
    pub const NODE_ENROLLED: u16 = 48;
    /// A node was revoked.
    pub const NODE_REVOKED: u16 = 49;
    /// A person was erased.
    pub const PERSON_ERASED: u16 = 50;
    /// A line was closed.
    pub const LINE_CLOSED: u16 = 51;
    /// What the hub decided about an item.
    pub const VERDICT: u16 = 64;
    /// A note of the audit.
    pub const NOTE: u16 = 65;
    /// An imported record and the order it became.
    pub const IMPORT_RECORD: u16 = 66;
    /// A branch asked for a document and gets it.
    pub const ATTACH: u16 = 67;
    /// A person looked into an exception that does not end by itself.
    pub const EXCEPTION_MARK: u16 = 68;
    /// A receipt of the till.
    pub const RECEIPT: u16 = 80;
    /// Money and goods given back against a receipt.
    pub const REFUND: u16 = 81;
    /// A refund above what the role may give waits for the hub.
    pub const REFUND_ASKED: u16 = 82;
    /// A payment that was asked for is called off.
    pub const PAYMENT_CANCELLED: u16 = 83;
    /// A cash session began.
    pub const CASH_OPENED: u16 = 84;
    /// Cash was put in or taken out.
    pub const CASH_MOVED: u16 = 85;
    /// A cash session was counted and closed.
    pub const CASH_CLOSED: u16 = 86;
    /// A branch's business day ended.
    pub const DAY_CLOSED: u16 = 87;
    /// What became of a payment that was asked for.
    pub const PAYMENT_RESULT: u16 = 88;
    /// What became of money that was to go back.
    pub const REPAYMENT_RESULT: u16 = 89;
    /// The hub's word on a refund that was asked for.
    pub const REFUND_DECIDED: u16 = 90;
    /// A line of a provider's statement.
    pub const SETTLEMENT_LINE: u16 = 91;
    /// A correction of the money ledger with its reason.
    pub const MONEY_CORRECTION: u16 = 92;
    /// A person says what a statement's line belongs to.
    pub const SETTLEMENT_MATCH: u16 = 93;
    /// A night was signed off, or opened again.
    pub const SIGN_OFF: u16 = 94;
    /// Goods are kept for a payment, or not any more.
    pub const HOLD: u16 = 95;
    /// The customer tries again at the reader.
    pub const PAYMENT_AGAIN: u16 = 96;
}

/// What a transaction was written for; shown in the audit and in "who, where, when".
pub mod command {
    /// The node itself (start, feed housekeeping).
    pub const SYSTEM: u16 = 0;
    /// An order was taken in.
    pub const INTAKE: u16 = 1;
    /// An order's fields were edited.
    pub const ORDER_EDIT: u16 = 2;
    /// An order was moved.
    pub const ORDER_STATUS: u16 = 3;
    /// A priced line was added, changed, removed or consumed.
    pub const ORDER_LINE: u16 = 4;
    /// A note was written.
    pub const ORDER_NOTE: u16 = 5;
    /// An estimate was made or answered.
    pub const ORDER_ESTIMATE: u16 = 6;
    /// A customer was taken in or edited.
    pub const CUSTOMER: u16 = 7;
    /// Stock moved by hand (opening, delivery, adjustment, scrap).
    pub const STOCK: u16 = 8;
    /// A step of a transfer.
    pub const TRANSFER: u16 = 9;
    /// Records were imported.
    pub const IMPORT: u16 = 10;
    /// Rows of the hub (catalogue, staff, branches, company).
    pub const ROWS: u16 = 11;
    /// A machine was enrolled or revoked.
    pub const NODES: u16 = 12;
    /// The hub's verdict on an item.
    pub const VERDICT: u16 = 13;
    /// Settings of a part at a branch.
    pub const STOCK_SETTINGS: u16 = 14;
    /// A conflict or decision was settled.
    pub const SETTLE: u16 = 15;
    /// A person of another branch was brought to a branch.
    pub const BRING: u16 = 16;
    /// Something was sold, collected or paid for.
    pub const SALE: u16 = 17;
    /// Money or goods were given back.
    pub const REFUND: u16 = 18;
    /// A cash session was opened, moved or closed.
    pub const CASH: u16 = 19;
    /// The hub heard of a payment.
    pub const PAYMENT: u16 = 20;
    /// The night: a day's end, a correction, a sign-off.
    pub const NIGHT: u16 = 21;
}

/// One Automerge change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The document.
    pub document: DocumentId,
    /// Its kind ([`DocumentKind`] as number).
    pub document_kind: u8,
    /// The plain change chunk.
    pub chunk: Vec<u8>,
}

/// Who wrote one change of a document, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Origin {
    /// Actor of the change.
    pub actor: [u8; 12],
    /// Number of the change among the actor's.
    pub seq: u64,
    /// Who.
    pub staff: StaffId,
    /// Hybrid clock of the transaction.
    pub hlc: u64,
}

/// A whole document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The document.
    pub document: DocumentId,
    /// Its kind.
    pub document_kind: u8,
    /// Sorted heads.
    pub heads: Vec<Hash>,
    /// `save_nocompress` bytes.
    pub saved: Vec<u8>,
    /// Who wrote what.
    pub origins: Vec<Origin>,
}

/// The reader's interest in a document ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detach {
    /// The document.
    pub document: DocumentId,
}

/// Stock kept for an order line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reserve {
    /// The reservation's id is the order line's.
    pub id: LineId,
    /// The part.
    pub part: PartId,
    /// How many.
    pub quantity: u32,
}

/// The end of a reservation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Which one.
    pub reservation: LineId,
}

/// A versioned row that the hub owns; the last version wins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row<Id, Fields> {
    /// The row's id.
    pub id: Id,
    /// Counts up with every edit.
    pub version: u64,
    /// The row is gone.
    pub deleted: bool,
    /// Its values.
    pub fields: Fields,
}

/// A machine that may speak for a branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeEnrolled {
    /// The machine.
    pub node: NodeId,
    /// Its branch.
    pub branch: BranchId,
    /// Its Ed25519 public key.
    pub public_key: [u8; 32],
    /// The machine that it replaces.
    pub former: Option<NodeId>,
}

/// A machine that may no longer speak.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeRevoked {
    /// The machine.
    pub node: NodeId,
    /// Why.
    pub reason: String,
}

/// A person whose keys are destroyed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonErased {
    /// The customer document.
    pub person: DocumentId,
}

/// A line that grows no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineClosed {
    /// Its last accepted entry.
    pub last: Position,
    /// Chain hash behind it.
    pub hash: Hash,
}

/// What the hub decided about an item of a branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[repr(u8)]
pub enum VerdictKind {
    /// Kept, not applied; people see it.
    Parked = 1,
    /// Applied after all.
    Released = 2,
    /// Will never be applied.
    Dropped = 3,
    /// Another fact with the same business key counts.
    Superseded = 4,
}

/// A verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The transaction.
    pub position: Position,
    /// The item, or all changes of the transaction.
    pub item: Option<u16>,
    /// What was decided.
    pub verdict: VerdictKind,
    /// Why, for people.
    pub reason: String,
}

/// A note of the audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditNote {
    /// What it is about; zeros for the node itself.
    pub subject: [u8; 16],
    /// The text.
    pub text: String,
}

/// An imported record and the order it became.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportRecord {
    /// `ords/<data provider>/<id>`, the order's `source`.
    pub source: String,
    /// The order.
    pub order: DocumentId,
    /// SHA-256 over the record's meaningful fields.
    pub fingerprint: Hash,
}

/// A branch asked for a document and gets it from here on. Only in logs of the hub; the branch itself gets the
/// document's snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attach {
    /// The document.
    pub document: DocumentId,
    /// Who gets it.
    pub branch: BranchId,
}

/// What a person at the hub said of an exception that nothing else ends. Only in logs of the hub; no branch gets it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExceptionMark {
    /// Whose exception; nil for the hub's own.
    pub branch: BranchId,
    /// Its kind.
    pub kind: String,
    /// What it is about.
    pub subject: [u8; 16],
    /// What was said.
    pub mark: Mark,
}

/// The end of an exception, or that there is one again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mark {
    /// Nothing is left to do.
    Closed {
        /// Why, for people.
        reason: String,
    },
    /// Closing it was taken back: it stands as it stood.
    Reopened {
        /// What is the matter.
        detail: String,
        /// Since when, milliseconds since 1970.
        since_ms: i64,
    },
}

/// A typed item.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "each variant is documented at its body")]
pub enum Item {
    Change(Change),
    Snapshot(Snapshot),
    Detach(Detach),
    Movement(Movement),
    Reserve(Reserve),
    Release(Release),
    TransferRequest(TransferRequest),
    Plan(Plan),
    Shipment(Shipment),
    Arrival(Arrival),
    Branch(Row<BranchId, BranchRow>),
    Staff(Row<StaffId, StaffRow>),
    Credential(Row<StaffId, CredentialRow>),
    Part(Row<PartId, PartRow>),
    Preset(Row<PresetId, PresetRow>),
    Company(Row<BranchId, CompanyRow>),
    Availability(AvailabilityRow),
    Account(Row<DocumentId, AccountRow>),
    TillRules(Row<BranchId, TillRules>),
    NodeEnrolled(NodeEnrolled),
    NodeRevoked(NodeRevoked),
    PersonErased(PersonErased),
    LineClosed(LineClosed),
    Verdict(Verdict),
    Note(AuditNote),
    ImportRecord(ImportRecord),
    Attach(Attach),
    ExceptionMark(ExceptionMark),
    Receipt(Receipt),
    Refund(Refund),
    RefundAsked(RefundAsked),
    PaymentCancelled(PaymentCancelled),
    CashOpened(CashOpened),
    CashMoved(CashMoved),
    CashClosed(CashClosed),
    DayClosed(DayClosed),
    PaymentResult(PaymentResult),
    RepaymentResult(RepaymentResult),
    RefundDecided(RefundDecided),
    SettlementLine(SettlementLine),
    MoneyCorrection(MoneyCorrection),
    SettlementMatch(SettlementMatch),
    SignOff(SignOff),
    Hold(Hold),
    PaymentAgain(PaymentAgain),
}

macro_rules! kinds {
    ($($variant:ident = $kind:ident),+ $(,)?) => {
        impl Item {
            /// The item's kind number.
            pub fn kind(&self) -> u16 {
                match self { $(Item::$variant(_) => kind::$kind),+ }
            }

            /// The bytes that go into a transaction.
            pub fn to_raw(&self) -> RawItem {
                let body = match self { $(Item::$variant(body) => encode_body(body)),+ };
                RawItem::Present { kind: self.kind(), body }
            }

            /// Reads a body of `kind`; an unknown kind is an error that the caller parks.
            pub fn decode(kind: u16, body: &[u8]) -> Result<Self, DecodeError> {
                match kind {
                    $(kind::$kind => Ok(Item::$variant(decode_body(body, stringify!($variant))?)),)+
                    other => Err(DecodeError::Unknown { what: "item kind", value: u64::from(other) }),
                }
            }
        }
    };
}

kinds! {
    Change = CHANGE, Snapshot = SNAPSHOT, Detach = DETACH, Movement = MOVEMENT, Reserve = RESERVE,
    Release = RELEASE, TransferRequest = TRANSFER_REQUEST, Plan = PLAN, Shipment = SHIPMENT, Arrival = ARRIVAL,
    Branch = BRANCH, Staff = STAFF, Credential = CREDENTIAL, Part = PART, Preset = PRESET, Company = COMPANY,
    Availability = AVAILABILITY, Account = ACCOUNT, TillRules = TILL_RULES, NodeEnrolled = NODE_ENROLLED, NodeRevoked = NODE_REVOKED,
    PersonErased = PERSON_ERASED, LineClosed = LINE_CLOSED, Verdict = VERDICT, Note = NOTE,
    ImportRecord = IMPORT_RECORD, Attach = ATTACH, ExceptionMark = EXCEPTION_MARK,
    Receipt = RECEIPT, Refund = REFUND, RefundAsked = REFUND_ASKED, PaymentCancelled = PAYMENT_CANCELLED,
    CashOpened = CASH_OPENED, CashMoved = CASH_MOVED, CashClosed = CASH_CLOSED, DayClosed = DAY_CLOSED,
    PaymentResult = PAYMENT_RESULT, RepaymentResult = REPAYMENT_RESULT, RefundDecided = REFUND_DECIDED,
    SettlementLine = SETTLEMENT_LINE, MoneyCorrection = MONEY_CORRECTION, SettlementMatch = SETTLEMENT_MATCH,
    SignOff = SIGN_OFF, Hold = HOLD, PaymentAgain = PAYMENT_AGAIN,
}

impl Item {
    /// Reads a raw item; `None` for an erased one.
    pub fn from_raw(raw: &RawItem) -> Result<Option<Self>, DecodeError> {
        raw.body()
            .map(|body| Self::decode(raw.kind(), body))
            .transpose()
    }

    /// A change item.
    pub fn change(document: DocumentId, document_kind: DocumentKind, chunk: Vec<u8>) -> Self {
        Item::Change(Change {
            document,
            document_kind: document_kind.code(),
            chunk,
        })
    }

    /// Whether the item reports what happened in the world: facts are refused for form or owner only, never for state.
    pub fn is_fact(&self) -> bool {
        !matches!(self, Item::Change(_) | Item::Snapshot(_) | Item::Detach(_))
    }
}

/// postcard of a body.
#[expect(
    clippy::expect_used,
    reason = "postcard into a vector fails only for types that none of the bodies uses"
)]
pub fn encode_body<T: Serialize>(body: &T) -> Vec<u8> {
    postcard::to_stdvec(body).expect("bodies have known lengths and plain fields")
}

/// Reads a body and requires that nothing is left over.
pub fn decode_body<T: DeserializeOwned>(
    bytes: &[u8],
    what: &'static str,
) -> Result<T, DecodeError> {
    match postcard::take_from_bytes(bytes) {
        Ok((value, [])) => Ok(value),
        Ok((_, rest)) => Err(DecodeError::Trailing {
            what,
            count: rest.len(),
        }),
        Err(error) => Err(DecodeError::Body {
            what,
            reason: error.to_string(),
        }),
    }
}
