//! Orders, customers and what shows documents: changes that reach branches, search, conflicts, exports, audit.

use automerge::{Automerge, ROOT, ReadDoc};
use domain::document::{DocumentKind, Edit};
use domain::staff::Role;
use futures_util::StreamExt;
use reqwest::Method;
use serde_json::json;
use sync_protocol::hash::digest_of_documents;
use sync_protocol::item::Item;
use sync_protocol::message::GivenKey;

use super::{Site, field};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn a_change_at_the_hub_reaches_the_branch() {
    let mut site = Site::new().await;
    let mut branch = site.world.branch("BER").await;
    let (order, item) = branch.new_order(None);
    let entry = branch.tx(vec![item]);
    branch.send(site.hub(), vec![entry]).await;
    let manager = site.person(Role::CentralManager, &[]).await;
    let path = format!("/api/v1/orders/{order}");
    let read = manager.get(&path).await;
    let tag = read.header("etag").to_owned();
    let shown = read.with(200);
    assert_eq!(
        (&shown["branch"], &shown["status"], &shown["sync"]),
        (&json!("BER"), &json!("received"), &json!("applied"))
    );
    let body = json!({ "diagnosis": "Battery is dead", "urgent": true, "promised_at": "2026-12-01T17:00:00+01:00",
        "device": { "serial": "SN-77", "accessories": ["charger", "case"] } });
    let changed = manager.patch_if(&path, &tag, &body).await;
    let new_tag = changed.header("etag").to_owned();
    let changed = changed.with(200);
    assert_eq!(changed["promised_at"], "2026-12-01T16:00:00Z");
    assert_eq!(
        changed["device"]["accessories"].as_array().unwrap().len(),
        2
    );
    let same = manager.get(&path).await;
    assert_eq!(same.header("etag"), new_tag);
    assert_eq!(same.with(200)["diagnosis"], "Battery is dead");
    manager
        .patch_if(&path, &tag, &json!({ "urgent": false }))
        .await
        .problem(412);
    let items = branch.private_items(site.hub()).await;
    let changes: Vec<_> = items
        .iter()
        .filter(|item| matches!(item, Item::Change(change) if change.document == order))
        .collect();
    assert_eq!(
        changes.len(),
        1,
        "the hub's change goes down, the branch's own does not come back"
    );
    let noted = manager
        .post(
            &format!("{path}/notes"),
            &json!({ "text": "Customer called" }),
        )
        .await
        .with(201);
    assert_eq!(noted["notes"][0]["text"], "Customer called");
    manager
        .post(&format!("{path}/notes"), &json!({ "text": " " }))
        .await
        .problem(422);
    let unknown = json!({ "technician_id": "00000000-0000-4000-8000-000000000001" });
    let refused = manager.patch(&path, &unknown).await.problem(422);
    assert_eq!(refused["errors"][0]["pointer"], "/technician_id");
    manager
        .get("/api/v1/orders/00000000-0000-4000-8000-000000000001")
        .await
        .problem(404);
    site.world.verified().await;
}

#[tokio::test]
async fn lists_of_orders_are_whole_and_narrowed() {
    let mut site = Site::new().await;
    let (mut ber, mut ham) = (
        site.world.branch("BER").await,
        site.world.branch("HAM").await,
    );
    let mut ids = Vec::new();
    for branch in [&mut ber, &mut ham] {
        for _ in 0..3 {
            let (order, item) = branch.new_order(None);
            let entry = branch.tx(vec![item]);
            branch.send(&site.world.hub, vec![entry]).await;
            ids.push(order.to_string());
        }
    }
    let manager = site.person(Role::CentralManager, &[]).await;
    let mut all = field(&manager.list("/api/v1/orders").await, "id");
    all.sort();
    ids.sort();
    assert_eq!(all, ids);
    assert_eq!(manager.list("/api/v1/orders?branch=HAM").await.len(), 3);
    assert_eq!(manager.list("/api/v1/orders?status=ready").await.len(), 0);
    let number = manager.get("/api/v1/orders?limit=1").await.with(200)["items"][0]["number"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        field(
            &manager.list(&format!("/api/v1/orders?q={number}")).await,
            "number"
        ),
        *std::slice::from_ref(&number)
    );
    let keeper = site.person(Role::BranchManager, &["BER"]).await;
    let own = keeper.list("/api/v1/orders").await;
    assert_eq!(field(&own, "branch"), ["BER", "BER", "BER"]);
    assert_eq!(keeper.list("/api/v1/orders?branch=HAM").await.len(), 0);
    let foreign = manager.list("/api/v1/orders?branch=HAM").await[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    keeper
        .get(&format!("/api/v1/orders/{foreign}"))
        .await
        .problem(404);
    keeper
        .patch(
            &format!("/api/v1/orders/{foreign}"),
            &json!({ "urgent": true }),
        )
        .await
        .problem(404);
    keeper
        .get(&format!("/api/v1/documents/{foreign}"))
        .await
        .problem(404);
}

#[tokio::test]
async fn a_person_is_found_and_changed_by_those_who_have_the_key() {
    let mut site = Site::new().await;
    let mut branch = site.world.branch("BER").await;
    let (customer, key, item) = branch.new_customer("Élodie Müller");
    let (order, order_item) = branch.new_order(Some(customer));
    let manager = site.person(Role::CentralManager, &[]).await;
    let search = |q: &'static str| {
        let manager = manager.clone();
        async move {
            manager
                .post("/api/v1/search", &json!({ "q": q }))
                .await
                .with(200)
        }
    };
    assert_eq!(search("elodie").await["customers"], json!([]));
    let entry = branch.tx(vec![item, order_item]);
    branch.send(&site.world.hub, vec![entry]).await;
    let closed = manager
        .get(&format!("/api/v1/customers/{customer}"))
        .await
        .with(200);
    assert_eq!(
        closed["name"],
        json!(null),
        "without the key there is no name"
    );
    manager
        .patch(
            &format!("/api/v1/customers/{customer}"),
            &json!({ "phone": "030 1234567" }),
        )
        .await
        .problem(409);
    let given = GivenKey {
        person: customer,
        generation: key.generation(),
        key: *key.expose(),
    };
    site.hub()
        .store_keys(branch.node, vec![given])
        .await
        .unwrap();
    let found = search("elodie muell").await;
    assert_eq!(found["customers"], json!([]));
    let found = search("elodie mull").await;
    assert_eq!(found["customers"][0]["name"], "Élodie Müller");
    assert_eq!(
        found["orders"][0]["id"],
        order.to_string(),
        "an order is found by its customer"
    );
    assert_eq!(found["orders"][0]["customer"]["name"], "Élodie Müller");
    let path = format!("/api/v1/customers/{customer}");
    let body = json!({ "phone": "+49 30 1234567", "email": "elodie@example.org", "consent": { "mail": true } });
    let changed = manager.patch(&path, &body).await.with(200);
    assert_eq!(changed["phone"], "+49 30 1234567");
    assert_eq!(
        search("1234567").await["customers"][0]["id"],
        customer.to_string()
    );
    manager
        .patch(&path, &json!({ "email": "nonsense" }))
        .await
        .problem(422);
    manager
        .patch(&path, &json!({ "name": null }))
        .await
        .problem(422);
    let items = branch.private_items(site.hub()).await;
    assert!(
        items
            .iter()
            .any(|item| matches!(item, Item::Change(change) if change.document == customer))
    );
    let stored: Vec<u8> = sqlx::query_scalar("select phone from customers.customer")
        .fetch_one(site.hub().pool())
        .await
        .unwrap();
    assert!(!String::from_utf8_lossy(&stored).contains("1234567"));
    site.world.verified().await;
}

#[tokio::test]
async fn a_document_loads_in_automerge_as_it_is() {
    let mut site = Site::new().await;
    let mut branch = site.world.branch("BER").await;
    let (order, item) = branch.new_order(None);
    let (customer, _, customer_item) = branch.new_customer("Ada");
    let entry = branch.tx(vec![item, customer_item]);
    branch.send(&site.world.hub, vec![entry]).await;
    let auditor = site.person(Role::Auditor, &[]).await;
    let path = format!("/api/v1/documents/{order}");
    let shown = auditor.get(&path).await.with(200);
    let accept = [("Accept", "application/octet-stream")];
    let saved = auditor.send(Method::GET, &path, &accept, None).await;
    assert_eq!(saved.header("content-type"), "application/octet-stream");
    let loaded = Automerge::load(&saved.bytes).unwrap();
    let heads: Vec<String> = loaded.get_heads().iter().map(|head| hex(&head.0)).collect();
    assert_eq!(json!(heads), shown["heads"]);
    let (number, _) = loaded.get(ROOT, "number").unwrap().unwrap();
    assert_eq!(number.as_str(), shown["content"]["number"].as_str());
    let known = [
        ("Accept", "application/octet-stream"),
        ("If-None-Match", saved.header("etag")),
    ];
    assert_eq!(
        auditor.send(Method::GET, &path, &known, None).await.status,
        304
    );
    assert_eq!(
        field(&auditor.list("/api/v1/documents?kind=customer").await, "id"),
        [customer.to_string()]
    );
    let digest = auditor
        .get("/api/v1/documents/digest?branch=BER")
        .await
        .with(200);
    let own = digest_of_documents(
        branch
            .documents
            .values()
            .map(|document| document.hash())
            .collect(),
    );
    assert_eq!(
        (&digest["count"], &digest["digest"]),
        (&json!(2), &json!(hex(&own)))
    );
    auditor
        .get("/api/v1/documents/digest?branch=NONE")
        .await
        .problem(422);
}

#[tokio::test]
async fn a_conflict_shows_both_values_and_who_wrote_them() {
    let mut site = Site::new().await;
    let mut branch = site.world.branch("BER").await;
    let (order, item) = branch.new_order(None);
    let entry = branch.tx(vec![item]);
    branch.send(&site.world.hub, vec![entry]).await;
    let manager = site.person(Role::CentralManager, &[]).await;
    manager
        .patch(
            &format!("/api/v1/orders/{order}"),
            &json!({ "diagnosis": "Battery" }),
        )
        .await
        .with(200);
    let other = branch.edit(
        order,
        DocumentKind::Order,
        &[Edit::text(&["diagnosis"], "Display")],
    );
    let entry = branch.tx(vec![other]);
    branch.send(&site.world.hub, vec![entry]).await;
    let conflicts = manager.list("/api/v1/conflicts").await;
    assert_eq!(conflicts.len(), 1);
    assert_eq!(conflicts[0]["path"], json!(["diagnosis"]));
    let values = conflicts[0]["values"].as_array().unwrap();
    let mut texts = field(values, "value");
    texts.sort();
    assert_eq!(texts, ["Battery", "Display"]);
    let battery = values
        .iter()
        .find(|value| value["value"] == "Battery")
        .unwrap();
    assert!(
        battery["staff_name"]
            .as_str()
            .unwrap()
            .starts_with("central_manager"),
        "{battery}"
    );
    assert!(battery["at"].is_string());
    let exceptions = manager.list("/api/v1/exceptions").await;
    assert_eq!(field(&exceptions, "kind"), ["conflict"]);
    assert_eq!(exceptions[0]["owner"], "BER");
    manager
        .patch(
            &format!("/api/v1/orders/{order}"),
            &json!({ "diagnosis": "Battery and display" }),
        )
        .await
        .with(200);
    assert_eq!(manager.list("/api/v1/conflicts").await.len(), 0);
    assert_eq!(manager.list("/api/v1/exceptions").await.len(), 0);
}

#[tokio::test]
async fn what_is_parked_is_listed_with_its_reason() {
    let mut site = Site::new().await;
    let (mut ber, mut ham) = (
        site.world.branch("BER").await,
        site.world.branch("HAM").await,
    );
    let (order, item) = ber.new_order(None);
    let entry = ber.tx(vec![item]);
    ber.send(&site.world.hub, vec![entry]).await;
    let own = ber.documents[&order].clone();
    ham.documents.insert(order, own);
    let foreign = ham.edit(
        order,
        DocumentKind::Order,
        &[Edit::text(&["diagnosis"], "Mine")],
    );
    let entry = ham.tx(vec![foreign]);
    ham.send(&site.world.hub, vec![entry]).await;
    let operator = site.person(Role::Operator, &[]).await;
    let parked = operator.list("/api/v1/parked").await;
    assert_eq!(field(&parked, "branch"), ["HAM"]);
    assert_eq!(field(&parked, "state"), ["parked"]);
    assert!(!parked[0]["reason"].as_str().unwrap().is_empty());
    assert_eq!(
        field(&operator.list("/api/v1/exceptions").await, "kind"),
        ["parked"]
    );
    operator.get("/api/v1/incidents").await.with(200);
    operator.get("/api/v1/decisions").await.with(200);
}

#[tokio::test]
async fn exports_hold_everything() {
    let mut site = Site::new().await;
    let mut branch = site.world.branch("BER").await;
    let mut entries = Vec::new();
    for _ in 0..300 {
        let (_, item) = branch.new_order(None);
        entries.push(branch.tx(vec![item]));
    }
    branch.send(&site.world.hub, entries).await;
    let manager = site.person(Role::CentralManager, &[]).await;
    let csv = manager.get("/api/v1/exports/orders.csv").await;
    assert!(csv.header("content-disposition").contains("orders.csv"));
    let text = String::from_utf8(csv.bytes).unwrap();
    assert_eq!(text.lines().count(), 301);
    assert!(text.starts_with("id,number,branch,"), "{}", &text[..80]);
    let lines = manager.get("/api/v1/exports/orders.jsonl").await;
    let lines = String::from_utf8(lines.bytes).unwrap();
    assert_eq!(lines.lines().count(), 300);
    for line in lines.lines() {
        let order: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(order["branch"], "BER");
    }
    for file in ["customers.csv", "stock.jsonl", "movements.csv"] {
        assert_eq!(
            manager.get(&format!("/api/v1/exports/{file}")).await.status,
            200,
            "{file}"
        );
    }
    manager.get("/api/v1/exports/staff.csv").await.problem(404);
    site.person(Role::Operator, &[])
        .await
        .get("/api/v1/exports/orders.csv")
        .await
        .problem(403);
}

#[tokio::test]
async fn the_audit_finds_a_changed_block() {
    let mut site = Site::new().await;
    let mut branch = site.world.branch("BER").await;
    for _ in 0..3 {
        let (_, item) = branch.new_order(None);
        let entry = branch.tx(vec![item]);
        branch.send(&site.world.hub, vec![entry]).await;
    }
    site.hub()
        .check_head(branch.node, &branch.signed_head())
        .await
        .unwrap()
        .unwrap();
    let auditor = site.person(Role::Auditor, &[]).await;
    let chain = auditor
        .get("/api/v1/audit/verify?branch=BER")
        .await
        .with(200);
    let chain = &chain["items"][0];
    assert_eq!(
        (&chain["length"], &chain["intact"], &chain["first_bad"]),
        (&json!(3), &json!(true), &json!(null))
    );
    assert_eq!(chain["signed_head"]["seq"], 3);
    assert!(chain["signed_head"]["countersignature"].is_string());
    assert_eq!(chain["hash"], hex(&branch.tip.hash));
    site.world.execute("delete from sync.log_block where branch_id <> '00000000-0000-0000-0000-000000000000' and first_seq = 2").await;
    let bent = auditor
        .get("/api/v1/audit/verify?branch=BER")
        .await
        .with(200);
    assert_eq!(bent["items"][0]["intact"], false);
    assert!(
        bent["items"][0]["first_bad"]
            .as_str()
            .unwrap()
            .ends_with(".2"),
        "{bent}"
    );
}

#[tokio::test]
async fn events_say_what_changed() {
    let mut site = Site::new().await;
    let mut branch = site.world.branch("BER").await;
    let manager = site.person(Role::CentralManager, &[]).await;
    let request = reqwest::Client::new()
        .get(format!("{}/api/v1/events", site.base))
        .bearer_auth(&manager.token);
    let mut stream = request.send().await.unwrap().bytes_stream();
    let mut heard = String::new();
    let wait = std::time::Duration::from_secs(20);
    while !heard.contains("event: resync") {
        let chunk = tokio::time::timeout(wait, stream.next())
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        heard.push_str(std::str::from_utf8(&chunk).unwrap());
    }
    let (order, item) = branch.new_order(None);
    let entry = branch.tx(vec![item]);
    branch.send(&site.world.hub, vec![entry]).await;
    while !heard.contains("event: orders-changed") {
        let chunk = tokio::time::timeout(wait, stream.next())
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        heard.push_str(std::str::from_utf8(&chunk).unwrap());
    }
    assert!(heard.contains(&order.to_string()), "{heard}");
}
