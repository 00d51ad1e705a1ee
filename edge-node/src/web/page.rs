//! One file per page.

pub mod imports;
pub mod board;
pub mod intake;
pub mod order;
pub mod orders;
pub mod session;
