//! What was found.

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
use crate::app::order::form::{Order, OrderPatch};
use crate::web::ORDERS;
use crate::web::page::order::Back;
use crate::web::page::order::bench::Bench;
use crate::web::page::order::desk::{Desk, Wrong};
use crate::web::page::order::texts::OrderPageTexts;
use crate::web::posted::Posted;

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
    pub(in crate::web::page::order) fn diagnosis_part(
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
    let written = desk.post(request, Ok(fields.clone()), move |tx, actor, form| {
        let mark = |order: &Order| mark_of(&[&order.diagnosis]);
        unchanged(tx, actor, id, &form.base, mark)?;
        let patch = OrderPatch {
            diagnosis: Patch::Set(form.diagnosis),
            ..OrderPatch::default()
        };
        order::patch(tx, actor, id, &IfMatch::default(), patch)
    });
    match written.await? {
        Posted::Done(answered) => {
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
        Posted::Refused(problem) => {
            let names = [("/diagnosis", "diagnosis")];
            desk.again(id, "diagnosis", &problem, &names, |bench, wrong| {
                desk.diagnosis_part(bench, Some((&fields, wrong)))
            })
            .await
        }
    }
}
