//! One part: its quantities, what makes each of them, corrections with their reason, how it is kept here.
//!
//! A quantity is only ever moved; the page says who moved it, when, why, and what was there behind it.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use domain::id::StaffId;
use domain::patch::Patch;
use domain::permission::Permission;
use domain::stock::MovementKind;
use domain::transfer::TransferState;
use serde::Deserialize;
use web_kit::{
    ApiPath, ApiQuery, Content, IfMatch, ListQuery, PageForm, PageRequest, Problem, SafeHtml, fill,
    html, html_with_status,
};

use super::stock::form::{Wrong, is_about_form, segment, short_words};
use super::stock::{StockTexts, kind_words, part_href};
use crate::api::EdgeState;
use crate::api::caller::{Caller, May, may};
use crate::api::command::answered;
use crate::app::stock::shelf::{self, PartOnShelf};
use crate::app::stock::{self, Movement, MovementInput, StockSettings};
use crate::app::wire::money;
use crate::app::{staff, transfer};
use crate::store::stock::shelf::ReservedFor;
use crate::web::frame::frame;
use crate::web::texts;
use crate::web::view::View;
use crate::web::{ORDERS, STOCK, TRANSFERS};

/// Movements of a page.
const ROWS: u32 = 50;
/// Transfers that are looked through for pieces on their way.
const TRANSFERS_MAX: u32 = 500;

web_kit::catalogue! {
    /// Words of a part's page.
    struct PartTexts {
        moves: "What makes {n} on hand" | "Woraus {n} vorhanden besteht",
        keeps: "What keeps {n} reserved" | "Was {n} reserviert hält",
        brings: "What brings {n} here" | "Was {n} hierher bringt",
        one_move: "one move in all" | "eine Bewegung insgesamt",
        all_moves: "{n} moves in all" | "{n} Bewegungen insgesamt",
        when: "When" | "Wann",
        movement: "Move" | "Bewegung",
        who: "Who" | "Wer",
        why: "Why" | "Warum",
        pieces: "Qty" | "Anz.",
        then: "Then" | "Danach",
        system: "Counterpart" | "Counterpart",
        to_branch: "to {branch}" | "an {branch}",
        from_branch: "from {branch}" | "von {branch}",
        no_moves: "This part never moved here. A delivery or a correction is its first move." | "Dieses Teil wurde hier noch nie bewegt. Eine Lieferung oder Korrektur ist die erste Bewegung.",
        no_reserved: "No order keeps a piece of it." | "Kein Auftrag hält ein Stück davon.",
        no_transit: "None is on its way here." | "Keines ist hierher unterwegs.",
        by_ledger: "On hand by the ledger" | "Vorhanden laut Buch",
        not_at_hub: "Saved here, not yet at the hub" | "Hier gespeichert, noch nicht in der Zentrale",
        one_unproved: "One move is not yet at the hub; the sum is proved when it is." | "Eine Bewegung ist noch nicht in der Zentrale; die Summe ist bewiesen, sobald sie dort ist.",
        unproved: "{n} moves are not yet at the hub; the sum is proved when they are." | "{n} Bewegungen sind noch nicht in der Zentrale; die Summe ist bewiesen, sobald sie dort sind.",
        counted_once: "Written twice, counts once" | "Zweimal geschrieben, zählt einmal",
        order: "Order" | "Auftrag",
        status: "Status" | "Stand",
        transfer: "Transfer" | "Umlagerung",
        from: "From" | "Von",
        since: "Since" | "Seit",
        correct: "Correct" | "Korrigieren",
        correct_hint: "A correction is a move of its own; nothing before it changes." | "Eine Korrektur ist eine eigene Bewegung; nichts davor ändert sich.",
        found: "Found" | "Gefunden",
        lost: "Missing" | "Fehlt",
        scrap: "Scrap" | "Entsorgen",
        what: "What" | "Was",
        quantity: "Pieces" | "Stück",
        reason: "Reason" | "Grund",
        reason_hint: "counted shelf A1, display cracked" | "Fach A1 gezählt, Display gesprungen",
        book: "Book" | "Buchen",
        choose_kind: "Say whether pieces were found, are missing or go to scrap." | "Bitte angeben, ob Stücke gefunden wurden, fehlen oder entsorgt werden.",
        wrong_quantity: "Write a whole number from 1, as in 3. Nothing was booked." | "Eine ganze Zahl ab 1 schreiben, zum Beispiel 3. Nichts wurde gebucht.",
        wrong_reason: "Say why, as in “counted shelf A1”. Nothing was booked." | "Bitte den Grund nennen, zum Beispiel „Fach A1 gezählt“. Nichts wurde gebucht.",
        too_few: "Only {n} are on hand. Nothing was booked." | "Nur {n} sind vorhanden. Nichts wurde gebucht.",
        not_booked: "Nothing was booked. The marked fields say what is missing." | "Nichts wurde gebucht. Die markierten Felder sagen, was fehlt.",
        kept: "How it is kept here" | "Wie es hier liegt",
        barcodes: "Own barcodes" | "Eigene Barcodes",
        barcodes_hint: "One in a line; a scan of it means this part here" | "Einer je Zeile; ein Scan davon meint hier dieses Teil",
        reorder_point: "Reorder at" | "Nachbestellen ab",
        save: "Save" | "Sichern",
        wrong_bin: "A bin has 64 characters at most." | "Ein Fach hat höchstens 64 Zeichen.",
        wrong_point: "Write a whole number from 0, or leave it empty." | "Eine ganze Zahl ab 0 schreiben oder leer lassen.",
        wrong_barcodes: "A barcode is visible characters without spaces." | "Ein Barcode besteht aus sichtbaren Zeichen ohne Leerzeichen.",
        not_saved: "Nothing was saved. The marked fields say what is wrong." | "Nichts wurde gesichert. Die markierten Felder sagen, was falsch ist.",
        elsewhere: "Elsewhere, as last known" | "Anderswo, zuletzt bekannt",
        elsewhere_none: "No other branch was known to have one." | "Von keiner anderen Filiale war ein Stück bekannt.",
        as_of: "as of {at}" | "Stand {at}",
        ask_for: "Ask for it" | "Anfordern",
        price: "Price" | "Preis",
        in_bin: "bin {bin}" | "Fach {bin}",
        done: "{kind}: {n}. {after} on hand now." | "{kind}: {n}. Jetzt {after} vorhanden.",
        saved: "Saved." | "Gesichert.",
        older: "Older moves" | "Ältere Bewegungen",
        newest: "Newest moves" | "Neueste Bewegungen",
        not_for_you: "Corrections are the branch manager’s." | "Korrekturen sind Sache der Filialleitung.",
    }
}

/// What the address may say.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct PartQuery {
    #[serde(default)]
    of: String,
    #[serde(default)]
    cursor: String,
    #[serde(default)]
    done: String,
}

/// A correction as typed.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct CorrectForm {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    quantity: String,
    #[serde(default)]
    reason: String,
}

/// Settings as typed, and as they were when the form was drawn.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct KeepForm {
    #[serde(default)]
    bin: String,
    #[serde(default)]
    reorder_point: String,
    #[serde(default)]
    barcodes: String,
    #[serde(default)]
    was_bin: String,
    #[serde(default)]
    was_reorder_point: String,
    #[serde(default)]
    was_barcodes: String,
}

/// One of the quantities at the head, as a link to what makes it.
struct Figure {
    label: &'static str,
    n: String,
    href: Option<String>,
    current: bool,
    is_low: bool,
}

struct MoveRow {
    when: String,
    kind: &'static str,
    about: String,
    about_href: Option<String>,
    who: String,
    why: String,
    quantity: String,
    then: String,
    is_out: bool,
    is_here: bool,
}

/// A row of what keeps or brings pieces.
struct OtherRow {
    href: String,
    name: String,
    state: String,
    since: String,
    quantity: String,
}

struct ElsewhereRow {
    branch: String,
    quantity: String,
    as_of: String,
    href: Option<String>,
}

enum Shown {
    Moves {
        rows: Vec<MoveRow>,
        older: Option<String>,
        newest: Option<String>,
    },
    Others {
        rows: Vec<OtherRow>,
        of_orders: bool,
        empty: &'static str,
    },
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
    done: Option<String>,
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
    done: Option<Movement>,
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
    content.modules = &["js/stock.js", "js/done.js"];
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
        let done = match query.done.as_str() {
            "" | "saved" => None,
            id => stock::movement(reader, &actor, id).ok(),
        };
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
            done,
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
        was_bin: String::new(),
        was_reorder_point: String::new(),
        was_barcodes: String::new(),
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
        done: done(&data, query, view),
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

fn figures(data: &Data, query: &PartQuery, view: &View, s: &StockTexts) -> Vec<Figure> {
    let stock = &data.part.stock;
    let own = part_href(&stock.sku);
    let low = stock.reorder_point.is_some_and(|point| stock.free <= point);
    let figure = |label, n: i64, href: Option<String>, of: Option<&str>| Figure {
        label,
        n: view.clock.number(n),
        href,
        current: of == Some(query.of.as_str()),
        is_low: false,
    };
    let mut figures = vec![
        figure(s.on_hand, stock.on_hand, Some(own.clone()), Some("")),
        figure(
            s.reserved,
            stock.reserved,
            Some(format!("{own}?of=reserved")),
            Some("reserved"),
        ),
        Figure {
            is_low: low,
            ..figure(s.free, stock.free, None, None)
        },
        figure(
            s.in_transit,
            stock.in_transit,
            Some(format!("{own}?of=transit")),
            Some("transit"),
        ),
    ];
    if let Some(point) = stock.reorder_point {
        figures.push(figure(s.reorder_at, point, None, None));
    }
    figures
}

fn done(data: &Data, query: &PartQuery, view: &View) -> Option<String> {
    let t = PartTexts::of(view.language());
    if query.done == "saved" {
        return Some(t.saved.to_owned());
    }
    let movement = data.done.as_ref()?;
    Some(fill(
        t.done,
        &[
            ("kind", &kind_words(view.language(), movement.kind)),
            ("n", &view.clock.number(movement.quantity)),
            ("after", &view.clock.number(movement.balance_after)),
        ],
    ))
}

fn elsewhere(who: &Caller, view: &View, data: &Data) -> Vec<ElsewhereRow> {
    let t = PartTexts::of(view.language());
    let may_ask = who.may(Permission::TransfersRequest);
    let row = |there: &crate::store::stock::Elsewhere| {
        let code = there.code.clone().unwrap_or_default();
        ElsewhereRow {
            branch: data.branches.get(&code).unwrap_or(&code).clone(),
            quantity: view.clock.number(there.quantity),
            as_of: fill(t.as_of, &[("at", &view.clock.when(there.as_of_ms))]),
            href: (may_ask && !code.is_empty()).then(|| {
                format!(
                    "{TRANSFERS}/new?from={}&sku={}",
                    segment(&code),
                    segment(&data.part.stock.sku)
                )
            }),
        }
    };
    data.part.elsewhere.iter().take(8).map(row).collect()
}

fn shown(data: Data, query: &PartQuery, view: &View, own: &str) -> Shown {
    let t = PartTexts::of(view.language());
    let number = |n: i64| view.clock.number(n);
    match query.of.as_str() {
        "reserved" => Shown::Others {
            rows: data
                .reserved
                .into_iter()
                .map(|kept| OtherRow {
                    href: format!("{ORDERS}/{}", kept.order),
                    name: kept.number,
                    state: texts::status(view.language(), kept.status).to_owned(),
                    since: view.clock.when(kept.updated_at_ms),
                    quantity: number(kept.quantity),
                })
                .collect(),
            of_orders: true,
            empty: t.no_reserved,
        },
        "transit" => {
            let sku = &data.part.stock.sku;
            let branches = &data.branches;
            let pieces = |found: &transfer::Transfer| -> i64 {
                let lines = found.lines.iter().filter(|line| line.sku == *sku);
                lines.map(|line| line.in_transit).sum()
            };
            Shown::Others {
                rows: data
                    .transfers
                    .iter()
                    .filter(|found| pieces(found) > 0)
                    .map(|found| OtherRow {
                        href: format!("{TRANSFERS}/{}", found.id),
                        name: branches.get(&found.from).unwrap_or(&found.from).clone(),
                        state: super::transfers::state_words(view.language(), found.state)
                            .to_owned(),
                        since: view.clock.when(found.updated_at.0),
                        quantity: number(pieces(found)),
                    })
                    .collect(),
                of_orders: false,
                empty: t.no_transit,
            }
        }
        _ => {
            let page = data.moves.unwrap_or_else(|| web_kit::Page::whole(vec![]));
            let here = &data.not_at_hub;
            Shown::Moves {
                rows: page
                    .items
                    .into_iter()
                    .map(|movement| {
                        let is_here = here.contains(&movement.id);
                        move_row(movement, &data.names, &data.branches, view, is_here)
                    })
                    .collect(),
                older: page
                    .next_cursor
                    .map(|cursor| format!("{own}?cursor={}", segment(&cursor))),
                newest: (!query.cursor.is_empty()).then(|| own.to_owned()),
            }
        }
    }
}

fn move_row(
    movement: Movement,
    names: &BTreeMap<StaffId, String>,
    branches: &BTreeMap<String, String>,
    view: &View,
    is_here: bool,
) -> MoveRow {
    let t = PartTexts::of(view.language());
    let sign = match (movement.to_account, movement.from_account) {
        (domain::stock::Account::OnHand, _) => "+",
        (_, domain::stock::Account::OnHand) => "−",
        _ => "",
    };
    let of_transfer = movement.kind.of_transfer();
    let reason = movement.reason.unwrap_or_default();
    // What a transfer's step says about its other end is written in one language and shown in the reader's.
    let other_end = |prefix: &str, words: &str| {
        let code = reason.strip_prefix(prefix)?;
        Some(fill(
            words,
            &[("branch", branches.get(code).map_or(&code, |name| name))],
        ))
    };
    let why = if of_transfer {
        other_end("to ", t.to_branch)
            .or_else(|| other_end("from ", t.from_branch))
            .unwrap_or_else(|| reason.clone())
    } else {
        reason.clone()
    };
    let (about, about_href) = match (&movement.subject_id, movement.reference) {
        (Some(id), _) if of_transfer => (t.transfer.to_owned(), Some(format!("{TRANSFERS}/{id}"))),
        (Some(id), reference) => (
            reference.unwrap_or_else(|| t.order.to_owned()),
            Some(format!("{ORDERS}/{id}")),
        ),
        (None, reference) => (reference.unwrap_or_default(), None),
    };
    MoveRow {
        when: view.clock.when(movement.at.0),
        kind: kind_words(view.language(), movement.kind),
        about,
        about_href,
        who: movement
            .staff_id
            .and_then(|id| names.get(&id).cloned())
            .unwrap_or_else(|| t.system.to_owned()),
        why,
        quantity: format!("{sign}{}", view.clock.number(movement.quantity)),
        then: view.clock.number(movement.balance_after),
        is_out: movement.superseded,
        is_here,
    }
}

/// Books a correction and shows it in the list.
pub(crate) async fn correct(
    State(state): State<EdgeState>,
    who: May<may::StockMove>,
    ApiPath(sku): ApiPath<String>,
    PageForm { fields, request }: PageForm<CorrectForm>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let t = PartTexts::of(view.language());
    let key = request.key.clone();
    let mut wrong = Wrong::default();
    let kind = match fields.kind.as_str() {
        "adjust_found" => Some(MovementKind::AdjustFound),
        "adjust_lost" => Some(MovementKind::AdjustLost),
        "scrap" => Some(MovementKind::Scrap),
        _ => {
            wrong.mark("kind", t.choose_kind);
            None
        }
    };
    let quantity = fields.quantity.trim().parse::<i64>().ok();
    if quantity.is_none_or(|quantity| quantity < 1) {
        wrong.mark("quantity", t.wrong_quantity);
    }
    if fields.reason.trim().is_empty() {
        wrong.mark("reason", t.wrong_reason);
    }
    if let (Some(kind), Some(quantity), true) = (kind, quantity, wrong.is_empty()) {
        let input = MovementInput {
            kind,
            quantity,
            reason: Some(fields.reason.clone()),
            reference: None,
        };
        let part = sku.clone();
        let write = answered(
            &state,
            &who,
            request,
            axum::http::StatusCode::CREATED,
            move |tx, actor| stock::move_by_hand(tx, actor, &part, input),
        );
        match write.await.map_err(Problem::from) {
            Ok(answered) => {
                let id = answered.answer.body["id"].as_str().unwrap_or_default();
                let to = format!("{}?done={}", part_href(&sku), segment(id));
                return Ok(Redirect::to(&to).into_response());
            }
            Err(problem) if is_about_form(&problem) => match short_words(&problem, t.too_few) {
                Some(words) => wrong.above = Some(words),
                None => wrong.take(
                    &problem,
                    &[
                        ("quantity", t.wrong_quantity),
                        ("reason", t.wrong_reason),
                        ("kind", t.choose_kind),
                    ],
                    t.not_booked,
                ),
            },
            Err(problem) => return Err(problem),
        }
    }
    let typed = Typed {
        key,
        correct: fields,
        wrong,
        ..Typed::default()
    };
    show(
        &state,
        &who,
        PageRequest::Full,
        sku,
        PartQuery::default(),
        typed,
    )
    .await
}

/// Saves how the part is kept here: only what was changed in this form.
pub(crate) async fn keep(
    State(state): State<EdgeState>,
    who: May<may::InventoryWrite>,
    ApiPath(sku): ApiPath<String>,
    PageForm { fields, request }: PageForm<KeepForm>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let t = PartTexts::of(view.language());
    let key = request.key.clone();
    let mut wrong = Wrong::default();
    let settings = changes(&fields, &mut wrong, t);
    if wrong.is_empty() {
        let part = sku.clone();
        let write = answered(
            &state,
            &who,
            request,
            axum::http::StatusCode::OK,
            move |tx, actor| stock::set(tx, actor, &part, &IfMatch::default(), settings),
        );
        match write.await.map_err(Problem::from) {
            Ok(_) => {
                let to = format!("{}?done=saved", part_href(&sku));
                return Ok(Redirect::to(&to).into_response());
            }
            Err(problem) if is_about_form(&problem) => wrong.take(
                &problem,
                &[
                    ("bin", t.wrong_bin),
                    ("reorder_point", t.wrong_point),
                    ("barcodes", t.wrong_barcodes),
                ],
                t.not_saved,
            ),
            Err(problem) => return Err(problem),
        }
    }
    let typed = Typed {
        key,
        keep: Some(fields),
        keep_wrong: wrong,
        ..Typed::default()
    };
    show(
        &state,
        &who,
        PageRequest::Full,
        sku,
        PartQuery::default(),
        typed,
    )
    .await
}

fn changes(form: &KeepForm, wrong: &mut Wrong, t: &'static PartTexts) -> StockSettings {
    let mut settings = StockSettings::default();
    let bin = form.bin.trim();
    if bin != form.was_bin.trim() {
        settings.bin = if bin.is_empty() {
            Patch::Clear
        } else {
            Patch::Set(bin.to_owned())
        };
    }
    let point = form.reorder_point.trim();
    if point != form.was_reorder_point.trim() {
        settings.reorder_point = match point.parse::<i64>() {
            Ok(point) if point >= 0 => Patch::Set(point),
            _ if point.is_empty() => Patch::Clear,
            _ => {
                wrong.mark("reorder_point", t.wrong_point);
                Patch::Keep
            }
        };
    }
    let codes =
        |text: &str| -> BTreeSet<String> { text.split_whitespace().map(str::to_owned).collect() };
    let barcodes = codes(&form.barcodes);
    if barcodes != codes(&form.was_barcodes) {
        settings.barcodes = Some(barcodes);
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_is_whole() {
        assert_eq!(
            web_kit::language::flaws(PartTexts::ALL),
            Vec::<String>::new()
        );
    }

    #[test]
    fn only_what_was_changed_is_set() {
        let form = KeepForm {
            bin: "B2 ".to_owned(),
            was_bin: "B2".to_owned(),
            reorder_point: String::new(),
            was_reorder_point: "4".to_owned(),
            barcodes: "40\n41".to_owned(),
            was_barcodes: "41 40".to_owned(),
        };
        let mut wrong = Wrong::default();
        let settings = changes(&form, &mut wrong, PartTexts::of(web_kit::Language::English));
        assert!(wrong.is_empty());
        assert_eq!(
            settings,
            StockSettings {
                reorder_point: Patch::Clear,
                ..StockSettings::default()
            }
        );
    }
}
