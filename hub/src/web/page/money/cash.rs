//! Cash sessions of all branches, those that began last first, and the same as a table.
//!
//! What should be in an open drawer is never said here: its count is blind.

pub(crate) mod session;
mod texts;

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::id::StaffId;
use serde::Deserialize;
use web_kit::{ApiQuery, Cursor, ListQuery, PageRequest, Problem, SafeHtml, fill, html};

use self::texts::CashTexts;
use super::texts::MoneyTexts;
use super::{money, respond};
use crate::api::caller::{May, may};
use crate::api::wire::time;
use crate::api::{Caller, HubState};
use crate::app::branch::code_of;
use crate::app::error::AppError;
use crate::app::money::read::branch_named;
use crate::app::money::sessions::{
    SessionEnd, SessionRow, WantedSessions, day_named, kind_named, number_of, sessions,
};
use crate::app::reconcile::show_day;
use crate::app::staff::names;
use crate::store::scope::Place;
use crate::web::act::address;
use crate::web::list::Pager;
use crate::web::places::{Choice, Places};
use crate::web::table::{decimal, download};
use crate::web::view::View;
use crate::web::{CASH_TABLE, MONEY_CASH};

const LIST: &str = "cash page";
const ROWS: u32 = 50;
/// Sessions that are read at a time for a table.
const AT_ONCE: i64 = 500;
/// Sessions of a table at most; a chain of 100 branches has so many in more than a year.
const TABLE_MAX: usize = 50_000;
/// The head of the table.
const COLUMNS: [&str; 15] = [
    "number",
    "branch",
    "till",
    "business_date",
    "opened_at",
    "opened_by",
    "closed_at",
    "closed_by",
    "currency",
    "float",
    "expected",
    "counted",
    "difference",
    "reason",
    "session",
];

/// Which sessions.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct SessionsQuery {
    #[serde(default)]
    branch: String,
    #[serde(default)]
    day: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    cursor: String,
}

impl SessionsQuery {
    fn address(&self, path: &str, cursor: &str) -> String {
        let parts = [
            ("branch", self.branch.as_str()),
            ("day", self.day.as_str()),
            ("kind", self.kind.as_str()),
            ("cursor", cursor),
        ];
        address(path, &parts)
    }

    fn is_narrowed(&self) -> bool {
        !(self.branch.is_empty() && self.day.is_empty() && self.kind.is_empty())
    }

    async fn wanted(
        &self,
        state: &HubState,
        place: Option<Place>,
        limit: i64,
    ) -> Result<WantedSessions, AppError> {
        Ok(WantedSessions {
            branch: branch_named(state.hub(), Some(&self.branch)).await?,
            day: day_named("/day", &self.day)?,
            kind: kind_named("/kind", &self.kind)?,
            place,
            limit,
        })
    }
}

struct Row {
    href: String,
    number: Option<String>,
    branch: String,
    till: String,
    opened: String,
    opened_by: String,
    closed: String,
    closed_by: String,
    day: String,
    float: String,
    expected: String,
    counted: String,
    difference: String,
    is_off: bool,
    reason: String,
}

#[derive(Template)]
#[template(path = "money/cash.html")]
struct Page<'a> {
    m: &'a MoneyTexts,
    t: &'a CashTexts,
    here: &'static str,
    refresh: String,
    table: String,
    branches: Vec<Choice>,
    kinds: Vec<Choice>,
    day: &'a str,
    rows: Vec<Row>,
    is_narrowed: bool,
    /// What all amounts are in, where that is one currency.
    currency: Option<String>,
    pager: Pager,
}

/// The page, or its list alone when a script asks again.
pub(crate) async fn list(
    State(state): State<HubState>,
    who: May<may::MoneyRead>,
    asked: PageRequest,
    ApiQuery(query): ApiQuery<SessionsQuery>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let m = MoneyTexts::of(view.language());
    let t = CashTexts::of(view.language());
    let page = ListQuery {
        limit: ROWS,
        cursor: Some(query.cursor.clone()),
    };
    let place = page.after::<Place>(LIST)?;
    let wanted = query.wanted(&state, place, i64::from(ROWS) + 1).await?;
    let (found, codes) = sessions(state.hub(), &who.person, &wanted).await?;
    let cut = web_kit::Page::cut(found, ROWS, |last: &SessionRow| {
        Cursor::encode(LIST, &(last.opened_ms, *last.id.as_bytes()))
    });
    let mut currencies = cut.items.iter().map(|row| row.currency);
    let first = currencies.next();
    let shower = Shower {
        t,
        view: &view,
        places: Places::of(&state).await?,
        names: names(state.hub(), &people(&cut.items)).await?,
        is_one_currency: currencies.all(|other| Some(other) == first),
    };
    let row = |row: &SessionRow| shower.row(row, &code_of(&codes, row.branch));
    let body = SafeHtml::render(&Page {
        m,
        t,
        here: MONEY_CASH,
        refresh: query.address(MONEY_CASH, &query.cursor),
        table: query.address(CASH_TABLE, ""),
        branches: shower
            .places
            .choices_of(&who.person.scope(), &query.branch, m.any_branch),
        kinds: vec![
            Choice::new("", t.every, &query.kind),
            Choice::new("differs", t.only_differing, &query.kind),
            Choice::new("open", t.only_open, &query.kind),
        ],
        day: &query.day,
        rows: cut.items.iter().map(row).collect(),
        is_narrowed: query.is_narrowed(),
        currency: first
            .filter(|_| shower.is_one_currency)
            .map(|one| one.to_string()),
        pager: Pager {
            first: (!query.cursor.is_empty()).then(|| query.address(MONEY_CASH, "")),
            next: cut.next_cursor.map(|next| query.address(MONEY_CASH, &next)),
            first_words: m.newest,
            next_words: m.older,
        },
    })?;
    if asked.is_fragment() {
        return Ok(html(body));
    }
    respond(&state, &who, &view, (StatusCode::OK, MONEY_CASH), body).await
}

fn people(rows: &[SessionRow]) -> Vec<StaffId> {
    rows.iter()
        .flat_map(|row| [Some(row.opened_by), row.closed.as_ref().map(|end| end.by)])
        .flatten()
        .collect()
}

struct Shower<'a> {
    t: &'a CashTexts,
    view: &'a View,
    places: Places,
    names: BTreeMap<StaffId, String>,
    is_one_currency: bool,
}

impl Shower<'_> {
    fn row(&self, row: &SessionRow, code: &str) -> Row {
        let name = |staff: &StaffId| self.names.get(staff).cloned().unwrap_or_default();
        let amount = |minor: i64| {
            let money = money(minor, row.currency);
            if self.is_one_currency {
                self.view.amount(money)
            } else {
                self.view.full_amount(money)
            }
        };
        let end = row.closed.as_ref();
        let of_end = |shown: &dyn Fn(&SessionEnd) -> String| end.map(shown).unwrap_or_default();
        Row {
            href: format!("{MONEY_CASH}/{}", row.id),
            number: end.map(|end| number_of(code, end)),
            branch: self.places.name(code).to_owned(),
            till: fill(self.t.till_n, &[("n", &row.register)]),
            opened: self.view.clock.when(row.opened_ms),
            opened_by: name(&row.opened_by),
            closed: of_end(&|end| self.view.clock.when(end.at_ms)),
            closed_by: of_end(&|end| name(&end.by)),
            day: of_end(&|end| self.view.business_day(end.day)),
            float: amount(row.float_minor),
            expected: of_end(&|end| amount(end.expected_minor)),
            counted: of_end(&|end| amount(end.counted_minor)),
            difference: of_end(&|end| match end.difference_minor() {
                0 => self.t.none.to_owned(),
                minor if minor > 0 => format!("+{}", amount(minor)),
                minor => amount(minor),
            }),
            is_off: end.is_some_and(|end| end.difference_minor() != 0),
            reason: of_end(&|end| end.reason.clone()),
        }
    }
}

/// All that the list is narrowed to, as a table.
pub(crate) async fn table(
    State(state): State<HubState>,
    who: May<may::MoneyRead>,
    ApiQuery(query): ApiQuery<SessionsQuery>,
) -> Result<Response, Problem> {
    let found = all(&state, &who, &query).await?;
    let codes = crate::app::branch::all_codes(state.hub()).await?;
    let names = names(state.hub(), &people(&found)).await?;
    let mut rows = vec![COLUMNS.map(str::to_owned).to_vec()];
    rows.extend(
        found
            .iter()
            .map(|row| cells(row, &code_of(&codes, row.branch), &names).to_vec()),
    );
    let parts = ["cash-sessions", query.branch.as_str(), query.day.as_str()];
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    download(&parts.join("-"), &rows)
}

async fn all(
    state: &HubState,
    who: &Caller,
    query: &SessionsQuery,
) -> Result<Vec<SessionRow>, AppError> {
    let mut found: Vec<SessionRow> = Vec::new();
    loop {
        let last = found.last();
        let place = last.map(|last| (last.opened_ms, *last.id.as_bytes()));
        let wanted = query.wanted(state, place, AT_ONCE).await?;
        let (more, _) = sessions(state.hub(), &who.person, &wanted).await?;
        let is_last = i64::try_from(more.len()).unwrap_or(AT_ONCE) < AT_ONCE;
        found.extend(more);
        if is_last {
            return Ok(found);
        }
        if found.len() >= TABLE_MAX {
            let detail = "more than 50000 sessions fit; choose a branch or a day";
            return Err(AppError::field("/branch", detail));
        }
    }
}

fn cells(row: &SessionRow, code: &str, names: &BTreeMap<StaffId, String>) -> [String; 15] {
    let name = |staff: &StaffId| names.get(staff).cloned().unwrap_or_default();
    let amount = |minor: i64| decimal(minor, row.currency);
    let end = row.closed.as_ref();
    let of_end = |shown: &dyn Fn(&SessionEnd) -> String| end.map(shown).unwrap_or_default();
    [
        of_end(&|end| number_of(code, end)),
        code.to_owned(),
        row.register.to_string(),
        of_end(&|end| show_day(end.day)),
        time(row.opened_ms),
        name(&row.opened_by),
        of_end(&|end| time(end.at_ms)),
        of_end(&|end| name(&end.by)),
        row.currency.to_string(),
        amount(row.float_minor),
        of_end(&|end| amount(end.expected_minor)),
        of_end(&|end| amount(end.counted_minor)),
        of_end(&|end| amount(end.difference_minor())),
        of_end(&|end| end.reason.clone()),
        row.id.to_string(),
    ]
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
}
