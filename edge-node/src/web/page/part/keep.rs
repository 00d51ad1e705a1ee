//! How a part is kept here: bin, reorder point, own barcodes.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::response::Response;
use domain::patch::Patch;
use serde::Deserialize;
use web_kit::{ApiPath, IfMatch, PageForm, PageRequest, Problem, Toast};

use super::texts::PartTexts;
use super::{PartQuery, Typed, show};
use crate::api::EdgeState;
use crate::api::caller::{May, may};
use crate::app::stock::{self, StockSettings};
use crate::web::page::stock::form::Wrong;
use crate::web::page::stock::part_href;
use crate::web::posted::{Posted, post};
use crate::web::said::{go_on, key_back};
use crate::web::view::View;

/// Settings as typed, and as they were when the form was drawn.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct KeepForm {
    #[serde(default)]
    pub(super) bin: String,
    #[serde(default)]
    pub(super) reorder_point: String,
    #[serde(default)]
    pub(super) barcodes: String,
    #[serde(default)]
    pub(super) was_bin: String,
    #[serde(default)]
    pub(super) was_reorder_point: String,
    #[serde(default)]
    pub(super) was_barcodes: String,
    /// Whether it puts back what was there before.
    #[serde(default)]
    pub(super) undo: String,
}

/// Saves how the part is kept here: only what was changed in this form.
pub(crate) async fn keep(
    State(state): State<EdgeState>,
    who: May<may::InventoryWrite>,
    asked: PageRequest,
    ApiPath(sku): ApiPath<String>,
    PageForm { fields, request }: PageForm<KeepForm>,
) -> Result<Response, Problem> {
    let view = View::of(&state, &who).await?;
    let t = PartTexts::of(view.language());
    let key = request.key.clone();
    let mut wrong = Wrong::default();
    let settings = changes(&fields, &mut wrong, t);
    if wrong.is_empty() {
        let part = sku.clone();
        let posted = post(
            &state,
            &who,
            request,
            Ok(settings),
            move |tx, actor, settings| stock::set(tx, actor, &part, &IfMatch::default(), settings),
        );
        match posted.await? {
            Posted::Done(_) => {
                let back = format!("{}/settings", part_href(&sku));
                let toast = match fields.undo.as_str() {
                    "" => Toast::new("", t.saved).undo(back, fields.way_back(key.as_deref())),
                    _ => Toast::new("", t.saved_back),
                };
                return go_on(&state, asked, view.language(), &part_href(&sku), toast);
            }
            Posted::Refused(problem) => wrong.take(
                &problem,
                &[
                    ("bin", t.wrong_bin),
                    ("reorder_point", t.wrong_point),
                    ("barcodes", t.wrong_barcodes),
                ],
                t.not_saved,
            ),
        }
    }
    if asked.is_fragment() {
        let toast = Toast::new("", t.not_saved).late();
        return go_on(&state, asked, view.language(), &part_href(&sku), toast);
    }
    let typed = Typed {
        key,
        keep: Some(fields),
        keep_wrong: wrong,
        ..Typed::default()
    };
    show(
        &state,
        &who,
        PageRequest::Full,
        sku,
        PartQuery::default(),
        typed,
    )
    .await
}

impl KeepForm {
    /// The form that puts back what was there.
    fn way_back(self, key: Option<&str>) -> Vec<(&'static str, String)> {
        vec![
            ("key", key_back(key)),
            ("bin", self.was_bin),
            ("reorder_point", self.was_reorder_point),
            ("barcodes", self.was_barcodes),
            ("was_bin", self.bin),
            ("was_reorder_point", self.reorder_point),
            ("was_barcodes", self.barcodes),
            ("undo", "yes".to_owned()),
        ]
    }
}

fn changes(form: &KeepForm, wrong: &mut Wrong, t: &'static PartTexts) -> StockSettings {
    let mut settings = StockSettings::default();
    let bin = form.bin.trim();
    if bin != form.was_bin.trim() {
        settings.bin = if bin.is_empty() {
            Patch::Clear
        } else {
            Patch::Set(bin.to_owned())
        };
    }
    let point = form.reorder_point.trim();
    if point != form.was_reorder_point.trim() {
        settings.reorder_point = match point.parse::<i64>() {
            Ok(point) if point >= 0 => Patch::Set(point),
            _ if point.is_empty() => Patch::Clear,
            _ => {
                wrong.mark("reorder_point", t.wrong_point);
                Patch::Keep
            }
        };
    }
    let codes =
        |text: &str| -> BTreeSet<String> { text.split_whitespace().map(str::to_owned).collect() };
    let barcodes = codes(&form.barcodes);
    if barcodes != codes(&form.was_barcodes) {
        settings.barcodes = Some(barcodes);
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_changed_is_set() {
        let form = KeepForm {
            bin: "B2 ".to_owned(),
            was_bin: "B2".to_owned(),
            reorder_point: String::new(),
            was_reorder_point: "4".to_owned(),
            barcodes: "40\n41".to_owned(),
            was_barcodes: "41 40".to_owned(),
            undo: String::new(),
        };
        let mut wrong = Wrong::default();
        let settings = changes(&form, &mut wrong, PartTexts::of(web_kit::Language::English));
        assert!(wrong.is_empty());
        assert_eq!(
            settings,
            StockSettings {
                reorder_point: Patch::Clear,
                ..StockSettings::default()
            }
        );
    }
}
