//! One module for each page.

pub mod branch;
pub mod branches;
pub mod catalogue;
pub mod conflicts;
pub mod customers;
pub mod exceptions;
pub mod money;
pub mod network;
pub mod nights;
pub mod orders;
pub mod session;
pub mod settings;
pub mod staff;
pub mod stock;
pub mod transfers;
