//! Joining and renewal: one request, one answer, then the connection is over.

use std::sync::Arc;
use std::time::Duration;

use quinn::{Connection, RecvStream, SendStream};
use sync_protocol::frame::{Frame, FrameReader, FrameType};
use sync_protocol::message::{Close, CloseReason, Grant, Join, Renew, STREAM_CONTROL};
use tokio::time::timeout;
use tracing::info;

use super::core::HubCore;
use crate::ca::NodeCertificate;

/// The whole exchange, on slow lines as well.
const WITHIN: Duration = Duration::from_secs(60);
/// A request holds a key, a signing request and little more.
const REQUEST_BYTES: usize = 16 * 1024;

/// Answers a request to join.
pub(super) async fn join<C: HubCore>(core: Arc<C>, connection: Connection) -> Close {
    exchange(connection, async |frame| {
        let join = match frame {
            Frame {
                kind: FrameType::Join,
                body,
                ..
            } => Join::from_body(&body).map_err(|error| protocol(&error))?,
            _ => return Err(protocol(&"a machine that joins sends Join")),
        };
        let grant = core.join(join).await?;
        info!(node = %grant.node, branch = grant.branch_code, "a machine joined");
        Ok(grant)
    })
    .await
}

/// Answers a request for a fresh certificate.
pub(super) async fn renew<C: HubCore>(
    core: Arc<C>,
    connection: Connection,
    certificate: NodeCertificate,
) -> Close {
    exchange(connection, async |frame| {
        let renew = match frame {
            Frame {
                kind: FrameType::Renew,
                body,
                ..
            } => Renew::from_body(&body).map_err(|error| protocol(&error))?,
            _ => return Err(protocol(&"a node that renews sends Renew")),
        };
        let grant = core.renew(certificate.clone(), renew).await?;
        info!(node = %grant.node, branch = grant.branch_code, "a certificate was renewed");
        Ok(grant)
    })
    .await
}

fn protocol(detail: &dyn std::fmt::Display) -> Close {
    Close {
        reason: CloseReason::Protocol,
        detail: detail.to_string(),
    }
}

async fn exchange(
    connection: Connection,
    answer: impl AsyncFnOnce(Frame) -> Result<Grant, Close>,
) -> Close {
    let done = Close {
        reason: CloseReason::Leaving,
        detail: "done".to_owned(),
    };
    let all = async {
        let (mut send, mut receive) = connection
            .accept_bi()
            .await
            .map_err(|error| protocol(&error))?;
        let frame = read_request(&mut receive).await?;
        let grant = answer(frame).await?;
        reply(&mut send, &grant.to_frame())
            .await
            .map_err(|error| protocol(&error))
    };
    match timeout(WITHIN, all).await {
        Ok(Ok(())) => done,
        Ok(Err(close)) => close,
        Err(_) => protocol(&"no request within a minute"),
    }
}

async fn read_request(receive: &mut RecvStream) -> Result<Frame, Close> {
    let mut class = [0];
    receive
        .read_exact(&mut class)
        .await
        .map_err(|error| protocol(&error))?;
    if class[0] != STREAM_CONTROL {
        return Err(protocol(&"the request comes on a control stream"));
    }
    let mut reader = FrameReader::new();
    let mut count = 0;
    while let Some(chunk) = receive
        .read_chunk(REQUEST_BYTES, true)
        .await
        .map_err(|error| protocol(&error))?
    {
        count += chunk.bytes.len();
        if count > REQUEST_BYTES {
            break;
        }
        reader.push(&chunk.bytes);
        if let Some(frame) = reader.next_frame().map_err(|error| protocol(&error))? {
            return Ok(frame);
        }
    }
    Err(protocol(&"the request is no frame of a request's size"))
}

/// Writes the answer and waits until the other side has all of it.
async fn reply(send: &mut SendStream, bytes: &[u8]) -> std::io::Result<()> {
    send.write_all(bytes).await?;
    send.finish()?;
    send.stopped().await?;
    Ok(())
}
