//! Notices between hub processes over the database's own channel.
//!
//! A notice is a hint that goes out with a commit; nothing depends on its arrival.

use sqlx::postgres::PgListener;
use sqlx::{Error, PgConnection, PgPool};

const CHANNEL: &str = "counterpart";

/// Tells the other processes `text`, once this SQL transaction commits.
pub async fn send(connection: &mut PgConnection, text: &str) -> Result<(), Error> {
    sqlx::query("select pg_notify($1, $2)")
        .bind(CHANNEL)
        .bind(text)
        .execute(connection)
        .await?;
    Ok(())
}

/// Starts listening on a connection of its own.
pub async fn listen(pool: &PgPool) -> Result<PgListener, Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(CHANNEL).await?;
    Ok(listener)
}
