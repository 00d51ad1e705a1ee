//! Pictures of every page of the demo's chain, for `cargo xtask pictures`.

use anyhow::{Context as _, Result};
use serde_json::Value;
use tests::browser::Browser;
use tests::process::chain::place::Folder;

use super::walk::Walk;

/// Where the command says what runs.
const DEMO_FILE: &str = "COUNTERPART_DEMO_FILE";

/// Goal: pictures of every page as a shop would see it, and the rules kept with a shop's data too.
/// Method: the branch's manager, then the hub's people, follow every link of a chain that runs already.
#[tokio::test]
#[ignore = "cargo xtask pictures runs it on a filled chain"]
async fn every_page_of_a_filled_chain_has_its_pictures() {
    run().await.unwrap();
}

async fn run() -> Result<()> {
    let file = std::env::var(DEMO_FILE).with_context(|| format!("{DEMO_FILE} is not set"))?;
    let demo: Value = serde_json::from_str(&std::fs::read_to_string(file)?)?;
    let folder = Folder::new()?;
    let mut browser = Browser::start(&folder).await?;
    let branch = text(&demo["branches"][0]["url"])?;
    let code = text(&demo["branches"][0]["code"])?;
    let mut at_branch = Walk::of("branch", branch);
    let (name, password) = login(&demo, code, "branch_manager")?;
    at_branch
        .visit_as(&mut browser, name, password, &[])
        .await?;
    let mut at_hub = Walk::of("hub", text(&demo["hub"]["url"])?);
    for role in ["central_manager", "operator"] {
        let (name, password) = login(&demo, "hub", role)?;
        at_hub.visit_as(&mut browser, name, password, &[]).await?;
    }
    at_branch.judge()?;
    at_hub.judge()
}

/// Name and password of somebody with a role.
fn login<'a>(demo: &'a Value, place: &str, role: &str) -> Result<(&'a str, &'a str)> {
    let mut logins = demo["logins"].as_array().into_iter().flatten();
    let login = logins.find(|login| login["where"] == place && login["role"] == role);
    let login = login.with_context(|| format!("no {role} of {place}"))?;
    Ok((text(&login["username"])?, text(&login["password"])?))
}

fn text(value: &Value) -> Result<&str> {
    value.as_str().context("a text in demo.json")
}
