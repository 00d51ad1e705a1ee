//! Style sheets, scripts and icons, embedded in the executable.
//!
//! Pages refer to them by [`url`], whose `?v=` is part of the content's hash, so
//! a browser keeps them for a year and takes the new one after an upgrade. The
//! same file without the right `?v=` (one module importing another) is asked for
//! again each time and answered by 304. Nothing is read from disk at run time.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use axum::Router;
use axum::extract::{Path, RawQuery};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use rust_embed::RustEmbed;

use crate::etag::{ETag, IfNoneMatch};
use crate::problem::Problem;

#[derive(RustEmbed)]
#[folder = "assets/"]
struct Files;

const VERSION_BYTES: usize = 6;

fn versions() -> &'static BTreeMap<String, String> {
    static VERSIONS: OnceLock<BTreeMap<String, String>> = OnceLock::new();
    VERSIONS.get_or_init(|| {
        let version = |name: &str| {
            let hash = Files::get(name)
                .map(|file| file.metadata.sha256_hash())
                .unwrap_or_default();
            hash[..VERSION_BYTES]
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect()
        };
        Files::iter()
            .map(|name| (name.to_string(), version(&name)))
            .collect()
    })
}

/// The address of an asset (`app.css`, `js/keys.js`) in pages.
///
/// An asset that does not exist is a mistake in the program: it fails in debug
/// builds and gives an address that answers 404 otherwise.
pub fn url(name: &str) -> String {
    match versions().get(name) {
        Some(version) => format!("/assets/{name}?v={version}"),
        None => {
            debug_assert!(false, "there is no asset {name}");
            format!("/assets/{name}")
        }
    }
}

/// The bytes of an asset.
pub fn bytes(name: &str) -> Option<std::borrow::Cow<'static, [u8]>> {
    Files::get(name).map(|file| file.data)
}

/// True when the sprite has this icon.
pub fn has_icon(name: &str) -> bool {
    static SPRITE: OnceLock<String> = OnceLock::new();
    let sprite = SPRITE.get_or_init(|| {
        bytes("icons.svg")
            .map(|data| String::from_utf8_lossy(&data).into_owned())
            .unwrap_or_default()
    });
    sprite.contains(&format!("<symbol id=\"i-{name}\""))
}

/// The route `/assets/{name}`.
pub fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/assets/{*name}", get(serve))
}

async fn serve(
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    known: IfNoneMatch,
) -> Result<Response, Problem> {
    let file = Files::get(&name).ok_or_else(|| Problem::not_found("There is no such file."))?;
    let named_version = query.as_deref().and_then(|query| query.strip_prefix("v="));
    let caching = if named_version == versions().get(&name).map(String::as_str) {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let tag = ETag::of_bytes(&file.metadata.sha256_hash());
    let head = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static(content_type(&name)),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static(caching)),
    ];
    if known.has(&tag) {
        return Ok(known.answer(tag, ()));
    }
    Ok((tag, head, file.data).into_response())
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or("") {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "json" => "application/json",
        _ => "text/plain; charset=utf-8",
    }
}
