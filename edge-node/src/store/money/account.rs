//! Who buys on account, and the entries that what is owed is made of: what was taken on account, and promises that
//! brought nothing, less what was paid and given back. Of a known customer they are what the ledger calls receivable.

use domain::id::DocumentId;
use domain::payment::PaymentState;
use domain::till::{AccountRow, Receipt, ReceiptLineKind, Refund, Tender};
use rusqlite::OptionalExtension as _;
use sync_protocol::item::decode_body;

use super::payment;
use crate::error::{AppError, StoreError};
use crate::store::reader::Reader;
use crate::store::value::Id;

/// What an entry of an account is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountEntryKind {
    /// Taken on account: it is owed.
    Taken,
    /// A card or a bank was asked for it and nothing came of it.
    NotBrought,
    /// Paid of what was owed.
    Paid,
    /// Given back to the account by a refund.
    GivenBack,
}

/// An entry of a customer's account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountEntry {
    /// What it is.
    pub kind: AccountEntryKind,
    /// Above zero where it is owed, below where it is paid or given back.
    pub amount_minor: i64,
    /// Series and number of the paper: a receipt's, or a refund's.
    pub paper: (u8, u32),
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
}

/// The account of a customer who buys on account.
pub fn account(reader: &Reader<'_>, customer: DocumentId) -> Result<Option<AccountRow>, AppError> {
    let fields: Option<String> = reader
        .conn()
        .prepare_cached("select fields from account where id = ?1 and deleted = 0")?
        .query_row([Id(customer)], |row| row.get(0))
        .optional()?;
    Ok(fields
        .map(|fields| serde_json::from_str(&fields))
        .transpose()?)
}

/// What a customer owes this branch: the sum of the entries.
pub fn owed_by(reader: &Reader<'_>, customer: DocumentId) -> Result<i64, AppError> {
    let entries = entries(reader, customer)?;
    Ok(entries.iter().map(|entry| entry.amount_minor).sum())
}

/// The entries of a customer's account at this branch, oldest first; their sum is what is owed.
pub fn entries(reader: &Reader<'_>, customer: DocumentId) -> Result<Vec<AccountEntry>, AppError> {
    let mut found = receipts(reader, customer)?;
    found.extend(refunds(reader, customer)?);
    found.sort_by_key(|entry| entry.at_ms);
    Ok(found)
}

fn receipts(reader: &Reader<'_>, customer: DocumentId) -> Result<Vec<AccountEntry>, AppError> {
    let mut found = Vec::new();
    let mut statement = reader
        .conn()
        .prepare_cached("select body, at from receipt where customer = ?1 order by row")?;
    let mut rows = statement.query([Id(customer)])?;
    while let Some(row) = rows.next()? {
        let body = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
        let receipt: Receipt = decode_body(body, "Receipt").map_err(StoreError::from)?;
        let at_ms = row.get(1)?;
        let paper = (receipt.series, receipt.number);
        let promised = not_brought(reader, &receipt)?;
        let taken = receipt
            .tenders
            .iter()
            .filter(|one| one.tender == Tender::Account)
            .map(|one| (AccountEntryKind::Taken, one.amount_minor));
        let paid = receipt
            .lines
            .iter()
            .filter(|line| line.kind == ReceiptLineKind::Claim)
            .map(|line| {
                let amount = i64::from(line.quantity).saturating_mul(line.unit_minor);
                (AccountEntryKind::Paid, -amount)
            });
        let all = taken.chain(promised).chain(paid);
        found.extend(all.map(|(kind, amount_minor)| AccountEntry {
            kind,
            amount_minor,
            paper,
            at_ms,
        }));
    }
    Ok(found)
}

/// What cards and banks were asked for in vain.
fn not_brought(
    reader: &Reader<'_>,
    receipt: &Receipt,
) -> Result<Option<(AccountEntryKind, i64)>, AppError> {
    if !receipt.tenders.iter().any(|one| one.tender.is_asked_for()) {
        return Ok(None);
    }
    let asked = payment::of_receipt(reader, receipt.id)?;
    let rest: i64 = asked
        .iter()
        .filter(|one| {
            let state = one.state;
            matches!(state, PaymentState::Cancelled | PaymentState::Failed)
        })
        .map(|one| one.asked_minor.saturating_sub(one.captured_minor))
        .sum();
    Ok((rest > 0).then_some((AccountEntryKind::NotBrought, rest)))
}

fn refunds(reader: &Reader<'_>, customer: DocumentId) -> Result<Vec<AccountEntry>, AppError> {
    let mut found = Vec::new();
    let mut statement = reader.conn().prepare_cached(
        "select r.body, r.at from refund r join receipt p on p.id = r.receipt where p.customer = ?1 order by r.row",
    )?;
    let mut rows = statement.query([Id(customer)])?;
    while let Some(row) = rows.next()? {
        let body = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
        let refund: Refund = decode_body(body, "Refund").map_err(StoreError::from)?;
        let at_ms = row.get(1)?;
        let back = refund
            .tenders
            .iter()
            .filter(|one| one.tender == Tender::Account);
        found.extend(back.map(|one| AccountEntry {
            kind: AccountEntryKind::GivenBack,
            amount_minor: -one.amount_minor,
            paper: (refund.series, refund.number),
            at_ms,
        }));
    }
    Ok(found)
}
