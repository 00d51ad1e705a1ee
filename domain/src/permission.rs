//! Who may do what: one table for both sides.
//!
//! A route asks [`allows`] and nothing else. Where somebody may do it (which branches) is a second question, answered
//! by the staff row; no role ever widens it.

use crate::staff::Role;

/// Where somebody is signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// At a branch's edge node.
    Branch,
    /// At the hub.
    Hub,
}

macro_rules! permissions {
    ($($(#[$meta:meta])* $name:ident $text:literal $branch:literal $hub:literal),+ $(,)?) => {
        /// Something that a person may be allowed to do.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Permission { $($(#[$meta])* $name),+ }

        impl Permission {
            /// Every permission.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The name used in answers and documentation.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }

            /// The letters of the roles that have it at this side, see [`letter`].
            const fn roles(self, side: Side) -> &'static str {
                match (self, side) { $((Self::$name, Side::Branch) => $branch, (Self::$name, Side::Hub) => $hub),+ }
            }
        }
    };
}

// Columns: at a branch, at the hub. c clerk, t technician, b branch manager, m central manager, a auditor, o operator.
permissions! {
    /// Sign in, and see one's own session.
    SignIn "sign_in" "ctbmao" "ctbmao",
    /// See settings, catalogue, branches, presets, events, sync state.
    BasicsRead "basics_read" "ctbmao" "ctbmao",
    /// See orders.
    OrdersRead "orders_read" "ctbma" "bma",
    /// Take in orders and change them: fields, lines, notes, estimates.
    OrdersWrite "orders_write" "ctbm" "bm",
    /// Move orders, undo moves.
    OrdersMove "orders_move" "ctbm" "",
    /// See customers.
    CustomersRead "customers_read" "ctbma" "bma",
    /// Take in and change customers.
    CustomersWrite "customers_write" "ctbm" "bm",
    /// Say that two customers are one person.
    CustomersMerge "customers_merge" "" "bm",
    /// Search by name, phone, number.
    Search "search" "ctbma" "bma",
    /// See stock, movements, conservation.
    StockRead "stock_read" "ctbmao" "bmao",
    /// Receive, use, scrap parts; opening stock.
    StockMove "stock_move" "ctbm" "",
    /// Correct stock after counting.
    StockAdjust "stock_adjust" "bm" "",
    /// Change bins, reorder points, barcodes.
    InventoryWrite "inventory_write" "ctbm" "bm",
    /// See transfers.
    TransfersRead "transfers_read" "ctbma" "bmao",
    /// Ask for a transfer.
    TransfersRequest "transfers_request" "ctbm" "bm",
    /// Send goods.
    TransfersShip "transfers_ship" "ctbm" "",
    /// Take goods in.
    TransfersReceive "transfers_receive" "ctbm" "",
    /// Approve, cancel, dispute and settle transfers.
    TransfersApprove "transfers_approve" "" "m",
    /// Sell, take payments, write receipts.
    TillUse "till_use" "ctbm" "",
    /// See receipts, payments, cash sessions.
    MoneyRead "money_read" "ctbma" "bma",
    /// Open, move and close cash sessions.
    CashWrite "cash_write" "cbm" "",
    /// Give money back within the role's limit.
    RefundsWrite "refunds_write" "cbm" "m",
    /// Say yes or no to refunds above a role's limit.
    RefundsApprove "refunds_approve" "" "bm",
    /// Run a night again; put money and statements right.
    NightMend "night_mend" "" "m",
    /// Sign off what a night found, or open it again.
    NightSign "night_sign" "" "bm",
    /// Change parts, prices and presets.
    CatalogueWrite "catalogue_write" "" "m",
    /// See people.
    StaffRead "staff_read" "bmao" "bmao",
    /// Change people, roles, passwords.
    StaffWrite "staff_write" "" "mo",
    /// Change branches.
    BranchesWrite "branches_write" "" "mo",
    /// Make join codes.
    JoinCodes "join_codes" "" "mo",
    /// Revoke machines, settle clones.
    NodesRevoke "nodes_revoke" "" "mo",
    /// Change the company's settings.
    SettingsWrite "settings_write" "" "m",
    /// Import records.
    Import "import" "bmo" "mo",
    /// Export records.
    Export "export" "bma" "ma",
    /// See documents and their digest.
    DocumentsRead "documents_read" "ctbma" "bma",
    /// Cut and restore the line, for drills.
    SyncPause "sync_pause" "bmo" "",
    /// See and verify the audit chain.
    AuditRead "audit_read" "bmao" "bmao",
    /// See exceptions, incidents, decisions, conflicts.
    ExceptionsRead "exceptions_read" "ctbmao" "bmao",
    /// Settle decisions and conflicts.
    ExceptionsSettle "exceptions_settle" "ctbm" "bm",
    /// See parked transactions.
    ParkedRead "parked_read" "bmao" "mao",
    /// Release and drop parked transactions.
    ParkedSettle "parked_settle" "" "mo",
}

/// Whether this role has this permission at this side.
pub fn allows(role: Role, permission: Permission, side: Side) -> bool {
    permission.roles(side).contains(letter(role))
}

const fn letter(role: Role) -> char {
    match role {
        Role::Clerk => 'c',
        Role::Technician => 't',
        Role::BranchManager => 'b',
        Role::CentralManager => 'm',
        Role::Auditor => 'a',
        Role::Operator => 'o',
    }
}
