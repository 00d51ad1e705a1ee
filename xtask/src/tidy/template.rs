//! Rules for templates: nothing that the content security policy would refuse.
//!
//! Behaviour is in the modules below `assets/js`, looks in `app.css`; a template has neither.

use super::{Finding, SourceFile};

pub(super) fn check(file: &SourceFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        let lower = line.to_ascii_lowercase();
        let mut find = |advice: &str| findings.push(Finding::at(&file.path, index + 1, advice));
        if lower.contains("hx-on") {
            find("`hx-on` is a script in an attribute: listen in a module below assets/js");
        }
        if file.path.ends_with(".html") && has_attribute(&lower, |name| name == "style") {
            find("`style=` is refused by the content policy: write a class in app.css");
        }
        if has_attribute(&lower, is_handler) {
            find("an `on…=` handler is refused by the content policy: listen in a module");
        }
        if holds_script_address(&lower) {
            find("`js:` and `javascript:` are scripts in an attribute: listen in a module");
        }
    }
    findings
}

fn is_handler(name: &str) -> bool {
    name.len() > 2 && name.starts_with("on") && name.bytes().all(|byte| byte.is_ascii_lowercase())
}

/// Whether an attribute with such a name gets a value on this line.
fn has_attribute(line: &str, is_wanted: impl Fn(&str) -> bool) -> bool {
    line.match_indices('=').any(|(at, _)| {
        let before = line[..at].trim_end();
        let start = before.rfind(|sign: char| !(sign.is_ascii_alphanumeric() || sign == '-'));
        let name = start.map_or(before, |start| &before[start + 1..]);
        let is_after_space = start.is_none_or(|start| before[start..].starts_with([' ', '\t']));
        let opens_value = line[at + 1..].trim_start().starts_with(['"', '\'']);
        is_after_space && opens_value && is_wanted(name)
    })
}

fn holds_script_address(line: &str) -> bool {
    ["js:", "javascript:"].iter().any(|word| {
        line.match_indices(word).any(|(at, _)| {
            line[..at]
                .chars()
                .next_back()
                .is_none_or(|sign| "\"' =".contains(sign))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(text: &str) -> usize {
        check(&SourceFile {
            path: "hub/templates/a.html".to_owned(),
            text: text.to_owned(),
        })
        .len()
    }

    #[test]
    fn scripts_and_styles_in_attributes_are_found() {
        assert_eq!(findings("<button hx-on:click=\"x()\">"), 1);
        assert_eq!(findings("<p style=\"color: red\">"), 1);
        assert_eq!(findings("<button onclick=\"x()\">"), 1);
        assert_eq!(findings("onclick='x()'"), 1);
        assert_eq!(findings("<div hx-vals='js:{a: 1}'>"), 1);
        assert_eq!(findings("<a href=\"javascript:x()\">"), 1);
    }

    #[test]
    fn ordinary_markup_passes() {
        assert_eq!(
            findings("<script type=\"module\" src=\"/assets/js/keys.js\"></script>"),
            0
        );
        assert_eq!(
            findings("<button hx-post=\"/orders\" hx-sync=\"this:drop\">"),
            0
        );
        assert_eq!(findings("<input name=\"condition\" value=\"on\">"), 0);
        assert_eq!(findings("{% if row.on == \"yes\" %}"), 0);
        assert_eq!(findings("<div data-style=\"x\">"), 0);
    }
}
