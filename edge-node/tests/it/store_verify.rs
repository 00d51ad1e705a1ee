//! Verify and rebuild: replaying gives the same tables (INV-15), and every change by hand is noticed and named.

use domain::cash::{CashDirection, CashMoved, CashOpened};
use domain::day::DayClosed;
use domain::id::{
    BranchId, DocumentId, LineId, PaymentId, ReceiptId, RefundId, RepaymentId, SessionId, StaffId,
    TransferId,
};
use domain::money::Currency;
use domain::order::RateTotal;
use domain::payment::{Hold, HoldState};
use domain::preset::PresetRow;
use domain::staff::{CredentialRow, Role, StaffRow};
use domain::stock::{Movement, MovementKind};
use domain::till::{
    AccountRow, Goods, Receipt, ReceiptLine, ReceiptLineKind, Refund, RefundAsked, RefundLine,
    RefundTender, Tender, TenderLine, TillRules,
};
use domain::transfer::{TransferLine, TransferRequest};
use edge_node::store::{Store, rebuild, verify};
use sync_protocol::feed::FeedId;
use sync_protocol::hash::sha256;
use sync_protocol::item::{
    AuditNote, ImportRecord, Item, LineClosed, NodeEnrolled, PersonErased, Row, Verdict,
    VerdictKind, command,
};
use sync_protocol::position::{Epoch, NodeId, Position};

use crate::support::*;

/// A branch with at least one row in every derived table that can have one.
fn full() -> Branch {
    let mut branch = Branch::new();
    let store = branch.open();
    fill_feeds(&store);
    let order = write_order(&store, "one");
    write_note(&store, order, "first").unwrap();
    write_customer(&store, "Ada", "555 0101", "ada@example.org");
    receive(&store, part(1), 10);
    write_reserve(&store, part(1), 2);
    write_movement(
        &store,
        Movement::new(BRANCH, part(2), MovementKind::Scrap, 1),
    );
    store
        .write_blocking(move |tx| {
            tx.begin(command::TRANSFER, &ACTOR)?;
            let lines = vec![TransferLine {
                part: part(1),
                quantity: 1,
            }];
            let (id, from) = (
                TransferId::from_bytes([4; 16]),
                BranchId::from_bytes([8; 16]),
            );
            tx.fact(Item::TransferRequest(TransferRequest {
                id,
                from,
                to: BRANCH,
                lines,
                note: String::new(),
            }))?;
            tx.fact(Item::Note(AuditNote {
                subject: [1; 16],
                text: "a note".to_owned(),
            }))?;
            tx.fact(Item::ImportRecord(ImportRecord {
                source: "ords/a/1".to_owned(),
                order,
                fingerprint: sha256(b"x"),
            }))?;
            let setting = domain::id::DocumentId::from_random(&mut tx.random());
            let patch = domain::inventory::InventoryPatch {
                bin: domain::patch::Patch::Set("A1".to_owned()),
                ..Default::default()
            };
            let edits = domain::inventory::create_inventory(BRANCH, part(1), &patch).unwrap();
            tx.edit_document(setting, domain::document::DocumentKind::Inventory, &edits)?;
            Ok(())
        })
        .unwrap();
    store
        .write_blocking(move |tx| {
            tx.begin(command::SALE, &ACTOR)?;
            for item in money(order) {
                tx.fact(item)?;
            }
            Ok(())
        })
        .unwrap();
    drop(store);
    branch
}

/// A cash session, a receipt and what was given back of it, and the other records of a till.
fn money(order: DocumentId) -> Vec<Item> {
    let session = SessionId::from_bytes([0x21; 16]);
    let receipt = ReceiptId::from_bytes([0x22; 16]);
    let payment = PaymentId::from_bytes([0x23; 16]);
    let line = LineId::from_bytes([0x24; 16]);
    let lines = vec![RefundLine {
        line,
        quantity: 1,
        goods: Goods::Stay,
    }];
    vec![
        Item::CashOpened(CashOpened {
            id: session,
            register: 1,
            currency: Currency::EUR,
            float_minor: 5_000,
        }),
        Item::CashMoved(CashMoved {
            session,
            number: 1,
            direction: CashDirection::In,
            amount_minor: 100,
            reason: "change".to_owned(),
        }),
        Item::Receipt(Receipt {
            id: receipt,
            register: 1,
            session: Some(session),
            series: b'A',
            number: 1,
            customer: None,
            currency: Currency::EUR,
            lines: vec![ReceiptLine {
                id: line,
                kind: ReceiptLineKind::Service,
                order: Some(order),
                part: None,
                text: "Cleaned".to_owned(),
                quantity: 2,
                unit_minor: 1_000,
                tax_bp: 0,
                includes_tax: true,
            }],
            tenders: vec![TenderLine {
                payment,
                tender: Tender::Cash,
                amount_minor: 2_000,
                given_minor: 2_000,
                way: None,
            }],
        }),
        Item::RefundAsked(RefundAsked {
            id: RefundId::from_bytes([0x25; 16]),
            receipt,
            currency: Currency::EUR,
            lines: lines.clone(),
            amount_minor: 1_000,
            reason: "dirty".to_owned(),
        }),
        Item::Refund(Refund {
            id: RefundId::from_bytes([0x26; 16]),
            receipt,
            register: 1,
            session: Some(session),
            series: b'A',
            number: 2,
            currency: Currency::EUR,
            lines,
            rates: vec![RateTotal {
                tax_bp: 0,
                net_minor: 1_000,
                tax_minor: 0,
                gross_minor: 1_000,
            }],
            deposits_minor: 0,
            tenders: vec![RefundTender {
                id: RepaymentId::from_bytes([0x27; 16]),
                payment,
                tender: Tender::Cash,
                amount_minor: 1_000,
            }],
            reason: "dirty".to_owned(),
        }),
        Item::Hold(Hold {
            payment,
            order,
            until_ms: NOW_MS,
            state: HoldState::Begun,
        }),
        Item::DayClosed(DayClosed {
            business_day: 20_000,
            currency: Currency::EUR,
            feed: 1,
            documents: 1,
            documents_digest: [1; 32],
            parts: 1,
            stock_digest: [2; 32],
            balances: Vec::new(),
            numbers: Vec::new(),
            open_sessions: 1,
            open_orders: 1,
        }),
    ]
}

fn fill_feeds(store: &Store) {
    let mut chain = HubFeed::new(FeedId::chain());
    let staff = StaffId::from_bytes([9; 16]);
    let row = StaffRow {
        username: "ada".to_owned(),
        name: "Ada".to_owned(),
        role: Role::Clerk,
        branches: Vec::new(),
        active: true,
    };
    let preset = PresetRow {
        category: String::new(),
        fault: "screen".to_owned(),
        service: "replace".to_owned(),
        price_minor: 1,
        currency: Currency::EUR,
        tax_bp: 0,
        minutes: 5,
        active: true,
    };
    apply(
        store,
        chain.block(&[vec![
            branch_item(BRANCH, "BER", 1),
            part_item(part(1), "A", 1),
            part_item(part(2), "B", 1),
            Item::Staff(Row {
                id: staff,
                version: 1,
                deleted: false,
                fields: row,
            }),
            Item::Preset(Row {
                id: domain::id::PresetId::NIL,
                version: 1,
                deleted: false,
                fields: preset,
            }),
            Item::Company(Row {
                id: BranchId::NIL,
                version: 1,
                deleted: false,
                fields: Default::default(),
            }),
            Item::TillRules(Row {
                id: BRANCH,
                version: 1,
                deleted: false,
                fields: TillRules::default(),
            }),
            Item::Account(Row {
                id: DocumentId::from_bytes([0x28; 16]),
                version: 1,
                deleted: false,
                fields: AccountRow {
                    limit_minor: 1_000,
                    due_days: 14,
                },
            }),
        ]]),
    );
    let mut private = HubFeed::new(FeedId::private(BRANCH));
    let credential = CredentialRow {
        staff,
        password_hash: "$argon2id$".to_owned(),
    };
    let position = Position {
        node: NodeId(5),
        epoch: Epoch(6),
        seq: 7,
    };
    apply(
        store,
        private.block(&[vec![
            Item::Credential(Row {
                id: staff,
                version: 1,
                deleted: false,
                fields: credential,
            }),
            Item::Verdict(Verdict {
                position,
                item: None,
                verdict: VerdictKind::Parked,
                reason: "r".to_owned(),
            }),
            Item::change(
                domain::id::DocumentId::NIL,
                domain::document::DocumentKind::Order,
                vec![1],
            ),
        ]]),
    );
    let mut availability = HubFeed::new(FeedId::availability("north"));
    let quantity = domain::availability::AvailabilityRow {
        branch: BranchId::from_bytes([8; 16]),
        part: part(1),
        quantity: 3,
        as_of_ms: NOW_MS,
    };
    apply(
        store,
        availability.block(&[vec![Item::Availability(quantity)]]),
    );
    let mut register = HubFeed::new(FeedId::register());
    apply(
        store,
        register.block(&[vec![
            Item::NodeEnrolled(NodeEnrolled {
                node: NodeId(5),
                branch: BRANCH,
                public_key: [1; 32],
                former: None,
            }),
            Item::PersonErased(PersonErased {
                person: domain::id::DocumentId::from_bytes([3; 16]),
            }),
            Item::LineClosed(LineClosed {
                last: position,
                hash: [2; 32],
            }),
        ]]),
    );
}

#[test]
fn an_untouched_database_verifies_and_reports_its_sums() {
    let branch = full();
    let report = verify(branch.path()).unwrap();
    assert!(report.ok, "{:?}", report.differences);
    assert!(report.log.intact && report.log.first_bad.is_none());
    assert_eq!(report.branch, "BER");
    let first = &report.stock[0];
    assert_eq!(
        (
            first.sku.as_deref(),
            first.on_hand,
            first.reserved,
            first.movements
        ),
        (Some("A"), 10, 2, 1)
    );
    for (table, rows) in &report.tables {
        let may_be_empty = [
            "conflict",
            "session",
            "idempotency",
            "incident",
            "parked_basket",
            "signed_head",
        ];
        assert!(
            *rows > 0 || may_be_empty.contains(table),
            "{table} has no row to tamper with"
        );
    }
}

#[test]
fn a_change_by_hand_in_any_table_is_noticed_and_named() {
    let tampering = [
        ("log_entry", "delete from log_entry where seq = 3"),
        (
            "log_entry",
            "delete from log_entry where seq = (select max(seq) from log_entry)",
        ),
        (
            "log_entry",
            "update log_entry set bytes = zeroblob(length(bytes)) where seq = 2",
        ),
        (
            "log_entry",
            "update log_entry set chain = zeroblob(32) where seq = 2",
        ),
        (
            "log_entry",
            "update log_entry set epoch = epoch + 1 where seq = 2",
        ),
        (
            "lineage",
            "insert into lineage values (5, 6, 700, zeroblob(32))",
        ),
        ("feed_entry", "delete from feed_entry where kind = 2"),
        (
            "feed_entry",
            "update feed_entry set bytes = zeroblob(8) where kind = 3",
        ),
        (
            "feed_cursor",
            "update feed_cursor set n = n + 1 where kind = 2",
        ),
        ("apply_order", "delete from apply_order where ord = 2"),
        (
            "sync_state",
            "update sync_state set ack_seq = 2, ack_hash = zeroblob(32)",
        ),
        ("document", "delete from document where kind = 1"),
        (
            "document",
            "update document set heads = zeroblob(32) where kind = 1",
        ),
        (
            "document",
            "update document set saved = zeroblob(40) where kind = 2",
        ),
        (
            "document",
            "update document set origins = x'00' where kind = 1",
        ),
        ("decision", "delete from decision"),
        ("parked_item", "delete from parked_item"),
        ("repair_order", "delete from repair_order"),
        ("repair_order", "update repair_order set status = 'ready'"),
        (
            "repair_order",
            "update repair_order set view = replace(view, 'one', 'two')",
        ),
        (
            "repair_order",
            "insert into repair_order select row + 1, zeroblob(16), number, branch, visit, customer, status, outcome, technician, urgent, promised_at, created_at, updated_at, source, serial, own_seq, view from repair_order",
        ),
        ("order_text", "update order_text set words = 'other'"),
        (
            "import_record",
            "update import_record set fingerprint = zeroblob(32)",
        ),
        ("customer", "update customer set name = phone"),
        (
            "inventory_setting",
            "update inventory_setting set bin = 'B2'",
        ),
        ("movement", "update movement set quantity = quantity + 1"),
        ("movement", "delete from movement where kind = 2"),
        ("stock", "update stock set on_hand = on_hand + 1"),
        ("stock", "update stock set reserved = reserved - 1"),
        ("reservation", "update reservation set open = 0"),
        ("transfer_record", "delete from transfer_record"),
        ("transfer", "update transfer set state = 'shipped'"),
        ("branch", "update branch set code = 'XXX'"),
        ("staff", "update staff set username = 'eve'"),
        ("credential", "update credential set password_hash = 'x'"),
        (
            "part",
            "update part set fields = replace(fields, '4990', '1')",
        ),
        ("preset", "delete from preset"),
        ("company", "delete from company"),
        ("availability", "update availability set quantity = 9"),
        ("known_node", "update known_node set revoked = 'x'"),
        ("closed_line", "delete from closed_line"),
        ("erased_person", "delete from erased_person"),
        ("verdict", "delete from verdict"),
        ("audit_note", "update audit_note set text = 'other'"),
        ("log_header", "delete from log_header where seq = 2"),
        ("log_header", "update log_header set nth = nth + 1"),
        ("barcode", "delete from barcode"),
        ("barcode", "update barcode set code = 'other'"),
        ("person_key", "delete from person_key"),
        ("receipt", "update receipt set gross = gross + 1"),
        ("order_money", "delete from order_money"),
        ("refund", "update refund set amount = 1"),
        ("refund_asked", "update refund_asked set state = 'approved'"),
        (
            "payment_record",
            "delete from payment_record where kind = 81",
        ),
        ("payment", "update payment set state = 'declined'"),
        ("cash_session", "update cash_session set float = 1"),
        ("cash_move", "update cash_move set amount = 1"),
        ("money_entry", "delete from money_entry where row = 1"),
        (
            "money_balance",
            "update money_balance set balance = balance + 1",
        ),
        ("paper_series", "update paper_series set number = 9"),
        ("hold", "update hold set until = 1"),
        ("day_closed", "update day_closed set feed = 2"),
        ("till_rules", "delete from till_rules"),
        ("account", "delete from account"),
    ];
    let original = full();
    for (table, sql) in tampering {
        let branch = copy(&original);
        branch.tamper(sql);
        let report = verify(branch.path()).unwrap();
        assert!(!report.ok, "not noticed: {sql}");
        let named: Vec<&str> = report
            .differences
            .iter()
            .map(|difference| difference.table.as_str())
            .collect();
        assert!(
            named.contains(&table),
            "{sql}: {table} is not among {named:?}"
        );
    }
}

#[test]
fn the_words_for_search_are_checked_below_their_surface() {
    let branch = full();
    branch.tamper("delete from order_text_docsize");
    assert!(!verify(branch.path()).unwrap().ok);
}

fn copy(original: &Branch) -> Branch {
    let copy = Branch::new();
    let mut open = vec![std::path::PathBuf::new()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(original.path().join(&folder)).unwrap() {
            let name = folder.join(entry.unwrap().file_name());
            let (from, to) = (original.path().join(&name), copy.path().join(&name));
            if from.is_dir() {
                std::fs::create_dir_all(&to).unwrap();
                open.push(name);
            } else {
                std::fs::copy(from, to).unwrap();
            }
        }
    }
    copy
}

#[test]
fn verify_runs_beside_the_server_and_a_rebuild_mends_tables_but_no_log() {
    let mut branch = full();
    branch.tamper("update stock set on_hand = 77");
    branch.tamper("delete from repair_order");
    let store = branch.open();
    assert!(!verify(branch.path()).unwrap().ok);
    assert!(
        rebuild(branch.path()).is_err(),
        "a rebuild refuses beside a server"
    );
    drop(store);
    rebuild(branch.path()).unwrap();
    let report = verify(branch.path()).unwrap();
    assert!(report.ok, "{:?}", report.differences);
    branch.tamper("update log_entry set bytes = zeroblob(40) where seq = 2");
    assert!(rebuild(branch.path()).is_err());
}
