//! The engine's figures: local commits while sync runs, and a catch-up after an outage, each beside its floor in the
//! same run. Started by `cargo xtask bench`, which gives the hub's address and a joined data folder.
//!
//! Prints one JSON row a line. The floors: a bare SQLite commit of the same bytes with the same PRAGMAs, and a bare
//! Postgres insert of the same bytes in as many commits as groups need at best.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark fails by panicking and prints its rows"
)]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use domain::document::{DocumentKind, Edit};
use domain::env::{Entropy, SeededEntropy};
use domain::id::{DocumentId, EventId, StaffId, VisitId};
use domain::number::order_number;
use domain::order::{
    Device, NewOrder, Status, StatusMove, add_note, create_order, move_status, read_order,
};
use edge_node::store::log::ReadLog;
use edge_node::store::sync::state;
use edge_node::store::{Actor, Store, StoreConfig, WriteTx};
use edge_node::sync::{SyncConfig, SyncHandle, start};
use serde_json::json;
use sqlx::{Connection as _, PgConnection};
use sync_protocol::item::command;

const ORDERS: usize = 10_000;
const EDITS_EACH: usize = 2;
const COMMITS: usize = 2_000;

struct Arguments {
    data: PathBuf,
    hub: String,
    database_url: String,
}

fn main() {
    let arguments: Vec<String> = std::env::args()
        .filter(|argument| argument != "--bench")
        .collect();
    let [_, data, hub, database_url] = &arguments[..] else {
        println!("engine: started by `cargo xtask bench`");
        return;
    };
    let arguments = Arguments {
        data: data.into(),
        hub: hub.clone(),
        database_url: database_url.clone(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(run(&arguments));
}

async fn run(arguments: &Arguments) {
    let store = Store::open(StoreConfig::of(&arguments.data).unwrap()).unwrap();
    let config = SyncConfig {
        dir: arguments.data.clone(),
        hub: arguments.hub.clone(),
        env: store.env().clone(),
    };
    let sync = start(store.clone(), config).unwrap();
    wait_until_applied(&store, &sync).await;
    sync.pause();
    wait_for_state(&sync, "paused").await;
    let orders = fill_cut_off(&store).await;
    catch_up(&store, &sync, arguments).await;
    commits_while_syncing(&store, &sync, &orders, &arguments.data).await;
    sync.stop().await;
}

fn row(name: &str, target: &str, value: f64, unit: &str, floor: f64, met: bool, n: usize) {
    let ratio = if floor > 0.0 { value / floor } else { 0.0 };
    println!(
        "{}",
        json!({ "name": name, "target": target, "value": value, "unit": unit, "floor": floor, "ratio": ratio,
                "met": met, "profile": if cfg!(debug_assertions) { "debug" } else { "release" }, "n": n })
    );
}

fn new_order(tx: &WriteTx<'_>, entropy: &mut SeededEntropy, number: usize) -> Vec<Edit> {
    create_order(&NewOrder {
        number: order_number(&tx.identity().code, entropy),
        branch: tx.identity().branch,
        visit: VisitId::from_random(entropy),
        customer: None,
        source: None,
        prices_include_tax: true,
        currency: "EUR".parse().unwrap(),
        device: Device {
            category: "Laptop".to_owned(),
            brand: ["Lenovo", "HP", "Dell", "Apple"][number % 4].to_owned(),
            model: format!("Model {}", number % 97),
            serial: format!("SN{number:07}"),
            fault: [
                "does not start",
                "battery lasts an hour",
                "screen is cracked",
            ][number % 3]
                .to_owned(),
            ..Device::default()
        },
        promised_at_ms: Some(1_800_000_000_000 + number as i64),
        technician: None,
        urgent: number.is_multiple_of(9),
        terms_at_ms: None,
        staff: StaffId::NIL,
        moves: vec![StatusMove {
            id: EventId::from_random(entropy),
            to: Status::Received,
            outcome: None,
            at_ms: 1_795_000_000_000 + number as i64,
        }],
    })
    .unwrap()
}

/// 10,000 orders and 20,000 edits, each a transaction of its own, as a shop would write them.
async fn fill_cut_off(store: &Store) -> Vec<DocumentId> {
    let mut entropy = SeededEntropy::new(7);
    let mut ids = Vec::with_capacity(ORDERS);
    let mut waiting = Vec::new();
    for number in 0..ORDERS {
        let id = DocumentId::from_random(&mut entropy);
        let mut seed = [0; 8];
        entropy.fill(&mut seed);
        let store = store.clone();
        waiting.push(tokio::spawn(async move {
            write_order(&store, id, number, u64::from_be_bytes(seed)).await;
        }));
        if waiting.len() == 64 {
            for task in waiting.drain(..) {
                task.await.unwrap();
            }
        }
        ids.push(id);
    }
    for task in waiting {
        task.await.unwrap();
    }
    ids
}

async fn write_order(store: &Store, id: DocumentId, number: usize, seed: u64) {
    store
        .write(move |tx| {
            tx.begin(command::INTAKE, &Actor::SYSTEM)?;
            let edits = new_order(tx, &mut SeededEntropy::new(seed), number);
            tx.edit_document(id, DocumentKind::Order, &edits).map(drop)
        })
        .await
        .unwrap();
    edit(store, id, seed ^ 1, true).await;
    edit(store, id, seed ^ 2, false).await;
}

async fn edit(store: &Store, id: DocumentId, seed: u64, moves: bool) {
    store
        .write(move |tx| {
            tx.begin(
                if moves {
                    command::ORDER_STATUS
                } else {
                    command::ORDER_NOTE
                },
                &Actor::SYSTEM,
            )?;
            let document = tx.document(id)?.unwrap();
            let view = read_order(document.automerge()).unwrap();
            let event = EventId::from_random(&mut SeededEntropy::new(seed));
            let now_ms = tx.now_ms();
            let edits = if moves {
                move_status(&view, Status::Diagnosing, None, event, StaffId::NIL, now_ms).unwrap()
            } else {
                add_note(
                    &view,
                    event,
                    "waits for the customer's answer",
                    StaffId::NIL,
                    now_ms,
                )
                .unwrap()
            };
            tx.edit_document(id, DocumentKind::Order, &edits).map(drop)
        })
        .await
        .unwrap();
}

/// The line is back: until everything is applied at the hub.
async fn catch_up(store: &Store, sync: &SyncHandle, arguments: &Arguments) {
    let transactions = ORDERS * (1 + EDITS_EACH);
    let (bytes, plain_bytes) = log_bytes(store, &arguments.data).await;
    let begun = Instant::now();
    sync.resume();
    wait_until_applied(store, sync).await;
    let taken = begun.elapsed().as_secs_f64();
    let floor = bare_postgres(
        &arguments.database_url,
        transactions,
        plain_bytes / transactions,
    )
    .await;
    let name = "10,000 orders + 20,000 edits made cut off, until applied at the hub";
    row(
        name,
        "<= 3 s",
        taken,
        "s",
        floor,
        taken <= 3.0,
        transactions,
    );
    let megabytes = bytes as f64 / 1e6;
    let raw = plain_bytes as f64 / 1e6;
    row(
        "the same, frame bytes up",
        "<= 1.4 MB from protocol 2 on",
        megabytes,
        "MB",
        raw,
        megabytes <= 1.4,
        transactions,
    );
}

/// Bytes of the log blocks as they are sent, and of the transactions in them.
async fn log_bytes(store: &Store, data: &Path) -> (usize, usize) {
    let mut after = store.read(state).await.unwrap().stored;
    let mut sent = 0;
    loop {
        let ReadLog::Blocks(blocks) = store.read_blocks(after, 1 << 20).await.unwrap() else {
            break;
        };
        let Some(last) = blocks.last().map(|block| block.last) else {
            break;
        };
        sent += blocks
            .iter()
            .map(|block| block.packed.len() + sync_protocol::frame::FRAME_HEADER_BYTES)
            .sum::<usize>();
        after = last;
    }
    let conn = rusqlite::Connection::open(data.join("counterpart.db")).unwrap();
    let plain: i64 = conn
        .query_row("select sum(length(bytes)) from log_entry", [], |row| {
            row.get(0)
        })
        .unwrap();
    (sent, plain as usize)
}

/// The floor: as many rows of as many bytes into one Postgres table, 512 a commit.
async fn bare_postgres(database_url: &str, rows: usize, row_bytes: usize) -> f64 {
    let mut conn = PgConnection::connect(database_url).await.unwrap();
    sqlx::query("create table public.bench_floor (n bigint primary key, bytes bytea not null)")
        .execute(&mut conn)
        .await
        .unwrap();
    let begun = Instant::now();
    let numbers: Vec<i64> = (0..rows as i64).collect();
    for chunk in numbers.chunks(512) {
        let bytes: Vec<Vec<u8>> = chunk
            .iter()
            .map(|n| vec![(*n % 251) as u8; row_bytes])
            .collect();
        sqlx::query(
            "insert into public.bench_floor select * from unnest($1::bigint[], $2::bytea[])",
        )
        .bind(chunk)
        .bind(bytes)
        .execute(&mut conn)
        .await
        .unwrap();
    }
    let taken = begun.elapsed().as_secs_f64();
    sqlx::query("drop table public.bench_floor")
        .execute(&mut conn)
        .await
        .unwrap();
    taken
}

/// Single writes, one after the other, while another writer keeps the line busy.
async fn commits_while_syncing(
    store: &Store,
    sync: &SyncHandle,
    orders: &[DocumentId],
    data: &Path,
) {
    let busy_store = store.clone();
    let busy_orders: Vec<DocumentId> = orders[..2_000].to_vec();
    let busy = tokio::spawn(async move {
        for (index, id) in busy_orders.iter().cycle().enumerate() {
            edit(&busy_store, *id, 1_000_000 + index as u64, false).await;
        }
    });
    let mut times = Vec::with_capacity(COMMITS);
    for (index, id) in orders[2_000..2_000 + COMMITS].iter().enumerate() {
        let begun = Instant::now();
        edit(store, *id, 9_000_000 + index as u64, false).await;
        times.push(begun.elapsed());
    }
    busy.abort();
    wait_until_applied(store, sync).await;
    let bytes = {
        let conn = rusqlite::Connection::open(data.join("counterpart.db")).unwrap();
        let last = "select cast(avg(length(bytes)) as integer) from log_entry where seq > (select max(seq) - 500 from log_entry)";
        conn.query_row(last, [], |row| row.get::<_, i64>(0))
            .unwrap() as usize
    };
    let floor = bare_commits(data, bytes);
    let (p50, p99) = (percentile(&mut times, 50), percentile(&mut times, 99));
    let mut floor_times = floor;
    let (floor_p50, floor_p99) = (
        percentile(&mut floor_times, 50),
        percentile(&mut floor_times, 99),
    );
    row(
        "local commit while sync runs, p50",
        "<= 3 x a bare commit",
        p50,
        "ms",
        floor_p50,
        p50 <= 3.0 * floor_p50,
        COMMITS,
    );
    row(
        "local commit while sync runs, p99",
        "< 10 ms",
        p99,
        "ms",
        floor_p99,
        p99 < 10.0,
        COMMITS,
    );
}

/// The floor: a bare commit of the same bytes with the same PRAGMAs, in a database beside the store's.
fn bare_commits(data: &Path, bytes: usize) -> Vec<Duration> {
    let path = data.join("bench_floor.db");
    let conn = rusqlite::Connection::open(&path).unwrap();
    conn.execute_batch(
        "pragma journal_mode = wal; pragma synchronous = full; pragma wal_autocheckpoint = 0;
         create table floor (n integer primary key, bytes blob not null);",
    )
    .unwrap();
    let mut times = Vec::with_capacity(COMMITS);
    for n in 0..COMMITS {
        let begun = Instant::now();
        conn.execute(
            "insert into floor values (?1, ?2)",
            (n as i64, vec![n as u8; bytes]),
        )
        .unwrap();
        times.push(begun.elapsed());
    }
    drop(conn);
    std::fs::remove_file(&path).unwrap();
    times
}

fn percentile(times: &mut [Duration], percent: usize) -> f64 {
    times.sort_unstable();
    let index = (times.len() * percent / 100).min(times.len() - 1);
    times[index].as_secs_f64() * 1_000.0
}

async fn wait_until_applied(store: &Store, sync: &SyncHandle) {
    let tip = store.tip();
    loop {
        let seq = tip.borrow().seq;
        let applied = store.read(state).await.unwrap().applied;
        if applied == seq && sync.status().state.as_str() == "connected" {
            return;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

async fn wait_for_state(sync: &SyncHandle, state: &str) {
    let mut status = sync.watch();
    status
        .wait_for(|status| status.state.as_str() == state)
        .await
        .unwrap();
}
