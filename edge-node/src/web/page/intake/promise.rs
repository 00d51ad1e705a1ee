//! When a device can be promised: hours that people name, none before the work can be done.
//!
//! Proposals only; whoever stands at the counter says something else where it is needed.

use domain::hours::OpeningHours;
use jiff::civil::{Date, DateTime, Weekday};
use jiff::{ToSpan, Unit};

use super::form::{IntakeForm, OTHER};
use super::texts::IntakeTexts;
use crate::web::view::View;

/// Hours of a day that are promised where nobody knows when the branch is open.
const HOURS: [i8; 2] = [12, 18];
/// The last hour that is promised, however long the branch is open.
const LATEST_HOUR: u16 = 18;
/// Who is promised an hour still finds the branch open for so long.
const BEFORE_CLOSING_MINUTES: u16 = 30;
/// What is between taking in and beginning.
const BEFORE_MINUTES: i64 = 60;
/// How many times are proposed.
const PROPOSED: usize = 2;
const DAYS_AHEAD: i64 = 10;

/// A time that can be chosen.
pub(super) struct Promise {
    pub(super) value: String,
    pub(super) label: String,
    pub(super) is_chosen: bool,
}

/// What is proposed, and what of it a preset chose by itself.
pub(super) struct Promises {
    pub(super) choices: Vec<Promise>,
    pub(super) auto: String,
}

/// Proposals for work of so many minutes; the first is chosen as soon as a preset says how long it takes, and stays
/// so until a hand chose another.
pub(super) fn promises(
    t: &IntakeTexts,
    view: &View,
    form: &IntakeForm,
    hours: &str,
    minutes: u32,
) -> Promises {
    let now_ms = view.clock.now_ms();
    let hours = OpeningHours::parse(hours);
    let mut times = proposed(
        &view.clock.field(now_ms),
        i64::from(minutes),
        hours.as_ref(),
    );
    let mut auto = match (minutes, times.first()) {
        (1.., Some(first)) => first.clone(),
        _ => String::new(),
    };
    // The devices of a visit are promised together: one that is quicker does not bring the time forward.
    if !form.drafts().is_empty() && form.promise_auto > auto {
        auto.clone_from(&form.promise_auto);
        if !times.contains(&auto) {
            times.push(auto.clone());
        }
    }
    let chosen = match form.promise.as_deref() {
        Some(chosen) if chosen != form.promise_auto => chosen.to_owned(),
        None if !form.promised.is_empty() => OTHER.to_owned(),
        _ => auto.clone(),
    };
    let is_other = chosen == OTHER || (!chosen.is_empty() && !times.contains(&chosen));
    let mut choices = vec![Promise {
        value: String::new(),
        label: t.no_time.to_owned(),
        is_chosen: chosen.is_empty(),
    }];
    choices.extend(times.into_iter().filter_map(|value| {
        let at_ms = view.clock.read(&value)?;
        let short = view.clock.when(at_ms);
        let is_today = value.get(..10) == view.clock.field(now_ms).get(..10);
        Some(Promise {
            label: match is_today {
                true => web_kit::fill(t.today, &[("hour", &short)]),
                false => short,
            },
            is_chosen: chosen == value,
            value,
        })
    }));
    choices.push(Promise {
        value: OTHER.to_owned(),
        label: t.other_time.to_owned(),
        is_chosen: is_other,
    });
    Promises { choices, auto }
}

/// The next hours behind the work at which the branch is open, as a field of date and hour writes them.
fn proposed(now: &str, minutes: i64, hours: Option<&OpeningHours>) -> Vec<String> {
    let Ok(now) = now.parse::<DateTime>() else {
        return Vec::new();
    };
    let Ok(ready) = now.checked_add((minutes + BEFORE_MINUTES).minutes()) else {
        return Vec::new();
    };
    let days = (0..DAYS_AHEAD).filter_map(|day| now.date().checked_add(day.days()).ok());
    days.flat_map(|day| of_day(day, hours))
        .filter(|at| *at >= ready)
        .take(PROPOSED)
        .map(|at| at.strftime("%Y-%m-%dT%H:%M").to_string())
        .collect()
}

/// The hours of a day that are promised: noon and the evening, both while the branch is open; without known hours on
/// every day but Sunday.
fn of_day(day: Date, hours: Option<&OpeningHours>) -> Vec<DateTime> {
    let Some(hours) = hours else {
        let closed = day.weekday() == Weekday::Sunday;
        let hours = HOURS.into_iter().filter(|_| !closed);
        return hours.map(|hour| day.at(hour, 0, 0, 0)).collect();
    };
    let spans = hours.of_day(usize::from(
        day.weekday().to_monday_zero_offset().unsigned_abs(),
    ));
    let fits = |minute: u16| {
        spans
            .iter()
            .any(|span| span.from <= minute && minute + BEFORE_CLOSING_MINUTES <= span.to)
    };
    let evening = spans.last().map(|span| {
        let last = span.to.saturating_sub(BEFORE_CLOSING_MINUTES) / 60;
        last.min(LATEST_HOUR)
    });
    let mut promised: Vec<u16> = [Some(12), evening].into_iter().flatten().collect();
    promised.retain(|hour| fits(hour * 60));
    promised.dedup();
    let at = |hour: u16| i8::try_from(hour).ok().map(|hour| day.at(hour, 0, 0, 0));
    promised.into_iter().filter_map(at).collect()
}

/// The day of a promise in few signs, and its hour: `Thu 19`, `17:00`.
pub(crate) fn short_day(view: &View, at_ms: i64) -> (String, String) {
    let hour = view.clock.hour(at_ms);
    let field = view.clock.field(at_ms);
    let number = field
        .get(8..10)
        .unwrap_or("")
        .trim_start_matches('0')
        .to_owned();
    let day = view.clock.day(at_ms);
    let weekday: String = day.chars().take_while(|c| c.is_alphabetic()).collect();
    let letters = if view.language() == web_kit::Language::German {
        2
    } else {
        3
    };
    let weekday: String = weekday.chars().take(letters).collect();
    let today: Option<DateTime> = view.clock.field(view.clock.now_ms()).parse().ok();
    let then: Option<DateTime> = field.parse().ok();
    let is_far = today.zip(then).is_some_and(|(today, then)| {
        then.date()
            .since((Unit::Day, today.date()))
            .is_ok_and(|span| span.get_days().abs() > 25)
    });
    let day = if is_far {
        then.map_or(number, |then| view.clock.date(then.date()))
    } else {
        format!("{weekday} {number}")
    };
    (day, hour)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_promised_before_it_can_be_done_nor_on_a_sunday() {
        // A Friday noon.
        let now = "2026-11-20T11:30";
        assert_eq!(
            proposed(now, 60, None),
            ["2026-11-20T18:00", "2026-11-21T12:00"]
        );
        assert_eq!(
            proposed(now, 6 * 60, None),
            ["2026-11-21T12:00", "2026-11-21T18:00"]
        );
        let saturday = "2026-11-21T17:45";
        assert_eq!(
            proposed(saturday, 30, None),
            ["2026-11-23T12:00", "2026-11-23T18:00"]
        );
        assert!(proposed("soon", 1, None).is_empty());
    }

    #[test]
    fn a_promise_falls_into_the_opening_hours() {
        let hours = OpeningHours::parse("Mo-Fr 10:00-17:00; Sa 11:00-13:00");
        let proposed = |now: &str, minutes| proposed(now, minutes, hours.as_ref());
        // A Friday: the evening ends before the shop does, and Saturday has only its noon.
        assert_eq!(
            proposed("2026-11-20T11:30", 60),
            ["2026-11-20T16:00", "2026-11-21T12:00"]
        );
        // Behind Saturday's noon comes Monday.
        assert_eq!(
            proposed("2026-11-21T11:30", 60),
            ["2026-11-23T12:00", "2026-11-23T16:00"]
        );
        let never = OpeningHours::parse("Mo-Su off");
        assert!(super::proposed("2026-11-20T11:30", 60, never.as_ref()).is_empty());
    }
}
