//! Nights over a real database: clean days raise no alarm, and what is planted is named exactly.

mod clean;
mod mended;
mod mending;
pub mod shop;
mod speed;
mod zoo;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use domain::env::{Clock, SeededEntropy};
use domain::reconcile::{Check, CheckState};
use domain::staff::Role;
use hub::app::HubOptions;
use hub::app::reconcile::{self, Filter, Night, parse_day, run};
use hub::app::session::Person;
use hub::env::Env;
use jiff::Timestamp;

use crate::support::{World, branch_row};
use shop::Shop;

/// A clock that the test sets.
#[derive(Debug, Clone)]
pub struct Hand(Arc<AtomicI64>);

impl Hand {
    pub fn at(at_ms: i64) -> Self {
        Self(Arc::new(AtomicI64::new(at_ms)))
    }

    pub fn set(&self, at_ms: i64) {
        self.0.store(at_ms, Ordering::Relaxed);
    }
}

impl Clock for Hand {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

pub fn ms(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_millisecond()
}

pub fn day(text: &str) -> i32 {
    parse_day(text).unwrap()
}

pub fn central() -> Person {
    Person {
        id: domain::id::StaffId::NIL,
        name: "Central".to_owned(),
        role: Role::CentralManager,
        branches: Vec::new(),
    }
}

/// A hub with a clock, and two branches that traded on one day; its night is green.
pub struct Yard {
    pub world: World,
    pub hand: Hand,
    pub berlin: Shop,
    pub hamburg: Shop,
    pub day: i32,
    pub night_ms: i64,
}

impl Yard {
    /// The day's trade, without the branches' words.
    pub async fn trading() -> Self {
        let hand = Hand::at(ms("2026-11-10T08:00:00Z"));
        let mut world = world_at(&hand, HubOptions::default()).await;
        let berlin = Shop::new(world.branch_of(branch_row("BER")).await, "Europe/Berlin");
        let hamburg = Shop::new(world.branch_of(branch_row("HAM")).await, "Europe/Berlin");
        let mut yard = Yard {
            world,
            hand,
            berlin,
            hamburg,
            day: day("2026-11-10"),
            night_ms: ms("2026-11-11T02:30:00Z"),
        };
        for shop in [&mut yard.berlin, &mut yard.hamburg] {
            shop.begin(&yard.world, yard.day).await;
            shop.trade(&yard.world, &yard.hand).await;
        }
        yard
    }

    /// The day, closed and clean.
    pub async fn closed() -> Self {
        let mut yard = Self::trading().await;
        yard.close().await;
        yard
    }

    pub async fn close(&mut self) {
        for shop in [&mut self.berlin, &mut self.hamburg] {
            shop.close(&self.world, &self.hand).await;
        }
        self.hand.set(self.night_ms);
    }

    /// Does the night and gives all that is not green: branch, check, state, and the records' kinds and subjects.
    pub async fn night(&self) -> Vec<Bad> {
        let done = run(&self.world.hub, self.day, None, self.night_ms)
            .await
            .unwrap();
        for one in &done {
            assert_eq!(one.error, None, "{one:?}");
        }
        bad_of(&self.seen().await)
    }

    pub async fn seen(&self) -> Night {
        night_of(&self.world, self.day).await
    }

    /// Plants with a statement that changes exactly so many rows.
    #[allow(
        clippy::disallowed_methods,
        reason = "what is planted names its row in the statement"
    )]
    pub async fn plant(&self, statement: &str, rows: u64) {
        let done = sqlx::query(sqlx::AssertSqlSafe(statement.to_owned()))
            .execute(self.world.hub.pool())
            .await
            .unwrap();
        assert_eq!(done.rows_affected(), rows, "{statement}");
    }
}

/// A check that is not green.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bad {
    pub branch: String,
    pub check: Check,
    pub state: CheckState,
    pub records: Vec<(String, String)>,
    pub details: Vec<String>,
    pub amounts: Vec<Option<i64>>,
}

impl Bad {
    /// Branch, check and state in short.
    pub fn short(&self) -> String {
        format!("{} {} {}", self.branch, self.check, self.state)
    }
}

pub fn shorts(bad: &[Bad]) -> Vec<String> {
    bad.iter().map(Bad::short).collect()
}

pub fn bad_of(night: &Night) -> Vec<Bad> {
    let mut bad = Vec::new();
    for branch in &night.branches {
        for check in &branch.checks {
            if check.state == CheckState::Green {
                continue;
            }
            let records = check.records.iter();
            bad.push(Bad {
                branch: branch.code.clone(),
                check: check.check,
                state: check.state,
                records: records
                    .clone()
                    .map(|record| (record.kind.clone(), record.subject.clone()))
                    .collect(),
                details: records
                    .clone()
                    .map(|record| record.detail.clone())
                    .collect(),
                amounts: records
                    .map(|record| record.amount.as_ref().map(|(minor, _)| *minor))
                    .collect(),
            });
        }
    }
    bad
}

pub async fn night_of(world: &World, day: i32) -> Night {
    let filter = Filter {
        records: true,
        ..Filter::default()
    };
    reconcile::get(&world.hub, &central(), day, filter)
        .await
        .unwrap()
}

pub async fn world_at(hand: &Hand, options: HubOptions) -> World {
    let env = Env::with(Arc::new(hand.clone()), Box::new(SeededEntropy::new(99)));
    World::at(options, env).await
}
