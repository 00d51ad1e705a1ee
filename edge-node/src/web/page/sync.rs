//! The line to the hub: how it is, what waits by kind, what works right now, the switch of the outage drill.
//!
//! Cut off is calm: the page begins with what works. Nothing here changes anything but the switch.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use domain::permission::Permission;
use serde::Deserialize;
use web_kit::{
    Content, ListQuery, PageForm, PageRequest, Problem, SafeHtml, Tone, fill, html, plural, refusal,
};

use crate::api::EdgeState;
use crate::api::caller::{Caller, May, may};
use crate::api::v1::sync::{Switch, SyncAnswer, read, turn};
use crate::app::decision::{self, Incident};
use crate::app::sync_status::{self, Holdings, ParkedEntry, WaitingKind, WorkKind};
use crate::sync::LinkState;
use crate::web::frame::frame;
use crate::web::view::View;
use crate::web::{DECISIONS, SYNC};

/// Incidents that are shown.
const INCIDENTS: u32 = 8;
/// Parked entries that are shown.
const PARKED: usize = 20;

web_kit::catalogue! {
    /// Words of the sync page.
    pub(crate) struct SyncTexts {
        sync: "Sync" | "Abgleich",
        line: "The line" | "Die Leitung",
        decisions: "Decisions" | "Entscheidungen",
        views: "Sync and decisions" | "Abgleich und Entscheidungen",
        connected: "Branch and hub hold the same." | "Filiale und Zentrale halten dasselbe.",
        connected_sending: "The line is up." | "Die Leitung steht.",
        on_its_own: "The shop works on its own." | "Die Filiale arbeitet für sich.",
        looking: "The line is being taken up." | "Die Leitung wird aufgenommen.",
        held: "The hub holds this machine." | "Die Zentrale hält diesen Rechner an.",
        all_there: "All that was written here is at the hub." | "Alles, was hier geschrieben wurde, ist in der Zentrale.",
        one_safe: "One transaction is safe on this computer and goes out when the line is back." | "Ein Vorgang liegt sicher auf diesem Rechner und geht hinaus, sobald die Leitung zurück ist.",
        safe: "{n} transactions are safe on this computer and go out when the line is back." | "{n} Vorgänge liegen sicher auf diesem Rechner und gehen hinaus, sobald die Leitung zurück ist.",
        one_sending: "One transaction is on its way to the hub." | "Ein Vorgang ist auf dem Weg zur Zentrale.",
        sending: "{n} transactions are on their way to the hub." | "{n} Vorgänge sind auf dem Weg zur Zentrale.",
        nothing_waits: "Nothing waits here." | "Hier wartet nichts.",
        since_connected: "Connected since {since}, for {age}, by {transport}." | "Verbunden seit {since}, seit {age}, über {transport}.",
        since_cut: "Cut off since {since}, for {age}. The line is tried every few seconds. Nothing needs to be done." | "Abgeschnitten seit {since}, seit {age}. Die Leitung wird alle paar Sekunden versucht. Es ist nichts zu tun.",
        since_paused: "Cut here for an outage drill since {since}, for {age}. All work goes on." | "Hier zur Übung getrennt seit {since}, seit {age}. Alle Arbeit geht weiter.",
        since_looking: "Since {since}, for {age}." | "Seit {since}, seit {age}.",
        drill: "Outage drill: cut the line" | "Ausfallübung: Leitung trennen",
        drill_hint: "Cuts this machine off from the hub, as a real outage would. All work goes on; the line comes back when you take it up." | "Trennt diesen Rechner von der Zentrale wie ein echter Ausfall. Alle Arbeit geht weiter; die Leitung kommt zurück, wenn sie wieder aufgenommen wird.",
        resume: "Take the line up again" | "Leitung wieder aufnehmen",
        try_now: "Try the line now" | "Leitung jetzt versuchen",
        waiting: "Waiting here" | "Wartet hier",
        size: "{kb} kB" | "{kb} kB",
        what: "What" | "Was",
        oldest: "Oldest" | "Älteste",
        transactions: "Transactions" | "Vorgänge",
        orders_kind: "Orders and notes" | "Aufträge und Notizen",
        customers_kind: "Customers" | "Kunden",
        stock_kind: "Stock movements" | "Bestandsbewegungen",
        transfers_kind: "Transfers" | "Umlagerungen",
        decisions_kind: "Settled decisions" | "Getroffene Entscheidungen",
        imports_kind: "Imported records" | "Übernommene Datensätze",
        system_kind: "This machine itself" | "Dieser Rechner selbst",
        works: "What works right now" | "Was jetzt geht",
        as_always: "As always" | "Wie immer",
        with_limit: "With a limit" | "Mit Einschränkung",
        waits: "Waits for the line" | "Wartet auf die Leitung",
        nothing_limited: "Nothing is limited." | "Nichts ist eingeschränkt.",
        nothing_held_back: "Nothing waits." | "Nichts wartet.",
        works_orders: "Intake, board, orders, search in {n} orders" | "Annahme, Tafel, Aufträge, Suche in {n} Aufträgen",
        works_parts: "Parts: reserve, use, receive, correct" | "Teile: reservieren, verbrauchen, annehmen, korrigieren",
        works_paper: "Receipts and labels" | "Belege und Etiketten",
        works_transfers: "Transfers already planned: {n} to send or take in" | "Schon geplante Umlagerungen: {n} zu versenden oder anzunehmen",
        works_people: "Customers of other branches, catalogue and prices: as at the hub" | "Kunden anderer Filialen, Katalog und Preise: wie in der Zentrale",
        limit_elsewhere: "Stock of other branches: as of {at}" | "Bestand anderer Filialen: Stand {at}",
        limit_catalogue: "Catalogue, prices and staff: as of {at}" | "Katalog, Preise und Personal: Stand {at}",
        limit_orders: "Changes made at the hub: as of {at}" | "Änderungen der Zentrale: Stand {at}",
        wait_requests: "New transfer requests go out later" | "Neue Umlagerungswünsche gehen später hinaus",
        wait_people: "Customers known only elsewhere" | "Kunden, die nur anderswo bekannt sind",
        wait_sync: "What is written here reaches the hub later" | "Was hier geschrieben wird, erreicht die Zentrale später",
        feeds: "From the hub" | "Von der Zentrale",
        feed_private: "This branch’s own" | "Eigenes dieser Filiale",
        feed_chain: "Catalogue, staff, branches" | "Katalog, Personal, Filialen",
        feed_availability: "Stock of other branches" | "Bestand anderer Filialen",
        feed_register: "Machines and erasures" | "Rechner und Löschungen",
        feed: "Feed" | "Strom",
        applied: "Applied" | "Angewandt",
        of: "Of" | "Von",
        state: "State" | "Stand",
        up_to_date: "up to date" | "aktuell",
        behind: "{n} to come" | "{n} kommen noch",
        incidents: "Incidents" | "Vorfälle",
        no_incidents: "Nothing happened that people should know." | "Nichts ist geschehen, was man wissen müsste.",
        incident_restored: "Restored from a backup" | "Aus einer Sicherung wiederhergestellt",
        incident_commit: "A write had no sure end" | "Ein Schreiben hatte kein sicheres Ende",
        incident_feed: "An entry of the hub could not be applied" | "Ein Eintrag der Zentrale ließ sich nicht anwenden",
        incident_ack: "The hub went back in time" | "Die Zentrale ging in der Zeit zurück",
        incident_mending: "Entries of the hub were lost here" | "Einträge der Zentrale fehlten hier",
        incident_line: "The line was not as it should be" | "Die Leitung war nicht, wie sie sein soll",
        parked: "Parked" | "Abgestellt",
        nothing_parked: "Nothing is parked." | "Nichts ist abgestellt.",
        parked_here: "here" | "hier",
        parked_hub: "at the hub" | "in der Zentrale",
        entry: "Entry" | "Eintrag",
        reason: "Reason" | "Grund",
        machine: "Machine" | "Rechner",
        node: "Node" | "Knoten",
        epoch: "Epoch" | "Epoche",
        log_head: "Log head" | "Ende des Logs",
        stored: "Stored at the hub to" | "In der Zentrale gespeichert bis",
        agreed: "Agreed to" | "Abgeglichen bis",
    }
}

/// A form without fields of its own.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct NoFields {}

struct Hero {
    icon: &'static str,
    tone: Tone,
    lead: &'static str,
    text: String,
    since: String,
}

struct WaitRow {
    what: &'static str,
    count: String,
    oldest: String,
    age: String,
}

struct FeedRow {
    what: &'static str,
    cursor: String,
    head: String,
    behind: Option<String>,
}

struct IncidentRow {
    what: String,
    detail: String,
    when: String,
    icon: &'static str,
}

struct ParkedRow {
    entry: String,
    place: &'static str,
    reason: String,
}

/// The links between the line and the decisions.
pub(crate) struct SyncView {
    href: &'static str,
    label: &'static str,
    count: u64,
    current: bool,
}

#[derive(Template)]
#[template(path = "sync/page.html", blocks = ["sync"])]
struct SyncPage<'a> {
    t: &'a SyncTexts,
    key: String,
    hero: Hero,
    is_paused: bool,
    may_pause: bool,
    may_try: bool,
    waiting: Vec<WaitRow>,
    total: String,
    size: String,
    works: [Vec<String>; 3],
    feeds: Vec<FeedRow>,
    incidents: Vec<IncidentRow>,
    parked: Option<Vec<ParkedRow>>,
    parked_count: u64,
    facts: Vec<(&'static str, String)>,
}

#[derive(Template)]
#[template(path = "sync/_head.html")]
struct Head<'a> {
    t: &'a SyncTexts,
    views: Vec<SyncView>,
}

/// The links at the head of both pages.
pub(crate) fn head(view: &View, open: u64, current: &str) -> Result<SafeHtml, Problem> {
    let t = SyncTexts::of(view.language());
    SafeHtml::render(&Head {
        t,
        views: vec![
            SyncView {
                href: SYNC,
                label: t.line,
                count: 0,
                current: current == SYNC,
            },
            SyncView {
                href: DECISIONS,
                label: t.decisions,
                count: open,
                current: current == DECISIONS,
            },
        ],
    })
}

struct Data {
    waiting: Vec<WaitingKind>,
    holdings: Holdings,
    incidents: Vec<Incident>,
    parked: Option<Vec<ParkedEntry>>,
}

/// The page, or its work alone when htmx refreshes it.
pub(crate) async fn show(
    State(state): State<EdgeState>,
    who: May<may::BasicsRead>,
    asked: PageRequest,
) -> Result<Response, Problem> {
    let answer = read(&state, who.actor()).await?;
    let actor = who.actor();
    let may_incidents = who.may(Permission::ExceptionsRead);
    let may_parked = who.may(Permission::ParkedRead);
    let data = state.store().read(move |reader| {
        let page = ListQuery {
            limit: INCIDENTS,
            cursor: None,
        };
        Ok(Data {
            waiting: sync_status::waiting(reader, &actor)?,
            holdings: sync_status::holdings(reader, &actor)?,
            incidents: if may_incidents {
                decision::incidents(reader, &actor, &page)?.items
            } else {
                Vec::new()
            },
            parked: may_parked
                .then(|| sync_status::parked_entries(reader, &actor))
                .transpose()?,
        })
    });
    let data = data.await?;
    let view = View::of(&state, &who).await?;
    let open = answer.status.conflicts + answer.status.decisions;
    let head = head(&view, open, SYNC)?;
    let content = page(&who, &view, answer, data, state.form_key().to_string());
    if asked.is_fragment() {
        let views = head.partial("#sync-views", "outerMorph");
        return Ok(html(SafeHtml::render(&content.as_sync())?.then(&views)));
    }
    let t = SyncTexts::of(view.language());
    let content = Content::new(t.sync, SafeHtml::render(&content)?).head(head);
    frame(&state, &who, &view, SYNC).await?.respond(&content)
}

fn page<'a>(
    who: &Caller,
    view: &View,
    answer: SyncAnswer,
    data: Data,
    key: String,
) -> SyncPage<'a> {
    let t = SyncTexts::of(view.language());
    let number = |n: u64| view.clock.number(i64::try_from(n).unwrap_or(i64::MAX));
    let pending = answer.status.pending;
    let kb = pending.bytes.div_ceil(1_000);
    let status = &answer.status;
    SyncPage {
        t,
        key,
        hero: hero(&answer, view, t),
        is_paused: answer.link == LinkState::Paused,
        may_pause: who.may(Permission::SyncPause),
        may_try: matches!(answer.link, LinkState::CutOff | LinkState::Connecting),
        waiting: data
            .waiting
            .iter()
            .map(|kind| wait_row(kind, view, t))
            .collect(),
        total: number(pending.transactions),
        size: fill(t.size, &[("kb", &number(kb))]),
        works: works(&answer, data.holdings, view, t),
        feeds: feeds(&answer, view, t),
        incidents: data
            .incidents
            .into_iter()
            .map(|incident| incident_row(incident, view, t))
            .collect(),
        parked_count: status.parked,
        parked: data.parked.map(|entries| {
            entries
                .into_iter()
                .take(PARKED)
                .map(|entry| parked_row(entry, view, t))
                .collect()
        }),
        facts: vec![
            (t.log_head, number(status.log.seq)),
            (t.stored, number(status.log.stored)),
            (t.agreed, number(status.log.applied)),
            (t.node, status.node.clone()),
            (t.epoch, status.epoch.clone()),
        ],
    }
}

fn hero(answer: &SyncAnswer, view: &View, t: &SyncTexts) -> Hero {
    let waits = answer.status.pending.transactions;
    let is_up = answer.link == LinkState::Connected;
    let (icon, tone, lead, since) = match answer.link {
        LinkState::Connected if waits == 0 => {
            ("agreed", Tone::Agreed, t.connected, t.since_connected)
        }
        LinkState::Connected => (
            "joining",
            Tone::Moving,
            t.connected_sending,
            t.since_connected,
        ),
        LinkState::Connecting => ("joining", Tone::Moving, t.looking, t.since_looking),
        LinkState::CutOff => ("apart", Tone::Apart, t.on_its_own, t.since_cut),
        LinkState::Paused => ("drill", Tone::Apart, t.on_its_own, t.since_paused),
        LinkState::Held => ("parked", Tone::Decide, t.held, t.since_looking),
    };
    let text = match (waits, is_up) {
        (0, true) => t.all_there.to_owned(),
        (0, false) => t.nothing_waits.to_owned(),
        (n, true) => plural(n, t.one_sending, t.sending),
        (n, false) => plural(n, t.one_safe, t.safe),
    };
    let mut since = fill(
        since,
        &[
            ("since", &view.clock.when(answer.since.0)),
            ("age", &view.clock.age(answer.since.0)),
            ("transport", &answer.transport.to_uppercase()),
        ],
    );
    if answer.link == LinkState::Held && !answer.detail.is_empty() {
        since = format!("{since} {}", answer.detail);
    }
    Hero {
        icon,
        tone,
        lead,
        text,
        since,
    }
}

fn wait_row(kind: &WaitingKind, view: &View, t: &'static SyncTexts) -> WaitRow {
    WaitRow {
        what: match kind.kind {
            WorkKind::Orders => t.orders_kind,
            WorkKind::Customers => t.customers_kind,
            WorkKind::Stock => t.stock_kind,
            WorkKind::Transfers => t.transfers_kind,
            WorkKind::Decisions => t.decisions_kind,
            WorkKind::Imports => t.imports_kind,
            WorkKind::System => t.system_kind,
        },
        count: view
            .clock
            .number(i64::try_from(kind.transactions).unwrap_or(i64::MAX)),
        oldest: view.clock.when(kind.oldest_at.0),
        age: view.clock.age(kind.oldest_at.0),
    }
}

/// What works as always, with a limit, and what waits for the line.
fn works(answer: &SyncAnswer, holdings: Holdings, view: &View, t: &SyncTexts) -> [Vec<String>; 3] {
    let number = |n: u64| view.clock.number(i64::try_from(n).unwrap_or(i64::MAX));
    let mut always = vec![
        fill(t.works_orders, &[("n", &number(holdings.orders))]),
        t.works_parts.to_owned(),
        fill(t.works_transfers, &[("n", &number(holdings.transfers))]),
        t.works_paper.to_owned(),
    ];
    if answer.link == LinkState::Connected {
        always.push(t.works_people.to_owned());
        return [
            always,
            vec![t.nothing_limited.to_owned()],
            vec![t.nothing_held_back.to_owned()],
        ];
    }
    let at = view.clock.when(answer.since.0);
    let limited = [t.limit_elsewhere, t.limit_catalogue, t.limit_orders];
    let waits = [t.wait_sync, t.wait_requests, t.wait_people];
    [
        always,
        limited
            .iter()
            .map(|words| fill(words, &[("at", &at)]))
            .collect(),
        waits.iter().map(|words| (*words).to_owned()).collect(),
    ]
}

fn feeds(answer: &SyncAnswer, view: &View, t: &'static SyncTexts) -> Vec<FeedRow> {
    let number = |n: u64| view.clock.number(i64::try_from(n).unwrap_or(i64::MAX));
    let row = |feed: &sync_status::FeedStatus| {
        let behind = feed.head.saturating_sub(feed.cursor);
        FeedRow {
            what: match feed.name.as_str() {
                "private" => t.feed_private,
                "chain" => t.feed_chain,
                "availability" => t.feed_availability,
                _ => t.feed_register,
            },
            cursor: number(feed.cursor),
            head: number(feed.head.max(feed.cursor)),
            behind: (behind > 0).then(|| fill(t.behind, &[("n", &number(behind))])),
        }
    };
    answer.status.feeds.iter().map(row).collect()
}

fn incident_row(incident: Incident, view: &View, t: &SyncTexts) -> IncidentRow {
    let (what, icon) = match incident.kind.as_str() {
        "restored" => (t.incident_restored, "history"),
        "commit_failed" => (t.incident_commit, "drive"),
        "feed_item" => (t.incident_feed, "parked"),
        "ack_back" => (t.incident_ack, "history"),
        "mending" => (t.incident_mending, "history"),
        "line" | "not_on_line" => (t.incident_line, "apart"),
        other => (other, "late"),
    };
    IncidentRow {
        what: what.to_owned(),
        detail: refusal::said(view.language(), &incident.detail).into_owned(),
        when: format!(
            "{}, {}",
            view.clock.day(incident.at.0),
            view.clock.hour(incident.at.0)
        ),
        icon,
    }
}

fn parked_row(entry: ParkedEntry, view: &View, t: &'static SyncTexts) -> ParkedRow {
    let seq = view
        .clock
        .number(i64::try_from(entry.seq).unwrap_or(i64::MAX));
    ParkedRow {
        entry: format!("{} · {seq}", entry.node),
        place: if entry.at_hub {
            t.parked_hub
        } else {
            t.parked_here
        },
        reason: refusal::said(view.language(), &entry.reason).into_owned(),
    }
}

/// Cuts the line for a drill.
pub(crate) async fn pause(
    State(state): State<EdgeState>,
    who: May<may::SyncPause>,
    PageForm { request, .. }: PageForm<NoFields>,
) -> Result<Response, Problem> {
    turn(&state, &who, request, Switch::Pause).await?;
    Ok(Redirect::to(SYNC).into_response())
}

/// Takes the line up again.
pub(crate) async fn resume(
    State(state): State<EdgeState>,
    who: May<may::SyncPause>,
    PageForm { request, .. }: PageForm<NoFields>,
) -> Result<Response, Problem> {
    turn(&state, &who, request, Switch::Resume).await?;
    Ok(Redirect::to(SYNC).into_response())
}

/// Tries the line now rather than when the next attempt is due.
pub(crate) async fn try_now(
    State(state): State<EdgeState>,
    _who: May<may::BasicsRead>,
    PageForm { .. }: PageForm<NoFields>,
) -> Result<Response, Problem> {
    state.sync().nudge();
    Ok(Redirect::to(SYNC).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_is_whole() {
        assert_eq!(
            web_kit::language::flaws(SyncTexts::ALL),
            Vec::<String>::new()
        );
    }
}
