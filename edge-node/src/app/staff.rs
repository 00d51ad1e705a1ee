//! Signing in and out, and whose a session is.
//!
//! Only people who work at this branch sign in here. A password is checked away from the async threads, at most two at
//! a time; a name that nobody has costs the same work, so that time tells nothing (T-5).

use std::fmt;

use argon2::password_hash::PasswordHasher;
use argon2::password_hash::phc::{Output, PasswordHash};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use domain::id::StaffId;
use domain::permission::Permission;
use domain::sensitive::Sensitive;
use domain::staff::{Role, StaffRow};
use serde::Serialize;
use tokio::sync::Semaphore;
use utoipa::ToSchema;
use web_kit::session::SessionToken;

use super::require;
use crate::error::{AppError, StoreError};
use crate::store::session::{self, SessionRow};
use crate::store::staff::{self as rows, Candidate};
use crate::store::{Actor, Reader, Store};
use web_kit::wire::{RoleForm, Time};

/// A page session ends after so long without use.
pub const IDLE_MS: i64 = 15 * 60_000;
/// A page session ends after so long at the latest.
pub const PAGE_MS: i64 = 12 * 3_600_000;
/// An API token ends after so long.
pub const TOKEN_MS: i64 = 3_600_000;
/// Use is written down at most so often.
const TOUCH_MS: i64 = 30_000;
/// Passwords that are checked at the same time.
const CHECKS: usize = 2;
/// Longest password that is looked at, in bytes.
const PASSWORD_MAX: usize = 1_024;

/// More than the C library ever keeps for itself when it is freed (`DEFAULT_MMAP_THRESHOLD_MAX`, 32 MiB).
const OWN_MAPPING_BYTES: usize = 33 * 1024 * 1024;

static CHECKING: Semaphore = Semaphore::const_new(CHECKS);

/// What a session is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionKind {
    /// A program with a bearer token.
    Api,
    /// A browser with a cookie.
    Page,
}

/// Who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// The person as use cases take it.
    pub actor: Actor,
    /// The name to sign in with.
    pub username: String,
    /// The name to show.
    pub name: String,
    /// Whether it is a browser's session.
    pub is_page: bool,
    /// When it ends at the latest.
    pub expires_at: Time,
}

/// A new session; its token is known to nobody else.
pub struct Grant {
    /// The token, for its bearer only.
    pub token: SessionToken,
    /// When it ends at the latest.
    pub expires_at: Time,
    /// Whose it is.
    pub person: SignedIn,
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Grant({:?})", self.person)
    }
}

/// A person of this branch, for lists and names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct StaffEntry {
    /// The person.
    #[schema(value_type = String, format = "uuid")]
    pub id: StaffId,
    /// The name to sign in with.
    pub username: String,
    /// The name to show.
    pub name: String,
    /// What the person is.
    #[schema(value_type = RoleForm)]
    pub role: Role,
}

/// Signs a person in, or says that name and password do not belong together.
pub async fn sign_in(
    store: &Store,
    username: &str,
    password: &str,
    kind: SessionKind,
) -> Result<Grant, AppError> {
    let branch = store.identity().branch;
    let username = username.trim().to_lowercase();
    let mut candidates = store
        .read(move |reader| rows::candidates(reader, &username))
        .await?;
    candidates.retain(|candidate| candidate.row.works_at(branch));
    let fits = password.len() <= PASSWORD_MAX;
    let password = Sensitive::new(if fits {
        password.to_owned()
    } else {
        String::new()
    });
    let Some(Candidate { id, row, .. }) = check(candidates, password).await?.filter(|_| fits)
    else {
        return Err(AppError::WrongCredentials);
    };
    let token = SessionToken::from_random(store.env().bytes());
    let is_page = kind == SessionKind::Page;
    let now_ms = store.env().now_ms();
    let expires_at_ms = now_ms + if is_page { PAGE_MS } else { TOKEN_MS };
    let hash = token.hash();
    let session = SessionRow {
        staff: id,
        is_page,
        used_at_ms: now_ms,
        expires_at_ms,
    };
    store
        .write(move |tx| session::insert(tx, &hash, &session))
        .await?;
    Ok(Grant {
        token,
        expires_at: Time(expires_at_ms),
        person: signed_in(&session, row),
    })
}

/// The candidate whom the password belongs to.
async fn check(
    candidates: Vec<Candidate>,
    password: Sensitive<String>,
) -> Result<Option<Candidate>, AppError> {
    let _turn = CHECKING.acquire().await.map_err(|_| AppError::Busy)?;
    let checked = tokio::task::spawn_blocking(move || {
        if candidates.is_empty() {
            // The same work in vain.
            let work = work(&Argon2::default(), password.expose(), &[0; 16]);
            return work.err().and_then(|error| {
                tracing::error!(%error, "a password cannot be checked");
                None
            });
        }
        candidates
            .into_iter()
            .find(|candidate| verify(&candidate.password_hash, password.expose()))
    });
    checked
        .await
        .map_err(|_| AppError::Store(StoreError::Panicked))
}

fn verify(password_hash: &str, password: &str) -> bool {
    let parsed = PasswordHash::new(password_hash).map_err(|error| error.to_string());
    let checked = parsed.and_then(|hash| fits(&hash, password).map_err(|error| error.to_string()));
    checked.unwrap_or_else(|error| {
        tracing::error!(%error, "a credential does not read as an Argon2id hash");
        false
    })
}

fn fits(hash: &PasswordHash, password: &str) -> argon2::password_hash::Result<bool> {
    let (Some(salt), Some(wanted)) = (&hash.salt, &hash.hash) else {
        return Ok(false);
    };
    let algorithm = Algorithm::try_from(hash.algorithm.as_str())?;
    let version = hash.version.map(Version::try_from).transpose()?;
    let argon2 = Argon2::new(
        algorithm,
        version.unwrap_or_default(),
        Params::try_from(hash)?,
    );
    // Outputs compare in constant time.
    Ok(work(&argon2, password, salt)? == *wanted)
}

/// Hashes in memory that goes back to the system at once: the C library keeps what is freed below its ceiling for
/// mappings, and 19 MiB for each password that was ever checked at the same time would stay with the process. A
/// capacity above the ceiling is a mapping of its own; the part behind the blocks is never touched and costs nothing.
fn work(argon2: &Argon2<'_>, password: &str, salt: &[u8]) -> argon2::password_hash::Result<Output> {
    let blocks = argon2.params().block_count();
    let mut memory = Vec::with_capacity(blocks.max(OWN_MAPPING_BYTES / Block::SIZE));
    memory.resize(blocks, Block::new());
    let length = argon2.params().output_len();
    let mut out = vec![0; length.unwrap_or(Params::DEFAULT_OUTPUT_LEN)];
    argon2.hash_password_into_with_memory(password.as_bytes(), salt, &mut out, &mut memory[..])?;
    Ok(Output::new(&out)?)
}

/// An Argon2id hash in PHC form, with the parameters that the hub uses too.
pub fn hash_password(password: &str, salt: [u8; 16]) -> String {
    let hashed: Result<PasswordHash, _> =
        Argon2::default().hash_password_with_salt(password.as_bytes(), &salt);
    hashed.map(|hash| hash.to_string()).unwrap_or_default()
}

/// Whose session a token is; `None` when it ended, or its bearer no longer works here. Use keeps a page session alive.
pub async fn session(store: &Store, token: &SessionToken) -> Result<Option<SignedIn>, AppError> {
    let hash = token.hash();
    let found = store
        .read(move |reader| {
            let Some(session) = session::get(reader, &hash)? else {
                return Ok(None);
            };
            let row = rows::get(reader, session.staff)?;
            Ok(row
                .filter(|row| row.works_at(reader.identity().branch))
                .map(|row| (session, row)))
        })
        .await?;
    let Some((session, row)) = found else {
        return Ok(None);
    };
    let now_ms = store.env().now_ms();
    let idle_ms = now_ms.saturating_sub(session.used_at_ms);
    if now_ms >= session.expires_at_ms || (session.is_page && idle_ms >= IDLE_MS) {
        return Ok(None);
    }
    if session.is_page && idle_ms >= TOUCH_MS {
        store
            .write(move |tx| session::touch(tx, &hash, now_ms))
            .await?;
    }
    Ok(Some(signed_in(&session, row)))
}

fn signed_in(session: &SessionRow, row: StaffRow) -> SignedIn {
    SignedIn {
        actor: Actor {
            staff: session.staff,
            role: row.role,
            terminal: 0,
        },
        username: row.username,
        name: row.name,
        is_page: session.is_page,
        expires_at: Time(session.expires_at_ms),
    }
}

/// Ends a session; whether there was one.
pub async fn sign_out(store: &Store, token: &SessionToken) -> Result<bool, AppError> {
    let hash = token.hash();
    store.write(move |tx| session::remove(tx, &hash)).await
}

/// The people who work at this branch.
pub fn list(reader: &Reader<'_>, actor: &Actor) -> Result<Vec<StaffEntry>, AppError> {
    require(actor, Permission::BasicsRead)?;
    let branch = reader.identity().branch;
    let people = rows::list(reader)?
        .into_iter()
        .filter(|(_, row)| row.works_at(branch));
    Ok(people
        .map(|(id, row)| StaffEntry {
            id,
            username: row.username,
            name: row.name,
            role: row.role,
        })
        .collect())
}
