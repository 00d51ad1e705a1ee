//! Business days in time zones: which one is due, when it begins and ends.
//!
//! The night of a day is due when the branch's wall clock first shows the hour on the day after. A clock that is put
//! forward over the hour, or shows it twice, makes it due once all the same, because what is done is not done again.

use domain::reconcile::BusinessDay;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Unit};

const FIRST: Date = Date::constant(1970, 1, 1);

fn zone_of(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap_or(TimeZone::UTC)
}

fn number(date: Date) -> i32 {
    date.since((Unit::Day, FIRST))
        .map_or(0, |span| span.get_days())
}

fn date_of(day: i32) -> Date {
    FIRST.checked_add(day.days()).unwrap_or(FIRST)
}

/// The business day of a moment, days since 1970; an unknown zone counts as UTC.
pub fn business_day(at_ms: i64, time_zone: &str) -> i32 {
    let at = Timestamp::from_millisecond(at_ms).unwrap_or(Timestamp::UNIX_EPOCH);
    number(at.to_zoned(zone_of(time_zone)).date())
}

/// The newest business day whose night is due.
pub fn due_day(now_ms: i64, time_zone: &str, hour: u8) -> i32 {
    let at = Timestamp::from_millisecond(now_ms).unwrap_or(Timestamp::UNIX_EPOCH);
    let local = at.to_zoned(zone_of(time_zone));
    let reached = i32::from(local.hour()) >= i32::from(hour);
    number(local.date()) - if reached { 1 } else { 2 }
}

/// From when to when a business day lasts.
pub(super) fn span_of(day: i32, time_zone: &str) -> BusinessDay {
    let zone = zone_of(time_zone);
    let start = |day: i32| {
        date_of(day)
            .to_zoned(zone.clone())
            .map_or(i64::from(day) * domain::reconcile::DAY_MS, |zoned| {
                zoned.timestamp().as_millisecond()
            })
    };
    BusinessDay {
        day,
        start_ms: start(day),
        end_ms: start(day.saturating_add(1)),
    }
}

/// A business day as it is written, `2026-11-21`.
pub fn show_day(day: i32) -> String {
    date_of(day).to_string()
}

/// Reads a business day.
pub fn parse_day(text: &str) -> Option<i32> {
    let date: Date = text.parse().ok()?;
    (date.to_string() == text && date >= FIRST).then(|| number(date))
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        reason = "a test fails by panicking"
    )]

    use super::*;

    fn ms(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    fn day(text: &str) -> i32 {
        parse_day(text).unwrap()
    }

    /// Every minute from `start` on for `hours`, the days that became due, in order.
    fn became_due(start: &str, hours: i64, zone: &str, hour: u8) -> Vec<(i32, String)> {
        let start = ms(start);
        let mut seen = Vec::new();
        let mut last = due_day(start, zone, hour);
        for minute in 1..hours * 60 {
            let now = start + minute * 60_000;
            let due = due_day(now, zone, hour);
            if due != last {
                let at = Timestamp::from_millisecond(now).unwrap();
                seen.push((due, at.to_string()));
                last = due;
            }
        }
        seen
    }

    #[test]
    fn days_are_written_and_read() {
        assert_eq!(show_day(day("2026-11-21")), "2026-11-21");
        assert_eq!(parse_day("1970-01-01"), Some(0));
        for bad in [
            "2026-02-30",
            "21.11.2026",
            "2026-11-21T00",
            "",
            "1969-12-31",
            "20261121",
        ] {
            assert_eq!(parse_day(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_night_is_due_once_when_clocks_change() {
        // Berlin puts its clocks forward at 02:00 on 29 March 2026 and back at 03:00 on 25 October.
        for hour in [0, 2, 3, 23] {
            for start in ["2026-03-28T12:00:00Z", "2026-10-24T12:00:00Z"] {
                let due = became_due(start, 48, "Europe/Berlin", hour);
                let days: Vec<i32> = due.iter().map(|(day, _)| *day).collect();
                assert_eq!(days.len(), 2, "{hour} {start} {due:?}");
                assert_eq!(days[1], days[0] + 1);
            }
        }
        let forward = became_due("2026-03-28T23:00:00Z", 12, "Europe/Berlin", 2);
        assert_eq!(
            forward,
            [(day("2026-03-28"), "2026-03-29T01:00:00Z".to_owned())]
        );
        let back = became_due("2026-10-24T22:00:00Z", 12, "Europe/Berlin", 3);
        assert_eq!(
            back,
            [(day("2026-10-24"), "2026-10-25T02:00:00Z".to_owned())]
        );
    }

    #[test]
    fn kiritimati_is_fourteen_hours_ahead() {
        let due = due_day(ms("2026-11-20T13:00:00Z"), "Pacific/Kiritimati", 3);
        assert_eq!(due, day("2026-11-20"), "it is 03:00 on the 21st there");
        let before = due_day(ms("2026-11-20T12:59:59Z"), "Pacific/Kiritimati", 3);
        assert_eq!(before, day("2026-11-19"));
        assert_eq!(
            business_day(ms("2026-11-20T10:00:00Z"), "Pacific/Kiritimati"),
            day("2026-11-21")
        );
    }

    #[test]
    fn days_last_23_to_25_hours() {
        let hours = |text: &str, zone: &str| {
            let span = span_of(day(text), zone);
            (span.end_ms - span.start_ms) / 3_600_000
        };
        assert_eq!(hours("2026-03-29", "Europe/Berlin"), 23);
        assert_eq!(hours("2026-10-25", "Europe/Berlin"), 25);
        assert_eq!(hours("2026-11-01", "America/New_York"), 25);
        assert_eq!(hours("2026-11-01", "Pacific/Kiritimati"), 24);
        let kiritimati = span_of(day("2026-11-21"), "Pacific/Kiritimati");
        assert_eq!(kiritimati.start_ms, ms("2026-11-20T10:00:00Z"));
    }
}
