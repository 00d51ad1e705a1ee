//! Clean days: no alarm, each night once, whatever the clocks do.

use std::collections::BTreeMap;

use domain::reconcile::CheckState;
use hub::app::HubOptions;
use hub::app::reconcile::{RunState, run_due, show_day};

use super::shop::Shop;
use super::{Hand, Yard, bad_of, day, night_of, shorts, world_at};
use crate::support::{World, branch_row};

const HOUR_MS: i64 = 3_600_000;

async fn shop(world: &mut World, code: &str, zone: &str) -> Shop {
    let mut fields = branch_row(code);
    fields.time_zone = zone.to_owned();
    Shop::new(world.branch_of(fields).await, zone)
}

/// So many days over three branches: each trades and closes by its own wall clock, and the hub wakes every half hour.
async fn clean_days(first: i32, days: i32) {
    let start_ms = i64::from(first) * 86_400_000 - 24 * HOUR_MS;
    let hand = Hand::at(start_ms);
    let mut world = world_at(&hand, HubOptions::default()).await;
    let mut shops = [
        shop(&mut world, "BER", "Europe/Berlin").await,
        shop(&mut world, "KIR", "Pacific/Kiritimati").await,
        shop(&mut world, "NYC", "America/New_York").await,
    ];
    let last = first + days - 1;
    let mut next: Vec<(i32, bool)> = vec![(first, false); shops.len()];
    let mut nights: BTreeMap<(String, String), u32> = BTreeMap::new();
    // The last night is New York's, eight hours after midnight in London; then the next day is due in the east.
    let end_ms = i64::from(last) * 86_400_000 + 36 * HOUR_MS;
    let mut now_ms = start_ms;
    while now_ms < end_ms {
        for (shop, (day, is_open)) in shops.iter_mut().zip(&mut next) {
            if *day > last {
                continue;
            }
            shop.day = *day;
            if !*is_open && now_ms >= shop.at(15) {
                shop.begin(&world, *day).await;
                shop.trade(&world, &hand).await;
                *is_open = true;
            }
            if *is_open && now_ms >= shop.at(21) {
                shop.close(&world, &hand).await;
                (*day, *is_open) = (*day + 1, false);
            }
        }
        hand.set(now_ms);
        for done in run_due(&world.hub, now_ms, 3).await.unwrap() {
            assert_eq!((done.run, done.state), ("done", "green"), "{done:?}");
            if !done.branch.is_empty() {
                *nights.entry((done.branch, done.business_date)).or_default() += 1;
            }
        }
        now_ms += HOUR_MS / 2;
    }
    for code in ["BER", "KIR", "NYC"] {
        for day in first..=last {
            let key = (code.to_owned(), show_day(day));
            assert_eq!(nights.remove(&key), Some(1), "{key:?}");
        }
    }
    assert_eq!(nights, BTreeMap::new(), "and no other night");
    for day in first..=last {
        let night = night_of(&world, day).await;
        assert_eq!(shorts(&bad_of(&night)), Vec::<String>::new());
        let once = |branch: &hub::app::reconcile::BranchNight| branch.rounds == 1;
        assert!(
            night
                .branches
                .iter()
                .filter(|one| !one.code.is_empty())
                .all(once)
        );
    }
    assert_eq!(world.count("select count(*) from audit.exception").await, 0);
    world.verified().await;
}

/// Goal: no false alarm over clean days, each night once. Berlin puts its clocks forward on 29 March.
#[tokio::test]
async fn fifteen_clean_days_in_spring() {
    clean_days(day("2026-03-21"), 15).await;
}

/// New York puts its clocks forward on 8 March, three weeks before Berlin.
#[tokio::test]
async fn clean_days_when_new_york_goes_first() {
    clean_days(day("2026-03-06"), 5).await;
}

/// Berlin puts its clocks back on 25 October, New York on 1 November.
#[tokio::test]
async fn fifteen_clean_days_in_autumn() {
    clean_days(day("2026-10-20"), 15).await;
}

/// Goal: a branch that is cut off is unreconciled since when, and each missed day is done once when it returns; the
/// other branch is not blocked.
#[tokio::test]
async fn a_branch_that_was_cut_off_is_done_when_it_returns() {
    let mut yard = Yard::closed().await;
    let hub = yard.world.hub.clone();
    let done = run_due(&hub, yard.night_ms, 3).await.unwrap();
    assert_eq!(
        done.iter().filter(|one| one.run == "done").count(),
        3,
        "{done:?}"
    );
    for next in 1..=2 {
        yard.hamburg.begin(&yard.world, yard.day + next).await;
        yard.hamburg.trade(&yard.world, &yard.hand).await;
        yard.hamburg.close(&yard.world, &yard.hand).await;
    }
    let later_ms = yard.night_ms + 48 * HOUR_MS;
    yard.hand.set(later_ms);
    let done = run_due(&hub, later_ms, 3).await.unwrap();
    let cut: Vec<_> = done.iter().filter(|one| one.branch == "BER").collect();
    assert_eq!(cut.len(), 2);
    assert!(cut.iter().all(|one| one.run == "unreconciled"), "{done:?}");
    let other = done.iter().filter(|one| one.branch == "HAM");
    assert!(
        other.into_iter().all(|one| one.state == "green"),
        "{done:?}"
    );
    let night = night_of(&yard.world, yard.day + 2).await;
    let berlin = night.branches.iter().find(|one| one.code == "BER").unwrap();
    assert_eq!(berlin.run, RunState::Unreconciled);
    assert_eq!(berlin.since, Some(yard.day + 1));
    assert_eq!(berlin.checks[0].state, CheckState::Unreconciled);
    assert!(
        run_due(&hub, later_ms, 3).await.unwrap().is_empty(),
        "nothing new is due"
    );
    for next in 1..=2 {
        yard.berlin.begin(&yard.world, yard.day + next).await;
        yard.berlin.trade(&yard.world, &yard.hand).await;
        yard.berlin.close(&yard.world, &yard.hand).await;
    }
    yard.hand.set(later_ms);
    let done = run_due(&hub, later_ms, 3).await.unwrap();
    let late: Vec<_> = done.iter().filter(|one| !one.branch.is_empty()).collect();
    assert_eq!(late.len(), 2, "{done:?}");
    assert!(
        late.iter()
            .all(|one| (one.branch.as_str(), one.state) == ("BER", "green")),
        "{done:?}"
    );
    assert!(run_due(&hub, later_ms, 3).await.unwrap().is_empty());
}

/// Goal: the worker does what is due, once, and the rest when its word comes.
#[tokio::test]
async fn the_worker_does_nights_by_itself() {
    let hand = Hand::at(super::ms("2026-11-11T02:30:00Z"));
    let options = HubOptions {
        night_hour: Some(3),
        ..HubOptions::default()
    };
    let mut world = world_at(&hand, options).await;
    let mut berlin = shop(&mut world, "BER", "Europe/Berlin").await;
    berlin.begin(&world, day("2026-11-10")).await;
    berlin.trade(&world, &hand).await;
    berlin.close(&world, &hand).await;
    hand.set(super::ms("2026-11-11T02:30:00Z"));
    // The worker looks when something of nights is said.
    berlin.day += 1;
    berlin.clock(berlin.at(1));
    berlin.day -= 1;
    berlin.say(&world).await;
    world
        .until("select count(*) from reconciliation.run where state = 'done' and branch_id <> '00000000-0000-0000-0000-000000000000'", 1)
        .await;
}

/// Goal: a night that failed or was cut off half way is done again from the start, and stands once.
#[tokio::test]
async fn a_night_is_restartable() {
    let yard = Yard::closed().await;
    assert_eq!(shorts(&yard.night().await), Vec::<String>::new());
    yard.plant("update reconciliation.run set state = 'running'", 3)
        .await;
    yard.plant("delete from reconciliation.result where name = 'cash'", 2)
        .await;
    let done = run_due(&yard.world.hub, yard.night_ms, 3).await.unwrap();
    assert_eq!(done.len(), 3, "{done:?}");
    let results = "select count(*) from reconciliation.result";
    assert_eq!(
        yard.world.count(results).await,
        27,
        "thirteen for each branch, and statements"
    );
}
