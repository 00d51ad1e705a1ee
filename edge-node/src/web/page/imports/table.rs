//! A table's page: its columns and first rows before it comes in, how far it is, what came in and what was refused.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use jiff::tz::TimeZone;
use web_kit::{ApiPath, Content, PageRequest, Problem, SafeHtml, fill, html, plural};

use super::texts::{self, ImportTexts};
use crate::api::EdgeState;
use crate::api::caller::{Caller, May, may};
use crate::app::import::ImportReport;
use crate::app::import::desk::{Progress, Table};
use crate::app::import::table::{Fault, Field, Look, LookRow, look, values};
use crate::web::IMPORTS;
use crate::web::frame::frame;
use crate::web::texts::status as status_words;
use crate::web::view::View;

/// So many refused rows are shown.
const SHOWN_FAULTS: usize = 200;

struct ColumnChoice {
    field: &'static str,
    label: &'static str,
    required: bool,
    marked: bool,
    options: Vec<(usize, String, bool)>,
}

struct Shown {
    row: u64,
    cells: Vec<Cell>,
    outcome: &'static str,
    tone: &'static str,
    glyph: &'static str,
}

struct Cell {
    text: String,
    is_number: bool,
}

struct Heading {
    label: &'static str,
    is_number: bool,
}

struct Count {
    label: &'static str,
    number: String,
    tone: &'static str,
}

#[derive(Template)]
#[template(path = "imports/table.html", blocks = ["table"])]
struct TablePage<'a> {
    t: &'a ImportTexts,
    address: String,
    name: &'a str,
    about: String,
    refresh: bool,
    columns: Vec<ColumnChoice>,
    counts: Vec<Count>,
    headings: Vec<Heading>,
    rows: Vec<Shown>,
    faults: Vec<(u64, String)>,
    faults_note: String,
    banner: Option<(&'static str, &'static str, String)>,
    note: String,
    run: Option<String>,
    is_waiting: bool,
    is_done: bool,
}

/// A table: its columns and first rows, or how far it is.
pub(crate) async fn show(
    State(state): State<EdgeState>,
    who: May<may::Import>,
    kind: PageRequest,
    ApiPath(id): ApiPath<String>,
) -> Result<Response, Problem> {
    let table = find(&state, &id)?;
    answer(&state, &who, kind, &table).await
}

pub(super) fn find(state: &EdgeState, id: &str) -> Result<Arc<Table>, Problem> {
    let gone = || Problem::not_found("This file was put away. Upload it again.");
    state.desk().get(id).ok_or_else(gone)
}

pub(super) async fn answer(
    state: &EdgeState,
    who: &Caller,
    kind: PageRequest,
    table: &Arc<Table>,
) -> Result<Response, Problem> {
    let view = View::of(state, who).await?;
    let page = match table.progress() {
        Progress::Waiting => {
            let looked = table.clone();
            let found = state.store().read(move |reader| {
                look(
                    reader,
                    &looked.reading(),
                    &looked.known,
                    looked.upload.pieces()?,
                )
            });
            waiting_page(&view, table, &found.await?)
        }
        Progress::Running(report) => {
            let n = view.clock.number(signed(report.read));
            let said = fill(ImportTexts::of(view.language()).running, &[("n", &n)]);
            let page = report_page(&view, table, &report, &[]);
            TablePage {
                refresh: true,
                is_done: false,
                banner: Some(("moving", "joining", said)),
                ..page
            }
        }
        Progress::Done(report, faults) => report_page(&view, table, &report, &faults),
        Progress::BrokeOff(report) => {
            let t = ImportTexts::of(view.language());
            let n = view.clock.number(signed(report.read));
            let said = fill(t.broken, &[("n", &n)]);
            TablePage {
                banner: Some(("late", "late", said)),
                run: Some(t.go_on.to_owned()),
                is_done: false,
                ..report_page(&view, table, &report, &[])
            }
        }
    };
    if kind.is_fragment() {
        return Ok(html(SafeHtml::render(&page.as_table())?));
    }
    let title = ImportTexts::of(view.language()).title;
    let frame = frame(state, who, &view, IMPORTS).await?;
    frame.respond(&Content::new(title, SafeHtml::render(&page)?))
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn plain_page<'a>(view: &View, table: &'a Table) -> TablePage<'a> {
    let t = ImportTexts::of(view.language());
    let kib = view
        .clock
        .number(signed(table.upload.bytes().div_ceil(1024)));
    let about = [
        texts::kind(view.language(), table.kind).0.to_owned(),
        fill(t.kib, &[("n", &kib)]),
        view.clock.when(table.at_ms),
    ];
    TablePage {
        t,
        address: format!("{IMPORTS}/{}", table.id),
        name: &table.file_name,
        about: about.join(" · "),
        refresh: false,
        columns: Vec::new(),
        counts: Vec::new(),
        headings: Vec::new(),
        rows: Vec::new(),
        faults: Vec::new(),
        faults_note: String::new(),
        banner: None,
        note: String::new(),
        run: None,
        is_waiting: false,
        is_done: false,
    }
}

fn counts(view: &View, [new, changed, there, refused]: [u64; 4]) -> Vec<Count> {
    let t = ImportTexts::of(view.language());
    let count = |label, number: u64, tone| Count {
        label,
        number: view.clock.number(signed(number)),
        tone: if number > 0 { tone } else { "" },
    };
    vec![
        count(t.new, new, "agreed"),
        count(t.changed, changed, "moving"),
        count(t.there, there, ""),
        count(t.refused, refused, "late"),
    ]
}

fn fault_lines(view: &View, faults: &[(u64, Fault)]) -> Vec<(u64, String)> {
    let shown = faults.iter().take(SHOWN_FAULTS);
    shown
        .map(|(row, fault)| (*row, texts::fault(view.language(), fault)))
        .collect()
}

fn faults_note(view: &View, shown: usize, all: u64) -> String {
    let t = ImportTexts::of(view.language());
    if shown as u64 >= all {
        return String::new();
    }
    fill(
        t.first_of,
        &[("shown", &shown), ("all", &view.clock.number(signed(all)))],
    )
}

fn report_page<'a>(
    view: &View,
    table: &'a Table,
    report: &ImportReport,
    faults: &[(u64, Fault)],
) -> TablePage<'a> {
    let t = ImportTexts::of(view.language());
    let written = report.created + report.changed;
    let n = view.clock.number(signed(written));
    let banner = match (written, report.rejected) {
        (0, 0) => ("agreed", "agreed", t.all_there.to_owned()),
        (_, 0) => ("agreed", "agreed", fill(t.all_in, &[("n", &n)])),
        (_, refused) => (
            "waiting",
            "late",
            fill(
                t.in_and_refused,
                &[("n", &n), ("refused", &view.clock.number(signed(refused)))],
            ),
        ),
    };
    let lines = fault_lines(view, faults);
    TablePage {
        counts: counts(
            view,
            [
                report.created,
                report.changed,
                report.skipped,
                report.rejected,
            ],
        ),
        faults_note: faults_note(view, lines.len(), report.rejected),
        faults: lines,
        banner: Some(banner),
        is_done: true,
        ..plain_page(view, table)
    }
}

fn waiting_page<'a>(view: &View, table: &'a Table, look: &Look) -> TablePage<'a> {
    let language = view.language();
    let t = ImportTexts::of(language);
    let places = table.places();
    let columns = table.kind.fields().iter().map(|field| ColumnChoice {
        field: field.name(),
        label: texts::field(language, *field),
        required: table.kind.requires(*field),
        marked: look.missing == Some(*field),
        options: look
            .names
            .iter()
            .enumerate()
            .map(|(at, name)| (at, name.clone(), places.get(field) == Some(&at)))
            .collect(),
    });
    let columns = columns.collect();
    let fields: Vec<Field> = table
        .kind
        .fields()
        .iter()
        .copied()
        .filter(|field| places.contains_key(field))
        .collect();
    let headings = fields.iter().map(|field| Heading {
        label: texts::field(language, *field),
        is_number: is_number(*field),
    });
    let lines = fault_lines(view, &look.faults);
    let page = TablePage {
        columns,
        headings: headings.collect(),
        rows: look
            .rows
            .iter()
            .map(|row| shown(view, &fields, row))
            .collect(),
        is_waiting: true,
        ..plain_page(view, table)
    };
    if let Some(field) = look.missing {
        let said = fill(t.missing, &[("field", &texts::field(language, field))]);
        return TablePage {
            banner: Some(("waiting", "late", said)),
            ..page
        };
    }
    let wanted = look.created + look.changed;
    let run = match wanted {
        _ if look.is_part => Some(t.run_all.to_owned()),
        0 => None,
        n => Some(match n {
            1 => plural(1, t.run_one, t.run_some),
            n => fill(t.run_some, &[("n", &view.clock.number(signed(n)))]),
        }),
    };
    let note = if look.is_part {
        fill(t.part_only, &[("n", &view.clock.number(signed(look.read)))])
    } else {
        String::new()
    };
    TablePage {
        counts: counts(
            view,
            [look.created, look.changed, look.skipped, look.rejected],
        ),
        faults_note: faults_note(view, lines.len(), look.rejected),
        faults: lines,
        note,
        run,
        ..page
    }
}

const fn is_number(field: Field) -> bool {
    matches!(field, Field::Quantity | Field::ReorderPoint)
}

fn shown(view: &View, fields: &[Field], row: &LookRow) -> Shown {
    let t = ImportTexts::of(view.language());
    let (outcome, tone, glyph) = match (&row.fault, row.is_known) {
        (Some(_), _) => (t.is_refused, "late", "late"),
        (None, true) => (t.is_there, "", "agreed"),
        (None, false) => (t.will_be_new, "agreed", "plus"),
    };
    Shown {
        row: row.row,
        cells: fields.iter().map(|field| cell(view, *field, row)).collect(),
        outcome,
        tone,
        glyph,
    }
}

/// A cell as it will be understood; one that is not stays as it is written.
fn cell(view: &View, field: Field, row: &LookRow) -> Cell {
    let text = row.cells.get(field);
    let zone = view.clock.zone();
    let day = |zone: &TimeZone, hour| {
        values::read_moment(text, zone, hour).map(|at_ms| view.clock.when(at_ms))
    };
    let t = ImportTexts::of(view.language());
    let understood = match field {
        _ if text.is_empty() => None,
        Field::Quantity | Field::ReorderPoint => {
            values::read_pieces(text).map(|pieces| view.clock.number(pieces))
        }
        Field::TakenIn => day(zone, 12),
        Field::Promised => day(zone, values::EVENING),
        Field::Status => values::read_status(text)
            .flatten()
            .map(|status| status_words(view.language(), status).to_owned()),
        Field::Urgent => {
            values::read_yes(text).map(|yes| if yes { t.yes.to_owned() } else { String::new() })
        }
        _ => None,
    };
    Cell {
        text: understood.unwrap_or_else(|| text.to_owned()),
        is_number: is_number(field),
    }
}
