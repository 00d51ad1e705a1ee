//! Words of receipts, on paper and around them.

use domain::payment::PaymentState;
use domain::till::Tender;
use web_kit::{Language, Tone};

web_kit::catalogue! {
    /// What receipts say, on paper and around them.
    pub(crate) struct ReceiptTexts {
        title: "Receipts" | "Belege",
        receipt: "Receipt" | "Beleg",
        number: "Number" | "Nummer",
        find_hint: "Number of a receipt" | "Nummer eines Belegs",
        find: "Find a receipt" | "Beleg suchen",
        when: "When" | "Wann",
        person: "Person" | "Person",
        what: "What for" | "Wofür",
        amount: "Amount" | "Betrag",
        tender: "Paid with" | "Bezahlt mit",
        state: "State" | "Stand",
        by: "By" | "Von",
        and_more: "{text} and {n} more" | "{text} und {n} weitere",
        nothing: "No receipt yet. The first one comes with the first sale." | "Noch kein Beleg. Der erste kommt mit dem ersten Verkauf.",
        not_found: "No receipt of this branch has the number “{number}”." | "Kein Beleg dieser Filiale hat die Nummer „{number}“.",
        older: "Older receipts" | "Ältere Belege",
        newest: "Newest receipts" | "Neueste Belege",
        to_till: "Till" | "Kasse",
        print: "Print" | "Drucken",
        next: "Next customer" | "Nächster Kunde",
        roll: "80 mm roll" | "80-mm-Rolle",
        line_of: "{day}, {hour}, till {register}, {who}" | "{day}, {hour}, Kasse {register}, {who}",
        deposit: "Deposit" | "Anzahlung",
        deposit_off: "Paid ahead" | "Im Voraus bezahlt",
        claim: "What was owed" | "Offene Forderung",
        sum: "Sum" | "Summe",
        to_pay: "To pay" | "Zu zahlen",
        given: "{tender} given" | "{tender} gegeben",
        given_back: "Given back" | "Zurück",
        nothing_to_pay: "Nothing was to pay" | "Nichts war zu zahlen",
        tax: "VAT" | "USt.",
        net: "Net" | "Netto",
        gross: "Gross" | "Brutto",
        thanks: "Thank you, and good work with it." | "Danke, und gute Arbeit damit.",
        tax_id: "Tax number {id}" | "Steuernummer {id}",
        bar_code: "Bar code {number}" | "Strichcode {number}",
        pay_here: "Pay here" | "Hier bezahlen",
        pay_code: "Code that opens the payment" | "Code, der die Zahlung öffnet",
        promised: "Card, not taken yet" | "Karte, noch nicht eingezogen",
        awaited: "By bank, not here yet" | "Per Bank, noch nicht da",
        cash: "Cash" | "Bar",
        card: "Card" | "Karte",
        bank: "Bank transfer" | "Überweisung",
        account: "On account" | "Angeschrieben",
        money: "Money" | "Geld",
        give_back: "Give back" | "Zurückgeben",
        payments: "Payments" | "Zahlungen",
        refunds: "Given back" | "Erstattet",
        orders: "Orders" | "Aufträge",
        link: "Open the link" | "Link öffnen",
        queued: "waits to be asked" | "wartet auf die Anfrage",
        queued_bank: "waits for the bank" | "wartet auf die Bank",
        processing: "asked, the customer has the link" | "angefragt, der Kunde hat den Link",
        at_reader: "asked at the reader" | "am Lesegerät angefordert",
        captured: "paid" | "bezahlt",
        on_account: "put on the account" | "auf das Konto gesetzt",
        declined: "declined" | "abgelehnt",
        refunded: "given back" | "erstattet",
        failed: "not possible any more" | "nicht mehr möglich",
        cancelled: "called off" | "abgesagt",
        open: "open" | "offen",
        given_back_of: "{amount} given back" | "{amount} erstattet",
        refund: "Refund" | "Erstatten",
        refund_title: "Refund" | "Erstattung",
        refund_of: "of receipt {number}" | "zu Beleg {number}",
        goes_back: "Goes back" | "Geht zurück",
        why: "Why" | "Warum",
        signed: "Received" | "Erhalten",
        to_receipt: "Its receipt" | "Ihr Beleg",
        asked: "waits for the hub’s word" | "wartet auf die Zentrale",
        approved: "the hub said yes" | "die Zentrale hat zugesagt",
        refused: "the hub said no" | "die Zentrale hat abgelehnt",
        give_now: "Give back now" | "Jetzt erstatten",
        call_off: "Call off" | "Absagen",
        otherwise: "Take it otherwise" | "Anders bezahlen",
        ask_again: "Ask the reader again" | "Lesegerät neu anfordern",
        came_late: "called off and came all the same: {amount} to give back" | "abgesagt und trotzdem gekommen: {amount} zurückzugeben",
        give_it_back: "Give it back" | "Zurückgeben",
    }
}

/// A tender in words.
pub(crate) const fn tender(language: Language, tender: Tender) -> &'static str {
    let t = ReceiptTexts::of(language);
    match tender {
        Tender::Cash => t.cash,
        Tender::Card => t.card,
        Tender::Bank => t.bank,
        Tender::Account => t.account,
    }
}

/// The icon of a tender.
pub(crate) const fn tender_icon(tender: Tender) -> &'static str {
    match tender {
        Tender::Cash => "cash",
        Tender::Card => "card",
        Tender::Bank => "money",
        Tender::Account => "person",
    }
}

/// Where a payment stands, in words and with its meaning.
pub(crate) const fn state(
    language: Language,
    tender: Tender,
    state: PaymentState,
) -> (&'static str, &'static str, Option<Tone>) {
    let t = ReceiptTexts::of(language);
    match state {
        PaymentState::Queued => match tender {
            Tender::Bank => ("clock", t.queued_bank, Some(Tone::Moving)),
            _ => ("clock", t.queued, Some(Tone::Apart)),
        },
        PaymentState::Processing => ("link", t.processing, Some(Tone::Moving)),
        PaymentState::Captured => match tender {
            Tender::Account => ("person", t.on_account, None),
            _ => ("check", t.captured, Some(Tone::Agreed)),
        },
        PaymentState::Declined => ("late", t.declined, Some(Tone::Late)),
        PaymentState::Refunded => ("back", t.refunded, None),
        PaymentState::Failed => ("late", t.failed, Some(Tone::Late)),
        PaymentState::Cancelled => ("cancel", t.cancelled, Some(Tone::Waiting)),
    }
}

/// Where all of a receipt stands: the payment that needs most to be looked at says it.
pub(crate) fn whole_state(
    language: Language,
    tenders: &[(Tender, PaymentState)],
) -> (&'static str, &'static str, Option<Tone>) {
    let weight = |one: PaymentState| match one {
        PaymentState::Failed => 6,
        PaymentState::Declined => 5,
        PaymentState::Cancelled => 4,
        PaymentState::Queued => 3,
        PaymentState::Processing => 2,
        PaymentState::Captured => 1,
        PaymentState::Refunded => 0,
    };
    let worst = tenders.iter().max_by_key(|(_, one)| weight(*one));
    worst.map_or(
        (
            "check",
            ReceiptTexts::of(language).captured,
            Some(Tone::Agreed),
        ),
        |(tender, one)| state(language, *tender, *one),
    )
}
