//! A person's values, changed at the hub.

use std::sync::{Arc, OnceLock};

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use domain::customer::CustomerPatch;
use domain::id::DocumentId;
use domain::patch::Patch;
use domain::permission::Permission;
use serde::Deserialize;
use serde_json::json;
use sync_protocol::hash::Hash;
use sync_protocol::item::command as codes;
use web_kit::{ApiPath, Content, ETag, Language, PageForm, Problem, SafeHtml, html_with_status};

use super::text;
use super::texts::CustomerTexts;
use crate::api::caller::{May, may};
use crate::api::{Caller, HubState};
use crate::app::customer::{CustomerState, get, patch};
use crate::app::error::AppError;
use crate::web::CUSTOMERS;
use crate::web::act::{Refusal, act, done, is_refusal, same};
use crate::web::frame::frame;
use crate::web::places::Choice;
use crate::web::said::{Deed, WayBack};
use crate::web::view::View;
use web_kit::wire::Personal;

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

    /// The change from what `shown` says.
    fn change(&self, shown: &Self) -> CustomerPatch {
        let set = |value: &Personal, shown: &Personal| {
            if value.expose() == shown.expose() {
                Patch::Keep
            } else {
                Patch::Set(value.clone().into_sensitive())
            }
        };
        CustomerPatch {
            language: match self.language.trim() {
                tag if tag == shown.language => Patch::Keep,
                "" => Patch::Clear,
                tag => Patch::Set(tag.to_owned()),
            },
            consent: std::collections::BTreeMap::new(),
            name: set(&self.name, &shown.name),
            phone: set(&self.phone, &shown.phone),
            email: set(&self.email, &shown.email),
            address: set(&self.address, &shown.address),
            note: set(&self.note, &shown.note),
        }
    }

    fn all(&self) -> [&str; 6] {
        [
            self.name.expose(),
            self.phone.expose(),
            self.email.expose(),
            self.address.expose(),
            self.note.expose(),
            &self.language,
        ]
    }

    /// Whether nobody wrote since where `before` became `after`.
    fn still_has(&self, before: &Self, after: &Self) -> bool {
        let changes = before.all().into_iter().zip(after.all());
        changes
            .zip(self.all())
            .all(|((before, after), now)| before == after || after == now)
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
    languages: Vec<Choice>,
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
        languages: languages(t, &fields.language),
        refusal,
        problems: refusal.above(&SHOWN),
    })?;
    let page = frame(state, who, &view, CUSTOMERS)
        .await?
        .render(&Content::new(t.edit_title, body))?;
    Ok(html_with_status(status, page))
}

/// What pages and papers speak, and what is there already.
fn languages(t: &CustomerTexts, chosen: &str) -> Vec<Choice> {
    let mut all = vec![Choice::new("", t.of_branch, chosen)];
    let known = Language::ALL.iter();
    all.extend(known.map(|language| Choice::new(language.tag(), language.name(), chosen)));
    if all.iter().all(|choice| !choice.selected) {
        all.push(Choice::new(chosen, chosen, chosen));
    }
    all
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
    let before = PersonFields::of(&get(state.hub(), &who.person, id).await?);
    let mut fields = fields;
    // A browser ends the lines of a text by CR LF.
    for text in [&mut fields.address, &mut fields.note] {
        *text = Personal::new(text.expose().replace("\r\n", "\n"));
    }
    let (person, base, wish) = (
        who.person.clone(),
        fields.base.clone(),
        fields.change(&before),
    );
    let check = move |heads: &[Hash]| same(base)(ETag::of_heads(heads).to_string());
    let after: Arc<OnceLock<PersonFields>> = Arc::default();
    let into = after.clone();
    let work = act(&state, &who, codes::CUSTOMER, request, move |tx| {
        Box::pin(async move {
            let customer = patch(tx, &person, id, check, &wish).await?;
            drop(into.set(PersonFields::of(&customer)));
            Ok(done(json!({ "id": id.to_string() })))
        })
    });
    match work.await {
        Ok(_) => {
            if let Some(after) = after.get() {
                let view = View::of(&state, &who).await?;
                let deed = said(&view, &who, id, before, after.clone());
                state.said().say(&state, &who, deed);
            }
            Ok(Redirect::to(&format!("{CUSTOMERS}/{id}")).into_response())
        }
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

fn said(
    view: &View,
    who: &Caller,
    id: DocumentId,
    before: PersonFields,
    after: PersonFields,
) -> Deed {
    if before.all() == after.all() {
        return Deed::nothing(view);
    }
    let t = CustomerTexts::of(view.language());
    let (person, strong) = (who.person.clone(), after.name.expose().to_owned());
    let back = format!("{CUSTOMERS}/{id}");
    let way = WayBack::new(
        Permission::CustomersWrite,
        codes::CUSTOMER,
        back,
        move |tx| {
            let (person, before, after) = (person.clone(), before.clone(), after.clone());
            Box::pin(async move {
                let keep = CustomerPatch::default();
                let now = patch(tx, &person, id, |_| Ok(()), &keep).await?;
                if !PersonFields::of(&now).still_has(&before, &after) {
                    return Err(AppError::Stale);
                }
                patch(tx, &person, id, |_| Ok(()), &before.change(&after)).await?;
                Ok(())
            })
        },
    );
    Deed::new(strong, t.did_edit).back(way)
}
