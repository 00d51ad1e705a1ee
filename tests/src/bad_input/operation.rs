//! The routes of an OpenAPI document, in the shape that the cases are built from.
//!
//! Read as found: a document that says less than it should shows up as findings, not here.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use serde_json::Value;

use super::schema::Schemas;

const METHODS: [&str; 7] = ["get", "put", "post", "delete", "options", "patch", "head"];

/// Where a parameter stands in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Path,
    Query,
    Header,
}

#[derive(Debug, Clone)]
pub(super) struct Parameter {
    pub(super) name: String,
    pub(super) place: Place,
    pub(super) is_required: bool,
    pub(super) schema: Value,
    pub(super) example: Value,
}

#[derive(Debug, Clone)]
pub(super) struct RequestBody {
    pub(super) media_type: String,
    pub(super) is_required: bool,
    pub(super) schema: Value,
    pub(super) example: Value,
}

impl RequestBody {
    pub(super) fn is_json(&self) -> bool {
        self.media_type == "application/json" || self.media_type.ends_with("+json")
    }
}

/// One method of one path.
#[derive(Debug, Clone)]
pub(super) struct Operation {
    /// Upper case.
    pub(super) method: String,
    /// As the document writes it, with `{…}`.
    pub(super) path: String,
    pub(super) parameters: Vec<Parameter>,
    pub(super) body: Option<RequestBody>,
    pub(super) needs_sign_in: bool,
    responses: BTreeSet<String>,
}

impl Operation {
    /// `POST /api/v1/orders`
    pub(super) fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    pub(super) fn documents(&self, status: u16) -> bool {
        let class = format!("{}XX", status / 100);
        let keys = [
            status.to_string(),
            class.to_lowercase(),
            class,
            "default".to_owned(),
        ];
        keys.iter().any(|key| self.responses.contains(key))
    }

    pub(super) fn parameter(&self, place: Place, name: &str) -> Option<&Parameter> {
        let is_it = |one: &&Parameter| one.place == place && one.name.eq_ignore_ascii_case(name);
        self.parameters.iter().find(is_it)
    }
}

/// All operations, in the document's order of paths.
pub(super) fn operations_of(document: &Value) -> Result<Vec<Operation>> {
    let paths = document["paths"]
        .as_object()
        .context("the document has no paths")?;
    let mut operations = Vec::new();
    for (path, item) in paths {
        for method in METHODS {
            if let Some(found) = item.get(method) {
                operations.push(read(document, path, item, method, found));
            }
        }
    }
    Ok(operations)
}

/// The methods that each path has, upper case.
pub(super) fn methods_of(operations: &[Operation]) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut methods = BTreeMap::<&str, BTreeSet<&str>>::new();
    for operation in operations {
        methods
            .entry(&operation.path)
            .or_default()
            .insert(&operation.method);
    }
    methods
}

fn read(document: &Value, path: &str, item: &Value, method: &str, found: &Value) -> Operation {
    let schemas = Schemas::new(document);
    let shared = item["parameters"].as_array().into_iter().flatten();
    let own = found["parameters"].as_array().into_iter().flatten();
    let security = found.get("security").or_else(|| document.get("security"));
    let alternatives = security.and_then(Value::as_array);
    let is_open = |one: &Value| one.as_object().is_some_and(serde_json::Map::is_empty);
    Operation {
        method: method.to_uppercase(),
        path: path.to_owned(),
        parameters: shared
            .chain(own)
            .filter_map(|parameter| read_parameter(schemas, schemas.resolve(parameter)))
            .collect(),
        body: found
            .get("requestBody")
            .and_then(|body| read_body(schemas, schemas.resolve(body))),
        needs_sign_in: alternatives.is_some_and(|all| !all.is_empty() && !all.iter().any(is_open)),
        responses: found["responses"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(key, _)| key.clone())
            .collect(),
    }
}

fn read_parameter(schemas: Schemas<'_>, found: &Value) -> Option<Parameter> {
    let place = match found["in"].as_str()? {
        "path" => Place::Path,
        "query" => Place::Query,
        "header" => Place::Header,
        _ => return None,
    };
    let schema = found.get("schema").cloned().unwrap_or(Value::Null);
    Some(Parameter {
        name: found["name"].as_str()?.to_owned(),
        place,
        is_required: place == Place::Path || found["required"] == true,
        example: example_beside(found).unwrap_or_else(|| schemas.example(&schema)),
        schema,
    })
}

fn read_body(schemas: Schemas<'_>, found: &Value) -> Option<RequestBody> {
    let content = found["content"].as_object()?;
    let (media_type, media) = content
        .iter()
        .find(|(media_type, _)| media_type.contains("json"))
        .or_else(|| content.iter().next())?;
    let schema = media.get("schema").cloned().unwrap_or(Value::Null);
    Some(RequestBody {
        media_type: media_type.clone(),
        is_required: found["required"] == true,
        example: example_beside(media).unwrap_or_else(|| schemas.example(&schema)),
        schema,
    })
}

/// `example`, or the first of the named `examples`, next to a schema.
fn example_beside(found: &Value) -> Option<Value> {
    let named = found["examples"]
        .as_object()
        .and_then(|all| all.values().next());
    found
        .get("example")
        .or_else(|| named?.get("value"))
        .cloned()
}
