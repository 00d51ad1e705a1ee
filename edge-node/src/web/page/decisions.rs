//! What waits for a person: fields with two versions, contradicting steps, shelves to count.
//!
//! Versions stand side by side with who, where and when. One key keeps one, one key takes it back.

mod items;
mod settle;
mod texts;

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::permission::Permission;
use web_kit::{Content, PageRequest, Problem, SafeHtml, html, html_with_status, plural};

use crate::api::EdgeState;
use crate::api::caller::{Caller, May, may};
use crate::app::decision::{self, Conflict, Decision, SettledConflict};
use crate::app::staff;
use crate::store::catalogue;
use crate::web::frame::frame;
use crate::web::view::View;
use crate::web::{DECISIONS, SYNC};
use items::{Item, SettledRow, give_keys, of_conflict, of_decision, settled_row};
pub(crate) use settle::{resolve, settle, undo, undo_step};
use texts::DecisionTexts;

/// Settled conflicts that are listed.
const SETTLED: usize = 10;

#[derive(Template)]
#[template(path = "decisions/page.html", blocks = ["decisions"])]
struct DecisionsPage<'a> {
    t: &'a DecisionTexts,
    title: String,
    items: Vec<Item>,
    settled: Vec<SettledRow>,
    may_settle: bool,
    wrong: Option<&'static str>,
}

/// What was refused, to be shown at its item again.
#[derive(Default)]
struct Refused {
    id: String,
    key: String,
    typed: Vec<String>,
    field: Option<&'static str>,
    reason: Option<&'static str>,
    above: Option<&'static str>,
}

impl Refused {
    fn status(&self) -> StatusCode {
        if self.id.is_empty() {
            StatusCode::OK
        } else {
            StatusCode::UNPROCESSABLE_ENTITY
        }
    }
}

/// The page, or its items alone when htmx refreshes them.
pub(crate) async fn list(
    State(state): State<EdgeState>,
    who: May<may::ExceptionsRead>,
    asked: PageRequest,
) -> Result<Response, Problem> {
    show(&state, &who, asked, Refused::default()).await
}

struct Data {
    decisions: Vec<Decision>,
    conflicts: Vec<Conflict>,
    settled: Vec<SettledConflict>,
    branches: BTreeMap<String, String>,
    people: BTreeMap<String, String>,
}

async fn show(
    state: &EdgeState,
    who: &Caller,
    asked: PageRequest,
    refused: Refused,
) -> Result<Response, Problem> {
    let actor = who.actor();
    let read = state.store().read(move |reader| {
        let branches = catalogue::branches(reader)?;
        let people = staff::list(reader, &actor)?;
        Ok(Data {
            decisions: decision::decisions(reader, &actor)?.items,
            conflicts: decision::conflicts(reader, &actor)?.items,
            settled: decision::settled(reader, &actor, SETTLED)?,
            branches: branches
                .into_iter()
                .map(|(_, row)| (row.code, row.name))
                .collect(),
            people: people
                .into_iter()
                .map(|entry| (entry.id.to_string(), entry.name))
                .collect(),
        })
    });
    let data = read.await?;
    let view = View::of(state, who).await?;
    let t = DecisionTexts::of(view.language());
    let open = (data.decisions.len() + data.conflicts.len()) as u64;
    let key = || state.form_key().to_string();
    let mut items = Vec::new();
    for decision in &data.decisions {
        items.push(of_decision(decision, &view, key(), &refused));
    }
    for conflict in &data.conflicts {
        items.push(Item::Field(of_conflict(
            conflict,
            &data,
            &view,
            key(),
            &refused,
        )));
    }
    give_keys(&mut items);
    let settled = data
        .settled
        .iter()
        .map(|row| settled_row(row, &view, key()))
        .collect();
    let content = DecisionsPage {
        t,
        title: plural(open, t.one, t.many),
        items,
        settled,
        may_settle: who.may(Permission::ExceptionsSettle),
        wrong: refused.above,
    };
    let head = super::sync::head(&view, open, DECISIONS)?;
    if asked.is_fragment() {
        let views = head.partial("#sync-views", "outerMorph");
        return Ok(html(
            SafeHtml::render(&content.as_decisions())?.then(&views),
        ));
    }
    let content = Content::new(t.title, SafeHtml::render(&content)?).head(head);
    let page = frame(state, who, &view, SYNC).await?.render(&content)?;
    Ok(html_with_status(refused.status(), page))
}
