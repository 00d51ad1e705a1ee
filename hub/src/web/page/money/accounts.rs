//! Customers who buy on account, with what they owe: those above their limit or past their days first.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::id::DocumentId;
use web_kit::{PageRequest, Problem, SafeHtml, fill, html};

use super::texts::{AccountTexts, MoneyTexts};
use super::{amount_of, money, respond};
use crate::api::HubState;
use crate::api::caller::{May, may};
use crate::app::customer::{CustomerState, these};
use crate::app::money::accounts::{Account, accounts};
use crate::web::places::Places;
use crate::web::view::View;
use crate::web::{CUSTOMERS, MONEY_ACCOUNTS};

struct Row {
    href: String,
    name: String,
    home: String,
    owes: Vec<String>,
    is_above: bool,
    limit: String,
    days: String,
    oldest: String,
    is_overdue: bool,
}

#[derive(Template)]
#[template(path = "money/accounts.html")]
struct Page<'a> {
    m: &'a MoneyTexts,
    t: &'a AccountTexts,
    here: &'static str,
    rows: Vec<Row>,
}

/// The page, or its list alone when a script asks again.
pub(crate) async fn list(
    State(state): State<HubState>,
    who: May<may::MoneyRead>,
    asked: PageRequest,
) -> Result<Response, Problem> {
    who.person
        .require(domain::permission::Permission::CustomersRead)?;
    let view = View::of(&state, &who).await?;
    let found = accounts(state.hub()).await?;
    let ids: Vec<DocumentId> = found.iter().map(|account| account.customer).collect();
    let people = these(state.hub(), who.person.scope(), ids).await?;
    let people: BTreeMap<DocumentId, CustomerState> = people
        .into_iter()
        .map(|person| (person.record.document, person))
        .collect();
    let places = Places::of(&state).await?;
    let mut rows: Vec<Row> = found
        .iter()
        .filter_map(|account| Some(row(&view, &places, people.get(&account.customer)?, account)))
        .collect();
    rows.sort_by_cached_key(|row| {
        let rank = (row.is_above, row.is_overdue, !row.owes.is_empty());
        (std::cmp::Reverse(rank), row.name.to_lowercase())
    });
    let body = SafeHtml::render(&Page {
        m: MoneyTexts::of(view.language()),
        t: AccountTexts::of(view.language()),
        here: MONEY_ACCOUNTS,
        rows,
    })?;
    if asked.is_fragment() {
        return Ok(html(body));
    }
    respond(&state, &who, &view, (StatusCode::OK, MONEY_ACCOUNTS), body).await
}

fn row(view: &View, places: &Places, person: &CustomerState, account: &Account) -> Row {
    let t = AccountTexts::of(view.language());
    let terms = &account.terms;
    let owing = || {
        account
            .debts
            .iter()
            .filter(|(_, debt)| debt.owed_minor != 0)
    };
    let single = owing().count() == 1;
    let owes = owing().map(|(code, debt)| {
        let amount = amount_of(view, debt.owed_minor, &debt.currency);
        if single {
            amount
        } else {
            fill(
                t.at_branch,
                &[("branch", &places.name(code)), ("amount", &amount)],
            )
        }
    });
    let oldest_ms = owing().filter_map(|(_, debt)| debt.oldest_ms).min();
    let days_ms = i64::from(terms.due_days) * 86_400_000;
    let is_overdue = oldest_ms.is_some_and(|at_ms| view.clock.now_ms() - at_ms > days_ms);
    let age = view.age(oldest_ms);
    let name = person.values.name.as_ref();
    Row {
        href: format!("{CUSTOMERS}/{}", account.customer),
        name: name.map_or_else(|| t.closed.to_owned(), |name| name.expose().clone()),
        home: places.name(&person.branch).to_owned(),
        owes: owes.collect(),
        is_above: owing().any(|(_, debt)| debt.owed_minor > terms.limit_minor),
        limit: view.full_amount(money(terms.limit_minor, places.currency())),
        days: fill(t.days_n, &[("n", &terms.due_days)]),
        oldest: if is_overdue {
            fill(t.overdue, &[("age", &age), ("days", &terms.due_days)])
        } else {
            age
        },
        is_overdue,
    }
}
