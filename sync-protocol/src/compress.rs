//! zstd with a hard cap on what comes out (T-14).

use crate::error::DecodeError;

/// The compression level of blocks, stored and sent.
pub const LEVEL: i32 = 3;

/// Compresses `bytes`.
#[expect(
    clippy::expect_used,
    reason = "zstd into a buffer of its own bound fails only when memory is gone"
)]
pub fn compress(bytes: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(bytes, LEVEL).expect("zstd compresses into a buffer of its own bound")
}

/// Decompresses `bytes` to at most `limit_bytes`; a longer content is refused before it takes memory.
pub fn decompress(bytes: &[u8], limit_bytes: usize) -> Result<Vec<u8>, DecodeError> {
    zstd::bulk::decompress(bytes, limit_bytes).map_err(|error| DecodeError::Body {
        what: "zstd content",
        reason: error.to_string(),
    })
}
