//! A card of the board: what is seen of an order at a glance, in words, glyphs and the line of its promise.

use std::collections::BTreeMap;

use domain::id::StaffId;
use domain::order::Status;
use web_kit::{Tone, fill};

use super::texts::BoardTexts;
use crate::app::order::board::{BoardFilter, Card};
use crate::app::order::form::SyncState;
use crate::web::ORDERS;
use crate::web::page::order::Back;
use crate::web::page::till::collect;
use crate::web::texts;
use crate::web::view::View;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;
/// From here on a promise is soon due: this share of its time is used.
const SOON_PERCENT: i64 = 80;

/// A statement with its meaning.
pub(super) struct Mark {
    pub(super) tone: Option<Tone>,
    pub(super) icon: &'static str,
    pub(super) text: String,
}

/// The time until the promise.
pub(super) struct Due {
    pub(super) tone: Option<Tone>,
    pub(super) text: String,
}

impl Due {
    pub(super) fn icon(&self) -> Option<&'static str> {
        match self.tone {
            Some(Tone::Late) => Some("late"),
            Some(_) => Some("clock"),
            None => None,
        }
    }
}

/// The card as the template shows it.
pub(super) struct CardView {
    pub(super) id: String,
    pub(super) number: String,
    pub(super) href: String,
    pub(super) menu_href: String,
    pub(super) menu_label: String,
    pub(super) icon: &'static str,
    pub(super) device: String,
    pub(super) fault: String,
    pub(super) person: String,
    pub(super) due: Due,
    /// How much of the promised time is used, 0 to 100; none for what is not promised or done.
    pub(super) used_percent: Option<i64>,
    /// Its glyph and words, unless both sides hold the same.
    pub(super) sync: Option<(&'static str, &'static str)>,
    /// Initials and words.
    pub(super) technician: Option<(String, String)>,
    pub(super) marks: Vec<Mark>,
    /// Where it is collected and paid, once it is ready and something is due.
    pub(super) pay_href: Option<String>,
}

impl CardView {
    pub(super) fn of(
        card: Card,
        t: &'static BoardTexts,
        view: &View,
        names: &BTreeMap<StaffId, String>,
        filter: BoardFilter,
        may_sell: bool,
    ) -> Self {
        let technician = card.technician.and_then(|id| names.get(&id));
        Self {
            href: format!("{ORDERS}/{}", card.id),
            menu_href: format!(
                "{ORDERS}/{}/move?back={}",
                card.id,
                Back::Board(filter).name()
            ),
            menu_label: fill(t.move_order, &[("number", &card.number)]),
            due: due(&card, t, view),
            used_percent: used_percent(&card, view.clock.now_ms()),
            sync: (card.sync != SyncState::Applied)
                .then(|| texts::sync(view.language(), card.sync)),
            technician: technician
                .map(|name| (initials(name), fill(t.technician, &[("name", name)]))),
            marks: marks(&card, t, view),
            icon: device_icon(&card.category),
            pay_href: (may_sell
                && card.status == Status::Ready
                && card.due.is_some_and(|due| due.amount_minor > 0))
            .then(|| collect(card.id)),
            id: card.id.to_string(),
            number: card.number,
            device: card.device,
            fault: card.fault,
            person: card
                .person
                .map_or_else(String::new, |name| name.expose().to_owned()),
        }
    }
}

fn marks(card: &Card, t: &'static BoardTexts, view: &View) -> Vec<Mark> {
    let mut marks = Vec::new();
    let mut add = |tone, icon, text: &str| {
        marks.push(Mark {
            tone,
            icon,
            text: text.to_owned(),
        });
    };
    if card.urgent {
        add(Some(Tone::Late), "bolt", t.urgent);
    }
    if card.conflict {
        add(Some(Tone::Decide), "versions", t.two_versions);
    }
    if card.lacks_part {
        add(Some(Tone::Waiting), "part-wait", t.part_missing);
    }
    if card.is_paid {
        add(Some(Tone::Agreed), "check", t.paid);
    }
    if let Some(asked) = card.asked {
        let text = fill(t.asked, &[("amount", &view.full_amount(asked))]);
        add(None, "ask", &text);
    }
    marks
}

/// How the promise stands, in one unit: a card has no room for two.
fn due(card: &Card, t: &'static BoardTexts, view: &View) -> Due {
    let now_ms = view.clock.now_ms();
    let plain = |text| Due { tone: None, text };
    if card.status == Status::Ready {
        let when = view.clock.when_short(card.since_ms);
        return plain(fill(t.since, &[("when", &when)]));
    }
    let Some(at_ms) = card.promised_at_ms else {
        return plain(String::new());
    };
    let late_ms = now_ms - at_ms;
    if late_ms > 0 {
        let (words, n) = match late_ms {
            DAY_MS.. => (t.late_days, late_ms / DAY_MS),
            HOUR_MS.. => (t.late_hours, late_ms / HOUR_MS),
            _ => (t.late_minutes, late_ms / MINUTE_MS),
        };
        return Due {
            tone: Some(Tone::Late),
            text: fill(words, &[("n", &n)]),
        };
    }
    let hour = view.clock.hour(at_ms);
    let when = view.clock.when(at_ms);
    let text = if late_ms > -HOUR_MS {
        fill(t.in_minutes, &[("n", &(-late_ms / MINUTE_MS))])
    } else if when == hour {
        fill(t.today, &[("hour", &hour)])
    } else {
        when
    };
    let is_soon =
        late_ms > -HOUR_MS || used_percent(card, now_ms).is_some_and(|used| used >= SOON_PERCENT);
    Due {
        tone: is_soon.then_some(Tone::Waiting),
        text,
    }
}

fn used_percent(card: &Card, now_ms: i64) -> Option<i64> {
    let at_ms = card
        .promised_at_ms
        .filter(|_| card.status != Status::Ready)?;
    let whole_ms = at_ms.saturating_sub(card.created_at_ms).max(1);
    let used_ms = now_ms.saturating_sub(card.created_at_ms).max(0);
    Some((used_ms.saturating_mul(100) / whole_ms).clamp(0, 100))
}

/// First and last letter of a name's words: `Jonas Richter` becomes `JR`.
pub(crate) fn initials(name: &str) -> String {
    let mut letters = name
        .split_whitespace()
        .filter_map(|word| word.chars().next().filter(|letter| letter.is_alphabetic()));
    let first = letters.next();
    first
        .into_iter()
        .chain(letters.next_back())
        .flat_map(char::to_uppercase)
        .collect()
}

/// The icon of a kind of device, by the words that shops and the open repair data use for it.
pub(crate) fn device_icon(category: &str) -> &'static str {
    const WORDS: [(&str, &str); 23] = [
        ("laptop", "laptop"),
        ("notebook", "laptop"),
        ("tablet", "tablet"),
        ("camera", "camera"),
        ("kamera", "camera"),
        ("mobile", "phone"),
        ("smartphone", "phone"),
        ("iphone", "phone"),
        ("handy", "phone"),
        ("telefon", "phone"),
        ("desktop", "desktop"),
        ("computer", "desktop"),
        ("rechner", "desktop"),
        ("printer", "printer"),
        ("drucker", "printer"),
        ("gaming", "console"),
        ("console", "console"),
        ("konsole", "console"),
        ("drive", "drive"),
        ("watch", "watch"),
        ("screen", "screen"),
        ("monitor", "screen"),
        ("keyboard", "keyboard"),
    ];
    let category = category.to_lowercase();
    WORDS
        .iter()
        .find(|(word, _)| category.contains(word))
        .map_or("device", |(_, icon)| icon)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_are_two_letters_at_most() {
        assert_eq!(initials("Jonas  Erik Richter"), "JR");
        assert_eq!(initials("ada (counter)"), "A");
        assert_eq!(initials(" "), "");
    }

    #[test]
    fn kinds_of_devices_have_their_icons() {
        assert_eq!(device_icon("Laptop"), "laptop");
        assert_eq!(device_icon("Coffee maker"), "device");
        assert!(web_kit::assets::has_icon(device_icon("Smart watch")));
    }
}
