//! Transfers as managers see them. Goods are moved by the branches; the hub plans, looks into and settles.

mod decide;
mod open;

pub(crate) use decide::FOUND;
pub use decide::{Decision, WriteOff, decide};
pub use open::{OpenTransfers, Step, TransferCard, card, open};

use std::collections::BTreeMap;

use domain::id::{BranchId, PartId, TransferId};
use domain::permission::Permission;
use domain::quantity::MAX_QUANTITY;
use domain::text::{NOTE_MAX, clean_block};
use domain::transfer::{
    TransferBalance, TransferFold, TransferLine, TransferRecord as Fact, TransferRequest,
    TransferState, check_transfer, fold_transfer,
};
use sync_protocol::item::Item;

use super::branch::{code_of, codes, named};
use super::error::AppError;
use super::session::Person;
use super::{Hub, HubTx};
use crate::store::db::PgConnection;
use crate::store::inventory::read as store;
use crate::store::inventory::transfer::records;
use crate::store::scope::Place;

/// A wish for goods.
#[derive(Debug, Clone)]
pub struct NewTransfer {
    /// Code or id of the branch that should send.
    pub from: String,
    /// Code or id of the branch that should get.
    pub to: String,
    /// Sku and pieces.
    pub lines: Vec<(String, i64)>,
    /// Why.
    pub note: String,
    /// Whether the hub's plan is made at once.
    pub approved: bool,
}

/// One part of a transfer.
#[derive(Debug, Clone)]
pub struct TransferLineState {
    /// Its sku.
    pub sku: String,
    /// Its name.
    pub name: String,
    /// Its pieces.
    pub balance: TransferBalance,
}

/// A transfer.
#[derive(Debug, Clone)]
pub struct TransferView {
    /// Its id.
    pub id: TransferId,
    /// Code of the branch that sends.
    pub from: String,
    /// Code of the branch that gets.
    pub to: String,
    /// Where it stands.
    pub fold: TransferFold,
    /// Its parts.
    pub lines: Vec<TransferLineState>,
    /// Why it was asked for.
    pub note: String,
    /// How many records there are: the version of what is shown.
    pub records: usize,
    /// When it began.
    pub created_ms: i64,
    /// When it was last heard of.
    pub updated_ms: i64,
}

async fn lines_of(
    connection: &mut PgConnection,
    lines: &[(String, i64)],
) -> Result<Vec<TransferLine>, AppError> {
    let mut found = Vec::with_capacity(lines.len());
    let mut problems = domain::problem::Problems::new();
    for (index, (sku, quantity)) in lines.iter().enumerate() {
        let part = store::part_by_sku(connection, sku).await?;
        problems.check(
            part.is_some(),
            &format!("/lines/{index}/sku"),
            "there is no such part",
        );
        let quantity = u32::try_from(*quantity)
            .ok()
            .filter(|pieces| (1..=MAX_QUANTITY).contains(&i64::from(*pieces)));
        let range = "must be a whole number from 1 to 1000000";
        problems.check(
            quantity.is_some(),
            &format!("/lines/{index}/quantity"),
            range,
        );
        if let (Some(part), Some(quantity)) = (part, quantity) {
            found.push(TransferLine {
                part: part.id,
                quantity,
            });
        }
    }
    problems.finish(found).map_err(AppError::Invalid)
}

/// Asks for a transfer.
///
/// # Errors
/// Wrong fields.
pub async fn request(
    tx: &mut HubTx,
    person: &Person,
    new: &NewTransfer,
) -> Result<TransferView, AppError> {
    if new.lines.len() > domain::transfer::MAX_LINES {
        return Err(AppError::field(
            "/lines",
            "must not have more than 200 lines",
        ));
    }
    let from = named(tx.sql(), "/from", &new.from).await?;
    let to = named(tx.sql(), "/to", &new.to).await?;
    if !person.scope().allows(from) && !person.scope().allows(to) {
        person.require_branch(to)?;
    }
    let lines = lines_of(tx.sql(), &new.lines).await?;
    let problems = check_transfer(from, to, &lines, &new.note);
    if !problems.is_empty() {
        return Err(AppError::Invalid(problems));
    }
    let id = TransferId::from_random(&mut tx.hub().env().entropy());
    let note = clean_block(&new.note, NOTE_MAX).map_err(|error| AppError::field("/note", error))?;
    let request = TransferRequest {
        id,
        from,
        to,
        lines,
        note,
    };
    tx.fact(Item::TransferRequest(request.clone()));
    let mut facts = vec![Fact::Request(request)];
    if new.approved {
        person.require(Permission::TransfersApprove)?;
        let plan = decide::first_plan(&facts)?;
        tx.fact(Item::Plan(plan.clone()));
        facts.push(Fact::Plan(plan));
    }
    let at_ms = tx.at_ms();
    let known = store::TransferRecord {
        id,
        from,
        to,
        created_ms: at_ms,
        updated_ms: at_ms,
    };
    view_of(tx.sql(), known, facts).await
}

async fn find(
    connection: &mut PgConnection,
    person: &Person,
    id: TransferId,
) -> Result<store::TransferRecord, AppError> {
    let found = store::transfers(connection, &person.scope(), None, Some(id), None, 1).await?;
    found
        .into_iter()
        .next()
        .ok_or(AppError::NotFound { what: "transfer" })
}

async fn facts_of(connection: &mut PgConnection, id: TransferId) -> Result<Vec<Fact>, AppError> {
    Ok(records(connection, &[id])
        .await?
        .into_iter()
        .map(|(_, fact)| fact)
        .collect())
}

/// Transfers, the newest first.
///
/// # Errors
/// When the database fails.
pub async fn list(
    hub: &Hub,
    person: &Person,
    state: Option<TransferState>,
    only: Option<TransferId>,
    place: Option<Place>,
    limit: i64,
) -> Result<Vec<TransferView>, AppError> {
    let mut connection = hub.snapshot().await?;
    let rows =
        store::transfers(&mut connection, &person.scope(), state, only, place, limit).await?;
    let ids: Vec<TransferId> = rows.iter().map(|row| row.id).collect();
    let mut facts: BTreeMap<TransferId, Vec<Fact>> = BTreeMap::new();
    for (id, fact) in records(&mut connection, &ids).await? {
        facts.entry(id).or_default().push(fact);
    }
    let mut views = Vec::with_capacity(rows.len());
    let names = Names::read(&mut connection, facts.values().flatten()).await?;
    for row in rows {
        views.push(names.view(row, facts.remove(&row.id).unwrap_or_default())?);
    }
    Ok(views)
}

/// One transfer.
///
/// # Errors
/// When there is none, or none that the person may see.
pub async fn get(hub: &Hub, person: &Person, id: TransferId) -> Result<TransferView, AppError> {
    let found = list(hub, person, None, Some(id), None, 1).await?;
    found
        .into_iter()
        .next()
        .ok_or(AppError::NotFound { what: "transfer" })
}

async fn view_of(
    connection: &mut PgConnection,
    row: store::TransferRecord,
    facts: Vec<Fact>,
) -> Result<TransferView, AppError> {
    Names::read(connection, facts.iter())
        .await?
        .view(row, facts)
}

/// Codes of branches and names of parts.
struct Names {
    branches: BTreeMap<BranchId, String>,
    parts: BTreeMap<PartId, (String, String)>,
}

impl Names {
    async fn read(
        connection: &mut PgConnection,
        facts: impl Iterator<Item = &Fact> + Send,
    ) -> Result<Self, AppError> {
        let parts: std::collections::BTreeSet<PartId> = facts.flat_map(parts_of).collect();
        let parts: Vec<PartId> = parts.into_iter().collect();
        let names = store::part_names(connection, &parts).await?;
        Ok(Names {
            branches: codes(connection).await?,
            parts: names
                .into_iter()
                .map(|(part, sku, name)| (part, (sku, name)))
                .collect(),
        })
    }

    fn view(&self, row: store::TransferRecord, facts: Vec<Fact>) -> Result<TransferView, AppError> {
        let fold = fold_transfer(&facts).ok_or(AppError::NotFound { what: "transfer" })?;
        let lines = fold.lines.iter().map(|(part, balance)| {
            let (sku, name) = self.parts.get(part).cloned().unwrap_or_default();
            TransferLineState {
                sku,
                name,
                balance: *balance,
            }
        });
        let note = facts.iter().find_map(|fact| match fact {
            Fact::Request(request) => Some(request.note.clone()),
            _ => None,
        });
        Ok(TransferView {
            id: row.id,
            from: code_of(&self.branches, fold.from),
            to: code_of(&self.branches, fold.to),
            lines: lines.collect(),
            note: note.unwrap_or_default(),
            records: facts.len(),
            created_ms: row.created_ms,
            updated_ms: row.updated_ms,
            fold,
        })
    }
}

fn parts_of(fact: &Fact) -> Vec<PartId> {
    match fact {
        Fact::Request(request) => request.lines.iter().map(|line| line.part).collect(),
        Fact::Plan(plan) => plan.lines.iter().map(|line| line.part).collect(),
        Fact::Shipment(shipment) => shipment.lines.iter().map(|line| line.part).collect(),
        Fact::Arrival(arrival) => arrival.lines.iter().map(|line| line.part).collect(),
        Fact::Movement(movement) => vec![movement.part],
    }
}
