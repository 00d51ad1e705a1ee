//! Cut lines.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Result, ensure};
use tests::process::chain::wait::{level, until_link};
use tests::process::chain::{Chain, PATIENCE, Plan, id_of};
use tests::process::relay::{Direction, TcpRelay};

use super::sound::{ensure_converged, orders_at_hub, plain_id};

/// "Shown as cut off after ten seconds without an answer", and some for a busy machine.
const SHOWN_WITHIN: Duration = Duration::from_secs(15);

/// Goal: sync needs the hub's UDP port and nothing else.
/// Method: managers reach the hub over a TCP relay, the branch over a UDP relay. With TCP cut the branch goes on; with
/// UDP cut nothing moves and the branch says so; cut one way only, likewise; restored, all converges.
#[tokio::test]
async fn sync_goes_on_without_the_hubs_tcp_port_and_stops_without_its_udp_port() {
    run().await.unwrap();
}

async fn run() -> Result<()> {
    let chain = Chain::start(&Plan {
        relayed: true,
        ..Plan::of(&["LIN"])
    })
    .await?;
    let manager = chain.manager(0).await?;
    let pages = TcpRelay::start(chain.hub.http()).await?;
    let central = chain.hub.api("central").await?.at(&url(pages.address()));
    central.get("/api/v1/orders").await?;

    pages.cut().await;
    ensure!(
        central.get("/api/v1/orders").await.is_err(),
        "the hub answers over a cut line"
    );
    let order = plain_id(&id_of(&manager.take_in("with-tcp-cut", "rattles").await?)?);
    level(&manager, PATIENCE).await?;
    let mut hub = chain.hub.connect().await?;
    let branch = chain.edges[0].branch_id.clone();
    ensure!(
        orders_at_hub(&mut hub, &branch).await?.contains(&order),
        "it did not arrive with TCP cut"
    );
    pages.restore().await;
    central.get("/api/v1/orders").await?;

    chain.relays[0].cut();
    let order = plain_id(&id_of(&manager.take_in("with-udp-cut", "rattles").await?)?);
    let took = until_link(&manager, "cut_off", PATIENCE).await?;
    ensure!(
        took < SHOWN_WITHIN,
        "it took {took:?} until the branch showed that it is cut off"
    );
    let sync = manager.get("/api/v1/sync").await?;
    ensure!(
        sync["pending"]["transactions"] == 1,
        "one order waits: {sync}"
    );
    ensure!(
        !orders_at_hub(&mut hub, &branch).await?.contains(&order),
        "it arrived with UDP cut"
    );
    chain.relays[0].restore();
    level(&manager, PATIENCE).await?;
    ensure!(
        orders_at_hub(&mut hub, &branch).await?.contains(&order),
        "it did not arrive after the cut"
    );

    chain.relays[0].cut_one_way(Direction::FromTarget);
    manager.take_in("with-one-way-cut", "rattles").await?;
    until_link(&manager, "cut_off", PATIENCE).await?;
    chain.relays[0].restore();
    ensure_converged(&chain).await
}

fn url(address: SocketAddr) -> String {
    format!("http://{address}")
}
