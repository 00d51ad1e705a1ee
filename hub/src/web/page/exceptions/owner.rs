//! Who looks into an exception: taken by oneself with one click, or given to somebody else.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use domain::id::{BranchId, StaffId, parse_uuid};
use domain::permission::Permission;
use serde::Deserialize;
use sync_protocol::item::command as codes;
use web_kit::{ApiQuery, Content, PageForm, Problem, SafeHtml, html_with_status, safe_next};

use super::list::{ExceptionRow, rows};
use super::may_own;
use crate::api::caller::{May, may};
use crate::api::{Caller, HubState};
use crate::app::exceptions::{self, ExceptionKey};
use crate::app::{branch, staff};
use crate::web::act::{Refusal, act, done, is_refusal};
use crate::web::frame::frame;
use crate::web::page::staff::role_name;
use crate::web::places::Choice;
use crate::web::said::{Deed, WayBack};
use crate::web::view::View;
use crate::web::{EXCEPTION_OWNER, EXCEPTIONS};

/// People to choose from at most.
const MOST: i64 = 2_000;

web_kit::catalogue! {
    /// The words of this page.
    struct OwnerTexts {
        title: "Who looks into it" | "Wer sich kümmert",
        what: "What it is" | "Worum es geht",
        owner: "Owner" | "Zuständig",
        nobody: "Nobody" | "Niemand",
        hint: "Central managers, operators and auditors, and the managers of this branch." | "Zentralleitung, Technik und Prüfung sowie die Leitung dieser Filiale.",
        cancel: "Exceptions" | "Ausnahmen",
        save: "Save" | "Speichern",
        mine: "is yours now" | "ist jetzt Ihre Sache",
        given: "has another owner now" | "hat jetzt jemand anderen",
        freed: "has no owner now" | "hat jetzt niemanden",
        refused: "Nothing was changed" | "Nichts wurde geändert",
    }
}

/// Which exception, and who is to look into it.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct OwnerFields {
    #[serde(default)]
    branch: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    subject: String,
    #[serde(default)]
    owner: String,
    #[serde(default)]
    next: String,
}

impl OwnerFields {
    fn key(&self) -> Result<ExceptionKey, Problem> {
        key_of(&self.branch, &self.kind, &self.subject)
    }
}

/// The exception that a form names.
pub(super) fn key_of(branch: &str, kind: &str, subject: &str) -> Result<ExceptionKey, Problem> {
    let unknown = || Problem::not_found("There is no such exception.");
    let branch: BranchId = branch.parse().map_err(|_| unknown())?;
    let subject = parse_uuid(subject).map_err(|_| unknown())?;
    Ok((branch, kind.to_owned(), subject))
}

#[derive(Template)]
#[template(path = "exceptions/owner.html")]
struct Page<'a> {
    t: &'a OwnerTexts,
    action: &'static str,
    back: &'static str,
    key: &'a str,
    fields: &'a OwnerFields,
    row: ExceptionRow,
    people: Vec<Choice>,
    problems: Vec<String>,
}

/// The form.
pub(crate) async fn form(
    State(state): State<HubState>,
    who: May<may::ExceptionsRead>,
    ApiQuery(fields): ApiQuery<OwnerFields>,
) -> Result<Response, Problem> {
    require(&who)?;
    if fields.subject.is_empty() {
        return Ok(Redirect::to(EXCEPTIONS).into_response());
    }
    let key = state.form_key().to_string();
    show(&state, &who, StatusCode::OK, &key, &fields, Vec::new()).await
}

fn require(who: &Caller) -> Result<(), Problem> {
    if may_own(who) {
        return Ok(());
    }
    Ok(who.person.require(Permission::ExceptionsSettle)?)
}

async fn show(
    state: &HubState,
    who: &Caller,
    status: StatusCode,
    key: &str,
    fields: &OwnerFields,
    problems: Vec<String>,
) -> Result<Response, Problem> {
    let view = View::of(state, who).await?;
    let t = OwnerTexts::of(view.language());
    let named = fields.key()?;
    let record = exceptions::get(state.hub(), &who.person, &named).await?;
    let owners = exceptions::owners(state.hub()).await?;
    let chosen = owners
        .get(&named)
        .map_or_else(String::new, |owner| owner.staff.to_string());
    let mut people = vec![Choice::new("", t.nobody, &chosen)];
    let mut found = staff::list_of(state.hub(), &who.person.scope(), MOST).await?;
    found.sort_by_cached_key(|person| person.fields.name.to_lowercase());
    for person in found {
        if exceptions::may_own(&person, record.branch) {
            let role = role_name(person.fields.role, view.language());
            let label = format!("{} · {role}", person.fields.name);
            people.push(Choice::new(person.id.to_string(), label, &chosen));
        }
    }
    let codes = branch::all_codes(state.hub()).await?;
    let mut row = rows(state, who, &view, vec![record], &codes).await?;
    let row = row
        .pop()
        .ok_or_else(|| Problem::not_found("There is no such exception."))?;
    let body = SafeHtml::render(&Page {
        t,
        action: EXCEPTION_OWNER,
        back: EXCEPTIONS,
        key,
        fields,
        row,
        people,
        problems,
    })?;
    let page = frame(state, who, &view, EXCEPTIONS)
        .await?
        .render(&Content::new(t.title, body))?;
    Ok(html_with_status(status, page))
}

/// Keeps who looks into it.
pub(crate) async fn assign(
    State(state): State<HubState>,
    who: May<may::ExceptionsRead>,
    PageForm { fields, request }: PageForm<OwnerFields>,
) -> Result<Response, Problem> {
    require(&who)?;
    let key = request.key.clone().unwrap_or_default();
    let owner: Option<StaffId> = match fields.owner.as_str() {
        "" => None,
        "me" => Some(who.person.id),
        id => Some(
            id.parse()
                .map_err(|_| Problem::invalid_field("/owner", "There is no such person."))?,
        ),
    };
    let view = View::of(&state, &who).await?;
    let named = fields.key()?;
    let (person, name) = (who.person.clone(), named.clone());
    let work = act(&state, &who, codes::SETTLE, request, move |tx| {
        Box::pin(async move {
            let before = exceptions::assign(tx, &person, &name, owner).await?;
            let before = before.map(|before| before.to_string());
            Ok(done(serde_json::json!({ "before": before })))
        })
    });
    match work.await {
        Ok(answered) => {
            let back = safe_next(&fields.next, EXCEPTIONS).to_owned();
            if !answered.is_replay {
                let before = answered.answer.body["before"].as_str();
                let before = before.and_then(|before| before.parse().ok());
                let deed = said(&state, &who, &view, named, (before, owner), &back).await?;
                state.said().say(&state, &who, deed);
            }
            Ok(Redirect::to(&back).into_response())
        }
        Err(problem) if is_refusal(&problem) => {
            let words = Refusal::of(&problem, view.language()).above(&[]);
            show(&state, &who, problem.status(), &key, &fields, words).await
        }
        Err(problem) => Err(problem),
    }
}

async fn said(
    state: &HubState,
    who: &Caller,
    view: &View,
    named: ExceptionKey,
    (before, owner): (Option<StaffId>, Option<StaffId>),
    back: &str,
) -> Result<Deed, Problem> {
    let t = OwnerTexts::of(view.language());
    let record = exceptions::get(state.hub(), &who.person, &named).await?;
    let about = exceptions::subjects(state.hub(), std::slice::from_ref(&record)).await?;
    let title = super::list::title(&record.kind, about.get(&record.subject), view.language());
    let text = match owner {
        None => t.freed,
        Some(owner) if owner == who.person.id => t.mine,
        Some(_) => t.given,
    };
    let person = who.person.clone();
    let way = WayBack::new(Permission::ExceptionsRead, codes::SETTLE, back, move |tx| {
        let (person, named) = (person.clone(), named.clone());
        Box::pin(async move {
            exceptions::assign(tx, &person, &named, before).await?;
            Ok(())
        })
    });
    Ok(Deed::new(title, text).back(way))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_say_the_same_things() {
        assert_eq!(
            web_kit::language::flaws(OwnerTexts::ALL),
            Vec::<String>::new()
        );
    }
}
