//! Amounts as banks write them: `-1.234,56`, `1,234.56`, `1234.5`, `+12`.
//!
//! Nothing is guessed: `1.234` of a currency with cents may be either and is refused.

use domain::money::{Currency, MAX_AMOUNT_MINOR};

/// Reads an amount into minor units; none where it cannot be read in one way only.
pub(super) fn read(text: &str, currency: Currency) -> Option<i64> {
    let text = text.trim();
    let (is_negative, digits) = match text.strip_prefix(['-', '\u{2212}']) {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let digits = digits.trim_start();
    let minor_digits = usize::from(currency.minor_digits());
    let (whole, decimals) = split(digits, minor_digits)?;
    let whole: String = ungroup(whole)?;
    if whole.len() > 15 || decimals.len() > minor_digits {
        return None;
    }
    let mut minor: i64 = whole.parse().ok()?;
    for place in 0..minor_digits {
        let digit = decimals
            .as_bytes()
            .get(place)
            .map_or(0, |digit| digit - b'0');
        minor = minor.checked_mul(10)?.checked_add(i64::from(digit))?;
    }
    (minor <= MAX_AMOUNT_MINOR).then_some(if is_negative { -minor } else { minor })
}

/// Whole part, still grouped, and decimals.
fn split(digits: &str, minor_digits: usize) -> Option<(&str, &str)> {
    let separators = digits.matches(['.', ',']).count();
    let Some(at) = digits.rfind(['.', ',']).filter(|_| separators > 0) else {
        return Some((digits, ""));
    };
    let (whole, decimals) = (&digits[..at], &digits[at + 1..]);
    if decimals.is_empty() || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let sign = digits.as_bytes()[at];
    let is_repeated = whole.bytes().any(|byte| byte == sign);
    if is_repeated {
        return Some((digits, ""));
    }
    let is_mixed = separators > 1;
    match decimals.len() {
        length if length <= minor_digits => Some((whole, decimals)),
        3 if minor_digits == 0 && !is_mixed => Some((digits, "")),
        _ => None,
    }
}

/// Digits without what groups them; groups have three digits and one kind of sign.
fn ungroup(whole: &str) -> Option<String> {
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_sign = |letter: char| {
        matches!(
            letter,
            '.' | ',' | '\'' | ' ' | '\u{a0}' | '\u{202f}' | '\u{2019}'
        )
    };
    let Some(sign) = whole.chars().find(|letter| is_sign(*letter)) else {
        return is_digits(whole).then(|| whole.to_owned());
    };
    let mut groups = whole.split(sign);
    let first = groups
        .next()
        .filter(|first| is_digits(first) && first.len() <= 3)?;
    let mut digits = first.to_owned();
    for group in groups {
        if group.len() != 3 || !is_digits(group) {
            return None;
        }
        digits.push_str(group);
    }
    Some(digits)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use proptest::prelude::*;

    #[test]
    fn points_and_commas_are_read_where_they_say_one_thing() {
        let table = [
            ("EUR", "1.234,56", Some(123_456)),
            ("EUR", "-1,234.5", Some(-123_450)),
            ("EUR", "1234", Some(123_400)),
            ("EUR", "+0,07", Some(7)),
            ("EUR", "\u{2212}1'234.00", Some(-123_400)),
            ("EUR", "1 234 567,8", Some(123_456_780)),
            ("EUR", "1.234.567", Some(123_456_700)),
            ("EUR", "1.234", None),
            ("EUR", "1,2345", None),
            ("EUR", "12.34,56", None),
            ("EUR", "1.2.3", None),
            ("EUR", "1..2", None),
            ("EUR", "1,", None),
            ("EUR", ",5", None),
            ("EUR", "", None),
            ("EUR", "--1", None),
            ("EUR", "1e3", None),
            ("EUR", "٣", None),
            ("EUR", "99999999999999999999", None),
            ("EUR", "100000000000,01", None),
            ("JPY", "1,234", Some(1_234)),
            ("JPY", "1,23", None),
            ("KWD", "1.234", Some(1_234)),
        ];
        for (currency, text, minor) in table {
            assert_eq!(
                read(text, currency.parse().unwrap()),
                minor,
                "{currency} {text}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,24}") {
            read(&text, Currency::EUR);
        }

        #[test]
        fn what_is_written_is_read(minor in -MAX_AMOUNT_MINOR..=MAX_AMOUNT_MINOR, comma: bool) {
            let sign = if minor < 0 { "-" } else { "" };
            let (whole, rest) = (minor.unsigned_abs() / 100, minor.unsigned_abs() % 100);
            let point = if comma { ',' } else { '.' };
            prop_assert_eq!(read(&format!("{sign}{whole}{point}{rest:02}"), Currency::EUR), Some(minor));
        }
    }
}
