//! The hub's executable as a child process.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use rustix::process::Signal;
use serde_json::Value;
use sqlx::{Connection as _, PgConnection};

use super::chain::PASSWORD;
use super::chain::api::Api;
use super::chain::child::{Running, program, run, run_well, signal_to};
use super::chain::place::{Folder, Ports};
use super::edge::until_ready;
use super::postgres::{ClusterGuard, TestPostgres};

const READY_WITHIN: Duration = Duration::from_secs(120);

/// Whose Postgres a hub uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Database {
    /// A database of its own in the cluster that all tests share.
    Shared,
    /// The private cluster in its data directory, which the test may crash.
    Private,
}

/// A hub; its data outlive its process.
#[derive(Debug)]
pub struct Hub {
    // Ends before its cluster does.
    running: Option<Running>,
    program: PathBuf,
    dir: PathBuf,
    log: PathBuf,
    ports: Ports,
    database_url: Option<String>,
    flags: Vec<String>,
    _guard: Option<ClusterGuard>,
}

impl Hub {
    /// A hub with an empty data directory, not started yet.
    ///
    /// # Errors
    /// When there is no executable, no port or no database.
    pub async fn new(folder: &Folder, database: Database) -> Result<Self> {
        let dir = folder.path().join("hub");
        let (database_url, guard) = match database {
            Database::Shared => (
                Some(TestPostgres::shared().await?.fresh_database().await?),
                None,
            ),
            Database::Private => (None, Some(ClusterGuard::begin(folder.path(), &dir).await?)),
        };
        Ok(Self {
            running: None,
            program: program("hub")?,
            log: folder.path().join("hub.log"),
            dir,
            ports: Ports::reserve(1)?,
            database_url,
            flags: Vec::new(),
            _guard: guard,
        })
    }

    /// Has it serve with more flags from its next start on.
    pub fn serve_with(&mut self, flags: &[String]) {
        self.flags = flags.to_vec();
    }

    /// Where its pages and its API are.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.ports.address(0))
    }

    /// The same as an address (TCP).
    #[must_use]
    pub fn http(&self) -> SocketAddr {
        self.ports.address(0)
    }

    /// Where branches reach it (UDP).
    #[must_use]
    pub fn quic(&self) -> SocketAddr {
        self.ports.address(0)
    }

    /// Its data directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Starts it and waits until it answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn start(&mut self) -> Result<()> {
        let (listen, quic) = (self.http().to_string(), self.quic().to_string());
        let mut arguments = self.with_data(&["serve", "--listen", &listen, "--quic", &quic])?;
        arguments.extend(self.flags.iter().cloned());
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let mut running = Running::start("the hub", &self.program, &arguments, &self.log)?;
        let ready = until_ready(&self.url(), READY_WITHIN, &mut running).await;
        self.running = Some(running);
        ready
    }

    fn with_data(&self, arguments: &[&str]) -> Result<Vec<String>> {
        let mut all: Vec<String> = arguments
            .iter()
            .map(|&argument| argument.to_owned())
            .collect();
        all.extend(["--data".to_owned(), text(&self.dir)?]);
        if let Some(url) = &self.database_url {
            all.extend(["--database-url".to_owned(), url.clone()]);
        }
        Ok(all)
    }

    /// Asks it to stop and waits.
    ///
    /// # Errors
    /// When it does not stop in peace.
    pub async fn stop(&mut self) -> Result<()> {
        self.running
            .take()
            .context("the hub does not run")?
            .stop()
            .await
    }

    /// SIGKILL.
    ///
    /// # Errors
    /// When it did not run.
    pub async fn kill(&mut self) -> Result<()> {
        self.running
            .take()
            .context("the hub does not run")?
            .kill()
            .await
    }

    /// Runs one of its commands on its data.
    ///
    /// # Errors
    /// When it fails.
    pub async fn command(&self, arguments: &[&str], input: Option<&str>) -> Result<String> {
        let all = self.with_data(arguments)?;
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        run_well(&self.program, &all, input).await
    }

    /// Runs one of its commands on its data, whatever its exit code.
    ///
    /// # Errors
    /// When it cannot be run.
    pub async fn try_command(&self, arguments: &[&str]) -> Result<Output> {
        let all = self.with_data(arguments)?;
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        run(&self.program, &all, None).await
    }

    /// Adds a person who works for the whole chain, by the command.
    ///
    /// # Errors
    /// When it fails.
    pub async fn add_staff(&self, username: &str, role: &str) -> Result<()> {
        let arguments = [
            "staff",
            "add",
            "--username",
            username,
            "--name",
            username,
            "--role",
            role,
            "--password-file",
            "-",
        ];
        self.command(&arguments, Some(PASSWORD)).await.map(drop)
    }

    /// Signs in at it.
    ///
    /// # Errors
    /// When it says no.
    pub async fn api(&self, username: &str) -> Result<Api> {
        Api::sign_in(&self.url(), username, PASSWORD).await
    }

    /// What `verify --json` says, which must be that all is well.
    ///
    /// # Errors
    /// When it finds something.
    pub async fn verified(&self) -> Result<Value> {
        let all = self.with_data(&["verify", "--json"])?;
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        let output = run(&self.program, &all, None).await?;
        super::edge::content(&output)
    }

    /// A connection to its database.
    ///
    /// # Errors
    /// When there is none.
    pub async fn connect(&self) -> Result<PgConnection> {
        let url = match &self.database_url {
            Some(url) => url.clone(),
            None => self
                .command(&["database-url"], None)
                .await?
                .trim()
                .to_owned(),
        };
        Ok(PgConnection::connect(&url).await?)
    }

    /// Stops its private Postgres at once, as `pg_ctl stop -m immediate` does: no checkpoint, every connection torn.
    ///
    /// # Errors
    /// When it has none.
    pub fn crash_postgres(&self) -> Result<u32> {
        let pid = self.postmaster()?;
        signal_to(pid, Signal::QUIT);
        Ok(pid)
    }

    /// The process id of its private Postgres.
    ///
    /// # Errors
    /// When it has none.
    pub fn postmaster(&self) -> Result<u32> {
        let named = fs::read_to_string(self.dir.join("postgres-location"));
        let cluster = named.map_or_else(
            |_| self.dir.join("postgres"),
            |path| PathBuf::from(path.trim()),
        );
        let file = find_pid_file(&cluster)
            .with_context(|| format!("no postmaster.pid below {}", cluster.display()))?;
        let text = fs::read_to_string(&file)?;
        let pid = text.lines().next().context("an empty postmaster.pid")?;
        Ok(pid.trim().parse()?)
    }

    /// What it printed so far.
    ///
    /// # Errors
    /// When it never ran.
    pub fn output(&self) -> Result<String> {
        Ok(fs::read_to_string(&self.log)?)
    }

    /// Fails if it has ended by itself.
    ///
    /// # Errors
    /// When it has.
    pub fn check(&mut self) -> Result<()> {
        let running = self.running.as_mut();
        let running = running.context("the hub does not run")?;
        ensure!(running.pid() > 0, "the hub has no process");
        running.check()
    }
}

fn find_pid_file(folder: &Path) -> Option<PathBuf> {
    let here = folder.join("postmaster.pid");
    if here.is_file() {
        return Some(here);
    }
    let entries = fs::read_dir(folder).ok()?;
    entries
        .flatten()
        .map(|entry| entry.path().join("postmaster.pid"))
        .find(|path| path.is_file())
}

fn text(path: &Path) -> Result<String> {
    path.to_str()
        .map(str::to_owned)
        .with_context(|| format!("{} is not UTF-8", path.display()))
}
