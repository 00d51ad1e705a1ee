//! Taking over what a shop's old program knows: upload a table, say what its columns mean, see how its rows will be
//! read, let it come in.
//!
//! Nothing is written before a person let it, and nothing comes in twice, so these forms need no key. A large file
//! comes in behind the page, which tells how far it is.

pub(crate) mod texts;

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use jiff::tz::TimeZone;
use serde::Deserialize;
use web_kit::{
    ApiPath, Content, PageRequest, PlainForm, Problem, SafeHtml, fill, html, html_with_status,
    plural,
};

use crate::api::EdgeState;
use crate::api::caller::{Caller, May, may};
use crate::api::v1::imports::Teller;
use crate::app::import::ImportReport;
use crate::app::import::desk::{Progress, Table};
use crate::app::import::table::{
    Columns, Field, Kind, Known, Look, LookRow, Places, Reading, TableImporter, look, values,
};
use crate::app::import::upload::{Upload, UploadWriter};
use crate::app::wire::hex;
use crate::error::AppError;
use crate::ords::{FileReader, Limits};
use crate::store::Actor;
use crate::web::IMPORTS;
use crate::web::frame::frame;
use crate::web::texts::status as status_words;
use crate::web::view::View;
use texts::ImportTexts;

/// So many refused rows are shown.
const SHOWN_FAULTS: usize = 200;
/// How often the page hears how far it is.
const TOLD_EVERY_BYTES: usize = 8 * 1024;
const FILE_NAME_CHARS: usize = 80;

struct KindChoice {
    name: &'static str,
    label: &'static str,
    hint: &'static str,
    checked: bool,
}

struct FileLine {
    href: String,
    name: String,
    kind: &'static str,
    state: &'static str,
    tone: &'static str,
    glyph: &'static str,
    at: String,
}

#[derive(Template)]
#[template(path = "imports/begin.html")]
struct BeginPage<'a> {
    t: &'a ImportTexts,
    kinds: Vec<KindChoice>,
    files: Vec<FileLine>,
    problem: Option<String>,
}

/// The page on which a file is chosen.
pub(crate) async fn begin(
    State(state): State<EdgeState>,
    who: May<may::Import>,
) -> Result<Response, Problem> {
    choose(&state, &who, StatusCode::OK, None, None).await
}

async fn choose(
    state: &EdgeState,
    who: &Caller,
    status: StatusCode,
    chosen: Option<Kind>,
    problem: Option<String>,
) -> Result<Response, Problem> {
    let view = View::of(state, who).await?;
    let language = view.language();
    let t = ImportTexts::of(language);
    let kinds = Kind::ALL.map(|kind| {
        let (label, hint) = texts::kind(language, kind);
        KindChoice {
            name: kind.name(),
            label,
            hint,
            checked: chosen.unwrap_or(Kind::Customers) == kind,
        }
    });
    let line = |table: &Arc<Table>| {
        let (state, tone, glyph) = match table.progress() {
            Progress::Waiting => (t.needs_columns, "waiting", "clock"),
            Progress::Running(_) => (t.runs, "moving", "joining"),
            Progress::Done(..) => (t.done, "agreed", "check"),
            Progress::BrokeOff(_) => (t.broke_off, "late", "late"),
        };
        FileLine {
            href: format!("{IMPORTS}/{}", table.id),
            name: table.file_name.clone(),
            kind: texts::kind(language, table.kind).0,
            state,
            tone,
            glyph,
            at: view.clock.when(table.at_ms),
        }
    };
    let body = SafeHtml::render(&BeginPage {
        t,
        kinds: kinds.into(),
        files: state.desk().all().iter().map(line).collect(),
        problem,
    })?;
    let page = frame(state, who, &view, IMPORTS)
        .await?
        .render(&Content::new(t.title, body))?;
    Ok(html_with_status(status, page))
}

/// Takes a file and goes on to its columns.
pub(crate) async fn upload(
    State(state): State<EdgeState>,
    who: May<may::Import>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let t = ImportTexts::of(view.language());
    let again = |chosen, problem: String| {
        choose(
            &state,
            &who,
            StatusCode::UNPROCESSABLE_ENTITY,
            chosen,
            Some(problem),
        )
    };
    let Sent {
        kind,
        file_name,
        upload,
    } = receive(&state, &headers, body).await?;
    let Some(kind) = kind else {
        return again(None, t.no_kind.to_owned()).await;
    };
    let Some(upload) = upload.filter(|upload| upload.bytes() > 0) else {
        return again(Some(kind), t.no_file.to_owned()).await;
    };
    let places = match guessed(kind, &upload) {
        Ok(places) => places,
        Err(AppError::Invalid(problems)) => {
            let said = problems.first().map(|problem| problem.detail.clone());
            let said = web_kit::problem::sentence(&said.unwrap_or_default());
            return again(Some(kind), said).await;
        }
        Err(error) => return Err(error.into()),
    };
    let id: [u8; 9] = state.store().env().bytes();
    let at_ms = state.store().env().now_ms();
    let known = match kind {
        Kind::Customers => state.store().read(Known::load).await?,
        Kind::Stock | Kind::Orders => Known::default(),
    };
    let columns = (kind, places);
    let table = Table::new(hex(&id), file_name, at_ms, upload, known, columns);
    let table = state.desk().add(table);
    Ok(Redirect::to(&format!("{IMPORTS}/{}", table.id)).into_response())
}

struct Sent {
    kind: Option<Kind>,
    file_name: String,
    upload: Option<Upload>,
}

/// Reads the form as it arrives; the file goes to the disk piece by piece, sealed.
async fn receive(state: &EdgeState, headers: &HeaderMap, body: Body) -> Result<Sent, Problem> {
    let broke_off = |error: multer::Error| {
        tracing::info!(%error, "an upload broke off");
        Problem::bad_request("The upload broke off. Nothing was written; upload the file again.")
    };
    let boundary = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| multer::parse_boundary(value).ok())
        .ok_or_else(|| Problem::bad_request("Content-Type must be multipart/form-data."))?;
    let mut form = multer::Multipart::new(body.into_data_stream(), boundary);
    let mut sent = Sent {
        kind: None,
        file_name: String::new(),
        upload: None,
    };
    while let Some(mut field) = form.next_field().await.map_err(broke_off)? {
        match field.name() {
            Some("kind") => {
                let first = field.chunk().await.map_err(broke_off)?.unwrap_or_default();
                sent.kind = std::str::from_utf8(&first).ok().and_then(Kind::of_name);
            }
            Some("file") => {
                sent.file_name = file_name(field.file_name().unwrap_or_default());
                let store = state.store();
                let mut writer = UploadWriter::new(store.dir(), store.env())?;
                while let Some(piece) = field.chunk().await.map_err(broke_off)? {
                    writer.write(&piece)?;
                }
                sent.upload = Some(writer.finish()?);
            }
            _ => {}
        }
    }
    Ok(sent)
}

/// The last part of what the browser says; some say a whole path.
fn file_name(said: &str) -> String {
    let name = said.rsplit(['/', '\\']).next().unwrap_or_default();
    let printable = name.chars().filter(|c| !c.is_control());
    printable.take(FILE_NAME_CHARS).collect()
}

/// Which column means what, by the usual names; the first line alone is read.
fn guessed(kind: Kind, upload: &Upload) -> Result<BTreeMap<Field, usize>, AppError> {
    let lenient = Reading {
        kind,
        places: Places::Chosen(BTreeMap::new()),
    };
    let unreadable = |error| crate::app::import::unreadable(kind.name(), &error);
    let mut file = FileReader::<Columns>::new(Limits::default(), lenient);
    for piece in upload.pieces()? {
        file.push(&piece?).map_err(unreadable)?;
        if let Some(form) = file.form() {
            return Ok(form.guess(kind));
        }
    }
    let (_, form) = file.finish_with_form().map_err(unreadable)?;
    Ok(form.guess(kind))
}

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

fn find(state: &EdgeState, id: &str) -> Result<Arc<Table>, Problem> {
    let gone = || Problem::not_found("This file was put away. Upload it again.");
    state.desk().get(id).ok_or_else(gone)
}

async fn answer(
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

fn fault_lines(
    view: &View,
    faults: &[(u64, crate::app::import::table::Fault)],
) -> Vec<(u64, String)> {
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
    faults: &[(u64, crate::app::import::table::Fault)],
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

/// What a person chose: a column for each field, and what to do.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct ChoiceForm {
    #[serde(default, rename = "do")]
    wish: String,
    #[serde(flatten)]
    columns: BTreeMap<String, String>,
}

/// Takes the choice of columns, and lets the table come in or puts it away.
pub(crate) async fn decide(
    State(state): State<EdgeState>,
    who: May<may::Import>,
    kind: PageRequest,
    ApiPath(id): ApiPath<String>,
    PlainForm(form): PlainForm<ChoiceForm>,
) -> Result<Response, Problem> {
    if form.wish == "away" {
        state.desk().remove(&id);
        return Ok(Redirect::to(IMPORTS).into_response());
    }
    let table = find(&state, &id)?;
    let mut places = BTreeMap::new();
    for (name, column) in &form.columns {
        let field = Field::of_name(name).filter(|field| table.kind.fields().contains(field));
        if let (Some(field), Ok(at)) = (field, column.parse()) {
            places.insert(field, at);
        }
    }
    if !form.columns.is_empty() {
        table.choose(places);
    }
    if form.wish == "run" {
        let chosen = table.places();
        let is_whole = table
            .kind
            .fields()
            .iter()
            .all(|field| !table.kind.requires(*field) || chosen.contains_key(field));
        if is_whole && table.begin() {
            tokio::spawn(run(state.clone(), who.actor(), table.clone()));
        }
        return Ok(Redirect::to(&format!("{IMPORTS}/{id}")).into_response());
    }
    answer(&state, &who, kind, &table).await
}

/// Lets a table come in, behind the page.
async fn run(state: EdgeState, actor: Actor, table: Arc<Table>) {
    let mut last = ImportReport::default();
    let mut teller = Teller::new(&state);
    match take_over(&state, actor, &table, &mut teller, &mut last).await {
        Ok(progress) => table.set_progress(progress),
        Err(error) => {
            tracing::error!(%error, "an import broke off");
            table.set_progress(Progress::BrokeOff(last.clone()));
        }
    }
    // Last, so that a page that asks now finds the end.
    teller.end(&last);
}

async fn take_over(
    state: &EdgeState,
    actor: Actor,
    table: &Table,
    teller: &mut Teller<'_>,
    last: &mut ImportReport,
) -> Result<Progress, AppError> {
    let stopping = state.stopping();
    let mut importer = TableImporter::new(state.store(), actor, table.reading()).await?;
    for piece in table.upload.pieces()? {
        if *stopping.borrow() {
            return Ok(Progress::BrokeOff(last.clone()));
        }
        for part in piece?.chunks(TOLD_EVERY_BYTES) {
            importer.push(part).await?;
            last.clone_from(importer.report());
            table.set_progress(Progress::Running(last.clone()));
            teller.tell(last);
        }
    }
    let (report, faults) = importer.finish().await?;
    last.clone_from(&report);
    Ok(Progress::Done(report, faults.into()))
}
