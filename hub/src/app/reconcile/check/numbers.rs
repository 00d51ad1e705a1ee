//! Numbers of papers: no gap, no double, up to the last that the branch gave.

use std::collections::BTreeMap;

use domain::reconcile::{Double, Excuse, Gap, NumbersFacts, Outcome, SeriesEnd, judge_numbers};
use domain::till::PaperKind;

use super::Ground;
use crate::error::HubError;
use crate::store::db::PgConnection;
use crate::store::reconciliation::day::Word;
use crate::store::reconciliation::papers as store;

pub(super) async fn check(
    sql: &mut PgConnection,
    ground: &Ground<'_>,
    word: &Word,
) -> Result<Outcome, HubError> {
    let branch = ground.branch.id;
    let series = store::series(sql, branch).await?;
    let (parked, replaced) = store::mishaps(sql, branch).await?;
    let mut facts = NumbersFacts {
        series: series.len() as u64,
        papers: series.iter().map(|(.., count)| count.unsigned_abs()).sum(),
        ..NumbersFacts::default()
    };
    for seam in store::seams(sql, branch).await? {
        let (kind, series) = (seam.kind, seam.series);
        if seam.number - seam.before > 1 {
            facts.gaps.push(Gap {
                kind,
                series,
                first: seam.before + 1,
                last: seam.number - 1,
            });
        }
        if seam.papers > 1 {
            facts.doubles.push(Double {
                kind,
                series,
                number: seam.number,
                papers: seam.papers,
            });
        }
    }
    let last: BTreeMap<(PaperKind, u8), i64> = series
        .iter()
        .map(|(kind, letter, last, _)| ((*kind, *letter), *last))
        .collect();
    facts.ends = word
        .closed
        .numbers
        .iter()
        .map(|said| SeriesEnd {
            kind: said.kind,
            series: said.series,
            said: i64::from(said.number),
            ours: last.get(&(said.kind, said.series)).copied().unwrap_or(0),
        })
        .collect();
    facts.excuses = excuses(&last, parked, replaced);
    Ok(judge_numbers(&facts))
}

/// A machine that was lost takes the end of its series with it, and the next letter begins; what is parked has a number
/// that no paper has yet.
fn excuses(last: &BTreeMap<(PaperKind, u8), i64>, parked: i64, replaced: i64) -> Vec<Excuse> {
    let mut excuses = Vec::new();
    if parked > 0 {
        excuses.push(Excuse {
            series: None,
            reason: format!("{parked} papers are parked"),
        });
    }
    if replaced > 0 {
        let newest = last.keys().map(|(_, series)| *series).max().unwrap_or(0);
        let older = last.keys().map(|(_, series)| *series);
        let older: std::collections::BTreeSet<u8> =
            older.filter(|series| *series < newest).collect();
        excuses.extend(older.into_iter().map(|series| Excuse {
            series: Some(series),
            reason: "the machine was replaced, and another letter began".to_owned(),
        }));
    }
    excuses
}
