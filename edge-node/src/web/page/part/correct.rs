//! A correction: a movement of its own, with its reason.

use axum::extract::State;
use axum::response::Response;
use domain::permission::Permission;
use domain::stock::MovementKind;
use serde::Deserialize;
use web_kit::{ApiPath, PageForm, PageRequest, Problem, Toast, fill};

use super::texts::PartTexts;
use super::{PartQuery, Typed, show};
use crate::api::EdgeState;
use crate::api::caller::{Caller, May, may};
use crate::app::stock::{self, MovementInput};
use crate::web::page::stock::form::{Wrong, short_words};
use crate::web::page::stock::{kind_words, part_href};
use crate::web::posted::{Posted, post};
use crate::web::said::{go_on, key_back};
use crate::web::view::View;

/// A correction as typed.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct CorrectForm {
    #[serde(default)]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) quantity: String,
    #[serde(default)]
    pub(super) reason: String,
    /// Whether it makes up for another one.
    #[serde(default)]
    pub(super) undo: String,
}

/// Books a correction and shows it in the list.
pub(crate) async fn correct(
    State(state): State<EdgeState>,
    who: May<may::StockMove>,
    asked: PageRequest,
    ApiPath(sku): ApiPath<String>,
    PageForm { fields, request }: PageForm<CorrectForm>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let t = PartTexts::of(view.language());
    let key = request.key.clone();
    let mut wrong = Wrong::default();
    let Some(input) = fields.input(&mut wrong, t) else {
        return again(&state, &who, sku, key, fields, wrong).await;
    };
    let (part, kind) = (sku.clone(), input.kind);
    let posted = post(&state, &who, request, Ok(input), move |tx, actor, input| {
        stock::move_by_hand(tx, actor, &part, input)
    });
    match posted.await? {
        Posted::Done(answered) => {
            let body = &answered.answer.body;
            let number = |name: &str| view.clock.number(body[name].as_i64().unwrap_or_default());
            let words = if fields.undo.is_empty() {
                t.done
            } else {
                t.done_undone
            };
            let said = fill(
                words,
                &[
                    ("kind", &kind_words(view.language(), kind)),
                    ("n", &number("quantity")),
                    ("after", &number("balance_after")),
                ],
            );
            let back = fields.way_back(kind, t, key.as_deref());
            let said = match back {
                Some(hidden) => Toast::new("", said).undo(movements_href(&sku), hidden),
                None if kind == MovementKind::Scrap => {
                    let words = if who.may(Permission::StockAdjust) {
                        t.scrap_stays
                    } else {
                        t.scrap_stays_here
                    };
                    Toast::new("", format!("{said} {words}"))
                }
                None => Toast::new("", said),
            };
            go_on(&state, asked, view.language(), &part_href(&sku), said)
        }
        Posted::Refused(problem) if asked.is_fragment() => {
            let said = short_words(&problem, t.too_few).unwrap_or_else(|| t.not_booked.to_owned());
            let toast = Toast::new("", said).late();
            go_on(&state, asked, view.language(), &part_href(&sku), toast)
        }
        Posted::Refused(problem) => {
            match short_words(&problem, t.too_few) {
                Some(words) => wrong.above = Some(words),
                None => wrong.take(
                    &problem,
                    &[
                        ("quantity", t.wrong_quantity),
                        ("reason", t.wrong_reason),
                        ("kind", t.choose_kind),
                    ],
                    t.not_booked,
                ),
            }
            again(&state, &who, sku, key, fields, wrong).await
        }
    }
}

fn movements_href(sku: &str) -> String {
    format!("{}/movements", part_href(sku))
}

/// The part's page with the form as it was typed.
async fn again(
    state: &EdgeState,
    who: &Caller,
    sku: String,
    key: Option<String>,
    correct: CorrectForm,
    wrong: Wrong,
) -> Result<Response, Problem> {
    let typed = Typed {
        key,
        correct,
        wrong,
        ..Typed::default()
    };
    show(
        state,
        who,
        PageRequest::Full,
        sku,
        PartQuery::default(),
        typed,
    )
    .await
}

impl CorrectForm {
    /// What is to be booked; what is missing is marked.
    fn input(&self, wrong: &mut Wrong, t: &'static PartTexts) -> Option<MovementInput> {
        let kind = match self.kind.as_str() {
            "adjust_found" => Some(MovementKind::AdjustFound),
            "adjust_lost" => Some(MovementKind::AdjustLost),
            "scrap" => Some(MovementKind::Scrap),
            _ => {
                wrong.mark("kind", t.choose_kind);
                None
            }
        };
        let quantity = self.quantity.trim().parse::<i64>().ok();
        let quantity = quantity.filter(|quantity| *quantity > 0);
        if quantity.is_none() {
            wrong.mark("quantity", t.wrong_quantity);
        }
        if self.reason.trim().is_empty() {
            wrong.mark("reason", t.wrong_reason);
        }
        Some(MovementInput {
            kind: kind?,
            quantity: quantity?,
            reason: Some(self.reason.clone()),
            reference: None,
        })
        .filter(|_| wrong.is_empty())
    }

    /// The movement that makes up for this one; scrap has none, since what was thrown away is not found.
    fn way_back(
        &self,
        kind: MovementKind,
        t: &PartTexts,
        key: Option<&str>,
    ) -> Option<Vec<(&'static str, String)>> {
        let counter = match kind {
            MovementKind::AdjustFound => MovementKind::AdjustLost,
            MovementKind::AdjustLost => MovementKind::AdjustFound,
            _ => return None,
        };
        self.undo.is_empty().then(|| {
            vec![
                ("key", key_back(key)),
                ("kind", counter.as_str().to_owned()),
                ("quantity", self.quantity.clone()),
                (
                    "reason",
                    fill(t.taken_back, &[("reason", &self.reason.trim())]),
                ),
                ("undo", "yes".to_owned()),
            ]
        })
    }
}
