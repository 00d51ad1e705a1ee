//! The one mapping from a use case's refusal to a problem document.
//!
//! Causes inside the machine are logged here, once, and never shown.

use axum::http::StatusCode;
use web_kit::problem::sentence;
use web_kit::{FieldError, Problem};

use crate::app::elsewhere::ElsewhereError;
use crate::error::{AppError, StoreError};

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
                let problem = Problem::conflict(kind, title_of(kind), sentence(&detail));
                extra
                    .into_iter()
                    .fold(problem, |problem, (name, value)| problem.with(&name, value))
            }
            AppError::Stale => Problem::stale(),
            AppError::TooLarge { detail } => Problem::new(StatusCode::PAYLOAD_TOO_LARGE)
                .kind("too-large", "Too large")
                .detail(sentence(&detail)),
            AppError::KeyReused => Problem::key_reused(),
            AppError::Busy => Problem::unavailable("room in the queue of writes").retry_after_s(1),
            AppError::Store(error) => store_problem(&error),
        }
    }
}

impl From<ElsewhereError> for Problem {
    fn from(error: ElsewhereError) -> Self {
        let detail = sentence(&error.to_string());
        let unavailable = |kind, title: &'static str| {
            Problem::new(StatusCode::SERVICE_UNAVAILABLE)
                .kind(kind, title)
                .detail(detail.clone())
        };
        match error {
            ElsewhereError::CutOff => unavailable("cut-off", "The line to the hub is cut"),
            ElsewhereError::NoAnswer => unavailable("hub-silent", "The hub did not answer"),
            ElsewhereError::OnTheWay => {
                unavailable("on-the-way", "The person is on the way").retry_after_s(1)
            }
            ElsewhereError::OlderHub => unavailable("older-hub", "The hub cannot be asked"),
            ElsewhereError::TooMany => Problem::new(StatusCode::TOO_MANY_REQUESTS)
                .kind("too-many-questions", "The hub was asked too often")
                .detail(detail)
                .retry_after_s(2),
            ElsewhereError::Unknown => Problem::not_found(detail),
            ElsewhereError::App(error) => error.into(),
        }
    }
}

fn title_of(kind: &str) -> &'static str {
    match kind {
        "move-not-allowed" => "The order cannot be moved there",
        "short-of-stock" => "Not enough is free",
        "answered" => "Answered already",
        "consumed" => "Used already",
        "closed" => "The order is closed",
        _ => "The state of things does not allow it",
    }
}

/// What the store could not do: 503 where trying again helps, 500 where it is our fault.
fn store_problem(error: &StoreError) -> Problem {
    match error {
        StoreError::CommitFailed { .. } => {
            tracing::error!(%error, "a write has an unknown end");
            Problem::unavailable("a sure answer of the disk; repeat with the same Idempotency-Key")
                .retry_after_s(1)
        }
        StoreError::Closed => Problem::unavailable("the store; this program is ending"),
        _ if error.is_disk_full() => {
            tracing::error!(%error, "the disk is full");
            Problem::unavailable("room on the disk")
        }
        _ => {
            tracing::error!(%error, "the store failed");
            Problem::internal()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_conflict_keeps_its_members() {
        let error = AppError::conflict("short-of-stock", "only 2 are free").with("free", 2);
        let problem = Problem::from(error);
        assert_eq!(problem.status(), StatusCode::CONFLICT);
        assert_eq!(problem.body().extra.get("free"), Some(&json!(2)));
        assert_eq!(problem.body().detail.as_deref(), Some("Only 2 are free."));
    }

    #[test]
    fn what_went_wrong_inside_stays_inside() {
        let error = AppError::Store(StoreError::Corrupt {
            table: "document",
            what: "secret".into(),
        });
        let problem = Problem::from(error);
        assert_eq!(problem.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!format!("{:?}", problem.body()).contains("secret"));
    }
}
