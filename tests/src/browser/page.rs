//! Going to pages, reading them, filling fields.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::{Browser, SHOWN_WITHIN};
use crate::process::chain::wait::until;

impl Browser {
    /// Goes to an address and waits until it is loaded.
    ///
    /// # Errors
    /// When it does not load.
    pub async fn go(&self, url: &str) -> Result<()> {
        self.wire
            .post("url", &json!({ "url": url }))
            .await
            .with_context(|| format!("going to {url}"))
            .map(drop)
    }

    /// The back button.
    ///
    /// # Errors
    /// When the browser refuses.
    pub async fn back(&self) -> Result<()> {
        self.wire.post("back", &json!({})).await.map(drop)
    }

    /// The reload button; a form that was posted is posted again.
    ///
    /// # Errors
    /// When the browser refuses.
    pub async fn reload(&self) -> Result<()> {
        self.wire.post("refresh", &json!({})).await.map(drop)
    }

    /// The address of the page.
    ///
    /// # Errors
    /// When there is none.
    pub async fn address(&self) -> Result<String> {
        let url = self.wire.get("url").await?;
        Ok(url.as_str().context("a page without address")?.to_owned())
    }

    /// The path of the address.
    ///
    /// # Errors
    /// When the page does not answer.
    pub async fn path(&self) -> Result<String> {
        let path = self.ask("return location.pathname", &[]).await?;
        Ok(path.as_str().unwrap_or_default().to_owned())
    }

    /// Waits until the path of the address is this, or begins with it where it ends in `*`.
    ///
    /// # Errors
    /// When it does not become so.
    pub async fn until_at(&self, path: &str) -> Result<()> {
        until(
            &format!("the page becomes {path}"),
            SHOWN_WITHIN,
            async || {
                let script = "return document.readyState === 'complete' ? location.pathname : ''";
                // Between two pages there is none to ask.
                let seen = self.ask(script, &[]).await.unwrap_or(Value::Null);
                let seen = seen.as_str().unwrap_or_default();
                let fits = match path.strip_suffix('*') {
                    Some(start) => seen.starts_with(start),
                    None => seen == path,
                };
                Ok(if fits { Ok(()) } else { Err(seen.to_owned()) })
            },
        )
        .await
    }

    /// Waits until a selector has a visible element.
    ///
    /// # Errors
    /// When it has none in time.
    pub async fn until_shown(&self, selector: &str) -> Result<()> {
        let script =
            "return [...document.querySelectorAll(arguments[0])].some((e) => e.checkVisibility())";
        self.until_true(&format!("{selector} is shown"), script, &[json!(selector)])
            .await
    }

    /// Waits until a selector has no visible element.
    ///
    /// # Errors
    /// When it keeps one.
    pub async fn until_gone(&self, selector: &str) -> Result<()> {
        let script =
            "return ![...document.querySelectorAll(arguments[0])].some((e) => e.checkVisibility())";
        self.until_true(&format!("{selector} is gone"), script, &[json!(selector)])
            .await
    }

    /// Waits until what a selector names contains these words.
    ///
    /// # Errors
    /// When it does not in time.
    pub async fn until_text(&self, selector: &str, words: &str) -> Result<()> {
        let script = "return [...document.querySelectorAll(arguments[0])].some((e) => e.textContent.includes(arguments[1]))";
        self.until_true(
            &format!("{selector} says {words:?}"),
            script,
            &[json!(selector), json!(words)],
        )
        .await
    }

    /// Waits until a script's answer is true.
    ///
    /// # Errors
    /// When it does not become so; names the page and what it says.
    pub async fn until_true(&self, what: &str, script: &str, arguments: &[Value]) -> Result<()> {
        let outcome = until(what, SHOWN_WITHIN, async || {
            let seen = self.ask(script, arguments).await;
            Ok(match seen {
                Ok(Value::Bool(true)) => Ok(()),
                Ok(other) => Err(other.to_string()),
                Err(error) => Err(format!("{error:#}")),
            })
        })
        .await;
        match outcome {
            Ok(()) => Ok(()),
            Err(error) => Err(error.context(self.shown().await)),
        }
    }

    /// The page in words, for a failed test.
    async fn shown(&self) -> String {
        let script = "return location.href + '\\n' + (document.querySelector('main') ?? document.body).innerText.slice(0, 1500)";
        let text = self.ask(script, &[]).await;
        text.ok()
            .and_then(|text| text.as_str().map(str::to_owned))
            .unwrap_or_default()
    }

    /// The text of the first element of a selector, hidden or not.
    ///
    /// # Errors
    /// When there is none.
    pub async fn text(&self, selector: &str) -> Result<String> {
        let script = "return document.querySelector(arguments[0])?.textContent ?? null";
        let text = self.ask(script, &[json!(selector)]).await?;
        let text = text.as_str();
        Ok(text
            .with_context(|| format!("no {selector}"))?
            .trim()
            .to_owned())
    }

    /// How many elements a selector has.
    ///
    /// # Errors
    /// When the page does not answer.
    pub async fn count(&self, selector: &str) -> Result<u64> {
        let script = "return document.querySelectorAll(arguments[0]).length";
        let count = self.ask(script, &[json!(selector)]).await?;
        count.as_u64().context("a count is a number")
    }

    /// Whether a selector has a visible element now.
    ///
    /// # Errors
    /// When the page does not answer.
    pub async fn shows(&self, selector: &str) -> Result<bool> {
        Ok(self.element(selector).await.is_ok())
    }

    /// Puts the focus on a field and replaces what is in it by typing.
    ///
    /// # Errors
    /// When there is no such field.
    pub async fn fill(&mut self, selector: &str, text: &str) -> Result<()> {
        self.until_shown(selector).await?;
        let script = "const e = document.querySelector(arguments[0]); e.focus(); e.select?.(); return document.activeElement === e";
        let focused = self.ask(script, &[json!(selector)]).await?;
        ensure!(focused == true, "{selector} takes no focus");
        self.type_text(text).await
    }

    /// Chooses a value of a list, as a person would by key or click.
    ///
    /// # Errors
    /// When there is no such value.
    pub async fn choose(&self, selector: &str, value: &str) -> Result<()> {
        self.until_shown(selector).await?;
        let script = "const e = document.querySelector(arguments[0]); e.value = arguments[1]; \
             e.dispatchEvent(new Event('input', { bubbles: true })); e.dispatchEvent(new Event('change', { bubbles: true })); \
             return e.value === arguments[1]";
        let chosen = self.ask(script, &[json!(selector), json!(value)]).await?;
        ensure!(chosen == true, "{selector} has no {value}");
        Ok(())
    }

    /// What has the focus: its id, else its name.
    ///
    /// # Errors
    /// When the page does not answer.
    pub async fn focused(&self) -> Result<String> {
        let script = "const e = document.activeElement; return e.id || e.name || e.tagName";
        let name = self.ask(script, &[]).await?;
        Ok(name.as_str().unwrap_or_default().to_owned())
    }
}
