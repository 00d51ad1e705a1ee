//! The customer: a document whose personal values are sealed under the person's own key.
//!
//! The document's id is the person's id. Name, phone, e-mail, address and note stand sealed and nowhere in clear;
//! language and consent say nothing about who somebody is.

use crate::document::{
    Conflict, DOCUMENT_VERSION, DocumentError, DocumentKind, Edit, Scalar, conflicts, tree,
};
use crate::id::{BranchId, DocumentId};
use crate::order::field;
use crate::patch::Patch;
use crate::problem::{FieldProblem, Problems};
use crate::read::Reader;
use crate::seal::{SealError, open, seal};
use crate::sensitive::{PersonKey, Sensitive};
use crate::text::{self, ADDRESS_MAX, KEY_MAX, NAME_MAX, TextError};
use automerge::Automerge;
use serde::Serialize;
use std::collections::BTreeMap;
use thiserror::Error;

/// The longest note about a person; leaves room for what sealing adds.
const PERSON_NOTE_MAX: usize = 4_000;

/// Why a customer cannot be made or changed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CustomerError {
    /// Input that is wrong, by field.
    #[error("some fields are wrong")]
    Fields(Vec<FieldProblem>),
    /// A value could not be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
}

/// A customer as the document has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CustomerView {
    /// Where the person was first served.
    pub home: BranchId,
    /// The language to write to the person in.
    pub language: Option<String>,
    /// The document that took this one's place.
    pub merged_into: Option<DocumentId>,
    /// What the person agreed to.
    pub consent: BTreeMap<String, bool>,
    /// Sealed.
    pub name: Option<Vec<u8>>,
    /// Sealed.
    pub phone: Option<Vec<u8>>,
    /// Sealed.
    pub email: Option<Vec<u8>>,
    /// Sealed.
    pub address: Option<Vec<u8>>,
    /// Sealed.
    pub note: Option<Vec<u8>>,
    /// Keys with several different values; those of sealed values hold sealed bytes.
    pub conflicts: Vec<Conflict>,
}

/// Personal values in clear.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PersonValues {
    /// Name.
    pub name: Option<Sensitive<String>>,
    /// Phone.
    pub phone: Option<Sensitive<String>>,
    /// E-mail.
    pub email: Option<Sensitive<String>>,
    /// Address.
    pub address: Option<Sensitive<String>>,
    /// Note.
    pub note: Option<Sensitive<String>>,
}

/// A new customer.
#[derive(Debug, Clone, Default)]
pub struct NewCustomer {
    /// Where the person is served.
    pub home: BranchId,
    /// The language to write to the person in.
    pub language: Option<String>,
    /// What the person agreed to.
    pub consent: BTreeMap<String, bool>,
    /// Personal values; the name must not be empty.
    pub values: PersonValues,
}

/// What to change about a customer.
#[derive(Debug, Clone, Default)]
pub struct CustomerPatch {
    /// Language.
    pub language: Patch<String>,
    /// Consents that are given or withdrawn; others stay.
    pub consent: BTreeMap<String, bool>,
    /// Name; cannot be cleared.
    pub name: Patch<Sensitive<String>>,
    /// Phone.
    pub phone: Patch<Sensitive<String>>,
    /// E-mail.
    pub email: Patch<Sensitive<String>>,
    /// Address.
    pub address: Patch<Sensitive<String>>,
    /// Note.
    pub note: Patch<Sensitive<String>>,
}

/// Reads a customer.
pub fn read_customer(document: &Automerge) -> Result<CustomerView, DocumentError> {
    let tree = tree(document)?;
    let root = Reader::root(&tree);
    Ok(CustomerView {
        home: root.required("home")?,
        language: root.text("language")?,
        merged_into: root.optional("merged_into")?,
        consent: root.flags("consent")?,
        name: root.bytes("name")?,
        phone: root.bytes("phone")?,
        email: root.bytes("email")?,
        address: root.bytes("address")?,
        note: root.bytes("note")?,
        conflicts: conflicts(document, DocumentKind::Customer)?,
    })
}

/// Opens the personal values of a customer.
pub fn open_customer(
    view: &CustomerView,
    document: DocumentId,
    keys: &[PersonKey],
) -> Result<PersonValues, SealError> {
    let value = |path: &str, sealed: &Option<Vec<u8>>| {
        sealed
            .as_ref()
            .map(|sealed| open(keys, document, path, sealed))
            .transpose()
    };
    Ok(PersonValues {
        name: value("name", &view.name)?,
        phone: value("phone", &view.phone)?,
        email: value("email", &view.email)?,
        address: value("address", &view.address)?,
        note: value("note", &view.note)?,
    })
}

/// The edits that make a new customer from an empty document.
pub fn create_customer(
    new: &NewCustomer,
    document: DocumentId,
    key: &PersonKey,
) -> Result<Vec<Edit>, CustomerError> {
    let mut problems = Problems::new();
    let mut edits = vec![
        Edit::int(&["v"], DOCUMENT_VERSION),
        Edit::text(&["home"], new.home.to_string()),
        Edit::map(&["consent"]),
    ];
    if let Some(language) = &new.language {
        edits.push(Edit::text(
            &["language"],
            problems.take("/language", text::clean_language(language)),
        ));
    }
    edits.extend(consent_edits(&BTreeMap::new(), &new.consent, &mut problems));
    let set = |value: &Option<Sensitive<String>>| value.clone().map_or(Patch::Keep, Patch::Set);
    let values = &new.values;
    problems.check(values.name.is_some(), "/name", "must not be empty");
    let sealer = Sealer { document, key };
    for (path, wish) in [
        ("name", set(&values.name)),
        ("phone", set(&values.phone)),
        ("email", set(&values.email)),
        ("address", set(&values.address)),
        ("note", set(&values.note)),
    ] {
        edits.extend(sealer.field(path, None, &wish, &mut problems)?);
    }
    problems.finish(edits).map_err(CustomerError::Fields)
}

/// The edits that bring a customer from `view` to what `patch` says. `key` is the person's newest key.
pub fn patch_customer(
    view: &CustomerView,
    document: DocumentId,
    key: &PersonKey,
    patch: &CustomerPatch,
) -> Result<Vec<Edit>, CustomerError> {
    let mut problems = Problems::new();
    let mut edits = Vec::new();
    let language = patch
        .language
        .as_ref()
        .map(|tag| problems.take("/language", text::clean_language(tag)));
    edits.extend(field(
        &["language"],
        view.language.clone().map(Scalar::Str),
        language.map(Scalar::Str),
    ));
    edits.extend(consent_edits(&view.consent, &patch.consent, &mut problems));
    let sealer = Sealer { document, key };
    for (path, shown, wish) in [
        ("name", &view.name, &patch.name),
        ("phone", &view.phone, &patch.phone),
        ("email", &view.email, &patch.email),
        ("address", &view.address, &patch.address),
        ("note", &view.note, &patch.note),
    ] {
        edits.extend(sealer.field(path, shown.as_ref(), wish, &mut problems)?);
    }
    problems.finish(edits).map_err(CustomerError::Fields)
}

/// The edit of the hub that says which document took this one's place.
pub fn merge_customer(into: DocumentId) -> Edit {
    Edit::text(&["merged_into"], into.to_string())
}

struct Sealer<'a> {
    document: DocumentId,
    key: &'a PersonKey,
}

impl Sealer<'_> {
    /// Equal values seal to equal bytes, so comparing sealed bytes tells whether anything changes.
    fn field(
        &self,
        path: &str,
        shown: Option<&Vec<u8>>,
        wish: &Patch<Sensitive<String>>,
        problems: &mut Problems,
    ) -> Result<Option<Edit>, SealError> {
        let wish = match wish {
            Patch::Keep => return Ok(None),
            Patch::Clear => String::new(),
            Patch::Set(value) => problems.take(&format!("/{path}"), clean(path, value.expose())),
        };
        let wish = Sensitive::new(wish);
        if path == "name" && wish.expose().is_empty() {
            problems.add("/name", TextError::Empty);
            return Ok(None);
        }
        let wish = if wish.expose().is_empty() {
            Patch::Clear
        } else {
            Patch::Set(Scalar::Bytes(seal(
                self.key,
                self.document,
                path,
                wish.expose(),
            )?))
        };
        Ok(field(&[path], shown.cloned().map(Scalar::Bytes), wish))
    }
}

fn clean(path: &str, value: &str) -> Result<String, TextError> {
    match path {
        "name" => text::required_line(value, NAME_MAX),
        "phone" if !value.trim().is_empty() => text::clean_phone(value),
        "email" if !value.trim().is_empty() => text::clean_email(value),
        "address" => text::clean_block(value, ADDRESS_MAX),
        _ => text::clean_block(value, PERSON_NOTE_MAX),
    }
}

fn consent_edits(
    shown: &BTreeMap<String, bool>,
    wish: &BTreeMap<String, bool>,
    problems: &mut Problems,
) -> Vec<Edit> {
    problems.check(
        wish.len() <= 50,
        "/consent",
        "must not have more than 50 entries",
    );
    let mut edits = Vec::new();
    for (key, given) in wish {
        let key = problems.take("/consent", text::required_line(key, KEY_MAX));
        if shown.get(&key) != Some(given) {
            edits.push(Edit::bool(&["consent", key.as_str()], *given));
        }
    }
    edits
}
