//! What a person owes on account, and the papers that it is made of.

use web_kit::fill;
use web_kit::wire::money;

use crate::app::account::{AccountLine, AccountView};
use crate::store::money::account::AccountEntryKind;
use crate::web::page::receipts::address;
use crate::web::page::till::pay_off;
use crate::web::view::View;
use domain::id::DocumentId;

/// Entries that stand open; the older ones are folded away.
const SHOWN: usize = 6;

web_kit::catalogue! {
    /// What the account of a person says.
    pub(super) struct AccountTexts {
        title: "Owed" | "Offenes",
        owes: "Owed at this branch" | "In dieser Filiale offen",
        limit: "{left} of {limit} may still be taken" | "{left} von {limit} sind noch frei",
        ended: "No account is open; what is owed stays." | "Es gibt kein Konto; was offen ist, bleibt.",
        since: "the oldest of it since {when}" | "das Älteste seit {when}",
        overdue: "overdue" | "überfällig",
        pay: "Take a payment" | "Zahlung nehmen",
        receipt: "Receipt" | "Beleg",
        when: "When" | "Wann",
        what: "What" | "Was",
        amount: "Amount" | "Betrag",
        open: "Still open" | "Noch offen",
        taken: "taken on account" | "angeschrieben",
        not_brought: "asked for, not come" | "angefordert, nicht gekommen",
        paid: "paid" | "bezahlt",
        given_back: "given back" | "erstattet",
        older: "{n} older ones" | "{n} ältere",
        none: "Nothing was taken on account here yet." | "Hier wurde noch nichts angeschrieben.",
    }
}

/// An entry, as the template shows it.
pub(super) struct EntryRow {
    pub(super) href: String,
    pub(super) number: String,
    pub(super) when: String,
    pub(super) what: &'static str,
    pub(super) amount: String,
    pub(super) open: String,
    pub(super) is_open: bool,
}

/// The account, as the template shows it.
pub(super) struct AccountPart {
    pub(super) t: &'static AccountTexts,
    pub(super) owed: String,
    pub(super) notes: Vec<String>,
    pub(super) is_overdue: bool,
    pub(super) pay_href: Option<String>,
    pub(super) rows: Vec<EntryRow>,
    pub(super) older: Vec<EntryRow>,
    pub(super) older_words: String,
}

pub(super) fn part(
    view: &View,
    customer: DocumentId,
    account: &AccountView,
    may_sell: bool,
) -> AccountPart {
    let t = AccountTexts::of(view.language());
    let plain = |minor: i64| view.amount(money(minor, account.currency));
    let full = |minor: i64| view.full_amount(money(minor, account.currency));
    let mut notes = Vec::new();
    if let Some(at_ms) = account.open_since_ms {
        notes.push(fill(t.since, &[("when", &view.clock.when(at_ms))]));
    }
    notes.push(match account.limit_minor {
        Some(limit) => fill(
            t.limit,
            &[
                ("left", &plain(account.left_minor)),
                ("limit", &plain(limit)),
            ],
        ),
        None => t.ended.to_owned(),
    });
    let mut rows: Vec<EntryRow> = account
        .entries
        .iter()
        .map(|entry| row(t, view, account, entry))
        .collect();
    let older = rows.split_off(rows.len().min(SHOWN));
    AccountPart {
        t,
        owed: full(account.owed_minor),
        notes,
        is_overdue: account.is_overdue,
        pay_href: (may_sell && account.owed_minor > 0)
            .then(|| pay_off(customer, account.owed_minor)),
        rows,
        older_words: fill(t.older, &[("n", &older.len())]),
        older,
    }
}

fn row(
    t: &'static AccountTexts,
    view: &View,
    account: &AccountView,
    entry: &AccountLine,
) -> EntryRow {
    let plain = |minor: i64| view.amount(money(minor, account.currency));
    EntryRow {
        href: address(&entry.number),
        number: entry.number.clone(),
        when: view.clock.when(entry.at_ms),
        what: match entry.kind {
            AccountEntryKind::Taken => t.taken,
            AccountEntryKind::NotBrought => t.not_brought,
            AccountEntryKind::Paid => t.paid,
            AccountEntryKind::GivenBack => t.given_back,
        },
        amount: plain(entry.amount_minor),
        is_open: entry.open_minor > 0,
        open: match entry.open_minor {
            0 => String::new(),
            minor => plain(minor),
        },
    }
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
