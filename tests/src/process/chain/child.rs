//! One program of the product as a child of the test.
//!
//! Children stay in the test's process group, so that whoever ends the test ends them. A signal goes to the child's id
//! and to nobody else.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::AsyncWriteExt as _;

/// How long a program may take to stop when asked.
const STOP_WITHIN: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(5);
/// How long a command may take.
const COMMAND_WITHIN: Duration = Duration::from_secs(120);
/// How much of a program's output a failed test shows.
const SHOWN_LINES: usize = 12;

/// The folder of the executables: `target/PROFILE`, found from the test's own place in `target/PROFILE/deps`.
fn program_folder() -> Result<PathBuf> {
    let test = std::env::current_exe()?;
    let folder = test.parent().and_then(Path::parent);
    Ok(folder
        .context("the test lies in no target folder")?
        .to_path_buf())
}

/// An executable of the workspace.
///
/// # Errors
/// When it is not built.
pub fn program(name: &str) -> Result<PathBuf> {
    let path = program_folder()?.join(name);
    ensure!(
        path.is_file(),
        "{} is missing: `cargo xtask test` builds it first, as does `cargo build --bins`",
        path.display()
    );
    Ok(path)
}

/// A running program with its output in a file.
#[derive(Debug)]
pub struct Running {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Running {
    /// Starts a program; its output goes behind what is in `log` already.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(name: &str, program: &Path, arguments: &[&str], log: &Path) -> Result<Self> {
        let output = OpenOptions::new().create(true).append(true).open(log)?;
        let mut command = Command::new(program);
        without_settings(&mut command);
        let child = command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .with_context(|| format!("starting {}", program.display()))?;
        Ok(Self {
            name: name.to_owned(),
            child,
            log: log.to_path_buf(),
        })
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its peak of resident memory in KiB so far.
    ///
    /// # Errors
    /// When it is gone.
    pub fn peak_memory_kib(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let figure = line.and_then(|line| line.split_whitespace().next());
        Ok(figure.context("no peak memory in /proc")?.parse()?)
    }

    /// Makes the present memory the peak.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn reset_peak_memory(&self) -> Result<()> {
        std::fs::write(format!("/proc/{}/clear_refs", self.pid()), "5")
            .context("resetting the peak of memory")
    }

    /// Everything that it printed so far.
    ///
    /// # Errors
    /// When the file is gone.
    pub fn output(&self) -> Result<String> {
        Ok(std::fs::read_to_string(&self.log)?)
    }

    /// An error with the end of its output, if it has ended by itself.
    ///
    /// # Errors
    /// When it has ended.
    pub fn check(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            Some(status) => bail!("{} ended ({status}):\n{}", self.name, last_lines(&self.log)),
            None => Ok(()),
        }
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        signal_to(self.pid(), signal);
    }

    /// Waits until it ends by itself.
    ///
    /// # Errors
    /// When it does not in time.
    pub async fn wait(&mut self, within: Duration) -> Result<ExitStatus> {
        let end = Instant::now() + within;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            ensure!(
                Instant::now() < end,
                "{} has not ended within {} s:\n{}",
                self.name,
                within.as_secs(),
                last_lines(&self.log)
            );
            tokio::time::sleep(POLL).await;
        }
    }

    /// Asks it to stop and waits until it has.
    ///
    /// # Errors
    /// When it does not stop in time, or not in peace.
    pub async fn stop(mut self) -> Result<()> {
        self.signal(Signal::TERM);
        let status = self.wait(STOP_WITHIN).await?;
        ensure!(
            status.success(),
            "{} stopped with {status}:\n{}",
            self.name,
            last_lines(&self.log)
        );
        Ok(())
    }

    /// SIGKILL, and waits until it is gone.
    ///
    /// # Errors
    /// When it does not end.
    pub async fn kill(mut self) -> Result<()> {
        self.signal(Signal::KILL);
        self.wait(STOP_WITHIN).await.map(drop)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        if self.child.kill().is_ok()
            && let Err(error) = self.child.wait()
        {
            eprintln!("{}: {error}", self.name);
        }
        // The runner shows this for a failed test only.
        eprintln!(
            "--- end of the output of {}:\n{}",
            self.name,
            last_lines(&self.log)
        );
    }
}

/// Sends a signal to one process.
pub fn signal_to(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        // A process that is gone already needs no signal.
        kill_process(pid, signal).ok();
    }
}

/// Nothing that the developer has set for the programs may reach those of a test.
fn without_settings(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("COUNTERPART_") {
            command.env_remove(name);
        }
    }
}

/// Runs a command to its end, whatever its exit code.
///
/// # Errors
/// When it cannot be started or does not end in time.
pub async fn run(program: &Path, arguments: &[&str], input: Option<&str>) -> Result<Output> {
    let mut command = Command::new(program);
    without_settings(&mut command);
    command
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.stdin(if input.is_some() {
        Stdio::piped()
    } else {
        Stdio::null()
    });
    let mut child = tokio::process::Command::from(command)
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("starting {}", program.display()))?;
    if let (Some(mut stdin), Some(input)) = (child.stdin.take(), input) {
        stdin.write_all(input.as_bytes()).await?;
    }
    let output = tokio::time::timeout(COMMAND_WITHIN, child.wait_with_output()).await;
    Ok(output.with_context(|| format!("{} {arguments:?} does not end", program.display()))??)
}

/// Runs a command that must succeed; gives what it prints.
///
/// # Errors
/// When it fails.
pub async fn run_well(program: &Path, arguments: &[&str], input: Option<&str>) -> Result<String> {
    let output = run(program, arguments, input).await?;
    let name = program.file_name().unwrap_or_default().to_string_lossy();
    ensure!(
        output.status.success(),
        "{name} {} ended with {}: {}{}",
        arguments.join(" "),
        output.status,
        String::from_utf8_lossy(&output.stderr),
        String::from_utf8_lossy(&output.stdout)
    );
    Ok(String::from_utf8(output.stdout)?)
}

/// Installs a package of npm below a folder that has its `package.json`; nothing of the package runs on the way.
///
/// # Errors
/// When it cannot be had.
pub async fn npm_install(folder: &Path, package: &str) -> Result<()> {
    let place = folder.to_str().context("a folder with a name")?;
    let arguments = [
        "install",
        "--prefix",
        place,
        "--no-audit",
        "--no-fund",
        "--ignore-scripts",
        package,
    ];
    run_well(Path::new("npm"), &arguments, None).await.map(drop)
}

fn last_lines(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n")
}
