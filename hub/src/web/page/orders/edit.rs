//! An order's fields, changed together with its branch: both may write, and both keep what the other wrote elsewhere.

use std::sync::{Arc, OnceLock};

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use domain::id::{DocumentId, StaffId};
use domain::order::OrderPatch;
use domain::patch::Patch;
use domain::permission::Permission;
use serde::Deserialize;
use serde_json::json;
use sync_protocol::hash::Hash;
use sync_protocol::item::command as codes;
use web_kit::{ApiPath, Content, ETag, PageForm, Problem, SafeHtml, fill, html_with_status};

use super::texts::OrderTexts;
use crate::api::caller::{May, may};
use crate::api::{Caller, HubState};
use crate::app::error::AppError;
use crate::app::order::{OrderChange, OrderState, current, get, patch};
use crate::app::staff;
use crate::web::ORDERS;
use crate::web::act::{Refusal, act, done, is_refusal, same};
use crate::web::frame::frame;
use crate::web::places::Choice;
use crate::web::said::{Deed, WayBack};
use crate::web::view::View;

/// What was typed.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct EditFields {
    #[serde(default)]
    base: String,
    #[serde(default)]
    category: String,
    #[serde(default)]
    brand: String,
    #[serde(default)]
    model: String,
    #[serde(default)]
    serial: String,
    #[serde(default)]
    fault: String,
    #[serde(default)]
    accessories: String,
    #[serde(default)]
    diagnosis: String,
    #[serde(default)]
    promised: String,
    #[serde(default)]
    technician: String,
    #[serde(default)]
    urgent: String,
}

impl EditFields {
    fn of(view: &View, order: &OrderState) -> Self {
        let shown = order.view();
        let device = &shown.device;
        let accessories: Vec<String> = device.accessories.values().cloned().collect();
        Self {
            base: ETag::of_heads(&order.heads).to_string(),
            category: device.category.clone(),
            brand: device.brand.clone(),
            model: device.model.clone(),
            serial: device.serial.clone(),
            fault: device.fault.clone(),
            accessories: accessories.join("\n"),
            diagnosis: shown.diagnosis.clone(),
            promised: shown
                .promised_at_ms
                .map(|at_ms| view.clock.field(at_ms))
                .unwrap_or_default(),
            technician: shown
                .technician
                .map(|id| id.to_string())
                .unwrap_or_default(),
            urgent: if shown.urgent { "yes" } else { "" }.to_owned(),
        }
    }

    /// The change from what `shown` says; what is equal is kept as it is, to the second.
    fn change(&self, shown: &Self, view: &View) -> Result<OrderChange, Problem> {
        let text = |typed: &String, shown: &String| {
            if typed == shown {
                Patch::Keep
            } else {
                Patch::Set(typed.clone())
            }
        };
        let promised = match self.promised.trim() {
            typed if typed == shown.promised => Patch::Keep,
            "" => Patch::Clear,
            typed => Patch::Set(view.clock.read(typed).ok_or_else(|| {
                Problem::invalid_field(
                    "/promised_at",
                    "Write date and hour, as in 2026-11-24 17:00.",
                )
            })?),
        };
        let technician = match self.technician.as_str() {
            id if id == shown.technician => Patch::Keep,
            "" => Patch::Clear,
            id => Patch::Set(id.parse::<StaffId>().map_err(|_| {
                Problem::invalid_field("/technician_id", "There is no such person.")
            })?),
        };
        let urgent = if self.urgent == shown.urgent {
            Patch::Keep
        } else {
            Patch::Set(!self.urgent.is_empty())
        };
        let accessories = self
            .accessories
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .map(str::to_owned);
        let is_same = self.accessories == shown.accessories;
        Ok(OrderChange {
            accessories: (!is_same).then(|| accessories.collect()),
            patch: OrderPatch {
                promised_at_ms: promised,
                technician,
                urgent,
                diagnosis: text(&self.diagnosis, &shown.diagnosis),
                category: text(&self.category, &shown.category),
                brand: text(&self.brand, &shown.brand),
                model: text(&self.model, &shown.model),
                serial: text(&self.serial, &shown.serial),
                fault: text(&self.fault, &shown.fault),
                ..OrderPatch::default()
            },
        })
    }

    fn all(&self) -> [&str; 10] {
        [
            &self.category,
            &self.brand,
            &self.model,
            &self.serial,
            &self.fault,
            &self.accessories,
            &self.diagnosis,
            &self.promised,
            &self.technician,
            &self.urgent,
        ]
    }

    /// Whether nobody wrote since where `before` became `after`.
    fn still_has(&self, before: &Self, after: &Self) -> bool {
        let changes = before.all().into_iter().zip(after.all());
        changes
            .zip(self.all())
            .all(|((before, after), now)| before == after || after == now)
    }
}

#[derive(Template)]
#[template(path = "orders/edit.html")]
struct Page<'a> {
    t: &'a OrderTexts,
    action: String,
    order: String,
    key: &'a str,
    fields: &'a EditFields,
    people: Vec<Choice>,
    refusal: &'a Refusal,
    problems: Vec<String>,
}

const SHOWN: [&str; 9] = [
    "device/category",
    "device/brand",
    "device/model",
    "device/serial",
    "device/fault",
    "device/accessories",
    "diagnosis",
    "promised_at",
    "technician_id",
];

async fn show(
    state: &HubState,
    who: &Caller,
    status: StatusCode,
    order: &OrderState,
    key: &str,
    fields: &EditFields,
    refusal: &Refusal,
) -> Result<Response, Problem> {
    let view = View::of(state, who).await?;
    let t = OrderTexts::of(view.language());
    let id = order.record.document;
    let home = order.record.branch;
    let mut people = vec![Choice::new("", t.nobody, &fields.technician)];
    for record in staff::list(state.hub(), &who.person, None, 500).await? {
        let works = &record.fields.branches;
        if record.fields.active && (works.is_empty() || works.contains(&home)) {
            people.push(Choice::new(
                record.id.to_string(),
                record.fields.name,
                &fields.technician,
            ));
        }
    }
    let body = SafeHtml::render(&Page {
        t,
        action: format!("{ORDERS}/{id}/edit"),
        order: format!("{ORDERS}/{id}"),
        key,
        fields,
        people,
        refusal,
        problems: refusal.above(&SHOWN),
    })?;
    let title = fill(t.edit_title, &[("number", &order.view().number)]);
    let page = frame(state, who, &view, ORDERS)
        .await?
        .render(&Content::new(title, body))?;
    Ok(html_with_status(status, page))
}

/// The form.
pub(crate) async fn form(
    State(state): State<HubState>,
    who: May<may::OrdersWrite>,
    ApiPath(id): ApiPath<DocumentId>,
) -> Result<Response, Problem> {
    let order = get(state.hub(), &who.person, id).await?;
    let view = View::of(&state, &who).await?;
    let fields = EditFields::of(&view, &order);
    let key = state.form_key().to_string();
    let refusal = Refusal::none();
    show(
        &state,
        &who,
        StatusCode::OK,
        &order,
        &key,
        &fields,
        &refusal,
    )
    .await
}

/// Changes the order.
pub(crate) async fn save(
    State(state): State<HubState>,
    who: May<may::OrdersWrite>,
    ApiPath(id): ApiPath<DocumentId>,
    PageForm { fields, request }: PageForm<EditFields>,
) -> Result<Response, Problem> {
    let key = request.key.clone().unwrap_or_default();
    let view = View::of(&state, &who).await?;
    let before = EditFields::of(&view, &get(state.hub(), &who.person, id).await?);
    let mut fields = fields;
    // A browser ends the lines of a text by CR LF.
    for text in [
        &mut fields.accessories,
        &mut fields.fault,
        &mut fields.diagnosis,
    ] {
        *text = text.replace("\r\n", "\n");
    }
    let (person, base) = (who.person.clone(), fields.base.clone());
    let check = move |heads: &[Hash]| same(base)(ETag::of_heads(heads).to_string());
    let after: Arc<OnceLock<EditFields>> = Arc::default();
    let acted = match fields.change(&before, &view) {
        Ok(change) => {
            let (view, after) = (view.clone(), after.clone());
            let work = act(&state, &who, codes::ORDER_EDIT, request, move |tx| {
                Box::pin(async move {
                    let order = patch(tx, &person, id, check, change).await?;
                    drop(after.set(EditFields::of(&view, &order)));
                    Ok(done(json!({ "number": order.view().number })))
                })
            });
            work.await
        }
        Err(problem) => Err(problem),
    };
    match acted {
        Ok(answered) => {
            if let Some(after) = after.get() {
                let number = answered.answer.body["number"].as_str().unwrap_or_default();
                let deed = said(&view, &who, id, number, before, after.clone());
                state.said().say(&state, &who, deed);
            }
            Ok(Redirect::to(&format!("{ORDERS}/{id}")).into_response())
        }
        Err(problem) if is_refusal(&problem) => {
            let order = get(state.hub(), &who.person, id).await?;
            let is_stale = problem.status() == StatusCode::PRECONDITION_FAILED;
            let fields = if is_stale {
                EditFields::of(&view, &order)
            } else {
                fields
            };
            let refusal = Refusal::of(&problem, view.language());
            let status = problem.status();
            show(&state, &who, status, &order, &key, &fields, &refusal).await
        }
        Err(problem) => Err(problem),
    }
}

fn said(
    view: &View,
    who: &Caller,
    id: DocumentId,
    number: &str,
    before: EditFields,
    after: EditFields,
) -> Deed {
    if before.all() == after.all() {
        return Deed::nothing(view);
    }
    let t = OrderTexts::of(view.language());
    let (person, view) = (who.person.clone(), view.clone());
    let back = format!("{ORDERS}/{id}");
    let way = WayBack::new(
        Permission::OrdersWrite,
        codes::ORDER_EDIT,
        back,
        move |tx| {
            let (person, view) = (person.clone(), view.clone());
            let (before, after) = (before.clone(), after.clone());
            Box::pin(async move {
                let now = EditFields::of(&view, &current(tx, &person, id).await?);
                if !now.still_has(&before, &after) {
                    return Err(AppError::Stale);
                }
                let change = before.change(&after, &view).map_err(|_| AppError::Stale)?;
                patch(tx, &person, id, |_| Ok(()), change).await?;
                Ok(())
            })
        },
    );
    Deed::new(number, t.did_edit).back(way)
}
