//! One job of the outbox: what is asked of the provider next, and what its answer means.
//!
//! What is not known is asked about before it is asked for again (INV-8): an attempt that failed without an answer, one
//! that is older than the provider's memory of keys, and everything after the hub's database went back in time.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::id::{CorrectionId, PaymentId, RepaymentId};
use domain::money::Money;
use domain::payment::{
    PaymentFold, PaymentOutcome, PaymentRecord, PaymentResult, PaymentState, Provider,
    RepaymentOutcome, RepaymentResult, fold_payment,
};
use domain::till::Tender;
use sync_protocol::item::{ExceptionMark, Item, Mark, command};

use super::back;
use crate::app::{Actor, Hub};
use crate::error::HubError;
use crate::payment::{
    Ask, Find, Outcome, PaymentProvider, ProviderError, Repay, RepayStanding, Standing,
};
use crate::store::payments::payment::{Belongs, belongs, records};
use crate::store::sync::outbox::{self, After, Job};

/// A request that is older than this when it is first worked off is looked for before it is asked: the database may have
/// gone back in time.
const FRESH_MS: i64 = 10 * 60 * 1_000;
/// How long until an open payment is asked about again, by its age; webhooks come sooner.
const POLL_MS: [(i64, i64); 3] = [
    (2 * 60_000, 5_000),
    (60 * 60_000, 60_000),
    (i64::MAX, 15 * 60_000),
];
/// How long a job waits that nobody can work off: the provider is not set up.
const IDLE_MS: i64 = 60_000;
/// The kind of a job that asks for another attempt; its place is the attempt.
const AGAIN: &str = "again";
/// Most jobs that are taken at once.
const BATCH: i64 = 16;

/// Where a payment stands when its job is worked off.
struct Known {
    belongs: Belongs,
    fold: PaymentFold,
    records: Vec<PaymentRecord>,
}

impl Known {
    fn reference(&self) -> Option<&str> {
        let mut references = self.records.iter().filter_map(|record| match record {
            PaymentRecord::Result(result) => Some(result.reference.as_str()),
            _ => None,
        });
        references.rfind(|reference| !reference.is_empty())
    }

    /// The provider's name for one attempt.
    fn reference_of(&self, wanted: u16) -> Option<&str> {
        let mut references = self.records.iter().filter_map(|record| match record {
            PaymentRecord::Result(result) if result.attempt == wanted => {
                Some(result.reference.as_str())
            }
            _ => None,
        });
        references.rfind(|reference| !reference.is_empty())
    }

    /// The attempts before `wanted` that are not known to be over, with the provider's names for them.
    fn unfinished(&self, wanted: u16) -> BTreeMap<u16, &str> {
        let attempts = self.records.iter().filter_map(|record| match record {
            PaymentRecord::Result(result) if result.attempt < wanted => Some(result.attempt),
            _ => None,
        });
        let is_over = |attempt: u16| self.has(attempt, PaymentOutcome::Cancelled);
        attempts
            .filter(|attempt| !is_over(*attempt))
            .filter_map(|attempt| Some((attempt, self.reference_of(attempt)?)))
            .collect()
    }

    fn has(&self, attempt: u16, outcome: PaymentOutcome) -> bool {
        self.records.iter().any(|record| match record {
            PaymentRecord::Result(result) => result.attempt == attempt && result.outcome == outcome,
            _ => false,
        })
    }

    /// Whether the hub asked for this back and it did not go: it is due again, and asked for anew by a person.
    fn is_given_up(&self, wanted: RepaymentId) -> bool {
        let failed = self.records.iter().any(|record| match record {
            PaymentRecord::Repayment(result) => {
                result.repayment == wanted && result.outcome == RepaymentOutcome::Failed
            }
            _ => false,
        });
        failed && back::asked_by_hub(&self.records, wanted).is_some()
    }

    fn amount(&self) -> Money {
        Money {
            amount_minor: self.fold.asked_minor,
            currency: self.belongs.currency,
        }
    }
}

impl Hub {
    /// Works off what is due in the outbox; says how many jobs that were. Jobs run side by side, so one slow answer
    /// holds up no other.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn work_off(self: &Arc<Self>) -> Result<usize, HubError> {
        let now_ms = self.env.now_ms();
        let jobs = {
            let mut connection = self.pool.acquire().await?;
            outbox::take(&mut connection, now_ms, BATCH).await?
        };
        let count = jobs.len();
        let mut running = tokio::task::JoinSet::new();
        for job in jobs {
            let hub = self.clone();
            running.spawn(async move { hub.work(job).await });
        }
        while let Some(done) = running.join_next().await {
            if let Err(error) = done? {
                tracing::warn!(%error, "a job of the outbox is taken up again later");
            }
        }
        Ok(count)
    }

    async fn work(self: &Arc<Self>, job: Job) -> Result<(), HubError> {
        let after = match job.kind.as_str() {
            "repay" => self.repay(&job).await?,
            _ => self.collect(&job).await?,
        };
        if let After::Dead { error } = &after {
            tracing::error!(payment = %job.payment, error, "a job of the outbox is dead");
            self.raise(&job, error).await?;
        }
        let mut connection = self.pool.acquire().await?;
        outbox::settle(&mut connection, &job, &after, self.env.now_ms()).await?;
        Ok(())
    }

    /// A dead letter is an exception until somebody looked into it.
    async fn raise(self: &Arc<Self>, job: &Job, error: &str) -> Result<(), HubError> {
        let mark = ExceptionMark {
            branch: job.branch,
            kind: "dead_letter".to_owned(),
            subject: *job.payment.as_bytes(),
            mark: Mark::Reopened {
                detail: error.to_owned(),
                since_ms: self.env.now_ms(),
            },
        };
        self.say(vec![Item::ExceptionMark(mark)]).await
    }

    async fn say(self: &Arc<Self>, items: Vec<Item>) -> Result<(), HubError> {
        let mut tx = self.begin(Actor::SYSTEM, command::PAYMENT).await?;
        for item in items {
            tx.fact(item);
        }
        tx.commit().await.map(drop)
    }

    async fn known(&self, payment: PaymentId) -> Result<Option<Known>, HubError> {
        let mut connection = self.pool.acquire().await?;
        let found = belongs(&mut connection, &[payment]).await?;
        let Some((_, belongs)) = found.into_iter().next() else {
            return Ok(None);
        };
        let records: Vec<PaymentRecord> = records(&mut connection, &[payment])
            .await?
            .into_iter()
            .map(|(_, record)| record)
            .collect();
        Ok(Some(Known {
            belongs,
            fold: fold_payment(&records),
            records,
        }))
    }

    async fn collect(self: &Arc<Self>, job: &Job) -> Result<After, HubError> {
        let Some(known) = self.known(job.payment).await? else {
            return Ok(dead("nobody asked for this payment"));
        };
        if matches!(
            known.fold.state,
            PaymentState::Captured | PaymentState::Refunded
        ) {
            return Ok(After::Done);
        }
        if known.fold.state == PaymentState::Declined && self.is_superseded(job).await? {
            return Ok(After::Done);
        }
        let tender = known.fold.tender.unwrap_or(Tender::Card);
        let Some(provider) = self.providers().and_then(|all| all.for_tender(tender)) else {
            return Ok(self.idle(job, "no provider is set up for this tender"));
        };
        let provider = provider.clone();
        let at_provider = match job.kind.as_str() {
            AGAIN => self.again_at_provider(provider.as_ref(), job, &known).await,
            _ => self.at_provider(provider.as_ref(), job, &known).await,
        };
        let standing = match at_provider {
            Ok(Some(standing)) => standing,
            Ok(None) => return Ok(After::Done),
            Err(error) => return self.failed(job, &known, &error).await,
        };
        let standing = match self.carry_on(provider.as_ref(), &known, standing).await {
            Ok(standing) => standing,
            Err(error) => return self.failed(job, &known, &error).await,
        };
        self.note(job, &known, provider.as_ref(), standing).await
    }

    /// Where the payment stands at the provider; asks for it where it was not asked yet. None: nobody wants it.
    async fn at_provider(
        &self,
        provider: &dyn PaymentProvider,
        job: &Job,
        known: &Known,
    ) -> Result<Option<Standing>, ProviderError> {
        if let Some(reference) = known.reference() {
            return provider.look(reference).await.map(Some);
        }
        let age_ms = self.env.now_ms().saturating_sub(job.created_ms);
        if job.tries > 0 || age_ms > FRESH_MS || known.fold.called_off {
            let find = Find {
                payment: job.payment,
                asked_ms: Some(job.created_ms),
            };
            let found = provider.find(find).await?;
            if let Some(standing) = only_one(provider, found).await? {
                return Ok(Some(standing));
            }
        }
        if job.attempt > 1 {
            let strays = provider.open_links(job.payment).await?;
            if let Some(paid) = call_off_all(provider, strays).await? {
                return Ok(Some(paid));
            }
        }
        if known.fold.called_off || known.fold.tender.is_none() {
            return Ok(None);
        }
        let ask = Ask {
            payment: job.payment,
            branch: job.branch,
            attempt: job.attempt,
            amount: known.amount(),
            text: self.text_of(known).await,
            reader: self.reader_of(known, known.belongs.created_ms).await,
        };
        provider.ask(&ask).await.map(Some)
    }

    /// The same for an attempt that a person wants after one was declined: those before are ended first, so that only one
    /// can bring money. That they ended is written with the answer of the new one: until then the promise is open, and
    /// can be called off. None: nobody wants it.
    async fn again_at_provider(
        &self,
        provider: &dyn PaymentProvider,
        job: &Job,
        known: &Known,
    ) -> Result<Option<Standing>, ProviderError> {
        let wanted = attempt_of(job);
        if let Some(reference) = known.reference_of(wanted) {
            return provider.look(reference).await.map(Some);
        }
        for reference in known.unfinished(wanted).values() {
            let ended = provider.cancel(reference).await?;
            match ended.outcome {
                Outcome::Captured { .. } => return Ok(Some(ended)),
                Outcome::Cancelled => {}
                _ => {
                    return Err(ProviderError::Unavailable {
                        reason: "the attempt before is not over".to_owned(),
                        retry_after_ms: None,
                    });
                }
            }
        }
        if known.fold.called_off || known.fold.tender.is_none() {
            return Ok(None);
        }
        self.ask_anew(provider, job, known).await
    }

    /// Whether a later attempt is wanted: that one ends this one and says so.
    async fn is_superseded(&self, job: &Job) -> Result<bool, HubError> {
        if job.kind == "cancel" {
            return Ok(false);
        }
        let mut connection = self.pool.acquire().await?;
        let jobs = outbox::of_payment(&mut connection, job.payment).await?;
        let mut again = jobs.iter().filter(|other| other.kind == AGAIN);
        Ok(again.any(|other| attempt_of(other) > attempt_of(job)))
    }

    /// Asks for the attempt that is wanted, where it was not asked before without an answer.
    async fn ask_anew(
        &self,
        provider: &dyn PaymentProvider,
        job: &Job,
        known: &Known,
    ) -> Result<Option<Standing>, ProviderError> {
        let wanted = attempt_of(job);
        let age_ms = self.env.now_ms().saturating_sub(job.created_ms);
        if job.tries > 0 || age_ms > FRESH_MS {
            let find = Find {
                payment: job.payment,
                asked_ms: Some(job.created_ms),
            };
            let mut found = provider.find(find).await?;
            found.retain(|standing| standing.attempt == Some(wanted));
            if let Some(standing) = only_one(provider, found).await? {
                return Ok(Some(standing));
            }
        }
        let ask = Ask {
            payment: job.payment,
            branch: job.branch,
            attempt: wanted,
            amount: known.amount(),
            text: self.text_of(known).await,
            reader: self.reader_of(known, job.created_ms).await,
        };
        provider.ask(&ask).await.map(Some)
    }

    /// Takes what the customer's bank promised, and calls off what nobody wants any more.
    async fn carry_on(
        &self,
        provider: &dyn PaymentProvider,
        known: &Known,
        standing: Standing,
    ) -> Result<Standing, ProviderError> {
        match &standing.outcome {
            Outcome::Captured { .. } | Outcome::Cancelled => Ok(standing),
            _ if known.fold.called_off => provider.cancel(&standing.reference).await,
            Outcome::ToCapture => provider.capture(&standing.reference, known.amount()).await,
            _ => Ok(standing),
        }
    }

    /// Writes what is new about an attempt.
    async fn note(
        self: &Arc<Self>,
        job: &Job,
        known: &Known,
        provider: &dyn PaymentProvider,
        standing: Standing,
    ) -> Result<After, HubError> {
        let attempt = standing.attempt.unwrap_or_else(|| attempt_of(job));
        let (outcome, amount_minor, detail) = match standing.outcome {
            Outcome::Asked { link } => (PaymentOutcome::Asked, 0, link),
            Outcome::ToCapture => (PaymentOutcome::Asked, 0, String::new()),
            Outcome::Captured { amount_minor } => {
                (PaymentOutcome::Captured, amount_minor, String::new())
            }
            Outcome::Declined { reason } => (PaymentOutcome::Declined, 0, reason),
            Outcome::Cancelled => (PaymentOutcome::Cancelled, 0, String::new()),
        };
        if !known.has(attempt, outcome) {
            let result = PaymentResult {
                payment: job.payment,
                attempt,
                outcome,
                amount_minor,
                tender: known.fold.tender.unwrap_or(Tender::Card),
                provider: provider.provider(),
                reference: standing.reference,
                detail,
            };
            // The newest attempt comes last: its name at the provider is the one to ask about from now on.
            let mut results = match job.kind == AGAIN && attempt == attempt_of(job) {
                true => ended(known, provider.provider(), &result),
                false => Vec::new(),
            };
            results.push(result);
            let results = results.into_iter().map(Item::PaymentResult);
            self.say(results.collect()).await?;
        }
        let is_over = matches!(
            outcome,
            PaymentOutcome::Captured | PaymentOutcome::Cancelled
        );
        Ok(if is_over { After::Done } else { self.poll(job) })
    }

    fn poll(&self, job: &Job) -> After {
        let now_ms = self.env.now_ms();
        let age_ms = now_ms.saturating_sub(job.created_ms);
        let wait_ms = POLL_MS
            .iter()
            .find(|(up_to_ms, _)| age_ms < *up_to_ms)
            .map_or(IDLE_MS, |(_, wait_ms)| *wait_ms);
        After::Later {
            due_ms: now_ms.saturating_add(wait_ms),
            tries: 0,
            attempt: job.attempt,
            error: String::new(),
        }
    }

    fn idle(&self, job: &Job, why: &str) -> After {
        After::Later {
            due_ms: self.env.now_ms().saturating_add(IDLE_MS),
            tries: job.tries,
            attempt: job.attempt,
            error: why.to_owned(),
        }
    }

    /// A refusal ends the payment; everything else is tried again. A provider that is away does not wear a job out.
    async fn failed(
        self: &Arc<Self>,
        job: &Job,
        known: &Known,
        error: &ProviderError,
    ) -> Result<After, HubError> {
        match error {
            ProviderError::Refused { .. } => {
                let attempt = attempt_of(job);
                let result = PaymentResult {
                    payment: job.payment,
                    attempt,
                    outcome: PaymentOutcome::Failed,
                    amount_minor: 0,
                    tender: known.fold.tender.unwrap_or(Tender::Card),
                    provider: Provider::Stripe,
                    reference: known.reference().unwrap_or_default().to_owned(),
                    detail: line(error),
                };
                if !known.has(attempt, PaymentOutcome::Failed) {
                    self.say(vec![Item::PaymentResult(result)]).await?;
                }
                Ok(After::Done)
            }
            other => Ok(self.again(job, other)),
        }
    }

    fn again(&self, job: &Job, error: &ProviderError) -> After {
        // Nothing moved and no further try helps: a person must see to the key or the account.
        if matches!(error, ProviderError::NotAllowed { .. }) {
            return dead(&line(error));
        }
        let now_ms = self.env.now_ms();
        let random = u64::from_be_bytes(self.env.random());
        let is_spent = matches!(
            error,
            ProviderError::Unknown {
                key_is_spent: true,
                ..
            }
        );
        let retry = self.outside().retry();
        let is_away = matches!(error, ProviderError::Unavailable { .. });
        let tries = if is_away {
            job.tries.max(1)
        } else {
            job.tries.saturating_add(1)
        };
        let counted = if is_away {
            retry.tries.saturating_sub(1)
        } else {
            tries
        };
        match retry.delay_ms(counted, random, error.retry_after_ms()) {
            Some(delay_ms) => After::Later {
                due_ms: now_ms.saturating_add(i64::try_from(delay_ms).unwrap_or(i64::MAX)),
                tries,
                attempt: job.attempt.saturating_add(u16::from(is_spent)),
                error: line(error),
            },
            None => dead(&line(error)),
        }
    }

    async fn repay(self: &Arc<Self>, job: &Job) -> Result<After, HubError> {
        let repayment = RepaymentId::from_bytes(job.subject);
        let Some(known) = self.known(job.payment).await? else {
            return Ok(dead("nobody asked for this payment"));
        };
        let Some((tender, amount_minor, reference)) = asked_back(&known, repayment) else {
            return Ok(dead("no refund asks for this"));
        };
        let Some(reference) = reference else {
            return Ok(dead("the payment was never captured by a provider"));
        };
        if known.is_given_up(repayment) {
            return Ok(After::Done);
        }
        let Some(provider) = self.providers().and_then(|all| all.for_tender(tender)) else {
            return Ok(self.idle(job, "no provider is set up for this tender"));
        };
        let provider = provider.clone();
        let amount = Money {
            amount_minor,
            currency: known.belongs.currency,
        };
        let repay = Repay {
            repayment,
            payment: job.payment,
            branch: job.branch,
            attempt: job.attempt,
            reference,
            amount,
        };
        match give_back(provider.as_ref(), job, &repay).await {
            Ok(standing) => {
                self.note_back(job, &known, tender, provider.as_ref(), &repay, standing)
                    .await
            }
            Err(ProviderError::Refused { message, .. }) => {
                let standing = RepayStanding {
                    reference: String::new(),
                    outcome: RepaymentOutcome::Failed,
                    amount,
                    reason: message,
                };
                self.note_back(job, &known, tender, provider.as_ref(), &repay, standing)
                    .await
            }
            Err(error) => Ok(self.again(job, &error)),
        }
    }

    async fn note_back(
        self: &Arc<Self>,
        job: &Job,
        known: &Known,
        tender: Tender,
        provider: &dyn PaymentProvider,
        repay: &Repay,
        standing: RepayStanding,
    ) -> Result<After, HubError> {
        let outcome = standing.outcome;
        let is_there = known.records.iter().any(|record| match record {
            PaymentRecord::Repayment(result) => {
                result.repayment == repay.repayment && result.outcome == outcome
            }
            _ => false,
        });
        if !is_there {
            let moved = outcome == RepaymentOutcome::Repaid;
            let again = (moved && back::asked_by_hub(&known.records, repay.repayment).is_some())
                .then(|| {
                    let id = CorrectionId::from_random(&mut self.env.entropy());
                    back::owed_again(&known.records, known.belongs.branch, repay.amount, id)
                })
                .flatten();
            let result = RepaymentResult {
                repayment: repay.repayment,
                payment: repay.payment,
                attempt: repay.attempt,
                outcome,
                amount_minor: if moved { repay.amount.amount_minor } else { 0 },
                tender,
                provider: provider.provider(),
                reference: standing.reference,
                detail: standing.reason.clone(),
            };
            let items = [Item::RepaymentResult(result)].into_iter().chain(again);
            self.say(items.collect()).await?;
        }
        Ok(match outcome {
            RepaymentOutcome::Asked => self.poll(job),
            RepaymentOutcome::Repaid => After::Done,
            RepaymentOutcome::Failed => dead(&format!("it did not go back: {}", standing.reason)),
        })
    }

    async fn text_of(&self, known: &Known) -> String {
        let Some(receipt) = known.belongs.receipt else {
            return "Counterpart".to_owned();
        };
        let Ok(mut connection) = self.pool.acquire().await else {
            return receipt.to_string();
        };
        let number = super::read::number_of(&mut connection, known.belongs.branch, receipt).await;
        number.unwrap_or_else(|_| receipt.to_string())
    }

    /// The reader on the counter: only while somebody may still stand there.
    async fn reader_of(&self, known: &Known, asked_ms: i64) -> Option<String> {
        let wants = known.belongs.way == Some(domain::till::CardWay::Reader);
        let age_ms = self.env.now_ms().saturating_sub(asked_ms);
        if !wants || age_ms > 60_000 {
            return None;
        }
        let mut connection = self.pool.acquire().await.ok()?;
        let codes = crate::app::branch::codes(&mut connection).await.ok()?;
        self.reader_at(codes.get(&known.belongs.branch)?)
    }
}

/// The attempt at the provider that a job is for: what was wanted, and one more for each key that is spent.
fn attempt_of(job: &Job) -> u16 {
    match job.kind.as_str() {
        AGAIN => u16::try_from(job.n)
            .unwrap_or(1)
            .saturating_add(job.attempt.saturating_sub(1)),
        _ => job.attempt,
    }
}

/// The attempts before this one, which were ended for it.
fn ended(known: &Known, provider: Provider, by: &PaymentResult) -> Vec<PaymentResult> {
    let unfinished = known.unfinished(by.attempt).into_iter();
    unfinished
        .map(|(attempt, reference)| PaymentResult {
            payment: by.payment,
            attempt,
            outcome: PaymentOutcome::Cancelled,
            amount_minor: 0,
            tender: by.tender,
            provider,
            reference: reference.to_owned(),
            detail: String::new(),
        })
        .collect()
}

/// The newest of what is there. The others are called off, so that nobody pays twice; who was quicker has paid.
async fn only_one(
    provider: &dyn PaymentProvider,
    found: Vec<Standing>,
) -> Result<Option<Standing>, ProviderError> {
    let mut found = found.into_iter();
    let Some(newest) = found.next() else {
        return Ok(None);
    };
    let paid = call_off_all(provider, found.collect()).await?;
    Ok(Some(paid.unwrap_or(newest)))
}

/// Calls earlier attempts off; gives the one that it was too late for.
async fn call_off_all(
    provider: &dyn PaymentProvider,
    earlier: Vec<Standing>,
) -> Result<Option<Standing>, ProviderError> {
    let mut paid = None;
    for standing in earlier {
        let ended = match standing.outcome {
            Outcome::Captured { .. } | Outcome::Cancelled => standing,
            _ => provider.cancel(&standing.reference).await?,
        };
        if matches!(ended.outcome, Outcome::Captured { .. }) {
            paid = Some(ended);
        }
    }
    Ok(paid)
}

async fn give_back(
    provider: &dyn PaymentProvider,
    job: &Job,
    repay: &Repay,
) -> Result<RepayStanding, ProviderError> {
    if job.tries > 0 || !job.last_error.is_empty() || job.updated_ms > job.created_ms {
        let found = provider
            .find_repayment(repay.repayment, &repay.reference)
            .await?;
        if let Some(standing) = found {
            return Ok(standing);
        }
    }
    provider.repay(repay).await
}

/// What goes back, with what, and of which capture: as a refund of the branch asks, or the hub.
fn asked_back(known: &Known, wanted: RepaymentId) -> Option<(Tender, i64, Option<String>)> {
    let by_branch = known.records.iter().find_map(|record| match record {
        PaymentRecord::RepaymentAsked {
            repayment,
            tender,
            amount_minor,
        } if *repayment == wanted => Some((*tender, *amount_minor)),
        _ => None,
    });
    if let Some((tender, amount_minor)) = by_branch {
        let reference = back::capture_with(&known.records, amount_minor)
            .or_else(|| known.reference().map(str::to_owned));
        return Some((tender, amount_minor, reference));
    }
    let due = back::asked_by_hub(&known.records, wanted)?;
    Some((Tender::Card, due.amount_minor, Some(due.reference)))
}

fn dead(why: &str) -> After {
    After::Dead {
        error: why.to_owned(),
    }
}

fn line(error: &ProviderError) -> String {
    let text: String = error.to_string().chars().take(180).collect();
    text.replace(char::is_control, " ")
}
