//! What the cluster's superuser does: the program's role, databases, PostGIS.
//!
//! The one place where a statement is put together at run time, since Postgres takes no parameters
//! for names. Only [`DatabaseName`]s and our own hexadecimal passwords are ever put in.

use std::{fmt, path::Path, str::FromStr, time::Duration};

use sqlx::{
    Connection, PgConnection,
    postgres::{PgConnectOptions, PgSslMode},
};
use tokio::time::{Instant, sleep, timeout};

use super::{
    POLL_EVERY, PrivatePostgresError, Result,
    password::Passwords,
    place::Place,
    postmaster,
    settings::{ADMIN_ROLE, APPLICATION_ROLE},
};

const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// How long a template may still be in use by connections that are just closing.
const TEMPLATE_FREE_WITHIN: Duration = Duration::from_secs(10);

/// A database's name that needs no quoting anywhere.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct DatabaseName(String);

impl DatabaseName {
    /// The database that every cluster has, for work on the cluster itself.
    fn maintenance() -> Self {
        Self("postgres".to_owned())
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DatabaseName {
    type Err = PrivatePostgresError;

    fn from_str(text: &str) -> Result<Self> {
        let is_plain =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let starts_well = text.starts_with(|first: char| first.is_ascii_lowercase());
        if !starts_well || text.len() > 63 || !text.bytes().all(is_plain) {
            return Err(PrivatePostgresError::BadName(text.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for DatabaseName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What signs in to a running private cluster as its superuser.
///
/// Independent of who owns the server: harnesses and operators attach to a running one.
pub struct ClusterAdmin {
    port: u16,
    passwords: Passwords,
}

impl fmt::Debug for ClusterAdmin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ClusterAdmin")
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

impl ClusterAdmin {
    pub(super) fn new(port: u16, passwords: Passwords) -> Self {
        Self { port, passwords }
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn set_port(&mut self, port: u16) {
        self.port = port;
    }

    pub(super) fn passwords(&self) -> &Passwords {
        &self.passwords
    }

    /// For the cluster that runs for this data directory, if one does and answers.
    ///
    /// # Errors
    /// When its place or passwords cannot be read, or it refuses them.
    pub async fn attach(data_dir: &Path) -> Result<Option<Self>> {
        let Some(place) = Place::owned(data_dir)? else {
            return Ok(None);
        };
        let Some(port) = postmaster::port_of_running(&place.data()) else {
            return Ok(None);
        };
        let passwords = Passwords::load_or_make(data_dir, place.has_cluster())?;
        let does_answer = answers(port, &passwords).await?;
        Ok(does_answer.then_some(Self { port, passwords }))
    }

    /// Address of a database for the program: an account that owns it and is no superuser.
    /// Holds a password, so it is never logged.
    #[must_use]
    pub fn database_url(&self, name: &DatabaseName) -> String {
        self.url(APPLICATION_ROLE, &self.passwords.application, name)
    }

    /// Address of a database for the cluster's superuser. Holds a password.
    #[must_use]
    pub fn superuser_url(&self, name: &DatabaseName) -> String {
        self.url(ADMIN_ROLE, &self.passwords.admin, name)
    }

    fn url(&self, role: &str, password: &str, name: &DatabaseName) -> String {
        format!(
            "postgres://{role}:{password}@127.0.0.1:{}/{name}?sslmode=disable",
            self.port
        )
    }

    /// Makes this database, owned by the program's role and with PostGIS, if it is not there.
    ///
    /// # Errors
    /// When a statement fails.
    pub async fn ensure_database(&self, name: &DatabaseName) -> Result<()> {
        if !self.has_database(name).await? {
            let statement =
                format!("create database {name} owner {APPLICATION_ROLE} template template0");
            let mut connection = self.maintain().await?;
            execute(&mut connection, "create the database", statement).await?;
            close(connection).await;
        }
        let mut connection = connect(self.port, &self.passwords, name)
            .await
            .map_err(failed("connect"))?;
        let statement = "create extension if not exists postgis".to_owned();
        execute(&mut connection, "add PostGIS", statement).await?;
        close(connection).await;
        Ok(())
    }

    /// Whether this database is there.
    ///
    /// # Errors
    /// When the cluster cannot be asked.
    pub async fn has_database(&self, name: &DatabaseName) -> Result<bool> {
        let mut connection = self.maintain().await?;
        let found = sqlx::query("select from pg_database where datname = $1")
            .bind(name.as_str())
            .fetch_optional(&mut connection)
            .await
            .map_err(failed("look for the database"))?;
        close(connection).await;
        Ok(found.is_some())
    }

    /// The names of all databases that begin so, in order.
    ///
    /// # Errors
    /// When the cluster cannot be asked.
    pub async fn databases_beginning(&self, prefix: &str) -> Result<Vec<String>> {
        let mut connection = self.maintain().await?;
        let statement = "select datname::text from pg_database
                         where starts_with(datname, $1) order by datname";
        let found: Vec<(String,)> = sqlx::query_as(statement)
            .bind(prefix)
            .fetch_all(&mut connection)
            .await
            .map_err(failed("list the databases"))?;
        close(connection).await;
        Ok(found.into_iter().map(|(name,)| name).collect())
    }

    /// Makes a copy of a database that nobody is connected to; connections that are just closing
    /// are waited for.
    ///
    /// # Errors
    /// When a statement fails, or the template stays in use.
    pub async fn clone_template(&self, template: &DatabaseName, name: &DatabaseName) -> Result<()> {
        let statement =
            format!("create database {name} owner {APPLICATION_ROLE} template {template}");
        self.when_unused("clone the template", statement).await
    }

    /// Gives a database that nobody is connected to another name.
    ///
    /// # Errors
    /// When a statement fails, or the database stays in use.
    pub async fn rename_database(&self, from: &DatabaseName, to: &DatabaseName) -> Result<()> {
        let statement = format!("alter database {from} rename to {to}");
        self.when_unused("rename the database", statement).await
    }

    /// Deletes a database, closing its connections.
    ///
    /// # Errors
    /// When a statement fails.
    pub async fn drop_database(&self, name: &DatabaseName) -> Result<()> {
        let mut connection = self.maintain().await?;
        let statement = format!("drop database if exists {name} with (force)");
        execute(&mut connection, "drop the database", statement).await?;
        close(connection).await;
        Ok(())
    }

    async fn when_unused(&self, action: &'static str, statement: String) -> Result<()> {
        let deadline = Instant::now() + TEMPLATE_FREE_WITHIN;
        let mut connection = self.maintain().await?;
        loop {
            match execute(&mut connection, action, statement.clone()).await {
                Err(PrivatePostgresError::Sql { source, .. })
                    if is_in_use(&source) && Instant::now() < deadline =>
                {
                    sleep(POLL_EVERY).await;
                }
                other => {
                    close(connection).await;
                    return other;
                }
            }
        }
    }

    pub(super) async fn ensure_application_role(&self) -> Result<()> {
        let mut connection = self.maintain().await?;
        let found = sqlx::query("select from pg_roles where rolname = $1")
            .bind(APPLICATION_ROLE)
            .fetch_optional(&mut connection)
            .await
            .map_err(failed("look for the role"))?;
        if found.is_none() {
            let password = &self.passwords.application;
            let statement = format!("create role {APPLICATION_ROLE} login password '{password}'");
            execute(&mut connection, "create the role", statement).await?;
        }
        close(connection).await;
        Ok(())
    }

    async fn maintain(&self) -> Result<PgConnection> {
        let name = DatabaseName::maintenance();
        connect(self.port, &self.passwords, &name)
            .await
            .map_err(failed("connect"))
    }
}

/// Whether a server on this port lets us in. An error only when it refuses our password for good.
pub(super) async fn answers(port: u16, passwords: &Passwords) -> Result<bool> {
    match connect(port, passwords, &DatabaseName::maintenance()).await {
        Ok(connection) => {
            close(connection).await;
            Ok(true)
        }
        // 28P01 invalid password, 28000 invalid authorization
        Err(sqlx::Error::Database(error))
            if matches!(error.code().as_deref(), Some("28P01" | "28000")) =>
        {
            Err(PrivatePostgresError::PasswordRefused { port })
        }
        Err(_) => Ok(false),
    }
}

async fn connect(
    port: u16,
    passwords: &Passwords,
    name: &DatabaseName,
) -> Result<PgConnection, sqlx::Error> {
    // Built without the environment's PG… variables, and without a log of statements: one of them
    // holds a password.
    let options = PgConnectOptions::new_without_pgpass()
        .host("127.0.0.1")
        .port(port)
        .username(ADMIN_ROLE)
        .password(&passwords.admin)
        .database(name.as_str())
        .ssl_mode(PgSslMode::Disable);
    let options = sqlx::ConnectOptions::disable_statement_logging(options);
    match timeout(CONNECT_WITHIN, PgConnection::connect_with(&options)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(sqlx::Error::PoolTimedOut),
    }
}

/// Says goodbye; a server that does not hear it notices the closed socket.
async fn close(connection: PgConnection) {
    if let Err(error) = connection.close().await {
        tracing::debug!(%error, "a connection for maintenance did not close in order");
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "names cannot be parameters; only checked names and our own passwords come here"
)]
async fn execute(
    connection: &mut PgConnection,
    action: &'static str,
    statement: String,
) -> Result<()> {
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement))
        .execute(connection)
        .await
        .map_err(failed(action))?;
    Ok(())
}

fn failed(action: &'static str) -> impl FnOnce(sqlx::Error) -> PrivatePostgresError {
    move |source| PrivatePostgresError::Sql { action, source }
}

/// 55006: object in use.
fn is_in_use(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .and_then(|error| error.code())
        .as_deref()
        == Some("55006")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_name_that_would_need_quotes_is_refused() {
        for good in ["counterpart", "t_12_3", "a"] {
            assert_eq!(good.parse::<DatabaseName>().unwrap().as_str(), good);
        }
        let long = "a".repeat(64);
        for bad in [
            "",
            "1a",
            "A",
            "a-b",
            "a\"b",
            "a b",
            "ä",
            "a;drop database b",
            long.as_str(),
        ] {
            assert!(bad.parse::<DatabaseName>().is_err(), "{bad}");
        }
    }
}
