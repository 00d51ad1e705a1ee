//! What an order looks like outside.

use domain::id::DocumentId;
use domain::order::{LineKind, OrderView, Status, allowed_moves};

use super::super::Codes;
use super::form::{Line, LineStock, Order, SyncState};
use crate::error::AppError;
use crate::store::money::receipt::of_order;
use crate::store::order::{OrderRecord, Stage};
use crate::store::{Reader, customer, stock};
use web_kit::etag::ETag;
use web_kit::order::{Estimate, OrderCustomer, Totals};
use web_kit::wire::{Time, hex, money};

/// Shows orders; remembers what many of them name.
pub(crate) struct Shower<'r> {
    reader: &'r Reader<'r>,
    codes: Codes,
}

impl<'r> Shower<'r> {
    pub(crate) fn new(reader: &'r Reader<'r>) -> Self {
        Self {
            reader,
            codes: Codes::default(),
        }
    }

    pub(crate) fn order(&mut self, record: OrderRecord) -> Result<Order, AppError> {
        let OrderRecord {
            id,
            view,
            heads,
            stage,
            updated_at_ms,
            ..
        } = record;
        let sums = with_paid(self.reader, id, &view)?;
        Ok(Order {
            id,
            branch: self.codes.code(self.reader, view.branch)?,
            customer: view
                .customer
                .map(|customer| self.customer(customer))
                .transpose()?,
            lines: self.lines(id, &view)?,
            totals: sums.unwrap_or_else(|| Totals::none(view.currency)),
            conflict: view.status_conflict || !view.conflicts.is_empty() || sums.is_none(),
            allowed: allowed(&view),
            etag: ETag::of_heads(&heads),
            heads: heads.iter().map(|head| hex(head)).collect(),
            sync: stage.into(),
            created_at: Time(view.created_at_ms),
            updated_at: Time(updated_at_ms),
            number: view.number,
            visit_id: view.visit,
            device: view.device.into(),
            status: view.status,
            outcome: view.outcome,
            promised_at: view.promised_at_ms.map(Time),
            technician_id: view.technician,
            urgent: view.urgent,
            terms_accepted_at: view.terms_at_ms.map(Time),
            source: view.source,
            diagnosis: view.diagnosis,
            events: view.events.into_iter().map(Into::into).collect(),
            notes: view.notes.into_iter().map(Into::into).collect(),
            estimates: view
                .estimates
                .into_iter()
                .map(|estimate| Estimate::of(estimate, view.currency))
                .collect(),
        })
    }

    fn customer(&self, id: DocumentId) -> Result<OrderCustomer, AppError> {
        let values = customer::get(self.reader, id)?.and_then(|record| record.values);
        let (name, phone) = values.map_or((None, None), |values| (values.name, values.phone));
        Ok(OrderCustomer {
            id,
            name: name.map(Into::into),
            phone: phone.map(Into::into),
        })
    }

    fn lines(&self, id: DocumentId, view: &OrderView) -> Result<Vec<Line>, AppError> {
        view.lines
            .iter()
            .map(|line| {
                let stock = match line.kind {
                    LineKind::Part => Some(line_stock(self.reader, id, line)?),
                    _ => None,
                };
                Ok(Line {
                    id: line.id,
                    kind: line.kind,
                    text: line.text.clone(),
                    sku: line.sku.clone(),
                    quantity: line.quantity,
                    unit_price: money(line.unit_minor, view.currency),
                    tax_rate_bp: line.tax_bp,
                    stock,
                })
            })
            .collect()
    }
}

/// What an order adds up to, with what the till took for it. What was called off, or came from other records when it
/// was over already, owes nothing.
pub(crate) fn with_paid(
    reader: &Reader<'_>,
    id: DocumentId,
    view: &OrderView,
) -> Result<Option<Totals>, AppError> {
    let Some(sums) = Totals::of(view) else {
        return Ok(None);
    };
    let taken = of_order(reader, id)?;
    let sums = sums.paid(taken.invoiced_minor.saturating_add(taken.deposits_minor));
    let is_over = view.status == Status::Cancelled
        || (view.status == Status::Collected && view.source.is_some());
    Ok(Some(if is_over { sums.nothing_due() } else { sums }))
}

/// What became of the pieces of a part line.
pub(crate) fn line_stock(
    reader: &Reader<'_>,
    order: DocumentId,
    line: &domain::order::Line,
) -> Result<LineStock, AppError> {
    if stock::used_quantity(reader, order.as_bytes(), line.id.as_bytes())?.is_some() {
        return Ok(LineStock::Consumed);
    }
    let reserved =
        stock::reservation(reader, line.id)?.is_some_and(|reservation| reservation.is_open);
    Ok(if reserved {
        LineStock::Reserved
    } else {
        LineStock::Open
    })
}

/// Where the order may be moved; with a status conflict from each of the rival states.
pub(crate) fn allowed(view: &OrderView) -> Vec<Status> {
    let fold = view.fold();
    let mut allowed = allowed_moves(fold.status).to_vec();
    if fold.conflict {
        let rivals = view
            .events
            .iter()
            .filter(|event| fold.deciding.contains(&event.id));
        allowed.extend(
            rivals
                .filter_map(|event| event.to)
                .flat_map(allowed_moves)
                .copied(),
        );
        allowed.sort_unstable();
        allowed.dedup();
    }
    allowed
}

impl From<Stage> for SyncState {
    fn from(stage: Stage) -> Self {
        match stage {
            Stage::Local => Self::Local,
            Stage::Stored => Self::Stored,
            Stage::Applied => Self::Applied,
        }
    }
}
