//! `hub branch`: branches and join codes.

use anyhow::{Context as _, Result};
use clap::Subcommand;
use domain::id::StaffId;
use domain::money::Currency;
use sync_protocol::item::command;

use super::say;
use crate::app::Actor;
use crate::app::branch::{NewBranch, create, named, new_join_code};
use crate::server::Opened;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Add a branch
    Add {
        /// Two to six capital letters and digits; begins every number of the branch
        #[arg(long)]
        code: String,
        /// Its name
        #[arg(long)]
        name: String,
        /// Branches of a region hear of each other's stock
        #[arg(long, default_value = "")]
        region: String,
        /// Its address
        #[arg(long, default_value = "")]
        address: String,
        /// Degrees north
        #[arg(long, allow_hyphen_values = true, requires = "longitude")]
        latitude: Option<f64>,
        /// Degrees east
        #[arg(long, allow_hyphen_values = true, requires = "latitude")]
        longitude: Option<f64>,
        /// An IANA time zone, as in Europe/Berlin
        #[arg(long)]
        time_zone: String,
        /// An ISO 4217 currency, as in EUR
        #[arg(long)]
        currency: Currency,
        /// How many orders it can have open
        #[arg(long, default_value_t = 50)]
        capacity: i64,
        /// The language of its pages and papers, as in de
        #[arg(long, default_value = "en")]
        language: String,
        /// Its prices do not include tax
        #[arg(long)]
        prices_exclude_tax: bool,
    },
    /// Make a one-use code for a machine of a branch, good for 30 minutes
    JoinCode {
        /// Code of the branch
        code: String,
    },
}

pub(super) async fn run(command: &Command, opened: &Opened) -> Result<()> {
    match command {
        Command::Add { .. } => add(command, opened).await,
        Command::JoinCode { code } => join_code(code, opened).await,
    }
}

async fn add(arguments: &Command, opened: &Opened) -> Result<()> {
    let Command::Add {
        code,
        name,
        region,
        address,
        latitude,
        longitude,
        time_zone,
        currency,
        capacity,
        language,
        prices_exclude_tax,
    } = arguments
    else {
        return Ok(());
    };
    let new = NewBranch {
        code: code.clone(),
        name: name.clone(),
        region: region.clone(),
        address: address.clone(),
        location: latitude.zip(*longitude),
        time_zone: time_zone.clone(),
        currency: *currency,
        capacity: *capacity,
        prices_include_tax: !prices_exclude_tax,
        opening_hours: String::new(),
        language: language.clone(),
    };
    let mut tx = opened.hub.begin(Actor::SYSTEM, command::ROWS).await?;
    let record = create(&mut tx, new).await?;
    tx.commit().await?;
    say(&record.id.to_string())?;
    Ok(())
}

async fn join_code(code: &str, opened: &Opened) -> Result<()> {
    let mut tx = opened.hub.begin(Actor::SYSTEM, command::NODES).await?;
    let branch = named(tx.sql(), "/code", code)
        .await
        .with_context(|| format!("there is no branch {code}"))?;
    let made = new_join_code(&mut tx, branch, opened.ca.fingerprint(), StaffId::NIL).await?;
    tx.commit().await?;
    say(&made.code.to_string())?;
    Ok(())
}
