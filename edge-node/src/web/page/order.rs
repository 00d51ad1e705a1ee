//! One order at the bench: what it is about, its lines and estimates, its time line, and the forms that change it.
//!
//! The page and its live refresh come from one template. Each form is posted to its own address and answered with the
//! order as it is now; a refused form comes back alone, with what was typed.

mod bench;
mod desk;
mod estimates;
mod forms;
mod head;
mod lines;
mod moves;
mod parts;
mod shown;
mod story;
mod texts;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use domain::id::DocumentId;
use domain::order::Status;
use domain::permission::Permission;
use web_kit::{ApiPath, Content, PageRequest, Problem, SafeHtml, html, html_with_status};

use crate::api::EdgeState;
use crate::api::caller::{May, may};
use crate::app::order::form::Order;
use crate::web::frame::frame;
use crate::web::{BOARD, DECISIONS, ORDERS, PEOPLE};
use bench::Bench;
use desk::Desk;
pub(crate) use estimates::{answer, make as make_estimate};
pub(crate) use forms::{device, diagnosis, note, plan};
pub(crate) use lines::{
    add as add_line, consume, edit as edit_line, edit_form, put_back, remove as remove_line,
};
pub(crate) use moves::{Back, move_to, undo, ways};
pub(crate) use parts::{ask, part};
use shown::{Earlier, LineRow, MoneyPart, Stage};
use story::{Step, steps};
use texts::OrderPageTexts;

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
