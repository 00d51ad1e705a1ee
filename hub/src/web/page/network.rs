//! The network now: map and list of branches, the worst first, and the day against a week ago.
//!
//! The list says in words everything that the map shows, and it is there without a script.

pub(crate) mod words;

use std::fmt::Write as _;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use domain::permission::Permission;
use jiff::civil::DateTime;
use jiff::{ToSpan, Unit};
use web_kit::{Content, PageRequest, Problem, SafeHtml, assets, fill, html, plural};

use crate::api::caller::{May, may};
use crate::api::{Caller, HubState};
use crate::app::network::{self, BranchNow, Course, Day, Days, Health};
use crate::web::frame::frame;
use crate::web::view::View;
use crate::web::{BRANCHES, EXCEPTIONS, HOME, ORDERS};

/// Branches in the list; the rest is on the page of all branches.
const MOST: usize = 60;
const COLLECTED: &str = "/orders?status=collected";

web_kit::catalogue! {
    /// The words of this page.
    struct NetworkTexts {
        title: "Network now" | "Das Netz jetzt",
        against: "{day}, against a week ago" | "{day}, gegen die Vorwoche",
        branches: "All branches" | "Alle Filialen",
        new_branch: "New branch" | "Neue Filiale",
        map: "Map of the branches" | "Karte der Filialen",
        map_words: "Map of {n} branches: {said}. Arrows move it, plus and minus zoom. The list beside it says the same in words."
            | "Karte mit {n} Filialen: {said}. Pfeile verschieben, Plus und Minus zoomen. Die Liste daneben sagt dasselbe in Worten.",
        nowhere: "{n} without a place on the map" | "{n} ohne Ort auf der Karte",
        closer: "Closer" | "Näher",
        farther: "Farther" | "Weiter weg",
        whole: "The whole chain" | "Die ganze Kette",
        worst: "Worst first" | "Das Schlimmste zuerst",
        some_of: "{some} of {n}" | "{some} von {n}",
        open: "Open" | "Öffnen",
        all_well: "Every branch is well" | "Alle Filialen sind in Ordnung",
        all_well_why: "Lines are open, nothing waits for a person." | "Alle Leitungen stehen, nichts wartet auf jemanden.",
        one_well: "1 branch is well" | "1 Filiale ist in Ordnung",
        n_well: "{n} branches are well" | "{n} Filialen sind in Ordnung",
        more: "{n} more that are not well" | "{n} weitere, die nicht in Ordnung sind",
        none: "There is no branch yet" | "Noch gibt es keine Filiale",
        none_why: "Make the first one; its join code turns a computer into its edge node." | "Legen Sie die erste an; ihr Beitrittscode macht einen Rechner zu ihrem Knoten.",
        taken: "Orders taken" | "Angenommene Aufträge",
        collected: "Collected" | "Abgeholt",
        open_now: "Open orders" | "Offene Aufträge",
        ready: "{n} ready" | "{n} bereit",
        late: "Past their promise" | "Über den Termin",
        share: "{n} % of the open" | "{n} % der offenen",
        waits: "Waits for a person" | "Wartet auf jemanden",
        oldest: "oldest {age}" | "ältestes {age}",
        nothing: "nothing" | "nichts",
        then: "{n} a week ago" | "{n} vor einer Woche",
    }
}

#[derive(Template)]
#[template(path = "network/page.html")]
struct PageTemplate<'a> {
    t: &'a NetworkTexts,
    day: SafeHtml,
    legend: SafeHtml,
    list: SafeHtml,
    map_words: String,
    land: String,
}

#[derive(Template)]
#[template(path = "network/_day.html")]
struct DayTemplate {
    figures: [Figure; 5],
}

struct Figure {
    name: &'static str,
    number: String,
    href: Option<&'static str>,
    beside: String,
    tone: &'static str,
    now: String,
    then: String,
}

#[derive(Template)]
#[template(path = "network/_legend.html")]
struct LegendTemplate {
    marks: Vec<Mark>,
    nowhere: String,
}

struct Mark {
    state: &'static str,
    icon: &'static str,
    tone: &'static str,
    words: String,
}

#[derive(Template)]
#[template(path = "network/_list.html")]
struct ListTemplate<'a> {
    t: &'a NetworkTexts,
    first: Option<Row>,
    rows: Vec<Row>,
    some_of: String,
    well: String,
    more: String,
    is_empty: bool,
    may_write: bool,
}

struct Row {
    code: String,
    href: String,
    name: String,
    icon: &'static str,
    tone: &'static str,
    age: String,
    said: String,
    label: String,
}

#[derive(Template)]
#[template(path = "network/_head.html")]
struct HeadTemplate<'a> {
    t: &'a NetworkTexts,
    against: String,
    may_write: bool,
}

/// The page, or what changes on it when a script asks again.
pub(crate) async fn page(
    State(state): State<HubState>,
    who: May<may::BasicsRead>,
    request: PageRequest,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let t = NetworkTexts::of(view.language());
    let scope = who.person.scope();
    let branches = network::all(state.hub(), &scope).await?;
    let day = network::day(state.hub(), &scope, days(&view)).await?;
    let (day, legend) = (
        figures(t, &view, &who, &day, &branches)?,
        legend(t, &view, &branches)?,
    );
    let list = list(t, &view, &who, &branches)?;
    if request.is_fragment() {
        let parts = list
            .then(&day.partial("#day", "outerMorph"))
            .then(&legend.partial("#legend", "outerMorph"));
        return Ok(html(parts));
    }
    let may_write = who.person.may(Permission::BranchesWrite) && who.person.require_chain().is_ok();
    let head = SafeHtml::render(&HeadTemplate {
        t,
        against: fill(t.against, &[("day", &view.clock.day(view.clock.now_ms()))]),
        may_write,
    })?;
    let said: Vec<String> = marks(&view, &branches)
        .into_iter()
        .map(|mark| mark.words)
        .collect();
    let said = said.join(", ");
    let body = SafeHtml::render(&PageTemplate {
        t,
        day,
        legend,
        list,
        map_words: fill(
            t.map_words,
            &[("n", &view.count(branches.len() as u64)), ("said", &said)],
        ),
        land: assets::url("map/land.json"),
    })?;
    let content = Content {
        fill: true,
        modules: &["js/map.js"],
        ..Content::new(t.title, body).head(head)
    };
    frame(&state, &who, &view, HOME).await?.respond(&content)
}

/// When today began where most branches are.
pub(crate) fn midnight(view: &View) -> i64 {
    days(view).today_ms
}

/// Midnight today and a week ago where most branches are.
fn days(view: &View) -> Days {
    let now_ms = view.clock.now_ms();
    let today: Option<DateTime> = view.clock.field(now_ms).parse().ok();
    let midnight = |date: Option<DateTime>| {
        let date = date?.round(Unit::Minute).ok()?.date();
        view.clock.read(&format!("{date}T00:00"))
    };
    let week_ago = today.and_then(|date| date.checked_sub(7.days()).ok());
    Days {
        today_ms: midnight(today).unwrap_or(now_ms),
        then_ms: midnight(week_ago).unwrap_or(now_ms),
        now_ms,
    }
}

fn marks(view: &View, branches: &[BranchNow]) -> Vec<Mark> {
    let count = |health: Health| {
        branches
            .iter()
            .filter(|branch| branch.health == health)
            .count() as u64
    };
    let order = [
        Health::Well,
        Health::CutOff,
        Health::CatchingUp,
        Health::Decide,
        Health::NoMachine,
        Health::Closed,
    ];
    order
        .into_iter()
        .map(|health| (health, count(health)))
        .filter(|(health, count)| *count > 0 || *health == Health::Well)
        .map(|(health, count)| {
            let (icon, tone) = words::glyph(health);
            Mark {
                state: health.as_str(),
                icon,
                tone,
                words: words::counted(health, count, view),
            }
        })
        .collect()
}

fn legend(t: &NetworkTexts, view: &View, branches: &[BranchNow]) -> Result<SafeHtml, Problem> {
    let nowhere = branches
        .iter()
        .filter(|branch| branch.place.location.is_none())
        .count() as u64;
    SafeHtml::render(&LegendTemplate {
        marks: marks(view, branches),
        nowhere: if nowhere == 0 {
            String::new()
        } else {
            fill(t.nowhere, &[("n", &view.count(nowhere))])
        },
    })
}

fn list(
    t: &'static NetworkTexts,
    view: &View,
    who: &Caller,
    branches: &[BranchNow],
) -> Result<SafeHtml, Problem> {
    let (sick, well): (Vec<&BranchNow>, Vec<&BranchNow>) = branches
        .iter()
        .partition(|branch| branch.health < Health::Well);
    let mut rows = sick.iter().take(MOST).map(|branch| row(branch, view));
    let (some, n) = (
        view.count(sick.len() as u64),
        view.count(branches.len() as u64),
    );
    let rest = sick.len().saturating_sub(MOST) as u64;
    let list = ListTemplate {
        t,
        first: rows.next(),
        rows: rows.collect(),
        some_of: fill(t.some_of, &[("some", &some), ("n", &n)]),
        well: plural(
            well.len() as u64,
            t.one_well,
            &fill(t.n_well, &[("n", &view.count(well.len() as u64))]),
        ),
        more: if rest == 0 {
            String::new()
        } else {
            fill(t.more, &[("n", &view.count(rest))])
        },
        is_empty: branches.is_empty(),
        may_write: who.person.may(Permission::BranchesWrite),
    };
    SafeHtml::render(&list)
}

fn row(branch: &BranchNow, view: &View) -> Row {
    let (icon, tone) = words::glyph(branch.health);
    Row {
        code: branch.place.code.clone(),
        href: format!("{BRANCHES}/{}", branch.place.code),
        name: branch.place.name.clone(),
        icon,
        tone,
        age: view.age(branch.since_ms),
        said: words::sentence(branch, view),
        label: words::label(branch, view),
    }
}

fn figures(
    t: &NetworkTexts,
    view: &View,
    who: &Caller,
    day: &Day,
    branches: &[BranchNow],
) -> Result<SafeHtml, Problem> {
    let sum = |counts: &mut dyn Iterator<Item = u64>| counts.sum::<u64>();
    let open = sum(&mut day.open.iter().map(|open| open.count));
    let ready = sum(&mut day
        .open
        .iter()
        .filter(|open| open.status == "ready")
        .map(|open| open.count));
    // What is ready waits for the person, not for the shop.
    let late = sum(&mut day
        .open
        .iter()
        .filter(|open| open.status != "ready")
        .map(|open| open.late));
    let alerts = sum(&mut branches.iter().map(BranchNow::alerts));
    let oldest_ms = branches
        .iter()
        .filter(|branch| branch.health == Health::Decide)
        .filter_map(|branch| branch.since_ms)
        .min();
    let plain = |name, count: u64, beside| Figure {
        name,
        number: view.count(count),
        href: None,
        beside,
        tone: "",
        now: String::new(),
        then: String::new(),
    };
    let oldest = match (alerts, oldest_ms) {
        (0, _) => t.nothing.to_owned(),
        (_, Some(at_ms)) => fill(t.oldest, &[("age", &view.clock.age(at_ms))]),
        (_, None) => String::new(),
    };
    let mut waits = plain(t.waits, alerts, oldest);
    waits.href = who
        .person
        .may(Permission::ExceptionsRead)
        .then_some(EXCEPTIONS);
    waits.tone = if alerts > 0 { "decide" } else { "" };
    let share = (late * 100).checked_div(open).unwrap_or(0);
    let mut past = plain(t.late, late, fill(t.share, &[("n", &share)]));
    past.tone = if late > 0 { "late" } else { "" };
    let ready = fill(t.ready, &[("n", &view.count(ready))]);
    let mut figures = [
        course(t.taken, t, view, &day.taken),
        course(t.collected, t, view, &day.collected),
        plain(t.open_now, open, ready),
        past,
        waits,
    ];
    if who.person.may(Permission::OrdersRead) {
        figures[0].href = Some(ORDERS);
        figures[1].href = Some(COLLECTED);
        figures[2].href = Some(ORDERS);
    }
    SafeHtml::render(&DayTemplate { figures })
}

fn course(name: &'static str, t: &NetworkTexts, view: &View, course: &Course) -> Figure {
    let total = course.total();
    let (now, then) = lines(course);
    Figure {
        name,
        number: view.count(total),
        href: None,
        beside: change(t, view, total, course.then_by_now),
        tone: "",
        now,
        then,
    }
}

/// Against a week ago: in percent where that means something.
fn change(t: &NetworkTexts, view: &View, now: u64, then: u64) -> String {
    if then < 10 {
        return fill(t.then, &[("n", &view.count(then))]);
    }
    let (now, then) = (
        i64::try_from(now).unwrap_or(0),
        i64::try_from(then).unwrap_or(1),
    );
    match ((now - then) * 100 + (now - then).signum() * then / 2) / then {
        0 => "± 0 %".to_owned(),
        percent if percent > 0 => format!("+{percent} %"),
        percent => format!("−{} %", percent.abs()),
    }
}

/// Both courses as paths in a box of 200 × 26, over the hours in which a shop is open.
fn lines(course: &Course) -> (String, String) {
    let used = |counts: &[u64]| {
        let first = counts.iter().position(|count| *count > 0);
        let last = counts.iter().rposition(|count| *count > 0);
        (first.unwrap_or(8), last.unwrap_or(18))
    };
    let (now, then) = (used(&course.now), used(&course.then));
    let (first, last) = (now.0.min(then.0).min(8), now.1.max(then.1).max(18));
    let most = course
        .now
        .iter()
        .chain(&course.then)
        .max()
        .copied()
        .unwrap_or(0)
        .max(1);
    let path = |counts: &[u64]| {
        let mut path = String::new();
        for (hour, count) in counts.iter().enumerate().take(last + 1).skip(first) {
            let x = (hour - first) * 200 / (last - first).max(1);
            let y = 24 - count * 22 / most;
            let letter = if path.is_empty() { 'M' } else { 'L' };
            if write!(path, "{letter}{x} {y}").is_err() {
                unreachable!("a text can always be written to");
            }
        }
        path
    };
    (path(&course.now), path(&course.then))
}

#[cfg(test)]
mod tests {
    use web_kit::{Language, Screen, WallClock};

    use super::*;

    fn view() -> View {
        View {
            clock: WallClock::new("Europe/Berlin", 1_795_172_400_000, Language::English),
            screen: Screen::default(),
        }
    }

    #[test]
    fn both_languages_say_the_same_things() {
        assert_eq!(
            web_kit::language::flaws(NetworkTexts::ALL),
            Vec::<String>::new()
        );
    }

    #[test]
    fn days_begin_at_midnight_of_the_place() {
        let days = days(&view());
        assert_eq!(days.now_ms - days.today_ms, 12 * 3_600_000);
        assert_eq!(days.today_ms - days.then_ms, 7 * 86_400_000);
    }

    #[test]
    fn a_change_is_in_percent_where_that_means_something() {
        let t = NetworkTexts::of(Language::English);
        assert_eq!(change(t, &view(), 106, 100), "+6 %");
        assert_eq!(change(t, &view(), 90, 100), "−10 %");
        assert_eq!(change(t, &view(), 3, 2), "2 a week ago");
    }

    #[test]
    fn a_course_stays_in_its_box() {
        let course = Course {
            now: vec![0, 0, 0, 0, 0, 0, 0, 0, 3, 9],
            then: vec![1; 24],
            then_by_now: 9,
        };
        let (now, then) = lines(&course);
        assert!(now.starts_with("M0 24L8 24"), "{now}");
        assert!(now.ends_with("L69 17L78 2"), "{now}");
        assert!(then.ends_with("L200 22"), "{then}");
    }
}
