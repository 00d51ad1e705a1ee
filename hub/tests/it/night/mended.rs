//! Nights of a log that was red and is mended: done once more by themselves, where entries came back.

use domain::id::StaffId;
use hub::app::mending::{MendStep, order};
use hub::app::reconcile::{SignOffInput, reopen, run, sign_off};
use hub::app::{Actor, HubTx};
use hub::store::sync::log::RawBlock;
use sync_protocol::item::command;
use sync_protocol::mending::Proven;
use sync_protocol::position::{NodeId, Tip};

use super::{Yard, central, shorts};

const ASKED: &str = "select count(*) from reconciliation.run where redo <> ''";

/// A yard whose night found a block of Berlin's log gone.
struct Torn {
    yard: Yard,
    block: RawBlock,
    node: NodeId,
}

impl Torn {
    async fn new() -> Self {
        let yard = Yard::closed().await;
        assert_eq!(shorts(&yard.night().await), Vec::<String>::new());
        let node = yard.berlin.branch.node;
        let block: RawBlock = sqlx::query_as(
            "select * from sync.log_block where node = $1 order by first_seq offset 1 limit 1",
        )
        .bind(i64::from(node.0))
        .fetch_one(yard.world.hub.pool())
        .await
        .unwrap();
        let torn = Self { yard, block, node };
        torn.tear().await;
        assert_eq!(shorts(&torn.yard.night().await), ["BER log red"]);
        torn
    }

    async fn tear(&self) {
        let (node, first) = (self.node.0, self.block.first_seq);
        let gone =
            format!("delete from sync.log_block where node = {node} and first_seq = {first}");
        self.yard.plant(&gone, 1).await;
    }

    fn answer(&self) -> Proven {
        let entries = self.block.sound_entries().unwrap();
        let before = Tip {
            epoch: entries[0].position.epoch,
            seq: entries[0].position.seq - 1,
            hash: self.block.before_hash(),
        };
        Proven { before, entries }
    }

    /// Carries out the order that waits.
    async fn mend(&self) {
        let hub = &self.yard.world.hub;
        let gap = hub.mend(self.node, MendStep::Begin).await.unwrap();
        let gap = gap.expect("something is lost");
        assert_eq!(gap.span.first.cast_signed(), self.block.first_seq);
        let step = MendStep::PutBack(self.answer());
        assert_eq!(hub.mend(self.node, step).await.unwrap(), None);
    }

    async fn rounds(&self) -> i32 {
        let night = self.yard.seen().await;
        let mut branches = night.branches.iter();
        branches.find(|one| one.code == "BER").unwrap().rounds
    }

    async fn sign(&self, signed: bool) {
        let hub = &self.yard.world.hub;
        let mut tx: HubTx = hub.begin(Actor::SYSTEM, command::NIGHT).await.unwrap();
        let word = SignOffInput {
            branch: None,
            reason: "looked into".to_owned(),
        };
        let day = self.yard.day;
        if signed {
            sign_off(&mut tx, &central(), day, &word).await.unwrap();
        } else {
            reopen(&mut tx, &central(), day, &word).await.unwrap();
        }
        tx.commit().await.unwrap();
    }
}

/// Goal: the worker does the night once more, says so, and leaves the others alone; the exception ends with it.
#[tokio::test]
async fn a_red_night_is_done_again_once_its_log_is_mended() {
    let torn = Torn::new().await;
    assert_eq!(torn.rounds().await, 2);
    torn.mend().await;
    torn.yard.world.until(ASKED, 0).await;
    let night = torn.yard.seen().await;
    for branch in &night.branches {
        let is_berlin = branch.code == "BER";
        assert_eq!(branch.redone_ms.is_some(), is_berlin, "{}", branch.code);
        assert_eq!(branch.rounds, if is_berlin { 3 } else { 2 });
        assert_eq!(branch.state.as_str(), "green", "{branch:?}");
    }
    let exceptions = "select count(*) from audit.exception where kind = 'night'";
    torn.yard.world.until(exceptions, 0).await;
    // An order that finds nothing to do changes no night.
    let hub = &torn.yard.world.hub;
    let (branch, now_ms) = (torn.yard.berlin.id(), torn.yard.night_ms);
    order(hub, branch, StaffId::NIL, now_ms).await.unwrap();
    assert_eq!(hub.mend(torn.node, MendStep::Begin).await.unwrap(), None);
    assert_eq!(torn.yard.world.count(ASKED).await, 0);
    assert_eq!(torn.rounds().await, 3);
    torn.yard.world.verified().await;
}

/// Goal: what does not come back asks for no night again, however often it is ordered.
#[tokio::test]
async fn a_refused_order_is_not_looped() {
    let torn = Torn::new().await;
    let hub = &torn.yard.world.hub;
    for round in 2..5 {
        assert_eq!(torn.rounds().await, round);
        let gap = hub.mend(torn.node, MendStep::Begin).await.unwrap().unwrap();
        let refused = MendStep::NotBack(gap.span, "it is gone there too".to_owned());
        assert_eq!(hub.mend(torn.node, refused).await.unwrap(), None);
        assert_eq!(torn.yard.world.count(ASKED).await, 0);
        assert_eq!(torn.rounds().await, round, "nothing did it again");
        assert_eq!(shorts(&torn.yard.night().await), ["BER log red"]);
    }
}

/// Goal: a night that was signed off stays as it was signed; opened again, it is done by whoever asks.
#[tokio::test]
async fn a_night_that_was_signed_off_stays_as_it_was_signed() {
    let torn = Torn::new().await;
    torn.sign(true).await;
    torn.mend().await;
    assert_eq!(torn.yard.world.count(ASKED).await, 0);
    assert_eq!(torn.rounds().await, 2);
    torn.sign(false).await;
    torn.tear().await;
    assert_eq!(shorts(&torn.yard.night().await), ["BER log red"]);
    torn.mend().await;
    torn.yard.world.until(ASKED, 0).await;
    assert_eq!(torn.rounds().await, 4);
}

/// Goal: a chain's night that somebody asks for leaves out branches that never worked; asked for by name such a branch is
/// unreconciled, and so is one of which only later days are known, for its word may not have come yet.
#[tokio::test]
async fn a_branch_that_never_worked_is_in_no_night_of_the_chain() {
    let mut yard = Yard::closed().await;
    yard.world.branch("NEU").await;
    assert_eq!(shorts(&yard.night().await), Vec::<String>::new());
    let codes = |night: &hub::app::reconcile::Night| {
        let codes = night.branches.iter().map(|one| one.code.clone());
        codes.filter(|code| !code.is_empty()).collect::<Vec<_>>()
    };
    assert_eq!(codes(&yard.seen().await), ["BER", "HAM"]);
    let before = run(&yard.world.hub, yard.day - 1, None, yard.night_ms).await;
    let before = before.unwrap();
    let before = before.iter().filter(|one| !one.branch.is_empty());
    let before: Vec<_> = before.map(|one| (one.branch.as_str(), one.run)).collect();
    assert_eq!(before, [("BER", "unreconciled"), ("HAM", "unreconciled")]);
    let new = "select branch from locations.branch where code = 'NEU'";
    let new: sqlx::types::Uuid = sqlx::query_scalar(new)
        .fetch_one(yard.world.hub.pool())
        .await
        .unwrap();
    let new = domain::id::BranchId::from_bytes(new.into_bytes());
    let done = run(&yard.world.hub, yard.day, Some(new), yard.night_ms).await;
    assert_eq!(done.unwrap()[0].run, "unreconciled");
    assert_eq!(codes(&yard.seen().await), ["BER", "HAM", "NEU"]);
}
