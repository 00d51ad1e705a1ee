//! Static files: the vendored script, the caching of their addresses, and the sprite.
//! A file that is asked for by an old version is never kept as the new one.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use sha2::{Digest, Sha256};
use web_kit::{assets, icon, sized_icon};

use crate::support::{get, send};

/// As published in the npm package `htmx.org` 4.0.1.
const HTMX_SHA256: &str = "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130";

#[test]
fn the_vendored_script_is_the_published_one() {
    let hash = Sha256::digest(assets::bytes("htmx.min.js").unwrap());
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, HTMX_SHA256);
    let text = String::from_utf8(assets::bytes("htmx.min.js").unwrap().into_owned()).unwrap();
    assert!(text.contains("4.0.1"));
    for licence in ["licenses/htmx.txt", "licenses/lucide.txt"] {
        assert!(assets::bytes(licence).is_some());
    }
}

#[tokio::test]
async fn a_versioned_address_is_kept_and_a_plain_one_asked_for_again() {
    let router = Router::new().merge(assets::routes());
    let url = assets::url("app.css");
    let kept = get(&router, &url).await;
    assert_eq!(kept.header("content-type"), "text/css; charset=utf-8");
    assert!(kept.header("cache-control").contains("immutable"));
    for plain in ["/assets/app.css", "/assets/app.css?v=000000000000"] {
        assert_eq!(
            get(&router, plain).await.header("cache-control"),
            "no-cache"
        );
    }
    let again = Request::get("/assets/app.css").header("if-none-match", kept.header("etag"));
    let again = send(&router, again, Body::empty()).await;
    assert_eq!((again.status.as_u16(), again.body.len()), (304, 0));
    for (name, kind) in [
        ("js/keys.js", "text/javascript"),
        ("icons.svg", "image/svg+xml"),
        ("licenses/htmx.txt", "text/plain"),
    ] {
        assert!(
            get(&router, &assets::url(name))
                .await
                .header("content-type")
                .starts_with(kind)
        );
    }
    for outside in [
        "/assets/../Cargo.toml",
        "/assets/%2e%2e/Cargo.toml",
        "/assets//etc/passwd",
        "/assets/js",
    ] {
        get(&router, outside).await.problem(404);
    }
}

#[test]
fn icons_are_of_the_sprite() {
    for name in [
        "agreed", "here", "joining", "apart", "versions", "parked", "sync", "orders",
    ] {
        assert!(icon(name).as_str().contains(&format!("#i-{name}\"")));
    }
    assert!(
        sized_icon("apart", "huge")
            .as_str()
            .contains("data-size=\"huge\"")
    );
    assert!(!assets::has_icon("unicorn"));
}

/// A block that is not closed nests every later one in its layer, where it loses against what it should change.
#[test]
fn the_sheet_closes_every_block_and_layers_stand_side_by_side() {
    let bytes = web_kit::assets::bytes("app.css").unwrap();
    let sheet = String::from_utf8(bytes.into_owned()).unwrap();
    let mut depth = 0_i64;
    for (number, line) in (1..).zip(sheet.lines()) {
        let is_layer = line.trim_start().starts_with("@layer");
        assert!(
            !is_layer || depth == 0,
            "line {number} stands inside another block: {line}"
        );
        depth += i64::try_from(line.matches('{').count()).unwrap();
        depth -= i64::try_from(line.matches('}').count()).unwrap();
        assert!(depth >= 0, "line {number} closes more than was opened");
    }
    assert_eq!(depth, 0, "the last block is not closed");
}
