//! The private cluster as real server processes: both kinds of account, closed parents, kills.
//!
//! Every test has a cluster of its own in a folder of its own, and leaves nothing running.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::{
    fs,
    net::TcpStream,
    os::unix::{
        fs::{MetadataExt, PermissionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use hub::private_postgres::{
    DatabaseName, PrivatePostgres, PrivatePostgresConfig, PrivatePostgresError, remove_cluster,
    stop_leftover,
};
use rustix::process::{Pid, Signal};
use sqlx::{Connection, PgConnection};

const OWNER_DIR: &str = "COUNTERPART_TEST_OWNER_DIR";
const OWNER_TASK: &str = "COUNTERPART_TEST_OWNER_TASK";

/// A data directory that is stopped and deleted with its cluster, however the test ends.
struct DataDir {
    path: PathBuf,
    _folder: tempfile::TempDir,
}

impl DataDir {
    fn with_mode(mode: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).unwrap();
        let path = folder.path().join("hub");
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        Self {
            path,
            _folder: folder,
        }
    }

    fn open() -> Self {
        Self::with_mode(0o755)
    }

    fn config(&self) -> PrivatePostgresConfig {
        PrivatePostgresConfig {
            fsync: false,
            ..PrivatePostgresConfig::new(&self.path)
        }
    }
}

impl Drop for DataDir {
    fn drop(&mut self) {
        remove_cluster(&self.path).expect("the cluster can be stopped and deleted");
    }
}

fn name(text: &str) -> DatabaseName {
    text.parse().unwrap()
}

async fn connect(url: &str) -> PgConnection {
    PgConnection::connect(url).await.unwrap()
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn port_answers(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

async fn assert_postgis_works(postgres: &PrivatePostgres) {
    postgres
        .ensure_database(&name("counterpart"))
        .await
        .unwrap();
    postgres
        .ensure_database(&name("counterpart"))
        .await
        .unwrap();
    let mut connection = connect(&postgres.database_url(&name("counterpart"))).await;
    // Berlin to Paris on the ellipsoid: 879 km.
    let (metres,): (f64,) = sqlx::query_as(
        "select st_distance('point(13.405 52.52)'::geography, 'point(2.352 48.857)'::geography)",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap();
    assert!((870_000.0..890_000.0).contains(&metres), "{metres}");
    connection.close().await.unwrap();
}

#[tokio::test]
async fn a_fresh_cluster_has_postgis_and_its_program_is_no_superuser() {
    let dir = DataDir::open();
    let postgres = PrivatePostgres::start(dir.config()).await.unwrap();
    assert_postgis_works(&postgres).await;

    let mut connection = connect(&postgres.database_url(&name("counterpart"))).await;
    let (is_superuser,): (bool,) =
        sqlx::query_as("select rolsuper from pg_roles where rolname = current_user")
            .fetch_one(&mut connection)
            .await
            .unwrap();
    assert!(!is_superuser);
    sqlx::query("create schema orders")
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();

    let port = postgres.port();
    assert!(port_answers(port));
    postgres.stop_fast().await.unwrap();
    assert!(!port_answers(port), "a stopped server leaves its port");
}

#[tokio::test]
async fn nobody_gets_in_without_the_password() {
    let dir = DataDir::open();
    let postgres = PrivatePostgres::start(dir.config()).await.unwrap();
    for role in ["postgres", "counterpart"] {
        let port = postgres.port();
        let url = format!("postgres://{role}:guess@127.0.0.1:{port}/postgres?sslmode=disable");
        let refused = PgConnection::connect(&url).await;
        assert!(
            matches!(refused, Err(sqlx::Error::Database(_))),
            "{role} got in"
        );
    }
    let secret = dir.path.join("secrets/postgres-passwords");
    assert_eq!(
        fs::metadata(secret).unwrap().permissions().mode() & 0o777,
        0o600
    );
    postgres.stop_fast().await.unwrap();
}

#[tokio::test]
async fn no_value_of_a_statement_reaches_the_servers_log() {
    let dir = DataDir::open();
    let postgres = PrivatePostgres::start(dir.config()).await.unwrap();
    postgres
        .ensure_database(&name("counterpart"))
        .await
        .unwrap();
    let mut connection = connect(&postgres.database_url(&name("counterpart"))).await;
    sqlx::query("create table t (v text unique)")
        .execute(&mut connection)
        .await
        .unwrap();
    let insert = "insert into t values ('canary-anna')";
    sqlx::query(insert).execute(&mut connection).await.unwrap();
    assert!(sqlx::query(insert).execute(&mut connection).await.is_err());
    let cast = sqlx::query("select $1::text::integer").bind("canary-anna");
    assert!(cast.execute(&mut connection).await.is_err());
    connection.close().await.unwrap();
    let log = dir.path.join("postgres/postgres.log");
    postgres.stop_fast().await.unwrap();
    let log = fs::read_to_string(log).unwrap();
    assert!(log.contains("database system is ready"), "{log}");
    assert!(!log.contains("canary"), "{log}");
}

#[tokio::test]
async fn a_folder_that_only_root_may_enter_has_its_cluster_elsewhere() {
    if !is_root() {
        eprintln!("skipped: only root has another account run the server");
        return;
    }
    let dir = DataDir::with_mode(0o700);
    let postgres = PrivatePostgres::start(dir.config()).await.unwrap();
    let cluster = postgres.cluster_dir();
    assert!(
        cluster.starts_with("/var/lib/counterpart-postgres"),
        "{}",
        cluster.display()
    );
    assert_postgis_works(&postgres).await;
    postgres.stop_fast().await.unwrap();

    // The next start finds it there again.
    let postgres = PrivatePostgres::start(dir.config()).await.unwrap();
    assert_eq!(postgres.cluster_dir(), cluster);
    assert!(
        postgres
            .admin()
            .has_database(&name("counterpart"))
            .await
            .unwrap()
    );
    postgres.stop_fast().await.unwrap();

    remove_cluster(&dir.path).unwrap();
    assert!(!cluster.exists());
}

#[tokio::test]
async fn a_copied_data_directory_never_runs_the_originals_cluster() {
    if !is_root() {
        eprintln!("skipped: only root has clusters outside the data directory");
        return;
    }
    let original = DataDir::with_mode(0o700);
    let postgres = PrivatePostgres::start(original.config()).await.unwrap();
    postgres.stop_fast().await.unwrap();

    let copy = DataDir::with_mode(0o700);
    fs::copy(
        original.path.join("postgres-location"),
        copy.path.join("postgres-location"),
    )
    .unwrap();
    let refused = PrivatePostgres::start(copy.config()).await;
    assert!(
        matches!(refused, Err(PrivatePostgresError::PlaceTaken { .. })),
        "{refused:?}"
    );
    // Nor does deleting the copy touch it.
    remove_cluster(&copy.path).unwrap();
    let postgres = PrivatePostgres::start(original.config()).await.unwrap();
    postgres.stop_fast().await.unwrap();
}

#[tokio::test]
async fn an_immediate_stop_loses_nothing_committed_and_keeps_the_port() {
    let dir = DataDir::open();
    let config = PrivatePostgresConfig::new(&dir.path);
    let postgres = PrivatePostgres::start(config.clone()).await.unwrap();
    postgres
        .ensure_database(&name("counterpart"))
        .await
        .unwrap();
    let url = postgres.database_url(&name("counterpart"));
    let mut connection = connect(&url).await;
    sqlx::query("create table t (v integer)")
        .execute(&mut connection)
        .await
        .unwrap();
    sqlx::query("insert into t values (42)")
        .execute(&mut connection)
        .await
        .unwrap();
    postgres.stop_immediate().await.unwrap();

    let postgres = PrivatePostgres::start(config).await.unwrap();
    assert!(!postgres.was_adopted());
    assert_eq!(postgres.database_url(&name("counterpart")), url);
    let mut connection = connect(&url).await;
    let (value,): (i32,) = sqlx::query_as("select v from t")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(value, 42);
    connection.close().await.unwrap();
    postgres.stop_fast().await.unwrap();
}

#[tokio::test]
async fn a_server_that_dies_is_started_again_on_its_port() {
    let dir = DataDir::open();
    let postgres = PrivatePostgres::start(dir.config()).await.unwrap();
    let (port, pid) = (postgres.port(), postgres.pid());
    let (shutdown, wait) = tokio::sync::oneshot::channel::<()>();
    let keeper = tokio::spawn(postgres.keep_running(async move {
        wait.await.unwrap();
    }));
    kill(pid, Signal::QUIT);
    let lock_file = dir.path.join("postgres/data/postmaster.pid");
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let now = fs::read_to_string(&lock_file)
            .ok()
            .and_then(|text| first_number(&text));
        if now.is_some_and(|now| now != pid) && port_answers(port) {
            break;
        }
        assert!(Instant::now() < deadline, "no new server");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    shutdown.send(()).unwrap();
    keeper.await.unwrap().unwrap();
    assert!(!port_answers(port));
}

#[tokio::test]
async fn a_server_whose_owner_was_killed_is_adopted() {
    let dir = DataDir::open();
    let mut owner = spawn_owner(&std::env::current_exe().unwrap(), &dir.path, "hold", None);
    let port = wait_for_report(&dir.path);
    owner.kill().unwrap();
    owner.wait().unwrap();
    assert!(port_answers(port), "the server outlives its killed owner");

    let postgres = PrivatePostgres::start(dir.config()).await.unwrap();
    assert!(postgres.was_adopted());
    assert_eq!(postgres.port(), port);
    assert_postgis_works(&postgres).await;
    postgres.stop_fast().await.unwrap();
    assert!(
        !port_answers(port),
        "an adopted server is stopped like one's own"
    );
}

#[tokio::test]
async fn a_leftover_is_stopped_without_its_password() {
    let dir = DataDir::open();
    assert!(!stop_leftover(&dir.path).unwrap());
    let postgres = PrivatePostgres::start(dir.config()).await.unwrap();
    let port = postgres.port();
    postgres.leave_running();
    assert!(port_answers(port));
    assert!(stop_leftover(&dir.path).unwrap());
    assert!(!port_answers(port));
}

#[tokio::test]
async fn a_killed_postmaster_and_a_stale_lock_file_hinder_no_start() {
    let dir = DataDir::open();
    let postgres = PrivatePostgres::start(dir.config()).await.unwrap();
    let pid = postgres.pid();
    kill(pid, Signal::KILL);
    drop(postgres);

    // At once, while backends of the killed one may still be there.
    let postgres = PrivatePostgres::start(dir.config()).await.unwrap();
    let pid = postgres.pid();
    let lock_file = dir.path.join("postgres/data/postmaster.pid");
    let text = fs::read_to_string(&lock_file).unwrap();
    postgres.stop_immediate().await.unwrap();

    // The number in the lock file now belongs to a process that is no server: ours.
    let reused = text.replacen(&pid.to_string(), &std::process::id().to_string(), 1);
    fs::write(&lock_file, reused).unwrap();
    let postgres = PrivatePostgres::start(dir.config()).await.unwrap();
    assert!(!postgres.was_adopted());
    postgres.stop_fast().await.unwrap();
}

#[tokio::test]
async fn two_clusters_run_side_by_side_and_one_directory_has_one_owner() {
    let (one, two) = (DataDir::open(), DataDir::open());
    let (first, second) = tokio::try_join!(
        PrivatePostgres::start(one.config()),
        PrivatePostgres::start(two.config())
    )
    .unwrap();
    assert_ne!(first.port(), second.port());
    let again = PrivatePostgres::start(one.config()).await;
    assert!(
        matches!(again, Err(PrivatePostgresError::InUse { .. })),
        "{again:?}"
    );
    first.stop_fast().await.unwrap();
    let port = second.port();
    assert!(port_answers(port));
    drop(second);
    assert!(
        !port_answers(port),
        "a dropped owner leaves nothing running"
    );
}

#[tokio::test]
async fn a_chosen_port_is_kept_to() {
    let dir = DataDir::open();
    let postgres = PrivatePostgres::start(dir.config()).await.unwrap();
    let first = postgres.port();
    postgres.leave_running();
    let chosen = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let config = PrivatePostgresConfig {
        port: Some(chosen),
        ..dir.config()
    };
    let postgres = PrivatePostgres::start(config).await.unwrap();
    assert!(
        !postgres.was_adopted(),
        "one that listens elsewhere is started again"
    );
    assert_eq!(postgres.port(), chosen);
    assert!(!port_answers(first));
    postgres.stop_fast().await.unwrap();

    let taken = std::net::TcpListener::bind(("127.0.0.1", chosen)).unwrap();
    let config = PrivatePostgresConfig {
        port: Some(chosen),
        ..dir.config()
    };
    let refused = PrivatePostgres::start(config).await;
    assert!(
        matches!(refused, Err(PrivatePostgresError::EndedEarly { .. })),
        "{refused:?}"
    );
    let postgres = PrivatePostgres::start(dir.config()).await.unwrap();
    assert_ne!(
        postgres.port(),
        chosen,
        "without a choice another one is taken"
    );
    drop(taken);
    postgres.stop_fast().await.unwrap();
}

#[tokio::test]
async fn a_template_is_cloned_with_what_it_holds() {
    let dir = DataDir::open();
    let postgres = PrivatePostgres::start(dir.config()).await.unwrap();
    let (template, copy) = (name("template"), name("copy"));
    postgres.ensure_database(&template).await.unwrap();
    let mut connection = connect(&postgres.database_url(&template)).await;
    let statement = "create table t (place geography(point))";
    sqlx::query(statement)
        .execute(&mut connection)
        .await
        .unwrap();
    // Not closed in order: the clone waits until the server has noticed.
    drop(connection);
    let before = Instant::now();
    postgres
        .admin()
        .clone_template(&template, &copy)
        .await
        .unwrap();
    eprintln!("clone: {:?}", before.elapsed());
    let mut connection = connect(&postgres.database_url(&copy)).await;
    let statement = "insert into t values ('point(1 2)')";
    sqlx::query(statement)
        .execute(&mut connection)
        .await
        .unwrap();
    postgres.admin().drop_database(&copy).await.unwrap();
    assert!(!postgres.admin().has_database(&copy).await.unwrap());
    postgres.stop_fast().await.unwrap();
}

#[test]
fn an_ordinary_user_runs_it_as_himself_below_his_own_closed_folder() {
    if !is_root() {
        eprintln!("skipped: the other tests have run as an ordinary user already");
        return;
    }
    // This very program, copied to where that user can start it.
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let program = folder.path().join("owner");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let nobody = (65_534, 65_534);
    let own = folder.path().join("own");
    fs::create_dir(&own).unwrap();
    fs::set_permissions(&own, fs::Permissions::from_mode(0o700)).unwrap();
    chown(&own, Some(nobody.0), Some(nobody.1)).unwrap();

    let mut owner = spawn_owner(&program, &own.join("hub"), "check", Some(nobody));
    assert!(owner.wait().unwrap().success());
    assert_eq!(
        fs::metadata(own.join("hub/postgres/data")).unwrap().uid(),
        nobody.0
    );
}

/// The other process of some tests, started by them as a child.
#[tokio::test]
#[ignore = "a child process of other tests"]
async fn owner_process() {
    let dir = PathBuf::from(std::env::var_os(OWNER_DIR).unwrap());
    let config = PrivatePostgresConfig {
        fsync: false,
        ..PrivatePostgresConfig::new(&dir)
    };
    let postgres = PrivatePostgres::start(config).await.unwrap();
    if std::env::var(OWNER_TASK).unwrap() == "check" {
        assert_postgis_works(&postgres).await;
        postgres.stop_fast().await.unwrap();
        return;
    }
    fs::write(dir.join("report.new"), postgres.port().to_string()).unwrap();
    fs::rename(dir.join("report.new"), dir.join("report")).unwrap();
    std::future::pending::<()>().await;
}

fn spawn_owner(program: &Path, data_dir: &Path, task: &str, account: Option<(u32, u32)>) -> Child {
    let mut command = Command::new(program);
    command
        .args(["--ignored", "--exact", "owner_process"])
        .current_dir("/");
    command
        .env(OWNER_DIR, data_dir)
        .env(OWNER_TASK, task)
        .stdin(Stdio::null());
    command.stdout(Stdio::null()).stderr(Stdio::inherit());
    if let Some((uid, gid)) = account {
        command.uid(uid).gid(gid);
    }
    command.spawn().unwrap()
}

fn wait_for_report(data_dir: &Path) -> u16 {
    let report = data_dir.join("report");
    let deadline = Instant::now() + Duration::from_secs(60);
    while !report.exists() {
        assert!(Instant::now() < deadline, "the owner does not report");
        std::thread::sleep(Duration::from_millis(20));
    }
    fs::read_to_string(report).unwrap().parse().unwrap()
}

fn first_number(text: &str) -> Option<u32> {
    text.lines().next()?.parse().ok()
}

fn kill(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(pid.try_into().unwrap()).unwrap();
    rustix::process::kill_process(pid, signal).unwrap();
}
