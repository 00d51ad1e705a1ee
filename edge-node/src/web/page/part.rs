//! One part: its quantities, what makes each of them, corrections with their reason, how it is kept here.
//!
//! A quantity is only ever moved; the page says who moved it, when, why, and what was there behind it.

mod correct;
mod keep;
mod rows;
mod texts;

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use domain::id::StaffId;
use domain::permission::Permission;
use domain::transfer::TransferState;
use serde::Deserialize;
use web_kit::{
    ApiPath, ApiQuery, Content, ListQuery, PageRequest, Problem, SafeHtml, fill, html,
    html_with_status,
};

use super::stock::form::{Wrong, segment};
use super::stock::{StockTexts, part_href};
use crate::api::EdgeState;
use crate::api::caller::{Caller, May, may};
use crate::app::stock::shelf::{self, PartOnShelf};
use crate::app::stock::{self, Movement};
use crate::app::{staff, transfer};
use crate::store::stock::shelf::ReservedFor;
use crate::web::STOCK;
use crate::web::frame::frame;
use crate::web::view::View;
use correct::CorrectForm;
pub(crate) use correct::correct;
use keep::KeepForm;
pub(crate) use keep::keep;
use rows::{ElsewhereRow, Figure, Shown, elsewhere, figures, shown};
use texts::PartTexts;
use web_kit::wire::money;

/// Movements of a page.
const ROWS: u32 = 50;
/// Transfers that are looked through for pieces on their way.
const TRANSFERS_MAX: u32 = 500;

/// What the address may say.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct PartQuery {
    #[serde(default)]
    of: String,
    #[serde(default)]
    cursor: String,
}

#[derive(Template)]
#[template(path = "stock/part.html", blocks = ["part"])]
struct PartPage<'a> {
    t: &'a PartTexts,
    s: &'a StockTexts,
    refresh: String,
    sku: String,
    line: Vec<String>,
    figures: Vec<Figure>,
    title: String,
    all_moves: String,
    shown: Shown,
    on_hand: String,
    unproved: Option<String>,
    elsewhere: Vec<ElsewhereRow>,
    may_scrap: bool,
    may_adjust: bool,
    may_keep: bool,
    correct_url: String,
    keep_url: String,
    key: String,
    keep_key: String,
    correct: &'a CorrectForm,
    wrong: &'a Wrong,
    keep: KeepForm,
    keep_wrong: &'a Wrong,
}

/// What a page shows beside the part: forms as typed and what is wrong with them.
#[derive(Default)]
struct Typed {
    key: Option<String>,
    correct: CorrectForm,
    wrong: Wrong,
    keep: Option<KeepForm>,
    keep_wrong: Wrong,
}

struct Data {
    part: PartOnShelf,
    names: BTreeMap<StaffId, String>,
    branches: BTreeMap<String, String>,
    moves: Option<web_kit::Page<Movement>>,
    not_at_hub: BTreeSet<String>,
    reserved: Vec<ReservedFor>,
    transfers: Vec<transfer::Transfer>,
}

/// The page of a part, by sku or barcode.
pub(crate) async fn part(
    State(state): State<EdgeState>,
    who: May<may::StockRead>,
    asked: PageRequest,
    ApiPath(sku): ApiPath<String>,
    ApiQuery(query): ApiQuery<PartQuery>,
) -> Result<Response, Problem> {
    show(&state, &who, asked, sku, query, Typed::default()).await
}

async fn show(
    state: &EdgeState,
    who: &Caller,
    asked: PageRequest,
    sku: String,
    query: PartQuery,
    typed: Typed,
) -> Result<Response, Problem> {
    let data = read(state, who, sku, &query).await?;
    let view = View::of(state, who).await?;
    let status = if typed.wrong.is_empty() {
        typed.keep_wrong.status()
    } else {
        typed.wrong.status()
    };
    let title = data.part.row.name.clone();
    let key = typed
        .key
        .clone()
        .unwrap_or_else(|| state.form_key().to_string());
    let page = page(
        who,
        &view,
        data,
        &query,
        &typed,
        key,
        state.form_key().to_string(),
    );
    if asked.is_fragment() {
        return Ok(html(SafeHtml::render(&page.as_part())?));
    }
    let mut content = Content::new(title, SafeHtml::render(&page)?);
    content.modules = &["js/stock.js"];
    let page = frame(state, who, &view, STOCK).await?.render(&content)?;
    Ok(html_with_status(status, page))
}

async fn read(
    state: &EdgeState,
    who: &Caller,
    sku: String,
    query: &PartQuery,
) -> Result<Data, Problem> {
    let actor = who.actor();
    let query = query.clone();
    let may_transfers = who.may(Permission::TransfersRead);
    let read = state.store().read(move |reader| {
        let part = shelf::get(reader, &actor, &sku)?;
        let people = staff::list(reader, &actor)?;
        let own = reader.identity().code.clone();
        let branches = crate::store::catalogue::branches(reader)?;
        let page = ListQuery {
            limit: ROWS,
            cursor: (!query.cursor.is_empty()).then(|| query.cursor.clone()),
        };
        let (mut moves, mut reserved, mut transfers) = (None, Vec::new(), Vec::new());
        match query.of.as_str() {
            "reserved" => reserved = shelf::reserved_for(reader, &actor, part.id)?,
            "transit" if may_transfers => {
                let page = ListQuery {
                    limit: TRANSFERS_MAX,
                    cursor: None,
                };
                for state in [
                    TransferState::Shipped,
                    TransferState::ReceivedShort,
                    TransferState::Disputed,
                ] {
                    let found = transfer::list(reader, &actor, Some(state), &page)?;
                    transfers.extend(found.items.into_iter().filter(|found| found.to == own));
                }
            }
            _ => moves = Some(stock::movements(reader, &actor, &part.row.sku, &page)?),
        }
        let not_at_hub = shelf::not_at_hub(reader, &actor, part.id)?;
        Ok(Data {
            names: people
                .into_iter()
                .map(|entry| (entry.id, entry.name))
                .collect(),
            branches: branches
                .into_iter()
                .map(|(_, row)| (row.code, row.name))
                .collect(),
            not_at_hub: not_at_hub.into_iter().collect(),
            part,
            moves,
            reserved,
            transfers,
        })
    });
    Ok(read.await?)
}

fn page<'a>(
    who: &Caller,
    view: &View,
    data: Data,
    query: &PartQuery,
    typed: &'a Typed,
    key: String,
    keep_key: String,
) -> PartPage<'a> {
    let t = PartTexts::of(view.language());
    let s = StockTexts::of(view.language());
    let stock = &data.part.stock;
    let number = |n: i64| view.clock.number(n);
    let own = part_href(&stock.sku);
    let price = money(data.part.row.price_minor, data.part.row.currency);
    let mut line = vec![view.full_amount(price)];
    if !data.part.row.category.is_empty() {
        line.insert(0, data.part.row.category.clone());
    }
    if let Some(bin) = &stock.bin {
        line.push(fill(t.in_bin, &[("bin", bin)]));
    }
    let (title, n) = match query.of.as_str() {
        "reserved" => (t.keeps, stock.reserved),
        "transit" => (t.brings, stock.in_transit),
        _ => (t.moves, stock.on_hand),
    };
    let here = data.not_at_hub.len();
    let as_kept = KeepForm {
        bin: stock.bin.clone().unwrap_or_default(),
        reorder_point: stock
            .reorder_point
            .map_or_else(String::new, |at| at.to_string()),
        barcodes: stock
            .barcodes
            .iter()
            .cloned()
            .collect::<Vec<_>>()
            .join("\n"),
        ..KeepForm::default()
    };
    let keep = typed.keep.clone().unwrap_or(KeepForm {
        was_bin: as_kept.bin.clone(),
        was_reorder_point: as_kept.reorder_point.clone(),
        was_barcodes: as_kept.barcodes.clone(),
        ..as_kept
    });
    PartPage {
        t,
        s,
        refresh: address(&own, query),
        sku: stock.sku.clone(),
        line,
        figures: figures(&data, query, view, s),
        title: fill(title, &[("n", &number(n))]),
        all_moves: match data.part.movements {
            1 => t.one_move.to_owned(),
            n => fill(
                t.all_moves,
                &[("n", &number(i64::try_from(n).unwrap_or(i64::MAX)))],
            ),
        },
        on_hand: number(stock.on_hand),
        unproved: match here {
            0 => None,
            1 => Some(t.one_unproved.to_owned()),
            n => Some(fill(t.unproved, &[("n", &n)])),
        },
        elsewhere: elsewhere(who, view, &data),
        may_scrap: who.may(Permission::StockMove),
        may_adjust: who.may(Permission::StockAdjust),
        may_keep: who.may(Permission::InventoryWrite),
        correct_url: format!("{own}/movements"),
        keep_url: format!("{own}/settings"),
        key,
        keep_key,
        correct: &typed.correct,
        wrong: &typed.wrong,
        keep,
        keep_wrong: &typed.keep_wrong,
        shown: shown(data, query, view, &own),
    }
}

fn address(own: &str, query: &PartQuery) -> String {
    match (query.of.as_str(), query.cursor.as_str()) {
        ("", "") => own.to_owned(),
        (of, "") => format!("{own}?of={}", segment(of)),
        (_, cursor) => format!("{own}?cursor={}", segment(cursor)),
    }
}
