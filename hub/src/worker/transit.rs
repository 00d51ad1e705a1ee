//! Takes back pieces that were written off and arrived nevertheless: at the start, and whenever some arrive.
//!
//! What fails stays an open exception and is tried again with the next arrival or start.

use std::sync::Arc;

use tokio::sync::watch;

use crate::app::Hub;

pub(super) async fn run(hub: Arc<Hub>, mut stopped: watch::Receiver<bool>) {
    while !*stopped.borrow() {
        match hub.take_back_found().await {
            Ok(0) => {}
            Ok(pieces) => tracing::info!(pieces, "pieces that were written off arrived"),
            Err(error) => tracing::warn!(%error, "found pieces are taken back later"),
        }
        tokio::select! {
            () = hub.pieces_found() => {}
            _ = stopped.changed() => {}
        }
    }
}
