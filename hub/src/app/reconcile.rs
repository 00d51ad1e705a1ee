//! The night: every branch's business day is held against its own word, the provider's statement and itself.
//!
//! A night of a branch is one reading of one moment and one commit of what it found; doing it again replaces that. No
//! branch waits for another, and nothing here changes what it looks at. Times are arguments: the clock is read by the
//! worker and the handlers only.

mod about;
mod check;
mod day;
mod mend;
mod read;
mod run;
mod sign;

pub use about::{around, missing, subjects};
pub use day::{business_day, due_day, parse_day, show_day};
pub use mend::{
    Correction, Match, NewCorrection, correct, corrections, match_line, undo_correction,
};
pub use read::{
    BranchNight, CheckResult, Filter, Night, NightSummary, RecordView, Signed, get, list, records,
};
pub use run::{Done, due, run, run_due, run_mended};
pub use sign::{SignOffInput, reopen, sign_off};

pub use crate::store::reconciliation::run::RunState;

/// The kind of the exceptions that red checks open.
pub(crate) const EXCEPTION: &str = "night";
