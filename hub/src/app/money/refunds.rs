//! What was given back: the list of it, and one refund from the wish to the money that went.
//!
//! A provider's answer counts by the refund's own tender; what the hub gave back by itself is no refund and stands with
//! its payment.

use std::collections::BTreeMap;

use domain::id::{BranchId, DocumentId, PaymentId, ReceiptId, RefundId, RepaymentId};
use domain::payment::{PaymentRecord, RepaymentOutcome, RepaymentResult};
use domain::till::{
    Goods, PaperKind, Receipt, Refund, RefundAsked, RefundLine, Tender, paper_number,
};
use sync_protocol::item::decode_body;

use super::read::{AskedRow, PaymentRow};
use crate::app::error::AppError;
use crate::app::session::Person;
use crate::app::{Hub, branch};
use crate::store::db::PgConnection;
use crate::store::payments::payment::records;
use crate::store::payments::read as store;
pub use crate::store::payments::read::RefundRow;
use crate::store::scope::Place;

/// Which refunds are wanted.
#[derive(Debug, Clone, Copy, Default)]
pub struct WantedRefunds {
    /// Of one branch.
    pub branch: Option<BranchId>,
    /// Given on one business day.
    pub day: Option<i32>,
    /// Behind this one.
    pub place: Option<Place>,
    /// At most so many.
    pub limit: i64,
}

/// Where money stands that goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackState {
    /// It was given at the counter.
    Given,
    /// The provider was not asked yet.
    Queued,
    /// The provider was asked.
    Asked,
    /// It went.
    Repaid,
    /// It did not go, and will not by itself.
    Failed,
}

/// A tender of a refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackTender {
    /// The payment that it gives back.
    pub payment: PaymentId,
    /// With what.
    pub tender: Tender,
    /// How much.
    pub amount_minor: i64,
    /// Where it stands.
    pub state: BackState,
    /// Why not.
    pub detail: String,
}

/// Something that was given back.
#[derive(Debug, Clone)]
pub struct Given {
    /// Its row.
    pub row: RefundRow,
    /// Code of its branch.
    pub branch: String,
    /// Its number as it is printed.
    pub number: String,
    /// Number of its receipt, where that is here.
    pub receipt: Option<String>,
    /// The paper; none where its bytes do not read.
    pub refund: Option<Refund>,
    /// How the money goes back.
    pub tenders: Vec<BackTender>,
}

/// What was given back, newest first.
///
/// # Errors
/// When the database fails.
pub async fn given(
    hub: &Hub,
    person: &Person,
    wanted: &WantedRefunds,
) -> Result<Vec<Given>, AppError> {
    let mut connection = hub.snapshot().await?;
    let scope = person.scope().narrowed(wanted.branch);
    let rows = store::given(
        &mut connection,
        &scope,
        wanted.day,
        wanted.place,
        wanted.limit,
    )
    .await?;
    with_tenders(&mut connection, rows).await
}

async fn with_tenders(
    connection: &mut PgConnection,
    rows: Vec<RefundRow>,
) -> Result<Vec<Given>, AppError> {
    let codes = branch::codes(connection).await?;
    let receipts: Vec<ReceiptId> = rows.iter().map(|row| row.receipt).collect();
    let receipts: BTreeMap<ReceiptId, (u8, u32)> = store::receipt_numbers(connection, &receipts)
        .await?
        .into_iter()
        .map(|(id, series, number)| (id, (series, number)))
        .collect();
    let papers: Vec<Option<Refund>> = rows
        .iter()
        .map(|row| decode_body(&row.body, "Refund").ok())
        .collect();
    let payments: Vec<PaymentId> = papers
        .iter()
        .flatten()
        .flat_map(|refund| &refund.tenders)
        .filter(|tender| tender.tender.is_asked_for())
        .map(|tender| tender.payment)
        .collect();
    let answers = answers(connection, &payments).await?;
    let given = rows.into_iter().zip(papers).map(|(row, refund)| {
        let code = branch::code_of(&codes, row.branch);
        let printed = |(series, number)| paper_number(&code, PaperKind::Receipt, series, number);
        Given {
            number: printed((row.series, row.number)),
            receipt: receipts.get(&row.receipt).copied().map(printed),
            tenders: tenders(refund.as_ref(), &answers),
            branch: code.clone(),
            refund,
            row,
        }
    });
    Ok(given.collect())
}

/// What providers said of giving these payments back.
async fn answers(
    connection: &mut PgConnection,
    payments: &[PaymentId],
) -> Result<BTreeMap<RepaymentId, Vec<RepaymentResult>>, AppError> {
    let mut answers: BTreeMap<RepaymentId, Vec<RepaymentResult>> = BTreeMap::new();
    for (_, record) in records(connection, payments).await? {
        if let PaymentRecord::Repayment(result) = record {
            answers.entry(result.repayment).or_default().push(result);
        }
    }
    Ok(answers)
}

fn tenders(
    refund: Option<&Refund>,
    answers: &BTreeMap<RepaymentId, Vec<RepaymentResult>>,
) -> Vec<BackTender> {
    let all = refund.into_iter().flat_map(|refund| &refund.tenders);
    all.map(|tender| {
        let said = answers.get(&tender.id).map_or(&[][..], Vec::as_slice);
        let (state, detail) = if tender.tender.is_asked_for() {
            state_of(said)
        } else {
            (BackState::Given, String::new())
        };
        BackTender {
            payment: tender.payment,
            tender: tender.tender,
            amount_minor: tender.amount_minor,
            state,
            detail,
        }
    })
    .collect()
}

/// What went is gone; else the newest answer counts.
fn state_of(said: &[RepaymentResult]) -> (BackState, String) {
    let went = said
        .iter()
        .any(|result| result.outcome == RepaymentOutcome::Repaid);
    if went {
        return (BackState::Repaid, String::new());
    }
    let newest = said
        .iter()
        .max_by_key(|result| (result.attempt, result.outcome.code()));
    match newest {
        None => (BackState::Queued, String::new()),
        Some(result) if result.outcome == RepaymentOutcome::Failed => {
            (BackState::Failed, result.detail.clone())
        }
        Some(_) => (BackState::Asked, String::new()),
    }
}

/// The refunds of the branch that give some of a payment back, with their numbers as they are printed.
pub(super) async fn of_payment(
    connection: &mut PgConnection,
    payment: &PaymentRow,
    codes: &branch::Codes,
) -> Result<Vec<(RefundId, String)>, AppError> {
    let Some(receipt) = payment.receipt else {
        return Ok(Vec::new());
    };
    let code = branch::code_of(codes, payment.branch);
    let all = store::given_of(connection, receipt).await?;
    let of_it = all.into_iter().filter(|row| {
        let refund = decode_body::<Refund>(&row.body, "Refund");
        refund.is_ok_and(|refund| refund.tenders.iter().any(|one| one.payment == payment.id))
    });
    Ok(of_it
        .map(|row| {
            let number = paper_number(&code, PaperKind::Receipt, row.series, row.number);
            (row.id, number)
        })
        .collect())
}

/// A line of a receipt that comes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackLine {
    /// What it is; empty where the receipt is not here.
    pub text: String,
    /// The order that it belongs to.
    pub order: Option<DocumentId>,
    /// Pieces.
    pub quantity: u32,
    /// Where they go.
    pub goods: Goods,
}

/// A refund with all that is known of it.
#[derive(Debug, Clone)]
pub struct RefundState {
    /// Its id.
    pub id: RefundId,
    /// Whose.
    pub branch: String,
    /// The receipt, and its number where it is here.
    pub receipt: (ReceiptId, Option<String>),
    /// What comes back.
    pub lines: Vec<BackLine>,
    /// Why.
    pub reason: String,
    /// The wish, where it was one for the hub.
    pub asked: Option<AskedRow>,
    /// What was given.
    pub given: Option<Given>,
    /// Whether there is a night of its business day.
    pub has_night: bool,
}

/// One refund: given, or asked for only.
///
/// # Errors
/// When there is none, or none that the person may see.
pub async fn refund(hub: &Hub, person: &Person, id: RefundId) -> Result<RefundState, AppError> {
    let mut connection = hub.snapshot().await?;
    let sql = &mut connection;
    let scope = person.scope();
    let asked = store::asked_one(sql, id).await?;
    let asked = asked.filter(|row| scope.allows(row.branch));
    let row = store::given_one(sql, id).await?;
    let row = row.filter(|row| scope.allows(row.branch));
    let missing = AppError::NotFound { what: "refund" };
    let (branch_id, receipt) = match (&row, &asked) {
        (Some(row), _) => (row.branch, row.receipt),
        (None, Some(asked)) => (asked.branch, asked.receipt),
        (None, None) => return Err(missing),
    };
    let has_night = match &row {
        Some(row) => store::has_night(sql, row.branch, row.day).await?,
        None => false,
    };
    let given = with_tenders(sql, row.into_iter().collect()).await?;
    let given = given.into_iter().next();
    let wish: Option<RefundAsked> = asked
        .as_ref()
        .and_then(|row| decode_body(&row.body, "RefundAsked").ok());
    let paper = given.as_ref().and_then(|given| given.refund.as_ref());
    let (lines, reason) = match (paper, &wish) {
        (Some(refund), _) => (refund.lines.clone(), refund.reason.clone()),
        (None, Some(wish)) => (wish.lines.clone(), wish.reason.clone()),
        (None, None) => (Vec::new(), String::new()),
    };
    let of = store::receipt(sql, receipt).await?;
    let of: Option<Receipt> = of.and_then(|(_, body)| decode_body(&body, "Receipt").ok());
    let code = branch::code_of(&branch::codes(sql).await?, branch_id);
    let number = of
        .as_ref()
        .map(|of| paper_number(&code, PaperKind::Receipt, of.series, of.number));
    Ok(RefundState {
        id,
        branch: code,
        receipt: (receipt, number),
        lines: lines
            .iter()
            .map(|line| back_line(of.as_ref(), line))
            .collect(),
        reason,
        asked,
        given,
        has_night,
    })
}

fn back_line(of: Option<&Receipt>, wanted: &RefundLine) -> BackLine {
    let line = of.and_then(|of| of.line(wanted.line));
    BackLine {
        text: line.map(|line| line.text.clone()).unwrap_or_default(),
        order: line.and_then(|line| line.order),
        quantity: wanted.quantity,
        goods: wanted.goods,
    }
}

#[cfg(test)]
mod tests {
    use domain::payment::Provider;

    use super::*;

    fn said(attempt: u16, outcome: RepaymentOutcome) -> RepaymentResult {
        RepaymentResult {
            repayment: RepaymentId::from_bytes([1; 16]),
            payment: PaymentId::from_bytes([2; 16]),
            attempt,
            outcome,
            amount_minor: 0,
            tender: Tender::Card,
            provider: Provider::Stripe,
            reference: String::new(),
            detail: "closed account".to_owned(),
        }
    }

    #[test]
    fn what_went_stays_gone_and_the_newest_answer_counts() {
        use RepaymentOutcome as O;
        let state = |said: &[RepaymentResult]| state_of(said).0;
        assert_eq!(state(&[]), BackState::Queued);
        assert_eq!(state(&[said(1, O::Asked)]), BackState::Asked);
        let failed = [said(1, O::Failed), said(1, O::Asked)];
        assert_eq!(
            state_of(&failed),
            (BackState::Failed, "closed account".to_owned())
        );
        let again = [said(2, O::Asked), said(1, O::Failed)];
        assert_eq!(state(&again), BackState::Asked);
        let went = [said(1, O::Repaid), said(2, O::Failed)];
        assert_eq!(state(&went), BackState::Repaid);
    }
}
