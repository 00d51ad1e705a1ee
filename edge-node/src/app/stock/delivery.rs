//! A delivery: several parts at once, all in one transaction or none.

use domain::permission::Permission;
use domain::problem::Problems;
use domain::quantity::Quantity;
use domain::stock::{self as rules, MovementKind, movement_text};
use serde::{Deserialize, Serialize};
use sync_protocol::item::{Item, command};
use utoipa::ToSchema;

use super::{
    Movement, REASON_MAX, REFERENCE_MAX, check_free, find_part, require, said, show_movement,
};
use crate::error::AppError;
use crate::store::stock as rows;
use crate::store::{Actor, WriteTx};
use web_kit::wire::HandKindForm;

/// Most different parts of one delivery.
pub const MAX_LINES: usize = 300;

/// What came.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeliveryInput {
    /// `receive` from a supplier, or the `opening` stock of a shelf.
    #[schema(value_type = HandKindForm)]
    pub kind: MovementKind,
    /// The delivery note.
    #[serde(default)]
    #[schema(max_length = 120)]
    pub reference: Option<String>,
    /// Why.
    #[serde(default)]
    #[schema(max_length = 250)]
    pub reason: Option<String>,
    /// What came; a part that stands there twice is added up.
    #[schema(min_items = 1, max_items = 300)]
    pub lines: Vec<DeliveryLine>,
}

/// Pieces of one part.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeliveryLine {
    /// The part's sku, or a barcode that means it.
    #[schema(max_length = 64)]
    pub sku: String,
    /// Pieces.
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub quantity: i64,
}

/// What was booked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Delivery {
    /// Pieces in all.
    pub pieces: i64,
    /// One movement for each part, in the order of the lines.
    pub items: Vec<Movement>,
}

/// Books a delivery.
pub fn deliver(
    tx: &mut WriteTx<'_>,
    actor: &Actor,
    input: &DeliveryInput,
) -> Result<Delivery, AppError> {
    require(actor, Permission::StockMove)?;
    let mut problems = Problems::new();
    problems.check(
        matches!(input.kind, MovementKind::Opening | MovementKind::Receive),
        "/kind",
        "must be receive or opening",
    );
    problems.check(
        (1..=MAX_LINES).contains(&input.lines.len()),
        "/lines",
        "must have 1 to 300 entries",
    );
    let reference = problems.take(
        "/reference",
        said(input.reference.as_deref(), REFERENCE_MAX),
    );
    let reason = problems.take("/reason", said(input.reason.as_deref(), REASON_MAX));
    let text = movement_text(&reason, &reference);
    let mut movements: Vec<rules::Movement> = Vec::new();
    for (i, line) in input.lines.iter().enumerate().take(MAX_LINES) {
        let found = match find_part(&tx.reader(), &line.sku) {
            Ok((part, _)) => Some(part),
            Err(AppError::NotFound { .. }) => None,
            Err(error) => return Err(error),
        };
        let Some(part) = found else {
            problems.add(
                format!("/lines/{i}/sku"),
                "no part of the catalogue has this sku or barcode",
            );
            continue;
        };
        let there = movements.iter_mut().find(|movement| movement.part == part);
        let before = there.as_ref().map_or(0, |movement| movement.quantity);
        // Each line and their sum are judged as pieces: a line of zero is a mistake even beside another.
        let quantity = problems.take(
            &format!("/lines/{i}/quantity"),
            Quantity::new(line.quantity)
                .and_then(|line| Quantity::new(before.saturating_add(line.as_i64())))
                .map(Quantity::as_i64),
        );
        match there {
            Some(movement) => movement.quantity = quantity,
            None => {
                let mut movement =
                    rules::Movement::new(tx.identity().branch, part, input.kind, quantity);
                movement.text.clone_from(&text);
                movements.push(movement);
            }
        }
    }
    problems.finish(()).map_err(AppError::Invalid)?;
    tx.begin(command::STOCK, actor)?;
    book(tx, movements)
}

/// Takes a delivery back: its pieces go to the supplier again, all of them or none.
pub fn take_back(
    tx: &mut WriteTx<'_>,
    actor: &Actor,
    movements: &[String],
) -> Result<Delivery, AppError> {
    require(actor, Permission::StockMove)?;
    let mut back = Vec::new();
    for id in movements.iter().take(MAX_LINES) {
        let unknown = AppError::NotFound { what: "movement" };
        let id = domain::id::parse_uuid(id).map_err(|_| AppError::NotFound { what: "movement" })?;
        let came = rows::movement(&tx.reader(), id)?.ok_or(unknown)?;
        if came.kind != MovementKind::Receive || came.branch != tx.identity().branch {
            return Err(AppError::conflict(
                "not-a-delivery",
                "only what a supplier delivered here goes back to one",
            ));
        }
        check_free(&tx.reader(), came.part, came.quantity)?;
        let mut movement = rules::Movement::new(
            came.branch,
            came.part,
            MovementKind::SupplierReturn,
            came.quantity,
        );
        movement.text.clone_from(&came.text);
        back.push(movement);
    }
    tx.begin(command::STOCK, actor)?;
    book(tx, back)
}

fn book(tx: &mut WriteTx<'_>, movements: Vec<rules::Movement>) -> Result<Delivery, AppError> {
    let mut delivery = Delivery {
        pieces: 0,
        items: Vec::new(),
    };
    for movement in movements {
        delivery.pieces += movement.quantity;
        let id = tx.fact(Item::Movement(movement))?;
        let record =
            rows::movement(&tx.reader(), id)?.ok_or(AppError::NotFound { what: "movement" })?;
        delivery.items.push(show_movement(record));
    }
    Ok(delivery)
}
