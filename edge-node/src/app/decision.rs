//! What waits for people: decisions, conflicts of fields, incidents.
//!
//! A decision is open exactly while its condition holds, so settling one means to change what it is about. Who settled
//! it and why stays in the audit.

pub mod conflict;

use domain::document::DocumentKind;
use domain::id::{DocumentId, EventId, IdBytes, PartId, PaymentId, parse_uuid};
use domain::money::Money;
use domain::order::{Outcome, Status, settle_status};
use domain::payment::{Hold, HoldState};
use domain::permission::Permission;
use domain::quantity::MAX_QUANTITY;
use domain::stock::{Movement, MovementKind};
use domain::text::{self, REASON_MAX};
use domain::till::{PaperKind, paper_number};
use serde::{Deserialize, Serialize};
use sync_protocol::item::{AuditNote, Item, command};
use utoipa::ToSchema;
use web_kit::list::{ListQuery, Page};

use super::{cursor, place, require};
use crate::error::AppError;
use crate::store::money::{hold, payment, receipt};
use crate::store::{Actor, Reader, WriteTx, catalogue, incident, order, parked, staff, stock};
pub use conflict::{Conflict, ResolveInput, SettledConflict, conflicts, resolve, settled, undo};
use web_kit::wire::{MoneyForm, OutcomeForm, StatusForm, Time, money};

/// Money that came after the parts that were kept for it went back.
const LATE: &str = "late_payment";
/// Money that came although its promise was called off.
const GIVE_BACK: &str = "give_back";
/// Name of the list of incidents in cursors.
const INCIDENTS: &str = "incidents";

/// Something for people to decide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Decision {
    /// Its id.
    #[schema(format = "uuid")]
    pub id: String,
    /// `status`: two steps of one rank. `count_part`: fewer than none on the shelf. `late_payment`: money came after the
    /// parts that were kept for it went back. `give_back`: money came although its promise was called off; it ends when
    /// the money went back.
    #[schema(example = "status")]
    pub kind: String,
    /// What it is about: an order, a part or a payment.
    #[schema(format = "uuid")]
    pub subject_id: String,
    /// The order's number, the part's sku or the number of the payment's receipt.
    pub subject: String,
    /// What is asked.
    pub question: String,
    /// What may be answered.
    pub choices: Vec<Choice>,
    /// Of `count_part`: what the records come to.
    #[schema(required = true)]
    pub on_hand: Option<i64>,
    /// Of `give_back`: what is to be given back.
    #[schema(required = true, value_type = Option<MoneyForm>)]
    pub amount: Option<Money>,
    /// Since when.
    pub since: Time,
}

/// An answer that may be given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Choice {
    /// What to send.
    pub choice: String,
    /// What it means.
    pub text: String,
    /// Of `status`: what the order would stand at.
    #[schema(required = true, value_type = Option<StatusForm>)]
    pub status: Option<Status>,
    /// Of `status`: how the work ended.
    #[schema(required = true, value_type = Option<OutcomeForm>)]
    pub outcome: Option<Outcome>,
    /// Of `status`: who took this step; null for the system.
    #[schema(required = true)]
    pub staff_name: Option<String>,
    /// Of `status`: when the step was taken.
    #[schema(required = true)]
    pub at: Option<Time>,
}

/// How a decision is settled.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SettleInput {
    /// One of the choices; of `count_part` also any other number of pieces counted.
    #[schema(min_length = 1, max_length = 64)]
    pub choice: String,
    /// Why.
    #[serde(default)]
    #[schema(max_length = 400)]
    pub reason: String,
}

/// What was settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Settled {
    /// The decision or conflict.
    #[schema(format = "uuid")]
    pub id: String,
    /// Whether it is still open.
    pub open: bool,
}

/// Something that happened to the machinery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Incident {
    /// Counts up.
    pub id: i64,
    /// When.
    pub at: Time,
    /// What kind.
    pub kind: String,
    /// What happened.
    pub detail: String,
}

/// Decisions that wait, newest first.
pub fn decisions(reader: &Reader<'_>, actor: &Actor) -> Result<Page<Decision>, AppError> {
    require(actor, Permission::ExceptionsRead)?;
    let mut items = parked::decisions(reader)?
        .into_iter()
        .map(|row| show(reader, &row))
        .collect::<Result<Vec<_>, _>>()?;
    items.reverse();
    Ok(Page::whole(items))
}

/// Incidents, newest first.
pub fn incidents(
    reader: &Reader<'_>,
    actor: &Actor,
    page: &ListQuery,
) -> Result<Page<Incident>, AppError> {
    require(actor, Permission::ExceptionsRead)?;
    let found = incident::list(
        reader,
        place(page, INCIDENTS)?,
        page.limit.saturating_add(1),
    )?;
    let show = |row: incident::Incident| Incident {
        id: row.id,
        at: Time(row.at_ms),
        kind: row.kind,
        detail: row.detail,
    };
    Ok(Page::cut(found, page.limit, |last| cursor(INCIDENTS, &last.id)).map(show))
}

/// Settles a decision.
pub fn settle(
    tx: &mut WriteTx<'_>,
    actor: &Actor,
    id: &str,
    input: &SettleInput,
) -> Result<Settled, AppError> {
    require(actor, Permission::ExceptionsSettle)?;
    let decision = find(&tx.reader(), id)?;
    if decision.kind == GIVE_BACK {
        let detail =
            "it ends when the money went back: refund its receipt, or the hub gives it back";
        return Err(AppError::conflict("ends-otherwise", detail));
    }
    let reason = text::clean_line(&input.reason, REASON_MAX)
        .map_err(|error| AppError::field("/reason", error))?;
    tx.begin(command::SETTLE, actor)?;
    match decision.kind.as_str() {
        "status" => settle_order(tx, actor, DocumentId::from_bytes(decision.subject), input)?,
        LATE => settle_late(tx, DocumentId::from_bytes(decision.subject), input)?,
        _ => settle_part(tx, PartId::from_bytes(decision.subject), input, &reason)?,
    }
    if !reason.is_empty() {
        tx.fact(Item::Note(AuditNote {
            subject: decision.id,
            text: reason,
        }))?;
    }
    let open = parked::decisions(&tx.reader())?
        .iter()
        .any(|row| row.id == decision.id);
    Ok(Settled {
        id: IdBytes(&decision.id).to_string(),
        open,
    })
}

fn find(reader: &Reader<'_>, id: &str) -> Result<parked::Decision, AppError> {
    let unknown = AppError::NotFound { what: "decision" };
    let Ok(id) = parse_uuid(id) else {
        return Err(unknown);
    };
    parked::decisions(reader)?
        .into_iter()
        .find(|row| row.id == id)
        .ok_or(unknown)
}

fn settle_order(
    tx: &mut WriteTx<'_>,
    actor: &Actor,
    id: DocumentId,
    input: &SettleInput,
) -> Result<(), AppError> {
    let view = order::get(&tx.reader(), id)?
        .ok_or(AppError::NotFound { what: "order" })?
        .view;
    let wrong = || {
        AppError::field(
            "/choice",
            "must be the id of one of the steps that contradict each other",
        )
    };
    let keep: EventId = input.choice.trim().parse().map_err(|_| wrong())?;
    let event = EventId::from_random(&mut tx.random());
    let edits = settle_status(&view, keep, event, actor.staff, tx.now_ms()).map_err(|_| wrong())?;
    tx.edit_document(id, DocumentKind::Order, &edits)?;
    super::order::status::keep_stock(tx, id, view.status)
}

/// The parts are set aside again, or what is to become of the money is settled otherwise.
fn settle_late(tx: &mut WriteTx<'_>, id: DocumentId, input: &SettleInput) -> Result<(), AppError> {
    let is_kept = match input.choice.trim() {
        "reserve" => true,
        "otherwise" => false,
        _ => return Err(AppError::field("/choice", "must be reserve or otherwise")),
    };
    let held = hold::of_order(&tx.reader(), id)?.ok_or(AppError::NotFound { what: "order" })?;
    if is_kept {
        super::order::line::reserve_open(tx, id)?;
    }
    tx.fact(Item::Hold(Hold {
        payment: held.payment,
        order: id,
        until_ms: held.until_ms,
        state: HoldState::RanOut,
    }))?;
    Ok(())
}

/// What was counted is brought onto the shelf: history took more than there was.
fn settle_part(
    tx: &mut WriteTx<'_>,
    part: PartId,
    input: &SettleInput,
    reason: &str,
) -> Result<(), AppError> {
    let counted: Option<i64> = input.choice.trim().parse().ok();
    let counted = counted
        .filter(|counted| (0..=MAX_QUANTITY).contains(counted))
        .ok_or_else(|| {
            AppError::field(
                "/choice",
                "must be how many pieces were counted, from 0 to 1000000",
            )
        })?;
    let missing = counted - stock::balance(&tx.reader(), part)?.on_hand;
    let branch = tx.identity().branch;
    // One movement holds a million pieces at most; history may have taken more.
    let mut left = missing;
    while left > 0 {
        let pieces = left.min(MAX_QUANTITY);
        let mut movement = Movement::new(branch, part, MovementKind::AdjustFound, pieces);
        reason.clone_into(&mut movement.text);
        tx.fact(Item::Movement(movement))?;
        left -= pieces;
    }
    Ok(())
}

fn show(reader: &Reader<'_>, row: &parked::Decision) -> Result<Decision, AppError> {
    let (mut on_hand, mut amount) = (None, None);
    let (subject, question, choices) = if row.kind == "status" {
        about_order(reader, DocumentId::from_bytes(row.subject))?
    } else if row.kind == LATE {
        about_late(reader, DocumentId::from_bytes(row.subject))?
    } else if row.kind == GIVE_BACK {
        let (subject, due) = about_money(reader, PaymentId::from_bytes(row.subject))?;
        amount = due;
        let question = format!(
            "A card of {subject} was called off, and its money came all the same. Who gives it back?"
        );
        (subject, question, Vec::new())
    } else {
        let part = PartId::from_bytes(row.subject);
        on_hand = Some(stock::balance(reader, part)?.on_hand);
        about_part(reader, part)?
    };
    Ok(Decision {
        on_hand,
        amount,
        id: IdBytes(&row.id).to_string(),
        kind: row.kind.clone(),
        subject_id: IdBytes(&row.subject).to_string(),
        subject,
        question,
        choices,
        since: Time(row.since_ms),
    })
}

fn about_order(
    reader: &Reader<'_>,
    id: DocumentId,
) -> Result<(String, String, Vec<Choice>), AppError> {
    let Some(record) = order::get(reader, id)? else {
        return Ok(Default::default());
    };
    let view = record.view;
    let fold = view.fold();
    let rivals = view
        .events
        .iter()
        .filter(|event| fold.deciding.contains(&event.id));
    let mut choices = Vec::new();
    for event in rivals {
        let status = event.to.map_or("", |status| status.as_str());
        let outcome = event
            .outcome
            .map_or_else(String::new, |outcome| format!(" ({outcome})"));
        choices.push(Choice {
            choice: event.id.to_string(),
            text: format!("{status}{outcome}, {}", Time(event.at_ms)),
            status: event.to,
            outcome: event.outcome,
            staff_name: staff::get(reader, event.staff)?.map(|row| row.name),
            at: Some(Time(event.at_ms)),
        });
    }
    let question = format!(
        "Two steps of {} contradict each other. Where does it stand?",
        view.number
    );
    Ok((view.number, question, choices))
}

fn about_late(
    reader: &Reader<'_>,
    id: DocumentId,
) -> Result<(String, String, Vec<Choice>), AppError> {
    let number = order::get(reader, id)?.map_or_else(|| id.to_string(), |row| row.view.number);
    let question = format!(
        "Money for {number} came after its parts went back to the shelf. Are they still there?"
    );
    let choice = |choice: &str, text: &str| Choice {
        choice: choice.to_owned(),
        text: text.to_owned(),
        status: None,
        outcome: None,
        staff_name: None,
        at: None,
    };
    let choices = vec![
        choice("reserve", "yes, set them aside again"),
        choice(
            "otherwise",
            "no, the parts are ordered or the money is given back",
        ),
    ];
    Ok((number, question, choices))
}

/// Number of the payment's receipt, and what of it is left to give back.
fn about_money(reader: &Reader<'_>, id: PaymentId) -> Result<(String, Option<Money>), AppError> {
    let Some(known) = payment::get(reader, id)? else {
        return Ok((id.to_string(), None));
    };
    let receipt = known
        .receipt
        .map(|id| receipt::get(reader, id))
        .transpose()?;
    let number = receipt.flatten().map_or_else(
        || id.to_string(),
        |record| {
            let (series, number) = (record.receipt.series, record.receipt.number);
            paper_number(&reader.identity().code, PaperKind::Receipt, series, number)
        },
    );
    let currency = known.currency.parse().unwrap_or_default();
    Ok((number, Some(money(known.left_minor(), currency))))
}

fn about_part(
    reader: &Reader<'_>,
    part: PartId,
) -> Result<(String, String, Vec<Choice>), AppError> {
    let sku = catalogue::part(reader, part)?.map_or_else(|| part.to_string(), |row| row.sku);
    let on_hand = stock::balance(reader, part)?.on_hand;
    let question =
        format!("The records come to {on_hand} pieces of {sku}. How many are on the shelf?");
    let choices = vec![Choice {
        choice: "0".to_owned(),
        text: "none is there".to_owned(),
        status: None,
        outcome: None,
        staff_name: None,
        at: None,
    }];
    Ok((sku, question, choices))
}
