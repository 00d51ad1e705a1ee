//! A note on the time line.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use domain::id::DocumentId;
use serde::Deserialize;
use web_kit::{ApiPath, IfMatch, PageForm, PageRequest, Problem, SafeHtml};

use crate::api::EdgeState;
use crate::api::caller::{May, may};
use crate::app::order::form::NoteInput;
use crate::app::order::note as notes;
use crate::web::ORDERS;
use crate::web::page::order::Back;
use crate::web::page::order::desk::{Desk, Wrong};
use crate::web::page::order::texts::OrderPageTexts;
use crate::web::posted::Posted;

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
    pub(in crate::web::page::order) fn note_part(
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
    let written = desk.post(request, Ok(NoteInput { text }), move |tx, actor, note| {
        notes::add(tx, actor, id, &IfMatch::default(), note)
    });
    match written.await? {
        Posted::Done(_) => desk.done(id, Back::Order, None).await,
        Posted::Refused(problem) => {
            let names = [("/text", "text")];
            desk.again(id, "note", &problem, &names, |_, wrong| {
                desk.note_part(id, Some((&fields, wrong)))
            })
            .await
        }
    }
}
