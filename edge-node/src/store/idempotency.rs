//! Idempotency keys: the first answer is kept in the commit of its effect, sealed, and replayed for 30 days.
//!
//! Only what said yes is kept: a refusal changed nothing, so a repeat is judged anew.

use domain::id::StaffId;
use domain::seal::{open_at_rest, seal_at_rest};
use rusqlite::{Connection, OptionalExtension};
use serde_json::Value;
use sync_protocol::hash::sha256;

use super::tx::WriteTx;
use super::value::{Bytes, Id};
use crate::error::{AppError, StoreError};

/// How long an answer is kept.
pub const KEPT_MS: i64 = 30 * 24 * 3_600_000;

/// An answer of a use case.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// JSON body.
    pub body: Value,
}

/// An answer, and whether it was given before.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    /// The answer.
    pub answer: Answer,
    /// Whether it is a replay.
    pub is_replay: bool,
}

/// What identifies a request: the caller's key, method and address, and the fingerprint of its body.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The caller's key; without one the work is simply done.
    pub key: Option<&'a str>,
    /// Method and address.
    pub route: &'a str,
    /// HMAC of route and body.
    pub body_hmac: &'a [u8; 32],
}

impl<'a> From<&'a web_kit::IdempotentRequest> for Request<'a> {
    fn from(request: &'a web_kit::IdempotentRequest) -> Self {
        Self {
            key: request.key.as_deref(),
            route: &request.route,
            body_hmac: &request.body_hmac,
        }
    }
}

impl WriteTx<'_> {
    /// Does `work` once per key: a repeat with the same body gets the first answer, another body
    /// [`AppError::KeyReused`]. The answer is kept in the same commit.
    pub fn idempotent(
        &mut self,
        request: &Request<'_>,
        staff: StaffId,
        work: impl FnOnce(&mut Self) -> Result<Answer, AppError>,
    ) -> Result<Answered, AppError> {
        let Some(key) = request.key else {
            return Ok(Answered {
                answer: work(self)?,
                is_replay: false,
            });
        };
        let key_hash = sha256(&[staff.as_bytes(), key.as_bytes()].concat());
        if let Some(answer) = self.kept(&key_hash, request)? {
            return Ok(Answered {
                answer,
                is_replay: true,
            });
        }
        let answer = work(self)?;
        self.keep(&key_hash, request, staff, &answer)?;
        Ok(Answered {
            answer,
            is_replay: false,
        })
    }

    fn kept(&self, key_hash: &[u8; 32], request: &Request<'_>) -> Result<Option<Answer>, AppError> {
        let found = self
            .conn()
            .prepare_cached("select body_hmac, status, answer from idempotency where key_hash = ?1 and created_at >= ?2")?
            .query_row((key_hash, self.now_ms().saturating_sub(KEPT_MS)), |row| {
                Ok((row.get::<_, Bytes<32>>(0)?.0, row.get::<_, u16>(1)?, row.get::<_, Vec<u8>>(2)?))
            })
            .optional()?;
        let Some((body_hmac, status, sealed)) = found else {
            return Ok(None);
        };
        if body_hmac != *request.body_hmac {
            return Err(AppError::KeyReused);
        }
        let opened =
            open_at_rest(self.storage_key(), key_hash, &sealed).map_err(|error| corrupt(&error))?;
        Ok(Some(Answer {
            status,
            body: serde_json::from_slice(opened.expose())?,
        }))
    }

    fn keep(
        &self,
        key_hash: &[u8; 32],
        request: &Request<'_>,
        staff: StaffId,
        answer: &Answer,
    ) -> Result<(), AppError> {
        let body = zeroize::Zeroizing::new(serde_json::to_vec(&answer.body)?);
        let sealed = seal_at_rest(self.storage_key(), key_hash, self.bytes(), &body)
            .map_err(|error| corrupt(&error))?;
        self.conn()
            .prepare_cached(
                "insert into idempotency (key_hash, route, staff, body_hmac, status, answer, created_at)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                 on conflict (key_hash) do update set route = excluded.route, staff = excluded.staff,
                     body_hmac = excluded.body_hmac, status = excluded.status, answer = excluded.answer,
                     created_at = excluded.created_at",
            )?
            .execute((
                key_hash,
                request.route,
                Id(staff),
                request.body_hmac,
                answer.status,
                sealed,
                self.now_ms(),
            ))?;
        Ok(())
    }
}

fn corrupt(error: &dyn std::fmt::Display) -> StoreError {
    StoreError::Corrupt {
        table: "idempotency",
        what: error.to_string(),
    }
}

pub(super) fn purge(conn: &Connection, now_ms: i64) -> Result<(), StoreError> {
    conn.prepare_cached("delete from idempotency where created_at < ?1")?
        .execute([now_ms.saturating_sub(KEPT_MS)])?;
    Ok(())
}
