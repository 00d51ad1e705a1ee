//! Imports of repair records.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anyhow::{Result, ensure};
use reqwest::Method;
use serde_json::Value;
use tests::process::chain::api::Api;
use tests::process::chain::wait::until;
use tests::process::chain::{Chain, PATIENCE, Plan};
use tests::process::edge::Edge;
use tests::process::relay::TcpRelay;

use super::records::{HEADER, file, line, line_with};
use super::sound::ensure_branch_is_sound;

const RECORDS: usize = 20_000;
const PEAK_KIB: u64 = 64 * 1024;

fn empty_plan(code: &'static str) -> Plan {
    Plan {
        parts: 0,
        opening: 0,
        ..Plan::of(&[code])
    }
}

/// Goal: an import of any length needs a bounded memory (INV-16), tells how far it is, and creates nothing twice.
/// Method: 20,000 generated records by HTTP while the peak of resident memory is read from /proc and the event stream
/// is listened to; then the same file, a shuffled one, half of it, and one with changed and bad rows.
#[tokio::test]
async fn twenty_thousand_records_come_in_once_and_in_little_memory() {
    many().await.unwrap();
}

async fn many() -> Result<()> {
    let mut chain = Chain::start(&empty_plan("IMP")).await?;
    let manager = chain.manager(0).await?;
    // What the hub does with them is another test's business.
    manager.send("/api/v1/sync/pause", &Value::Null).await?;
    let running = chain.edges[0].running()?;
    running.reset_peak_memory()?;
    let idle = running.peak_memory_kib()?;
    let progress = Progress::listen(&manager).await?;
    let whole = file(0..RECORDS);
    let report = import(&manager, whole.clone()).await?;
    figures(&report, [RECORDS, 0, 0, 0])?;
    let grown = chain.edges[0]
        .running()?
        .peak_memory_kib()?
        .saturating_sub(idle);
    eprintln!("the import took {grown} KiB above {idle} KiB");
    ensure!(
        grown <= PEAK_KIB,
        "the import took {grown} KiB above the {idle} KiB before it"
    );
    ensure!(
        progress.heard() >= 2,
        "progress was told {} times",
        progress.heard()
    );
    // The answer and the event stream are two connections: either may be first.
    until("the end is told", PATIENCE, async || {
        Ok(if progress.is_done() {
            Ok(())
        } else {
            Err(format!("told {} times", progress.heard()))
        })
    })
    .await?;
    ensure!(
        orders(&chain.edges[0])? == (RECORDS, RECORDS),
        "{:?}",
        orders(&chain.edges[0])?
    );

    figures(&import(&manager, whole).await?, [0, 0, RECORDS, 0])?;
    // 7,919 is prime, so every record comes up once.
    figures(
        &import(&manager, file((0..RECORDS).map(|at| at * 7_919 % RECORDS))).await?,
        [0, 0, RECORDS, 0],
    )?;
    figures(
        &import(&manager, file((0..RECORDS).step_by(2))).await?,
        [0, 0, RECORDS / 2, 0],
    )?;
    let mixed = format!(
        "{HEADER}{}{}{}no_provider,,DEU,Lamp,Lamp,1,Acme,2020,3,Fixed,,Group 1,2023-01-01,dark\n",
        line(1),
        line_with(2, "another story"),
        line(RECORDS)
    );
    let report = import(&manager, mixed.into_bytes()).await?;
    figures(&report, [1, 1, 1, 1])?;
    let error = &report["errors"][0];
    ensure!(
        error["row"] == 5
            && error["detail"]
                .as_str()
                .is_some_and(|text| !text.is_empty()),
        "{report}"
    );
    ensure!(
        orders(&chain.edges[0])? == (RECORDS + 1, RECORDS + 1),
        "{:?}",
        orders(&chain.edges[0])?
    );
    ensure_branch_is_sound(&chain.edges[0])
}

/// Goal: an upload that breaks off leaves whole batches and can be repeated.
/// Method: the connection is cut by a relay in the middle of the file, twice at other bytes; then the file comes whole,
/// and the branch verifies itself.
#[tokio::test]
async fn a_cut_upload_leaves_whole_batches_and_can_be_repeated() {
    cut().await.unwrap();
}

async fn cut() -> Result<()> {
    const SOME: usize = 3_000;
    let chain = Chain::start(&empty_plan("CUT")).await?;
    let manager = chain.manager(0).await?;
    let relay =
        TcpRelay::start(chain.edges[0].url().trim_start_matches("http://").parse()?).await?;
    let over_relay = manager.at(&format!("http://{}", relay.address()));
    let whole = file(0..SOME);
    let mut before = 0;
    for (round, share) in [(1, 3), (2, 2)] {
        let part = &whole[..whole.len() / share];
        cut_when_something_is_written(&over_relay, &relay, part, &chain.edges[0]).await?;
        until_given_up(&chain.edges[0], round).await?;
        let (made, remembered) = orders(&chain.edges[0])?;
        ensure!(made == remembered, "{made} orders of {remembered} records");
        ensure!(
            made > before && made < SOME,
            "{made} orders after {before}, of {SOME}"
        );
        before = made;
        relay.restore().await;
    }
    let report = import(&over_relay, whole.clone()).await?;
    figures(&report, [SOME - before, 0, before, 0])?;
    ensure!(
        orders(&chain.edges[0])? == (SOME, SOME),
        "{:?}",
        orders(&chain.edges[0])?
    );
    chain.until_level().await?;
    chain.ensure_equal().await
}

/// Sends the beginning of a file and no end; cuts the line when the branch has written more than it had.
async fn cut_when_something_is_written(
    api: &Api,
    relay: &TcpRelay,
    part: &[u8],
    edge: &Edge,
) -> Result<()> {
    let (before, _) = orders(edge)?;
    let (pieces, taken) = tokio::sync::mpsc::channel::<Result<Vec<u8>, std::io::Error>>(1);
    let body = reqwest::Body::wrap_stream(tokio_stream::wrappers::ReceiverStream::new(taken));
    let upload = tokio::spawn(upload_of(api, body));
    for piece in part.chunks(16 * 1024) {
        pieces.send(Ok(piece.to_vec())).await?;
    }
    until("something is written", PATIENCE, async || {
        let (now, _) = orders(edge)?;
        Ok(if now > before {
            Ok(())
        } else {
            Err(format!("{now} orders"))
        })
    })
    .await?;
    relay.cut().await;
    let answer = upload.await?;
    drop(pieces);
    ensure!(answer.is_err(), "a cut upload was answered: {answer:?}");
    Ok(())
}

fn upload_of(
    api: &Api,
    body: reqwest::Body,
) -> impl Future<Output = reqwest::Result<reqwest::Response>> + 'static {
    let request = api
        .request(Method::POST, "/api/v1/imports/ords")
        .header("content-type", "text/csv");
    request.timeout(PATIENCE * 5).body(body).send()
}

/// Waits until the branch says of so many uploads that they broke off; then it writes nothing more of them.
async fn until_given_up(edge: &Edge, uploads: usize) -> Result<()> {
    until("the branch gives the upload up", PATIENCE, async || {
        let said = edge.output()?.matches("an upload broke off").count();
        Ok(if said == uploads {
            Ok(())
        } else {
            Err(format!("{said} of {uploads}"))
        })
    })
    .await
}

async fn import(api: &Api, bytes: Vec<u8>) -> Result<Value> {
    let pieces: Vec<Result<Vec<u8>, std::io::Error>> = bytes
        .chunks(16 * 1024)
        .map(|piece| Ok(piece.to_vec()))
        .collect();
    let answer = upload_of(api, reqwest::Body::wrap_stream(tokio_stream::iter(pieces))).await?;
    let status = answer.status();
    let said = answer.text().await?;
    ensure!(status.is_success(), "{status} {said}");
    Ok(serde_json::from_str(&said)?)
}

/// Created, changed, skipped, rejected; `read` is their sum.
fn figures(report: &Value, wanted: [usize; 4]) -> Result<()> {
    let names = ["created", "changed", "skipped", "rejected"];
    let is_so = names
        .iter()
        .zip(wanted)
        .all(|(name, count)| report[name] == count);
    let sum: usize = wanted.iter().sum();
    ensure!(
        is_so && report["read"] == sum,
        "wanted {names:?} = {wanted:?}, found {report}"
    );
    Ok(())
}

/// Imported orders, and records that are remembered.
fn orders(edge: &Edge) -> Result<(usize, usize)> {
    let database = edge.database()?;
    let made: i64 = database.query_row(
        "select count(*) from repair_order where source is not null",
        [],
        |row| row.get(0),
    )?;
    let remembered: i64 =
        database.query_row("select count(*) from import_record", [], |row| row.get(0))?;
    Ok((usize::try_from(made)?, usize::try_from(remembered)?))
}

/// What the event stream tells of imports.
struct Progress {
    heard: Arc<AtomicUsize>,
    done: Arc<AtomicBool>,
    task: tokio::task::JoinHandle<()>,
}

impl Progress {
    async fn listen(api: &Api) -> Result<Self> {
        let mut stream = api
            .request(Method::GET, "/api/v1/events")
            .timeout(PATIENCE * 5)
            .send()
            .await?;
        ensure!(stream.status().is_success(), "events: {}", stream.status());
        let (heard, done) = (
            Arc::new(AtomicUsize::new(0)),
            Arc::new(AtomicBool::new(false)),
        );
        let (count, end) = (Arc::clone(&heard), Arc::clone(&done));
        let task = tokio::spawn(async move {
            // An event may come in two pieces; it is read when its empty line is there.
            let mut text = String::new();
            while let Ok(Some(bytes)) = stream.chunk().await {
                text.push_str(&String::from_utf8_lossy(&bytes));
                while let Some(at) = text.find("\n\n") {
                    let event: String = text.drain(..at + 2).collect();
                    count.fetch_add(event.matches("import-progress").count(), Ordering::AcqRel);
                    if event.contains("\"done\":true") {
                        end.store(true, Ordering::Release);
                    }
                }
            }
        });
        Ok(Self { heard, done, task })
    }

    fn heard(&self) -> usize {
        self.heard.load(Ordering::Acquire)
    }

    fn is_done(&self) -> bool {
        self.done.load(Ordering::Acquire)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.task.abort();
    }
}
