//! Whether a customer buys on account: the most that may be owed, and after how many days it is a matter for people.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use domain::id::DocumentId;
use domain::permission::Permission;
use domain::till::AccountRow;
use serde::Deserialize;
use sync_protocol::item::command as codes;
use web_kit::{ApiPath, Content, PageForm, Problem, SafeHtml, html_with_status};

use super::text;
use crate::api::caller::{May, may};
use crate::api::{Caller, HubState};
use crate::app::customer::get;
use crate::app::error::AppError;
use crate::app::money::accounts::{debts, terms};
use crate::app::money::rules::set_account;
use crate::web::CUSTOMERS;
use crate::web::act::{Refusal, act, done, is_refusal};
use crate::web::frame::frame;
use crate::web::places::Places;
use crate::web::said::{Deed, WayBack};
use crate::web::view::View;

/// Days to pay that a new account begins with.
const USUAL_DAYS: u16 = 14;

web_kit::catalogue! {
    /// The words of an account, on the page of the customer and on its form.
    pub(crate) struct AccountTexts {
        title: "Buying on account" | "Kauf auf Rechnung",
        open: "Open an account" | "Konto eröffnen",
        change: "Change" | "Ändern",
        none: "Pays at once." | "Zahlt sofort.",
        owes: "Owes" | "Schuldet",
        nothing: "nothing" | "nichts",
        limit: "Limit" | "Grenze",
        limit_hint: "The most that may be owed, in {currency}" | "Das Höchste, was offen sein darf, in {currency}",
        days: "Days to pay" | "Zahlungsziel in Tagen",
        days_short: "Days to pay" | "Zahlungsziel",
        days_hint: "0 to 365; then it is a matter for people" | "0 bis 365; danach kümmert sich jemand",
        why: "Every branch may then write up what this customer buys, each up to the limit, also while cut off." | "Jede Filiale darf dann anschreiben, was dieser Kunde kauft, jede bis zur Grenze, auch getrennt.",
        back: "Back to the customer" | "Zurück zum Kunden",
        save: "Save" | "Speichern",
        end: "End the account" | "Konto beenden",
        end_why: "What is owed stays owed; nothing more is written up." | "Was offen ist, bleibt offen; nichts Weiteres wird angeschrieben.",
        refused: "Nothing was changed" | "Nichts wurde geändert",
        did: "may buy on account" | "darf auf Rechnung kaufen",
        did_end: "pays at once from now on" | "zahlt ab jetzt sofort",
    }
}

/// What the page of a customer shows of the account.
pub(crate) struct AccountPart {
    pub(crate) t: &'static AccountTexts,
    /// Name and value, where there is an account.
    pub(crate) facts: Vec<(&'static str, String)>,
    pub(crate) href: Option<String>,
}

/// The account as the page of the customer shows it.
pub(crate) async fn part(
    state: &HubState,
    who: &Caller,
    view: &View,
    places: &Places,
    id: DocumentId,
) -> Result<Option<AccountPart>, Problem> {
    if !who.person.may(Permission::MoneyRead) {
        return Ok(None);
    }
    let t = AccountTexts::of(view.language());
    let known = terms(state.hub(), id).await?;
    let mut facts = Vec::new();
    let owed = debts(state.hub(), id).await?;
    let owed: Vec<String> = owed
        .values()
        .filter(|debt| debt.owed_minor != 0)
        .map(|debt| {
            let currency = debt.currency.parse().unwrap_or_default();
            view.full_amount(domain::money::Money {
                amount_minor: debt.owed_minor,
                currency,
            })
        })
        .collect();
    if let Some((_, terms)) = &known {
        let limit = domain::money::Money {
            amount_minor: terms.limit_minor,
            currency: places.currency(),
        };
        let owed = if owed.is_empty() {
            t.nothing.to_owned()
        } else {
            owed.join(" + ")
        };
        facts.push((t.owes, owed));
        facts.push((t.limit, view.full_amount(limit)));
        facts.push((t.days_short, terms.due_days.to_string()));
    } else if !owed.is_empty() {
        facts.push((t.owes, owed.join(" + ")));
    }
    let may_write = who.person.may(Permission::SettingsWrite);
    Ok(Some(AccountPart {
        t,
        facts,
        href: may_write.then(|| format!("{CUSTOMERS}/{id}/account")),
    }))
}

/// What was typed.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct AccountFields {
    #[serde(default)]
    limit: String,
    #[serde(default)]
    days: String,
    /// `end` where the account ends.
    #[serde(default)]
    act: String,
    #[serde(default)]
    version: u64,
}

#[derive(Template)]
#[template(path = "customers/account.html")]
struct Page<'a> {
    t: &'a AccountTexts,
    action: String,
    back: String,
    key: &'a str,
    name: String,
    limit_hint: String,
    fields: &'a AccountFields,
    has_account: bool,
    refusal: &'a Refusal,
    problems: Vec<String>,
}

/// The form.
pub(crate) async fn form(
    State(state): State<HubState>,
    who: May<may::SettingsWrite>,
    ApiPath(id): ApiPath<DocumentId>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let key = state.form_key().to_string();
    let fields = fields_of(&state, &view, id).await?;
    let place = (StatusCode::OK, key.as_str());
    show(&state, &who, &view, id, place, (&fields, &Refusal::none())).await
}

async fn fields_of(
    state: &HubState,
    view: &View,
    id: DocumentId,
) -> Result<AccountFields, Problem> {
    let digits = Places::of(state).await?.currency().minor_digits();
    let known = terms(state.hub(), id).await?;
    Ok(match known {
        Some((version, terms)) => AccountFields {
            limit: view.clock.amount(terms.limit_minor, digits),
            days: terms.due_days.to_string(),
            act: String::new(),
            version,
        },
        None => AccountFields {
            days: USUAL_DAYS.to_string(),
            ..AccountFields::default()
        },
    })
}

async fn show(
    state: &HubState,
    who: &Caller,
    view: &View,
    id: DocumentId,
    (status, key): (StatusCode, &str),
    (fields, refusal): (&AccountFields, &Refusal),
) -> Result<Response, Problem> {
    let customer = get(state.hub(), &who.person, id).await?;
    let t = AccountTexts::of(view.language());
    let currency = Places::of(state).await?.currency();
    let has_account = terms(state.hub(), id).await?.is_some();
    let body = SafeHtml::render(&Page {
        t,
        action: format!("{CUSTOMERS}/{id}/account"),
        back: format!("{CUSTOMERS}/{id}"),
        key,
        name: text(customer.values.name.as_ref()),
        limit_hint: web_kit::fill(t.limit_hint, &[("currency", &currency.as_str())]),
        fields,
        has_account,
        refusal,
        problems: refusal.above(&["limit", "due_days"]),
    })?;
    let page = frame(state, who, view, CUSTOMERS)
        .await?
        .render(&Content::new(t.title, body))?;
    Ok(html_with_status(status, page))
}

fn read(view: &View, fields: &AccountFields, digits: u8) -> Result<Option<AccountRow>, AppError> {
    if fields.act == "end" {
        return Ok(None);
    }
    let limit = view.clock.read_amount(&fields.limit, digits);
    let limit_minor =
        limit.ok_or_else(|| AppError::field("/limit", "write digits, as in 12.90"))?;
    let days = fields.days.trim().parse::<u16>().ok();
    let due_days = days.filter(|days| *days <= 365);
    let due_days = due_days.ok_or_else(|| AppError::field("/due_days", "must be from 0 to 365"))?;
    Ok(Some(AccountRow {
        limit_minor,
        due_days,
    }))
}

/// Opens the account, changes it, or ends it.
pub(crate) async fn save(
    State(state): State<HubState>,
    who: May<may::SettingsWrite>,
    ApiPath(id): ApiPath<DocumentId>,
    PageForm { fields, request }: PageForm<AccountFields>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let key = request.key.clone().unwrap_or_default();
    let customer = get(state.hub(), &who.person, id).await?;
    let before = terms(state.hub(), id).await?;
    let digits = Places::of(&state).await?.currency().minor_digits();
    let saved = match read(&view, &fields, digits) {
        Ok(wanted) => {
            act(&state, &who, codes::ROWS, request, move |tx| {
                Box::pin(async move {
                    set_account(tx, id, wanted).await?;
                    Ok(done(serde_json::json!({ "ended": wanted.is_none() })))
                })
            })
            .await
        }
        Err(error) => Err(error.into()),
    };
    match saved {
        Ok(answered) => {
            if !answered.is_replay {
                let t = AccountTexts::of(view.language());
                let ended = answered.answer.body["ended"] == true;
                let words = if ended { t.did_end } else { t.did };
                let name = text(customer.values.name.as_ref());
                let deed = Deed::new(name, words).back(way_back(id, before.map(|(_, row)| row)));
                state.said().say(&state, &who, deed);
            }
            Ok(Redirect::to(&format!("{CUSTOMERS}/{id}")).into_response())
        }
        Err(problem) if is_refusal(&problem) => {
            let refusal = Refusal::of(&problem, view.language());
            let place = (problem.status(), key.as_str());
            show(&state, &who, &view, id, place, (&fields, &refusal)).await
        }
        Err(problem) => Err(problem),
    }
}

fn way_back(id: DocumentId, before: Option<AccountRow>) -> WayBack {
    let back = format!("{CUSTOMERS}/{id}");
    WayBack::new(Permission::SettingsWrite, codes::ROWS, back, move |tx| {
        Box::pin(async move { set_account(tx, id, before).await })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_say_the_same_things() {
        assert_eq!(
            web_kit::language::flaws(AccountTexts::ALL),
            Vec::<String>::new()
        );
    }
}
