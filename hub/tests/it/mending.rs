//! Logs that lost blocks, mended step by step without a line: whatever was done to the rows, they are as they were, and
//! no more is asked for than is lost.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::document::{DocumentKind, Edit};
use domain::env::SeededEntropy;
use domain::id::StaffId;
use hub::app::Hub;
use hub::app::mending::{MendStep, order};
use sync_protocol::block::LogEntry;
use sync_protocol::item::{AuditNote, Item};
use sync_protocol::limits::WANT_TRANSACTIONS;
use sync_protocol::mending::{Gap, Proven};
use sync_protocol::position::{Tip, start_of_branch_line};

use crate::support::{TestBranch, World};

/// A branch with all that it wrote.
struct Writer {
    branch: TestBranch,
    log: Vec<LogEntry>,
}

impl Writer {
    async fn write(&mut self, hub: &Arc<Hub>, entries: Vec<LogEntry>) {
        self.log.extend(entries.iter().cloned());
        self.branch.send(hub, entries).await;
    }

    /// Orders, notes and large notes, sent in batches, over several epochs.
    async fn fill(&mut self, world: &World, batches: u64) {
        let (order, created) = self.branch.new_order(None);
        let first = self.branch.tx(vec![created]);
        self.write(&world.hub, vec![first]).await;
        for batch in 0..batches {
            let mut entries = Vec::new();
            for number in 0..=batch % 5 {
                let size = if (batch + number) % 7 == 0 { 7_000 } else { 30 };
                let text: String = (0..size)
                    .map(|at| char::from(b'a' + ((at * at + batch) % 23) as u8))
                    .collect();
                let note = Item::Note(AuditNote {
                    subject: [batch as u8; 16],
                    text,
                });
                entries.push(self.branch.tx(vec![note]));
            }
            let mark = Edit::text(&["diagnosis"], format!("look {batch}"));
            let change = self.branch.edit(order, DocumentKind::Order, &[mark]);
            entries.push(self.branch.tx(vec![change]));
            self.write(&world.hub, entries).await;
            if batch % 4 == 3 {
                self.branch.new_epoch();
            }
        }
    }

    /// So many of the last entries of a gap, as an honest branch gives them.
    fn answer(&self, gap: &Gap, count: u64) -> Proven {
        let last = gap.span.last as usize;
        let first = last - count as usize;
        let before = match first {
            0 => start_of_branch_line(self.branch.node, self.branch.branch),
            first => self.log[first - 1].hash,
        };
        assert_eq!(
            self.log[last - 1].hash,
            gap.end,
            "the hub knows the hash of what it lost"
        );
        Proven {
            before: Tip {
                epoch: gap.span.epoch,
                seq: first as u64,
                hash: before,
            },
            entries: self.log[first..last].to_vec(),
        }
    }

    /// Carries an order out; gives the numbers of what was asked for.
    async fn mend(&self, world: &World, random: &mut SeededEntropy) -> BTreeSet<u64> {
        let node = self.branch.node;
        let now_ms = world.hub.env().now_ms();
        let nodes = order(&world.hub, self.branch.branch, StaffId::NIL, now_ms)
            .await
            .unwrap();
        assert_eq!(nodes, [node]);
        let mut asked = BTreeSet::new();
        let mut step = MendStep::Begin;
        while let Some(gap) = world.hub.mend(node, step).await.unwrap() {
            let count = gap.span.count();
            assert!(count <= WANT_TRANSACTIONS);
            assert_eq!(
                gap.span.epoch,
                self.log[gap.span.first as usize - 1].position.epoch
            );
            let count = 1 + random.next_u64() % count;
            asked.extend(gap.span.last - count + 1..=gap.span.last);
            step = MendStep::PutBack(self.answer(&gap, count));
        }
        asked
    }
}

type Row = (i64, i64, Vec<u8>);

async fn rows(world: &World) -> Vec<Row> {
    sqlx::query_as(
        "select first_seq, last_seq, sha256(convert_to(epoch::text, 'UTF8') || before || after || bytes) from sync.log_block
         where node <> 0 order by first_seq",
    )
    .fetch_all(world.hub.pool())
    .await
    .unwrap()
}

#[allow(
    clippy::disallowed_methods,
    reason = "what is planted names its row in the statement"
)]
async fn plant(world: &World, damage: u64, first: i64) {
    let flip = |column: &str| {
        format!(
            "update sync.log_block set {column} = set_byte({column}, length({column}) / 2, get_byte({column}, length({column}) / 2) # 8)"
        )
    };
    let statement = match damage % 6 {
        0 | 1 => "delete from sync.log_block".to_owned(),
        2 => flip("bytes"),
        3 => flip("before"),
        4 => flip("after"),
        _ => "update sync.log_block set last_seq = last_seq + 1".to_owned(),
    };
    let statement = format!("{statement} where node <> 0 and first_seq = {first}");
    let done = sqlx::query(sqlx::AssertSqlSafe(statement))
        .execute(world.hub.pool())
        .await
        .unwrap();
    assert_eq!(done.rows_affected(), 1);
}

/// Goal: whatever rows of a log are deleted or changed, they come back, rows that were sound stay the very same, no more
/// is asked for than was lost, and a rebuild agrees (INV-9, INV-15).
#[tokio::test]
async fn whatever_is_lost_comes_back_and_nothing_else_moves() {
    let mut world = World::new().await;
    let branch = world.branch("BER").await;
    let mut writer = Writer {
        branch,
        log: Vec::new(),
    };
    writer.fill(&world, 24).await;
    let sound = rows(&world).await;
    assert!(sound.len() > 20, "{}", sound.len());
    let mut random = SeededEntropy::new(4_711);
    for round in 0..12 {
        let before = rows(&world).await;
        let mut hurt: BTreeSet<u64> = BTreeSet::new();
        for _ in 0..=round {
            let (first, last, _) = &before[(random.next_u64() % before.len() as u64) as usize];
            if hurt.insert(*first as u64) {
                hurt.extend(*first as u64..=*last as u64);
                plant(&world, random.next_u64(), *first).await;
            }
        }
        let asked = writer.mend(&world, &mut random).await;
        assert_eq!(asked, hurt, "round {round}");
        let after = rows(&world).await;
        for row in before
            .iter()
            .filter(|(first, _, _)| !hurt.contains(&(*first as u64)))
        {
            assert!(
                after.contains(row),
                "round {round}: the block at {} was touched",
                row.0
            );
        }
        if round % 4 == 3 {
            world.verified().await;
        }
    }
    let count = "select count(*) from sync.incident where kind = 'mending'";
    let on_record = world.count(count).await;
    assert!(on_record >= 12);
    assert_eq!(writer.mend(&world, &mut random).await, BTreeSet::new());
    assert_eq!(world.count(count).await, on_record, "nothing was missing");
    assert_eq!(world.count("select count(*) from sync.mending").await, 0);
    let notes = "select count(*) from audit.note where text like 'log of %put back%'";
    assert_eq!(
        world.count(notes).await,
        on_record,
        "the hub's own log says so too"
    );
}

/// Goal: an answer that comes twice, or after another process put the entries back, changes nothing.
#[tokio::test]
async fn an_answer_counts_once() {
    let mut world = World::new().await;
    let branch = world.branch("BER").await;
    let mut writer = Writer {
        branch,
        log: Vec::new(),
    };
    writer.fill(&world, 6).await;
    let before = rows(&world).await;
    plant(&world, 0, before[3].0).await;
    let node = writer.branch.node;
    let now_ms = world.hub.env().now_ms();
    order(&world.hub, writer.branch.branch, StaffId::NIL, now_ms)
        .await
        .unwrap();
    let gap = world
        .hub
        .mend(node, MendStep::Begin)
        .await
        .unwrap()
        .unwrap();
    let answer = writer.answer(&gap, gap.span.count());
    let other = world.another_hub().await;
    assert_eq!(
        other
            .0
            .mend(node, MendStep::PutBack(answer.clone()))
            .await
            .unwrap(),
        None
    );
    let mended = rows(&world).await;
    order(&world.hub, writer.branch.branch, StaffId::NIL, now_ms)
        .await
        .unwrap();
    assert_eq!(
        world
            .hub
            .mend(node, MendStep::PutBack(answer))
            .await
            .unwrap(),
        None
    );
    assert_eq!(rows(&world).await, mended);
    assert_eq!(mended.len(), before.len());
    assert_eq!(
        world
            .count("select count(*) from sync.incident where kind = 'mending'")
            .await,
        1
    );
    other.1.stop().await;
    world.verified().await;
}
