//! Reading in a list of parts: what would happen is shown first, with columns to choose and rows that are refused.
//!
//! The file goes up as it is, with a key that the page drew, so sending it twice has one effect.

use askama::Template;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use domain::money::Money;
use web_kit::{ApiQuery, Content, IdempotencyKey, Problem, SafeHtml, fill, html, plural};

use super::head;
use super::texts::{self, CatalogueTexts};
use crate::api::HubState;
use crate::api::caller::{May, may};
use crate::api::v1::imports::{ImportQuery, preview as look, run as write};
use crate::app::part::import::{Column, Fate, ImportReport, Preview, SampleRow};
use crate::web::frame::frame;
use crate::web::view::View;
use crate::web::{CATALOGUE, IMPORT};

#[derive(Template)]
#[template(path = "catalogue/import.html")]
struct Page<'a> {
    t: &'a CatalogueTexts,
    key: String,
}

/// The page without a file.
pub(crate) async fn page(
    State(state): State<HubState>,
    who: May<may::Import>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let t = CatalogueTexts::of(view.language());
    let body = SafeHtml::render(&Page {
        t,
        key: state.form_key().to_string(),
    })?;
    let head = SafeHtml::render(&head(t, &who, IMPORT, ""))?;
    let mut content = Content::new(t.title, body).head(head);
    content.modules = &["js/parts-import.js"];
    frame(&state, &who, &view, CATALOGUE)
        .await?
        .respond(&content)
}

struct Choice {
    name: String,
    chosen: bool,
}

struct ColumnRow {
    name: &'static str,
    label: &'static str,
    choices: Vec<Choice>,
    is_none: bool,
}

struct Shown {
    row: u64,
    fate: &'static str,
    tone: &'static str,
    sku: String,
    name: String,
    category: String,
    price: String,
    was: Option<String>,
    tax: String,
    barcodes: String,
}

#[derive(Template)]
#[template(path = "catalogue/_preview.html")]
struct PreviewPart<'a> {
    t: &'a CatalogueTexts,
    columns: Vec<ColumnRow>,
    read: String,
    report: &'a ImportReport,
    rows: Vec<Shown>,
    run: Option<String>,
}

/// What the file would do; nothing is written.
pub(crate) async fn preview(
    State(state): State<HubState>,
    who: May<may::Import>,
    ApiQuery(query): ApiQuery<ImportQuery>,
    body: Body,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let t = CatalogueTexts::of(view.language());
    let found = look(&state, &who, &query, body).await?;
    let effects = found.report.created + found.report.changed;
    let part = PreviewPart {
        t,
        columns: columns(&view, &found),
        read: fill(
            t.of_rows,
            &[(
                "n",
                &view
                    .clock
                    .number(i64::try_from(found.report.read).unwrap_or(i64::MAX)),
            )],
        ),
        rows: found
            .sample
            .iter()
            .map(|sample| shown(t, &view, sample))
            .collect(),
        run: (effects > 0).then(|| plural(effects, t.run_one, t.run)),
        report: &found.report,
    };
    Ok(html(SafeHtml::render(&part)?))
}

fn columns(view: &View, found: &Preview) -> Vec<ColumnRow> {
    let row = |column: Column| {
        let at = found.columns.get(&column).copied();
        let choices = found.header.iter().enumerate().map(|(index, name)| Choice {
            name: name.clone(),
            chosen: at == Some(index),
        });
        ColumnRow {
            name: column.as_str(),
            label: texts::column(view.language(), column),
            choices: choices.collect(),
            is_none: at.is_none(),
        }
    };
    Column::ALL.into_iter().map(row).collect()
}

fn shown(t: &CatalogueTexts, view: &View, sample: &SampleRow) -> Shown {
    let fields = &sample.fields;
    let money = |amount_minor| Money {
        amount_minor,
        currency: fields.currency,
    };
    let (fate, tone) = match sample.fate {
        Fate::Created => (t.fate_new, "moving"),
        Fate::Changed => (t.fate_changed, "waiting"),
        Fate::Skipped => (t.fate_same, "plain"),
    };
    Shown {
        row: sample.row,
        fate,
        tone,
        sku: fields.sku.clone(),
        name: fields.name.clone(),
        category: fields.category.clone(),
        price: view.full_amount(money(fields.price_minor)),
        was: sample
            .old_price_minor
            .map(|old| fill(t.was, &[("price", &view.amount(money(old)))])),
        tax: view.clock.percent(fields.tax_bp),
        barcodes: fields.barcodes.join(", "),
    }
}

#[derive(Template)]
#[template(path = "catalogue/_imported.html")]
struct ImportedPart<'a> {
    t: &'a CatalogueTexts,
    done: String,
    report: &'a ImportReport,
}

/// Writes the file's parts into the catalogue.
pub(crate) async fn run(
    State(state): State<HubState>,
    who: May<may::Import>,
    ApiQuery(query): ApiQuery<ImportQuery>,
    key: Option<IdempotencyKey>,
    body: Body,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let t = CatalogueTexts::of(view.language());
    let answered = write(&state, &who, &query, key, body).await?;
    let report: ImportReport =
        serde_json::from_value(answered.answer.body).map_err(|_| Problem::internal())?;
    let part = ImportedPart {
        t,
        done: fill(
            t.done,
            &[
                ("created", &report.created),
                ("changed", &report.changed),
                ("skipped", &report.skipped),
                ("rejected", &report.rejected),
            ],
        ),
        report: &report,
    };
    Ok(html(SafeHtml::render(&part)?))
}
