//! Text from outside is text on every page.

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use tests::browser::{Browser, Key};
use tests::process::chain::api::fresh_key;
use tests::process::chain::id_of;

use super::stage::Stage;

/// Would run, load, break out or take over if it were taken for markup, a template or an attribute of htmx.
pub const HOSTILE: &str = "\"'><script>window.taken=1</script><img src=x onerror=window.taken=1><b hx-get=/orders hx-trigger=load>{{7*7}}</b>";
/// A part of it, as a page must show it.
const SHOWN: &str = "<script>window.taken=1</script>";

/// What of it is alive on the page in front.
pub async fn alive(browser: &Browser) -> Result<Option<String>> {
    let script = "return [window.taken ?? 0, document.querySelectorAll('b[hx-get], img[src=x], body script').length].join()";
    let found = browser.ask(script, &[]).await?;
    Ok((found != "0,0").then(|| format!("hostile text ran or became elements: {found}")))
}

/// Shown letter by letter where it must be shown at all: in the list, on its order, and in a field that searched for it.
pub async fn is_shown_harmless(stage: &mut Stage, order: &str) -> Result<()> {
    for page in ["/orders", &format!("/orders/{order}")] {
        stage.go(0, page).await?;
        stage.browser.until_text("main", SHOWN).await?;
        ensure_dead(&stage.browser)
            .await
            .with_context(|| page.to_owned())?;
    }
    stage.go(0, "/orders").await?;
    stage.browser.fill("input[name=q]", HOSTILE).await?;
    stage.browser.press(Key::Enter).await?;
    let kept = "return document.querySelector('input[name=q]')?.value === arguments[0] && document.readyState === 'complete'";
    stage
        .browser
        .until_true("the search keeps what was typed", kept, &[json!(HOSTILE)])
        .await?;
    ensure_dead(&stage.browser).await
}

async fn ensure_dead(browser: &Browser) -> Result<()> {
    let alive = alive(browser).await?;
    ensure!(alive.is_none(), "{}", alive.unwrap_or_default());
    Ok(())
}

/// An order that is hostile wherever it can be, and a hostile part; gives the order's id.
pub async fn plant(stage: &Stage) -> Result<String> {
    let central = stage.chain.hub.api("central").await?;
    let part = json!({
        "sku": "P-99", "name": HOSTILE, "category": HOSTILE, "price": { "amount_minor": 500, "currency": "EUR" }, "tax_rate_bp": 1900,
    });
    central.post("/api/v1/parts", &fresh_key(), &part).await?;
    let manager = stage.chain.manager(0).await?;
    let body = json!({
        "customer": { "name": HOSTILE, "phone": "+49 30 1234567", "address": HOSTILE },
        "devices": [{ "category": HOSTILE, "brand": HOSTILE, "model": HOSTILE, "serial": "S-1", "fault": HOSTILE,
                      "accessories": [HOSTILE] }],
    });
    let visit = manager.post("/api/v1/orders", &fresh_key(), &body).await?;
    let id = id_of(&visit["items"][0])?;
    let note = json!({ "text": HOSTILE });
    let line = json!({ "kind": "service", "text": HOSTILE, "quantity": 1, "unit_price": { "amount_minor": 1000, "currency": "EUR" } });
    for (what, body) in [("notes", note), ("lines", line)] {
        manager
            .post(&format!("/api/v1/orders/{id}/{what}"), &fresh_key(), &body)
            .await?;
    }
    stage.chain.until_level().await?;
    Ok(id)
}
