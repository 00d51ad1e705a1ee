//! Taking over what a shop's old program knows: upload a table, say what its columns mean, see how its rows will be
//! read, let it come in.
//!
//! Nothing is written before a person let it, and nothing comes in twice, so these forms need no key. A large file
//! comes in behind the page, which tells how far it is.
mod begin;
mod run;
mod table;
pub(crate) mod texts;

pub(crate) use begin::{begin, upload};
pub(crate) use run::decide;
pub(crate) use table::show;
