//! The world of this process: its clock and its random bytes.
//!
//! The only place of the hub that reads the operating system's time or randomness. Everything else takes an [`Env`],
//! so tests hand in their own. Times from here are for records and display; they never decide an order (INV-20).

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use domain::env::{Clock, Entropy};

/// Clock and random bytes; cheap to clone.
#[derive(Clone)]
pub struct Env {
    clock: Arc<dyn Clock + Send + Sync>,
    entropy: Arc<Mutex<Box<dyn Entropy + Send>>>,
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Env")
    }
}

impl Env {
    /// The operating system's clock and random bytes.
    pub fn system() -> Self {
        Self::with(Arc::new(SystemClock), Box::new(SystemEntropy))
    }

    /// Another clock and other bytes, for tests and the simulator.
    pub fn with(clock: Arc<dyn Clock + Send + Sync>, entropy: Box<dyn Entropy + Send>) -> Self {
        Env {
            clock,
            entropy: Arc::new(Mutex::new(entropy)),
        }
    }

    /// Milliseconds since 1970.
    pub fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    /// Fills `bytes` with random bytes.
    pub fn fill(&self, bytes: &mut [u8]) {
        self.entropy
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .fill(bytes);
    }

    /// `N` random bytes.
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    /// The random bytes as what `domain` takes.
    pub fn entropy(&self) -> EnvEntropy {
        EnvEntropy(self.clone())
    }
}

/// Random bytes of an [`Env`].
#[derive(Debug, Clone)]
pub struct EnvEntropy(Env);

impl Entropy for EnvEntropy {
    fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }
}

struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        let elapsed = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX)
    }
}

struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[expect(
        clippy::expect_used,
        reason = "without the kernel's random bytes no key or epoch may be made"
    )]
    fn fill(&mut self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system gives random bytes");
    }
}
