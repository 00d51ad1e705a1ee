//! The form of a preset: added, changed, no longer offered.

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
use web_kit::{ApiPath, Content, PageForm, Problem, SafeHtml, html_with_status};

use crate::api::caller::{May, may};
use crate::api::{Caller, HubState};
use crate::app::preset::{self, PresetPatch, PresetRecord};
use crate::web::act::{Refusal, act, done, is_refusal, same};
use crate::web::frame::frame;
use crate::web::page::catalogue::texts::CatalogueTexts;
use crate::web::page::catalogue::{PriceFields, wrong};
use crate::web::said::{Deed, WayBack};
use crate::web::view::View;
use crate::web::{CATALOGUE, NEW_PRESET, PRESETS};

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

/// What takes a preset's row back to `before`, unless it was changed again.
fn back_to(id: PresetId, version: u64, before: PresetPatch) -> WayBack {
    WayBack::new(
        Permission::CatalogueWrite,
        codes::ROWS,
        PRESETS,
        move |tx| {
            let before = before.clone();
            Box::pin(async move {
                preset::patch(tx, id, same(version), before).await?;
                Ok(())
            })
        },
    )
}

fn as_before(row: PresetRow) -> PresetPatch {
    PresetPatch {
        category: Some(row.category),
        fault: Some(row.fault),
        service: Some(row.service),
        price: Some(Money {
            amount_minor: row.price_minor,
            currency: row.currency,
        }),
        tax_bp: Some(row.tax_bp),
        minutes: Some(row.minutes),
        active: Some(row.active),
    }
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
        Ok(answered) => {
            let id = answered.answer.body["id"].as_str().unwrap_or_default();
            if let (Ok(id), false) = (id.parse(), answered.is_replay) {
                let off = PresetPatch {
                    active: Some(false),
                    ..PresetPatch::default()
                };
                let t = CatalogueTexts::of(view.language());
                let deed =
                    Deed::new(fields.service, t.added).back(back_to(id, 1, off).saying(t.is_off));
                state.said().say(&state, &who, deed);
            }
            Ok(Redirect::to(PRESETS).into_response())
        }
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
    let before = preset::get(state.hub(), id).await?;
    let acted = match patch {
        Ok(patch) => {
            let work = act(&state, &who, codes::ROWS, request, move |tx| {
                Box::pin(async move {
                    let record = preset::patch(tx, id, same(version), patch).await?;
                    Ok(done(json!({ "version": record.version })))
                })
            });
            work.await
        }
        Err(problem) => Err(problem),
    };
    match acted {
        Ok(answered) => {
            let now = answered.answer.body["version"].as_u64().unwrap_or_default();
            if now == version {
                state.said().say(&state, &who, Deed::nothing(&view));
            } else if !answered.is_replay {
                let t = CatalogueTexts::of(view.language());
                let way = back_to(id, now, as_before(before.fields));
                let deed = Deed::new(fields.service, t.saved).back(way);
                state.said().say(&state, &who, deed);
            }
            Ok(Redirect::to(PRESETS).into_response())
        }
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
