//! The pages of transfers, stock, catalogue, orders and customers, and the API that came with them.

use axum::body::Bytes;
use domain::staff::Role;
use domain::stock::MovementKind;
use reqwest::Method;
use serde_json::{Value, json};
use sync_protocol::item::Item;
use sync_protocol::message::GivenKey;

use super::{Client, Got, PASSWORD, Site, by, part_body};

/// A browser that is signed in.
struct Browser<'a> {
    site: &'a Site,
    http: reqwest::Client,
    cookie: String,
}

impl<'a> Browser<'a> {
    async fn new(site: &'a Site, username: &str) -> Self {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let form = format!(
            "username={username}&password={}",
            PASSWORD.replace(' ', "+")
        );
        let answer = http
            .post(format!("{}/sign-in", site.base))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form)
            .send()
            .await
            .unwrap();
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        Self { site, http, cookie }
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Got {
        let response = request.header("cookie", &self.cookie).send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        Got {
            status,
            headers,
            bytes: response.bytes().await.unwrap().to_vec(),
        }
    }

    /// A page, as text.
    async fn page(&self, path: &str) -> String {
        let got = self
            .send(self.http.get(format!("{}{path}", self.site.base)))
            .await;
        assert_eq!(got.status.as_u16(), 200, "{path}: {}", text(&got));
        text(&got)
    }

    async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Got {
        let body: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{name}={}", encode(value)))
            .collect();
        let request = self
            .http
            .post(format!("{}{path}", self.site.base))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body.join("&"));
        self.send(request).await
    }

    /// Posts the form twice: both answers lead to the same place.
    async fn form_twice(&self, path: &str, fields: &[(&str, &str)]) -> String {
        let first = self.form(path, fields).await;
        assert_eq!(first.status.as_u16(), 303, "{path}: {}", text(&first));
        let again = self.form(path, fields).await;
        assert_eq!(first.header("location"), again.header("location"));
        first.header("location").to_owned()
    }

    async fn file(&self, path: &str, key: &str, body: &'static str) -> Got {
        let request = self
            .http
            .post(format!("{}{path}", self.site.base))
            .header("content-type", "text/csv")
            .header("idempotency-key", key)
            .header("hx-request", "true")
            .header("hx-request-type", "partial")
            .body(Bytes::from_static(body.as_bytes()));
        self.send(request).await
    }
}

fn text(got: &Got) -> String {
    String::from_utf8_lossy(&got.bytes).into_owned()
}

fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

/// The value of the first field of this name behind `mark`.
fn field(page: &str, mark: &str, name: &str) -> String {
    let behind = page
        .split_once(mark)
        .unwrap_or_else(|| panic!("no {mark} in {page}"))
        .1;
    let at = format!("name=\"{name}\" value=\"");
    let value = behind.split_once(&at).unwrap().1;
    value.split_once('"').unwrap().0.replace("&#34;", "\"")
}

async fn manager(site: &Site) -> (Client<'_>, Browser<'_>) {
    let client = site.person(Role::CentralManager, &[]).await;
    (client, Browser::new(site, "central_manager.0").await)
}

#[tokio::test]
async fn a_transfer_is_made_approved_and_called_off_from_its_page() {
    let mut site = Site::new().await;
    site.world.branch("BER").await;
    site.world.branch("HAM").await;
    let (manager, browser) = manager(&site).await;
    manager
        .post("/api/v1/parts", &part_body("DSP-1"))
        .await
        .with(201);
    let form = browser.page("/transfers/new").await;
    let key = field(&form, "<form class=\"sheet", "key");
    let wrong = browser
        .form(
            "/transfers/new",
            &[
                ("key", &key),
                ("from", "BER"),
                ("to", "BER"),
                ("sku", "NONE"),
                ("quantity", "x"),
                ("note", "for <b>Ada</b>"),
            ],
        )
        .await;
    assert_eq!(wrong.status.as_u16(), 422);
    let shown = text(&wrong);
    assert!(shown.contains("There is no such part."), "{shown}");
    assert!(shown.contains("for &#60;b&#62;Ada"), "what was typed stays");
    let fields = [
        ("key", key.as_str()),
        ("from", "BER"),
        ("to", "HAM"),
        ("sku", "DSP-1"),
        ("quantity", "2"),
    ];
    let location = browser.form_twice("/transfers/new", &fields).await;
    let all = manager.list("/api/v1/transfers").await;
    assert_eq!(all.len(), 1, "a form has one effect");
    assert_eq!(all[0]["state"], "requested");
    let id = all[0]["id"].as_str().unwrap();
    let page = browser.page(&location).await;
    let mark = format!("action=\"/transfers/{id}/approve\"");
    let (key, version) = (field(&page, &mark, "key"), field(&page, &mark, "version"));
    let approve = format!("/transfers/{id}/approve");
    browser
        .form_twice(&approve, &[("key", &key), ("version", &version)])
        .await;
    let stale = browser
        .form(
            &format!("/transfers/{id}/cancel"),
            &[("key", "another-key"), ("version", &version)],
        )
        .await;
    assert_eq!(stale.status.as_u16(), 412, "the transfer moved on");
    let page = browser.page(&location).await;
    let mark = format!("action=\"/transfers/{id}/cancel\"");
    let fields = [
        ("key", field(&page, &mark, "key")),
        ("version", field(&page, &mark, "version")),
    ];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
    browser
        .form_twice(&format!("/transfers/{id}/cancel"), &fields)
        .await;
    let all = manager.list("/api/v1/transfers").await;
    assert_eq!(all[0]["state"], "cancelled");
    site.world.verified().await;
}

#[tokio::test]
async fn stock_is_shown_by_branch_and_each_figure_leads_to_its_movements() {
    let mut site = Site::new().await;
    let mut branch = site.world.branch("BER").await;
    site.world.branch("HAM").await;
    let (manager, browser) = manager(&site).await;
    let made = manager
        .post("/api/v1/parts", &part_body("DSP-1"))
        .await
        .with(201);
    let part = made["id"].as_str().unwrap().parse().unwrap();
    let items = vec![
        branch.movement(part, MovementKind::Opening, 7),
        branch.movement(part, MovementKind::Scrap, 2),
    ];
    let entry = branch.tx(items);
    branch.send(&site.world.hub, vec![entry]).await;
    let page = browser.page("/stock").await;
    assert!(page.contains("Part DSP-1") && page.contains("Branch BER"));
    assert!(page.contains("7 = 7"), "the equation stands below");
    let moved = browser.page("/stock/DSP-1?term=scrapped").await;
    assert!(moved.contains("Scrapped") && !moved.contains("<td>Opening</td>"));
    assert!(moved.contains("+2"), "{moved}");
    let all = browser.page("/stock/DSP-1?branch=BER").await;
    assert!(all.contains("+7") && all.contains("−2"));
    let short = browser.page("/stock?only=short").await;
    assert!(short.contains("No part is short"));
}

#[tokio::test]
async fn presets_go_to_every_branch_and_keep_their_version() {
    let mut site = Site::new().await;
    let branch = site.world.branch("BER").await;
    let (manager, browser) = manager(&site).await;
    let body = json!({ "category": "Phone", "fault": "Display broken", "service": "Display replaced",
        "price": { "amount_minor": 8900, "currency": "EUR" }, "tax_rate_bp": 1900, "minutes": 45 });
    let made = manager
        .keyed("/api/v1/presets", "one", &body)
        .await
        .with(201);
    let again = manager.keyed("/api/v1/presets", "one", &body).await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    let path = format!("/api/v1/presets/{}", made["id"].as_str().unwrap());
    let tag = manager.get(&path).await.header("etag").to_owned();
    let change = json!({ "price": { "amount_minor": 9900, "currency": "EUR" } });
    manager.patch_if(&path, &tag, &change).await.with(200);
    manager.patch_if(&path, &tag, &change).await.problem(412);
    let wrong = json!({ "service": "", "price": { "amount_minor": -1, "currency": "EUR" }, "tax_rate_bp": 1 });
    manager.post("/api/v1/presets", &wrong).await.problem(422);
    let feed = sync_protocol::feed::FeedId::chain();
    let entries = branch.feed(site.hub(), feed).await;
    let prices: Vec<i64> = entries
        .iter()
        .flat_map(|entry| &entry.items)
        .filter_map(|(_, raw)| match Item::from_raw(raw).unwrap() {
            Some(Item::Preset(row)) => Some(row.fields.price_minor),
            _ => None,
        })
        .collect();
    assert_eq!(prices, [8900, 9900]);
    let page = browser.page("/catalogue/presets").await;
    assert!(page.contains("Display replaced") && page.contains("Price, EUR"));
    assert!(page.contains("99.00"));
    let form = browser.page("/catalogue/new-preset").await;
    let key = field(&form, "<form class=\"sheet", "key");
    let fields = [
        ("key", key.as_str()),
        ("service", "Battery"),
        ("price", "1,049.5"),
        ("currency", "eur"),
        ("tax", "19"),
        ("minutes", "30"),
    ];
    browser.form_twice("/catalogue/new-preset", &fields).await;
    let all = manager.list("/api/v1/presets").await;
    assert_eq!(all.len(), 2);
    assert_eq!(all[0]["price"]["amount_minor"], 104_950);
    site.world.verified().await;
}

#[tokio::test]
async fn a_part_is_changed_on_its_page_and_a_stale_form_is_refused() {
    let site = Site::new().await;
    let (manager, browser) = manager(&site).await;
    manager
        .post("/api/v1/parts", &part_body("A/1"))
        .await
        .with(201);
    let form = browser.page("/catalogue/parts/A%2F1").await;
    let (key, version) = (
        field(&form, "<form class=\"sheet", "key"),
        field(&form, "<form class=\"sheet", "version"),
    );
    let fields = |price: &'static str| {
        vec![
            ("key", key.as_str()),
            ("version", version.as_str()),
            ("name", "Akku"),
            ("price", price),
            ("currency", "EUR"),
            ("tax", "5.5"),
            ("barcodes", "4006381333931\n12345"),
            ("active", "yes"),
        ]
    };
    let wrong = browser
        .form("/catalogue/parts/A%2F1", &fields("a lot"))
        .await;
    assert_eq!(wrong.status.as_u16(), 422);
    assert!(text(&wrong).contains("Write digits, as in 12.90."));
    assert!(text(&wrong).contains("value=\"a lot\""));
    browser
        .form_twice("/catalogue/parts/A%2F1", &fields("12.90"))
        .await;
    let part = manager.get("/api/v1/parts/A%2F1").await.with(200);
    assert_eq!(part["price"]["amount_minor"], 1290);
    assert_eq!(part["tax_rate_bp"], 550);
    assert_eq!(part["barcodes"], json!(["12345", "4006381333931"]));
    let mut late = fields("1.00");
    late[0] = ("key", "another-key");
    let stale = browser.form("/catalogue/parts/A%2F1", &late).await;
    assert_eq!(stale.status.as_u16(), 412);
    assert!(text(&stale).contains("value=\"12.90\""), "as it stands now");
    assert!(browser.page("/catalogue?q=akku").await.contains("A/1"));
}

const TABLE: &str = "Artikelnummer;Bezeichnung;VK;MwSt\nA-1;Akku;\"12,90\";19\nA-2;Display;x;19\nA-1;Akku neu;13,90;19\nA-3;\"Kabel <b>\";1.049,5;5,5\n";

#[tokio::test]
async fn parts_are_read_in_once_and_wrong_rows_are_told() {
    let site = Site::new().await;
    let (manager, browser) = manager(&site).await;
    let look = browser.file("/catalogue/import/preview", "k", TABLE).await;
    assert_eq!(look.status.as_u16(), 200, "{}", text(&look));
    assert!(text(&look).contains("Kabel &#60;b&#62;"));
    assert!(
        manager.list("/api/v1/parts").await.is_empty(),
        "only looked"
    );
    let done = browser.file("/catalogue/import/run", "k-1", TABLE).await;
    assert!(
        text(&done).contains("2 new, 1 changed, 0 equal, 1 refused"),
        "{}",
        text(&done)
    );
    let again = browser.file("/catalogue/import/run", "k-1", TABLE).await;
    assert!(
        text(&again).contains("2 new, 1 changed"),
        "the first answer again"
    );
    let parts = by(&manager.list("/api/v1/parts").await, "sku");
    assert_eq!(parts.len(), 2);
    assert_eq!(parts["A-1"]["name"], "Akku neu");
    assert_eq!(parts["A-3"]["price"]["amount_minor"], 104_950);
    let send = |table: &'static str| {
        let http = reqwest::Client::new();
        let request = http
            .post(format!("{}/api/v1/imports/parts", site.base))
            .header("authorization", format!("Bearer {}", manager.token))
            .header("content-type", "text/csv")
            .body(table);
        async move {
            let response = request.send().await.unwrap();
            let status = response.status().as_u16();
            (status, response.json::<Value>().await.unwrap())
        }
    };
    let (status, report) = send(TABLE).await;
    assert_eq!(status, 200);
    assert_eq!(report["read"], 4);
    assert_eq!(
        (&report["created"], &report["changed"], &report["skipped"]),
        (&json!(0), &json!(2), &json!(1)),
        "the two rows of one part change it there and back"
    );
    assert_eq!(report["rejected"], 1);
    assert_eq!(report["errors"][0]["row"], 3);
    let (status, _) = send("name\nAkku\n").await;
    assert_eq!(status, 422, "no column holds the numbers");
    site.world.verified().await;
}

#[tokio::test]
async fn an_order_is_changed_on_its_page_together_with_its_branch() {
    let mut site = Site::new().await;
    let mut branch = site.world.branch("BER").await;
    let (manager, browser) = manager(&site).await;
    let (order, item) = branch.new_order(None);
    let entry = branch.tx(vec![item]);
    branch.send(&site.world.hub, vec![entry]).await;
    let list = browser.page("/orders?branch=BER&status=received").await;
    assert!(list.contains(&format!("/orders/{order}")));
    assert!(
        !browser
            .page("/orders?status=ready")
            .await
            .contains(&order.to_string())
    );
    let page = browser.page(&format!("/orders/{order}")).await;
    let note = format!("action=\"/orders/{order}/notes\"");
    let key = field(&page, &note, "key");
    let empty = browser
        .form(
            &format!("/orders/{order}/notes"),
            &[("key", &key), ("text", " ")],
        )
        .await;
    assert_eq!(empty.status.as_u16(), 422);
    browser
        .form_twice(
            &format!("/orders/{order}/notes"),
            &[("key", &key), ("text", "asked <i>twice</i>")],
        )
        .await;
    let form = browser.page(&format!("/orders/{order}/edit")).await;
    let (key, base) = (
        field(&form, "<form class=\"sheet", "key"),
        field(&form, "<form class=\"sheet", "base"),
    );
    let path = format!("/orders/{order}/edit");
    let fields = |promised: &'static str| {
        vec![
            ("key", key.as_str()),
            ("base", base.as_str()),
            ("category", "Phone"),
            ("brand", "Fairphone"),
            ("fault", "does not start"),
            ("accessories", "case\ncharger"),
            ("promised", promised),
            ("urgent", "yes"),
        ]
    };
    let wrong = browser.form(&path, &fields("soon")).await;
    assert_eq!(wrong.status.as_u16(), 422);
    assert!(text(&wrong).contains("Fairphone"));
    browser.form_twice(&path, &fields("2030-01-02T10:00")).await;
    let api = format!("/api/v1/orders/{order}");
    let changed = manager.get(&api).await.with(200);
    assert_eq!(changed["device"]["brand"], "Fairphone");
    assert_eq!(changed["promised_at"], "2030-01-02T09:00:00Z");
    assert_eq!(changed["notes"].as_array().unwrap().len(), 1);
    let page = browser.page(&format!("/orders/{order}")).await;
    assert!(page.contains("asked &#60;i&#62;twice"));
    let items = branch.private_items(site.hub()).await;
    assert_eq!(
        items
            .iter()
            .filter(|item| matches!(item, Item::Change(_)))
            .count(),
        2,
        "the note and the edit"
    );
    site.world.verified().await;
}

#[tokio::test]
async fn two_customers_become_one_at_every_branch() {
    let mut site = Site::new().await;
    let mut here = site.world.branch("BER").await;
    let mut there = site.world.branch("HAM").await;
    let (first, first_key, first_item) = here.new_customer("Ada Lovelace");
    let (second, second_key, second_item) = there.new_customer("Ada King");
    let (order, order_item) = there.new_order(Some(second));
    for (branch, items) in [
        (&mut here, vec![first_item]),
        (&mut there, vec![second_item, order_item]),
    ] {
        let entry = branch.tx(items);
        branch.send(&site.world.hub, vec![entry]).await;
    }
    for (node, person, key) in [
        (here.node, first, &first_key),
        (there.node, second, &second_key),
    ] {
        let given = GivenKey {
            person,
            generation: key.generation(),
            key: *key.expose(),
        };
        site.hub().store_keys(node, vec![given]).await.unwrap();
    }
    let (manager, browser) = manager(&site).await;
    manager
        .patch(
            &format!("/api/v1/customers/{second}"),
            &json!({ "phone": "030 1234567" }),
        )
        .await
        .with(200);
    let found = browser.form("/customers", &[("q", "ada ki")]).await;
    assert!(
        text(&found).contains(&format!("/customers/{second}")),
        "{}",
        text(&found)
    );
    let found = browser
        .form(&format!("/customers/{first}/merge/find"), &[("q", "ada")])
        .await;
    let compare = format!("/customers/{first}/merge?with={second}");
    assert!(text(&found).contains(&compare));
    let page = browser.page(&compare).await;
    assert!(page.contains("Ada Lovelace") && page.contains("030 1234567"));
    let of = |name: &str| field(&page, "<form class=\"sheet", name);
    let (key, tag, with_tag) = (of("key"), of("tag"), of("with_tag"));
    let (first_id, second_id) = (first.to_string(), second.to_string());
    let fields = [
        ("key", key.as_str()),
        ("tag", tag.as_str()),
        ("with_tag", with_tag.as_str()),
        ("with", second_id.as_str()),
        ("stays", first_id.as_str()),
        ("name", second_id.as_str()),
    ];
    let location = browser
        .form_twice(&format!("/customers/{first}/merge"), &fields)
        .await;
    assert_eq!(location, format!("/customers/{first}"));
    let stays = manager
        .get(&format!("/api/v1/customers/{first}"))
        .await
        .with(200);
    assert_eq!(stays["name"], "Ada King", "as it was chosen");
    assert_eq!(stays["phone"], "030 1234567", "what it lacked");
    let gone = manager
        .get(&format!("/api/v1/customers/{second}"))
        .await
        .with(200);
    assert_eq!(gone["merged_into"], first.to_string());
    let pointed = manager
        .get(&format!("/api/v1/orders/{order}"))
        .await
        .with(200);
    assert_eq!(pointed["customer"]["id"], first.to_string());
    let items = there.private_items(site.hub()).await;
    assert!(
        items
            .iter()
            .any(|item| matches!(item, Item::Snapshot(snapshot) if snapshot.document == first)),
        "the branch of the other gets the one that stays"
    );
    let again = json!({ "with": second });
    let merged = manager
        .post(&format!("/api/v1/customers/{first}/merge"), &again)
        .await
        .problem(409);
    assert_eq!(merged["merged_into"], first.to_string());
    let itself = json!({ "with": first });
    manager
        .post(&format!("/api/v1/customers/{first}/merge"), &itself)
        .await
        .problem(409);
    assert!(
        browser
            .page(&location)
            .await
            .contains(&format!("/orders/{order}"))
    );
    site.world.verified().await;
}

#[tokio::test]
async fn pages_ask_for_their_permission() {
    let site = Site::new().await;
    site.person(Role::Operator, &[]).await;
    let browser = Browser::new(&site, "operator.0").await;
    for path in [
        "/orders",
        "/customers",
        "/transfers/new",
        "/catalogue/new-part",
    ] {
        let request = browser
            .http
            .request(Method::GET, format!("{}{path}", site.base));
        let got = browser.send(request).await;
        assert_eq!(got.status.as_u16(), 403, "{path}");
    }
    let stock = browser.page("/stock").await;
    assert!(
        !stock.contains("href=\"/orders\""),
        "the rail names no page that is closed"
    );
    assert!(
        browser
            .page("/catalogue/import")
            .await
            .contains("parts-import.js")
    );
}
