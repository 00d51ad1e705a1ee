//! The pages as a browser without scripts uses them.

use reqwest::{Response, StatusCode, header};

use crate::api_support::*;

/// A browser with its cookie.
pub struct Browser<'a> {
    pub shop: &'a Served,
    pub cookie: String,
}

impl<'a> Browser<'a> {
    pub async fn sign_in(shop: &'a Served, username: &str) -> Self {
        let form = format!(
            "username={username}&password={}&next=%2Fintake",
            PASSWORD.replace(' ', "+")
        );
        let answer = post(shop, "/sign-in", None, form).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        assert_eq!(answer.headers()[header::LOCATION], "/intake");
        let cookie = answer.headers()[header::SET_COOKIE].to_str().unwrap();
        assert!(cookie.starts_with("__Host-counterpart-"), "{cookie}");
        for word in ["HttpOnly", "Secure", "SameSite=Strict", "Path=/"] {
            assert!(cookie.contains(word), "{cookie}");
        }
        let cookie = cookie.split(';').next().unwrap().to_owned();
        Self { shop, cookie }
    }

    pub async fn get(&self, path: &str) -> Response {
        let request = self.shop.http.get(format!("{}{path}", self.shop.url));
        request
            .header(header::COOKIE, &self.cookie)
            .send()
            .await
            .unwrap()
    }

    pub async fn page(&self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        let policy = answer.headers()[header::CONTENT_SECURITY_POLICY]
            .to_str()
            .unwrap()
            .to_owned();
        assert!(policy.starts_with("default-src 'self'"), "{policy}");
        let text = answer.text().await.unwrap();
        for forbidden in ["style=", "onclick=", "<script>", "hx-on"] {
            assert!(!text.contains(forbidden), "{path} has {forbidden}");
        }
        text
    }

    pub async fn post(&self, path: &str, form: String) -> Response {
        post(self.shop, path, Some(&self.cookie), form).await
    }
}

/// What htmx asks for.
impl Browser<'_> {
    pub async fn fragment(&self, path: &str) -> Response {
        let request = self.shop.http.get(format!("{}{path}", self.shop.url));
        by_htmx(request, &self.cookie).send().await.unwrap()
    }

    pub async fn post_fragment(&self, path: &str, form: String) -> Response {
        let request = self
            .shop
            .http
            .post(format!("{}{path}", self.shop.url))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin")
            .body(form);
        by_htmx(request, &self.cookie).send().await.unwrap()
    }
}

fn by_htmx(request: reqwest::RequestBuilder, cookie: &str) -> reqwest::RequestBuilder {
    request
        .header(header::COOKIE, cookie)
        .header("hx-request", "true")
        .header("hx-request-type", "partial")
}

async fn post(shop: &Served, path: &str, cookie: Option<&str>, form: String) -> Response {
    let mut request = shop
        .http
        .post(format!("{}{path}", shop.url))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "same-origin")
        .body(form);
    if let Some(cookie) = cookie {
        request = request.header(header::COOKIE, cookie);
    }
    request.send().await.unwrap()
}

pub fn key_of(page: &str) -> &str {
    let start = page.split_once("name=\"key\" value=\"").unwrap().1;
    start.split_once('"').unwrap().0
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_signed_in_is_led_to_the_form() {
    let shop = Served::open().await;
    let browser = Browser {
        shop: &shop,
        cookie: String::new(),
    };
    let answer = browser.get("/orders?status=ready").await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    assert_eq!(
        answer.headers()[header::LOCATION],
        "/sign-in?next=/orders%3Fstatus%3Dready"
    );
    let form = browser.page("/sign-in?next=/orders").await;
    assert!(form.contains("name=\"password\""));
    let wrong = post(
        &shop,
        "/sign-in",
        None,
        "username=ada&password=guess&next=".to_owned(),
    )
    .await;
    assert_eq!(wrong.status(), StatusCode::UNAUTHORIZED);
    let text = wrong.text().await.unwrap();
    assert!(
        text.contains("do not belong together") && text.contains("value=\"ada\""),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_is_taken_in_once_and_stands_in_the_list() {
    let shop = Served::open().await;
    let browser = Browser::sign_in(&shop, "cleo").await;
    assert!(browser.page("/orders").await.contains("No order yet"));
    let form = browser.page("/intake").await;
    let fields = format!(
        "key={}&name=Grace+Hopper&phone=&email=&category=laptop&brand=Acme&model=X1&serial=SN-1\
         &fault=%3Cb%3EMoth%3C%2Fb%3E&accessories=charger%2C+case&promised=2026-11-24T17%3A00&urgent=yes",
        key_of(&form)
    );
    let saved = browser.post("/intake", fields.clone()).await;
    assert_eq!(
        saved.status(),
        StatusCode::SEE_OTHER,
        "{}",
        saved.text().await.unwrap()
    );
    let papers = saved.headers()[header::LOCATION]
        .to_str()
        .unwrap()
        .to_owned();
    // A double click, or a reload: the same form again leads to the same papers.
    let again = browser.post("/intake", fields).await;
    assert_eq!(again.headers()[header::LOCATION], papers.as_str());
    let page = browser.page(&papers).await;
    let order = page.split_once("class=\"button\" href=\"").unwrap().1;
    let order = order.split_once('"').unwrap().0;
    assert!(order.starts_with("/orders/"), "{order}");
    let page = browser.page(order).await;
    for words in [
        "Grace Hopper",
        "SN-1",
        "charger, case",
        "&#60;b&#62;Moth&#60;/b&#62;",
        "Received",
        "Urgent",
        "CLEO",
    ] {
        assert!(page.contains(words), "{words} is missing in {page}");
    }
    let list = browser.page("/orders").await;
    assert_eq!(list.matches("id=\"row-BER-").count(), 1);
    assert!(list.contains("Grace Hopper") && list.contains("Saved here, not yet at the hub"));
    assert!(list.contains("waits to go out"), "{list}");
    assert!(
        browser
            .page("/orders?status=ready")
            .await
            .contains("No order stands here")
    );
    let found = browser
        .post("/search", "q=hopper".to_owned())
        .await
        .text()
        .await
        .unwrap();
    assert!(
        found.contains("BER-") && found.contains("Grace Hopper"),
        "{found}"
    );
    let fragment = shop
        .http
        .get(format!("{}/orders", shop.url))
        .header(header::COOKIE, &browser.cookie)
        .header("hx-request", "true")
        .header("hx-request-type", "partial");
    let fragment = fragment.send().await.unwrap().text().await.unwrap();
    assert!(
        fragment.trim_start().starts_with("<div id=\"orders\""),
        "{fragment}"
    );
    assert!(
        browser
            .page("/status-bar")
            .await
            .contains("id=\"statusbar\"")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_form_keeps_what_was_typed() {
    let shop = Served::open().await;
    let browser = Browser::sign_in(&shop, "cleo").await;
    let form = browser.page("/intake").await;
    let key = key_of(&form).to_owned();
    let fields = format!(
        "key={key}&phone=%2B49+30+55&fault=Moth&promised=soon&serial={}",
        "x".repeat(70)
    );
    let refused = browser.post("/intake", fields).await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let page = refused.text().await.unwrap();
    assert!(
        page.contains("Moth") && page.contains("promised-problem") && key_of(&page) == key,
        "{page}"
    );
    let fields = format!(
        "key={key}&phone=%2B49+30+55&fault=Moth&serial={}",
        "x".repeat(70)
    );
    let page = browser.post("/intake", fields).await.text().await.unwrap();
    assert!(
        page.contains("name-problem") || page.contains("serial-problem"),
        "{page}"
    );
    let mended = browser
        .post("/intake", format!("key={key}&fault=Moth"))
        .await;
    assert_eq!(mended.status(), StatusCode::SEE_OTHER);
    let no_key = browser.post("/intake", "fault=Moth".to_owned()).await;
    assert_eq!(no_key.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_ends_the_session_and_others_cannot_forge() {
    let shop = Served::open().await;
    let browser = Browser::sign_in(&shop, "cleo").await;
    let forged = shop
        .http
        .post(format!("{}/intake", shop.url))
        .header(header::COOKIE, &browser.cookie)
        .header("sec-fetch-site", "cross-site")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body("key=1&fault=Moth");
    assert_eq!(forged.send().await.unwrap().status(), StatusCode::FORBIDDEN);
    let rebound = shop
        .http
        .get(format!("{}/orders", shop.url))
        .header(header::HOST, "evil.example");
    assert_eq!(
        rebound.send().await.unwrap().status(),
        StatusCode::FORBIDDEN
    );
    // A page's cookie is no API token.
    let token = browser.cookie.split_once('=').unwrap().1;
    let as_token = shop
        .http
        .get(format!("{}/api/v1/orders", shop.url))
        .bearer_auth(token);
    assert_eq!(
        as_token.send().await.unwrap().status(),
        StatusCode::UNAUTHORIZED
    );
    let out = browser.post("/sign-out", String::new()).await;
    assert_eq!(out.headers()[header::LOCATION], "/sign-in");
    assert_eq!(browser.get("/orders").await.status(), StatusCode::SEE_OTHER);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_problem_is_a_page_for_people() {
    let shop = Served::open().await;
    let browser = Browser::sign_in(&shop, "gus").await;
    let answer = browser.get("/intake").await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    assert!(
        answer.headers()[header::CONTENT_TYPE]
            .to_str()
            .unwrap()
            .starts_with("text/html")
    );
    assert_eq!(
        browser.get("/orders/nonsense").await.status(),
        StatusCode::NOT_FOUND
    );
    assert!(!browser.page("/orders").await.contains("New intake"));
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_in_leads_to_the_first_page_that_a_role_may_see() {
    let shop = Served::open().await;
    for (username, first) in [("cleo", "/board"), ("opa", "/stock")] {
        let browser = Browser::sign_in(&shop, username).await;
        let home = browser.get("/").await;
        assert_eq!(home.headers()[header::LOCATION], first, "{username}");
        assert_eq!(browser.get(first).await.status(), StatusCode::OK);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_speaks_the_readers_language() {
    let shop = Served::open().await;
    let browser = Browser::sign_in(&shop, "cleo").await;
    let german = Browser {
        shop: &shop,
        cookie: format!("{}; __Host-counterpart-screen=de.", browser.cookie),
    };
    let page = german.get("/stock/NO-9").await;
    assert_eq!(page.status(), StatusCode::NOT_FOUND);
    let page = page.text().await.unwrap();
    assert!(page.contains("Dieses Teil gibt es nicht."), "{page}");
}
