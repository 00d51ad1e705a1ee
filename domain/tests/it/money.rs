//! Receipts, refunds, payments, cash sessions and the ledger that they post to.

use domain::cash::{CashClosed, CashError, Counted, DayReport, Drawer, count, denominations};
use domain::id::{
    DocumentId, LineId, PartId, PaymentId, ReceiptId, RefundId, RepaymentId, SessionId,
};
use domain::ledger::{Balances, MoneyAccount, Posting};
use domain::money::Currency;
use domain::payment::{
    PaymentOutcome, PaymentRecord, PaymentResult, PaymentState, Provider, RepaymentOutcome,
    RepaymentResult, fold_payment, payment_postings, provider_key, repayment_key,
};
use domain::till::{
    CardWay, EarlierRefunds, Goods, PaperKind, Receipt, ReceiptLine, ReceiptLineKind, Refund,
    RefundLine, RefundTender, RefundTotals, Refundable, Tender, TenderLine, TillError,
    paper_number, parse_paper_number, split_to_tenders,
};
use proptest::prelude::*;

fn line(number: u8, kind: ReceiptLineKind, quantity: u32, unit_minor: i64) -> ReceiptLine {
    ReceiptLine {
        id: LineId::from_bytes([number; 16]),
        kind,
        order: kind.is_deposit().then(|| DocumentId::from_bytes([7; 16])),
        part: (kind == ReceiptLineKind::Part).then(|| PartId::from_bytes([number; 16])),
        text: "a line".to_owned(),
        quantity,
        unit_minor,
        tax_bp: if kind.is_deposit() { 0 } else { 1_900 },
        includes_tax: true,
    }
}

fn pay(number: u8, tender: Tender, amount_minor: i64) -> TenderLine {
    TenderLine {
        payment: PaymentId::from_bytes([number; 16]),
        tender,
        amount_minor,
        given_minor: amount_minor,
        way: (tender == Tender::Card).then_some(CardWay::Link),
    }
}

fn receipt(lines: Vec<ReceiptLine>, tenders: Vec<TenderLine>) -> Receipt {
    Receipt {
        id: ReceiptId::from_bytes([1; 16]),
        register: 1,
        session: Some(SessionId::from_bytes([2; 16])),
        series: b'A',
        number: 1,
        customer: Some(DocumentId::from_bytes([3; 16])),
        currency: Currency::EUR,
        lines,
        tenders,
    }
}

/// A receipt of these lines, paid in cash.
fn paid(lines: Vec<ReceiptLine>) -> Receipt {
    let mut receipt = receipt(lines, Vec::new());
    let due = receipt.totals().unwrap().due_minor;
    if due > 0 {
        receipt.tenders.push(pay(1, Tender::Cash, due));
    }
    receipt
}

#[test]
fn a_receipt_with_a_split_tender_and_a_deposit_posts_to_every_account_it_names() {
    let receipt = receipt(
        vec![
            line(1, ReceiptLineKind::Service, 1, 7_900),
            line(2, ReceiptLineKind::Part, 2, 2_000),
            line(3, ReceiptLineKind::Discount, 1, 400),
            line(4, ReceiptLineKind::DepositOff, 1, 3_000),
        ],
        vec![pay(1, Tender::Cash, 5_000), pay(2, Tender::Card, 3_500)],
    );
    let totals = receipt.check_form().unwrap();
    assert_eq!((totals.gross_minor, totals.tax_minor), (11_500, 1_836));
    assert_eq!(totals.due_minor, 8_500);
    let balances = Balances::of(&receipt.postings().unwrap());
    assert!(balances.balanced());
    let of = |account| balances.get(account);
    assert_eq!(of(MoneyAccount::Counter), 0);
    assert_eq!(of(MoneyAccount::Till), 5_000);
    assert_eq!(of(MoneyAccount::Promised), 3_500);
    assert_eq!(of(MoneyAccount::Deposits), 3_000);
    assert_eq!(of(MoneyAccount::Revenue), -9_664);
    assert_eq!(of(MoneyAccount::Tax), -1_836);
}

#[test]
fn a_receipt_that_does_not_add_up_is_refused() {
    let good = paid(vec![line(1, ReceiptLineKind::Part, 3, 1_990)]);
    assert!(good.check_form().is_ok());
    let refuse = |change: &dyn Fn(&mut Receipt)| {
        let mut bad = good.clone();
        change(&mut bad);
        bad.check_form().unwrap_err()
    };
    assert!(matches!(
        refuse(&|bad| bad.tenders[0].amount_minor -= 1),
        TillError::Tender { number: 1, .. } | TillError::Unequal { .. }
    ));
    assert_eq!(
        refuse(&|bad| bad.tenders.clear()),
        TillError::Unequal {
            due_minor: 5_970,
            tendered_minor: 0
        }
    );
    assert!(matches!(
        refuse(&|bad| bad.session = None),
        TillError::Tender { .. }
    ));
    assert!(matches!(
        refuse(&|bad| bad.lines[0].quantity = 0),
        TillError::Line { number: 1, .. }
    ));
    assert!(matches!(
        refuse(&|bad| bad.lines[0].unit_minor = i64::MAX),
        TillError::Line { number: 1, .. }
    ));
    assert_eq!(refuse(&|bad| bad.lines.clear()), TillError::Lines);
    assert_eq!(
        refuse(&|bad| {
            let again = bad.lines[0].clone();
            bad.lines.push(again);
        }),
        TillError::Twice
    );
    assert_eq!(refuse(&|bad| bad.number = 0), TillError::Series);
    assert_eq!(
        refuse(&|bad| bad
            .lines
            .push(line(9, ReceiptLineKind::DepositOff, 1, 9_000))),
        TillError::DepositOff
    );
}

#[test]
fn only_cash_gives_change() {
    let mut cash = paid(vec![line(1, ReceiptLineKind::Fee, 1, 1_250)]);
    cash.tenders[0].given_minor = 2_000;
    assert!(cash.check_form().is_ok());
    assert_eq!(cash.tenders[0].change_minor(), 750);
    cash.tenders[0].given_minor = 1_000;
    assert!(cash.check_form().is_err());
    cash.tenders = vec![pay(1, Tender::Card, 1_250)];
    cash.tenders[0].given_minor = 2_000;
    assert!(cash.check_form().is_err());
}

#[test]
fn numbers_of_papers_read_back() {
    let text = paper_number("BER", PaperKind::Receipt, b'A', 1);
    assert_eq!(text, "BER-R-A000001");
    let read = parse_paper_number(" ber-r-a1 ").unwrap();
    assert_eq!(read, ("BER".to_owned(), PaperKind::Receipt, b'A', 1));
    assert_eq!(
        parse_paper_number("BER-Z-B1000000").unwrap(),
        ("BER".to_owned(), PaperKind::DayReport, b'B', 1_000_000)
    );
    for bad in [
        "",
        "BER-R-",
        "BER-R-A",
        "BER-R-A0",
        "BER-R-10",
        "BER-X-A1",
        "BER-R-A1-2",
    ] {
        assert!(parse_paper_number(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_refund_goes_back_the_way_the_money_came_and_never_above_it() {
    let tender = |number: u8, tender, left_minor| Refundable {
        payment: PaymentId::from_bytes([number; 16]),
        tender,
        left_minor,
    };
    let tenders = [
        tender(1, Tender::Cash, 5_000),
        tender(2, Tender::Card, 3_000),
    ];
    let split = split_to_tenders(&tenders, 4_000).unwrap();
    assert_eq!(
        split
            .iter()
            .map(|(_, tender, part)| (*tender, *part))
            .collect::<Vec<_>>(),
        [(Tender::Card, 3_000), (Tender::Cash, 1_000)]
    );
    assert_eq!(
        split_to_tenders(&tenders, 8_001),
        Err(TillError::Overpaid { left_minor: 8_000 })
    );
}

#[test]
fn a_refund_names_lines_of_its_receipt_and_no_more_pieces_than_are_left() {
    let sold = paid(vec![
        line(1, ReceiptLineKind::Part, 3, 1_000),
        line(2, ReceiptLineKind::Service, 1, 5_000),
    ]);
    let back = |number: u8, quantity, goods| RefundLine {
        line: LineId::from_bytes([number; 16]),
        quantity,
        goods,
    };
    let none = EarlierRefunds::default();
    let of = |lines: &[RefundLine]| RefundTotals::of(&sold, &none, lines);
    assert_eq!(of(&[back(1, 2, Goods::Shelf)]).unwrap().amount_minor, 2_000);
    assert!(matches!(
        of(&[back(9, 1, Goods::Stay)]),
        Err(TillError::UnknownLine(_))
    ));
    assert!(matches!(
        of(&[back(2, 1, Goods::Shelf)]),
        Err(TillError::Goods(_))
    ));
    assert!(matches!(
        of(&[back(1, 2, Goods::Shelf), back(1, 2, Goods::Scrap)]),
        Err(TillError::Returned { left: 3, .. })
    ));
    assert!(matches!(
        of(&[back(1, 0, Goods::Shelf)]),
        Err(TillError::Returned { .. })
    ));
}

fn result(attempt: u16, outcome: PaymentOutcome, amount_minor: i64) -> PaymentRecord {
    PaymentRecord::Result(PaymentResult {
        payment: PaymentId::from_bytes([1; 16]),
        attempt,
        outcome,
        amount_minor,
        tender: Tender::Card,
        provider: Provider::Stripe,
        reference: "pi_1".to_owned(),
        detail: String::new(),
    })
}

const ASKED: PaymentRecord = PaymentRecord::Asked {
    tender: Tender::Card,
    amount_minor: 4_990,
};

#[test]
fn a_payment_stands_where_its_newest_attempt_says() {
    let state = |records: &[PaymentRecord]| fold_payment(records).state;
    assert_eq!(state(&[ASKED]), PaymentState::Queued);
    assert_eq!(
        state(&[ASKED, PaymentRecord::Cancelled]),
        PaymentState::Cancelled
    );
    let asked = result(1, PaymentOutcome::Asked, 0);
    let declined = result(1, PaymentOutcome::Declined, 0);
    assert_eq!(state(&[ASKED, asked.clone()]), PaymentState::Processing);
    assert_eq!(
        state(&[ASKED, asked.clone(), declined.clone()]),
        PaymentState::Declined
    );
    let again = result(2, PaymentOutcome::Asked, 0);
    assert_eq!(
        state(&[ASKED, asked.clone(), declined, again]),
        PaymentState::Processing
    );
    // Money that came counts, whatever was wished before.
    let came = result(1, PaymentOutcome::Captured, 4_990);
    let fold = fold_payment(&[ASKED, PaymentRecord::Cancelled, asked, came.clone()]);
    assert_eq!(fold.state, PaymentState::Captured);
    assert!(!fold.is_overpaid());
    let twice = fold_payment(&[
        ASKED,
        came.clone(),
        result(2, PaymentOutcome::Captured, 4_990),
    ]);
    assert!(twice.is_overpaid());
    assert_eq!(
        fold_payment(&[ASKED, came.clone(), came]).captured_minor,
        4_990
    );
}

#[test]
fn money_given_back_makes_a_payment_refunded_when_it_went() {
    let came = result(1, PaymentOutcome::Captured, 4_990);
    let asked = PaymentRecord::RepaymentAsked {
        repayment: RepaymentId::from_bytes([5; 16]),
        tender: Tender::Card,
        amount_minor: 4_990,
    };
    let went = PaymentRecord::Repayment(RepaymentResult {
        repayment: RepaymentId::from_bytes([5; 16]),
        payment: PaymentId::from_bytes([1; 16]),
        attempt: 1,
        outcome: RepaymentOutcome::Repaid,
        amount_minor: 4_990,
        tender: Tender::Card,
        provider: Provider::Stripe,
        reference: "re_1".to_owned(),
        detail: String::new(),
    });
    let waiting = fold_payment(&[ASKED, came.clone(), asked.clone()]);
    assert_eq!(
        (waiting.state, waiting.left_minor()),
        (PaymentState::Captured, 0)
    );
    let done = fold_payment(&[ASKED, came, asked, went.clone(), went]);
    assert_eq!(
        (done.state, done.repaid_minor),
        (PaymentState::Refunded, 4_990)
    );
}

#[test]
fn a_cash_refund_is_done_when_it_is_written() {
    let fold = fold_payment(&[
        PaymentRecord::Asked {
            tender: Tender::Cash,
            amount_minor: 1_000,
        },
        PaymentRecord::RepaymentAsked {
            repayment: RepaymentId::NIL,
            tender: Tender::Cash,
            amount_minor: 400,
        },
    ]);
    assert_eq!(fold.state, PaymentState::Captured);
    assert_eq!(
        (fold.captured_minor, fold.repaid_minor, fold.left_minor()),
        (1_000, 400, 600)
    );
}

#[test]
fn a_late_capture_takes_back_the_claim_that_a_failure_made() {
    let records = [
        ASKED,
        result(1, PaymentOutcome::Failed, 0),
        result(1, PaymentOutcome::Captured, 4_990),
    ];
    let mut balances = Balances::default();
    // The receipt posted what was asked to the exposure.
    balances.add(&Posting::new(MoneyAccount::Counter, MoneyAccount::Promised, 4_990).unwrap());
    for end in 1..records.len() {
        let (before, after) = (
            fold_payment(&records[..end]),
            fold_payment(&records[..=end]),
        );
        for posting in payment_postings(&before, &after) {
            balances.add(&posting);
        }
        if end == 1 {
            assert_eq!(balances.get(MoneyAccount::Receivable), 4_990);
        }
    }
    assert_eq!(balances.get(MoneyAccount::Promised), 0);
    assert_eq!(balances.get(MoneyAccount::Receivable), 0);
    assert_eq!(balances.get(MoneyAccount::Card), 4_990);
}

#[test]
fn keys_are_golden() {
    let payment = PaymentId::from_bytes([0x11; 16]);
    let repayment = RepaymentId::from_bytes([0x11; 16]);
    let first = provider_key(payment, 1);
    assert_eq!(first.len(), 64);
    assert_eq!(first, provider_key(payment, 1));
    assert_ne!(first, provider_key(payment, 2));
    assert_ne!(first, repayment_key(repayment, 1));
    assert_eq!(
        first,
        "fee6b4d50c7c418060bd988b331cdb0517bd9d9146fdbfe6bb77602f4b484ca7"
    );
}

fn closed(counted: Vec<Counted>, expected_minor: i64, reason: &str) -> CashClosed {
    CashClosed {
        session: SessionId::from_bytes([2; 16]),
        counted,
        expected_minor,
        left_minor: 0,
        reason: reason.to_owned(),
        series: b'A',
        number: 1,
        former: [0; 32],
        report: DayReport::default(),
    }
}

#[test]
fn a_difference_needs_a_reason_and_is_booked() {
    let counted = vec![
        Counted {
            value_minor: 5_000,
            pieces: 2,
        },
        Counted {
            value_minor: 50,
            pieces: 3,
        },
    ];
    assert_eq!(count(&counted).unwrap(), 10_150);
    assert!(closed(counted.clone(), 10_150, "").check_form().is_ok());
    assert_eq!(
        closed(counted.clone(), 10_000, " ").check_form(),
        Err(CashError::Reason)
    );
    let close = closed(counted, 10_200, "a coin rolled away");
    assert!(close.check_form().is_ok());
    assert_eq!(close.difference_minor().unwrap(), -50);
    let balances = Balances::of(&close.postings().unwrap());
    assert_eq!(balances.get(MoneyAccount::Till), -10_200);
    assert_eq!(balances.get(MoneyAccount::Difference), 50);
    assert_eq!(balances.get(MoneyAccount::Safe), 10_150);
}

#[test]
fn a_count_names_each_value_once() {
    let twice = Counted {
        value_minor: 100,
        pieces: 1,
    };
    assert_eq!(
        closed(vec![twice, twice], 200, "").check_form(),
        Err(CashError::Count)
    );
}

#[test]
fn day_reports_chain() {
    let first = closed(Vec::new(), 0, "");
    let mut second = closed(Vec::new(), 0, "");
    second.former = first.hash(b"first");
    assert_ne!(second.hash(b"second"), first.hash(b"second"));
    assert_ne!(first.hash(b"first"), first.hash(b"First"));
}

#[test]
fn a_drawer_gives_no_more_than_it_has() {
    let drawer = Drawer {
        float_minor: 10_000,
        taken_minor: 5_000,
        given_back_minor: 1_000,
        in_minor: 500,
        out_minor: 2_000,
    };
    assert_eq!(drawer.expected_minor(), 12_500);
    assert!(drawer.may_take(12_500).is_ok());
    assert_eq!(
        drawer.may_take(12_501),
        Err(CashError::Short {
            there_minor: 12_500
        })
    );
}

#[test]
fn denominations_fall_and_are_pieces_of_money() {
    for currency in [
        "EUR", "USD", "GBP", "CHF", "PLN", "SEK", "NOK", "DKK", "JPY", "XYZ",
    ] {
        let values = denominations(currency.parse().unwrap());
        assert!(
            values.windows(2).all(|pair| pair[0] > pair[1]),
            "{currency}"
        );
        assert!(values.iter().all(|value| *value > 0), "{currency}");
    }
}

fn any_lines() -> impl Strategy<Value = Vec<ReceiptLine>> {
    let kind = proptest::sample::select(&[
        ReceiptLineKind::Service,
        ReceiptLineKind::Part,
        ReceiptLineKind::Fee,
        ReceiptLineKind::Deposit,
    ]);
    let one = (kind, 1_u32..9, 0_i64..100_000, 0_u32..4, any::<bool>());
    proptest::collection::vec(one, 1..8).prop_map(|drawn| {
        (1_u8..)
            .zip(drawn)
            .map(|(number, (kind, quantity, unit, rate, includes_tax))| {
                let mut line = line(number, kind, quantity, unit);
                if !kind.is_deposit() {
                    line.tax_bp = [0, 700, 1_900, 2_550][rate as usize];
                    line.includes_tax = includes_tax;
                }
                line
            })
            .collect()
    })
}

proptest! {
    #[test]
    fn a_well_formed_receipt_leaves_nothing_on_the_counter(lines in any_lines()) {
        let receipt = paid(lines);
        prop_assert!(receipt.check_form().is_ok());
        let balances = Balances::of(&receipt.postings().unwrap());
        prop_assert!(balances.balanced());
        prop_assert_eq!(balances.get(MoneyAccount::Counter), 0);
    }

    /// Pieces given back in any portions come to exactly what was paid, and the ledger to nothing.
    #[test]
    fn refunds_piece_by_piece_come_to_what_was_paid(lines in any_lines(), seed in any::<u64>()) {
        let sold = paid(lines);
        let due = sold.totals().unwrap().due_minor;
        let mut balances = Balances::of(&sold.postings().unwrap());
        let mut refunds: Vec<Refund> = Vec::new();
        let mut dice = seed;
        let mut given_back = 0;
        for line in &sold.lines {
            let mut left = line.quantity;
            while left > 0 {
                dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let quantity = 1 + (dice >> 33) as u32 % left;
                left -= quantity;
                let lines = vec![RefundLine { line: line.id, quantity, goods: Goods::Stay }];
                let earlier = EarlierRefunds::of(&refunds);
                let totals = RefundTotals::of(&sold, &earlier, &lines).unwrap();
                given_back += totals.amount_minor;
                let mut tenders = Vec::new();
                if totals.amount_minor > 0 {
                    tenders.push(RefundTender {
                        id: RepaymentId::NIL,
                        payment: sold.tenders[0].payment,
                        tender: Tender::Cash,
                        amount_minor: totals.amount_minor,
                    });
                }
                let refund = Refund {
                    id: RefundId::NIL,
                    receipt: sold.id,
                    register: 1,
                    session: sold.session,
                    series: b'A',
                    number: 2,
                    currency: Currency::EUR,
                    lines,
                    rates: totals.rates,
                    deposits_minor: totals.deposits_minor,
                    tenders,
                    reason: "came back".to_owned(),
                };
                prop_assert!(refund.check_form().is_ok());
                for posting in refund.postings() {
                    balances.add(&posting);
                }
                refunds.push(refund);
            }
        }
        prop_assert_eq!(given_back, due);
        for (account, balance) in balances.iter() {
            prop_assert_eq!(balance, 0, "{}", account);
        }
    }

    /// The fold takes records in any order and any number of times.
    #[test]
    fn payments_fold_in_any_order(
        drawn in proptest::collection::vec((1_u16..4, 0_usize..5), 0..8),
        seed in any::<u64>(),
    ) {
        let mut records = vec![ASKED, PaymentRecord::Cancelled];
        records.extend(drawn.into_iter().map(|(attempt, outcome)| {
            let outcome = PaymentOutcome::ALL[outcome];
            let amount = if outcome == PaymentOutcome::Captured { 4_990 } else { 0 };
            result(attempt, outcome, amount)
        }));
        let straight = fold_payment(&records);
        let mut shuffled = records.clone();
        shuffled.extend(records);
        let mut dice = seed;
        for end in (1..shuffled.len()).rev() {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            shuffled.swap(end, (dice >> 33) as usize % (end + 1));
        }
        prop_assert_eq!(&fold_payment(&shuffled), &straight);
        // And whatever came, what the ledger shows is what the fold says.
        let mut balances = Balances::default();
        for end in 1..shuffled.len() {
            let (before, after) = (fold_payment(&shuffled[..end]), fold_payment(&shuffled[..=end]));
            for posting in payment_postings(&before, &after) {
                balances.add(&posting);
            }
        }
        prop_assert!(balances.balanced());
    }
}
