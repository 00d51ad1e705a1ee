//! Passwords: Argon2id with 19 MiB, 2 passes, 1 lane (OWASP's first choice), off the async threads.
//!
//! Few run at a time, so that many tries at once do not eat the memory (INV-16). A password is never logged.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use domain::sensitive::Sensitive;
use thiserror::Error;
use tokio::sync::Semaphore;

use crate::env::Env;

/// Fewest characters of a new password.
pub const MIN_CHARS: usize = 8;
/// Most bytes of a password.
pub const MAX_BYTES: usize = 1_000;

const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// How many run at one time.
static PLACES: Semaphore = Semaphore::const_new(4);

/// The password could not be worked on.
#[derive(Debug, Error)]
pub enum PasswordError {
    /// The parameters or the salt do not fit the library.
    #[error("a password could not be hashed: {0}")]
    Hash(String),
    /// Work on another thread failed.
    #[error("work on another thread failed")]
    Thread,
}

/// Why a new password is refused; `None` when it is good.
pub fn refusal(password: &str) -> Option<&'static str> {
    if password.chars().count() < MIN_CHARS {
        Some("must have 8 characters at least")
    } else if password.len() > MAX_BYTES {
        Some("must not be longer than 1000 bytes")
    } else if password.contains('\0') {
        Some("must not contain control characters")
    } else {
        None
    }
}

fn hasher() -> Result<Argon2<'static>, PasswordError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None);
    let params = params.map_err(|error| PasswordError::Hash(error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// The hash of a new password in PHC form.
///
/// # Errors
/// When the library fails.
pub async fn hash(env: &Env, password: Sensitive<String>) -> Result<String, PasswordError> {
    let salt: [u8; 16] = env.random();
    in_background(move || {
        let hash: PasswordHash = hasher()?
            .hash_password_with_salt(password.expose().as_bytes(), &salt)
            .map_err(|error| PasswordError::Hash(error.to_string()))?;
        Ok(hash.to_string())
    })
    .await
}

/// Whether the password belongs to the hash. Without a hash the same work is done in vain, so that the time does not
/// tell whether somebody exists.
///
/// # Errors
/// When the library fails.
pub async fn is_right(
    password: Sensitive<String>,
    hash: Option<String>,
) -> Result<bool, PasswordError> {
    in_background(move || {
        let Some(hash) = hash else {
            let nobody: Result<PasswordHash, _> =
                hasher()?.hash_password_with_salt(password.expose().as_bytes(), &[0; 16]);
            return nobody
                .map(|_| false)
                .map_err(|error| PasswordError::Hash(error.to_string()));
        };
        let verifier: &dyn PasswordVerifier<str> = &hasher()?;
        Ok(verifier
            .verify_password(password.expose().as_bytes(), &hash)
            .is_ok())
    })
    .await
}

async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, PasswordError> + Send + 'static,
) -> Result<T, PasswordError> {
    let _place = PLACES.acquire().await.map_err(|_| PasswordError::Thread)?;
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| PasswordError::Thread)?
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[tokio::test]
    async fn a_hash_has_the_agreed_cost_and_knows_its_password() {
        let hash = hash(&Env::system(), "correct horse".to_owned().into())
            .await
            .unwrap();
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        assert!(
            is_right("correct horse".to_owned().into(), Some(hash.clone()))
                .await
                .unwrap()
        );
        assert!(
            !is_right("correct house".to_owned().into(), Some(hash))
                .await
                .unwrap()
        );
        assert!(
            !is_right("correct horse".to_owned().into(), None)
                .await
                .unwrap()
        );
    }

    #[test]
    fn short_and_endless_passwords_are_refused() {
        assert!(refusal("sieben7").is_some());
        assert!(refusal("öööööööö").is_none());
        assert!(refusal(&"x".repeat(1_001)).is_some());
    }
}
