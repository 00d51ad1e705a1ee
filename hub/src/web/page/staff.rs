//! People: who works where in which role; added, changed, let go. A password is only ever typed, never shown.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use domain::id::StaffId;
use domain::permission::Permission;
use domain::sensitive::Sensitive;
use domain::staff::Role;
use serde::Deserialize;
use sync_protocol::item::command as codes;
use web_kit::{
    Content, Language, PageForm, PageRequest, Problem, SafeHtml, fill, html, html_with_status,
};

use crate::api::caller::{May, may};
use crate::api::{Caller, HubState};
use crate::app::branch::{self, Codes, code_of};
use crate::app::error::AppError;
use crate::app::network::BranchPlace;
use crate::app::staff::{self, NewStaff, StaffPatch, StaffRecord};
use crate::store::scope::Scope;
use crate::web::STAFF;
use crate::web::act::{Refusal, act, address, done};
use crate::web::frame::frame;
use crate::web::view::View;

/// People on one page.
const MOST: i64 = 500;
/// Branches that are shown as picks; more are typed as codes.
const PICKS: usize = 60;

web_kit::catalogue! {
    /// The words of the pages of people.
    struct StaffTexts {
        title: "Staff" | "Personal",
        new: "New person" | "Neue Person",
        find: "Name, user name" | "Name, Benutzername",
        find_label: "Find a person" | "Person finden",
        person: "Name" | "Name",
        user_name: "User name" | "Benutzername",
        role: "Role" | "Rolle",
        branches: "Branches" | "Filialen",
        state: "State" | "Zustand",
        since: "Since" | "Seit",
        whole_chain: "The whole chain" | "Die ganze Kette",
        active: "may sign in" | "darf sich anmelden",
        inactive: "may not sign in" | "darf sich nicht anmelden",
        only: "Only {code}" | "Nur {code}",
        everybody: "Everybody" | "Alle",
        n_people: "{n} people" | "{n} Personen",
        one_person: "1 person" | "1 Person",
        none: "Nobody fits" | "Niemand passt",
        none_why: "Another word shows more." | "Ein anderes Wort zeigt mehr.",
        roles_title: "What the roles may do" | "Was die Rollen dürfen",
        user_hint: "To sign in with, at the branch and here" | "Zum Anmelden, in der Filiale und hier",
        branches_hint: "None for the whole chain" | "Keine für die ganze Kette",
        codes_hint: "Codes with blanks between them, as in BER HAM; none for the whole chain" | "Kürzel mit Leerzeichen, wie BER HAM; keine für die ganze Kette",
        password: "Password" | "Passwort",
        password_hint: "8 characters at least; tell it to the person yourself" | "Mindestens 8 Zeichen; sagen Sie es der Person selbst",
        new_password: "New password" | "Neues Passwort",
        new_password_hint: "Empty keeps the present one" | "Leer behält das jetzige",
        add: "Add the person" | "Person anlegen",
        save: "Save" | "Speichern",
        cancel: "Cancel" | "Abbrechen",
        who: "Person" | "Person",
        where_part: "Place" | "Ort",
        let_go: "Let go" | "Austragen",
        let_go_why: "The person may not sign in any more, here at once and at a branch as soon as it hears of it. Everything the person did stays." | "Die Person darf sich nicht mehr anmelden, hier sofort und in einer Filiale, sobald sie es erfährt. Alles, was die Person tat, bleibt.",
        let_go_title: "Let {name} go" | "{name} austragen",
        take_back: "May sign in again" | "Darf sich wieder anmelden",
        leave: "Leave it" | "So lassen",
        sessions: "Saving another role, other branches or a password signs the person out everywhere." | "Eine andere Rolle, andere Filialen oder ein Passwort melden die Person überall ab.",
    }
}

web_kit::catalogue! {
    /// The roles and what they are for.
    pub(crate) struct RoleTexts {
        clerk: "Clerk" | "Annahme",
        clerk_may: "Takes devices in, moves orders, books parts" | "Nimmt Geräte an, bewegt Aufträge, bucht Teile",
        technician: "Technician" | "Werkstatt",
        technician_may: "As a clerk, at the bench" | "Wie die Annahme, in der Werkstatt",
        branch_manager: "Branch manager" | "Filialleitung",
        branch_manager_may: "Runs a branch: also corrects stock, imports, sees the branch here" | "Leitet eine Filiale: korrigiert auch Bestand, importiert, sieht sie auch hier",
        central_manager: "Central manager" | "Zentralleitung",
        central_manager_may: "Runs the chain: prices, transfers, people, branches, the company" | "Leitet die Kette: Preise, Umlagerungen, Personal, Filialen, Firma",
        auditor: "Auditor" | "Prüfung",
        auditor_may: "Sees everything, changes nothing" | "Sieht alles, ändert nichts",
        operator: "Operator" | "Technik",
        operator_may: "Runs the machines: join codes, people, parked entries" | "Betreibt die Rechner: Beitrittscodes, Personal, zurückgestellte Einträge",
    }
}

/// The name of a role.
pub(crate) fn role_name(role: Role, language: Language) -> &'static str {
    role_words(role, language).0
}

fn role_words(role: Role, language: Language) -> (&'static str, &'static str) {
    let t = RoleTexts::of(language);
    match role {
        Role::Clerk => (t.clerk, t.clerk_may),
        Role::Technician => (t.technician, t.technician_may),
        Role::BranchManager => (t.branch_manager, t.branch_manager_may),
        Role::CentralManager => (t.central_manager, t.central_manager_may),
        Role::Auditor => (t.auditor, t.auditor_may),
        Role::Operator => (t.operator, t.operator_may),
    }
}

/// What narrows the list.
#[derive(Debug, Default, Deserialize)]
pub struct StaffQuery {
    #[serde(default)]
    q: String,
    #[serde(default)]
    branch: String,
}

#[derive(Template)]
#[template(path = "staff/page.html")]
struct PageTemplate<'a> {
    t: &'a StaffTexts,
    refresh: String,
    counted: String,
    only: String,
    rows: Vec<Row>,
    roles: Vec<(&'static str, &'static str)>,
    may_write: bool,
}

#[derive(Template)]
#[template(path = "staff/_head.html")]
struct HeadTemplate<'a> {
    t: &'a StaffTexts,
    query: &'a StaffQuery,
    may_write: bool,
}

struct Row {
    id: String,
    name: String,
    username: String,
    role: &'static str,
    branches: String,
    is_active: bool,
    since: String,
}

/// The list.
pub(crate) async fn page(
    State(state): State<HubState>,
    who: May<may::StaffRead>,
    Query(query): Query<StaffQuery>,
    request: PageRequest,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let t = StaffTexts::of(view.language());
    let body = body(&state, &who, &view, &query).await?;
    if request.is_fragment() {
        return Ok(html(body));
    }
    let head = SafeHtml::render(&HeadTemplate {
        t,
        query: &query,
        may_write: may_write(&who),
    })?;
    frame(&state, &who, &view, STAFF)
        .await?
        .respond(&Content::new(t.title, body).head(head))
}

fn may_write(who: &Caller) -> bool {
    who.person.may(Permission::StaffWrite) && who.person.require_chain().is_ok()
}

async fn body(
    state: &HubState,
    who: &Caller,
    view: &View,
    query: &StaffQuery,
) -> Result<SafeHtml, Problem> {
    let t = StaffTexts::of(view.language());
    let scope = narrowed(state, who, &query.branch).await?;
    let mut found = staff::list_of(state.hub(), &scope, MOST).await?;
    let words = query.q.to_lowercase();
    found.retain(|record| {
        let text = format!("{} {}", record.fields.name, record.fields.username).to_lowercase();
        words.split_whitespace().all(|word| text.contains(word))
    });
    found.sort_by_cached_key(|record| (!record.fields.active, record.fields.name.to_lowercase()));
    let codes = branch::all_codes(state.hub()).await?;
    let count = found.len() as u64;
    SafeHtml::render(&PageTemplate {
        t,
        refresh: address(STAFF, &[("q", &query.q), ("branch", &query.branch)]),
        counted: web_kit::plural(count, t.one_person, t.n_people),
        only: if query.branch.is_empty() {
            String::new()
        } else {
            fill(t.only, &[("code", &query.branch)])
        },
        rows: found
            .into_iter()
            .map(|record| row(t, view, record, &codes))
            .collect(),
        roles: Role::ALL
            .iter()
            .map(|role| role_words(*role, view.language()))
            .collect(),
        may_write: may_write(who),
    })
}

async fn narrowed(state: &HubState, who: &Caller, branch: &str) -> Result<Scope, Problem> {
    if branch.is_empty() {
        return Ok(who.person.scope());
    }
    let found = branch::find(state.hub(), branch).await?;
    Ok(who.person.scope().narrowed(Some(found.record.id)))
}

fn row(t: &StaffTexts, view: &View, record: StaffRecord, codes: &Codes) -> Row {
    let fields = record.fields;
    let names: Vec<String> = fields
        .branches
        .iter()
        .map(|branch| code_of(codes, *branch))
        .collect();
    Row {
        id: record.id.to_string(),
        name: fields.name,
        username: fields.username,
        role: role_name(fields.role, view.language()),
        branches: if names.is_empty() {
            t.whole_chain.to_owned()
        } else {
            names.join(", ")
        },
        is_active: fields.active,
        since: view.clock.when(record.created_ms),
    }
}

/// What was typed. A password is read and never given back.
#[derive(Default, Deserialize)]
pub struct PersonForm {
    #[serde(default)]
    username: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    role: String,
    #[serde(default)]
    branches: Vec<String>,
    #[serde(default)]
    codes: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    version: u64,
}

impl PersonForm {
    fn of(record: &StaffRecord, codes: &Codes) -> Self {
        let branches: Vec<String> = record
            .fields
            .branches
            .iter()
            .map(|branch| code_of(codes, *branch))
            .collect();
        Self {
            username: record.fields.username.clone(),
            name: record.fields.name.clone(),
            role: record.fields.role.to_string(),
            codes: branches.join(" "),
            branches,
            password: String::new(),
            version: record.version,
        }
    }

    /// The picked branches and the typed ones.
    fn all_branches(&self) -> Vec<String> {
        let typed = self.codes.split([' ', ',', ';']).map(str::trim);
        let picked = self.branches.iter().map(String::as_str);
        let mut all: Vec<String> = picked
            .chain(typed)
            .filter(|code| !code.is_empty())
            .map(str::to_uppercase)
            .collect();
        all.sort();
        all.dedup();
        all
    }

    fn role(&self) -> Result<Role, AppError> {
        Role::ALL
            .iter()
            .copied()
            .find(|role| role.as_str() == self.role)
            .ok_or_else(|| AppError::field("/role", "choose a role"))
    }
}

const FIELDS: [&str; 5] = ["username", "name", "role", "branches", "password"];

#[derive(Template)]
#[template(path = "staff/form.html")]
struct FormTemplate<'a> {
    t: &'a StaffTexts,
    form: &'a PersonForm,
    key: &'a str,
    action: &'a str,
    refusal: &'a Refusal,
    above: Vec<String>,
    roles: Vec<RoleChoice>,
    picks: Vec<Pick>,
    known: Option<Known>,
    let_go_title: String,
}

struct RoleChoice {
    value: &'static str,
    name: &'static str,
    may: &'static str,
    is_chosen: bool,
}

struct Pick {
    code: String,
    name: String,
    is_chosen: bool,
}

/// The person whose form it is.
struct Known {
    key: String,
    is_active: bool,
}

struct Shown<'a> {
    status: StatusCode,
    key: &'a str,
    record: Option<&'a StaffRecord>,
}

async fn show(
    state: &HubState,
    who: &Caller,
    view: &View,
    shown: &Shown<'_>,
    form: &PersonForm,
    refusal: &Refusal,
) -> Result<Response, Problem> {
    let t = StaffTexts::of(view.language());
    let places = branch::places(state.hub(), &Scope::Chain).await?;
    let role = |role: &Role| {
        let (name, may) = role_words(*role, view.language());
        RoleChoice {
            value: role.as_str(),
            name,
            may,
            is_chosen: role.as_str() == form.role,
        }
    };
    let action = shown.record.map_or_else(
        || STAFF.to_owned(),
        |record| format!("{STAFF}/{}", record.id),
    );
    let body = SafeHtml::render(&FormTemplate {
        t,
        form,
        key: shown.key,
        action: &action,
        refusal,
        above: refusal.above(&FIELDS),
        roles: Role::ALL.iter().map(role).collect(),
        picks: picks(places, form),
        known: shown.record.map(|record| Known {
            key: state.form_key().as_str().to_owned(),
            is_active: record.fields.active,
        }),
        let_go_title: fill(t.let_go_title, &[("name", &form.name)]),
    })?;
    let title = shown
        .record
        .map_or(t.new, |record| record.fields.name.as_str());
    let page = frame(state, who, view, STAFF)
        .await?
        .render(&Content::new(title, body))?;
    Ok(html_with_status(shown.status, page))
}

fn picks(places: Vec<BranchPlace>, form: &PersonForm) -> Vec<Pick> {
    if places.len() > PICKS {
        return Vec::new();
    }
    let chosen = form.all_branches();
    places
        .into_iter()
        .map(|place| Pick {
            is_chosen: chosen.contains(&place.code),
            code: place.code,
            name: place.name,
        })
        .collect()
}

/// The empty form.
pub(crate) async fn new_form(
    State(state): State<HubState>,
    who: May<may::StaffWrite>,
) -> Result<Response, Problem> {
    who.person.require_chain()?;
    let view = View::of(&state, &who).await?;
    let form = PersonForm {
        role: Role::Clerk.as_str().to_owned(),
        ..PersonForm::default()
    };
    let key = state.form_key();
    let shown = Shown {
        status: StatusCode::OK,
        key: key.as_str(),
        record: None,
    };
    show(&state, &who, &view, &shown, &form, &Refusal::none()).await
}

/// Adds the person; the branches where the person works hear of it at once.
pub(crate) async fn create(
    State(state): State<HubState>,
    who: May<may::StaffWrite>,
    PageForm { fields, request }: PageForm<PersonForm>,
) -> Result<Response, Problem> {
    who.person.require_chain()?;
    let key = request.key.clone().unwrap_or_default();
    let made = match new_person(&state, &fields).await {
        Ok(new) => {
            act(&state, &who, codes::ROWS, request, move |tx| {
                Box::pin(async move {
                    let record = staff::create(tx, new).await?;
                    Ok(done(serde_json::json!({ "id": record.id.to_string() })))
                })
            })
            .await
        }
        Err(error) => Err(error.into()),
    };
    match made {
        Ok(_) => Ok(Redirect::to(STAFF).into_response()),
        Err(problem) if problem.status().is_client_error() => {
            let view = View::of(&state, &who).await?;
            let shown = Shown {
                status: problem.status(),
                key: &key,
                record: None,
            };
            let refusal = Refusal::of(&problem, view.language());
            show(&state, &who, &view, &shown, &fields, &refusal).await
        }
        Err(problem) => Err(problem),
    }
}

async fn new_person(state: &HubState, form: &PersonForm) -> Result<NewStaff, AppError> {
    let role = form.role()?;
    let password = Sensitive::new(form.password.clone());
    Ok(NewStaff {
        username: form.username.clone(),
        name: form.name.clone(),
        role,
        branches: form.all_branches(),
        password_hash: staff::new_password(state.hub(), password).await?,
    })
}

fn id_of(id: &str) -> Result<StaffId, Problem> {
    id.parse()
        .map_err(|_| Problem::not_found("There is no such person."))
}

/// The form of a person.
pub(crate) async fn edit_form(
    State(state): State<HubState>,
    who: May<may::StaffWrite>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    who.person.require_chain()?;
    let record = staff::get(state.hub(), &who.person, id_of(&id)?).await?;
    let view = View::of(&state, &who).await?;
    let codes = branch::all_codes(state.hub()).await?;
    let form = PersonForm::of(&record, &codes);
    let key = state.form_key();
    let shown = Shown {
        status: StatusCode::OK,
        key: key.as_str(),
        record: Some(&record),
    };
    show(&state, &who, &view, &shown, &form, &Refusal::none()).await
}

/// Changes the person.
pub(crate) async fn change(
    State(state): State<HubState>,
    who: May<may::StaffWrite>,
    Path(id): Path<String>,
    PageForm {
        mut fields,
        request,
    }: PageForm<PersonForm>,
) -> Result<Response, Problem> {
    who.person.require_chain()?;
    let record = staff::get(state.hub(), &who.person, id_of(&id)?).await?;
    let key = request.key.clone().unwrap_or_default();
    let (id, person, shown) = (record.id, who.person.clone(), fields.version);
    let changed = match patch_of(&state, &fields).await {
        Ok(patch) => {
            act(&state, &who, codes::ROWS, request, move |tx| {
                Box::pin(async move {
                    let same = |version| {
                        if version == shown {
                            Ok(())
                        } else {
                            Err(AppError::Stale)
                        }
                    };
                    staff::patch(tx, &person, id, same, patch).await?;
                    Ok(done(serde_json::Value::Null))
                })
            })
            .await
        }
        Err(error) => Err(error.into()),
    };
    match changed {
        Ok(_) => Ok(Redirect::to(STAFF).into_response()),
        Err(problem) if problem.status().is_client_error() => {
            if problem.status() == StatusCode::PRECONDITION_FAILED {
                fields = PersonForm::of(&record, &branch::all_codes(state.hub()).await?);
            }
            let view = View::of(&state, &who).await?;
            let refusal = Refusal::of(&problem, view.language());
            let shown = Shown {
                status: problem.status(),
                key: &key,
                record: Some(&record),
            };
            show(&state, &who, &view, &shown, &fields, &refusal).await
        }
        Err(problem) => Err(problem),
    }
}

async fn patch_of(state: &HubState, form: &PersonForm) -> Result<StaffPatch, AppError> {
    let password_hash = if form.password.is_empty() {
        None
    } else {
        let password = Sensitive::new(form.password.clone());
        Some(staff::new_password(state.hub(), password).await?)
    };
    Ok(StaffPatch {
        username: Some(form.username.clone()),
        name: Some(form.name.clone()),
        role: Some(form.role()?),
        branches: Some(form.all_branches()),
        active: None,
        password_hash,
    })
}

/// Whether the person may sign in.
#[derive(Debug, Deserialize)]
pub struct ActiveForm {
    #[serde(default)]
    active: String,
}

/// Lets a person go, or takes one back.
pub(crate) async fn set_active(
    State(state): State<HubState>,
    who: May<may::StaffWrite>,
    Path(id): Path<String>,
    PageForm { fields, request }: PageForm<ActiveForm>,
) -> Result<Response, Problem> {
    who.person.require_chain()?;
    let record = staff::get(state.hub(), &who.person, id_of(&id)?).await?;
    let (id, person) = (record.id, who.person.clone());
    let patch = StaffPatch {
        active: Some(!fields.active.is_empty()),
        ..StaffPatch::default()
    };
    let changed = act(&state, &who, codes::ROWS, request, move |tx| {
        Box::pin(async move {
            staff::patch(tx, &person, id, |_| Ok(()), patch).await?;
            Ok(done(serde_json::Value::Null))
        })
    })
    .await;
    match changed {
        Ok(_) => Ok(Redirect::to(STAFF).into_response()),
        Err(problem) if problem.status().is_client_error() => {
            let view = View::of(&state, &who).await?;
            let refusal = Refusal::of(&problem, view.language());
            let form = PersonForm::of(&record, &branch::all_codes(state.hub()).await?);
            let key = state.form_key();
            let shown = Shown {
                status: problem.status(),
                key: key.as_str(),
                record: Some(&record),
            };
            show(&state, &who, &view, &shown, &form, &refusal).await
        }
        Err(problem) => Err(problem),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_say_the_same_things() {
        for catalogue in [StaffTexts::ALL, RoleTexts::ALL] {
            assert_eq!(web_kit::language::flaws(catalogue), Vec::<String>::new());
        }
    }

    #[test]
    fn picked_and_typed_branches_are_one_list() {
        let form = PersonForm {
            branches: vec!["HAM".to_owned()],
            codes: "ber, ham  lej".to_owned(),
            role: "boss".to_owned(),
            ..PersonForm::default()
        };
        assert_eq!(form.all_branches(), ["BER", "HAM", "LEJ"]);
        assert!(form.role().is_err());
    }
}
