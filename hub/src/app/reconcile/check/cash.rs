//! Drawers and day reports of the day.

use domain::cash::CashClosed;
use domain::id::SessionId;
use domain::reconcile::{CashFacts, Outcome, SessionFacts, judge_cash};
use sync_protocol::item::decode_body;

use super::Ground;
use crate::error::HubError;
use crate::store::db::PgConnection;
use crate::store::ids::{OfUuid, hash_of};
use crate::store::reconciliation::ledger::currency_of;
use crate::store::reconciliation::papers::{self as store, ClosedSession};

pub(super) async fn check(
    sql: &mut PgConnection,
    ground: &Ground<'_>,
) -> Result<Outcome, HubError> {
    let branch = ground.branch.id;
    let sessions = store::closed_sessions(sql, branch, ground.day.day).await?;
    let ids: Vec<_> = sessions.iter().map(|session| session.session).collect();
    let drawers = store::drawers(sql, branch, &ids).await?;
    let mut facts = CashFacts {
        closed: Vec::with_capacity(sessions.len()),
        open: store::open_sessions(sql, branch, ground.day.day, ground.day.end_ms).await?,
    };
    for session in sessions {
        let mut drawer = drawers.get(&session.session).copied().unwrap_or_default();
        drawer.float_minor = session.float_minor;
        facts
            .closed
            .push(facts_of(sql, ground, session, drawer).await?);
    }
    Ok(judge_cash(&facts))
}

async fn facts_of(
    sql: &mut PgConnection,
    ground: &Ground<'_>,
    session: ClosedSession,
    drawer: domain::cash::Drawer,
) -> Result<SessionFacts, HubError> {
    let read: Option<CashClosed> = decode_body(&session.body, "CashClosed").ok();
    let former = read.as_ref().map_or([0xff; 32], |closed| closed.former);
    let hash_before = match session.before {
        Some(hash) => Some(hash_of(&hash)?),
        // The first of a series begins the chain, or goes on from another series of a branch that was restored.
        None if session.number == 1 => {
            let goes_on =
                former == [0; 32] || store::has_report(sql, ground.branch.id, &former).await?;
            Some(if goes_on { former } else { [0; 32] })
        }
        None => None,
    };
    Ok(SessionFacts {
        session: SessionId::of_uuid(session.session),
        register: session.register,
        currency: currency_of(&session.currency)?,
        series: u8::try_from(session.series).unwrap_or(b'?'),
        number: session.number,
        expected_minor: session.expected_minor,
        drawer,
        counted_minor: session.counted_minor,
        counted_in_report: read.as_ref().and_then(|closed| closed.counted_minor().ok()),
        reason: session.reason,
        former,
        hash: hash_of(&session.hash)?,
        hash_of_bytes: read
            .as_ref()
            .map_or([0; 32], |closed| closed.hash(&session.body)),
        hash_before,
    })
}
