//! The demo's tills: drawers that are opened, filled and counted, orders that are paid, customers who follow their link.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::api::{Api, until};
use super::chain::Chain;

/// What lies in a drawer in the morning, in cents.
pub(crate) const FLOAT_MINOR: i64 = 20_000;
const ZONE: &str = "Europe/Berlin";
const CAPTURED_WITHIN: Duration = Duration::from_secs(180);

pub(crate) fn euros(amount_minor: i64) -> Value {
    json!({ "amount_minor": amount_minor, "currency": "EUR" })
}

/// What a branch's people pay with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tender {
    Cash,
    Card,
    Account,
}

/// The tender of a sale that comes to `due_minor`; cash is handed over in whole tens.
pub(crate) fn tender(kind: Tender, due_minor: i64) -> Value {
    match kind {
        Tender::Cash => {
            let given = (due_minor + 999) / 1_000 * 1_000;
            json!({ "tender": "cash", "amount": euros(due_minor), "given": euros(given) })
        }
        Tender::Card => json!({ "tender": "card", "amount": euros(due_minor), "via": "link" }),
        Tender::Account => json!({ "tender": "account", "amount": euros(due_minor) }),
    }
}

/// What is due of an order, in cents.
pub(crate) fn due_of(order: &Value) -> Result<i64> {
    let due = order["totals"]["due"]["amount_minor"].as_i64();
    due.with_context(|| format!("an order without what is due: {order}"))
}

/// Cash that a receipt brought into the drawer, in cents.
pub(crate) fn cash_of(receipt: &Value) -> i64 {
    let tenders = receipt["tenders"].as_array().into_iter().flatten();
    tenders
        .filter(|tender| tender["tender"] == "cash")
        .filter_map(|tender| tender["amount"]["amount_minor"].as_i64())
        .sum()
}

/// Payments that a receipt asks of cards.
pub(crate) fn cards_of(receipt: &Value) -> Vec<String> {
    let tenders = receipt["tenders"].as_array().into_iter().flatten();
    tenders
        .filter(|tender| tender["tender"] == "card")
        .filter_map(|tender| tender["payment_id"].as_str().map(str::to_owned))
        .collect()
}

/// Opens the drawer of a branch for the `when` that it is called; gives the session.
pub(crate) async fn open(manager: &Api, when: &str) -> Result<String> {
    let body = json!({ "float": euros(FLOAT_MINOR) });
    let key = format!("demo-session-{when}");
    let session = manager.post("/api/v1/cash-sessions", &key, &body).await?;
    let id = session["id"].as_str();
    Ok(id.context("a cash session without an id")?.to_owned())
}

/// Counts the drawer and closes its session; the float stays for the next day. Where the count differs a reason is
/// needed.
pub(crate) async fn close(
    manager: &Api,
    session: &str,
    counted_minor: i64,
    reason: &str,
) -> Result<Value> {
    let left = euros(FLOAT_MINOR.min(counted_minor));
    let body = json!({ "counted": pieces(counted_minor), "left": left, "reason": reason });
    let path = format!("/api/v1/cash-sessions/{session}/close");
    let key = format!("demo-close-{session}");
    manager.post(&path, &key, &body).await
}

/// Notes and coins of an amount, the greatest first.
fn pieces(mut amount_minor: i64) -> Vec<Value> {
    const EURO: [i64; 15] = [
        50_000, 20_000, 10_000, 5_000, 2_000, 1_000, 500, 200, 100, 50, 20, 10, 5, 2, 1,
    ];
    let mut counted = Vec::new();
    for value in EURO {
        let pieces = amount_minor / value;
        amount_minor %= value;
        if pieces > 0 {
            counted.push(json!({ "value_minor": value, "pieces": pieces }));
        }
    }
    counted
}

/// The day that it is at the demo's branches.
pub(crate) fn business_date() -> Result<String> {
    let now = jiff::Timestamp::now().in_tz(ZONE)?;
    Ok(now.date().to_string())
}

/// Waits until these payments of a branch are captured, while their customers follow the links that come.
pub(crate) async fn until_captured(chain: &Chain, index: usize, payments: &[String]) -> Result<()> {
    let manager = &chain.branch_api(index, "branch_manager")?;
    let what = format!("the cards at {} are captured", chain.branches[index].name);
    until(&what, CAPTURED_WITHIN, || async move {
        customers_pay(chain, payments).await?;
        let known = manager.list("/api/v1/payments").await?;
        let open: Vec<&String> = payments
            .iter()
            .filter(|payment| {
                let found = known.iter().find(|one| one["id"] == payment.as_str());
                found.is_none_or(|one| one["state"] != "captured")
            })
            .collect();
        Ok(if open.is_empty() {
            Ok(())
        } else {
            Err(format!("open are {open:?}"))
        })
    })
    .await
}

/// The customers of these payments who have a link pay.
async fn customers_pay(chain: &Chain, payments: &[String]) -> Result<()> {
    let provider = chain.provider()?;
    let state = provider.state().await?;
    for link in state["payment_link"].as_array().into_iter().flatten() {
        let marks = link["metadata"].to_string();
        let is_wanted = payments
            .iter()
            .any(|payment| marks.contains(payment.as_str()));
        if is_wanted && link["active"] == true {
            let id = link["id"].as_str().context("a link without an id")?;
            provider
                .control(&format!("links/{id}/pay"), json!({}))
                .await?;
        }
    }
    Ok(())
}

/// Closes a drawer that holds what it should, and says so where it does not.
pub(crate) async fn close_exactly(manager: &Api, session: &str, counted_minor: i64) -> Result<()> {
    let closed = close(manager, session, counted_minor, "").await?;
    let off = &closed["report"]["difference"]["amount_minor"];
    ensure!(*off == 0, "{}: the drawer differs: {closed}", manager.base);
    Ok(())
}
