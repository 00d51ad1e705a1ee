//! The log, the branch's clock, and documents.

use super::outcome::in_days;
use super::{BusinessDay, DAY_MS, Found, Outcome};
use crate::id::DocumentId;

/// A clock may run so far ahead of the hub's.
const CLOCK_AHEAD_MS: i64 = 600_000;

/// What is wrong with a log at the hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChainFlaw {
    /// Transactions are not there.
    Missing {
        /// The first.
        first: u64,
        /// The last.
        last: u64,
    },
    /// A block does not continue the one before.
    Unchained {
        /// Its first transaction.
        at: u64,
    },
    /// A block's bytes are not what the chain says.
    Altered {
        /// Its first transaction.
        at: u64,
    },
    /// The branch's word of the day is not where it stood.
    NotThere {
        /// Where it stood.
        at: u64,
    },
}

/// The newest signed head of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeadWord {
    /// There is none.
    None,
    /// Signed and countersigned.
    Countersigned,
    /// The hub did not agree with it.
    Refused,
    /// A signature does not fit.
    Forged,
}

/// A machine's log.
#[derive(Debug, Clone)]
pub struct LineFacts {
    /// The machine.
    pub node: String,
    /// Transactions by its tip.
    pub transactions: u64,
    /// What is wrong.
    pub flaws: Vec<ChainFlaw>,
    /// Its newest signed head.
    pub head: HeadWord,
}

/// A paper whose business day is not that of its time.
#[derive(Debug, Clone)]
pub struct OffPaper {
    /// What it is: `receipt`, `refund`.
    pub kind: &'static str,
    /// Its id.
    pub subject: String,
    /// How many days it is off; above zero for ahead.
    pub days: i64,
}

/// What is known of a branch's clock.
#[derive(Debug, Clone, Default)]
pub struct ClockFacts {
    /// How far the branch's word lay ahead of the hub's clock when it came.
    pub ahead_ms: Option<i64>,
    /// A word of a day that has not come yet, days since 1970.
    pub future_day: Option<i32>,
    /// Papers that say so.
    pub papers: Vec<OffPaper>,
}

/// Judges the logs of a branch's machines, and its clock.
pub fn judge_log(lines: &[LineFacts], clock: &ClockFacts, day: &BusinessDay) -> Outcome {
    let mut outcome = Outcome::default();
    outcome.count("logs", lines.len());
    let transactions: u64 = lines.iter().map(|line| line.transactions).sum();
    outcome.count("transactions", transactions);
    for line in lines {
        for flaw in &line.flaws {
            outcome.add(flaw_of(&line.node, flaw));
        }
        let node = &line.node;
        match line.head {
            HeadWord::Countersigned => {}
            HeadWord::None if line.transactions == 0 => {}
            HeadWord::None => outcome.add(Found::amber("head", node, "no head was signed yet")),
            HeadWord::Refused => {
                let detail = "the hub did not countersign the newest head";
                outcome.add(Found::red("head", node, detail));
            }
            HeadWord::Forged => {
                let detail = "the signature of the newest head does not fit";
                outcome.add(Found::red("head", node, detail));
            }
        }
    }
    judge_clock(clock, day, &mut outcome);
    outcome
}

fn flaw_of(node: &str, flaw: &ChainFlaw) -> Found {
    let subject = |at: u64| format!("{node}/{at}");
    match flaw {
        ChainFlaw::Missing { first, last } => {
            let detail = format!("transactions {first} to {last} are not in the hub's log");
            Found::red("log", subject(*first), detail)
        }
        ChainFlaw::Unchained { at } => {
            let detail = format!("the block at {at} does not continue the one before");
            Found::red("log", subject(*at), detail)
        }
        ChainFlaw::Altered { at } => {
            let detail = format!("the bytes of the block at {at} are not what the chain says");
            Found::red("log", subject(*at), detail)
        }
        ChainFlaw::NotThere { at } => {
            let detail = format!("the word of the day is not at {at} in the hub's log");
            Found::red("log", subject(*at), detail)
        }
    }
}

fn judge_clock(clock: &ClockFacts, day: &BusinessDay, outcome: &mut Outcome) {
    if let Some(ahead_ms) = clock.ahead_ms.filter(|ahead| *ahead > CLOCK_AHEAD_MS) {
        let is_days = ahead_ms >= DAY_MS;
        let detail = if is_days {
            let days = in_days(ahead_ms.saturating_add(DAY_MS / 2) / DAY_MS);
            format!("the branch's clock was {days} ahead when it closed the day")
        } else {
            let minutes = ahead_ms / 60_000;
            format!("the branch's clock was {minutes} minutes ahead when it closed the day")
        };
        outcome.add(if is_days {
            Found::red("clock", day.day, detail)
        } else {
            Found::amber("clock", day.day, detail)
        });
    }
    if let Some(future) = clock.future_day {
        let days = in_days(i64::from(future) - i64::from(day.day));
        let detail = format!("the branch closed a day that is {days} ahead of this one");
        outcome.add(Found::red("clock", future, detail));
    }
    for paper in &clock.papers {
        let word = if paper.days > 0 { "ahead" } else { "behind" };
        let days = in_days(paper.days.abs());
        let detail = format!("its business day is {days} {word} of its time");
        outcome.add(Found::red(paper.kind, &paper.subject, detail));
    }
}

/// Documents as the hub had them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DocumentsHeld {
    /// How many.
    pub count: u64,
    /// Their digest.
    pub digest: [u8; 32],
    /// The last entry of the branch's private feed.
    pub feed_head: u64,
}

/// Documents of both sides.
#[derive(Debug, Clone)]
pub struct DocumentsFacts {
    /// How many the branch has.
    pub count: u64,
    /// Their digest.
    pub digest: [u8; 32],
    /// The last entry of its private feed that it applied.
    pub feed: u64,
    /// What the hub had when it took that word.
    pub held: Option<DocumentsHeld>,
    /// Documents that were looked at one by one.
    pub sampled: u64,
    /// Those that are not what they say.
    pub altered: Vec<(DocumentId, &'static str)>,
}

/// Judges the documents.
pub fn judge_documents(facts: &DocumentsFacts, day: &BusinessDay) -> Outcome {
    let mut outcome = Outcome::default();
    outcome.count("branch", facts.count);
    outcome.count("sampled", facts.sampled);
    match facts.held {
        None => {
            let detail = "what the hub had then was not kept";
            outcome.add(Found::red("digest", day.day, detail));
        }
        Some(held) => {
            outcome.count("hub", held.count);
            outcome.count("on_the_way", held.feed_head.saturating_sub(facts.feed));
            if (held.count, held.digest) != (facts.count, facts.digest) {
                let sides = format!("{} at the branch, {} at the hub", facts.count, held.count);
                outcome.add(if held.feed_head == facts.feed {
                    let detail = format!("the documents differ: {sides}");
                    Found::red("digest", day.day, detail)
                } else {
                    let detail =
                        format!("the documents differ while some were on the way: {sides}");
                    Found::amber("digest", day.day, detail)
                });
            }
        }
    }
    for (document, what) in &facts.altered {
        outcome.add(Found::red("document", document, *what));
    }
    outcome
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        reason = "a test fails by panicking"
    )]

    use super::super::CheckState;
    use super::*;

    const DAY: BusinessDay = BusinessDay {
        day: 20_000,
        start_ms: 20_000 * DAY_MS,
        end_ms: 20_001 * DAY_MS,
    };

    fn line(flaws: Vec<ChainFlaw>, head: HeadWord) -> LineFacts {
        LineFacts {
            node: "0000002a".to_owned(),
            transactions: 9,
            flaws,
            head,
        }
    }

    #[test]
    fn a_whole_log_is_green_and_every_flaw_is_named() {
        let whole = [line(Vec::new(), HeadWord::Countersigned)];
        let clock = ClockFacts::default();
        assert_eq!(judge_log(&whole, &clock, &DAY).state(), CheckState::Green);
        let flaws = vec![
            ChainFlaw::Missing { first: 3, last: 4 },
            ChainFlaw::Altered { at: 7 },
        ];
        let outcome = judge_log(&[line(flaws, HeadWord::Countersigned)], &clock, &DAY);
        assert_eq!(outcome.state(), CheckState::Red);
        let subjects: Vec<&str> = outcome
            .records()
            .iter()
            .map(|found| found.subject.as_str())
            .collect();
        assert_eq!(subjects, ["0000002a/3", "0000002a/7"]);
    }

    #[test]
    fn heads_and_clocks_have_their_colours() {
        let clock = |ahead_ms| ClockFacts {
            ahead_ms: Some(ahead_ms),
            ..ClockFacts::default()
        };
        let state =
            |head, ahead_ms| judge_log(&[line(Vec::new(), head)], &clock(ahead_ms), &DAY).state();
        assert_eq!(state(HeadWord::None, 0), CheckState::Amber);
        assert_eq!(state(HeadWord::Refused, 0), CheckState::Red);
        assert_eq!(state(HeadWord::Countersigned, 700_000), CheckState::Amber);
        assert_eq!(state(HeadWord::Countersigned, 10 * DAY_MS), CheckState::Red);
        assert_eq!(
            state(HeadWord::Countersigned, -10 * DAY_MS),
            CheckState::Green
        );
    }

    #[test]
    fn documents_that_differ_are_amber_only_while_some_are_on_the_way() {
        let facts = |digest, feed| DocumentsFacts {
            count: 1,
            digest: [1; 32],
            feed,
            held: Some(DocumentsHeld {
                count: 1,
                digest,
                feed_head: 5,
            }),
            sampled: 0,
            altered: Vec::new(),
        };
        let state = |digest, feed| judge_documents(&facts(digest, feed), &DAY).state();
        assert_eq!(state([1; 32], 4), CheckState::Green);
        assert_eq!(state([2; 32], 4), CheckState::Amber);
        assert_eq!(state([2; 32], 5), CheckState::Red);
    }
}
