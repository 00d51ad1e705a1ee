//! Stock between the demo's branches: transfers that wait, travel, arrived, and arrived short.

use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::api::{self, Api};
use super::chain::Chain;

const WITHIN: Duration = Duration::from_secs(60);
const QUANTITY: i64 = 2;

/// How far a transfer of the demo goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Until {
    Requested,
    Approved,
    Shipped,
    Received,
    /// One piece is missing.
    ReceivedShort,
}

/// From and to, by index of the branches, and how far.
const PLAN: [(usize, usize, Until); 6] = [
    (0, 1, Until::Requested),
    (2, 0, Until::Requested),
    (1, 2, Until::Approved),
    (0, 2, Until::Shipped),
    (1, 0, Until::Received),
    (2, 1, Until::ReceivedShort),
];

/// Asks, approves, ships and receives along [`PLAN`]. Every branch asks for parts that the other has most of.
pub(crate) async fn fill(chain: &Chain) -> Result<()> {
    for (number, (from, to, until)) in PLAN.into_iter().enumerate() {
        one(chain, &format!("demo-transfer-{number}"), from, to, until)
            .await
            .with_context(|| format!("transfer {number} of the demo"))?;
    }
    Ok(())
}

async fn one(chain: &Chain, key: &str, from: usize, to: usize, until: Until) -> Result<()> {
    let (source, destination) = (
        chain.branch_api(from, "branch_manager")?,
        chain.branch_api(to, "branch_manager")?,
    );
    let manager = chain.hub_api("central_manager")?;
    let sku = plentiful(&source).await?;
    let lines = json!([{ "sku": sku, "quantity": QUANTITY }]);
    let body = json!({
        "from": chain.branches[from].code, "to": chain.branches[to].code, "lines": lines,
    });
    let request = destination.post("/api/v1/transfers", key, &body).await?;
    let id = request["id"].as_str().context("a transfer without an id")?;
    wait_for_state(&manager, id, "requested").await?;
    if until == Until::Requested {
        return Ok(());
    }
    let path = format!("/api/v1/transfers/{id}");
    let approve = format!("{path}/approve");
    manager
        .post(&approve, &format!("{key}-approve"), &Value::Null)
        .await?;
    wait_for_state(&source, id, "approved").await?;
    if until == Until::Approved {
        return Ok(());
    }
    let body = json!({ "lines": lines });
    source
        .post(&format!("{path}/ship"), &format!("{key}-ship"), &body)
        .await?;
    wait_for_state(&destination, id, "shipped").await?;
    let (good, missing) = match until {
        Until::Received => (QUANTITY, 0),
        Until::ReceivedShort => (QUANTITY - 1, 1),
        Until::Requested | Until::Approved | Until::Shipped => return Ok(()),
    };
    let body = json!({ "lines": [{ "sku": sku, "quantity": good, "missing": missing }] });
    destination
        .post(&format!("{path}/receive"), &format!("{key}-receive"), &body)
        .await
        .map(drop)
}

/// The part that a branch has most free of, among its first page of stock.
async fn plentiful(source: &Api) -> Result<String> {
    let page = source.get("/api/v1/stock?limit=100").await?;
    page["items"]
        .as_array()
        .into_iter()
        .flatten()
        .max_by_key(|stock| stock["free"].as_i64().unwrap_or_default())
        .and_then(|stock| stock["sku"].as_str())
        .map(str::to_owned)
        .with_context(|| format!("no stock at {}", source.base))
}

/// Waits until a place has heard that a transfer came so far; gives the state.
pub(crate) async fn wait_for_state(api: &Api, id: &str, wanted: &str) -> Result<String> {
    let what = format!("transfer {id} becomes {wanted} at {}", api.base);
    api::until(&what, WITHIN, || async move {
        let found = api
            .list("/api/v1/transfers")
            .await?
            .into_iter()
            .find(|transfer| transfer["id"] == id);
        let state = found.map_or(Value::Null, |transfer| transfer["state"].clone());
        Ok(if state == wanted {
            Ok(wanted.to_owned())
        } else {
            Err(state.to_string())
        })
    })
    .await
}
