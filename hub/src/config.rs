//! What the operator decides: a TOML file, the environment over it, flags over that.
//!
//! Unknown keys of the file are refused, so that a typing error never silently means the default. The database's
//! address may hold a password; it is shown hidden.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use domain::reconcile::Patience;
use domain::sensitive::Sensitive;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use web_kit::serve::TlsFiles;
use web_kit::telemetry::LogFormat;

use crate::outside::{OutsideSettings, OutsideSettingsError};
use crate::payment::PaymentSettings;

const DEFAULT_FILTER: &str = "info,sqlx=warn";

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
    /// A value of `[outside]` makes no sense.
    #[error(transparent)]
    Outside(#[from] OutsideSettingsError),
    /// A call to a provider must be given some time.
    #[error("payment.timeout_ms must be above 0")]
    NoTime,
    /// No hour of a day.
    #[error("night.hour is an hour from 0 to 23")]
    NightHour,
    /// Nobody said where the data lie.
    #[error(
        "name the data directory by --data DIR, COUNTERPART_DATA or `data` in the configuration file"
    )]
    NoData,
    /// Of certificate and key only one is named.
    #[error("--tls-cert and --tls-key belong together: name both or neither")]
    HalfTls,
    /// HTTPS without a certificate.
    #[error("--https needs --tls-cert and --tls-key")]
    HttpsWithoutTls,
    /// Pages and passwords would go over the network in clear (T-9).
    #[error(
        "{listen} can be reached from other machines: pages in clear stay on loopback, use --https for others"
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
    /// Data directory of the hub
    #[arg(long, global = true, value_name = "DIR", env = "COUNTERPART_DATA")]
    pub data: Option<PathBuf>,
    /// A Postgres database of yours with PostGIS [default: a private cluster in the data directory]
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "COUNTERPART_DATABASE_URL",
        hide_env_values = true
    )]
    pub database_url: Option<String>,
    /// What is logged, as in `info` or `warn,hub=debug`
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
    /// Address for pages and API in clear, on loopback [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR", env = "COUNTERPART_LISTEN")]
    pub listen: Option<SocketAddr>,
    /// Address for pages and API over TLS, with --tls-cert and --tls-key
    #[arg(long, value_name = "ADDR", env = "COUNTERPART_HTTPS")]
    pub https: Option<SocketAddr>,
    /// Address for branches, UDP [default: 127.0.0.1:4433]
    #[arg(long, value_name = "ADDR", env = "COUNTERPART_QUIC")]
    pub quic: Option<SocketAddr>,
    /// A name under which browsers reach the hub, beside the loopback names; may be repeated
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
    /// File with Stripe's secret key; without it no card is asked
    #[arg(long, value_name = "FILE", env = "COUNTERPART_STRIPE_KEY_FILE")]
    pub stripe_key_file: Option<PathBuf>,
    /// File with the secret that signs Stripe's webhooks
    #[arg(
        long,
        value_name = "FILE",
        env = "COUNTERPART_STRIPE_WEBHOOK_SECRET_FILE"
    )]
    pub stripe_webhook_secret_file: Option<PathBuf>,
    /// Where Stripe is [default: `https://api.stripe.com`]
    #[arg(long, value_name = "URL", env = "COUNTERPART_STRIPE_URL")]
    pub stripe_url: Option<String>,
}

impl ServeOptions {
    fn over(&self, file: PaymentSettings) -> PaymentSettings {
        let over = |flag: &Option<PathBuf>, file| flag.clone().or(file);
        PaymentSettings {
            stripe_key_file: over(&self.stripe_key_file, file.stripe_key_file),
            stripe_webhook_secret_file: over(
                &self.stripe_webhook_secret_file,
                file.stripe_webhook_secret_file,
            ),
            stripe_url: self.stripe_url.clone().unwrap_or(file.stripe_url),
            timeout_ms: file.timeout_ms,
            readers: file.readers,
        }
    }
}

/// The night: when it begins, and how long things may take before it looks at them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NightConfig {
    /// The hour of a branch's night, in its own zone.
    pub hour: u8,
    /// Days until a capture must stand on the provider's statement.
    pub settle_days: u16,
    /// Days until a shipment must have arrived.
    pub transit_days: u16,
}

impl Default for NightConfig {
    fn default() -> Self {
        let patience = Patience::default();
        Self {
            hour: 3,
            settle_days: patience.settle_days,
            transit_days: patience.transit_days,
        }
    }
}

impl NightConfig {
    /// How long things may take.
    pub const fn patience(&self) -> Patience {
        Patience {
            settle_days: self.settle_days,
            transit_days: self.transit_days,
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfigFile {
    night: Option<NightConfig>,
    data: Option<PathBuf>,
    database_url: Option<String>,
    listen: Option<SocketAddr>,
    https: Option<SocketAddr>,
    quic: Option<SocketAddr>,
    hosts: Option<Vec<String>>,
    tls_cert: Option<PathBuf>,
    tls_key: Option<PathBuf>,
    log: Option<String>,
    log_format: Option<LogFormat>,
    #[serde(default)]
    payment: PaymentSettings,
    #[serde(default)]
    outside: OutsideSettings,
}

/// The effective configuration.
#[derive(Debug)]
pub struct Config {
    /// The data directory, where it was named.
    pub data: Option<PathBuf>,
    /// A database of the operator's; none for the private cluster.
    pub database_url: Option<Sensitive<String>>,
    /// Address for pages and API in clear.
    pub listen: SocketAddr,
    /// Address for pages and API over TLS, with its files.
    pub https: Option<(SocketAddr, TlsFiles)>,
    /// Address for branches.
    pub quic: SocketAddr,
    /// Names under which browsers reach the hub, beside the loopback names.
    pub hosts: Vec<String>,
    /// What is logged.
    pub log: String,
    /// How log lines look.
    pub log_format: LogFormat,
    /// Who moves money.
    pub payment: PaymentSettings,
    /// When others are left alone, and when they are asked again.
    pub outside: OutsideSettings,
    /// The night.
    pub night: NightConfig,
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
        file.outside.check()?;
        if file.payment.timeout_ms == 0 {
            return Err(ConfigError::NoTime);
        }
        let cert = serve.tls_cert.clone().or(file.tls_cert);
        let key = serve.tls_key.clone().or(file.tls_key);
        let https = match (serve.https.or(file.https), cert, key) {
            (Some(address), Some(cert), Some(key)) => Some((address, TlsFiles { cert, key })),
            (Some(_), None, None) => return Err(ConfigError::HttpsWithoutTls),
            (_, Some(_), None) | (_, None, Some(_)) => return Err(ConfigError::HalfTls),
            (None, _, _) => None,
        };
        let night = file.night.unwrap_or_default();
        if night.hour > 23 {
            return Err(ConfigError::NightHour);
        }
        let loopback = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let url = common.database_url.clone().or(file.database_url);
        Ok(Self {
            data: common.data.clone().or(file.data),
            database_url: url.map(Sensitive::new),
            listen: serve
                .listen
                .or(file.listen)
                .unwrap_or_else(|| loopback(8080)),
            https,
            quic: serve.quic.or(file.quic).unwrap_or_else(|| loopback(4433)),
            hosts: serve.hosts.clone().or(file.hosts).unwrap_or_default(),
            night,
            log: common
                .log
                .clone()
                .or(file.log)
                .unwrap_or_else(|| DEFAULT_FILTER.to_owned()),
            log_format: common.log_format.or(file.log_format).unwrap_or_default(),
            payment: serve.over(file.payment),
            outside: file.outside,
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
    /// When the address in clear is not loopback.
    pub fn check_listen(&self) -> Result<(), ConfigError> {
        if self.listen.ip().is_loopback() {
            Ok(())
        } else {
            Err(ConfigError::OpenWithoutTls {
                listen: self.listen,
            })
        }
    }

    /// The effective values by key, as in the file; the database's address is hidden.
    pub fn shown(&self) -> BTreeMap<&'static str, serde_json::Value> {
        let tls = self.https.as_ref().map(|(_, files)| files);
        let path = |path: Option<&PathBuf>| path.map(|path| path.display().to_string());
        BTreeMap::from([
            ("data", path(self.data.as_ref()).into()),
            (
                "database_url",
                self.database_url.as_ref().map(|_| "[hidden]").into(),
            ),
            ("listen", self.listen.to_string().into()),
            (
                "https",
                self.https
                    .as_ref()
                    .map(|(address, _)| address.to_string())
                    .into(),
            ),
            ("quic", self.quic.to_string().into()),
            ("hosts", self.hosts.clone().into()),
            ("tls_cert", path(tls.map(|tls| &tls.cert)).into()),
            ("tls_key", path(tls.map(|tls| &tls.key)).into()),
            (
                "night",
                serde_json::to_value(self.night).unwrap_or_default(),
            ),
            ("log", self.log.clone().into()),
            (
                "log_format",
                serde_json::to_value(self.log_format).unwrap_or_default(),
            ),
            (
                "payment",
                serde_json::to_value(&self.payment).unwrap_or_default(),
            ),
            (
                "outside",
                serde_json::to_value(self.outside).unwrap_or_default(),
            ),
        ])
    }
}

fn read_file(path: &Path) -> Result<ConfigFile, ConfigError> {
    let shown = || path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
        path: shown(),
        source,
    })?;
    toml::from_str(&text).map_err(|error| ConfigError::Parse {
        path: shown(),
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
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("hub.toml");
        std::fs::write(&path, text).unwrap();
        let common = CommonOptions {
            config: Some(path),
            ..CommonOptions::default()
        };
        Config::load(&common, serve)
    }

    #[test]
    fn the_example_file_loads_and_names_every_key() {
        let text = include_str!("../hub.example.toml");
        let config = with_file(text, &ServeOptions::default()).unwrap();
        let shown = config.shown();
        let inner = shown
            .values()
            .filter_map(serde_json::Value::as_object)
            .flat_map(|table| table.keys().map(String::as_str));
        for key in shown.keys().copied().chain(inner) {
            assert!(text.contains(key), "{key} is missing in the example");
        }
        assert_eq!(config.outside, OutsideSettings::default());
        assert_eq!(config.payment, PaymentSettings::default());
    }

    #[test]
    fn tables_refuse_unknown_keys_and_values_without_sense() {
        let flags = ServeOptions {
            stripe_url: Some("http://127.0.0.1:1".to_owned()),
            ..ServeOptions::default()
        };
        let text = "[payment]\nstripe_key_file = \"key\"\nstripe_url = \"https://x\"\n[outside]\npayment_failures = 7\n";
        let config = with_file(text, &flags).unwrap();
        assert_eq!(config.payment.stripe_url, "http://127.0.0.1:1");
        assert_eq!(config.payment.stripe_key_file, Some(PathBuf::from("key")));
        assert_eq!(config.outside.payment_failures, 7);
        for wrong in [
            "[payment]\nstripe_key = \"sk\"\n",
            "[payment]\ntimeout_ms = 0\n",
            "[outside]\nfailures = 3\n",
            "[outside]\nother_pause_ms = 0\n",
        ] {
            assert!(with_file(wrong, &flags).is_err(), "{wrong}");
        }
    }

    #[test]
    fn flags_go_over_the_file_and_unknown_keys_are_refused() {
        let flags = ServeOptions {
            listen: Some("127.0.0.1:9001".parse().unwrap()),
            ..ServeOptions::default()
        };
        let config = with_file("listen = \"127.0.0.1:9000\"\nlog = \"warn\"\n", &flags).unwrap();
        assert_eq!((config.listen.port(), config.log.as_str()), (9001, "warn"));
        let refused = with_file("lissten = \"127.0.0.1:9000\"\n", &flags)
            .unwrap_err()
            .to_string();
        assert!(refused.contains("lissten"), "{refused}");
    }

    #[test]
    fn the_databases_address_is_hidden() {
        let config = with_file(
            "database_url = \"postgres://u:hunter2@h/d\"\n",
            &ServeOptions::default(),
        )
        .unwrap();
        assert!(
            !serde_json::to_string(&config.shown())
                .unwrap()
                .contains("hunter2")
        );
        assert!(!format!("{config:?}").contains("hunter2"));
    }

    #[test]
    fn pages_in_clear_stay_on_loopback() {
        let open = ServeOptions {
            listen: Some("0.0.0.0:8080".parse().unwrap()),
            ..ServeOptions::default()
        };
        assert!(matches!(
            with_file("", &open).unwrap().check_listen(),
            Err(ConfigError::OpenWithoutTls { .. })
        ));
        let https = ServeOptions {
            https: Some("0.0.0.0:8443".parse().unwrap()),
            ..ServeOptions::default()
        };
        assert!(matches!(
            with_file("", &https),
            Err(ConfigError::HttpsWithoutTls)
        ));
    }
}
