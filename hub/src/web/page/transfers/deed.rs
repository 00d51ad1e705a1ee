//! What managers do about a transfer from its page.
//!
//! Each form says which version it was drawn from; one that is older than the transfer is refused and shown again.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use domain::id::TransferId;
use domain::permission::Permission;
use serde::Deserialize;
use serde_json::json;
use sync_protocol::item::command as codes;
use web_kit::{ApiPath, PageForm, Problem};

use super::texts::TransferTexts;
use super::{TransferQuery, show};
use crate::api::caller::{May, may};
use crate::api::{Caller, HubState};
use crate::app::transfer::{Decision, WriteOff, decide};
use crate::web::TRANSFERS;
use crate::web::act::{Refusal, act, address, done, is_refusal, same};
use crate::web::places::Places;
use crate::web::said::{Deed as Said, WayBack};
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

/// What is said of it, with what takes it back where something does.
async fn said(
    state: &HubState,
    who: &Caller,
    id: TransferId,
    deed: Deed,
    answer: &serde_json::Value,
) -> Result<Said, Problem> {
    let view = View::of(state, who).await?;
    let t = TransferTexts::of(view.language());
    let places = Places::of(state).await?;
    let name = |field: &str| {
        places
            .name(answer[field].as_str().unwrap_or_default())
            .to_owned()
    };
    let strong = format!("{} → {}", name("from"), name("to"));
    let text = match deed {
        Deed::Approve => t.did_approve,
        Deed::Cancel => t.did_cancel,
        Deed::Dispute => t.did_dispute,
        Deed::Settle => t.did_settle,
    };
    let said = Said::new(strong, text);
    let records = answer["records"]
        .as_u64()
        .map(|n| usize::try_from(n).unwrap_or_default());
    Ok(match records.filter(|_| deed == Deed::Approve) {
        Some(records) => said.back(call_off(who, id, records).saying(t.did_cancel)),
        None => said,
    })
}

/// What calls a transfer off, unless something else happened to it.
pub(super) fn call_off(who: &Caller, id: TransferId, records: usize) -> WayBack {
    let person = who.person.clone();
    let back = address(TRANSFERS, &[("shown", &id.to_string())]);
    WayBack::new(
        Permission::TransfersApprove,
        codes::TRANSFER,
        back,
        move |tx| {
            let person = person.clone();
            Box::pin(async move {
                decide(tx, &person, id, same(records), &Decision::Cancel, "").await?;
                Ok(())
            })
        },
    )
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
    let check = same(version);
    let acted = match decision(deed, &fields) {
        Ok(decision) => {
            let work = act(&state, &who, codes::TRANSFER, request, move |tx| {
                Box::pin(async move {
                    let view = decide(tx, &person, id, check, &decision, &reason).await?;
                    let (from, to) = (view.from, view.to);
                    Ok(done(
                        json!({ "from": from, "to": to, "records": view.records }),
                    ))
                })
            });
            work.await
        }
        Err(problem) => Err(problem),
    };
    match acted {
        Ok(answered) => {
            if !answered.is_replay {
                let said = said(&state, &who, id, deed, &answered.answer.body).await?;
                state.said().say(&state, &who, said);
            }
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
