//! Looking through the feeds for entries that are lost here, beside a session: nothing of the session waits for it.
//!
//! What is to be looked through is a number that grows. A round that came to its end is not begun again by the next
//! session, one that the line cut off is.

use std::future::{Future, pending};
use std::pin::Pin;

use sync_protocol::mending::NotBack;
use sync_protocol::mending::feed::FeedGap;
use tokio::sync::watch;

use super::branch_store::BranchStore;
use crate::error::AppError;
use crate::store::FeedStep;

type Step = Pin<Box<dyn Future<Output = Result<Option<FeedGap>, AppError>> + Send>>;

/// What happened.
pub(super) enum Looked {
    /// The feeds are to be looked through.
    Due,
    /// A step came to its end.
    Step(Result<Option<FeedGap>, AppError>),
}

/// The look of one session.
pub(super) struct FeedLook {
    checks: watch::Receiver<u64>,
    step: Option<Step>,
    round: u64,
}

impl FeedLook {
    pub(super) fn of<S: BranchStore>(store: &S) -> Self {
        Self {
            checks: store.feed_checks(),
            step: None,
            round: 0,
        }
    }

    /// The next thing that happens; never, where nothing is under way and nobody asks any more.
    pub(super) async fn next(&mut self) -> Looked {
        let step = async {
            match &mut self.step {
                Some(step) => step.await,
                None => pending().await,
            }
        };
        tokio::select! {
            Ok(()) = self.checks.changed() => Looked::Due,
            done = step => {
                self.step = None;
                Looked::Step(done)
            }
        }
    }

    /// Begins a round, where more rounds are due than came to their end and none is under way.
    pub(super) fn begin<S: BranchStore>(&mut self, store: &S, ended: u64) {
        let due = *self.checks.borrow();
        if self.step.is_none() && due > ended {
            self.round = due;
            self.take(store, FeedStep::Begin);
        }
    }

    /// Takes a step.
    pub(super) fn take<S: BranchStore>(&mut self, store: &S, step: FeedStep) {
        let store = store.clone();
        self.step = Some(Box::pin(async move { store.mend_feeds(step).await }));
    }

    /// The round that is under way, or was last.
    pub(super) const fn round(&self) -> u64 {
        self.round
    }
}

/// Why feed entries did not come back, for people.
pub(super) const fn words(why: NotBack) -> &'static str {
    match why {
        NotBack::Absent => "the hub does not have them either",
        NotBack::OtherContent => "what the hub sent does not come to the hash that is known here",
        NotBack::TooMuch => "the hub sent more than an answer may hold",
    }
}
