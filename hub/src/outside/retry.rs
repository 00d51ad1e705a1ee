//! When a call that failed is tried again: exponential, with full jitter, never sooner than the other side asked for.
//!
//! Pure: randomness comes in as an argument. "Full jitter" after Brooker, "Exponential Backoff And Jitter" (2015).

/// The longest wait that another side can ask for.
pub const RETRY_AFTER_MAX_MS: u64 = 3_600_000;

/// When calls are tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The longest wait before the second try.
    pub first_ms: u64,
    /// The longest wait before any try.
    pub longest_ms: u64,
    /// Tries at most, the first one counted.
    pub tries: u32,
}

impl RetryPolicy {
    /// How long to wait after so many tries, from any random number and what the other side asked for; none when there
    /// were enough.
    pub fn delay_ms(&self, tries: u32, random: u64, retry_after_ms: Option<u64>) -> Option<u64> {
        if tries >= self.tries {
            return None;
        }
        let doubled = 1_u64
            .checked_shl(tries.saturating_sub(1))
            .unwrap_or(u64::MAX);
        let most = self
            .first_ms
            .saturating_mul(doubled)
            .min(self.longest_ms)
            .min(u64::MAX - 1);
        let asked = retry_after_ms.unwrap_or(0).min(RETRY_AFTER_MAX_MS);
        Some((random % (most + 1)).max(asked))
    }
}

/// The header `Retry-After` in milliseconds; only its form in seconds, which providers use.
pub fn retry_after_ms(header: &str) -> Option<u64> {
    let seconds: u64 = header.trim().parse().ok()?;
    Some(seconds.saturating_mul(1_000).min(RETRY_AFTER_MAX_MS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const POLICY: RetryPolicy = RetryPolicy {
        first_ms: 100,
        longest_ms: 10_000,
        tries: 5,
    };

    #[test]
    fn the_longest_wait_doubles_up_to_the_bound_and_ends_with_the_tries() {
        let longest = |tries| {
            (0..20_000)
                .filter_map(|random| POLICY.delay_ms(tries, random, None))
                .max()
        };
        let waits: Vec<Option<u64>> = (1..=5).map(longest).collect();
        assert_eq!(waits, [Some(100), Some(200), Some(400), Some(800), None]);
        let many = RetryPolicy {
            tries: u32::MAX,
            ..POLICY
        };
        assert_eq!(many.delay_ms(200, 10_000, None), Some(10_000));
    }

    #[test]
    fn the_header_is_read_in_seconds_and_bounded() {
        assert_eq!(retry_after_ms(" 7 "), Some(7_000));
        assert_eq!(retry_after_ms("99999999999"), Some(RETRY_AFTER_MAX_MS));
        for odd in ["", "-1", "1.5", "Sun, 22 Nov 2026 08:00:00 GMT"] {
            assert_eq!(retry_after_ms(odd), None, "{odd}");
        }
    }

    proptest! {
        #[test]
        fn what_was_asked_for_is_honoured_and_bounds_hold(
            tries in 0_u32..12, random: u64, asked in prop::option::of(0_u64..10_000_000),
            first_ms in 1_u64.., longest_ms in 1_u64..,
        ) {
            let policy = RetryPolicy { first_ms, longest_ms, tries: 10 };
            match policy.delay_ms(tries, random, asked) {
                None => prop_assert!(tries >= 10),
                Some(delay_ms) => {
                    let asked = asked.unwrap_or(0).min(RETRY_AFTER_MAX_MS);
                    prop_assert!(delay_ms >= asked);
                    prop_assert!(delay_ms <= longest_ms.max(asked));
                }
            }
        }
    }
}
