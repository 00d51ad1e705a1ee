//! People of other branches beneath those who are here: asked for when the page stands, never waited for.
//!
//! Local results are shown at once; what the hub says comes into its own place afterwards, or a sentence that it says
//! nothing. Bringing somebody leads to the person, or on with the intake.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use domain::id::DocumentId;
use domain::number::parse_order_number;
use domain::permission::Permission;
use serde::Deserialize;
use web_kit::{
    ApiPath, PageForm, PageRequest, PlainForm, Problem, SafeHtml, fill, html, html_with_status,
};

use super::find::{self, FindForm};
use crate::api::EdgeState;
use crate::api::caller::{Caller, May, may};
use crate::app::elsewhere::{
    self, ElsewhereError, LookUpInput, LookUpResult, PersonElsewhere, is_long_enough,
};
use crate::sync::LinkState;
use crate::web::view::View;
use crate::web::{INTAKE, PEOPLE};
use web_kit::wire::Personal;

/// What stands before an id in the pick of somebody who must be brought first.
const PICK: &str = "elsewhere-";
/// People in the list of the page of finding.
const FOUND: u32 = 10;
/// People who fit beneath the others at intake.
pub(crate) const PICKS: u32 = 4;

web_kit::catalogue! {
    /// What is said of people of other branches.
    pub(crate) struct ElsewhereTexts {
        title: "Other branches" | "Andere Filialen",
        asking: "Asking the other branches …" | "Die anderen Filialen werden gefragt …",
        ask: "Ask the other branches" | "Die anderen Filialen fragen",
        nobody: "Nobody else by that at other branches." | "In anderen Filialen ist sonst niemand damit bekannt.",
        name: "Name" | "Name",
        reach: "Phone or e-mail" | "Telefon oder E-Mail",
        branch: "Branch" | "Filiale",
        orders: "Orders" | "Aufträge",
        bring: "Bring here" | "Hierher holen",
        intake: "Intake" | "Annahme",
        coming: "coming …" | "kommt …",
        somewhere: "another branch" | "andere Filiale",
        no_orders: "{branch}, no order yet" | "{branch}, noch kein Auftrag",
        one_order: "{branch}, 1 order" | "{branch}, 1 Auftrag",
        many_orders: "{branch}, {n} orders" | "{branch}, {n} Aufträge",
        cut_off: "The line to the hub is cut, so nobody can be brought here now. Take the person in as new; both are put together when the line is back." | "Die Leitung zur Zentrale ist getrennt, darum kann gerade niemand hergeholt werden. Person neu aufnehmen; beide werden zusammengeführt, wenn die Leitung wieder steht.",
        no_answer: "The hub does not answer now. Try again, or take the person in as new; both can be put together later." | "Die Zentrale antwortet gerade nicht. Noch einmal versuchen oder die Person neu aufnehmen; beide lassen sich später zusammenführen.",
        too_many: "The hub was asked too often. Try again in a few seconds." | "Die Zentrale wurde zu oft gefragt. In ein paar Sekunden noch einmal versuchen.",
        on_the_way: "The person is on the way here. Try again in a moment." | "Die Person ist unterwegs hierher. Gleich noch einmal versuchen.",
        older_hub: "This hub cannot be asked about people yet: its program is older." | "Diese Zentrale kann noch nicht nach Personen gefragt werden: Ihr Programm ist älter.",
        unknown: "This person is not known any more." | "Diese Person ist nicht mehr bekannt.",
    }
}

/// Somebody whom another branch serves.
pub(crate) struct Row {
    /// What the pick of intake sends.
    pub(crate) value: String,
    /// Where bringing is asked for.
    pub(crate) bring: String,
    pub(crate) key: String,
    pub(crate) name: String,
    pub(crate) reach: String,
    pub(crate) branch: String,
    pub(crate) orders: u32,
    /// Branch and orders in one line.
    pub(crate) note: String,
}

/// The place where people of other branches stand.
pub(crate) struct Elsewhere {
    pub(crate) t: &'static ElsewhereTexts,
    /// The hub is still to be asked.
    pub(crate) waits: bool,
    /// Why nobody is shown.
    pub(crate) said: Option<String>,
    pub(crate) people: Vec<Row>,
    is_shown: bool,
}

impl Elsewhere {
    /// Whether there is no such place at all.
    pub(crate) fn is_silent(&self) -> bool {
        !self.is_shown
    }

    fn new(view: &View) -> Self {
        Self {
            t: ElsewhereTexts::of(view.language()),
            waits: false,
            said: None,
            people: Vec::new(),
            is_shown: true,
        }
    }

    /// Asks when the page stands, where that makes sense: connected, and something like a person was typed.
    pub(crate) fn later(state: &EdgeState, view: &View, who: &Caller, typed: &str) -> Self {
        // A name can read as a number without hyphens: one in 37 of nine letters does.
        let is_number = typed.contains('-') && parse_order_number(typed.trim()).is_ok();
        let makes_sense = is_long_enough(typed)
            && !is_number
            && who.may(Permission::CustomersRead)
            && state.sync().status().state == LinkState::Connected;
        Self {
            waits: makes_sense,
            is_shown: makes_sense,
            ..Self::new(view)
        }
    }

    /// Asks now.
    pub(crate) async fn now(
        state: &EdgeState,
        view: &View,
        who: &Caller,
        typed: &Personal,
        limit: u32,
    ) -> Result<Self, Problem> {
        if !is_long_enough(typed.expose()) {
            return Ok(Self {
                is_shown: false,
                ..Self::new(view)
            });
        }
        let input = LookUpInput {
            q: typed.clone(),
            limit: Some(limit),
        };
        let found = elsewhere::find(state.store(), state.sync(), &who.actor(), &input).await;
        let place = Self::new(view);
        match found {
            Ok(LookUpResult { people }) => Ok(Self {
                people: people
                    .into_iter()
                    .map(|person| row(place.t, state, person))
                    .collect(),
                ..place
            }),
            Err(error) => Ok(Self {
                said: Some(said(view, error)?),
                ..place
            }),
        }
    }
}

fn row(t: &ElsewhereTexts, state: &EdgeState, person: PersonElsewhere) -> Row {
    let branch = match (person.branch_name.is_empty(), person.branch.is_empty()) {
        (false, _) => person.branch_name,
        (true, false) => person.branch,
        (true, true) => t.somewhere.to_owned(),
    };
    let note = match person.orders {
        0 => t.no_orders,
        1 => t.one_order,
        _ => t.many_orders,
    };
    Row {
        value: format!("{PICK}{}", person.id),
        bring: format!("{PEOPLE}/{}/bring", person.id),
        key: state.form_key().as_str().to_owned(),
        name: person.name.expose().to_owned(),
        reach: person.reach.expose().to_owned(),
        note: fill(note, &[("branch", &branch), ("n", &person.orders)]),
        orders: person.orders,
        branch,
    }
}

/// The sentence for a person; what is no matter of the line stays a problem.
pub(crate) fn said(view: &View, error: ElsewhereError) -> Result<String, Problem> {
    let t = ElsewhereTexts::of(view.language());
    let said = match error {
        ElsewhereError::CutOff => t.cut_off,
        ElsewhereError::NoAnswer => t.no_answer,
        ElsewhereError::TooMany => t.too_many,
        ElsewhereError::OnTheWay => t.on_the_way,
        ElsewhereError::OlderHub => t.older_hub,
        ElsewhereError::Unknown => t.unknown,
        ElsewhereError::App(error) => return Err(error.into()),
    };
    Ok(said.to_owned())
}

/// Who must be brought first, of a pick at intake.
pub(crate) fn picked(value: &str) -> Option<DocumentId> {
    value.strip_prefix(PICK)?.parse().ok()
}

/// Brings somebody; a sentence where that did not work.
pub(crate) async fn brought(
    state: &EdgeState,
    view: &View,
    who: &Caller,
    person: DocumentId,
) -> Result<Result<DocumentId, String>, Problem> {
    match elsewhere::bring(state.store(), state.sync(), &who.actor(), person).await {
        Ok(here) => Ok(Ok(here)),
        Err(error) => Ok(Err(said(view, error)?)),
    }
}

#[derive(Template)]
#[template(path = "elsewhere/_find.html")]
struct Section<'a> {
    e: &'a Elsewhere,
    typed: &'a str,
    may_write: bool,
}

/// People of other branches for the page of finding.
pub(crate) async fn found(
    State(state): State<EdgeState>,
    who: May<may::CustomersRead>,
    asked: PageRequest,
    PlainForm(FindForm { q }): PlainForm<FindForm>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let place = Elsewhere::now(&state, &view, &who, &q, FOUND).await?;
    if asked.is_fragment() {
        let section = Section {
            e: &place,
            typed: q.expose().trim(),
            may_write: who.may(Permission::CustomersWrite),
        };
        return Ok(html(SafeHtml::render(&section)?));
    }
    let page = find::whole(&state, &who, &view, q, Some(place), None).await?;
    Ok(html(page))
}

/// Whom the clerk looked for, and what comes then.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct BringForm {
    q: Personal,
    then: String,
}

/// Brings somebody here and opens them; done twice it is done once.
pub(crate) async fn bring(
    State(state): State<EdgeState>,
    who: May<may::CustomersWrite>,
    ApiPath(id): ApiPath<DocumentId>,
    PageForm { fields, .. }: PageForm<BringForm>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let said = match brought(&state, &view, &who, id).await? {
        Ok(here) => {
            let to = match fields.then.as_str() {
                "intake" => format!("{INTAKE}?person={here}"),
                _ => format!("{PEOPLE}/{here}"),
            };
            return Ok(Redirect::to(&to).into_response());
        }
        Err(said) => said,
    };
    let page = find::whole(&state, &who, &view, fields.q, None, Some(said)).await?;
    Ok(html_with_status(
        axum::http::StatusCode::SERVICE_UNAVAILABLE,
        page,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_say_the_same_things() {
        assert_eq!(
            web_kit::language::flaws(ElsewhereTexts::ALL),
            Vec::<String>::new()
        );
    }
}
