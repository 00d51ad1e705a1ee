//! Priced lines: work, fees, discounts and parts, added, changed, removed and used up.

mod form;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::id::{DocumentId, LineId};
use domain::order::LineKind;
use serde::Deserialize;
use serde_json::{Value, json};
use web_kit::{ApiPath, IfMatch, PageForm, PageRequest, Problem, SafeHtml, Toast, fill};

use super::bench::Bench;
use super::desk::{Desk, Wrong};
use super::texts::OrderPageTexts;
use crate::api::EdgeState;
use crate::api::caller::{May, may};
use crate::app::order::line as lines;
use crate::web::ORDERS;
use crate::web::page::order::Back;
use crate::web::posted::Posted;
use form::{LineForm, POINTERS};

/// A choice of a list.
struct Choice {
    value: String,
    label: String,
    is_chosen: bool,
}

#[derive(Template)]
#[template(path = "order/_line.html")]
struct LinePart<'a> {
    t: &'a OrderPageTexts,
    key: String,
    action: String,
    form: &'a LineForm,
    wrong: &'a Wrong,
    kinds: Vec<Choice>,
    rates: Vec<Choice>,
    services: Vec<(String, String)>,
    currency: String,
    is_open: bool,
}

#[derive(Template)]
#[template(path = "order/_line_edit.html")]
struct LineEdit<'a> {
    t: &'a OrderPageTexts,
    key: String,
    remove_key: String,
    action: String,
    back_href: String,
    title: String,
    form: &'a LineForm,
    wrong: &'a Wrong,
    rates: Vec<Choice>,
    currency: String,
}

impl Desk {
    pub(super) fn line_part(
        &self,
        bench: &Bench,
        typed: Option<(&LineForm, &Wrong)>,
    ) -> Result<SafeHtml, Problem> {
        if !self.may_write() {
            return Ok(SafeHtml::empty());
        }
        let t = self.t();
        let empty = LineForm {
            quantity: "1".to_owned(),
            ..LineForm::default()
        };
        let form = typed.map_or(&empty, |(form, _)| form);
        let none = Wrong::none();
        let kinds = [
            (LineKind::Service, t.service),
            (LineKind::Fee, t.fee),
            (LineKind::Discount, t.discount),
        ];
        SafeHtml::render(&LinePart {
            t,
            key: self.key(),
            action: format!("{ORDERS}/{}/lines", bench.order.id),
            form,
            wrong: typed.map_or(&none, |(_, wrong)| wrong),
            kinds: kinds
                .into_iter()
                .map(|(kind, label)| Choice {
                    value: kind.as_str().to_owned(),
                    label: label.to_owned(),
                    is_chosen: form.kind == kind.as_str(),
                })
                .collect(),
            rates: self.rates(bench, &form.tax),
            services: bench
                .services
                .iter()
                .map(|preset| (preset.service.clone(), self.view.full_amount(preset.price)))
                .collect(),
            currency: bench.order.totals.gross.currency.as_str().to_owned(),
            is_open: typed.is_some(),
        })
    }

    fn rates(&self, bench: &Bench, chosen: &str) -> Vec<Choice> {
        let rate = |bp: &u32| Choice {
            value: bp.to_string(),
            label: self.view.clock.percent(*bp),
            is_chosen: bp.to_string() == chosen,
        };
        bench.tax_rates.iter().map(rate).collect()
    }

    fn edit_part(
        &self,
        bench: &Bench,
        line: LineId,
        form: &LineForm,
        wrong: &Wrong,
    ) -> Result<SafeHtml, Problem> {
        let t = self.t();
        let order = bench.order.id;
        let name = bench.order.lines.iter().find(|there| there.id == line);
        let name = name.map_or("", |line| line.text.as_str());
        SafeHtml::render(&LineEdit {
            t,
            key: self.key(),
            remove_key: self.key(),
            action: format!("{ORDERS}/{order}/lines/{line}"),
            back_href: format!("{ORDERS}/{order}"),
            title: fill(t.edit_line, &[("line", &name)]),
            form,
            wrong,
            rates: self.rates(bench, &form.tax),
            currency: bench.order.totals.gross.currency.as_str().to_owned(),
        })
    }
}

/// Adds work, a fee, a discount; a part when a removed line is put back.
pub(crate) async fn add(
    State(state): State<EdgeState>,
    who: May<may::OrdersWrite>,
    asked: PageRequest,
    ApiPath(id): ApiPath<DocumentId>,
    PageForm { fields, request }: PageForm<LineForm>,
) -> Result<Response, Problem> {
    let desk = Desk::of(state, who.0.clone(), asked).await?;
    let bench = desk.bench(id).await?;
    let input = fields.input(&bench, &desk);
    let added = desk.post(request, input, move |tx, actor, input| {
        let done = lines::add(tx, actor, id, &IfMatch::default(), input)?;
        let text = done.line().map(|line| line.text.clone());
        Ok(json!({ "did": "added", "line": done.line_id, "text": text }))
    });
    match added.await? {
        Posted::Done(answered) if fields.undo.is_empty() => {
            let toast = desk.line_toast(id, &answered.answer.body);
            desk.done(id, Back::Order, Some(&toast)).await
        }
        Posted::Done(_) => {
            let toast = Toast::new(fields.text, desk.t().did_undo);
            desk.done(id, Back::Order, Some(&toast)).await
        }
        Posted::Refused(problem) if problem.body().extra.contains_key("elsewhere") => {
            let wanted = fields.quantity().unwrap_or(1);
            desk.short(id, &fields.sku, wanted, &problem).await
        }
        Posted::Refused(problem) => {
            desk.again(id, "line", &problem, &POINTERS, |bench, wrong| {
                desk.line_part(bench, Some((&fields, wrong)))
            })
            .await
        }
    }
}

/// The form to change a line: a dialog's content, or a page without a script.
pub(crate) async fn edit_form(
    State(state): State<EdgeState>,
    who: May<may::OrdersWrite>,
    asked: PageRequest,
    ApiPath((id, line)): ApiPath<(DocumentId, LineId)>,
) -> Result<Response, Problem> {
    let desk = Desk::of(state, who.0.clone(), asked).await?;
    let bench = desk.bench(id).await?;
    let shown = bench.order.lines.iter().find(|there| there.id == line);
    let shown = shown.ok_or_else(|| Problem::not_found("There is no such line."))?;
    let form = LineForm::of(shown, &desk);
    let part = desk.edit_part(&bench, line, &form, &Wrong::none())?;
    desk.dialog(&bench.order.number, part, StatusCode::OK).await
}

/// Changes a line.
pub(crate) async fn edit(
    State(state): State<EdgeState>,
    who: May<may::OrdersWrite>,
    asked: PageRequest,
    ApiPath((id, line)): ApiPath<(DocumentId, LineId)>,
    PageForm { fields, request }: PageForm<LineForm>,
) -> Result<Response, Problem> {
    let desk = Desk::of(state, who.0.clone(), asked).await?;
    let bench = desk.bench(id).await?;
    let before = bench.order.lines.iter().find(|there| there.id == line);
    let before = before.map(|line| LineForm::of(line, &desk));
    let patch = fields.patch(&bench, &desk);
    let changed = desk.post(request, patch, move |tx, actor, patch| {
        lines::change(tx, actor, id, line, &IfMatch::default(), patch)?;
        Ok(Value::Null)
    });
    match changed.await? {
        Posted::Done(answered) => {
            let t = desk.t();
            let toast = match before {
                Some(before) if fields.undo.is_empty() && !answered.is_replay => {
                    Toast::new(fields.text, t.did_change).undo(
                        format!("{ORDERS}/{id}/lines/{line}"),
                        before.hidden(desk.key()),
                    )
                }
                _ => Toast::new(fields.text, t.did_undo),
            };
            desk.done(id, Back::Order, Some(&toast)).await
        }
        Posted::Refused(problem) => {
            let wrong = desk.wrong(&problem, &bench.order, &POINTERS);
            let part = desk.edit_part(&bench, line, &fields, &wrong)?;
            desk.dialog(&bench.order.number, part, problem.status())
                .await
        }
    }
}

/// Whether it is the way back of an added line.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct LineAct {
    #[serde(default)]
    undo: String,
}

/// Removes a line; what it kept is free again.
pub(crate) async fn remove(
    State(state): State<EdgeState>,
    who: May<may::OrdersWrite>,
    asked: PageRequest,
    ApiPath((id, line)): ApiPath<(DocumentId, LineId)>,
    PageForm { fields, request }: PageForm<LineAct>,
) -> Result<Response, Problem> {
    let desk = Desk::of(state, who.0.clone(), asked).await?;
    let order = desk.order(id).await?;
    let before = order.lines.iter().find(|there| there.id == line);
    let before = before.map(|line| LineForm::of(line, &desk));
    let removed = desk.post(request, Ok(line), move |tx, actor, line| {
        lines::remove(tx, actor, id, line, &IfMatch::default())?;
        Ok(Value::Null)
    });
    match removed.await? {
        Posted::Done(_) => {
            let t = desk.t();
            let toast = before.map(|before| {
                let toast = Toast::new(before.text.clone(), t.did_remove);
                if fields.undo.is_empty() {
                    toast.undo(format!("{ORDERS}/{id}/lines"), before.hidden(desk.key()))
                } else {
                    toast
                }
            });
            desk.done(id, Back::Order, toast.as_ref()).await
        }
        Posted::Refused(problem) => desk.refuse(id, Back::Order, &problem).await,
    }
}

/// Uses the part of a line.
pub(crate) async fn consume(
    State(state): State<EdgeState>,
    who: May<may::StockMove>,
    asked: PageRequest,
    ApiPath((id, line)): ApiPath<(DocumentId, LineId)>,
    PageForm { request, .. }: PageForm<LineAct>,
) -> Result<Response, Problem> {
    let desk = Desk::of(state, who.0.clone(), asked).await?;
    let used = desk.post(request, Ok(line), move |tx, actor, line| {
        let done = lines::consume(tx, actor, id, line, &IfMatch::default())?;
        let line = done.line();
        Ok(json!({
            "did": "used",
            "line": done.line_id,
            "text": line.map(|line| line.text.clone()),
            "quantity": line.map(|line| line.quantity),
        }))
    });
    match used.await? {
        Posted::Done(answered) => {
            let toast = desk.line_toast(id, &answered.answer.body);
            desk.done(id, Back::Order, Some(&toast)).await
        }
        Posted::Refused(problem) => desk.refuse(id, Back::Order, &problem).await,
    }
}

/// Takes the use of a line's part back: it is on the shelf and set aside again.
pub(crate) async fn put_back(
    State(state): State<EdgeState>,
    who: May<may::StockMove>,
    asked: PageRequest,
    ApiPath((id, line)): ApiPath<(DocumentId, LineId)>,
    PageForm { request, .. }: PageForm<LineAct>,
) -> Result<Response, Problem> {
    let desk = Desk::of(state, who.0.clone(), asked).await?;
    let back = desk.post(request, Ok(line), move |tx, actor, line| {
        let done = lines::put_back(tx, actor, id, line, &IfMatch::default())?;
        let line = done.line();
        Ok(json!([
            line.map(|line| line.text.clone()),
            line.map(|line| line.quantity)
        ]))
    });
    match back.await? {
        Posted::Done(answered) => {
            let done = answered.answer.body;
            let did = fill(desk.t().did_put_back, &[("n", &done[1])]);
            let toast = Toast::new(done[0].as_str().unwrap_or_default(), did);
            desk.done(id, Back::Order, Some(&toast)).await
        }
        Posted::Refused(problem) => desk.refuse(id, Back::Order, &problem).await,
    }
}
