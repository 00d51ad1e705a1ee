//! Slowing down who guesses passwords (T-5).
//!
//! Keys are what the caller counts by: a user name, an address, or both. A try
//! is counted before it is judged, so a hundred at once do not slip through;
//! success forgives. There is no clock inside and nothing is ever locked for
//! good: a person who knows the password gets in after the wait. Memory is
//! bounded (INV-16).

use std::collections::BTreeMap;

use crate::problem::Problem;

/// The figures of a [`FailureLimiter`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailureLimits {
    /// Failures without any wait.
    pub free_failures: u32,
    /// The first wait; it doubles with each failure.
    pub first_wait_ms: u64,
    /// The longest wait.
    pub longest_wait_ms: u64,
    /// A key without tries for so long is forgotten.
    pub forget_after_ms: u64,
    /// Most keys held.
    pub max_keys: usize,
}

impl Default for FailureLimits {
    fn default() -> Self {
        Self {
            free_failures: 5,
            first_wait_ms: 1_000,
            longest_wait_ms: 15 * 60_000,
            forget_after_ms: 30 * 60_000,
            max_keys: 10_000,
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Tries {
    failures: u32,
    last_ms: u64,
}

/// Counts failures by key. Times are milliseconds of a clock that does not jump.
#[derive(Debug, Clone)]
pub struct FailureLimiter {
    limits: FailureLimits,
    tries: BTreeMap<String, Tries>,
}

impl FailureLimiter {
    /// Nothing counted yet.
    pub fn new(limits: FailureLimits) -> Self {
        Self {
            limits,
            tries: BTreeMap::new(),
        }
    }

    /// Counts a try of `key`, as a failure until [`succeeded`](Self::succeeded) says
    /// otherwise. A refused try is not counted: asking again early costs nothing.
    ///
    /// # Errors
    /// 429 with the seconds to wait.
    pub fn attempt(&mut self, key: &str, now_ms: u64) -> Result<(), Problem> {
        let tries = self
            .tries
            .get(key)
            .copied()
            .filter(|tries| !self.is_old(tries, now_ms));
        let tries = tries.unwrap_or(Tries {
            failures: 0,
            last_ms: now_ms,
        });
        let wait_ms = self.wait_ms(tries.failures);
        let passed_ms = now_ms.saturating_sub(tries.last_ms);
        if passed_ms < wait_ms {
            return Err(Problem::too_many((wait_ms - passed_ms).div_ceil(1_000)));
        }
        if !self.tries.contains_key(key) {
            self.make_room(now_ms);
        }
        let counted = Tries {
            failures: tries.failures.saturating_add(1),
            last_ms: now_ms,
        };
        self.tries.insert(key.to_owned(), counted);
        Ok(())
    }

    /// Forgets the failures of `key`.
    pub fn succeeded(&mut self, key: &str) {
        self.tries.remove(key);
    }

    fn wait_ms(&self, failures: u32) -> u64 {
        let Some(beyond) = failures.checked_sub(self.limits.free_failures) else {
            return 0;
        };
        let doubled = 1_u64.checked_shl(beyond).unwrap_or(u64::MAX);
        self.limits
            .first_wait_ms
            .saturating_mul(doubled)
            .min(self.limits.longest_wait_ms)
    }

    fn is_old(&self, tries: &Tries, now_ms: u64) -> bool {
        now_ms.saturating_sub(tries.last_ms) >= self.limits.forget_after_ms
    }

    /// When full, old keys go, then the one with the fewest failures: who floods
    /// with new names does not wash out the name under attack.
    fn make_room(&mut self, now_ms: u64) {
        if self.tries.len() < self.limits.max_keys {
            return;
        }
        let forget_after_ms = self.limits.forget_after_ms;
        self.tries
            .retain(|_, tries| now_ms.saturating_sub(tries.last_ms) < forget_after_ms);
        while self.tries.len() >= self.limits.max_keys {
            let least = self
                .tries
                .iter()
                .min_by_key(|(_, tries)| (tries.failures, tries.last_ms));
            let Some(key) = least.map(|(key, _)| key.clone()) else {
                return;
            };
            self.tries.remove(&key);
        }
    }
}
