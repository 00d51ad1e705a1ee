//! What happens to one datagram: a pure function of the seed and of how many came before.

use std::time::Duration;

use super::Faults;

/// How far behind a held-back datagram falls at least, beyond the line's own jitter.
const HELD_BACK: Duration = Duration::from_millis(20);

/// A small deterministic generator (SplitMix64, Steele, Lea and Flood 2014). Not for secrets.
#[derive(Clone, Debug)]
pub struct Dice {
    state: u64,
}

impl Dice {
    /// The same seed gives the same throws.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    fn throw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Evenly from 0 up to, not including, 1.
    fn share(&mut self) -> f64 {
        // 53 bits fit a double exactly.
        #[expect(clippy::cast_precision_loss, reason = "53 bits are exact in a double")]
        let high_bits = (self.throw() >> 11) as f64;
        high_bits / 9_007_199_254_740_992.0
    }

    /// After how much time each copy of a datagram arrives; none when it is lost. Always throws
    /// equally often, so that one fault's share does not move the others' throws.
    pub fn fate(&mut self, faults: &Faults) -> Vec<Duration> {
        let (loss, duplication, reorder) = (self.share(), self.share(), self.share());
        let (first, second) = (self.share(), self.share());
        if loss < faults.loss {
            return Vec::new();
        }
        let held_back = if reorder < faults.reorder {
            HELD_BACK + faults.jitter
        } else {
            Duration::ZERO
        };
        let mut arrivals = vec![faults.delay + faults.jitter.mul_f64(first) + held_back];
        if duplication < faults.duplication {
            arrivals.push(faults.delay + faults.jitter.mul_f64(second));
        }
        arrivals
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUGH: Faults = Faults {
        loss: 0.3,
        duplication: 0.5,
        reorder: 0.1,
        delay: Duration::from_millis(10),
        jitter: Duration::from_millis(5),
        rate_bytes: None,
    };

    #[test]
    fn the_same_seed_gives_the_same_fates() {
        let fates = |seed| {
            let mut dice = Dice::new(seed);
            (0..1_000).map(|_| dice.fate(&ROUGH)).collect::<Vec<_>>()
        };
        assert_eq!(fates(7), fates(7));
        assert_ne!(fates(7), fates(8));
    }

    #[test]
    fn shares_come_true() {
        let mut dice = Dice::new(1);
        let fates: Vec<_> = (0..10_000).map(|_| dice.fate(&ROUGH)).collect();
        let lost = fates.iter().filter(|arrivals| arrivals.is_empty()).count();
        let doubled = fates.iter().filter(|arrivals| arrivals.len() == 2).count();
        assert!((2_800..3_200).contains(&lost), "{lost}");
        assert!((3_300..3_700).contains(&doubled), "{doubled}");
    }

    #[test]
    fn a_line_without_faults_does_nothing() {
        let mut dice = Dice::new(1);
        assert!((0..1_000).all(|_| dice.fate(&Faults::NONE) == [Duration::ZERO]));
    }
}
