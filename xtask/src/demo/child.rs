//! The demo's processes: each in a group of its own, with its output in a file, stopped in order.
//!
//! What a demo that was killed left behind is found again by its pid file and the data folder in its command line;
//! no other process is ever signalled.

use std::fs::{File, OpenOptions};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

/// How long a process may take to stop by itself.
const STOP_WITHIN: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(20);

/// A running executable of the product.
#[derive(Debug)]
pub(crate) struct Running {
    name: String,
    child: Child,
    pid_file: PathBuf,
    log: PathBuf,
}

impl Running {
    /// Starts `program` with its output in `logs/NAME.log` and its pid in `NAME.pid` below `folder`.
    pub(crate) fn start(
        folder: &Path,
        name: &str,
        program: &Path,
        arguments: &[&str],
    ) -> Result<Self> {
        let logs = folder.join("logs");
        std::fs::create_dir_all(&logs)?;
        let log = logs.join(format!("{name}.log"));
        let output = append_to(&log)?;
        let child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .process_group(0)
            .spawn()
            .with_context(|| format!("starting {}", program.display()))?;
        let pid_file = folder.join(format!("{name}.pid"));
        std::fs::write(&pid_file, child.id().to_string())?;
        Ok(Self {
            name: name.to_owned(),
            child,
            pid_file,
            log,
        })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// An error with the end of its output, if it has ended by itself.
    pub(crate) fn check(&mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!(
                "{} ended ({status}): {}",
                self.name,
                last_lines(&self.log, 8)
            );
        }
        Ok(())
    }

    /// Asks it to stop and waits; kills it when it does not.
    pub(crate) fn stop(mut self) -> Result<()> {
        signal(self.child.id(), Signal::TERM);
        let until = Instant::now() + STOP_WITHIN;
        while Instant::now() < until {
            if let Some(status) = self.child.try_wait()? {
                forget(&self.pid_file);
                if !status.success() {
                    bail!(
                        "{} stopped with {status}: {}",
                        self.name,
                        last_lines(&self.log, 8)
                    );
                }
                return Ok(());
            }
            std::thread::sleep(POLL);
        }
        self.kill()?;
        bail!(
            "a process did not stop within {} s and was killed",
            STOP_WITHIN.as_secs()
        )
    }

    /// SIGKILL, and wait until it is gone.
    pub(crate) fn kill(mut self) -> Result<()> {
        signal(self.child.id(), Signal::KILL);
        self.child
            .wait()
            .with_context(|| format!("waiting for {}", self.name))?;
        forget(&self.pid_file);
        Ok(())
    }
}

fn append_to(log: &Path) -> Result<File> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(log)
        .with_context(|| format!("opening {}", log.display()))
}

fn forget(pid_file: &Path) {
    if let Err(error) = std::fs::remove_file(pid_file) {
        eprintln!("xtask: {} stays behind: {error}", pid_file.display());
    }
}

pub(crate) fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        // A process that is gone already needs no signal.
        kill_process(pid, signal).ok();
    }
}

/// The last lines of a log, on one line, for an error.
pub(crate) fn last_lines(log: &Path, count: usize) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join(" | ")
}

/// Stops what an earlier demo in `folder` left running: processes named by its pid files whose command line names
/// `folder`.
pub(crate) fn stop_left_over(folder: &Path) -> Result<()> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Ok(());
    };
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "pid") {
            continue;
        }
        let pid: Option<u32> = std::fs::read_to_string(&path)
            .ok()
            .and_then(|text| text.trim().parse().ok());
        if let Some(pid) = pid.filter(|pid| runs_in(*pid, folder)) {
            println!("stopping {} of an earlier demo (pid {pid})", path.display());
            signal(pid, Signal::TERM);
            if !gone_within(pid, folder, STOP_WITHIN) {
                signal(pid, Signal::KILL);
                gone_within(pid, folder, STOP_WITHIN);
            }
        }
        forget(&path);
    }
    Ok(())
}

fn gone_within(pid: u32, folder: &Path, within: Duration) -> bool {
    let until = Instant::now() + within;
    while runs_in(pid, folder) {
        if Instant::now() > until {
            return false;
        }
        std::thread::sleep(POLL);
    }
    true
}

/// Whether a living process of that pid has `folder` in its command line.
pub(crate) fn runs_in(pid: u32, folder: &Path) -> bool {
    let Ok(line) = std::fs::read(format!("/proc/{pid}/cmdline")) else {
        return false;
    };
    let line = String::from_utf8_lossy(&line).into_owned();
    !line.is_empty() && line.contains(&*folder.to_string_lossy())
}
