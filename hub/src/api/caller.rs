//! Who asks: the person behind a token, and whether the route's permission is theirs.
//!
//! A handler that takes [`May`] never runs for somebody else: 401 and 403 come before the body is looked at.

use std::marker::PhantomData;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use domain::permission::Permission;
use web_kit::{CredentialSource, Credentials, Problem, Screen};

use super::state::HubState;
use crate::app::session::{self, Person, Session, SessionKind};

/// Who asks.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The person.
    pub person: Person,
    /// SHA-256 of the session's token.
    pub token_hash: [u8; 32],
    /// When the session ends at the latest.
    pub expires_ms: i64,
    /// What the screen prefers.
    pub screen: Screen,
}

impl Caller {
    /// Whether the session still stands, without counting as use of it.
    pub(crate) async fn is_still_valid(&self, state: &HubState) -> bool {
        // A database that is busy or ending is no reason to say that the session ended.
        session::find(state.hub(), &self.token_hash, false)
            .await
            .map_or(true, |found| found.is_some())
    }
}

impl FromRequestParts<HubState> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &HubState) -> Result<Self, Problem> {
        let Credentials { token, source } = Credentials::from_request_parts(parts, state).await?;
        let token_hash = token.hash();
        let found = session::find(state.hub(), &token_hash, true).await?;
        // A stolen cookie is no API token and the other way round: each stays what it was made for.
        let is_page = source == CredentialSource::Cookie;
        let Session {
            person, expires_ms, ..
        } = found
            .filter(|session| (session.kind == SessionKind::Page) == is_page)
            .ok_or_else(Problem::unauthorized)?;
        Ok(Self {
            person,
            token_hash,
            expires_ms,
            screen: Screen::of(&parts.headers),
        })
    }
}

/// A permission as a type.
pub trait Needs {
    /// The permission.
    const PERMISSION: Permission;
}

/// The caller, who has the permission `P`.
#[derive(Debug, Clone)]
pub struct May<P>(pub Caller, PhantomData<P>);

impl<P> std::ops::Deref for May<P> {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.0
    }
}

impl<P: Needs + Send> FromRequestParts<HubState> for May<P> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &HubState) -> Result<Self, Problem> {
        let caller = Caller::from_request_parts(parts, state).await?;
        caller.person.require(P::PERMISSION)?;
        Ok(Self(caller, PhantomData))
    }
}

macro_rules! needs {
    ($($name:ident),+ $(,)?) => {
        /// Permissions as types, named as in `domain::permission`.
        pub mod may {
            $(
                #[doc = concat!("`Permission::", stringify!($name), "`")]
                #[derive(Debug, Clone, Copy)]
                pub struct $name;

                impl super::Needs for $name {
                    const PERMISSION: super::Permission = super::Permission::$name;
                }
            )+
        }
    };
}

needs!(
    SignIn,
    BasicsRead,
    OrdersRead,
    OrdersWrite,
    OrdersMove,
    CustomersRead,
    CustomersWrite,
    CustomersMerge,
    Search,
    StockRead,
    StockMove,
    StockAdjust,
    InventoryWrite,
    TransfersRead,
    TransfersRequest,
    TransfersShip,
    TransfersReceive,
    TransfersApprove,
    MoneyRead,
    NightMend,
    NightSign,
    RefundsApprove,
    CatalogueWrite,
    StaffRead,
    StaffWrite,
    BranchesWrite,
    JoinCodes,
    NodesRevoke,
    SettingsWrite,
    Import,
    Export,
    DocumentsRead,
    SyncPause,
    AuditRead,
    ExceptionsRead,
    ExceptionsSettle,
    ParkedRead,
    ParkedSettle
);
