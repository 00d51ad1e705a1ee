//! Join codes: what a person types into a new machine so that it and the hub know each other at first contact.
//!
//! "CP1-" and Crockford's base 32 of 160 random bits ‖ the first 16 bytes of H(SubjectPublicKeyInfo of the hub's root).
//! The secret proves the machine to the hub, the fingerprint the hub to the machine (T-4). Drawing the bits, storing
//! their hash and counting the minutes are the hub's business.

use std::fmt;
use std::str::FromStr;

use crate::hash::{Hash, sha256};

const PREFIX: &str = "CP1-";
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// 36 bytes are 288 bits: 57 digits and one that holds three bits and two zeros.
const DIGIT_COUNT: usize = 58;
const BYTE_COUNT: usize = 36;

/// A join code. Its `Debug` form shows no secret; its `Display` form is the code itself.
#[derive(Clone, PartialEq, Eq)]
pub struct JoinCode {
    /// The 160 random bits.
    pub secret: [u8; 20],
    /// First 16 bytes of SHA-256 over the root's SubjectPublicKeyInfo (DER).
    pub fingerprint: [u8; 16],
}

/// A text that is no join code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a join code is CP1- and 58 letters and digits; please copy it again")]
pub struct JoinCodeError;

impl JoinCode {
    /// What the hub stores of the secret.
    pub fn secret_hash(secret: &[u8; 20]) -> Hash {
        sha256(secret)
    }

    /// The fingerprint of a public key, as DER SubjectPublicKeyInfo.
    pub fn fingerprint_of(public_key_info: &[u8]) -> [u8; 16] {
        let mut fingerprint = [0; 16];
        fingerprint.copy_from_slice(&sha256(public_key_info)[..16]);
        fingerprint
    }
}

impl fmt::Debug for JoinCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinCode")
            .field("fingerprint", &self.fingerprint)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for JoinCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = [0; BYTE_COUNT];
        bytes[..20].copy_from_slice(&self.secret);
        bytes[20..].copy_from_slice(&self.fingerprint);
        let mut text = String::with_capacity(PREFIX.len() + DIGIT_COUNT);
        text.push_str(PREFIX);
        let (mut bits, mut held) = (0u32, 0);
        for byte in bytes {
            bits = (bits << 8) | u32::from(byte);
            held += 8;
            while held >= 5 {
                held -= 5;
                text.push(char::from(DIGITS[((bits >> held) & 31) as usize]));
            }
            bits &= (1 << held) - 1;
        }
        text.push(char::from(DIGITS[((bits << (5 - held)) & 31) as usize]));
        f.write_str(&text)
    }
}

impl FromStr for JoinCode {
    type Err = JoinCodeError;

    /// Reads a code as people copy it: any case, O for 0, I or L for 1, spaces and hyphens as they like.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let plain: String = text
            .chars()
            .filter(|c| !matches!(c, '-' | ' '))
            .map(|c| c.to_ascii_uppercase())
            .collect();
        let digits = plain
            .strip_prefix("CP")
            .and_then(|rest| rest.strip_prefix(['1', 'I', 'L']))
            .ok_or(JoinCodeError)?;
        if digits.len() != DIGIT_COUNT {
            return Err(JoinCodeError);
        }
        let mut bytes = Vec::with_capacity(BYTE_COUNT);
        let (mut bits, mut held) = (0u32, 0);
        for digit in digits.bytes() {
            bits = (bits << 5) | digit_value(digit)?;
            held += 5;
            if held >= 8 {
                held -= 8;
                bytes.push((bits >> held) as u8);
                bits &= (1 << held) - 1;
            }
        }
        let (Some(secret), Some(fingerprint), true) = (
            bytes.first_chunk::<20>(),
            bytes.last_chunk::<16>(),
            bytes.len() == BYTE_COUNT && bits == 0,
        ) else {
            return Err(JoinCodeError);
        };
        Ok(JoinCode {
            secret: *secret,
            fingerprint: *fingerprint,
        })
    }
}

fn digit_value(digit: u8) -> Result<u32, JoinCodeError> {
    let digit = match digit {
        b'O' => b'0',
        b'I' | b'L' => b'1',
        digit => digit,
    };
    let index = DIGITS
        .iter()
        .position(|known| *known == digit)
        .ok_or(JoinCodeError)?;
    Ok(index as u32)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_code_reads_back(secret: [u8; 20], fingerprint: [u8; 16]) {
            let code = JoinCode { secret, fingerprint };
            let text = code.to_string();
            prop_assert_eq!(text.len(), 62);
            prop_assert_eq!(text.parse::<JoinCode>().unwrap(), code.clone());
            let sloppy = text.to_lowercase().replace('0', "o").replace('1', "l");
            prop_assert_eq!(sloppy.parse::<JoinCode>().unwrap(), code);
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,80}") {
            let _read = text.parse::<JoinCode>();
        }
    }

    #[test]
    fn what_is_no_code_is_refused() {
        let code = JoinCode {
            secret: [255; 20],
            fingerprint: [255; 16],
        }
        .to_string();
        assert!(code[..61].parse::<JoinCode>().is_err());
        assert!(code.replace("CP1", "CP2").parse::<JoinCode>().is_err());
        assert!(code.replace("CP1-Z", "CP1-U").parse::<JoinCode>().is_err());
        let with_low_bits = format!("{}{}", &code[..61], 'Z');
        assert!(with_low_bits.parse::<JoinCode>().is_err());
    }
}
