//! One file per page.

pub mod board;
pub mod business_days;
pub mod cash;
pub mod decisions;
pub mod delivery;
pub mod elsewhere;
pub mod find;
pub mod imports;
pub mod intake;
pub mod label;
pub mod order;
pub mod orders;
pub mod part;
pub mod person;
pub mod receipt;
pub mod receipts;
pub mod refund;
pub mod session;
pub mod stock;
pub mod sync;
pub mod till;
pub mod transfers;
