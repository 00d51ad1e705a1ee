//! Enumerations that are stored and sent: each value has a fixed number and a fixed name.
//!
//! The number goes into compact bytes (one byte), the name into JSON, documents and pages. A number or a name that
//! was ever used is never given to another value.

use thiserror::Error;

/// A name or number that the named enumeration does not have.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("unknown {what}")]
pub struct UnknownCode {
    /// The enumeration, as a person would call it.
    pub what: &'static str,
}

macro_rules! codes {
    (
        $(#[$meta:meta])*
        pub enum $name:ident as $what:literal {
            $($(#[$variant_meta:meta])* $variant:ident = $code:literal $text:literal),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum $name { $($(#[$variant_meta])* $variant = $code),+ }

        impl $name {
            /// Every value, in the order of its number.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// Every name, in the order of the numbers.
            pub const NAMES: &'static [&'static str] = &[$($text),+];

            /// The name used in JSON, documents and pages.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// The number used in compact bytes.
            pub const fn code(self) -> u8 {
                self as u8
            }

            /// The value with this number.
            pub const fn from_code(code: u8) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)+ _ => None }
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl core::str::FromStr for $name {
            type Err = $crate::code::UnknownCode;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text { $($text => Ok(Self::$variant),)+ _ => Err($crate::code::UnknownCode { what: $what }) }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    serializer.serialize_str(self.as_str())
                } else {
                    serializer.serialize_u8(self.code())
                }
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let unknown = || serde::de::Error::custom(concat!("unknown ", $what));
                if deserializer.is_human_readable() {
                    let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                    text.parse().map_err(|_| unknown())
                } else {
                    let code = <u8 as serde::Deserialize>::deserialize(deserializer)?;
                    Self::from_code(code).ok_or_else(unknown)
                }
            }
        }
    };
}
pub(crate) use codes;
