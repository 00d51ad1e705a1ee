//! The values that are put where they do not belong.
//!
//! Each has a name, because a finding that shows a mebibyte of `x` helps nobody.

use serde_json::{Value, json};

use super::schema::UNKNOWN_ID;

/// What the servers take at most as JSON.
pub(super) const MEBIBYTE: usize = 1024 * 1024;

/// A value and what a report calls it.
pub(super) struct Bad {
    pub(super) name: &'static str,
    pub(super) value: Value,
}

fn bad(name: &'static str, value: impl Into<Value>) -> Bad {
    Bad {
        name,
        value: value.into(),
    }
}

/// For a place in a JSON body. Texts of every sort only where a text belongs.
pub(super) fn for_json(main_type: Option<&str>) -> Vec<Bad> {
    let mut values = vec![
        bad("null", Value::Null),
        bad("a boolean", true),
        bad("an array", json!([])),
        bad("an array of arrays", json!([[[1]], null])),
        bad("an object", json!({})),
        bad("a text", "text"),
        bad("an empty text", ""),
        bad("an unknown id", UNKNOWN_ID),
        bad("a number as text", "1"),
        bad("10^9", 1_000_000_000),
        bad("-1", -1),
        bad("0", 0),
        bad("a fraction", 1.5),
        bad("the largest 64-bit number", i64::MAX),
        bad("the smallest 64-bit number", i64::MIN),
        bad("a number over 64 bits", 1e300),
        bad("a text of 1 MiB", "x".repeat(MEBIBYTE)),
    ];
    if matches!(main_type, Some("string") | None) {
        values.extend(texts().into_iter().map(|(name, text)| bad(name, text)));
        values.push(bad("a text of 10,000 characters", "x".repeat(10_000)));
        values.push(bad("a text of 1,000,000 characters", "x".repeat(1_000_000)));
    }
    values
}

/// Texts that are hard to show, store or compare.
pub(super) fn texts() -> Vec<(&'static str, &'static str)> {
    vec![
        ("NUL", "a\0b"),
        ("a blank", " "),
        ("right-to-left override", "\u{202e}fdp.exe\u{202c}"),
        ("right-to-left text", "\u{5e9}\u{5dc}\u{5d5}\u{5dd} 123"),
        ("markup", "<script>alert(1)</script><b title='\"'>&amp;"),
        (
            "emoji",
            "\u{1f469}\u{200d}\u{1f527}\u{fe0f}\u{1f1e9}\u{1f1f0}",
        ),
        ("a quote for SQL", "x'); drop table orders; --"),
        ("line breaks", "a\r\nX-Header: b\n\n"),
        ("combining marks", "e\u{301}\u{327}\u{323}\u{35c}"),
        ("a noncharacter", "\u{feff}\u{ffff}\u{e000}"),
        ("a path", "../../../../etc/passwd"),
        ("an impossible time", "2026-13-45T99:99:99Z"),
    ]
}

/// Another one than in bodies, where it may have been taken as the name of something.
const UNKNOWN_ID_IN_URL: &str = "ffffffff-ffff-4fff-bfff-fffffffffff1";

/// For parameters of path and query, decoded. Long ones stay below what servers take as a line.
pub(super) fn for_url() -> Vec<(&'static str, String)> {
    let mut values: Vec<(&'static str, String)> = [
        ("an empty text", ""),
        ("a text", "no-such-thing"),
        ("an unknown id", UNKNOWN_ID_IN_URL),
        ("10^9", "1000000000"),
        ("-1", "-1"),
        ("0", "0"),
        ("a fraction", "1.5"),
        ("a number over 64 bits", "99999999999999999999999"),
        ("null", "null"),
        ("an array", "[]"),
    ]
    .into_iter()
    .map(|(name, text)| (name, text.to_owned()))
    .collect();
    // Not the very texts of bodies: one of those may have been taken as the name of something.
    values.extend(
        texts()
            .into_iter()
            .map(|(name, text)| (name, format!("{text}~"))),
    );
    values.push(("a text of 16 KiB", "x".repeat(16 * 1024)));
    values
}

/// A body that is broken as a whole.
pub(super) struct BrokenBody {
    pub(super) name: &'static str,
    pub(super) bytes: Vec<u8>,
    /// False where a reader may pass over the broken part without looking at it.
    pub(super) is_surely_refused: bool,
}

/// Bodies that are no JSON, or JSON that no reader should follow to its end.
pub(super) fn broken_json(example: &Value) -> Vec<BrokenBody> {
    let text = example.to_string();
    let mut bodies: Vec<BrokenBody> = [
        ("an empty body", Vec::new()),
        ("a blank body", b" \r\n".to_vec()),
        ("half a body", text.as_bytes()[..text.len() / 2].to_vec()),
        ("no JSON", b"name=value&other".to_vec()),
        ("20,000 open arrays", vec![b'['; 20_000]),
        ("20,000 nested objects", br#"{"a":"#.repeat(20_000)),
        (
            "a body and something behind it",
            [text.as_bytes(), b"}x"].concat(),
        ),
        ("NUL bytes", vec![0; 64]),
    ]
    .into_iter()
    .map(|(name, bytes)| BrokenBody {
        name,
        bytes,
        is_surely_refused: true,
    })
    .collect();
    let mut unsure = vec![
        (
            "bytes that are no UTF-8",
            b"{\"name\":\"\xff\xfe\xc3\"}".to_vec(),
        ),
        ("half a surrogate pair", br#"{"name":"\ud800"}"#.to_vec()),
    ];
    if let Some((name, value)) = example
        .as_object()
        .and_then(|members| members.iter().next())
    {
        let twice = format!("{{{}:{value},{}", Value::from(name.as_str()), &text[1..]);
        unsure.push(("a member twice", twice.into_bytes()));
    }
    bodies.extend(unsure.into_iter().map(|(name, bytes)| BrokenBody {
        name,
        bytes,
        is_surely_refused: false,
    }));
    bodies
}
