//! Two versions of one table, row by row in the order of their keys.

use std::cmp::Ordering;

use futures_util::stream::{Stream, StreamExt};

use super::report::VerifyReport;
use super::tables::Table;
use crate::error::HubError;
use crate::store::db::{PgConnection, SqlError};
use crate::store::verify;

type Digest = Result<(String, String), SqlError>;

/// Differences of one table whose columns are looked up.
const NAMED: usize = 100;

enum Found {
    Missing(String),
    Extra(String),
    Changed(String),
}

pub(super) async fn compare(
    live: &mut PgConnection,
    rebuilt: &mut PgConnection,
    table: &Table,
    report: &mut VerifyReport,
) -> Result<(), HubError> {
    let found = {
        let left = verify::digests(live, table.digests);
        let right = verify::digests(rebuilt, table.digests);
        merge(left, right).await?
    };
    for (number, difference) in found.into_iter().enumerate() {
        let (key, what) = match difference {
            Found::Missing(key) => (
                key,
                "a row that follows from the logs is missing".to_owned(),
            ),
            Found::Extra(key) => (key, "the row does not follow from the logs".to_owned()),
            Found::Changed(key) if number < NAMED => {
                let columns = changed_columns(live, rebuilt, table, &key).await?;
                (
                    key,
                    format!("differs from the logs in {}", columns.join(", ")),
                )
            }
            Found::Changed(key) => (key, "differs from the logs".to_owned()),
        };
        report.differ(table.name, key, what);
    }
    Ok(())
}

async fn merge(
    mut left: impl Stream<Item = Digest> + Unpin,
    mut right: impl Stream<Item = Digest> + Unpin,
) -> Result<Vec<Found>, HubError> {
    let mut found = Vec::new();
    let mut is = left.next().await.transpose()?;
    let mut should = right.next().await.transpose()?;
    loop {
        let order = match (&is, &should) {
            (None, None) => return Ok(found),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some((left, _)), Some((right, _))) => left.as_bytes().cmp(right.as_bytes()),
        };
        if order == Ordering::Equal
            && let (Some((key, left)), Some((_, right))) = (&is, &should)
            && left != right
        {
            found.push(Found::Changed(key.clone()));
        }
        if order != Ordering::Greater {
            let before = std::mem::replace(&mut is, left.next().await.transpose()?);
            if order == Ordering::Less {
                found.extend(before.map(|(key, _)| Found::Extra(key)));
            }
        }
        if order != Ordering::Less {
            let before = std::mem::replace(&mut should, right.next().await.transpose()?);
            if order == Ordering::Greater {
                found.extend(before.map(|(key, _)| Found::Missing(key)));
            }
        }
    }
}

async fn changed_columns(
    live: &mut PgConnection,
    rebuilt: &mut PgConnection,
    table: &Table,
    key: &str,
) -> Result<Vec<String>, HubError> {
    let is = verify::json_row(live, table.row, key).await?;
    let should = verify::json_row(rebuilt, table.row, key).await?;
    Ok(is
        .iter()
        .filter(|(column, value)| should.get(*column) != Some(value))
        .map(|(column, _)| column.clone())
        .collect())
}
