//! Persons: found by what is in memory, in clear in no file (INV-21).

use domain::id::DocumentId;
use edge_node::store::idempotency::{Answer, Request};
use edge_node::store::{customer, order, verify};
use serde_json::json;
use sync_protocol::feed::FeedId;
use sync_protocol::item::{Item, PersonErased};

use crate::support::*;

const NAME: &str = "Wilhelmina Canarybird";
const PHONE: &str = "+49 30 99887766";
const EMAIL: &str = "wilhelmina.canary@example.org";

#[test]
fn no_personal_value_stands_in_clear_in_any_file() {
    let mut branch = Branch::new();
    let store = branch.open();
    let id = write_customer(&store, NAME, PHONE, EMAIL);
    store
        .write_blocking(move |tx| {
            let request = Request {
                key: Some("k"),
                route: "POST /api/v1/customers",
                body_hmac: &[1; 32],
            };
            tx.idempotent(&request, ACTOR.staff, |_| {
                Ok(Answer {
                    status: 201,
                    body: json!({ "name": NAME, "phone": PHONE, "email": EMAIL }),
                })
            })
        })
        .unwrap();
    let key = block_on(store.read_keys(vec![id])).unwrap()[0].key;
    write_order(&store, "this text is no secret");
    assert!(
        !scan_for(&branch, &[b"this text is no secret"]).is_empty(),
        "the scan finds what is there"
    );
    assert!(
        scan(&branch, &key).is_empty(),
        "while open: {:?}",
        scan(&branch, &key)
    );
    drop(store);
    assert!(
        scan(&branch, &key).is_empty(),
        "after closing: {:?}",
        scan(&branch, &key)
    );
}

#[test]
fn an_erased_person_has_no_key_no_name_and_gets_none_again() {
    let mut branch = Branch::new();
    let store = branch.open();
    let id = write_customer(&store, NAME, PHONE, EMAIL);
    let keys = block_on(store.read_keys(vec![id])).unwrap();
    let mut register = HubFeed::new(FeedId::register());
    apply(
        &store,
        register.block(&[vec![Item::PersonErased(PersonErased { person: id })]]),
    );
    block_on(store.store_keys(keys)).unwrap();
    assert!(block_on(store.read_keys(vec![id])).unwrap().is_empty());
    let found = store
        .read_blocking(|reader| Ok(reader.persons().search("canarybird", 10)))
        .unwrap();
    assert!(found.is_empty());
    assert!(
        store
            .read_blocking(|reader| customer::get(reader, id))
            .unwrap()
            .unwrap()
            .values
            .is_none()
    );
    drop(store);
    let report = verify(branch.path()).unwrap();
    assert!(report.ok, "{:?}", report.differences);
}

/// Files that hold one of the values, or the person's key.
fn scan(branch: &Branch, key: &[u8; 32]) -> Vec<String> {
    let texts = [
        "Wilhelmina",
        "Canarybird",
        "wilhelmina",
        "99887766",
        "canary@example",
    ];
    let mut needles: Vec<&[u8]> = texts.iter().map(|text| text.as_bytes()).collect();
    needles.push(key);
    scan_for(branch, &needles)
}

fn scan_for(branch: &Branch, needles: &[&[u8]]) -> Vec<String> {
    let mut open = vec![branch.path().to_owned()];
    let mut found = Vec::new();
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            let holds =
                |needle: &&[u8]| bytes.windows(needle.len()).any(|window| window == *needle);
            if needles.iter().any(holds) {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

#[test]
fn a_person_is_found_by_name_phone_and_email_also_after_reopening() {
    let mut branch = Branch::new();
    let store = branch.open();
    let ada = write_customer(&store, "Ada Müller", "+49 30 5550101", "ada@example.org");
    let grace = write_customer(
        &store,
        "Grace Mueller-Hopper",
        "+1 555 0202",
        "grace@example.com",
    );
    let check = |store: &edge_node::store::Store| {
        let find = |typed: &str| -> Vec<DocumentId> {
            let found = store.read_blocking(|reader| Ok(reader.persons().search(typed, 10)));
            found.unwrap().into_iter().map(|found| found.id).collect()
        };
        assert_eq!(find("muller"), [ada, grace], "who only sounds so is last");
        assert_eq!(
            find("hopper gr"),
            [grace],
            "a word of the name begins with each"
        );
        assert_eq!(find("mueller gr"), [grace]);
        assert_eq!(find("5550101"), [ada]);
        assert_eq!(
            find("030 555 0101"),
            [ada],
            "as dialled from the same country"
        );
        assert_eq!(find("example.com"), [grace]);
        assert!(find("nobody").is_empty());
    };
    check(&store);
    drop(store);
    let store = branch.open();
    check(&store);
    let shown = store
        .read_blocking(|reader| customer::get(reader, ada))
        .unwrap()
        .unwrap();
    assert_eq!(shown.values.unwrap().name.unwrap().expose(), "Ada Müller");
}

#[test]
fn orders_are_found_by_the_beginnings_of_words_and_odd_signs_do_no_harm() {
    let mut branch = Branch::new();
    let store = branch.open();
    let id = write_order(&store, "Écran cassé, does not charge");
    let find = |typed: &str| -> Vec<DocumentId> {
        let typed = typed.to_owned();
        let found = store.read_blocking(move |reader| order::search(reader, &typed, 10));
        found.unwrap().into_iter().map(|found| found.id).collect()
    };
    assert_eq!(find("ecran"), [id]);
    assert_eq!(find("char not"), [id]);
    assert_eq!(find("sn 123"), [id]);
    for odd in ["\"", "* OR ^", "NEAR(a b)", "':;--", "", "\u{0}"] {
        find(odd);
    }
    assert!(find("absent").is_empty());
}
