//! What one screen prefers: language and theme, kept in a cookie of that browser.
//!
//! It says nothing about a person, and nothing depends on it but how pages look.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::language::Language;
use crate::shell::Theme;
use crate::sign_in::safe_next;

const COOKIE: &str = "__Host-counterpart-screen";
const YEAR_S: u32 = 365 * 24 * 3_600;

/// What the screen prefers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Screen {
    /// The language that was chosen; none = the place's.
    pub language: Option<Language>,
    /// Light, dark, or as the system says.
    pub theme: Theme,
}

impl Screen {
    /// What the request's cookie says.
    pub fn of(headers: &HeaderMap) -> Self {
        let cookie = headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find(|(name, _)| *name == COOKIE);
        let Some((language, theme)) = cookie.and_then(|(_, value)| value.split_once('.')) else {
            return Self::default();
        };
        Self {
            language: Language::of_tag(language),
            theme: Theme::of_name(theme),
        }
    }

    /// The chosen language, or that of the place.
    pub fn language_or(self, place: Language) -> Language {
        self.language.unwrap_or(place)
    }

    fn cookie(self) -> HeaderValue {
        let language = self.language.map_or("", Language::tag);
        let theme = self.theme.attribute().unwrap_or("");
        let text = format!(
            "{COOKIE}={language}.{theme}; Path=/; Max-Age={YEAR_S}; HttpOnly; Secure; SameSite=Lax"
        );
        match HeaderValue::try_from(text) {
            Ok(value) => value,
            Err(_) => unreachable!("the value holds letters and a dot"),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Screen {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.headers))
    }
}

/// The form in the shell's dialog. Unknown values mean the default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct ScreenForm {
    /// A tag, or nothing for the place's language.
    #[serde(default)]
    pub language: String,
    /// `light`, `dark`, or nothing for the system's.
    #[serde(default)]
    pub theme: String,
    /// The page to go back to.
    #[serde(default)]
    pub next: String,
}

impl ScreenForm {
    /// Keeps the wishes and goes back.
    pub fn keep(&self, home: &str) -> Response {
        let screen = Screen {
            language: Language::of_tag(&self.language),
            theme: Theme::of_name(&self.theme),
        };
        let next = safe_next(&self.next, home).to_owned();
        (
            AppendHeaders([(header::SET_COOKIE, screen.cookie())]),
            Redirect::to(&next),
        )
            .into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_again_and_anything_else_is_the_default() {
        let screen = Screen {
            language: Some(Language::German),
            theme: Theme::Dark,
        };
        let mut headers = HeaderMap::new();
        let cookie = screen.cookie();
        let pair = cookie
            .to_str()
            .unwrap_or("")
            .split(';')
            .next()
            .unwrap_or("");
        headers.insert(
            header::COOKIE,
            HeaderValue::from_str(pair).unwrap_or(HeaderValue::from_static("")),
        );
        assert_eq!(Screen::of(&headers), screen);
        headers.insert(
            header::COOKIE,
            HeaderValue::from_static("__Host-counterpart-screen=xx.<b>"),
        );
        assert_eq!(Screen::of(&headers), Screen::default());
    }
}
