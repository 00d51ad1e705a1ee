//! One person: values, consent, orders.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use domain::id::DocumentId;
use domain::permission::Permission;
use web_kit::{ApiPath, Content, PageRequest, Problem, SafeHtml, html};

use super::text;
use super::texts::CustomerTexts;
use crate::api::HubState;
use crate::api::caller::{May, may};
use crate::app::customer::{aliases, get};
use crate::app::order::{OrderFilter, list as orders};
use crate::web::CUSTOMERS;
use crate::web::frame::frame;
use crate::web::page::conflicts::{self, About};
use crate::web::page::orders::{OrderRow, badge_words};
use crate::web::places::Places;
use crate::web::view::View;

/// Orders on the page of a person.
const ORDERS_MOST: i64 = 100;

#[derive(Template)]
#[template(path = "customers/person.html")]
struct Page<'a> {
    t: &'a CustomerTexts,
    urgent: &'static str,
    conflict: &'static str,
    refresh: String,
    name: String,
    facts: Vec<(&'static str, String)>,
    consent: Vec<(String, &'static str)>,
    is_closed: bool,
    merged: Option<String>,
    orders: Vec<OrderRow>,
    versions: SafeHtml,
    account: Option<super::account::AccountPart>,
}

#[derive(Template)]
#[template(path = "customers/_person_head.html")]
struct Head<'a> {
    t: &'a CustomerTexts,
    edit: Option<String>,
    merge: Option<String>,
}

/// The page, or its work alone when a script asks again.
pub(crate) async fn show(
    State(state): State<HubState>,
    who: May<may::CustomersRead>,
    asked: PageRequest,
    ApiPath(id): ApiPath<DocumentId>,
) -> Result<Response, Problem> {
    let customer = get(state.hub(), &who.person, id).await?;
    let view = View::of(&state, &who).await?;
    let t = CustomerTexts::of(view.language());
    let places = Places::of(&state).await?;
    let filter = OrderFilter {
        customers: Some(aliases(state.hub(), id).await?),
        ..OrderFilter::newest(who.person.scope(), ORDERS_MOST)
    };
    let found = orders(state.hub(), &filter).await?;
    let (record, values) = (&customer.record, &customer.values);
    let name = text(values.name.as_ref());
    let facts = vec![
        (t.phone, text(values.phone.as_ref())),
        (t.email, text(values.email.as_ref())),
        (t.address, text(values.address.as_ref())),
        (t.note, text(values.note.as_ref())),
        (t.language, language_name(record.view.language.as_deref())),
        (t.branch, places.name(&customer.branch).to_owned()),
        (t.since, view.clock.when(record.created_ms)),
    ];
    let merged = record.view.merged_into;
    let about = About {
        id,
        branch: &customer.branch,
        order: None,
    };
    let versions = conflicts::list(&state, &who, &view, &places, about).await?;
    let (urgent, conflict) = badge_words(view.language());
    let body = SafeHtml::render(&Page {
        t,
        urgent,
        conflict,
        refresh: format!("{CUSTOMERS}/{id}"),
        name,
        facts: facts
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .collect(),
        consent: record
            .view
            .consent
            .iter()
            .map(|(what, is)| (what.clone(), if *is { t.yes } else { t.no }))
            .collect(),
        is_closed: values.name.is_none() && record.view.name.is_some(),
        merged: merged.map(|into| format!("{CUSTOMERS}/{into}")),
        orders: found
            .iter()
            .map(|order| OrderRow::of(&view, &places, order))
            .collect(),
        versions,
        account: super::account::part(&state, &who, &view, &places, id).await?,
    })?;
    if asked.is_fragment() {
        return Ok(html(body));
    }
    let is_whole = merged.is_none();
    let may_write = is_whole && who.person.may(Permission::CustomersWrite);
    let may_merge = is_whole && who.person.may(Permission::CustomersMerge);
    let head = SafeHtml::render(&Head {
        t,
        edit: may_write.then(|| format!("{CUSTOMERS}/{id}/edit")),
        merge: may_merge.then(|| format!("{CUSTOMERS}/{id}/merge")),
    })?;
    // The title goes into the browser's history, so it does not name the person.
    let content = Content::new(t.person, body).head(head);
    frame(&state, &who, &view, CUSTOMERS)
        .await?
        .respond(&content)
}

/// A language by its own name; one that pages do not speak by its tag.
fn language_name(tag: Option<&str>) -> String {
    let tag = tag.unwrap_or_default();
    web_kit::Language::of_tag(tag).map_or_else(|| tag.to_owned(), |known| known.name().to_owned())
}
