//! Every bound of the protocol in one place (INV-16).
//!
//! A peer that exceeds one of these is refused with a reason; nothing here depends on configuration.

/// Largest transaction, header and items together, in bytes.
pub const TRANSACTION_BYTES: usize = 512 * 1024;
/// Most items in one transaction.
pub const TRANSACTION_ITEMS: usize = 512;
/// Largest frame body as sent, in bytes.
pub const FRAME_BYTES: usize = 1024 * 1024;
/// A block is closed when the next transaction would take it above this size, in bytes.
pub const BLOCK_BYTES: usize = 64 * 1024;
/// Largest block before compression: one transaction of the largest size and the block header.
pub const BLOCK_BYTES_MAX: usize = TRANSACTION_BYTES + 128;
/// Largest feed entry, in bytes.
pub const FEED_ENTRY_BYTES: usize = 768 * 1024;
/// Largest feed block before compression, in bytes.
pub const FEED_BLOCK_BYTES_MAX: usize = FEED_ENTRY_BYTES + 128;
/// Un-acknowledged bytes allowed in each direction.
pub const UNACKNOWLEDGED_BYTES: usize = 256 * 1024;
/// Most transactions of a log that are asked for again at once.
pub const WANT_TRANSACTIONS: u64 = 256;
/// Block bytes of an answer to that, unpacked, unless a single transaction is larger.
pub const RETURNED_BYTES: usize = 256 * 1024;
/// Log bytes that travel with Hello before Welcome has come.
pub const HELLO_LOG_BYTES: usize = 16 * 1024;
/// Most lineage rows in a Hello.
pub const HELLO_LINEAGE_ROWS: usize = 4096;
/// Most feed cursors in a Hello.
pub const HELLO_CURSORS: usize = 64;
/// Most person keys in one KeyGive or KeyWant.
pub const KEYS_PER_FRAME: usize = 1024;
/// Largest saved document at a branch, in bytes.
pub const DOCUMENT_BYTES_BRANCH: usize = 256 * 1024;
/// Largest saved document at the hub, in bytes.
pub const DOCUMENT_BYTES_HUB: usize = 512 * 1024;
/// A signed head is due after this many transactions.
pub const HEAD_EVERY_TRANSACTIONS: u64 = 1_000;
/// A signed head is due after this long while the log moves, in milliseconds.
pub const HEAD_EVERY_MS: i64 = 60_000;
/// Largest body of a live look-up or of its answer, in bytes.
pub const LOOK_UP_BYTES: usize = 16 * 1024;
/// Longest text that is looked up, in bytes.
pub const LOOK_UP_TEXT_BYTES: usize = 400;
/// Fewest characters that are looked up: fewer would list people rather than find one.
pub const LOOK_UP_TEXT_CHARS: usize = 3;
/// Most people in an answer.
pub const LOOK_UP_PEOPLE: usize = 10;
/// Longest name in an answer, in bytes.
pub const LOOK_UP_NAME_BYTES: usize = 800;
/// Longest hint at a phone number or e-mail in an answer, in bytes.
pub const LOOK_UP_REACH_BYTES: usize = 320;
