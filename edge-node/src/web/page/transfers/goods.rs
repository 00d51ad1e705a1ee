//! Goods that leave and arrive, as they were counted.

use axum::extract::State;
use axum::response::Response;
use domain::id::TransferId;
use serde::Deserialize;
use web_kit::{ApiPath, PageForm, PageRequest, Problem, Toast};

use super::one::show;
use super::texts::TransferTexts;
use crate::api::EdgeState;
use crate::api::caller::{May, may};
use crate::app::transfer::{self, ArrivalInput, LineInput, ReceiveInput, ShipInput};
use crate::web::TRANSFERS;
use crate::web::page::stock::form::{Wrong, short_words};
use crate::web::posted::{Posted, post};
use crate::web::said::go_on;
use crate::web::view::View;

/// Goods as typed.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct GoodsForm {
    #[serde(default)]
    pub(super) sku: Vec<String>,
    #[serde(default)]
    pub(super) quantity: Vec<String>,
    #[serde(default)]
    pub(super) damaged: Vec<String>,
    #[serde(default)]
    pub(super) missing: Vec<String>,
    #[serde(default)]
    action: String,
}

/// Pieces as typed: nothing is zero.
fn typed_pieces(values: &[String], at: usize) -> Option<i64> {
    let text = values.get(at).map_or("", |text| text.trim());
    if text.is_empty() {
        return Some(0);
    }
    text.parse().ok().filter(|pieces| *pieces >= 0)
}

/// Sends what is packed, or all that is planned.
pub(crate) async fn ship(
    State(state): State<EdgeState>,
    who: May<may::TransfersShip>,
    asked: PageRequest,
    ApiPath(id): ApiPath<TransferId>,
    PageForm { fields, request }: PageForm<GoodsForm>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let t = TransferTexts::of(view.language());
    let key = request.key.clone();
    let mut wrong = Wrong::default();
    let mut input = ShipInput::default();
    let mut places = Vec::new();
    if fields.action != "all" {
        let mut lines = Vec::new();
        for (at, sku) in fields.sku.iter().enumerate() {
            match typed_pieces(&fields.quantity, at) {
                Some(0) => {}
                Some(quantity) => {
                    places.push(at);
                    lines.push(LineInput {
                        sku: sku.clone(),
                        quantity,
                    });
                }
                None => wrong.mark(format!("quantity-{at}"), t.wrong_pieces),
            }
        }
        if !wrong.is_empty() {
            wrong.above = Some(t.wrong_lines.to_owned());
        } else if lines.is_empty() {
            wrong.above = Some(t.nothing_packed.to_owned());
        }
        input.lines = Some(lines);
    }
    if wrong.is_empty() {
        let posted = post(&state, &who, request, Ok(input), move |tx, actor, input| {
            transfer::ship(tx, actor, id, input)
        });
        match posted.await? {
            Posted::Done(_) => {
                let toast = Toast::new("", t.done_sent);
                return go_on(&state, asked, view.language(), &href_of(id), toast);
            }
            Posted::Refused(problem) => say(&mut wrong, &problem, &places, t),
        }
    }
    show(&state, &who, PageRequest::Full, id, key, &fields, &wrong).await
}

/// Takes goods in: what is typed, or all as good.
pub(crate) async fn receive(
    State(state): State<EdgeState>,
    who: May<may::TransfersReceive>,
    asked: PageRequest,
    ApiPath(id): ApiPath<TransferId>,
    PageForm { fields, request }: PageForm<GoodsForm>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let t = TransferTexts::of(view.language());
    let key = request.key.clone();
    let mut wrong = Wrong::default();
    let mut input = ReceiveInput::default();
    let mut places = Vec::new();
    if fields.action != "all" {
        let mut lines = Vec::new();
        for (at, sku) in fields.sku.iter().enumerate() {
            let mut pieces = |field: &str, values: &[String]| {
                typed_pieces(values, at).unwrap_or_else(|| {
                    wrong.mark(format!("{field}-{at}"), t.wrong_pieces);
                    0
                })
            };
            let (quantity, damaged, missing) = (
                pieces("quantity", &fields.quantity),
                pieces("damaged", &fields.damaged),
                pieces("missing", &fields.missing),
            );
            if quantity + damaged + missing > 0 {
                places.push(at);
                lines.push(ArrivalInput {
                    sku: sku.clone(),
                    quantity,
                    damaged,
                    missing,
                });
            }
        }
        if !wrong.is_empty() {
            wrong.above = Some(t.wrong_lines.to_owned());
        } else if lines.is_empty() {
            wrong.above = Some(t.nothing_arrived.to_owned());
        }
        input.lines = Some(lines);
    }
    if wrong.is_empty() {
        let posted = post(&state, &who, request, Ok(input), move |tx, actor, input| {
            transfer::receive(tx, actor, id, input)
        });
        match posted.await? {
            Posted::Done(_) => {
                let toast = Toast::new("", t.done_received);
                return go_on(&state, asked, view.language(), &href_of(id), toast);
            }
            Posted::Refused(problem) => say(&mut wrong, &problem, &places, t),
        }
    }
    show(&state, &who, PageRequest::Full, id, key, &fields, &wrong).await
}

fn href_of(id: TransferId) -> String {
    format!("{TRANSFERS}/{id}")
}

/// Puts a refusal beside the line it is about; lines without pieces were left out of what was sent.
fn say(wrong: &mut Wrong, problem: &Problem, places: &[usize], t: &'static TransferTexts) {
    if let Some(words) = short_words(problem, t.too_few) {
        let line = problem
            .body()
            .extra
            .get("line")
            .and_then(|line| line.as_u64());
        let place = line
            .and_then(|line| usize::try_from(line).ok())
            .and_then(|line| places.get(line));
        if let Some(at) = place {
            wrong.mark(format!("quantity-{at}"), t.too_many);
        }
        wrong.above = Some(words);
        return;
    }
    for error in &problem.body().errors {
        let parts: Vec<&str> = error.pointer.trim_start_matches('/').split('/').collect();
        let ["lines", line, field] = parts.as_slice() else {
            continue;
        };
        let at = line.parse::<usize>().ok().and_then(|line| places.get(line));
        if let Some(at) = at {
            wrong.mark(format!("{field}-{at}"), t.too_many);
        }
    }
    let words = if wrong.is_empty() {
        t.not_booked
    } else {
        t.wrong_lines
    };
    wrong.above = Some(words.to_owned());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_typed_is_no_piece() {
        let values = [
            "".to_owned(),
            " 3".to_owned(),
            "-1".to_owned(),
            "x".to_owned(),
        ];
        let typed: Vec<Option<i64>> = (0..5).map(|at| typed_pieces(&values, at)).collect();
        assert_eq!(typed, [Some(0), Some(3), None, None, Some(0)]);
    }
}
