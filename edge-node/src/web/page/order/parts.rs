//! A part by scan or by hand: set aside, used up, or short, with where others are as last known.
//!
//! Scanning a part sets it aside for the order; scanning it again uses it.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use domain::id::DocumentId;
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
use crate::app::order::form::{LineInput, LineStock, OrderFilter};
use crate::app::order::{self, line as lines};
use crate::app::stock::find_part;
use crate::app::transfer::{self, TransferInput};
use crate::error::AppError;
use crate::web::ORDERS;
use crate::web::page::order::Back;
use crate::web::posted::Posted;
use web_kit::wire::Time;

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
    pub(super) async fn short(
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
    let done = desk.post(request, Ok(code), move |tx, actor, code| {
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
    });
    match done.await? {
        Posted::Done(answered) => {
            let toast = desk.line_toast(id, &answered.answer.body);
            desk.done(id, Back::Order, Some(&toast)).await
        }
        Posted::Refused(problem) if problem.body().extra.contains_key("elsewhere") => {
            desk.short(id, &fields.code, 1, &problem).await
        }
        Posted::Refused(problem) => {
            desk.again(id, "scan", &problem, &[("/sku", "code")], |_, wrong| {
                desk.scan_part(id, Some((&fields, wrong)))
            })
            .await
        }
    }
}

impl Desk {
    pub(super) fn line_toast(&self, id: DocumentId, done: &Value) -> Toast {
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
        if line.is_empty() {
            return toast;
        }
        let way = match done["did"].as_str() {
            Some("used") => "return",
            _ => "remove",
        };
        let hidden = vec![("key", self.key()), ("undo", "yes".to_owned())];
        toast.undo(format!("{ORDERS}/{id}/lines/{line}/{way}"), hidden)
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
    let write = desk.post(request, Ok(input), transfer::request);
    match write.await? {
        Posted::Done(_) => {
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
        Posted::Refused(problem) => desk.refuse(id, Back::Order, &problem).await,
    }
}
