//! Reading tables whole, to hold them against a rebuild.
//!
//! Each statement comes with the table that it reads, as static text; nothing is written here.

use futures_util::stream::BoxStream;
use serde_json::{Map, Value};
use sqlx::{Error, PgConnection};

/// Key and digest of every row, in the order of the statement.
pub fn digests<'a>(
    connection: &'a mut PgConnection,
    statement: &'static str,
) -> BoxStream<'a, Result<(String, String), Error>> {
    sqlx::query_as(statement).fetch(connection)
}

/// The row with this key as an object of its columns; empty where there is none.
pub async fn json_row(
    connection: &mut PgConnection,
    statement: &'static str,
    key: &str,
) -> Result<Map<String, Value>, Error> {
    let row: Option<(String,)> = sqlx::query_as(statement)
        .bind(key)
        .fetch_optional(connection)
        .await?;
    let value = row.map(|(text,)| serde_json::from_str(&text));
    match value {
        Some(Ok(Value::Object(map))) => Ok(map),
        _ => Ok(Map::new()),
    }
}
