//! Inventory settings: where and how one part is kept at one branch.
//!
//! A document that home branch and hub edit together. How many there are is never in it: that is the ledger's.

use crate::document::{
    Conflict, DOCUMENT_VERSION, DocumentError, DocumentKind, Edit, Scalar, conflicts, tree,
};
use crate::id::{BranchId, PartId};
use crate::order::field;
use crate::patch::Patch;
use crate::problem::{FieldProblem, Problems};
use crate::quantity::MAX_QUANTITY;
use crate::read::Reader;
use crate::text::{self, NOTE_MAX};
use automerge::Automerge;
use serde::Serialize;
use std::collections::BTreeSet;

/// The longest name of a bin.
const BIN_MAX: usize = 64;
/// The most barcodes of a part at a branch.
const BARCODES_MAX: usize = 100;

/// The settings of one part at one branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InventorySettingsView {
    /// The branch.
    pub branch: BranchId,
    /// The part.
    pub part: PartId,
    /// Where it lies.
    pub bin: Option<String>,
    /// At how many pieces to order more.
    pub reorder_point: Option<i64>,
    /// A note.
    pub note: Option<String>,
    /// Barcodes that mean this part here, beside those of the catalogue.
    pub barcodes: BTreeSet<String>,
    /// Keys with several different values.
    pub conflicts: Vec<Conflict>,
}

/// What to change in the settings.
#[derive(Debug, Clone, Default)]
pub struct InventoryPatch {
    /// Where it lies.
    pub bin: Patch<String>,
    /// At how many pieces to order more.
    pub reorder_point: Patch<i64>,
    /// A note.
    pub note: Patch<String>,
    /// All barcodes; those not in it are removed.
    pub barcodes: Option<BTreeSet<String>>,
}

/// Reads the settings.
pub fn read_inventory(document: &Automerge) -> Result<InventorySettingsView, DocumentError> {
    let tree = tree(document)?;
    let root = Reader::root(&tree);
    let barcodes = root
        .flags("barcodes")?
        .into_iter()
        .filter(|(_, used)| *used)
        .map(|(code, _)| code)
        .collect();
    Ok(InventorySettingsView {
        branch: root.required("branch")?,
        part: root.required("part")?,
        bin: root.text("bin")?,
        reorder_point: root.int("reorder_point")?,
        note: root.text("note")?,
        barcodes,
        conflicts: conflicts(document, DocumentKind::Inventory)?,
    })
}

/// The edits that make settings from an empty document.
pub fn create_inventory(
    branch: BranchId,
    part: PartId,
    settings: &InventoryPatch,
) -> Result<Vec<Edit>, Vec<FieldProblem>> {
    let empty = InventorySettingsView {
        branch,
        part,
        bin: None,
        reorder_point: None,
        note: None,
        barcodes: BTreeSet::new(),
        conflicts: Vec::new(),
    };
    let mut edits = vec![
        Edit::int(&["v"], DOCUMENT_VERSION),
        Edit::text(&["branch"], branch.to_string()),
        Edit::text(&["part"], part.to_string()),
        Edit::map(&["barcodes"]),
    ];
    edits.extend(patch_inventory(&empty, settings)?);
    Ok(edits)
}

/// The edits that bring the settings from `view` to what `patch` says.
pub fn patch_inventory(
    view: &InventorySettingsView,
    patch: &InventoryPatch,
) -> Result<Vec<Edit>, Vec<FieldProblem>> {
    let mut problems = Problems::new();
    let bin = patch
        .bin
        .as_ref()
        .map(|bin| problems.take("/bin", text::clean_line(bin, BIN_MAX)));
    let note = patch
        .note
        .as_ref()
        .map(|note| problems.take("/note", text::clean_block(note, NOTE_MAX)));
    if let Patch::Set(point) = patch.reorder_point {
        let good = (0..=MAX_QUANTITY).contains(&point);
        problems.check(
            good,
            "/reorder_point",
            "must be a whole number from 0 to 1000000",
        );
    }
    let mut edits = Vec::new();
    edits.extend(field(
        &["bin"],
        view.bin.clone().map(Scalar::Str),
        text_or_clear(bin),
    ));
    edits.extend(field(
        &["reorder_point"],
        view.reorder_point.map(Scalar::Int),
        patch.reorder_point.map(Scalar::Int),
    ));
    edits.extend(field(
        &["note"],
        view.note.clone().map(Scalar::Str),
        text_or_clear(note),
    ));
    if let Some(wish) = &patch.barcodes {
        edits.extend(barcode_edits(&view.barcodes, wish, &mut problems));
    }
    problems.finish(edits)
}

fn text_or_clear(wish: Patch<String>) -> Patch<Scalar> {
    match wish {
        Patch::Set(text) if text.is_empty() => Patch::Clear,
        other => other.map(Scalar::Str),
    }
}

fn barcode_edits(
    shown: &BTreeSet<String>,
    wish: &BTreeSet<String>,
    problems: &mut Problems,
) -> Vec<Edit> {
    problems.check(
        wish.len() <= BARCODES_MAX,
        "/barcodes",
        "must not have more than 100 entries",
    );
    let wish: BTreeSet<String> = wish
        .iter()
        .map(|code| problems.take("/barcodes", text::clean_barcode(code)))
        .collect();
    let removed = shown
        .difference(&wish)
        .map(|code| Edit::delete(&["barcodes", code.as_str()]));
    let added = wish
        .difference(shown)
        .map(|code| Edit::bool(&["barcodes", code.as_str()], true));
    removed.chain(added).collect()
}
