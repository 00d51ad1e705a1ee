//! Tables of a shop's old program: customers, opening stock, open orders, as CSV with columns of any name.
//!
//! A field finds its column by the names that programs usually give it, by a name that the caller gives, or by the
//! place that a person chose. Nothing comes in twice: each row has an identity, and a fact in the same transaction
//! remembers what it said. The catalogue is the hub's: a part that is not in it is an error of the row.

mod columns;
mod customers;
mod fault;
mod field;
mod look;
mod orders;
mod row;
mod run;
mod stock;
pub(crate) mod values;

pub use columns::{Cells, Columns, Places, Reading};
pub use customers::Known;
pub use fault::Fault;
pub use field::{Field, Kind};
pub use look::{Look, LookRow, look};
pub use run::TableImporter;

use sync_protocol::hash::{Hash, sha256};

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Done {
    Created,
    Changed,
    Skipped,
}

/// The identity of an order that an old program knew by `number`.
pub(crate) fn source_of_order(number: &str) -> String {
    source(Kind::Orders, &[number])
}

/// A row's identity as text. Signs that separate are written otherwise, so that no two identities are one.
fn source(kind: Kind, parts: &[&str]) -> String {
    let mut source = kind.name().to_owned();
    for part in parts {
        source.push('/');
        source.push_str(&part.replace('%', "%25").replace('/', "%2F"));
    }
    source
}

/// A hash over texts, each with its length in front.
fn fingerprint<'a>(label: &[u8], texts: impl IntoIterator<Item = &'a str>) -> Hash {
    let mut bytes = zeroize::Zeroizing::new(label.to_vec());
    for text in texts {
        bytes.extend((text.len() as u64).to_be_bytes());
        bytes.extend(text.as_bytes());
    }
    sha256(&bytes)
}
