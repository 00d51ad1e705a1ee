//! The tables themselves, one line a path, as in the project's format description.
//!
//! A released line is never narrowed: documents in the field would stop being readable.

use super::Form::{Block, Bool, Currency, Id, Int, Line, Map, Sealed, Time, Word};
use super::Segment::{self, Key, Name};
use super::When::{Always, Creation, WithParent};
use super::{Form, HOME, HUB, PERFORMING, Rule, When};
use crate::document::DocumentKind;
use crate::money::{MAX_AMOUNT_MINOR, MAX_TAX_BP};
use crate::order::{EstimateAnswer, LineKind, MAX_RANK, MAX_VERSION, Outcome, Status};
use crate::quantity::MAX_QUANTITY;
use crate::text::{FAULT_MAX, LINE_TEXT_MAX, NAME_MAX, NOTE_MAX, SERIAL_MAX, SKU_MAX, SOURCE_MAX};

const SHOPS: u8 = HOME | PERFORMING;
const ALL: u8 = HOME | PERFORMING | HUB;
const OFFICES: u8 = HOME | HUB;

const ID: Segment = Segment::Id;
const VERSION: Form = Int(1, 1);
const AMOUNT: Form = Int(-MAX_AMOUNT_MINOR, MAX_AMOUNT_MINOR);

pub(super) fn rules(kind: DocumentKind) -> &'static [Rule] {
    match kind {
        DocumentKind::Order => ORDER,
        DocumentKind::Customer => CUSTOMER,
        DocumentKind::Inventory => INVENTORY,
    }
}

/// A path that stays once written.
const fn keep(path: &'static [Segment], form: Form, writers: u8, when: When) -> Rule {
    Rule {
        path,
        form,
        writers,
        when,
        removable: false,
    }
}

/// A path whose key may be deleted again.
const fn drop(path: &'static [Segment], form: Form, writers: u8) -> Rule {
    Rule {
        path,
        form,
        writers,
        when: Always,
        removable: true,
    }
}

static ORDER: &[Rule] = &[
    keep(&[Name("v")], VERSION, HOME, Creation),
    keep(&[Name("number")], Line(16), HOME, Creation),
    keep(&[Name("branch")], Id, HOME, Creation),
    keep(&[Name("visit")], Id, HOME, Creation),
    drop(&[Name("customer")], Id, OFFICES),
    keep(&[Name("source")], Line(SOURCE_MAX), HOME, Creation),
    keep(&[Name("prices_include_tax")], Bool, HOME, Creation),
    keep(&[Name("currency")], Currency, HOME, Creation),
    keep(&[Name("device")], Map, HOME, Creation),
    drop(&[Name("device"), Name("category")], Line(NAME_MAX), ALL),
    drop(&[Name("device"), Name("brand")], Line(NAME_MAX), ALL),
    drop(&[Name("device"), Name("model")], Line(NAME_MAX), ALL),
    drop(&[Name("device"), Name("serial")], Line(SERIAL_MAX), ALL),
    drop(&[Name("device"), Name("fault")], Block(FAULT_MAX), ALL),
    keep(&[Name("device"), Name("accessories")], Map, HOME, Creation),
    drop(
        &[Name("device"), Name("accessories"), ID],
        Line(NAME_MAX),
        ALL,
    ),
    keep(&[Name("device"), Name("condition")], Map, HOME, Creation),
    drop(
        &[Name("device"), Name("condition"), Key],
        Line(NAME_MAX),
        ALL,
    ),
    drop(&[Name("promised_at")], Time, ALL),
    drop(&[Name("technician")], Id, ALL),
    drop(&[Name("urgent")], Bool, ALL),
    drop(&[Name("terms_at")], Time, OFFICES),
    drop(&[Name("diagnosis")], Block(NOTE_MAX), ALL),
    drop(&[Name("outcome")], Word(Outcome::NAMES), HOME),
    keep(&[Name("lines")], Map, HOME, Creation),
    drop(&[Name("lines"), ID], Map, SHOPS),
    keep(
        &[Name("lines"), ID, Name("kind")],
        Word(LineKind::NAMES),
        SHOPS,
        WithParent,
    ),
    keep(
        &[Name("lines"), ID, Name("text")],
        Line(LINE_TEXT_MAX),
        SHOPS,
        Always,
    ),
    keep(
        &[Name("lines"), ID, Name("sku")],
        Line(SKU_MAX),
        SHOPS,
        WithParent,
    ),
    keep(&[Name("lines"), ID, Name("part")], Id, SHOPS, WithParent),
    keep(
        &[Name("lines"), ID, Name("quantity")],
        Int(1, MAX_QUANTITY),
        SHOPS,
        Always,
    ),
    keep(
        &[Name("lines"), ID, Name("unit_minor")],
        AMOUNT,
        SHOPS,
        Always,
    ),
    keep(
        &[Name("lines"), ID, Name("tax_bp")],
        Int(0, MAX_TAX_BP as i64),
        SHOPS,
        Always,
    ),
    keep(&[Name("notes")], Map, HOME, Creation),
    keep(&[Name("notes"), ID], Map, ALL, Always),
    keep(
        &[Name("notes"), ID, Name("text")],
        Block(NOTE_MAX),
        ALL,
        WithParent,
    ),
    keep(&[Name("notes"), ID, Name("staff")], Id, ALL, WithParent),
    keep(&[Name("notes"), ID, Name("at")], Time, ALL, WithParent),
    keep(&[Name("status")], Map, HOME, Creation),
    keep(&[Name("status"), ID], Map, HOME, Always),
    keep(
        &[Name("status"), ID, Name("rank")],
        Int(1, MAX_RANK),
        HOME,
        WithParent,
    ),
    keep(
        &[Name("status"), ID, Name("to")],
        Word(Status::NAMES),
        HOME,
        WithParent,
    ),
    keep(
        &[Name("status"), ID, Name("outcome")],
        Word(Outcome::NAMES),
        HOME,
        WithParent,
    ),
    keep(&[Name("status"), ID, Name("staff")], Id, HOME, WithParent),
    keep(&[Name("status"), ID, Name("at")], Time, HOME, WithParent),
    keep(&[Name("status"), ID, Name("undoes")], Id, HOME, WithParent),
    keep(&[Name("estimates")], Map, HOME, Creation),
    keep(&[Name("estimates"), ID], Map, SHOPS, Always),
    keep(
        &[Name("estimates"), ID, Name("version")],
        Int(1, MAX_VERSION),
        SHOPS,
        WithParent,
    ),
    keep(
        &[Name("estimates"), ID, Name("gross_minor")],
        AMOUNT,
        SHOPS,
        WithParent,
    ),
    keep(
        &[Name("estimates"), ID, Name("answer")],
        Word(EstimateAnswer::NAMES),
        ALL,
        Always,
    ),
    keep(
        &[Name("estimates"), ID, Name("by")],
        Line(NAME_MAX),
        ALL,
        Always,
    ),
    keep(&[Name("estimates"), ID, Name("at")], Time, ALL, Always),
];

static CUSTOMER: &[Rule] = &[
    keep(&[Name("v")], VERSION, OFFICES, Creation),
    keep(&[Name("home")], Id, OFFICES, Creation),
    drop(&[Name("language")], Line(16), ALL),
    drop(&[Name("merged_into")], Id, HUB),
    keep(&[Name("consent")], Map, OFFICES, Creation),
    drop(&[Name("consent"), Key], Bool, ALL),
    drop(&[Name("name")], Sealed, ALL),
    drop(&[Name("phone")], Sealed, ALL),
    drop(&[Name("email")], Sealed, ALL),
    drop(&[Name("address")], Sealed, ALL),
    drop(&[Name("note")], Sealed, ALL),
];

static INVENTORY: &[Rule] = &[
    keep(&[Name("v")], VERSION, OFFICES, Creation),
    keep(&[Name("branch")], Id, OFFICES, Creation),
    keep(&[Name("part")], Id, OFFICES, Creation),
    drop(&[Name("bin")], Line(64), OFFICES),
    drop(&[Name("reorder_point")], Int(0, MAX_QUANTITY), OFFICES),
    drop(&[Name("note")], Block(NOTE_MAX), OFFICES),
    keep(&[Name("barcodes")], Map, OFFICES, Creation),
    drop(&[Name("barcodes"), Key], Bool, OFFICES),
];
