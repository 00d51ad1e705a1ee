//! The night of one branch: every check with its rule, figures and records, what does not agree first.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use domain::reconcile::CheckState;
use web_kit::{ApiPath, Content, PageRequest, Problem, SafeHtml, fill, html};

use super::check::{CheckView, long_day};
use super::matrix::CHAIN;
use super::texts::NightTexts;
use super::{Seen, day_of, statements};
use crate::api::HubState;
use crate::api::caller::{May, may};
use crate::app::branch::named;
use crate::app::error::AppError;
use crate::app::reconcile::{BranchNight, Filter, subjects};
use crate::web::frame::frame;
use crate::web::view::View;
use crate::web::{BRANCHES, NIGHTS};

struct Section {
    check: CheckView,
    statements: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "nights/branch.html")]
struct Page<'a> {
    t: &'a NightTexts,
    refresh: String,
    bad: Vec<Section>,
    good: Vec<CheckView>,
    sentence: String,
    is_running: bool,
    signed: String,
    reason: String,
    started: String,
    finished: String,
    rounds: String,
    redone: String,
    of_none: bool,
    branch_href: Option<String>,
    name: String,
}

/// The page, or its work alone when a script asks again.
pub(crate) async fn page(
    State(state): State<HubState>,
    who: May<may::MoneyRead>,
    asked: PageRequest,
    ApiPath((day, slug)): ApiPath<(String, String)>,
) -> Result<Response, Problem> {
    let day = day_of(&day)?;
    let view = View::of(&state, &who).await?;
    let branch = if slug == CHAIN {
        domain::id::BranchId::NIL
    } else {
        let mut sql = state.hub().snapshot().await.map_err(AppError::from)?;
        named(&mut sql, "/branch", &slug)
            .await
            .map_err(|_| AppError::NotFound { what: "night" })?
    };
    let filter = Filter {
        branch: Some(branch),
        records: true,
        ..Filter::default()
    };
    let seen = Seen::of(&state, &who, &view, day, filter).await?;
    let night = seen
        .night
        .branches
        .first()
        .ok_or(AppError::NotFound { what: "night" })?;
    let head = seen.head(Some(night)).await?;
    let body = seen.branch_body(night).await?;
    if asked.is_fragment() {
        return Ok(html(body.then(&head.partial("#night-head", "outerMorph"))));
    }
    let title = fill(
        seen.t.title_branch,
        &[
            ("branch", &seen.name(night)),
            ("day", &long_day(&view, day)),
        ],
    );
    let content = Content::new(title, body).head(head);
    frame(&state, &who, &view, NIGHTS).await?.respond(&content)
}

impl Seen<'_> {
    async fn branch_body(&self, night: &BranchNight) -> Result<SafeHtml, Problem> {
        let records: Vec<_> = night
            .checks
            .iter()
            .flat_map(|check| &check.records)
            .collect();
        let known = subjects(self.state.hub(), &records).await?;
        let shower = self.shower(&known, usize::MAX);
        let (bad, good): (Vec<_>, Vec<_>) = night
            .checks
            .iter()
            .partition(|result| result.state != CheckState::Green);
        let mut bad = bad;
        bad.sort_by_key(|result| std::cmp::Reverse(result.state));
        let has_word = night.state != CheckState::Unreconciled;
        let bad = bad
            .into_iter()
            // A check that was not done has nothing to say.
            .filter(|result| has_word || !result.records.is_empty())
            .map(|result| Section {
                check: shower.show(night, result),
                statements: statements(result),
            });
        let good = good.into_iter().map(|result| shower.show(night, result));
        let of_none = night.branch.is_nil();
        SafeHtml::render(&Page {
            t: self.t,
            refresh: format!("{}/{}", self.path, super::matrix::slug(night)),
            bad: bad.collect(),
            good: good.collect(),
            sentence: self.sentence(night),
            is_running: night.run == crate::app::reconcile::RunState::Running,
            signed: self.signed_words(night.signed.as_ref()),
            reason: night
                .signed
                .as_ref()
                .map(|signed| signed.reason.clone())
                .unwrap_or_default(),
            started: self.view.when(night.started_ms),
            finished: self.view.when(night.finished_ms),
            rounds: night.rounds.to_string(),
            redone: night.redone_ms.map_or_else(String::new, |at_ms| {
                fill(self.t.redone, &[("at", &self.view.when(Some(at_ms)))])
            }),
            of_none,
            branch_href: (!of_none).then(|| format!("{BRANCHES}/{}", night.code)),
            name: self.name(night),
        })
    }
}
