//! The reader over small nasty files, random bytes in random chunks, and the published files.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn read_with(
    bytes: &[u8],
    limits: Limits,
    defaults: &Defaults,
) -> Result<Vec<RowOutcome>, HeaderError> {
    let mut reader = OrdsReader::new(limits, defaults.clone());
    let mut outcomes = reader.push(bytes)?;
    outcomes.extend(reader.finish()?);
    Ok(outcomes)
}

fn read(bytes: impl AsRef<[u8]>) -> Vec<RowOutcome> {
    read_with(bytes.as_ref(), Limits::default(), &Defaults::default()).unwrap()
}

fn header_error(bytes: impl AsRef<[u8]>) -> HeaderError {
    read_with(bytes.as_ref(), Limits::default(), &Defaults::default()).unwrap_err()
}

fn record(outcome: &RowOutcome) -> &RepairRecord {
    &outcome.as_ref().unwrap().record
}

fn error(outcome: &RowOutcome) -> &RowError {
    outcome.as_ref().unwrap_err()
}

#[test]
fn every_column_of_v0_3_is_read() {
    let file = "id,data_provider,country,partner_product_category,product_category,product_category_id,brand,year_of_manufacture,product_age,repair_status,repair_barrier_if_end_of_life,group_identifier,event_date,problem\n\
        r_1,The Restart Project,GBR,Computer ~ Laptop,Laptop,16,HP,2009,10.5,End of life,Spare parts not available,Hackney ,2019-05-04,\"Won't boot, \"\"blue\"\" screen\nsince May\"\n";
    let outcomes = read(file);
    assert_eq!(outcomes.len(), 1);
    let expected = RepairRecord {
        data_provider: "The Restart Project".into(),
        id: "r_1".into(),
        country: "GBR".into(),
        category: "Laptop".into(),
        partner_category: "Computer ~ Laptop".into(),
        brand: "HP".into(),
        year_of_manufacture: Some(2009),
        product_age: Some("10.5".into()),
        status: RepairStatus::EndOfLife,
        barrier: Some("Spare parts not available".into()),
        group: "Hackney".into(),
        event_date: Some(Date::constant(2019, 5, 4)),
        problem: "Won't boot, \"blue\" screen\nsince May".into(),
    };
    assert_eq!(record(&outcomes[0]), &expected);
    assert_eq!(expected.identity(), ("The Restart Project", "r_1"));
}

#[test]
fn older_versions_and_foreign_headers_are_read() {
    let v0_1 = "id,data_provider,product_category,brand,year_of_manufacture,repair_status,group_identifier,date,problem,,,\n\
        restart_757,The Restart Project,Laptop medium,Toshiba,????,Repairable,Restart HQ,2013-06-19,Laptop - Won't boot -,,,\n";
    let outcomes = read(v0_1);
    let first = record(&outcomes[0]);
    assert_eq!(first.event_date, Some(Date::constant(2013, 6, 19)));
    assert_eq!(
        (first.year_of_manufacture, first.status),
        (None, RepairStatus::Repairable)
    );

    let shuffled = "\u{feff}Problem;Repair Status;DATA_PROVIDER;extra;\"ID\"\r\nÉcran noir;FIXED;Atelier;x;7\r\n";
    let outcomes = read(shuffled);
    assert_eq!(record(&outcomes[0]).problem, "Écran noir");
    assert_eq!(record(&outcomes[0]).identity(), ("Atelier", "7"));

    let tabs = "id_ords\tdata_provider\trepair_status\tevent_date\n1\tP\tend-of-life\t2020-02-29 18:30:00\n";
    let outcomes = read(tabs);
    assert_eq!(record(&outcomes[0]).status, RepairStatus::EndOfLife);
    assert_eq!(
        record(&outcomes[0]).event_date,
        Some(Date::constant(2020, 2, 29))
    );
}

#[test]
fn the_line_end_makes_no_difference() {
    let unix = "id,data_provider,repair_status,problem\n1,P,Fixed,\"a\nb\"\n\n2,P,Nothing,x\n3,P,Fixed,ü\n";
    let expected = read(unix);
    assert_eq!(
        (
            expected[0].as_ref().unwrap().row,
            expected[2].as_ref().unwrap().row
        ),
        (2, 5)
    );
    assert_eq!((error(&expected[1]).row, error(&expected[1]).line), (4, 5));
    assert_eq!(read(unix.replace('\n', "\r\n")), expected);
    assert_eq!(read(unix.replace('\n', "\r")), expected);
    assert_eq!(read(unix.trim_end()), expected);
}

#[test]
fn a_bad_row_says_where_and_why_and_the_next_is_read() {
    let rows: [(&[u8], &str); 11] = [
        (b",P,Fixed,2020-01-01,x", "id is empty"),
        (b"1,,Fixed,2020-01-01,x", "data_provider is empty"),
        (b"1,P,,2020-01-01,x", "repair_status is \"\""),
        (
            b"1,P,mended,2020-01-01,x",
            "Fixed, Repairable, End of life or Unknown",
        ),
        (b"1,P,Fixed,2020-02-30,x", "event_date is \"2020-02-30\""),
        (b"1,P,Fixed,31.12.2020,x", "written as 2024-05-31"),
        (b"1,P,Fixed,0000-00-00,x", "event_date is"),
        (b"1,P,Fixed", "has 3 fields, the first line names 5"),
        (b"1,P,Fixed,2020-01-01,x,surplus", "has 6 fields"),
        (
            b"1,P,Fixed,2020-01-01,caf\xe9",
            "problem is not UTF-8 (byte 0xe9)",
        ),
        (b"1,P,Fixed,2020-01-01,a\0b", "NUL"),
    ];
    let mut file = b"id,data_provider,repair_status,event_date,problem\n".to_vec();
    for (bad, _) in rows {
        file.extend_from_slice(bad);
        file.extend_from_slice(b"\nok,P,Unknown,,fine,,\n,,,,\n");
    }
    let outcomes = read(&file);
    assert_eq!(outcomes.len(), rows.len() * 2);
    for (index, (_, reason)) in rows.iter().enumerate() {
        let bad = error(&outcomes[index * 2]);
        assert_eq!(bad.row, index as u64 * 3 + 2);
        assert_eq!(bad.line, bad.row);
        assert!(
            bad.detail.contains(reason),
            "{} should contain {reason}",
            bad.detail
        );
        assert_eq!(record(&outcomes[index * 2 + 1]).problem, "fine");
    }
}

#[test]
fn an_unreadable_year_or_age_costs_no_record() {
    let file = "id,data_provider,repair_status,year_of_manufacture,product_age\n\
        1,P,Fixed,????,-1\n2,P,Fixed,20111,\"2,5\"\n3,P,????,2011.0,7\n4,P,Fixed,earlier than 2011,new\n";
    let read_pairs: Vec<_> = read(file)
        .iter()
        .map(|outcome| {
            (
                record(outcome).year_of_manufacture,
                record(outcome).product_age.clone(),
            )
        })
        .collect();
    assert_eq!(
        read_pairs,
        [
            (None, None),
            (None, Some("2.5".into())),
            (Some(2011), Some("7".into())),
            (None, None)
        ]
    );
}

#[test]
fn a_file_without_header_gives_one_clear_error() {
    assert_eq!(header_error(""), HeaderError::Empty);
    assert_eq!(header_error("\u{feff}\r\n \r\n"), HeaderError::Empty);
    assert_eq!(header_error(b"\xff\xfei\0d\0"), HeaderError::Utf16);
    assert!(matches!(
        header_error("name,price\nScreen,20\n"),
        HeaderError::NotRecognised { .. }
    ));
    assert!(matches!(
        header_error([0x80; 3000]),
        HeaderError::NotRecognised { .. }
    ));
    assert_eq!(
        header_error(vec![b'a'; 70_000]),
        HeaderError::TooLong { limit: 65_536 }
    );
    assert_eq!(
        header_error("id,brand,ID,repair_status\n"),
        HeaderError::Repeated { name: "id" }
    );
    let missing = header_error("id,data_provider,brand\n1,P,HP\n");
    assert_eq!(
        missing.to_string(),
        "the column repair_status is missing; the first line names id, data_provider, brand"
    );
    let mut reader = OrdsReader::new(Limits::default(), Defaults::default());
    assert!(reader.push(b"nothing here\n").is_err());
    assert!(reader.push(b"id,data_provider,repair_status\n").is_err());
    assert!(reader.finish().is_err());
}

#[test]
fn what_the_caller_knows_stands_in() {
    let file = b"id,repair_status,group_identifier\n1,Fixed,\n2,Fixed,Own\n";
    let defaults = Defaults {
        data_provider: Some("Shop".into()),
        group: Some("Shop 1".into()),
    };
    let outcomes = read_with(file, Limits::default(), &defaults).unwrap();
    assert_eq!(record(&outcomes[0]).identity(), ("Shop", "1"));
    assert_eq!(
        (
            record(&outcomes[0]).group.as_str(),
            record(&outcomes[1]).group.as_str()
        ),
        ("Shop 1", "Own")
    );
    assert!(matches!(
        header_error(file),
        HeaderError::Missing {
            missing: "data_provider",
            ..
        }
    ));
}

#[test]
fn a_row_over_the_limit_is_passed_over_without_growth() {
    let limits = Limits::default();
    let mut reader = OrdsReader::new(limits, Defaults::default());
    let mut outcomes = reader
        .push(b"id,data_provider,repair_status,problem\n1,P,Fixed,\"")
        .unwrap();
    for _ in 0..4096 {
        outcomes.extend(reader.push(&[b'x', b'\n'].repeat(512)).unwrap());
        assert!(reader.held_bytes() <= limits.row_bytes + 8 * (limits.columns + 1));
    }
    outcomes.extend(reader.push(b"\"\n2,P,Fixed,y\n").unwrap());
    outcomes.extend(reader.push(&b",".repeat(100_000)).unwrap());
    outcomes.extend(reader.push(b"\n3,P,Fixed,z").unwrap());
    outcomes.extend(reader.finish().unwrap());
    assert_eq!(outcomes.len(), 4);
    assert!(
        error(&outcomes[0])
            .detail
            .contains("longer than 262144 bytes")
    );
    assert_eq!((error(&outcomes[0]).row, error(&outcomes[0]).line), (2, 2));
    assert_eq!(record(&outcomes[1]).id, "2");
    assert!(error(&outcomes[2]).detail.contains("more than 256 fields"));
    assert_eq!(
        (error(&outcomes[2]).row, error(&outcomes[2]).line),
        (4, 2 + 4096 * 512 + 2)
    );
    assert_eq!(record(&outcomes[3]).id, "3");
}

#[test]
fn a_file_that_ends_inside_quotes_loses_only_that_row() {
    let outcomes = read("id,data_provider,repair_status,problem\n1,P,Fixed,a\n2,P,Fixed,\"cut he");
    assert_eq!(record(&outcomes[0]).id, "1");
    assert!(
        error(&outcomes[1])
            .detail
            .contains("ends inside a quoted field")
    );
    let outcomes = read("id,data_provider,repair_status,problem\n1,P,Fixed,\"whole\"");
    assert_eq!(record(&outcomes[0]).problem, "whole");
}

#[test]
fn the_fingerprint_changes_with_every_field() {
    let base = "id,data_provider,country,partner_product_category,product_category,brand,year_of_manufacture,product_age,repair_status,repair_barrier_if_end_of_life,group_identifier,event_date,problem";
    let values = [
        "1",
        "P",
        "GBR",
        "a",
        "b",
        "c",
        "2001",
        "3",
        "Fixed",
        "d",
        "e",
        "2020-01-01",
        "f",
    ];
    let others = [
        "2", "Q", "DEU", "b", "a", "d", "2002", "4", "Unknown", "", "f", "", "",
    ];
    let fingerprint =
        |values: &[&str]| record(&read(format!("{base}\n{}\n", values.join(",")))[0]).fingerprint();
    let mut seen = std::collections::BTreeSet::from([fingerprint(&values)]);
    for index in 0..values.len() {
        let mut changed = values;
        changed[index] = others[index];
        assert!(seen.insert(fingerprint(&changed)), "field {index}");
    }
    assert_eq!(fingerprint(&values), fingerprint(&values));
}

/// Pieces of files that meet often enough to build rows, and break them.
fn nasty() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => Just(b"1,P,Fixed,x\n".to_vec()),
        2 => Just(b"2,P,Repairable,\"a\r\nb\"\r\n".to_vec()),
        3 => prop::sample::select(vec![
            &b"\""[..], b",", b";", b"\r", b"\n", b"\r\n", b"\xef\xbb\xbf", b"\xff", b"\0", b"Fixed",
            b"longer than the small limit of this test", b"\"\"", b" ", b",,,,,,,,,,,",
        ])
        .prop_map(<[u8]>::to_vec),
        1 => prop::collection::vec(any::<u8>(), 0..8),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn chunks_never_matter(
        has_header in prop::bool::weighted(0.9),
        body in nasty(),
        sizes in prop::collection::vec(1_usize..20, 1..10),
    ) {
        let header: &[u8] = if has_header { b"id,data_provider,repair_status,problem\n" } else { b"" };
        let file = [header, &body].concat();
        let limits = Limits { row_bytes: 48, header_bytes: 200, columns: 8 };
        let whole = read_with(&file, limits, &Defaults::default());
        let mut reader = OrdsReader::new(limits, Defaults::default());
        let mut outcomes = Vec::new();
        let mut rest = file.as_slice();
        let mut failed = None;
        for size in sizes.iter().cycle() {
            if rest.is_empty() || failed.is_some() {
                break;
            }
            let (chunk, after) = rest.split_at((*size).min(rest.len()));
            rest = after;
            match reader.push(chunk) {
                Ok(more) => outcomes.extend(more),
                Err(error) => failed = Some(error),
            }
        }
        let pieces = match failed {
            Some(error) => Err(error),
            None => reader.finish().map(|last| { outcomes.extend(last); outcomes }),
        };
        prop_assert_eq!(pieces, whole);
    }

    #[test]
    fn what_is_written_is_read(problems in prop::collection::vec("[^\r\0]{0,40}", 1..20)) {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(["id", "data_provider", "repair_status", "problem"]).unwrap();
        for (index, problem) in problems.iter().enumerate() {
            writer.write_record([&index.to_string(), "P", "Fixed", problem]).unwrap();
        }
        let outcomes = read(writer.into_inner().unwrap());
        let found: Vec<_> = outcomes.iter().map(|outcome| record(outcome).problem.as_str()).collect();
        let expected: Vec<_> = problems.iter().map(|problem| problem.trim()).collect();
        prop_assert_eq!(found, expected);
    }
}

/// The folder of published files, which a fresh clone does not have.
fn published_files() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/repairs");
    folder.is_dir().then_some(folder)
}

fn read_file(path: &Path) -> Vec<RowOutcome> {
    let mut reader = OrdsReader::new(Limits::default(), Defaults::default());
    let mut outcomes = Vec::new();
    for chunk in std::fs::read(path).unwrap().chunks(16 * 1024) {
        outcomes.extend(reader.push(chunk).unwrap());
    }
    outcomes.extend(reader.finish().unwrap());
    outcomes
}

#[test]
fn the_published_files_are_read_completely() {
    let Some(folder) = published_files() else {
        eprintln!("skipped: the published repair records are not on this machine");
        return;
    };
    let mut rows = 0;
    let mut restart = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "csv") {
            continue;
        }
        let outcomes = read_file(&path);
        assert!(outcomes.iter().all(Result::is_ok), "{}", path.display());
        rows += outcomes.len();
        if path.to_string_lossy().contains("RestartProject") {
            restart = outcomes;
        }
    }
    assert_eq!((rows, restart.len()), (60_469, 23_940));

    let mut groups: BTreeMap<&str, Vec<&RepairRecord>> = BTreeMap::new();
    for outcome in &restart {
        groups
            .entry(&record(outcome).group)
            .or_default()
            .push(record(outcome));
    }
    assert_eq!(groups.len(), 181);
    let mut groups: Vec<_> = groups.into_values().collect();
    groups.sort_by_key(|records| std::cmp::Reverse(records.len()));
    let largest: Vec<_> = groups[..4].concat();
    let count = |status| {
        largest
            .iter()
            .filter(|record| record.status == status)
            .count()
    };
    assert_eq!(largest.len(), 5_841);
    assert_eq!(
        [
            RepairStatus::Fixed,
            RepairStatus::EndOfLife,
            RepairStatus::Repairable,
            RepairStatus::Unknown
        ]
        .map(count),
        [2_809, 1_193, 1_781, 58]
    );
    assert_eq!(
        largest
            .iter()
            .filter(|record| record.problem.is_empty())
            .count(),
        1_649
    );
}
