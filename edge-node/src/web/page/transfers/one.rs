//! One transfer: its lines, and what may be done with it here and now.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use domain::id::{StaffId, TransferId};
use domain::permission::Permission;
use domain::transfer::TransferState;
use web_kit::transfer::{Pieces, StepLook, number_of};
use web_kit::{ApiPath, Content, PageRequest, Problem, SafeHtml, Tone, html, html_with_status};

use super::texts::{TransferTexts, state_mark, state_words};
use super::{branch_names, goods::GoodsForm};
use crate::api::EdgeState;
use crate::api::caller::{Caller, May, may};
use crate::app::{staff, transfer};
use crate::error::AppError;
use crate::store::transfer::KeptRecord;
use crate::web::TRANSFERS;
use crate::web::frame::frame;
use crate::web::page::stock::form::Wrong;
use crate::web::page::stock::{StockTexts, part_href};
use crate::web::view::View;

/// What may be done with a transfer here and now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Send,
    TakeIn,
    Look,
}

/// A line of a transfer with what was typed beside it.
struct LineRow {
    href: String,
    sku: String,
    name: String,
    bin: String,
    on_hand: String,
    planned: String,
    sent: String,
    arrived: String,
    damaged_before: String,
    lost: String,
    on_way: String,
    most: i64,
    quantity: String,
    damaged: String,
    missing: String,
}

/// Something that happened.
struct StepRow {
    look: StepLook,
    reason: String,
    by: String,
}

/// The head: back to the list, and which transfer it is.
#[derive(Template)]
#[template(path = "transfers/_one_head.html")]
struct OneHead<'a> {
    t: &'a TransferTexts,
    from: &'a str,
    to: &'a str,
}

#[derive(Template)]
#[template(path = "transfers/one.html", blocks = ["transfer"])]
struct OnePage<'a> {
    t: &'a TransferTexts,
    s: &'a StockTexts,
    refresh: String,
    act: Act,
    action: String,
    key: String,
    from: String,
    to: String,
    state: &'static str,
    icon: &'static str,
    tone: Option<Tone>,
    since: String,
    age: String,
    note: String,
    rows: Vec<LineRow>,
    steps: Vec<StepRow>,
    wrong: &'a Wrong,
}

/// One transfer.
pub(crate) async fn one(
    State(state): State<EdgeState>,
    who: May<may::TransfersRead>,
    asked: PageRequest,
    ApiPath(id): ApiPath<TransferId>,
) -> Result<Response, Problem> {
    show(
        &state,
        &who,
        asked,
        id,
        None,
        &GoodsForm::default(),
        &Wrong::default(),
    )
    .await
}

#[allow(
    clippy::too_many_arguments,
    reason = "the page is one thing: a transfer, who looks, and what was typed"
)]
pub(super) async fn show(
    state: &EdgeState,
    who: &Caller,
    asked: PageRequest,
    id: TransferId,
    key: Option<String>,
    typed: &GoodsForm,
    wrong: &Wrong,
) -> Result<Response, Problem> {
    let actor = who.actor();
    let read = state.store().read(move |reader| {
        let transfer = transfer::get(reader, &actor, id)?;
        let mut shelves = BTreeMap::new();
        for line in &transfer.lines {
            match crate::app::stock::get(reader, &actor, &line.sku) {
                Ok(row) => {
                    shelves.insert(line.sku.clone(), row);
                }
                Err(AppError::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let own = reader.identity().code.clone();
        let steps = transfer::history(reader, &actor, id)?;
        let people: BTreeMap<StaffId, String> = staff::list(reader, &actor)?
            .into_iter()
            .map(|entry| (entry.id, entry.name))
            .collect();
        Ok((transfer, shelves, own, branch_names(reader)?, steps, people))
    });
    let (transfer, shelves, own, names, steps, people) = read.await?;
    let view = View::of(state, who).await?;
    let t = TransferTexts::of(view.language());
    let act = match transfer.state {
        TransferState::Approved if transfer.from == own && who.may(Permission::TransfersShip) => {
            Act::Send
        }
        TransferState::Shipped | TransferState::ReceivedShort
            if transfer.to == own && who.may(Permission::TransfersReceive) =>
        {
            Act::TakeIn
        }
        _ => Act::Look,
    };
    let number = |n: i64| view.clock.number(n);
    let rows = transfer.lines.iter().map(|line| {
        let shelf = shelves.get(&line.sku);
        let most = if act == Act::Send {
            line.quantity
        } else {
            line.in_transit
        };
        let at = typed.sku.iter().position(|sku| *sku == line.sku);
        let typed_as = |values: &[String], otherwise: String| {
            at.and_then(|at| values.get(at))
                .cloned()
                .unwrap_or(otherwise)
        };
        LineRow {
            href: part_href(&line.sku),
            sku: line.sku.clone(),
            name: line.name.clone(),
            bin: shelf.and_then(|row| row.bin.clone()).unwrap_or_default(),
            on_hand: shelf.map_or_else(String::new, |row| number(row.on_hand)),
            planned: number(line.quantity),
            sent: number(line.shipped),
            arrived: number(line.received),
            damaged_before: number(line.damaged),
            lost: number(line.lost),
            on_way: number(line.in_transit),
            most,
            quantity: typed_as(&typed.quantity, most.to_string()),
            damaged: typed_as(&typed.damaged, "0".to_owned()),
            missing: typed_as(&typed.missing, "0".to_owned()),
        }
    });
    let name = |code: &String| names.get(code).unwrap_or(code).clone();
    let (icon, tone) = state_mark(transfer.state);
    let page = OnePage {
        t,
        s: StockTexts::of(view.language()),
        refresh: format!("{TRANSFERS}/{id}"),
        act,
        action: match act {
            Act::Send => format!("{TRANSFERS}/{id}/ship"),
            _ => format!("{TRANSFERS}/{id}/receive"),
        },
        key: key.unwrap_or_else(|| state.form_key().to_string()),
        from: name(&transfer.from),
        to: name(&transfer.to),
        state: state_words(view.language(), transfer.state),
        icon,
        tone,
        since: view.clock.when(transfer.updated_at.0),
        age: view.clock.age(transfer.updated_at.0),
        note: transfer.note.clone(),
        rows: rows.collect(),
        steps: steps
            .iter()
            .map(|kept| step(&view, kept, &people))
            .collect(),
        wrong,
    };
    if asked.is_fragment() {
        return Ok(html(SafeHtml::render(&page.as_transfer())?));
    }
    let head = SafeHtml::render(&OneHead {
        t,
        from: &page.from,
        to: &page.to,
    })?;
    let title = number_of(&id.to_string());
    let mut content = Content::new(&title, SafeHtml::render(&page)?).head(head);
    content.modules = &["js/stock.js"];
    let page = frame(state, who, &view, TRANSFERS)
        .await?
        .render(&content)?;
    Ok(html_with_status(wrong.status(), page))
}

/// A step with who took it; people of other branches are not known here by name.
fn step(view: &View, kept: &KeptRecord, people: &BTreeMap<StaffId, String>) -> StepRow {
    let happened = kept.record.step();
    let pieces = Pieces {
        good: happened.pieces,
        damaged: happened.damaged,
        missing: happened.missing,
    };
    let when = view.clock.when(kept.at_ms);
    StepRow {
        look: web_kit::transfer::step(view.language(), happened.kind.as_str(), pieces),
        reason: happened.reason.to_owned(),
        by: match people.get(&kept.staff) {
            Some(name) => format!("{name}, {when}"),
            None => when,
        },
    }
}
