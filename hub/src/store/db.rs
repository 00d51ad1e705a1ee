//! The database's types by the names that the layers above use.
//!
//! Those layers pass connections on and map errors; a statement of theirs belongs in a module of this folder.

pub use sqlx::Error as SqlError;
pub use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
pub use sqlx::{PgConnection, PgPool};

/// An open SQL transaction; it is rolled back when it is dropped.
pub type SqlTransaction = sqlx::Transaction<'static, sqlx::Postgres>;

/// Everything as of one moment, read only.
pub async fn snapshot(pool: &PgPool) -> Result<SqlTransaction, sqlx::Error> {
    pool.begin_with("begin isolation level repeatable read read only")
        .await
}
