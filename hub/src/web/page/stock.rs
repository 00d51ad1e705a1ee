//! Stock of the chain: parts by branches, and the balance of the chosen part with what would end its shortages.
//!
//! Figures of a branch that works on its own are those that it last sent, and look so.

mod equation;
pub(crate) mod part;
mod texts;

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use domain::id::{BranchId, PartId};
use domain::permission::Permission;
use serde::Deserialize;
use web_kit::{ApiQuery, Content, Cursor, ListQuery, PageRequest, Problem, SafeHtml, fill, html};

use self::equation::Equation;
use self::texts::StockTexts;
use crate::api::caller::{May, may};
use crate::api::{Caller, HubState};
use crate::app::stock::{Matrix, MatrixQuery, PartRecord, Shelf, StockRecord, matrix, propose};
use crate::app::transfer::open;
use crate::web::STOCK;
use crate::web::act::{address, encode};
use crate::web::frame::frame;
use crate::web::places::{Place, Places};
use crate::web::view::View;

/// Parts on one page.
const ROWS: u32 = 40;
const LIST: &str = "stock page";
/// From so many branches on their names stand upright.
const MANY: usize = 9;

/// Which parts, which figure, and which part in full.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct StockQuery {
    #[serde(default)]
    show: String,
    #[serde(default)]
    only: String,
    #[serde(default)]
    q: String,
    #[serde(default)]
    sku: String,
    #[serde(default)]
    cursor: String,
}

impl StockQuery {
    fn address(&self, change: &[(&str, &str)]) -> String {
        let value = |name: &str, known: &str| {
            let changed = change.iter().find(|(there, _)| *there == name);
            changed.map_or_else(|| known.to_owned(), |(_, value)| (*value).to_owned())
        };
        address(
            STOCK,
            &[
                ("show", &value("show", &self.show)),
                ("only", &value("only", &self.only)),
                ("q", &value("q", self.q.trim())),
                ("cursor", &value("cursor", &self.cursor)),
                ("sku", &value("sku", &self.sku)),
            ],
        )
    }

    fn figure(&self, cell: &StockRecord) -> i64 {
        match self.show.as_str() {
            "free" => cell.on_hand - cell.reserved,
            "reserved" => cell.reserved,
            "in_transit" => cell.in_transit,
            _ => cell.on_hand,
        }
    }
}

struct Segment {
    href: String,
    label: &'static str,
    count: Option<String>,
    current: bool,
}

#[derive(Template)]
#[template(path = "stock/_head.html")]
struct Head<'a> {
    t: &'a StockTexts,
    figures: Vec<Segment>,
    parts: Vec<Segment>,
    query: &'a StockQuery,
    typed: &'a str,
}

struct Region {
    name: String,
    span: usize,
}

struct Column {
    name: String,
    is_start: bool,
    alone: Option<String>,
}

struct Cell {
    text: String,
    href: String,
    is_short: bool,
    is_zero: bool,
    is_stale: bool,
    is_start: bool,
    title: String,
}

struct Row {
    href: String,
    sku: String,
    name: String,
    all: String,
    cells: Vec<Cell>,
    selected: bool,
}

struct ProposalRow {
    from: String,
    to: String,
    from_code: String,
    to_code: String,
    quantity: i64,
    way: String,
    keeps: String,
    key: String,
}

/// The chosen part.
struct Chosen {
    name: String,
    sku: String,
    href: String,
    equation: Option<Equation>,
    short: Option<String>,
    stale: Option<String>,
    proposals: Vec<ProposalRow>,
}

#[derive(Template)]
#[template(path = "stock/page.html")]
struct Page<'a> {
    t: &'a StockTexts,
    refresh: String,
    next: String,
    is_many: bool,
    regions: Vec<Region>,
    columns: Vec<Column>,
    rows: Vec<Row>,
    empty: &'static str,
    is_catalogue_empty: bool,
    chosen: Option<Chosen>,
    may_ask: bool,
    may_approve: bool,
    newest: Option<String>,
    older: Option<String>,
}

/// The page, or its work alone when a script asks again.
pub(crate) async fn list(
    State(state): State<HubState>,
    who: May<may::StockRead>,
    asked: PageRequest,
    ApiQuery(query): ApiQuery<StockQuery>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let t = StockTexts::of(view.language());
    let page = ListQuery {
        limit: ROWS,
        cursor: Some(query.cursor.clone()),
    };
    let words = query.q.trim();
    let wanted = MatrixQuery {
        words: (!words.is_empty()).then(|| words.to_owned()),
        only_short: query.only == "short",
        after: page.after::<(String, [u8; 16])>(LIST)?,
        limit: i64::from(ROWS) + 1,
    };
    let mut found = matrix(state.hub(), &who.person, &wanted).await?;
    let parts = std::mem::take(&mut found.parts);
    let cut = web_kit::Page::cut(parts, ROWS, |last: &PartRecord| {
        Cursor::encode(LIST, &(last.fields.sku.clone(), *last.id.as_bytes()))
    });
    found.parts = cut.items;
    let places = Places::of(&state).await?;
    let scope = who.person.scope();
    let shown: Vec<&Place> = places
        .all()
        .iter()
        .filter(|place| place.is_active && scope.allows(place.id))
        .collect();
    let at = found
        .parts
        .iter()
        .position(|part| part.fields.sku == query.sku);
    let selected = at.or((!found.parts.is_empty()).then_some(0));
    let chosen = match selected.and_then(|at| found.parts.get(at)) {
        Some(part) => Some(chosen(&state, &who, &view, &places, &found, part).await?),
        None => None,
    };
    let (regions, columns) = columns(t, &view, &shown);
    let body = SafeHtml::render(&Page {
        t,
        refresh: query.address(&[]),
        next: query.address(&[]),
        is_many: shown.len() >= MANY,
        rows: rows(t, &query, &view, &shown, &found, selected),
        regions,
        columns,
        empty: match (query.only.as_str(), words) {
            ("short", _) => t.none_short,
            (_, "") => t.none_at_all,
            _ => t.none,
        },
        is_catalogue_empty: found.all == 0,
        chosen,
        may_ask: who.person.may(Permission::TransfersRequest),
        may_approve: who.person.may(Permission::TransfersApprove),
        newest: (!query.cursor.is_empty()).then(|| query.address(&[("cursor", ""), ("sku", "")])),
        older: cut
            .next_cursor
            .map(|next| query.address(&[("cursor", next.as_str()), ("sku", "")])),
    })?;
    if asked.is_fragment() {
        return Ok(html(body));
    }
    let head = SafeHtml::render(&head(t, &view, &query, &found))?;
    let mut content = Content::new(t.title, body).head(head);
    content.fill = true;
    frame(&state, &who, &view, STOCK).await?.respond(&content)
}

fn head<'a>(
    t: &'static StockTexts,
    view: &View,
    query: &'a StockQuery,
    found: &Matrix,
) -> Head<'a> {
    let figure = |show: &str, label| Segment {
        href: query.address(&[("show", show)]),
        label,
        count: None,
        current: query.show == show || (show.is_empty() && query.show == "on_hand"),
    };
    let parts = |only: &str, label, count: i64| Segment {
        href: query.address(&[("only", only), ("cursor", ""), ("sku", "")]),
        label,
        count: Some(view.clock.number(count)),
        current: query.only == only,
    };
    Head {
        t,
        figures: vec![
            figure("", t.on_hand),
            figure("free", t.free),
            figure("reserved", t.reserved),
            figure("in_transit", t.in_transit),
        ],
        parts: vec![
            parts("", t.all_parts, found.all),
            parts("short", t.short, found.short),
        ],
        query,
        typed: query.q.trim(),
    }
}

fn columns(t: &StockTexts, view: &View, shown: &[&Place]) -> (Vec<Region>, Vec<Column>) {
    let (mut regions, mut columns) = (Vec::<Region>::new(), Vec::new());
    for place in shown {
        let is_start = regions.last().is_none_or(|last| last.name != place.region);
        match regions.last_mut().filter(|_| !is_start) {
            Some(region) => region.span += 1,
            None => regions.push(Region {
                name: place.region.clone(),
                span: 1,
            }),
        }
        let alone = place.is_cut_off.then(|| {
            let when = place
                .heard_ms
                .map_or_else(|| "–".to_owned(), |at| view.clock.when(at));
            fill(t.works_alone, &[("branch", &place.name), ("when", &when)])
        });
        columns.push(Column {
            name: place.name.clone(),
            is_start,
            alone,
        });
    }
    (regions, columns)
}

fn rows(
    t: &StockTexts,
    query: &StockQuery,
    view: &View,
    shown: &[&Place],
    found: &Matrix,
    selected: Option<usize>,
) -> Vec<Row> {
    let cells: BTreeMap<(PartId, BranchId), &StockRecord> = found
        .cells
        .iter()
        .map(|cell| ((cell.part(), cell.branch()), cell))
        .collect();
    let row = |(index, part): (usize, &PartRecord)| {
        let sku = encode(&part.fields.sku);
        let mut region = None;
        let mut all = 0;
        let mut of_branch = Vec::with_capacity(shown.len());
        for place in shown {
            let is_start = region.is_some_and(|region| region != &place.region);
            region = Some(&place.region);
            let cell = cells.get(&(part.id, place.id)).copied();
            let figure = cell.map_or(0, |cell| query.figure(cell));
            all += figure;
            let point = cell.and_then(|cell| {
                let free = cell.on_hand - cell.reserved;
                cell.reorder_point.filter(|point| free <= *point)
            });
            let text = view.clock.number(figure);
            of_branch.push(Cell {
                href: format!("{STOCK}/{sku}?branch={}", encode(&place.code)),
                is_short: point.is_some() && query.show != "in_transit",
                is_zero: figure == 0,
                is_stale: place.is_cut_off,
                is_start,
                title: match point {
                    Some(point) => {
                        let short = fill(t.short_at, &[("n", &text), ("point", &point)]);
                        format!("{}: {short}", place.name)
                    }
                    None => format!("{}: {text}", place.name),
                },
                text,
            });
        }
        Row {
            href: query.address(&[("sku", part.fields.sku.as_str())]),
            sku: part.fields.sku.clone(),
            name: part.fields.name.clone(),
            all: view.clock.number(all),
            cells: of_branch,
            selected: selected == Some(index),
        }
    };
    found.parts.iter().enumerate().map(row).collect()
}

async fn chosen(
    state: &HubState,
    who: &Caller,
    view: &View,
    places: &Places,
    found: &Matrix,
    part: &PartRecord,
) -> Result<Chosen, Problem> {
    let t = StockTexts::of(view.language());
    let mine = || found.cells.iter().filter(|cell| cell.part() == part.id);
    let short = mine()
        .filter(|cell| {
            let free = cell.on_hand - cell.reserved;
            cell.reorder_point.is_some_and(|point| free <= point)
        })
        .count();
    let stale: Vec<String> = places
        .all()
        .iter()
        .filter(|place| place.is_cut_off && mine().any(|cell| cell.branch() == place.id))
        .map(|place| {
            let when = place
                .heard_ms
                .map_or_else(|| "–".to_owned(), |at| view.clock.when(at));
            fill(t.as_of, &[("branch", &place.name), ("when", &when)])
        })
        .collect();
    let cells: Vec<&StockRecord> = mine().collect();
    Ok(Chosen {
        name: part.fields.name.clone(),
        sku: part.fields.sku.clone(),
        href: format!("{STOCK}/{}", encode(&part.fields.sku)),
        equation: equation::of(state, who, view, &part.fields.sku).await?,
        short: (short > 0).then(|| {
            web_kit::plural(
                u64::try_from(short).unwrap_or(u64::MAX),
                t.short_in_one,
                t.short_in,
            )
        }),
        stale: (!stale.is_empty()).then(|| fill(t.counted_as, &[("branches", &stale.join(", "))])),
        proposals: proposals(state, who, view, places, part, &cells).await?,
    })
}

/// What would end the shortages of a part; open transfers count as if they had arrived.
async fn proposals(
    state: &HubState,
    who: &Caller,
    view: &View,
    places: &Places,
    part: &PartRecord,
    cells: &[&StockRecord],
) -> Result<Vec<ProposalRow>, Problem> {
    let t = StockTexts::of(view.language());
    if cells.is_empty() {
        return Ok(Vec::new());
    }
    let transfers = open(state.hub(), &who.person, i64::MAX, 500).await?;
    let mut to_come: BTreeMap<BranchId, i64> = BTreeMap::new();
    for card in &transfers.cards {
        let fold = &card.view.fold;
        let Some(line) = fold.lines.get(&part.id).filter(|_| !fold.is_ended()) else {
            continue;
        };
        if line.shipped > 0 {
            *to_come.entry(fold.to).or_default() += line.in_transit();
        } else {
            *to_come.entry(fold.to).or_default() += line.planned;
            *to_come.entry(fold.from).or_default() -= line.planned;
        }
    }
    let open_places = || places.all().iter().filter(|place| place.is_active);
    let shelves: Vec<Shelf> = cells
        .iter()
        .filter_map(|cell| {
            let place = open_places().find(|place| place.id == cell.branch())?;
            Some(Shelf {
                branch: place.id,
                free: cell.on_hand - cell.reserved
                    + to_come.get(&place.id).copied().unwrap_or_default(),
                reorder_point: cell.reorder_point,
                location: place.location,
            })
        })
        .collect();
    let row = |proposal: crate::app::stock::Proposal| {
        let from = open_places().find(|place| place.id == proposal.from)?;
        let to = open_places().find(|place| place.id == proposal.to)?;
        Some(ProposalRow {
            from: from.name.clone(),
            to: to.name.clone(),
            from_code: from.code.clone(),
            to_code: to.code.clone(),
            quantity: proposal.quantity,
            way: proposal
                .metres
                .map(|metres| {
                    #[expect(
                        clippy::cast_possible_truncation,
                        reason = "a way on the globe is some thousands of kilometres"
                    )]
                    let km = (metres / 1_000.0).round() as i64;
                    fill(t.km, &[("n", &view.clock.number(km))])
                })
                .unwrap_or_default(),
            keeps: fill(t.keeps, &[("branch", &from.name), ("n", &proposal.keeps)]),
            key: state.form_key().to_string(),
        })
    };
    Ok(propose(&shelves).into_iter().filter_map(row).collect())
}
