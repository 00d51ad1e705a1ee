//! The real program as a child process; it ends with this one.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::http::Connection;

pub struct Server {
    child: Child,
    pub address: SocketAddr,
    /// From the start of the process to the first whole page.
    pub first_page: Duration,
}

impl Server {
    pub fn start(program: &Path, data: &Path) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = port.local_addr().unwrap();
        drop(port);
        let begun = Instant::now();
        let child = Command::new(program)
            .args(["serve", "--data"])
            .arg(data)
            .args(["--listen", &address.to_string()])
            .env("COUNTERPART_LOG", "warn")
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut server = Self {
            child,
            address,
            first_page: Duration::ZERO,
        };
        while TcpStream::connect(address).is_err() {
            assert!(
                server.child.try_wait().unwrap().is_none(),
                "the program has ended"
            );
            assert!(
                begun.elapsed() < Duration::from_secs(60),
                "the program does not answer"
            );
            std::thread::sleep(Duration::from_millis(2));
        }
        let page = Connection::open(address).get("/sign-in");
        assert_eq!(page.status, 200);
        server.first_page = begun.elapsed();
        server
    }

    /// Resident memory and its peak, in MiB.
    pub fn memory_mib(&self) -> (f64, f64) {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let figure = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name)).unwrap();
            line.split_whitespace()
                .nth(1)
                .unwrap()
                .parse::<f64>()
                .unwrap()
                / 1_024.0
        };
        (figure("VmRSS"), figure("VmHWM"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        if let Err(error) = rustix::process::kill_process(pid, rustix::process::Signal::TERM) {
            eprintln!("pages: the program had ended already: {error}");
        }
        drop(self.child.wait());
    }
}
