//! The page on which a person reads the API's description.
//!
//! It walks the OpenAPI document as plain JSON, so that it shows what is served
//! and nothing else. An unexpected shape is left out, never a reason to fail.

use askama::Template;
use serde_json::{Map, Value};

use crate::assets;
use crate::html::SafeHtml;
use crate::problem::Problem;

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

#[derive(Template)]
#[template(path = "reference.html")]
struct ReferenceTemplate<'a> {
    title: &'a str,
    version: &'a str,
    description: &'a str,
    json_path: &'a str,
    groups: Vec<Group>,
    schemas: Vec<Schema>,
}

struct Group {
    name: String,
    operations: Vec<Operation>,
}

struct Operation {
    method: String,
    path: String,
    summary: String,
    description: String,
    is_open: bool,
    parameters: Vec<Row>,
    bodies: Vec<Row>,
    responses: Vec<Row>,
}

struct Schema {
    name: String,
    shape: SafeHtml,
    description: String,
    properties: Vec<Row>,
}

struct Row {
    name: String,
    place: String,
    shape: SafeHtml,
    description: String,
}

/// Renders the page of a document.
pub(crate) fn render(document: &Value, json_path: &str) -> Result<SafeHtml, Problem> {
    let info = &document["info"];
    SafeHtml::render(&ReferenceTemplate {
        title: text(&info["title"]),
        version: text(&info["version"]),
        description: text(&info["description"]),
        json_path,
        groups: groups(document),
        schemas: schemas(document),
    })
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("")
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn groups(document: &Value) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (path, item) in members(&document["paths"]) {
        for method in METHODS {
            let Some(operation) = item.get(method) else {
                continue;
            };
            let tag = items(&operation["tags"]).next().map_or("API", text);
            let shown = read_operation(path, method, operation, &item["parameters"]);
            match groups.iter_mut().find(|group| group.name == tag) {
                Some(group) => group.operations.push(shown),
                None => groups.push(Group {
                    name: tag.to_owned(),
                    operations: vec![shown],
                }),
            }
        }
    }
    groups.sort_by(|a, b| a.name.cmp(&b.name));
    groups
}

fn read_operation(path: &str, method: &str, operation: &Value, shared: &Value) -> Operation {
    let parameters = items(shared)
        .chain(items(&operation["parameters"]))
        .map(|parameter| Row {
            name: text(&parameter["name"]).to_owned(),
            place: place(parameter),
            shape: shape(&parameter["schema"]),
            description: text(&parameter["description"]).to_owned(),
        });
    let body = &operation["requestBody"];
    let bodies = members(&body["content"]).map(|(kind, content)| Row {
        name: kind.clone(),
        place: if body["required"] == true {
            "required".into()
        } else {
            "optional".into()
        },
        shape: shape(&content["schema"]),
        description: text(&body["description"]).to_owned(),
    });
    Operation {
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: text(&operation["summary"]).to_owned(),
        description: text(&operation["description"]).to_owned(),
        is_open: operation["security"]
            .as_array()
            .is_some_and(|needed| needed.iter().any(is_nothing)),
        parameters: parameters.collect(),
        bodies: bodies.collect(),
        responses: members(&operation["responses"])
            .flat_map(read_response)
            .collect(),
    }
}

fn is_nothing(requirement: &Value) -> bool {
    requirement.as_object().is_some_and(Map::is_empty)
}

fn place(parameter: &Value) -> String {
    let needed = if parameter["required"] == true {
        ", required"
    } else {
        ""
    };
    format!("{}{needed}", text(&parameter["in"]))
}

fn read_response((status, response): (&String, &Value)) -> Vec<Row> {
    let row = |place: &str, shape: SafeHtml| Row {
        name: status.clone(),
        place: place.to_owned(),
        shape,
        description: text(&response["description"]).to_owned(),
    };
    let mut rows: Vec<Row> = members(&response["content"])
        .map(|(kind, content)| row(kind, shape(&content["schema"])))
        .collect();
    if rows.is_empty() {
        rows.push(row("", SafeHtml::empty()));
    }
    rows
}

fn schemas(document: &Value) -> Vec<Schema> {
    let read = |(name, schema): (&String, &Value)| {
        let required: Vec<&str> = items(&schema["required"]).map(text).collect();
        let inner = items(&schema["allOf"]).flat_map(|part| members(&part["properties"]));
        let properties = members(&schema["properties"])
            .chain(inner)
            .map(|(name, property)| Row {
                place: if required.contains(&name.as_str()) {
                    "required".into()
                } else {
                    String::new()
                },
                name: name.clone(),
                shape: shape(property),
                description: text(&property["description"]).to_owned(),
            });
        let properties: Vec<Row> = properties.collect();
        Schema {
            name: name.clone(),
            description: text(&schema["description"]).to_owned(),
            shape: if properties.is_empty() {
                shape(schema)
            } else {
                SafeHtml::empty()
            },
            properties,
        }
    };
    members(&document["components"]["schemas"])
        .map(read)
        .collect()
}

/// A schema in a few words, with links to the named ones.
fn shape(schema: &Value) -> SafeHtml {
    if let Some(name) = schema["$ref"]
        .as_str()
        .and_then(|path| path.rsplit('/').next())
    {
        let link = SafeHtml::literal("<a class=\"go\" href=\"#schema-");
        let name = SafeHtml::escape(name);
        return link
            .then(&name)
            .then(&SafeHtml::literal("\">"))
            .then(&name)
            .then(&SafeHtml::literal("</a>"));
    }
    for (key, word) in [("oneOf", " or "), ("anyOf", " or "), ("allOf", " and ")] {
        if schema[key].is_array() {
            return join(items(&schema[key]).map(shape), word);
        }
    }
    if schema["enum"].is_array() {
        return join(
            items(&schema["enum"]).map(|value| SafeHtml::escape(&value.to_string())),
            " | ",
        );
    }
    let kinds: Vec<&str> = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().map(text).collect(),
        kind => vec![text(kind)],
    };
    let kinds = kinds.into_iter().filter(|kind| !kind.is_empty());
    join(kinds.map(|kind| one_kind(kind, schema)), " or ")
}

fn one_kind(kind: &str, schema: &Value) -> SafeHtml {
    match kind {
        "array" => SafeHtml::escape("list of ").then(&shape(&schema["items"])),
        "null" => SafeHtml::escape("null"),
        _ => SafeHtml::escape(&format!("{kind}{}", limits(schema))),
    }
}

fn limits(schema: &Value) -> String {
    let mut limits = Vec::new();
    if let Some(format) = schema["format"].as_str() {
        limits.push(format.to_owned());
    }
    let bounds = [
        ("minimum", "≥ "),
        ("maximum", "≤ "),
        ("minLength", "length ≥ "),
        ("maxLength", "length ≤ "),
    ];
    for (name, words) in bounds {
        if let Some(number) = schema[name].as_number() {
            limits.push(format!("{words}{number}"));
        }
    }
    if let Some(pattern) = schema["pattern"].as_str() {
        limits.push(pattern.to_owned());
    }
    if limits.is_empty() {
        String::new()
    } else {
        format!(" ({})", limits.join(", "))
    }
}

fn join(parts: impl Iterator<Item = SafeHtml>, word: &str) -> SafeHtml {
    let word = SafeHtml::escape(word);
    let mut joined = SafeHtml::empty();
    for part in parts {
        joined = if joined.as_str().is_empty() {
            part
        } else {
            joined.then(&word).then(&part)
        };
    }
    joined
}
