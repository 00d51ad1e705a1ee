//! `edge-node import`: a file goes through the running server, which alone writes.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Subcommand;
use futures_util::{StreamExt, stream};
use reqwest::Body;
use serde_json::Value;
use tokio::fs::File;
use tokio::io::AsyncReadExt;

use super::client::{Running, successful};
use super::say;
use crate::config::Config;

const PIECE_BYTES: usize = 64 * 1024;

#[derive(Debug, Subcommand)]
pub(super) enum Options {
    /// Repair records in an Open Repair Data Standard file (CSV); a file twice creates nothing new
    Ords {
        /// The file
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Only records of this group
        #[arg(long, value_name = "NAME")]
        group: Option<String>,
        /// Stands in for an absent or empty data_provider
        #[arg(long, value_name = "NAME")]
        data_provider: Option<String>,
        /// Answer as JSON
        #[arg(long)]
        json: bool,
    },
}

pub(super) async fn run(config: &Config, options: &Options) -> anyhow::Result<()> {
    let Options::Ords {
        file,
        group,
        data_provider,
        json,
    } = options;
    let dir = config.data()?;
    let running = Running::find(dir).await?.with_context(|| {
        format!(
            "no server runs on {}: start it by `edge-node serve`, records are written by it alone",
            dir.display()
        )
    })?;
    let query: Vec<(&str, &str)> = [("group", group), ("data_provider", data_provider)]
        .into_iter()
        .filter_map(|(name, value)| value.as_deref().map(|value| (name, value)))
        .collect();
    let request = running
        .post(&format!("/api/v1/imports/ords{}", query_text(&query)))
        .header("content-type", "text/csv")
        .body(upload(file).await?);
    let report: Value = successful(request.send().await?).await?.json().await?;
    if *json {
        return say(&report.to_string());
    }
    say(&in_words(&report))
}

/// `?name=value…`, percent-encoded; nothing for no parameters.
fn query_text(parameters: &[(&str, &str)]) -> String {
    let encode = |text: &str| -> String {
        text.bytes().fold(String::new(), |mut encoded, byte| {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                encoded.push(char::from(byte));
            } else {
                encoded.push_str(&format!("%{byte:02X}"));
            }
            encoded
        })
    };
    let pairs: Vec<String> = parameters
        .iter()
        .map(|(name, value)| format!("{name}={}", encode(value)))
        .collect();
    if pairs.is_empty() {
        String::new()
    } else {
        format!("?{}", pairs.join("&"))
    }
}

/// The file as a body that is read while it is sent.
async fn upload(path: &Path) -> anyhow::Result<Body> {
    let file = File::open(path)
        .await
        .with_context(|| path.display().to_string())?;
    let pieces = stream::try_unfold(file, |mut file| async move {
        let mut piece = vec![0; PIECE_BYTES];
        let length = file.read(&mut piece).await?;
        piece.truncate(length);
        Ok::<_, std::io::Error>((length > 0).then_some((piece, file)))
    });
    Ok(Body::wrap_stream(pieces.boxed()))
}

fn in_words(report: &Value) -> String {
    let count = |name: &str| report[name].as_u64().unwrap_or(0);
    let mut lines = vec![format!(
        "{} read: {} created, {} changed, {} there already, {} rejected",
        count("read"),
        count("created"),
        count("changed"),
        count("skipped"),
        count("rejected")
    )];
    for error in report["errors"].as_array().into_iter().flatten() {
        let detail = error["detail"].as_str().unwrap_or_default();
        lines.push(format!("row {}: {detail}", error["row"]));
    }
    lines.join("\n")
}
