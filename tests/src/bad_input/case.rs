//! One request of a run, and what its answer must be.
//!
//! Nothing is sent here. A case knows whether the document itself forbids it; whether a server may
//! take right-to-left text as a name is for the server to say.

/// What the answer to a case must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// The right request of the operation; any answer but a failure of the server.
    Example,
    /// Refused: what is sent breaks the document.
    Refusal,
    /// Refused with 401.
    SignIn,
    /// Refused or accepted, as the server's rules say.
    Either,
}

/// One request, and what is wrong with it.
#[derive(Debug, Clone)]
pub struct Case {
    /// `POST /api/v1/orders`
    pub operation: String,
    /// `body /devices/0/brand: NUL`
    pub label: String,
    /// What the answer must be.
    pub expect: Expect,
    pub(super) request: Request,
    /// Whether the request meets this operation, so that its list of statuses holds.
    pub(super) is_on_route: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) headers: Vec<(String, Vec<u8>)>,
    pub(super) key: Key,
    pub(super) sign_in: SignIn,
    pub(super) content_type: Option<String>,
    pub(super) body: Option<Vec<u8>>,
}

/// The `Idempotency-Key` of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Key {
    Absent,
    /// Another one each time it is sent, so that no answer is replayed.
    Fresh,
    Fixed(Vec<u8>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SignIn {
    Token,
    Absent,
    Wrong,
}

pub(super) const KEY_HEADER: &str = "Idempotency-Key";
