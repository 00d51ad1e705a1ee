//! Order numbers that people read aloud: `CODE-XXXXXX-C`.
//!
//! Six random digits of Crockford's base 32 and his mod-37 check, made without asking anyone. Only checks that are
//! themselves one of the 32 digits are used, so no number ever ends in a sign. Numbers are for people: nothing is
//! unique because of them.

use crate::env::Entropy;
use crate::text::clean_code;
use thiserror::Error;

const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Why a text is not an order number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NumberError {
    /// Not of the form.
    #[error("an order number looks like BER-4F7K2M-9")]
    Form,
    /// The check character does not fit the digits.
    #[error("the check character does not fit; please look at the number again")]
    Check,
}

/// Draws an order number of the branch with this code. Draw again while the number is taken.
pub fn order_number(code: &str, entropy: &mut impl Entropy) -> String {
    loop {
        let mut bytes = [0; 4];
        entropy.fill(&mut bytes);
        let value = u32::from_be_bytes(bytes) & 0x3fff_ffff;
        if let Some(check) = check_digit(value) {
            return format!("{code}-{}-{}", digits(value), char::from(check));
        }
    }
}

/// Reads an order number as a person writes it: any case, O for 0, I or L for 1, hyphens and spaces as they like.
/// Gives the number as it is stored.
pub fn parse_order_number(text: &str) -> Result<String, NumberError> {
    let plain = |text: &str| -> String {
        text.chars()
            .filter(|c| !matches!(c, '-' | ' '))
            .map(|c| c.to_ascii_uppercase())
            .collect()
    };
    let whole = plain(text);
    if !whole.is_ascii() || whole.len() < 9 {
        return Err(NumberError::Form);
    }
    let (code, rest) = whole.split_at(whole.len() - 7);
    // A hyphen says where the code ends, so that a forgotten check character is not read out of the digits.
    if text
        .split_once('-')
        .is_some_and(|(before, _)| plain(before) != code)
    {
        return Err(NumberError::Form);
    }
    clean_code(code).map_err(|_| NumberError::Form)?;
    let mut values = [0; 7];
    for (value, c) in values.iter_mut().zip(rest.bytes()) {
        *value = digit_value(c).ok_or(NumberError::Form)?;
    }
    let value = values[..6].iter().fold(0, |sum, digit| (sum << 5) | digit);
    if value % 37 != values[6] {
        return Err(NumberError::Check);
    }
    Ok(format!(
        "{code}-{}-{}",
        digits(value),
        char::from(DIGITS[values[6] as usize])
    ))
}

fn digits(value: u32) -> String {
    (0..6)
        .rev()
        .map(|i| char::from(DIGITS[(value >> (5 * i) & 31) as usize]))
        .collect()
}

fn check_digit(value: u32) -> Option<u8> {
    DIGITS.get((value % 37) as usize).copied()
}

fn digit_value(c: u8) -> Option<u32> {
    let c = match c {
        b'O' => b'0',
        b'I' | b'L' => b'1',
        c => c,
    };
    DIGITS
        .iter()
        .position(|d| *d == c)
        .and_then(|i| u32::try_from(i).ok())
}
