//! Who asks: the person behind a token, and whether the route's permission is theirs.
//!
//! A handler that takes [`May`] never runs for somebody else: 401 and 403 come before the body is looked at. The use
//! cases ask again, by the same table.

use std::marker::PhantomData;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use domain::id::StaffId;
use domain::permission::{Permission, Side, allows};
use domain::staff::Role;
use web_kit::{CredentialSource, Credentials, Problem, Screen, SessionToken};

use super::state::EdgeState;
use crate::app::staff;
use crate::store::{Actor, session};
use web_kit::wire::Time;

/// A command on this machine: who can read the token can read the database, so it may do what runs a branch.
const LOCAL: Actor = Actor {
    staff: StaffId::NIL,
    role: Role::BranchManager,
    terminal: 0,
};

/// Who asks.
#[derive(Debug, Clone)]
pub struct Caller {
    actor: Actor,
    name: String,
    token: SessionToken,
    is_page: bool,
    expires_at: Option<Time>,
    screen: Screen,
    said: Option<String>,
}

impl Caller {
    /// Who acts, as the use cases take it.
    pub fn actor(&self) -> Actor {
        self.actor
    }

    /// The person's id; nil for a command on this machine.
    pub fn staff(&self) -> StaffId {
        self.actor.staff
    }

    /// The person's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The person's role.
    pub fn role(&self) -> Role {
        self.actor.role
    }

    /// Whether it is a browser's session.
    pub fn is_page(&self) -> bool {
        self.is_page
    }

    /// When the session ends at the latest; none for a command on this machine.
    pub fn expires_at(&self) -> Option<Time> {
        self.expires_at
    }

    /// The session's token.
    pub fn token(&self) -> &SessionToken {
        &self.token
    }

    /// What the screen prefers.
    pub fn screen(&self) -> Screen {
        self.screen
    }

    /// The name of the toast that waits for the page asked for.
    pub fn said(&self) -> Option<&str> {
        self.said.as_deref()
    }

    /// Whether the person may do this here.
    pub fn may(&self, permission: Permission) -> bool {
        allows(self.actor.role, permission, Side::Branch)
    }

    /// Whether the session still stands, without counting as use of it.
    pub(crate) async fn is_still_valid(&self, state: &EdgeState) -> bool {
        if state.is_local(&self.token) {
            return true;
        }
        let hash = self.token.hash();
        let found = state.store().read(move |reader| {
            let now_ms = reader.now_ms();
            let row = session::get(reader, &hash)?;
            Ok(row.is_some_and(|row| {
                let is_idle =
                    row.is_page && now_ms.saturating_sub(row.used_at_ms) >= staff::IDLE_MS;
                now_ms < row.expires_at_ms && !is_idle
            }))
        });
        // A store that is busy or ending is no reason to say that the session ended.
        found.await.unwrap_or(true)
    }

    async fn of(credentials: Credentials, state: &EdgeState) -> Result<Self, Problem> {
        let Credentials { token, source } = credentials;
        if source == CredentialSource::Bearer && state.is_local(&token) {
            return Ok(Self {
                actor: LOCAL,
                name: "This machine".to_owned(),
                token,
                is_page: false,
                expires_at: None,
                screen: Screen::default(),
                said: None,
            });
        }
        let signed_in = staff::session(state.store(), &token).await?;
        let signed_in = signed_in.ok_or_else(Problem::unauthorized)?;
        // A stolen cookie is no API token and the other way round: each stays what it was made for.
        if signed_in.is_page != (source == CredentialSource::Cookie) {
            return Err(Problem::unauthorized());
        }
        state.sync().touch();
        Ok(Self {
            actor: signed_in.actor,
            name: signed_in.name,
            token,
            is_page: signed_in.is_page,
            expires_at: Some(signed_in.expires_at),
            screen: Screen::default(),
            said: None,
        })
    }
}

impl FromRequestParts<EdgeState> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &EdgeState) -> Result<Self, Problem> {
        let credentials = Credentials::from_request_parts(parts, state).await?;
        let caller = Self::of(credentials, state).await?;
        Ok(Self {
            screen: Screen::of(&parts.headers),
            said: said(parts),
            ..caller
        })
    }
}

fn said(parts: &Parts) -> Option<String> {
    let query = parts.uri.query()?;
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let (_, name) = pairs.find(|(name, _)| *name == web_kit::toast::SAID)?;
    Some(name.to_owned())
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

impl<P: Needs + Send> FromRequestParts<EdgeState> for May<P> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &EdgeState) -> Result<Self, Problem> {
        let caller = Caller::from_request_parts(parts, state).await?;
        if caller.may(P::PERMISSION) {
            Ok(Self(caller, PhantomData))
        } else {
            Err(Problem::forbidden(format!(
                "The role {} may not do this at a branch.",
                caller.role()
            ))
            .with("permission", P::PERMISSION.as_str()))
        }
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
    BasicsRead,
    OrdersRead,
    OrdersWrite,
    OrdersMove,
    CustomersRead,
    CustomersWrite,
    Search,
    StockRead,
    StockMove,
    InventoryWrite,
    TransfersRead,
    TransfersRequest,
    TransfersShip,
    TransfersReceive,
    TillUse,
    RefundsWrite,
    MoneyRead,
    CashWrite,
    Import,
    Export,
    DocumentsRead,
    SyncPause,
    ExceptionsRead,
    ExceptionsSettle,
);
