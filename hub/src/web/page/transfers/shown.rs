//! One transfer in full: its parts with their equation, what happened to it, and what may be done.

use domain::permission::Permission;
use domain::transfer::{
    TransferRecord as Fact, TransferState, may_approve, may_cancel, may_dispute, may_settle,
};
use web_kit::transfer::{Pieces, StepLook};
use web_kit::{Tone, fill};

use super::deed::{Deed, Typed};
use super::texts::{self, TransferTexts};
use super::{Board, number_of};
use crate::app::transfer::{Step, TransferCard};
use crate::web::TRANSFERS;

pub(super) struct PartRow {
    pub(super) sku: String,
    pub(super) name: String,
    pub(super) planned: i64,
    pub(super) is_sent: bool,
    pub(super) sent: i64,
    pub(super) got: i64,
    pub(super) damaged: i64,
    pub(super) lost: i64,
    pub(super) on_the_way: i64,
}

pub(super) struct StepRow {
    pub(super) look: StepLook,
    pub(super) reason: String,
    pub(super) by: String,
}

/// Pieces that may be written off.
pub(super) struct LostRow {
    pub(super) sku: String,
    pub(super) label: String,
    pub(super) of: String,
    pub(super) value: String,
    pub(super) problem: Option<String>,
}

/// A form of one deed.
pub(super) struct DeedForm {
    pub(super) action: String,
    pub(super) key: String,
    pub(super) label: &'static str,
    pub(super) data_key: &'static str,
    pub(super) is_primary: bool,
    pub(super) needs_reason: bool,
    pub(super) reason: String,
    pub(super) reason_problem: Option<String>,
    pub(super) lost: Vec<LostRow>,
}

pub(super) struct Pane<'a> {
    pub(super) t: &'a TransferTexts,
    pub(super) number: String,
    pub(super) state: String,
    pub(super) icon: &'static str,
    pub(super) tone: &'static str,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) owner: String,
    pub(super) settle_hint: String,
    pub(super) parts: Vec<PartRow>,
    pub(super) steps: Vec<StepRow>,
    pub(super) version: usize,
    pub(super) forms: Vec<DeedForm>,
    pub(super) problems: Vec<String>,
}

impl Board<'_> {
    pub(super) fn pane(&self, card: &TransferCard, typed: Option<Typed>) -> Pane<'_> {
        let (t, view) = (self.t, &card.view);
        let (words, icon, tone) = texts::state(self.view.language(), view.fold.state);
        let age = self.view.clock.age(card.since_ms());
        let from = self.places.name(&view.from).to_owned();
        let is_sent = card
            .steps
            .iter()
            .any(|step| matches!(step.record, Fact::Shipment(_)));
        let parts = view.lines.iter().map(|line| PartRow {
            sku: line.sku.clone(),
            name: line.name.clone(),
            planned: line.balance.planned,
            is_sent,
            sent: line.balance.shipped,
            got: line.balance.good,
            damaged: line.balance.damaged,
            lost: line.balance.lost,
            on_the_way: line.balance.in_transit(),
        });
        let typed = typed.unwrap_or_default();
        Pane {
            t,
            number: number_of(view.id),
            state: if view.fold.is_ended() {
                words.to_owned()
            } else {
                fill(t.for_age, &[("state", &words), ("age", &age)])
            },
            icon,
            tone: tone.map_or("plain", Tone::as_str),
            owner: fill(t.on_the_way, &[("branch", &from)]),
            settle_hint: fill(t.settle_hint, &[("branch", &from)]),
            to: self.places.name(&view.to).to_owned(),

            parts: parts.collect(),
            steps: card.steps.iter().map(|step| self.step(step)).collect(),
            version: view.records,
            problems: typed.refusal.above(&["reason", "lines"]),
            forms: self.forms(card, &typed),
            from,
        }
    }

    fn forms(&self, card: &TransferCard, typed: &Typed) -> Vec<DeedForm> {
        if !self.who.person.may(Permission::TransfersApprove) {
            return Vec::new();
        }
        let (t, fold) = (self.t, &card.view.fold);
        let mut forms = Vec::new();
        let may_settle = may_settle(fold, &[]).is_ok();
        if may_approve(fold).is_ok() {
            forms.push(self.form(card, typed, Deed::Approve, t.approve, "a", true));
        }
        if may_cancel(fold).is_ok() {
            forms.push(self.form(card, typed, Deed::Cancel, t.call_off, "c", false));
        }
        if may_dispute(fold).is_ok() {
            forms.push(self.form(card, typed, Deed::Dispute, t.look_into, "d", false));
        }
        if may_settle {
            forms.push(self.form(card, typed, Deed::Settle, t.settle, "s", true));
        }
        forms
    }

    fn form(
        &self,
        card: &TransferCard,
        typed: &Typed,
        deed: Deed,
        label: &'static str,
        data_key: &'static str,
        is_primary: bool,
    ) -> DeedForm {
        let mine = (typed.deed == Some(deed)).then_some(typed);
        let key = mine.filter(|typed| !typed.key.is_empty()).map_or_else(
            || self.state.form_key().to_string(),
            |mine| mine.key.clone(),
        );
        DeedForm {
            action: format!("{TRANSFERS}/{}/{}", card.view.id, deed.path()),
            key,
            label,
            data_key,
            is_primary,
            needs_reason: matches!(deed, Deed::Dispute | Deed::Settle),
            reason: mine.map(|mine| mine.reason.clone()).unwrap_or_default(),
            reason_problem: mine
                .and_then(|mine| mine.refusal.field("reason"))
                .map(str::to_owned),
            lost: if deed == Deed::Settle {
                self.lost(card, mine)
            } else {
                Vec::new()
            },
        }
    }

    fn lost(&self, card: &TransferCard, mine: Option<&Typed>) -> Vec<LostRow> {
        let t = self.t;
        let is_disputed = card.view.fold.state == TransferState::Disputed;
        let open = card
            .view
            .lines
            .iter()
            .filter(|line| line.balance.in_transit() > 0);
        open.enumerate()
            .map(|(index, line)| {
                let most = line.balance.in_transit();
                let usual = if is_disputed { most } else { 0 };
                let typed = mine.and_then(|mine| mine.lost_of(&line.sku));
                LostRow {
                    label: fill(t.lost_of, &[("n", &most), ("part", &line.name)]),
                    of: fill(t.of, &[("n", &most)]),
                    sku: line.sku.clone(),
                    value: typed.map_or_else(|| usual.to_string(), str::to_owned),
                    problem: mine
                        .and_then(|mine| mine.refusal.field(&format!("lines/{index}")))
                        .map(str::to_owned),
                }
            })
            .collect()
    }

    fn step(&self, step: &Step) -> StepRow {
        let t = self.t;
        let happened = step.record.step();
        let pieces = Pieces {
            good: happened.pieces,
            damaged: happened.damaged,
            missing: happened.missing,
        };
        let look = web_kit::transfer::step(self.view.language(), happened.kind.as_str(), pieces);
        let by = if step.by.is_empty() {
            t.system
        } else {
            &step.by
        };
        StepRow {
            look,
            reason: happened.reason.to_owned(),
            by: format!("{by}, {}", self.view.clock.when(step.at_ms)),
        }
    }
}
