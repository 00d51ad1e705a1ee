//! The sign-in page and the shapes of signing in by API, the same at both sides.
//!
//! Checking a password, making a session and limiting tries are the
//! executables' work; this shows the form and carries what was typed. A password
//! never stands in `Debug`, in a page or in an address.

use std::fmt;

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::assets;
use crate::html::SafeHtml;
use crate::language::Language;
use crate::problem::Problem;
use crate::shell::{Side, Theme, html_with_status};
use crate::texts::ShellTexts;

/// Body of `POST /api/v1/session`.
#[derive(Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignInRequest {
    /// The person's user name.
    #[schema(min_length = 1, max_length = 100)]
    pub username: String,
    /// The person's password.
    #[schema(min_length = 1, max_length = 1000, format = "password")]
    pub password: String,
}

impl fmt::Debug for SignInRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignInRequest(…)")
    }
}

/// Answer of `POST /api/v1/session`.
#[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SessionAnswer {
    /// The token for `Authorization: Bearer`.
    pub token: String,
    /// When it ends at the latest, RFC 3339.
    #[schema(format = "date-time")]
    pub expires_at: String,
    /// Who signed in.
    pub staff: SessionStaff,
}

impl fmt::Debug for SessionAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionAnswer")
            .field("staff", &self.staff)
            .finish_non_exhaustive()
    }
}

/// The person of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SessionStaff {
    /// The person's id.
    #[schema(format = "uuid")]
    pub id: String,
    /// The person's name.
    pub name: String,
    /// The person's role.
    #[schema(example = "clerk")]
    pub role: String,
}

/// What the sign-in form posts.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct SignInForm {
    /// The user name.
    #[serde(default)]
    pub username: String,
    /// The password.
    #[serde(default)]
    pub password: String,
    /// Where to go afterwards; only through [`safe_next`].
    #[serde(default)]
    pub next: String,
}

impl fmt::Debug for SignInForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignInForm(…)")
    }
}

/// The page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInPage<'a> {
    /// Branch or hub.
    pub side: Side,
    /// Language of the texts.
    pub language: Language,
    /// Light or dark.
    pub theme: Theme,
    /// The name of this place.
    pub place: &'a str,
    /// Where the form posts to.
    pub action: &'a str,
    /// The user name typed before.
    pub username: &'a str,
    /// Where to go afterwards.
    pub next: &'a str,
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInTemplate<'a> {
    page: &'a SignInPage<'a>,
    texts: &'a ShellTexts,
    refused: Option<&'a str>,
}

impl SignInPage<'_> {
    /// The empty form, or the form again with why it was refused and that status.
    ///
    /// # Errors
    /// 500 when the template fails.
    pub fn respond(&self, refused: Option<&Problem>) -> Result<Response, Problem> {
        let status = refused.map_or(StatusCode::OK, Problem::status);
        let detail = refused.map(|problem| {
            problem
                .body()
                .detail
                .as_deref()
                .unwrap_or(&problem.body().title)
        });
        let markup = SafeHtml::render(&SignInTemplate {
            page: self,
            texts: ShellTexts::of(self.language),
            refused: detail,
        })?;
        Ok(html_with_status(status, markup))
    }
}

/// The address to go to after signing in: a path of this program, and `home`
/// when `next` is anything else (another host, a script, nothing).
pub fn safe_next<'a>(next: &'a str, home: &'a str) -> &'a str {
    let local = next.starts_with('/')
        && !next.starts_with("//")
        && !next.contains('\\')
        && next.bytes().all(|byte| byte.is_ascii_graphic());
    if local { next } else { home }
}
