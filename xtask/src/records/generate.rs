//! Makes a file of records: so many groups, so many records, one seed.
//!
//! Rows are written one by one, so half a million of them cost no memory. The same plan always
//! gives the same bytes. Shares of outcomes follow the published files.

use std::io::Write;

use anyhow::{Result, ensure};

use super::random::Random;
use super::words::{BARRIERS, CIRCUMSTANCES, KINDS, Kind, LANGUAGES};

/// What to make.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) groups: u64,
    /// Records in all; groups differ in size, the first is the largest
    pub(crate) records: u64,
}

const HEADER: [&str; 14] = [
    "id",
    "data_provider",
    "country",
    "partner_product_category",
    "product_category",
    "product_category_id",
    "brand",
    "year_of_manufacture",
    "product_age",
    "repair_status",
    "repair_barrier_if_end_of_life",
    "group_identifier",
    "event_date",
    "problem",
];

/// Writes the records that `plan` says, header first.
pub(crate) fn generate(plan: &Plan, out: impl Write) -> Result<()> {
    ensure!(
        plan.groups > 0 && plan.records >= plan.groups,
        "a plan needs a group and a record for each, not {} groups and {} records",
        plan.groups,
        plan.records
    );
    let mut random = Random::new(plan.seed);
    let mut left = group_shares(plan);
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(HEADER)?;
    for number in 1..=plan.records {
        let group = take_one(&mut left, plan.records - number + 1, &mut random);
        write_row(&mut writer, number, group, &mut random)?;
    }
    writer.flush()?;
    Ok(())
}

/// Records per group, falling from the first to the last, none empty, the sum as planned.
fn group_shares(plan: &Plan) -> Vec<u64> {
    let weights: Vec<u64> = (0..plan.groups)
        .map(|group| 2 * plan.groups - group)
        .collect();
    let total: u64 = weights.iter().sum();
    let spare = plan.records - plan.groups;
    let mut shares: Vec<u64> = weights
        .iter()
        .map(|weight| 1 + spare * weight / total)
        .collect();
    shares[0] += plan.records - shares.iter().sum::<u64>();
    shares
}

/// Draws one of the records that are left, answers its group.
fn take_one(left: &mut [u64], total: u64, random: &mut Random) -> usize {
    let mut draw = random.below(total);
    for (group, count) in left.iter_mut().enumerate() {
        if draw < *count {
            *count -= 1;
            return group;
        }
        draw -= *count;
    }
    0
}

fn write_row<W: Write>(
    writer: &mut csv::Writer<W>,
    number: u64,
    group: usize,
    random: &mut Random,
) -> Result<()> {
    let language = group % LANGUAGES.len();
    let place = &LANGUAGES[language];
    let kind = draw_kind(random);
    let date = random.below(DAYS);
    let age = random.percent(40).then(|| random.below(12));
    let (status, barrier) = draw_outcome(random);
    let town = place.towns[group / LANGUAGES.len() % place.towns.len()];
    let row: [&str; 14] = [
        &format!("generated_{number:07}"),
        "Counterpart generated",
        place.country,
        kind.partner[language],
        kind.category,
        kind.category_id,
        random.pick(kind.brands),
        &age.map(|age| (civil(date).0 - age).to_string())
            .unwrap_or_default(),
        &age.map(|age| age.to_string()).unwrap_or_default(),
        status,
        barrier,
        &format!("Generated group {:02} {town}", group + 1),
        &date_text(date),
        &draw_problem(kind, language, random),
    ];
    writer.write_record(row)?;
    Ok(())
}

fn draw_kind(random: &mut Random) -> &'static Kind {
    let mut draw = random.below(KINDS.iter().map(|(share, _)| share).sum());
    for (share, kind) in &KINDS {
        if draw < *share {
            return kind;
        }
        draw -= share;
    }
    &KINDS[0].1
}

fn draw_outcome(random: &mut Random) -> (&'static str, &'static str) {
    match random.below(100) {
        0..52 => ("Fixed", ""),
        52..79 => ("Repairable", ""),
        79..98 if random.percent(45) => ("End of life", random.pick(&BARRIERS)),
        79..98 => ("End of life", ""),
        _ => ("Unknown", ""),
    }
}

fn draw_problem(kind: &Kind, language: usize, random: &mut Random) -> String {
    if random.percent(12) {
        return String::new();
    }
    let fault = random.pick(&kind.faults[language]);
    if random.percent(55) {
        return fault.to_owned();
    }
    format!("{fault}, {}", random.pick(&CIRCUMSTANCES[language]))
}

/// Days from 2022-01-01 on which events take place.
const DAYS: u64 = 4 * 365;

/// Year, month and day of a day counted from 2022-01-01.
fn civil(mut day: u64) -> (u64, u64, u64) {
    let mut year = 2022;
    loop {
        let leap = year % 4 == 0;
        let months = [
            31,
            if leap { 29 } else { 28 },
            31,
            30,
            31,
            30,
            31,
            31,
            30,
            31,
            30,
            31,
        ];
        for (month, length) in (1..).zip(months) {
            if day < length {
                return (year, month, day + 1);
            }
            day -= length;
        }
        year += 1;
    }
}

fn date_text(day: u64) -> String {
    let (year, month, day) = civil(day);
    format!("{year}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::collections::BTreeMap;

    use super::*;

    fn bytes(plan: Plan) -> Vec<u8> {
        let mut out = Vec::new();
        generate(&plan, &mut out).unwrap();
        out
    }

    #[test]
    fn the_same_plan_gives_the_same_bytes_and_another_seed_others() {
        let plan = Plan {
            seed: 7,
            groups: 3,
            records: 500,
        };
        assert_eq!(bytes(plan), bytes(plan));
        assert_ne!(bytes(plan), bytes(Plan { seed: 8, ..plan }));
    }

    #[test]
    fn groups_and_outcomes_have_their_shares() {
        let file = bytes(Plan {
            seed: 1,
            groups: 5,
            records: 10_000,
        });
        let mut groups = BTreeMap::<String, u64>::new();
        let mut fixed = 0;
        for row in csv::Reader::from_reader(file.as_slice()).records() {
            let row = row.unwrap();
            assert_eq!(&row[1], "Counterpart generated");
            *groups.entry(row[11].to_owned()).or_default() += 1;
            fixed += u64::from(&row[9] == "Fixed");
        }
        let sizes: Vec<u64> = groups.into_values().collect();
        assert_eq!(sizes.iter().sum::<u64>(), 10_000);
        assert_eq!(sizes.len(), 5);
        assert!(sizes.is_sorted_by(|left, right| left > right), "{sizes:?}");
        assert!((5_000..5_400).contains(&fixed), "{fixed}");
    }

    #[test]
    fn days_are_days_of_the_calendar() {
        assert_eq!(date_text(0), "2022-01-01");
        assert_eq!(date_text(365 + 365 + 59), "2024-02-29");
        assert_eq!(date_text(365 + 365 + 366), "2025-01-01");
    }

    #[test]
    fn an_impossible_plan_is_refused() {
        assert!(
            generate(
                &Plan {
                    seed: 1,
                    groups: 4,
                    records: 3
                },
                Vec::new()
            )
            .is_err()
        );
        assert!(
            generate(
                &Plan {
                    seed: 1,
                    groups: 0,
                    records: 3
                },
                Vec::new()
            )
            .is_err()
        );
    }
}
