//! Amounts of the ledger put right by a person: what was booked, a form for one more, and the way back of each.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use domain::id::CorrectionId;
use domain::ledger::MoneyAccount;
use domain::money::Currency;
use domain::permission::Permission;
use serde::Deserialize;
use sync_protocol::item::command as codes;
use web_kit::{ApiPath, ApiQuery, Content, PageForm, Problem, SafeHtml, html_with_status};

use super::check::money;
use super::path_of;
use super::texts::{NightTexts, account_name};
use crate::api::caller::{May, may};
use crate::api::{Caller, HubState};
use crate::app::reconcile::{
    Correction, NewCorrection, correct, corrections, parse_day, undo_correction,
};
use crate::web::act::{Refusal, act, address, done, is_refusal};
use crate::web::frame::frame;
use crate::web::places::{Choice, Places};
use crate::web::said::Deed;
use crate::web::view::View;
use crate::web::{NIGHT_CORRECTIONS, NIGHTS};

/// Corrections on the page.
const MOST: i64 = 200;
/// The fields that say themselves what is wrong with them.
const FIELDS: &[&str] = &[
    "branch",
    "from",
    "to",
    "amount",
    "amount_minor",
    "currency",
    "reason",
];

/// What the form begins with, or which correction is to be taken back.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct CorrectionFields {
    #[serde(default)]
    branch: String,
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
    #[serde(default)]
    amount: String,
    #[serde(default)]
    currency: String,
    #[serde(default)]
    reason: String,
    /// The night that it was found in, to go back to.
    #[serde(default)]
    night: String,
    #[serde(default)]
    undo: String,
}

struct Row {
    id: String,
    when: String,
    by: String,
    branch: String,
    from: &'static str,
    to: &'static str,
    amount: String,
    reason: String,
    is_undone: bool,
    undoes: bool,
    undo: Option<String>,
}

struct Undo {
    action: String,
    about: String,
}

#[derive(Template)]
#[template(path = "nights/corrections.html")]
struct Page<'a> {
    t: &'a NightTexts,
    rows: Vec<Row>,
    key: String,
    may_mend: bool,
    undo: Option<Undo>,
    branches: Vec<Choice>,
    from: Vec<Choice>,
    to: Vec<Choice>,
    fields: &'a CorrectionFields,
    currency: String,
    refusal: Refusal,
    above: Vec<String>,
    back: String,
}

/// The page.
pub(crate) async fn page(
    State(state): State<HubState>,
    who: May<may::MoneyRead>,
    ApiQuery(fields): ApiQuery<CorrectionFields>,
) -> Result<Response, Problem> {
    let key = state.form_key().to_string();
    show(&state, &who, &fields, key, None).await
}

async fn show(
    state: &HubState,
    who: &Caller,
    fields: &CorrectionFields,
    key: String,
    refused: Option<&Problem>,
) -> Result<Response, Problem> {
    let view = View::of(state, who).await?;
    let t = NightTexts::of(view.language());
    let places = Places::of(state).await?;
    let may_mend = who.person.may(Permission::NightMend);
    let known = corrections(state.hub(), &who.person, MOST).await?;
    let rows: Vec<Row> = known
        .iter()
        .map(|known| row(&view, &places, known, may_mend, &fields.night))
        .collect();
    let undo = rows
        .iter()
        .find(|row| may_mend && row.id == fields.undo)
        .map(|row| Undo {
            action: format!("{NIGHT_CORRECTIONS}/{}/undo", row.id),
            about: format!("{}: {} → {}, {}", row.branch, row.from, row.to, row.amount),
        });
    let refusal = refused.map_or_else(Refusal::none, |problem| {
        Refusal::of(problem, view.language())
    });
    let accounts = |chosen: &str| {
        let all = MoneyAccount::ALL
            .iter()
            .filter(|account| **account != MoneyAccount::Counter)
            .map(|account| {
                let name = account_name(view.language(), *account);
                Choice::new(account.as_str(), name, chosen)
            });
        std::iter::once(Choice::new("", "–", chosen))
            .chain(all)
            .collect::<Vec<Choice>>()
    };
    let body = SafeHtml::render(&Page {
        t,
        rows,
        key,
        may_mend,
        undo,
        branches: places.choices(&fields.branch, t.choose_branch),
        from: accounts(&fields.from),
        to: accounts(&fields.to),
        currency: if fields.currency.is_empty() {
            places.currency().to_string()
        } else {
            fields.currency.clone()
        },
        fields,
        above: refusal.above(FIELDS),
        refusal,
        back: parse_day(&fields.night).map_or_else(|| NIGHTS.to_owned(), path_of),
    })?;
    let status = refused.map_or(StatusCode::OK, Problem::status);
    let page = frame(state, who, &view, NIGHTS)
        .await?
        .render(&Content::new(t.corr_title, body))?;
    Ok(html_with_status(status, page))
}

fn row(view: &View, places: &Places, known: &Correction, may_mend: bool, night: &str) -> Row {
    let language = view.language();
    let id = known.id.to_string();
    let amount = known.currency.parse::<Currency>().map_or_else(
        |_| known.amount_minor.to_string(),
        |currency| money(view, known.amount_minor, currency),
    );
    let is_open = !known.is_undone && known.undoes.is_none();
    Row {
        undo: (may_mend && is_open).then(|| {
            let parameters = [("undo", id.as_str()), ("night", night)];
            address(NIGHT_CORRECTIONS, &parameters)
        }),
        id,
        when: view.clock.when(known.at_ms),
        by: known.by.clone(),
        branch: places.name(&known.branch).to_owned(),
        from: account_name(language, known.from),
        to: account_name(language, known.to),
        amount,
        reason: known.reason.clone(),
        is_undone: known.is_undone,
        undoes: known.undoes.is_some(),
    }
}

fn read(fields: &CorrectionFields, view: &View, t: &NightTexts) -> Result<NewCorrection, Problem> {
    let account = |name: &str, pointer: &'static str| {
        name.parse::<MoneyAccount>()
            .map_err(|_| Problem::invalid_field(pointer, t.bad_account))
    };
    if fields.branch.trim().is_empty() {
        return Err(Problem::invalid_field("/branch", t.choose_branch));
    }
    let (from, to) = (account(&fields.from, "/from")?, account(&fields.to, "/to")?);
    let currency: Currency = fields.currency.trim().parse().map_err(|_| {
        Problem::invalid_field("/currency", "Must be an ISO 4217 code such as EUR.")
    })?;
    let amount = view
        .clock
        .read_amount(&fields.amount, currency.minor_digits());
    let amount_minor = amount
        .filter(|minor| *minor > 0)
        .ok_or_else(|| Problem::invalid_field("/amount", t.bad_amount))?;
    Ok(NewCorrection {
        branch: fields.branch.clone(),
        from,
        to,
        amount_minor,
        currency,
        reason: fields.reason.clone(),
    })
}

/// Books one.
pub(crate) async fn create(
    State(state): State<HubState>,
    who: May<may::NightMend>,
    PageForm { fields, request }: PageForm<CorrectionFields>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let t = NightTexts::of(view.language());
    let key = request.key.clone().unwrap_or_default();
    let person = who.person.clone();
    let acted = match read(&fields, &view, t) {
        Ok(new) => {
            let work = act(&state, &who, codes::NIGHT, request, move |tx| {
                Box::pin(async move {
                    let made = correct(tx, &person, &new).await?;
                    Ok(done(serde_json::json!({ "id": made.id.to_string() })))
                })
            });
            work.await
        }
        Err(problem) => Err(problem),
    };
    match acted {
        Ok(answered) => {
            if !answered.is_replay {
                let amount = format!("{} {}", fields.currency.trim(), fields.amount.trim());
                state
                    .said()
                    .say(&state, &who, Deed::new(amount, t.did_correct));
            }
            Ok(Redirect::to(&list_of(&fields.night)).into_response())
        }
        Err(problem) if is_refusal(&problem) => {
            show(&state, &who, &fields, key, Some(&problem)).await
        }
        Err(problem) => Err(problem),
    }
}

/// Where the form leads: the list, with the way back to the night.
fn list_of(night: &str) -> String {
    address(NIGHT_CORRECTIONS, &[("night", night)])
}

/// Takes one back.
pub(crate) async fn undo(
    State(state): State<HubState>,
    who: May<may::NightMend>,
    ApiPath(id): ApiPath<CorrectionId>,
    PageForm { fields, request }: PageForm<CorrectionFields>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let t = NightTexts::of(view.language());
    let key = request.key.clone().unwrap_or_default();
    let (person, reason) = (who.person.clone(), fields.reason.clone());
    let work = act(&state, &who, codes::NIGHT, request, move |tx| {
        Box::pin(async move {
            let made = undo_correction(tx, &person, id, &reason).await?;
            let amount = format!("{} {}", made.currency, made.amount_minor);
            Ok(done(serde_json::json!({ "amount": amount })))
        })
    });
    match work.await {
        Ok(answered) => {
            if !answered.is_replay {
                let deed = Deed::new(t.corrections, t.did_take_back);
                state.said().say(&state, &who, deed);
            }
            Ok(Redirect::to(&list_of(&fields.night)).into_response())
        }
        Err(problem) if is_refusal(&problem) => {
            let again = CorrectionFields {
                undo: id.to_string(),
                ..fields
            };
            show(&state, &who, &again, key, Some(&problem)).await
        }
        Err(problem) => Err(problem),
    }
}
