//! Exports: everything that is held, streamed piece by piece, each piece from one reading.
//!
//! Memory does not grow with the number of rows. JSON lines are what the API shows of each thing; CSV has its plain
//! columns, and no cell of it begins like a formula.

use std::str::FromStr;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use domain::id::IdBytes;
use domain::stock::reason_and_reference;
use futures_util::stream::try_unfold;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use web_kit::openapi::ReadErrors;
use web_kit::{ApiPath, Problem};

use super::customers::Customer;
use super::orders::Order;
use super::stock::Stock;
use crate::api::caller::{May, may};
use crate::api::state::HubState;
use crate::app::Hub;
use crate::app::customer::{self, CustomerFilter};
use crate::app::error::AppError;
use crate::app::order::{self, OrderFilter};
use crate::app::session::Person;
use crate::app::stock::{self, MovementState, StockPlace};
use crate::error::HubError;
use crate::store::scope::Place;
use web_kit::wire::{Personal, Time};

/// Things of one piece.
const PIECE: i64 = 250;

pub(super) fn routes() -> OpenApiRouter<HubState> {
    OpenApiRouter::new().routes(routes!(download))
}

/// Names of the files.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is used")]
enum ExportFile {
    #[schema(rename = "orders.csv")]
    OrdersCsv,
    #[schema(rename = "orders.jsonl")]
    OrdersJsonl,
    #[schema(rename = "customers.csv")]
    CustomersCsv,
    #[schema(rename = "customers.jsonl")]
    CustomersJsonl,
    #[schema(rename = "stock.csv")]
    StockCsv,
    #[schema(rename = "stock.jsonl")]
    StockJsonl,
    #[schema(rename = "movements.csv")]
    MovementsCsv,
    #[schema(rename = "movements.jsonl")]
    MovementsJsonl,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Csv,
    Jsonl,
}

/// What is exported, and where the next piece begins.
#[derive(Debug, Clone)]
enum Next {
    Orders(Option<Place>),
    Customers(Option<Place>),
    Stock(Option<StockPlace>),
    Movements(Option<([u8; 16], [u8; 16])>),
}

impl Next {
    fn header(&self) -> &'static [&'static str] {
        match self {
            Next::Orders(_) => &[
                "id",
                "number",
                "branch",
                "status",
                "outcome",
                "customer_id",
                "customer",
                "category",
                "brand",
                "model",
                "serial",
                "fault",
                "diagnosis",
                "promised_at",
                "urgent",
                "currency",
                "net",
                "tax",
                "gross",
                "source",
                "created_at",
                "updated_at",
            ],
            Next::Customers(_) => &[
                "id",
                "branch",
                "name",
                "phone",
                "email",
                "address",
                "note",
                "language",
                "created_at",
                "updated_at",
            ],
            Next::Stock(_) => &[
                "branch",
                "sku",
                "name",
                "on_hand",
                "reserved",
                "free",
                "in_transit",
                "reorder_point",
                "bin",
                "as_of",
            ],
            Next::Movements(_) => &[
                "id",
                "at",
                "branch",
                "sku",
                "kind",
                "quantity",
                "from_account",
                "to_account",
                "reason",
                "reference",
                "subject_id",
                "staff_id",
                "balance_after",
                "superseded",
            ],
        }
    }
}

/// A movement as it is exported.
#[derive(Debug, Serialize)]
struct Movement {
    id: String,
    at: Time,
    branch: String,
    sku: String,
    kind: &'static str,
    quantity: i64,
    from_account: &'static str,
    to_account: &'static str,
    reason: String,
    reference: String,
    subject_id: Option<String>,
    staff_id: Option<String>,
    balance_after: i64,
    superseded: bool,
}

impl Movement {
    fn of(state: &MovementState) -> Self {
        let record = &state.record;
        let id = |bytes: [u8; 16]| (bytes != [0; 16]).then(|| IdBytes(&bytes).to_string());
        let (from_account, to_account) = record.accounts();
        let (reason, reference) = reason_and_reference(&record.text);
        Self {
            id: IdBytes(&record.fact()).to_string(),
            at: Time(record.at_ms),
            branch: state.branch.clone(),
            sku: record.sku.clone(),
            kind: record.kind(),
            quantity: record.quantity,
            from_account,
            to_account,
            reason: reason.to_owned(),
            reference: reference.to_owned(),
            subject_id: id(record.subject()),
            staff_id: id(record.staff()),
            balance_after: record.balance_after,
            superseded: record.superseded,
        }
    }
}

/// Writes pieces.
struct Writer {
    format: Format,
    bytes: Vec<u8>,
}

impl Writer {
    /// A cell that a spreadsheet would take for a formula gets an apostrophe before it; phone numbers stay as they are.
    fn cell(&mut self, text: &str, is_first: bool) {
        if !is_first {
            self.bytes.push(b',');
        }
        let is_number = text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b"+-() ./".contains(&byte));
        let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']) && !is_number;
        let guard = if is_formula { "'" } else { "" };
        if is_formula || text.contains(['"', ',', '\n', '\r']) {
            self.bytes.push(b'"');
            self.bytes.extend_from_slice(guard.as_bytes());
            self.bytes
                .extend_from_slice(text.replace('"', "\"\"").as_bytes());
            self.bytes.push(b'"');
        } else {
            self.bytes.extend_from_slice(text.as_bytes());
        }
    }

    fn row<T: Serialize>(
        &mut self,
        thing: &T,
        cells: impl FnOnce(&T) -> Vec<String>,
    ) -> Result<(), AppError> {
        match self.format {
            Format::Csv => self.cells(&cells(thing)),
            Format::Jsonl => {
                serde_json::to_writer(&mut self.bytes, thing)
                    .map_err(|_| HubError::Row("a thing that does not serialise"))?;
                self.bytes.push(b'\n');
            }
        }
        Ok(())
    }

    fn cells(&mut self, cells: &[String]) {
        for (index, cell) in cells.iter().enumerate() {
            self.cell(cell, index == 0);
        }
        self.bytes.extend_from_slice(b"\r\n");
    }
}

fn personal(value: Option<&Personal>) -> String {
    value.map_or_else(String::new, |value| value.expose().to_owned())
}

fn text<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

fn order_cells(order: &Order) -> Vec<String> {
    let (device, totals) = (&order.device, &order.totals);
    vec![
        order.id.to_string(),
        order.number.clone(),
        order.branch.clone(),
        order.status.to_string(),
        text(order.outcome),
        text(order.customer.as_ref().map(|customer| customer.id)),
        personal(
            order
                .customer
                .as_ref()
                .and_then(|customer| customer.name.as_ref()),
        ),
        device.category.clone(),
        device.brand.clone(),
        device.model.clone(),
        device.serial.clone(),
        device.fault.clone(),
        order.diagnosis.clone(),
        text(order.promised_at),
        order.urgent.to_string(),
        totals.gross.currency.to_string(),
        totals.net.amount_minor.to_string(),
        totals.tax.amount_minor.to_string(),
        totals.gross.amount_minor.to_string(),
        text(order.source.as_ref()),
        order.created_at.to_string(),
        order.updated_at.to_string(),
    ]
}

fn customer_cells(customer: &Customer) -> Vec<String> {
    vec![
        customer.id.to_string(),
        customer.branch.clone(),
        personal(customer.name.as_ref()),
        personal(customer.phone.as_ref()),
        personal(customer.email.as_ref()),
        personal(customer.address.as_ref()),
        personal(customer.note.as_ref()),
        text(customer.language.as_ref()),
        customer.created_at.to_string(),
        customer.updated_at.to_string(),
    ]
}

fn stock_cells(stock: &Stock) -> Vec<String> {
    vec![
        stock.branch.clone(),
        stock.sku.clone(),
        stock.name.clone(),
        stock.on_hand.to_string(),
        stock.reserved.to_string(),
        stock.free.to_string(),
        stock.in_transit.to_string(),
        text(stock.reorder_point),
        text(stock.bin.as_ref()),
        text(stock.as_of.as_ref()),
    ]
}

fn movement_cells(movement: &Movement) -> Vec<String> {
    vec![
        movement.id.clone(),
        movement.at.to_string(),
        movement.branch.clone(),
        movement.sku.clone(),
        movement.kind.to_owned(),
        movement.quantity.to_string(),
        movement.from_account.to_owned(),
        movement.to_account.to_owned(),
        movement.reason.clone(),
        movement.reference.clone(),
        text(movement.subject_id.as_ref()),
        text(movement.staff_id.as_ref()),
        movement.balance_after.to_string(),
        movement.superseded.to_string(),
    ]
}

/// An export under way.
struct Export {
    hub: Arc<Hub>,
    person: Person,
    format: Format,
    next: Next,
    is_first: bool,
}

impl Export {
    /// The next piece, and the rest.
    async fn step(mut self) -> Result<(Bytes, Option<Self>), AppError> {
        let mut writer = Writer {
            format: self.format,
            bytes: Vec::new(),
        };
        if self.is_first && self.format == Format::Csv {
            writer.cells(
                &self
                    .next
                    .header()
                    .iter()
                    .map(|name| (*name).to_owned())
                    .collect::<Vec<_>>(),
            );
        }
        let next = match self.next.clone() {
            Next::Orders(place) => self.orders(place, &mut writer).await?,
            Next::Customers(place) => self.customers(place, &mut writer).await?,
            Next::Stock(place) => self.stock(place, &mut writer).await?,
            Next::Movements(place) => self.movements(place, &mut writer).await?,
        };
        let rest = next.map(|next| {
            (self.next, self.is_first) = (next, false);
            self
        });
        Ok((Bytes::from(writer.bytes), rest))
    }

    async fn orders(
        &self,
        place: Option<Place>,
        writer: &mut Writer,
    ) -> Result<Option<Next>, AppError> {
        let filter = OrderFilter {
            place,
            ..OrderFilter::newest(self.person.scope(), PIECE)
        };
        let found = order::list(&self.hub, &filter).await?;
        let next = found
            .last()
            .map(|last| (last.record.created_ms, *last.record.document.as_bytes()));
        for state in found {
            writer.row(&Order::of(state), order_cells)?;
        }
        Ok(next.map(|next| Next::Orders(Some(next))))
    }

    async fn customers(
        &self,
        place: Option<Place>,
        writer: &mut Writer,
    ) -> Result<Option<Next>, AppError> {
        let scope = self.person.scope();
        let filter = CustomerFilter {
            scope,
            persons: None,
            with_conflicts: false,
            place,
            limit: PIECE,
        };
        let found = customer::list(&self.hub, &filter).await?;
        let next = found
            .last()
            .map(|last| (last.record.created_ms, *last.record.document.as_bytes()));
        for state in found {
            writer.row(&Customer::of(state), customer_cells)?;
        }
        Ok(next.map(|next| Next::Customers(Some(next))))
    }

    async fn stock(
        &self,
        place: Option<StockPlace>,
        writer: &mut Writer,
    ) -> Result<Option<Next>, AppError> {
        let found = stock::list(&self.hub, &self.person, None, None, place.as_ref(), PIECE).await?;
        let next = found.last().map(|last| last.record.place());
        for state in found {
            writer.row(&Stock::of(state), stock_cells)?;
        }
        Ok(next.map(|next| Next::Stock(Some(next))))
    }

    async fn movements(
        &self,
        place: Option<([u8; 16], [u8; 16])>,
        writer: &mut Writer,
    ) -> Result<Option<Next>, AppError> {
        let found = stock::movements(&self.hub, &self.person, place, PIECE).await?;
        let next = found
            .last()
            .map(|last| (*last.record.branch().as_bytes(), last.record.fact()));
        for state in &found {
            writer.row(&Movement::of(state), movement_cells)?;
        }
        Ok(next.map(|next| Next::Movements(Some(next))))
    }
}

impl FromStr for Next {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        match name {
            "orders" => Ok(Next::Orders(None)),
            "customers" => Ok(Next::Customers(None)),
            "stock" => Ok(Next::Stock(None)),
            "movements" => Ok(Next::Movements(None)),
            _ => Err(()),
        }
    }
}

fn parse_file(file: &str) -> Option<(Next, Format)> {
    let (name, ending) = file.split_once('.')?;
    let format = match ending {
        "csv" => Format::Csv,
        "jsonl" => Format::Jsonl,
        _ => return None,
    };
    Some((name.parse().ok()?, format))
}

/// Everything held of one kind, as CSV with a header or as one JSON object per line.
#[utoipa::path(get, path = "/api/v1/exports/{file}", tag = "exports",
    params(("file" = ExportFile, Path, description = "What, and in which format")),
    extensions(("x-permission" = json!("export"))),
    responses((status = 200, content((String = "text/csv"), (String = "application/jsonl"))), ReadErrors))]
async fn download(
    State(state): State<HubState>,
    who: May<may::Export>,
    ApiPath(file): ApiPath<String>,
) -> Result<Response, Problem> {
    let unknown = || Problem::not_found("There is no such export.");
    let (next, format) = parse_file(&file).ok_or_else(unknown)?;
    let start = Export {
        hub: state.hub().clone(),
        person: who.person.clone(),
        format,
        next,
        is_first: true,
    };
    // The first piece is read before the head is sent, so that a refusal is still a problem.
    let (first, rest) = start.step().await?;
    let pieces = try_unfold((Some(first), rest), |(ready, rest)| async move {
        match (ready, rest) {
            (Some(piece), rest) => Ok(Some((piece, (None, rest)))),
            (None, Some(export)) => {
                let (piece, rest) = export.step().await.inspect_err(|error| {
                    tracing::error!(%error, "an export broke off");
                })?;
                Ok::<_, AppError>(Some((piece, (None, rest))))
            }
            (None, None) => Ok(None),
        }
    });
    let content_type = match format {
        Format::Csv => "text/csv; charset=utf-8",
        Format::Jsonl => "application/jsonl; charset=utf-8",
    };
    let disposition =
        HeaderValue::try_from(format!("attachment; filename=\"{file}\"")).map_err(|_| unknown())?;
    let head = [
        (header::CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    Ok((head, Body::from_stream(pieces)).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_begins_like_a_formula() {
        let mut writer = Writer {
            format: Format::Csv,
            bytes: Vec::new(),
        };
        writer.cells(&[
            "=1+1".to_owned(),
            "+49 30 123".to_owned(),
            "a,\"b\"".to_owned(),
            "@x".to_owned(),
        ]);
        assert_eq!(
            writer.bytes,
            b"\"'=1+1\",+49 30 123,\"a,\"\"b\"\"\",\"'@x\"\r\n"
        );
    }

    #[test]
    fn only_known_files_are_exported() {
        assert!(parse_file("orders.csv").is_some());
        assert!(parse_file("movements.jsonl").is_some());
        assert!(parse_file("staff.csv").is_none());
        assert!(parse_file("orders.xlsx").is_none());
    }
}
