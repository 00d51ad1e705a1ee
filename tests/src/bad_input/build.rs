//! The requests for one operation: one right one, and every way to get it wrong.
//!
//! Nothing is sent here. Every bad request differs from the right one at one place only, so that a
//! refusal is about that place.

mod body;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::case::{Case, Expect, KEY_HEADER, Key, Request, SignIn};
use super::operation::{Operation, Parameter, Place, RequestBody};
use super::schema::{Schemas, main_type};
use super::values::{for_url, texts};

/// What makes requests right that a document cannot say: records that exist, bodies that fit them.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) values: &'a BTreeMap<String, String>,
    pub(super) bodies: &'a BTreeMap<String, Value>,
    /// Methods of the same path.
    pub(super) methods: &'a BTreeSet<&'a str>,
}

/// All cases of an operation, the right request first.
pub(super) fn cases_of(schemas: Schemas<'_>, operation: &Operation, known: Known<'_>) -> Vec<Case> {
    let mut cases = Cases {
        schemas,
        operation,
        known,
        made: Vec::new(),
    };
    let example = cases.example();
    cases.add("the right request", Expect::Example, example);
    cases.sign_in();
    cases.path_parameters();
    cases.query_parameters();
    cases.headers();
    cases.other_method();
    if let Some(body) = &operation.body {
        if body.is_json() {
            cases.json_body(body);
        } else {
            cases.other_body(body);
        }
    }
    cases.made
}

struct Cases<'a> {
    schemas: Schemas<'a>,
    operation: &'a Operation,
    known: Known<'a>,
    made: Vec<Case>,
}

impl Cases<'_> {
    fn add(&mut self, label: impl Into<String>, expect: Expect, request: Request) {
        self.made.push(Case {
            operation: self.operation.name(),
            label: label.into(),
            expect,
            request,
            is_on_route: true,
        });
    }

    fn add_off_route(&mut self, label: impl Into<String>, request: Request) {
        self.add(label, Expect::Refusal, request);
        if let Some(case) = self.made.last_mut() {
            case.is_on_route = false;
        }
    }

    /// The right request, as far as document and caller can say.
    fn example(&self) -> Request {
        let has_key = self
            .operation
            .parameter(Place::Header, KEY_HEADER)
            .is_some();
        let body = self.operation.body.as_ref();
        Request {
            method: self.operation.method.clone(),
            path: self.path_with(None),
            query: self.query_with(None),
            headers: self.required_headers(),
            key: if has_key { Key::Fresh } else { Key::Absent },
            sign_in: if self.operation.needs_sign_in {
                SignIn::Token
            } else {
                SignIn::Absent
            },
            content_type: body.map(|body| body.media_type.clone()),
            body: body.map(|body| self.body_example_bytes(body)),
        }
    }

    fn body_example(&self, body: &RequestBody) -> Value {
        let known = self.known.bodies.get(&self.operation.name());
        known.unwrap_or(&body.example).clone()
    }

    fn body_example_bytes(&self, body: &RequestBody) -> Vec<u8> {
        match self.body_example(body) {
            Value::String(text) if !body.is_json() => text.into_bytes(),
            value => value.to_string().into_bytes(),
        }
    }

    /// The path with every parameter filled, one of them with another value.
    fn path_with(&self, other: Option<(&str, &str)>) -> String {
        let mut filled = String::new();
        let mut rest = self.operation.path.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            let Some((name, behind)) = after.split_once('}') else {
                break;
            };
            filled.push_str(before);
            match other {
                Some((changed, value)) if changed == name => filled.push_str(&encoded(value)),
                _ => {
                    let until = self.operation.path.len() - behind.len();
                    filled.push_str(&encoded(
                        &self.path_value(&self.operation.path[..until], name),
                    ));
                }
            }
            rest = behind;
        }
        filled.push_str(rest);
        filled
    }

    fn path_value(&self, prefix: &str, name: &str) -> String {
        let known = self
            .known
            .values
            .get(&self.operation.path)
            .or_else(|| self.known.values.get(prefix))
            .or_else(|| self.known.values.get(name));
        let declared = self.operation.parameter(Place::Path, name);
        let example = declared.map(|parameter| plain(&parameter.example));
        known.cloned().or(example).unwrap_or_else(|| "text".into())
    }

    /// The required query parameters, one of any with another value or (`None`) left out.
    fn query_with(&self, other: Option<(&str, Option<&str>)>) -> String {
        let mut pairs = Vec::new();
        for parameter in self.parameters(Place::Query) {
            let name = parameter.name.as_str();
            match other {
                Some((changed, value)) if changed == name => {
                    pairs.extend(value.map(|value| pair(name, value)));
                }
                _ if parameter.is_required => {
                    let known = self.known.values.get(name).cloned();
                    pairs.push(pair(
                        name,
                        &known.unwrap_or_else(|| plain(&parameter.example)),
                    ));
                }
                _ => {}
            }
        }
        pairs.join("&")
    }

    fn required_headers(&self) -> Vec<(String, Vec<u8>)> {
        self.parameters(Place::Header)
            .filter(|one| one.is_required && !one.name.eq_ignore_ascii_case(KEY_HEADER))
            .map(|one| (one.name.clone(), plain(&one.example).into_bytes()))
            .collect()
    }

    fn parameters(&self, place: Place) -> impl Iterator<Item = &Parameter> {
        self.operation
            .parameters
            .iter()
            .filter(move |one| one.place == place)
    }

    fn sign_in(&mut self) {
        if !self.operation.needs_sign_in {
            return;
        }
        for (label, sign_in) in [
            ("not signed in", SignIn::Absent),
            ("a wrong token", SignIn::Wrong),
        ] {
            let request = Request {
                sign_in,
                ..self.example()
            };
            self.add(label, Expect::SignIn, request);
        }
    }

    fn path_parameters(&mut self) {
        let names: Vec<String> = self
            .parameters(Place::Path)
            .map(|one| one.name.clone())
            .collect();
        for name in names {
            for (what, value) in for_url() {
                let path = self.path_with(Some((&name, &value)));
                let request = Request {
                    path,
                    ..self.example()
                };
                let label = format!("path {name}: {what}");
                if value.is_empty() {
                    self.add_off_route(label, request);
                } else {
                    self.add(label, Expect::Refusal, request);
                }
            }
            let mark = "the-mark-of-this-parameter";
            let raw = self.path_with(Some((&name, mark))).replace(mark, "%FF%C3");
            let request = Request {
                path: raw,
                ..self.example()
            };
            self.add(
                format!("path {name}: bytes that are no UTF-8"),
                Expect::Refusal,
                request,
            );
        }
    }

    fn query_parameters(&mut self) {
        let parameters: Vec<Parameter> = self.parameters(Place::Query).cloned().collect();
        for parameter in &parameters {
            let name = parameter.name.as_str();
            for (what, value) in for_url() {
                let query = self.query_with(Some((name, Some(&value))));
                let request = Request {
                    query,
                    ..self.example()
                };
                let expect = self.expect_of_query(parameter, &value);
                self.add(format!("query {name}: {what}"), expect, request);
            }
            if parameter.is_required {
                let request = Request {
                    query: self.query_with(Some((name, None))),
                    ..self.example()
                };
                self.add(format!("query {name}: missing"), Expect::Refusal, request);
            }
            let twice = format!("{}&{}", pair(name, "1"), pair(name, "2"));
            let request = Request {
                query: twice,
                ..self.example()
            };
            self.add(format!("query {name}: twice"), Expect::Either, request);
        }
        let query = [self.query_with(None), pair("no_such_parameter", "1")].join("&");
        let request = Request {
            query,
            ..self.example()
        };
        self.add("query: an unknown parameter", Expect::Either, request);
    }

    fn expect_of_query(&self, parameter: &Parameter, value: &str) -> Expect {
        let schema = self.schemas.flat(&parameter.schema);
        let read = match main_type(&schema) {
            Some("integer" | "number" | "boolean") => {
                serde_json::from_str(value).unwrap_or_else(|_| Value::from(value))
            }
            _ => Value::from(value),
        };
        // An optional parameter left empty may count as absent.
        let may_be_absent = value.is_empty() && !parameter.is_required;
        let is_bad_cursor = parameter.name == "cursor";
        if !may_be_absent && (is_bad_cursor || self.schemas.is_broken_by(&schema, &read)) {
            Expect::Refusal
        } else {
            Expect::Either
        }
    }

    fn headers(&mut self) {
        let parameters: Vec<Parameter> = self.parameters(Place::Header).cloned().collect();
        for parameter in &parameters {
            let name = &parameter.name;
            if name.eq_ignore_ascii_case(KEY_HEADER) {
                self.idempotency_key(parameter.is_required);
                continue;
            }
            for (what, value) in texts() {
                let mut request = self.example();
                request.headers.retain(|(header, _)| header != name);
                request
                    .headers
                    .push((name.clone(), value.as_bytes().to_vec()));
                self.add(format!("header {name}: {what}"), Expect::Either, request);
            }
            if parameter.is_required {
                let mut request = self.example();
                request.headers.retain(|(header, _)| header != name);
                self.add(format!("header {name}: missing"), Expect::Refusal, request);
            }
        }
    }

    fn idempotency_key(&mut self, is_required: bool) {
        let missing = if is_required {
            Expect::Refusal
        } else {
            Expect::Either
        };
        for (what, key, expect) in [
            ("missing", Key::Absent, missing),
            ("empty", Key::Fixed(Vec::new()), Expect::Refusal),
            (
                "256 characters",
                Key::Fixed(vec![b'k'; 256]),
                Expect::Refusal,
            ),
            (
                "bytes that are no UTF-8",
                Key::Fixed(vec![0xFF, 0xC3]),
                Expect::Either,
            ),
        ] {
            let request = Request {
                key,
                ..self.example()
            };
            self.add(format!("header {KEY_HEADER}: {what}"), expect, request);
        }
    }

    /// A method that the path does not have, told by its first operation only.
    fn other_method(&mut self) {
        let methods = self.known.methods;
        let is_first = methods
            .first()
            .is_some_and(|first| *first == self.operation.method);
        let absent = ["PUT", "PATCH", "DELETE", "POST"]
            .into_iter()
            .find(|one| !methods.contains(one));
        if let Some(method) = absent.filter(|_| is_first) {
            let request = Request {
                method: method.to_owned(),
                ..self.example()
            };
            self.add_off_route(format!("method {method}"), request);
        }
    }
}

/// A parameter's value as it stands in a URL before encoding.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn pair(name: &str, value: &str) -> String {
    format!("{}={}", encoded(name), encoded(value))
}

fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
