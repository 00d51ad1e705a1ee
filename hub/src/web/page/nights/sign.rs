//! Signing a night off, and opening it again: with the open points beside the reason.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use domain::id::BranchId;
use domain::permission::Permission;
use domain::reconcile::CheckState;
use serde::Deserialize;
use sync_protocol::item::command as codes;
use web_kit::{ApiPath, ApiQuery, Content, PageForm, Problem, SafeHtml, fill, html_with_status};

use super::check::long_day;
use super::texts::{NightTexts, check_name, look, state_words};
use super::{Seen, day_of, path_of};
use crate::api::caller::{May, may};
use crate::api::{Caller, HubState};
use crate::app::branch::named;
use crate::app::error::AppError;
use crate::app::reconcile::{Filter, RunState, SignOffInput, missing, reopen, sign_off};
use crate::web::NIGHTS;
use crate::web::act::{Refusal, act, address, done, is_refusal};
use crate::web::frame::frame;
use crate::web::said::{Deed, WayBack};
use crate::web::view::View;

/// The form of which night: of the whole chain where no branch is named.
#[derive(Debug, Default, Deserialize)]
pub struct SignQuery {
    #[serde(default)]
    branch: String,
}

/// A word on a night.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct SignFields {
    #[serde(default)]
    branch: String,
    #[serde(default)]
    reason: String,
}

struct Point {
    href: String,
    icon: &'static str,
    tone: &'static str,
    branch: String,
    check: String,
    state: &'static str,
    what: String,
}

#[derive(Template)]
#[template(path = "nights/sign.html")]
struct Form<'a> {
    t: &'a NightTexts,
    action: String,
    back: String,
    key: String,
    branch: String,
    reason: String,
    refusal: Refusal,
    above: Vec<String>,
    points: Vec<Point>,
    is_signed: bool,
    signed: String,
    must_explain: bool,
    may_sign: bool,
}

/// The form.
pub(crate) async fn form(
    State(state): State<HubState>,
    who: May<may::NightSign>,
    ApiPath(day): ApiPath<String>,
    ApiQuery(query): ApiQuery<SignQuery>,
) -> Result<Response, Problem> {
    let fields = SignFields {
        branch: query.branch,
        reason: String::new(),
    };
    let key = state.form_key().to_string();
    show(&state, &who, day_of(&day)?, &fields, key, None).await
}

async fn branch_of(state: &HubState, name: &str) -> Result<Option<BranchId>, AppError> {
    match name.trim() {
        "" => Ok(None),
        name => {
            let mut sql = state.hub().snapshot().await?;
            Ok(Some(named(&mut sql, "/branch", name).await?))
        }
    }
}

async fn show(
    state: &HubState,
    who: &Caller,
    day: i32,
    fields: &SignFields,
    key: String,
    refused: Option<&Problem>,
) -> Result<Response, Problem> {
    let view = View::of(state, who).await?;
    let branch = branch_of(state, &fields.branch).await?;
    let filter = Filter {
        branch,
        records: true,
        ..Filter::default()
    };
    let mut seen = Seen::of(state, who, &view, day, filter).await?;
    if branch.is_none() {
        seen.missing = missing(state.hub(), &who.person, day).await?;
    }
    let t = seen.t;
    let (night, signed) = match branch {
        Some(_) => {
            let night = seen.night.branches.first();
            (night, night.and_then(|night| night.signed.as_ref()))
        }
        None => (None, seen.night.signed.as_ref()),
    };
    let is_signed = signed.is_some();
    let refusal = refused.map_or_else(Refusal::none, |problem| {
        Refusal::of(problem, view.language())
    });
    let name = night.map(|night| seen.name(night)).unwrap_or_default();
    let words = match (is_signed, night) {
        (true, _) => t.reopen_title,
        (false, None) => t.sign_title,
        (false, Some(_)) => t.sign_title_branch,
    };
    let title = fill(words, &[("day", &long_day(&view, day)), ("branch", &name)]);
    let path = path_of(day);
    let body = SafeHtml::render(&Form {
        t,
        action: format!("{path}/{}", if is_signed { "reopen" } else { "sign" }),
        back: back(day, &fields.branch),
        key,
        branch: fields.branch.clone(),
        reason: fields.reason.clone(),
        above: refusal.above(&["reason"]),
        refusal,
        points: seen.points(),
        is_signed,
        signed: seen.signed_words(signed),
        must_explain: is_signed || seen.night.state != CheckState::Green,
        may_sign: seen.may_sign(night),
    })?;
    let status = refused.map_or(StatusCode::OK, Problem::status);
    let page = frame(state, who, &view, NIGHTS)
        .await?
        .render(&Content::new(title, body))?;
    Ok(html_with_status(status, page))
}

impl Seen<'_> {
    /// What is not green, the worst first.
    fn points(&self) -> Vec<Point> {
        let language = self.view.language();
        let mut points = Vec::new();
        for night in &self.night.branches {
            let (icon, tone) = look(night.state);
            let href = format!("{}/{}", self.path, super::matrix::slug(night));
            if night.run != RunState::Done {
                points.push((
                    CheckState::Unreconciled,
                    Point {
                        href,
                        icon,
                        tone,
                        branch: self.name(night),
                        check: String::new(),
                        state: state_words(language, CheckState::Unreconciled),
                        what: self.sentence(night),
                    },
                ));
                continue;
            }
            let open = night
                .checks
                .iter()
                .filter(|result| result.state != CheckState::Green);
            for result in open {
                let (icon, tone) = look(result.state);
                points.push((
                    result.state,
                    Point {
                        href: address(
                            &self.path,
                            &[
                                ("branch", super::matrix::slug(night)),
                                ("check", result.check.as_str()),
                            ],
                        ),
                        icon,
                        tone,
                        branch: self.name(night),
                        check: check_name(language, result.check).to_owned(),
                        state: state_words(language, result.state),
                        what: self.text(result).1,
                    },
                ));
            }
        }
        points.sort_by_key(|(state, _)| std::cmp::Reverse(*state));
        let mut points: Vec<Point> = points.into_iter().map(|(_, point)| point).collect();
        points.extend(self.missing.iter().map(|code| Point {
            href: self.path.clone(),
            icon: "clock",
            tone: "",
            branch: self.places.name(code).to_owned(),
            check: String::new(),
            state: state_words(language, CheckState::Unreconciled),
            what: self.t.missing_why.to_owned(),
        }));
        points
    }
}

fn back(day: i32, branch: &str) -> String {
    match branch.trim() {
        "" => path_of(day),
        branch => format!("{}/{branch}", path_of(day)),
    }
}

/// Signs it off.
pub(crate) async fn sign(
    State(state): State<HubState>,
    who: May<may::NightSign>,
    ApiPath(day): ApiPath<String>,
    form: PageForm<SignFields>,
) -> Result<Response, Problem> {
    word(&state, &who, day_of(&day)?, form, true).await
}

/// Opens it again.
pub(crate) async fn open_again(
    State(state): State<HubState>,
    who: May<may::NightSign>,
    ApiPath(day): ApiPath<String>,
    form: PageForm<SignFields>,
) -> Result<Response, Problem> {
    word(&state, &who, day_of(&day)?, form, false).await
}

async fn word(
    state: &HubState,
    who: &Caller,
    day: i32,
    PageForm { fields, request }: PageForm<SignFields>,
    is_signed: bool,
) -> Result<Response, Problem> {
    let view = View::of(state, who).await?;
    let t = NightTexts::of(view.language());
    let key = request.key.clone().unwrap_or_default();
    let branch = branch_of(state, &fields.branch).await?;
    let input = SignOffInput {
        branch,
        reason: fields.reason.clone(),
    };
    let person = who.person.clone();
    let work = act(state, who, codes::NIGHT, request, move |tx| {
        Box::pin(async move {
            if is_signed {
                sign_off(tx, &person, day, &input).await?;
            } else {
                reopen(tx, &person, day, &input).await?;
            }
            Ok(done(serde_json::Value::Null))
        })
    });
    match work.await {
        Ok(answered) => {
            if !answered.is_replay {
                let title = fill(t.title, &[("day", &long_day(&view, day))]);
                let deed = if is_signed {
                    let way = way_back(who, day, branch, &fields.branch, t);
                    Deed::new(title, t.did_sign).back(way)
                } else {
                    Deed::new(title, t.did_reopen)
                };
                state.said().say(state, who, deed);
            }
            Ok(Redirect::to(&back(day, &fields.branch)).into_response())
        }
        Err(problem) if is_refusal(&problem) => {
            show(state, who, day, &fields, key, Some(&problem)).await
        }
        Err(problem) => Err(problem),
    }
}

/// What opens a night again right after it was signed.
fn way_back(
    who: &Caller,
    day: i32,
    branch: Option<BranchId>,
    name: &str,
    t: &'static NightTexts,
) -> WayBack {
    let person = who.person.clone();
    let way = WayBack::new(
        Permission::NightSign,
        codes::NIGHT,
        back(day, name),
        move |tx| {
            let person = person.clone();
            Box::pin(async move {
                let input = SignOffInput {
                    branch,
                    reason: t.undo_reason.to_owned(),
                };
                reopen(tx, &person, day, &input).await?;
                Ok(())
            })
        },
    );
    way.saying(t.did_reopen)
}
