//! The forms about the order itself: diagnosis, plan, device, note.
//!
//! Each is drawn by itself, so that a refused one comes back alone with what was typed. A form knows what it was
//! drawn from; where somebody else wrote meanwhile it is refused and shows both.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::id::{DocumentId, StaffId};
use domain::patch::Patch;
use serde::Deserialize;
use sync_protocol::hash::sha256;
use web_kit::{ApiPath, IfMatch, PageForm, PageRequest, Problem, SafeHtml, Toast};

use super::bench::Bench;
use super::desk::{Desk, Wrong};
use super::texts::OrderPageTexts;
use crate::api::EdgeState;
use crate::api::caller::{May, may};
use crate::api::command::answered;
use crate::app::order::form::{DevicePatch, NoteInput, Order, OrderPatch};
use crate::app::order::{self, note as notes};
use crate::app::wire::{Time, hex};
use crate::error::AppError;
use crate::store::{Actor, WriteTx};
use crate::web::ORDERS;
use crate::web::page::order::Back;

/// What a form was drawn from, in few letters.
pub(super) fn mark_of(values: &[&str]) -> String {
    hex(&sha256(values.join("\u{1f}").as_bytes()))[..16].to_owned()
}

fn meanwhile() -> AppError {
    AppError::conflict(
        "changed-meanwhile",
        "somebody else changed it since the form was opened",
    )
}

/// The order, when what the form was drawn from still stands there.
fn unchanged(
    tx: &WriteTx<'_>,
    actor: &Actor,
    id: DocumentId,
    base: &str,
    mark: impl Fn(&Order) -> String,
) -> Result<(), AppError> {
    let order = order::get(&tx.reader(), actor, id)?;
    if mark(&order) == base {
        Ok(())
    } else {
        Err(meanwhile())
    }
}

/// What was found.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct DiagnosisForm {
    #[serde(default)]
    diagnosis: String,
    #[serde(default)]
    base: String,
    #[serde(default)]
    undo: String,
}

#[derive(Template)]
#[template(path = "order/_diagnosis.html")]
struct DiagnosisPart<'a> {
    t: &'a OrderPageTexts,
    key: String,
    action: String,
    base: String,
    text: &'a str,
    /// What stands there, where somebody else wrote meanwhile.
    now: Option<&'a str>,
    written: Option<String>,
    wrong: &'a Wrong,
    may_write: bool,
}

impl Desk {
    pub(super) fn diagnosis_part(
        &self,
        bench: &Bench,
        typed: Option<(&DiagnosisForm, &Wrong)>,
    ) -> Result<SafeHtml, Problem> {
        let stands = bench.order.diagnosis.as_str();
        let none = Wrong::none();
        let is_meanwhile = typed.is_some_and(|(form, _)| form.base != mark_of(&[stands]));
        SafeHtml::render(&DiagnosisPart {
            t: self.t(),
            key: self.key(),
            action: format!("{ORDERS}/{}/diagnosis", bench.order.id),
            base: mark_of(&[stands]),
            text: typed.map_or(stands, |(form, _)| &form.diagnosis),
            now: is_meanwhile.then_some(stands),
            written: self.diagnosed(bench),
            wrong: typed.map_or(&none, |(_, wrong)| wrong),
            may_write: self.may_write(),
        })
    }
}

/// Writes the diagnosis.
pub(crate) async fn diagnosis(
    State(state): State<EdgeState>,
    who: May<may::OrdersWrite>,
    asked: PageRequest,
    ApiPath(id): ApiPath<DocumentId>,
    PageForm { fields, request }: PageForm<DiagnosisForm>,
) -> Result<Response, Problem> {
    let desk = Desk::of(state, who.0.clone(), asked).await?;
    let before = desk.order(id).await?;
    let form = fields.clone();
    let written = answered(
        &desk.state,
        &who,
        request,
        StatusCode::OK,
        move |tx, actor| {
            let mark = |order: &Order| mark_of(&[&order.diagnosis]);
            unchanged(tx, actor, id, &form.base, mark)?;
            let patch = OrderPatch {
                diagnosis: Patch::Set(form.diagnosis),
                ..OrderPatch::default()
            };
            order::patch(tx, actor, id, &IfMatch::default(), patch)
        },
    );
    match written.await.map_err(Problem::from) {
        Ok(answered) => {
            let now = answered.answer.body["diagnosis"].as_str().unwrap_or("");
            let toast = desk.saved(&before, desk.t().did_save_diagnosis, &fields.undo);
            let toast = if fields.undo.is_empty() && now != before.diagnosis {
                let hidden = vec![
                    ("key", desk.key()),
                    ("base", mark_of(&[now])),
                    ("diagnosis", before.diagnosis.clone()),
                    ("undo", "yes".to_owned()),
                ];
                toast.undo(format!("{ORDERS}/{id}/diagnosis"), hidden)
            } else {
                toast
            };
            desk.done(id, Back::Order, Some(&toast)).await
        }
        Err(problem) if desk.is_refusal(&problem) => {
            let bench = desk.bench(id).await?;
            let wrong = desk.wrong(&problem, &bench.order, &[("/diagnosis", "diagnosis")]);
            let part = desk.diagnosis_part(&bench, Some((&fields, &wrong)))?;
            desk.back_to_form(bench, "diagnosis", part, problem.status())
                .await
        }
        Err(problem) => Err(problem),
    }
}

/// Who works on it, until when, and whether first.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct PlanForm {
    #[serde(default)]
    technician: String,
    #[serde(default)]
    promised: String,
    #[serde(default)]
    urgent: String,
    #[serde(default)]
    base: String,
    #[serde(default)]
    undo: String,
}

impl PlanForm {
    fn of(order: &Order, desk: &Desk) -> Self {
        Self {
            technician: order
                .technician_id
                .map_or_else(String::new, |id| id.to_string()),
            promised: order
                .promised_at
                .map_or_else(String::new, |at| desk.view.clock.field(at.0)),
            urgent: if order.urgent { "yes" } else { "" }.to_owned(),
            base: plan_mark(order),
            undo: String::new(),
        }
    }

    fn patch(&self, desk: &Desk) -> Result<OrderPatch, Problem> {
        let technician = match self.technician.as_str() {
            "" => Patch::Clear,
            id => Patch::Set(id.parse::<StaffId>().map_err(|_| {
                Problem::invalid_field("/technician_id", "Nobody here has this id.")
            })?),
        };
        let promised = match self.promised.trim() {
            "" => Patch::Clear,
            typed => Patch::Set(desk.view.clock.read(typed).map(Time).ok_or_else(|| {
                Problem::invalid_field("/promised_at", "This is no date and hour.")
            })?),
        };
        Ok(OrderPatch {
            technician_id: technician,
            promised_at: promised,
            urgent: Patch::Set(!self.urgent.is_empty()),
            ..OrderPatch::default()
        })
    }
}

fn plan_mark(order: &Order) -> String {
    let technician = order
        .technician_id
        .map_or_else(String::new, |id| id.to_string());
    let promised = order
        .promised_at
        .map_or_else(String::new, |at| at.0.to_string());
    mark_of(&[&technician, &promised, if order.urgent { "1" } else { "" }])
}

#[derive(Template)]
#[template(path = "order/_plan.html")]
struct PlanPart<'a> {
    t: &'a OrderPageTexts,
    key: String,
    take_key: String,
    action: String,
    form: &'a PlanForm,
    wrong: &'a Wrong,
    people: Vec<(String, &'a str)>,
    technician: &'a str,
    promised: String,
    is_urgent: bool,
    may_write: bool,
    /// The reader's own id, where the order could be theirs.
    take: Option<String>,
}

impl Desk {
    pub(super) fn plan_part(
        &self,
        bench: &Bench,
        typed: Option<(&PlanForm, &Wrong)>,
    ) -> Result<SafeHtml, Problem> {
        let t = self.t();
        let stands = PlanForm::of(&bench.order, self);
        let shown = match typed {
            Some((form, _)) => PlanForm {
                base: stands.base.clone(),
                ..form.clone()
            },
            None => stands.clone(),
        };
        let none = Wrong::none();
        let technician = bench.order.technician_id;
        let me = self.who.staff();
        let could_take = self.may_write()
            && technician != Some(me)
            && bench.people.iter().any(|(id, _)| *id == me);
        SafeHtml::render(&PlanPart {
            t,
            key: self.key(),
            take_key: self.key(),
            action: format!("{ORDERS}/{}/plan", bench.order.id),
            form: &shown,
            wrong: typed.map_or(&none, |(_, wrong)| wrong),
            people: bench
                .people
                .iter()
                .map(|(id, name)| (id.to_string(), name.as_str()))
                .collect(),
            technician: technician
                .and_then(|id| bench.names.get(&id))
                .map_or(t.nobody_yet, String::as_str),
            promised: bench.order.promised_at.map_or_else(
                || t.not_promised.to_owned(),
                |at| self.view.clock.when(at.0),
            ),
            is_urgent: bench.order.urgent,
            may_write: self.may_write(),
            take: could_take.then(|| me.to_string()),
        })
    }
}

/// Changes the plan.
pub(crate) async fn plan(
    State(state): State<EdgeState>,
    who: May<may::OrdersWrite>,
    asked: PageRequest,
    ApiPath(id): ApiPath<DocumentId>,
    PageForm { fields, request }: PageForm<PlanForm>,
) -> Result<Response, Problem> {
    let desk = Desk::of(state, who.0.clone(), asked).await?;
    let before = desk.order(id).await?;
    let written = match fields.patch(&desk) {
        Ok(patch) => {
            let base = fields.base.clone();
            let write = answered(
                &desk.state,
                &who,
                request,
                StatusCode::OK,
                move |tx, actor| {
                    unchanged(tx, actor, id, &base, plan_mark)?;
                    order::patch(tx, actor, id, &IfMatch::default(), patch)
                },
            );
            write.await.map_err(Problem::from)
        }
        Err(problem) => Err(problem),
    };
    match written {
        Ok(answered) => {
            let toast = desk.saved(&before, desk.t().did_save_plan, &fields.undo);
            let toast = if fields.undo.is_empty() && !answered.is_replay {
                let now = desk.order(id).await?;
                let old = PlanForm::of(&before, &desk);
                let hidden = vec![
                    ("key", desk.key()),
                    ("base", plan_mark(&now)),
                    ("technician", old.technician),
                    ("promised", old.promised),
                    ("urgent", old.urgent),
                    ("undo", "yes".to_owned()),
                ];
                toast.undo(format!("{ORDERS}/{id}/plan"), hidden)
            } else {
                toast
            };
            desk.done(id, Back::Order, Some(&toast)).await
        }
        Err(problem) if desk.is_refusal(&problem) => {
            let bench = desk.bench(id).await?;
            let names = [
                ("/technician_id", "technician"),
                ("/promised_at", "promised"),
            ];
            let wrong = desk.wrong(&problem, &bench.order, &names);
            let part = desk.plan_part(&bench, Some((&fields, &wrong)))?;
            desk.back_to_form(bench, "plan", part, problem.status())
                .await
        }
        Err(problem) => Err(problem),
    }
}

/// What was brought in.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct DeviceForm {
    #[serde(default)]
    category: String,
    #[serde(default)]
    brand: String,
    #[serde(default)]
    model: String,
    #[serde(default)]
    serial: String,
    #[serde(default)]
    accessories: String,
    #[serde(default)]
    fault: String,
    #[serde(default)]
    base: String,
    #[serde(default)]
    undo: String,
}

impl DeviceForm {
    fn of(order: &Order) -> Self {
        let device = &order.device;
        Self {
            category: device.category.clone(),
            brand: device.brand.clone(),
            model: device.model.clone(),
            serial: device.serial.clone(),
            accessories: device.accessories.join(", "),
            fault: device.fault.clone(),
            base: device_mark(order),
            undo: String::new(),
        }
    }

    fn patch(&self) -> OrderPatch {
        let accessories = self
            .accessories
            .split(',')
            .map(str::trim)
            .filter(|word| !word.is_empty());
        OrderPatch {
            device: DevicePatch {
                category: Patch::Set(self.category.clone()),
                brand: Patch::Set(self.brand.clone()),
                model: Patch::Set(self.model.clone()),
                serial: Patch::Set(self.serial.clone()),
                fault: Patch::Set(self.fault.clone()),
                accessories: Patch::Set(accessories.map(str::to_owned).collect()),
                ..DevicePatch::default()
            },
            ..OrderPatch::default()
        }
    }

    fn hidden(self, key: String, base: String) -> Vec<(&'static str, String)> {
        vec![
            ("key", key),
            ("base", base),
            ("category", self.category),
            ("brand", self.brand),
            ("model", self.model),
            ("serial", self.serial),
            ("accessories", self.accessories),
            ("fault", self.fault),
            ("undo", "yes".to_owned()),
        ]
    }
}

fn device_mark(order: &Order) -> String {
    let device = &order.device;
    let accessories = device.accessories.join(", ");
    mark_of(&[
        &device.category,
        &device.brand,
        &device.model,
        &device.serial,
        &device.fault,
        &accessories,
    ])
}

#[derive(Template)]
#[template(path = "order/_device.html")]
struct DevicePart<'a> {
    t: &'a OrderPageTexts,
    key: String,
    action: String,
    form: &'a DeviceForm,
    wrong: &'a Wrong,
}

impl Desk {
    pub(super) fn device_part(
        &self,
        bench: &Bench,
        typed: Option<(&DeviceForm, &Wrong)>,
    ) -> Result<SafeHtml, Problem> {
        if !self.may_write() {
            return Ok(SafeHtml::empty());
        }
        let stands = DeviceForm::of(&bench.order);
        let shown = match typed {
            Some((form, _)) => DeviceForm {
                base: stands.base.clone(),
                ..form.clone()
            },
            None => stands,
        };
        let none = Wrong::none();
        SafeHtml::render(&DevicePart {
            t: self.t(),
            key: self.key(),
            action: format!("{ORDERS}/{}/device", bench.order.id),
            form: &shown,
            wrong: typed.map_or(&none, |(_, wrong)| wrong),
        })
    }
}

/// Changes the device.
pub(crate) async fn device(
    State(state): State<EdgeState>,
    who: May<may::OrdersWrite>,
    asked: PageRequest,
    ApiPath(id): ApiPath<DocumentId>,
    PageForm { fields, request }: PageForm<DeviceForm>,
) -> Result<Response, Problem> {
    let desk = Desk::of(state, who.0.clone(), asked).await?;
    let before = desk.order(id).await?;
    let (base, patch) = (fields.base.clone(), fields.patch());
    let written = answered(
        &desk.state,
        &who,
        request,
        StatusCode::OK,
        move |tx, actor| {
            unchanged(tx, actor, id, &base, device_mark)?;
            order::patch(tx, actor, id, &IfMatch::default(), patch)
        },
    );
    match written.await.map_err(Problem::from) {
        Ok(answered) => {
            let toast = desk.saved(&before, desk.t().did_save_device, &fields.undo);
            let toast = if fields.undo.is_empty() && !answered.is_replay {
                let now = desk.order(id).await?;
                let hidden = DeviceForm::of(&before).hidden(desk.key(), device_mark(&now));
                toast.undo(format!("{ORDERS}/{id}/device"), hidden)
            } else {
                toast
            };
            desk.done(id, Back::Order, Some(&toast)).await
        }
        Err(problem) if desk.is_refusal(&problem) => {
            let bench = desk.bench(id).await?;
            let names = [
                ("/device/category", "category"),
                ("/device/brand", "brand"),
                ("/device/model", "model"),
                ("/device/serial", "serial"),
                ("/device/accessories", "accessories"),
                ("/device/fault", "fault"),
            ];
            let wrong = desk.wrong(&problem, &bench.order, &names);
            let part = desk.device_part(&bench, Some((&fields, &wrong)))?;
            desk.back_to_form(bench, "device", part, problem.status())
                .await
        }
        Err(problem) => Err(problem),
    }
}

/// A note.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct NoteForm {
    #[serde(default)]
    text: String,
}

#[derive(Template)]
#[template(path = "order/_note.html")]
struct NotePart<'a> {
    t: &'a OrderPageTexts,
    key: String,
    action: String,
    text: &'a str,
    wrong: &'a Wrong,
}

impl Desk {
    pub(super) fn note_part(
        &self,
        id: DocumentId,
        typed: Option<(&NoteForm, &Wrong)>,
    ) -> Result<SafeHtml, Problem> {
        if !self.may_write() {
            return Ok(SafeHtml::empty());
        }
        let none = Wrong::none();
        SafeHtml::render(&NotePart {
            t: self.t(),
            key: self.key(),
            action: format!("{ORDERS}/{id}/notes"),
            text: typed.map_or("", |(form, _)| &form.text),
            wrong: typed.map_or(&none, |(_, wrong)| wrong),
        })
    }

    fn saved(&self, order: &Order, did: &str, undo: &str) -> Toast {
        let did = if undo.is_empty() {
            did
        } else {
            self.t().did_undo
        };
        Toast::new(order.number.clone(), did)
    }
}

/// Writes a note.
pub(crate) async fn note(
    State(state): State<EdgeState>,
    who: May<may::OrdersWrite>,
    asked: PageRequest,
    ApiPath(id): ApiPath<DocumentId>,
    PageForm { fields, request }: PageForm<NoteForm>,
) -> Result<Response, Problem> {
    let desk = Desk::of(state, who.0.clone(), asked).await?;
    let text = fields.text.clone();
    let written = answered(
        &desk.state,
        &who,
        request,
        StatusCode::OK,
        move |tx, actor| notes::add(tx, actor, id, &IfMatch::default(), NoteInput { text }),
    );
    match written.await.map_err(Problem::from) {
        Ok(_) => desk.done(id, Back::Order, None).await,
        Err(problem) if desk.is_refusal(&problem) => {
            let bench = desk.bench(id).await?;
            let wrong = desk.wrong(&problem, &bench.order, &[("/text", "text")]);
            let part = desk.note_part(id, Some((&fields, &wrong)))?;
            desk.back_to_form(bench, "note", part, problem.status())
                .await
        }
        Err(problem) => Err(problem),
    }
}
