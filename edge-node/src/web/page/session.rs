//! Signing in and out with a browser.

use axum::extract::State;
use axum::http::header;
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use serde::Deserialize;
use web_kit::{
    ApiQuery, Credentials, PlainForm, Problem, ShellTexts, Side, SignInForm, SignInPage, Theme,
    safe_next,
};

use crate::api::EdgeState;
use crate::app::staff::{self, PAGE_MS, SessionKind};
use crate::web::{HOME, SIGN_IN};

/// Where to go after signing in.
#[derive(Debug, Default, Deserialize)]
pub struct NextQuery {
    #[serde(default)]
    next: String,
}

/// Nothing to fill in.
#[derive(Debug, Deserialize)]
pub struct NoFields {}

/// The start page.
pub(crate) async fn home() -> Redirect {
    Redirect::to(HOME)
}

fn page<'a>(
    state: &'a EdgeState,
    texts: &'a ShellTexts,
    username: &'a str,
    next: &'a str,
) -> SignInPage<'a> {
    SignInPage {
        side: Side::Branch,
        language: "en",
        theme: Theme::System,
        place: &state.store().identity().name,
        action: SIGN_IN,
        username,
        next,
        texts,
    }
}

/// The form.
pub(crate) async fn form(
    State(state): State<EdgeState>,
    ApiQuery(NextQuery { next }): ApiQuery<NextQuery>,
) -> Result<Response, Problem> {
    page(&state, &ShellTexts::ENGLISH, "", safe_next(&next, HOME)).respond(None)
}

/// Signs in: the session's cookie, and on to the page that was wanted.
pub(crate) async fn sign_in(
    State(state): State<EdgeState>,
    PlainForm(form): PlainForm<SignInForm>,
) -> Result<Response, Problem> {
    let next = safe_next(&form.next, HOME);
    let grant = match state
        .sign_in(&form.username, &form.password, SessionKind::Page)
        .await
    {
        Ok(grant) => grant,
        Err(problem) => {
            return page(&state, &ShellTexts::ENGLISH, &form.username, next)
                .respond(Some(&problem));
        }
    };
    let cookie = state
        .cookie()
        .set(&grant.token, PAGE_MS.unsigned_abs() / 1_000);
    Ok((
        AppendHeaders([(header::SET_COOKIE, cookie)]),
        Redirect::to(next),
    )
        .into_response())
}

/// Signs out; the token is void at once.
pub(crate) async fn sign_out(
    State(state): State<EdgeState>,
    credentials: Option<Credentials>,
    PlainForm(NoFields {}): PlainForm<NoFields>,
) -> Result<Response, Problem> {
    if let Some(credentials) = credentials {
        staff::sign_out(state.store(), &credentials.token).await?;
    }
    let cookie = state.cookie().clear();
    Ok((
        AppendHeaders([(header::SET_COOKIE, cookie)]),
        Redirect::to(SIGN_IN),
    )
        .into_response())
}
