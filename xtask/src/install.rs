//! `cargo xtask install`: Postgres with PostGIS, Chromium with its driver, npm, from Debian's packages.
//!
//! Looks first and does nothing when nothing is missing. Installs when it may (root, or sudo
//! without a password); otherwise says what to install and fails. Never starts a service: the
//! clusters of this project are private ones.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

/// The oldest Postgres whose SQL the hub uses.
const OLDEST_MAJOR: u32 = 15;
/// How long another package manager may keep its lock before we give up.
const LOCK_PATIENCE: Duration = Duration::from_secs(600);

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Also Chromium, its driver and npm, which only tests need
    #[arg(long)]
    browser: bool,
}

/// What a command needs from outside.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Need {
    /// Postgres server programs with PostGIS
    Database,
    /// Chromium, chromedriver and letters to show
    Browser,
    /// npm, from which tests take what judges pages and documents
    Npm,
    /// What makes pictures small
    Pngquant,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Missing {
    /// A server of this major is here, its PostGIS is not
    Postgis(u32),
    /// No server that is new enough
    Server,
    Package(&'static str),
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    if arguments.browser {
        ensure(&[Need::Database, Need::Browser, Need::Npm])?;
    } else {
        ensure(&[Need::Database])?;
    }
    eprintln!("xtask: everything needed is installed");
    Ok(())
}

/// Installs what is missing, or fails with the list of it.
pub(crate) fn ensure(needs: &[Need]) -> Result<()> {
    let machine = Machine::this();
    let missing = machine.missing(needs);
    if missing.is_empty() {
        return Ok(());
    }
    let Some(privilege) = Privilege::find() else {
        bail!(
            "something is missing, and this user may not install it. Have it installed with\n  \
             apt-get install --no-install-recommends {}\nand run this again",
            names(&missing, OLDEST_MAJOR).join(" ")
        );
    };
    eprintln!("xtask: installing what is missing (a minute or two)");
    apt_get(&privilege, &["update"])?;
    let packages = names(&missing, newest_major_on_offer());
    if missing.contains(&Missing::Server) {
        forbid_main_cluster(&privilege)?;
    }
    let mut call = vec!["install", "--yes", "--no-install-recommends"];
    call.extend(packages.iter().map(String::as_str));
    apt_get(&privilege, &call)?;
    let still_missing = machine.missing(needs);
    if !still_missing.is_empty() {
        bail!(
            "{} installed, but {still_missing:?} is still missing",
            packages.join(" ")
        );
    }
    Ok(())
}

/// Installs what is missing where that can be done; says why not otherwise, and what comes of it.
pub(crate) fn ensure_or_say(needs: &[Need], otherwise: &str) {
    for need in needs {
        if let Err(error) = ensure(&[*need]) {
            eprintln!("xtask: {error:#}\nxtask: going on without it; {otherwise}");
        }
    }
}

fn names(missing: &[Missing], newest_major: u32) -> Vec<String> {
    let mut names = Vec::new();
    for one in missing {
        match one {
            Missing::Postgis(major) => names.push(format!("postgresql-{major}-postgis-3")),
            Missing::Server => {
                names.push(format!("postgresql-{newest_major}"));
                names.push(format!("postgresql-{newest_major}-postgis-3"));
            }
            Missing::Package(name) => names.push((*name).to_owned()),
        }
    }
    names
}

/// Where programs lie: the file system's root and the search path. A value, so that tests can
/// make up a machine.
struct Machine {
    root: PathBuf,
    search_path: Vec<PathBuf>,
    chosen_bin: Option<PathBuf>,
}

impl Machine {
    fn this() -> Self {
        let search_path = std::env::var_os("PATH").unwrap_or_default();
        Self {
            root: PathBuf::from("/"),
            search_path: std::env::split_paths(&search_path).collect(),
            chosen_bin: std::env::var_os("COUNTERPART_POSTGRES_BIN").map(PathBuf::from),
        }
    }

    fn missing(&self, needs: &[Need]) -> Vec<Missing> {
        let mut missing = Vec::new();
        for need in needs {
            match need {
                Need::Database => missing.extend(self.missing_database()),
                Need::Browser => missing.extend(self.missing_browser()),
                Need::Npm => missing.extend(self.missing_program("npm", "npm")),
                Need::Pngquant => missing.extend(self.missing_program("pngquant", "pngquant")),
            }
        }
        missing
    }

    fn missing_browser(&self) -> Vec<Missing> {
        let mut missing: Vec<Missing> = [
            ("chromium", "chromium"),
            ("chromedriver", "chromium-driver"),
        ]
        .into_iter()
        .filter_map(|(program, package)| self.missing_program(program, package))
        .collect();
        // Without one there is nothing to read on any page, and nothing to measure.
        if !has_font(&self.root.join("usr/share/fonts")) {
            missing.push(Missing::Package("fonts-liberation"));
        }
        missing
    }

    fn missing_program(&self, program: &str, package: &'static str) -> Option<Missing> {
        let is_here = self
            .search_path
            .iter()
            .any(|folder| folder.join(program).is_file());
        (!is_here).then_some(Missing::Package(package))
    }

    fn missing_database(&self) -> Option<Missing> {
        if self.chosen_bin.as_deref().is_some_and(holds_server) {
            return None;
        }
        let majors = self.server_majors();
        if majors.iter().any(|major| self.has_postgis(*major)) {
            return None;
        }
        Some(
            majors
                .last()
                .map_or(Missing::Server, |major| Missing::Postgis(*major)),
        )
    }

    /// Majors with server programs, oldest first, from [`OLDEST_MAJOR`] on.
    fn server_majors(&self) -> Vec<u32> {
        let Ok(folders) = std::fs::read_dir(self.root.join("usr/lib/postgresql")) else {
            return Vec::new();
        };
        let mut majors: Vec<u32> = folders
            .flatten()
            .filter(|folder| holds_server(&folder.path().join("bin")))
            .filter_map(|folder| folder.file_name().to_str()?.parse().ok())
            .filter(|major| *major >= OLDEST_MAJOR)
            .collect();
        majors.sort_unstable();
        majors
    }

    fn has_postgis(&self, major: u32) -> bool {
        let extensions = format!("usr/share/postgresql/{major}/extension");
        self.root.join(extensions).join("postgis.control").is_file()
    }
}

fn has_font(folder: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return false;
    };
    entries.flatten().any(|entry| {
        let path = entry.path();
        let ending = path.extension().and_then(|ending| ending.to_str());
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        matches!(ending, Some("ttf" | "otf" | "ttc")) || is_folder && has_font(&path)
    })
}

fn holds_server(bin: &Path) -> bool {
    bin.join("initdb").is_file() && bin.join("postgres").is_file()
}

/// How we become root.
enum Privilege {
    Root,
    Sudo,
}

impl Privilege {
    fn find() -> Option<Self> {
        if rustix::process::geteuid().is_root() {
            return Some(Self::Root);
        }
        let sudo = Command::new("sudo")
            .args(["-n", "true"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        sudo.is_ok_and(|status| status.success())
            .then_some(Self::Sudo)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = match self {
            Self::Root => Command::new("env"),
            Self::Sudo => {
                let mut command = Command::new("sudo");
                command.args(["-n", "env"]);
                command
            }
        };
        command.args(["DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8", program]);
        command.stdin(Stdio::null());
        command
    }
}

fn apt_get(privilege: &Privilege, arguments: &[&str]) -> Result<()> {
    let started = Instant::now();
    loop {
        let mut command = privilege.command("apt-get");
        command.args(["-q", "-o", "DPkg::Lock::Timeout=300"]);
        command.args(["-o", "Dpkg::Options::=--force-confdef"]);
        command.args(["-o", "Dpkg::Options::=--force-confold"]);
        let output = command
            .args(arguments)
            .output()
            .context("apt-get could not be started")?;
        if output.status.success() {
            return Ok(());
        }
        // apt's own time-out covers one of its locks, not those of the package lists and archives.
        if !is_lock_held(&output) || started.elapsed() > LOCK_PATIENCE {
            bail!("apt-get {} failed:\n{}", arguments.join(" "), tail(&output));
        }
        eprintln!("xtask: another program is installing packages; waiting for it");
        std::thread::sleep(Duration::from_secs(3));
    }
}

fn is_lock_held(output: &Output) -> bool {
    let text = String::from_utf8_lossy(&output.stderr);
    [
        "Could not get lock",
        "Unable to lock",
        "Unable to acquire the dpkg frontend lock",
    ]
    .iter()
    .any(|sign| text.contains(sign))
}

fn tail(output: &Output) -> String {
    let text = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}

/// Debian's server package makes and starts a cluster of its own unless told not to.
fn forbid_main_cluster(privilege: &Privilege) -> Result<()> {
    let script = "f=/etc/postgresql-common/createcluster.conf; mkdir -p \"${f%/*}\"; \
        grep -qs '^create_main_cluster *= *false' \"$f\" || echo 'create_main_cluster = false' >> \"$f\"";
    let status = privilege.command("sh").args(["-c", script]).status();
    let is_written = status.context("sh could not be started")?.success();
    if !is_written {
        bail!("createcluster.conf below /etc/postgresql-common could not be written");
    }
    Ok(())
}

/// The newest major that Debian offers both server and PostGIS for.
fn newest_major_on_offer() -> u32 {
    let found = Command::new("apt-cache")
        .args(["--names-only", "search", "^postgresql-[0-9]+-postgis-3$"])
        .stdin(Stdio::null())
        .output();
    let text = found.map(|output| output.stdout).unwrap_or_default();
    newest_major_in(&String::from_utf8_lossy(&text)).unwrap_or(OLDEST_MAJOR)
}

fn newest_major_in(search_result: &str) -> Option<u32> {
    search_result
        .lines()
        .filter_map(|line| {
            line.strip_prefix("postgresql-")?
                .split('-')
                .next()?
                .parse()
                .ok()
        })
        .filter(|major| *major >= OLDEST_MAJOR)
        .max()
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        reason = "a test fails by panicking"
    )]

    use std::fs;

    use super::*;

    fn machine_with(files: &[&str]) -> (tempfile::TempDir, Machine) {
        let root = tempfile::tempdir().unwrap();
        for file in files {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let machine = Machine {
            root: root.path().to_path_buf(),
            search_path: vec![root.path().join("usr/bin")],
            chosen_bin: None,
        };
        (root, machine)
    }

    const SERVER_15: [&str; 2] = [
        "usr/lib/postgresql/15/bin/initdb",
        "usr/lib/postgresql/15/bin/postgres",
    ];

    #[test]
    fn an_empty_machine_needs_server_and_browser() {
        let (_root, machine) = machine_with(&[]);
        let missing = machine.missing(&[Need::Database, Need::Browser]);
        assert_eq!(
            names(&missing, 17),
            [
                "postgresql-17",
                "postgresql-17-postgis-3",
                "chromium",
                "chromium-driver",
                "fonts-liberation"
            ]
        );
    }

    #[test]
    fn a_server_that_is_there_gets_its_own_postgis() {
        let (_root, machine) = machine_with(&SERVER_15);
        let missing = machine.missing(&[Need::Database]);
        assert_eq!(names(&missing, 17), ["postgresql-15-postgis-3"]);
    }

    #[test]
    fn a_server_too_old_counts_for_nothing() {
        let (_root, machine) = machine_with(&[
            "usr/lib/postgresql/13/bin/initdb",
            "usr/lib/postgresql/13/bin/postgres",
            "usr/share/postgresql/13/extension/postgis.control",
        ]);
        assert_eq!(machine.missing(&[Need::Database]), [Missing::Server]);
    }

    #[test]
    fn a_complete_machine_needs_nothing() {
        let mut files = SERVER_15.to_vec();
        files.push("usr/share/postgresql/15/extension/postgis.control");
        files.extend(["usr/bin/chromium", "usr/bin/chromedriver"]);
        files.push("usr/share/fonts/truetype/dejavu/DejaVuSans.ttf");
        let (_root, machine) = machine_with(&files);
        assert_eq!(machine.missing(&[Need::Database, Need::Browser]), []);
    }

    #[test]
    fn the_newest_offer_is_taken() {
        let offer = "postgresql-15-postgis-3 - Geographic\npostgresql-17-postgis-3 - Geographic\n";
        assert_eq!(newest_major_in(offer), Some(17));
        assert_eq!(newest_major_in("postgresql-13-postgis-3 - old\n"), None);
    }
}
