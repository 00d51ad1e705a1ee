//! `edge-node join`.

use anyhow::Context;
use clap::Args;
use serde_json::json;
use sync_protocol::join_code::JoinCode;

use super::say;
use crate::config::Config;
use crate::env::Env;
use crate::sync::join;

#[derive(Debug, Args)]
pub(super) struct Options {
    /// The hub's address for branches, as in hub.example:4433 (UDP)
    #[arg(value_name = "HOST:PORT")]
    hub: String,
    /// The join code that was made at the hub; one use, 30 minutes
    #[arg(value_name = "CODE")]
    code: String,
    /// Answer as JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(config: &Config, options: &Options) -> anyhow::Result<()> {
    let code: JoinCode = options.code.parse().context("this is not a join code")?;
    let dir = config.data()?;
    let identity = join(&options.hub, &code, dir, &Env::system()).await?;
    if options.json {
        let answer = json!({
            "branch": identity.code,
            "name": identity.name,
            "node": identity.node.to_string(),
            "hub": identity.hub,
            "data": dir.display().to_string(),
        });
        return say(&answer.to_string());
    }
    say(&format!(
        "This machine is node {} of branch {} ({}).\nStart it by: edge-node serve --data {}",
        identity.node,
        identity.code,
        identity.name,
        dir.display()
    ))
}
