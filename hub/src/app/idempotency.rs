//! Commands with an idempotency key: one effect, and the first answer again for each repeat.
//!
//! The answer is stored, sealed, in the commit of the effect. A refusal is never stored, because it changed nothing.

use std::sync::Arc;

use domain::id::StaffId;
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use subtle::ConstantTimeEq;

use super::error::AppError;
use super::{Actor, Hub, HubTx};
use crate::error::HubError;
use crate::store::db::PgConnection;
use crate::store::sync::idempotency::{self, StoredAnswer};

/// How long an answer is kept.
pub const KEPT_MS: i64 = 30 * 86_400_000;

/// What names a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The caller's key, when one was given.
    pub key: Option<String>,
    /// Method and address.
    pub route: String,
    /// HMAC of route and body.
    pub fingerprint: [u8; 32],
}

/// What a command answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The tag of the state that it shows.
    pub tag: Option<String>,
    /// The body; null for none.
    pub body: Value,
}

/// An answer, new or replayed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The answer.
    pub answer: Answer,
    /// Whether it was given before.
    pub is_replay: bool,
}

fn label(staff: StaffId, request: &Request, key: &str) -> Vec<u8> {
    let mut label = b"answer ".to_vec();
    label.extend_from_slice(staff.as_bytes());
    label.extend_from_slice(&request.fingerprint);
    label.extend_from_slice(key.as_bytes());
    label
}

async fn earlier(
    hub: &Hub,
    connection: &mut PgConnection,
    staff: StaffId,
    request: &Request,
    key: &str,
) -> Result<Option<Answered>, AppError> {
    let not_before_ms = hub.env().now_ms() - KEPT_MS;
    let Some(stored) =
        idempotency::find(connection, staff, &request.route, key, not_before_ms).await?
    else {
        let elsewhere =
            idempotency::used_elsewhere(connection, staff, &request.route, key, not_before_ms)
                .await?;
        return if elsewhere {
            Err(AppError::KeyReused)
        } else {
            Ok(None)
        };
    };
    let is_same: bool = stored.fingerprint.ct_eq(&request.fingerprint).into();
    if !is_same {
        return Err(AppError::KeyReused);
    }
    let opened = hub.open_at_rest(&label(staff, request, key), &stored.answer)?;
    let answer = serde_json::from_slice(opened.expose())
        .map_err(|_| HubError::Row("a stored answer that does not read"))?;
    Ok(Some(Answered {
        answer,
        is_replay: true,
    }))
}

async fn keep(
    hub: &Hub,
    connection: &mut PgConnection,
    staff: StaffId,
    request: &Request,
    key: &str,
    answer: &Answer,
) -> Result<(), AppError> {
    let text = serde_json::to_vec(answer)
        .map_err(|_| HubError::Row("an answer that does not serialise"))?;
    let stored = StoredAnswer {
        fingerprint: request.fingerprint.to_vec(),
        status: i16::try_from(answer.status).map_err(|_| HubError::Row("a status out of range"))?,
        answer: hub.seal_at_rest(&label(staff, request, key), &text)?,
        created_ms: hub.env().now_ms(),
    };
    idempotency::insert(connection, staff, &request.route, key, &stored).await?;
    Ok(())
}

/// Does `work` once for each key in one transaction of the hub; `command` is one of
/// [`sync_protocol::item::command`].
///
/// # Errors
/// What `work` says, [`AppError::KeyReused`], or what the core could not do. Nothing is written then.
pub async fn once<F>(
    hub: &Arc<Hub>,
    actor: Actor,
    command: u16,
    request: &Request,
    work: F,
) -> Result<Answered, AppError>
where
    F: for<'a> FnOnce(&'a mut HubTx) -> BoxFuture<'a, Result<Answer, AppError>> + Send,
{
    if let Some(key) = &request.key {
        let mut connection = hub.pool().acquire().await?;
        if let Some(answered) = earlier(hub, &mut connection, actor.staff, request, key).await? {
            return Ok(answered);
        }
    }
    let mut tx = hub.begin(actor, command).await?;
    // Again under the commit lock: the same request may have been on its way twice.
    if let Some(key) = &request.key
        && let Some(answered) = earlier(hub, tx.sql(), actor.staff, request, key).await?
    {
        return Ok(answered);
    }
    let answer = work(&mut tx).await?;
    if let Some(key) = &request.key {
        keep(hub, tx.sql(), actor.staff, request, key, &answer).await?;
    }
    tx.commit().await?;
    Ok(Answered {
        answer,
        is_replay: false,
    })
}
