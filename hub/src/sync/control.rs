//! Control streams: a ping is answered at once, whatever the log is doing.

use quinn::{Connection, RecvStream, SendStream, VarInt};
use sync_protocol::frame::{Frame, FrameReader, FrameType};
use sync_protocol::message::{CloseReason, Ping, STREAM_CONTROL, STREAM_LOG};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tracing::debug;

const READ_BYTES: usize = 1024;

/// Accepts the branch's streams until the connection ends: a log stream goes to `log_streams`, control streams are
/// served here, others are refused.
pub(super) async fn serve_streams(
    connection: Connection,
    log_streams: mpsc::Sender<(SendStream, RecvStream)>,
) {
    let mut tasks = JoinSet::new();
    while let Ok((send, receive)) = connection.accept_bi().await {
        while tasks.try_join_next().is_some() {}
        tasks.spawn(serve_stream(send, receive, log_streams.clone()));
    }
}

async fn serve_stream(
    mut send: SendStream,
    mut receive: RecvStream,
    log_streams: mpsc::Sender<(SendStream, RecvStream)>,
) {
    let mut class = [0];
    if receive.read_exact(&mut class).await.is_err() {
        return;
    }
    match class[0] {
        STREAM_LOG => {
            if log_streams.send((send, receive)).await.is_err() {
                debug!("a log stream came after the session");
            }
        }
        STREAM_CONTROL => answer_pings(send, receive).await,
        _ => {
            let code = VarInt::from_u32(CloseReason::Protocol.code());
            if send.reset(code).is_err() || receive.stop(code).is_err() {
                debug!("a stream of an unknown class was gone already");
            }
        }
    }
}

/// One answer is written before the next ping is read, so that nothing piles up.
async fn answer_pings(mut send: SendStream, mut receive: RecvStream) {
    let mut reader = FrameReader::new();
    while let Ok(Some(chunk)) = receive.read_chunk(READ_BYTES, true).await {
        reader.push(&chunk.bytes);
        loop {
            match reader.next_frame() {
                Ok(Some(Frame {
                    kind: FrameType::Ping,
                    body,
                    ..
                })) => {
                    let Ok(ping) = Ping::from_body(&body) else {
                        return;
                    };
                    if send.write_all(&ping.to_pong_frame()).await.is_err() {
                        return;
                    }
                }
                Ok(None) => break,
                Ok(Some(_)) | Err(_) => return,
            }
        }
    }
}
