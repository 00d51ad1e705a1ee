//! One part: added, changed, taken out of sale.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use domain::money::Money;
use domain::part::PartRow;
use domain::permission::Permission;
use serde::Deserialize;
use serde_json::json;
use sync_protocol::item::command as codes;
use web_kit::{ApiPath, Content, PageForm, Problem, SafeHtml, html_with_status};

use super::PriceFields;
use super::texts::CatalogueTexts;
use crate::api::caller::{May, may};
use crate::api::{Caller, HubState};
use crate::app::part::{self, PartPatch, PartRecord};
use crate::web::act::{Refusal, act, done, encode, is_refusal, same};
use crate::web::frame::frame;
use crate::web::said::{Deed, WayBack};
use crate::web::view::View;
use crate::web::{CATALOGUE, NEW_PART, STOCK};

/// What was typed.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct PartFields {
    #[serde(default)]
    version: u64,
    #[serde(default)]
    sku: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    category: String,
    #[serde(flatten)]
    price: PriceFields,
    #[serde(default)]
    barcodes: String,
    #[serde(default)]
    active: String,
}

impl PartFields {
    fn of(view: &View, record: &PartRecord) -> Self {
        let fields = &record.fields;
        let money = Money {
            amount_minor: fields.price_minor,
            currency: fields.currency,
        };
        Self {
            version: record.version,
            sku: fields.sku.clone(),
            name: fields.name.clone(),
            category: fields.category.clone(),
            price: PriceFields::of(view, money, fields.tax_bp),
            barcodes: fields.barcodes.join("\n"),
            active: if fields.active { "yes" } else { "" }.to_owned(),
        }
    }

    fn barcodes(&self) -> Vec<String> {
        self.barcodes
            .split_whitespace()
            .map(str::to_owned)
            .collect()
    }
}

#[derive(Template)]
#[template(path = "catalogue/part.html")]
struct PartPage<'a> {
    t: &'a CatalogueTexts,
    action: String,
    key: &'a str,
    fields: &'a PartFields,
    is_new: bool,
    stock: String,
    refusal: &'a Refusal,
    problems: Vec<String>,
}

const SHOWN: [&str; 7] = [
    "sku",
    "name",
    "category",
    "price",
    "currency",
    "tax_rate_bp",
    "barcodes",
];

struct Shown<'a> {
    sku: Option<&'a str>,
    key: &'a str,
    fields: &'a PartFields,
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
    let title = match shown.sku {
        Some(sku) => sku.to_owned(),
        None => t.new_part.to_owned(),
    };
    let body = SafeHtml::render(&PartPage {
        t,
        action: match shown.sku {
            Some(sku) => format!("{CATALOGUE}/parts/{}", encode(sku)),
            None => NEW_PART.to_owned(),
        },
        stock: shown
            .sku
            .map(|sku| format!("{STOCK}/{}", encode(sku)))
            .unwrap_or_default(),
        key: shown.key,
        fields: shown.fields,
        is_new: shown.sku.is_none(),
        refusal: shown.refusal,
        problems: shown.refusal.above(&SHOWN),
    })?;
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
    let fields = PartFields {
        price: PriceFields::usual(&state, &view).await?,
        ..PartFields::default()
    };
    let shown = Shown {
        sku: None,
        key: &state.form_key().to_string(),
        fields: &fields,
        refusal: &Refusal::none(),
    };
    show(&state, &who, StatusCode::OK, shown).await
}

/// The form of a part.
pub(crate) async fn edit(
    State(state): State<HubState>,
    who: May<may::CatalogueWrite>,
    ApiPath(sku): ApiPath<String>,
) -> Result<Response, Problem> {
    let record = part::get(state.hub(), &sku).await?;
    let view = View::of(&state, &who).await?;
    let shown = Shown {
        sku: Some(&sku),
        key: &state.form_key().to_string(),
        fields: &PartFields::of(&view, &record),
        refusal: &Refusal::none(),
    };
    show(&state, &who, StatusCode::OK, shown).await
}

/// What takes a part's row back to `before`, unless it was changed again.
fn back_to(sku: &str, version: u64, before: PartPatch) -> WayBack {
    let sku = sku.to_owned();
    WayBack::new(
        Permission::CatalogueWrite,
        codes::ROWS,
        CATALOGUE,
        move |tx| {
            let (sku, before) = (sku.clone(), before.clone());
            Box::pin(async move {
                part::patch(tx, &sku, same(version), before).await?;
                Ok(())
            })
        },
    )
}

fn as_before(row: PartRow) -> PartPatch {
    PartPatch {
        name: Some(row.name),
        category: Some(row.category),
        price: Some(Money {
            amount_minor: row.price_minor,
            currency: row.currency,
        }),
        tax_bp: Some(row.tax_bp),
        barcodes: Some(row.barcodes),
        active: Some(row.active),
    }
}

/// Adds the part.
pub(crate) async fn create(
    State(state): State<HubState>,
    who: May<may::CatalogueWrite>,
    PageForm { fields, request }: PageForm<PartFields>,
) -> Result<Response, Problem> {
    let key = request.key.clone().unwrap_or_default();
    let view = View::of(&state, &who).await?;
    let row = fields.price.read(&view).map(|(money, tax_bp)| PartRow {
        sku: fields.sku.clone(),
        name: fields.name.clone(),
        category: fields.category.clone(),
        price_minor: money.amount_minor,
        currency: money.currency,
        tax_bp,
        barcodes: fields.barcodes(),
        active: true,
    });
    let acted = match row {
        Ok(row) => {
            let work = act(&state, &who, codes::ROWS, request, move |tx| {
                Box::pin(async move {
                    let record = part::create(tx, row).await?;
                    Ok(done(json!({ "sku": record.fields.sku })))
                })
            });
            work.await
        }
        Err(problem) => Err(problem),
    };
    match acted {
        Ok(answered) => {
            if !answered.is_replay {
                let sku = answered.answer.body["sku"].as_str().unwrap_or_default();
                let off = PartPatch {
                    active: Some(false),
                    ..PartPatch::default()
                };
                let t = CatalogueTexts::of(view.language());
                let deed = Deed::new(sku, t.added).back(back_to(sku, 1, off).saying(t.is_off));
                state.said().say(&state, &who, deed);
            }
            Ok(Redirect::to(CATALOGUE).into_response())
        }
        Err(problem) if is_refusal(&problem) => {
            let shown = Shown {
                sku: None,
                key: &key,
                fields: &fields,
                refusal: &Refusal::of(&problem, view.language()),
            };
            show(&state, &who, problem.status(), shown).await
        }
        Err(problem) => Err(problem),
    }
}

/// Changes the part.
pub(crate) async fn save(
    State(state): State<HubState>,
    who: May<may::CatalogueWrite>,
    ApiPath(sku): ApiPath<String>,
    PageForm { fields, request }: PageForm<PartFields>,
) -> Result<Response, Problem> {
    let key = request.key.clone().unwrap_or_default();
    let view = View::of(&state, &who).await?;
    let patch = fields.price.read(&view).map(|(money, tax_bp)| PartPatch {
        name: Some(fields.name.clone()),
        category: Some(fields.category.clone()),
        price: Some(money),
        tax_bp: Some(tax_bp),
        barcodes: Some(fields.barcodes()),
        active: Some(!fields.active.is_empty()),
    });
    let version = fields.version;
    let before = part::get(state.hub(), &sku).await?;
    let acted = match patch {
        Ok(patch) => {
            let sku = sku.clone();
            let work = act(&state, &who, codes::ROWS, request, move |tx| {
                Box::pin(async move {
                    let record = part::patch(tx, &sku, same(version), patch).await?;
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
                let way = back_to(&sku, now, as_before(before.fields));
                let deed = Deed::new(sku, t.saved).back(way);
                state.said().say(&state, &who, deed);
            }
            Ok(Redirect::to(CATALOGUE).into_response())
        }
        Err(problem) if is_refusal(&problem) => {
            let is_stale = problem.status() == StatusCode::PRECONDITION_FAILED;
            let fields = if is_stale {
                PartFields::of(&view, &part::get(state.hub(), &sku).await?)
            } else {
                PartFields {
                    sku: sku.clone(),
                    ..fields
                }
            };
            let shown = Shown {
                sku: Some(&sku),
                key: &key,
                fields: &fields,
                refusal: &Refusal::of(&problem, view.language()),
            };
            show(&state, &who, problem.status(), shown).await
        }
        Err(problem) => Err(problem),
    }
}
