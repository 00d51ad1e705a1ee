//! The program itself: served, asked, told to end.

use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::api_support::furnished_directory;
use crate::support::Branch;

fn program(branch: &Branch, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_edge-node"));
    command
        .args(arguments)
        .arg("--data")
        .arg(branch.path())
        .env_remove("COUNTERPART_CONFIG");
    command
}

fn run(branch: &Branch, arguments: &[&str]) -> Output {
    program(branch, arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A running server that does not outlive its test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn serve(branch: &Branch) -> Server {
    serve_with(branch, &["serve", "--listen", "127.0.0.1:0"])
}

fn serve_with(branch: &Branch, arguments: &[&str]) -> Server {
    let child = program(branch, arguments)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let server = Server(child);
    let until = Instant::now() + Duration::from_secs(30);
    while !branch.path().join("server.json").exists() {
        assert!(Instant::now() < until, "the server did not start");
        std::thread::sleep(Duration::from_millis(20));
    }
    server
}

#[test]
fn a_server_is_served_asked_and_told_to_end() {
    let branch = furnished_directory();
    let csv = branch.path().join("records.csv");
    let rows: String = (0..100)
        .map(|id| format!("{id},Test,Kettle,Fixed,Leaks\n"))
        .collect();
    std::fs::write(
        &csv,
        format!("id,data_provider,product_category,repair_status,problem\n{rows}"),
    )
    .unwrap();
    let file = csv.to_str().unwrap();
    let early = run(&branch, &["import", "ords", file]);
    assert!(
        !early.status.success() && text(&early.stderr).contains("no server runs"),
        "{early:?}"
    );

    let mut server = serve(&branch);
    let note = branch.path().join("server.json");
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&note).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let imported = run(&branch, &["import", "ords", file, "--json"]);
    assert!(imported.status.success(), "{}", text(&imported.stderr));
    let report: Value = serde_json::from_slice(&imported.stdout).unwrap();
    assert_eq!(report["created"], 100, "{report}");
    let exported = run(&branch, &["export", "orders", "--format", "jsonl"]);
    assert_eq!(text(&exported.stdout).lines().count(), 100);
    let verified = run(&branch, &["verify", "--json"]);
    assert!(verified.status.success(), "{}", text(&verified.stdout));
    let report: Value = serde_json::from_slice(&verified.stdout).unwrap();
    assert_eq!(
        (&report["ok"], &report["branch"]),
        (&Value::Bool(true), &Value::from("BER"))
    );
    let second = run(&branch, &["serve", "--listen", "127.0.0.1:0"]);
    assert!(
        !second.status.success() && text(&second.stderr).contains("another process"),
        "{second:?}"
    );
    assert!(!run(&branch, &["rebuild"]).status.success());

    let pid = rustix::process::Pid::from_child(&server.0);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert!(server.0.wait().unwrap().success());
    assert!(!note.exists());
    let exported = run(&branch, &["export", "orders"]);
    assert_eq!(text(&exported.stdout).lines().count(), 101);
    assert!(run(&branch, &["rebuild"]).status.success());
    assert!(run(&branch, &["verify"]).status.success());
    branch.tamper("delete from repair_order where rowid = 1");
    let verified = run(&branch, &["verify"]);
    assert!(
        !verified.status.success() && text(&verified.stdout).contains("repair_order"),
        "{verified:?}"
    );
}

#[test]
fn a_killed_servers_note_misleads_nobody() {
    let branch = furnished_directory();
    let mut server = serve(&branch);
    server.0.kill().unwrap();
    server.0.wait().unwrap();
    assert!(branch.path().join("server.json").exists());
    let exported = run(&branch, &["export", "stock"]);
    assert!(exported.status.success(), "{}", text(&exported.stderr));
    let imported = run(&branch, &["import", "ords", "Cargo.toml"]);
    assert!(
        text(&imported.stderr).contains("no server runs"),
        "{imported:?}"
    );
}

#[test]
fn what_makes_no_sense_is_refused_with_a_reason() {
    let branch = furnished_directory();
    let open = run(&branch, &["serve", "--listen", "0.0.0.0:0"]);
    assert!(
        !open.status.success() && text(&open.stderr).contains("--tls-cert"),
        "{open:?}"
    );
    let code = run(&branch, &["join", "127.0.0.1:1", "NOT-A-CODE"]);
    assert!(
        !code.status.success() && text(&code.stderr).contains("join code"),
        "{code:?}"
    );
    let config = branch.path().join("edge.toml");
    std::fs::write(&config, "lissten = \"127.0.0.1:1\"\n").unwrap();
    let misspelt = run(
        &branch,
        &["config", "print", "--config", config.to_str().unwrap()],
    );
    assert!(
        !misspelt.status.success() && text(&misspelt.stderr).contains("lissten"),
        "{misspelt:?}"
    );
    let shown = program(
        &branch,
        &["config", "print", "--json", "--host", "shop.test"],
    )
    .env("COUNTERPART_LISTEN", "127.0.0.1:9")
    .output()
    .unwrap();
    let values: Value = serde_json::from_slice(&shown.stdout).unwrap();
    assert_eq!(
        (&values["listen"], &values["hosts"][0]),
        (&"127.0.0.1:9".into(), &"shop.test".into())
    );
}

#[test]
fn pages_go_over_tls_when_there_is_a_certificate() {
    let branch = furnished_directory();
    let made = rcgen::generate_simple_self_signed(vec!["shop.test".to_owned()]).unwrap();
    let (cert, key) = (
        branch.path().join("cert.pem"),
        branch.path().join("key.pem"),
    );
    std::fs::write(&cert, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let port = free_port();
    let listen = format!("127.0.0.1:{port}");
    let _server = serve_with(
        &branch,
        &[
            "serve",
            "--listen",
            &listen,
            "--tls-cert",
            cert.to_str().unwrap(),
            "--tls-key",
            key.to_str().unwrap(),
            "--host",
            "shop.test",
        ],
    );
    let answer = ask_over_tls(&listen, made.cert.der().clone());
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("strict-transport-security"), "{answer}");
    let exported = run(&branch, &["export", "stock"]);
    assert!(exported.status.success(), "{}", text(&exported.stderr));
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn ask_over_tls(address: &str, root: rustls::pki_types::CertificateDer<'static>) -> String {
    use std::io::{Read, Write};
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = rustls::RootCertStore::empty();
    roots.add(root).unwrap();
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = "shop.test".try_into().unwrap();
    let mut session = rustls::ClientConnection::new(config.into(), name).unwrap();
    let mut socket = std::net::TcpStream::connect(address).unwrap();
    let mut stream = rustls::Stream::new(&mut session, &mut socket);
    let request = "GET /healthz HTTP/1.1\r\nhost: shop.test\r\nconnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    // A peer that closes without close_notify has still said what it had to say.
    drop(stream.read_to_string(&mut answer));
    answer
}
