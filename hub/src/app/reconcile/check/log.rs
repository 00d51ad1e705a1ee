//! The log: whole up to each machine's tip, its new blocks and a sample of the old ones read and chained; heads; clock.

use std::collections::BTreeMap;

use domain::reconcile::{ChainFlaw, ClockFacts, HeadWord, LineFacts, OffPaper, Outcome, judge_log};
use sync_protocol::head::{Countersignature, SignedHead};
use sync_protocol::item::kind;
use sync_protocol::position::{NodeId, start_of_branch_line};

use super::Ground;
use crate::app::reconcile::day::business_day;
use crate::error::HubError;
use crate::store::db::PgConnection;
use crate::store::ids::node_number;
use crate::store::reconciliation::day::{self, Word};
use crate::store::reconciliation::line::{self as store, Seam};
use crate::store::reconciliation::run;
use crate::store::sync::log::RawBlock;
use crate::store::sync::node::{self, NodeRow};

/// Blocks that are read at once.
const BLOCKS: i64 = 32;
/// Flaws of one log that are named.
const FLAWS: usize = 50;

pub(super) async fn check(
    sql: &mut PgConnection,
    ground: &Ground<'_>,
    word: &Word,
) -> Result<Outcome, HubError> {
    let branch = ground.branch.id;
    let seams = store::seams(sql, branch).await?;
    let ends: BTreeMap<NodeId, (u64, Vec<u8>)> = store::ends(sql, branch)
        .await?
        .into_iter()
        .map(|(node, seq, after)| (node, (seq, after)))
        .collect();
    let heads = store::newest_heads(sql, branch).await?;
    let former = match run::last_done(sql, branch, ground.day.day).await? {
        Some(day) => day::word(sql, branch, day).await?,
        None => None,
    };
    let mut lines = Vec::new();
    for row in node::of_branch(sql, branch).await? {
        let mut flaws = shape(&row, &seams, ends.get(&row.node));
        let read_until = former
            .as_ref()
            .filter(|former| former.node == row.node)
            .map_or(0, |former| former.seq);
        read_blocks(sql, ground, &row, read_until, word, &mut flaws).await?;
        flaws.truncate(FLAWS);
        let newest = heads.iter().find(|(head, _)| head.claim.node == row.node);
        // A machine that was replaced signs nothing any more.
        let head = match newest {
            None if row.closed => HeadWord::Countersigned,
            newest => head_of(ground, &row, newest),
        };
        lines.push(LineFacts {
            node: row.node.to_string(),
            transactions: row.tip.seq,
            flaws,
            head,
        });
    }
    let taken = day::held(sql, word).await?;
    let clock = ClockFacts {
        ahead_ms: taken.map(|(_, taken_ms)| word.at_ms.saturating_sub(taken_ms)),
        future_day: None,
        papers: off_papers(sql, ground).await?,
    };
    Ok(judge_log(&lines, &clock, &ground.day))
}

/// What tells why a branch's word is not there: a word of a day that has not come, or papers of this time with another
/// day. Nothing where there is no such sign.
pub(super) async fn without_word(
    sql: &mut PgConnection,
    ground: &Ground<'_>,
) -> Result<Option<Outcome>, HubError> {
    let next = day::next_word(sql, ground.branch.id, ground.day.day).await?;
    let tomorrow = business_day(ground.hub.env().now_ms(), &ground.branch.time_zone) + 1;
    let clock = ClockFacts {
        ahead_ms: None,
        future_day: next.filter(|next| *next > tomorrow),
        papers: off_papers(sql, ground).await?,
    };
    if clock.future_day.is_none() && clock.papers.is_empty() {
        return Ok(None);
    }
    Ok(Some(judge_log(&[], &clock, &ground.day)))
}

async fn off_papers(
    sql: &mut PgConnection,
    ground: &Ground<'_>,
) -> Result<Vec<OffPaper>, HubError> {
    let span = (ground.day.start_ms, ground.day.end_ms);
    let papers = store::off_papers(sql, ground.branch.id, ground.day.day, span).await?;
    Ok(papers
        .into_iter()
        .map(|paper| {
            let at = business_day(paper.at_ms, &ground.branch.time_zone);
            OffPaper {
                kind: if paper.kind == "refund" {
                    "refund"
                } else {
                    "receipt"
                },
                subject: paper.subject.to_string(),
                days: i64::from(paper.business_day) - i64::from(at),
            }
        })
        .filter(|paper| paper.days.abs() > 1)
        .collect())
}

/// Whether blocks follow each other from the start of the line to its tip, by what their rows say.
fn shape(row: &NodeRow, seams: &[Seam], end: Option<&(u64, Vec<u8>)>) -> Vec<ChainFlaw> {
    let mut flaws = Vec::new();
    let number = node_number(row.node);
    for seam in seams.iter().filter(|seam| seam.node == number) {
        let first = seam.first_seq.unsigned_abs();
        let start = start_of_branch_line(row.node, row.branch);
        let expected = seam.prev_last.map_or(1, |last| last.unsigned_abs() + 1);
        if first > expected {
            flaws.push(ChainFlaw::Missing {
                first: expected,
                last: first - 1,
            });
        } else if seam.prev_last.is_some() || seam.before != start {
            flaws.push(ChainFlaw::Unchained { at: first });
        }
    }
    let (last, after) = end.map_or((0, None), |(last, after)| (*last, Some(after)));
    if last < row.tip.seq {
        flaws.push(ChainFlaw::Missing {
            first: last + 1,
            last: row.tip.seq,
        });
    } else if after.is_some_and(|after| *after != row.tip.hash) {
        flaws.push(ChainFlaw::Unchained { at: last });
    }
    flaws
}

/// Reads what came since the former night, and every so many-th block before.
async fn read_blocks(
    sql: &mut PgConnection,
    ground: &Ground<'_>,
    row: &NodeRow,
    read_until: u64,
    word: &Word,
    flaws: &mut Vec<ChainFlaw>,
) -> Result<(), HubError> {
    let sampled =
        store::sampled_blocks(sql, row.branch, row.node, read_until, ground.day.day).await?;
    for block in &sampled {
        flaws.extend(flaw_of(block));
    }
    let mut after = read_until;
    let mut found_word = row.node != word.node;
    loop {
        let blocks = store::blocks_behind(sql, row.branch, row.node, after, BLOCKS).await?;
        let Some(last) = blocks.last() else {
            break;
        };
        after = last.last_seq.unsigned_abs();
        for block in &blocks {
            flaws.extend(flaw_of(block));
            found_word = found_word || has_word(block, word);
        }
    }
    // An earlier night that is done again has its word before the former one's.
    if !found_word && word.seq > read_until {
        flaws.push(ChainFlaw::NotThere { at: word.seq });
    }
    Ok(())
}

fn flaw_of(row: &RawBlock) -> Option<ChainFlaw> {
    let at = row.first_seq.unsigned_abs();
    match row.sound_entries() {
        Some(_) => None,
        None => Some(ChainFlaw::Altered { at }),
    }
}

fn has_word(row: &RawBlock, word: &Word) -> bool {
    let seq = word.seq.cast_signed();
    if !(row.first_seq..=row.last_seq).contains(&seq) || row.epoch != word.epoch.0.cast_signed() {
        return false;
    }
    let Ok(block) = row.open() else {
        return false;
    };
    let index = usize::try_from(seq - row.first_seq).unwrap_or(usize::MAX);
    block.transactions.get(index).is_some_and(|transaction| {
        let items = &transaction.items;
        items.iter().any(|item| item.kind() == kind::DAY_CLOSED)
    })
}

fn head_of(
    ground: &Ground<'_>,
    row: &NodeRow,
    newest: Option<&(SignedHead, Option<Vec<u8>>)>,
) -> HeadWord {
    let Some((head, countersignature)) = newest else {
        return HeadWord::None;
    };
    if !head.verify(&row.public_key) {
        return HeadWord::Forged;
    }
    let Some(signature) = countersignature else {
        return HeadWord::Refused;
    };
    let word = Countersignature {
        claim: head.claim,
        signature: signature.clone(),
    };
    let key = ground.hub.keys().node0.verifying_key().to_bytes();
    if word.verify(&key, &head.signature) {
        HeadWord::Countersigned
    } else {
        HeadWord::Forged
    }
}
