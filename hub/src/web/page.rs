//! One module for each page.

pub mod branches;
pub mod catalogue;
pub mod customers;
pub mod orders;
pub mod session;
pub mod stock;
pub mod transfers;
