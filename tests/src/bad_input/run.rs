//! Sends all cases and proves that refused ones changed nothing.
//!
//! The state is digested once per batch, not once per request: many that must be refused make one,
//! the ones that may be accepted make small ones. When a batch holds an accepted case, its refused ones are sent again without it, because a change between two digests must have
//! one possible cause. When the digest differs, the batch is halved until one case is left.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

use super::build::{Known, cases_of};
use super::case::{Case, Expect, SignIn};
use super::operation::{Operation, methods_of, operations_of};
use super::report::{Accepted, FindingKind, Report};
use super::schema::Schemas;
use super::send::{Answer, Sender, Target, fault_of_refusal};

/// How to run, and what the document cannot say.
#[derive(Debug, Clone)]
pub struct Options {
    /// Values of parameters that name something there: by the path up to and with the parameter
    /// (`/api/v1/orders/{id}`), or by its bare name (`sku`).
    pub values: BTreeMap<String, String>,
    /// Right bodies by operation (`POST /api/v1/orders`), where the document's example names
    /// records that are not there. A text is sent as it is where the body is no JSON.
    pub bodies: BTreeMap<String, Value>,
    /// Operations that are not called at all, such as the one that signs the caller out.
    pub leave_out: BTreeSet<String>,
    /// Operations whose right request is not sent, such as one that stops the line; their bad
    /// cases are.
    pub without_example: BTreeSet<String>,
    /// Operations that may answer 503, because what they need is away while these cases are sent.
    pub unavailable: BTreeSet<String>,
    /// Requests between two digests, of those that must be refused.
    pub batch: usize,
    /// Requests between two digests, of those that may be accepted. Over 1, a refused one that
    /// changes the state the first time only can hide behind an accepted one.
    pub unsure_batch: usize,
    /// How long an answer may take.
    pub timeout: Duration,
    /// The longest `Retry-After` of a 429 that is waited for; one that asks for more is a refusal.
    pub longest_wait: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            values: BTreeMap::new(),
            bodies: BTreeMap::new(),
            leave_out: BTreeSet::new(),
            without_example: BTreeSet::new(),
            unavailable: BTreeSet::new(),
            batch: 100,
            unsure_batch: 1,
            timeout: Duration::from_secs(30),
            longest_wait: Duration::from_secs(30),
        }
    }
}

/// Sends bad input to every operation of `document` and reports what was wrong.
///
/// `state` answers a digest of everything that must stay as it is when a request is refused; it
/// must not depend on the time or on what the server does by itself.
///
/// # Errors
/// When the document has no paths, a request cannot be built, or `state` fails.
pub async fn run<S>(
    document: &Value,
    target: &Target,
    options: &Options,
    state: S,
) -> Result<Report>
where
    S: AsyncFnMut() -> Result<String>,
{
    let operations = operations_of(document)?;
    let methods = methods_of(&operations);
    let sender = Sender::new(target, options.timeout, options.longest_wait)?;
    let mut run = Run {
        sender,
        state,
        digest: String::new(),
        report: Report::default(),
        unavailable: &options.unavailable,
    };
    run.digest = run.digest_now().await?;
    for operation in &operations {
        if options.leave_out.contains(&operation.name()) {
            continue;
        }
        let known = Known {
            values: &options.values,
            bodies: &options.bodies,
            methods: &methods[operation.path.as_str()],
        };
        let mut cases = cases_of(Schemas::new(document), operation, known);
        if options.without_example.contains(&operation.name()) {
            cases.retain(|case| case.expect != Expect::Example);
        }
        let (unsure, refused): (Vec<Case>, Vec<Case>) = cases
            .into_iter()
            .partition(|case| matches!(case.expect, Expect::Example | Expect::Either));
        for batch in refused.chunks(options.batch.max(1)) {
            run.batch(operation, batch).await?;
        }
        for batch in unsure.chunks(options.unsure_batch.max(1)) {
            run.batch(operation, batch).await?;
        }
    }
    run.report.sent = run.sender.sent();
    Ok(run.report)
}

struct Run<'a, S> {
    sender: Sender,
    state: S,
    /// The state after the last accepted case.
    digest: String,
    report: Report,
    unavailable: &'a BTreeSet<String>,
}

impl<S: AsyncFnMut() -> Result<String>> Run<'_, S> {
    async fn digest_now(&mut self) -> Result<String> {
        (self.state)().await.context("digesting the state")
    }

    async fn batch(&mut self, operation: &Operation, batch: &[Case]) -> Result<()> {
        let mut refused = Vec::new();
        for case in batch {
            if !self.first_time(operation, case).await? {
                refused.push(case);
            }
        }
        if refused.len() < batch.len() {
            self.digest = self.digest_now().await?;
            self.send_again(&refused).await?;
        }
        if self.is_changed().await? {
            self.search(refused).await?;
        }
        Ok(())
    }

    /// Sends a case, notes all that its answer says; true when it was accepted.
    async fn first_time(&mut self, operation: &Operation, case: &Case) -> Result<bool> {
        let status = match self.sender.send(case).await? {
            Answer::Accepted { status } => {
                self.note_accepted(case, status);
                status
            }
            Answer::Refused {
                status,
                content_type,
                body,
            } => {
                self.note_refused(case, status, &content_type, &body);
                status
            }
            Answer::Wait { .. } => 429,
            Answer::Nothing { why, .. } => {
                self.report.find(FindingKind::NoAnswer, case, why);
                return Ok(false);
            }
        };
        let statuses = self
            .report
            .statuses
            .entry(case.operation.clone())
            .or_default();
        *statuses.entry(status).or_default() += 1;
        if case.is_on_route && !operation.documents(status) {
            let key = (case.operation.clone(), status);
            self.report
                .undocumented
                .entry(key)
                .or_insert_with(|| case.label.clone());
        }
        Ok(status < 400)
    }

    fn note_accepted(&mut self, case: &Case, status: u16) {
        match case.expect {
            Expect::Example => return,
            Expect::Refusal => {
                self.report
                    .find(FindingKind::Accepted, case, format!("answered {status}"))
            }
            Expect::SignIn => {
                self.report
                    .find(FindingKind::SignIn, case, format!("answered {status}"))
            }
            Expect::Either => {}
        }
        self.report.accepted.push(Accepted {
            operation: case.operation.clone(),
            label: case.label.clone(),
            status,
        });
    }

    fn note_refused(&mut self, case: &Case, status: u16, content_type: &str, body: &[u8]) {
        let is_away = status == 503 && self.unavailable.contains(&case.operation);
        if !is_away && let Some((kind, detail)) = fault_of_refusal(status, content_type, body) {
            self.report.find(kind, case, detail);
        }
        let should_be_401 = case.expect == Expect::SignIn;
        let is_signed_in = case.request.sign_in == SignIn::Token;
        if (should_be_401 && status != 401) || (is_signed_in && status == 401) {
            self.report
                .find(FindingKind::SignIn, case, format!("answered {status}"));
        }
        if case.expect == Expect::Example {
            let shown: String = String::from_utf8_lossy(body).chars().take(300).collect();
            self.report
                .refused_examples
                .insert(case.operation.clone(), format!("{status} {shown}"));
        }
    }

    /// Sends refused cases again; one that is accepted now makes a new state to start from.
    async fn send_again(&mut self, cases: &[&Case]) -> Result<()> {
        for case in cases {
            if let Answer::Accepted { status } = self.sender.send(case).await? {
                let why = format!("refused at first, then answered {status}");
                self.report.find(FindingKind::Accepted, case, why);
                self.digest = self.digest_now().await?;
            }
        }
        Ok(())
    }

    /// Whether the state is another one than before; from now on it counts as the one to keep.
    async fn is_changed(&mut self) -> Result<bool> {
        let now = self.digest_now().await?;
        let before = std::mem::replace(&mut self.digest, now);
        Ok(before != self.digest)
    }

    /// Halves cases that together changed the state until the ones that do it alone are found.
    async fn search(&mut self, cases: Vec<&Case>) -> Result<()> {
        let mut suspects = vec![cases];
        while let Some(cases) = suspects.pop() {
            let [first, .., last] = cases.as_slice() else {
                if let [only] = cases.as_slice() {
                    self.report.find(
                        FindingKind::StateChanged,
                        only,
                        "refused, but the state differs",
                    );
                }
                continue;
            };
            let mut is_found = false;
            for half in [&cases[..cases.len() / 2], &cases[cases.len() / 2..]] {
                self.send_again(half).await?;
                if self.is_changed().await? {
                    suspects.push(half.to_vec());
                    is_found = true;
                }
            }
            if !is_found {
                let why = format!(
                    "one of {} cases up to [{}], not when sent again",
                    cases.len(),
                    last.label
                );
                self.report.find(FindingKind::StateChanged, first, why);
            }
        }
        Ok(())
    }
}
