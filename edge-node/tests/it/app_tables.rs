//! Taking tables of another program over: nothing twice, nobody twice, every fault by its row.

use std::collections::BTreeMap;

use domain::order::Status;
use edge_node::app::customer::{self, Customer, CustomerInput, CustomerPatch};
use edge_node::app::import::ImportReport;
use edge_node::app::import::table::{
    Fault, Field, Kind, Known, Look, Places, Reading, TableImporter, look,
};
use edge_node::app::import::upload::UploadWriter;
use edge_node::app::order::form::Order;
use edge_node::app::order::{self, OrderFilter};
use edge_node::app::stock as stock_cases;
use edge_node::error::AppError;
use edge_node::store::{Actor, Store};
use web_kit::etag::IfMatch;
use web_kit::list::ListQuery;
use web_kit::wire::Personal;

use crate::app_support::*;
use crate::support::{ACTOR, block_on};

const ALL: ListQuery = ListQuery {
    limit: 500,
    cursor: None,
};

fn guessed(kind: Kind) -> Reading {
    Reading {
        kind,
        places: Places::Guessed,
    }
}

fn import_with(
    store: &Store,
    reading: Reading,
    text: &str,
) -> Result<(ImportReport, Vec<(u64, Fault)>), AppError> {
    block_on(async {
        let mut importer = TableImporter::new(store, ACTOR, reading).await?;
        for piece in text.as_bytes().chunks(777) {
            importer.push(piece).await?;
        }
        importer.finish().await
    })
}

fn import(store: &Store, kind: Kind, text: &str) -> (ImportReport, Vec<(u64, Fault)>) {
    import_with(store, guessed(kind), text).unwrap()
}

fn counts(report: &ImportReport) -> [u64; 4] {
    let ImportReport {
        created,
        changed,
        skipped,
        rejected,
        ..
    } = report;
    assert_eq!(report.read, created + changed + skipped + rejected);
    [*created, *changed, *skipped, *rejected]
}

fn customers(store: &Store) -> Vec<Customer> {
    store
        .read_blocking(|reader| customer::list(reader, &ACTOR, &ALL))
        .unwrap()
        .items
}

fn named(store: &Store, name: &str) -> Customer {
    let mut found: Vec<Customer> = customers(store)
        .into_iter()
        .filter(|customer| customer.name.as_ref().unwrap().expose() == name)
        .collect();
    assert_eq!(found.len(), 1, "{name}");
    found.remove(0)
}

fn orders(store: &Store) -> Vec<Order> {
    store
        .read_blocking(|reader| order::list(reader, &ACTOR, &OrderFilter::default(), &ALL))
        .unwrap()
        .items
}

fn looked(store: &Store, reading: &Reading, text: &str) -> Look {
    let mut writer = UploadWriter::new(store.dir(), store.env()).unwrap();
    writer.write(text.as_bytes()).unwrap();
    let upload = writer.finish().unwrap();
    store
        .read_blocking(|reader| look(reader, reading, &Known::load(reader)?, upload.pieces()?))
        .unwrap()
}

const PEOPLE: &str = "KdNr;Vorname;Nachname;Telefon;E-Mail;Straße;PLZ;Ort;Bemerkung\n\
    1;Ada;Lovelace;+49 30 1234567;ada@example.org;Invalidenstr. 50;10115;Berlin;zahlt bar\n\
    2;Grace;Hopper;030 7654321;;;;;\n\
    3;;;030 1;;;;;\n\
    4;Alan;Turing;none;;;;;\n\
    5;Joan;Clarke;;not an address;;;;\n";

#[test]
fn customers_come_in_once_and_what_people_changed_stays() {
    let (branch, store, _) = shop();
    let (report, faults) = import(&store, Kind::Customers, PEOPLE);
    assert_eq!(counts(&report), [2, 0, 0, 3]);
    let wrong: Vec<u64> = faults.iter().map(|(row, _)| *row).collect();
    assert_eq!(wrong, [4, 5, 6]);
    assert_eq!(faults[0].1, Fault::Empty { field: Field::Name });
    for (_, fault) in &faults {
        assert!(!fault.to_string().contains("not an address"), "{fault}");
    }
    let ada = named(&store, "Ada Lovelace");
    let text = |value: &Option<Personal>| value.as_ref().unwrap().expose().to_owned();
    assert_eq!(text(&ada.address), "Invalidenstr. 50, 10115 Berlin");
    assert_eq!(text(&ada.note), "zahlt bar");
    let seq = store.tip().borrow().seq;
    assert_eq!(
        counts(&import(&store, Kind::Customers, PEOPLE).0),
        [0, 0, 2, 3]
    );
    assert_eq!(
        store.tip().borrow().seq,
        seq,
        "what is there writes nothing"
    );

    let patch = CustomerPatch {
        phone: domain::patch::Patch::Set(Personal::new("+49 170 99")),
        ..CustomerPatch::default()
    };
    let id = ada.id;
    act(&store, move |tx, actor| {
        customer::patch(tx, actor, id, &IfMatch::default(), patch)
    })
    .unwrap();
    import(&store, Kind::Customers, PEOPLE);
    assert_eq!(text(&named(&store, "Ada Lovelace").phone), "+49 170 99");
    let married = PEOPLE.replace("Grace;Hopper", "Grace;Murray Hopper");
    assert_eq!(
        counts(&import(&store, Kind::Customers, &married).0),
        [0, 1, 1, 3]
    );
    named(&store, "Grace Murray Hopper");
    assert_verifies(&branch, store);
}

#[test]
fn who_is_known_here_is_not_taken_in_again() {
    let (branch, store, _) = shop();
    let ada = CustomerInput {
        name: Personal::new("Ada  Lovelace"),
        phone: Some(Personal::new("+49 (30) 123-4567")),
        ..CustomerInput::default()
    };
    act(&store, |tx, actor| customer::create(tx, actor, ada)).unwrap();
    assert_eq!(
        counts(&import(&store, Kind::Customers, PEOPLE).0),
        [1, 0, 1, 3]
    );
    assert_eq!(customers(&store).len(), 2);
    let without = "name,phone\nada lovelace,49301234567\nEdsger Dijkstra,\nEdsger Dijkstra,\n";
    assert_eq!(
        counts(&import(&store, Kind::Customers, without).0),
        [1, 0, 2, 0]
    );
    assert_eq!(
        counts(&import(&store, Kind::Customers, without).0),
        [0, 0, 3, 0]
    );
    assert_eq!(customers(&store).len(), 3);
    // Nothing of a person stands in what the log remembers of the rows.
    let conn = rusqlite::Connection::open(branch.database()).unwrap();
    let sources: Vec<String> = conn
        .prepare("select source from import_record")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert!(
        sources
            .iter()
            .all(|source| source.starts_with("customers/"))
    );
    assert!(!sources.concat().to_lowercase().contains("lovelace"));
    drop(conn);
    assert_verifies(&branch, store);
}

#[test]
fn opening_stock_moves_once_and_the_catalogue_is_the_hubs() {
    let (branch, store, _) = shop();
    let text = "Artikelnummer,Bestand,Lagerplatz,Mindestbestand\n\
        SCR-1,12,A-1,3\nBAT-2,0,B-1,\nNO-9,4,,\nFAN-3,many,,\nSCR-1,2,A-1,\n40FAN-3,\"5,0\",C-1,1\nSCR-1,2,A-2,\n";
    let (report, faults) = import(&store, Kind::Stock, text);
    assert_eq!(counts(&report), [4, 0, 0, 3]);
    assert!(faults.contains(&(
        4,
        Fault::UnknownSku {
            sku: "NO-9".to_owned()
        }
    )));
    assert!(faults.contains(&(6, Fault::Twice { row: 2 })));
    let screen = stock_of(&store, "SCR-1");
    assert_eq!(
        (screen.on_hand, screen.bin.as_deref(), screen.reorder_point),
        (14, Some("A-1"), Some(3))
    );
    assert_eq!(stock_of(&store, "FAN-3").on_hand, 5);
    assert_eq!(counts(&import(&store, Kind::Stock, text).0), [0, 0, 4, 3]);
    assert_eq!(stock_of(&store, "SCR-1").on_hand, 14);
    let other = "sku,qty,bin\nSCR-1,13,A-1\n";
    let (report, faults) = import(&store, Kind::Stock, other);
    assert_eq!(counts(&report), [0, 0, 0, 1]);
    assert_eq!(
        faults[0].1,
        Fault::OtherFigure {
            sku: "SCR-1".to_owned()
        }
    );
    let moved = store
        .read_blocking(|reader| stock_cases::movements(reader, &ACTOR, "SCR-1", &ALL))
        .unwrap();
    assert_eq!(moved.items.len(), 2);
    assert_verifies(&branch, store);
}

const OPEN: &str = "Auftragsnr\tDatum\tKdNr\tKunde\tTelefon\tArt\tMarke\tFehler\tStand\tTermin\tEilig\tNotiz\n\
    4711\t01.11.2026\t1\t\t\tLaptop\tAcme\tgeht nicht an\tIn Reparatur\t24.11.2026\tja\tKunde ruft an\n\
    4712\t2026-11-02 09:30\t\tAlan Turing\t030 99\tPhone\t\tDisplay\tfertig\t\t\t\n\
    4713\t\t77\t\t\tLaptop\t\t\t\t\t\t\n\
    4714\t31/10/2026\t\t\t\tLaptop\t\t\t\t\t\t\n\
    4715\t\t\t\t\tLaptop\t\t\tabgeholt\t\t\t\n\
    4716\t\t\t\t\tRadio\t\tbrummt\twartet auf Teile\t\t\t\n";

#[test]
fn open_orders_find_their_customers_and_stand_where_they_stood() {
    let (branch, store, _) = shop();
    import(&store, Kind::Customers, PEOPLE);
    let (report, faults) = import(&store, Kind::Orders, OPEN);
    assert_eq!(counts(&report), [3, 0, 0, 3], "{faults:?}");
    let wrong: Vec<u64> = faults.iter().map(|(row, _)| *row).collect();
    assert_eq!(wrong, [4, 5, 6]);
    let by_source: BTreeMap<String, Order> = orders(&store)
        .into_iter()
        .map(|order| (order.source.clone().unwrap(), order))
        .collect();
    let laptop = &by_source["orders/4711"];
    assert_eq!((laptop.status, laptop.urgent), (Status::InRepair, true));
    assert_eq!(
        laptop.customer.as_ref().unwrap().id,
        named(&store, "Ada Lovelace").id
    );
    assert_eq!(
        laptop.promised_at.unwrap().to_string(),
        "2026-11-24T17:00:00Z"
    );
    assert_eq!(laptop.notes[0].text, "Kunde ruft an");
    let phone = &by_source["orders/4712"];
    assert_eq!(phone.status, Status::Ready);
    assert_eq!(
        phone.customer.as_ref().unwrap().id,
        named(&store, "Alan Turing").id
    );
    assert_eq!(by_source["orders/4716"].status, Status::AwaitingParts);
    let seq = store.tip().borrow().seq;
    assert_eq!(counts(&import(&store, Kind::Orders, OPEN).0), [0, 0, 3, 3]);
    assert_eq!(store.tip().borrow().seq, seq);
    move_to(&store, laptop.id, Status::AwaitingParts, None).unwrap();
    let later = OPEN.replace("Acme", "Zenith");
    assert_eq!(
        counts(&import(&store, Kind::Orders, &later).0),
        [0, 1, 2, 3]
    );
    let now = order_of(&store, laptop.id);
    assert_eq!(
        (now.device.brand.as_str(), now.status),
        ("Zenith", Status::AwaitingParts)
    );
    assert_verifies(&branch, store);
}

#[test]
fn a_look_foretells_what_comes_and_writes_nothing() {
    let (branch, store, _) = shop();
    let seq = store.tip().borrow().seq;
    for (kind, text) in [(Kind::Customers, PEOPLE), (Kind::Orders, OPEN)] {
        let found = looked(&store, &guessed(kind), text);
        assert_eq!(store.tip().borrow().seq, seq);
        let (report, faults) = {
            let (branch, store, _) = shop();
            let done = import(&store, kind, text);
            drop(branch);
            done
        };
        assert_eq!(
            [found.created, found.changed, found.skipped, found.rejected],
            counts(&report)
        );
        assert_eq!(found.faults, faults);
        assert_eq!(
            found.rows.len(),
            usize::try_from(found.read.min(8)).unwrap()
        );
    }
    let nothing = Reading {
        kind: Kind::Customers,
        places: Places::Chosen(BTreeMap::from([(Field::Phone, 3)])),
    };
    let found = looked(&store, &nothing, PEOPLE);
    assert_eq!((found.missing, found.rejected), (Some(Field::Name), 0));
    assert_eq!(found.rows[0].cells.get(Field::Phone), "+49 30 1234567");
    assert_verifies(&branch, store);
}

#[test]
fn columns_may_be_named_and_files_that_are_none_are_refused() {
    let (branch, store, _) = shop();
    let text = "Wer,Wie\nAda,+49 30 55\n";
    let refused = import_with(&store, guessed(Kind::Customers), text).unwrap_err();
    assert_eq!(pointers(&refused), [""]);
    let named = |column: &str| Reading {
        kind: Kind::Customers,
        places: Places::Named(BTreeMap::from([(Field::Name, column.to_owned())])),
    };
    assert!(import_with(&store, named("Was"), text).is_err());
    assert_eq!(
        counts(&import_with(&store, named("Wer"), text).unwrap().0),
        [1, 0, 0, 0]
    );
    assert!(import_with(&store, guessed(Kind::Stock), "").is_err());
    let clerk = Actor {
        role: domain::staff::Role::Clerk,
        ..ACTOR
    };
    let asked = block_on(TableImporter::new(&store, clerk, guessed(Kind::Stock)));
    assert!(matches!(asked, Err(AppError::Forbidden { .. })));
    assert_verifies(&branch, store);
}

#[test]
fn an_upload_lies_sealed_and_goes_with_its_handle() {
    let (branch, store, _) = shop();
    let text = PEOPLE.repeat(3_000);
    let mut writer = UploadWriter::new(store.dir(), store.env()).unwrap();
    for piece in text.as_bytes().chunks(10_007) {
        writer.write(piece).unwrap();
    }
    let upload = writer.finish().unwrap();
    let folder = branch.path().join("uploads");
    let file = std::fs::read_dir(&folder).unwrap().next().unwrap().unwrap();
    let sealed = std::fs::read(file.path()).unwrap();
    assert!(!sealed.windows(8).any(|bytes| bytes == b"Lovelace"));
    let read: Vec<u8> = upload.pieces().unwrap().flat_map(Result::unwrap).collect();
    assert_eq!(read, text.as_bytes());
    drop(upload);
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
}
