//! How long the night of a hundred branches takes; run by `cargo xtask bench reconcile`, in release.

#![allow(clippy::print_stdout, reason = "a measurement prints its rows")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use domain::day::SettlementLine;
use domain::id::PaymentId;
use domain::payment::{PaymentOutcome, PaymentResult, Provider};
use domain::staff::Role;
use domain::till::Tender;
use hub::app::reconcile::run;
use serde_json::json;
use sync_protocol::item::Item;

use super::shop::{Shop, tell_items};
use super::{day, ms};
use crate::api::Site;
use crate::pages::Browser;
use crate::support::{World, branch_row};

const BRANCHES: usize = 100;
const TRANSACTIONS: usize = 1_000;
/// One receipt in so many is paid by card.
const CARDS: usize = 10;
const GROUP: usize = 250;

fn row(name: &str, target: &str, value: f64, unit: &str, floor: f64, met: bool) {
    let ratio = if floor > 0.0 { value / floor } else { 0.0 };
    let profile = if cfg!(debug_assertions) {
        "debug"
    } else {
        "release"
    };
    let row = json!({ "name": name, "target": target, "value": value, "unit": unit, "floor": floor, "ratio": ratio,
        "met": met, "profile": profile, "n": BRANCHES * TRANSACTIONS });
    println!("{row}");
}

fn memory_mib(field: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap();
    let kib: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib / 1_024.0
}

/// A branch with a day of so many receipts, closed by its own word.
async fn fill(world: &mut World, number: usize, at: i32) {
    let letter =
        |power: u32| char::from(b'A' + u8::try_from(number / 26_usize.pow(power) % 26).unwrap());
    let code: String = ['S', letter(1), letter(0)].into_iter().collect();
    let branch = world.branch_of(branch_row(&code)).await;
    let mut shop = Shop::new(branch, "Europe/Berlin");
    shop.begin(world, at).await;
    shop.clock(shop.at(11));
    let mut cards: Vec<(PaymentId, Vec<SettlementLine>)> = Vec::new();
    for group in 0..TRANSACTIONS / GROUP {
        let mut receipts = Vec::with_capacity(GROUP);
        for place in 0..GROUP {
            let is_card = (group * GROUP + place).is_multiple_of(CARDS);
            let receipt = if is_card {
                shop.receipt(0, super::shop::CARD)
            } else {
                shop.receipt(1_000, 0)
            };
            let asked = receipt
                .tenders
                .iter()
                .filter(|one| one.tender == Tender::Card);
            cards.extend(asked.map(|one| (one.payment, shop.statement(one.payment, shop.at(12)))));
            receipts.push(receipt);
        }
        shop.take_many(world, receipts).await;
    }
    for group in cards.chunks(50) {
        let mut items = Vec::new();
        for (payment, lines) in group {
            items.push(Item::PaymentResult(PaymentResult {
                payment: *payment,
                attempt: 1,
                outcome: PaymentOutcome::Captured,
                amount_minor: super::shop::CARD,
                tender: Tender::Card,
                provider: Provider::Stripe,
                reference: "pi".to_owned(),
                detail: String::new(),
            }));
            items.extend(lines.iter().cloned().map(Item::SettlementLine));
        }
        tell_items(world, items).await;
    }
    shop.clock(shop.at(20));
    shop.close_drawer(world).await;
    shop.say(world).await;
}

async fn timed(world: &World, at: i32, branches: usize) -> f64 {
    let begun = Instant::now();
    let done = run(&world.hub, at, None, ms("2026-11-11T02:30:00Z"))
        .await
        .unwrap();
    let taken_s = begun.elapsed().as_secs_f64();
    let told = done.iter().filter(|one| !one.branch.is_empty());
    assert_eq!(told.count(), branches);
    let wrong: Vec<_> = done
        .iter()
        .filter(|one| (one.run, one.state) != ("done", "green"))
        .collect();
    assert!(wrong.is_empty(), "{:#?}", wrong.first());
    taken_s
}

/// A night, and how long a manager waited for each page meanwhile.
async fn watched(site: &Site, at: i32, branches: usize) -> (f64, Vec<Duration>) {
    const PAGES: [&str; 4] = ["/network", "/nights", "/money", "/branches"];
    let manager = Browser::new(site, Role::CentralManager, &[]).await;
    let is_over = AtomicBool::new(false);
    let looking = async {
        let mut waits = Vec::new();
        while !is_over.load(Ordering::Relaxed) {
            for path in PAGES {
                let begun = Instant::now();
                let shown = manager.get(path).await;
                waits.push(begun.elapsed());
                assert_eq!(shown.status.as_u16(), 200, "{path}");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        waits
    };
    let night = async {
        let taken_s = timed(&site.world, at, branches).await;
        is_over.store(true, Ordering::Relaxed);
        taken_s
    };
    tokio::join!(night, looking)
}

async fn analyze(world: &World) {
    sqlx::query("analyze")
        .execute(world.hub.pool())
        .await
        .unwrap();
}

/// Goal: 100 branches with 1,000 transactions each in less than 60 s, linear, memory flat, and the hub's pages answer
/// meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement, not a check"]
async fn nights_of_a_hundred_branches() {
    let at = day("2026-11-10");
    let mut site = Site::new().await;
    for number in 0..BRANCHES / 10 {
        fill(&mut site.world, number, at).await;
    }
    analyze(&site.world).await;
    let (ten_s, _) = watched(&site, at, BRANCHES / 10).await;
    for number in BRANCHES / 10..BRANCHES {
        fill(&mut site.world, number, at).await;
    }
    analyze(&site.world).await;
    // The peak counts from here on.
    drop(std::fs::write("/proc/self/clear_refs", "5"));
    let idle_mib = memory_mib("VmRSS");
    let (hundred_s, mut waits) = watched(&site, at, BRANCHES).await;
    waits.sort_unstable();
    let p99_ms = waits[(waits.len() * 99 / 100).min(waits.len() - 1)].as_secs_f64() * 1_000.0;
    let above_mib = memory_mib("VmHWM") - idle_mib;
    row(
        "night of 100 branches with 1,000 transactions",
        "< 60 s",
        hundred_s,
        "s",
        0.0,
        hundred_s < 60.0,
    );
    let name = "night of 100 branches by that of 10";
    row(
        name,
        "<= 11 times",
        hundred_s / ten_s,
        "x",
        10.0,
        hundred_s / ten_s <= 11.0,
    );
    row(
        "night: peak memory above idle",
        "<= 64 MiB",
        above_mib,
        "MiB",
        idle_mib,
        above_mib <= 64.0,
    );
    row(
        "hub pages during the night, p99",
        "< 100 ms",
        p99_ms,
        "ms",
        0.0,
        p99_ms < 100.0,
    );
}
