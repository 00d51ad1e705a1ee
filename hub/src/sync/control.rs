//! Control streams: pings are answered at once whatever the log is doing; look-ups are answered while a session is open.
//!
//! A look-up never waits for the log, and a ping never for a look-up: each has a stream of its own. Of all look-ups of
//! one connection one is answered at a time, and no more than its budget allows. Bytes that are not the protocol end
//! the connection, as on the log stream.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use quinn::{Connection, RecvStream, SendStream, VarInt};
use sync_protocol::certificate::NodeName;
use sync_protocol::error::DecodeError;
use sync_protocol::frame::{Frame, FrameReader, FrameType};
use sync_protocol::look_up::{LookUp, LookUpAnswer, Refusal, Reply};
use sync_protocol::message::{CloseReason, Ping, STREAM_CONTROL, STREAM_LOG};
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tracing::debug;

use super::core::HubCore;

const READ_BYTES: usize = 1024;
/// Look-ups that a connection may make at once, when it made none for a while.
const BUDGET: u32 = 30;
/// One more is allowed after this time.
const BUDGET_EVERY: Duration = Duration::from_millis(200);

/// Whether, and how often, a connection may look up.
#[derive(Debug)]
pub(super) struct Gate {
    is_open: AtomicBool,
    budget: Mutex<Budget>,
}

#[derive(Debug)]
struct Budget {
    left: u32,
    since: Instant,
}

impl Gate {
    pub(super) fn new() -> Self {
        Gate {
            is_open: AtomicBool::new(false),
            budget: Mutex::new(Budget {
                left: BUDGET,
                since: Instant::now(),
            }),
        }
    }

    /// The node was admitted.
    pub(super) fn open(&self) {
        self.is_open.store(true, Ordering::Release);
    }

    fn is_open(&self) -> bool {
        self.is_open.load(Ordering::Acquire)
    }
}

impl Budget {
    fn take(&mut self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.since);
        let earned = passed.as_millis() / BUDGET_EVERY.as_millis();
        let earned = u32::try_from(earned).unwrap_or(u32::MAX);
        if earned > 0 {
            self.since = now;
            self.left = self.left.saturating_add(earned).min(BUDGET);
        }
        let may = self.left > 0;
        self.left = self.left.saturating_sub(1);
        may
    }
}

/// What the streams of a connection share.
pub(super) struct Streams<C> {
    pub(super) core: Arc<C>,
    pub(super) name: NodeName,
    pub(super) gate: Arc<Gate>,
    /// Where log streams go.
    pub(super) log_streams: mpsc::Sender<(SendStream, RecvStream)>,
    /// Where it is told that bytes are not the protocol.
    pub(super) bad: mpsc::Sender<DecodeError>,
}

impl<C> Clone for Streams<C> {
    fn clone(&self) -> Self {
        Streams {
            core: self.core.clone(),
            name: self.name,
            gate: self.gate.clone(),
            log_streams: self.log_streams.clone(),
            bad: self.bad.clone(),
        }
    }
}

impl<C: HubCore> Streams<C> {
    /// Accepts the branch's streams until the connection ends: a log stream goes to its owner, control streams are
    /// served here, others are refused.
    pub(super) async fn serve(self, connection: Connection) {
        let mut tasks = JoinSet::new();
        while let Ok((send, receive)) = connection.accept_bi().await {
            while tasks.try_join_next().is_some() {}
            tasks.spawn(self.clone().serve_stream(send, receive));
        }
    }

    async fn serve_stream(self, mut send: SendStream, mut receive: RecvStream) {
        let mut class = [0];
        if receive.read_exact(&mut class).await.is_err() {
            return;
        }
        match class[0] {
            STREAM_LOG => {
                if self.log_streams.send((send, receive)).await.is_err() {
                    debug!("a log stream came after the session");
                }
            }
            STREAM_CONTROL => {
                if let Err(error) = self.control(send, receive).await
                    && self.bad.send(error).await.is_err()
                {
                    debug!("bytes that are not the protocol came after the session");
                }
            }
            _ => {
                let code = VarInt::from_u32(CloseReason::Protocol.code());
                if send.reset(code).is_err() || receive.stop(code).is_err() {
                    debug!("a stream of an unknown class was gone already");
                }
            }
        }
    }

    /// One answer is written before the next question is read, so that nothing piles up.
    async fn control(
        &self,
        mut send: SendStream,
        mut receive: RecvStream,
    ) -> Result<(), DecodeError> {
        let mut reader = FrameReader::new();
        while let Ok(Some(chunk)) = receive.read_chunk(READ_BYTES, true).await {
            reader.push(&chunk.bytes);
            while let Some(frame) = reader.next_frame()? {
                let answer = self.answer(&frame).await?;
                if send.write_all(&answer).await.is_err() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    async fn answer(&self, frame: &Frame) -> Result<Vec<u8>, DecodeError> {
        match frame.kind {
            FrameType::Ping => Ok(Ping::from_body(&frame.body)?.to_pong_frame()),
            FrameType::LookUp => {
                let asked = LookUp::from_body(&frame.body)?;
                asked.ask()?;
                let id = asked.id;
                let reply = self.look_up(asked).await;
                Ok(LookUpAnswer::new(id, &reply).to_frame())
            }
            kind => Err(DecodeError::Unknown {
                what: "frame at this point",
                value: kind as u64,
            }),
        }
    }

    async fn look_up(&self, asked: LookUp) -> Reply {
        if !self.gate.is_open() {
            return Reply::Refused(Refusal::NotAdmitted);
        }
        let mut budget = self.gate.budget.lock().await;
        if !budget.take(Instant::now()) {
            return Reply::Refused(Refusal::TooMany);
        }
        self.core.look_up(self.name, asked).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_has_a_budget_that_grows_with_time() {
        let start = Instant::now();
        let mut budget = Budget {
            left: BUDGET,
            since: start,
        };
        let mut taken = |at| (0..100).filter(|_| budget.take(at)).count();
        assert_eq!(taken(start), BUDGET as usize);
        let later = start + 3 * BUDGET_EVERY;
        assert_eq!(taken(later), 3);
        assert_eq!(taken(later + Duration::from_secs(3600)), BUDGET as usize);
    }
}
