//! The words of the money pages.

web_kit::catalogue! {
    /// What several of the money pages say.
    pub(super) struct MoneyTexts {
        title: "Money" | "Geld",
        sections: "Pages of money" | "Seiten zum Geld",
        overview: "Overview" | "Überblick",
        payments: "Payments" | "Zahlungen",
        refunds: "Refunds" | "Erstattungen",
        statements: "Statements" | "Auszüge",
        outbox: "Outbox" | "Ausgang",
        receipts: "Receipts" | "Belege",
        accounts: "Accounts" | "Kundenkonten",
        filter: "Narrow the list" | "Liste eingrenzen",
        show: "Show" | "Zeigen",
        branch: "Branch" | "Filiale",
        any_branch: "Every branch" | "Alle Filialen",
        state: "State" | "Stand",
        any_state: "Every state" | "Jeder Stand",
        newest: "Newest" | "Neueste",
        older: "Older" | "Ältere",
        refused: "Nothing was changed" | "Nichts wurde geändert",
        reason: "Reason" | "Grund",
        reason_hint: "For the branch and for the audit" | "Für die Filiale und die Prüfung",
        leave: "Leave it" | "So lassen",
        the_hub: "the hub" | "die Zentrale",
        whole_chain: "the chain" | "die Kette",
    }
}

web_kit::catalogue! {
    /// What the overview says.
    pub(super) struct OverviewTexts {
        word: "Refunds to decide" | "Erstattungen zu entscheiden",
        word_none: "no refund waits" | "keine Erstattung wartet",
        unmatched: "Lines without a payment" | "Zeilen ohne Zahlung",
        unmatched_none: "every line belongs somewhere" | "jede Zeile gehört irgendwohin",
        dead: "Dead letters" | "Unzustellbar",
        dead_none: "nothing was given up" | "nichts wurde aufgegeben",
        waits: "Waiting outside" | "Wartet draußen",
        waits_none: "nobody outside is asked" | "draußen wird niemand gefragt",
        oldest: "oldest {age}" | "älteste {age}",
        after_failure: "{n} after a failure" | "{n} nach einem Fehler",
        by_branch: "By branch" | "Nach Filiale",
        by_branch_why: "taken and given back today, promised by card and not captured" | "heute eingenommen und erstattet; per Karte zugesagt und nicht abgebucht",
        taken: "Taken" | "Eingenommen",
        given_back: "Given back" | "Erstattet",
        promised: "Promised" | "Zugesagt",
        of_limit: "Of the limit" | "Von der Grenze",
        oldest_promise: "Oldest promise" | "Älteste Zusage",
        one_receipt: "1 receipt" | "1 Beleg",
        receipts: "{n} receipts" | "{n} Belege",
        waits_here: "To look at" | "Anzusehen",
        over_limit: "above the limit of {limit}" | "über der Grenze von {limit}",
        share: "{share} % of {limit}" | "{share} % von {limit}",
        too_old: "older than {days} d" | "älter als {days} T.",
        one_refund: "1 refund" | "1 Erstattung",
        refunds: "{n} refunds" | "{n} Erstattungen",
        one_dead: "1 dead letter" | "1 unzustellbar",
        dead_letters: "{n} dead letters" | "{n} unzustellbar",
        none: "No branch took money yet" | "Noch hat keine Filiale Geld eingenommen",
        none_why: "A receipt of any till shows up here as soon as its branch is heard." | "Ein Beleg einer Kasse erscheint hier, sobald ihre Filiale zu hören ist.",
        outside: "Providers" | "Anbieter",
        outside_none: "No provider is set up: cards are promised and wait." | "Kein Anbieter ist eingerichtet: Karten werden zugesagt und warten.",
        no_problem: "answers" | "antwortet",
        left_alone: "left alone since {age}, tried again soon" | "seit {age} in Ruhe gelassen, bald ein neuer Versuch",
        tried: "one call tries whether it is back" | "ein Aufruf prüft, ob er zurück ist",
        failures: "{n} failures lately" | "zuletzt {n} Fehler",
        last_failure: "Last failure" | "Letzter Fehler",
        stripe: "Stripe, cards" | "Stripe, Karten",
        bank: "The bank, by its statement" | "Die Bank, durch ihren Auszug",
    }
}

web_kit::catalogue! {
    /// What payments say.
    pub(super) struct PaymentTexts {
        payment: "Payment" | "Zahlung",
        asked_at: "Asked" | "Gefragt",
        receipt: "Receipt" | "Beleg",
        tender: "Tender" | "Zahlungsart",
        asked: "Asked for" | "Verlangt",
        came: "Came" | "Gekommen",
        went_back: "Went back" | "Ging zurück",
        heard: "Last heard" | "Zuletzt gehört",
        none: "No payment fits" | "Keine Zahlung passt",
        none_why: "Another branch or state shows more." | "Eine andere Filiale oder ein anderer Stand zeigt mehr.",
        none_at_all: "No payment by card or bank yet" | "Noch keine Zahlung mit Karte oder Überweisung",
        none_at_all_why: "Cash never leaves the branch; cards and transfers stand here." | "Bargeld bleibt in der Filiale; Karten und Überweisungen stehen hier.",
        show_all: "Show all" | "Alle zeigen",
        open_state: "Open" | "Offen",
        called_off: "called off" | "abgesagt",
        steps: "What happened" | "Was geschah",
        step_asked: "Asked for {amount} by {tender}" | "{amount} verlangt, {tender}",
        step_called_off: "The branch called it off" | "Die Filiale sagte ab",
        step_provider: "The provider was asked, attempt {n}" | "Der Anbieter wurde gefragt, Versuch {n}",
        step_came: "{amount} came" | "{amount} kam",
        step_declined: "The customer’s bank said no" | "Die Bank des Kunden lehnte ab",
        step_failed: "It cannot be taken any more" | "Es lässt sich nicht mehr einziehen",
        step_cancelled: "Called off at the provider" | "Beim Anbieter abgesagt",
        step_back_asked: "A refund asks {amount} back" | "Eine Erstattung verlangt {amount} zurück",
        step_back_wished: "The hub asks for what came too much" | "Die Zentrale gibt zurück, was zu viel kam",
        step_back_provider: "The provider was asked to give back" | "Der Anbieter soll zurückgeben",
        step_back: "{amount} went back" | "{amount} ging zurück",
        step_back_failed: "It did not go back" | "Es ging nicht zurück",
        open_link: "Open the link" | "Link öffnen",
        facts: "The payment" | "Die Zahlung",
        provider_name: "At the provider" | "Beim Anbieter",
        jobs: "At the outbox" | "Im Ausgang",
        jobs_none: "Nothing is asked of anybody outside" | "Draußen wird niemand gefragt",
        lines: "On statements" | "Auf Auszügen",
        lines_none: "No statement speaks of it yet" | "Noch kein Auszug nennt sie",
        ask_again: "Ask again" | "Neu fragen",
        ask_again_why: "The provider is asked how it stands, at once. Nothing is charged twice." | "Der Anbieter wird sofort gefragt, wie es steht. Nichts wird zweimal abgebucht.",
        woken: "is asked about again" | "wird neu erfragt",
        nobody_asks: "has nothing to ask about" | "hat nichts zu erfragen",
        due_title: "{amount} to give back" | "{amount} zurückzugeben",
        due_twice: "More came than was asked for." | "Es kam mehr, als verlangt war.",
        due_late: "It was called off and came all the same." | "Sie war abgesagt und kam trotzdem.",
        due_bank: "Nobody can ask the bank: transfer it there, then match the line of its statement." | "Die Bank lässt sich nicht fragen: dort überweisen, dann die Zeile des Auszugs zuordnen.",
        give_back: "Give {amount} back" | "{amount} zurückgeben",
        give_back_why: "The provider is asked; the branch hears of it. It cannot be taken back." | "Der Anbieter wird gefragt; die Filiale erfährt es. Es lässt sich nicht zurücknehmen.",
        given_back: "goes back as soon as the provider was asked" | "geht zurück, sobald der Anbieter gefragt ist",
    }
}

web_kit::catalogue! {
    /// What refunds say that wait for a word.
    pub(super) struct RefundTexts {
        asked_by: "Asked by" | "Gefragt von",
        waits_for: "Waits for" | "Wartet seit",
        amount: "Amount" | "Betrag",
        receipt: "Receipt" | "Beleg",
        why: "Why" | "Warum",
        decide: "Decide" | "Entscheiden",
        above: "above your limit" | "über Ihrer Grenze",
        title: "{amount} at {branch}" | "{amount} in {branch}",
        title_why: "{who} asks to give {amount} back against {receipt}." | "{who} möchte {amount} zu {receipt} erstatten.",
        lines: "What comes back" | "Was zurückkommt",
        limit: "You may approve up to {limit} at a time." | "Sie dürfen jeweils bis {limit} zusagen.",
        yes: "Approve" | "Zusagen",
        no: "Decline" | "Ablehnen",
        reason_for_no: "Needed to decline" | "Nötig, um abzulehnen",
        said_yes: "is approved; the branch gives it back" | "ist zugesagt; die Filiale erstattet",
        said_no: "is declined; the branch hears why" | "ist abgelehnt; die Filiale erfährt den Grund",
        none: "No refund waits for a word" | "Keine Erstattung wartet auf eine Entscheidung",
        none_why: "What a till may give back by itself never waits here." | "Was eine Kasse selbst erstatten darf, wartet nie hier.",
        someone: "somebody" | "jemand",
    }
}

web_kit::catalogue! {
    /// What statements say.
    pub(super) struct LineTexts {
        line: "Line" | "Zeile",
        provider: "Whose" | "Von",
        kind: "What" | "Was",
        settled: "Settled" | "Gebucht",
        amount: "Amount" | "Betrag",
        fee: "Fee" | "Gebühr",
        payout: "Payout" | "Auszahlung",
        belongs: "Belongs to" | "Gehört zu",
        nothing: "to no payment" | "zu keiner Zahlung",
        unmatched_title: "Lines without a payment" | "Zeilen ohne Zahlung",
        settled_title: "Lines that are settled" | "Zugeordnete Zeilen",
        match_it: "Match" | "Zuordnen",
        take_back: "Take back" | "Zurücknehmen",
        match_title: "Which payment is line {line}?" | "Welche Zahlung ist Zeile {line}?",
        match_why: "A transfer that brings what a payment waits for pays it. The ledger of no branch moves otherwise." | "Eine Überweisung, die bringt, worauf eine Zahlung wartet, bezahlt sie. Sonst bewegt sich kein Journal.",
        payment: "Receipt or payment" | "Beleg oder Zahlung",
        payment_hint: "Number of the receipt, as in BER-R-A000123" | "Nummer des Belegs, wie BER-R-A000123",
        fits: "{number} would fit" | "{number} würde passen",
        back_title: "Line {line} belongs to no payment?" | "Zeile {line} gehört zu keiner Zahlung?",
        back_why: "The line waits again to be matched. What it paid stays paid." | "Die Zeile wartet wieder auf eine Zuordnung. Was sie bezahlt hat, bleibt bezahlt.",
        matched: "is matched" | "ist zugeordnet",
        taken_back: "belongs to no payment again" | "gehört wieder zu keiner Zahlung",
        none: "No statement was taken in yet" | "Noch wurde kein Auszug eingelesen",
        none_why: "Lines of the card provider come every hour by themselves; the bank’s file is brought by a person." | "Zeilen des Kartenanbieters kommen stündlich von selbst; die Datei der Bank bringt jemand.",
        all_matched: "Every line belongs to a payment" | "Jede Zeile gehört zu einer Zahlung",
        take_file: "Bring the bank’s file" | "Datei der Bank einlesen",
        charge: "charge" | "Einzug",
        refund: "refund" | "Erstattung",
        fee_line: "fee" | "Gebühr",
        payout_line: "payout" | "Auszahlung",
        adjustment: "adjustment" | "Berichtigung",
        stripe: "Stripe" | "Stripe",
        bank: "Bank" | "Bank",
    }
}

web_kit::catalogue! {
    /// What bringing a bank's file says.
    pub(super) struct StatementTexts {
        title: "The bank’s file" | "Datei der Bank",
        lead: "Transfers that came, as the bank’s file says them" | "Überweisungen, wie die Datei der Bank sie nennt",
        how: "A row that names a receipt and brings what it asks for pays it. The others wait to be matched. Rows that are there already are skipped; a file with a wrong row changes nothing." | "Eine Zeile, die einen Beleg nennt und bringt, was er verlangt, bezahlt ihn. Die anderen warten auf die Zuordnung. Zeilen, die schon da sind, werden übergangen; eine Datei mit einer falschen Zeile ändert nichts.",
        file: "File" | "Datei",
        file_hint: "CSV with the columns booked_on, reference, amount, currency and text; 1 MB at most" | "CSV mit den Spalten booked_on, reference, amount, currency und text; höchstens 1 MB",
        zone: "Time zone of its days" | "Zeitzone ihrer Tage",
        example: "An example" | "Ein Beispiel",
        take: "Take it in" | "Einlesen",
        no_file: "Choose a file." | "Wählen Sie eine Datei.",
        too_large: "The file is larger than 1 MB." | "Die Datei ist größer als 1 MB.",
        no_text: "The file is no text in UTF-8." | "Die Datei ist kein Text in UTF-8.",
        taken: "Rows: {read}, new: {new}, paid a receipt: {matched}" | "Zeilen: {read}, neu: {new}, bezahlten einen Beleg: {matched}",
        done: "The bank’s file is taken in." | "Die Datei der Bank ist eingelesen.",
    }
}

web_kit::catalogue! {
    /// What the outbox says.
    pub(super) struct OutboxTexts {
        dead: "Dead letters" | "Unzustellbar",
        dead_why: "given up; somebody must see why" | "aufgegeben; jemand muss nachsehen",
        dead_none: "Nothing was given up" | "Nichts wurde aufgegeben",
        waiting: "Waiting" | "Wartend",
        waiting_why: "goes on by itself" | "geht von selbst weiter",
        waiting_none: "Nothing waits" | "Nichts wartet",
        what: "What" | "Was",
        payment: "Payment" | "Zahlung",
        since: "Since" | "Seit",
        tries: "Failures" | "Fehlschläge",
        last_error: "Last failure" | "Letzter Fehler",
        ask: "Ask for money" | "Geld verlangen",
        cancel: "Call off" | "Absagen",
        repay: "Give back" | "Zurückgeben",
        for_customer: "the customer’s turn" | "der Kunde ist dran",
        ask_again: "Ask again" | "Neu fragen",
        ask_all: "Ask all again" | "Alle neu fragen",
        all_woken: "{n} dead letters are asked again" | "{n} Unzustellbare werden neu gefragt",
        open: "Open the payment" | "Zahlung öffnen",
    }
}

web_kit::catalogue! {
    /// What receipts say.
    pub(super) struct ReceiptTexts {
        number: "Number" | "Nummer",
        when: "When" | "Wann",
        paid_with: "Paid with" | "Bezahlt mit",
        amount: "Amount" | "Betrag",
        none: "No receipt fits" | "Kein Beleg passt",
        none_at_all: "No receipt yet" | "Noch kein Beleg",
        none_at_all_why: "Every receipt of every till comes here with the branch’s log." | "Jeder Beleg jeder Kasse kommt mit dem Protokoll der Filiale hierher.",
        receipt: "Receipt" | "Beleg",
        lines: "Lines" | "Zeilen",
        what: "What" | "Was",
        quantity: "Pieces" | "Stück",
        unit: "Each" | "Einzeln",
        tax: "Tax" | "Steuer",
        sum: "Sum" | "Summe",
        gross: "Sum of the lines" | "Summe der Zeilen",
        due: "To be paid" | "Zu zahlen",
        tenders: "Paid" | "Bezahlt",
        given_back: "Given back" | "Erstattet",
        nothing_back: "Nothing was given back" | "Nichts wurde erstattet",
        facts: "The receipt" | "Der Beleg",
        taken_by: "Taken by" | "Angenommen von",
        register: "Till" | "Kasse",
        customer: "Customer" | "Kunde",
        open_customer: "Open" | "Öffnen",
        order: "Order" | "Auftrag",
        open_order: "Open the order" | "Auftrag öffnen",
    }
}

web_kit::catalogue! {
    /// What accounts of customers say.
    pub(super) struct AccountTexts {
        customer: "Customer" | "Kunde",
        home: "First served" | "Zuerst bedient",
        owes: "Owes" | "Schuldet",
        limit: "Limit" | "Grenze",
        days: "Days to pay" | "Zahlungsziel",
        days_n: "{n} d" | "{n} T.",
        oldest: "Oldest" | "Älteste",
        overdue: "{age}, past {days} d" | "{age}, über {days} T.",
        above: "above the limit" | "über der Grenze",
        at_branch: "{branch}: {amount}" | "{branch}: {amount}",
        none: "Nobody buys on account" | "Niemand kauft auf Rechnung",
        none_why: "An account is opened on the page of a customer: limit and days to pay." | "Ein Konto eröffnen Sie auf der Seite eines Kunden: Grenze und Zahlungsziel.",
        find: "To the customers" | "Zu den Kunden",
        closed: "closed record" | "geschlossener Eintrag",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_say_the_same_things() {
        let all = [
            MoneyTexts::ALL,
            OverviewTexts::ALL,
            PaymentTexts::ALL,
            RefundTexts::ALL,
            LineTexts::ALL,
            StatementTexts::ALL,
            OutboxTexts::ALL,
            ReceiptTexts::ALL,
            AccountTexts::ALL,
        ];
        for texts in all {
            assert_eq!(web_kit::language::flaws(texts), Vec::<String>::new());
        }
    }
}
