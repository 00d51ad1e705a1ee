//! Taking a device in.
//!
//! The form is judged by the use case alone; what it says comes back to the field it is about, with everything that
//! was typed. A refusal keeps the form's key, for it changed nothing.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use web_kit::{Content, FieldErrors, PageForm, Problem, SafeHtml, html_with_status};

use crate::api::EdgeState;
use crate::api::caller::{Caller, May, may};
use crate::api::command::answered;
use crate::app::customer::CustomerInput;
use crate::app::intake::{self, NewVisit};
use crate::app::order::form::DeviceInput;
use crate::app::wire::{Personal, Time};
use crate::web::frame::frame;
use crate::web::texts::Texts;
use crate::web::view::View;
use crate::web::{INTAKE, ORDERS};

/// What was typed.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct IntakeForm {
    #[serde(default)]
    name: Personal,
    #[serde(default)]
    phone: Personal,
    #[serde(default)]
    email: Personal,
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
    promised: String,
    #[serde(default)]
    urgent: String,
}

#[derive(Template)]
#[template(path = "intake/page.html")]
struct IntakePage<'a> {
    t: &'a Texts,
    key: &'a str,
    form: &'a IntakeForm,
    errors: &'a Shown<'a>,
}

/// Problems by field; what belongs to no field of the form stands above it.
struct Shown<'a> {
    by_field: FieldErrors,
    said: Option<&'a Problem>,
}

const FIELDS: [&str; 10] = [
    "customer/name",
    "customer/phone",
    "customer/email",
    "devices/0/category",
    "devices/0/brand",
    "devices/0/model",
    "devices/0/serial",
    "devices/0/fault",
    "devices/0/accessories",
    "promised_at",
];

impl Shown<'_> {
    fn none() -> Self {
        Self {
            by_field: FieldErrors::none(),
            said: None,
        }
    }

    fn of(&self, field: &str) -> Option<&str> {
        self.by_field.get(field).or_else(|| {
            // A list's own entries (`/devices/0/accessories/2`) belong to its field.
            let below = format!("{field}/");
            let mut errors = self.by_field.iter();
            errors
                .find(|error| error.pointer.trim_start_matches('/').starts_with(&below))
                .map(|error| error.detail.as_str())
        })
    }

    fn above(&self, t: &Texts) -> Vec<String> {
        let Some(problem) = self.said else {
            return Vec::new();
        };
        let is_shown = |pointer: &str| {
            let pointer = pointer.trim_start_matches('/');
            FIELDS
                .iter()
                .any(|field| pointer == *field || pointer.starts_with(&format!("{field}/")))
        };
        let mut lines: Vec<String> = self
            .by_field
            .iter()
            .filter(|error| !is_shown(&error.pointer))
            .map(|error| error.detail.clone())
            .collect();
        if self.by_field.is_empty() {
            lines.push(
                problem
                    .body()
                    .detail
                    .clone()
                    .unwrap_or_else(|| problem.body().title.to_string()),
            );
        }
        if lines.is_empty() {
            lines.push(t.not_saved.to_owned());
        }
        lines
    }
}

/// The empty form.
pub(crate) async fn form(
    State(state): State<EdgeState>,
    who: May<may::OrdersWrite>,
) -> Result<Response, Problem> {
    let key = state.form_key();
    let form = IntakeForm::default();
    let view = View::of(&state, &who).await?;
    show(
        &state,
        &who,
        &view,
        StatusCode::OK,
        key.as_str(),
        &form,
        &Shown::none(),
    )
    .await
}

async fn show(
    state: &EdgeState,
    who: &Caller,
    view: &View,
    status: StatusCode,
    key: &str,
    form: &IntakeForm,
    errors: &Shown<'_>,
) -> Result<Response, Problem> {
    let t = Texts::of(view.language());
    let body = SafeHtml::render(&IntakePage {
        t,
        key,
        form,
        errors,
    })?;
    let page = frame(state, who, view, INTAKE)
        .await?
        .render(&Content::new(t.intake, body))?;
    Ok(html_with_status(status, page))
}

/// Takes the device in and goes on to its order.
pub(crate) async fn take_in(
    State(state): State<EdgeState>,
    who: May<may::OrdersWrite>,
    PageForm { fields, request }: PageForm<IntakeForm>,
) -> Result<Response, Problem> {
    let key = request.key.clone().unwrap_or_default();
    let view = View::of(&state, &who).await?;
    let taken_in = match visit(&fields, &view) {
        Ok(visit) => {
            let write = answered(
                &state,
                &who,
                request,
                StatusCode::CREATED,
                move |tx, actor| intake::take_in(tx, actor, visit),
            );
            write.await.map_err(Problem::from)
        }
        Err(problem) => Err(problem),
    };
    match taken_in {
        Ok(answered) => {
            let order = answered.answer.body["items"][0]["id"]
                .as_str()
                .unwrap_or_default();
            Ok(Redirect::to(&format!("{ORDERS}/{order}")).into_response())
        }
        Err(problem) if problem.status() == StatusCode::UNPROCESSABLE_ENTITY => {
            let errors = Shown {
                by_field: FieldErrors::of(&problem),
                said: Some(&problem),
            };
            show(
                &state,
                &who,
                &view,
                problem.status(),
                &key,
                &fields,
                &errors,
            )
            .await
        }
        Err(problem) => Err(problem),
    }
}

fn visit(form: &IntakeForm, view: &View) -> Result<NewVisit, Problem> {
    let is_named = [&form.name, &form.phone, &form.email]
        .iter()
        .any(|value| !value.expose().trim().is_empty());
    let some = |value: &Personal| (!value.expose().trim().is_empty()).then(|| value.clone());
    let customer = is_named.then(|| CustomerInput {
        name: form.name.clone(),
        phone: some(&form.phone),
        email: some(&form.email),
        ..CustomerInput::default()
    });
    let promised_at = match form.promised.trim() {
        "" => None,
        typed => Some(view.clock.read(typed).map(Time).ok_or_else(|| {
            Problem::invalid_field(
                "/promised_at",
                "Write date and hour, as in 2026-11-24 17:00.",
            )
        })?),
    };
    let accessories = form
        .accessories
        .split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty());
    let device = DeviceInput {
        category: form.category.clone(),
        brand: form.brand.clone(),
        model: form.model.clone(),
        serial: form.serial.clone(),
        fault: form.fault.clone(),
        accessories: accessories.map(str::to_owned).collect(),
        condition: std::collections::BTreeMap::new(),
    };
    Ok(NewVisit {
        customer,
        devices: vec![device],
        promised_at,
        urgent: !form.urgent.is_empty(),
        ..NewVisit::default()
    })
}
