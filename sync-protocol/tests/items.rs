//! Golden bodies of items from kind 67 on, kept for ever in `fixtures/wire/v1/items`.
//!
//! Goal: as for frames, no change of a struct, a dependency or a compiler ever changes a byte of what was written. A body
//! that is missing is written when `COUNTERPART_WRITE_GOLDEN` is set; one that differs is always a failure.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "golden bodies are files, and a test may read them"
)]

use std::path::PathBuf;

use domain::cash::{
    CashClosed, CashDirection, CashMoved, CashOpened, Counted, DayReport, TenderSum,
};
use domain::day::{
    AccountBalance, DayClosed, LastNumber, MoneyCorrection, SettlementKind, SettlementLine,
    SettlementMatch, SignOff,
};
use domain::id::{
    BranchId, CorrectionId, DocumentId, LineId, PartId, PaymentId, ReceiptId, RefundId,
    RepaymentId, SessionId,
};
use domain::ledger::MoneyAccount;
use domain::money::Currency;
use domain::order::RateTotal;
use domain::payment::{
    Hold, HoldState, PaymentAgain, PaymentCancelled, PaymentOutcome, PaymentResult, Provider,
    RepaymentOutcome, RepaymentResult,
};
use domain::till::{
    AccountRow, CardWay, Goods, PaperKind, Receipt, ReceiptLine, ReceiptLineKind, Refund,
    RefundAsked, RefundDecided, RefundLine, RefundTender, Tender, TenderLine, TillRules,
};
use sync_protocol::item::{Attach, ExceptionMark, Item, Mark, Row};
use sync_protocol::transaction::RawItem;

fn eur() -> Currency {
    "EUR".parse().unwrap()
}

fn branch() -> BranchId {
    BranchId::from_bytes([0x11; 16])
}

fn payment() -> PaymentId {
    PaymentId::from_bytes([0x31; 16])
}

fn rates() -> Vec<RateTotal> {
    vec![RateTotal {
        tax_bp: 1900,
        net_minor: 8_235,
        tax_minor: 1_565,
        gross_minor: 9_800,
    }]
}

fn receipt() -> Receipt {
    let order = DocumentId::from_bytes([1; 16]);
    let line = |id: u8, kind, unit_minor| ReceiptLine {
        id: LineId::from_bytes([id; 16]),
        kind,
        order: Some(order),
        part: None,
        text: "Display ersetzt".to_owned(),
        quantity: 1,
        unit_minor,
        tax_bp: 1900,
        includes_tax: true,
    };
    Receipt {
        id: ReceiptId::from_bytes([0x30; 16]),
        register: 1,
        session: Some(SessionId::from_bytes([0x32; 16])),
        series: b'A',
        number: 300,
        customer: Some(DocumentId::from_bytes([2; 16])),
        currency: eur(),
        lines: vec![
            line(5, ReceiptLineKind::Service, 7_900),
            ReceiptLine {
                part: Some(PartId::from_bytes([4; 16])),
                ..line(6, ReceiptLineKind::Part, 1_900)
            },
        ],
        tenders: vec![
            TenderLine {
                payment: payment(),
                tender: Tender::Cash,
                amount_minor: 4_000,
                given_minor: 5_000,
                way: None,
            },
            TenderLine {
                payment: PaymentId::from_bytes([0x33; 16]),
                tender: Tender::Card,
                amount_minor: 5_800,
                given_minor: 0,
                way: Some(CardWay::Link),
            },
        ],
    }
}

fn refund() -> Refund {
    Refund {
        id: RefundId::from_bytes([0x34; 16]),
        receipt: receipt().id,
        register: 1,
        session: None,
        series: b'A',
        number: 2,
        currency: eur(),
        lines: refund_lines(),
        rates: rates(),
        deposits_minor: 0,
        tenders: vec![RefundTender {
            id: RepaymentId::from_bytes([0x35; 16]),
            payment: payment(),
            tender: Tender::Cash,
            amount_minor: 1_900,
        }],
        reason: "does not fit".to_owned(),
    }
}

fn refund_lines() -> Vec<RefundLine> {
    vec![RefundLine {
        line: LineId::from_bytes([6; 16]),
        quantity: 1,
        goods: Goods::Shelf,
    }]
}

fn closed() -> CashClosed {
    CashClosed {
        session: SessionId::from_bytes([0x32; 16]),
        counted: vec![Counted {
            value_minor: 5_000,
            pieces: 3,
        }],
        expected_minor: 15_010,
        left_minor: 10_000,
        reason: "ten cents short".to_owned(),
        series: b'A',
        number: 17,
        former: [7; 32],
        report: DayReport {
            receipts: 12,
            refunds: 1,
            first_number: 289,
            last_number: 300,
            tenders: vec![TenderSum {
                tender: Tender::Cash,
                amount_minor: 5_010,
            }],
            rates: rates(),
            deposits_minor: 2_000,
            in_minor: 0,
            out_minor: 300,
        },
    }
}

fn till() -> Vec<(&'static str, Item)> {
    let session = SessionId::from_bytes([0x32; 16]);
    vec![
        ("receipt", Item::Receipt(receipt())),
        ("refund", Item::Refund(refund())),
        (
            "refund_asked",
            Item::RefundAsked(RefundAsked {
                id: refund().id,
                receipt: receipt().id,
                currency: eur(),
                lines: refund_lines(),
                amount_minor: 1_900,
                reason: "does not fit".to_owned(),
            }),
        ),
        (
            "payment_cancelled",
            Item::PaymentCancelled(PaymentCancelled { payment: payment() }),
        ),
        (
            "payment_again",
            Item::PaymentAgain(PaymentAgain {
                payment: payment(),
                attempt: 2,
            }),
        ),
        (
            "cash_opened",
            Item::CashOpened(CashOpened {
                id: session,
                register: 1,
                currency: eur(),
                float_minor: 10_000,
            }),
        ),
        (
            "cash_moved",
            Item::CashMoved(CashMoved {
                session,
                number: 3,
                direction: CashDirection::Out,
                amount_minor: 300,
                reason: "milk".to_owned(),
            }),
        ),
        ("cash_closed", Item::CashClosed(closed())),
        (
            "day_closed",
            Item::DayClosed(DayClosed {
                business_day: 20_778,
                currency: eur(),
                feed: 4_711,
                documents: 1_000,
                documents_digest: [8; 32],
                parts: 325,
                stock_digest: [9; 32],
                balances: vec![AccountBalance {
                    account: MoneyAccount::Till,
                    balance_minor: 10_000,
                }],
                numbers: vec![LastNumber {
                    kind: PaperKind::Receipt,
                    series: b'A',
                    number: 300,
                }],
                open_sessions: 0,
                open_orders: 67,
            }),
        ),
        (
            "hold",
            Item::Hold(Hold {
                payment: payment(),
                order: DocumentId::from_bytes([1; 16]),
                until_ms: 1_795_000_900_000,
                state: HoldState::Begun,
            }),
        ),
    ]
}

fn of_the_hub() -> Vec<(&'static str, Item)> {
    let repayment = RepaymentId::from_bytes([0x35; 16]);
    vec![
        (
            "account",
            Item::Account(Row {
                id: DocumentId::from_bytes([2; 16]),
                version: 1,
                deleted: false,
                fields: AccountRow {
                    limit_minor: 250_000,
                    due_days: 30,
                },
            }),
        ),
        (
            "till_rules",
            Item::TillRules(Row {
                id: branch(),
                version: 2,
                deleted: false,
                fields: TillRules::default(),
            }),
        ),
        (
            "attach",
            Item::Attach(Attach {
                document: DocumentId::from_bytes([2; 16]),
                branch: branch(),
            }),
        ),
        (
            "exception_closed",
            Item::ExceptionMark(ExceptionMark {
                branch: branch(),
                kind: "superseded".to_owned(),
                subject: [3; 16],
                mark: Mark::Closed {
                    reason: "counted".to_owned(),
                },
            }),
        ),
        (
            "exception_reopened",
            Item::ExceptionMark(ExceptionMark {
                branch: branch(),
                kind: "superseded".to_owned(),
                subject: [3; 16],
                mark: Mark::Reopened {
                    detail: "another movement counts".to_owned(),
                    since_ms: 1_795_000_000_000,
                },
            }),
        ),
        (
            "payment_result",
            Item::PaymentResult(PaymentResult {
                payment: payment(),
                attempt: 1,
                outcome: PaymentOutcome::Captured,
                amount_minor: 5_800,
                tender: Tender::Card,
                provider: Provider::Stripe,
                reference: "pi_3".to_owned(),
                detail: String::new(),
            }),
        ),
        (
            "repayment_result",
            Item::RepaymentResult(RepaymentResult {
                repayment,
                payment: payment(),
                attempt: 2,
                outcome: RepaymentOutcome::Failed,
                amount_minor: 0,
                tender: Tender::Card,
                provider: Provider::Stripe,
                reference: "re_3".to_owned(),
                detail: "the card has expired".to_owned(),
            }),
        ),
        (
            "refund_decided",
            Item::RefundDecided(RefundDecided {
                refund: refund().id,
                branch: branch(),
                approved: true,
                reason: "a good customer".to_owned(),
            }),
        ),
        (
            "settlement_line",
            Item::SettlementLine(SettlementLine {
                provider: Provider::Stripe,
                reference: "txn_3".to_owned(),
                kind: SettlementKind::Charge,
                branch: branch(),
                payment: Some(payment()),
                repayment: None,
                payout: "po_3".to_owned(),
                amount_minor: 5_800,
                fee_minor: 110,
                currency: eur(),
                at_ms: 1_795_000_000_000,
            }),
        ),
        (
            "money_correction",
            Item::MoneyCorrection(MoneyCorrection {
                id: CorrectionId::from_bytes([0x36; 16]),
                branch: branch(),
                from: MoneyAccount::Difference,
                to: MoneyAccount::Till,
                amount_minor: 10,
                currency: eur(),
                undoes: None,
                reason: "found under the drawer".to_owned(),
            }),
        ),
        (
            "settlement_match",
            Item::SettlementMatch(SettlementMatch {
                provider: Provider::Bank,
                reference: "2026-11-20/7".to_owned(),
                payment: Some(payment()),
                reason: "the name on the transfer".to_owned(),
            }),
        ),
        (
            "sign_off",
            Item::SignOff(SignOff {
                business_day: 20_778,
                branch: branch(),
                signed: true,
                reason: String::new(),
            }),
        ),
    ]
}

#[test]
fn every_body_has_the_bytes_that_it_always_had() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fixtures/wire/v1/items");
    for (name, item) in till().into_iter().chain(of_the_hub()) {
        let RawItem::Present { kind, body } = item.to_raw() else {
            panic!("{name} is erased");
        };
        let path = folder.join(format!("{kind}_{name}.bin"));
        if !path.exists() && std::env::var_os("COUNTERPART_WRITE_GOLDEN").is_some() {
            std::fs::write(&path, &body).unwrap();
        }
        let kept =
            std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(body, kept, "{name} changed");
        assert_eq!(Item::decode(kind, &kept).unwrap(), item, "{name}");
    }
}
