//! Cash: the till is opened with a float, cash goes in and out with a reason, and a blind count closes it.
//!
//! What should be in the drawer is never part of a page before the day report is written.

mod report;
mod shown;
mod texts;

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use domain::cash::CashDirection;
use domain::id::{SessionId, StaffId};
use domain::money::Currency;
use domain::permission::Permission;
use serde::Deserialize;
use web_kit::wire::money;
use web_kit::{
    ApiPath, ApiQuery, Content, ListQuery, PageForm, PageRequest, Problem, SafeHtml, Toast, fill,
    html_with_status, refusal,
};

use crate::api::EdgeState;
use crate::api::caller::{Caller, May, may};
use crate::app::cash::{
    self, CashSession, CloseInput, CountInput, FIRST_REGISTER, MoveInput, OpenInput, SessionBook,
};
use crate::app::day::{self, DayState};
use crate::store::staff;
use crate::web::CASH;
use crate::web::frame::frame;
use crate::web::page::business_days;
use crate::web::page::receipts::names_of;
use crate::web::page::stock::form::Wrong;
use crate::web::posted::{Posted, post};
use crate::web::said::go_on;
use crate::web::view::View;
pub(crate) use report::session;
use shown::{CashPage, Head, former_row, open_session};
use texts::CashTexts;

const ROWS: u32 = 20;

/// Which of the former sessions.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct CashQuery {
    #[serde(default)]
    cursor: String,
}

/// What lies in the drawer.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct OpenForm {
    #[serde(default)]
    float: String,
}

/// Cash by hand.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct MoveForm {
    #[serde(default)]
    direction: String,
    #[serde(default)]
    amount: String,
    #[serde(default)]
    reason: String,
}

/// A count; values and pieces stand side by side.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct CountForm {
    #[serde(default)]
    value: Vec<String>,
    #[serde(default)]
    pieces: Vec<String>,
    #[serde(default)]
    left: String,
    #[serde(default)]
    reason: String,
    /// Whether a reason was asked for.
    #[serde(default)]
    asked: String,
}

#[derive(Default)]
struct Shown {
    key: String,
    open: OpenForm,
    moved: MoveForm,
    count: CountForm,
    wrong: Wrong,
    asks_reason: bool,
    cursor: String,
}

/// The page.
pub(crate) async fn show(
    State(state): State<EdgeState>,
    who: May<may::MoneyRead>,
    ApiQuery(CashQuery { cursor }): ApiQuery<CashQuery>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let shown = Shown {
        key: state.form_key().to_string(),
        cursor,
        ..Shown::default()
    };
    respond(&state, &who, &view, shown).await
}

/// Everything that the page shows of the store.
struct Read {
    open: Option<SessionBook>,
    former: web_kit::Page<CashSession>,
    names: BTreeMap<StaffId, String>,
    days: Vec<DayState>,
    currency: Currency,
}

async fn read(state: &EdgeState, who: &Caller, cursor: &str) -> Result<Read, Problem> {
    let actor = who.actor();
    let page = ListQuery {
        limit: ROWS,
        cursor: (!cursor.is_empty()).then(|| cursor.to_owned()),
    };
    let read = state.store().read(move |reader| {
        let open = match cash::open_one(reader, &actor, FIRST_REGISTER)? {
            Some(session) => Some(cash::one(reader, &actor, session.id)?),
            None => None,
        };
        Ok(Read {
            open,
            former: cash::list(reader, &actor, &page)?,
            names: names_of(&staff::list(reader)?),
            days: day::recent(reader, &actor, business_days::SHOWN)?,
            currency: reader.settings()?.currency,
        })
    });
    Ok(read.await?)
}

async fn respond(
    state: &EdgeState,
    who: &Caller,
    view: &View,
    shown: Shown,
) -> Result<Response, Problem> {
    let t = CashTexts::of(view.language());
    let read = read(state, who, &shown.cursor).await?;
    let currency = read.currency;
    let digits = currency.minor_digits();
    let closed: Vec<&CashSession> = read
        .former
        .items
        .iter()
        .filter(|session| session.report.is_some())
        .collect();
    let last_left = closed
        .first()
        .and_then(|one| one.report.as_ref())
        .map(|report| report.left);
    let mut open = shown.open.clone();
    if open.float.is_empty()
        && let Some(left) = last_left.filter(|left| left.amount_minor > 0)
    {
        open.float = view.amount(left);
    }
    let page = CashPage {
        t,
        key: &shown.key,
        move_key: state.form_key().to_string(),
        may_write: who.may(Permission::CashWrite),
        session: read
            .open
            .as_ref()
            .map(|book| open_session(t, view, &read.names, book, &shown.count)),
        left_before: last_left
            .filter(|left| left.amount_minor > 0)
            .map(|left| fill(t.left_before, &[("amount", &view.full_amount(left))])),
        open,
        moved: &shown.moved,
        count: &shown.count,
        wrong: &shown.wrong,
        asks_reason: shown.asks_reason,
        former: closed
            .iter()
            .map(|session| former_row(t, view, &read.names, session))
            .collect(),
        older: read
            .former
            .next_cursor
            .map(|cursor| format!("{CASH}?cursor={cursor}")),
        newest: !shown.cursor.is_empty(),
        days: business_days::shown(state, who, view, &read.days),
        sample: view
            .clock
            .amount(1_000 * 10_i64.pow(u32::from(digits)), digits),
        digits,
        currency: currency.as_str().to_owned(),
        zero: view.full_amount(money(0, currency)),
    };
    let content = Content {
        modules: &["js/cash.js"],
        ..Content::new(t.title, SafeHtml::render(&page)?).head(SafeHtml::render(&Head { t })?)
    };
    let page = frame(state, who, view, CASH).await?.render(&content)?;
    Ok(html_with_status(shown.wrong.status(), page))
}

/// Opens the till.
pub(crate) async fn open(
    State(state): State<EdgeState>,
    who: May<may::CashWrite>,
    asked: PageRequest,
    PageForm { fields, request }: PageForm<OpenForm>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let t = CashTexts::of(view.language());
    let currency = currency(&state).await?;
    let mut shown = Shown {
        key: request.key.clone().unwrap_or_default(),
        open: fields,
        ..Shown::default()
    };
    let Some(float) = read_amount(&view, &shown.open.float, currency) else {
        wrong_amount(&mut shown.wrong, "float", t);
        return respond(&state, &who, &view, shown).await;
    };
    let input = OpenInput {
        register: None,
        float: money(float, currency),
    };
    let posted = post(&state, &who, request, Ok(input), |tx, actor, input| {
        cash::open(tx, actor, &input)
    });
    match posted.await? {
        Posted::Done(_) => {
            let toast = Toast::new("", t.opened_toast);
            go_on(&state, asked, view.language(), CASH, toast)
        }
        Posted::Refused(problem) => {
            let words = if kind(&problem) == "session-open" {
                t.is_open
            } else {
                t.not_booked
            };
            shown.wrong.above = Some(words.to_owned());
            respond(&state, &who, &view, shown).await
        }
    }
}

/// Cash goes in or out by hand.
pub(crate) async fn shift(
    State(state): State<EdgeState>,
    who: May<may::CashWrite>,
    asked: PageRequest,
    ApiPath(id): ApiPath<SessionId>,
    PageForm { fields, request }: PageForm<MoveForm>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let t = CashTexts::of(view.language());
    let currency = currency(&state).await?;
    let amount = read_amount(&view, &fields.amount, currency);
    let input = MoveInput {
        direction: fields.direction.clone(),
        amount: money(amount.unwrap_or(0), currency),
        reason: fields.reason.clone(),
    };
    let is_in = fields.direction == CashDirection::In.as_str();
    let said = amount.map_or_else(String::new, |minor| {
        view.full_amount(money(minor, currency))
    });
    let mut shown = Shown {
        key: state.form_key().to_string(),
        moved: fields,
        ..Shown::default()
    };
    if amount.is_none_or(|minor| minor == 0) {
        wrong_amount(&mut shown.wrong, "amount", t);
    }
    if input.reason.trim().is_empty() {
        shown.wrong.mark("move-reason", t.wrong_reason);
    }
    if !shown.wrong.is_empty() {
        return respond(&state, &who, &view, shown).await;
    }
    let posted = post(&state, &who, request, Ok(input), move |tx, actor, input| {
        cash::shift(tx, actor, id, &input)
    });
    match posted.await? {
        Posted::Done(_) => {
            let words = if is_in { t.moved_in } else { t.moved_out };
            let toast = Toast::new("", fill(words, &[("amount", &said)]));
            go_on(&state, asked, view.language(), CASH, toast)
        }
        Posted::Refused(problem) => {
            match kind(&problem) {
                "drawer-short" => shown.wrong.mark("amount", t.too_much),
                "session-closed" => shown.wrong.above = Some(t.is_closed.to_owned()),
                _ if pointed(&problem, "/reason") => {
                    shown.wrong.mark("move-reason", t.wrong_reason)
                }
                _ => shown.wrong.above = Some(above(&problem, t, &view)),
            }
            respond(&state, &who, &view, shown).await
        }
    }
}

/// Closes the till with a count, and leads to its day report.
pub(crate) async fn close(
    State(state): State<EdgeState>,
    who: May<may::CashWrite>,
    ApiPath(id): ApiPath<SessionId>,
    PageForm { fields, request }: PageForm<CountForm>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let t = CashTexts::of(view.language());
    let currency = currency(&state).await?;
    let mut shown = Shown {
        key: request.key.clone().unwrap_or_default(),
        asks_reason: !fields.asked.is_empty(),
        count: fields,
        ..Shown::default()
    };
    let counted = counted(&shown.count);
    let left = match shown.count.left.trim() {
        "" => Some(None),
        typed => read_amount(&view, typed, currency).map(Some),
    };
    let (Some(counted), Some(left)) = (counted, left) else {
        match left {
            None => wrong_amount(&mut shown.wrong, "left", t),
            Some(_) => shown.wrong.mark("pieces", t.wrong_pieces),
        }
        return respond(&state, &who, &view, shown).await;
    };
    let input = CloseInput {
        counted,
        left: left.map(|minor| money(minor, currency)),
        reason: shown.count.reason.clone(),
    };
    let posted = post(&state, &who, request, Ok(input), move |tx, actor, input| {
        cash::close(tx, actor, id, &input)
    });
    match posted.await? {
        Posted::Done(_) => Ok(Redirect::to(&format!("{CASH}/{id}")).into_response()),
        Posted::Refused(problem) => {
            if kind(&problem) == "session-closed" {
                return Ok(Redirect::to(&format!("{CASH}/{id}")).into_response());
            }
            if pointed(&problem, "/reason") {
                shown.asks_reason = true;
                shown.wrong.mark("reason", t.differs);
            } else if pointed(&problem, "/left") {
                shown.wrong.mark("left", t.wrong_left);
            } else if pointed(&problem, "/counted") {
                shown.wrong.mark("pieces", t.wrong_pieces);
            } else {
                shown.wrong.above = Some(above(&problem, t, &view));
            }
            respond(&state, &who, &view, shown).await
        }
    }
}

/// The pieces that were typed; an empty field is none of them.
fn counted(form: &CountForm) -> Option<Vec<CountInput>> {
    let pairs = form.value.iter().zip(&form.pieces);
    pairs
        .filter(|(_, pieces)| !pieces.trim().is_empty())
        .map(|(value, pieces)| {
            Some(CountInput {
                value_minor: value.trim().parse().ok()?,
                pieces: pieces.trim().parse().ok()?,
            })
        })
        .collect()
}

async fn currency(state: &EdgeState) -> Result<Currency, Problem> {
    let settings = state.store().read(|reader| reader.settings()).await?;
    Ok(settings.currency)
}

fn read_amount(view: &View, typed: &str, currency: Currency) -> Option<i64> {
    let read = view.clock.read_amount(typed, currency.minor_digits());
    read.filter(|minor| *minor >= 0)
}

fn wrong_amount(wrong: &mut Wrong, field: &'static str, t: &CashTexts) {
    wrong.mark(field, t.wrong_amount);
}

fn kind(problem: &Problem) -> &str {
    problem.body().kind.rsplit(':').next().unwrap_or_default()
}

fn pointed(problem: &Problem, pointer: &str) -> bool {
    let errors = &problem.body().errors;
    errors
        .iter()
        .any(|error| error.pointer.starts_with(pointer))
}

fn above(problem: &Problem, t: &CashTexts, view: &View) -> String {
    let body = problem.body();
    let first = body.errors.first().map(|error| error.detail.as_str());
    let said = first.or(body.detail.as_deref()).unwrap_or_default();
    format!("{} {}", refusal::said(view.language(), said), t.not_booked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_say_the_same_things() {
        assert_eq!(
            web_kit::language::flaws(CashTexts::ALL),
            Vec::<String>::new()
        );
    }

    #[test]
    fn an_empty_field_is_no_piece_and_letters_are_refused() {
        let form = |pieces: [&str; 2]| CountForm {
            value: vec!["5000".to_owned(), "100".to_owned()],
            pieces: pieces.map(str::to_owned).to_vec(),
            ..CountForm::default()
        };
        assert_eq!(
            counted(&form(["", " 3 "])).map(|counted| counted.len()),
            Some(1)
        );
        assert!(counted(&form(["x", "3"])).is_none());
    }
}
