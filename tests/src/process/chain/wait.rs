//! Waiting for conditions, with what was last seen in the error.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde_json::Value;

use super::api::Api;

const POLL: Duration = Duration::from_millis(50);

/// Asks again and again until the answer is `Ok`; `Err` inside says what was seen instead.
///
/// # Errors
/// When it takes too long, or asking itself fails.
pub async fn until<T>(
    what: &str,
    within: Duration,
    mut question: impl AsyncFnMut() -> Result<Result<T, String>>,
) -> Result<T> {
    let end = Instant::now() + within;
    loop {
        match question().await? {
            Ok(value) => return Ok(value),
            Err(seen) if Instant::now() > end => {
                bail!(
                    "{what}: not within {} s, last seen: {seen}",
                    within.as_secs()
                )
            }
            Err(_) => tokio::time::sleep(POLL).await,
        }
    }
}

/// What `GET /api/v1/sync` says of the link.
///
/// # Errors
/// When the branch does not answer.
pub async fn link_of(branch: &Api) -> Result<String> {
    let sync = branch.get("/api/v1/sync").await?;
    Ok(sync["link"].as_str().unwrap_or_default().to_owned())
}

/// Waits until the branch shows this link; gives how long it took.
///
/// # Errors
/// When it does not in time.
pub async fn until_link(branch: &Api, wanted: &str, within: Duration) -> Result<Duration> {
    let begun = Instant::now();
    until(&format!("the link becomes {wanted}"), within, async || {
        let sync = branch.get("/api/v1/sync").await?;
        Ok(if sync["link"] == wanted {
            Ok(())
        } else {
            Err(sync.to_string())
        })
    })
    .await?;
    Ok(begun.elapsed())
}

/// Waits until the branch's log is applied at the hub and its feeds are read to their heads.
///
/// # Errors
/// When it is not in time.
pub async fn level(branch: &Api, within: Duration) -> Result<()> {
    until(
        &format!("{} is level with the hub", branch.base()),
        within,
        async || {
            let sync = branch.get("/api/v1/sync").await?;
            Ok(if is_level(&sync) {
                Ok(())
            } else {
                Err(sync.to_string())
            })
        },
    )
    .await
}

fn is_level(sync: &Value) -> bool {
    let mut feeds = sync["feeds"].as_array().into_iter().flatten();
    sync["link"] == "connected"
        && sync["log"]["seq"] == sync["log"]["applied"]
        && sync["pending"]["transactions"] == 0
        && feeds.all(|feed| feed["cursor"] == feed["head"])
}
