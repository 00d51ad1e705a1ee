//! Times, ages and amounts as people read them, in the branch's time zone.
//!
//! The hour today, the weekday within the week, the date beyond. For display only.

use domain::money::Money;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Unit, Zoned};

/// The branch's clock on the wall at one moment.
#[derive(Debug, Clone)]
pub(crate) struct WallClock {
    zone: TimeZone,
    now: Zoned,
}

impl WallClock {
    pub(crate) fn new(time_zone: &str, now_ms: i64) -> Self {
        let zone = TimeZone::get(time_zone).unwrap_or(TimeZone::UTC);
        let now = timestamp(now_ms).to_zoned(zone.clone());
        Self { zone, now }
    }

    /// `14:05`, `Mon 14:05`, `19 Nov`, `19 Nov 2025`.
    pub(crate) fn when(&self, at_ms: i64) -> String {
        let at = timestamp(at_ms).to_zoned(self.zone.clone());
        let days = at
            .date()
            .since((Unit::Day, self.now.date()))
            .map_or(i32::MAX, |span| span.get_days());
        let format = match days {
            0 => "%H:%M",
            -6..=6 => "%a %H:%M",
            _ if at.year() == self.now.year() => "%-d %b",
            _ => "%-d %b %Y",
        };
        at.strftime(format).to_string()
    }

    /// The day as a heading of a time line.
    pub(crate) fn day(&self, at_ms: i64) -> String {
        let at = timestamp(at_ms).to_zoned(self.zone.clone());
        at.strftime("%A %-d %B %Y").to_string()
    }

    /// The hour, beneath a day's heading.
    pub(crate) fn hour(&self, at_ms: i64) -> String {
        timestamp(at_ms)
            .to_zoned(self.zone.clone())
            .strftime("%H:%M")
            .to_string()
    }

    /// How long ago, with two units at most: `3 h 12 min`.
    pub(crate) fn age(&self, at_ms: i64) -> String {
        let seconds = (self.now.timestamp().as_millisecond() - at_ms).max(0) / 1_000;
        let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
        match (days, hours, minutes) {
            (0, 0, 0) => format!("{} s", seconds % 60),
            (0, 0, minutes) => format!("{minutes} min"),
            (0, hours, minutes) => format!("{hours} h {minutes} min"),
            (days, hours, _) => format!("{days} d {hours} h"),
        }
    }

    pub(crate) fn is_past(&self, at_ms: i64) -> bool {
        at_ms < self.now.timestamp().as_millisecond()
    }

    /// What a field of date and hour says, in milliseconds since 1970; none when it says no such thing.
    pub(crate) fn read(&self, typed: &str) -> Option<i64> {
        let at: DateTime = typed.trim().parse().ok()?;
        let at = at.to_zoned(self.zone.clone()).ok()?;
        Some(at.timestamp().as_millisecond())
    }
}

fn timestamp(at_ms: i64) -> Timestamp {
    Timestamp::from_millisecond(at_ms).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// `EUR 49.90`; without the currency inside a column.
pub(crate) fn amount(money: Money) -> String {
    let digits = usize::from(money.currency.minor_digits());
    let sign = if money.amount_minor < 0 { "−" } else { "" };
    let text = format!(
        "{:0>width$}",
        money.amount_minor.unsigned_abs(),
        width = digits + 1
    );
    let (whole, part) = text.split_at(text.len() - digits);
    if part.is_empty() {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{part}")
    }
}

/// With its currency.
pub(crate) fn full_amount(money: Money) -> String {
    format!("{} {}", money.currency.as_str(), amount(money))
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        reason = "a test fails by panicking"
    )]

    use domain::money::Currency;

    use super::*;

    const NOON: i64 = 1_795_172_400_000; // 2026-11-20T11:00:00Z, a Friday

    #[test]
    fn times_are_short_where_they_are_near() {
        let clock = WallClock::new("Europe/Berlin", NOON);
        assert_eq!(clock.when(NOON), "12:00");
        assert_eq!(clock.when(NOON - 3 * 86_400_000), "Tue 12:00");
        assert_eq!(clock.when(NOON - 30 * 86_400_000), "21 Oct");
        assert_eq!(clock.when(NOON - 400 * 86_400_000), "16 Oct 2025");
        assert_eq!(clock.age(NOON - 11_520_000), "3 h 12 min");
    }

    #[test]
    fn a_typed_time_is_the_branchs() {
        let clock = WallClock::new("Europe/Berlin", NOON);
        assert_eq!(clock.read("2026-11-20T12:00"), Some(NOON));
        assert_eq!(clock.read("soon"), None);
    }

    #[test]
    fn amounts_have_the_currencys_digits() {
        let euro = |amount_minor| Money {
            amount_minor,
            currency: Currency::EUR,
        };
        assert_eq!(amount(euro(4_990)), "49.90");
        assert_eq!(amount(euro(-5)), "−0.05");
        assert_eq!(full_amount(euro(0)), "EUR 0.00");
        let yen = Money {
            amount_minor: 120,
            currency: "JPY".parse().unwrap(),
        };
        assert_eq!(amount(yen), "120");
    }
}
