//! The hub's tables. Each module's statements touch only the schema of its name.
//!
//! Functions here read and write rows in bulk on a connection that the caller gives; they decide nothing and begin no
//! SQL transaction. Statements are static text (T-6).

pub mod audit;
pub(crate) mod bulk;
pub mod customers;
pub mod db;
pub mod ids;
pub mod inventory;
pub mod locations;
pub mod notice;
pub mod orders;
pub mod payments;
pub mod reconciliation;
pub mod rows;
pub mod scope;
pub mod staff;
pub mod sync;
pub mod verify;

use sqlx::migrate::Migrator;

/// The migrations of `migrations/hub`, compiled in.
pub static MIGRATIONS: Migrator = sqlx::migrate!("../migrations/hub");
