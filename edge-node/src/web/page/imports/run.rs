//! What a person chose about a table, and letting it come in behind the page.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use web_kit::{ApiPath, PageRequest, PlainForm, Problem};

use super::table::{answer, find};
use crate::api::EdgeState;
use crate::api::caller::{May, may};
use crate::api::v1::imports::Teller;
use crate::app::import::ImportReport;
use crate::app::import::desk::{Progress, Table};
use crate::app::import::table::{Field, TableImporter};
use crate::error::AppError;
use crate::store::Actor;
use crate::web::IMPORTS;

/// How often the page hears how far it is.
const TOLD_EVERY_BYTES: usize = 8 * 1024;

/// What a person chose: a column for each field, and what to do.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct ChoiceForm {
    #[serde(default, rename = "do")]
    wish: String,
    #[serde(flatten)]
    columns: BTreeMap<String, String>,
}

/// Takes the choice of columns, and lets the table come in or puts it away.
pub(crate) async fn decide(
    State(state): State<EdgeState>,
    who: May<may::Import>,
    kind: PageRequest,
    ApiPath(id): ApiPath<String>,
    PlainForm(form): PlainForm<ChoiceForm>,
) -> Result<Response, Problem> {
    if form.wish == "away" {
        state.desk().remove(&id);
        return Ok(Redirect::to(IMPORTS).into_response());
    }
    let table = find(&state, &id)?;
    let mut places = BTreeMap::new();
    for (name, column) in &form.columns {
        let field = Field::of_name(name).filter(|field| table.kind.fields().contains(field));
        if let (Some(field), Ok(at)) = (field, column.parse()) {
            places.insert(field, at);
        }
    }
    if !form.columns.is_empty() {
        table.choose(places);
    }
    if form.wish == "run" {
        let chosen = table.places();
        let is_whole = table
            .kind
            .fields()
            .iter()
            .all(|field| !table.kind.requires(*field) || chosen.contains_key(field));
        if is_whole && table.begin() {
            tokio::spawn(run(state.clone(), who.actor(), table.clone()));
        }
        return Ok(Redirect::to(&format!("{IMPORTS}/{id}")).into_response());
    }
    answer(&state, &who, kind, &table).await
}

/// Lets a table come in, behind the page.
async fn run(state: EdgeState, actor: Actor, table: Arc<Table>) {
    let mut last = ImportReport::default();
    let mut teller = Teller::new(&state);
    match take_over(&state, actor, &table, &mut teller, &mut last).await {
        Ok(progress) => table.set_progress(progress),
        Err(error) => {
            tracing::error!(%error, "an import broke off");
            table.set_progress(Progress::BrokeOff(last.clone()));
        }
    }
    // Last, so that a page that asks now finds the end.
    teller.end(&last);
}

async fn take_over(
    state: &EdgeState,
    actor: Actor,
    table: &Table,
    teller: &mut Teller<'_>,
    last: &mut ImportReport,
) -> Result<Progress, AppError> {
    let stopping = state.stopping();
    let mut importer = TableImporter::new(state.store(), actor, table.reading()).await?;
    for piece in table.upload.pieces()? {
        if *stopping.borrow() {
            return Ok(Progress::BrokeOff(last.clone()));
        }
        for part in piece?.chunks(TOLD_EVERY_BYTES) {
            importer.push(part).await?;
            last.clone_from(importer.report());
            table.set_progress(Progress::Running(last.clone()));
            teller.tell(last);
        }
    }
    let (report, faults) = importer.finish().await?;
    last.clone_from(&report);
    Ok(Progress::Done(report, faults.into()))
}
