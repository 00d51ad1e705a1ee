//! One part: its equation, where it is, and the movements that make each figure.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use domain::id::TransferId;
use domain::permission::Permission;
use domain::stock::{MovementKind, reason_and_reference};
use serde::Deserialize;
use web_kit::{
    ApiPath, ApiQuery, Content, Cursor, ListQuery, PageRequest, Problem, SafeHtml, fill, html,
};

use super::equation::{self, Equation};
use super::texts::{self, StockTexts};
use crate::api::HubState;
use crate::api::caller::{May, may};
use crate::app::stock::{MovementOf, StockRecord, Term, explain, of_part};
use crate::app::{branch, part};
use crate::store::scope::Place as ListPlace;
use crate::web::act::{address, encode};
use crate::web::frame::frame;
use crate::web::page::transfers::number_of;
use crate::web::places::Places;
use crate::web::view::View;
use crate::web::{CATALOGUE, NEW_TRANSFER, ORDERS, STOCK, TRANSFERS};

const LIST: &str = "movements page";
const ROWS: u32 = 50;

/// Which movements.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct PartQuery {
    #[serde(default)]
    term: String,
    #[serde(default)]
    branch: String,
    #[serde(default)]
    cursor: String,
}

struct At {
    href: String,
    name: String,
    on_hand: String,
    reserved: String,
    free: String,
    in_transit: String,
    reorder_point: String,
    bin: String,
    as_of: String,
    is_short: bool,
    is_stale: bool,
    current: bool,
}

struct Moved {
    when: String,
    branch: String,
    what: &'static str,
    pieces: String,
    is_out: bool,
    behind: String,
    text: String,
    about: Option<(String, String)>,
    by: String,
    is_superseded: bool,
}

#[derive(Template)]
#[template(path = "stock/part.html")]
struct Page<'a> {
    t: &'a StockTexts,
    refresh: String,
    sku: &'a str,
    category: String,
    equation: Option<Equation>,
    places: Vec<At>,
    heading: String,
    all_movements: Option<String>,
    movements: Vec<Moved>,
    newest: Option<String>,
    older: Option<String>,
}

#[derive(Template)]
#[template(path = "stock/_part_head.html")]
struct Head<'a> {
    t: &'a StockTexts,
    new_transfer: Option<String>,
    edit: Option<String>,
}

/// The page, or its work alone when a script asks again.
pub(crate) async fn show(
    State(state): State<HubState>,
    who: May<may::StockRead>,
    asked: PageRequest,
    ApiPath(sku): ApiPath<String>,
    ApiQuery(query): ApiQuery<PartQuery>,
) -> Result<Response, Problem> {
    let record = part::get(state.hub(), &sku).await?;
    let view = View::of(&state, &who).await?;
    let t = StockTexts::of(view.language());
    let places = Places::of(&state).await?;
    let here = format!("{STOCK}/{}", encode(&sku));
    let at = |cursor: &str, term: &str, branch: &str| {
        address(
            &here,
            &[("term", term), ("branch", branch), ("cursor", cursor)],
        )
    };
    let page = ListQuery {
        limit: ROWS,
        cursor: Some(query.cursor.clone()),
    };
    let term = Term::named(&query.term);
    let found = explain(
        state.hub(),
        &who.person,
        record.id,
        term,
        Some(&query.branch),
        page.after::<ListPlace>(LIST)?,
        i64::from(ROWS) + 1,
    )
    .await?;
    let cut = web_kit::Page::cut(found.movements, ROWS, |last: &MovementOf| {
        Cursor::encode(LIST, &(last.record.at_ms, last.record.fact()))
    });
    let mut equation = equation::of(&state, &who, &view, &sku).await?;
    if let (Some(equation), Some(term)) = (&mut equation, term) {
        let words = texts::term(view.language(), term);
        for cell in &mut equation.terms {
            cell.current = cell.words == words;
        }
    }
    let heard = branch::heard(state.hub()).await?;
    let stock = of_part(state.hub(), &who.person, record.id).await?;
    let now_ms = view.clock.now_ms();
    let rows = stock.iter().filter_map(|cell: &StockRecord| {
        let place = places
            .all()
            .iter()
            .find(|place| place.id == cell.branch())?;
        let free = cell.on_hand - cell.reserved;
        let number = |n: i64| view.clock.number(n);
        let heard_ms = heard.get(&place.id).copied();
        Some(At {
            href: at("", &query.term, &place.code),
            name: place.name.clone(),
            on_hand: number(cell.on_hand),
            reserved: number(cell.reserved),
            free: number(free),
            in_transit: number(cell.in_transit),
            reorder_point: cell.reorder_point.map(number).unwrap_or_default(),
            bin: cell.bin.clone().unwrap_or_default(),
            as_of: match heard_ms {
                Some(at_ms) if at_ms >= now_ms && !place.is_cut_off => t.now.to_owned(),
                Some(at_ms) => view.clock.when(at_ms),
                None => String::new(),
            },
            is_short: cell.reorder_point.is_some_and(|point| free <= point),
            is_stale: place.is_cut_off,
            current: place.code == query.branch,
        })
    });
    let mut heading = match term {
        Some(term) => fill(
            t.movements_of,
            &[("term", &texts::term(view.language(), term))],
        ),
        None => t.movements.to_owned(),
    };
    if !query.branch.is_empty() {
        heading = format!("{heading}, {}", places.name(&query.branch));
    }
    let is_narrowed = term.is_some() || !query.branch.is_empty();
    let body = SafeHtml::render(&Page {
        t,
        refresh: at(&query.cursor, &query.term, &query.branch),
        sku: &sku,
        category: record.fields.category.clone(),
        equation,
        places: rows.collect(),
        heading,
        all_movements: is_narrowed.then(|| here.clone()),
        movements: cut
            .items
            .iter()
            .map(|movement| moved(t, &view, &places, term, movement))
            .collect(),
        newest: (!query.cursor.is_empty()).then(|| at("", &query.term, &query.branch)),
        older: cut
            .next_cursor
            .map(|next| at(&next, &query.term, &query.branch)),
    })?;
    if asked.is_fragment() {
        return Ok(html(body));
    }
    let may_ask = who.person.may(Permission::TransfersRequest);
    let may_edit = who.person.may(Permission::CatalogueWrite);
    let head = SafeHtml::render(&Head {
        t,
        new_transfer: may_ask.then(|| address(NEW_TRANSFER, &[("sku", &sku)])),
        edit: may_edit.then(|| format!("{CATALOGUE}/parts/{}", encode(&sku))),
    })?;
    let content = Content::new(record.fields.name, body).head(head);
    frame(&state, &who, &view, STOCK).await?.respond(&content)
}

fn moved(
    t: &StockTexts,
    view: &View,
    places: &Places,
    term: Option<Term>,
    movement: &MovementOf,
) -> Moved {
    let record = &movement.record;
    let terms = record.terms();
    let kind = record.kind_known();
    let pieces = match term {
        Some(term) => term.of(&terms),
        // Without a term: what the shelf, and where it stays, the road gained.
        None if terms.on_hand != 0 => terms.on_hand,
        None => terms.in_transit,
    };
    let of_transfer = kind.is_some_and(MovementKind::of_transfer);
    let about = match &movement.order {
        Some((id, number)) => Some((
            format!("{ORDERS}/{id}"),
            fill(t.order, &[("number", number)]),
        )),
        None if of_transfer => {
            let id = TransferId::from_bytes(record.subject());
            let words = fill(t.transfer, &[("number", &number_of(id))]);
            Some((address(TRANSFERS, &[("shown", &id.to_string())]), words))
        }
        None => None,
    };
    let branch = if movement.branch.is_empty() {
        t.system
    } else {
        places.name(&movement.branch)
    };
    Moved {
        when: view.clock.when(record.at_ms),
        branch: branch.to_owned(),
        what: texts::kind(view.language(), kind),
        pieces: if pieces > 0 {
            format!("+{}", view.clock.number(pieces))
        } else {
            view.clock.number(pieces)
        },
        is_out: pieces < 0,
        behind: view.clock.number(record.balance_after),
        text: words_of(&record.text),
        about,
        by: if movement.by.is_empty() {
            t.system.to_owned()
        } else {
            movement.by.clone()
        },
        is_superseded: record.superseded,
    }
}

/// Reason and reference, which a movement holds in one text.
fn words_of(text: &str) -> String {
    let (reason, reference) = reason_and_reference(text);
    let parts: Vec<&str> = [reason.trim(), reference.trim()]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect();
    parts.join(" · ")
}

#[cfg(test)]
mod tests {
    use super::words_of;

    #[test]
    fn reason_and_reference_are_told_apart() {
        assert_eq!(words_of("counted␟L-7"), "counted · L-7");
        assert_eq!(words_of("␟L-7"), "L-7");
        assert_eq!(words_of("counted"), "counted");
        assert_eq!(words_of(""), "");
    }
}
