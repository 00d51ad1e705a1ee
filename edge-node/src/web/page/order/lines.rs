//! Parts and work: a part by scan or by hand, priced lines, using a part up, asking another branch for one.
//!
//! Scanning a part sets it aside for the order; scanning it again uses it. What is short says where others are, as
//! last known, and offers to ask for it.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use domain::id::{DocumentId, LineId};
use domain::money::Money;
use domain::number::parse_order_number;
use domain::order::LineKind;
use serde::Deserialize;
use serde_json::{Value, json};
use web_kit::{
    ApiPath, IfMatch, ListQuery, PageForm, PageRequest, Problem, SafeHtml, Toast, fill,
    html_with_status,
};

use super::bench::Bench;
use super::desk::{Desk, Wrong};
use super::texts::OrderPageTexts;
use crate::api::EdgeState;
use crate::api::caller::{May, may};
use crate::api::command::answered;
use crate::app::order::form::{Line, LineInput, LinePatch, LineStock, OrderFilter};
use crate::app::order::{self, line as lines};
use crate::app::stock::find_part;
use crate::app::transfer::{self, TransferInput};
use crate::app::wire::Time;
use crate::error::AppError;
use crate::web::ORDERS;
use crate::web::page::order::Back;

const HX_REDIRECT: HeaderName = HeaderName::from_static("hx-redirect");

/// A part by its number or barcode.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct PartForm {
    #[serde(default)]
    code: String,
}

/// Another branch with free pieces, as last known.
struct Elsewhere {
    branch: String,
    words: String,
    key: String,
    ask: String,
    quantity: i64,
}

#[derive(Template)]
#[template(path = "order/_shortage.html")]
struct Shortage<'a> {
    t: &'a OrderPageTexts,
    order: DocumentId,
    sku: String,
    said: String,
    places: Vec<Elsewhere>,
    may_ask: bool,
    wait_key: Option<String>,
}

#[derive(Template)]
#[template(path = "order/_scan.html")]
struct ScanPart<'a> {
    t: &'a OrderPageTexts,
    key: String,
    action: String,
    code: &'a str,
    wrong: &'a Wrong,
}

impl Desk {
    pub(super) fn scan_part(
        &self,
        id: DocumentId,
        typed: Option<(&PartForm, &Wrong)>,
    ) -> Result<SafeHtml, Problem> {
        if !self.may_write() {
            return Ok(SafeHtml::empty());
        }
        let none = Wrong::none();
        SafeHtml::render(&ScanPart {
            t: self.t(),
            key: self.key(),
            action: format!("{ORDERS}/{id}/parts"),
            code: typed.map_or("", |(form, _)| &form.code),
            wrong: typed.map_or(&none, |(_, wrong)| wrong),
        })
    }

    /// What is missing here, where others are, and what would help.
    async fn shortage(
        &self,
        bench: &Bench,
        code: &str,
        wanted: i64,
        problem: &Problem,
    ) -> Result<SafeHtml, Problem> {
        let code = code.to_owned();
        let found = self
            .state
            .store()
            .read(move |reader| {
                let (_, part) = find_part(reader, &code)?;
                Ok((part.sku, part.name))
            })
            .await?;
        let (sku, name) = found;
        let t = self.t();
        let extra = &problem.body().extra;
        let free = extra
            .get("free")
            .and_then(Value::as_i64)
            .unwrap_or(0)
            .max(0);
        let places = extra.get("elsewhere").and_then(Value::as_array);
        let places = places.into_iter().flatten().map(|place| {
            let branch = place["branch"].as_str().unwrap_or("").to_owned();
            let there = place["quantity"].as_i64().unwrap_or(0);
            let at: Option<Time> = serde_json::from_value(place["as_of"].clone()).ok();
            let when = at.map_or_else(String::new, |at| self.view.clock.when(at.0));
            let quantity = wanted.min(there).max(1);
            Elsewhere {
                words: fill(
                    t.elsewhere,
                    &[("branch", &branch), ("n", &there), ("when", &when)],
                ),
                ask: fill(t.ask_branch, &[("branch", &branch), ("n", &quantity)]),
                key: self.key(),
                quantity,
                branch,
            }
        });
        let waits = bench
            .order
            .allowed
            .contains(&domain::order::Status::AwaitingParts);
        SafeHtml::render(&Shortage {
            t,
            order: bench.order.id,
            said: fill(
                t.short,
                &[("name", &name), ("free", &free), ("want", &wanted)],
            ),
            sku,
            places: places.collect(),
            may_ask: self
                .who
                .may(domain::permission::Permission::TransfersRequest),
            wait_key: (waits && bench.is_home && self.may_move()).then(|| self.key()),
        })
    }

    /// The page with what is missing.
    async fn short(
        &self,
        id: DocumentId,
        code: &str,
        wanted: i64,
        problem: &Problem,
    ) -> Result<Response, Problem> {
        let bench = self.bench(id).await?;
        let part = self.shortage(&bench, code, wanted, problem).await?;
        self.back_to_form(bench, "shortage", part, problem.status())
            .await
    }

    /// The order whose number was scanned instead of a part.
    async fn order_of_number(&self, code: &str) -> Result<Option<DocumentId>, Problem> {
        if parse_order_number(code).is_err() {
            return Ok(None);
        }
        let actor = self.who.actor();
        let filter = OrderFilter {
            q: Some(code.to_owned()),
            ..OrderFilter::default()
        };
        let page = ListQuery {
            limit: 1,
            cursor: None,
        };
        let read = self
            .state
            .store()
            .read(move |reader| order::list(reader, &actor, &filter, &page));
        Ok(read.await?.items.first().map(|order| order.id))
    }
}

/// A part was scanned or typed: it is set aside, or used when it was set aside already.
pub(crate) async fn part(
    State(state): State<EdgeState>,
    who: May<may::OrdersWrite>,
    asked: PageRequest,
    ApiPath(id): ApiPath<DocumentId>,
    PageForm { fields, request }: PageForm<PartForm>,
) -> Result<Response, Problem> {
    let desk = Desk::of(state, who.0.clone(), asked).await?;
    if let Some(other) = desk.order_of_number(&fields.code).await? {
        let href = format!("{ORDERS}/{other}");
        if !asked.is_fragment() {
            return Ok(Redirect::to(&href).into_response());
        }
        let mut answer = html_with_status(StatusCode::OK, SafeHtml::empty());
        if let Ok(href) = HeaderValue::try_from(href) {
            answer.headers_mut().insert(HX_REDIRECT, href);
        }
        return Ok(answer);
    }
    let code = fields.code.clone();
    let done = answered(
        &desk.state,
        &who,
        request,
        StatusCode::OK,
        move |tx, actor| {
            let unknown = |_| AppError::field("/sku", "no part has this number or barcode");
            let (_, part) = find_part(&tx.reader(), &code).map_err(unknown)?;
            let order = order::get(&tx.reader(), actor, id)?;
            let waiting = order.lines.iter().find(|line| {
                line.stock == Some(LineStock::Reserved) && line.sku.as_ref() == Some(&part.sku)
            });
            let (done, did) = match waiting {
                Some(line) => (
                    lines::consume(tx, actor, id, line.id, &IfMatch::default())?,
                    "used",
                ),
                None => {
                    let input = LineInput {
                        kind: LineKind::Part,
                        text: None,
                        sku: Some(part.sku),
                        quantity: 1,
                        unit_price: None,
                        tax_rate_bp: None,
                    };
                    (
                        lines::add(tx, actor, id, &IfMatch::default(), input)?,
                        "reserved",
                    )
                }
            };
            let line = done.line();
            Ok(json!({
                "did": did,
                "line": done.line_id,
                "text": line.map(|line| line.text.clone()),
                "quantity": line.map(|line| line.quantity),
            }))
        },
    );
    match done.await.map_err(Problem::from) {
        Ok(answered) => {
            let toast = desk.line_toast(id, &answered.answer.body);
            desk.done(id, Back::Order, Some(&toast)).await
        }
        Err(problem) if problem.body().extra.contains_key("elsewhere") => {
            desk.short(id, &fields.code, 1, &problem).await
        }
        Err(problem) if desk.is_refusal(&problem) => {
            let bench = desk.bench(id).await?;
            let wrong = desk.wrong(&problem, &bench.order, &[("/sku", "code")]);
            let part = desk.scan_part(id, Some((&fields, &wrong)))?;
            desk.back_to_form(bench, "scan", part, problem.status())
                .await
        }
        Err(problem) => Err(problem),
    }
}

impl Desk {
    fn line_toast(&self, id: DocumentId, done: &Value) -> Toast {
        let t = self.t();
        let text = done["text"].as_str().unwrap_or("");
        let quantity = done["quantity"].as_i64().unwrap_or(1);
        let did = match done["did"].as_str() {
            Some("used") => t.did_use,
            Some("reserved") => t.did_reserve,
            _ => t.did_add,
        };
        let toast = Toast::new(text, fill(did, &[("n", &quantity)]));
        let line = done["line"].as_str().unwrap_or("");
        if done["did"] == "used" || line.is_empty() {
            return toast;
        }
        let hidden = vec![("key", self.key()), ("undo", "yes".to_owned())];
        toast.undo(format!("{ORDERS}/{id}/lines/{line}/remove"), hidden)
    }
}

/// A priced line as it is typed.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct LineForm {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    sku: String,
    #[serde(default)]
    quantity: String,
    #[serde(default)]
    price: String,
    #[serde(default)]
    tax: String,
    #[serde(default)]
    undo: String,
}

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

const POINTERS: [(&str, &str); 8] = [
    ("/text", "text"),
    ("/quantity", "quantity"),
    ("/unit_price", "price"),
    ("/unit_price/amount_minor", "price"),
    ("/tax_rate_bp", "tax"),
    ("/tax_bp", "tax"),
    ("/kind", "kind"),
    ("/sku", "code"),
];

impl LineForm {
    fn of(line: &Line, desk: &Desk) -> Self {
        Self {
            kind: line.kind.as_str().to_owned(),
            text: line.text.clone(),
            sku: line.sku.clone().unwrap_or_default(),
            quantity: line.quantity.to_string(),
            price: desk.view.amount(line.unit_price),
            tax: line.tax_rate_bp.to_string(),
            undo: String::new(),
        }
    }

    fn hidden(self, key: String) -> Vec<(&'static str, String)> {
        vec![
            ("key", key),
            ("kind", self.kind),
            ("text", self.text),
            ("sku", self.sku),
            ("quantity", self.quantity),
            ("price", self.price),
            ("tax", self.tax),
            ("undo", "yes".to_owned()),
        ]
    }

    fn quantity(&self) -> Result<i64, Problem> {
        match self.quantity.trim() {
            "" => Ok(1),
            typed => typed
                .parse()
                .map_err(|_| Problem::invalid_field("/quantity", "This is no whole number.")),
        }
    }

    fn price(&self, bench: &Bench, desk: &Desk) -> Result<Option<Money>, Problem> {
        let currency = bench.order.totals.gross.currency;
        let typed = self.price.trim();
        if typed.is_empty() {
            return Ok(None);
        }
        let amount = desk.view.clock.read_amount(typed, currency.minor_digits());
        amount
            .filter(|amount| *amount >= 0)
            .map(|amount_minor| {
                Some(Money {
                    amount_minor,
                    currency,
                })
            })
            .ok_or_else(|| Problem::invalid_field("/unit_price", "This is no amount."))
    }

    fn tax(&self) -> Result<Option<u32>, Problem> {
        match self.tax.trim() {
            "" => Ok(None),
            typed => typed
                .parse()
                .map(Some)
                .map_err(|_| Problem::invalid_field("/tax_rate_bp", "This is no rate.")),
        }
    }

    /// A new line; a service of the list brings its price where none was typed.
    fn input(&self, bench: &Bench, desk: &Desk) -> Result<LineInput, Problem> {
        let kind: LineKind = match self.kind.as_str() {
            "" => LineKind::Service,
            name => name
                .parse()
                .map_err(|_| Problem::invalid_field("/kind", "There is no such kind."))?,
        };
        let text = self.text.trim();
        if text.is_empty() && kind != LineKind::Part {
            return Err(Problem::invalid_field("/text", "Must not be empty."));
        }
        let listed = bench
            .services
            .iter()
            .find(|preset| kind == LineKind::Service && preset.service == text);
        let typed = self.price(bench, desk)?;
        let of_list = typed.is_none();
        Ok(LineInput {
            kind,
            text: Some(text.to_owned()),
            sku: (kind == LineKind::Part).then(|| self.sku.clone()),
            quantity: self.quantity()?,
            unit_price: typed.or_else(|| listed.map(|preset| preset.price)),
            tax_rate_bp: match listed.filter(|_| of_list) {
                Some(preset) => Some(preset.tax_rate_bp),
                None => self.tax()?,
            },
        })
    }

    fn patch(&self, bench: &Bench, desk: &Desk) -> Result<LinePatch, Problem> {
        Ok(LinePatch {
            text: Some(self.text.clone()),
            quantity: Some(self.quantity()?),
            unit_price: self.price(bench, desk)?,
            tax_rate_bp: self.tax()?,
        })
    }
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
    let added = match fields.input(&bench, &desk) {
        Ok(input) => {
            let write = answered(
                &desk.state,
                &who,
                request,
                StatusCode::OK,
                move |tx, actor| {
                    let done = lines::add(tx, actor, id, &IfMatch::default(), input)?;
                    let text = done.line().map(|line| line.text.clone());
                    Ok(json!({ "did": "added", "line": done.line_id, "text": text }))
                },
            );
            write.await.map_err(Problem::from)
        }
        Err(problem) => Err(problem),
    };
    match added {
        Ok(answered) if fields.undo.is_empty() => {
            let toast = desk.line_toast(id, &answered.answer.body);
            desk.done(id, Back::Order, Some(&toast)).await
        }
        Ok(_) => {
            let toast = Toast::new(fields.text, desk.t().did_undo);
            desk.done(id, Back::Order, Some(&toast)).await
        }
        Err(problem) if problem.body().extra.contains_key("elsewhere") => {
            let wanted = fields.quantity().unwrap_or(1);
            desk.short(id, &fields.sku, wanted, &problem).await
        }
        Err(problem) if desk.is_refusal(&problem) => {
            let wrong = desk.wrong(&problem, &bench.order, &POINTERS);
            let part = desk.line_part(&bench, Some((&fields, &wrong)))?;
            desk.back_to_form(bench, "line", part, problem.status())
                .await
        }
        Err(problem) => Err(problem),
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
    let changed = match fields.patch(&bench, &desk) {
        Ok(patch) => {
            let write = answered(
                &desk.state,
                &who,
                request,
                StatusCode::OK,
                move |tx, actor| {
                    lines::change(tx, actor, id, line, &IfMatch::default(), patch)?;
                    Ok(Value::Null)
                },
            );
            write.await.map_err(Problem::from)
        }
        Err(problem) => Err(problem),
    };
    match changed {
        Ok(answered) => {
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
        Err(problem) if desk.is_refusal(&problem) => {
            let wrong = desk.wrong(&problem, &bench.order, &POINTERS);
            let part = desk.edit_part(&bench, line, &fields, &wrong)?;
            desk.dialog(&bench.order.number, part, problem.status())
                .await
        }
        Err(problem) => Err(problem),
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
    let removed = answered(
        &desk.state,
        &who,
        request,
        StatusCode::OK,
        move |tx, actor| {
            lines::remove(tx, actor, id, line, &IfMatch::default())?;
            Ok(Value::Null)
        },
    );
    match removed.await.map_err(Problem::from) {
        Ok(_) => {
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
        Err(problem) if desk.is_refusal(&problem) => {
            let said = desk.said(&problem, &order);
            desk.refused(&order, Back::Order, &said, problem.status())
                .await
        }
        Err(problem) => Err(problem),
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
    let used = answered(
        &desk.state,
        &who,
        request,
        StatusCode::OK,
        move |tx, actor| {
            let done = lines::consume(tx, actor, id, line, &IfMatch::default())?;
            let line = done.line();
            Ok(json!({
                "did": "used",
                "text": line.map(|line| line.text.clone()),
                "quantity": line.map(|line| line.quantity),
            }))
        },
    );
    match used.await.map_err(Problem::from) {
        Ok(answered) => {
            let toast = desk.line_toast(id, &answered.answer.body);
            desk.done(id, Back::Order, Some(&toast)).await
        }
        Err(problem) if desk.is_refusal(&problem) => {
            let order = desk.order(id).await?;
            let said = desk.said(&problem, &order);
            desk.refused(&order, Back::Order, &said, problem.status())
                .await
        }
        Err(problem) => Err(problem),
    }
}

/// What is wanted of another branch.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct AskForm {
    #[serde(default)]
    sku: String,
    #[serde(default)]
    from: String,
    #[serde(default)]
    quantity: i64,
}

/// Asks another branch for a part that is short here.
pub(crate) async fn ask(
    State(state): State<EdgeState>,
    who: May<may::TransfersRequest>,
    asked: PageRequest,
    ApiPath(id): ApiPath<DocumentId>,
    PageForm { fields, request }: PageForm<AskForm>,
) -> Result<Response, Problem> {
    let desk = Desk::of(state, who.0.clone(), asked).await?;
    let order = desk.order(id).await?;
    let input = TransferInput {
        from: fields.from.clone(),
        to: None,
        lines: vec![transfer::LineInput {
            sku: fields.sku.clone(),
            quantity: fields.quantity,
        }],
        note: order.number.clone(),
    };
    let write = answered(
        &desk.state,
        &who,
        request,
        StatusCode::OK,
        move |tx, actor| transfer::request(tx, actor, input),
    );
    match write.await.map_err(Problem::from) {
        Ok(_) => {
            let did = fill(
                desk.t().asked_branch,
                &[
                    ("n", &fields.quantity),
                    ("sku", &fields.sku),
                    ("branch", &fields.from),
                ],
            );
            let toast = Toast::new(order.number, did);
            desk.done(id, Back::Order, Some(&toast)).await
        }
        Err(problem) if desk.is_refusal(&problem) => {
            let said = desk.said(&problem, &order);
            desk.refused(&order, Back::Order, &said, problem.status())
                .await
        }
        Err(problem) => Err(problem),
    }
}
