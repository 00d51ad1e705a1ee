//! Whether the hub answers: pings, how long it has been silent, and the fresh attempt that is then raced beside.

use std::future::pending;
use std::time::Duration;

use quinn::Connection;
use tokio::time::{Instant, sleep_until};

use super::attempts::{Attempts, Target, backoff};
use super::control::Pinger;
use super::status::Watched;
use super::transport::ReachError;

/// Without an answer for so long the line counts as cut off.
pub(super) const CUT_OFF_AFTER: Duration = Duration::from_secs(10);
const PING_WATCHED: Duration = Duration::from_secs(5);
const PING_UNWATCHED: Duration = Duration::from_secs(25);

/// What the watch over a connection finds.
#[derive(Debug)]
pub(super) enum Finding {
    /// The hub answered a ping.
    Answered,
    /// It is time to ask.
    AskDue,
    /// The hub has been silent for too long.
    Silent,
    /// A fresh attempt had an outcome.
    Raced(Result<Connection, ReachError>),
}

/// The watch over one connection.
#[derive(Debug)]
pub(super) struct Liveness {
    pinger: Pinger,
    asked: u64,
    ask_at: Instant,
    /// When the oldest question was asked that the hub has not answered; Hello is the first.
    unanswered_since: Option<Instant>,
    race: Option<Attempts>,
    nudges: u64,
}

impl Liveness {
    pub(super) fn new(connection: Connection, nudges: u64) -> Self {
        Self {
            pinger: Pinger::start(connection),
            asked: 0,
            ask_at: Instant::now() + PING_WATCHED,
            unanswered_since: Some(Instant::now()),
            race: None,
            nudges,
        }
    }

    /// Waits for the next finding.
    pub(super) async fn next(&mut self, target: &Target, watched: &Watched) -> Finding {
        let silent_at = self
            .unanswered_since
            .filter(|_| self.race.is_none())
            .map(|since| since + CUT_OFF_AFTER);
        tokio::select! {
            _ = self.pinger.answer() => Finding::Answered,
            () = sleep_until(self.ask_at) => Finding::AskDue,
            () = at(silent_at) => Finding::Silent,
            outcome = raced(&mut self.race, target, watched) => Finding::Raced(outcome),
        }
    }

    /// The hub was heard; says whether it had been silent before.
    pub(super) fn heard(&mut self) -> bool {
        self.unanswered_since = None;
        self.race.take().is_some()
    }

    /// Asks the hub whether it is there.
    pub(super) fn ask(&mut self, watched: &Watched) {
        self.asked += 1;
        self.pinger.ask(self.asked);
        self.unanswered_since.get_or_insert_with(Instant::now);
        self.ask_at = Instant::now()
            + if watched.is_now() {
                PING_WATCHED
            } else {
                PING_UNWATCHED
            };
    }

    /// Begins to race a fresh attempt.
    pub(super) fn race(&mut self) {
        self.race = Some(Attempts::after(Duration::ZERO));
    }

    /// An attempt failed; the next waits.
    pub(super) fn race_failed(&mut self, failures: u32, watched: &Watched, target: &Target) {
        if let Some(race) = &mut self.race {
            race.failed(backoff(
                failures,
                watched.is_now(),
                &mut target.env.random(),
            ));
        }
    }

    /// Somebody wants to know now.
    pub(super) fn nudged(&mut self, nudges: u64, watched: &Watched) {
        if nudges == self.nudges {
            return;
        }
        self.nudges = nudges;
        match &mut self.race {
            Some(race) => race.hurry(),
            None => self.ask(watched),
        }
    }
}

async fn raced(
    race: &mut Option<Attempts>,
    target: &Target,
    watched: &Watched,
) -> Result<Connection, ReachError> {
    match race {
        Some(attempts) => attempts.outcome(target, watched).await,
        None => pending().await,
    }
}

/// Waits for a moment; without one, for ever.
pub(super) async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => pending().await,
    }
}
