//! Cash sessions: what begins them, goes in and out by hand, and counts them.
//!
//! A session is counted once; a record of one that is not there is kept and named.

use domain::cash::{CashClosed, CashMoved, CashOpened};
use domain::id::SessionId;
use domain::ledger::Posting;
use domain::money::Currency;
use domain::till::PaperKind;
use sync_protocol::item::Item;

use super::head_of;
use crate::app::apply::{Entry, Work};
use crate::store::payments::paper::NumberWrite;
use crate::store::payments::session::{KnownSession, MoveWrite, SessionStep};

impl Work {
    /// A session begins, money goes in or out by hand, or it is counted.
    pub(super) fn apply_session(&mut self, entry: &Entry, index: u16, item: &Item) {
        match item {
            Item::CashOpened(opened) => self.apply_opened(entry, index, opened),
            Item::CashMoved(moved) => self.apply_moved(entry, index, moved),
            Item::CashClosed(closed) => self.apply_closed(entry, index, closed),
            _ => {}
        }
    }

    fn apply_opened(&mut self, entry: &Entry, index: u16, opened: &CashOpened) {
        let known = self.money.sessions.entry(opened.id).or_default();
        if known.is_some() {
            let why = "a cash session with this id is there already";
            self.contradiction(entry, index, why);
            return;
        }
        *known = Some(KnownSession {
            currency: opened.currency,
            is_closed: false,
        });
        let postings: Vec<Posting> = opened.postings().into_iter().collect();
        self.post_of_session(entry, index, opened.id, opened.currency, &postings);
        let step = SessionStep::Opened(head_of(entry), opened.clone());
        self.writes.money.sessions.push(step);
    }

    fn apply_moved(&mut self, entry: &Entry, index: u16, moved: &CashMoved) {
        let currency = self.session(entry, index, moved.session);
        let postings: Vec<Posting> = moved.postings().into_iter().collect();
        self.post_of_session(entry, index, moved.session, currency, &postings);
        self.writes.money.moves.push(MoveWrite {
            head: head_of(entry),
            item: index,
            moved: moved.clone(),
        });
    }

    fn apply_closed(&mut self, entry: &Entry, index: u16, closed: &CashClosed) {
        let currency = self.session(entry, index, closed.session);
        if self.was_closed(closed) {
            self.contradiction(entry, index, "this cash session was closed already");
            return;
        }
        let postings = closed.postings().unwrap_or_default();
        self.post_of_session(entry, index, closed.session, currency, &postings);
        let head = head_of(entry);
        self.writes.money.numbers.push(NumberWrite {
            branch: head.branch,
            kind: PaperKind::DayReport,
            series: closed.series,
            number: closed.number,
            subject: *closed.session.as_bytes(),
            at_ms: head.at_ms,
        });
        let step = SessionStep::Closed(head, closed.clone());
        self.writes.money.sessions.push(step);
    }

    fn post_of_session(
        &mut self,
        entry: &Entry,
        index: u16,
        session: SessionId,
        currency: Currency,
        postings: &[Posting],
    ) {
        let subject = *session.as_bytes();
        self.post(entry, index, entry.branch, currency, subject, postings);
    }

    fn was_closed(&mut self, closed: &CashClosed) -> bool {
        match self.money.sessions.get_mut(&closed.session) {
            Some(Some(known)) => std::mem::replace(&mut known.is_closed, true),
            _ => false,
        }
    }

    fn session(&mut self, entry: &Entry, index: u16, session: SessionId) -> Currency {
        match self.money.sessions.get(&session) {
            Some(Some(known)) => known.currency,
            _ => {
                self.contradiction(entry, index, "its cash session is not there");
                Currency::default()
            }
        }
    }
}
