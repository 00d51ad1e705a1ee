//! The words of nights: checks, states, figures, accounts, and what pages say around them.

use domain::ledger::MoneyAccount;
use domain::reconcile::{Check, CheckState};
use web_kit::Language;

web_kit::catalogue! {
    /// What the pages of nights say.
    pub(super) struct NightTexts {
        nights: "Nights" | "Nächte",
        title: "Night of {day}" | "Nacht vom {day}",
        title_branch: "{branch}, {day}" | "{branch}, {day}",
        before: "Night before" | "Vorige Nacht",
        after: "Next night" | "Nächste Nacht",
        all_nights: "All nights" | "Alle Nächte",
        report: "Report" | "Bericht",
        print: "Print" | "Drucken",
        csv: "CSV" | "CSV",
        compare: "Compare" | "Vergleichen",
        corrections: "Corrections" | "Berichtigungen",
        back: "Night" | "Nacht",
        sign: "Sign off" | "Abzeichnen",
        sign_open_one: "Sign with 1 open point…" | "Mit 1 Punkt abzeichnen…",
        sign_open: "Sign with {n} open points…" | "Mit {n} Punkten abzeichnen…",
        sign_title: "Sign off the night of {day}" | "Nacht vom {day} abzeichnen",
        sign_title_branch: "Sign off {branch}, {day}" | "{branch}, {day} abzeichnen",
        reopen: "Open again…" | "Wieder öffnen…",
        reopen_do: "Open again" | "Wieder öffnen",
        reopen_title: "Open the night of {day} again" | "Nacht vom {day} wieder öffnen",
        reopen_why: "What was signed stays in the audit, and so does this." | "Was abgezeichnet war, bleibt im Protokoll, und das hier auch.",
        signed_by: "Signed off by {name}, {when}" | "Abgezeichnet von {name}, {when}",
        not_signed: "Not signed off" | "Nicht abgezeichnet",
        signed: "signed" | "abgezeichnet",
        open_points: "Open points" | "Offene Punkte",
        no_open_points: "Every check agrees; nothing has to be explained." | "Alles stimmt; es ist nichts zu erklären.",
        reason: "Reason" | "Grund",
        reason_sign: "What was looked into, and why this stands" | "Was angesehen wurde, und warum es so bleibt",
        reason_reopen: "Why the night is looked into again" | "Warum die Nacht wieder angesehen wird",
        may_not_sign: "Only somebody of the whole chain can sign all branches; sign yours one by one." | "Alle Filialen zeichnet nur jemand von der ganzen Kette ab; zeichnen Sie Ihre einzeln ab.",
        cancel: "Back" | "Zurück",
        did_sign: "is signed off" | "ist abgezeichnet",
        did_reopen: "is open again" | "ist wieder offen",
        undo_reason: "Taken back right after signing" | "Gleich nach dem Abzeichnen zurückgenommen",
        run_again: "Run again" | "Neu prüfen",
        run_now: "Run a night" | "Nacht prüfen",
        run_started: "is being checked; the page follows" | "wird geprüft; die Seite folgt",
        running: "Being checked now: {branches}" | "Wird gerade geprüft: {branches}",
        day: "Business date" | "Geschäftstag",
        branch: "Branch" | "Filiale",
        every_branch: "Every branch" | "Alle Filialen",
        choose_branch: "Choose a branch" | "Filiale wählen",
        none: "There is no night yet" | "Noch gibt es keine Nacht",
        none_why: "Each branch is checked at night, at its own hour. The first night shows here by itself." | "Jede Filiale wird nachts zu ihrer Stunde geprüft. Die erste Nacht erscheint hier von selbst.",
        branches: "Branches" | "Filialen",
        agree_all: "agree on all" | "stimmen",
        of: "{some} of {n}" | "{some} von {n}",
        proved_tx: "Transactions, branch logs and hub" | "Einträge, Filialen und Zentrale",
        stock_off: "Stock, branch and hub apart" | "Bestand, Filiale gegen Zentrale",
        over_parts: "over {n} parts" | "bei {n} Teilen",
        cash_diff: "Cash, counted against expected" | "Kasse, gezählt gegen erwartet",
        sessions: "{n} sessions" | "{n} Kassen",
        one_session: "1 session" | "1 Kasse",
        cards: "Payments on statements" | "Zahlungen in Abrechnungen",
        cards_wait: "{n} not due yet" | "{n} noch nicht fällig",
        cards_off: "{n} do not agree" | "{n} stimmen nicht",
        checks_by_branch: "Checks by branch" | "Prüfungen nach Filiale",
        to_look_one: "1 to look at" | "1 anzusehen",
        to_look: "{n} to look at" | "{n} anzusehen",
        agree_one: "1 agrees on all checks" | "1 stimmt ganz",
        agree: "{n} agree on all checks" | "{n} stimmen ganz",
        missing: "{n} not checked yet" | "{n} noch nicht geprüft",
        missing_why: "checked at its own hour" | "wird zu ihrer Stunde geprüft",
        unreconciled: "unreconciled since {day}, proved as soon as its word is here" | "ungeprüft seit {day}, wird geprüft, sobald ihr Abschluss da ist",
        cut_off: "cut off, unreconciled since {day}, proved as soon as it is heard again" | "getrennt, ungeprüft seit {day}, wird geprüft, sobald sie wieder da ist",
        now: "is being checked now" | "wird gerade geprüft",
        waiting: "could not be checked and is tried again" | "ließ sich nicht prüfen und wird neu versucht",
        of_none: "Of no branch" | "Ohne Filiale",
        of_none_why: "Payouts and lines of statements that name no branch" | "Auszahlungen und Zeilen, die keine Filiale nennen",
        agrees: "agrees" | "stimmt",
        cell: "{branch}, {check}: {state}, {what}" | "{branch}, {check}: {state}, {what}",
        one_record: "1 record" | "1 Eintrag",
        n_records: "{n} records" | "{n} Einträge",
        check_of: "{check}, {branch}" | "{check}, {branch}",
        records: "Records" | "Einträge",
        more_records: "{n} more are in the table of this night" | "{n} weitere stehen in der Tabelle dieser Nacht",
        figures: "Figures" | "Zahlen",
        no_figures: "No figures yet" | "Noch keine Zahlen",
        rule: "Rule" | "Regel",
        compares: "Compared" | "Verglichen",
        why_red: "Red when" | "Rot, wenn",
        why_amber: "Amber when" | "Gelb, wenn",
        how: "To mend it" | "Abhilfe",
        all_checks: "All checks" | "Alle Prüfungen",
        correct: "Book a correction" | "Berichtigen",
        to_statements: "Lines of statements" | "Zeilen der Abrechnungen",
        all_well: "Everything agrees" | "Alles stimmt",
        all_well_why: "Logs, documents, stock and money of every branch are what they should be." | "Protokolle, Dokumente, Bestand und Geld jeder Filiale sind, wie sie sein sollen.",
        check: "Check" | "Prüfung",
        state: "State" | "Zustand",
        green_checks: "What agrees" | "Was stimmt",
        rounds: "Rounds" | "Durchgänge",
        redone: "Done again by itself at {at}: lost entries of the branch's log had come back." | "Um {at} von selbst wiederholt: verlorene Einträge des Filialprotokolls waren zurückgekommen.",
        started: "Begun" | "Begonnen",
        finished: "Done" | "Fertig",
        by: "By" | "Von",
        done_of: "{some} of {n} done" | "{some} von {n} fertig",
        night: "Night" | "Nacht",
        signed_col: "Signed off" | "Abgezeichnet",
        older: "Older nights" | "Ältere Nächte",
        newest: "Newest" | "Neueste",
        with_before: "with the night before" | "mit der Nacht davor",
        compare_title: "Two nights" | "Zwei Nächte",
        worse: "Became worse" | "Schlechter geworden",
        better: "Became better" | "Besser geworden",
        same_bad: "Still to look at" | "Weiter anzusehen",
        moved: "Agree in both nights, other figures" | "Stimmen beide Male, andere Zahlen",
        no_change: "Nothing differs" | "Nichts unterscheidet sich",
        no_change_why: "Every check of every branch came to the same, with the same figures." | "Jede Prüfung jeder Filiale ergab dasselbe, mit denselben Zahlen.",
        n_state: "{state}: {n}" | "{state}: {n}",
        not_there: "no night" | "keine Nacht",
        first_night: "First night" | "Erste Nacht",
        second_night: "Second night" | "Zweite Nacht",
        corr_title: "Corrections of the ledger" | "Berichtigungen der Konten",
        corr_none: "Nothing was put right by hand" | "Nichts wurde von Hand berichtigt",
        corr_none_why: "A correction moves an amount between two accounts of a branch, with its reason." | "Eine Berichtigung bewegt einen Betrag zwischen zwei Konten einer Filiale, mit ihrem Grund.",
        corr_new: "New correction" | "Neue Berichtigung",
        corr_from: "From account" | "Von Konto",
        corr_to: "To account" | "Auf Konto",
        amount: "Amount" | "Betrag",
        currency: "Currency" | "Währung",
        corr_reason: "Why the amount is moved" | "Warum der Betrag bewegt wird",
        corr_hint: "It stands in the ledger and in the audit under your name, and can be taken back." | "Sie steht unter Ihrem Namen in Konten und Protokoll und lässt sich zurücknehmen.",
        corr_book: "Book" | "Buchen",
        corr_when: "When" | "Wann",
        did_correct: "is booked" | "ist gebucht",
        take_back: "Take back…" | "Zurücknehmen…",
        take_back_do: "Take back" | "Zurücknehmen",
        take_back_why: "Why it is taken back" | "Warum sie zurückgenommen wird",
        did_take_back: "is taken back" | "ist zurückgenommen",
        taken_back: "taken back" | "zurückgenommen",
        takes_back: "takes another back" | "nimmt eine andere zurück",
        bad_day: "Write a date, as in 2026-11-21." | "Ein Datum wie 2026-11-21.",
        bad_amount: "Write an amount above zero, as in 18.00." | "Ein Betrag über null, wie 18,00.",
        bad_account: "Choose an account." | "Wählen Sie ein Konto.",
        future: "Must not lie in the future." | "Darf nicht in der Zukunft liegen.",
    }
}

web_kit::catalogue! {
    /// Checks by name, with what the head of their column says.
    struct CheckTexts {
        log: "Log" | "Protokoll",
        log_is: "whole" | "ganz",
        documents: "Documents" | "Dokumente",
        documents_head: "Docs" | "Dok.",
        documents_is: "equal" | "gleich",
        tables: "Tables" | "Tabellen",
        tables_is: "rebuilt" | "stimmen",
        stock: "Stock" | "Bestand",
        stock_is: "equal" | "gleich",
        transit: "Transit" | "Transport",
        transit_head: "Transit" | "Umlauf",
        transit_is: "owned" | "belegt",
        reserved: "Reserved" | "Reserviert",
        reserved_head: "Reserved" | "Reserv.",
        reserved_is: "= open" | "= offene",
        cash: "Cash" | "Kasse",
        cash_is: "counted" | "gezählt",
        ledger: "Ledger" | "Konten",
        ledger_is: "equal" | "gleich",
        payments: "Payments" | "Zahlungen",
        payments_is: "settled" | "gedeckt",
        promises: "Promises" | "Zusagen",
        promises_is: "in limit" | "erlaubt",
        refunds: "Refunds" | "Erstattungen",
        refunds_head: "Refunds" | "Zurück",
        refunds_is: "covered" | "gedeckt",
        numbers: "Numbers" | "Nummern",
        numbers_is: "no gap" | "ganz",
        orders: "Orders" | "Aufträge",
        orders_is: "invoiced" | "bezahlt",
        green: "agrees" | "stimmt",
        amber: "look at it" | "ansehen",
        unreconciled: "not known yet" | "noch offen",
        red: "does not agree" | "stimmt nicht",
    }
}

web_kit::catalogue! {
    /// Figures of checks.
    struct FigureTexts {
        logs: "Logs" | "Protokolle",
        transactions: "Transactions" | "Einträge",
        branch: "Documents at the branch" | "Dokumente der Filiale",
        hub: "Documents at the hub" | "Dokumente der Zentrale",
        sampled: "Looked at one by one" | "Einzeln geprüft",
        on_the_way: "On the way" | "Unterwegs",
        payments: "Payments looked at" | "Geprüfte Zahlungen",
        receipts: "Receipts looked at" | "Geprüfte Belege",
        parts: "Parts" | "Teile",
        parts_branch: "Parts at the branch" | "Teile der Filiale",
        parts_hub: "Parts at the hub" | "Teile der Zentrale",
        below_zero: "Below zero" | "Unter null",
        transfers: "Open transfers" | "Offene Umlagerungen",
        pieces: "Pieces" | "Stück",
        reservations: "Open reservations" | "Offene Reservierungen",
        sessions: "Sessions closed" | "Abgeschlossene Kassen",
        open: "Open" | "Offen",
        expected: "Expected" | "Erwartet",
        counted: "Counted" | "Gezählt",
        entries: "Entries" | "Buchungen",
        matched: "On a statement" | "Abgerechnet",
        waiting: "Not due yet" | "Noch nicht fällig",
        unmatched_lines: "Lines of nobody" | "Zeilen ohne Zahlung",
        payouts: "Payouts" | "Auszahlungen",
        exposure: "Promised" | "Zugesagt",
        limit: "Limit" | "Grenze",
        refunds: "Refunds" | "Erstattungen",
        undecided: "Waiting for a decision" | "Warten auf Entscheidung",
        papers: "Papers" | "Papiere",
        series: "Series" | "Nummernkreise",
        missing: "Missing numbers" | "Fehlende Nummern",
        collected: "Collected" | "Abgeholt",
        past_promise: "Past their promise" | "Über den Termin",
    }
}

web_kit::catalogue! {
    /// What records are about.
    struct RecordTexts {
        account: "Account" | "Konto",
        balance: "Balance of" | "Saldo von",
        clock: "Clock" | "Uhr",
        currency: "Currency" | "Währung",
        digest: "Digest of the day" | "Digest des Tages",
        document: "Document" | "Dokument",
        exposure: "Exposure" | "Zugesagtes",
        head: "Signed head" | "Unterschriebener Stand",
        log: "Log" | "Protokoll",
        number: "Number" | "Nummer",
        order: "Order" | "Auftrag",
        part: "Part" | "Teil",
        payment: "Payment" | "Zahlung",
        payout: "Payout" | "Auszahlung",
        receipt: "Receipt" | "Beleg",
        refund: "Refund" | "Erstattung",
        session: "Cash session" | "Kasse",
        settlement: "Line" | "Zeile",
        transfer: "Transfer" | "Umlagerung",
        customer: "Customer" | "Kunde",
        others: "all others" | "alle anderen",
    }
}

web_kit::catalogue! {
    /// Accounts of the money ledger.
    struct AccountTexts {
        till: "Till" | "Kasse",
        safe: "Safe" | "Tresor",
        card: "Card, not paid out" | "Karte, nicht ausgezahlt",
        bank: "Bank" | "Bank",
        promised: "Promised by card" | "Per Karte zugesagt",
        awaited: "Awaited by bank transfer" | "Per Überweisung erwartet",
        receivable: "Owed by customers" | "Forderungen",
        deposits: "Deposits" | "Anzahlungen",
        revenue: "Revenue" | "Erlöse",
        tax: "Tax" | "Steuer",
        fees: "Fees of providers" | "Gebühren der Anbieter",
        difference: "Cash differences" | "Kassendifferenzen",
        refunds_due: "Refunds due" | "Fällige Erstattungen",
        corrections: "Corrections" | "Berichtigungen",
        counter: "Counter" | "Durchgang",
    }
}

/// A check by name.
pub(super) const fn check_name(language: Language, check: Check) -> &'static str {
    let t = CheckTexts::of(language);
    match check {
        Check::Documents => t.documents,
        Check::Transit => t.transit,
        Check::Reserved => t.reserved,
        Check::Refunds => t.refunds,
        _ => head_of(language, check).0,
    }
}

/// The two lines of a column's head.
pub(super) const fn head_of(language: Language, check: Check) -> (&'static str, &'static str) {
    let t = CheckTexts::of(language);
    match check {
        Check::Log => (t.log, t.log_is),
        Check::Documents => (t.documents_head, t.documents_is),
        Check::Tables => (t.tables, t.tables_is),
        Check::Stock => (t.stock, t.stock_is),
        Check::Transit => (t.transit_head, t.transit_is),
        Check::Reserved => (t.reserved_head, t.reserved_is),
        Check::Cash => (t.cash, t.cash_is),
        Check::Ledger => (t.ledger, t.ledger_is),
        Check::Payments => (t.payments, t.payments_is),
        Check::Promises => (t.promises, t.promises_is),
        Check::Refunds => (t.refunds_head, t.refunds_is),
        Check::Numbers => (t.numbers, t.numbers_is),
        Check::Orders => (t.orders, t.orders_is),
    }
}

/// A state in words.
pub(super) const fn state_words(language: Language, state: CheckState) -> &'static str {
    let t = CheckTexts::of(language);
    match state {
        CheckState::Green => t.green,
        CheckState::Amber => t.amber,
        CheckState::Unreconciled => t.unreconciled,
        CheckState::Red => t.red,
    }
}

/// Icon and tone of a state.
pub(super) const fn look(state: CheckState) -> (&'static str, &'static str) {
    match state {
        CheckState::Green => ("check", "agreed"),
        CheckState::Amber => ("eye", "waiting"),
        CheckState::Unreconciled => ("apart", "apart"),
        CheckState::Red => ("late", "late"),
    }
}

/// A figure by name; the key itself where it has none.
pub(super) fn figure_name(language: Language, key: &str) -> String {
    if let Ok(account) = key.parse::<MoneyAccount>() {
        return account_name(language, account).to_owned();
    }
    named(FigureTexts::ALL, language, key)
}

/// What a record is about, by its kind.
pub(super) fn record_kind(language: Language, kind: &str) -> String {
    named(RecordTexts::ALL, language, kind)
}

/// An account by name.
pub(super) const fn account_name(language: Language, account: MoneyAccount) -> &'static str {
    let t = AccountTexts::of(language);
    match account {
        MoneyAccount::Till => t.till,
        MoneyAccount::Safe => t.safe,
        MoneyAccount::Card => t.card,
        MoneyAccount::Bank => t.bank,
        MoneyAccount::Promised => t.promised,
        MoneyAccount::Awaited => t.awaited,
        MoneyAccount::Receivable => t.receivable,
        MoneyAccount::Deposits => t.deposits,
        MoneyAccount::Revenue => t.revenue,
        MoneyAccount::Tax => t.tax,
        MoneyAccount::Fees => t.fees,
        MoneyAccount::Difference => t.difference,
        MoneyAccount::RefundsDue => t.refunds_due,
        MoneyAccount::Corrections => t.corrections,
        MoneyAccount::Counter => t.counter,
    }
}

fn named(
    texts: &[(&'static str, &'static str, &'static str)],
    language: Language,
    key: &str,
) -> String {
    let known = texts.iter().find(|(name, ..)| *name == key);
    known.map_or_else(
        || key.to_owned(),
        |(_, english, german)| {
            let words = match language {
                Language::English => english,
                Language::German => german,
            };
            (*words).to_owned()
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_say_the_same_things() {
        for texts in [
            NightTexts::ALL,
            CheckTexts::ALL,
            FigureTexts::ALL,
            RecordTexts::ALL,
            AccountTexts::ALL,
        ] {
            assert_eq!(web_kit::language::flaws(texts), Vec::<String>::new());
        }
    }
}
