//! What the page of an order shows: its way, its lines and its money, in words and amounts.

use domain::money::Money;
use domain::order::{LineKind, Status};
use domain::permission::Permission;
use web_kit::wire::money;
use web_kit::{Tone, fill};

use super::bench::Bench;
use super::desk::Desk;
use super::device_name;
use crate::app::order::form::{Line, LineStock, Order};
use crate::app::order::history::What;
use crate::app::order::{board::LANES, is_ended};
use crate::web::page::orders::encoded;
use crate::web::page::receipts::{address as receipt_address, whole_state};
use crate::web::page::till::deposit;
use crate::web::texts as words;
use crate::web::{ORDERS, STOCK};

pub(super) struct Stage {
    pub(super) name: &'static str,
    pub(super) words: String,
    pub(super) is_done: bool,
    pub(super) is_current: bool,
}

pub(super) struct Earlier {
    pub(super) href: String,
    pub(super) number: String,
    pub(super) words: String,
}

pub(super) struct LineRow {
    pub(super) id: String,
    pub(super) href: String,
    pub(super) text: String,
    pub(super) sku: String,
    pub(super) part_href: String,
    pub(super) tone: Option<Tone>,
    pub(super) icon: &'static str,
    pub(super) state: String,
    pub(super) quantity: i64,
    pub(super) each: String,
    pub(super) amount: String,
    pub(super) use_key: Option<String>,
    pub(super) may_edit: bool,
    pub(super) edit_label: String,
}

/// What the till did for the order.
pub(super) struct MoneyPart {
    pub(super) sums: Vec<(&'static str, String)>,
    pub(super) due: String,
    pub(super) is_paid: bool,
    pub(super) deposit_href: Option<String>,
    pub(super) receipts: Vec<ReceiptRow>,
}

/// A receipt of the order.
pub(super) struct ReceiptRow {
    pub(super) href: String,
    pub(super) number: String,
    pub(super) when: String,
    pub(super) amount: String,
    pub(super) is_deposit: bool,
    pub(super) icon: &'static str,
    pub(super) state: &'static str,
    pub(super) tone: Option<Tone>,
}

impl Desk {
    pub(super) fn money_part(&self, bench: &Bench) -> Option<MoneyPart> {
        let paid = bench.paid.as_ref()?;
        let (order, t) = (&bench.order, self.t());
        let totals = order.totals;
        let amount = |minor: i64| self.view.amount(money(minor, totals.gross.currency));
        let mut sums = Vec::new();
        if paid.money.deposits_minor > 0 {
            sums.push((t.paid_ahead, amount(-paid.money.deposits_minor)));
        }
        if paid.money.invoiced_minor > 0 {
            sums.push((t.invoiced, amount(paid.money.invoiced_minor)));
        }
        let may_take = bench.is_home
            && self.who.may(Permission::TillUse)
            && !is_ended(order.status)
            && paid.money.invoiced_minor == 0;
        let receipts = paid.receipts.iter().map(|one| {
            let (icon, state, tone) = whole_state(self.view.language(), &one.tenders);
            ReceiptRow {
                href: receipt_address(&one.number),
                number: one.number.clone(),
                when: self.view.clock.when(one.at_ms),
                amount: amount(one.amount_minor),
                is_deposit: one.is_deposit,
                icon,
                state,
                tone,
            }
        });
        Some(MoneyPart {
            sums,
            due: self.view.full_amount(totals.due),
            is_paid: totals.due.amount_minor == 0 && totals.paid.amount_minor > 0,
            deposit_href: may_take.then(|| deposit(order.id)),
            receipts: receipts.collect(),
        })
    }

    pub(super) fn person(&self, order: &Order) -> String {
        match &order.customer {
            None => self.t().nobody.to_owned(),
            Some(customer) => customer.name.as_ref().map_or_else(
                || self.t().unknown_person.to_owned(),
                |name| name.expose().to_owned(),
            ),
        }
    }

    pub(super) fn earlier(&self, other: &Order) -> Earlier {
        let status = words::status(self.view.language(), other.status);
        Earlier {
            href: format!("{ORDERS}/{}", other.id),
            number: other.number.clone(),
            words: format!("{}, {status}", device_name(other)),
        }
    }

    pub(super) fn device_facts(&self, order: &Order) -> Vec<(&'static str, String, bool)> {
        let t = self.t();
        let device = &order.device;
        let outcome = order
            .outcome
            .map(|outcome| words::outcome(self.view.language(), outcome));
        let terms = order.terms_accepted_at.map(|at| {
            let when = self.view.clock.when(at.0);
            fill(t.accepted, &[("when", &when)])
        });
        let facts = [
            (t.category, device.category.clone(), false),
            (t.brand, device.brand.clone(), false),
            (t.model, device.model.clone(), false),
            (t.serial, device.serial.clone(), true),
            (t.left_here, device.accessories.join(", "), false),
            (t.outcome, outcome.unwrap_or_default().to_owned(), false),
            (t.terms, terms.unwrap_or_default(), false),
            (t.source, order.source.clone().unwrap_or_default(), true),
        ];
        facts
            .into_iter()
            .filter(|(_, value, _)| !value.is_empty())
            .collect()
    }

    pub(super) fn taken_in(&self, bench: &Bench) -> String {
        let first = bench.story.iter().rev().find(|entry| {
            matches!(
                entry.what,
                What::Moved {
                    to: Status::Received,
                    ..
                }
            )
        });
        first.map_or_else(String::new, |entry| self.by(bench, entry))
    }

    /// Who wrote the diagnosis last, and when.
    pub(super) fn diagnosed(&self, bench: &Bench) -> Option<String> {
        let entry = bench
            .story
            .iter()
            .find(|entry| entry.what == What::Diagnosed)?;
        Some(self.by(bench, entry))
    }

    pub(super) fn by(&self, bench: &Bench, entry: &crate::app::order::history::Entry) -> String {
        let t = self.t();
        let name = entry.staff.and_then(|id| bench.names.get(&id));
        let name = name.map_or(t.system, String::as_str);
        let when = self.view.clock.when(entry.at_ms);
        fill(t.written_by, &[("name", &name), ("when", &when)])
    }

    pub(super) fn conflict(&self, bench: &Bench) -> Option<String> {
        if !bench.order.conflict {
            return None;
        }
        let t = self.t();
        let mut fields: Vec<&str> = bench
            .conflicts
            .iter()
            .map(|path| self.field_name(path))
            .collect();
        if bench.status_conflict {
            fields.push(t.the_status);
        }
        if fields.is_empty() {
            fields.push(t.lines);
        }
        fields.dedup();
        Some(fill(t.two_versions, &[("fields", &fields.join(", "))]))
    }

    pub(super) fn field_name<'p>(&self, path: &'p [String]) -> &'p str {
        let t = self.t();
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        match path.as_slice() {
            ["diagnosis"] => t.diagnosis,
            ["promised_at"] => t.promised,
            ["technician"] => t.technician,
            ["urgent"] => t.priority,
            ["customer"] => t.person,
            ["terms_at"] => t.terms,
            ["device", "fault"] => t.fault,
            ["device", "category"] => t.category,
            ["device", "brand"] => t.brand,
            ["device", "model"] => t.model,
            ["device", "serial"] => t.serial,
            ["device", "accessories", ..] => t.left_here,
            ["device", ..] => t.device,
            ["lines", ..] => t.lines,
            ["estimates", ..] => t.estimate,
            _ => path.last().copied().unwrap_or_default(),
        }
    }

    pub(super) fn stages(&self, bench: &Bench) -> Vec<Stage> {
        let t = self.t();
        let now = bench.order.status;
        let mut way: Vec<Status> = LANES.to_vec();
        way.push(if now == Status::Cancelled {
            Status::Cancelled
        } else {
            Status::Collected
        });
        let came_to = |status: Status| {
            bench.story.iter().find(|entry| {
                matches!(entry.what, What::Moved { to, is_undone: false, .. } if to == status)
            })
        };
        let stage = |status: &Status| {
            let entry = came_to(*status);
            let is_current = *status == now;
            let words = match entry {
                Some(entry) if is_current => {
                    let name = entry.staff.and_then(|id| bench.names.get(&id));
                    let name = name.map_or(t.system, String::as_str);
                    let first = name.split_whitespace().next().unwrap_or(name);
                    let when = self.view.clock.when(entry.at_ms);
                    fill(t.since, &[("when", &when), ("name", &first)])
                }
                Some(entry) => self.view.clock.when(entry.at_ms),
                None if *status == Status::Ready => bench.order.promised_at.map_or_else(
                    || "\u{a0}".to_owned(),
                    |at| {
                        let when = self.view.clock.when(at.0);
                        fill(t.promised_when, &[("when", &when)])
                    },
                ),
                None => "\u{a0}".to_owned(),
            };
            Stage {
                name: words::status(self.view.language(), *status),
                words,
                is_done: entry.is_some(),
                is_current,
            }
        };
        way.iter().map(stage).collect()
    }

    pub(super) fn line_row(&self, line: &Line, bench: &Bench) -> LineRow {
        let t = self.t();
        let (tone, icon, state) = match line.stock {
            Some(LineStock::Consumed) => (Some(Tone::Agreed), "check", t.used.to_owned()),
            Some(LineStock::Reserved) => {
                let bin = line.sku.as_ref().and_then(|sku| bench.bins.get(sku));
                let words = bin.map_or_else(
                    || t.reserved.to_owned(),
                    |bin| fill(t.reserved_bin, &[("bin", bin)]),
                );
                (Some(Tone::Moving), "lock", words)
            }
            Some(LineStock::Open) => (Some(Tone::Waiting), "part-wait", t.missing.to_owned()),
            None => {
                let word = match line.kind {
                    LineKind::Service => t.service,
                    LineKind::Fee => t.fee,
                    LineKind::Discount => t.discount,
                    LineKind::Part => t.part,
                };
                (None, "", word.to_owned())
            }
        };
        let is_open = self.may_write() && !is_ended(bench.order.status);
        let may_use = is_open && matches!(line.stock, Some(LineStock::Reserved | LineStock::Open));
        let sign = if line.kind == LineKind::Discount {
            -1
        } else {
            1
        };
        let amount = Money {
            amount_minor: line
                .unit_price
                .amount_minor
                .saturating_mul(line.quantity)
                .saturating_mul(sign),
            currency: line.unit_price.currency,
        };
        LineRow {
            id: line.id.to_string(),
            href: format!("{ORDERS}/{}/lines/{}", bench.order.id, line.id),
            text: line.text.clone(),
            sku: line.sku.clone().unwrap_or_default(),
            part_href: format!("{STOCK}/{}", encoded(line.sku.as_deref().unwrap_or(""))),
            tone,
            icon,
            state,
            quantity: line.quantity,
            each: self.view.amount(line.unit_price),
            amount: self.view.amount(amount),
            use_key: may_use.then(|| self.key()),
            may_edit: is_open && line.stock != Some(LineStock::Consumed),
            edit_label: fill(t.edit_line, &[("line", &line.text)]),
        }
    }

    pub(super) fn taxes(&self, bench: &Bench) -> Vec<(String, String)> {
        let currency = bench.order.totals.gross.currency;
        let tax = |rate: &domain::order::RateTotal| {
            let name = self.view.clock.percent(rate.tax_bp);
            let amount = Money {
                amount_minor: rate.tax_minor,
                currency,
            };
            let name = fill(self.t().tax_of, &[("rate", &name)]);
            (name, self.view.full_amount(amount))
        };
        bench.rates.iter().map(tax).collect()
    }
}
