//! Links and forms of a page.

/// What a page offers.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// Addresses of this server, as links and as what scripts fetch.
    pub links: Vec<String>,
    /// Its forms that are posted as fields.
    pub forms: Vec<Form>,
}

/// A form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Form {
    /// Where it is sent.
    pub action: String,
    /// Its fields, filled as the page fills them.
    pub fields: Vec<Field>,
    /// What sends it.
    pub buttons: Vec<Button>,
}

/// A field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// What may be typed: `text`, `email`, `numeric` …; `fixed` for a choice or a hidden one.
    pub kind: String,
    /// Whether something must stand there.
    pub is_required: bool,
    /// What there is to choose from; empty where one types.
    pub choices: Vec<String>,
}

/// What sends a form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Button {
    /// What it adds.
    pub adds: Option<(String, String)>,
    /// Where it sends the form instead.
    pub action: Option<String>,
}

struct Tag<'a> {
    name: &'a str,
    attributes: Vec<(&'a str, String)>,
    /// What follows up to the next tag.
    text: &'a str,
}

impl Tag<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        let mut found = self.attributes.iter();
        found
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.as_str())
    }

    fn value(&self, name: &str) -> String {
        self.get(name).unwrap_or_default().to_owned()
    }

    fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }
}

fn plain(text: &str) -> String {
    [
        ("&#34;", "\""),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&#38;", "&"),
        ("&#60;", "<"),
        ("&lt;", "<"),
        ("&#62;", ">"),
        ("&gt;", ">"),
        ("&amp;", "&"),
    ]
    .iter()
    .fold(text.to_owned(), |text, (entity, letter)| {
        text.replace(entity, letter)
    })
}

/// The tags of a page in their order.
fn tags(html: &str) -> Vec<Tag<'_>> {
    let mut found = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        let end = rest
            .find(|letter: char| letter == '>' || letter.is_whitespace())
            .unwrap_or(rest.len());
        let name = &rest[..end];
        rest = &rest[end..];
        let mut attributes = Vec::new();
        loop {
            rest = rest.trim_start();
            if rest.is_empty() || rest.starts_with('>') {
                break;
            }
            let end = rest
                .find(|letter: char| letter == '=' || letter == '>' || letter.is_whitespace())
                .unwrap_or(rest.len());
            let attribute = &rest[..end];
            rest = &rest[end..];
            let mut value = String::new();
            if let Some(quoted) = rest.strip_prefix("=\"") {
                let end = quoted.find('"').unwrap_or(quoted.len());
                value = plain(&quoted[..end]);
                rest = quoted.get(end + 1..).unwrap_or_default();
            } else if attribute.is_empty() {
                // Something else than an attribute, as in a comment.
                rest = &rest[rest.chars().next().map_or(0, char::len_utf8)..];
            }
            attributes.push((attribute, value));
        }
        rest = rest.strip_prefix('>').unwrap_or(rest);
        let text = &rest[..rest.find('<').unwrap_or(rest.len())];
        found.push(Tag {
            name,
            attributes,
            text,
        });
    }
    found
}

impl Page {
    /// Reads a page.
    #[must_use]
    pub fn read(html: &str) -> Self {
        let mut page = Self::default();
        let mut form: Option<Form> = None;
        let mut choice: Option<(Field, bool)> = None;
        let mut in_template = false;
        // The id of each form of the page, and buttons that stand elsewhere and name their form.
        let mut ids: Vec<String> = Vec::new();
        let mut id = String::new();
        let mut apart: Vec<(String, Button)> = Vec::new();
        for tag in tags(html) {
            match tag.name {
                "template" => in_template = true,
                "/template" => in_template = false,
                _ => {}
            }
            if in_template {
                continue;
            }
            for name in ["href", "hx-get"] {
                if let Some(address) = tag.get(name).filter(|address| address.starts_with('/')) {
                    page.links.push(address.to_owned());
                }
            }
            match tag.name {
                "form" => {
                    let is_posted = tag.get("method") == Some("post");
                    let is_plain = tag.get("enctype").is_none();
                    id = tag.value("id");
                    form = (is_posted && is_plain).then(|| Form {
                        action: tag.value("action"),
                        ..Form::default()
                    });
                }
                "/form" => {
                    if let Some(form) = form.take() {
                        page.forms.push(form);
                        ids.push(std::mem::take(&mut id));
                    }
                }
                "select" => {
                    choice = Some((
                        Field {
                            name: tag.value("name"),
                            kind: "fixed".to_owned(),
                            ..Field::default()
                        },
                        false,
                    ));
                }
                "option" => {
                    if let Some((field, is_chosen)) = &mut choice {
                        let value = tag
                            .get("value")
                            .map_or_else(|| plain(tag.text), str::to_owned);
                        if !value.is_empty() {
                            field.choices.push(value.clone());
                        }
                        let is_first = field.value.is_empty();
                        if tag.has("selected") || (!*is_chosen && is_first) {
                            *is_chosen |= tag.has("selected") && !value.is_empty();
                            field.value = value;
                        }
                    }
                }
                "/select" => {
                    if let (Some(form), Some((field, _))) = (&mut form, choice.take()) {
                        form.fields.push(field);
                    }
                }
                "input" | "textarea" => {
                    if let Some(form) = &mut form {
                        // Of several choices the one that is on counts, or as a person would take it, the first.
                        let is_on = tag.get("type") == Some("radio") && tag.has("checked");
                        let name = tag.get("name").unwrap_or_default();
                        form.fields.retain(|field| !is_on || field.name != name);
                        form.fields.extend(field(&tag, &form.fields));
                    }
                }
                "button" => {
                    let sends = !matches!(tag.get("type"), Some("button" | "reset"));
                    let button = Button {
                        adds: tag
                            .get("name")
                            .map(|name| (name.to_owned(), tag.value("value"))),
                        action: tag.get("formaction").map(str::to_owned),
                    };
                    match (tag.get("form"), &mut form) {
                        (Some(of), _) if sends => apart.push((of.to_owned(), button)),
                        (None, Some(form)) if sends => form.buttons.push(button),
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        for (of, button) in apart {
            let mut forms = ids.iter().zip(&mut page.forms);
            if let Some((_, form)) = forms.find(|(id, _)| **id == of) {
                form.buttons.push(button);
            }
        }
        page
    }
}

fn field(tag: &Tag<'_>, known: &[Field]) -> Option<Field> {
    let name = tag.get("name").filter(|name| !name.is_empty())?.to_owned();
    let kind = tag.get("type").unwrap_or("text");
    let is_on = tag.has("checked");
    let is_first = !known.iter().any(|field| field.name == name);
    let taken = match kind {
        "submit" | "button" | "file" => false,
        "checkbox" => is_on || tag.has("required"),
        "radio" => is_on || is_first,
        _ => !tag.has("disabled"),
    };
    let is_fixed = matches!(kind, "hidden" | "checkbox" | "radio") || tag.has("readonly");
    taken.then(|| Field {
        name,
        value: match tag.name {
            "textarea" => plain(tag.text.trim_start_matches('\n')),
            _ => tag.get("value").map_or_else(
                || {
                    if is_fixed {
                        "on".to_owned()
                    } else {
                        String::new()
                    }
                },
                str::to_owned,
            ),
        },
        kind: if is_fixed {
            "fixed".to_owned()
        } else {
            tag.get("inputmode").unwrap_or(kind).to_owned()
        },
        is_required: tag.has("required"),
        choices: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_read_as_a_browser_fills_them() {
        let page = Page::read(
            r#"<a href="/a&amp;b" class="x">A</a><button form="far">Far</button><form method="get" action="/q"><input name="q"></form>
            <form class="sheet" method="post" action="/do"><input type="hidden" name="key" value="k-1">
            <input name="n" value="1 &lt; 2" inputmode="numeric" required><input type="checkbox" name="c" value="yes">
            <select name="s"><option value="">none</option><option value="b" selected>B</option><option value="c">C</option></select>
            <textarea name="t">one
two</textarea><button type="button">no</button><button name="act" value="go" formaction="/other">Go</button></form>
            <form id="far" method="post" action="/far"><input type="hidden" name="key" value="k-2"></form>"#,
        );
        assert_eq!(page.links, ["/a&b"]);
        let [form, far] = &page.forms[..] else {
            panic!("{:?}", page.forms)
        };
        assert_eq!(form.action, "/do");
        assert_eq!((&*far.action, far.buttons.len()), ("/far", 1));
        let values: Vec<(&str, &str)> = form
            .fields
            .iter()
            .map(|field| (field.name.as_str(), field.value.as_str()))
            .collect();
        let wanted = [
            ("key", "k-1"),
            ("n", "1 < 2"),
            ("s", "b"),
            ("t", "one\ntwo"),
        ];
        assert_eq!(values, wanted);
        assert_eq!(form.buttons.len(), 1);
        assert_eq!(form.buttons[0].action.as_deref(), Some("/other"));
    }
}
