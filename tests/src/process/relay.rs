//! Lines that can be cut, slowed and made lossy while real programs talk over them (F-6, F-7, F-8).
//!
//! A relay listens on a loopback port of its own and hands on to a target. What happens to each
//! datagram is drawn from a seed, so that a run can be repeated; the system's own timing cannot.
//! Never here: looking into what is handed on.

mod dice;
mod tcp;
mod udp;

pub use self::{dice::Dice, tcp::TcpRelay, udp::UdpRelay};

use std::time::Duration;

/// What a line does to what is sent over it, in both directions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Faults {
    /// Share of datagrams that never arrive, 0 to 1. TCP repairs loss itself, so not for TCP.
    pub loss: f64,
    /// Share of datagrams that arrive twice, 0 to 1. Not for TCP.
    pub duplication: f64,
    /// Share of datagrams held back until later ones have overtaken them, 0 to 1. Not for TCP.
    pub reorder: f64,
    /// Time on the way.
    pub delay: Duration,
    /// Random time added to `delay`, up to this. Not for TCP, which keeps its order.
    pub jitter: Duration,
    /// Bytes per second in each direction.
    pub rate_bytes: Option<u64>,
}

impl Faults {
    /// A line that does nothing to what it carries.
    pub const NONE: Self = Self {
        loss: 0.0,
        duplication: 0.0,
        reorder: 0.0,
        delay: Duration::ZERO,
        jitter: Duration::ZERO,
        rate_bytes: None,
    };
}

impl Default for Faults {
    fn default() -> Self {
        Self::NONE
    }
}

/// Which way something goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From who connected
    ToTarget,
    /// Back to who connected
    FromTarget,
}

/// What a relay has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Datagrams, or pieces of a stream, handed on (a duplicate counts again)
    pub passed: u64,
    /// Datagrams lost by chance, in a cut, or because too many were on the way
    pub dropped: u64,
    /// Bytes handed on
    pub bytes: u64,
}
