//! The hub's map of very many branches: its data at the server, and its frames while it is moved in Chromium.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::http::Connection;
use crate::measure::{Row, Times, print};

const ASKED: usize = 60;
const WARM: usize = 3;
const DATA_MS: f64 = 100.0;
const FRAME_MS: f64 = 33.0;
const FRAMES_LEAST: usize = 30;
const SHOWN_WITHIN: Duration = Duration::from_secs(20);

/// Moves the map by its keys in every frame for two seconds, there and back, and gives the frames' times.
const PAN: &str = "
    const done = arguments[arguments.length - 1];
    const map = document.getElementById('map');
    const times = [];
    const begun = performance.now();
    let last = begun;
    let moves = 0;
    const step = (now) => {
        times.push(now - last);
        last = now;
        if (now - begun >= 2000) { done(times.slice(1)); return; }
        moves += 1;
        const key = Math.floor(moves / 15) % 2 === 0 ? 'ArrowLeft' : 'ArrowRight';
        map.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
        requestAnimationFrame(step);
    };
    requestAnimationFrame((now) => { last = now; requestAnimationFrame(step); });
";

/// Whether something other than the ground is painted on the map.
const SHOWN: &str = "
    const map = document.getElementById('map');
    if (!map || !map.width) return false;
    const data = map.getContext('2d').getImageData(0, 0, map.width, map.height).data;
    const colours = new Set();
    for (let i = 0; i < data.length; i += 4 * 37) colours.add(data[i] << 16 | data[i + 1] << 8 | data[i + 2]);
    return colours.size > 3;
";

/// What the map's picture adds up to.
const DRAWN: &str = "
    const map = document.getElementById('map');
    const data = map.getContext('2d').getImageData(0, 0, map.width, map.height).data;
    let sum = 0;
    for (let i = 0; i < data.length; i += 4) sum = (sum * 31 + (data[i] << 16 | data[i + 1] << 8 | data[i + 2])) >>> 0;
    return sum;
";

/// Everything about the map of the hub at `address`.
pub fn all(address: SocketAddr, user: &str, password: &str, place: &Path) {
    let mut api = Connection::open(address);
    let body = json!({ "username": user, "password": password });
    let session = api.json("POST", "/api/v1/session", "", &body).json();
    let token = session["token"].as_str().unwrap();
    api.headers = format!("Authorization: Bearer {token}\r\n");
    let floor = Times::of((0..200).map(|_| api.get("/healthz").took).collect());
    let mut times = Vec::new();
    let (mut bytes, mut points) = (0, 0);
    for number in 0..WARM + ASKED {
        let answer = api.get("/api/v1/network");
        assert_eq!(answer.status, 200, "{}", answer.text());
        if number == 0 {
            points = answer.json()["codes"].as_array().map_or(0, Vec::len);
        }
        bytes = answer.body.len();
        if number >= WARM {
            times.push(answer.took);
        }
    }
    let times = Times::of(times);
    print(
        &Row {
            name: format!("hub: data of the map with {points} branches, p99"),
            target: "< 100 ms",
            value: times.at(0.99),
            unit: "ms",
            floor: floor.at(0.99),
            met: times.at(0.99) < DATA_MS,
            n: ASKED,
        },
        &json!({ "p50": times.at(0.5), "bytes": bytes }),
    );
    frames(address, user, password, place, points);
}

fn frames(address: SocketAddr, user: &str, password: &str, place: &Path, points: usize) {
    let Some(mut browser) = Browser::start(address, (user, password), place) else {
        eprintln!(
            "pages: the map's frames were not measured: chromium or chromedriver is not installed"
        );
        return;
    };
    browser.open("/");
    let begun = Instant::now();
    while browser.ask(SHOWN) != Value::Bool(true) {
        assert!(
            begun.elapsed() < SHOWN_WITHIN,
            "the map shows nothing: {}",
            browser.ask("return location.href + ' ' + document.title")
        );
        std::thread::sleep(Duration::from_millis(50));
    }
    // The last drawing after the data came is not part of the pan.
    let mut drawn = Value::Null;
    loop {
        let now = browser.ask(DRAWN);
        if now == drawn {
            break;
        }
        drawn = now;
        assert!(
            begun.elapsed() < SHOWN_WITHIN,
            "the map is drawn again and again"
        );
        std::thread::sleep(Duration::from_millis(200));
    }
    let frames = browser.ask_later(PAN);
    let frames: Vec<Duration> = frames
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|ms| Duration::try_from_secs_f64(ms.as_f64()? / 1_000.0).ok())
        .collect();
    assert!(!frames.is_empty(), "the map was not moved");
    let n = frames.len();
    let frames = Times::of(frames);
    print(
        &Row {
            name: format!("hub: frame while the map of {points} branches moves, median"),
            target: "<= 33 ms",
            value: frames.at(0.5),
            unit: "ms",
            floor: 0.0,
            met: n >= FRAMES_LEAST && frames.at(0.5) <= FRAME_MS,
            n,
        },
        &json!({ "p95": frames.at(0.95) }),
    );
}
