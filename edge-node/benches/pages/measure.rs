//! Asking, and saying what it took.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::Size;
use crate::browser::Browser;
use crate::fill::{PASSWORD, USER};
use crate::http::Connection;
use crate::server::Server;
use crate::targets::{self, Target};

const ASKED: usize = 200;
const WARM: usize = 10;
const EMPTY: &str = "/healthz";
const PAINTS: usize = 7;

const READ_MS: f64 = 30.0;
const SAVE_MS: f64 = 20.0;
const PAINT_MS: f64 = 100.0;
const START_S: f64 = 1.0;
const RESIDENT_MIB: f64 = 150.0;

/// Times, sorted.
pub struct Times(Vec<Duration>);

impl Times {
    pub fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self(times)
    }

    /// Milliseconds below which this share of them lies.
    pub fn at(&self, share: f64) -> f64 {
        let place = ((self.0.len() as f64 * share).ceil() as usize).clamp(1, self.0.len()) - 1;
        self.0[place].as_secs_f64() * 1_000.0
    }
}

/// A figure beside its target and its floor.
pub struct Row<'a> {
    pub name: String,
    pub target: &'a str,
    pub value: f64,
    pub unit: &'a str,
    pub floor: f64,
    pub met: bool,
    pub n: usize,
}

/// Writes a row as one line of JSON.
pub fn print(row: &Row<'_>, more: &Value) {
    let ratio = if row.floor > 0.0 {
        row.value / row.floor
    } else {
        0.0
    };
    let mut line = json!({
        "name": row.name, "target": row.target, "value": row.value, "unit": row.unit, "floor": row.floor,
        "ratio": ratio, "met": row.met, "n": row.n,
        "profile": if cfg!(debug_assertions) { "debug" } else { "release" },
    });
    if let (Some(line), Some(more)) = (line.as_object_mut(), more.as_object()) {
        line.extend(more.clone());
    }
    println!("{line}");
}

/// Everything there is to measure.
pub fn all(program: &Path, data: &Path, size: Size) {
    let server = Server::start(program, data);
    let seconds = server.first_page.as_secs_f64();
    print(
        &Row {
            name: "start to the first page".to_owned(),
            target: "< 1 s",
            value: seconds,
            unit: "s",
            floor: 0.0,
            met: seconds < START_S,
            n: size.orders,
        },
        &json!({}),
    );
    let (mut page, mut api) = people(server.address);
    let floor = floor(&mut page);
    lay_down_a_table(&mut page);
    let targets = targets::all(&mut page, &mut api);
    for target in &targets {
        reads(
            if target.is_page { &mut page } else { &mut api },
            target,
            &floor,
        );
    }
    whole_board(&mut page, &floor);
    search(&mut page, &mut api, &floor);
    intake(&mut api, &floor);
    scans(server.address, &mut api);
    paint(&server, data, &targets, &mut page);
    let (resident, peak) = server.memory_mib();
    print(
        &Row {
            name: "resident memory".to_owned(),
            target: "< 150 MiB",
            value: resident,
            unit: "MiB",
            floor: 0.0,
            met: resident < RESIDENT_MIB,
            n: size.orders,
        },
        &json!({ "peak_mib": peak }),
    );
}

/// Two connections of the manager: a browser's and a program's.
fn people(address: SocketAddr) -> (Connection, Connection) {
    let mut page = Connection::open(address);
    let answer = page.form("/sign-in", &format!("username={USER}&password={PASSWORD}"));
    let cookie = answer
        .header("set-cookie")
        .unwrap()
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    page.headers = format!("Cookie: {cookie}\r\n");
    let mut api = Connection::open(address);
    let body = json!({ "username": USER, "password": PASSWORD });
    let token = api.json("POST", "/api/v1/session", "", &body).json();
    api.headers = format!(
        "Authorization: Bearer {}\r\n",
        token["token"].as_str().unwrap()
    );
    (page, api)
}

/// A file that waits for its columns, so that there is one to look at.
fn lay_down_a_table(page: &mut Connection) {
    let rows: String = (0..500)
        .map(|number| format!("{number},Person {number} (generated),030 55{number:04}\n"))
        .collect();
    let part = |head: &str, body: &str| {
        format!("--bench\r\nContent-Disposition: form-data; {head}\r\n\r\n{body}\r\n")
    };
    let body = [
        part("name=\"kind\"", "customers"),
        part(
            "name=\"file\"; filename=\"people.csv\"",
            &format!("id,name,phone\n{rows}"),
        ),
        "--bench--\r\n".to_owned(),
    ];
    let answer = page.multipart("/imports", "bench", &body.concat());
    assert_eq!(answer.status, 303, "{}", answer.text());
}

fn floor(page: &mut Connection) -> Times {
    let times = (0..2_000).map(|_| page.get(EMPTY).took).skip(WARM);
    let times = Times::of(times.collect());
    print(
        &Row {
            name: format!("{EMPTY}, the floor (p50; p99 beside it)"),
            target: "none",
            value: times.at(0.5),
            unit: "ms",
            floor: 0.0,
            met: true,
            n: times.0.len(),
        },
        &json!({ "p99": times.at(0.99) }),
    );
    times
}

fn reads(connection: &mut Connection, target: &Target, floor: &Times) {
    let name = if target.is_page {
        format!("page {}", target.name)
    } else {
        format!("GET {}", target.name)
    };
    let mut times = Vec::with_capacity(ASKED);
    let mut refused = None;
    let mut bytes = 0;
    for number in 0..WARM + ASKED {
        let Some(address) = target.addresses.get(number % target.addresses.len().max(1)) else {
            break;
        };
        let answer = connection.get(address);
        if answer.status >= 400 {
            refused = Some(answer.status);
            break;
        }
        bytes = bytes.max(answer.body.len());
        if number >= WARM {
            times.push(answer.took);
        }
    }
    // An address that only takes posts is no page to read.
    if refused == Some(405) {
        return;
    }
    if times.is_empty() {
        let why = refused.map_or("no address was found".to_owned(), |status| {
            format!("answered {status}")
        });
        eprintln!("pages: {name} was not measured: {why}");
        return;
    }
    timed(
        &name,
        &Times::of(times),
        floor,
        READ_MS,
        &json!({ "bytes": bytes }),
    );
}

/// The board as its page asks for it when the first cards are painted, and after each change.
fn whole_board(page: &mut Connection, floor: &Times) {
    let plain = page.headers.clone();
    page.headers
        .push_str("HX-Request: true\r\nHX-Request-Type: partial\r\n");
    let asked = (0..WARM + ASKED).map(|_| page.get("/board"));
    let (mut times, mut bytes) = (Vec::with_capacity(ASKED), 0);
    for answer in asked.skip(WARM) {
        assert_eq!(answer.status, 200, "{}", answer.text());
        bytes = answer.body.len();
        times.push(answer.took);
    }
    page.headers = plain;
    let times = Times::of(times);
    timed(
        "all cards of /board",
        &times,
        floor,
        READ_MS,
        &json!({ "bytes": bytes }),
    );
}

fn timed(name: &str, times: &Times, floor: &Times, limit_ms: f64, more: &Value) {
    let mut more = more.clone();
    more["p50"] = json!(times.at(0.5));
    let target = format!("< {limit_ms} ms");
    print(
        &Row {
            name: format!("{name}, p99"),
            target: &target,
            value: times.at(0.99),
            unit: "ms",
            floor: floor.at(0.99),
            met: times.at(0.99) < limit_ms,
            n: times.0.len(),
        },
        &more,
    );
}

/// What people type: numbers, names, digits, serials, words of faults, parts, and what nobody has.
fn search(page: &mut Connection, api: &mut Connection, floor: &Times) {
    let orders = api.get("/api/v1/orders?limit=50").json();
    let parts = api.get("/api/v1/parts?limit=20").json();
    let mut typed: Vec<String> = [
        "müller",
        "anna",
        "grazyna dabrowski",
        "fischer (gen",
        "555 01",
        "person12",
        "battery",
        "screen cracked",
        "laptop",
        "does not turn on",
        "lufter",
        "xyzzy nobody",
        "GEN000",
        "me",
        "printer paper",
    ]
    .map(str::to_owned)
    .into();
    for order in orders["items"].as_array().into_iter().flatten() {
        for value in [
            &order["number"],
            &order["device"]["serial"],
            &order["customer"]["name"],
        ] {
            typed.extend(value.as_str().map(str::to_owned));
        }
    }
    for part in parts["items"].as_array().into_iter().flatten() {
        typed.extend(part["sku"].as_str().map(str::to_owned));
    }
    let mut times = Vec::new();
    let mut slowest = (Duration::ZERO, String::new());
    for number in 0..WARM + 2 * ASKED {
        let q = &typed[number % typed.len()];
        let answer = api.json("POST", "/api/v1/search", "", &json!({ "q": q }));
        assert_eq!(answer.status, 200, "{}", answer.text());
        if number >= WARM {
            times.push(answer.took);
            if answer.took > slowest.0 {
                slowest = (answer.took, q.clone());
            }
        }
    }
    let more = json!({ "slowest": slowest.1 });
    timed(
        "POST /api/v1/search",
        &Times::of(times),
        floor,
        READ_MS,
        &more,
    );
    for path in edge_node::web::addresses()
        .into_iter()
        .filter(|path| matches!(*path, "/search" | "/find"))
    {
        let mut times = Vec::new();
        for number in 0..WARM + ASKED {
            let q: String = typed[number % typed.len()].replace(' ', "+");
            let answer = page.form(path, &format!("q={q}"));
            if answer.status == 200 && number >= WARM {
                times.push(answer.took);
            }
        }
        if !times.is_empty() {
            timed(
                &format!("page POST {path}"),
                &Times::of(times),
                floor,
                READ_MS,
                &json!({}),
            );
        }
    }
}

fn intake(api: &mut Connection, floor: &Times) {
    let customers = api.get("/api/v1/customers?limit=50").json();
    let customers = customers["items"].as_array().cloned().unwrap_or_default();
    let mut times = Vec::new();
    for number in 0..WARM + ASKED {
        let body = json!({
            "customer_id": customers[number % customers.len()]["id"],
            "devices": [{ "category": "Laptop", "brand": "Acme", "model": "X1", "serial": format!("NEW{number:06}"),
                          "fault": "does not start (generated)", "accessories": ["charger"] }],
        });
        let answer = api.json("POST", "/api/v1/orders", &format!("bench-{number}"), &body);
        assert_eq!(answer.status, 201, "{}", answer.text());
        if number >= WARM {
            times.push(answer.took);
        }
    }
    timed(
        "intake saved with its commit",
        &Times::of(times),
        floor,
        SAVE_MS,
        &json!({}),
    );
}

/// A delivery: ten pieces scanned within a second.
fn scans(address: SocketAddr, api: &mut Connection) {
    let sku = api.get("/api/v1/parts?limit=1").json()["items"][0]["sku"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/api/v1/stock/{sku}");
    let on_hand = |api: &mut Connection| api.get(&path).json()["on_hand"].as_i64().unwrap();
    let before = on_hand(api);
    let begun = Instant::now();
    let threads: Vec<_> = (0..10)
        .map(|number| {
            let (path, headers) = (format!("{path}/movements"), api.headers.clone());
            std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(90 * number));
                let mut scanner = Connection::open(address);
                scanner.headers = headers;
                let body = json!({ "kind": "receive", "quantity": 1, "reference": "bench" });
                scanner
                    .json("POST", &path, &format!("scan-{number}"), &body)
                    .took
            })
        })
        .collect();
    let slowest = threads
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .max()
        .unwrap();
    let counted = on_hand(api) - before;
    print(
        &Row {
            name: "ten scans in one second, counted".to_owned(),
            target: "10",
            value: counted as f64,
            unit: "",
            floor: 0.0,
            met: counted == 10 && begun.elapsed() < Duration::from_secs(2),
            n: 10,
        },
        &json!({ "slowest_ms": slowest.as_secs_f64() * 1_000.0 }),
    );
}

/// First paint of every page, above an empty page of the same server.
fn paint(server: &Server, place: &Path, targets: &[Target], page: &mut Connection) {
    let Some(mut browser) = Browser::start(server.address, (USER, PASSWORD), place) else {
        eprintln!("pages: first paint was not measured: chromium or chromedriver is not installed");
        return;
    };
    // Each begins at the empty page: what it takes to put the page before away is not part of it.
    let mut median = |address: &str| {
        let mut times: Vec<f64> = (0..PAINTS)
            .filter_map(|_| {
                browser.open(EMPTY);
                browser.first_paint_ms(address)
            })
            .collect();
        times.sort_unstable_by(f64::total_cmp);
        times.get(times.len() / 2).copied()
    };
    let Some(empty) = median(EMPTY) else {
        eprintln!("pages: first paint was not measured: an empty page paints nothing");
        return;
    };
    for target in targets.iter().filter(|target| target.is_page) {
        let Some(address) = target.addresses.first() else {
            continue;
        };
        // Parts of pages are no pages: a browser never stands on them.
        let shown = page.get(address);
        let is_whole =
            shown.status == 200 && shown.text().trim_start().starts_with("<!doctype html>");
        if !is_whole {
            continue;
        }
        let Some(painted) = median(address) else {
            eprintln!("pages: {} paints nothing", target.name);
            continue;
        };
        let above = painted - empty;
        print(
            &Row {
                name: format!("first paint of {} above an empty page", target.name),
                target: "<= 100 ms",
                value: above,
                unit: "ms",
                floor: empty,
                met: above <= PAINT_MS,
                n: PAINTS,
            },
            &json!({}),
        );
    }
}
