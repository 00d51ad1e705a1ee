//! Signing in and out with a browser.

use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use domain::sensitive::Sensitive;
use serde::Deserialize;
use web_kit::{
    Credentials, Language, PlainForm, Problem, Screen, ScreenForm, SessionToken, Side, SignInForm,
    SignInPage, safe_next,
};

use crate::api::HubState;
use crate::app::session::{self, PAGE_MS, SessionKind};
use crate::web::{HOME, PLACE, SIGN_IN};

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

fn page<'a>(screen: Screen, username: &'a str, next: &'a str) -> SignInPage<'a> {
    SignInPage {
        side: Side::Hub,
        language: screen.language_or(Language::English),
        theme: screen.theme,
        place: PLACE,
        action: SIGN_IN,
        username,
        next,
    }
}

/// The form.
pub(crate) async fn form(
    screen: Screen,
    Query(query): Query<NextQuery>,
) -> Result<Response, Problem> {
    page(screen, "", safe_next(&query.next, HOME)).respond(None)
}

/// Signs in: the session's cookie, and on to the page that was wanted.
pub(crate) async fn sign_in(
    State(state): State<HubState>,
    screen: Screen,
    PlainForm(form): PlainForm<SignInForm>,
) -> Result<Response, Problem> {
    let next = safe_next(&form.next, HOME);
    let token = match begin(&state, &form).await {
        Ok(token) => token,
        Err(problem) => return page(screen, &form.username, next).respond(Some(&problem)),
    };
    let cookie = state.cookie().set(&token, PAGE_MS.unsigned_abs() / 1_000);
    Ok((
        AppendHeaders([(header::SET_COOKIE, cookie)]),
        Redirect::to(next),
    )
        .into_response())
}

async fn begin(state: &HubState, form: &SignInForm) -> Result<SessionToken, Problem> {
    state.count_try(&form.username)?;
    let password = Sensitive::new(form.password.clone());
    let hash_of = |token| SessionToken::from_random(token).hash();
    let begun = session::sign_in(
        state.hub(),
        &form.username,
        password,
        SessionKind::Page,
        hash_of,
    )
    .await?;
    state.forgive(&form.username);
    Ok(SessionToken::from_random(*begun.token.expose()))
}

/// Keeps what this screen prefers.
pub(crate) async fn keep_screen(PlainForm(form): PlainForm<ScreenForm>) -> Response {
    form.keep(HOME)
}

/// Signs out; the token is void at once.
pub(crate) async fn sign_out(
    State(state): State<HubState>,
    who: Option<Credentials>,
    PlainForm(NoFields {}): PlainForm<NoFields>,
) -> Result<Response, Problem> {
    if let Some(who) = who {
        session::sign_out(state.hub(), &who.token.hash()).await?;
    }
    let cookie = state.cookie().clear();
    Ok((
        AppendHeaders([(header::SET_COOKIE, cookie)]),
        Redirect::to(SIGN_IN),
    )
        .into_response())
}
