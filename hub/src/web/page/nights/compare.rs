//! Two nights beside each other: what became worse, what became better, and the figures of both.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use domain::reconcile::{Check, CheckState, Figure};
use serde::Deserialize;
use web_kit::{ApiQuery, Content, Problem, SafeHtml};

use super::check::{money, short_day};
use super::matrix::slug;
use super::path_of;
use super::texts::{NightTexts, check_name, figure_name, look, state_words};
use crate::api::HubState;
use crate::api::caller::{May, may};
use crate::app::reconcile::{
    BranchNight, CheckResult, Filter, Night, RunState, get, list, parse_day, show_day,
};
use crate::web::NIGHTS;
use crate::web::act::address;
use crate::web::frame::frame;
use crate::web::places::{Choice, Places};
use crate::web::view::View;

/// Nights to choose from.
const CHOICES: i64 = 120;

/// Which two.
#[derive(Debug, Default, Deserialize)]
pub struct CompareQuery {
    #[serde(default)]
    a: String,
    #[serde(default)]
    b: String,
}

struct Side {
    icon: &'static str,
    tone: &'static str,
    state: &'static str,
    href: String,
}

struct Moved {
    name: String,
    a: String,
    b: String,
}

struct Row {
    branch: String,
    check: &'static str,
    sides: [Side; 2],
    figures: Vec<Moved>,
}

struct Group {
    words: &'static str,
    rows: Vec<Row>,
}

#[derive(Template)]
#[template(path = "nights/compare.html")]
struct Page<'a> {
    t: &'a NightTexts,
    first: Vec<Choice>,
    second: Vec<Choice>,
    first_day: String,
    second_day: String,
    groups: Vec<Group>,
    is_empty: bool,
}

/// The page.
pub(crate) async fn page(
    State(state): State<HubState>,
    who: May<may::MoneyRead>,
    ApiQuery(query): ApiQuery<CompareQuery>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let t = NightTexts::of(view.language());
    let nights = list(state.hub(), &who.person, None, CHOICES).await?;
    let nth = |index: usize| nights.get(index).map(|night| night.day);
    let b = parse_day(&query.b).or_else(|| nth(0));
    let a = parse_day(&query.a).or_else(|| nth(1)).or(b);
    let choices = |chosen: Option<i32>| {
        let chosen = chosen.map(show_day).unwrap_or_default();
        let all = nights.iter().map(|night| {
            let day = show_day(night.day);
            Choice::new(day, short_day(&view, night.day), &chosen)
        });
        all.collect::<Vec<Choice>>()
    };
    let (first, second) = (choices(a), choices(b));
    let groups = match (a, b) {
        (Some(a), Some(b)) => {
            let filter = Filter::default();
            let first = get(state.hub(), &who.person, a, filter).await?;
            let second = get(state.hub(), &who.person, b, filter).await?;
            let places = Places::of(&state).await?;
            let pair = Pair {
                t,
                view: &view,
                places: &places,
                first: &first,
                second: &second,
            };
            pair.groups()
        }
        _ => Vec::new(),
    };
    let name = |day: Option<i32>| day.map(|day| short_day(&view, day)).unwrap_or_default();
    let body = SafeHtml::render(&Page {
        t,
        first,
        second,
        first_day: name(a),
        second_day: name(b),
        is_empty: groups.is_empty(),
        groups,
    })?;
    let content = Content::new(t.compare_title, body);
    frame(&state, &who, &view, NIGHTS).await?.respond(&content)
}

/// Two nights, held against each other.
struct Pair<'a> {
    t: &'static NightTexts,
    view: &'a View,
    places: &'a Places,
    first: &'a Night,
    second: &'a Night,
}

type Results<'a> = BTreeMap<(String, Check), &'a CheckResult>;

fn results(night: &Night) -> Results<'_> {
    let of = |branch: &'_ BranchNight| slug(branch).to_owned();
    let branches = night.branches.iter();
    branches
        .flat_map(|branch| {
            let checks = branch.checks.iter();
            checks.map(move |result| ((of(branch), result.check), result))
        })
        .collect()
}

fn state_of(night: &Night, name: &str) -> Option<CheckState> {
    let mut lines = night.branches.iter();
    lines.find(|line| slug(line) == name).map(|line| line.state)
}

impl Pair<'_> {
    fn groups(&self) -> Vec<Group> {
        let (first, second) = (results(self.first), results(self.second));
        let keys: BTreeSet<&(String, Check)> = first.keys().chain(second.keys()).collect();
        let mut groups =
            [self.t.worse, self.t.better, self.t.same_bad, self.t.moved].map(|words| Group {
                words,
                rows: Vec::new(),
            });
        for key in keys {
            let (a, b) = (first.get(key).copied(), second.get(key).copied());
            // A branch without its word says the same of every check: once is enough.
            let has_word = self.has_word(&key.0);
            if !has_word && key.1 != Check::Log {
                continue;
            }
            let row = self.row(key, a, b, has_word);
            let states = if has_word {
                (a.map(|a| a.state), b.map(|b| b.state))
            } else {
                (state_of(self.first, &key.0), state_of(self.second, &key.0))
            };
            let group = match states {
                (Some(a), Some(b)) if b > a => 0,
                (Some(a), Some(b)) if b < a => 1,
                (None, Some(b)) if b != CheckState::Green => 0,
                (Some(a), None) if a != CheckState::Green => 1,
                (Some(a), Some(_)) if a != CheckState::Green => 2,
                _ if row.figures.is_empty() => continue,
                _ => 3,
            };
            groups[group].rows.push(row);
        }
        let groups = groups.into_iter();
        groups.filter(|group| !group.rows.is_empty()).collect()
    }

    fn row(
        &self,
        (slug, check): &(String, Check),
        a: Option<&CheckResult>,
        b: Option<&CheckResult>,
        has_word: bool,
    ) -> Row {
        let branch = super::all::line_name(self.t, self.places, slug);
        if !has_word {
            return Row {
                branch,
                check: self.t.all_checks,
                sides: [self.whole(self.first, slug), self.whole(self.second, slug)],
                figures: Vec::new(),
            };
        }
        Row {
            branch,
            check: check_name(self.view.language(), *check),
            sides: [
                self.side(self.first.day, slug, a),
                self.side(self.second.day, slug, b),
            ],
            figures: self.moved(a, b),
        }
    }

    /// Whether the branch's word is there in both nights, or its line is in one of them only.
    fn has_word(&self, name: &str) -> bool {
        let of = |night: &Night| {
            let mut lines = night.branches.iter();
            lines
                .find(|line| slug(line) == name)
                .is_none_or(|line| line.run != RunState::Unreconciled)
        };
        of(self.first) && of(self.second)
    }

    /// A branch's night as a whole.
    fn whole(&self, night: &Night, name: &str) -> Side {
        let mut lines = night.branches.iter();
        let Some(line) = lines.find(|line| slug(line) == name) else {
            return self.side(night.day, name, None);
        };
        let (icon, tone) = look(line.state);
        Side {
            icon,
            tone,
            state: state_words(self.view.language(), line.state),
            href: format!("{}/{name}", path_of(night.day)),
        }
    }

    fn side(&self, day: i32, slug: &str, result: Option<&CheckResult>) -> Side {
        let Some(result) = result else {
            return Side {
                icon: "minus",
                tone: "",
                state: self.t.not_there,
                href: String::new(),
            };
        };
        let (icon, tone) = look(result.state);
        Side {
            icon,
            tone,
            state: state_words(self.view.language(), result.state),
            href: address(
                &path_of(day),
                &[("branch", slug), ("check", result.check.as_str())],
            ),
        }
    }

    /// Figures that differ.
    fn moved(&self, a: Option<&CheckResult>, b: Option<&CheckResult>) -> Vec<Moved> {
        let (Some(a), Some(b)) = (a, b) else {
            return Vec::new();
        };
        let keys: BTreeSet<&String> = a.figures.keys().chain(b.figures.keys()).collect();
        let differ = keys
            .into_iter()
            .filter(|key| a.figures.get(*key) != b.figures.get(*key));
        let name = |key: &String| figure_name(self.view.language(), key);
        differ
            .map(|key| Moved {
                name: name(key),
                a: self.figure(a.figures.get(key)),
                b: self.figure(b.figures.get(key)),
            })
            .collect()
    }

    fn figure(&self, figure: Option<&Figure>) -> String {
        match figure {
            None => "–".to_owned(),
            Some(Figure::Count(count)) => self.view.clock.number(*count),
            Some(Figure::Money {
                amount_minor,
                currency,
            }) => money(self.view, *amount_minor, *currency),
        }
    }
}
