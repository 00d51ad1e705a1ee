//! Attempts to reach the hub: full jitter after a failure, and a fresh one beside one that gets no answer.
//!
//! An attempt that is slow is never given up for being slow; the first that is answered wins and the others are dropped.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use domain::env::Entropy;
use quinn::Connection;
use sync_protocol::message::ALPN;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::credentials::Credentials;
use super::status::Watched;
use super::tls::{self, Trust};
use super::transport::{ReachError, reach};
use crate::env::Env;

/// The shortest wait after a failure.
const BACKOFF_MIN: Duration = Duration::from_millis(100);
/// The longest.
const BACKOFF_MAX: Duration = Duration::from_secs(30);
/// The longest while somebody watches.
const BACKOFF_WATCHED: Duration = Duration::from_secs(5);
/// A first attempt without an answer gets company after this time, later ones after longer.
const HEDGE_MIN: Duration = Duration::from_secs(3);
const HEDGE_MAX: Duration = Duration::from_secs(20);
/// The longest while somebody watches.
const HEDGE_WATCHED: Duration = Duration::from_secs(4);

/// Where the hub is, and as whom to speak.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) hub: String,
    pub(super) dir: PathBuf,
    pub(super) env: Env,
}

impl Target {
    async fn reach(self) -> Result<Connection, ReachError> {
        let credentials = Arc::new(
            self.credentials()
                .map_err(|error| ReachError::Socket(std::io::Error::other(error)))?,
        );
        let config = tls::client(
            Trust::Root(credentials.root.clone()),
            ALPN,
            Some(&credentials),
        )?;
        reach(&self.hub, config).await
    }

    pub(super) fn credentials(&self) -> Result<Credentials, crate::error::StoreError> {
        Credentials::read(&self.dir)
    }
}

/// Full jitter: anything from the shortest wait to twice as long for each failure so far, up to `longest`.
pub(super) fn backoff(failures: u32, is_watched: bool, entropy: &mut impl Entropy) -> Duration {
    let longest = if is_watched {
        BACKOFF_WATCHED
    } else {
        BACKOFF_MAX
    };
    let ceiling = BACKOFF_MIN
        .saturating_mul(2_u32.saturating_pow(failures.min(16)))
        .min(longest);
    let mut bytes = [0; 4];
    entropy.fill(&mut bytes);
    let share = f64::from(u32::from_be_bytes(bytes)) / f64::from(u32::MAX);
    BACKOFF_MIN + ceiling.saturating_sub(BACKOFF_MIN).mul_f64(share)
}

/// Attempts under way and when the next begins.
#[derive(Debug)]
pub(super) struct Attempts {
    running: JoinSet<Result<Connection, ReachError>>,
    next_at: Instant,
    begun: u32,
}

impl Attempts {
    /// The first attempt begins after `wait`.
    pub(super) fn after(wait: Duration) -> Self {
        Self {
            running: JoinSet::new(),
            next_at: Instant::now() + wait,
            begun: 0,
        }
    }

    /// The next attempt begins now.
    pub(super) fn hurry(&mut self) {
        self.next_at = Instant::now();
    }

    /// The outcome of the first attempt that has one. Beginning attempts is a part of waiting here; an outcome is never
    /// lost when the caller stops waiting.
    pub(super) async fn outcome(
        &mut self,
        target: &Target,
        watched: &Watched,
    ) -> Result<Connection, ReachError> {
        loop {
            tokio::select! {
                Some(done) = self.running.join_next(), if !self.running.is_empty() => match done {
                    Ok(outcome) => return outcome,
                    Err(error) => return Err(ReachError::Socket(std::io::Error::other(error))),
                },
                () = sleep_until(self.next_at) => {
                    self.running.spawn(target.clone().reach());
                    let longest = if watched.is_now() { HEDGE_WATCHED } else { HEDGE_MAX };
                    self.next_at = Instant::now() + HEDGE_MIN.saturating_mul(1 << self.begun.min(3)).min(longest);
                    self.begun += 1;
                }
            }
        }
    }

    /// An attempt failed: the next waits its time, unless others are still under way and it would wait anyway.
    pub(super) fn failed(&mut self, wait: Duration) {
        self.next_at = Instant::now() + wait;
    }
}

#[cfg(test)]
mod tests {
    use domain::env::SeededEntropy;

    use super::*;

    #[test]
    fn the_wait_is_spread_over_all_of_its_range_and_bounded() {
        let mut entropy = SeededEntropy::new(7);
        let waits: Vec<Duration> = (0..2000)
            .map(|_| backoff(20, false, &mut entropy))
            .collect();
        assert!(
            waits
                .iter()
                .all(|wait| (BACKOFF_MIN..=BACKOFF_MAX).contains(wait))
        );
        assert!(waits.iter().any(|wait| *wait < Duration::from_secs(1)));
        assert!(waits.iter().any(|wait| *wait > Duration::from_secs(29)));
        assert!((0..100).all(|_| backoff(20, true, &mut entropy) <= BACKOFF_WATCHED));
        assert!((0..100).all(|_| backoff(1, false, &mut entropy) <= Duration::from_millis(200)));
    }
}
