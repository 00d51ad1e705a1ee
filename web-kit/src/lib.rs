//! What both web faces of Counterpart share: problems, extractors, sessions,
//! idempotency, headers, assets, the page shell and the event stream.
//!
//! It is used by the branch program and by the hub and knows neither: no SQL,
//! no rule of the shop, no clock and no randomness. Time, keys and random bytes
//! come in as arguments or out of the router's state (`FromRef`). What values
//! and orders look like to other programs is said here once ([`wire`], [`order`]).

pub mod assets;
pub mod differ;
pub mod etag;
pub mod events;
pub mod extract;
pub mod fields;
pub mod form;
pub mod headers;
pub mod html;
pub mod idempotency;
pub mod language;
pub mod list;
mod objects;
pub mod openapi;
pub mod order;
pub mod page_routes;
pub mod pages;
pub mod problem;
pub mod rate;
mod reference;
pub mod refusal;
pub mod screen;
pub mod serve;
pub mod session;
pub mod shell;
pub mod sign_in;
pub mod telemetry;
pub mod texts;
pub mod toast;
pub mod transfer;
pub mod wall;
pub mod wire;

pub use etag::{ETag, IfMatch, IfNoneMatch};
pub use events::{LiveEvent, event_stream};
pub use extract::{ApiJson, ApiPath, ApiQuery, MAX_JSON_BYTES, OptionalJson};
pub use form::{FieldErrors, FormKey, PageForm, PlainForm};
pub use headers::{Guard, HostAllowList};
pub use html::{SafeHtml, icon, sized_icon};
pub use idempotency::{
    ApiCommand, IdempotencyKey, IdempotencySecret, IdempotentRequest, KeyedCommand, NoBody,
};
pub use language::{Language, fill, plural};
pub use list::{Cursor, ListQuery, Page};
pub use page_routes::PageRoutes;
pub use pages::{ProblemPages, problem_fragment};
pub use problem::{FieldError, Problem};
pub use rate::{FailureLimiter, FailureLimits};
pub use screen::{Screen, ScreenForm};
pub use session::{CredentialSource, Credentials, SessionCookie, SessionToken};
pub use shell::{
    Content, Frame, Live, NavItem, PageRequest, Person, Side, StatusBar, StatusItem, Theme, Tone,
    html, html_with_status,
};
pub use sign_in::{SessionAnswer, SessionStaff, SignInForm, SignInPage, SignInRequest, safe_next};
pub use texts::ShellTexts;
pub use toast::{Toast, ToastUndo, WaitingToasts};
pub use wall::WallClock;
