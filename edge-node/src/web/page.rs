//! One file per page.

pub mod board;
pub mod imports;
pub mod intake;
pub mod order;
pub mod orders;
pub mod session;
