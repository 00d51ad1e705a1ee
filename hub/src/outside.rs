//! Everything outside that the hub calls: how it is doing, when it is left alone, when a call is tried again.
//!
//! One circuit breaker for each dependency. Nothing here calls anybody, sleeps or reads a clock: the time comes in as an
//! argument, so a test steps through an outage in no time. A broken dependency is refused here before a call is made.

pub mod breaker;
pub mod retry;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::payment::Provider;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use utoipa::ToSchema;

pub use breaker::{Breaker, BreakerPolicy, BreakerState};
pub use retry::RetryPolicy;

/// The `[outside]` table of the configuration file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OutsideSettings {
    /// So many failures of a payment provider …
    pub payment_failures: u32,
    /// … in this time open its breaker.
    pub payment_within_ms: u64,
    /// How long a payment provider is left alone before one call tries it.
    pub payment_pause_ms: u64,
    /// So many failures of anything else …
    pub other_failures: u32,
    /// … in this time open its breaker.
    pub other_within_ms: u64,
    /// How long anything else is left alone before one call tries it.
    pub other_pause_ms: u64,
    /// Before the second try a call waits at most this long; twice as long before each further one.
    pub retry_first_ms: u64,
    /// The longest wait between tries, unless the other side asks for a longer one.
    pub retry_longest_ms: u64,
    /// Tries at most, the first one counted.
    pub retry_tries: u32,
}

impl Default for OutsideSettings {
    fn default() -> Self {
        Self {
            payment_failures: 3,
            payment_within_ms: 30_000,
            payment_pause_ms: 10_000,
            other_failures: 5,
            other_within_ms: 60_000,
            other_pause_ms: 30_000,
            retry_first_ms: 100,
            retry_longest_ms: 10_000,
            retry_tries: 5,
        }
    }
}

/// A value of `[outside]` that makes no sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("outside.{key} {why}")]
pub struct OutsideSettingsError {
    /// Which key.
    pub key: &'static str,
    /// What is wrong with it.
    pub why: &'static str,
}

impl OutsideSettings {
    /// Refuses values with which nothing would ever be called, or never left alone.
    ///
    /// # Errors
    /// When a value is 0, or the shortest wait is above the longest.
    pub fn check(&self) -> Result<(), OutsideSettingsError> {
        let counts = [
            ("payment_failures", u64::from(self.payment_failures)),
            ("payment_within_ms", self.payment_within_ms),
            ("payment_pause_ms", self.payment_pause_ms),
            ("other_failures", u64::from(self.other_failures)),
            ("other_within_ms", self.other_within_ms),
            ("other_pause_ms", self.other_pause_ms),
            ("retry_first_ms", self.retry_first_ms),
            ("retry_tries", u64::from(self.retry_tries)),
        ];
        if let Some((key, _)) = counts.into_iter().find(|(_, value)| *value == 0) {
            return Err(OutsideSettingsError {
                key,
                why: "must be above 0",
            });
        }
        if self.retry_longest_ms < self.retry_first_ms {
            return Err(OutsideSettingsError {
                key: "retry_longest_ms",
                why: "must not be below retry_first_ms",
            });
        }
        Ok(())
    }

    /// When calls are tried again.
    pub const fn retry(&self) -> RetryPolicy {
        RetryPolicy {
            first_ms: self.retry_first_ms,
            longest_ms: self.retry_longest_ms,
            tries: self.retry_tries,
        }
    }

    const fn breaker(&self, dependency: Dependency) -> BreakerPolicy {
        match dependency {
            Dependency::Payment(_) => BreakerPolicy {
                failures: self.payment_failures,
                within_ms: self.payment_within_ms,
                pause_ms: self.payment_pause_ms,
            },
            Dependency::Other(_) => BreakerPolicy {
                failures: self.other_failures,
                within_ms: self.other_within_ms,
                pause_ms: self.other_pause_ms,
            },
        }
    }
}

/// Whom the hub calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dependency {
    /// Who moves money.
    Payment(Provider),
    /// Anything else, by the name under which it is shown.
    Other(&'static str),
}

impl Dependency {
    /// The name for page and metrics.
    pub fn name(self) -> String {
        match self {
            Self::Payment(provider) => provider.to_string(),
            Self::Other(name) => name.to_owned(),
        }
    }
}

/// A dependency that is left alone for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("it failed too often and is left alone for {wait_ms} ms")]
pub struct LeftAlone {
    /// When it may be tried, from now.
    pub wait_ms: u64,
}

/// How a dependency is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DependencyHealth {
    /// Its name.
    pub name: String,
    /// Whether it is called.
    pub state: BreakerState,
    /// Failures that count at the moment.
    pub failures: u32,
    /// Since when it is in this state, in milliseconds since 1970; 0 before the first call.
    pub since_ms: i64,
    /// What went wrong last.
    pub last_error: Option<String>,
}

/// All breakers of a hub process.
#[derive(Debug)]
pub struct Outside {
    settings: OutsideSettings,
    breakers: Mutex<BTreeMap<Dependency, Breaker>>,
}

impl Default for Outside {
    fn default() -> Self {
        Self::new(OutsideSettings::default())
    }
}

impl Outside {
    /// Nobody was called yet.
    pub const fn new(settings: OutsideSettings) -> Self {
        Self {
            settings,
            breakers: Mutex::new(BTreeMap::new()),
        }
    }

    /// When calls are tried again.
    pub const fn retry(&self) -> RetryPolicy {
        self.settings.retry()
    }

    /// Lists a dependency before it is called for the first time.
    pub fn expect(&self, dependency: Dependency) {
        self.with(dependency, |_| ());
    }

    /// Asks whether a call may be made now. Who was let through says how it went by [`Self::end`].
    ///
    /// # Errors
    /// When the dependency is left alone.
    pub fn begin(&self, dependency: Dependency, now_ms: i64) -> Result<(), LeftAlone> {
        self.with(dependency, |breaker| breaker.begin(now_ms))
            .map_err(|wait_ms| LeftAlone { wait_ms })
    }

    /// How a call went: the error where the dependency failed, none where it answered, whatever it said.
    pub fn end(&self, dependency: Dependency, now_ms: i64, error: Option<&str>) {
        let (before, after) = self.with(dependency, |breaker| {
            let before = breaker.state();
            match error {
                None => breaker.succeeded(now_ms),
                Some(error) => breaker.failed(now_ms, error),
            }
            (before, breaker.state())
        });
        if before != after {
            let dependency = dependency.name();
            match after {
                BreakerState::Open => {
                    tracing::warn!(dependency, error, "failed too often, is left alone");
                }
                state => tracing::info!(dependency, ?state, "is called again"),
            }
        }
    }

    /// How all dependencies are doing, by name.
    pub fn health(&self) -> Vec<DependencyHealth> {
        let breakers = self.breakers();
        let mut health: Vec<DependencyHealth> = breakers
            .iter()
            .map(|(dependency, breaker)| DependencyHealth {
                name: dependency.name(),
                state: breaker.state(),
                failures: breaker.failures(),
                since_ms: breaker.since_ms(),
                last_error: breaker.last_error().map(str::to_owned),
            })
            .collect();
        health.sort_by(|a, b| a.name.cmp(&b.name));
        health
    }

    fn breakers(&self) -> MutexGuard<'_, BTreeMap<Dependency, Breaker>> {
        self.breakers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, dependency: Dependency, act: impl FnOnce(&mut Breaker) -> T) -> T {
        let mut breakers = self.breakers();
        let breaker = breakers
            .entry(dependency)
            .or_insert_with(|| Breaker::new(self.settings.breaker(dependency)));
        act(breaker)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    const STRIPE: Dependency = Dependency::Payment(Provider::Stripe);
    const MAIL: Dependency = Dependency::Other("mail");

    #[test]
    fn each_dependency_has_its_own_breaker_and_policy() {
        let outside = Outside::default();
        outside.expect(MAIL);
        for now_ms in 1..=4 {
            outside.end(MAIL, now_ms, Some("away"));
            outside.end(STRIPE, now_ms, Some("away"));
        }
        assert!(outside.begin(MAIL, 5).is_ok());
        assert_eq!(
            outside.begin(STRIPE, 5),
            Err(LeftAlone { wait_ms: 9_998 }),
            "opened at 3, for 10 s"
        );
        outside.end(MAIL, 5, Some("still away"));
        let health = outside.health();
        let shown: Vec<(&str, BreakerState, u32)> = health
            .iter()
            .map(|one| (one.name.as_str(), one.state, one.failures))
            .collect();
        assert_eq!(
            shown,
            [
                ("mail", BreakerState::Open, 5),
                ("stripe", BreakerState::Open, 3)
            ]
        );
        assert_eq!(health[0].last_error.as_deref(), Some("still away"));
        assert_eq!(health[0].since_ms, 5);
    }

    #[test]
    fn settings_that_make_no_sense_are_refused_by_name() {
        let mut settings = OutsideSettings::default();
        assert_eq!(settings.check(), Ok(()));
        settings.other_failures = 0;
        assert_eq!(settings.check().unwrap_err().key, "other_failures");
        let settings = OutsideSettings {
            retry_longest_ms: 99,
            ..OutsideSettings::default()
        };
        assert_eq!(settings.check().unwrap_err().key, "retry_longest_ms");
    }
}
