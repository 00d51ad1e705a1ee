//! Repair records for the scripted demo and the benchmarks, as Open Repair Data Standard CSV.
//!
//! Either read from a published file or generated in the same format. Reading here is on purpose
//! not the reading of the product: what the demo expects is counted by other code than what it
//! checks. Generated records say so in their `data_provider`; they never claim to be real.

mod generate;
mod random;
mod source;
mod words;

pub(crate) use generate::{Plan, generate};
pub(crate) use source::{Group, Outcome, Source, SourceRecord, load_groups};
