//! Money at the hub: asking providers for what branches promised, giving back, statements, the word on refunds, what
//! tills may do, and how their drawers were counted.
//!
//! A provider is only ever asked from the outbox, never in a commit and never for a page. What it says becomes a fact of
//! node 0 that goes to the branch by its feed.

pub mod accounts;
pub mod back;
pub mod chain;
pub mod collect;
pub mod papers;
pub mod read;
pub mod refunds;
pub mod rules;
pub mod sessions;
pub mod settle;
pub mod statement;
