//! Questions about people of other branches: put to the hub on a control stream of their own, answered or given up.
//!
//! One is on its way at a time; whoever asks waits two seconds at most, and never when there is no line. A question
//! whose asker has gone is not put. Nothing of the log ever waits for one.

use std::sync::Arc;
use std::time::Duration;

use domain::id::StaffId;
use quinn::{Connection, RecvStream, SendStream};
use sync_protocol::error::DecodeError;
use sync_protocol::frame::{FrameReader, FrameType};
use sync_protocol::look_up::{Ask, LookUp, LookUpAnswer, Reply};
use sync_protocol::message::STREAM_CONTROL;
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::status::{LinkState, SyncHandle};
use crate::app::elsewhere::{Elsewhere, ElsewhereError};

const READ_BYTES: usize = 4096;
/// Questions that may wait.
pub(super) const WAITING: usize = 16;
/// How long somebody waits for the answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// A question, and where its answer goes.
#[derive(Debug)]
pub(super) struct Asked {
    staff: StaffId,
    ask: Ask,
    reply: oneshot::Sender<Reply>,
}

/// The questions' end at the line; one session at a time takes from it.
pub(super) type Questions = Arc<Mutex<mpsc::Receiver<Asked>>>;

impl Elsewhere for SyncHandle {
    async fn look_up(&self, staff: StaffId, ask: Ask) -> Result<Reply, ElsewhereError> {
        if self.status().state != LinkState::Connected {
            return Err(ElsewhereError::CutOff);
        }
        let (reply, answer) = oneshot::channel();
        let asked = Asked { staff, ask, reply };
        if self.questions().try_send(asked).is_err() {
            return Err(ElsewhereError::TooMany);
        }
        match timeout(ANSWER_WITHIN, answer).await {
            Ok(Ok(reply)) => Ok(reply),
            Ok(Err(_)) | Err(_) => Err(ElsewhereError::NoAnswer),
        }
    }
}

/// Puts questions to the hub over one connection.
#[derive(Debug)]
pub(super) struct LookUps {
    bad: mpsc::Receiver<DecodeError>,
    task: JoinHandle<()>,
}

impl Drop for LookUps {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl LookUps {
    pub(super) fn start(connection: Connection, questions: Questions) -> Self {
        let (bad_bytes, bad) = mpsc::channel(1);
        Self {
            bad,
            task: tokio::spawn(put_all(connection, questions, bad_bytes)),
        }
    }

    /// The hub sent what is not the protocol; never, as long as it does not.
    pub(super) async fn bad(&mut self) -> DecodeError {
        match self.bad.recv().await {
            Some(error) => error,
            None => std::future::pending().await,
        }
    }
}

async fn put_all(connection: Connection, questions: Questions, bad: mpsc::Sender<DecodeError>) {
    let mut questions = questions.lock().await;
    let mut line: Option<Line> = None;
    let mut id = 0;
    while let Some(asked) = questions.recv().await {
        if asked.reply.is_closed() {
            continue;
        }
        let mut open = match line.take() {
            Some(open) => open,
            None => match Line::open(&connection).await {
                Some(open) => open,
                None => continue,
            },
        };
        id += 1;
        let question = LookUp::new(id, asked.staff, &asked.ask);
        match timeout(ANSWER_WITHIN, open.exchange(&question)).await {
            Ok(Ok(Some(reply))) => {
                if asked.reply.send(reply).is_err() {
                    tracing::debug!("an answer came after its asker had gone");
                }
                line = Some(open);
            }
            // A hub that does not know look-ups ends the stream; the next question opens another.
            Ok(Ok(None)) => tracing::debug!("the hub ended the stream of look-ups"),
            Ok(Err(error)) => {
                if bad.send(error).await.is_err() {
                    tracing::debug!("bad bytes came after the session");
                }
                return;
            }
            // What comes late would be an answer to nobody: the stream is given up with it.
            Err(_) => tracing::debug!("the hub did not answer a look-up in time"),
        }
    }
}

struct Line {
    send: SendStream,
    receive: RecvStream,
    reader: FrameReader,
}

impl Line {
    async fn open(connection: &Connection) -> Option<Self> {
        let (mut send, receive) = connection.open_bi().await.ok()?;
        send.write_all(&[STREAM_CONTROL]).await.ok()?;
        Some(Self {
            send,
            receive,
            reader: FrameReader::new(),
        })
    }

    /// Asks and waits for the answer; `None` where the stream ends.
    async fn exchange(&mut self, question: &LookUp) -> Result<Option<Reply>, DecodeError> {
        if self.send.write_all(&question.to_frame()).await.is_err() {
            return Ok(None);
        }
        loop {
            if let Some(frame) = self.reader.next_frame()? {
                if frame.kind != FrameType::LookUpAnswer {
                    return Err(DecodeError::Unknown {
                        what: "frame at this point",
                        value: frame.kind as u64,
                    });
                }
                let answer = LookUpAnswer::from_body(&frame.body)?;
                if answer.id != question.id {
                    return Err(DecodeError::Form {
                        what: "look-up answer",
                        reason: "it answers what was not asked",
                    });
                }
                return answer.reply();
            }
            match self.receive.read_chunk(READ_BYTES, true).await {
                Ok(Some(chunk)) => self.reader.push(&chunk.bytes),
                Ok(None) | Err(_) => return Ok(None),
            }
        }
    }
}
