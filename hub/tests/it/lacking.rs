//! Changes that hang on a change which is not here are parked, and taken by themselves once it is: exactly once, whichever
//! way it comes.

use std::sync::Arc;

use domain::document::{DocumentKind, Edit};
use domain::id::{DocumentId, StaffId};
use domain::staff::Role;
use hub::app::mending::{MendStep, order};
use hub::app::{Actor, Hub};
use serde_json::json;
use sync_protocol::block::LogEntry;
use sync_protocol::item::{Item, VerdictKind, command};
use sync_protocol::mending::Proven;
use sync_protocol::position::Tip;

use crate::api::Site;
use crate::support::{TestBranch, World};

const WAITS: &str =
    "select count(*) from sync.parked where state = 1 and item = -1 and lacks_in is not null";
const OPEN: &str = "select count(*) from sync.parked where state = 1";

/// A person of one branch that another serves as well.
struct Shared {
    home: TestBranch,
    other: TestBranch,
    person: DocumentId,
}

impl Shared {
    async fn new(world: &mut World) -> Self {
        let (mut home, mut other) = (world.branch("BER").await, world.branch("HAM").await);
        let (person, _key, created) = home.new_customer("Ada Lovelace");
        let entry = home.tx(vec![created]);
        home.send(&world.hub, vec![entry]).await;
        let (repair, item) = other.new_order(None);
        let entry = other.tx(vec![item]);
        other.send(&world.hub, vec![entry]).await;
        serve(&world.hub, repair, person).await;
        let here = home.documents[&person].clone();
        other.documents.insert(person, here);
        Self {
            home,
            other,
            person,
        }
    }

    fn speaks(branch: &mut TestBranch, person: DocumentId, language: &str) -> LogEntry {
        let edits = [Edit::text(&["language"], language)];
        let item = branch.edit(person, DocumentKind::Customer, &edits);
        branch.tx(vec![item])
    }

    /// Home writes what the hub has not got yet; the other hangs on it.
    fn apart(&mut self) -> (LogEntry, Vec<LogEntry>) {
        let held_back = Self::speaks(&mut self.home, self.person, "de");
        let here = self.home.documents[&self.person].clone();
        self.other.documents.insert(self.person, here);
        let hanging = ["fr", "nl"].map(|it| Self::speaks(&mut self.other, self.person, it));
        (held_back, hanging.into())
    }

    async fn verdicts(&self, hub: &Arc<Hub>) -> Vec<VerdictKind> {
        let items = self.other.private_items(hub).await.into_iter();
        let verdicts = items.filter_map(|item| match item {
            Item::Verdict(verdict) => Some(verdict.verdict),
            _ => None,
        });
        verdicts.collect()
    }

    /// Changes of the person that reached the home branch.
    async fn heard(&self, hub: &Arc<Hub>) -> usize {
        let items = self.home.private_items(hub).await;
        let changes = items.iter().filter(|item| matches!(item, Item::Change(_)));
        changes.count()
    }
}

async fn serve(hub: &Arc<Hub>, repair: DocumentId, person: DocumentId) {
    let mut tx = hub.begin(Actor::SYSTEM, command::ORDER_EDIT).await.unwrap();
    let edits = [Edit::text(&["customer"], person.to_string())];
    tx.edit_document(repair, DocumentKind::Order, &edits)
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

const DUTCH: &str = "select count(*) from customers.customer where language = 'nl'";

/// Goal: what hangs on a change that another branch has not sent yet is taken once that arrives, in its order, once, by one
/// of two hub processes; the branch that lacked it gets it by its feed, and the logs say all of it (INV-3, INV-15).
#[tokio::test]
async fn what_hangs_on_a_change_is_taken_when_that_arrives() {
    let mut world = World::new().await;
    let mut shared = Shared::new(&mut world).await;
    let other_hub = world.another_hub().await;
    let (held_back, hanging) = shared.apart();
    shared.other.send(&world.hub, hanging).await;
    assert_eq!(world.count(WAITS).await, 2);
    assert_eq!(shared.heard(&world.hub).await, 0);
    shared.home.send(&world.hub, vec![held_back]).await;
    world.until(OPEN, 0).await;
    assert_eq!(world.count(DUTCH).await, 1);
    use VerdictKind::{Parked, Released};
    assert_eq!(
        shared.verdicts(&world.hub).await,
        [Parked, Parked, Released, Released]
    );
    assert_eq!(shared.heard(&world.hub).await, 2, "each once");
    let exceptions = "select count(*) from audit.exception where kind = 'parked'";
    assert_eq!(world.count(exceptions).await, 0);
    other_hub.1.stop().await;
    world.verified().await;
}

/// Goal: what was parked when a program ended is looked at when the next one starts.
#[tokio::test]
async fn a_start_looks_at_what_was_parked() {
    let mut world = World::new().await;
    let mut shared = Shared::new(&mut world).await;
    let (held_back, hanging) = shared.apart();
    shared.other.send(&world.hub, hanging).await;
    shared.home.send(&world.hub, vec![held_back]).await;
    world.restart().await;
    world.until(OPEN, 0).await;
    assert_eq!(shared.heard(&world.hub).await, 2, "each once");
    world.verified().await;
}

/// Goal: what a person releases releases what hangs on it; what a person dropped stays dropped.
#[tokio::test]
async fn what_a_person_releases_brings_the_rest_and_what_was_dropped_stays_out() {
    let mut site = Site::new().await;
    let hub = site.world.hub.clone();
    let mut home = site.world.branch("BER").await;
    let mut other = site.world.branch("HAM").await;
    let (person, _key, created) = home.new_customer("Ada Lovelace");
    let entry = home.tx(vec![created]);
    home.send(&hub, vec![entry]).await;
    let here = home.documents[&person].clone();
    other.documents.insert(person, here);
    // Refused because the branch does not serve the person; what follows hangs on it.
    let refused = Shared::speaks(&mut other, person, "de");
    other.send(&hub, vec![refused]).await;
    let (repair, item) = other.new_order(None);
    let entry = other.tx(vec![item]);
    other.send(&hub, vec![entry]).await;
    serve(&hub, repair, person).await;
    for language in ["fr", "nl"] {
        let entry = Shared::speaks(&mut other, person, language);
        other.send(&hub, vec![entry]).await;
    }
    assert_eq!(site.world.count(WAITS).await, 2);
    let operator = site.person(Role::Operator, &[]).await;
    let parked = operator.list("/api/v1/parked").await;
    let settle = async |ends: &str, act: &str| {
        let of = |row: &&serde_json::Value| row["position"].as_str().unwrap().ends_with(ends);
        let id = parked.iter().find(of).unwrap()["id"].as_str().unwrap();
        let why = json!({ "reason": "looked into" });
        operator
            .post(&format!("/api/v1/parked/{id}/{act}"), &why)
            .await
            .with(200);
    };
    settle(".4", "drop").await;
    settle(".1", "release").await;
    site.world.until(OPEN, 0).await;
    let french = "select count(*) from customers.customer where language = 'fr'";
    assert_eq!(site.world.count(french).await, 1);
    let states = "select count(*) from sync.parked where state = 3";
    assert_eq!(site.world.count(states).await, 1);
    site.world.verified().await;
}

/// Goal: where the parked entry itself was lost, it is taken after its log was mended: asking by place is all that a lacking
/// change needs.
#[tokio::test]
async fn what_was_lost_while_parked_is_taken_after_mending() {
    let mut world = World::new().await;
    let mut shared = Shared::new(&mut world).await;
    let (held_back, hanging) = shared.apart();
    let before = Tip {
        seq: hanging[0].position.seq - 1,
        ..shared.other.last_ack
    };
    shared.other.send(&world.hub, hanging.clone()).await;
    let node = i64::from(shared.other.node.0);
    let lost = sqlx::query("delete from sync.log_block where node = $1 and first_seq > 1");
    let lost = lost.bind(node).execute(world.hub.pool()).await.unwrap();
    assert_eq!(lost.rows_affected(), 1);
    shared.home.send(&world.hub, vec![held_back]).await;
    let now_ms = world.hub.env().now_ms();
    order(&world.hub, shared.other.branch, StaffId::NIL, now_ms)
        .await
        .unwrap();
    let gap = world
        .hub
        .mend(shared.other.node, MendStep::Begin)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((gap.span.first, gap.span.last), (2, 3));
    assert_eq!(world.count(WAITS).await, 2, "not without their entries");
    let answer = Proven {
        before,
        entries: hanging,
    };
    let done = world.hub.mend(shared.other.node, MendStep::PutBack(answer));
    assert_eq!(done.await.unwrap(), None);
    world.until(OPEN, 0).await;
    assert_eq!(world.count(DUTCH).await, 1);
    assert_eq!(shared.heard(&world.hub).await, 2, "each once");
    world.verified().await;
}

/// Goal: what never comes leaves the parked entry where it is, and costs no commit.
#[tokio::test]
async fn what_does_not_come_changes_nothing() {
    let mut world = World::new().await;
    let mut shared = Shared::new(&mut world).await;
    let (_never, hanging) = shared.apart();
    shared.other.send(&world.hub, hanging).await;
    let entries = "select count(*)::bigint from sync.feed_entry";
    let before = world.count(entries).await;
    assert_eq!(
        hub::app::lacking::release_ready(&world.hub, None)
            .await
            .unwrap(),
        0
    );
    assert_eq!(
        (world.count(WAITS).await, world.count(entries).await),
        (2, before)
    );
    world.verified().await;
}
