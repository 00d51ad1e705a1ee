//! Postgres for tests: one cluster shared by all test processes of a run, one database per test.
//!
//! Each process that uses the cluster holds a shared lock on a file; the kernel lets go of it
//! however the process ends. A janitor, a small shell script in a process group of its own, waits
//! until nobody holds the lock for some seconds, then stops the server and deletes it. So nothing
//! is left running, and no test waits for a start that another one has done. A test that stops or
//! kills its server takes an [`OwnCluster`] instead.

use std::{
    fs::{self, File},
    os::unix::{
        fs::{MetadataExt, PermissionsExt},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result, ensure};
use hub::private_postgres::{
    ClusterAdmin, DatabaseName, PrivatePostgres, PrivatePostgresConfig, remove_cluster,
};
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;

const JANITOR: &str = include_str!("postgres_janitor.sh");
const EMPTY_TEMPLATE: &str = "empty_template";
/// Databases of tests begin so; then come their process id and a number.
const TEST_PREFIX: &str = "t_";
/// How many databases of ended processes are deleted for each new one, so that they never pile up.
const SWEPT_AT_ONCE: usize = 2;

static SHARED: OnceCell<TestPostgres> = OnceCell::const_new();
static NEXT_NUMBER: AtomicU32 = AtomicU32::new(0);

/// The cluster that all tests of a run share. It does not flush to disk.
#[derive(Debug)]
pub struct TestPostgres {
    admin: ClusterAdmin,
    base: PathBuf,
    /// Says to the janitor that somebody needs the cluster.
    _user: File,
}

impl TestPostgres {
    /// The shared cluster, started if this is the first test to need it.
    ///
    /// # Errors
    /// When there is no Postgres with PostGIS, or it does not start.
    pub async fn shared() -> Result<&'static Self> {
        SHARED.get_or_try_init(Self::join).await
    }

    async fn join() -> Result<Self> {
        let base = base_folder()?;
        let start = lock(&base, "start.lock", File::lock).await?;
        let user = lock(&base, "users.lock", File::lock_shared).await?;
        let data_dir = base.join("cluster");
        // First of all, so that it also cleans up after a start that was killed half-way.
        begin_janitor(&base, &data_dir)?;
        let admin = match ClusterAdmin::attach(&data_dir).await? {
            Some(admin) => admin,
            None => start_cluster(&data_dir).await?,
        };
        // Under the lock, so that two never make the template at once.
        admin.ensure_database(&EMPTY_TEMPLATE.parse()?).await?;
        drop(start);
        Ok(Self {
            admin,
            base,
            _user: user,
        })
    }

    /// The address of a new database with PostGIS and nothing else.
    ///
    /// # Errors
    /// When a statement fails.
    pub async fn fresh_database(&self) -> Result<String> {
        self.clone_of(&EMPTY_TEMPLATE.parse()?).await
    }

    /// The address of a new database that `prepare` has filled: for instance migrated. What
    /// `prepare` does is done once for each `key`, in a template that is cloned from then on, so
    /// the key must change with what it does. It must close its connections.
    ///
    /// # Errors
    /// When `prepare` or a statement fails.
    pub async fn prepared_database(
        &self,
        key: &str,
        prepare: impl AsyncFnOnce(&str) -> Result<()>,
    ) -> Result<String> {
        let digest = Sha256::digest(key.as_bytes());
        let digest: String = digest[..8]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let template: DatabaseName = format!("template_{digest}").parse()?;
        if !self.admin.has_database(&template).await? {
            let _only_one = lock(&self.base, "template.lock", File::lock).await?;
            if !self.admin.has_database(&template).await? {
                self.make_template(&template, prepare).await?;
            }
        }
        self.clone_of(&template).await
    }

    async fn make_template(
        &self,
        template: &DatabaseName,
        prepare: impl AsyncFnOnce(&str) -> Result<()>,
    ) -> Result<()> {
        let unfinished = new_name()?;
        self.admin
            .clone_template(&EMPTY_TEMPLATE.parse()?, &unfinished)
            .await?;
        prepare(&self.admin.database_url(&unfinished)).await?;
        self.admin.rename_database(&unfinished, template).await?;
        Ok(())
    }

    async fn clone_of(&self, template: &DatabaseName) -> Result<String> {
        self.sweep().await?;
        let name = new_name()?;
        self.admin.clone_template(template, &name).await?;
        Ok(self.admin.database_url(&name))
    }

    /// Deletes some databases whose tests have ended.
    async fn sweep(&self) -> Result<()> {
        let names = self.admin.databases_beginning(TEST_PREFIX).await?;
        for name in names
            .iter()
            .filter(|name| has_ended(name))
            .take(SWEPT_AT_ONCE)
        {
            // Another process may be deleting the very same one; then it is gone as wished.
            if let Err(error) = self.admin.drop_database(&name.parse()?).await {
                eprintln!("{name} was not deleted: {error}");
            }
        }
        Ok(())
    }
}

/// Whether the process in a database's name is gone.
fn has_ended(name: &str) -> bool {
    let pid = name
        .strip_prefix(TEST_PREFIX)
        .and_then(|rest| rest.split('_').next());
    pid.is_some_and(|pid| !Path::new("/proc").join(pid).exists())
}

fn new_name() -> Result<DatabaseName> {
    let number = NEXT_NUMBER.fetch_add(1, Ordering::Relaxed);
    // The time tells apart two processes that had the same id one after the other.
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    Ok(format!("{TEST_PREFIX}{}_{now_ms}_{number}", std::process::id()).parse()?)
}

async fn start_cluster(data_dir: &Path) -> Result<ClusterAdmin> {
    let config = PrivatePostgresConfig {
        fsync: false,
        max_connections: 300,
        ..PrivatePostgresConfig::new(data_dir)
    };
    PrivatePostgres::start(config).await?.leave_running();
    ClusterAdmin::attach(data_dir)
        .await?
        .context("the cluster for tests went away at once")
}

/// A folder that all our test processes know, that the server's account can enter, and that
/// nobody else has made.
fn base_folder() -> Result<PathBuf> {
    let uid = rustix::process::geteuid().as_raw();
    let base = std::env::temp_dir().join(format!("counterpart-test-postgres-{uid}"));
    match fs::create_dir(&base) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            return Err(error).with_context(|| format!("{} cannot be made", base.display()));
        }
        _ => {}
    }
    let metadata = fs::symlink_metadata(&base)?;
    ensure!(
        metadata.is_dir() && metadata.uid() == uid,
        "{} is another user's",
        base.display()
    );
    fs::set_permissions(&base, fs::Permissions::from_mode(0o755))?;
    Ok(base)
}

async fn lock(base: &Path, name: &str, take: fn(&File) -> std::io::Result<()>) -> Result<File> {
    let path = base.join(name);
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)?;
    let taken = tokio::task::spawn_blocking(move || take(&file).map(|()| file)).await?;
    taken.with_context(|| format!("{} cannot be locked", path.display()))
}

/// Starts a janitor unless one is at work. Two that start at once settle it between them.
fn begin_janitor(base: &Path, data_dir: &Path) -> Result<()> {
    let job = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(base.join("janitor.lock"))?;
    if job.try_lock().is_err() {
        return Ok(());
    }
    drop(job);
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", JANITOR, "janitor"])
        .arg(base)
        .arg(data_dir);
    command.current_dir("/").process_group(0);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // Not waited for: it outlives us on purpose, and init takes it over.
    drop(
        command
            .spawn()
            .context("the janitor could not be started")?,
    );
    Ok(())
}

/// Sees to it that the private cluster of one data directory ends with the test: removed when
/// dropped, and by a janitor when the test is killed. For hubs that run as child processes, too;
/// those must have ended when this is dropped.
#[derive(Debug)]
pub struct ClusterGuard {
    data_dir: PathBuf,
    _user: File,
}

impl ClusterGuard {
    /// Guards `data_dir`, which need not exist yet. `folder` does, and holds the locks.
    ///
    /// # Errors
    /// When the janitor cannot be started.
    pub async fn begin(folder: &Path, data_dir: &Path) -> Result<Self> {
        let user = lock(folder, "users.lock", File::lock_shared).await?;
        begin_janitor(folder, data_dir)?;
        Ok(Self {
            data_dir: data_dir.to_path_buf(),
            _user: user,
        })
    }
}

impl Drop for ClusterGuard {
    fn drop(&mut self) {
        if let Err(error) = remove_cluster(&self.data_dir) {
            eprintln!("the test's cluster was not removed: {error}");
        }
    }
}

/// A cluster of one test's own, which it may stop and kill. Removed when dropped.
#[derive(Debug)]
pub struct OwnCluster {
    // In the order in which they end.
    postgres: Option<PrivatePostgres>,
    _guard: ClusterGuard,
    _folder: tempfile::TempDir,
    config: PrivatePostgresConfig,
}

impl OwnCluster {
    /// Starts a cluster. With `fsync` off its start is faster and its crashes lose data.
    ///
    /// # Errors
    /// When there is no Postgres with PostGIS, or it does not start.
    pub async fn start(fsync: bool) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("counterpart-own-postgres-")
            .tempdir()?;
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
        let data_dir = folder.path().join("hub");
        let guard = ClusterGuard::begin(folder.path(), &data_dir).await?;
        let config = PrivatePostgresConfig {
            fsync,
            ..PrivatePostgresConfig::new(data_dir)
        };
        let postgres = PrivatePostgres::start(config.clone()).await?;
        Ok(Self {
            postgres: Some(postgres),
            _guard: guard,
            _folder: folder,
            config,
        })
    }

    /// The running cluster.
    ///
    /// # Errors
    /// While it is stopped.
    pub fn postgres(&self) -> Result<&PrivatePostgres> {
        self.postgres.as_ref().context("this cluster is stopped")
    }

    /// Stops it as a crash would (F-11). It stays down until [`OwnCluster::start_again`].
    ///
    /// # Errors
    /// When it is stopped already or does not end.
    pub async fn crash(&mut self) -> Result<()> {
        let postgres = self.postgres.take().context("this cluster is stopped")?;
        Ok(postgres.stop_immediate().await?)
    }

    /// Starts it on the port it had.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start_again(&mut self) -> Result<()> {
        self.postgres = Some(PrivatePostgres::start(self.config.clone()).await?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use sqlx::{Connection, PgConnection};

    use super::*;

    async fn count_tables(url: &str) -> i64 {
        let mut connection = PgConnection::connect(url).await.unwrap();
        let statement = "select count(*) from pg_tables where tablename = 'prepared'";
        let (count,): (i64,) = sqlx::query_as(statement)
            .fetch_one(&mut connection)
            .await
            .unwrap();
        connection.close().await.unwrap();
        count
    }

    #[tokio::test]
    async fn each_test_has_a_database_of_its_own() {
        let postgres = TestPostgres::shared().await.unwrap();
        let (one, other) = (
            postgres.fresh_database().await.unwrap(),
            postgres.fresh_database().await.unwrap(),
        );
        assert_ne!(one, other);
        assert_eq!(count_tables(&one).await, 0);
    }

    #[tokio::test]
    async fn a_prepared_database_is_prepared_once() {
        let postgres = TestPostgres::shared().await.unwrap();
        let key = format!("test of this very process: {}", std::process::id());
        for _ in 0..2 {
            let url = postgres
                .prepared_database(&key, async |url| {
                    let mut connection = PgConnection::connect(url).await?;
                    sqlx::query("create table prepared (v integer)")
                        .execute(&mut connection)
                        .await?;
                    connection.close().await?;
                    Ok(())
                })
                .await
                .unwrap();
            assert_eq!(count_tables(&url).await, 1);
        }
        let never = postgres.prepared_database(&key, async |_| anyhow::bail!("prepared twice"));
        never.await.unwrap();
    }

    #[tokio::test]
    async fn an_own_cluster_can_crash_and_come_back() {
        let mut cluster = OwnCluster::start(true).await.unwrap();
        let name: DatabaseName = "counterpart".parse().unwrap();
        cluster
            .postgres()
            .unwrap()
            .ensure_database(&name)
            .await
            .unwrap();
        let url = cluster.postgres().unwrap().database_url(&name);
        cluster.crash().await.unwrap();
        assert!(PgConnection::connect(&url).await.is_err());
        cluster.start_again().await.unwrap();
        assert_eq!(count_tables(&url).await, 0);
    }
}
