//! A rebuild from the logs gives the same tables, and whatever is tampered with is named.

use domain::company::CompanyRow;
use domain::document::{DocumentKind, Edit};
use domain::id::{BranchId, DocumentId, LineId, PresetId, StaffId, TransferId};
use domain::inventory::InventoryPatch;
use domain::money::Currency;
use domain::order::Status;
use domain::part::PartRow;
use domain::patch::Patch;
use domain::preset::PresetRow;
use domain::staff::{CredentialRow, Role, StaffRow};
use domain::stock::MovementKind;
use domain::transfer::{Plan, PlanState, TransferLine};
use hub::app::Actor;
use sync_protocol::item::{AuditNote, ImportRecord, Item, PersonErased, Reserve, Row, command};
use sync_protocol::transaction::RawItem;

use crate::support::{World, part};

/// A little of everything that a table can hold.
async fn fill(world: &mut World) {
    let (mut first, second) = (world.branch("AAA").await, world.branch("BBB").await);
    let mut tx = world.hub.begin(Actor::SYSTEM, command::ROWS).await.unwrap();
    let person = StaffId::from_bytes([1; 16]);
    let fields = StaffRow {
        username: "ada".to_owned(),
        name: "Ada".to_owned(),
        role: Role::Clerk,
        branches: vec![first.branch],
        active: true,
    };
    tx.fact(Item::Staff(Row {
        id: person,
        version: 1,
        deleted: false,
        fields,
    }));
    let fields = CredentialRow {
        staff: person,
        password_hash: "$argon2id$".to_owned(),
    };
    tx.fact(Item::Credential(Row {
        id: person,
        version: 1,
        deleted: false,
        fields,
    }));
    let fields = PartRow {
        sku: "SCREEN".to_owned(),
        name: "Screen".to_owned(),
        category: String::new(),
        price_minor: 4_990,
        currency: Currency::EUR,
        tax_bp: 1_900,
        barcodes: vec!["123".to_owned()],
        active: true,
    };
    tx.fact(Item::Part(Row {
        id: part(1),
        version: 1,
        deleted: false,
        fields,
    }));
    let fields = PresetRow {
        category: "Phone".to_owned(),
        fault: "broken".to_owned(),
        service: "Repair".to_owned(),
        price_minor: 100,
        currency: Currency::EUR,
        tax_bp: 0,
        minutes: 10,
        active: true,
    };
    tx.fact(Item::Preset(Row {
        id: PresetId::from_bytes([4; 16]),
        version: 1,
        deleted: false,
        fields,
    }));
    let fields = CompanyRow {
        legal_name: "Shops".to_owned(),
        ..CompanyRow::default()
    };
    tx.fact(Item::Company(Row {
        id: BranchId::NIL,
        version: 1,
        deleted: false,
        fields,
    }));
    let plan = Plan {
        id: TransferId::from_bytes([3; 16]),
        from: first.branch,
        to: second.branch,
        lines: vec![TransferLine {
            part: part(1),
            quantity: 2,
        }],
        version: 1,
        state: PlanState::Approved,
        reason: String::new(),
    };
    tx.fact(Item::Plan(plan));
    tx.fact(Item::PersonErased(PersonErased {
        person: DocumentId::from_bytes([6; 16]),
    }));
    tx.commit().await.unwrap();

    let (customer, _, created) = first.new_customer("Grace Hopper");
    let (order, taken) = first.new_order(Some(customer));
    let opening = first.movement(part(1), MovementKind::Opening, 10);
    let used = first.movement_about(part(1), MovementKind::Use, 1, [5; 16], [5; 16], 0);
    let settings = InventoryPatch {
        bin: Patch::Set("A1".to_owned()),
        ..InventoryPatch::default()
    };
    let edits = domain::inventory::create_inventory(first.branch, part(1), &settings).unwrap();
    let setting = DocumentId::from_random(&mut first.entropy);
    let note = Item::Note(AuditNote {
        subject: [1; 16],
        text: "looked".to_owned(),
    });
    let record = ImportRecord {
        source: "ords/x/1".to_owned(),
        order,
        fingerprint: [2; 32],
    };
    let reserve = Item::Reserve(Reserve {
        id: LineId::from_bytes([5; 16]),
        part: part(1),
        quantity: 2,
    });
    let mut entries = vec![
        first.tx(vec![created, taken]),
        first.tx(vec![opening, note, reserve, used]),
    ];
    let placed = first.edit(setting, DocumentKind::Inventory, &edits);
    entries.push(first.tx(vec![placed, Item::ImportRecord(record)]));
    let moved = first.move_order(order, Status::Diagnosing);
    entries.push(first.tx(vec![moved]));
    entries.push(first.tx_raw(vec![RawItem::Present {
        kind: 999,
        body: vec![],
    }]));
    first.send(&world.hub, entries).await;
    world
        .hub
        .check_head(first.node, &first.signed_head())
        .await
        .unwrap()
        .unwrap();
    world.hub.cut_availability(false).await.unwrap();
    let mut tx = world
        .hub
        .begin(Actor::SYSTEM, command::ORDER_EDIT)
        .await
        .unwrap();
    tx.edit_document(order, DocumentKind::Order, &[Edit::bool(&["urgent"], true)])
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

/// What a tester changes, and the table that must be named.
const TAMPERING: &[(&str, &str)] = &[
    (
        "sync.node",
        "update sync.node set tip_seq = tip_seq - 1 where tip_seq > 0",
    ),
    (
        "sync.node",
        "update sync.node set public_key = decode(repeat('00', 32), 'hex')",
    ),
    ("sync.lineage", "delete from sync.lineage"),
    (
        "sync.hub_line",
        "update sync.hub_line set tip_hash = decode(repeat('00', 32), 'hex')",
    ),
    ("sync.document", "delete from sync.document where kind = 1"),
    (
        "sync.document",
        "update sync.document set saved = set_byte(saved, 40, get_byte(saved, 40) # 1) where kind = 2",
    ),
    ("sync.interest", "delete from sync.interest"),
    ("sync.feed", "update sync.feed set n = n + 1"),
    ("sync.feed_entry", "delete from sync.feed_entry where n = 1"),
    ("sync.parked", "update sync.parked set reason = 'other'"),
    (
        "orders.repair_order",
        "update orders.repair_order set status = 'ready'",
    ),
    (
        "orders.repair_order",
        "update orders.repair_order set view = jsonb_set(view, '{urgent}', 'false')",
    ),
    ("orders.import_record", "delete from orders.import_record"),
    (
        "inventory.movement",
        "update inventory.movement set quantity = quantity + 1 where kind = 1",
    ),
    (
        "inventory.movement",
        "delete from inventory.movement where kind = 4",
    ),
    (
        "inventory.business_key",
        "delete from inventory.business_key",
    ),
    (
        "inventory.stock",
        "update inventory.stock set on_hand = on_hand + 1",
    ),
    (
        "inventory.reservation",
        "update inventory.reservation set is_open = false",
    ),
    (
        "inventory.transfer",
        "update inventory.transfer set state = 'received'",
    ),
    (
        "inventory.transfer_record",
        "delete from inventory.transfer_record",
    ),
    (
        "inventory.setting",
        "update inventory.setting set bin = 'B2'",
    ),
    (
        "inventory.part",
        "update inventory.part set price_minor = 1",
    ),
    ("inventory.preset", "delete from inventory.preset"),
    (
        "inventory.availability",
        "update inventory.availability set quantity = 99",
    ),
    (
        "customers.customer",
        "update customers.customer set name = null",
    ),
    ("customers.erased", "delete from customers.erased"),
    (
        "locations.branch",
        "update locations.branch set name = 'Other' where code = 'AAA'",
    ),
    ("locations.company", "delete from locations.company"),
    ("staff.staff", "update staff.staff set role = 'operator'"),
    (
        "staff.credential",
        "update staff.credential set password_hash = 'x'",
    ),
    ("audit.note", "delete from audit.note"),
    ("audit.exception", "delete from audit.exception"),
    (
        "audit.signed_head",
        "update audit.signed_head set stock = decode(repeat('00', 32), 'hex')",
    ),
];

/// Derived tables are compared one by one, so all of them can be changed at once.
#[tokio::test]
async fn every_tampered_table_is_named() {
    let mut world = World::new().await;
    fill(&mut world).await;
    for (_, statement) in TAMPERING {
        assert!(
            world.execute(statement).await > 0,
            "{statement} changes nothing"
        );
    }
    let report = world.verify().await;
    assert!(!report.ok);
    for (table, statement) in TAMPERING {
        let is_named = report
            .differences
            .iter()
            .any(|difference| difference.table == *table);
        assert!(is_named, "{statement}: {:#?}", report.differences);
    }
}

async fn tampered_log(statement: &'static str, table: &str) {
    let mut world = World::new().await;
    fill(&mut world).await;
    assert!(
        world.execute(statement).await > 0,
        "{statement} changes nothing"
    );
    let report = world.verify().await;
    let is_named = report
        .differences
        .iter()
        .any(|difference| difference.table == table);
    assert!(
        !report.ok && is_named,
        "{statement}: {:#?}",
        report.differences
    );
}

#[tokio::test]
async fn a_run_that_was_deleted_is_named() {
    tampered_log(
        "delete from sync.apply_order where ord = 2",
        "sync.apply_order",
    )
    .await;
}

#[tokio::test]
async fn the_last_run_that_was_deleted_is_named() {
    tampered_log(
        "delete from sync.apply_order where ord = (select max(ord) from sync.apply_order)",
        "sync.apply_order",
    )
    .await;
}

#[tokio::test]
async fn a_flipped_byte_of_a_log_is_named() {
    tampered_log(
        "update sync.log_block set bytes = set_byte(bytes, 20, get_byte(bytes, 20) # 1) where node > 0",
        "sync.log_block",
    )
    .await;
}

#[tokio::test]
async fn a_deleted_block_of_a_branch_is_named() {
    tampered_log(
        "delete from sync.log_block where node > 0",
        "sync.log_block",
    )
    .await;
}

#[tokio::test]
async fn the_last_deleted_block_of_the_hub_is_named() {
    tampered_log(
        "delete from sync.log_block where node = 0
         and last_seq = (select max(last_seq) from sync.log_block where node = 0)",
        "sync.log_block",
    )
    .await;
}

#[tokio::test]
async fn another_chain_hash_of_a_block_is_named() {
    tampered_log(
        "update sync.log_block set after = decode(repeat('00', 32), 'hex') where node > 0",
        "sync.log_block",
    )
    .await;
}

#[tokio::test]
async fn the_report_says_what_there_is() {
    let mut world = World::new().await;
    fill(&mut world).await;
    let report = world.verify().await;
    assert!(report.ok, "{report:#?}");
    let first = report
        .branches
        .iter()
        .find(|branch| branch.code == "AAA")
        .unwrap();
    assert_eq!((first.orders, first.documents), (1, 3));
    assert_eq!(first.logs.len(), 1);
    assert_eq!((first.logs[0].length, first.logs[0].intact), (5, true));
    assert_eq!((first.stock[0].on_hand, first.stock[0].movements), (9, 2));
    assert!(report.conservation.balanced);
    assert!(report.transactions > 8);
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["differences"], serde_json::json!([]));
}

#[tokio::test]
async fn a_deleted_order_row_is_named_with_its_document() {
    let mut world = World::new().await;
    fill(&mut world).await;
    let document: sqlx::types::Uuid =
        sqlx::query_scalar("delete from orders.repair_order returning document")
            .fetch_one(world.hub.pool())
            .await
            .unwrap();
    let report = world.verify().await;
    let named = report
        .differences
        .iter()
        .any(|difference| difference.key.contains(&document.to_string()));
    assert!(named, "{:#?}", report.differences);
}

#[tokio::test]
async fn groups_do_not_show_in_the_tables() {
    let mut world = World::new().await;
    let mut branch = world.branch("AAA").await;
    let mut entries = Vec::new();
    let mut orders = Vec::new();
    for number in 0..60 {
        let (document, order) = branch.new_order(None);
        orders.push(document);
        let kind = if number % 3 == 0 {
            MovementKind::AdjustFound
        } else {
            MovementKind::AdjustLost
        };
        let movement = branch.movement(part(number % 4), kind, i64::from(number % 5) + 1);
        entries.push(branch.tx(vec![order, movement]));
        if number % 2 == 0 {
            let again = orders[usize::from(number) / 2];
            let status = branch.move_order(again, Status::Diagnosing);
            entries.push(branch.tx(vec![status]));
        }
    }
    let mut rest = entries.as_slice();
    for size in [1, 2, 40, 1, 1, 45] {
        let (group, more) = rest.split_at(size.min(rest.len()));
        branch.send(&world.hub, group.to_vec()).await;
        rest = more;
    }
    assert!(rest.is_empty());
    world.verified().await;
}
