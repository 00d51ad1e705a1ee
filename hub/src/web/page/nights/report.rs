//! A night on paper, and as a table for other programs: each check with its figures and the records behind it.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use domain::reconcile::{CheckState, Figure};
use web_kit::{ApiPath, Content, Problem, SafeHtml, fill};

use super::check::{CheckView, amount_of, long_day};
use super::matrix::{Sum, slug};
use super::texts::{NightTexts, look, state_words};
use super::{Seen, day_of};
use crate::api::HubState;
use crate::api::caller::{May, may};
use crate::app::reconcile::{
    BranchNight, CheckResult, Filter, RecordView, missing, show_day, subjects,
};
use crate::web::NIGHTS;
use crate::web::frame::frame;
use crate::web::table::{decimal, download};
use crate::web::view::View;

/// The head of the table.
const COLUMNS: [&str; 12] = [
    "business_date",
    "branch",
    "check",
    "state",
    "figures",
    "found",
    "record_state",
    "record_kind",
    "record",
    "detail",
    "amount",
    "currency",
];

struct Branch {
    name: String,
    state: &'static str,
    icon: &'static str,
    tone: &'static str,
    sentence: String,
    signed: String,
    checks: Vec<CheckView>,
}

#[derive(Template)]
#[template(path = "nights/report.html")]
struct Page<'a> {
    t: &'a NightTexts,
    title: String,
    sums: Vec<Sum>,
    signed: String,
    reason: String,
    bad: Vec<Branch>,
    good: Vec<Branch>,
    not_yet: String,
    missing: Vec<String>,
    printed: String,
}

#[derive(Template)]
#[template(path = "nights/_report_head.html")]
struct Head<'a> {
    t: &'a NightTexts,
    path: &'a str,
}

fn filter() -> Filter {
    Filter {
        records: true,
        ..Filter::default()
    }
}

/// The page that is printed.
pub(crate) async fn page(
    State(state): State<HubState>,
    who: May<may::MoneyRead>,
    ApiPath(day): ApiPath<String>,
) -> Result<Response, Problem> {
    let day = day_of(&day)?;
    let view = View::of(&state, &who).await?;
    let mut seen = Seen::of(&state, &who, &view, day, filter()).await?;
    seen.missing = missing(state.hub(), &who.person, day).await?;
    let records: Vec<&RecordView> = seen
        .night
        .branches
        .iter()
        .flat_map(|night| &night.checks)
        .flat_map(|check| &check.records)
        .collect();
    let known = subjects(state.hub(), &records).await?;
    let shower = seen.shower(&known, usize::MAX);
    let branch = |night: &BranchNight| {
        let (icon, tone) = look(night.state);
        let open = night
            .checks
            .iter()
            .filter(|result| result.state != CheckState::Green && !result.records.is_empty());
        Branch {
            name: seen.name(night),
            state: state_words(view.language(), night.state),
            icon,
            tone,
            sentence: seen.sentence(night),
            signed: night
                .signed
                .as_ref()
                .map(|signed| signed.name.clone())
                .unwrap_or_default(),
            checks: open.map(|result| shower.show(night, result)).collect(),
        }
    };
    let (bad, good): (Vec<_>, Vec<_>) = seen
        .night
        .branches
        .iter()
        .partition(|night| night.state != CheckState::Green);
    let title = fill(seen.t.title, &[("day", &long_day(&view, day))]);
    let signed = seen.night.signed.as_ref();
    let names = seen
        .missing
        .iter()
        .map(|code| seen.places.name(code).to_owned());
    let body = SafeHtml::render(&Page {
        t: seen.t,
        title: title.clone(),
        sums: seen.sums(),
        signed: seen.signed_words(signed),
        reason: signed
            .map(|signed| signed.reason.clone())
            .unwrap_or_default(),
        bad: bad.into_iter().map(branch).collect(),
        good: good.into_iter().map(branch).collect(),
        not_yet: fill(seen.t.missing, &[("n", &seen.missing.len())]),
        missing: names.collect(),
        printed: view.clock.when(view.clock.now_ms()),
    })?;
    let head = SafeHtml::render(&Head {
        t: seen.t,
        path: &seen.path,
    })?;
    let content = Content {
        modules: &["js/print.js"],
        ..Content::new(title, body).head(head)
    };
    frame(&state, &who, &view, NIGHTS).await?.respond(&content)
}

/// The table: one row for each record, or for each check that has none.
pub(crate) async fn csv(
    State(state): State<HubState>,
    who: May<may::MoneyRead>,
    ApiPath(day): ApiPath<String>,
) -> Result<Response, Problem> {
    let day = day_of(&day)?;
    let night = crate::app::reconcile::get(state.hub(), &who.person, day, filter()).await?;
    let mut rows = vec![COLUMNS.map(str::to_owned).to_vec()];
    for branch in &night.branches {
        for result in &branch.checks {
            rows.extend(rows_of(day, branch, result));
        }
    }
    download(&format!("night-{}", show_day(day)), &rows)
}

fn rows_of(day: i32, branch: &BranchNight, result: &CheckResult) -> Vec<Vec<String>> {
    let figures: Vec<String> = result
        .figures
        .iter()
        .map(|(key, figure)| match figure {
            Figure::Count(count) => format!("{key}={count}"),
            Figure::Money {
                amount_minor,
                currency,
            } => format!("{key}={} {currency}", decimal(*amount_minor, *currency)),
        })
        .collect();
    let check = [
        show_day(day),
        slug(branch).to_owned(),
        result.check.to_string(),
        result.state.to_string(),
        figures.join("; "),
        result.found.to_string(),
    ];
    let row = |record: [String; 6]| check.iter().cloned().chain(record).collect();
    if result.records.is_empty() {
        return vec![row(Default::default())];
    }
    let records = result.records.iter().map(|record| {
        let amount = amount_of(record);
        [
            record.state.to_string(),
            record.kind.clone(),
            record.subject.clone(),
            record.detail.clone(),
            amount.map_or_else(String::new, |(minor, currency)| decimal(minor, currency)),
            amount.map_or_else(String::new, |(_, currency)| currency.to_string()),
        ]
    });
    records.map(row).collect()
}
