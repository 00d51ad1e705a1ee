//! The demo, as a person and as a script start it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::Signal;
use serde_json::Value;
use tests::process::chain::child::{program, run, run_well, signal_to};
use tests::process::chain::place::{Folder, Ports};
use tests::process::chain::wait::until;

use super::records::groups;

const FILLED_WITHIN: Duration = Duration::from_secs(240);
const ENDS_WITHIN: Duration = Duration::from_secs(60);

/// Who starts a demo, and where its executables lie.
struct Somebody {
    uid: u32,
    gid: u32,
    home: PathBuf,
    /// Deleted at the end, where the test has made it.
    account: Option<String>,
    _folder: Folder,
}

impl Somebody {
    /// Ourselves, with a home that nobody else may enter.
    fn ourselves() -> Result<Self> {
        let folder = Folder::new()?;
        let home = folder.path().join("own");
        fs::create_dir(&home)?;
        fs::set_permissions(&home, fs::Permissions::from_mode(0o700))?;
        let (uid, gid) = (
            rustix::process::geteuid().as_raw(),
            rustix::process::getegid().as_raw(),
        );
        Ok(Self {
            uid,
            gid,
            home,
            account: None,
            _folder: folder,
        })
    }

    /// A new account; only root can make one.
    async fn another() -> Result<Self> {
        let folder = Folder::new()?;
        let name = format!("cptest{}", std::process::id());
        let home = folder.path().join("home");
        let place = home.to_str().context("a folder with a name")?;
        let arguments = [
            "--create-home",
            "--home-dir",
            place,
            "--shell",
            "/bin/sh",
            &name,
        ];
        run_well(Path::new("useradd"), &arguments, None).await?;
        let mut somebody = Self {
            uid: 0,
            gid: 0,
            home,
            account: Some(name.clone()),
            _folder: folder,
        };
        fs::set_permissions(&somebody.home, fs::Permissions::from_mode(0o700))?;
        let number = async |flag| {
            Ok::<u32, anyhow::Error>(
                run_well(Path::new("id"), &[flag, &name], None)
                    .await?
                    .trim()
                    .parse()?,
            )
        };
        somebody.uid = number("-u").await?;
        somebody.gid = number("-g").await?;
        Ok(somebody)
    }

    /// Copies of the three executables in a folder of theirs.
    fn executables(&self) -> Result<PathBuf> {
        let folder = self.home.join("bin");
        fs::create_dir(&folder)?;
        for name in ["xtask", "hub", "edge-node"] {
            fs::copy(program(name)?, folder.join(name))?;
            std::os::unix::fs::chown(folder.join(name), Some(self.uid), Some(self.gid))?;
        }
        std::os::unix::fs::chown(&folder, Some(self.uid), Some(self.gid))?;
        Ok(folder)
    }

    /// Where the demo keeps its data: root's below /var/lib, everybody else's below their home.
    fn demo_folder(&self, port: u16) -> PathBuf {
        let root = if self.uid == 0 {
            PathBuf::from("/var/lib")
        } else {
            self.home.join(".local/state")
        };
        root.join("counterpart-demo").join(format!("port-{port}"))
    }
}

impl Drop for Somebody {
    fn drop(&mut self) {
        if let Some(name) = &self.account
            && let Err(error) = Command::new("userdel")
                .arg(name)
                .stderr(Stdio::null())
                .status()
        {
            eprintln!("the account {name} stays: {error}");
        }
    }
}

/// Goal: `xtask demo --no-build` works from a folder that only root can enter, and Ctrl-C leaves nothing (way 1 and 2
/// of what must work).
/// Method: copies of the three executables in a root-owned folder of mode 700; the demo fills itself and writes
/// demo.json; its addresses answer; SIGINT; then no process of it is there.
#[tokio::test]
async fn the_demo_runs_from_below_ones_own_closed_folder_and_ctrl_c_leaves_nothing() {
    demo_of(&Somebody::ourselves().unwrap()).await.unwrap();
}

/// Goal: the same for a user who is not root, below their own home. Skipped where we cannot make one.
#[tokio::test]
async fn the_demo_runs_as_another_user_from_below_their_home() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root can make another account");
        return;
    }
    match Somebody::another().await {
        Ok(somebody) => demo_of(&somebody).await.unwrap(),
        Err(reason) => eprintln!("skipped: no other account can be made: {reason:#}"),
    }
}

async fn demo_of(somebody: &Somebody) -> Result<()> {
    let ports = Ports::reserve(6)?;
    let folder = somebody.demo_folder(ports.first());
    let mut demo = Demo::start(somebody, &ports, &folder)?;
    let path = folder.join("demo.json");
    let file = until(
        "demo.json names a running demo",
        FILLED_WITHIN,
        async || {
            demo.check()?;
            let text = fs::read_to_string(&path).unwrap_or_default();
            let file: Value = serde_json::from_str(&text).unwrap_or_default();
            // Also written in the middle of the first fill; complete when the marker is there.
            Ok(
                if folder.join("filled").exists() && file["hub"]["pid"].as_u64() > Some(0) {
                    Ok(file)
                } else {
                    Err(text)
                },
            )
        },
    )
    .await?;
    let mut pids = vec![number(&file["hub"]["pid"])?];
    reachable(&file["hub"]["url"]).await?;
    let branches = file["branches"].as_array().context("branches")?;
    ensure!(branches.len() == 3, "three branches: {file}");
    for branch in branches {
        reachable(&branch["url"]).await?;
        pids.push(number(&branch["pid"])?);
    }
    let running = processes_of(&folder)?;
    ensure!(
        pids.iter().all(|pid| running.contains(pid)),
        "{pids:?} are not all among {running:?}"
    );
    signal_to(demo.child.id(), Signal::INT);
    let status = until("the demo ends after Ctrl-C", ENDS_WITHIN, async || {
        Ok(demo.child.try_wait()?.ok_or_else(|| "it runs".to_owned()))
    })
    .await?;
    ensure!(
        status.success(),
        "the demo ended with {status}: {}",
        demo.output()
    );
    let left = processes_of(&folder)?;
    ensure!(left.is_empty(), "left running: {left:?}");
    for port in 0..5 {
        let address = ports.address(port);
        ensure!(
            std::net::TcpListener::bind(address).is_ok(),
            "{address} is still taken"
        );
    }
    Ok(())
}

struct Demo {
    child: std::process::Child,
    log: PathBuf,
    folder: PathBuf,
}

impl Demo {
    fn start(somebody: &Somebody, ports: &Ports, folder: &Path) -> Result<Self> {
        let executables = somebody.executables()?;
        let log = somebody._folder.path().join("demo.log");
        let output = fs::File::create(&log)?;
        let mut command = Command::new(executables.join("xtask"));
        command
            .args([
                "demo",
                "--no-build",
                "--base-port",
                &ports.first().to_string(),
            ])
            .current_dir(&executables)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", &somebody.home)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output);
        if somebody.uid != rustix::process::geteuid().as_raw() {
            command.uid(somebody.uid).gid(somebody.gid);
        }
        Ok(Self {
            child: command.spawn()?,
            log,
            folder: folder.to_path_buf(),
        })
    }

    fn output(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn check(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            Some(status) => bail!("the demo ended with {status}: {}", self.output()),
            None => Ok(()),
        }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // After a failure: the demo, what it started, and what that started.
        if matches!(self.child.try_wait(), Ok(None)) {
            eprintln!("--- output of the demo:\n{}", self.output());
            signal_to(self.child.id(), Signal::INT);
            for _ in 0..600 {
                if matches!(self.child.try_wait(), Ok(Some(_))) {
                    break;
                }
                std::thread::sleep(Duration::from_millis(50));
            }
        }
        for pid in processes_of(&self.folder).unwrap_or_default() {
            signal_to(pid, Signal::KILL);
        }
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            eprintln!("{} stays: {error}", self.folder.display());
        }
    }
}

/// Processes with this folder in their command line.
fn processes_of(folder: &Path) -> Result<Vec<u32>> {
    let name = folder.to_str().context("a folder with a name")?;
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")?.flatten() {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<u32>().ok())
        else {
            continue;
        };
        // A process that is gone by now has no command line.
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        if pid != std::process::id() && String::from_utf8_lossy(&line).contains(name) {
            found.push(pid);
        }
    }
    Ok(found)
}

async fn reachable(url: &Value) -> Result<()> {
    let url = url.as_str().context("an address")?;
    let answer = reqwest::get(format!("{url}/readyz")).await?;
    ensure!(answer.status().is_success(), "{url}: {}", answer.status());
    Ok(())
}

fn number(pid: &Value) -> Result<u32> {
    Ok(u32::try_from(pid.as_u64().context("a process id")?)?)
}

/// A scripted run over a small generated file; gives its exit code and its report.
async fn scripted(more: &[&str]) -> Result<(Option<i32>, Value, String)> {
    let folder = Folder::new()?;
    let (records, report) = (
        folder.path().join("records.csv"),
        folder.path().join("report.json"),
    );
    fs::write(&records, groups(2, 90))?;
    let ports = Ports::reserve(5)?;
    let port = ports.first().to_string();
    let mut arguments = vec![
        "demo",
        "--scripted",
        "--no-build",
        "--branches",
        "2",
        "--base-port",
        &port,
    ];
    arguments.extend(["--repairs", records.to_str().context("a file with a name")?]);
    arguments.extend(["--report", report.to_str().context("a file with a name")?]);
    arguments.extend(more);
    let output = run(&program("xtask")?, &arguments, None).await?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let report = fs::read_to_string(&report).with_context(|| format!("no report: {said}"))?;
    Ok((output.status.code(), serde_json::from_str(&report)?, said))
}

/// Goal: an outage with a killed branch loses and doubles nothing, what was collected is paid, the night is green, and a
/// payment that is taken twice is named; all by the demo's own account.
/// Method: the scripted demo over 180 generated records in two groups.
#[tokio::test]
async fn the_scripted_demo_ends_well() {
    let (code, report, said) = scripted(&[]).await.unwrap();
    assert_eq!(code, Some(0), "{said}\n{report:#}");
    assert_eq!(report["ok"], true, "{report:#}");
    for (field, wanted) in [
        ("records_used", 180),
        ("orders_created", 180),
        ("orders_at_hub", 180),
        ("lost", 0),
    ] {
        assert_eq!(report[field], wanted, "{field}: {report:#}");
    }
    assert_eq!(report["duplicated"], 0, "{report:#}");
    let takings = &report["takings"];
    assert!(takings["promised"].as_u64() >= Some(1), "{report:#}");
    assert!(
        takings["sales"].as_u64() > takings["promised"].as_u64(),
        "{report:#}"
    );
    assert_eq!(report["reconciliation"]["state"], "green", "{report:#}");
    let checks = report["reconciliation"]["checks"].as_array().unwrap();
    assert_eq!(checks.len(), 13, "{report:#}");
    assert_eq!(report["planted_found"], true, "{report:#}");
    assert!(
        report["kill"]["in_flight"].as_u64() >= Some(4),
        "{report:#}"
    );
}

/// Goal: the check is not blind: each planted fault is found and shown by the right figure.
/// Method: a scripted run for each fault.
async fn planted(fault: &str, is_right: impl Fn(&Value) -> bool) {
    let (code, report, said) = scripted(&["--plant", fault]).await.unwrap();
    assert_eq!(code, Some(1), "{fault}: {said}\n{report:#}");
    assert_eq!(report["ok"], false, "{fault}: {report:#}");
    assert!(
        is_right(&report),
        "{fault} is not in its figure: {report:#}"
    );
}

fn is_found(report: &Value, words: &str) -> bool {
    report["findings"].to_string().contains(words)
}

/// See [`planted`].
#[tokio::test]
async fn a_lost_order_is_found() {
    planted("lose_order", |report| {
        report["lost"] == 1 && is_found(report, "repair_order")
    })
    .await;
}

/// See [`planted`].
#[tokio::test]
async fn a_doubled_order_is_found() {
    planted("double_order", |report| {
        report["duplicated"] == 1 && is_found(report, "repair_order")
    })
    .await;
}

/// See [`planted`].
#[tokio::test]
async fn a_flipped_byte_of_a_log_is_found() {
    planted("flip_log_byte", |report| {
        report["chains_intact"] == false && is_found(report, "G1")
    })
    .await;
}

/// See [`planted`].
#[tokio::test]
async fn a_movement_with_one_leg_is_found() {
    planted("one_leg_movement", |report| {
        report["stock_balanced"] == false && is_found(report, "G1")
    })
    .await;
}

/// See [`planted`].
#[tokio::test]
async fn an_edited_row_of_the_hub_is_found() {
    planted("edit_hub_row", |report| {
        is_found(report, "orders.repair_order")
    })
    .await;
}
