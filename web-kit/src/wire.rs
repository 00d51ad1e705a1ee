//! What values look like outside: times, amounts, names of enumerations, personal values.
//!
//! These types are read from requests and written into answers. Domain types stay free of web schemas; what they look
//! like in OpenAPI is said here, once.

use std::borrow::Cow;
use std::fmt;

use domain::document::DocumentKind;
use domain::money::{Currency, Money};
use domain::order::{EstimateAnswer, LineKind, Outcome, Status};
use domain::sensitive::Sensitive;
use domain::staff::Role;
use domain::stock::{Account, MovementKind};
use domain::transfer::TransferState;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{KnownFormat, Object, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};

/// A time, RFC 3339 outside, milliseconds since 1970 UTC inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub i64);

/// The year 0 and the end of the year 9999, beyond which RFC 3339 cannot write.
const TIMES_MS: std::ops::RangeInclusive<i64> = -62_167_219_200_000..=253_402_207_200_000;

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = Timestamp::from_millisecond(self.0).unwrap_or(Timestamp::UNIX_EPOCH);
        f.pad(&at.to_string())
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        let at_ms = text.parse::<Timestamp>().map(Timestamp::as_millisecond);
        at_ms
            .ok()
            .filter(|at_ms| TIMES_MS.contains(at_ms))
            .map(Time)
            .ok_or_else(|| {
                de::Error::custom("must be a time with its offset, such as 2026-05-31T14:00:00Z")
            })
    }
}

impl PartialSchema for Time {
    fn schema() -> RefOr<Schema> {
        let time = ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .examples(["2026-05-31T14:00:00Z"]);
        time.into()
    }
}

impl ToSchema for Time {
    fn name() -> Cow<'static, str> {
        "Time".into()
    }
}

/// A personal value on its way in or out: it never shows in `Debug` and is wiped when dropped.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Personal(Sensitive<String>);

impl Personal {
    /// Takes a value in clear.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Sensitive::new(text.into()))
    }

    /// The value as the rules take it.
    pub fn into_sensitive(self) -> Sensitive<String> {
        self.0
    }

    /// The value in clear.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl From<Sensitive<String>> for Personal {
    fn from(value: Sensitive<String>) -> Self {
        Self(value)
    }
}

impl Serialize for Personal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose())
    }
}

impl<'de> Deserialize<'de> for Personal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

impl PartialSchema for Personal {
    fn schema() -> RefOr<Schema> {
        Object::with_type(Type::String).into()
    }
}

impl ToSchema for Personal {
    fn name() -> Cow<'static, str> {
        "PersonalText".into()
    }
}

/// What [`Money`] looks like.
#[derive(ToSchema)]
#[schema(as = Money)]
#[expect(dead_code, reason = "only its schema is used")]
pub struct MoneyForm {
    /// Minor units (cents).
    #[schema(minimum = -10_000_000_000_000_i64, maximum = 10_000_000_000_000_i64, example = 4990)]
    amount_minor: i64,
    /// ISO 4217 code.
    #[schema(min_length = 3, max_length = 3, example = "EUR")]
    currency: String,
}

/// An amount of this currency; sums that left the bounds show as the bound.
pub fn money(amount_minor: i64, currency: Currency) -> Money {
    Money {
        amount_minor,
        currency,
    }
}

macro_rules! names {
    ($($(#[$meta:meta])* $form:ident $name:literal $values:expr;)+) => {$(
        $(#[$meta])*
        #[derive(Debug)]
        pub struct $form;

        impl PartialSchema for $form {
            fn schema() -> RefOr<Schema> {
                let values: Vec<&'static str> = $values.to_vec();
                ObjectBuilder::new().schema_type(Type::String).enum_values(Some(values)).into()
            }
        }

        impl ToSchema for $form {
            fn name() -> Cow<'static, str> {
                $name.into()
            }
        }
    )+};
}

names! {
    /// Names of [`Status`].
    StatusForm "OrderStatus" Status::NAMES;
    /// Names of [`Outcome`].
    OutcomeForm "OrderOutcome" Outcome::NAMES;
    /// Names of [`LineKind`].
    LineKindForm "LineKind" LineKind::NAMES;
    /// Names of [`EstimateAnswer`].
    AnswerForm "EstimateAnswer" EstimateAnswer::NAMES;
    /// Names of [`MovementKind`].
    MovementKindForm "MovementKind" MovementKind::NAMES;
    /// Names of the kinds of movements that a person enters.
    HandKindForm "HandMovementKind" ["opening", "receive", "adjust_found", "adjust_lost", "scrap"];
    /// Names of the tables that may be taken over.
    TableKindForm "TableKind" ["customers", "stock", "orders"];
    /// Names of [`Account`].
    AccountForm "StockAccount" Account::NAMES;
    /// Names of [`TransferState`].
    TransferStateForm "TransferState" TransferState::NAMES;
    /// Names of [`Role`].
    RoleForm "Role" Role::NAMES;
    /// Names of [`DocumentKind`].
    DocumentKindForm "DocumentKind" DocumentKind::NAMES;
}

/// Bytes as lower-case hexadecimal text.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from(b"0123456789abcdef"[usize::from(nibble)]);
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        reason = "a test fails by panicking"
    )]

    use super::*;

    #[test]
    fn times_are_rfc_3339_and_need_an_offset() {
        let time: Time = serde_json::from_str("\"2024-05-31T14:00:00.25+02:00\"").unwrap();
        assert_eq!(
            serde_json::to_string(&time).unwrap(),
            "\"2024-05-31T12:00:00.25Z\""
        );
        for wrong in [
            "\"2024-05-31\"",
            "\"2024-05-31T14:00:00\"",
            "7",
            "null",
            "\"\"",
        ] {
            assert!(serde_json::from_str::<Time>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn personal_values_do_not_show() {
        let name: Personal = serde_json::from_str("\"Ada\"").unwrap();
        assert!(!format!("{name:?}").contains("Ada"));
        assert_eq!(serde_json::to_string(&name).unwrap(), "\"Ada\"");
    }
}
