//! One module for each page.

pub mod branches;
pub mod session;
pub mod stock;
pub mod transfers;
