//! What is known and what changes while the transactions of one SQL transaction are applied.
//!
//! Maps whose order shows in what is written are sorted. Nothing here is written before [`super::save`] does so.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use domain::branch::BranchRow;
use domain::company::CompanyRow;
use domain::id::{BranchId, DocumentId, LineId, PartId, PresetId, StaffId, TransferId};
use domain::part::PartRow;
use domain::preset::PresetRow;
use domain::staff::{CredentialRow, StaffRow};
use domain::stock::BusinessKey;
use domain::till::{AccountRow, TillRules};
use domain::transfer::{TransferFold, TransferRecord};
use sync_protocol::document::Document;
use sync_protocol::feed::{FeedEntry, FeedId};
use sync_protocol::item::{NodeRevoked, Row, Verdict};
use sync_protocol::position::{NodeId, Position};

use super::Entry;
use super::ahead::AllReady;
use super::money::{Money, MoneyWrites};
use crate::store::audit::{ExceptionWrite, NoteWrite};
use crate::store::inventory::AvailabilityWrite;
use crate::store::inventory::ledger::{MovementWrite, ReservationRow, Stock};
use crate::store::inventory::transfer::RecordWrite;
use crate::store::orders::ImportWrite;
use crate::store::sync::node::Enrolled;
use crate::store::sync::parked::ParkedRow;

/// A document as it stands in this SQL transaction.
#[derive(Debug, Clone)]
pub(crate) struct DocumentState {
    pub document: Arc<Document>,
    pub branch: BranchId,
    pub created_ms: i64,
    pub updated_ms: i64,
}

/// A transfer with its records.
#[derive(Debug, Clone, Default)]
pub(crate) struct TransferHistory {
    pub records: Vec<TransferRecord>,
    pub fold: Option<TransferFold>,
}

/// What is known, what changes, and what is to be written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Work {
    /// Loaded documents; `None` where there is none.
    pub documents: HashMap<DocumentId, Option<DocumentState>>,
    /// Who is interested in loaded documents.
    pub interest: HashMap<DocumentId, BTreeSet<BranchId>>,
    /// Loaded stock.
    pub stock: BTreeMap<(BranchId, PartId), Stock>,
    /// Business keys that were looked up, and whether they are taken.
    pub keys: HashMap<(BranchId, BusinessKey), bool>,
    /// Loaded reservations; `None` where there is none.
    pub reservations: BTreeMap<(BranchId, LineId), Option<ReservationRow>>,
    /// Loaded transfers.
    pub transfers: HashMap<TransferId, TransferHistory>,
    /// What is known of money.
    pub money: Money,
    /// Loaded people.
    pub staff: BTreeMap<StaffId, Row<StaffId, StaffRow>>,
    /// Loaded credentials.
    pub credentials: BTreeMap<StaffId, Row<StaffId, CredentialRow>>,
    /// Whose nodes are, of nodes that were looked up.
    pub node_branches: HashMap<NodeId, BranchId>,
    /// Regions of all branches, once loaded.
    pub regions: Option<BTreeMap<BranchId, String>>,
    /// People who were looked up; everybody where [`Work::all_staff`].
    pub staff_loaded: HashSet<StaffId>,
    /// Everybody is loaded.
    pub all_staff: bool,
    /// Documents without which a transaction could not be applied to its end; it is applied again with them.
    pub missing: BTreeSet<DocumentId>,
    /// Transactions whose parked items are released, as they stand in their logs.
    pub held: BTreeMap<Position, Entry>,
    /// What was parked, and not decided, when this work began: position and item.
    pub parked_before: BTreeSet<(Position, i32)>,
    /// Changes taken ahead.
    pub ready: AllReady,
    /// Decisions that the branches must learn of, as transactions of node 0.
    pub verdicts: Vec<Verdict>,
    /// Words at the end of a day that were taken here, each the last of its branch.
    pub days_taken: Vec<(BranchId, Position)>,
    /// What is to be written.
    pub writes: Writes,
}

/// What is to be written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Writes {
    pub documents: BTreeSet<DocumentId>,
    /// Orders that begin here, in the order of application.
    pub new_orders: Vec<DocumentId>,
    pub interest: Vec<(BranchId, DocumentId, i16)>,
    pub movements: Vec<MovementWrite>,
    pub keys: Vec<(BranchId, BusinessKey, [u8; 16])>,
    pub stock: BTreeSet<(BranchId, PartId)>,
    /// A part reached or left zero.
    pub zero_crossed: bool,
    /// Whether pieces arrived that were written off.
    pub pieces_found: bool,
    pub reservations: BTreeSet<(BranchId, LineId)>,
    pub records: Vec<RecordWrite>,
    /// Transfers that changed, with the times of their first and last record here.
    pub transfers: BTreeMap<TransferId, (i64, i64)>,
    pub branches: Vec<(Row<BranchId, BranchRow>, i64)>,
    pub staff: Vec<(Row<StaffId, StaffRow>, i64)>,
    pub credentials: Vec<(Row<StaffId, CredentialRow>, i64)>,
    pub parts: Vec<(Row<PartId, PartRow>, i64)>,
    pub presets: Vec<(Row<PresetId, PresetRow>, i64)>,
    pub companies: Vec<(Row<BranchId, CompanyRow>, i64)>,
    pub availability: BTreeMap<(BranchId, PartId), AvailabilityWrite>,
    pub enrolled: Vec<Enrolled>,
    pub revoked: Vec<(NodeRevoked, i64)>,
    pub closed: Vec<NodeId>,
    pub erased: Vec<(DocumentId, i64)>,
    pub notes: Vec<NoteWrite>,
    pub money: MoneyWrites,
    pub till_rules: Vec<(Row<BranchId, TillRules>, i64)>,
    pub accounts: Vec<(Row<DocumentId, AccountRow>, i64)>,
    pub imports: BTreeMap<(BranchId, String), ImportWrite>,
    pub parked: Vec<ParkedRow>,
    /// Position, item and state of parked things that were decided.
    pub parked_states: Vec<(Position, i32, i16)>,
    pub exceptions: BTreeMap<(BranchId, &'static str, [u8; 16]), ExceptionWrite>,
    pub feeds: Vec<(FeedId, FeedEntry)>,
}

impl Work {
    /// The document as it stands now, if it was loaded and exists.
    pub(crate) fn document(&self, document: DocumentId) -> Option<&DocumentState> {
        self.documents.get(&document).and_then(Option::as_ref)
    }
}
