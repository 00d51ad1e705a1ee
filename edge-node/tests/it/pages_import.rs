//! The import as a browser without scripts uses it.

use std::time::Duration;

use reqwest::{Response, StatusCode, header};

use crate::api_support::*;

async fn sign_in(shop: &Served, username: &str) -> String {
    let form = format!(
        "username={username}&password={}",
        PASSWORD.replace(' ', "+")
    );
    let request = shop
        .http
        .post(format!("{}/sign-in", shop.url))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "same-origin")
        .body(form);
    let answer = request.send().await.unwrap();
    let cookie = answer.headers()[header::SET_COOKIE].to_str().unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

async fn get(shop: &Served, cookie: &str, path: &str) -> Response {
    let request = shop.http.get(format!("{}{path}", shop.url));
    request.header(header::COOKIE, cookie).send().await.unwrap()
}

async fn page(shop: &Served, cookie: &str, path: &str) -> String {
    let answer = get(shop, cookie, path).await;
    assert_eq!(answer.status(), StatusCode::OK, "{path}");
    let text = answer.text().await.unwrap();
    assert!(!text.contains("style=") && !text.contains("onclick="));
    text
}

async fn post(shop: &Served, cookie: &str, path: &str, kind: &str, body: String) -> Response {
    let request = shop
        .http
        .post(format!("{}{path}", shop.url))
        .header(header::CONTENT_TYPE, kind)
        .header(header::COOKIE, cookie)
        .header("sec-fetch-site", "same-origin")
        .body(body);
    request.send().await.unwrap()
}

async fn upload(shop: &Served, cookie: &str, kind: &str, text: &str) -> Response {
    let part = |head: &str, body: &str| {
        format!("--xx\r\nContent-Disposition: form-data; {head}\r\n\r\n{body}\r\n")
    };
    let body = [
        part("name=\"kind\"", kind),
        part(
            "name=\"file\"; filename=\"C:\\old\\people <1>.csv\"\r\nContent-Type: text/csv",
            text,
        ),
        "--xx--\r\n".to_owned(),
    ];
    post(
        shop,
        cookie,
        "/imports",
        "multipart/form-data; boundary=xx",
        body.concat(),
    )
    .await
}

const FORM: &str = "application/x-www-form-urlencoded";

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_looked_at_mapped_and_comes_in_once() {
    let shop = Served::open().await;
    let cookie = sign_in(&shop, "ada").await;
    assert!(
        page(&shop, &cookie, "/imports")
            .await
            .contains("multipart/form-data")
    );
    let text = "Nummer;Wer;Telefon\n1;Ada <b>L</b>;030 123\n2;;030 1\n3;Alan;nix\n";
    let sent = upload(&shop, &cookie, "customers", text).await;
    assert_eq!(sent.status(), StatusCode::SEE_OTHER);
    let address = sent.headers()[header::LOCATION]
        .to_str()
        .unwrap()
        .to_owned();
    let looked = page(&shop, &cookie, &address).await;
    assert!(looked.contains("people &#60;1&#62;.csv"), "{looked}");
    assert!(
        looked.contains("Every row needs Name") && !looked.contains("value=\"run\""),
        "{looked}"
    );
    let chosen = post(
        &shop,
        &cookie,
        &address,
        FORM,
        "name=1&phone=2&customer_id=0".to_owned(),
    )
    .await;
    let chosen = chosen.text().await.unwrap();
    assert!(
        chosen.contains("Take 1 row over") && chosen.contains("Ada &#60;b&#62;L"),
        "{chosen}"
    );
    assert!(
        chosen.contains("Name is empty") && chosen.contains("3 to 20 digits"),
        "{chosen}"
    );
    let run = post(
        &shop,
        &cookie,
        &address,
        FORM,
        "name=1&phone=2&customer_id=0&do=run".to_owned(),
    )
    .await;
    assert_eq!(run.status(), StatusCode::SEE_OTHER);
    let done = finished(&shop, &cookie, &address).await;
    assert!(done.contains("1 came in, 2 refused"), "{done}");
    // The same button again, and the same file again: nothing more.
    post(&shop, &cookie, &address, FORM, "do=run".to_owned()).await;
    let sent = upload(&shop, &cookie, "customers", &text.replace("Wer", "Name")).await;
    let again = sent.headers()[header::LOCATION]
        .to_str()
        .unwrap()
        .to_owned();
    let again = page(&shop, &cookie, &again).await;
    assert!(
        again.contains("There already") && again.contains("Nothing new in this file"),
        "{again}"
    );
    let listed = page(&shop, &cookie, "/imports").await;
    assert!(listed.contains("came in") && listed.contains("waits for its columns"));
    let away = post(&shop, &cookie, &address, FORM, "do=away".to_owned()).await;
    assert_eq!(away.headers()[header::LOCATION], "/imports");
    assert_eq!(
        get(&shop, &cookie, &address).await.status(),
        StatusCode::NOT_FOUND
    );
    let found = shop
        .sign_in("ada")
        .await
        .get("/api/v1/customers")
        .await
        .ok(200);
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
}

async fn finished(shop: &Served, cookie: &str, address: &str) -> String {
    for _ in 0..200 {
        let text = page(shop, cookie, address).await;
        if text.contains("Another file") {
            return text;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the import does not end");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_table_is_said_and_others_may_not() {
    let shop = Served::open().await;
    let cookie = sign_in(&shop, "ada").await;
    for (kind, text) in [("customers", ""), ("people", "name\nAda\n")] {
        let answer = upload(&shop, &cookie, kind, text).await;
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY, "{kind}");
    }
    let plain = post(&shop, &cookie, "/imports", FORM, "kind=stock".to_owned()).await;
    assert_eq!(plain.status(), StatusCode::BAD_REQUEST);
    let clerk = sign_in(&shop, "cleo").await;
    assert_eq!(
        get(&shop, &clerk, "/imports").await.status(),
        StatusCode::FORBIDDEN
    );
    assert!(
        !page(&shop, &clerk, "/intake")
            .await
            .contains("href=\"/imports\"")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_takes_tables_too() {
    let shop = Served::open().await;
    let ada = shop.sign_in("ada").await;
    let send = async |path: &str, key: &str, text: &str| {
        let request = ada
            .request(reqwest::Method::POST, path)
            .header("idempotency-key", key)
            .header(header::CONTENT_TYPE, "text/csv")
            .body(text.to_owned());
        Got::of(request.send().await.unwrap()).await
    };
    let text = "Teil,Zahl\nSCR-1,7\nNO-1,1\n";
    let path = "/api/v1/imports/stock?columns=sku:Teil;quantity:Zahl";
    let first = send(path, "k1", text).await.ok(200);
    assert_eq!(
        (&first["created"], &first["rejected"]),
        (&1.into(), &1.into())
    );
    assert_eq!(first["errors"][0]["row"], 3);
    let replayed = send(path, "k1", text).await;
    assert_eq!(replayed.header("idempotency-replayed"), Some("true"));
    assert_eq!(replayed.body, first);
    assert_eq!(send(path, "k2", text).await.ok(200)["skipped"], 1);
    send("/api/v1/imports/stock?columns=sku;x", "k3", text)
        .await
        .problem(422);
    send("/api/v1/imports/orders", "k4", text)
        .await
        .problem(422);
    send("/api/v1/imports/customers", "k5", "name\nAda\n")
        .await
        .ok(200);
    send("/api/v1/imports/nothing", "k6", text)
        .await
        .problem(404);
    // An order is found by the number that the old program gave it.
    send(
        "/api/v1/imports/orders",
        "k7",
        "order_id,name,model,fault\nA/2019-77,Ada,X1,dead\n",
    )
    .await
    .ok(200);
    let old = serde_json::json!({ "q": " A/2019-77" });
    let found = ada.post_plain("/api/v1/search", &old).await.ok(200);
    assert_eq!(found["orders"].as_array().unwrap().len(), 1, "{found}");
}
