//! The frame of every page: rail, head bar, notices, work, status bar.
//!
//! A page renders its own template into [`SafeHtml`] and hands it to a
//! [`Frame`], which both executables fill from their own data. The frame holds
//! no data of a shop and asks nothing; a full page and a fragment come from the
//! same inner template.

use askama::Template;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::assets;
use crate::html::SafeHtml;
use crate::language::Language;
use crate::problem::Problem;
use crate::screen::Screen;
use crate::texts::ShellTexts;
use crate::toast::Toast;

const VARY: HeaderValue = HeaderValue::from_static("HX-Request, HX-Request-Type");
const HTMX_CONFIG: &str = r#"{"extensions":"","includeIndicatorCSS":false,"defaultSettleDelay":0,"defaultTimeout":10000,"morphIgnore":["data-htmx-powered","open","data-ui-"]}"#;

/// Whose pages these are: paper rail for a branch, ink rail for the hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// A shop.
    Branch,
    /// The hub.
    Hub,
}

impl Side {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Branch => "branch",
            Self::Hub => "hub",
        }
    }
}

/// Light, dark, or as the system says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// As the system says.
    #[default]
    System,
    /// Paper.
    Light,
    /// Bench at night.
    Dark,
}

impl Theme {
    /// `light` or `dark`; anything else is the system's.
    pub(crate) fn of_name(name: &str) -> Self {
        match name {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::System,
        }
    }

    pub(crate) fn attribute(self) -> Option<&'static str> {
        match self {
            Self::System => None,
            Self::Light => Some("light"),
            Self::Dark => Some("dark"),
        }
    }
}

/// The six meanings of colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Done, paid, proved.
    Agreed,
    /// On the way, reserved, catching up.
    Moving,
    /// Soon due, short, limited.
    Waiting,
    /// Overdue, refused, wrong.
    Late,
    /// Needs a person.
    Decide,
    /// On its own.
    Apart,
}

impl Tone {
    /// The value of `data-tone`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Agreed => "agreed",
            Self::Moving => "moving",
            Self::Waiting => "waiting",
            Self::Late => "late",
            Self::Decide => "decide",
            Self::Apart => "apart",
        }
    }
}

impl std::fmt::Display for Tone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A page in the rail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NavItem {
    /// Its address.
    pub href: String,
    /// Its icon in the sprite.
    pub icon: &'static str,
    /// Its name.
    pub label: String,
    /// True for the page that is shown.
    pub current: bool,
    /// A number on the icon with its words for screen readers (`3`, `decisions`).
    pub count: Option<(u64, String)>,
    /// The key that leads there from any page.
    pub key: Option<&'static str>,
}

impl NavItem {
    /// A page without a count.
    pub fn new(href: impl Into<String>, icon: &'static str, label: impl Into<String>) -> Self {
        Self {
            href: href.into(),
            icon,
            label: label.into(),
            current: false,
            count: None,
            key: None,
        }
    }

    /// Is reached by a key from any page, which no page may use for anything else.
    #[must_use]
    pub fn key(mut self, key: &'static str) -> Self {
        self.key = Some(key);
        self
    }

    /// Marks it as shown when `is_current`.
    #[must_use]
    pub fn current(mut self, is_current: bool) -> Self {
        self.current = is_current;
        self
    }

    /// Puts a number on it, unless it is zero.
    #[must_use]
    pub fn count(mut self, number: u64, words: impl Into<String>) -> Self {
        self.count = (number > 0).then(|| (number, words.into()));
        self
    }
}

/// Who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The name as it is shown.
    pub name: String,
}

impl Person {
    fn initials(&self) -> String {
        let mut words = self
            .name
            .split_whitespace()
            .filter_map(|word| word.chars().next().filter(|letter| letter.is_alphabetic()));
        let first = words.next();
        let last = words.next_back();
        first
            .into_iter()
            .chain(last)
            .flat_map(char::to_uppercase)
            .collect()
    }

    fn first_name(&self) -> &str {
        self.name.split_whitespace().next().unwrap_or("")
    }
}

/// One statement of the status bar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusItem {
    /// The icon before it.
    pub icon: Option<&'static str>,
    /// Its meaning; none for what is merely normal.
    pub tone: Option<Tone>,
    /// The strong words at its start.
    pub strong: String,
    /// The rest of the sentence.
    pub text: String,
    /// Where it leads.
    pub href: Option<String>,
    /// True when it stands at the right end.
    pub at_end: bool,
}

impl StatusItem {
    /// A statement without icon, tone and address.
    pub fn new(strong: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            icon: None,
            tone: None,
            strong: strong.into(),
            text: text.into(),
            href: None,
            at_end: false,
        }
    }

    /// With an icon.
    #[must_use]
    pub fn icon(mut self, name: &'static str) -> Self {
        self.icon = Some(name);
        self
    }

    /// With a meaning.
    #[must_use]
    pub fn tone(mut self, tone: Tone) -> Self {
        self.tone = Some(tone);
        self
    }

    /// Leads to a page.
    #[must_use]
    pub fn href(mut self, href: impl Into<String>) -> Self {
        self.href = Some(href.into());
        self
    }

    /// Stands at the right end.
    #[must_use]
    pub fn at_end(mut self) -> Self {
        self.at_end = true;
        self
    }
}

/// The line at the foot of every page. The first item is the link between branch
/// and hub.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StatusBar {
    /// The statements, from the left.
    pub items: Vec<StatusItem>,
    /// The address that answers with [`StatusBar::fragment`]; asked whenever the
    /// event `status-changed` or `resync` arrives.
    pub refresh_url: Option<String>,
}

#[derive(Template)]
#[template(path = "_status_bar.html")]
struct StatusBarTemplate<'a> {
    bar: &'a StatusBar,
    texts: &'a ShellTexts,
}

impl StatusBar {
    fn has_end(&self) -> bool {
        self.items.iter().any(|item| item.at_end)
    }

    /// The bar by itself, as its refresh address answers.
    ///
    /// # Errors
    /// 500 when the template fails.
    pub fn fragment(&self, texts: &ShellTexts) -> Result<SafeHtml, Problem> {
        SafeHtml::render(&StatusBarTemplate { bar: self, texts })
    }
}

/// The event stream that a page listens to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    /// The stream's address, as a rule `/api/v1/events`.
    pub url: String,
    /// The names of events that pages use (`orders-changed`); `html` and `resync`
    /// are always listened to.
    pub names: &'static [&'static str],
}

/// Everything around the work of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Branch or hub.
    pub side: Side,
    /// Language of the texts.
    pub language: Language,
    /// What this screen prefers.
    pub screen: Screen,
    /// The name of this place (`Leipzig Südvorstadt`).
    pub place: String,
    /// The start page's address.
    pub home: String,
    /// The rail.
    pub nav: Vec<NavItem>,
    /// Who is signed in.
    pub person: Option<Person>,
    /// Where the form of signing out posts to.
    pub sign_out: String,
    /// Where the form of this screen's wishes posts to; see [`crate::ScreenForm`].
    pub screen_url: String,
    /// The status bar.
    pub status: StatusBar,
    /// The event stream, when pages update themselves.
    pub live: Option<Live>,
    /// What the form before this page did.
    pub toast: Option<Toast>,
}

/// What a page puts into the frame.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Content {
    /// The page's title, shown in the head bar.
    pub title: String,
    /// What stands beside the title in the head bar: search, the primary action.
    pub head: SafeHtml,
    /// The work.
    pub body: SafeHtml,
    /// True when the work fills the window and its panes scroll by themselves.
    pub fill: bool,
    /// Assets of modules of this page alone (`js/board.js`).
    pub modules: &'static [&'static str],
}

impl Content {
    /// A page with a title and its work.
    pub fn new(title: impl Into<String>, body: SafeHtml) -> Self {
        Self {
            title: title.into(),
            body,
            ..Self::default()
        }
    }

    /// With something beside the title.
    #[must_use]
    pub fn head(mut self, head: SafeHtml) -> Self {
        self.head = head;
        self
    }
}

#[derive(Template)]
#[template(path = "base.html")]
struct BaseTemplate<'a> {
    frame: &'a Frame,
    content: &'a Content,
    texts: &'a ShellTexts,
    status_bar: &'a SafeHtml,
    toast: SafeHtml,
    htmx_config: &'static str,
}

impl Frame {
    /// The whole page as markup.
    ///
    /// # Errors
    /// 500 when a template fails.
    pub fn render(&self, content: &Content) -> Result<SafeHtml, Problem> {
        let texts = ShellTexts::of(self.language);
        let status_bar = self.status.fragment(texts)?;
        SafeHtml::render(&BaseTemplate {
            frame: self,
            content,
            texts,
            status_bar: &status_bar,
            toast: match &self.toast {
                Some(toast) => toast.markup(self.language)?,
                None => SafeHtml::empty(),
            },
            htmx_config: HTMX_CONFIG,
        })
    }

    /// The whole page as an answer.
    ///
    /// # Errors
    /// 500 when a template fails.
    pub fn respond(&self, content: &Content) -> Result<Response, Problem> {
        self.render(content).map(html)
    }
}

/// Markup as an answer, page or fragment: never cached, told apart by htmx's headers.
pub fn html(markup: SafeHtml) -> Response {
    html_with_status(StatusCode::OK, markup)
}

/// [`html`] with another status, such as 422 for a form with its errors.
pub fn html_with_status(status: StatusCode, markup: SafeHtml) -> Response {
    let head = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::VARY, VARY),
    ];
    (status, head, markup.into_string()).into_response()
}

/// What the browser wants: the whole page or a part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageRequest {
    /// A navigation, a reload, or htmx asking for a whole page.
    Full,
    /// htmx asking for a fragment.
    Fragment,
}

impl PageRequest {
    pub(crate) fn of(headers: &axum::http::HeaderMap) -> Self {
        let is = |name: &'static str, wanted: &str| {
            let name = HeaderName::from_static(name);
            headers
                .get(name)
                .is_some_and(|value| value.as_bytes() == wanted.as_bytes())
        };
        if is("hx-request", "true") && is("hx-request-type", "partial") {
            Self::Fragment
        } else {
            Self::Full
        }
    }

    /// True for a fragment.
    pub fn is_fragment(self) -> bool {
        self == Self::Fragment
    }
}

impl<S: Send + Sync> FromRequestParts<S> for PageRequest {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::of(&parts.headers))
    }
}
