//! What managers do about a transfer from its page.
//!
//! Each form says which version it was drawn from; one that is older than the transfer is refused and shown again.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use domain::id::TransferId;
use serde::Deserialize;
use serde_json::json;
use sync_protocol::item::command as codes;
use web_kit::{ApiPath, PageForm, Problem};

use super::{TransferQuery, show};
use crate::api::HubState;
use crate::api::caller::{May, may};
use crate::app::error::AppError;
use crate::app::transfer::{Decision, WriteOff, decide};
use crate::web::TRANSFERS;
use crate::web::act::{Refusal, act, address, done, is_refusal};
use crate::web::view::View;

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    Approve,
    Cancel,
    Dispute,
    Settle,
}

impl Deed {
    /// The end of its address.
    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Cancel => "cancel",
            Self::Dispute => "dispute",
            Self::Settle => "settle",
        }
    }
}

/// The fields of all these forms.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct DeedFields {
    #[serde(default)]
    version: usize,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    sku: Vec<String>,
    #[serde(default)]
    lost: Vec<String>,
}

/// What was typed, with what is wrong with it.
#[derive(Debug, Clone, Default)]
pub(super) struct Typed {
    pub(super) deed: Option<Deed>,
    pub(super) key: String,
    pub(super) reason: String,
    lost: Vec<(String, String)>,
    pub(super) refusal: Refusal,
}

impl Typed {
    /// What was typed for the pieces of a part.
    pub(super) fn lost_of(&self, sku: &str) -> Option<&str> {
        let found = self.lost.iter().find(|(there, _)| there == sku);
        found.map(|(_, typed)| typed.as_str())
    }
}

fn decision(deed: Deed, fields: &DeedFields) -> Result<Decision, Problem> {
    Ok(match deed {
        Deed::Approve => Decision::Approve,
        Deed::Cancel => Decision::Cancel,
        Deed::Dispute => Decision::Dispute,
        Deed::Settle => {
            let mut lines = Vec::new();
            for (index, (sku, lost)) in fields.sku.iter().zip(&fields.lost).enumerate() {
                let lost = match lost.trim() {
                    "" => 0,
                    digits => digits.parse::<i64>().map_err(|_| {
                        Problem::invalid_field(
                            format!("/lines/{index}/lost"),
                            "Write a whole number.",
                        )
                    })?,
                };
                if lost != 0 {
                    lines.push(WriteOff {
                        sku: sku.clone(),
                        lost,
                    });
                }
            }
            Decision::Settle(lines)
        }
    })
}

async fn run(
    state: HubState,
    who: May<may::TransfersApprove>,
    id: TransferId,
    deed: Deed,
    PageForm { fields, request }: PageForm<DeedFields>,
) -> Result<Response, Problem> {
    let key = request.key.clone().unwrap_or_default();
    let (person, version) = (who.person.clone(), fields.version);
    let reason = fields.reason.clone();
    let check = move |records: usize| {
        if records == version {
            Ok(())
        } else {
            Err(AppError::Stale)
        }
    };
    let acted = match decision(deed, &fields) {
        Ok(decision) => {
            let work = act(&state, &who, codes::TRANSFER, request, move |tx| {
                Box::pin(async move {
                    let view = decide(tx, &person, id, check, &decision, &reason).await?;
                    Ok(done(json!({ "id": view.id.to_string() })))
                })
            });
            work.await.map(|_| ())
        }
        Err(problem) => Err(problem),
    };
    match acted {
        Ok(()) => {
            let address = address(TRANSFERS, &[("shown", &id.to_string())]);
            Ok(Redirect::to(&address).into_response())
        }
        Err(problem) if is_refusal(&problem) => {
            let language = View::of(&state, &who).await?.language();
            let typed = Typed {
                deed: Some(deed),
                key,
                reason: fields.reason,
                lost: fields.sku.into_iter().zip(fields.lost).collect(),
                refusal: Refusal::of(&problem, language),
            };
            let query = TransferQuery {
                shown: id.to_string(),
                ..TransferQuery::default()
            };
            let status = problem.status();
            show(&state, &who, false, &query, Some((status, typed))).await
        }
        Err(problem) => Err(problem),
    }
}

/// Makes the plan.
pub(crate) async fn approve(
    State(state): State<HubState>,
    who: May<may::TransfersApprove>,
    ApiPath(id): ApiPath<TransferId>,
    form: PageForm<DeedFields>,
) -> Result<Response, Problem> {
    run(state, who, id, Deed::Approve, form).await
}

/// Calls it off.
pub(crate) async fn cancel(
    State(state): State<HubState>,
    who: May<may::TransfersApprove>,
    ApiPath(id): ApiPath<TransferId>,
    form: PageForm<DeedFields>,
) -> Result<Response, Problem> {
    run(state, who, id, Deed::Cancel, form).await
}

/// Looks into it.
pub(crate) async fn dispute(
    State(state): State<HubState>,
    who: May<may::TransfersApprove>,
    ApiPath(id): ApiPath<TransferId>,
    form: PageForm<DeedFields>,
) -> Result<Response, Problem> {
    run(state, who, id, Deed::Dispute, form).await
}

/// Ends looking into it.
pub(crate) async fn settle(
    State(state): State<HubState>,
    who: May<may::TransfersApprove>,
    ApiPath(id): ApiPath<TransferId>,
    form: PageForm<DeedFields>,
) -> Result<Response, Problem> {
    run(state, who, id, Deed::Settle, form).await
}
