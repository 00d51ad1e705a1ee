//! The rules of the shop: ids, money, quantities, documents, orders, stock, transfers, permissions.
//!
//! Everything here is a pure function of its arguments. There is never IO, a clock, randomness, a thread or an
//! async function in this crate; time, random bytes and ids come in as arguments.

pub mod availability;
pub mod branch;
pub mod cash;
pub mod code;
pub mod company;
pub mod customer;
pub mod day;
pub mod document;
pub mod env;
pub mod hours;
pub mod id;
pub mod inventory;
pub mod ledger;
pub mod money;
pub mod number;
pub mod order;
pub mod part;
pub mod patch;
pub mod payment;
pub mod permission;
pub mod preset;
pub mod problem;
pub mod quantity;
mod read;
pub mod reconcile;
pub mod seal;
pub mod sensitive;
pub mod staff;
pub mod stock;
pub mod text;
pub mod till;
pub mod transfer;
