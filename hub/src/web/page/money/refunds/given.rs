//! What was given back, newest first, with where the money stands.

use std::collections::BTreeMap;

use domain::id::StaffId;
use serde::Deserialize;
use web_kit::{Cursor, ListQuery, Problem};

use super::super::texts::{MoneyTexts, RefundTexts};
use super::super::words::{self, Look};
use super::super::{MONEY_REFUNDS, money};
use crate::api::{Caller, HubState};
use crate::app::money::read::branch_named;
use crate::app::money::refunds::{BackState, BackTender, Given, WantedRefunds, given};
use crate::app::money::sessions::day_named;
use crate::app::staff::names;
use crate::store::scope::Place;
use crate::web::MONEY_RECEIPTS;
use crate::web::act::address;
use crate::web::list::Pager;
use crate::web::places::{Choice, Places};
use crate::web::view::View;

const LIST: &str = "refunds page";
const ROWS: u32 = 50;

/// Which refunds.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct RefundsQuery {
    #[serde(default)]
    branch: String,
    #[serde(default)]
    day: String,
    #[serde(default)]
    cursor: String,
}

impl RefundsQuery {
    /// The address of the same list behind a cursor.
    pub(super) fn address(&self, cursor: &str) -> String {
        let parts = [
            ("branch", self.branch.as_str()),
            ("day", self.day.as_str()),
            ("cursor", cursor),
        ];
        address(MONEY_REFUNDS, &parts)
    }

    pub(super) fn is_narrowed(&self) -> bool {
        !(self.branch.is_empty() && self.day.is_empty())
    }

    pub(super) fn is_first(&self) -> bool {
        self.cursor.is_empty()
    }

    pub(super) fn here(&self) -> String {
        self.address(&self.cursor)
    }
}

/// How some of a refund goes back.
pub(super) struct TenderRow {
    pub(super) words: &'static str,
    pub(super) amount: String,
    pub(super) look: Look,
    pub(super) detail: String,
    pub(super) href: Option<String>,
}

pub(super) fn tender_row(view: &View, given: &Given, tender: &BackTender) -> TenderRow {
    let name = tender.tender.as_str();
    let payment = format!("{}/{}", crate::web::MONEY_PAYMENTS, tender.payment);
    TenderRow {
        words: words::tender(view.language(), name),
        amount: view.full_amount(money(tender.amount_minor, given.row.currency)),
        look: look(view, tender.state),
        detail: tender.detail.clone(),
        href: tender.tender.is_asked_for().then_some(payment),
    }
}

fn look(view: &View, state: BackState) -> Look {
    let t = RefundTexts::of(view.language());
    let (icon, words, tone) = match state {
        BackState::Given => ("check", t.at_counter, "agreed"),
        BackState::Queued => ("clock", t.queued, "apart"),
        BackState::Asked => ("link", t.at_provider, "moving"),
        BackState::Repaid => ("check", t.repaid, "agreed"),
        BackState::Failed => ("late", t.failed, "late"),
    };
    Look { icon, words, tone }
}

/// A refund in the list.
pub(super) struct GivenRow {
    pub(super) href: String,
    pub(super) number: String,
    pub(super) when: String,
    pub(super) by: String,
    pub(super) branch: String,
    pub(super) receipt: Option<(String, String)>,
    pub(super) reason: String,
    pub(super) tenders: Vec<TenderRow>,
    pub(super) amount: String,
}

/// The list, and what narrows it.
pub(super) struct GivenPart {
    pub(super) branches: Vec<Choice>,
    pub(super) day: String,
    pub(super) rows: Vec<GivenRow>,
    /// What all amounts are in, where that is one currency.
    pub(super) currency: Option<String>,
    pub(super) pager: Pager,
}

pub(super) async fn part(
    state: &HubState,
    who: &Caller,
    view: &View,
    places: &Places,
    query: &RefundsQuery,
) -> Result<GivenPart, Problem> {
    let m = MoneyTexts::of(view.language());
    let page = ListQuery {
        limit: ROWS,
        cursor: Some(query.cursor.clone()),
    };
    let wanted = WantedRefunds {
        branch: branch_named(state.hub(), Some(&query.branch)).await?,
        day: day_named("/day", &query.day)?,
        place: page.after::<Place>(LIST)?,
        limit: i64::from(ROWS) + 1,
    };
    let found = given(state.hub(), &who.person, &wanted).await?;
    let cut = web_kit::Page::cut(found, ROWS, |last: &Given| {
        Cursor::encode(LIST, &(last.row.at_ms, *last.row.id.as_bytes()))
    });
    let people: Vec<StaffId> = cut.items.iter().map(|given| given.row.staff).collect();
    let names = names(state.hub(), &people).await?;
    let mut currencies = cut.items.iter().map(|given| given.row.currency);
    let first = currencies.next();
    let is_one = currencies.all(|other| Some(other) == first);
    Ok(GivenPart {
        branches: places.choices_of(&who.person.scope(), &query.branch, m.any_branch),
        day: query.day.clone(),
        rows: cut
            .items
            .iter()
            .map(|given| row(view, places, &names, given, is_one))
            .collect(),
        currency: first.filter(|_| is_one).map(|one| one.to_string()),
        pager: Pager {
            first: (!query.is_first()).then(|| query.address("")),
            next: cut.next_cursor.map(|next| query.address(&next)),
            first_words: m.newest,
            next_words: m.older,
        },
    })
}

fn row(
    view: &View,
    places: &Places,
    names: &BTreeMap<StaffId, String>,
    given: &Given,
    is_one_currency: bool,
) -> GivenRow {
    let amount = money(given.row.amount_minor, given.row.currency);
    let receipt = format!("{MONEY_RECEIPTS}/{}", given.row.receipt);
    GivenRow {
        href: format!("{MONEY_REFUNDS}/{}", given.row.id),
        number: given.number.clone(),
        when: view.clock.when(given.row.at_ms),
        by: names.get(&given.row.staff).cloned().unwrap_or_default(),
        branch: places.name(&given.branch).to_owned(),
        receipt: given.receipt.clone().map(|number| (number, receipt)),
        reason: given
            .refund
            .as_ref()
            .map(|refund| refund.reason.clone())
            .unwrap_or_default(),
        tenders: given
            .tenders
            .iter()
            .map(|tender| tender_row(view, given, tender))
            .collect(),
        amount: if is_one_currency {
            view.amount(amount)
        } else {
            view.full_amount(amount)
        },
    }
}
