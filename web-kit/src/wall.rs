//! Times, ages, numbers and amounts as people read them, in a place's time zone and a language.
//!
//! The hour today, the weekday within the week, the date beyond. For display only; the moment comes in as an argument.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Unit, Zoned};

use crate::language::{Language, fill};

crate::catalogue! {
    /// How times and ages are written.
    struct WallTexts {
        date: "{day} {month}" | "{day}. {month}",
        date_and_year: "{day} {month} {year}" | "{day}. {month} {year}",
        long_day: "{weekday} {day} {month} {year}" | "{weekday}, {day}. {month} {year}",
        weekday_and_hour: "{weekday} {hour}" | "{weekday} {hour}",
        seconds: "{s} s" | "{s} s",
        minutes: "{min} min" | "{min} Min.",
        hours: "{h} h {min} min" | "{h} Std. {min} Min.",
        days: "{d} d {h} h" | "{d} T. {h} Std.",
    }
}

const WEEKDAYS: [[&str; 2]; 7] = [
    ["Monday", "Montag"],
    ["Tuesday", "Dienstag"],
    ["Wednesday", "Mittwoch"],
    ["Thursday", "Donnerstag"],
    ["Friday", "Freitag"],
    ["Saturday", "Samstag"],
    ["Sunday", "Sonntag"],
];
const WEEKDAYS_SHORT: [[&str; 2]; 7] = [
    ["Mon", "Mo"],
    ["Tue", "Di"],
    ["Wed", "Mi"],
    ["Thu", "Do"],
    ["Fri", "Fr"],
    ["Sat", "Sa"],
    ["Sun", "So"],
];
const MONTHS: [[&str; 2]; 12] = [
    ["January", "Januar"],
    ["February", "Februar"],
    ["March", "März"],
    ["April", "April"],
    ["May", "Mai"],
    ["June", "Juni"],
    ["July", "Juli"],
    ["August", "August"],
    ["September", "September"],
    ["October", "Oktober"],
    ["November", "November"],
    ["December", "Dezember"],
];
const MONTHS_SHORT: [[&str; 2]; 12] = [
    ["Jan", "Jan."],
    ["Feb", "Feb."],
    ["Mar", "März"],
    ["Apr", "Apr."],
    ["May", "Mai"],
    ["Jun", "Juni"],
    ["Jul", "Juli"],
    ["Aug", "Aug."],
    ["Sep", "Sept."],
    ["Oct", "Okt."],
    ["Nov", "Nov."],
    ["Dec", "Dez."],
];

/// A place's clock on the wall at one moment, for readers of one language.
#[derive(Debug, Clone)]
pub struct WallClock {
    zone: TimeZone,
    now: Zoned,
    language: Language,
}

impl WallClock {
    /// The clock in an IANA time zone (UTC for an unknown one) at `now_ms` since 1970.
    pub fn new(time_zone: &str, now_ms: i64, language: Language) -> Self {
        let zone = TimeZone::get(time_zone).unwrap_or(TimeZone::UTC);
        let now = timestamp(now_ms).to_zoned(zone.clone());
        Self {
            zone,
            now,
            language,
        }
    }

    /// Whose words it uses.
    pub const fn language(&self) -> Language {
        self.language
    }

    /// The place's time zone.
    pub const fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The moment, in milliseconds since 1970.
    pub fn now_ms(&self) -> i64 {
        self.now.timestamp().as_millisecond()
    }

    fn zoned(&self, at_ms: i64) -> Zoned {
        timestamp(at_ms).to_zoned(self.zone.clone())
    }

    fn word<const N: usize>(
        &self,
        words: &'static [[&'static str; 2]; N],
        place: i8,
    ) -> &'static str {
        let at = match self.language {
            Language::English => 0,
            Language::German => 1,
        };
        usize::try_from(place - 1)
            .ok()
            .and_then(|place| words.get(place))
            .map_or("", |words| words[at])
    }

    fn days_from_today(&self, at: &Zoned) -> i32 {
        at.date()
            .since((Unit::Day, self.now.date()))
            .map_or(i32::MAX, |span| span.get_days())
    }

    /// `14:05`, `Mon 14:05`, `19 Nov`, `19 Nov 2025`.
    pub fn when(&self, at_ms: i64) -> String {
        let at = self.zoned(at_ms);
        match self.days_from_today(&at) {
            0 => self.hour(at_ms),
            -6..=6 => {
                let weekday = self.word(&WEEKDAYS_SHORT, at.weekday().to_monday_one_offset());
                let message = WallTexts::of(self.language).weekday_and_hour;
                fill(
                    message,
                    &[("weekday", &weekday), ("hour", &self.hour(at_ms))],
                )
            }
            _ => self.date(at.date()),
        }
    }

    /// `14:05`, `Mon`, `19 Nov`, `19 Nov 2025`: as short as it can be.
    pub fn when_short(&self, at_ms: i64) -> String {
        let at = self.zoned(at_ms);
        match self.days_from_today(&at) {
            0 => self.hour(at_ms),
            -6..=6 => self
                .word(&WEEKDAYS_SHORT, at.weekday().to_monday_one_offset())
                .to_owned(),
            _ => self.date(at.date()),
        }
    }

    /// A day: `19 Nov`, with its year where that is another one.
    pub fn date(&self, date: Date) -> String {
        let t = WallTexts::of(self.language);
        let month = self.word(&MONTHS_SHORT, date.month());
        if date.year() == self.now.year() {
            fill(t.date, &[("day", &date.day()), ("month", &month)])
        } else {
            fill(
                t.date_and_year,
                &[
                    ("day", &date.day()),
                    ("month", &month),
                    ("year", &date.year()),
                ],
            )
        }
    }

    /// The day as a heading of a time line.
    pub fn day(&self, at_ms: i64) -> String {
        let at = self.zoned(at_ms);
        let weekday = self.word(&WEEKDAYS, at.weekday().to_monday_one_offset());
        let month = self.word(&MONTHS, at.month());
        fill(
            WallTexts::of(self.language).long_day,
            &[
                ("weekday", &weekday),
                ("day", &at.day()),
                ("month", &month),
                ("year", &at.year()),
            ],
        )
    }

    /// The hour, beneath a day's heading.
    pub fn hour(&self, at_ms: i64) -> String {
        self.zoned(at_ms).strftime("%H:%M").to_string()
    }

    /// What a field of date and hour shows: `2026-11-20T12:00`.
    pub fn field(&self, at_ms: i64) -> String {
        self.zoned(at_ms).strftime("%Y-%m-%dT%H:%M").to_string()
    }

    /// How long ago, with two units at most: `3 h 12 min`.
    pub fn age(&self, at_ms: i64) -> String {
        self.span(self.now_ms() - at_ms)
    }

    /// How long something lasts, with two units at most.
    pub fn span(&self, lasts_ms: i64) -> String {
        let t = WallTexts::of(self.language);
        let seconds = lasts_ms.max(0) / 1_000;
        let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
        match (days, hours, minutes) {
            (0, 0, 0) => fill(t.seconds, &[("s", &(seconds % 60))]),
            (0, 0, minutes) => fill(t.minutes, &[("min", &minutes)]),
            (0, hours, minutes) => fill(t.hours, &[("h", &hours), ("min", &minutes)]),
            (days, hours, _) => fill(t.days, &[("d", &days), ("h", &hours)]),
        }
    }

    /// Whether the moment is past.
    pub fn is_past(&self, at_ms: i64) -> bool {
        at_ms < self.now_ms()
    }

    /// What a field of date and hour says, in milliseconds since 1970; none when it says no such thing.
    pub fn read(&self, typed: &str) -> Option<i64> {
        let at: DateTime = typed.trim().parse().ok()?;
        let at = at.to_zoned(self.zone.clone()).ok()?;
        Some(at.timestamp().as_millisecond())
    }

    /// A whole number with its thousands apart: `23,940`.
    pub fn number(&self, number: i64) -> String {
        let sign = if number < 0 { "−" } else { "" };
        format!("{sign}{}", self.grouped(&number.unsigned_abs().to_string()))
    }

    /// Minor units of a currency with so many decimal digits: `1,249.90`; the currency stands where it is alone.
    pub fn amount(&self, amount_minor: i64, digits: u8) -> String {
        let digits = usize::from(digits);
        let sign = if amount_minor < 0 { "−" } else { "" };
        let text = format!(
            "{:0>width$}",
            amount_minor.unsigned_abs(),
            width = digits + 1
        );
        let (whole, part) = text.split_at(text.len() - digits);
        let whole = self.grouped(whole);
        if part.is_empty() {
            format!("{sign}{whole}")
        } else {
            format!("{sign}{whole}{}{part}", self.decimal())
        }
    }

    /// An amount in minor units as somebody typed it, in this language's way or with a full stop: `12.90`, `12,9`, `12`.
    pub fn read_amount(&self, typed: &str, digits: u8) -> Option<i64> {
        let typed: String = typed
            .trim()
            .chars()
            .filter(|c| !c.is_whitespace() && *c != self.group())
            .collect();
        let (sign, typed) = match typed.strip_prefix(['-', '−']) {
            Some(rest) => (-1, rest),
            None => (1, typed.as_str()),
        };
        let (whole, part) = typed
            .split_once([self.decimal(), '.'])
            .unwrap_or((typed, ""));
        let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty()
            || !is_digits(whole)
            || !is_digits(part)
            || part.len() > usize::from(digits)
        {
            return None;
        }
        let minor = format!("{whole}{part:0<width$}", width = usize::from(digits));
        minor.parse::<i64>().ok().map(|minor| sign * minor)
    }

    /// A tax rate in basis points: `19 %`, `5.5 %`.
    pub fn percent(&self, bp: u32) -> String {
        let text = match (bp / 100, bp % 100) {
            (whole, 0) => whole.to_string(),
            (whole, part) if part % 10 == 0 => format!("{whole}{}{}", self.decimal(), part / 10),
            (whole, part) => format!("{whole}{}{part:02}", self.decimal()),
        };
        format!("{text} %")
    }

    const fn decimal(&self) -> char {
        match self.language {
            Language::English => '.',
            Language::German => ',',
        }
    }

    const fn group(&self) -> char {
        match self.language {
            Language::English => ',',
            Language::German => '.',
        }
    }

    fn grouped(&self, digits: &str) -> String {
        let mut grouped = String::with_capacity(digits.len() + 4);
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) {
                grouped.push(self.group());
            }
            grouped.push(digit);
        }
        grouped
    }
}

fn timestamp(at_ms: i64) -> Timestamp {
    Timestamp::from_millisecond(at_ms).unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 1_795_172_400_000; // 2026-11-20T11:00:00Z, a Friday

    fn clock(language: Language) -> WallClock {
        WallClock::new("Europe/Berlin", NOON, language)
    }

    #[test]
    fn times_are_short_where_they_are_near() {
        let english = clock(Language::English);
        assert_eq!(english.when(NOON), "12:00");
        assert_eq!(english.when(NOON - 3 * 86_400_000), "Tue 12:00");
        assert_eq!(english.when(NOON - 30 * 86_400_000), "21 Oct");
        assert_eq!(english.when(NOON - 400 * 86_400_000), "16 Oct 2025");
        assert_eq!(english.when_short(NOON - 3 * 86_400_000), "Tue");
        assert_eq!(english.when_short(NOON), "12:00");
        assert_eq!(english.day(NOON), "Friday 20 November 2026");
        assert_eq!(english.age(NOON - 11_520_000), "3 h 12 min");
        let german = clock(Language::German);
        assert_eq!(german.when(NOON - 3 * 86_400_000), "Di 12:00");
        assert_eq!(german.when(NOON - 400 * 86_400_000), "16. Okt. 2025");
        assert_eq!(german.day(NOON), "Freitag, 20. November 2026");
        assert_eq!(german.age(NOON - 11_520_000), "3 Std. 12 Min.");
    }

    #[test]
    fn a_typed_time_is_the_places() {
        let clock = clock(Language::English);
        assert_eq!(clock.read("2026-11-20T12:00"), Some(NOON));
        assert_eq!(clock.read(&clock.field(NOON)), Some(NOON));
        assert_eq!(clock.read("soon"), None);
    }

    #[test]
    fn amounts_have_the_currencys_digits_and_the_languages_signs() {
        let (english, german) = (clock(Language::English), clock(Language::German));
        assert_eq!(english.amount(124_990, 2), "1,249.90");
        assert_eq!(german.amount(124_990, 2), "1.249,90");
        assert_eq!(english.amount(-5, 2), "−0.05");
        assert_eq!(english.amount(120, 0), "120");
        assert_eq!(german.number(-23_940), "−23.940");
        assert_eq!(german.percent(1_900), "19 %");
        assert_eq!(german.percent(550), "5,5 %");
    }

    #[test]
    fn an_amount_is_read_as_it_is_written() {
        let (english, german) = (clock(Language::English), clock(Language::German));
        assert_eq!(english.read_amount("1,249.9", 2), Some(124_990));
        assert_eq!(german.read_amount("1.249,90", 2), Some(124_990));
        assert_eq!(german.read_amount("12,9", 2), Some(1_290));
        assert_eq!(english.read_amount("-3", 2), Some(-300));
        for wrong in ["", "1.999", "12.9.1", "abc", "."] {
            assert_eq!(english.read_amount(wrong, 2), None, "{wrong}");
        }
    }
}
