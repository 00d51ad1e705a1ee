//! The one mapping from a use case's refusal to a problem document.
//!
//! Causes inside the machine are logged here, once, and never shown.

use web_kit::problem::sentence;
use web_kit::{FieldError, Problem};

use crate::app::error::AppError;
use crate::error::HubError;

impl From<AppError> for Problem {
    fn from(error: AppError) -> Self {
        match error {
            AppError::NotFound { what } => Problem::not_found(format!("There is no such {what}.")),
            AppError::WrongCredentials => Problem::wrong_credentials(),
            AppError::Forbidden { detail } => Problem::forbidden(sentence(&detail)),
            AppError::Invalid(problems) => Problem::invalid(
                problems
                    .into_iter()
                    .map(|problem| FieldError::new(problem.pointer, sentence(&problem.detail))),
            ),
            AppError::Conflict {
                kind,
                detail,
                extra,
            } => {
                let problem = Problem::conflict(
                    kind,
                    "The state of things does not allow it",
                    sentence(&detail),
                );
                extra
                    .into_iter()
                    .fold(problem, |problem, (name, value)| problem.with(&name, value))
            }
            AppError::Stale => Problem::stale(),
            AppError::KeyReused => Problem::key_reused(),
            AppError::Hub(error) => hub_problem(&error),
        }
    }
}

/// What the core could not do: 503 where trying again helps, 500 where it is our fault.
fn hub_problem(error: &HubError) -> Problem {
    tracing::error!(%error, "the core failed");
    if error.is_transient() {
        Problem::unavailable("the database; repeat with the same Idempotency-Key").retry_after_s(1)
    } else {
        Problem::internal()
    }
}
