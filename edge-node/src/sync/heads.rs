//! When this node signs its head: once a minute while the log moves, per 1,000 transactions, when a cash session or a
//! day is closed, and on leaving.
//!
//! A head is sent when the hub has stored what it vouches for; before that it could not be held against anything.

use std::time::Duration;

use sync_protocol::head::SignedHead;
use sync_protocol::limits::{HEAD_EVERY_MS, HEAD_EVERY_TRANSACTIONS};
use sync_protocol::position::Tip;
use tokio::time::Instant;

#[derive(Debug)]
pub(super) struct Heads {
    last_seq: u64,
    last_at: Instant,
    is_claiming: bool,
    waiting: Option<SignedHead>,
}

impl Heads {
    pub(super) fn new(last_seq: u64, now: Instant) -> Self {
        Self {
            last_seq,
            last_at: now,
            is_claiming: false,
            waiting: None,
        }
    }

    /// Whether a head should be signed at `tip`, and if so remembers that it is being done. `vouch_for` is the newest
    /// entry that should not wait for its minute; on leaving that is the tip.
    pub(super) fn begin(&mut self, tip: &Tip, vouch_for: u64, now: Instant) -> bool {
        let behind = tip.seq.saturating_sub(self.last_seq);
        let is_due =
            vouch_for > self.last_seq || behind >= HEAD_EVERY_TRANSACTIONS || now >= self.due_at();
        let begins = behind > 0 && is_due && !self.is_claiming;
        self.is_claiming |= begins;
        begins
    }

    /// When the next one may be due by time.
    pub(super) fn due_at(&self) -> Instant {
        self.last_at + Duration::from_millis(HEAD_EVERY_MS.unsigned_abs())
    }

    pub(super) fn signed(&mut self, head: SignedHead, now: Instant) {
        self.is_claiming = false;
        self.last_at = now;
        self.last_seq = head.claim.tip.seq;
        self.waiting = Some(head);
    }

    pub(super) fn failed(&mut self, now: Instant) {
        self.is_claiming = false;
        self.last_at = now;
    }

    /// A head that the hub can check, now that it has stored up to `stored`.
    pub(super) fn ready(&mut self, stored: &Tip) -> Option<SignedHead> {
        self.waiting
            .take_if(|head| head.claim.tip.seq <= stored.seq)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use sync_protocol::head::HeadClaim;
    use sync_protocol::position::{Epoch, NodeId};

    use super::*;

    fn tip(seq: u64) -> Tip {
        Tip {
            epoch: Epoch(1),
            seq,
            hash: [0; 32],
        }
    }

    fn head(seq: u64) -> SignedHead {
        SignedHead {
            claim: HeadClaim {
                node: NodeId(1),
                tip: tip(seq),
                stock: [0; 32],
            },
            signature: Vec::new(),
        }
    }

    #[test]
    fn a_head_is_due_after_a_minute_a_thousand_entries_at_a_closing_or_on_leaving() {
        let begun = Instant::now();
        let mut heads = Heads::new(10, begun);
        assert!(!heads.begin(&tip(10), 10, begun), "nothing moved");
        assert!(!heads.begin(&tip(11), 10, begun), "too early");
        let later = begun + Duration::from_secs(60);
        assert!(heads.begin(&tip(11), 0, later));
        assert!(!heads.begin(&tip(11), 11, later), "one at a time");
        heads.signed(head(11), later);
        assert_eq!(heads.ready(&tip(10)), None, "the hub has not stored it");
        assert_eq!(heads.ready(&tip(11)).unwrap().claim.tip.seq, 11);
        assert_eq!(heads.ready(&tip(11)), None, "sent once");
        assert!(heads.begin(&tip(1011), 0, later));
        heads.failed(later);
        assert!(heads.begin(&tip(12), 12, later));
    }
}
