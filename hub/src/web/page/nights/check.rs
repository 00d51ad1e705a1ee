//! One check of one branch as it is shown: its state, its rule, its figures and the records behind it.

use std::collections::BTreeMap;

use domain::id::{PaymentId, ReceiptId, RefundId, SessionId};
use domain::ledger::MoneyAccount;
use domain::money::{Currency, Money};
use domain::permission::Permission;
use domain::reconcile::{Check, CheckState, Figure};
use web_kit::{Language, fill};

use super::details::detail;
pub(super) use super::details::money;
use super::rules::{RuleWords, rule_of};
use super::texts::{
    NightTexts, account_name, check_name, figure_name, look, record_kind, state_words,
};
use crate::api::Caller;
use crate::app::exceptions::Subject;
use crate::app::reconcile::{BranchNight, CheckResult, RecordView, show_day};
use crate::web::act::{address, encode};
use crate::web::page::transfers::number_of;
use crate::web::view::View;
use crate::web::{
    BRANCHES, CUSTOMERS, MONEY_CASH, MONEY_PAYMENTS, MONEY_RECEIPTS, MONEY_REFUNDS,
    MONEY_SETTLEMENTS, NIGHT_CORRECTIONS, ORDERS, STOCK, TRANSFERS,
};

/// What records are about, by their subjects.
pub(super) type Subjects = BTreeMap<String, Subject>;

/// A record as a row.
#[derive(Debug)]
pub(super) struct RecordRow {
    pub(super) tone: &'static str,
    pub(super) icon: &'static str,
    pub(super) state: &'static str,
    pub(super) title: String,
    pub(super) href: Option<String>,
    pub(super) detail: String,
    pub(super) amount: String,
}

/// A check as it is shown.
#[derive(Debug)]
pub(super) struct CheckView {
    pub(super) slug: &'static str,
    pub(super) name: &'static str,
    pub(super) tone: &'static str,
    pub(super) icon: &'static str,
    pub(super) state: &'static str,
    pub(super) is_red: bool,
    pub(super) is_amber: bool,
    pub(super) is_green: bool,
    pub(super) rule: RuleWords,
    pub(super) figures: Vec<(String, String)>,
    pub(super) records: Vec<RecordRow>,
    pub(super) more: String,
    /// Where an amount of it is put right.
    pub(super) correct: Option<String>,
}

/// What a check is shown from.
pub(super) struct Shower<'a> {
    pub(super) who: &'a Caller,
    pub(super) view: &'a View,
    pub(super) t: &'static NightTexts,
    pub(super) day: i32,
    pub(super) subjects: &'a Subjects,
    /// Records of each check at most.
    pub(super) most: usize,
}

impl Shower<'_> {
    /// One check of a branch's night.
    pub(super) fn show(&self, night: &BranchNight, result: &CheckResult) -> CheckView {
        let language = self.view.language();
        let (icon, tone) = look(result.state);
        let shown = result.records.len().min(self.most);
        let found = usize::try_from(result.found).unwrap_or_default();
        CheckView {
            slug: result.check.as_str(),
            name: check_name(language, result.check),
            tone,
            icon,
            state: state_words(language, result.state),
            is_red: result.state == CheckState::Red,
            is_amber: result.state == CheckState::Amber,
            is_green: result.state == CheckState::Green,
            rule: rule_of(result.check, language),
            figures: figures(self.view, result),
            records: result.records[..shown]
                .iter()
                .map(|record| self.row(night, record))
                .collect(),
            more: match found.saturating_sub(shown) {
                0 => String::new(),
                more => fill(self.t.more_records, &[("n", &self.view.count(more as u64))]),
            },
            correct: self.correct(night, result),
        }
    }

    fn row(&self, night: &BranchNight, record: &RecordView) -> RecordRow {
        let (icon, tone) = look(record.state);
        let about = self.subjects.get(&record.subject);
        RecordRow {
            tone,
            icon,
            state: state_words(self.view.language(), record.state),
            title: title(self.view, record, about),
            href: href(night, record, about),
            detail: detail(self.view, record),
            amount: match amount_of(record) {
                Some((minor, currency)) => money(self.view, minor, currency),
                None => String::new(),
            },
        }
    }

    /// The form of a correction, filled with what this check says is off.
    fn correct(&self, night: &BranchNight, result: &CheckResult) -> Option<String> {
        if night.branch.is_nil() || !self.who.person.may(Permission::NightMend) {
            return None;
        }
        let records = result.records.iter();
        let (account, minor, currency) = match result.check {
            Check::Cash => {
                let (minor, currency) = records.clone().find_map(amount_of)?;
                // What was counted too little lies on the account of differences.
                (MoneyAccount::Difference, minor.saturating_neg(), currency)
            }
            Check::Ledger => records.clone().find_map(|record| {
                let account = record.subject.parse::<MoneyAccount>().ok()?;
                let (minor, currency) = amount_of(record)?;
                Some((account, minor, currency))
            })?,
            _ => return None,
        };
        let (from, to) = if minor < 0 {
            (MoneyAccount::Corrections, account)
        } else {
            (account, MoneyAccount::Corrections)
        };
        let amount = self.view.amount(Money {
            amount_minor: minor.saturating_abs(),
            currency,
        });
        Some(address(
            NIGHT_CORRECTIONS,
            &[
                ("branch", &night.code),
                ("from", from.as_str()),
                ("to", to.as_str()),
                ("amount", &amount),
                ("currency", currency.as_str()),
                ("night", &show_day(self.day)),
            ],
        ))
    }
}

/// The amount of a record, where it is money.
pub(super) fn amount_of(record: &RecordView) -> Option<(i64, Currency)> {
    let (minor, currency) = record.amount.as_ref()?;
    Some((*minor, currency.parse().ok()?))
}

/// The figures of a check, by name.
pub(super) fn figures(view: &View, result: &CheckResult) -> Vec<(String, String)> {
    let shown = result.figures.iter().map(|(key, figure)| {
        let value = match figure {
            Figure::Count(count) => view.clock.number(*count),
            Figure::Money {
                amount_minor,
                currency,
            } => money(view, *amount_minor, *currency),
        };
        (figure_name(view.language(), key), value)
    });
    shown.collect()
}

fn title(view: &View, record: &RecordView, about: Option<&Subject>) -> String {
    let language = view.language();
    let kind = record_kind(language, &record.kind);
    let name = match (record.kind.as_str(), about) {
        (_, Some(Subject::Order { number, .. })) => number.clone(),
        (_, Some(Subject::Part { sku, name })) if name.is_empty() => sku.clone(),
        (_, Some(Subject::Part { sku, name })) => return format!("{name} {sku}"),
        (_, Some(Subject::Customer(_))) => return record_kind(language, "customer"),
        (_, Some(Subject::Transfer(id))) => number_of(*id),
        ("account" | "balance", None) => account(language, &record.subject),
        ("clock" | "digest", None) => day_name(view, &record.subject),
        ("payment" | "receipt" | "refund" | "session" | "document" | "order" | "part", None) => {
            record
                .subject
                .get(..8)
                .unwrap_or(&record.subject)
                .to_owned()
        }
        _ => record.subject.clone(),
    };
    format!("{kind} {name}")
}

fn account(language: Language, name: &str) -> String {
    match name.parse::<MoneyAccount>() {
        Ok(account) => account_name(language, account).to_owned(),
        Err(_) => record_kind(language, name),
    }
}

fn day_name(view: &View, number: &str) -> String {
    let day = number.parse::<i32>().ok();
    day.map_or_else(|| number.to_owned(), |day| short_day(view, day))
}

/// A business day in short: `19 Nov`.
pub(super) fn short_day(view: &View, day: i32) -> String {
    view.business_day(day)
}

/// A business day in full: `Thursday 19 November 2026`.
pub(super) fn long_day(view: &View, day: i32) -> String {
    let text = show_day(day);
    let noon = view.clock.read(&format!("{text}T12:00"));
    noon.map_or(text, |at_ms| view.clock.day(at_ms))
}

fn href(night: &BranchNight, record: &RecordView, about: Option<&Subject>) -> Option<String> {
    match about {
        Some(Subject::Order { id, .. }) => return Some(format!("{ORDERS}/{id}")),
        Some(Subject::Customer(id)) => return Some(format!("{CUSTOMERS}/{id}")),
        Some(Subject::Part { sku, .. }) => {
            let branch = [("branch", night.code.as_str())];
            return Some(address(&format!("{STOCK}/{}", encode(sku)), &branch));
        }
        Some(Subject::Transfer(id)) => {
            return Some(address(TRANSFERS, &[("shown", &id.to_string())]));
        }
        None => {}
    }
    match record.kind.as_str() {
        "log" | "head" | "clock" | "digest" if !night.code.is_empty() => {
            Some(format!("{BRANCHES}/{}", night.code))
        }
        "payment" if record.subject.parse::<PaymentId>().is_ok() => {
            Some(format!("{MONEY_PAYMENTS}/{}", record.subject))
        }
        "receipt" if record.subject.parse::<ReceiptId>().is_ok() => {
            Some(format!("{MONEY_RECEIPTS}/{}", record.subject))
        }
        "refund" if record.subject.parse::<RefundId>().is_ok() => {
            Some(format!("{MONEY_REFUNDS}/{}", record.subject))
        }
        "session" if record.subject.parse::<SessionId>().is_ok() => {
            Some(format!("{MONEY_CASH}/{}", record.subject))
        }
        "settlement" | "payout" => Some(MONEY_SETTLEMENTS.to_owned()),
        _ => None,
    }
}
