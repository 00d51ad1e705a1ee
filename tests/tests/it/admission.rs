//! Who gets in at the hub, and who does not.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use sync_protocol::join_code::JoinCode;
use tests::process::chain::wait::{until, until_link};
use tests::process::chain::{Chain, PATIENCE, Plan, create_branch, join_code};
use tests::process::edge::try_join;

use super::sound::{orders_at_hub, plain_id};

fn empty_plan() -> Plan {
    Plan {
        parts: 0,
        opening: 0,
        ..Plan::of(&["ONE"])
    }
}

/// Goal: a join code is good once, for thirty minutes, for the hub that made it (T-4).
/// Method: machines try to join with a used, an old, an invented, a foreign and a garbled code; each is told why, and
/// gets no certificate. The machine that used the code may use it again.
#[tokio::test]
async fn only_a_fresh_join_code_of_this_hub_lets_a_machine_in() {
    codes().await.unwrap();
}

async fn codes() -> Result<()> {
    let chain = Chain::start(&empty_plan()).await?;
    let operator = chain.hub.api("operator").await?;
    let branch = create_branch(&operator, "TWO").await?;
    let first = chain.folder.path().join("first");
    let code = join_code(&operator, &branch).await?;
    let hub = chain.hub.quic().to_string();
    ensure!(
        try_join(&first, &hub, &code).await?.status.success(),
        "a fresh code does not let in"
    );
    let certificate = fs::read(first.join("secrets/node.crt.der"))?;
    ensure!(
        try_join(&first, &hub, &code).await?.status.success(),
        "the same machine with the same code"
    );
    ensure!(
        fs::read(first.join("secrets/node.crt.der"))? == certificate,
        "joining again changed the certificate"
    );
    refused(&chain, "used", &code, "used").await?;

    let old = join_code(&operator, &branch).await?;
    let hash = JoinCode::secret_hash(&old.parse::<JoinCode>()?.secret);
    let aged =
        sqlx::query("update sync.join_code set expires_ms = made_ms - 1 where secret_hash = $1");
    let aged = aged
        .bind(&hash[..])
        .execute(&mut chain.hub.connect().await?)
        .await?;
    ensure!(
        aged.rows_affected() == 1,
        "the code is not in the hub's table"
    );
    refused(&chain, "old", &old, "older than 30 minutes").await?;

    let real: JoinCode = code.parse()?;
    let invented = JoinCode {
        secret: [7; 20],
        ..real.clone()
    };
    refused(
        &chain,
        "invented",
        &invented.to_string(),
        "does not know this join code",
    )
    .await?;
    let foreign = JoinCode {
        fingerprint: [7; 16],
        ..real
    };
    refused(
        &chain,
        "foreign",
        &foreign.to_string(),
        "not the one that made this code",
    )
    .await?;
    refused(&chain, "garbled", &code[..20], "join code").await
}

async fn refused(chain: &Chain, name: &str, code: &str, reason: &str) -> Result<()> {
    let dir = chain.folder.path().join(name);
    let output = try_join(&dir, &chain.hub.quic().to_string(), code).await?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(!output.status.success(), "a {name} code lets in");
    ensure!(
        said.contains(reason),
        "a {name} code is refused without the reason: {said}"
    );
    ensure!(!dir.join("node.toml").exists(), "a {name} code made a node");
    ensure!(
        !dir.join("secrets/node.crt.der").exists(),
        "a {name} code gave a certificate"
    );
    Ok(())
}

/// Goal: a revoked machine has no effect after the revocation, and its people see why (INV-13).
/// Method: it is revoked while connected and has something to send; a restart does not help it; the counter works on.
#[tokio::test]
async fn a_revoked_machine_is_held_and_sends_nothing_more() {
    revoked().await.unwrap();
}

async fn revoked() -> Result<()> {
    let mut chain = Chain::start(&empty_plan()).await?;
    let manager = chain.manager(0).await?;
    let operator = chain.hub.api("operator").await?;
    let branch = chain.edges[0].branch_id.clone();
    let nodes = operator
        .get(&format!("/api/v1/branches/{branch}/nodes"))
        .await?;
    let node = nodes["items"][0]["id"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let path = format!("/api/v1/nodes/{node}/revoke");
    operator.send(&path, &json!({ "reason": "stolen" })).await?;
    until_link(&manager, "held", PATIENCE).await?;
    ensure_held(&manager.get("/api/v1/sync").await?)?;
    let order = manager.take_in("after-revocation", "blinks").await?;
    let order = plain_id(order["id"].as_str().unwrap_or_default());
    chain.edges[0].stop().await?;
    chain.edges[0].start().await?;
    until_link(&manager, "held", PATIENCE).await?;
    ensure_held(&manager.get("/api/v1/sync").await?)?;
    let mut hub = chain.hub.connect().await?;
    ensure!(
        !orders_at_hub(&mut hub, &branch).await?.contains(&order),
        "a revoked machine's order arrived"
    );
    Ok(())
}

fn ensure_held(sync: &Value) -> Result<()> {
    let detail = sync["detail"].as_str().unwrap_or_default();
    ensure!(
        detail.contains("revoked"),
        "held without the reason: {sync}"
    );
    ensure!(
        sync["log"]["stored"].as_u64() <= sync["log"]["seq"].as_u64(),
        "{sync}"
    );
    Ok(())
}

/// Goal: only the key that was enrolled speaks for a branch.
/// Method: a copy of a machine's directory gets another key, and one the certificate of another hub's chain; both are
/// started. Neither ever has a session, and what they print names the reason.
#[tokio::test]
async fn a_machine_with_another_key_or_another_hubs_certificate_gets_no_session() {
    other_keys().await.unwrap();
}

async fn other_keys() -> Result<()> {
    let mut chain = Chain::start(&empty_plan()).await?;
    let other = Chain::start(&Plan {
        parts: 0,
        opening: 0,
        ..Plan::of(&["OTH"])
    })
    .await?;
    let branch = chain.edges[0].branch_id.clone();
    let session = session_of(&chain, &branch).await?;
    chain.edges[0].stop().await?;

    let key = chain.edges[0].dir().join("secrets/node.key");
    let right_key = fs::read(&key)?;
    fs::write(&key, [9; 32])?;
    never_connects(&mut chain).await?;
    fs::write(&key, right_key)?;

    let certificates = ["node.key", "node.crt.der", "hub_ca.der"];
    let kept = read_all(&chain.edges[0].dir().join("secrets"), &certificates)?;
    let others = read_all(&other.edges[0].dir().join("secrets"), &certificates)?;
    write_all(&others[..2])?;
    copy_over(&others[..2], &chain.edges[0].dir().join("secrets"))?;
    never_connects(&mut chain).await?;
    write_all(&kept)?;
    ensure!(
        session_of(&chain, &branch).await? == session,
        "a machine with another key had a session"
    );

    chain.edges[0].start().await?;
    let manager = chain.manager(0).await?;
    until_link(&manager, "connected", PATIENCE).await?;
    Ok(())
}

type Kept = Vec<(PathBuf, Vec<u8>)>;

fn read_all(folder: &Path, names: &[&str]) -> Result<Kept> {
    let read = |name: &&str| {
        let path = folder.join(name);
        let bytes = fs::read(&path)?;
        Ok((path, bytes))
    };
    names.iter().map(read).collect()
}

fn write_all(kept: &[(PathBuf, Vec<u8>)]) -> Result<()> {
    for (path, bytes) in kept {
        fs::write(path, bytes)?;
    }
    Ok(())
}

fn copy_over(files: &[(PathBuf, Vec<u8>)], folder: &Path) -> Result<()> {
    for (path, bytes) in files {
        fs::write(folder.join(path.file_name().unwrap_or_default()), bytes)?;
    }
    Ok(())
}

async fn session_of(chain: &Chain, branch: &str) -> Result<i64> {
    let question =
        sqlx::query_scalar("select max(session) from sync.node where branch_id = $1::text::uuid");
    Ok(question
        .bind(branch)
        .fetch_one(&mut chain.hub.connect().await?)
        .await?)
}

/// Starts the branch and waits until it shows that it is not let in, and says why.
async fn never_connects(chain: &mut Chain) -> Result<()> {
    let edge = &mut chain.edges[0];
    if edge.start().await.is_err() {
        // A node whose certificate is not its key's may also refuse to start; then it must say so.
        let said = edge.output()?.to_lowercase();
        ensure!(
            said.contains("certificate") || said.contains("key"),
            "it ended without a reason: {said}"
        );
        return Ok(());
    }
    let manager = chain.manager(0).await?;
    until(
        "the branch says that it is not let in",
        Duration::from_secs(30),
        async || {
            let sync = manager.get("/api/v1/sync").await?;
            ensure!(
                sync["link"] != "connected",
                "a machine with another key is connected: {sync}"
            );
            let is_shown = !sync["detail"].as_str().unwrap_or_default().is_empty();
            Ok(if is_shown {
                Ok(())
            } else {
                Err(sync.to_string())
            })
        },
    )
    .await?;
    chain.edges[0].stop().await
}
