//! How long somebody waits after wrong passwords.
//! A flood of other names never shortens the wait of the one under attack.

use web_kit::{FailureLimiter, FailureLimits};

fn limiter() -> FailureLimiter {
    FailureLimiter::new(FailureLimits {
        max_keys: 3,
        ..FailureLimits::default()
    })
}

fn fail(limiter: &mut FailureLimiter, key: &str, times: u32, now_ms: u64) {
    for _ in 0..times {
        limiter.attempt(key, now_ms).unwrap();
    }
}

#[test]
fn the_sixth_try_waits_and_each_further_one_twice_as_long() {
    let mut limiter = limiter();
    fail(&mut limiter, "elif", 5, 0);
    assert_eq!(limiter.attempt("elif", 0).unwrap_err().status(), 429);
    assert!(limiter.attempt("elif", 999).is_err());
    limiter.attempt("elif", 1_000).unwrap();
    assert!(limiter.attempt("elif", 2_999).is_err());
    limiter.attempt("elif", 3_000).unwrap();
    assert!(limiter.attempt("elif", 6_999).is_err());
    limiter.attempt("jonas", 3_000).unwrap();
}

#[test]
fn success_and_time_forgive() {
    let mut limiter = limiter();
    fail(&mut limiter, "elif", 5, 0);
    limiter.succeeded("elif");
    fail(&mut limiter, "elif", 5, 0);
    fail(&mut limiter, "elif", 5, 30 * 60_000);
    assert!(limiter.attempt("elif", 30 * 60_000).is_err());
}

#[test]
fn a_wait_never_passes_the_longest_and_a_clock_that_went_back_does_no_harm() {
    let mut limiter = limiter();
    let mut now_ms = 1_000_000;
    for _ in 0..100 {
        limiter.attempt("elif", now_ms).unwrap();
        now_ms += 15 * 60_000;
    }
    assert!(limiter.attempt("elif", now_ms - 1).is_err());
    assert!(limiter.attempt("elif", 0).is_err());
    limiter.attempt("elif", now_ms).unwrap();
}

#[test]
fn a_flood_of_names_does_not_wash_out_the_one_under_attack() {
    let mut limiter = limiter();
    fail(&mut limiter, "elif", 5, 0);
    for name in 0..1_000 {
        limiter.attempt(&format!("name {name}"), 1).unwrap();
    }
    assert!(limiter.attempt("elif", 1).is_err());
}
