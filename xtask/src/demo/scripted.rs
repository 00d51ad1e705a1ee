//! The scripted demo: real records come in connected and cut off, a branch is killed, the line returns, and every
//! record must be at the branch and at the hub exactly once. What is collected is paid, and the night proves it.

mod intake;
mod money;
mod transfer;

use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use super::chain::{Chain, NewBranch, Programs};
use super::place::{Ports, make_folder, state_root};
use super::plant::Fault;
use super::report::{BranchReport, Outage, Report};
use super::{api, check, fill, person, plant};
use crate::records::{self, Group, Source};
use intake::Intake;
use money::Tills;

/// What to play.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) repairs: Option<PathBuf>,
    pub(crate) branches: usize,
    pub(crate) report: Option<PathBuf>,
    pub(crate) hold: bool,
    pub(crate) plant: Option<Fault>,
    pub(crate) base_port: Option<u16>,
}

const PARTS: usize = 60;
const CONVERGE_WITHIN: Duration = Duration::from_secs(300);

pub(crate) async fn run(plan: &Plan, programs: Programs) -> Result<()> {
    let base = match plan.base_port {
        Some(base) => base,
        None => free_base(plan.branches)?,
    };
    let folder = state_root()?.join(format!("scripted-{base}-{}", std::process::id()));
    make_folder(&folder)?;
    let mut chain = Chain::new(&folder, Ports::of(Some(base))?, plan.branches, programs)?;
    let outcome = tokio::select! {
        outcome = play(&mut chain, plan) => outcome,
        () = person::asked_to_stop() => Err(anyhow::anyhow!("stopped from outside")),
    };
    let stopped = chain.stop();
    if outcome.is_ok() && !plan.hold {
        std::fs::remove_dir_all(&folder)
            .with_context(|| format!("removing {}", folder.display()))?;
    } else {
        eprintln!("xtask: data and logs stay below {}", folder.display());
    }
    outcome.and_then(|report| {
        stopped?;
        ensure!(report.ok, "the scripted demo found a fault, see the report");
        Ok(())
    })
}

async fn play(chain: &mut Chain, plan: &Plan) -> Result<Report> {
    let source = load(chain, plan)?;
    if source.unusable > 0 {
        step(&format!(
            "{} records of the file are of no use to any importer",
            source.unusable
        ));
    }
    let mut report = Report {
        records_read: Some(source.records_read),
        ..Report::default()
    };
    let skus = build_chain(chain, &source.groups).await?;
    step("importing two thirds of each group, connected");
    let connected = import(chain, &source).await?;
    wait_until_applied(chain, CONVERGE_WITHIN).await?;
    let tills = Arc::new(Tills::open(chain).await?);
    let (late, peak) = outage(chain, &source, (&skus, &tills), &mut report).await?;
    for (index, group) in source.groups.iter().enumerate() {
        report.branches[index].orders_connected = Some(connected[index]);
        report.branches[index].orders_cut_off = Some(late.orders_of(index));
        report.branches[index].pending_at_peak = Some(peak[index]);
        eprintln!("xtask:   {} is {}", report.branches[index].code, group.name);
    }
    report.records_used = Some(
        source
            .groups
            .iter()
            .map(|group| group.records.len() as u64)
            .sum(),
    );
    step("moving stock between two branches");
    report.transfer = Some(transfer::run(chain, &skus).await?);
    tills.settle(chain, &mut report).await?;
    wait_until_applied(chain, CONVERGE_WITHIN).await?;
    tills.night(chain, &mut report).await?;
    if let Some(fault) = plan.plant {
        step(&format!("planting {fault:?}"));
        plant::plant(fault, chain).await?;
    }
    step("checking");
    chain.file()?.write(&chain.folder.join("demo.json"))?;
    check::check(&chain.file()?, &chain.programs, &mut report).await?;
    late.hold_against(chain, &mut report).await?;
    report.orders_created = Some(connected.iter().sum::<u64>() + late.orders());
    report.judge();
    report.give(plan.report.as_deref())?;
    if plan.hold {
        println!(
            "the demo runs on, demo.json is {}",
            chain.folder.join("demo.json").display()
        );
        person::asked_to_stop().await;
    }
    Ok(report)
}

fn step(text: &str) {
    eprintln!("xtask: {text}");
}

fn load(chain: &Chain, plan: &Plan) -> Result<Source> {
    let generated = chain.folder.join("generated.csv");
    let file: &Path = match &plan.repairs {
        Some(file) => file,
        None => {
            let shape = records::Plan {
                seed: 2_026,
                groups: plan.branches as u64 + 2,
                records: 900,
            };
            records::generate(
                &shape,
                std::io::BufWriter::new(std::fs::File::create(&generated)?),
            )?;
            &generated
        }
    };
    records::load_groups(file, plan.branches)
}

/// Hub, people, parts, branches named after the groups, opening stock.
async fn build_chain(chain: &mut Chain, groups: &[Group]) -> Result<Vec<String>> {
    step(&format!("starting the hub and {} branches", groups.len()));
    chain.start_hub().await?;
    fill::first_operator(chain)?;
    fill::chain_staff(chain).await?;
    let operator = chain.hub_api("operator")?;
    for (index, group) in groups.iter().enumerate() {
        let branch = NewBranch {
            code: format!("G{}", index + 1),
            name: group.name.chars().take(60).collect(),
            address: "generated".to_owned(),
            latitude: 51.0 + index as f64 * 0.7,
            longitude: 0.1 + index as f64 * 0.9,
        };
        chain.add_branch(&operator, &branch).await?;
        fill::branch_staff(chain, index).await?;
    }
    let skus = fill::parts(chain, PARTS).await?;
    fill::wait_for_people_and_parts(chain, &skus).await?;
    for index in 0..groups.len() {
        let keeper = chain.branch_api(index, "branch_manager")?;
        fill::opening_stock(&keeper, index as u64, &skus).await?;
    }
    Ok(skus)
}

/// The first two thirds of a group come in while connected.
fn first_part(group: &Group) -> usize {
    group.records.len() * 2 / 3
}

async fn import(chain: &Chain, source: &Source) -> Result<Vec<u64>> {
    let mut created = Vec::new();
    for (index, group) in source.groups.iter().enumerate() {
        let records = &group.records[..first_part(group)];
        let keeper = chain.branch_api(index, "branch_manager")?;
        let answer = keeper
            .upload("/api/v1/imports/ords", "text/csv", source.csv(records)?)
            .await?;
        let count = |name: &str| answer[name].as_u64().unwrap_or_default();
        ensure!(
            count("created") == records.len() as u64 && count("rejected") == 0,
            "{}: of {} records the import took {answer}",
            group.name,
            records.len()
        );
        created.push(count("created"));
    }
    Ok(created)
}

/// Cuts the hub off, takes the last third in one by one, kills a branch on the way, brings the hub back.
async fn outage(
    chain: &mut Chain,
    source: &Source,
    (skus, tills): (&[String], &Arc<Tills>),
    report: &mut Report,
) -> Result<(Arc<Intake>, Vec<u64>)> {
    let codes: Vec<String> = chain
        .branches
        .iter()
        .map(|branch| branch.code.clone())
        .collect();
    report.branches = codes
        .into_iter()
        .map(|code| BranchReport {
            code,
            ..BranchReport::default()
        })
        .collect();
    step("cutting the line: the hub and its Postgres stop");
    let file = chain.file()?;
    chain.stop_hub()?;
    let from = now_text();
    ensure_cut(chain, &file.hub.database_url)?;
    let intake = Arc::new(Intake::new(source, skus.to_vec(), Arc::clone(tills)));
    report.kill = Some(intake::run(chain, &intake).await?);
    ensure_cut(chain, &file.hub.database_url)?;
    let peak = pending(chain).await?;
    step(&format!("the line is back; {peak:?} transactions wait"));
    let returned = Instant::now();
    chain.start_hub().await?;
    report.outage = Some(Outage {
        from,
        to: now_text(),
    });
    let times = wait_until_applied_since(chain, returned, CONVERGE_WITHIN).await?;
    for (branch, ms) in report.branches.iter_mut().zip(times) {
        branch.reconverged_ms = Some(ms);
    }
    Ok((intake, peak))
}

/// The hub's ports must refuse: nothing of it may be left.
fn ensure_cut(chain: &Chain, database_url: &str) -> Result<()> {
    let http: SocketAddr = chain.hub_url().trim_start_matches("http://").parse()?;
    ensure!(
        TcpStream::connect_timeout(&http, Duration::from_secs(1)).is_err(),
        "the hub still answers on {http}"
    );
    let quic: SocketAddr = chain.hub_quic().parse()?;
    UdpSocket::bind(quic).with_context(|| format!("somebody still listens on {quic}/udp"))?;
    if let Some(postgres) = super::databases::tcp_address(database_url) {
        let open = TcpStream::connect_timeout(&postgres, Duration::from_secs(1)).is_ok();
        ensure!(!open, "the hub's Postgres still answers on {postgres}");
    }
    Ok(())
}

async fn pending(chain: &Chain) -> Result<Vec<u64>> {
    let mut counts = Vec::new();
    for index in 0..chain.branches.len() {
        let sync = chain
            .branch_api(index, "branch_manager")?
            .get("/api/v1/sync")
            .await?;
        counts.push(
            sync["pending"]["transactions"]
                .as_u64()
                .context("sync says no pending")?,
        );
    }
    Ok(counts)
}

pub(crate) async fn wait_until_applied(chain: &Chain, within: Duration) -> Result<()> {
    wait_until_applied_since(chain, Instant::now(), within)
        .await
        .map(drop)
}

/// Waits until each branch's log is applied at the hub and each feed is read to its head; milliseconds since `since`.
async fn wait_until_applied_since(
    chain: &Chain,
    since: Instant,
    within: Duration,
) -> Result<Vec<u64>> {
    let mut waits = Vec::new();
    for (index, branch) in chain.branches.iter().enumerate() {
        let manager = chain.branch_api(index, "branch_manager")?;
        let what = format!("{} catches up", branch.name);
        waits.push(tokio::spawn(async move {
            let manager = &manager;
            api::until(&what, within, || async move {
                let sync = manager.get("/api/v1/sync").await?;
                Ok(if is_level(&sync) {
                    Ok(())
                } else {
                    Err(sync.to_string())
                })
            })
            .await?;
            Ok::<u64, anyhow::Error>(since.elapsed().as_millis() as u64)
        }));
    }
    let mut times = Vec::new();
    for wait in waits {
        times.push(wait.await??);
    }
    Ok(times)
}

fn is_level(sync: &Value) -> bool {
    let log = &sync["log"];
    let feeds = sync["feeds"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    sync["link"] == "connected"
        && log["seq"] == log["applied"]
        && sync["pending"]["transactions"] == 0
        && feeds.iter().all(|feed| feed["cursor"] == feed["head"])
}

fn now_text() -> String {
    let seconds = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    rfc3339(seconds)
}

/// Seconds since 1970 as RFC 3339 in UTC (days to civil date after Howard Hinnant, "chrono-Compatible Low-Level Date
/// Algorithms").
pub(super) fn rfc3339(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let z = days + 719_468;
    let (era, doe) = (z / 146_097, z % 146_097);
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + u64::from(month <= 2);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z",
        rest / 3_600,
        rest / 60 % 60,
        rest % 60
    )
}

/// A base port from which hub and branches all fit.
pub(crate) fn free_base(branches: usize) -> Result<u16> {
    let start = 20_000 + u16::try_from(std::process::id() % 20_000)?;
    (0..200)
        .map(|round| start + round * 32)
        .find(|base| {
            // Behind the last branch stands the double of the card provider.
            let count = u16::try_from(branches + 1).unwrap_or(u16::MAX);
            let mut tcp = std::iter::once(*base).chain((1..=count).map(|number| base + 1 + number));
            tcp.all(|port| std::net::TcpListener::bind(("127.0.0.1", port)).is_ok())
                && UdpSocket::bind(("127.0.0.1", *base)).is_ok()
        })
        .map_or_else(|| bail!("no free ports found"), Ok)
}

#[cfg(test)]
mod tests {
    use super::rfc3339;

    #[test]
    fn seconds_become_dates() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(rfc3339(1_795_219_199), "2026-11-20T23:59:59Z");
    }
}
