//! Nights: branches against checks, what does not agree first, and the records behind each cell beside it.
//!
//! A page shows what the night found and changes none of it; running again, signing and mending are forms of their own.

pub(crate) mod all;
pub(crate) mod branch;
mod check;
pub(crate) mod compare;
pub(crate) mod corrections;
mod details;
mod matrix;
pub(crate) mod report;
mod rules;
pub(crate) mod run;
pub(crate) mod sign;
mod texts;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use domain::id::BranchId;
use domain::permission::Permission;
use domain::reconcile::{Check, CheckState};
use serde::Deserialize;
use web_kit::{ApiPath, ApiQuery, Content, PageRequest, Problem, SafeHtml, fill, html, plural};

use self::check::{CheckView, Shower, Subjects, long_day};
use self::matrix::{Column, Group, Sum};
use self::texts::NightTexts;
use crate::api::caller::{May, may};
use crate::api::{Caller, HubState};
use crate::app::error::AppError;
use crate::app::reconcile::{
    BranchNight, CheckResult, Filter, Night, RunState, Signed, around, get, missing, parse_day,
    show_day, subjects,
};
use crate::web::act::address;
use crate::web::frame::frame;
use crate::web::places::{Choice, Places};
use crate::web::view::View;
use crate::web::{MONEY_SETTLEMENTS, NIGHTS};

/// Records beside the matrix; the branch's page has more.
const BESIDE: usize = 30;

/// Which cell is shown beside the matrix.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct NightQuery {
    #[serde(default)]
    branch: String,
    #[serde(default)]
    check: String,
}

/// A night as one person sees it.
struct Seen<'a> {
    state: &'a HubState,
    who: &'a Caller,
    view: &'a View,
    t: &'static NightTexts,
    places: Places,
    night: Night,
    /// Codes of branches that have no night of this day yet.
    missing: Vec<String>,
    /// The address of the night.
    path: String,
    /// The cell beside the matrix.
    chosen: Option<(BranchId, Check)>,
}

/// The address of a night.
fn path_of(day: i32) -> String {
    format!("{NIGHTS}/{}", show_day(day))
}

/// The business day of an address.
fn day_of(text: &str) -> Result<i32, Problem> {
    let missing = AppError::NotFound { what: "night" };
    Ok(parse_day(text).ok_or(missing)?)
}

/// A form of one button.
struct Button {
    key: String,
    branch: String,
}

#[derive(Template)]
#[template(path = "nights/_head.html")]
struct Head<'a> {
    t: &'a NightTexts,
    day: String,
    back: Option<String>,
    report: Option<String>,
    sign_href: String,
    sign_action: String,
    before: Option<String>,
    after: Option<String>,
    signed: String,
    is_signed: bool,
    /// Leads to the form, where something has to be explained.
    sign_words: String,
    /// The whole night is green: one click.
    sign_now: Option<Button>,
    may_sign: bool,
    run: Option<Button>,
}

struct Pane {
    branch: String,
    href: String,
    title: String,
    check: CheckView,
    statements: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "nights/page.html")]
struct Page<'a> {
    t: &'a NightTexts,
    refresh: String,
    sums: Vec<Sum>,
    running: String,
    columns: Vec<Column>,
    groups: Vec<Group>,
    pane: Option<Pane>,
    is_green: bool,
    signed: String,
}

#[derive(Template)]
#[template(path = "nights/empty.html")]
struct Empty<'a> {
    t: &'a NightTexts,
    run: Option<Button>,
    branches: Vec<Choice>,
    day: String,
}

/// The newest night.
pub(crate) async fn newest(
    State(state): State<HubState>,
    who: May<may::MoneyRead>,
    asked: PageRequest,
    ApiQuery(query): ApiQuery<NightQuery>,
) -> Result<Response, Problem> {
    let (newest, _) = around(state.hub(), &who.person, i32::MAX).await?;
    match newest {
        Some(day) => show(&state, &who, asked, day, &query).await,
        None => empty(&state, &who).await,
    }
}

/// The night of a day.
pub(crate) async fn one(
    State(state): State<HubState>,
    who: May<may::MoneyRead>,
    asked: PageRequest,
    ApiPath(day): ApiPath<String>,
    ApiQuery(query): ApiQuery<NightQuery>,
) -> Result<Response, Problem> {
    show(&state, &who, asked, day_of(&day)?, &query).await
}

async fn empty(state: &HubState, who: &Caller) -> Result<Response, Problem> {
    let view = View::of(state, who).await?;
    let t = NightTexts::of(view.language());
    let places = Places::of(state).await?;
    let may_run = who.person.may(Permission::NightMend);
    let today = view.clock.field(view.clock.now_ms());
    let body = SafeHtml::render(&Empty {
        t,
        run: may_run.then(|| Button {
            key: state.form_key().to_string(),
            branch: String::new(),
        }),
        branches: places.choices("", t.every_branch),
        day: today.split('T').next().unwrap_or_default().to_owned(),
    })?;
    let content = Content::new(t.nights, body);
    frame(state, who, &view, NIGHTS).await?.respond(&content)
}

async fn show(
    state: &HubState,
    who: &Caller,
    asked: PageRequest,
    day: i32,
    query: &NightQuery,
) -> Result<Response, Problem> {
    let view = View::of(state, who).await?;
    let filter = Filter {
        records: true,
        ..Filter::default()
    };
    let mut seen = Seen::of(state, who, &view, day, filter).await?;
    seen.missing = missing(state.hub(), &who.person, day).await?;
    seen.choose(query);
    let head = seen.head(None).await?;
    let body = seen.body(query).await?;
    if asked.is_fragment() {
        return Ok(html(body.then(&head.partial("#night-head", "outerMorph"))));
    }
    let title = fill(seen.t.title, &[("day", &long_day(&view, day))]);
    let mut content = Content::new(title, body).head(head);
    content.fill = true;
    frame(state, who, &view, NIGHTS).await?.respond(&content)
}

impl<'a> Seen<'a> {
    /// Reads a night.
    async fn of(
        state: &'a HubState,
        who: &'a Caller,
        view: &'a View,
        day: i32,
        filter: Filter,
    ) -> Result<Self, Problem> {
        Ok(Self {
            state,
            who,
            view,
            t: NightTexts::of(view.language()),
            places: Places::of(state).await?,
            night: get(state.hub(), &who.person, day, filter).await?,
            missing: Vec::new(),
            path: path_of(day),
            chosen: None,
        })
    }

    /// The branch's line of this name in addresses.
    fn branch(&self, slug: &str) -> Option<&BranchNight> {
        let nights = self.night.branches.iter();
        nights
            .clone()
            .find(|night| matrix::slug(night) == slug)
            .or_else(|| {
                nights
                    .clone()
                    .find(|night| night.branch.to_string() == slug)
            })
    }

    fn choose(&mut self, query: &NightQuery) {
        let asked = self.branch(&query.branch).and_then(|night| {
            let check = query.check.parse::<Check>().ok()?;
            let there = night.checks.iter().any(|result| result.check == check);
            there.then_some((night.branch, check))
        });
        self.chosen = asked.or_else(|| self.urgent());
    }

    fn result(&self) -> Option<(&BranchNight, &CheckResult)> {
        let (branch, check) = self.chosen?;
        let nights = &self.night.branches;
        let night = nights.iter().find(|night| night.branch == branch)?;
        let result = night.checks.iter().find(|result| result.check == check)?;
        Some((night, result))
    }

    /// How many checks are not green, over these branches.
    fn open_points(nights: &[BranchNight]) -> u64 {
        let of = |night: &BranchNight| {
            let checks = night.checks.iter();
            let open = checks.filter(|result| result.state != CheckState::Green);
            match night.run {
                RunState::Done => open.count() as u64,
                _ => 1,
            }
        };
        nights.iter().map(of).sum()
    }

    /// Who signed, in a line.
    fn signed_words(&self, signed: Option<&Signed>) -> String {
        signed.map_or_else(
            || self.t.not_signed.to_owned(),
            |signed| {
                let when = self.view.clock.when(signed.at_ms);
                fill(self.t.signed_by, &[("name", &signed.name), ("when", &when)])
            },
        )
    }

    fn button(&self, branch: &str) -> Button {
        Button {
            key: self.state.form_key().to_string(),
            branch: branch.to_owned(),
        }
    }

    /// A form that runs the night again, where the person may.
    fn run_button(&self, night: Option<&BranchNight>) -> Option<Button> {
        let person = &self.who.person;
        let is_there = match night {
            Some(night) => !night.branch.is_nil() && person.require_branch(night.branch).is_ok(),
            None => person.require_chain().is_ok(),
        };
        let may = is_there && person.may(Permission::NightMend);
        may.then(|| self.button(night.map_or("", |night| &night.code)))
    }

    /// What stands beside the title, of the whole night or of one branch.
    async fn head(&self, only: Option<&BranchNight>) -> Result<SafeHtml, Problem> {
        let t = self.t;
        let (before, after) = around(self.state.hub(), &self.who.person, self.night.day).await?;
        let suffix = only.map_or_else(String::new, |night| format!("/{}", matrix::slug(night)));
        let leads = |day: Option<i32>| day.map(|day| format!("{}{suffix}", path_of(day)));
        let (state, signed) = match only {
            Some(night) => (night.state, night.signed.as_ref()),
            None => (self.night.state, self.night.signed.as_ref()),
        };
        let nights = only.map_or(self.night.branches.as_slice(), std::slice::from_ref);
        let may_sign = self.may_sign(only) && only.is_none_or(|night| !night.branch.is_nil());
        let branch = only.map_or("", |night| night.code.as_str());
        let is_green = state == CheckState::Green && self.missing.is_empty();
        SafeHtml::render(&Head {
            t,
            day: show_day(self.night.day),
            back: only.map(|_| self.path.clone()),
            report: only.is_none().then(|| format!("{}/report", self.path)),
            sign_href: address(&format!("{}/sign", self.path), &[("branch", branch)]),
            sign_action: format!("{}/sign", self.path),
            before: leads(before),
            after: leads(after),
            signed: self.signed_words(signed),
            is_signed: signed.is_some(),
            sign_words: if is_green {
                t.sign.to_owned()
            } else {
                let open = Self::open_points(nights) + self.missing.len() as u64;
                plural(open, t.sign_open_one, t.sign_open)
            },
            sign_now: (is_green && signed.is_none() && may_sign).then(|| self.button(branch)),
            may_sign,
            run: self.run_button(only),
        })
    }

    async fn body(&self, query: &NightQuery) -> Result<SafeHtml, Problem> {
        let running: Vec<String> = self
            .night
            .branches
            .iter()
            .filter(|night| night.run == RunState::Running)
            .map(|night| self.name(night))
            .collect();
        let known = match self.result() {
            Some((_, result)) => {
                let records: Vec<_> = result.records.iter().take(BESIDE).collect();
                subjects(self.state.hub(), &records).await?
            }
            None => Subjects::new(),
        };
        let refresh = address(
            &self.path,
            &[("branch", &query.branch), ("check", &query.check)],
        );
        SafeHtml::render(&Page {
            t: self.t,
            refresh,
            sums: self.sums(),
            running: if running.is_empty() {
                String::new()
            } else {
                fill(self.t.running, &[("branches", &running.join(", "))])
            },
            columns: self.columns(),
            groups: self.groups(),
            pane: self.pane(&known),
            is_green: self.night.state == CheckState::Green,
            signed: self.signed_words(self.night.signed.as_ref()),
        })
    }

    fn pane(&self, known: &Subjects) -> Option<Pane> {
        let (night, result) = self.result()?;
        let check = self.shower(known, BESIDE).show(night, result);
        let name = self.name(night);
        Some(Pane {
            title: fill(
                self.t.check_of,
                &[("check", &check.name), ("branch", &name)],
            ),
            branch: name,
            href: format!("{}/{}", self.path, matrix::slug(night)),
            check,
            statements: statements(result),
        })
    }

    /// What shows checks of this night.
    fn shower<'b>(&'b self, subjects: &'b Subjects, most: usize) -> Shower<'b> {
        Shower {
            who: self.who,
            view: self.view,
            t: self.t,
            day: self.night.day,
            subjects,
            most,
        }
    }
}

/// Where lines of statements are matched by hand, for a check that has some of nobody.
fn statements(result: &CheckResult) -> Option<&'static str> {
    let is_red = result.check == Check::Payments && result.state == CheckState::Red;
    is_red.then_some(MONEY_SETTLEMENTS)
}
