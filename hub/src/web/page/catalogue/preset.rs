//! Presets: listed, added, changed, no longer offered.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use domain::id::PresetId;
use domain::money::Money;
use domain::permission::Permission;
use domain::preset::PresetRow;
use serde::Deserialize;
use serde_json::json;
use sync_protocol::item::command as codes;
use web_kit::{
    ApiPath, ApiQuery, Content, PageForm, PageRequest, Problem, SafeHtml, fill, html,
    html_with_status,
};

use super::texts::CatalogueTexts;
use super::{ListFields, PriceFields, head, saved, wrong};
use crate::api::caller::{May, may};
use crate::api::{Caller, HubState};
use crate::app::error::AppError;
use crate::app::preset::{self, PresetPatch, PresetRecord};
use crate::web::act::{Refusal, act, address, done, is_refusal};
use crate::web::frame::frame;
use crate::web::view::View;
use crate::web::{CATALOGUE, NEW_PRESET, PRESETS};

/// Presets on one page: more than a chain has.
const MOST: i64 = 500;

struct Row {
    href: Option<String>,
    service: String,
    fault: String,
    price: String,
    tax: String,
    minutes: String,
    active: bool,
    changed: String,
}

struct Group {
    category: String,
    rows: Vec<Row>,
}

#[derive(Template)]
#[template(path = "catalogue/presets.html")]
struct ListPage<'a> {
    t: &'a CatalogueTexts,
    refresh: String,
    groups: Vec<Group>,
    empty: &'static str,
    saved: Option<String>,
}

/// The presets by category, or the list alone when a script asks again.
pub(crate) async fn list(
    State(state): State<HubState>,
    who: May<may::BasicsRead>,
    asked: PageRequest,
    ApiQuery(fields): ApiQuery<ListFields>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let t = CatalogueTexts::of(view.language());
    let typed = fields.q.trim();
    let words = (!typed.is_empty()).then_some(typed);
    let mut found = preset::list(state.hub(), words, None, MOST).await?;
    found.sort_by(|a, b| {
        let place = |record: &PresetRecord| {
            let fields = &record.fields;
            let texts = [&fields.category, &fields.fault, &fields.service];
            texts.map(|text| text.to_lowercase())
        };
        place(a).cmp(&place(b))
    });
    let may_write = who.person.may(Permission::CatalogueWrite);
    let mut groups: Vec<Group> = Vec::new();
    for record in &found {
        let category = &record.fields.category;
        let row = row(t, &view, record, may_write);
        match groups.last_mut().filter(|last| last.category == *category) {
            Some(group) => group.rows.push(row),
            None => groups.push(Group {
                category: category.clone(),
                rows: vec![row],
            }),
        }
    }
    let body = SafeHtml::render(&ListPage {
        t,
        refresh: address(PRESETS, &[("q", typed)]),
        groups,
        empty: if typed.is_empty() {
            t.no_presets
        } else {
            t.none
        },
        saved: saved(t, &fields.saved),
    })?;
    if asked.is_fragment() {
        return Ok(html(body));
    }
    let head = SafeHtml::render(&head(t, &who, PRESETS, typed))?;
    frame(&state, &who, &view, CATALOGUE)
        .await?
        .respond(&Content::new(t.title, body).head(head))
}

fn row(t: &CatalogueTexts, view: &View, record: &PresetRecord, may_write: bool) -> Row {
    let fields = &record.fields;
    Row {
        href: may_write.then(|| format!("{PRESETS}/{}", record.id)),
        service: fields.service.clone(),
        fault: fields.fault.clone(),
        price: view.full_amount(Money {
            amount_minor: fields.price_minor,
            currency: fields.currency,
        }),
        tax: view.clock.percent(fields.tax_bp),
        minutes: if fields.minutes == 0 {
            String::new()
        } else {
            fill(t.min, &[("n", &fields.minutes)])
        },
        active: fields.active,
        changed: view.clock.when(record.updated_ms),
    }
}

/// What was typed.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct PresetFields {
    #[serde(default)]
    version: u64,
    #[serde(default)]
    category: String,
    #[serde(default)]
    fault: String,
    #[serde(default)]
    service: String,
    #[serde(flatten)]
    price: PriceFields,
    #[serde(default)]
    minutes: String,
    #[serde(default)]
    active: String,
}

impl PresetFields {
    fn of(view: &View, record: &PresetRecord) -> Self {
        let fields = &record.fields;
        let money = Money {
            amount_minor: fields.price_minor,
            currency: fields.currency,
        };
        Self {
            version: record.version,
            category: fields.category.clone(),
            fault: fields.fault.clone(),
            service: fields.service.clone(),
            price: PriceFields::of(view, money, fields.tax_bp),
            minutes: fields.minutes.to_string(),
            active: if fields.active { "yes" } else { "" }.to_owned(),
        }
    }

    fn read(&self, view: &View) -> Result<(Money, u32, u32), Problem> {
        let (money, tax_bp) = self.price.read(view)?;
        let minutes = match self.minutes.trim() {
            "" => 0,
            digits => digits
                .parse()
                .map_err(|_| wrong("/minutes", "Write a whole number."))?,
        };
        Ok((money, tax_bp, minutes))
    }
}

#[derive(Template)]
#[template(path = "catalogue/preset.html")]
struct PresetPage<'a> {
    t: &'a CatalogueTexts,
    action: String,
    key: &'a str,
    fields: &'a PresetFields,
    is_new: bool,
    refusal: &'a Refusal,
    problems: Vec<String>,
}

const SHOWN: [&str; 7] = [
    "category",
    "fault",
    "service",
    "price",
    "currency",
    "tax_rate_bp",
    "minutes",
];

struct Shown<'a> {
    id: Option<PresetId>,
    key: &'a str,
    fields: &'a PresetFields,
    refusal: &'a Refusal,
}

async fn show(
    state: &HubState,
    who: &Caller,
    status: StatusCode,
    shown: Shown<'_>,
) -> Result<Response, Problem> {
    let view = View::of(state, who).await?;
    let t = CatalogueTexts::of(view.language());
    let body = SafeHtml::render(&PresetPage {
        t,
        action: match shown.id {
            Some(id) => format!("{PRESETS}/{id}"),
            None => NEW_PRESET.to_owned(),
        },
        key: shown.key,
        fields: shown.fields,
        is_new: shown.id.is_none(),
        refusal: shown.refusal,
        problems: shown.refusal.above(&SHOWN),
    })?;
    let title = if shown.id.is_none() {
        t.new_preset
    } else {
        t.edit_preset
    };
    let page = frame(state, who, &view, CATALOGUE)
        .await?
        .render(&Content::new(title, body))?;
    Ok(html_with_status(status, page))
}

/// The empty form.
pub(crate) async fn new(
    State(state): State<HubState>,
    who: May<may::CatalogueWrite>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let fields = PresetFields {
        price: PriceFields::usual(&state, &view).await?,
        ..PresetFields::default()
    };
    let shown = Shown {
        id: None,
        key: &state.form_key().to_string(),
        fields: &fields,
        refusal: &Refusal::none(),
    };
    show(&state, &who, StatusCode::OK, shown).await
}

/// The form of a preset.
pub(crate) async fn edit(
    State(state): State<HubState>,
    who: May<may::CatalogueWrite>,
    ApiPath(id): ApiPath<PresetId>,
) -> Result<Response, Problem> {
    let record = preset::get(state.hub(), id).await?;
    let view = View::of(&state, &who).await?;
    let shown = Shown {
        id: Some(id),
        key: &state.form_key().to_string(),
        fields: &PresetFields::of(&view, &record),
        refusal: &Refusal::none(),
    };
    show(&state, &who, StatusCode::OK, shown).await
}

fn to_list(service: &str) -> Response {
    Redirect::to(&address(PRESETS, &[("saved", service)])).into_response()
}

/// Adds the preset.
pub(crate) async fn create(
    State(state): State<HubState>,
    who: May<may::CatalogueWrite>,
    PageForm { fields, request }: PageForm<PresetFields>,
) -> Result<Response, Problem> {
    let key = request.key.clone().unwrap_or_default();
    let view = View::of(&state, &who).await?;
    let row = fields
        .read(&view)
        .map(|(money, tax_bp, minutes)| PresetRow {
            category: fields.category.clone(),
            fault: fields.fault.clone(),
            service: fields.service.clone(),
            price_minor: money.amount_minor,
            currency: money.currency,
            tax_bp,
            minutes,
            active: true,
        });
    let acted = match row {
        Ok(row) => {
            let work = act(&state, &who, codes::ROWS, request, move |tx| {
                Box::pin(async move {
                    let record = preset::create(tx, row).await?;
                    Ok(done(json!({ "id": record.id.to_string() })))
                })
            });
            work.await
        }
        Err(problem) => Err(problem),
    };
    match acted {
        Ok(_) => Ok(to_list(&fields.service)),
        Err(problem) if is_refusal(&problem) => {
            let shown = Shown {
                id: None,
                key: &key,
                fields: &fields,
                refusal: &Refusal::of(&problem, view.language()),
            };
            show(&state, &who, problem.status(), shown).await
        }
        Err(problem) => Err(problem),
    }
}

/// Changes the preset.
pub(crate) async fn save(
    State(state): State<HubState>,
    who: May<may::CatalogueWrite>,
    ApiPath(id): ApiPath<PresetId>,
    PageForm { fields, request }: PageForm<PresetFields>,
) -> Result<Response, Problem> {
    let key = request.key.clone().unwrap_or_default();
    let view = View::of(&state, &who).await?;
    let patch = fields
        .read(&view)
        .map(|(money, tax_bp, minutes)| PresetPatch {
            category: Some(fields.category.clone()),
            fault: Some(fields.fault.clone()),
            service: Some(fields.service.clone()),
            price: Some(money),
            tax_bp: Some(tax_bp),
            minutes: Some(minutes),
            active: Some(!fields.active.is_empty()),
        });
    let version = fields.version;
    let acted = match patch {
        Ok(patch) => {
            let work = act(&state, &who, codes::ROWS, request, move |tx| {
                Box::pin(async move {
                    let check = |known: u64| {
                        if known == version {
                            Ok(())
                        } else {
                            Err(AppError::Stale)
                        }
                    };
                    let record = preset::patch(tx, id, check, patch).await?;
                    Ok(done(json!({ "id": record.id.to_string() })))
                })
            });
            work.await
        }
        Err(problem) => Err(problem),
    };
    match acted {
        Ok(_) => Ok(to_list(&fields.service)),
        Err(problem) if is_refusal(&problem) => {
            let fields = if problem.status() == StatusCode::PRECONDITION_FAILED {
                PresetFields::of(&view, &preset::get(state.hub(), id).await?)
            } else {
                fields
            };
            let shown = Shown {
                id: Some(id),
                key: &key,
                fields: &fields,
                refusal: &Refusal::of(&problem, view.language()),
            };
            show(&state, &who, problem.status(), shown).await
        }
        Err(problem) => Err(problem),
    }
}
