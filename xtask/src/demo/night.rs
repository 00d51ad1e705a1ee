//! The demo's night: branches close their day, the provider pays out, the hub holds everything against everything.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::api::{Api, until};
use super::chain::Chain;
use super::report::{CheckOutcome, Reconciliation};

const DONE_WITHIN: Duration = Duration::from_secs(120);

/// Every branch says what it has at the end of the day, and signs for it.
pub(crate) async fn close_days(chain: &Chain, date: &str) -> Result<()> {
    let central = &chain.hub_api("central_manager")?;
    for (index, branch) in chain.branches.iter().enumerate() {
        let manager = chain.branch_api(index, "branch_manager")?;
        let key = format!("demo-day-{date}-{index}");
        let body = json!({ "business_date": date });
        manager.post("/api/v1/business-days", &key, &body).await?;
        let sync = manager.get("/api/v1/sync").await?;
        let closed = sync["log"]["seq"].as_i64().context("a log without a tip")?;
        let path = &format!("/api/v1/audit/verify?branch={}", branch.code);
        let what = format!("{} signs for its day", branch.name);
        until(&what, DONE_WITHIN, || async move {
            let chains = central.get(path).await?;
            let heads = chains["items"].as_array().into_iter().flatten();
            let newest = heads.filter_map(|chain| {
                let head = &chain["signed_head"];
                head["seq"]
                    .as_i64()
                    .filter(|_| head["countersignature"].is_string())
            });
            Ok(if newest.max() >= Some(closed) {
                Ok(())
            } else {
                Err(chains.to_string())
            })
        })
        .await?;
    }
    Ok(())
}

/// Has the hub do the night of a day, and waits until every branch was looked at once more than before; what it found.
pub(crate) async fn run(chain: &Chain, date: &str, round: i64) -> Result<Value> {
    let manager = &chain.hub_api("central_manager")?;
    let path = &format!("/api/v1/reconciliations/{date}");
    let body = json!({ "business_date": date });
    let key = format!("demo-night-{date}-{round}");
    manager.post("/api/v1/reconciliations", &key, &body).await?;
    let count = chain.branches.len();
    until("the night is done", DONE_WITHIN, || async move {
        let night = night_of(manager, path).await?;
        let branches = night["branches"].as_array().map_or(&[][..], Vec::as_slice);
        let done = branches
            .iter()
            .filter(|branch| branch["run"] == "done" && branch["rounds"].as_i64() >= Some(round));
        Ok(if done.count() >= count {
            Ok(night)
        } else {
            Err(night.to_string())
        })
    })
    .await
}

async fn night_of(manager: &Api, path: &str) -> Result<Value> {
    let answer = manager.call(reqwest::Method::GET, path, None, None).await?;
    ensure!(
        answer.status == 200 || answer.status == 404,
        "GET {path}: {} {}",
        answer.status,
        answer.body
    );
    Ok(answer.body)
}

/// Branch, check and the records of everything that is not green.
pub(crate) fn not_green(night: &Value) -> Vec<(String, String, Vec<Value>)> {
    let mut found = Vec::new();
    for branch in night["branches"].as_array().into_iter().flatten() {
        let code = branch["branch"].as_str().unwrap_or("-").to_owned();
        for check in branch["checks"].as_array().into_iter().flatten() {
            if check["state"] != "green" {
                let name = check["check"].as_str().unwrap_or_default().to_owned();
                let records = check["records"].as_array().cloned().unwrap_or_default();
                found.push((code.clone(), name, records));
            }
        }
    }
    found
}

/// What the report says of a night: its state, and the worst of each check over all branches.
pub(crate) fn summary(night: &Value) -> Result<Reconciliation> {
    const WORST_LAST: [&str; 4] = ["green", "amber", "unreconciled", "red"];
    let rank = |state: &str| WORST_LAST.iter().position(|known| *known == state);
    let mut checks: Vec<CheckOutcome> = Vec::new();
    for branch in night["branches"].as_array().into_iter().flatten() {
        for check in branch["checks"].as_array().into_iter().flatten() {
            let name = check["check"].as_str().context("a check without a name")?;
            let state = check["state"].as_str().context("a check without a state")?;
            match checks.iter_mut().find(|known| known.check == name) {
                Some(known) if rank(&known.state) < rank(state) => {
                    state.clone_into(&mut known.state)
                }
                Some(_) => {}
                None => checks.push(CheckOutcome {
                    check: name.to_owned(),
                    state: state.to_owned(),
                }),
            }
        }
    }
    let state = night["state"].as_str().context("a night without a state")?;
    Ok(Reconciliation {
        state: state.to_owned(),
        checks,
    })
}
