//! What people write into cells: days, pieces, statuses, yes and no.

use domain::order::Status;
use domain::text::{self, TextError};
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

use super::columns::Cells;
use super::fault::Fault;
use super::field::Field;

/// The hour that a promise without one means.
pub(crate) const EVENING: i8 = 18;

/// A text in one line, at most so long.
pub(super) fn line(cells: &Cells, field: Field, max: usize) -> Result<String, Fault> {
    let spaced: String = cells
        .get(field)
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    text::clean_line(&spaced, max).map_err(|error| fault(field, error))
}

/// The same, and there must be one.
pub(super) fn required(cells: &Cells, field: Field, max: usize) -> Result<String, Fault> {
    let text = line(cells, field, max)?;
    if text.is_empty() {
        return Err(Fault::Empty { field });
    }
    Ok(text)
}

/// A text of several lines, at most so long.
pub(super) fn block(cells: &Cells, field: Field, max: usize) -> Result<String, Fault> {
    let printable: String = cells
        .get(field)
        .chars()
        .map(|c| {
            if c.is_control() && c != '\n' && c != '\t' {
                ' '
            } else {
                c
            }
        })
        .collect();
    text::clean_block(&printable, max).map_err(|error| fault(field, error))
}

/// A text of a form of its own; none where the cell is empty.
pub(super) fn formed(
    cells: &Cells,
    field: Field,
    clean: fn(&str) -> Result<String, TextError>,
) -> Result<Option<String>, Fault> {
    match cells.get(field) {
        "" => Ok(None),
        text => clean(text).map(Some).map_err(|error| fault(field, error)),
    }
}

fn fault(field: Field, error: TextError) -> Fault {
    match error {
        TextError::Empty => Fault::Empty { field },
        TextError::TooLong { max } => Fault::TooLong { field, max },
        TextError::Form { form } => Fault::Form { field, form },
        TextError::Control => Fault::Said(format!("{} {error}", field.name())),
    }
}

/// A number of pieces; none where the cell is empty.
pub(super) fn pieces(
    cells: &Cells,
    field: Field,
    least: i64,
    most: i64,
) -> Result<Option<i64>, Fault> {
    let text = cells.get(field);
    if text.is_empty() {
        return Ok(None);
    }
    let number = read_pieces(text).filter(|number| (least..=most).contains(number));
    number.map(Some).ok_or_else(|| Fault::Pieces {
        field,
        found: shortened(text),
        least,
        most,
    })
}

/// Spreadsheets write whole numbers as `12`, `12.0` or `12,00`.
pub(crate) fn read_pieces(text: &str) -> Option<i64> {
    let (whole, part) = text.split_once(['.', ',']).unwrap_or((text, ""));
    let is_whole = part.len() <= 2 && part.bytes().all(|byte| byte == b'0');
    is_whole.then(|| whole.parse().ok()).flatten()
}

/// A moment in the branch's zone; a day alone means its `hour`. None where the cell is empty.
pub(super) fn moment(
    cells: &Cells,
    field: Field,
    zone: &TimeZone,
    hour: i8,
) -> Result<Option<i64>, Fault> {
    let text = cells.get(field);
    if text.is_empty() {
        return Ok(None);
    }
    read_moment(text, zone, hour)
        .map(Some)
        .ok_or_else(|| Fault::Day {
            field,
            found: shortened(text),
        })
}

/// `2026-05-31`, `31.05.2026`, each with an hour behind it or without. Days with slashes mean one thing here and
/// another there, so they are refused.
pub(crate) fn read_moment(text: &str, zone: &TimeZone, hour: i8) -> Option<i64> {
    let (day, time) = text.split_once(['T', ' ']).unwrap_or((text, ""));
    let number = |text: &str| -> Option<i16> {
        let is_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        is_digits.then(|| text.parse().ok()).flatten()
    };
    let small = |text: &str| number(text).and_then(|number| i8::try_from(number).ok());
    let mut parts = day.split(['-', '.']);
    let [first, second, third] = [parts.next()?, parts.next()?, parts.next()?];
    if parts.next().is_some() {
        return None;
    }
    let (year, day) = if day.contains('-') {
        (first, third)
    } else {
        (third, first)
    };
    let year = number(year).filter(|year| (1990..2200).contains(year))?;
    let date = Date::new(year, small(second)?, small(day)?).ok()?;
    let time = time.trim().trim_end_matches('Z');
    let time = if time.is_empty() {
        Time::new(hour, 0, 0, 0).ok()?
    } else {
        let mut parts = time.split(['.', '+']).next()?.split(':');
        let [hour, minute] = [small(parts.next()?)?, small(parts.next()?)?];
        let second = parts.next().map_or(Some(0), small)?;
        Time::new(hour, minute, second, 0).ok()?
    };
    let at = DateTime::from_parts(date, time)
        .to_zoned(zone.clone())
        .ok()?;
    Some(at.timestamp().as_millisecond())
}

/// Where an order stands, as programs call it; the inner one is none for an order that has ended.
pub(crate) fn read_status(text: &str) -> Option<Option<Status>> {
    let plain: String = text
        .chars()
        .filter(|c| c.is_alphabetic())
        .flat_map(char::to_lowercase)
        .collect();
    Some(Some(match plain.as_str() {
        "" | "received" | "new" | "open" | "intake" | "angenommen" | "neu" | "offen"
        | "eingang" => Status::Received,
        "diagnosing" | "diagnosis" | "indiagnosis" | "diagnose" | "indiagnose" | "prüfung" => {
            Status::Diagnosing
        }
        "awaitingapproval" | "waitingforapproval" | "waitingforcustomer" | "estimate" | "quote"
        | "wartetaufzusage" | "wartetauffreigabe" | "wartetaufkunde" | "kostenvoranschlag" => {
            Status::AwaitingApproval
        }
        "awaitingparts" | "waitingforparts" | "partsordered" | "onorder" | "wartetaufteile"
        | "teilebestellt" | "bestellt" => Status::AwaitingParts,
        "inrepair" | "repairing" | "repair" | "inprogress" | "working" | "inreparatur"
        | "reparatur" | "inarbeit" => Status::InRepair,
        "ready" | "readyforpickup" | "finished" | "done" | "repaired" | "fertig"
        | "abholbereit" | "erledigt" | "repariert" => Status::Ready,
        "collected" | "pickedup" | "closed" | "delivered" | "cancelled" | "canceled"
        | "returned" | "abgeholt" | "geschlossen" | "abgeschlossen" | "ausgeliefert"
        | "storniert" => {
            return Some(None);
        }
        _ => return None,
    }))
}

/// Yes or no; empty is no.
pub(crate) fn read_yes(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "yes" | "y" | "true" | "1" | "x" | "ja" | "j" | "wahr" | "high" | "urgent" | "hoch"
        | "eilig" => Some(true),
        "" | "no" | "n" | "false" | "0" | "-" | "nein" | "falsch" | "normal" | "low"
        | "niedrig" => Some(false),
        _ => None,
    }
}

pub(super) fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn days_are_read_in_two_ways_and_never_guessed() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let evening = read_moment("2026-05-31", &zone, EVENING);
        assert_eq!(evening, Some(1_780_243_200_000));
        for same in [
            "31.05.2026",
            "31.5.2026 18:00",
            "2026-05-31T18:00:00",
            "2026-05-31 18:00:00.000",
        ] {
            assert_eq!(read_moment(same, &zone, EVENING), evening, "{same}");
        }
        for wrong in [
            "",
            "31/05/2026",
            "05/31/2026",
            "2026-02-30",
            "soon",
            "2026-05",
            "31.05.26",
            "2026-05-31 x",
        ] {
            assert_eq!(read_moment(wrong, &zone, EVENING), None, "{wrong}");
        }
    }

    #[test]
    fn pieces_are_whole() {
        for (text, number) in [
            ("12", 12),
            ("12.0", 12),
            ("12,00", 12),
            ("0", 0),
            ("-3", -3),
        ] {
            assert_eq!(read_pieces(text), Some(number), "{text}");
        }
        for wrong in ["", "1.5", "1.000", "twelve", "1 2"] {
            assert_eq!(read_pieces(wrong), None, "{wrong}");
        }
    }
}
