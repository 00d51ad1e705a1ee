//! How many small transactions the group commit takes, with money and without; run in release.

#![allow(clippy::print_stdout, reason = "a measurement prints its rows")]

use std::time::{Duration, Instant};

use domain::document::{DocumentKind, Edit};
use serde_json::json;
use sync_protocol::block::LogEntry;

use crate::support::{TestBranch, World};
use crate::till::Till;

/// CPU time in hundredths of a second of all processes whose name begins so (proc(5)).
fn cpu_ticks(name: &str) -> u64 {
    let stats = std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| {
            let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
            let (before, after) = stat.rsplit_once(')')?;
            let fields: Vec<&str> = after.split_whitespace().collect();
            let is_named = before.split_once('(')?.1.starts_with(name);
            is_named.then(|| {
                fields[11].parse::<u64>().unwrap_or(0) + fields[12].parse::<u64>().unwrap_or(0)
            })
        });
    stats.sum()
}

/// Orders of each branch, and receipts of each till.
const EACH: u32 = if cfg!(debug_assertions) { 1_000 } else { 5_000 };

/// What a phase took.
#[derive(Clone, Copy)]
struct Taken {
    transactions: usize,
    elapsed: Duration,
}

impl Taken {
    fn micros_each(self) -> f64 {
        self.elapsed.as_secs_f64() * 1e6 / self.transactions as f64
    }
}

/// Submits logs of branches side by side, 64 transactions at a time, until all are applied.
async fn take(world: &World, phase: &str, parts: &[(&TestBranch, &[LogEntry])]) -> Taken {
    let cpu_before = (cpu_ticks("it-"), cpu_ticks("postgres"));
    let begin = Instant::now();
    let mut replies = Vec::new();
    for (branch, entries) in parts {
        for chunk in entries.chunks(64) {
            let submitted = world
                .hub
                .submit(branch.node, branch.session, chunk.to_vec());
            replies.push(submitted.await);
        }
    }
    for reply in replies {
        reply.await.unwrap().unwrap();
    }
    let transactions = parts.iter().map(|(_, entries)| entries.len()).sum();
    let taken = Taken {
        transactions,
        elapsed: begin.elapsed(),
    };
    let rate = 1e6 / taken.micros_each();
    let micros = |ticks: u64| ticks as f64 * 10_000.0 / transactions as f64;
    let hub = micros(cpu_ticks("it-") - cpu_before.0);
    let postgres = micros(cpu_ticks("postgres") - cpu_before.1);
    eprintln!(
        "{phase}: {transactions} transactions in {:?}, {rate:.0}/s; CPU per transaction: hub {hub:.0} us, all Postgres \
         here {postgres:.0} us",
        taken.elapsed
    );
    taken
}

/// Orders and what is written into them: the log, and how many of its transactions begin an order.
fn order_log(branch: &mut TestBranch) -> (usize, Vec<LogEntry>) {
    let mut entries = Vec::new();
    let mut documents = Vec::new();
    for _ in 0..EACH {
        let (document, order) = branch.new_order(None);
        documents.push(document);
        entries.push(branch.tx(vec![order]));
    }
    let created = entries.len();
    for round in 0..2 {
        for document in &documents {
            let text = format!("looked at it {round}");
            let edit = branch.edit(
                *document,
                DocumentKind::Order,
                &[Edit::text(&["diagnosis"], text)],
            );
            entries.push(branch.tx(vec![edit]));
        }
    }
    (created, entries)
}

fn row(name: &str, target: &str, taken: Taken, floor: f64, is_met: bool) {
    let value = taken.micros_each();
    let ratio = if floor > 0.0 { value / floor } else { 0.0 };
    let profile = if cfg!(debug_assertions) {
        "debug"
    } else {
        "release"
    };
    let row = json!({ "name": name, "target": target, "value": value, "unit": "us", "floor": floor, "ratio": ratio,
        "met": is_met, "profile": profile, "n": taken.transactions });
    println!("{row}");
}

/// Started by `cargo xtask bench ingest`, in release: what a transaction of a till takes beside one about an order.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement, not a check"]
async fn small_transactions_per_second() {
    let mut world = World::new().await;
    let mut branches = [world.branch("AAA").await, world.branch("BBB").await];
    let logs: Vec<(usize, Vec<LogEntry>)> = branches.iter_mut().map(order_log).collect();
    let mut tills = [
        Till::new(world.branch("CCC").await),
        Till::new(world.branch("DDD").await),
    ];
    let days: Vec<Vec<LogEntry>> = tills.iter_mut().map(|till| till.day(EACH)).collect();

    let begun: Vec<_> = branches
        .iter()
        .zip(&logs)
        .map(|(branch, (created, entries))| (branch, &entries[..*created]))
        .collect();
    let created = take(&world, "created", &begun).await;
    let changed: Vec<_> = branches
        .iter()
        .zip(&logs)
        .map(|(branch, (created, entries))| (branch, &entries[*created..]))
        .collect();
    let edited = take(&world, "edited", &changed).await;
    let traded: Vec<_> = tills
        .iter()
        .zip(&days)
        .map(|(till, entries)| (&till.branch, entries.as_slice()))
        .collect();
    let sold = take(&world, "sold", &traded).await;

    let without = Taken {
        transactions: created.transactions + edited.transactions,
        elapsed: created.elapsed + edited.elapsed,
    };
    row(
        "ingest without money: orders and what is written into them, each",
        "none",
        without,
        0.0,
        true,
    );
    let floor = without.micros_each();
    row(
        "ingest with money: receipts, refunds and the drawer, each",
        "<= 2 x without",
        sold,
        floor,
        sold.micros_each() <= 2.0 * floor,
    );
}

#[tokio::test]
#[ignore = "a measurement, not a check"]
async fn taking_one_change() {
    use domain::document::policy::Writer;
    use sync_protocol::document::{Document, Sender};
    use sync_protocol::item::Item;
    let mut world = World::new().await;
    let mut branch = world.branch("AAA").await;
    let mut changes = Vec::new();
    for _ in 0..2_000 {
        let (document, order) = branch.new_order(None);
        let entry = branch.tx(vec![order.clone()]);
        let edit = branch.edit(
            document,
            DocumentKind::Order,
            &[Edit::text(&["diagnosis"], "looked at it")],
        );
        let second = branch.tx(vec![edit.clone()]);
        changes.push((entry, order, second, edit));
    }
    let mut taken = Vec::new();
    let mut elapsed = [Duration::ZERO; 4];
    for (entry, order, second, edit) in &changes {
        let (Item::Change(order), Item::Change(edit)) = (order, edit) else {
            panic!()
        };
        let sender = |position: sync_protocol::position::Position| Sender {
            actor: position.actor(),
            writer: Writer::Home,
            branch: Some(branch.branch),
            staff: domain::id::StaffId::NIL,
            hlc: 0,
            limit_bytes: 1 << 19,
        };
        let begin = Instant::now();
        let document = Document::receive(None, order, &sender(entry.position)).unwrap();
        elapsed[0] += begin.elapsed();
        let begin = Instant::now();
        let document = Document::receive(Some(&document), edit, &sender(second.position)).unwrap();
        elapsed[1] += begin.elapsed();
        let begin = Instant::now();
        let view = domain::order::read_order(document.automerge()).unwrap();
        let text = serde_json::to_string(&view).unwrap();
        elapsed[2] += begin.elapsed();
        let begin = Instant::now();
        let saved = document.save();
        elapsed[3] += begin.elapsed();
        taken.push((document, text.len(), saved.len()));
    }
    let n = changes.len() as u32;
    let [create, edit, view, save] = elapsed.map(|total| total / n);
    eprintln!(
        "create {create:?}, edit {edit:?}, view {view:?} ({} B), save {save:?} ({} B)",
        taken[0].1, taken[0].2
    );
}
