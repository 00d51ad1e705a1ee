//! `hub staff`: the first people, before anybody can sign in.

use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use clap::Subcommand;
use domain::sensitive::Sensitive;
use domain::staff::Role;
use sync_protocol::item::command;

use super::say;
use crate::app::Actor;
use crate::app::staff::{NewStaff, create, new_password};
use crate::server::Opened;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Add a person
    Add {
        /// The name to sign in with
        #[arg(long, value_name = "U")]
        username: String,
        /// The name to show
        #[arg(long, value_name = "N")]
        name: String,
        /// clerk, technician, branch_manager, central_manager, auditor or operator
        #[arg(long, value_name = "R")]
        role: Role,
        /// Code of a branch where the person works; may be repeated [default: the whole chain]
        #[arg(long = "branch", value_name = "C")]
        branches: Vec<String>,
        /// File with the password, or - for standard input; a line's end behind it does not count
        #[arg(long, value_name = "F")]
        password_file: PathBuf,
    },
}

pub(super) async fn run(command: &Command, opened: &Opened) -> Result<()> {
    let Command::Add {
        username,
        name,
        role,
        branches,
        password_file,
    } = command;
    let password_hash = new_password(&opened.hub, read_password(password_file)?).await?;
    let new = NewStaff {
        username: username.clone(),
        name: name.clone(),
        role: *role,
        branches: branches.clone(),
        password_hash,
    };
    let mut tx = opened.hub.begin(Actor::SYSTEM, command::ROWS).await?;
    let record = create(&mut tx, new).await?;
    tx.commit().await?;
    say(&record.id.to_string())?;
    Ok(())
}

fn read_password(path: &PathBuf) -> Result<Sensitive<String>> {
    let text = if path.as_os_str() == "-" {
        std::io::read_to_string(std::io::stdin()).context("cannot read the password")?
    } else {
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?
    };
    let password = text.trim_end_matches(['\r', '\n']);
    ensure!(!password.is_empty(), "the password is empty");
    Ok(Sensitive::new(password.to_owned()))
}
