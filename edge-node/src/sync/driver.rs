//! Keeps the line up: connects, runs a session, and says how it is.

use std::path::PathBuf;
use std::time::Duration;

use quinn::Connection;
use sync_protocol::message::{Close, CloseReason};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use tracing::{info, warn};

use super::attempts::{Attempts, Target, backoff};
use super::branch_store::BranchStore;
use super::heads::Heads;
use super::join::{self, JoinError};
use super::liveness::CUT_OFF_AFTER;
use super::look_up::Questions;
use super::session::{self, Ended, Surroundings};
use super::status::{LinkState, Report, SyncHandle, Watched, Wish};
use super::transport::ReachError;
use crate::env::Env;
use crate::error::StoreError;

/// A node that the hub holds asks again after about this time, unless somebody nudges it.
const HELD_RETRY: Duration = Duration::from_secs(30);
/// The shortest wait after a refusal that will not be over in a moment.
const REFUSED_RETRY: Duration = Duration::from_secs(5);
/// How often the age of the certificate is looked at.
const RENEWAL_CHECK: Duration = Duration::from_secs(60 * 60);

/// What the line needs to know.
#[derive(Debug, Clone)]
pub struct SyncConfig {
    /// The data directory with `secrets/`.
    pub dir: PathBuf,
    /// `HOST:PORT` of the hub (UDP).
    pub hub: String,
    /// Clock and randomness.
    pub env: Env,
}

/// Starts the line's driver in a task of the current runtime.
///
/// # Errors
/// When the node's key or certificates cannot be read.
pub fn start<S: BranchStore>(store: S, config: SyncConfig) -> Result<SyncHandle, StoreError> {
    let (handle, ends) = SyncHandle::new(&config.env);
    let target = Target {
        hub: config.hub,
        dir: config.dir,
        env: config.env.clone(),
    };
    let key = target.credentials()?.signing_key();
    let report = Report {
        status: ends.status,
        env: config.env,
    };
    let driver = Driver {
        store,
        target,
        key,
        report,
        watched: ends.watched,
        wishes: ends.wishes,
        questions: ends.questions,
        failures: 0,
        feeds_looked: 0,
        last_contact: Instant::now(),
    };
    tokio::spawn(keep_renewed(driver.target.clone(), driver.wishes.clone()));
    tokio::spawn(driver.run());
    Ok(handle)
}

struct Driver<S> {
    store: S,
    target: Target,
    key: ed25519_dalek::SigningKey,
    report: Report,
    watched: Watched,
    wishes: watch::Receiver<Wish>,
    questions: Questions,
    /// Attempts and sessions in a row that came to nothing.
    failures: u32,
    /// How often the feeds were looked through for lost entries.
    feeds_looked: u64,
    last_contact: Instant,
}

/// Looks once an hour whether a third of the certificate's life is over and then fetches a fresh one, beside the line;
/// the next connection uses it.
async fn keep_renewed(target: Target, mut wishes: watch::Receiver<Wish>) {
    loop {
        let wish = *wishes.borrow_and_update();
        if wish.is_stopping {
            return;
        }
        if !wish.is_paused {
            match target.credentials() {
                Ok(credentials) if credentials.is_renewal_due(target.env.now_ms()) => {
                    match join::renew(&target.hub, &target.dir).await {
                        Ok(()) => info!("the certificate was renewed"),
                        Err(error) => warn!(%error, "the certificate was not renewed"),
                    }
                }
                Ok(_) => {}
                Err(error) => warn!(%error, "the certificate cannot be read"),
            }
        }
        let is_over = async { wishes.wait_for(|wish| wish.is_stopping).await.is_ok() };
        if timeout(RENEWAL_CHECK, is_over).await.is_ok() {
            return;
        }
    }
}

impl<S: BranchStore> Driver<S> {
    async fn run(mut self) {
        let mut heads = Heads::new(
            self.store.last_head_seq().await.unwrap_or(0),
            Instant::now(),
        );
        let mut next: Option<Connection> = None;
        let mut wait = Duration::ZERO;
        loop {
            let wish = *self.wishes.borrow_and_update();
            if wish.is_stopping || (wish.is_paused && !self.stay_paused().await) {
                return;
            }
            let connection = match next.take() {
                Some(connection) => connection,
                None => match self.connect(wait).await {
                    Some(connection) => connection,
                    None => continue,
                },
            };
            let around = Surroundings {
                store: &self.store,
                target: &self.target,
                key: &self.key,
                report: &self.report,
                watched: &self.watched,
                wishes: &mut self.wishes,
                questions: &self.questions,
                heads: &mut heads,
                failures: &mut self.failures,
                feeds_looked: &mut self.feeds_looked,
            };
            let ended = session::run(around, connection).await;
            if self.report.state() == LinkState::Connected {
                self.last_contact = Instant::now();
            }
            (next, wait) = self.after(ended).await;
        }
    }

    /// `false` when the driver should end.
    async fn stay_paused(&mut self) -> bool {
        self.report.set(LinkState::Paused, "the line is cut here");
        loop {
            let wish = *self.wishes.borrow_and_update();
            if wish.is_stopping {
                return false;
            }
            if !wish.is_paused {
                self.last_contact = Instant::now();
                self.failures = 0;
                self.report.set(LinkState::Connecting, "");
                return true;
            }
            if self.wishes.changed().await.is_err() {
                return false;
            }
        }
    }

    /// A connection, or nothing when somebody wants something else.
    async fn connect(&mut self, wait: Duration) -> Option<Connection> {
        let mut attempts = Attempts::after(wait);
        let target = self.target.clone();
        loop {
            let cut_off_at = self.last_contact + CUT_OFF_AFTER;
            let is_fresh = matches!(
                self.report.state(),
                LinkState::Connecting | LinkState::Connected
            );
            tokio::select! {
                outcome = attempts.outcome(&target, &self.watched) => match outcome {
                    Ok(connection) => return Some(connection),
                    Err(error) => attempts.failed(self.attempt_failed(&error)),
                },
                () = sleep_until(cut_off_at), if is_fresh => {
                    self.report.set(LinkState::CutOff, "the hub does not answer");
                }
                changed = self.wishes.changed() => {
                    let wish = *self.wishes.borrow_and_update();
                    if changed.is_err() || wish.is_paused || wish.is_stopping {
                        return None;
                    }
                    attempts.hurry();
                }
            }
        }
    }

    fn attempt_failed(&mut self, error: &ReachError) -> Duration {
        self.failures = self.failures.saturating_add(1);
        let state = self.report.state();
        if matches!(state, LinkState::Connecting | LinkState::CutOff) {
            self.report.set(state, &error.to_string());
        }
        self.backoff()
    }

    fn backoff(&self) -> Duration {
        backoff(
            self.failures,
            self.watched.is_now(),
            &mut self.target.env.random(),
        )
    }

    /// What follows a session: a connection that is there already, or how long to wait for the next attempt.
    async fn after(&mut self, ended: Ended) -> (Option<Connection>, Duration) {
        match ended {
            Ended::Left => {}
            Ended::Overtaken(connection) => return (Some(connection), Duration::ZERO),
            Ended::Lost(detail) => self.lost(&detail),
            Ended::Closed(close) => return (None, self.closed(close).await),
            Ended::NotOnLine(tip) => {
                let detail = format!(
                    "the hub holds entries up to {} that this branch does not have",
                    tip.seq
                );
                return (None, self.held(&detail).await);
            }
            Ended::Protocol(detail) => {
                self.incident(format!("the hub sent what is not the protocol: {detail}"))
                    .await;
                self.lost(&detail);
                return (None, self.backoff().max(REFUSED_RETRY));
            }
            Ended::Store(error) => {
                warn!(%error, "the database failed under the line");
                self.lost("the branch's database failed");
                return (None, self.backoff().max(REFUSED_RETRY));
            }
        }
        (None, self.backoff())
    }

    fn lost(&mut self, detail: &str) {
        self.failures = self.failures.saturating_add(1);
        if self.report.state() == LinkState::Connected {
            self.report.set(LinkState::Connecting, detail);
        }
    }

    async fn closed(&mut self, close: Close) -> Duration {
        let sentence = close.detail.as_str();
        match close.reason {
            CloseReason::Revoked | CloseReason::Held => return self.held(sentence).await,
            CloseReason::Expired => return self.renew_now().await,
            CloseReason::Protocol => {
                self.incident(format!("the hub ended the session: {sentence}"))
                    .await
            }
            _ => {}
        }
        self.lost(sentence);
        match close.reason {
            CloseReason::Leaving => self.backoff(),
            _ => self.backoff().max(REFUSED_RETRY),
        }
    }

    async fn held(&mut self, detail: &str) -> Duration {
        if self.report.state() != LinkState::Held {
            self.incident(format!("the hub holds this node: {detail}"))
                .await;
        }
        self.report.set(LinkState::Held, detail);
        HELD_RETRY + self.backoff()
    }

    async fn incident(&self, detail: String) {
        warn!(detail, "line");
        if let Err(error) = self.store.incident(detail).await {
            warn!(%error, "an incident was not recorded");
        }
    }

    /// The hub says that the certificate is not in date.
    async fn renew_now(&mut self) -> Duration {
        match join::renew(&self.target.hub, &self.target.dir).await {
            Ok(()) => {
                info!("the certificate was renewed");
                self.failures = 0;
                Duration::ZERO
            }
            Err(JoinError::Refused(close)) => self.held(&close.detail).await,
            Err(error) => {
                self.lost(&error.to_string());
                self.backoff()
            }
        }
    }
}
