//! Going on from a form to the page that says what was done: one toast, with the way back where there is one.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use web_kit::{Language, PageRequest, Problem, Toast, html_with_status};

use crate::api::EdgeState;

/// The key of the form that takes back what the form with `key` did: however often that one is sent, it is taken back
/// once.
pub(crate) fn key_back(key: Option<&str>) -> String {
    format!("{}.back", key.unwrap_or_default())
}

/// On to the page at `href`, which says it; htmx gets the toast alone, its page refreshes by itself.
///
/// # Errors
/// 500 when the template fails.
pub(crate) fn go_on(
    state: &EdgeState,
    asked: PageRequest,
    language: Language,
    href: &str,
    toast: Toast,
) -> Result<Response, Problem> {
    if asked.is_fragment() {
        let status = if toast.is_late {
            StatusCode::CONFLICT
        } else {
            StatusCode::OK
        };
        return Ok(html_with_status(status, toast.partial(language)?));
    }
    let name = state.form_key().to_string();
    let and = if href.contains('?') { '&' } else { '?' };
    let address = format!("{href}{and}{}={name}", web_kit::toast::SAID);
    state.toasts().keep(name, toast);
    Ok(Redirect::to(&address).into_response())
}
