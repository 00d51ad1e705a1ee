//! Signing in and out with a browser.

use axum::extract::State;
use axum::http::header;
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use serde::Deserialize;
use web_kit::{
    ApiQuery, Credentials, PlainForm, Problem, Screen, ScreenForm, Side, SignInForm, SignInPage,
    safe_next,
};

use crate::api::{Caller, EdgeState};
use crate::app::staff::{self, PAGE_MS, SessionKind};
use crate::web::frame::first_page;
use crate::web::view::View;
use crate::web::{SIGN_IN, START};

/// Where to go after signing in.
#[derive(Debug, Default, Deserialize)]
pub struct NextQuery {
    #[serde(default)]
    next: String,
}

/// Nothing to fill in.
#[derive(Debug, Deserialize)]
pub struct NoFields {}

/// The start page: the board, or the first page that the person may see.
pub(crate) async fn home(who: Caller) -> Redirect {
    Redirect::to(first_page(&who))
}

async fn page<'a>(
    state: &'a EdgeState,
    screen: Screen,
    username: &'a str,
    next: &'a str,
) -> Result<SignInPage<'a>, Problem> {
    let view = View::on(state, screen).await?;
    Ok(SignInPage {
        side: Side::Branch,
        language: view.language(),
        theme: screen.theme,
        place: &state.store().identity().name,
        action: SIGN_IN,
        username,
        next,
    })
}

/// The form.
pub(crate) async fn form(
    State(state): State<EdgeState>,
    screen: Screen,
    ApiQuery(NextQuery { next }): ApiQuery<NextQuery>,
) -> Result<Response, Problem> {
    page(&state, screen, "", safe_next(&next, START))
        .await?
        .respond(None)
}

/// Signs in: the session's cookie, and on to the page that was wanted.
pub(crate) async fn sign_in(
    State(state): State<EdgeState>,
    screen: Screen,
    PlainForm(form): PlainForm<SignInForm>,
) -> Result<Response, Problem> {
    let next = safe_next(&form.next, START);
    let grant = match state
        .sign_in(&form.username, &form.password, SessionKind::Page)
        .await
    {
        Ok(grant) => grant,
        Err(problem) => {
            return page(&state, screen, &form.username, next)
                .await?
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

/// Keeps what this screen prefers.
pub(crate) async fn keep_screen(PlainForm(form): PlainForm<ScreenForm>) -> Response {
    form.keep(START)
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
