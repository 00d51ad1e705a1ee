//! Whole pages, their parts, and the sign-in page.
//! No template ever holds what the content policy forbids.

use std::fs;
use std::path::Path;

use axum::http::Request;
use axum::response::Response;
use axum::routing::get;
use axum::{Router, body::Body};
use http_body_util::BodyExt;
use web_kit::{
    Content, Frame, Language, Live, NavItem, PageRequest, Person, Problem, SafeHtml, Screen, Side,
    SignInPage, StatusBar, StatusItem, Theme, Tone, html, safe_next,
};

use crate::support::send;

fn frame() -> Frame {
    Frame {
        side: Side::Hub,
        language: Language::English,
        screen: Screen {
            language: None,
            theme: Theme::Dark,
        },
        place: "Leipzig <Süd>".into(),
        home: "/".into(),
        nav: vec![
            NavItem::new("/orders", "orders", "Orders").current(true),
            NavItem::new("/sync", "sync", "Sync").count(2, "decisions"),
            NavItem::new("/stock", "stock", "Stock").count(0, "short"),
        ],
        person: Some(Person {
            name: "Elif Marie Kaya".into(),
        }),
        sign_out: "/sign-out".into(),
        screen_url: "/screen".into(),
        status: StatusBar {
            items: vec![
                StatusItem::new("Cut off since 11:20", "all work goes on")
                    .icon("apart")
                    .tone(Tone::Apart)
                    .href("/sync"),
                StatusItem::new("48", "wait to go out").icon("out"),
                StatusItem::new("", "Leipzig").at_end(),
            ],
            refresh_url: Some("/status-bar".into()),
        },
        toast: None,
        live: Some(Live {
            url: "/api/v1/events".into(),
            names: &["orders-changed", "status-changed"],
        }),
    }
}

async fn text(response: Response) -> String {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn a_page_stands_in_its_frame() {
    let body = SafeHtml::escape("<b>5 & 6</b>");
    let content = Content::new("Orders", body).head(SafeHtml::literal("<p>head</p>"));
    let page = frame().render(&content).unwrap().into_string();
    for part in [
        "<html lang=\"en\" data-theme=\"dark\">",
        "<title>Orders · Leipzig &#60;Süd&#62; · Counterpart</title>",
        "data-side=\"hub\"",
        "<a href=\"/orders\" aria-current=\"page\">",
        "<span class=\"sr\"> decisions</span>",
        ">EK</span>",
        "<p>head</p>",
        "&lt;b&gt;5 &amp; 6&lt;/b&gt;",
        "data-names=\"orders-changed status-changed\"",
        "<b>Cut off since 11:20</b><span>all work goes on</span></a>",
        "id=\"problems\"",
        "hx-get=\"/status-bar\"",
    ] {
        assert!(page.contains(part), "{part} is missing in\n{page}");
    }
    assert!(!page.contains(" short"));
}

#[test]
fn a_partial_names_its_target() {
    let badge = SafeHtml::escape("5").partial("#badge", "textContent");
    assert_eq!(
        badge.as_str(),
        r##"<hx-partial hx-target="#badge" hx-swap="textContent">5</hx-partial>"##
    );
}

#[tokio::test]
async fn only_a_partial_request_gets_a_fragment() {
    let page =
        |kind: PageRequest| async move { html(SafeHtml::escape(&kind.is_fragment().to_string())) };
    let router = Router::new().route("/", get(page));
    let ask = |headers: &'static [(&'static str, &'static str)]| {
        let router = router.clone();
        async move {
            let request = headers
                .iter()
                .fold(Request::get("/"), |request, (name, value)| {
                    request.header(*name, *value)
                });
            send(&router, request, Body::empty()).await
        }
    };
    assert_eq!(
        ask(&[("hx-request", "true"), ("hx-request-type", "partial")])
            .await
            .text(),
        "true"
    );
    assert_eq!(
        ask(&[("hx-request", "true"), ("hx-request-type", "full")])
            .await
            .text(),
        "false"
    );
    assert_eq!(
        ask(&[
            ("hx-history-restore-request", "true"),
            ("hx-request-type", "full")
        ])
        .await
        .text(),
        "false"
    );
    let plain = ask(&[]).await;
    assert_eq!(
        (
            plain.text(),
            plain.header("vary"),
            plain.header("cache-control")
        ),
        ("false", "HX-Request, HX-Request-Type", "no-store")
    );
}

#[tokio::test]
async fn the_sign_in_page_says_why_it_refused() {
    let page = SignInPage {
        side: Side::Branch,
        language: Language::English,
        theme: Theme::System,
        place: "Leipzig",
        action: "/sign-in",
        username: "elif\"><script>",
        next: "/orders",
    };
    let refused = page.respond(Some(&Problem::wrong_credentials())).unwrap();
    assert_eq!(refused.status(), 401);
    let text = text(refused).await;
    assert!(text.contains("do not belong together") && text.contains("value=\"/orders\""));
    assert!(!text.contains("<script>"));
    assert_eq!(page.respond(None).unwrap().status(), 200);
}

#[test]
fn signing_in_leads_only_to_this_program() {
    assert_eq!(
        safe_next("/orders?status=ready", "/"),
        "/orders?status=ready"
    );
    for away in [
        "",
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "/a\r\nb",
        "/a b",
    ] {
        assert_eq!(safe_next(away, "/home"), "/home", "{away}");
    }
    let secret = web_kit::SignInRequest {
        username: "elif".into(),
        password: "hunter2".into(),
    };
    assert!(!format!("{secret:?}").contains("hunter2"));
}

#[test]
fn templates_hold_nothing_that_the_policy_forbids() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    let mut seen = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap().to_lowercase();
        for forbidden in [
            "hx-on",
            "js:",
            " style=",
            " onclick=",
            " onload=",
            "<style",
            "javascript:",
            "hx-vals='js",
        ] {
            assert!(
                !text.contains(forbidden),
                "{} holds {forbidden}",
                path.display()
            );
        }
        for script in text.split("<script").skip(1) {
            assert!(
                script.split('>').next().unwrap().contains("src="),
                "{} has an inline script",
                path.display()
            );
        }
        seen += 1;
    }
    assert!(seen >= 4);
}
