//! Bad bodies: broken as a whole, or right but for one field.

use serde_json::Value;

use super::Cases;
use crate::bad_input::case::{Expect, Request};
use crate::bad_input::fields::{Field, fields_of};
use crate::bad_input::operation::RequestBody;
use crate::bad_input::schema::main_type;
use crate::bad_input::values::{MEBIBYTE, broken_json, for_json};

impl Cases<'_> {
    pub(super) fn json_body(&mut self, body: &RequestBody) {
        let example = self.body_example(body);
        for broken in broken_json(&example) {
            let may_be_absent = !body.is_required && broken.bytes.trim_ascii().is_empty();
            let refused = broken.is_surely_refused && !may_be_absent;
            let expect = if refused {
                Expect::Refusal
            } else {
                Expect::Either
            };
            self.add_body(format!("body: {}", broken.name), expect, broken.bytes);
        }
        let mut long = example.to_string().into_bytes();
        long.resize(2 * MEBIBYTE, b' ');
        self.add_body("body: more than 1 MiB", Expect::Refusal, long);
        for content_type in [None, Some("text/plain"), Some("application/xml")] {
            let request = Request {
                content_type: content_type.map(str::to_owned),
                ..self.example()
            };
            let label = format!("content type {}", content_type.unwrap_or("missing"));
            // A server may take a body that says nothing of itself as JSON.
            let expect = if body.is_required && content_type.is_some() {
                Expect::Refusal
            } else {
                Expect::Either
            };
            self.add(label, expect, request);
        }
        for field in fields_of(self.schemas, &body.schema, &example) {
            self.field(&field);
        }
    }

    fn add_body(&mut self, label: impl Into<String>, expect: Expect, bytes: Vec<u8>) {
        let request = Request {
            body: Some(bytes),
            ..self.example()
        };
        self.add(label, expect, request);
    }

    fn field(&mut self, field: &Field) {
        let schema = self.schemas.flat(&field.schema);
        let variants = self.schemas.variants(&schema);
        let place = format!("body {}", field.pointer()).trim_end().to_owned();
        let kind = main_type(&schema).or_else(|| main_type(variants.first()?));
        for bad in for_json(kind) {
            let too_long = bad
                .value
                .as_str()
                .is_some_and(|text| text.len() >= MEBIBYTE);
            let refused = too_long || self.schemas.is_broken_by(&schema, &bad.value);
            let expect = if refused {
                Expect::Refusal
            } else {
                Expect::Either
            };
            let body = field.with(bad.value);
            self.add_body(
                format!("{place}: {}", bad.name),
                expect,
                body.to_string().into_bytes(),
            );
        }
        if kind == Some("array") {
            let item = field
                .body
                .pointer(&format!("{}/0", field.pointer()))
                .cloned();
            let many = vec![item.unwrap_or(Value::Null); 2_000];
            let body = field.with(Value::Array(many));
            self.add_body(
                format!("{place}: 2,000 items"),
                Expect::Either,
                body.to_string().into_bytes(),
            );
        }
        if let Some(body) = field.without().filter(|_| !field.in_open_object) {
            let expect = if field.is_required {
                Expect::Refusal
            } else {
                Expect::Either
            };
            self.add_body(
                format!("{place}: missing"),
                expect,
                body.to_string().into_bytes(),
            );
        }
        if let Some(body) = field.with_stranger() {
            let closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
            let expect = if closed {
                Expect::Refusal
            } else {
                Expect::Either
            };
            self.add_body(
                format!("{place}: an unknown member"),
                expect,
                body.to_string().into_bytes(),
            );
        }
    }

    /// A body that is streamed: no limit, and its rows may be bad one by one.
    pub(super) fn other_body(&mut self, body: &RequestBody) {
        let noise: Vec<u8> = (0_u32..4096)
            .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
            .collect();
        for (what, bytes) in [
            ("empty", Vec::new()),
            ("noise", noise),
            ("NUL bytes", vec![0; 4096]),
            ("one line of 1 MiB", vec![b'x'; MEBIBYTE]),
            ("JSON", br#"{"name":"text"}"#.to_vec()),
            ("markup", b"<html><body>text</body></html>\n".to_vec()),
        ] {
            self.add_body(format!("body: {what}"), Expect::Either, bytes);
        }
        for content_type in [None, Some("application/xml")] {
            let request = Request {
                content_type: content_type.map(str::to_owned),
                ..self.example()
            };
            let label = format!(
                "content type {} for {}",
                content_type.unwrap_or("missing"),
                body.media_type
            );
            self.add(label, Expect::Either, request);
        }
    }
}
