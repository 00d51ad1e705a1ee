//! Taking devices in: one page, keyboard first, and all of it works without a script.
//!
//! The form is judged by the use case alone; what it says comes back to the field it is about, with everything that
//! was typed. A refusal keeps the form's key, for it changed nothing. What the page offers while somebody types is
//! asked for by post, for a name or a phone number never stands in an address.

mod form;
pub(crate) mod promise;
mod shown;
mod texts;

pub(crate) use shown::icon;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use domain::id::DocumentId;
use serde::Deserialize;
use web_kit::{
    ApiQuery, Content, FieldErrors, PageForm, PlainForm, Problem, SafeHtml, html, html_with_status,
};

use crate::api::EdgeState;
use crate::api::caller::{Caller, May, may};
use crate::app::intake;
use crate::web::INTAKE;
use crate::web::frame::frame;
use crate::web::page::elsewhere::{Elsewhere, PICKS, brought, picked};
use crate::web::page::receipt;
use crate::web::posted::{Posted, post};
use crate::web::texts::Texts;
use crate::web::view::View;
use form::{IntakeForm, NEW};
use shown::{Errors, Shown, read};
use texts::IntakeTexts;

const MODULES: &[&str] = &["js/intake.js"];
/// The step that asks the other branches, for a page without scripts.
const ELSEWHERE: &str = "elsewhere";

#[derive(Template)]
#[template(path = "intake/page.html")]
struct IntakePage<'a> {
    t: &'a IntakeTexts,
    key: &'a str,
    form: &'a IntakeForm,
    errors: &'a Errors<'a>,
    d: &'a Shown,
}

#[derive(Template)]
#[template(path = "intake/draft.html")]
struct DraftParts<'a> {
    t: &'a IntakeTexts,
    form: &'a IntakeForm,
    d: &'a Shown,
}

#[derive(Template)]
#[template(path = "intake/_people.html")]
struct PeoplePart<'a> {
    t: &'a IntakeTexts,
    form: &'a IntakeForm,
    d: &'a Shown,
}

#[derive(Template)]
#[template(path = "elsewhere/_intake.html")]
struct ElsewherePart<'a> {
    e: &'a Elsewhere,
}

#[derive(Template)]
#[template(path = "intake/_head.html")]
struct Head<'a> {
    t: &'a IntakeTexts,
    words: &'a Texts,
}

/// With whom the form begins.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct IntakeQuery {
    #[serde(default)]
    person: Option<DocumentId>,
}

/// The empty form, or the form of somebody who is known.
pub(crate) async fn form(
    State(state): State<EdgeState>,
    who: May<may::OrdersWrite>,
    ApiQuery(query): ApiQuery<IntakeQuery>,
) -> Result<Response, Problem> {
    let key = state.form_key();
    let form = IntakeForm {
        person: query.person.map(|id| id.to_string()).unwrap_or_default(),
        ..IntakeForm::default()
    };
    let view = View::of(&state, &who).await?;
    let page = Page {
        state: &state,
        who: &who,
        view: &view,
        key: key.as_str(),
    };
    page.show(StatusCode::OK, &form, &Errors::none()).await
}

struct Page<'a> {
    state: &'a EdgeState,
    who: &'a Caller,
    view: &'a View,
    key: &'a str,
}

impl Page<'_> {
    async fn show(
        &self,
        status: StatusCode,
        form: &IntakeForm,
        errors: &Errors<'_>,
    ) -> Result<Response, Problem> {
        let t = IntakeTexts::of(self.view.language());
        let words = Texts::of(self.view.language());
        let mut shown = read(self.state, self.who, self.view, form).await?;
        if form.step == ELSEWHERE {
            shown.elsewhere =
                Elsewhere::now(self.state, self.view, self.who, &form.who, PICKS).await?;
        }
        let body = SafeHtml::render(&IntakePage {
            t,
            key: self.key,
            form,
            errors,
            d: &shown,
        })?;
        let mut content = Content::new(words.intake, body);
        content.head = SafeHtml::render(&Head { t, words })?;
        content.fill = true;
        content.modules = MODULES;
        let page = frame(self.state, self.who, self.view, INTAKE)
            .await?
            .render(&content)?;
        Ok(html_with_status(status, page))
    }
}

/// Who may be meant, while somebody types.
pub(crate) async fn people(
    State(state): State<EdgeState>,
    who: May<may::OrdersWrite>,
    PlainForm(mut form): PlainForm<IntakeForm>,
) -> Result<Response, Problem> {
    form.person = String::new();
    let view = View::of(&state, &who).await?;
    let shown = read(&state, &who, &view, &form).await?;
    let part = PeoplePart {
        t: IntakeTexts::of(view.language()),
        form: &form,
        d: &shown,
    };
    Ok(html(SafeHtml::render(&part)?))
}

/// Who of other branches may be meant, when the hub has answered.
pub(crate) async fn elsewhere(
    State(state): State<EdgeState>,
    who: May<may::OrdersWrite>,
    PlainForm(form): PlainForm<IntakeForm>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let place = Elsewhere::now(&state, &view, &who, &form.who, PICKS).await?;
    Ok(html(SafeHtml::render(&ElsewherePart { e: &place })?))
}

/// What follows from what stands in the form now: devices of the person, faults of the kind, parts, times. Somebody of
/// another branch is brought first.
pub(crate) async fn draft(
    State(state): State<EdgeState>,
    who: May<may::OrdersWrite>,
    PlainForm(mut form): PlainForm<IntakeForm>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let not_brought = bring(&state, &view, &who, &mut form).await?;
    let mut shown = read(&state, &who, &view, &form).await?;
    shown.not_brought = not_brought;
    let part = DraftParts {
        t: IntakeTexts::of(view.language()),
        form: &form,
        d: &shown,
    };
    Ok(html(SafeHtml::render(&part)?))
}

/// Brings the person who was picked, where another branch serves them; a sentence where the person does not come, and
/// then nobody is picked.
async fn bring(
    state: &EdgeState,
    view: &View,
    who: &Caller,
    form: &mut IntakeForm,
) -> Result<Option<String>, Problem> {
    let Some(person) = picked(&form.person) else {
        return Ok(None);
    };
    let brought = brought(state, view, who, person).await?;
    form.person = brought
        .as_ref()
        .map_or_else(|_| String::new(), ToString::to_string);
    Ok(brought.err())
}

/// Takes the devices in and goes on to what is printed; or does a step of the form that saves nothing.
pub(crate) async fn take_in(
    State(state): State<EdgeState>,
    who: May<may::OrdersWrite>,
    PageForm {
        mut fields,
        request,
    }: PageForm<IntakeForm>,
) -> Result<Response, Problem> {
    let key = request.key.clone().unwrap_or_default();
    let view = View::of(&state, &who).await?;
    let t = IntakeTexts::of(view.language());
    let page = Page {
        state: &state,
        who: &who,
        view: &view,
        key: &key,
    };
    let not_brought = bring(&state, &view, &who, &mut fields).await?;
    if let Some(said) = not_brought {
        let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE).detail(said);
        let errors = Errors::of(t, &problem, FieldErrors::none(), fields.drafts().len());
        return page.show(problem.status(), &fields, &errors).await;
    }
    if step(&mut fields, t, &page).await? {
        return page.show(StatusCode::OK, &fields, &Errors::none()).await;
    }
    fields.move_typed();
    let visit = fields.visit(t, &view);
    match post(&state, &who, request, visit, intake::take_in).await? {
        Posted::Done(answered) => {
            let visit = answered.answer.body["visit_id"]
                .as_str()
                .unwrap_or_default();
            Ok(Redirect::to(&receipt::of_visit(visit)).into_response())
        }
        Posted::Refused(problem) => {
            let devices = fields.drafts().len();
            let fields_wrong = FieldErrors::of(&problem).said_in(view.language());
            let errors = Errors::of(t, &problem, fields_wrong, devices);
            page.show(problem.status(), &fields, &errors).await
        }
    }
}

/// Steps that change only the form. Whether there was one.
async fn step(form: &mut IntakeForm, t: &IntakeTexts, page: &Page<'_>) -> Result<bool, Problem> {
    match form.step.as_str() {
        "find" | ELSEWHERE => form.person = String::new(),
        "choose" => {
            form.move_typed();
            shown::take_known(page.state, page.who, form).await?;
        }
        "fine" => {
            form.state.resize(form.look.len(), String::new());
            for state in form
                .state
                .iter_mut()
                .filter(|state| state.trim().is_empty())
            {
                *state = t.fine.to_owned();
            }
        }
        "another" => {
            if form.person.is_empty() && form.is_new_person() {
                form.person = NEW.to_owned();
            }
            form.keep_device();
        }
        other => match other.strip_prefix("drop-").and_then(|at| at.parse().ok()) {
            Some(at) if at < form.kept.len() => {
                form.kept.remove(at);
            }
            _ => return Ok(false),
        },
    }
    Ok(true)
}
