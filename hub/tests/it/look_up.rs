//! People found by a branch that does not hold them, and brought to it: once, whole, and to nobody else (INV-11).

use std::collections::BTreeMap;
use std::sync::Arc;

use automerge::{Automerge, Change};
use domain::customer::{PersonValues, merge_customer};
use domain::document::{DocumentKind, Edit};
use domain::id::{DocumentId, StaffId};
use domain::sensitive::Sensitive;
use hub::app::{Actor, Hub, look_up};
use sync_protocol::certificate::NodeName;
use sync_protocol::feed::FeedId;
use sync_protocol::item::{self, Item, NodeRevoked, PersonErased, command};
use sync_protocol::look_up::{Ask, Attach, Attached, Find, Found, LookUp, Refusal, Reply};
use sync_protocol::message::GivenKey;

use crate::support::{TestBranch, World};

const CLERK: StaffId = StaffId::from_bytes([0x5c; 16]);

fn name_of(branch: &TestBranch) -> NodeName {
    NodeName {
        node: branch.node,
        branch: branch.branch,
    }
}

async fn ask(hub: &Arc<Hub>, branch: &TestBranch, ask: Ask) -> Reply {
    look_up::answer(hub, name_of(branch), &LookUp::new(1, CLERK, &ask)).await
}

async fn find(hub: &Arc<Hub>, branch: &TestBranch, text: &str) -> Found {
    let wanted = Find {
        text: text.to_owned(),
        limit: 10,
    };
    match ask(hub, branch, Ask::Find(wanted)).await {
        Reply::Found(found) => found,
        other => panic!("{other:?}"),
    }
}

async fn attach(hub: &Arc<Hub>, branch: &TestBranch, person: DocumentId) -> Reply {
    ask(hub, branch, Ask::Attach(Attach { person })).await
}

fn attached(reply: Reply) -> Attached {
    match reply {
        Reply::Attached(attached) => attached,
        other => panic!("{other:?}"),
    }
}

/// Somebody with a name, a phone and an e-mail, whose key the hub has.
async fn person(world: &World, branch: &mut TestBranch, name: &str, phone: &str) -> DocumentId {
    let id = DocumentId::from_random(&mut branch.entropy);
    let key = domain::sensitive::PersonKey::from_random(1, &mut branch.entropy);
    let some = |text: &str| Some(Sensitive::new(text.to_owned()));
    let new = domain::customer::NewCustomer {
        home: branch.branch,
        values: PersonValues {
            name: some(name),
            phone: some(phone),
            email: some("somebody@example.org"),
            ..Default::default()
        },
        ..Default::default()
    };
    let edits = domain::customer::create_customer(&new, id, &key).unwrap();
    let made = branch.edit(id, DocumentKind::Customer, &edits);
    let given = GivenKey {
        person: id,
        generation: key.generation(),
        key: *key.expose(),
    };
    world
        .hub
        .store_keys(branch.node, vec![given])
        .await
        .unwrap();
    let entry = branch.tx(vec![made]);
    branch.send(&world.hub, vec![entry]).await;
    id
}

/// The documents that a private feed amounts to: snapshots, and the changes behind them.
async fn documents(hub: &Arc<Hub>, branch: &TestBranch) -> BTreeMap<DocumentId, Automerge> {
    let mut documents = BTreeMap::new();
    for item in branch.private_items(hub).await {
        match item {
            Item::Snapshot(snapshot) => {
                let loaded = Automerge::load(&snapshot.saved).unwrap();
                let before = documents.insert(snapshot.document, loaded);
                assert!(before.is_none(), "a second snapshot");
            }
            Item::Change(change) => {
                let document: &mut Automerge = documents
                    .get_mut(&change.document)
                    .expect("a change of a document that the branch does not have");
                let change = Change::from_bytes(change.chunk).unwrap();
                document.apply_changes([change]).unwrap();
            }
            other => panic!("{other:?}"),
        }
    }
    documents
}

#[tokio::test]
async fn a_person_is_found_with_little_and_brought_with_all_once_and_to_nobody_else() {
    let mut world = World::new().await;
    let mut home = world.branch("AAA").await;
    let (asking, other) = (world.branch("BBB").await, world.branch("CCC").await);
    let id = person(&world, &mut home, "Jürgen Großmann", "+49 30 5557731").await;
    let (_, order) = home.new_order(Some(id));
    let entry = home.tx(vec![order]);
    home.send(&world.hub, vec![entry]).await;

    for text in ["grossm", "030 55577", "7731", "somebody@"] {
        let found = find(&world.hub, &asking, text).await;
        let [only] = found.people.as_slice() else {
            panic!("{text}: {found:?}")
        };
        assert_eq!((only.person, only.orders, only.attached), (id, 1, false));
        assert_eq!(
            (only.name.as_str(), only.home),
            ("Jürgen Großmann", home.branch)
        );
        assert_eq!(
            only.reach, "…7731",
            "the whole number comes with the person"
        );
    }
    assert!(
        find(&world.hub, &asking, "ü").await.people.is_empty(),
        "too short"
    );
    assert!(find(&world.hub, &asking, "nobody").await.people.is_empty());
    assert!(
        asking.private_items(&world.hub).await.is_empty(),
        "a question brings nothing"
    );

    let first = attached(attach(&world.hub, &asking, id).await);
    assert_eq!((first.person, first.already), (id, false));
    let brought = documents(&world.hub, &asking).await;
    let stored = world.hub.load_document(id).await.unwrap().unwrap();
    assert_eq!(
        brought.keys().collect::<Vec<_>>(),
        [&id],
        "the person and no order"
    );
    assert_eq!(brought[&id].get_heads().len(), stored.heads().len());
    let feed = FeedId::private(asking.branch);
    let blocks = world.hub.read_feed(asking.branch, feed, 0, 1_000_000).await;
    let blocks = blocks.unwrap();
    assert_eq!(blocks.last().unwrap().tip.n, first.feed_n);
    let keys: Vec<DocumentId> = blocks
        .iter()
        .flat_map(|block| &block.keys)
        .map(|key| key.person)
        .collect();
    assert_eq!(keys, [id], "the key goes before the entry");

    let again = attached(attach(&world.hub, &asking, id).await);
    assert_eq!((again.already, again.feed_n), (true, first.feed_n));
    assert!(find(&world.hub, &asking, "grossm").await.people[0].attached);
    let notes = "select count(*) from audit.note where text = 'brought to BBB'";
    assert_eq!(
        world.count(notes).await,
        1,
        "who had whom brought is kept once"
    );
    let by: Vec<u8> =
        sqlx::query_scalar("select uuid_send(staff) from audit.note where text = 'brought to BBB'")
            .fetch_one(world.hub.pool())
            .await
            .unwrap();
    assert_eq!(by, CLERK.as_bytes());
    assert!(other.private_items(&world.hub).await.is_empty());
    assert!(home.private_items(&world.hub).await.is_empty());
    world.verified().await;
}

#[tokio::test]
async fn what_is_written_beside_an_attach_arrives_once_at_everybody() {
    let mut world = World::new().await;
    let mut home = world.branch("AAA").await;
    let asking = [world.branch("BBB").await, world.branch("CCC").await];
    let id = person(&world, &mut home, "Ada Lovelace", "030 1234567").await;
    let hub = world.hub.clone();
    let edits = async {
        for number in 0..40 {
            let language = if number % 2 == 0 { "de" } else { "en" };
            let edit = home.edit(
                id,
                DocumentKind::Customer,
                &[Edit::text(&["language"], language)],
            );
            let entry = home.tx(vec![edit]);
            home.send(&hub, vec![entry]).await;
        }
    };
    let attaches = async {
        let twice = asking.iter().chain(&asking);
        let replies = twice.map(|branch| attach(&hub, branch, id));
        futures_util::future::join_all(replies).await
    };
    let ((), replies) = tokio::join!(edits, attaches);
    let first_times = replies
        .into_iter()
        .map(attached)
        .filter(|reply| !reply.already)
        .count();
    assert_eq!(first_times, 2, "of two that ask at once one is the first");
    let stored = world.hub.load_document(id).await.unwrap().unwrap();
    for branch in &asking {
        let brought = documents(&world.hub, branch).await;
        let heads: Vec<[u8; 32]> = brought[&id].get_heads().iter().map(|head| head.0).collect();
        assert_eq!(
            heads,
            stored.heads(),
            "nothing slipped between snapshot and changes"
        );
    }
    world.verified().await;
}

#[tokio::test]
async fn who_was_joined_leads_to_who_stays_and_who_was_erased_to_nobody() {
    let mut world = World::new().await;
    let mut home = world.branch("AAA").await;
    let asking = world.branch("BBB").await;
    let stays = person(&world, &mut home, "Grace Hopper", "030 1111111").await;
    let goes = person(&world, &mut home, "Grace Hoper", "030 2222222").await;
    let gone = person(&world, &mut home, "Erika Gone", "030 3333333").await;
    assert_eq!(find(&world.hub, &asking, "gone").await.people.len(), 1);
    let mut tx = world
        .hub
        .begin(Actor::SYSTEM, command::CUSTOMER)
        .await
        .unwrap();
    tx.edit_document(goes, DocumentKind::Customer, &[merge_customer(stays)])
        .await
        .unwrap();
    tx.fact(Item::PersonErased(PersonErased { person: gone }));
    tx.commit().await.unwrap();

    let found = find(&world.hub, &asking, "grace").await.people;
    assert_eq!(
        found.iter().map(|one| one.person).collect::<Vec<_>>(),
        [stays]
    );
    let found = find(&world.hub, &asking, "2222222").await.people;
    assert_eq!(
        found.iter().map(|one| one.person).collect::<Vec<_>>(),
        [stays]
    );
    assert!(find(&world.hub, &asking, "gone").await.people.is_empty());
    let refused = attach(&world.hub, &asking, gone).await;
    assert_eq!(refused, Reply::Refused(Refusal::Erased));
    assert!(asking.private_items(&world.hub).await.is_empty());
    let brought = attached(attach(&world.hub, &asking, goes).await);
    assert_eq!(brought.person, stays);
    let held = documents(&world.hub, &asking).await;
    assert_eq!(held.into_keys().collect::<Vec<_>>(), [stays]);
    world.verified().await;
}

#[tokio::test]
async fn only_a_person_is_brought_and_only_to_a_machine_that_may_speak() {
    let mut world = World::new().await;
    let mut home = world.branch("AAA").await;
    let mut asking = world.branch("BBB").await;
    let id = person(&world, &mut home, "Ada Lovelace", "030 1234567").await;
    let (order, item) = home.new_order(Some(id));
    let entry = home.tx(vec![item]);
    home.send(&world.hub, vec![entry]).await;
    for stranger in [order, DocumentId::from_bytes([9; 16])] {
        let refused = attach(&world.hub, &asking, stranger).await;
        assert_eq!(refused, Reply::Refused(Refusal::Unknown));
    }
    let by_itself = asking.tx(vec![Item::Attach(item::Attach {
        document: id,
        branch: asking.branch,
    })]);
    asking.send(&world.hub, vec![by_itself]).await;
    let parked = "select count(*) from sync.parked where state = 1";
    assert_eq!(
        world.count(parked).await,
        1,
        "a branch attaches nothing by itself"
    );

    let mut tx = world
        .hub
        .begin(Actor::SYSTEM, command::NODES)
        .await
        .unwrap();
    tx.fact(Item::NodeRevoked(NodeRevoked {
        node: asking.node,
        reason: "stolen".to_owned(),
    }));
    tx.commit().await.unwrap();
    let refused = attach(&world.hub, &asking, id).await;
    assert_eq!(refused, Reply::Refused(Refusal::NotAdmitted));
    let snapshots = asking.private_items(&world.hub).await;
    let snapshots = snapshots
        .iter()
        .filter(|item| matches!(item, Item::Snapshot(_)));
    assert_eq!(snapshots.count(), 0);
    world.verified().await;
}
