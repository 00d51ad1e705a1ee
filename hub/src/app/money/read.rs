//! Payments, refunds that wait, exposure and the outbox, as pages and programs see them.

use domain::id::{BranchId, PaymentId, ReceiptId, RefundId, StaffId};
use domain::money::{Currency, Money};
use domain::payment::Provider;
use domain::till::{PaperKind, paper_number};

use crate::app::error::AppError;
use crate::app::session::Person;
use crate::app::{Hub, branch};
use crate::store::db::PgConnection;
use crate::store::payments::payment::records;
use crate::store::payments::read as store;
pub use crate::store::payments::read::{
    AskedRow, LinePlace, PaymentRow, Queue, ReceiptRow, SettlementRow, StepRow, TenderState,
    Waiting,
};
use crate::store::scope::Place;
use crate::store::sync::outbox::{self, Job};

/// The word for all states in which a payment may still come.
pub const OPEN: &str = "open";

/// Which payments are wanted.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Of one branch.
    pub branch: Option<BranchId>,
    /// In one state, or [`OPEN`].
    pub state: Option<String>,
    /// Behind this one.
    pub place: Option<Place>,
    /// At most so many.
    pub limit: i64,
}

/// The branch with this code, where one is named.
///
/// # Errors
/// An unknown branch.
pub async fn branch_named(hub: &Hub, code: Option<&str>) -> Result<Option<BranchId>, AppError> {
    let mut connection = hub.snapshot().await?;
    crate::app::stock::optional_branch(&mut connection, code).await
}

/// Payments by card and bank, newest first, with the codes of branches.
///
/// # Errors
/// When the database fails.
pub async fn payments(
    hub: &Hub,
    person: &Person,
    wanted: &Wanted,
) -> Result<(Vec<PaymentRow>, branch::Codes), AppError> {
    let mut connection = hub.snapshot().await?;
    let scope = person.scope().narrowed(wanted.branch);
    let open = ["queued", "processing", "declined"].as_slice();
    let states = wanted.state.as_deref();
    let one = states.map(|state| [state]);
    let states = match states {
        Some(OPEN) => Some(open),
        _ => one.as_ref().map(<[&str; 1]>::as_slice),
    };
    let found =
        store::payments(&mut connection, &scope, states, wanted.place, wanted.limit).await?;
    Ok((found, branch::codes(&mut connection).await?))
}

/// A payment with its records.
#[derive(Debug, Clone)]
pub struct PaymentState {
    /// The payment.
    pub row: PaymentRow,
    /// Code of its branch.
    pub branch: String,
    /// Number of the receipt that asks for it.
    pub receipt: Option<String>,
    /// What is known of it, oldest first.
    pub steps: Vec<StepRow>,
    /// What is to be asked of the provider.
    pub jobs: Vec<Job>,
    /// Refunds that give some of it back, with their numbers as they are printed.
    pub refunds: Vec<(RefundId, String)>,
    /// What its statements say.
    pub settlements: Vec<SettlementRow>,
    /// What came too much, or although it was called off, and was not asked back yet.
    pub due_minor: i64,
    /// Whether the provider can be asked to give it back.
    pub is_due_by_card: bool,
}

/// One payment.
///
/// # Errors
/// When there is none, or none that the person may see.
pub async fn payment(hub: &Hub, person: &Person, id: PaymentId) -> Result<PaymentState, AppError> {
    let mut connection = hub.snapshot().await?;
    let row = store::payment(&mut connection, id)
        .await?
        .filter(|row| person.scope().allows(row.branch))
        .ok_or(AppError::NotFound { what: "payment" })?;
    let codes = branch::codes(&mut connection).await?;
    let receipt = match row.receipt {
        Some(receipt) => Some(number_of(&mut connection, row.branch, receipt).await?),
        None => None,
    };
    let refunds = super::refunds::of_payment(&mut connection, &row, &codes).await?;
    let records = records(&mut connection, &[id]).await?;
    let records: Vec<_> = records.into_iter().map(|(_, record)| record).collect();
    let due = super::back::due(&records);
    Ok(PaymentState {
        due_minor: due.iter().map(|one| one.amount_minor).sum(),
        is_due_by_card: due.iter().all(|one| one.provider == Provider::Stripe),
        branch: branch::code_of(&codes, row.branch),
        steps: store::steps(&mut connection, id).await?,
        jobs: outbox::of_payment(&mut connection, id).await?,
        settlements: store::settlements_of(&mut connection, id).await?,
        refunds,
        receipt,
        row,
    })
}

/// The number of a receipt, as it is printed.
pub(crate) async fn number_of(
    connection: &mut PgConnection,
    branch_id: BranchId,
    receipt: ReceiptId,
) -> Result<String, AppError> {
    let codes = branch::codes(connection).await?;
    let numbers = store::receipt_numbers(connection, &[receipt]).await?;
    let code = branch::code_of(&codes, branch_id);
    Ok(numbers.first().map_or_else(
        || receipt.to_string(),
        |(_, series, number)| paper_number(&code, PaperKind::Receipt, *series, *number),
    ))
}

/// Refunds that wait for a word, oldest first, with the codes of branches.
///
/// # Errors
/// When the database fails.
pub async fn asked(
    hub: &Hub,
    person: &Person,
    limit: i64,
) -> Result<(Vec<AskedRow>, branch::Codes), AppError> {
    let mut connection = hub.snapshot().await?;
    let found = store::asked(&mut connection, &person.scope(), limit).await?;
    Ok((found, branch::codes(&mut connection).await?))
}

/// What waits in the outbox, or is dead, oldest first.
///
/// # Errors
/// A state that there is not; when the database fails.
pub async fn jobs(
    hub: &Hub,
    person: &Person,
    state: &str,
    limit: i64,
) -> Result<Vec<Job>, AppError> {
    if !["waiting", "dead"].contains(&state) {
        return Err(AppError::field("/state", "must be waiting or dead"));
    }
    let mut connection = hub.snapshot().await?;
    let mut jobs = outbox::open(&mut connection, state, limit).await?;
    jobs.retain(|job| person.scope().allows(job.branch));
    Ok(jobs)
}

/// An amount in a currency.
pub const fn amount(amount_minor: i64, currency: Currency) -> Money {
    Money {
        amount_minor,
        currency,
    }
}

/// Who asked for a refund and what for, where it is one that waits.
///
/// # Errors
/// When there is none, or none that the person may see.
pub async fn asked_one(
    connection: &mut PgConnection,
    person: &Person,
    id: RefundId,
) -> Result<AskedRow, AppError> {
    store::asked_one(connection, id)
        .await?
        .filter(|row| person.scope().allows(row.branch))
        .ok_or(AppError::NotFound { what: "refund" })
}

/// A person's id as pages name it; none for the system.
pub fn who(staff: StaffId) -> Option<String> {
    (!staff.is_nil()).then(|| staff.to_string())
}
