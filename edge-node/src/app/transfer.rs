//! Transfers: asked for here, planned by the hub, shipped and received here.
//!
//! Each step is a record and the movements that it makes, in one transaction; the goods leave only what is free and
//! arrive at most once. All of it works cut off.

use domain::id::{BranchId, PartId, TransferId};
use domain::permission::Permission;
use domain::problem::Problems;
use domain::quantity::{MAX_QUANTITY, Quantity};
use domain::stock::{Movement, MovementKind};
use domain::transfer::{
    Arrival, ArrivalLine, Shipment, TransferError, TransferFold, TransferLine, TransferRequest,
    TransferState, check_arrival, check_transfer, fold_transfer, may_receive, may_ship,
};
use serde::{Deserialize, Serialize};
use sync_protocol::item::{Item, command};
use utoipa::ToSchema;
use web_kit::list::{ListQuery, Page};

use super::stock::{check_free, find_part};
use super::{Codes, cursor, place, require};
use crate::error::AppError;
use crate::store::transfer::{self as rows, End, KeptRecord, TransferView};
use crate::store::{Actor, Reader, WriteTx, catalogue};
use web_kit::wire::{Time, TransferStateForm};

/// Name of the list in cursors.
const LIST: &str = "transfers";

/// Pieces of one part that are asked for or shipped.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TransferLineInput)]
pub struct LineInput {
    /// The part.
    #[schema(max_length = 64)]
    pub sku: String,
    /// Pieces.
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub quantity: i64,
}

/// A request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TransferInput {
    /// Code of the branch that sends.
    #[schema(max_length = 6, example = "BER")]
    pub from: String,
    /// Code of the branch that receives; absent: this one.
    #[serde(default)]
    #[schema(max_length = 6)]
    pub to: Option<String>,
    /// What.
    #[schema(min_items = 1, max_items = 200)]
    pub lines: Vec<LineInput>,
    /// Why.
    #[serde(default)]
    #[schema(max_length = 8000)]
    pub note: String,
}

/// What leaves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShipInput {
    /// The pieces; absent: all that are planned.
    #[serde(default)]
    #[schema(max_items = 200)]
    pub lines: Option<Vec<LineInput>>,
}

/// What arrived of one part.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ArrivalInput {
    /// The part.
    #[schema(max_length = 64)]
    pub sku: String,
    /// Arrived good.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub quantity: i64,
    /// Arrived damaged: scrapped.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub damaged: i64,
    /// Looked for and not there: stays on its way.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub missing: i64,
}

/// What arrived.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReceiveInput {
    /// The pieces; absent: all that are on their way arrived good.
    #[serde(default)]
    #[schema(max_items = 200)]
    pub lines: Option<Vec<ArrivalInput>>,
}

/// A transfer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Transfer {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    pub id: TransferId,
    /// Code of the branch that sends.
    pub from: String,
    /// Code of the branch that receives.
    pub to: String,
    /// Where it stands.
    #[schema(value_type = TransferStateForm)]
    pub state: TransferState,
    /// Why it was asked for.
    pub note: String,
    /// The pieces by part.
    pub lines: Vec<Line>,
    /// When it was begun.
    pub created_at: Time,
    /// When something last happened.
    pub updated_at: Time,
}

/// The pieces of one part in a transfer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = TransferLine)]
pub struct Line {
    /// The part.
    pub sku: String,
    /// Its name.
    pub name: String,
    /// Planned, or asked for while there is no plan.
    pub quantity: i64,
    /// Left the source.
    pub shipped: i64,
    /// Arrived good.
    pub received: i64,
    /// Arrived damaged.
    pub damaged: i64,
    /// Looked for in vain by the last arrival.
    pub missing: i64,
    /// Written off.
    pub lost: i64,
    /// On its way.
    pub in_transit: i64,
}

/// Transfers, newest first.
pub fn list(
    reader: &Reader<'_>,
    actor: &Actor,
    state: Option<TransferState>,
    page: &ListQuery,
) -> Result<Page<Transfer>, AppError> {
    require(actor, Permission::TransfersRead)?;
    let found = rows::list(
        reader,
        state,
        place(page, LIST)?,
        page.limit.saturating_add(1),
    )?;
    let Page { items, next_cursor } = Page::cut(found, page.limit, |last| cursor(LIST, &last.row));
    let mut codes = Codes::default();
    let items = items
        .into_iter()
        .map(|view| show(reader, &mut codes, view))
        .collect::<Result<_, _>>()?;
    Ok(Page { items, next_cursor })
}

/// Transfers of these states with this branch at this end, those that changed last first, and how many there are.
pub fn standing(
    reader: &Reader<'_>,
    actor: &Actor,
    wanted: &[(TransferState, End)],
    limit: u32,
) -> Result<(Vec<Transfer>, i64), AppError> {
    require(actor, Permission::TransfersRead)?;
    let (found, count) = rows::standing(reader, reader.identity().branch, wanted, limit)?;
    let mut codes = Codes::default();
    let shown = found
        .into_iter()
        .map(|view| show(reader, &mut codes, view))
        .collect::<Result<_, _>>()?;
    Ok((shown, count))
}

/// One transfer.
pub fn get(reader: &Reader<'_>, actor: &Actor, id: TransferId) -> Result<Transfer, AppError> {
    require(actor, Permission::TransfersRead)?;
    find(reader, id)
}

/// What happened to a transfer, the newest first.
pub fn history(
    reader: &Reader<'_>,
    actor: &Actor,
    id: TransferId,
) -> Result<Vec<KeptRecord>, AppError> {
    require(actor, Permission::TransfersRead)?;
    let mut found = rows::history(reader, id)?;
    found.reverse();
    Ok(found)
}

/// Asks for goods; the hub makes the plan.
pub fn request(
    tx: &mut WriteTx<'_>,
    actor: &Actor,
    input: TransferInput,
) -> Result<Transfer, AppError> {
    require(actor, Permission::TransfersRequest)?;
    let reader = tx.reader();
    let own = tx.identity().branch;
    let mut problems = Problems::new();
    let from = branch(&reader, "/from", &input.from, &mut problems)?;
    let to = match &input.to {
        Some(code) => branch(&reader, "/to", code, &mut problems)?,
        None => own,
    };
    problems.check(
        from == own || to == own,
        "/to",
        "must be this branch, unless it is the one that sends",
    );
    let lines = lines(&reader, &input.lines, &mut problems)?;
    problems.finish(()).map_err(AppError::Invalid)?;
    let found = check_transfer(from, to, &lines, &input.note);
    if !found.is_empty() {
        return Err(AppError::Invalid(found));
    }
    let id = TransferId::from_random(&mut tx.random());
    let note = input.note.trim().to_owned();
    tx.begin(command::TRANSFER, actor)?;
    tx.fact(Item::TransferRequest(TransferRequest {
        id,
        from,
        to,
        lines,
        note,
    }))?;
    find(&tx.reader(), id)
}

fn branch(
    reader: &Reader<'_>,
    pointer: &str,
    code: &str,
    problems: &mut Problems,
) -> Result<BranchId, AppError> {
    let code = code.trim();
    if let Some((id, _)) = catalogue::branch_by_code(reader, code)? {
        return Ok(id);
    }
    if code == reader.identity().code {
        return Ok(reader.identity().branch);
    }
    problems.add(pointer, "no branch has this code");
    Ok(BranchId::NIL)
}

fn lines(
    reader: &Reader<'_>,
    wish: &[LineInput],
    problems: &mut Problems,
) -> Result<Vec<TransferLine>, AppError> {
    let mut lines = Vec::new();
    for (i, line) in wish
        .iter()
        .enumerate()
        .take(domain::transfer::MAX_LINES + 1)
    {
        let part = part(reader, i, &line.sku, problems)?;
        let quantity = problems.take(
            &format!("/lines/{i}/quantity"),
            Quantity::new(line.quantity).map(Quantity::as_u32),
        );
        lines.push(TransferLine { part, quantity });
    }
    Ok(lines)
}

fn part(
    reader: &Reader<'_>,
    line: usize,
    sku: &str,
    problems: &mut Problems,
) -> Result<PartId, AppError> {
    match find_part(reader, sku) {
        Ok((part, _)) => Ok(part),
        Err(AppError::NotFound { .. }) => {
            problems.add(
                format!("/lines/{line}/sku"),
                "no part of the catalogue has this sku",
            );
            Ok(PartId::NIL)
        }
        Err(error) => Err(error),
    }
}

/// Sends goods: they leave the shelf and are on their way.
pub fn ship(
    tx: &mut WriteTx<'_>,
    actor: &Actor,
    id: TransferId,
    input: ShipInput,
) -> Result<Transfer, AppError> {
    require(actor, Permission::TransfersShip)?;
    let reader = tx.reader();
    let own = tx.identity().branch;
    let fold = fold(&reader, id)?;
    let lines = match &input.lines {
        Some(wish) => {
            let mut problems = Problems::new();
            let lines = lines(&reader, wish, &mut problems)?;
            problems.finish(lines).map_err(AppError::Invalid)?
        }
        None => planned(&fold),
    };
    let wanted: Vec<(PartId, i64)> = lines
        .iter()
        .map(|line| (line.part, i64::from(line.quantity)))
        .collect();
    may_ship(&fold, own, &wanted).map_err(|error| refused(error, &wanted))?;
    // The form is that of a request: some lines, each part once.
    let found = check_transfer(fold.from, fold.to, &lines, "");
    if !found.is_empty() {
        return Err(AppError::Invalid(found));
    }
    for (i, (part, quantity)) in wanted.iter().enumerate() {
        check_free(&reader, *part, *quantity).map_err(|error| error.with("line", i))?;
    }
    let text = format!("to {}", Codes::default().code(&reader, fold.to)?);
    tx.begin(command::TRANSFER, actor)?;
    tx.fact(Item::Shipment(Shipment {
        transfer: id,
        lines,
    }))?;
    for (part, quantity) in wanted {
        move_part(tx, id, part, MovementKind::Ship, quantity, 0, &text)?;
    }
    find(&tx.reader(), id)
}

fn planned(fold: &TransferFold) -> Vec<TransferLine> {
    let line = |(part, line): (&PartId, &domain::transfer::TransferBalance)| {
        let quantity = u32::try_from(line.planned)
            .ok()
            .filter(|quantity| *quantity > 0)?;
        Some(TransferLine {
            part: *part,
            quantity,
        })
    };
    fold.lines.iter().filter_map(line).collect()
}

/// Takes goods in: good ones onto the shelf, damaged ones are scrapped, missing ones stay on their way.
pub fn receive(
    tx: &mut WriteTx<'_>,
    actor: &Actor,
    id: TransferId,
    input: ReceiveInput,
) -> Result<Transfer, AppError> {
    require(actor, Permission::TransfersReceive)?;
    let reader = tx.reader();
    let own = tx.identity().branch;
    let fold = fold(&reader, id)?;
    let lines = match &input.lines {
        Some(wish) => arrivals(&reader, wish)?,
        None => on_the_way(&fold),
    };
    let arrived: Vec<(PartId, i64)> = lines
        .iter()
        .map(|line| (line.part, i64::from(line.good) + i64::from(line.damaged)))
        .collect();
    may_receive(&fold, own, &arrived).map_err(|error| refused(error, &arrived))?;
    let arrival = Arrival {
        transfer: id,
        number: fold.next_arrival,
        lines,
    };
    let found = check_arrival(&arrival);
    if !found.is_empty() {
        return Err(AppError::Invalid(found));
    }
    check_missing(&fold, &arrival)?;
    let text = format!("from {}", Codes::default().code(&reader, fold.from)?);
    tx.begin(command::TRANSFER, actor)?;
    let number = arrival.number;
    let lines = arrival.lines.clone();
    tx.fact(Item::Arrival(arrival))?;
    for line in lines {
        for (kind, quantity) in [
            (MovementKind::Arrive, line.good),
            (MovementKind::ArriveDamaged, line.damaged),
        ] {
            if quantity > 0 {
                move_part(tx, id, line.part, kind, i64::from(quantity), number, &text)?;
            }
        }
    }
    find(&tx.reader(), id)
}

fn arrivals(reader: &Reader<'_>, wish: &[ArrivalInput]) -> Result<Vec<ArrivalLine>, AppError> {
    let mut problems = Problems::new();
    let mut lines = Vec::new();
    for (i, line) in wish
        .iter()
        .enumerate()
        .take(domain::transfer::MAX_LINES + 1)
    {
        let part = part(reader, i, &line.sku, &mut problems)?;
        let mut pieces = |field: &str, count: i64| match u32::try_from(count) {
            Ok(pieces) if (0..=MAX_QUANTITY).contains(&count) => pieces,
            _ => {
                problems.add(
                    format!("/lines/{i}/{field}"),
                    "must be a whole number from 0 to 1000000",
                );
                0
            }
        };
        let (good, damaged, missing) = (
            pieces("quantity", line.quantity),
            pieces("damaged", line.damaged),
            pieces("missing", line.missing),
        );
        lines.push(ArrivalLine {
            part,
            good,
            damaged,
            missing,
        });
    }
    problems.finish(lines).map_err(AppError::Invalid)
}

fn on_the_way(fold: &TransferFold) -> Vec<ArrivalLine> {
    let line = |(part, line): (&PartId, &domain::transfer::TransferBalance)| {
        let good = u32::try_from(line.in_transit())
            .ok()
            .filter(|good| *good > 0)?;
        Some(ArrivalLine {
            part: *part,
            good,
            damaged: 0,
            missing: 0,
        })
    };
    fold.lines.iter().filter_map(line).collect()
}

/// Nobody misses more than left and did not arrive.
fn check_missing(fold: &TransferFold, arrival: &Arrival) -> Result<(), AppError> {
    let mut problems = Problems::new();
    for (i, line) in arrival.lines.iter().enumerate() {
        let there = fold
            .lines
            .get(&line.part)
            .map_or(0, |balance| balance.shipped - balance.arrived());
        let left = there - i64::from(line.good) - i64::from(line.damaged);
        if i64::from(line.missing) > left {
            problems.add(
                format!("/lines/{i}/missing"),
                format!("only {left} more are on their way"),
            );
        }
    }
    problems.finish(()).map_err(AppError::Invalid)
}

fn move_part(
    tx: &mut WriteTx<'_>,
    transfer: TransferId,
    part: PartId,
    kind: MovementKind,
    quantity: i64,
    number: u16,
    text: &str,
) -> Result<(), AppError> {
    let mut movement = Movement::new(tx.identity().branch, part, kind, quantity).about(
        *transfer.as_bytes(),
        *part.as_bytes(),
        number,
    );
    text.clone_into(&mut movement.text);
    tx.fact(Item::Movement(movement))?;
    Ok(())
}

fn fold(reader: &Reader<'_>, id: TransferId) -> Result<TransferFold, AppError> {
    fold_transfer(&rows::records_of(reader, id)?).ok_or(AppError::NotFound { what: "transfer" })
}

fn refused(error: TransferError, lines: &[(PartId, i64)]) -> AppError {
    let pointer = |part: PartId, field: &str| {
        let line = lines
            .iter()
            .position(|(there, _)| *there == part)
            .unwrap_or(0);
        format!("/lines/{line}/{field}")
    };
    match error {
        TransferError::State { state, .. } => {
            AppError::conflict("transfer-state", error.to_string()).with("state", state.as_str())
        }
        TransferError::OtherBranch => AppError::conflict("other-branch", error.to_string()),
        TransferError::UnknownPart(part) => {
            AppError::field(&pointer(part, "sku"), "the transfer has no such part")
        }
        TransferError::TooMany { part, there } => AppError::field(
            &pointer(part, "quantity"),
            format!("only {there} can be here"),
        ),
    }
}

fn find(reader: &Reader<'_>, id: TransferId) -> Result<Transfer, AppError> {
    let view = rows::get(reader, id)?.ok_or(AppError::NotFound { what: "transfer" })?;
    show(reader, &mut Codes::default(), view)
}

fn show(reader: &Reader<'_>, codes: &mut Codes, view: TransferView) -> Result<Transfer, AppError> {
    let mut lines = Vec::new();
    for line in &view.lines {
        let row = catalogue::part(reader, line.part)?;
        let (sku, name) = row.map_or_else(
            || (line.part.to_string(), String::new()),
            |row| (row.sku, row.name),
        );
        lines.push(Line {
            sku,
            name,
            quantity: line.planned,
            shipped: line.shipped,
            received: line.good,
            damaged: line.damaged,
            missing: line.missing,
            lost: line.lost,
            in_transit: line.in_transit(),
        });
    }
    Ok(Transfer {
        id: view.id,
        from: codes.code(reader, view.from)?,
        to: codes.code(reader, view.to)?,
        state: view.state,
        note: view.note,
        lines,
        created_at: Time(view.created_at_ms),
        updated_at: Time(view.updated_at_ms),
    })
}
