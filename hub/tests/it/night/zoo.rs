//! The fault zoo: for each check discrepancies planted in the real database or told by a branch, each named exactly.
//!
//! Every plant is made in a yard whose night was green, so what is named is the plant and nothing else.

mod goods;
mod log;
mod money;
mod till;

use super::{Bad, Yard, shorts};

/// Only this check of Berlin is not green, in this state, about these records.
fn only(bad: &[Bad], check: &str, state: &str, records: &[(&str, &str)]) {
    assert_eq!(shorts(bad), [format!("BER {check} {state}")], "{bad:#?}");
    about(&bad[0], records);
}

fn about(bad: &Bad, records: &[(&str, &str)]) {
    let records: Vec<(String, String)> = records
        .iter()
        .map(|(kind, subject)| ((*kind).to_owned(), (*subject).to_owned()))
        .collect();
    assert_eq!(bad.records, records, "{bad:#?}");
}

fn of<'a>(bad: &'a [Bad], branch: &str, check: &str) -> &'a Bad {
    bad.iter()
        .find(|one| one.branch == branch && one.check.as_str() == check)
        .unwrap_or_else(|| panic!("{branch} {check} is not among {bad:#?}"))
}

async fn green(yard: &Yard) {
    assert_eq!(shorts(&yard.night().await), Vec::<String>::new());
}
