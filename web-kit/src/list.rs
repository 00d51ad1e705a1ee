//! Lists: newest first, a page at a time, with a stable opaque cursor.
//!
//! A cursor is where the last item stood in the list's own order (never an
//! offset, so inserts do not shift it). It carries a short check over the list's
//! name, so one of another list or a mistyped one is refused and never
//! misread. It is not secret and not signed: it may only hold what the caller
//! could see anyway.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, de};
use sha2::{Digest, Sha256};
use utoipa::{IntoParams, ToSchema};

use crate::extract::ApiQuery;
use crate::problem::Problem;

/// Items of a page when the caller does not say.
pub const DEFAULT_LIMIT: u32 = 50;
/// Most items of a page.
pub const MAX_LIMIT: u32 = 500;

const CHECK_BYTES: usize = 4;

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Page<T> {
    /// The items, newest first.
    pub items: Vec<T>,
    /// Give it back as `?cursor=` for the next page; null at the end.
    #[schema(required = true)]
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// A list that fits one page.
    pub fn whole(items: Vec<T>) -> Self {
        Self {
            items,
            next_cursor: None,
        }
    }

    /// Cuts a page out of `limit + 1` rows read: the surplus row only says that
    /// there is more. `cursor_of` makes the cursor from the last item kept.
    pub fn cut(mut items: Vec<T>, limit: u32, cursor_of: impl FnOnce(&T) -> String) -> Self {
        let limit = limit as usize;
        if items.len() <= limit {
            return Self::whole(items);
        }
        items.truncate(limit);
        let next_cursor = items.last().map(cursor_of);
        Self { items, next_cursor }
    }

    /// The same page of other items.
    pub fn map<U>(self, each: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(each).collect(),
            next_cursor: self.next_cursor,
        }
    }
}

/// `?limit=` and `?cursor=`, an extractor by itself. It may also be flattened
/// into a query struct of the list's own filters.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Items wanted, 1 to 500.
    #[serde(default = "default_limit", deserialize_with = "limit")]
    #[param(required = false, minimum = 1, maximum = 500, default = 50)]
    pub limit: u32,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Default for ListQuery {
    fn default() -> Self {
        Self {
            limit: DEFAULT_LIMIT,
            cursor: None,
        }
    }
}

impl ListQuery {
    /// Reads the cursor of the list named `list`, if one was given.
    ///
    /// # Errors
    /// 422 when it is not one of this list.
    pub fn after<T: DeserializeOwned>(&self, list: &str) -> Result<Option<T>, Problem> {
        match self.cursor.as_deref() {
            None | Some("") => Ok(None),
            Some(text) => Cursor::decode(list, text).map(Some),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for ListQuery {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        ApiQuery::<Self>::from_request_parts(parts, state)
            .await
            .map(|ApiQuery(query)| query)
    }
}

fn default_limit() -> u32 {
    DEFAULT_LIMIT
}

/// Takes a number or its digits: flattened structs hand every value on as text.
fn limit<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    struct Limit;
    impl de::Visitor<'_> for Limit {
        type Value = u32;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "a whole number from 1 to {MAX_LIMIT}")
        }
        fn visit_u64<E: de::Error>(self, value: u64) -> Result<u32, E> {
            u32::try_from(value)
                .ok()
                .filter(|limit| (1..=MAX_LIMIT).contains(limit))
                .ok_or_else(|| E::invalid_value(de::Unexpected::Unsigned(value), &self))
        }
        fn visit_i64<E: de::Error>(self, value: i64) -> Result<u32, E> {
            u64::try_from(value)
                .map_err(|_| E::invalid_value(de::Unexpected::Signed(value), &self))
                .and_then(|value| self.visit_u64(value))
        }
        fn visit_str<E: de::Error>(self, text: &str) -> Result<u32, E> {
            text.parse::<u64>()
                .map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
                .and_then(|value| self.visit_u64(value))
        }
    }
    from.deserialize_any(Limit)
}

/// The codec of cursors.
#[derive(Debug, Clone, Copy)]
pub struct Cursor;

impl Cursor {
    /// Makes the cursor of the list named `list` for the place `at` (a tuple of the
    /// columns that order it).
    ///
    /// # Panics
    /// When `at` cannot be serialised by postcard (maps of unknown length and the
    /// like), which is a mistake in the program.
    pub fn encode<T: Serialize>(list: &str, at: &T) -> String {
        let place = match postcard::to_stdvec(at) {
            Ok(place) => place,
            Err(error) => panic!("the place of a cursor is not serialisable: {error}"),
        };
        let mut bytes = check(list, &place).to_vec();
        bytes.extend_from_slice(&place);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a cursor of the list named `list`.
    ///
    /// # Errors
    /// 422 when the text is not a cursor of this list.
    pub fn decode<T: DeserializeOwned>(list: &str, text: &str) -> Result<T, Problem> {
        let wrong = || Problem::invalid_field("/cursor", "This is not a cursor of this list.");
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| wrong())?;
        let (sum, place) = bytes.split_at_checked(CHECK_BYTES).ok_or_else(wrong)?;
        if sum != check(list, place) {
            return Err(wrong());
        }
        match postcard::take_from_bytes(place) {
            Ok((at, [])) => Ok(at),
            Ok(_) | Err(_) => Err(wrong()),
        }
    }
}

fn check(list: &str, place: &[u8]) -> [u8; CHECK_BYTES] {
    let hash = Sha256::new()
        .chain_update(list)
        .chain_update([0])
        .chain_update(place)
        .finalize();
    let mut sum = [0; CHECK_BYTES];
    sum.copy_from_slice(&hash[..CHECK_BYTES]);
    sum
}
