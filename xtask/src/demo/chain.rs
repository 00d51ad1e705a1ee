//! A chain of real processes: one hub and its branches, started, cut, killed and started again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use fake_stripe::{FakeOptions, FakeStripe};
use serde_json::{Value, json};

use super::api::{Api, wait_until_ready};
use super::child::Running;
use super::place::{BranchPlace, DemoFile, HubPlace, Login, Ports, make_folder};

/// The password of every generated person; the demo listens on loopback only and says so.
pub(crate) const PASSWORD: &str = "counterpart-demo-2026";
const READY_WITHIN: Duration = Duration::from_secs(90);

/// The executables that the demo runs.
#[derive(Debug, Clone)]
pub(crate) struct Programs {
    pub(crate) hub: PathBuf,
    pub(crate) edge_node: PathBuf,
}

impl Programs {
    /// The executables beside this one.
    pub(crate) fn beside_this() -> Result<Self> {
        let this = std::env::current_exe()?;
        Self::in_folder(this.parent().context("this program lies in no folder")?)
    }

    /// The executables in a folder.
    pub(crate) fn in_folder(folder: &Path) -> Result<Self> {
        let programs = Self {
            hub: folder.join("hub"),
            edge_node: folder.join("edge-node"),
        };
        for program in [&programs.hub, &programs.edge_node] {
            if !program.is_file() {
                bail!(
                    "{} is missing: run without --no-build, or build it first",
                    program.display()
                );
            }
        }
        Ok(programs)
    }
}

/// What a branch is called and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct NewBranch {
    pub(crate) code: String,
    pub(crate) name: String,
    pub(crate) address: String,
    pub(crate) latitude: f64,
    pub(crate) longitude: f64,
}

/// One branch of the chain.
#[derive(Debug)]
pub(crate) struct Branch {
    pub(crate) code: String,
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) data_dir: PathBuf,
    running: Option<Running>,
}

/// The chain.
#[derive(Debug)]
pub(crate) struct Chain {
    pub(crate) folder: PathBuf,
    pub(crate) programs: Programs,
    ports: Ports,
    /// Where the double of the card provider listens.
    provider_port: u16,
    provider: Option<FakeStripe>,
    hub: Option<Running>,
    pub(crate) branches: Vec<Branch>,
    pub(crate) logins: Vec<Login>,
    /// One client for each person, so that a demo does not sign in again and again.
    people: Mutex<BTreeMap<(String, String), Arc<Api>>>,
}

impl Chain {
    /// A chain of so many branches; nothing of it runs yet.
    pub(crate) fn new(
        folder: &Path,
        ports: Ports,
        branches: usize,
        programs: Programs,
    ) -> Result<Self> {
        make_folder(folder)?;
        Ok(Self {
            folder: folder.to_path_buf(),
            programs,
            ports,
            provider_port: ports.branch(branches + 1),
            provider: None,
            hub: None,
            branches: Vec::new(),
            logins: Vec::new(),
            people: Mutex::default(),
        })
    }

    /// Takes branches and log-ins from an earlier `demo.json`.
    pub(crate) fn adopt(&mut self, file: &DemoFile) {
        for place in &file.branches {
            self.branches.push(Branch {
                code: place.code.clone(),
                name: place.name.clone(),
                url: place.url.clone(),
                data_dir: place.data_dir.clone(),
                running: None,
            });
        }
        self.logins.clone_from(&file.logins);
    }

    pub(crate) fn hub_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.hub_http())
    }

    pub(crate) fn hub_quic(&self) -> String {
        format!("127.0.0.1:{}", self.ports.hub_quic())
    }

    pub(crate) fn hub_dir(&self) -> PathBuf {
        self.folder.join("hub")
    }

    /// The double of the card provider, once the hub was started.
    pub(crate) fn provider(&self) -> Result<&FakeStripe> {
        self.provider
            .as_ref()
            .context("the double of the card provider does not run")
    }

    /// Starts the double of the card provider; the world outside runs on while the hub is away. Gives the files of its
    /// key and of its webhooks' secret.
    async fn start_provider(&mut self) -> Result<(String, String)> {
        let folder = self.folder.join("provider");
        std::fs::create_dir_all(&folder)?;
        let options = FakeOptions {
            listen: std::net::SocketAddr::from(([127, 0, 0, 1], self.provider_port)),
            webhook_url: Some(format!("{}/api/v1/webhooks/stripe", self.hub_url())),
            state: Some(folder.join("state.json")),
            ..FakeOptions::default()
        };
        let (key, webhook) = (folder.join("key"), folder.join("webhook"));
        std::fs::write(&key, &options.key)?;
        std::fs::write(&webhook, &options.webhook_secret)?;
        if self.provider.is_none() {
            self.provider = Some(FakeStripe::start(options).await?);
        }
        Ok((text(&key)?, text(&webhook)?))
    }

    /// Starts the hub and waits until it answers.
    pub(crate) async fn start_hub(&mut self) -> Result<()> {
        let (key, webhook) = self.start_provider().await?;
        let provider = self.provider()?.url();
        let listen = format!("127.0.0.1:{}", self.ports.hub_http());
        let (data, quic) = (text(&self.hub_dir())?, self.hub_quic());
        let arguments = [
            "serve",
            "--data",
            &data,
            "--listen",
            &listen,
            "--quic",
            &quic,
            "--stripe-key-file",
            &key,
            "--stripe-webhook-secret-file",
            &webhook,
            "--stripe-url",
            &provider,
        ];
        let mut running = Running::start(&self.folder, "hub", &self.programs.hub, &arguments)?;
        let ready = wait_until_ready(&self.hub_url(), READY_WITHIN, || running.check()).await;
        self.hub = Some(running);
        ready
    }

    /// Stops the hub and its Postgres.
    pub(crate) fn stop_hub(&mut self) -> Result<()> {
        self.hub.take().map_or(Ok(()), Running::stop)
    }

    pub(crate) fn hub_pid(&self) -> u32 {
        self.hub.as_ref().map_or(0, Running::pid)
    }

    /// Runs a command of the hub's executable on the hub's data; `input` goes to its standard input.
    pub(crate) fn hub_command(&self, arguments: &[&str], input: Option<&str>) -> Result<String> {
        let data = text(&self.hub_dir())?;
        let mut all = arguments.to_vec();
        all.extend(["--data", &data]);
        run(&self.programs.hub, &all, input)
    }

    /// Runs a command of the edge node's executable.
    pub(crate) fn edge_command(&self, arguments: &[&str]) -> Result<String> {
        run(&self.programs.edge_node, arguments, None)
    }

    /// Makes a branch at the hub, joins a machine to it by a real join code, and starts it.
    pub(crate) async fn add_branch(&mut self, operator: &Api, new: &NewBranch) -> Result<()> {
        self.join_branch(operator, new).await?;
        self.start_branch(self.branches.len() - 1).await
    }

    /// Makes a branch at the hub and joins a machine to it by a real join code.
    pub(crate) async fn join_branch(&mut self, operator: &Api, new: &NewBranch) -> Result<()> {
        let body = json!({
            "code": new.code, "name": new.name, "region": "demo", "address": new.address,
            "location": { "latitude": new.latitude, "longitude": new.longitude },
            "time_zone": "Europe/Berlin", "currency": "EUR", "capacity": 40,
        });
        let row = operator
            .post(
                "/api/v1/branches",
                &format!("demo-branch-{}", new.code),
                &body,
            )
            .await?;
        let id = row["id"]
            .as_str()
            .context("a branch without an id")?
            .to_owned();
        let code = operator
            .post(
                &format!("/api/v1/branches/{id}/join-codes"),
                &format!("demo-join-{}", new.code),
                &Value::Null,
            )
            .await?;
        let code = code["code"]
            .as_str()
            .context("a join code without a code")?
            .to_owned();
        let number = self.branches.len() + 1;
        let data_dir = self
            .folder
            .join(format!("branch-{}", new.code.to_lowercase()));
        self.edge_command(&["join", &self.hub_quic(), &code, "--data", &text(&data_dir)?])?;
        self.branches.push(Branch {
            code: new.code.clone(),
            name: new.name.clone(),
            url: format!("http://127.0.0.1:{}", self.ports.branch(number)),
            data_dir,
            running: None,
        });
        Ok(())
    }

    /// Starts a branch and waits until it answers.
    pub(crate) async fn start_branch(&mut self, index: usize) -> Result<()> {
        let branch = &self.branches[index];
        let listen = branch.url.trim_start_matches("http://").to_owned();
        let arguments = [
            "serve",
            "--data",
            &text(&branch.data_dir)?,
            "--listen",
            &listen,
        ];
        let name = format!("branch-{}", branch.code.to_lowercase());
        let mut running =
            Running::start(&self.folder, &name, &self.programs.edge_node, &arguments)?;
        let ready = wait_until_ready(&branch.url, READY_WITHIN, || running.check()).await;
        self.branches[index].running = Some(running);
        ready
    }

    /// SIGKILL to a branch.
    pub(crate) fn kill_branch(&mut self, index: usize) -> Result<()> {
        self.branches[index]
            .running
            .take()
            .map_or(Ok(()), Running::kill)
    }

    /// An error if anything that should run has ended by itself.
    pub(crate) fn check(&mut self) -> Result<()> {
        if let Some(hub) = &mut self.hub {
            hub.check()?;
        }
        self.branches
            .iter_mut()
            .filter_map(|branch| branch.running.as_mut())
            .try_for_each(Running::check)
    }

    /// Stops the branches, then the hub; goes on behind a failure and gives the first.
    pub(crate) fn stop(&mut self) -> Result<()> {
        let mut outcome = Ok(());
        for branch in &mut self.branches {
            if let Some(running) = branch.running.take() {
                outcome = outcome.and(running.stop());
            }
        }
        let outcome = outcome.and(self.stop_hub());
        self.provider = None;
        outcome
    }

    /// What `demo.json` says.
    pub(crate) fn file(&self) -> Result<DemoFile> {
        Ok(DemoFile {
            hub: HubPlace {
                url: self.hub_url(),
                quic: self.hub_quic(),
                data_dir: self.hub_dir(),
                pid: self.hub_pid(),
                database_url: self.hub_command(&["database-url"], None)?.trim().to_owned(),
            },
            branches: self
                .branches
                .iter()
                .map(|branch| BranchPlace {
                    code: branch.code.clone(),
                    name: branch.name.clone(),
                    url: branch.url.clone(),
                    data_dir: branch.data_dir.clone(),
                    pid: branch.running.as_ref().map_or(0, Running::pid),
                })
                .collect(),
            logins: self.logins.clone(),
        })
    }

    /// A client of the hub as the demo's person of `role`.
    pub(crate) fn hub_api(&self, role: &str) -> Result<Arc<Api>> {
        self.person(&self.hub_url(), self.login(role, "hub")?)
    }

    /// A client of a branch as its person of `role`.
    pub(crate) fn branch_api(&self, index: usize, role: &str) -> Result<Arc<Api>> {
        let branch = &self.branches[index];
        self.person(&branch.url, self.login(role, &branch.code)?)
    }

    fn person(&self, url: &str, login: &Login) -> Result<Arc<Api>> {
        let mut people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (url.to_owned(), login.username.clone());
        if let Some(known) = people.get(&key) {
            return Ok(Arc::clone(known));
        }
        let api = Arc::new(Api::new(url, &login.username, &login.password)?);
        people.insert(key, Arc::clone(&api));
        Ok(api)
    }

    pub(crate) fn login(&self, role: &str, place: &str) -> Result<&Login> {
        self.logins
            .iter()
            .find(|login| login.role == role && login.place == place)
            .with_context(|| format!("the demo has no {role} at {place}"))
    }
}

pub(crate) fn text(path: &Path) -> Result<String> {
    path.to_str()
        .map(str::to_owned)
        .with_context(|| format!("{} is not UTF-8", path.display()))
}

fn run(program: &Path, arguments: &[&str], input: Option<&str>) -> Result<String> {
    use std::io::Write as _;
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(if input.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("starting {}", program.display()))?;
    if let (Some(mut stdin), Some(input)) = (child.stdin.take(), input) {
        stdin.write_all(input.as_bytes())?;
    }
    let output = child.wait_with_output()?;
    let name = program.file_name().unwrap_or_default().to_string_lossy();
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!(
            "{name} {} ended with {}: {}",
            arguments.join(" "),
            output.status,
            said.trim()
        );
    }
    String::from_utf8(output.stdout).with_context(|| format!("{name} did not print UTF-8"))
}
