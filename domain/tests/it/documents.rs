//! Documents: changes, reading, conflicts, policy.

use crate::samples::{accepted, apply, created, merged, view};
use automerge::transaction::Transactable;
use automerge::{ActorId, Automerge, Change, ObjType, ROOT, ReadDoc};
use domain::document::policy::{
    PolicyAction, PolicyError, Writer, check_change, check_operation, required_paths, table_paths,
};
use domain::document::{
    DocumentError, DocumentKind, Edit, Scalar, Tree, apply_edits, conflicts, settle, tree,
};

fn path(text: &str) -> Vec<String> {
    text.split('/').map(str::to_owned).collect()
}

#[test]
fn a_change_says_nothing_but_its_edits() {
    let document = created(1);
    let edits = [Edit::text(&["diagnosis"], "x".repeat(2_000))];
    let applied = apply_edits(Some(&document), b"actor-000002", &edits)
        .unwrap()
        .unwrap();
    assert_eq!(applied.change[8], 1, "a plain chunk, however long");
    let change = Change::from_bytes(applied.change.clone()).unwrap();
    assert_eq!(
        (change.timestamp(), change.message(), change.seq()),
        (0, None, 1)
    );
    assert_eq!(change.actor_id().to_bytes(), b"actor-000002");
    assert!(change.extra_bytes().is_empty());
    assert_eq!(change.hash().0, applied.hash);
    assert_eq!(
        document.get_heads().as_slice(),
        change.deps(),
        "the original is untouched"
    );
    let mut other = document.clone();
    other.apply_changes([change]).unwrap();
    assert_eq!(other.get_heads(), applied.document.get_heads());
    assert_eq!(tree(&other).unwrap(), tree(&applied.document).unwrap());
}

#[test]
fn edits_that_change_nothing_make_no_change() {
    let document = created(1);
    let same = view(&document).number;
    for edits in [
        vec![],
        vec![Edit::text(&["number"], same)],
        vec![Edit::delete(&["diagnosis"])],
    ] {
        assert!(
            apply_edits(Some(&document), b"actor-000001", &edits)
                .unwrap()
                .is_none()
        );
    }
}

#[test]
fn edits_out_of_bounds_are_refused() {
    let document = created(1);
    let refused = |edit: Edit| apply_edits(Some(&document), b"a", &[edit]).unwrap_err();
    assert!(matches!(
        refused(Edit::map(&["lines"])),
        DocumentError::Exists { .. }
    ));
    assert!(matches!(
        refused(Edit::int(&["lines"], 1)),
        DocumentError::Exists { .. }
    ));
    assert!(matches!(
        refused(Edit::int(&["lines", "x", "y"], 1)),
        DocumentError::NoContainer { .. }
    ));
    assert!(matches!(
        refused(Edit::int(&["number", "x"], 1)),
        DocumentError::NoContainer { .. }
    ));
    assert!(matches!(
        refused(Edit::int(&[] as &[&str], 1)),
        DocumentError::Bounds { .. }
    ));
    assert!(matches!(
        refused(Edit::int(&["a", "b", "c", "d", "e"], 1)),
        DocumentError::Bounds { .. }
    ));
    assert!(matches!(
        refused(Edit::text(&["diagnosis"], "x".repeat(8_193))),
        DocumentError::Bounds { .. }
    ));
}

#[test]
fn text_objects_of_another_library_read_as_text() {
    let mut document = created(1);
    document.set_actor(ActorId::from(b"actor-000009"));
    let mut transaction = document.transaction();
    let text = transaction
        .put_object(ROOT, "diagnosis", ObjType::Text)
        .unwrap();
    transaction.splice_text(&text, 0, 0, "burnt out").unwrap();
    transaction
        .put(ROOT, "promised_at", automerge::ScalarValue::Timestamp(77))
        .unwrap();
    transaction.commit();
    let view = view(&document);
    assert_eq!(
        (view.diagnosis.as_str(), view.promised_at_ms),
        ("burnt out", Some(77))
    );
}

#[test]
fn reading_is_bounded_in_depth() {
    let mut document = Automerge::new();
    let mut transaction = document.transaction();
    let mut parent = ROOT;
    for _ in 0..3_000 {
        parent = transaction
            .put_object(&parent, "deeper", ObjType::Map)
            .unwrap();
    }
    transaction.put_object(ROOT, "list", ObjType::List).unwrap();
    transaction.commit();
    let tree = tree(&document).unwrap();
    assert_eq!(tree.get(&["list"]), Some(&Tree::Other));
    assert_eq!(tree.get(&["deeper"; 5]), Some(&Tree::Other));
    assert!(
        conflicts(&document, DocumentKind::Order)
            .unwrap()
            .is_empty()
    );
}

#[test]
fn different_values_written_apart_are_a_conflict_on_both_sides_alike() {
    let document = created(1);
    let one = apply(
        &document,
        b"actor-00000a",
        &[Edit::text(&["diagnosis"], "fuse")],
    );
    let two = apply(
        &document,
        b"actor-00000b",
        &[Edit::text(&["diagnosis"], "cable")],
    );
    let (left, right) = (merged(&one, &two), merged(&two, &one));
    assert_eq!(view(&left), view(&right));
    let found = conflicts(&left, DocumentKind::Order).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].path, ["diagnosis"]);
    let values: Vec<_> = found[0]
        .values
        .iter()
        .map(|value| value.value.clone())
        .collect();
    assert_eq!(
        values,
        [
            Scalar::Str("fuse".to_owned()),
            Scalar::Str("cable".to_owned())
        ]
    );
    assert_eq!(
        view(&left).diagnosis,
        "cable",
        "the last value of a conflict is the one that shows"
    );
    let settled = apply(
        &left,
        b"actor-00000a",
        &[settle(&found[0], Scalar::Str("cable".to_owned()))],
    );
    assert!(
        view(&settled).conflicts.is_empty(),
        "also when the value that shows is kept"
    );
}

#[test]
fn equal_values_written_apart_are_no_conflict() {
    let document = created(1);
    let one = apply(
        &document,
        b"actor-00000a",
        &[Edit::text(&["diagnosis"], "fuse")],
    );
    let two = apply(
        &document,
        b"actor-00000b",
        &[Edit::text(&["diagnosis"], "fuse")],
    );
    let both = merged(&one, &two);
    assert_eq!(both.get_all(ROOT, "diagnosis").unwrap().len(), 2);
    assert!(view(&both).conflicts.is_empty());
}

#[test]
fn foreign_paths_and_forms_are_refused() {
    let id = "00112233-4455-4677-8899-aabbccddeeff";
    let refused = |at: &str, action: PolicyAction<'_>| {
        check_operation(DocumentKind::Order, Writer::Home, false, &path(at), action).unwrap_err()
    };
    let text = Scalar::Str("x".to_owned());
    let put = PolicyAction::Put(&text);
    assert!(matches!(
        refused("price", put),
        PolicyError::UnknownPath { .. }
    ));
    assert!(matches!(
        refused("lines/1/text", put),
        PolicyError::UnknownPath { .. }
    ));
    assert!(matches!(
        refused(&format!("lines/{}/text", id.to_uppercase()), put),
        PolicyError::UnknownPath { .. }
    ));
    assert!(matches!(
        refused("device/condition/a\u{7}", put),
        PolicyError::UnknownPath { .. }
    ));
    assert!(matches!(
        refused("a/b/c/d/e", put),
        PolicyError::Depth { .. }
    ));
    assert!(matches!(
        refused("branch", put),
        PolicyError::OnlyAtCreation { .. }
    ));
    assert!(matches!(
        refused("lines", PolicyAction::MakeMap),
        PolicyError::OnlyAtCreation { .. }
    ));
    assert!(matches!(
        refused("promised_at", put),
        PolicyError::Value { .. }
    ));
    assert!(matches!(
        refused("promised_at", PolicyAction::Put(&Scalar::Int(i64::MAX))),
        PolicyError::Value { .. }
    ));
    assert!(matches!(
        refused("diagnosis", PolicyAction::Put(&Scalar::Null)),
        PolicyError::Value { .. }
    ));
    assert!(matches!(
        refused("diagnosis", PolicyAction::MakeMap),
        PolicyError::Value { .. }
    ));
    assert!(matches!(
        refused(&format!("lines/{id}"), put),
        PolicyError::Value { .. }
    ));
    let long = Scalar::Str("x".repeat(8_001));
    assert!(matches!(
        refused("diagnosis", PolicyAction::Put(&long)),
        PolicyError::Value { .. }
    ));
    let quantity = format!("lines/{id}/quantity");
    assert!(matches!(
        refused(&quantity, PolicyAction::Put(&Scalar::Int(0))),
        PolicyError::Value { .. }
    ));
    assert!(matches!(
        refused(&quantity, PolicyAction::Delete),
        PolicyError::NotRemovable { .. }
    ));
    assert!(matches!(
        refused(&format!("notes/{id}"), PolicyAction::Delete),
        PolicyError::NotRemovable { .. }
    ));
}

#[test]
fn only_the_home_branch_writes_status() {
    let id = "00112233-4455-4677-8899-aabbccddeeff";
    let event = |entry: &str| {
        vec![
            Edit::map(&path(&format!("status/{entry}"))),
            Edit::int(&path(&format!("status/{entry}/rank")), 2),
            Edit::int(&path(&format!("status/{entry}/at")), 1),
            Edit::text(&path(&format!("status/{entry}/to")), "diagnosing"),
        ]
    };
    assert!(accepted(Writer::Home, &event(id)).is_ok());
    assert!(matches!(
        accepted(Writer::Hub, &event(id)),
        Err(PolicyError::Writer { .. })
    ));
    assert!(matches!(
        accepted(Writer::Performing, &event(id)),
        Err(PolicyError::Writer { .. })
    ));
    assert!(matches!(
        accepted(Writer::Home, &event(id)[1..]),
        Err(PolicyError::OnlyWithEntry { .. })
    ));
    assert!(matches!(
        accepted(Writer::Home, &event(id)[..2]),
        Err(PolicyError::Missing { .. })
    ));
    let twice = [event(id), event(id)].concat();
    assert!(matches!(
        accepted(Writer::Home, &twice),
        Err(PolicyError::Value { .. })
    ));
}

#[test]
fn a_creating_change_has_all_that_belongs_to_it() {
    let good = domain::order::create_order(&crate::samples::new_order(2)).unwrap();
    let check = |edits: &[Edit]| check_change(DocumentKind::Order, Writer::Home, true, edits);
    check(&good).unwrap();
    for missing in required_paths(DocumentKind::Order) {
        let edits: Vec<Edit> = good
            .iter()
            .filter(|edit| edit.path != *missing)
            .cloned()
            .collect();
        assert!(
            matches!(check(&edits), Err(PolicyError::Missing { .. })),
            "{missing:?}"
        );
    }
    let without_event: Vec<Edit> = good
        .iter()
        .filter(|edit| edit.path[0] != "status" || edit.path.len() == 1)
        .cloned()
        .collect();
    assert!(matches!(
        check(&without_event),
        Err(PolicyError::Missing { .. })
    ));
    assert!(check_change(DocumentKind::Order, Writer::Hub, true, &good).is_err());
    assert!(check_change(DocumentKind::Customer, Writer::Home, true, &good).is_err());
}

#[test]
fn the_tables_hold_the_paths_of_the_format() {
    let order = table_paths(DocumentKind::Order).join(" ");
    assert_eq!(
        order,
        "v number branch visit customer source prices_include_tax currency device device/category device/brand \
         device/model device/serial device/fault device/accessories device/accessories/ID device/condition \
         device/condition/KEY promised_at technician urgent terms_at diagnosis outcome lines lines/ID lines/ID/kind \
         lines/ID/text lines/ID/sku lines/ID/part lines/ID/quantity lines/ID/unit_minor lines/ID/tax_bp notes \
         notes/ID notes/ID/text notes/ID/staff notes/ID/at status status/ID status/ID/rank status/ID/to \
         status/ID/outcome status/ID/staff status/ID/at status/ID/undoes estimates estimates/ID estimates/ID/version \
         estimates/ID/gross_minor estimates/ID/answer estimates/ID/by estimates/ID/at"
    );
    assert_eq!(
        table_paths(DocumentKind::Customer).join(" "),
        "v home language merged_into consent consent/KEY name phone email address note"
    );
    assert_eq!(
        table_paths(DocumentKind::Inventory).join(" "),
        "v branch part bin reorder_point note barcodes barcodes/KEY"
    );
}
