//! Asking another branch for parts.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use web_kit::{
    ApiQuery, Content, PageForm, PageRequest, Problem, SafeHtml, Toast, html_with_status,
};

use super::branch_names;
use super::texts::TransferTexts;
use crate::api::EdgeState;
use crate::api::caller::{Caller, May, may};
use crate::app::transfer::{self, LineInput, TransferInput};
use crate::web::TRANSFERS;
use crate::web::frame::frame;
use crate::web::page::delivery::{ListTexts, unknown_words};
use crate::web::page::stock::StockTexts;
use crate::web::page::stock::form::{ListInput, MadeList, Wrong};
use crate::web::posted::{Posted, post};
use crate::web::said::go_on;
use crate::web::view::View;

/// The page of a new request, whose list a tab keeps until it is saved.
const NEW: &str = "/transfers/new";

/// What the address of a new request may say.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct AskQuery {
    #[serde(default)]
    from: String,
    #[serde(default)]
    sku: String,
}

/// A request as typed.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct AskForm {
    #[serde(default)]
    from: String,
    #[serde(default)]
    note: String,
    #[serde(default)]
    sku: Vec<String>,
    #[serde(default)]
    quantity: Vec<String>,
    #[serde(default)]
    code: String,
    #[serde(default)]
    action: String,
}

#[derive(Template)]
#[template(path = "transfers/ask.html")]
struct AskPage<'a> {
    t: &'a TransferTexts,
    s: &'a StockTexts,
    l: &'a ListTexts,
    key: &'a str,
    form: &'a AskForm,
    branches: Vec<(String, String)>,
    made: &'a MadeList,
    wrong: &'a Wrong,
    unknown: String,
}

/// The empty request, or one for a part.
pub(crate) async fn ask(
    State(state): State<EdgeState>,
    who: May<may::TransfersRequest>,
    ApiQuery(query): ApiQuery<AskQuery>,
) -> Result<Response, Problem> {
    let actor = who.actor();
    let input = ListInput {
        code: query.sku.clone(),
        action: "add".to_owned(),
        ..ListInput::default()
    };
    let made = state
        .store()
        .read(move |reader| input.make(reader, &actor))
        .await?;
    let form = AskForm {
        from: query.from,
        ..AskForm::default()
    };
    let key = state.form_key().to_string();
    show_ask(&state, &who, &key, &form, &made, &Wrong::default()).await
}

async fn show_ask(
    state: &EdgeState,
    who: &Caller,
    key: &str,
    form: &AskForm,
    made: &MadeList,
    wrong: &Wrong,
) -> Result<Response, Problem> {
    let read = state.store().read(|reader| {
        let own = reader.identity().code.clone();
        let names = branch_names(reader)?;
        Ok(names
            .into_iter()
            .filter(|(code, _)| *code != own)
            .collect::<Vec<_>>())
    });
    let branches = read.await?;
    let view = View::of(state, who).await?;
    let t = TransferTexts::of(view.language());
    let s = StockTexts::of(view.language());
    let body = SafeHtml::render(&AskPage {
        t,
        s,
        l: ListTexts::of(view.language()),
        key,
        form,
        branches,
        made,
        wrong,
        unknown: unknown_words(made, s),
    })?;
    let mut content = Content::new(t.ask_title, body);
    content.modules = &["js/stock.js"];
    let page = frame(state, who, &view, TRANSFERS)
        .await?
        .render(&content)?;
    Ok(html_with_status(wrong.status(), page))
}

/// Asks, or does what one of the list's own buttons says.
pub(crate) async fn request(
    State(state): State<EdgeState>,
    who: May<may::TransfersRequest>,
    asked: PageRequest,
    PageForm { fields, request }: PageForm<AskForm>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let t = TransferTexts::of(view.language());
    let key = request.key.clone().unwrap_or_default();
    let actor = who.actor();
    let input = ListInput {
        sku: fields.sku.clone(),
        quantity: fields.quantity.clone(),
        code: fields.code.clone(),
        action: fields.action.clone(),
    };
    let made = state
        .store()
        .read(move |reader| input.make(reader, &actor))
        .await?;
    let mut wrong = Wrong::default();
    if made.is_edited {
        return show_ask(&state, &who, &key, &fields, &made, &wrong).await;
    }
    let words = ListTexts::of(view.language()).wrong_pieces;
    let lines = made.pieces(&mut wrong, words);
    if fields.from.trim().is_empty() {
        wrong.mark("from", t.wrong_branch);
    }
    if lines.is_empty() && made.lines.is_empty() {
        wrong.above = Some(t.empty_list.to_owned());
    }
    if wrong.is_empty() {
        let input = TransferInput {
            from: fields.from.clone(),
            to: None,
            lines: lines
                .into_iter()
                .map(|(sku, quantity)| LineInput { sku, quantity })
                .collect(),
            note: fields.note.clone(),
        };
        let posted = post(&state, &who, request, Ok(input), transfer::request);
        match posted.await? {
            Posted::Done(answered) => {
                let id = answered.answer.body["id"].as_str().unwrap_or_default();
                let toast = Toast::new("", t.done_asked).clears(NEW);
                let href = format!("{TRANSFERS}/{id}");
                return go_on(&state, asked, view.language(), &href, toast);
            }
            Posted::Refused(problem) => wrong.take(
                &problem,
                &[
                    ("from", t.wrong_branch),
                    ("to", t.wrong_branch),
                    ("quantity", words),
                    ("sku", t.wrong_sku),
                    ("note", t.wrong_note),
                ],
                t.not_asked,
            ),
        }
    }
    show_ask(&state, &who, &key, &fields, &made, &wrong).await
}
