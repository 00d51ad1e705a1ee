//! The hub's own Postgres cluster, kept in its data directory.
//!
//! Used when no database address is given, and by tests. The server listens on loopback only, with
//! passwords that lie in `secrets/`; it runs in a process group of its own, under the `postgres`
//! account when we are root. A cluster that outlived a killed hub is adopted, never refused.
//!
//! Never here: the hub's tables. Never in the server's log: a value of a statement (T-13).

mod account;
mod admin;
mod error;
mod password;
mod place;
mod postmaster;
mod programs;
mod settings;

use std::{
    fmt,
    fs::{self, File, TryLockError},
    future::Future,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::time::{Instant, sleep};

use self::{
    account::Account,
    error::io_error,
    password::Passwords,
    place::Place,
    postmaster::{Postmaster, RunningPostmaster},
    programs::Programs,
    settings::Settings,
};
pub use self::{
    admin::{ClusterAdmin, DatabaseName},
    error::PrivatePostgresError,
};

const POLL_EVERY: Duration = Duration::from_millis(20);
const WATCH_EVERY: Duration = Duration::from_millis(250);
const RESTART_AFTER_AT_MOST: Duration = Duration::from_secs(5);
const SERVER_LOG_LIMIT_BYTES: u64 = 8 * 1024 * 1024;

type Result<T, E = PrivatePostgresError> = std::result::Result<T, E>;

/// How a private cluster is to run.
#[derive(Clone, Debug)]
pub struct PrivatePostgresConfig {
    /// The hub's data directory. The cluster lies in `postgres/` below it, or, where the
    /// `postgres` account cannot enter that, at the path named in `postgres-location`.
    pub data_dir: PathBuf,
    /// Whether commits wait for the disk. Off only in tests.
    pub fsync: bool,
    /// The port on 127.0.0.1. `None`: the one used before when it is free, otherwise any.
    pub port: Option<u16>,
    /// Most connections that the server accepts at once.
    pub max_connections: u16,
    /// How long a start may take, crash recovery included.
    pub start_deadline: Duration,
}

impl PrivatePostgresConfig {
    /// A durable cluster below `data_dir`, on a port of its own choice.
    #[must_use]
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            fsync: true,
            port: None,
            max_connections: 100,
            start_deadline: Duration::from_secs(120),
        }
    }
}

/// A running private cluster. Dropped without a stop it is stopped fast, waiting a few seconds.
pub struct PrivatePostgres {
    config: PrivatePostgresConfig,
    programs: Programs,
    account: Account,
    place: Place,
    admin: ClusterAdmin,
    postmaster: Postmaster,
    was_adopted: bool,
    /// Held while this value lives, so that two hubs never share one directory.
    _lock: File,
}

impl PrivatePostgres {
    /// Makes the cluster if there is none, adopts it if it runs, starts it otherwise, and returns
    /// when it answers.
    ///
    /// # Errors
    /// Each way in which this can fail, with what to do about it in its text.
    pub async fn start(config: PrivatePostgresConfig) -> Result<Self> {
        let deadline = Instant::now() + config.start_deadline;
        fs::create_dir_all(&config.data_dir).map_err(io_error("make", &config.data_dir))?;
        let data_dir = config
            .data_dir
            .canonicalize()
            .map_err(io_error("resolve", &config.data_dir))?;
        let lock = lock(&data_dir)?;
        let account = Account::find()?;
        let newest = Programs::newest()?;
        let place = Place::settle(&data_dir, &account, &newest)?;
        let programs = match place.cluster_major()? {
            Some(major) => Programs::of_major(major)?,
            None => newest,
        };
        let passwords = Passwords::load_or_make(&data_dir, place.has_cluster())?;
        if !place.has_cluster() {
            place
                .make_cluster(&programs, &account, &passwords, config.fsync)
                .await?;
        }
        let mut cluster = Launch {
            config: &config,
            programs: &programs,
            account: &account,
            place: &place,
        };
        let adopted = cluster.adopt(&passwords, deadline).await?;
        let was_adopted = adopted.is_some();
        let (postmaster, port) = match adopted {
            Some(running) => running,
            None => cluster.launch(&passwords, deadline).await?,
        };
        let this = Self {
            config,
            programs,
            account,
            place,
            admin: ClusterAdmin::new(port, passwords),
            postmaster,
            was_adopted,
            _lock: lock,
        };
        this.admin.ensure_application_role().await?;
        Ok(this)
    }

    /// The port on 127.0.0.1 that the server listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.admin.port()
    }

    /// The postmaster's process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.postmaster.pid()
    }

    /// Whether the server was already running, left by an owner that was killed.
    #[must_use]
    pub fn was_adopted(&self) -> bool {
        self.was_adopted
    }

    /// The folder that the database's files lie in.
    #[must_use]
    pub fn cluster_dir(&self) -> PathBuf {
        self.place.data()
    }

    /// The settings it was started with.
    #[must_use]
    pub fn config(&self) -> &PrivatePostgresConfig {
        &self.config
    }

    /// What the cluster's superuser does.
    #[must_use]
    pub fn admin(&self) -> &ClusterAdmin {
        &self.admin
    }

    /// Address of a database for the program, with its password: never logged.
    #[must_use]
    pub fn database_url(&self, name: &DatabaseName) -> String {
        self.admin.database_url(name)
    }

    /// Makes this database, owned by the program's role and with PostGIS, if it is not there.
    ///
    /// # Errors
    /// When a statement fails.
    pub async fn ensure_database(&self, name: &DatabaseName) -> Result<()> {
        self.admin.ensure_database(name).await
    }

    /// Whether the postmaster is there.
    pub fn is_running(&mut self) -> bool {
        self.postmaster.is_alive()
    }

    /// Keeps the server running until `shutdown` is ready, then stops it fast. A server that went
    /// away is started again on its port, after 100 ms and up to 5 s between tries.
    ///
    /// # Errors
    /// When the last stop fails. A start that fails is logged and tried again.
    pub async fn keep_running(mut self, shutdown: impl Future<Output = ()>) -> Result<()> {
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => return self.stop_fast().await,
                () = self.gone() => {}
            }
            tracing::warn!(
                port = self.port(),
                "the private Postgres is gone; starting it again"
            );
            let mut pause = Duration::from_millis(100);
            while let Err(error) = self.restart().await {
                tracing::error!(%error, "the private Postgres does not start");
                tokio::select! {
                    () = &mut shutdown => return Ok(()),
                    () = sleep(pause) => {}
                }
                pause = (pause * 2).min(RESTART_AFTER_AT_MOST);
            }
        }
    }

    /// Starts a server that is not running, on the port it had.
    ///
    /// # Errors
    /// As for [`PrivatePostgres::start`].
    pub async fn restart(&mut self) -> Result<()> {
        if self.postmaster.is_alive() {
            return Ok(());
        }
        let deadline = Instant::now() + self.config.start_deadline;
        let config = PrivatePostgresConfig {
            port: Some(self.port()),
            ..self.config.clone()
        };
        let mut cluster = Launch {
            config: &config,
            programs: &self.programs,
            account: &self.account,
            place: &self.place,
        };
        let (postmaster, port) = match cluster.adopt(self.admin.passwords(), deadline).await? {
            Some(running) => running,
            None => cluster.launch(self.admin.passwords(), deadline).await?,
        };
        self.postmaster = postmaster;
        self.admin.set_port(port);
        Ok(())
    }

    /// Ready when the postmaster is gone. Also keeps its log below its limit.
    pub async fn gone(&mut self) {
        while self.postmaster.is_alive() {
            self.place.limit_log(SERVER_LOG_LIMIT_BYTES);
            sleep(WATCH_EVERY).await;
        }
    }

    /// Stops the server: connections are closed, what is committed is flushed.
    ///
    /// # Errors
    /// When it is still there after a minute of asking ever more firmly.
    pub async fn stop_fast(mut self) -> Result<()> {
        self.postmaster.stop(postmaster::Manner::Fast).await
    }

    /// Stops the server as a crash would: the next start recovers from its write-ahead log (F-11).
    ///
    /// # Errors
    /// As for [`PrivatePostgres::stop_fast`].
    pub async fn stop_immediate(mut self) -> Result<()> {
        self.postmaster.stop(postmaster::Manner::Immediate).await
    }

    /// Leaves the server running without an owner; the next start in this directory adopts it.
    pub fn leave_running(mut self) {
        self.postmaster.release();
    }
}

impl fmt::Debug for PrivatePostgres {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("PrivatePostgres")
            .field("cluster_dir", &self.place.data())
            .field("port", &self.port())
            .field("pid", &self.postmaster.pid())
            .finish_non_exhaustive()
    }
}

/// Stops whatever a killed owner left running for this data directory, without its password, and
/// says whether there was something. Blocks for some seconds: for harnesses and operators, not for
/// a running hub.
///
/// # Errors
/// When the place of the cluster cannot be read or its processes do not end.
pub fn stop_leftover(data_dir: &Path) -> Result<bool> {
    let Some(place) = Place::owned(data_dir)? else {
        return Ok(false);
    };
    postmaster::stop_all_in(&place.data())
}

/// Stops what runs for this data directory and deletes the cluster, wherever it lies.
///
/// # Errors
/// As for [`stop_leftover`], or when files cannot be deleted.
pub fn remove_cluster(data_dir: &Path) -> Result<()> {
    let Some(place) = Place::owned(data_dir)? else {
        return Ok(());
    };
    postmaster::stop_all_in(&place.data())?;
    place.delete(data_dir)
}

fn lock(data_dir: &Path) -> Result<File> {
    let path = data_dir.join("postgres.lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(io_error("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(PrivatePostgresError::InUse {
            data_dir: data_dir.to_path_buf(),
        }),
        Err(TryLockError::Error(source)) => Err(io_error("lock", &path)(source)),
    }
}

/// What a start works with before there is a server.
struct Launch<'a> {
    config: &'a PrivatePostgresConfig,
    programs: &'a Programs,
    account: &'a Account,
    place: &'a Place,
}

impl Launch<'_> {
    fn settings(&self, port: u16) -> Settings {
        Settings {
            port,
            fsync: self.config.fsync,
            max_connections: self.config.max_connections,
        }
    }

    /// A server of this cluster that already runs as we want it. One that runs otherwise (another
    /// port, older settings) is stopped; a lock file that only a reused process id keeps alive goes.
    async fn adopt(
        &mut self,
        passwords: &Passwords,
        deadline: Instant,
    ) -> Result<Option<(Postmaster, u16)>> {
        let data = self.place.data();
        let Some(RunningPostmaster {
            mut postmaster,
            port,
        }) = postmaster::running_in(&data)?
        else {
            return Ok(None);
        };
        let is_wanted = self.config.port.is_none_or(|wanted| wanted == port)
            && self.place.settings_are(&self.settings(port));
        if !is_wanted {
            postmaster.stop(postmaster::Manner::Fast).await?;
            return Ok(None);
        }
        loop {
            if postmaster.is_ready(port) && admin::answers(port, passwords).await? {
                return Ok(Some((postmaster, port)));
            }
            if !postmaster.is_alive() {
                return Ok(None);
            }
            if Instant::now() >= deadline {
                // It is alive and says nothing: stopping it is the only way to an answer.
                postmaster.stop(postmaster::Manner::Fast).await?;
                return Err(PrivatePostgresError::NotReady { port });
            }
            sleep(POLL_EVERY).await;
        }
    }

    async fn launch(
        &mut self,
        passwords: &Passwords,
        deadline: Instant,
    ) -> Result<(Postmaster, u16)> {
        let mut port = match self.config.port {
            Some(port) => port,
            None => self
                .place
                .previous_port()
                .filter(|port| is_free(*port))
                .map_or_else(free_port, Ok)?,
        };
        loop {
            self.place
                .write_settings(&self.settings(port), self.account)?;
            let log = self.place.begin_log()?;
            let mut postmaster =
                Postmaster::spawn(self.programs, self.account, &self.place.data(), log)?;
            match self
                .wait_until_ready(&mut postmaster, port, passwords, deadline)
                .await?
            {
                Readiness::Answers => return Ok((postmaster, port)),
                Readiness::PortTaken if self.config.port.is_none() => port = free_port()?,
                // Backends of a killed postmaster end by themselves within moments.
                Readiness::Hindered if Instant::now() < deadline => sleep(POLL_EVERY * 5).await,
                Readiness::PortTaken | Readiness::Hindered | Readiness::Ended => {
                    return Err(PrivatePostgresError::EndedEarly {
                        log: self.place.log_tail(),
                    });
                }
            }
        }
    }

    async fn wait_until_ready(
        &self,
        postmaster: &mut Postmaster,
        port: u16,
        passwords: &Passwords,
        deadline: Instant,
    ) -> Result<Readiness> {
        while Instant::now() < deadline {
            if !postmaster.is_alive() {
                return Ok(Readiness::after_end(&self.place.log_tail()));
            }
            if postmaster.is_ready(port) && admin::answers(port, passwords).await? {
                return Ok(Readiness::Answers);
            }
            sleep(POLL_EVERY).await;
        }
        postmaster.stop(postmaster::Manner::Immediate).await?;
        Err(PrivatePostgresError::NotReady { port })
    }
}

enum Readiness {
    Answers,
    PortTaken,
    Hindered,
    Ended,
}

impl Readiness {
    fn after_end(log: &str) -> Self {
        if log.contains("could not create any TCP/IP sockets") || log.contains("could not bind") {
            Self::PortTaken
        } else if log.contains("shared memory block") || log.contains("postmaster.pid") {
            Self::Hindered
        } else {
            Self::Ended
        }
    }
}

fn is_free(port: u16) -> bool {
    std::net::TcpListener::bind(("127.0.0.1", port)).is_ok()
}

fn free_port() -> Result<u16> {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0));
    listener
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|source| PrivatePostgresError::NoPort { source })
}
