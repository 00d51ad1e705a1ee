//! One session with the hub over one connection: runs the pure session and carries out what it asks for.
//!
//! One task owns the session; reading and writing have tasks of their own. What must keep its order (keys before the
//! entries that use them) is stored one at a time; acknowledgements go beside it, only the newest. When the hub does not
//! answer, a fresh attempt is raced beside the connection, which is not given up: whichever answers first wins.

use std::collections::VecDeque;
use std::future::{Future, pending};
use std::pin::Pin;
use std::time::Duration;

use domain::id::DocumentId;
use ed25519_dalek::SigningKey;
use quinn::{Connection, VarInt};
use sync_protocol::branch_session::{BranchSession, Effect, Input, SessionEnd};
use sync_protocol::error::DecodeError;
use sync_protocol::feed::FeedBlock;
use sync_protocol::frame::Frame;
use sync_protocol::head::{Countersignature, SignedHead};
use sync_protocol::mending::LogSpan;
use sync_protocol::mending::feed::FeedGap;
use sync_protocol::message::{Ack, Close, CloseReason, FeedHead, GivenKey, STREAM_LOG, Welcome};
use sync_protocol::position::Tip;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout};

use super::attempts::Target;
use super::branch_store::{BranchStore, Opening};
use super::feed_look::{FeedLook, Looked, words};
use super::heads::Heads;
use super::liveness::{Finding, Liveness, at};
use super::log_stream::{Outbox, read_frames};
use super::look_up::{LookUps, Questions};
use super::status::{FeedHeads, LinkState, Report, Watched, Wish};
use super::transport::closed_by_hub;
use crate::error::AppError;
use crate::store::FeedStep;
use crate::store::log::ReadLog;

/// Ordered jobs that may wait before no further frame is taken.
const JOBS_WAITING: usize = 16;
/// Bytes that may wait to be written.
const OUTBOX_BYTES: usize = 16 * 1024 * 1024;
/// How long a leaving branch waits for its last bytes.
const LEAVE_WITHIN: Duration = Duration::from_secs(1);
/// How long to wait for the reason when the stream ends before the connection.
const REASON_WITHIN: Duration = Duration::from_secs(1);

type Later<T> = Pin<Box<dyn Future<Output = T> + Send>>;
type Stored = Result<Option<Input>, AppError>;

/// How a session ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// This side left: paused or stopping.
    Left,
    /// A fresh attempt was answered before the old connection.
    Overtaken(Connection),
    /// The connection is gone.
    Lost(String),
    /// The hub closed it.
    Closed(Close),
    /// The hub holds entries that are not on this line.
    NotOnLine(Tip),
    /// The hub sent what is not the protocol.
    Protocol(String),
    /// The database failed.
    Store(AppError),
}

/// What outlives a session.
pub(super) struct Surroundings<'a, S> {
    pub(super) store: &'a S,
    pub(super) target: &'a Target,
    pub(super) key: &'a SigningKey,
    pub(super) report: &'a Report,
    pub(super) watched: &'a Watched,
    pub(super) wishes: &'a mut watch::Receiver<Wish>,
    pub(super) questions: &'a Questions,
    pub(super) heads: &'a mut Heads,
    /// Set to nothing by Welcome.
    pub(super) failures: &'a mut u32,
    /// How often the feeds were looked through to the end; outlives a session, so that a line that breaks does not have
    /// them looked through again and again.
    pub(super) feeds_looked: &'a mut u64,
}

enum Job {
    Feed(FeedBlock, Option<FeedHead>),
    Keys(Vec<GivenKey>),
    ReadKeys(Vec<DocumentId>),
    ReadSpan(LogSpan),
    Countersignature(Countersignature),
}

enum Event {
    Frame(Option<Result<Frame, DecodeError>>),
    Stored(Stored),
    LogRead(Result<ReadLog, AppError>),
    Acknowledged(Result<(), AppError>),
    Head(Result<SignedHead, AppError>),
    Appended(Tip),
    Wish(Wish),
    Found(Finding),
    Looked(Looked),
    BadAnswer(DecodeError),
    HeadDue,
    Closed(quinn::ConnectionError),
}

struct Running<'a, S> {
    around: Surroundings<'a, S>,
    connection: Connection,
    session: BranchSession,
    outbox: Outbox,
    liveness: Liveness,
    look_ups: LookUps,
    tips: watch::Receiver<Tip>,
    jobs: VecDeque<Job>,
    job: Option<Later<Stored>>,
    read: Option<Later<Result<ReadLog, AppError>>>,
    ack: Option<Ack>,
    acknowledging: Option<Later<Result<(), AppError>>>,
    signing: Option<Later<Result<SignedHead, AppError>>>,
    feed_look: FeedLook,
    own_heads: FeedHeads,
}

/// Runs a session until it ends.
pub(super) async fn run<S: BranchStore>(
    around: Surroundings<'_, S>,
    connection: Connection,
) -> Ended {
    let tips = around.store.tips();
    let Opening { hello, feeds } = match around.store.opening().await {
        Ok(opening) => opening,
        Err(error) => return Ended::Store(error),
    };
    let Ok((mut send, receive)) = connection.open_bi().await else {
        return ended_by(&connection).await;
    };
    if send.write_all(&[STREAM_LOG]).await.is_err() {
        return ended_by(&connection).await;
    }
    let (mut frames, reader) = read_frames(receive);
    let nudges = around.wishes.borrow().nudges;
    let questions = around.questions.clone();
    let own_heads = feeds
        .iter()
        .map(|feed| {
            (
                feed.kind,
                hello
                    .cursors
                    .iter()
                    .find(|cursor| cursor.kind == feed.kind)
                    .map_or(0, |c| c.n),
            )
        })
        .collect();
    let (session, effects) = BranchSession::open(hello, feeds);
    let feed_look = FeedLook::of(around.store);
    let mut running = Running {
        around,
        session,
        outbox: Outbox::new(send),
        liveness: Liveness::new(connection.clone(), nudges),
        look_ups: LookUps::start(connection.clone(), questions),
        connection,
        tips,
        jobs: VecDeque::new(),
        job: None,
        read: None,
        ack: None,
        acknowledging: None,
        signing: None,
        feed_look,
        own_heads,
    };
    let ended = running.run(effects, &mut frames).await;
    reader.abort();
    running.give_up_question(&ended).await;
    running.connection.close(
        VarInt::from_u32(CloseReason::Leaving.code()),
        b"the session is over here",
    );
    ended
}

async fn ended_by(connection: &Connection) -> Ended {
    match timeout(REASON_WITHIN, connection.closed()).await {
        Ok(error) => closed(&error),
        Err(_) => Ended::Lost("the hub ended the session's stream".to_owned()),
    }
}

fn closed(error: &quinn::ConnectionError) -> Ended {
    match closed_by_hub(error) {
        Some(close) => Ended::Closed(close),
        None => Ended::Lost(error.to_string()),
    }
}

async fn of<T>(slot: &mut Option<Later<T>>) -> T {
    match slot {
        Some(work) => {
            let done = work.await;
            *slot = None;
            done
        }
        None => pending().await,
    }
}

impl<S: BranchStore> Running<'_, S> {
    async fn run(
        &mut self,
        effects: Vec<Effect>,
        frames: &mut mpsc::Receiver<Result<Frame, DecodeError>>,
    ) -> Ended {
        if let Err(ended) = self.carry_out(effects) {
            return ended;
        }
        loop {
            let event = self.next(frames).await;
            if let Event::Wish(wish) = event
                && (wish.is_paused || wish.is_stopping)
            {
                return self.leave().await;
            }
            if let Event::Frame(None) = event {
                return ended_by(&self.connection).await;
            }
            if let Err(ended) = self.on_event(event) {
                return ended;
            }
        }
    }

    async fn next(&mut self, frames: &mut mpsc::Receiver<Result<Frame, DecodeError>>) -> Event {
        let takes_frames = self.jobs.len() < JOBS_WAITING;
        let head_at =
            (self.session.is_open() && self.signing.is_none()).then(|| self.around.heads.due_at());
        tokio::select! {
            frame = frames.recv(), if takes_frames => Event::Frame(frame),
            stored = of(&mut self.job) => Event::Stored(stored),
            blocks = of(&mut self.read) => Event::LogRead(blocks),
            done = of(&mut self.acknowledging) => Event::Acknowledged(done),
            head = of(&mut self.signing) => Event::Head(head),
            Ok(()) = self.tips.changed() => Event::Appended(*self.tips.borrow_and_update()),
            changed = self.around.wishes.changed() => Event::Wish(match changed {
                Ok(()) => *self.around.wishes.borrow_and_update(),
                Err(_) => Wish { is_stopping: true, ..Wish::default() },
            }),
            found = self.liveness.next(self.around.target, self.around.watched) => Event::Found(found),
            looked = self.feed_look.next() => Event::Looked(looked),
            error = self.look_ups.bad() => Event::BadAnswer(error),
            () = at(head_at.filter(|at| *at > Instant::now())) => Event::HeadDue,
            error = self.connection.closed() => Event::Closed(error),
        }
    }

    fn on_event(&mut self, event: Event) -> Result<(), Ended> {
        let effects = match event {
            Event::Frame(Some(Ok(frame))) => {
                self.heard();
                self.session.handle(Input::Frame(frame))
            }
            Event::Frame(Some(Err(error))) | Event::BadAnswer(error) => {
                self.session.on_bad_bytes(&error)
            }
            Event::Frame(None) => Vec::new(),
            Event::Stored(stored) => match stored.map_err(Ended::Store)? {
                Some(input) => self.stored(input),
                None => Vec::new(),
            },
            Event::LogRead(blocks) => match blocks.map_err(Ended::Store)? {
                ReadLog::Blocks(blocks) => self.session.handle(Input::LogRead(blocks)),
                ReadLog::NotOnLine => self.session.handle(Input::NotOnLine),
            },
            Event::Acknowledged(done) => {
                done.map_err(Ended::Store)?;
                self.send_head()
            }
            Event::Head(head) => self.on_head(head),
            Event::Appended(tip) => self.session.handle(Input::Appended(tip)),
            Event::Wish(wish) => {
                self.liveness.nudged(wish.nudges, self.around.watched);
                Vec::new()
            }
            Event::Found(found) => {
                self.on_finding(found)?;
                Vec::new()
            }
            Event::Looked(Looked::Step(done)) => self.on_feeds_looked(done),
            Event::Looked(Looked::Due) | Event::HeadDue => Vec::new(),
            Event::Closed(error) => return Err(closed(&error)),
        };
        self.carry_out(effects)?;
        self.start_work(false);
        Ok(())
    }

    fn heard(&mut self) {
        if self.liveness.heard() && self.session.is_open() {
            self.around.report.set(LinkState::Connected, "");
        }
    }

    fn on_finding(&mut self, finding: Finding) -> Result<(), Ended> {
        match finding {
            Finding::Answered => self.heard(),
            Finding::AskDue => self.liveness.ask(self.around.watched),
            Finding::Silent => {
                if self.around.report.state() != LinkState::Held {
                    self.around
                        .report
                        .set(LinkState::CutOff, "the hub does not answer");
                }
                self.liveness.race();
            }
            Finding::Raced(Ok(connection)) => return Err(Ended::Overtaken(connection)),
            Finding::Raced(Err(error)) => {
                tracing::debug!(%error, "an attempt beside the silent connection failed");
                *self.around.failures = self.around.failures.saturating_add(1);
                self.liveness.race_failed(
                    *self.around.failures,
                    self.around.watched,
                    self.around.target,
                );
            }
        }
        Ok(())
    }

    fn stored(&mut self, input: Input) -> Vec<Effect> {
        if let Input::FeedStored(cursor) = &input {
            self.around.report.feed_at_least(cursor);
        }
        self.session.handle(input)
    }

    fn on_head(&mut self, head: Result<SignedHead, AppError>) -> Vec<Effect> {
        match head {
            Ok(head) => {
                self.around.heads.signed(head, Instant::now());
                self.send_head()
            }
            Err(error) => {
                tracing::warn!(%error, "a head could not be signed");
                self.around.heads.failed(Instant::now());
                Vec::new()
            }
        }
    }

    fn send_head(&mut self) -> Vec<Effect> {
        if !self.session.is_open() {
            return Vec::new();
        }
        match self.around.heads.ready(&self.session.stored()) {
            Some(head) => self.session.handle(Input::HeadSigned(head)),
            None => Vec::new(),
        }
    }

    fn carry_out(&mut self, effects: Vec<Effect>) -> Result<(), Ended> {
        for effect in effects {
            match effect {
                Effect::Send(bytes) => match self.outbox.push(bytes) {
                    Some(waiting) if waiting > OUTBOX_BYTES => {
                        return Err(Ended::Protocol(
                            "the hub asks for more than it reads".to_owned(),
                        ));
                    }
                    Some(_) => {}
                    // The stream is gone; the connection says why.
                    None => tracing::debug!("a frame was dropped with its stream"),
                },
                Effect::ReadLog { after, limit_bytes } => {
                    let store = self.around.store.clone();
                    self.read = Some(Box::pin(
                        async move { store.read_log(after, limit_bytes).await },
                    ));
                }
                Effect::Welcomed(welcome) => self.welcomed(welcome),
                Effect::Acknowledged(ack) => self.ack = Some(ack),
                Effect::StoreFeed(block, head) => self.jobs.push_back(Job::Feed(block, head)),
                Effect::StoreKeys(keys) => self.jobs.push_back(Job::Keys(keys)),
                Effect::ReadKeys(persons) => self.jobs.push_back(Job::ReadKeys(persons)),
                Effect::ReadSpan(span) => self.jobs.push_back(Job::ReadSpan(span)),
                Effect::StoreCountersignature(signature) => {
                    self.jobs.push_back(Job::Countersignature(signature))
                }
                Effect::PutBackFeed(proven) => {
                    let step = FeedStep::PutBack(proven);
                    self.feed_look.take(self.around.store, step);
                }
                Effect::FeedNotBack(span, why) => {
                    let step = FeedStep::NotBack(span, words(why).to_owned());
                    self.feed_look.take(self.around.store, step);
                }
                Effect::End(SessionEnd::ClosedByHub(close)) => return Err(Ended::Closed(close)),
                Effect::End(SessionEnd::Left) => return Err(Ended::Left),
                Effect::End(SessionEnd::Protocol(detail)) => return Err(Ended::Protocol(detail)),
                Effect::End(SessionEnd::NotOnLine(tip)) => return Err(Ended::NotOnLine(tip)),
            }
        }
        Ok(())
    }

    fn welcomed(&mut self, welcome: Welcome) {
        *self.around.failures = 0;
        let mut heads = std::mem::take(&mut self.own_heads);
        for cursor in &welcome.cursors {
            match heads.iter_mut().find(|(kind, _)| *kind == cursor.kind) {
                Some(head) => head.1 = cursor.n,
                None => heads.push((cursor.kind, cursor.n)),
            }
        }
        self.around.report.welcomed(welcome.session, heads);
        let store = self.around.store.clone();
        tokio::spawn(async move {
            if let Err(error) = store.welcomed(&welcome).await {
                tracing::warn!(%error, "the hub's time was not taken");
            }
        });
    }

    /// A database that cannot be looked through stops no session: `verify` names what is wrong with it.
    fn on_feeds_looked(&mut self, looked: Result<Option<FeedGap>, AppError>) -> Vec<Effect> {
        let effects = match looked {
            Ok(Some(gap)) => self.session.handle(Input::FeedLost(gap)),
            Ok(None) => Vec::new(),
            Err(error) => {
                tracing::warn!(%error, "the feeds were not looked through to the end");
                Vec::new()
            }
        };
        if self.session.wanted().is_none() {
            *self.around.feeds_looked = self.feed_look.round();
        }
        effects
    }

    /// A hub that does not know the question ends the session over it: it is not asked again and again.
    async fn give_up_question(&mut self, ended: &Ended) {
        let Ended::Closed(Close {
            reason: CloseReason::Protocol,
            detail,
        }) = ended
        else {
            return;
        };
        let Some(span) = self.session.wanted() else {
            return;
        };
        let step = FeedStep::NotBack(span, detail.clone());
        if let Err(error) = self.around.store.mend_feeds(step).await {
            tracing::warn!(%error, "what the hub did not give again was not noted");
        }
        *self.around.feeds_looked = self.feed_look.round();
    }

    /// Begins what waits and can begin.
    fn start_work(&mut self, is_leaving: bool) {
        if self.job.is_none()
            && let Some(job) = self.jobs.pop_front()
        {
            let store = self.around.store.clone();
            self.job = Some(Box::pin(async move { carry_out_job(&store, job).await }));
        }
        if self.acknowledging.is_none()
            && let Some(ack) = self.ack.take()
        {
            let store = self.around.store.clone();
            self.acknowledging = Some(Box::pin(async move { store.acknowledge(ack).await }));
        }
        if self.session.is_open() && !is_leaving && self.session.wanted().is_none() {
            let ended = *self.around.feeds_looked;
            self.feed_look.begin(self.around.store, ended);
        }
        let tip = *self.tips.borrow();
        let vouch_for = if is_leaving {
            tip.seq
        } else {
            self.around.store.vouch_for()
        };
        if self.session.is_open()
            && self.signing.is_none()
            && self.around.heads.begin(&tip, vouch_for, Instant::now())
        {
            let (store, key) = (self.around.store.clone(), self.around.key.clone());
            self.signing = Some(Box::pin(async move {
                let head = SignedHead::sign(store.head_claim().await?, &key);
                store.store_head(head.clone()).await?;
                Ok(head)
            }));
        }
    }

    /// Signs the head, where the hub has everything, says goodbye and waits shortly until the hub has heard it.
    async fn leave(&mut self) -> Ended {
        let goodbye = async {
            let tip = *self.tips.borrow();
            if self.session.is_open() && self.session.stored() == tip {
                self.start_work(true);
                if self.signing.is_some() {
                    let head = of(&mut self.signing).await;
                    let effects = self.on_head(head);
                    self.push_all(effects);
                }
            }
            let effects = self.session.handle(Input::Leave);
            self.push_all(effects);
            self.outbox.finish().await;
            self.connection.closed().await;
        };
        if timeout(LEAVE_WITHIN, goodbye).await.is_err() {
            tracing::debug!("the hub did not hear that the branch leaves");
        }
        // An acknowledgement that came is kept, so that the next Hello starts from it.
        if let Some(work) = self.acknowledging.take()
            && let Err(error) = work.await
        {
            tracing::warn!(%error, "an acknowledgement was not kept");
        }
        Ended::Left
    }

    fn push_all(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            if let Effect::Send(bytes) = effect
                && self.outbox.push(bytes).is_none()
            {
                tracing::debug!("a frame was dropped with its stream");
            }
        }
    }
}

async fn carry_out_job<S: BranchStore>(store: &S, job: Job) -> Stored {
    match job {
        Job::Feed(block, head) => {
            let cursor = store.apply_feed(block, head).await?;
            Ok(Some(Input::FeedStored(cursor)))
        }
        Job::Keys(keys) => store.store_keys(keys).await.map(|()| None),
        Job::ReadKeys(persons) => Ok(Some(Input::KeysRead(store.keys_for_hub(persons).await?))),
        Job::ReadSpan(span) => {
            let blocks = store.read_span(span).await?;
            tracing::warn!(%span, blocks = blocks.len(), "the hub lost entries of this log and asked for them");
            Ok(Some(Input::SpanRead(span, blocks)))
        }
        Job::Countersignature(signature) => {
            store.store_countersignature(signature).await.map(|()| None)
        }
    }
}
