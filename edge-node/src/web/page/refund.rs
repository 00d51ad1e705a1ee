//! Giving money back: pieces of a receipt's lines, where the goods go, and the way the money goes.
//!
//! What it comes to is worked out while somebody chooses; the use case judges again. What is above a role's limit is
//! asked of the hub. Here too an open promise is called off.

mod form;
mod shown;
mod texts;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::id::PaymentId;
use domain::till::{Goods, ReceiptLineKind, RefundLine};
use serde::Deserialize;
use web_kit::{
    ApiPath, ApiQuery, Content, PageForm, PageRequest, PlainForm, Problem, SafeHtml, Toast, fill,
    html, html_with_status,
};

use super::receipts::address;
use crate::api::EdgeState;
use crate::api::caller::{Caller, May, may};
use crate::app::payment::{ask_again as ask_payment_again, call_off as call_off_payment};
use crate::app::receipts::{self, Paper};
use crate::app::refund::{self, Quote, RefundInput};
use crate::error::AppError;
use crate::store::money::receipt::asked as asked_refund;
use crate::web::TILL;
use crate::web::frame::frame;
use crate::web::posted::{Posted, post};
use crate::web::said::go_on;
use crate::web::view::View;
use form::{RefundForm, Wrong, chosen, line_input, read_form, refused, said};
use shown::{Head, Shown, page};
use texts::RefundTexts;

/// Whether all of it is chosen.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct RefundQuery {
    #[serde(default)]
    all: bool,
}

/// A promise to call off.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct CallOffForm {
    #[serde(default)]
    payment: String,
}

/// The form.
pub(crate) async fn show(
    State(state): State<EdgeState>,
    who: May<may::RefundsWrite>,
    ApiPath(number): ApiPath<String>,
    ApiQuery(RefundQuery { all }): ApiQuery<RefundQuery>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let shown = Shown {
        number,
        key: state.form_key().to_string(),
        form: RefundForm::default(),
        wrong: Wrong::default(),
        all,
    };
    respond(&state, &who, &view, shown, false).await
}

/// What the chosen pieces come to. Nothing is written.
pub(crate) async fn work_out(
    State(state): State<EdgeState>,
    who: May<may::RefundsWrite>,
    asked: PageRequest,
    ApiPath(number): ApiPath<String>,
    PlainForm(mut form): PlainForm<RefundForm>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    // Other pieces come to another sum, so the amounts are suggested anew.
    form.payment.clear();
    form.amount.clear();
    let shown = Shown {
        number,
        key: state.form_key().to_string(),
        form,
        wrong: Wrong::default(),
        all: false,
    };
    respond(&state, &who, &view, shown, asked.is_fragment()).await
}

/// Gives back, or asks the hub.
pub(crate) async fn give(
    State(state): State<EdgeState>,
    who: May<may::RefundsWrite>,
    asked: PageRequest,
    ApiPath(number): ApiPath<String>,
    PageForm { fields, request }: PageForm<RefundForm>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let t = RefundTexts::of(view.language());
    let actor = who.actor();
    let of = number.clone();
    let approved = fields.asked.parse().ok();
    let read = state.store().read(move |reader| {
        let paper = receipts::one(reader, &actor, &of)?;
        let approved = approved
            .map(|id| asked_refund(reader, id))
            .transpose()?
            .flatten();
        Ok((paper, approved))
    });
    let (paper, approved) = read.await?;
    let receipt = paper.receipt.id;
    let currency = paper.receipt.currency;
    let mut shown = Shown {
        number,
        key: request.key.clone().unwrap_or_default(),
        form: fields,
        wrong: Wrong::default(),
        all: false,
    };
    let input = match approved {
        Some(known) => Ok(RefundInput {
            lines: known.asked.lines.iter().map(line_input).collect(),
            reason: known.asked.reason,
            asked_id: Some(known.asked.id),
            ..RefundInput::default()
        }),
        None => read_form(&shown.form, &view, currency, t),
    };
    let input = match input {
        Ok(input) => input,
        Err(wrong) => {
            shown.wrong = wrong;
            return respond(&state, &who, &view, shown, false).await;
        }
    };
    let posted = post(&state, &who, request, Ok(input), move |tx, actor, input| {
        refund::refund(tx, actor, receipt, &input)
    });
    match posted.await? {
        Posted::Done(answered) => {
            let body = &answered.answer.body;
            let amount = serde_json::from_value(body["amount"].clone())
                .map_or_else(|_| String::new(), |amount| view.full_amount(amount));
            let words = match body["state"].as_str() {
                Some("done") => fill(t.given_toast, &[("amount", &amount)]),
                _ => t.asked_toast.to_owned(),
            };
            let href = match body["number"].as_str() {
                Some(number) => address(number),
                None => address(&paper.number),
            };
            go_on(&state, asked, view.language(), &href, Toast::new("", words))
        }
        Posted::Refused(problem) => {
            shown.wrong = refused(&problem, t, &view);
            respond(&state, &who, &view, shown, false).await
        }
    }
}

/// Calls an open promise off.
pub(crate) async fn call_off(
    State(state): State<EdgeState>,
    who: May<may::TillUse>,
    asked: PageRequest,
    ApiPath(number): ApiPath<String>,
    PageForm { fields, request }: PageForm<CallOffForm>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let t = RefundTexts::of(view.language());
    let id: PaymentId = fields
        .payment
        .parse()
        .map_err(|_| Problem::not_found("There is no such payment."))?;
    let posted = post(&state, &who, request, Ok(id), |tx, actor, id| {
        call_off_payment(tx, actor, id)
    });
    let toast = match posted.await? {
        Posted::Done(_) => Toast::new("", t.called_off),
        Posted::Refused(problem) => Toast::new("", said(&problem, t, &view)).late(),
    };
    go_on(&state, asked, view.language(), &address(&number), toast)
}

/// Asks the reader again.
pub(crate) async fn ask_again(
    State(state): State<EdgeState>,
    who: May<may::TillUse>,
    asked: PageRequest,
    ApiPath(number): ApiPath<String>,
    PageForm { fields, request }: PageForm<CallOffForm>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let t = RefundTexts::of(view.language());
    let id: PaymentId = fields
        .payment
        .parse()
        .map_err(|_| Problem::not_found("There is no such payment."))?;
    let posted = post(&state, &who, request, Ok(id), |tx, actor, id| {
        ask_payment_again(tx, actor, id)
    });
    let toast = match posted.await? {
        Posted::Done(_) => Toast::new("", t.asked_again),
        Posted::Refused(_) => Toast::new("", t.not_declined).late(),
    };
    go_on(&state, asked, view.language(), &address(&number), toast)
}

/// What is read for the form: the receipt, what the chosen pieces come to, and why they do not.
struct Read {
    paper: Paper,
    quote: Quote,
    refused: Option<AppError>,
}

async fn read(
    state: &EdgeState,
    who: &Caller,
    number: &str,
    lines: Vec<RefundLine>,
    all: bool,
) -> Result<Read, Problem> {
    let actor = who.actor();
    let number = number.to_owned();
    let read = state.store().read(move |reader| {
        let paper = receipts::one(reader, &actor, &number)?;
        let id = paper.receipt.id;
        let nothing = refund::quote(reader, &actor, id, &[])?;
        let lines = match all {
            true => everything(&nothing),
            false => lines,
        };
        Ok(match refund::quote(reader, &actor, id, &lines) {
            Ok(quote) => Read {
                paper,
                quote,
                refused: None,
            },
            Err(error @ (AppError::Invalid(_) | AppError::Conflict { .. })) => Read {
                paper,
                quote: nothing,
                refused: Some(error),
            },
            Err(error) => return Err(error),
        })
    });
    Ok(read.await?)
}

fn can_come_back(kind: ReceiptLineKind) -> bool {
    kind.is_priced() || kind == ReceiptLineKind::Deposit
}

fn everything(quote: &Quote) -> Vec<RefundLine> {
    let lines = quote.receipt.lines.iter();
    lines
        .filter(|line| can_come_back(line.kind))
        .filter_map(|line| {
            let quantity = quote.left.get(&line.id).copied().filter(|left| *left > 0)?;
            Some(RefundLine {
                line: line.id,
                quantity,
                goods: if line.part.is_some() {
                    Goods::Shelf
                } else {
                    Goods::Stay
                },
            })
        })
        .collect()
}

async fn respond(
    state: &EdgeState,
    who: &Caller,
    view: &View,
    mut shown: Shown,
    is_fragment: bool,
) -> Result<Response, Problem> {
    let t = RefundTexts::of(view.language());
    let lines = chosen(&shown.form);
    if lines.is_none() && shown.wrong.words.is_empty() {
        shown.wrong = Wrong::at("pieces", t.wrong_pieces);
    }
    let found = read(
        state,
        who,
        &shown.number,
        lines.unwrap_or_default(),
        shown.all,
    )
    .await?;
    if let Some(error) = found.refused
        && shown.wrong.words.is_empty()
    {
        shown.wrong = refused(&Problem::from(error), t, view);
    }
    let status = match shown.wrong.words.is_empty() || is_fragment {
        true => StatusCode::OK,
        false => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let page = page(t, view, &found.paper, &found.quote, &shown);
    if is_fragment {
        return Ok(html(SafeHtml::render(&page.as_sum())?));
    }
    let receipt = address(&found.paper.number);
    let head = SafeHtml::render(&Head {
        t,
        all: format!("{receipt}/refund?all=true"),
        receipt,
    })?;
    let title = fill(t.title, &[("number", &found.paper.number)]);
    let content = Content::new(title, SafeHtml::render(&page)?).head(head);
    let page = frame(state, who, view, TILL).await?.render(&content)?;
    Ok(html_with_status(status, page))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_say_the_same_things() {
        assert_eq!(
            web_kit::language::flaws(RefundTexts::ALL),
            Vec::<String>::new()
        );
    }
}
