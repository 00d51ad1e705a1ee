//! All nights, the newest first: what each came to, how many are done, who signed.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use domain::permission::Permission;
use domain::reconcile::CheckState;
use serde::Deserialize;
use web_kit::{ApiQuery, Content, PageRequest, Problem, SafeHtml, fill, html};

use super::check::long_day;
use super::matrix::CHAIN;
use super::texts::{NightTexts, look, state_words};
use super::{Button, path_of};
use crate::api::HubState;
use crate::api::caller::{May, may};
use crate::app::reconcile::{NightSummary, list, parse_day, show_day};
use crate::web::act::address;
use crate::web::frame::frame;
use crate::web::list::Pager;
use crate::web::places::{Choice, Places};
use crate::web::view::View;
use crate::web::{NIGHTS, NIGHTS_ALL, NIGHTS_COMPARE};

/// Nights on one page.
const MOST: usize = 60;

/// Which page.
#[derive(Debug, Default, Deserialize)]
pub struct AllQuery {
    #[serde(default)]
    before: String,
}

struct Row {
    id: String,
    href: String,
    day: String,
    icon: &'static str,
    tone: &'static str,
    state: &'static str,
    marks: Vec<(&'static str, &'static str, String)>,
    done: String,
    signed: String,
    when: String,
    compare: Option<String>,
}

#[derive(Template)]
#[template(path = "nights/all.html")]
struct Page<'a> {
    t: &'a NightTexts,
    rows: Vec<Row>,
    refresh: String,
    pager: Pager,
}

#[derive(Template)]
#[template(path = "nights/_all_head.html")]
struct Head<'a> {
    t: &'a NightTexts,
    run: Option<Button>,
    branches: Vec<Choice>,
    day: String,
}

/// The list, or it alone when a script asks again.
pub(crate) async fn page(
    State(state): State<HubState>,
    who: May<may::MoneyRead>,
    asked: PageRequest,
    ApiQuery(query): ApiQuery<AllQuery>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let t = NightTexts::of(view.language());
    let before = parse_day(&query.before);
    let limit = i64::try_from(MOST + 1).unwrap_or(i64::MAX);
    let nights = list(state.hub(), &who.person, before, limit).await?;
    let older = nights.get(MOST - 1).filter(|_| nights.len() > MOST);
    let pager = Pager {
        first: before.map(|_| NIGHTS_ALL.to_owned()),
        next: older.map(|last| address(NIGHTS_ALL, &[("before", &show_day(last.day))])),
        first_words: t.newest,
        next_words: t.older,
    };
    let rows = nights.iter().take(MOST).enumerate().map(|(index, night)| {
        let former = nights.get(index + 1);
        row(t, &view, night, former)
    });
    let body = SafeHtml::render(&Page {
        t,
        rows: rows.collect(),
        refresh: address(NIGHTS_ALL, &[("before", &query.before)]),
        pager,
    })?;
    if asked.is_fragment() {
        return Ok(html(body));
    }
    let may_run = who.person.may(Permission::NightMend) && who.person.require_chain().is_ok();
    let today = view.clock.field(view.clock.now_ms());
    let head = SafeHtml::render(&Head {
        t,
        run: may_run.then(|| Button {
            key: state.form_key().to_string(),
            branch: String::new(),
        }),
        branches: Places::of(&state).await?.choices("", t.every_branch),
        day: today.split('T').next().unwrap_or_default().to_owned(),
    })?;
    let content = Content::new(t.all_nights, body).head(head);
    frame(&state, &who, &view, NIGHTS).await?.respond(&content)
}

fn row(
    t: &'static NightTexts,
    view: &View,
    night: &NightSummary,
    former: Option<&NightSummary>,
) -> Row {
    let (icon, tone) = look(night.state);
    let language = view.language();
    let marks = [
        CheckState::Red,
        CheckState::Unreconciled,
        CheckState::Amber,
        CheckState::Green,
    ];
    let marks = marks.into_iter().filter_map(|state| {
        let count = night.counts.get(&state).filter(|count| **count > 0)?;
        let (icon, tone) = look(state);
        let (state, n) = (state_words(language, state), view.count(*count));
        let words = fill(t.n_state, &[("state", &state), ("n", &n)]);
        Some((icon, tone, words))
    });
    let (done, n) = (view.count(night.done), view.count(night.branches));
    Row {
        id: show_day(night.day),
        href: path_of(night.day),
        day: long_day(view, night.day),
        icon,
        tone,
        state: state_words(language, night.state),
        marks: marks.collect(),
        done: fill(t.done_of, &[("some", &done), ("n", &n)]),
        signed: night
            .signed
            .as_ref()
            .map(|signed| signed.name.clone())
            .unwrap_or_default(),
        when: view.when(night.signed.as_ref().map(|signed| signed.at_ms)),
        compare: former.map(|former| {
            let (a, b) = (show_day(former.day), show_day(night.day));
            address(NIGHTS_COMPARE, &[("a", &a), ("b", &b)])
        }),
    }
}

/// The name of a branch's line, where only its code is known.
pub(super) fn line_name(t: &NightTexts, places: &Places, slug: &str) -> String {
    if slug == CHAIN {
        t.of_none.to_owned()
    } else {
        places.name(slug).to_owned()
    }
}
