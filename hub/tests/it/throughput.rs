//! How many small transactions the group commit takes; run by hand in release.

use std::time::Instant;

use domain::document::{DocumentKind, Edit};

use crate::support::World;

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

/// `cargo nextest run --release -p hub --run-ignored only throughput --no-capture`
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement, not a check"]
async fn small_transactions_per_second() {
    let mut world = World::new().await;
    let mut branches = vec![world.branch("AAA").await, world.branch("BBB").await];
    let mut logs = Vec::new();
    for branch in &mut branches {
        let mut entries = Vec::new();
        let mut documents = Vec::new();
        for _ in 0..5_000 {
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
        logs.push((created, entries));
    }
    for phase in ["created", "edited"] {
        let cpu_before = (cpu_ticks("it-"), cpu_ticks("postgres"));
        let begin = Instant::now();
        let mut count = 0;
        let mut replies = Vec::new();
        for (branch, (created, entries)) in branches.iter().zip(&logs) {
            let part = if phase == "created" {
                &entries[..*created]
            } else {
                &entries[*created..]
            };
            count += part.len();
            for chunk in part.chunks(64) {
                replies.push(
                    world
                        .hub
                        .submit(branch.node, branch.session, chunk.to_vec())
                        .await,
                );
            }
        }
        for reply in replies {
            reply.await.unwrap().unwrap();
        }
        let elapsed = begin.elapsed();
        let rate = count as f64 / elapsed.as_secs_f64();
        let micros = |ticks: u64| ticks as f64 * 10_000.0 / count as f64;
        let hub = micros(cpu_ticks("it-") - cpu_before.0);
        let postgres = micros(cpu_ticks("postgres") - cpu_before.1);
        eprintln!(
            "{phase}: {count} transactions in {elapsed:?}, {rate:.0}/s; CPU per transaction: hub {hub:.0} us, all Postgres \
             here {postgres:.0} us"
        );
    }
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
    let mut elapsed = [std::time::Duration::ZERO; 4];
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
