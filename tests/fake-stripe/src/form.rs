//! Nested parameters as SDKs send them: `a[b][0]=c`, `a[]=c`, every value a text.

use serde_json::{Map, Value};

use super::answer::Refusal;

/// Deepest nesting that is read.
const DEPTH: usize = 8;

/// Reads a form or query into a tree.
pub(super) fn parse(text: &str) -> Result<Value, Refusal> {
    let mut tree = Value::Object(Map::new());
    for (name, value) in form_urlencoded::parse(text.as_bytes()) {
        let path = path(&name).ok_or_else(|| {
            Refusal::invalid("parameter_unknown", format!("Invalid parameter: {name}"))
        })?;
        put(&mut tree, &path, &value);
    }
    Ok(lists(tree))
}

fn path(name: &str) -> Option<Vec<String>> {
    let (first, mut rest) = match name.find('[') {
        None => (name, ""),
        Some(at) => name.split_at(at),
    };
    let mut path = vec![first.to_owned()];
    while !rest.is_empty() {
        let inner = rest.strip_prefix('[')?;
        let end = inner.find(']')?;
        path.push(inner[..end].to_owned());
        rest = &inner[end + 1..];
    }
    (path.len() <= DEPTH && !first.is_empty()).then_some(path)
}

fn put(tree: &mut Value, path: &[String], value: &str) {
    let Some((first, rest)) = path.split_first() else {
        *tree = Value::String(value.to_owned());
        return;
    };
    if !tree.is_object() {
        *tree = Value::Object(Map::new());
    }
    if let Value::Object(map) = tree {
        let name = if first.is_empty() {
            map.len().to_string()
        } else {
            first.clone()
        };
        put(map.entry(name).or_insert(Value::Null), rest, value);
    }
}

/// What is numbered from 0 on is a list.
fn lists(tree: Value) -> Value {
    let Value::Object(map) = tree else {
        return tree;
    };
    let is_list = !map.is_empty() && (0..map.len()).all(|at| map.contains_key(&at.to_string()));
    let mut map = map;
    if is_list {
        let items = (0..map.len()).filter_map(|at| map.remove(&at.to_string()));
        return Value::Array(items.collect::<Vec<_>>().into_iter().map(lists).collect());
    }
    Value::Object(
        map.into_iter()
            .map(|(name, value)| (name, lists(value)))
            .collect(),
    )
}

/// Parameters of one call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Params<'a>(pub(super) &'a Value);

impl<'a> Params<'a> {
    /// Refuses names that the call does not have, as Stripe does.
    pub(super) fn only(self, names: &[&str]) -> Result<(), Refusal> {
        let given = self.0.as_object().into_iter().flatten();
        for (name, _) in given {
            if name != "expand" && !names.contains(&name.as_str()) {
                let message = format!("Received unknown parameter: {name}");
                return Err(
                    Refusal::invalid("parameter_unknown", message).with("param", name.as_str())
                );
            }
        }
        Ok(())
    }

    /// By a JSON pointer without its first slash.
    pub(super) fn value(self, path: &str) -> Option<&'a Value> {
        self.0.pointer(&format!("/{path}"))
    }

    pub(super) fn text(self, path: &str) -> Option<&'a str> {
        self.value(path)?.as_str()
    }

    pub(super) fn required(self, path: &str) -> Result<&'a str, Refusal> {
        self.text(path)
            .filter(|text| !text.is_empty())
            .ok_or_else(|| Refusal::missing(&bracketed(path)))
    }

    pub(super) fn integer(self, path: &str) -> Result<Option<i64>, Refusal> {
        let Some(text) = self.text(path) else {
            return Ok(None);
        };
        text.parse().map(Some).map_err(|_| {
            Refusal::invalid(
                "parameter_invalid_integer",
                format!("Invalid integer: {text}"),
            )
            .with("param", bracketed(path))
        })
    }

    pub(super) fn required_integer(self, path: &str) -> Result<i64, Refusal> {
        self.required(path)?;
        self.integer(path)?
            .ok_or_else(|| Refusal::missing(&bracketed(path)))
    }

    /// A map of texts.
    pub(super) fn map(self, path: &str) -> Value {
        match self.value(path) {
            Some(value) if value.is_object() => value.clone(),
            _ => Value::Object(Map::new()),
        }
    }
}

fn bracketed(path: &str) -> String {
    let mut parts = path.split('/');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |name, part| format!("{name}[{part}]"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use serde_json::json;

    #[test]
    fn brackets_become_maps_and_lists() {
        let tree = parse("a=1&b[c]=2&d[]=3&d[]=4&e[0][f]=5&e[1][f]=6&g%5Bh%5D=%C3%BC+x").unwrap();
        assert_eq!(
            tree,
            json!({"a": "1", "b": {"c": "2"}, "d": ["3", "4"], "e": [{"f": "5"}, {"f": "6"}], "g": {"h": "ü x"}})
        );
        assert_eq!(parse("").unwrap(), json!({}));
        for odd in ["[x]=1", "a[b=1", "a[b]c=1"] {
            assert!(parse(odd).is_err(), "{odd}");
        }
    }
}
