//! The rules themselves: a page that breaks all of them must be found out.

use anyhow::{Result, ensure};
use axum::Router;
use axum::response::Html;
use axum::routing::get;
use tests::browser::{Browser, missing};
use tests::process::chain::place::Folder;
use tokio::net::TcpListener;

const POLICY: &str = "default-src 'self'; object-src 'none'";
const BAD: &str = "<!doctype html><html><head><title>Bad</title><script src=/throws.js></script></head><body>\
    <script>document.title = 'run'</script><img src=/mark.svg><input><p style='color: red'>x</p>\
    <div class=wide>wide</div><link rel=stylesheet href=/wide.css></body></html>";
const GOOD: &str = "<!doctype html><html lang=en><head><title>Good</title><link rel=icon href=/mark.svg></head><body>\
    <main><h1>Good</h1><p>Nothing to see.</p></main></body></html>";

fn site() -> Router {
    let with_policy =
        |page: &'static str| get(async move || ([("content-security-policy", POLICY)], Html(page)));
    let file = |kind: &'static str, text: &'static str| {
        get(async move || ([("content-type", kind)], text))
    };
    Router::new()
        .route("/bad", with_policy(BAD))
        .route("/good", with_policy(GOOD))
        .route(
            "/throws.js",
            file("text/javascript", "throw new Error('thrown')"),
        )
        .route("/wide.css", file("text/css", ".wide { width: 3000px }"))
        .route(
            "/mark.svg",
            file("image/svg+xml", "<svg xmlns='http://www.w3.org/2000/svg'/>"),
        )
}

/// Goal: a page that passes the inspection is sound, because one that is not does not pass.
/// Method: a page with an inline script, an inline style, a script that throws, an image without text, a field without a
/// name and a box wider than any screen must be found out in all of these; a plain page must pass right after.
#[tokio::test]
async fn the_inspection_finds_what_is_wrong_and_nothing_else() {
    run().await.unwrap();
}

async fn run() -> Result<()> {
    if let Some(reason) = missing() {
        eprintln!("{reason}");
        return Ok(());
    }
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let base = format!("http://{}", listener.local_addr()?);
    let server = tokio::spawn(axum::serve(listener, site()).into_future());
    let folder = Folder::new()?;
    let mut browser = Browser::start(&folder).await?;
    browser.go(&format!("{base}/bad")).await?;
    let found = browser.findings("harness-bad").await?.join("\n");
    let mut signs = vec!["script-src", "style-src", "thrown", "scrolls sideways"];
    if browser.has_axe() {
        signs.extend(["image-alt", "label: ", "html-has-lang"]);
    }
    for sign in signs {
        ensure!(found.contains(sign), "{sign} is not among:\n{found}");
    }
    browser.go(&format!("{base}/good")).await?;
    browser.inspect("harness-good").await?;
    server.abort();
    Ok(())
}
