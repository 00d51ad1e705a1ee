//! Money: what tills wrote, what providers said, and the ledger of both.
//!
//! All of it follows from the logs. Nothing here asks a provider, and no balance is set, only moved. What a commit adds
//! to a table goes there in one statement.

pub mod day;
pub mod entry;
pub mod hold;
pub mod job;
pub mod paper;
pub mod payment;
pub mod read;
pub mod receipt;
pub mod refund;
pub mod rows;
pub mod session;
pub mod settlement;
