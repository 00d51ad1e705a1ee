//! Sealing: personal values in documents, and secrets at rest.
//!
//! A sealed value is `01 ‖ generation ‖ nonce 24 ‖ XChaCha20-Poly1305 text and tag`. Its keys come from the person's
//! key by HKDF-SHA-256 (RFC 5869); the nonce is made from the text (HMAC-SHA-256, RFC 2104), so equal values at one
//! place are equal bytes and no node needs to agree on randomness. Document and path are authenticated, so a value
//! never opens at another place.

use crate::id::DocumentId;
use crate::sensitive::{PersonKey, Sensitive};
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use thiserror::Error;
use zeroize::{Zeroize, Zeroizing};

const VERSION: u8 = 1;
const NONCE: usize = 24;
const TAG: usize = 16;

/// Why something sealed does not open, or nothing could be sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SealError {
    /// Not the bytes of a sealed value.
    #[error("not a sealed value")]
    Malformed,
    /// The key of this generation is not here.
    #[error("the key of generation {0} is not here")]
    NoKey(u8),
    /// The key does not fit, or the bytes were changed.
    #[error("the sealed value does not open")]
    Wrong,
    /// Too much for the cipher.
    #[error("too long to be sealed")]
    TooLong,
}

/// Seals a personal value for one path of one document.
pub fn seal(
    key: &PersonKey,
    document: DocumentId,
    path: &str,
    text: &str,
) -> Result<Vec<u8>, SealError> {
    let associated = associated_data(document, path);
    let nonce = synthetic_nonce(key, &associated, text.as_bytes())?;
    let cipher = cipher(key.expose(), b"seal")?;
    let payload = Payload {
        msg: text.as_bytes(),
        aad: &associated,
    };
    let sealed = cipher
        .encrypt(&XNonce::from(nonce), payload)
        .map_err(|_| SealError::TooLong)?;
    let mut out = Vec::with_capacity(2 + NONCE + sealed.len());
    out.extend([VERSION, key.generation()]);
    out.extend(nonce);
    out.extend(sealed);
    Ok(out)
}

/// Opens a personal value with the fitting one of `keys`.
pub fn open(
    keys: &[PersonKey],
    document: DocumentId,
    path: &str,
    sealed: &[u8],
) -> Result<Sensitive<String>, SealError> {
    let [VERSION, generation, rest @ ..] = sealed else {
        return Err(SealError::Malformed);
    };
    let (nonce, text) = rest
        .split_first_chunk::<NONCE>()
        .ok_or(SealError::Malformed)?;
    if text.len() < TAG {
        return Err(SealError::Malformed);
    }
    let key = keys
        .iter()
        .find(|key| key.generation() == *generation)
        .ok_or(SealError::NoKey(*generation))?;
    let associated = associated_data(document, path);
    let payload = Payload {
        msg: text,
        aad: &associated,
    };
    let opened = cipher(key.expose(), b"seal")?
        .decrypt(&XNonce::from(*nonce), payload)
        .map_err(|_| SealError::Wrong)?;
    match String::from_utf8(opened) {
        Ok(text) => Ok(Sensitive::new(text)),
        Err(error) => {
            error.into_bytes().zeroize();
            Err(SealError::Wrong)
        }
    }
}

/// Seals bytes that lie on disk: stored answers, person keys. `nonce` is random and used once; `label` names what it
/// is and for whom, and must be the same when opening.
pub fn seal_at_rest(
    storage_key: &[u8; 32],
    label: &[u8],
    nonce: [u8; NONCE],
    bytes: &[u8],
) -> Result<Vec<u8>, SealError> {
    let payload = Payload {
        msg: bytes,
        aad: label,
    };
    let cipher = cipher(storage_key, b"at rest")?;
    let sealed = cipher
        .encrypt(&XNonce::from(nonce), payload)
        .map_err(|_| SealError::TooLong)?;
    let mut out = Vec::with_capacity(1 + NONCE + sealed.len());
    out.push(VERSION);
    out.extend(nonce);
    out.extend(sealed);
    Ok(out)
}

/// Opens what [`seal_at_rest`] sealed.
pub fn open_at_rest(
    storage_key: &[u8; 32],
    label: &[u8],
    sealed: &[u8],
) -> Result<Sensitive<Vec<u8>>, SealError> {
    let [VERSION, rest @ ..] = sealed else {
        return Err(SealError::Malformed);
    };
    let (nonce, text) = rest
        .split_first_chunk::<NONCE>()
        .ok_or(SealError::Malformed)?;
    let payload = Payload {
        msg: text,
        aad: label,
    };
    let cipher = cipher(storage_key, b"at rest")?;
    cipher
        .decrypt(&XNonce::from(*nonce), payload)
        .map(Sensitive::new)
        .map_err(|_| SealError::Wrong)
}

fn associated_data(document: DocumentId, path: &str) -> Vec<u8> {
    [document.as_bytes().as_slice(), path.as_bytes()].concat()
}

fn synthetic_nonce(
    key: &PersonKey,
    associated: &[u8],
    text: &[u8],
) -> Result<[u8; NONCE], SealError> {
    let nonce_key = derive(key.expose(), b"nonce")?;
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(nonce_key.as_slice())
        .map_err(|_| SealError::Wrong)?;
    mac.update(associated);
    mac.update(text);
    let full = mac.finalize().into_bytes();
    let mut nonce = [0; NONCE];
    nonce.copy_from_slice(&full[..NONCE]);
    Ok(nonce)
}

fn cipher(key: &[u8; 32], info: &[u8]) -> Result<XChaCha20Poly1305, SealError> {
    let derived = derive(key, info)?;
    XChaCha20Poly1305::new_from_slice(derived.as_slice()).map_err(|_| SealError::Wrong)
}

fn derive(key: &[u8; 32], info: &[u8]) -> Result<Zeroizing<[u8; 32]>, SealError> {
    let mut out = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(None, key)
        .expand(info, out.as_mut_slice())
        .map_err(|_| SealError::Wrong)?;
    Ok(out)
}
