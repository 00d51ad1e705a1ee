//! Importing repair records: nothing twice, whatever the order, subset or changes of the file.

use domain::order::{Outcome, Status};
use edge_node::app::import::{ImportOptions, ImportReport, Importer};
use edge_node::app::order::form::Order;
use edge_node::app::order::{self, OrderFilter};
use edge_node::error::AppError;
use edge_node::store::Store;
use web_kit::list::ListQuery;

use crate::app_support::*;
use crate::support::{ACTOR, block_on};

const HEADER: &str = "id,data_provider,country,partner_product_category,product_category,brand,year_of_manufacture,\
                      product_age,repair_status,repair_barrier_if_end_of_life,group_identifier,event_date,problem\n";

fn row(id: u32, status: &str, group: &str) -> String {
    let barrier = if status == "End of life" {
        "Spare parts too expensive"
    } else {
        ""
    };
    format!(
        "{id},Test Café,DEU,Kitchen ~ Kettle,Kettle,Acme,2015,8.5,{status},{barrier},{group},2024-05-{:02},\
         \"Leaks, \"\"badly\"\" no. {id}\"\n",
        id % 28 + 1
    )
}

fn rows() -> Vec<String> {
    let status = ["Fixed", "Repairable", "End of life", "Unknown"];
    (0..200_u32)
        .map(|id| {
            row(
                id,
                status[id as usize % 4],
                if id < 150 { "one" } else { "two" },
            )
        })
        .collect()
}

fn import_with(
    store: &Store,
    text: &str,
    options: ImportOptions,
) -> Result<ImportReport, AppError> {
    block_on(async {
        let mut importer = Importer::new(store, ACTOR, options)?;
        for piece in text.as_bytes().chunks(777) {
            importer.push(piece).await?;
        }
        importer.finish().await
    })
}

fn import(store: &Store, rows: &[String]) -> ImportReport {
    import_with(
        store,
        &(HEADER.to_owned() + &rows.concat()),
        ImportOptions::default(),
    )
    .unwrap()
}

fn counts(report: &ImportReport) -> [u64; 5] {
    [
        report.read,
        report.created,
        report.changed,
        report.skipped,
        report.rejected,
    ]
}

fn orders(store: &Store) -> Vec<Order> {
    let page = ListQuery {
        limit: 500,
        cursor: None,
    };
    let list =
        store.read_blocking(|reader| order::list(reader, &ACTOR, &OrderFilter::default(), &page));
    list.unwrap().items
}

fn of_record(store: &Store, id: u32) -> Order {
    let source = format!("ords/Test Café/{id}");
    let mut found: Vec<Order> = orders(store)
        .into_iter()
        .filter(|order| order.source.as_deref() == Some(&source))
        .collect();
    assert_eq!(found.len(), 1, "{source}");
    found.remove(0)
}

#[test]
fn a_file_becomes_orders_in_their_recorded_outcome() {
    let (branch, store, _) = shop();
    let before = store.tip().borrow().seq;
    assert_eq!(counts(&import(&store, &rows())), [200, 200, 0, 0, 0]);
    assert_eq!(
        store.tip().borrow().seq - before,
        200_u64.div_ceil(64),
        "whole batches, one transaction each"
    );
    let fixed = of_record(&store, 0);
    assert_eq!(
        (fixed.status, fixed.outcome),
        (Status::Collected, Some(Outcome::Repaired))
    );
    assert_eq!((fixed.customer.is_none(), fixed.lines.len()), (true, 0));
    assert_eq!(
        fixed.created_at.to_string(),
        "2024-04-30T22:00:00Z",
        "midnight in Berlin"
    );
    assert_eq!(
        (fixed.device.category.as_str(), fixed.device.brand.as_str()),
        ("Kettle", "Acme")
    );
    assert_eq!(fixed.device.fault, "Leaks, \"badly\" no. 0");
    assert_eq!(fixed.device.condition["year_of_manufacture"], "2015");
    let open = of_record(&store, 1);
    assert_eq!(
        (open.status, open.outcome, open.notes.len()),
        (Status::Received, None, 0)
    );
    let dead = of_record(&store, 2);
    assert_eq!(
        (dead.status, dead.outcome),
        (Status::Collected, Some(Outcome::Unrepairable))
    );
    assert_eq!(dead.notes[0].text, "Spare parts too expensive");
    let unknown = of_record(&store, 3);
    assert_eq!(
        (unknown.status, unknown.notes[0].text.as_str()),
        (Status::Received, "outcome unknown")
    );
    assert_verifies(&branch, store);
}

#[test]
fn twice_shuffled_or_in_part_creates_nothing_new() {
    let (branch, store, _) = shop();
    let mut rows = rows();
    assert_eq!(counts(&import(&store, &rows[40..90])), [50, 50, 0, 0, 0]);
    rows.reverse();
    rows.rotate_left(37);
    assert_eq!(counts(&import(&store, &rows)), [200, 150, 0, 50, 0]);
    let seq = store.tip().borrow().seq;
    assert_eq!(counts(&import(&store, &rows)), [200, 0, 0, 200, 0]);
    assert_eq!(
        store.tip().borrow().seq,
        seq,
        "what is there already writes nothing"
    );
    let doubled = [rows.clone(), rows].concat();
    assert_eq!(counts(&import(&store, &doubled)), [400, 0, 0, 400, 0]);
    assert_eq!(orders(&store).len(), 200);
    assert_verifies(&branch, store);
}

#[test]
fn a_changed_row_changes_only_what_the_import_owns() {
    let (branch, store, _) = shop();
    import(&store, &rows());
    let (open, moved, fixed) = (
        of_record(&store, 1).id,
        of_record(&store, 5).id,
        of_record(&store, 0).id,
    );
    move_to(&store, moved, Status::Diagnosing, None).unwrap();
    let mut changed = rows();
    changed[0] = row(0, "End of life", "one");
    changed[1] = row(1, "Fixed", "one");
    changed[5] = row(5, "Fixed", "one");
    changed[8] = changed[8].replace("Acme", "Zenith");
    assert_eq!(counts(&import(&store, &changed)), [200, 0, 4, 196, 0]);
    let now = order_of(&store, open);
    assert_eq!(
        (now.status, now.outcome),
        (Status::Collected, Some(Outcome::Repaired))
    );
    assert_eq!(
        order_of(&store, moved).status,
        Status::Diagnosing,
        "people have moved this one"
    );
    let now = order_of(&store, fixed);
    assert_eq!(
        (now.status, now.outcome, now.notes.len()),
        (Status::Collected, Some(Outcome::Unrepairable), 1)
    );
    assert_eq!(of_record(&store, 8).device.brand, "Zenith");
    assert_eq!(counts(&import(&store, &changed)), [200, 0, 0, 200, 0]);
    import(&store, &rows());
    assert_eq!(
        order_of(&store, open).status,
        Status::Received,
        "a record may be taken back"
    );
    assert_verifies(&branch, store);
}

#[test]
fn bad_rows_are_reported_with_their_number_and_others_go_on() {
    let (branch, store, _) = shop();
    let long = "x".repeat(9_000);
    let rows = [
        row(1, "Fixed", "one"),
        row(2, "Perhaps", "one"),
        row(3, "Fixed", "one").replace("Leaks", &long),
        row(4, "Fixed", "two").replace("2024-05-", "2024-99-"),
        format!("{}\n", "a,b"),
        row(6, "Fixed", "two").replace("Acme", "Ac\tme"),
    ];
    let report = import(&store, &rows);
    assert_eq!(counts(&report), [6, 2, 0, 0, 4]);
    let mut numbers: Vec<u64> = report.errors.iter().map(|error| error.row).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [3, 4, 5, 6]);
    let too_long = report.errors.iter().find(|error| error.row == 4).unwrap();
    assert!(
        too_long.detail.contains("problem must not be longer"),
        "{}",
        too_long.detail
    );
    assert_eq!(of_record(&store, 6).device.brand, "Ac me");
    assert_verifies(&branch, store);
}

#[test]
fn a_group_alone_and_a_file_that_is_none() {
    let (branch, store, _) = shop();
    let text = HEADER.to_owned() + &rows().concat();
    let only = ImportOptions {
        group: Some("two".to_owned()),
        data_provider: None,
    };
    assert_eq!(
        counts(&import_with(&store, &text, only).unwrap()),
        [50, 50, 0, 0, 0]
    );
    let refused = import_with(&store, "name;age\nAda;36\n", ImportOptions::default()).unwrap_err();
    assert_eq!(pointers(&refused), [""]);
    let clerk = edge_node::store::Actor {
        role: domain::staff::Role::Clerk,
        ..ACTOR
    };
    assert!(matches!(
        Importer::new(&store, clerk, ImportOptions::default()),
        Err(AppError::Forbidden { .. })
    ));
    assert_verifies(&branch, store);
}

#[test]
fn an_upload_that_breaks_off_leaves_whole_batches() {
    let (branch, store, _) = shop();
    let text = HEADER.to_owned() + &rows().concat();
    block_on(async {
        let mut importer = Importer::new(&store, ACTOR, ImportOptions::default()).unwrap();
        importer
            .push(&text.as_bytes()[..text.len() / 2])
            .await
            .unwrap();
        assert_eq!(importer.report().created % 64, 0);
    });
    let left = orders(&store).len();
    assert!(left == 64 || left == 128, "{left}");
    let again = import(&store, &rows());
    assert_eq!(
        (again.created, again.skipped),
        (200 - left as u64, left as u64)
    );
    assert_verifies(&branch, store);
}
