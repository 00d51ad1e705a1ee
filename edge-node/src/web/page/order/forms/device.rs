//! What was brought in.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use domain::id::DocumentId;
use domain::patch::Patch;
use serde::Deserialize;
use web_kit::{ApiPath, IfMatch, PageForm, PageRequest, Problem, SafeHtml};

use super::{mark_of, unchanged};
use crate::api::EdgeState;
use crate::api::caller::{May, may};
use crate::app::order;
use crate::app::order::form::{DevicePatch, Order, OrderPatch};
use crate::web::ORDERS;
use crate::web::page::order::Back;
use crate::web::page::order::bench::Bench;
use crate::web::page::order::desk::{Desk, Wrong};
use crate::web::page::order::texts::OrderPageTexts;
use crate::web::posted::Posted;

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
    pub(in crate::web::page::order) fn device_part(
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
    let base = fields.base.clone();
    let written = desk.post(request, Ok(fields.patch()), move |tx, actor, patch| {
        unchanged(tx, actor, id, &base, device_mark)?;
        order::patch(tx, actor, id, &IfMatch::default(), patch)
    });
    match written.await? {
        Posted::Done(answered) => {
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
        Posted::Refused(problem) => {
            let names = [
                ("/device/category", "category"),
                ("/device/brand", "brand"),
                ("/device/model", "model"),
                ("/device/serial", "serial"),
                ("/device/accessories", "accessories"),
                ("/device/fault", "fault"),
            ];
            desk.again(id, "device", &problem, &names, |bench, wrong| {
                desk.device_part(bench, Some((&fields, wrong)))
            })
            .await
        }
    }
}
