//! `hub reconcile`: the night of a business day, done now. The exit code is 0 when every night could be done, whatever
//! it found; what it found is printed.

use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use domain::staff::Role;

use super::{say, with_hub};
use crate::api::v1::reconciliations::Reconciliation;
use crate::app::branch::named;
use crate::app::error::AppError;
use crate::app::reconcile::{self as app, Done, Filter};
use crate::app::session::Person;
use crate::config::Config;
use crate::server::Opened;

pub(super) async fn run(
    config: &Config,
    business_date: &str,
    branch: Option<&str>,
    json: bool,
) -> Result<ExitCode> {
    let Some(day) = app::parse_day(business_date) else {
        bail!("{business_date} is no date: write it as 2026-11-21");
    };
    let (done, found) = with_hub(config, async |opened| night(opened, day, branch).await).await?;
    if json {
        say(&serde_json::to_string_pretty(&found)?)?;
    } else {
        for one in &done {
            let branch = if one.branch.is_empty() {
                "(no branch)"
            } else {
                &one.branch
            };
            let error = one.error.as_deref().unwrap_or_default();
            say(&format!("{branch} {} {} {error}", one.run, one.state))?;
        }
    }
    Ok(if done.iter().all(|one| one.error.is_none()) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn night(
    opened: &Opened,
    day: i32,
    branch: Option<&str>,
) -> Result<(Vec<Done>, Option<Reconciliation>)> {
    let hub = &opened.hub;
    let only = match branch {
        Some(code) => {
            let mut sql = hub.snapshot().await?;
            let found = named(&mut sql, "/branch", code).await;
            Some(found.with_context(|| format!("there is no branch {code}"))?)
        }
        None => None,
    };
    let done = app::run(hub, day, only, hub.env().now_ms()).await?;
    let filter = Filter {
        branch: only,
        check: None,
        records: true,
    };
    let found = match app::get(hub, &operator(), day, filter).await {
        Ok(night) => Some(Reconciliation::of(night)),
        Err(AppError::NotFound { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    Ok((done, found))
}

/// Who has the machine sees everything.
fn operator() -> Person {
    Person {
        id: domain::id::StaffId::NIL,
        name: String::new(),
        role: Role::CentralManager,
        branches: Vec::new(),
    }
}
