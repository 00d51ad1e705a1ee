//! What pages say once with the way back, versions settled and taken back, who looks into what, late orders.

use domain::document::{DocumentKind, Edit};
use domain::id::StaffId;
use domain::staff::{Role, StaffRow};
use domain::stock::MovementKind;
use hub::app::Actor;
use serde_json::{Value, json};
use sync_protocol::item::{Item, Row, command};

use crate::api::{Client, Site, part_body};
use crate::pages::Browser;
use crate::support::part;

/// The value of the first field of this name behind `mark`.
fn hidden(text: &str, mark: &str, name: &str) -> String {
    let text = &text[text.find(mark).unwrap_or_else(|| panic!("no {mark}"))..];
    let start = format!("name=\"{name}\" value=\"");
    let at = text.find(&start).unwrap_or_else(|| panic!("no {name}"));
    let value = &text[at + start.len()..];
    value[..value.find('"').unwrap()].to_owned()
}

async fn price(manager: &Client<'_>) -> Value {
    manager.get("/api/v1/parts/DSP-1").await.with(200)["price"]["amount_minor"].clone()
}

#[tokio::test]
async fn what_was_saved_is_said_once_and_taken_back_once() {
    let site = Site::new().await;
    let manager = site.person(Role::CentralManager, &[]).await;
    manager
        .post("/api/v1/parts", &part_body("DSP-1"))
        .await
        .with(201);
    let was = price(&manager).await;
    let browser = Browser::new(&site, Role::CentralManager, &[]).await;
    let page = browser.get("/catalogue/parts/DSP-1").await.text;
    let of = |name: &str| hidden(&page, "page-form", name);
    let (key, version, name) = (of("key"), of("version"), of("name"));
    let fields = [
        ("key", key.as_str()),
        ("version", version.as_str()),
        ("name", name.as_str()),
        ("price", "1.50"),
        ("currency", "EUR"),
        ("tax", "19"),
        ("active", "yes"),
    ];
    for _ in 0..2 {
        let saved = browser.post("/catalogue/parts/DSP-1", &fields).await;
        assert_eq!(saved.location, "/catalogue");
    }
    assert_eq!(price(&manager).await, 150);
    let said = browser.get("/catalogue").await.text;
    assert!(said.contains("<b>DSP-1</b> is saved"), "{said}");
    let again = browser.get("/catalogue").await.text;
    assert!(!again.contains("is saved"), "said once");
    let (way, undo) = (
        hidden(&said, "class=\"toast\"", "way"),
        hidden(&said, "class=\"toast\"", "key"),
    );
    let other = Browser::new(&site, Role::CentralManager, &[]).await;
    let stranger = [("key", "0123456789abcdef0123"), ("way", way.as_str())];
    other.post("/undo", &stranger).await;
    assert_eq!(price(&manager).await, 150, "the way back of somebody else");
    let back = [("key", undo.as_str()), ("way", way.as_str())];
    for _ in 0..2 {
        assert_eq!(browser.post("/undo", &back).await.location, "/catalogue");
        assert_eq!(price(&manager).await, was);
    }
    let late = [("key", "0123456789abcdef0124"), ("way", way.as_str())];
    browser.post("/undo", &late).await;
    let refused = browser.get("/catalogue").await.text;
    assert!(refused.contains("stays as it is."), "{refused}");
    assert_eq!(price(&manager).await, was);
}

#[tokio::test]
async fn versions_are_settled_at_the_order_and_taken_back() {
    let mut site = Site::new().await;
    let mut branch = site.world.branch("BER").await;
    let (order, item) = branch.new_order(None);
    let entry = branch.tx(vec![item]);
    branch.send(&site.world.hub, vec![entry]).await;
    let manager = site.person(Role::CentralManager, &[]).await;
    let address = format!("/api/v1/orders/{order}");
    manager
        .patch(&address, &json!({ "diagnosis": "Battery is empty" }))
        .await
        .with(200);
    let edits = [Edit::text(&["diagnosis"], "Battery is swollen")];
    let other = branch.edit(order, DocumentKind::Order, &edits);
    let entry = branch.tx(vec![other]);
    branch.send(&site.world.hub, vec![entry]).await;
    let diagnosis = async || manager.get(&address).await.with(200)["diagnosis"].clone();
    let shown = diagnosis().await;
    let browser = Browser::new(&site, Role::CentralManager, &[]).await;
    let here = format!("/orders/{order}");
    let page = browser.get(&here).await.text;
    assert!(
        page.contains("Battery is <mark>") && page.contains("at the hub"),
        "{page}"
    );
    let action = page.find("/documents/").unwrap();
    let action = &page[action..action + page[action..].find('"').unwrap()];
    let key = hidden(&page, "class=\"sheet conflict\"", "key");
    let both = [("key", key.as_str()), ("keep", "both"), ("value", "")];
    let auditor = Browser::new(&site, Role::Auditor, &[]).await;
    assert_eq!(auditor.post(action, &both).await.status, 403);
    for _ in 0..2 {
        assert_eq!(browser.post(action, &both).await.location, here);
    }
    let kept = diagnosis().await;
    assert!(kept.as_str().unwrap().contains("empty") && kept.as_str().unwrap().contains("swollen"));
    assert!(manager.list("/api/v1/conflicts").await.is_empty());
    let said = browser.get(&here).await.text;
    assert!(
        said.contains("is settled") && said.contains("Take back"),
        "{said}"
    );
    let undo = [
        ("key", hidden(&said, "class=\"toast\"", "key")),
        ("way", hidden(&said, "class=\"toast\"", "way")),
    ];
    let undo: Vec<(&str, &str)> = undo
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    browser.post("/undo", &undo).await;
    assert_eq!(diagnosis().await, shown);
    let after = browser.get(&here).await.text;
    assert!(!after.contains("Take back"), "{after}");
    site.world.verified().await;
}

#[tokio::test]
async fn a_program_settles_a_conflict_and_takes_it_back() {
    let mut site = Site::new().await;
    let mut branch = site.world.branch("BER").await;
    let (order, item) = branch.new_order(None);
    let entry = branch.tx(vec![item]);
    branch.send(&site.world.hub, vec![entry]).await;
    let manager = site.person(Role::CentralManager, &[]).await;
    let address = format!("/api/v1/orders/{order}");
    let empty = json!({ "diagnosis": "Battery is empty" });
    manager.patch(&address, &empty).await.with(200);
    let edits = [Edit::text(&["diagnosis"], "Battery is swollen")];
    let other = branch.edit(order, DocumentKind::Order, &edits);
    let entry = branch.tx(vec![other]);
    branch.send(&site.world.hub, vec![entry]).await;
    let diagnosis = async || manager.get(&address).await.with(200)["diagnosis"].clone();
    let shown = diagnosis().await;
    let id = manager.list("/api/v1/conflicts").await[0]["id"].clone();
    let at = |word: &str| format!("/api/v1/conflicts/{}/{word}", id.as_str().unwrap());
    let wrong = manager.post(&at("resolve"), &json!({ "keep": "c" })).await;
    assert_eq!(wrong.with(422)["errors"][0]["pointer"], "/keep");
    let auditor = site.person(Role::Auditor, &[]).await;
    let swollen = json!({ "keep": "a", "value": "Battery swollen, not empty" });
    auditor.post(&at("resolve"), &swollen).await.with(403);
    let settled = manager.post(&at("resolve"), &swollen).await.with(200);
    assert_eq!(
        (&settled["id"], &settled["open"]),
        (&id, &Value::Bool(false))
    );
    assert_eq!(diagnosis().await, "Battery swollen, not empty");
    assert!(manager.list("/api/v1/conflicts").await.is_empty());
    manager.post(&at("resolve"), &swollen).await.with(409);
    manager.post(&at("undo"), &json!({})).await.with(200);
    assert_eq!(diagnosis().await, shown);
    manager.post(&at("undo"), &json!({})).await.with(409);
    let nobody = "/api/v1/conflicts/00000000-0000-8000-8000-000000000001/undo";
    manager.post(nobody, &json!({})).await.with(404);
    site.world.verified().await;
}

/// A booking that came twice, and a part below zero.
async fn two_kinds_of_exceptions(site: &mut Site) {
    let mut branch = site.world.branch("BER").await;
    let used = branch.movement_about(part(1), MovementKind::Use, 2, [7; 16], [8; 16], 0);
    let entries = [used.clone(), used].map(|item| branch.tx(vec![item]));
    branch.send(&site.world.hub, entries.to_vec()).await;
}

#[tokio::test]
async fn what_nothing_else_ends_is_closed_with_a_reason_and_opened_again() {
    let mut site = Site::new().await;
    two_kinds_of_exceptions(&mut site).await;
    let manager = site.person(Role::CentralManager, &[]).await;
    let found = manager.list("/api/v1/exceptions").await;
    let of = |kind: &str| {
        found
            .iter()
            .find(|one| one["kind"] == kind)
            .unwrap()
            .clone()
    };
    let (double, negative) = (of("superseded"), of("negative_stock"));
    let close = |one: &Value| {
        let kind = one["kind"].as_str().unwrap();
        let subject = one["subject_id"].as_str().unwrap();
        format!("/api/v1/exceptions/BER/{kind}/{subject}/close")
    };
    let why = json!({ "reason": "scanned twice, counted once" });
    let counted = manager.post(&close(&negative), &why).await.with(409);
    assert_eq!(
        counted["detail"],
        "This ends when the branch counts the part."
    );
    let settle = format!(
        "/api/v1/decisions/{}/settle",
        negative["subject_id"].as_str().unwrap()
    );
    let choice = json!({ "choice": "close", "reason": "counted" });
    manager.post(&settle, &choice).await.with(409);
    let silent = manager
        .post(&close(&double), &json!({ "reason": " " }))
        .await;
    assert_eq!(silent.with(422)["errors"][0]["pointer"], "/reason");
    manager.post(&close(&double), &why).await.with(200);
    manager.post(&close(&double), &why).await.with(404);
    let kinds = |found: &[Value]| {
        found
            .iter()
            .map(|one| one["kind"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        kinds(&manager.list("/api/v1/exceptions").await),
        ["negative_stock"]
    );
    let noted = "select count(*) from audit.note where text = 'scanned twice, counted once'";
    assert_eq!(site.world.count(noted).await, 1);
    site.world.verified().await;
}

#[tokio::test]
async fn a_page_closes_an_exception_and_takes_that_back() {
    let mut site = Site::new().await;
    two_kinds_of_exceptions(&mut site).await;
    let manager = site.person(Role::CentralManager, &[]).await;
    let open = async || {
        let mut found = manager.list("/api/v1/exceptions").await;
        found.retain(|one| one["kind"] == "superseded");
        // Its age grows with the clock.
        found.iter_mut().for_each(|one| one["age_s"] = Value::Null);
        found
    };
    let before = open().await;
    assert_eq!(before.len(), 1);
    let browser = Browser::new(&site, Role::CentralManager, &[]).await;
    let page = browser.get("/exceptions").await.text;
    let of = |name: &str| hidden(&page, "id=\"close-superseded-", name);
    let named = ["key", "branch", "kind", "subject"].map(|name| (name, of(name)));
    let mut form: Vec<(&str, &str)> = named
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    form.push(("reason", ""));
    let refused = browser.post("/exceptions/close", &form).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text.contains("Must say why."), "{}", refused.text);
    assert_eq!(open().await, before);
    form.pop();
    form.push(("reason", "looked at the shelf"));
    let auditor = Browser::new(&site, Role::Auditor, &[]).await;
    assert_eq!(auditor.post("/exceptions/close", &form).await.status, 403);
    for _ in 0..2 {
        assert_eq!(
            browser.post("/exceptions/close", &form).await.location,
            "/exceptions"
        );
    }
    assert!(open().await.is_empty());
    let said = browser.get("/exceptions").await.text;
    assert!(said.contains("is closed"), "{said}");
    let toast = ["key", "way"].map(|name| (name, hidden(&said, "class=\"toast\"", name)));
    let undo: Vec<(&str, &str)> = toast
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    browser.post("/undo", &undo).await;
    assert_eq!(open().await, before);
    site.world.verified().await;
}

#[tokio::test]
async fn an_exception_leads_to_its_order_and_gets_an_owner() {
    let mut site = Site::new().await;
    let mut branch = site.world.branch("BER").await;
    let (order, item) = branch.new_order(None);
    let entry = branch.tx(vec![item]);
    branch.send(&site.world.hub, vec![entry]).await;
    let manager = site.person(Role::CentralManager, &[]).await;
    let address = format!("/api/v1/orders/{order}");
    let hub = json!({ "diagnosis": "Battery" });
    manager.patch(&address, &hub).await.with(200);
    let edits = [Edit::text(&["diagnosis"], "Display")];
    let other = branch.edit(order, DocumentKind::Order, &edits);
    let entry = branch.tx(vec![other]);
    branch.send(&site.world.hub, vec![entry]).await;
    let browser = Browser::new(&site, Role::CentralManager, &[]).await;
    let page = browser.get("/exceptions").await.text;
    assert!(page.contains(&format!("href=\"/orders/{order}\"")) && page.contains("nobody yet"));
    let of = |name: &str| hidden(&page, "class=\"row owner\"", name);
    let (key, place, kind, subject) = (of("key"), of("branch"), of("kind"), of("subject"));
    let take = |owner: &'static str| {
        vec![
            ("key", key.as_str()),
            ("branch", place.as_str()),
            ("kind", kind.as_str()),
            ("subject", subject.as_str()),
            ("owner", owner),
        ]
    };
    let taken = browser.post("/exceptions/owner", &take("me")).await;
    assert_eq!(taken.location, "/exceptions");
    let mine = browser.get("/exceptions?kind=mine").await.text;
    assert!(
        mine.contains("is yours now") && mine.contains("central_manager"),
        "{mine}"
    );
    let auditor = Browser::new(&site, Role::Auditor, &[]).await;
    assert_eq!(
        auditor.post("/exceptions/owner", &take("me")).await.status,
        403
    );
    manager
        .patch(&address, &json!({ "diagnosis": "Both" }))
        .await
        .with(200);
    assert_eq!(
        site.world
            .count("select count(*) from audit.exception_owner")
            .await,
        0
    );
    let none = browser.get("/exceptions").await.text;
    assert!(none.contains("Nothing waits for a person"));
}

#[tokio::test]
async fn a_late_order_of_a_joined_person_shows_and_gets_the_one_that_stays() {
    let mut site = Site::new().await;
    let mut branch = site.world.branch("BER").await;
    let (first, first_key, one) = branch.new_customer("Ada Lovelace");
    let (second, second_key, two) = branch.new_customer("Ada King");
    let entry = branch.tx(vec![one, two]);
    branch.send(&site.world.hub, vec![entry]).await;
    for (person, key) in [(first, &first_key), (second, &second_key)] {
        let given = sync_protocol::message::GivenKey {
            person,
            generation: key.generation(),
            key: *key.expose(),
        };
        site.hub()
            .store_keys(branch.node, vec![given])
            .await
            .unwrap();
    }
    let manager = site.person(Role::CentralManager, &[]).await;
    manager
        .post(
            &format!("/api/v1/customers/{first}/merge"),
            &json!({ "with": second }),
        )
        .await
        .with(200);
    let (order, item) = branch.new_order(Some(second));
    let entry = branch.tx(vec![item]);
    branch.send(&site.world.hub, vec![entry]).await;
    let browser = Browser::new(&site, Role::CentralManager, &[]).await;
    let page = browser.get(&format!("/orders/{order}")).await.text;
    assert!(page.contains(&format!("/customers/{first}")) && page.contains("Ada Lovelace"));
    assert_eq!(site.hub().point_late_orders().await.unwrap(), 1);
    assert_eq!(site.hub().point_late_orders().await.unwrap(), 0);
    let pointed = manager
        .get(&format!("/api/v1/orders/{order}"))
        .await
        .with(200);
    assert_eq!(pointed["customer"]["id"], first.to_string());
    site.world.verified().await;
}

#[tokio::test]
async fn people_are_listed_a_page_at_a_time() {
    let site = Site::new().await;
    let mut tx = site
        .hub()
        .begin(Actor::SYSTEM, command::ROWS)
        .await
        .unwrap();
    for n in 0..130_u8 {
        let fields = StaffRow {
            username: format!("clerk.{n}"),
            name: format!("Clerk {n:03}"),
            role: Role::Clerk,
            branches: Vec::new(),
            active: true,
        };
        tx.fact(Item::Staff(Row {
            id: StaffId::from_bytes([n + 1; 16]),
            version: 1,
            deleted: false,
            fields,
        }));
    }
    tx.commit().await.unwrap();
    let browser = Browser::new(&site, Role::CentralManager, &[]).await;
    let first = browser.get("/staff?q=clerk").await.text;
    assert!(first.contains("130 people") && first.contains("Clerk 099"));
    assert!(!first.contains("Clerk 100"));
    let next = first.find("after=").unwrap();
    let next = &first[next..next + first[next..].find('"').unwrap()];
    let second = browser.get(&format!("/staff?q=clerk&{next}")).await.text;
    assert!(second.contains("Clerk 100") && second.contains("Clerk 129"));
    assert!(!second.contains("Clerk 099") && second.contains("First page"));
}
