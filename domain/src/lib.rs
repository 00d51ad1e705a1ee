//! The rules of the shop: ids, money, quantities, documents, orders, stock, transfers, permissions.
//!
//! Everything here is a pure function of its arguments. There is never IO, a clock, randomness, a thread or an
//! async function in this crate; time, random bytes and ids come in as arguments.

