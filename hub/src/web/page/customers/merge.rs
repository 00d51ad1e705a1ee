//! Two customers who are one person: found, held side by side, joined.
//!
//! Addresses name them by id only. Both versions are in the form, so what changed meanwhile is refused.

use std::collections::BTreeSet;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use domain::id::DocumentId;
use serde::Deserialize;
use serde_json::json;
use sync_protocol::hash::Hash;
use sync_protocol::item::command as codes;
use web_kit::{
    ApiPath, ApiQuery, Content, ETag, PageForm, PlainForm, Problem, SafeHtml, fill,
    html_with_status, plural,
};

use super::texts::{self, CustomerTexts};
use super::{HITS, PersonRow, SearchFields, cut, text};
use crate::api::caller::{May, may};
use crate::api::{Caller, HubState};
use crate::app::customer::{CustomerState, Field, Merge, get, merge};
use crate::app::error::AppError;
use crate::app::order::{OrderFilter, list as orders};
use crate::app::search::search;
use crate::web::CUSTOMERS;
use crate::web::act::{Refusal, act, done, is_refusal};
use crate::web::frame::frame;
use crate::web::places::Places;
use crate::web::said::Deed;
use crate::web::view::View;

/// So many orders are counted.
const COUNTED: i64 = 50;

/// With whom.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct MergeQuery {
    #[serde(default)]
    with: String,
}

struct ValueRow {
    name: &'static str,
    label: &'static str,
    first: String,
    second: String,
    is_equal: bool,
    takes_second: bool,
}

struct Person {
    id: String,
    name: String,
    branch: String,
    since: String,
    orders: String,
    tag: String,
}

/// The two side by side.
struct Pair {
    first: Person,
    second: Person,
    rows: Vec<ValueRow>,
    key: String,
    problems: Vec<String>,
}

#[derive(Template)]
#[template(path = "customers/merge.html")]
struct Page<'a> {
    t: &'a CustomerTexts,
    here: String,
    person: String,
    name: String,
    typed: &'a str,
    candidates: Vec<PersonRow>,
    is_search: bool,
    pair: Option<Pair>,
}

/// The search for the other, or both side by side.
pub(crate) async fn form(
    State(state): State<HubState>,
    who: May<may::CustomersMerge>,
    ApiPath(id): ApiPath<DocumentId>,
    ApiQuery(query): ApiQuery<MergeQuery>,
) -> Result<Response, Problem> {
    let with = query.with.parse::<DocumentId>().ok();
    show(
        &state,
        &who,
        id,
        "",
        Vec::new(),
        with.map(|with| (with, None)),
    )
    .await
}

/// Candidates for the other.
pub(crate) async fn find(
    State(state): State<HubState>,
    who: May<may::CustomersMerge>,
    ApiPath(id): ApiPath<DocumentId>,
    PlainForm(fields): PlainForm<SearchFields>,
) -> Result<Response, Problem> {
    let typed = cut(fields.q.expose());
    let found = search(state.hub(), state.people(), &who.person, typed, HITS).await?;
    let others = found.customers.into_iter().filter(|customer| {
        customer.record.document != id && customer.record.view.merged_into.is_none()
    });
    show(&state, &who, id, typed, others.collect(), None).await
}

type Refused = (StatusCode, String, MergeFields, Refusal);

async fn show(
    state: &HubState,
    who: &Caller,
    id: DocumentId,
    typed: &str,
    found: Vec<CustomerState>,
    pair: Option<(DocumentId, Option<Refused>)>,
) -> Result<Response, Problem> {
    let customer = get(state.hub(), &who.person, id).await?;
    let view = View::of(state, who).await?;
    let t = CustomerTexts::of(view.language());
    let places = Places::of(state).await?;
    let mut status = StatusCode::OK;
    let pair = match pair {
        None => None,
        Some((with, refused)) => {
            let other = get(state.hub(), &who.person, with).await?;
            let (key, fields, problems) = match refused {
                Some((refused_with, key, fields, refusal)) => {
                    status = refused_with;
                    (key, Some(fields), refusal.above(&[]))
                }
                None => (state.form_key().to_string(), None, Vec::new()),
            };
            Some(Pair {
                rows: rows(&view, &customer, &other, fields.as_ref()),
                first: person(state, who, &view, &places, &customer).await?,
                second: person(state, who, &view, &places, &other).await?,
                key,
                problems,
            })
        }
    };
    let body = SafeHtml::render(&Page {
        t,
        here: format!("{CUSTOMERS}/{id}/merge"),
        person: format!("{CUSTOMERS}/{id}"),
        name: text(customer.values.name.as_ref()),
        typed,
        candidates: found
            .iter()
            .map(|customer| PersonRow::of(&view, &places, customer))
            .collect(),
        is_search: !typed.is_empty(),
        pair,
    })?;
    let page = frame(state, who, &view, CUSTOMERS)
        .await?
        .render(&Content::new(t.merge_title, body))?;
    Ok(html_with_status(status, page))
}

async fn person(
    state: &HubState,
    who: &Caller,
    view: &View,
    places: &Places,
    customer: &CustomerState,
) -> Result<Person, Problem> {
    let t = CustomerTexts::of(view.language());
    let id = customer.record.document;
    let filter = OrderFilter {
        customers: Some(vec![id]),
        ..OrderFilter::newest(who.person.scope(), COUNTED)
    };
    let count = orders(state.hub(), &filter).await?.len();
    let orders = if i64::try_from(count).unwrap_or(i64::MAX) < COUNTED {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        plural(count, t.one_order, t.n_orders)
    } else {
        fill(t.more_orders, &[("n", &count)])
    };
    Ok(Person {
        id: id.to_string(),
        name: text(customer.values.name.as_ref()),
        branch: places.name(&customer.branch).to_owned(),
        since: view.clock.when(customer.record.created_ms),
        orders,
        tag: ETag::of_heads(&customer.heads).to_string(),
    })
}

fn value(customer: &CustomerState, field: Field) -> String {
    let values = &customer.values;
    match field {
        Field::Name => text(values.name.as_ref()),
        Field::Phone => text(values.phone.as_ref()),
        Field::Email => text(values.email.as_ref()),
        Field::Address => text(values.address.as_ref()),
        Field::Note => text(values.note.as_ref()),
        Field::Language => customer.record.view.language.clone().unwrap_or_default(),
    }
}

fn rows(
    view: &View,
    first: &CustomerState,
    second: &CustomerState,
    fields: Option<&MergeFields>,
) -> Vec<ValueRow> {
    Field::ALL
        .into_iter()
        .filter_map(|field| {
            let (one, other) = (value(first, field), value(second, field));
            if one.is_empty() && other.is_empty() {
                return None;
            }
            let typed = fields.map(|fields| fields.of(field) == second.record.document.to_string());
            Some(ValueRow {
                name: field.as_str(),
                label: texts::field(view.language(), field),
                is_equal: one == other,
                takes_second: typed.unwrap_or(one.is_empty()),
                first: one,
                second: other,
            })
        })
        .collect()
}

/// What was chosen: for each value whose counts, by id.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct MergeFields {
    #[serde(default)]
    with: String,
    #[serde(default)]
    stays: String,
    #[serde(default)]
    tag: String,
    #[serde(default)]
    with_tag: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    phone: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    address: String,
    #[serde(default)]
    note: String,
    #[serde(default)]
    language: String,
}

impl MergeFields {
    fn of(&self, field: Field) -> &str {
        match field {
            Field::Name => &self.name,
            Field::Phone => &self.phone,
            Field::Email => &self.email,
            Field::Address => &self.address,
            Field::Note => &self.note,
            Field::Language => &self.language,
        }
    }
}

/// Joins the two.
pub(crate) async fn join(
    State(state): State<HubState>,
    who: May<may::CustomersMerge>,
    ApiPath(id): ApiPath<DocumentId>,
    PageForm { fields, request }: PageForm<MergeFields>,
) -> Result<Response, Problem> {
    let key = request.key.clone().unwrap_or_default();
    let with: DocumentId = fields
        .with
        .parse()
        .map_err(|_| Problem::bad_request("The form names nobody. Open the page again."))?;
    let is_other_kept = fields.stays == fields.with;
    let (stays, goes) = if is_other_kept {
        (with, id)
    } else {
        (id, with)
    };
    let take: BTreeSet<Field> = Field::ALL
        .into_iter()
        .filter(|field| fields.of(*field) == goes.to_string())
        .collect();
    let wish = Merge { stays, goes, take };
    let (person, mut tags) = (
        who.person.clone(),
        (fields.tag.clone(), fields.with_tag.clone()),
    );
    if is_other_kept {
        tags = (tags.1, tags.0);
    }
    let check = move |stays: &[Hash], goes: &[Hash]| {
        let is_same = ETag::of_heads(stays).to_string() == tags.0
            && ETag::of_heads(goes).to_string() == tags.1;
        if is_same {
            Ok(())
        } else {
            Err(AppError::Stale)
        }
    };
    let work = act(&state, &who, codes::CUSTOMER, request, move |tx| {
        Box::pin(async move {
            merge(tx, &person, &wish, check).await?;
            Ok(done(json!({ "id": wish.stays.to_string() })))
        })
    });
    match work.await {
        Ok(answered) => {
            if !answered.is_replay {
                let t = CustomerTexts::of(View::of(&state, &who).await?.language());
                let name = get(state.hub(), &who.person, stays).await?.values.name;
                let deed = Deed::new(text(name.as_ref()), t.did_merge);
                state.said().say(&state, &who, deed);
            }
            Ok(Redirect::to(&format!("{CUSTOMERS}/{stays}")).into_response())
        }
        Err(problem) if is_refusal(&problem) => {
            let language = View::of(&state, &who).await?.language();
            let refusal = Refusal::of(&problem, language);
            let refused = (problem.status(), key, fields, refusal);
            show(
                &state,
                &who,
                id,
                "",
                Vec::new(),
                Some((with, Some(refused))),
            )
            .await
        }
        Err(problem) => Err(problem),
    }
}
