//! Chromium over WebDriver, as far as first paint needs it.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::http::Connection;

/// A browser that is signed in.
pub struct Browser {
    driver: Child,
    wire: Connection,
    session: String,
    process: Option<rustix::process::Pid>,
    server: SocketAddr,
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let mut files = std::env::split_paths(&path).map(|folder| folder.join(name));
    files.find(|file| file.is_file())
}

impl Browser {
    /// Starts one, if there is one, and signs a person in.
    pub fn start(server: SocketAddr, (user, password): (&str, &str), place: &Path) -> Option<Self> {
        let (driver, chromium) = on_path("chromedriver").zip(on_path("chromium"))?;
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let driver = Command::new(driver)
            .arg(format!("--port={}", port.port()))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while TcpStream::connect(port).is_err() {
            assert!(
                begun.elapsed() < Duration::from_secs(30),
                "chromedriver does not answer"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        let mut browser = Self {
            driver,
            wire: Connection::open(port),
            session: String::new(),
            process: None,
            server,
        };
        let profile = format!("--user-data-dir={}", place.join("profile").display());
        let switches = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--window-size=1366,768",
            &profile,
        ];
        let wish = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": { "binary": chromium, "args": switches },
        } } });
        let opened = browser.wire.json("POST", "/session", "", &wish).json();
        browser.session = opened["value"]["sessionId"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        browser.process = opened["value"]["capabilities"]["goog:processID"]
            .as_i64()
            .and_then(|pid| rustix::process::Pid::from_raw(i32::try_from(pid).ok()?));
        assert!(!browser.session.is_empty(), "{opened}");
        browser.open("/sign-in");
        browser.ask(&format!(
            "document.querySelector('[name=username]').value = '{user}';
             document.querySelector('[name=password]').value = '{password}';
             document.querySelector('[name=password]').form.submit();"
        ));
        let begun = Instant::now();
        while browser.ask("return location.pathname + document.readyState")
            == json!("/sign-incomplete")
        {
            assert!(
                begun.elapsed() < Duration::from_secs(30),
                "the browser does not sign in"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(browser)
    }

    fn command(&mut self, command: &str, body: &Value) -> Value {
        let path = format!("/session/{}/{command}", self.session);
        self.wire.json("POST", &path, "", body).json()["value"].take()
    }

    /// Goes to an address of the server.
    pub fn open(&mut self, address: &str) {
        let url = format!("http://{}{address}", self.server);
        self.command("url", &json!({ "url": url }));
    }

    /// What a script gives.
    pub fn ask(&mut self, script: &str) -> Value {
        self.command("execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// What a script gives to its last argument, which is a function, when it is done.
    pub fn ask_later(&mut self, script: &str) -> Value {
        self.command("execute/async", &json!({ "script": script, "args": [] }))
    }

    /// Milliseconds from the start of the navigation to the first paint with something in it.
    pub fn first_paint_ms(&mut self, address: &str) -> Option<f64> {
        self.open(address);
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(5) {
            let found = self.ask("return performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null");
            if let Some(at_ms) = found.as_f64() {
                return Some(at_ms);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        None
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // A driver that is killed leaves its browser behind.
        if let Some(process) = self.process
            && let Err(error) =
                rustix::process::kill_process(process, rustix::process::Signal::KILL)
        {
            eprintln!("pages: the browser had ended already: {error}");
        }
        drop(self.driver.kill());
        drop(self.driver.wait());
    }
}
