//! What the operator decides: a TOML file, the environment over it, flags over that.
//!
//! Unknown keys of the file are refused, so that a typing error never silently means the default. Nothing here holds
//! a secret: keys and certificates lie in files that are only named.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Deserialize;
use thiserror::Error;
use web_kit::serve::TlsFiles;
use web_kit::telemetry::LogFormat;

/// Where a branch listens when nobody says otherwise.
pub const DEFAULT_LISTEN: &str = "127.0.0.1:8101";
const DEFAULT_FILTER: &str = "info";

/// What is wrong with the configuration.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{path}: {source}")]
    Read {
        /// Which file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("{path}: {reason}")]
    Parse {
        /// Which file.
        path: String,
        /// Where and why.
        reason: String,
    },
    /// Nobody said where the data lie.
    #[error(
        "name the data directory by --data DIR, COUNTERPART_DATA or `data` in the configuration file"
    )]
    NoData,
    /// Of certificate and key only one is named.
    #[error("--tls-cert and --tls-key belong together: name both or neither")]
    HalfTls,
    /// Pages and passwords would go over the network in clear (T-9).
    #[error(
        "{listen} can be reached from other machines: listening beyond loopback needs --tls-cert and --tls-key"
    )]
    OpenWithoutTls {
        /// The address that was asked for.
        listen: SocketAddr,
    },
}

/// Options that every command takes.
#[derive(Debug, Clone, Default, Args)]
pub struct CommonOptions {
    /// Configuration file (TOML); its keys are shown by `config print`
    #[arg(long, global = true, value_name = "FILE", env = "COUNTERPART_CONFIG")]
    pub config: Option<PathBuf>,
    /// Data directory of this branch machine
    #[arg(long, global = true, value_name = "DIR", env = "COUNTERPART_DATA")]
    pub data: Option<PathBuf>,
    /// What is logged, as in `info` or `warn,edge_node=debug`
    #[arg(long, global = true, value_name = "FILTER", env = "COUNTERPART_LOG")]
    pub log: Option<String>,
    /// How log lines look
    #[arg(
        long,
        global = true,
        value_name = "FORMAT",
        env = "COUNTERPART_LOG_FORMAT"
    )]
    pub log_format: Option<LogFormat>,
}

/// Options of `serve`.
#[derive(Debug, Clone, Default, Args)]
pub struct ServeOptions {
    /// Address for pages and API [default: 127.0.0.1:8101]; beyond loopback only with --tls-cert and --tls-key
    #[arg(long, value_name = "ADDR", env = "COUNTERPART_LISTEN")]
    pub listen: Option<SocketAddr>,
    /// Address for /healthz, /readyz and /metrics alone [default: beside the pages]
    #[arg(long, value_name = "ADDR", env = "COUNTERPART_OBSERVE_LISTEN")]
    pub observe_listen: Option<SocketAddr>,
    /// A name under which browsers reach this machine, beside the loopback names; may be repeated
    #[arg(
        long = "host",
        value_name = "NAME",
        env = "COUNTERPART_HOSTS",
        value_delimiter = ','
    )]
    pub hosts: Option<Vec<String>>,
    /// Certificate chain for HTTPS (PEM)
    #[arg(long, value_name = "FILE", env = "COUNTERPART_TLS_CERT")]
    pub tls_cert: Option<PathBuf>,
    /// Its private key (PEM)
    #[arg(long, value_name = "FILE", env = "COUNTERPART_TLS_KEY")]
    pub tls_key: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfigFile {
    data: Option<PathBuf>,
    listen: Option<SocketAddr>,
    observe_listen: Option<SocketAddr>,
    hosts: Option<Vec<String>>,
    tls_cert: Option<PathBuf>,
    tls_key: Option<PathBuf>,
    log: Option<String>,
    log_format: Option<LogFormat>,
}

/// The effective configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The data directory, where it was named.
    pub data: Option<PathBuf>,
    /// Address for pages and API.
    pub listen: SocketAddr,
    /// Address for health and metrics alone; none for beside the pages.
    pub observe_listen: Option<SocketAddr>,
    /// Names under which browsers reach this machine, beside the loopback names.
    pub hosts: Vec<String>,
    /// Certificate and key for HTTPS.
    pub tls: Option<TlsFiles>,
    /// What is logged.
    pub log: String,
    /// How log lines look.
    pub log_format: LogFormat,
}

impl Config {
    /// Reads the file that the options name and puts the options over it.
    ///
    /// # Errors
    /// When the file does not read, has an unknown key, or the whole makes no sense.
    pub fn load(common: &CommonOptions, serve: &ServeOptions) -> Result<Self, ConfigError> {
        let file = match &common.config {
            Some(path) => read_file(path)?,
            None => ConfigFile::default(),
        };
        let cert = serve.tls_cert.clone().or(file.tls_cert);
        let key = serve.tls_key.clone().or(file.tls_key);
        let tls = match (cert, key) {
            (Some(cert), Some(key)) => Some(TlsFiles { cert, key }),
            (None, None) => None,
            _ => return Err(ConfigError::HalfTls),
        };
        let listen = serve.listen.or(file.listen).unwrap_or_else(default_listen);
        Ok(Self {
            data: common.data.clone().or(file.data),
            listen,
            observe_listen: serve.observe_listen.or(file.observe_listen),
            hosts: serve.hosts.clone().or(file.hosts).unwrap_or_default(),
            tls,
            log: common
                .log
                .clone()
                .or(file.log)
                .unwrap_or_else(|| DEFAULT_FILTER.to_owned()),
            log_format: common.log_format.or(file.log_format).unwrap_or_default(),
        })
    }

    /// The data directory.
    ///
    /// # Errors
    /// When nobody named one.
    pub fn data(&self) -> Result<&Path, ConfigError> {
        self.data.as_deref().ok_or(ConfigError::NoData)
    }

    /// Refuses to serve pages in clear beyond this machine.
    ///
    /// # Errors
    /// When the address is not loopback and there is no certificate.
    pub fn check_listen(&self) -> Result<(), ConfigError> {
        if self.tls.is_some() || self.listen.ip().is_loopback() {
            Ok(())
        } else {
            Err(ConfigError::OpenWithoutTls {
                listen: self.listen,
            })
        }
    }

    /// The effective values by key, as in the file. There is no secret among them.
    pub fn shown(&self) -> BTreeMap<&'static str, serde_json::Value> {
        let path = |path: Option<&PathBuf>| path.map(|path| path.display().to_string());
        BTreeMap::from([
            ("data", path(self.data.as_ref()).into()),
            ("listen", self.listen.to_string().into()),
            (
                "observe_listen",
                self.observe_listen.map(|addr| addr.to_string()).into(),
            ),
            ("hosts", self.hosts.clone().into()),
            (
                "tls_cert",
                path(self.tls.as_ref().map(|tls| &tls.cert)).into(),
            ),
            (
                "tls_key",
                path(self.tls.as_ref().map(|tls| &tls.key)).into(),
            ),
            ("log", self.log.clone().into()),
            (
                "log_format",
                serde_json::to_value(self.log_format).unwrap_or_default(),
            ),
        ])
    }
}

fn default_listen() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 8101))
}

fn read_file(path: &Path) -> Result<ConfigFile, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
        path: path.display().to_string(),
        source,
    })?;
    toml::from_str(&text).map_err(|error| ConfigError::Parse {
        path: path.display().to_string(),
        reason: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        reason = "a test fails by panicking"
    )]

    use super::*;

    fn with_file(text: &str, serve: &ServeOptions) -> Result<Config, ConfigError> {
        let dir = std::env::temp_dir().join(format!(
            "counterpart-config-{}-{}",
            std::process::id(),
            text.len()
        ));
        std::fs::create_dir_all(&dir).unwrap();
        let path = dir.join("edge.toml");
        std::fs::write(&path, text).unwrap();
        let common = CommonOptions {
            config: Some(path),
            ..CommonOptions::default()
        };
        let loaded = Config::load(&common, serve);
        std::fs::remove_dir_all(&dir).unwrap();
        loaded
    }

    #[test]
    fn flags_go_over_the_file() {
        let file = "listen = \"127.0.0.1:9000\"\nhosts = [\"shop.lan\"]\nlog = \"warn\"\n";
        let flags = ServeOptions {
            listen: Some("127.0.0.1:9001".parse().unwrap()),
            ..ServeOptions::default()
        };
        let config = with_file(file, &flags).unwrap();
        assert_eq!(config.listen.port(), 9001);
        assert_eq!(config.hosts, ["shop.lan"]);
        assert_eq!(config.log, "warn");
    }

    #[test]
    fn an_unknown_key_is_refused() {
        let refused = with_file("lissten = \"127.0.0.1:9000\"\n", &ServeOptions::default());
        let text = refused.unwrap_err().to_string();
        assert!(text.contains("lissten"), "{text}");
    }

    #[test]
    fn the_example_file_loads() {
        let text = include_str!("../edge.example.toml");
        let config = with_file(text, &ServeOptions::default()).unwrap();
        assert_eq!(config.listen.to_string(), DEFAULT_LISTEN);
    }

    #[test]
    fn beyond_loopback_needs_a_certificate() {
        let flags = ServeOptions {
            listen: Some("0.0.0.0:8101".parse().unwrap()),
            ..ServeOptions::default()
        };
        let config = with_file("", &flags).unwrap();
        assert!(matches!(
            config.check_listen(),
            Err(ConfigError::OpenWithoutTls { .. })
        ));
        let half = ServeOptions {
            tls_cert: Some("cert.pem".into()),
            ..ServeOptions::default()
        };
        assert!(matches!(
            with_file("# half\n", &half),
            Err(ConfigError::HalfTls)
        ));
    }
}
