//! Opening hours as people write them, understood where they can be: `Mo-Fr 09:00-18:30; Sa 10:00-14:00`.
//!
//! The notation is that of OpenStreetMap's `opening_hours` without months, holidays and weeks, with English and German
//! names of days. What is not understood is no hours at all, so nothing is concluded from a text half read.

/// Minutes of a day.
const DAY_MINUTES: u16 = 24 * 60;
/// Names of the days from Monday, each by its beginnings.
const DAYS: [&[&str]; 7] = [
    &["mo", "mon", "monday", "montag"],
    &["tu", "tue", "tues", "tuesday", "di", "dienstag"],
    &["we", "wed", "wednesday", "mi", "mittwoch"],
    &["th", "thu", "thur", "thurs", "thursday", "do", "donnerstag"],
    &["fr", "fri", "friday", "freitag"],
    &["sa", "sat", "saturday", "samstag"],
    &["su", "sun", "sunday", "so", "sonntag"],
];

/// From when to when, in minutes of the day; the end is not before the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first minute.
    pub from: u16,
    /// The minute behind the last one.
    pub to: u16,
}

/// When a shop is open, by day of the week.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OpeningHours([Vec<Span>; 7]);

impl OpeningHours {
    /// Reads them; `None` where a word of the text is not understood.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text
            .to_lowercase()
            .replace(['–', '—', '−'], "-")
            .replace(" - ", "-");
        let mut hours = Self::default();
        let mut read = false;
        for rule in text.split([';', '\n']).map(str::trim) {
            if rule.is_empty() || rule.starts_with("ph ") {
                continue;
            }
            hours.rule(rule)?;
            read = true;
        }
        read.then_some(hours)
    }

    /// One rule takes the place of what was said before about its days.
    fn rule(&mut self, rule: &str) -> Option<()> {
        if rule == "24/7" {
            let whole = Span {
                from: 0,
                to: DAY_MINUTES,
            };
            self.0 = std::array::from_fn(|_| vec![whole]);
            return Some(());
        }
        let split = rule
            .find(|c: char| c.is_ascii_digit())
            .or_else(|| rule.rfind(char::is_whitespace).map(|at| at + 1))
            .unwrap_or(0);
        let (days, times) = rule.split_at(split);
        let days = days_of(days.trim().trim_end_matches(':'))?;
        let spans = spans_of(times.trim())?;
        for day in days {
            self.0[day].clone_from(&spans);
        }
        Some(())
    }

    /// The spans of a day, 0 for Monday; none where it is closed.
    pub fn of_day(&self, day: usize) -> &[Span] {
        self.0.get(day).map_or(&[], Vec::as_slice)
    }
}

fn days_of(text: &str) -> Option<Vec<usize>> {
    if text.is_empty() {
        return Some((0..7).collect());
    }
    let mut days = Vec::new();
    for piece in text.split([',', ' ']).filter(|piece| !piece.is_empty()) {
        match piece.split_once('-') {
            None => days.push(day_of(piece)?),
            Some((first, last)) => {
                let (first, last) = (day_of(first)?, day_of(last)?);
                let span = (last + 7 - first) % 7;
                days.extend((0..=span).map(|step| (first + step) % 7));
            }
        }
    }
    Some(days)
}

fn day_of(name: &str) -> Option<usize> {
    let name = name.trim().trim_end_matches('.');
    DAYS.iter().position(|names| names.contains(&name))
}

fn spans_of(text: &str) -> Option<Vec<Span>> {
    if matches!(text, "off" | "closed" | "geschlossen" | "zu") {
        return Some(Vec::new());
    }
    let pieces = text.split([',', ' ']).filter(|piece| !piece.is_empty());
    let spans: Option<Vec<Span>> = pieces
        .filter(|piece| !matches!(*piece, "uhr" | "and" | "und"))
        .map(|piece| {
            let (from, to) = piece.split_once('-')?;
            let (from, to) = (minute_of(from)?, minute_of(to)?);
            // Past midnight is open to the end of the day, which is all that a promise needs.
            let to = if to <= from { DAY_MINUTES } else { to };
            Some(Span { from, to })
        })
        .collect();
    spans.filter(|spans| !spans.is_empty())
}

fn minute_of(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once([':', '.']).unwrap_or((text, "0"));
    let (hour, minute): (u16, u16) = (hour.trim().parse().ok()?, minute.trim().parse().ok()?);
    let minutes = hour.checked_mul(60)?.checked_add(minute)?;
    (minute < 60 && minutes <= DAY_MINUTES).then_some(minutes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn spans(hours: &OpeningHours, day: usize) -> Vec<(u16, u16)> {
        let spans = hours.of_day(day).iter();
        spans.map(|span| (span.from / 60, span.to / 60)).collect()
    }

    #[test]
    fn the_usual_notations_are_understood() {
        let hours =
            OpeningHours::parse("Mo-Fr 09:00-13:00,14:00-18:00; Sa 10:00-14:00; Su off").unwrap();
        assert_eq!(spans(&hours, 0), [(9, 13), (14, 18)]);
        assert_eq!(
            (spans(&hours, 5), spans(&hours, 6)),
            (vec![(10, 14)], vec![])
        );
        let german =
            OpeningHours::parse("Mo–Do 9–18 Uhr\nFr: 9 - 17\nSamstag geschlossen").unwrap();
        assert_eq!(spans(&german, 3), [(9, 18)]);
        assert_eq!(
            (spans(&german, 4), spans(&german, 5)),
            (vec![(9, 17)], vec![])
        );
        assert_eq!(
            spans(&OpeningHours::parse("08:00-22:00").unwrap(), 6),
            [(8, 22)]
        );
        assert_eq!(spans(&OpeningHours::parse("24/7").unwrap(), 2), [(0, 24)]);
        assert_eq!(
            spans(&OpeningHours::parse("Sa-Mo 20:00-02:00").unwrap(), 0),
            [(20, 24)]
        );
    }

    #[test]
    fn a_text_that_is_half_read_says_nothing() {
        for text in [
            "",
            "by appointment",
            "Mo-Fr morning",
            "Mo-Xx 9-12",
            "Mo 25:00-26:00",
            "Mo 65535:00-9",
        ] {
            assert_eq!(OpeningHours::parse(text), None, "{text}");
        }
    }
}
