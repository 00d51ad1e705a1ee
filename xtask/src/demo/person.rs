//! The demo for a person: filled once, started in seconds, stopped by Ctrl-C without leaving a process.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use tokio::signal::unix::{SignalKind, signal};

use super::chain::{Chain, Programs};
use super::child::stop_left_over;
use super::place::{DemoFile, Ports, folder_of, make_folder};
use super::takings::{self, Day};
use super::{fill, transfers};

/// Written when the fill is complete; a folder without it is begun anew.
const FILLED: &str = "filled";

pub(crate) async fn run(fresh: bool, base_port: Option<u16>, programs: Programs) -> Result<()> {
    let begun = Instant::now();
    let ports = Ports::of(base_port)?;
    let folder = folder_of(ports)?;
    stop_left_over(&folder)?;
    if folder.exists() && (fresh || !folder.join(FILLED).exists()) {
        std::fs::remove_dir_all(&folder)
            .with_context(|| format!("emptying {}", folder.display()))?;
    }
    make_folder(&folder)?;
    let mut chain = Chain::new(&folder, ports, fill::branches().len(), programs)?;
    let outcome = tokio::select! {
        outcome = start_and_wait(&mut chain, &folder, begun) => outcome,
        () = asked_to_stop() => Ok(()),
    };
    println!("stopping");
    let stopped = chain.stop();
    outcome.and(stopped)
}

async fn start_and_wait(chain: &mut Chain, folder: &Path, begun: Instant) -> Result<()> {
    if folder.join(FILLED).exists() {
        start_again(chain, folder).await?;
    } else {
        first_start(chain, folder).await?;
    }
    let path = folder.join("demo.json");
    chain.file()?.write(&path)?;
    show(chain, &path, begun);
    loop {
        chain.check()?;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

async fn start_again(chain: &mut Chain, folder: &Path) -> Result<()> {
    let file = DemoFile::read(&folder.join("demo.json"))?;
    chain.start_hub().await?;
    chain.adopt(&file);
    for index in 0..chain.branches.len() {
        chain.start_branch(index).await?;
    }
    Ok(())
}

/// Starts and fills a chain; `demo.json` lies in the folder afterwards.
pub(super) async fn first_start(chain: &mut Chain, folder: &Path) -> Result<()> {
    println!("filling a new demo below {}", folder.display());
    chain.start_hub().await?;
    fill::first_operator(chain)?;
    fill::chain_staff(chain).await?;
    fill::company(chain).await?;
    let operator = chain.hub_api("operator")?;
    for branch in fill::branches() {
        chain.add_branch(&operator, &branch).await?;
    }
    for index in 0..chain.branches.len() {
        fill::branch_staff(chain, index).await?;
    }
    fill::presets(chain).await?;
    let skus = fill::parts(chain, fill::PARTS).await?;
    fill::wait_for_people_and_parts(chain, &skus).await?;
    let mut days = Vec::new();
    for index in 0..chain.branches.len() {
        let keeper = chain.branch_api(index, "branch_manager")?;
        fill::opening_stock(&keeper, index as u64, &skus).await?;
        let mut day = Day::begin(chain, index).await?;
        fill::orders(chain, index, &mut day).await?;
        day.go_on(chain, index).await?;
        days.push(day);
        println!("{} is filled", chain.branches[index].name);
    }
    transfers::fill(chain).await?;
    for (index, day) in days.iter().enumerate() {
        day.end(chain, index).await?;
    }
    takings::night(chain).await?;
    println!("the night of today is done");
    chain.file()?.write(&folder.join("demo.json"))?;
    std::fs::write(folder.join(FILLED), "").context("marking the demo as filled")
}

/// Ctrl-C or a request to end.
pub(crate) async fn asked_to_stop() {
    let terminate = async {
        match signal(SignalKind::terminate()) {
            Ok(mut stream) => {
                stream.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminate => {}
    }
}

fn show(chain: &Chain, path: &Path, begun: Instant) {
    println!(
        "\nCounterpart runs ({:.1} s)\n",
        begun.elapsed().as_secs_f64()
    );
    println!("  {:<28}{}", "Hub", chain.hub_url());
    for branch in &chain.branches {
        println!(
            "  {:<28}{}",
            format!("{} {}", branch.code, branch.name),
            branch.url
        );
    }
    if let Ok(provider) = chain.provider() {
        println!("  {:<28}{}", "Double of Stripe", provider.url());
    }
    println!("\n  {:<8}{:<28}{:<18}password", "where", "username", "role");
    for login in &chain.logins {
        println!(
            "  {:<8}{:<28}{:<18}{}",
            login.place, login.username, login.role, login.password
        );
    }
    println!(
        "\n  {}\n  All data is generated. Ctrl-C stops everything.\n",
        path.display()
    );
}
