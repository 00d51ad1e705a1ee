//! The operating system's time and randomness, lent to the rest of the program.
//!
//! This is the only module that reads the OS clock or random source. Everything else takes an [`Env`], so that a
//! simulator can run the same code on its own time and its own bytes. The clock is for display and records: it never
//! decides order, uniqueness or status (INV-20).

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use domain::env::{Clock, Entropy};

/// The wall clock and the random source of one process. Cheap to clone.
#[derive(Clone)]
pub struct Env {
    clock: Arc<dyn Clock + Send + Sync>,
    entropy: Arc<Mutex<Box<dyn Entropy + Send>>>,
}

impl std::fmt::Debug for Env {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Env")
    }
}

impl Env {
    /// The operating system's clock and random source.
    pub fn system() -> Self {
        Self::new(SystemClock, SystemEntropy)
    }

    /// Another clock and source, for the simulator and generated data.
    pub fn new(
        clock: impl Clock + Send + Sync + 'static,
        entropy: impl Entropy + Send + 'static,
    ) -> Self {
        Self {
            clock: Arc::new(clock),
            entropy: Arc::new(Mutex::new(Box::new(entropy))),
        }
    }

    /// Milliseconds since 1970 UTC.
    pub fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    /// `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.random().fill(&mut bytes);
        bytes
    }

    /// The random source, to be lent on as `&mut env.random()`.
    pub fn random(&self) -> Random<'_> {
        Random(self)
    }
}

/// The random source of an [`Env`].
#[derive(Debug)]
pub struct Random<'a>(&'a Env);

impl Entropy for Random<'_> {
    fn fill(&mut self, bytes: &mut [u8]) {
        self.0
            .entropy
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .fill(bytes);
    }
}

struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
            Err(before) => -i64::try_from(before.duration().as_millis()).unwrap_or(i64::MAX),
        }
    }
}

struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[expect(
        clippy::expect_used,
        reason = "without randomness there are no ids and no keys: nothing could go on"
    )]
    fn fill(&mut self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system gives random bytes");
    }
}
