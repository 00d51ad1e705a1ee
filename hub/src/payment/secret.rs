//! Secrets that lie in files of their own: never in the configuration, the database or a backup.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use domain::sensitive::Sensitive;
use thiserror::Error;

/// Longest secret.
const SECRET_MAX: usize = 1_000;

/// Why a file holds no secret.
#[derive(Debug, Error)]
pub enum SecretFileError {
    /// It cannot be read.
    #[error("{path}: {source}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is empty, too long, or more than one word.
    #[error("{path} must hold one secret, one word of at most 1000 letters and digits")]
    Form {
        /// Which file.
        path: PathBuf,
    },
}

/// Reads a secret; spaces and line ends around it do not count.
pub(super) fn read(path: &Path) -> Result<Sensitive<String>, SecretFileError> {
    let at = || path.to_owned();
    let read = |source| SecretFileError::Read { path: at(), source };
    let mode = std::fs::metadata(path).map_err(read)?.permissions().mode();
    if mode & 0o077 != 0 {
        tracing::warn!(path = %path.display(), "others can read this secret: chmod 600");
    }
    let text = Sensitive::new(std::fs::read_to_string(path).map_err(read)?);
    let word = text.expose().trim();
    if word.is_empty()
        || word.len() > SECRET_MAX
        || !word.bytes().all(|byte| byte.is_ascii_graphic())
    {
        return Err(SecretFileError::Form { path: at() });
    }
    Ok(Sensitive::new(word.to_owned()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn one_word_is_read_and_anything_else_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        assert!(matches!(read(&path), Err(SecretFileError::Read { .. })));
        for (text, is_fine) in [
            ("sk_test_1\n", true),
            ("  whsec_x ", true),
            ("", false),
            ("\n", false),
            ("two words", false),
            ("nötig", false),
        ] {
            std::fs::write(&path, text).unwrap();
            let secret = read(&path);
            assert_eq!(secret.is_ok(), is_fine, "{text:?}");
            assert!(!format!("{secret:?}").contains("sk_test"));
        }
    }
}
