//! One receipt of the chain: its lines, how it was paid, and what went back.

use domain::id::{ReceiptId, RefundId, SessionId, StaffId};
use domain::till::{PaperKind, Receipt, paper_number};
use sync_protocol::item::decode_body;

use super::read::{ReceiptRow, TenderState, Wanted};
use crate::app::error::AppError;
use crate::app::session::Person;
use crate::app::{Hub, branch};
use crate::error::HubError;
use crate::store::payments::read as store;

/// Something that was given back against a receipt.
#[derive(Debug, Clone)]
pub struct GivenBack {
    /// Its id.
    pub id: RefundId,
    /// Its number as it is printed.
    pub number: String,
    /// How much.
    pub amount_minor: i64,
    /// When.
    pub at_ms: i64,
    /// Who.
    pub staff: StaffId,
}

/// A receipt with all that became of it.
#[derive(Debug, Clone)]
pub struct ReceiptState {
    /// Its head.
    pub row: ReceiptRow,
    /// Its number as it is printed.
    pub number: String,
    /// Code of its branch.
    pub branch: String,
    /// The cash session that it was written in, where its records are here.
    pub session: Option<SessionId>,
    /// The paper.
    pub receipt: Receipt,
    /// Where its payments stand.
    pub tenders: Vec<TenderState>,
    /// What was given back of it.
    pub refunds: Vec<GivenBack>,
}

/// Receipts with their numbers and where their payments stand, newest first; of one cash session, where it is given.
///
/// # Errors
/// When the database fails.
pub async fn receipts(
    hub: &Hub,
    person: &Person,
    wanted: &Wanted,
    session: Option<SessionId>,
) -> Result<Vec<(ReceiptRow, String, Vec<TenderState>)>, AppError> {
    let mut connection = hub.snapshot().await?;
    let scope = person.scope().narrowed(wanted.branch);
    let rows =
        store::receipts(&mut connection, &scope, session, wanted.place, wanted.limit).await?;
    let codes = branch::codes(&mut connection).await?;
    let ids: Vec<ReceiptId> = rows.iter().map(|row| row.id).collect();
    let tenders = store::tenders_of(&mut connection, &ids).await?;
    let shown = |row: ReceiptRow| {
        let number = number(&codes, &row);
        let mine = tenders.iter().filter(|(receipt, _)| *receipt == row.id);
        let mine = mine.map(|(_, state)| state.clone()).collect();
        (row, number, mine)
    };
    Ok(rows.into_iter().map(shown).collect())
}

fn number(codes: &branch::Codes, row: &ReceiptRow) -> String {
    let code = branch::code_of(codes, row.branch);
    paper_number(&code, PaperKind::Receipt, row.series, row.number)
}

/// One receipt.
///
/// # Errors
/// When there is none, or none that the person may see.
pub async fn receipt(hub: &Hub, person: &Person, id: ReceiptId) -> Result<ReceiptState, AppError> {
    let mut connection = hub.snapshot().await?;
    let (row, body) = store::receipt(&mut connection, id)
        .await?
        .filter(|(row, _)| person.scope().allows(row.branch))
        .ok_or(AppError::NotFound { what: "receipt" })?;
    let receipt: Receipt = decode_body(&body, "Receipt")
        .map_err(|_| HubError::Row("a receipt that cannot be read"))?;
    let session = match receipt.session {
        Some(id) => store::session(&mut connection, id).await?.map(|_| id),
        None => None,
    };
    let codes = branch::codes(&mut connection).await?;
    let code = branch::code_of(&codes, row.branch);
    let tenders = store::tenders_of(&mut connection, &[id]).await?;
    let refunds = store::given_of(&mut connection, id).await?;
    Ok(ReceiptState {
        number: number(&codes, &row),
        tenders: tenders.into_iter().map(|(_, state)| state).collect(),
        refunds: refunds
            .into_iter()
            .map(|back| GivenBack {
                id: back.id,
                number: paper_number(&code, PaperKind::Receipt, back.series, back.number),
                amount_minor: back.amount_minor,
                at_ms: back.at_ms,
                staff: back.staff,
            })
            .collect(),
        branch: code,
        session,
        receipt,
        row,
    })
}

/// The numbers of these receipts as they are printed, with the codes of branches.
///
/// # Errors
/// When the database fails.
pub async fn numbers(
    hub: &Hub,
    receipts: &[(ReceiptId, String)],
) -> Result<std::collections::BTreeMap<ReceiptId, String>, AppError> {
    let ids: Vec<ReceiptId> = receipts.iter().map(|(id, _)| *id).collect();
    let mut connection = hub.snapshot().await?;
    let found = store::receipt_numbers(&mut connection, &ids).await?;
    let number = |(id, series, number): (ReceiptId, u8, u32)| {
        let code = receipts.iter().find(|(known, _)| *known == id)?;
        let printed = paper_number(&code.1, PaperKind::Receipt, series, number);
        Some((id, printed))
    };
    Ok(found.into_iter().filter_map(number).collect())
}

/// These receipts by their ids, with their numbers as they are printed; those that are there.
///
/// # Errors
/// When the database fails.
pub async fn these(
    hub: &Hub,
    ids: &[ReceiptId],
) -> Result<std::collections::BTreeMap<ReceiptId, (String, Receipt)>, AppError> {
    let mut connection = hub.snapshot().await?;
    let codes = branch::codes(&mut connection).await?;
    let mut found = std::collections::BTreeMap::new();
    for &id in ids {
        if found.contains_key(&id) {
            continue;
        }
        if let Some((row, body)) = store::receipt(&mut connection, id).await? {
            let receipt = decode_body(&body, "Receipt")
                .map_err(|_| HubError::Row("a receipt that cannot be read"))?;
            found.insert(id, (number(&codes, &row), receipt));
        }
    }
    Ok(found)
}
