//! What both web faces of Counterpart share: problems, extractors, sessions,
//! idempotency, headers, assets, the page shell and the event stream.
//!
//! It is used by the branch program and by the hub and knows neither: no SQL,
//! no rule of the shop, no clock and no randomness. Time, keys and random bytes
//! come in as arguments or out of the router's state (`FromRef`).

pub mod etag;
pub mod extract;
pub mod form;
pub mod idempotency;
pub mod list;
pub mod problem;
pub mod session;

pub use etag::{ETag, IfMatch, IfNoneMatch};
pub use extract::{ApiJson, ApiPath, ApiQuery, MAX_JSON_BYTES, OptionalJson};
pub use form::{FieldErrors, FormKey, PageForm};
pub use idempotency::{
    ApiCommand, IdempotencyKey, IdempotencySecret, IdempotentRequest, KeyedCommand, NoBody,
};
pub use list::{Cursor, ListQuery, Page};
pub use problem::{FieldError, Problem};
pub use session::{CredentialSource, Credentials, SessionCookie, SessionToken};
