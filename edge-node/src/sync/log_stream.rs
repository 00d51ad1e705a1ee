//! The log stream's two directions as tasks of their own, so that reading never waits for writing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use quinn::{RecvStream, SendStream};
use sync_protocol::error::DecodeError;
use sync_protocol::frame::{Frame, FrameReader};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

const READ_BYTES: usize = 64 * 1024;
/// Frames read ahead of the session.
const READ_AHEAD_FRAMES: usize = 4;

/// Frames as they come; a `DecodeError` is the last. The channel ends with the stream.
pub(super) fn read_frames(
    mut receive: RecvStream,
) -> (mpsc::Receiver<Result<Frame, DecodeError>>, JoinHandle<()>) {
    let (frames, received) = mpsc::channel(READ_AHEAD_FRAMES);
    let task = tokio::spawn(async move {
        let mut reader = FrameReader::new();
        while let Ok(Some(chunk)) = receive.read_chunk(READ_BYTES, true).await {
            reader.push(&chunk.bytes);
            loop {
                let next = match reader.next_frame() {
                    Ok(Some(frame)) => Ok(frame),
                    Ok(None) => break,
                    Err(error) => Err(error),
                };
                let is_last = next.is_err();
                if frames.send(next).await.is_err() || is_last {
                    return;
                }
            }
        }
    });
    (received, task)
}

/// Bytes that wait to be written.
#[derive(Debug)]
pub(super) struct Outbox {
    queue: Option<mpsc::UnboundedSender<Vec<u8>>>,
    waiting_bytes: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Outbox {
    /// Writes to `send` in a task.
    pub(super) fn new(mut send: SendStream) -> Self {
        let (queue, mut queued) = mpsc::unbounded_channel::<Vec<u8>>();
        let waiting_bytes = Arc::new(AtomicUsize::new(0));
        let counter = waiting_bytes.clone();
        let task = tokio::spawn(async move {
            while let Some(bytes) = queued.recv().await {
                let length = bytes.len();
                if send.write_chunk(bytes.into()).await.is_err() {
                    return;
                }
                counter.fetch_sub(length, Ordering::Relaxed);
            }
            if send.finish().is_err() {
                tracing::debug!("the stream was gone at its end");
            }
        });
        Self {
            queue: Some(queue),
            waiting_bytes,
            task,
        }
    }

    /// Queues bytes and says how many wait; nothing where the stream is gone.
    pub(super) fn push(&self, bytes: Vec<u8>) -> Option<usize> {
        let length = bytes.len();
        let waiting = self.waiting_bytes.fetch_add(length, Ordering::Relaxed) + length;
        self.queue.as_ref()?.send(bytes).ok().map(|()| waiting)
    }

    /// Takes nothing more and waits until everything was handed to the connection.
    pub(super) async fn finish(&mut self) {
        self.queue = None;
        if (&mut self.task).await.is_err() {
            tracing::debug!("the stream's writer had ended");
        }
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        self.task.abort();
    }
}
