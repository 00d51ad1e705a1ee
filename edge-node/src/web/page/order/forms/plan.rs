//! Who works on it, until when, and whether it goes first.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use domain::id::{DocumentId, StaffId};
use domain::patch::Patch;
use serde::Deserialize;
use web_kit::{ApiPath, IfMatch, PageForm, PageRequest, Problem, SafeHtml};

use super::{mark_of, unchanged};
use crate::api::EdgeState;
use crate::api::caller::{May, may};
use crate::app::order;
use crate::app::order::form::{Order, OrderPatch};
use crate::web::ORDERS;
use crate::web::page::order::Back;
use crate::web::page::order::bench::Bench;
use crate::web::page::order::desk::{Desk, Wrong};
use crate::web::page::order::texts::OrderPageTexts;
use crate::web::posted::Posted;
use web_kit::wire::Time;

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
    pub(in crate::web::page::order) fn plan_part(
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
    let base = fields.base.clone();
    let written = desk.post(request, fields.patch(&desk), move |tx, actor, patch| {
        unchanged(tx, actor, id, &base, plan_mark)?;
        order::patch(tx, actor, id, &IfMatch::default(), patch)
    });
    match written.await? {
        Posted::Done(answered) => {
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
        Posted::Refused(problem) => {
            let names = [
                ("/technician_id", "technician"),
                ("/promised_at", "promised"),
            ];
            desk.again(id, "plan", &problem, &names, |bench, wrong| {
                desk.plan_part(bench, Some((&fields, wrong)))
            })
            .await
        }
    }
}
