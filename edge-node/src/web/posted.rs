//! What comes of a form that a page posted: one way for every page.
//!
//! The form is read, the use case judges and writes in one commit, and either the page goes on to what was done or
//! the form comes back with what was typed, saying why. A refusal changes nothing; what is not about the form is a
//! problem of its own and never ends here.

use axum::http::StatusCode;
use serde::Serialize;
use web_kit::{IdempotentRequest, Problem};

use crate::api::command::answered;
use crate::api::{Caller, EdgeState};
use crate::error::AppError;
use crate::store::idempotency::Answered;
use crate::store::{Actor, WriteTx};

/// What came of it.
pub(crate) enum Posted {
    /// It is written, now or when the same form came before.
    Done(Answered),
    /// It is refused: the form comes back with what was typed.
    Refused(Problem),
}

/// Gives what was read from a form to a use case, once per form key.
///
/// # Errors
/// What is neither done nor about the form: no permission, no such thing, a failing machine.
pub(crate) async fn post<I, T, F>(
    state: &EdgeState,
    who: &Caller,
    request: IdempotentRequest,
    input: Result<I, Problem>,
    work: F,
) -> Result<Posted, Problem>
where
    I: Send + 'static,
    T: Serialize,
    F: FnOnce(&mut WriteTx<'_>, &Actor, I) -> Result<T, AppError> + Send + 'static,
{
    let written = match input {
        Ok(input) => {
            let work = move |tx: &mut WriteTx<'_>, actor: &Actor| -> Result<T, AppError> {
                work(tx, actor, input)
            };
            let write = answered(state, who, request, StatusCode::OK, work);
            write.await.map_err(Problem::from)
        }
        Err(problem) => Err(problem),
    };
    match written {
        Ok(answered) => Ok(Posted::Done(answered)),
        Err(problem) if is_refusal(&problem) => Ok(Posted::Refused(problem)),
        Err(problem) => Err(problem),
    }
}

/// Whether a problem is about what was asked, and not about who asks or the machine.
fn is_refusal(problem: &Problem) -> bool {
    matches!(
        problem.status(),
        StatusCode::CONFLICT | StatusCode::UNPROCESSABLE_ENTITY | StatusCode::PRECONDITION_FAILED
    )
}
