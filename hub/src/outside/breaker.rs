//! A circuit breaker: who fails too often is left alone for a while, then tried by one call.
//!
//! A pure state machine, the time is an argument (milliseconds since 1970). Clocks jump: a clock that went back neither
//! keeps a breaker open longer than its pause nor counts failures of a future that never was. A success does not wipe
//! the failures before it; only time does, or a probe that went well.

use std::collections::VecDeque;

use serde::Serialize;
use utoipa::ToSchema;

/// Longest text of an error that is kept.
const ERROR_MAX: usize = 300;

/// When a breaker opens, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerPolicy {
    /// So many failures …
    pub failures: u32,
    /// … in this time open it.
    pub within_ms: u64,
    /// How long it stays open before one call may try.
    pub pause_ms: u64,
}

/// Whether calls are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BreakerState {
    /// Calls are made.
    Closed,
    /// None is made.
    Open,
    /// One call tries whether it is back.
    HalfOpen,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Closed,
    Open {
        until_ms: i64,
    },
    /// A probe is out; one that never reports is replaced after the pause.
    HalfOpen {
        until_ms: i64,
    },
}

/// The breaker of one dependency.
#[derive(Debug, Clone)]
pub struct Breaker {
    policy: BreakerPolicy,
    phase: Phase,
    since_ms: i64,
    failed_at_ms: VecDeque<i64>,
    last_error: Option<String>,
}

impl Breaker {
    /// Closed.
    pub const fn new(policy: BreakerPolicy) -> Self {
        Self {
            policy,
            phase: Phase::Closed,
            since_ms: 0,
            failed_at_ms: VecDeque::new(),
            last_error: None,
        }
    }

    /// Asks whether a call may be made.
    ///
    /// # Errors
    /// When none may, with the milliseconds until one may.
    pub fn begin(&mut self, now_ms: i64) -> Result<(), u64> {
        let (Phase::Open { until_ms } | Phase::HalfOpen { until_ms }) = &mut self.phase else {
            return Ok(());
        };
        let latest = after(now_ms, self.policy.pause_ms);
        *until_ms = latest.min(*until_ms);
        if now_ms < *until_ms {
            return Err(until_ms.abs_diff(now_ms));
        }
        self.enter(Phase::HalfOpen { until_ms: latest }, now_ms);
        Ok(())
    }

    /// A call was answered.
    pub fn succeeded(&mut self, now_ms: i64) {
        if matches!(self.phase, Phase::HalfOpen { .. }) {
            self.failed_at_ms.clear();
            self.enter(Phase::Closed, now_ms);
        }
    }

    /// A call failed.
    pub fn failed(&mut self, now_ms: i64, error: &str) {
        self.last_error = Some(cut(error));
        let until_ms = after(now_ms, self.policy.pause_ms);
        match self.phase {
            Phase::Open { .. } => {}
            Phase::HalfOpen { .. } => self.enter(Phase::Open { until_ms }, now_ms),
            Phase::Closed => {
                self.count(now_ms);
                if self.failures() >= self.policy.failures {
                    self.enter(Phase::Open { until_ms }, now_ms);
                }
            }
        }
    }

    fn count(&mut self, now_ms: i64) {
        let within_ms = self.policy.within_ms;
        self.failed_at_ms
            .retain(|at_ms| *at_ms <= now_ms && at_ms.abs_diff(now_ms) < within_ms);
        self.failed_at_ms.push_back(now_ms);
    }

    fn enter(&mut self, phase: Phase, now_ms: i64) {
        self.phase = phase;
        self.since_ms = now_ms;
    }

    /// Whether calls are made.
    pub const fn state(&self) -> BreakerState {
        match self.phase {
            Phase::Closed => BreakerState::Closed,
            Phase::Open { .. } => BreakerState::Open,
            Phase::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }

    /// Failures that were counted; a closed breaker forgets old ones with the next failure.
    pub fn failures(&self) -> u32 {
        u32::try_from(self.failed_at_ms.len()).unwrap_or(u32::MAX)
    }

    /// Since when it is in this state.
    pub const fn since_ms(&self) -> i64 {
        self.since_ms
    }

    /// What went wrong last.
    pub fn last_error(&self) -> Option<&str> {
        self.last_error.as_deref()
    }
}

fn after(now_ms: i64, pause_ms: u64) -> i64 {
    now_ms.saturating_add(i64::try_from(pause_ms).unwrap_or(i64::MAX))
}

fn cut(error: &str) -> String {
    let end = (0..=ERROR_MAX.min(error.len()))
        .rev()
        .find(|end| error.is_char_boundary(*end))
        .unwrap_or(0);
    error[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const POLICY: BreakerPolicy = BreakerPolicy {
        failures: 3,
        within_ms: 30_000,
        pause_ms: 10_000,
    };

    fn open_at(now_ms: i64) -> Breaker {
        let mut breaker = Breaker::new(POLICY);
        for _ in 0..3 {
            breaker.failed(now_ms, "away");
        }
        assert_eq!(breaker.state(), BreakerState::Open);
        breaker
    }

    #[test]
    fn three_failures_in_half_a_minute_open_it_and_spread_ones_do_not() {
        let mut breaker = Breaker::new(POLICY);
        for now_ms in [0, 15_000, 30_000, 45_000, 60_000] {
            breaker.failed(now_ms, "away");
            assert_eq!(breaker.state(), BreakerState::Closed, "at {now_ms}");
        }
        breaker.succeeded(60_001);
        breaker.failed(74_999, "away");
        assert_eq!(breaker.state(), BreakerState::Open);
        assert_eq!(breaker.begin(75_000), Err(9_999));
    }

    #[test]
    fn one_probe_is_let_through_and_decides() {
        let mut breaker = open_at(1_000);
        assert_eq!(breaker.begin(10_999), Err(1));
        assert_eq!(breaker.begin(11_000), Ok(()));
        assert_eq!(breaker.state(), BreakerState::HalfOpen);
        assert_eq!(
            breaker.begin(11_001),
            Err(9_999),
            "one at a time, and a lost probe is replaced"
        );
        breaker.failed(11_500, "still away");
        assert_eq!(breaker.begin(11_501), Err(9_999));
        assert_eq!(breaker.begin(21_500), Ok(()));
        breaker.succeeded(21_600);
        assert_eq!(
            (breaker.state(), breaker.failures()),
            (BreakerState::Closed, 0)
        );
        assert_eq!(breaker.last_error(), Some("still away"));
    }

    #[test]
    fn a_clock_that_goes_back_ten_years_keeps_nothing_open() {
        let mut breaker = open_at(1_790_000_000_000);
        let now_ms = 1_490_000_000_000;
        assert_eq!(breaker.begin(now_ms), Err(10_000));
        assert_eq!(breaker.begin(now_ms + 10_000), Ok(()));
    }

    #[test]
    fn long_errors_are_cut_between_letters() {
        let mut breaker = Breaker::new(POLICY);
        breaker.failed(0, &"ä".repeat(200));
        assert_eq!(breaker.last_error().map(str::len), Some(300));
    }

    proptest! {
        /// Goal: it never refuses longer than its pause, and never opens below the number of failures.
        /// Method: any calls at any times, also backwards, beside a count of failures since the last open.
        #[test]
        fn it_refuses_at_most_for_its_pause(
            steps in prop::collection::vec((-40_000_i64..40_000, 0_u8..3), 1..200),
        ) {
            let mut breaker = Breaker::new(POLICY);
            let (mut now_ms, mut failures) = (1_000_000_i64, 0);
            for (step_ms, what) in steps {
                now_ms += step_ms;
                let before = breaker.state();
                match what {
                    0 => match breaker.begin(now_ms) {
                        Ok(()) => prop_assert!(breaker.state() != BreakerState::Open),
                        Err(wait_ms) => {
                            prop_assert!(before != BreakerState::Closed);
                            prop_assert!((1..=POLICY.pause_ms).contains(&wait_ms));
                            let mut later = breaker.clone();
                            let then_ms = now_ms + i64::try_from(wait_ms).unwrap_or(0);
                            prop_assert_eq!(later.begin(then_ms), Ok(()));
                        }
                    },
                    1 => breaker.succeeded(now_ms),
                    _ => {
                        failures += 1;
                        breaker.failed(now_ms, "x");
                    }
                }
                if before == BreakerState::Closed && breaker.state() == BreakerState::Open {
                    prop_assert!(failures >= 3);
                    failures = 0;
                }
                if breaker.state() == BreakerState::Closed && before != BreakerState::Closed {
                    failures = 0;
                }
            }
        }
    }
}
