//! Reading numbers, lengths and texts out of untrusted bytes.
//!
//! Numbers are LEB128 in their only shortest form (WebAssembly core specification §5.2.2 allows
//! longer ones, Automerge's column reader too; a longer form would change a change's hash when
//! Automerge writes it again). Nothing here panics, allocates, or reads past the end.

use super::error::{Place, ScanError};

/// Bytes not yet read, and where in the chunk they stand, for the error.
#[derive(Debug, Clone)]
pub(super) struct Input<'a> {
    rest: &'a [u8],
    place: Place,
}

impl<'a> Input<'a> {
    pub(super) fn new(bytes: &'a [u8], place: Place) -> Self {
        Input { rest: bytes, place }
    }

    /// Says what is read next.
    pub(super) fn at(&mut self, place: Place) -> &mut Self {
        self.place = place;
        self
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    fn byte(&mut self) -> Result<u8, ScanError> {
        let (first, rest) = self
            .rest
            .split_first()
            .ok_or(ScanError::Truncated { place: self.place })?;
        self.rest = rest;
        Ok(*first)
    }

    /// An unsigned number of at most 64 bits.
    pub(super) fn unsigned(&mut self) -> Result<u64, ScanError> {
        let mut value = 0_u64;
        for index in 0..10 {
            let byte = self.byte()?;
            if index == 9 && byte > 1 {
                break;
            }
            value |= u64::from(byte & 0x7f) << (7 * index);
            if byte & 0x80 == 0 {
                if index > 0 && byte == 0 {
                    return Err(ScanError::NumberOverlong { place: self.place });
                }
                return Ok(value);
            }
        }
        Err(ScanError::NumberTooLarge { place: self.place })
    }

    /// A signed number of at most 64 bits.
    pub(super) fn signed(&mut self) -> Result<i64, ScanError> {
        let mut value = 0_u64;
        let mut before_is_negative = None;
        for index in 0..10 {
            let byte = self.byte()?;
            if index == 9 && byte != 0 && byte != 0x7f {
                break;
            }
            value |= u64::from(byte & 0x7f) << (7 * index);
            let is_negative = byte & 0x40 != 0;
            if byte & 0x80 == 0 {
                let says_only_the_sign = byte == 0 || byte == 0x7f;
                if says_only_the_sign && before_is_negative == Some(is_negative) {
                    return Err(ScanError::NumberOverlong { place: self.place });
                }
                let bits = 7 * (index + 1);
                if is_negative && bits < 64 {
                    value |= u64::MAX << bits;
                }
                return Ok(value.cast_signed());
            }
            before_is_negative = Some(is_negative);
        }
        Err(ScanError::NumberTooLarge { place: self.place })
    }

    /// The next `length` bytes.
    pub(super) fn take(&mut self, length: u64) -> Result<&'a [u8], ScanError> {
        let taken = usize::try_from(length)
            .ok()
            .and_then(|length| self.rest.split_at_checked(length));
        let (taken, rest) = taken.ok_or(ScanError::Truncated { place: self.place })?;
        self.rest = rest;
        Ok(taken)
    }

    /// Bytes behind their length.
    pub(super) fn counted_bytes(&mut self) -> Result<&'a [u8], ScanError> {
        let length = self.unsigned()?;
        self.take(length)
    }

    /// UTF-8 behind its length in bytes.
    pub(super) fn counted_text(&mut self) -> Result<&'a str, ScanError> {
        let bytes = self.counted_bytes()?;
        std::str::from_utf8(bytes).map_err(|_| ScanError::NotUtf8 { place: self.place })
    }
}
