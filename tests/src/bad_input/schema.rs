//! What the schemas of an OpenAPI 3.1 document say: an example that fits, and whether a value does.
//!
//! Knows what utoipa writes: `$ref`, `allOf`, `oneOf`, `anyOf`, type lists with `"null"`, bounds.
//! A `pattern` is not solved: a text that needs one needs an example in the document.

use serde_json::{Map, Value, json};

/// Deeper than this no example is built, so that a schema may contain itself.
const MAX_DEPTH: usize = 8;

/// A UUID that no record has.
pub(super) const UNKNOWN_ID: &str = "ffffffff-ffff-4fff-bfff-fffffffffff0";

/// The document whose components the schemas point to.
#[derive(Clone, Copy)]
pub(super) struct Schemas<'a> {
    document: &'a Value,
}

impl<'a> Schemas<'a> {
    pub(super) const fn new(document: &'a Value) -> Self {
        Self { document }
    }

    /// Follows `$ref`, of schemas as of parameters and bodies. A dangling one gives itself.
    pub(super) fn resolve<'v>(self, mut value: &'v Value) -> &'v Value
    where
        'a: 'v,
    {
        for _ in 0..32 {
            let Some(pointer) = value.get("$ref").and_then(Value::as_str) else {
                break;
            };
            let Some(target) = self.document.pointer(pointer.trim_start_matches('#')) else {
                break;
            };
            value = target;
        }
        value
    }

    /// The schema with its reference followed and its `allOf` folded into one object.
    pub(super) fn flat(self, schema: &Value) -> Value {
        self.flat_to(schema, MAX_DEPTH)
    }

    fn flat_to(self, schema: &Value, depth: usize) -> Value {
        let schema = self.resolve(schema);
        let Some(parts) = list(schema, "allOf").filter(|_| depth > 0) else {
            return schema.clone();
        };
        let mut whole = schema.as_object().cloned().unwrap_or_default();
        whole.remove("allOf");
        for part in parts {
            if let Value::Object(part) = self.flat_to(part, depth - 1) {
                fold(&mut whole, part);
            }
        }
        Value::Object(whole)
    }

    /// A value that fits the schema: its own example, else one of required members only.
    pub(super) fn example(self, schema: &Value) -> Value {
        self.example_to(schema, MAX_DEPTH)
    }

    fn example_to(self, schema: &Value, depth: usize) -> Value {
        let schema = self.flat(schema);
        if let Some(given) = given_example(&schema) {
            return given;
        }
        if depth == 0 {
            return Value::Null;
        }
        let mut value = match self.variants(&schema).first() {
            Some(variant) => self.example_to(variant, depth - 1),
            None => Value::Null,
        };
        match main_type(&schema) {
            Some("object") => {
                let mut members = value.as_object().cloned().unwrap_or_default();
                members.extend(self.required_members(&schema, depth));
                value = Value::Object(members);
            }
            Some("array") => value = self.array_example(&schema, depth),
            Some("string") => value = json!(text_example(&schema)),
            Some("integer") => value = json!(schema["minimum"].as_i64().unwrap_or(1).max(1)),
            Some("number") => value = json!(schema["minimum"].as_f64().unwrap_or(1.5)),
            Some("boolean") => value = json!(true),
            _ => {}
        }
        value
    }

    fn required_members(self, schema: &Value, depth: usize) -> Map<String, Value> {
        let properties = schema["properties"].as_object();
        required(schema)
            .filter_map(|name| Some((name, properties?.get(name)?)))
            .map(|(name, property)| (name.to_owned(), self.example_to(property, depth - 1)))
            .collect()
    }

    fn array_example(self, schema: &Value, depth: usize) -> Value {
        let count = schema["minItems"].as_u64().unwrap_or(1).clamp(1, 8);
        let items = schema.get("items").unwrap_or(&Value::Null);
        (0..count)
            .map(|_| self.example_to(items, depth - 1))
            .collect()
    }

    /// The alternatives of a schema, `null` left out.
    pub(super) fn variants(self, schema: &Value) -> Vec<Value> {
        ["oneOf", "anyOf"]
            .into_iter()
            .filter_map(|key| list(schema, key))
            .flatten()
            .map(|variant| self.flat(variant))
            .filter(|variant| main_type(variant) != Some("null"))
            .collect()
    }

    /// Whether the value breaks what the schema says.
    pub(super) fn is_broken_by(self, schema: &Value, value: &Value) -> bool {
        self.breaks_to(schema, value, MAX_DEPTH)
    }

    fn breaks_to(self, schema: &Value, value: &Value, depth: usize) -> bool {
        let schema = self.flat(schema);
        if depth == 0 {
            return false;
        }
        let no_alternative_fits = ["oneOf", "anyOf"].into_iter().any(|key| {
            list(&schema, key)
                .is_some_and(|all| all.iter().all(|one| self.breaks_to(one, value, depth - 1)))
        });
        let not_listed = list(&schema, "enum").is_some_and(|all| !all.contains(value))
            || schema.get("const").is_some_and(|only| only != value);
        let wrong_type = {
            let mut types = types(&schema).peekable();
            types.peek().is_some() && !types.any(|name| has_type(value, name))
        };
        let out_of_bounds = match value {
            Value::Number(_) => number_out_of_bounds(&schema, value),
            Value::String(text) => text_out_of_bounds(&schema, text),
            Value::Array(items) => {
                let length = items.len() as u64;
                schema["minItems"]
                    .as_u64()
                    .is_some_and(|least| length < least)
                    || schema["maxItems"]
                        .as_u64()
                        .is_some_and(|most| length > most)
                    || schema.get("items").is_some_and(|schema| {
                        items
                            .iter()
                            .any(|item| self.breaks_to(schema, item, depth - 1))
                    })
            }
            Value::Object(members) => self.members_break(&schema, members, depth),
            Value::Null | Value::Bool(_) => false,
        };
        no_alternative_fits || not_listed || wrong_type || out_of_bounds
    }

    fn members_break(self, schema: &Value, members: &Map<String, Value>, depth: usize) -> bool {
        let property = |name: &str| schema.get("properties").and_then(|all| all.get(name));
        let closed = schema.get("additionalProperties") == Some(&json!(false));
        required(schema).any(|name| !members.contains_key(name))
            || members.iter().any(|(name, value)| match property(name) {
                Some(schema) => self.breaks_to(schema, value, depth - 1),
                None => closed,
            })
    }
}

/// The array under a key.
fn list<'v>(schema: &'v Value, key: &str) -> Option<&'v Vec<Value>> {
    schema.get(key).and_then(Value::as_array)
}

/// The names of the members that must be there.
pub(super) fn required(schema: &Value) -> impl Iterator<Item = &str> {
    list(schema, "required")
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

fn fold(whole: &mut Map<String, Value>, part: Map<String, Value>) {
    for (key, value) in part {
        match (whole.get_mut(&key), value) {
            (Some(Value::Object(there)), Value::Object(more)) => there.extend(more),
            (Some(Value::Array(there)), Value::Array(more)) => there.extend(more),
            (Some(_), _) => {}
            (None, value) => {
                whole.insert(key, value);
            }
        }
    }
}

fn given_example(schema: &Value) -> Option<Value> {
    let first = |key: &str| list(schema, key).and_then(|all| all.first()).cloned();
    schema
        .get("example")
        .cloned()
        .or_else(|| first("examples"))
        .or_else(|| schema.get("const").cloned())
        .or_else(|| {
            schema
                .get("default")
                .cloned()
                .filter(|value| !value.is_null())
        })
        .or_else(|| first("enum"))
}

fn types(schema: &Value) -> impl Iterator<Item = &str> {
    let one = schema.get("type").and_then(Value::as_str);
    one.into_iter().chain(
        list(schema, "type")
            .into_iter()
            .flatten()
            .filter_map(Value::as_str),
    )
}

/// The type of a schema other than `null`, `null` when it has no other.
pub(super) fn main_type(schema: &Value) -> Option<&str> {
    let implied = schema.get("properties").map(|_| "object");
    types(schema)
        .find(|name| *name != "null")
        .or_else(|| types(schema).next())
        .or(implied)
}

fn has_type(value: &Value, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "number" => value.is_number(),
        "integer" => {
            value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|n| n.fract() == 0.0)
        }
        _ => true,
    }
}

fn number_out_of_bounds(schema: &Value, value: &Value) -> bool {
    let number = value.as_f64().unwrap_or(f64::NAN);
    let bound = |key: &str| schema.get(key).and_then(Value::as_f64);
    bound("minimum").is_some_and(|least| number < least)
        || bound("maximum").is_some_and(|most| number > most)
        || bound("exclusiveMinimum").is_some_and(|least| number <= least)
        || bound("exclusiveMaximum").is_some_and(|most| number >= most)
}

fn text_out_of_bounds(schema: &Value, text: &str) -> bool {
    let length = text.chars().count() as u64;
    schema["minLength"]
        .as_u64()
        .is_some_and(|least| length < least)
        || schema["maxLength"]
            .as_u64()
            .is_some_and(|most| length > most)
        || (schema["format"] == "uuid" && !is_uuid(text))
}

fn is_uuid(text: &str) -> bool {
    let groups: Vec<usize> = text.split('-').map(str::len).collect();
    groups == [8, 4, 4, 4, 12]
        && text
            .bytes()
            .all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

fn text_example(schema: &Value) -> String {
    let fitting = match schema["format"].as_str() {
        Some("uuid") => UNKNOWN_ID,
        Some("date-time") => "2030-05-31T12:00:00Z",
        Some("date") => "2030-05-31",
        Some("email") => "person@example.org",
        Some("uri") => "https://example.org/",
        _ => "text",
    };
    let least = schema["minLength"].as_u64().unwrap_or(0).min(4096);
    let missing = least.saturating_sub(fitting.len() as u64);
    let most = schema["maxLength"].as_u64().unwrap_or(u64::MAX);
    let text: String = fitting.chars().chain((0..missing).map(|_| 'x')).collect();
    text.chars()
        .take(usize::try_from(most).unwrap_or(usize::MAX))
        .collect()
}
