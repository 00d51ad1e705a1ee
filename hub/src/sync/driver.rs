//! One branch's connection: runs the pure session and carries out what it asks for.
//!
//! One task owns the session; reading and writing have tasks of their own. Work that must keep its order (keys before the
//! entries that use them, a head behind its entries) runs one at a time; acknowledgements are awaited beside it, so that
//! many blocks are in the group commit at once. Nothing is queued without a bound: while too much is undone no further
//! frame is taken, and a branch that asks for more than it reads is closed.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use domain::id::DocumentId;
use futures_util::StreamExt;
use futures_util::stream::{FuturesOrdered, FuturesUnordered};
use quinn::{Connection, RecvStream, SendStream};
use sync_protocol::block::LogEntry;
use sync_protocol::certificate::NodeName;
use sync_protocol::error::DecodeError;
use sync_protocol::feed::Cursor;
use sync_protocol::frame::Frame;
use sync_protocol::head::SignedHead;
use sync_protocol::hub_session::{Effect, HubSession, Input};
use sync_protocol::mending::Gap;
use sync_protocol::message::{Ack, Close, CloseReason, GivenKey, Hello};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::{Instant, sleep_until, timeout_at};
use tracing::{debug, info, warn};

use super::control::{Gate, Streams};
use super::core::HubCore;
use super::log_stream::{Outbox, read_frames};
use super::registry::{Mail, Place, Registry};
use super::transport::{CATCH_UP_WINDOW, CONNECTION_WINDOW};
use crate::app::LinkChange;
use crate::app::mending::MendStep;

/// How often it is noted that a branch was heard.
const CONTACT_EVERY: Duration = Duration::from_secs(10);
/// A branch asks for a sign of life at least every 25 seconds: who is silent for so many rounds is cut off, though the
/// connection may still come back.
const SILENT_ROUNDS: u32 = 4;
/// From the handshake to Hello.
const HELLO_WITHIN: Duration = Duration::from_secs(60);
/// Ordered jobs that may wait before no further frame is taken.
const JOBS_WAITING: usize = 16;
/// Blocks that may be in the group commit before no further frame is taken.
const BLOCKS_WAITING: usize = 128;
/// Bytes that may wait to be written: windows, acknowledgements and every key of a branch fit in many times.
const OUTBOX_BYTES: usize = 8 * 1024 * 1024;
/// More entries than this behind the branch is a catch-up, which needs a place among the admitted ones.
const CATCH_UP_ENTRIES: u64 = 64;

type Later<T> = Pin<Box<dyn Future<Output = T> + Send>>;
type Reply = oneshot::Receiver<Result<Ack, Close>>;

/// What the listener lends to every connection.
pub(super) struct Context<C> {
    pub core: Arc<C>,
    pub registry: Arc<Registry>,
    /// Places for catch-ups.
    pub catch_ups: Arc<Semaphore>,
}

enum Job {
    Ingest(Vec<LogEntry>),
    StoreCursors(Vec<Cursor>),
    StoreKeys(Vec<GivenKey>),
    ReadKeys(Vec<DocumentId>),
    CheckHead(SignedHead),
    Incident(String),
}

enum Done {
    Nothing,
    Queued(Reply),
    Input(Input),
}

struct Driver<C> {
    context: Arc<Context<C>>,
    connection: Connection,
    name: NodeName,
    place: Place,
    session: HubSession,
    outbox: Outbox,
    jobs: VecDeque<Job>,
    job: Option<Later<Done>>,
    replies: FuturesOrdered<Reply>,
    reads: FuturesUnordered<Later<(Option<u64>, Input)>>,
    /// A step of mending the node's log; nothing of the session waits for it.
    mending: Option<Later<Option<Gap>>>,
    /// Number of the session, once admitted.
    number: Option<u64>,
    /// Where the branch's log ended in Hello, while it is catching up.
    catching_up_to: Option<u64>,
    catch_up: Option<OwnedSemaphorePermit>,
    contact_at: Instant,
    datagrams: u64,
    silent_rounds: u32,
    gate: Arc<Gate>,
    /// Bytes of control streams that are not the protocol.
    bad: mpsc::Receiver<DecodeError>,
}

enum Event {
    Frame(Option<Result<Frame, DecodeError>>),
    Done(Done),
    Reply(Result<Ack, Close>),
    Read((Option<u64>, Input)),
    Mended(Option<Gap>),
    Contact,
    Mail(Mail),
    CatchUp(OwnedSemaphorePermit),
    BadControl(DecodeError),
    Gone,
}

/// Serves a connection of a node until one side ends it; gives the reason with which the hub closes it.
pub(super) async fn serve<C: HubCore>(
    context: Arc<Context<C>>,
    connection: Connection,
    name: NodeName,
) -> Close {
    let place = context.registry.enter(name);
    let (log_streams, mut opened) = mpsc::channel(1);
    let (bad_bytes, mut bad) = mpsc::channel(1);
    let gate = Arc::new(Gate::new());
    let streams = Streams {
        core: context.core.clone(),
        name,
        gate: gate.clone(),
        log_streams,
        bad: bad_bytes,
    };
    let streams = tokio::spawn(streams.serve(connection.clone()));
    let by = Instant::now() + HELLO_WITHIN;
    let close = tokio::select! {
        stream = timeout_at(by, opened.recv()) => match stream {
            Ok(Some((send, receive))) => {
                let driver = Driver::new(context, connection.clone(), place, name, send, gate, bad);
                run(driver, receive, opened).await
            }
            Ok(None) => gone(),
            Err(_) => close(CloseReason::Protocol, "no log stream within a minute"),
        },
        Some(error) = bad.recv() => close(CloseReason::Protocol, &error.to_string()),
        _ = connection.closed() => gone(),
    };
    streams.abort();
    close
}

fn close(reason: CloseReason, detail: &str) -> Close {
    Close {
        reason,
        detail: detail.to_owned(),
    }
}

fn gone() -> Close {
    close(CloseReason::Leaving, "the connection is gone")
}

async fn run<C: HubCore>(
    mut driver: Driver<C>,
    receive: RecvStream,
    mut more_streams: mpsc::Receiver<(SendStream, RecvStream)>,
) -> Close {
    let (mut frames, reader) = read_frames(receive);
    let result = loop {
        let event = tokio::select! {
            event = driver.next(&mut frames) => event,
            Some(_) = more_streams.recv() => break close(CloseReason::Protocol, "a session has one log stream"),
        };
        if let Err(end) = driver.on_event(event) {
            break end;
        }
    };
    reader.abort();
    driver.leave(&result).await;
    result
}

impl<C: HubCore> Driver<C> {
    fn new(
        context: Arc<Context<C>>,
        connection: Connection,
        place: Place,
        name: NodeName,
        send: SendStream,
        gate: Arc<Gate>,
        bad: mpsc::Receiver<DecodeError>,
    ) -> Self {
        Driver {
            context,
            connection,
            name,
            place,
            session: HubSession::new(name.node),
            outbox: Outbox::new(send),
            jobs: VecDeque::new(),
            job: None,
            replies: FuturesOrdered::new(),
            reads: FuturesUnordered::new(),
            mending: None,
            number: None,
            catching_up_to: None,
            catch_up: None,
            contact_at: Instant::now() + CONTACT_EVERY,
            datagrams: 0,
            silent_rounds: 0,
            gate,
            bad,
        }
    }

    async fn next(&mut self, frames: &mut mpsc::Receiver<Result<Frame, DecodeError>>) -> Event {
        let takes_frames = self.jobs.len() < JOBS_WAITING && self.replies.len() < BLOCKS_WAITING;
        let wants_catch_up =
            self.number.is_some() && self.catching_up_to.is_some() && self.catch_up.is_none();
        tokio::select! {
            frame = frames.recv(), if takes_frames => Event::Frame(frame),
            done = async { match &mut self.job { Some(job) => job.await, None => std::future::pending().await } } => {
                self.job = None;
                Event::Done(done)
            }
            Some(reply) = self.replies.next(), if !self.replies.is_empty() => {
                Event::Reply(reply.unwrap_or_else(|_| Err(close(CloseReason::Internal, "the hub is stopping"))))
            }
            Some(read) = self.reads.next(), if !self.reads.is_empty() => Event::Read(read),
            gap = async { match &mut self.mending { Some(step) => step.await, None => std::future::pending().await } } => {
                self.mending = None;
                Event::Mended(gap)
            }
            mail = self.place.mailbox.take() => Event::Mail(mail),
            () = sleep_until(self.contact_at) => Event::Contact,
            Ok(permit) = self.context.catch_ups.clone().acquire_owned(), if wants_catch_up => Event::CatchUp(permit),
            Some(error) = self.bad.recv() => Event::BadControl(error),
            _ = self.connection.closed() => Event::Gone,
        }
    }

    /// `Err` is the end of the session.
    fn on_event(&mut self, event: Event) -> Result<(), Close> {
        let effects = match event {
            Event::Frame(Some(Ok(frame))) => self.session.handle(Input::Frame(frame)),
            Event::Frame(Some(Err(error))) | Event::BadControl(error) => {
                self.session.on_bad_bytes(&error)
            }
            Event::Frame(None) | Event::Gone => return Err(gone()),
            Event::Done(Done::Nothing) => Vec::new(),
            Event::Done(Done::Queued(reply)) => {
                self.replies.push_back(reply);
                Vec::new()
            }
            Event::Done(Done::Input(input)) => self.session.handle(input),
            Event::Reply(Ok(ack)) => {
                self.on_committed(&ack);
                self.session.handle(Input::Committed(ack))
            }
            Event::Reply(Err(end)) => self.session.handle(Input::End(end)),
            Event::Read((number, input)) => self.on_read(number, input),
            Event::Mended(Some(gap)) => self.session.handle(Input::Lost(gap)),
            Event::Mended(None) => Vec::new(),
            Event::Mail(mail) => self.on_mail(mail),
            Event::Contact => {
                self.note_contact();
                Vec::new()
            }
            Event::CatchUp(permit) => {
                self.catch_up = Some(permit);
                self.connection.set_receive_window(CATCH_UP_WINDOW);
                Vec::new()
            }
        };
        self.carry_out(effects)?;
        self.start_job();
        Ok(())
    }

    fn on_read(&mut self, number: Option<u64>, input: Input) -> Vec<Effect> {
        if let (Some(number), Input::Admitted(state)) = (number, &input) {
            self.number = Some(number);
            self.place.admitted(number, &state.feeds);
            if self
                .catching_up_to
                .is_some_and(|seq| seq <= state.tip.seq + CATCH_UP_ENTRIES)
            {
                self.catching_up_to = None;
            }
        }
        self.session.handle(input)
    }

    fn on_committed(&mut self, ack: &Ack) {
        if self.catching_up_to.is_some_and(|seq| ack.stored.seq >= seq) {
            self.catching_up_to = None;
            if self.catch_up.take().is_some() {
                self.connection.set_receive_window(CONNECTION_WINDOW);
            }
        }
    }

    fn note_contact(&mut self) {
        self.contact_at = Instant::now() + CONTACT_EVERY;
        let datagrams = self.connection.stats().udp_rx.datagrams;
        let is_heard = datagrams != self.datagrams;
        self.datagrams = datagrams;
        self.silent_rounds = if is_heard { 0 } else { self.silent_rounds + 1 };
        let Some(session) = self.number else {
            return;
        };
        let change = match self.silent_rounds {
            0 => LinkChange::Contact { session },
            SILENT_ROUNDS => LinkChange::Silent { session },
            _ => return,
        };
        let (core, name) = (self.context.core.clone(), self.name);
        tokio::spawn(async move { core.link(name, change).await });
    }

    fn on_mail(&mut self, mail: Mail) -> Vec<Effect> {
        let mut effects = Vec::new();
        for (feed, tip) in mail.grown {
            effects.extend(self.session.handle(Input::FeedGrew(feed, tip)));
        }
        if mail.mend && self.number.is_some() && self.session.wanted().is_none() {
            self.mend(MendStep::Begin);
        }
        if let Some(end) = mail.end {
            effects.extend(self.session.handle(Input::End(end)));
        }
        effects
    }

    /// Takes a step of mending, unless one is under way.
    fn mend(&mut self, step: MendStep) {
        if self.mending.is_none() {
            let (core, name) = (self.context.core.clone(), self.name);
            self.mending = Some(Box::pin(async move { core.mend(name, step).await }));
        }
    }

    fn carry_out(&mut self, effects: Vec<Effect>) -> Result<(), Close> {
        for effect in effects {
            match effect {
                Effect::Send(bytes) => self.send(bytes)?,
                Effect::Admit(hello) => self.admit(*hello),
                Effect::Opened => self.opened(),
                Effect::ReadFeed {
                    feed,
                    after,
                    limit_bytes,
                } => {
                    let (core, name) = (self.context.core.clone(), self.name);
                    self.reads.push(Box::pin(async move {
                        match core.read_feed(name, feed, after, limit_bytes).await {
                            Ok(blocks) => (None, Input::FeedRead(blocks)),
                            Err(end) => (None, Input::End(end)),
                        }
                    }));
                }
                Effect::ReadFeedSpan(feed, span) => {
                    let (core, name) = (self.context.core.clone(), self.name);
                    self.reads.push(Box::pin(async move {
                        match core.read_feed_span(name, feed, span).await {
                            Ok(blocks) => (None, Input::FeedSpanRead(blocks)),
                            Err(end) => (None, Input::End(end)),
                        }
                    }));
                }
                Effect::Ingest(entries) => self.jobs.push_back(Job::Ingest(entries)),
                Effect::StoreCursors(cursors) => self.jobs.push_back(Job::StoreCursors(cursors)),
                Effect::StoreKeys(keys) => self.jobs.push_back(Job::StoreKeys(keys)),
                Effect::ReadKeys(persons) => self.jobs.push_back(Job::ReadKeys(persons)),
                Effect::CheckHead(head) => self.jobs.push_back(Job::CheckHead(head)),
                Effect::PutBack(proven) => self.mend(MendStep::PutBack(proven)),
                Effect::NotBack(span, why) => {
                    self.mend(MendStep::NotBack(span, why.to_string()));
                }
                Effect::Incident(detail) => self.jobs.push_back(Job::Incident(detail)),
                Effect::End(close) => return Err(close),
            }
        }
        Ok(())
    }

    fn send(&self, bytes: Vec<u8>) -> Result<(), Close> {
        match self.outbox.push(bytes) {
            None => Err(gone()),
            Some(waiting) if waiting > OUTBOX_BYTES => Err(close(
                CloseReason::Protocol,
                "the branch asks for more than it reads",
            )),
            Some(_) => Ok(()),
        }
    }

    fn admit(&mut self, hello: Hello) {
        self.catching_up_to = Some(hello.tip.seq);
        let (core, name) = (self.context.core.clone(), self.name);
        self.reads.push(Box::pin(async move {
            match core.admit(name, hello).await {
                Ok(state) => (Some(state.session), Input::Admitted(Box::new(state))),
                Err(end) => (None, Input::Refused(end)),
            }
        }));
    }

    fn opened(&self) {
        self.gate.open();
        let (core, name, session) = (
            self.context.core.clone(),
            self.name,
            self.number.unwrap_or(0),
        );
        info!(node = %name.node, branch = %name.branch, session, "session open");
        tokio::spawn(async move { core.link(name, LinkChange::Connected { session }).await });
    }

    /// Begins the next ordered job, if none runs. A head waits until the entries before it are committed.
    fn start_job(&mut self) {
        if self.job.is_some() {
            return;
        }
        if matches!(self.jobs.front(), Some(Job::CheckHead(_))) && !self.replies.is_empty() {
            return;
        }
        let Some(job) = self.jobs.pop_front() else {
            return;
        };
        let (core, name, number) = (
            self.context.core.clone(),
            self.name,
            self.number.unwrap_or(0),
        );
        self.job = Some(Box::pin(async move {
            work(core.as_ref(), name, number, job).await
        }));
    }

    /// What is left of the ordered work is done: an incident is recorded, cursors and a leaving branch's head are kept;
    /// entries that were queued may
    /// still be committed and are then found stored at the next Hello.
    async fn leave(mut self, end: &Close) {
        if let Some(job) = self.job.take() {
            job.await;
        }
        let number = self.number.unwrap_or(0);
        for job in std::mem::take(&mut self.jobs) {
            if matches!(
                job,
                Job::Incident(_) | Job::StoreCursors(_) | Job::CheckHead(_)
            ) {
                work(self.context.core.as_ref(), self.name, number, job).await;
            }
        }
        if let Some(step) = self.mending.take() {
            step.await;
        }
        // A program that does not know the question ends the session over it: it is not asked again and again.
        if let (Some(span), CloseReason::Protocol) = (self.session.wanted(), end.reason) {
            let step = MendStep::NotBack(span, end.detail.clone());
            self.context.core.mend(self.name, step).await;
        }
        if let Some(session) = self.number {
            self.context
                .core
                .link(self.name, LinkChange::Gone { session })
                .await;
        }
        let (node, branch) = (self.name.node, self.name.branch);
        match end.reason {
            CloseReason::Leaving => info!(%node, %branch, detail = end.detail, "session over"),
            reason => warn!(%node, %branch, ?reason, detail = end.detail, "session ended"),
        }
    }
}

async fn work<C: HubCore>(core: &C, name: NodeName, number: u64, job: Job) -> Done {
    let done = match job {
        Job::Ingest(entries) => Ok(Done::Queued(core.submit(name, number, entries).await)),
        Job::StoreCursors(cursors) => core
            .store_cursors(name, cursors)
            .await
            .map(|()| Done::Nothing),
        Job::StoreKeys(keys) => core.store_keys(name, keys).await.map(|()| Done::Nothing),
        Job::ReadKeys(persons) => core
            .keys_for(name, persons)
            .await
            .map(|keys| Done::Input(Input::KeysRead(keys))),
        Job::CheckHead(head) => {
            core.check_head(name, head)
                .await
                .map(|signature| match signature {
                    Some(signature) => Done::Input(Input::Countersigned(signature)),
                    None => Done::Nothing,
                })
        }
        Job::Incident(detail) => {
            debug!(node = %name.node, detail, "incident");
            core.incident(name, detail).await;
            Ok(Done::Nothing)
        }
    };
    done.unwrap_or_else(|end| Done::Input(Input::End(end)))
}
