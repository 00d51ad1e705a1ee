//! Where a page leads: its links, and the shape of an address, so that one page of each kind is visited and not
//! thousands.

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::Browser;

impl Browser {
    /// Paths with queries of the links to pages of the same program, seen or not, downloads and the API left out.
    ///
    /// # Errors
    /// When the page does not answer.
    pub async fn links(&self) -> Result<Vec<String>> {
        let script = "return [...document.querySelectorAll('a[href]:not([download])')].map((a) => new URL(a.href)) \
            .filter((url) => url.origin === location.origin && !url.pathname.startsWith('/api/')) \
            .map((url) => url.pathname + url.search)";
        let found = self.ask(script, &[]).await?;
        let links = found.as_array().context("links are a list")?;
        Ok(links
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect())
    }

    /// The status with which the page in front was answered.
    ///
    /// # Errors
    /// When the browser does not know.
    pub async fn answered_with(&self) -> Result<u64> {
        let script = "return performance.getEntriesByType('navigation')[0]?.responseStatus ?? 0";
        let status = self.ask(script, &[]).await?;
        status.as_u64().context("a status is a number")
    }
}

/// What a path is like, whichever thing it shows: parts with a digit or a capital letter are somebody's name.
#[must_use]
pub fn shape_of(path: &str) -> String {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let is_name =
        |part: &str| part.contains(|letter: char| letter.is_ascii_digit() || letter.is_uppercase());
    let parts: Vec<&str> = path
        .split('/')
        .filter(|part| !part.is_empty())
        .map(|part| if is_name(part) { "one" } else { part })
        .collect();
    parts.join("-")
}

#[cfg(test)]
mod tests {
    use super::shape_of;

    #[test]
    fn two_things_of_a_kind_have_one_shape() {
        assert_eq!(shape_of("/orders/0190-aa?from=board"), "orders-one");
        assert_eq!(shape_of("/orders/0777-bb"), "orders-one");
        assert_eq!(shape_of("/branches/BER/machines"), "branches-one-machines");
        assert_eq!(shape_of("/"), "");
    }
}
