//! `cargo xtask bench pages`: a branch that has worked for years, asked for every page and every read; and the hub's
//! map of a very large chain.
//!
//! The branch is filled once and kept under the target folder by what makes it. Its hub is out of reach: a shop works
//! so, and nothing else runs beside what is measured. The hub and its database are made for the run.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::bench_program;
use crate::command::{cargo, run};
use crate::demo::{Bench, Point, Programs};
use crate::install::{self, Need};

/// Where published records lie beside the project, if they do.
const RECORDS: &str = "../shared/data";
/// Points of the map, of the published list of a chain's stores.
const STORES: &str = "stores/starbucks_locations.csv";

pub(super) fn measure(root: &Path, target: &Path) -> Result<Vec<Value>> {
    let packages = ["--package", "edge-node", "--package", "hub"];
    run(cargo(root)
        .args(["build", "--release", "--bins"])
        .args(packages))?;
    let program = bench_program(root, "edge-node", "pages")?;
    let mut rows = rows_of(
        Command::new(&program)
            .arg(target.join("release").join("edge-node"))
            .arg(target.join("bench-pages"))
            .arg(root.join(RECORDS)),
    )?;
    let stores = root.join(RECORDS).join(STORES);
    if stores.is_file() {
        rows.extend(network(&program, target, &stores)?);
    } else {
        eprintln!(
            "pages: the hub's map was not measured: {} is not there",
            stores.display()
        );
    }
    Ok(rows)
}

/// A hub with a branch for each store, and the map of them.
fn network(program: &Path, target: &Path, stores: &Path) -> Result<Vec<Value>> {
    install::ensure(&[Need::Database])?;
    let points = points(stores)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let mut bench = Bench::new(Programs::in_folder(&target.join("release"))?)?;
    let measured = runtime.block_on(bench.network(points)).and_then(|hub| {
        rows_of(
            Command::new(program)
                .args(["network", &hub.address, &hub.username, &hub.password])
                .arg(&hub.folder),
        )
    });
    let ended = bench.end();
    let rows = measured?;
    ended?;
    Ok(rows)
}

/// The stores as branches; those without a place, or with a place that is none, are left out.
fn points(stores: &Path) -> Result<Vec<Point>> {
    let mut reader = csv::Reader::from_path(stores)?;
    let headers = reader.headers()?.clone();
    let column = |name: &str| {
        let found = headers.iter().position(|header| header == name);
        found.with_context(|| format!("{} has no column {name}", stores.display()))
    };
    let (name, country) = (column("name")?, column("country")?);
    let (latitude, longitude) = (column("latitude")?, column("longitude")?);
    let mut points = Vec::new();
    for row in reader.records() {
        let row = row?;
        let degrees = |at: usize| row.get(at).and_then(|text| text.parse::<f64>().ok());
        let Some((latitude, longitude)) = degrees(latitude).zip(degrees(longitude)) else {
            continue;
        };
        let text = |at: usize| row.get(at).unwrap_or_default().trim();
        points.push(Point {
            code: code(points.len()),
            name: format!("{} {}", text(name), points.len()),
            region: text(country).to_owned(),
            latitude,
            longitude,
        });
    }
    Ok(points)
}

/// A branch's code of a number: `S` and four signs.
fn code(number: usize) -> String {
    let signs = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let sign = |power: u32| char::from(signs[number / 36_usize.pow(power) % 36]);
    std::iter::once('S').chain((0..4).rev().map(sign)).collect()
}

/// The rows that a bench prints, each shown as it comes.
fn rows_of(command: &mut Command) -> Result<Vec<Value>> {
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .context("starting the pages' bench")?;
    let printed = child.stdout.take().context("the bench's output")?;
    let mut rows = Vec::new();
    for line in BufReader::new(printed).lines() {
        let row: Value = serde_json::from_str(&line?).context("a row that is no JSON")?;
        eprintln!("{}: {} {}", row["name"], row["value"], row["unit"]);
        rows.push(row);
    }
    if !child.wait()?.success() {
        bail!("the pages' bench failed");
    }
    Ok(rows)
}
