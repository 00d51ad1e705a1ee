//! One kept-alive connection, timed from the first byte of a request to the last byte of its answer. No client library
//! stands between, so that the figures are the server's.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// A connection of one person.
pub struct Connection {
    address: SocketAddr,
    stream: BufReader<TcpStream>,
    pub headers: String,
}

/// What came back.
pub struct Answer {
    pub status: u16,
    pub headers: String,
    pub body: Vec<u8>,
    pub took: Duration,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

impl Connection {
    pub fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        Self {
            address,
            stream: BufReader::with_capacity(256 * 1024, stream),
            headers: String::new(),
        }
    }

    pub fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, "", &[])
    }

    pub fn json(
        &mut self,
        method: &str,
        path: &str,
        key: &str,
        body: &serde_json::Value,
    ) -> Answer {
        let key = if key.is_empty() {
            String::new()
        } else {
            format!("Idempotency-Key: {key}\r\n")
        };
        let headers = format!("Content-Type: application/json\r\n{key}");
        self.send(method, path, &headers, body.to_string().as_bytes())
    }

    pub fn form(&mut self, path: &str, body: &str) -> Answer {
        let headers =
            "Content-Type: application/x-www-form-urlencoded\r\nSec-Fetch-Site: same-origin\r\n";
        self.send("POST", path, headers, body.as_bytes())
    }

    pub fn multipart(&mut self, path: &str, boundary: &str, body: &str) -> Answer {
        let headers = format!(
            "Content-Type: multipart/form-data; boundary={boundary}\r\nSec-Fetch-Site: same-origin\r\n"
        );
        self.send("POST", path, &headers, body.as_bytes())
    }

    fn send(&mut self, method: &str, path: &str, more: &str, body: &[u8]) -> Answer {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\n{}{more}Content-Length: {}\r\n\r\n",
            self.address,
            self.headers,
            body.len()
        );
        let bytes = [request.as_bytes(), body].concat();
        let begun = Instant::now();
        self.stream.get_mut().write_all(&bytes).unwrap();
        let (status, headers) = self.head();
        let body = self.body(&headers);
        let answer = Answer {
            status,
            took: begun.elapsed(),
            headers,
            body,
        };
        if answer.header("connection") == Some("close") {
            let headers = std::mem::take(&mut self.headers);
            *self = Self::open(self.address);
            self.headers = headers;
        }
        answer
    }

    fn head(&mut self) -> (u16, String) {
        let mut headers = String::new();
        loop {
            let mut line = String::new();
            let read = self.stream.read_line(&mut line).unwrap();
            assert!(read > 0, "the server closed the connection");
            if line == "\r\n" {
                break;
            }
            headers.push_str(&line);
        }
        let status = headers
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        (status.unwrap(), headers)
    }

    fn body(&mut self, headers: &str) -> Vec<u8> {
        let find = |name: &str| {
            headers.lines().find_map(|line| {
                let (found, value) = line.split_once(':')?;
                found
                    .eq_ignore_ascii_case(name)
                    .then(|| value.trim().to_owned())
            })
        };
        if let Some(length) = find("content-length") {
            let mut body = vec![0; length.parse().unwrap()];
            self.stream.read_exact(&mut body).unwrap();
            return body;
        }
        let mut body = Vec::new();
        if find("transfer-encoding").is_none() {
            return body;
        }
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line).unwrap();
            let length = usize::from_str_radix(line.trim(), 16).unwrap();
            let mut chunk = vec![0; length + 2];
            self.stream.read_exact(&mut chunk).unwrap();
            if length == 0 {
                return body;
            }
            body.extend_from_slice(&chunk[..length]);
        }
    }
}
