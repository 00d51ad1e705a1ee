//! What every form of the order's page needs: who asks, how the page is seen, and how it answers.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use web_kit::{Content, PageRequest, Problem, SafeHtml, html_with_status};

use super::texts::OrderPageTexts;
use crate::api::{Caller, EdgeState};
use crate::web::BOARD;
use crate::web::frame::frame;
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

impl Desk {
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

    /// Whether a problem is about what was asked, and not about who asks or the machine.
    pub(super) fn is_refusal(&self, problem: &Problem) -> bool {
        matches!(
            problem.status(),
            StatusCode::CONFLICT | StatusCode::UNPROCESSABLE_ENTITY
        )
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
