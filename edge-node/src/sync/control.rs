//! The control stream: pings out, pongs in.

use quinn::Connection;
use sync_protocol::frame::{FrameReader, FrameType};
use sync_protocol::message::{Ping, STREAM_CONTROL};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

const READ_BYTES: usize = 1024;

/// Asks the hub whether it is there.
#[derive(Debug)]
pub(super) struct Pinger {
    asks: mpsc::Sender<Ping>,
    answers: mpsc::Receiver<Ping>,
    task: JoinHandle<()>,
}

impl Drop for Pinger {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Pinger {
    pub(super) fn start(connection: Connection) -> Self {
        let (asks, to_ask) = mpsc::channel(1);
        let (answered, answers) = mpsc::channel(4);
        Self {
            asks,
            answers,
            task: tokio::spawn(exchange(connection, to_ask, answered)),
        }
    }

    /// Asks, unless the last question is still on its way out.
    pub(super) fn ask(&self, number: u64) {
        if self.asks.try_send(Ping { number }).is_err() {
            tracing::debug!("the last ping is still waiting to be written");
        }
    }

    /// The next answer; never, once the stream is gone.
    pub(super) async fn answer(&mut self) -> Ping {
        match self.answers.recv().await {
            Some(pong) => pong,
            None => std::future::pending().await,
        }
    }
}

async fn exchange(
    connection: Connection,
    mut to_ask: mpsc::Receiver<Ping>,
    answered: mpsc::Sender<Ping>,
) {
    let Some(first) = to_ask.recv().await else {
        return;
    };
    let Ok((mut send, mut receive)) = connection.open_bi().await else {
        return;
    };
    let write = async {
        if send.write_all(&[STREAM_CONTROL]).await.is_err() {
            return;
        }
        let mut next = Some(first);
        while let Some(ping) = next {
            if send.write_all(&ping.to_frame()).await.is_err() {
                return;
            }
            next = to_ask.recv().await;
        }
    };
    let read = async {
        let mut reader = FrameReader::new();
        while let Ok(Some(chunk)) = receive.read_chunk(READ_BYTES, true).await {
            reader.push(&chunk.bytes);
            while let Ok(Some(frame)) = reader.next_frame() {
                let Ok(pong) = Ping::from_body(&frame.body) else {
                    return;
                };
                if frame.kind == FrameType::Pong && answered.send(pong).await.is_err() {
                    return;
                }
            }
        }
    };
    tokio::join!(write, read);
}
