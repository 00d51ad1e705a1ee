//! Where a file is chosen and read once, to see what its columns may mean.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use web_kit::{Content, Problem, SafeHtml, html_with_status};

use super::texts::{self, ImportTexts};
use crate::api::EdgeState;
use crate::api::caller::{Caller, May, may};
use crate::app::import::desk::{Progress, Table};
use crate::app::import::table::{Columns, Field, Kind, Known, Places, Reading};
use crate::app::import::upload::{Upload, UploadWriter};
use crate::error::AppError;
use crate::ords::{FileReader, Limits};
use crate::web::IMPORTS;
use crate::web::frame::frame;
use crate::web::view::View;
use web_kit::wire::hex;

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
            let said = web_kit::refusal::said(view.language(), &said).into_owned();
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
