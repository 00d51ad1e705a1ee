//! What people and providers say of money: statements, the bank's file, the word on refunds, money that came too much.

use std::collections::{BTreeMap, BTreeSet};

use domain::day::SettlementLine;
use domain::id::{PaymentId, RefundId};
use domain::payment::{PaymentOutcome, PaymentResult, Provider};
use domain::text::{self, REASON_MAX};
use domain::till::{PaperKind, RefundDecided, Tender, paper_number};
use jiff::tz::TimeZone;
use sync_protocol::item::{ExceptionMark, Item, Mark, command};

use super::back::within_limit;
use super::read::asked_one;
use crate::app::error::AppError;
use crate::app::session::Person;
use crate::app::{Actor, Hub, HubTx, branch};
use crate::payment::stripe::webhook::{self, WebhookError};
use crate::payment::{Settlement, read_statement};
use crate::store::payments::read as store;
use crate::store::sync::outbox;

/// How far back a statement is asked for beyond its newest line: lines may come late.
const OVERLAP_MS: i64 = 3 * 86_400_000;
/// How far back the first statement is asked for.
const FIRST_MS: i64 = 60 * 86_400_000;
/// Lines of one transaction.
const LINES: usize = 200;

/// Says yes or no to a refund that waits.
///
/// # Errors
/// None that waits, a reason missing where it is refused, more than the person may give back, a branch that is not the
/// person's.
pub async fn decide(
    tx: &mut HubTx,
    person: &Person,
    refund: RefundId,
    approved: bool,
    reason: &str,
) -> Result<store::AskedRow, AppError> {
    let mut row = asked_one(tx.sql(), person, refund).await?;
    if row.state != "asked" {
        let detail = format!("this refund is {} already", row.state);
        return Err(AppError::conflict("decided", detail).with("state", row.state));
    }
    let reason =
        text::clean_line(reason, REASON_MAX).map_err(|error| AppError::field("/reason", error))?;
    if !approved && reason.is_empty() {
        return Err(AppError::field("/reason", "must say why not"));
    }
    if approved {
        within_limit(tx, person, row.branch, row.amount_minor).await?;
    }
    tx.fact(Item::RefundDecided(RefundDecided {
        refund,
        branch: row.branch,
        approved,
        reason,
    }));
    row.state = if approved { "approved" } else { "refused" }.to_owned();
    Ok(row)
}

/// Has the provider asked again about a payment, or a dead letter played again; says how many jobs that are.
///
/// # Errors
/// No such payment.
pub async fn ask_again(
    tx: &mut HubTx,
    person: &Person,
    payment: PaymentId,
) -> Result<u64, AppError> {
    let row = store::payment(tx.sql(), payment)
        .await?
        .filter(|row| person.scope().allows(row.branch))
        .ok_or(AppError::NotFound { what: "payment" })?;
    let now_ms = tx.at_ms();
    let woken = outbox::wake(tx.sql(), payment, now_ms).await?;
    tx.fact(Item::ExceptionMark(ExceptionMark {
        branch: row.branch,
        kind: "dead_letter".to_owned(),
        subject: *payment.as_bytes(),
        mark: Mark::Closed {
            reason: "asked again".to_owned(),
        },
    }));
    Ok(woken)
}

/// Takes in what is new in the statement of the card provider; says how many lines that are. None: no provider is set
/// up.
///
/// # Errors
/// When the provider does not answer or the database fails.
pub async fn take_statement(hub: &std::sync::Arc<Hub>) -> Result<Option<usize>, AppError> {
    let Some(provider) = hub.providers().and_then(|all| all.get(Provider::Stripe)) else {
        return Ok(None);
    };
    let provider = provider.clone();
    let (known_payouts, newest_ms) = {
        let mut connection = hub.snapshot().await?;
        store::settled_so_far(&mut connection, Provider::Stripe.as_str()).await?
    };
    let now_ms = hub.env().now_ms();
    let wanted = Settlement {
        since_ms: newest_ms.map_or(now_ms - FIRST_MS, |newest_ms| newest_ms - OVERLAP_MS),
        known_payouts: known_payouts.into_iter().collect::<BTreeSet<String>>(),
    };
    let lines = provider.settlement(&wanted).await.map_err(|error| {
        AppError::conflict(
            "provider-away",
            format!("the statement did not come: {error}"),
        )
    })?;
    let mut taken = 0;
    for part in lines.chunks(LINES) {
        let mut tx = hub.begin(Actor::SYSTEM, command::PAYMENT).await?;
        taken += add_lines(&mut tx, part.to_vec()).await?;
        tx.commit().await?;
    }
    Ok(Some(taken))
}

/// Adds lines that are not there yet.
async fn add_lines(tx: &mut HubTx, lines: Vec<SettlementLine>) -> Result<usize, AppError> {
    let mut by_provider: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for line in &lines {
        let references = by_provider.entry(line.provider.as_str()).or_default();
        references.push(line.reference.clone());
    }
    let mut known: BTreeSet<(String, String)> = BTreeSet::new();
    for (provider, references) in by_provider {
        let found = store::known_settlements(tx.sql(), provider, &references).await?;
        known.extend(
            found
                .into_iter()
                .map(|reference| (provider.to_owned(), reference)),
        );
    }
    let mut added = 0;
    for line in lines {
        if known.insert((line.provider.as_str().to_owned(), line.reference.clone())) {
            tx.fact(Item::SettlementLine(line));
            added += 1;
        }
    }
    Ok(added)
}

/// What became of a bank's file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Taken {
    /// Rows of the file.
    pub read: usize,
    /// Rows that were not there yet.
    pub new: usize,
    /// New rows that paid a receipt.
    pub matched: usize,
}

/// Takes in a bank's file: rows that name a receipt or a payment and bring what it asks for capture it; the others wait
/// for a person.
///
/// # Errors
/// A file that cannot be read, by its row; nothing of it is taken then.
pub async fn take_bank_file(
    tx: &mut HubTx,
    file: &[u8],
    zone: &TimeZone,
) -> Result<Taken, AppError> {
    let entries =
        read_statement(file, zone).map_err(|error| AppError::field("/file", error.to_string()))?;
    let codes = branch::codes(tx.sql()).await?;
    let mut awaited: BTreeMap<String, Vec<store::PaymentRow>> = BTreeMap::new();
    for (payment, series, number) in store::awaited_of_receipts(tx.sql()).await? {
        let code = branch::code_of(&codes, payment.branch);
        let number = paper_number(&code, PaperKind::Receipt, series, number);
        awaited.entry(number).or_default().push(payment);
    }
    let references: Vec<String> = entries
        .iter()
        .map(|entry| entry.line.reference.clone())
        .collect();
    let known = store::known_settlements(tx.sql(), Provider::Bank.as_str(), &references).await?;
    let known: BTreeSet<String> = known.into_iter().collect();
    let mut taken = Taken {
        read: entries.len(),
        ..Taken::default()
    };
    for entry in entries {
        if known.contains(&entry.line.reference) {
            continue;
        }
        taken.new += 1;
        let fits = |payment: &&store::PaymentRow| {
            payment.currency == entry.line.currency
                && payment.asked_minor - payment.captured_minor == entry.line.amount_minor
        };
        let named = entry
            .receipts
            .iter()
            .filter_map(|number| awaited.get(number))
            .flatten()
            .chain(
                awaited
                    .values()
                    .flatten()
                    .filter(|one| Some(one.id) == entry.line.payment),
            )
            .find(fits)
            .cloned();
        let mut line = entry.line;
        if let Some(payment) = named {
            for waiting in awaited.values_mut() {
                waiting.retain(|one| one.id != payment.id);
            }
            taken.matched += 1;
            (line.payment, line.branch) = (Some(payment.id), payment.branch);
            tx.fact(Item::PaymentResult(captured_by(&line, payment.id)));
        } else {
            line.payment = None;
        }
        tx.fact(Item::SettlementLine(line));
    }
    Ok(taken)
}

fn captured_by(line: &SettlementLine, payment: PaymentId) -> PaymentResult {
    PaymentResult {
        payment,
        attempt: 1,
        outcome: PaymentOutcome::Captured,
        amount_minor: line.amount_minor,
        tender: Tender::Bank,
        provider: Provider::Bank,
        reference: line.reference.clone(),
        detail: String::new(),
    }
}

/// Takes in an event of Stripe: what it is about is asked about at once. Each event is taken once.
///
/// # Errors
/// When the database fails; inside, why the event is not believed.
pub async fn take_event(
    hub: &std::sync::Arc<Hub>,
    signature: Option<&str>,
    body: &[u8],
) -> Result<Result<(), WebhookError>, AppError> {
    let Some(secret) = hub.providers().and_then(|all| all.webhook_secret()) else {
        return Ok(Err(WebhookError::Signature));
    };
    let now_ms = hub.env().now_ms();
    let event = match webhook::receive(secret, signature, body, now_ms) {
        Ok(event) => event,
        Err(error) => return Ok(Err(error)),
    };
    let mut connection = hub.pool().acquire().await?;
    let is_new = store::keep_event(
        &mut connection,
        Provider::Stripe.as_str(),
        &event.id,
        now_ms,
    )
    .await?;
    if let (true, Some(payment)) = (is_new, event.payment) {
        outbox::wake(&mut connection, payment, now_ms).await?;
        hub.tell(crate::app::Topic::Money);
    }
    Ok(Ok(()))
}
