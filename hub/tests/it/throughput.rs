//! How many small transactions the group commit takes; run by hand in release.

use std::time::Instant;

use domain::document::{DocumentKind, Edit};

use crate::support::World;

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
                let edit = branch.edit(*document, DocumentKind::Order, &[Edit::text(&["diagnosis"], text)]);
                entries.push(branch.tx(vec![edit]));
            }
        }
        logs.push((created, entries));
    }
    for phase in ["created", "edited"] {
        let begin = Instant::now();
        let mut count = 0;
        let mut replies = Vec::new();
        for (branch, (created, entries)) in branches.iter().zip(&logs) {
            let part = if phase == "created" { &entries[..*created] } else { &entries[*created..] };
            count += part.len();
            for chunk in part.chunks(64) {
                replies.push(world.hub.submit(branch.node, branch.session, chunk.to_vec()).await);
            }
        }
        for reply in replies {
            reply.await.unwrap().unwrap();
        }
        let elapsed = begin.elapsed();
        let rate = count as f64 / elapsed.as_secs_f64();
        eprintln!("{phase}: {count} transactions in {elapsed:?}, {rate:.0}/s");
    }
}
