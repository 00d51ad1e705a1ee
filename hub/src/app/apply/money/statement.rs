//! Statements of providers, corrections, and the words of branches and people about a day.
//!
//! Which lines are taken is decided before they are written into the log; here each posts what it says.

use domain::day::DayClosed;
use domain::ledger::Posting;
use sync_protocol::item::Item;

use crate::app::apply::{Entry, Work};
use crate::store::payments::day::{DayClosedWrite, SignOffWrite};
use crate::store::payments::settlement::{CorrectionWrite, LineStep};

impl Work {
    /// A branch's word at the end of its day; what the hub has just then is held against it.
    pub(super) fn apply_day(&mut self, entry: &Entry, index: u16, closed: &DayClosed) {
        self.days_taken.push((entry.branch, entry.position));
        self.writes.money.days.push(DayClosedWrite {
            branch: entry.branch,
            ord: entry.ord,
            position: entry.position,
            item: index,
            closed: closed.clone(),
            at_ms: entry.at_ms(),
        });
    }

    /// Statements, corrections, and the words of people on them.
    pub(super) fn apply_statement(&mut self, entry: &Entry, index: u16, item: &Item) {
        let staff = entry.header().staff;
        match item {
            Item::SettlementLine(line) => {
                if !line.branch.is_nil() {
                    let subject = line.payment.map_or([0; 16], |payment| *payment.as_bytes());
                    let postings = line.postings();
                    self.post(entry, index, line.branch, line.currency, subject, &postings);
                }
                let step = LineStep::Taken(line.clone(), entry.at_ms());
                self.writes.money.lines.push(step);
            }
            Item::SettlementMatch(said) => {
                let step = LineStep::Matched(said.clone());
                self.writes.money.lines.push(step);
            }
            Item::MoneyCorrection(correction) => {
                let postings: Vec<Posting> = correction.postings().into_iter().collect();
                let subject = *correction.id.as_bytes();
                let branch = correction.branch;
                self.post(
                    entry,
                    index,
                    branch,
                    correction.currency,
                    subject,
                    &postings,
                );
                self.writes.money.corrections.push(CorrectionWrite {
                    correction: correction.clone(),
                    staff,
                    at_ms: entry.at_ms(),
                });
            }
            Item::SignOff(sign_off) => self.writes.money.sign_offs.push(SignOffWrite {
                ord: entry.ord,
                position: entry.position,
                item: index,
                sign_off: sign_off.clone(),
                staff,
                at_ms: entry.at_ms(),
            }),
            _ => {}
        }
    }
}
