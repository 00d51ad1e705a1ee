//! What every form of the order's page needs: who asks, how the page is seen, and how it answers.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use domain::id::DocumentId;
use domain::permission::Permission;
use serde::Serialize;
use web_kit::{Content, IdempotentRequest, PageRequest, Problem, SafeHtml, html_with_status};

use super::Back;
use super::bench::Bench;
use super::texts::OrderPageTexts;
use crate::api::{Caller, EdgeState};
use crate::app::order::form::Order;
use crate::error::AppError;
use crate::store::{Actor, WriteTx};
use crate::web::BOARD;
use crate::web::frame::frame;
use crate::web::posted::{Posted, post};
use crate::web::view::View;

/// One request about an order.
pub(crate) struct Desk {
    pub(super) state: EdgeState,
    pub(super) who: Caller,
    pub(super) view: View,
    pub(super) asked: PageRequest,
}

/// A refusal as a page of its own, for browsers without a script.
#[derive(Template)]
#[template(path = "order/_saying.html")]
pub(super) struct Saying<'a> {
    pub(super) t: &'a OrderPageTexts,
    pub(super) title: &'a str,
    pub(super) said: &'a str,
    pub(super) back_href: String,
}

/// What is wrong with a form: by field, and what belongs to none of them.
#[derive(Debug, Clone, Default)]
pub(super) struct Wrong {
    fields: Vec<(&'static str, String)>,
    said: Option<String>,
}

impl Wrong {
    /// Nothing.
    pub(super) fn none() -> Self {
        Self::default()
    }

    /// What is wrong with a field.
    pub(super) fn of(&self, name: &str) -> Option<&str> {
        let mut fields = self.fields.iter();
        fields
            .find(|(field, _)| *field == name)
            .map(|(_, words)| words.as_str())
    }

    /// What is wrong with the whole.
    pub(super) fn said(&self) -> Option<&str> {
        self.said.as_deref()
    }

    /// Whether anything is.
    pub(super) fn is_wrong(&self) -> bool {
        self.said.is_some() || !self.fields.is_empty()
    }
}

impl Desk {
    /// What a problem says about a form, in the reader's language: `names` are the form's fields by pointer.
    pub(super) fn wrong(
        &self,
        problem: &Problem,
        order: &Order,
        names: &[(&str, &'static str)],
    ) -> Wrong {
        let t = self.t();
        let mut wrong = Wrong::none();
        for error in &problem.body().errors {
            let name = names.iter().find(|(pointer, _)| {
                let rest = error.pointer.strip_prefix(pointer);
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            });
            let Some((_, name)) = name else {
                continue;
            };
            let words = match *name {
                "text" => t.wrong_text,
                "quantity" => t.wrong_quantity,
                "price" => t.wrong_price,
                "tax" | "kind" => t.wrong_tax,
                "promised" => t.wrong_time,
                "code" => t.wrong_code,
                "technician" => t.wrong_person,
                _ => t.wrong_length,
            };
            wrong.fields.push((name, words.to_owned()));
        }
        wrong.said = if wrong.fields.is_empty() {
            Some(self.said(problem, order))
        } else {
            Some(t.nothing_saved.to_owned())
        };
        wrong
    }

    pub(super) fn may_write(&self) -> bool {
        self.who.may(Permission::OrdersWrite)
    }

    pub(super) fn may_move(&self) -> bool {
        self.who.may(Permission::OrdersMove)
    }

    pub(super) async fn of(
        state: EdgeState,
        who: Caller,
        asked: PageRequest,
    ) -> Result<Self, Problem> {
        let view = View::of(&state, &who).await?;
        Ok(Self {
            state,
            who,
            view,
            asked,
        })
    }

    pub(super) fn t(&self) -> &'static OrderPageTexts {
        OrderPageTexts::of(self.view.language())
    }

    /// A key for a form that is being drawn.
    pub(super) fn key(&self) -> String {
        self.state.form_key().to_string()
    }

    /// Gives what was read from a form to a use case; see [`post`].
    pub(super) async fn post<I, T, F>(
        &self,
        request: IdempotentRequest,
        input: Result<I, Problem>,
        work: F,
    ) -> Result<Posted, Problem>
    where
        I: Send + 'static,
        T: Serialize,
        F: FnOnce(&mut WriteTx<'_>, &Actor, I) -> Result<T, AppError> + Send + 'static,
    {
        post(&self.state, &self.who, request, input, work).await
    }

    /// The refused form `name` as `draw` makes it of what was typed; `fields` are its fields by pointer.
    pub(super) async fn again(
        &self,
        id: DocumentId,
        name: &str,
        problem: &Problem,
        fields: &[(&str, &'static str)],
        draw: impl FnOnce(&Bench, &Wrong) -> Result<SafeHtml, Problem>,
    ) -> Result<Response, Problem> {
        let bench = self.bench(id).await?;
        let wrong = self.wrong(problem, &bench.order, fields);
        let part = draw(&bench, &wrong)?;
        self.back_to_form(bench, name, part, problem.status()).await
    }

    /// Says over the order's page, as it is now, why something cannot be.
    pub(super) async fn refuse(
        &self,
        id: DocumentId,
        back: Back,
        problem: &Problem,
    ) -> Result<Response, Problem> {
        let order = self.order(id).await?;
        let said = self.said(problem, &order);
        self.refused(&order, back, &said, problem.status()).await
    }

    /// The content of the page's dialog; without a script a page of its own.
    pub(super) async fn dialog(
        &self,
        title: &str,
        part: SafeHtml,
        status: StatusCode,
    ) -> Result<Response, Problem> {
        if self.asked.is_fragment() {
            // A first answer fills the dialog it was asked for; a refused form takes the place of itself.
            let part = if status == StatusCode::OK {
                part
            } else {
                part.partial("#dialog", "innerHTML")
            };
            return Ok(html_with_status(status, part));
        }
        let sheet = SafeHtml::literal("<div class=\"sheet narrow\">")
            .then(&part)
            .then(&SafeHtml::literal("</div>"));
        let content = Content::new(title, sheet);
        let page = frame(&self.state, &self.who, &self.view, BOARD)
            .await?
            .render(&content)?;
        Ok(html_with_status(status, page))
    }
}
