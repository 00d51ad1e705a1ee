//! Signing in, and who is behind a token.
//!
//! A token is random and only its hash is stored. API tokens live an hour; page sessions end after 15 minutes without
//! use and after 12 hours at the latest. Who leaves or is deactivated is out with the next request.

use domain::id::{BranchId, StaffId};
use domain::permission::{Permission, Side, allows};
use domain::sensitive::Sensitive;
use domain::staff::Role;

use super::error::AppError;
use super::staff::password;
use super::{Actor, Hub};
use crate::error::HubError;
use crate::store::scope::Scope;
pub use crate::store::staff::read::SessionKind;
use crate::store::staff::read::{self as store, SessionRow, StaffRecord};

/// An API token's life.
pub const TOKEN_MS: i64 = 3_600_000;
/// A page session's life at most.
pub const PAGE_MS: i64 = 12 * 3_600_000;
/// A page session's life without use.
pub const PAGE_IDLE_MS: i64 = 15 * 60_000;
/// Uses are noted no more often than this.
const TOUCH_MS: i64 = 30_000;

/// A person who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The person.
    pub id: StaffId,
    /// The name to show.
    pub name: String,
    /// What the person is.
    pub role: Role,
    /// Where the person works; empty for everywhere.
    pub branches: Vec<BranchId>,
}

impl Person {
    fn of(record: StaffRecord) -> Self {
        Person {
            id: record.id,
            name: record.fields.name,
            role: record.fields.role,
            branches: record.fields.branches,
        }
    }

    /// Whether the person may do this here.
    pub fn may(&self, permission: Permission) -> bool {
        allows(self.role, permission, Side::Hub)
    }

    /// Refuses what the person may not do.
    ///
    /// # Errors
    /// [`AppError::Forbidden`].
    pub fn require(&self, permission: Permission) -> Result<(), AppError> {
        if self.may(permission) {
            return Ok(());
        }
        let detail = format!(
            "the role {} does not have the permission {} at the hub",
            self.role,
            permission.as_str()
        );
        Err(AppError::Forbidden { detail })
    }

    /// The branches that the person may look at.
    pub fn scope(&self) -> Scope {
        if self.branches.is_empty() {
            Scope::Chain
        } else {
            Scope::Branches(self.branches.clone())
        }
    }

    /// Refuses another branch's things.
    ///
    /// # Errors
    /// [`AppError::Forbidden`].
    pub fn require_branch(&self, branch: BranchId) -> Result<(), AppError> {
        if self.scope().allows(branch) {
            return Ok(());
        }
        Err(AppError::Forbidden {
            detail: "this belongs to a branch where you do not work".to_owned(),
        })
    }

    /// Refuses what is for people of the whole chain.
    ///
    /// # Errors
    /// [`AppError::Forbidden`].
    pub fn require_chain(&self) -> Result<(), AppError> {
        if self.branches.is_empty() {
            return Ok(());
        }
        Err(AppError::Forbidden {
            detail: "this is for people who work for the whole chain".to_owned(),
        })
    }

    /// The person as the writer of transactions.
    pub fn actor(&self) -> Actor {
        Actor {
            staff: self.id,
            terminal: 0,
        }
    }
}

/// A session that began.
#[derive(Debug)]
pub struct SignedIn {
    /// The token, for its bearer only.
    pub token: Sensitive<[u8; 32]>,
    /// When the session ends at the latest.
    pub expires_ms: i64,
    /// Who.
    pub person: Person,
}

fn password_failed(error: password::PasswordError) -> AppError {
    tracing::error!(%error, "a password could not be checked");
    AppError::Hub(HubError::Row("a password hash that does not work"))
}

/// Begins a session; `hash_of` makes what is stored out of the token.
///
/// # Errors
/// [`AppError::WrongCredentials`], whatever was wrong.
pub async fn sign_in(
    hub: &Hub,
    username: &str,
    password: Sensitive<String>,
    kind: SessionKind,
    hash_of: fn([u8; 32]) -> [u8; 32],
) -> Result<SignedIn, AppError> {
    let (record, hash) = {
        let mut connection = hub.pool().acquire().await?;
        let record = store::person(&mut connection, None, Some(username)).await?;
        let hash = match &record {
            Some(record) => store::password_hash(&mut connection, record.id).await?,
            None => None,
        };
        (record, hash)
    };
    let is_right = password::is_right(password, hash)
        .await
        .map_err(password_failed)?;
    let record = record
        .filter(|record| is_right && record.fields.active)
        .ok_or(AppError::WrongCredentials)?;
    let person = Person::of(record);
    person.require(Permission::SignIn)?;
    let token: [u8; 32] = hub.env().random();
    let now_ms = hub.env().now_ms();
    let life_ms = match kind {
        SessionKind::Token => TOKEN_MS,
        SessionKind::Page => PAGE_MS,
    };
    let session = SessionRow {
        staff: person.id,
        kind,
        used_ms: now_ms,
        expires_ms: now_ms + life_ms,
    };
    let mut connection = hub.pool().acquire().await?;
    store::insert_session(&mut connection, &hash_of(token), &session).await?;
    Ok(SignedIn {
        token: Sensitive::new(token),
        expires_ms: session.expires_ms,
        person,
    })
}

/// A session that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Whose.
    pub person: Person,
    /// How it began.
    pub kind: SessionKind,
    /// When it ends at the latest.
    pub expires_ms: i64,
}

/// The session behind the hash of a token; `is_use` says whether this counts as use of it.
///
/// # Errors
/// When the database fails.
pub async fn find(
    hub: &Hub,
    token_hash: &[u8; 32],
    is_use: bool,
) -> Result<Option<Session>, AppError> {
    let now_ms = hub.env().now_ms();
    let mut connection = hub.pool().acquire().await?;
    let Some(session) = store::session(&mut connection, token_hash).await? else {
        return Ok(None);
    };
    let is_idle = session.kind == SessionKind::Page && now_ms - session.used_ms >= PAGE_IDLE_MS;
    if now_ms >= session.expires_ms || is_idle {
        return Ok(None);
    }
    let record = store::person(&mut connection, Some(session.staff), None).await?;
    let Some(record) = record.filter(|record| record.fields.active) else {
        return Ok(None);
    };
    if is_use && now_ms - session.used_ms >= TOUCH_MS {
        store::touch_session(&mut connection, token_hash, now_ms).await?;
    }
    Ok(Some(Session {
        person: Person::of(record),
        kind: session.kind,
        expires_ms: session.expires_ms,
    }))
}

/// Ends a session.
///
/// # Errors
/// When the database fails.
pub async fn sign_out(hub: &Hub, token_hash: &[u8; 32]) -> Result<(), AppError> {
    let mut connection = hub.pool().acquire().await?;
    store::delete_session(&mut connection, token_hash).await?;
    Ok(())
}

/// Deletes what nobody can use any more: ended sessions, answers of old keys.
///
/// # Errors
/// When the database fails.
pub async fn purge(hub: &Hub) -> Result<u64, AppError> {
    let now_ms = hub.env().now_ms();
    let mut connection = hub.pool().acquire().await?;
    let sessions = store::purge_sessions(&mut connection, now_ms).await?;
    let until_ms = now_ms - super::idempotency::KEPT_MS;
    let answers = crate::store::sync::idempotency::purge(&mut connection, until_ms).await?;
    Ok(sessions + answers)
}
