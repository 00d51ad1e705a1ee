//! The pointer: clicks and drags by what a selector names.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::{Browser, SHOWN_WITHIN};
use crate::process::chain::wait::until;

/// The name under which WebDriver hands elements over.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// How long one step of a drag takes: a hand is not faster, and scripts see the steps.
const STEP_MS: u64 = 40;

impl Browser {
    /// Clicks the first visible element of a selector, once it is there. Between looking and clicking a live page may have
    /// put a new one in its place, which is then clicked.
    ///
    /// # Errors
    /// When it does not come, or something lies over it.
    pub async fn click(&self, selector: &str) -> Result<()> {
        until(
            &format!("{selector} is clicked"),
            SHOWN_WITHIN,
            async || {
                self.until_shown(selector).await?;
                let Ok(id) = self.element(selector).await else {
                    return Ok(Err("gone again".to_owned()));
                };
                let command = format!("element/{id}/click");
                match self.wire.post(&command, &json!({})).await {
                    Ok(_) => Ok(Ok(())),
                    Err(error) if error.to_string().contains("stale element") => {
                        Ok(Err(error.to_string()))
                    }
                    Err(error) => Err(error.context(format!("clicking {selector}"))),
                }
            },
        )
        .await
    }

    /// Clicks twice as fast as a nervous hand does.
    ///
    /// # Errors
    /// When it does not come.
    pub async fn double_click(&self, selector: &str) -> Result<()> {
        self.until_shown(selector).await?;
        let origin = self.origin(selector).await?;
        let (press, release) = (
            json!({ "type": "pointerDown", "button": 0 }),
            json!({ "type": "pointerUp", "button": 0 }),
        );
        let steps = [
            json!({ "type": "pointerMove", "duration": 0, "x": 0, "y": 0, "origin": origin }),
            press.clone(),
            release.clone(),
            press,
            release,
        ];
        self.mouse(&steps).await
    }

    /// Drags the middle of one element onto the middle of another.
    ///
    /// # Errors
    /// When one of them is not there.
    pub async fn drag(&self, from: &str, to: &str) -> Result<()> {
        let (from, to) = (self.origin(from).await?, self.origin(to).await?);
        let step = |x: i32, y: i32, origin: &Value| json!({ "type": "pointerMove", "duration": STEP_MS, "x": x, "y": y, "origin": origin });
        let steps = [
            step(0, 0, &from),
            json!({ "type": "pointerDown", "button": 0 }),
            step(8, 4, &from),
            step(16, 8, &from),
            step(-8, -4, &to),
            step(0, 0, &to),
            step(2, 2, &to),
            json!({ "type": "pointerUp", "button": 0 }),
        ];
        self.mouse(&steps).await
    }

    async fn mouse(&self, steps: &[Value]) -> Result<()> {
        let source = json!({ "type": "pointer", "id": "mouse", "parameters": { "pointerType": "mouse" }, "actions": steps });
        self.wire
            .post("actions", &json!({ "actions": [source] }))
            .await
            .map(drop)
    }

    async fn origin(&self, selector: &str) -> Result<Value> {
        Ok(json!({ ELEMENT: self.element(selector).await? }))
    }

    /// The id of the first visible element of a selector.
    pub(super) async fn element(&self, selector: &str) -> Result<String> {
        let script = "return [...document.querySelectorAll(arguments[0])].find((e) => e.checkVisibility()) ?? null";
        let found = self.ask(script, &[json!(selector)]).await?;
        let id = found[ELEMENT].as_str();
        Ok(id
            .with_context(|| format!("nothing to see of {selector}"))?
            .to_owned())
    }
}
