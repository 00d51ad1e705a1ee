//! Customers and sealing, inventory settings.

use automerge::Automerge;
use domain::customer::{
    CustomerError, CustomerPatch, NewCustomer, PersonValues, create_customer, merge_customer,
    open_customer, patch_customer, read_customer,
};
use domain::document::policy::{Writer, check_change};
use domain::document::{DocumentKind, apply_edits};
use domain::env::SeededEntropy;
use domain::id::{BranchId, DocumentId, PartId};
use domain::inventory::{InventoryPatch, create_inventory, patch_inventory, read_inventory};
use domain::patch::Patch;
use domain::seal::{SealError, open, open_at_rest, seal, seal_at_rest};
use domain::sensitive::{PersonKey, Sensitive};

const ACTOR: &[u8] = b"actor-000001";

fn counting<const N: usize>(from: u8) -> [u8; N] {
    core::array::from_fn(|i| from + i as u8)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hidden(text: &str) -> Sensitive<String> {
    Sensitive::new(text.to_owned())
}

/// The expected bytes come from an independent implementation in Python (hashlib, HChaCha20 by the XChaCha draft).
#[test]
fn sealed_values_are_the_bytes_of_the_format() {
    let document = DocumentId::from_bytes(counting(0xa0));
    let sealed = |generation, path, text| {
        hex(&seal(
            &PersonKey::new(generation, counting(0)),
            document,
            path,
            text,
        )
        .unwrap())
    };
    assert_eq!(
        sealed(1, "name", "Zoë Ångström"),
        "01010f671672eff0aeffb84fd59a42d46b3be6bff574255223129e752b1b137961ff8f2c2614f5cefcb4e2c22c945380bfcf99290\
         9aa2e0aa1"
    );
    assert_eq!(
        sealed(7, "phone", "+49 30 1234567"),
        "010704c26f7c55f79103281b6e4842e8073d00d0a3aa60d183a0d774594212e22fa6924c3abf0e1562cf5368af0cc69639382dff6\
         665f871"
    );
    let stored = seal_at_rest(&counting(0), b"answer 1", counting(0), br#"{"ok":true}"#).unwrap();
    assert_eq!(
        hex(&stored),
        "01000102030405060708090a0b0c0d0e0f101112131415161724d6bb208283bbba0a65f6dfc9b2069ca3abb15aadee902c080ad9"
    );
}

#[test]
fn a_sealed_value_opens_only_where_it_belongs() {
    let document = DocumentId::from_bytes(counting(0xa0));
    let key = PersonKey::new(2, counting(0));
    let sealed = seal(&key, document, "name", "Eva").unwrap();
    let keys = [PersonKey::new(1, counting(9)), key.clone()];
    assert_eq!(
        open(&keys, document, "name", &sealed).unwrap().expose(),
        "Eva"
    );
    assert_eq!(
        open(&keys, document, "note", &sealed),
        Err(SealError::Wrong)
    );
    assert_eq!(
        open(&keys, DocumentId::NIL, "name", &sealed),
        Err(SealError::Wrong)
    );
    assert_eq!(
        open(&keys[..1], document, "name", &sealed),
        Err(SealError::NoKey(2))
    );
    assert_eq!(
        open(&[PersonKey::new(2, counting(5))], document, "name", &sealed),
        Err(SealError::Wrong)
    );
    for length in 0..42 {
        assert_eq!(
            open(&keys, document, "name", &sealed[..length.min(41)]),
            Err(SealError::Malformed)
        );
    }
    for at in 0..sealed.len() {
        let mut bad = sealed.clone();
        bad[at] ^= 1;
        assert!(open(&keys, document, "name", &bad).is_err(), "byte {at}");
    }
    let stored = seal_at_rest(&counting(1), b"a", [3; 24], b"secret").unwrap();
    assert_eq!(
        open_at_rest(&counting(1), b"a", &stored).unwrap().expose(),
        b"secret"
    );
    assert_eq!(
        open_at_rest(&counting(1), b"b", &stored),
        Err(SealError::Wrong)
    );
    assert_eq!(
        open_at_rest(&counting(1), b"a", &stored[..10]),
        Err(SealError::Malformed)
    );
}

#[test]
fn hidden_values_do_not_print() {
    let key = PersonKey::from_random(0, &mut SeededEntropy::new(1));
    let values = PersonValues {
        name: Some(hidden("Eva")),
        ..PersonValues::default()
    };
    let printed = format!("{values:?} {key:?} {}", hidden("Eva"));
    assert!(
        !printed.contains("Eva") && printed.contains("[hidden]"),
        "{printed}"
    );
}

fn eva() -> NewCustomer {
    NewCustomer {
        home: BranchId::from_bytes([1; 16]),
        language: Some("de".to_owned()),
        consent: [("marketing".to_owned(), false)].into(),
        values: PersonValues {
            name: Some(hidden("Eva Öz")),
            phone: Some(hidden("+49 30 1234")),
            email: Some(hidden("eva@shop.example")),
            address: Some(hidden("Weg 1\n10115 Berlin")),
            note: None,
        },
    }
}

fn created(document: DocumentId, key: &PersonKey) -> Automerge {
    let edits = create_customer(&eva(), document, key).unwrap();
    for writer in [Writer::Home, Writer::Hub] {
        check_change(DocumentKind::Customer, writer, true, &edits).unwrap();
    }
    apply_edits(None, ACTOR, &edits).unwrap().unwrap().document
}

#[test]
fn a_customer_reads_back_and_nothing_stands_in_clear() {
    let document = DocumentId::from_bytes([2; 16]);
    let key = PersonKey::from_random(1, &mut SeededEntropy::new(1));
    let automerge = created(document, &key);
    let view = read_customer(&automerge).unwrap();
    assert_eq!(
        (view.home, view.language.as_deref()),
        (BranchId::from_bytes([1; 16]), Some("de"))
    );
    assert_eq!(view.consent, eva().consent);
    assert_eq!(
        open_customer(&view, document, core::slice::from_ref(&key)).unwrap(),
        eva().values
    );
    assert_eq!(
        open_customer(&view, document, &[]),
        Err(SealError::NoKey(1))
    );
    let saved = automerge.save_nocompress();
    for value in ["Eva", "1234", "shop.example", "Berlin"] {
        assert!(
            !saved
                .windows(value.len())
                .any(|window| window == value.as_bytes()),
            "{value}"
        );
    }
}

#[test]
fn a_customer_patch_writes_only_what_differs() {
    let document = DocumentId::from_bytes([2; 16]);
    let key = PersonKey::from_random(1, &mut SeededEntropy::new(1));
    let automerge = created(document, &key);
    let view = read_customer(&automerge).unwrap();
    let same = CustomerPatch {
        name: Patch::Set(hidden(" Eva Öz ")),
        phone: Patch::Set(hidden("+49 30 1234")),
        note: Patch::Clear,
        consent: eva().consent,
        language: Patch::Set("de".to_owned()),
        ..CustomerPatch::default()
    };
    assert_eq!(patch_customer(&view, document, &key, &same), Ok(vec![]));
    let patch = CustomerPatch {
        phone: Patch::Clear,
        email: Patch::Set(hidden("e@b.example")),
        note: Patch::Set(hidden("rings\ntwice")),
        consent: [("marketing".to_owned(), true)].into(),
        ..CustomerPatch::default()
    };
    let edits = patch_customer(&view, document, &key, &patch).unwrap();
    assert_eq!(edits.len(), 4);
    for writer in Writer::ALL {
        check_change(DocumentKind::Customer, writer, false, &edits).unwrap();
    }
    let after = apply_edits(Some(&automerge), ACTOR, &edits)
        .unwrap()
        .unwrap()
        .document;
    let view = read_customer(&after).unwrap();
    let values = open_customer(&view, document, &[key]).unwrap();
    assert_eq!(
        (values.phone, values.email),
        (None, Some(hidden("e@b.example")))
    );
    assert_eq!(view.consent.get("marketing"), Some(&true));
}

#[test]
fn the_same_value_written_apart_is_no_conflict() {
    let document = DocumentId::from_bytes([2; 16]);
    let key = PersonKey::from_random(1, &mut SeededEntropy::new(1));
    let automerge = created(document, &key);
    let view = read_customer(&automerge).unwrap();
    let write = |actor: &[u8], name: &str| {
        let patch = CustomerPatch {
            name: Patch::Set(hidden(name)),
            ..CustomerPatch::default()
        };
        let edits = patch_customer(&view, document, &key, &patch).unwrap();
        apply_edits(Some(&automerge), actor, &edits)
            .unwrap()
            .unwrap()
            .document
    };
    let merged = |one: &Automerge, mut two: Automerge| {
        let mut merged = one.clone();
        merged.merge(&mut two).unwrap();
        read_customer(&merged).unwrap()
    };
    assert!(
        merged(&write(b"a", "Eva Kaya"), write(b"b", "Eva Kaya"))
            .conflicts
            .is_empty()
    );
    assert_eq!(
        merged(&write(b"a", "Eva Kaya"), write(b"b", "Eva Kara"))
            .conflicts
            .len(),
        1
    );
}

#[test]
fn bad_values_of_a_person_are_named_without_saying_them() {
    let document = DocumentId::from_bytes([2; 16]);
    let key = PersonKey::from_random(1, &mut SeededEntropy::new(1));
    let mut new = eva();
    new.values.name = None;
    new.values.email = Some(hidden("secret-nonsense"));
    new.language = Some("de\0".to_owned());
    let Err(CustomerError::Fields(problems)) = create_customer(&new, document, &key) else {
        panic!("accepted")
    };
    let text = format!("{problems:?}");
    assert!(!text.contains("secret-nonsense"));
    let pointers: Vec<_> = problems
        .iter()
        .map(|problem| problem.pointer.as_str())
        .collect();
    assert_eq!(pointers, ["/language", "/name", "/email"]);
}

#[test]
fn only_the_hub_merges_customers() {
    let edits = [merge_customer(DocumentId::from_bytes([5; 16]))];
    assert!(check_change(DocumentKind::Customer, Writer::Hub, false, &edits).is_ok());
    assert!(check_change(DocumentKind::Customer, Writer::Home, false, &edits).is_err());
}

#[test]
fn inventory_settings_read_back() {
    let (branch, part) = (BranchId::from_bytes([1; 16]), PartId::from_bytes([2; 16]));
    let settings = InventoryPatch {
        bin: Patch::Set("A-3".to_owned()),
        reorder_point: Patch::Set(4),
        note: Patch::Keep,
        barcodes: Some(["4006381333931".to_owned(), "X1".to_owned()].into()),
    };
    let edits = create_inventory(branch, part, &settings).unwrap();
    check_change(DocumentKind::Inventory, Writer::Home, true, &edits).unwrap();
    let document = apply_edits(None, ACTOR, &edits).unwrap().unwrap().document;
    let view = read_inventory(&document).unwrap();
    assert_eq!(
        (view.branch, view.part, view.bin.as_deref()),
        (branch, part, Some("A-3"))
    );
    assert_eq!((view.reorder_point, view.barcodes.len()), (Some(4), 2));
    assert_eq!(patch_inventory(&view, &settings), Ok(vec![]));
    let patch = InventoryPatch {
        bin: Patch::Clear,
        note: Patch::Set("fragile".to_owned()),
        barcodes: Some(["X1".to_owned()].into()),
        ..InventoryPatch::default()
    };
    let edits = patch_inventory(&view, &patch).unwrap();
    check_change(DocumentKind::Inventory, Writer::Hub, false, &edits).unwrap();
    let view = read_inventory(
        &apply_edits(Some(&document), ACTOR, &edits)
            .unwrap()
            .unwrap()
            .document,
    )
    .unwrap();
    assert_eq!(
        (
            view.bin.as_deref(),
            view.note.as_deref(),
            view.barcodes.len()
        ),
        (None, Some("fragile"), 1)
    );
    let bad = InventoryPatch {
        reorder_point: Patch::Set(-1),
        ..InventoryPatch::default()
    };
    assert_eq!(
        patch_inventory(&view, &bad).unwrap_err()[0].pointer,
        "/reorder_point"
    );
}
