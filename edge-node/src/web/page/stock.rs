//! The stock list: what lies where, how much of it is free, what is to be reordered.
//!
//! Every quantity leads to what makes it. The words that the stock pages share stand here too.

pub(crate) mod form;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use domain::permission::Permission;
use domain::stock::MovementKind;
use serde::Deserialize;
use web_kit::{ApiQuery, Content, Language, ListQuery, PageRequest, Problem, SafeHtml, fill, html};

use crate::api::EdgeState;
use crate::api::caller::{May, may};
use crate::app::stock::shelf;
use crate::store::stock::shelf::{ShelfCounts, ShelfFilter, ShelfPart, ShelfShow};
use crate::web::STOCK;
use crate::web::frame::frame;
use crate::web::view::View;
use form::segment;

/// Rows of a page.
const ROWS: u32 = 40;

web_kit::catalogue! {
    /// Words of the stock pages.
    pub(crate) struct StockTexts {
        stock: "Stock" | "Bestand",
        all: "All" | "Alle",
        to_reorder: "To reorder" | "Nachbestellen",
        in_transit: "In transit" | "Unterwegs",
        views: "Show" | "Zeigen",
        find: "Find a part" | "Teil suchen",
        find_hint: "Part, number, barcode, bin" | "Teil, Nummer, Barcode, Fach",
        category: "Category" | "Warengruppe",
        all_categories: "All categories" | "Alle Warengruppen",
        no_category: "Without category" | "Ohne Warengruppe",
        receive: "Receive" | "Annehmen",
        part: "Part" | "Teil",
        number: "Number" | "Nummer",
        bin: "Bin" | "Fach",
        on_hand: "On hand" | "Vorhanden",
        reserved: "Reserved" | "Reserviert",
        free: "Free" | "Frei",
        reorder_at: "Reorder at" | "Nachbestellen ab",
        last_move: "Last move" | "Letzte Bewegung",
        reached: "reached" | "erreicht",
        what_makes: "{what} {n}: what makes it" | "{what} {n}: woraus es besteht",
        older: "More parts" | "Weitere Teile",
        newest: "First page" | "Erste Seite",
        empty: "Nothing lies here yet. The first delivery begins with a scan." | "Hier liegt noch nichts. Die erste Lieferung beginnt mit einem Scan.",
        none_found: "No part fits. A word of its name, its number, a barcode or a bin will do." | "Kein Teil passt. Es genügen ein Wort aus dem Namen, die Nummer, ein Barcode oder ein Fach.",
        none_to_reorder: "Nothing is to be reordered: every part has more free pieces than its reorder point." | "Nichts ist nachzubestellen: Von jedem Teil ist mehr frei, als sein Meldebestand sagt.",
        none_in_transit: "Nothing is on its way here." | "Nichts ist hierher unterwegs.",
        scan_opens: "A scan opens its part." | "Ein Scan öffnet sein Teil.",
        unknown_code: "No part has the code {code}." | "Kein Teil hat den Code {code}.",
        not_looked_up: "The code {code} could not be looked up. Scan it again." | "Der Code {code} konnte nicht nachgesehen werden. Bitte noch einmal scannen.",
        opening: "Opening stock" | "Anfangsbestand",
        received: "Received" | "Geliefert",
        sold: "Sold" | "Verkauft",
        used: "Used" | "Verbraucht",
        returned: "Came back" | "Zurückgekommen",
        found: "Found" | "Gefunden",
        lost: "Lost" | "Verloren",
        scrapped: "Scrapped" | "Entsorgt",
        sent: "Sent" | "Versandt",
        arrived: "Arrived" | "Angekommen",
        arrived_damaged: "Arrived damaged" | "Beschädigt angekommen",
        transit_lost: "Lost on the way" | "Unterwegs verloren",
        transit_found: "Found again on the way" | "Unterwegs wiedergefunden",
        supplier_return: "Back to the supplier" | "Zurück an den Lieferanten",
    }
}

/// A movement's kind in words.
pub(crate) const fn kind_words(language: Language, kind: MovementKind) -> &'static str {
    let t = StockTexts::of(language);
    match kind {
        MovementKind::Opening => t.opening,
        MovementKind::Receive => t.received,
        MovementKind::Sell => t.sold,
        MovementKind::Use => t.used,
        MovementKind::Return => t.returned,
        MovementKind::AdjustFound => t.found,
        MovementKind::AdjustLost => t.lost,
        MovementKind::Scrap => t.scrapped,
        MovementKind::Ship => t.sent,
        MovementKind::Arrive => t.arrived,
        MovementKind::ArriveDamaged => t.arrived_damaged,
        MovementKind::TransitLost => t.transit_lost,
        MovementKind::TransitFound => t.transit_found,
        MovementKind::SupplierReturn => t.supplier_return,
    }
}

/// The address of a part's page.
pub(crate) fn part_href(sku: &str) -> String {
    format!("{STOCK}/{}", segment(sku))
}

/// What the address may say. None of it is personal: parts have no person.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct StockPageQuery {
    #[serde(default)]
    show: String,
    #[serde(default)]
    category: String,
    #[serde(default)]
    q: String,
    #[serde(default)]
    cursor: String,
}

impl StockPageQuery {
    fn shown(&self) -> Result<ShelfShow, Problem> {
        match self.show.as_str() {
            "" => Ok(ShelfShow::All),
            "reorder" => Ok(ShelfShow::ToReorder),
            "transit" => Ok(ShelfShow::InTransit),
            _ => Err(Problem::not_found("There is no such view of the stock.")),
        }
    }

    fn address(&self, cursor: &str) -> String {
        let pairs = [
            ("show", &*self.show),
            ("category", &self.category),
            ("q", self.q.trim()),
            ("cursor", cursor),
        ];
        let query: Vec<String> = pairs
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{name}={}", segment(value)))
            .collect();
        if query.is_empty() {
            STOCK.to_owned()
        } else {
            format!("{STOCK}?{}", query.join("&"))
        }
    }
}

/// A view of the list with how many parts it has.
struct ViewLink {
    href: &'static str,
    label: &'static str,
    count: String,
    is_low: bool,
    current: bool,
}

/// A quantity with the way to what makes it.
struct Quantity {
    text: String,
    is_zero: bool,
    href: String,
    label: String,
}

/// A part in the list.
struct Row {
    group: Option<String>,
    href: String,
    name: String,
    sku: String,
    bin: String,
    quantities: [Quantity; 4],
    reorder_at: String,
    is_low: bool,
    last_move: String,
}

#[derive(Template)]
#[template(path = "stock/page.html", blocks = ["list"])]
struct StockPage<'a> {
    t: &'a StockTexts,
    rows: Vec<Row>,
    empty: &'static str,
    may_receive: bool,
    refresh: String,
    more: Option<String>,
    first: Option<String>,
}

#[derive(Template)]
#[template(path = "stock/_head.html", blocks = ["views"])]
struct Head<'a> {
    t: &'a StockTexts,
    views: Vec<ViewLink>,
    categories: Vec<String>,
    query: &'a StockPageQuery,
    may_receive: bool,
}

/// The page, or the list and its counts alone when htmx asks.
pub(crate) async fn list(
    State(state): State<EdgeState>,
    who: May<may::StockRead>,
    asked: PageRequest,
    ApiQuery(query): ApiQuery<StockPageQuery>,
) -> Result<Response, Problem> {
    let show = query.shown()?;
    let some = |text: &str| (!text.trim().is_empty()).then(|| text.trim().to_owned());
    let filter = ShelfFilter {
        show,
        text: some(&query.q),
        category: some(&query.category),
        after: None,
    };
    let page = ListQuery {
        limit: ROWS,
        cursor: some(&query.cursor),
    };
    let actor = who.actor();
    let read = state.store().read(move |reader| {
        let parts = shelf::list(reader, &actor, filter, &page)?;
        Ok((parts, shelf::overview(reader, &actor)?))
    });
    let (parts, (counts, categories)) = read.await?;
    let view = View::of(&state, &who).await?;
    let t = StockTexts::of(view.language());
    let may_receive = who.may(Permission::StockMove);
    let content = StockPage {
        t,
        empty: empty(t, &query, show, counts),
        may_receive,
        refresh: query.address(&query.cursor),
        more: parts.next_cursor.map(|cursor| query.address(&cursor)),
        first: (!query.cursor.is_empty()).then(|| query.address("")),
        rows: rows(parts.items, &view),
    };
    let head = Head {
        t,
        views: views(t, &view, show, counts),
        categories,
        query: &query,
        may_receive,
    };
    if asked.is_fragment() {
        let views = SafeHtml::render(&head.as_views())?.partial("#stock-views", "outerMorph");
        return Ok(html(SafeHtml::render(&content.as_list())?.then(&views)));
    }
    let mut page =
        Content::new(t.stock, SafeHtml::render(&content)?).head(SafeHtml::render(&head)?);
    page.modules = &["js/stock.js"];
    frame(&state, &who, &view, STOCK).await?.respond(&page)
}

fn empty(
    t: &StockTexts,
    query: &StockPageQuery,
    show: ShelfShow,
    counts: ShelfCounts,
) -> &'static str {
    match show {
        _ if !query.q.trim().is_empty() => t.none_found,
        ShelfShow::ToReorder => t.none_to_reorder,
        ShelfShow::InTransit => t.none_in_transit,
        ShelfShow::All if counts.all == 0 => t.empty,
        ShelfShow::All => t.none_found,
    }
}

fn views(t: &StockTexts, view: &View, show: ShelfShow, counts: ShelfCounts) -> Vec<ViewLink> {
    let number = |count: u64| view.clock.number(i64::try_from(count).unwrap_or(i64::MAX));
    let link = |href, label, count, of, is_low| ViewLink {
        href,
        label,
        count: number(count),
        is_low: is_low && count > 0,
        current: show == of,
    };
    vec![
        link(STOCK, t.all, counts.all, ShelfShow::All, false),
        link(
            "/stock?show=reorder",
            t.to_reorder,
            counts.to_reorder,
            ShelfShow::ToReorder,
            true,
        ),
        link(
            "/stock?show=transit",
            t.in_transit,
            counts.in_transit,
            ShelfShow::InTransit,
            false,
        ),
    ]
}

fn rows(parts: Vec<ShelfPart>, view: &View) -> Vec<Row> {
    let t = StockTexts::of(view.language());
    let mut group = None;
    let mut rows = Vec::new();
    for part in parts {
        let category = part.row.category.clone();
        let is_new = group.as_ref() != Some(&category);
        let heading = if category.is_empty() {
            t.no_category.to_owned()
        } else {
            category.clone()
        };
        rows.push(row(part, is_new.then_some(heading), view, t));
        group = Some(category);
    }
    rows
}

fn row(part: ShelfPart, group: Option<String>, view: &View, t: &StockTexts) -> Row {
    let href = part_href(&part.row.sku);
    let quantity = |what: &str, n: i64, of: &str| {
        let text = view.clock.number(n);
        Quantity {
            label: fill(t.what_makes, &[("what", &what), ("n", &text)]),
            text,
            is_zero: n == 0,
            href: if of.is_empty() {
                href.clone()
            } else {
                format!("{href}?of={of}")
            },
        }
    };
    let balance = part.balance;
    Row {
        group,
        quantities: [
            quantity(t.on_hand, balance.on_hand, ""),
            quantity(t.reserved, balance.reserved, "reserved"),
            quantity(t.free, balance.free(), ""),
            quantity(t.in_transit, balance.in_transit, "transit"),
        ],
        name: part.row.name,
        sku: part.row.sku,
        bin: part.bin.unwrap_or_default(),
        reorder_at: part
            .reorder_point
            .map_or_else(String::new, |at| view.clock.number(at)),
        is_low: part.reorder_point.is_some_and(|at| balance.free() <= at),
        last_move: if balance.as_of_ms > 0 {
            view.clock.when(balance.as_of_ms)
        } else {
            String::new()
        },
        href,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_is_whole() {
        assert_eq!(
            web_kit::language::flaws(StockTexts::ALL),
            Vec::<String>::new()
        );
    }

    #[test]
    fn an_address_holds_what_is_shown() {
        let query = StockPageQuery {
            show: "reorder".to_owned(),
            q: "a b".to_owned(),
            ..StockPageQuery::default()
        };
        assert_eq!(query.address("c"), "/stock?show=reorder&q=a%20b&cursor=c");
    }
}
