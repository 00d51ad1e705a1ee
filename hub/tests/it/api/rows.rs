//! Branches, people, parts, settings, transfers: rows that the hub owns, and what reaches the feeds.

use domain::staff::Role;
use domain::stock::MovementKind;
use serde_json::{Value, json};
use sqlx::Row as _;
use sync_protocol::feed::FeedId;
use sync_protocol::item::Item;

use super::{Site, branch_body, by, field, part_body};

#[tokio::test]
async fn a_branch_is_made_once_for_each_key() {
    let site = Site::new().await;
    let operator = site.person(Role::Operator, &[]).await;
    let body = branch_body("BER", 52.53, 13.385);
    let first = operator.keyed("/api/v1/branches", "one", &body).await;
    assert!(first.header("idempotency-replayed").is_empty());
    let first = first.with(201);
    let again = operator.keyed("/api/v1/branches", "one", &body).await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.with(201), first);
    let other = operator
        .keyed("/api/v1/branches", "one", &branch_body("HAM", 53.5, 9.9))
        .await
        .problem(422);
    assert_eq!(
        other["type"],
        "urn:counterpart:problem:idempotency-key-reused"
    );
    operator
        .keyed("/api/v1/parts", "one", &part_body("A"))
        .await
        .problem(403);
    operator.post("/api/v1/branches", &body).await.problem(409);
    assert_eq!(
        site.world
            .count("select count(*) from locations.branch")
            .await,
        1
    );
    let sealed: Vec<u8> =
        sqlx::query_scalar("select answer from sync.idempotency where key = 'one'")
            .fetch_one(site.hub().pool())
            .await
            .unwrap();
    assert!(
        !String::from_utf8_lossy(&sealed).contains("Branch BER"),
        "the stored answer is sealed"
    );
    site.world.verified().await;
}

#[tokio::test]
async fn a_branch_is_changed_on_its_base_only() {
    let site = Site::new().await;
    let operator = site.person(Role::Operator, &[]).await;
    let made = operator
        .post("/api/v1/branches", &branch_body("BER", 52.53, 13.385))
        .await;
    let path = format!("/api/v1/branches/{}", made.json()["id"].as_str().unwrap());
    let read = operator.get(&path).await;
    let tag = read.header("etag").to_owned();
    assert_eq!(tag, made.header("etag"));
    let changed = operator
        .patch_if(&path, &tag, &json!({ "opening_hours": "Mo-Fr 9-18" }))
        .await;
    assert_ne!(changed.header("etag"), tag);
    assert_eq!(changed.with(200)["opening_hours"], "Mo-Fr 9-18");
    operator
        .patch_if(&path, &tag, &json!({ "name": "Other" }))
        .await
        .problem(412);
    let auditor = site.person(Role::Auditor, &[]).await;
    auditor
        .patch(&path, &json!({ "name": "Other" }))
        .await
        .problem(403);
    assert_eq!(operator.get(&path).await.with(200)["link"], "no_machine");
}

#[tokio::test]
async fn a_join_code_is_shown_to_its_maker_only() {
    let site = Site::new().await;
    let operator = site.person(Role::Operator, &[]).await;
    let made = operator
        .post("/api/v1/branches", &branch_body("BER", 52.53, 13.385))
        .await
        .with(201);
    let path = format!(
        "/api/v1/branches/{}/join-codes",
        made["id"].as_str().unwrap()
    );
    let code = operator.keyed(&path, "code", &Value::Null).await.with(201);
    assert!(code["code"].as_str().unwrap().starts_with("CP1-"), "{code}");
    assert_eq!(
        operator.keyed(&path, "code", &Value::Null).await.with(201),
        code
    );
    assert_eq!(
        site.world
            .count("select count(*) from sync.join_code")
            .await,
        1
    );
    site.person(Role::Auditor, &[])
        .await
        .post(&path, &Value::Null)
        .await
        .problem(403);
}

#[tokio::test]
async fn the_nearest_branch_has_the_part() {
    let mut site = Site::new().await;
    let mut far = site.world.branch("HAM").await;
    let near = site.world.branch("BER").await;
    site.world.execute("update locations.branch set location = st_makepoint(9.943, 53.551)::geography where code = 'HAM'").await;
    let manager = site.person(Role::CentralManager, &[]).await;
    let part = manager
        .post("/api/v1/parts", &part_body("DSP-1"))
        .await
        .with(201);
    let part = part["id"].as_str().unwrap().parse().unwrap();
    let opening = far.movement(part, MovementKind::Opening, 5);
    let entry = far.tx(vec![opening]);
    far.send(site.hub(), vec![entry]).await;
    let here = "/api/v1/branches/nearest?latitude=52.52&longitude=13.40";
    let all = manager.get(here).await.with(200);
    assert_eq!(
        field(all["items"].as_array().unwrap(), "code"),
        ["BER", "HAM"]
    );
    let with_part = manager
        .get(&format!("{here}&sku=DSP-1&quantity=5"))
        .await
        .with(200);
    let items = with_part["items"].as_array().unwrap();
    assert_eq!(field(items, "code"), ["HAM"]);
    assert_eq!(items[0]["free"], 5, "{items:?}");
    assert!(items[0]["as_of"].is_string(), "{items:?}");
    let metres = items[0]["distance_m"].as_f64().unwrap();
    assert!((metres - 254_000.0).abs() < 5_000.0, "{metres}");
    let none = manager
        .get(&format!("{here}&sku=DSP-1&quantity=6"))
        .await
        .with(200);
    assert_eq!(none["items"], json!([]));
    manager.get(&format!("{here}&sku=NONE")).await.problem(422);
    manager
        .get("/api/v1/branches/nearest?latitude=91&longitude=0")
        .await
        .problem(422);
    drop(near);
}

#[tokio::test]
#[expect(
    clippy::disallowed_methods,
    reason = "explain takes no parameters; only numbers of this test are put in"
)]
async fn nearest_reads_its_index() {
    let site = Site::new().await;
    site.world
        .execute(
            "insert into locations.branch select gen_random_uuid(), 1, false, 'B' || n, 'Branch', 'north', '', 0, 0,
                st_makepoint((n % 360) - 180, (n % 170) - 85)::geography, 'Europe/Berlin', 'EUR', 0, true, true, '', n, n
             from generate_series(1, 5000) n",
        )
        .await;
    site.world.execute("analyze locations.branch").await;
    let mut connection = site.hub().pool().acquire().await.unwrap();
    // The planner is asked about the very statement that runs.
    let explained = format!(
        "explain (analyze, format text) {}",
        hub::store::locations::read::NEAREST
    )
    .replace("$1", "13.4::float8")
    .replace("$2", "52.5::float8")
    .replace("$3", "null")
    .replace("$4", "10");
    let rows = sqlx::raw_sql(sqlx::AssertSqlSafe(explained))
        .fetch_all(&mut *connection)
        .await
        .unwrap();
    let plan: String = rows
        .iter()
        .map(|row| row.get::<String, _>(0) + "\n")
        .collect();
    assert!(
        plan.contains("Index Scan using branch_by_location"),
        "{plan}"
    );
}

#[tokio::test]
async fn a_person_reaches_the_branches_where_he_works() {
    let mut site = Site::new().await;
    let here = site.world.branch("BER").await;
    let elsewhere = site.world.branch("HAM").await;
    let operator = site.person(Role::Operator, &[]).await;
    let body = json!({ "username": "clara", "name": "Clara", "role": "clerk", "branches": ["BER"],
        "password": "correct horse" });
    let made = operator.post("/api/v1/staff", &body).await.with(201);
    assert!(
        made.get("password").is_none() && !made.to_string().contains("argon2"),
        "{made}"
    );
    let has = |items: &[Item]| {
        items.iter().any(|item| matches!(item, Item::Credential(row) if row.id.to_string() == made["id"].as_str().unwrap()))
    };
    assert!(has(&here.private_items(site.hub()).await));
    assert!(!has(&elsewhere.private_items(site.hub()).await));
    let chain = elsewhere.feed(site.hub(), FeedId::chain()).await;
    let names = chain.into_iter().flat_map(|entry| entry.items);
    let names: Vec<Item> = names
        .map(|(_, raw)| Item::from_raw(&raw).unwrap().unwrap())
        .collect();
    assert!(
        names
            .iter()
            .any(|item| matches!(item, Item::Staff(row) if row.fields.username == "clara"))
    );
    assert!(!names.iter().any(|item| matches!(item, Item::Credential(_))));
    let path = format!("/api/v1/staff/{}", made["id"].as_str().unwrap());
    operator
        .patch(&path, &json!({ "branches": ["BER", "HAM"] }))
        .await
        .with(200);
    assert!(
        has(&elsewhere.private_items(site.hub()).await),
        "a credential follows to a new place of work"
    );
    operator
        .patch(&path, &json!({ "branches": ["XXX"] }))
        .await
        .problem(422);
    operator.post("/api/v1/staff", &body).await.problem(409);
    let clerk = site.sign_in("clara", "correct horse").await;
    clerk.get("/api/v1/orders").await.problem(403);
    site.world.verified().await;
}

#[tokio::test]
async fn parts_and_settings_go_to_every_branch() {
    let mut site = Site::new().await;
    let branch = site.world.branch("BER").await;
    let manager = site.person(Role::CentralManager, &[]).await;
    for sku in ["B/2", "A-1", "C.3"] {
        manager
            .post("/api/v1/parts", &part_body(sku))
            .await
            .with(201);
    }
    assert_eq!(
        field(&manager.list("/api/v1/parts").await, "sku"),
        ["A-1", "B/2", "C.3"]
    );
    let price = json!({ "price": { "amount_minor": 5990, "currency": "EUR" } });
    let changed = manager.patch("/api/v1/parts/B%2F2", &price).await.with(200);
    assert_eq!(changed["price"]["amount_minor"], 5990);
    manager
        .post("/api/v1/parts", &part_body("A-1"))
        .await
        .problem(409);
    manager
        .patch("/api/v1/parts/NONE", &price)
        .await
        .problem(404);
    let company = json!({ "legal_name": "Example GmbH", "tax_id": "DE1" });
    manager.patch("/api/v1/settings", &company).await.with(200);
    assert_eq!(
        manager.get("/api/v1/settings").await.with(200)["tax_id"],
        "DE1"
    );
    let chain = branch.feed(site.hub(), FeedId::chain()).await;
    let items: Vec<Item> = chain
        .into_iter()
        .flat_map(|entry| entry.items)
        .map(|(_, raw)| Item::from_raw(&raw).unwrap().unwrap())
        .collect();
    assert_eq!(
        items
            .iter()
            .filter(|item| matches!(item, Item::Part(_)))
            .count(),
        4
    );
    assert!(
        items
            .iter()
            .any(|item| matches!(item, Item::Company(row) if row.fields.tax_id == "DE1"))
    );
}

#[tokio::test]
async fn a_transfer_is_asked_for_and_approved() {
    let mut site = Site::new().await;
    let source = site.world.branch("BER").await;
    let destination = site.world.branch("HAM").await;
    let manager = site.person(Role::CentralManager, &[]).await;
    manager
        .post("/api/v1/parts", &part_body("DSP-1"))
        .await
        .with(201);
    let body = json!({ "from": "BER", "to": "HAM", "lines": [{ "sku": "DSP-1", "quantity": 2 }] });
    let asked = manager.post("/api/v1/transfers", &body).await.with(201);
    assert_eq!(asked["state"], "requested");
    let path = format!("/api/v1/transfers/{}", asked["id"].as_str().unwrap());
    let approved = manager
        .keyed(&format!("{path}/approve"), "approve", &Value::Null)
        .await
        .with(200);
    assert_eq!(approved["state"], "approved");
    let again = manager
        .keyed(&format!("{path}/approve"), "approve", &Value::Null)
        .await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    let refused = manager
        .post(&format!("{path}/approve"), &Value::Null)
        .await
        .problem(409);
    assert_eq!(refused["state"], "approved");
    for branch in [&source, &destination] {
        let plans = branch.private_items(site.hub()).await;
        assert_eq!(
            plans
                .iter()
                .filter(|item| matches!(item, Item::Plan(_)))
                .count(),
            1,
            "{}",
            branch.code
        );
    }
    let other = manager.post("/api/v1/transfers", &body).await.with(201);
    let other_path = format!("/api/v1/transfers/{}", other["id"].as_str().unwrap());
    let gone = manager
        .post(
            &format!("{other_path}/cancel"),
            &json!({ "reason": "not needed" }),
        )
        .await
        .with(200);
    assert_eq!(gone["state"], "cancelled");
    let listed = by(&manager.list("/api/v1/transfers").await, "id");
    assert_eq!(listed[asked["id"].as_str().unwrap()]["state"], "approved");
    assert_eq!(listed.len(), 2);
    let keeper = site.person(Role::BranchManager, &["BER"]).await;
    keeper
        .post(&format!("{path}/cancel"), &Value::Null)
        .await
        .problem(403);
    let wrong = json!({ "from": "BER", "to": "BER", "lines": [{ "sku": "NONE", "quantity": 0 }] });
    manager.post("/api/v1/transfers", &wrong).await.problem(422);
    site.world.verified().await;
}

#[tokio::test]
async fn stock_of_the_chain_balances() {
    let mut site = Site::new().await;
    let mut branch = site.world.branch("BER").await;
    let manager = site.person(Role::CentralManager, &[]).await;
    let part = manager
        .post("/api/v1/parts", &part_body("DSP-1"))
        .await
        .with(201);
    let part = part["id"].as_str().unwrap().parse().unwrap();
    let moves = [
        (MovementKind::Opening, 5),
        (MovementKind::Receive, 3),
        (MovementKind::Scrap, 1),
    ];
    let items = moves
        .iter()
        .map(|(kind, pieces)| branch.movement(part, *kind, *pieces))
        .collect();
    let entry = branch.tx(items);
    branch.send(site.hub(), vec![entry]).await;
    let stock = manager
        .get("/api/v1/stock?sku=DSP-1&branch=BER")
        .await
        .with(200);
    assert_eq!(
        (&stock["items"][0]["on_hand"], &stock["items"][0]["free"]),
        (&json!(7), &json!(7))
    );
    let one = manager
        .get("/api/v1/stock/DSP-1/conservation")
        .await
        .with(200);
    assert_eq!(
        (&one["opening"], &one["purchased"], &one["scrapped"]),
        (&json!(5), &json!(3), &json!(1))
    );
    assert_eq!(
        (&one["on_hand"], &one["balanced"]),
        (&json!(7), &json!(true))
    );
    site.world
        .execute("update inventory.stock set on_hand = 8")
        .await;
    let bent = manager.get("/api/v1/stock/conservation").await.with(200);
    assert_eq!(bent["items"][0]["balanced"], false, "{bent}");
}
