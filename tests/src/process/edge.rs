//! A branch's executable as a child process.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

use super::chain::PASSWORD;
use super::chain::api::{Api, client};
use super::chain::child::{Running, program, run};
use super::chain::place::{Folder, Ports};
use super::chain::wait::until;

const READY_WITHIN: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(20);

/// A branch; its data outlive its process.
#[derive(Debug)]
pub struct Edge {
    /// The branch's code.
    pub code: String,
    /// The branch's id.
    pub branch_id: String,
    running: Option<Running>,
    program: PathBuf,
    dir: PathBuf,
    log: PathBuf,
    ports: Ports,
}

impl Edge {
    /// A machine without data.
    ///
    /// # Errors
    /// When there is no executable or no port.
    pub fn new(folder: &Folder, code: &str, branch_id: &str) -> Result<Self> {
        let name = format!("branch-{}", code.to_lowercase());
        Ok(Self {
            code: code.to_owned(),
            branch_id: branch_id.to_owned(),
            running: None,
            program: program("edge-node")?,
            dir: folder.path().join(&name),
            log: folder.path().join(format!("{name}.log")),
            ports: Ports::reserve(1)?,
        })
    }

    /// Where its pages and its API are.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.ports.address(0))
    }

    /// Its data directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Joins it to the branch that the code was made for.
    ///
    /// # Errors
    /// When the hub says no.
    pub async fn join(&self, hub: &str, code: &str) -> Result<()> {
        let output = try_join(&self.dir, hub, code).await?;
        ensure!(
            output.status.success(),
            "joining {}: {}",
            self.code,
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(())
    }

    /// Starts it and waits until it answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn start(&mut self) -> Result<()> {
        let (data, listen) = (text(&self.dir)?, self.ports.address(0).to_string());
        let arguments = ["serve", "--data", &data, "--listen", &listen];
        let name = format!("branch {}", self.code);
        let mut running = Running::start(&name, &self.program, &arguments, &self.log)?;
        let ready = until_ready(&self.url(), READY_WITHIN, &mut running).await;
        self.running = Some(running);
        ready
    }

    /// Asks it to stop and waits.
    ///
    /// # Errors
    /// When it does not stop in peace.
    pub async fn stop(&mut self) -> Result<()> {
        self.running
            .take()
            .context("the branch does not run")?
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
            .context("the branch does not run")?
            .kill()
            .await
    }

    /// Its process.
    ///
    /// # Errors
    /// When it does not run.
    pub fn running(&mut self) -> Result<&mut Running> {
        self.running.as_mut().context("the branch does not run")
    }

    /// Signs in.
    ///
    /// # Errors
    /// When it says no.
    pub async fn api(&self, username: &str) -> Result<Api> {
        Api::sign_in(&self.url(), username, PASSWORD).await
    }

    /// Signs in as soon as the branch knows this person. Asks the branch's table first, because the branch itself slows
    /// down who guesses.
    ///
    /// # Errors
    /// When it does not hear of them in time.
    pub async fn api_when_known(&self, username: &str, within: Duration) -> Result<Api> {
        until(
            &format!("{} hears of {username}", self.code),
            within,
            async || {
                Ok(if self.knows(username)? {
                    Ok(())
                } else {
                    Err("a stranger".to_owned())
                })
            },
        )
        .await?;
        self.api(username).await
    }

    /// Whether the branch's tables have this person's name and password.
    ///
    /// # Errors
    /// When its database cannot be read.
    pub fn knows(&self, username: &str) -> Result<bool> {
        let question = "select count(*) from staff join credential using (id) where username = ?1";
        let known: i64 = self
            .database()?
            .query_row(question, [username], |row| row.get(0))?;
        Ok(known > 0)
    }

    /// Its database, to be read beside it.
    ///
    /// # Errors
    /// When it does not open.
    pub fn database(&self) -> Result<Connection> {
        let path = self.dir.join("counterpart.db");
        let database = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY)
            .with_context(|| format!("opening {}", path.display()))?;
        database.busy_timeout(Duration::from_secs(10))?;
        Ok(database)
    }

    /// What `verify --json` says, which must be that all is well.
    ///
    /// # Errors
    /// When it finds something.
    pub async fn verified(&self) -> Result<Value> {
        let data = text(&self.dir)?;
        let output = run(&self.program, &["verify", "--json", "--data", &data], None).await?;
        content(&output).with_context(|| format!("verifying {}", self.code))
    }

    /// What it printed so far.
    ///
    /// # Errors
    /// When it never ran.
    pub fn output(&self) -> Result<String> {
        Ok(fs::read_to_string(&self.log)?)
    }
}

/// Runs `edge-node join`, whatever comes of it.
///
/// # Errors
/// When it cannot be run.
pub async fn try_join(dir: &Path, hub: &str, code: &str) -> Result<Output> {
    run(
        &program("edge-node")?,
        &["join", hub, code, "--data", &text(dir)?],
        None,
    )
    .await
}

/// The JSON of a `verify` that found nothing.
pub(super) fn content(output: &Output) -> Result<Value> {
    let said: Value = serde_json::from_slice(&output.stdout).with_context(|| {
        format!(
            "verify gave no JSON: {}",
            String::from_utf8_lossy(&output.stderr)
        )
    })?;
    ensure!(
        output.status.success() && said["ok"] == true,
        "verify ended with {}: {said:#}",
        output.status
    );
    Ok(said)
}

/// Waits until a program answers 200 on its readiness route.
pub(super) async fn until_ready(url: &str, within: Duration, running: &mut Running) -> Result<()> {
    let http = client()?;
    let end = Instant::now() + within;
    loop {
        running.check()?;
        let seen = match http.get(format!("{url}/readyz")).send().await {
            Ok(answer) if answer.status().is_success() => return Ok(()),
            Ok(answer) => format!(
                "{} {}",
                answer.status(),
                answer.text().await.unwrap_or_default()
            ),
            Err(error) => error.to_string(),
        };
        if Instant::now() > end {
            bail!(
                "{url} was not ready within {} s: {seen}\n{}",
                within.as_secs(),
                running.output()?
            );
        }
        tokio::time::sleep(POLL).await;
    }
}

fn text(path: &Path) -> Result<String> {
    path.to_str()
        .map(str::to_owned)
        .with_context(|| format!("{} is not UTF-8", path.display()))
}
