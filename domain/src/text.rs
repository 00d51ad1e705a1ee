//! Text that people type: how long it may be and which characters are refused.
//!
//! Control characters (C0, DEL, C1, so NUL too) are always refused; right-to-left and other Unicode text is welcome.
//! All limits are bytes of UTF-8, and none is above 8 KiB, the limit of a scalar in a document.

use thiserror::Error;

/// A name of a person, branch, part or device.
pub const NAME_MAX: usize = 200;
/// A fault as the customer tells it.
pub const FAULT_MAX: usize = 8_000;
/// A note, diagnosis or other free text of several lines.
pub const NOTE_MAX: usize = 8_000;
/// The text of an order line.
pub const LINE_TEXT_MAX: usize = 400;
/// A serial number.
pub const SERIAL_MAX: usize = 64;
/// A phone number as typed.
pub const PHONE_MAX: usize = 32;
/// An e-mail address (RFC 5321).
pub const EMAIL_MAX: usize = 254;
/// A postal address.
pub const ADDRESS_MAX: usize = 500;
/// A stock keeping unit.
pub const SKU_MAX: usize = 64;
/// A barcode.
pub const BARCODE_MAX: usize = 64;
/// A key inside a document: an accessory, a condition, a consent.
pub const KEY_MAX: usize = 64;
/// Where an imported record comes from.
pub const SOURCE_MAX: usize = 200;
/// A reason or reference of a movement.
pub const REASON_MAX: usize = 400;
/// The longest scalar of a document.
pub const SCALAR_MAX: usize = 8_192;

/// Why a text is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TextError {
    /// Nothing was written where something is needed.
    #[error("must not be empty")]
    Empty,
    /// Longer than the limit.
    #[error("must not be longer than {max} bytes")]
    TooLong {
        /// The limit in bytes.
        max: usize,
    },
    /// A control character.
    #[error("must not contain control characters")]
    Control,
    /// Not of the form that such a text has.
    #[error("must be {form}")]
    Form {
        /// The form, for a person.
        form: &'static str,
    },
}

/// One line: trimmed, without control characters. May be empty.
pub fn clean_line(text: &str, max_bytes: usize) -> Result<String, TextError> {
    let text = text.trim();
    if text.chars().any(char::is_control) {
        return Err(TextError::Control);
    }
    limited(text, max_bytes)
}

/// One line that must say something.
pub fn required_line(text: &str, max_bytes: usize) -> Result<String, TextError> {
    let text = clean_line(text, max_bytes)?;
    if text.is_empty() {
        Err(TextError::Empty)
    } else {
        Ok(text)
    }
}

/// Several lines: trimmed, line ends made `\n`; tabs and line ends are the only control characters. May be empty.
pub fn clean_block(text: &str, max_bytes: usize) -> Result<String, TextError> {
    let text = text.replace("\r\n", "\n");
    let text = text.trim();
    if text
        .chars()
        .any(|c| c.is_control() && c != '\n' && c != '\t')
    {
        return Err(TextError::Control);
    }
    limited(text, max_bytes)
}

fn limited(text: &str, max_bytes: usize) -> Result<String, TextError> {
    if text.len() > max_bytes {
        Err(TextError::TooLong { max: max_bytes })
    } else {
        Ok(text.to_owned())
    }
}

/// A stock keeping unit: letters, digits and `. _ / + -`.
pub fn clean_sku(text: &str) -> Result<String, TextError> {
    let sku = required_line(text, SKU_MAX)?;
    form(sku, "letters, digits and . _ / + -", |c| {
        c.is_ascii_alphanumeric() || b"._/+-".contains(&c)
    })
}

/// A barcode: visible ASCII without spaces.
pub fn clean_barcode(text: &str) -> Result<String, TextError> {
    let code = required_line(text, BARCODE_MAX)?;
    form(code, "visible ASCII characters without spaces", |c| {
        c.is_ascii_graphic()
    })
}

/// A branch code: two to six capital letters or digits.
pub fn clean_code(text: &str) -> Result<String, TextError> {
    const FORM: &str = "two to six capital letters or digits";
    let code = required_line(text, 6)?;
    if code.len() < 2 {
        return Err(TextError::Form { form: FORM });
    }
    form(code, FORM, |c| c.is_ascii_uppercase() || c.is_ascii_digit())
}

/// A user name: lower-case letters, digits and `. _ -`, two to 64 characters.
pub fn clean_username(text: &str) -> Result<String, TextError> {
    const FORM: &str = "2 to 64 lower-case letters, digits and . _ -";
    let name = required_line(text, 64)?;
    if name.len() < 2 {
        return Err(TextError::Form { form: FORM });
    }
    form(name, FORM, |c| {
        c.is_ascii_lowercase() || c.is_ascii_digit() || b"._-".contains(&c)
    })
}

/// A language tag (BCP 47 letters, digits and hyphens), such as `de` or `pt-BR`.
pub fn clean_language(text: &str) -> Result<String, TextError> {
    const FORM: &str = "a language tag such as de or pt-BR";
    let tag = required_line(text, 16)?;
    if !tag.as_bytes()[0].is_ascii_alphabetic() || tag.len() < 2 {
        return Err(TextError::Form { form: FORM });
    }
    form(tag, FORM, |c| c.is_ascii_alphanumeric() || c == b'-')
}

/// A phone number as typed: 3 to 20 digits and the usual signs between them.
pub fn clean_phone(text: &str) -> Result<String, TextError> {
    const FORM: &str = "a phone number";
    let phone = required_line(text, PHONE_MAX)?;
    if !(3..=20).contains(&phone_digits(&phone).len()) {
        return Err(TextError::Form { form: FORM });
    }
    form(phone, FORM, |c| {
        c.is_ascii_digit() || b"+ ()-./".contains(&c)
    })
}

/// Only the digits of a phone number, for search.
pub fn phone_digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// An e-mail address: something, one `@`, something with no space. Whether it exists only a letter tells.
pub fn clean_email(text: &str) -> Result<String, TextError> {
    let email = required_line(text, EMAIL_MAX)?;
    let good = match email.split_once('@') {
        Some((local, domain)) => {
            !local.is_empty()
                && !domain.is_empty()
                && !domain.contains('@')
                && !email.contains(char::is_whitespace)
        }
        None => false,
    };
    if good {
        Ok(email)
    } else {
        Err(TextError::Form {
            form: "an e-mail address",
        })
    }
}

fn form(
    text: String,
    form: &'static str,
    allowed: impl Fn(u8) -> bool,
) -> Result<String, TextError> {
    if text.bytes().all(allowed) {
        Ok(text)
    } else {
        Err(TextError::Form { form })
    }
}
