//! Every place in a JSON body that can be filled wrongly.
//!
//! For each place there is a whole body around it that is right, so that a refusal is about that
//! place: optional members are put in for their own turn only, each alternative of a `oneOf` too.

use serde_json::{Value, json};

use super::schema::{Schemas, main_type, required};

const MAX_DEPTH: usize = 8;

/// A place in a body.
pub(super) struct Field {
    /// Member names and item numbers from the root.
    pub(super) path: Vec<String>,
    /// What should stand there.
    pub(super) schema: Value,
    /// Whether its object must have it.
    pub(super) is_required: bool,
    /// Whether it is a member of an object that takes any other member too.
    pub(super) in_open_object: bool,
    /// A right body in which the place is filled.
    pub(super) body: Value,
}

impl Field {
    /// The place as RFC 6901 writes it.
    pub(super) fn pointer(&self) -> String {
        pointer(&self.path)
    }

    /// The body with another value at this place.
    pub(super) fn with(&self, value: Value) -> Value {
        with(&self.body, &self.path, value)
    }

    /// The body without this member; `None` where it is no member of an object.
    pub(super) fn without(&self) -> Option<Value> {
        let (name, parent) = self.path.split_last()?;
        let mut body = self.body.clone();
        body.pointer_mut(&pointer(parent))?
            .as_object_mut()?
            .remove(name)?;
        Some(body)
    }

    /// The body with a member beside the known ones, when an object stands here.
    pub(super) fn with_stranger(&self) -> Option<Value> {
        let mut body = self.body.clone();
        let object = body.pointer_mut(&self.pointer())?.as_object_mut()?;
        object.insert(
            "no_such_member".into(),
            json!({"nested": [1, null, "text"]}),
        );
        Some(body)
    }
}

fn pointer(path: &[String]) -> String {
    let escaped = path
        .iter()
        .map(|step| step.replace('~', "~0").replace('/', "~1"));
    escaped.flat_map(|step| ["/".to_owned(), step]).collect()
}

fn with(body: &Value, path: &[String], value: Value) -> Value {
    let mut body = body.clone();
    if let Some(place) = body.pointer_mut(&pointer(path)) {
        *place = value;
    } else if let Some((name, parent)) = path.split_last() {
        match body.pointer_mut(&pointer(parent)) {
            Some(Value::Object(members)) => {
                members.insert(name.clone(), value);
            }
            Some(Value::Array(items)) => items.push(value),
            _ => {}
        }
    }
    body
}

/// All places of a body, the root first.
pub(super) fn fields_of(schemas: Schemas<'_>, schema: &Value, body: &Value) -> Vec<Field> {
    let mut walk = Walk {
        schemas,
        found: Vec::new(),
    };
    walk.add(&[], schema, true, false, body);
    walk.found
}

struct Walk<'a> {
    schemas: Schemas<'a>,
    found: Vec<Field>,
}

impl Walk<'_> {
    fn add(
        &mut self,
        path: &[String],
        schema: &Value,
        is_required: bool,
        open: bool,
        body: &Value,
    ) {
        self.found.push(Field {
            path: path.to_vec(),
            schema: schema.clone(),
            is_required,
            in_open_object: open,
            body: body.clone(),
        });
        self.descend(path, schema, body);
    }

    fn descend(&mut self, path: &[String], schema: &Value, body: &Value) {
        if path.len() >= MAX_DEPTH {
            return;
        }
        let schema = self.schemas.flat(schema);
        for variant in self.schemas.variants(&schema) {
            let there = body.pointer(&pointer(path)).unwrap_or(&Value::Null);
            if self.schemas.is_broken_by(&variant, there) {
                let example = self.schemas.example(&variant);
                self.descend(path, &variant, &with(body, path, example));
            } else {
                self.descend(path, &variant, body);
            }
        }
        match main_type(&schema) {
            Some("object") => self.members(path, &schema, body),
            Some("array") => {
                let items = schema.get("items").unwrap_or(&Value::Null);
                self.child(path, "0", items, (true, false), body);
            }
            _ => {}
        }
    }

    fn members(&mut self, path: &[String], schema: &Value, body: &Value) {
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let is_required = required(schema).any(|required| required == name);
            self.child(path, name, property, (is_required, false), body);
        }
        let Some(other) = schema
            .get("additionalProperties")
            .filter(|other| other.is_object())
        else {
            return;
        };
        let there = body.pointer(&pointer(path)).and_then(Value::as_object);
        let name = there.and_then(|members| members.keys().next().cloned());
        self.child(
            path,
            name.as_deref().unwrap_or("key"),
            other,
            (false, true),
            body,
        );
    }

    /// A member or item, with an example put in where the body has none.
    fn child(
        &mut self,
        path: &[String],
        name: &str,
        schema: &Value,
        (is_required, open): (bool, bool),
        body: &Value,
    ) {
        let mut path = path.to_vec();
        path.push(name.to_owned());
        let is_there = body
            .pointer(&pointer(&path))
            .is_some_and(|there| !there.is_null());
        if is_there {
            self.add(&path, schema, is_required, open, body);
        } else {
            let example = self.schemas.example(schema);
            self.add(
                &path,
                schema,
                is_required,
                open,
                &with(body, &path, example),
            );
        }
    }
}
