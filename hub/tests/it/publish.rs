//! What goes down to whom: never an echo, never another branch's things (INV-11).

use domain::document::{DocumentKind, Edit};
use domain::id::{BranchId, StaffId};
use domain::staff::{CredentialRow, Role, StaffRow};
use hub::app::Actor;
use sync_protocol::document::Document;
use sync_protocol::feed::FeedId;
use sync_protocol::item::{Item, Row, command};
use sync_protocol::message::GivenKey;

use crate::support::{World, part};

fn staff(id: StaffId, version: u64, branches: Vec<BranchId>) -> Item {
    let fields = StaffRow {
        username: format!("user{version}"),
        name: "Name".to_owned(),
        role: Role::Clerk,
        branches,
        active: true,
    };
    Item::Staff(Row {
        id,
        version,
        deleted: false,
        fields,
    })
}

fn credential(id: StaffId) -> Item {
    let fields = CredentialRow {
        staff: id,
        password_hash: "$argon2id$…".to_owned(),
    };
    Item::Credential(Row {
        id,
        version: 1,
        deleted: false,
        fields,
    })
}

async fn rows(world: &World, items: Vec<Item>) {
    let mut tx = world.hub.begin(Actor::SYSTEM, command::ROWS).await.unwrap();
    for item in items {
        tx.fact(item);
    }
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn an_edit_of_the_hub_reaches_the_owner_and_nobody_else() {
    let mut world = World::new().await;
    let (mut owner, other) = (world.branch("AAA").await, world.branch("BBB").await);
    let (document, order) = owner.new_order(None);
    let entry = owner.tx(vec![order]);
    owner.send(&world.hub, vec![entry]).await;
    assert!(
        owner.private_items(&world.hub).await.is_empty(),
        "its own transactions are not echoed"
    );

    let mut feeds = world.hub.feed_watch();
    let mut tx = world
        .hub
        .begin(Actor::SYSTEM, command::ORDER_EDIT)
        .await
        .unwrap();
    let edits = [Edit::text(&["diagnosis"], "capacitor")];
    let edited = tx
        .edit_document(document, DocumentKind::Order, &edits)
        .await
        .unwrap()
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(feeds.recv().await.unwrap().0, FeedId::private(owner.branch));
    assert_eq!(
        world
            .hub
            .load_document(document)
            .await
            .unwrap()
            .unwrap()
            .heads(),
        edited.heads()
    );

    let items = owner.private_items(&world.hub).await;
    let [Item::Change(change)] = items.as_slice() else {
        panic!("{items:?}")
    };
    assert_eq!(change.document, document);
    assert!(other.private_items(&world.hub).await.is_empty());
    let foreign = world
        .hub
        .read_feed(other.branch, FeedId::private(owner.branch), 0, 1_000_000)
        .await;
    assert!(
        foreign.is_err(),
        "a private feed is given to its branch only"
    );

    owner.documents.insert(document, (*edited).clone());
    let diagnosis = owner.edit(
        document,
        DocumentKind::Order,
        &[Edit::text(&["diagnosis"], "coil")],
    );
    let entry = owner.tx(vec![diagnosis]);
    owner.send(&world.hub, vec![entry]).await;
    let stored = world.hub.load_document(document).await.unwrap().unwrap();
    assert_eq!(stored.heads(), owner.documents[&document].heads());
    assert_eq!(owner.private_items(&world.hub).await.len(), 1);
    world.verified().await;
}

#[tokio::test]
async fn what_the_checks_refuse_of_the_hub_is_not_written() {
    let mut world = World::new().await;
    let mut owner = world.branch("AAA").await;
    let (document, order) = owner.new_order(None);
    let entry = owner.tx(vec![order]);
    owner.send(&world.hub, vec![entry]).await;
    let before = world.count("select next_ord from sync.apply_head").await;
    let mut tx = world
        .hub
        .begin(Actor::SYSTEM, command::ORDER_EDIT)
        .await
        .unwrap();
    tx.edit_document(
        document,
        DocumentKind::Order,
        &[Edit::text(&["number"], "AAA-OTHER1-X")],
    )
    .await
    .unwrap();
    let refused = tx.commit().await.unwrap_err();
    assert!(
        matches!(refused, hub::error::HubError::Refused { .. }),
        "{refused:?}"
    );
    assert_eq!(
        world.count("select next_ord from sync.apply_head").await,
        before
    );
    let mut tx = world
        .hub
        .begin(Actor::SYSTEM, command::ORDER_EDIT)
        .await
        .unwrap();
    tx.edit_document(
        document,
        DocumentKind::Order,
        &[Edit::bool(&["urgent"], true)],
    )
    .await
    .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(
        world
            .count("select count(*) from orders.repair_order where urgent")
            .await,
        1
    );
    world.verified().await;
}

#[tokio::test]
async fn credentials_go_only_where_the_person_works() {
    let mut world = World::new().await;
    let (first, second) = (world.branch("AAA").await, world.branch("BBB").await);
    let (here, everywhere) = (StaffId::from_bytes([1; 16]), StaffId::from_bytes([2; 16]));
    rows(
        &world,
        vec![staff(here, 1, vec![first.branch]), credential(here)],
    )
    .await;
    rows(
        &world,
        vec![staff(everywhere, 1, vec![]), credential(everywhere)],
    )
    .await;
    let credentials = |items: Vec<Item>| -> Vec<StaffId> {
        let id = |item: Item| match item {
            Item::Credential(row) => row.id,
            other => panic!("{other:?}"),
        };
        items.into_iter().map(id).collect()
    };
    assert_eq!(
        credentials(first.private_items(&world.hub).await),
        vec![here, everywhere]
    );
    assert_eq!(
        credentials(second.private_items(&world.hub).await),
        vec![everywhere]
    );

    rows(
        &world,
        vec![staff(here, 2, vec![first.branch, second.branch])],
    )
    .await;
    assert_eq!(
        credentials(second.private_items(&world.hub).await),
        vec![everywhere, here]
    );
    assert_eq!(
        credentials(first.private_items(&world.hub).await),
        vec![here, everywhere],
        "told once"
    );

    let third = world.branch("CCC").await;
    assert_eq!(
        credentials(third.private_items(&world.hub).await),
        vec![everywhere]
    );
    let chain = third.feed(&world.hub, FeedId::chain()).await;
    let kinds = chain
        .iter()
        .flat_map(|entry| &entry.items)
        .map(|(_, raw)| raw.kind());
    assert!(
        kinds.into_iter().all(|kind| kind == 32 || kind == 33),
        "names and roles, no credential"
    );
    world.verified().await;
}

#[tokio::test]
async fn a_customer_named_by_the_hub_comes_with_snapshot_and_key() {
    let mut world = World::new().await;
    let (mut home, mut other) = (world.branch("AAA").await, world.branch("BBB").await);
    let (customer, key, created) = home.new_customer("Ada Lovelace");
    let given = GivenKey {
        person: customer,
        generation: key.generation(),
        key: *key.expose(),
    };
    world
        .hub
        .store_keys(home.node, vec![given.clone()])
        .await
        .unwrap();
    let entry = home.tx(vec![created]);
    home.send(&world.hub, vec![entry]).await;
    let (order, created) = other.new_order(None);
    let entry = other.tx(vec![created]);
    other.send(&world.hub, vec![entry]).await;
    assert!(
        world
            .hub
            .keys_for(other.branch, &[customer])
            .await
            .unwrap()
            .is_empty(),
        "no interest, no key"
    );

    let mut tx = world
        .hub
        .begin(Actor::SYSTEM, command::ORDER_EDIT)
        .await
        .unwrap();
    let edits = [Edit::text(&["customer"], customer.to_string())];
    tx.edit_document(order, DocumentKind::Order, &edits)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let entries = other.feed(&world.hub, FeedId::private(other.branch)).await;
    assert_eq!(entries.len(), 1, "change and snapshot stand in one entry");
    let items = other.private_items(&world.hub).await;
    let [Item::Change(_), Item::Snapshot(snapshot)] = items.as_slice() else {
        panic!("{items:?}")
    };
    let document = Document::from_snapshot(snapshot.clone()).unwrap();
    assert_eq!(document.heads(), home.documents[&customer].heads());
    let blocks = world
        .hub
        .read_feed(other.branch, FeedId::private(other.branch), 0, 1_000_000)
        .await
        .unwrap();
    assert_eq!(blocks[0].keys, vec![given]);

    other.documents.insert(customer, document);
    let consent = other.edit(
        customer,
        DocumentKind::Customer,
        &[Edit::text(&["language"], "de")],
    );
    let entry = other.tx(vec![consent]);
    other.send(&world.hub, vec![entry]).await;
    assert_eq!(
        home.private_items(&world.hub).await.len(),
        1,
        "who serves the person writes, the home branch hears"
    );
    world.verified().await;
}

#[tokio::test]
async fn keys_of_others_are_neither_taken_nor_given() {
    let mut world = World::new().await;
    let (mut home, other) = (world.branch("AAA").await, world.branch("BBB").await);
    let (customer, key, created) = home.new_customer("Ada Lovelace");
    let given = GivenKey {
        person: customer,
        generation: key.generation(),
        key: *key.expose(),
    };
    world
        .hub
        .store_keys(home.node, vec![given.clone()])
        .await
        .unwrap();
    let entry = home.tx(vec![created]);
    home.send(&world.hub, vec![entry]).await;
    let forged = GivenKey {
        key: [9; 32],
        ..given.clone()
    };
    world
        .hub
        .store_keys(other.node, vec![forged])
        .await
        .unwrap();
    assert_eq!(
        world
            .count("select count(*) from customers.person_key")
            .await,
        1
    );
    assert_eq!(
        world
            .count("select count(*) from sync.incident where kind = 'person_key'")
            .await,
        1
    );
    assert_eq!(
        world.hub.keys_for(home.branch, &[]).await.unwrap(),
        vec![given]
    );
    assert_eq!(
        *world
            .hub
            .person_key(customer)
            .await
            .unwrap()
            .unwrap()
            .expose(),
        *key.expose()
    );
    let sealed: Vec<u8> = sqlx::query_scalar("select sealed from customers.person_key")
        .fetch_one(world.hub.pool())
        .await
        .unwrap();
    assert!(
        !sealed.windows(32).any(|window| window == key.expose()),
        "sealed at rest"
    );
    let state = home.hello(&world.hub).await.unwrap();
    assert_eq!((state.keys.count, state.missing_keys.len()), (1, 0));
}

#[tokio::test]
async fn hello_learns_tip_feeds_and_known_cursors() {
    let mut world = World::new().await;
    let mut branch = world.branch("AAA").await;
    let opening = branch.movement(part(1), domain::stock::MovementKind::Opening, 1);
    let entry = branch.tx(vec![opening]);
    branch.send(&world.hub, vec![entry]).await;
    let tips = world.hub.feed_tips(branch.branch).await.unwrap();
    let (feed, tip) = tips
        .iter()
        .find(|(feed, _)| *feed == FeedId::chain())
        .unwrap();
    let mut hello = branch.hello_body();
    hello.cursors = vec![
        sync_protocol::feed::Cursor::new(feed.kind, tip.n, &tip.running),
        sync_protocol::feed::Cursor::new(sync_protocol::feed::FeedKind::Register, 999, &[1; 32]),
    ];
    let state = world
        .hub
        .admit(branch.node, branch.branch, &hello)
        .await
        .unwrap();
    assert_eq!((state.tip, state.applied), (branch.tip, 1));
    assert_eq!(state.known_cursors, vec![true, false]);
    assert_eq!(state.feeds.len(), 4);
    assert_eq!(state.lineage.rows().len(), 1);
}
