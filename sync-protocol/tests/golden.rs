//! Golden frames of protocol 1, kept for ever in `fixtures/wire/v1`.
//!
//! Goal: no change of a struct, a dependency or a compiler ever changes a byte that another version wrote. A frame
//! that is missing is written when `COUNTERPART_WRITE_GOLDEN` is set; one that differs is always a failure.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "golden frames are files, and a test may read them"
)]

use std::path::PathBuf;

use domain::document::DocumentKind;
use domain::id::{BranchId, DocumentId, LineId, PartId, StaffId};
use domain::stock::{Movement, MovementKind};
use ed25519_dalek::SigningKey;
use sync_protocol::block::{Block, BlockWriter};
use sync_protocol::feed::{Cursor, FeedBlock, FeedEntry, FeedId, FeedKind, FeedTip, head_mac};
use sync_protocol::frame::{FrameType, encode, encode_compressed};
use sync_protocol::head::{HeadClaim, SignedHead, StockBalance, stock_digest};
use sync_protocol::item::{
    AuditNote, ImportRecord, Item, Release, Reserve, Verdict, VerdictKind, command, encode_body,
};
use sync_protocol::line::LineageRow;
use sync_protocol::look_up::{
    Ask, Attach, Attached, Find, Found, FoundPerson, LookUp, LookUpAnswer, Refusal, Reply,
};
use sync_protocol::mending::LogSpan;
use sync_protocol::mending::feed::FeedSpan;
use sync_protocol::message::{
    Absent, Ack, Close, CloseReason, FeedAck, FeedHead, GivenKey, Hello, KeyGive, KeyState,
    KeyWant, Ping, Want, Welcome,
};
use sync_protocol::position::{
    Epoch, NodeId, Position, Tip, start_of_branch_line, start_of_hub_line,
};
use sync_protocol::testing::frames;
use sync_protocol::transaction::{Header, RawItem, Transaction};

const NODE: NodeId = NodeId(0x0a0b_0c0d);

fn branch() -> BranchId {
    BranchId::from_bytes([0x11; 16])
}

fn header(command: u16) -> Header {
    Header {
        flags: 1,
        command,
        hlc: (1_795_000_000_000 << 16) | 5,
        staff: StaffId::from_bytes([0x22; 16]),
        terminal: 3,
        business_day: 20_778,
        items: 0,
    }
}

fn transaction() -> Transaction {
    let part = PartId::from_bytes([0x33; 16]);
    let line = LineId::from_bytes([0x44; 16]);
    let used =
        Movement::new(branch(), part, MovementKind::Use, 2).about([0x55; 16], *line.as_bytes(), 1);
    let items = vec![
        Item::change(
            DocumentId::from_bytes([0x55; 16]),
            DocumentKind::Order,
            vec![1, 2, 3],
        )
        .to_raw(),
        Item::Movement(used).to_raw(),
        Item::Reserve(Reserve {
            id: line,
            part,
            quantity: 2,
        })
        .to_raw(),
        Item::Release(Release { reservation: line }).to_raw(),
        Item::Note(AuditNote {
            subject: [0; 16],
            text: "größer".to_owned(),
        })
        .to_raw(),
        Item::ImportRecord(ImportRecord {
            source: "ords/Example/1".to_owned(),
            order: DocumentId::from_bytes([0x55; 16]),
            fingerprint: [0x66; 32],
        })
        .to_raw(),
        RawItem::Erased {
            kind: 65,
            hash: [0x77; 32],
        },
    ];
    Transaction::new(header(command::ORDER_LINE), items).unwrap()
}

fn tip() -> Tip {
    Tip {
        epoch: Epoch(0x0123_4567_89ab_cdef),
        seq: 41,
        hash: [0x88; 32],
    }
}

fn block_bytes() -> Vec<u8> {
    let start = start_of_branch_line(NODE, branch());
    let mut writer = BlockWriter::new(NODE, Epoch(9), 1, &start);
    assert!(writer.push(Epoch(9), 1, &transaction().to_bytes()));
    assert!(writer.push(Epoch(9), 2, &transaction().to_bytes()));
    writer.finish()
}

fn feed_block_bytes() -> Vec<u8> {
    let verdict = Item::Verdict(Verdict {
        position: Position {
            node: NODE,
            epoch: Epoch(9),
            seq: 2,
        },
        item: Some(0),
        verdict: VerdictKind::Parked,
        reason: "lines/ID: may not be written".to_owned(),
    });
    let transaction = Transaction::new(header(command::VERDICT), vec![verdict.to_raw()]).unwrap();
    let entry = FeedEntry {
        origin: Position {
            node: NodeId::HUB,
            epoch: Epoch(77),
            seq: 8,
        },
        header: transaction.header,
        items: vec![(0, transaction.items[0].clone())],
    };
    let feed = FeedId::private(branch());
    let mut bytes = FeedBlock::start_bytes(feed, 1, &feed.start());
    bytes.extend_from_slice(&entry.to_bytes());
    bytes
}

fn hello() -> Hello {
    Hello {
        current_epoch: Epoch(10),
        tip: tip(),
        last_ack: Tip {
            epoch: Epoch(9),
            seq: 40,
            hash: [0x99; 32],
        },
        lineage: vec![LineageRow {
            epoch: Epoch(10),
            parent: tip(),
        }],
        cursors: vec![Cursor::new(FeedKind::Chain, 12, &[0xaa; 32])],
        keys: KeyState::of(vec![
            (DocumentId::from_bytes([1; 16]), 0),
            (DocumentId::from_bytes([2; 16]), 1),
        ]),
        hlc: 1_795_000_000_000 << 16,
        schema: 1,
        version: "0.1.0".to_owned(),
    }
}

fn golden() -> Vec<(&'static str, Vec<u8>)> {
    let key = SigningKey::from_bytes(&[5; 32]);
    let stock = stock_digest(vec![StockBalance {
        part: PartId::from_bytes([0x33; 16]),
        on_hand: -2,
        movements: 7,
    }]);
    let head = SignedHead::sign(
        HeadClaim {
            node: NODE,
            tip: tip(),
            stock,
        },
        &key,
    );
    let seen = head.countersign(&SigningKey::from_bytes(&[6; 32]));
    let feed = FeedId::availability("north");
    let feed_tip = FeedTip {
        n: 3,
        running: [0xbb; 32],
    };
    let welcome = Welcome {
        session: 4,
        tip: Some(tip()),
        applied: 41,
        schema: 1,
        hlc: 1_795_000_000_001 << 16,
        cursors: vec![Cursor::new(FeedKind::Private, 2, &[0xcc; 32])],
        keys: Some(KeyState::default()),
    };
    vec![
        ("hello", hello().to_frame()),
        ("welcome", welcome.to_frame()),
        ("block", encode(FrameType::Block, &block_bytes())),
        (
            "ack",
            Ack {
                stored: tip(),
                applied: 40,
            }
            .to_frame(),
        ),
        (
            "feed_block",
            encode(FrameType::FeedBlock, &feed_block_bytes()),
        ),
        (
            "feed_ack",
            FeedAck {
                cursors: vec![Cursor::new(FeedKind::Register, 1, &[0xdd; 32])],
            }
            .to_frame(),
        ),
        ("feed_head", feed_head(feed, &feed_tip).to_frame()),
        (
            "key_want",
            KeyWant {
                persons: vec![DocumentId::from_bytes([1; 16])],
            }
            .to_frame(),
        ),
        (
            "key_give",
            KeyGive {
                keys: vec![GivenKey {
                    person: DocumentId::from_bytes([1; 16]),
                    generation: 0,
                    key: [7; 32],
                }],
            }
            .to_frame(),
        ),
        ("head", encode(FrameType::Head, &encode_body(&head))),
        (
            "countersignature",
            encode(FrameType::Countersignature, &encode_body(&seen)),
        ),
        (
            "close",
            Close {
                reason: CloseReason::Revoked,
                detail: "revoked: stolen".to_owned(),
            }
            .to_frame(),
        ),
        (
            "look_up_find",
            LookUp::new(300, StaffId::from_bytes([0x22; 16]), &look_for()).to_frame(),
        ),
        (
            "look_up_attach",
            LookUp::new(
                301,
                StaffId::from_bytes([0x22; 16]),
                &Ask::Attach(Attach {
                    person: DocumentId::from_bytes([1; 16]),
                }),
            )
            .to_frame(),
        ),
        (
            "look_up_found",
            LookUpAnswer::new(300, &looked_up()).to_frame(),
        ),
        (
            "look_up_attached",
            LookUpAnswer::new(
                301,
                &Reply::Attached(Attached {
                    person: DocumentId::from_bytes([1; 16]),
                    feed_n: 300,
                    already: false,
                }),
            )
            .to_frame(),
        ),
        (
            "look_up_refused",
            LookUpAnswer::new(302, &Reply::Refused(Refusal::TooMany)).to_frame(),
        ),
        ("want_log", want().to_frame()),
        ("absent", Absent { want: want() }.to_frame()),
        ("want_feed", want_feed().to_frame()),
        ("absent_feed", Absent { want: want_feed() }.to_frame()),
        ("ping", Ping { number: 300 }.to_frame()),
        ("pong", Ping { number: 300 }.to_pong_frame()),
    ]
}

fn want() -> Want {
    Want::Log(LogSpan {
        node: NODE,
        epoch: tip().epoch,
        first: 300,
        last: 555,
    })
}

fn want_feed() -> Want {
    Want::Feed(FeedSpan {
        kind: FeedKind::Availability,
        first: 300,
        last: 555,
    })
}

fn look_for() -> Ask {
    Ask::Find(Find {
        text: "großm".to_owned(),
        limit: 10,
    })
}

fn looked_up() -> Reply {
    Reply::Found(Found {
        people: vec![FoundPerson {
            person: DocumentId::from_bytes([1; 16]),
            name: "Jürgen Großmann".to_owned(),
            reach: "…7731".to_owned(),
            home: branch(),
            orders: 3,
            attached: true,
        }],
    })
}

fn feed_head(feed: FeedId, tip: &FeedTip) -> FeedHead {
    FeedHead {
        feed_kind: feed.kind as u8,
        scope: feed.scope,
        n: tip.n,
        running: tip.running,
        mac: head_mac(&[8; 32], feed, tip),
    }
}

#[test]
fn every_frame_has_the_bytes_that_it_always_had() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fixtures/wire/v1");
    for (name, bytes) in golden() {
        let path = folder.join(format!("{name}.bin"));
        if !path.exists() && std::env::var_os("COUNTERPART_WRITE_GOLDEN").is_some() {
            std::fs::write(&path, &bytes).unwrap();
        }
        let kept =
            std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(bytes, kept, "{name} changed");
        assert_eq!(frames(&kept).unwrap().len(), 1, "{name} reads as one frame");
    }
}

#[test]
fn golden_bodies_read_as_what_was_written() {
    let read = |name: &str| {
        let (_, bytes) = golden()
            .into_iter()
            .find(|(golden, _)| *golden == name)
            .unwrap();
        frames(&bytes).unwrap().remove(0).body
    };
    assert_eq!(Hello::from_body(&read("hello")).unwrap(), hello());
    let entries = Block::decode(&read("block")).unwrap().entries();
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[1].transaction, transaction());
    let block = FeedBlock::decode(&read("feed_block")).unwrap();
    assert!(matches!(
        Item::from_raw(&block.entries[0].items[0].1).unwrap(),
        Some(Item::Verdict(_))
    ));
}

#[test]
fn a_compressed_block_is_the_same_block() {
    let packed = sync_protocol::compress::compress(&block_bytes());
    let frame = frames(&encode_compressed(FrameType::Block, &packed))
        .unwrap()
        .remove(0);
    assert_eq!(frame.body, block_bytes());
}

#[test]
fn hashes_have_the_values_that_they_always_had() {
    let hex = |bytes: &[u8]| {
        bytes
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    let entries = Block::decode(&block_bytes()).unwrap().entries();
    let values = [
        hex(&start_of_branch_line(NODE, branch())),
        hex(&start_of_hub_line(Epoch(77))),
        hex(&transaction().hash()),
        hex(&entries[1].hash),
        hex(&entries[0].position.fact_uuid(1)),
        hex(&FeedBlock::decode(&feed_block_bytes())
            .unwrap()
            .tip()
            .running),
    ];
    let kept = std::fs::read_to_string(
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fixtures/wire/v1/hashes.txt"),
    )
    .unwrap_or_default();
    assert_eq!(
        values.join("\n"),
        kept.trim_end(),
        "start, hub start, transaction, chain, fact id, feed"
    );
}
