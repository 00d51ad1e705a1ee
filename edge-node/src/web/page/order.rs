//! One order at the bench: what it is about, its lines and estimates, its time line, and the forms that change it.
//!
//! The page and its live refresh come from one template. Each form is posted to its own address and answered with the
//! order as it is now; a refused form comes back alone, with what was typed.

mod bench;
mod desk;
mod estimates;
mod forms;
mod lines;
mod moves;
mod parts;
mod story;
mod texts;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use domain::id::DocumentId;
use domain::money::Money;
use domain::order::{EstimateAnswer, LineKind, Status};
use domain::permission::Permission;
use web_kit::wire::money;
use web_kit::{
    ApiPath, Content, PageRequest, Problem, SafeHtml, Tone, fill, html, html_with_status,
};

use crate::api::EdgeState;
use crate::api::caller::{May, may};
use crate::app::order::form::{Line, LineStock, Order};
use crate::app::order::history::What;
use crate::app::order::{board::LANES, is_ended};
use crate::web::frame::frame;
use crate::web::page::orders::encoded;
use crate::web::page::receipts::{address as receipt_address, whole_state};
use crate::web::page::till::deposit;
use crate::web::texts as words;
use crate::web::{BOARD, DECISIONS, ORDERS, PEOPLE, STOCK};
use bench::Bench;
use desk::Desk;
pub(crate) use estimates::{answer, make as make_estimate};
pub(crate) use forms::{device, diagnosis, note, plan};
pub(crate) use lines::{
    add as add_line, consume, edit as edit_line, edit_form, put_back, remove as remove_line,
};
use moves::COLLECTED_KEY;
pub(crate) use moves::{Back, move_to, undo, ways};
pub(crate) use parts::{ask, part};
use story::{Step, steps};
use texts::OrderPageTexts;

struct Stage {
    name: &'static str,
    words: String,
    is_done: bool,
    is_current: bool,
}

struct Earlier {
    href: String,
    number: String,
    words: String,
}

struct LineRow {
    id: String,
    href: String,
    text: String,
    sku: String,
    part_href: String,
    tone: Option<Tone>,
    icon: &'static str,
    state: String,
    quantity: i64,
    each: String,
    amount: String,
    use_key: Option<String>,
    may_edit: bool,
    edit_label: String,
}

#[derive(Template)]
#[template(path = "order/page.html", blocks = ["order"])]
struct OrderPage<'a> {
    t: &'a OrderPageTexts,
    id: String,
    refresh: String,
    may_write: bool,
    conflict: Option<String>,
    decisions_href: Option<&'static str>,
    stages: Vec<Stage>,
    person: String,
    person_href: Option<String>,
    phone: String,
    earlier: Vec<Earlier>,
    device_facts: Vec<(&'static str, String, bool)>,
    condition: Vec<(String, String)>,
    taken_in: String,
    fault: String,
    lines: Vec<LineRow>,
    net: String,
    taxes: Vec<(String, String)>,
    gross: String,
    steps: Vec<Step>,
    plan: SafeHtml,
    device: SafeHtml,
    diagnosis: SafeHtml,
    scan: SafeHtml,
    shortage: SafeHtml,
    add_line: SafeHtml,
    estimate: SafeHtml,
    note: SafeHtml,
    money: Option<MoneyPart>,
}

/// What the till did for the order.
struct MoneyPart {
    sums: Vec<(&'static str, String)>,
    due: String,
    is_paid: bool,
    deposit_href: Option<String>,
    receipts: Vec<ReceiptRow>,
}

/// A receipt of the order.
struct ReceiptRow {
    href: String,
    number: String,
    when: String,
    amount: String,
    is_deposit: bool,
    icon: &'static str,
    state: &'static str,
    tone: Option<Tone>,
}

/// The step that comes next as a rule: the page's one primary action.
struct Next {
    label: &'static str,
    icon: &'static str,
    key: String,
    /// The page that does it.
    page: Option<String>,
    /// Where it asks more before it moves.
    href: Option<String>,
    action: String,
    form_key: String,
    to: &'static str,
}

/// Something to print.
struct Paper {
    href: String,
    label: &'static str,
    key: &'static str,
}

#[derive(Template)]
#[template(path = "order/_head.html")]
struct Head<'a> {
    t: &'a OrderPageTexts,
    device: String,
    person: String,
    due: String,
    due_tone: Option<Tone>,
    due_icon: &'static str,
    urgent: bool,
    glyph: &'static str,
    glyph_words: &'static str,
    papers: Vec<Paper>,
    move_href: Option<String>,
    next: Option<Next>,
}

/// The page, or its work alone when htmx refreshes it.
pub(crate) async fn show(
    State(state): State<EdgeState>,
    who: May<may::OrdersRead>,
    asked: PageRequest,
    ApiPath(id): ApiPath<DocumentId>,
) -> Result<Response, Problem> {
    let desk = Desk::of(state, who.0.clone(), asked).await?;
    let bench = desk.bench(id).await?;
    if asked.is_fragment() {
        let order = SafeHtml::render(&desk.page(&bench, None)?.as_order())?;
        let head = SafeHtml::render(&desk.head(&bench))?;
        return Ok(html(order.then(&head.partial("#order-head", "outerMorph"))));
    }
    Ok(html(desk.whole(&bench, None).await?))
}

/// The order as partials, for the answer to a form.
async fn partials(desk: &Desk, id: DocumentId) -> Result<SafeHtml, Problem> {
    let bench = desk.bench(id).await?;
    let order = SafeHtml::render(&desk.page(&bench, None)?.as_order())?;
    let head = SafeHtml::render(&desk.head(&bench))?;
    // What was missing was answered for by whatever was done now.
    let nothing = no_shortage().partial("#shortage-form", "outerHTML");
    Ok(order
        .partial("#order", "outerMorph")
        .then(&head.partial("#order-head", "outerMorph"))
        .then(&nothing))
}

fn no_shortage() -> SafeHtml {
    SafeHtml::literal("<div id=\"shortage-form\" hidden></div>")
}

impl Desk {
    /// Everything that the page shows, as it is now.
    async fn bench(&self, id: DocumentId) -> Result<Bench, Problem> {
        let actor = self.who.actor();
        let read = self
            .state
            .store()
            .read(move |reader| Bench::load(reader, &actor, id));
        Ok(read.await?)
    }

    async fn whole(
        &self,
        bench: &Bench,
        instead: Option<(&str, SafeHtml)>,
    ) -> Result<SafeHtml, Problem> {
        let content = Content {
            fill: true,
            modules: &["js/dialog.js", "js/bench.js"],
            ..Content::new(
                bench.order.number.clone(),
                SafeHtml::render(&self.page(bench, instead)?)?,
            )
            .head(SafeHtml::render(&self.head(bench))?)
        };
        let frame = frame(&self.state, &self.who, &self.view, BOARD).await?;
        frame.render(&content)
    }

    /// A refused form with what was typed: alone for htmx, in its page without a script.
    async fn back_to_form(
        &self,
        bench: Bench,
        name: &str,
        part: SafeHtml,
        status: axum::http::StatusCode,
    ) -> Result<Response, Problem> {
        let markup = if self.asked.is_fragment() {
            part.partial(&format!("#{name}-form"), "outerHTML")
        } else {
            self.whole(&bench, Some((name, part))).await?
        };
        Ok(html_with_status(status, markup))
    }

    fn page(
        &self,
        bench: &Bench,
        instead: Option<(&str, SafeHtml)>,
    ) -> Result<OrderPage<'static>, Problem> {
        let order = &bench.order;
        let t = self.t();
        let amount = |money| self.view.full_amount(money);
        let customer = order.customer.as_ref();
        let phone = customer.and_then(|customer| customer.phone.as_ref());
        let mut page = OrderPage {
            t,
            id: order.id.to_string(),
            refresh: format!("{ORDERS}/{}", order.id),
            may_write: self.may_write(),
            conflict: self.conflict(bench),
            decisions_href: self
                .who
                .may(Permission::ExceptionsRead)
                .then_some(DECISIONS),
            stages: self.stages(bench),
            person: self.person(order),
            person_href: customer
                .filter(|_| self.who.may(Permission::CustomersRead))
                .map(|customer| format!("{PEOPLE}/{}", customer.id)),
            phone: phone.map_or_else(String::new, |phone| phone.expose().to_owned()),
            earlier: bench
                .earlier
                .iter()
                .map(|other| self.earlier(other))
                .collect(),
            device_facts: self.device_facts(order),
            condition: order.device.condition.clone().into_iter().collect(),
            taken_in: self.taken_in(bench),
            fault: order.device.fault.clone(),
            lines: order
                .lines
                .iter()
                .map(|line| self.line_row(line, bench))
                .collect(),
            net: amount(order.totals.net),
            taxes: self.taxes(bench),
            gross: amount(order.totals.gross),
            steps: steps(&bench.story, &bench.names, &self.view),
            plan: self.plan_part(bench, None)?,
            device: self.device_part(bench, None)?,
            diagnosis: self.diagnosis_part(bench, None)?,
            scan: self.scan_part(order.id, None)?,
            shortage: no_shortage(),
            add_line: self.line_part(bench, None)?,
            estimate: self.estimate_part(bench, None)?,
            note: self.note_part(order.id, None)?,
            money: self.money_part(bench),
        };
        if let Some((name, part)) = instead {
            let place = match name {
                "plan" => &mut page.plan,
                "device" => &mut page.device,
                "diagnosis" => &mut page.diagnosis,
                "scan" => &mut page.scan,
                "shortage" => &mut page.shortage,
                "line" => &mut page.add_line,
                "estimate" => &mut page.estimate,
                _ => &mut page.note,
            };
            *place = part;
        }
        Ok(page)
    }

    fn money_part(&self, bench: &Bench) -> Option<MoneyPart> {
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

    fn person(&self, order: &Order) -> String {
        match &order.customer {
            None => self.t().nobody.to_owned(),
            Some(customer) => customer.name.as_ref().map_or_else(
                || self.t().unknown_person.to_owned(),
                |name| name.expose().to_owned(),
            ),
        }
    }

    fn earlier(&self, other: &Order) -> Earlier {
        let status = words::status(self.view.language(), other.status);
        Earlier {
            href: format!("{ORDERS}/{}", other.id),
            number: other.number.clone(),
            words: format!("{}, {status}", device_name(other)),
        }
    }

    fn device_facts(&self, order: &Order) -> Vec<(&'static str, String, bool)> {
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

    fn taken_in(&self, bench: &Bench) -> String {
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
    fn diagnosed(&self, bench: &Bench) -> Option<String> {
        let entry = bench
            .story
            .iter()
            .find(|entry| entry.what == What::Diagnosed)?;
        Some(self.by(bench, entry))
    }

    fn by(&self, bench: &Bench, entry: &crate::app::order::history::Entry) -> String {
        let t = self.t();
        let name = entry.staff.and_then(|id| bench.names.get(&id));
        let name = name.map_or(t.system, String::as_str);
        let when = self.view.clock.when(entry.at_ms);
        fill(t.written_by, &[("name", &name), ("when", &when)])
    }

    fn conflict(&self, bench: &Bench) -> Option<String> {
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

    fn field_name<'p>(&self, path: &'p [String]) -> &'p str {
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

    fn stages(&self, bench: &Bench) -> Vec<Stage> {
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

    fn line_row(&self, line: &Line, bench: &Bench) -> LineRow {
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

    fn taxes(&self, bench: &Bench) -> Vec<(String, String)> {
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

    fn head(&self, bench: &Bench) -> Head<'static> {
        let order = &bench.order;
        let t = self.t();
        let (glyph, glyph_words) = words::sync(self.view.language(), order.sync);
        let is_open = !matches!(
            order.status,
            Status::Ready | Status::Collected | Status::Cancelled
        );
        let promised = order.promised_at.map(|at| at.0).filter(|_| is_open);
        let is_late = promised.is_some_and(|at_ms| self.view.clock.is_past(at_ms));
        let due = promised.map_or_else(String::new, |at_ms| {
            let when = self.view.clock.when(at_ms);
            let words = if is_late {
                t.late_since
            } else {
                t.promised_when
            };
            fill(words, &[("when", &when)])
        });
        let may_move = self.may_move() && bench.is_home;
        Head {
            t,
            device: device_name(order),
            person: self.person(order),
            due,
            due_tone: is_late.then_some(Tone::Late),
            due_icon: if is_late { "late" } else { "clock" },
            urgent: order.urgent,
            glyph,
            glyph_words,
            papers: self.papers(order),
            move_href: may_move
                .then(|| format!("{ORDERS}/{}/move?back={}", order.id, Back::Order.name())),
            next: if may_move { self.next(order) } else { None },
        }
    }

    fn papers(&self, order: &Order) -> Vec<Paper> {
        let t = self.t();
        let paper = |name: &str, label, key| Paper {
            href: format!("{ORDERS}/{}/{name}", order.id),
            label,
            key,
        };
        vec![
            paper("label", t.label, "l"),
            paper("receipt", t.receipt, "r"),
        ]
    }

    fn next(&self, order: &Order) -> Option<Next> {
        let t = self.t();
        let last = order.estimates.iter().max_by_key(|one| one.version);
        let answer = last.map(|last| last.answer);
        let (to, label) = match (order.status, answer) {
            (Status::Received, _) => (Status::Diagnosing, t.start_diagnosis),
            (Status::Diagnosing, Some(None)) => (Status::AwaitingApproval, t.ask_approval),
            (Status::AwaitingApproval, Some(Some(EstimateAnswer::Declined))) => {
                (Status::Ready, t.make_ready)
            }
            (Status::AwaitingApproval, None | Some(None)) => return None,
            (Status::Diagnosing | Status::AwaitingApproval | Status::AwaitingParts, _) => {
                (Status::InRepair, t.start_repair)
            }
            (Status::InRepair, _) => (Status::Ready, t.make_ready),
            (Status::Ready, _) => (Status::Collected, t.hand_over),
            (Status::Collected | Status::Cancelled, _) => return None,
        };
        if !order.allowed.contains(&to) {
            return None;
        }
        let place = LANES.iter().position(|lane| *lane == to);
        let page = self.pay_href(order).filter(|_| to == Status::Collected);
        let asks = to == Status::Ready;
        Some(Next {
            label: page.as_ref().map_or(label, |_| t.collect_and_pay),
            icon: if page.is_some() {
                "till"
            } else {
                status_icon(to)
            },
            key: place.map_or_else(|| COLLECTED_KEY.to_owned(), |place| (place + 1).to_string()),
            page,
            href: asks.then(|| {
                format!(
                    "{ORDERS}/{}/move?to=ready&back={}",
                    order.id,
                    Back::Order.name()
                )
            }),
            action: format!("{ORDERS}/{}/status", order.id),
            form_key: self.key(),
            to: to.as_str(),
        })
    }
}

/// Brand and model, or what kind of thing it is.
pub(crate) fn device_name(order: &Order) -> String {
    let device = &order.device;
    let words = [device.brand.as_str(), device.model.as_str()];
    let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    if words.is_empty() {
        device.category.clone()
    } else {
        words.join(" ")
    }
}

/// The icon of a status.
pub(crate) const fn status_icon(status: Status) -> &'static str {
    match status {
        Status::Received => "intake",
        Status::Diagnosing => "probe",
        Status::AwaitingApproval => "ask",
        Status::AwaitingParts => "part-wait",
        Status::InRepair => "repair",
        Status::Ready => "ready",
        Status::Collected => "handed",
        Status::Cancelled => "cancel",
    }
}
