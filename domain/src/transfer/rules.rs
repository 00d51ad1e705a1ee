//! What may be done with a transfer, held against a person's wish and never against a record that came.

use super::{TransferFold, TransferState};
use crate::id::{BranchId, PartId};
use thiserror::Error;

/// Why something cannot be done with a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TransferError {
    /// The state does not allow it.
    #[error("a transfer that is {state} cannot be {act}")]
    State {
        /// Where it stands.
        state: TransferState,
        /// What was wished.
        act: &'static str,
    },
    /// Another branch's part of the work.
    #[error("this is done by the other branch")]
    OtherBranch,
    /// A part that the transfer does not have.
    #[error("the transfer has no such part")]
    UnknownPart(PartId),
    /// More pieces than there can be.
    #[error("only {there} pieces are there")]
    TooMany {
        /// The part.
        part: PartId,
        /// How many there can be.
        there: i64,
    },
}

fn in_state(
    transfer: &TransferFold,
    act: &'static str,
    allowed: &[TransferState],
) -> Result<(), TransferError> {
    if allowed.contains(&transfer.state) {
        Ok(())
    } else {
        Err(TransferError::State {
            state: transfer.state,
            act,
        })
    }
}

/// Whether the hub may make a plan of a request.
pub fn may_approve(transfer: &TransferFold) -> Result<(), TransferError> {
    in_state(transfer, "approved", &[TransferState::Requested])
}

/// Whether `branch` may ship so many of each part: the source, at most what is planned.
pub fn may_ship(
    transfer: &TransferFold,
    branch: BranchId,
    lines: &[(PartId, i64)],
) -> Result<(), TransferError> {
    if branch != transfer.from {
        return Err(TransferError::OtherBranch);
    }
    in_state(transfer, "shipped", &[TransferState::Approved])?;
    for (part, quantity) in lines {
        let line = transfer
            .lines
            .get(part)
            .ok_or(TransferError::UnknownPart(*part))?;
        if *quantity > line.planned {
            return Err(TransferError::TooMany {
                part: *part,
                there: line.planned,
            });
        }
    }
    Ok(())
}

/// Whether `branch` may take in so many of each part (good and damaged together): the destination, at most what left
/// and did not arrive yet. Pieces that were written off may still arrive.
pub fn may_receive(
    transfer: &TransferFold,
    branch: BranchId,
    lines: &[(PartId, i64)],
) -> Result<(), TransferError> {
    if branch != transfer.to {
        return Err(TransferError::OtherBranch);
    }
    in_state(
        transfer,
        "received",
        &[
            TransferState::Shipped,
            TransferState::ReceivedShort,
            TransferState::Lost,
            TransferState::Disputed,
        ],
    )?;
    for (part, quantity) in lines {
        let line = transfer
            .lines
            .get(part)
            .ok_or(TransferError::UnknownPart(*part))?;
        let there = line.shipped - line.arrived();
        if *quantity > there {
            return Err(TransferError::TooMany { part: *part, there });
        }
    }
    Ok(())
}

/// Whether the hub may call it off: until it left.
pub fn may_cancel(transfer: &TransferFold) -> Result<(), TransferError> {
    in_state(
        transfer,
        "cancelled",
        &[TransferState::Requested, TransferState::Approved],
    )
}

/// Whether the hub may look into it: while goods are on their way.
pub fn may_dispute(transfer: &TransferFold) -> Result<(), TransferError> {
    in_state(
        transfer,
        "disputed",
        &[TransferState::Shipped, TransferState::ReceivedShort],
    )
}

/// Whether the hub may write off so many of each part: at most what is on its way.
pub fn may_settle(transfer: &TransferFold, lost: &[(PartId, i64)]) -> Result<(), TransferError> {
    in_state(
        transfer,
        "settled",
        &[
            TransferState::Shipped,
            TransferState::ReceivedShort,
            TransferState::Disputed,
        ],
    )?;
    for (part, quantity) in lost {
        let line = transfer
            .lines
            .get(part)
            .ok_or(TransferError::UnknownPart(*part))?;
        if *quantity > line.in_transit() {
            return Err(TransferError::TooMany {
                part: *part,
                there: line.in_transit(),
            });
        }
    }
    Ok(())
}
