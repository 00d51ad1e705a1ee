//! Rows against what they follow from: all balances, a sample of the day's payments and receipts.

use std::collections::BTreeMap;

use domain::id::PaymentId;
use domain::payment::{PaymentRecord, fold_payment};
use domain::reconcile::{Found, Outcome};
use domain::till::Receipt;
use sync_protocol::item::decode_body;

use super::Ground;
use crate::error::HubError;
use crate::store::db::PgConnection;
use crate::store::payments::payment::records;
use crate::store::reconciliation::tables::{self as store, PaymentRow, ReceiptRow};

/// Payments that are folded again.
const PAYMENTS: i64 = 300;
/// Receipts that are booked again.
const RECEIPTS: i64 = 300;

pub(super) async fn check(
    sql: &mut PgConnection,
    ground: &Ground<'_>,
) -> Result<Outcome, HubError> {
    let mut outcome = Outcome::default();
    for off in store::off_balances(sql, ground.branch.id).await? {
        let detail = format!(
            "the balance says {}, its entries come to {}",
            off.balance_minor, off.sum_minor
        );
        let found = Found::red("balance", off.account, detail);
        let more = off.balance_minor.saturating_sub(off.sum_minor);
        outcome.add(found.with(more, off.currency));
    }
    payments(sql, ground, &mut outcome).await?;
    receipts(sql, ground, &mut outcome).await?;
    Ok(outcome)
}

async fn payments(
    sql: &mut PgConnection,
    ground: &Ground<'_>,
    outcome: &mut Outcome,
) -> Result<(), HubError> {
    let rows = store::payments_since(sql, ground.branch.id, ground.day.start_ms, PAYMENTS).await?;
    outcome.count("payments", rows.len());
    let ids: Vec<PaymentId> = rows.iter().map(PaymentRow::id).collect();
    let mut known: BTreeMap<PaymentId, Vec<PaymentRecord>> = BTreeMap::new();
    match records(sql, &ids).await {
        Ok(records) => {
            for (payment, record) in records {
                known.entry(payment).or_default().push(record);
            }
        }
        Err(HubError::Database(error)) => return Err(error.into()),
        Err(error) => {
            let detail = format!("records of payments do not read: {error}");
            outcome.add(Found::red("payment", "records", detail));
            return Ok(());
        }
    }
    for row in &rows {
        let fold = fold_payment(known.get(&row.id()).into_iter().flatten());
        let columns = [
            ("state", fold.state.as_str() != row.state),
            ("asked", fold.asked_minor != row.asked_minor),
            ("captured", fold.captured_minor != row.captured_minor),
            (
                "repay_asked",
                fold.repay_asked_minor != row.repay_asked_minor,
            ),
            ("repaid", fold.repaid_minor != row.repaid_minor),
            ("called_off", fold.called_off != row.called_off),
        ];
        let wrong: Vec<&str> = columns
            .iter()
            .filter_map(|(name, differs)| differs.then_some(*name))
            .collect();
        if !wrong.is_empty() {
            let detail = format!("differs from its records in {}", wrong.join(", "));
            outcome.add(Found::red("payment", row.id(), detail));
        }
    }
    Ok(())
}

async fn receipts(
    sql: &mut PgConnection,
    ground: &Ground<'_>,
    outcome: &mut Outcome,
) -> Result<(), HubError> {
    let rows = store::receipts_of_day(sql, ground.branch.id, ground.day.day, RECEIPTS).await?;
    outcome.count("receipts", rows.len());
    let subjects: Vec<_> = rows.iter().map(|row| row.receipt).collect();
    let mut booked: BTreeMap<_, Vec<(i16, i16, i64)>> = BTreeMap::new();
    for (subject, from, to, amount) in
        store::entries_about(sql, ground.branch.id, &subjects).await?
    {
        booked.entry(subject).or_default().push((from, to, amount));
    }
    for row in &rows {
        let entries = booked.remove(&row.receipt).unwrap_or_default();
        if let Some(what) = receipt_flaw(row, entries) {
            outcome.add(Found::red("receipt", row.receipt, what));
        }
    }
    Ok(())
}

fn receipt_flaw(row: &ReceiptRow, mut entries: Vec<(i16, i16, i64)>) -> Option<&'static str> {
    let Ok(receipt) = decode_body::<Receipt>(&row.body, "Receipt") else {
        return Some("its bytes do not read");
    };
    let (Ok(totals), Ok(postings)) = (receipt.totals(), receipt.postings()) else {
        return Some("its bytes do not add up");
    };
    if (totals.gross_minor, totals.due_minor) != (row.gross_minor, row.due_minor) {
        return Some("its row differs from its bytes");
    }
    let mut should: Vec<(i16, i16, i64)> = postings
        .iter()
        .map(|posting| {
            let (from, to) = (posting.from.code(), posting.to.code());
            (i16::from(from), i16::from(to), posting.amount_minor)
        })
        .collect();
    should.sort_unstable();
    entries.sort_unstable();
    (should != entries).then_some("its entries are not what it comes to")
}
