//! A person's values, changed at the hub.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use domain::customer::CustomerPatch;
use domain::id::DocumentId;
use domain::patch::Patch;
use serde::Deserialize;
use serde_json::json;
use sync_protocol::hash::Hash;
use sync_protocol::item::command as codes;
use web_kit::{ApiPath, Content, ETag, PageForm, Problem, SafeHtml, html_with_status};

use super::text;
use super::texts::CustomerTexts;
use crate::api::caller::{May, may};
use crate::api::form::Personal;
use crate::api::{Caller, HubState};
use crate::app::customer::{CustomerState, get, patch};
use crate::app::error::AppError;
use crate::web::CUSTOMERS;
use crate::web::act::{Refusal, act, done, is_refusal};
use crate::web::frame::frame;
use crate::web::view::View;

/// What was typed.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct PersonFields {
    #[serde(default)]
    base: String,
    #[serde(default)]
    name: Personal,
    #[serde(default)]
    phone: Personal,
    #[serde(default)]
    email: Personal,
    #[serde(default)]
    address: Personal,
    #[serde(default)]
    note: Personal,
    #[serde(default)]
    language: String,
}

impl PersonFields {
    fn of(customer: &CustomerState) -> Self {
        let values = &customer.values;
        Self {
            base: ETag::of_heads(&customer.heads).to_string(),
            name: Personal::new(text(values.name.as_ref())),
            phone: Personal::new(text(values.phone.as_ref())),
            email: Personal::new(text(values.email.as_ref())),
            address: Personal::new(text(values.address.as_ref())),
            note: Personal::new(text(values.note.as_ref())),
            language: customer.record.view.language.clone().unwrap_or_default(),
        }
    }

    fn patch(&self) -> CustomerPatch {
        let set = |value: &Personal| Patch::Set(value.clone().into_sensitive());
        CustomerPatch {
            language: match self.language.trim() {
                "" => Patch::Clear,
                tag => Patch::Set(tag.to_owned()),
            },
            consent: std::collections::BTreeMap::new(),
            name: set(&self.name),
            phone: set(&self.phone),
            email: set(&self.email),
            address: set(&self.address),
            note: set(&self.note),
        }
    }
}

#[derive(Template)]
#[template(path = "customers/edit.html")]
struct Page<'a> {
    t: &'a CustomerTexts,
    action: String,
    person: String,
    key: &'a str,
    fields: &'a PersonFields,
    refusal: &'a Refusal,
    problems: Vec<String>,
}

const SHOWN: [&str; 6] = ["name", "phone", "email", "address", "note", "language"];

async fn show(
    state: &HubState,
    who: &Caller,
    status: StatusCode,
    id: DocumentId,
    key: &str,
    fields: &PersonFields,
    refusal: &Refusal,
) -> Result<Response, Problem> {
    let view = View::of(state, who).await?;
    let t = CustomerTexts::of(view.language());
    let body = SafeHtml::render(&Page {
        t,
        action: format!("{CUSTOMERS}/{id}/edit"),
        person: format!("{CUSTOMERS}/{id}"),
        key,
        fields,
        refusal,
        problems: refusal.above(&SHOWN),
    })?;
    let page = frame(state, who, &view, CUSTOMERS)
        .await?
        .render(&Content::new(t.edit_title, body))?;
    Ok(html_with_status(status, page))
}

/// The form.
pub(crate) async fn form(
    State(state): State<HubState>,
    who: May<may::CustomersWrite>,
    ApiPath(id): ApiPath<DocumentId>,
) -> Result<Response, Problem> {
    let customer = get(state.hub(), &who.person, id).await?;
    let fields = PersonFields::of(&customer);
    let key = state.form_key().to_string();
    show(
        &state,
        &who,
        StatusCode::OK,
        id,
        &key,
        &fields,
        &Refusal::none(),
    )
    .await
}

/// Changes the person.
pub(crate) async fn save(
    State(state): State<HubState>,
    who: May<may::CustomersWrite>,
    ApiPath(id): ApiPath<DocumentId>,
    PageForm { fields, request }: PageForm<PersonFields>,
) -> Result<Response, Problem> {
    let key = request.key.clone().unwrap_or_default();
    let (person, base, wish) = (who.person.clone(), fields.base.clone(), fields.patch());
    let check = move |heads: &[Hash]| {
        if ETag::of_heads(heads).to_string() == base {
            Ok(())
        } else {
            Err(AppError::Stale)
        }
    };
    let work = act(&state, &who, codes::CUSTOMER, request, move |tx| {
        Box::pin(async move {
            patch(tx, &person, id, check, &wish).await?;
            Ok(done(json!({ "id": id.to_string() })))
        })
    });
    match work.await {
        Ok(_) => Ok(Redirect::to(&format!("{CUSTOMERS}/{id}")).into_response()),
        Err(problem) if is_refusal(&problem) => {
            let fields = if problem.status() == StatusCode::PRECONDITION_FAILED {
                PersonFields::of(&get(state.hub(), &who.person, id).await?)
            } else {
                fields
            };
            let language = View::of(&state, &who).await?.language();
            let refusal = Refusal::of(&problem, language);
            show(&state, &who, problem.status(), id, &key, &fields, &refusal).await
        }
        Err(problem) => Err(problem),
    }
}
