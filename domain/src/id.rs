//! Identities: sixteen bytes each, one type per kind of thing, so that a part is never passed for a branch.
//!
//! Ids are random (UUID version 4, RFC 9562), so no clock ever breaks a tie between them. A person's id is the id of
//! the customer document.

use crate::env::Entropy;
use thiserror::Error;

/// Text that is not a hyphenated UUID of 36 characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not an id of the form xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx")]
pub struct IdError;

/// Writes sixteen bytes as a lower-case hyphenated UUID.
pub fn format_uuid(bytes: &[u8; 16]) -> String {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(36);
    for (i, byte) in bytes.iter().enumerate() {
        if matches!(i, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push(char::from(HEX[usize::from(byte >> 4)]));
        text.push(char::from(HEX[usize::from(byte & 15)]));
    }
    text
}

/// Reads a hyphenated UUID of exactly 36 characters, either case.
pub fn parse_uuid(text: &str) -> Result<[u8; 16], IdError> {
    let text = text.as_bytes();
    if text.len() != 36 {
        return Err(IdError);
    }
    let mut bytes = [0; 16];
    let mut nibbles = 0;
    for (i, &c) in text.iter().enumerate() {
        if matches!(i, 8 | 13 | 18 | 23) {
            if c != b'-' {
                return Err(IdError);
            }
            continue;
        }
        let value = char::from(c).to_digit(16).ok_or(IdError)?;
        bytes[nibbles / 2] = (bytes[nibbles / 2] << 4) | value as u8;
        nibbles += 1;
    }
    Ok(bytes)
}

macro_rules! id16 {
    ($($(#[$meta:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name([u8; 16]);

        impl $name {
            /// Sixteen zero bytes: none.
            pub const NIL: Self = Self([0; 16]);

            /// The id with these bytes.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// The bytes.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }

            /// Whether this is [`Self::NIL`].
            pub fn is_nil(&self) -> bool {
                self.0 == [0; 16]
            }

            /// A random UUID of version 4.
            pub fn from_random(entropy: &mut impl Entropy) -> Self {
                let mut bytes = [0; 16];
                entropy.fill(&mut bytes);
                bytes[6] = (bytes[6] & 0x0f) | 0x40;
                bytes[8] = (bytes[8] & 0x3f) | 0x80;
                Self(bytes)
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.pad(&format_uuid(&self.0))
            }
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(&format_uuid(&self.0))
            }
        }

        impl core::str::FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                parse_uuid(text).map(Self)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    serializer.serialize_str(&format_uuid(&self.0))
                } else {
                    self.0.serialize(serializer)
                }
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if deserializer.is_human_readable() {
                    let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                    text.parse().map_err(serde::de::Error::custom)
                } else {
                    <[u8; 16] as serde::Deserialize>::deserialize(deserializer).map(Self)
                }
            }
        }
    )+};
}

id16! {
    /// A shop.
    BranchId,
    /// An Automerge document: an order, a customer or the inventory settings of one part at one branch.
    DocumentId,
    /// A part of the catalogue.
    PartId,
    /// A person who works for the chain; [`StaffId::NIL`] is the system.
    StaffId,
    /// A transfer between two branches.
    TransferId,
    /// A line of an order; also the id of its reservation.
    LineId,
    /// A status event, note, estimate or accessory inside an order.
    EventId,
    /// A visit of a customer, which groups the orders of several devices.
    VisitId,
    /// A preset: a fault or service with a price.
    PresetId,
    /// A receipt of the till.
    ReceiptId,
    /// A refund, which is a receipt of its own.
    RefundId,
    /// One tender of a receipt; also what a provider is asked for.
    PaymentId,
    /// One tender of a refund.
    RepaymentId,
    /// A cash session of one till.
    SessionId,
    /// A correction of the money ledger.
    CorrectionId,
}

impl core::fmt::Display for IdBytes<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&format_uuid(self.0))
    }
}

/// Any sixteen bytes shown as a UUID: for subjects of movements, which are an order, a sale or a transfer.
#[derive(Debug, Clone, Copy)]
pub struct IdBytes<'a>(pub &'a [u8; 16]);
