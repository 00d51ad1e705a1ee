//! Transfers as this branch sees them: to take in, to send, on their way, asked for. All of it also while cut off.
//!
//! Goods leave and arrive by the same acts as in the API; the page never moves a piece by itself.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use domain::id::TransferId;
use domain::permission::Permission;
use domain::transfer::TransferState;
use serde::Deserialize;
use web_kit::{
    ApiPath, ApiQuery, Content, Language, ListQuery, PageForm, PageRequest, Problem, SafeHtml,
    Tone, fill, html, html_with_status, plural,
};

use super::delivery::{ListTexts, unknown_words};
use super::stock::form::{ListInput, MadeList, Wrong, is_about_form, short_words};
use super::stock::{StockTexts, part_href};
use crate::api::EdgeState;
use crate::api::caller::{Caller, May, may};
use crate::api::command::answered;
use crate::app::transfer::{
    self, ArrivalInput, LineInput, ReceiveInput, ShipInput, Transfer, TransferInput,
};
use crate::error::AppError;
use crate::store::{Reader, catalogue};
use crate::web::TRANSFERS;
use crate::web::frame::frame;
use crate::web::view::View;

/// Most transfers of one state that are shown.
const OPEN_MAX: u32 = 200;
/// Transfers that ended, newest first.
const ENDED_MAX: u32 = 15;

web_kit::catalogue! {
    /// Words of the transfer pages.
    pub(crate) struct TransferTexts {
        transfers: "Transfers" | "Umlagerungen",
        transfer: "Transfer" | "Umlagerung",
        ask: "Ask for parts" | "Teile anfordern",
        to_receive: "To take in" | "Anzunehmen",
        to_send: "To send" | "Zu versenden",
        on_their_way: "On their way from here" | "Von hier unterwegs",
        asked_for: "Asked for, not sent yet" | "Angefordert, noch nicht versandt",
        in_dispute: "In dispute" | "Strittig",
        ended: "Ended lately" | "Zuletzt beendet",
        nothing: "Nothing is to be sent or taken in. What this branch asks for stands here until the hub plans it." | "Nichts ist zu versenden oder anzunehmen. Was diese Filiale anfordert, steht hier, bis die Zentrale es plant.",
        other_branch: "Branch" | "Filiale",
        goods: "Goods" | "Ware",
        state: "State" | "Stand",
        since: "Since" | "Seit",
        from: "From" | "Von",
        to: "To" | "An",
        one_part: "{pieces} pieces of one part" | "{pieces} Stück von einem Teil",
        parts: "{pieces} pieces of {n} parts" | "{pieces} Stück von {n} Teilen",
        requested: "Requested" | "Angefordert",
        approved: "Approved" | "Genehmigt",
        shipped: "On its way" | "Unterwegs",
        received: "Received" | "Angenommen",
        received_short: "Some are missing" | "Teils fehlend",
        lost: "Written off" | "Abgeschrieben",
        cancelled: "Called off" | "Abgesagt",
        disputed: "In dispute" | "Strittig",
        part: "Part" | "Teil",
        number: "Number" | "Nummer",
        bin: "Bin" | "Fach",
        on_hand: "On hand" | "Vorhanden",
        planned: "Planned" | "Geplant",
        wanted: "Wanted" | "Gewünscht",
        to_pack: "Packed" | "Gepackt",
        sent: "Sent" | "Versandt",
        arrived_before: "Arrived" | "Angekommen",
        on_way: "On its way" | "Unterwegs",
        good: "Good" | "Gut",
        damaged: "Damaged" | "Beschädigt",
        missing: "Missing" | "Fehlt",
        written_off: "Written off" | "Abgeschrieben",
        send_packed: "Send what is packed" | "Gepacktes versenden",
        send_all: "Send all that is planned" | "Alles Geplante versenden",
        take_in: "Take in" | "Annehmen",
        all_good: "All arrived good" | "Alles gut angekommen",
        send_hint: "A scan counts one packed piece; the first scan begins at zero." | "Ein Scan zählt ein gepacktes Stück; der erste Scan beginnt bei null.",
        receive_hint: "A scan counts one good piece; the first scan begins at zero. Damaged pieces are scrapped, missing ones stay on their way until they turn up or are written off." | "Ein Scan zählt ein gutes Stück; der erste Scan beginnt bei null. Beschädigtes wird entsorgt, Fehlendes bleibt unterwegs, bis es auftaucht oder abgeschrieben wird.",
        works_cut_off: "It works without the line and goes out when it is back." | "Es geht auch ohne Leitung und geht hinaus, sobald sie zurück ist.",
        counted: "{name}: {n}" | "{name}: {n}",
        not_in_it: "{name} is not part of this transfer." | "{name} gehört nicht zu dieser Umlagerung.",
        no_more: "{name}: all {n} are counted already." | "{name}: alle {n} sind schon gezählt.",
        wrong_pieces: "Write a whole number from 0." | "Eine ganze Zahl ab 0 schreiben.",
        too_many: "More than are there." | "Mehr, als da sind.",
        wrong_lines: "The marked numbers do not fit. Nothing was booked." | "Die markierten Zahlen passen nicht. Nichts wurde gebucht.",
        nothing_packed: "Nothing is packed. Scan the goods, or send all. Nothing was booked." | "Nichts ist gepackt. Bitte die Ware scannen oder alles versenden. Nichts wurde gebucht.",
        nothing_arrived: "Say what arrived, is damaged or missing. Nothing was booked." | "Bitte angeben, was angekommen, beschädigt oder fehlend ist. Nichts wurde gebucht.",
        too_few: "Only {n} are free here. Nothing was sent." | "Nur {n} sind hier frei. Nichts wurde versandt.",
        not_booked: "The transfer moved on meanwhile. Nothing was booked." | "Die Umlagerung ist inzwischen weiter. Nichts wurde gebucht.",
        why_asked: "Why it was asked for" | "Warum angefordert",
        note: "Note" | "Notiz",
        note_hint: "Order BER-4176 waits for it" | "Auftrag BER-4176 wartet darauf",
        ask_title: "Ask another branch for parts" | "Teile von einer anderen Filiale anfordern",
        what: "What is needed" | "Was gebraucht wird",
        scan_first: "Scan a part, or type its number." | "Ein Teil scannen oder seine Nummer tippen.",
        from_branch: "From which branch" | "Von welcher Filiale",
        choose: "Choose a branch" | "Filiale wählen",
        wrong_branch: "Choose the branch that is to send." | "Bitte die Filiale wählen, die senden soll.",
        wrong_note: "A note has 8,000 characters at most." | "Eine Notiz hat höchstens 8.000 Zeichen.",
        wrong_sku: "A part of the list is not in the catalogue." | "Ein Teil der Liste steht nicht im Katalog.",
        empty_list: "The list is empty. Nothing was asked for." | "Die Liste ist leer. Nichts wurde angefordert.",
        not_asked: "Nothing was asked for." | "Nichts wurde angefordert.",
        ask_now: "Ask for them" | "Anfordern",
        hub_plans: "The hub plans it; the goods move when it is approved." | "Die Zentrale plant es; die Ware bewegt sich, wenn es genehmigt ist.",
        back: "Back to transfers" | "Zurück zu den Umlagerungen",
        done_asked: "Asked for. It waits for the plan of the hub." | "Angefordert. Es wartet auf den Plan der Zentrale.",
        done_sent: "Sent. The goods are on their way." | "Versandt. Die Ware ist unterwegs.",
        done_received: "Taken in." | "Angenommen.",
    }
}

/// A transfer's state in words.
pub(crate) const fn state_words(language: Language, state: TransferState) -> &'static str {
    let t = TransferTexts::of(language);
    match state {
        TransferState::Requested => t.requested,
        TransferState::Approved => t.approved,
        TransferState::Shipped => t.shipped,
        TransferState::Received => t.received,
        TransferState::ReceivedShort => t.received_short,
        TransferState::Lost => t.lost,
        TransferState::Cancelled => t.cancelled,
        TransferState::Disputed => t.disputed,
    }
}

const fn state_mark(state: TransferState) -> (&'static str, Option<Tone>) {
    match state {
        TransferState::Requested => ("ask", None),
        TransferState::Approved => ("check", Some(Tone::Moving)),
        TransferState::Shipped => ("transfer", Some(Tone::Moving)),
        TransferState::Received => ("agreed", Some(Tone::Agreed)),
        TransferState::ReceivedShort => ("low", Some(Tone::Waiting)),
        TransferState::Lost => ("cross", Some(Tone::Late)),
        TransferState::Cancelled => ("cancel", None),
        TransferState::Disputed => ("decide", Some(Tone::Decide)),
    }
}

/// A transfer in a list.
struct Row {
    href: String,
    branch: String,
    goods: String,
    names: String,
    state: &'static str,
    icon: &'static str,
    tone: Option<Tone>,
    since: String,
    age: String,
}

/// Transfers that wait for the same act.
struct Group {
    id: &'static str,
    title: &'static str,
    rows: Vec<Row>,
}

#[derive(Template)]
#[template(path = "transfers/page.html", blocks = ["list"])]
struct TransfersPage<'a> {
    t: &'a TransferTexts,
    groups: Vec<Group>,
}

#[derive(Template)]
#[template(path = "transfers/_head.html")]
struct Head<'a> {
    t: &'a TransferTexts,
    may_ask: bool,
}

struct Data {
    own: String,
    names: BTreeMap<String, String>,
    open: Vec<Transfer>,
    ended: Vec<Transfer>,
}

const OPEN: [TransferState; 5] = [
    TransferState::Shipped,
    TransferState::ReceivedShort,
    TransferState::Approved,
    TransferState::Requested,
    TransferState::Disputed,
];
const ENDED: [TransferState; 3] = [
    TransferState::Received,
    TransferState::Lost,
    TransferState::Cancelled,
];

fn branch_names(reader: &Reader<'_>) -> Result<BTreeMap<String, String>, AppError> {
    let branches = catalogue::branches(reader)?;
    Ok(branches
        .into_iter()
        .map(|(_, row)| (row.code, row.name))
        .collect())
}

/// The page, or its lists alone when htmx refreshes them.
pub(crate) async fn list(
    State(state): State<EdgeState>,
    who: May<may::TransfersRead>,
    asked: PageRequest,
) -> Result<Response, Problem> {
    let actor = who.actor();
    let read = state.store().read(move |reader| {
        let of = |states: &[TransferState], limit| -> Result<Vec<Transfer>, AppError> {
            let mut found = Vec::new();
            for state in states {
                let page = ListQuery {
                    limit,
                    cursor: None,
                };
                found.extend(transfer::list(reader, &actor, Some(*state), &page)?.items);
            }
            found.sort_by_key(|transfer| std::cmp::Reverse(transfer.updated_at.0));
            Ok(found)
        };
        Ok(Data {
            own: reader.identity().code.clone(),
            names: branch_names(reader)?,
            open: of(&OPEN, OPEN_MAX)?,
            ended: of(&ENDED, ENDED_MAX)?,
        })
    });
    let data = read.await?;
    let view = View::of(&state, &who).await?;
    let t = TransferTexts::of(view.language());
    let content = TransfersPage {
        t,
        groups: groups(data, &view),
    };
    if asked.is_fragment() {
        return Ok(html(SafeHtml::render(&content.as_list())?));
    }
    let head = SafeHtml::render(&Head {
        t,
        may_ask: who.may(Permission::TransfersRequest),
    })?;
    let content = Content::new(t.transfers, SafeHtml::render(&content)?).head(head);
    frame(&state, &who, &view, TRANSFERS)
        .await?
        .respond(&content)
}

fn groups(data: Data, view: &View) -> Vec<Group> {
    let t = TransferTexts::of(view.language());
    let mut groups = [
        ("receive", t.to_receive),
        ("send", t.to_send),
        ("way", t.on_their_way),
        ("requested", t.asked_for),
        ("disputed", t.in_dispute),
        ("ended", t.ended),
    ]
    .map(|(id, title)| Group {
        id,
        title,
        rows: Vec::new(),
    });
    for transfer in data.open {
        let comes = transfer.to == data.own;
        let at = match transfer.state {
            TransferState::Approved if comes => 3,
            TransferState::Approved => 1,
            TransferState::Shipped | TransferState::ReceivedShort if comes => 0,
            TransferState::Shipped | TransferState::ReceivedShort => 2,
            TransferState::Disputed => 4,
            _ => 3,
        };
        groups[at]
            .rows
            .push(row(&transfer, &data.own, &data.names, view));
    }
    for transfer in data
        .ended
        .iter()
        .take(usize::try_from(ENDED_MAX).unwrap_or(usize::MAX))
    {
        groups[5]
            .rows
            .push(row(transfer, &data.own, &data.names, view));
    }
    groups
        .into_iter()
        .filter(|group| !group.rows.is_empty())
        .collect()
}

fn row(transfer: &Transfer, own: &str, names: &BTreeMap<String, String>, view: &View) -> Row {
    let t = TransferTexts::of(view.language());
    let name = |code: &String| names.get(code).unwrap_or(code).clone();
    let branch = if transfer.to == own {
        name(&transfer.from)
    } else {
        name(&transfer.to)
    };
    let pieces: i64 = transfer.lines.iter().map(|line| line.quantity).sum();
    let words = plural(transfer.lines.len() as u64, t.one_part, t.parts);
    let (icon, tone) = state_mark(transfer.state);
    Row {
        href: format!("{TRANSFERS}/{}", transfer.id),
        branch,
        goods: fill(&words, &[("pieces", &view.clock.number(pieces))]),
        names: transfer
            .lines
            .iter()
            .map(|line| line.name.as_str())
            .take(4)
            .collect::<Vec<_>>()
            .join(", "),
        state: state_words(view.language(), transfer.state),
        icon,
        tone,
        since: view.clock.when(transfer.updated_at.0),
        age: view.clock.age(transfer.updated_at.0),
    }
}

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
    wrong: &'a Wrong,
    done: Option<&'static str>,
}

/// What the address says after an act.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct DoneQuery {
    #[serde(default)]
    done: String,
}

/// Goods as typed.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct GoodsForm {
    #[serde(default)]
    sku: Vec<String>,
    #[serde(default)]
    quantity: Vec<String>,
    #[serde(default)]
    damaged: Vec<String>,
    #[serde(default)]
    missing: Vec<String>,
    #[serde(default)]
    action: String,
}

/// One transfer.
pub(crate) async fn one(
    State(state): State<EdgeState>,
    who: May<may::TransfersRead>,
    asked: PageRequest,
    ApiPath(id): ApiPath<TransferId>,
    ApiQuery(query): ApiQuery<DoneQuery>,
) -> Result<Response, Problem> {
    show(
        &state,
        &who,
        asked,
        id,
        &query.done,
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
async fn show(
    state: &EdgeState,
    who: &Caller,
    asked: PageRequest,
    id: TransferId,
    done: &str,
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
        Ok((transfer, shelves, own, branch_names(reader)?))
    });
    let (transfer, shelves, own, names) = read.await?;
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
        wrong,
        done: match done {
            "asked" => Some(t.done_asked),
            "sent" => Some(t.done_sent),
            "received" => Some(t.done_received),
            _ => None,
        },
    };
    if asked.is_fragment() {
        return Ok(html(SafeHtml::render(&page.as_transfer())?));
    }
    let mut content = Content::new(t.transfer, SafeHtml::render(&page)?);
    content.modules = &["js/stock.js", "js/done.js"];
    let page = frame(state, who, &view, TRANSFERS)
        .await?
        .render(&content)?;
    Ok(html_with_status(wrong.status(), page))
}

/// Pieces as typed: nothing is zero.
fn typed_pieces(values: &[String], at: usize) -> Option<i64> {
    let text = values.get(at).map_or("", |text| text.trim());
    if text.is_empty() {
        return Some(0);
    }
    text.parse().ok().filter(|pieces| *pieces >= 0)
}

/// Sends what is packed, or all that is planned.
pub(crate) async fn ship(
    State(state): State<EdgeState>,
    who: May<may::TransfersShip>,
    ApiPath(id): ApiPath<TransferId>,
    PageForm { fields, request }: PageForm<GoodsForm>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let t = TransferTexts::of(view.language());
    let key = request.key.clone();
    let mut wrong = Wrong::default();
    let mut input = ShipInput::default();
    let mut places = Vec::new();
    if fields.action != "all" {
        let mut lines = Vec::new();
        for (at, sku) in fields.sku.iter().enumerate() {
            match typed_pieces(&fields.quantity, at) {
                Some(0) => {}
                Some(quantity) => {
                    places.push(at);
                    lines.push(LineInput {
                        sku: sku.clone(),
                        quantity,
                    });
                }
                None => wrong.mark(format!("quantity-{at}"), t.wrong_pieces),
            }
        }
        if !wrong.is_empty() {
            wrong.above = Some(t.wrong_lines.to_owned());
        } else if lines.is_empty() {
            wrong.above = Some(t.nothing_packed.to_owned());
        }
        input.lines = Some(lines);
    }
    if wrong.is_empty() {
        let write = answered(&state, &who, request, StatusCode::OK, move |tx, actor| {
            transfer::ship(tx, actor, id, input)
        });
        match write.await.map_err(Problem::from) {
            Ok(_) => return Ok(gone_to(id, "sent")),
            Err(problem) if is_about_form(&problem) => {
                say(&mut wrong, &problem, &places, t);
            }
            Err(problem) => return Err(problem),
        }
    }
    show(
        &state,
        &who,
        PageRequest::Full,
        id,
        "",
        key,
        &fields,
        &wrong,
    )
    .await
}

/// Takes goods in: what is typed, or all as good.
pub(crate) async fn receive(
    State(state): State<EdgeState>,
    who: May<may::TransfersReceive>,
    ApiPath(id): ApiPath<TransferId>,
    PageForm { fields, request }: PageForm<GoodsForm>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let t = TransferTexts::of(view.language());
    let key = request.key.clone();
    let mut wrong = Wrong::default();
    let mut input = ReceiveInput::default();
    let mut places = Vec::new();
    if fields.action != "all" {
        let mut lines = Vec::new();
        for (at, sku) in fields.sku.iter().enumerate() {
            let mut pieces = |field: &str, values: &[String]| {
                typed_pieces(values, at).unwrap_or_else(|| {
                    wrong.mark(format!("{field}-{at}"), t.wrong_pieces);
                    0
                })
            };
            let (quantity, damaged, missing) = (
                pieces("quantity", &fields.quantity),
                pieces("damaged", &fields.damaged),
                pieces("missing", &fields.missing),
            );
            if quantity + damaged + missing > 0 {
                places.push(at);
                lines.push(ArrivalInput {
                    sku: sku.clone(),
                    quantity,
                    damaged,
                    missing,
                });
            }
        }
        if !wrong.is_empty() {
            wrong.above = Some(t.wrong_lines.to_owned());
        } else if lines.is_empty() {
            wrong.above = Some(t.nothing_arrived.to_owned());
        }
        input.lines = Some(lines);
    }
    if wrong.is_empty() {
        let write = answered(&state, &who, request, StatusCode::OK, move |tx, actor| {
            transfer::receive(tx, actor, id, input)
        });
        match write.await.map_err(Problem::from) {
            Ok(_) => return Ok(gone_to(id, "received")),
            Err(problem) if is_about_form(&problem) => {
                say(&mut wrong, &problem, &places, t);
            }
            Err(problem) => return Err(problem),
        }
    }
    show(
        &state,
        &who,
        PageRequest::Full,
        id,
        "",
        key,
        &fields,
        &wrong,
    )
    .await
}

fn gone_to(id: TransferId, done: &str) -> Response {
    Redirect::to(&format!("{TRANSFERS}/{id}?done={done}")).into_response()
}

/// Puts a refusal beside the line it is about; lines without pieces were left out of what was sent.
fn say(wrong: &mut Wrong, problem: &Problem, places: &[usize], t: &'static TransferTexts) {
    if let Some(words) = short_words(problem, t.too_few) {
        let line = problem
            .body()
            .extra
            .get("line")
            .and_then(|line| line.as_u64());
        let place = line
            .and_then(|line| usize::try_from(line).ok())
            .and_then(|line| places.get(line));
        if let Some(at) = place {
            wrong.mark(format!("quantity-{at}"), t.too_many);
        }
        wrong.above = Some(words);
        return;
    }
    for error in &problem.body().errors {
        let parts: Vec<&str> = error.pointer.trim_start_matches('/').split('/').collect();
        let ["lines", line, field] = parts.as_slice() else {
            continue;
        };
        let at = line.parse::<usize>().ok().and_then(|line| places.get(line));
        if let Some(at) = at {
            wrong.mark(format!("{field}-{at}"), t.too_many);
        }
    }
    let words = if wrong.is_empty() {
        t.not_booked
    } else {
        t.wrong_lines
    };
    wrong.above = Some(words.to_owned());
}

/// What the address of a new request may say.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct AskQuery {
    #[serde(default)]
    from: String,
    #[serde(default)]
    sku: String,
}

/// A request as typed.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct AskForm {
    #[serde(default)]
    from: String,
    #[serde(default)]
    note: String,
    #[serde(default)]
    sku: Vec<String>,
    #[serde(default)]
    quantity: Vec<String>,
    #[serde(default)]
    code: String,
    #[serde(default)]
    action: String,
}

#[derive(Template)]
#[template(path = "transfers/ask.html")]
struct AskPage<'a> {
    t: &'a TransferTexts,
    s: &'a StockTexts,
    l: &'a ListTexts,
    key: &'a str,
    form: &'a AskForm,
    branches: Vec<(String, String)>,
    made: &'a MadeList,
    wrong: &'a Wrong,
    unknown: String,
}

/// The empty request, or one for a part.
pub(crate) async fn ask(
    State(state): State<EdgeState>,
    who: May<may::TransfersRequest>,
    ApiQuery(query): ApiQuery<AskQuery>,
) -> Result<Response, Problem> {
    let actor = who.actor();
    let input = ListInput {
        code: query.sku.clone(),
        action: "add".to_owned(),
        ..ListInput::default()
    };
    let made = state
        .store()
        .read(move |reader| input.make(reader, &actor))
        .await?;
    let form = AskForm {
        from: query.from,
        ..AskForm::default()
    };
    let key = state.form_key().to_string();
    show_ask(&state, &who, &key, &form, &made, &Wrong::default()).await
}

async fn show_ask(
    state: &EdgeState,
    who: &Caller,
    key: &str,
    form: &AskForm,
    made: &MadeList,
    wrong: &Wrong,
) -> Result<Response, Problem> {
    let read = state.store().read(|reader| {
        let own = reader.identity().code.clone();
        let names = branch_names(reader)?;
        Ok(names
            .into_iter()
            .filter(|(code, _)| *code != own)
            .collect::<Vec<_>>())
    });
    let branches = read.await?;
    let view = View::of(state, who).await?;
    let t = TransferTexts::of(view.language());
    let s = StockTexts::of(view.language());
    let body = SafeHtml::render(&AskPage {
        t,
        s,
        l: ListTexts::of(view.language()),
        key,
        form,
        branches,
        made,
        wrong,
        unknown: unknown_words(made, s),
    })?;
    let mut content = Content::new(t.ask_title, body);
    content.modules = &["js/stock.js"];
    let page = frame(state, who, &view, TRANSFERS)
        .await?
        .render(&content)?;
    Ok(html_with_status(wrong.status(), page))
}

/// Asks, or does what one of the list's own buttons says.
pub(crate) async fn request(
    State(state): State<EdgeState>,
    who: May<may::TransfersRequest>,
    PageForm { fields, request }: PageForm<AskForm>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let t = TransferTexts::of(view.language());
    let key = request.key.clone().unwrap_or_default();
    let actor = who.actor();
    let input = ListInput {
        sku: fields.sku.clone(),
        quantity: fields.quantity.clone(),
        code: fields.code.clone(),
        action: fields.action.clone(),
    };
    let made = state
        .store()
        .read(move |reader| input.make(reader, &actor))
        .await?;
    let mut wrong = Wrong::default();
    if made.is_edited {
        return show_ask(&state, &who, &key, &fields, &made, &wrong).await;
    }
    let words = ListTexts::of(view.language()).wrong_pieces;
    let lines = made.pieces(&mut wrong, words);
    if fields.from.trim().is_empty() {
        wrong.mark("from", t.wrong_branch);
    }
    if lines.is_empty() && made.lines.is_empty() {
        wrong.above = Some(t.empty_list.to_owned());
    }
    if wrong.is_empty() {
        let input = TransferInput {
            from: fields.from.clone(),
            to: None,
            lines: lines
                .into_iter()
                .map(|(sku, quantity)| LineInput { sku, quantity })
                .collect(),
            note: fields.note.clone(),
        };
        let write = answered(
            &state,
            &who,
            request,
            StatusCode::CREATED,
            move |tx, actor| transfer::request(tx, actor, input),
        );
        match write.await.map_err(Problem::from) {
            Ok(answered) => {
                let id = answered.answer.body["id"].as_str().unwrap_or_default();
                let to = format!("{TRANSFERS}/{id}?done=asked");
                return Ok(Redirect::to(&to).into_response());
            }
            Err(problem) if is_about_form(&problem) => wrong.take(
                &problem,
                &[
                    ("from", t.wrong_branch),
                    ("to", t.wrong_branch),
                    ("quantity", words),
                    ("sku", t.wrong_sku),
                    ("note", t.wrong_note),
                ],
                t.not_asked,
            ),
            Err(problem) => return Err(problem),
        }
    }
    show_ask(&state, &who, &key, &fields, &made, &wrong).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_is_whole() {
        assert_eq!(
            web_kit::language::flaws(TransferTexts::ALL),
            Vec::<String>::new()
        );
    }

    #[test]
    fn nothing_typed_is_no_piece() {
        let values = [
            "".to_owned(),
            " 3".to_owned(),
            "-1".to_owned(),
            "x".to_owned(),
        ];
        let typed: Vec<Option<i64>> = (0..5).map(|at| typed_pieces(&values, at)).collect();
        assert_eq!(typed, [Some(0), Some(3), None, None, Some(0)]);
    }
}
