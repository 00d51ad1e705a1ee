//! The database's types by the names that the layers above use.
//!
//! Those layers pass connections on and map errors; a statement of theirs belongs in a module of this folder.

pub use sqlx::Error as SqlError;
pub use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
pub use sqlx::{PgConnection, PgPool};

/// An open SQL transaction; it is rolled back when it is dropped.
pub type SqlTransaction = sqlx::Transaction<'static, sqlx::Postgres>;

/// Begins a transaction.
///
/// A caller may go away while it waits, as the request of a lost connection does. sqlx 0.9 then hands the connection
/// back to the pool inside the transaction, so the waiting is done by a task that is seen to its end.
pub async fn begin(pool: &PgPool) -> Result<SqlTransaction, sqlx::Error> {
    let pool = pool.clone();
    to_the_end(async move { pool.begin().await }).await
}

/// Everything as of one moment, read only; begun like [`begin`].
pub async fn snapshot(pool: &PgPool) -> Result<SqlTransaction, sqlx::Error> {
    let pool = pool.clone();
    to_the_end(async move {
        pool.begin_with("begin isolation level repeatable read read only")
            .await
    })
    .await
}

async fn to_the_end(
    begin: impl Future<Output = Result<SqlTransaction, sqlx::Error>> + Send + 'static,
) -> Result<SqlTransaction, sqlx::Error> {
    tokio::spawn(begin)
        .await
        .unwrap_or(Err(sqlx::Error::WorkerCrashed))
}
