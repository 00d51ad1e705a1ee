//! What pages have in common when they write: one effect for each form, and refusals in the reader's words.
//!
//! A refusal changed nothing, so the form keeps its key and what was typed. Addresses made here never hold a
//! personal value.

use std::fmt::Write as _;

use askama::Template;
use axum::http::StatusCode;
use futures_util::future::BoxFuture;
use web_kit::problem::sentence;
use web_kit::{IdempotentRequest, Language, Problem, SafeHtml};

use crate::api::{Caller, HubState};
use crate::app::HubTx;
use crate::app::error::AppError;
use crate::app::idempotency::{Answer, Answered, Request, once};

/// Runs a command once for its form; `code` is one of [`sync_protocol::item::command`].
pub(crate) async fn act<F>(
    state: &HubState,
    who: &Caller,
    code: u16,
    request: IdempotentRequest,
    work: F,
) -> Result<Answered, Problem>
where
    F: for<'a> FnOnce(&'a mut HubTx) -> BoxFuture<'a, Result<Answer, AppError>> + Send,
{
    let request = Request {
        key: request.key,
        route: request.route,
        fingerprint: request.body_hmac,
    };
    Ok(once(state.hub(), who.person.actor(), code, &request, work).await?)
}

/// Whether a form is shown again for this: it was wrong, or things stand otherwise.
pub(crate) fn is_refusal(problem: &Problem) -> bool {
    matches!(
        problem.status(),
        StatusCode::UNPROCESSABLE_ENTITY | StatusCode::CONFLICT | StatusCode::PRECONDITION_FAILED
    )
}

/// The condition that what a form shows is still so.
pub(crate) fn same<V: PartialEq>(shown: V) -> impl FnOnce(V) -> Result<(), AppError> {
    move |known| {
        if known == shown {
            Ok(())
        } else {
            Err(AppError::Stale)
        }
    }
}

/// The answer that leads on to what was made or changed; it holds ids and numbers only.
pub(crate) fn done(body: serde_json::Value) -> Answer {
    Answer {
        status: StatusCode::OK.as_u16(),
        tag: None,
        body,
    }
}

/// A text as part of an address.
pub(crate) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else if write!(encoded, "%{byte:02X}").is_err() {
            unreachable!("a text can always be written to");
        }
    }
    encoded
}

/// An address with those of its parameters that say something.
pub(crate) fn address(path: &str, parameters: &[(&str, &str)]) -> String {
    let mut address = path.to_owned();
    for (name, value) in parameters.iter().filter(|(_, value)| !value.is_empty()) {
        address.push(if address.contains('?') { '&' } else { '?' });
        address.push_str(name);
        address.push('=');
        address.push_str(&encode(value));
    }
    address
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#" aria-invalid="true" aria-describedby="{{ id }}-p""#
)]
struct Marks<'a> {
    id: &'a str,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<p class="problem" id="{{ id }}-p">{{ web_kit::icon("late") }}<span>{{ words }}</span></p>"#
)]
struct Says<'a> {
    id: &'a str,
    words: &'a str,
}

/// Why nothing was changed, to be shown beside the fields and above them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Refusal {
    fields: Vec<(String, String)>,
    said: Option<String>,
}

impl Refusal {
    /// Nothing was refused.
    pub(crate) fn none() -> Self {
        Self::default()
    }

    /// A problem in the words of a language.
    pub(crate) fn of(problem: &Problem, language: Language) -> Self {
        let body = problem.body();
        let fields: Vec<(String, String)> = body
            .errors
            .iter()
            .map(|error| {
                let pointer = error.pointer.trim_start_matches('/').to_owned();
                (pointer, in_words(&error.detail, language))
            })
            .collect();
        let said = fields.is_empty().then(|| {
            let kind = body.kind.rsplit(':').next().unwrap_or_default();
            of_kind(kind, language).map_or_else(
                || {
                    let detail = body.detail.clone();
                    in_words(&detail.unwrap_or_else(|| body.title.to_string()), language)
                },
                str::to_owned,
            )
        });
        Self { fields, said }
    }

    /// Attributes of a field's input, where something is wrong with it.
    pub(crate) fn marks(&self, name: &str, id: &str) -> SafeHtml {
        let wrong = self.field(name).map(|_| Marks { id });
        wrong
            .and_then(|marks| SafeHtml::render(&marks).ok())
            .unwrap_or_else(SafeHtml::empty)
    }

    /// What is wrong with a field, to stand below its input.
    pub(crate) fn says(&self, name: &str, id: &str) -> SafeHtml {
        let wrong = self.field(name).map(|words| Says { id, words });
        wrong
            .and_then(|says| SafeHtml::render(&says).ok())
            .unwrap_or_else(SafeHtml::empty)
    }

    /// What is wrong with a field.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(pointer, _)| {
                pointer == name
                    || pointer
                        .strip_prefix(name)
                        .is_some_and(|rest| rest.starts_with('/'))
            })
            .map(|(_, words)| words.as_str())
    }

    /// What is said above the form: everything that belongs to none of the fields `shown`.
    pub(crate) fn above(&self, shown: &[&str]) -> Vec<String> {
        let is_shown = |pointer: &str| {
            shown.iter().any(|name| {
                pointer == *name
                    || pointer
                        .strip_prefix(name)
                        .is_some_and(|rest| rest.starts_with('/'))
            })
        };
        let rest = self
            .fields
            .iter()
            .filter(|(pointer, _)| !is_shown(pointer))
            .map(|(_, words)| words.clone());
        self.said.iter().cloned().chain(rest).collect()
    }
}

web_kit::catalogue! {
    /// What use cases say of wrong input, as the rules word it, and how a page says it.
    struct DetailTexts {
        empty: "Must not be empty." | "Darf nicht leer sein.",
        part: "There is no such part." | "Dieses Teil gibt es nicht.",
        quantity: "Must be a whole number from 1 to 1000000." | "Eine ganze Zahl von 1 bis 1.000.000.",
        branch: "There is no such branch." | "Diese Filiale gibt es nicht.",
        other_branch: "Must be another branch than the source." | "Eine andere Filiale als die, die schickt.",
        lines: "Must not have more than 200 lines." | "Höchstens 200 Zeilen.",
        twice: "Stands here twice." | "Steht zweimal hier.",
        why: "Must say why, for both branches and the audit." | "Ein Grund, für beide Filialen und die Prüfung.",
        price: "Must be an amount from 0 to 10000000000000." | "Ein Betrag ab 0.",
        amount: "Write digits, as in 12.90." | "Ziffern, wie 12,90.",
        rate: "Write a rate, as in 19 or 5.5." | "Ein Satz, wie 19 oder 5,5.",
        currency: "Must be an ISO 4217 code such as EUR." | "Ein Code nach ISO 4217 wie EUR.",
        moment: "Write date and hour, as in 2026-11-24 17:00." | "Datum und Uhrzeit, wie 2026-11-24 17:00.",
        whole: "Write a whole number." | "Eine ganze Zahl.",
        minutes: "Must be from 0 to 100000." | "Von 0 bis 100000.",
        capacity: "Must be from 0 to 1000000." | "Von 0 bis 1000000.",
        zone: "Must be an IANA time zone such as Europe/Berlin." | "Eine Zeitzone der IANA wie Europe/Berlin.",
        globe: "Must lie on the globe." | "Muss auf der Erde liegen.",
        degrees: "Write degrees, as in 52.53." | "Grad, wie 52,53.",
        role: "Choose a role." | "Wählen Sie eine Rolle.",
        payment: "There is no such payment." | "Diese Zahlung gibt es nicht.",
        payments: "This receipt has several payments; write the id of one."
            | "Dieser Beleg hat mehrere Zahlungen; schreiben Sie die Kennung der einen.",
        why_not: "Must say why not." | "Ein Grund gehört dazu, wenn Sie ablehnen.",
        days: "Must be from 0 to 365." | "Von 0 bis 365.",
        reason: "Must say why." | "Ein Grund gehört dazu.",
        password_short: "Must have 8 characters at least." | "Mindestens 8 Zeichen.",
        password_long: "Must not be longer than 1000 bytes." | "Höchstens 1000 Bytes.",
        controls: "Must not contain control characters." | "Darf keine Steuerzeichen enthalten.",
        username_form: "Must be 2 to 64 lower-case letters, digits and . _ -." | "2 bis 64 Kleinbuchstaben, Ziffern und . _ -",
        code_form: "Must be two to six capital letters or digits." | "Zwei bis sechs Großbuchstaben oder Ziffern.",
    }
}

web_kit::catalogue! {
    /// What use cases refuse, by the name of the rule.
    struct KindTexts {
        transfer_state: "The transfer stands elsewhere by now; nothing was changed."
            | "Die Umlagerung steht inzwischen woanders; nichts wurde geändert.",
        stale: "It was changed meanwhile. This is how it stands now; nothing of yours was written."
            | "Es wurde inzwischen geändert. So steht es jetzt; von Ihnen wurde nichts geschrieben.",
        sku_taken: "There is a part with this number already." | "Ein Teil mit dieser Nummer gibt es schon.",
        key_missing: "The key of this person is not at the hub; nothing can be changed."
            | "Der Schlüssel dieser Person ist nicht in der Zentrale; nichts kann geändert werden.",
        merged: "One of the two was joined with another person already; open that one."
            | "Eine der beiden wurde schon mit einer anderen Person zusammengeführt; öffnen Sie diese.",
        code_taken: "Another branch has this code." | "Eine andere Filiale hat dieses Kürzel.",
        code_in_use: "Orders or machines bear this code already; it stays."
            | "Aufträge oder Rechner tragen dieses Kürzel schon; es bleibt.",
        username_taken: "This user name is taken." | "Dieser Benutzername ist vergeben.",
        own_account: "Nobody can let himself go." | "Niemand kann sich selbst austragen.",
        revoked: "This machine was revoked already." | "Dieser Rechner wurde schon gesperrt.",
        gone: "It was settled meanwhile." | "Es wurde inzwischen entschieden.",
        settled: "This entry was decided already." | "Dieser Eintrag wurde schon entschieden.",
        same_person: "These are one person already." | "Das ist bereits eine Person.",
        order_full: "The order takes no more." | "Der Auftrag nimmt nichts mehr auf.",
        ends_otherwise: "This ends with its cause, not here." | "Das endet mit seiner Ursache, nicht hier.",
        decided: "This refund was decided already." | "Über diese Erstattung ist schon entschieden.",
        above_limit: "This is more than your role may give back; a central manager may."
            | "Das ist mehr, als Ihre Rolle erstatten darf; die Zentralleitung darf es.",
        nothing_due: "Nothing came too much; a refund of its receipt at the branch gives the rest back."
            | "Es kam nichts zu viel; den Rest erstattet die Filiale zu ihrem Beleg.",
        by_bank: "A bank is not asked by the hub: transfer it, and match the line of the statement."
            | "Die Zentrale fragt keine Bank: Überweisen Sie, und ordnen Sie die Zeile des Auszugs zu.",
        came_by_it: "A payment counts as paid by this line; give it back, or correct the ledger."
            | "Eine Zahlung gilt durch diese Zeile als bezahlt; erstatten Sie sie, oder berichtigen Sie das Journal.",
        key_reused: "This form was sent with other content already. Open the page again."
            | "Dieses Formular wurde schon mit anderem Inhalt gesendet. Öffnen Sie die Seite neu.",
    }
}

fn of_kind(kind: &str, language: Language) -> Option<&'static str> {
    let t = KindTexts::of(language);
    Some(match kind {
        "transfer-state" => t.transfer_state,
        "stale" => t.stale,
        "sku-taken" => t.sku_taken,
        "key-missing" => t.key_missing,
        "merged" => t.merged,
        "code-taken" => t.code_taken,
        "code-in-use" => t.code_in_use,
        "username-taken" => t.username_taken,
        "own-account" => t.own_account,
        "revoked" => t.revoked,
        "settled" => t.settled,
        "same-person" => t.same_person,
        "order-full" => t.order_full,
        "gone" => t.gone,
        "ends-otherwise" => t.ends_otherwise,
        "decided" => t.decided,
        "above-limit" => t.above_limit,
        "nothing-due" => t.nothing_due,
        "by-bank" => t.by_bank,
        "came-by-it" => t.came_by_it,
        "key-reused" => t.key_reused,
        _ => return None,
    })
}

fn in_words(detail: &str, language: Language) -> String {
    let said = sentence(detail);
    let known = DetailTexts::ALL
        .iter()
        .find(|(_, english, _)| *english == said);
    match (known, language) {
        (Some((_, _, german)), Language::German) => (*german).to_owned(),
        _ => super::reason::said(detail.trim_end_matches('.'), language),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_say_the_same_things() {
        assert_eq!(
            web_kit::language::flaws(DetailTexts::ALL),
            Vec::<String>::new()
        );
        assert_eq!(
            web_kit::language::flaws(KindTexts::ALL),
            Vec::<String>::new()
        );
    }

    #[test]
    fn addresses_hold_any_text() {
        assert_eq!(
            address("/stock", &[("sku", "A/1+b"), ("q", "")]),
            "/stock?sku=A%2F1%2Bb"
        );
        assert_eq!(encode("ß &"), "%C3%9F%20%26");
    }

    #[test]
    fn a_refusal_speaks_the_readers_language_and_finds_its_field() {
        let problem = Problem::invalid_field("/lines/0/sku", "There is no such part.");
        let refusal = Refusal::of(&problem, Language::German);
        assert_eq!(refusal.field("lines"), Some("Dieses Teil gibt es nicht."));
        assert!(refusal.above(&["lines"]).is_empty());
        assert_eq!(refusal.above(&["to"]).len(), 1);
        let marks = refusal.marks("lines", "first").into_string();
        assert_eq!(marks, r#" aria-invalid="true" aria-describedby="first-p""#);
        let says = refusal.says("lines", "first").into_string();
        assert!(says.contains(r#"id="first-p""#) && says.contains("gibt es nicht"));
        assert!(refusal.says("to", "to").into_string().is_empty());
    }
}
