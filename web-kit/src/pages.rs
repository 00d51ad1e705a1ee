//! Problems as pages: what handlers say by [`Problem`], people read in HTML.
//!
//! A layer around the whole router. It leaves the API, assets and health alone;
//! elsewhere it turns each problem into a fragment (for htmx) or a page, and
//! *not signed in* into the way to the sign-in page. The API's event stream is
//! never redirected.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::assets;
use crate::html::SafeHtml;
use crate::language::Language;
use crate::problem::{Problem, ProblemBody};
use crate::refusal;
use crate::screen::Screen;
use crate::shell::{PageRequest, Side, Theme, html_with_status};
use crate::texts::ShellTexts;

const HX_REDIRECT: HeaderName = HeaderName::from_static("hx-redirect");
const HX_REQUEST: HeaderName = HeaderName::from_static("hx-request");
const MACHINE_PATHS: [&str; 5] = ["/api/", "/assets/", "/healthz", "/readyz", "/metrics"];

/// How problems look at this place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProblemPages {
    /// Branch or hub.
    pub side: Side,
    /// Language of the texts for a browser that asks for none.
    pub language: Language,
    /// The name of this place.
    pub place: String,
    /// The start page's address.
    pub home: String,
    /// The sign-in page's address.
    pub sign_in: String,
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemTemplate<'a> {
    page: &'a ProblemPages,
    problem: &'a ProblemBody,
    language: Language,
    texts: &'a ShellTexts,
    theme: Theme,
}

#[derive(Template)]
#[template(path = "_problem.html")]
struct ProblemFragment<'a> {
    problem: &'a ProblemBody,
}

/// A problem as the fragment that goes into `#problems`.
///
/// # Errors
/// 500 when the template fails.
pub fn problem_fragment(language: Language, problem: &Problem) -> Result<SafeHtml, Problem> {
    SafeHtml::render(&ProblemFragment {
        problem: &in_words(language, problem),
    })
}

/// The problem as the reader's language says it.
fn in_words(language: Language, problem: &Problem) -> ProblemBody {
    let mut body = problem.body().clone();
    let said = |text: &str| refusal::said(language, text).into_owned();
    body.title = said(&body.title).into();
    body.detail = body.detail.as_deref().map(said);
    for error in &mut body.errors {
        error.detail = said(&error.detail);
    }
    body
}

/// The layer's function, for `axum::middleware::from_fn_with_state`.
pub async fn show_problems(
    State(pages): State<ProblemPages>,
    request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path();
    if MACHINE_PATHS.iter().any(|start| path.starts_with(start)) {
        return next.run(request).await;
    }
    let asked = Asked::of(&request);
    let response = next.run(request).await;
    match response.extensions().get::<Problem>() {
        Some(problem) => {
            let problem = problem.clone();
            pages.show(&problem, &asked, response)
        }
        None => response,
    }
}

/// What of the request decides how a problem is shown.
struct Asked {
    by_htmx: bool,
    kind: PageRequest,
    is_get: bool,
    address: String,
    screen: Screen,
    accepted: Option<Language>,
}

impl Asked {
    fn of(request: &Request) -> Self {
        let headers: &HeaderMap = request.headers();
        let uri = request.uri();
        let accepted = headers
            .get(header::ACCEPT_LANGUAGE)
            .and_then(|value| value.to_str().ok())
            .and_then(|list| {
                list.split(',')
                    .find_map(|entry| Language::of_tag(entry.split(';').next()?.trim()))
            });
        Self {
            screen: Screen::of(headers),
            accepted,
            by_htmx: headers.get(HX_REQUEST).is_some_and(|value| value == "true"),
            kind: PageRequest::of(headers),
            is_get: request.method() == axum::http::Method::GET,
            address: uri
                .path_and_query()
                .map_or("/", |path| path.as_str())
                .to_owned(),
        }
    }
}

impl ProblemPages {
    fn show(&self, problem: &Problem, asked: &Asked, plain: Response) -> Response {
        if problem.status() == StatusCode::UNAUTHORIZED {
            return self.to_sign_in(asked);
        }
        let language = asked
            .screen
            .language_or(asked.accepted.unwrap_or(self.language));
        let markup = if asked.by_htmx && asked.kind.is_fragment() {
            problem_fragment(language, problem)
        } else {
            SafeHtml::render(&ProblemTemplate {
                page: self,
                problem: &in_words(language, problem),
                language,
                texts: ShellTexts::of(language),
                theme: asked.screen.theme,
            })
        };
        match markup {
            Ok(markup) => {
                let mut response = html_with_status(problem.status(), markup);
                for name in [header::RETRY_AFTER, header::ALLOW] {
                    if let Some(value) = plain.headers().get(&name) {
                        response.headers_mut().insert(name, value.clone());
                    }
                }
                response
            }
            Err(_) => plain,
        }
    }

    /// A navigation is redirected; htmx is told to leave the page, because it
    /// would swap the sign-in page into the middle of another one.
    fn to_sign_in(&self, asked: &Asked) -> Response {
        let back = if asked.is_get && !asked.by_htmx {
            asked.address.as_str()
        } else {
            ""
        };
        let target = if back.is_empty() || back == self.home {
            self.sign_in.clone()
        } else {
            format!("{}?next={}", self.sign_in, encode(back))
        };
        let Ok(target) = HeaderValue::try_from(target) else {
            return Problem::internal().into_response();
        };
        if asked.by_htmx {
            (StatusCode::UNAUTHORIZED, [(HX_REDIRECT, target)]).into_response()
        } else {
            (StatusCode::SEE_OTHER, [(header::LOCATION, target)]).into_response()
        }
    }
}

/// Percent-encodes everything but unreserved characters and `/`.
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}
